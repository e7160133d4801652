package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/gate"
	"mandate/internal/pdp"
	"mandate/internal/usermgmt"
)

// Reverse answers questions that leave one part open.
type Reverse interface {
	WhoMay(context.Context, bank.Caller, bank.OrganizationID, usermgmt.WhoQuery) (usermgmt.WhoPage, error)
	WhatMay(context.Context, bank.Caller, usermgmt.Person, pdp.Past) (usermgmt.Reaching, error)
	Exposures(context.Context, bank.Caller, bank.OrganizationID, usermgmt.ExposureQuery) (usermgmt.ExposurePage, error)
}

func (e *Edge) registerReverse(a huma.API) {
	add(e, a, http.MethodGet, "/organizations/{organization}/who-may", "who-may", "Who may do something, and up to how much", asks(catalog.ViewPermissions.ID()), e.whoMay)
	add(e, a, http.MethodGet, "/organizations/{organization}/members/{member}/may", "what-may", "What a person may do, and up to how much", asks(catalog.ViewPermissions.ID()), e.whatMay)
	add(e, a, http.MethodGet, "/organizations/{organization}/alone", "alone", "What each person could move alone today", asks(catalog.ViewPermissions.ID()), e.alone)
}

// AsOf is the moment that a question is about.
type AsOf struct {
	At string `query:"at" maxLength:"1024" doc:"As it was at a time in the past, such as 2026-03-02T15:04:05Z, or when a revision was made: its token. Without it, as it is."`
}

func (a AsOf) past() (pdp.Past, error) { return pastOf("query.at", a.At) }

// pastOf reads a moment; none is now.
func pastOf(field, text string) (pdp.Past, error) {
	if text == "" {
		return pdp.Past{}, nil
	}
	past, err := pdp.ParsePast(text)
	if err != nil {
		var problems fault.Problems
		problems.Add(field, "Write a time such as 2026-03-02T15:04:05Z, or a revision token of this service.")
		return pdp.Past{}, problems.Err("The moment could not be read.")
	}
	return past, nil
}

type whoMayInput struct {
	Organization string `path:"organization" maxLength:"200"`
	Operation    string `query:"operation" maxLength:"100" doc:"What somebody wants to do, such as wires.transmit."`
	Account      string `query:"account" maxLength:"200" doc:"On this account; without it, on any."`
	ToAccount    string `query:"to_account" maxLength:"200" doc:"To this account, of a transfer; without it, to any."`
	Amount       string `query:"amount" maxLength:"64" doc:"Only who may move at least this much in one payment, such as 25000.00."`
	Recurring    bool   `query:"recurring" doc:"It is part of a recurring series."`
	SameDay      bool   `query:"same_day" doc:"It must settle today."`
	Restricted   bool   `query:"restricted" doc:"The batch is restricted, such as payroll."`
	Debits       bool   `query:"debits" doc:"It collects money."`
	Effective    string `query:"effective_date" maxLength:"10" doc:"The day it is for, such as 2026-03-02; without it, today."`
	Search       string `query:"search" maxLength:"80" doc:"Any part of a name."`
	AsOf
	Sort string `query:"sort" enum:"amount,name" default:"amount" doc:"By amount, who may move most comes first."`
	Page int    `query:"page" minimum:"1" maximum:"1000000" default:"1"`
	Size int    `query:"size" minimum:"1" maximum:"200" default:"50"`
}

// WhoMayList is one page of those who may do what was asked.
type WhoMayList struct {
	Members  []AbleMember `json:"members"`
	May      int          `json:"may" doc:"How many may."`
	Matching int          `json:"matching" doc:"How many of them fit the search."`
	Total    int          `json:"total" doc:"How many people the organization has."`
	Page     int          `json:"page" doc:"The page that this is: one beyond the end becomes the last."`
	Pages    int          `json:"pages"`
	AsOf     string       `json:"as_of" format:"date-time" doc:"The moment that it is about."`
}

// AbleMember is somebody who may do what was asked, and how far.
type AbleMember struct {
	Member string `json:"member"`
	Name   string `json:"name"`
	Role   string `json:"role"`
	Status string `json:"status"`
	Ability
}

// Ability says on which accounts something may be done, and how far.
type Ability struct {
	Operation string   `json:"operation"`
	Accounts  []string `json:"accounts,omitempty" doc:"On which accounts; of a transfer, from which. Absent where the operation names none."`
	UpTo      string   `json:"up_to,omitempty" doc:"The greatest single payment, on the best account: every limit, and what is left of today, considered."`
	Alone     string   `json:"alone,omitempty" doc:"The greatest of them that needs no second person."`
	Day       string   `json:"day,omitempty" doc:"What may still be moved today, all payments together. Absent where there is no daily limit."`
	DayAlone  string   `json:"day_alone,omitempty" doc:"Of that, without a second person."`
	Less      int      `json:"less,omitempty" doc:"On how many of the accounts it is less."`
}

type whoMayOutput struct{ Body WhoMayList }

// GET /api/v1/organizations/{organization}/who-may
func (e *Edge) whoMay(ctx context.Context, in *whoMayInput) (*whoMayOutput, error) {
	if err := may(ctx, catalog.ViewPermissions); err != nil {
		return nil, err
	}
	req, err := in.request()
	if err != nil {
		return nil, err
	}
	at, err := in.past()
	if err != nil {
		return nil, err
	}
	query := usermgmt.WhoQuery{Request: req, At: at, Search: in.Search, Sort: usermgmt.WhoSort(in.Sort), Page: in.Page, Size: in.Size}
	page, err := e.Reverse.WhoMay(ctx, gate.CallerOf(ctx), bank.OrganizationID(in.Organization), query)
	if err != nil {
		return nil, err
	}
	list := WhoMayList{Members: []AbleMember{}, May: page.May, Matching: page.Matching, Total: page.Asked, Page: page.Page, Pages: page.Pages, AsOf: moment(page.Now)}
	for _, able := range page.Rows {
		list.Members = append(list.Members, AbleMember{string(able.User), able.Name, able.Role.String(), able.Status.String(), abilityOf(able.Ability)})
	}
	return &whoMayOutput{list}, nil
}

// request is the question that is asked for everybody. What is not said of a
// payment is the plainest.
func (in *whoMayInput) request() (entitlement.Request, error) {
	var problems fault.Problems
	op := catalog.ParseOperation(in.Operation)
	req := entitlement.Plainest("", op, time.Time{})
	req.Account, req.ToAccount = bank.AccountID(in.Account), bank.AccountID(in.ToAccount)
	for key, said := range map[catalog.ContextKey]bool{catalog.Recurring: in.Recurring, catalog.SameDay: in.SameDay, catalog.Restricted: in.Restricted, catalog.Debits: in.Debits} {
		if said {
			req.Context = req.Context.With(key, true)
		}
	}
	if in.Effective != "" {
		day, err := bank.ParseDay(in.Effective)
		if err != nil {
			problems.Add("query.effective_date", "Write a date such as 2026-03-02.")
		}
		req.Context = req.Context.WithEffectiveDate(day)
	}
	if in.Amount != "" {
		req.Amount = entitlement.ReadAmount(in.Amount)
		if _, ok := req.Amount.Cents(); !ok {
			problems.Add("query.amount", "Write an amount above zero such as 25000.00.")
		}
	}
	return req, problems.Err("The question could not be read.")
}

func abilityOf(a entitlement.Ability) Ability {
	shown := Ability{Operation: a.Operation.ID(), Less: a.Less}
	for _, id := range a.Accounts {
		shown.Accounts = append(shown.Accounts, string(id))
	}
	if len(a.Operation.Info().Limits) > 0 {
		shown.UpTo, shown.Alone = a.Best.UpTo.String(), a.Best.Alone.String()
	}
	if a.Best.Daily {
		shown.Day, shown.DayAlone = a.Best.Day.String(), a.Best.DayAlone().String()
	}
	return shown
}

type whatMayInput struct {
	Organization string `path:"organization" maxLength:"200"`
	Member       string `path:"member" maxLength:"200"`
	AsOf
}

// Reaching is all that a person may do.
type Reaching struct {
	Member   string    `json:"member"`
	Name     string    `json:"name"`
	May      []Ability `json:"may"`
	MayNot   []string  `json:"may_not" doc:"The operations that they may not do anywhere; ask for an explanation of each."`
	Accounts int       `json:"accounts" doc:"How many accounts the organization has."`
	AsOf     string    `json:"as_of" format:"date-time" doc:"The moment that it is about."`
}

type whatMayOutput struct{ Body Reaching }

// GET /api/v1/organizations/{organization}/members/{member}/may
func (e *Edge) whatMay(ctx context.Context, in *whatMayInput) (*whatMayOutput, error) {
	if err := may(ctx, catalog.ViewPermissions); err != nil {
		return nil, err
	}
	at, err := in.past()
	if err != nil {
		return nil, err
	}
	of := usermgmt.Person{Organization: bank.OrganizationID(in.Organization), User: bank.UserID(in.Member)}
	r, err := e.Reverse.WhatMay(ctx, gate.CallerOf(ctx), of, at)
	if err != nil {
		return nil, err
	}
	shown := Reaching{Member: string(r.Person.User), Name: r.Person.Name, May: []Ability{}, MayNot: []string{}, Accounts: r.Accounts, AsOf: moment(r.Now)}
	for _, a := range r.May {
		shown.May = append(shown.May, abilityOf(a))
	}
	for _, op := range r.Not {
		shown.MayNot = append(shown.MayNot, op.ID())
	}
	return &whatMayOutput{shown}, nil
}

type aloneInput struct {
	Organization string `path:"organization" maxLength:"200"`
	Search       string `query:"search" maxLength:"80" doc:"Any part of a name."`
	AsOf
	Page int `query:"page" minimum:"1" maximum:"1000000" default:"1"`
	Size int `query:"size" minimum:"1" maximum:"200" default:"50"`
}

// AloneList is one page of people by what each could move out of the organization
// today without anybody else, most first: the sum of payments that the decision
// would allow them one after the other, each without a second person, until it
// allows no more. Transfers between the organization's own accounts are not part of it.
type AloneList struct {
	Members  []AloneMember  `json:"members"`
	Could    int            `json:"could" doc:"How many could move anything alone."`
	Matching int            `json:"matching" doc:"How many of them fit the search."`
	Total    int            `json:"total" doc:"How many people the organization has."`
	Day      string         `json:"day" doc:"The institution's day that it is about."`
	Sum      string         `json:"sum" doc:"All of them added up, each as if nobody else did anything."`
	Ceilings []AloneCeiling `json:"ceilings" doc:"What bounds all people of the organization together."`
	Page     int            `json:"page" doc:"The page that this is: one beyond the end becomes the last."`
	Pages    int            `json:"pages"`
	AsOf     string         `json:"as_of" format:"date-time" doc:"The moment that it is about."`
}

// AloneCeiling is a daily ceiling of the organization.
type AloneCeiling struct {
	Permission string `json:"permission"`
	Limit      string `json:"limit"`
	Left       string `json:"left"`
}

// AloneMember is what one person could move alone today.
type AloneMember struct {
	Member string      `json:"member"`
	Name   string      `json:"name"`
	Total  string      `json:"total"`
	Open   bool        `json:"open" doc:"A part has no daily limit: the total counts one payment of it, which could be repeated."`
	Parts  []AlonePart `json:"parts"`
}

// AlonePart is what one operation adds.
type AlonePart struct {
	Operation string `json:"operation"`
	One       string `json:"one" doc:"The greatest single payment without a second person."`
	Day       string `json:"day" doc:"All payments together."`
	Open      bool   `json:"open" doc:"There is no daily limit."`
	Used      string `json:"used" doc:"What they moved already on this day."`
	Bound     string `json:"bound,omitempty" doc:"The level whose daily limit leaves the least."`
	Accounts  int    `json:"accounts,omitempty" doc:"From how many accounts."`
}

type aloneOutput struct{ Body AloneList }

// GET /api/v1/organizations/{organization}/alone
func (e *Edge) alone(ctx context.Context, in *aloneInput) (*aloneOutput, error) {
	if err := may(ctx, catalog.ViewPermissions); err != nil {
		return nil, err
	}
	at, err := in.past()
	if err != nil {
		return nil, err
	}
	query := usermgmt.ExposureQuery{Search: in.Search, At: at, Page: in.Page, Size: in.Size}
	page, err := e.Reverse.Exposures(ctx, gate.CallerOf(ctx), bank.OrganizationID(in.Organization), query)
	if err != nil {
		return nil, err
	}
	list := AloneList{
		Members: []AloneMember{}, Could: page.Could, Matching: page.Matching, Total: page.Asked, Day: string(page.Day), Sum: page.Sum.String(),
		Ceilings: []AloneCeiling{}, Page: page.Page, Pages: page.Pages, AsOf: moment(page.Now),
	}
	for _, c := range page.Ceilings {
		list.Ceilings = append(list.Ceilings, AloneCeiling{c.Permission.ID(), c.Limit.String(), c.Left.String()})
	}
	for _, row := range page.Rows {
		list.Members = append(list.Members, aloneOf(row))
	}
	return &aloneOutput{list}, nil
}

func aloneOf(x usermgmt.Exposed) AloneMember {
	shown := AloneMember{Member: string(x.User), Name: x.Name, Total: x.Total.String(), Open: x.Open, Parts: []AlonePart{}}
	for _, part := range x.Parts {
		one := AlonePart{
			Operation: part.Operation.ID(), One: part.One.String(), Day: part.Day.String(), Open: part.Open, Used: part.Used.String(), Accounts: part.Accounts,
		}
		if !part.Open {
			one.Bound = part.Bound.String()
		}
		shown.Parts = append(shown.Parts, one)
	}
	return shown
}
