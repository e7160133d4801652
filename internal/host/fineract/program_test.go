package fineract_test

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"mandate/internal/app"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/config"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/host"
	"mandate/internal/host/fineract"
	"mandate/internal/host/hosttest"
	"mandate/internal/moneymovement/stoppayment"
	"mandate/internal/moneymovement/transfer"
	"mandate/internal/pdp/obstacle"
	"mandate/internal/usermgmt"
)

// A program is all of Mandate before a Fineract: Dana moves Northwind's money.
type program struct {
	*testing.T
	*app.App
	core  *standIn
	clock *dbtest.Clock
	dana  bank.Caller
}

func openProgram(t *testing.T) *program {
	t.Helper()
	_, core := open(t)
	p := &program{T: t, core: core, clock: dbtest.NewClock(dbtest.Start)}
	var err error
	p.App, err = app.Open(t.Context(), config.Config{
		Store: config.Store{Data: t.TempDir()}, HashMemory: 8, HashPasses: 1, PublicOrigin: "http://localhost:1", ConsoleOrigin: "http://localhost:2", APIOrigin: "http://localhost:3",
		Hosts: config.Hosts{Host: []string{fineract.Scheme + core.URL + base}, HostKey: []string{settings}},
	}, p.clock, slog.New(slog.DiscardHandler))
	p.must(err)
	t.Cleanup(func() { p.must(p.App.Close()) })
	p.must(p.DB.Write(t.Context(), p.people))
	p.dana = bank.Caller{Kind: bank.ActorMember, ID: "dana", Name: "Dana", Institution: hosttest.Institution, Organization: hosttest.Organization, Channel: bank.ChannelAPI, Through: "test", Vouched: "passkey"}
	return p
}

func (p *program) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

// people are there as an import leaves them: with Fineract's numbers as keys.
func (p *program) people(tx *db.Tx) error {
	all := obstacle.Open(obstacle.Ask{Account: hosttest.Operating, ToAccount: hosttest.Payroll}, bank.EditionBank)
	org := usermgmt.Organization{Institution: hosttest.Institution, ID: hosttest.Organization, ExternalID: "0000000001", Name: "Northwind", Entitlements: all.Has}
	err := usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: hosttest.Institution, Name: "Cedar", TimeZone: "America/New_York", Offers: all.Offers})
	if err == nil {
		err = usermgmt.InsertOrganization(tx, &org)
	}
	if err != nil {
		return err
	}
	dana := usermgmt.Member{ID: "dana", FirstName: "Dana", Email: "dana@northwind.example", Status: bank.StatusActive, Settings: all.Settings}
	ana := usermgmt.Member{ID: "ana", FirstName: "Ana", Email: "ana@northwind.example", Status: bank.StatusActive, Role: bank.RoleAdmin, Settings: entitlement.Settings{On: catalog.SetOf(catalog.UserManagementEnabled)}}
	err = errors.Join(usermgmt.InsertMember(tx, org.Institution, org.Num, &dana), usermgmt.InsertMember(tx, org.Institution, org.Num, &ana))
	for _, id := range []bank.AccountID{hosttest.Operating, hosttest.Payroll} {
		a := usermgmt.Account{ID: id, ExternalID: string(refs[id]), Name: string(id), Number: "0137"}
		err = errors.Join(err, usermgmt.InsertAccount(tx, org.Num, &a))
		err = errors.Join(err, usermgmt.SetMemberAccount(tx, org.Num, dana.Ordinal, a.Ordinal, entitlement.Settings{On: all.Settings.On}))
	}
	return err
}

func (p *program) transfer(cents bank.Cents) transfer.Detail {
	p.Helper()
	made, err := p.Transfers.Create(p.Context(), p.dana, transfer.Draft{ID: transfer.NewID(p.clock.Now()), From: hosttest.Operating, To: hosttest.Payroll, Cents: cents, Memo: "Rent"})
	p.must(err)
	return p.get(made.ID)
}

func (p *program) get(id transfer.ID) transfer.Detail {
	p.Helper()
	d, err := p.Transfers.Get(p.Context(), p.dana, id)
	p.must(err)
	return d
}

// People move money without knowing which core there is.
func TestTheProgramBeforeFineract(t *testing.T) {
	p := openProgram(t)
	done := p.transfer(250_00)
	if done.State != transfer.Completed || !strings.HasPrefix(done.Reference, "T") || p.core.accounts[12].balance != 250_00 {
		t.Errorf("the transfer is %s, %q, and Fineract has %d cents", done.State, done.Reference, p.core.accounts[12].balance)
	}
	statement, err := p.Statements.Of(t.Context(), p.dana, hosttest.Payroll)
	if err != nil || len(statement.Lines) != 1 || statement.Lines[0].Reference != done.Reference || statement.Lines[0].Cents != 250_00 {
		t.Errorf("the statement is %+v, %v", statement, err)
	}
	if failed := p.transfer(750_01); failed.State != transfer.Failed || failed.Code != string(host.NotCovered) {
		t.Errorf("more than there is: %s, %q", failed.State, failed.Code)
	}
	// A stop payment is not offered: that is told to whoever asked, and nothing was sent.
	options, err := p.Stops.Options(t.Context(), p.dana)
	p.must(err)
	stop := stoppayment.Draft{ID: stoppayment.NewID(p.clock.Now()), Account: hosttest.Operating, First: 1001, Cents: 12_50, Payee: "Harbor Supplies", CheckDay: "2026-03-01", Terms: options.Terms.Seen()}
	before := len(p.core.asked)
	p.must(p.Stops.Add(t.Context(), p.dana, stop))
	got, err := p.Stops.Get(t.Context(), p.dana, stop.ID)
	if err != nil || got.Code != string(host.NotOffered) || got.Problem != "The host cannot do this." || len(p.core.asked) != before {
		t.Errorf("a stop payment: %+v, %v", got.Stop, err)
	}
}

// While Fineract is down orders wait, and go once when it is back.
func TestTheProgramWhileFineractIsDown(t *testing.T) {
	p := openProgram(t)
	p.core.fault = func(r *http.Request) string { return "lost after" }
	waiting := p.transfer(250_00)
	if waiting.State != transfer.Sent {
		t.Errorf("while the core is down the transfer is %s", waiting.State)
	}
	p.core.fault = nil
	for range 20 {
		p.clock.Advance(time.Minute)
		p.Desk.Now(t.Context())
		if p.get(waiting.ID).State == transfer.Completed {
			break
		}
	}
	if d := p.get(waiting.ID); d.State != transfer.Completed || len(p.core.moved) != 1 {
		t.Errorf("the core is back, and the transfer is %s, done %d times", d.State, len(p.core.moved))
	}
}
