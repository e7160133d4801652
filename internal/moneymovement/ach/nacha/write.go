package nacha

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/moov-io/ach"

	"mandate/internal/bank"
)

// An Outgoing is a file to be written. Each batch keeps its header and entries
// as they are; what belongs to the file is written anew: dates, numbers, traces
// and controls.
type Outgoing struct {
	Destination, DestinationName string // routing number of the operator or the receiving point
	Origin, OriginName           string // routing number of the institution
	Created                      time.Time
	Modifier                     byte // A to Z, 0 to 9: the file of the day
	Effective                    time.Time
	SameDay                      bool
	Batches                      []Batch
	Relaxed                      bool // the batches came in by relaxed rules
}

// A Written is a file that was written and read again.
type Written struct {
	Bytes           []byte
	SHA256          [32]byte
	Entries         int
	Credits, Debits bank.Cents
}

// ErrUnbalanced says that a file's debits and credits differ.
var ErrUnbalanced = errors.New("nacha: debits and credits differ")

// Write writes a file and reads it with the library. A file that the library
// refuses, or that is not balanced, is not given out.
func Write(o Outgoing) (Written, error) {
	if len(o.Origin) != 9 || len(o.Destination) != 9 {
		return Written{}, fmt.Errorf("write a file from %q to %q: a routing number has nine digits", o.Origin, o.Destination)
	}
	w := &writing{out: &o}
	w.line(w.fileHeader())
	for i := range o.Batches {
		w.batch(i+1, &o.Batches[i])
	}
	w.fileControl()
	for w.lines%blocking != 0 {
		w.line(strings.Repeat("9", recordLength))
	}
	result := Written{Bytes: w.buf.Bytes(), SHA256: sha256.Sum256(w.buf.Bytes()), Entries: w.entries, Credits: w.credits, Debits: w.debits}
	if w.err != nil {
		return Written{}, w.err
	}
	if w.credits != w.debits {
		return Written{}, ErrUnbalanced
	}
	return result, readAgain(&result, o.Relaxed)
}

// readAgain proves that the library reads what was written.
func readAgain(w *Written, relaxed bool) error {
	opts := options(Rules{Relaxed: relaxed})
	reader := ach.NewReader(bytes.NewReader(w.Bytes))
	reader.SetValidation(opts)
	file, err := reader.Read()
	if err == nil {
		err = file.ValidateWith(opts)
	}
	if err != nil {
		return fmt.Errorf("read what was written: %w", err)
	}
	if file.Control.TotalCreditEntryDollarAmountInFile != int(w.Credits) || file.Control.TotalDebitEntryDollarAmountInFile != int(w.Debits) {
		return errors.New("read what was written: other totals")
	}
	return nil
}

// writing is a file under way.
type writing struct {
	out     *Outgoing
	buf     bytes.Buffer
	lines   int
	entries int
	count   int
	hash    int64
	traces  int
	credits bank.Cents
	debits  bank.Cents
	err     error
}

func (w *writing) line(record string) {
	if len(record) != recordLength && w.err == nil {
		w.err = fmt.Errorf("write a record of %d characters: %q", len(record), record)
	}
	w.buf.WriteString(record)
	w.buf.WriteByte('\n')
	w.lines++
}

func (w *writing) fileHeader() string {
	o := w.out
	return fmt.Sprintf("101 %s %s%s%c094101%s%s%s", o.Destination, o.Origin, o.Created.Format("0601021504"), o.Modifier,
		left(o.DestinationName, 23), left(o.OriginName, 23), left("", 8))
}

func (w *writing) batch(number int, b *Batch) {
	odfi := w.out.Origin[:8]
	service, credits, debits := b.service()
	header := put(b.Record, headerService, fmt.Sprint(service))
	if w.out.SameDay {
		header = put(header, headerDescriptive, "SD"+w.out.Created.Format("1504"))
	}
	header = put(header, headerEffective, w.out.Effective.Format("060102"))
	header = put(header, headerSettlement, "   ")
	header = put(header, originating, odfi)
	w.line(put(header, batchNumber, fmt.Sprintf("%07d", number)))
	count, hash := 0, int64(0)
	for _, e := range b.Entries {
		w.traces++
		trace := fmt.Sprintf("%s%07d", odfi, w.traces)
		w.line(put(e.Record, entryTrace, trace))
		for i, a := range e.Addenda {
			w.line(traced(a, i+1, trace))
		}
		count += 1 + len(e.Addenda)
		hash += number64(e.Record)
	}
	w.line(fmt.Sprintf("8%d%06d%010d%012d%012d%s%s%s%07d", service, count, hash%1e10, int64(debits), int64(credits),
		headerCompanyID.of(header), left("", 25), odfi, number))
	w.entries, w.count, w.hash = w.entries+len(b.Entries), w.count+count, w.hash+hash
	w.credits, w.debits = w.credits+credits, w.debits+debits
	if credits > maxTotal || debits > maxTotal || count > 999_999 {
		w.err = fmt.Errorf("batch %d is too large for its control record", number)
	}
}

// maxTotal is what a control record can hold: twelve digits.
const maxTotal = 999_999_999_999

func number64(entry string) int64 { return number(entryRouting.of(entry)[:8]) }

func (w *writing) fileControl() {
	blocks := (w.lines + 1 + blocking - 1) / blocking
	w.line(fmt.Sprintf("9%06d%06d%08d%010d%012d%012d%s", len(w.out.Batches), blocks, w.count, w.hash%1e10, int64(w.debits), int64(w.credits), left("", 39)))
	if w.credits > maxTotal || w.debits > maxTotal {
		w.err = errors.New("the file is too large for its control record")
	}
}

// service is the service class that fits the entries, and their sums.
func (b *Batch) service() (class int, credits, debits bank.Cents) {
	hasCredit, hasDebit := false, false
	for _, e := range b.Entries {
		if e.Code.Debit() {
			hasDebit = true
			debits += e.Amount
		} else {
			hasCredit = true
			credits += e.Amount
		}
	}
	switch {
	case hasCredit && hasDebit:
		class = 200
	case hasDebit:
		class = 225
	default:
		class = 220
	}
	return class, credits, debits
}

// traced gives an addenda the number of its entry.
func traced(record string, place int, trace string) string {
	switch addendaType.of(record) {
	case "02":
		return put(record, entryTrace, trace)
	case "05", "17", "18":
		record = put(record, addendaPlace, fmt.Sprintf("%04d", place))
	}
	return put(record, addendaEntry, trace[8:])
}

// put replaces a field of a record, cut or filled up to its length.
func put(record string, f span, value string) string {
	if len(record) != recordLength {
		return record
	}
	return record[:f.from] + left(value, f.to-f.from) + record[f.to:]
}

// left is text at the beginning of a field of n characters.
func left(text string, n int) string {
	if len(text) > n {
		return text[:n]
	}
	return text + strings.Repeat(" ", n-len(text))
}
