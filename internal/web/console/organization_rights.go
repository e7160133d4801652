package console

import (
	"context"
	"net/http"
	"strings"

	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/entrance"
	"mandate/internal/web/phrase"
	"mandate/internal/web/ui"
)

// Entitling is what the permissions of an organization need of the room.
type Entitling interface {
	PreviewOrganization(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, was, will usermgmt.OrganizationRights) (usermgmt.OrganizationPreview, func(*usermgmt.Member) entitlement.Names, error)
	ChangeOrganization(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, was, will usermgmt.OrganizationRights) (waits approval.Item, err error)
	PreviewAccount(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, account bank.AccountID, was, will catalog.EntitlementSet) (usermgmt.OrganizationPreview, func(*usermgmt.Member) entitlement.Names, error)
	ChangeAccount(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, account bank.AccountID, was, will catalog.EntitlementSet) (waits approval.Item, err error)
}

type organizationRightsPage struct {
	organizationFrame
	Action   string // the address that reviews
	About    string // whose permissions these are
	Help     string
	ByEach   string // where each account has switches of its own; empty: nowhere
	Edits    bool
	Was      [][2]string
	Sections []rightsSection
	Sentence string
	Problems []fault.Problem
}

// was is what the fields begin with that say what somebody saw.
const was = "was."

// rightsText are an organization's rights as the fields of a form.
func rightsText(r usermgmt.OrganizationRights, edition bank.Edition) map[string]string {
	text := map[string]string{}
	for _, e := range catalog.Entitlements() {
		if e.In(edition) {
			text[e.Enabled().ID()] = map[bool]string{true: "on", false: "off"}[r.Entitlements.Has(e)]
		}
	}
	for limit := range catalog.LimitCount {
		if p := limit.Permission(); p.In(edition) {
			text[ceilingOf+p.ID()] = ""
			if amount, set := r.Ceilings.Get(limit); set {
				text[ceilingOf+p.ID()] = amount.Dollars()
			}
		}
	}
	return text
}

// readRights reads rights from a form, on top of what else there is.
func readRights(f *web.Form, prefix string, r usermgmt.OrganizationRights) usermgmt.OrganizationRights {
	for _, e := range catalog.Entitlements() {
		if texts := f.All(prefix + e.Enabled().ID()); len(texts) > 0 {
			if r.Entitlements = r.Entitlements.Without(e); texts[len(texts)-1] == "on" {
				r.Entitlements = r.Entitlements.With(e)
			}
		}
	}
	for limit := range catalog.LimitCount {
		name := prefix + ceilingOf + limit.Permission().ID()
		if len(f.All(name)) == 0 {
			continue
		}
		r.Ceilings = r.Ceilings.Without(limit)
		text := strings.TrimSpace(f.Raw(name))
		if text == "" {
			continue
		}
		amount, err := bank.ParseMoney(text)
		if err != nil {
			f.Problems = append(f.Problems, fault.Problem{Field: name, Sentence: "Enter an amount such as $25,000.00, or nothing for no ceiling."})
			continue
		}
		r.Ceilings = r.Ceilings.With(limit, amount)
	}
	return r
}

const youMayLook = " You may look here and change nothing."

func rightsOf(o *usermgmt.OrganizationProfile) usermgmt.OrganizationRights {
	return usermgmt.OrganizationRights{Entitlements: o.Entitlements, Ceilings: o.Ceilings}
}

// GET /{institution}/people/{organization}/permissions
func (a *app) organizationRights(w http.ResponseWriter, r *http.Request) error {
	return a.renderOrganizationRights(w, r, web.NewForm(nil))
}

func (a *app) renderOrganizationRights(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	frame, err := a.theOrganization(r, "Permissions")
	if err != nil {
		return err
	}
	o := &frame.Organization
	page := organizationRightsPage{organizationFrame: frame, Edits: frame.Me.May(catalog.PeopleManageAll), Sentence: f.Sentence, Problems: f.Problems,
		Help: "First the organization gets an entitlement, then its members. Members keep what they have set up: it counts again once the entitlement is back."}
	here := frame.Base.organization(o.ID)
	page.Action, page.About = here+"/permissions/review", o.Name
	if len(usermgmt.AccountEntitlements(o.House.Edition)) > 0 {
		page.ByEach = here + "/accounts"
	}
	if !page.Edits {
		page.Help += youMayLook
	}
	now := rightsText(rightsOf(o), o.House.Edition)
	for _, e := range catalog.Entitlements() {
		if !e.In(o.House.Edition) {
			continue
		}
		page.Sections = append(page.Sections, page.section(e, now, f))
	}
	for name, text := range now {
		page.Was = append(page.Was, [2]string{was + name, text})
	}
	return web.Render(w, r, f.Status(), organizationRightsView(page))
}

// section is one entitlement: its switch, and the ceilings of its limits.
func (p *organizationRightsPage) section(e catalog.Entitlement, now map[string]string, f *web.Form) rightsSection {
	o := &p.Organization
	s := rightsSection{ID: "section-" + e.ID(), Title: e.Label()}
	offered := o.House.Offers.Has(e)
	if !offered {
		s.Help = o.House.Name + " does not offer " + e.Label() + ". Who can change it: the institution, in its settings."
	}
	value := func(name string) string {
		if typed := f.All(name); len(typed) > 0 {
			return typed[len(typed)-1]
		}
		return now[name]
	}
	id := e.Enabled().ID()
	row := ui.PermissionRow{Field: ui.Field{Name: id, Label: e.Label() + " for the organization", Help: "Members can be given it, and whoever has it set up can use it.", Value: value(id), Optional: true, Problem: f.Problem(id)},
		Switch: p.Edits && offered}
	switch {
	case !offered:
		row.State = ui.StateBlocked
	case row.Field.Value == "on":
		row.State = ui.StateOn
	}
	s.Rows = append(s.Rows, row)
	for limit := range catalog.LimitCount {
		permission := limit.Permission()
		if permission.Info().Entitlement != e || !permission.In(o.House.Edition) {
			continue
		}
		name := ceilingOf + permission.ID()
		row := ui.PermissionRow{Field: ui.Field{Name: name, Label: "Ceiling of " + permission.Info().Label, Help: "Nobody at the organization gets beyond it. Empty: no ceiling.", Value: value(name), Optional: true, Problem: f.Problem(name)},
			Limit: p.Edits && offered, Word: "None"}
		if now[name] != "" {
			row.State, row.Word = ui.StateOn, now[name]
		}
		s.Rows = append(s.Rows, row)
	}
	return s
}

type organizationReviewPage struct {
	organizationFrame
	Lead      string
	Lines     []ui.Change
	Sentences []approval.Line
	People    []touchedPerson
	Others    string
	Nobody    string
	Proof     bool
	Carried   [][2]string
	Back      string
	Save      string
}

// A touchedPerson is somebody for whom something changes, in sentences.
type touchedPerson struct {
	Name, Href string
	Effects    []phrase.Effect
}

// POST /{institution}/people/{organization}/permissions/review
func (a *app) reviewOrganizationRights(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	before := readRights(f, was, usermgmt.OrganizationRights{})
	will := readRights(f, "", before)
	if !f.OK() {
		f.Sentence = "What the organization has cannot be saved like this."
		return a.renderOrganizationRights(w, r, f)
	}
	preview, names, err := a.Customers.PreviewOrganization(r.Context(), web.CallerOf(r.Context()), organizationID(r), before, will)
	if err != nil {
		return err
	}
	if err := f.Take(preview.Problem); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderOrganizationRights(w, r, f)
	}
	frame, err := a.theOrganization(r, "Review changes")
	if err != nil {
		return err
	}
	page := newOrganizationReview(frame, &preview, names, "To what "+frame.Organization.Name+" has.")
	page.Back = frame.Base.organization(frame.Organization.ID) + "/permissions"
	page.Save = page.Back + "/save"
	for name, text := range rightsText(rightsOf(&frame.Organization), frame.Organization.House.Edition) {
		page.Carried = append(page.Carried, [2]string{was + name, text})
	}
	for name, text := range rightsText(will, frame.Organization.House.Edition) {
		page.Carried = append(page.Carried, [2]string{name, text})
	}
	return web.Render(w, r, reviewStatus(&preview), organizationReviewView(page))
}

// reviewStatus is that of a page which shows changes of what somebody else has
// changed meanwhile, or of any other.
func reviewStatus(p *usermgmt.OrganizationPreview) int {
	if p.Stale {
		return http.StatusConflict
	}
	return http.StatusOK
}

// newOrganizationReview says what changes, and for whom.
func newOrganizationReview(frame organizationFrame, preview *usermgmt.OrganizationPreview, names func(*usermgmt.Member) entitlement.Names, of string) organizationReviewPage {
	page := organizationReviewPage{organizationFrame: frame, Lead: of + " Nothing is saved yet.", Sentences: preview.Sentences, Proof: preview.Raises,
		Nobody: "Nobody may do more or less by this today: nobody has it set up, or something else stands in the way."}
	if preview.Stale {
		page.Lead = "Somebody else changed this meanwhile. This is what your changes mean now; nothing is saved yet."
	}
	for _, c := range preview.Changes {
		page.Lines = append(page.Lines, lineOf(c))
	}
	for i := range preview.People {
		p := &preview.People[i]
		who := usermgmt.Person{Organization: frame.Organization.ID, User: p.Member.ID}
		if effects := phrase.Effects(p.Before, p.After, names(&p.Member)); len(effects) > 0 {
			page.People = append(page.People, touchedPerson{p.Member.Name(), frame.Base.member(who), effects})
		}
	}
	if preview.Others > 0 {
		page.Others = ui.Count(preview.Others, "more member has", "more members have") + " something of it set up, too."
	}
	page.Shell.Title = "Review changes"
	page.Shell.Crumbs = append(page.Shell.Crumbs, ui.Link{Label: frame.Organization.Name, Href: frame.Base.organization(frame.Organization.ID)})
	return page
}

// POST /{institution}/people/{organization}/permissions/save
func (a *app) saveOrganizationRights(w http.ResponseWriter, r *http.Request) error {
	f, back := web.ReadForm(r), baseOf(r).organization(organizationID(r))+"/permissions"
	before := readRights(f, was, usermgmt.OrganizationRights{})
	will := readRights(f, "", before)
	return a.organizationSaved(w, r, back, func() (approval.Item, error) {
		return a.Customers.ChangeOrganization(r.Context(), web.CallerOf(r.Context()), organizationID(r), before, will)
	})
}

// organizationSaved changes what an organization has, and says whether it is so
// or waits.
func (a *app) organizationSaved(w http.ResponseWriter, r *http.Request, back string, change func() (approval.Item, error)) error {
	ask := func() (entrance.Proof, error) {
		o, err := a.Customers.OrganizationProfile(r.Context(), web.CallerOf(r.Context()), organizationID(r))
		return entrance.Proof{Text: "This lets people do more. Before you change what " + o.Name + " has.", Cancel: back,
			Crumbs: []ui.Link{{Label: "People", Href: baseOf(r).people()}, {Label: o.Name, Href: baseOf(r).organization(o.ID)}}}, err
	}
	var waits approval.Item
	proven, err := a.door.Proven(w, r, ask, func() (err error) {
		waits, err = change()
		return err
	})
	if err == nil && !proven {
		return nil
	}
	if waits.ID != "" {
		return ended(w, r, err, "Your change waits: somebody else must agree before it counts", back)
	}
	return ended(w, r, err, "Permissions saved", back)
}
