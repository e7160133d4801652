package online

import (
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/history"
	"mandate/internal/web/ui"
)

type feedPage struct {
	Shell  ui.Shell
	Member *usermgmt.Member // nil: the whole organization
	Tabs   []ui.Tab
	Title  string
	Action string
	Kind   ui.Field
	Kinds  []ui.Option
	Who    *ui.Field // of the organization's feed: about whom; of a member's: done to them or by them
	Whos   []ui.Option
	From   ui.Field
	Until  ui.Field
	Events []ui.Event
	Older  string // address of what came before; empty at the beginning
	Newest string // address of the first page, where this is not it
	CSV    string
	Clear  string
}

// perHistory is how many events one page shows.
const perHistory = 50

// A feedAsked is what the address of a feed asks.
type feedAsked struct {
	query  usermgmt.FeedQuery
	values url.Values // what is not at its default, without the page
}

func readFeed(r *http.Request, of usermgmt.Person) feedAsked {
	in := r.URL.Query()
	asked := feedAsked{query: usermgmt.FeedQuery{Person: of, Limit: perHistory + 1}, values: url.Values{}}
	keep := func(name string) string {
		v := strings.TrimSpace(in.Get(name))
		if v != "" && len(v) <= 100 {
			asked.values.Set(name, v)
		}
		return asked.values.Get(name)
	}
	asked.query.Kind = keep("kind")
	if !slices.ContainsFunc(usermgmt.FeedKinds(), func(k usermgmt.FeedKind) bool { return k.Value == asked.query.Kind }) {
		asked.query.Kind = ""
		asked.values.Del("kind")
	}
	asked.query.From, asked.query.Until = bank.Day(keep("from")), bank.Day(keep("until"))
	if of.User == "" {
		asked.query.About = bank.UserID(keep("about"))
	} else {
		asked.query.By = keep("side") == "by"
	}
	if before, err := strconv.ParseInt(in.Get("before"), 10, 64); err == nil && before > 0 {
		asked.query.Before = before
	}
	return asked
}

func (f feedAsked) href(address string, before int64) string {
	if before > 0 {
		return withQuery(address+"?"+f.values.Encode(), "before", strconv.FormatInt(before, 10))
	}
	return withQuery(address + "?" + f.values.Encode())
}

// memberHistory is a member's activity: what was done to them, or by them.
//
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
	b, m := baseFor(me.Institution.ID), profile.Member
	page := feedPage{
		Shell:  a.shell(r, me, "History of "+m.Name(), ui.Link{Label: "User management", Href: b.users()}),
		Member: &profile.Member,
		Tabs:   memberTabs(b, m.ID, "history"),
		Action: b.userHistory(m.ID),
		Who:    &ui.Field{Name: "side", Label: "Whose doing", Optional: true, Value: r.URL.Query().Get("side")},
		Whos:   []ui.Option{{Value: "", Label: "Done to " + m.FirstName}, {Value: "by", Label: "Done by " + m.FirstName}},
	}
	return a.renderFeed(w, r, page, newDescriber(me, profile.Accounts), person(r))
}

// organizationHistory is the organization's feed.
//
// GET /{institution}/settings/history
func (a *app) organizationHistory(w http.ResponseWriter, r *http.Request) error {
	me, mine, err := a.ownView(r)
	if err != nil {
		return err
	}
	everybody := usermgmt.Person{Organization: me.Organization.ID}
	page := feedPage{Shell: a.shell(r, me, "History"), Title: "History", Action: baseFor(me.Institution.ID).history()}
	people, more, err := a.users.Colleagues(r.Context(), web.CallerOf(r.Context()), everybody, "")
	if err != nil {
		return err
	}
	page.Who = &ui.Field{Name: "about", Label: "Person", Optional: true, Value: r.URL.Query().Get("about")}
	if more {
		page.Who.Help = "The first by name. Everybody's own history is on their profile."
	}
	page.Whos = []ui.Option{{Value: "", Label: "Everybody"}}
	for _, p := range people {
		page.Whos = append(page.Whos, ui.Option{Value: string(p.ID), Label: p.Name})
	}
	return a.renderFeed(w, r, page, newDescriber(me, mine.Accounts), everybody)
}

// ownView is who asks, with the organization's accounts.
func (a *app) ownView(r *http.Request) (me usermgmt.Standing, mine usermgmt.Profile, err error) {
	if me, err = a.me(r); err != nil {
		return me, mine, err
	}
	mine, err = a.users.Profile(r.Context(), web.CallerOf(r.Context()), usermgmt.Person{Organization: me.Organization.ID, User: me.Member.ID})
	return me, mine, err
}

func (a *app) renderFeed(w http.ResponseWriter, r *http.Request, page feedPage, words history.Describer, of usermgmt.Person) error {
	asked := readFeed(r, of)
	page.controls(asked, of.User == "")
	status := http.StatusOK
	events, err := a.users.Feed(r.Context(), web.CallerOf(r.Context()), asked.query)
	if f := web.NewForm(nil); err != nil {
		if err := f.Take(err); err != nil {
			return err
		}
		page.From.Problem, page.Until.Problem, status = f.Problem("from"), f.Problem("until"), f.Status()
	}
	if asked.query.Before > 0 {
		page.Newest = asked.href(page.Action, 0)
	}
	if len(events) > perHistory {
		events = events[:perHistory]
		page.Older = asked.href(page.Action, events[perHistory-1].Sequence)
	}
	page.Events = words.Events(events)
	return web.Render(w, r, status, feedView(page))
}

func (p *feedPage) controls(asked feedAsked, organization bool) {
	field := func(name, label string) ui.Field {
		return ui.Field{Name: name, Label: label, Value: asked.values.Get(name), Optional: true}
	}
	p.Kind, p.Kinds = field("kind", "Kind of event"), []ui.Option{{Value: "", Label: "Everything"}}
	if organization {
		p.Kinds[0].Label = "Every change"
	}
	for _, kind := range usermgmt.FeedKinds() {
		p.Kinds = append(p.Kinds, ui.Option{Value: kind.Value, Label: kind.Label})
	}
	p.From, p.Until = field("from", "From"), field("until", "Until")
	p.CSV = asked.href(p.Action+".csv", 0)
	if len(asked.values) > 0 {
		p.Clear = p.Action
	}
}

// GET /{institution}/settings/history.csv
func (a *app) organizationCSV(w http.ResponseWriter, r *http.Request) error {
	me, mine, err := a.ownView(r)
	if err != nil {
		return err
	}
	return a.writeFeed(w, r, me, mine.Accounts, usermgmt.Person{Organization: me.Organization.ID}, "history")
}

// GET /{institution}/settings/users/{user}/history.csv
func (a *app) memberCSV(w http.ResponseWriter, r *http.Request) error {
	me, err := a.me(r)
	if err != nil {
		return err
	}
	profile, err := a.users.Profile(r.Context(), web.CallerOf(r.Context()), person(r))
	if err != nil {
		return err
	}
	return a.writeFeed(w, r, me, profile.Accounts, person(r), "history-"+fileName(profile.Member.Name()))
}

// fileName makes a name that every file system takes.
func fileName(name string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, name), "-")
}

func (a *app) writeFeed(w http.ResponseWriter, r *http.Request, me usermgmt.Standing, accounts []usermgmt.MemberAccount, of usermgmt.Person, name string) error {
	asked := readFeed(r, of)
	words := newDescriber(me, accounts)
	name += "-" + string(bank.DayOf(a.site.Clock.Now(), words.Place)) + ".csv"
	return web.WriteCSV(w, name, history.Header, a.feedRows(r, asked.query, words))
}

// feedRows reads the feed a page at a time, however long it is.
func (a *app) feedRows(r *http.Request, q usermgmt.FeedQuery, words history.Describer) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		for q.Limit = activity.MaxPage; ; {
			events, err := a.users.Feed(r.Context(), web.CallerOf(r.Context()), q)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, e := range events {
				for _, row := range words.Rows(e) {
					if !yield(row, nil) {
						return
					}
				}
			}
			if len(events) < q.Limit {
				return
			}
			q.Before = events[len(events)-1].Sequence
		}
	}
}
