package entitlement

import (
	"slices"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
)

// A Survey asks many questions about one policy, which stays as it is meanwhile.
// Everything that bears on an answer is often alike for many members and on many
// accounts: then the decision is asked once.
type Survey struct {
	policy   *Policy
	used     Source
	accounts []bank.AccountID // all, sorted
	kinds    map[kind]int
	rounds   map[Request]*round // by what is asked, of nobody and on no account
}

// A kind of member is all that is set for somebody above the accounts.
type kind struct {
	role     bank.Role
	status   bank.Status
	held     bool
	settings Settings
}

// NewSurvey begins a survey. used must answer the same whenever it is asked.
func NewSurvey(p *Policy, used Source) *Survey {
	return &Survey{policy: p, used: used, accounts: p.accountIDs(), kinds: map[kind]int{}, rounds: map[Request]*round{}}
}

// A round is one question of a survey, asked of everybody.
type round struct {
	known map[alike]answered
	last  alike // the answer before
	was   answered
	sides map[side]bool
}

// alike are the facts that bear on an answer.
type alike struct {
	kind        int
	here, there Settings // on the account, and on the one to move to
	off, offTo  catalog.EntitlementSet
	used        Used
	none        bool // no account is named
	same        bool // a transfer to itself
}

// A side is what bears on whether an account of a transfer blocks it.
type side struct {
	here Settings
	off  catalog.EntitlementSet
}

type answered struct {
	allowed bool
	extent  Extent
	rooms   []dayRoom
}

// mostKnown bounds what a round remembers, where everybody differs.
const mostKnown = 1 << 14

// spread asks one request of a member on many accounts.
type spread struct {
	*Survey
	*round
	member *Member
	kind   int
	ask    Request
	each   []Extent
	found  Ability
	yes    int
}

// spread begins to ask a member; false: there is nobody of that name.
func (s *Survey) spread(ask Request) (spread, bool) {
	member := s.policy.Members[ask.Member]
	if member == nil {
		return spread{}, false
	}
	is := kind{member.Role, member.Status, member.Held, member.Settings}
	number, known := s.kinds[is]
	if !known {
		number = len(s.kinds)
		s.kinds[is] = number
	}
	of := ask
	of.Member, of.Account, of.ToAccount, of.Used = "", "", "", Used{}
	r := s.rounds[of]
	if r == nil {
		r = &round{known: map[alike]answered{}, sides: map[side]bool{}, last: alike{kind: -1}}
		s.rounds[of] = r
	}
	return spread{Survey: s, round: r, member: member, kind: number, ask: ask, found: Ability{Operation: ask.Operation}}, true
}

// AbilityOf finds where a member may do something, and how far. The request's
// account, where it has one, is the only one asked about; a transfer without an
// account to move to may go to any. It returns false where there is nothing.
func AbilityOf(p *Policy, req Request, used Source) (Ability, bool) {
	return NewSurvey(p, used).Ability(req)
}

// Ability is AbilityOf.
func (s *Survey) Ability(req Request) (Ability, bool) {
	asked, there := s.spread(req)
	if !there {
		return Ability{Operation: req.Operation}, false
	}
	switch req.Operation.Info().Accounts {
	case catalog.AccountRequired:
		asked.over(asked.sources(), "")
	case catalog.AccountPair:
		asked.pairs()
	default:
		asked.one(req.Account, req.ToAccount)
	}
	return asked.result()
}

// sources are the accounts that are asked about.
func (s *spread) sources() []bank.AccountID {
	if s.ask.Account != "" {
		return []bank.AccountID{s.ask.Account}
	}
	return s.accounts
}

func (s *spread) over(from []bank.AccountID, to bank.AccountID) {
	for _, id := range from {
		s.one(id, to)
	}
}

// result counts where less is allowed than on the best account.
func (s *spread) result() (Ability, bool) {
	for i := range s.each {
		if s.each[i] != s.found.Best {
			s.found.Less++
		}
	}
	return s.found, s.yes > 0
}

// one asks about one account.
func (s *spread) one(account, to bank.AccountID) {
	a := s.on(account, to)
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

// on is the answer on an account. One of which there is none is asked about by
// itself.
func (s *spread) on(account, to bank.AccountID) *answered {
	s.ask.Account, s.ask.ToAccount = account, to
	s.ask.Used = s.used(s.ask)
	from, here := s.policy.Accounts[account]
	target, there := s.policy.Accounts[to]
	if !here && account != "" || !there && to != "" {
		a := s.fresh()
		return &a
	}
	key := alike{kind: s.kind, off: from.Off, offTo: target.Off, used: s.ask.Used, none: account == "", same: account == to}
	if here {
		key.here = s.member.Accounts[account]
	}
	if there {
		key.there = s.member.Accounts[to]
	}
	if key != s.last {
		s.was, s.last = s.remember(key), key
	}
	return &s.was
}

func (s *spread) remember(key alike) answered {
	known, ok := s.known[key]
	if !ok {
		if len(s.known) >= mostKnown {
			clear(s.known)
		}
		known = s.fresh()
		s.known[key] = known
	}
	return known
}

func (s *spread) fresh() answered {
	req := s.ask
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
	from := s.sources()
	if s.ask.ToAccount != "" {
		s.over(from, s.ask.ToAccount)
		return
	}
	if len(s.accounts) < 2 {
		return
	}
	var targets []bank.AccountID
	for i, id := range s.accounts {
		if s.takes(s.accounts[(i+1)%len(s.accounts)], id) {
			targets = append(targets, id)
		}
		if len(targets) == 2 { // one of two is never the account itself
			break
		}
	}
	for _, id := range from {
		if to := slices.IndexFunc(targets, func(target bank.AccountID) bool { return target != id }); to >= 0 {
			s.one(id, targets[to])
		}
	}
}

// takes reports whether nothing blocks on the account to move to.
func (s *spread) takes(from, to bank.AccountID) bool {
	key := side{s.member.Accounts[to], s.policy.Accounts[to].Off}
	blocksNot, known := s.sides[key]
	if !known {
		blocksNot = free(s.policy, s.ask, from, to, to)
		s.sides[key] = blocksNot
	}
	return blocksNot
}

// ExposureOf adds up what a member could move alone on the day of now.
func ExposureOf(p *Policy, member bank.UserID, now time.Time, used Source) Exposure {
	return NewSurvey(p, used).Exposure(member, now)
}

// Exposure is ExposureOf.
func (s *Survey) Exposure(member bank.UserID, now time.Time) Exposure {
	e := Exposure{Member: member}
	for _, op := range exposing {
		part, ok := s.part(single(Plainest(member, op, now)))
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

func (s *Survey) part(req Request) (Part, bool) {
	part := Part{Operation: req.Operation}
	asked, there := s.spread(req)
	if !there {
		return part, false
	}
	accounts := []bank.AccountID{""}
	if req.Operation.Info().Accounts == catalog.AccountRequired {
		accounts = s.accounts
	}
	var over, onAccounts bank.Cents // what the levels above the accounts leave, and the accounts together
	bounded := true                 // every account has a daily limit of its own
	for _, id := range accounts {
		a := asked.on(id, "")
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
