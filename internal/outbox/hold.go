package outbox

import (
	"fmt"
	"math"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// A Hold keeps messages back until somebody says whether they go out.
type Hold struct {
	Institution bank.InstitutionID
	Kind        Kind
	Everything  bool  // also what is queued from now on
	SinceMicro  int64 // when it was laid
	Waiting     int64 // messages it keeps back
}

// everything is an end that no message is queued after.
const everything = math.MaxInt64

// HoldRestored keeps back what an institution had waiting when a backup was made
// that has been restored: nobody here knows what went out since. Orders to the
// host are kept back altogether, so that what is done anew waits for the same look.
func HoldRestored(tx *db.Tx, institution bank.InstitutionID, made time.Time) error {
	_, err := tx.Exec(`
		insert into outbox_hold (institution_id, kind, until_micros, since_micros)
		select distinct institution_id, kind, cast($2 as bigint), cast($3 as bigint) from outbox
		 where institution_id = $1 and state in ('ready', 'busy') and kind <> $4
		on conflict (institution_id, kind) do update set until_micros = excluded.until_micros`, institution, made.UnixMicro(), tx.Now.UnixMicro(), Host)
	if err != nil {
		return fmt.Errorf("hold what waited: %w", err)
	}
	_, err = tx.Exec(`
		insert into outbox_hold (institution_id, kind, until_micros, since_micros) values ($1, $2, $3, $4)
		on conflict (institution_id, kind) do update set until_micros = excluded.until_micros`, institution, Host, int64(everything), tx.Now.UnixMicro())
	if err != nil {
		return fmt.Errorf("hold the orders to the host: %w", err)
	}
	return nil
}

// Holds are all that lie, with how much each keeps back.
func Holds(tx *db.Tx) ([]Hold, error) {
	holds, err := db.All(tx, func(s db.Scanner) (h Hold, err error) {
		var until int64
		err = s.Scan(&h.Institution, &h.Kind, &until, &h.SinceMicro, &h.Waiting)
		h.Everything = until == everything
		return h, err
	}, `
		select h.institution_id, h.kind, h.until_micros, h.since_micros,
		       (select count(*) from outbox o where o.institution_id = h.institution_id and o.kind = h.kind and o.state in ('ready', 'busy')
		           and o.created_micros <= h.until_micros)
		  from outbox_hold h order by h.institution_id, h.kind`)
	if err != nil {
		return nil, fmt.Errorf("list what is held: %w", err)
	}
	return holds, nil
}

// Release lets go what is held of a kind and says how much that is.
func Release(tx *db.Tx, institution bank.InstitutionID, kind Kind) (messages int64, found bool, err error) {
	if messages, err = held(tx, institution, kind); err != nil {
		return 0, false, err
	}
	n, err := tx.Exec(`delete from outbox_hold where institution_id = $1 and kind = $2`, institution, kind)
	if err != nil {
		return 0, false, fmt.Errorf("release %s: %w", kind, err)
	}
	return messages, n > 0, nil
}

// Drop gives up what is held of a kind, or one message of it where an id is
// given; the hold on others stays then.
func Drop(tx *db.Tx, institution bank.InstitutionID, kind Kind, id string) (messages int64, found bool, err error) {
	messages, err = tx.Exec(`
		update outbox set state = 'cancelled', payload = $1, settled_micros = $2
		 where institution_id = $3 and kind = $4 and state in ('ready', 'busy') and (cast($5 as text) = '' or id = $5)
		   and created_micros <= (select until_micros from outbox_hold where institution_id = $3 and kind = $4)`,
		[]byte{}, tx.Now.UnixMicro(), institution, kind, id)
	if err != nil {
		return 0, false, fmt.Errorf("drop %s: %w", kind, err)
	}
	if id != "" {
		return messages, messages > 0, nil
	}
	n, err := tx.Exec(`delete from outbox_hold where institution_id = $1 and kind = $2`, institution, kind)
	if err != nil {
		return 0, false, fmt.Errorf("drop %s: %w", kind, err)
	}
	return messages, n > 0, nil
}

func held(tx *db.Tx, institution bank.InstitutionID, kind Kind) (messages int64, err error) {
	messages, err = db.One(tx, db.Value[int64], `
		select count(*) from outbox o join outbox_hold h on h.institution_id = o.institution_id and h.kind = o.kind
		 where o.institution_id = $1 and o.kind = $2 and o.state in ('ready', 'busy') and o.created_micros <= h.until_micros`, institution, kind)
	if err != nil {
		return 0, fmt.Errorf("count what is held: %w", err)
	}
	return messages, nil
}
