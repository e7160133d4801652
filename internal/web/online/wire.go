package online

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/host"
	"mandate/internal/moneymovement/wire"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// Wires is what the app needs of the room of wires.
type Wires interface {
	List(context.Context, bank.Caller, wire.Query) (wire.Page, error)
	Get(context.Context, bank.Caller, wire.ID) (wire.Detail, error)
	Options(context.Context, bank.Caller, bank.AccountID) (wire.Options, error)
	Preview(context.Context, bank.Caller, wire.Draft) (wire.Preview, error)
	Create(context.Context, bank.Caller, wire.Draft) (wire.Made, error)
	Edit(ctx context.Context, caller bank.Caller, version int64, d wire.Draft) error
	Send(ctx context.Context, caller bank.Caller, id wire.ID, version int64, anyway bool) error
	Cancel(ctx context.Context, caller bank.Caller, id wire.ID, version int64) error
	ListTemplates(ctx context.Context, caller bank.Caller, search string) ([]wire.Template, error)
	GetTemplate(context.Context, bank.Caller, wire.TemplateID) (wire.TemplateDetail, error)
	CreateTemplate(context.Context, bank.Caller, wire.TemplateDraft) error
	EditTemplate(ctx context.Context, caller bank.Caller, version int64, d wire.TemplateDraft) error
	DeleteTemplate(ctx context.Context, caller bank.Caller, id wire.TemplateID, version int64) error
	ListSeries(context.Context, bank.Caller) ([]wire.Series, error)
	GetSeries(context.Context, bank.Caller, wire.SeriesID) (wire.SeriesDetail, error)
	EditSeries(ctx context.Context, caller bank.Caller, id wire.SeriesID, version int64, e wire.SeriesEdit) error
	CancelSeries(ctx context.Context, caller bank.Caller, id wire.SeriesID, version int64) error
}

func (b base) wires() string           { return b.at("/wires") }
func (b base) newWire() string         { return b.wires() + "/new" }
func (b base) wire(id wire.ID) string  { return b.wires() + "/" + url.PathEscape(string(id)) }
func (b base) wireTemplates() string   { return b.at("/wire-templates") }
func (b base) newWireTemplate() string { return b.wireTemplates() + "/new" }
func (b base) wireSeriesList() string  { return b.at("/recurring-wires") }

func (b base) wireTemplate(id wire.TemplateID) string {
	return b.wireTemplates() + "/" + url.PathEscape(string(id))
}
func (b base) wireSeries(id wire.SeriesID) string {
	return b.wireSeriesList() + "/" + url.PathEscape(string(id))
}

func (a *app) wireRoutes() []web.Route {
	look, create, edit, send := catalog.WiresView, catalog.WiresOneTimeCreateOperation, catalog.WiresOneTimeEditOperation, catalog.WiresTransmitOperation
	makeTemplate, editTemplate, editSeries := catalog.WiresTemplateCreateOperation, catalog.WiresTemplateEditOperation, catalog.WiresRecurringEditOperation
	return []web.Route{
		moneyRoute("GET", "/wires", a.wireList, look),
		moneyRoute("GET", "/wires/export", a.exportWires, look),
		moneyRoute("GET", "/wires/new", a.newWire, create),
		moneyRoute("POST", "/wires/new", a.newWire, create),
		moneyRoute("POST", "/wires/review", a.reviewWire, create),
		recording(moneyRoute("POST", "/wires", a.createWire, create), wire.EventCreated, true),
		moneyRoute("GET", "/wires/{wire}", a.wireDetail, look),
		moneyRoute("GET", "/wires/{wire}/receipt", a.wireReceipt, look),
		moneyRoute("GET", "/wires/{wire}/edit", a.editWire, edit),
		moneyRoute("POST", "/wires/{wire}/edit", a.editWire, edit),
		moneyRoute("POST", "/wires/{wire}/review", a.reviewWire, edit),
		recording(moneyRoute("POST", "/wires/{wire}/save", a.saveWire, edit), wire.EventEdited, true),
		moneyRoute("GET", "/wires/{wire}/send", a.askSendWire, send),
		recording(moneyRoute("POST", "/wires/{wire}/send", a.sendWire, send), wire.EventInitiated, true),
		moneyRoute("GET", "/wires/{wire}/cancel", a.askCancelWire, create),
		recording(moneyRoute("POST", "/wires/{wire}/cancel", a.cancelWire, create), wire.EventDeleted, false),
		moneyRoute("GET", "/wire-templates", a.wireTemplateList, look),
		moneyRoute("GET", "/wire-templates/export", a.exportWireTemplates, look),
		moneyRoute("GET", "/wire-templates/new", a.newWireTemplate, makeTemplate),
		recording(moneyRoute("POST", "/wire-templates", a.createWireTemplate, makeTemplate), wire.EventTemplateCreated, false),
		moneyRoute("GET", "/wire-templates/{template}", a.wireTemplateDetail, look),
		moneyRoute("GET", "/wire-templates/{template}/edit", a.editWireTemplate, editTemplate),
		recording(moneyRoute("POST", "/wire-templates/{template}/save", a.saveWireTemplate, editTemplate), wire.EventTemplateEdited, false),
		moneyRoute("GET", "/wire-templates/{template}/delete", a.askDeleteWireTemplate, makeTemplate),
		recording(moneyRoute("POST", "/wire-templates/{template}/delete", a.deleteWireTemplate, makeTemplate), wire.EventTemplateDeleted, false),
		moneyRoute("GET", "/recurring-wires", a.wireSeriesList, look),
		moneyRoute("GET", "/recurring-wires/{series}", a.wireSeriesDetail, look),
		moneyRoute("GET", "/recurring-wires/{series}/edit", a.editWireSeries, editSeries),
		recording(moneyRoute("POST", "/recurring-wires/{series}/save", a.saveWireSeries, editSeries), wire.EventSeriesEdited, true),
		moneyRoute("GET", "/recurring-wires/{series}/cancel", a.askCancelWireSeries, send),
		recording(moneyRoute("POST", "/recurring-wires/{series}/cancel", a.cancelWireSeries, send), wire.EventDeleted, false),
	}
}

// wireState is how a state of a wire looks.
func wireState(s wire.State) ui.State {
	look := map[wire.State]ui.State{
		wire.Scheduled: {Icon: "calendar", Tone: ui.Note}, wire.Ready: {Icon: "circle-dashed", Tone: ui.Plain}, wire.Pending: {Icon: "hourglass", Tone: ui.Note},
		wire.Initiated: {Icon: "calendar", Tone: ui.Note}, wire.Sent: {Icon: "send", Tone: ui.Note}, wire.Processed: {Icon: "circle-check", Tone: ui.Good},
		wire.Cancelled: {Icon: "circle-slash", Tone: ui.Plain},
	}[s]
	look.Word = s.Label()
	return look
}

type wireListPage struct {
	Shell   ui.Shell
	Tabs    []ui.Tab
	Toolbar ui.Toolbar
	Columns []ui.Column
	Rows    []wireRow
	Pager   ui.Pager
	New     string
	Export  string
	Empty   bool // there is none at all
	Blocked []blocker
	Why     string
}

type wireRow struct {
	Href, Payee, Bank, From, Date, Kind, Icon string
	State                                     ui.State
	Cents                                     bank.Cents
}

// wireTabs lead to the three kinds of things that wires are made of.
func (v *moneyView) wireTabs(current string) []ui.Tab {
	tabs := []ui.Tab{{Label: "Wires", Href: v.base.wires()}, {Label: "Templates", Href: v.base.wireTemplates()}, {Label: "Recurring", Href: v.base.wireSeriesList()}}
	for i := range tabs {
		tabs[i].Current = tabs[i].Href == current
	}
	return tabs
}

var wireListSpec = web.ListSpec{
	Sorts: []string{"-day", "amount", "state", "payee"},
	Filters: map[string][]string{"state": func() (values []string) {
		for _, s := range wire.States() {
			values = append(values, string(s))
		}
		return values
	}(), "account": nil, "when": {whenUpcoming, when30, when90, whenYear}},
}

// wireQuery is what the address of the list asks.
func wireQuery(list web.List, v *moneyView, today bank.Day) wire.Query {
	t := transferQuery(list, v, today) // days and accounts are asked for alike
	return wire.Query{
		Search: t.Search, Matching: t.Matching, State: wire.State(list.Filter("state")), Account: t.Account, From: t.From, Until: t.Until,
		Sort: wire.Sort(list.Sort), Reverse: t.Reverse, Page: t.Page, Size: t.Size,
	}
}

// GET /{institution}/wires
func (a *app) wireList(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	list := web.ReadList(r, wireListSpec)
	found, err := a.money.Wires.List(r.Context(), web.CallerOf(r.Context()), wireQuery(list, &v, bank.DayOf(a.site.Clock.Now(), v.place())))
	if err != nil {
		return err
	}
	page := wireListPage{Shell: a.shell(r, v.me, "Wires"), Tabs: v.wireTabs(v.base.wires()), New: v.base.newWire()}
	if !found.May.Allowed {
		page.Blocked, page.Why = v.blockers(found.May), v.base.whyMe()+"?operation="+catalog.WiresView.ID()
		return web.Render(w, r, http.StatusForbidden, wireListView(page))
	}
	list = list.At(found.Page)
	page.Columns = []ui.Column{list.Column("payee", "Payee"), {Label: "From"}, list.Column("day", "Date"), list.Column("state", "State"), list.Column("amount", "Amount")}
	page.Columns[4].Money = true
	page.Pager, page.Empty = list.Pager("Wires", found.Matching), found.Total == 0
	page.Export = withQuery(v.base.wires() + "/export?" + r.URL.RawQuery)
	page.Toolbar = list.Toolbar("Search wires", resultOf(found.Matching, found.Total, "wire", "wires")+", "+found.Sum.Dollars()+" in all",
		stateFilter(wire.States(), func(s wire.State) (string, string) { return string(s), s.Label() }), v.accountFilter(), whenFilter())
	for i := range found.Wires {
		page.Rows = append(page.Rows, v.wireRow(&found.Wires[i]))
	}
	return web.Render(w, r, http.StatusOK, wireListView(page))
}

func (v *moneyView) wireRow(w *wire.Wire) wireRow {
	row := wireRow{
		Href: v.base.wire(w.ID), Payee: w.Payee.Name, Bank: w.Bank.Name, From: v.account(w.Account), Date: shortDate(w.Day), State: wireState(w.State), Cents: w.Cents,
	}
	switch w.Kind() {
	case wire.Recurring:
		row.Kind, row.Icon = "Recurring", "repeat"
	case wire.FromTemplate:
		row.Kind, row.Icon = w.TemplateName, "copy"
	}
	return row
}

// GET /{institution}/wires/export
func (a *app) exportWires(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	q := wireQuery(web.ReadList(r, wireListSpec), &v, bank.DayOf(a.site.Clock.Now(), v.place()))
	header := []string{
		"Reference", "Date", "From", "Payee", "Payee's account", "Payee's bank", "Routing number", "Amount", "Remarks", "State", "Problem", "Made by", "Sent off by", "Approved by", "Host reference",
	}
	return web.WriteCSV(w, "wires.csv", header, a.wireLines(r, &v, q))
}

// wireLines are all wires that a query matches, page by page.
func (a *app) wireLines(r *http.Request, v *moneyView, q wire.Query) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		q.Size = wire.MaxPage
		for q.Page = 1; ; q.Page++ {
			found, err := a.money.Wires.List(r.Context(), web.CallerOf(r.Context()), q)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, w := range found.Wires {
				line := []string{
					string(w.ID), string(w.Day), v.account(w.Account), w.Payee.Name, w.Payee.Account, w.Bank.Name, w.Bank.Routing, w.Cents.String(), w.Remarks,
					w.State.Label(), w.Problem, w.Maker.Name, w.By.Name, w.Approver, w.Reference,
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

type wireDetailPage struct {
	Shell   ui.Shell
	Title   string
	State   ui.State
	Moving  bool // the host has not answered: the page looks again by itself
	Here    string
	Problem *ui.Message
	Facts   []ui.Fact
	Events  []ui.Event
	Decide  string // where it is approved or rejected
	Send    string
	Edit    string
	Copy    string
	Cancel  string
	Receipt string
	Blocked []blocker // why it cannot be sent off
}

// GET /{institution}/wires/{wire}
func (a *app) wireDetail(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	d, err := a.oneWire(r)
	if err != nil {
		return err
	}
	here := v.base.wire(d.ID)
	page := wireDetailPage{
		Shell: a.shell(r, v.me, d.Title(), ui.Link{Label: "Wires", Href: v.base.wires()}), Title: d.Title(), State: outcome(wireState(d.State), d.Code), Moving: d.State == wire.Sent && d.Code != host.OutcomeUnknown,
		Here: here, Problem: v.wireProblem(&d), Facts: v.wireFacts(&d), Events: v.timeline(d.Events), Receipt: here + "/receipt", Copy: v.base.newWire() + "?copy=" + url.QueryEscape(string(d.ID)),
	}
	if d.Waits && d.CanDecide && a.money.Approvals != nil {
		page.Decide = v.base.approval(d.Item)
	}
	if d.CanSend {
		page.Send = here + "/send"
	}
	if d.State == wire.Ready && !d.CanSend {
		page.Blocked = v.blockers(d.May)
	}
	if d.CanEdit {
		page.Edit = here + "/edit"
	}
	if d.CanTake {
		page.Cancel = here + "/cancel"
	}
	return web.Render(w, r, http.StatusOK, wireDetailView(page))
}

func (a *app) oneWire(r *http.Request) (wire.Detail, error) {
	return a.money.Wires.Get(r.Context(), web.CallerOf(r.Context()), wire.ID(r.PathValue("wire")))
}

// wireProblem says what a wire waits for, or why it came back.
func (v *moneyView) wireProblem(d *wire.Detail) *ui.Message {
	switch {
	case d.State == wire.Sent && d.Code == host.OutcomeUnknown:
		return unknownOutcome("wire", d.Problem)
	case d.State == wire.Sent:
		return &ui.Message{Tone: ui.Note, Icon: "hourglass", Title: "Being sent", Text: "It is with the host. This page looks again by itself."}
	case d.State == wire.Ready && d.Problem != "":
		return &ui.Message{Tone: ui.Warn, Title: "This wire did not go out", Text: d.Problem + " Nothing has moved, and nothing of it counts against a limit."}
	case d.State == wire.Initiated:
		return &ui.Message{Tone: ui.Note, Icon: "calendar", Title: "Goes out " + date(d.Day), Text: "Everybody's rights are tested again then. Until then it can be changed or cancelled."}
	case !d.Waits:
		return nil
	}
	until := " Until " + ui.DateTime(d.Until, v.place()) + "; after that it is ready again."
	if len(d.Approvers) == 0 {
		return &ui.Message{Tone: ui.Warn, Title: "Nobody can approve this wire", Text: "It needs a second person, and nobody else may send a wire like this." + until}
	}
	return &ui.Message{Tone: ui.Note, Icon: "hourglass", Title: "Waits for a second person", Text: peopleOr(v.called(d)) + " can approve it." + until}
}

// called are the names of those who may approve; whoever looks comes first.
func (v *moneyView) called(d *wire.Detail) []string {
	names := make([]string, 0, len(d.Approvers))
	for _, somebody := range d.Approvers {
		if somebody.ID == v.me.Member.ID {
			names = append([]string{"You"}, names...)
			continue
		}
		names = append(names, somebody.Name)
	}
	return names
}

// peopleOr joins names: "Ana Ruiz, Ben Chen or Lee Tran".
func peopleOr(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

func (v *moneyView) wireFacts(d *wire.Detail) []ui.Fact {
	facts := v.instructionFacts(&d.Instruction)
	facts = append(facts, ui.Fact{Term: "Date", Value: date(d.Day)})
	if d.Because != "" {
		facts = append(facts, ui.Fact{Term: "Why this date", Value: d.Because})
	}
	if d.TemplateName != "" {
		facts = append(facts, ui.Fact{Term: "Template", Value: d.TemplateName})
	}
	if d.Repeats != nil {
		facts = append(facts, ui.Fact{Term: "Repeats", More: ui.TextLink(ui.Link{Label: d.Repeats.Frequency.Label(), Href: v.base.wireSeries(d.Series), Icon: "repeat"})})
	}
	facts = append(facts, ui.Fact{Term: "Made by", Value: d.Maker.Name + ", " + ui.DateTime(d.Created, v.place())})
	if !d.Initiated.IsZero() {
		facts = append(facts, ui.Fact{Term: "Sent off by", Value: d.By.Name + ", " + ui.DateTime(d.Initiated, v.place())})
	}
	if d.Approver != "" {
		facts = append(facts, ui.Fact{Term: "Approved by", Value: d.Approver})
	}
	if d.Reference != "" {
		facts = append(facts, ui.Fact{Term: "Host reference", Value: d.Reference})
	}
	return append(facts, ui.Fact{Term: "Our reference", Value: string(d.ID)})
}

// instructionFacts are whom to pay how much from where.
func (v *moneyView) instructionFacts(i *wire.Instruction) []ui.Fact {
	facts := []ui.Fact{{Term: "From", Value: v.account(i.Account)}}
	if i.Cents > 0 {
		facts = append(facts, ui.Fact{Term: "Amount", More: ui.Amount(i.Cents)})
	}
	facts = append(facts,
		ui.Fact{Term: "Payee", Value: i.Payee.Name}, ui.Fact{Term: "Payee's account", Value: i.Payee.Account}, ui.Fact{Term: "Payee's address", Value: i.Address()},
		ui.Fact{Term: "Payee's bank", Value: i.Bank.Name + ", " + i.Bank.Routing})
	if i.Via.Routing != "" {
		facts = append(facts, ui.Fact{Term: "By way of", Value: i.Via.Name + ", " + i.Via.Routing})
	}
	if i.Remarks != "" {
		facts = append(facts, ui.Fact{Term: "Remarks", Value: i.Remarks})
	}
	return facts
}

// GET /{institution}/wires/{wire}/receipt
func (a *app) wireReceipt(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	d, err := a.oneWire(r)
	if err != nil {
		return err
	}
	shell := a.shell(r, v.me, "Receipt", ui.Link{Label: "Wires", Href: v.base.wires()}, ui.Link{Label: d.Title(), Href: v.base.wire(d.ID)})
	shell.Narrow = true
	facts := append([]ui.Fact{{Term: "Institution", Value: v.me.Institution.Name}, {Term: "Organization", Value: v.me.Organization.Name}, {Term: "State", More: ui.Status(outcome(wireState(d.State), d.Code))}}, v.wireFacts(&d)...)
	if !d.Settled.IsZero() {
		facts = append(facts, ui.Fact{Term: "Last change", Value: ui.DateTime(d.Settled, v.place())})
	}
	note := "As it stands on " + ui.DateTime(a.site.Clock.Now(), v.place()) + "."
	return web.Render(w, r, http.StatusOK, receiptPage(shell, d.Title(), v.me.Institution.Name, facts, note))
}
