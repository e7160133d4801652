// Package recipients reads lists of recipients from a customer's own files:
// fixed positions, comma-separated or tab-delimited, by a layout that is set up
// once for each format. It answers with a preview and every problem by line. A
// list holds transactions alone: header and control lines are refused, by line.
// Nothing is stored here and nobody's rights are known.
package recipients

import (
	"slices"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/fault"
	"mandate/internal/moneymovement/ach/nacha"
	"mandate/internal/moneymovement/layout"
)

// Named limits.
const (
	MaxBytes    = 25 << 20 // of a file
	MaxRows     = 20_000   // of a file
	MaxProblems = 100      // that are said
)

// A Format is how a file separates what it holds, and a Place where a field
// stands in it.
type (
	Format = layout.Format
	Place  = layout.Place
)

const (
	Fixed = layout.Fixed
	CSV   = layout.CSV
	Tab   = layout.Tab
)

// Formats are all formats in the order of screens.
func Formats() []Format { return layout.Formats() }

// A Field is something that a recipient has.
type Field string

const (
	Name      Field = "name"
	Amount    Field = "amount"
	Direction Field = "debit_credit"
	Account   Field = "account"
	Routing   Field = "routing"
	Kind      Field = "account_type"
	ID        Field = "id"
	Addenda   Field = "addenda"
	Prenote   Field = "prenote"
	Hold      Field = "hold"
)

var fieldLabels = map[Field]string{
	Name: "Name", Amount: "Amount", Direction: "Debit or credit", Account: "Account number", Routing: "Routing number",
	Kind: "Account type", ID: "ID number", Addenda: "Addenda", Prenote: "Prenote", Hold: "Hold",
}

// Fields are all fields in the order of screens.
func Fields() []Field {
	return []Field{Name, Amount, Direction, Account, Routing, Kind, ID, Addenda, Prenote, Hold}
}

// Label is the field as screens show it.
func (f Field) Label() string { return fieldLabels[f] }

// Required reports whether every layout must say where the field is.
func (f Field) Required() bool { return f == Name || f == Amount || f == Account || f == Routing }

// A Layout says how to read a format. What it does not place is as it says:
// a credit, to a checking account, unless it says otherwise.
type Layout struct {
	Format Format          `json:"format"`
	Places map[Field]Place `json:"places"`
	Cents  bool            `json:"cents,omitempty"`  // amounts have no point and end in two digits of cents
	Debits bool            `json:"debits,omitempty"` // where no column says it
	Kind   nacha.Kind      `json:"kind,omitempty"`   // where no column says it; empty: checking
}

// Check says everything that is wrong with a layout.
func (l Layout) Check() error {
	var problems fault.Problems
	if l.Format.Label() == "" {
		problems.Add("format", "Choose fixed position, CSV or tab-delimited.")
	}
	if l.Kind != "" && !slices.Contains(nacha.Kinds(), l.Kind) {
		problems.Add("kind", "There is no such type of account.")
	}
	for _, f := range Fields() {
		place, placed := l.Places[f]
		switch {
		case !placed && f.Required():
			problems.Addf(string(f), "Say where the %s is.", strings.ToLower(f.Label()))
		case placed && place.Problem(l.Format) != "":
			problems.Add(string(f), place.Problem(l.Format))
		}
	}
	for f := range l.Places {
		if fieldLabels[f] == "" {
			problems.Addf(string(f), "There is no field %q.", f)
		}
	}
	l.overlaps(&problems)
	return problems.Err("The layout cannot be used.")
}

// overlaps finds fields that share a place.
func (l Layout) overlaps(problems *fault.Problems) {
	all := Fields()
	for i, f := range all {
		for _, g := range all[:i] {
			a, aPlaced := l.Places[f]
			b, bPlaced := l.Places[g]
			if aPlaced && bPlaced && a.Touches(b) {
				problems.Addf(string(f), "The %s is there already.", strings.ToLower(g.Label()))
			}
		}
	}
}

// A Recipient is one transaction of a list.
type Recipient struct {
	Line    int
	Name    string
	Amount  bank.Cents
	Debit   bool
	Account string
	Routing string
	Kind    nacha.Kind
	ID      string
	Addenda string
	Prenote bool
	Held    bool
}

// A Problem is one thing that is wrong, and where.
type Problem struct {
	Line     int
	Field    Field // empty: the whole line
	Sentence string
}

// A Preview is what a file holds: nothing of it counts while it has problems.
type Preview struct {
	Recipients []Recipient
	Problems   []Problem
	More       bool // there are more problems than are said
	Credits    bank.Cents
	Debits     bank.Cents
}

func (p *Preview) problem(line int, f Field, sentence string) {
	if len(p.Problems) >= MaxProblems {
		p.More = true
		return
	}
	p.Problems = append(p.Problems, Problem{Line: line, Field: f, Sentence: sentence})
}
