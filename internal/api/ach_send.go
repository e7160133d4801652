package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/moneymovement/ach"
	"mandate/internal/moneymovement/ach/nacha"
	"mandate/internal/moneymovement/ach/recipients"
)

// BatchOrder is how a batch shall be sent.
type BatchOrder struct {
	Version   int64  `json:"version" doc:"The batch's version as it was seen."`
	Effective string `json:"effective,omitempty" maxLength:"10" doc:"The day, such as 2026-03-02; today: the same day; absent: the next business day."`
	Offset    string `json:"offset,omitempty" maxLength:"200" doc:"The account that balances it."`
}

func (o BatchOrder) order(id string) ach.Order {
	return ach.Order{Batch: ach.BatchID(id), Version: o.Version, Effective: bank.Day(o.Effective), Offset: bank.AccountID(o.Offset)}
}

type batchOrderInput struct {
	Changing
	ID   string `path:"batch" maxLength:"200"`
	Body BatchOrder
}

type previewBatchInput struct {
	Acting
	ID   string `path:"batch" maxLength:"200"`
	Body BatchOrder
}

// BatchPlan is what would become of an order.
type BatchPlan struct {
	Effective string    `json:"effective"`
	Note      string    `json:"note,omitempty" doc:"Why it is another day than the one that was asked for."`
	SameDay   bool      `json:"same_day"`
	Credits   string    `json:"credits"`
	Debits    string    `json:"debits"`
	Counts    string    `json:"counts" doc:"What counts against limits."`
	Due       string    `json:"due" format:"date-time" doc:"When it would be released."`
	Alone     bool      `json:"alone" doc:"They may initiate it alone."`
	Submit    bool      `json:"submit" doc:"They may submit it for approval."`
	Reasons   []Reason  `json:"reasons" doc:"Everything that blocks initiating it alone."`
	Approvers []Person  `json:"approvers" doc:"Who could approve it then; there may be nobody."`
	Ceilings  []Ceiling `json:"ceilings" doc:"Every limit on it, the tightest first."`
}

type batchPlanOutput struct{ Body BatchPlan }

// POST /api/v1/ach/batches/{batch}/preview
func (e *Edge) previewBatch(ctx context.Context, in *previewBatchInput) (*batchPlanOutput, error) {
	caller, err := e.look(ctx, in.Acting, catalog.ACHBatchInitiate)
	if err != nil {
		return nil, err
	}
	p, err := e.ACH.Preview(ctx, caller, in.Body.order(in.ID))
	if err != nil {
		return nil, err
	}
	plan := BatchPlan{Effective: string(p.Effective), Note: p.Note, SameDay: p.SameDay, Credits: p.Credits.String(), Debits: p.Debits.String(), Counts: p.Amount().String(), Due: moment(p.Due),
		Alone: p.Alone.Allowed, Submit: p.Submit.Allowed, Reasons: reasonsOf(withoutHold(p.Alone.Reasons), entitlement.Names{}), Approvers: []Person{}, Ceilings: ceilingsOf(p.Room)}
	for _, who := range p.Approvers {
		plan.Approvers = append(plan.Approvers, Person{string(who.ID), who.Name})
	}
	return &batchPlanOutput{plan}, nil
}

// POST /api/v1/ach/batches/{batch}/initiate
func (e *Edge) initiateBatch(ctx context.Context, in *batchOrderInput) (*batchOutput, error) {
	ctx, caller, err := e.change(ctx, in.Changing, catalog.ACHBatchInitiate, "initiate-ach-batch", in.ID, in.Body)
	if err != nil {
		return nil, err
	}
	_, note, err := e.ACH.Initiate(ctx, caller, in.Body.order(in.ID))
	if err != nil {
		return nil, err
	}
	return e.shownBatch(ctx, caller, ach.BatchID(in.ID), note)
}

// POST /api/v1/ach/batches/{batch}/submit
func (e *Edge) submitBatch(ctx context.Context, in *batchOrderInput) (*batchOutput, error) {
	ctx, caller, err := e.change(ctx, in.Changing, catalog.ACHBatchInitiate, "submit-ach-batch", in.ID, in.Body)
	if err != nil {
		return nil, err
	}
	_, note, err := e.ACH.Submit(ctx, caller, in.Body.order(in.ID))
	if err != nil {
		return nil, err
	}
	return e.shownBatch(ctx, caller, ach.BatchID(in.ID), note)
}

// ScheduleRequest is when a batch shall be sent by itself.
type ScheduleRequest struct {
	Version   int64  `json:"version" doc:"The batch's version as it was seen."`
	Frequency string `json:"frequency" enum:"once,weekly,two_weeks,monthly,quarterly,yearly"`
	First     string `json:"first" maxLength:"10" doc:"The first effective date."`
	Last      string `json:"last,omitempty" maxLength:"10" doc:"Nothing after this day; absent: until it is ended."`
	Offset    string `json:"offset,omitempty" maxLength:"200"`
}

type scheduleInput struct {
	Changing
	ID   string `path:"batch" maxLength:"200"`
	Body ScheduleRequest
}

// POST /api/v1/ach/batches/{batch}/schedule
func (e *Edge) scheduleBatch(ctx context.Context, in *scheduleInput) (*batchOutput, error) {
	ctx, caller, err := e.change(ctx, in.Changing, catalog.ACHBatchEdit, "schedule-ach-batch", in.ID, in.Body)
	if err != nil {
		return nil, err
	}
	want := ach.Schedule{Batch: ach.BatchID(in.ID), Frequency: ach.Frequency(in.Body.Frequency), First: bank.Day(in.Body.First), Last: bank.Day(in.Body.Last), Offset: bank.AccountID(in.Body.Offset)}
	if err := e.ACH.SetSchedule(ctx, caller, in.Body.Version, want); err != nil {
		return nil, err
	}
	return e.shownBatch(ctx, caller, want.Batch, "")
}

type endScheduleInput struct {
	Changing
	ID string `path:"batch" maxLength:"200"`
}

// POST /api/v1/ach/batches/{batch}/schedule/end
func (e *Edge) endSchedule(ctx context.Context, in *endScheduleInput) (*batchOutput, error) {
	ctx, caller, err := e.change(ctx, in.Changing, catalog.ACHBatchEdit, "end-ach-schedule", in.ID)
	if err != nil {
		return nil, err
	}
	if err := e.ACH.EndSchedule(ctx, caller, ach.BatchID(in.ID)); err != nil {
		return nil, err
	}
	return e.shownBatch(ctx, caller, ach.BatchID(in.ID), "")
}

// ListImport is a list of recipients.
type ListImport struct {
	Version int64  `json:"version" doc:"The batch's version as it was seen."`
	Format  string `json:"format" enum:"fixed,csv,tab"`
	Replace bool   `json:"replace,omitempty" doc:"The batch's recipients go; otherwise they stay, and the list's are added."`
	Text    string `json:"text" doc:"The list itself: transactions only."`
}

func (l ListImport) list(id string) ach.Import {
	return ach.Import{Batch: ach.BatchID(id), Version: l.Version, Format: recipients.Format(l.Format), Replace: l.Replace, File: strings.NewReader(l.Text)}
}

type importInput struct {
	Changing
	ID   string `path:"batch" maxLength:"200"`
	Body ListImport
}

type previewImportInput struct {
	Acting
	ID   string `path:"batch" maxLength:"200"`
	Body ListImport
}

// ListPreview is what a list holds: nothing of it counts while it has problems.
type ListPreview struct {
	Recipients int           `json:"recipients"`
	Credits    string        `json:"credits"`
	Debits     string        `json:"debits"`
	Problems   []ListProblem `json:"problems"`
	More       bool          `json:"more" doc:"There are more problems than are said."`
}

// ListProblem is one thing that is wrong with a list.
type ListProblem struct {
	Line   int    `json:"line"`
	Field  string `json:"field,omitempty"`
	Detail string `json:"detail"`
}

type listPreviewOutput struct{ Body ListPreview }

// POST /api/v1/ach/batches/{batch}/import/preview
func (e *Edge) previewImport(ctx context.Context, in *previewImportInput) (*listPreviewOutput, error) {
	caller, err := e.look(ctx, in.Acting, catalog.ACHRecipientsImport)
	if err != nil {
		return nil, err
	}
	p, err := e.ACH.PreviewImport(ctx, caller, in.Body.list(in.ID))
	if err != nil {
		return nil, err
	}
	shown := ListPreview{Recipients: len(p.Recipients), Credits: p.Credits.String(), Debits: p.Debits.String(), Problems: []ListProblem{}, More: p.More}
	for _, one := range p.Problems {
		shown.Problems = append(shown.Problems, ListProblem{one.Line, string(one.Field), one.Sentence})
	}
	return &listPreviewOutput{shown}, nil
}

// POST /api/v1/ach/batches/{batch}/import
func (e *Edge) importRecipients(ctx context.Context, in *importInput) (*batchOutput, error) {
	ctx, caller, err := e.change(ctx, in.Changing, catalog.ACHRecipientsImport, "import-ach-recipients", in.ID, in.Body)
	if err != nil {
		return nil, err
	}
	if _, err := e.ACH.ImportRecipients(ctx, caller, in.Body.list(in.ID)); err != nil {
		return nil, err
	}
	return e.shownBatch(ctx, caller, ach.BatchID(in.ID), "")
}

// BatchResult is what came of one batch.
type BatchResult struct {
	Batch  string         `json:"batch"`
	Done   bool           `json:"done"`
	State  string         `json:"state,omitempty" doc:"Where it stands now."`
	Note   string         `json:"note,omitempty"`
	Code   string         `json:"code,omitempty" doc:"Why it was not done, for programs."`
	Detail string         `json:"detail,omitempty" doc:"The same in words."`
	Errors []ProblemField `json:"errors,omitempty"`
}

// BatchResults are what came of each batch.
type BatchResults struct {
	Results []BatchResult `json:"results"`
}

type resultsOutput struct{ Body BatchResults }

// SeveralOrders are batches that shall be sent.
type SeveralOrders struct {
	Batches []SeveralOrder `json:"batches" minItems:"1" maxItems:"100"`
}

// SeveralOrder is one of them.
type SeveralOrder struct {
	Batch string `json:"batch" maxLength:"200"`
	BatchOrder
}

type initiateBatchesInput struct {
	Changing
	Body SeveralOrders
}

// POST /api/v1/ach/initiate
func (e *Edge) initiateBatches(ctx context.Context, in *initiateBatchesInput) (*resultsOutput, error) {
	ctx, caller, err := e.change(ctx, in.Changing, catalog.ACHBatchInitiate, "initiate-ach-batches", in.Body)
	if err != nil {
		return nil, err
	}
	var orders []ach.Order
	var ids []string
	for _, b := range in.Body.Batches {
		orders, ids = append(orders, b.order(b.Batch)), append(ids, b.Batch)
	}
	results, err := e.ACH.InitiateMany(ctx, caller, orders)
	if err != nil {
		return nil, err
	}
	return e.shownResults(ctx, caller, ids, results)
}

// SeveralBatches are batches as they were seen.
type SeveralBatches struct {
	Batches []SeenBatch `json:"batches" minItems:"1" maxItems:"100"`
}

// SeenBatch is one of them.
type SeenBatch struct {
	Batch string `json:"batch" maxLength:"200"`
	BatchVersion
}

type deleteBatchesInput struct {
	Changing
	Body SeveralBatches
}

// POST /api/v1/ach/delete
func (e *Edge) deleteBatches(ctx context.Context, in *deleteBatchesInput) (*resultsOutput, error) {
	ctx, caller, err := e.change(ctx, in.Changing, catalog.ACHBatchDelete, "delete-ach-batches", in.Body)
	if err != nil {
		return nil, err
	}
	var choices []ach.Choice
	for _, b := range in.Body.Batches {
		choices = append(choices, ach.Choice{Batch: ach.BatchID(b.Batch), Version: b.Version})
	}
	results, err := e.ACH.DeleteMany(ctx, caller, choices)
	if err != nil {
		return nil, err
	}
	return e.shownResults(ctx, caller, nil, results)
}

// shownResults tells each result with where the batch stands. A repetition has
// no results of its own: whatever was sent by the first call stands there as it
// does now.
func (e *Edge) shownResults(ctx context.Context, caller bank.Caller, ids []string, results []ach.Result) (*resultsOutput, error) {
	if results == nil {
		for _, id := range ids {
			results = append(results, ach.Result{Batch: ach.BatchID(id)})
		}
	}
	all := BatchResults{Results: []BatchResult{}}
	for _, result := range results {
		shown := BatchResult{Batch: string(result.Batch), Done: result.Err == nil, Note: result.Note}
		if result.Err != nil {
			p := problemOf(http.StatusConflict, faultOf(result.Err))
			p.explain(result.Err)
			shown.Code, shown.Detail, shown.Errors = p.Code, p.Detail, p.Errors
		}
		d, err := e.ACH.Get(ctx, caller, result.Batch)
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return nil, err
		}
		shown.State = string(d.State)
		all.Results = append(all.Results, shown)
	}
	return &resultsOutput{all}, nil
}

// NachaFile is a file of another program's.
type NachaFile struct {
	Name       string `json:"name,omitempty" maxLength:"200" doc:"Of the batches; absent: company and description of the file."`
	Category   string `json:"category,omitempty" maxLength:"200"`
	Restricted bool   `json:"restricted,omitempty"`
	Again      bool   `json:"again,omitempty" doc:"Although the same file was uploaded before."`
	Text       string `json:"text" doc:"The file itself, of at most 25 MiB."`
}

type uploadInput struct {
	Changing
	Body NachaFile
}

// UploadedBatches are the batches of a file.
type UploadedBatches struct {
	Batches []Batch `json:"batches"`
}

type uploadOutput struct{ Body UploadedBatches }

// POST /api/v1/ach/files
func (e *Edge) uploadFile(ctx context.Context, in *uploadInput) (*uploadOutput, error) {
	ctx, caller, err := e.change(ctx, in.Changing, catalog.ACHFileUpload, "upload-ach-file", in.Body)
	if err != nil {
		return nil, err
	}
	u := ach.Upload{ID: ach.BatchID(idOf("ach", caller, in.Key)), Name: in.Body.Name, Category: ach.CategoryID(in.Body.Category), Restricted: in.Body.Restricted, Again: in.Body.Again, File: strings.NewReader(in.Body.Text)}
	if _, err := e.ACH.UploadFile(ctx, caller, u); err != nil {
		return nil, err
	}
	shown := UploadedBatches{Batches: []Batch{}}
	for i := range ach.MaxFileBatches {
		d, err := e.ACH.Get(ctx, caller, u.BatchID(i))
		if fault.KindOf(err) == fault.NotFound {
			break
		}
		if err != nil {
			return nil, err
		}
		shown.Batches = append(shown.Batches, batchOf(&d.Batch))
	}
	return &uploadOutput{shown}, nil
}

// CategoryRequest is a category as it shall be.
type CategoryRequest struct {
	ID         string `json:"id,omitempty" maxLength:"200" doc:"Of one that is there; absent: a new one."`
	Name       string `json:"name" maxLength:"200"`
	Restricted bool   `json:"restricted,omitempty"`
}

type categoryInput struct {
	Changing
	Body CategoryRequest
}

// POST /api/v1/ach/categories
func (e *Edge) setCategory(ctx context.Context, in *categoryInput) (*achOptionsOutput, error) {
	ctx, caller, err := e.change(ctx, in.Changing, catalog.ACHBatchEdit, "set-ach-category", in.Body)
	if err != nil {
		return nil, err
	}
	if _, err := e.ACH.SetCategory(ctx, caller, ach.Category{ID: ach.CategoryID(in.Body.ID), Name: in.Body.Name, Restricted: in.Body.Restricted}); err != nil {
		return nil, err
	}
	return e.shownOptions(ctx, caller)
}

// LayoutRequest says how lists of a format are read.
type LayoutRequest struct {
	Format string          `json:"format" enum:"fixed,csv,tab"`
	Places map[string]Spot `json:"places" doc:"Where each field stands: name, amount, debit_credit, account, routing, account_type, id, addenda, prenote, hold."`
	Cents  bool            `json:"cents,omitempty" doc:"Amounts have no point and end in two digits of cents."`
	Debits bool            `json:"debits,omitempty" doc:"What no column says is a debit."`
	Type   string          `json:"type,omitempty" enum:"checking,savings,ledger,loan" doc:"The account type where no column says it."`
}

// Spot is where a field stands, counted from 1: a column, or in a list of fixed
// positions the first and the last character.
type Spot struct {
	Column int `json:"column,omitempty"`
	From   int `json:"from,omitempty"`
	To     int `json:"to,omitempty"`
}

type layoutInput struct {
	Changing
	Body LayoutRequest
}

// POST /api/v1/ach/layouts
func (e *Edge) setLayout(ctx context.Context, in *layoutInput) (*achOptionsOutput, error) {
	ctx, caller, err := e.change(ctx, in.Changing, catalog.ACHRecipientsImport, "set-ach-layout", in.Body)
	if err != nil {
		return nil, err
	}
	l := recipients.Layout{Format: recipients.Format(in.Body.Format), Places: map[recipients.Field]recipients.Place{}, Cents: in.Body.Cents, Debits: in.Body.Debits, Kind: nacha.Kind(in.Body.Type)}
	for field, spot := range in.Body.Places {
		l.Places[recipients.Field(field)] = recipients.Place{Column: spot.Column, From: spot.From, To: spot.To}
	}
	if err := e.ACH.SetLayout(ctx, caller, l); err != nil {
		return nil, err
	}
	return e.shownOptions(ctx, caller)
}

// faultOf is the fault in an error of one batch of several.
func faultOf(err error) *fault.Error {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return fault.New(fault.Internal, "This could not be done because of a fault of ours.")
	}
	return f
}
