package online

import (
	"errors"
	"net/http"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

type inviteBlockedPage struct {
	Shell    ui.Shell
	Member   usermgmt.Member
	Action   string
	Cancel   string
	Then     string
	Sentence string
	Picker   picker
}

// askInvite asks before an invitation goes out; where it cannot, it says why
// and offers the accounts.
//
// GET /{institution}/settings/users/{user}/invite
func (a *app) askInvite(w http.ResponseWriter, r *http.Request) error {
	me, profile, err := a.about(r, catalog.CreateUser)
	if err != nil {
		return err
	}
	m := profile.Member
	if m.Status != bank.StatusPending {
		return errNotPending
	}
	if profile.Enabled() == 0 && !web.Partial(r) {
		return a.renderInviteBlocked(w, r, http.StatusOK, me, profile, nil, "")
	}
	return a.question(w, r, http.StatusOK, me, m, ui.Confirmation{
		Title:   "Send email invite",
		Text:    "An invitation in your name goes to " + m.Email + ". It can be used once, for seven days. An earlier one is of no use any more.",
		Action:  baseOf(r).invite(m.ID),
		Confirm: ui.Action{Label: "Send email invite", Icon: "mail", Variant: ui.Primary, Busy: "Sending"},
	}, nil)
}

var errNotPending = fault.New(fault.Conflict, "Only people who are pending can be invited. This person has joined already.").With("NOT_PENDING")

// invite sends an invitation. Accounts that were chosen right there are enabled
// before.
//
// POST /{institution}/settings/users/{user}/invite
func (a *app) invite(w http.ResponseWriter, r *http.Request) error {
	f, caller, b := web.ReadForm(r), web.CallerOf(r.Context()), baseOf(r)
	to := b.user(person(r).User)
	if f.Raw("then") == "list" {
		to = b.users()
	}
	if f.Sent("shown") {
		if answered, err := a.enableFirst(w, r, f); err != nil || answered {
			return err
		}
	}
	err := a.users.Invite(r.Context(), caller, person(r))
	if errors.Is(err, usermgmt.ErrNoAccounts) {
		return a.inviteBlocked(w, r, http.StatusConflict, nil, "")
	}
	return settled(w, r, err, "Invitation sent successfully", to)
}

// enableFirst enables the accounts that were chosen on the page that an
// invitation was refused with.
func (a *app) enableFirst(w http.ResponseWriter, r *http.Request, f *web.Form) (answered bool, err error) {
	caller := web.CallerOf(r.Context())
	profile, err := a.users.Profile(r.Context(), caller, person(r))
	if err != nil {
		return false, err
	}
	chosen := readPicker(f, profile.Accounts)
	if f.Raw("do") != pickDone {
		return true, a.inviteBlocked(w, r, http.StatusOK, chosen, "")
	}
	if len(chosen) == 0 {
		return true, a.inviteBlocked(w, r, http.StatusUnprocessableEntity, nil, usermgmt.ErrChooseAccount.Sentence)
	}
	on := map[bank.AccountID]bool{}
	for _, id := range chosen {
		on[id] = true
	}
	edit := usermgmt.Edit{Person: person(r), Version: profile.Member.Version, Changes: usermgmt.Access(&profile, on)}
	err = a.users.EnableAccounts(r.Context(), caller, edit)
	if kind := fault.KindOf(err); err != nil && (kind == fault.Conflict || kind == fault.Invalid) {
		return true, a.inviteBlocked(w, r, http.StatusConflict, chosen, web.SentenceOf(err))
	}
	return false, err
}

func (a *app) inviteBlocked(w http.ResponseWriter, r *http.Request, status int, chosen []bank.AccountID, sentence string) error {
	me, profile, err := a.about(r, catalog.CreateUser)
	if err != nil {
		return err
	}
	return a.renderInviteBlocked(w, r, status, me, profile, chosen, sentence)
}

func (a *app) renderInviteBlocked(w http.ResponseWriter, r *http.Request, status int, me usermgmt.Standing, profile usermgmt.Profile, chosen []bank.AccountID, sentence string) error {
	b, m := baseFor(me.Institution.ID), profile.Member
	page := inviteBlockedPage{
		Shell: a.shell(r, me, "Unable to invite user", underUser(b, m)...), Member: m, Action: b.invite(m.ID), Cancel: b.user(m.ID),
		Then: r.FormValue("then"), Sentence: sentence, Picker: newAccountPicker(profile.Accounts, chosen, r.PostForm.Get("q"), b.invite(m.ID)),
	}
	page.Shell.Narrow = true
	return web.Render(w, r, status, inviteBlockedView(page))
}

// GET /{institution}/settings/users/{user}/cancel-invitation
func (a *app) askCancelInvite(w http.ResponseWriter, r *http.Request) error {
	me, profile, err := a.about(r, catalog.CreateUser)
	if err != nil {
		return err
	}
	m := profile.Member
	return a.question(w, r, http.StatusOK, me, m, ui.Confirmation{
		Title:   "Cancel invitation",
		Text:    "The link in the mail to " + m.Email + " is of no use any more. You can send a new one whenever you like.",
		Action:  baseOf(r).cancelInvite(m.ID),
		Confirm: ui.Action{Label: "Cancel invitation", Variant: ui.Primary}, Done: "Keep it",
	}, nil)
}

// POST /{institution}/settings/users/{user}/cancel-invitation
func (a *app) cancelInvite(w http.ResponseWriter, r *http.Request) error {
	err := a.users.CancelInvitation(r.Context(), web.CallerOf(r.Context()), person(r))
	return settled(w, r, err, "Invitation cancelled", baseOf(r).user(person(r).User))
}
