package console

import (
	"net/http"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// What a credit union's staff may do besides a bank's: place and remove holds,
// and delete. The addresses are there in both editions: a bank's staff are
// refused by the room, with who can.

// mayHold reports whether the edition lets staff hold and delete members.
func (p *memberFrame) mayHold() bool {
	return p.may(catalog.PeopleManageAll) && p.Profile.Policy.Institution.Edition == bank.EditionCreditUnion
}

// GET /{institution}/people/{organization}/members/{member}/hold
func (a *app) askHoldMember(w http.ResponseWriter, r *http.Request) error {
	p, err := a.theMember(r, "Hold account access")
	if err != nil {
		return err
	}
	if !p.mayHold() {
		return errOnlyOrganization
	}
	m := &p.Profile.Member
	return a.question(w, r, &p, ui.Confirmation{
		Title: "Hold account access", Action: p.at("/hold"), Confirm: ui.Action{Label: "Hold", Variant: ui.Primary, Busy: "Holding"},
		Text: m.Name() + " is signed out at once and cannot sign in until the hold is removed. They are not told why. Their status stays " + m.Status.Label() + ", and nothing of theirs is lost.",
	}, ui.TextField(ui.Field{Name: "why", Label: "Reason", Optional: true, Max: maxReason, Help: "Kept in the history."}))
}

const maxReason = 200

// POST /{institution}/people/{organization}/members/{member}/hold
func (a *app) holdMember(w http.ResponseWriter, r *http.Request) error {
	f, back := web.ReadForm(r), baseOf(r).member(memberID(r))
	why := f.Text("why", maxReason)
	proven, err := a.door.Proven(w, r, a.memberProof(r, "Before you put the account access on hold of ", back), func() error {
		return a.Customers.Hold(r.Context(), web.CallerOf(r.Context()), memberID(r), why)
	})
	if err == nil && !proven {
		return nil
	}
	return ended(w, r, err, "The account access is on hold", back)
}

// POST /{institution}/people/{organization}/members/{member}/release
func (a *app) releaseMember(w http.ResponseWriter, r *http.Request) error {
	caller, back := web.CallerOf(r.Context()), baseOf(r).member(memberID(r))
	p, err := a.Customers.Profile(r.Context(), caller, memberID(r))
	if err != nil {
		return err
	}
	err = a.Customers.Release(r.Context(), caller, memberID(r))
	return ended(w, r, err, "The hold on "+p.Member.Name()+"'s account access has been removed successfully", back)
}

// GET /{institution}/people/{organization}/members/{member}/delete
func (a *app) askDeleteMember(w http.ResponseWriter, r *http.Request) error {
	return a.renderDeleteMember(w, r, "")
}

// errOnlyOrganization refuses a page whose form a bank's staff could not send.
var errOnlyOrganization = fault.New(fault.Forbidden, "The institution's staff cannot do this. An admin of the organization can.").With("CHANNEL_NOT_ALLOWED")

func (a *app) renderDeleteMember(w http.ResponseWriter, r *http.Request, wrong string) error {
	p, err := a.theMember(r, "Delete user")
	if err != nil {
		return err
	}
	if !p.mayHold() {
		return errOnlyOrganization
	}
	return a.question(w, r, &p, ui.Confirmation{
		Title: "Delete " + p.Profile.Member.Name() + "?", Action: p.at("/delete"), Confirm: ui.Action{Label: "Delete user", Variant: ui.Danger, Busy: "Deleting"}, Sentence: wrong,
		Text: "Their permissions, their accounts and their sign-in end for good, here and at the host. History and payments keep the name.",
	}, ui.TextField(ui.Field{Name: "typed", Label: "Type the name to confirm", Help: p.Profile.Member.Name(), Autocomplete: "off", Problem: wrong}))
}

// POST /{institution}/people/{organization}/members/{member}/delete
func (a *app) deleteMember(w http.ResponseWriter, r *http.Request) error {
	f, caller, back := web.ReadForm(r), web.CallerOf(r.Context()), baseOf(r).member(memberID(r))
	frame, err := a.theMember(r, "Delete user")
	if err != nil {
		return err
	}
	p := &frame.Profile
	// Whoever may not delete is refused by the room, which keeps the attempt.
	if typed := strings.Join(strings.Fields(f.Raw("typed")), " "); frame.mayHold() && usermgmt.Fold(typed) != usermgmt.Fold(p.Member.Name()) {
		return a.renderDeleteMember(w, r, "Type "+p.Member.Name()+" to confirm.")
	}
	proven, err := a.door.Proven(w, r, a.memberProof(r, "It cannot be undone. Before you delete ", back), func() error {
		return a.Customers.Delete(r.Context(), caller, memberID(r))
	})
	if err == nil && !proven {
		return nil
	}
	if err != nil {
		return ended(w, r, err, "", back)
	}
	return done(w, r, baseOf(r).organization(organizationID(r))+"/members", p.Member.Name()+" was successfully deleted")
}
