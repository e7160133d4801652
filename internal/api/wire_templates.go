package api

import (
	"context"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/moneymovement/wire"
)

// WireTemplateRequest is a template that is asked for.
type WireTemplateRequest struct {
	Name string `json:"name" maxLength:"400"`
	WireInstruction
	Amount string `json:"amount,omitempty" maxLength:"64" doc:"The usual amount; absent: there is none."`
}

func (r WireTemplateRequest) draft(id wire.TemplateID) (wire.TemplateDraft, error) {
	var problems fault.Problems
	d := wire.TemplateDraft{ID: id, Name: r.Name, Instruction: r.instruction()}
	if r.Amount != "" {
		d.Cents = cents(&problems, "amount", r.Amount)
	}
	return d, problems.Err("This template cannot be made as it stands.")
}

// WireTemplate is a wire that is sent again and again, without its day.
type WireTemplate struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	WireInstruction
	Amount  string `json:"amount,omitempty" doc:"The usual amount."`
	Maker   Person `json:"maker"`
	Version int64  `json:"version" doc:"Hand it back to use or change the template."`
}

func wireTemplateOf(t *wire.Template) WireTemplate {
	shown := WireTemplate{ID: string(t.ID), Name: t.Name, WireInstruction: instructionOf(&t.Instruction), Maker: Person{string(t.Maker.ID), t.Maker.Name}, Version: t.Version}
	if t.Cents > 0 {
		shown.Amount = t.Cents.String()
	}
	return shown
}

type wireTemplatesInput struct {
	Acting
	Search string `query:"search" maxLength:"80"`
}

// WireTemplateList is the templates that a person sees.
type WireTemplateList struct {
	Templates []WireTemplate `json:"templates"`
}

type wireTemplatesOutput struct{ Body WireTemplateList }

// GET /api/v1/wire-templates
func (e *Edge) wireTemplates(ctx context.Context, in *wireTemplatesInput) (*wireTemplatesOutput, error) {
	caller, err := e.look(ctx, in.Acting, catalog.WiresView)
	if err != nil {
		return nil, err
	}
	found, err := e.Wires.ListTemplates(ctx, caller, in.Search)
	if err != nil {
		return nil, err
	}
	list := WireTemplateList{Templates: []WireTemplate{}}
	for i := range found {
		list.Templates = append(list.Templates, wireTemplateOf(&found[i]))
	}
	return &wireTemplatesOutput{list}, nil
}

type wireTemplateOutput struct{ Body WireTemplate }

func (e *Edge) shownTemplate(ctx context.Context, caller bank.Caller, id wire.TemplateID) (*wireTemplateOutput, error) {
	d, err := e.Wires.GetTemplate(ctx, caller, id)
	if err != nil {
		return nil, err
	}
	return &wireTemplateOutput{wireTemplateOf(&d.Template)}, nil
}

type createWireTemplateInput struct {
	Changing
	Body WireTemplateRequest
}

// POST /api/v1/wire-templates
func (e *Edge) createWireTemplate(ctx context.Context, in *createWireTemplateInput) (*wireTemplateOutput, error) {
	ctx, caller, err := e.change(ctx, in.Changing, catalog.WiresTemplateCreateOperation, "create-wire-template", in.Body)
	if err != nil {
		return nil, err
	}
	d, err := in.Body.draft(wire.TemplateID(idOf("wtp", caller, in.Key)))
	if err != nil {
		return nil, err
	}
	if err := e.Wires.CreateTemplate(ctx, caller, d); err != nil {
		return nil, err
	}
	return e.shownTemplate(ctx, caller, d.ID)
}

type wireTemplateInput struct {
	Acting
	ID string `path:"template" maxLength:"200"`
}

// GET /api/v1/wire-templates/{template}
func (e *Edge) wireTemplate(ctx context.Context, in *wireTemplateInput) (*wireTemplateOutput, error) {
	caller, err := e.look(ctx, in.Acting, catalog.WiresView)
	if err != nil {
		return nil, err
	}
	return e.shownTemplate(ctx, caller, wire.TemplateID(in.ID))
}

// WireTemplateEdit is a template as it shall be.
type WireTemplateEdit struct {
	Version int64 `json:"version" doc:"The template's version as it was seen."`
	WireTemplateRequest
}

type editWireTemplateInput struct {
	Changing
	ID   string `path:"template" maxLength:"200"`
	Body WireTemplateEdit
}

// POST /api/v1/wire-templates/{template}/edit
func (e *Edge) editWireTemplate(ctx context.Context, in *editWireTemplateInput) (*wireTemplateOutput, error) {
	ctx, caller, err := e.change(ctx, in.Changing, catalog.WiresTemplateEditOperation, "edit-wire-template", in.ID, in.Body)
	if err != nil {
		return nil, err
	}
	d, err := in.Body.draft(wire.TemplateID(in.ID))
	if err != nil {
		return nil, err
	}
	if err := e.Wires.EditTemplate(ctx, caller, in.Body.Version, d); err != nil {
		return nil, err
	}
	return e.shownTemplate(ctx, caller, d.ID)
}

type changeWireTemplateInput struct {
	Changing
	ID   string `path:"template" maxLength:"200"`
	Body AsSeen
}

// DeletedTemplate says what is gone.
type DeletedTemplate struct {
	ID string `json:"id"`
}

type deletedTemplateOutput struct{ Body DeletedTemplate }

// POST /api/v1/wire-templates/{template}/delete
func (e *Edge) deleteWireTemplate(ctx context.Context, in *changeWireTemplateInput) (*deletedTemplateOutput, error) {
	ctx, caller, err := e.change(ctx, in.Changing, catalog.WiresTemplateCreateOperation, "delete-wire-template", in.ID, in.Body)
	if err != nil {
		return nil, err
	}
	if err := e.Wires.DeleteTemplate(ctx, caller, wire.TemplateID(in.ID), in.Body.Version); err != nil {
		return nil, err
	}
	return &deletedTemplateOutput{DeletedTemplate{in.ID}}, nil
}

// WireSeries is a wire that is made again and again.
type WireSeries struct {
	ID string `json:"id"`
	WireInstruction
	Amount    string         `json:"amount"`
	Repeat    string         `json:"repeat" enum:"weekly,every_two_weeks,monthly,quarterly"`
	First     string         `json:"first"`
	Until     string         `json:"until,omitempty"`
	Times     int            `json:"times,omitempty"`
	Made      int            `json:"made" doc:"Wires made so far."`
	State     string         `json:"state" enum:"active,ended,cancelled"`
	By        Person         `json:"by" doc:"On whose right its wires go."`
	CanEdit   bool           `json:"can_edit"`
	CanCancel bool           `json:"can_cancel"`
	Wires     []Wire         `json:"wires" doc:"The latest first."`
	Events    []HistoryEvent `json:"events" doc:"What happened, the latest first."`
	Version   int64          `json:"version" doc:"Hand it back to change the series."`
}

type wireSeriesOutput struct{ Body WireSeries }

func (e *Edge) shownWireSeries(ctx context.Context, caller bank.Caller, id string) (*wireSeriesOutput, error) {
	d, err := e.Wires.GetSeries(ctx, caller, wire.SeriesID(id))
	if err != nil {
		return nil, err
	}
	shown := WireSeries{
		ID: string(d.ID), WireInstruction: instructionOf(&d.Instruction), Amount: d.Cents.String(), Repeat: string(d.Frequency), First: string(d.First), Until: string(d.Until),
		Times: d.Times, Made: d.Made, State: string(d.State), By: Person{string(d.By.ID), d.By.Name}, CanEdit: d.CanEdit, CanCancel: d.CanTake, Wires: []Wire{},
		Events: eventsOf(d.Events), Version: d.Version,
	}
	for i := range d.Wires {
		shown.Wires = append(shown.Wires, wireOf(&d.Wires[i]))
	}
	return &wireSeriesOutput{shown}, nil
}

type wireSeriesInput struct {
	Acting
	ID string `path:"series" maxLength:"200"`
}

// GET /api/v1/recurring-wires/{series}
func (e *Edge) wireSeries(ctx context.Context, in *wireSeriesInput) (*wireSeriesOutput, error) {
	caller, err := e.look(ctx, in.Acting, catalog.WiresView)
	if err != nil {
		return nil, err
	}
	return e.shownWireSeries(ctx, caller, in.ID)
}

// WireSeriesEdit is a series as it shall go on.
type WireSeriesEdit struct {
	Version int64  `json:"version" doc:"The series' version as it was seen."`
	Amount  string `json:"amount" maxLength:"64"`
	Remarks string `json:"remarks,omitempty" maxLength:"400"`
	Until   string `json:"until,omitempty" maxLength:"10"`
	Times   int    `json:"times,omitempty" minimum:"0" maximum:"500"`
}

type editWireSeriesInput struct {
	Changing
	ID   string `path:"series" maxLength:"200"`
	Body WireSeriesEdit
}

// POST /api/v1/recurring-wires/{series}/edit
func (e *Edge) editWireSeries(ctx context.Context, in *editWireSeriesInput) (*wireSeriesOutput, error) {
	ctx, caller, err := e.change(ctx, in.Changing, catalog.WiresRecurringEditOperation, "edit-recurring-wire", in.ID, in.Body)
	if err != nil {
		return nil, err
	}
	b := in.Body
	var problems fault.Problems
	edit := wire.SeriesEdit{Cents: cents(&problems, "amount", b.Amount), Remarks: b.Remarks, Until: bank.Day(b.Until), Times: b.Times}
	if err := problems.Err("The series cannot be changed like this."); err != nil {
		return nil, err
	}
	if err := e.Wires.EditSeries(ctx, caller, wire.SeriesID(in.ID), b.Version, edit); err != nil {
		return nil, err
	}
	return e.shownWireSeries(ctx, caller, in.ID)
}

type changeWireSeriesInput struct {
	Changing
	ID   string `path:"series" maxLength:"200"`
	Body AsSeen
}

// POST /api/v1/recurring-wires/{series}/cancel
func (e *Edge) cancelWireSeries(ctx context.Context, in *changeWireSeriesInput) (*wireSeriesOutput, error) {
	ctx, caller, err := e.change(ctx, in.Changing, catalog.WiresTransmitOperation, "cancel-recurring-wire", in.ID, in.Body)
	if err != nil {
		return nil, err
	}
	if err := e.Wires.CancelSeries(ctx, caller, wire.SeriesID(in.ID), in.Body.Version); err != nil {
		return nil, err
	}
	return e.shownWireSeries(ctx, caller, in.ID)
}
