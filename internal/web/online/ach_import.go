package online

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/moneymovement/ach"
	"mandate/internal/moneymovement/ach/nacha"
	"mandate/internal/moneymovement/ach/recipients"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// maxShown is how many recipients a preview shows; all are counted.
const maxShown = 50

type importPage struct {
	Shell    ui.Shell
	Title    string
	Preview  string
	Cancel   string
	Form     *web.Form
	Hidden   [][2]string
	Format   ui.Field
	Formats  []ui.Option
	Replace  ui.Field
	Replaces []ui.Option
	File     ui.Field
	Layouts  []ui.Link
	Blocked  []blocker
	Why      string
}

// GET /{institution}/ach/batches/{batch}/import
func (a *app) importForm(w http.ResponseWriter, r *http.Request) error {
	return a.renderImport(w, r, nil)
}

func (a *app) renderImport(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	d, err := a.oneBatch(r)
	if err != nil {
		return err
	}
	choices, err := a.money.ACH.Choices(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	if f == nil {
		f = web.NewForm(map[string]string{"version": strconv.FormatInt(d.Version, 10), "format": string(recipients.CSV), "replace": "no"})
	}
	here := v.base.batch(d.ID)
	page := importPage{Shell: a.shell(r, v.me, "Import recipients", v.achCrumbs(v.batchLink(&d.Batch))...), Title: "Import recipients", Preview: here + "/import", Cancel: here, Form: f,
		Hidden: [][2]string{{"version", f.Raw("version")}}, Format: f.Field("format", "Format"), Replace: f.Field("replace", "Recipients that are there"), File: f.Field("file", "File"),
		Replaces: []ui.Option{{Value: "no", Label: "Stay, and the file's are added"}, {Value: "yes", Label: "Are replaced by the file's"}}}
	if !d.May[catalog.ACHRecipientsImport].Allowed {
		page.Blocked, page.Why = v.blockers(d.May[catalog.ACHRecipientsImport]), v.whyBatch(catalog.ACHRecipientsImport)
		return web.Render(w, r, http.StatusForbidden, importView(page))
	}
	page.File.Help = fmt.Sprintf("Transactions only, without header or control lines. At most %d MiB.", recipients.MaxBytes>>20)
	for _, format := range recipients.Formats() {
		option := ui.Option{Value: string(format), Label: format.Label()}
		label := "Change how " + format.Label() + " is read"
		if _, set := choices.Layouts[format]; !set {
			option.Label += " (no layout yet)"
			label = "Set up the layout for " + format.Label()
		}
		page.Formats = append(page.Formats, option)
		page.Layouts = append(page.Layouts, ui.Link{Label: label, Href: v.base.achLayout(string(format)) + "?batch=" + string(d.ID)})
	}
	return web.Render(w, r, f.Status(), importView(page))
}

type importPreviewPage struct {
	Shell    ui.Shell
	Title    string
	Sentence string
	Wrong    bool
	Problems []fileProblem
	More     bool
	Columns  []ui.Column
	Rows     []entryRow
	Heads    []ui.Column
	Left     string
	Load     string
	Back     string
	Hidden   [][2]string
}

// POST /{institution}/ach/batches/{batch}/import
func (a *app) previewImport(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	in := ach.Import{Batch: ach.BatchID(r.PathValue("batch")), Version: number(f.Raw("version")), Format: recipients.Format(f.Raw("format")), Replace: f.Raw("replace") == "yes"}
	file, ok, err := chosenFile(r, f, "")
	if err != nil {
		return err
	}
	if !ok {
		return a.renderImport(w, r, f)
	}
	defer file.Close()
	in.File = file
	id, p, err := a.money.ACH.BringList(r.Context(), web.CallerOf(r.Context()), in)
	if fault.KindOf(err) == fault.Conflict { // no layout yet
		f.Wrong("format", web.SentenceOf(err))
		return a.renderImport(w, r, f)
	}
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderImport(w, r, f)
	}
	return a.renderImportPreview(w, r, in, id, p, "")
}

func (a *app) renderImportPreview(w http.ResponseWriter, r *http.Request, in ach.Import, id ach.FileID, p *recipients.Preview, wrong string) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	d, err := a.oneBatch(r)
	if err != nil {
		return err
	}
	here := v.base.batch(d.ID)
	page := importPreviewPage{Shell: a.shell(r, v.me, "Preview", v.achCrumbs(v.batchLink(&d.Batch))...), Title: "Preview of the import", Back: here + "/import", More: p.More,
		Columns: []ui.Column{{Label: "Line"}, {Label: "Field"}, {Label: "What is wrong"}}, Heads: []ui.Column{{Label: "Recipient"}, {Label: "Account"}, {Label: "Routing number"}, {Label: "Debit or credit"}, {Label: "Amount", Money: true}}}
	for _, one := range p.Problems {
		page.Problems = append(page.Problems, fileProblem{Line: lineNumber(one.Line), Field: one.Field.Label(), Sentence: one.Sentence})
	}
	status := http.StatusOK
	if page.Wrong = len(p.Problems) > 0; page.Wrong {
		status, page.Sentence = http.StatusUnprocessableEntity, "Nothing is imported while anything is wrong. Correct the file and choose it again."
	} else {
		page.Sentence = fmt.Sprintf("%s, %s credits and %s debits.", ui.Count(len(p.Recipients), "recipient", "recipients"), p.Credits.Dollars(), p.Debits.Dollars())
		if in.Replace {
			page.Sentence += fmt.Sprintf(" They replace the %d that are there.", d.Entries)
		}
		page.Load, page.Hidden = here+"/import/load", [][2]string{{"file", string(id)}, {"version", strconv.FormatInt(in.Version, 10)}}
	}
	if wrong != "" {
		page.Sentence, page.Wrong, status = wrong, true, http.StatusUnprocessableEntity
	}
	for i := range p.Recipients[:min(len(p.Recipients), maxShown)] {
		page.Rows = append(page.Rows, recipientLine(&p.Recipients[i]))
	}
	if left := len(p.Recipients) - maxShown; left > 0 {
		page.Left = fmt.Sprintf("And %d more.", left)
	}
	return web.Render(w, r, status, importPreviewView(page))
}

func recipientLine(p *recipients.Recipient) entryRow {
	row := entryRow{Name: p.Name, ID: p.ID, Addenda: p.Addenda, Account: "••" + p.Account[max(0, len(p.Account)-4):] + ", " + string(p.Kind), Routing: p.Routing, Way: "Credit", Cents: p.Amount}
	if p.Debit {
		row.Way = "Debit"
	}
	if p.Held {
		row.Marks = append(row.Marks, ui.State{Word: "Held", Icon: "circle-pause", Tone: ui.Warn})
	}
	if p.Prenote {
		row.Marks = append(row.Marks, ui.State{Word: "Prenote", Icon: "circle-dashed", Tone: ui.Note})
	}
	return row
}

// POST /{institution}/ach/batches/{batch}/import/load
func (a *app) loadImport(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	id := ach.BatchID(r.PathValue("batch"))
	p, err := a.money.ACH.ImportKept(r.Context(), web.CallerOf(r.Context()), ach.FileID(f.Raw("file")), number(f.Raw("version")))
	if fault.KindOf(err) == fault.Invalid && p != nil {
		return a.renderImportPreview(w, r, ach.Import{Batch: id}, "", p, web.SentenceOf(err))
	}
	if err != nil {
		return err
	}
	return a.toBatch(w, r, id, ui.Count(len(p.Recipients), "recipient is", "recipients are")+" imported")
}

type layoutPage struct {
	Shell  ui.Shell
	Title  string
	Save   string
	Cancel string
	Form   *web.Form
	Batch  string
	Fixed  bool
	Places []placeFields
	Amount ui.Field
	Ways   []ui.Option
	Way    ui.Field
	Cents  []ui.Option
	Kind   ui.Field
	Kinds  []ui.Option
}

// placeFields say where one field of a recipient stands.
type placeFields struct {
	Legend   string
	From, To *ui.Field
	Column   *ui.Field
}

// GET /{institution}/ach/layouts/{format}
func (a *app) layoutForm(w http.ResponseWriter, r *http.Request) error {
	choices, err := a.money.ACH.Choices(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	values := map[string]string{"amounts": "point", "direction": "credit", "kind": string(nacha.Checking)}
	if l, set := choices.Layouts[recipients.Format(r.PathValue("format"))]; set {
		layoutValues(values, &l)
	}
	values["batch"] = r.URL.Query().Get("batch")
	return a.renderLayout(w, r, web.NewForm(values))
}

func layoutValues(values map[string]string, l *recipients.Layout) {
	for field, place := range l.Places {
		for name, n := range map[string]int{"": place.Column, ".from": place.From, ".to": place.To} {
			if n > 0 {
				values[string(field)+name] = strconv.Itoa(n)
			}
		}
	}
	if l.Cents {
		values["amounts"] = "cents"
	}
	if l.Debits {
		values["direction"] = "debit"
	}
	if l.Kind != "" {
		values["kind"] = string(l.Kind)
	}
}

func (a *app) renderLayout(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	format := recipients.Format(r.PathValue("format"))
	if format.Label() == "" {
		return fault.New(fault.NotFound, "There is no such format.")
	}
	page := layoutPage{Shell: a.shell(r, v.me, "Import layout", v.achCrumbs()...), Title: "How " + format.Label() + " is read", Save: v.base.achLayout(string(format)), Cancel: v.base.ach(), Form: f,
		Batch: f.Raw("batch"), Fixed: format == recipients.Fixed, Amount: f.Field("amounts", "Amounts"), Way: f.Field("direction", "Where no column says debit or credit"), Kind: f.Field("kind", "Where no column says the account type"),
		Cents: []ui.Option{{Value: "point", Label: "With a point: 25000.00"}, {Value: "cents", Label: "In cents: 2500000"}}, Ways: ways, Kinds: kindOptions()}
	if page.Batch != "" {
		page.Cancel = v.base.batch(ach.BatchID(page.Batch)) + "/import"
	}
	for _, field := range recipients.Fields() {
		page.Places = append(page.Places, placeFieldsOf(f, field, page.Fixed))
	}
	return web.Render(w, r, f.Status(), layoutView(page))
}

func placeFieldsOf(f *web.Form, field recipients.Field, fixed bool) placeFields {
	made := func(name, label string) *ui.Field {
		one := f.Field(name, label)
		one.Optional, one.Width, one.Max = !field.Required(), "short", 4
		return &one
	}
	if !fixed {
		return placeFields{Column: made(string(field), field.Label())}
	}
	p := placeFields{Legend: field.Label(), From: made(string(field)+".from", field.Label()+", first position"), To: made(string(field)+".to", field.Label()+", last position")}
	p.From.Problem = f.Problem(string(field))
	return p
}

// POST /{institution}/ach/layouts/{format}
func (a *app) saveLayout(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	l := recipients.Layout{Format: recipients.Format(r.PathValue("format")), Places: map[recipients.Field]recipients.Place{}, Cents: f.Raw("amounts") == "cents", Debits: f.Raw("direction") == "debit", Kind: nacha.Kind(f.Raw("kind"))}
	for _, field := range recipients.Fields() {
		place := recipients.Place{Column: placeNumber(f, string(field)), From: placeNumber(f, string(field)+".from"), To: placeNumber(f, string(field)+".to")}
		if place != (recipients.Place{}) {
			l.Places[field] = place
		}
	}
	err := a.money.ACH.SetLayout(r.Context(), web.CallerOf(r.Context()), l)
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderLayout(w, r, f)
	}
	web.Flash(w, r, ui.Good, "The layout is saved")
	to := baseOf(r).ach()
	if batch := f.Raw("batch"); batch != "" {
		to = baseOf(r).batch(ach.BatchID(batch)) + "/import"
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// placeNumber is a column or a position; what is none is one that fits nowhere.
func placeNumber(f *web.Form, name string) int {
	if strings.TrimSpace(f.Raw(name)) == "" {
		return 0
	}
	return int(number(f.Raw(name)))
}

type severalPage struct {
	Shell     ui.Shell
	Title     string
	Sentence  string
	Form      *web.Form
	Rows      []severalRow
	Columns   []ui.Column
	Offsets   []ui.Option
	Ceilings  []ceilingLine
	Do        string
	Button    ui.Action
	Cancel    string
	Total     bank.Cents
	Initiates bool
}

type severalRow struct {
	batchRow
	Choice    string
	Blocked   string
	Effective ui.Field
	Offset    ui.Field
}

// several shows what is chosen before something is done with all of it.
//
// POST /{institution}/ach/several
func (a *app) several(w http.ResponseWriter, r *http.Request) error {
	return a.renderSeveral(w, r, web.ReadForm(r))
}

func (a *app) renderSeveral(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	page := severalPage{Shell: a.shell(r, v.me, "Several batches", v.achCrumbs()...), Form: f, Cancel: v.base.ach(), Offsets: v.offsets(), Initiates: f.Raw("do") != "delete"}
	page.Title, page.Do = "Delete several batches", v.base.ach()+"/several/delete"
	page.Button = ui.Action{Label: "Delete them", Variant: ui.Danger, Busy: "Deleting"}
	page.Sentence = "Each is deleted by itself; you are told what came of each. This cannot be undone."
	page.Columns = []ui.Column{{Label: "Batch"}, {Label: "State"}, {Label: "Debits", Money: true}, {Label: "Credits", Money: true}}
	if page.Initiates {
		page.Title, page.Do = "Initiate several batches", v.base.ach()+"/several/initiate"
		page.Button = ui.Action{Label: "Initiate them", Variant: ui.Primary, Busy: "Working"}
		page.Sentence = "One confirmation is for all of them. Each is decided by itself; you are told what came of each."
		page.Columns = append(page.Columns, ui.Column{Label: "Effective date"}, ui.Column{Label: "Offset account"})
	}
	for _, text := range f.All("batch") {
		choice, ok := batchChoice(text)
		if !ok || len(page.Rows) >= ach.MaxBulk {
			continue
		}
		d, err := a.money.ACH.Get(r.Context(), web.CallerOf(r.Context()), choice.Batch)
		if fault.KindOf(err) == fault.NotFound {
			continue
		}
		if err != nil {
			return err
		}
		page.add(&v, &d, text)
	}
	if len(page.Rows) == 0 {
		web.Flash(w, r, ui.Bad, "Choose at least one batch first")
		http.Redirect(w, r, v.base.ach(), http.StatusSeeOther)
		return nil
	}
	return web.Render(w, r, f.Status(), severalView(page))
}

func (p *severalPage) add(v *moneyView, d *ach.Detail, choice string) {
	op := catalog.ACHBatchDelete
	row := severalRow{batchRow: v.batchRow(&d.Batch), Choice: choice}
	if p.Initiates {
		op = catalog.ACHBatchInitiate
		row.Effective, row.Offset = p.Form.Field("effective_"+string(d.ID), "Effective date of "+d.Name), p.Form.Field("offset_"+string(d.ID), "Offset account of "+d.Name)
		row.Effective.Optional, row.Offset.Optional = true, true
		p.Total += d.Amount()
	}
	switch {
	case !d.State.Takes(op):
		row.Blocked = "It is " + lowerFirst(d.State.Label()) + ": this cannot be done now."
	case !d.May[op].Allowed:
		row.Blocked = d.May[op].Reasons[0].Sentence(v.names())
	}
	p.Rows = append(p.Rows, row)
}

type severalDonePage struct {
	Shell   ui.Shell
	Title   string
	Done    int
	Rows    []resultRow
	Columns []ui.Column
	Back    string
}

type resultRow struct {
	Name, Href, Text string
	State            ui.State
}

// POST /{institution}/ach/several/initiate
func (a *app) initiateSeveral(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	var orders []ach.Order
	for _, text := range f.All("batch") {
		if choice, ok := batchChoice(text); ok {
			orders = append(orders, ach.Order{Batch: choice.Batch, Version: choice.Version, Effective: bank.Day(either(f, "effective", choice.Batch)), Offset: bank.AccountID(either(f, "offset", choice.Batch))})
		}
	}
	names, err := a.batchNames(r, f)
	if err != nil {
		return err
	}
	var results []ach.Result
	ask := func() (proof, error) {
		v, err := a.moneyView(r)
		return proof{Text: fmt.Sprintf("You are about to initiate %s.", ui.Count(len(orders), "batch", "batches")), Cancel: v.base.ach(), Crumbs: v.achCrumbs()}, err
	}
	done, err := a.proven(w, r, ask, func() (err error) {
		results, err = a.money.ACH.InitiateMany(r.Context(), web.CallerOf(r.Context()), orders)
		return err
	})
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderSeveral(w, r, f)
	}
	if !done {
		return nil
	}
	return a.renderResults(w, r, "Initiated", results, names)
}

// either is what is said for one batch, or for all of them.
func either(f *web.Form, name string, id ach.BatchID) string {
	if own := f.Raw(name + "_" + string(id)); own != "" {
		return own
	}
	return f.Raw(name)
}

// batchNames are what the chosen batches are called, before they are gone.
func (a *app) batchNames(r *http.Request, f *web.Form) (map[ach.BatchID]string, error) {
	names := map[ach.BatchID]string{}
	for _, text := range f.All("batch") {
		choice, ok := batchChoice(text)
		if !ok {
			continue
		}
		d, err := a.money.ACH.Get(r.Context(), web.CallerOf(r.Context()), choice.Batch)
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return nil, err
		}
		names[choice.Batch] = d.Name
	}
	return names, nil
}

// POST /{institution}/ach/several/delete
func (a *app) deleteSeveral(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	var choices []ach.Choice
	for _, text := range f.All("batch") {
		if choice, ok := batchChoice(text); ok {
			choices = append(choices, choice)
		}
	}
	names, err := a.batchNames(r, f)
	if err != nil {
		return err
	}
	results, err := a.money.ACH.DeleteMany(r.Context(), web.CallerOf(r.Context()), choices)
	if err != nil {
		return err
	}
	return a.renderResults(w, r, "Deleted", results, names)
}

func (a *app) renderResults(w http.ResponseWriter, r *http.Request, done string, results []ach.Result, names map[ach.BatchID]string) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	page := severalDonePage{Shell: a.shell(r, v.me, "What came of each", v.achCrumbs()...), Title: "What came of each", Back: v.base.ach(), Columns: []ui.Column{{Label: "Batch"}, {Label: "Outcome"}}}
	for _, result := range results {
		row := resultRow{Name: names[result.Batch], Text: result.Note, State: ui.State{Word: done, Icon: "circle-check", Tone: ui.Good}}
		if done != "Deleted" || result.Err != nil {
			row.Href = v.base.batch(result.Batch)
		}
		if row.Name == "" {
			row.Name, row.Href = "A batch that is not there", ""
		}
		if result.Err != nil {
			row.State, row.Text = ui.State{Word: "Not done", Icon: "circle-x", Tone: ui.Bad}, plainSentence(result.Err, &v)
			for _, problem := range fault.ProblemsOf(result.Err) {
				row.Text += " " + problem.Sentence
			}
		} else {
			page.Done++
		}
		page.Rows = append(page.Rows, row)
	}
	return web.Render(w, r, http.StatusOK, severalDoneView(page))
}
