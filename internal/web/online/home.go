package online

import (
	"net/http"

	"mandate/internal/catalog"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/phrase"
	"mandate/internal/web/ui"
)

type homePage struct {
	Shell    ui.Shell
	Greeting string
	Accounts []homeAccount
	Held     bool // what is available is told
	Unread   bool // the host did not answer
	Here     string
	Toolbar  ui.Toolbar
	Pager    ui.Pager
	Search   bool // there are enough accounts to search in
	Reach    []phrase.ReachGroup
	Links    []entryLink
}

func (p homePage) columns() []ui.Column {
	columns := []ui.Column{{Label: "Account"}, {Label: "Number"}, {Label: "Kind"}}
	if p.Held {
		columns = append(columns, ui.Column{Label: "Available", Money: true})
	}
	return columns
}

// An entryLink is a way to something that people often come for.
type entryLink struct{ Href, Icon, Title, Text string }

// fewAccounts is how many are found at a glance, without a search.
const fewAccounts = 12

// GET /{institution}/home
func (a *app) home(w http.ResponseWriter, r *http.Request) error {
	me, err := a.me(r)
	if err != nil {
		return err
	}
	mine, err := a.users.Mine(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	list := web.ReadList(r, web.ListSpec{})
	names := mine.Names(me.Institution.Name)
	names.Member = ""
	page := homePage{
		Shell:    a.shell(r, me, "Home"),
		Greeting: "Welcome, " + me.Member.FirstName,
		Held:     a.money.Statements != nil,
		Here:     baseFor(me.Institution.ID).home(),
		Search:   len(mine.Accounts) > fewAccounts,
		Reach:    phrase.Reach(mine.Policy, me.Member.ID, a.site.Clock.Now(), names),
		Links:    homeLinks(baseFor(me.Institution.ID), me),
	}
	if n := a.waitingFor(r); n > 0 {
		waits := entryLink{baseFor(me.Institution.ID).approvals(), "inbox", ui.Count(n, "payment waits", "payments wait") + " for your approval", "Somebody needs a second person to agree."}
		page.Links = append([]entryLink{waits}, page.Links...)
	}
	found := findAccounts(mine.Accounts, list.Search)
	list = list.At(min(list.Page, max(1, (len(found)+list.PerPage-1)/list.PerPage)))
	shown := found[list.Offset():min(len(found), list.Offset()+list.PerPage)]
	if page.Accounts, page.Unread, err = a.homeAccounts(r, shown); err != nil {
		return err
	}
	page.Pager = list.Pager("Your accounts", len(found))
	page.Toolbar = list.Toolbar("Search accounts", resultOf(len(found), len(mine.Accounts), "account", "accounts"))
	return web.Render(w, r, http.StatusOK, homeView(page))
}

func homeLinks(b base, me usermgmt.Standing) []entryLink {
	var links []entryLink
	if me.May(catalog.ViewUsers) {
		text := "See who works for " + me.Organization.Name + " and what they may do."
		if me.May(catalog.EditPermissions) {
			text = "Decide who works for " + me.Organization.Name + " and what they may do."
		}
		links = append(links, entryLink{b.users(), "users", "User management", text})
	}
	return append(links,
		entryLink{b.whyMe(), "circle-question-mark", "Why can't I …?", "Ask about a payment or an account and see what stands in the way."},
		entryLink{b.profile(), "circle-user", "Your profile", "Your details, your role and your permissions."})
}

// findAccounts are the accounts with a text in their name, number or kind.
func findAccounts(all []usermgmt.MemberAccount, search string) []usermgmt.MemberAccount {
	var found []usermgmt.MemberAccount
	for _, account := range all {
		if account.Fits(search) {
			found = append(found, account)
		}
	}
	return found
}

// resultOf counts what a search shows: "12 of 240 users", or "240 users".
func resultOf(shown, total int, one, many string) string { return ui.ResultOf(shown, total, one, many) }

// accountName is an account as people name it: "Operating ••0137".
func accountName(a usermgmt.Account) string { return a.Label() }
