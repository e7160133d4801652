package nacha

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/moov-io/ach"
	"github.com/moov-io/base"

	"mandate/internal/bank"
)

// Read reads a file from a stranger. A file that is refused gives a *Refusal
// with every problem; any other error means that it could not be read at all.
func Read(r io.Reader, rules Rules, progress Progress) (*File, error) {
	s := newScan(r, rules, progress)
	if err := s.run(); err != nil && !errors.Is(err, errStop) {
		return nil, err
	}
	if s.found.code != "" || s.found.full() {
		return nil, s.found.err()
	}
	text := string(s.records)
	s.records = nil
	file := parse(text, s)
	if !s.found.full() {
		s.judgeByLibrary(text)
	}
	if err := s.found.err(); err != nil {
		return nil, err
	}
	s.sum.Sum(file.SHA256[:0])
	return file, nil
}

func options(rules Rules) *ach.ValidateOpts {
	if !rules.Relaxed {
		return nil
	}
	return &ach.ValidateOpts{BypassOriginValidation: true, BypassDestinationValidation: true}
}

// judgeByLibrary lets the library read the records. It is a stranger's code on
// a stranger's bytes: should it panic, the file is refused.
func (s *scan) judgeByLibrary(text string) {
	defer func() {
		if cause := recover(); cause != nil {
			s.found.add(Problem{Sentence: "The file cannot be read."})
		}
	}()
	reader := ach.NewReader(strings.NewReader(text))
	opts := options(s.rules)
	reader.SetValidation(opts)
	file, err := reader.Read()
	if err != nil {
		s.tellAll(err)
		return
	}
	if len(s.found.all) == 0 {
		if err := file.ValidateWith(opts); err != nil {
			s.tell(err)
		}
	}
}

func (s *scan) tellAll(err error) {
	list, ok := errors.AsType[base.ErrorList](err)
	if !ok {
		s.tell(err)
		return
	}
	for _, one := range list {
		if s.found.full() {
			return
		}
		s.tell(one)
	}
}

// tell puts an error of the library into a problem with its place.
func (s *scan) tell(err error) {
	p := Problem{Sentence: sentence(err.Error())}
	if at, ok := errors.AsType[*base.ParseError](err); ok {
		p.Line, p.Record, p.Sentence = s.lineOf(at.Line), strings.ToLower(words(at.Record)), sentence(at.Err.Error())
	}
	if f, ok := errors.AsType[*ach.FieldError](err); ok {
		p.Field, p.Sentence = words(f.FieldName), valued(f.Value, f.Err)
	} else if b, ok := errors.AsType[*ach.BatchError](err); ok {
		p.Record, p.Field, p.Sentence = "batch "+fmt.Sprint(b.BatchNumber), words(b.FieldName), valued(b.FieldValue, b.Err)
	}
	s.found.add(p)
}

// lineOf is the line of the library's n-th record.
func (s *scan) lineOf(n int) int {
	if n < 1 || n > len(s.lines) {
		return 0
	}
	return int(s.lines[n-1])
}

func valued(value any, err error) string {
	text := strings.TrimSpace(fmt.Sprint(value))
	if value == nil || text == "" || strings.Contains(err.Error(), text) {
		return sentence(err.Error())
	}
	return sentence(fmt.Sprintf("%q %s", text, err))
}

// sentence makes a whole sentence of an error's text.
func sentence(text string) string {
	text = strings.TrimRight(strings.TrimSpace(strings.ReplaceAll(text, ", did you use the constructor?", "")), ".: ")
	if text == "" {
		return "It is not valid."
	}
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// words turns a name such as EntryAddendaCount into words.
func words(name string) string {
	var b strings.Builder
	runes := []rune(strings.TrimSuffix(name, "Field"))
	for i, r := range runes {
		after := i > 0 && unicode.IsUpper(r) && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]))
		if after {
			b.WriteByte(' ')
		}
		if unicode.IsUpper(r) && (i+1 >= len(runes) || !unicode.IsUpper(runes[i+1])) && (i == 0 || !unicode.IsUpper(runes[i-1]) || after) {
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// parse reads the records into batches and judges what the library does not:
// what cannot be originated, whom a file names, and every control total.
func parse(text string, s *scan) *File {
	p := parsing{scan: s, file: &File{}}
	for i := range s.lines {
		p.line = int(s.lines[i])
		p.record(text[i*recordLength : (i+1)*recordLength])
	}
	if len(p.file.Batches) == 0 {
		s.found.add(Problem{Sentence: "There is no batch in the file."})
	}
	p.file.Entries = s.entries
	return p.file
}

// parsing is a file under way.
type parsing struct {
	*scan
	file  *File
	line  int
	ended bool // the file control was read
	count int  // entries and addenda of the batch
	hash  int64

	allCount int
	allHash  int64
}

func (p *parsing) record(r string) {
	if p.ended || r[:2] == "99" {
		return // padding; the library refuses what is not
	}
	switch r[0] {
	case '1':
		p.file.Destination, p.file.Origin = trim(fileDestination.of(r)), trim(fileOrigin.of(r))
		p.file.DestinationName, p.file.OriginName = trim(fileDestinationName.of(r)), trim(fileOriginName.of(r))
	case '5':
		p.header(r)
	case '6':
		p.entry(r)
	case '7':
		p.addenda(r)
	case '8':
		p.control(r)
	case '9':
		p.ended = true
		p.fileControl(r)
	default:
		p.problem(r, span{}, "A record begins with 1, 5, 6, 7, 8 or 9.")
	}
}

func (p *parsing) problem(r string, field span, sentence string) {
	p.found.add(Problem{Line: p.line, Record: recordName(r[0]), Field: field.name, Sentence: sentence})
}

func (p *parsing) header(r string) {
	p.file.Batches = append(p.file.Batches, BatchOf(r))
	b := &p.file.Batches[len(p.file.Batches)-1]
	b.Line, p.count, p.hash = p.line, 0, 0
	switch b.SEC {
	case "COR":
		p.problem(r, headerSEC, "Notifications of change come from receiving institutions; they cannot be originated.")
	case "ADV":
		p.problem(r, headerSEC, "Accounting advices come from the ACH operator; they cannot be originated.")
	}
	p.company(r, b)
}

// company judges whom a batch names, unless the rules are relaxed.
func (p *parsing) company(r string, b *Batch) {
	if p.rules.Relaxed {
		return
	}
	for _, c := range p.rules.Companies {
		if c.ID != b.CompanyID {
			continue
		}
		if !strings.EqualFold(c.Name, b.CompanyName) {
			p.problem(r, headerCompany, fmt.Sprintf("Company %s is %q here.", c.ID, c.Name))
		}
		if len(c.SECs) > 0 && !contains(c.SECs, b.SEC) {
			p.problem(r, headerSEC, fmt.Sprintf("Company %s may send %s.", c.ID, strings.Join(c.SECs, ", ")))
		}
		return
	}
	p.problem(r, headerCompanyID, fmt.Sprintf("%q is not one of your ACH companies.", b.CompanyID))
}

func contains(all []string, one string) bool {
	for _, s := range all {
		if s == one {
			return true
		}
	}
	return false
}

func (p *parsing) entry(r string) {
	p.count++
	p.hash += number(entryRouting.of(r)[:8])
	if len(p.file.Batches) == 0 {
		return // the library says so
	}
	b := &p.file.Batches[len(p.file.Batches)-1]
	e := EntryOf(b.SEC, r, nil)
	e.Line = p.line
	if e.Code.returned() {
		p.problem(r, entryCode, "Returns come from receiving institutions; they cannot be originated.")
	}
	b.Entries = append(b.Entries, e)
	p.sum(r, b, e)
}

func (p *parsing) sum(r string, b *Batch, e Entry) {
	into, all := &b.Credits, &p.file.Credits
	if e.Code.Debit() {
		into, all = &b.Debits, &p.file.Debits
	}
	*into += e.Amount // at most 260,000 times ten digits
	*all += e.Amount
	if !digits(entryAmount.of(r)) {
		p.problem(r, entryAmount, "An amount is ten digits.")
	}
}

func (p *parsing) addenda(r string) {
	p.count++
	if kind := addendaType.of(r); kind == "98" || kind == "99" {
		p.problem(r, addendaType, "Returns and notifications of change come from receiving institutions; they cannot be originated.")
	}
	if len(p.file.Batches) == 0 {
		return
	}
	b := &p.file.Batches[len(p.file.Batches)-1]
	if len(b.Entries) == 0 {
		return
	}
	e := &b.Entries[len(b.Entries)-1]
	e.Addenda = append(e.Addenda, r)
	if b.SEC == "IAT" && addendaType.of(r) == "10" {
		e.Name = trim(internationalName.of(r))
	}
}

func (p *parsing) control(r string) {
	p.allCount += p.count
	p.allHash += p.hash
	if len(p.file.Batches) == 0 {
		return
	}
	b := &p.file.Batches[len(p.file.Batches)-1]
	p.total(r, controlCount, int64(p.count))
	p.total(r, controlHash, p.hash%1e10)
	p.total(r, controlDebits, int64(b.Debits))
	p.total(r, controlCredits, int64(b.Credits))
}

func (p *parsing) fileControl(r string) {
	p.total(r, fileBatches, int64(len(p.file.Batches)))
	p.total(r, fileEntries, int64(p.allCount))
	p.total(r, fileHash, p.allHash%1e10)
	p.total(r, fileDebits, int64(p.file.Debits))
	p.total(r, fileCredits, int64(p.file.Credits))
}

// total compares a control with what was counted.
func (p *parsing) total(r string, field span, counted int64) {
	text := field.of(r)
	if !digits(text) || number(text) != counted {
		p.problem(r, field, fmt.Sprintf("It says %s, and %d was counted.", trim(text), counted))
	}
}

// BatchOf reads a batch header.
func BatchOf(r string) Batch {
	return Batch{
		Record: r, Service: int(number(headerService.of(r))), CompanyName: trim(headerCompany.of(r)), CompanyData: trim(headerData.of(r)),
		CompanyID: trim(headerCompanyID.of(r)), SEC: headerSEC.of(r), Description: trim(headerDescription.of(r)),
		Descriptive: trim(headerDescriptive.of(r)), Effective: trim(headerEffective.of(r)),
	}
}

// EntryOf reads an entry of a batch of a standard entry class.
func EntryOf(sec, r string, addenda []string) Entry {
	e := Entry{
		Record: r, Addenda: addenda, Code: Code(number(entryCode.of(r))), Routing: entryRouting.of(r), Account: trim(entryAccount.of(r)),
		Amount: bank.Cents(number(entryAmount.of(r))), ID: trim(entryID.of(r)), Name: trim(entryName.of(r)), Data: trim(entryData.of(r)),
	}
	switch sec {
	case "IAT":
		e.Account, e.ID, e.Name, e.Data = trim(internationalAccount.of(r)), "", "", ""
		if len(addenda) > 0 {
			e.Name = trim(internationalName.of(addenda[0]))
		}
	case "CTX", "ATX", "ENR", "TRX":
		e.Name = trim(countedName.of(r))
	case "CIE":
		e.Name, e.ID = e.ID, e.Name
	}
	return e
}

func trim(s string) string { return strings.TrimSpace(s) }

func digits(s string) bool {
	return len(s) > 0 && len(bytes.TrimLeft([]byte(s), "0123456789")) == 0
}

// number reads digits; what is no digit counts as none.
func number(s string) (n int64) {
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			n = n*10 + int64(s[i]-'0')
		}
	}
	return n
}
