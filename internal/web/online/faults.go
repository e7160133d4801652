package online

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"

	"mandate/internal/bank"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// FaultsPath is where the demo's faults are switched.
const FaultsPath = "/_faults"

// Faults are failures that a demo or a test can switch on, to be looked at. A
// deployment has none.
type Faults struct{ accounts atomic.Bool }

// AccountsFail makes the accounts of a set-up fail to load, or load again.
func (f *Faults) AccountsFail(on bool) { f.accounts.Store(on) }

var errAccountsDown = errors.New("the accounts' fault is switched on")

// faulty is User management with the faults.
type faulty struct {
	Users
	faults *Faults
}

// Setup fails while the fault is on.
func (u faulty) Setup(ctx context.Context, caller bank.Caller, p usermgmt.Person) (usermgmt.Setup, error) {
	if u.faults.accounts.Load() {
		return usermgmt.Setup{}, errAccountsDown
	}
	return u.Users.Setup(ctx, caller, p)
}

type faultsPage struct {
	Entry    ui.Entry
	Accounts ui.Field
}

func (a *app) faultRoutes() []web.Route {
	anybody := web.Needs{Who: web.Anybody, Institution: web.Nowhere}
	return []web.Route{
		{Method: "GET", Pattern: FaultsPath, Handler: a.faultsPage, Needs: anybody},
		{Method: "POST", Pattern: FaultsPath, Handler: a.switchFaults, Needs: anybody},
	}
}

// GET /_faults
func (a *app) faultsPage(w http.ResponseWriter, r *http.Request) error {
	page := faultsPage{
		Entry:    ui.Entry{Title: "Faults", Institution: ui.Institution{Name: "Mandate"}, App: "Demo", Notice: a.notice},
		Accounts: ui.Field{Name: "accounts", Label: "Accounts fail to load", Help: "While somebody new is being set up. Nothing else is touched."},
	}
	if a.faults.accounts.Load() {
		page.Accounts.Value = "on"
	}
	return web.Render(w, r, http.StatusOK, faultsView(page))
}

// POST /_faults
func (a *app) switchFaults(w http.ResponseWriter, r *http.Request) error {
	on, _ := web.ReadForm(r).Switch("accounts")
	a.faults.AccountsFail(on)
	http.Redirect(w, r, FaultsPath, http.StatusSeeOther)
	return nil
}
