package online

import (
	"iter"
	"net/http"
	"strconv"
	"time"

	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

func (b base) decided() string { return b.approvals() + "/decided" }

type decidedListPage struct {
	Shell   ui.Shell
	Tabs    []ui.Tab
	Toolbar ui.Toolbar
	Columns []ui.Column
	Rows    []approvalRow
	Pager   ui.Pager
	Export  string
	Empty   bool // nothing was decided yet
}

var decidedListSpec = web.ListSpec{
	Sorts: []string{"-decided", "amount", "title"},
	Filters: map[string][]string{"kind": nil, "person": nil, "account": nil, "when": {when30, when90, whenYear},
		"state": {string(approval.Approved), string(approval.Rejected), string(approval.SentBack), string(approval.Withdrawn), string(approval.Expired)}},
}

// decidedQuery is what the address of the list asks.
func decidedQuery(list web.List, v *moneyView, now time.Time) approval.DecidedQuery {
	q := approval.DecidedQuery{
		Search: list.Search, Matching: v.matching(list.Search), Kind: list.Filter("kind"), State: approval.State(list.Filter("state")), Person: bank.UserID(list.Filter("person")),
		Account: bank.AccountID(list.Filter("account")), Sort: approval.Sort(list.Sort), Ascending: !list.Descending, Page: list.Page, Size: list.PerPage,
	}
	if days, err := strconv.Atoi(list.Filter("when")); err == nil { // one of the values above
		year, month, day := now.In(v.place()).Date()
		q.From = time.Date(year, month, day-days, 0, 0, 0, 0, v.place())
	}
	return q
}

// GET /{institution}/approvals/decided
func (a *app) decidedList(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	list := web.ReadList(r, decidedListSpec)
	found, err := a.money.Approvals.Decided(r.Context(), web.CallerOf(r.Context()), decidedQuery(list, &v, a.site.Clock.Now()))
	if err != nil {
		return err
	}
	list = list.At(found.Page)
	page := decidedListPage{
		Shell: a.shell(r, v.me, "Decided"), Tabs: v.base.approvalTabs(v.base.decided(), a.waitingFor(r)),
		Columns: []ui.Column{list.Column("title", "What"), {Label: "Account"}, {Label: "Asked by"}, list.Column("decided", "When"), {Label: "Outcome"}, list.Column("amount", "Amount")},
		Pager:   list.Pager("Decided", found.Matching), Export: withQuery(v.base.decided() + "/export?" + r.URL.RawQuery), Empty: found.Total == 0,
	}
	page.Columns[5].Money = true
	page.Toolbar = list.Toolbar("Search what was decided", resultOf(found.Matching, found.Total, "decision", "decisions")+", "+found.Cents.Dollars()+" in all",
		a.kindFilter(found.Kinds), outcomeFilter(), personFilter(found.People), v.accountFilter(), pastFilter())
	for i := range found.Entries {
		page.Rows = append(page.Rows, a.approvalRow(&v, &found.Entries[i]))
	}
	return web.Render(w, r, http.StatusOK, decidedListView(page))
}

func (a *app) kindFilter(kinds []string) ui.Filter {
	f := ui.Filter{Name: "kind", Label: "Kind", Options: []ui.Option{{Label: "Any kind"}}}
	for _, kind := range kinds {
		f.Options = append(f.Options, ui.Option{Value: kind, Label: a.waitingKind(kind).Noun})
	}
	return f
}

func outcomeFilter() ui.Filter {
	f := ui.Filter{Name: "state", Label: "Outcome", Options: []ui.Option{{Label: "Any outcome"}}}
	for _, state := range decidedListSpec.Filters["state"] {
		f.Options = append(f.Options, ui.Option{Value: state, Label: approvalState(&approval.Entry{Item: approval.Item{State: approval.State(state)}}).Word})
	}
	return f
}

func personFilter(people []approval.Somebody) ui.Filter {
	f := ui.Filter{Name: "person", Label: "Person", Options: []ui.Option{{Label: "Anybody"}}}
	for _, somebody := range people {
		f.Options = append(f.Options, ui.Option{Value: string(somebody.ID), Label: somebody.Name})
	}
	return f
}

// pastFilter is whenFilter for what is over.
func pastFilter() ui.Filter {
	f := whenFilter()
	f.Options = append(f.Options[:1:1], f.Options[2:]...)
	return f
}

// GET /{institution}/approvals/decided/export
func (a *app) exportDecided(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	q := decidedQuery(web.ReadList(r, decidedListSpec), &v, a.site.Clock.Now())
	header := []string{"Reference", "Kind", "What", "Account", "Amount", "Asked by", "Asked at", "Outcome", "Decided by", "Decided at", "Comment"}
	return web.WriteCSV(w, "approvals.csv", header, a.decidedLines(r, &v, q))
}

// decidedLines are all decisions that a query matches, page by page.
func (a *app) decidedLines(r *http.Request, v *moneyView, q approval.DecidedQuery) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		q.Size = approval.MaxQueue
		for q.Page = 1; ; q.Page++ {
			found, err := a.money.Approvals.Decided(r.Context(), web.CallerOf(r.Context()), q)
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range found.Entries {
				if !yield(a.decidedLine(v, &found.Entries[i]), nil) {
					return
				}
			}
			if found.Page != q.Page || found.Page*q.Size >= found.Matching {
				return
			}
		}
	}
}

func (a *app) decidedLine(v *moneyView, e *approval.Entry) []string {
	account := ""
	if e.Account != "" {
		account = v.account(e.Account)
	}
	return []string{e.Ref, a.waitingKind(e.Kind).Noun, e.Title, account, e.Cents.String(), e.Initiator.Name, ui.DateTime(e.Asked, v.place()),
		approvalState(e).Word, e.By.Name, ui.DateTime(e.Decided, v.place()), e.Comment}
}
