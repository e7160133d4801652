package activity

import (
	"bytes"
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// verifyPage is how many events are read at a time.
const verifyPage = 5000

// A Broken names the first link of a chain that does not hold.
type Broken struct {
	Institution  bank.InstitutionID
	Organization bank.OrganizationID
	Sequence     int64
	Event        string // the id of the event there; empty where it is missing
	Why          string
}

// A Verified says what Verify proved.
type Verified struct {
	Chains int
	Events int64
	Broken []Broken // at most one a chain: what comes after a broken link proves nothing
}

// Verify walks every chain of the database, or of one institution where one is
// named, and proves that nothing was changed, removed, inserted or reordered.
// progress is called with the number of events so far; it may be nil.
func Verify(tx *db.Tx, institution bank.InstitutionID, progress func(int64)) (Verified, error) {
	heads, err := db.All(tx, scanHead, `
		select institution_id, organization_id, revision, sequence, head from stream
		 where institution_id = $1 or $1 = '' order by institution_id, organization_id`, institution)
	if err != nil {
		return Verified{}, fmt.Errorf("read the heads: %w", err)
	}
	var result Verified
	for _, head := range heads {
		broken, err := verifyChain(tx, head, func() {
			result.Events++
			if progress != nil && result.Events%verifyPage == 0 {
				progress(result.Events)
			}
		})
		if err != nil {
			return Verified{}, err
		}
		result.Chains++
		if broken != nil {
			result.Broken = append(result.Broken, *broken)
		}
	}
	orphans, err := orphanChains(tx, institution)
	result.Broken = append(result.Broken, orphans...)
	return result, err
}

func verifyChain(tx *db.Tx, h Head, count func()) (*Broken, error) {
	broken := func(sequence int64, event, why string) *Broken {
		return &Broken{h.Institution, h.Organization, sequence, event, why}
	}
	previous, sequence := []byte{}, int64(0)
	for {
		events, err := db.All(tx, scanEvent, `
			select institution_id, organization_id, sequence, id, time_micros, name, save_id,
			       revision, refused, code, actor_kind, actor_id, actor_name, channel, ip, device,
			       target_kind, target_id, target_name, note, changes, hash
			  from history_event
			 where institution_id = $1 and organization_id = $2 and sequence > $3
			 order by sequence limit $4`, h.Institution, h.Organization, sequence, verifyPage)
		if err != nil {
			return nil, fmt.Errorf("read the history of %s/%s: %w", h.Institution, h.Organization, err)
		}
		for _, e := range events {
			if e.Sequence != sequence+1 {
				return broken(sequence+1, "", "the event is missing"), nil
			}
			if !bytes.Equal(link(previous, &e.Event, e.changes), e.Hash) {
				return broken(e.Sequence, e.ID, "the event is not what was recorded, or the one before it was changed"), nil
			}
			previous, sequence = e.Hash, e.Sequence
			count()
		}
		if len(events) < verifyPage {
			break
		}
	}
	switch {
	case sequence < h.Sequence:
		return broken(sequence+1, "", "the newest events are missing"), nil
	case sequence > h.Sequence || !bytes.Equal(previous, h.Hash):
		return broken(sequence, "", "the head of the chain does not match its last event"), nil
	}
	return nil, nil
}

// orphanChains finds events whose chain has no head at all.
func orphanChains(tx *db.Tx, institution bank.InstitutionID) ([]Broken, error) {
	return db.All(tx, func(row db.Scanner) (Broken, error) {
		b := Broken{Sequence: 1, Why: "events stand in a chain that does not exist"}
		err := row.Scan(&b.Institution, &b.Organization)
		return b, err
	}, `
		select distinct e.institution_id, e.organization_id from history_event e
		 where (e.institution_id = $1 or $1 = '') and not exists (
			select 1 from stream s where s.institution_id = e.institution_id and s.organization_id = e.organization_id)`,
		institution)
}
