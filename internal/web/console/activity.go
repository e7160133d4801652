package console

import (
	"cmp"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/identity"
	"mandate/internal/staff"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/history"
	"mandate/internal/web/ui"
)

func (b base) activity() string { return b.at("/activity") }

// activityRoutes are the addresses of the history: of everything, of an
// organization and of a member, each as a page, as a file, and as the count of
// what is new.
func (a *app) activityRoutes() []web.Route {
	routes := []web.Route{
		{Method: "POST", Pattern: "/{institution}/activity/filters", Handler: a.introduced(a.keepFilter(staff.OfActivity)), Needs: web.Needs{Who: web.SignedIn, May: web.Own, Institution: web.FromPath}},
		{Method: "POST", Pattern: "/{institution}/activity/filters/{name}/forget", Handler: a.introduced(a.dropFilter(staff.OfActivity)), Needs: web.Needs{Who: web.SignedIn, May: web.Own, Institution: web.FromPath}},
	}
	routes = append(routes, web.Route{Method: "GET", Pattern: "/{institution}/people/{organization}/members/{member}/why", Handler: a.introduced(a.memberWhy), Needs: needs(catalog.PeopleViewAll, "", false)})
	routes = append(routes, web.Route{Method: "POST", Pattern: "/{institution}/people/{organization}/members/{member}/see-as", Handler: a.introduced(a.seeAs), Needs: needs(catalog.PeopleManageAll, identity.EventSeeAsStarted, true)})
	for _, feed := range []struct {
		pattern string
		right   catalog.StaffPermission
		page    web.HandlerFunc
	}{
		{"/{institution}/activity", catalog.PlatformAuditSearch, a.everyActivity},
		{"/{institution}/people/{organization}/activity", catalog.PeopleViewAll, a.organizationActivity},
		{"/{institution}/people/{organization}/members/{member}/activity", catalog.PeopleViewAll, a.memberActivity},
	} {
		for ending, handler := range map[string]web.HandlerFunc{"": feed.page, ".csv": a.activityCSV, "/fresh": a.activityFresh} {
			routes = append(routes, web.Route{Method: "GET", Pattern: feed.pattern + ending, Handler: a.introduced(handler), Needs: needs(feed.right, "", false)})
		}
	}
	return routes
}

// perFeed is how many events one page shows, maxFresh how many new ones are
// counted.
const (
	perFeed  = 50
	maxFresh = 100
)

// A feedAsked is what the address of a feed asks.
type feedAsked struct {
	query  usermgmt.HistoryQuery
	values url.Values // the filters that are set
	here   string     // the page's own address, without a query
	since  activity.Place
}

var (
	actors = []ui.Option{{Value: "", Label: "Anybody"}, {Value: string(bank.ActorMember), Label: "Members"}, {Value: string(bank.ActorStaff), Label: "Staff"},
		{Value: string(bank.ActorClient), Label: "Programs"}, {Value: string(bank.ActorHost), Label: "The host"}, {Value: string(bank.ActorSystem), Label: "Mandate itself"}, {Value: string(bank.ActorOperator), Label: "The operator"}}
	channelChoices = []ui.Option{{Value: "", Label: "Any channel"}, {Value: string(bank.ChannelOnline), Label: "Online"}, {Value: string(bank.ChannelPeople), Label: "People"},
		{Value: string(bank.ChannelAPI), Label: "API"}, {Value: string(bank.ChannelSCIM), Label: "SCIM"}, {Value: string(bank.ChannelImport), Label: "Import"}, {Value: string(bank.ChannelClassic), Label: "Classic"},
		{Value: string(bank.ChannelBackOffice), Label: "BackOffice"}, {Value: string(bank.ChannelCore), Label: "Core"}, {Value: string(bank.ChannelCommand), Label: "Command"}, {Value: string(bank.ChannelSystem), Label: "Mandate itself"}}
	outcomes = []ui.Option{{Value: "", Label: "Done and refused"}, {Value: "done", Label: "Done"}, {Value: "refused", Label: "Refused"}}
)

func kindChoices() []ui.Option {
	options := []ui.Option{{Value: "", Label: "Everything"}}
	for _, k := range activity.Kinds() {
		options = append(options, ui.Option{Value: k.Value, Label: k.Area + ": " + k.Label})
	}
	return options
}

// readFeed reads the address of a page, of its file, or of its count.
func readFeed(r *http.Request) feedAsked {
	in := r.URL.Query()
	path := strings.TrimSuffix(strings.TrimSuffix(r.URL.EscapedPath(), "/fresh"), ".csv")
	f := feedAsked{values: url.Values{}, here: path, query: usermgmt.HistoryQuery{Person: memberID(r), Limit: perFeed}}
	choice := func(name string, offered []ui.Option) string {
		v := in.Get(name)
		if v == "" || !slices.ContainsFunc(offered, func(o ui.Option) bool { return o.Value == v }) {
			return ""
		}
		f.values.Set(name, v)
		return v
	}
	text := func(name string) string {
		if v := strings.TrimSpace(in.Get(name)); v != "" && len(v) <= 100 {
			f.values.Set(name, v)
		}
		return f.values.Get(name)
	}
	f.query.Kind = choice("kind", kindChoices())
	f.query.By, f.query.Channel = bank.ActorKind(choice("by", actors)), bank.Channel(choice("channel", channelChoices))
	f.query.Outcome = map[string]activity.Outcome{"done": activity.OnlyDone, "refused": activity.OnlyRefused}[choice("outcome", outcomes)]
	f.query.From, f.query.Until = bank.Day(text("from")), bank.Day(text("until"))
	if f.query.Person.Organization == "" {
		f.query.Staff = bank.StaffID(text("staff"))
	}
	f.query.Before, _ = activity.ParsePlace(in.Get("before"))
	f.since, _ = activity.ParsePlace(in.Get("since"))
	return f
}

// href is the page with its filters, and perhaps more.
func (f feedAsked) href(ending string, more ...string) string {
	q := url.Values{}
	for name, values := range f.values {
		q[name] = values
	}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	if len(q) == 0 {
		return f.here + ending
	}
	return f.here + ending + "?" + q.Encode()
}

// An activityFeed is the part of a page that shows a history.
type activityFeed struct {
	Action         string
	Kind, By       ui.Field
	Channel        ui.Field
	Outcome        ui.Field
	From, Until    ui.Field
	Staff          string // whose doings alone are shown; empty: everybody's
	StaffName      string
	Events         []ui.Event
	Fresh          *freshness // nil on older pages
	Older, Newest  string
	CSV, Clear     string
	SearchedBackTo string // where the search stopped before it had found a page
	Further        string
	Saved          []savedFilter
	Keep           *keepForm
}

// A freshness says how much is new since the page was made.
type freshness struct {
	Poll string // where to ask again
	Href string // the page as it is now
	Text string
	New  bool
}

// feed reads a page of history. The status is that of a form that came back
// where a day cannot be.
func (a *app) feed(r *http.Request, me *staff.Standing) (p activityFeed, status int, err error) {
	asked := readFeed(r)
	p.controls(asked)
	page, err := a.Customers.SearchHistory(r.Context(), web.CallerOf(r.Context()), asked.query)
	f := web.NewForm(nil)
	if err := f.Take(err); err != nil {
		return p, 0, err
	}
	p.From.Problem, p.Until.Problem = f.Problem("from"), f.Problem("until")
	if p.Fresh, err = a.fresh(r, asked, page.Events); err != nil {
		return p, 0, err
	}
	if asked.query.Before != (activity.Place{}) {
		p.Fresh, p.Newest = nil, asked.href("")
	}
	if len(page.Events) == perFeed {
		p.Older = asked.href("", "before", activity.PlaceOf(page.Events[perFeed-1]).String())
	}
	if page.Searched != (activity.Place{}) {
		p.SearchedBackTo = ui.DateTime(time.UnixMicro(page.Searched.Micros), me.House.Place)
		p.Further = asked.href("", "before", page.Searched.String())
	}
	p.Events = described(r, me, &page, asked.query.Person)
	if asked.query.Staff != "" {
		p.Staff, p.StaffName = string(asked.query.Staff), string(asked.query.Staff)
		if len(page.Events) > 0 {
			p.StaffName = page.Events[0].Actor.Name
		}
	}
	return p, f.Status(), nil
}

// described tells events to staff: with the organization where the feed is of
// all, and with where somebody sat.
func described(r *http.Request, me *staff.Standing, page *usermgmt.HistoryPage, of usermgmt.Person) []ui.Event {
	b, words := baseOf(r), history.New(me.House.Place, page.Accounts)
	var shown []ui.Event
	for _, e := range page.Events {
		event := words.Event(e)
		parts := []string{event.Where, e.IP, e.Device}
		if name := page.Organizations[e.Organization]; name != "" && of.Organization == "" {
			if me.May(catalog.PeopleViewAll) {
				event.Details = ui.Link{Label: name, Href: b.organization(e.Organization), Icon: "building-2"}
			} else {
				parts = append([]string{name}, parts...)
			}
		}
		event.Where = strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " · ")
		shown = append(shown, event)
	}
	return shown
}

func (p *activityFeed) controls(f feedAsked) {
	field := func(name, label string) ui.Field {
		return ui.Field{Name: name, Label: label, Value: f.values.Get(name), Optional: true}
	}
	p.Action, p.CSV = f.here, f.href(".csv")
	p.Kind, p.By, p.Channel, p.Outcome = field("kind", "Kind of event"), field("by", "Done by"), field("channel", "Channel"), field("outcome", "Outcome")
	p.From, p.Until = field("from", "From"), field("until", "Until")
	if len(f.values) > 0 {
		p.Clear = f.here
	}
}

// fresh counts what is new since an address says that somebody looked; without
// that, nothing is.
func (a *app) fresh(r *http.Request, asked feedAsked, shown []activity.Event) (*freshness, error) {
	top := asked.since
	n := 0
	if top != (activity.Place{}) {
		q := asked.query
		q.After, q.Before, q.Limit = top, activity.Place{}, maxFresh
		page, err := a.Customers.SearchHistory(r.Context(), web.CallerOf(r.Context()), q)
		if err != nil {
			return nil, err
		}
		n = len(page.Events)
	}
	if len(shown) > 0 {
		top = activity.PlaceOf(shown[0])
	}
	if top == (activity.Place{}) {
		top = activity.Place{Micros: a.site.Clock.Now().UnixMicro()}
	}
	out := &freshness{Poll: asked.href("/fresh", "since", top.String()), Href: asked.href("", "since", top.String()), New: n > 0, Text: "Look for new events"}
	if n > 0 {
		out.Text = ui.Count(n, "new event", "new events")
	}
	if n == maxFresh {
		out.Text = "100 or more new events"
	}
	return out, nil
}

// activityFresh is the count alone, for a page that asks by itself.
func (a *app) activityFresh(w http.ResponseWriter, r *http.Request) error {
	asked := readFeed(r)
	if asked.since == (activity.Place{}) { // the right is asked for all the same
		asked.since = activity.Place{Micros: a.site.Clock.Now().UnixMicro()}
	}
	f, err := a.fresh(r, asked, nil)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, freshView(f))
}

type everyActivityPage struct {
	Shell ui.Shell
	House string
	Feed  activityFeed
}

// GET /{institution}/activity
func (a *app) everyActivity(w http.ResponseWriter, r *http.Request) error {
	me, err := a.me(r)
	if err != nil {
		return err
	}
	feed, status, err := a.feed(r, &me)
	if err != nil {
		return err
	}
	b := baseOf(r)
	if feed.Saved, err = a.savedFilters(r, staff.OfActivity); err != nil {
		return err
	}
	if asked := readFeed(r); len(asked.values) > 0 {
		feed.Keep = newKeepForm(b, staff.OfActivity, asked.values.Encode())
	}
	page := everyActivityPage{House: me.House.Name, Feed: feed}
	if page.Shell, err = a.shell(r, &me, "Activity"); err != nil {
		return err
	}
	return web.Render(w, r, status, everyActivityView(page))
}

type organizationActivityPage struct {
	organizationFrame
	Feed activityFeed
}

// GET /{institution}/people/{organization}/activity
func (a *app) organizationActivity(w http.ResponseWriter, r *http.Request) error {
	frame, err := a.theOrganization(r, "Activity")
	if err != nil {
		return err
	}
	feed, status, err := a.feed(r, &frame.Me)
	if err != nil {
		return err
	}
	return web.Render(w, r, status, organizationActivityView(organizationActivityPage{frame, feed}))
}

type memberActivityPage struct {
	memberFrame
	Feed activityFeed
}

// GET /{institution}/people/{organization}/members/{member}/activity
func (a *app) memberActivity(w http.ResponseWriter, r *http.Request) error {
	frame, err := a.theMember(r, "Activity")
	if err != nil {
		return err
	}
	feed, status, err := a.feed(r, &frame.Me)
	if err != nil {
		return err
	}
	return web.Render(w, r, status, memberActivityView(memberActivityPage{frame, feed}))
}

// activityHeader are the columns of a feed as a file.
var activityHeader = append(slices.Insert(slices.Clone(history.Header), 1, "Organization"), "IP address", "Device")

// activityCSV is a feed as a file, read a page at a time however long it is.
// Taking it away is looking at the profile.
func (a *app) activityCSV(w http.ResponseWriter, r *http.Request) error {
	me, err := a.me(r)
	if err != nil {
		return err
	}
	if of := memberID(r); of.Organization != "" {
		if err := a.witness(r, of.Organization, of.User); err != nil {
			return err
		}
	}
	name := "activity-" + string(me.Today) + ".csv"
	return web.WriteCSV(w, name, activityHeader, a.activityRows(r, &me))
}

func (a *app) activityRows(r *http.Request, me *staff.Standing) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		q := readFeed(r).query
		for q.Limit = activity.MaxPage; ; {
			page, err := a.Customers.SearchHistory(r.Context(), web.CallerOf(r.Context()), q)
			if err != nil {
				yield(nil, err)
				return
			}
			words := history.New(me.House.Place, page.Accounts)
			for _, e := range page.Events {
				organization := cmp.Or(page.Organizations[e.Organization], me.House.Name)
				for _, row := range words.Rows(e) {
					if !yield(append(slices.Insert(row, 1, organization), e.IP, e.Device), nil) {
						return
					}
				}
			}
			switch {
			case len(page.Events) == q.Limit:
				q.Before = activity.PlaceOf(page.Events[len(page.Events)-1])
			case page.Searched != (activity.Place{}):
				q.Before = page.Searched
			default:
				return
			}
		}
	}
}
