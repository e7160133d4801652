package online_test

import (
	"testing"

	"mandate/internal/db/dbtest"
	"mandate/internal/web/browsertest"
)

// shows signs somebody in with a real browser.
func (p *purse) shows(t *testing.T, username string, scripts bool) person {
	t.Helper()
	who := person{browsertest.Open(t), p.world}
	who.Scripts(scripts)
	who.signIn(username)
	return who
}

// proves shows who one is, where that is asked.
func (p person) proves() {
	p.See("Confirm that it is you")
	p.Fill("Password", password)
	p.Click("Confirm")
}

func TestTransferInABrowser(t *testing.T) {
	for _, scripts := range []bool{true, false} {
		t.Run(map[bool]string{true: "with scripts", false: "without scripts"}[scripts], func(t *testing.T) {
			p := newPurse(t, dbtest.SQLite(t))
			dana := p.shows(t, "dana", scripts)
			look := func(name string) {
				if scripts {
					dana.look(name)
				}
			}
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
			if !scripts {
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
		})
	}
}

func TestStopPaymentInABrowser(t *testing.T) {
	p := newPurse(t, dbtest.SQLite(t))
	dana := p.shows(t, "dana", true)
	dana.Click("Stop payments")
	dana.Click("Add stop payment")
	dana.Choose("Account", "Operating ••0137")
	dana.Fill("Check number", "1001")
	dana.Fill("Check amount", "250")
	dana.Fill("Payee", "Harbor Supplies")
	dana.look("stop-new")
	dana.Click("Review")
	dana.See("Check 1001 of Operating ••0137 shall not be paid.")
	dana.look("stop-review")
	dana.Click("Place the stop payment")
	dana.proves()
	dana.See("The stop payment is in force until Wednesday, September 2, 2026")
	dana.look("stop")
	dana.Click("Receipt")
	dana.look("stop-receipt")
	dana.Click("Stop payments")
	dana.See("Add another stop payment")
	dana.look("stops")
	uma := p.shows(t, "uma", true)
	uma.open("/cedar/stop-payments")
	uma.look("stops-closed")
	uma.open("/cedar/transfers/new")
	uma.look("transfers-closed")
}
