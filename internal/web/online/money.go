package online

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/headroom"
	"mandate/internal/host"
	"mandate/internal/moneymovement/stoppayment"
	"mandate/internal/moneymovement/transfer"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/ui"
	"mandate/internal/web/why"
)

// Money are the rooms that move money; one that is nil has no screens.
type Money struct {
	Statements  Statements
	Approvals   Approvals
	Transfers   Transfers
	Stops       Stops
	ACH         ACH
	Wires       Wires
	PositivePay PositivePay
	Cards       Cards
}

// Transfers is what the app needs of the room of transfers.
type Transfers interface {
	List(context.Context, bank.Caller, transfer.Query) (transfer.Page, error)
	Get(context.Context, bank.Caller, transfer.ID) (transfer.Detail, error)
	GetSeries(context.Context, bank.Caller, transfer.SeriesID) (transfer.SeriesDetail, error)
	Options(context.Context, bank.Caller) (transfer.Options, error)
	Preview(context.Context, bank.Caller, transfer.Draft) (transfer.Preview, error)
	Create(context.Context, bank.Caller, transfer.Draft) (transfer.Made, error)
	Edit(ctx context.Context, caller bank.Caller, version int64, d transfer.Draft) error
	Cancel(ctx context.Context, caller bank.Caller, id transfer.ID, version int64) error
	Retry(ctx context.Context, caller bank.Caller, id transfer.ID, version int64) error
	CancelSeries(context.Context, bank.Caller, transfer.SeriesID) error
}

// Stops is what the app needs of the room of stop payments.
type Stops interface {
	List(context.Context, bank.Caller, stoppayment.Query) (stoppayment.Page, error)
	Get(context.Context, bank.Caller, stoppayment.ID) (stoppayment.Detail, error)
	Options(context.Context, bank.Caller) (stoppayment.Options, error)
	Preview(context.Context, bank.Caller, stoppayment.Draft) (entitlement.Explanation, error)
	Add(context.Context, bank.Caller, stoppayment.Draft) error
}

// moneyRoutes are the addresses of the rooms that are there.
func (a *app) moneyRoutes() (routes []web.Route) {
	if a.money.Approvals != nil {
		routes = append(routes, a.approvalRoutes()...)
	}
	if a.money.Statements != nil {
		routes = append(routes, a.statementRoutes()...)
	}
	if a.money.Transfers != nil {
		routes = append(routes, a.transferRoutes()...)
	}
	if a.money.Cards != nil {
		routes = append(routes, a.cardRoutes()...)
	}
	if a.money.Stops != nil {
		routes = append(routes, a.stopRoutes()...)
	}
	if a.money.ACH != nil {
		routes = append(routes, a.achRoutes()...)
	}
	if a.money.Wires != nil {
		routes = append(routes, a.wireRoutes()...)
	}
	if a.money.PositivePay != nil {
		routes = append(routes, a.posPayRoutes()...)
	}
	for i := range routes {
		routes[i].Handler = a.reasoned(&routes[i])
	}
	return routes
}

// moneyRoute is a route of somebody who is signed in, with the operation that
// its room asks the engine about.
func moneyRoute(method, path string, handler web.HandlerFunc, op catalog.Operation) web.Route {
	return web.Route{Method: method, Pattern: "/{institution}" + path, Handler: handler, Needs: web.Needs{Who: web.SignedIn, May: op.ID(), Institution: web.FromPath}}
}

// recording is a route that changes something.
func recording(route web.Route, event string, proof bool) web.Route {
	route.Needs.Event, route.Needs.Proof = event, proof
	return route
}

// moneyNav leads to what the organization has. What somebody may do there is
// said there.
func (a *app) moneyNav(r *http.Request, me *usermgmt.Standing, here func(label, href, icon string) ui.NavItem) []ui.NavGroup {
	b := baseFor(me.Institution.ID)
	var items []ui.NavItem
	if a.asksSecond() && (has(me, catalog.ACH) || has(me, catalog.Wires)) {
		item := here("Approvals", b.approvals(), "inbox")
		item.Count = a.waitingFor(r)
		items = append(items, item)
	}
	if a.money.ACH != nil && has(me, catalog.ACH) {
		items = append(items, here("ACH", b.ach(), "landmark"))
	}
	if a.money.Wires != nil && has(me, catalog.Wires) {
		items = append(items, here("Wires", b.wires(), "send"))
	}
	if a.money.Transfers != nil && has(me, catalog.Transfers) {
		items = append(items, here("Transfers", b.transfers(), "arrow-left-right"))
	}
	if a.money.Stops != nil && has(me, catalog.Stops) {
		items = append(items, here("Stop payments", b.stops(), "octagon-x"))
	}
	if a.money.PositivePay != nil && has(me, catalog.ARP) {
		items = append(items, here("Positive Pay", b.posPay(), "file-check"))
	}
	if a.money.Cards != nil && has(me, catalog.Cards) {
		items = append(items, here("Cards", b.cards(), "credit-card"))
	}
	if len(items) == 0 {
		return nil
	}
	return []ui.NavGroup{{Label: "Money", Items: items}}
}

// has reports whether somebody's organization has an entitlement.
func has(me *usermgmt.Standing, e catalog.Entitlement) bool {
	return e.In(me.Institution.Edition) && me.Institution.Offers.Has(e) && me.Organization.Entitlements.Has(e)
}

// A moneyView is what every page about money knows: who looks, which accounts
// they see, and what these are called.
type moneyView struct {
	base     base
	me       usermgmt.Standing
	profile  usermgmt.Profile
	accounts map[bank.AccountID]usermgmt.Account
	now      time.Time
}

func (a *app) moneyView(r *http.Request) (v moneyView, err error) {
	v.now = a.site.Clock.Now()
	if v.me, err = a.me(r); err != nil {
		return v, err
	}
	if v.profile, err = a.users.Mine(r.Context(), web.CallerOf(r.Context())); err != nil {
		return v, err
	}
	v.base = baseFor(v.me.Institution.ID)
	v.accounts = make(map[bank.AccountID]usermgmt.Account, len(v.profile.Accounts))
	for _, account := range v.profile.Accounts {
		v.accounts[account.ID] = account.Account
	}
	return v, nil
}

func (v *moneyView) place() *time.Location { return v.me.Policy.Institution.Location }

// account is what an account is called; one that may not be seen has no name.
func (v *moneyView) account(id bank.AccountID) string {
	if account, known := v.accounts[id]; known {
		return accountName(account)
	}
	return "An account that you do not see"
}

// names are the parties of questions, said to the person themself.
func (v *moneyView) names() entitlement.Names {
	names := v.profile.Names(v.me.Institution.Name)
	names.Member = ""
	names.Account = func(id bank.AccountID) string {
		if account, known := v.accounts[id]; known {
			return accountName(account)
		}
		return "an account that you do not see"
	}
	return names
}

// choices are accounts to choose from, by name, with what is available there.
func (v *moneyView) choices(ask string, ids []bank.AccountID, balances map[bank.AccountID]host.Balance) []ui.Option {
	options := []ui.Option{{Value: "", Label: ask}}
	offered := make(map[bank.AccountID]bool, len(ids))
	for _, id := range ids {
		offered[id] = true
	}
	for _, account := range v.profile.Accounts {
		if !offered[account.ID] {
			continue
		}
		label := accountName(account.Account)
		if balance, known := balances[account.ID]; known {
			label += ", " + balance.Available.Dollars() + " available"
		}
		options = append(options, ui.Option{Value: string(account.ID), Label: label})
	}
	return options
}

// accountFilter chooses one of the accounts that may be seen.
func (v *moneyView) accountFilter() ui.Filter {
	f := ui.Filter{Name: "account", Label: "Account", Options: []ui.Option{{Label: "Any account"}}}
	for _, account := range v.profile.Accounts {
		f.Options = append(f.Options, ui.Option{Value: string(account.ID), Label: accountName(account.Account)})
	}
	return f
}

// matching are the accounts whose name or number fits a search.
func (v *moneyView) matching(search string) (ids []bank.AccountID) {
	if search == "" {
		return nil
	}
	for _, account := range findAccounts(v.profile.Accounts, search) {
		ids = append(ids, account.ID)
	}
	return ids
}

// timeline tells the history of one thing.
func (v *moneyView) timeline(events []activity.Event) []ui.Event {
	return newDescriber(v.me, v.profile.Accounts).Events(events)
}

// date writes a day as people read it.
func date(day bank.Day) string {
	if day == "" {
		return ""
	}
	return calendar.Long(day)
}

// A ceilingLine is one limit beside an amount.
type ceilingLine struct {
	Label string // "Your Transfer limit"
	Limit bank.Cents
	Used  string // "$1,000.00 of it is used today"; empty where it is not by the day
	Left  bank.Cents
	SetBy string // "Set by Ana Ruiz on Mar 2, 2026."
	Anew  string // when it begins anew
}

// ceilings are the limits that bear on a payment.
func (v *moneyView) ceilings(room headroom.Room) []ceilingLine {
	var lines []ceilingLine
	for _, c := range room.Ceilings {
		line := ceilingLine{Limit: c.Limit, Left: c.Left, Label: "Your " + c.Permission.Info().Label, SetBy: v.setBy(c), Anew: "It holds for each payment by itself and is never used up."}
		switch c.Level {
		case entitlement.LevelOrganization:
			line.Label = v.me.Organization.Name + "'s ceiling for the " + c.Permission.Info().Label
		case entitlement.LevelUserAccount:
			line.Label += " on " + v.account(c.Account)
		}
		if c.Daily {
			line.Used, line.Anew = c.Used.Dollars()+" of it is used "+v.countedOn(c.Resets), "It begins anew "+ui.DateTime(c.Resets, v.place())+"."
		}
		lines = append(lines, line)
	}
	return lines
}

// countedOn is the day that a limit counts, which ends when it begins anew.
func (v *moneyView) countedOn(resets time.Time) string {
	last := resets.Add(-time.Second)
	if bank.DayOf(last, v.place()) == bank.DayOf(v.now, v.place()) {
		return "today"
	}
	return "on " + ui.Date(last, v.place())
}

func (v *moneyView) setBy(c headroom.Ceiling) string {
	switch {
	case c.Level == entitlement.LevelOrganization && c.SetBy != "":
		return "Set by " + v.me.Institution.Name + " on " + ui.Date(c.SetAt, v.place()) + "."
	case c.Level == entitlement.LevelOrganization:
		return ui.Ended("Set by " + v.me.Institution.Name)
	case c.SetBy != "":
		return "Set by " + c.SetBy + " on " + ui.Date(c.SetAt, v.place()) + "."
	}
	return "Set by an admin of " + v.me.Organization.Name + ", or when you were created."
}

// A blocker is one thing that stands in the way of a payment, and who can
// change it.
type blocker struct {
	Sentence string
	Room     string // of a daily limit: what is left of it
	Who      string
}

// blockers are all reasons of a refusal, each with who can change it.
func (v *moneyView) blockers(e entitlement.Explanation) []blocker {
	names := v.names()
	var all []blocker
	for _, reason := range e.Reasons {
		b := blocker{Sentence: reason.Sentence(names)}
		if reason.Code == entitlement.LimitDaily {
			b.Room = "What is left of it is " + max(0, reason.Limit-reason.Used).Dollars() + "."
		}
		for _, step := range e.Fix {
			if step.Permission == reason.Permission && step.Account == reason.Account && step.Permission != entitlement.NoPermission {
				b.Who = "Who can change it: " + why.Who(step.By) + "."
			}
		}
		if same := slices.IndexFunc(all, func(other blocker) bool { return other.Sentence == b.Sentence && other.Room == b.Room }); same < 0 {
			all = append(all, b)
		} else if len(b.Who) < len(all[same].Who) {
			all[same] = b // an entitlement and its only right go by one name: whoever can change both
		}
	}
	return all
}

// refusalIn finds why a room refused something.
func refusalIn(err error) (entitlement.Explanation, bool) {
	refused, ok := errors.AsType[interface {
		error
		Why() entitlement.Explanation
	}](err)
	if !ok {
		return entitlement.Explanation{}, false
	}
	return refused.Why(), true
}

// number reads a version or a count that a form carries; anything else is -1.
func number(text string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// askAbout asks before something happens: as a dialog, or as a page.
func (a *app) askAbout(w http.ResponseWriter, r *http.Request, v *moneyView, question ui.Confirmation, hidden [][2]string, crumbs ...ui.Link) error {
	shell := a.shell(r, v.me, question.Title, crumbs...)
	return web.RenderConfirm(w, r, http.StatusOK, question, hiddenFields(hidden), func(content templ.Component) templ.Component {
		return ui.Within(ui.Page(shell), content)
	})
}
