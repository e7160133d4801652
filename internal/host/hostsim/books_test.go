package hostsim_test

import (
	"context"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/host"
	"mandate/internal/host/hostsim"
	"mandate/internal/host/hosttest"
)

func books(t *testing.T, d *db.DB) *hostsim.Bank {
	t.Helper()
	b := hostsim.New(d, hostsim.Options{})
	openings := []hostsim.Opening{
		{Institution: hosttest.Institution, Organization: hosttest.Organization, Account: hosttest.Operating, Number: hosttest.OperatingNumber, Balance: 1_000_00},
		{Institution: hosttest.Institution, Organization: hosttest.Organization, Account: hosttest.Payroll},
		{Institution: hosttest.Institution, Organization: "org_other", Account: hosttest.Foreign, Balance: 1_000_00},
	}
	for range 2 { // what is there stays as it is
		if err := b.Open(t.Context(), openings...); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Issue(t.Context(), hosttest.Institution, hosttest.Card); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { agrees(t, b) })
	return b
}

func agrees(t *testing.T, b *hostsim.Bank) {
	t.Helper()
	found, err := b.Check(context.WithoutCancel(t.Context())) // at the end of a test, too
	if err != nil || len(found) > 0 {
		t.Errorf("the books do not agree with themselves: %+v, %v", found, err)
	}
}

func TestHostSuiteAndRaces(t *testing.T) {
	dbtest.EachWith(t, dbtest.Options{Migrations: hostsim.Migrations()}, func(t *testing.T, d *db.DB) {
		// One database serves all tests of the suite: each has books of its own.
		hosttest.Run(t, func(t *testing.T) host.Connector {
			wipe(t, d)
			b := books(t, d)
			agrees(t, b)
			return b
		})
	})
}

func wipe(t *testing.T, d *db.DB) {
	t.Helper()
	err := d.Write(t.Context(), func(tx *db.Tx) error {
		for _, table := range []string{"core_line", "core_order", "core_hold", "core_stop", "core_card", "core_file", "core_enrolled", "core_issued", "core_item", "core_account"} {
			if _, err := tx.Exec(`delete from ` + table); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A line of credit may be drawn down to its floor and no further.
func TestFloor(t *testing.T) {
	dbtest.EachWith(t, dbtest.Options{Migrations: hostsim.Migrations()}, func(t *testing.T, d *db.DB) {
		b := books(t, d)
		err := b.Open(t.Context(), hostsim.Opening{Institution: hosttest.Institution, Organization: hosttest.Organization, Account: "acc_line", Balance: -400_00, Floor: -500_00})
		if err != nil {
			t.Fatal(err)
		}
		hosttest.Want(t, b, "acc_line", -400_00, 100_00)
		for ref, want := range map[string]host.Code{"too much": host.NotCovered, "all": ""} {
			cents := host.Move("acc_line", hosttest.Payroll, 100_00)
			if ref == "too much" {
				cents = host.Move("acc_line", hosttest.Payroll, 100_01)
			}
			r, err := b.Carry(t.Context(), host.Order{Institution: hosttest.Institution, Organization: hosttest.Organization, Room: "test", Ref: ref, Day: "2026-03-02", Legs: cents})
			if err != nil || r.Refused != want {
				t.Errorf("%s: %+v, %v, want %q", ref, r, err, want)
			}
		}
		hosttest.Want(t, b, "acc_line", -500_00, 0)
	})
}

// What the institution charges stands in its own books, and a damaged page is
// found.
func TestCheckFindsDamage(t *testing.T) {
	d := dbtest.SQLiteWith(t, dbtest.Options{Migrations: hostsim.Migrations()})
	b := hostsim.New(d, hostsim.Options{})
	if err := b.Open(t.Context(), hostsim.Opening{Institution: "cedar", Organization: "org", Account: "acc", Balance: 50_00}); err != nil {
		t.Fatal(err)
	}
	fee := host.Order{Institution: "cedar", Organization: "org", Room: "test", Ref: "fee", Day: "2026-03-02", Legs: host.Move("acc", host.Internal("fees"), 30_00)}
	if r, err := b.Carry(t.Context(), fee); err != nil || !r.Done() {
		t.Fatalf("the fee: %+v, %v", r, err)
	}
	agrees(t, b)
	err := d.Write(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(`update core_line set cents = cents + 1 where account_id = 'gl:fees'`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if found, err := b.Check(t.Context()); err != nil || len(found) != 2 {
		t.Errorf("a changed line shows as %+v, %v; want its posting and its account", found, err)
	}
}

// A check that was stopped goes back, whatever it fits.
func TestStoppedChecksGoBack(t *testing.T) {
	dbtest.EachWith(t, dbtest.Options{Migrations: hostsim.Migrations()}, func(t *testing.T, d *db.DB) {
		b := books(t, d)
		for ref, change := range map[string]func(o *host.Order){
			"1": func(o *host.Order) { o.Enrol = &host.Enrolment{Account: hosttest.Operating, On: true} },
			"2": func(o *host.Order) {
				o.Stop = &host.Stop{Account: hosttest.Operating, First: 10, Last: 12, Cents: 5_00, Until: "2026-03-02"}
			},
		} {
			o := host.Order{Institution: hosttest.Institution, Organization: hosttest.Organization, Room: "test", Ref: ref}
			change(&o)
			if r, err := b.Carry(t.Context(), o); err != nil || !r.Done() {
				t.Fatal(r, err)
			}
		}
		var checks []host.IssuedCheck
		for n := range int64(6) {
			checks = append(checks, host.IssuedCheck{Number: 9 + n, Cents: 5_00})
		}
		checks[2].Cents = 6_00 // of another amount than the stop
		issued := host.Order{Institution: hosttest.Institution, Organization: hosttest.Organization, Room: "test", Ref: "3", Issued: &host.Issued{Account: hosttest.Operating, Checks: checks}}
		if r, err := b.Carry(t.Context(), issued); err != nil || !r.Done() {
			t.Fatal(r, err)
		}
		for i, test := range []struct {
			day  string
			want host.Outcome
		}{{"2026-03-02", host.Paid}, {"2026-03-02", host.Returned}, {"2026-03-02", host.Paid}, {"2026-03-03", host.Paid}, {"2026-03-02", host.Paid}} {
			p := host.Presented{Account: hosttest.Operating, Kind: host.CheckItem, Number: checks[i].Number, Cents: checks[i].Cents, Day: bank.Day(test.day)}
			if _, err := b.Present(t.Context(), hosttest.Institution, p, nil, nil); err != nil {
				t.Fatal(err)
			}
			all, err := b.Presented(t.Context(), hosttest.Institution, "", 10)
			if err != nil || all[i].Outcome != test.want {
				t.Errorf("check %d on %s: %+v, %v, want %s", checks[i].Number, test.day, all[i], err, test.want)
			}
		}
	})
}
