package console_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"mandate/internal/app"
	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/db"
	"mandate/internal/guard"
	"mandate/internal/host"
	"mandate/internal/host/hostsim/hostsimtest"
	"mandate/internal/identity"
	"mandate/internal/moneymovement/ach"
	"mandate/internal/moneymovement/positivepay"
	"mandate/internal/moneymovement/stoppayment"
	"mandate/internal/moneymovement/wire"
	"mandate/internal/staff"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/console"
)

// keepsSettings serves the console with the institution's settings.
func (w *world) keepsSettings() {
	w.t.Helper()
	door := guard.New(w.d, usermgmt.LoadPolicy, staff.Rights{}, identity.Proofs{})
	days := calendar.New(door, func(tx *db.Tx, id bank.InstitutionID) (*time.Location, error) {
		house, err := app.House(tx, id)
		return house.Place, err
	})
	desk, queue := host.NewDesk(w.d, hostsimtest.Open(w.t, w.d), slog.New(slog.DiscardHandler)), approval.New(w.d, door, nil, nil)
	handler, err := console.New(web.Site{
		Origin: w.server.URL, Key: []byte("a key of a test, thirty-two bytes"), Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Clock: w.clock,
	}, console.Config{Institutions: w.people, Customers: w.people, Staff: w.staff, Applications: w.apps, Identity: w.identity, Approvals: w.queue, Elsewhere: w.identity,
		Settings: &console.Settings{House: w.people, Calendar: days,
			ACH: ach.New(ach.Config{Guard: door, Calendar: days, Queue: queue}), Wires: wire.New(wire.Config{Guard: door, Calendar: days, Queue: queue, Desk: desk}),
			Stops: stoppayment.New(stoppayment.Config{Guard: door, Calendar: days, Desk: desk}), PositivePay: positivepay.New(positivepay.Config{Guard: door, Calendar: days, Desk: desk, Accounts: accountCalled})}})
	w.must(err)
	w.server.Config.Handler = handler
}

func accountCalled(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, id bank.AccountID) (name, external string, err error) {
	a, _, err := usermgmt.FindAccount(tx, institution, organization, id)
	return a.Name, a.ExternalID, err
}

func redSquare(t *testing.T) []byte {
	t.Helper()
	square := image.NewNRGBA(image.Rect(0, 0, 40, 40))
	for i := range 40 * 40 {
		square.SetNRGBA(i%40, i/40, color.NRGBA{170, 0, 0, 255})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, square); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A service is withdrawn with its meaning seen first; the other settings are
// saved each by itself. Every screen is looked at.
func TestInstitutionSettingsInABrowser(t *testing.T) {
	eachBrowser(t, func(t *testing.T, w *world, p colleague) {
		w.keepsSettings()
		p.signIn("root")
		p.Click("Institution settings")
		p.See("what it asks of sign-ins")
		p.look("settings")
		p.Click("Change services and edition")
		p.look("settings-terms")
		p.Set("Wires", false)
		p.Click("Review changes")
		p.See("Wires is no longer offered")
		p.look("settings-review")
		p.Click("Save")
		p.confirm()
		p.See("The settings were saved")
		p.Click("Change second factors")
		p.look("settings-factors")
		p.Set("Admins", true)
		p.Click("Review changes")
		p.See("a second factor is required of admins")
		p.Click("Save")
		p.See("The settings were saved")
		p.Click("Change calendar and cut-offs")
		p.look("settings-calendar")
		p.Fill("Opens", "late")
		p.Fill("Cut-off", "16:00")
		p.Click("Save hours")
		p.See("Write a time like 07:00.")
		p.Fill("Opens", "08:00")
		p.Click("Save hours")
		p.See("The hours were saved")
		p.open("/cedar/settings/payments")
		p.look("settings-payments")
		p.Click("Save Wires")
		p.See("Write the nine digits")
		p.look("settings-payments-wrong")
		w.customer()
		p.open("/cedar/settings")
		p.Click("Choose an organization")
		p.look("settings-organizations")
		p.Click("Northwind Paper")
		p.Fill("Identification", "1363055500")
		p.Fill("Name", "NORTHWIND PAPER")
		p.Fill("Exposure limit per day", "$100,000.00")
		p.Click("Save company")
		p.confirm()
		p.See("The company was saved")
		p.look("settings-originator")
		p.open("/cedar/settings/brand")
		p.Attach("Logo", "logo.png", "image/png", redSquare(t))
		p.Click("Upload")
		p.See("The logo was saved")
		p.look("settings-brand")
		if !strings.Contains(w.visitor().get("/cedar/sign-in").body, "/cedar/logo?v=") {
			t.Error("the sign-in does not show the logo")
		}
	})
}
