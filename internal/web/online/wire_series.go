package online

import (
	"fmt"
	"net/http"
	"strconv"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/moneymovement/wire"
	"mandate/internal/moneymovement/wire/message"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

type wireSeriesListPage struct {
	Shell   ui.Shell
	Tabs    []ui.Tab
	Columns []ui.Column
	Rows    []wireSeriesRow
}

type wireSeriesRow struct {
	Href, Payee, From, Often, Ends string
	State                          ui.State
	Cents                          bank.Cents
}

func wireSeriesState(s wire.SeriesState) ui.State {
	look := map[wire.SeriesState]ui.State{
		wire.Active: {Icon: "repeat", Tone: ui.Good}, wire.Ended: {Icon: "circle-check", Tone: ui.Plain}, wire.SeriesCancelled: {Icon: "circle-slash", Tone: ui.Plain},
	}[s]
	look.Word = s.Label()
	return look
}

// GET /{institution}/recurring-wires
func (a *app) wireSeriesList(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	found, err := a.money.Wires.ListSeries(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	page := wireSeriesListPage{
		Shell: a.shell(r, v.me, "Recurring wires"), Tabs: v.wireTabs(v.base.wireSeriesList()),
		Columns: []ui.Column{{Label: "Payee"}, {Label: "From"}, {Label: "How often"}, {Label: "Ends"}, {Label: "State"}, {Label: "Amount", Money: true}},
	}
	for i := range found {
		s := &found[i]
		page.Rows = append(page.Rows, wireSeriesRow{
			Href: v.base.wireSeries(s.ID), Payee: s.Payee.Name, From: v.account(s.Account), Often: s.Frequency.Label(), Ends: endOfWires(s.Times, s.Until), State: wireSeriesState(s.State), Cents: s.Cents,
		})
	}
	return web.Render(w, r, http.StatusOK, wireSeriesListView(page))
}

type wireSeriesPage struct {
	Shell   ui.Shell
	Title   string
	State   ui.State
	Facts   []ui.Fact
	Columns []ui.Column
	Rows    []wireRow
	Events  []ui.Event
	Edit    string
	Cancel  string
}

func (a *app) oneWireSeries(r *http.Request) (wire.SeriesDetail, error) {
	return a.money.Wires.GetSeries(r.Context(), web.CallerOf(r.Context()), wire.SeriesID(r.PathValue("series")))
}

// GET /{institution}/recurring-wires/{series}
func (a *app) wireSeriesDetail(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	d, err := a.oneWireSeries(r)
	if err != nil {
		return err
	}
	ends := endOfWires(d.Times, d.Until)
	if d.Times > 0 {
		ends += ", of which " + isOrAre(d.Made) + " made so far"
	}
	page := wireSeriesPage{
		Shell: a.shell(r, v.me, "Recurring wire", ui.Link{Label: "Wires", Href: v.base.wires()}, ui.Link{Label: "Recurring", Href: v.base.wireSeriesList()}),
		Title: "Recurring wire of " + d.Cents.Dollars() + " to " + d.Payee.Name, State: wireSeriesState(d.State), Events: v.timeline(d.Events),
		Columns: []ui.Column{{Label: "Payee"}, {Label: "From"}, {Label: "Date"}, {Label: "State"}, {Label: "Amount", Money: true}},
		Facts: append(v.instructionFacts(&d.Instruction), ui.Fact{Term: "How often", Value: d.Frequency.Label()}, ui.Fact{Term: "First", Value: date(d.First)}, ui.Fact{Term: "Ends", Value: ends},
			ui.Fact{Term: "Goes on the right of", Value: d.By.Name}, ui.Fact{Term: "Made by", Value: d.Maker.Name + ", " + ui.DateTime(d.Created, v.place())}),
	}
	for i := range d.Wires {
		page.Rows = append(page.Rows, v.wireRow(&d.Wires[i]))
	}
	if d.CanEdit {
		page.Edit = v.base.wireSeries(d.ID) + "/edit"
	}
	if d.CanTake {
		page.Cancel = v.base.wireSeries(d.ID) + "/cancel"
	}
	return web.Render(w, r, http.StatusOK, wireSeriesView(page))
}

// GET /{institution}/recurring-wires/{series}/edit
func (a *app) editWireSeries(w http.ResponseWriter, r *http.Request) error {
	d, err := a.oneWireSeries(r)
	if err != nil {
		return err
	}
	if !d.CanEdit {
		return fault.New(fault.Conflict, "This series can no longer be changed, or you may not change it.")
	}
	values := map[string]string{"amount": d.Cents.Dollars(), "remarks": d.Remarks, "until": string(d.Until), "version": strconv.FormatInt(d.Version, 10)}
	if d.Times > 0 {
		values["times"] = strconv.Itoa(d.Times)
	}
	return a.renderSeriesForm(w, r, http.StatusOK, web.NewForm(values), nil)
}

func (a *app) renderSeriesForm(w http.ResponseWriter, r *http.Request, status int, f *web.Form, refused error) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	d, err := a.oneWireSeries(r)
	if err != nil {
		return err
	}
	o, err := a.money.Wires.Options(r.Context(), web.CallerOf(r.Context()), d.Account)
	if err != nil {
		return err
	}
	here := v.base.wireSeries(d.ID)
	page := wireFormPage{
		Shell: a.shell(r, v.me, "Change recurring wire", ui.Link{Label: "Wires", Href: v.base.wires()}, ui.Link{Label: "Recurring", Href: v.base.wireSeriesList()}), Title: "Change recurring wire",
		Subtitle: "It holds from the next wire on, which goes on your right. What was sent off already stays as it is.", Review: here + "/save", Button: "Save the change", Cancel: here,
		Form: f, Hidden: sentFields(f, hiddenWireFields), Fixed: v.payeeFacts(&d.Instruction), Ends: true, Ceilings: v.ceilings(o.Room),
	}
	if e, ok := refusalIn(refused); ok {
		page.Refused, page.Blocked = "You may not change this series like that", v.blockers(e)
		page.Why = fmt.Sprintf("%s?operation=%s&account=%s", v.base.whyMe(), catalog.WiresRecurringEditOperation.ID(), d.Account)
	}
	page.fill(nil)
	page.fillEnd()
	return web.Render(w, r, max(status, f.Status()), wireFormView(page))
}

// POST /{institution}/recurring-wires/{series}/save
func (a *app) saveWireSeries(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	e := wire.SeriesEdit{Cents: f.Money("amount"), Remarks: f.Text("remarks", message.MaxRemarks), Until: bank.Day(f.Raw("until")), Times: timesOf(f)}
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	d, hidden := a.oneWireSeries(r) // where it may not be seen, the room says why
	id, done := wire.SeriesID(r.PathValue("series")), false
	if f.OK() {
		done, err = a.proven(w, r, proofOfWire(v.base, e.Cents, d.Payee.Name+", "+d.Frequency.Label(), v.base.wireSeries(id)), func() error {
			return a.money.Wires.EditSeries(r.Context(), web.CallerOf(r.Context()), id, number(f.Raw("version")), e)
		})
		if _, no := refusalIn(err); no && hidden == nil {
			return a.renderSeriesForm(w, r, http.StatusForbidden, f, err)
		}
		if err := f.Take(err); err != nil {
			return err
		}
	}
	if !f.OK() {
		return a.renderSeriesForm(w, r, http.StatusOK, f, nil)
	}
	if !done {
		return nil
	}
	web.Flash(w, r, ui.Good, "The series is changed")
	http.Redirect(w, r, v.base.wireSeries(id), http.StatusSeeOther)
	return nil
}

// GET /{institution}/recurring-wires/{series}/cancel
func (a *app) askCancelWireSeries(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	d, err := a.oneWireSeries(r)
	if err != nil {
		return err
	}
	if !d.CanTake {
		return fault.New(fault.Conflict, "This series can no longer be cancelled, or you may not cancel it.")
	}
	here := v.base.wireSeries(d.ID)
	question := ui.Confirmation{
		Title: "Cancel this series?", Text: "No more wires are made, and the one that is scheduled is not sent off. What was sent off already is cancelled by itself.",
		Action: here + "/cancel", Confirm: ui.Action{Label: "Cancel the series", Variant: ui.Danger, Busy: "Cancelling"}, Cancel: here,
	}
	return a.askAbout(w, r, &v, question, [][2]string{{"version", strconv.FormatInt(d.Version, 10)}}, ui.Link{Label: "Wires", Href: v.base.wires()}, ui.Link{Label: "Recurring wire", Href: here})
}

// POST /{institution}/recurring-wires/{series}/cancel
func (a *app) cancelWireSeries(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	id := wire.SeriesID(r.PathValue("series"))
	if err := a.money.Wires.CancelSeries(r.Context(), web.CallerOf(r.Context()), id, number(web.ReadForm(r).Raw("version"))); err != nil {
		return err
	}
	web.Flash(w, r, ui.Good, "The series is cancelled")
	http.Redirect(w, r, v.base.wireSeries(id), http.StatusSeeOther)
	return nil
}
