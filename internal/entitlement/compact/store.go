package compact

import (
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"mandate/internal/bank"
	"mandate/internal/entitlement"
)

// What things take in memory, for Size.
const (
	blockBytes    = int(unsafe.Sizeof(Block{}))
	pageBytes     = int(unsafe.Sizeof(page{}))
	idBytes       = int(unsafe.Sizeof(id{}))
	chunkBytes    = int(unsafe.Sizeof(chunk{}))
	countersBytes = int(unsafe.Sizeof(counters{}))
	countBytes    = int(unsafe.Sizeof(count{}))
	dayBytes      = int(unsafe.Sizeof(bank.Day(""))) + len("2026-03-02")
	strangerBytes = 64 // about: an entry of a map with its text's header
	numberBytes   = 48 // likewise
)

// A Store holds an institution's organizations, or some of them. Asking takes no
// lock and never waits; changes are made one after another, and the next question
// sees them. What is known to have moved on is not answered from: it is behind
// until its block comes.
type Store struct {
	institution atomic.Pointer[Institution]
	announced   atomic.Int64 // how far the institution's own history is known to have come
	places      atomic.Pointer[[]*chunk]
	index       atomic.Pointer[index]
	today       atomic.Pointer[today]
	turn        atomic.Uint32 // questions mark what they ask for with it

	changing sync.Mutex
	numbers  map[bank.OrganizationID]uint32 // once given, for good
	missing  int                            // organizations without a block
	bytes    int                            // of all blocks
}

// A chunk holds the places of organizations whose numbers follow each other. It
// stays where it is, whatever becomes of them.
type chunk [chunkSize]place

const chunkSize = 1 << 8

// A place is where an organization's current block stands. It is there before
// its block, and after.
type place struct {
	block     atomic.Pointer[Block]
	announced atomic.Int64 // how far its history is known to have come
	asked     atomic.Uint32
}

// NewStore returns a store without organizations.
func NewStore(i Institution) *Store {
	s := &Store{numbers: map[bank.OrganizationID]uint32{}}
	s.institution.Store(&i)
	s.places.Store(&[]*chunk{})
	s.index.Store(newIndex(1 << 10))
	return s
}

// Institution is the topmost level as it is.
func (s *Store) Institution() *Institution { return s.institution.Load() }

// SetInstitution changes the topmost level for everybody at once. It never goes
// back.
func (s *Store) SetInstitution(i Institution) {
	s.changing.Lock()
	defer s.changing.Unlock()
	if s.institution.Load().Sequence <= i.Sequence {
		s.institution.Store(&i)
	}
}

// A State says whether a store could answer.
type State uint8

const (
	Answered State = iota
	Behind         // it has moved on, and what is known now is not here yet
	NotHere        // no organization here has the member
)

// Decide answers a question about whoever it names. What counts against daily
// limits is what is known here, whatever the question says. The verdict is the
// caller's, so that nothing is allocated; it need not be empty. Where nobody is
// found it says so, which is an answer only where all organizations are here.
func (s *Store) Decide(req *entitlement.Request, v *Verdict) State {
	view := s.View()
	state := view.Decide(req, v)
	if state != Behind && !view.Holds() {
		return Behind
	}
	return state
}

// A View is the topmost level at the moment when asking began. It holds where
// nothing is known at the end that would change an answer.
type View struct {
	store       *Store
	institution *Institution
}

// View begins asking.
func (s *Store) View() View { return View{s, s.institution.Load()} }

// Institution is the topmost level that the answers are of.
func (w View) Institution() *Institution { return w.institution }

// Holds reports, after the last answer, that all of them are of one moment: no
// change of the topmost level is known that is not in them. Organizations are
// looked at in between, so that none of them knows more of it than they do.
func (w View) Holds() bool {
	return w.store.announced.Load() <= w.institution.Sequence && w.store.institution.Load() == w.institution
}

// Decide answers a question within a view.
func (w View) Decide(req *entitlement.Request, v *Verdict) State { return w.decide(nil, -1, req, v) }

// Ask answers a question about the nth member of a block: of the same block, as
// often as wanted.
func (w View) Ask(b *Block, n int, req *entitlement.Request, v *Verdict) State {
	return w.decide(b, n, req, v)
}

// decide answers a question, of a block or of the current one, which has to be
// found. It stands in one piece because every call would be felt.
func (w View) decide(b *Block, n int, req *entitlement.Request, v *Verdict) State {
	q := asking{Institution: w.institution, req: req, today: w.store.today.Load()}
	if !q.names.Read((*string)(&req.Member), (*string)(&req.Account), (*string)(&req.ToAccount)) {
		q.names.readStrange(req)
	}
	if b == nil {
		var p *place
		if p, b, n = w.store.find(&q); b == nil {
			w.nobody(req, v)
			return NotHere
		}
		if b.Sequence < p.announced.Load() {
			return Behind
		}
		w.store.note(p)
	}
	q.counters = b.counters
	if q.today == nil || !q.today.has(q.Institution, req.Now) {
		q.today = w.store.day(q.Institution, req.Now)
	}
	if q.today.number < q.counters.begin {
		return Behind
	}
	b.decide(&q, n, v)
	return Answered
}

// nobody answers about somebody who is not found.
func (w View) nobody(req *entitlement.Request, v *Verdict) {
	v.refuse(unknownMember)
	v.block = nil
	if unknown(req.Operation) {
		v.plain = unknownOperation
	}
}

// Block is the current block of a member's organization and the member's place
// in it.
func (w View) Block(user bank.UserID) (*Block, int, State) {
	q := asking{req: &entitlement.Request{Member: user}}
	q.names.read(q.req)
	p, block, n := w.store.find(&q)
	switch {
	case block == nil:
		return nil, -1, NotHere
	case block.Sequence < p.announced.Load():
		return nil, -1, Behind
	}
	w.store.note(p)
	return block, n, Answered
}

// Organization is the current block of an organization.
func (w View) Organization(o bank.OrganizationID) (*Block, State) {
	p := w.store.place(o)
	if p == nil {
		return nil, NotHere
	}
	block := p.block.Load()
	switch {
	case block == nil:
		return nil, NotHere
	case block.Sequence < p.announced.Load():
		return nil, Behind
	}
	w.store.note(p)
	return block, Answered
}

// note marks that an organization was asked for.
func (s *Store) note(p *place) {
	if turn := s.turn.Load(); p.asked.Load() != turn {
		p.asked.Store(turn)
	}
}

// find finds the member of a question, and their organization; nil where there is
// none.
func (s *Store) find(q *asking) (*place, *Block, int) {
	names := &q.names
	h := hashOf(names.Member)
	slots := s.index.Load().slots
	for at := h.slot(len(slots)); ; {
		slot := slots[at].Load()
		if slot == 0 {
			return nil, nil, -1
		}
		if slot>>(numberBits+placeBits) == uint64(h)&(1<<markBits-1) && slot != gone {
			p := s.at(int(slot&numberMask) - 1) // after the index was read: what it knows is there by then
			if b := p.block.Load(); b != nil {
				n := int(slot >> numberBits & placeMask)
				if n >= len(b.members.ids) || b.members.ids[n] != names.Member || names.strange {
					n = b.memberNamed(q)
				}
				if n >= 0 {
					return p, b, n
				}
			}
		}
		if at++; at == len(slots) {
			at = 0
		}
	}
}

// at is the place of an organization's number.
func (s *Store) at(number int) *place {
	n := uint(number)
	return &(*s.places.Load())[n/chunkSize][n%chunkSize]
}

// A today is the day at a place for a quarter of an hour, within which no day
// begins anywhere.
type today struct {
	place  *time.Location
	begin  int64 // of the quarter, in seconds
	day    bank.Day
	number dayNumber
}

const quarterOfAnHour = 15 * 60

// has reports whether a moment is within the quarter, at the institution's place.
func (t *today) has(i *Institution, now time.Time) bool {
	return uint64(now.Unix()-t.begin) < quarterOfAnHour && t.place == i.Location
}

// day is the institution's day of a moment, kept for those that follow.
func (s *Store) day(i *Institution, now time.Time) *today {
	second := now.Unix()
	day := bank.DayOf(now, i.Location)
	t := &today{place: i.Location, begin: second - second%quarterOfAnHour, day: day, number: numberOf(day)}
	s.today.Store(t)
	return t
}
