package activity

import (
	"errors"
	"fmt"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// A Saved is told to those who take part in a transaction (db.DB.Attend) once its
// events stand in the chain. Everything that the save changed is stored by then.
type Saved struct {
	Institution  bank.InstitutionID
	Organization bank.OrganizationID // empty: the institution's own chain
	Sequence     int64               // of the last event
	Events       []Event             // none where the chain only begins
}

// A Point is a place in a chain: everything up to an event, and nothing after it.
type Point struct {
	Sequence int64     // 0: before anything was recorded
	Time     time.Time // of that event
}

// ErrNoPoint says that a chain never had a revision.
var ErrNoPoint = errors.New("the history has no such revision")

// PointAt is where a chain stood at a time: at the last event that is not later.
// Times in a chain never go back, so there is one such place.
func PointAt(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, at time.Time) (Point, error) {
	head, err := HeadOf(tx, institution, organization)
	if err != nil {
		return Point{}, err
	}
	return search(tx, head, func(p probe) bool { return p.micros <= at.UnixMicro() })
}

// PointOf is where a chain stood when one of its revisions was made: at the last
// event of that save. Revision 0 is before anything was changed.
func PointOf(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, revision int64) (Point, error) {
	head, err := HeadOf(tx, institution, organization)
	switch {
	case err != nil:
		return Point{}, err
	case revision < 0 || revision > head.Revision:
		return Point{}, ErrNoPoint
	case revision == 0:
		return Point{}, nil
	}
	before, err := search(tx, head, func(p probe) bool { return p.revision < revision })
	if err != nil {
		return Point{}, err
	}
	save, err := db.One(tx, db.Value[string], `
		select save_id from history_event where institution_id = $1 and organization_id = $2 and sequence = $3`,
		institution, organization, before.Sequence+1)
	if err != nil {
		return Point{}, fmt.Errorf("find the save of revision %d: %w", revision, err)
	}
	next, err := db.One(tx, db.Value[int64], `
		select coalesce(min(sequence), 0) from (
			select sequence from history_event
			 where institution_id = $1 and organization_id = $2 and sequence > $3 and save_id <> $4
			 order by sequence limit 1) as other`, institution, organization, before.Sequence, save)
	if err != nil {
		return Point{}, fmt.Errorf("find the end of revision %d: %w", revision, err)
	}
	if next == 0 {
		next = head.Sequence + 1
	}
	last, err := probeAt(tx, head, next-1)
	return Point{next - 1, time.UnixMicro(last.micros).UTC()}, err
}

// probe is what is looked at of one event.
type probe struct{ micros, revision int64 }

func probeAt(tx *db.Tx, h Head, sequence int64) (p probe, err error) {
	err = tx.QueryRow(`select time_micros, revision from history_event where institution_id = $1 and organization_id = $2 and sequence = $3`,
		h.Institution, h.Organization, sequence).Scan(&p.micros, &p.revision)
	if err != nil {
		return probe{}, fmt.Errorf("look at event %d of %s/%s: %w", sequence, h.Institution, h.Organization, err)
	}
	return p, nil
}

// search finds the last event that is within; what is not is followed by nothing
// that is.
func search(tx *db.Tx, h Head, within func(probe) bool) (Point, error) {
	last, from, to := probe{}, int64(0), h.Sequence // from is within, and nothing after to is
	for from < to {
		middle := from + (to-from+1)/2
		if from == 0 && to == h.Sequence {
			middle = to // mostly it is about what is now
		}
		p, err := probeAt(tx, h, middle)
		if err != nil {
			return Point{}, err
		}
		if within(p) {
			from, last = middle, p
		} else {
			to = middle - 1
		}
	}
	if from == 0 {
		return Point{}, nil
	}
	return Point{from, time.UnixMicro(last.micros).UTC()}, nil
}

// Next is the number that the next event of a chain will have. With the chain
// locked it is this transaction's.
func Next(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID) (int64, error) {
	next, err := db.One(tx, db.Value[int64], `
		select coalesce(max(sequence), 0) + 1 from stream where institution_id = $1 and organization_id = $2`, institution, organization)
	if err != nil {
		return 0, fmt.Errorf("find the next event of %s/%s: %w", institution, organization, err)
	}
	return next, nil
}

// RevisionAt is the revision that a chain had at a point.
func RevisionAt(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, at Point) (int64, error) {
	if at.Sequence == 0 {
		return 0, nil
	}
	p, err := probeAt(tx, Head{Institution: institution, Organization: organization}, at.Sequence)
	return p.revision, err
}
