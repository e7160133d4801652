// Package message writes a wire as banks send it to each other: as a FAIM
// message, the Fedwire format of old, and as an ISO 20022 pacs.008. What is
// written is read again, and must say what was meant, before anybody sees it.
// It knows no rights, no state and no database.
package message

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"mandate/internal/bank"
)

// Named limits, in characters: the least that both formats can carry.
const (
	MaxName      = 35
	MaxAccount   = 34
	MaxStreet    = 35
	MaxTown      = 20
	MaxState     = 2
	MaxPostCode  = 10
	MaxRemarks   = 140
	MaxBankName  = 35
	MaxReference = 16
	MaxNumber    = 999_999 // of the messages of one day
)

// A Format is how a host wants its messages.
type Format string

const (
	Pacs008 Format = "pacs.008"
	FAIM    Format = "faim"
)

// Known reports whether there is such a format.
func (f Format) Known() bool { return f == Pacs008 || f == FAIM }

// An Agent is a bank on the way.
type Agent struct {
	Routing string // nine digits
	Name    string
}

// A Party is whoever pays or is paid.
type Party struct {
	Name     string
	Account  string
	Street   string
	Town     string
	State    string
	PostCode string
}

// A Payment is all that a message says.
type Payment struct {
	Reference   string // ours, at most MaxReference characters
	Identity    string // what the unique end-to-end reference is made of
	Source      string // eight characters that name the sending station
	Number      int    // of the message among those of the day
	Day         bank.Day
	Created     time.Time
	Cents       bank.Cents
	Sender      Agent
	Via         Agent // between the sender and the beneficiary's bank; the zero one is none
	Bank        Agent // of the beneficiary
	Originator  Party
	Beneficiary Party
	Remarks     string
}

// receiver is the bank to which the sender sends.
func (p *Payment) receiver() Agent {
	if p.Via.Routing != "" {
		return p.Via
	}
	return p.Bank
}

// imad is the message's number in the network: day, station, number.
func (p *Payment) imad() string {
	return strings.ReplaceAll(string(p.Day), "-", "") + p.Source + fmt.Sprintf("%06d", p.Number)
}

var sourceSyntax = regexp.MustCompile(`^[A-Z0-9]{8}$`)

// check refuses a payment that no message can carry. A room has said so to
// people long before; this is for its mistakes.
func (p *Payment) check() error {
	switch {
	case !bank.IsRouting(p.Sender.Routing) || !bank.IsRouting(p.Bank.Routing) || p.Via.Routing != "" && !bank.IsRouting(p.Via.Routing):
		return errors.New("message: a bank has no routing number")
	case !sourceSyntax.MatchString(p.Source):
		return fmt.Errorf("message: %q names no sending station", p.Source)
	case p.Number < 1 || p.Number > MaxNumber:
		return fmt.Errorf("message: %d is no number of a message", p.Number)
	case p.Cents <= 0 || p.Cents > bank.MaxAmount:
		return fmt.Errorf("message: %s cannot be sent", p.Cents)
	case p.Reference == "" || len(p.Reference) > MaxReference:
		return fmt.Errorf("message: %q is no reference", p.Reference)
	}
	for _, text := range []string{p.Originator.Name, p.Originator.Account, p.Beneficiary.Name, p.Beneficiary.Account, p.Bank.Name, p.Sender.Name} {
		if text == "" || !Carries(text) {
			return fmt.Errorf("message: %q cannot be carried", text)
		}
	}
	if !Carries(p.Remarks) {
		return fmt.Errorf("message: %q cannot be carried", p.Remarks)
	}
	return nil
}

// signs are what a message can carry besides letters and digits.
const signs = " .?!,;:_@&/\\'\"`~()<>$#%+-="

// Carries reports whether a message can carry a text as it is: plain letters,
// digits and common signs, without blanks at either end or doubled.
func Carries(text string) bool {
	for i := range len(text) {
		c := text[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(signs, c) >= 0) {
			return false
		}
	}
	return text == strings.Join(strings.Fields(text), " ")
}

// Plain writes a name so that a message can carry it: without accents, what
// cannot be carried left out, and not longer than most.
func Plain(text string, most int) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(letters.Replace(text)) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case r < unicode.MaxASCII && Carries(string(r)):
			b.WriteRune(r)
		default:
			b.WriteByte(' ')
		}
	}
	plain := strings.Join(strings.Fields(b.String()), " ")
	return strings.TrimSpace(plain[:min(len(plain), most)])
}

// letters are those that no rule takes apart.
var letters = strings.NewReplacer("ø", "o", "Ø", "O", "ß", "ss", "æ", "ae", "Æ", "AE", "œ", "oe", "Œ", "OE", "ł", "l", "Ł", "L", "đ", "d", "Đ", "D", "ð", "d", "þ", "th", "ı", "i", "’", "'", "–", "-")

// Write writes a payment in a format.
func Write(p *Payment, format Format) ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	switch format {
	case FAIM:
		return writeFAIM(p)
	case Pacs008:
		return writePacs008(p)
	}
	return nil, fmt.Errorf("message: there is no format %q", format)
}
