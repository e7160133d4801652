package identity_test

import (
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/identity"
)

// Staff may do nothing in this world: what they have begun to see ends all the
// same, and the history says in whose name.
func TestSeeingEndsWithoutTheRight(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.add("dana", bank.StatusActive)
		w.write(func(tx *db.Tx) error {
			_, err := tx.Exec(`
				insert into see_as (institution_id, id, organization_id, member_id, staff_id, sign_in_id, ticket_hash, ticket_micros, token_hash, ends_micros)
				values ($1, 'see_1', $2, 'usr_dana', 'stf_gone', 'sgn_gone', $3, 0, $3, $4)`, harbor, acme, []byte{7}, tx.Now.Add(-time.Minute).UnixMicro())
			return err
		})
		for range 2 { // it is said once
			if err := w.s.Expire(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if got := w.history(); got != identity.EventSeeAsEnded+" dana" {
			t.Errorf("the history says %q", got)
		}
		w.read(func(tx *db.Tx) error {
			var kind bank.ActorKind
			var actor, channel string
			err := tx.QueryRow(`select actor_kind, actor_id, channel from history_event where name = $1`, identity.EventSeeAsEnded).Scan(&kind, &actor, &channel)
			if kind != bank.ActorStaff || actor != "stf_gone" || channel != string(bank.ChannelPeople) {
				t.Errorf("it ended in the name of %s %s by %s", kind, actor, channel)
			}
			return err
		})
	})
}
