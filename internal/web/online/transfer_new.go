package online

import (
	"fmt"
	"net/http"
	"strconv"

	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/moneymovement/transfer"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

type transferFormPage struct {
	Shell       ui.Shell
	Title       string
	Subtitle    string
	Review      string // where the form goes
	Cancel      string
	Form        *web.Form
	Hidden      [][2]string
	From, To    ui.Field
	Froms, Tos  []ui.Option
	Amount      ui.Field
	Memo        ui.Field
	On          ui.Field
	Repeats     bool
	Repeat      ui.Field
	Frequencies []ui.Option
	Until       ui.Field
	Times       ui.Field
	Ceilings    []ceilingLine
	Today       string
	Unread      bool
	Blocked     []blocker // nothing can be made at all
	Why         string
}

// A transferEdit is which scheduled transfer a form changes; the zero one makes
// a new transfer.
type transferEdit struct {
	ID      transfer.ID
	Version int64
}

func (e transferEdit) new() bool { return e.ID == "" }

// editOf is which transfer the path and the form are about.
func editOf(r *http.Request, f *web.Form) transferEdit {
	return transferEdit{ID: transfer.ID(r.PathValue("transfer")), Version: number(f.Raw("version"))}
}

// GET, POST /{institution}/transfers/new
func (a *app) newTransfer(w http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodPost { // back from the review, with everything that was typed
		return a.renderTransferForm(w, r, transferEdit{}, web.ReadForm(r))
	}
	values := map[string]string{"id": string(transfer.NewID(a.site.Clock.Now())), "from": r.URL.Query().Get("from")}
	if copied := r.URL.Query().Get("copy"); copied != "" {
		d, err := a.money.Transfers.Get(r.Context(), web.CallerOf(r.Context()), transfer.ID(copied))
		if err != nil {
			return err
		}
		values["from"], values["to"], values["amount"], values["memo"] = string(d.From), string(d.To), d.Cents.Dollars(), d.Memo
	}
	return a.renderTransferForm(w, r, transferEdit{}, web.NewForm(values))
}

// GET, POST /{institution}/transfers/{transfer}/edit
func (a *app) editTransfer(w http.ResponseWriter, r *http.Request) error {
	d, err := a.oneTransfer(r)
	if err != nil {
		return err
	}
	if r.Method == http.MethodPost {
		f := web.ReadForm(r)
		return a.renderTransferForm(w, r, editOf(r, f), f)
	}
	if !d.CanEdit {
		return fault.New(fault.Conflict, "This transfer can no longer be changed, or you may not change it.")
	}
	f := web.NewForm(map[string]string{
		"id": string(d.ID), "from": string(d.From), "to": string(d.To), "amount": d.Cents.Dollars(), "memo": d.Memo, "on": string(d.Asked), "version": strconv.FormatInt(d.Version, 10),
	})
	return a.renderTransferForm(w, r, transferEdit{d.ID, d.Version}, f)
}

// transferDraft reads the form. What cannot be read is a problem of it.
func transferDraft(f *web.Form) transfer.Draft {
	d := transfer.Draft{
		ID: transfer.ID(f.Raw("id")), From: bank.AccountID(f.Raw("from")), To: bank.AccountID(f.Raw("to")), Cents: f.Money("amount"),
		Memo: f.Text("memo", transfer.MaxMemo), On: bank.Day(f.Raw("on")), Repeat: transfer.Frequency(f.Raw("repeat")), Until: bank.Day(f.Raw("until")),
	}
	if times := f.Text("times", 5); times != "" {
		n := number(times)
		if n <= 0 {
			f.Wrong("times", fmt.Sprintf("Write a number from 1 to %d.", transfer.MaxTimes))
		}
		d.Times = int(max(n, 0))
	}
	return d
}

// transferFields are what a form carries on to the next page.
func transferFields(f *web.Form, edit transferEdit) [][2]string {
	var fields [][2]string
	for _, name := range []string{"id", "from", "to", "amount", "memo", "on", "repeat", "until", "times"} {
		if f.Sent(name) {
			fields = append(fields, [2]string{name, f.Raw(name)})
		}
	}
	if !edit.new() {
		fields = append(fields, [2]string{"version", strconv.FormatInt(edit.Version, 10)})
	}
	return fields
}

func (a *app) renderTransferForm(w http.ResponseWriter, r *http.Request, edit transferEdit, f *web.Form) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	o, err := a.money.Transfers.Options(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	page := transferFormPage{
		Shell: a.shell(r, v.me, "New transfer", ui.Link{Label: "Transfers", Href: v.base.transfers()}), Title: "New transfer",
		Subtitle: ui.Ended("Move money between the accounts of " + v.me.Organization.Name), Review: v.base.reviewTransfer(), Cancel: v.base.transfers(),
		Form: f, Repeats: edit.new(), Ceilings: v.ceilings(o.Room), Unread: o.Unread,
		Today: fmt.Sprintf("Today you moved %s. No limit counts transfers by the day.", o.MadeToday.Dollars()),
	}
	if !edit.new() {
		page.Shell.Title, page.Title, page.Subtitle = "Change transfer", "Change transfer", "From now on it goes on your right: it is decided again with your limits when it goes out."
		page.Review, page.Cancel = v.base.transfer(edit.ID)+"/review", v.base.transfer(edit.ID)
	}
	for _, field := range transferFields(f, edit) {
		if field[0] == "id" || field[0] == "version" {
			page.Hidden = append(page.Hidden, field)
		}
	}
	if !o.May.Allowed {
		page.Blocked, page.Why = v.blockers(o.May), v.base.whyMe()+"?operation="+catalog.TransfersCreate.ID()
		return web.Render(w, r, http.StatusForbidden, transferFormView(page))
	}
	page.fill(&v, &o)
	return web.Render(w, r, f.Status(), transferFormView(page))
}

// fill makes the fields of the form.
func (p *transferFormPage) fill(v *moneyView, o *transfer.Options) {
	f := p.Form
	p.From, p.To = f.Field("from", "From"), f.Field("to", "To")
	p.Froms, p.Tos = v.choices("Choose an account", o.From, o.Balances), v.choices("Choose an account", o.To, o.Balances)
	p.Amount, p.Memo = f.Field("amount", "Amount"), f.Field("memo", "Memo")
	p.Amount.Help = "Up to " + o.Room.UpTo.Dollars() + "."
	p.Memo.Optional, p.Memo.Max = true, transfer.MaxMemo
	p.On = f.Field("on", "Date")
	p.On.Optional, p.On.Help, p.On.Width = true, "Leave it empty to move the money now.", "medium"
	if sentence := o.Now.Sentence(); sentence != "" {
		p.On.Help += " Moved now, it counts on another day. " + sentence
	}
	if !p.Repeats {
		p.On.Optional, p.On.Help = false, ""
		return
	}
	p.Repeat = f.Field("repeat", "How often")
	p.Repeat.Optional = true
	for _, frequency := range calendar.Frequencies() {
		p.Frequencies = append(p.Frequencies, ui.Option{Value: string(frequency), Label: frequency.Label()})
	}
	p.Until, p.Times = f.Field("until", "Until"), f.Field("times", "Number of transfers")
	p.Until.Optional, p.Until.Width, p.Until.Help = true, "medium", "No transfer after this day."
	p.Times.Optional, p.Times.Width, p.Times.Help = true, "medium", "It ends after so many. Leave both empty and it goes on until somebody cancels it."
}

type transferReviewPage struct {
	Shell    ui.Shell
	Title    string
	Sentence string
	Blocked  []blocker
	Why      string
	Moved    string // why the date is another one
	Cover    *ui.Message
	Facts    []ui.Fact
	Days     []string
	Note     string
	Hidden   [][2]string
	Back     string
	Save     string
	Button   string
}

// POST /{institution}/transfers/review, /{institution}/transfers/{transfer}/review
func (a *app) reviewTransfer(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	edit := editOf(r, f)
	if !edit.new() {
		if _, err := a.oneTransfer(r); err != nil {
			return err
		}
	}
	d := transferDraft(f)
	if !f.OK() {
		return a.renderTransferForm(w, r, edit, f)
	}
	return a.renderTransferReview(w, r, http.StatusOK, edit, f, d)
}

func (a *app) renderTransferReview(w http.ResponseWriter, r *http.Request, status int, edit transferEdit, f *web.Form, d transfer.Draft) error {
	p, err := a.money.Transfers.Preview(r.Context(), web.CallerOf(r.Context()), d)
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderTransferForm(w, r, edit, f)
	}
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	page := transferReviewPage{
		Shell: a.shell(r, v.me, "Review transfer", ui.Link{Label: "Transfers", Href: v.base.transfers()}), Title: "Review transfer",
		Sentence: fmt.Sprintf("Move %s from %s to %s.", d.Cents.Dollars(), v.account(d.From), v.account(d.To)),
		Moved:    p.Day.Sentence(), Facts: v.reviewFacts(&p), Hidden: transferFields(f, edit),
		Back: v.base.newTransfer(), Save: v.base.transfers(), Button: "Make the transfer",
		Note: "You will be asked to confirm that it is you. Your limits are tested again when the money moves.",
	}
	page.Shell.Narrow = true
	if !p.AtOnce || d.Repeat != transfer.Once {
		page.Button = "Schedule the transfer"
	}
	if !edit.new() {
		page.Back, page.Save, page.Button = v.base.transfer(edit.ID)+"/edit", v.base.transfer(edit.ID)+"/save", "Save the change"
	}
	if !p.May.Allowed {
		page.Blocked, page.Note = v.blockers(p.May), "Nothing is done."
		page.Why = fmt.Sprintf("%s?operation=%s&account=%s&to_account=%s&amount=%s", v.base.whyMe(), catalog.TransfersCreate.ID(), d.From, d.To, d.Cents)
		status = http.StatusForbidden
	} else {
		page.Cover = v.cover(&p)
	}
	for _, day := range p.Next {
		line := date(day.Day)
		if day.Moved() {
			line += ", because " + day.Because[len(day.Because)-1]
		}
		page.Days = append(page.Days, line)
	}
	return web.Render(w, r, status, transferReviewView(page))
}

func (v *moneyView) reviewFacts(p *transfer.Preview) []ui.Fact {
	d := &p.Draft
	facts := []ui.Fact{{Term: "From", Value: v.account(d.From)}, {Term: "To", Value: v.account(d.To)}, {Term: "Amount", More: ui.Amount(d.Cents)}}
	when := "Now"
	switch {
	case p.AtOnce && p.Day.Moved():
		when = "Now, counted on " + date(p.Day.Day)
	case !p.AtOnce:
		when = date(p.Day.Day)
	}
	facts = append(facts, ui.Fact{Term: "Date", Value: when})
	if d.Repeat != transfer.Once {
		ends := "Until somebody cancels it"
		switch {
		case d.Times > 0 && d.Until != "":
			ends = fmt.Sprintf("After %d transfers, or after %s, whichever comes first", d.Times, date(d.Until))
		case d.Times > 0:
			ends = fmt.Sprintf("After %d transfers", d.Times)
		case d.Until != "":
			ends = "After " + date(d.Until)
		}
		facts = append(facts, ui.Fact{Term: "How often", Value: d.Repeat.Label()}, ui.Fact{Term: "Ends", Value: ends})
	}
	if d.Memo != "" {
		facts = append(facts, ui.Fact{Term: "Memo", Value: d.Memo})
	}
	if p.Known {
		facts = append(facts, ui.Fact{Term: "Available in " + v.account(d.From), More: ui.Amount(p.From.Available)})
	}
	return facts
}

// cover warns where the balance does not cover it as it stands.
func (v *moneyView) cover(p *transfer.Preview) *ui.Message {
	if !p.Known || p.Covered {
		return nil
	}
	text := "The host decides when the money moves. As it stands, it would refuse."
	if p.AtOnce {
		text = "The host will refuse it unless money comes in first."
	}
	return &ui.Message{Tone: ui.Warn, Title: fmt.Sprintf("%s has %s available", v.account(p.Draft.From), p.From.Available.Dollars()), Text: text}
}

// proofOfTransfer is what the page of the high-risk authorization says.
func (v *moneyView) proofOfTransfer(d *transfer.Draft, cancel string) func() (proof, error) {
	ask := proof{
		Text:   fmt.Sprintf("You are about to move %s from %s to %s.", d.Cents.Dollars(), v.account(d.From), v.account(d.To)),
		Cancel: cancel, Crumbs: []ui.Link{{Label: "Transfers", Href: v.base.transfers()}},
	}
	return func() (proof, error) { return ask, nil }
}

// POST /{institution}/transfers
func (a *app) createTransfer(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	d := transferDraft(f)
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	var made transfer.Made
	done, err := a.proven(w, r, v.proofOfTransfer(&d, v.base.transfers()), func() (err error) {
		made, err = a.money.Transfers.Create(r.Context(), web.CallerOf(r.Context()), d)
		return err
	})
	if refused(err) {
		return a.renderTransferReview(w, r, http.StatusUnprocessableEntity, transferEdit{}, f, d)
	}
	if err != nil || !done {
		return err
	}
	if made.Series != "" {
		web.Flash(w, r, ui.Good, "The transfers are scheduled")
		http.Redirect(w, r, v.base.series(made.Series), http.StatusSeeOther)
		return nil
	}
	return a.toTransfer(w, r, &v, made.ID)
}

// refused reports whether the review says what is wrong: the input, or a
// refusal of the engine.
func refused(err error) bool {
	_, refusal := refusalIn(err)
	return refusal || fault.KindOf(err) == fault.Invalid
}

// toTransfer shows a transfer after something was done with it, and says what
// came of it.
func (a *app) toTransfer(w http.ResponseWriter, r *http.Request, v *moneyView, id transfer.ID) error {
	d, err := a.money.Transfers.Get(r.Context(), web.CallerOf(r.Context()), id)
	if err != nil {
		return err
	}
	switch d.State {
	case transfer.Completed:
		web.Flash(w, r, ui.Good, "The money has moved")
	case transfer.Scheduled:
		web.Flash(w, r, ui.Good, "The transfer is scheduled for "+date(d.Day))
	case transfer.Cancelled:
		web.Flash(w, r, ui.Good, "The transfer is cancelled")
	case transfer.Failed, transfer.Parked:
		web.Flash(w, r, ui.Bad, "The money has not moved")
	}
	http.Redirect(w, r, v.base.transfer(id), http.StatusSeeOther)
	return nil
}

// POST /{institution}/transfers/{transfer}/save
func (a *app) saveTransfer(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	edit, d := editOf(r, f), transferDraft(f)
	d.ID = edit.ID
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	done, err := a.proven(w, r, v.proofOfTransfer(&d, v.base.transfer(edit.ID)), func() error {
		return a.money.Transfers.Edit(r.Context(), web.CallerOf(r.Context()), edit.Version, d)
	})
	if refused(err) {
		return a.renderTransferReview(w, r, http.StatusUnprocessableEntity, edit, f, d)
	}
	if err != nil || !done {
		return err
	}
	return a.toTransfer(w, r, &v, edit.ID)
}

// GET /{institution}/transfers/{transfer}/cancel
func (a *app) askCancelTransfer(w http.ResponseWriter, r *http.Request) error {
	text := "It will not go out. This cannot be undone, but you can make another one."
	return a.askTransfer(w, r, "Cancel this transfer?", text, "cancel", ui.Action{Label: "Cancel transfer", Variant: ui.Danger, Busy: "Cancelling"})
}

// GET /{institution}/transfers/{transfer}/retry
func (a *app) askRetryTransfer(w http.ResponseWriter, r *http.Request) error {
	text := "The money moves now, on your right. You will be asked to confirm that it is you."
	return a.askTransfer(w, r, "Try this transfer again?", text, "retry", ui.Action{Label: "Try again", Variant: ui.Primary, Busy: "Working"})
}

func (a *app) askTransfer(w http.ResponseWriter, r *http.Request, title, text, verb string, confirm ui.Action) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	d, err := a.oneTransfer(r)
	if err != nil {
		return err
	}
	if verb == "cancel" && !d.CanTake || verb == "retry" && !d.CanTry {
		return fault.New(fault.Conflict, "This can no longer be done, or you may not do it. Look at the transfer again.")
	}
	here := v.base.transfer(d.ID)
	question := ui.Confirmation{
		Title: title, Text: fmt.Sprintf("%s from %s to %s, %s. %s", d.Cents.Dollars(), v.account(d.From), v.account(d.To), date(d.Day), text),
		Action: here + "/" + verb, Confirm: confirm, Cancel: here,
	}
	return a.askAbout(w, r, &v, question, [][2]string{{"version", strconv.FormatInt(d.Version, 10)}}, ui.Link{Label: "Transfers", Href: v.base.transfers()}, ui.Link{Label: d.Title(), Href: here})
}

// POST /{institution}/transfers/{transfer}/cancel
func (a *app) cancelTransfer(w http.ResponseWriter, r *http.Request) error {
	edit := editOf(r, web.ReadForm(r))
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	if err := a.money.Transfers.Cancel(r.Context(), web.CallerOf(r.Context()), edit.ID, edit.Version); err != nil {
		return err
	}
	return a.toTransfer(w, r, &v, edit.ID)
}

// POST /{institution}/transfers/{transfer}/retry
func (a *app) retryTransfer(w http.ResponseWriter, r *http.Request) error {
	edit := editOf(r, web.ReadForm(r))
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	d, err := a.oneTransfer(r)
	if err != nil {
		return err
	}
	draft := transfer.Draft{From: d.From, To: d.To, Cents: d.Cents}
	done, err := a.proven(w, r, v.proofOfTransfer(&draft, v.base.transfer(edit.ID)), func() error {
		return a.money.Transfers.Retry(r.Context(), web.CallerOf(r.Context()), edit.ID, edit.Version)
	})
	if err != nil || !done {
		return err
	}
	return a.toTransfer(w, r, &v, edit.ID)
}
