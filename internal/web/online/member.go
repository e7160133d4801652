package online

import (
	"net/http"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/phrase"
	"mandate/internal/web/ui"
)

type memberPage struct {
	Shell    ui.Shell
	Member   usermgmt.Member
	Self     bool
	CanEdit  bool
	Base     base
	Tabs     []ui.Tab
	Role     roleCard
	Reach    []phrase.ReachGroup
	Later    bool // the reach is what they may do once they are active
	Nothing  string
	Accounts accountsCard
	Details  []ui.Fact
	Business []ui.Fact
	Recent   []ui.Event
	Differs  []difference
	Compares bool // with the defaults
	WhyLabel string
	May      string // where all that they may do stands; empty where that is not for whoever looks
	Manage   manageCard
	Picture  string
}

// An accountsCard is the member's accounts with what they may do on each.
type accountsCard struct {
	Toolbar ui.Toolbar
	Search  bool
	Groups  []phrase.AccountGroup
}

// recent is how many events a profile shows before "All history".
const recent = 5

// GET /{institution}/settings/users/{user}
func (a *app) member(w http.ResponseWriter, r *http.Request) error {
	caller := web.CallerOf(r.Context())
	profile, err := a.users.Profile(r.Context(), caller, person(r))
	if err != nil {
		return err
	}
	me, err := a.me(r)
	if err != nil {
		return err
	}
	if !me.May(catalog.ViewProfile) {
		return errNotYours // one's own profile is open to everybody, at another address
	}
	page := a.memberPage(r, me, profile)
	page.Shell.Crumbs = []ui.Link{{Label: "User management", Href: page.Base.users()}}
	page.Tabs = memberTabs(page.Base, profile.Member.ID, "profile")
	if page.Manage, err = a.manage(r, me, profile.Member); err != nil {
		return err
	}
	if me.May(catalog.ViewUsers) {
		events, err := a.users.History(r.Context(), caller, person(r), activity.Filter{Limit: recent})
		if err != nil {
			return err
		}
		page.Recent = newDescriber(me, profile.Accounts).Events(events)
		page.Compares = true
		if page.Differs, err = a.differences(r, profile.Member, profile.Organization.ID); err != nil {
			return err
		}
	}
	return web.Render(w, r, http.StatusOK, memberView(page))
}

// ownProfile is the page of whoever asks: the same facts, nothing to change.
//
// GET /{institution}/profile
func (a *app) ownProfile(w http.ResponseWriter, r *http.Request) error {
	mine, err := a.users.Mine(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	me, err := a.me(r)
	if err != nil {
		return err
	}
	page := a.memberPage(r, me, mine)
	page.Shell.Title = "Your profile"
	page.CanEdit = false
	page.Accounts.Toolbar.Action = page.Base.profile()
	return web.Render(w, r, http.StatusOK, ownProfileView(page))
}

func (a *app) memberPage(r *http.Request, me usermgmt.Standing, profile usermgmt.Profile) memberPage {
	m := profile.Member
	b := baseFor(me.Institution.ID)
	page := memberPage{
		Shell:   a.shell(r, me, m.Name()),
		Member:  m,
		Self:    m.ID == me.Member.ID,
		CanEdit: me.May(catalog.EditPermissions),
		Base:    b,
		Role:    roleOf(me, profile),
		Details: []ui.Fact{{Term: "Name", Value: m.Name()}, {Term: "Username", Value: m.Username}, {Term: "Email", Value: m.Email}},
		Business: []ui.Fact{
			{Term: "Business name", Value: profile.Organization.Name}, {Term: "Address", Value: profile.Organization.Address},
			{Term: "Phone", Value: profile.Organization.Phone}, {Term: "Email", Value: profile.Organization.Email},
		},
		WhyLabel: "Why can't " + m.FirstName + " …?",
		May:      mayHref(me, b, m.ID),
		Picture:  b.avatar(m),
	}
	a.fillReach(&page, me, profile)
	list := web.ReadList(r, web.ListSpec{})
	found := findAccounts(profile.Accounts, list.Search)
	page.Accounts = accountsCard{
		Toolbar: list.Toolbar("Search accounts", accountsResult(list, &profile, found)),
		Search:  len(profile.Accounts) > fewAccounts,
		Groups: phrase.GroupAccounts(found, me.Institution.Edition, list.Search == "", func(account bank.AccountID) string {
			if page.Self && !me.May(catalog.ViewAccountPermissions) {
				return ""
			}
			return b.account(m.ID, account)
		}),
	}
	return page
}

func accountsResult(list web.List, profile *usermgmt.Profile, found []usermgmt.MemberAccount) string {
	if list.Search != "" {
		return resultOf(len(found), len(profile.Accounts), "account", "accounts")
	}
	switch n := profile.Enabled(); {
	case n == 0:
		return "Access to no account"
	case n == len(profile.Accounts):
		return "Access to all accounts: " + ui.Count(n, "account", "accounts")
	default:
		return "Access to " + resultOf(n, len(profile.Accounts), "account", "accounts")
	}
}

// fillReach says what the member may do now; for somebody who is not active,
// what they may do once they are.
func (a *app) fillReach(page *memberPage, me usermgmt.Standing, profile usermgmt.Profile) {
	m := profile.Member
	names := profile.Names(me.Institution.Name)
	if page.Self {
		names.Member = ""
	}
	policy := profile.Policy
	if m.Status != bank.StatusActive || m.Held {
		page.Later = true
		policy = phrase.OnceActive(policy, m.ID)
	}
	page.Reach = phrase.Reach(policy, m.ID, a.site.Clock.Now(), names)
	page.Nothing = m.FirstName + " may see no account and move no money."
	if page.Self {
		page.Nothing = "You may see no account and move no money."
	}
}

func memberTabs(b base, id bank.UserID, current string) []ui.Tab {
	return []ui.Tab{
		{Label: "Profile", Href: b.user(id), Current: current == "profile"},
		{Label: "Permissions", Href: b.permissions(id), Current: current == "permissions"},
		{Label: "History", Href: b.userHistory(id), Current: current == "history"},
	}
}

// memberSubtitle is the line below a member's name.
func memberSubtitle(m usermgmt.Member) string {
	if m.Username == "" {
		return m.Email
	}
	return m.Username + " · " + m.Email
}
