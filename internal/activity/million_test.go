package activity_test

import (
	"os"
	"testing"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
)

// A search stays fast with a million events, whatever it asks: the gate has a
// fiftieth of them.
func TestASearchStaysFast(t *testing.T) {
	n, most := 20_000, 200*time.Millisecond
	if os.Getenv("MANDATE_SLOW") != "" {
		n = 1_000_000
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for first := 0; first < n; first += 20_000 {
			err := d.Write(t.Context(), func(tx *db.Tx) error {
				_, err := tx.Exec(manyEvents, first+1, first+20_000, []byte{})
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		for name, search := range map[string]activity.Search{
			"newest": {}, "rare kind": {Kind: "high_risk"}, "frequent kind": {Kind: "wires"}, "no such kind": {Kind: "stops"},
			"staff user": {Staff: "stf_0"}, "nobody": {Staff: "stf_x"}, "no such channel": {Channel: bank.ChannelSCIM}, "refused": {Outcome: activity.OnlyRefused},
			"organization": {Organization: "org_7"}, "its rare kind": {Organization: "org_7", Kind: "stops"}, "member": {Organization: "org_7", Member: "usr_7"},
			"old": {Until: 50_000_000}, "far back": {Before: activity.Place{Micros: int64(n) / 2 * 1_000_000, Organization: "org_0", Sequence: 1}},
		} {
			search.Institution, search.Limit = river, 50
			look := func() (took time.Duration) {
				err := d.Read(t.Context(), func(tx *db.Tx) error {
					began := time.Now()
					_, err := activity.Everywhere(tx, search)
					took = time.Since(began)
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				return took
			}
			took := min(look(), look(), look())
			t.Logf("%-16s %s", name, took)
			if took > most {
				t.Errorf("%s takes %s over %d events", name, took, n)
			}
		}
	})
}

const manyEvents = `
	insert into history_event (institution_id, organization_id, sequence, id, time_micros, name, save_id, revision, refused, code,
		actor_kind, actor_id, actor_name, channel, ip, device, target_kind, target_id, target_name, note, changes, hash)
	with recursive n (i) as (select cast($1 as bigint) union all select i + 1 from n where i < $2)
	select 'river', 'org_' || (i % 1000), i / 1000 + 1, 'evt_' || i, i * 1000000,
	       case when i % 50000 = 7 then 'hra.failed' when i % 3 = 0 then 'wire.initiated' when i % 3 = 1 then 'auth.signin_succeeded' else 'orguser.permission_changed' end,
	       'sav', 1, i % 20 = 0, '', case when i % 500 = 0 then 'staff' else 'member' end,
	       case when i % 500 = 0 then 'stf_' || (i % 7) else 'usr_' || (i % 5000) end,
	       'A', 'online', '', '', 'member', 'usr_' || (i % 5000), 'B', '', '[]', $3 from n`
