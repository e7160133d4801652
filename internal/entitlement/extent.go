package entitlement

import (
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
)

// An Extent is how far somebody may go with an operation that names an amount:
// in one payment, and with all payments together on the day that they count on.
// All of it is zero where not even a cent is allowed.
type Extent struct {
	UpTo  bank.Cents // the greatest single amount
	Alone bank.Cents // of UpTo: without a second person
	Daily bool       // a daily limit bounds what can be moved all together
	Day   bank.Cents // what is left of that day, with a second person where one is needed
}

// DayAlone is what of Day needs no second person. A payment may be repeated, so
// whoever may send something alone may send all that the day leaves, piece by
// piece.
func (e Extent) DayAlone() bank.Cents {
	if e.Alone == 0 {
		return 0
	}
	return e.Day
}

// ExtentOf finds out how far a request reaches, whatever its amount, by asking
// Decide and nothing else. Alone means without anybody: whoever sends a batch
// alone was also the last to edit it.
func ExtentOf(p *Policy, req Request) Extent {
	e, _ := extentOf(p, req, p.allows, nil)
	return e
}

// extentOf is ExtentOf where somebody else says what Decide would, with what the
// daily limits leave. room is for the tests of a decision.
func extentOf(p *Policy, req Request, allows func(*Request) (allowed, approval bool), room []Check) (e Extent, rooms []dayRoom) {
	if len(req.Operation.Info().Limits) == 0 {
		return Extent{}, nil
	}
	if e.UpTo, e.Alone = largest(p, req, allows); e.UpTo == 0 {
		return Extent{}, nil
	}
	if of := single(req); of.Context != req.Context {
		_, e.Alone = largest(p, of, allows)
	}
	rooms = dayRooms(p, req, room)
	for _, left := range rooms {
		if !e.Daily || left.cents < e.Day {
			e.Daily, e.Day = true, left.cents
		}
	}
	return e, rooms
}

// single is a request as somebody makes it who does everything by themself.
func single(req Request) Request {
	if req.Operation.Info().LastEditor {
		req.Context = req.Context.With(catalog.LastEditor, true)
	}
	return req
}

// A dayRoom is what one daily limit leaves.
type dayRoom struct {
	level Level
	limit bank.Cents
	used  bank.Cents
	cents bank.Cents
}

// dayRooms are the daily limits that the request counts against, as the decision
// itself tested them.
func dayRooms(p *Policy, req Request, room []Check) (rooms []dayRoom) {
	if !req.Operation.Info().Counts {
		return nil
	}
	req.Amount = AmountOf(1)
	checks := room[:0]
	decide(p, req, &checks)
	for _, c := range checks {
		if c.Code == LimitDaily {
			rooms = append(rooms, dayRoom{c.Level, c.Limit, c.Used, max(0, c.Limit-c.Used)})
		}
	}
	return rooms
}

// A Source says what already counts on the day of a request that names nobody and
// no account: for whomever, on whichever account. It is nil where nothing does.
type Source func(Request) func(bank.UserID, bank.AccountID) Used

// An Ability is what a member may do in one way: on which accounts, and how far.
type Ability struct {
	Operation catalog.Operation
	Accounts  []bank.AccountID // of operations that name one; sorted. Of transfers: from which
	Best      Extent           // each number the greatest of any of the accounts
	Less      int              // on how many of the accounts less than Best is allowed
}

// Plainest is the request about an operation of which nothing more is known: it
// asks for the least that the operation can need.
func Plainest(member bank.UserID, op catalog.Operation, now time.Time) Request {
	return Request{Member: member, Operation: op, Now: now, Context: plainest(op)}
}

// An Exposure is what one person could move out of the organization on one day
// without anybody else: the sum of payments that the decision allows them one
// after the other, each without a second person, until it allows no more.
type Exposure struct {
	Member bank.UserID
	Parts  []Part     // of operations by which they could
	Total  bank.Cents // of the parts' days
	Open   bool       // a part has no daily limit: Total counts one payment of it, and it can be repeated
}

// A Part is what an Exposure has of one operation.
type Part struct {
	Operation catalog.Operation
	Accounts  int        // from how many, where the operation names one
	One       bank.Cents // the greatest single payment
	Day       bank.Cents // all payments together; of one without a daily limit: one payment
	Open      bool       // there is no daily limit
	Used      bank.Cents // what they moved on this day already
	Bound     Level      // whose daily limit leaves the least
}

// exposing are the operations by which money leaves an organization. Transfers
// move it between the organization's own accounts.
var exposing = func() (ops []catalog.Operation) {
	for _, op := range catalog.Operations() {
		if info := op.Info(); info.Counts && info.Accounts != catalog.AccountPair {
			ops = append(ops, op)
		}
	}
	return ops
}()
