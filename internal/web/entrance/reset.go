package entrance

import (
	"net/http"

	"mandate/internal/fault"
	"mandate/internal/identity"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

var resets = letter{identity.PurposeReset, keptReset, "Reset link failed", Base.resetLink, Base.newPassword}

type resetPage struct {
	Entry    ui.Entry
	Action   string
	Username string
	Sentence string
	Problems []fault.Problem
	Password ui.Field
	Rules    []identity.Rule
}

// resetPage is the form of somebody whose reset link this browser redeemed.
//
// GET /{institution}/new-password
func (d *Door) resetPage(w http.ResponseWriter, r *http.Request) error {
	i, e, err := d.redeemed(r, resets)
	switch {
	case linkCode(err) == "LINK_USED": // by this browser
		return web.Render(w, r, http.StatusOK, doneView(donePage{
			Entry: d.entry(i, "Your password was changed"),
			Title: "Your password was changed",
			Text:  "You are signed out everywhere. Sign in with your new password; whatever else you need to sign in stays as it was.",
			Next:  ui.Action{Label: "Sign in", Variant: ui.Primary, Full: true, Href: BaseFor(i.ID).SignIn()},
		}))
	case linkCode(err) != "":
		return d.renderLinkFailure(w, r, resets, i, e, err)
	case err != nil:
		return err
	}
	return d.renderReset(w, r, i, e, web.NewForm(nil))
}

func (d *Door) renderReset(w http.ResponseWriter, r *http.Request, i House, e identity.Enrolment, f *web.Form) error {
	b := BaseFor(i.ID)
	page := resetPage{
		Entry: d.entry(i, "Choose a new password"), Action: b.newPassword(), Username: e.Username,
		Sentence: f.Sentence, Problems: f.Problems, Password: newPasswordField(f, b.newPassword()),
		Rules: e.Rules.Judge(identity.Secret(f.Raw("password"))),
	}
	return web.Render(w, r, f.Status(), resetView(page))
}

// newPasswordField is a new password that is judged while it is typed.
func newPasswordField(f *web.Form, address string) ui.Field {
	field := f.Field("password", "New password")
	field.Autocomplete = "new-password"
	return judged(field, address, nil)
}

// POST /{institution}/new-password/rules
func (d *Door) resetRules(w http.ResponseWriter, r *http.Request) error {
	i, e, err := d.redeemed(r, resets)
	if linkCode(err) != "" {
		return leaveFor(w, r, BaseFor(i.ID).newPassword())
	}
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, ruleList(e.Rules.Judge(identity.Secret(web.ReadForm(r).Raw("password")))))
}

// POST /{institution}/new-password
func (d *Door) reset(w http.ResponseWriter, r *http.Request) error {
	i, e, err := d.redeemed(r, resets)
	if linkCode(err) != "" {
		return d.renderLinkFailure(w, r, resets, i, e, err)
	}
	if err != nil {
		return err
	}
	f := web.ReadForm(r)
	err = d.Identity.ResetPassword(r.Context(), i.ID, d.kept(r, keptReset), identity.Secret(f.Raw("password")), d.Source(r))
	if linkCode(err) != "" {
		return d.renderLinkFailure(w, r, resets, i, e, err)
	}
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return d.renderReset(w, r, i, e, f)
	}
	d.Site.ClearSession(w) // it has ended with the old password
	http.Redirect(w, r, BaseFor(i.ID).newPassword(), http.StatusSeeOther)
	return nil
}

// resetFailure says what became of a reset link and what to do about it.
func (d *Door) resetFailure(b Base, i House, code string, e identity.Enrolment) (text, what string, actions []ui.Action) {
	again := []ui.Action{{Label: "Send a new link", Variant: ui.Primary, Href: b.forgot()}}
	switch code {
	case "LINK_EXPIRED":
		if !e.Link.Redeemed.IsZero() {
			return "The half hour for choosing a new password is over, and this link is used up.", "Your password is what it was. Have a new link sent to you.", again
		}
		return "This link has expired. Links for a new password last 30 minutes.", "Your password is what it was. Have a new link sent to you.", again
	case "LINK_REPLACED":
		return "A newer link has replaced this one.", "Look for the newest email from " + i.Name + " and open the link in it.", again
	case "LINK_CANCELLED":
		return "This link was cancelled.", d.words.askIfMistake, nil
	case "LINK_USED":
		return "This link has already been used.", "If you chose a new password, sign in with it. If you did not, have a new link sent to you.",
			append([]ui.Action{{Label: "Sign in", Variant: ui.Primary, Href: b.SignIn()}}, ui.Action{Label: "Send a new link", Href: b.forgot()})
	}
	return "This link is not complete, or it never was one of ours.", "Open the link in your email again, copy the whole of it if you copy it, or have a new one sent to you.", again
}
