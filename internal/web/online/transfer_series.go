package online

import (
	"fmt"
	"net/http"

	"mandate/internal/moneymovement/transfer"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

type seriesPage struct {
	Shell   ui.Shell
	Title   string
	State   ui.State
	Facts   []ui.Fact
	Columns []ui.Column
	Rows    []transferRow
	Events  []ui.Event
	Cancel  string
}

func (a *app) oneSeries(r *http.Request) (transfer.SeriesDetail, error) {
	return a.money.Transfers.GetSeries(r.Context(), web.CallerOf(r.Context()), transfer.SeriesID(r.PathValue("series")))
}

func seriesState(s transfer.SeriesState) ui.State {
	look := map[transfer.SeriesState]ui.State{
		transfer.Active: {Icon: "repeat", Tone: ui.Good}, transfer.Ended: {Icon: "circle-check", Tone: ui.Plain}, transfer.SeriesCancelled: {Icon: "circle-slash", Tone: ui.Plain},
	}[s]
	look.Word = s.Label()
	return look
}

// GET /{institution}/recurring-transfers/{series}
func (a *app) seriesDetail(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	d, err := a.oneSeries(r)
	if err != nil {
		return err
	}
	page := seriesPage{
		Shell: a.shell(r, v.me, "Recurring transfer", ui.Link{Label: "Transfers", Href: v.base.transfers()}),
		Title: "Recurring transfer of " + d.Cents.Dollars(), State: seriesState(d.State), Events: v.timeline(d.Events),
		Columns: []ui.Column{{Label: "Transfer"}, {Label: "From"}, {Label: "To"}, {Label: "Date"}, {Label: "State"}, {Label: "Amount", Money: true}},
		Facts: []ui.Fact{
			{Term: "From", Value: v.account(d.From)}, {Term: "To", Value: v.account(d.To)}, {Term: "Amount", More: ui.Amount(d.Cents)},
			{Term: "How often", Value: d.Frequency.Label()}, {Term: "First", Value: date(d.First)}, {Term: "Ends", Value: endOf(&d.Series)},
			{Term: "Memo", Value: d.Memo}, {Term: "Made by", Value: d.Maker.Name + ", " + ui.DateTime(d.Created, v.place())},
		},
	}
	for _, t := range d.Transfers {
		page.Rows = append(page.Rows, v.transferRow(&t))
	}
	if d.CanTake {
		page.Cancel = v.base.series(d.ID) + "/cancel"
	}
	return web.Render(w, r, http.StatusOK, seriesView(page))
}

func endOf(s *transfer.Series) string {
	switch {
	case s.Times > 0:
		return fmt.Sprintf("After %d transfers, of which %s made so far", s.Times, isOrAre(s.Made))
	case s.Until != "":
		return "After " + date(s.Until)
	}
	return "When somebody cancels it"
}

func isOrAre(n int) string {
	if n == 1 {
		return "1 is"
	}
	return fmt.Sprintf("%d are", n)
}

// GET /{institution}/recurring-transfers/{series}/cancel
func (a *app) askCancelSeries(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	d, err := a.oneSeries(r)
	if err != nil {
		return err
	}
	here := v.base.series(d.ID)
	question := ui.Confirmation{
		Title: "Cancel this series?", Text: "No more transfers are made, and the one that is scheduled does not go out. What has moved stays moved.",
		Action: here + "/cancel", Confirm: ui.Action{Label: "Cancel the series", Variant: ui.Danger, Busy: "Cancelling"}, Cancel: here,
	}
	return a.askAbout(w, r, &v, question, nil, ui.Link{Label: "Transfers", Href: v.base.transfers()}, ui.Link{Label: "Recurring transfer", Href: here})
}

// POST /{institution}/recurring-transfers/{series}/cancel
func (a *app) cancelSeries(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	id := transfer.SeriesID(r.PathValue("series"))
	if err := a.money.Transfers.CancelSeries(r.Context(), web.CallerOf(r.Context()), id); err != nil {
		return err
	}
	web.Flash(w, r, ui.Good, "The series is cancelled")
	http.Redirect(w, r, v.base.series(id), http.StatusSeeOther)
	return nil
}
