package online

import (
	"context"
	"net/http"
	"net/url"

	"mandate/internal/bank"
	"mandate/internal/host"
	"mandate/internal/hostsync"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// Host is what the app needs of the room that keeps people the same at the host.
// Without it nobody is on the way.
type Host interface {
	Importing(context.Context, bank.Caller, bank.OrganizationID) ([]hostsync.Importing, error)
	Arriving(context.Context, bank.Caller, bank.OrganizationID, host.Ref) (hostsync.Importing, bank.UserID, error)
	Waiting(context.Context, bank.Caller, bank.OrganizationID) ([]hostsync.Order, error)
	Now(context.Context)
}

func (b base) importing(ref host.Ref) string {
	return b.at("/settings/importing/") + url.PathEscape(string(ref))
}

var importingState = ui.State{Word: "Importing", Icon: "hourglass", Tone: ui.Note}

// An importingRow is somebody whom the host is making.
type importingRow struct{ Name, Href, Since string }

// onTheWay adds to a first page of the list who is on the way in and who on the
// way out.
func (a *app) onTheWay(r *http.Request, page *membersPage, list web.List, b base) error {
	if a.host == nil || list.Page > 1 {
		return nil
	}
	caller := web.CallerOf(r.Context())
	waiting, err := a.host.Waiting(r.Context(), caller, caller.Organization)
	if err != nil {
		return err
	}
	place := page.Place
	for _, o := range waiting {
		if o.Step == host.DeleteUser {
			page.Leaving = append(page.Leaving, o.Name+" has no access any more. The bank's own systems have not removed them yet; the order waits since "+ui.DateTime(o.Queued, place)+".")
		}
	}
	if page.Toolbar.Clear != "" {
		return nil // somebody looks for somebody else
	}
	importing, err := a.host.Importing(r.Context(), caller, caller.Organization)
	for _, i := range importing {
		page.Importing = append(page.Importing, importingRow{Name: i.Name, Href: b.importing(i.Ref), Since: ui.DateTime(i.Since, place)})
	}
	return err
}

type importingPage struct {
	Shell ui.Shell
	Name  string
	Since string
	Users string
}

// importing shows somebody whom the host is making, until all of them is here.
//
// GET /{institution}/settings/importing/{ref}
func (a *app) importing(w http.ResponseWriter, r *http.Request) error {
	caller := web.CallerOf(r.Context())
	i, user, err := a.host.Arriving(r.Context(), caller, caller.Organization, host.Ref(r.PathValue("ref")))
	if err != nil {
		return err
	}
	me, err := a.me(r)
	if err != nil {
		return err
	}
	b := baseFor(me.Institution.ID)
	if user != "" {
		http.Redirect(w, r, b.user(user), http.StatusSeeOther)
		return nil
	}
	page := importingPage{Name: i.Name, Since: ui.DateTime(i.Since, me.Institution.Place()), Users: b.users()}
	page.Shell = a.shell(r, me, i.Name, ui.Link{Label: "User management", Href: b.users()})
	page.Shell.Narrow = true
	return web.Render(w, r, http.StatusOK, importingView(page))
}
