package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/headroom"
	"mandate/internal/moneymovement/transfer"
)

// Transfers is the room of transfers.
type Transfers interface {
	List(context.Context, bank.Caller, transfer.Query) (transfer.Page, error)
	Get(context.Context, bank.Caller, transfer.ID) (transfer.Detail, error)
	GetSeries(context.Context, bank.Caller, transfer.SeriesID) (transfer.SeriesDetail, error)
	Options(context.Context, bank.Caller) (transfer.Options, error)
	Preview(context.Context, bank.Caller, transfer.Draft) (transfer.Preview, error)
	Create(context.Context, bank.Caller, transfer.Draft) (transfer.Made, error)
	Edit(ctx context.Context, caller bank.Caller, version int64, d transfer.Draft) error
	Cancel(ctx context.Context, caller bank.Caller, id transfer.ID, version int64) error
	Retry(ctx context.Context, caller bank.Caller, id transfer.ID, version int64) error
	CancelSeries(context.Context, bank.Caller, transfer.SeriesID) error
}

func (e *Edge) registerTransfers(a huma.API) {
	add(e, a, http.MethodGet, "/transfers", "list-transfers", "List the transfers that a person sees", acts(catalog.AccountView), e.transfers)
	add(e, a, http.MethodGet, "/transfers/options", "transfer-options", "Read what a person can transfer", acts(catalog.TransfersCreate), e.transferOptions)
	add(e, a, http.MethodPost, "/transfers/preview", "preview-transfer", "See what a transfer would become", acts(catalog.TransfersCreate), e.previewTransfer)
	add(e, a, http.MethodPost, "/transfers", "create-transfer", "Make a transfer, or a series of them", acts(catalog.TransfersCreate), e.createTransfer)
	add(e, a, http.MethodGet, "/transfers/{transfer}", "get-transfer", "Read a transfer", acts(catalog.AccountView), e.transfer)
	add(e, a, http.MethodPost, "/transfers/{transfer}/edit", "edit-transfer", "Change a scheduled transfer", acts(catalog.TransfersCreate), e.editTransfer)
	add(e, a, http.MethodPost, "/transfers/{transfer}/cancel", "cancel-transfer", "Cancel a transfer that has not gone out", acts(catalog.TransfersCreate), e.cancelTransfer)
	add(e, a, http.MethodPost, "/transfers/{transfer}/retry", "retry-transfer", "Try a transfer again that needs attention", acts(catalog.TransfersCreate), e.retryTransfer)
	add(e, a, http.MethodGet, "/recurring-transfers/{series}", "get-recurring-transfer", "Read a series of transfers", acts(catalog.AccountView), e.series)
	add(e, a, http.MethodPost, "/recurring-transfers/{series}/cancel", "cancel-recurring-transfer", "Cancel a series of transfers", acts(catalog.TransfersCreate), e.cancelSeries)
}

// TransferRequest is a transfer that is asked for.
type TransferRequest struct {
	From   string `json:"from" maxLength:"200" doc:"The account that the money comes from."`
	To     string `json:"to" maxLength:"200" doc:"The account that the money goes to."`
	Amount string `json:"amount" maxLength:"64" doc:"A decimal amount, such as 1250.00."`
	Memo   string `json:"memo,omitempty" maxLength:"400"`
	On     string `json:"on,omitempty" maxLength:"10" doc:"The day, such as 2026-03-02; absent: at once."`
	Repeat string `json:"repeat,omitempty" enum:"weekly,every_two_weeks,monthly,quarterly" doc:"How often; absent: once."`
	Until  string `json:"until,omitempty" maxLength:"10" doc:"Of a series: nothing after this day."`
	Times  int    `json:"times,omitempty" minimum:"0" maximum:"500" doc:"Of a series: that often; absent: no end."`
}

func (r TransferRequest) draft(id transfer.ID) (transfer.Draft, error) {
	var problems fault.Problems
	d := transfer.Draft{
		ID: id, From: bank.AccountID(r.From), To: bank.AccountID(r.To), Cents: cents(&problems, "amount", r.Amount), Memo: r.Memo,
		On: bank.Day(r.On), Repeat: transfer.Frequency(r.Repeat), Until: bank.Day(r.Until), Times: r.Times,
	}
	return d, problems.Err("This transfer cannot be made as it stands.")
}

// Transfer is one movement of money between accounts of an organization.
type Transfer struct {
	ID        string `json:"id"`
	Series    string `json:"series,omitempty" doc:"The series that it is one of."`
	From      string `json:"from,omitempty" doc:"Absent where the person may not see the account."`
	To        string `json:"to,omitempty" doc:"Absent where the person may not see the account."`
	Amount    string `json:"amount"`
	Memo      string `json:"memo,omitempty"`
	State     string `json:"state" enum:"scheduled,sent,completed,failed,parked,cancelled"`
	Day       string `json:"day" doc:"The business day on which it counts."`
	DayReason string `json:"day_reason,omitempty" doc:"Why it is another day than the one that was asked for."`
	By        Person `json:"by" doc:"On whose right it goes."`
	Maker     Person `json:"maker" doc:"Who made it."`
	Created   string `json:"created" format:"date-time"`
	Reference string `json:"reference,omitempty" doc:"The host's number for it."`
	Code      string `json:"code,omitempty" doc:"Why it was not carried out, for programs. OUTCOME_UNKNOWN of one that is sent: the host did not say what came of it, and is not asked any more."`
	Problem   string `json:"problem,omitempty" doc:"The same in words."`
	Version   int64  `json:"version" doc:"Hand it back to change the transfer."`
}

func transferOf(t *transfer.Transfer) Transfer {
	return Transfer{
		ID: string(t.ID), Series: string(t.Series), From: string(t.From), To: string(t.To), Amount: t.Cents.String(), Memo: t.Memo, State: string(t.State),
		Day: string(t.Day), DayReason: t.Because, By: Person{string(t.By.ID), t.By.Name}, Maker: Person{string(t.Maker.ID), t.Maker.Name},
		Created: moment(t.Created), Reference: t.Reference, Code: t.Code, Problem: t.Problem, Version: t.Version,
	}
}

// TransferDetail is a transfer with its history, and what the person may do
// with it.
type TransferDetail struct {
	Transfer
	CanEdit   bool           `json:"can_edit"`
	CanCancel bool           `json:"can_cancel"`
	CanRetry  bool           `json:"can_retry"`
	Events    []HistoryEvent `json:"events" doc:"What happened, the latest first."`
}

type transferOutput struct{ Body TransferDetail }

type transfersInput struct {
	Acting
	Search  string `query:"search" maxLength:"80" doc:"A part of a memo, or an amount."`
	State   string `query:"state" enum:"scheduled,sent,completed,failed,parked,cancelled"`
	Account string `query:"account" maxLength:"200" doc:"Only from or to this account."`
	From    string `query:"from" maxLength:"10" doc:"Not before this day."`
	Until   string `query:"until" maxLength:"10" doc:"Not after this day."`
	Sort    string `query:"sort" enum:"day,amount,state" default:"day"`
	Reverse bool   `query:"reverse"`
	Page    int    `query:"page" minimum:"1" maximum:"1000000" default:"1"`
	Size    int    `query:"size" minimum:"1" maximum:"500" default:"50"`
}

// TransferList is one page of transfers.
type TransferList struct {
	Transfers []Transfer `json:"transfers"`
	Matching  int        `json:"matching" doc:"How many fit what was asked."`
	Sum       string     `json:"sum" doc:"What those that fit add up to."`
	Total     int        `json:"total" doc:"How many the person sees."`
	Page      int        `json:"page"`
}

type transfersOutput struct{ Body TransferList }

// GET /api/v1/transfers
func (e *Edge) transfers(ctx context.Context, in *transfersInput) (*transfersOutput, error) {
	caller, err := e.look(ctx, in.Acting, catalog.AccountView)
	if err != nil {
		return nil, err
	}
	page, err := e.Transfers.List(ctx, caller, transfer.Query{
		Search: in.Search, State: transfer.State(in.State), Account: bank.AccountID(in.Account), From: bank.Day(in.From), Until: bank.Day(in.Until),
		Sort: transfer.Sort(in.Sort), Reverse: in.Reverse, Page: in.Page, Size: in.Size,
	})
	if err != nil {
		return nil, err
	}
	list := TransferList{Transfers: []Transfer{}, Matching: page.Matching, Sum: page.Sum.String(), Total: page.Total, Page: max(1, page.Page)}
	for i := range page.Transfers {
		list.Transfers = append(list.Transfers, transferOf(&page.Transfers[i]))
	}
	return &transfersOutput{list}, nil
}

// Ceiling is one limit that bears on a payment.
type Ceiling struct {
	Level      string `json:"level"`
	Permission string `json:"permission"`
	Account    string `json:"account,omitempty"`
	Limit      string `json:"limit"`
	Daily      bool   `json:"daily"`
	Used       string `json:"used,omitempty" doc:"Of a daily limit: what is used of it."`
	Left       string `json:"left"`
	Resets     string `json:"resets,omitempty" format:"date-time" doc:"Of a daily limit: when it begins anew."`
	SetBy      string `json:"set_by,omitempty" doc:"Who set it last, as history names them."`
	SetAt      string `json:"set_at,omitempty" format:"date-time"`
}

func ceilingsOf(room headroom.Room) []Ceiling {
	all := []Ceiling{}
	for _, c := range room.Ceilings {
		shown := Ceiling{
			Level: c.Level.String(), Permission: c.Permission.ID(), Account: string(c.Account), Limit: c.Limit.String(), Daily: c.Daily, Left: c.Left.String(), SetBy: c.SetBy,
		}
		if c.Daily {
			shown.Used, shown.Resets = c.Used.String(), moment(c.Resets)
		}
		if !c.SetAt.IsZero() {
			shown.SetAt = moment(c.SetAt)
		}
		all = append(all, shown)
	}
	return all
}

// TransferOptions is what a person can choose from.
type TransferOptions struct {
	From     []string  `json:"from" doc:"Accounts that money may come from."`
	To       []string  `json:"to" doc:"Accounts that money may go to."`
	Decision bool      `json:"decision" doc:"They may transfer at all."`
	Reasons  []Reason  `json:"reasons" doc:"Everything that blocks."`
	Ceilings []Ceiling `json:"ceilings" doc:"Every limit on a transfer, the tightest first."`
	Today    string    `json:"today" doc:"The institution's day."`
	Day      string    `json:"day" doc:"The business day on which a transfer counts that is made now."`
	Reason   string    `json:"day_reason,omitempty" doc:"Why that is not today."`
}

type actingInput struct{ Acting }

type transferOptionsOutput struct{ Body TransferOptions }

// GET /api/v1/transfers/options
func (e *Edge) transferOptions(ctx context.Context, in *actingInput) (*transferOptionsOutput, error) {
	caller, err := e.look(ctx, in.Acting, catalog.TransfersCreate)
	if err != nil {
		return nil, err
	}
	o, err := e.Transfers.Options(ctx, caller)
	if err != nil {
		return nil, err
	}
	return &transferOptionsOutput{TransferOptions{
		From: texts(o.From), To: texts(o.To), Decision: o.May.Allowed, Reasons: reasonsOf(withoutHold(o.May.Reasons), entitlement.Names{}),
		Ceilings: ceilingsOf(o.Room), Today: string(o.Today), Day: string(o.Now.Day), Reason: o.Now.Sentence(),
	}}, nil
}

// texts writes ids.
func texts[T ~string](ids []T) []string {
	all := make([]string, 0, len(ids))
	for _, id := range ids {
		all = append(all, string(id))
	}
	return all
}

// TransferPreview is what a transfer would become.
type TransferPreview struct {
	Decision  bool     `json:"decision" doc:"They may make it."`
	Reasons   []Reason `json:"reasons" doc:"Everything that blocks."`
	Day       string   `json:"day" doc:"The business day on which it would count."`
	DayReason string   `json:"day_reason,omitempty" doc:"Why it is another day than the one that was asked for."`
	Next      []string `json:"next,omitempty" doc:"Of a series: the next days."`
	Covered   *bool    `json:"covered,omitempty" doc:"The balance covers it as it stands; absent where the host does not tell."`
}

type previewTransferInput struct {
	Acting
	Body TransferRequest
}

type previewTransferOutput struct{ Body TransferPreview }

// POST /api/v1/transfers/preview
func (e *Edge) previewTransfer(ctx context.Context, in *previewTransferInput) (*previewTransferOutput, error) {
	caller, err := e.look(ctx, in.Acting, catalog.TransfersCreate)
	if err != nil {
		return nil, err
	}
	d, err := in.Body.draft(transfer.ID(idOf("trf", caller, "preview")))
	if err != nil {
		return nil, err
	}
	p, err := e.Transfers.Preview(ctx, caller, d)
	if err != nil {
		return nil, err
	}
	shown := TransferPreview{
		Decision: p.May.Allowed, Reasons: reasonsOf(withoutHold(p.May.Reasons), entitlement.Names{}), Day: string(p.Day.Day), DayReason: p.Day.Sentence(),
	}
	for _, day := range p.Next {
		shown.Next = append(shown.Next, string(day.Day))
	}
	if p.Known {
		shown.Covered = &p.Covered
	}
	return &previewTransferOutput{shown}, nil
}

type createTransferInput struct {
	Changing
	Body TransferRequest
}

// POST /api/v1/transfers
func (e *Edge) createTransfer(ctx context.Context, in *createTransferInput) (*transferOutput, error) {
	ctx, caller, err := e.change(ctx, in.Changing, catalog.TransfersCreate, "create-transfer", in.Body)
	if err != nil {
		return nil, err
	}
	d, err := in.Body.draft(transfer.ID(idOf("trf", caller, in.Key)))
	if err != nil {
		return nil, err
	}
	if _, err := e.Transfers.Create(ctx, caller, d); err != nil {
		return nil, err
	}
	if d.Repeat == transfer.Once {
		return e.shownTransfer(ctx, caller, d.ID)
	}
	series, err := e.Transfers.GetSeries(ctx, caller, transfer.SeriesID("trs_"+strings.TrimPrefix(string(d.ID), "trf_")))
	if err != nil {
		return nil, err
	}
	return e.shownTransfer(ctx, caller, series.Transfers[len(series.Transfers)-1].ID) // the first one, in a series that has just begun
}

func (e *Edge) shownTransfer(ctx context.Context, caller bank.Caller, id transfer.ID) (*transferOutput, error) {
	d, err := e.Transfers.Get(ctx, caller, id)
	if err != nil {
		return nil, err
	}
	shown := TransferDetail{Transfer: transferOf(&d.Transfer), CanEdit: d.CanEdit, CanCancel: d.CanTake, CanRetry: d.CanTry, Events: eventsOf(d.Events)}
	return &transferOutput{shown}, nil
}

type transferInput struct {
	Acting
	ID string `path:"transfer" maxLength:"200"`
}

// GET /api/v1/transfers/{transfer}
func (e *Edge) transfer(ctx context.Context, in *transferInput) (*transferOutput, error) {
	caller, err := e.look(ctx, in.Acting, catalog.AccountView)
	if err != nil {
		return nil, err
	}
	return e.shownTransfer(ctx, caller, transfer.ID(in.ID))
}

// TransferEdit is a scheduled transfer as it shall be.
type TransferEdit struct {
	Version int64  `json:"version" doc:"The transfer's version as it was seen."`
	From    string `json:"from" maxLength:"200" doc:"The account that the money comes from."`
	To      string `json:"to" maxLength:"200" doc:"The account that the money goes to."`
	Amount  string `json:"amount" maxLength:"64" doc:"A decimal amount, such as 1250.00."`
	Memo    string `json:"memo,omitempty" maxLength:"400"`
	On      string `json:"on" maxLength:"10" doc:"The day, such as 2026-03-02."`
}

type editTransferInput struct {
	Changing
	ID   string `path:"transfer" maxLength:"200"`
	Body TransferEdit
}

// POST /api/v1/transfers/{transfer}/edit
func (e *Edge) editTransfer(ctx context.Context, in *editTransferInput) (*transferOutput, error) {
	ctx, caller, err := e.change(ctx, in.Changing, catalog.TransfersCreate, "edit-transfer", in.ID, in.Body)
	if err != nil {
		return nil, err
	}
	b := in.Body
	d, err := TransferRequest{From: b.From, To: b.To, Amount: b.Amount, Memo: b.Memo, On: b.On}.draft(transfer.ID(in.ID))
	if err != nil {
		return nil, err
	}
	if err := e.Transfers.Edit(ctx, caller, b.Version, d); err != nil {
		return nil, err
	}
	return e.shownTransfer(ctx, caller, d.ID)
}

// AsSeen says which version of something a change is about.
type AsSeen struct {
	Version int64 `json:"version" doc:"Its version as it was seen."`
}

type changeTransferInput struct {
	Changing
	ID   string `path:"transfer" maxLength:"200"`
	Body AsSeen
}

// POST /api/v1/transfers/{transfer}/cancel
func (e *Edge) cancelTransfer(ctx context.Context, in *changeTransferInput) (*transferOutput, error) {
	ctx, caller, err := e.change(ctx, in.Changing, catalog.TransfersCreate, "cancel-transfer", in.ID, in.Body)
	if err != nil {
		return nil, err
	}
	if err := e.Transfers.Cancel(ctx, caller, transfer.ID(in.ID), in.Body.Version); err != nil {
		return nil, err
	}
	return e.shownTransfer(ctx, caller, transfer.ID(in.ID))
}

// POST /api/v1/transfers/{transfer}/retry
func (e *Edge) retryTransfer(ctx context.Context, in *changeTransferInput) (*transferOutput, error) {
	ctx, caller, err := e.change(ctx, in.Changing, catalog.TransfersCreate, "retry-transfer", in.ID, in.Body)
	if err != nil {
		return nil, err
	}
	if err := e.Transfers.Retry(ctx, caller, transfer.ID(in.ID), in.Body.Version); err != nil {
		return nil, err
	}
	return e.shownTransfer(ctx, caller, transfer.ID(in.ID))
}

// TransferSeries is a transfer that is made again and again.
type TransferSeries struct {
	ID        string         `json:"id"`
	From      string         `json:"from,omitempty" doc:"Absent where the person may not see the account."`
	To        string         `json:"to,omitempty" doc:"Absent where the person may not see the account."`
	Amount    string         `json:"amount"`
	Memo      string         `json:"memo,omitempty"`
	Repeat    string         `json:"repeat" enum:"weekly,every_two_weeks,monthly,quarterly"`
	First     string         `json:"first"`
	Until     string         `json:"until,omitempty"`
	Times     int            `json:"times,omitempty"`
	Made      int            `json:"made" doc:"Transfers made so far."`
	State     string         `json:"state" enum:"active,ended,cancelled"`
	CanCancel bool           `json:"can_cancel"`
	Transfers []Transfer     `json:"transfers" doc:"The latest first."`
	Events    []HistoryEvent `json:"events" doc:"What happened, the latest first."`
}

type seriesInput struct {
	Acting
	ID string `path:"series" maxLength:"200"`
}

type seriesOutput struct{ Body TransferSeries }

// GET /api/v1/recurring-transfers/{series}
func (e *Edge) series(ctx context.Context, in *seriesInput) (*seriesOutput, error) {
	caller, err := e.look(ctx, in.Acting, catalog.AccountView)
	if err != nil {
		return nil, err
	}
	return e.shownSeries(ctx, caller, in.ID)
}

func (e *Edge) shownSeries(ctx context.Context, caller bank.Caller, id string) (*seriesOutput, error) {
	d, err := e.Transfers.GetSeries(ctx, caller, transfer.SeriesID(id))
	if err != nil {
		return nil, err
	}
	shown := TransferSeries{
		ID: string(d.ID), From: string(d.From), To: string(d.To), Amount: d.Cents.String(), Memo: d.Memo, Repeat: string(d.Frequency), First: string(d.First),
		Until: string(d.Until), Times: d.Times, Made: d.Made, State: string(d.State), CanCancel: d.CanTake, Transfers: []Transfer{}, Events: eventsOf(d.Events),
	}
	for i := range d.Transfers {
		shown.Transfers = append(shown.Transfers, transferOf(&d.Transfers[i]))
	}
	return &seriesOutput{shown}, nil
}

type cancelSeriesInput struct {
	Changing
	ID string `path:"series" maxLength:"200"`
}

// POST /api/v1/recurring-transfers/{series}/cancel
func (e *Edge) cancelSeries(ctx context.Context, in *cancelSeriesInput) (*seriesOutput, error) {
	ctx, caller, err := e.change(ctx, in.Changing, catalog.TransfersCreate, "cancel-series", in.ID)
	if err != nil {
		return nil, err
	}
	if err := e.Transfers.CancelSeries(ctx, caller, transfer.SeriesID(in.ID)); err != nil {
		return nil, err
	}
	return e.shownSeries(ctx, caller, in.ID)
}
