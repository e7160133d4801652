package approval_test

import (
	"slices"
	"strings"
	"testing"

	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/usermgmt"
)

func (w *world) openOf(name string) (made, alone string) {
	w.t.Helper()
	err := w.d.Read(w.t.Context(), func(tx *db.Tx) error {
		m, a, err := w.queue.OpenOf(tx, usermgmt.LoadPolicy, cedar, northwind, bank.UserID(name))
		made, alone = refs(m), refs(a)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return made, alone
}

func refs(items []approval.Item) string {
	var all []string
	for _, item := range items {
		all = append(all, item.Ref)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// What would be stuck without somebody: what they made, and what nobody else may
// approve.
func TestWhatWouldBeStuckWithoutSomebody(t *testing.T) {
	each(t, func(w *world) {
		w.ask("dana", "1", paper{content: "a", cents: 5_00})
		later, _ := w.ask("dana", "2", paper{content: "b", cents: 5_00, later: true})
		done, _ := w.ask("dana", "3", paper{content: "c", cents: 5_00})
		for _, item := range []approval.Item{later, done} {
			if err := w.approve("lee", item); err != nil {
				t.Fatal(err)
			}
		}
		want := func(name, made, alone string) {
			t.Helper()
			if m, a := w.openOf(name); m != made || a != alone {
				t.Errorf("without %s: made %q, alone %q, want %q and %q", name, m, a, made, alone)
			}
		}
		want("dana", "1 2", "") // what is approved for later as well, and not what is gone
		want("lee", "", "")     // Kim may, too
		w.set("kim", usermgmt.Member{}.Settings)
		want("lee", "", "1")
		want("kim", "", "")
		w.set("lee", usermgmt.Member{}.Settings)
		want("lee", "", "") // nobody may: that is not theirs
	})
}
