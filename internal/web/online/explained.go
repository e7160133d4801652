package online

import (
	"net/http"

	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

type refusalPage struct {
	Shell   ui.Shell
	Refusal ui.Refusal
	Why     string
	Home    string
}

// explained lets nobody stand before a closed door without a reason: a page of
// User management that the role does not open says why, and who can change it.
func (a *app) explained(handler web.HandlerFunc) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		err := handler(w, r)
		if !isRefusal(err) {
			return err
		}
		me, unknown := a.me(r)
		if unknown != nil || me.May(catalog.ViewUsers) {
			return err // refused for another reason, which it says itself
		}
		own := usermgmt.Person{Organization: me.Organization.ID, User: me.Member.ID}
		e, _, failed := a.users.Explain(r.Context(), web.CallerOf(r.Context()), own, entitlement.Request{Operation: catalog.ViewUsers})
		if failed != nil {
			return failed
		}
		return web.Render(w, r, http.StatusForbidden, refusalView(a.refusalPage(r, me, e)))
	}
}

func (a *app) refusalPage(r *http.Request, me usermgmt.Standing, e entitlement.Explanation) refusalPage {
	b := baseFor(me.Institution.ID)
	names := entitlement.Names{Organization: me.Organization.Name, Institution: me.Institution.Name}
	page := refusalPage{
		Shell: a.shell(r, me, "User management is not open to you"),
		Refusal: ui.Refusal{
			Icon:  "shield",
			Title: "User management is not open to you",
			Text:  "Here people decide who works for " + me.Organization.Name + " and what they may do.",
		},
		Why:  b.whyMe() + "?operation=" + catalog.ViewUsers.ID(),
		Home: b.home(),
	}
	for _, reason := range e.Reasons {
		page.Refusal.Reasons = append(page.Refusal.Reasons, reason.Sentence(names))
	}
	page.Refusal.Who = whoCanChange(me, e)
	return page
}

func whoCanChange(me usermgmt.Standing, e entitlement.Explanation) string {
	for _, step := range e.Fix {
		for _, place := range step.By {
			if place == entitlement.AdminOnline {
				return "An admin of " + me.Organization.Name + " can change this."
			}
		}
	}
	if e.Fixable {
		return me.Institution.Name + " can change this."
	}
	return ""
}
