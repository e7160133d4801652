package console

import (
	"net/http"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/phrase"
	"mandate/internal/web/ui"
)

// labels are entitlements in one line.
func labels(set catalog.EntitlementSet) string {
	var all []string
	for _, e := range catalog.EntitlementsIn(set) {
		all = append(all, e.Label())
	}
	return strings.Join(all, ", ")
}

type memberPage struct {
	memberFrame
	Details []ui.Fact
	Reach   []phrase.ReachGroup
	Later   bool // the reach is what they may do once they can sign in
	Role    string
	Usable  string // why the role's powers are of no use; empty where they are
}

// roleMeanings say what a role is good for, in People's words.
var roleMeanings = map[bank.Role]string{
	bank.RoleAdmin:  "Creates and looks after the organization's people, and sets what they may do.",
	bank.RoleViewer: "Sees everything in User management and changes nothing.",
	bank.RoleUser:   "Has no part in User management.",
}

// GET /{institution}/people/{organization}/members/{member}
func (a *app) member(w http.ResponseWriter, r *http.Request) error {
	frame, err := a.theMember(r, "Overview")
	if err != nil {
		return err
	}
	profile := &frame.Profile
	m := &profile.Member
	page := memberPage{memberFrame: frame, Role: roleMeanings[m.Role], Details: []ui.Fact{
		{Term: "Name", Value: m.Name()}, {Term: "Preferred name", Value: m.PreferredName}, {Term: "Username", Value: m.Username}, {Term: "Email", Value: m.Email},
		{Term: "Organization", More: ui.TextLink(ui.Link{Label: profile.Organization.Name, Href: frame.Base.organization(profile.Organization.ID)})},
	}}
	policy := profile.Policy
	if m.Status != bank.StatusActive || m.Held {
		page.Later, policy = true, phrase.OnceActive(policy, m.ID)
	}
	page.Reach = phrase.Reach(policy, m.ID, a.site.Clock.Now(), profile.Names(frame.Me.House.Name))
	page.Usable = unusable(profile)
	return web.Render(w, r, http.StatusOK, memberView(page))
}

// unusable says why an admin or viewer cannot use User management.
func unusable(profile *usermgmt.Profile) string {
	m := &profile.Member
	switch {
	case m.Role == bank.RoleUser:
		return ""
	case !profile.Policy.Institution.Offers.Has(catalog.UserManagement):
		return "The institution does not offer User management."
	case !profile.Organization.Entitlements.Has(catalog.UserManagement):
		return "The organization does not have User management."
	case !m.Settings.On.Has(catalog.UserManagementEnabled):
		return "User management is off for " + m.Name() + ", so it does not show in the app."
	}
	return ""
}

type memberAccountsPage struct {
	memberFrame
	Toolbar ui.Toolbar
	Groups  []phrase.AccountGroup
}

// GET /{institution}/people/{organization}/members/{member}/accounts
func (a *app) memberAccounts(w http.ResponseWriter, r *http.Request) error {
	frame, err := a.theMember(r, "Accounts")
	if err != nil {
		return err
	}
	list := web.ReadList(r, web.ListSpec{})
	var fitting []usermgmt.MemberAccount
	for _, account := range frame.Profile.Accounts {
		if account.Fits(list.Search) {
			fitting = append(fitting, account)
		}
	}
	page := memberAccountsPage{memberFrame: frame}
	page.Toolbar = list.Toolbar("Search accounts", "Access to "+ui.ResultOf(frame.Profile.Enabled(), len(frame.Profile.Accounts), "account", "accounts"))
	page.Groups = phrase.GroupAccounts(fitting, frame.Profile.Policy.Institution.Edition, list.Search == "", func(id bank.AccountID) string {
		return accountAt(frame.at(""), id)
	})
	return web.Render(w, r, http.StatusOK, memberAccountsView(page))
}
