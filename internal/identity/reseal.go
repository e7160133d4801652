package identity

import (
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/seal"
)

// SealedWith counts what is sealed in this room: all of it, and what is sealed
// with the key of an id.
func SealedWith(tx *db.Tx, id string) (all, with int64, err error) {
	begins := seal.Beginning(id)
	err = tx.QueryRow(`
		select count(*), coalesce(sum(case when substr(secret, 1, cast($1 as integer)) = $2 then 1 else 0 end), 0) from (
			select secret from second_factor union all select secret from outside_provider) as sealed where length(secret) > 0`,
		len(begins), begins).Scan(&all, &with)
	if err != nil {
		return 0, 0, fmt.Errorf("count sealed factors: %w", err)
	}
	return all, with, nil
}

// Reseal seals anew some of what is not sealed with the key in use, and says how
// many. Doing it beside others is harmless: what has changed since is left alone.
func Reseal(tx *db.Tx, keys *seal.Keyring, most int) (int, error) {
	n, err := resealFactors(tx, keys, most)
	if err != nil || n == most {
		return n, err
	}
	more, err := resealProviders(tx, keys, most-n)
	return n + more, err
}

func resealFactors(tx *db.Tx, keys *seal.Keyring, most int) (int, error) {
	begins := seal.Beginning(keys.Active())
	old, err := db.All(tx, func(row db.Scanner) (f factorRow, err error) {
		err = row.Scan(&f.who.Institution, &f.who.Kind, &f.who.ID, &f.ID, &f.secret)
		return f, err
	}, `
		select institution_id, subject_kind, subject_id, id, secret from second_factor
		 where length(secret) > 0 and substr(secret, 1, cast($1 as integer)) <> $2
		 order by institution_id, subject_kind, subject_id, id limit $3`, len(begins), begins, most)
	if err != nil {
		return 0, fmt.Errorf("find factors to seal anew: %w", err)
	}
	for _, f := range old {
		sealed, err := keys.Reseal(f.secret, f.place()...)
		if err != nil {
			return 0, fmt.Errorf("seal factor %s anew: %w", f.ID, err)
		}
		if _, err := tx.Exec(`
			update second_factor set secret = $1
			 where institution_id = $2 and subject_kind = $3 and subject_id = $4 and id = $5 and secret = $6`,
			sealed, f.who.Institution, f.who.Kind, f.who.ID, f.ID, f.secret); err != nil {
			return 0, fmt.Errorf("seal factor %s anew: %w", f.ID, err)
		}
	}
	return len(old), nil
}

func resealProviders(tx *db.Tx, keys *seal.Keyring, most int) (int, error) {
	type provider struct {
		institution bank.InstitutionID
		secret      []byte
	}
	begins := seal.Beginning(keys.Active())
	old, err := db.All(tx, func(row db.Scanner) (p provider, err error) {
		err = row.Scan(&p.institution, &p.secret)
		return p, err
	}, `
		select institution_id, secret from outside_provider
		 where length(secret) > 0 and substr(secret, 1, cast($1 as integer)) <> $2 order by institution_id limit $3`, len(begins), begins, most)
	if err != nil {
		return 0, fmt.Errorf("find providers to seal anew: %w", err)
	}
	for _, p := range old {
		sealed, err := keys.Reseal(p.secret, secretPlace(p.institution)...)
		if err != nil {
			return 0, fmt.Errorf("seal the provider's secret of %s anew: %w", p.institution, err)
		}
		if _, err := tx.Exec(`update outside_provider set secret = $1 where institution_id = $2 and secret = $3`, sealed, p.institution, p.secret); err != nil {
			return 0, fmt.Errorf("seal the provider's secret of %s anew: %w", p.institution, err)
		}
	}
	return len(old), nil
}
