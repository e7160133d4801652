package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/moneymovement/stoppayment"
)

// Stops is the room of stop payments.
type Stops interface {
	List(context.Context, bank.Caller, stoppayment.Query) (stoppayment.Page, error)
	Get(context.Context, bank.Caller, stoppayment.ID) (stoppayment.Detail, error)
	Options(context.Context, bank.Caller) (stoppayment.Options, error)
	Preview(context.Context, bank.Caller, stoppayment.Draft) (entitlement.Explanation, error)
	Add(context.Context, bank.Caller, stoppayment.Draft) error
}

func (e *Edge) registerStops(a huma.API) {
	add(e, a, http.MethodGet, "/stop-payments", "list-stop-payments", "List the stop payments that a person sees", acts(catalog.StopsViewOperation), e.stops)
	add(e, a, http.MethodGet, "/stop-payments/options", "stop-payment-options", "Read where a person can stop checks, and what it costs", acts(catalog.StopsAddOperation), e.stopOptions)
	add(e, a, http.MethodPost, "/stop-payments/preview", "preview-stop-payment", "See whether a stop payment may be placed", acts(catalog.StopsAddOperation), e.previewStop)
	add(e, a, http.MethodPost, "/stop-payments", "add-stop-payment", "Stop a check, or a row of checks", acts(catalog.StopsAddOperation), e.addStop)
	add(e, a, http.MethodGet, "/stop-payments/{stop}", "get-stop-payment", "Read a stop payment", acts(catalog.StopsViewOperation), e.stop)
}

// StopRequest is a stop payment that is asked for.
type StopRequest struct {
	Account  string `json:"account" maxLength:"200" doc:"The account of the check."`
	First    int64  `json:"first" doc:"The number of the check, or of the first one."`
	Last     int64  `json:"last,omitempty" doc:"The number of the last check of a row; absent: one check."`
	Amount   string `json:"amount,omitempty" maxLength:"64" doc:"Of the check, such as 250.00."`
	CheckDay string `json:"check_date,omitempty" maxLength:"10" doc:"The date on the check."`
	Payee    string `json:"payee,omitempty" maxLength:"400"`
	Terms    string `json:"terms,omitempty" maxLength:"200" doc:"What the options said the terms are: the person has seen the fee and the disclaimer."`
}

func (r StopRequest) draft(id stoppayment.ID) (stoppayment.Draft, error) {
	var problems fault.Problems
	d := stoppayment.Draft{
		ID: id, Account: bank.AccountID(r.Account), First: r.First, Last: r.Last, CheckDay: bank.Day(r.CheckDay), Payee: r.Payee, Terms: r.Terms,
	}
	if r.Amount != "" {
		d.Cents = cents(&problems, "amount", r.Amount)
	}
	return d, problems.Err("This stop payment cannot be placed as it stands.")
}

// StopPayment keeps a check, or a row of checks, from being paid.
type StopPayment struct {
	ID        string `json:"id"`
	Account   string `json:"account"`
	First     int64  `json:"first"`
	Last      int64  `json:"last"`
	Amount    string `json:"amount,omitempty"`
	CheckDay  string `json:"check_date,omitempty"`
	Payee     string `json:"payee,omitempty"`
	Fee       string `json:"fee"`
	State     string `json:"state" enum:"sent,active,refused,lifting,lifted,expired"`
	Day       string `json:"day" doc:"The business day on which the fee is charged."`
	Until     string `json:"until" doc:"The last day on which it holds."`
	By        Person `json:"by"`
	Created   string `json:"created" format:"date-time"`
	Reference string `json:"reference,omitempty" doc:"The host's number for it."`
	Code      string `json:"code,omitempty" doc:"Why it was not placed, for programs."`
	Problem   string `json:"problem,omitempty" doc:"The same in words."`
}

func stopOf(s *stoppayment.Stop, today bank.Day) StopPayment {
	shown := StopPayment{
		ID: string(s.ID), Account: string(s.Account), First: s.First, Last: s.Last, CheckDay: string(s.CheckDay), Payee: s.Payee, Fee: s.Fee.String(),
		State: string(s.Standing(today)), Day: string(s.Day), Until: string(s.Until), By: Person{string(s.By.ID), s.By.Name}, Created: moment(s.Created),
		Reference: s.Reference, Code: s.Code, Problem: s.Problem,
	}
	if s.Cents > 0 {
		shown.Amount = s.Cents.String()
	}
	return shown
}

type stopsInput struct {
	Acting
	Search  string `query:"search" maxLength:"80" doc:"A check's number, an amount, or a part of the payee."`
	State   string `query:"state" enum:"sent,active,refused,lifted,expired"`
	Account string `query:"account" maxLength:"200"`
	Sort    string `query:"sort" enum:"placed,check,until" default:"placed"`
	Reverse bool   `query:"reverse"`
	Page    int    `query:"page" minimum:"1" maximum:"1000000" default:"1"`
	Size    int    `query:"size" minimum:"1" maximum:"500" default:"50"`
}

// StopPaymentList is one page of stop payments.
type StopPaymentList struct {
	StopPayments []StopPayment `json:"stop_payments"`
	Matching     int           `json:"matching" doc:"How many fit what was asked."`
	Fees         string        `json:"fees" doc:"What those that fit and were placed cost."`
	Total        int           `json:"total" doc:"How many the person sees."`
	Page         int           `json:"page"`
	Decision     bool          `json:"decision" doc:"They may see stop payments of some account."`
	Reasons      []Reason      `json:"reasons" doc:"Everything that blocks."`
}

type stopsOutput struct{ Body StopPaymentList }

// GET /api/v1/stop-payments
func (e *Edge) stops(ctx context.Context, in *stopsInput) (*stopsOutput, error) {
	caller, err := e.look(ctx, in.Acting, catalog.StopsViewOperation)
	if err != nil {
		return nil, err
	}
	page, err := e.Stops.List(ctx, caller, stoppayment.Query{
		Search: in.Search, State: stoppayment.State(in.State), Account: bank.AccountID(in.Account), Sort: stoppayment.Sort(in.Sort), Reverse: in.Reverse, Page: in.Page, Size: in.Size,
	})
	if err != nil {
		return nil, err
	}
	list := StopPaymentList{
		StopPayments: []StopPayment{}, Matching: page.Matching, Fees: page.Fees.String(), Total: page.Total, Page: max(1, page.Page),
		Decision: page.See.Allowed, Reasons: reasonsOf(withoutHold(page.See.Reasons), entitlement.Names{}),
	}
	for i := range page.Stops {
		list.StopPayments = append(list.StopPayments, stopOf(&page.Stops[i], page.Today))
	}
	return &stopsOutput{list}, nil
}

// StopOptions is where a person can stop checks, and on which terms.
type StopOptions struct {
	Accounts   []string `json:"accounts"`
	Decision   bool     `json:"decision" doc:"They may stop checks of some account."`
	Reasons    []Reason `json:"reasons" doc:"Everything that blocks."`
	Fee        string   `json:"fee"`
	Disclaimer string   `json:"disclaimer" doc:"What the person must be shown."`
	Terms      string   `json:"terms" doc:"Hand it back once the person has seen the fee and the disclaimer."`
	Needs      []string `json:"needs" doc:"What the institution must be told about one check."`
	Until      string   `json:"until" doc:"The last day on which a stop payment holds that is placed now."`
}

type stopOptionsOutput struct{ Body StopOptions }

// GET /api/v1/stop-payments/options
func (e *Edge) stopOptions(ctx context.Context, in *actingInput) (*stopOptionsOutput, error) {
	caller, err := e.look(ctx, in.Acting, catalog.StopsAddOperation)
	if err != nil {
		return nil, err
	}
	o, err := e.Stops.Options(ctx, caller)
	if err != nil {
		return nil, err
	}
	shown := StopOptions{
		Accounts: texts(o.Accounts), Decision: o.May.Allowed, Reasons: reasonsOf(withoutHold(o.May.Reasons), entitlement.Names{}),
		Fee: o.Terms.Fee.String(), Disclaimer: o.Terms.Disclaimer, Terms: o.Terms.Seen(), Needs: []string{}, Until: string(o.Until),
	}
	for name, needed := range map[string]bool{"amount": o.Terms.NeedsAmount, "check_date": o.Terms.NeedsDate, "payee": o.Terms.NeedsPayee} {
		if needed {
			shown.Needs = append(shown.Needs, name)
		}
	}
	slices.Sort(shown.Needs)
	return &stopOptionsOutput{shown}, nil
}

type previewStopInput struct {
	Acting
	Body StopRequest
}

// StopPreview says whether a stop payment may be placed.
type StopPreview struct {
	Decision bool     `json:"decision"`
	Reasons  []Reason `json:"reasons" doc:"Everything that blocks."`
}

type previewStopOutput struct{ Body StopPreview }

// POST /api/v1/stop-payments/preview
func (e *Edge) previewStop(ctx context.Context, in *previewStopInput) (*previewStopOutput, error) {
	caller, err := e.look(ctx, in.Acting, catalog.StopsAddOperation)
	if err != nil {
		return nil, err
	}
	d, err := in.Body.draft(stoppayment.ID(idOf("stp", caller, "preview")))
	if err != nil {
		return nil, err
	}
	why, err := e.Stops.Preview(ctx, caller, d)
	if err != nil {
		return nil, err
	}
	return &previewStopOutput{StopPreview{why.Allowed, reasonsOf(withoutHold(why.Reasons), entitlement.Names{})}}, nil
}

type addStopInput struct {
	Changing
	Body StopRequest
}

// StopDetail is a stop payment with its history.
type StopDetail struct {
	StopPayment
	Events []HistoryEvent `json:"events" doc:"What happened, the latest first."`
}

type stopOutput struct{ Body StopDetail }

// POST /api/v1/stop-payments
func (e *Edge) addStop(ctx context.Context, in *addStopInput) (*stopOutput, error) {
	ctx, caller, err := e.change(ctx, in.Changing, catalog.StopsAddOperation, "add-stop-payment", in.Body)
	if err != nil {
		return nil, err
	}
	d, err := in.Body.draft(stoppayment.ID(idOf("stp", caller, in.Key)))
	if err != nil {
		return nil, err
	}
	if err := e.Stops.Add(ctx, caller, d); err != nil {
		return nil, err
	}
	return e.shownStop(ctx, caller, d.ID)
}

func (e *Edge) shownStop(ctx context.Context, caller bank.Caller, id stoppayment.ID) (*stopOutput, error) {
	d, err := e.Stops.Get(ctx, caller, id)
	if err != nil {
		return nil, err
	}
	return &stopOutput{StopDetail{stopOf(&d.Stop, d.Today), eventsOf(d.Events)}}, nil
}

type stopInput struct {
	Acting
	ID string `path:"stop" maxLength:"200"`
}

// GET /api/v1/stop-payments/{stop}
func (e *Edge) stop(ctx context.Context, in *stopInput) (*stopOutput, error) {
	caller, err := e.look(ctx, in.Acting, catalog.StopsViewOperation)
	if err != nil {
		return nil, err
	}
	return e.shownStop(ctx, caller, stoppayment.ID(in.ID))
}
