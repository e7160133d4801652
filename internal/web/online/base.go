package online

import (
	"net/http"
	"net/url"

	"mandate/internal/bank"
	"mandate/internal/web/entrance"
)

// A base is the first part of a path: the institution's. Every address of the
// app is made here.
type base string

func baseOf(r *http.Request) base { return base(entrance.BaseOf(r)) }

func baseFor(id bank.InstitutionID) base { return base(entrance.BaseFor(id)) }

func (b base) institution() bank.InstitutionID { return entrance.Base(b).Institution() }

func (b base) at(path string) string { return entrance.Base(b).At(path) }

func (b base) home() string     { return entrance.Base(b).Home() }
func (b base) signOut() string  { return entrance.Base(b).SignOut() }
func (b base) security() string { return entrance.Base(b).Security() }

func (b base) profile() string { return b.at("/profile") }
func (b base) whyMe() string   { return b.at("/why") }
func (b base) history() string { return b.at("/settings/history") }
func (b base) users() string   { return b.at("/settings/users") }

func (b base) user(id bank.UserID) string        { return b.users() + "/" + url.PathEscape(string(id)) }
func (b base) permissions(id bank.UserID) string { return b.user(id) + "/permissions" }
func (b base) review(id bank.UserID) string      { return b.user(id) + "/review" }
func (b base) save(id bank.UserID) string        { return b.user(id) + "/save" }
func (b base) why(id bank.UserID) string         { return b.user(id) + "/why" }
func (b base) userHistory(id bank.UserID) string { return b.user(id) + "/history" }

func (b base) account(id bank.UserID, account bank.AccountID) string {
	return b.user(id) + "/accounts/" + url.PathEscape(string(account))
}

// level is the form of a member's permissions at user level, or of one account.
func (b base) level(id bank.UserID, account bank.AccountID) string {
	if account == "" {
		return b.permissions(id)
	}
	return b.account(id, account)
}
