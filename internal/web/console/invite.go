package console

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

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
func choices(groups []staff.Group, me *staff.Standing, chosen []bank.GroupID, products []staff.Product) (all []groupChoice) {
	for _, g := range groups {
		c := groupChoice{Group: g, Chosen: slices.Contains(chosen, g.ID)}
		if missing := beyond(g.Draft, me, products); len(missing) > 0 {
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
	FromFile string
	Cancel   string
	Sentence string
	Problems []fault.Problem
	Emails   ui.Field
	File     ui.Field
	Groups   groupChooser
	Judged   bool   // what stands here was judged: the button is off where it could not work
	Ready    bool   // it can work
	Why      string // why it could not, or what it would do
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
	b := baseOf(r)
	page := invitePage{Action: b.invite(), FromFile: b.invite() + "/file", Cancel: b.users(), Sentence: f.Sentence, Problems: f.Problems,
		Emails: f.Field("emails", "Email addresses"), File: f.Field("file", "CSV file")}
	if page.Groups, err = a.chooser(r, f, &me, chosenGroups(f), b.invite()); err != nil {
		return err
	}
	page.Groups.Legend, page.Groups.Help = "Groups", "At least one. A group may permit nothing."
	page.Emails.Help = "One or many, separated by commas or on lines of their own."
	page.File.Help, page.File.Optional = "With a column named email, or one address on each line. The addresses are added above, to be looked at before anything is sent.", true
	page.Judged = f.Raw(pickField) == pickJudge
	page.Ready, page.Why = readiness(staff.ReadEmails(f.Raw("emails")), chosenGroups(f))
	if page.Shell, err = a.shell(r, &me, "Invite users", ui.Link{Label: "Users", Href: b.users()}); err != nil {
		return err
	}
	page.Shell.Narrow = true
	return web.Render(w, r, f.Status(), inviteView(page))
}

// readiness says whether an invitation could be sent, and why not.
func readiness(emails []string, groups []bank.GroupID) (ready bool, why string) {
	good := 0
	for _, email := range emails {
		if bank.EmailProblem(email) == "" {
			good++
		}
	}
	switch {
	case len(emails) == 0 && len(groups) == 0:
		return false, "Enter at least one email address and choose at least one group, then it can be sent."
	case len(emails) == 0:
		return false, "Enter at least one email address, then it can be sent."
	case good == 0:
		return false, "None of this is an email address, so there is nobody to send it to."
	case len(groups) == 0:
		return false, "Choose at least one group, then it can be sent."
	case good < len(emails):
		return true, ui.Count(good, "address gets", "addresses get") + " an invitation; " + ui.Count(len(emails)-good, "is", "are") + " no address."
	}
	return true, ui.Count(good, "address gets", "addresses get") + " an invitation."
}

const maxAddressFile = 256 << 10

// addressesFromFile adds what a file says to the addresses of the form, and
// sends nothing.
//
// POST /{institution}/users/invite/file
func (a *app) addressesFromFile(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	text, err := uploadedText(r)
	if err != nil {
		f.Wrong("file", "Choose a text or CSV file of at most 256 KB.")
		return a.renderInvite(w, r, f)
	}
	found := staff.ReadEmails(text)
	if len(found) == 0 {
		f.Wrong("file", "There is no address in this file. It needs a column named email, or one address on each line.")
		return a.renderInvite(w, r, f)
	}
	all := append(staff.ReadEmails(f.Raw("emails")), found...)
	values := map[string]string{"emails": strings.Join(all, "\n"), "find_group": f.Raw("find_group")}
	again := web.NewForm(values).With("groups", f.All("groups"))
	return a.renderInvite(w, r, again)
}

// fileOfAddresses lets a route take a file.
func (a *app) fileOfAddresses(route web.Route) web.Route {
	route.MaxBody = maxAddressFile + 1<<16
	return route
}

func uploadedText(r *http.Request) (string, error) {
	file, _, err := r.FormFile("file")
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(file, maxAddressFile+1))
	if err != nil || len(text) > maxAddressFile || !utf8.Valid(text) {
		return "", errors.Join(err, errors.New("no text of a bearable length"))
	}
	return string(text), nil
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
	if f.Sent(pickField) { // a search among the groups, or a look at what could be sent
		return a.renderInvite(w, r, f)
	}
	invitation := staff.Invitation{Emails: staff.ReadEmails(f.Raw("emails")), Groups: chosenGroups(f)}
	b := baseOf(r)
	ask := func() (entrance.Proof, error) {
		return entrance.Proof{Text: "Before you invite " + ui.Count(len(invitation.Emails), "address", "addresses") + ".", Cancel: b.users(),
			Crumbs: []ui.Link{{Label: "Users", Href: b.users()}}}, nil
	}
	var outcomes []staff.Outcome
	proven, err := a.door.Proven(w, r, ask, func() (err error) {
		outcomes, err = a.Staff.Invite(r.Context(), web.CallerOf(r.Context()), invitation)
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
