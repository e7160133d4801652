package console

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/host"
	"mandate/internal/hostsync"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// Host is the room that keeps people the same here and at the institution's
// core.
type Host interface {
	Overview(context.Context, bank.Caller) (hostsync.Overview, error)
	Orders(ctx context.Context, caller bank.Caller, most int) ([]hostsync.Order, error)
	Parked(ctx context.Context, caller bank.Caller, most int) ([]hostsync.Parked, error)
	Retry(ctx context.Context, caller bank.Caller, id string) (int64, error)
	GiveUp(ctx context.Context, caller bank.Caller, id string) error
	TryAgain(ctx context.Context, caller bank.Caller, id string) error
	SetAside(ctx context.Context, caller bank.Caller, id string) error
	Report(ctx context.Context, caller bank.Caller, out io.Writer) error
	Waiting(context.Context, bank.Caller, bank.OrganizationID) ([]hostsync.Order, error)
	Importing(context.Context, bank.Caller, bank.OrganizationID) ([]hostsync.Importing, error)
	Now(context.Context)
}

func (b base) host() string { return b.at("/settings/host") }

// hostRoutes are the addresses of what goes to the host and what it tells.
func (a *app) hostRoutes() []web.Route {
	if a.Host == nil {
		return nil
	}
	keeps := catalog.InstitutionSettingsManage
	get := func(path string, h web.HandlerFunc) web.Route {
		return web.Route{Method: "GET", Pattern: "/{institution}/settings/host" + path, Handler: a.introduced(h), Needs: needs(keeps, "", false)}
	}
	post := func(path, event string, h web.HandlerFunc) web.Route {
		return web.Route{Method: "POST", Pattern: "/{institution}/settings/host" + path, Handler: a.introduced(h), Needs: needs(keeps, event, false)}
	}
	return []web.Route{
		get("", a.hostPage),
		get("/report.csv", a.hostReport),
		post("/retry", hostsync.EventRetried, a.hostRetry),
		post("/give-up", hostsync.EventAside, a.hostGiveUp),
		post("/again", hostsync.EventRetried, a.hostAgain),
		post("/aside", hostsync.EventAside, a.hostAside),
	}
}

// maxHostRows is how much of a queue the page shows.
const maxHostRows = 50

type hostPage struct {
	Shell                       ui.Shell
	Figures                     []ui.Figure
	Dead, Waiting               []orderRow
	More                        string // that not all of it is shown
	Parked                      []parkedRow
	Compared                    []ui.Fact
	Report                      string
	Retry, GiveUp, Again, Aside string
	Place                       *time.Location
}

// An orderRow is an order that has not been carried out.
type orderRow struct {
	hostsync.Order
	What, Since, Href string
}

// A parkedRow is something that somebody must look at.
type parkedRow struct {
	hostsync.Parked
	What, Where, Since string
	Lines              []string
}

// GET /{institution}/settings/host
func (a *app) hostPage(w http.ResponseWriter, r *http.Request) error {
	ctx, caller, b := r.Context(), web.CallerOf(r.Context()), baseOf(r)
	me, err := a.me(r)
	if err != nil {
		return err
	}
	overview, err := a.Host.Overview(ctx, caller)
	if err != nil {
		return err
	}
	orders, err := a.Host.Orders(ctx, caller, maxHostRows)
	if err != nil {
		return err
	}
	parked, err := a.Host.Parked(ctx, caller, maxHostRows)
	if err != nil {
		return err
	}
	p := hostPage{Place: me.Place(), Retry: b.host() + "/retry", GiveUp: b.host() + "/give-up", Again: b.host() + "/again", Aside: b.host() + "/aside"}
	p.figures(&overview, a.site.Clock.Now())
	for _, o := range orders {
		row := orderRow{Order: o, What: orderText(o), Since: ui.DateTime(o.Queued, p.Place)}
		if o.Organization != "" && me.May(catalog.PeopleViewAll) {
			row.Href = b.organization(o.Organization)
		}
		if o.Dead {
			p.Dead = append(p.Dead, row)
		} else {
			p.Waiting = append(p.Waiting, row)
		}
	}
	if n := overview.Orders.Waiting + overview.Orders.Dead; n > int64(len(orders)) {
		p.More = "The oldest " + strconv.Itoa(len(orders)) + " of " + strconv.FormatInt(n, 10) + " are shown."
	}
	for _, one := range parked {
		p.Parked = append(p.Parked, parkedRow{Parked: one, What: parkedText(one), Where: madeText(one), Since: ui.DateTime(one.Made, p.Place), Lines: strings.Split(one.Note, "\n")})
	}
	if c := overview.Compared; c != nil {
		p.Compared = []ui.Fact{
			{Term: "When", Value: ui.DateTime(c.At, p.Place)}, {Term: "People here", Value: number(c.Ours)}, {Term: "People at the host", Value: number(c.Theirs)},
			{Term: "Not the same", Value: number(c.Differ)}, {Term: "Only here", Value: number(c.OnlyHere)}, {Term: "Only at the host", Value: number(c.OnlyThere)},
			{Term: "On the move", Value: number(c.Moving)},
		}
		p.Report = b.host() + "/report.csv"
	}
	if p.Shell, err = a.shell(r, &me, "Host", settingsCrumb(b)); err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, hostView(p))
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// figures are how much waits, and since when.
func (p *hostPage) figures(o *hostsync.Overview, now time.Time) {
	p.Figures = []ui.Figure{
		{Label: "Orders waiting", Value: number(o.Orders.Waiting)}, {Label: "Given up", Value: number(o.Orders.Dead)},
		{Label: "Events waiting", Value: number(o.Events)}, {Label: "Parked", Value: number(o.Parked)}, {Label: "Importing", Value: number(o.Importing)},
	}
	if o.Orders.OldestMicro > 0 {
		p.Figures = append(p.Figures, ui.Figure{Label: "The oldest order waits", Value: lasted(now.Sub(time.UnixMicro(o.Orders.OldestMicro)))})
	}
	if !o.ReadAt.IsZero() {
		p.Figures = append(p.Figures, ui.Figure{Label: "Last read", Value: lasted(now.Sub(o.ReadAt)) + " ago"})
	}
}

// lasted is how long something took, in a figure.
func lasted(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return strconv.Itoa(int(d.Hours()/24)) + " days"
	case d >= time.Hour:
		return strconv.Itoa(int(d.Hours())) + " h " + strconv.Itoa(int(d.Minutes())%60) + " min"
	case d >= time.Minute:
		return strconv.Itoa(int(d.Minutes())) + " min"
	}
	return strconv.Itoa(max(0, int(d.Seconds()))) + " s"
}

// orderText is what an order asks.
func orderText(o hostsync.Order) string {
	who := o.Name
	if who == "" {
		who = "somebody"
	}
	switch o.Step {
	case host.CreateUser:
		return "Create " + who
	case host.UpdateUser:
		return "Change " + who
	case host.DeleteUser:
		return "Delete " + who
	}
	return capitalized(strings.ReplaceAll(o.Room, "-", " ")+" ") + o.Key
}

func parkedText(p hostsync.Parked) string {
	if p.Order {
		return "Our order about " + string(p.Subject)
	}
	return capitalized(p.About.String()) + " " + string(p.Subject)
}

// madeText is where something was made, and by whom.
func madeText(p hostsync.Parked) string {
	where := map[host.Channel]string{host.BackOffice: "BackOffice", host.Classic: "Classic", host.Core: "The host", host.Ordered: "By our order"}[p.Channel]
	if p.By != "" {
		return where + ", " + p.By
	}
	return where
}

// GET /{institution}/settings/host/report.csv
func (a *app) hostReport(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="host-comparison.csv"`)
	err := a.Host.Report(r.Context(), web.CallerOf(r.Context()), w)
	if fault.KindOf(err) == fault.NotFound || fault.KindOf(err) == fault.Forbidden {
		w.Header().Del("Content-Disposition")
	}
	return err
}

// POST /{institution}/settings/host/retry
func (a *app) hostRetry(w http.ResponseWriter, r *http.Request) error {
	n, err := a.Host.Retry(r.Context(), web.CallerOf(r.Context()), web.ReadForm(r).Raw("id"))
	if err != nil {
		return err
	}
	a.Host.Now(r.Context())
	return done(w, r, baseOf(r).host(), ui.Count(int(n), "order is tried again", "orders are tried again"))
}

// POST /{institution}/settings/host/give-up
func (a *app) hostGiveUp(w http.ResponseWriter, r *http.Request) error {
	return a.hostDone(w, r, a.Host.GiveUp, "The order was set aside. What waited behind it goes on.")
}

// POST /{institution}/settings/host/again
func (a *app) hostAgain(w http.ResponseWriter, r *http.Request) error {
	return a.hostDone(w, r, a.Host.TryAgain, "It is looked at again.")
}

// POST /{institution}/settings/host/aside
func (a *app) hostAside(w http.ResponseWriter, r *http.Request) error {
	return a.hostDone(w, r, a.Host.SetAside, "It was set aside.")
}

func (a *app) hostDone(w http.ResponseWriter, r *http.Request, do func(context.Context, bank.Caller, string) error, text string) error {
	if err := do(r.Context(), web.CallerOf(r.Context()), web.ReadForm(r).Raw("id")); err != nil {
		return err
	}
	return done(w, r, baseOf(r).host(), text)
}

// underWay says what the host has not done yet about an organization's people,
// and who is on the way in.
func (a *app) underWay(r *http.Request, organization bank.OrganizationID, place *time.Location) (lines []string, err error) {
	if a.Host == nil {
		return nil, nil
	}
	waiting, err := a.Host.Waiting(r.Context(), web.CallerOf(r.Context()), organization)
	if err != nil {
		return nil, err
	}
	for _, o := range waiting {
		line := orderText(o) + ": waits since " + ui.DateTime(o.Queued, place) + "."
		if o.Step == host.DeleteUser {
			line += " They have no access any more."
		}
		if o.Dead {
			line += " It was given up and waits for somebody to try again."
		}
		lines = append(lines, line)
	}
	importing, err := a.Host.Importing(r.Context(), web.CallerOf(r.Context()), organization)
	for _, i := range importing {
		lines = append(lines, i.Name+" is being made at the host since "+ui.DateTime(i.Since, place)+".")
	}
	return lines, err
}
