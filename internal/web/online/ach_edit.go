package online

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"mandate/internal/catalog"
	"mandate/internal/moneymovement/ach"
	"mandate/internal/moneymovement/ach/nacha"
	"mandate/internal/moneymovement/ach/recipients"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// How many empty lines a form of recipients has, and how many more each asking
// brings.
const (
	blankEntries = 3
	maxBlank     = 60
)

type batchFormPage struct {
	Shell      ui.Shell
	Title      string
	Subtitle   string
	Save       string
	Redraw     string // where more lines are asked for; empty where no recipients are on the form
	Cancel     string
	Form       *web.Form
	Hidden     [][2]string
	Name       ui.Field
	Category   *ui.Field
	Categories []ui.Option
	Kind       *ui.Field
	Kinds      []ui.Option
	Company    ui.Field
	Companies  []ui.Option
	Class      ui.Field
	Classes    []ui.Option
	Text       ui.Field
	Data       ui.Field
	Restricted *ui.Field
	Entries    []entryFields
	Blocked    []blocker
	Why        string
	Button     string
}

// entryFields are the fields of one recipient.
type entryFields struct {
	Legend  string
	Hidden  [][2]string
	Fixed   []ui.Fact // what may not be changed
	Name    *ui.Field
	Account *ui.Field
	Routing *ui.Field
	Kind    *ui.Field
	Kinds   []ui.Option
	ID      *ui.Field
	Amount  ui.Field
	Way     ui.Field
	Ways    []ui.Option
	Addenda ui.Field
	Held    ui.Field
	Prenote ui.Field
	Remove  *ui.Field
}

// entryName is what a field of a recipient is called in a form, and in what the
// room says of it.
func entryName(i int, f recipients.Field) string { return fmt.Sprintf("entries.%d.%s", i, f) }

var ways = []ui.Option{{Value: "credit", Label: "Credit: pay"}, {Value: "debit", Label: "Debit: collect"}}

func kindOptions() (options []ui.Option) {
	for _, k := range nacha.Kinds() {
		options = append(options, ui.Option{Value: string(k), Label: strings.ToUpper(string(k[:1])) + string(k[1:])})
	}
	return options
}

// entryFieldsOf makes the fields of a recipient; without whole, those that every
// editor may change, beside what was.
func entryFieldsOf(f *web.Form, i int, was *ach.Entry, whole bool) entryFields {
	field := func(of recipients.Field) ui.Field {
		made := f.Field(entryName(i, of), of.Label())
		made.Optional = of == recipients.ID || of == recipients.Addenda || of == recipients.Hold || of == recipients.Prenote
		return made
	}
	e := entryFields{Legend: "New recipient", Amount: field(recipients.Amount), Way: field(recipients.Direction), Ways: ways, Addenda: field(recipients.Addenda),
		Held: field(recipients.Hold), Prenote: field(recipients.Prenote)}
	e.Addenda.Max = nacha.MaxAddenda
	e.Held.Label, e.Held.Help = "Hold", "Skipped until the hold is taken off."
	e.Prenote.Help = "Tested with a zero amount first; skipped until the test has settled."
	if was != nil {
		e.Legend = strings.TrimSpace(was.Name)
		e.Hidden = [][2]string{{fmt.Sprintf("entries.%d.key", i), string(was.EntryID)}}
	}
	if !whole {
		line := entryLine(was)
		e.Fixed = []ui.Fact{{Term: "Account", Value: line.Account}, {Term: "Routing number", Value: was.Routing}, {Term: "ID number", Value: was.ID}}
		return e
	}
	name, account, routing, kind, id := field(recipients.Name), field(recipients.Account), field(recipients.Routing), field(recipients.Kind), field(recipients.ID)
	name.Max, account.Max, routing.Max, id.Max = nacha.MaxName, nacha.MaxAccount, 9, nacha.MaxID
	e.Name, e.Account, e.Routing, e.Kind, e.ID, e.Kinds = &name, &account, &routing, &kind, &id, kindOptions()
	if was != nil {
		remove := f.Field(fmt.Sprintf("entries.%d.remove", i), "Remove from the batch")
		e.Remove = &remove
	}
	return e
}

// entryValues are the first values of a recipient's fields.
func entryValues(values map[string]string, i int, e *ach.Entry) {
	set := func(f recipients.Field, text string) { values[entryName(i, f)] = text }
	r := recipientOf(e)
	set(recipients.Name, r.Name)
	set(recipients.Account, r.Account)
	set(recipients.Routing, r.Routing)
	set(recipients.Kind, string(r.Kind))
	set(recipients.ID, r.ID)
	set(recipients.Addenda, r.Addenda)
	set(recipients.Amount, r.Amount.Dollars())
	set(recipients.Direction, map[bool]string{true: "debit", false: "credit"}[r.Debit])
	set(recipients.Hold, onOff(e.Held))
	set(recipients.Prenote, onOff(e.Prenote))
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return ""
}

func recipientOf(e *ach.Entry) recipients.Recipient {
	addenda, _ := e.Addendum()
	return recipients.Recipient{Name: strings.TrimSpace(e.Name), Amount: e.Amount, Debit: e.Code.Debit(), Account: strings.TrimSpace(e.Account), Routing: e.Routing,
		Kind: e.Code.Kind(), ID: strings.TrimSpace(e.ID), Addenda: addenda, Prenote: e.Prenote, Held: e.Held}
}

// entryDraft reads one recipient of a form; blank where nothing was filled in.
func entryDraft(f *web.Form, i int, was *ach.Entry, whole bool) (d ach.EntryDraft, blank bool) {
	raw := func(of recipients.Field) string { return strings.TrimSpace(f.Raw(entryName(i, of))) }
	if was != nil {
		d = ach.EntryDraft{ID: was.EntryID, Recipient: recipientOf(was), Data: strings.TrimSpace(was.Data)}
	}
	if whole {
		d.Name, d.Account, d.Routing = raw(recipients.Name), raw(recipients.Account), raw(recipients.Routing)
		d.Kind, d.Recipient.ID = nacha.Kind(raw(recipients.Kind)), raw(recipients.ID)
	}
	d.Amount, d.Debit = f.Money(entryName(i, recipients.Amount)), raw(recipients.Direction) == "debit"
	d.Addenda = raw(recipients.Addenda)
	d.Held, d.Prenote = f.Checked(entryName(i, recipients.Hold)), f.Checked(entryName(i, recipients.Prenote))
	return d, was == nil && d.Name == "" && d.Account == "" && d.Routing == "" && d.Amount == 0 && raw(recipients.Amount) == ""
}

// blanks is how many empty lines a form has.
func blanks(f *web.Form) int {
	n := int(number(f.Raw("blanks")))
	if n < 0 {
		n = blankEntries
	}
	if f.Raw("do") == "more" {
		n += blankEntries
	}
	return min(n, maxBlank)
}

// renumber puts what the room says of its n-th draft beside the line that it
// came from.
func renumber(f *web.Form, places []int) {
	for i := range f.Problems {
		var n int
		p := &f.Problems[i]
		rest, ok := strings.CutPrefix(p.Field, "entries.")
		index, field, dotted := strings.Cut(rest, ".")
		if parsed, err := strconv.Atoi(index); !ok || !dotted || err != nil || parsed >= len(places) {
			continue
		} else {
			n = parsed
		}
		p.Field = fmt.Sprintf("entries.%d.%s", places[n], field)
	}
}

func headerOf(f *web.Form) ach.Header {
	return ach.Header{
		Name: f.Text("name", ach.MaxBatchName), Category: ach.CategoryID(f.Raw("category")), Restricted: f.Checked("restricted"), Kind: ach.Kind(f.Raw("kind")),
		Company: f.Raw("company"), Class: f.Raw("class"), Description: f.Text("description", nacha.MaxDescription), Data: f.Text("data", nacha.MaxCompanyData),
	}
}

func (p *batchFormPage) headFields(choices *ach.Choices) {
	f := p.Form
	p.Name, p.Company, p.Class = f.Field("name", "Batch name"), f.Field("company", "Company"), f.Field("class", "Standard entry class")
	p.Text, p.Data = f.Field("description", "Description"), f.Field("data", "Discretionary data")
	p.Name.Max, p.Text.Max, p.Data.Max, p.Data.Optional = ach.MaxBatchName, nacha.MaxDescription, nacha.MaxCompanyData, true
	p.Text.Help, p.Data.Help = "Recipients see it on their statement, such as PAYROLL. At most 10 characters.", "For your own use. At most 20 characters."
	p.Text.Width, p.Class.Width = "medium", "medium"
	p.Companies = []ui.Option{{Label: "Choose a company"}}
	for _, c := range choices.Companies {
		label := c.Name + ", " + c.Ident
		if len(c.Classes) > 0 {
			label += " (" + strings.Join(c.Classes, ", ") + ")"
		}
		p.Companies = append(p.Companies, ui.Option{Value: c.Ident, Label: label})
	}
	labels := map[string]string{"PPD": "PPD: people", "CCD": "CCD: businesses", "WEB": "WEB: agreed online", "TEL": "TEL: agreed by telephone"}
	for _, class := range nacha.Simple() {
		p.Classes = append(p.Classes, ui.Option{Value: class, Label: labels[class]})
	}
	if len(choices.Categories) > 0 {
		category := f.Field("category", "Category")
		category.Optional = true
		p.Category, p.Categories = &category, []ui.Option{{Label: "No category"}}
		for _, c := range choices.Categories {
			label := c.Name
			if c.Restricted {
				label += " (restricted)"
			}
			p.Categories = append(p.Categories, ui.Option{Value: string(c.ID), Label: label})
		}
	}
	if choices.Restricted {
		restricted := f.Field("restricted", "Restricted")
		restricted.Help = "Only those with restricted batch access know of it: " + joined(namesList(choices.Seeing)) + "."
		p.Restricted = &restricted
	}
}

func namesList(people []ach.Somebody) (names []string) {
	for _, s := range people {
		names = append(names, s.Name)
	}
	return names
}

// GET, POST /{institution}/ach/new
func (a *app) newBatch(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	if r.Method != http.MethodPost {
		f = web.NewForm(map[string]string{"class": "PPD", "kind": string(ach.Standard)})
	}
	return a.renderNewBatch(w, r, f)
}

func (a *app) renderNewBatch(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	choices, err := a.money.ACH.Choices(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	page := batchFormPage{
		Shell: a.shell(r, v.me, "Create batch", v.achCrumbs()...), Title: "Create batch", Subtitle: "It is saved as ready, and goes nowhere until somebody initiates it.",
		Save: v.base.ach() + "/create", Redraw: v.base.newBatch(), Cancel: v.base.ach(), Form: f, Button: "Create batch",
	}
	if !choices.Create.Allowed {
		page.Blocked, page.Why = v.blockers(choices.Create), v.whyBatch(catalog.ACHBatchCreate)
		return web.Render(w, r, http.StatusForbidden, batchFormView(page))
	}
	page.headFields(&choices)
	kind := f.Field("kind", "Kind")
	page.Kind, page.Kinds = &kind, []ui.Option{{Value: string(ach.Standard), Label: kindLabels[ach.Standard]}, {Value: string(ach.Tax), Label: kindLabels[ach.Tax]}}
	n := blanks(f)
	page.Hidden = [][2]string{{"blanks", strconv.Itoa(n)}}
	for i := range n {
		page.Entries = append(page.Entries, entryFieldsOf(f, i, nil, true))
	}
	return web.Render(w, r, f.Status(), batchFormView(page))
}

// POST /{institution}/ach/create
func (a *app) createBatch(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	h := headerOf(f)
	var drafts []ach.EntryDraft
	var places []int
	for i := range blanks(f) {
		if d, blank := entryDraft(f, i, nil, true); !blank {
			drafts, places = append(drafts, d), append(places, i)
		}
	}
	if !f.OK() {
		return a.renderNewBatch(w, r, f)
	}
	id, err := a.money.ACH.Create(r.Context(), web.CallerOf(r.Context()), h, drafts)
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		renumber(f, places)
		return a.renderNewBatch(w, r, f)
	}
	return a.toBatch(w, r, id, "The batch is saved. Initiate it when it shall be sent.")
}

// GET /{institution}/ach/batches/{batch}/edit
func (a *app) editBatch(w http.ResponseWriter, r *http.Request) error {
	d, err := a.oneBatch(r)
	if err != nil {
		return err
	}
	f := web.NewForm(map[string]string{
		"name": d.Name, "category": string(d.Category), "restricted": onOff(d.Own), "company": d.Header.CompanyID, "class": d.Header.SEC, "description": d.Header.Description,
		"data": d.Header.CompanyData, "version": strconv.FormatInt(d.Version, 10),
	})
	return a.renderEditBatch(w, r, &d, f)
}

func (a *app) renderEditBatch(w http.ResponseWriter, r *http.Request, d *ach.Detail, f *web.Form) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	choices, err := a.money.ACH.Choices(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	here := v.base.batch(d.ID)
	page := batchFormPage{
		Shell: a.shell(r, v.me, "Edit batch", v.achCrumbs(v.batchLink(&d.Batch))...), Title: "Edit batch", Subtitle: editedNote(d),
		Save: here + "/edit", Cancel: here, Form: f, Hidden: [][2]string{{"version", f.Raw("version")}}, Button: "Save the batch",
	}
	if !d.May[catalog.ACHBatchEdit].Allowed {
		page.Blocked, page.Why = v.blockers(d.May[catalog.ACHBatchEdit]), v.whyBatch(catalog.ACHBatchEdit)
		return web.Render(w, r, http.StatusForbidden, batchFormView(page))
	}
	page.headFields(&choices)
	if !nacha.IsSimple(d.Header.SEC) { // its records are kept as they came
		page.Company.Off, page.Class.Off, page.Text.Off, page.Data.Off = true, true, true, true
		page.Classes = append(page.Classes, ui.Option{Value: d.Header.SEC, Label: d.Header.SEC})
	}
	return web.Render(w, r, f.Status(), batchFormView(page))
}

// editedNote says what an edit brings along.
func editedNote(d *ach.Detail) string {
	if d.State == ach.Pending {
		return "It waits for approval. A change takes it back to ready, and makes you its last editor."
	}
	return "A change makes you its last editor: without Full ACH control, somebody else must initiate it then."
}

// POST /{institution}/ach/batches/{batch}/edit
func (a *app) saveBatch(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	d, err := a.oneBatch(r)
	if err != nil {
		return err
	}
	h := headerOf(f)
	if !f.OK() {
		return a.renderEditBatch(w, r, &d, f)
	}
	err = a.money.ACH.Edit(r.Context(), web.CallerOf(r.Context()), ach.Edit{Batch: d.ID, Version: number(f.Raw("version")), Header: &h})
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderEditBatch(w, r, &d, f)
	}
	return a.toBatch(w, r, d.ID, "The batch is saved")
}

type entriesFormPage struct {
	Shell    ui.Shell
	Subtitle string
	Save     string
	Cancel   string
	Form     *web.Form
	Hidden   [][2]string
	Toolbar  ui.Toolbar
	Pager    ui.Pager
	Entries  []entryFields
	New      []entryFields
	Whole    bool // more than the five fields may be changed
	Part     string
	Blocked  []blocker
	Why      string
	Totals   []ui.Figure
}

var entryEditSpec = web.ListSpec{PerPage: 20}

// GET /{institution}/ach/batches/{batch}/recipients
func (a *app) editEntries(w http.ResponseWriter, r *http.Request) error {
	d, err := a.oneBatch(r)
	if err != nil {
		return err
	}
	values := map[string]string{"version": strconv.FormatInt(d.Version, 10)}
	shown := editedEntries(r, &d)
	for i := range shown {
		entryValues(values, i, &shown[i])
	}
	return a.renderEntries(w, r, &d, shown, web.NewForm(values))
}

// editedEntries are the recipients of the page that an address asks for.
func editedEntries(r *http.Request, d *ach.Detail) []ach.Entry {
	list := web.ReadList(r, entryEditSpec)
	some := someEntries(list, d.All)
	from := min(list.Offset(), len(some))
	return some[from:min(from+list.PerPage, len(some))]
}

// keptEntries are the recipients that a form is about, by its keys: the page
// that it came from may look otherwise by now.
func keptEntries(f *web.Form, d *ach.Detail) (kept []ach.Entry) {
	byID := make(map[ach.EntryID]*ach.Entry, len(d.All))
	for i := range d.All {
		byID[d.All[i].EntryID] = &d.All[i]
	}
	for i := range entryEditSpec.PerPage {
		if e := byID[ach.EntryID(f.Raw(fmt.Sprintf("entries.%d.key", i)))]; e != nil {
			kept = append(kept, *e)
		}
	}
	return kept
}

func (a *app) renderEntries(w http.ResponseWriter, r *http.Request, d *ach.Detail, shown []ach.Entry, f *web.Form) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	choices, err := a.money.ACH.Choices(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	here := v.base.batch(d.ID) + "/recipients"
	list := web.ReadList(r, entryEditSpec)
	page := entriesFormPage{
		Shell: a.shell(r, v.me, "Edit recipients", v.achCrumbs(v.batchLink(&d.Batch))...), Subtitle: editedNote(d), Save: here + query(list.Href()), Cancel: v.base.batch(d.ID), Form: f,
		Hidden: [][2]string{{"version", f.Raw("version")}, {"blanks", strconv.Itoa(blanks(f))}}, Whole: choices.Edit.Allowed && nacha.IsSimple(d.Header.SEC), Totals: batchFigures(d),
	}
	some := len(someEntries(list, d.All))
	page.Toolbar, page.Pager = list.Toolbar("Search recipients", ui.Count(some, "recipient", "recipients")), list.Pager("Recipients", some)
	if !d.May[catalog.ACHBatchEdit].Allowed && !d.PartialEdit.Allowed {
		page.Blocked, page.Why = v.blockers(d.PartialEdit), v.whyBatch(catalog.ACHBatchEdit)
		return web.Render(w, r, http.StatusForbidden, entriesFormView(page))
	}
	if !page.Whole {
		page.Part = "You may change amount, debit or credit, addenda, hold and prenote."
	}
	for i := range shown {
		page.Entries = append(page.Entries, entryFieldsOf(f, i, &shown[i], page.Whole))
	}
	if page.Whole {
		for i := range blanks(f) {
			page.New = append(page.New, entryFieldsOf(f, len(shown)+i, nil, true))
		}
	}
	return web.Render(w, r, f.Status(), entriesFormView(page))
}

// POST /{institution}/ach/batches/{batch}/recipients
func (a *app) saveEntries(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	d, err := a.oneBatch(r)
	if err != nil {
		return err
	}
	shown := keptEntries(f, &d)
	if f.Raw("do") == "more" {
		return a.renderEntries(w, r, &d, shown, f)
	}
	edit, places := entriesEdit(f, &d, shown)
	if !f.OK() {
		return a.renderEntries(w, r, &d, shown, f)
	}
	err = a.money.ACH.Edit(r.Context(), web.CallerOf(r.Context()), edit)
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		renumber(f, places)
		return a.renderEntries(w, r, &d, shown, f)
	}
	return a.toBatch(w, r, d.ID, "The recipients are saved")
}

// entriesEdit reads a form of recipients, and which line each draft is of.
func entriesEdit(f *web.Form, d *ach.Detail, shown []ach.Entry) (edit ach.Edit, places []int) {
	edit = ach.Edit{Batch: d.ID, Version: number(f.Raw("version"))}
	for i := range shown {
		if f.Checked(fmt.Sprintf("entries.%d.remove", i)) {
			edit.Remove = append(edit.Remove, shown[i].EntryID)
			continue
		}
		whole := f.Sent(entryName(i, recipients.Name))
		draft, _ := entryDraft(f, i, &shown[i], whole)
		edit.Set, places = append(edit.Set, draft), append(places, i)
	}
	for i := len(shown); i < len(shown)+blanks(f); i++ {
		if draft, blank := entryDraft(f, i, nil, true); !blank {
			edit.Set, places = append(edit.Set, draft), append(places, i)
		}
	}
	return edit, places
}

// amountOf is what a batch moves, in words.
func amountOf(b *ach.Batch) string {
	switch {
	case b.Debits == 0:
		return "pays " + b.Credits.Dollars()
	case b.Credits == 0:
		return "collects " + b.Debits.Dollars()
	}
	return "pays " + b.Credits.Dollars() + " and collects " + b.Debits.Dollars()
}
