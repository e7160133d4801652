package online_test

import (
	"io"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"mandate/internal/approval"
	"mandate/internal/approval/approvaltest"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/host"
	"mandate/internal/host/hostsim"
	"mandate/internal/host/hostsim/hostsimtest"
	"mandate/internal/identity"
	"mandate/internal/moneymovement/ach"
	"mandate/internal/moneymovement/card"
	"mandate/internal/moneymovement/notice"
	"mandate/internal/moneymovement/positivepay"
	"mandate/internal/moneymovement/statement"
	"mandate/internal/moneymovement/stoppayment"
	"mandate/internal/moneymovement/transfer"
	"mandate/internal/moneymovement/wire"
	"mandate/internal/moneymovement/wire/message"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/online"
)

// A purse is the world with money in it: Operating opens with $20,000.00,
// Payroll with nothing. Dana moves up to $5,000.00 at a time and places stops on
// Operating, for $30.00 each.
type purse struct {
	*world
	terms      string // of stop payments, as somebody who has seen them says
	queue      *approval.Service
	papers     *approvaltest.Papers
	books      *hostsim.Bank
	line       *line
	statements *statement.Service
	transfers  *transfer.Service
	stops      *stoppayment.Service
	wires      *wire.Service
	kept       string   // what a walk asks about
	pool       []string // the same, of several
	finn       bool     // is there
	batches    *ach.Service
	desk       *host.Desk
	posPay     *positivepay.Service
	cards      *card.Service
	clock      *dbtest.Clock
}

func newPurse(t testing.TB, d *db.DB) *purse {
	t.Helper()
	p := &purse{world: newWorld(t, d), books: hostsimtest.Open(t, d), clock: dbtest.ClockOf(t, d)}
	door := guard.New(d, usermgmt.LoadPolicy, nil, identity.Proofs{})
	days := calendar.New(door, func(*db.Tx, bank.InstitutionID) (*time.Location, error) { return time.LoadLocation("America/New_York") })
	p.line = newLine(p.books)
	desk := host.NewDesk(d, p.line, slog.New(slog.NewTextHandler(io.Discard, nil)))
	told := notice.New(noMail{}, usermgmt.People{})
	p.statements = statement.New(door, p.line)
	p.transfers = transfer.New(transfer.Config{DB: d, Guard: door, Calendar: days, Desk: desk, Teller: told, Process: "test"})
	p.stops = stoppayment.New(stoppayment.Config{Guard: door, Calendar: days, Desk: desk, Teller: told})
	p.posPay = positivepay.New(positivepay.Config{DB: d, Guard: door, Calendar: days, Desk: desk, Teller: told, Accounts: p.accountName, Process: "test"})
	p.cards = card.New(card.Config{Guard: door, Desk: desk, Teller: told})
	p.queue = approval.New(d, door, told, p.names)
	p.wires = wire.New(wire.Config{
		DB: d, Guard: door, Calendar: days, Desk: desk, Queue: p.queue, Names: p.names, Originators: northwindsName, Teller: told, Process: "test",
	})
	p.papers = approvaltest.New(door, p.queue, "acc_operating")
	p.desk, p.batches = desk, p.newBatches(door, days, desk)
	p.write(func(tx *db.Tx) error {
		_, err := tx.Exec(`update institution set offers = $1`, everything())
		return err
	})
	err := p.books.Open(t.Context(), hostsim.Opening{Institution: cedar, Organization: northwind, Account: "acc_operating", Number: "000110000137", Balance: 20_000_00},
		hostsim.Opening{Institution: cedar, Organization: northwind, Account: "acc_payroll"})
	if err != nil {
		t.Fatal(err)
	}
	operator := bank.Caller{Kind: bank.ActorOperator, Name: "Olga", Institution: cedar, Channel: bank.ChannelCommand}
	terms := stoppayment.Terms{Fee: 30_00, Disclaimer: "It does not hold for a check that was paid.", NeedsAmount: true}
	if err := p.stops.SetTerms(t.Context(), operator, terms); err != nil {
		t.Fatal(err)
	}
	p.terms = terms.Seen()
	if err := p.wires.SetTerms(t.Context(), operator, wire.Terms{Routing: "231380104", Name: "Cedar Bank", Source: "CEDARB01", Format: message.Pacs008}); err != nil {
		t.Fatal(err)
	}
	p.allow("dana", p.accounts[0])
	p.serveMoney()
	return p
}

// ordinal is the number under which somebody is stored.
func (p *purse) ordinal(username string) (ordinal int64) {
	p.t.Helper()
	err := p.d.Read(p.t.Context(), func(tx *db.Tx) (err error) {
		ordinal, err = db.One(tx, db.Value[int64], `select ordinal from member where id = $1`, userID(username))
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return ordinal
}

// allow gives Dana stop payments on an account besides what she has.
func (p *purse) allow(username string, account *usermgmt.Account) {
	p.t.Helper()
	p.grant(username, account, catalog.SetOf(catalog.StopsEnabled, catalog.StopsView, catalog.StopsAdd))
}

// grant gives somebody rights, and on an account too, besides what they have.
func (p *purse) grant(username string, account *usermgmt.Account, rights catalog.Set) {
	p.t.Helper()
	ordinal := p.ordinal(username)
	p.write(func(tx *db.Tx) error {
		page, err := usermgmt.LoadPolicy(tx, cedar, northwind, entitlement.Scope{Members: []bank.UserID{userID(username)}, Accounts: []bank.AccountID{account.ID}})
		if err != nil {
			return err
		}
		m := page.Members[userID(username)]
		m.Settings.On |= rights
		if err := usermgmt.SetMemberSettings(tx, p.org.Num, ordinal, m.Settings, 1); err != nil {
			return err
		}
		on := m.Accounts[account.ID]
		on.On |= rights
		return usermgmt.SetMemberAccount(tx, p.org.Num, ordinal, account.Ordinal, on)
	})
}

func (p *purse) serveMoney() {
	p.t.Helper()
	p.server = httptest.NewUnstartedServer(nil)
	origin := "http://" + strings.Replace(p.server.Listener.Addr().String(), "127.0.0.1", "localhost", 1)
	handler, err := online.New(web.Site{
		Origin: origin, Key: []byte("a key of a test, thirty-two bytes"), Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Clock: p.clock,
	}, online.Config{Users: p.users, Identity: p.identity, Money: online.Money{Statements: p.statements, Approvals: p.queue, Transfers: p.transfers, Stops: p.stops, Wires: p.wires, Cards: p.cards, ACH: p.batches, PositivePay: p.posPay}})
	if err != nil {
		p.t.Fatal(err)
	}
	p.server.Config.Handler = handler
	p.server.Start()
	p.server.URL = origin
	p.t.Cleanup(p.server.Close)
}

func eachPurse(t *testing.T, test func(p *purse)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(newPurse(t, d)) })
}

func (p *purse) has(account bank.AccountID, cents bank.Cents) {
	p.t.Helper()
	got, err := p.books.Balances(p.t.Context(), cedar, []bank.AccountID{account})
	if err != nil || got[account].Ledger != cents {
		p.t.Errorf("%s holds %s, %v, want %s", account, got[account].Ledger, err, cents)
	}
}

var carriedField = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)

// carries are the hidden fields of a page's last form, for the next request.
func (a answer) carries() url.Values {
	form := url.Values{}
	for _, field := range carriedField.FindAllStringSubmatch(a.body, -1) {
		form.Set(field[1], field[2])
	}
	return form
}

// proves sends a form and, asked who they are, the password.
func (v *visitor) proves(path string, form url.Values) answer {
	v.t.Helper()
	asked := v.post(path, form)
	asked.is(v.t.(*testing.T), 403)
	asked.says(v.t.(*testing.T), "Confirm that it is you")
	form = asked.carries()
	form.Set("prove_password", password)
	return v.post(path, form)
}

func transferForm(v *visitor, values map[string]string) url.Values {
	form := v.get("/cedar/transfers/new").carries()
	for name, value := range values {
		form.Set(name, value)
	}
	return form
}

func TestTransferFromFormToReceipt(t *testing.T) {
	eachPurse(t, func(p *purse) {
		t := p.t.(*testing.T)
		dana := p.as("dana")
		dana.get("/cedar/home").says(t, "Transfers", "Stop payments")
		dana.get("/cedar/transfers").says(t, "No transfers yet")
		page := dana.get("/cedar/transfers/new")
		page.says(t, "Operating ••0137, $20,000.00 available", "Payroll ••4821, $0.00 available", "Your Transfer limit", "$5,000.00", "Today you moved $0.00")
		page.saysNot(t, "Tax reserve")
		form := transferForm(dana, map[string]string{"from": "acc_operating", "to": "acc_payroll", "amount": "$1,250.00", "memo": "March wages"})
		review := dana.post("/cedar/transfers/review", form)
		review.is(t, 200)
		review.says(t, "Move $1,250.00 from Operating ••0137 to Payroll ••4821.", "March wages", "Available in Operating ••0137", "Make the transfer")
		p.has("acc_payroll", 0)
		made := dana.proves("/cedar/transfers", review.carries())
		made.is(t, 200)
		made.says(t, "The money has moved", "Transfer of $1,250.00", "Completed", "Dana Diaz made the transfer of $1,250.00", "Host reference")
		p.has("acc_payroll", 1_250_00)
		list := dana.get("/cedar/transfers?q=wages")
		list.says(t, "1 transfer, $1,250.00 in all", "March wages", "Mar 2, 2026")
		dana.get("/cedar/transfers?q=rent").says(t, "No transfer fits", "0 of 1 transfer")
		export := dana.get("/cedar/transfers/export")
		if !strings.Contains(export.body, "Operating ••0137,Payroll ••4821,1250.00,March wages,Completed,,Dana Diaz") {
			t.Errorf("the export is %s", export.body)
		}
		dana.get(made.url+"/receipt").says(t, "Cedar Bank", "Northwind Trading", "Transfer of $1,250.00", "As it stands on Mar 2, 2026, 10:00 AM.")
		p.as("uma").get(made.url).is(t, 404)
		again := dana.post("/cedar/transfers", review.carries()) // the same form, sent twice
		again.says(t, "Transfer of $1,250.00", "Completed")
		p.has("acc_payroll", 1_250_00)
	})
}

func TestTransferRefusalsSayWhoCanChangeThem(t *testing.T) {
	eachPurse(t, func(p *purse) {
		t := p.t.(*testing.T)
		dana := p.as("dana")
		over := transferForm(dana, map[string]string{"from": "acc_operating", "to": "acc_payroll", "amount": "5000.01"})
		review := dana.post("/cedar/transfers/review", over)
		review.is(t, 403)
		review.says(t, "You may not make this transfer", "Your Transfer limit is $5,000.00.", "Who can change it: an admin of the organization, in User management")
		review.saysNot(t, "Make the transfer")
		dana.post("/cedar/transfers", over).says(t, "You may not make this transfer") // whoever skips the review
		wrong := dana.post("/cedar/transfers/review", transferForm(dana, map[string]string{"from": "acc_operating", "to": "acc_operating", "amount": "x", "on": "2026-02-01"}))
		wrong.is(t, 422)
		wrong.says(t, "Write an amount like $25,000.00")
		late := dana.post("/cedar/transfers/review", transferForm(dana, map[string]string{"from": "acc_operating", "to": "acc_operating", "amount": "5", "on": "2026-02-01"}))
		late.is(t, 422)
		late.says(t, "money cannot move from an account to itself", "Choose today or a later day.")
		uma := p.as("uma").get("/cedar/transfers/new")
		uma.is(t, 403)
		uma.says(t, "You cannot make transfers now", "Transfers is off in your permissions.")
		poor := dana.post("/cedar/transfers/review", transferForm(dana, map[string]string{"from": "acc_payroll", "to": "acc_operating", "amount": "10"}))
		poor.says(t, "Payroll ••4821 has $0.00 available", "The host will refuse it")
		failed := dana.proves("/cedar/transfers", poor.carries())
		failed.says(t, "The money has not moved", "This transfer was not carried out", "There is not enough available")
	})
}

func TestScheduledTransferIsChangedParkedAndTriedAgain(t *testing.T) {
	eachPurse(t, func(p *purse) {
		t := p.t.(*testing.T)
		dana := p.as("dana")
		review := dana.post("/cedar/transfers/review", transferForm(dana, map[string]string{"from": "acc_payroll", "to": "acc_operating", "amount": "10", "on": "2026-03-07"}))
		review.says(t, "Dated Monday, March 9, 2026: weekends are not business days.", "Schedule the transfer")
		made := dana.proves("/cedar/transfers", review.carries())
		made.says(t, "The transfer is scheduled for Monday, March 9, 2026", "Scheduled")
		edit := dana.get(made.url + "/edit").carries()
		for name, value := range map[string]string{"from": "acc_payroll", "to": "acc_operating", "amount": "12.50", "on": "2026-03-10", "memo": "Back"} {
			edit.Set(name, value)
		}
		changed := dana.post(made.url+"/review", edit)
		changed.says(t, "Save the change", "Tuesday, March 10, 2026")
		dana.proves(made.url+"/save", changed.carries()).says(t, "Transfer of $12.50", "Dana Diaz changed the transfer of $12.50")
		p.clock.Set(time.Date(2026, 3, 10, 14, 0, 0, 0, time.UTC))
		if _, err := p.transfers.RunDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		dana = p.as("dana")
		parked := dana.get(made.url)
		parked.says(t, "This transfer needs attention", "There is not enough available", "Try again", "Cancel transfer")
		if err := p.books.Open(t.Context(), hostsim.Opening{Institution: cedar, Organization: northwind, Account: "acc_cash", Balance: 100_00}); err != nil {
			t.Fatal(err)
		}
		fund := host.Order{Institution: cedar, Organization: northwind, Room: "test", Ref: "1", Day: "2026-03-10", Legs: host.Move("acc_cash", "acc_payroll", 50_00)}
		if r, err := p.books.Carry(t.Context(), fund); err != nil || !r.Done() {
			t.Fatalf("%+v, %v", r, err)
		}
		ask := dana.get(made.url + "/retry")
		ask.says(t, "Try this transfer again?", "on your right")
		dana.proves(made.url+"/retry", ask.carries()).says(t, "The money has moved")
		p.has("acc_payroll", 37_50)
		dana.get(made.url+"/cancel").is(t, 409)
	})
}

func TestRecurringTransfer(t *testing.T) {
	eachPurse(t, func(p *purse) {
		t := p.t.(*testing.T)
		dana := p.as("dana")
		form := map[string]string{"from": "acc_operating", "to": "acc_payroll", "amount": "100", "on": "2026-03-31", "repeat": "monthly", "times": "3"}
		review := dana.post("/cedar/transfers/review", transferForm(dana, form))
		review.says(t, "The next dates", "Tuesday, March 31, 2026", "Thursday, April 30, 2026", "Monday, June 1, 2026, because weekends are not business days", "After 3 transfers")
		series := dana.proves("/cedar/transfers", review.carries())
		series.says(t, "The transfers are scheduled", "Recurring transfer of $100.00", "Active", "After 3 transfers, of which 1 is made so far", "Scheduled")
		ask := dana.get(series.url + "/cancel")
		ask.says(t, "Cancel this series?")
		ended := dana.post(series.url+"/cancel", ask.carries())
		ended.says(t, "The series is cancelled", "Cancelled")
		p.as("uma").get(series.url).is(t, 404)
	})
}

func TestStopPaymentFromFormToReceipt(t *testing.T) {
	eachPurse(t, func(p *purse) {
		t := p.t.(*testing.T)
		dana := p.as("dana")
		dana.get("/cedar/stop-payments").says(t, "No stop payments yet", "Add stop payment")
		form := dana.get("/cedar/stop-payments/new").carries()
		page := dana.get("/cedar/stop-payments/new")
		page.says(t, "Operating ••0137", "Fee $30.00", "Holds until Wednesday, September 2, 2026")
		page.saysNot(t, "Payroll")
		for name, value := range map[string]string{"account": "acc_operating", "first": "1001", "payee": "Harbor Supplies", "date": "2026-02-20"} {
			form.Set(name, value)
		}
		dana.post("/cedar/stop-payments/review", form).says(t, "Write the amount of the check.")
		form.Set("amount", "$250.00")
		review := dana.post("/cedar/stop-payments/review", form)
		review.says(t, "Check 1001 of Operating ••0137 shall not be paid.", "Fee $30.00", "It does not hold for a check that was paid.")
		placed := dana.proves("/cedar/stop-payments", review.carries())
		placed.says(t, "The stop payment is in force until Wednesday, September 2, 2026", "In force", "ask Cedar Bank", "Dana Diaz asked for the stop payment of check 1001")
		p.has("acc_operating", 19_970_00)
		dana.get("/cedar/stop-payments").says(t, "1 stop payment, $30.00 in fees", "Add another stop payment", "Check 1001", "Harbor Supplies")
		dana.get(placed.url+"/receipt").says(t, "Stop payment of Check 1001", "Harbor Supplies")
		if export := dana.get("/cedar/stop-payments/export"); !strings.Contains(export.body, "Operating ••0137,1001,1001,250.00,2026-02-20,Harbor Supplies,30.00,In force") {
			t.Errorf("the export is %s", export.body)
		}
		twice := dana.get("/cedar/stop-payments/new").carries()
		for name, value := range map[string]string{"account": "acc_operating", "first": "1000", "last": "1002"} {
			twice.Set(name, value)
		}
		dana.post("/cedar/stop-payments/review", twice).says(t, "Check 1001 of this account is stopped until Wednesday, September 2, 2026 already.")
		ana := p.as("ana").get("/cedar/stop-payments")
		ana.says(t, "You cannot see stop payments", "Stop payments is off in your permissions.")
		p.as("uma").get("/cedar/stop-payments/new").is(t, 403)
		p.as("uma").get(placed.url).is(t, 404)
	})
}

// Terms that change between the review and the confirmation are shown again.
func TestStopShowsChangedTerms(t *testing.T) {
	eachPurse(t, func(p *purse) {
		t := p.t.(*testing.T)
		dana := p.as("dana")
		form := dana.get("/cedar/stop-payments/new").carries()
		for name, value := range map[string]string{"account": "acc_operating", "first": "1001", "amount": "5"} {
			form.Set(name, value)
		}
		review := dana.post("/cedar/stop-payments/review", form)
		operator := bank.Caller{Kind: bank.ActorOperator, Name: "Olga", Institution: cedar, Channel: bank.ChannelCommand}
		if err := p.stops.SetTerms(t.Context(), operator, stoppayment.Terms{Fee: 35_00, Disclaimer: "Dearer."}); err != nil {
			t.Fatal(err)
		}
		changed := dana.post("/cedar/stop-payments", review.carries())
		changed.is(t, 409)
		changed.says(t, "The fee or the disclaimer was changed meanwhile.", "$35.00", "Dearer.")
		dana.proves("/cedar/stop-payments", changed.carries()).says(t, "in force until")
		p.has("acc_operating", 19_965_00)
	})
}
