package entitlement

import (
	"slices"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
)

// A Survey asks many questions about everybody of one organization, which stays as
// it is meanwhile. Everything that bears on an answer is often alike for many
// members and on many accounts: then the decision is asked once.
type Survey struct {
	levels   Policy // all but the members
	crowd    Crowd
	used     Source
	accounts []Account // all, sorted
	places   map[bank.AccountID]int
	rounds   map[Request]*round // by what is asked, of nobody and on no account
	asked    Request            // the last of them
	last     *round
	room     []Check // for the tests of a decision
}

// NewSurvey begins a survey of the members of a policy. used must answer the same
// whenever it is asked.
func NewSurvey(p *Policy, used Source) *Survey {
	return SurveyOf(p.Institution, p.Organization, crowdOf(p), used)
}

// SurveyOf begins a survey of a crowd under the levels above it.
func SurveyOf(institution Institution, organization Organization, crowd Crowd, used Source) *Survey {
	s := &Survey{crowd: crowd, used: used, room: make([]Check, 0, manyChecks), accounts: crowd.Accounts(), rounds: map[Request]*round{}}
	s.levels = Policy{Institution: institution, Organization: organization, Accounts: make(map[bank.AccountID]Account, len(s.accounts))}
	s.places = make(map[bank.AccountID]int, len(s.accounts))
	for i, a := range s.accounts {
		s.levels.Accounts[a.ID], s.places[a.ID] = a, i
	}
	return s
}

// manyChecks is more tests than a decision makes.
const manyChecks = 64

// Crowd is whom the survey asks about.
func (s *Survey) Crowd() Crowd { return s.crowd }

// A round is one question of a survey, asked of everybody.
type round struct {
	counted func(bank.UserID, bank.AccountID) Used // nil: nothing counts
	known   map[alike]*answered
	recent  [recents]recent // some of them, found without a search
	sides   map[side]bool
}

// A recent is an answer that was given a short while ago.
type recent struct {
	key alike
	was *answered
}

// recents is how many there are: enough for what is set on one member's accounts.
const recents = 1 << 6

// alike are the facts that bear on an answer: what is set for the member, on the
// account and on the one to move to, as the crowd numbers it.
type alike struct {
	kind, here, there int32 // nowhere: no account is named
	off, offTo        catalog.EntitlementSet
	same              bool // a transfer to itself
	used              Used
}

// A side is what bears on whether an account of a transfer blocks it.
type side struct {
	here int32
	off  catalog.EntitlementSet
}

type answered struct {
	allowed bool
	extent  Extent
	rooms   []dayRoom
}

// mostKnown bounds what a round remembers, where everybody differs.
const mostKnown = 1 << 14

// Places of accounts that are none of the organization's.
const (
	nowhere = -1 - iota // none is named
	strange             // there is none of that name
)

// spread asks one request of a member on many accounts.
type spread struct {
	*Survey
	*round
	n     int // the member
	kind  int32
	ask   Request
	to    int   // where money would go
	there int32 // what is set for the member there
	brief bool  // nobody asks on which accounts
	each  []Extent
	found Ability
	yes   int
}

// round is what is known of a request, of whomever and on whichever account.
func (s *Survey) round(of Request) *round {
	of.Member, of.Account, of.ToAccount, of.Used = "", "", "", Used{}
	if s.last != nil && of == s.asked {
		return s.last
	}
	r := s.rounds[of]
	if r == nil {
		r = &round{known: map[alike]*answered{}, sides: map[side]bool{}, counted: s.used(of)}
		s.rounds[of] = r
	}
	s.asked, s.last = of, r
	return r
}

// spread begins to ask the nth member.
func (s *Survey) spread(n int, ask Request) spread {
	return spread{Survey: s, round: s.round(ask), n: n, kind: s.crowd.Kind(n), ask: ask, to: nowhere, there: nowhere, found: Ability{Operation: ask.Operation}}
}

// AbilityOf finds where a member may do something, and how far. The request's
// account, where it has one, is the only one asked about; a transfer without an
// account to move to may go to any. It returns false where there is nothing.
func AbilityOf(p *Policy, req Request, used Source) (Ability, bool) {
	return NewSurvey(p, used).Ability(req)
}

// Ability is AbilityOf.
func (s *Survey) Ability(req Request) (Ability, bool) {
	n := s.crowd.Place(req.Member)
	if n < 0 {
		return Ability{Operation: req.Operation}, false
	}
	asked := s.spread(n, req)
	asked.everywhere()
	return asked.result()
}

// Best is what the Ability of the nth member says of the best accounts.
func (s *Survey) Best(n int, req Request) (Extent, bool) {
	asked := s.spread(n, req)
	asked.brief = true
	asked.everywhere()
	return asked.found.Best, asked.yes > 0
}

func (s *spread) everywhere() {
	switch s.ask.Operation.Info().Accounts {
	case catalog.AccountRequired:
		s.over(nowhere)
	case catalog.AccountPair:
		s.pairs()
	default:
		s.one(s.place(s.ask.Account), s.place(s.ask.ToAccount))
	}
}

// place is where an account stands among all.
func (s *Survey) place(id bank.AccountID) int {
	if id == "" {
		return nowhere
	}
	if at, known := s.places[id]; known {
		return at
	}
	return strange
}

// over asks about the account that is asked about, or all, each with one to move
// to.
func (s *spread) over(to int) {
	if s.ask.Account != "" {
		s.one(s.place(s.ask.Account), to)
		return
	}
	for from := range s.accounts {
		s.one(from, to)
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
func (s *spread) one(account, to int) {
	a := s.on(account, to)
	if !a.allowed {
		return
	}
	s.yes++
	best := &s.found.Best
	best.UpTo, best.Alone, best.Day = max(best.UpTo, a.extent.UpTo), max(best.Alone, a.extent.Alone), max(best.Day, a.extent.Day)
	best.Daily = best.Daily || a.extent.Daily
	if s.brief {
		return
	}
	if account != nowhere {
		s.found.Accounts = append(s.found.Accounts, s.name(account, s.ask.Account))
	}
	s.each = append(s.each, a.extent)
}

// name is the id of the account at a place; one that is not there is the one
// asked about.
func (s *Survey) name(place int, asked bank.AccountID) bank.AccountID {
	switch place {
	case nowhere:
		return ""
	case strange:
		return asked
	}
	return s.accounts[place].ID
}

// on is the answer on an account. One of which there is none is asked about by
// itself.
func (s *spread) on(account, to int) *answered {
	key := alike{kind: s.kind, here: nowhere, same: account == to}
	if account >= 0 {
		key.here, key.off = s.crowd.On(s.n, account), s.accounts[account].Off
	}
	if to != s.to { // of many questions, money would mostly go to the same account
		if s.to, s.there = to, nowhere; to >= 0 {
			s.there = s.crowd.On(s.n, to)
		}
	}
	if key.there = s.there; to >= 0 {
		key.offTo = s.accounts[to].Off
	}
	if s.counted != nil {
		key.used = s.counted(s.member(), s.name(account, s.ask.Account))
	}
	if account == strange || to == strange {
		return s.fresh(account, to, key.used)
	}
	slot := &s.recent[uint32(key.here+7*key.there+31*key.kind)%recents]
	if slot.was == nil || slot.key != key {
		*slot = recent{key, s.remember(account, to, key)}
	}
	return slot.was
}

// member is whom is asked about.
func (s *spread) member() bank.UserID {
	if s.ask.Member == "" {
		s.ask.Member = s.crowd.Person(s.n)
	}
	return s.ask.Member
}

func (s *spread) remember(account, to int, key alike) *answered {
	known := s.known[key]
	if known == nil {
		if len(s.known) >= mostKnown {
			clear(s.known)
		}
		known = s.fresh(account, to, key.used)
		s.known[key] = known
	}
	return known
}

// decided is the policy that decides about the member on two accounts, and the
// request.
func (s *spread) decided(account, to int) (Policy, Request) {
	p, req := s.levels, s.ask
	req.Member = s.member()
	req.Account, req.ToAccount = s.name(account, s.ask.Account), s.name(to, s.ask.ToAccount)
	p.Members = map[bank.UserID]*Member{req.Member: s.crowd.Member(s.n, account, to)}
	return p, req
}

func (s *spread) fresh(account, to int, used Used) *answered {
	p, req := s.decided(account, to)
	req.Used = used
	if len(req.Operation.Info().Limits) == 0 {
		allowed, _ := s.crowd.Allows(s.n, &req)
		return &answered{allowed: allowed}
	}
	if !req.Amount.Given() {
		req.Amount = AmountOf(1)
	}
	allows := func(req *Request) (bool, bool) { return s.crowd.Allows(s.n, req) }
	if allowed, _ := allows(&req); !allowed {
		return &answered{}
	}
	extent, rooms := extentOf(&p, req, allows, s.room)
	return &answered{true, extent, rooms}
}

// pairs asks about transfers. What blocks on one account does not depend on the
// other, so each account is asked about once per side.
func (s *spread) pairs() {
	if s.ask.ToAccount != "" {
		s.over(s.place(s.ask.ToAccount))
		return
	}
	if len(s.accounts) < 2 {
		return
	}
	var targets []int
	for i := range s.accounts {
		if s.takes((i+1)%len(s.accounts), i) {
			targets = append(targets, i)
		}
		if len(targets) == 2 { // one of two is never the account itself
			break
		}
	}
	first, last := 0, len(s.accounts)-1
	if s.ask.Account != "" {
		first = s.place(s.ask.Account)
		last = first
	}
	for from := first; from <= last; from++ {
		if to := slices.IndexFunc(targets, func(target int) bool { return target != from }); to >= 0 {
			s.one(from, targets[to])
		}
	}
}

// takes reports whether nothing blocks on the account to move to.
func (s *spread) takes(from, to int) bool {
	key := side{s.crowd.On(s.n, to), s.accounts[to].Off}
	blocksNot, known := s.sides[key]
	if !known {
		p, req := s.decided(from, to)
		blocksNot = free(&p, req, req.Account, req.ToAccount, req.ToAccount)
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
	e := Exposure{}
	if n := s.crowd.Place(member); n >= 0 {
		e = s.Exposed(n, now)
	}
	e.Member = member
	return e
}

// Exposed is the Exposure of the nth member, who is not named.
func (s *Survey) Exposed(n int, now time.Time) (e Exposure) {
	for _, op := range exposing {
		part, ok := s.part(n, single(Plainest("", op, now)))
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

func (s *Survey) part(n int, req Request) (Part, bool) {
	part := Part{Operation: req.Operation}
	asked := s.spread(n, req)
	first, last := nowhere, nowhere
	if req.Operation.Info().Accounts == catalog.AccountRequired {
		first, last = 0, len(s.accounts)-1
	}
	var over, onAccounts bank.Cents // what the levels above the accounts leave, and the accounts together
	bounded := true                 // every account has a daily limit of its own
	for account := first; account <= last; account++ {
		a := asked.on(account, nowhere)
		if !a.allowed || a.extent.Alone == 0 {
			continue
		}
		first := part.Accounts == 0 && part.One == 0
		part.One = max(part.One, a.extent.Alone)
		if account != nowhere {
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
