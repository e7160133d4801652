package console

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/support"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// Support is what the screens of support cases need of their room.
type Support interface {
	Cases(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, member bank.UserID) ([]support.Case, error)
	OpenCase(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, member bank.UserID, d support.Draft) (number int64, err error)
	SetStatus(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, member bank.UserID, number int64, status support.Status) error
}

type memberCasesPage struct {
	memberFrame
	Cases    []support.Case
	Place    *time.Location
	Open     bool // whoever looks may open and change cases
	Subject  ui.Field
	Details  ui.Field
	Sentence string
	Problems []fault.Problem
}

// GET /{institution}/people/{organization}/members/{member}/cases
func (a *app) memberCases(w http.ResponseWriter, r *http.Request) error {
	return a.renderCases(w, r, web.NewForm(nil))
}

func (a *app) renderCases(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	frame, err := a.theMember(r, "Support cases")
	if err != nil {
		return err
	}
	who := memberID(r)
	page := memberCasesPage{memberFrame: frame, Place: frame.Me.Place(), Open: frame.may(catalog.PeopleManageAll), Sentence: f.Sentence, Problems: f.Problems,
		Subject: f.Field("subject", "What is it about?"), Details: f.Field("details", "Details")}
	page.Subject.Max, page.Details.Max, page.Details.Optional = support.MaxSubject, support.MaxDetails, true
	if page.Cases, err = a.Support.Cases(r.Context(), web.CallerOf(r.Context()), who.Organization, who.User); err != nil {
		return err
	}
	return web.Render(w, r, f.Status(), memberCasesView(page))
}

// POST /{institution}/people/{organization}/members/{member}/cases
func (a *app) openCase(w http.ResponseWriter, r *http.Request) error {
	f, who := web.ReadForm(r), memberID(r)
	number, err := a.Support.OpenCase(r.Context(), web.CallerOf(r.Context()), who.Organization, who.User, support.Draft{Subject: f.Raw("subject"), Details: f.Raw("details")})
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderCases(w, r, f)
	}
	return done(w, r, baseOf(r).member(who)+"/cases", "Case "+caseNumber(number)+" was opened")
}

func caseNumber(n int64) string { return "#" + strconv.FormatInt(n, 10) }

// POST /{institution}/people/{organization}/members/{member}/cases/{case}
func (a *app) changeCase(w http.ResponseWriter, r *http.Request) error {
	f, who := web.ReadForm(r), memberID(r)
	number, err := strconv.ParseInt(r.PathValue("case"), 10, 64)
	if err != nil {
		number = 0 // no case has that
	}
	err = a.Support.SetStatus(r.Context(), web.CallerOf(r.Context()), who.Organization, who.User, number, support.Status(f.Raw("status")))
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderCases(w, r, f)
	}
	return done(w, r, baseOf(r).member(who)+"/cases", "Case "+caseNumber(number)+" was changed")
}

// caseState is how the status of a case looks.
func caseState(s support.Status) ui.State {
	switch s {
	case support.Open:
		return ui.State{Word: s.Label(), Icon: "circle-dashed", Tone: ui.Note}
	case support.Waiting:
		return ui.State{Word: s.Label(), Icon: "hourglass", Tone: ui.Warn}
	}
	return ui.State{Word: s.Label(), Icon: "circle-check", Tone: ui.Good}
}

func caseOptions() (options []ui.Option) {
	for _, s := range support.Statuses() {
		options = append(options, ui.Option{Value: string(s), Label: s.Label()})
	}
	return options
}
