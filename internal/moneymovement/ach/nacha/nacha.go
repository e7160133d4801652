// Package nacha reads and writes NACHA files: fixed records of 94 characters in
// batches, with control totals. A stranger's file is refused early and cheaply
// where it cannot be one, and otherwise with every problem by line, record and
// field. What is judged here is the file alone: who may send it, and for how
// much, is not known here, and nothing is stored.
//
// The rules of the network are those of the moov-io/ach library, which reads
// every file that comes in and every file that goes out.
package nacha

import (
	"fmt"

	"mandate/internal/bank"
)

// Named limits.
const (
	MaxBytes    = 25 << 20 // of a file
	MaxRecords  = 260_000  // of a file, padding included
	MaxProblems = 100      // that are said; one more says that there are others

	recordLength = 94
	blocking     = 10
)

// A File is a file that was read and found valid.
type File struct {
	Destination, DestinationName string
	Origin, OriginName           string
	Batches                      []Batch
	Entries                      int // in all batches
	Credits, Debits              bank.Cents
	SHA256                       [32]byte // of the bytes as they came
}

// A Batch is a batch header with its entries. Record is the header as the file
// has it; the fields are read from it.
type Batch struct {
	Line        int
	Record      string
	Service     int
	CompanyName string
	CompanyData string // discretionary
	CompanyID   string
	SEC         string
	Description string
	Descriptive string // the descriptive date
	Effective   string // YYMMDD, or blank
	Entries     []Entry
	Credits     bank.Cents
	Debits      bank.Cents
}

// An Entry is an entry with its addenda, as records and as fields.
type Entry struct {
	Line    int
	Record  string
	Addenda []string // records
	Code    Code
	Routing string // nine digits
	Account string
	Amount  bank.Cents
	ID      string
	Name    string
	Data    string // discretionary
}

// A Problem is one thing that is wrong in a file, and where.
type Problem struct {
	Line     int    // from 1; 0: the file as a whole
	Record   string // the kind of record, such as "entry"; may be empty
	Field    string // in words; empty: the whole record
	Sentence string
}

func (p Problem) String() string {
	where := "the file"
	if p.Line > 0 {
		where = fmt.Sprintf("line %d", p.Line)
	}
	for _, part := range []string{p.Record, p.Field} {
		if part != "" {
			where += ", " + part
		}
	}
	return where + ": " + p.Sentence
}

// A Refusal is why a file is not taken.
type Refusal struct {
	Code     string // stable, for programs
	Problems []Problem
	More     bool // there are more problems than are said
}

// Codes of a refusal.
const (
	TooLarge   = "FILE_TOO_LARGE"
	NotNACHA   = "NOT_A_NACHA_FILE"
	HasProblem = "FILE_HAS_PROBLEMS"
)

func (r *Refusal) Error() string {
	if len(r.Problems) == 0 {
		return r.Code
	}
	return r.Problems[0].String()
}

// A Company is an originator that a file may name.
type Company struct {
	ID   string
	Name string
	SECs []string // that its batches may have; none: any
}

// Rules are what an institution asks of its customers' files beyond the rules
// of the network.
type Rules struct {
	// Relaxed lets a file name any company, origin and destination, carry trace
	// numbers of its own, and have lines whose blanks at the end were cut.
	Relaxed   bool
	Companies []Company
}
