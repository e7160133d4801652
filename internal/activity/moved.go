package activity

import (
	"bytes"
	"errors"
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// A Head is where a chain stands: its revision, the number of its last event,
// and that event's hash, which stands for everything before it. Every transaction
// that starts a chain or adds to it announces the head (db.Tx.Announce).
type Head struct {
	Institution  bank.InstitutionID
	Organization bank.OrganizationID // empty: the institution's own chain
	Revision     int64
	Sequence     int64
	Hash         []byte
}

func scanHead(row db.Scanner) (h Head, err error) {
	err = row.Scan(&h.Institution, &h.Organization, &h.Revision, &h.Sequence, &h.Hash)
	return h, err
}

// HeadOf is where one chain stands, or ErrNoStream.
func HeadOf(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID) (Head, error) {
	head, err := scanHead(tx.QueryRow(`
		select institution_id, organization_id, revision, sequence, head from stream where institution_id = $1 and organization_id = $2`,
		institution, organization))
	if errors.Is(err, db.ErrNoRows) {
		return Head{}, ErrNoStream
	}
	if err != nil {
		return Head{}, fmt.Errorf("read the head of %s/%s: %w", institution, organization, err)
	}
	return head, nil
}

// Heads are all chains as they stand.
func Heads(tx *db.Tx) ([]Head, error) {
	heads, err := db.All(tx, scanHead, `select institution_id, organization_id, revision, sequence, head from stream`)
	if err != nil {
		return nil, fmt.Errorf("read where all chains stand: %w", err)
	}
	return heads, nil
}

// ErrGap says that a chain does not go on from where somebody knew it: events
// are missing, or others stand in their place.
var ErrGap = errors.New("the history does not go on from where it was known")

// Continue reads the events that lead from one head of a chain to a later one,
// and proves that they do. Where they do not, it is ErrGap.
func Continue(tx *db.Tx, from, to Head) ([]Event, error) {
	stored, err := db.All(tx, scanEvent, `
		select institution_id, organization_id, sequence, id, time_micros, name, save_id,
		       revision, refused, code, actor_kind, actor_id, actor_name, channel, ip, device,
		       target_kind, target_id, target_name, note, changes, hash
		  from history_event
		 where institution_id = $1 and organization_id = $2 and sequence > $3 and sequence <= $4
		 order by sequence`, to.Institution, to.Organization, from.Sequence, to.Sequence)
	if err != nil {
		return nil, fmt.Errorf("read what happened in %s/%s: %w", to.Institution, to.Organization, err)
	}
	events := make([]Event, len(stored))
	previous, sequence := from.Hash, from.Sequence
	for i, e := range stored {
		if e.Sequence != sequence+1 || !bytes.Equal(link(previous, &e.Event, e.changes), e.Hash) {
			return nil, ErrGap
		}
		previous, sequence = e.Hash, e.Sequence
		if events[i], err = e.decode(); err != nil {
			return nil, err
		}
	}
	if sequence != to.Sequence || !bytes.Equal(previous, to.Hash) {
		return nil, ErrGap
	}
	return events, nil
}
