package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/moneymovement/ach"
	"mandate/internal/moneymovement/ach/nacha"
	"mandate/internal/moneymovement/ach/recipients"
)

// ACH is the room of ACH batches.
type ACH interface {
	List(context.Context, bank.Caller, ach.Filter) (ach.List, error)
	Get(context.Context, bank.Caller, ach.BatchID) (ach.Detail, error)
	Choices(context.Context, bank.Caller) (ach.Choices, error)
	Preview(context.Context, bank.Caller, ach.Order) (ach.Plan, error)
	Create(context.Context, bank.Caller, ach.Header, []ach.EntryDraft) (ach.BatchID, error)
	Edit(context.Context, bank.Caller, ach.Edit) error
	CopyAs(ctx context.Context, caller bank.Caller, from, id ach.BatchID, name string) (ach.BatchID, error)
	Delete(ctx context.Context, caller bank.Caller, id ach.BatchID, version int64) error
	DeleteMany(context.Context, bank.Caller, []ach.Choice) ([]ach.Result, error)
	Initiate(context.Context, bank.Caller, ach.Order) (ach.Run, string, error)
	Submit(context.Context, bank.Caller, ach.Order) (ach.Run, string, error)
	InitiateMany(context.Context, bank.Caller, []ach.Order) ([]ach.Result, error)
	Uninitiate(ctx context.Context, caller bank.Caller, id ach.BatchID, version int64) error
	Return(ctx context.Context, caller bank.Caller, id ach.BatchID, version int64, comment string) error
	SetSchedule(ctx context.Context, caller bank.Caller, version int64, want ach.Schedule) error
	EndSchedule(context.Context, bank.Caller, ach.BatchID) error
	SetCategory(context.Context, bank.Caller, ach.Category) (ach.CategoryID, error)
	SetLayout(context.Context, bank.Caller, recipients.Layout) error
	ImportRecipients(context.Context, bank.Caller, ach.Import) (*recipients.Preview, error)
	PreviewImport(context.Context, bank.Caller, ach.Import) (*recipients.Preview, error)
	UploadFile(context.Context, bank.Caller, ach.Upload) ([]ach.BatchID, error)
}

func (e *Edge) registerACH(a huma.API) {
	add(e, a, http.MethodGet, "/ach/batches", "list-ach-batches", "List the ACH batches that a person may know of", acts(catalog.ACHBatchView), e.batches)
	add(e, a, http.MethodGet, "/ach/options", "ach-options", "Read what a person can choose for batches", acts(catalog.ACHBatchView), e.achOptions)
	add(e, a, http.MethodPost, "/ach/batches", "create-ach-batch", "Create a batch", acts(catalog.ACHBatchCreate), e.createBatch)
	add(e, a, http.MethodGet, "/ach/batches/{batch}", "get-ach-batch", "Read a batch with its recipients", acts(catalog.ACHBatchView), e.batch)
	add(e, a, http.MethodPost, "/ach/batches/{batch}/edit", "edit-ach-batch", "Change a batch, its recipients, or both", acts(catalog.ACHBatchEdit), e.editBatch)
	add(e, a, http.MethodPost, "/ach/batches/{batch}/copy", "copy-ach-batch", "Copy a batch", acts(catalog.ACHBatchCreate), e.copyBatch)
	add(e, a, http.MethodPost, "/ach/batches/{batch}/delete", "delete-ach-batch", "Delete a batch", acts(catalog.ACHBatchDelete), e.deleteBatch)
	add(e, a, http.MethodPost, "/ach/batches/{batch}/preview", "preview-ach-batch", "See what would become of a batch that is sent", acts(catalog.ACHBatchInitiate), e.previewBatch)
	add(e, a, http.MethodPost, "/ach/batches/{batch}/initiate", "initiate-ach-batch", "Initiate a batch alone", acts(catalog.ACHBatchInitiate), e.initiateBatch)
	add(e, a, http.MethodPost, "/ach/batches/{batch}/submit", "submit-ach-batch", "Submit a batch for approval", acts(catalog.ACHBatchInitiate), e.submitBatch)
	add(e, a, http.MethodPost, "/ach/batches/{batch}/uninitiate", "uninitiate-ach-batch", "Take an initiated batch back", acts(catalog.ACHBatchUninitiate), e.uninitiateBatch)
	add(e, a, http.MethodPost, "/ach/batches/{batch}/return", "return-ach-batch", "Return a batch that waits for approval to ready", acts(catalog.ACHBatchEdit), e.returnBatch)
	add(e, a, http.MethodPost, "/ach/batches/{batch}/schedule", "schedule-ach-batch", "Let a batch be sent by itself", acts(catalog.ACHBatchEdit), e.scheduleBatch)
	add(e, a, http.MethodPost, "/ach/batches/{batch}/schedule/end", "end-ach-schedule", "End a batch's schedule", acts(catalog.ACHBatchEdit), e.endSchedule)
	add(e, a, http.MethodPost, "/ach/batches/{batch}/import", "import-ach-recipients", "Load a list of recipients into a batch", acts(catalog.ACHRecipientsImport), e.importRecipients)
	add(e, a, http.MethodPost, "/ach/batches/{batch}/import/preview", "preview-ach-import", "Read a list of recipients, and load nothing", acts(catalog.ACHRecipientsImport), e.previewImport)
	add(e, a, http.MethodPost, "/ach/initiate", "initiate-ach-batches", "Initiate several batches", acts(catalog.ACHBatchInitiate), e.initiateBatches)
	add(e, a, http.MethodPost, "/ach/delete", "delete-ach-batches", "Delete several batches", acts(catalog.ACHBatchDelete), e.deleteBatches)
	add(e, a, http.MethodPost, "/ach/files", "upload-ach-file", "Make batches of a NACHA file", acts(catalog.ACHFileUpload), e.uploadFile, withFile)
	add(e, a, http.MethodPost, "/ach/categories", "set-ach-category", "Make or change a category of batches", acts(catalog.ACHBatchEdit), e.setCategory)
	add(e, a, http.MethodPost, "/ach/layouts", "set-ach-layout", "Say how lists of recipients are read", acts(catalog.ACHRecipientsImport), e.setLayout)
}

// Batch is an ACH batch.
type Batch struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	State       string `json:"state" enum:"uploaded,ready,pending_approval,initiated,processing,processed"`
	Version     int64  `json:"version" doc:"Hand it back to change the batch."`
	Kind        string `json:"kind" enum:"standard,prenote,tax"`
	Company     string `json:"company" doc:"The identification of the company."`
	CompanyName string `json:"company_name"`
	Class       string `json:"class" doc:"The standard entry class, such as PPD."`
	Description string `json:"description"`
	Data        string `json:"data,omitempty"`
	Category    string `json:"category,omitempty"`
	Restricted  bool   `json:"restricted"`
	Credits     string `json:"credits" doc:"What it would pay as it stands."`
	Debits      string `json:"debits" doc:"What it would collect as it stands."`
	Recipients  int    `json:"recipients"`
	Skipped     int    `json:"skipped" doc:"Recipients that are held or wait for a prenote."`
	Creator     Person `json:"creator"`
	LastEditor  Person `json:"last_editor"`
	Created     string `json:"created" format:"date-time"`
	Edited      string `json:"edited" format:"date-time"`
}

func batchOf(b *ach.Batch) Batch {
	return Batch{
		ID: string(b.ID), Name: b.Name, State: string(b.State), Version: b.Version, Kind: string(b.Kind), Company: b.Header.CompanyID, CompanyName: b.Header.CompanyName,
		Class: b.Header.SEC, Description: b.Header.Description, Data: b.Header.CompanyData, Category: string(b.Category), Restricted: b.Restricted(), Credits: b.Credits.String(),
		Debits: b.Debits.String(), Recipients: b.Entries, Skipped: b.Idle, Creator: Person{string(b.Creator.ID), b.Creator.Name},
		LastEditor: Person{string(b.LastEditor.ID), b.LastEditor.Name}, Created: moment(b.Created), Edited: moment(b.Edited),
	}
}

// Recipient is one entry of a batch.
type Recipient struct {
	ID        string `json:"id,omitempty" doc:"Of an entry that is there; absent for a new one."`
	Name      string `json:"name" maxLength:"100"`
	Account   string `json:"account" maxLength:"100"`
	Routing   string `json:"routing" maxLength:"100"`
	Type      string `json:"type,omitempty" enum:"checking,savings,ledger,loan" doc:"The kind of account; absent: checking."`
	Direction string `json:"direction,omitempty" enum:"credit,debit" doc:"Absent: credit."`
	Amount    string `json:"amount" maxLength:"64" doc:"A decimal amount, such as 1250.00."`
	Number    string `json:"number,omitempty" maxLength:"100" doc:"Their identification number."`
	Addenda   string `json:"addenda,omitempty" maxLength:"200"`
	Held      bool   `json:"held,omitempty" doc:"Skipped until the hold is taken off."`
	Prenote   bool   `json:"prenote,omitempty" doc:"Tested with a zero amount first."`
	LiveFrom  string `json:"live_from,omitempty" doc:"Of a prenote that was sent: from when on the entry is."`
}

func recipientsOf(all []ach.Entry) []Recipient {
	shown := make([]Recipient, 0, len(all))
	for i := range all {
		en := &all[i]
		addenda, _ := en.Addendum()
		r := Recipient{ID: string(en.EntryID), Name: strings.TrimSpace(en.Name), Account: strings.TrimSpace(en.Account), Routing: en.Routing, Type: string(en.Code.Kind()), Direction: "credit",
			Amount: en.Amount.String(), Number: strings.TrimSpace(en.ID), Addenda: addenda, Held: en.Held, Prenote: en.Prenote, LiveFrom: string(en.LiveFrom)}
		if en.Code.Debit() {
			r.Direction = "debit"
		}
		shown = append(shown, r)
	}
	return shown
}

// draftsOf reads recipients of a request.
func draftsOf(all []Recipient, problems *fault.Problems) (drafts []ach.EntryDraft) {
	for i, r := range all {
		d := ach.EntryDraft{ID: ach.EntryID(r.ID), Recipient: recipients.Recipient{Name: r.Name, Account: r.Account, Routing: r.Routing, Kind: nacha.Kind(r.Type),
			Debit: r.Direction == "debit", ID: r.Number, Addenda: r.Addenda, Held: r.Held, Prenote: r.Prenote}}
		if d.Kind == "" {
			d.Kind = nacha.Checking
		}
		d.Amount = cents(problems, fmt.Sprintf("recipients[%d].amount", i), r.Amount)
		drafts = append(drafts, d)
	}
	return drafts
}

// Run is one way of a batch to the institution.
type Run struct {
	ID        string `json:"id"`
	State     string `json:"state"`
	Effective string `json:"effective"`
	SameDay   bool   `json:"same_day,omitempty"`
	Offset    string `json:"offset,omitempty" doc:"The account that balances it."`
	Credits   string `json:"credits"`
	Debits    string `json:"debits"`
	Initiator Person `json:"initiator"`
	Approver  string `json:"approver,omitempty"`
	Due       string `json:"due" format:"date-time" doc:"When it is released; until then it can be taken back."`
	Reference string `json:"reference,omitempty" doc:"The host's number for it."`
	FileHash  string `json:"file_hash,omitempty" doc:"The SHA-256 of the file that was handed to the host."`
	Reason    string `json:"reason,omitempty" doc:"Why it came back."`
}

func runOf(r *ach.Run) Run {
	return Run{ID: string(r.ID), State: r.State, Effective: string(r.Effective), SameDay: r.SameDay, Offset: string(r.Offset), Credits: r.Credits.String(), Debits: r.Debits.String(),
		Initiator: Person{string(r.Initiator.ID), r.Initiator.Name}, Approver: r.Approver, Due: moment(r.Due), Reference: r.Reference, FileHash: r.FileHash, Reason: r.Reason}
}

// BatchSchedule is how a batch is sent by itself.
type BatchSchedule struct {
	Frequency string `json:"frequency"`
	Next      string `json:"next"`
	Last      string `json:"last,omitempty"`
	Offset    string `json:"offset,omitempty"`
	By        Person `json:"by" doc:"On whose right it goes."`
	Stopped   string `json:"stopped,omitempty" doc:"Why it has stopped."`
}

// BatchDetail is a batch with all that belongs to it.
type BatchDetail struct {
	Batch
	Entries  []Recipient    `json:"entries"`
	Runs     []Run          `json:"runs" doc:"The latest first."`
	Schedule *BatchSchedule `json:"schedule,omitempty"`
	Events   []HistoryEvent `json:"events" doc:"What happened, the latest first."`
	Note     string         `json:"note,omitempty" doc:"Why the date is another one than the one that was asked for."`
}

type batchOutput struct{ Body BatchDetail }

func (e *Edge) shownBatch(ctx context.Context, caller bank.Caller, id ach.BatchID, note string) (*batchOutput, error) {
	d, err := e.ACH.Get(ctx, caller, id)
	if err != nil {
		return nil, err
	}
	shown := BatchDetail{Batch: batchOf(&d.Batch), Entries: recipientsOf(d.All), Runs: []Run{}, Events: eventsOf(d.History), Note: note}
	for i := range d.Runs {
		shown.Runs = append(shown.Runs, runOf(&d.Runs[i]))
	}
	if s := d.Schedule; s != nil {
		shown.Schedule = &BatchSchedule{string(s.Frequency), string(s.Next), string(s.Last), string(s.Offset), Person{string(s.Member.ID), s.Member.Name}, s.Parked}
	}
	return &batchOutput{shown}, nil
}

type batchesInput struct {
	Acting
	Search   string `query:"search" maxLength:"80" doc:"A part of a name, a company or a description."`
	State    string `query:"state" enum:"uploaded,ready,pending_approval,initiated,processing,processed"`
	Kind     string `query:"kind" enum:"standard,prenote,tax"`
	Category string `query:"category" maxLength:"200"`
	Sort     string `query:"sort" enum:"edited,name,amount,state" default:"edited"`
	Reverse  bool   `query:"reverse"`
	Page     int    `query:"page" minimum:"1" maximum:"100000" default:"1"`
	Size     int    `query:"size" minimum:"1" maximum:"200" default:"50"`
}

// BatchList is one page of batches, with sums over all that fit.
type BatchList struct {
	Batches  []Batch `json:"batches"`
	Matching int     `json:"matching"`
	Credits  string  `json:"credits"`
	Debits   string  `json:"debits"`
}

type batchesOutput struct{ Body BatchList }

// GET /api/v1/ach/batches
func (e *Edge) batches(ctx context.Context, in *batchesInput) (*batchesOutput, error) {
	caller, err := e.look(ctx, in.Acting, catalog.ACHBatchView)
	if err != nil {
		return nil, err
	}
	f := ach.Filter{Search: in.Search, Kind: ach.Kind(in.Kind), Category: ach.CategoryID(in.Category), Sort: ach.Sort(in.Sort), Reverse: in.Reverse, Offset: (in.Page - 1) * in.Size, Limit: in.Size}
	if in.State != "" {
		f.States = []ach.State{ach.State(in.State)}
	}
	found, err := e.ACH.List(ctx, caller, f)
	if err != nil {
		return nil, err
	}
	list := BatchList{Batches: []Batch{}, Matching: found.Total, Credits: found.Credits.String(), Debits: found.Debits.String()}
	for i := range found.Batches {
		list.Batches = append(list.Batches, batchOf(&found.Batches[i]))
	}
	return &batchesOutput{list}, nil
}

// ACHOptions is what a person can choose from.
type ACHOptions struct {
	Companies  []ACHCompany  `json:"companies"`
	Categories []ACHCategory `json:"categories"`
	Layouts    []string      `json:"layouts" doc:"Formats of lists that can be read."`
	Restrict   bool          `json:"restrict" doc:"They may see restricted batches and mark batches as such."`
	Create     bool          `json:"create" doc:"They may create batches."`
	Reasons    []Reason      `json:"reasons" doc:"Everything that blocks creating one."`
}

// ACHCompany is an originator.
type ACHCompany struct {
	ID      string   `json:"id" doc:"The identification that files carry."`
	Name    string   `json:"name"`
	Classes []string `json:"classes" doc:"The standard entry classes that it may send; none: any."`
}

// ACHCategory groups batches.
type ACHCategory struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Restricted bool   `json:"restricted"`
}

type achOptionsOutput struct{ Body ACHOptions }

// GET /api/v1/ach/options
func (e *Edge) achOptions(ctx context.Context, in *actingInput) (*achOptionsOutput, error) {
	caller, err := e.look(ctx, in.Acting, catalog.ACHBatchView)
	if err != nil {
		return nil, err
	}
	return e.shownOptions(ctx, caller)
}

func (e *Edge) shownOptions(ctx context.Context, caller bank.Caller) (*achOptionsOutput, error) {
	choices, err := e.ACH.Choices(ctx, caller)
	if err != nil {
		return nil, err
	}
	o := ACHOptions{Companies: []ACHCompany{}, Categories: []ACHCategory{}, Layouts: []string{}, Restrict: choices.Restricted, Create: choices.Create.Allowed,
		Reasons: reasonsOf(withoutHold(choices.Create.Reasons), entitlement.Names{})}
	for _, c := range choices.Companies {
		o.Companies = append(o.Companies, ACHCompany{c.Ident, c.Name, append([]string{}, c.Classes...)})
	}
	for _, c := range choices.Categories {
		o.Categories = append(o.Categories, ACHCategory{string(c.ID), c.Name, c.Restricted})
	}
	for _, f := range recipients.Formats() {
		if _, set := choices.Layouts[f]; set {
			o.Layouts = append(o.Layouts, string(f))
		}
	}
	return &achOptionsOutput{o}, nil
}

// BatchHeader is what a batch says of itself.
type BatchHeader struct {
	Name        string `json:"name" maxLength:"200"`
	Category    string `json:"category,omitempty" maxLength:"200"`
	Restricted  bool   `json:"restricted,omitempty"`
	Kind        string `json:"kind,omitempty" enum:"standard,tax" doc:"Of a new batch; absent: standard."`
	Company     string `json:"company" maxLength:"100" doc:"The identification of one of the organization's companies."`
	Class       string `json:"class" maxLength:"10" doc:"PPD, CCD, WEB or TEL."`
	Description string `json:"description" maxLength:"100"`
	Data        string `json:"data,omitempty" maxLength:"100"`
}

func (h BatchHeader) header() ach.Header {
	return ach.Header{Name: h.Name, Category: ach.CategoryID(h.Category), Restricted: h.Restricted, Kind: ach.Kind(h.Kind), Company: h.Company, Class: h.Class, Description: h.Description, Data: h.Data}
}

// BatchRequest is a batch that is asked for.
type BatchRequest struct {
	BatchHeader
	Recipients []Recipient `json:"recipients,omitempty" maxItems:"1000"`
}

type createBatchInput struct {
	Changing
	Body BatchRequest
}

// POST /api/v1/ach/batches
func (e *Edge) createBatch(ctx context.Context, in *createBatchInput) (*batchOutput, error) {
	ctx, caller, err := e.change(ctx, in.Changing, catalog.ACHBatchCreate, "create-ach-batch", in.Body)
	if err != nil {
		return nil, err
	}
	var problems fault.Problems
	h, drafts := in.Body.header(), draftsOf(in.Body.Recipients, &problems)
	if err := problems.Err("This batch cannot be made as it stands."); err != nil {
		return nil, err
	}
	h.ID = ach.BatchID(idOf("ach", caller, in.Key))
	if _, err := e.ACH.Create(ctx, caller, h, drafts); err != nil {
		return nil, err
	}
	return e.shownBatch(ctx, caller, h.ID, "")
}

type batchInput struct {
	Acting
	ID string `path:"batch" maxLength:"200"`
}

// GET /api/v1/ach/batches/{batch}
func (e *Edge) batch(ctx context.Context, in *batchInput) (*batchOutput, error) {
	caller, err := e.look(ctx, in.Acting, catalog.ACHBatchView)
	if err != nil {
		return nil, err
	}
	return e.shownBatch(ctx, caller, ach.BatchID(in.ID), "")
}

// BatchEdit changes a batch: its header, where one is given, and single
// recipients.
type BatchEdit struct {
	Version int64        `json:"version" doc:"The batch's version as it was seen."`
	Header  *BatchHeader `json:"header,omitempty"`
	Set     []Recipient  `json:"set,omitempty" maxItems:"1000" doc:"Recipients as they shall be; those without an id are added."`
	Remove  []string     `json:"remove,omitempty" maxItems:"1000" doc:"Ids of recipients."`
}

type editBatchInput struct {
	Changing
	ID   string `path:"batch" maxLength:"200"`
	Body BatchEdit
}

// POST /api/v1/ach/batches/{batch}/edit
func (e *Edge) editBatch(ctx context.Context, in *editBatchInput) (*batchOutput, error) {
	ctx, caller, err := e.change(ctx, in.Changing, catalog.ACHBatchEdit, "edit-ach-batch", in.ID, in.Body)
	if err != nil {
		return nil, err
	}
	var problems fault.Problems
	edit := ach.Edit{Batch: ach.BatchID(in.ID), Version: in.Body.Version, Set: draftsOf(in.Body.Set, &problems)}
	if err := problems.Err("This batch cannot be changed like that."); err != nil {
		return nil, err
	}
	if in.Body.Header != nil {
		h := in.Body.Header.header()
		edit.Header = &h
	}
	for _, id := range in.Body.Remove {
		edit.Remove = append(edit.Remove, ach.EntryID(id))
	}
	if err := e.ACH.Edit(ctx, caller, edit); err != nil {
		return nil, err
	}
	return e.shownBatch(ctx, caller, edit.Batch, "")
}

// BatchCopy names a copy.
type BatchCopy struct {
	Name string `json:"name,omitempty" maxLength:"200" doc:"Absent: as the batch, with Copy of before it."`
}

type copyBatchInput struct {
	Changing
	ID   string `path:"batch" maxLength:"200"`
	Body BatchCopy
}

// POST /api/v1/ach/batches/{batch}/copy
func (e *Edge) copyBatch(ctx context.Context, in *copyBatchInput) (*batchOutput, error) {
	ctx, caller, err := e.change(ctx, in.Changing, catalog.ACHBatchCreate, "copy-ach-batch", in.ID, in.Body)
	if err != nil {
		return nil, err
	}
	id := ach.BatchID(idOf("ach", caller, in.Key))
	if _, err := e.ACH.CopyAs(ctx, caller, ach.BatchID(in.ID), id, in.Body.Name); err != nil {
		return nil, err
	}
	return e.shownBatch(ctx, caller, id, "")
}

// BatchVersion is a batch as it was seen.
type BatchVersion struct {
	Version int64 `json:"version" doc:"The batch's version as it was seen."`
}

type batchVersionInput struct {
	Changing
	ID   string `path:"batch" maxLength:"200"`
	Body BatchVersion
}

type deletedOutput struct{ Body BatchResult }

// POST /api/v1/ach/batches/{batch}/delete
func (e *Edge) deleteBatch(ctx context.Context, in *batchVersionInput) (*deletedOutput, error) {
	ctx, caller, err := e.change(ctx, in.Changing, catalog.ACHBatchDelete, "delete-ach-batch", in.ID, in.Body)
	if err != nil {
		return nil, err
	}
	if err := e.ACH.Delete(ctx, caller, ach.BatchID(in.ID), in.Body.Version); err != nil {
		return nil, err
	}
	return &deletedOutput{BatchResult{Batch: in.ID, Done: true}}, nil
}

// POST /api/v1/ach/batches/{batch}/uninitiate
func (e *Edge) uninitiateBatch(ctx context.Context, in *batchVersionInput) (*batchOutput, error) {
	ctx, caller, err := e.change(ctx, in.Changing, catalog.ACHBatchUninitiate, "uninitiate-ach-batch", in.ID, in.Body)
	if err != nil {
		return nil, err
	}
	if err := e.ACH.Uninitiate(ctx, caller, ach.BatchID(in.ID), in.Body.Version); err != nil {
		return nil, err
	}
	return e.shownBatch(ctx, caller, ach.BatchID(in.ID), "")
}

// BatchReturn says why a batch is returned.
type BatchReturn struct {
	BatchVersion
	Comment string `json:"comment,omitempty" maxLength:"500"`
}

type returnBatchInput struct {
	Changing
	ID   string `path:"batch" maxLength:"200"`
	Body BatchReturn
}

// POST /api/v1/ach/batches/{batch}/return
func (e *Edge) returnBatch(ctx context.Context, in *returnBatchInput) (*batchOutput, error) {
	ctx, caller, err := e.change(ctx, in.Changing, catalog.ACHBatchEdit, "return-ach-batch", in.ID, in.Body)
	if err != nil {
		return nil, err
	}
	if err := e.ACH.Return(ctx, caller, ach.BatchID(in.ID), in.Body.Version, in.Body.Comment); err != nil {
		return nil, err
	}
	return e.shownBatch(ctx, caller, ach.BatchID(in.ID), "")
}
