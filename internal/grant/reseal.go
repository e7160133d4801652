package grant

import (
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/seal"
)

// keyPlace is where a signing key is sealed for.
func keyPlace(issuer bank.InstitutionID, id string) []string {
	return []string{"signing key", string(issuer), id}
}

// SealedWith counts what is sealed in this room: all of it, and what is sealed
// with the key of an id.
func SealedWith(tx *db.Tx, id string) (all, with int64, err error) {
	begins := seal.Beginning(id)
	err = tx.QueryRow(`
		select count(*), coalesce(sum(case when substr(sealed, 1, cast($1 as integer)) = $2 then 1 else 0 end), 0)
		  from signing_key where length(sealed) > 0`, len(begins), begins).Scan(&all, &with)
	return all, with, wrap("count sealed signing keys", err)
}

// Reseal seals anew some of the signing keys that are not sealed with the key in
// use, and says how many. Doing it beside others is harmless.
func Reseal(tx *db.Tx, keys *seal.Keyring, most int) (int, error) {
	type row struct {
		issuer bank.InstitutionID
		id     string
		sealed []byte
	}
	begins := seal.Beginning(keys.Active())
	old, err := db.All(tx, func(s db.Scanner) (r row, err error) {
		err = s.Scan(&r.issuer, &r.id, &r.sealed)
		return r, err
	}, `
		select issuer, id, sealed from signing_key
		 where length(sealed) > 0 and substr(sealed, 1, cast($1 as integer)) <> $2 order by issuer, id limit $3`, len(begins), begins, most)
	if err != nil {
		return 0, wrap("find signing keys to seal anew", err)
	}
	for _, r := range old {
		sealed, err := keys.Reseal(r.sealed, keyPlace(r.issuer, r.id)...)
		if err != nil {
			return 0, fmt.Errorf("seal signing key %s anew: %w", r.id, err)
		}
		if _, err := tx.Exec(`update signing_key set sealed = $1 where issuer = $2 and id = $3 and sealed = $4`, sealed, r.issuer, r.id, r.sealed); err != nil {
			return 0, wrap("seal a signing key anew", err)
		}
	}
	return len(old), nil
}
