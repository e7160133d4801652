package console

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/fault"
	"mandate/internal/staff"
	"mandate/internal/web"
	"mandate/internal/web/entrance"
	"mandate/internal/web/ui"
)

// Approvals is what the console needs of the queue of what waits for staff.
type Approvals interface {
	StaffQueue(ctx context.Context, caller bank.Caller, groups []bank.GroupID, decided bool) ([]approval.StaffEntry, error)
	StaffCount(context.Context, bank.Caller, []bank.GroupID) (int, error)
	StaffItem(ctx context.Context, caller bank.Caller, groups []bank.GroupID, id string) (approval.StaffEntry, error)
	Agree(ctx context.Context, caller bank.Caller, id, hash, comment string) (done bool, err error)
	Decline(ctx context.Context, caller bank.Caller, id, comment string) error
}

func (b base) approvals() string        { return b.at("/approvals") }
func (b base) decided() string          { return b.at("/approvals?decided=yes") }
func (b base) waiting(id string) string { return b.approvals() + "/" + url.PathEscape(id) }

// approvalRoutes are the addresses of what waits for staff. Who may agree is
// judged by the queue: it depends on who asked.
func (a *app) approvalRoutes() []web.Route {
	own := web.Needs{Who: web.SignedIn, May: web.Own, Institution: web.FromPath}
	agree, decline := own, own
	agree.Event, agree.Proof, decline.Event = "org.entitlement_changed", true, "org.change_rejected"
	return []web.Route{
		{Method: "GET", Pattern: "/{institution}/approvals", Handler: a.introduced(a.approvalList), Needs: own},
		{Method: "GET", Pattern: "/{institution}/approvals/{item}", Handler: a.introduced(a.approval), Needs: own},
		{Method: "POST", Pattern: "/{institution}/approvals/{item}/agree", Handler: a.introduced(a.agree), Needs: agree},
		{Method: "POST", Pattern: "/{institution}/approvals/{item}/reject", Handler: a.introduced(a.decline), Needs: decline},
	}
}

func ownGroups(me *staff.Standing) (ids []bank.GroupID) {
	for _, g := range me.Groups {
		ids = append(ids, g.ID)
	}
	return ids
}

type approvalsPage struct {
	Shell   ui.Shell
	Tabs    []ui.Tab
	Decided bool
	Rows    []approvalRow
}

// An approvalRow is one item of the queue.
type approvalRow struct {
	Href, Title, By, When string
	State                 ui.State
}

// GET /{institution}/approvals
func (a *app) approvalList(w http.ResponseWriter, r *http.Request) error {
	me, err := a.me(r)
	if err != nil {
		return err
	}
	b := baseOf(r)
	page := approvalsPage{Decided: r.URL.Query().Get("decided") == "yes"}
	entries, err := a.Approvals.StaffQueue(r.Context(), web.CallerOf(r.Context()), ownGroups(&me), page.Decided)
	if err != nil {
		return err
	}
	page.Tabs = []ui.Tab{{Label: "Waiting", Href: b.approvals(), Current: !page.Decided}, {Label: "Decided", Href: b.decided(), Current: page.Decided}}
	for _, e := range entries {
		row := approvalRow{Href: b.waiting(e.ID), Title: e.Title, By: e.Initiator.Name, When: ui.DateTime(e.Expires, me.Place()), State: entryState(&e)}
		if page.Decided && !e.Decided.IsZero() {
			row.When = ui.DateTime(e.Decided, me.Place())
		}
		page.Rows = append(page.Rows, row)
	}
	if page.Shell, err = a.shell(r, &me, "Approvals"); err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, approvalsView(page))
}

// entryState is where an item stands, for whoever looks.
func entryState(e *approval.StaffEntry) ui.State {
	switch {
	case e.State == approval.Released:
		return ui.State{Word: "Done", Icon: "circle-check", Tone: ui.Good}
	case e.State == approval.Rejected && e.By.ID == e.Initiator.ID:
		return ui.State{Word: "Taken back", Icon: "circle-slash", Tone: ui.Plain}
	case e.State == approval.Rejected:
		return ui.State{Word: "Rejected", Icon: "circle-slash", Tone: ui.Bad}
	case e.State == approval.Expired:
		return ui.State{Word: "Nobody decided in time", Icon: "hourglass", Tone: ui.Warn}
	case e.Stale:
		return ui.State{Word: "Out of date", Icon: "triangle-alert", Tone: ui.Warn}
	case e.Mine:
		return ui.State{Word: "Waits for you", Icon: "hourglass", Tone: ui.Warn}
	case e.Agreed:
		return ui.State{Word: "You agreed", Icon: "circle-check", Tone: ui.Plain}
	}
	return ui.State{Word: "Waits for others", Icon: "hourglass", Tone: ui.Plain}
}

type approvalPage struct {
	Shell           ui.Shell
	Entry           approval.StaffEntry
	State           ui.State
	Lines           []ui.Change
	Facts           []ui.Fact
	Agree, Reject   string
	Comment         ui.Field
	Sentence        string
	Who             string
	RejectAs        string // what taking no for an answer is called
	CanAgree, CanNo bool
}

// GET /{institution}/approvals/{item}
func (a *app) approval(w http.ResponseWriter, r *http.Request) error {
	return a.renderApproval(w, r, web.NewForm(nil))
}

func (a *app) renderApproval(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	me, err := a.me(r)
	if err != nil {
		return err
	}
	e, err := a.Approvals.StaffItem(r.Context(), web.CallerOf(r.Context()), ownGroups(&me), r.PathValue("item"))
	if err != nil {
		return err
	}
	b := baseOf(r)
	at := b.waiting(e.ID)
	page := approvalPage{Entry: e, State: entryState(&e), Agree: at + "/agree", Reject: at + "/reject", RejectAs: "Reject", Sentence: f.Sentence, Comment: f.Field("comment", "Comment")}
	page.Comment.Optional, page.Comment.Max = true, approval.MaxComment
	page.CanAgree, page.CanNo = e.Mine, e.State == approval.Waiting && (e.Mine || e.Own || e.Stale)
	if e.Own {
		page.RejectAs = "Take back"
	}
	for _, line := range e.Lines {
		page.Lines = append(page.Lines, ui.Change{Sentence: line.Term + ": " + line.Value})
	}
	place := me.Place()
	page.Facts = []ui.Fact{{Term: "Asked by", Value: e.Initiator.Name}, {Term: "Asked on", Value: ui.DateTime(e.Asked, place)}}
	if e.State == approval.Waiting {
		page.Facts = append(page.Facts, ui.Fact{Term: "Waits until", Value: ui.DateTime(e.Expires, place)})
		page.Who = whoMustAgree(&e)
	} else {
		page.Facts = append(page.Facts, ui.Fact{Term: "Decided by", Value: orNone(e.By.Name)}, ui.Fact{Term: "Comment", Value: orNone(e.Comment)})
	}
	if page.Shell, err = a.shell(r, &me, e.Title, ui.Link{Label: "Approvals", Href: b.approvals()}); err != nil {
		return err
	}
	return web.Render(w, r, f.Status(), approvalView(page))
}

// whoMustAgree says of whom the agreement is needed, and who has given it.
func whoMustAgree(e *approval.StaffEntry) string {
	var names []string
	for _, v := range e.Oversight.Voices {
		names = append(names, v.Name)
	}
	who := "One of " + e.Oversight.Name + " must agree: "
	if e.Oversight.Every {
		who = "Everyone of " + e.Oversight.Name + " must agree: "
	}
	if len(names) == 0 {
		return who + "nobody there can now."
	}
	text := who + strings.Join(names, ", ") + "."
	if len(e.Said) > 0 {
		text += " Agreed so far: " + strings.Join(e.Said, ", ") + "."
	}
	return text
}

// POST /{institution}/approvals/{item}/agree
func (a *app) agree(w http.ResponseWriter, r *http.Request) error {
	f, id := web.ReadForm(r), r.PathValue("item")
	ask := func() (entrance.Proof, error) {
		return entrance.Proof{Text: "Before you agree to this change.", Cancel: baseOf(r).waiting(id), Crumbs: []ui.Link{{Label: "Approvals", Href: baseOf(r).approvals()}}}, nil
	}
	finished := false
	proven, err := a.door.Proven(w, r, ask, func() (err error) {
		finished, err = a.Approvals.Agree(r.Context(), web.CallerOf(r.Context()), id, f.Raw("hash"), f.Raw("comment"))
		return err
	})
	if err != nil || proven {
		said := "You agreed. It waits for the others."
		if finished {
			said = "You agreed, and the change was made"
		}
		return a.decidedAs(w, r, f, said, err)
	}
	return nil
}

// POST /{institution}/approvals/{item}/reject
func (a *app) decline(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	err := a.Approvals.Decline(r.Context(), web.CallerOf(r.Context()), r.PathValue("item"), f.Raw("comment"))
	return a.decidedAs(w, r, f, "Nothing was changed, and it no longer waits", err)
}

// decidedAs goes back to the item and says what came of the decision.
func (a *app) decidedAs(w http.ResponseWriter, r *http.Request, f *web.Form, said string, err error) error {
	at := baseOf(r).waiting(r.PathValue("item"))
	if err != nil && fault.KindOf(err) == fault.Conflict {
		return refusedAt(w, r, at, err)
	}
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderApproval(w, r, f)
	}
	return done(w, r, at, said)
}
