package demo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"mandate/internal/app"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/db"
	"mandate/internal/host"
	"mandate/internal/moneymovement/layout"
	"mandate/internal/moneymovement/positivepay"
)

// liveEvery is how often the demo looks whether a new day has come.
const liveEvery = 10 * time.Minute

// positivePay puts Larkspur's accounts under Positive Pay. Exceptions can be
// worked at any hour, and at weekends for Monday, so that there always are some
// to work.
func (p *past) positivePay() error {
	operator := bank.Caller{Kind: bank.ActorOperator, Name: "Demo", Institution: p.institution, Channel: bank.ChannelCommand}
	err := errors.Join(
		p.app.Calendar.SetHours(p.ctx, operator, calendar.PositivePay, calendar.Hours{Closes: calendar.At(24, 0)}),
		p.app.PositivePay.SetSettings(p.ctx, operator, positivepay.Settings{Check: positivepay.Return, ACH: positivepay.Return, Early: true}))
	for _, key := range []string{"operating", "payroll", "materials"} {
		err = errors.Join(err, p.app.PositivePay.Enrol(p.ctx, operator, p.keys.Organization, p.account(key), true))
	}
	return err
}

// writtenTo are those whom Larkspur writes checks to.
var writtenTo = []string{"Harbor Supplies", "Pine & Cedar Mulch", "Ridge Rental", "Marlowick Water", "Stonework Partners", "North Gate Fuel"}

// Checks of the list that Dana uploads: 2001 and those after it.
const (
	firstCheck = 2001
	checkCount = 24
)

func checkPayee(n int) string { return writtenTo[n%len(writtenTo)] }

func checkCents(n int) bank.Cents { return bank.Cents(180_00 + n*n*37_11%4_900_00) }

// issuesChecks uploads a list and approves it.
func (p *past) issuesChecks(by bank.Caller) error {
	var list strings.Builder
	for n := range checkCount {
		fmt.Fprintf(&list, "%d,%s,%s,%s\n", firstCheck+n, checkCents(n), bank.DayOf(p.clock.Now().AddDate(0, 0, -n%6), time.UTC), checkPayee(n))
	}
	l := positivepay.Layout{Format: layout.CSV, Dates: positivepay.DateDashes, Places: map[positivepay.Field]layout.Place{
		positivepay.Number: {Column: 1}, positivepay.Amount: {Column: 2}, positivepay.Date: {Column: 3}, positivepay.Payee: {Column: 4}}}
	if err := p.app.PositivePay.SetLayout(p.ctx, by, l); err != nil {
		return err
	}
	id := positivepay.FileID(p.named("issued checks"))
	preview, err := p.app.PositivePay.Upload(p.ctx, by, positivepay.Upload{
		ID: id, Account: p.account("operating"), Name: "operating-checks.csv", Format: layout.CSV, Again: true, File: strings.NewReader(list.String()),
	})
	if err == nil {
		err = preview.Err()
	}
	if err != nil {
		return err
	}
	return p.app.PositivePay.Approve(p.ctx, by, id)
}

// named is one name for something however often it is asked for: what needs a
// high-risk authorization is done twice.
func (p *past) named(what string) string {
	if p.names == nil {
		p.names = map[string]string{}
	}
	if p.names[what] == "" {
		p.names[what] = string(positivepay.NewFileID(p.clock.Now()))
	}
	return p.names[what]
}

// entersChecks leaves a list for somebody to approve.
func (p *past) entersChecks(by bank.Caller) error {
	day := bank.DayOf(p.clock.Now(), time.UTC)
	return p.app.PositivePay.Enter(p.ctx, by, positivepay.Entry{ID: positivepay.FileID(p.named("entered checks")), Account: p.account("payroll"), Checks: []positivepay.Check{
		{Line: 1, Number: 501, Cents: 1_120_00, Day: day, Payee: "Jonas Weil"}, {Line: 2, Number: 502, Cents: 980_50, Day: day, Payee: "Rosa Lind"}, {Line: 3, Number: 499, Void: true},
	}})
}

// exceptionsCame is a day of the past: something comes in, and Dana decides.
func (p *past) exceptionsCame() error {
	desk := clearing{p.app, p.institution}
	day, err := desk.businessDay(p.ctx)
	if err != nil {
		return err
	}
	for n := range 3 {
		if err := desk.check(p.ctx, "operating", day, firstCheck+n, checkCents(n), checkPayee(n)); err != nil {
			return err
		}
	}
	err = errors.Join(desk.check(p.ctx, "operating", day, firstCheck+3, checkCents(3)+90_00, checkPayee(3)), desk.check(p.ctx, "operating", day, 8804, 2_640_00, "Cash"),
		desk.debit(p.ctx, "operating", day, 59_99, "Tidewater Gym"))
	return errors.Join(err, p.app.PositivePay.Run(p.ctx))
}

// decidesAll decides about everything that waits: the altered check is paid,
// the others go back.
func (p *past) decidesAll(by bank.Caller) error {
	waiting, err := p.app.PositivePay.Items(p.ctx, by, positivepay.ItemQuery{When: positivepay.WhenWaiting})
	if err != nil {
		return err
	}
	var all []positivepay.Decision
	for _, i := range waiting.Items {
		d := positivepay.Decision{Item: i.ID, Verdict: positivepay.Return, Reason: positivepay.ReasonCounterfeit, Note: "Not one of ours"}
		switch {
		case i.Kind == host.ACHItem:
			d.Reason, d.Note = positivepay.ReasonUnauthorized, ""
		case i.Mismatch == host.WrongAmount:
			d = positivepay.Decision{Item: i.ID, Verdict: positivepay.Pay, Note: "Delivery was larger than ordered"}
		}
		all = append(all, d)
	}
	_, err = p.app.PositivePay.Decide(p.ctx, by, all)
	return err
}

// Live lets the demo's days go on until ctx ends: on every business day
// something comes in.
func Live(ctx context.Context, a *app.App, w *World) {
	ticker := time.NewTicker(liveEvery)
	defer ticker.Stop()
	for {
		if err := comeIn(ctx, a, w); err != nil && ctx.Err() == nil {
			a.Log.Error("the demo's day does not go on", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// comeIn lets something come in for the business day, once.
func comeIn(ctx context.Context, a *app.App, w *World) error {
	desk := clearing{app: a, institution: bank.InstitutionID(w.Institutions[0].ID)}
	day, err := desk.businessDay(ctx)
	if err != nil {
		return err
	}
	if came, err := desk.came(ctx, day); came || err != nil {
		return err
	}
	n := day.Time(time.UTC).YearDay()
	one, other := 4+n%(checkCount-4), 4+(n+7)%(checkCount-4)
	companies := []string{"Quay Paper Supply", "Tidewater Gym", "Larch Insurance", "Bright Bulbs Direct"}
	err = errors.Join(
		desk.check(ctx, "operating", day, firstCheck+other, checkCents(other), checkPayee(other)),
		desk.check(ctx, "operating", day, firstCheck+one, checkCents(one)+bank.Cents(100_00+n*100), checkPayee(one)),
		desk.check(ctx, "operating", day, 7000+n, bank.Cents(1_250_00+n*11_00), "Marlon Finch"),
		desk.check(ctx, "payroll", day, 600+n, 845_20, "Cash"),
		desk.debit(ctx, "operating", day, bank.Cents(89_00+n*10), companies[n%len(companies)]),
		desk.debit(ctx, "materials", day, bank.Cents(312_40+n*7), companies[(n+1)%len(companies)]))
	return errors.Join(err, a.PositivePay.Run(ctx))
}

// A clearing is what comes in from other banks to Larkspur's accounts.
type clearing struct {
	app         *app.App
	institution bank.InstitutionID
}

// businessDay is today, or the next business day.
func (c clearing) businessDay(ctx context.Context) (day bank.Day, err error) {
	err = c.app.DB.Read(ctx, func(tx *db.Tx) error {
		days, err := c.app.Calendar.In(tx, c.institution)
		if err == nil {
			day = days.OnOrAfter(days.Today(tx.Now))
		}
		return err
	})
	return day, err
}

// came reports whether something came in for a day already.
func (c clearing) came(ctx context.Context, day bank.Day) (bool, error) {
	for mark := ""; ; {
		page, err := c.app.Host.Presented(ctx, c.institution, mark, 500)
		if err != nil || len(page) == 0 {
			return false, err
		}
		for _, p := range page {
			if p.Day == day {
				return true, nil
			}
			mark = p.Mark
		}
	}
}

func (c clearing) check(ctx context.Context, account string, day bank.Day, number int, cents bank.Cents, payee string) error {
	drawn := paperCheck{
		from: "Larkspur Landscaping Supply", number: fmt.Sprint(number), date: day.Time(time.UTC).AddDate(0, 0, -3).Format("01/02/2006"), payee: payee,
		amount: cents.Dollars(), memo: "Invoice " + fmt.Sprint(number*7%9000), account: "5500004417",
	}
	front, back := drawn.pictures()
	p := host.Presented{Account: bank.AccountID("larkspur-" + account), Kind: host.CheckItem, Day: day, Number: int64(number), Cents: cents, Payee: payee}
	_, err := c.app.Bank.Present(ctx, c.institution, p, front, back)
	return err
}

func (c clearing) debit(ctx context.Context, account string, day bank.Day, cents bank.Cents, company string) error {
	p := host.Presented{
		Account: bank.AccountID("larkspur-" + account), Kind: host.ACHItem, Day: day, Cents: cents, Company: company, CompanyID: "9" + fmt.Sprintf("%09d", len(company)*7_654_321),
		Class: "CCD", Description: "PURCHASE", Trace: "07999911" + fmt.Sprintf("%07d", cents),
	}
	_, err := c.app.Bank.Present(ctx, c.institution, p, nil, nil)
	return err
}
