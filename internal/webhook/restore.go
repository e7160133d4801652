package webhook

import (
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/seal"
)

// PauseRestored pauses an institution's endpoints in a database that was
// restored: what they were told since the backup is not known here. Staff let
// them go on; every message keeps its id, by which receivers know it again.
func PauseRestored(tx *db.Tx, institution bank.InstitutionID) error {
	_, err := tx.Exec(`
		update webhook_endpoint set state = 'paused', revision = revision + 1, lease_micros = 0
		 where institution_id = $1 and state in ('active', 'failing')`, institution)
	if err != nil {
		return fmt.Errorf("pause the webhooks: %w", err)
	}
	return nil
}

// SealedWith counts the sealed secrets of endpoints: all of them, and those
// sealed with the key of an id.
func SealedWith(tx *db.Tx, id string) (all, with int64, err error) {
	begins := seal.Beginning(id)
	err = tx.QueryRow(`
		select count(*), coalesce(sum(case when substr(sealed, 1, cast($1 as integer)) = $2 then 1 else 0 end), 0) from (
			select secret as sealed from webhook_endpoint union all select old_secret from webhook_endpoint) as every_secret
		 where length(sealed) > 0`, len(begins), begins).Scan(&all, &with)
	if err != nil {
		return 0, 0, fmt.Errorf("count sealed webhook secrets: %w", err)
	}
	return all, with, nil
}

// Reseal seals anew some of the secrets that are not sealed with the key in use,
// and says of how many endpoints. Doing it beside others is harmless.
func Reseal(tx *db.Tx, keys *seal.Keyring, most int) (int, error) {
	begins := seal.Beginning(keys.Active())
	old, err := db.All(tx, func(row db.Scanner) (e Endpoint, err error) {
		err = row.Scan(&e.Institution, &e.ID, &e.secret, &e.oldSecret)
		return e, err
	}, `
		select institution_id, id, secret, old_secret from webhook_endpoint
		 where length(secret) > 0 and substr(secret, 1, cast($1 as integer)) <> $2
		    or length(old_secret) > 0 and substr(old_secret, 1, cast($1 as integer)) <> $2
		 order by institution_id, id limit $3`, len(begins), begins, most)
	if err != nil {
		return 0, fmt.Errorf("find webhook secrets to seal anew: %w", err)
	}
	for _, e := range old {
		secret, err := keys.Reseal(e.secret, place(e)...)
		before := e.oldSecret
		if err == nil && len(before) > 0 {
			before, err = keys.Reseal(before, place(e)...)
		}
		if err != nil {
			return 0, fmt.Errorf("seal the secret of webhook %s anew: %w", e.ID, err)
		}
		if _, err := tx.Exec(`
			update webhook_endpoint set secret = $1, old_secret = $2 where institution_id = $3 and id = $4 and secret = $5 and old_secret = $6`,
			secret, append([]byte{}, before...), e.Institution, e.ID, e.secret, append([]byte{}, e.oldSecret...)); err != nil {
			return 0, fmt.Errorf("seal the secret of webhook %s anew: %w", e.ID, err)
		}
	}
	return len(old), nil
}
