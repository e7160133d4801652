// Package memory keeps what decisions are made of in memory: for each
// institution a compact.Store with a block for every organization that is asked
// about, and what counts against daily limits in it. The truth stays in the
// database; memory is read from its tables, and brought up to date from them.
// The history only says what to read again (activity.Touched).
//
// It answers nothing itself and holds no rule: the decision service asks the
// blocks that it hands out. It never hands out a block that is known to be old:
// what has moved on is behind until it was read again, by whoever asks first.
//
// How it is known that nothing newer exists is its Freshness. A follower that
// watches a database which other processes change calls Refresh with what moved,
// in the snapshot in which it saw that, and then Confirm.
package memory

import (
	"context"
	"errors"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/entitlement/compact"
	"mandate/internal/fault"
)

// Freshness is how it is known that nothing newer exists than what is here.
type Freshness uint8

const (
	// Asked: nobody tells, so that every question looks into the database first.
	Asked Freshness = iota

	// Told: every change is made by this process and announced in it. It is the
	// freshness of a database that is open alone, whatever was asked for.
	Told

	// Followed: a follower confirms up to which moment everything is here.
	Followed
)

// Sources are where the facts come from that are another room's.
type Sources struct {
	Institutions    func(*db.Tx) ([]bank.InstitutionID, error)
	Terms           func(*db.Tx, bank.InstitutionID) (entitlement.Institution, error)
	Policy          func(*db.Tx, bank.InstitutionID, bank.OrganizationID, entitlement.Scope) (*entitlement.Policy, error)
	OrganizationsOf func(*db.Tx, bank.InstitutionID, []bank.UserID) (map[bank.UserID]bank.OrganizationID, error)

	// Numbers are the numbers of all organizations, FactsBetween reads those
	// between two numbers, and FactsOf one, or a fault of kind NotFound.
	Numbers      func(*db.Tx) ([]int64, error)
	FactsBetween func(tx *db.Tx, from, to int64, each func(bank.InstitutionID, *compact.Facts) error) error
	FactsOf      func(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, each func(bank.InstitutionID, *compact.Facts) error) error
}

// Options are how a memory is kept. The zero Options are right for any database.
type Options struct {
	Freshness Freshness
	Budget    int // bytes; what was not asked for longest goes when it is more. Zero: no bound

	// Read is how the database is looked into where a follower knows which
	// server counts; nil: the database's own.
	Read func(context.Context, func(*db.Tx) error) error
}

// A Memory is what one process knows. It is safe for use by many goroutines.
type Memory struct {
	db        *db.DB
	sources   Sources
	freshness atomic.Uint32 // a Freshness
	budget    int
	read      func(context.Context, func(*db.Tx) error) error

	stores  atomic.Pointer[map[bank.InstitutionID]*store]
	adding  sync.Mutex
	epoch   atomic.Int64
	asOf    atomic.Int64 // nanoseconds after began; 0: never confirmed
	began   time.Time
	turns   turns // one at a time reads the same thing
	evicts  sync.Mutex
	pending pending

	gaps, wholes, refreshed, evicted atomic.Int64
}

// A store is an institution's, and its name.
type store struct {
	*compact.Store
	institution bank.InstitutionID
}

// New returns an empty memory over a database and listens to its announcements:
// what it was told of once it is never answered from older.
func New(d *db.DB, sources Sources, options Options) *Memory {
	if d.Alone() {
		options.Freshness = Told
	}
	if options.Read == nil {
		options.Read = d.Read
	}
	m := &Memory{db: d, sources: sources, budget: options.Budget, read: options.Read, began: time.Now()}
	m.freshness.Store(uint32(options.Freshness))
	m.stores.Store(&map[bank.InstitutionID]*store{})
	m.pending.wake = make(chan struct{}, 1)
	d.Listen(func(what any) {
		if head, ok := what.(activity.Head); ok {
			m.Announced(head)
		}
	})
	return m
}

// DB is the database whose facts these are.
func (m *Memory) DB() *db.DB { return m.db }

// Read is a transaction that sees at least what is answered from.
func (m *Memory) Read(ctx context.Context, f func(*db.Tx) error) error { return m.read(ctx, f) }

// Epoch is the life of the database that is known here; 0 before anything is.
func (m *Memory) Epoch() int64 { return m.epoch.Load() }

// Announced tells that a chain has moved. What is here and knows less of it is
// behind from now on, and is read again by the next question, or before it.
func (m *Memory) Announced(head activity.Head) {
	if s := m.held(head.Institution); s != nil {
		s.Announce(head.Organization, head.Sequence)
		m.pending.add(place{head.Institution, head.Organization})
	}
}

// Store is what is known of an institution; nil where it was never asked for.
func (m *Memory) Store(institution bank.InstitutionID) *compact.Store {
	if s := m.held(institution); s != nil {
		return s.Store
	}
	return nil
}

func (m *Memory) held(institution bank.InstitutionID) *store { return (*m.stores.Load())[institution] }

// hold is the store of an institution, which is behind as long as nothing of it
// was read. It is there before reading begins, so that announcements meet it.
func (m *Memory) hold(institution bank.InstitutionID) *store {
	m.adding.Lock()
	defer m.adding.Unlock()
	if s := m.held(institution); s != nil {
		return s
	}
	unread := compact.Institution{Mark: compact.Mark{Sequence: -1}}
	unread.Location = time.UTC
	s := &store{compact.NewStore(unread), institution}
	next := maps.Clone(*m.stores.Load())
	next[institution] = s
	m.stores.Store(&next)
	return s
}

// letGo forgets an institution that is not there.
func (m *Memory) letGo(institution bank.InstitutionID) {
	m.adding.Lock()
	defer m.adding.Unlock()
	next := maps.Clone(*m.stores.Load())
	delete(next, institution)
	m.stores.Store(&next)
}

// Forget drops everything. It is read anew when it is asked for, or by Load.
func (m *Memory) Forget() {
	m.adding.Lock()
	defer m.adding.Unlock()
	m.stores.Store(&map[bank.InstitutionID]*store{})
}

// mark is what a head says, as blocks keep it, and head the way back.
func mark(h activity.Head) compact.Mark {
	m := compact.Mark{Revision: h.Revision, Sequence: h.Sequence}
	copy(m.Hash[:], h.Hash)
	return m
}

func head(institution bank.InstitutionID, organization bank.OrganizationID, m compact.Mark) activity.Head {
	h := activity.Head{Institution: institution, Organization: organization, Revision: m.Revision, Sequence: m.Sequence, Hash: []byte{}}
	if m.Sequence > 0 {
		h.Hash = m.Hash[:]
	}
	return h
}

// ErrNoOrganization says that there is no such organization in the database.
var ErrNoOrganization = fault.New(fault.NotFound, "There is no such organization here.")

// orNoInstitution says so where there is no chain of an institution.
func orNoInstitution(err error) error {
	if errors.Is(err, activity.ErrNoStream) {
		return fault.New(fault.NotFound, "There is no such institution here.")
	}
	return err
}

// orNoOrganization makes one of the ways in which an organization is not there.
func orNoOrganization(err error) error {
	if errors.Is(err, activity.ErrNoStream) || err != nil && fault.KindOf(err) == fault.NotFound {
		return ErrNoOrganization
	}
	return err
}
