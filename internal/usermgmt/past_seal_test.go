package usermgmt_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mandate/internal/db"
	"mandate/internal/usermgmt"
)

// TestWhatWasKeptIsSealed changes single bytes of what is kept, of the newest and
// of what lies long behind, and takes states elsewhere: each is found.
func TestWhatWasKeptIsSealed(t *testing.T) {
	each(t, func(w *world) {
		r := remember(w, 21)
		for range rounds(25, 300) {
			w.clock.Advance(time.Second)
			r.act()
		}
		verify := func() (said []string) {
			w.read(func(tx *db.Tx) error {
				wrong, err := usermgmt.VerifyPast(tx, "")
				for _, m := range wrong {
					said = append(said, m.What)
				}
				return err
			})
			return said
		}
		if said := verify(); len(said) != 0 {
			t.Fatalf("nothing was changed, and it says %q", said)
		}
		for _, table := range []string{"past_institution", "past_organization", "past_account", "past_member"} {
			part := "0"
			if table == "past_account" || table == "past_member" {
				part = "ordinal"
			}
			for _, order := range []string{"sequence", "sequence desc"} {
				var state []byte
				var ordinal, sequence int64
				w.read(func(tx *db.Tx) error {
					return tx.QueryRow(fmt.Sprintf(`select %s, sequence, state from %s order by %s, 1 limit 1`, part, table, order)).Scan(&ordinal, &sequence, &state)
				})
				set := func(bytes []byte) {
					w.write(func(tx *db.Tx) error {
						_, err := tx.Exec(fmt.Sprintf(`update %s set state = $1 where sequence = $2 and %s = $3`, table, part), bytes, sequence, ordinal)
						return err
					})
				}
				for _, at := range []int{0, 1, len(state) / 2, len(state) - 9, len(state) - 1} {
					other := append([]byte{}, state...)
					other[at] ^= 1 << r.rng.IntN(8)
					set(other)
					if said := verify(); len(said) == 0 || !strings.Contains(strings.Join(said, " "), fmt.Sprintf("at event %d is not what was written", sequence)) {
						t.Errorf("byte %d of what %s has at event %d was changed, and it says %q", at, table, sequence, said)
					}
				}
				set(state)
			}
		}
		if said := verify(); len(said) != 0 {
			t.Fatalf("everything was put back, and it says %q", said)
		}
		w.write(func(tx *db.Tx) error {
			_, err := tx.Exec(`update past_member set sequence = sequence + 100000 where sequence = (select min(sequence) from past_member) and ordinal = 1`)
			return err
		})
		if said := verify(); len(said) == 0 {
			t.Error("a state stands at another event, and nothing is said")
		}
	})
}
