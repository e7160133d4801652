package fineract

import (
	"mandate/internal/bank"
	"mandate/internal/host"
)

// A kind is a command of Fineract's.
type kind uint8

const (
	transfer   kind = iota + 1 // from one savings account to another
	withdrawal                 // from a savings account, by a payment type
	deposit                    // to a savings account, by a payment type
	hold                       // an amount of a savings account
	release                    // of such an amount
)

// A step is what an order comes down to: one command, for only that is done
// wholly or not at all.
type step struct {
	kind    kind
	account bank.AccountID // the customer's; none of a release
	other   bank.AccountID // where a transfer goes
	cents   bank.Cents
	payment int64 // the payment type
}

// step finds the one command that does all of an order. There is none for most
// orders that have several parts.
func (h *House) step(o *host.Order) (step, bool) {
	if o.Stop != nil || o.Lift != "" || o.File != nil || o.Enrol != nil || o.Issued != nil || o.Ruling != nil || o.Card != nil || o.User != nil {
		return step{}, false
	}
	switch {
	case len(o.Legs) == 2 && o.Hold == nil && o.Free == "":
		return h.move(o.Legs)
	case len(o.Legs) == 0 && o.Hold != nil && o.Free == "":
		return step{kind: hold, account: o.Hold.Account, cents: o.Hold.Cents}, !host.IsInternal(o.Hold.Account)
	case len(o.Legs) == 0 && o.Hold == nil && o.Free != "":
		return step{kind: release}, true
	}
	return step{}, false
}

// move is the command for two legs that add up to nothing.
func (h *House) move(legs []host.Leg) (step, bool) {
	from, to := legs[0], legs[1]
	if from.Cents > 0 {
		from, to = to, from
	}
	s := step{account: from.Account, other: to.Account, cents: to.Cents}
	switch {
	case from.Account == to.Account:
		return step{}, false
	case host.IsInternal(to.Account):
		s.kind, s.other, s.payment = withdrawal, "", h.paymentType(to.Account)
		return s, s.payment > 0 && !host.IsInternal(from.Account)
	case host.IsInternal(from.Account):
		s.kind, s.account, s.other, s.payment = deposit, to.Account, "", h.paymentType(from.Account)
		return s, s.payment > 0
	}
	s.kind = transfer
	return s, true
}

// paymentType stands for one of the institution's own accounts; zero where none
// is set.
func (h *House) paymentType(account bank.AccountID) int64 {
	for name, id := range h.PaymentTypes {
		if host.Internal(name) == account {
			return id
		}
	}
	return 0
}
