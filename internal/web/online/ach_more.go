package online

import (
	"fmt"
	"net/http"
	"strconv"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/moneymovement/ach"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// GET /{institution}/ach/batches/{batch}/copy
func (a *app) askCopyBatch(w http.ResponseWriter, r *http.Request) error {
	return a.askBatch(w, r, catalog.ACHBatchCreate, func(here string, d *ach.Detail) (ui.Confirmation, [][2]string) {
		return ui.Confirmation{Title: "Copy " + d.Name + "?", Text: "The copy has the same recipients and is ready. You are its last editor.",
			Action: here + "/copy", Confirm: ui.Action{Label: "Copy", Variant: ui.Primary, Busy: "Copying"}}, nil
	})
}

// POST /{institution}/ach/batches/{batch}/copy
func (a *app) copyBatch(w http.ResponseWriter, r *http.Request) error {
	id, err := a.money.ACH.Copy(r.Context(), web.CallerOf(r.Context()), ach.BatchID(r.PathValue("batch")), "")
	if err != nil {
		return err
	}
	return a.toBatch(w, r, id, "This is the copy")
}

// GET /{institution}/ach/batches/{batch}/delete
func (a *app) askDeleteBatch(w http.ResponseWriter, r *http.Request) error {
	return a.askBatch(w, r, catalog.ACHBatchDelete, func(here string, d *ach.Detail) (ui.Confirmation, [][2]string) {
		return ui.Confirmation{Title: "Delete " + d.Name + "?", Text: fmt.Sprintf("The batch and its %s are deleted, and its schedule with them. What was sent stays sent. This cannot be undone.", ui.Count(d.Entries, "recipient", "recipients")),
			Action: here + "/delete", Confirm: ui.Action{Label: "Delete batch", Variant: ui.Danger, Busy: "Deleting"}}, nil
	})
}

// POST /{institution}/ach/batches/{batch}/delete
func (a *app) deleteBatch(w http.ResponseWriter, r *http.Request) error {
	id, version := ach.BatchID(r.PathValue("batch")), number(web.ReadForm(r).Raw("version"))
	if err := a.money.ACH.Delete(r.Context(), web.CallerOf(r.Context()), id, version); err != nil {
		return err
	}
	web.Flash(w, r, ui.Good, "The batch is deleted")
	http.Redirect(w, r, baseOf(r).ach(), http.StatusSeeOther)
	return nil
}

type schedulePage struct {
	Shell       ui.Shell
	Title       string
	Save        string
	Cancel      string
	End         string
	Parked      string
	Form        *web.Form
	Hidden      [][2]string
	Frequency   ui.Field
	Frequencies []ui.Option
	First       ui.Field
	Last        ui.Field
	Offset      ui.Field
	Offsets     []ui.Option
	Ceilings    []ceilingLine
	Blocked     []blocker
	Why         string
}

// GET /{institution}/ach/batches/{batch}/schedule
func (a *app) schedule(w http.ResponseWriter, r *http.Request) error {
	return a.renderSchedule(w, r, http.StatusOK, nil, nil)
}

func (a *app) renderSchedule(w http.ResponseWriter, r *http.Request, status int, f *web.Form, refusal error) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	d, err := a.oneBatch(r)
	if err != nil {
		return err
	}
	p, err := a.money.ACH.Prospect(r.Context(), web.CallerOf(r.Context()), d.ID)
	if err != nil {
		return err
	}
	here := v.base.batch(d.ID)
	page := schedulePage{Shell: a.shell(r, v.me, "Recurring", v.achCrumbs(v.batchLink(&d.Batch))...), Title: "Recurring: " + d.Name, Save: here + "/schedule", Cancel: here, Offsets: v.offsets(), Ceilings: v.ceilings(p.Room)}
	values := map[string]string{"version": strconv.FormatInt(d.Version, 10), "frequency": string(ach.Monthly)}
	if s := d.Schedule; s != nil {
		page.End, page.Parked = here+"/schedule/end", s.Parked
		values["frequency"], values["first"], values["last"], values["offset"] = string(s.Frequency), string(s.Next), string(s.Last), string(s.Offset)
	}
	if f == nil {
		f = web.NewForm(values)
	}
	page.fields(f)
	if e, ok := refusalIn(refusal); ok {
		page.Blocked, page.Why, status = v.blockers(e), v.whyBatch(catalog.ACHBatchInitiate)+"&recurring=on", http.StatusForbidden
	}
	return web.Render(w, r, max(status, f.Status()), scheduleView(page))
}

func (p *schedulePage) fields(f *web.Form) {
	p.Form, p.Hidden = f, [][2]string{{"version", f.Raw("version")}}
	p.Frequency, p.First, p.Last, p.Offset = f.Field("frequency", "How often"), f.Field("first", "First effective date"), f.Field("last", "Until"), f.Field("offset", "Offset account")
	p.First.Width, p.Last.Width, p.Last.Optional = "medium", "medium", true
	p.First.Help = "The batch is initiated by itself on the business day before. A date that is no business day moves to the next one."
	p.Last.Help = "Leave it empty and it goes on until somebody ends it."
	p.Offset.Optional = true
	for _, frequency := range ach.Frequencies() {
		p.Frequencies = append(p.Frequencies, ui.Option{Value: string(frequency), Label: frequency.Label()})
	}
}

// POST /{institution}/ach/batches/{batch}/schedule
func (a *app) saveSchedule(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	want := ach.Schedule{Batch: ach.BatchID(r.PathValue("batch")), Frequency: ach.Frequency(f.Raw("frequency")), First: bank.Day(f.Raw("first")), Last: bank.Day(f.Raw("last")), Offset: bank.AccountID(f.Raw("offset"))}
	ask := func() (proof, error) {
		v, err := a.moneyView(r)
		if err != nil {
			return proof{}, err
		}
		d, err := a.oneBatch(r)
		return proof{Text: fmt.Sprintf("You are about to let %s be sent by itself, on your right. It %s each time.", d.Name, amountOf(&d.Batch)), Cancel: v.base.batch(want.Batch), Crumbs: v.achCrumbs(v.batchLink(&d.Batch))}, err
	}
	done, err := a.proven(w, r, ask, func() error {
		return a.money.ACH.SetSchedule(r.Context(), web.CallerOf(r.Context()), number(f.Raw("version")), want)
	})
	if _, refusal := refusalIn(err); refusal {
		return a.renderSchedule(w, r, http.StatusForbidden, f, err)
	}
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderSchedule(w, r, http.StatusUnprocessableEntity, f, nil)
	}
	if !done {
		return nil
	}
	return a.toBatch(w, r, want.Batch, "The schedule is saved")
}

// GET /{institution}/ach/batches/{batch}/schedule/end
func (a *app) askEndSchedule(w http.ResponseWriter, r *http.Request) error {
	return a.askBatch(w, r, catalog.ACHBatchCreate, func(here string, d *ach.Detail) (ui.Confirmation, [][2]string) {
		return ui.Confirmation{Title: "End the schedule of " + d.Name + "?", Text: "It is no longer sent by itself. What has been initiated already goes out, unless it is taken back.",
			Action: here + "/schedule/end", Confirm: ui.Action{Label: "End the schedule", Variant: ui.Danger, Busy: "Ending"}}, nil
	})
}

// POST /{institution}/ach/batches/{batch}/schedule/end
func (a *app) endSchedule(w http.ResponseWriter, r *http.Request) error {
	id := ach.BatchID(r.PathValue("batch"))
	if err := a.money.ACH.EndSchedule(r.Context(), web.CallerOf(r.Context()), id); err != nil {
		return err
	}
	return a.toBatch(w, r, id, "The schedule has ended")
}

type categoriesPage struct {
	Shell   ui.Shell
	Rows    []categoryRow
	Columns []ui.Column
	Edit    bool
	Form    *web.Form
	Save    string
	ID      string
	Title   string
	Name    ui.Field
	Secret  *ui.Field
	Cancel  string
}

type categoryRow struct {
	Name, Href, Batches, Change string
	Restricted                  bool
}

// GET /{institution}/ach/categories
func (a *app) categories(w http.ResponseWriter, r *http.Request) error {
	return a.renderCategories(w, r, nil)
}

func (a *app) renderCategories(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	choices, err := a.money.ACH.Choices(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	page := categoriesPage{Shell: a.shell(r, v.me, "Categories", v.achCrumbs()...), Columns: []ui.Column{{Label: "Category"}, {Label: "Seen by"}, {Label: "Change", Hidden: true}},
		Edit: choices.Edit.Allowed, Save: v.base.achCategories(), Title: "New category", Cancel: v.base.achCategories()}
	chosen := ach.CategoryID(r.URL.Query().Get("edit"))
	values := map[string]string{}
	for _, c := range choices.Categories {
		page.Rows = append(page.Rows, categoryRow{Name: c.Name, Restricted: c.Restricted, Href: v.base.ach() + "?category=" + string(c.ID), Change: v.base.achCategories() + "?edit=" + string(c.ID)})
		if c.ID == chosen {
			page.Title = "Change " + c.Name
			values = map[string]string{"id": string(c.ID), "name": c.Name, "restricted": onOff(c.Restricted)}
		}
	}
	if f == nil {
		f = web.NewForm(values)
	}
	page.Form, page.ID, page.Name = f, f.Raw("id"), f.Field("name", "Name")
	page.Name.Max = ach.MaxBatchName
	if choices.Restricted {
		secret := f.Field("restricted", "Restricted")
		secret.Help = "Its batches are seen only by those with restricted batch access: " + joined(namesList(choices.Seeing)) + "."
		page.Secret = &secret
	}
	return web.Render(w, r, f.Status(), categoriesView(page))
}

// POST /{institution}/ach/categories
func (a *app) saveCategory(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	c := ach.Category{ID: ach.CategoryID(f.Raw("id")), Name: f.Text("name", ach.MaxBatchName), Restricted: f.Checked("restricted")}
	if f.OK() {
		_, err := a.money.ACH.SetCategory(r.Context(), web.CallerOf(r.Context()), c)
		if err := f.Take(err); err != nil {
			return err
		}
	}
	if !f.OK() {
		return a.renderCategories(w, r, f)
	}
	web.Flash(w, r, ui.Good, "The category is saved")
	http.Redirect(w, r, baseOf(r).achCategories(), http.StatusSeeOther)
	return nil
}
