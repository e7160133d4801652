package online

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/ui"
	"mandate/internal/web/why"
)

type whyPage struct {
	Shell    ui.Shell
	Title    string
	Subtitle string
	Form     why.Question
	Answer   *why.Answer // nil: nothing was asked
	Review   string      // where the fixes go that this person may make
	Carry    carried
	Filled   int // how many steps those are
}

// whyMe answers for whoever asks.
//
// GET /{institution}/why
func (a *app) whyMe(w http.ResponseWriter, r *http.Request) error {
	caller := web.CallerOf(r.Context())
	return a.explain(w, r, usermgmt.Person{Organization: caller.Organization, User: caller.Member()}, baseOf(r).whyMe())
}

// GET /{institution}/settings/users/{user}/why
func (a *app) why(w http.ResponseWriter, r *http.Request) error {
	if me, err := a.me(r); err != nil || !me.May(catalog.ViewPermissions) {
		return cmp.Or(err, errNotYours)
	}
	return a.explain(w, r, person(r), baseOf(r).why(person(r).User))
}

func (a *app) explain(w http.ResponseWriter, r *http.Request, who usermgmt.Person, action string) error {
	me, err := a.me(r)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	op := catalog.ParseOperation(q.Get("operation"))
	req := why.Request(op, me.Institution.Edition, q)
	e, profile, err := a.users.Explain(r.Context(), web.CallerOf(r.Context()), who, req)
	if err != nil {
		return err
	}
	page := whyPage{Shell: a.shell(r, me, "Why can't I …?")}
	self := who.User == me.Member.ID
	if self {
		page.Title, page.Subtitle = "Why can't I …?", "Ask about anything that you expect to do here, and see what stands in the way."
	} else {
		b := baseFor(me.Institution.ID)
		page.Title = "Why can't " + profile.Member.FirstName + " …?"
		page.Subtitle = "Ask about anything " + profile.Member.Name() + " expects to do, and see every level that has a say."
		page.Shell.Title = page.Title
		page.Shell.Crumbs = []ui.Link{{Label: "User management", Href: b.users()}, {Label: profile.Member.Name(), Href: b.user(who.User)}}
	}
	page.Form = why.NewQuestion(action, op, &profile, q)
	if op != catalog.UnknownOperation && why.Answerable(op, q) {
		page.answer(me, why.Asked{Institution: me.Institution.Name, Profile: &profile, Self: self, Request: req, Answer: e})
	}
	return web.Render(w, r, http.StatusOK, whyView(page))
}

// answer fills in the answer, and carries the steps that this person may make
// to where they are reviewed.
func (p *whyPage) answer(me usermgmt.Standing, x why.Asked) {
	b, member := baseFor(me.Institution.ID), x.Profile.Member
	edit := usermgmt.Edit{Person: usermgmt.Person{Organization: x.Profile.Organization.ID, User: member.ID}, Version: member.Version}
	x.Mine = func(step entitlement.Step) ui.Link {
		switch {
		case !slices.Contains(step.By, entitlement.AdminOnline):
			return ui.Link{}
		case step.Kind != entitlement.SetSetting:
			return b.stepOn(me, member.ID, step.Kind)
		case !me.May(editPower(step.Account)):
			return ui.Link{}
		}
		id := step.Permission.ID()
		edit.Changes = append(edit.Changes, entitlement.Change{Account: step.Account, Set: map[string]entitlement.Value{id: step.Value}})
		return ui.Link{Label: "Fill in", Icon: "sliders-horizontal", Href: b.level(member.ID, step.Account) + "?" + id + "=" + url.QueryEscape(usermgmt.ValueText(step.Value)) + "#" + ui.FieldID(id)}
	}
	answer := why.Explain(x)
	p.Answer, p.Review, p.Carry, p.Filled = &answer, b.review(member.ID), carry(edit), len(edit.Changes)
}

// stepOn is where an admin makes a step that is no setting, which is a change of
// its own.
func (b base) stepOn(me usermgmt.Standing, who bank.UserID, kind entitlement.StepKind) ui.Link {
	switch {
	case who == me.Member.ID:
		return ui.Link{}
	case kind == entitlement.RemoveHold && me.May(catalog.HoldUser):
		return ui.Link{Label: "Remove in the banner of the profile", Icon: "circle-pause", Href: b.user(who)}
	case kind == entitlement.Unlock && me.May(catalog.UnlockUser):
		return ui.Link{Label: "Unlock in the banner of the profile", Icon: "lock-open", Href: b.user(who)}
	case kind == entitlement.SetRole && me.May(catalog.EditProfile):
		return ui.Link{Label: "Edit user", Icon: "pencil", Href: b.edit(who) + "#" + ui.FieldID("role")}
	}
	return ui.Link{}
}
