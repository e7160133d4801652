package online

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strconv"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/moneymovement/layout"
	"mandate/internal/moneymovement/positivepay"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

type issueListPage struct {
	Shell         ui.Shell
	Tabs          []ui.Tab
	Toolbar       ui.Toolbar
	Columns       []ui.Column
	Rows          []arpIssueRow
	Pager         ui.Pager
	Export        string
	Upload, Entry string
	Empty         bool
	Blocked       []blocker
	Why           string
}

type arpIssueRow struct {
	Href, Title, Account, Date, Payee string
	State                             ui.State
	Cents                             bank.Cents
}

var issueListSpec = web.ListSpec{Sorts: []string{"-date", "number", "amount"}, Filters: map[string][]string{"state": nil, "account": nil}}

func issueQuery(list web.List, v *moneyView) positivepay.IssueQuery {
	return positivepay.IssueQuery{
		Search: list.Search, Matching: v.matching(list.Search), State: positivepay.IssueState(list.Filter("state")), Account: bank.AccountID(list.Filter("account")),
		Sort: positivepay.IssueSort(list.Sort), Descending: list.Descending, Page: list.Page, Size: list.PerPage,
	}
}

// GET /{institution}/positive-pay/issued
func (a *app) issueList(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	list := web.ReadList(r, issueListSpec)
	choice, err := a.money.PositivePay.Choices(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	found, err := a.money.PositivePay.Issues(r.Context(), web.CallerOf(r.Context()), issueQuery(list, &v))
	if err != nil {
		return err
	}
	list = list.At(found.Page)
	page := issueListPage{
		Shell: a.shell(r, v.me, "Issued checks", posPayCrumb(v.base)), Tabs: v.base.posPayTabs(v.base.posPayIssued()),
		Columns: []ui.Column{list.Column("number", "Check"), {Label: "Account"}, list.Column("date", "Date"), {Label: "State"}, arpAmountColumn(list)},
		Pager:   list.Pager("Issued checks", found.Matching), Empty: found.Total == 0, Export: withQuery(v.base.posPayIssued() + "/export?" + r.URL.RawQuery),
	}
	result := resultOf(found.Matching, found.Total, "issued check", "issued checks") + ", " + found.Cents.Dollars() + " in all"
	if found.Outstanding > 0 {
		result += ", " + found.Outstanding.Dollars() + " outstanding"
	}
	page.Toolbar = list.Toolbar("Search issued checks", result,
		stateFilter(positivepay.IssueStates(), func(s positivepay.IssueState) (string, string) { return string(s), s.Label() }), v.accountFilter())
	switch {
	case len(choice.On(catalog.ARPFileUpload, false)) > 0:
		page.Upload, page.Entry = v.base.posPayUpload(), v.base.posPayEntry()
	case len(choice.On(catalog.ARPCheckExceptionDecide, false)) == 0:
		page.Blocked, page.Why = v.blockers(choice.May[catalog.ARPFileUpload]), v.base.whyMe()+"?operation="+catalog.ARPFileUpload.ID()
	}
	for _, i := range found.Issues {
		page.Rows = append(page.Rows, v.arpIssueRow(i, v.base.posPayFile(i.File), page.Upload != ""))
	}
	return web.Render(w, r, http.StatusOK, issueListView(page))
}

func (v *moneyView) arpIssueRow(i positivepay.Issue, href string, link bool) arpIssueRow {
	row := arpIssueRow{Title: "Check " + checkNumber(i.Number), Account: v.account(i.Account), Payee: i.Payee, State: arpIssueState(i.State), Cents: i.Cents}
	if i.Day != "" {
		row.Date = shortDate(i.Day)
	}
	if i.Void {
		row.Title = "Void of check " + checkNumber(i.Number)
	}
	if link {
		row.Href = href
	}
	return row
}

// GET /{institution}/positive-pay/issued/export
func (a *app) exportIssues(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	q := issueQuery(web.ReadList(r, issueListSpec), &v)
	header := []string{"Account", "Check", "Type", "Amount", "Date", "Payee", "State", "Paid or void on", "List"}
	return web.WriteCSV(w, "issued-checks.csv", header, a.issueLines(r, &v, q))
}

// issueLines are all issued checks that a query matches, page by page.
func (a *app) issueLines(r *http.Request, v *moneyView, q positivepay.IssueQuery) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		q.Size = positivepay.MaxPage
		for q.Page = 1; ; q.Page++ {
			found, err := a.money.PositivePay.Issues(r.Context(), web.CallerOf(r.Context()), q)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, i := range found.Issues {
				kind := map[bool]string{true: "Void", false: "Issue"}[i.Void]
				if !yield([]string{v.account(i.Account), checkNumber(i.Number), kind, amountOrNone(i.Cents), string(i.Day), i.Payee, i.State.Label(), string(i.Done), string(i.File)}, nil) {
					return
				}
			}
			if found.Page != q.Page || found.Page*q.Size >= found.Matching {
				return
			}
		}
	}
}

type arpFileListPage struct {
	Shell         ui.Shell
	Tabs          []ui.Tab
	Toolbar       ui.Toolbar
	Columns       []ui.Column
	Rows          []arpFileRow
	Pager         ui.Pager
	Export        string
	Upload, Entry string
	Layouts       []ui.Link
	Empty         bool
	Blocked       []blocker
	Why           string
}

type arpFileRow struct {
	Href, Name, Account, By, When string
	Checks                        string
	State                         ui.State
	Cents                         bank.Cents
}

var arpFileListSpec = web.ListSpec{Filters: map[string][]string{"state": nil, "account": nil}}

func arpFileQuery(list web.List) positivepay.FileQuery {
	return positivepay.FileQuery{Search: list.Search, State: positivepay.FileState(list.Filter("state")), Account: bank.AccountID(list.Filter("account")), Page: list.Page, Size: list.PerPage}
}

// GET /{institution}/positive-pay/lists
func (a *app) arpFileList(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	list := web.ReadList(r, arpFileListSpec)
	choice, err := a.money.PositivePay.Choices(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	found, err := a.money.PositivePay.Files(r.Context(), web.CallerOf(r.Context()), arpFileQuery(list))
	if err != nil {
		return err
	}
	list = list.At(found.Page)
	page := arpFileListPage{
		Shell: a.shell(r, v.me, "Lists of issued checks", posPayCrumb(v.base)), Tabs: v.base.posPayTabs(v.base.posPayFiles()),
		Columns: []ui.Column{{Label: "List"}, {Label: "Account"}, {Label: "Uploaded"}, {Label: "State"}, {Label: "Checks"}, {Label: "Amount", Money: true}},
		Pager:   list.Pager("Lists", found.Matching), Empty: found.Total == 0, Export: withQuery(v.base.posPayFiles() + "/export?" + r.URL.RawQuery),
	}
	page.Toolbar = list.Toolbar("Search lists", resultOf(found.Matching, found.Total, "list", "lists")+", "+found.Cents.Dollars()+" in all",
		stateFilter(positivepay.FileStates(), func(s positivepay.FileState) (string, string) { return string(s), s.Label() }), v.accountFilter())
	if len(choice.On(catalog.ARPFileUpload, false)) == 0 {
		page.Blocked, page.Why = v.blockers(choice.May[catalog.ARPFileUpload]), v.base.whyMe()+"?operation="+catalog.ARPFileUpload.ID()
	} else {
		page.Upload, page.Entry, page.Layouts = v.base.posPayUpload(), v.base.posPayEntry(), v.arpLayoutLinks(&choice)
	}
	for _, f := range found.Files {
		page.Rows = append(page.Rows, arpFileRow{
			Href: v.base.posPayFile(f.ID), Name: f.Name, Account: v.account(f.Account), By: f.By.Name, When: ui.DateTime(f.Created, v.place()), Checks: arpChecksOf(f.Checks, f.Voids), State: arpFileState(f.State), Cents: f.Cents,
		})
	}
	return web.Render(w, r, http.StatusOK, arpFileListView(page))
}

// GET /{institution}/positive-pay/lists/export
func (a *app) exportFiles(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	q := arpFileQuery(web.ReadList(r, arpFileListSpec))
	header := []string{"Reference", "List", "Account", "Uploaded by", "Uploaded at", "State", "Checks", "Voids", "Amount"}
	return web.WriteCSV(w, "lists-of-issued-checks.csv", header, a.arpFileLines(r, &v, q))
}

// arpFileLines are all lists that a query matches, page by page.
func (a *app) arpFileLines(r *http.Request, v *moneyView, q positivepay.FileQuery) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		q.Size = positivepay.MaxPage
		for q.Page = 1; ; q.Page++ {
			found, err := a.money.PositivePay.Files(r.Context(), web.CallerOf(r.Context()), q)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, f := range found.Files {
				line := []string{string(f.ID), f.Name, v.account(f.Account), f.By.Name, ui.DateTime(f.Created, v.place()), f.State.Label(), strconv.Itoa(f.Checks), strconv.Itoa(f.Voids), f.Cents.String()}
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

func arpChecksOf(issued, voids int) string {
	text := ui.Count(issued, "check", "checks")
	if voids > 0 {
		text += ", " + ui.Count(voids, "void", "voids")
	}
	return text
}

// arpLayoutLinks lead to how files of each format are read.
func (v *moneyView) arpLayoutLinks(choice *positivepay.Choice) (links []ui.Link) {
	for _, f := range layout.Formats() {
		label := "Set up the layout for " + f.Label() + " files"
		if _, set := choice.Layouts[f]; set {
			label = "Change the layout for " + f.Label() + " files"
		}
		links = append(links, ui.Link{Label: label, Href: v.base.posPayLayout(f)})
	}
	return links
}

type arpFileDetailPage struct {
	Shell    ui.Shell
	Title    string
	State    ui.State
	Moving   bool
	Here     string
	Problem  *ui.Message
	Problems []fault.Problem
	Facts    []ui.Fact
	Columns  []ui.Column
	Rows     []arpIssueRow
	More     string
	Events   []ui.Event
	Approve  string
	Delete   string
	Blocked  []blocker
	Why      string
}

// arpMaxShown is how many checks the page of a list shows.
const arpMaxShown = 500

// GET /{institution}/positive-pay/lists/{list}
func (a *app) arpFileDetail(w http.ResponseWriter, r *http.Request) error {
	return a.arpRenderFile(w, r, http.StatusOK, nil)
}

// arpRenderFile shows a list, with what stood against approving it.
func (a *app) arpRenderFile(w http.ResponseWriter, r *http.Request, status int, against error) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	d, err := a.money.PositivePay.GetFile(r.Context(), web.CallerOf(r.Context()), positivepay.FileID(r.PathValue("list")))
	if err != nil {
		return err
	}
	page := arpFileDetailPage{
		Shell: a.shell(r, v.me, d.Name, posPayCrumb(v.base), ui.Link{Label: "Lists", Href: v.base.posPayFiles()}), Title: d.Name, State: arpFileState(d.State), Here: v.base.posPayFile(d.ID),
		Moving: d.State == positivepay.Pending, Facts: v.arpFileFacts(&d.File), Events: v.timeline(d.Events),
		Columns: []ui.Column{{Label: "Check"}, {Label: "Date"}, {Label: "Payee"}, {Label: "State"}, {Label: "Amount", Money: true}},
	}
	if d.State.Can() && d.Enrolled {
		page.Approve = v.base.posPayFile(d.ID) + "/approve"
	}
	if d.State.Can() {
		page.Delete = v.base.posPayFile(d.ID) + "/delete"
	}
	for _, i := range d.Issues[:min(len(d.Issues), arpMaxShown)] {
		page.Rows = append(page.Rows, v.arpIssueRow(i, "", false))
	}
	if len(d.Issues) > arpMaxShown {
		page.More = fmt.Sprintf("The first %d of %d lines are shown. The others are under Issued checks.", arpMaxShown, len(d.Issues))
	}
	page.Problem = arpFileMessage(&d)
	if against != nil {
		page.Problem, page.Problems = &ui.Message{Tone: ui.Bad, Title: "Nothing was approved", Text: web.SentenceOf(against)}, fault.ProblemsOf(against)
	}
	if e, ok := refusalIn(against); ok {
		page.Problem, page.Blocked, page.Why = nil, v.blockers(e), v.base.whyMe()+"?operation="+catalog.ARPFileUpload.ID()+"&account="+string(d.Account)
	}
	return web.Render(w, r, status, arpFileDetailView(page))
}

// arpFileMessage says what is special about the state of a list.
func arpFileMessage(d *positivepay.FileDetail) *ui.Message {
	switch {
	case d.State == positivepay.Pending:
		return &ui.Message{Tone: ui.Note, Icon: "hourglass", Title: "Pending", Text: "It is with the host. This page looks again by itself."}
	case d.State == positivepay.Rejected:
		return &ui.Message{Tone: ui.Bad, Title: "The host did not accept this list", Text: d.Problem + " You can approve it again."}
	case d.State.Can() && !d.Enrolled:
		return &ui.Message{Tone: ui.Warn, Title: "This account is not enrolled in Positive Pay", Text: "Ask your institution to enrol it; then this list can be approved."}
	case d.State == positivepay.Unapproved:
		return &ui.Message{Tone: ui.Note, Icon: "eye", Title: "Review, then approve", Text: "Nothing is sent to the institution before somebody approves this list."}
	}
	return nil
}

func (v *moneyView) arpFileFacts(f *positivepay.File) []ui.Fact {
	source := layout.Format(f.Source).Label()
	if f.Source == positivepay.Manual {
		source = "Entered by hand"
	}
	facts := []ui.Fact{
		{Term: "Account", Value: v.account(f.Account)}, {Term: "Checks", Value: arpChecksOf(f.Checks, f.Voids)}, {Term: "Total", More: ui.Amount(f.Cents)}, {Term: "Source", Value: source},
		{Term: "Uploaded by", Value: f.By.Name + ", " + ui.DateTime(f.Created, v.place())},
	}
	if !f.Approved.IsZero() {
		facts = append(facts, ui.Fact{Term: "Approved by", Value: f.Approver.Name + ", " + ui.DateTime(f.Approved, v.place())})
	}
	if f.Reference != "" {
		facts = append(facts, ui.Fact{Term: "Host reference", Value: f.Reference})
	}
	return append(facts, ui.Fact{Term: "Our reference", Value: string(f.ID)})
}

// POST /{institution}/positive-pay/lists/{list}/approve
func (a *app) arpApproveFile(w http.ResponseWriter, r *http.Request) error {
	id := positivepay.FileID(r.PathValue("list"))
	b := baseOf(r)
	ask := func() (proof, error) {
		d, err := a.money.PositivePay.GetFile(r.Context(), web.CallerOf(r.Context()), id)
		text := "You are about to tell the institution that you issued " + arpChecksOf(d.Checks, d.Voids) + " of " + d.Cents.Dollars() + ". What matches them is paid."
		return proof{Text: text, Cancel: b.posPayFile(id), Crumbs: []ui.Link{posPayCrumb(b), {Label: d.Name, Href: b.posPayFile(id)}}}, err
	}
	done, err := a.proven(w, r, ask, func() error { return a.money.PositivePay.Approve(r.Context(), web.CallerOf(r.Context()), id) })
	switch kind := fault.KindOf(err); {
	case err != nil && kind == fault.Invalid:
		return a.arpRenderFile(w, r, http.StatusUnprocessableEntity, err)
	case err != nil && kind == fault.Conflict:
		return a.arpRenderFile(w, r, http.StatusConflict, err)
	case err != nil && kind == fault.Forbidden:
		return a.arpRenderFile(w, r, http.StatusForbidden, err)
	case err != nil || !done:
		return err
	}
	return settled(w, r, nil, "The list is approved", b.posPayFile(id))
}

// GET /{institution}/positive-pay/lists/{list}/delete
func (a *app) arpAskDeleteFile(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	d, err := a.money.PositivePay.GetFile(r.Context(), web.CallerOf(r.Context()), positivepay.FileID(r.PathValue("list")))
	if err != nil {
		return err
	}
	here := v.base.posPayFile(d.ID)
	return a.askAbout(w, r, &v, ui.Confirmation{
		Title: "Delete this list?", Text: "None of its " + arpChecksOf(d.Checks, d.Voids) + " is sent to the institution.", Action: here + "/delete", Cancel: here,
		Confirm: ui.Action{Label: "Delete list", Variant: ui.Danger},
	}, nil, posPayCrumb(v.base), ui.Link{Label: d.Name, Href: here})
}

// POST /{institution}/positive-pay/lists/{list}/delete
func (a *app) arpDeleteFile(w http.ResponseWriter, r *http.Request) error {
	err := a.money.PositivePay.Delete(r.Context(), web.CallerOf(r.Context()), positivepay.FileID(r.PathValue("list")))
	return settled(w, r, err, "The list is deleted", baseOf(r).posPayFiles())
}

type arpUploadPage struct {
	Shell    ui.Shell
	Action   string
	Cancel   string
	Form     *web.Form
	ID       string
	Account  ui.Field
	Accounts []ui.Option
	Format   ui.Field
	Formats  []ui.Option
	File     ui.Field
	Again    *ui.Field
	Layouts  []ui.Link
	None     string // why nothing can be uploaded although it is permitted
	Blocked  []blocker
	Why      string
	Preview  *arpPreviewPart
	Sentence string
}

// A arpPreviewPart is what a file holds: its problems and the first of its checks.
type arpPreviewPart struct {
	Problems []arpPreviewProblem
	More     bool
	Rows     []arpIssueRow
	Columns  []ui.Column
	Summary  string
	Layout   string // where the layout can be changed
}

type arpPreviewProblem struct {
	Line            int
	Field, Sentence string
}

// GET /{institution}/positive-pay/upload
func (a *app) arpNewUpload(w http.ResponseWriter, r *http.Request) error {
	f := web.NewForm(map[string]string{"id": string(positivepay.NewFileID(a.site.Clock.Now())), "account": r.URL.Query().Get("account")})
	return a.arpRenderUpload(w, r, http.StatusOK, f, nil, nil)
}

func (a *app) arpRenderUpload(w http.ResponseWriter, r *http.Request, status int, f *web.Form, p *positivepay.Preview, against error) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	choice, err := a.money.PositivePay.Choices(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	page := arpUploadPage{
		Shell: a.shell(r, v.me, "Upload issued checks", posPayCrumb(v.base)), Action: v.base.posPayUpload(), Cancel: v.base.posPayIssued(), Form: f, ID: f.Raw("id"), Layouts: v.arpLayoutLinks(&choice),
		Account: f.Field("account", "Account"), Accounts: v.choices("Choose an account", choice.On(catalog.ARPFileUpload, true), nil), Format: f.Field("format", "Format"), File: f.Field("file", "File"),
	}
	if !v.uploads(&choice, &page.Blocked, &page.Why, &page.None) {
		return web.Render(w, r, max(status, http.StatusForbidden), arpUploadView(page))
	}
	for _, format := range layout.Formats() {
		if _, set := choice.Layouts[format]; set {
			page.Formats = append(page.Formats, ui.Option{Value: string(format), Label: format.Label()})
		}
	}
	if page.Format.Value == "" && len(page.Formats) > 0 {
		page.Format.Value = page.Formats[0].Value
	}
	page.File.Help = fmt.Sprintf("One account's checks, at most %d MiB and %s.", positivepay.MaxBytes>>20, ui.Count(positivepay.MaxChecks, "line", "lines"))
	if e, ok := refusalIn(against); ok {
		page.Blocked, page.Why = v.blockers(e), v.base.whyMe()+"?operation="+catalog.ARPFileUpload.ID()
	} else if against != nil {
		page.Sentence = web.SentenceOf(against)
	}
	if x, ok := errors.AsType[*fault.Error](against); ok && x.Code == "DUPLICATE_FILE" {
		page.Again = &ui.Field{Name: "again", Label: "Upload it again", Help: "Choose the file once more."}
	}
	if p != nil {
		page.Preview = v.preview(p, layout.Format(f.Raw("format")))
	}
	return web.Render(w, r, status, arpUploadView(page))
}

// uploads reports whether somebody can upload at all, or says why not.
func (v *moneyView) uploads(choice *positivepay.Choice, blocked *[]blocker, why, none *string) bool {
	switch {
	case len(choice.On(catalog.ARPFileUpload, false)) == 0:
		*blocked, *why = v.blockers(choice.May[catalog.ARPFileUpload]), v.base.whyMe()+"?operation="+catalog.ARPFileUpload.ID()
	case len(choice.On(catalog.ARPFileUpload, true)) == 0:
		*none = "None of your accounts is enrolled in Positive Pay. " + ui.Ended("Ask "+v.me.Institution.Name+" to enrol it")
	default:
		return true
	}
	return false
}

// arpEndings are those of lists of checks.
const arpEndings = ".csv,.txt,.tsv,text/plain,text/csv"

const arpMaxPreview = 20 // checks that a preview shows

func (v *moneyView) preview(p *positivepay.Preview, f layout.Format) *arpPreviewPart {
	part := &arpPreviewPart{
		More: p.More, Layout: v.base.posPayLayout(f), Columns: []ui.Column{{Label: "Check"}, {Label: "Date"}, {Label: "Payee"}, {Label: "Amount", Money: true}},
		Summary: arpChecksOf(p.Issued, p.Voids) + " of " + p.Cents.Dollars() + " can be read",
	}
	for _, one := range p.Problems {
		part.Problems = append(part.Problems, arpPreviewProblem{one.Line, one.Field.Label(), one.Sentence})
	}
	for _, c := range p.Checks[:min(len(p.Checks), arpMaxPreview)] {
		part.Rows = append(part.Rows, v.arpIssueRow(positivepay.Issue{Check: c, State: positivepay.Waits}, "", false))
	}
	return part
}

// POST /{institution}/positive-pay/upload
func (a *app) arpUpload(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	u := positivepay.Upload{ID: positivepay.FileID(f.Raw("id")), Account: bank.AccountID(f.Raw("account")), Format: layout.Format(f.Raw("format")), Again: f.Checked("again")}
	if u.Account == "" {
		f.Wrong("account", "Choose the account of the checks.")
	}
	file, header, err := r.FormFile("file")
	if err != nil {
		f.Wrong("file", "Choose the file.")
	}
	if !f.OK() {
		f.Sentence = "Nothing was uploaded."
		return a.arpRenderUpload(w, r, http.StatusUnprocessableEntity, f, nil, nil)
	}
	defer file.Close()
	u.Name, u.File = header.Filename[strings.LastIndexAny(header.Filename, `/\`)+1:], file
	p, err := a.money.PositivePay.Upload(r.Context(), web.CallerOf(r.Context()), u)
	switch kind := fault.KindOf(err); {
	case err == nil && len(p.Problems) == 0:
		return settled(w, r, nil, "The list is uploaded. Review it, then approve", baseOf(r).posPayFile(u.ID))
	case err == nil:
		return a.arpRenderUpload(w, r, http.StatusUnprocessableEntity, f, p, nil)
	case kind == fault.Invalid:
		return a.arpRenderUpload(w, r, http.StatusUnprocessableEntity, f, arpBooksProblems(p, err), err)
	case kind == fault.Conflict:
		return a.arpRenderUpload(w, r, http.StatusConflict, f, nil, err)
	case kind == fault.Forbidden:
		return a.arpRenderUpload(w, r, http.StatusForbidden, f, nil, err)
	}
	return err
}

// arpBooksProblems puts what the books say against a list beside its lines.
func arpBooksProblems(p *positivepay.Preview, err error) *positivepay.Preview {
	if p == nil {
		return nil
	}
	for _, one := range fault.ProblemsOf(err) {
		var line int
		var field string
		if n, _ := fmt.Sscanf(strings.ReplaceAll(one.Field, ".", " "), "line %d %s", &line, &field); n > 0 {
			p.Problems = append(p.Problems, positivepay.Problem{Line: line, Field: positivepay.Field(field), Sentence: one.Sentence})
		}
	}
	return p
}

// arpUploadSentence is what is wrong with the whole of an upload.
func arpUploadSentence(p arpUploadPage) string { return cmp.Or(p.Sentence, p.Form.Sentence) }

func arpLayoutSentence(p arpLayoutPage) string { return cmp.Or(p.Sentence, p.Form.Sentence) }

func arpEntrySentence(p arpEntryPage) string { return cmp.Or(p.Sentence, p.Form.Sentence) }

func arpOptional(f ui.Field) ui.Field {
	f.Optional = true
	return f
}
