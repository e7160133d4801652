package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/moneymovement/wire"
	"mandate/internal/moneymovement/wire/message"
)

// Wires is the room of wires. What waits for a second person is approved in the
// queue of approvals.
type Wires interface {
	List(context.Context, bank.Caller, wire.Query) (wire.Page, error)
	Get(context.Context, bank.Caller, wire.ID) (wire.Detail, error)
	Preview(context.Context, bank.Caller, wire.Draft) (wire.Preview, error)
	Create(context.Context, bank.Caller, wire.Draft) (wire.Made, error)
	Edit(ctx context.Context, caller bank.Caller, version int64, d wire.Draft) error
	Send(ctx context.Context, caller bank.Caller, id wire.ID, version int64, anyway bool) error
	Cancel(ctx context.Context, caller bank.Caller, id wire.ID, version int64) error
	ListTemplates(ctx context.Context, caller bank.Caller, search string) ([]wire.Template, error)
	GetTemplate(context.Context, bank.Caller, wire.TemplateID) (wire.TemplateDetail, error)
	CreateTemplate(context.Context, bank.Caller, wire.TemplateDraft) error
	EditTemplate(ctx context.Context, caller bank.Caller, version int64, d wire.TemplateDraft) error
	DeleteTemplate(ctx context.Context, caller bank.Caller, id wire.TemplateID, version int64) error
	GetSeries(context.Context, bank.Caller, wire.SeriesID) (wire.SeriesDetail, error)
	EditSeries(ctx context.Context, caller bank.Caller, id wire.SeriesID, version int64, e wire.SeriesEdit) error
	CancelSeries(ctx context.Context, caller bank.Caller, id wire.SeriesID, version int64) error
}

func (e *Edge) registerWires(a huma.API) {
	add(e, a, http.MethodGet, "/wires", "list-wires", "List the wires that a person sees", acts(catalog.WiresView), e.wires)
	add(e, a, http.MethodPost, "/wires/preview", "preview-wire", "See what a wire would become, and who must agree", acts(catalog.WiresTransmitOperation), e.previewWire)
	add(e, a, http.MethodPost, "/wires", "create-wire", "Keep a wire, send it, or make a series of them", acts(catalog.WiresOneTimeCreateOperation), e.createWire)
	add(e, a, http.MethodGet, "/wires/{wire}", "get-wire", "Read a wire", acts(catalog.WiresView), e.wire)
	add(e, a, http.MethodPost, "/wires/{wire}/edit", "edit-wire", "Change a wire that has not gone out", acts(catalog.WiresOneTimeEditOperation), e.editWire)
	add(e, a, http.MethodPost, "/wires/{wire}/send", "send-wire", "Send a ready wire", acts(catalog.WiresTransmitOperation), e.sendWire)
	add(e, a, http.MethodPost, "/wires/{wire}/cancel", "cancel-wire", "Cancel a wire that has not gone out", acts(catalog.WiresOneTimeCreateOperation), e.cancelWire)
	add(e, a, http.MethodGet, "/wire-templates", "list-wire-templates", "List wire templates", acts(catalog.WiresView), e.wireTemplates)
	add(e, a, http.MethodPost, "/wire-templates", "create-wire-template", "Make a wire template", acts(catalog.WiresTemplateCreateOperation), e.createWireTemplate)
	add(e, a, http.MethodGet, "/wire-templates/{template}", "get-wire-template", "Read a wire template", acts(catalog.WiresView), e.wireTemplate)
	add(e, a, http.MethodPost, "/wire-templates/{template}/edit", "edit-wire-template", "Change a wire template", acts(catalog.WiresTemplateEditOperation), e.editWireTemplate)
	add(e, a, http.MethodPost, "/wire-templates/{template}/delete", "delete-wire-template", "Delete a wire template", acts(catalog.WiresTemplateCreateOperation), e.deleteWireTemplate)
	add(e, a, http.MethodGet, "/recurring-wires/{series}", "get-recurring-wire", "Read a series of wires", acts(catalog.WiresView), e.wireSeries)
	add(e, a, http.MethodPost, "/recurring-wires/{series}/edit", "edit-recurring-wire", "Change a series of wires", acts(catalog.WiresRecurringEditOperation), e.editWireSeries)
	add(e, a, http.MethodPost, "/recurring-wires/{series}/cancel", "cancel-recurring-wire", "Cancel a series of wires", acts(catalog.WiresTransmitOperation), e.cancelWireSeries)
}

// WirePayee is whoever a wire pays, in plain letters, digits and common signs.
type WirePayee struct {
	Name     string `json:"name" maxLength:"400"`
	Account  string `json:"account" maxLength:"400" doc:"The number of their account."`
	Street   string `json:"street,omitempty" maxLength:"400"`
	Town     string `json:"town" maxLength:"400"`
	State    string `json:"state" maxLength:"400" doc:"Two letters."`
	PostCode string `json:"post_code,omitempty" maxLength:"400"`
}

// WireBank is a bank by its routing number.
type WireBank struct {
	Routing string `json:"routing" maxLength:"400" doc:"Nine digits."`
	Name    string `json:"name" maxLength:"400"`
}

// WireInstruction is whom to pay from which account.
type WireInstruction struct {
	Account string     `json:"account,omitempty" maxLength:"200" doc:"The account that the money comes from; absent where a template says it."`
	Payee   *WirePayee `json:"payee,omitempty" doc:"Absent where a template says it."`
	Bank    *WireBank  `json:"bank,omitempty" doc:"The payee's bank; absent where a template says it."`
	Via     *WireBank  `json:"via,omitempty" doc:"A bank on the way there."`
	Remarks string     `json:"remarks,omitempty" maxLength:"400" doc:"The payee reads them."`
}

// WireRequest is a wire that is asked for.
type WireRequest struct {
	WireInstruction
	Amount          string `json:"amount" maxLength:"64" doc:"A decimal amount, such as 1250.00."`
	Template        string `json:"template,omitempty" maxLength:"200" doc:"The template that it is drawn from: it says whom to pay."`
	TemplateVersion int64  `json:"template_version,omitempty" doc:"The template's version as it was seen."`
	On              string `json:"on,omitempty" maxLength:"10" doc:"The day, such as 2026-03-02; absent: as soon as may be."`
	Repeat          string `json:"repeat,omitempty" enum:"weekly,every_two_weeks,monthly,quarterly" doc:"How often; absent: once."`
	Until           string `json:"until,omitempty" maxLength:"10" doc:"Of a series: nothing after this day."`
	Times           int    `json:"times,omitempty" minimum:"0" maximum:"500" doc:"Of a series: that often; absent: no end."`
	Send            bool   `json:"send,omitempty" doc:"Send it; otherwise it is kept as ready. What repeats, or comes from a template, is always sent."`
	Anyway          bool   `json:"anyway,omitempty" doc:"It is meant, although it looks like another wire of that day."`
}

func (r WireInstruction) instruction() wire.Instruction {
	i := wire.Instruction{Account: bank.AccountID(r.Account), Remarks: r.Remarks}
	if p := r.Payee; p != nil {
		i.Payee = message.Party{Name: p.Name, Account: p.Account, Street: p.Street, Town: p.Town, State: p.State, PostCode: p.PostCode}
	}
	if r.Bank != nil {
		i.Bank = message.Agent{Routing: r.Bank.Routing, Name: r.Bank.Name}
	}
	if r.Via != nil {
		i.Via = message.Agent{Routing: r.Via.Routing, Name: r.Via.Name}
	}
	return i
}

func instructionOf(i *wire.Instruction) WireInstruction {
	shown := WireInstruction{
		Account: string(i.Account), Remarks: i.Remarks, Bank: &WireBank{i.Bank.Routing, i.Bank.Name},
		Payee: &WirePayee{i.Payee.Name, i.Payee.Account, i.Payee.Street, i.Payee.Town, i.Payee.State, i.Payee.PostCode},
	}
	if i.Via.Routing != "" {
		shown.Via = &WireBank{i.Via.Routing, i.Via.Name}
	}
	return shown
}

func (r WireRequest) draft(id wire.ID) (wire.Draft, error) {
	var problems fault.Problems
	d := wire.Draft{
		ID: id, Template: wire.TemplateID(r.Template), TemplateVersion: r.TemplateVersion, Instruction: r.instruction(), On: bank.Day(r.On),
		Repeat: calendar.Frequency(r.Repeat), Until: bank.Day(r.Until), Times: r.Times, Send: r.Send, Anyway: r.Anyway,
	}
	d.Cents = cents(&problems, "amount", r.Amount)
	return d, problems.Err("This wire cannot be made as it stands.")
}

// Wire is one movement of money to an account at another bank.
type Wire struct {
	ID     string `json:"id"`
	Series string `json:"series,omitempty" doc:"The series that it is one of."`
	WireInstruction
	Amount    string `json:"amount"`
	Template  string `json:"template,omitempty" doc:"The template that it was drawn from."`
	State     string `json:"state" enum:"scheduled,ready,pending_approval,initiated,sent,processed,cancelled"`
	Day       string `json:"day" doc:"The business day on which it goes out."`
	DayReason string `json:"day_reason,omitempty" doc:"Why it is another day than the one that was asked for."`
	By        Person `json:"by" doc:"On whose right it goes."`
	Maker     Person `json:"maker" doc:"Who made it."`
	Approver  string `json:"approver,omitempty" doc:"Who approved it."`
	Approval  string `json:"approval,omitempty" doc:"What waits, or waited, in the queue of approvals."`
	Created   string `json:"created" format:"date-time"`
	Reference string `json:"reference,omitempty" doc:"The host's number for it."`
	Code      string `json:"code,omitempty" doc:"Why it came back, for programs. OUTCOME_UNKNOWN of one that is sent: the host did not say what came of it, and is not asked any more."`
	Problem   string `json:"problem,omitempty" doc:"The same in words."`
	Version   int64  `json:"version" doc:"Hand it back to change the wire."`
}

func wireOf(w *wire.Wire) Wire {
	return Wire{
		ID: string(w.ID), Series: string(w.Series), WireInstruction: instructionOf(&w.Instruction), Amount: w.Cents.String(), Template: string(w.Template), State: string(w.State),
		Day: string(w.Day), DayReason: w.Because, By: Person{string(w.By.ID), w.By.Name}, Maker: Person{string(w.Maker.ID), w.Maker.Name}, Approver: w.Approver, Approval: w.Item,
		Created: moment(w.Created), Reference: w.Reference, Code: w.Code, Problem: w.Problem, Version: w.Version,
	}
}

// WireDetail is a wire with its history, and what the person may do with it.
type WireDetail struct {
	Wire
	CanEdit   bool           `json:"can_edit"`
	CanSend   bool           `json:"can_send"`
	CanCancel bool           `json:"can_cancel"`
	Events    []HistoryEvent `json:"events" doc:"What happened, the latest first."`
}

type wireOutput struct{ Body WireDetail }

func (e *Edge) shownWire(ctx context.Context, caller bank.Caller, id wire.ID) (*wireOutput, error) {
	d, err := e.Wires.Get(ctx, caller, id)
	if err != nil {
		return nil, err
	}
	return &wireOutput{WireDetail{Wire: wireOf(&d.Wire), CanEdit: d.CanEdit, CanSend: d.CanSend, CanCancel: d.CanTake, Events: eventsOf(d.Events)}}, nil
}

type wiresInput struct {
	Acting
	Search  string `query:"search" maxLength:"80" doc:"A part of a name, a bank, an account, the remarks, or an amount."`
	State   string `query:"state" enum:"scheduled,ready,pending_approval,initiated,sent,processed,cancelled"`
	Account string `query:"account" maxLength:"200" doc:"Only from this account."`
	From    string `query:"from" maxLength:"10" doc:"Not before this day."`
	Until   string `query:"until" maxLength:"10" doc:"Not after this day."`
	Sort    string `query:"sort" enum:"day,amount,state,payee" default:"day"`
	Reverse bool   `query:"reverse"`
	Page    int    `query:"page" minimum:"1" maximum:"1000000" default:"1"`
	Size    int    `query:"size" minimum:"1" maximum:"500" default:"50"`
}

// WireList is one page of wires.
type WireList struct {
	Wires    []Wire `json:"wires"`
	Matching int    `json:"matching" doc:"How many fit what was asked."`
	Sum      string `json:"sum" doc:"What those that fit add up to."`
	Total    int    `json:"total" doc:"How many the person sees."`
	Page     int    `json:"page"`
}

type wiresOutput struct{ Body WireList }

// GET /api/v1/wires
func (e *Edge) wires(ctx context.Context, in *wiresInput) (*wiresOutput, error) {
	caller, err := e.look(ctx, in.Acting, catalog.WiresView)
	if err != nil {
		return nil, err
	}
	page, err := e.Wires.List(ctx, caller, wire.Query{
		Search: in.Search, State: wire.State(in.State), Account: bank.AccountID(in.Account), From: bank.Day(in.From), Until: bank.Day(in.Until),
		Sort: wire.Sort(in.Sort), Reverse: in.Reverse, Page: in.Page, Size: in.Size,
	})
	if err != nil {
		return nil, err
	}
	if !page.May.Allowed {
		return nil, fault.New(fault.Forbidden, "You may not see wires.").Because(&wire.Refusal{Explanation: page.May})
	}
	list := WireList{Wires: []Wire{}, Matching: page.Matching, Sum: page.Sum.String(), Total: page.Total, Page: max(1, page.Page)}
	for i := range page.Wires {
		list.Wires = append(list.Wires, wireOf(&page.Wires[i]))
	}
	return &wiresOutput{list}, nil
}

// WirePreview is what a wire would become.
type WirePreview struct {
	Decision         bool      `json:"decision" doc:"They may send it."`
	Reasons          []Reason  `json:"reasons" doc:"Everything that blocks sending it."`
	MayKeep          bool      `json:"may_keep" doc:"They may write it down."`
	ApprovalRequired bool      `json:"approval_required" doc:"A second person must agree before it goes out."`
	Approvers        []Person  `json:"approvers" doc:"Who could approve it; there may be nobody."`
	Double           string    `json:"double,omitempty" doc:"Another wire of that day that looks the same, where the person sees it."`
	LooksDouble      bool      `json:"looks_double" doc:"There is such a wire."`
	Ceilings         []Ceiling `json:"ceilings" doc:"Every limit on it, the tightest first."`
	Day              string    `json:"day" doc:"The business day on which it would go out."`
	DayReason        string    `json:"day_reason,omitempty"`
	Next             []string  `json:"next,omitempty" doc:"Of a series: the next days."`
	Covered          *bool     `json:"covered,omitempty" doc:"The balance covers it as it stands; absent where the host does not tell."`
}

type previewWireInput struct {
	Acting
	Body WireRequest
}

type previewWireOutput struct{ Body WirePreview }

// POST /api/v1/wires/preview
func (e *Edge) previewWire(ctx context.Context, in *previewWireInput) (*previewWireOutput, error) {
	caller, err := e.look(ctx, in.Acting, catalog.WiresTransmitOperation)
	if err != nil {
		return nil, err
	}
	d, err := in.Body.draft(wire.ID(idOf("wir", caller, "preview")))
	if err != nil {
		return nil, err
	}
	p, err := e.Wires.Preview(ctx, caller, d)
	if err != nil {
		return nil, err
	}
	shown := WirePreview{
		Decision: p.May.Allowed, Reasons: reasonsOf(withoutHold(p.May.Reasons), entitlement.Names{}), MayKeep: p.MayKeep.Allowed, ApprovalRequired: p.Second,
		Approvers: []Person{}, Ceilings: ceilingsOf(p.Room), Day: string(p.Day.Day), DayReason: p.Day.Sentence(),
	}
	for _, somebody := range p.Approvers {
		shown.Approvers = append(shown.Approvers, Person{string(somebody.ID), somebody.Name})
	}
	if p.Twin != nil {
		shown.LooksDouble, shown.Double = true, string(p.Twin.ID)
	}
	for _, day := range p.Next {
		shown.Next = append(shown.Next, string(day.Day))
	}
	if p.Known {
		shown.Covered = &p.Covered
	}
	return &previewWireOutput{shown}, nil
}

type createWireInput struct {
	Changing
	Body WireRequest
}

// POST /api/v1/wires
func (e *Edge) createWire(ctx context.Context, in *createWireInput) (*wireOutput, error) {
	operation := catalog.WiresOneTimeCreateOperation
	if in.Body.Template != "" {
		operation = catalog.WiresTransmitOperation
	}
	ctx, caller, err := e.change(ctx, in.Changing, operation, "create-wire", in.Body)
	if err != nil {
		return nil, err
	}
	if in.Body.Send || in.Body.Repeat != "" {
		if err := may(ctx, catalog.WiresTransmitOperation); err != nil {
			return nil, err
		}
	}
	d, err := in.Body.draft(wire.ID(idOf("wir", caller, in.Key)))
	if err != nil {
		return nil, err
	}
	if _, err := e.Wires.Create(ctx, caller, d); err != nil {
		return nil, err
	}
	if d.Repeat == calendar.Once {
		return e.shownWire(ctx, caller, d.ID)
	}
	series, err := e.Wires.GetSeries(ctx, caller, d.Series())
	if err != nil {
		return nil, err
	}
	return e.shownWire(ctx, caller, series.Wires[len(series.Wires)-1].ID) // the first one, in a series that has just begun
}

type wireInput struct {
	Acting
	ID string `path:"wire" maxLength:"200"`
}

// GET /api/v1/wires/{wire}
func (e *Edge) wire(ctx context.Context, in *wireInput) (*wireOutput, error) {
	caller, err := e.look(ctx, in.Acting, catalog.WiresView)
	if err != nil {
		return nil, err
	}
	return e.shownWire(ctx, caller, wire.ID(in.ID))
}

// WireEdit is a wire as it shall be.
type WireEdit struct {
	Version int64 `json:"version" doc:"The wire's version as it was seen."`
	WireRequest
}

type editWireInput struct {
	Changing
	ID   string `path:"wire" maxLength:"200"`
	Body WireEdit
}

// POST /api/v1/wires/{wire}/edit
func (e *Edge) editWire(ctx context.Context, in *editWireInput) (*wireOutput, error) {
	ctx, caller, err := e.change(ctx, in.Changing, catalog.WiresOneTimeEditOperation, "edit-wire", in.ID, in.Body)
	if err != nil {
		return nil, err
	}
	if in.Body.Send {
		if err := may(ctx, catalog.WiresTransmitOperation); err != nil {
			return nil, err
		}
	}
	d, err := in.Body.draft(wire.ID(in.ID))
	if err != nil {
		return nil, err
	}
	if err := e.Wires.Edit(ctx, caller, in.Body.Version, d); err != nil {
		return nil, err
	}
	return e.shownWire(ctx, caller, d.ID)
}

// WireSend says which version of a wire is sent.
type WireSend struct {
	Version int64 `json:"version" doc:"The wire's version as it was seen."`
	Anyway  bool  `json:"anyway,omitempty" doc:"It is meant, although it looks like another wire of that day."`
}

type sendWireInput struct {
	Changing
	ID   string `path:"wire" maxLength:"200"`
	Body WireSend
}

// POST /api/v1/wires/{wire}/send
func (e *Edge) sendWire(ctx context.Context, in *sendWireInput) (*wireOutput, error) {
	ctx, caller, err := e.change(ctx, in.Changing, catalog.WiresTransmitOperation, "send-wire", in.ID, in.Body)
	if err != nil {
		return nil, err
	}
	if err := e.Wires.Send(ctx, caller, wire.ID(in.ID), in.Body.Version, in.Body.Anyway); err != nil {
		return nil, err
	}
	return e.shownWire(ctx, caller, wire.ID(in.ID))
}

type changeWireInput struct {
	Changing
	ID   string `path:"wire" maxLength:"200"`
	Body AsSeen
}

// POST /api/v1/wires/{wire}/cancel
func (e *Edge) cancelWire(ctx context.Context, in *changeWireInput) (*wireOutput, error) {
	ctx, caller, err := e.change(ctx, in.Changing, catalog.WiresOneTimeCreateOperation, "cancel-wire", in.ID, in.Body)
	if err != nil {
		return nil, err
	}
	if err := e.Wires.Cancel(ctx, caller, wire.ID(in.ID), in.Body.Version); err != nil {
		return nil, err
	}
	return e.shownWire(ctx, caller, wire.ID(in.ID))
}
