package online

import (
	"errors"
	"net/http"
	"strconv"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/moneymovement/stoppayment"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

type stopFormPage struct {
	Shell    ui.Shell
	Review   string
	Cancel   string
	Form     *web.Form
	ID       string
	Account  ui.Field
	Accounts []ui.Option
	First    ui.Field
	Last     ui.Field
	Amount   ui.Field
	Date     ui.Field
	Payee    ui.Field
	Facts    []ui.Fact // fee and duration
	Blocked  []blocker
	Why      string
}

func checkNumber(n int64) string { return strconv.FormatInt(n, 10) }

// stopDraft reads the form. What cannot be read is a problem of it.
func stopDraft(f *web.Form) stoppayment.Draft {
	d := stoppayment.Draft{
		ID: stoppayment.ID(f.Raw("id")), Account: bank.AccountID(f.Raw("account")), Cents: f.Money("amount"), CheckDay: bank.Day(f.Raw("date")),
		Payee: f.Text("payee", stoppayment.MaxPayee), Terms: f.Raw("terms"),
	}
	d.First, d.Last = max(number(f.Raw("first")), 0), 0
	if last := f.Text("last", 10); last != "" {
		if d.Last = number(last); d.Last <= 0 {
			f.Wrong("last", "Write the number of the last check, such as 1010.")
		}
	}
	return d
}

func stopFields(f *web.Form) [][2]string {
	var fields [][2]string
	for _, name := range []string{"id", "account", "first", "last", "amount", "date", "payee"} {
		fields = append(fields, [2]string{name, f.Raw(name)})
	}
	return fields
}

// GET, POST /{institution}/stop-payments/new
func (a *app) newStop(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r) // back from the review, with everything that was typed
	if r.Method != http.MethodPost {
		f = web.NewForm(map[string]string{"id": string(stoppayment.NewID(a.site.Clock.Now())), "account": r.URL.Query().Get("account")})
	}
	return a.renderStopForm(w, r, f)
}

func (a *app) renderStopForm(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	o, err := a.money.Stops.Options(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	page := stopFormPage{
		Shell:  a.shell(r, v.me, "Add stop payment", ui.Link{Label: "Stop payments", Href: v.base.stops()}),
		Review: v.base.reviewStop(), Cancel: v.base.stops(), Form: f, ID: f.Raw("id"), Facts: termsFacts(&o),
	}
	if len(o.Accounts) == 0 {
		page.Blocked, page.Why = v.blockers(o.May), v.base.whyMe()+"?operation="+catalog.StopsAddOperation.ID()
		return web.Render(w, r, http.StatusForbidden, stopFormView(page))
	}
	page.Account, page.Accounts = f.Field("account", "Account"), v.choices("Choose an account", o.Accounts, nil)
	page.First, page.Last = f.Field("first", "Check number"), f.Field("last", "Last check number")
	page.First.Width, page.Last.Width, page.First.Max, page.Last.Max = "medium", "medium", 10, 10
	page.Last.Optional, page.Last.Help = true, "Fill it in to stop a row of checks; leave it empty for one check."
	page.Amount, page.Date, page.Payee = f.Field("amount", "Check amount"), f.Field("date", "Check date"), f.Field("payee", "Payee")
	page.Amount.Optional, page.Date.Optional, page.Payee.Optional = !o.Terms.NeedsAmount, !o.Terms.NeedsDate, !o.Terms.NeedsPayee
	page.Amount.Help, page.Date.Help = "Exactly as on the check. A row of checks has none.", "As on the check, up to two years back."
	page.Date.Width, page.Payee.Max = "medium", stoppayment.MaxPayee
	return web.Render(w, r, f.Status(), stopFormView(page))
}

func termsFacts(o *stoppayment.Options) []ui.Fact {
	fee := ui.Fact{Term: "Fee", Value: "None"}
	if o.Terms.Fee > 0 {
		fee = ui.Fact{Term: "Fee", More: ui.Amount(o.Terms.Fee)}
	}
	return []ui.Fact{fee, {Term: "Holds until", Value: date(o.Until)}}
}

type stopReviewPage struct {
	Shell      ui.Shell
	Sentence   string
	Blocked    []blocker
	Why        string
	Facts      []ui.Fact
	Disclaimer string
	Changed    string // the terms are others than those that were shown
	Hidden     [][2]string
	Back, Save string
}

// POST /{institution}/stop-payments/review
func (a *app) reviewStop(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	d := stopDraft(f)
	if !f.OK() {
		return a.renderStopForm(w, r, f)
	}
	return a.renderStopReview(w, r, http.StatusOK, f, d, "")
}

func (a *app) renderStopReview(w http.ResponseWriter, r *http.Request, status int, f *web.Form, d stoppayment.Draft, changed string) error {
	may, err := a.money.Stops.Preview(r.Context(), web.CallerOf(r.Context()), d)
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderStopForm(w, r, f)
	}
	o, err := a.money.Stops.Options(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	shown := stoppayment.Detail{Stop: stoppayment.Stop{First: d.First, Last: max(d.First, d.Last)}}
	page := stopReviewPage{
		Shell:    a.shell(r, v.me, "Review stop payment", ui.Link{Label: "Stop payments", Href: v.base.stops()}),
		Sentence: shown.Checks() + " of " + v.account(d.Account) + " shall not be paid.",
		Facts:    v.draftFacts(&d, shown.Checks()), Disclaimer: o.Terms.Disclaimer, Changed: changed,
		Hidden: append(stopFields(f), [2]string{"terms", o.Terms.Seen()}), Back: v.base.newStop(), Save: v.base.stops(),
	}
	page.Shell.Narrow = true
	page.Facts = append(page.Facts, termsFacts(&o)...)
	if o.Terms.Fee > 0 {
		page.Facts = append(page.Facts, ui.Fact{Term: "Fee charged on", Value: date(o.Dated.Day)})
		if o.Dated.Moved() {
			page.Facts = append(page.Facts, ui.Fact{Term: "Why this date", Value: o.Dated.Sentence()})
		}
	}
	if !may.Allowed {
		page.Blocked, status = v.blockers(may), http.StatusForbidden
		page.Why = v.base.whyMe() + "?operation=" + catalog.StopsAddOperation.ID() + "&account=" + string(d.Account)
	}
	return web.Render(w, r, status, stopReviewView(page))
}

func (v *moneyView) draftFacts(d *stoppayment.Draft, checks string) []ui.Fact {
	facts := []ui.Fact{{Term: "Account", Value: v.account(d.Account)}, {Term: "Checks", Value: checks}}
	if d.Cents > 0 {
		facts = append(facts, ui.Fact{Term: "Amount", More: ui.Amount(d.Cents)})
	}
	if d.CheckDay != "" {
		facts = append(facts, ui.Fact{Term: "Date on the check", Value: date(d.CheckDay)})
	}
	if d.Payee != "" {
		facts = append(facts, ui.Fact{Term: "Payee", Value: d.Payee})
	}
	return facts
}

// POST /{institution}/stop-payments
func (a *app) addStop(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	d := stopDraft(f)
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	shown := stoppayment.Stop{First: d.First, Last: max(d.First, d.Last)}
	ask := proof{Text: "You are about to stop " + shown.Checks() + " of " + v.account(d.Account) + ".", Cancel: v.base.stops(), Crumbs: []ui.Link{{Label: "Stop payments", Href: v.base.stops()}}}
	done, err := a.proven(w, r, func() (proof, error) { return ask, nil }, func() error { return a.money.Stops.Add(r.Context(), web.CallerOf(r.Context()), d) })
	switch {
	case errors.Is(err, stoppayment.ErrTermsChanged):
		return a.renderStopReview(w, r, http.StatusConflict, f, d, stoppayment.ErrTermsChanged.Sentence)
	case refused(err):
		return a.renderStopReview(w, r, http.StatusUnprocessableEntity, f, d, "")
	case err != nil || !done:
		return err
	}
	placed, err := a.money.Stops.Get(r.Context(), web.CallerOf(r.Context()), d.ID)
	if err != nil {
		return err
	}
	switch placed.State {
	case stoppayment.Active:
		web.Flash(w, r, ui.Good, "The stop payment is in force until "+date(placed.Until))
	case stoppayment.Refused:
		web.Flash(w, r, ui.Bad, "The stop payment was not placed")
	}
	http.Redirect(w, r, v.base.stop(d.ID), http.StatusSeeOther)
	return nil
}
