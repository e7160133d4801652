package activity

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// An Anchor is how far a chain has come: whoever keeps it outside can prove later
// that the history up to it is still the same.
type Anchor struct {
	Institution  bank.InstitutionID  `json:"institution"`
	Organization bank.OrganizationID `json:"organization,omitempty"` // empty: the institution's own chain
	Sequence     int64               `json:"sequence"`
	Revision     int64               `json:"revision"`
	Hash         string              `json:"hash"`
}

// Anchors are those of all chains, in order.
func Anchors(tx *db.Tx) ([]Anchor, error) {
	heads, err := db.All(tx, func(row db.Scanner) (h Anchor, err error) {
		var hash []byte
		err = row.Scan(&h.Institution, &h.Organization, &h.Sequence, &h.Revision, &hash)
		h.Hash = hex.EncodeToString(hash)
		return h, err
	}, `select institution_id, organization_id, sequence, revision, head from stream order by institution_id, organization_id`)
	if err != nil {
		return nil, fmt.Errorf("read the heads: %w", err)
	}
	return heads, nil
}

// A Standing says how a history stands to a head that was kept outside.
type Standing uint8

const (
	Differs Standing = iota // the event there is another one, or it is gone
	Shorter                 // the history ends before it
	Reached                 // it is there as it was
)

// Stand looks for the place of a head in the history. Where the history is
// shorter, it says how far it goes.
func Stand(tx *db.Tx, kept Anchor) (Standing, int64, error) {
	var sequence int64
	err := tx.QueryRow(`select sequence from stream where institution_id = $1 and organization_id = $2`, kept.Institution, kept.Organization).Scan(&sequence)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return Differs, 0, fmt.Errorf("find the chain: %w", err)
	}
	if sequence < kept.Sequence {
		return Shorter, sequence, nil
	}
	want, err := hex.DecodeString(kept.Hash)
	if err != nil || kept.Sequence == 0 {
		return Reached, sequence, err // a chain that has begun and holds nothing proves nothing
	}
	var hash []byte
	err = tx.QueryRow(`select hash from history_event where institution_id = $1 and organization_id = $2 and sequence = $3`,
		kept.Institution, kept.Organization, kept.Sequence).Scan(&hash)
	if errors.Is(err, db.ErrNoRows) || err == nil && !bytes.Equal(hash, want) {
		return Differs, sequence, nil
	}
	if err != nil {
		return Differs, 0, fmt.Errorf("read the event at the head: %w", err)
	}
	return Reached, sequence, nil
}
