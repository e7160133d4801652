package online_test

import (
	"testing"

	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/web/browsertest"
)

// A showing is a purse that is looked at with real browsers.
type showing struct {
	*purse
	t        *testing.T
	scripts  bool
	pictures bool
}

// eachShowing is eachBrowser for people who move money: every run has a purse of
// its own.
func eachShowing(t *testing.T, test func(t *testing.T, s showing)) {
	for _, on := range []struct {
		name    string
		dialect db.Dialect
		open    func(testing.TB) *db.DB
	}{{"SQLite", db.SQLite, dbtest.SQLite}, {"PostgreSQL", db.PostgreSQL, dbtest.PostgreSQL}} {
		t.Run(on.name, func(t *testing.T) {
			eachWay(t, on.dialect, func(t *testing.T, scripts bool) {
				test(t, showing{newPurse(t, on.open(t)), t, scripts, scripts && on.dialect == db.SQLite})
			})
		})
	}
}

// shows signs somebody in with a browser of their own.
func (s showing) shows(username string) person {
	s.t.Helper()
	who := person{browsertest.Open(s.t), s.world}
	who.Scripts(s.scripts)
	who.signIn(username)
	return who
}

// look judges a page, and takes pictures of it, once: it is the same every time.
func (s showing) look(who person, name string) {
	if s.pictures {
		who.look(name)
	}
}

// proves shows who one is, where that is asked.
func (p person) proves() {
	p.See("Confirm that it is you")
	p.Fill("Password", password)
	p.Click("Confirm")
}

func TestTransferInABrowser(t *testing.T) {
	eachShowing(t, func(t *testing.T, p showing) {
		dana := p.shows("dana")
		look := func(name string) { p.look(dana, name) }
		dana.Click("Transfers")
		look("transfers-empty")
		dana.Click("New transfer")
		dana.Choose("From", "Operating ••0137, $20,000.00 available")
		dana.Choose("To", "Payroll ••4821, $0.00 available")
		dana.Fill("Amount", "6000")
		dana.Fill("Memo", "March wages")
		look("transfer-new")
		dana.Click("Review")
		dana.See("You may not make this transfer")
		look("transfer-refused")
		dana.Click("Back to editing")
		dana.Fill("Amount", "1250")
		dana.Click("Review")
		dana.See("Move $1,250.00 from Operating ••0137 to Payroll ••4821.")
		look("transfer-review")
		dana.Click("Make the transfer")
		dana.proves()
		dana.See("The money has moved")
		look("transfer")
		dana.Click("Receipt")
		dana.See("As it stands on")
		look("transfer-receipt")

		dana.open("/cedar/transfers/new")
		dana.Choose("From", "Operating ••0137, $18,750.00 available")
		dana.Choose("To", "Payroll ••4821, $1,250.00 available")
		dana.Fill("Amount", "100")
		dana.Fill("Date", "03312026")
		dana.Choose("How often", "Every month")
		dana.Click("Review")
		look("transfer-series-review")
		dana.Click("Schedule the transfer")
		dana.proves()
		dana.See("Recurring transfer of $100.00")
		look("transfer-series")
		dana.Click("Transfers")
		look("transfers")
		dana.Fill("Search transfers", "wages")
		if !p.scripts {
			dana.Click("Search")
		}
		dana.See("1 of 2 transfers, $1,250.00 in all")
		dana.open("/cedar/transfers?when=upcoming")
		dana.Click("Transfer")
		dana.Click("Cancel transfer")
		dana.See("Cancel this transfer?")
		dana.Click("Cancel transfer")
		dana.See("The transfer is cancelled")
		p.has("acc_payroll", 1_250_00)
		uma := p.shows("uma")
		uma.open("/cedar/transfers/new")
		uma.See("You cannot")
		p.look(uma, "transfers-closed")
	})
}

func TestStopPaymentInABrowser(t *testing.T) {
	eachShowing(t, func(t *testing.T, p showing) {
		dana := p.shows("dana")
		dana.Click("Stop payments")
		dana.Click("Add stop payment")
		dana.Choose("Account", "Operating ••0137")
		dana.Fill("Check number", "1001")
		dana.Fill("Check amount", "250")
		dana.Fill("Payee", "Harbor Supplies")
		p.look(dana, "stop-new")
		dana.Click("Review")
		dana.See("Check 1001 of Operating ••0137 shall not be paid.")
		p.look(dana, "stop-review")
		dana.Click("Place the stop payment")
		dana.proves()
		dana.See("The stop payment is in force until Wednesday, September 2, 2026")
		p.look(dana, "stop")
		dana.Click("Receipt")
		p.look(dana, "stop-receipt")
		dana.Click("Stop payments")
		dana.See("Add another stop payment")
		p.look(dana, "stops")
		uma := p.shows("uma")
		uma.open("/cedar/stop-payments")
		uma.See("Stop payments is off in your permissions.")
		p.look(uma, "stops-closed")
	})
}
