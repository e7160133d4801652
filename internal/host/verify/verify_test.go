package verify_test

import (
	"log/slog"
	"testing"

	"mandate/internal/db/dbtest"
	"mandate/internal/host"
	"mandate/internal/host/hostsim"
	"mandate/internal/host/hosttest"
	"mandate/internal/host/verify"
)

// core is a simulator with the suite's world.
func core(t *testing.T) *hostsim.Bank {
	t.Helper()
	b := hostsim.New(dbtest.SQLiteWith(t, dbtest.Options{Migrations: hostsim.Migrations()}), hostsim.Options{})
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
