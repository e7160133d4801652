package online

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"mandate/internal/fault"
	"mandate/internal/host"
	"mandate/internal/moneymovement/positivepay"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

type itemDetailPage struct {
	Shell          ui.Shell
	Title          string
	Subtitle       string
	State          ui.State
	Moving         bool
	Here           string
	Problem        *ui.Message
	Pictures       []arpCheckPicture
	Facts          []ui.Fact
	Issued         []ui.Fact
	IssuedNote     string
	Events         []ui.Event
	Receipt        string
	Previous, Next string
	Decide         *arpDecideForm // nil where nothing can be decided
	Blocked        []blocker
	Why            string
}

type arpCheckPicture struct{ Label, Src, Alt string }

type arpDecideForm struct {
	Action    string
	Item      string
	Form      *web.Form
	Reason    ui.Field
	Reasons   []ui.Option
	Note      ui.Field
	Left      string
	Fate      string
	ReasonFor string // the name of the field
}

// GET /{institution}/positive-pay/exceptions/{item}
func (a *app) itemDetail(w http.ResponseWriter, r *http.Request) error {
	return a.renderItem(w, r, positivepay.ItemID(r.PathValue("item")), web.NewForm(nil), nil)
}

// renderItem shows an exception, with what stood against a decision.
func (a *app) renderItem(w http.ResponseWriter, r *http.Request, id positivepay.ItemID, f *web.Form, against error) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	d, err := a.money.PositivePay.GetItem(r.Context(), web.CallerOf(r.Context()), id)
	if err != nil {
		return err
	}
	status := f.Status()
	page := itemDetailPage{
		Shell: a.shell(r, v.me, d.Title(), posPayCrumb(v.base)), Title: d.Title(), Subtitle: mismatchSentence(&d), State: arpItemState(d.State), Here: v.base.posPayItem(d.ID),
		Moving: d.State == positivepay.Paying || d.State == positivepay.Returning, Facts: v.itemFacts(&d), Events: v.timeline(d.Events), Receipt: v.base.posPayItem(d.ID) + "/receipt",
	}
	if d.Previous != "" {
		page.Previous = v.base.posPayItem(d.Previous)
	}
	if d.Next != "" {
		page.Next = v.base.posPayItem(d.Next)
	}
	for _, side := range d.Sides {
		label := map[host.Side]string{host.Front: "Front", host.Back: "Back"}[side]
		page.Pictures = append(page.Pictures, arpCheckPicture{label, v.base.posPayItem(d.ID) + "/pictures/" + string(side), label + " of check " + checkNumber(d.Number)})
	}
	v.issuedFacts(&page, &d)
	page.Problem = itemMessage(&d, v.me.Institution.Name)
	if d.State.Waits() && d.Window.Open(d.Now) {
		page.Decide = v.arpDecideForm(&d, f)
	}
	if e, ok := refusalIn(against); ok {
		status = http.StatusForbidden
		page.Blocked, page.Why = v.blockers(e), v.base.whyMe()+"?operation="+d.Operation().ID()+"&account="+string(d.Account)
	} else if against != nil {
		status = http.StatusConflict
		page.Problem = &ui.Message{Tone: ui.Bad, Title: "Nothing was decided", Text: web.SentenceOf(against)}
	}
	return web.Render(w, r, status, itemDetailView(page))
}

func mismatchSentence(d *positivepay.ItemDetail) string {
	return map[host.Mismatch]string{
		host.NotIssued: "No check with this number was issued.", host.WrongAmount: "The check was issued over another amount.", host.WrongPayee: "The check was issued to somebody else.",
		host.PaidBefore: "A check with this number was paid before.", host.VoidCheck: "The check was declared void.", host.NotAuthorized: "Nobody authorized this company to debit the account.",
	}[d.Mismatch]
}

// itemMessage says what is special about the state of an exception.
func itemMessage(d *positivepay.ItemDetail, institution string) *ui.Message {
	switch {
	case d.State == positivepay.Paying || d.State == positivepay.Returning:
		return &ui.Message{Tone: ui.Note, Icon: "hourglass", Title: d.State.Label(), Text: "It is with the host. This page looks again by itself."}
	case d.State == positivepay.Refused:
		return &ui.Message{Tone: ui.Bad, Title: "It was not paid", Text: d.Problem + " Decide again by the cut-off; otherwise it is returned."}
	case d.State == positivepay.Elsewhere:
		return &ui.Message{Tone: ui.Warn, Title: "Settled before the decision arrived", Text: ui.Ended("Ask " + institution + " what became of it")}
	case d.State.Waits() && d.Now.Before(d.Window.Opens):
		return &ui.Message{Tone: ui.Note, Icon: "clock", Title: "Not open yet", Text: "It can be decided once the window of its day has opened."}
	case d.State.Waits() && !d.Window.Open(d.Now):
		return &ui.Message{Tone: ui.Warn, Icon: "clock", Title: "The cut-off is over", Text: "It will be " + fateOf(d.Default) + ", because nobody decided in time."}
	}
	return nil
}

func fateOf(v positivepay.Verdict) string {
	if v == positivepay.Pay {
		return "paid"
	}
	return "returned"
}

func (v *moneyView) arpDecideForm(d *positivepay.ItemDetail, f *web.Form) *arpDecideForm {
	form := &arpDecideForm{
		Action: v.base.posPayDecide(), Item: itemValue(&d.Item), Form: f, Left: positivepay.TimeLeft(d.Window, d.Now) + " left, until " + ui.DateTime(d.Window.Closes, v.place()),
		Fate: "If nobody decides it will be " + fateOf(d.Default) + ".", Note: f.Field("note", "Note"),
	}
	form.Reason = f.Field("reason_"+string(d.Kind), "Reason")
	form.Reason.Optional, form.Reason.Help, form.Reason.Problem = true, "Needed to return it.", f.Problem("reason")
	form.Reasons = reasonOptions(d.Kind)
	form.Note.Optional, form.Note.Max = true, positivepay.MaxNote
	return form
}

func reasonOptions(kind host.ItemKind) []ui.Option {
	options := []ui.Option{{Label: "Choose why"}}
	for _, reason := range positivepay.Reasons(kind) {
		options = append(options, ui.Option{Value: string(reason), Label: reason.Label()})
	}
	return options
}

func (v *moneyView) itemFacts(d *positivepay.ItemDetail) []ui.Fact {
	facts := []ui.Fact{{Term: "Amount", More: ui.Amount(d.Cents)}, {Term: "Account", Value: v.account(d.Account)}, {Term: "Why it waits", Value: positivepay.MismatchLabel(d.Mismatch)}}
	add := func(term, value string) {
		if value != "" {
			facts = append(facts, ui.Fact{Term: term, Value: value})
		}
	}
	if d.Kind == host.CheckItem {
		add("Check number", checkNumber(d.Number))
	}
	add("Payee as read", d.Payee)
	add("Company", d.Company)
	add("Company ID", d.CompanyID)
	add("Entry class", d.Class)
	add("Description", d.Description)
	add("Trace number", d.Trace)
	add("Decide by", ui.DateTime(d.Window.Closes, v.place()))
	if !d.Decided.IsZero() {
		add("Decided by", d.By.Name+", "+ui.DateTime(d.Decided, v.place()))
	}
	add("Reason", d.Reason.Label())
	add("Note", d.Note)
	add("Host reference", d.Reference)
	add("Our reference", string(d.ID))
	return facts
}

// issuedFacts sets what was issued beside what came in.
func (v *moneyView) issuedFacts(page *itemDetailPage, d *positivepay.ItemDetail) {
	if d.Kind != host.CheckItem {
		return
	}
	if d.Issued == nil {
		page.IssuedNote = "No check with the number " + checkNumber(d.Number) + " was issued on this account."
		return
	}
	i := d.Issued
	page.Issued = []ui.Fact{{Term: "Issued amount", More: ui.Amount(i.Cents)}}
	if diff := d.Cents - i.Cents; diff != 0 {
		page.Issued = append(page.Issued, ui.Fact{Term: "Difference", More: ui.Amount(diff)})
	}
	if i.Payee != "" {
		page.Issued = append(page.Issued, ui.Fact{Term: "Issued to", Value: i.Payee})
	}
	page.Issued = append(page.Issued, ui.Fact{Term: "Date on the check", Value: date(i.Day)}, ui.Fact{Term: "State", More: ui.Status(arpIssueState(i.State))})
	if i.Done != "" {
		page.Issued = append(page.Issued, ui.Fact{Term: i.State.Label() + " on", Value: date(i.Done)})
	}
}

// itemPicture is a picture of a check, drawn anew: a browser is given nothing
// but the points that it has.
//
// GET /{institution}/positive-pay/exceptions/{item}/pictures/{side}
func (a *app) itemPicture(w http.ResponseWriter, r *http.Request) error {
	picture, err := a.money.PositivePay.Image(r.Context(), web.CallerOf(r.Context()), positivepay.ItemID(r.PathValue("item")), host.Side(r.PathValue("side")))
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "image/png")
	h.Set("Content-Length", strconv.Itoa(len(picture)))
	_, err = w.Write(picture)
	return err
}

// GET /{institution}/positive-pay/exceptions/{item}/receipt
func (a *app) itemReceipt(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	d, err := a.money.PositivePay.GetItem(r.Context(), web.CallerOf(r.Context()), positivepay.ItemID(r.PathValue("item")))
	if err != nil {
		return err
	}
	shell := a.shell(r, v.me, "Receipt", posPayCrumb(v.base), ui.Link{Label: d.Title(), Href: v.base.posPayItem(d.ID)})
	shell.Narrow = true
	facts := append([]ui.Fact{{Term: "Institution", Value: v.me.Institution.Name}, {Term: "Organization", Value: v.me.Organization.Name}, {Term: "State", More: ui.Status(arpItemState(d.State))}}, v.itemFacts(&d)...)
	note := "As it stands on " + ui.DateTime(a.site.Clock.Now(), v.place()) + "."
	return web.Render(w, r, http.StatusOK, receiptPage(shell, "Exception: "+d.Title(), v.me.Institution.Name, facts, note))
}

// itemValue is an exception as a form carries it: with the version that was
// seen.
func itemValue(i *positivepay.Item) string { return fmt.Sprintf("%s:%d", i.ID, i.Version) }

// decisionsOf reads what a form decides. A reason is given for each kind.
func decisionsOf(f *web.Form) []positivepay.Decision {
	var all []positivepay.Decision
	for _, value := range f.All("item") {
		id, version, _ := strings.Cut(value, ":")
		all = append(all, positivepay.Decision{Item: positivepay.ItemID(id), Version: max(number(version), 0), Verdict: positivepay.Verdict(f.Raw("verdict")), Note: f.Raw("note")})
	}
	return all
}

// giveReasons sets the reason of each decision, by the kind of its exception.
// Whoever may not decide about one of them is told why.
func (a *app) giveReasons(r *http.Request, f *web.Form, all []positivepay.Decision) (chosen []positivepay.ItemDetail, err error) {
	for n := range all {
		d, err := a.money.PositivePay.GetItem(r.Context(), web.CallerOf(r.Context()), all[n].Item)
		if err != nil {
			return nil, err
		}
		if all[n].Verdict == positivepay.Return {
			all[n].Reason = positivepay.Reason(f.Raw("reason_" + string(d.Kind)))
		}
		chosen = append(chosen, d)
	}
	return chosen, nil
}

type arpItemReviewPage struct {
	Shell    ui.Shell
	Title    string
	Subtitle string
	Rows     []arpItemRow
	Columns  []ui.Column
	Hidden   [][2]string
	Form     *web.Form
	Reasons  []arpReasonField
	Note     ui.Field
	Action   string
	Cancel   string
	Button   string
	Pays     bool
}

type arpReasonField struct {
	Field   ui.Field
	Options []ui.Option
}

// POST /{institution}/positive-pay/review
func (a *app) reviewItems(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	if len(f.All("item")) == 0 {
		web.Flash(w, r, ui.Warn, "Choose at least one exception first")
		http.Redirect(w, r, v.base.posPay(), http.StatusSeeOther)
		return nil
	}
	return a.renderItemReview(w, r, &v, f)
}

func (a *app) renderItemReview(w http.ResponseWriter, r *http.Request, v *moneyView, f *web.Form) error {
	all := decisionsOf(f)
	if len(all) > positivepay.MaxDecisions {
		return fault.Newf(fault.Invalid, "Choose at most %d exceptions at once.", positivepay.MaxDecisions)
	}
	chosen, err := a.giveReasons(r, f, all)
	if err != nil {
		return err
	}
	choice, err := a.money.PositivePay.Choices(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	page := arpItemReviewPage{
		Form: f, Action: v.base.posPayDecide(), Cancel: v.base.posPay(), Note: f.Field("note", "Note"), Pays: f.Raw("verdict") == string(positivepay.Pay),
		Columns: []ui.Column{{Label: "Exception"}, {Label: "Account"}, {Label: "Why"}, {Label: "Amount", Money: true}},
	}
	page.Note.Optional, page.Note.Max = true, positivepay.MaxNote
	kinds, sum := map[host.ItemKind]bool{}, chosen[0].Cents-chosen[0].Cents
	for n := range chosen {
		page.Rows = append(page.Rows, v.arpItemRow(&chosen[n].Item, chosen[n].Window, &choice))
		page.Hidden = append(page.Hidden, [2]string{"item", f.All("item")[n]})
		kinds[chosen[n].Kind] = true
		sum += chosen[n].Cents
	}
	verb := "Return "
	if page.Pays {
		verb = "Pay "
	}
	page.Button = verb + ui.Count(len(chosen), "exception", "exceptions")
	page.Title, page.Subtitle = page.Button+"?", "Together "+sum.Dollars()+"."
	page.Hidden = append(page.Hidden, [2]string{"verdict", f.Raw("verdict")}, [2]string{"many", "on"})
	for _, kind := range []host.ItemKind{host.CheckItem, host.ACHItem} {
		if page.Pays || !kinds[kind] {
			continue
		}
		field := f.Field("reason_"+string(kind), map[host.ItemKind]string{host.CheckItem: "Reason for the checks", host.ACHItem: "Reason for the ACH items"}[kind])
		if !f.OK() && f.Raw(field.Name) == "" {
			field.Problem = "Choose why they go back."
		}
		page.Reasons = append(page.Reasons, arpReasonField{field, reasonOptions(kind)})
	}
	page.Shell = a.shell(r, v.me, page.Title, posPayCrumb(v.base))
	return web.Render(w, r, f.Status(), itemReviewView(page))
}

type itemResultPage struct {
	Shell   ui.Shell
	Rows    []itemResult
	Columns []ui.Column
	Lead    ui.Message
	Back    string
}

type itemResult struct {
	Href, Title, Account, Outcome string
	State                         ui.State
}

// POST /{institution}/positive-pay/decide
func (a *app) decideItems(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	all, many := decisionsOf(f), f.Raw("many") == "on"
	if len(all) == 0 || len(all) > 1 && !many {
		return fault.New(fault.Invalid, "Choose an exception first.")
	}
	chosen, err := a.giveReasons(r, f, all)
	if err != nil {
		return err
	}
	if many && missesReason(all) {
		f.Sentence = "Nothing was decided yet."
		return a.renderItemReview(w, r, &v, f)
	}
	var results []positivepay.Result
	ask := proof{Text: "You are about to pay " + ui.Count(len(all), "exception", "exceptions") + ".", Cancel: v.base.posPay(), Crumbs: []ui.Link{posPayCrumb(v.base)}}
	if len(all) == 1 {
		ask.Text = "You are about to pay " + chosen[0].Title() + " of " + chosen[0].Cents.Dollars() + "."
	}
	done, err := a.proven(w, r, func() (proof, error) { return ask, nil }, func() (err error) {
		results, err = a.money.PositivePay.Decide(r.Context(), web.CallerOf(r.Context()), all)
		return err
	})
	if err := f.Take(err); err != nil {
		if kind := fault.KindOf(err); len(all) == 1 && (kind == fault.Conflict || kind == fault.Forbidden) {
			return a.renderItem(w, r, all[0].Item, f, err)
		}
		return err
	}
	switch {
	case !f.OK() && many:
		return a.renderItemReview(w, r, &v, f)
	case !f.OK():
		return a.renderItem(w, r, all[0].Item, f, nil)
	case !done:
		return nil
	case len(all) == 1:
		return a.toItem(w, r, &v, all[0].Item)
	}
	return a.renderARPResults(w, r, &v, results)
}

func missesReason(all []positivepay.Decision) bool {
	for _, d := range all {
		if d.Verdict == positivepay.Return && d.Reason == "" {
			return true
		}
	}
	return false
}

// toItem shows an exception after it was decided, and says what came of it.
func (a *app) toItem(w http.ResponseWriter, r *http.Request, v *moneyView, id positivepay.ItemID) error {
	d, err := a.money.PositivePay.GetItem(r.Context(), web.CallerOf(r.Context()), id)
	if err != nil {
		return err
	}
	switch d.State {
	case positivepay.Paid:
		web.Flash(w, r, ui.Good, d.Title()+" is paid")
	case positivepay.Returned:
		web.Flash(w, r, ui.Good, d.Title()+" is returned")
	case positivepay.Refused:
		web.Flash(w, r, ui.Bad, d.Title()+" was not paid")
	}
	http.Redirect(w, r, v.base.posPayItem(id), http.StatusSeeOther)
	return nil
}

// renderARPResults says what came of each of many decisions.
func (a *app) renderARPResults(w http.ResponseWriter, r *http.Request, v *moneyView, results []positivepay.Result) error {
	page := itemResultPage{
		Shell: a.shell(r, v.me, "What came of it", posPayCrumb(v.base)), Columns: []ui.Column{{Label: "Exception"}, {Label: "Account"}, {Label: "State"}, {Label: "What came of it"}}, Back: v.base.posPay(),
	}
	failed := 0
	for _, result := range results {
		d, err := a.money.PositivePay.GetItem(r.Context(), web.CallerOf(r.Context()), result.Item.ID)
		if err != nil {
			return err
		}
		row := itemResult{Href: v.base.posPayItem(d.ID), Title: d.Title(), Account: v.account(d.Account), State: arpItemState(d.State), Outcome: "Decided"}
		if f, ok := errors.AsType[*fault.Error](result.Err); ok {
			row.Outcome = f.Sentence
			failed++
		} else if d.State == positivepay.Refused {
			row.Outcome = d.Problem
			failed++
		}
		page.Rows = append(page.Rows, row)
	}
	page.Lead = ui.Message{Tone: ui.Good, Title: ui.Count(len(results), "exception is", "exceptions are") + " decided"}
	if failed > 0 {
		page.Lead = ui.Message{Tone: ui.Warn, Title: fmt.Sprintf("%d of %d are decided", len(results)-failed, len(results)), Text: "The others were not; each says why."}
	}
	return web.Render(w, r, http.StatusOK, itemResultView(page))
}
