package entrance

import (
	"net/http"
	"net/url"

	"mandate/internal/fault"
	"mandate/internal/identity"
	"mandate/internal/web"
)

// The way from the host's older channel into Online: whoever is signed in there
// comes with a ticket.

func (b Base) signOn(ticket string) string { return b.At("/sign-on/" + url.PathEscape(ticket)) }

func (d *Door) signOnRoutes() []web.Route {
	anybody := web.Needs{Who: web.Anybody, Institution: web.FromPath}
	enters := anybody
	enters.Event = "auth.signin_succeeded"
	return []web.Route{
		{Method: "GET", Pattern: "/{institution}/sign-on/{ticket}", Handler: d.signOnPage, Needs: anybody, Private: true},
		{Method: "POST", Pattern: "/{institution}/sign-on/{ticket}", Handler: d.signOn, Needs: enters},
	}
}

// signOnPage asks before a ticket is redeemed: fetching a link changes nothing.
func (d *Door) signOnPage(w http.ResponseWriter, r *http.Request) error {
	house, err := d.house(r)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, signOnView(d.entry(house, "Go on to Online"), BaseOf(r).signOn(r.PathValue("ticket")), d.App))
}

func (d *Door) signOn(w http.ResponseWriter, r *http.Request) error {
	granted, err := d.Identity.SignOn(r.Context(), BaseOf(r).Institution(), identity.Secret(r.PathValue("ticket")), d.Source(r))
	if fault.KindOf(err) == fault.Unauthorized { // what stands in the way is not said
		http.Redirect(w, r, BaseOf(r).SignIn()+"?because="+becauseUnproven, http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return err
	}
	return d.admitted(w, r, BaseOf(r), granted, "")
}
