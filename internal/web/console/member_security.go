package console

import (
	"net/http"
	"time"

	"github.com/a-h/templ"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/identity"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/entrance"
	"mandate/internal/web/ui"
)

type memberSecurityPage struct {
	memberFrame
	Security usermgmt.Security
	Place    *time.Location
	ReadOnly string // why nothing can be changed here; empty where it can
}

// readOnly says why whoever looks cannot change how customers sign in. The room
// decides it again for every change.
func (p *memberFrame) readOnly() string {
	switch {
	case !p.may(catalog.PeopleManageAll):
		return "You may look here and change nothing: that needs the right “" + catalog.PeopleManageAll.Info().Label + "” of People."
	case p.Me.SecondFrom == "" || !p.Me.SecondFactor:
		return usermgmt.ErrSecurityReadOnly.Sentence
	}
	return ""
}

// GET /{institution}/people/{organization}/members/{member}/security
func (a *app) memberSecurity(w http.ResponseWriter, r *http.Request) error {
	frame, err := a.theMember(r, "Security")
	if err != nil {
		return err
	}
	page := memberSecurityPage{memberFrame: frame, Place: frame.Me.Place(), ReadOnly: frame.readOnly()}
	if page.Security, err = a.Customers.Security(r.Context(), web.CallerOf(r.Context()), memberID(r)); err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, memberSecurityView(page))
}

// resetFacts say when a password was last reset, and by which way.
func (p *memberSecurityPage) resetFacts() []ui.Fact {
	l := p.Security.Reset
	if l == nil {
		return []ui.Fact{{Term: "Last reset", Value: "Never"}}
	}
	return []ui.Fact{{Term: "Last reset", Value: ui.DateTime(l.Issued, p.Place)}, {Term: "Sent by", Value: "Email to " + l.Email}, {Term: "Asked for by", Value: l.AskedBy}, {Term: "How far it has come", Value: linkWords(l, p.Place)}}
}

// factorKind is a second factor as people know it.
func factorKind(m identity.Method) string {
	if m == identity.MethodPasskey {
		return "Passkey"
	}
	return "Authenticator app"
}

// question asks about a member before something happens.
func (a *app) question(w http.ResponseWriter, r *http.Request, p *memberFrame, c ui.Confirmation, fields templ.Component) error {
	if c.Cancel == "" {
		c.Cancel = p.at("")
	}
	return web.RenderConfirm(w, r, http.StatusOK, c, fields, func(content templ.Component) templ.Component {
		p.Shell.Title, p.Shell.Narrow = c.Title, true
		p.Shell.Crumbs = append(p.Shell.Crumbs, ui.Link{Label: p.Profile.Member.Name(), Href: p.at("")})
		return ui.Within(ui.Page(p.Shell), content)
	})
}

// ended ends a change of one button: with what was done, or with why it was
// not.
func ended(w http.ResponseWriter, r *http.Request, err error, said, to string) error {
	switch fault.KindOf(err) {
	case fault.Conflict, fault.TooMany, fault.Unavailable:
		return refusedAt(w, r, to, err)
	}
	if err != nil {
		return err
	}
	return done(w, r, to, said)
}

// unlock unlocks at once, and then asks whether a new password is needed.
//
// POST /{institution}/people/{organization}/members/{member}/unlock
func (a *app) unlockMember(w http.ResponseWriter, r *http.Request) error {
	at := baseOf(r).member(memberID(r))
	if err := a.Customers.Unlock(r.Context(), web.CallerOf(r.Context()), memberID(r)); err != nil {
		return ended(w, r, err, "", at)
	}
	if web.Partial(r) {
		return a.unlockedMember(w, r)
	}
	http.Redirect(w, r, at+"/unlocked", http.StatusSeeOther)
	return nil
}

// GET /{institution}/people/{organization}/members/{member}/unlocked
func (a *app) unlockedMember(w http.ResponseWriter, r *http.Request) error {
	p, err := a.theMember(r, "Overview")
	if err != nil {
		return err
	}
	m := &p.Profile.Member
	c := ui.Confirmation{
		Title: "User successfully unlocked", Done: "I'm done", After: p.at(""), Action: p.at("/security/reset"),
		Text:    m.Name() + " can sign in again with the password they have. If they do not know it any more, send them a link to choose a new one.",
		Confirm: ui.Action{Label: "Send password reset link", Variant: ui.Primary, Busy: "Sending"},
	}
	if m.Held {
		c.Text = m.Name() + " is unlocked. Their account access is still on hold, so they cannot sign in yet."
	}
	if why := p.readOnly(); why != "" {
		c.Confirm.Off = true
		c.Text += " " + why
	}
	return a.question(w, r, &p, c, nil)
}

// GET /{institution}/people/{organization}/members/{member}/security/reset
func (a *app) askResetMember(w http.ResponseWriter, r *http.Request) error {
	p, err := a.theMember(r, "Security")
	if err != nil {
		return err
	}
	if p.readOnly() != "" {
		return usermgmt.ErrSecurityReadOnly
	}
	m := &p.Profile.Member
	text := "A link to choose a new password goes to " + m.Email + ". It can be used once, for 30 minutes. The present password works until then."
	if m.Status == bank.StatusLocked || m.Held {
		text += " It does not unlock them and removes no hold."
	}
	return a.question(w, r, &p, ui.Confirmation{
		Title: "Send password reset link", Text: text, Action: p.at("/security/reset"), Cancel: p.at("/security"),
		Confirm: ui.Action{Label: "Email", Icon: "mail", Variant: ui.Primary, Busy: "Sending"},
	}, nil)
}

// POST /{institution}/people/{organization}/members/{member}/security/reset
func (a *app) resetMember(w http.ResponseWriter, r *http.Request) error {
	err := a.Customers.SendReset(r.Context(), web.CallerOf(r.Context()), memberID(r))
	return ended(w, r, err, "Sent password reset link successfully", baseOf(r).member(memberID(r))+"/security")
}

// GET /{institution}/people/{organization}/members/{member}/security/factors/{factor}
func (a *app) askRemoveFactor(w http.ResponseWriter, r *http.Request) error {
	p, err := a.theMember(r, "Security")
	if err != nil {
		return err
	}
	if p.readOnly() != "" {
		return usermgmt.ErrSecurityReadOnly
	}
	return a.question(w, r, &p, ui.Confirmation{
		Title:  "Remove this second factor?",
		Text:   p.Profile.Member.Name() + " can no longer confirm with it that it is them, and is told by mail. Where a second factor is required of them, they add another one when they sign in next.",
		Action: p.at("/security/factors/" + r.PathValue("factor")), Cancel: p.at("/security"), Confirm: ui.Action{Label: "Remove", Variant: ui.Danger, Busy: "Removing"},
	}, nil)
}

// POST /{institution}/people/{organization}/members/{member}/security/factors/{factor}
func (a *app) removeMemberFactor(w http.ResponseWriter, r *http.Request) error {
	back := baseOf(r).member(memberID(r)) + "/security"
	proven, err := a.door.Proven(w, r, a.memberProof(r, "Before you remove a second factor of ", back), func() error {
		return a.Customers.RemoveFactor(r.Context(), web.CallerOf(r.Context()), memberID(r), r.PathValue("factor"))
	})
	if err == nil && !proven {
		return nil
	}
	return ended(w, r, err, "The second factor was removed", back)
}

// memberProof is the page that asks before something about a member.
func (a *app) memberProof(r *http.Request, before, back string) func() (entrance.Proof, error) {
	return func() (entrance.Proof, error) {
		p, err := a.Customers.Profile(r.Context(), web.CallerOf(r.Context()), memberID(r))
		return entrance.Proof{Text: before + p.Member.Name() + ".", Cancel: back, Crumbs: a.underMember(r, &p)}, err
	}
}

// underMember are the crumbs of a page below a member's profile.
func (a *app) underMember(r *http.Request, p *usermgmt.Profile) []ui.Link {
	b := baseOf(r)
	return []ui.Link{{Label: "People", Href: b.people()}, {Label: p.Organization.Name, Href: b.organization(p.Organization.ID)}, {Label: p.Member.Name(), Href: b.member(memberID(r))}}
}
