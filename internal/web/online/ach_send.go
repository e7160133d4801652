package online

import (
	"fmt"
	"net/http"
	"strconv"

	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/moneymovement/ach"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

type sendFormPage struct {
	Shell     ui.Shell
	Title     string
	Subtitle  string
	Review    string
	Cancel    string
	Form      *web.Form
	Hidden    [][2]string
	Effective ui.Field
	Offset    ui.Field
	Offsets   []ui.Option
	Ceilings  []ceilingLine
	Figures   []ui.Figure
	Told      *ui.Message // whether a second person is needed, and who that could be
	Blocked   []blocker
	Why       string
}

func sendOrder(r *http.Request, f *web.Form) ach.Order {
	return ach.Order{Batch: ach.BatchID(r.PathValue("batch")), Version: number(f.Raw("version")), Effective: bank.Day(f.Raw("effective")), Offset: bank.AccountID(f.Raw("offset"))}
}

func sendFields(f *web.Form) (fields [][2]string) {
	for _, name := range []string{"version", "effective", "offset"} {
		fields = append(fields, [2]string{name, f.Raw(name)})
	}
	return fields
}

// GET, POST /{institution}/ach/batches/{batch}/initiate
func (a *app) initiateForm(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r) // back from the review, with what was chosen
	if r.Method != http.MethodPost {
		f = nil
	}
	return a.renderSendForm(w, r, f)
}

func (a *app) renderSendForm(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	p, err := a.money.ACH.Prospect(r.Context(), web.CallerOf(r.Context()), ach.BatchID(r.PathValue("batch")))
	if err != nil {
		return err
	}
	if !p.State.Takes(catalog.ACHBatchInitiate) {
		return fault.Newf(fault.Conflict, "This batch is %s, so it cannot be initiated now.", lowerFirst(p.State.Label()))
	}
	if f == nil {
		f = web.NewForm(map[string]string{"version": strconv.FormatInt(p.Version, 10)})
	}
	here := v.base.batch(p.ID)
	page := sendFormPage{
		Shell: a.shell(r, v.me, "Initiate", v.achCrumbs(v.batchLink(&p.Batch))...), Title: "Initiate " + p.Name,
		Subtitle: fmt.Sprintf("It %s, %s.", amountOf(&p.Batch), ui.Count(p.Entries-p.Idle, "recipient", "recipients")),
		Review:   here + "/review", Cancel: here, Form: f, Hidden: [][2]string{{"version", f.Raw("version")}}, Ceilings: v.ceilings(p.Room), Told: v.tellSecond(&p),
		Effective: f.Field("effective", "Effective date"), Offset: f.Field("offset", "Offset account"), Offsets: v.offsets(),
	}
	page.Effective.Optional, page.Effective.Width = true, "medium"
	page.Effective.Help = fmt.Sprintf("Leave it empty for %s. At the latest %s; a schedule sends it later.", date(p.Next.Day), date(p.Latest))
	if p.SameDay {
		page.Effective.Help += " Choose today to send it the same day."
	}
	page.Offset.Optional, page.Offset.Help = p.Credits == p.Debits, "The money is taken from it, or goes to it."
	if !p.Alone.Allowed && !p.NeedsSecond() {
		page.Blocked, page.Why = v.blockers(p.Alone), v.whyBatch(catalog.ACHBatchInitiate)
		return web.Render(w, r, http.StatusForbidden, sendFormView(page))
	}
	return web.Render(w, r, f.Status(), sendFormView(page))
}

// tellSecond says, before anything is saved, whether somebody else must agree.
func (v *moneyView) tellSecond(p *ach.Prospect) *ui.Message {
	if !p.NeedsSecond() {
		return nil
	}
	m := ui.Message{Tone: ui.Note, Icon: "users", Title: "A second person must approve this batch", Text: "You edited it last, and you do not have Full ACH control. " + whoCould(p.Approvers)}
	if len(p.Approvers) == 0 {
		m.Tone, m.Icon = ui.Warn, "triangle-alert"
	}
	return &m
}

func whoCould(people []ach.Somebody) string {
	if len(people) == 0 {
		return "Nobody in the organization could approve it now: it takes somebody else with the right to initiate ACH batches and a high enough limit."
	}
	return namesOf(people) + " could approve it."
}

type sendReviewPage struct {
	Shell    ui.Shell
	Title    string
	Sentence string
	Moved    string
	Told     *ui.Message
	Blocked  []blocker
	Why      string
	Facts    []ui.Fact
	Ceilings []ceilingLine
	Note     string
	Hidden   [][2]string
	Back     string
	Send     string // alone
	Submit   string // for approval
}

// POST /{institution}/ach/batches/{batch}/review
func (a *app) reviewBatch(w http.ResponseWriter, r *http.Request) error {
	return a.renderSendReview(w, r, http.StatusOK, web.ReadForm(r), "")
}

func (a *app) renderSendReview(w http.ResponseWriter, r *http.Request, status int, f *web.Form, refusal string) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	p, err := a.money.ACH.Preview(r.Context(), web.CallerOf(r.Context()), sendOrder(r, f))
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderSendForm(w, r, f)
	}
	here := v.base.batch(p.Batch)
	page := sendReviewPage{
		Shell: a.shell(r, v.me, "Review", v.achCrumbs(ui.Link{Label: p.Title, Href: here})...), Title: "Review and initiate", Moved: p.Note,
		Sentence: fmt.Sprintf("%s is sent for %s.", p.Title, date(p.Effective)), Facts: v.planFacts(&p), Ceilings: v.ceilings(p.Room), Hidden: sendFields(f), Back: here + "/initiate",
		Note: "You will be asked to confirm that it is you. Your rights and limits are tested again when the batch is released at its cut-off.",
	}
	if refusal != "" {
		page.Told = &ui.Message{Tone: ui.Bad, Title: refusal}
	}
	switch {
	case p.Alone.Allowed:
		page.Send = here + "/send"
	case p.Submit.Allowed:
		page.Submit = here + "/submit"
		m := ui.Message{Tone: ui.Note, Icon: "users", Title: "A second person must approve this batch", Text: "You edited it last, and you do not have Full ACH control. " + whoCould(p.Approvers)}
		if len(p.Approvers) == 0 {
			m.Tone, m.Icon = ui.Warn, "triangle-alert"
		}
		page.Told = &m
	default:
		page.Blocked, page.Note, status = v.blockers(p.Submit), "Nothing is done.", http.StatusForbidden
		page.Why = fmt.Sprintf("%s&amount=%s", v.whyBatch(catalog.ACHBatchInitiate), p.Amount())
		if p.Offset != "" {
			page.Why += "&account=" + string(p.Offset)
		}
	}
	return web.Render(w, r, status, sendReviewView(page))
}

func (v *moneyView) planFacts(p *ach.Plan) []ui.Fact {
	facts := []ui.Fact{{Term: "Credits", More: ui.Amount(p.Credits)}, {Term: "Debits", More: ui.Amount(p.Debits)}, {Term: "Recipients", Value: strconv.Itoa(p.Entries)},
		{Term: "Effective date", Value: calendar.Long(p.Effective)}, {Term: "Offset account", Value: v.offsetName(p.Offset)}, {Term: "Counts against limits", More: ui.Amount(p.Amount())},
		{Term: "Can be taken back until", Value: ui.DateTime(p.Due, v.place())}}
	if p.SameDay {
		facts = append(facts, ui.Fact{Term: "Same day", Value: "Yes"})
	}
	return facts
}

// proofOfSend is what the page of the high-risk authorization says.
func (a *app) proofOfSend(r *http.Request, o ach.Order) func() (proof, error) {
	return func() (proof, error) {
		v, err := a.moneyView(r)
		if err != nil {
			return proof{}, err
		}
		d, err := a.oneBatch(r)
		if err != nil {
			return proof{}, err
		}
		return proof{Text: fmt.Sprintf("You are about to send %s. It %s, from %s.", d.Name, amountOf(&d.Batch), v.offsetName(o.Offset)), Cancel: v.base.batch(d.ID), Crumbs: v.achCrumbs(v.batchLink(&d.Batch))}, nil
	}
}

// POST /{institution}/ach/batches/{batch}/send
func (a *app) sendBatch(w http.ResponseWriter, r *http.Request) error {
	return a.sending(w, r, "The batch is initiated", func(o ach.Order) (string, error) {
		_, note, err := a.money.ACH.Initiate(r.Context(), web.CallerOf(r.Context()), o)
		return note, err
	})
}

// POST /{institution}/ach/batches/{batch}/submit
func (a *app) submitBatch(w http.ResponseWriter, r *http.Request) error {
	return a.sending(w, r, "The batch waits for approval", func(o ach.Order) (string, error) {
		_, note, err := a.money.ACH.Submit(r.Context(), web.CallerOf(r.Context()), o)
		return note, err
	})
}

func (a *app) sending(w http.ResponseWriter, r *http.Request, said string, verb func(ach.Order) (string, error)) error {
	f := web.ReadForm(r)
	o := sendOrder(r, f)
	note := ""
	done, err := a.proven(w, r, a.proofOfSend(r, o), func() (err error) {
		note, err = verb(o)
		return err
	})
	if refused(err) {
		return a.renderSendReview(w, r, http.StatusUnprocessableEntity, f, web.SentenceOf(err))
	}
	if err != nil || !done {
		return err
	}
	if note != "" {
		said += ". " + note
	}
	return a.toBatch(w, r, o.Batch, said)
}

// askBatch asks before something is done with a batch.
func (a *app) askBatch(w http.ResponseWriter, r *http.Request, op catalog.Operation, question func(here string, d *ach.Detail) (ui.Confirmation, [][2]string)) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	d, err := a.oneBatch(r)
	if err != nil {
		return err
	}
	if !d.State.Takes(op) {
		return fault.Newf(fault.Conflict, "This batch is %s, so this cannot be done now.", lowerFirst(d.State.Label()))
	}
	here := v.base.batch(d.ID)
	c, hidden := question(here, &d)
	c.Cancel = here
	hidden = append(hidden, [2]string{"version", strconv.FormatInt(d.Version, 10)})
	return a.askAbout(w, r, &v, c, hidden, v.achCrumbs(v.batchLink(&d.Batch))...)
}

// GET /{institution}/ach/batches/{batch}/uninitiate
func (a *app) askUninitiate(w http.ResponseWriter, r *http.Request) error {
	return a.askBatch(w, r, catalog.ACHBatchUninitiate, func(here string, d *ach.Detail) (ui.Confirmation, [][2]string) {
		return ui.Confirmation{Title: "Uninitiate " + d.Name + "?", Text: "It goes back to ready. Its effective date and offset account are dropped, and its amount no longer counts against limits.",
			Action: here + "/uninitiate", Confirm: ui.Action{Label: "Uninitiate", Variant: ui.Danger, Busy: "Working"}}, nil
	})
}

// POST /{institution}/ach/batches/{batch}/uninitiate
func (a *app) uninitiateBatch(w http.ResponseWriter, r *http.Request) error {
	id, version := ach.BatchID(r.PathValue("batch")), number(web.ReadForm(r).Raw("version"))
	if err := a.money.ACH.Uninitiate(r.Context(), web.CallerOf(r.Context()), id, version); err != nil {
		return err
	}
	return a.toBatch(w, r, id, "The batch is ready again")
}

// GET /{institution}/ach/batches/{batch}/return
func (a *app) askReturn(w http.ResponseWriter, r *http.Request) error {
	return a.askBatch(w, r, catalog.ACHBatchEdit, func(here string, d *ach.Detail) (ui.Confirmation, [][2]string) {
		return ui.Confirmation{Title: "Return " + d.Name + " to ready?", Text: "It no longer waits for approval. Whoever asked for it must ask again.",
			Action: here + "/return", Confirm: ui.Action{Label: "Return to ready", Variant: ui.Primary, Busy: "Working"}}, nil
	})
}

// POST /{institution}/ach/batches/{batch}/return
func (a *app) returnBatch(w http.ResponseWriter, r *http.Request) error {
	id, version := ach.BatchID(r.PathValue("batch")), number(web.ReadForm(r).Raw("version"))
	if err := a.money.ACH.Return(r.Context(), web.CallerOf(r.Context()), id, version, "It was returned to ready."); err != nil {
		return err
	}
	return a.toBatch(w, r, id, "The batch is ready again")
}
