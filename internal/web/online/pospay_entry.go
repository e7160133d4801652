package online

import (
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/moneymovement/layout"
	"mandate/internal/moneymovement/positivepay"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

type arpEntryPage struct {
	Shell    ui.Shell
	Action   string
	Cancel   string
	Form     *web.Form
	ID       string
	Account  ui.Field
	Accounts []ui.Option
	Rows     []arpEntryRow
	Count    string
	More     bool
	None     string
	Blocked  []blocker
	Why      string
	Sentence string
}

type arpEntryRow struct {
	Line                              int
	Number, Amount, Date, Payee, Type ui.Field
	Problems                          []string
}

// arpEntryMore is how many rows of checks a form begins with, and gets more of.
const arpEntryMore = 10

var arpEntryTypes = []ui.Option{{Value: "issue", Label: "Issued"}, {Value: "void", Label: "Void"}}

// GET /{institution}/positive-pay/entry
func (a *app) arpNewEntry(w http.ResponseWriter, r *http.Request) error {
	f := web.NewForm(map[string]string{"id": string(positivepay.NewFileID(a.site.Clock.Now())), "account": r.URL.Query().Get("account"), "rows": strconv.Itoa(arpEntryMore)})
	return a.arpRenderEntry(w, r, http.StatusOK, f, nil)
}

// arpRowsOf is how many rows a form has.
func arpRowsOf(f *web.Form) int {
	return int(min(max(number(f.Raw("rows")), arpEntryMore), positivepay.MaxEntered))
}

func (a *app) arpRenderEntry(w http.ResponseWriter, r *http.Request, status int, f *web.Form, against error) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	choice, err := a.money.PositivePay.Choices(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	rows := arpRowsOf(f)
	page := arpEntryPage{
		Shell: a.shell(r, v.me, "Enter checks", posPayCrumb(v.base)), Action: v.base.posPayEntry(), Cancel: v.base.posPayIssued(), Form: f, ID: f.Raw("id"),
		Account: f.Field("account", "Account"), Accounts: v.choices("Choose an account", choice.On(catalog.ARPFileUpload, true), nil), Count: strconv.Itoa(rows), More: rows < positivepay.MaxEntered,
	}
	e, refused := refusalIn(against)
	if !v.uploads(&choice, &page.Blocked, &page.Why, &page.None) && !refused {
		return web.Render(w, r, http.StatusForbidden, arpEntryView(page))
	}
	if refused {
		page.Blocked, page.Why = v.blockers(e), v.base.whyMe()+"?operation="+catalog.ARPFileUpload.ID()
	} else if against != nil {
		page.Sentence = web.SentenceOf(against)
	}
	for line := 1; line <= rows; line++ {
		page.Rows = append(page.Rows, arpEntryRowOf(f, line))
	}
	return web.Render(w, r, status, arpEntryView(page))
}

func arpEntryRowOf(f *web.Form, line int) arpEntryRow {
	row := arpEntryRow{Line: line}
	cell := func(name positivepay.Field, label string, most int) ui.Field {
		field := f.Field(fmt.Sprintf("%s_%d", name, line), fmt.Sprintf("%s, check %d of the form", label, line))
		field.Max, field.Optional = most, true
		if field.Problem != "" {
			row.Problems = append(row.Problems, name.Label()+": "+field.Problem)
		}
		return field
	}
	row.Number, row.Amount = cell(positivepay.Number, "Check number", 10), cell(positivepay.Amount, "Amount", 20)
	row.Date, row.Payee = cell(positivepay.Date, "Date", 10), cell(positivepay.Payee, "Payee", positivepay.MaxPayee)
	row.Type = cell(positivepay.Type, "Type", 10)
	return row
}

// arpEntered reads the checks of a form. Rows without a number and an amount are
// none.
func arpEntered(f *web.Form) (checks []positivepay.Check) {
	for line := 1; line <= arpRowsOf(f); line++ {
		name := func(field positivepay.Field) string { return fmt.Sprintf("%s_%d", field, line) }
		raw := func(field positivepay.Field) string { return strings.TrimSpace(f.Raw(name(field))) }
		if raw(positivepay.Number) == "" && raw(positivepay.Amount) == "" && raw(positivepay.Payee) == "" {
			continue
		}
		checks = append(checks, positivepay.Check{
			Line: line, Number: max(number(raw(positivepay.Number)), 0), Cents: f.Money(name(positivepay.Amount)), Day: bank.Day(raw(positivepay.Date)),
			Payee: f.Text(name(positivepay.Payee), positivepay.MaxPayee), Void: raw(positivepay.Type) == "void",
		})
	}
	return checks
}

// POST /{institution}/positive-pay/entry
func (a *app) arpEnterChecks(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	if f.Raw("do") == "more" {
		values := map[string]string{}
		for name, sent := range r.PostForm {
			values[name] = sent[0]
		}
		values["rows"] = strconv.Itoa(min(arpRowsOf(f)+arpEntryMore, positivepay.MaxEntered))
		return a.arpRenderEntry(w, r, http.StatusOK, web.NewForm(values), nil)
	}
	e := positivepay.Entry{ID: positivepay.FileID(f.Raw("id")), Account: bank.AccountID(f.Raw("account")), Checks: arpEntered(f)}
	if e.Account == "" {
		f.Wrong("account", "Choose the account of the checks.")
	}
	var err error
	if f.OK() {
		err = a.money.PositivePay.Enter(r.Context(), web.CallerOf(r.Context()), e)
	}
	for _, p := range fault.ProblemsOf(err) {
		f.Wrong(arpEntryField(p.Field), p.Sentence)
	}
	switch kind := fault.KindOf(err); {
	case err == nil && f.OK():
		return settled(w, r, nil, "The checks are kept. Review them, then approve", baseOf(r).posPayFile(e.ID))
	case !f.OK():
		f.Sentence = "Nothing was kept."
		return a.arpRenderEntry(w, r, http.StatusUnprocessableEntity, f, nil)
	case kind == fault.Conflict:
		return a.arpRenderEntry(w, r, http.StatusConflict, f, err)
	case kind == fault.Forbidden:
		return a.arpRenderEntry(w, r, http.StatusForbidden, f, err)
	}
	return err
}

// arpEntryField is the field of the form for a place such as line.3.amount.
func arpEntryField(place string) string {
	parts := strings.Split(place, ".")
	if len(parts) != 3 {
		return place
	}
	return parts[2] + "_" + parts[1]
}

type arpLayoutPage struct {
	Shell    ui.Shell
	Title    string
	Action   string
	Cancel   string
	Form     *web.Form
	Fixed    bool
	Places   []arpPlaceRow
	Dates    ui.Field
	Forms    []ui.Option
	Cents    ui.Field
	Titles   ui.Field
	Sample   ui.Field
	Tabs     []ui.Tab
	Preview  *arpPreviewPart
	Sentence string
	Blocked  []blocker
	Why      string
}

type arpPlaceRow struct {
	Label    string
	First    ui.Field // the column, or the first position
	Last     ui.Field
	Problem  string
	Optional bool
}

// GET /{institution}/positive-pay/layouts/{format}
func (a *app) arpEditLayout(w http.ResponseWriter, r *http.Request) error {
	format := layout.Format(r.PathValue("format"))
	if format.Label() == "" {
		return fault.New(fault.NotFound, "There is no such format.")
	}
	choice, err := a.money.PositivePay.Choices(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	values := map[string]string{"dates": string(positivepay.DateDashes)}
	if l, set := choice.Layouts[format]; set {
		values["dates"] = string(l.Dates)
		for f, place := range l.Places {
			values["column_"+string(f)], values["from_"+string(f)], values["to_"+string(f)] = strconv.Itoa(place.Column), strconv.Itoa(place.From), strconv.Itoa(place.To)
		}
		if l.Cents {
			values["cents"] = "on"
		}
		if l.Titles {
			values["titles"] = "on"
		}
	} else if format != layout.Fixed {
		for i, f := range positivepay.Fields() {
			values["column_"+string(f)] = strconv.Itoa(i + 1)
		}
	}
	return a.arpRenderLayout(w, r, http.StatusOK, format, web.NewForm(values), nil, nil)
}

func (a *app) arpRenderLayout(w http.ResponseWriter, r *http.Request, status int, format layout.Format, f *web.Form, p *positivepay.Preview, against error) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	choice, err := a.money.PositivePay.Choices(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	page := arpLayoutPage{
		Shell: a.shell(r, v.me, "Layout for "+format.Label()+" files", posPayCrumb(v.base), ui.Link{Label: "Lists", Href: v.base.posPayFiles()}), Title: "Layout for " + format.Label() + " files",
		Action: v.base.posPayLayout(format), Cancel: v.base.posPayFiles(), Form: f, Fixed: format == layout.Fixed, Dates: f.Field("dates", "Dates look like"),
		Cents: f.Field("cents", "Amounts are in cents, without a point"), Titles: f.Field("titles", "The first line holds titles and is left out"), Sample: f.Field("sample", "A file to try it with"),
	}
	page.Cents.Help = "0000012550 is $125.50."
	if len(choice.On(catalog.ARPFileUpload, false)) == 0 {
		page.Blocked, page.Why = v.blockers(choice.May[catalog.ARPFileUpload]), v.base.whyMe()+"?operation="+catalog.ARPFileUpload.ID()
		return web.Render(w, r, http.StatusForbidden, arpLayoutView(page))
	}
	for _, one := range layout.Formats() {
		page.Tabs = append(page.Tabs, ui.Tab{Label: one.Label(), Href: v.base.posPayLayout(one), Current: one == format})
	}
	for _, form := range positivepay.DateForms() {
		page.Forms = append(page.Forms, ui.Option{Value: string(form), Label: string(form)})
	}
	for _, field := range positivepay.Fields() {
		page.Places = append(page.Places, arpPlaceRowOf(f, format, field))
	}
	if against != nil {
		page.Sentence = web.SentenceOf(against)
	}
	if p != nil {
		page.Preview = v.preview(p, format)
	}
	return web.Render(w, r, status, arpLayoutView(page))
}

func arpPlaceRowOf(f *web.Form, format layout.Format, field positivepay.Field) arpPlaceRow {
	row := arpPlaceRow{Label: field.Label(), Problem: f.Problem(string(field)), Optional: !field.Required()}
	cell := func(name, label string) ui.Field {
		c := f.Field(name+"_"+string(field), label)
		c.Max, c.Optional, c.Width, c.Problem = 4, row.Optional, "short", row.Problem
		if c.Value == "0" {
			c.Value = ""
		}
		return c
	}
	if format != layout.Fixed {
		row.First = cell("column", "Column of the "+strings.ToLower(field.Label()))
		return row
	}
	row.First, row.Last = cell("from", "First position of the "+strings.ToLower(field.Label())), cell("to", "Last position of the "+strings.ToLower(field.Label()))
	return row
}

// arpLayoutOf reads the form of a layout.
func arpLayoutOf(f *web.Form, format layout.Format) positivepay.Layout {
	l := positivepay.Layout{Format: format, Places: map[positivepay.Field]layout.Place{}, Dates: positivepay.DateForm(f.Raw("dates")), Cents: f.Checked("cents"), Titles: f.Checked("titles")}
	for _, field := range positivepay.Fields() {
		at := func(name string) int { return int(number(f.Raw(name + "_" + string(field)))) }
		place := layout.Place{Column: at("column")}
		if format == layout.Fixed {
			place = layout.Place{From: at("from"), To: at("to")}
		}
		if strings.TrimSpace(f.Raw("column_"+string(field))+f.Raw("from_"+string(field))+f.Raw("to_"+string(field))) != "" {
			l.Places[field] = place
		}
	}
	return l
}

// POST /{institution}/positive-pay/layouts/{format}
func (a *app) arpSaveLayout(w http.ResponseWriter, r *http.Request) error {
	f, format := web.ReadForm(r), layout.Format(r.PathValue("format"))
	if format.Label() == "" {
		return fault.New(fault.NotFound, "There is no such format.")
	}
	l := arpLayoutOf(f, format)
	var p *positivepay.Preview
	var err error
	trying := f.Raw("do") == "try"
	if trying {
		file, _, missing := r.FormFile("sample")
		if missing != nil {
			f.Wrong("sample", "Choose a file to try the layout with.")
			return a.arpRenderLayout(w, r, http.StatusUnprocessableEntity, format, f, nil, nil)
		}
		defer file.Close()
		p, err = a.money.PositivePay.Try(r.Context(), web.CallerOf(r.Context()), l, file)
	} else {
		err = a.money.PositivePay.SetLayout(r.Context(), web.CallerOf(r.Context()), l)
	}
	for _, one := range fault.ProblemsOf(err) {
		f.Wrong(one.Field, one.Sentence)
	}
	switch kind := fault.KindOf(err); {
	case err == nil && !trying:
		return settled(w, r, nil, "The layout is saved", baseOf(r).posPayUpload())
	case err == nil:
		return a.arpRenderLayout(w, r, http.StatusOK, format, f, p, nil)
	case kind == fault.Invalid:
		return a.arpRenderLayout(w, r, http.StatusUnprocessableEntity, format, f, nil, err)
	case kind == fault.Forbidden:
		return a.arpRenderLayout(w, r, http.StatusForbidden, format, f, nil, err)
	}
	return err
}

type arpOutputPage struct {
	Shell   ui.Shell
	Tabs    []ui.Tab
	Toolbar ui.Toolbar
	Columns []ui.Column
	Rows    []arpOutputRow
	Pager   ui.Pager
	Empty   bool // there is none at all
	Action  string
	Blocked []blocker
	Why     string
}

type arpOutputRow struct {
	Day, Account, Paid, Returned, Waiting string
	DayValue, AccountValue                string
	Cents                                 bank.Cents
}

var outputListSpec = web.ListSpec{Filters: map[string][]string{"account": nil, "when": {when30, when90, whenYear}}}

// outputQuery is what the address of the list asks.
func outputQuery(list web.List, today bank.Day) positivepay.OutputQuery {
	q := positivepay.OutputQuery{Account: bank.AccountID(list.Filter("account")), Page: list.Page, Size: list.PerPage}
	if days, err := strconv.Atoi(list.Filter("when")); err == nil { // one of the values above
		q.From = calendar.AddDays(today, -days)
	}
	return q
}

// GET /{institution}/positive-pay/output
func (a *app) arpOutputList(w http.ResponseWriter, r *http.Request) error {
	return a.arpRenderOutputs(w, r, http.StatusOK, nil)
}

func (a *app) arpRenderOutputs(w http.ResponseWriter, r *http.Request, status int, against error) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	choice, err := a.money.PositivePay.Choices(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	list := web.ReadList(r, outputListSpec)
	found, err := a.money.PositivePay.Outputs(r.Context(), web.CallerOf(r.Context()), outputQuery(list, choice.Today))
	if err != nil {
		return err
	}
	list = list.At(found.Page)
	page := arpOutputPage{
		Shell: a.shell(r, v.me, "Output files", posPayCrumb(v.base)), Tabs: v.base.posPayTabs(v.base.posPayOutput()), Action: v.base.posPayOutput(),
		Columns: []ui.Column{{Label: "Day"}, {Label: "Account"}, {Label: "Paid"}, {Label: "Returned"}, {Label: "Waiting"}, {Label: "Paid in all", Money: true}, {Label: "Download", Hidden: true}},
		Pager:   list.Pager("Output files", found.Matching), Empty: found.Total == 0,
	}
	page.Toolbar = list.Toolbar("", resultOf(found.Matching, found.Total, "output file", "output files")+", "+found.Paid.Dollars()+" paid in all", v.accountFilter(), pastFilter())
	if e, ok := refusalIn(against); ok {
		page.Blocked, page.Why = v.blockers(e), v.base.whyMe()+"?operation="+catalog.ARPFileDownload.ID()
	} else if len(choice.On(catalog.ARPFileDownload, false)) == 0 {
		page.Blocked, page.Why = v.blockers(choice.May[catalog.ARPFileDownload]), v.base.whyMe()+"?operation="+catalog.ARPFileDownload.ID()
	}
	for _, o := range found.Outputs {
		page.Rows = append(page.Rows, arpOutputRow{
			Day: ui.Date(o.Day.Time(time.UTC), time.UTC), Account: v.account(o.Account), Paid: strconv.Itoa(o.Paid), Returned: strconv.Itoa(o.Returned), Waiting: strconv.Itoa(o.Waiting),
			DayValue: string(o.Day), AccountValue: string(o.Account), Cents: o.PaidSum,
		})
	}
	return web.Render(w, r, status, arpOutputView(page))
}

// POST /{institution}/positive-pay/output
func (a *app) arpDownloadOutput(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	d, err := a.money.PositivePay.Download(r.Context(), web.CallerOf(r.Context()), bank.AccountID(f.Raw("account")), bank.Day(f.Raw("day")))
	if isRefusal(err) {
		return a.arpRenderOutputs(w, r, http.StatusForbidden, err)
	}
	if err != nil {
		return err
	}
	return arpAttach(w, d.Name, "text/plain; charset=us-ascii", d.Body)
}

// arpAttach hands a file over.
func arpAttach(w http.ResponseWriter, name, kind string, body []byte) error {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, err := w.Write(body)
	return err
}
