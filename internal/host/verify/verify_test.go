package verify_test

import (
	"log/slog"
	"maps"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/host"
	"mandate/internal/host/hostsim"
	"mandate/internal/host/hosttest"
	"mandate/internal/host/verify"
)

var ofSimulator = dbtest.Options{Migrations: hostsim.Migrations()}

// core is a simulator with the suite's world.
func core(t *testing.T) *hostsim.Bank {
	t.Helper()
	return on(t, dbtest.SQLiteWith(t, ofSimulator))
}

func on(t *testing.T, d *db.DB) *hostsim.Bank {
	t.Helper()
	b := hostsim.New(d, hostsim.Options{})
	staff := hostsim.By{Channel: host.BackOffice, Name: "Sam"}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	do(b.Open(t.Context(),
		hostsim.Opening{Institution: hosttest.Institution, Organization: hosttest.Organization, Account: hosttest.Operating, Number: hosttest.OperatingNumber, Balance: 1_000_00},
		hostsim.Opening{Institution: hosttest.Institution, Organization: hosttest.Organization, Account: hosttest.Payroll},
		hostsim.Opening{Institution: hosttest.Institution, Organization: hosttest.Other, Account: hosttest.Foreign, Balance: 1_000_00},
	))
	do(b.PutOrganization(t.Context(), hosttest.Institution, staff, host.Ref(hosttest.Organization), "Northwind"))
	do(b.PutOrganization(t.Context(), hosttest.Institution, staff, host.Ref(hosttest.Other), "Other"))
	for account, of := range map[host.Ref]host.Ref{host.Ref(hosttest.Operating): host.Ref(hosttest.Organization), host.Ref(hosttest.Payroll): host.Ref(hosttest.Organization), host.Ref(hosttest.Foreign): host.Ref(hosttest.Other)} {
		do(b.PutAccount(t.Context(), hosttest.Institution, staff, of, host.Account{Ref: account, Name: string(account), Kind: "checking"}))
	}
	for _, ref := range []host.Ref{"b-1", "B-1", "_1", "a 1", "A1", "ä-1"} { // most languages sort them otherwise
		do(b.PutOrganization(t.Context(), hosttest.Institution, staff, ref, "Another"))
	}
	do(b.Issue(t.Context(), hosttest.Institution, hosttest.Card))
	return b
}

var silent = slog.New(slog.DiscardHandler)

// The simulator passes as the product asks it, by the protocol.
func TestTheSimulatorPasses(t *testing.T) {
	hosttest.RunAll(t, func(t *testing.T) verify.Bench {
		bank := core(t)
		b := asked(bank.Server())
		b.Present = bank.Present
		return b
	})
}

// All checks one after the other on one bench, as a bank runs them, and again:
// they leave it as it was, money and people.
func TestTheChecksLeaveTheBenchAsItWas(t *testing.T) {
	dbtest.EachWith(t, ofSimulator, func(t *testing.T, d *db.DB) {
		core := on(t, d)
		b := asked(core.Server())
		b.Present = core.Present
		accounts := []bank.AccountID{b.From, b.To, b.Foreign}
		before, err := b.Host.Balances(t.Context(), b.Institution, accounts)
		if err != nil || len(before) != len(accounts) {
			t.Fatalf("the balances are %v, %v", before, err)
		}
		for _, run := range []string{"first", "second"} {
			b.Run = run
			for _, check := range verify.Checks() {
				if r := check.Run(t.Context(), b); r.Outcome == verify.Failed {
					t.Errorf("%s run: %s: %q", run, check.Name, r.Problems)
				}
			}
			b.Card, b.Present = "", nil // the card is lost, and the checks are paid
		}
		after, err := b.Host.Balances(t.Context(), b.Institution, accounts)
		if err != nil || !maps.Equal(before, after) {
			t.Errorf("the balances are %v, %v, want %v", after, err, before)
		}
		if users, err := b.People.Users(t.Context(), b.Institution, "", 500); err != nil || len(users) != 0 {
			t.Errorf("there are users left: %+v, %v", users, err)
		}
		if found, err := core.Check(t.Context()); err != nil || len(found) > 0 {
			t.Errorf("the books do not agree with themselves: %+v, %v", found, err)
		}
	})
}
