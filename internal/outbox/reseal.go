package outbox

import (
	"fmt"

	"mandate/internal/db"
	"mandate/internal/seal"
)

// SealedWith counts the mail that has not arrived: all of it, and what is sealed
// with the key of an id.
func SealedWith(tx *db.Tx, id string) (all, with int64, err error) {
	begins := seal.Beginning(id)
	err = tx.QueryRow(`
		select count(*), coalesce(sum(case when substr(payload, 1, cast($1 as integer)) = $2 then 1 else 0 end), 0)
		  from outbox where kind = $3 and state in ('ready', 'busy', 'dead') and length(payload) > 0`, len(begins), begins, Mail).Scan(&all, &with)
	if err != nil {
		return 0, 0, fmt.Errorf("count sealed mail: %w", err)
	}
	return all, with, nil
}

// Place is where a message's content is sealed for.
func Place(key string) []string { return []string{"outbox", key} }

// Reseal seals anew some of the waiting mail that is not sealed with the key in
// use, and says how much. Doing it beside others is harmless.
func Reseal(tx *db.Tx, keys *seal.Keyring, most int) (int, error) {
	type row struct {
		id, key string
		payload []byte
	}
	begins := seal.Beginning(keys.Active())
	old, err := db.All(tx, func(s db.Scanner) (r row, err error) {
		err = s.Scan(&r.id, &r.key, &r.payload)
		return r, err
	}, `
		select id, dedup_key, payload from outbox
		 where kind = $1 and state in ('ready', 'busy', 'dead') and length(payload) > 0 and substr(payload, 1, cast($2 as integer)) <> $3
		 order by id limit $4`, Mail, len(begins), begins, most)
	if err != nil {
		return 0, fmt.Errorf("find mail to seal anew: %w", err)
	}
	for _, r := range old {
		sealed, err := keys.Reseal(r.payload, Place(r.key)...)
		if err != nil {
			return 0, fmt.Errorf("seal mail %s anew: %w", r.id, err)
		}
		if _, err := tx.Exec(`update outbox set payload = $1 where id = $2 and payload = $3`, sealed, r.id, r.payload); err != nil {
			return 0, fmt.Errorf("seal mail %s anew: %w", r.id, err)
		}
	}
	return len(old), nil
}
