package entrance

import (
	"errors"
	"net/http"

	"mandate/internal/fault"
	"mandate/internal/identity"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// Why somebody stands before the sign-in again.
const (
	becauseEnded = "ended" // the sign-in they had is no more
	becauseLeft  = "left"  // they signed out

	becauseLocked   = "locked"   // they could not prove that it is them, too often
	becauseUnproven = "unproven" // the second factor did not come
	becauseAgain    = "again"    // a product wants to see that it is them
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
	Outside  *outsideButton
}

// enter leads to the home page; who is not signed in is asked there.
//
// GET /{institution}
func (d *Door) enter(w http.ResponseWriter, r *http.Request) error {
	if _, err := d.house(r); err != nil {
		return err
	}
	http.Redirect(w, r, BaseOf(r).Home(), http.StatusSeeOther)
	return nil
}

// GET /{institution}/sign-in
func (d *Door) signInPage(w http.ResponseWriter, r *http.Request) error {
	i, err := d.house(r)
	if err != nil {
		return err
	}
	return d.renderSignIn(w, r, i, web.NewForm(map[string]string{
		"return": r.URL.Query().Get("return"), "username": clip(r.URL.Query().Get("username"), maxUsername),
	}))
}

func (d *Door) renderSignIn(w http.ResponseWriter, r *http.Request, i House, f *web.Form) error {
	page := signInPage{
		Entry:    d.entry(i, "Sign in"),
		Action:   BaseFor(i.ID).SignIn(),
		Forgot:   BaseFor(i.ID).forgot(),
		Return:   f.Raw("return"),
		Message:  d.parting(r.URL.Query().Get("because")),
		Sentence: f.Sentence,
		Username: f.Field("username", d.words.username),
		Password: f.Field("password", "Password"),
	}
	page.Username.Autocomplete, page.Username.Attrs = "username", map[string]any{"autocapitalize": "none", "spellcheck": "false"}
	page.Password.Autocomplete = "current-password"
	var err error
	if page.Outside, err = d.outsideButton(r, i, page.Return); err != nil {
		return err
	}
	return web.Render(w, r, f.Status(), signInView(page))
}

// parting says why somebody is signed out. An end by idleness and one by a
// hold read the same.
func (d *Door) parting(because string) ui.Message {
	switch because {
	case becauseEnded:
		return ui.Message{Tone: ui.Note, Icon: "clock", Title: "You have been signed out",
			Text: "You were away for a while, or your access has changed. Nothing you had saved is lost."}
	case becauseLocked:
		return ui.Message{Tone: ui.Bad, Icon: "lock", Title: "You have been signed out",
			Text: d.words.locked}
	case becauseUnproven:
		return ui.Message{Tone: ui.Note, Icon: "clock", Title: "You are not signed in yet",
			Text: "It could not be confirmed that it is you, or it took too long. Start again, or ask your administrator."}
	case becauseAgain:
		return ui.Message{Tone: ui.Note, Icon: "key-round", Title: "Sign in again",
			Text: "The product wants to be sure that it is you, now."}
	case becauseLeft:
		return ui.Message{Tone: ui.Good, Title: "You have signed out"}
	}
	return ui.Message{}
}

// clip is the beginning of a text that an address brought.
func clip(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most])
	}
	return text
}

const (
	maxUsername = 80
	maxSecret   = 1024 // as sent; longer ones are nobody's password
)

// POST /{institution}/sign-in
func (d *Door) signIn(w http.ResponseWriter, r *http.Request) error {
	i, err := d.house(r)
	if err != nil {
		return err
	}
	f := web.ReadForm(r)
	username, password := f.Required("username", maxUsername, d.words.askUsername), f.Raw("password")
	if password == "" || len(password) > maxSecret {
		f.Wrong("password", "Enter your password.")
	}
	if !f.OK() {
		return d.renderSignIn(w, r, i, f)
	}
	granted, err := d.Identity.SignIn(r.Context(), identity.Attempt{
		Institution: i.ID, Kind: d.Kind, Username: username, Password: identity.Secret(password), From: d.Source(r),
	})
	if fault.KindOf(err) == fault.Unauthorized {
		f.Sentence = identity.ErrSignIn.Sentence
		return d.renderSignIn(w, r, i, f)
	}
	if errors.Is(err, identity.ErrBarredHere) || errors.Is(err, identity.ErrBarred) {
		return d.barred(w, r, i, f.Raw("return"), err)
	}
	if err != nil {
		return err
	}
	return d.admitted(w, r, BaseFor(i.ID), granted, f.Raw("return"))
}

// inside is path if it lies within the institution's part of the app.
func inside(b Base, path string) string {
	if len(path) > len(b) && path[:len(b)+1] == string(b)+"/" {
		return path
	}
	return ""
}

// POST /{institution}/sign-out
func (d *Door) signOut(w http.ResponseWriter, r *http.Request) error {
	b := BaseOf(r)
	if err := d.Identity.SignOut(r.Context(), b.Institution(), identity.Secret(d.Site.Session(r))); err != nil {
		return err
	}
	d.Site.ClearSession(w)
	http.Redirect(w, r, b.SignIn()+"?because="+becauseLeft, http.StatusSeeOther)
	return nil
}
