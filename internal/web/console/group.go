package console

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/staff"
	"mandate/internal/web"
	"mandate/internal/web/entrance"
	"mandate/internal/web/ui"
)

const (
	maxGroupName   = 60
	maxDescription = 200
)

// A groupForm is the form of a group.
type groupForm struct {
	Action, Submit    string
	Version           string
	Sentence          string
	Problems          []fault.Problem
	Name, Description ui.Field
	Factor            ui.Field
	From              ui.Field
	Reports, Approval ui.Field
	Others            []ui.Option
	Areas             []areaBoxes
	Carried           []string // boxes that are ticked and not shown, since they say nothing here
	Product           string   // whose group it is; empty: the console's
	Cancel            string
}

// areaBoxes are the boxes of one area's permissions.
type areaBoxes struct {
	Area  catalog.StaffAreaInfo
	Boxes []ui.Field
}

// A groupPage is a group with its members and, for those who may change it, its
// form.
type groupPage struct {
	Shell   ui.Shell
	Base    base
	Group   staff.GroupProfile
	Rights  []rightsOfArea
	Form    *groupForm // nil for those who only look
	Above   string     // why it cannot be changed
	Delete  string
	Reports string // the name of the group that it reports to
	Place   *time.Location
}

func groupID(r *http.Request) bank.GroupID { return bank.GroupID(r.PathValue("group")) }

const boxPrefix = "permission."

// readGroup is the draft that a form says.
func readGroup(f *web.Form) staff.Draft {
	d := staff.Draft{Name: f.Raw("name"), Description: f.Raw("description"), ReportsTo: bank.GroupID(f.Raw("reports_to")), ApprovalFrom: staff.Approval(f.Raw("approval_from"))}
	if on, _ := f.Switch("second_factor"); on {
		if d.SecondFactorFrom = bank.Day(f.Raw("second_factor_from")); d.SecondFactorFrom == "" {
			d.SecondFactorFrom = "-" // which is no date, and is said to be none
		}
	}
	for p := catalog.UnknownStaffPermission + 1; p < catalog.StaffPermissionCount; p++ {
		if f.Checked(boxPrefix + p.ID()) {
			d.Permissions |= catalog.StaffSetOf(p)
		}
	}
	d.Product, d.Held = bank.ApplicationID(f.Raw("product")), readHeld(f)
	return d
}

// draftOf is the draft that a form says, where another group may be named by
// what it is called.
func (a *app) draftOf(r *http.Request, f *web.Form) (staff.Draft, error) {
	d := readGroup(f)
	var err error
	d.ReportsTo, err = a.groupCalled(r, d.ReportsTo)
	return d, err
}

// groupCalled is the group that somebody chose, or wrote the name of. What is
// neither is left as it is, and is found to be no group.
func (a *app) groupCalled(r *http.Request, chosen bank.GroupID) (bank.GroupID, error) {
	if chosen == "" || strings.HasPrefix(string(chosen), bank.PrefixGroup+"_") {
		return chosen, nil
	}
	g, err := a.Staff.GroupCalled(r.Context(), web.CallerOf(r.Context()), string(chosen))
	if err != nil || g.ID == "" {
		return chosen, err
	}
	return g.ID, nil
}

// otherGroups are the groups that can be chosen beside one. Where there are too
// many for a list there are none, and the field shows a name to be written.
func (a *app) otherGroups(r *http.Request, field *ui.Field, self bank.GroupID, nobody string) ([]ui.Option, error) {
	caller := web.CallerOf(r.Context())
	page, err := a.Staff.GroupPage(r.Context(), caller, staff.GroupQuery{Size: fewGroups})
	if err != nil {
		return nil, err
	}
	if page.Total > fewGroups {
		field.Help = strings.TrimSpace(field.Help + " Enter its name.")
		named, err := a.Staff.GroupsNamed(r.Context(), caller, []bank.GroupID{bank.GroupID(field.Value)})
		for _, g := range named {
			field.Value = g.Name
		}
		return nil, err
	}
	options := []ui.Option{{Value: "", Label: nobody}}
	for _, other := range page.Groups {
		if other.ID != self {
			options = append(options, ui.Option{Value: string(other.ID), Label: other.Name})
		}
	}
	return options, nil
}

// formOf is the form of a draft.
func formOf(d staff.Draft) *web.Form {
	values := map[string]string{"name": d.Name, "description": d.Description, "second_factor_from": string(d.SecondFactorFrom),
		"reports_to": string(d.ReportsTo), "approval_from": string(d.ApprovalFrom), "product": string(d.Product)}
	for _, id := range d.Held.IDs() {
		values[heldPrefix+id] = "on"
	}
	if d.SecondFactorFrom != "" {
		values["second_factor"] = "on"
	}
	for p := range d.Permissions.All() {
		values[boxPrefix+p.ID()] = "on"
	}
	return web.NewForm(values)
}

// newGroupForm shows what is typed; boxes of rights that one does not hold
// cannot be ticked and say why.
func (a *app) newGroupForm(r *http.Request, f *web.Form, me *staff.Standing, self bank.GroupID) (*groupForm, error) {
	g := &groupForm{Sentence: f.Sentence, Problems: f.Problems, Version: f.Raw("version"),
		Name: f.Field("name", "Name"), Description: f.Field("description", "Description"),
		Factor: f.Field("second_factor", "Require a second factor"), From: f.Field("second_factor_from", "From this day on"),
		Reports: f.Field("reports_to", "Reports to"), Approval: f.Field("approval_from", "Needs approval from")}
	g.Name.Max, g.Description.Max, g.Description.Optional = maxGroupName, maxDescription, true
	g.Factor.Help = "From the day on, members without one must add one before they can work."
	g.From.Optional, g.From.Width, g.Reports.Optional, g.Approval.Optional = true, "short", true, true
	if g.From.Value == "-" {
		g.From.Value = ""
	}
	g.Reports.Help = "The group that this one answers to."
	g.Approval.Help = "Who there must agree before what members of this group change about an organization, its entitlements and ceilings, is done."
	var err error
	if g.Others, err = a.otherGroups(r, &g.Reports, self, "Nobody"); err != nil {
		return nil, err
	}
	if g.Product = f.Raw("product"); g.Product != "" {
		p, err := a.product(r, bank.ApplicationID(g.Product))
		g.Areas = productBoxes(p, f, me)
		g.authenticate(f, me)
		return g, err
	}
	for _, area := range catalog.StaffAreas() {
		if area == catalog.AreaAuthenticate {
			g.authenticate(f, me)
		} else {
			g.Areas = append(g.Areas, boxesOf(area, f, me.Grantable()))
		}
	}
	return g, nil
}

// authenticate shows the rights to sign in where signing in takes one.
func (g *groupForm) authenticate(f *web.Form, me *staff.Standing) {
	if me.Federates {
		g.Areas = append(g.Areas, boxesOf(catalog.AreaAuthenticate, f, me.Grantable()))
		return
	}
	for p := range catalog.StaffSignIns.All() {
		if f.Checked(boxPrefix + p.ID()) {
			g.Carried = append(g.Carried, boxPrefix+p.ID())
		}
	}
}

func boxesOf(area catalog.StaffArea, f *web.Form, own catalog.StaffSet) areaBoxes {
	of := areaBoxes{Area: area.Info()}
	for p := catalog.UnknownStaffPermission + 1; p < catalog.StaffPermissionCount; p++ {
		info := p.Info()
		if info.Area != area {
			continue
		}
		box := ui.Field{Name: boxPrefix + info.ID, Label: info.Label, Value: f.Raw(boxPrefix + info.ID)}
		if views := catalog.StaffSetOf(info.Views...).Labels(); len(views) > 0 {
			box.Help = "Ticks " + strings.Join(views, " and ") + " as well."
		}
		if !own.Has(p) {
			box.Value = "" // nobody gives what they do not hold
			box.Off, box.Help = true, "You do not hold this yourself."
			if info.Operator {
				box.Help = "Given by the operator only."
			}
		}
		of.Boxes = append(of.Boxes, box)
	}
	return of
}

var approvals = []ui.Option{{Value: "", Label: "Nobody"}, {Value: "one", Label: staff.ApprovalOne.Label()}, {Value: "everyone", Label: staff.ApprovalEveryone.Label()}}

// dayWords is a day as people write it.
func dayWords(d bank.Day) string { return ui.Date(d.Time(time.UTC), time.UTC) }

// GET /{institution}/groups/{group}
func (a *app) group(w http.ResponseWriter, r *http.Request) error {
	return a.renderGroup(w, r, nil)
}

// groupAgain shows the form with what was typed, for somebody who has seen what
// it would mean and goes on editing.
//
// POST /{institution}/groups/{group}
func (a *app) groupAgain(w http.ResponseWriter, r *http.Request) error {
	return a.renderGroup(w, r, web.ReadForm(r))
}

func (a *app) renderGroup(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	me, err := a.me(r)
	if err != nil {
		return err
	}
	page := groupPage{Base: baseOf(r), Place: me.Place()}
	if page.Group, err = a.Staff.Group(r.Context(), web.CallerOf(r.Context()), groupID(r)); err != nil {
		return err
	}
	if page.Shell, err = a.shell(r, &me, page.Group.Name, ui.Link{Label: "Groups", Href: page.Base.groups()}); err != nil {
		return err
	}
	products, err := a.declaring(r, page.Group.Group)
	if err != nil {
		return err
	}
	page.Rights = byArea(me.Shown(page.Group.Permissions))
	for _, p := range products {
		if p.ID != page.Group.Product {
			continue
		}
		page.Rights = append([]rightsOfArea{{catalog.StaffAreaInfo{Label: p.Name, Product: true}, p.Labels(page.Group.Held)}}, page.Rights...)
	}
	at := page.Base.group(page.Group.ID)
	if missing := beyond(page.Group.Draft, &me, products); len(missing) > 0 {
		page.Above = "This group permits what you do not hold yourself (" + strings.Join(missing, ", ") + "), so only somebody who holds it can change the group."
	}
	if me.May(catalog.StaffGroupsDelete) && page.Above == "" {
		page.Delete = at + "/delete"
	}
	if !me.May(catalog.StaffGroupsEdit) || page.Above != "" {
		return a.renderGroupFacts(w, r, page)
	}
	if f == nil {
		f = formOf(page.Group.Draft)
	}
	if page.Form, err = a.newGroupForm(r, f, &me, page.Group.ID); err != nil {
		return err
	}
	if page.Form.Version == "" {
		page.Form.Version = strconv.FormatInt(page.Group.Version, 10)
	}
	page.Form.Action, page.Form.Submit, page.Form.Cancel = at+"/review", "Review changes", page.Base.groups()
	return web.Render(w, r, f.Status(), groupView(page))
}

func (a *app) renderGroupFacts(w http.ResponseWriter, r *http.Request, page groupPage) error {
	groups, err := a.Staff.GroupsNamed(r.Context(), web.CallerOf(r.Context()), []bank.GroupID{page.Group.ReportsTo})
	if err != nil {
		return err
	}
	for _, g := range groups {
		page.Reports = g.Name
	}
	return web.Render(w, r, http.StatusOK, groupView(page))
}

type newGroupPage struct {
	Shell  ui.Shell
	Form   *groupForm
	Starts []startLink

	Products []staff.Product // of which it could be a group
	New      string
}

// A startLink is a ready-made group to begin with.
type startLink struct {
	staff.Start
	Href    string
	Current bool
}

// newGroupPage is an empty form, or one that is filled in with a ready-made
// group as far as somebody may give it.
//
// GET /{institution}/groups/new
func (a *app) newGroupPage(w http.ResponseWriter, r *http.Request) error {
	me, err := a.me(r)
	if err != nil {
		return err
	}
	d := staff.Draft{Product: bank.ApplicationID(r.URL.Query().Get("product"))}
	for _, start := range staff.Starts() {
		if start.ID == r.URL.Query().Get("start") {
			d = start.Draft
		}
	}
	if me.Federates { // what is asked for least often is to keep people out
		d.Permissions |= catalog.StaffSetOf(catalog.StaffSignInHere)
	}
	return a.renderNewGroup(w, r, formOf(d))
}

func (a *app) renderNewGroup(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	me, err := a.me(r)
	if err != nil {
		return err
	}
	b := baseOf(r)
	var page newGroupPage
	for _, start := range staff.Starts() {
		page.Starts = append(page.Starts, startLink{start, b.newGroup() + "?start=" + start.ID, r.URL.Query().Get("start") == start.ID})
	}
	if page.Products, err = a.Staff.Products(r.Context(), web.CallerOf(r.Context())); err != nil {
		return err
	}
	page.New = b.newGroup()
	if page.Shell, err = a.shell(r, &me, "Create a group", ui.Link{Label: "Groups", Href: b.groups()}); err != nil {
		return err
	}
	if page.Form, err = a.newGroupForm(r, f, &me, ""); err != nil {
		return err
	}
	page.Form.Action, page.Form.Submit, page.Form.Cancel = b.newGroup(), "Create group", b.groups()
	return web.Render(w, r, f.Status(), newGroupView(page))
}

// POST /{institution}/groups/new
func (a *app) createGroup(w http.ResponseWriter, r *http.Request) error {
	f, b := web.ReadForm(r), baseOf(r)
	var id bank.GroupID
	draft, err := a.draftOf(r, f)
	if err != nil {
		return err
	}
	proven, err := a.door.Proven(w, r, groupProof(r, "Before you create a group that permits something.", b.groups()), func() (err error) {
		id, err = a.Staff.CreateGroup(r.Context(), web.CallerOf(r.Context()), draft)
		return err
	})
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderNewGroup(w, r, f)
	}
	if !proven {
		return nil
	}
	return done(w, r, b.group(id), "The group was created")
}

func groupProof(r *http.Request, text, back string) func() (entrance.Proof, error) {
	return func() (entrance.Proof, error) {
		return entrance.Proof{Text: text, Cancel: back, Crumbs: []ui.Link{{Label: "Groups", Href: baseOf(r).groups()}}}, nil
	}
}

// A reviewPage says what saving a group would mean, and for whom.
type reviewPage struct {
	Shell    ui.Shell
	Base     base
	Name     string
	Save     string
	Again    string
	Carried  [][2]string
	Lines    []ui.Change
	Effects  []staff.Effect
	Factored []staff.Row
	Rest     string // of whom nothing is said here; empty: everybody is
}

// reviewGroup shows who gains and loses what, before anything is saved.
//
// POST /{institution}/groups/{group}/review
func (a *app) reviewGroup(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	version, err := strconv.ParseInt(f.Raw("version"), 10, 64)
	if err != nil {
		version = 0 // no group has that
	}
	draft, err := a.draftOf(r, f)
	if err != nil {
		return err
	}
	preview, err := a.Staff.PreviewGroup(r.Context(), web.CallerOf(r.Context()), groupID(r), version, draft)
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderGroup(w, r, f)
	}
	b := baseOf(r)
	at := b.group(groupID(r))
	page := reviewPage{Base: b, Name: preview.Group.Name, Save: at + "/save", Again: at, Carried: entrance.CarriedFields(r),
		Lines: groupLines(preview), Effects: preview.Effects, Factored: preview.Factored}
	if preview.Members > preview.Looked {
		page.Rest = fmt.Sprintf("These are the first %d of %d members by name. For everybody else it is the same: they gain and lose what none of their other groups gives.", preview.Looked, preview.Members)
	}
	if page.Shell, err = a.ownShell(r, "Review changes", ui.Link{Label: "Groups", Href: b.groups()}, ui.Link{Label: preview.Group.Name, Href: at}); err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, reviewView(page))
}

// groupLines say what will be different, what it adds first.
func groupLines(p staff.Preview) (lines []ui.Change) {
	lines = productLines(p)
	was, now := p.Group.Draft, p.Draft
	for right := range (now.Permissions &^ was.Permissions).All() {
		lines = append(lines, ui.Change{Sentence: "The group permits “" + right.Info().Label + "”.", Risk: "Its members get a right."})
	}
	for right := range (was.Permissions &^ now.Permissions).All() {
		lines = append(lines, ui.Change{Sentence: "The group no longer permits “" + right.Info().Label + "”."})
	}
	text := func(what, before, after string) {
		if before != after {
			lines = append(lines, ui.Change{Sentence: what, Before: orNone(before), After: orNone(after)})
		}
	}
	text("The name changes.", was.Name, now.Name)
	text("The description changes.", was.Description, now.Description)
	if was.SecondFactorFrom != now.SecondFactorFrom {
		line := ui.Change{Sentence: "A second factor is no longer required.", Risk: "A password alone signs its members in, unless another group requires more."}
		if now.SecondFactorFrom != "" {
			line = ui.Change{Sentence: "A second factor is required from " + dayWords(now.SecondFactorFrom) + " on."}
		}
		lines = append(lines, line)
	}
	if was.ReportsTo != now.ReportsTo || was.ApprovalFrom != now.ApprovalFrom {
		lines = append(lines, oversightLine(was, now))
	}
	return lines
}

// oversightLine says whose agreement the group needs from now on.
func oversightLine(was, now staff.Draft) ui.Change {
	switch {
	case now.ApprovalFrom == staff.ApprovalNobody && was.ApprovalFrom != staff.ApprovalNobody:
		return ui.Change{Sentence: "What its members change about organizations is done at once.", Risk: "Nobody else looks at it any more."}
	case now.ApprovalFrom == staff.ApprovalEveryone:
		return ui.Change{Sentence: "What its members change about organizations waits for everyone in the group that it reports to."}
	case now.ApprovalFrom == staff.ApprovalOne:
		return ui.Change{Sentence: "What its members change about organizations waits for one person in the group that it reports to."}
	}
	return ui.Change{Sentence: "The group that it reports to changes."}
}

func orNone(s string) string {
	if s == "" {
		return "None"
	}
	return s
}

// saveGroup stores what was reviewed.
//
// POST /{institution}/groups/{group}/save
func (a *app) saveGroup(w http.ResponseWriter, r *http.Request) error {
	f, at := web.ReadForm(r), baseOf(r).group(groupID(r))
	version, err := strconv.ParseInt(f.Raw("version"), 10, 64)
	if err != nil {
		version = 0
	}
	draft, err := a.draftOf(r, f)
	if err != nil {
		return err
	}
	proven, err := a.door.Proven(w, r, groupProof(r, "Before you change what this group permits, or when it needs a second factor.", at), func() error {
		return a.Staff.EditGroup(r.Context(), web.CallerOf(r.Context()), groupID(r), version, draft)
	})
	if err != nil && fault.KindOf(err) == fault.Conflict {
		return refusedAt(w, r, at, err)
	}
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderGroup(w, r, f)
	}
	if !proven {
		return nil
	}
	return done(w, r, at, "The group was saved")
}

// GET /{institution}/groups/{group}/delete
func (a *app) askDeleteGroup(w http.ResponseWriter, r *http.Request) error {
	return a.renderDeleteGroup(w, r, web.NewForm(nil))
}

func (a *app) renderDeleteGroup(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	caller := web.CallerOf(r.Context())
	g, err := a.Staff.Group(r.Context(), caller, groupID(r))
	if err != nil {
		return err
	}
	field := f.Field("replacement", "Replacement")
	field.Optional, field.Help = true, "Whoever has no other group gets this one."
	options, err := a.otherGroups(r, &field, g.ID, "Nobody needs one")
	if err != nil {
		return err
	}
	b := baseOf(r)
	shell, err := a.ownShell(r, "Delete group", ui.Link{Label: "Groups", Href: b.groups()}, ui.Link{Label: g.Name, Href: b.group(g.ID)})
	if err != nil {
		return err
	}
	return web.RenderConfirm(w, r, f.Status(), ui.Confirmation{
		Title: "Delete " + g.Name + "?", Text: "Its " + ui.Count(g.Members, "member stays", "members stay") + ". What only this group permits them, they lose at once.",
		Action: b.group(g.ID) + "/delete", Cancel: b.group(g.ID), Confirm: ui.Action{Label: "Delete group", Variant: ui.Danger},
		Sentence: f.Sentence, Problems: f.Problems,
	}, groupField(field, options), func(content templ.Component) templ.Component { return ui.Within(ui.Page(shell), content) })
}

// POST /{institution}/groups/{group}/delete
func (a *app) deleteGroup(w http.ResponseWriter, r *http.Request) error {
	f, b := web.ReadForm(r), baseOf(r)
	at := b.group(groupID(r))
	replacement, err := a.groupCalled(r, bank.GroupID(f.Raw("replacement")))
	if err != nil {
		return err
	}
	proven, err := a.door.Proven(w, r, groupProof(r, "Before you delete a group.", at), func() error {
		return a.Staff.DeleteGroup(r.Context(), web.CallerOf(r.Context()), groupID(r), replacement)
	})
	if err != nil && fault.KindOf(err) == fault.Conflict {
		return refusedAt(w, r, at, err)
	}
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderDeleteGroup(w, r, f)
	}
	if !proven {
		return nil
	}
	return done(w, r, b.groups(), "The group was deleted")
}
