package activity

import (
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// A Head says how far a chain has come. It is announced (db.Tx.Announce) by
// every transaction that adds to the chain, or starts it, once it is committed.
type Head struct {
	Institution  bank.InstitutionID
	Organization bank.OrganizationID // empty: the institution's own chain
	Revision     int64
	Sequence     int64
}

func scanChainHead(row db.Scanner) (h Head, err error) {
	err = row.Scan(&h.Institution, &h.Organization, &h.Revision, &h.Sequence)
	return h, err
}

// Heads are the heads of all chains of an institution.
func Heads(tx *db.Tx, institution bank.InstitutionID) ([]Head, error) {
	heads, err := db.All(tx, scanChainHead, `
		select institution_id, organization_id, revision, sequence from stream where institution_id = $1`, institution)
	if err != nil {
		return nil, fmt.Errorf("read the heads of %s: %w", institution, err)
	}
	return heads, nil
}

// HeadOf is the head of one chain, or ErrNoStream.
func HeadOf(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID) (Head, error) {
	heads, err := db.All(tx, scanChainHead, `
		select institution_id, organization_id, revision, sequence from stream where institution_id = $1 and organization_id = $2`,
		institution, organization)
	if err != nil {
		return Head{}, fmt.Errorf("read the head of %s/%s: %w", institution, organization, err)
	}
	if len(heads) == 0 {
		return Head{}, ErrNoStream
	}
	return heads[0], nil
}

// Between are the events of a chain after one sequence number up to another, in
// order, with as much of each as Touched looks at. A number that is missing among
// them is a gap in what the reader sees, and nothing may be concluded from them.
func Between(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, after, upTo int64) ([]Event, error) {
	events, err := db.All(tx, func(row db.Scanner) (e Event, err error) {
		err = row.Scan(&e.Sequence, &e.Name, &e.Refused, &e.Target.Kind, &e.Target.ID)
		return e, err
	}, `
		select sequence, name, refused, target_kind, target_id from history_event
		 where institution_id = $1 and organization_id = $2 and sequence > $3 and sequence <= $4
		 order by sequence`, institution, organization, after, upTo)
	if err != nil {
		return nil, fmt.Errorf("read what happened in %s/%s: %w", institution, organization, err)
	}
	return events, nil
}

// Epoch numbers the life of the database: restoring a backup begins another one,
// with a greater number that no other life has. Revisions of different epochs
// cannot be compared.
func Epoch(tx *db.Tx) (int64, error) {
	epoch, err := db.One(tx, db.Value[int64], `select number from epoch`)
	if err != nil {
		return 0, fmt.Errorf("read the epoch: %w", err)
	}
	return epoch, nil
}
