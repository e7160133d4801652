package online

import (
	"net/http"
	"net/url"
	"strings"

	"mandate/internal/bank"
)

// A base is the first part of a path: the institution's. Every address of the
// app is made here.
type base string

func baseOf(r *http.Request) base { return baseOfPath(r.URL.EscapedPath()) }

func baseOfPath(escaped string) base {
	first, _, _ := strings.Cut(strings.TrimPrefix(escaped, "/"), "/")
	if plain, err := url.PathUnescape(first); err == nil {
		first = plain
	}
	return base("/" + url.PathEscape(first))
}

func baseFor(id bank.InstitutionID) base { return base("/" + url.PathEscape(string(id))) }

func (b base) institution() bank.InstitutionID {
	id, err := url.PathUnescape(strings.TrimPrefix(string(b), "/"))
	if err != nil {
		return ""
	}
	return bank.InstitutionID(id)
}

func (b base) at(path string) string { return string(b) + path }

func (b base) home() string    { return b.at("/home") }
func (b base) signIn() string  { return b.at("/sign-in") }
func (b base) signOut() string { return b.at("/sign-out") }
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
