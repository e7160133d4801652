// Package hosttest tries the checks of package verify on hosts of tests: worlds
// made anew for each of them. It is for tests only.
package hosttest

import (
	"slices"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/host"
	"mandate/internal/host/protocol"
	"mandate/internal/host/verify"
)

// Where the suite's accounts are, by names that we and the host share.
const (
	Institution  = bank.InstitutionID("cedar")
	Organization = bank.OrganizationID("org_northwind")
	Operating    = bank.AccountID("acc_operating") // opens with 1,000.00, and has the number OperatingNumber
	Payroll      = bank.AccountID("acc_payroll")   // opens with 0.00
	Other        = bank.OrganizationID("org_other")
	Foreign      = bank.AccountID("acc_foreign") // of the other organization, with 1,000.00
	Elsewhere    = bank.InstitutionID("elm")     // has nothing of this

	OperatingNumber = "5500000137"
)

// Card is the suite's card: active, on Operating.
var Card = host.Card{
	ID: "crd_operating", Organization: Organization, Account: Operating, Holder: "Dana Diaz", Kind: "debit", LastFour: "4821", Expires: "2029-04", State: host.CardActive,
}

// Bench is a host with the suite's accounts and card. Where it has a People
// half, its organizations and accounts must be known there as well.
func Bench(h host.Connector) verify.Bench {
	b := verify.Bench{
		Host: h, Offers: protocol.Features, Institution: Institution, Organization: Organization, From: Operating, To: Payroll,
		Foreign: Foreign, Other: Other, Elsewhere: Elsewhere, Number: OperatingNumber, Card: Card.ID,
		OrganizationRef: host.Ref(Organization), FromRef: host.Ref(Operating), ToRef: host.Ref(Payroll), OtherRef: host.Ref(Other),
		Day: "2026-03-02", Run: "suite",
	}
	b.People, _ = h.(host.People)
	if clearing, ok := h.(verify.Clearing); ok {
		b.Present = clearing.Present
	}
	return b
}

// RunAll tries every check, each on a bench of its own.
func RunAll(t *testing.T, fresh func(t *testing.T) verify.Bench) {
	for _, check := range verify.Checks() {
		t.Run(check.Name, func(t *testing.T) { check.Test(t, fresh(t)) })
	}
}

// Run tries what a host does with money, and leaves people out.
func Run(t *testing.T, fresh func(t *testing.T) host.Connector) {
	for _, check := range verify.Checks() {
		if check.Needs != protocol.People {
			t.Run(check.Name, func(t *testing.T) {
				b := Bench(fresh(t))
				b.Offers = slices.DeleteFunc(slices.Clone(protocol.Features), func(f protocol.Feature) bool { return f == protocol.People })
				check.Test(t, b)
			})
		}
	}
}

// Want compares an account's balances.
func Want(t *testing.T, h host.Connector, account bank.AccountID, ledger, available bank.Cents) {
	t.Helper()
	got, err := h.Balances(t.Context(), Institution, []bank.AccountID{account})
	if err != nil {
		t.Fatal(err)
	}
	if want := (host.Balance{Ledger: ledger, Available: available}); got[account] != want {
		t.Errorf("%s has %+v, want %+v", account, got[account], want)
	}
}
