package online

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"

	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/host"
	"mandate/internal/moneymovement/layout"
	"mandate/internal/moneymovement/positivepay"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// PositivePay is what the app needs of the room of Positive Pay.
type PositivePay interface {
	Choices(context.Context, bank.Caller) (positivepay.Choice, error)
	Items(context.Context, bank.Caller, positivepay.ItemQuery) (positivepay.ItemPage, error)
	GetItem(context.Context, bank.Caller, positivepay.ItemID) (positivepay.ItemDetail, error)
	Image(context.Context, bank.Caller, positivepay.ItemID, host.Side) ([]byte, error)
	Decide(context.Context, bank.Caller, []positivepay.Decision) ([]positivepay.Result, error)
	Issues(context.Context, bank.Caller, positivepay.IssueQuery) (positivepay.IssuePage, error)
	Files(context.Context, bank.Caller, positivepay.FileQuery) (positivepay.FilePage, error)
	GetFile(context.Context, bank.Caller, positivepay.FileID) (positivepay.FileDetail, error)
	Upload(context.Context, bank.Caller, positivepay.Upload) (*positivepay.Preview, error)
	Try(context.Context, bank.Caller, positivepay.Layout, io.Reader) (*positivepay.Preview, error)
	Enter(context.Context, bank.Caller, positivepay.Entry) error
	Approve(context.Context, bank.Caller, positivepay.FileID) error
	Delete(context.Context, bank.Caller, positivepay.FileID) error
	SetLayout(context.Context, bank.Caller, positivepay.Layout) error
	Outputs(context.Context, bank.Caller, positivepay.OutputQuery) (positivepay.OutputPage, error)
	Download(ctx context.Context, caller bank.Caller, account bank.AccountID, day bank.Day) (positivepay.Download, error)
}

func (b base) posPay() string       { return b.at("/positive-pay") }
func (b base) posPayReview() string { return b.posPay() + "/review" }
func (b base) posPayDecide() string { return b.posPay() + "/decide" }
func (b base) posPayIssued() string { return b.posPay() + "/issued" }
func (b base) posPayFiles() string  { return b.posPay() + "/lists" }
func (b base) posPayUpload() string { return b.posPay() + "/upload" }
func (b base) posPayEntry() string  { return b.posPay() + "/entry" }
func (b base) posPayOutput() string { return b.posPay() + "/output" }

func (b base) posPayItem(id positivepay.ItemID) string {
	return b.posPay() + "/exceptions/" + url.PathEscape(string(id))
}

func (b base) posPayFile(id positivepay.FileID) string {
	return b.posPayFiles() + "/" + url.PathEscape(string(id))
}

func (b base) posPayLayout(f layout.Format) string { return b.posPay() + "/layouts/" + string(f) }

func (a *app) posPayRoutes() []web.Route {
	upload, download, checks := catalog.ARPFileUpload, catalog.ARPFileDownload, catalog.ARPCheckExceptionDecide
	large := func(r web.Route) web.Route {
		r.MaxBody = positivepay.MaxBytes + 1<<16
		return r
	}
	return []web.Route{
		moneyRoute("GET", "/positive-pay", a.itemList, checks),
		moneyRoute("GET", "/positive-pay/export", a.exportItems, checks),
		moneyRoute("POST", "/positive-pay/review", a.reviewItems, checks),
		recording(moneyRoute("POST", "/positive-pay/decide", a.decideItems, checks), positivepay.EventDecided, true),
		moneyRoute("GET", "/positive-pay/exceptions/{item}", a.itemDetail, checks),
		moneyRoute("GET", "/positive-pay/exceptions/{item}/receipt", a.itemReceipt, checks),
		moneyRoute("GET", "/positive-pay/exceptions/{item}/pictures/{side}", a.itemPicture, checks),
		moneyRoute("GET", "/positive-pay/issued", a.issueList, upload),
		moneyRoute("GET", "/positive-pay/issued/export", a.exportIssues, upload),
		moneyRoute("GET", "/positive-pay/lists", a.arpFileList, upload),
		moneyRoute("GET", "/positive-pay/lists/export", a.exportFiles, upload),
		moneyRoute("GET", "/positive-pay/lists/{list}", a.arpFileDetail, upload),
		recording(moneyRoute("POST", "/positive-pay/lists/{list}/approve", a.arpApproveFile, upload), positivepay.EventApproved, true),
		moneyRoute("GET", "/positive-pay/lists/{list}/delete", a.arpAskDeleteFile, upload),
		recording(moneyRoute("POST", "/positive-pay/lists/{list}/delete", a.arpDeleteFile, upload), positivepay.EventDeleted, false),
		moneyRoute("GET", "/positive-pay/upload", a.arpNewUpload, upload),
		large(recording(moneyRoute("POST", "/positive-pay/upload", a.arpUpload, upload), positivepay.EventUploaded, false)),
		moneyRoute("GET", "/positive-pay/entry", a.arpNewEntry, upload),
		recording(moneyRoute("POST", "/positive-pay/entry", a.arpEnterChecks, upload), positivepay.EventUploaded, false),
		moneyRoute("GET", "/positive-pay/layouts/{format}", a.arpEditLayout, upload),
		large(recording(moneyRoute("POST", "/positive-pay/layouts/{format}", a.arpSaveLayout, upload), positivepay.EventLayout, false)),
		moneyRoute("GET", "/positive-pay/output", a.arpOutputList, download),
		recording(moneyRoute("POST", "/positive-pay/output", a.arpDownloadOutput, download), positivepay.EventDownloaded, false),
	}
}

// posPayTabs are the parts of Positive Pay.
func (b base) posPayTabs(here string) []ui.Tab {
	tabs := []ui.Tab{{Label: "Exceptions", Href: b.posPay()}, {Label: "Issued checks", Href: b.posPayIssued()}, {Label: "Lists", Href: b.posPayFiles()}, {Label: "Output files", Href: b.posPayOutput()}}
	for i := range tabs {
		tabs[i].Current = tabs[i].Href == here
	}
	return tabs
}

func posPayCrumb(b base) ui.Link { return ui.Link{Label: "Positive Pay", Href: b.posPay()} }

// arpItemState is how a state of an exception looks.
func arpItemState(s positivepay.ItemState) ui.State {
	look := map[positivepay.ItemState]ui.State{
		positivepay.Open: {Icon: "circle-dashed", Tone: ui.Warn}, positivepay.Refused: {Icon: "triangle-alert", Tone: ui.Bad}, positivepay.Paying: {Icon: "hourglass", Tone: ui.Note},
		positivepay.Returning: {Icon: "hourglass", Tone: ui.Note}, positivepay.Paid: {Icon: "circle-check", Tone: ui.Good}, positivepay.Returned: {Icon: "undo-2", Tone: ui.Plain},
		positivepay.Elsewhere: {Icon: "landmark", Tone: ui.Plain},
	}[s]
	look.Word = s.Label()
	return look
}

func arpIssueState(s positivepay.IssueState) ui.State {
	look := map[positivepay.IssueState]ui.State{
		positivepay.Waits: {Icon: "circle-dashed", Tone: ui.Warn}, positivepay.Sent: {Icon: "hourglass", Tone: ui.Note}, positivepay.Outstanding: {Icon: "circle", Tone: ui.Plain},
		positivepay.PaidCheck: {Icon: "circle-check", Tone: ui.Good}, positivepay.Voided: {Icon: "circle-slash", Tone: ui.Plain}, positivepay.Taken: {Icon: "circle-slash", Tone: ui.Plain},
		positivepay.NotTaken: {Icon: "circle-x", Tone: ui.Bad},
	}[s]
	look.Word = s.Label()
	return look
}

func arpFileState(s positivepay.FileState) ui.State {
	look := map[positivepay.FileState]ui.State{
		positivepay.Unapproved: {Icon: "circle-dashed", Tone: ui.Warn}, positivepay.Pending: {Icon: "hourglass", Tone: ui.Note}, positivepay.Successful: {Icon: "circle-check", Tone: ui.Good},
		positivepay.Rejected: {Icon: "circle-x", Tone: ui.Bad},
	}[s]
	look.Word = s.Label()
	return look
}

type itemListPage struct {
	Shell   ui.Shell
	Tabs    []ui.Tab
	Window  ui.Message
	Waiting []ui.Figure
	Toolbar ui.Toolbar
	Columns []ui.Column
	Rows    []arpItemRow
	Pager   ui.Pager
	Export  string
	Review  string
	Choose  bool // something of this page waits
	Empty   bool
	None    bool // there is no account with exceptions
	Blocked []blocker
	Why     string
}

type arpItemRow struct {
	ID, Href, Title, Account, Payee, Mismatch, Due, Left string
	Version                                              int64
	ACH, Waits                                           bool
	State                                                ui.State
	Cents                                                bank.Cents
}

var itemListSpec = web.ListSpec{Sorts: []string{"day", "amount", "number"}, Filters: map[string][]string{
	"when": {positivepay.WhenWaiting, positivepay.WhenSettled, "all"}, "kind": {string(host.CheckItem), string(host.ACHItem)}, "mismatch": nil, "account": nil}}

func itemQuery(list web.List, v *moneyView) positivepay.ItemQuery {
	when := cmp.Or(list.Filter("when"), positivepay.WhenWaiting)
	if when == "all" {
		when = ""
	}
	return positivepay.ItemQuery{
		Search: list.Search, Matching: v.matching(list.Search), When: when, Kind: host.ItemKind(list.Filter("kind")), Mismatch: host.Mismatch(list.Filter("mismatch")),
		Account: bank.AccountID(list.Filter("account")), Sort: positivepay.ItemSort(list.Sort), Descending: list.Descending, Page: list.Page, Size: list.PerPage,
	}
}

// GET /{institution}/positive-pay
func (a *app) itemList(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	list := web.ReadList(r, itemListSpec)
	choice, err := a.money.PositivePay.Choices(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	found, err := a.money.PositivePay.Items(r.Context(), web.CallerOf(r.Context()), itemQuery(list, &v))
	if err != nil {
		return err
	}
	list = list.At(found.Page)
	page := itemListPage{
		Shell: a.shell(r, v.me, "Positive Pay"), Tabs: v.base.posPayTabs(v.base.posPay()), Window: v.windowMessage(&choice),
		Columns: []ui.Column{{Label: "Choose", Hidden: true}, list.Column("number", "Exception"), {Label: "Account"}, {Label: "Why"}, list.Column("day", "Decide by"), {Label: "State"}, arpAmountColumn(list)},
		Pager:   list.Pager("Exceptions", found.Matching), Empty: found.Total == 0, Review: v.base.posPayReview(),
		Export: withQuery(v.base.posPay() + "/export?" + r.URL.RawQuery),
	}
	page.Toolbar = list.Toolbar("Search exceptions", resultOf(found.Matching, found.Total, "exception", "exceptions")+", "+found.Cents.Dollars(),
		ui.Filter{Name: "when", Label: "Which", Options: []ui.Option{{Value: "", Label: "To decide"}, {Value: positivepay.WhenSettled, Label: "Decided"}, {Value: "all", Label: "All"}}},
		ui.Filter{Name: "kind", Label: "Kind", Options: []ui.Option{{Label: "Checks and ACH"}, {Value: string(host.CheckItem), Label: "Checks"}, {Value: string(host.ACHItem), Label: "ACH"}}},
		mismatchFilter(), v.accountFilter())
	for _, t := range found.Waiting {
		page.Waiting = append(page.Waiting, ui.Figure{Label: v.account(t.Account), Value: fmt.Sprint(t.Count), Note: t.Cents.Dollars(), Href: v.base.posPay() + "?account=" + url.QueryEscape(string(t.Account))})
	}
	if len(choice.On(catalog.ARPCheckExceptionDecide, false))+len(choice.On(catalog.ARPACHExceptionDecide, false)) == 0 {
		page.Blocked, page.Why = v.blockers(choice.May[catalog.ARPCheckExceptionDecide]), v.base.whyMe()+"?operation="+catalog.ARPCheckExceptionDecide.ID()
	} else {
		page.None = len(choice.On(catalog.ARPCheckExceptionDecide, true))+len(choice.On(catalog.ARPACHExceptionDecide, true)) == 0 && page.Empty
	}
	for i := range found.Items {
		page.Rows = append(page.Rows, v.arpItemRow(&found.Items[i], found.Windows[found.Items[i].ID], &choice))
		page.Choose = page.Choose || page.Rows[i].Waits
	}
	return web.Render(w, r, http.StatusOK, itemListView(page))
}

func arpAmountColumn(list web.List) ui.Column {
	c := list.Column("amount", "Amount")
	c.Money = true
	return c
}

func mismatchFilter() ui.Filter {
	f := ui.Filter{Name: "mismatch", Label: "Why", Options: []ui.Option{{Label: "Any reason"}}}
	for _, m := range positivepay.Mismatches() {
		f.Options = append(f.Options, ui.Option{Value: string(m), Label: positivepay.MismatchLabel(m)})
	}
	return f
}

func (v *moneyView) arpItemRow(i *positivepay.Item, w positivepay.Window, choice *positivepay.Choice) arpItemRow {
	row := arpItemRow{
		ID: string(i.ID), Version: i.Version, Href: v.base.posPayItem(i.ID), Title: i.Title(), Account: v.account(i.Account), Payee: i.Payee, Mismatch: positivepay.MismatchLabel(i.Mismatch),
		Due: ui.DateTime(w.Closes, v.place()), ACH: i.Kind == host.ACHItem, State: arpItemState(i.State), Cents: i.Cents,
	}
	if i.State.Waits() {
		if row.Waits = w.Open(choice.Now); row.Waits {
			row.Left = positivepay.TimeLeft(w, choice.Now) + " left"
		}
	}
	return row
}

// windowMessage says until when exceptions can be decided, and what becomes of
// the others.
func (v *moneyView) windowMessage(c *positivepay.Choice) ui.Message {
	fate := func(verdict positivepay.Verdict) string {
		if verdict == positivepay.Pay {
			return "paid"
		}
		return "returned"
	}
	after := "Checks that nobody decides are " + fate(c.Settings.Check) + ", ACH items " + fate(c.Settings.ACH) + "."
	if c.Settings.Check == c.Settings.ACH {
		after = "What nobody decides is " + fate(c.Settings.Check) + "."
	}
	closes := c.Window.Closes.In(v.place()).Format("3:04 PM")
	if closes == "12:00 AM" {
		closes = "midnight"
	}
	switch {
	case c.Window.Open(c.Now):
		day := ""
		if c.Window.Day != c.Today {
			day = " on " + calendar.Short(c.Window.Day)
		}
		return ui.Message{Tone: ui.Note, Icon: "clock", Title: positivepay.TimeLeft(c.Window, c.Now) + " left", Text: "Exceptions can be decided until " + closes + day + ". " + after}
	case c.Now.Before(c.Window.Opens):
		return ui.Message{Tone: ui.Note, Icon: "clock", Title: "Not open yet", Text: "Exceptions can be decided on " + calendar.Short(c.Window.Day) + " from " + c.Window.Opens.In(v.place()).Format("3:04 PM") + " until " + closes + ". " + after}
	}
	return ui.Message{Tone: ui.Warn, Icon: "clock", Title: "Closed for today", Text: "The cut-off was at " + closes + ". " + after}
}

// GET /{institution}/positive-pay/export
func (a *app) exportItems(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	q := itemQuery(web.ReadList(r, itemListSpec), &v)
	header := []string{"Reference", "Kind", "Account", "Check", "Company", "Payee", "Amount", "Why", "Day", "State", "Reason", "Note", "Decided by", "Decided", "Host reference"}
	return web.WriteCSV(w, "exceptions.csv", header, a.itemLines(r, &v, q))
}

// itemLines are all exceptions that a query matches, page by page.
func (a *app) itemLines(r *http.Request, v *moneyView, q positivepay.ItemQuery) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		q.Size = positivepay.MaxPage
		for q.Page = 1; ; q.Page++ {
			found, err := a.money.PositivePay.Items(r.Context(), web.CallerOf(r.Context()), q)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, i := range found.Items {
				number, decided := "", ""
				if i.Kind == host.CheckItem {
					number = checkNumber(i.Number)
				}
				if !i.Decided.IsZero() {
					decided = ui.DateTime(i.Decided, v.place())
				}
				line := []string{
					string(i.ID), arpKindLabel(i.Kind), v.account(i.Account), number, i.Company, i.Payee, i.Cents.String(), positivepay.MismatchLabel(i.Mismatch), string(i.Day),
					i.State.Label(), i.Reason.Label(), i.Note, i.By.Name, decided, i.Reference,
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

func arpKindLabel(k host.ItemKind) string {
	if k == host.ACHItem {
		return "ACH"
	}
	return "Check"
}
