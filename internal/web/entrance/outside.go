package entrance

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"mandate/internal/bank"
	"mandate/internal/fault"
	"mandate/internal/identity"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// Outside is the way in through an institution's own provider.
type Outside interface {
	// Label is what the provider is called; empty where there is none.
	Label(context.Context, bank.InstitutionID) (string, error)
	Begin(ctx context.Context, institution bank.InstitutionID, browser identity.Secret, back, login string, from identity.Source) (to string, kept identity.Secret, err error)
	Finish(ctx context.Context, institution bank.InstitutionID, answer url.Values, browser identity.Secret, from identity.Source) (g identity.Granted, back string, err error)
}

const (
	keptOutside    = "outside" // a sign-in that went to the provider
	outsideSeconds = 10 * 60
	maxAnswer      = 4096 // characters of one thing that comes back
	maxBack        = 2000 // and of the address to which somebody was going
)

func (b Base) outside() string     { return b.At("/sign-in/outside") }
func (b Base) outsideBack() string { return b.At("/sign-in/outside/back") }

// outsideRoutes are the addresses of that way.
func (d *Door) outsideRoutes() []web.Route {
	if d.Outside == nil {
		return nil
	}
	anybody := web.Needs{Who: web.Anybody, Institution: web.FromPath}
	signsIn := anybody
	signsIn.Event = "auth.signin_succeeded"
	return []web.Route{
		{Method: "POST", Pattern: "/{institution}/sign-in/outside", Handler: d.goOutside, Needs: anybody},
		{Method: "GET", Pattern: "/{institution}/sign-in/outside/back", Handler: d.backPage, Needs: anybody},
		{Method: "POST", Pattern: "/{institution}/sign-in/outside/back", Handler: d.back, Needs: signsIn},
		{Method: "POST", Pattern: "/{institution}/security/outside/unlink", Handler: d.unlink, Private: true,
			Needs: web.Needs{Who: web.SignedIn, May: web.Own, Institution: web.FromPath, Event: identity.EventUnlinked}},
	}
}

// outsideButton is the button that goes to the provider; nothing where there is
// none.
type outsideButton struct {
	Action, Label, Return string
}

func (d *Door) outsideButton(r *http.Request, i House, back string) (*outsideButton, error) {
	if d.Outside == nil {
		return nil, nil
	}
	label, err := d.Outside.Label(r.Context(), i.ID)
	if err != nil || label == "" {
		return nil, err
	}
	return &outsideButton{BaseFor(i.ID).outside(), "Continue with " + label, back}, nil
}

// goOutside sends a browser to the provider. It goes there by itself: browsers
// let no answer to a form lead to another site.
//
// POST /{institution}/sign-in/outside
func (d *Door) goOutside(w http.ResponseWriter, r *http.Request) error {
	i, err := d.house(r)
	if err != nil {
		return err
	}
	f := web.ReadForm(r)
	back := clip(inside(BaseFor(i.ID), f.Raw("return")), maxBack)
	to, kept, err := d.Outside.Begin(r.Context(), i.ID, d.kept(r, keptOutside), back, clip(f.Raw("username"), maxUsername), d.Source(r))
	if err != nil {
		return d.outsideFailed(w, r, i, back, err)
	}
	d.Site.Keep(w, keptOutside, string(kept), outsideSeconds)
	w.Header().Set("Refresh", "0; url="+to)
	return web.Render(w, r, http.StatusOK, onwardView(onwardPage{d.entry(i, "One moment"), to}))
}

type onwardPage struct {
	Entry ui.Entry
	To    string
}

type backPage struct {
	Entry  ui.Entry
	Action string
	Answer [][2]string
}

// answered are what a provider may say in the address by which it sends people
// back. The rest is not for us.
var answered = []string{"code", "state", "iss", "error"}

// backPage is where people come back from the provider. Nothing is done by
// coming: the page sends on what came, and browsers without a script wait for the
// button. By then the request is one of ours, and brings what the browser kept.
//
// GET /{institution}/sign-in/outside/back
func (d *Door) backPage(w http.ResponseWriter, r *http.Request) error {
	i, err := d.house(r)
	if err != nil {
		return err
	}
	page := backPage{Entry: d.entry(i, "One moment"), Action: BaseFor(i.ID).outsideBack()}
	q := r.URL.Query()
	for _, name := range answered {
		for _, value := range q[name] {
			page.Answer = append(page.Answer, [2]string{name, clip(value, maxAnswer+1)})
		}
	}
	return web.Render(w, r, http.StatusOK, backView(page))
}

// back signs in whom the provider has let in, as far as they may.
//
// POST /{institution}/sign-in/outside/back
func (d *Door) back(w http.ResponseWriter, r *http.Request) error {
	i, err := d.house(r)
	if err != nil {
		return err
	}
	answer := url.Values{}
	for _, name := range answered {
		if values := r.PostForm[name]; len(values) > 0 {
			answer[name] = values
		}
	}
	g, back, err := d.Outside.Finish(r.Context(), i.ID, answer, d.kept(r, keptOutside), d.Source(r))
	if err != nil {
		return d.outsideFailed(w, r, i, back, err)
	}
	return d.admitted(w, r, BaseFor(i.ID), g, back)
}

// showOutside puts the link with the institution's own provider on the page of
// one's own security.
func (d *Door) showOutside(r *http.Request, page *securityPage, i House) (err error) {
	if d.Outside == nil {
		return nil
	}
	if page.Provider, err = d.Outside.Label(r.Context(), i.ID); err != nil || page.Provider == "" {
		return err
	}
	page.Unlink = BaseFor(i.ID).At("/security/outside/unlink")
	page.Outside, err = d.Identity.OwnLink(r.Context(), web.CallerOf(r.Context()))
	return err
}

// POST /{institution}/security/outside/unlink
func (d *Door) unlink(w http.ResponseWriter, r *http.Request) error {
	if err := d.Identity.UnlinkOwn(r.Context(), web.CallerOf(r.Context())); err != nil {
		return err
	}
	web.Flash(w, r, ui.Good, "Your sign-in outside is unlinked")
	http.Redirect(w, r, BaseOf(r).Security(), http.StatusSeeOther)
	return nil
}

// A refusedPage says why somebody is not signed in who has shown who they are,
// and which way is open to them.
type refusedPage struct {
	Entry   ui.Entry
	Refusal ui.Refusal
	Outside *outsideButton
	SignIn  string
}

// outsideFailed says that the way through the provider did not lead in. What is
// no refusal is our failure.
func (d *Door) outsideFailed(w http.ResponseWriter, r *http.Request, i House, back string, err error) error {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind == fault.TooMany || errors.Is(err, identity.ErrNoProvider) {
		return err
	}
	return d.renderRefused(w, r, i, f, "You are not signed in", back, f.Kind != fault.Forbidden)
}

// barred says to somebody whose password was right that none of their groups
// permits coming in by it.
func (d *Door) barred(w http.ResponseWriter, r *http.Request, i House, back string, err error) error {
	f, _ := errors.AsType[*fault.Error](err)
	return d.renderRefused(w, r, i, f, "You can’t sign in like this", back, errors.Is(err, identity.ErrBarredHere))
}

func (d *Door) renderRefused(w http.ResponseWriter, r *http.Request, i House, f *fault.Error, title, back string, again bool) error {
	page := refusedPage{Entry: d.entry(i, title), Refusal: ui.Refusal{Icon: "shield", Title: title, Text: f.Sentence},
		SignIn: BaseFor(i.ID).SignIn() + "?" + url.Values{"return": {back}}.Encode()}
	if again {
		var err error
		if page.Outside, err = d.outsideButton(r, i, back); err != nil {
			return err
		}
	}
	return web.Render(w, r, web.StatusOf(f.Kind), refusedView(page))
}
