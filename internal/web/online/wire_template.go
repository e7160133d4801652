package online

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/moneymovement/wire"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

type wireTemplateListPage struct {
	Shell   ui.Shell
	Tabs    []ui.Tab
	Toolbar ui.Toolbar
	Columns []ui.Column
	Rows    []wireTemplateRow
	New     string
	Export  string
	Empty   bool
}

type wireTemplateRow struct {
	Href, Name, Payee, Bank, From string
	Use                           ui.Action
	Cents                         bank.Cents
}

// GET /{institution}/wire-templates
func (a *app) wireTemplateList(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	list := web.ReadList(r, web.ListSpec{})
	caller := web.CallerOf(r.Context())
	found, err := a.money.Wires.ListTemplates(r.Context(), caller, list.Search)
	if err != nil {
		return err
	}
	o, err := a.money.Wires.Options(r.Context(), caller, "")
	if err != nil {
		return err
	}
	page := wireTemplateListPage{
		Shell: a.shell(r, v.me, "Wire templates"), Tabs: v.wireTabs(v.base.wireTemplates()), Empty: len(found) == 0 && list.Search == "",
		Columns: []ui.Column{{Label: "Template"}, {Label: "Payee"}, {Label: "From"}, {Label: "Usual amount", Money: true}, {Label: "Actions"}},
		Toolbar: list.Toolbar("Search templates", ui.Count(len(found), "template", "templates")),
	}
	page.Export = withQuery(v.base.wireTemplates() + "/export?" + r.URL.RawQuery)
	if o.MayMake.Allowed {
		page.New = v.base.newWireTemplate()
	}
	sends := map[bank.AccountID]bool{}
	for _, id := range o.Send {
		sends[id] = true
	}
	for i := range found {
		t := &found[i]
		row := wireTemplateRow{Href: v.base.wireTemplate(t.ID), Name: t.Name, Payee: t.Payee.Name, Bank: t.Bank.Name, From: v.account(t.Account), Cents: t.Cents}
		if sends[t.Account] {
			row.Use = ui.Action{Label: "Use", About: t.Name, Small: true, Href: v.base.newWire() + "?template=" + url.QueryEscape(string(t.ID))}
		}
		page.Rows = append(page.Rows, row)
	}
	return web.Render(w, r, http.StatusOK, wireTemplateListView(page))
}

// GET /{institution}/wire-templates/export
func (a *app) exportWireTemplates(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	header := []string{"Template", "From", "Payee", "Payee's account", "Payee's bank", "Routing number", "Usual amount", "Remarks", "Made by", "Made at"}
	return web.WriteCSV(w, "wire-templates.csv", header, func(yield func([]string, error) bool) {
		found, err := a.money.Wires.ListTemplates(r.Context(), web.CallerOf(r.Context()), web.ReadList(r, web.ListSpec{}).Search)
		if err != nil {
			yield(nil, err)
		}
		for _, t := range found {
			line := []string{t.Name, v.account(t.Account), t.Payee.Name, t.Payee.Account, t.Bank.Name, t.Bank.Routing, amountOrNone(t.Cents), t.Remarks, t.Maker.Name, ui.DateTime(t.Created, v.place())}
			if !yield(line, nil) {
				return
			}
		}
	})
}

type wireTemplatePage struct {
	Shell  ui.Shell
	Title  string
	Facts  []ui.Fact
	Events []ui.Event
	Use    string
	Edit   string
	Delete string
}

func (a *app) oneWireTemplate(r *http.Request) (wire.TemplateDetail, error) {
	return a.money.Wires.GetTemplate(r.Context(), web.CallerOf(r.Context()), wire.TemplateID(r.PathValue("template")))
}

// GET /{institution}/wire-templates/{template}
func (a *app) wireTemplateDetail(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	d, err := a.oneWireTemplate(r)
	if err != nil {
		return err
	}
	here := v.base.wireTemplate(d.ID)
	page := wireTemplatePage{
		Shell: a.shell(r, v.me, d.Name, ui.Link{Label: "Wires", Href: v.base.wires()}, ui.Link{Label: "Templates", Href: v.base.wireTemplates()}), Title: d.Name,
		Facts: append(v.instructionFacts(&d.Instruction), ui.Fact{Term: "Made by", Value: d.Maker.Name + ", " + ui.DateTime(d.Created, v.place())}), Events: v.timeline(d.Events),
	}
	if d.Editor != "" {
		page.Facts = append(page.Facts, ui.Fact{Term: "Last changed by", Value: d.Editor + ", " + ui.DateTime(d.Edited, v.place())})
	}
	if d.CanUse {
		page.Use = v.base.newWire() + "?template=" + url.QueryEscape(string(d.ID))
	}
	if d.CanEdit {
		page.Edit = here + "/edit"
	}
	if d.CanTake {
		page.Delete = here + "/delete"
	}
	return web.Render(w, r, http.StatusOK, wireTemplateView(page))
}

// GET /{institution}/wire-templates/new
func (a *app) newWireTemplate(w http.ResponseWriter, r *http.Request) error {
	values := map[string]string{"id": string(wire.NewTemplateID(a.site.Clock.Now()))}
	if copied := r.URL.Query().Get("copy"); copied != "" {
		d, err := a.money.Wires.Get(r.Context(), web.CallerOf(r.Context()), wire.ID(copied))
		if err != nil {
			return err
		}
		instructionValues(values, &d.Instruction)
	}
	return a.renderTemplateForm(w, r, "", web.NewForm(values))
}

// GET /{institution}/wire-templates/{template}/edit
func (a *app) editWireTemplate(w http.ResponseWriter, r *http.Request) error {
	d, err := a.oneWireTemplate(r)
	if err != nil {
		return err
	}
	if !d.CanEdit {
		return fault.New(fault.Forbidden, "You may not edit this wire template.")
	}
	values := map[string]string{"id": string(d.ID), "name": d.Name, "version": strconv.FormatInt(d.Version, 10)}
	instructionValues(values, &d.Instruction)
	return a.renderTemplateForm(w, r, d.ID, web.NewForm(values))
}

func (a *app) renderTemplateForm(w http.ResponseWriter, r *http.Request, edit wire.TemplateID, f *web.Form) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	o, err := a.money.Wires.Options(r.Context(), web.CallerOf(r.Context()), bank.AccountID(f.Raw("account")))
	if err != nil {
		return err
	}
	name := f.Field("name", "Name")
	name.Max = wire.MaxTemplateName
	page := wireFormPage{
		Shell: a.shell(r, v.me, "New wire template", ui.Link{Label: "Wires", Href: v.base.wires()}, ui.Link{Label: "Templates", Href: v.base.wireTemplates()}), Title: "New wire template",
		Subtitle: "Whoever uses it cannot change whom it pays.", Review: v.base.wireTemplates(), Button: "Save template", Cancel: v.base.wireTemplates(), Form: f,
		Hidden: sentFields(f, hiddenWireFields), Name: &name, Refused: "You cannot make wire templates now", Ceilings: v.ceilings(o.Room),
	}
	choices := o.Templates
	if edit != "" {
		page.Shell.Title, page.Title = "Change wire template", "Change wire template"
		page.Review, page.Cancel = v.base.wireTemplate(edit)+"/save", v.base.wireTemplate(edit)
		choices = append([]bank.AccountID{bank.AccountID(f.Raw("account"))}, choices...)
	} else if !o.MayMake.Allowed {
		page.Blocked, page.Why, page.Shut = v.blockers(o.MayMake), v.base.whyMe()+"?operation="+catalog.WiresTemplateCreateOperation.ID(), true
		return web.Render(w, r, http.StatusForbidden, wireFormView(page))
	}
	page.fill(v.choices("Choose an account", choices, nil))
	page.Amount.Label, page.Amount.Optional, page.Amount.Help = "Usual amount", true, "It can be changed each time."
	return web.Render(w, r, f.Status(), wireFormView(page))
}

func templateDraft(f *web.Form) wire.TemplateDraft {
	return wire.TemplateDraft{ID: wire.TemplateID(f.Raw("id")), Name: f.Text("name", wire.MaxTemplateName), Instruction: instructionOf(f)}
}

// POST /{institution}/wire-templates
func (a *app) createWireTemplate(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	d := templateDraft(f)
	return a.keepTemplate(w, r, "", f, "The template is saved", d.ID, func() error {
		return a.money.Wires.CreateTemplate(r.Context(), web.CallerOf(r.Context()), d)
	})
}

// POST /{institution}/wire-templates/{template}/save
func (a *app) saveWireTemplate(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	d := templateDraft(f)
	d.ID = wire.TemplateID(r.PathValue("template"))
	return a.keepTemplate(w, r, d.ID, f, "The template is changed", d.ID, func() error {
		return a.money.Wires.EditTemplate(r.Context(), web.CallerOf(r.Context()), number(f.Raw("version")), d)
	})
}

func (a *app) keepTemplate(w http.ResponseWriter, r *http.Request, edit wire.TemplateID, f *web.Form, said string, id wire.TemplateID, keep func() error) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	if f.OK() {
		if err := f.Take(keep()); err != nil {
			return err
		}
	}
	if !f.OK() {
		return a.renderTemplateForm(w, r, edit, f)
	}
	web.Flash(w, r, ui.Good, said)
	http.Redirect(w, r, v.base.wireTemplate(id), http.StatusSeeOther)
	return nil
}

// GET /{institution}/wire-templates/{template}/delete
func (a *app) askDeleteWireTemplate(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	d, err := a.oneWireTemplate(r)
	if err != nil {
		return err
	}
	if !d.CanTake {
		return fault.New(fault.Forbidden, "You may not delete this wire template.")
	}
	here := v.base.wireTemplate(d.ID)
	question := ui.Confirmation{
		Title: "Delete this template?", Text: fmt.Sprintf("%s can no longer be used. Wires and series that came from it stay as they are.", d.Name),
		Action: here + "/delete", Confirm: ui.Action{Label: "Delete template", Variant: ui.Danger, Busy: "Deleting"}, Cancel: here,
	}
	return a.askAbout(w, r, &v, question, [][2]string{{"version", strconv.FormatInt(d.Version, 10)}}, ui.Link{Label: "Wires", Href: v.base.wires()}, ui.Link{Label: "Templates", Href: v.base.wireTemplates()}, ui.Link{Label: d.Name, Href: here})
}

// POST /{institution}/wire-templates/{template}/delete
func (a *app) deleteWireTemplate(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	id := wire.TemplateID(r.PathValue("template"))
	if err := a.money.Wires.DeleteTemplate(r.Context(), web.CallerOf(r.Context()), id, number(web.ReadForm(r).Raw("version"))); err != nil {
		return err
	}
	web.Flash(w, r, ui.Good, "The template is deleted")
	http.Redirect(w, r, v.base.wireTemplates(), http.StatusSeeOther)
	return nil
}
