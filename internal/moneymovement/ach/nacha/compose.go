package nacha

import (
	"fmt"
	"strings"

	"mandate/internal/bank"
)

// Simple are the standard entry classes whose entries can be written from
// fields; those of the others are kept as the records that came in.
func Simple() []string { return []string{"PPD", "CCD", "WEB", "TEL"} }

// IsSimple reports whether a standard entry class is a simple one.
func IsSimple(sec string) bool { return contains(Simple(), sec) }

// Bounds of the fields of a simple batch, in characters.
const (
	MaxCompanyName = 16
	MaxCompanyID   = 10
	MaxCompanyData = 20
	MaxDescription = 10
	MaxName        = 22
	MaxAccount     = 17
	MaxID          = 15
	MaxAddenda     = 80

	// MaxEntryAmount is the largest amount of one entry: ten digits.
	MaxEntryAmount bank.Cents = 99_999_999_99
)

// Plain reports whether a text can stand in a file: letters, digits and signs
// of ASCII.
func Plain(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// NewBatch writes the header of a batch.
func NewBatch(companyName, companyData, companyID, sec, description string) Batch {
	record := "5220" + left(companyName, 16) + left(companyData, 20) + left(companyID, 10) + left(sec, 3) + left(description, 10) +
		left("", 6) + "000000" + "   1" + "00000000" + "0000000"
	return BatchOf(record)
}

// NewEntry writes an entry of a simple class; an empty addenda is none.
func NewEntry(sec string, code Code, routing, account string, amount bank.Cents, id, name, data, addenda string) Entry {
	var all []string
	indicator := "0"
	if addenda != "" {
		indicator = "1"
		all = []string{"705" + left(addenda, MaxAddenda) + "00010000000"}
	}
	record := fmt.Sprintf("6%02d%s%s%010d%s%s%s%s%s", int(code), left(routing, 9), left(account, MaxAccount), int64(amount), left(id, MaxID),
		left(name, MaxName), left(data, 2), indicator, strings.Repeat("0", 15))
	return EntryOf(sec, record, all)
}

// With returns the entry with another code and amount; everything else stays as
// it came.
func (e Entry) With(sec string, code Code, amount bank.Cents) Entry {
	record := put(e.Record, entryCode, fmt.Sprintf("%02d", int(code)))
	changed := EntryOf(sec, put(record, entryAmount, fmt.Sprintf("%010d", int64(amount))), e.Addenda)
	changed.Line = e.Line
	return changed
}

// Addendum is the text of an entry's only addenda of type 05, and false where
// the entry has more, or another one.
func (e Entry) Addendum() (string, bool) {
	switch {
	case len(e.Addenda) == 0:
		return "", true
	case len(e.Addenda) > 1 || addendaType.of(e.Addenda[0]) != "05":
		return "", false
	}
	return trim(addendaText.of(e.Addenda[0])), true
}
