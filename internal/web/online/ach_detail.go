package online

import (
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/moneymovement/ach"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

type batchDetailPage struct {
	Shell    ui.Shell
	Title    string
	State    ui.State
	Moving   bool // the host has not answered: the page looks again by itself
	Here     string
	Messages []batchMessage
	Figures  []ui.Figure
	Facts    []ui.Fact
	Doings   []ui.Action
	Entries  entryTable
	Runs     []runRow
	Columns  []ui.Column
	Events   []ui.Event
}

// A batchMessage stands above a batch, with the way on.
type batchMessage struct {
	ui.Message
	Action ui.Action
}

// An entryTable is a page of a batch's recipients.
type entryTable struct {
	Columns []ui.Column
	Rows    []entryRow
	Toolbar ui.Toolbar
	Pager   ui.Pager
	Export  string
}

type entryRow struct {
	Name, ID, Account, Routing, Way, Kind, Addenda string
	Marks                                          []ui.State
	Cents                                          bank.Cents
}

type runRow struct {
	Day, Who, Approver, Account, Reference string
	State                                  ui.State
	Reason                                 string
	Cents                                  bank.Cents
}

var entryListSpec = web.ListSpec{PerPage: 50, Filters: map[string][]string{"only": {"held", "prenote"}}}

// crumbs lead from the list of batches to a page below one.
func (v *moneyView) achCrumbs(more ...ui.Link) []ui.Link {
	return append([]ui.Link{{Label: "ACH", Href: v.base.ach()}}, more...)
}

func (v *moneyView) batchLink(b *ach.Batch) ui.Link {
	return ui.Link{Label: b.Name, Href: v.base.batch(b.ID)}
}

func (a *app) oneBatch(r *http.Request) (ach.Detail, error) {
	return a.money.ACH.Get(r.Context(), web.CallerOf(r.Context()), ach.BatchID(r.PathValue("batch")))
}

// batchOfRun leads from one way of a batch to the batch: the queue of approvals
// knows nothing but the way.
//
// GET /{institution}/ach/runs/{run}
func (a *app) batchOfRun(w http.ResponseWriter, r *http.Request) error {
	id, err := a.money.ACH.BatchOf(r.Context(), web.CallerOf(r.Context()), ach.RunID(r.PathValue("run")))
	if err != nil {
		return err
	}
	http.Redirect(w, r, baseOf(r).batch(id), http.StatusSeeOther)
	return nil
}

// GET /{institution}/ach/batches/{batch}
func (a *app) batchDetail(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	d, err := a.oneBatch(r)
	if err != nil {
		return err
	}
	page := batchDetailPage{
		Shell: a.shell(r, v.me, d.Name, v.achCrumbs()...), Title: d.Name, State: batchState(d.State), Moving: d.State == ach.Processing, Here: v.base.batch(d.ID),
		Figures: batchFigures(&d), Facts: v.batchFacts(&d), Doings: v.batchDoings(&d), Entries: v.entryTable(r, &d), Events: v.timeline(d.History),
		Columns: []ui.Column{{Label: "Effective date"}, {Label: "State"}, {Label: "Initiated by"}, {Label: "Account"}, {Label: "Amount", Money: true}},
	}
	for i := range d.Runs {
		page.Runs = append(page.Runs, v.runRow(&d.Runs[i]))
	}
	if page.Messages, err = a.batchMessages(r, &v, &d); err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, batchDetailView(page))
}

func batchFigures(d *ach.Detail) []ui.Figure {
	skipped := ""
	if d.Idle > 0 {
		skipped = fmt.Sprintf("%d of them skipped: held, or waiting for a prenote", d.Idle)
	}
	return []ui.Figure{
		{Label: "Credits", Value: d.Credits.Dollars(), Note: "Paid to recipients"},
		{Label: "Debits", Value: d.Debits.Dollars(), Note: "Collected from recipients"},
		{Label: "Recipients", Value: strconv.Itoa(d.Entries), Note: skipped},
	}
}

func (v *moneyView) batchFacts(d *ach.Detail) []ui.Fact {
	facts := []ui.Fact{
		{Term: "Company", Value: d.Header.CompanyName + ", " + d.Header.CompanyID}, {Term: "Class", Value: d.Header.SEC}, {Term: "Description", Value: d.Header.Description},
		{Term: "Kind", Value: kindLabels[d.Kind]}, {Term: "Category", Value: d.CategoryName},
	}
	if d.Header.CompanyData != "" {
		facts = append(facts, ui.Fact{Term: "Discretionary data", Value: d.Header.CompanyData})
	}
	switch {
	case d.Own:
		facts = append(facts, ui.Fact{Term: "Restricted", Value: "Yes, this batch itself"})
	case d.InCategory:
		facts = append(facts, ui.Fact{Term: "Restricted", Value: "Yes, its category"})
	}
	if s := d.Schedule; s != nil {
		facts = append(facts, ui.Fact{Term: "Repeats", Value: s.Frequency.Label() + ", next on " + date(s.Next)}, ui.Fact{Term: "On the right of", Value: s.Member.Name})
	}
	if run := currentRun(d); run != nil {
		facts = append(facts, ui.Fact{Term: "Effective date", Value: date(run.Effective)}, ui.Fact{Term: "Offset account", Value: v.offsetName(run.Offset)},
			ui.Fact{Term: "Can be taken back until", Value: ui.DateTime(run.Due, v.place())})
	}
	return append(facts, ui.Fact{Term: "Made by", Value: d.Creator.Name + ", " + ui.DateTime(d.Created, v.place())},
		ui.Fact{Term: "Edited last by", Value: d.LastEditor.Name + ", " + ui.DateTime(d.Edited, v.place())}, ui.Fact{Term: "Our reference", Value: string(d.ID)})
}

func (v *moneyView) offsetName(id bank.AccountID) string {
	if id == "" {
		return "None: the batch balances itself"
	}
	return v.account(id)
}

// currentRun is the way on which a batch is now; nil where it is on none.
func currentRun(d *ach.Detail) *ach.Run {
	for i := range d.Runs {
		if d.Runs[i].ID == d.Run {
			return &d.Runs[i]
		}
	}
	return nil
}

// batchDoings are what the person may do with a batch as it stands.
func (v *moneyView) batchDoings(d *ach.Detail) (doings []ui.Action) {
	here := v.base.batch(d.ID)
	add := func(op catalog.Operation, action ui.Action) {
		if d.State.Takes(op) && d.May[op].Allowed {
			doings = append(doings, action)
		}
	}
	if d.State.Takes(catalog.ACHBatchInitiate) { // whoever may not is told why
		doings = append(doings, ui.Action{Label: "Initiate", Icon: "send", Variant: ui.Primary, Href: here + "/initiate"})
	}
	add(catalog.ACHBatchUninitiate, ui.Action{Label: "Uninitiate", Icon: "undo-2", Href: here + "/uninitiate", Dialog: true})
	if d.State == ach.Pending && d.PartialEdit.Allowed {
		doings = append(doings, ui.Action{Label: "Return to ready", Icon: "undo-2", Href: here + "/return", Dialog: true})
	}
	if d.State.Takes(catalog.ACHBatchEdit) && d.PartialEdit.Allowed {
		doings = append(doings, ui.Action{Label: "Edit recipients", Icon: "users", Href: here + "/recipients"})
	}
	add(catalog.ACHBatchEdit, ui.Action{Label: "Edit batch", Icon: "pencil", Href: here + "/edit"})
	add(catalog.ACHRecipientsImport, ui.Action{Label: "Import recipients", Icon: "upload", Href: here + "/import"})
	if d.Schedule != nil || d.State == ach.Ready {
		add(catalog.ACHBatchEdit, ui.Action{Label: "Recurring", Icon: "repeat", Href: here + "/schedule"})
	}
	add(catalog.ACHBatchCreate, ui.Action{Label: "Copy", Icon: "copy", Href: here + "/copy", Dialog: true})
	doings = append(doings, ui.Action{Label: "Receipt", Icon: "receipt-text", Href: here + "/receipt"})
	add(catalog.ACHBatchDelete, ui.Action{Label: "Delete", Icon: "trash-2", Variant: ui.Danger, Href: here + "/delete", Dialog: true})
	return doings
}

func (a *app) batchMessages(r *http.Request, v *moneyView, d *ach.Detail) (all []batchMessage, err error) {
	switch d.State {
	case ach.Pending:
		m, err := a.pendingMessage(r, v, d)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	case ach.Processing:
		all = append(all, batchMessage{ui.Message{Tone: ui.Note, Icon: "hourglass", Title: "With the institution", Text: "Its file is with the host. This page looks again by itself."},
			ui.Action{Label: "Look again", Small: true, Href: v.base.batch(d.ID)}})
	case ach.Ready:
		if len(d.Runs) > 0 && d.Runs[0].Reason != "" && d.Runs[0].State == "returned" {
			all = append(all, batchMessage{Message: ui.Message{Tone: ui.Warn, Icon: "undo-2", Title: "It came back", Text: d.Runs[0].Reason}})
		}
	}
	if d.Schedule != nil && d.Schedule.Parked != "" {
		all = append(all, batchMessage{ui.Message{Tone: ui.Warn, Title: "The schedule has stopped", Text: d.Schedule.Parked + " Somebody who may send this batch can start it again."},
			ui.Action{Label: "Recurring", Small: true, Href: v.base.batch(d.ID) + "/schedule"}})
	}
	return all, nil
}

func (a *app) pendingMessage(r *http.Request, v *moneyView, d *ach.Detail) (batchMessage, error) {
	m := batchMessage{Message: ui.Message{Tone: ui.Warn, Icon: "hourglass", Title: "Waiting for approval"}}
	e, err := a.money.Approvals.About(r.Context(), web.CallerOf(r.Context()), ach.Room, string(d.Run))
	if fault.KindOf(err) == fault.NotFound {
		m.Text = "Somebody decides about it now."
		return m, nil
	}
	if err != nil {
		return m, err
	}
	m.Text = approversSentence(&e)
	m.Action = ui.Action{Label: "Look at the request", Small: true, Href: v.base.approval(e.ID)}
	if e.Mine {
		m.Action = ui.Action{Label: "Approve or reject", Small: true, Variant: ui.Primary, Href: v.base.approval(e.ID)}
	}
	return m, nil
}

func approversSentence(e *approval.Entry) string {
	var people []ach.Somebody
	for _, s := range e.Approvers {
		people = append(people, ach.Somebody{ID: s.ID, Name: s.Name})
	}
	if len(people) == 0 {
		return "Nobody in the organization could approve it now: it takes somebody else with the right to initiate ACH batches and a high enough limit."
	}
	return namesOf(people) + " can approve it."
}

func (v *moneyView) runRow(run *ach.Run) runRow {
	row := runRow{
		Day: shortDate(run.Effective), Who: run.Initiator.Name, Approver: run.Approver, Account: v.offsetName(run.Offset), Reference: run.Reference,
		State: batchState(ach.State(run.State)), Reason: run.Reason, Cents: run.Amount(),
	}
	switch run.State {
	case "returned":
		row.State = ui.State{Word: "Returned", Icon: "undo-2", Tone: ui.Warn}
	case "uninitiated":
		row.State = ui.State{Word: "Uninitiated", Icon: "undo-2", Tone: ui.Plain}
	}
	if run.SameDay {
		row.Day += ", same day"
	}
	return row
}

// someEntries are the recipients that an address asks for.
func someEntries(list web.List, all []ach.Entry) (some []ach.Entry) {
	search := strings.ToLower(list.Search)
	for i := range all {
		e := &all[i]
		text := strings.ToLower(e.Name + " " + e.ID + " " + e.Account + " " + e.Routing + " " + e.Amount.Dollars())
		only := list.Filter("only")
		if strings.Contains(text, search) && (only == "" || only == "held" && e.Held || only == "prenote" && e.Prenote) {
			some = append(some, *e)
		}
	}
	return some
}

func (v *moneyView) entryTable(r *http.Request, d *ach.Detail) entryTable {
	list := web.ReadList(r, entryListSpec)
	some := someEntries(list, d.All)
	table := entryTable{Pager: list.Pager("Recipients", len(some)), Export: v.base.batch(d.ID) + "/export",
		Columns: []ui.Column{{Label: "Recipient"}, {Label: "Account"}, {Label: "Routing number"}, {Label: "Debit or credit"}, {Label: "Amount", Money: true}}}
	result := ui.Count(len(d.All), "recipient", "recipients")
	if len(some) != len(d.All) {
		result = fmt.Sprintf("%d of %s", len(some), result)
	}
	table.Toolbar = list.Toolbar("Search recipients", result, ui.Filter{Name: "only", Label: "Which", Options: []ui.Option{{Label: "All recipients"}, {Value: "held", Label: "Held"}, {Value: "prenote", Label: "Prenotes"}}})
	from := min(list.Offset(), len(some))
	for i := range some[from:min(from+list.PerPage, len(some))] {
		table.Rows = append(table.Rows, entryLine(&some[from+i]))
	}
	return table
}

// entryLine shows of an account number no more than its end.
func entryLine(e *ach.Entry) entryRow {
	row := entryRow{Name: strings.TrimSpace(e.Name), ID: e.ID, Account: "••" + e.Account[max(0, len(e.Account)-4):], Routing: e.Routing, Way: wayOf(e), Cents: e.Amount}
	row.Account += ", " + string(e.Code.Kind())
	if addenda, simple := e.Addendum(); simple {
		row.Addenda = addenda
	} else {
		row.Addenda = ui.Count(len(e.Addenda), "addenda record", "addenda records")
	}
	if e.Held {
		row.Marks = append(row.Marks, ui.State{Word: "Held", Icon: "circle-pause", Tone: ui.Warn})
	}
	if e.Prenote {
		mark := ui.State{Word: "Prenote", Icon: "circle-dashed", Tone: ui.Note}
		if e.LiveFrom != "" {
			mark.Word = "Prenote sent, live from " + shortDate(e.LiveFrom)
		}
		row.Marks = append(row.Marks, mark)
	}
	return row
}

func wayOf(e *ach.Entry) string {
	if e.Code.Debit() {
		return "Debit"
	}
	return "Credit"
}

// GET /{institution}/ach/batches/{batch}/export
func (a *app) exportEntries(w http.ResponseWriter, r *http.Request) error {
	d, err := a.oneBatch(r)
	if err != nil {
		return err
	}
	header := []string{"Name", "Id", "Account", "Account type", "Routing number", "Debit or credit", "Amount", "Addenda", "Held", "Prenote", "Live from"}
	return web.WriteCSV(w, "ach-recipients.csv", header, entryCells(d.All))
}

func entryCells(all []ach.Entry) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		for i := range all {
			e := &all[i]
			row := entryLine(e)
			line := []string{row.Name, e.ID, "••" + e.Account[max(0, len(e.Account)-4):], string(e.Code.Kind()), e.Routing, row.Way, e.Amount.String(), row.Addenda,
				yesNo(e.Held), yesNo(e.Prenote), string(e.LiveFrom)}
			if !yield(line, nil) {
				return
			}
		}
	}
}

// GET /{institution}/ach/batches/{batch}/receipt
func (a *app) batchReceipt(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	d, err := a.oneBatch(r)
	if err != nil {
		return err
	}
	shell := a.shell(r, v.me, "Receipt", v.achCrumbs(v.batchLink(&d.Batch))...)
	shell.Narrow = true
	facts := append([]ui.Fact{{Term: "Institution", Value: v.me.Institution.Name}, {Term: "Organization", Value: v.me.Organization.Name}, {Term: "State", More: ui.Status(batchState(d.State))},
		{Term: "Credits", More: ui.Amount(d.Credits)}, {Term: "Debits", More: ui.Amount(d.Debits)}, {Term: "Recipients", Value: strconv.Itoa(d.Entries)}}, v.batchFacts(&d)...)
	if len(d.Runs) > 0 {
		facts = append(facts, v.lastSent(&d.Runs[0])...)
	}
	note := "As it stands on " + ui.DateTime(a.site.Clock.Now(), v.place()) + "."
	return web.Render(w, r, http.StatusOK, receiptPage(shell, d.Name, v.me.Institution.Name, facts, note))
}

// lastSent is what a receipt says of the latest way of a batch.
func (v *moneyView) lastSent(run *ach.Run) []ui.Fact {
	row := v.runRow(run)
	facts := []ui.Fact{{Term: "Last sent", Value: row.State.Word + ", for " + date(run.Effective)}, {Term: "Amount sent", More: ui.Amount(run.Amount())}, {Term: "Initiated by", Value: run.Initiator.Name}}
	if run.Approver != "" {
		facts = append(facts, ui.Fact{Term: "Approved by", Value: run.Approver})
	}
	if run.Reference != "" {
		facts = append(facts, ui.Fact{Term: "Host reference", Value: run.Reference})
	}
	if run.FileHash != "" {
		facts = append(facts, ui.Fact{Term: "SHA-256 of the file", Value: run.FileHash})
	}
	if !run.Ended.IsZero() {
		facts = append(facts, ui.Fact{Term: "Last change", Value: ui.DateTime(run.Ended.In(time.UTC), v.place())})
	}
	return facts
}

// toBatch shows a batch after something was done with it.
func (a *app) toBatch(w http.ResponseWriter, r *http.Request, id ach.BatchID, said string) error {
	web.Flash(w, r, ui.Good, said)
	http.Redirect(w, r, baseOf(r).batch(id), http.StatusSeeOther)
	return nil
}

// batchChoice is a batch as a form saw it.
func batchChoice(text string) (ach.Choice, bool) {
	id, version, ok := strings.Cut(text, " ")
	n := number(version)
	return ach.Choice{Batch: ach.BatchID(id), Version: n}, ok && n > 0
}

// whyBatch is the page that explains an operation to the person themself.
func (v *moneyView) whyBatch(op catalog.Operation) string {
	return v.base.whyMe() + "?operation=" + url.QueryEscape(op.ID())
}
