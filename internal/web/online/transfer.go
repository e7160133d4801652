package online

import (
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/host"
	"mandate/internal/moneymovement/transfer"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

func (b base) transfers() string       { return b.at("/transfers") }
func (b base) newTransfer() string     { return b.transfers() + "/new" }
func (b base) reviewTransfer() string  { return b.transfers() + "/review" }
func (b base) exportTransfers() string { return b.transfers() + "/export" }

func (b base) transfer(id transfer.ID) string {
	return b.transfers() + "/" + url.PathEscape(string(id))
}
func (b base) series(id transfer.SeriesID) string {
	return b.at("/recurring-transfers/") + url.PathEscape(string(id))
}

func (a *app) transferRoutes() []web.Route {
	look, create := catalog.AccountView, catalog.TransfersCreate
	return []web.Route{
		moneyRoute("GET", "/transfers", a.transferList, look),
		moneyRoute("GET", "/transfers/export", a.exportTransfers, look),
		moneyRoute("GET", "/transfers/new", a.newTransfer, create),
		moneyRoute("POST", "/transfers/new", a.newTransfer, create),
		moneyRoute("POST", "/transfers/review", a.reviewTransfer, create),
		recording(moneyRoute("POST", "/transfers", a.createTransfer, create), transfer.EventCreated, true),
		moneyRoute("GET", "/transfers/{transfer}", a.transferDetail, look),
		moneyRoute("GET", "/transfers/{transfer}/receipt", a.transferReceipt, look),
		moneyRoute("GET", "/transfers/{transfer}/edit", a.editTransfer, create),
		moneyRoute("POST", "/transfers/{transfer}/edit", a.editTransfer, create),
		moneyRoute("POST", "/transfers/{transfer}/review", a.reviewTransfer, create),
		recording(moneyRoute("POST", "/transfers/{transfer}/save", a.saveTransfer, create), transfer.EventEdited, true),
		moneyRoute("GET", "/transfers/{transfer}/cancel", a.askCancelTransfer, create),
		recording(moneyRoute("POST", "/transfers/{transfer}/cancel", a.cancelTransfer, create), transfer.EventCancelled, false),
		moneyRoute("GET", "/transfers/{transfer}/retry", a.askRetryTransfer, create),
		recording(moneyRoute("POST", "/transfers/{transfer}/retry", a.retryTransfer, create), transfer.EventSent, true),
		moneyRoute("GET", "/recurring-transfers/{series}", a.seriesDetail, look),
		moneyRoute("GET", "/recurring-transfers/{series}/cancel", a.askCancelSeries, create),
		recording(moneyRoute("POST", "/recurring-transfers/{series}/cancel", a.cancelSeries, create), transfer.EventCancelled, false),
	}
}

// transferState is how a state of a transfer looks.
func transferState(s transfer.State) ui.State {
	look := map[transfer.State]ui.State{
		transfer.Scheduled: {Icon: "calendar", Tone: ui.Note}, transfer.Sent: {Icon: "hourglass", Tone: ui.Note}, transfer.Completed: {Icon: "circle-check", Tone: ui.Good},
		transfer.Failed: {Icon: "circle-x", Tone: ui.Bad}, transfer.Parked: {Icon: "triangle-alert", Tone: ui.Warn}, transfer.Cancelled: {Icon: "circle-slash", Tone: ui.Plain},
	}[s]
	look.Word = s.Label()
	return look
}

type transferListPage struct {
	Shell   ui.Shell
	Toolbar ui.Toolbar
	Columns []ui.Column
	Rows    []transferRow
	Pager   ui.Pager
	New     string
	Export  string
	Empty   bool // there is none at all
}

type transferRow struct {
	Href, Title, From, To, Date string
	Series                      bool
	State                       ui.State
	Cents                       bank.Cents
}

var transferStates = func() (values []string) {
	for _, s := range transfer.States() {
		values = append(values, string(s))
	}
	return values
}()

// Times that a list of money can be narrowed to.
const (
	whenUpcoming = "upcoming"
	when30       = "30"
	when90       = "90"
	whenYear     = "365"
)

var transferListSpec = web.ListSpec{
	Sorts:   []string{"-day", "amount", "state"},
	Filters: map[string][]string{"state": transferStates, "account": nil, "when": {whenUpcoming, when30, when90, whenYear}},
}

// transferQuery is what the address of the list asks.
func transferQuery(list web.List, v *moneyView, today bank.Day) transfer.Query {
	q := transfer.Query{
		Search: list.Search, Matching: v.matching(list.Search), State: transfer.State(list.Filter("state")), Account: bank.AccountID(list.Filter("account")),
		Sort: transfer.Sort(list.Sort), Reverse: !list.Descending, Page: list.Page, Size: list.PerPage,
	}
	switch when := list.Filter("when"); when {
	case "":
	case whenUpcoming:
		q.From = calendar.AddDays(today, 1)
	default:
		days, _ := strconv.Atoi(when) // one of the values above
		q.From, q.Until = calendar.AddDays(today, -days), today
	}
	return q
}

// GET /{institution}/transfers
func (a *app) transferList(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	list := web.ReadList(r, transferListSpec)
	found, err := a.money.Transfers.List(r.Context(), web.CallerOf(r.Context()), transferQuery(list, &v, bank.DayOf(a.site.Clock.Now(), v.place())))
	if err != nil {
		return err
	}
	list = list.At(found.Page)
	page := transferListPage{
		Shell:   a.shell(r, v.me, "Transfers"),
		Columns: []ui.Column{{Label: "Transfer"}, {Label: "From"}, {Label: "To"}, list.Column("day", "Date"), list.Column("state", "State"), list.Column("amount", "Amount")},
		Pager:   list.Pager("Transfers", found.Matching),
		New:     v.base.newTransfer(),
		Export:  withQuery(v.base.exportTransfers() + "?" + r.URL.RawQuery),
		Empty:   found.Total == 0,
	}
	page.Columns[5].Money = true
	page.Toolbar = list.Toolbar("Search transfers", resultOf(found.Matching, found.Total, "transfer", "transfers")+", "+found.Sum.Dollars()+" in all",
		stateFilter(transfer.States(), func(s transfer.State) (string, string) { return string(s), s.Label() }), v.accountFilter(), whenFilter())
	for _, t := range found.Transfers {
		page.Rows = append(page.Rows, v.transferRow(&t))
	}
	return web.Render(w, r, http.StatusOK, transferListView(page))
}

func (v *moneyView) transferRow(t *transfer.Transfer) transferRow {
	row := transferRow{
		Href: v.base.transfer(t.ID), Title: t.Memo, From: v.account(t.From), To: v.account(t.To), Date: shortDate(t.Day),
		Series: t.Series != "", State: transferState(t.State), Cents: t.Cents,
	}
	if row.Title == "" {
		row.Title = "Transfer"
	}
	return row
}

// shortDate is a day in a list: "Mar 2, 2026".
func shortDate(day bank.Day) string { return ui.Date(day.Time(time.UTC), time.UTC) }

func stateFilter[S any](states []S, words func(S) (value, label string)) ui.Filter {
	f := ui.Filter{Name: "state", Label: "State", Options: []ui.Option{{Label: "Any state"}}}
	for _, s := range states {
		value, label := words(s)
		f.Options = append(f.Options, ui.Option{Value: value, Label: label})
	}
	return f
}

func whenFilter() ui.Filter {
	return ui.Filter{Name: "when", Label: "Date", Options: []ui.Option{
		{Label: "Any date"}, {Value: whenUpcoming, Label: "Upcoming"}, {Value: when30, Label: "Last 30 days"}, {Value: when90, Label: "Last 90 days"}, {Value: whenYear, Label: "Last year"},
	}}
}

// GET /{institution}/transfers/export
func (a *app) exportTransfers(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	q := transferQuery(web.ReadList(r, transferListSpec), &v, bank.DayOf(a.site.Clock.Now(), v.place()))
	header := []string{"Reference", "Date", "From", "To", "Amount", "Memo", "State", "Problem", "Made by", "Made at", "Host reference"}
	return web.WriteCSV(w, "transfers.csv", header, a.transferLines(r, &v, q))
}

// transferLines are all transfers that a query matches, page by page.
func (a *app) transferLines(r *http.Request, v *moneyView, q transfer.Query) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		q.Size = transfer.MaxPage
		for q.Page = 1; ; q.Page++ {
			found, err := a.money.Transfers.List(r.Context(), web.CallerOf(r.Context()), q)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, t := range found.Transfers {
				line := []string{
					string(t.ID), string(t.Day), v.account(t.From), v.account(t.To), t.Cents.String(), t.Memo, t.State.Label(), t.Problem,
					t.Maker.Name, ui.DateTime(t.Created, v.place()), t.Reference,
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

type transferDetailPage struct {
	Shell   ui.Shell
	Title   string
	State   ui.State
	Moving  bool // the host has not answered: the page looks again by itself
	Here    string
	Problem *ui.Message
	Facts   []ui.Fact
	Events  []ui.Event
	Edit    string
	Cancel  string
	Retry   string
	Copy    string
	Receipt string
	Blocked []blocker // why it cannot be tried again
}

// GET /{institution}/transfers/{transfer}
func (a *app) transferDetail(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	d, err := a.oneTransfer(r)
	if err != nil {
		return err
	}
	page := transferDetailPage{
		Shell: a.shell(r, v.me, d.Title(), ui.Link{Label: "Transfers", Href: v.base.transfers()}),
		Title: d.Title(), State: outcome(transferState(d.State), d.Code), Moving: d.State == transfer.Sent && d.Code != host.OutcomeUnknown, Here: v.base.transfer(d.ID), Problem: transferProblem(&d),
		Facts: v.transferFacts(&d), Events: v.timeline(d.Events), Receipt: v.base.transfer(d.ID) + "/receipt",
	}
	here := page.Here
	if d.CanEdit {
		page.Edit = here + "/edit"
	}
	if d.CanTake {
		page.Cancel = here + "/cancel"
	}
	if d.CanTry {
		page.Retry = here + "/retry"
	}
	if d.CanCopy {
		page.Copy = v.base.newTransfer() + "?copy=" + url.QueryEscape(string(d.ID))
	}
	return web.Render(w, r, http.StatusOK, transferDetailView(page))
}

func (a *app) oneTransfer(r *http.Request) (transfer.Detail, error) {
	return a.money.Transfers.Get(r.Context(), web.CallerOf(r.Context()), transfer.ID(r.PathValue("transfer")))
}

// transferProblem says what is wrong with a transfer, and what can be done.
func transferProblem(d *transfer.Detail) *ui.Message {
	switch d.State {
	case transfer.Parked:
		text := d.Problem + " Nothing has moved. "
		if d.CanTry {
			return &ui.Message{Tone: ui.Warn, Title: "This transfer needs attention", Text: text + "Try it again, or cancel it."}
		}
		return &ui.Message{Tone: ui.Warn, Title: "This transfer needs attention", Text: text + "Somebody who may make it can try it again."}
	case transfer.Failed:
		return &ui.Message{Tone: ui.Bad, Title: "This transfer was not carried out", Text: d.Problem + " Nothing has moved."}
	case transfer.Sent:
		if d.Code == host.OutcomeUnknown {
			return unknownOutcome("transfer", d.Problem)
		}
		return &ui.Message{Tone: ui.Note, Icon: "hourglass", Title: "Being carried out", Text: "It is with the host. This page looks again by itself."}
	}
	return nil
}

// outcome is how a payment's state looks where the code may say that nobody knows what
// came of it.
func outcome(state ui.State, code string) ui.State {
	if code == host.OutcomeUnknown {
		return ui.State{Word: "Outcome not known", Icon: "circle-question-mark", Tone: ui.Warn}
	}
	return state
}

// unknownOutcome says of a payment that is with the host that nobody waits for an
// answer any more, and what to do.
func unknownOutcome(what, problem string) *ui.Message {
	return &ui.Message{Tone: ui.Warn, Title: "It is not known whether this " + what + " was made", Text: problem + " Look at the account before you make it again, and ask us about it: name our reference."}
}

func (v *moneyView) transferFacts(d *transfer.Detail) []ui.Fact {
	facts := []ui.Fact{
		{Term: "From", Value: v.account(d.From)},
		{Term: "To", Value: v.account(d.To)},
		{Term: "Amount", More: ui.Amount(d.Cents)},
		{Term: "Date", Value: date(d.Day)},
	}
	if d.Because != "" {
		facts = append(facts, ui.Fact{Term: "Why this date", Value: d.Because})
	}
	facts = append(facts, ui.Fact{Term: "Memo", Value: d.Memo}, ui.Fact{Term: "Made by", Value: d.Maker.Name + ", " + ui.DateTime(d.Created, v.place())})
	if d.By != d.Maker {
		facts = append(facts, ui.Fact{Term: "Goes on the right of", Value: d.By.Name})
	}
	if d.Repeats != nil {
		facts = append(facts, ui.Fact{Term: "Repeats", More: ui.TextLink(ui.Link{Label: d.Repeats.Frequency.Label(), Href: v.base.series(d.Series), Icon: "repeat"})})
	}
	if !d.Settled.IsZero() && d.Reference != "" {
		facts = append(facts, ui.Fact{Term: "Host reference", Value: d.Reference})
	}
	return append(facts, ui.Fact{Term: "Our reference", Value: string(d.ID)})
}

// GET /{institution}/transfers/{transfer}/receipt
func (a *app) transferReceipt(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	d, err := a.oneTransfer(r)
	if err != nil {
		return err
	}
	shell := a.shell(r, v.me, "Receipt", ui.Link{Label: "Transfers", Href: v.base.transfers()}, ui.Link{Label: d.Title(), Href: v.base.transfer(d.ID)})
	shell.Narrow = true
	facts := append([]ui.Fact{{Term: "Institution", Value: v.me.Institution.Name}, {Term: "Organization", Value: v.me.Organization.Name}, {Term: "State", More: ui.Status(outcome(transferState(d.State), d.Code))}}, v.transferFacts(&d)...)
	if !d.Settled.IsZero() {
		facts = append(facts, ui.Fact{Term: "Last change", Value: ui.DateTime(d.Settled, v.place())})
	}
	note := "As it stands on " + ui.DateTime(a.site.Clock.Now(), v.place()) + "."
	return web.Render(w, r, http.StatusOK, receiptPage(shell, d.Title(), v.me.Institution.Name, facts, note))
}
