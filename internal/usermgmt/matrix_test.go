package usermgmt_test

import (
	"fmt"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/usermgmt"
)

// crowd adds people and accounts, every person with access to two accounts of
// three.
func (w *world) crowd(people, accounts int) {
	w.t.Helper()
	w.write(func(tx *db.Tx) error {
		for i := len(w.accounts); i < accounts; i++ {
			a := usermgmt.Account{ID: bank.AccountID(fmt.Sprintf("acc_%03d", i)), Name: fmt.Sprintf("branch %03d", i), Number: fmt.Sprintf("%04d", i), Kind: "checking"}
			if err := usermgmt.InsertAccount(tx, w.org.Num, &a); err != nil {
				return err
			}
			w.accounts = append(w.accounts, a)
		}
		for i := range people {
			s := sendsWires()
			s.Limits = s.Limits.With(catalog.LimitPerWire, bank.Cents(1+i%7)*1000_00)
			m := usermgmt.Member{ID: bank.UserID(fmt.Sprintf("usr_crowd%03d", i)), FirstName: fmt.Sprintf("Person%03d", i), LastName: "Crowd",
				Email: fmt.Sprintf("person%d@acme.example", i), Role: bank.Role(i % 3), Status: bank.StatusActive, Settings: s}
			if err := usermgmt.InsertMember(tx, harbor, w.org.Num, &m); err != nil {
				return err
			}
			for j, a := range w.accounts {
				if (i+j)%3 == 0 {
					continue
				}
				if err := usermgmt.SetMemberAccount(tx, w.org.Num, m.Ordinal, a.Ordinal, onAccount); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// The grid says of every value what the policy says of it.
func TestMatrixAgreesWithThePolicy(t *testing.T) {
	each(t, func(w *world) {
		w.team()
		w.crowd(30, 8)
		var policy *entitlement.Policy
		w.read(func(tx *db.Tx) (err error) {
			policy, err = usermgmt.LoadPolicy(tx, harbor, acme, entitlement.Scope{AllMembers: true, AllAccounts: true})
			return err
		})
		cells := 0
		for _, q := range []usermgmt.MatrixQuery{
			{}, {Account: "acc_operating"}, {Entitlement: catalog.Wires},
			{ByAccounts: true, Permission: catalog.AccountAccess}, {ByAccounts: true, Permission: catalog.WiresPerWireLimit},
		} {
			m, err := w.users.Matrix(t.Context(), onlineAs("ana"), acme, q)
			w.must(err)
			for _, row := range m.Rows {
				for i, cell := range row.Cells {
					permission, account := q.Permission, q.Account
					if q.ByAccounts {
						account = m.Accounts[i].ID
					} else {
						permission = m.Permissions[i]
					}
					cells++
					if want := entitlement.StateOf(policy, row.Members[0].ID, account, permission); cell.State != want {
						t.Errorf("%s of %s on %q is %d, want %d", permission, row.Members[0].ID, account, cell.State, want)
					}
				}
			}
		}
		if cells < 2000 {
			t.Errorf("only %d cells were compared", cells)
		}
	})
}

// Equal people stand in one row, the largest groups first, and nobody is lost.
func TestMatrixCollapsesEqualPeople(t *testing.T) {
	each(t, func(w *world) {
		w.team()
		w.crowd(30, 8)
		m, err := w.users.Matrix(t.Context(), onlineAs("ana"), acme, usermgmt.MatrixQuery{ByAccounts: true, Permission: catalog.AccountAccess, Collapse: true})
		w.must(err)
		n := 0
		for i, row := range m.Rows {
			n += len(row.Members)
			if i > 0 && len(row.Members) > len(m.Rows[i-1].Members) {
				t.Error("a larger group stands below a smaller one")
			}
		}
		if n != m.Matching || n != 35 || !m.Collapsed || len(m.Rows) != 5 {
			t.Errorf("%d people in %d rows of %d", n, len(m.Rows), m.Matching)
		}
	})
}

// Both axes are paged, a page beyond the end is the last, and a search narrows.
func TestMatrixPagesBothAxes(t *testing.T) {
	each(t, func(w *world) {
		w.team()
		w.crowd(60, 60)
		people := map[bank.UserID]bool{}
		accounts := map[bank.AccountID]bool{}
		for page := range 3 {
			q := usermgmt.MatrixQuery{ByAccounts: true, Permission: catalog.AccountAccess, ColumnPage: page + 1, Members: usermgmt.MemberQuery{Page: page + 1}}
			m, err := w.users.Matrix(t.Context(), onlineAs("ana"), acme, q)
			w.must(err)
			if len(m.Rows) > usermgmt.MatrixRows || len(m.Accounts) > usermgmt.MatrixColumns || m.Pages != 2 || m.ColumnPages != 3 {
				t.Errorf("page %d has %d rows of %d pages and %d columns of %d", page, len(m.Rows), m.Pages, len(m.Accounts), m.ColumnPages)
			}
			for _, row := range m.Rows {
				people[row.Members[0].ID] = true
			}
			for _, a := range m.Accounts {
				accounts[a.ID] = true
			}
		}
		if len(people) != 65 || len(accounts) != 60 {
			t.Errorf("%d people and %d accounts", len(people), len(accounts))
		}
		m, err := w.users.Matrix(t.Context(), onlineAs("ana"), acme, usermgmt.MatrixQuery{ByAccounts: true, Columns: "PAYROLL", Members: usermgmt.MemberQuery{Search: "dana"}})
		w.must(err)
		if len(m.Rows) != 1 || len(m.Accounts) != 1 {
			t.Errorf("the search finds %d people and %d accounts", len(m.Rows), len(m.Accounts))
		}
		_, err = w.users.Matrix(t.Context(), onlineAs("dana"), acme, usermgmt.MatrixQuery{})
		w.wants(err, fault.Forbidden, "")
		_, err = w.users.Matrix(t.Context(), onlineAs("ana"), acme, usermgmt.MatrixQuery{Account: "acc_of_others"})
		w.wants(err, fault.NotFound, "")
	})
}

// Five hundred people and two hundred accounts: no page of the grid takes long.
func BenchmarkMatrix(b *testing.B) {
	w := newWorld(b, dbtest.SQLite(b), bank.EditionBank)
	w.add("ana", bank.RoleAdmin, bank.StatusActive, manages)
	w.crowd(500, 200)
	for name, q := range map[string]usermgmt.MatrixQuery{
		"permissions":           {},
		"permissions collapsed": {Collapse: true},
		"accounts":              {ByAccounts: true, Permission: catalog.AccountAccess, ColumnPage: 4},
		"accounts collapsed":    {ByAccounts: true, Permission: catalog.WiresTransmit, Collapse: true, ColumnPage: 4},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := w.users.Matrix(b.Context(), onlineAs("ana"), acme, q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
