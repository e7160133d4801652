package usermgmt_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"mandate/internal/authorization"
	"mandate/internal/bank"
	"mandate/internal/entitlement"
	decisions "mandate/internal/pdp/memory"
	"mandate/internal/pdp/pdptest"
)

// TestMemoryIsWhatIsStored does what the product does, at random, and compares
// the memory that was brought up to date with one that has just read everything:
// each block in full, with all that counts, and the institution's own level.
func TestMemoryIsWhatIsStored(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		r := remember(w, 11)
		known := pdptest.Memory(w.d)
		look := func(m *decisions.Memory) (any, any) {
			t.Helper()
			block, err := m.Organization(t.Context(), harbor, bank.OrganizationID(acme))
			w.must(err)
			view, err := m.View(t.Context(), harbor)
			w.must(err)
			return block, *view.Institution()
		}
		look(known)
		paid := 0
		for i := range rounds(120, 4000) {
			w.clock.Advance(time.Millisecond)
			r.act()
			ref := fmt.Sprintf("small %d", i/3)
			if i%3 == 0 { // a payment, which is given back two steps later
				answer, err := r.payments.Authorize(t.Context(), client, acme, ref, authorization.Asked{Member: id("dana"), Operation: "wires.transmit",
					Account: r.known[0], Amount: entitlement.AmountOf(100)})
				w.must(internal(err))
				if answer.Allowed {
					paid++
				}
			} else if i%3 == 2 {
				_, err := r.payments.Void(t.Context(), client, ref)
				w.must(internal(err))
			}
			block, institution := look(known)
			fresh := pdptest.Memory(w.d)
			w.must(fresh.Load(t.Context(), nil))
			wantBlock, wantInstitution := look(fresh)
			if !reflect.DeepEqual(block, wantBlock) || !reflect.DeepEqual(institution, wantInstitution) {
				t.Fatalf("step %d: in memory is\n%+v\n%+v\nand stored is\n%+v\n%+v", i+1, block, institution, wantBlock, wantInstitution)
			}
		}
		if paid == 0 {
			t.Error("nothing was paid")
		}
		if st := known.Status(); st.Wholes*2 > st.Refreshed || st.Gaps != 0 {
			t.Errorf("most was not brought up to date but read as a whole: %+v", st)
		}
	})
}
