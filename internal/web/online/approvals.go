package online

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/a-h/templ"

	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/moneymovement/ach"
	"mandate/internal/moneymovement/wire"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// Approvals is what the app needs of the queue of what waits for a second
// person.
type Approvals interface {
	Kinds() int
	Count(context.Context, bank.Caller) (int, error)
	Queue(context.Context, bank.Caller) ([]approval.Entry, error)
	Decided(context.Context, bank.Caller, approval.DecidedQuery) (approval.DecidedPage, error)
	Get(ctx context.Context, caller bank.Caller, id string) (approval.Entry, error)
	About(ctx context.Context, caller bank.Caller, kind, ref string) (approval.Entry, error)
	Approve(ctx context.Context, caller bank.Caller, id, hash, comment string) error
	Reject(ctx context.Context, caller bank.Caller, id, comment string) error
}

// A waitingKind says how the queue shows what a room lets wait. What it is
// about, its title, its account, its amount and the lines that a person reads
// before they agree, come from the room (approval.Matter).
type waitingKind struct {
	Noun string // "Wire"
	Icon string

	// Page is the address of the room's own page of the item; nil: it has none.
	Page func(b base, e *approval.Entry) string

	// Draw shows what a person agrees to in the room's own way, above its facts;
	// nil: the facts are enough.
	Draw func(a *app, r *http.Request, v *moneyView, e *approval.Entry) (templ.Component, error)
}

// waitingKind is where a room whose items wait says how they are shown. The
// names are those under which rooms add themselves to the queue.
func (a *app) waitingKind(kind string) waitingKind {
	switch kind {
	case ach.Room:
		return waitingKind{Noun: "ACH batch", Icon: "landmark", Page: func(b base, e *approval.Entry) string { return b.achRun(e.Ref) }}
	case wire.RoomName:
		return waitingKind{Noun: "Wire", Icon: "send", Page: func(b base, e *approval.Entry) string { return b.wire(wire.ID(e.Ref)) }}
	}
	return waitingKind{Noun: "Payment", Icon: "banknote"}
}

func (b base) approvals() string         { return b.at("/approvals") }
func (b base) approval(id string) string { return b.approvals() + "/" + url.PathEscape(id) }

// approvalRoutes are the addresses of the queue. Which operation is asked
// depends on what waits: the room of approvals asks the engine for each item.
func (a *app) approvalRoutes() []web.Route {
	route := func(method, path string, handler web.HandlerFunc) web.Route {
		return web.Route{Method: method, Pattern: "/{institution}" + path, Handler: handler, Needs: web.Needs{Who: web.SignedIn, May: web.Own, Institution: web.FromPath}}
	}
	return []web.Route{
		route("GET", "/approvals", a.approvalList),
		route("GET", "/approvals/decided", a.decidedList),
		route("GET", "/approvals/decided/export", a.exportDecided),
		route("GET", "/approvals/{approval}", a.approvalDetail),
		recording(route("POST", "/approvals/{approval}/approve", a.approve), "approval.approved", true),
		recording(route("POST", "/approvals/{approval}/reject", a.reject), "approval.rejected", false),
	}
}

// asksSecond reports whether any room lets something wait here.
func (a *app) asksSecond() bool { return a.money.Approvals != nil && a.money.Approvals.Kinds() > 0 }

// waitingFor is how many items wait for whoever is signed in. It decorates
// pages: where it cannot be read, they stand without it.
func (a *app) waitingFor(r *http.Request) int {
	if !a.asksSecond() {
		return 0
	}
	n, err := a.money.Approvals.Count(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		a.site.Log.ErrorContext(r.Context(), "count what waits", "error", err)
	}
	return n
}

const showOthers = "others"

// approvalTabs are the parts of the queue.
func (b base) approvalTabs(here string, mine int) []ui.Tab {
	tabs := []ui.Tab{
		{Label: "For you to approve", Href: b.approvals(), Count: mine}, {Label: "Waiting for others", Href: b.approvals() + "?show=" + showOthers}, {Label: "Decided", Href: b.decided()},
	}
	for i := range tabs {
		tabs[i].Current = tabs[i].Href == here
	}
	return tabs
}

type approvalListPage struct {
	Shell   ui.Shell
	Tabs    []ui.Tab
	Caption string
	Result  string // "3 payments, $21,000.00 in all"
	Columns []ui.Column
	Rows    []approvalRow
	None    string
	NoneWhy string
	More    string // what is not shown
}

type approvalRow struct {
	Href, Title, Noun, Icon  string
	Account, By, Since, When string
	Who                      string // who may approve, or who decided
	Nobody                   bool
	State                    ui.State
	Cents                    bank.Cents
}

// GET /{institution}/approvals
func (a *app) approvalList(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	entries, err := a.money.Approvals.Queue(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	here, others := v.base.approvals(), r.URL.Query().Get("show") == showOthers
	page := approvalListPage{
		Shell: a.shell(r, v.me, "Approvals"), Caption: "For you to approve", None: "Nothing waits for you", NoneWhy: "When somebody needs your agreement, it is listed here, and you get a mail.",
		Columns: []ui.Column{{Label: "What"}, {Label: "Account"}, {Label: "Asked by"}, {Label: "Waits until"}, {Label: "Who may approve"}, {Label: "Amount", Money: true}},
	}
	if others {
		here += "?show=" + showOthers
		page.Caption, page.None, page.NoneWhy = "Waiting for others", "Nothing waits for others", "What you asked for, and what you may see, is listed here until somebody else decides."
	}
	mine, sum := 0, bank.Cents(0)
	for i := range entries {
		e := &entries[i]
		if e.Mine {
			mine++
		}
		if e.Mine != others {
			page.Rows = append(page.Rows, a.approvalRow(&v, e))
			sum += e.Cents
		}
	}
	page.Result = ui.Count(len(page.Rows), "payment", "payments") + ", " + sum.Dollars() + " in all"
	if len(entries) >= approval.MaxQueue {
		page.More = fmt.Sprintf("These are the first %d.", approval.MaxQueue)
	}
	page.Tabs = v.base.approvalTabs(here, mine)
	return web.Render(w, r, http.StatusOK, approvalListView(page))
}

func (a *app) approvalRow(v *moneyView, e *approval.Entry) approvalRow {
	kind := a.waitingKind(e.Kind)
	row := approvalRow{
		Href: v.base.approval(e.ID), Title: e.Title, Noun: kind.Noun, Icon: kind.Icon, By: e.Initiator.Name, Since: ui.DateTime(e.Asked, v.place()),
		When: ui.DateTime(e.Expires, v.place()), State: approvalState(e), Cents: e.Cents,
	}
	if e.Account != "" {
		row.Account = v.account(e.Account)
	}
	switch {
	case e.State == approval.Waiting:
		row.Who, row.Nobody = whoMayApprove(v, e, 2), len(e.Approvers) == 0
	case !e.Decided.IsZero():
		row.When, row.Who = ui.DateTime(e.Decided, v.place()), e.By.Name
	}
	return row
}

// whoMayApprove names who may decide, at most so many of them.
func whoMayApprove(v *moneyView, e *approval.Entry, most int) string {
	var names []string
	for _, somebody := range e.Approvers {
		if somebody.ID == v.me.Member.ID {
			names = append([]string{"You"}, names...)
			continue
		}
		names = append(names, somebody.Name)
	}
	if len(names) == 0 {
		return "Nobody"
	}
	if more := len(names) - most; more > 0 {
		return strings.Join(names[:most], ", ") + " and " + ui.Count(more, "other", "others")
	}
	return strings.Join(names, ", ")
}

// approvalState is how an item stands.
func approvalState(e *approval.Entry) ui.State {
	return map[approval.State]ui.State{
		approval.Waiting:   {Word: "Waiting", Icon: "hourglass", Tone: ui.Note},
		approval.Approved:  {Word: "Approved", Icon: "circle-check", Tone: ui.Good},
		approval.Released:  {Word: "Approved", Icon: "circle-check", Tone: ui.Good},
		approval.Rejected:  {Word: "Rejected", Icon: "circle-x", Tone: ui.Bad},
		approval.SentBack:  {Word: "Changed", Icon: "undo-2", Tone: ui.Warn},
		approval.Withdrawn: {Word: "Taken back", Icon: "circle-slash", Tone: ui.Plain},
		approval.Expired:   {Word: "Nobody decided", Icon: "clock", Tone: ui.Plain},
	}[e.State]
}

type approvalPage struct {
	Shell     ui.Shell
	Title     string
	Subtitle  string
	State     ui.State
	Drawn     templ.Component
	Facts     []ui.Fact
	Approvers []string
	Nobody    bool
	Stale     bool
	Waiting   bool
	Mine      bool
	Blocked   []blocker
	Wrong     string // why what was just tried was not done
	Outcome   *ui.Message
	Hash      string
	Comment   ui.Field
	Approve   string
	Reject    string
	Own       string // the room's page
	OwnLabel  string
}

// GET /{institution}/approvals/{approval}
func (a *app) approvalDetail(w http.ResponseWriter, r *http.Request) error {
	return a.renderApproval(w, r, http.StatusOK, web.NewForm(nil), nil)
}

func (a *app) renderApproval(w http.ResponseWriter, r *http.Request, status int, f *web.Form, refused error) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	e, err := a.money.Approvals.Get(r.Context(), web.CallerOf(r.Context()), r.PathValue("approval"))
	if err != nil && refused != nil {
		return refused
	}
	if err != nil {
		return err
	}
	kind := a.waitingKind(e.Kind)
	here := v.base.approval(e.ID)
	page := approvalPage{
		Shell: a.shell(r, v.me, e.Title, ui.Link{Label: "Approvals", Href: v.base.approvals()}), Title: e.Title, State: approvalState(&e),
		Subtitle: kind.Noun + ", asked for by " + e.Initiator.Name, Facts: v.approvalFacts(&e), Waiting: e.State == approval.Waiting, Mine: e.Mine,
		Outcome: v.outcome(&e), Hash: e.Hash, Approve: here + "/approve", Reject: here + "/reject", Comment: f.Field("comment", "Comment"),
	}
	page.Comment.Optional, page.Comment.Max = true, approval.MaxComment
	page.Comment.Help = "It is kept in the history. Whoever asked can read it."
	if kind.Page != nil {
		page.Own, page.OwnLabel = kind.Page(v.base, &e), "Open the "+lowerFirst(kind.Noun)
	}
	if kind.Draw != nil {
		if page.Drawn, err = kind.Draw(a, r, &v, &e); err != nil {
			return err
		}
	}
	if page.Waiting {
		page.whoDecides(&v, &e)
	}
	if refused != nil {
		page.Wrong = plainSentence(refused, &v)
	}
	return web.Render(w, r, status, approvalView(page))
}

func (p *approvalPage) whoDecides(v *moneyView, e *approval.Entry) {
	p.Nobody, p.Stale = len(e.Approvers) == 0, e.Stale
	for _, somebody := range e.Approvers {
		name := somebody.Name
		if somebody.ID == v.me.Member.ID {
			name += " (you)"
		}
		p.Approvers = append(p.Approvers, name)
	}
	if !e.Mine && !e.Stale {
		p.Blocked = v.blockers(entitlement.Explanation{Decision: entitlement.Decision{Reasons: e.Reasons}, Fix: e.Fix})
	}
}

// lowerFirst writes a noun within a sentence; initials stay as they are.
func lowerFirst(noun string) string {
	if len(noun) > 1 && strings.ToUpper(noun[:2]) == noun[:2] {
		return noun
	}
	return strings.ToLower(noun[:1]) + noun[1:]
}

// plainSentence is what a fault says, with the reasons of the engine.
func plainSentence(err error, v *moneyView) string {
	text := ""
	if e, ok := refusalIn(err); ok {
		for _, reason := range e.Reasons {
			text += " " + reason.Sentence(v.names())
		}
	}
	return web.SentenceOf(err) + text
}

func (v *moneyView) approvalFacts(e *approval.Entry) []ui.Fact {
	var facts []ui.Fact
	if e.Cents > 0 {
		facts = append(facts, ui.Fact{Term: "Amount", More: ui.Amount(e.Cents)})
	}
	if e.Account != "" {
		facts = append(facts, ui.Fact{Term: "Account", Value: v.account(e.Account)})
	}
	for _, line := range e.Lines {
		facts = append(facts, ui.Fact{Term: line.Term, Value: line.Value})
	}
	facts = append(facts, ui.Fact{Term: "Asked by", Value: e.Initiator.Name}, ui.Fact{Term: "Waiting since", Value: ui.DateTime(e.Asked, v.place())})
	if e.State == approval.Waiting {
		facts = append(facts, ui.Fact{Term: "Waits until", Value: ui.DateTime(e.Expires, v.place())})
	}
	return facts
}

// outcome says what came of an item that no longer waits.
func (v *moneyView) outcome(e *approval.Entry) *ui.Message {
	if e.State == approval.Waiting {
		return nil
	}
	m := &ui.Message{Tone: ui.Note, Icon: approvalState(e).Icon}
	when := ui.DateTime(e.Decided, v.place())
	switch e.State {
	case approval.Approved, approval.Released:
		m.Tone, m.Title = ui.Good, "Approved by "+e.By.Name+", "+when
	case approval.Rejected:
		m.Tone, m.Title = ui.Bad, "Rejected by "+e.By.Name+", "+when
	case approval.SentBack:
		m.Tone, m.Title = ui.Warn, "Changed, "+when
		m.Text = "What was asked for is no longer what it was. It must be asked for again."
	case approval.Withdrawn:
		m.Title, m.Text = "Taken back, "+when, "There is nothing to decide any more."
	case approval.Expired:
		m.Title, m.Text = "Nobody decided in time, "+when, "It did not go out. It can be asked for again."
	}
	if e.Comment != "" {
		m.Text = "“" + e.Comment + "”"
	}
	return m
}

// POST /{institution}/approvals/{approval}/approve
func (a *app) approve(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	id, comment := r.PathValue("approval"), f.Text("comment", approval.MaxComment)
	if !f.OK() {
		return a.renderApproval(w, r, http.StatusUnprocessableEntity, f, nil)
	}
	ask := func() (proof, error) {
		e, err := a.money.Approvals.Get(r.Context(), web.CallerOf(r.Context()), id)
		b := baseOf(r)
		return proof{
			Text: "You are about to approve: " + e.Title + ", asked for by " + e.Initiator.Name + ".", Cancel: b.approval(id),
			Crumbs: []ui.Link{{Label: "Approvals", Href: b.approvals()}, {Label: e.Title, Href: b.approval(id)}},
		}, err
	}
	done, err := a.proven(w, r, ask, func() error {
		return a.money.Approvals.Approve(r.Context(), web.CallerOf(r.Context()), id, f.Raw("hash"), comment)
	})
	if err == nil && !done {
		return nil
	}
	return a.afterDecision(w, r, f, err, "Approved")
}

// POST /{institution}/approvals/{approval}/reject
func (a *app) reject(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	comment := f.Text("comment", approval.MaxComment)
	if !f.OK() {
		return a.renderApproval(w, r, http.StatusUnprocessableEntity, f, nil)
	}
	err := a.money.Approvals.Reject(r.Context(), web.CallerOf(r.Context()), r.PathValue("approval"), comment)
	return a.afterDecision(w, r, f, err, "Rejected")
}

// afterDecision leads back to the item, with what came of it.
func (a *app) afterDecision(w http.ResponseWriter, r *http.Request, f *web.Form, err error, done string) error {
	switch fault.KindOf(err) {
	case fault.Forbidden:
		return a.renderApproval(w, r, http.StatusForbidden, f, err)
	case fault.Conflict:
		return a.renderApproval(w, r, http.StatusConflict, f, err)
	}
	if err != nil {
		return err
	}
	web.Flash(w, r, ui.Good, done)
	http.Redirect(w, r, baseOf(r).approval(r.PathValue("approval")), http.StatusSeeOther)
	return nil
}
