package online

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/moneymovement/ach"
	"mandate/internal/moneymovement/ach/recipients"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// ACH is what the app needs of the room of ACH batches.
type ACH interface {
	List(context.Context, bank.Caller, ach.Filter) (ach.List, error)
	Get(context.Context, bank.Caller, ach.BatchID) (ach.Detail, error)
	BatchOf(context.Context, bank.Caller, ach.RunID) (ach.BatchID, error)
	Choices(context.Context, bank.Caller) (ach.Choices, error)
	Prospect(context.Context, bank.Caller, ach.BatchID) (ach.Prospect, error)
	Preview(context.Context, bank.Caller, ach.Order) (ach.Plan, error)
	ACHChanges
	ACHFiles
}

// ACHChanges are the verbs that change batches.
type ACHChanges interface {
	Create(context.Context, bank.Caller, ach.Header, []ach.EntryDraft) (ach.BatchID, error)
	Edit(context.Context, bank.Caller, ach.Edit) error
	Copy(ctx context.Context, caller bank.Caller, from ach.BatchID, name string) (ach.BatchID, error)
	Delete(ctx context.Context, caller bank.Caller, id ach.BatchID, version int64) error
	DeleteMany(context.Context, bank.Caller, []ach.Choice) ([]ach.Result, error)
	Initiate(context.Context, bank.Caller, ach.Order) (ach.Run, string, error)
	Submit(context.Context, bank.Caller, ach.Order) (ach.Run, string, error)
	InitiateMany(context.Context, bank.Caller, []ach.Order) ([]ach.Result, error)
	Uninitiate(ctx context.Context, caller bank.Caller, id ach.BatchID, version int64) error
	Return(ctx context.Context, caller bank.Caller, id ach.BatchID, version int64, comment string) error
	SetSchedule(ctx context.Context, caller bank.Caller, version int64, want ach.Schedule) error
	EndSchedule(context.Context, bank.Caller, ach.BatchID) error
	SetCategory(context.Context, bank.Caller, ach.Category) (ach.CategoryID, error)
}

// ACHFiles are the verbs about files that people bring in.
type ACHFiles interface {
	BringFile(context.Context, bank.Caller, ach.Upload) (ach.FileID, <-chan struct{}, error)
	ReadAgain(context.Context, bank.Caller, ach.FileID) (<-chan struct{}, error)
	File(context.Context, bank.Caller, ach.FileID) (ach.Incoming, error)
	SetLayout(context.Context, bank.Caller, recipients.Layout) error
	BringList(context.Context, bank.Caller, ach.Import) (ach.FileID, *recipients.Preview, error)
	ImportKept(ctx context.Context, caller bank.Caller, id ach.FileID, version int64) (*recipients.Preview, error)
}

func (b base) ach() string                    { return b.at("/ach") }
func (b base) batch(id ach.BatchID) string    { return b.ach() + "/batches/" + url.PathEscape(string(id)) }
func (b base) newBatch() string               { return b.ach() + "/new" }
func (b base) achUpload() string              { return b.ach() + "/upload" }
func (b base) achFile(id ach.FileID) string   { return b.ach() + "/files/" + url.PathEscape(string(id)) }
func (b base) achCategories() string          { return b.ach() + "/categories" }
func (b base) achLayout(format string) string { return b.ach() + "/layouts/" + format }
func (b base) achRun(id string) string        { return b.ach() + "/runs/" + url.PathEscape(id) }

func (a *app) achRoutes() []web.Route {
	view, create, edit := catalog.ACHBatchView, catalog.ACHBatchCreate, catalog.ACHBatchEdit
	initiate, upload, list := catalog.ACHBatchInitiate, catalog.ACHFileUpload, catalog.ACHRecipientsImport
	large := func(route web.Route) web.Route {
		route.MaxBody = ach.MaxFile + 1<<16
		return route
	}
	batch := "/ach/batches/{batch}"
	return []web.Route{
		moneyRoute("GET", "/ach", a.batchList, view),
		moneyRoute("GET", "/ach/export", a.exportBatches, view),
		moneyRoute("GET", "/ach/new", a.newBatch, create),
		moneyRoute("POST", "/ach/new", a.newBatch, create),
		recording(moneyRoute("POST", "/ach/create", a.createBatch, create), "ach.batch_created", false),
		moneyRoute("GET", "/ach/runs/{run}", a.batchOfRun, view),
		moneyRoute("GET", batch, a.batchDetail, view),
		moneyRoute("GET", batch+"/receipt", a.batchReceipt, view),
		moneyRoute("GET", batch+"/export", a.exportEntries, view),
		moneyRoute("GET", batch+"/edit", a.editBatch, edit),
		recording(moneyRoute("POST", batch+"/edit", a.saveBatch, edit), "ach.batch_edited", false),
		moneyRoute("GET", batch+"/recipients", a.editEntries, edit),
		recording(moneyRoute("POST", batch+"/recipients", a.saveEntries, edit), "ach.batch_edited", false),
		moneyRoute("GET", batch+"/copy", a.askCopyBatch, create),
		recording(moneyRoute("POST", batch+"/copy", a.copyBatch, create), "ach.batch_created", false),
		moneyRoute("GET", batch+"/delete", a.askDeleteBatch, catalog.ACHBatchDelete),
		recording(moneyRoute("POST", batch+"/delete", a.deleteBatch, catalog.ACHBatchDelete), "ach.batch_deleted", false),
		moneyRoute("GET", batch+"/schedule", a.schedule, edit),
		recording(moneyRoute("POST", batch+"/schedule", a.saveSchedule, edit), "ach.batch_edited", true),
		moneyRoute("GET", batch+"/schedule/end", a.askEndSchedule, edit),
		recording(moneyRoute("POST", batch+"/schedule/end", a.endSchedule, edit), "ach.batch_edited", false),
		moneyRoute("GET", batch+"/initiate", a.initiateForm, initiate),
		moneyRoute("POST", batch+"/initiate", a.initiateForm, initiate),
		moneyRoute("POST", batch+"/review", a.reviewBatch, initiate),
		recording(moneyRoute("POST", batch+"/send", a.sendBatch, initiate), "ach.batch_initiated", true),
		recording(moneyRoute("POST", batch+"/submit", a.submitBatch, initiate), "ach.batch_pending_approval", true),
		moneyRoute("GET", batch+"/uninitiate", a.askUninitiate, catalog.ACHBatchUninitiate),
		recording(moneyRoute("POST", batch+"/uninitiate", a.uninitiateBatch, catalog.ACHBatchUninitiate), "ach.batch_uninitiated", false),
		moneyRoute("GET", batch+"/return", a.askReturn, edit),
		recording(moneyRoute("POST", batch+"/return", a.returnBatch, edit), "ach.batch_returned", false),
		moneyRoute("GET", batch+"/import", a.importForm, list),
		large(moneyRoute("POST", batch+"/import", a.previewImport, list)),
		recording(moneyRoute("POST", batch+"/import/load", a.loadImport, list), "ach.batch_imported", false),
		moneyRoute("GET", "/ach/layouts/{format}", a.layoutForm, list),
		recording(moneyRoute("POST", "/ach/layouts/{format}", a.saveLayout, list), "ach.layout_changed", false),
		moneyRoute("GET", "/ach/upload", a.uploadForm, upload),
		recording(large(moneyRoute("POST", "/ach/upload", a.uploadFile, upload)), "ach.batch_uploaded", false),
		moneyRoute("GET", "/ach/files/{file}", a.fileStatus, upload),
		recording(moneyRoute("POST", "/ach/files/{file}/again", a.uploadAgain, upload), "ach.batch_uploaded", false),
		moneyRoute("GET", "/ach/categories", a.categories, view),
		recording(moneyRoute("POST", "/ach/categories", a.saveCategory, edit), "ach.category_changed", false),
		moneyRoute("POST", "/ach/several", a.several, view),
		recording(moneyRoute("POST", "/ach/several/initiate", a.initiateSeveral, initiate), "ach.batch_initiated", true),
		recording(moneyRoute("POST", "/ach/several/delete", a.deleteSeveral, catalog.ACHBatchDelete), "ach.batch_deleted", false),
	}
}

// batchState is how a state of a batch looks.
func batchState(s ach.State) ui.State {
	look := map[ach.State]ui.State{
		ach.Uploaded: {Icon: "upload", Tone: ui.Note}, ach.Ready: {Icon: "circle-dashed", Tone: ui.Plain}, ach.Pending: {Icon: "hourglass", Tone: ui.Warn},
		ach.Initiated: {Icon: "send", Tone: ui.Note}, ach.Processing: {Icon: "hourglass", Tone: ui.Note}, ach.Processed: {Icon: "circle-check", Tone: ui.Good},
	}[s]
	look.Word = s.Label()
	return look
}

type batchListPage struct {
	Shell      ui.Shell
	Blocked    []blocker // ACH cannot be seen at all
	Why        string
	Toolbar    ui.Toolbar
	Columns    []ui.Column
	Rows       []batchRow
	Pager      ui.Pager
	New        string
	Upload     string
	Categories string
	Export     string
	Several    string // where the choice of several goes
	Empty      bool
}

type batchRow struct {
	ID             ach.BatchID
	Version        int64
	Href, Name     string
	Company, Class string
	Category       string
	Restricted     bool
	Entries        string
	Edited         string
	State          ui.State
	Credits        bank.Cents
	Debits         bank.Cents
}

var batchListSpec = web.ListSpec{
	Sorts: []string{"-edited", "name", "-amount", "state"},
	Filters: map[string][]string{"state": func() (values []string) {
		for _, s := range ach.States() {
			values = append(values, string(s))
		}
		return values
	}(), "category": nil, "kind": {string(ach.Standard), string(ach.Tax), string(ach.Prenotes)}},
}

var kindLabels = map[ach.Kind]string{ach.Standard: "Standard", ach.Tax: "Tax payment", ach.Prenotes: "Prenote test"}

func batchFilter(list web.List) ach.Filter {
	f := ach.Filter{
		Search: list.Search, Category: ach.CategoryID(list.Filter("category")), Kind: ach.Kind(list.Filter("kind")),
		Sort: ach.Sort(list.Sort), Offset: list.Offset(), Limit: list.PerPage,
	}
	// The room's own order of amounts and dates is descending.
	f.Reverse = list.Descending == (f.Sort == ach.ByName || f.Sort == ach.ByState)
	if state := list.Filter("state"); state != "" {
		f.States = []ach.State{ach.State(state)}
	}
	return f
}

// GET /{institution}/ach
func (a *app) batchList(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	caller := web.CallerOf(r.Context())
	page := batchListPage{Shell: a.shell(r, v.me, "ACH")}
	list := web.ReadList(r, batchListSpec)
	found, err := a.money.ACH.List(r.Context(), caller, batchFilter(list))
	if refusal, ok := refusalIn(err); ok {
		page.Blocked, page.Why = v.blockers(refusal), v.base.whyMe()+"?operation="+catalog.ACHBatchView.ID()
		return web.Render(w, r, http.StatusForbidden, batchListView(page))
	}
	if err != nil {
		return err
	}
	choices, err := a.money.ACH.Choices(r.Context(), caller)
	if err != nil {
		return err
	}
	page.fill(&v, list, &found, &choices)
	return web.Render(w, r, http.StatusOK, batchListView(page))
}

func (p *batchListPage) fill(v *moneyView, list web.List, found *ach.List, choices *ach.Choices) {
	p.Export, p.Several, p.Categories = v.base.ach()+"/export"+query(list.Href()), v.base.ach()+"/several", v.base.achCategories()
	if choices.Create.Allowed {
		p.New = v.base.newBatch()
	}
	if choices.Upload.Allowed {
		p.Upload = v.base.achUpload()
	}
	p.Empty = found.Total == 0 && !list.Narrowed()
	p.Columns = []ui.Column{
		{Label: "Choose", Hidden: true}, list.Column(string(ach.ByName), "Batch"), {Label: "Company"}, {Label: "Recipients"}, list.Column(string(ach.ByState), "State"),
		list.Column(string(ach.ByEdited), "Changed"), {Label: "Debits", Money: true}, list.Column(string(ach.ByAmount), "Credits"),
	}
	p.Columns[7].Money = true
	p.Pager = list.Pager("ACH batches", found.Total)
	result := fmt.Sprintf("%s, %s credits and %s debits in all", ui.Count(found.Total, "batch", "batches"), found.Credits.Dollars(), found.Debits.Dollars())
	kinds := ui.Filter{Name: "kind", Label: "Kind", Options: []ui.Option{{Label: "Any kind"}}}
	for _, k := range []ach.Kind{ach.Standard, ach.Tax, ach.Prenotes} {
		kinds.Options = append(kinds.Options, ui.Option{Value: string(k), Label: kindLabels[k]})
	}
	filters := []ui.Filter{stateFilter(ach.States(), func(s ach.State) (string, string) { return string(s), s.Label() }), kinds}
	names := map[ach.CategoryID]string{}
	if len(choices.Categories) > 0 {
		category := ui.Filter{Name: "category", Label: "Category", Options: []ui.Option{{Label: "Any category"}}}
		for _, c := range choices.Categories {
			names[c.ID] = c.Name
			category.Options = append(category.Options, ui.Option{Value: string(c.ID), Label: c.Name})
		}
		filters = append(filters, category)
	}
	p.Toolbar = list.Toolbar("Search batches", result, filters...)
	for i := range found.Batches {
		row := v.batchRow(&found.Batches[i])
		row.Category = names[found.Batches[i].Category]
		p.Rows = append(p.Rows, row)
	}
}

// query is the part of an address from its question mark on.
func query(href string) string {
	u, err := url.Parse(href)
	if err != nil || u.RawQuery == "" {
		return ""
	}
	return "?" + u.RawQuery
}

func (v *moneyView) batchRow(b *ach.Batch) batchRow {
	row := batchRow{
		ID: b.ID, Version: b.Version, Href: v.base.batch(b.ID), Name: b.Name, Company: b.Header.CompanyName, Class: b.Header.SEC, Restricted: b.Restricted(),
		Entries: strconv.Itoa(b.Entries), Edited: ui.Date(b.Edited, v.place()), State: batchState(b.State), Credits: b.Credits, Debits: b.Debits,
	}
	if b.Idle > 0 {
		row.Entries += fmt.Sprintf(", %d skipped", b.Idle)
	}
	return row
}

// GET /{institution}/ach/export
func (a *app) exportBatches(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	f := batchFilter(web.ReadList(r, batchListSpec))
	header := []string{"Reference", "Batch", "Company", "Company id", "Class", "Description", "Kind", "State", "Recipients", "Skipped", "Credits", "Debits", "Restricted", "Changed by", "Changed at"}
	return web.WriteCSV(w, "ach-batches.csv", header, a.batchLines(r, &v, f))
}

// batchLines are all batches that a filter lets through, page by page.
func (a *app) batchLines(r *http.Request, v *moneyView, f ach.Filter) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		f.Limit = ach.MaxPage
		for f.Offset = 0; ; f.Offset += f.Limit {
			found, err := a.money.ACH.List(r.Context(), web.CallerOf(r.Context()), f)
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range found.Batches {
				b := &found.Batches[i]
				line := []string{
					string(b.ID), b.Name, b.Header.CompanyName, b.Header.CompanyID, b.Header.SEC, b.Header.Description, kindLabels[b.Kind], b.State.Label(),
					strconv.Itoa(b.Entries), strconv.Itoa(b.Idle), b.Credits.String(), b.Debits.String(), yesNo(b.Restricted()), b.LastEditor.Name, ui.DateTime(b.Edited, v.place()),
				}
				if !yield(line, nil) {
					return
				}
			}
			if f.Offset+len(found.Batches) >= found.Total {
				return
			}
		}
	}
}

func yesNo(on bool) string {
	if on {
		return "Yes"
	}
	return "No"
}

// offsets are the accounts that a batch may be balanced by.
func (v *moneyView) offsets() []ui.Option {
	options := []ui.Option{{Value: "", Label: "Choose an account"}}
	for _, account := range v.profile.Accounts {
		if !account.Off.Has(catalog.ACH) {
			options = append(options, ui.Option{Value: string(account.ID), Label: accountName(account.Account)})
		}
	}
	return options
}

// namesOf joins what people are called: "Ana Ruiz, Ben Chen or Lee Tran".
func namesOf(people []ach.Somebody) string {
	var names []string
	for _, p := range people {
		names = append(names, p.Name)
	}
	slices.Sort(names)
	return peopleOr(names)
}
