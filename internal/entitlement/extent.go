package entitlement

import (
	"slices"
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
func ExtentOf(p *Policy, req Request) (e Extent) {
	if len(req.Operation.Info().Limits) == 0 {
		return Extent{}
	}
	if e.UpTo, e.Alone = Largest(p, req); e.UpTo == 0 {
		return Extent{}
	}
	if req.Operation.Info().LastEditor {
		_, e.Alone = Largest(p, single(req))
	}
	for _, left := range dayRooms(p, req) {
		if !e.Daily || left.cents < e.Day {
			e.Daily, e.Day = true, left.cents
		}
	}
	return e
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
func dayRooms(p *Policy, req Request) (rooms []dayRoom) {
	if !req.Operation.Info().Counts {
		return nil
	}
	req.Amount = AmountOf(1)
	var checks []Check
	decide(p, req, &checks)
	for _, c := range checks {
		if c.Code == LimitDaily {
			rooms = append(rooms, dayRoom{c.Level, c.Limit, c.Used, max(0, c.Limit-c.Used)})
		}
	}
	return rooms
}

// A Source says what already counts on the day of a request.
type Source func(Request) Used

// An Ability is what a member may do in one way: on which accounts, and how far.
type Ability struct {
	Operation catalog.Operation
	Accounts  []bank.AccountID // of operations that name one; sorted. Of transfers: from which
	Best      Extent           // each number the greatest of any of the accounts
	Less      int              // on how many of the accounts less than Best is allowed
}

// AbilityOf finds where a member may do something, and how far. The request's
// account, where it has one, is the only one asked about; a transfer without an
// account to move to may go to any. It returns false where there is nothing.
func AbilityOf(p *Policy, req Request, used Source) (Ability, bool) {
	s := spread{policy: p, ask: req, used: used, known: map[alike]answered{}}
	s.found.Operation = req.Operation
	switch req.Operation.Info().Accounts {
	case catalog.AccountRequired:
		s.over(s.accounts(), "")
	case catalog.AccountPair:
		s.pairs()
	default:
		s.one(req.Account, req.ToAccount)
	}
	return s.result()
}

// spread asks one request on many accounts.
type spread struct {
	policy *Policy
	ask    Request
	used   Source
	known  map[alike]answered
	each   []Extent
	found  Ability
	yes    int
}

// alike are accounts on which the answer is the same: every fact that bears on
// it is equal. The account to move to is either the one asked about, or any on
// which nothing blocks.
type alike struct {
	here Settings
	off  catalog.EntitlementSet
	used Used
	same bool // a transfer to itself
}

type answered struct {
	allowed bool
	extent  Extent
	rooms   []dayRoom
}

// accounts are those that are asked about.
func (s *spread) accounts() []bank.AccountID {
	if s.ask.Account != "" {
		return []bank.AccountID{s.ask.Account}
	}
	return s.policy.accountIDs()
}

func (s *spread) over(from []bank.AccountID, to bank.AccountID) {
	for _, id := range from {
		s.one(id, to)
	}
}

// result counts where less is allowed than on the best account.
func (s *spread) result() (Ability, bool) {
	for _, e := range s.each {
		if e != s.found.Best {
			s.found.Less++
		}
	}
	return s.found, s.yes > 0
}

// one asks about one account, unless one that is alike was asked about.
func (s *spread) one(account, to bank.AccountID) {
	req := s.ask
	req.Account, req.ToAccount = account, to
	req.Used = s.used(req)
	a := s.answer(req)
	if !a.allowed {
		return
	}
	s.yes++
	if account != "" {
		s.found.Accounts = append(s.found.Accounts, account)
	}
	s.each = append(s.each, a.extent)
	best := &s.found.Best
	best.UpTo, best.Alone, best.Day = max(best.UpTo, a.extent.UpTo), max(best.Alone, a.extent.Alone), max(best.Day, a.extent.Day)
	best.Daily = best.Daily || a.extent.Daily
}

func (s *spread) answer(req Request) answered {
	account, here := s.policy.Accounts[req.Account]
	member := s.policy.Members[req.Member]
	if !here || member == nil {
		return s.fresh(req)
	}
	key := alike{member.Accounts[req.Account], account.Off, req.Used, req.Account == req.ToAccount}
	known, ok := s.known[key]
	if !ok {
		known = s.fresh(req)
		s.known[key] = known
	}
	return known
}

func (s *spread) fresh(req Request) answered {
	if len(req.Operation.Info().Limits) == 0 {
		return answered{allowed: Decide(s.policy, req).Allowed}
	}
	if !req.Amount.Given() {
		req.Amount = AmountOf(1)
	}
	if !Decide(s.policy, req).Allowed {
		return answered{}
	}
	return answered{true, ExtentOf(s.policy, req), dayRooms(s.policy, req)}
}

// pairs asks about transfers. What blocks on one account does not depend on the
// other, so each account is asked about once per side.
func (s *spread) pairs() {
	if s.ask.ToAccount != "" {
		s.over(s.accounts(), s.ask.ToAccount)
		return
	}
	ids := s.policy.accountIDs()
	if len(ids) < 2 {
		return
	}
	var targets []bank.AccountID
	for i, id := range ids {
		if free(s.policy, s.ask, ids[(i+1)%len(ids)], id, id) {
			targets = append(targets, id)
		}
		if len(targets) == 2 { // one of two is never the account itself
			break
		}
	}
	for _, from := range s.accounts() {
		if to := slices.IndexFunc(targets, func(id bank.AccountID) bool { return id != from }); to >= 0 {
			s.one(from, targets[to])
		}
	}
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

// ExposureOf adds up what a member could move alone on the day of now.
func ExposureOf(p *Policy, member bank.UserID, now time.Time, used Source) Exposure {
	e := Exposure{Member: member}
	for _, op := range exposing {
		part, ok := partOf(p, single(Plainest(member, op, now)), used)
		if !ok {
			continue
		}
		e.Parts = append(e.Parts, part)
		e.Open = e.Open || part.Open
		if sum, fits := e.Total.Add(part.Day); fits {
			e.Total = sum
		}
	}
	return e
}

func partOf(p *Policy, req Request, used Source) (Part, bool) {
	s := spread{policy: p, ask: req, used: used, known: map[alike]answered{}}
	part := Part{Operation: req.Operation}
	accounts := []bank.AccountID{""}
	if req.Operation.Info().Accounts == catalog.AccountRequired {
		accounts = p.accountIDs()
	}
	var over, onAccounts bank.Cents // what the levels above the accounts leave, and the accounts together
	bounded := true                 // every account has a daily limit of its own
	for _, id := range accounts {
		req.Account = id
		req.Used = used(req)
		a := s.answer(req)
		if !a.allowed || a.extent.Alone == 0 {
			continue
		}
		first := part.Accounts == 0 && part.One == 0
		part.One = max(part.One, a.extent.Alone)
		if id != "" {
			part.Accounts++
		}
		here, ofAccount := false, bank.Cents(0)
		for _, room := range a.rooms {
			switch {
			case room.level == LevelUserAccount:
				here, ofAccount = true, room.cents
			case first && (part.Bound == LevelRequest || room.cents < over):
				over, part.Bound = room.cents, room.level
			}
			if room.level == LevelUser {
				part.Used = room.used
			}
		}
		bounded = bounded && here
		if sum, fits := onAccounts.Add(ofAccount); fits {
			onAccounts = sum
		}
	}
	if part.One == 0 {
		return Part{}, false
	}
	switch {
	case part.Bound == LevelRequest:
		part.Open, part.Day = true, part.One
	case bounded && onAccounts < over:
		part.Day, part.Bound = onAccounts, LevelUserAccount
	default:
		part.Day = over
	}
	return part, true
}
