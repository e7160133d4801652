package online

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/a-h/templ"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/identity"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/phrase"
	"mandate/internal/web/ui"
)

// A manageCard is what an admin may do about somebody, as their profile offers
// it: what the role forbids is absent.
type manageCard struct {
	Name       string
	First      string
	Held       bool
	Locked     bool
	Pending    bool
	Menu       []ui.Action
	Release    string // where the hold is removed; empty where one may not
	Unlock     string
	Invite     string // where an invitation is sent
	SetUp      string // where a set-up that was left goes on
	Resend     bool   // an invitation was sent before
	Cancel     string // where the open invitation is cancelled
	Invitation invitationLine
	Earlier    []invitationLine
}

// An invitationLine says how far an invitation has come.
type invitationLine struct {
	State ui.State
	Text  string
}

// manage is the card of somebody's profile.
func (a *app) manage(r *http.Request, me usermgmt.Standing, m usermgmt.Member) (card manageCard, err error) {
	b, self := baseFor(me.Institution.ID), m.ID == me.Member.ID
	card = manageCard{Name: m.Name(), First: m.FirstName, Held: m.Held, Locked: m.Status == bank.StatusLocked, Pending: m.Status == bank.StatusPending}
	if m.Held && me.May(catalog.HoldUser) {
		card.Release = b.release(m.ID)
	}
	if card.Locked && me.May(catalog.UnlockUser) {
		card.Unlock = b.unlock(m.ID)
	}
	if card.Pending {
		if err := a.invitationOf(r, me, m, &card); err != nil {
			return card, err
		}
	}
	card.Menu = menuOf(b, me, m, self, &card)
	return card, nil
}

// menuOf is the settings menu of a profile, in the order of how often it is
// needed; what cannot be undone stands last.
func menuOf(b base, me usermgmt.Standing, m usermgmt.Member, self bool, card *manageCard) []ui.Action {
	var menu []ui.Action
	add := func(may bool, action ui.Action) {
		if may {
			menu = append(menu, action)
		}
	}
	add(me.May(catalog.EditProfile), ui.Action{Label: "Edit user", Icon: "pencil", Href: b.edit(m.ID)})
	add(card.Invite != "", ui.Action{Label: inviteLabel(card), Icon: "mail", Href: b.invite(m.ID), Dialog: true})
	add(card.Cancel != "", ui.Action{Label: "Cancel invitation", Icon: "x", Href: b.cancelInvite(m.ID), Dialog: true})
	add(me.May(catalog.EditPermissions) && !self, ui.Action{Label: "Copy permissions from a colleague", Icon: "copy", Href: b.copy(m.ID)})
	add(me.May(catalog.EditPermissions), ui.Action{Label: "Make view-only", Icon: "eye", Href: b.viewOnly(m.ID)})
	add(me.May(catalog.ResetPassword) && m.Username != "" && m.Status != bank.StatusDisabled,
		ui.Action{Label: "Send password reset link", Icon: "key-round", Href: b.reset(m.ID), Dialog: true})
	add(me.May(catalog.HoldUser) && !self && !m.Held && m.Status != bank.StatusDisabled,
		ui.Action{Label: "Hold account access", Icon: "circle-pause", Href: b.hold(m.ID), Dialog: true})
	add(me.May(catalog.EditProfile) && m.Avatar != "", ui.Action{Label: "Remove picture", Icon: "user", Href: b.user(m.ID) + "/picture/remove", Dialog: true})
	add(me.May(catalog.DeleteUser) && !self, ui.Action{Label: "Delete user", Icon: "trash-2", Variant: ui.Danger, Href: b.remove(m.ID)})
	return menu
}

func inviteLabel(card *manageCard) string {
	if card.Resend {
		return "Resend invitation"
	}
	return "Invite"
}

// invitationOf fills in how far somebody's invitation has come, and what can be
// done about it.
func (a *app) invitationOf(r *http.Request, me usermgmt.Standing, m usermgmt.Member, card *manageCard) error {
	caller, b := web.CallerOf(r.Context()), baseFor(me.Institution.ID)
	links, err := a.users.Invitations(r.Context(), caller, person(r))
	if err != nil {
		return err
	}
	for i, link := range links {
		line := invitationWords(link, a.site.Clock.Now(), me.Policy.Institution.Location)
		if i == 0 {
			card.Invitation = line
		} else {
			card.Earlier = append(card.Earlier, line)
		}
	}
	if !me.May(catalog.CreateUser) {
		return nil
	}
	card.Invite, card.Resend = b.invite(m.ID), len(links) > 0
	if len(links) > 0 && (links[0].Fresh() || links[0].State == identity.LinkRedeemed) {
		card.Cancel = b.cancelInvite(m.ID)
	}
	unfinished, err := a.users.Unfinished(r.Context(), caller, person(r))
	if len(unfinished) > 0 {
		card.SetUp = b.setup(m.ID)
	}
	return err
}

// invitationWords says where an invitation stands, in words.
func invitationWords(link identity.Link, now time.Time, place *time.Location) invitationLine {
	sent := "to " + link.Email + " by " + link.AskedBy + " on " + ui.DateTime(link.Issued, place)
	switch link.State {
	case identity.LinkQueued:
		return invitationLine{ui.State{Word: "Queued", Icon: "clock", Tone: ui.Note}, "On its way " + sent + "."}
	case identity.LinkAccepted:
		return invitationLine{ui.State{Word: "Accepted", Icon: "mail", Tone: ui.Good}, "Sent " + sent + "; the mail server has taken it. It can be used until " + ui.DateTime(link.Expires, place) + "."}
	case identity.LinkRefused:
		return invitationLine{ui.State{Word: "Refused", Icon: "octagon-alert", Tone: ui.Bad}, "Sent " + sent + ", and the mail server does not take it. Check the address, then send a new one."}
	case identity.LinkRedeemed:
		if now.Before(link.BrowserEnds) {
			return invitationLine{ui.State{Word: "Redeemed", Icon: "circle-dashed", Tone: ui.Note}, "Sent " + sent + ". They are creating their credentials now."}
		}
		return invitationLine{ui.State{Word: "Redeemed", Icon: "triangle-alert", Tone: ui.Warn}, "Sent " + sent + ". They began and did not finish: send a new one."}
	case identity.LinkCompleted:
		return invitationLine{ui.State{Word: "Completed", Icon: "circle-check", Tone: ui.Good}, "Their credentials are there. They become active when they sign in for the first time."}
	case identity.LinkExpired:
		return invitationLine{ui.State{Word: "Expired", Icon: "hourglass", Tone: ui.Warn}, "Sent " + sent + ". It ended on " + ui.DateTime(link.Expires, place) + ": send a new one."}
	case identity.LinkCancelled:
		return invitationLine{ui.State{Word: "Cancelled", Icon: "x", Tone: ui.Plain}, "Sent " + sent + ", and cancelled since."}
	}
	return invitationLine{ui.State{Word: "Replaced", Icon: "repeat", Tone: ui.Plain}, "Sent " + sent + ", and replaced by a newer one."}
}

// question answers a GET that asks before something happens.
func (a *app) question(w http.ResponseWriter, r *http.Request, status int, me usermgmt.Standing, m usermgmt.Member, c ui.Confirmation, fields templ.Component) error {
	b := baseFor(me.Institution.ID)
	c.Cancel = b.user(m.ID)
	return web.RenderConfirm(w, r, status, c, fields, func(content templ.Component) templ.Component {
		shell := a.shell(r, me, c.Title, underUser(b, m)...)
		shell.Narrow = true
		return ui.Within(ui.Page(shell), content)
	})
}

// settled ends a change of one button: with what was done, or with why it was
// not. A member who has changed meanwhile is shown as they are now.
func settled(w http.ResponseWriter, r *http.Request, err error, said, to string) error {
	switch fault.KindOf(err) {
	case fault.Conflict, fault.TooMany, fault.Unavailable:
		web.Flash(w, r, ui.Bad, web.SentenceOf(err))
	default:
		if err != nil {
			return err
		}
		if said != "" {
			web.Flash(w, r, ui.Good, said)
		}
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// GET /{institution}/settings/users/{user}/hold
func (a *app) askHold(w http.ResponseWriter, r *http.Request) error {
	me, profile, err := a.about(r, catalog.HoldUser)
	if err != nil {
		return err
	}
	return a.renderHold(w, r, http.StatusOK, me, profile.Member, "")
}

func (a *app) renderHold(w http.ResponseWriter, r *http.Request, status int, me usermgmt.Standing, m usermgmt.Member, wrong string) error {
	impact, err := a.users.Impact(r.Context(), web.CallerOf(r.Context()), person(r))
	if err != nil {
		return err
	}
	c := ui.Confirmation{
		Title: "Hold account access",
		Text: fmt.Sprintf("%s is signed out at once and cannot sign in until the hold is removed. They are not told why. Their status stays %s, and nothing of theirs is lost.",
			m.Name(), m.Status.Label()) + meanwhile(impact.Open),
		Action: baseOf(r).hold(m.ID), Confirm: ui.Action{Label: "Hold", Variant: ui.Primary, Busy: "Holding"}, Sentence: wrong,
	}
	why := ui.Field{Name: "why", Label: "Reason", Optional: true, Max: maxReason, Help: "Kept in the history, for admins and viewers.", Value: r.PostForm.Get("why")}
	return a.question(w, r, status, me, m, c, ui.TextField(why))
}

// meanwhile says what a hold does to what is under way on somebody's right.
func meanwhile(open []usermgmt.OpenItem) string {
	if len(open) == 0 {
		return ""
	}
	titles := make([]string, min(len(open), maxOpenTitles))
	for i := range titles {
		titles[i] = phrase.Capital(open[i].Title)
	}
	if more := len(open) - len(titles); more > 0 {
		titles = append(titles, fmt.Sprintf("%d more", more))
	}
	return " What depends on them does not go out while the hold lasts: " + strings.Join(titles, "; ") + "."
}

const (
	maxReason     = 200
	maxOpenTitles = 5 // of what is under way, in a question
)

// POST /{institution}/settings/users/{user}/hold
func (a *app) hold(w http.ResponseWriter, r *http.Request) error {
	me, profile, err := a.about(r, catalog.HoldUser)
	if err != nil {
		return err
	}
	f, m, b := web.ReadForm(r), profile.Member, baseOf(r)
	why := f.Text("why", maxReason)
	if !f.OK() {
		return a.renderHold(w, r, http.StatusUnprocessableEntity, me, m, f.Problem("why"))
	}
	ask := proofFor(b, m, "Before you put "+m.Name()+"'s account access on hold.")
	done, err := a.proven(w, r, ask, func() error { return a.users.Hold(r.Context(), web.CallerOf(r.Context()), person(r), why) })
	if fault.KindOf(err) == fault.Conflict {
		return a.renderHold(w, r, http.StatusConflict, me, m, web.SentenceOf(err))
	}
	if err != nil || !done {
		return err
	}
	return settled(w, r, nil, m.Name()+"'s account access is on hold", b.user(m.ID))
}

// proofFor is what a high-risk authorization about somebody says.
func proofFor(b base, m usermgmt.Member, text string) func() (proof, error) {
	return func() (proof, error) {
		return proof{Text: text, Cancel: b.user(m.ID), Crumbs: underUser(b, m)}, nil
	}
}

// POST /{institution}/settings/users/{user}/release
func (a *app) release(w http.ResponseWriter, r *http.Request) error {
	_, profile, err := a.about(r, catalog.HoldUser)
	if err != nil {
		return err
	}
	err = a.users.Release(r.Context(), web.CallerOf(r.Context()), person(r))
	return settled(w, r, err, "The hold on "+profile.Member.Name()+"'s account access has been removed", baseOf(r).user(profile.Member.ID))
}

// unlock unlocks at once, and then asks whether a new password is needed.
//
// POST /{institution}/settings/users/{user}/unlock
func (a *app) unlock(w http.ResponseWriter, r *http.Request) error {
	b, user := baseOf(r), person(r).User
	if err := a.users.Unlock(r.Context(), web.CallerOf(r.Context()), person(r)); err != nil {
		return settled(w, r, err, "", b.user(user))
	}
	if web.Partial(r) {
		return a.unlocked(w, r)
	}
	http.Redirect(w, r, b.user(user)+"/unlocked", http.StatusSeeOther)
	return nil
}

// GET /{institution}/settings/users/{user}/unlocked
func (a *app) unlocked(w http.ResponseWriter, r *http.Request) error {
	me, profile, err := a.about(r, catalog.UnlockUser)
	if err != nil {
		return err
	}
	m, b := profile.Member, baseOf(r)
	c := ui.Confirmation{
		Title: "User successfully unlocked",
		Text:  m.Name() + " can sign in again with the password they have. If they do not know it any more, send them a link to choose a new one.",
		Done:  "I'm done", After: b.user(m.ID),
		Action: b.reset(m.ID), Confirm: ui.Action{Label: "Send password reset link", Variant: ui.Primary, Busy: "Sending"},
	}
	if m.Held {
		c.Text = m.Name() + " is unlocked. Their account access is still on hold, so they cannot sign in yet."
	}
	return a.question(w, r, http.StatusOK, me, m, c, nil)
}

// GET /{institution}/settings/users/{user}/reset
func (a *app) askReset(w http.ResponseWriter, r *http.Request) error {
	me, profile, err := a.about(r, catalog.ResetPassword)
	if err != nil {
		return err
	}
	m := profile.Member
	text := fmt.Sprintf("A link to choose a new password goes to %s. It can be used once, for 30 minutes, and nobody else sees it or the password. The present password works until then.", m.Email)
	if m.Status == bank.StatusLocked || m.Held {
		text += " It does not unlock them and removes no hold."
	}
	return a.question(w, r, http.StatusOK, me, m, ui.Confirmation{
		Title: "Send password reset link", Text: text, Action: baseOf(r).reset(m.ID),
		Confirm: ui.Action{Label: "Email", Icon: "mail", Variant: ui.Primary, Busy: "Sending"},
	}, nil)
}

// POST /{institution}/settings/users/{user}/reset
func (a *app) sendReset(w http.ResponseWriter, r *http.Request) error {
	err := a.users.SendReset(r.Context(), web.CallerOf(r.Context()), person(r))
	return settled(w, r, err, "Sent password reset link successfully", baseOf(r).user(person(r).User))
}

type deletePage struct {
	Shell    ui.Shell
	Name     string
	Action   string
	Cancel   string
	Sentence string
	Problems []fault.Problem
	Blocked  string // why it cannot be done at all
	Ends     []string
	Open     []string
	Typed    ui.Field
}

// askDelete shows what goes with somebody, and asks for their name.
//
// GET /{institution}/settings/users/{user}/delete
func (a *app) askDelete(w http.ResponseWriter, r *http.Request) error {
	return a.renderDelete(w, r, http.StatusOK, "", "")
}

func (a *app) renderDelete(w http.ResponseWriter, r *http.Request, status int, wrong, atField string) error {
	me, err := a.me(r)
	if err != nil {
		return err
	}
	impact, err := a.users.Impact(r.Context(), web.CallerOf(r.Context()), person(r))
	if err != nil {
		return err
	}
	m, b := impact.Profile.Member, baseFor(me.Institution.ID)
	page := deletePage{
		Shell: a.shell(r, me, "Delete user", underUser(b, m)...), Name: m.Name(), Action: b.remove(m.ID), Cancel: b.user(m.ID), Sentence: wrong,
		Ends: impactLines(me, &impact), Open: openLines(&impact),
		Typed: ui.Field{Name: "typed", Label: "Type the name to confirm", Help: m.Name(), Autocomplete: "off", Width: "medium", Value: r.PostForm.Get("typed"), Problem: atField},
	}
	if atField != "" {
		page.Problems = []fault.Problem{{Field: "typed", Sentence: atField}}
	}
	switch {
	case impact.Self:
		page.Blocked = "Nobody deletes themself. Ask another admin."
	case impact.LastAdmin:
		page.Blocked = m.Name() + " is the last admin who can sign in, so " + me.Organization.Name + " would be left without one. Make somebody else an admin first."
	}
	page.Shell.Narrow = true
	return web.Render(w, r, status, deleteView(page))
}

func impactLines(me usermgmt.Standing, impact *usermgmt.Impact) []string {
	m := impact.Profile.Member
	lines := []string{"Their permissions, their access to " + countLower(impact.Profile.Enabled()) + " and their sign-in, for good. Nothing brings them back."}
	if impact.SignIns > 0 {
		lines = append(lines, "They are signed in now, and are signed out at once.")
	}
	if impact.Invited {
		lines = append(lines, "Their open invitation is of no use any more.")
	}
	if m.Role == bank.RoleAdmin {
		lines = append(lines, me.Organization.Name+" has one admin less.")
	}
	return append(lines, "History and payments keep the name. Somebody of the same name who comes later inherits nothing.")
}

// openLines are payments under way that cannot go out afterwards.
func openLines(impact *usermgmt.Impact) []string {
	names := map[bank.AccountID]string{}
	for _, account := range impact.Profile.Accounts {
		names[account.ID] = accountName(account.Account)
	}
	var lines []string
	for _, item := range impact.Open {
		line := phrase.Capital(item.Title)
		if name := names[item.Account]; name != "" {
			line += ", from " + name
		}
		if item.Ref != "" {
			line += " (" + item.Ref + ")"
		}
		lines = append(lines, line+": "+endingWords(item))
	}
	if more := len(lines) - maxOpenLines; more > 0 {
		lines = append(lines[:maxOpenLines], fmt.Sprintf("And %d more.", more))
	}
	return lines
}

// maxOpenLines is how much of what is under way is listed.
const maxOpenLines = 20

// endingWords say what becomes of something under way.
func endingWords(item usermgmt.OpenItem) string {
	switch item.Ends {
	case usermgmt.WaitsForSecond:
		return "waits for a second person, and cannot go out any more."
	case usermgmt.WaitsForRelease:
		return "waits to be released, and cannot be any more."
	case usermgmt.Scheduled:
		return "scheduled for " + date(item.Day) + ". It stops on that day, and the admins are told."
	case usermgmt.Repeats:
		return "every further one stops on its day, and the admins are told. Set it up again in somebody else's name."
	}
	return "waits for their approval, and nobody else may give it."
}

// POST /{institution}/settings/users/{user}/delete
func (a *app) deleteUser(w http.ResponseWriter, r *http.Request) error {
	_, profile, err := a.about(r, catalog.DeleteUser)
	if err != nil {
		return err
	}
	f, m, b := web.ReadForm(r), profile.Member, baseOf(r)
	if typed := f.Raw("typed"); usermgmt.Fold(strings.Join(strings.Fields(typed), " ")) != usermgmt.Fold(m.Name()) {
		return a.renderDelete(w, r, http.StatusUnprocessableEntity, "", "Type "+m.Name()+" to confirm.")
	}
	ask := proofFor(b, m, "Before you delete "+m.Name()+". It cannot be undone.")
	done, err := a.proven(w, r, ask, func() error { return a.users.Delete(r.Context(), web.CallerOf(r.Context()), person(r)) })
	if fault.KindOf(err) == fault.Conflict {
		return a.renderDelete(w, r, http.StatusConflict, web.SentenceOf(err), "")
	}
	if err != nil || !done {
		return err
	}
	if a.host != nil {
		a.host.Now(r.Context()) // usually the host has done it before the next page
	}
	return settled(w, r, nil, m.Name()+" was successfully deleted", b.users())
}
