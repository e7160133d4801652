package online

import (
	"errors"
	"net/http"
	"net/url"

	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

type closedPage struct {
	Shell   ui.Shell
	Title   string
	Refused string
	Blocked []blocker
	Why     string
	Home    string
}

// reasoned lets no refusal of a room end without its reasons: where no page of
// its own tells them, this one does, with who can change each of them.
func (a *app) reasoned(route *web.Route) web.HandlerFunc {
	handler, operation := route.Handler, route.Needs.May
	return func(w http.ResponseWriter, r *http.Request) error {
		err := handler(w, r)
		e, ok := refusalIn(err)
		if !ok {
			return err
		}
		v, failed := a.moneyView(r)
		if failed != nil {
			return failed
		}
		refused, _ := errors.AsType[*fault.Error](err)
		page := closedPage{
			Shell: a.shell(r, v.me, "You can’t do this"), Title: "You can’t do this", Refused: refused.Sentence, Blocked: v.blockers(e), Home: v.base.home(),
		}
		if operation != web.Own {
			page.Why = v.base.whyMe() + "?operation=" + url.QueryEscape(operation) + "&account=" + url.QueryEscape(v.accountIn(e))
		}
		status := http.StatusForbidden
		if refused.Kind == fault.Conflict {
			status = http.StatusConflict
		}
		return web.Render(w, r, status, closedView(page))
	}
}

// accountIn is the account that a refusal is about; empty where there is none
// that may be seen.
func (v *moneyView) accountIn(e entitlement.Explanation) string {
	for _, reason := range e.Reasons {
		if _, seen := v.accounts[reason.Account]; seen {
			return string(reason.Account)
		}
	}
	return ""
}
