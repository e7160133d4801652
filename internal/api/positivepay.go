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
	"mandate/internal/host"
	"mandate/internal/moneymovement/layout"
	"mandate/internal/moneymovement/positivepay"
)

// PositivePay is the room of Positive Pay.
type PositivePay interface {
	Choices(context.Context, bank.Caller) (positivepay.Choice, error)
	Items(context.Context, bank.Caller, positivepay.ItemQuery) (positivepay.ItemPage, error)
	GetItem(context.Context, bank.Caller, positivepay.ItemID) (positivepay.ItemDetail, error)
	Image(context.Context, bank.Caller, positivepay.ItemID, host.Side) ([]byte, error)
	Decide(context.Context, bank.Caller, []positivepay.Decision) ([]positivepay.Result, error)
	Issues(context.Context, bank.Caller, positivepay.IssueQuery) (positivepay.IssuePage, error)
	GetFile(context.Context, bank.Caller, positivepay.FileID) (positivepay.FileDetail, error)
	Upload(context.Context, bank.Caller, positivepay.Upload) (*positivepay.Preview, error)
	Enter(context.Context, bank.Caller, positivepay.Entry) error
	Approve(context.Context, bank.Caller, positivepay.FileID) error
	Delete(context.Context, bank.Caller, positivepay.FileID) error
	SetLayout(context.Context, bank.Caller, positivepay.Layout) error
	Outputs(context.Context, bank.Caller, positivepay.OutputQuery) (positivepay.OutputPage, error)
	Download(ctx context.Context, caller bank.Caller, account bank.AccountID, day bank.Day) (positivepay.Download, error)
}

func (e *Edge) registerPositivePay(a huma.API) {
	const at = "/positive-pay"
	add(e, a, http.MethodGet, at+"/options", "positive-pay-options", "Read what a person may do in Positive Pay, where and until when", acts(catalog.ARPFileUpload), e.arpOptions)
	add(e, a, http.MethodPost, at+"/layouts", "set-issued-checks-layout", "Say how files of issued checks are read", acts(catalog.ARPFileUpload), e.setARPLayout)
	add(e, a, http.MethodGet, at+"/issued", "list-issued-checks", "List the issued checks that a person sees", acts(catalog.ARPFileUpload), e.arpIssues)
	add(e, a, http.MethodPost, at+"/lists", "upload-issued-checks", "Upload a file of issued checks, or enter them", acts(catalog.ARPFileUpload), e.uploadARP)
	add(e, a, http.MethodGet, at+"/lists/{list}", "get-issued-checks", "Read a list of issued checks", acts(catalog.ARPFileUpload), e.arpList)
	add(e, a, http.MethodPost, at+"/lists/{list}/approve", "approve-issued-checks", "Send a list of issued checks to the institution", acts(catalog.ARPFileUpload), e.approveARP)
	add(e, a, http.MethodPost, at+"/lists/{list}/delete", "delete-issued-checks", "Delete a list that was not approved", acts(catalog.ARPFileUpload), e.deleteARP)
	add(e, a, http.MethodGet, at+"/output", "list-arp-output", "List the output files that a person may download", acts(catalog.ARPFileDownload), e.arpOutputs)
	add(e, a, http.MethodPost, at+"/output/download", "download-arp-output", "Download an output file, which history keeps", acts(catalog.ARPFileDownload), e.arpOutput)
	add(e, a, http.MethodGet, at+"/check-exceptions", "list-check-exceptions", "List check exceptions", acts(catalog.ARPCheckExceptionDecide), e.checkExceptions)
	add(e, a, http.MethodGet, at+"/check-exceptions/{exception}", "get-check-exception", "Read a check exception", acts(catalog.ARPCheckExceptionDecide), e.checkException)
	add(e, a, http.MethodGet, at+"/check-exceptions/{exception}/images/{side}", "get-check-image", "Read the picture of a check", acts(catalog.ARPCheckExceptionDecide), e.checkImage)
	add(e, a, http.MethodPost, at+"/check-exceptions/{exception}/decide", "decide-check-exception", "Pay or return a check", acts(catalog.ARPCheckExceptionDecide), e.decideCheck)
	add(e, a, http.MethodGet, at+"/ach-exceptions", "list-ach-exceptions", "List ACH exceptions", acts(catalog.ARPACHExceptionDecide), e.achExceptions)
	add(e, a, http.MethodGet, at+"/ach-exceptions/{exception}", "get-ach-exception", "Read an ACH exception", acts(catalog.ARPACHExceptionDecide), e.achException)
	add(e, a, http.MethodPost, at+"/ach-exceptions/{exception}/decide", "decide-ach-exception", "Pay or return an ACH item", acts(catalog.ARPACHExceptionDecide), e.decideACH)
}

// PositivePayOptions are what a person may do, on which accounts, and when
// exceptions are decided.
type PositivePayOptions struct {
	Accounts     []PositivePayAccount `json:"accounts"`
	Layouts      []string             `json:"layouts" doc:"Formats for which a layout is set up."`
	Opens        string               `json:"opens" format:"date-time" doc:"When exceptions of this, or the next, business day can be decided."`
	Closes       string               `json:"closes" format:"date-time" doc:"The cut-off."`
	CheckDefault string               `json:"check_default" enum:"pay,return" doc:"What becomes of a check that nobody decides."`
	ACHDefault   string               `json:"ach_default" enum:"pay,return" doc:"What becomes of an ACH item that nobody decides."`
	Reasons      []Reason             `json:"reasons" doc:"Where there is no account: everything that blocks."`
}

// PositivePayAccount is what a person may do on an account.
type PositivePayAccount struct {
	ID         string   `json:"id"`
	Enrolled   bool     `json:"enrolled"`
	Operations []string `json:"operations"`
}

type arpOptionsOutput struct{ Body PositivePayOptions }

// GET /api/v1/positive-pay/options
func (e *Edge) arpOptions(ctx context.Context, in *actingInput) (*arpOptionsOutput, error) {
	caller, err := e.look(ctx, in.Acting, catalog.ARPFileUpload)
	if err != nil {
		return nil, err
	}
	c, err := e.PositivePay.Choices(ctx, caller)
	if err != nil {
		return nil, err
	}
	shown := PositivePayOptions{
		Accounts: []PositivePayAccount{}, Layouts: []string{}, Opens: moment(c.Window.Opens), Closes: moment(c.Window.Closes),
		CheckDefault: string(c.Settings.Check), ACHDefault: string(c.Settings.ACH), Reasons: []Reason{},
	}
	for _, a := range c.Accounts {
		one := PositivePayAccount{ID: string(a.ID), Enrolled: a.Enrolled, Operations: []string{}}
		for op, may := range map[catalog.Operation]bool{
			catalog.ARPFileUpload: a.Upload, catalog.ARPFileDownload: a.Download, catalog.ARPCheckExceptionDecide: a.Checks, catalog.ARPACHExceptionDecide: a.ACH,
		} {
			if may {
				one.Operations = append(one.Operations, op.ID())
			}
		}
		shown.Accounts = append(shown.Accounts, one)
	}
	for _, f := range layout.Formats() {
		if _, set := c.Layouts[f]; set {
			shown.Layouts = append(shown.Layouts, string(f))
		}
	}
	if len(c.Accounts) == 0 {
		shown.Reasons = reasonsOf(withoutHold(c.May[catalog.ARPFileUpload].Reasons), entitlement.Names{})
	}
	return &arpOptionsOutput{shown}, nil
}

// IssuedChecksLayout says how files of a format are read.
type IssuedChecksLayout struct {
	Format string                       `json:"format" enum:"fixed,csv,tab"`
	Places map[string]IssuedChecksPlace `json:"places" doc:"Where each field stands: number, amount, date, payee, type."`
	Dates  string                       `json:"dates" enum:"2026-03-02,03/02/2026,20260302,03022026,030226" doc:"What March 2, 2026 looks like."`
	Cents  bool                         `json:"cents,omitempty" doc:"Amounts have no point and end in two digits of cents."`
	Titles bool                         `json:"titles,omitempty" doc:"The first line holds titles and is left out."`
}

// IssuedChecksPlace is where a field stands, counted from 1.
type IssuedChecksPlace struct {
	Column int `json:"column,omitempty"`
	From   int `json:"from,omitempty" doc:"The first character, in a file of fixed positions."`
	To     int `json:"to,omitempty" doc:"The last character."`
}

type arpLayoutInput struct {
	Changing
	Body IssuedChecksLayout
}

type arpLayoutOutput struct{ Body IssuedChecksLayout }

// POST /api/v1/positive-pay/layouts
func (e *Edge) setARPLayout(ctx context.Context, in *arpLayoutInput) (*arpLayoutOutput, error) {
	ctx, caller, err := e.change(ctx, in.Changing, catalog.ARPFileUpload, "set-issued-checks-layout", in.Body)
	if err != nil {
		return nil, err
	}
	l := positivepay.Layout{Format: layout.Format(in.Body.Format), Places: map[positivepay.Field]layout.Place{}, Dates: positivepay.DateForm(in.Body.Dates), Cents: in.Body.Cents, Titles: in.Body.Titles}
	for field, place := range in.Body.Places {
		l.Places[positivepay.Field(field)] = layout.Place(place)
	}
	if err := e.PositivePay.SetLayout(ctx, caller, l); err != nil {
		return nil, err
	}
	return &arpLayoutOutput{in.Body}, nil
}

// IssuedChecksRequest is a file of issued checks, or checks one by one.
type IssuedChecksRequest struct {
	Account string             `json:"account" maxLength:"200"`
	Name    string             `json:"name,omitempty" maxLength:"400" doc:"Of the file."`
	Format  string             `json:"format,omitempty" enum:"fixed,csv,tab" doc:"Of the file; its layout is set up before."`
	File    string             `json:"file,omitempty" doc:"What the file holds, as text; either this or checks."`
	Checks  []IssuedCheckAsked `json:"checks,omitempty" maxItems:"100"`
	Again   bool               `json:"again,omitempty" doc:"Although the same checks were uploaded before."`
}

// IssuedCheckAsked is one check that was written, or is void.
type IssuedCheckAsked struct {
	Number int64  `json:"number"`
	Amount string `json:"amount,omitempty" maxLength:"64" doc:"Such as 250.00; a void needs none."`
	Date   string `json:"date,omitempty" maxLength:"10" doc:"On the check."`
	Payee  string `json:"payee,omitempty" maxLength:"400"`
	Void   bool   `json:"void,omitempty"`
}

type uploadARPInput struct {
	Changing
	Body IssuedChecksRequest
}

// POST /api/v1/positive-pay/lists
func (e *Edge) uploadARP(ctx context.Context, in *uploadARPInput) (*arpListOutput, error) {
	ctx, caller, err := e.change(ctx, in.Changing, catalog.ARPFileUpload, "upload-issued-checks", in.Body)
	if err != nil {
		return nil, err
	}
	id := positivepay.FileID(idOf("arp", caller, in.Key))
	switch b := in.Body; {
	case (b.File == "") == (len(b.Checks) == 0):
		err = fault.New(fault.Invalid, "Send either a file or checks.")
	case b.File != "":
		err = e.arpUploadFile(ctx, caller, id, b)
	default:
		err = e.arpEnterChecks(ctx, caller, id, b)
	}
	if err != nil {
		return nil, err
	}
	return e.shownList(ctx, caller, id)
}

func (e *Edge) arpUploadFile(ctx context.Context, caller bank.Caller, id positivepay.FileID, b IssuedChecksRequest) error {
	p, err := e.PositivePay.Upload(ctx, caller, positivepay.Upload{
		ID: id, Account: bank.AccountID(b.Account), Name: b.Name, Format: layout.Format(b.Format), Again: b.Again, File: strings.NewReader(b.File),
	})
	if err != nil {
		return err
	}
	return p.Err()
}

func (e *Edge) arpEnterChecks(ctx context.Context, caller bank.Caller, id positivepay.FileID, b IssuedChecksRequest) error {
	var problems fault.Problems
	entry := positivepay.Entry{ID: id, Account: bank.AccountID(b.Account)}
	for n, c := range b.Checks {
		check := positivepay.Check{Line: n + 1, Number: c.Number, Day: bank.Day(c.Date), Payee: c.Payee, Void: c.Void}
		if c.Amount != "" {
			check.Cents = cents(&problems, fmt.Sprintf("checks[%d].amount", n), c.Amount)
		}
		entry.Checks = append(entry.Checks, check)
	}
	if err := problems.Err("The checks cannot be kept."); err != nil {
		return err
	}
	return e.PositivePay.Enter(ctx, caller, entry)
}

// IssuedChecks is a list of issued checks.
type IssuedChecks struct {
	ID        string         `json:"id"`
	Account   string         `json:"account"`
	Name      string         `json:"name"`
	Source    string         `json:"source" enum:"fixed,csv,tab,manual"`
	State     string         `json:"state" enum:"unapproved,pending,successful,rejected"`
	Issued    int            `json:"issued" doc:"How many checks it issues."`
	Voids     int            `json:"voids" doc:"How many it declares void."`
	Amount    string         `json:"amount" doc:"Of those that it issues."`
	By        Person         `json:"by"`
	Created   string         `json:"created" format:"date-time"`
	Approver  *Person        `json:"approver,omitempty"`
	Reference string         `json:"reference,omitempty" doc:"The host's number for it."`
	Code      string         `json:"code,omitempty" doc:"Why the host refused it, for programs."`
	Problem   string         `json:"problem,omitempty" doc:"The same in words."`
	Checks    []IssuedCheck  `json:"checks"`
	Events    []HistoryEvent `json:"events" doc:"What happened, the latest first."`
}

// IssuedCheck is a check of a list.
type IssuedCheck struct {
	List    string `json:"list"`
	Line    int    `json:"line"`
	Account string `json:"account"`
	Number  int64  `json:"number"`
	Amount  string `json:"amount"`
	Date    string `json:"date,omitempty"`
	Payee   string `json:"payee,omitempty"`
	Void    bool   `json:"void"`
	State   string `json:"state" enum:"unapproved,pending,outstanding,paid,voided,taken,rejected"`
	Done    string `json:"done,omitempty" doc:"The day on which it was paid or declared void."`
}

func issuedOf(i positivepay.Issue) IssuedCheck {
	return IssuedCheck{string(i.File), i.Line, string(i.Account), i.Number, i.Cents.String(), string(i.Day), i.Payee, i.Void, string(i.State), string(i.Done)}
}

type arpListOutput struct{ Body IssuedChecks }

type arpListInput struct {
	Acting
	ID string `path:"list" maxLength:"200"`
}

type changeARPListInput struct {
	Changing
	ID string `path:"list" maxLength:"200"`
}

// GET /api/v1/positive-pay/lists/{list}
func (e *Edge) arpList(ctx context.Context, in *arpListInput) (*arpListOutput, error) {
	caller, err := e.look(ctx, in.Acting, catalog.ARPFileUpload)
	if err != nil {
		return nil, err
	}
	return e.shownList(ctx, caller, positivepay.FileID(in.ID))
}

func (e *Edge) shownList(ctx context.Context, caller bank.Caller, id positivepay.FileID) (*arpListOutput, error) {
	d, err := e.PositivePay.GetFile(ctx, caller, id)
	if err != nil {
		return nil, err
	}
	shown := IssuedChecks{
		ID: string(d.ID), Account: string(d.Account), Name: d.Name, Source: d.Source, State: string(d.State), Issued: d.File.Checks, Voids: d.Voids, Amount: d.Cents.String(),
		By: Person{d.By.ID, d.By.Name}, Created: moment(d.Created), Reference: d.Reference, Code: d.Code, Problem: d.Problem, Checks: []IssuedCheck{}, Events: eventsOf(d.Events),
	}
	if d.Approver.ID != "" {
		shown.Approver = &Person{d.Approver.ID, d.Approver.Name}
	}
	for _, i := range d.Issues {
		shown.Checks = append(shown.Checks, issuedOf(i))
	}
	return &arpListOutput{shown}, nil
}

// POST /api/v1/positive-pay/lists/{list}/approve
func (e *Edge) approveARP(ctx context.Context, in *changeARPListInput) (*arpListOutput, error) {
	ctx, caller, err := e.change(ctx, in.Changing, catalog.ARPFileUpload, "approve-issued-checks", in.ID)
	if err != nil {
		return nil, err
	}
	if err := e.PositivePay.Approve(ctx, caller, positivepay.FileID(in.ID)); err != nil {
		return nil, err
	}
	return e.shownList(ctx, caller, positivepay.FileID(in.ID))
}

// DeletedList says that something is gone.
type DeletedList struct {
	ID string `json:"id"`
}

type arpDeletedOutput struct{ Body DeletedList }

// POST /api/v1/positive-pay/lists/{list}/delete
func (e *Edge) deleteARP(ctx context.Context, in *changeARPListInput) (*arpDeletedOutput, error) {
	ctx, caller, err := e.change(ctx, in.Changing, catalog.ARPFileUpload, "delete-issued-checks", in.ID)
	if err != nil {
		return nil, err
	}
	if err := e.PositivePay.Delete(ctx, caller, positivepay.FileID(in.ID)); err != nil {
		return nil, err
	}
	return &arpDeletedOutput{DeletedList{in.ID}}, nil
}

type arpIssuesInput struct {
	Acting
	Search  string `query:"search" maxLength:"80" doc:"A check's number, an amount, or a part of the payee."`
	State   string `query:"state" enum:"unapproved,pending,outstanding,paid,voided,taken,rejected"`
	Account string `query:"account" maxLength:"200"`
	Sort    string `query:"sort" enum:"date,number,amount" default:"date"`
	Reverse bool   `query:"reverse"`
	Page    int    `query:"page" minimum:"1" maximum:"1000000" default:"1"`
	Size    int    `query:"size" minimum:"1" maximum:"500" default:"50"`
}

// IssuedCheckList is one page of issued checks.
type IssuedCheckList struct {
	Checks      []IssuedCheck `json:"checks"`
	Matching    int           `json:"matching" doc:"How many fit what was asked."`
	Amount      string        `json:"amount" doc:"Of all that fit."`
	Outstanding string        `json:"outstanding" doc:"Of those that fit and are outstanding."`
	Total       int           `json:"total" doc:"How many the person sees."`
	Page        int           `json:"page"`
}

type arpIssuesOutput struct{ Body IssuedCheckList }

// GET /api/v1/positive-pay/issued
func (e *Edge) arpIssues(ctx context.Context, in *arpIssuesInput) (*arpIssuesOutput, error) {
	caller, err := e.look(ctx, in.Acting, catalog.ARPFileUpload)
	if err != nil {
		return nil, err
	}
	page, err := e.PositivePay.Issues(ctx, caller, positivepay.IssueQuery{
		Search: in.Search, State: positivepay.IssueState(in.State), Account: bank.AccountID(in.Account), Sort: positivepay.IssueSort(in.Sort), Descending: in.Reverse, Page: in.Page, Size: in.Size,
	})
	if err != nil {
		return nil, err
	}
	list := IssuedCheckList{Checks: []IssuedCheck{}, Matching: page.Matching, Amount: page.Cents.String(), Outstanding: page.Outstanding.String(), Total: page.Total, Page: page.Page}
	for _, i := range page.Issues {
		list.Checks = append(list.Checks, issuedOf(i))
	}
	return &arpIssuesOutput{list}, nil
}

// Exception is an item that came in and does not fit.
type Exception struct {
	ID          string         `json:"id"`
	Account     string         `json:"account"`
	Mismatch    string         `json:"mismatch" doc:"Why it waits, such as NOT_ISSUED."`
	Number      int64          `json:"number,omitempty" doc:"Of a check."`
	Amount      string         `json:"amount"`
	Payee       string         `json:"payee,omitempty" doc:"Of a check, as it could be read."`
	Company     string         `json:"company,omitempty" doc:"Of an ACH item."`
	CompanyID   string         `json:"company_id,omitempty"`
	Class       string         `json:"class,omitempty" doc:"The standard entry class."`
	Description string         `json:"description,omitempty"`
	Trace       string         `json:"trace,omitempty"`
	Images      []string       `json:"images" doc:"Sides of which there is a picture."`
	State       string         `json:"state" enum:"open,paying,returning,refused,paid,returned,elsewhere"`
	Version     int64          `json:"version" doc:"Hand it back with a decision: it holds for the exception as it was seen."`
	Opens       string         `json:"opens" format:"date-time" doc:"From when it can be decided."`
	Closes      string         `json:"closes" format:"date-time" doc:"Its cut-off."`
	Reason      string         `json:"reason,omitempty" doc:"Why it goes back."`
	Note        string         `json:"note,omitempty"`
	By          *Person        `json:"by,omitempty" doc:"Who decided."`
	Decided     string         `json:"decided,omitempty" format:"date-time"`
	Reference   string         `json:"reference,omitempty" doc:"The host's number for it."`
	Code        string         `json:"code,omitempty" doc:"Why the host refused, for programs."`
	Problem     string         `json:"problem,omitempty" doc:"The same in words."`
	Issued      *IssuedCheck   `json:"issued,omitempty" doc:"The check that was issued under the same number."`
	Events      []HistoryEvent `json:"events,omitempty" doc:"What happened, the latest first; in a list it is left out."`
}

func exceptionOf(i *positivepay.Item, w positivepay.Window) Exception {
	shown := Exception{
		ID: string(i.ID), Account: string(i.Account), Mismatch: string(i.Mismatch), Number: i.Number, Amount: i.Cents.String(), Payee: i.Payee, Company: i.Company, CompanyID: i.CompanyID,
		Class: i.Class, Description: i.Description, Trace: i.Trace, Images: texts(i.Sides), State: string(i.State), Version: i.Version, Opens: moment(w.Opens), Closes: moment(w.Closes),
		Reason: string(i.Reason), Note: i.Note, Reference: i.Reference, Code: i.Code, Problem: i.Problem,
	}
	if !i.Decided.IsZero() {
		shown.By, shown.Decided = &Person{i.By.ID, i.By.Name}, moment(i.Decided)
	}
	return shown
}

type exceptionsInput struct {
	Acting
	Search  string `query:"search" maxLength:"80" doc:"A check's number, an amount, or a part of the payee or the company."`
	When    string `query:"when" enum:"waiting,settled"`
	Account string `query:"account" maxLength:"200"`
	Page    int    `query:"page" minimum:"1" maximum:"1000000" default:"1"`
	Size    int    `query:"size" minimum:"1" maximum:"500" default:"50"`
}

// ExceptionList is one page of exceptions, by the day by whose cut-off they
// must be decided.
type ExceptionList struct {
	Exceptions []Exception `json:"exceptions"`
	Matching   int         `json:"matching" doc:"How many fit what was asked."`
	Amount     string      `json:"amount" doc:"Of all that fit."`
	Page       int         `json:"page"`
	Decision   bool        `json:"decision" doc:"They may decide such exceptions of some account."`
	Reasons    []Reason    `json:"reasons" doc:"Everything that blocks."`
}

type exceptionsOutput struct{ Body ExceptionList }

func (e *Edge) arpExceptions(ctx context.Context, in *exceptionsInput, kind host.ItemKind, op catalog.Operation) (*exceptionsOutput, error) {
	caller, err := e.look(ctx, in.Acting, op)
	if err != nil {
		return nil, err
	}
	c, err := e.PositivePay.Choices(ctx, caller)
	if err != nil {
		return nil, err
	}
	page, err := e.PositivePay.Items(ctx, caller, positivepay.ItemQuery{Search: in.Search, When: in.When, Kind: kind, Account: bank.AccountID(in.Account), Page: in.Page, Size: in.Size})
	if err != nil {
		return nil, err
	}
	list := ExceptionList{
		Exceptions: []Exception{}, Matching: page.Matching, Amount: page.Cents.String(), Page: page.Page, Decision: c.May[op].Allowed,
		Reasons: reasonsOf(withoutHold(c.May[op].Reasons), entitlement.Names{}),
	}
	for i := range page.Items {
		list.Exceptions = append(list.Exceptions, exceptionOf(&page.Items[i], page.Windows[page.Items[i].ID]))
	}
	return &exceptionsOutput{list}, nil
}

// GET /api/v1/positive-pay/check-exceptions
func (e *Edge) checkExceptions(ctx context.Context, in *exceptionsInput) (*exceptionsOutput, error) {
	return e.arpExceptions(ctx, in, host.CheckItem, catalog.ARPCheckExceptionDecide)
}

// GET /api/v1/positive-pay/ach-exceptions
func (e *Edge) achExceptions(ctx context.Context, in *exceptionsInput) (*exceptionsOutput, error) {
	return e.arpExceptions(ctx, in, host.ACHItem, catalog.ARPACHExceptionDecide)
}

type exceptionInput struct {
	Acting
	ID string `path:"exception" maxLength:"200"`
}

type exceptionOutput struct{ Body Exception }

// GET /api/v1/positive-pay/check-exceptions/{exception}
func (e *Edge) checkException(ctx context.Context, in *exceptionInput) (*exceptionOutput, error) {
	caller, err := e.look(ctx, in.Acting, catalog.ARPCheckExceptionDecide)
	if err != nil {
		return nil, err
	}
	return e.shownException(ctx, caller, in.ID, host.CheckItem)
}

// GET /api/v1/positive-pay/ach-exceptions/{exception}
func (e *Edge) achException(ctx context.Context, in *exceptionInput) (*exceptionOutput, error) {
	caller, err := e.look(ctx, in.Acting, catalog.ARPACHExceptionDecide)
	if err != nil {
		return nil, err
	}
	return e.shownException(ctx, caller, in.ID, host.ACHItem)
}

func (e *Edge) shownException(ctx context.Context, caller bank.Caller, id string, kind host.ItemKind) (*exceptionOutput, error) {
	d, err := e.PositivePay.GetItem(ctx, caller, positivepay.ItemID(id))
	if err == nil && d.Kind != kind {
		err = positivepay.ErrNoItem
	}
	if err != nil {
		return nil, err
	}
	shown := exceptionOf(&d.Item, d.Window)
	if d.Issued != nil {
		issued := issuedOf(*d.Issued)
		shown.Issued = &issued
	}
	shown.Events = eventsOf(d.Events)
	return &exceptionOutput{shown}, nil
}

type checkImageInput struct {
	Acting
	ID   string `path:"exception" maxLength:"200"`
	Side string `path:"side" enum:"front,back"`
}

type arpImageOutput struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

// GET /api/v1/positive-pay/check-exceptions/{exception}/images/{side}
func (e *Edge) checkImage(ctx context.Context, in *checkImageInput) (*arpImageOutput, error) {
	caller, err := e.look(ctx, in.Acting, catalog.ARPCheckExceptionDecide)
	if err != nil {
		return nil, err
	}
	picture, err := e.PositivePay.Image(ctx, caller, positivepay.ItemID(in.ID), host.Side(in.Side))
	if err != nil {
		return nil, err
	}
	return &arpImageOutput{"image/png", picture}, nil
}

// DecideRequest says what becomes of an exception.
type DecideRequest struct {
	Verdict string `json:"verdict" enum:"pay,return"`
	Reason  string `json:"reason,omitempty" enum:"not_issued,amount,payee,duplicate,void,counterfeit,unauthorized,revoked,other" doc:"Why it goes back."`
	Note    string `json:"note,omitempty" maxLength:"400"`
	Version int64  `json:"version,omitempty" doc:"The exception as it was seen; absent: however it stands."`
}

type arpDecideInput struct {
	Changing
	ID   string `path:"exception" maxLength:"200"`
	Body DecideRequest
}

// POST /api/v1/positive-pay/check-exceptions/{exception}/decide
func (e *Edge) decideCheck(ctx context.Context, in *arpDecideInput) (*exceptionOutput, error) {
	return e.arpDecide(ctx, in, host.CheckItem, catalog.ARPCheckExceptionDecide, "decide-check-exception")
}

// POST /api/v1/positive-pay/ach-exceptions/{exception}/decide
func (e *Edge) decideACH(ctx context.Context, in *arpDecideInput) (*exceptionOutput, error) {
	return e.arpDecide(ctx, in, host.ACHItem, catalog.ARPACHExceptionDecide, "decide-ach-exception")
}

// decide lets the room judge: an exception that the person does not see is
// refused for the reason why, not called absent.
func (e *Edge) arpDecide(ctx context.Context, in *arpDecideInput, kind host.ItemKind, op catalog.Operation, name string) (*exceptionOutput, error) {
	ctx, caller, err := e.change(ctx, in.Changing, op, name, in.ID, in.Body)
	if err != nil {
		return nil, err
	}
	d, err := e.PositivePay.GetItem(ctx, caller, positivepay.ItemID(in.ID))
	if err == nil && d.Kind != kind {
		return nil, positivepay.ErrNoItem
	}
	if err != nil && fault.KindOf(err) != fault.Forbidden {
		return nil, err
	}
	_, err = e.PositivePay.Decide(ctx, caller, []positivepay.Decision{{
		Item: positivepay.ItemID(in.ID), Version: in.Body.Version, Verdict: positivepay.Verdict(in.Body.Verdict), Reason: positivepay.Reason(in.Body.Reason), Note: in.Body.Note,
	}})
	if err != nil {
		return nil, err
	}
	return e.shownException(ctx, caller, in.ID, kind)
}

type arpOutputsInput struct {
	Acting
	Account string `query:"account" maxLength:"200"`
}

// OutputFile is a file that can be downloaded.
type OutputFile struct {
	Account  string `json:"account"`
	Day      string `json:"day"`
	Paid     int    `json:"paid"`
	Amount   string `json:"amount" doc:"Of what was paid."`
	Returned int    `json:"returned"`
	Waiting  int    `json:"waiting"`
}

// OutputFileList lists output files, the latest first.
type OutputFileList struct {
	Files []OutputFile `json:"files"`
}

type arpOutputsOutput struct{ Body OutputFileList }

// GET /api/v1/positive-pay/output
func (e *Edge) arpOutputs(ctx context.Context, in *arpOutputsInput) (*arpOutputsOutput, error) {
	caller, err := e.look(ctx, in.Acting, catalog.ARPFileDownload)
	if err != nil {
		return nil, err
	}
	page, err := e.PositivePay.Outputs(ctx, caller, positivepay.OutputQuery{Account: bank.AccountID(in.Account)})
	if err != nil {
		return nil, err
	}
	list := OutputFileList{Files: []OutputFile{}}
	for _, o := range page.Outputs {
		list.Files = append(list.Files, OutputFile{string(o.Account), string(o.Day), o.Paid, o.PaidSum.String(), o.Returned, o.Waiting})
	}
	return &arpOutputsOutput{list}, nil
}

// OutputFileRequest names an output file.
type OutputFileRequest struct {
	Account string `json:"account" maxLength:"200"`
	Day     string `json:"day" maxLength:"10" doc:"The business day, such as 2026-03-02."`
}

// OutputFileText is an output file: docs/arp-output-file.md says what stands
// where.
type OutputFileText struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

type arpOutputInput struct {
	Acting
	Body OutputFileRequest
}

type arpOutputOutput struct{ Body OutputFileText }

// POST /api/v1/positive-pay/output/download
func (e *Edge) arpOutput(ctx context.Context, in *arpOutputInput) (*arpOutputOutput, error) {
	caller, err := e.look(ctx, in.Acting, catalog.ARPFileDownload)
	if err != nil {
		return nil, err
	}
	d, err := e.PositivePay.Download(ctx, caller, bank.AccountID(in.Body.Account), bank.Day(in.Body.Day))
	if err != nil {
		return nil, err
	}
	return &arpOutputOutput{OutputFileText{d.Name, string(d.Body)}}, nil
}
