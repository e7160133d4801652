package nacha

import (
	"time"

	"mandate/internal/bank"
)

// trialRouting is a routing number for files that go nowhere.
const trialRouting = "231380104"

// Trial writes a batch into a file that goes nowhere, balanced, to learn what
// the library has against it. A batch that passes can be written on any day.
func Trial(b Batch, relaxed bool) error {
	at := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	o := Outgoing{Destination: trialRouting, DestinationName: "Trial", Origin: trialRouting, OriginName: "Trial", Created: at, Effective: at,
		Modifier: 'A', Batches: []Batch{b}, Relaxed: relaxed}
	if balance, needed := Balance(b, "Trial", trialRouting, "1", Checking); needed {
		o.Batches = append(o.Batches, balance)
	}
	_, err := Write(o)
	return err
}

// Balance is the batch that balances another on an account of the
// organization's own, and false where it balances itself.
func Balance(b Batch, name, routing, account string, kind Kind) (Batch, bool) {
	_, credits, debits := b.service()
	if credits == debits {
		return Batch{}, false
	}
	company := b.CompanyName
	if company == "" || b.SEC == "IAT" { // international headers name no company
		company = name
	}
	o := NewBatch(company, "", b.CompanyID, "CCD", "OFFSET")
	for _, side := range []struct {
		debit bool
		sum   bank.Cents
	}{{true, credits}, {false, debits}} {
		for side.sum > 0 {
			amount := min(side.sum, MaxEntryAmount)
			code, ok := CodeOf(kind, side.debit, false)
			if !ok {
				code, _ = CodeOf(Checking, side.debit, false)
			}
			o.Entries = append(o.Entries, NewEntry("CCD", code, routing, account, amount, "", name, "", ""))
			side.sum -= amount
		}
	}
	return o, true
}

// Sums are what a batch credits and debits.
func (b *Batch) Sums() (credits, debits bank.Cents) {
	_, credits, debits = b.service()
	return credits, debits
}

// Zeroed is the entry as a prenote: its code, and no amount.
func (e Entry) Zeroed(sec string) Entry {
	code, ok := CodeOf(e.Code.Kind(), e.Code.Debit(), true)
	if !ok || e.Code.Prenote() {
		code = e.Code
	}
	return e.With(sec, code, 0)
}
