package online

import (
	"net/http"

	"mandate/internal/bank"
	"mandate/internal/fault"
	"mandate/internal/identity"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// Why somebody stands before the sign-in again.
const (
	becauseEnded = "ended" // the sign-in they had is no more
	becauseLeft  = "left"  // they signed out

	becauseLocked   = "locked"   // they could not prove that it is them, three times
	becauseUnproven = "unproven" // the second factor did not come
)

type signInPage struct {
	Entry    ui.Entry
	Action   string
	Forgot   string
	Return   string
	Message  ui.Message
	Sentence string
	Username ui.Field
	Password ui.Field
}

// enter leads to the home page; who is not signed in is asked there.
//
// GET /{institution}
func (a *app) enter(w http.ResponseWriter, r *http.Request) error {
	if _, err := a.users.Institution(r.Context(), baseOf(r).institution()); err != nil {
		return err
	}
	http.Redirect(w, r, baseOf(r).home(), http.StatusSeeOther)
	return nil
}

// GET /{institution}/sign-in
func (a *app) signInPage(w http.ResponseWriter, r *http.Request) error {
	i, err := a.users.Institution(r.Context(), baseOf(r).institution())
	if err != nil {
		return err
	}
	return a.renderSignIn(w, r, i, web.NewForm(map[string]string{"return": r.URL.Query().Get("return")}))
}

func (a *app) renderSignIn(w http.ResponseWriter, r *http.Request, i usermgmt.Institution, f *web.Form) error {
	page := signInPage{
		Entry:    a.entry(i, "Sign in"),
		Action:   baseFor(i.ID).signIn(),
		Forgot:   baseFor(i.ID).forgot(),
		Return:   f.Raw("return"),
		Message:  parting(r.URL.Query().Get("because")),
		Sentence: f.Sentence,
		Username: f.Field("username", "Username"),
		Password: f.Field("password", "Password"),
	}
	page.Username.Autocomplete, page.Username.Attrs = "username", map[string]any{"autocapitalize": "none", "spellcheck": "false"}
	page.Password.Autocomplete = "current-password"
	return web.Render(w, r, f.Status(), signInView(page))
}

// parting says why somebody is signed out. An end by idleness and one by a
// hold read the same.
func parting(because string) ui.Message {
	switch because {
	case becauseEnded:
		return ui.Message{Tone: ui.Note, Icon: "clock", Title: "You have been signed out",
			Text: "You were away for a while, or your access has changed. Nothing you had saved is lost."}
	case becauseLocked:
		return ui.Message{Tone: ui.Bad, Icon: "lock", Title: "You have been signed out",
			Text: "Three times it could not be confirmed that it is you. Your access is locked until an admin of your organization unlocks it."}
	case becauseUnproven:
		return ui.Message{Tone: ui.Note, Icon: "clock", Title: "You are not signed in yet",
			Text: "It could not be confirmed that it is you, or it took too long. Start again, or ask your administrator."}
	case becauseLeft:
		return ui.Message{Tone: ui.Good, Title: "You have signed out"}
	}
	return ui.Message{}
}

const (
	maxUsername = 80
	maxSecret   = 1024 // as sent; longer ones are nobody's password
)

// POST /{institution}/sign-in
func (a *app) signIn(w http.ResponseWriter, r *http.Request) error {
	i, err := a.users.Institution(r.Context(), baseOf(r).institution())
	if err != nil {
		return err
	}
	f := web.ReadForm(r)
	username, password := f.Required("username", maxUsername, "Enter your username."), f.Raw("password")
	if password == "" || len(password) > maxSecret {
		f.Wrong("password", "Enter your password.")
	}
	if !f.OK() {
		return a.renderSignIn(w, r, i, f)
	}
	granted, err := a.identity.SignIn(r.Context(), identity.Attempt{
		Institution: i.ID, Kind: identity.KindMember, Username: username, Password: identity.Secret(password), From: a.source(r),
	})
	if fault.KindOf(err) == fault.Unauthorized {
		f.Sentence = identity.ErrSignIn.Sentence
		return a.renderSignIn(w, r, i, f)
	}
	if err != nil {
		return err
	}
	return a.admitted(w, r, baseFor(i.ID), granted, f.Raw("return"))
}

// inside is path if it lies within the institution's part of the app.
func inside(b base, path string) string {
	if len(path) > len(b) && path[:len(b)+1] == string(b)+"/" {
		return path
	}
	return ""
}

// POST /{institution}/sign-out
func (a *app) signOut(w http.ResponseWriter, r *http.Request) error {
	b := baseOf(r)
	if err := a.identity.SignOut(r.Context(), bank.InstitutionID(b.institution()), identity.Secret(a.site.Session(r))); err != nil {
		return err
	}
	a.site.ClearSession(w)
	http.Redirect(w, r, b.signIn()+"?because="+becauseLeft, http.StatusSeeOther)
	return nil
}
