package online

import (
	"context"
	"net/http"

	"mandate/internal/alert"
	"mandate/internal/bank"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// Alerts is what the app needs of the room that tells people by mail.
type Alerts interface {
	Wanted(context.Context, bank.Caller) (map[alert.Kind]bool, error)
	Want(context.Context, bank.Caller, map[alert.Kind]bool) error
}

// alertsPage is which alerts an admin gets.
type alertsPage struct {
	ui.Shell
	Action  string
	Choices []alertChoice
}

type alertChoice struct {
	alert.Choice
	Wanted bool
}

// alertRoutes are the addresses of the page.
func (a *app) alertRoutes() []web.Route {
	own := web.Needs{Who: web.SignedIn, May: web.Own, Institution: web.FromPath}
	return []web.Route{
		{Method: "GET", Pattern: "/{institution}/alerts", Handler: a.alertsPage, Needs: own},
		{Method: "POST", Pattern: "/{institution}/alerts", Handler: a.saveAlerts, Needs: own},
	}
}

func (b base) alerts() string { return b.at("/alerts") }

// GET /{institution}/alerts
func (a *app) alertsPage(w http.ResponseWriter, r *http.Request) error {
	me, err := a.me(r)
	if err != nil {
		return err
	}
	wanted, err := a.alerts.Wanted(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	page := alertsPage{Shell: a.shell(r, me, "Alerts"), Action: baseOf(r).alerts()}
	for _, choice := range alert.Choices() {
		page.Choices = append(page.Choices, alertChoice{choice, wanted[choice.Kind]})
	}
	return web.Render(w, r, http.StatusOK, alertsView(page))
}

// POST /{institution}/alerts
func (a *app) saveAlerts(w http.ResponseWriter, r *http.Request) error {
	form, wanted := web.ReadForm(r), map[alert.Kind]bool{}
	for _, choice := range alert.Choices() {
		on, shown := form.Switch(string(choice.Kind))
		wanted[choice.Kind] = on || !shown // what the form did not have stays on
	}
	if err := a.alerts.Want(r.Context(), web.CallerOf(r.Context()), wanted); err != nil {
		return err
	}
	web.Flash(w, r, ui.Good, "Your alerts are saved")
	http.Redirect(w, r, baseOf(r).alerts(), http.StatusSeeOther)
	return nil
}

// value is a switch's value in a form.
func (c alertChoice) value() string {
	if c.Wanted {
		return "on"
	}
	return ""
}
