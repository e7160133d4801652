package console

import (
	"net/http"
	"net/url"
	"slices"

	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/web"
	"mandate/internal/web/ui"
	"mandate/internal/web/why"
)

type whyPage struct {
	memberFrame
	Question why.Question
	Answer   *why.Answer // nil: nothing was asked
}

// memberWhy answers why a member may not do something, and leads to where staff
// can change it.
//
// GET /{institution}/people/{organization}/members/{member}/why
func (a *app) memberWhy(w http.ResponseWriter, r *http.Request) error {
	frame, err := a.theMember(r, "Why can't they?")
	if err != nil {
		return err
	}
	q, edition := r.URL.Query(), frame.Profile.Policy.Institution.Edition
	op := catalog.ParseOperation(q.Get("operation"))
	req := why.Request(op, edition, q)
	e, profile, err := a.Customers.Explain(r.Context(), web.CallerOf(r.Context()), memberID(r), req)
	if err != nil {
		return err
	}
	page := whyPage{memberFrame: frame, Question: why.NewQuestion(frame.at("/why"), op, &profile, q)}
	if op != catalog.UnknownOperation && why.Answerable(op, q) {
		answer := why.Explain(why.Asked{Institution: frame.Me.House.Name, Profile: &profile, Request: req, Answer: e, Mine: frame.fix})
		page.Answer = &answer
	}
	return web.Render(w, r, http.StatusOK, whyView(page))
}

// fix is where whoever looks makes a step, at the very field; the zero Link where
// they may not, or where it is not made in the console.
func (p *memberFrame) fix(step entitlement.Step) ui.Link {
	if step.Kind == entitlement.Offer && p.may(catalog.InstitutionSettingsManage) {
		return ui.Link{Label: "Open the institution's services", Icon: "landmark", Href: p.Base.termSettings() + "#" + ui.FieldID(offerOf+step.Permission.Info().Entitlement.ID())}
	}
	if !p.may(catalog.PeopleManageAll) || !slices.Contains(step.By, entitlement.StaffPeople) {
		return ui.Link{}
	}
	organization := p.Base.organization(p.Profile.Organization.ID)
	switch step.Kind {
	case entitlement.Unlock:
		return ui.Link{Label: "Unlock in the banner of the profile", Icon: "lock-open", Href: p.at("")}
	case entitlement.GiveEntitlement:
		return ui.Link{Label: "Open the organization's permissions", Icon: "building-2", Href: organization + "/permissions#" + ui.FieldID(step.Permission.Info().Entitlement.Enabled().ID())}
	case entitlement.RaiseCeiling:
		return ui.Link{Label: "Open the organization's ceilings", Icon: "building-2", Href: organization + "/permissions#" + ui.FieldID(ceilingOf+step.Permission.ID())}
	case entitlement.SwitchAccount:
		return ui.Link{Label: "Open the organization's account", Icon: "wallet", Href: organization + "/accounts/" + url.PathEscape(string(step.Account)) + "#" + ui.FieldID(step.Permission.Info().Entitlement.Enabled().ID())}
	case entitlement.SetSetting:
		level := "/permissions"
		if step.Account != "" {
			level = "/accounts/" + url.PathEscape(string(step.Account))
		}
		return ui.Link{Label: "Open the permissions", Icon: "sliders-horizontal", Href: p.at(level) + "#" + ui.FieldID(step.Permission.ID())}
	case entitlement.RemoveHold:
		return ui.Link{Label: "Remove in the banner of the profile", Icon: "circle-pause", Href: p.at("")}
	}
	return ui.Link{}
}
