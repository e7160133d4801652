package usermgmt

import (
	"context"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/pdp"
	"mandate/internal/usage"
)

// Reverse questions leave one part of a question open: who may do this, what may
// this person do, who could move how much alone. Each is the one decision asked
// for every candidate, so that a list never says anything else than a decision.

// A sight is the facts of one moment on which questions about one organization
// are answered.
type sight struct {
	policy *entitlement.Policy
	crowd  entitlement.Crowd // everybody, where not the policy says it
	now    time.Time
	day    func(catalog.Limit, bank.Day) (usage.Day, error)
	roll   roll

	days    map[countedOn]usage.Day
	failure error
}

// countedOn names a day's amounts that count together.
type countedOn struct {
	limit catalog.Limit
	day   bank.Day
}

func (s *sight) survey() *entitlement.Survey {
	if s.crowd == nil {
		return entitlement.NewSurvey(s.policy, s.used)
	}
	return entitlement.SurveyOf(s.policy.Institution, s.policy.Organization, s.crowd, s.used)
}

// used is what already counts where requests count. What could not be read is
// kept in failure, and then no answer is one.
func (s *sight) used(of entitlement.Request) func(bank.UserID, bank.AccountID) entitlement.Used {
	of.Amount = entitlement.AmountOf(1)
	limit, day, counts := entitlement.Counting(s.policy.Institution, of)
	if !counts {
		return nil
	}
	counted := s.counted(limit, day)
	if counted.Nothing() {
		return nil
	}
	return counted.Used
}

func (s *sight) counted(limit catalog.Limit, day bank.Day) usage.Day {
	key := countedOn{limit, day}
	counted, known := s.days[key]
	if !known && s.failure == nil {
		counted, s.failure = s.day(limit, day)
		s.days[key] = counted
	}
	return counted
}

// sight gives read what there is, or was at a moment, to see of an organization,
// if the caller may see permissions there now.
func (s *Service) sight(ctx context.Context, caller bank.Caller, of Person, scope entitlement.Scope, past pdp.Past, read func(*sight) error) error {
	block := s.recall(ctx, caller, of.Organization, scope, past)
	wanted := scope
	if block != nil || !past.IsZero() {
		wanted = entitlement.Scope{} // of the tables, nothing but whether they may
	}
	return s.guard.Look(ctx, caller, looking(of, catalog.ViewPermissions, wanted), func(v *guard.View) error {
		seen, err := sightOf(v, caller.Institution, of.Organization, scope, past)
		if err == nil && block != nil {
			seen.policy, seen.crowd, err = remembered(v.Tx, caller.Institution, of.Organization, scope, block)
		}
		if err != nil {
			return err
		}
		if err := read(seen); err != nil {
			return err
		}
		return seen.failure
	})
}

func sightOf(v *guard.View, institution bank.InstitutionID, organization bank.OrganizationID, scope entitlement.Scope, past pdp.Past) (*sight, error) {
	seen := &sight{policy: v.Policy, now: v.Tx.Now, days: map[countedOn]usage.Day{}}
	if past.IsZero() {
		seen.day = func(limit catalog.Limit, day bank.Day) (usage.Day, error) {
			return usage.OfDay(v.Tx, institution, organization, limit, day)
		}
		var err error
		seen.roll, err = rollOf(v.Tx, institution, organization)
		return seen, err
	}
	t, err := thenAt(v.Tx, institution, organization, past)
	if err != nil {
		return nil, err
	}
	seen.now, seen.day, seen.roll = t.now, t.day, &pastRoll{then: t}
	seen.policy, err = t.policy(scope)
	return seen, err
}

// A WhoQuery asks who may do something, and up to how much.
type WhoQuery struct {
	Request entitlement.Request // without a member; an account or an amount that is not given is any
	Search  string              // any part of a name
	Sort    WhoSort
	Reverse bool // the other way round
	At      pdp.Past
	Page    int // from 1
	Size    int // at most MaxPageSize; -1: all in one page
}

// A WhoSort is the order of the answer.
type WhoSort string

const (
	ByAmount  WhoSort = "amount" // who may move most comes first
	WhoByName WhoSort = "name"
)

// An Able is somebody who may do what was asked.
type Able struct {
	Named
	entitlement.Ability
}

// A WhoPage is one page of those who may.
type WhoPage struct {
	Rows        []Able
	May         int       // how many may
	Matching    int       // of them fit the search
	Asked       int       // everybody of the organization
	Now         time.Time // the moment that it is about
	Page, Pages int
}

var errWhichOperation = fault.New(fault.Invalid, "Say what somebody wants to do: there is no such operation.")

// WhoMay finds everybody of an organization who may do what is asked.
func (s *Service) WhoMay(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, q WhoQuery) (page WhoPage, err error) {
	err = s.sight(ctx, caller, Person{Organization: organization}, whoScope(q.Request), q.At, func(seen *sight) error {
		if q.Request.Operation == catalog.UnknownOperation {
			return errWhichOperation
		}
		page, err = seen.who(q)
		return err
	})
	return page, err
}

// whoScope is whom and what a question without a member is about.
func whoScope(req entitlement.Request) entitlement.Scope {
	scope := entitlement.Scope{AllMembers: true}
	switch req.Operation.Info().Accounts {
	case catalog.AccountRequired:
		scope.AllAccounts = req.Account == ""
	case catalog.AccountPair:
		scope.AllAccounts = req.Account == "" || req.ToAccount == ""
	}
	for _, account := range []bank.AccountID{req.Account, req.ToAccount} {
		if account != "" {
			scope.Accounts = append(scope.Accounts, account)
		}
	}
	return scope
}

func (s *sight) who(q WhoQuery) (page WhoPage, err error) {
	survey := s.survey()
	crowd := survey.Crowd()
	page.Asked, page.Now = crowd.People(), s.now
	fits, err := searched(s.roll, crowd, q.Search)
	if err != nil {
		return page, err
	}
	req := q.Request
	req.Now = s.now
	var found []ranked
	for n := range crowd.People() {
		best, may := survey.Best(n, req)
		if !may {
			continue
		}
		page.May++
		if !fits(n) {
			continue
		}
		one := ranked{n: n}
		if q.Sort == ByAmount {
			one.rank = rank{best.UpTo, best.Alone, best.Day}
		}
		found = append(found, one)
	}
	page.Matching = len(found)
	var from, to int
	from, to, page.Page, page.Pages = pageOf(len(found), q.Page, q.Size)
	people, err := cut(s.roll, crowd, found, q.Reverse, from, to)
	for _, one := range people {
		req.Member = one.User
		ability, _ := survey.Ability(req)
		page.Rows = append(page.Rows, Able{one, ability})
	}
	return page, err
}

// pageOf is where a page begins and ends in so many rows, and which of how many
// pages it is; a size of -1 is all.
func pageOf(rows, asked, size int) (from, to, number, pages int) {
	if size < 0 {
		return 0, rows, 1, 1
	}
	if size == 0 || size > MaxPageSize {
		size = 50
	}
	number, pages = page(asked, rows, size)
	from = (number - 1) * size
	return from, min(from+size, rows), number, pages
}

// A Reaching is all that a person may do, and what they may not.
type Reaching struct {
	Person   Named
	May      []entitlement.Ability
	Not      []catalog.Operation
	Accounts int // of the organization
	Now      time.Time
}

// WhatMay asks everything that there is about one person.
func (s *Service) WhatMay(ctx context.Context, caller bank.Caller, p Person, at pdp.Past) (r Reaching, err error) {
	err = s.sight(ctx, caller, p, entitlement.Scope{Members: []bank.UserID{p.User}, AllAccounts: true}, at, func(seen *sight) error {
		people, err := seen.roll.named([]bank.UserID{p.User})
		if err != nil {
			return err
		}
		if len(people) == 0 {
			return ErrNoMember
		}
		r = seen.what(people[0])
		return nil
	})
	return r, err
}

func (s *sight) what(person Named) Reaching {
	r := Reaching{Person: person, Accounts: len(s.policy.Accounts), Now: s.now}
	survey := s.survey()
	for _, op := range catalog.Operations() {
		if !op.In(s.policy.Institution.Edition) {
			continue
		}
		ability, may := survey.Ability(entitlement.Plainest(person.User, op, s.now))
		if may {
			r.May = append(r.May, ability)
		} else {
			r.Not = append(r.Not, op)
		}
	}
	return r
}

// An ExposureQuery asks what each person could move alone today.
type ExposureQuery struct {
	Search string
	At     pdp.Past
	Page   int
	Size   int // as of a WhoQuery
}

// An Exposed is what one person could move alone today.
type Exposed struct {
	Named
	entitlement.Exposure
}

// An ExposurePage is one page of them, whoever could move most first.
type ExposurePage struct {
	Rows        []Exposed
	Could       int        // how many could move anything alone
	Matching    int        // of them fit the search
	Asked       int        // everybody of the organization
	Sum         bank.Cents // of all totals: who has what share of it says how concentrated it is
	Ceilings    []DailyCeiling
	Day         bank.Day
	Now         time.Time
	Page, Pages int
}

// A DailyCeiling is what all people of the organization together may move today.
type DailyCeiling struct {
	Permission  catalog.Permission
	Limit, Left bank.Cents
}

// Exposures adds up for everybody of an organization what they could move alone
// today.
func (s *Service) Exposures(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, q ExposureQuery) (page ExposurePage, err error) {
	scope := entitlement.Scope{AllMembers: true, AllAccounts: true}
	err = s.sight(ctx, caller, Person{Organization: organization}, scope, q.At, func(seen *sight) error {
		page, err = seen.exposures(q)
		return err
	})
	return page, err
}

func (s *sight) exposures(q ExposureQuery) (page ExposurePage, err error) {
	survey := s.survey()
	crowd := survey.Crowd()
	page.Asked, page.Now, page.Day = crowd.People(), s.now, bank.DayOf(s.now, s.policy.Institution.Location)
	fits, err := searched(s.roll, crowd, q.Search)
	if err != nil {
		return page, err
	}
	var found []ranked
	for n := range crowd.People() {
		e := survey.Exposed(n, s.now)
		if len(e.Parts) == 0 {
			continue
		}
		page.Could++
		if sum, ok := page.Sum.Add(e.Total); ok {
			page.Sum = sum
		}
		if !fits(n) {
			continue
		}
		one := ranked{n, rank{0, e.Total}}
		if e.Open {
			one.rank[0] = 1
		}
		found = append(found, one)
	}
	page.Matching = len(found)
	page.Ceilings = s.ceilings()
	var from, to int
	from, to, page.Page, page.Pages = pageOf(len(found), q.Page, q.Size)
	people, err := cut(s.roll, crowd, found, false, from, to)
	for _, one := range people {
		page.Rows = append(page.Rows, Exposed{one, survey.Exposure(one.User, s.now)})
	}
	return page, err
}

// ceilings are the organization's daily ones.
func (s *sight) ceilings() (all []DailyCeiling) {
	for limit := range catalog.LimitCount {
		ceiling, set := s.policy.Organization.Ceilings.Get(limit)
		if !set || !limit.Daily() || !limit.Permission().In(s.policy.Institution.Edition) {
			continue
		}
		day := bank.DayOf(s.now, s.policy.Institution.Location)
		left := max(0, ceiling-s.counted(limit, day).Used("", "").Organization)
		all = append(all, DailyCeiling{limit.Permission(), ceiling, left})
	}
	return all
}
