package online

import (
	"iter"
	"net/http"
	"net/url"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/moneymovement/stoppayment"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

func (b base) stops() string       { return b.at("/stop-payments") }
func (b base) newStop() string     { return b.stops() + "/new" }
func (b base) reviewStop() string  { return b.stops() + "/review" }
func (b base) exportStops() string { return b.stops() + "/export" }

func (b base) stop(id stoppayment.ID) string { return b.stops() + "/" + url.PathEscape(string(id)) }

func (a *app) stopRoutes() []web.Route {
	look, add := catalog.StopsViewOperation, catalog.StopsAddOperation
	return []web.Route{
		moneyRoute("GET", "/stop-payments", a.stopList, look),
		moneyRoute("GET", "/stop-payments/export", a.exportStops, look),
		moneyRoute("GET", "/stop-payments/new", a.newStop, add),
		moneyRoute("POST", "/stop-payments/new", a.newStop, add),
		moneyRoute("POST", "/stop-payments/review", a.reviewStop, add),
		recording(moneyRoute("POST", "/stop-payments", a.addStop, add), stoppayment.EventAdded, true),
		moneyRoute("GET", "/stop-payments/{stop}", a.stopDetail, look),
		moneyRoute("GET", "/stop-payments/{stop}/receipt", a.stopReceipt, look),
	}
}

// stopState is how a state of a stop looks.
func stopState(s stoppayment.State) ui.State {
	look := map[stoppayment.State]ui.State{
		stoppayment.Sent: {Icon: "hourglass", Tone: ui.Note}, stoppayment.Active: {Icon: "octagon-x", Tone: ui.Good}, stoppayment.Refused: {Icon: "circle-x", Tone: ui.Bad},
		stoppayment.Lifting: {Icon: "hourglass", Tone: ui.Note}, stoppayment.Lifted: {Icon: "undo-2", Tone: ui.Plain}, stoppayment.Expired: {Icon: "clock", Tone: ui.Plain},
	}[s]
	look.Word = s.Label()
	return look
}

type stopListPage struct {
	Shell   ui.Shell
	Toolbar ui.Toolbar
	Columns []ui.Column
	Rows    []stopRow
	Pager   ui.Pager
	New     string
	Add     string // "Add stop payment", or "Add another stop payment"
	Export  string
	Empty   bool
	Blocked []blocker // why stop payments cannot be seen
	Why     string
}

type stopRow struct {
	Href, Checks, Payee, Account, Placed, Until string
	State                                       ui.State
	Cents                                       bank.Cents
}

var stopStates = func() (values []string) {
	for _, s := range stoppayment.States() {
		values = append(values, string(s))
	}
	return values
}()

var stopListSpec = web.ListSpec{Sorts: []string{"-placed", "check", "until"}, Filters: map[string][]string{"state": stopStates, "account": nil}}

func stopQuery(list web.List, v *moneyView) stoppayment.Query {
	return stoppayment.Query{
		Search: list.Search, Matching: v.matching(list.Search), State: stoppayment.State(list.Filter("state")), Account: bank.AccountID(list.Filter("account")),
		Sort: stoppayment.Sort(list.Sort), Reverse: !list.Descending, Page: list.Page, Size: list.PerPage,
	}
}

// GET /{institution}/stop-payments
func (a *app) stopList(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	list := web.ReadList(r, stopListSpec)
	found, err := a.money.Stops.List(r.Context(), web.CallerOf(r.Context()), stopQuery(list, &v))
	if err != nil {
		return err
	}
	list = list.At(found.Page)
	page := stopListPage{
		Shell:   a.shell(r, v.me, "Stop payments"),
		Columns: []ui.Column{list.Column("check", "Checks"), {Label: "Account"}, list.Column("placed", "Placed"), list.Column("until", "Until"), {Label: "State"}, {Label: "Amount", Money: true}},
		Pager:   list.Pager("Stop payments", found.Matching), Empty: found.Total == 0, Add: "Add stop payment",
		Export: withQuery(v.base.exportStops() + "?" + r.URL.RawQuery),
	}
	if !page.Empty {
		page.Add = "Add another stop payment"
	}
	if found.CanAdd {
		page.New = v.base.newStop()
	}
	if !found.See.Allowed {
		page.Blocked, page.Why = v.blockers(found.See), v.base.whyMe()+"?operation="+catalog.StopsViewOperation.ID()
	}
	result := resultOf(found.Matching, found.Total, "stop payment", "stop payments")
	if found.Fees > 0 {
		result += ", " + found.Fees.Dollars() + " in fees"
	}
	page.Toolbar = list.Toolbar("Search stop payments", result,
		stateFilter(stoppayment.States(), func(s stoppayment.State) (string, string) { return string(s), s.Label() }), v.accountFilter())
	for _, s := range found.Stops {
		page.Rows = append(page.Rows, stopRow{
			Href: v.base.stop(s.ID), Checks: s.Checks(), Payee: s.Payee, Account: v.account(s.Account), Placed: ui.Date(s.Created, v.place()), Until: shortDate(s.Until),
			State: stopState(s.Standing(found.Today)), Cents: s.Cents,
		})
	}
	return web.Render(w, r, http.StatusOK, stopListView(page))
}

// GET /{institution}/stop-payments/export
func (a *app) exportStops(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	q := stopQuery(web.ReadList(r, stopListSpec), &v)
	header := []string{"Reference", "Account", "First check", "Last check", "Amount", "Date on the check", "Payee", "Fee", "State", "Problem", "Placed", "Until", "Placed by", "Host reference"}
	return web.WriteCSV(w, "stop-payments.csv", header, a.stopLines(r, &v, q))
}

// stopLines are all stops that a query matches, page by page.
func (a *app) stopLines(r *http.Request, v *moneyView, q stoppayment.Query) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		q.Size = stoppayment.MaxPage
		for q.Page = 1; ; q.Page++ {
			found, err := a.money.Stops.List(r.Context(), web.CallerOf(r.Context()), q)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, s := range found.Stops {
				line := []string{
					string(s.ID), v.account(s.Account), checkNumber(s.First), checkNumber(s.Last), amountOrNone(s.Cents), string(s.CheckDay), s.Payee, s.Fee.String(),
					s.Standing(found.Today).Label(), s.Problem, ui.DateTime(s.Created, v.place()), string(s.Until), s.By.Name, s.Reference,
				}
				if !yield(line, nil) {
					return
				}
			}
			if found.Page != q.Page || found.Page*q.Size >= found.Matching {
				return
			}
		}
	}
}

func amountOrNone(c bank.Cents) string {
	if c == 0 {
		return ""
	}
	return c.String()
}

type stopDetailPage struct {
	Shell   ui.Shell
	Title   string
	State   ui.State
	Moving  bool
	Here    string
	Problem *ui.Message
	Facts   []ui.Fact
	Events  []ui.Event
	Receipt string
	Note    string
}

// GET /{institution}/stop-payments/{stop}
func (a *app) stopDetail(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	d, err := a.oneStop(r)
	if err != nil {
		return err
	}
	standing := d.Standing(d.Today)
	page := stopDetailPage{
		Shell: a.shell(r, v.me, d.Checks(), ui.Link{Label: "Stop payments", Href: v.base.stops()}),
		Title: d.Checks(), State: stopState(standing), Moving: standing == stoppayment.Sent || standing == stoppayment.Lifting, Here: v.base.stop(d.ID),
		Facts: v.stopFacts(&d), Events: v.timeline(d.Events), Receipt: v.base.stop(d.ID) + "/receipt",
	}
	switch standing {
	case stoppayment.Refused:
		page.Problem = &ui.Message{Tone: ui.Bad, Title: "This stop payment was not placed", Text: d.Problem + " The check can still be paid."}
	case stoppayment.Expired:
		page.Problem = &ui.Message{Tone: ui.Warn, Title: "The six months are over", Text: "The check can be paid again. Place another stop payment if it must not be."}
	case stoppayment.Sent, stoppayment.Lifting:
		page.Problem = &ui.Message{Tone: ui.Note, Icon: "hourglass", Title: standing.Label(), Text: "It is with the host. This page looks again by itself."}
	case stoppayment.Active:
		page.Note = ui.Ended("To end it before " + date(d.Until) + ", ask " + v.me.Institution.Name)
	}
	return web.Render(w, r, http.StatusOK, stopDetailView(page))
}

func (a *app) oneStop(r *http.Request) (stoppayment.Detail, error) {
	return a.money.Stops.Get(r.Context(), web.CallerOf(r.Context()), stoppayment.ID(r.PathValue("stop")))
}

func (v *moneyView) stopFacts(d *stoppayment.Detail) []ui.Fact {
	facts := []ui.Fact{{Term: "Account", Value: v.account(d.Account)}, {Term: "Checks", Value: d.Checks()}}
	if d.Cents > 0 {
		facts = append(facts, ui.Fact{Term: "Amount", More: ui.Amount(d.Cents)})
	}
	if d.CheckDay != "" {
		facts = append(facts, ui.Fact{Term: "Date on the check", Value: date(d.CheckDay)})
	}
	if d.Payee != "" {
		facts = append(facts, ui.Fact{Term: "Payee", Value: d.Payee})
	}
	facts = append(facts, ui.Fact{Term: "Holds until", Value: date(d.Until)})
	if d.Fee > 0 {
		facts = append(facts, ui.Fact{Term: "Fee", More: ui.Amount(d.Fee)}, ui.Fact{Term: "Fee charged on", Value: date(d.Day)})
	}
	facts = append(facts, ui.Fact{Term: "Asked for by", Value: d.By.Name + ", " + ui.DateTime(d.Created, v.place())})
	if d.Reference != "" {
		facts = append(facts, ui.Fact{Term: "Host reference", Value: d.Reference})
	}
	return append(facts, ui.Fact{Term: "Our reference", Value: string(d.ID)})
}

// GET /{institution}/stop-payments/{stop}/receipt
func (a *app) stopReceipt(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	d, err := a.oneStop(r)
	if err != nil {
		return err
	}
	shell := a.shell(r, v.me, "Receipt", ui.Link{Label: "Stop payments", Href: v.base.stops()}, ui.Link{Label: d.Checks(), Href: v.base.stop(d.ID)})
	shell.Narrow = true
	facts := append([]ui.Fact{{Term: "Institution", Value: v.me.Institution.Name}, {Term: "Organization", Value: v.me.Organization.Name}, {Term: "State", More: ui.Status(stopState(d.Standing(d.Today)))}}, v.stopFacts(&d)...)
	note := "As it stands on " + ui.DateTime(a.site.Clock.Now(), v.place()) + "."
	return web.Render(w, r, http.StatusOK, receiptPage(shell, "Stop payment of "+d.Checks(), v.me.Institution.Name, facts, note))
}
