package online

import (
	"net/http"
	"net/url"
	"strconv"

	"mandate/internal/activity"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

type historyPage struct {
	Shell  ui.Shell
	Member *usermgmt.Member // nil: the whole organization
	Tabs   []ui.Tab
	Title  string
	Kinds  ui.Field
	Kind   []ui.Option
	Action string
	Events []ui.Event
	Older  string // address of what came before; empty at the beginning
	Newest string // address of the first page, where this is not it
}

// perHistory is how many events one page shows.
const perHistory = 50

// Kinds of events to choose from; the empty one is everything.
var historyKinds = []struct {
	value, label string
	names        []string
}{
	{"", "Everything", nil},
	{"permissions", "Permissions and account access", []string{"orguser.permission_changed", "orguser.entitlement_changed", "orguser.account_access_changed", "orguser.role_changed", "org.entitlement_changed"}},
	{"people", "Created, invited and deleted", []string{"orguser.created", "orguser.deleted", "orguser.invited", "orguser.invite_revoked", "orguser.credentials_created", "orguser.activated"}},
	{"profile", "Profile", []string{"orguser.profile_changed", "orguser.preferred_name_changed"}},
	{"standing", "Locks and holds", []string{"orguser.locked", "orguser.unlocked", "orguser.hold_placed", "orguser.hold_removed", "orguser.disabled"}},
	{"signin", "Signing in", []string{"auth.signin_succeeded", "auth.signin_failed", "hra.passed", "hra.failed", "orguser.password_reset_sent", "orguser.password_reset_completed"}},
}

// changesOnly are the kinds that an organization's feed begins with: what was
// changed, without everybody's comings and goings.
func changesOnly() (names []string) {
	for _, kind := range historyKinds {
		if kind.value != "signin" {
			names = append(names, kind.names...)
		}
	}
	return names
}

// GET /{institution}/settings/users/{user}/history
func (a *app) memberHistory(w http.ResponseWriter, r *http.Request) error {
	profile, err := a.users.Profile(r.Context(), web.CallerOf(r.Context()), person(r))
	if err != nil {
		return err
	}
	me, err := a.me(r)
	if err != nil {
		return err
	}
	b := baseFor(me.Institution.ID)
	page := historyPage{
		Shell:  a.shell(r, me, "History of "+profile.Member.Name(), ui.Link{Label: "User management", Href: b.users()}),
		Member: &profile.Member,
		Tabs:   memberTabs(b, profile.Member.ID, "history"),
		Action: b.userHistory(profile.Member.ID),
	}
	return a.renderHistory(w, r, page, newDescriber(me, profile.Accounts), person(r))
}

// GET /{institution}/settings/history
func (a *app) organizationHistory(w http.ResponseWriter, r *http.Request) error {
	me, err := a.me(r)
	if err != nil {
		return err
	}
	mine, err := a.users.Profile(r.Context(), web.CallerOf(r.Context()), usermgmt.Person{Organization: me.Organization.ID, User: me.Member.ID})
	if err != nil {
		return err
	}
	page := historyPage{Shell: a.shell(r, me, "History"), Title: "History", Action: baseFor(me.Institution.ID).history()}
	return a.renderHistory(w, r, page, newDescriber(me, mine.Accounts), usermgmt.Person{Organization: me.Organization.ID})
}

func (a *app) renderHistory(w http.ResponseWriter, r *http.Request, page historyPage, words describer, of usermgmt.Person) error {
	q := r.URL.Query()
	f := activity.Filter{Limit: perHistory + 1, WithRefused: true}
	page.Kinds = ui.Field{Name: "kind", Label: "Kind of event"}
	for _, kind := range historyKinds {
		if kind.value == "" && page.Member == nil {
			kind.label, kind.names = "Every change", changesOnly()
		}
		page.Kind = append(page.Kind, ui.Option{Value: kind.value, Label: kind.label})
		if kind.value == q.Get("kind") {
			page.Kinds.Value, f.Names = kind.value, kind.names
		}
	}
	if before, err := strconv.ParseInt(q.Get("before"), 10, 64); err == nil && before > 0 {
		f.Before = before
		page.Newest = historyAddress(page.Action, page.Kinds.Value, 0)
	}
	events, err := a.users.History(r.Context(), web.CallerOf(r.Context()), of, f)
	if err != nil {
		return err
	}
	if len(events) > perHistory {
		events = events[:perHistory]
		page.Older = historyAddress(page.Action, page.Kinds.Value, events[perHistory-1].Sequence)
	}
	page.Events = words.events(events)
	return web.Render(w, r, http.StatusOK, historyView(page))
}

func historyAddress(action, kind string, before int64) string {
	q := url.Values{}
	if kind != "" {
		q.Set("kind", kind)
	}
	if before > 0 {
		q.Set("before", strconv.FormatInt(before, 10))
	}
	if len(q) == 0 {
		return action
	}
	return action + "?" + q.Encode()
}
