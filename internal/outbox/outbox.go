// Package outbox keeps what must go out after a commit: mail, orders to the
// host, webhooks. A message is queued in the transaction that makes it true and
// delivered afterwards, at least once, under a key that makes a second delivery
// harmless. It knows neither what a message says nor how it travels.
package outbox

import (
	"errors"
	"fmt"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// A Kind says which courier delivers a message.
type Kind string

const (
	Mail    Kind = "mail"
	Host    Kind = "host"
	Webhook Kind = "webhook"
)

// A State is how far a message has come.
type State string

const (
	Ready     State = "ready"     // waits for its time
	Busy      State = "busy"      // a courier has it, until its lease ends
	Done      State = "done"      // accepted at the other end
	Dead      State = "dead"      // given up; an operator can try again
	Cancelled State = "cancelled" // no longer wanted, before it went out
)

// A Message is something to deliver.
type Message struct {
	Institution bank.InstitutionID
	Kind        Kind
	Key         string // the same key is queued once, ever; it travels with the message
	Lane        string // messages of one lane go out in the order they were queued, which one lock must guard, and none passes one that is dead; empty: no order
	Payload     []byte // for the courier; erased once the message is settled
}

// Queue adds a message to the transaction. A message whose key is known is left
// alone: asking twice sends once.
func Queue(tx *db.Tx, m Message) (id string, err error) {
	id = bank.NewID("out", tx.Now)
	err = tx.QueryRow(`
		insert into outbox (id, institution_id, kind, dedup_key, lane, place, payload, state, attempts, due_micros, created_micros, settled_micros, failure)
		values ($1, $2, $3, $4, $5, (select coalesce(max(place), 0) + 1 from outbox where lane = $5 and $5 <> ''), $6, 'ready', 0, $7, $7, 0, '')
		on conflict (institution_id, kind, dedup_key) do update set dedup_key = excluded.dedup_key
		returning id`,
		id, m.Institution, m.Kind, m.Key, m.Lane, append([]byte{}, m.Payload...), tx.Now.UnixMicro()).Scan(&id)
	if err != nil {
		return "", fmt.Errorf("queue %s: %w", m.Kind, err)
	}
	return id, nil
}

// Cancel takes back what has not gone out yet. What a courier already has may
// still arrive; the courier asks again before it sends.
func Cancel(tx *db.Tx, institution bank.InstitutionID, kind Kind, key string) error {
	_, err := tx.Exec(`
		update outbox set state = 'cancelled', payload = $1, settled_micros = $2
		 where institution_id = $3 and kind = $4 and dedup_key = $5 and state in ('ready', 'dead')`,
		[]byte{}, tx.Now.UnixMicro(), institution, kind, key)
	if err != nil {
		return fmt.Errorf("cancel %s: %w", kind, err)
	}
	return nil
}

// Fate is how far a message has come; empty where there is none of that key.
func Fate(tx *db.Tx, institution bank.InstitutionID, kind Kind, key string) (State, error) {
	state, err := db.One(tx, db.Value[State], `select state from outbox where institution_id = $1 and kind = $2 and dedup_key = $3`, institution, kind, key)
	if errors.Is(err, db.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read how far %s has come: %w", kind, err)
	}
	return state, nil
}

// A Backlog says how much of a kind has not arrived.
type Backlog struct {
	Kind        Kind
	Waiting     int64
	Dead        int64
	OldestMicro int64 // when the oldest waiting one was queued; 0 where none waits
}

// Backlogs are the queues by kind, for operators.
func Backlogs(tx *db.Tx) ([]Backlog, error) {
	return db.All(tx, func(s db.Scanner) (b Backlog, err error) {
		err = s.Scan(&b.Kind, &b.Waiting, &b.Dead, &b.OldestMicro)
		return b, err
	}, `
		select kind, sum(case when state in ('ready', 'busy') then 1 else 0 end), sum(case when state = 'dead' then 1 else 0 end),
		       coalesce(min(case when state in ('ready', 'busy') then created_micros end), 0)
		  from outbox where state in ('ready', 'busy', 'dead') group by kind order by kind`)
}

// BacklogOf is how much of a kind has not arrived for an institution.
func BacklogOf(tx *db.Tx, institution bank.InstitutionID, kind Kind) (Backlog, error) {
	b := Backlog{Kind: kind}
	err := tx.QueryRow(`
		select coalesce(sum(case when state in ('ready', 'busy') then 1 else 0 end), 0), coalesce(sum(case when state = 'dead' then 1 else 0 end), 0),
		       coalesce(min(case when state in ('ready', 'busy') then created_micros end), 0)
		  from outbox where state in ('ready', 'busy', 'dead') and kind = $1 and institution_id = $2`, kind, institution).
		Scan(&b.Waiting, &b.Dead, &b.OldestMicro)
	if err != nil {
		return b, fmt.Errorf("count what has not arrived: %w", err)
	}
	return b, nil
}

// Revive tries an institution's dead messages of a kind again, or one of them
// where an id is given.
func Revive(tx *db.Tx, institution bank.InstitutionID, kind Kind, id string) (int64, error) {
	return tx.Exec(`
		update outbox set state = 'ready', attempts = 0, due_micros = $1, failure = ''
		 where state = 'dead' and institution_id = $2 and kind = $3 and (cast($4 as text) = '' or id = $4)`, tx.Now.UnixMicro(), institution, kind, id)
}

// SetAside gives a dead message up for good; what waited behind it in its lane
// goes on.
func SetAside(tx *db.Tx, institution bank.InstitutionID, kind Kind, id string) (int64, error) {
	return tx.Exec(`
		update outbox set state = 'cancelled', payload = $1, settled_micros = $2 where state = 'dead' and institution_id = $3 and kind = $4 and id = $5`,
		[]byte{}, tx.Now.UnixMicro(), institution, kind, id)
}

// A Letter is a message that has not arrived, as operators see it.
type Letter struct {
	ID       string
	Key      string
	Lane     string
	State    State
	Attempts int
	Payload  []byte
	Queued   time.Time
	Failure  string // why the last attempt came to nothing
}

// Undelivered lists an institution's messages of a kind that have not arrived,
// the dead ones first and then the oldest. A lane narrows it.
func Undelivered(tx *db.Tx, institution bank.InstitutionID, kind Kind, lane string, most int) ([]Letter, error) {
	return db.All(tx, func(s db.Scanner) (l Letter, err error) {
		var queued int64
		err = s.Scan(&l.ID, &l.Key, &l.Lane, &l.State, &l.Attempts, &l.Payload, &queued, &l.Failure)
		l.Queued = time.UnixMicro(queued).UTC()
		return l, err
	}, `
		select id, dedup_key, lane, state, attempts, payload, created_micros, failure from outbox
		 where institution_id = $1 and kind = $2 and state in ('ready', 'busy', 'dead') and (cast($3 as text) = '' or lane = $3)
		 order by case when state = 'dead' then 0 else 1 end, created_micros, place, id limit $4`, institution, kind, lane, most)
}
