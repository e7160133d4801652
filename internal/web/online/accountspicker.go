package online

import (
	"cmp"
	"fmt"
	"mandate/internal/web/phrase"
	"slices"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
)

// pickerRows is how many accounts a picker shows at once; a search finds the
// others, and what is chosen among them stays chosen.
const pickerRows = 200

// A picker chooses accounts or people: search, all or none, one by one. It is
// part of a form, and the form carries what it does not show. A form with two
// of them gives one a prefix.
type picker struct {
	Prefix string
	Noun   string // "accounts"
	Redraw string // the address that draws it anew with what was typed
	Part   string // the id of what is drawn anew: the picker, or all of its form
	Search string
	Rows   []pickerRow
	Shown  string // ids of the rows, for the form that comes back
	Hidden string // ids that are chosen and not shown
	Count  string
	More   string // what is left out, in words
	Note   string
}

func (p picker) id() string { return p.Prefix + "picker" }

// part is what is drawn anew, for a script.
func (p picker) part() string { return "#" + cmp.Or(p.Part, p.id()) }

type pickerRow struct {
	ID, Name, Kind string
	On             bool
}

// The buttons of a picker.
const (
	pickSearch = "search"
	pickAll    = "all"
	pickNone   = "none"
	pickDone   = "done"
)

// newAccountPicker shows the accounts that fit a search.
func newAccountPicker(accounts []usermgmt.MemberAccount, chosen []bank.AccountID, search, redraw string) picker {
	p := picker{Noun: "accounts", Redraw: redraw, Search: search, Count: countChosen(len(chosen), len(accounts)),
		Note: "“All accounts” are today's accounts. One that comes later opens to nobody until an admin gives access to it."}
	found := findAccounts(accounts, search)
	var shown, hidden []string
	for i, account := range found {
		if i == pickerRows {
			p.More = fmt.Sprintf("%d more fit. Search for a part of a name or number to see them.", len(found)-pickerRows)
			break
		}
		p.Rows = append(p.Rows, pickerRow{ID: string(account.ID), Name: accountName(account.Account), Kind: phrase.Capital(account.Kind), On: slices.Contains(chosen, account.ID)})
		shown = append(shown, string(account.ID))
	}
	for _, id := range chosen {
		if !slices.Contains(shown, string(id)) {
			hidden = append(hidden, string(id))
		}
	}
	p.Shown, p.Hidden = strings.Join(shown, ","), strings.Join(hidden, ",")
	return p
}

// countChosen writes a number of accounts as the row of the set-up shows it.
func countChosen(n, of int) string {
	switch {
	case n == 0:
		return "No account"
	case n == of:
		return "All accounts"
	case n == 1:
		return "1 account"
	}
	return fmt.Sprintf("%d accounts", n)
}

// picked are the ids that the form of a picker carries as chosen.
func picked(f *web.Form, prefix string) []string {
	return append(strings.Split(f.Raw(prefix+"hidden"), ","), f.All(prefix+"pick")...)
}

// readPicker is what a picker's form says is chosen, after the button that was
// pressed. What the organization does not have is left out.
func readPicker(f *web.Form, accounts []usermgmt.MemberAccount) []bank.AccountID {
	chosen := map[bank.AccountID]bool{}
	for _, id := range picked(f, "") {
		chosen[bank.AccountID(id)] = true
	}
	if pressed := f.Raw("do"); pressed == pickAll || pressed == pickNone {
		for _, account := range findAccounts(accounts, f.Raw("q")) {
			chosen[account.ID] = pressed == pickAll
		}
	}
	var all []bank.AccountID
	for _, account := range accounts {
		if chosen[account.ID] {
			all = append(all, account.ID)
		}
	}
	return all
}
