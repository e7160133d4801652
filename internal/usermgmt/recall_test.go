package usermgmt_test

import (
	"context"
	"reflect"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/entitlement/compact"
	"mandate/internal/guard"
	"mandate/internal/pdp/pdptest"
	"mandate/internal/usermgmt"
)

// stopped is a memory to which nothing new comes.
type stopped struct{ *compact.Block }

func (s stopped) Organization(context.Context, bank.InstitutionID, bank.OrganizationID) (*compact.Block, error) {
	return s.Block, nil
}

// TestListsFromMemoryAreThoseOfTheTables does what the product does, at random,
// and asks for the same lists with a memory and without.
func TestListsFromMemoryAreThoseOfTheTables(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		r := remember(w, 13)
		door := guard.New(w.d, usermgmt.LoadPolicy, allStaff{}, w.proofs)
		known := pdptest.Memory(w.d)
		recalls, reads := usermgmt.New(door, nil).WithMemory(known), usermgmt.New(door, nil)
		block, err := known.Organization(t.Context(), harbor, bank.OrganizationID(acme))
		w.must(err)
		behind := usermgmt.New(door, nil).WithMemory(stopped{block})
		able, exposed := 0, 0
		for range rounds(60, 1000) {
			w.clock.Advance(time.Millisecond)
			r.act()
			operations := catalog.Operations()
			q := usermgmt.WhoQuery{Request: entitlement.Plainest("", operations[r.rng.IntN(len(operations))], time.Time{}), Sort: usermgmt.ByAmount, Size: -1}
			if r.rng.IntN(2) == 0 {
				q.Request = entitlement.Plainest("", catalog.WiresTransmitOperation, time.Time{})
			}
			if q.Request.Operation.Info().Accounts != catalog.AccountNone && r.rng.IntN(2) == 0 {
				q.Request.Account = oneOf(r, r.known)
			}
			got, err := recalls.WhoMay(t.Context(), operator, acme, q)
			w.must(err)
			want, err := reads.WhoMay(t.Context(), operator, acme, q)
			w.must(err)
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("%s on %q: from memory\n%+v\nfrom the tables\n%+v", q.Request.Operation, q.Request.Account, got, want)
			}
			late, err := behind.WhoMay(t.Context(), operator, acme, q)
			w.must(err)
			if !reflect.DeepEqual(late, want) {
				t.Fatalf("%s on %q: from a memory that has stopped\n%+v\nfrom the tables\n%+v", q.Request.Operation, q.Request.Account, late, want)
			}
			able += len(want.Rows)
			alone, err := recalls.Exposures(t.Context(), operator, acme, usermgmt.ExposureQuery{Size: -1})
			w.must(err)
			wanted, err := reads.Exposures(t.Context(), operator, acme, usermgmt.ExposureQuery{Size: -1})
			w.must(err)
			if !reflect.DeepEqual(alone, wanted) {
				t.Fatalf("alone: from memory\n%+v\nfrom the tables\n%+v", alone, wanted)
			}
			exposed += len(wanted.Rows)
		}
		if able == 0 || exposed == 0 {
			t.Errorf("%d people may something, and %d could move something alone", able, exposed)
		}
	})
}
