package entrance

import (
	"context"
	"net/http"
	"net/url"

	"mandate/internal/bank"
	"mandate/internal/identity"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// SeesAs is what the app that members use needs for staff who see it as a member
// sees it.
type SeesAs interface {
	SeeAs(context.Context, bank.Caller, bank.OrganizationID, bank.UserID) (identity.Secret, error)
	RedeemSeeAs(context.Context, bank.InstitutionID, identity.Secret, identity.Source) (identity.Secret, error)
	Seeing(context.Context, bank.InstitutionID, identity.Secret, identity.Source) (identity.Seeing, error)
	EndSeeAs(context.Context, bank.InstitutionID, identity.Secret) error
}

// keptSeeing is the cookie of such a session: the member's own, in the same
// browser, stays as it is and waits.
const keptSeeing = "seeing"

// SeeAs is where a ticket is redeemed.
func (b Base) SeeAs(ticket string) string { return b.At("/see-as/" + url.PathEscape(ticket)) }

func (b Base) endSeeAs() string { return b.At("/see-as-end") }

func (d *Door) seeAsRoutes() []web.Route {
	anybody := web.Needs{Who: web.Anybody, Institution: web.FromPath}
	starts, ends := anybody, anybody
	starts.Event, ends.Event = identity.EventSeeAsStarted, identity.EventSeeAsEnded
	return []web.Route{
		{Method: "GET", Pattern: "/{institution}/see-as/{ticket}", Handler: d.seeAsPage, Needs: anybody, Private: true},
		{Method: "POST", Pattern: "/{institution}/see-as/{ticket}", Handler: d.startSeeAs, Needs: starts},
		{Method: "POST", Pattern: "/{institution}/see-as-end", Handler: d.stopSeeAs, Needs: ends, EndsSeeing: true},
	}
}

// seeing is the context of a browser that sees as a member sees.
func (d *Door) seeing(r *http.Request) (context.Context, error) {
	token := d.kept(r, keptSeeing)
	if d.Kind != identity.KindMember || token == "" {
		return nil, identity.ErrSignedOut
	}
	found, err := d.Identity.Seeing(r.Context(), BaseOf(r).Institution(), token, d.Source(r))
	if err != nil {
		return nil, err
	}
	house, err := d.house(r)
	if err != nil {
		return nil, err
	}
	page := ui.From(r.Context())
	page.Seeing = &ui.Seeing{Staff: found.Staff, As: found.Member, Until: found.Ends, Place: house.Place, End: BaseOf(r).endSeeAs()}
	return web.WithCaller(ui.With(r.Context(), page), found.Caller), nil
}

// seeAsPage asks before a ticket is redeemed: fetching a link changes nothing.
func (d *Door) seeAsPage(w http.ResponseWriter, r *http.Request) error {
	house, err := d.house(r)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, seeAsView(d.entry(house, "See as a member"), BaseOf(r).SeeAs(r.PathValue("ticket"))))
}

func (d *Door) startSeeAs(w http.ResponseWriter, r *http.Request) error {
	token, err := d.Identity.RedeemSeeAs(r.Context(), BaseOf(r).Institution(), identity.Secret(r.PathValue("ticket")), d.Source(r))
	if err != nil {
		return err
	}
	d.Site.Keep(w, keptSeeing, string(token), int(identity.SeeAsLongest.Seconds()))
	http.Redirect(w, r, BaseOf(r).Home(), http.StatusSeeOther)
	return nil
}

func (d *Door) stopSeeAs(w http.ResponseWriter, r *http.Request) error {
	if err := d.Identity.EndSeeAs(r.Context(), BaseOf(r).Institution(), d.kept(r, keptSeeing)); err != nil {
		return err
	}
	d.Site.Keep(w, keptSeeing, "", 0)
	http.Redirect(w, r, BaseOf(r).SignIn(), http.StatusSeeOther)
	return nil
}
