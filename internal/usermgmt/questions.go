package usermgmt

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
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
	tx     *db.Tx
	policy *entitlement.Policy
	now    time.Time
	day    func(catalog.Limit, bank.Day) (usage.Day, error)
	people func() ([]Named, error) // everybody, by name

	days    map[countedOn]usage.Day
	last    counting
	failure error
}

// counting is where the last request counted: of many that follow each other only
// the member and the account differ.
type counting struct {
	request entitlement.Request // of nobody, on no account
	counts  bool
	counted usage.Day
}

// countedOn names a day's amounts that count together.
type countedOn struct {
	limit catalog.Limit
	day   bank.Day
}

// used is what already counts where a request counts. What could not be read is
// kept in failure, and then no answer is one.
func (s *sight) used(req entitlement.Request) entitlement.Used {
	if s.failure != nil {
		return entitlement.Used{}
	}
	of := req
	of.Member, of.Account, of.ToAccount, of.Used, of.Amount = "", "", "", entitlement.Used{}, entitlement.AmountOf(1)
	if of != s.last.request {
		s.last = s.counting(of)
	}
	if !s.last.counts || s.failure != nil {
		return entitlement.Used{}
	}
	return s.last.counted.Used(req.Member, req.Account)
}

func (s *sight) counting(req entitlement.Request) counting {
	limit, day, counts := entitlement.Counting(s.policy.Institution, req)
	if !counts {
		return counting{request: req}
	}
	key := countedOn{limit, day}
	counted, known := s.days[key]
	if !known {
		if counted, s.failure = s.day(limit, day); s.failure != nil {
			return counting{}
		}
		s.days[key] = counted
	}
	return counting{req, true, counted}
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
			seen.policy, err = remembered(v.Tx, caller.Institution, of.Organization, scope, block)
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
	seen := &sight{tx: v.Tx, policy: v.Policy, now: v.Tx.Now, days: map[countedOn]usage.Day{}}
	if past.IsZero() {
		seen.day = func(limit catalog.Limit, day bank.Day) (usage.Day, error) {
			return usage.OfDay(v.Tx, institution, organization, limit, day)
		}
		seen.people = func() ([]Named, error) { return peopleOf(v.Tx, institution, organization) }
		return seen, nil
	}
	t, err := thenAt(v.Tx, institution, organization, past)
	if err != nil {
		return nil, err
	}
	seen.now, seen.day, seen.people = t.now, t.day, t.people
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

// Named is a member by name.
type Named struct {
	User   bank.UserID
	Name   string
	Role   bank.Role
	Status bank.Status
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
		people, err := seen.people()
		if err != nil {
			return err
		}
		page = seen.who(people, q)
		return nil
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

// peopleOf are everybody's names, by name.
func peopleOf(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID) ([]Named, error) {
	people, err := db.All(tx, func(row db.Scanner) (n Named, err error) {
		var first, last string
		err = row.Scan(&n.User, &first, &last, &n.Role, &n.Status)
		n.Name = strings.TrimSpace(first + " " + last)
		return n, err
	}, `
		select m.id, m.first_name, m.last_name, m.role, m.status from member m join organization o on o.num = m.organization_num
		 where o.institution_id = $1 and o.id = $2 order by m.name_key, m.id`, institution, organization)
	if err != nil {
		return nil, fmt.Errorf("read the names: %w", err)
	}
	return people, nil
}

func (s *sight) who(people []Named, q WhoQuery) (page WhoPage) {
	page.Asked, page.Now = len(people), s.now
	fits := meant(q.Search)
	req := q.Request
	req.Now = s.now
	survey := entitlement.NewSurvey(s.policy, s.used)
	for _, one := range people {
		req.Member = one.User
		ability, may := survey.Ability(req)
		if !may {
			continue
		}
		page.May++
		if fits(one.Name) {
			page.Rows = append(page.Rows, Able{one, ability})
		}
	}
	page.Matching = len(page.Rows)
	if q.Sort == ByAmount {
		slices.SortStableFunc(page.Rows, func(a, b Able) int {
			return cmp.Or(cmp.Compare(b.Best.UpTo, a.Best.UpTo), cmp.Compare(b.Best.Alone, a.Best.Alone), cmp.Compare(b.Best.Day, a.Best.Day))
		})
	}
	if q.Reverse {
		slices.Reverse(page.Rows)
	}
	page.Rows, page.Page, page.Pages = onePage(page.Rows, q.Page, q.Size)
	return page
}

// meant tells the names that a search means.
func meant(search string) func(name string) bool {
	search = Fold(search)
	return func(name string) bool { return search == "" || strings.Contains(Fold(name), search) }
}

// onePage cuts a page out of all rows; a size of -1 is all.
func onePage[T any](rows []T, asked, size int) (some []T, number, pages int) {
	if size < 0 {
		return rows, 1, 1
	}
	if size == 0 || size > MaxPageSize {
		size = 50
	}
	number, pages = page(asked, len(rows), size)
	from := (number - 1) * size
	return rows[from:min(from+size, len(rows))], number, pages
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
		people, err := seen.people()
		if err != nil {
			return err
		}
		i := slices.IndexFunc(people, func(n Named) bool { return n.User == p.User })
		if i < 0 {
			return ErrNoMember
		}
		r = seen.what(people[i])
		return nil
	})
	return r, err
}

func (s *sight) what(person Named) Reaching {
	r := Reaching{Person: person, Accounts: len(s.policy.Accounts), Now: s.now}
	survey := entitlement.NewSurvey(s.policy, s.used)
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
		people, err := seen.people()
		if err != nil {
			return err
		}
		page = seen.exposures(people, q)
		return nil
	})
	return page, err
}

func (s *sight) exposures(people []Named, q ExposureQuery) (page ExposurePage) {
	page.Asked, page.Now, page.Day = len(people), s.now, bank.DayOf(s.now, s.policy.Institution.Location)
	fits := meant(q.Search)
	survey := entitlement.NewSurvey(s.policy, s.used)
	for _, one := range people {
		e := survey.Exposure(one.User, s.now)
		if len(e.Parts) == 0 {
			continue
		}
		page.Could++
		if sum, ok := page.Sum.Add(e.Total); ok {
			page.Sum = sum
		}
		if fits(one.Name) {
			page.Rows = append(page.Rows, Exposed{one, e})
		}
	}
	page.Matching = len(page.Rows)
	slices.SortStableFunc(page.Rows, func(a, b Exposed) int {
		return cmp.Or(compareBool(b.Open, a.Open), cmp.Compare(b.Total, a.Total))
	})
	page.Ceilings = s.ceilings()
	page.Rows, page.Page, page.Pages = onePage(page.Rows, q.Page, q.Size)
	return page
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// ceilings are the organization's daily ones.
func (s *sight) ceilings() (all []DailyCeiling) {
	for limit := range catalog.LimitCount {
		ceiling, set := s.policy.Organization.Ceilings.Get(limit)
		if !set || !limit.Daily() || !limit.Permission().In(s.policy.Institution.Edition) {
			continue
		}
		day := bank.DayOf(s.now, s.policy.Institution.Location)
		counted, known := s.days[countedOn{limit, day}]
		if !known && s.failure == nil {
			counted, s.failure = s.day(limit, day)
		}
		left := max(0, ceiling-counted.Used("", "").Organization)
		all = append(all, DailyCeiling{limit.Permission(), ceiling, left})
	}
	return all
}
