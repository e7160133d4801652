package console

import (
	"net/http"

	"mandate/internal/bank"
	"mandate/internal/pdp"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/whomay"
)

// whoMayTab leads to who may do something in an organization, and to what each could
// move alone.
const whoMayTab = "Who may do what"

// asking is where the answers to reverse questions about an organization stand.
func asking(p *organizationFrame) whomay.Place {
	here := p.Base.organization(p.Organization.ID)
	member := func(id bank.UserID) string {
		return p.Base.member(usermgmt.Person{Organization: p.Organization.ID, User: id})
	}
	return whomay.Place{
		Who: here + "/who-may", Alone: here + "/alone", Zone: p.Me.Place(), Edition: p.Organization.House.Edition, Accounts: p.Organization.Accounts,
		May: func(id bank.UserID) string { return member(id) + "/may" },
		Why: func(id bank.UserID) string { return member(id) + "/why" },
	}
}

// organizationWhoMay answers who may do something, and up to how much.
//
// GET /{institution}/people/{organization}/who-may
func (a *app) organizationWhoMay(w http.ResponseWriter, r *http.Request) error {
	frame, err := a.theOrganization(r, whoMayTab)
	if err != nil {
		return err
	}
	return whomay.ServeWho(w, r, asking(&frame), func(q usermgmt.WhoQuery) (usermgmt.WhoPage, error) {
		return a.Customers.WhoMay(r.Context(), web.CallerOf(r.Context()), organizationID(r), q)
	}, func(answer whomay.Page) error {
		return web.Render(w, r, http.StatusOK, organizationWhoMayView(frame, answer))
	})
}

// organizationAlone answers what each person could move without anybody else.
//
// GET /{institution}/people/{organization}/alone
func (a *app) organizationAlone(w http.ResponseWriter, r *http.Request) error {
	frame, err := a.theOrganization(r, whoMayTab)
	if err != nil {
		return err
	}
	return whomay.ServeAlone(w, r, asking(&frame), func(q usermgmt.ExposureQuery) (usermgmt.ExposurePage, error) {
		return a.Customers.Exposures(r.Context(), web.CallerOf(r.Context()), organizationID(r), q)
	}, func(answer whomay.Page) error {
		return web.Render(w, r, http.StatusOK, organizationWhoMayView(frame, answer))
	})
}

// memberMay answers what a member may do.
//
// GET /{institution}/people/{organization}/members/{member}/may
func (a *app) memberMay(w http.ResponseWriter, r *http.Request) error {
	frame, err := a.theMember(r, "What they may do")
	if err != nil {
		return err
	}
	place := whomay.Place{
		Who: frame.Base.organization(organizationID(r)) + "/who-may", Zone: frame.Me.Place(), Edition: frame.Profile.Policy.Institution.Edition,
		Why: func(bank.UserID) string { return frame.at("/why") },
	}
	for _, account := range frame.Profile.Accounts {
		place.Accounts = append(place.Accounts, account.Account)
	}
	return whomay.ServePerson(r, place, memberID(r).User, frame.at("/may"), func(past pdp.Past) (usermgmt.Reaching, error) {
		return a.Customers.WhatMay(r.Context(), web.CallerOf(r.Context()), memberID(r), past)
	}, func(answer whomay.Page) error {
		return web.Render(w, r, http.StatusOK, memberMayView(frame, answer))
	})
}
