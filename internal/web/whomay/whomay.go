// Package whomay shows the answers to reverse questions: who may do something and
// up to how much, what one person may do, and what each could move alone today,
// now or as of a moment in the past. Online and the console show the same; each
// says where it stands.
package whomay

import (
	"errors"
	"fmt"
	"iter"
	"math/bits"
	"net/http"
	"net/url"
	"strings"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/pdp"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/phrase"
	"mandate/internal/web/ui"
)

// A Place is where the pages stand, and what they lead to.
type Place struct {
	Who, Alone string // their addresses
	May        func(bank.UserID) string
	Why        func(bank.UserID) string // where a decision is explained
	Zone       *time.Location
	Edition    bank.Edition
	Accounts   []usermgmt.Account
}

// A Page is what is shown below a heading.
type Page struct {
	Tabs    []ui.Tab
	Toolbar ui.Toolbar
	More    *more
	AtAlone *more  // of a page without a toolbar: the moment alone
	Past    string // the moment in the past that it is about; empty: now
	Now     string // where the same is shown of now
	Problem string // why there is no answer
	Note    string // what the figures mean
	Facts   []ui.Figure
	Caption string
	Columns []ui.Column
	Rows    []Row
	Pager   ui.Pager
	Empty   Empty
	CSV     string
}

// Empty is what stands in the place of rows where there are none.
type Empty struct {
	Title, Text string
	Way         ui.Link // out of it
}

// more are the fields of a question that are no drop-downs.
type more struct {
	Action string
	Keep   [][2]string
	Amount *ui.Field
	At     ui.Field
}

// A Row is one person, or one operation.
type Row struct {
	Name, Detail, Href string
	Cells              []Cell
}

// A Cell is an amount or a text.
type Cell struct {
	Label string
	Money *bank.Cents
	Text  string
	Right bool // stands in a column of amounts
	Link  ui.Link
}

// atLayout is how a browser writes a moment of a place.
const atLayout = "2006-01-02T15:04"

// readPast reads the moment that a page is about. What is no moment is said, and
// is never taken for now.
func readPast(r *http.Request, zone *time.Location) (past pdp.Past, typed, problem string) {
	if typed = strings.TrimSpace(r.URL.Query().Get("at")); typed == "" {
		return pdp.Past{}, "", ""
	}
	for _, layout := range []string{atLayout, atLayout + ":05"} {
		if at, err := time.ParseInLocation(layout, typed, zone); err == nil {
			return pdp.Past{Time: at.UTC()}, at.Format(atLayout), ""
		}
	}
	past, err := pdp.ParsePast(typed)
	switch {
	case err != nil:
		return pdp.Past{}, "", "Write the moment as a date and a time."
	case past.Time.IsZero():
		return past, "", ""
	}
	return past, past.Time.In(zone).Format(atLayout), ""
}

// said is the sentence of a moment that cannot be answered; other errors stay.
func said(err error) (string, error) {
	f, ok := errors.AsType[*fault.Error](err)
	if ok && (f.Code == usermgmt.BeforeKnown || f.Kind == fault.Invalid) {
		return f.Sentence, nil
	}
	return "", err
}

// moment is how the address of another page asks about the same moment; empty: now.
func moment(r *http.Request, past pdp.Past) string {
	if past.IsZero() {
		return ""
	}
	return r.URL.Query().Get("at")
}

// at is an address that asks about a moment.
func at(href, moment string) string {
	if moment == "" {
		return href
	}
	separator := "?"
	if strings.Contains(href, "?") {
		separator = "&"
	}
	return href + separator + url.Values{"at": {moment}}.Encode()
}

// onPage shows a question of which there can be no file where it says why.
func onPage(w http.ResponseWriter, r *http.Request) error {
	page := *r.URL
	page.Path = strings.TrimSuffix(page.Path, ".csv")
	http.Redirect(w, r, page.RequestURI(), http.StatusSeeOther)
	return nil
}

// ServeWho answers who may do something, as a page or as a file.
func ServeWho(w http.ResponseWriter, r *http.Request, place Place, ask func(usermgmt.WhoQuery) (usermgmt.WhoPage, error), show func(Page) error) error {
	list := web.ReadList(r, web.ListSpec{Sorts: []string{"-" + string(usermgmt.ByAmount), string(usermgmt.WhoByName)}, Filters: map[string][]string{"operation": nil, "account": nil, "amount": nil, "at": nil}})
	past, typed, problem := readPast(r, place.Zone)
	req, problems := readQuestion(r, place, past)
	op := req.Operation
	p := Page{Caption: "Who may", Tabs: tabs(place, place.Who, moment(r, past))}
	q := usermgmt.WhoQuery{Request: req, Search: list.Search, Sort: usermgmt.WhoSort(list.Sort), Reverse: list.Descending != (usermgmt.WhoSort(list.Sort) == usermgmt.ByAmount), At: past, Page: list.Page, Size: list.PerPage}
	file := strings.HasSuffix(r.URL.Path, ".csv")
	if file {
		q.Size = -1
	}
	var found usermgmt.WhoPage
	if p.Problem = strings.TrimSpace(problem + " " + problems); p.Problem == "" {
		var err error
		if found, err = ask(q); err != nil {
			if p.Problem, err = said(err); err != nil {
				return err
			}
		}
	}
	if file && p.Problem != "" {
		return onPage(w, r)
	}
	if file {
		return writeWho(w, place, op, found)
	}
	list = list.At(max(found.Page, 1))
	p.who(place, list, op, q, found, moment(r, past))
	p.More.At = momentField(typed)
	p.moment(place, past, list.Href())
	p.unanswered()
	return show(p)
}

func (p *Page) who(place Place, list web.List, op catalog.Operation, q usermgmt.WhoQuery, found usermgmt.WhoPage, moment string) {
	p.Empty = Empty{Title: "Nobody may do this", Text: "Ask about another account, a smaller amount or another moment.", Way: ui.Link{Label: "Start over", Href: list.Clear(asks).Href()}}
	switch {
	case list.Search != "" && found.May > 0:
		p.Empty.Title, p.Empty.Text = "Nobody of that name may do this", "Search for another part of a name, or leave the search out."
	case list.Search+list.Filter("account")+list.Filter("amount")+moment == "":
		p.Empty.Text, p.Empty.Way = "Nobody has everything that it takes. Choose another action, or open somebody and ask why they can’t.", ui.Link{}
	}
	what := "may " + op.Info().Label
	if least, given := q.Request.Amount.Cents(); given {
		what += ", at least " + least.Dollars()
	}
	p.Toolbar = list.Toolbar("Search people", counted(list.Search, found.Matching, found.May, found.Asked, what),
		ui.Filter{Name: asks, Label: "What", Options: operations(place.Edition), Always: true}, ui.Filter{Name: "account", Label: "Account", Options: accounts(place.Accounts)})
	p.Toolbar.Filters[0].Value, p.Toolbar.Filters[1].Value = op.ID(), string(q.Request.Account)
	p.Toolbar.Clear = ""
	if all := list.Clear(asks); all.Href() != list.At(1).Href() {
		p.Toolbar.Clear = all.Href()
	}
	for _, kept := range []string{"amount", "at"} {
		if v := list.Filter(kept); v != "" {
			p.Toolbar.Keep = append(p.Toolbar.Keep, [2]string{kept, v})
		}
	}
	p.More = &more{Action: place.Who, Keep: [][2]string{{asks, op.ID()}, {"account", list.Filter("account")}, {"q", list.Search}}}
	for _, kept := range p.Toolbar.Keep {
		if kept[0] == "sort" {
			p.More.Keep = append(p.More.Keep, kept)
		}
	}
	limited := len(op.Info().Limits) > 0
	p.Columns = []ui.Column{list.Column(string(usermgmt.WhoByName), "Person")}
	if op.Info().Accounts != catalog.AccountNone {
		p.Columns = append(p.Columns, ui.Column{Label: "Accounts"})
	}
	if limited {
		p.More.Amount = &ui.Field{Name: "amount", Label: "At least", Value: list.Filter("amount"), Optional: true, Width: "short"}
		most := list.Column(string(usermgmt.ByAmount), "One payment up to")
		most.Money = true
		p.Columns = append(p.Columns, most, ui.Column{Label: "Alone up to", Money: true})
		if op.Info().Counts && op.Info().Accounts != catalog.AccountPair {
			p.Columns = append(p.Columns, ui.Column{Label: "Left of the day", Money: true})
		}
		p.Note = "One payment is what every limit allows together with what is used of the day already. Alone is what of it needs nobody else. On several accounts, each figure is of the account on which it is greatest."
	}
	if q.At.IsZero() {
		p.Columns = append(p.Columns, ui.Column{Label: "Why", Hidden: true})
	}
	for _, able := range found.Rows {
		p.Rows = append(p.Rows, whoRow(place, op, q, able, moment))
	}
	p.Pager = list.Pager("People", found.Matching)
	p.CSV = file(list.Href())
}

// counted says how many can do something, of everybody; a search finds some of them.
func counted(search string, matching, can, asked int, what string) string {
	if search != "" && can > 0 {
		return ui.ResultOf(matching, can, "person", "people") + " who " + what
	}
	return ui.ResultOf(can, asked, "person", "people") + " " + what
}

// file is the address of the same list as a file.
func file(href string) string {
	path, query, _ := strings.Cut(href, "?")
	if query == "" {
		return path + ".csv"
	}
	return path + ".csv?" + query
}

func whoRow(place Place, op catalog.Operation, q usermgmt.WhoQuery, able usermgmt.Able, moment string) Row {
	row := Row{Name: able.Name, Detail: able.Role.Label(), Href: at(place.May(able.User), moment)}
	if op.Info().Accounts != catalog.AccountNone {
		row.Cells = append(row.Cells, Cell{Label: "Accounts", Text: place.some(able.Ability)})
	}
	if len(op.Info().Limits) > 0 {
		row.Cells = append(row.Cells, money("One payment up to", able.Best.UpTo), money("Alone up to", able.Best.Alone))
		if op.Info().Counts && op.Info().Accounts != catalog.AccountPair {
			cell := money("Left of the day", able.Best.Day)
			if !able.Best.Daily {
				cell = Cell{Label: "Left of the day", Text: "No daily limit", Right: true}
			}
			row.Cells = append(row.Cells, cell)
		}
	}
	why := url.Values{"operation": {op.ID()}}
	account := q.Request.Account
	if account == "" && len(able.Accounts) > 0 {
		account = able.Accounts[0]
	}
	if account != "" {
		why.Set("account", string(account))
	}
	if able.Best.UpTo > 0 {
		why.Set("amount", able.Best.UpTo.String())
	}
	if !q.At.IsZero() { // what explains the present does not explain the past
		return row
	}
	return row.with(Cell{Link: ui.Link{Label: "Why", Href: place.Why(able.User) + "?" + why.Encode()}})
}

func (r Row) with(c Cell) Row {
	r.Cells = append(r.Cells, c)
	return r
}

func money(label string, c bank.Cents) Cell { return Cell{Label: label, Money: &c} }

// some names the one account and counts several.
func (p Place) some(a entitlement.Ability) string {
	switch len(a.Accounts) {
	case 0:
		return "Any"
	case 1:
		for i := range p.Accounts {
			if p.Accounts[i].ID == a.Accounts[0] {
				return p.Accounts[i].Label()
			}
		}
		return string(a.Accounts[0])
	}
	text := ui.Count(len(a.Accounts), "account", "accounts")
	if a.Less > 0 {
		text += ", less on " + ui.Number(a.Less)
	}
	return text
}

func writeWho(w http.ResponseWriter, place Place, op catalog.Operation, found usermgmt.WhoPage) error {
	header := []string{"Member", "Name", "Role", "Operation", "Accounts", "One payment up to", "Alone up to", "Left of the day", "As of"}
	return web.WriteCSV(w, "who-may-"+strings.ReplaceAll(op.ID(), ".", "-")+".csv", header, each(found.Rows, func(a usermgmt.Able) []string {
		row := []string{string(a.User), a.Name, a.Role.String(), op.ID(), place.some(a.Ability), "", "", "", found.Now.Format(time.RFC3339)}
		if len(op.Info().Limits) > 0 {
			row[5], row[6] = a.Best.UpTo.String(), a.Best.Alone.String()
		}
		if a.Best.Daily {
			row[7] = a.Best.Day.String()
		}
		return row
	}))
}

func each[T any](all []T, row func(T) []string) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		for _, one := range all {
			if !yield(row(one), nil) {
				return
			}
		}
	}
}

// ServeAlone answers what each could move alone, as a page or as a file.
func ServeAlone(w http.ResponseWriter, r *http.Request, place Place, ask func(usermgmt.ExposureQuery) (usermgmt.ExposurePage, error), show func(Page) error) error {
	list := web.ReadList(r, web.ListSpec{Filters: map[string][]string{"at": nil}})
	past, typed, problem := readPast(r, place.Zone)
	p := Page{Caption: "What each could move alone", Tabs: tabs(place, place.Alone, moment(r, past))}
	q := usermgmt.ExposureQuery{Search: list.Search, At: past, Page: list.Page, Size: list.PerPage}
	isFile := strings.HasSuffix(r.URL.Path, ".csv")
	if isFile {
		q.Size = -1
	}
	var found usermgmt.ExposurePage
	if p.Problem = problem; problem == "" {
		var err error
		if found, err = ask(q); err != nil {
			if p.Problem, err = said(err); err != nil {
				return err
			}
		}
	}
	if isFile && p.Problem != "" {
		return onPage(w, r)
	}
	if isFile {
		return writeAlone(w, found)
	}
	list = list.At(max(found.Page, 1))
	p.Toolbar = list.Toolbar("Search people", counted(list.Search, found.Matching, found.Could, found.Asked, "could move money alone"))
	if v := list.Filter("at"); v != "" {
		p.Toolbar.Keep = append(p.Toolbar.Keep, [2]string{"at", v})
	}
	p.More = &more{Action: place.Alone, Keep: [][2]string{{"q", list.Search}}, At: momentField(typed)}
	p.alone(place, list, found, moment(r, past))
	p.moment(place, past, list.Href())
	p.unanswered()
	return show(p)
}

func (p *Page) alone(place Place, list web.List, found usermgmt.ExposurePage, moment string) {
	p.Empty = Empty{Title: "Nobody could move anything alone", Text: "Nobody has a payment that is allowed without a second person."}
	if list.Search != "" && found.Could > 0 {
		p.Empty = Empty{Title: "Nobody of that name could move anything alone", Text: "Search for another part of a name, or leave the search out.", Way: ui.Link{Label: "Show everybody", Href: at(place.Alone, moment)}}
	}
	p.Note = "What somebody could move out of the organization on one day without anybody else: the payments that would be allowed to them one after the other, each without a second person, until no more is allowed. " +
		"Wires and ACH batches are added up, within every limit and ceiling, less what is used of the day. Transfers between the organization's own accounts are not part of it. Everybody is counted as if nobody else did anything."
	if p.Problem == "" {
		p.Facts = []ui.Figure{{Label: "All together", Value: found.Sum.Dollars()}}
		for _, c := range found.Ceilings {
			p.Facts = append(p.Facts, ui.Figure{Label: "Left of the ceiling: " + phrase.Permission(c.Permission), Value: c.Left.Dollars()})
		}
	}
	p.Columns = []ui.Column{{Label: "Person"}, {Label: "Alone today", Money: true}, {Label: "Share", Money: true}, {Label: "How"}}
	for _, x := range found.Rows {
		row := Row{Name: x.Name, Detail: x.Role.Label(), Href: at(place.May(x.User), moment)}
		row.Cells = []Cell{money("Alone today", x.Total), {Label: "Share", Text: share(x.Total, found.Sum), Right: true}, {Label: "How", Text: parts(x)}}
		p.Rows = append(p.Rows, row)
	}
	p.Pager = list.Pager("People", found.Matching)
	p.CSV = file(list.Href())
}

// share is how much of a whole a part is, rounded down: in tenths of a percent below
// ten, since among thousands of people everybody has little.
func share(part, whole bank.Cents) string {
	if part < 0 || whole <= 0 {
		return "–"
	}
	part = min(part, whole)
	high, low := bits.Mul64(uint64(part), 1000)
	tenths, _ := bits.Div64(high, low, uint64(whole))
	switch {
	case tenths >= 100:
		return ui.Number(int(tenths/10)) + "%"
	case tenths > 0:
		return fmt.Sprintf("%d.%d%%", tenths/10, tenths%10)
	}
	return "Less than 0.1%"
}

// parts says in words by which operations somebody could.
func parts(x usermgmt.Exposed) string {
	var all []string
	for _, part := range x.Parts {
		text := part.Operation.Info().Entitlement.Label() + " " + part.Day.Dollars()
		if part.Open {
			text = part.Operation.Info().Entitlement.Label() + " " + part.One.Dollars() + " each, without a daily limit"
		} else if part.One < part.Day {
			text += " in payments of up to " + part.One.Dollars()
		}
		if part.Used > 0 {
			text += ", " + part.Used.Dollars() + " used"
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

func writeAlone(w http.ResponseWriter, found usermgmt.ExposurePage) error {
	header := []string{"Member", "Name", "Role", "Alone today", "Without a daily limit", "How", "Day", "As of"}
	return web.WriteCSV(w, "alone-"+string(found.Day)+".csv", header, each(found.Rows, func(x usermgmt.Exposed) []string {
		open := "no"
		if x.Open {
			open = "yes"
		}
		return []string{string(x.User), x.Name, x.Role.String(), x.Total.String(), open, parts(x), string(found.Day), found.Now.Format(time.RFC3339)}
	}))
}

// ServePerson answers what one person may do.
func ServePerson(r *http.Request, place Place, who bank.UserID, here string, ask func(pdp.Past) (usermgmt.Reaching, error), show func(Page) error) error {
	p := Page{Caption: "What they may do", Empty: Empty{Title: "They may do nothing", Text: "Nothing at all was allowed to them then."}}
	past, typed, problem := readPast(r, place.Zone)
	var found usermgmt.Reaching
	if p.Problem = problem; problem == "" {
		var err error
		found, err = ask(past)
		switch {
		case errors.Is(err, usermgmt.ErrNoMember) && !past.IsZero():
			p.Problem = "They were not among the organization’s people at that moment."
		case err != nil:
			if p.Problem, err = said(err); err != nil {
				return err
			}
		}
	}
	if past.IsZero() {
		p.Empty.Text, p.Empty.Way = "Nothing at all is allowed to them now.", ui.Link{Label: "Why can't they?", Href: place.Why(who)}
	}
	p.AtAlone = &more{Action: here, At: momentField(typed)}
	p.Columns = []ui.Column{{Label: "What"}, {Label: "Accounts"}, {Label: "One payment up to", Money: true}, {Label: "Alone up to", Money: true}, {Label: "Left of the day", Money: true}}
	for _, a := range found.May {
		row := Row{Name: phrase.Capital(a.Operation.Info().Label), Href: at(place.Who+"?"+url.Values{"operation": {a.Operation.ID()}}.Encode(), moment(r, past))}
		account := Cell{Label: "Accounts", Text: "None needed"}
		if a.Operation.Info().Accounts != catalog.AccountNone {
			account.Text = place.some(a)
		}
		row.Cells = []Cell{account, {Label: "One payment up to", Right: true}, {Label: "Alone up to", Right: true}, {Label: "Left of the day", Right: true}}
		if len(a.Operation.Info().Limits) > 0 {
			row.Cells[1], row.Cells[2] = money("One payment up to", a.Best.UpTo), money("Alone up to", a.Best.Alone)
		}
		if a.Best.Daily {
			row.Cells[3] = money("Left of the day", a.Best.Day)
		}
		p.Rows = append(p.Rows, row)
	}
	if len(found.May) > 0 {
		p.Note = ui.Count(len(found.May), "thing is", "things are") + " allowed, and " + ui.Number(len(found.Not)) + " are not."
	}
	p.moment(place, past, here)
	return show(p)
}

// unanswered takes off a page without an answer what would be read as one.
func (p *Page) unanswered() {
	if p.Problem != "" {
		p.Toolbar.Result, p.Note = "", ""
	}
}

// moment says of a page about the past that it is.
func (p *Page) moment(place Place, past pdp.Past, here string) {
	if past.IsZero() {
		return
	}
	p.Past, p.Toolbar.Besides = "when a revision was made", []string{"list-moment"}
	if !past.Time.IsZero() {
		p.Past = "on " + past.Time.In(place.Zone).Format("Monday, January 2, 2006, 3:04 PM")
	}
	path, query, _ := strings.Cut(here, "?")
	v, _ := url.ParseQuery(query)
	v.Del("at")
	if p.Now = path; len(v) > 0 {
		p.Now = path + "?" + v.Encode()
	}
}

func momentField(value string) ui.Field {
	return ui.Field{Name: "at", Label: "As of", Value: value, Optional: true}
}

func tabs(place Place, here, moment string) []ui.Tab {
	return []ui.Tab{
		{Label: "One action", Href: at(place.Who, moment), Current: here == place.Who},
		{Label: "Alone today", Href: at(place.Alone, moment), Current: here == place.Alone},
	}
}

// operations are what can be asked about, money first.
func operations(edition bank.Edition) []ui.Option {
	var money, other []ui.Option
	for _, op := range catalog.Operations() {
		if !op.In(edition) {
			continue
		}
		option := ui.Option{Value: op.ID(), Label: phrase.Capital(op.Info().Label)}
		if len(op.Info().Limits) > 0 {
			money = append(money, option)
		} else {
			other = append(other, option)
		}
	}
	return append(money, other...)
}

func accounts(all []usermgmt.Account) []ui.Option {
	options := []ui.Option{{Label: "Any account"}}
	for i := range all {
		options = append(options, ui.Option{Value: string(all[i].ID), Label: all[i].Label()})
	}
	return options
}
