package memory_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
	"mandate/internal/pdp"
	"mandate/internal/pdp/memory"
	"mandate/internal/pdp/pdptest"
	"mandate/internal/usermgmt"
)

// Everything is read, quickly: ten thousand organizations in under five seconds.
func TestLoadReadsEverything(t *testing.T) {
	d := dbtest.SQLite(t)
	orgs := 40
	if os.Getenv("MANDATE_SLOW") != "" {
		orgs = 10_000
	}
	err := d.Write(context.Background(), func(tx *db.Tx) error {
		if err := usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: "first", Name: "x", TimeZone: "America/Chicago", Offers: pdptest.Everything}); err != nil {
			return err
		}
		for range orgs {
			o := usermgmt.Organization{Institution: "first", ID: bank.OrganizationID(bank.NewID(bank.PrefixOrganization, tx.Now)), Name: "o"}
			if err := usermgmt.InsertOrganization(tx, &o); err != nil {
				return err
			}
			for i := range 20 {
				if err := usermgmt.InsertAccount(tx, o.Num, &usermgmt.Account{ID: bank.AccountID(bank.NewID(bank.PrefixAccount, tx.Now)), Name: fmt.Sprint(i)}); err != nil {
					return err
				}
			}
			for range 10 {
				m := usermgmt.Member{ID: bank.UserID(bank.NewID(bank.PrefixUser, tx.Now)), Status: bank.StatusActive, Settings: pdptest.Sender}
				if err := usermgmt.InsertMember(tx, "first", o.Num, &m); err != nil {
					return err
				}
			}
			if _, err := tx.Exec(`insert into member_account (organization_num, member_ordinal, account_ordinal, switches, wire)
				select m.organization_num, m.ordinal, a.ordinal, $1, case when (m.ordinal * 20 + a.ordinal) % 20 = 0 then 50000 end from member m join account a on a.organization_num = m.organization_num where m.organization_num = $2`, uint64(pdptest.SenderAccount.On), o.Num); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	m := pdptest.Memory(d)
	began, told := time.Now(), 0
	if err := m.Load(context.Background(), func(done, total int) { told = total - done }); err != nil {
		t.Fatal(err)
	}
	took, st := time.Since(began), m.Status()
	t.Logf("%d organizations, %d bytes, %.2f for each member's account, %s", st.Organizations, st.Bytes, float64(st.Bytes)/float64(orgs*200), took)
	if st.Organizations != orgs || st.Elsewhere != 0 || told != 0 {
		t.Errorf("loaded %+v, and %d were left", st, told)
	}
	if orgs == 10_000 && (took > 5*time.Second || st.Bytes > 16*2_000_000) {
		t.Errorf("took %s and %d bytes", took, st.Bytes)
	}
}

// What is more than the budget is not kept, and is there all the same when it is
// asked for.
func TestABudgetIsKept(t *testing.T) {
	d := dbtest.SQLite(t)
	pdptest.New(t, d)
	m := memory.New(d, usermgmt.MemorySources(), memory.Options{Budget: 1})
	for range 3 {
		for _, organization := range []bank.OrganizationID{"acme", "birch"} {
			b, err := m.Organization(t.Context(), "first", organization)
			if err != nil || b.Organization != organization {
				t.Fatalf("%s: %v", organization, err)
			}
		}
	}
	if st := m.Status(); st.Organizations != 1 || st.Evicted < 4 {
		t.Errorf("status %+v", st)
	}
}

// Where a follower confirms, nothing is answered that may be too old.
func TestNobodyIsAnsweredFromWhatMayBeTooOld(t *testing.T) {
	d := dbtest.PostgreSQL(t)
	pdptest.New(t, d)
	m := memory.New(d, usermgmt.MemorySources(), memory.Options{Freshness: memory.Followed})
	s := pdp.New(m, usermgmt.DecisionSources(), nil)
	ask := func() error {
		_, err := s.Decide(t.Context(), "first", pdp.Question{Member: "dana", Operation: "account.view", Account: "operating"})
		return err
	}
	if err := ask(); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("before anything was confirmed: %v", err)
	}
	m.Confirm(time.Now().Add(-memory.Bound))
	if err := ask(); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("confirmed too long ago: %v", err)
	}
	m.Confirm(time.Now())
	m.Confirm(time.Now().Add(-time.Hour))
	if err := ask(); err != nil {
		t.Errorf("confirmed just now: %v", err)
	}
}
