package activity

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// A Stream is one chain, locked by the transaction that holds it: nobody else
// changes the organization, or the institution, until that transaction ends.
// That makes the order of commits the order of revisions.
type Stream struct {
	Institution  bank.InstitutionID
	Organization bank.OrganizationID
	Revision     int64 // of what is stored now

	tx       *db.Tx
	sequence int64
	head     []byte
	last     int64 // microseconds: the time of the last event
}

// Start makes the chain of a new organization, or of a new institution where
// organization is empty.
func Start(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID) error {
	start := startSQLite
	if tx.Dialect() == db.PostgreSQL {
		start = startPostgres
	}
	if err := start(tx, institution, organization); err != nil {
		return fmt.Errorf("start the history of %s/%s: %w", institution, organization, err)
	}
	tx.Announce(Head{Institution: institution, Organization: organization, Hash: []byte{}})
	return tx.Tell(Saved{Institution: institution, Organization: organization})
}

// ErrNoStream says that there is no such organization or institution.
var ErrNoStream = errors.New("no history of that name")

// Lock takes the chain's lock and holds it until the transaction ends.
func Lock(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID) (*Stream, error) {
	s := &Stream{Institution: institution, Organization: organization, tx: tx}
	err := tx.QueryRow(`
		update stream set revision = revision
		 where institution_id = $1 and organization_id = $2
		returning revision, sequence, head, last_micros`, institution, organization).Scan(&s.Revision, &s.sequence, &s.head, &s.last)
	if errors.Is(err, db.ErrNoRows) {
		return nil, ErrNoStream
	}
	if err != nil {
		return nil, fmt.Errorf("lock the history of %s/%s: %w", institution, organization, err)
	}
	return s, nil
}

// Revision is the chain's revision as a reader sees it.
func Revision(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID) (int64, error) {
	var revision int64
	err := tx.QueryRow(`select revision from stream where institution_id = $1 and organization_id = $2`,
		institution, organization).Scan(&revision)
	if errors.Is(err, db.ErrNoRows) {
		return 0, ErrNoStream
	}
	return revision, err
}

// knownAtOnce is how many organizations Known looks up with one statement.
const knownAtOnce = 20

// Known are those of some organizations that the institution has.
func Known(tx *db.Tx, institution bank.InstitutionID, of []bank.OrganizationID) (known []bank.OrganizationID, err error) {
	for some := range slices.Chunk(of, knownAtOnce) {
		args := []any{institution}
		for i := range knownAtOnce {
			id := some[min(i, len(some)-1)]
			if id == "" || !utf8.ValidString(string(id)) || strings.ContainsRune(string(id), 0) {
				id = notAnID // no database could keep it
			}
			args = append(args, id)
		}
		here, err := db.All(tx, db.Value[bank.OrganizationID], `
			select organization_id from stream
			 where institution_id = $1 and organization_id in ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)`, args...)
		if err != nil {
			return nil, fmt.Errorf("look organizations up: %w", err)
		}
		known = append(known, here...)
	}
	return known, nil
}

// notAnID is what no organization is called.
const notAnID bank.OrganizationID = " "

// Append adds the events of one save to the chain, inside the transaction that
// makes them true, and raises the revision by one. Refusals and quiet events
// are recorded and leave the revision as it is: they changed nothing. The
// caller fills name, actor, channel, target and changes; place in the chain,
// time and hash are given here. Times in a chain never go back: an event is not
// earlier than the one before it, also where a clock was put back.
func (s *Stream) Append(save string, events ...Event) error {
	revision := s.Revision
	for _, e := range events {
		if !e.Refused && !e.Quiet {
			revision = s.Revision + 1
		}
	}
	s.last = max(s.last, s.tx.Now.UnixMicro())
	for i := range events {
		e := &events[i]
		e.Institution, e.Organization = s.Institution, s.Organization
		e.ID = bank.NewID(bank.PrefixEvent, s.tx.Now)
		e.Sequence, e.Time, e.Save, e.Revision = s.sequence+1, time.UnixMicro(s.last).UTC(), save, revision
		changes, err := encodeChanges(e.Changes)
		if err != nil {
			return err
		}
		e.Hash = link(s.head, e, changes)
		if err := insertEvent(s.tx, e, changes); err != nil {
			return err
		}
		s.sequence, s.head = e.Sequence, e.Hash
	}
	s.Revision = revision
	advance := s.advanceSQLite
	if s.tx.Dialect() == db.PostgreSQL {
		advance = s.advancePostgres
	}
	if err := advance(); err != nil {
		return fmt.Errorf("advance the history: %w", err)
	}
	s.tx.Announce(Head{s.Institution, s.Organization, s.Revision, s.sequence, s.head})
	return s.tx.Tell(Saved{s.Institution, s.Organization, s.sequence, events})
}

func encodeChanges(changes []Change) (string, error) {
	if len(changes) == 0 {
		return "[]", nil
	}
	b, err := json.Marshal(changes)
	return string(b), err
}

func insertEvent(tx *db.Tx, e *Event, changes string) error {
	_, err := tx.Exec(`
		insert into history_event (institution_id, organization_id, sequence, id, time_micros, name, save_id,
			revision, refused, code, actor_kind, actor_id, actor_name, channel, ip, device,
			target_kind, target_id, target_name, note, changes, hash)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)`,
		e.Institution, e.Organization, e.Sequence, e.ID, e.Time.UnixMicro(), e.Name, e.Save,
		e.Revision, e.Refused, e.Code, e.Actor.Kind, e.Actor.ID, e.Actor.Name, e.Channel, e.IP, e.Device,
		e.Target.Kind, e.Target.ID, e.Target.Name, e.Note, changes, e.Hash)
	if err != nil {
		return fmt.Errorf("record %s: %w", e.Name, err)
	}
	return nil
}

// link is the hash of an event: over the link before it and every stored
// column, each with its length, so that no two events have the same bytes.
func link(previous []byte, e *Event, changes string) []byte {
	h := sha256.New()
	for _, part := range []string{
		string(previous), string(e.Institution), string(e.Organization), strconv.FormatInt(e.Sequence, 10), e.ID,
		strconv.FormatInt(e.Time.UnixMicro(), 10), e.Name, e.Save, strconv.FormatInt(e.Revision, 10),
		strconv.FormatBool(e.Refused), e.Code, string(e.Actor.Kind), e.Actor.ID, e.Actor.Name, string(e.Channel),
		e.IP, e.Device, string(e.Target.Kind), e.Target.ID, e.Target.Name, e.Note, changes,
	} {
		writePart(h, part)
	}
	return h.Sum(nil)
}

func writePart(h hash.Hash, part string) {
	var length [8]byte
	binary.BigEndian.PutUint64(length[:], uint64(len(part)))
	h.Write(length[:])
	h.Write([]byte(part))
}

func scanEvent(row db.Scanner) (stored, error) {
	var s stored
	var micros int64
	err := row.Scan(&s.Institution, &s.Organization, &s.Sequence, &s.ID, &micros, &s.Name, &s.Save,
		&s.Revision, &s.Refused, &s.Code, &s.Actor.Kind, &s.Actor.ID, &s.Actor.Name, &s.Channel, &s.IP, &s.Device,
		&s.Target.Kind, &s.Target.ID, &s.Target.Name, &s.Note, &s.changes, &s.Hash)
	s.Time = time.UnixMicro(micros).UTC()
	return s, err
}

// stored is an event with its changes as they stand in the database.
type stored struct {
	Event
	changes string
}

func (s stored) decode() (Event, error) {
	if err := json.Unmarshal([]byte(s.changes), &s.Changes); err != nil {
		return Event{}, fmt.Errorf("event %s: %w", s.ID, err)
	}
	return s.Event, nil
}
