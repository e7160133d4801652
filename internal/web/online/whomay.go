package online

import (
	"net/http"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/pdp"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/ui"
	"mandate/internal/web/whomay"
)

func (b base) whoMay() string            { return b.users() + "/who-may" }
func (b base) alone() string             { return b.users() + "/alone" }
func (b base) may(id bank.UserID) string { return b.user(id) + "/may" }

type whoMayPage struct {
	Shell           ui.Shell
	Title, Subtitle string
	Answer          whomay.Page
}

// asking is where the answers to reverse questions stand here.
func (a *app) asking(r *http.Request) (me usermgmt.Standing, place whomay.Place, err error) {
	me, mine, err := a.readableAccounts(r)
	if err != nil {
		return me, place, err
	}
	b := baseFor(me.Institution.ID)
	place = whomay.Place{Who: b.whoMay(), Alone: b.alone(), May: b.may, Why: b.why, Zone: me.Institution.Place(), Edition: me.Institution.Edition}
	for _, account := range mine.Accounts {
		place.Accounts = append(place.Accounts, account.Account)
	}
	return me, place, nil
}

func (a *app) showWhoMay(w http.ResponseWriter, r *http.Request, me usermgmt.Standing, title, subtitle string, crumbs ...ui.Link) func(whomay.Page) error {
	return func(answer whomay.Page) error {
		crumbs = append([]ui.Link{{Label: "User management", Href: baseFor(me.Institution.ID).users()}}, crumbs...)
		return web.Render(w, r, http.StatusOK, whoMayView(whoMayPage{a.shell(r, me, title, crumbs...), title, subtitle, answer}))
	}
}

// whoMay answers who may do something, and up to how much.
//
// GET /{institution}/settings/users/who-may
func (a *app) whoMay(w http.ResponseWriter, r *http.Request) error {
	me, place, err := a.asking(r)
	if err != nil {
		return err
	}
	return whomay.ServeWho(w, r, place, func(q usermgmt.WhoQuery) (usermgmt.WhoPage, error) {
		return a.users.WhoMay(r.Context(), web.CallerOf(r.Context()), me.Organization.ID, q)
	}, a.showWhoMay(w, r, me, "Who may do what", "Everybody who may do something, and up to how much."))
}

// aloneToday answers what each person could move without anybody else.
//
// GET /{institution}/settings/users/alone
func (a *app) aloneToday(w http.ResponseWriter, r *http.Request) error {
	me, place, err := a.asking(r)
	if err != nil {
		return err
	}
	return whomay.ServeAlone(w, r, place, func(q usermgmt.ExposureQuery) (usermgmt.ExposurePage, error) {
		return a.users.Exposures(r.Context(), web.CallerOf(r.Context()), me.Organization.ID, q)
	}, a.showWhoMay(w, r, me, "Alone today", "What each person could move without anybody else."))
}

// whatMay answers what one person may do.
//
// GET /{institution}/settings/users/{user}/may
func (a *app) whatMay(w http.ResponseWriter, r *http.Request) error {
	me, place, err := a.asking(r)
	if err != nil {
		return err
	}
	who := person(r)
	title := "What they may do"
	return whomay.ServePerson(r, place, who.User, place.May(who.User), func(past pdp.Past) (usermgmt.Reaching, error) {
		found, err := a.users.WhatMay(r.Context(), web.CallerOf(r.Context()), who, past)
		if err == nil {
			title = "What " + found.Person.Name + " may do"
		}
		return found, err
	}, func(answer whomay.Page) error {
		return a.showWhoMay(w, r, me, title, "Everything that is allowed, where, and up to how much.")(answer)
	})
}

// mayHref is where all that somebody may do stands, for those who may see it.
func mayHref(me usermgmt.Standing, b base, id bank.UserID) string {
	if !me.May(catalog.ViewPermissions) {
		return ""
	}
	return b.may(id)
}
