package usermgmt_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/pdp/pdptest"
	"mandate/internal/usermgmt"
)

// TestPagesAreTheWholeListInParts puts pages together, by each order, both ways
// round and with a search, where hundreds are alike and some have the same name.
func TestPagesAreTheWholeListInParts(t *testing.T) {
	each(t, func(w *world) {
		rng := rand.New(rand.NewPCG(5, 6))
		w.write(func(tx *db.Tx) error {
			for i := range 470 {
				m := usermgmt.Member{ID: bank.UserID(fmt.Sprintf("usr_%03d", i)), FirstName: fmt.Sprintf("%c%d", 'a'+rng.IntN(26), rng.IntN(20)), LastName: "Test",
					Email: fmt.Sprintf("%d@acme.example", i), Status: bank.StatusActive, Settings: sendsWires()}
				if i%10 == 0 {
					m.Settings.Limits = m.Settings.Limits.With(catalog.LimitPerWire, bank.Cents(i%7+1)*1000_00)
				}
				if err := usermgmt.InsertMember(tx, harbor, w.org.Num, &m); err != nil {
					return err
				}
				if err := usermgmt.SetMemberAccount(tx, w.org.Num, m.Ordinal, w.accounts[0].Ordinal, onAccount); err != nil {
					return err
				}
			}
			return nil
		})
		door := guard.New(w.d, usermgmt.LoadPolicy, allStaff{}, w.proofs)
		for _, users := range []*usermgmt.Service{usermgmt.New(door, nil), usermgmt.New(door, nil).WithMemory(pdptest.Memory(w.d))} {
			for _, q := range []usermgmt.WhoQuery{
				{Sort: usermgmt.ByAmount}, {Sort: usermgmt.ByAmount, Reverse: true}, {Sort: usermgmt.WhoByName}, {Sort: usermgmt.WhoByName, Reverse: true},
				{Sort: usermgmt.WhoByName, Search: "1"}, {Sort: usermgmt.ByAmount, Search: "TEST"},
			} {
				q.Request = entitlement.Plainest("", catalog.WiresTransmitOperation, time.Time{})
				q.Size = -1
				whole, err := users.WhoMay(t.Context(), operator, acme, q)
				w.must(err)
				if len(whole.Rows) != whole.Matching || whole.May != 470 || q.Search != "1" && whole.Matching != 470 || whole.Matching < 100 {
					t.Fatalf("%+v: %d rows, %d of %d", q, len(whole.Rows), whole.Matching, whole.May)
				}
				if !slices.IsSortedFunc(whole.Rows, func(a, b usermgmt.Able) int { return inOrder(q, a, b) }) {
					t.Errorf("%s, reverse %t: not in order", q.Sort, q.Reverse)
				}
				var parts []usermgmt.Able
				for q.Page, q.Size = 1, 60; len(parts) < len(whole.Rows); q.Page++ {
					page, err := users.WhoMay(t.Context(), operator, acme, q)
					w.must(err)
					if page.Page != q.Page || len(page.Rows) == 0 {
						t.Fatalf("page %d is page %d with %d rows", q.Page, page.Page, len(page.Rows))
					}
					parts = append(parts, page.Rows...)
				}
				if !reflect.DeepEqual(parts, whole.Rows) {
					t.Errorf("%s, reverse %t, %q: the pages are not the list", q.Sort, q.Reverse, q.Search)
				}
			}
		}
	})
}

func inOrder(q usermgmt.WhoQuery, a, b usermgmt.Able) int {
	if q.Reverse {
		a, b = b, a
	}
	byName := cmp.Or(strings.Compare(usermgmt.Fold(a.Name), usermgmt.Fold(b.Name)), cmp.Compare(a.User, b.User))
	if q.Sort == usermgmt.ByAmount {
		return cmp.Or(cmp.Compare(b.Best.UpTo, a.Best.UpTo), byName)
	}
	return byName
}
