package console

import (
	"net/http"
	"slices"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/fault"
	"mandate/internal/staff"
	"mandate/internal/web"
	"mandate/internal/web/entrance"
	"mandate/internal/web/ui"
)

// A groupChoice is a group that somebody may be put into, or may not and why.
type groupChoice struct {
	staff.Group
	Chosen bool
	Why    string // why it cannot be chosen; empty where it can
}

// choices are all groups, with those that are chosen.
func choices(groups []staff.Group, me *staff.Standing, chosen []bank.GroupID) (all []groupChoice) {
	for _, g := range groups {
		c := groupChoice{Group: g, Chosen: slices.Contains(chosen, g.ID)}
		if missing := beyond(g.Draft, me); len(missing) > 0 {
			c.Why = "It permits what you do not hold yourself: " + strings.Join(missing, ", ") + "."
		}
		all = append(all, c)
	}
	return all
}

func chosenGroups(f *web.Form) (ids []bank.GroupID) {
	for _, id := range f.All("groups") {
		ids = append(ids, bank.GroupID(id))
	}
	return ids
}

type invitePage struct {
	Shell    ui.Shell
	Action   string
	Cancel   string
	Sentence string
	Problems []fault.Problem
	Emails   ui.Field
	Groups   []groupChoice
	Wrong    string // with the groups
}

// GET /{institution}/users/invite
func (a *app) invitePage(w http.ResponseWriter, r *http.Request) error {
	return a.renderInvite(w, r, web.NewForm(nil))
}

func (a *app) renderInvite(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	me, err := a.me(r)
	if err != nil {
		return err
	}
	groups, err := a.staff.Groups(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	b := baseOf(r)
	page := invitePage{Action: b.invite(), Cancel: b.users(), Sentence: f.Sentence, Problems: f.Problems,
		Emails: f.Field("emails", "Email addresses"), Groups: choices(groups, &me, chosenGroups(f)), Wrong: f.Problem("groups")}
	page.Emails.Help = "One or many, separated by commas or on lines of their own. You can also paste a CSV file with a column named email."
	if page.Shell, err = a.shell(r, &me, "Invite users", ui.Link{Label: "Users", Href: b.users()}); err != nil {
		return err
	}
	page.Shell.Narrow = true
	return web.Render(w, r, f.Status(), inviteView(page))
}

type outcomesPage struct {
	Shell    ui.Shell
	Title    string
	Outcomes []staff.Outcome
	Base     base
}

// invite sends what can be sent, and says of every address what became of it.
//
// POST /{institution}/users/invite
func (a *app) invite(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	invitation := staff.Invitation{Emails: staff.ReadEmails(f.Raw("emails")), Groups: chosenGroups(f)}
	b := baseOf(r)
	ask := func() (entrance.Proof, error) {
		return entrance.Proof{Text: "Before you invite " + ui.Count(len(invitation.Emails), "address", "addresses") + ".", Cancel: b.users(),
			Crumbs: []ui.Link{{Label: "Users", Href: b.users()}}}, nil
	}
	var outcomes []staff.Outcome
	proven, err := a.door.Proven(w, r, ask, func() (err error) {
		outcomes, err = a.staff.Invite(r.Context(), web.CallerOf(r.Context()), invitation)
		return err
	})
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderInvite(w, r, f)
	}
	if !proven {
		return nil
	}
	return a.renderOutcomes(w, r, outcomes)
}

func (a *app) renderOutcomes(w http.ResponseWriter, r *http.Request, outcomes []staff.Outcome) error {
	sent := 0
	for _, o := range outcomes {
		if o.Invited {
			sent++
		}
	}
	b := baseOf(r)
	page := outcomesPage{Title: ui.Count(sent, "invitation sent", "invitations sent"), Outcomes: outcomes, Base: b}
	var err error
	if page.Shell, err = a.ownShell(r, page.Title, ui.Link{Label: "Users", Href: b.users()}); err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, outcomesView(page))
}
