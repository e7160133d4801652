package console

import (
	"net/http"
	"strconv"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/fault"
	"mandate/internal/moneymovement/ach"
	"mandate/internal/moneymovement/positivepay"
	"mandate/internal/moneymovement/stoppayment"
	"mandate/internal/moneymovement/wire"
	"mandate/internal/moneymovement/wire/message"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

type calendarPage struct {
	Shell                 ui.Shell
	Form                  *web.Form
	Year                  string
	Holidays              []holidayRow
	DayAction, HourAction string
	Day, Name             ui.Field
	Lines                 []ui.Option
	Line, Opens, Closes   ui.Field
	Hours                 []ui.Fact
}

// A holidayRow is a day that differs from the rest of the week.
type holidayRow struct {
	Day    bank.Day
	Date   string
	Name   string
	Stands string
	Own    bool // the institution says it, and can leave it to the rules again
}

// GET /{institution}/settings/calendar
func (a *app) calendarPage(w http.ResponseWriter, r *http.Request) error {
	return a.renderCalendar(w, r, web.NewForm(nil))
}

func (a *app) renderCalendar(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	days, err := a.Settings.Calendar.Show(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	b := baseOf(r)
	now := a.site.Clock.Now().In(days.Place)
	page := calendarPage{Form: f, Year: strconv.Itoa(now.Year()), DayAction: b.days() + "/day", HourAction: b.days() + "/hours",
		Day: f.Field("day", "Day"), Name: f.Field("name", "What it is called"), Line: f.Field("line", "Service"),
		Opens: f.Field("opens", "Opens"), Closes: f.Field("closes", "Cut-off")}
	page.Name.Help = "For a day on which the institution is closed."
	page.Name.Optional, page.Opens.Width, page.Closes.Width = true, "short", "short"
	page.Opens.Placeholder, page.Closes.Placeholder = "07:00", "16:00"
	for year := now.Year(); year <= now.Year()+1; year++ {
		for _, h := range days.Holidays(year) {
			_, own := days.Changed[h.Day]
			row := holidayRow{Day: h.Day, Date: calendar.Long(h.Day), Name: h.Name, Stands: "Closed", Own: own}
			if h.Open {
				row.Stands = "Open"
			}
			page.Holidays = append(page.Holidays, row)
		}
	}
	for _, line := range calendar.Lines() {
		h := days.HoursOf(line)
		page.Hours = append(page.Hours, ui.Fact{Term: lineLabel(line), Value: h.Opens.Text() + " to " + h.Closes.Text()})
		page.Lines = append(page.Lines, ui.Option{Value: string(line), Label: lineLabel(line)})
	}
	if page.Shell, err = a.ownShell(r, "Calendar and cut-offs", settingsCrumb(b)); err != nil {
		return err
	}
	return web.Render(w, r, f.Status(), calendarView(page))
}

// lineLabel is a service as it begins a line.
func lineLabel(line calendar.Line) string {
	label := line.Label()
	return strings.ToUpper(label[:1]) + label[1:]
}

// settled says what was done, or shows a form again.
func settled(w http.ResponseWriter, r *http.Request, f *web.Form, err error, to, said string, again func() error) error {
	if kind := fault.KindOf(err); err != nil && kind == fault.Conflict {
		return refusedAt(w, r, to, err)
	}
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return again()
	}
	return done(w, r, to, said)
}

// saveDay closes the institution on a day, opens it, or leaves the day to the
// rules again.
//
// POST /{institution}/settings/calendar/day
func (a *app) saveDay(w http.ResponseWriter, r *http.Request) error {
	f, ctx, caller := web.ReadForm(r), r.Context(), web.CallerOf(r.Context())
	day := bank.Day(f.Raw("day"))
	var err error
	switch f.Raw("do") {
	case "open":
		err = a.Settings.Calendar.SetHoliday(ctx, caller, calendar.Holiday{Day: day, Open: true})
	case "clear":
		err = a.Settings.Calendar.ClearHoliday(ctx, caller, day)
	default:
		err = a.Settings.Calendar.SetHoliday(ctx, caller, calendar.Holiday{Day: day, Name: f.Text("name", 60)})
	}
	return settled(w, r, f, err, baseOf(r).days(), "The day was saved", func() error { return a.renderCalendar(w, r, f) })
}

// POST /{institution}/settings/calendar/hours
func (a *app) saveHours(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	opens, err := calendar.ParseTimeOfDay(f.Raw("opens"))
	if err != nil {
		f.Wrong("opens", "Write a time like 07:00.")
	}
	closes, err := calendar.ParseTimeOfDay(f.Raw("closes"))
	if err != nil {
		f.Wrong("closes", "Write a time like 16:00; 24:00 is the end of the day.")
	}
	if !f.OK() {
		opens, closes = -1, -1 // no hours: whoever may not is told that first
	}
	err = a.Settings.Calendar.SetHours(r.Context(), web.CallerOf(r.Context()), calendar.Line(f.Raw("line")), calendar.Hours{Opens: opens, Closes: closes})
	return settled(w, r, f, err, baseOf(r).days(), "The hours were saved", func() error { return a.renderCalendar(w, r, f) })
}

// What is set of payments, each in a form of its own.
const (
	paymentACH         = "ach"
	paymentWires       = "wires"
	paymentStops       = "stops"
	paymentPositivePay = "positive-pay"
)

// A paymentForm is one of the forms about payments.
type paymentForm struct {
	Title, Help string
	Action      string
	Form        *web.Form // nil where another form was sent
	Fields      []paymentField
}

// A paymentField is a text, a choice, an amount, a long text or a tick.
type paymentField struct {
	ui.Field
	Options            []ui.Option
	Money, Long, Check bool
}

type paymentsPage struct {
	Shell ui.Shell
	Forms []paymentForm
}

// GET /{institution}/settings/payments
func (a *app) paymentsPage(w http.ResponseWriter, r *http.Request) error {
	return a.renderPayments(w, r, "", nil)
}

// paymentValues are the settings as forms show them.
func (a *app) paymentValues(r *http.Request) (map[string]map[string]string, error) {
	ctx, caller := r.Context(), web.CallerOf(r.Context())
	sender, err := a.Settings.ACH.Sender(ctx, caller)
	if err != nil {
		return nil, err
	}
	wires, err := a.Settings.Wires.Terms(ctx, caller)
	if err != nil {
		return nil, err
	}
	stops, err := a.Settings.Stops.Terms(ctx, caller)
	if err != nil {
		return nil, err
	}
	checks, err := a.Settings.PositivePay.Settings(ctx, caller)
	if err != nil {
		return nil, err
	}
	tick := map[bool]string{true: "on"}
	return map[string]map[string]string{
		paymentACH:         {"routing": sender.Routing, "name": sender.Name, "destination": sender.Destination, "destination_name": sender.DestinationName},
		paymentWires:       {"routing": wires.Routing, "name": wires.Name, "source": wires.Source, "format": string(wires.Format)},
		paymentStops:       {"fee": stops.Fee.Dollars(), "disclaimer": stops.Disclaimer, "needs_amount": tick[stops.NeedsAmount], "needs_date": tick[stops.NeedsDate], "needs_payee": tick[stops.NeedsPayee]},
		paymentPositivePay: {"check": string(checks.Check), "ach": string(checks.ACH), "early": tick[checks.Early]},
	}, nil
}

func (a *app) paymentFacts(r *http.Request) ([]ui.Fact, error) {
	v, err := a.paymentValues(r)
	if err != nil {
		return nil, err
	}
	sends := func(name string) string {
		if name == "" {
			return "Not set: none are sent"
		}
		return "As " + name
	}
	return []ui.Fact{
		{Term: "ACH files", Value: sends(v[paymentACH]["name"])}, {Term: "Wires", Value: sends(v[paymentWires]["name"])},
		{Term: "Stop payment fee", Value: v[paymentStops]["fee"]},
		{Term: "Checks nobody decided", Value: positivepay.Verdict(v[paymentPositivePay]["check"]).Label()},
	}, nil
}

func (a *app) renderPayments(w http.ResponseWriter, r *http.Request, sent string, f *web.Form) error {
	values, err := a.paymentValues(r)
	if err != nil {
		return err
	}
	b, status := baseOf(r), http.StatusOK
	page := paymentsPage{}
	for _, p := range []paymentForm{
		{Title: "ACH", Action: paymentACH, Help: "How files are addressed. The companies that originate them are set for each organization."},
		{Title: "Wires", Action: paymentWires, Help: "Who sends them, and in which form."},
		{Title: "Stop payments", Action: paymentStops, Help: "What one costs and what people must enter."},
		{Title: "Positive Pay", Action: paymentPositivePay, Help: "What becomes of exceptions that nobody decides in time."},
	} {
		named := map[string]string{}
		for name, value := range values[p.Action] {
			named[p.Action+"_"+name] = value
		}
		form := web.NewForm(named)
		if p.Action == sent {
			form, p.Form, status = f, f, f.Status()
		}
		p.Fields = paymentFields(p.Action, form)
		p.Action = b.paymentTerms() + "/" + p.Action
		page.Forms = append(page.Forms, p)
	}
	if page.Shell, err = a.ownShell(r, "Payments", settingsCrumb(b)); err != nil {
		return err
	}
	page.Shell.Narrow = true
	return web.Render(w, r, status, paymentsView(page))
}

func paymentFields(which string, f *web.Form) []paymentField {
	of := func(name, label string) ui.Field { return f.Field(which+"_"+name, label) } // the page has several forms
	text := func(name, label, help string) paymentField {
		field := of(name, label)
		field.Help = help
		return paymentField{Field: field}
	}
	tick := func(name, label string) paymentField {
		field := of(name, label)
		field.Optional = true
		return paymentField{Field: field, Check: true}
	}
	choice := func(name, label string, options ...ui.Option) paymentField {
		return paymentField{Field: of(name, label), Options: options}
	}
	verdicts := []ui.Option{{Value: string(positivepay.Return), Label: positivepay.Return.Label()}, {Value: string(positivepay.Pay), Label: positivepay.Pay.Label()}}
	switch which {
	case paymentACH:
		return []paymentField{text("routing", "Routing number of the institution", ""), text("name", "Name of the institution", "At most 23 plain characters."),
			text("destination", "Routing number of the ACH operator", ""), text("destination_name", "Name of the ACH operator", "At most 23 plain characters.")}
	case paymentWires:
		return []paymentField{text("routing", "Routing number of the institution", ""), text("name", "Name as other banks read it", ""),
			text("source", "Sending station", "Eight capital letters or digits."),
			choice("format", "Form of the messages", ui.Option{Value: string(message.Pacs008), Label: string(message.Pacs008)}, ui.Option{Value: string(message.FAIM), Label: string(message.FAIM)})}
	case paymentStops:
		fee, long := paymentField{Field: of("fee", "Fee"), Money: true}, paymentField{Field: of("disclaimer", "What people are told"), Long: true}
		return []paymentField{fee, long, tick("needs_amount", "The amount must be entered"), tick("needs_date", "The date must be entered"), tick("needs_payee", "The payee must be entered")}
	}
	return []paymentField{choice("check", "Checks that nobody decided", verdicts...), choice("ach", "ACH items that nobody decided", verdicts...),
		tick("early", "Decide as soon as exceptions are there, not only from the opening of their day")}
}

// savePayments saves one of the forms.
func (a *app) savePayments(which string) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		f, ctx, caller := web.ReadForm(r), r.Context(), web.CallerOf(r.Context())
		var err error
		switch which {
		case paymentACH:
			err = a.Settings.ACH.SetSender(ctx, caller, ach.Sender{Routing: f.Raw(which + "_routing"), Name: f.Raw(which + "_name"), Destination: f.Raw(which + "_destination"), DestinationName: f.Raw(which + "_destination_name")})
		case paymentWires:
			err = a.Settings.Wires.SetTerms(ctx, caller, wire.Terms{Routing: f.Raw(which + "_routing"), Name: f.Raw(which + "_name"), Source: f.Raw(which + "_source"), Format: message.Format(f.Raw(which + "_format"))})
		case paymentStops:
			fee := f.Money(which + "_fee")
			if !f.OK() {
				fee = -1
			}
			err = a.Settings.Stops.SetTerms(ctx, caller, stoppayment.Terms{Fee: fee, Disclaimer: f.Text(which+"_disclaimer", 2000),
				NeedsAmount: f.Checked(which + "_needs_amount"), NeedsDate: f.Checked(which + "_needs_date"), NeedsPayee: f.Checked(which + "_needs_payee")})
		case paymentPositivePay:
			err = a.Settings.PositivePay.SetSettings(ctx, caller, positivepay.Settings{Check: positivepay.Verdict(f.Raw(which + "_check")), ACH: positivepay.Verdict(f.Raw(which + "_ach")), Early: f.Checked(which + "_early")})
		}
		if problems := fault.ProblemsOf(err); len(problems) > 0 {
			err = nil
			for _, p := range problems {
				f.Wrong(which+"_"+p.Field, p.Sentence)
			}
		}
		return settled(w, r, f, err, baseOf(r).settings(), "The settings were saved", func() error { return a.renderPayments(w, r, which, f) })
	}
}
