package stoppayment_test

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/host"
	"mandate/internal/host/hostsim"
	"mandate/internal/host/hostsim/hostsimtest"
	"mandate/internal/moneymovement/stoppayment"
	"mandate/internal/usermgmt"
)

const (
	cedar     = bank.InstitutionID("cedar")
	northwind = bank.OrganizationID("org_northwind")
	operating = bank.AccountID("acc_operating") // opens with $100.00
	payroll   = bank.AccountID("acc_payroll")   // opens with nothing
)

var operator = bank.Caller{Kind: bank.ActorOperator, Name: "Olga", Institution: cedar, Channel: bank.ChannelCommand}

// terms charge $30.00 a stop.
var terms = stoppayment.Terms{Fee: 30_00, Disclaimer: "Mind the gap.", NeedsAmount: true, NeedsPayee: true}

// A world is an organization whose Dana places stops on both accounts, whose
// Vic sees those of Payroll, and whose Uma may nothing.
type world struct {
	t      testing.TB
	d      *db.DB
	room   *stoppayment.Service
	books  *hostsim.Bank
	told   *told
	proofs *proofs
}

func each(t *testing.T, test func(w *world)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(newWorld(t, d)) })
}

func newWorld(t testing.TB, d *db.DB) *world {
	w := &world{t: t, d: d, books: hostsimtest.Open(t, d), told: &told{}, proofs: &proofs{}}
	door := guard.New(d, usermgmt.LoadPolicy, nil, w.proofs)
	days := calendar.New(door, func(*db.Tx, bank.InstitutionID) (*time.Location, error) { return time.LoadLocation("America/New_York") })
	desk := host.NewDesk(d, w.books, slog.New(slog.NewTextHandler(io.Discard, nil)))
	w.room = stoppayment.New(stoppayment.Config{Guard: door, Calendar: days, Desk: desk, Teller: w.told})
	has := catalog.EntitlementSet(0).With(catalog.Stops)
	org := usermgmt.Organization{Institution: cedar, ID: northwind, Name: "Northwind", Entitlements: has}
	accounts := []*usermgmt.Account{{ID: operating, Name: "Operating"}, {ID: payroll, Name: "Payroll"}}
	view, add := catalog.SetOf(catalog.StopsEnabled, catalog.StopsView), catalog.SetOf(catalog.StopsEnabled, catalog.StopsView, catalog.StopsAdd)
	err := d.Write(t.Context(), func(tx *db.Tx) error {
		if err := usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: cedar, Name: "Cedar Bank", TimeZone: "America/New_York", Offers: has}); err != nil {
			return err
		}
		if err := usermgmt.InsertOrganization(tx, &org); err != nil {
			return err
		}
		for _, a := range accounts {
			if err := usermgmt.InsertAccount(tx, org.Num, a); err != nil {
				return err
			}
		}
		for name, on := range map[string]catalog.Set{"dana": add, "vic": view, "uma": 0} {
			m := usermgmt.Member{ID: bank.UserID(name), FirstName: name, Email: name + "@northwind.example", Status: bank.StatusActive, Settings: entitlement.Settings{On: on}}
			if err := usermgmt.InsertMember(tx, cedar, org.Num, &m); err != nil {
				return err
			}
			for i, a := range accounts {
				if name == "vic" && i == 0 {
					continue
				}
				if err := usermgmt.SetMemberAccount(tx, org.Num, m.Ordinal, a.Ordinal, entitlement.Settings{On: on.With(catalog.AccountAccess)}); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = w.books.Open(t.Context(), hostsim.Opening{Institution: cedar, Organization: northwind, Account: operating, Balance: 100_00},
		hostsim.Opening{Institution: cedar, Organization: northwind, Account: payroll})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.room.SetTerms(t.Context(), operator, terms); err != nil {
		t.Fatal(err)
	}
	return w
}

func caller(name string) bank.Caller {
	return bank.Caller{Kind: bank.ActorMember, ID: name, Name: strings.ToUpper(name[:1]) + name[1:], Institution: cedar, Organization: northwind, Channel: bank.ChannelOnline}
}

func (w *world) draft() stoppayment.Draft {
	return stoppayment.Draft{
		ID: stoppayment.NewID(dbtest.ClockOf(w.t, w.d).Now()), Account: operating, First: 1001, Cents: 250_00, CheckDay: "2026-02-20", Payee: "Harbor Supplies", Terms: terms.Seen(),
	}
}

func (w *world) add(d stoppayment.Draft) error {
	return w.room.Add(w.t.Context(), caller("dana"), d)
}

func (w *world) must(d stoppayment.Draft) stoppayment.ID {
	w.t.Helper()
	if err := w.add(d); err != nil {
		w.t.Fatalf("Add(%+v): %v", d, err)
	}
	return d.ID
}

func (w *world) wants(id stoppayment.ID, state stoppayment.State) stoppayment.Detail {
	w.t.Helper()
	d, err := w.room.Get(w.t.Context(), caller("dana"), id)
	if err != nil {
		w.t.Fatal(err)
	}
	if got := d.Standing(d.Today); got != state {
		w.t.Errorf("%s is %s (%s %s), want %s", id, got, d.Code, d.Problem, state)
	}
	return d
}

func (w *world) has(cents bank.Cents) {
	w.t.Helper()
	got, err := w.books.Balances(w.t.Context(), cedar, []bank.AccountID{operating})
	if err != nil || got[operating].Ledger != cents {
		w.t.Errorf("Operating holds %s, %v, want %s", got[operating].Ledger, err, cents)
	}
	if wrong, err := w.books.Check(w.t.Context()); err != nil || len(wrong) > 0 {
		w.t.Errorf("the books: %+v, %v", wrong, err)
	}
}

func (w *world) refuses(what string, err error, code string) {
	w.t.Helper()
	f, ok := err.(*fault.Error)
	if !ok || f.Code != code {
		w.t.Errorf("%s: %v, want %s", what, err, code)
	}
}

// told keeps what people were told.
type told struct{ mails []string }

func (s *told) Tell(_ *db.Tx, _ bank.InstitutionID, people []bank.UserID, _, _, subject string, _ ...string) error {
	s.mails = append(s.mails, fmt.Sprint(people, " ", subject))
	return nil
}

// proofs are given, unless they are wanting.
type proofs struct {
	mu      sync.Mutex
	wanting bool
}

func (p *proofs) Consume(*db.Tx, bank.Caller, string, string, []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wanting {
		return fault.New(fault.StepUp, "Prove it.").With("STEP_UP")
	}
	return nil
}
