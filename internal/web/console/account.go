package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"mandate/internal/bank"
	"mandate/internal/fault"
	"mandate/internal/staff"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// A detailsForm is the form of what a staff user is called and how to reach
// them.
type detailsForm struct {
	Sentence     string
	Problems     []fault.Problem
	First, Last  ui.Field
	Phone, Zone  ui.Field
	Zones        []ui.Option
	Email        string
	Action, Save string
	Cancel       string
}

const maxPhone = 40

// zones are the time zones that are offered; one that somebody has besides is
// kept.
var zones = []string{"America/New_York", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles", "America/Anchorage",
	"Pacific/Honolulu", "America/Puerto_Rico", "Europe/London", "UTC"}

func newDetailsForm(f *web.Form, email, action, save string) detailsForm {
	d := detailsForm{
		Sentence: f.Sentence, Problems: f.Problems, Email: email, Action: action, Save: save,
		First: f.Field("first_name", "First name"), Last: f.Field("last_name", "Last name"),
		Phone: f.Field("phone", "Phone"), Zone: f.Field("time_zone", "Time zone"),
	}
	d.First.Max, d.Last.Max, d.Phone.Max = bank.MaxName, bank.MaxName, maxPhone
	d.First.Autocomplete, d.Last.Autocomplete, d.Phone.Autocomplete = "given-name", "family-name", "tel"
	d.Phone.Optional, d.Zone.Optional = true, true
	d.Zone.Help = "In which times are shown to you."
	d.Zones = []ui.Option{{Value: "", Label: "The institution's"}}
	offered := zones
	if d.Zone.Value != "" && !slices.Contains(zones, d.Zone.Value) {
		offered = append(slices.Clone(zones), d.Zone.Value)
	}
	for _, zone := range offered {
		if _, err := time.LoadLocation(zone); err == nil {
			d.Zones = append(d.Zones, ui.Option{Value: zone, Label: zone})
		}
	}
	return d
}

func detailsOf(u staff.User) *web.Form {
	return web.NewForm(map[string]string{"first_name": u.FirstName, "last_name": u.LastName, "phone": u.Phone, "time_zone": u.TimeZone})
}

func readDetails(f *web.Form) staff.Details {
	return staff.Details{FirstName: f.Raw("first_name"), LastName: f.Raw("last_name"), Phone: f.Raw("phone"), TimeZone: f.Raw("time_zone")}
}

type accountPage struct {
	Shell ui.Shell
	New   bool // they have just joined
	House string
	Form  detailsForm

	Return string // where they were going
}

// account is what somebody is called, and how to reach them.
//
// GET /{institution}/account
func (a *app) account(w http.ResponseWriter, r *http.Request) error {
	me, err := a.me(r)
	if err != nil {
		return err
	}
	f := detailsOf(me.User).With("return", []string{r.URL.Query().Get("return")})
	return a.renderAccount(w, r, &me, f)
}

// introduceFirst leads somebody who has just joined to their account, and back to
// where they were going.
func introduceFirst(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, baseOf(r).account()+"?"+url.Values{"return": {r.URL.RequestURI()}}.Encode(), http.StatusSeeOther)
}

// onTheWay is where somebody was going when they were asked who they are, if that
// is into a product; otherwise nothing.
func onTheWay(r *http.Request, back string) string {
	if !strings.HasPrefix(back, baseOf(r).at("/openid/")) {
		return ""
	}
	return web.LocalPath(back, "")
}

func (a *app) renderAccount(w http.ResponseWriter, r *http.Request, me *staff.Standing, f *web.Form) error {
	shell, err := a.shell(r, me, "Your account")
	if err != nil {
		return err
	}
	shell.Narrow = true
	page := accountPage{Shell: shell, New: me.MustIntroduce(), House: me.House.Name,
		Form: newDetailsForm(f, me.User.Email, baseOf(r).account(), "Save changes"), Return: onTheWay(r, f.Raw("return"))}
	if page.New {
		page.Shell.Nav, page.Form.Save = nil, "Finish"
	}
	return web.Render(w, r, f.Status(), accountView(page))
}

// POST /{institution}/account
func (a *app) editAccount(w http.ResponseWriter, r *http.Request) error {
	me, err := a.me(r)
	if err != nil {
		return err
	}
	f := web.ReadForm(r)
	if err := f.Take(a.Staff.EditOwn(r.Context(), web.CallerOf(r.Context()), readDetails(f))); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderAccount(w, r, &me, f)
	}
	if back := onTheWay(r, f.Raw("return")); me.MustIntroduce() && back != "" {
		http.Redirect(w, r, back, http.StatusSeeOther)
		return nil
	}
	if me.MustIntroduce() {
		return done(w, r, baseOf(r).home(), "Welcome to "+me.House.Name)
	}
	return done(w, r, baseOf(r).account(), "Your account was saved")
}
