package positivepay

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/fault"
	"mandate/internal/moneymovement/layout"
)

// Named limits.
const (
	MaxBytes    = 5 << 20 // of a file
	MaxChecks   = 20_000  // of a file
	MaxEntered  = 100     // checks that are entered by hand at once
	MaxProblems = 100     // that are said
	MaxNumber   = 9_999_999_999
	MaxPayee    = 60
	yearsBack   = 2 // how old the date of a check may be
)

// What makes a whole file useless.
var (
	ErrTooLarge = fault.Newf(fault.Invalid, "A file has at most %d MiB and %d lines.", MaxBytes>>20, MaxChecks).With("FILE_TOO_LARGE")
	ErrEmpty    = fault.New(fault.Invalid, "There is no check in the file.").With("EMPTY_FILE")
)

// A Check is one that was issued, or one that is void.
type Check struct {
	Line   int
	Number int64
	Cents  bank.Cents
	Day    bank.Day
	Payee  string
	Void   bool
}

// A Problem is one thing that is wrong, and where.
type Problem struct {
	Line     int
	Field    Field // empty: the whole line
	Sentence string
}

// A Preview is what a list holds: nothing of it counts while it has problems.
type Preview struct {
	Checks   []Check
	Problems []Problem
	More     bool // there are more problems than are said
	Issued   int
	Voids    int
	Cents    bank.Cents // of what is issued
}

func (p *Preview) problem(line int, f Field, sentence string) {
	if len(p.Problems) >= MaxProblems {
		p.More = true
		return
	}
	p.Problems = append(p.Problems, Problem{line, f, sentence})
}

// add takes a check that has no problem.
func (p *Preview) add(c Check) {
	p.Checks = append(p.Checks, c)
	if c.Void {
		p.Voids++
		return
	}
	p.Issued++
	p.Cents += c.Cents // at most 20,000 times ten digits
}

// errEnough ends the reading of a file whose problems are more than are said.
var errEnough = errors.New("positivepay: enough problems")

// Read reads a list by a layout. Problems with lines are in the preview; an
// error means that there is none.
func Read(r io.Reader, l Layout, today bank.Day) (*Preview, error) {
	if err := l.Check(); err != nil {
		return nil, err
	}
	p, first, seen := &Preview{}, true, map[string]int{}
	err := layout.Read(r, l.Format, layout.Bounds{Bytes: MaxBytes, TooLarge: ErrTooLarge}, func(line *layout.Line) error {
		titles := first && l.Titles
		first = false
		switch {
		case len(p.Checks) >= MaxChecks:
			return ErrTooLarge
		case p.More:
			return errEnough
		case titles:
		case line.Broken:
			p.problem(line.Number, "", "The quotes of this line do not match.")
		default:
			l.line(p, line, today, seen)
		}
		return nil
	})
	switch {
	case errors.Is(err, errEnough):
	case err != nil:
		return nil, err
	case len(p.Checks) == 0 && len(p.Problems) == 0:
		return nil, ErrEmpty
	}
	return p, nil
}

// line reads one line into the preview.
func (l Layout) line(p *Preview, line *layout.Line, today bank.Day, seen map[string]int) {
	cell := func(f Field) string { return line.At(l.Places[f]) }
	c, said := Check{Line: line.Number, Payee: strings.Join(strings.Fields(cell(Payee)), " ")}, map[Field]bool{}
	wrong := func(f Field, sentence string) { // one problem of a field is enough
		if !said[f] {
			p.problem(line.Number, f, sentence)
		}
		said[f] = true
	}
	var ok bool
	if c.Number, ok = readNumber(cell(Number)); !ok {
		wrong(Number, "Write a check number of one to ten digits.")
	}
	if c.Void, ok = voidWords[strings.ToLower(cell(Type))]; !ok {
		wrong(Type, "Write issue or void.")
	}
	if c.Cents, ok = l.cents(cell(Amount)); !ok {
		wrong(Amount, amountSentence(l.Cents))
	}
	if c.Day, ok = l.day(cell(Date)); !ok {
		wrong(Date, "Write a date like "+string(l.Dates)+".")
	}
	c.check(today, wrong)
	if len(said) == 0 {
		c.once(seen, wrong)
	}
	if len(said) == 0 {
		p.add(c)
	}
}

// check says what is wrong with a check that could be read, wherever it comes
// from.
func (c *Check) check(today bank.Day, wrong func(Field, string)) {
	if c.Number < 1 || c.Number > MaxNumber {
		wrong(Number, "Write a check number of one to ten digits.")
	}
	switch {
	case c.Cents < 0 || c.Cents > bank.MaxAmount:
		wrong(Amount, "Write an amount like 1250.00.")
	case c.Cents == 0 && !c.Void:
		wrong(Amount, "Write an amount above zero.")
	}
	_, err := bank.ParseDay(string(c.Day))
	switch {
	case c.Day == "" && c.Void:
	case err != nil:
		wrong(Date, "Write the date on the check.")
	case c.Day > calendar.AddMonths(today, 12):
		wrong(Date, "The date on the check is at most a year ahead.")
	case c.Day < calendar.AddMonths(today, -12*yearsBack):
		wrong(Date, fmt.Sprintf("The date on the check is at most %d years back.", yearsBack))
	}
	switch {
	case utf8.RuneCountInString(c.Payee) > MaxPayee:
		wrong(Payee, fmt.Sprintf("Use at most %d characters.", MaxPayee))
	case !utf8.ValidString(c.Payee) || strings.ContainsFunc(c.Payee, unseen):
		wrong(Payee, "Remove what cannot be seen.")
	}
}

func unseen(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == utf8.RuneError
}

// once finds a check that stands in the list twice. One may be issued and
// declared void in the same list.
func (c *Check) once(seen map[string]int, wrong func(Field, string)) {
	key := strconv.FormatInt(c.Number, 10) + strconv.FormatBool(c.Void)
	if first := seen[key]; first > 0 {
		wrong(Number, fmt.Sprintf("This check is on line %d already.", first))
		return
	}
	seen[key] = c.Line
}

var voidWords = map[string]bool{
	"": false, "issue": false, "issued": false, "i": false, "d": false, "debit": false, "o": false, "outstanding": false, "r": false, "register": false,
	"void": true, "voided": true, "v": true, "cancel": true, "cancelled": true, "canceled": true, "c": true, "delete": true,
}

func readNumber(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n > 0 && n <= MaxNumber && strings.Trim(text, "0123456789") == ""
}

func (l Layout) cents(text string) (bank.Cents, bool) {
	if !l.Cents {
		if text == "" {
			return 0, true // check says whether it may be missing
		}
		c, err := bank.ParseMoney(text)
		return c, err == nil
	}
	n, err := strconv.ParseInt("0"+text, 10, 64) // empty is nothing: check says whether it may be missing
	return bank.Cents(n), err == nil && len(text) <= 12 && bank.Cents(n) <= bank.MaxAmount && strings.Trim(text, "0123456789") == ""
}

func amountSentence(cents bool) string {
	if cents {
		return "Write an amount in cents, in at most twelve digits and nothing else."
	}
	return "Write an amount like 1250.00."
}

func (l Layout) day(text string) (bank.Day, bool) {
	if strings.Trim(text, "0") == "" {
		return "", true // check says whether it may be missing
	}
	for _, form := range dateLayouts[l.Dates] {
		if t, err := time.Parse(form, text); err == nil {
			return bank.DayOf(t, time.UTC), true
		}
	}
	return "", false
}
