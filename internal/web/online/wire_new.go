package online

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/moneymovement/wire"
	"mandate/internal/moneymovement/wire/message"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

type wireFormPage struct {
	Shell       ui.Shell
	Title       string
	Subtitle    string
	Review      string // where the form goes
	Button      string
	Cancel      string
	Form        *web.Form
	Hidden      [][2]string
	Name        *ui.Field // of a template
	Fixed       []ui.Fact // whom it pays, where that cannot be changed here
	Payee       payeeFields
	Amount      ui.Field
	Remarks     ui.Field
	On          *ui.Field // nil: it has no day
	Repeats     bool
	Ends        bool // until when, and how often
	Repeat      ui.Field
	Frequencies []ui.Option
	Until       ui.Field
	Times       ui.Field
	Ceilings    []ceilingLine
	Unread      bool
	Blocked     []blocker // nothing can be made at all
	Refused     string    // what cannot be made
	Shut        bool      // there is no form
	Why         string
}

// payeeFields are whom a wire pays, and from where.
type payeeFields struct {
	Account                                 ui.Field
	Accounts                                []ui.Option
	Name, Number, Street, Town, State, Post ui.Field
	Bank, Routing, ViaBank, ViaRouting      ui.Field
	Via                                     bool // something is filled in there
}

// wireFieldNames are what the form of a wire carries on to the next page.
var wireFieldNames = []string{
	"id", "template", "template_version", "account", "payee", "payee_account", "street", "town", "state", "post_code", "bank", "routing", "via_bank", "via_routing",
	"amount", "remarks", "on", "repeat", "until", "times", "version",
}

// hiddenWireFields are those that nobody types.
var hiddenWireFields = []string{"id", "template", "template_version", "version"}

func sentFields(f *web.Form, names []string) (fields [][2]string) {
	for _, name := range names {
		if f.Sent(name) {
			fields = append(fields, [2]string{name, f.Raw(name)})
		}
	}
	return fields
}

// instructionValues are an instruction as a form shows it.
func instructionValues(values map[string]string, i *wire.Instruction) {
	for name, value := range map[string]string{
		"account": string(i.Account), "payee": i.Payee.Name, "payee_account": i.Payee.Account, "street": i.Payee.Street, "town": i.Payee.Town, "state": i.Payee.State,
		"post_code": i.Payee.PostCode, "bank": i.Bank.Name, "routing": i.Bank.Routing, "via_bank": i.Via.Name, "via_routing": i.Via.Routing, "remarks": i.Remarks,
	} {
		values[name] = value
	}
	values["amount"] = ""
	if i.Cents > 0 {
		values["amount"] = i.Cents.Dollars()
	}
}

// instructionOf reads the form. What cannot be read is a problem of it.
func instructionOf(f *web.Form) wire.Instruction {
	return wire.Instruction{
		Account: bank.AccountID(f.Raw("account")), Cents: f.Money("amount"), Remarks: f.Text("remarks", message.MaxRemarks),
		Payee: message.Party{
			Name: f.Text("payee", message.MaxName), Account: f.Text("payee_account", message.MaxAccount), Street: f.Text("street", message.MaxStreet),
			Town: f.Text("town", message.MaxTown), State: f.Text("state", message.MaxState), PostCode: f.Text("post_code", message.MaxPostCode),
		},
		Bank: message.Agent{Routing: f.Text("routing", 9), Name: f.Text("bank", message.MaxBankName)},
		Via:  message.Agent{Routing: f.Text("via_routing", 9), Name: f.Text("via_bank", message.MaxBankName)},
	}
}

func wireDraft(f *web.Form) wire.Draft {
	return wire.Draft{
		ID: wire.ID(f.Raw("id")), Template: wire.TemplateID(f.Raw("template")), TemplateVersion: max(number(f.Raw("template_version")), 0), Instruction: instructionOf(f),
		On: bank.Day(f.Raw("on")), Repeat: calendar.Frequency(f.Raw("repeat")), Until: bank.Day(f.Raw("until")), Times: timesOf(f), Send: f.Raw("send") == "on", Anyway: f.Checked("anyway"),
	}
}

func timesOf(f *web.Form) int {
	times := f.Text("times", 5)
	if times == "" {
		return 0
	}
	n := number(times)
	if n <= 0 {
		f.Wrong("times", fmt.Sprintf("Write a number from 1 to %d.", wire.MaxTimes))
	}
	return int(max(n, 0))
}

// GET, POST /{institution}/wires/new
func (a *app) newWire(w http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodPost { // back from the review, or another account chosen, with everything that was typed
		return a.renderWireForm(w, r, "", web.ReadForm(r))
	}
	q := r.URL.Query()
	values := map[string]string{"id": string(wire.NewID(a.site.Clock.Now())), "account": q.Get("account")}
	if copied := q.Get("copy"); copied != "" {
		d, err := a.money.Wires.Get(r.Context(), web.CallerOf(r.Context()), wire.ID(copied))
		if err != nil {
			return err
		}
		instructionValues(values, &d.Instruction)
	}
	if id := q.Get("template"); id != "" {
		t, err := a.money.Wires.GetTemplate(r.Context(), web.CallerOf(r.Context()), wire.TemplateID(id))
		if err != nil {
			return err
		}
		instructionValues(values, &t.Instruction)
		values["template"], values["template_version"] = string(t.ID), strconv.FormatInt(t.Version, 10)
	}
	return a.renderWireForm(w, r, "", web.NewForm(values))
}

// GET, POST /{institution}/wires/{wire}/edit
func (a *app) editWire(w http.ResponseWriter, r *http.Request) error {
	id := wire.ID(r.PathValue("wire"))
	if r.Method == http.MethodPost {
		return a.renderWireForm(w, r, id, web.ReadForm(r))
	}
	d, err := a.oneWire(r)
	if err != nil {
		return err
	}
	if !d.CanEdit {
		return fault.New(fault.Conflict, "This wire can no longer be changed, or you may not change it.")
	}
	values := map[string]string{"id": string(d.ID), "on": string(d.Asked), "version": strconv.FormatInt(d.Version, 10)}
	instructionValues(values, &d.Instruction)
	return a.renderWireForm(w, r, id, web.NewForm(values))
}

func (a *app) renderWireForm(w http.ResponseWriter, r *http.Request, edit wire.ID, f *web.Form) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	caller := web.CallerOf(r.Context())
	o, err := a.money.Wires.Options(r.Context(), caller, bank.AccountID(f.Raw("account")))
	if err != nil {
		return err
	}
	page := wireFormPage{
		Shell: a.shell(r, v.me, "New wire", ui.Link{Label: "Wires", Href: v.base.wires()}), Title: "New wire", Subtitle: "Send money to an account at another bank. It cannot be called back once it went out.",
		Review: v.base.wires() + "/review", Button: "Review", Cancel: v.base.wires(), Form: f, Hidden: sentFields(f, hiddenWireFields), Repeats: true, Ends: true,
		Ceilings: v.ceilings(o.Room), Unread: o.Unread, Refused: "You cannot make wires now",
	}
	choices, may := o.Create, o.May
	switch {
	case edit != "":
		d, err := a.money.Wires.Get(r.Context(), caller, edit)
		if err != nil {
			return err
		}
		page.Shell.Title, page.Title, page.Subtitle = "Change wire", "Change wire", "Whoever agreed to it must agree again, and it counts against no limit until it is sent off again."
		page.Review, page.Cancel, page.Repeats, page.Ends, may.Allowed = v.base.wire(edit)+"/review", v.base.wire(edit), false, false, true
		if d.Kind() != wire.OneTime {
			page.Fixed = v.payeeFacts(&d.Instruction)
		}
		choices = append([]bank.AccountID{d.Account}, choices...)
	case f.Raw("template") != "":
		t, err := a.money.Wires.GetTemplate(r.Context(), caller, wire.TemplateID(f.Raw("template")))
		if err != nil {
			return err
		}
		page.Title, page.Fixed, may = t.Name, v.payeeFacts(&t.Instruction), o.MaySend
	}
	if !may.Allowed {
		page.Blocked, page.Why, page.Shut = v.blockers(may), v.base.whyMe()+"?operation="+catalog.WiresOneTimeCreateOperation.ID(), true
		return web.Render(w, r, http.StatusForbidden, wireFormView(page))
	}
	page.fill(v.choices("Choose an account", choices, o.Balances))
	page.fillDays(&o)
	page.Amount.Help = "Up to " + o.Room.UpTo.Dollars() + "."
	if o.Room.Alone < o.Room.UpTo {
		page.Amount.Help += " Alone up to " + o.Room.Alone.Dollars() + "; above that a second person must agree."
	}
	return web.Render(w, r, f.Status(), wireFormView(page))
}

// payeeFacts are whom a wire pays, where that cannot be changed.
func (v *moneyView) payeeFacts(i *wire.Instruction) []ui.Fact {
	shown := *i
	shown.Cents, shown.Remarks = 0, ""
	return v.instructionFacts(&shown)
}

// fill makes the fields of the form but its days.
func (p *wireFormPage) fill(accounts []ui.Option) {
	f := p.Form
	field := func(name, label string, most int, width string) ui.Field {
		one := f.Field(name, label)
		one.Max, one.Width = most, width
		return one
	}
	p.Payee = payeeFields{
		Account: f.Field("account", "From"), Accounts: accounts, Name: field("payee", "Payee", message.MaxName, ""), Number: field("payee_account", "Account number", message.MaxAccount, ""),
		Street: field("street", "Street", message.MaxStreet, ""), Town: field("town", "Town", message.MaxTown, ""), State: field("state", "State", message.MaxState, "short"),
		Post: field("post_code", "ZIP code", message.MaxPostCode, "medium"), Bank: field("bank", "Bank", message.MaxBankName, ""), Routing: field("routing", "Routing number", 9, "medium"),
		ViaBank: field("via_bank", "Bank on the way", message.MaxBankName, ""), ViaRouting: field("via_routing", "Its routing number", 9, "medium"),
	}
	pf := &p.Payee
	pf.Via = pf.ViaBank.Value != "" || pf.ViaRouting.Value != "" || pf.ViaBank.Problem != "" || pf.ViaRouting.Problem != ""
	pf.Street.Optional, pf.Post.Optional, pf.ViaBank.Optional, pf.ViaRouting.Optional = true, true, true, true
	pf.Name.Help, pf.Routing.Help = "As their bank knows them, in plain letters, digits and common signs.", "Nine digits. Their bank tells it; it is checked as you go on."
	p.Amount, p.Remarks = f.Field("amount", "Amount"), f.Field("remarks", "Remarks")
	p.Remarks.Optional, p.Remarks.Max, p.Remarks.Help = true, message.MaxRemarks, "The payee reads them."
}

func (p *wireFormPage) fillDays(o *wire.Options) {
	f := p.Form
	on := f.Field("on", "Date")
	on.Optional, on.Help, on.Width = true, "Leave it empty to send it as soon as may be.", "medium"
	if sentence := o.Now.Sentence(); sentence != "" {
		on.Help += " Sent now, it goes out another day. " + sentence
	}
	p.On = &on
	p.Repeat = f.Field("repeat", "How often")
	p.Repeat.Optional = true
	for _, frequency := range calendar.Frequencies() {
		p.Frequencies = append(p.Frequencies, ui.Option{Value: string(frequency), Label: frequency.Label()})
	}
	p.fillEnd()
}

func (p *wireFormPage) fillEnd() {
	p.Until, p.Times = p.Form.Field("until", "Until"), p.Form.Field("times", "Number of wires")
	p.Until.Optional, p.Until.Width, p.Until.Help = true, "medium", "No wire after this day."
	p.Times.Optional, p.Times.Width, p.Times.Help = true, "medium", "It ends after so many. Leave both empty and it goes on until somebody cancels it."
}

type wireReviewPage struct {
	Shell    ui.Shell
	Title    string
	Sentence string
	Refused  string
	Blocked  []blocker
	Why      string
	Notes    []ui.Message
	Facts    []ui.Fact
	Days     []string
	Note     string
	Hidden   [][2]string
	Back     string
	Save     string
	Keep     string    // the button that keeps it as ready; empty: it cannot be kept
	Send     string    // the button that sends it off; empty: it cannot be sent
	Anyway   *ui.Field // it looks like another one
}

// POST /{institution}/wires/review, /{institution}/wires/{wire}/review
func (a *app) reviewWire(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	edit := wire.ID(r.PathValue("wire"))
	d := wireDraft(f)
	if edit != "" {
		d.ID = edit
	}
	if !f.OK() {
		return a.renderWireForm(w, r, edit, f)
	}
	return a.renderWireReview(w, r, http.StatusOK, edit, f, d)
}

func (a *app) renderWireReview(w http.ResponseWriter, r *http.Request, status int, edit wire.ID, f *web.Form, d wire.Draft) error {
	p, err := a.money.Wires.Preview(r.Context(), web.CallerOf(r.Context()), d)
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderWireForm(w, r, edit, f)
	}
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	page := wireReviewPage{
		Shell: a.shell(r, v.me, "Review wire", ui.Link{Label: "Wires", Href: v.base.wires()}), Title: "Review wire",
		Sentence: fmt.Sprintf("Send %s to %s.", p.Draft.Cents.Dollars(), p.Draft.Payee.Name), Facts: v.wireReviewFacts(&p), Hidden: sentFields(f, wireFieldNames),
		Back: v.base.newWire(), Save: v.base.wires(), Note: "You will be asked to confirm that it is you. Everybody's rights and limits are tested again when it goes out.",
	}
	page.Shell.Narrow = true
	if edit != "" {
		page.Back, page.Save = v.base.wire(edit)+"/edit", v.base.wire(edit)+"/save"
	}
	page.offer(&v, &p, edit)
	if len(page.Blocked) > 0 {
		status = http.StatusForbidden
	}
	for _, day := range p.Next {
		line := date(day.Day)
		if day.Moved() {
			line += ", because " + day.Because[len(day.Because)-1]
		}
		page.Days = append(page.Days, line)
	}
	return web.Render(w, r, status, wireReviewView(page))
}

// offer says what can be done with a wire, and what stands in the way.
func (p *wireReviewPage) offer(v *moneyView, preview *wire.Preview, edit wire.ID) {
	d := &preview.Draft
	repeats := d.Repeat != calendar.Once
	if preview.MayKeep.Allowed && !repeats && d.Template == "" {
		p.Keep = "Save for later"
	}
	switch {
	case !preview.MayKeep.Allowed:
		p.Refused, p.Blocked = "You may not write this wire down", v.blockers(preview.MayKeep)
		op := catalog.WiresOneTimeCreateOperation
		if edit != "" {
			op = catalog.WiresOneTimeEditOperation
		}
		p.Why = fmt.Sprintf("%s?operation=%s&account=%s", v.base.whyMe(), op.ID(), url.QueryEscape(string(d.Account)))
		p.Note = "Nothing is done."
		return
	case !preview.May.Allowed:
		p.Refused, p.Blocked = "You may not send this wire", v.blockers(preview.May)
		p.Why = fmt.Sprintf("%s?operation=%s&account=%s&amount=%s", v.base.whyMe(), catalog.WiresTransmitOperation.ID(), url.QueryEscape(string(d.Account)), d.Cents)
		p.Note = "Nothing is done."
		if p.Keep != "" {
			p.Note = "You can save it. Somebody who may can send it off."
		}
	default:
		p.Send = "Send the wire"
		if repeats {
			p.Send = "Schedule the wires"
		}
	}
	if sentence := preview.Day.Sentence(); sentence != "" {
		p.Notes = append(p.Notes, ui.Message{Tone: ui.Note, Icon: "calendar", Text: sentence})
	}
	if preview.Second {
		p.Notes = append(p.Notes, v.secondPerson(preview))
		if p.Send != "" && !repeats {
			p.Send = "Send for approval"
		}
	}
	if preview.Twin != nil {
		p.twin(v, preview)
	}
	if preview.Known && !preview.Covered {
		p.Notes = append(p.Notes, ui.Message{Tone: ui.Warn, Title: fmt.Sprintf("%s has %s available", v.account(d.Account), preview.From.Available.Dollars()), Text: "The host will refuse it unless money comes in first."})
	}
}

// secondPerson foretells who must agree.
func (v *moneyView) secondPerson(p *wire.Preview) ui.Message {
	over := "Above " + p.Room.Alone.Dollars() + " a second person must agree before it goes out."
	if len(p.Approvers) == 0 {
		return ui.Message{Tone: ui.Warn, Title: "Nobody could approve this wire", Text: over + " Nobody else may send a wire like this: it would wait until its cut-off and then be ready again. An admin of your organization can give somebody the right."}
	}
	names := make([]string, len(p.Approvers))
	for i, somebody := range p.Approvers {
		names[i] = somebody.Name
	}
	return ui.Message{Tone: ui.Note, Icon: "users", Title: "A second person must agree", Text: over + " " + peopleOr(names) + " can, and will be told by mail."}
}

// twin warns of a wire that looks the same.
func (p *wireReviewPage) twin(v *moneyView, preview *wire.Preview) {
	t := preview.Twin
	text := "A wire of the same amount to the same account is on its way that day already"
	if t.ID != "" {
		text += fmt.Sprintf(": made by %s, %s.", t.Maker.Name, ui.DateTime(t.Created, v.place()))
	} else {
		text += "."
	}
	message := ui.Message{Tone: ui.Warn, Title: "This looks like a wire that is there already", Text: text}
	if preview.Refused {
		message.Text += " It cannot be sent twice."
		p.Send = ""
	} else if p.Send != "" {
		p.Anyway = &ui.Field{Name: "anyway", Label: "I mean to send it all the same"}
	}
	p.Notes = append(p.Notes, message)
}

func (v *moneyView) wireReviewFacts(p *wire.Preview) []ui.Fact {
	d := &p.Draft
	facts := v.instructionFacts(&d.Instruction)
	if p.Template != "" {
		facts = append(facts, ui.Fact{Term: "Template", Value: p.Template})
	}
	when := date(p.Day.Day)
	if d.On == "" {
		when = "As soon as may be: " + when
	}
	facts = append(facts, ui.Fact{Term: "Date", Value: when})
	if d.Repeat != calendar.Once {
		facts = append(facts, ui.Fact{Term: "How often", Value: d.Repeat.Label()}, ui.Fact{Term: "Ends", Value: endOfWires(d.Times, d.Until)})
	}
	if p.Known {
		facts = append(facts, ui.Fact{Term: "Available in " + v.account(d.Account), More: ui.Amount(p.From.Available)})
	}
	return facts
}

func endOfWires(times int, until bank.Day) string {
	switch {
	case times > 0 && until != "":
		return fmt.Sprintf("After %d wires, or after %s, whichever comes first", times, date(until))
	case times > 0:
		return fmt.Sprintf("After %d wires", times)
	case until != "":
		return "After " + date(until)
	}
	return "When somebody cancels it"
}

// proofOfWire is what the page of the high-risk authorization says.
func proofOfWire(b base, cents bank.Cents, payee, cancel string) func() (proof, error) {
	ask := proof{
		Text: fmt.Sprintf("You are about to send %s to %s.", cents.Dollars(), payee), Cancel: cancel, Crumbs: []ui.Link{{Label: "Wires", Href: b.wires()}},
	}
	return func() (proof, error) { return ask, nil }
}

// POST /{institution}/wires
func (a *app) createWire(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	d := wireDraft(f)
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	payee := d.Payee.Name
	if d.Template != "" {
		if t, err := a.money.Wires.GetTemplate(r.Context(), web.CallerOf(r.Context()), d.Template); err == nil {
			payee = t.Payee.Name
		}
	}
	var made wire.Made
	done, err := a.proven(w, r, proofOfWire(v.base, d.Cents, payee, v.base.wires()), func() (err error) {
		made, err = a.money.Wires.Create(r.Context(), web.CallerOf(r.Context()), d)
		return err
	})
	if status := reviewAgain(err); status != 0 {
		return a.renderWireReview(w, r, status, "", f, d)
	}
	if err != nil || !done {
		return err
	}
	if made.Series != "" {
		web.Flash(w, r, ui.Good, "The wires are scheduled")
		http.Redirect(w, r, v.base.wireSeries(made.Series), http.StatusSeeOther)
		return nil
	}
	return a.toWire(w, r, &v, made.ID)
}

// reviewAgain is the status under which the review says what is wrong: the
// input, a refusal of the engine, or another wire that looks the same. Zero: it
// says nothing of it.
func reviewAgain(err error) int {
	if _, double := errors.AsType[*wire.Twin](err); double {
		return http.StatusConflict
	}
	if refused(err) {
		return http.StatusUnprocessableEntity
	}
	return 0
}

// toWire shows a wire after something was done with it, and says what came of
// it.
func (a *app) toWire(w http.ResponseWriter, r *http.Request, v *moneyView, id wire.ID) error {
	d, err := a.money.Wires.Get(r.Context(), web.CallerOf(r.Context()), id)
	if err != nil {
		return err
	}
	switch {
	case d.State == wire.Processed:
		web.Flash(w, r, ui.Good, "The wire went out")
	case d.State == wire.Pending:
		web.Flash(w, r, ui.Good, "The wire waits for a second person")
	case d.State == wire.Initiated:
		web.Flash(w, r, ui.Good, "The wire goes out "+date(d.Day))
	case d.State == wire.Cancelled:
		web.Flash(w, r, ui.Good, "The wire is cancelled")
	case d.State == wire.Ready && d.Problem == "":
		web.Flash(w, r, ui.Good, "The wire is saved")
	case d.State == wire.Ready:
		web.Flash(w, r, ui.Bad, "The wire did not go out")
	}
	http.Redirect(w, r, v.base.wire(id), http.StatusSeeOther)
	return nil
}

// POST /{institution}/wires/{wire}/save
func (a *app) saveWire(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	d := wireDraft(f)
	d.ID = wire.ID(r.PathValue("wire"))
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	seen, hidden := a.oneWire(r) // where it may not be seen, the room says why
	payee := d.Payee.Name
	if hidden == nil && seen.Kind() != wire.OneTime {
		payee = seen.Payee.Name
	}
	done, err := a.proven(w, r, proofOfWire(v.base, d.Cents, payee, v.base.wire(d.ID)), func() error {
		return a.money.Wires.Edit(r.Context(), web.CallerOf(r.Context()), number(f.Raw("version")), d)
	})
	if status := reviewAgain(err); status != 0 && hidden == nil {
		return a.renderWireReview(w, r, status, d.ID, f, d)
	}
	if err != nil || !done {
		return err
	}
	return a.toWire(w, r, &v, d.ID)
}
