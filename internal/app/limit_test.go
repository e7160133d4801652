package app_test

import (
	"fmt"
	"strconv"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/client"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/usage"
	"mandate/internal/usermgmt"
)

// rounds is how often the forty race.
func rounds() int { return dbtest.Rounds(8, 500) }

// Forty payments of a tenth of the daily limit are released at once, each
// authorized, approved by a second person and confirmed. Ten go out: over two
// server processes on PostgreSQL, and by two client processes over one server
// on SQLite, which only one process at a time may have.
func TestFortyReleasesMeetTheLimitExactly(t *testing.T) {
	t.Run("two servers on PostgreSQL", func(t *testing.T) {
		url := dbtest.PostgreSQLURL(t, nil)
		key := settle(t, url, rounds())
		var payers []func(round string) int
		for range 2 {
			p := payer{serverOn(t, url).line(), key}
			payers = append(payers, func(round string) int {
				released, err := p.releaseMany(round)
				if err != nil {
					t.Error(err)
				}
				return released
			})
		}
		race(t, payers)
		adds(t, dbtest.Open(t, url, dbtest.Options{Clock: bank.SystemClock{}}))
	})
	t.Run("two clients on SQLite", func(t *testing.T) {
		url := dbtest.SQLiteURL(t, nil)
		key := settle(t, url, rounds())
		address := serverOn(t, url).line()
		var payers []func(round string) int
		for range 2 {
			c := start(t, asClient+"="+address, withKey+"="+key)
			payers = append(payers, func(round string) int {
				fmt.Fprintln(c.in, round)
				released, err := strconv.Atoi(c.line())
				if err != nil {
					t.Error(err)
				}
				return released
			})
		}
		race(t, payers)
		d, err := db.Open(t.Context(), db.Config{URL: url, Clock: bank.SystemClock{}, ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		adds(t, d)
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
}

func serverOn(t *testing.T, url string) *process {
	return start(t, asServer+"="+url, withData+"="+t.TempDir())
}

// race runs the rounds.
func race(t *testing.T, payers []func(round string) int) {
	t.Helper()
	for round := range rounds() {
		released := make(chan int)
		for _, p := range payers {
			go func() { released <- p(strconv.Itoa(round)) }()
		}
		if n := <-released + <-released; n != 10 {
			t.Fatalf("round %d: %d of 40 went out, want 10", round, n)
		}
	}
}

// settle makes an organization with a member for each round, who may send
// 100,000.00 a day and nothing alone, and somebody who approves. It returns the
// key of a payment system.
func settle(t *testing.T, url string, members int) (key string) {
	t.Helper()
	d, err := db.Open(t.Context(), db.Config{URL: url, Clock: bank.SystemClock{}})
	if err != nil {
		t.Fatal(err)
	}
	const first = bank.InstitutionID("first")
	if err := d.Write(t.Context(), func(tx *db.Tx) error { return settleIn(tx, first, members) }); err != nil {
		t.Fatal(err)
	}
	operator := bank.Caller{Kind: bank.ActorOperator, Institution: first, Channel: bank.ChannelCommand}
	_, k, err := client.New(d, guard.New(d, usermgmt.LoadPolicy, nil, nil), nil).Create(t.Context(), operator, client.Draft{Name: "Payments"})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return k.Reveal()
}

func settleIn(tx *db.Tx, institution bank.InstitutionID, members int) error {
	has := catalog.EntitlementSet(0).With(catalog.Wires)
	err := usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: institution, Name: "First", TimeZone: "America/Chicago", Offers: has})
	if err != nil {
		return err
	}
	o := usermgmt.Organization{Institution: institution, ID: "acme", Name: "Acme", Entitlements: has}
	if err := usermgmt.InsertOrganization(tx, &o); err != nil {
		return err
	}
	a := usermgmt.Account{ID: "operating", Name: "Operating"}
	if err := usermgmt.InsertAccount(tx, o.Num, &a); err != nil {
		return err
	}
	settings := entitlement.Settings{
		On:     catalog.SetOf(catalog.WiresEnabled, catalog.WiresWork, catalog.WiresTransmit, catalog.WiresDualControl),
		Limits: entitlement.Limits{}.With(catalog.LimitPerWire, 100_000_00).With(catalog.LimitWiresDaily, 100_000_00),
	}
	for n := range members + 1 {
		m := usermgmt.Member{ID: bank.UserID(fmt.Sprint("initiator-", n)), FirstName: "Dana", Status: bank.StatusActive, Settings: settings}
		if n == members {
			m.ID = "approver"
		}
		if err := usermgmt.InsertMember(tx, institution, o.Num, &m); err != nil {
			return err
		}
		here := entitlement.Settings{On: catalog.SetOf(catalog.AccountAccess, catalog.WiresWork, catalog.WiresTransmit)}
		if err := usermgmt.SetMemberAccount(tx, o.Num, m.Ordinal, a.Ordinal, here); err != nil {
			return err
		}
	}
	return nil
}

// adds adds up every reservation again.
func adds(t *testing.T, d *db.DB) {
	t.Helper()
	err := d.Read(t.Context(), func(tx *db.Tx) error {
		wrong, err := usage.Check(tx)
		if len(wrong) > 0 {
			t.Errorf("what is counted is not what is reserved: %+v", wrong)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
