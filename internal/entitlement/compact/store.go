package compact

import (
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
)

// What things take in memory, for Size.
const (
	blockBytes    = int(unsafe.Sizeof(Block{}))
	pageBytes     = int(unsafe.Sizeof(page{})) + int(unsafe.Sizeof(&page{}))
	memberBytes   = int(unsafe.Sizeof(member{}))
	ownLimitBytes = int(unsafe.Sizeof(ownLimit{}))
	idBytes       = int(unsafe.Sizeof(id{}))
	strangerBytes = 64 // about: an entry of a map with its text's header
)

// A Store holds an institution's organizations. Asking takes no lock and never
// waits; changes are made one after another, and the next question sees them.
type Store struct {
	institution atomic.Pointer[Institution]
	blocks      atomic.Pointer[[]*chunk]
	index       atomic.Pointer[index]

	changing sync.Mutex
	numbers  map[bank.OrganizationID]uint32
	given    uint32   // how many numbers there are
	free     []uint32 // those of organizations that are gone
}

// A chunk holds the blocks of organizations whose numbers follow each other. It
// stays where it is, whatever becomes of them.
type chunk [chunkSize]atomic.Pointer[Block]

const chunkSize = 1 << 10

// NewStore returns a store without organizations.
func NewStore(i Institution) *Store {
	s := &Store{numbers: map[bank.OrganizationID]uint32{}}
	s.institution.Store(&i)
	s.blocks.Store(&[]*chunk{})
	s.index.Store(newIndex(1 << 10))
	return s
}

// Institution is the topmost level as it is.
func (s *Store) Institution() *Institution { return s.institution.Load() }

// SetInstitution changes the topmost level for everybody at once.
func (s *Store) SetInstitution(i Institution) { s.institution.Store(&i) }

// Decide answers a question about whoever it names. The verdict is the caller's,
// so that nothing is allocated; it need not be empty.
func (s *Store) Decide(req *entitlement.Request, v *Verdict) {
	*v = Verdict{}
	var names named
	names.read(req)
	block, n := s.find(&names.member)
	if block == nil {
		v.plain = unknownMember
		if req.Operation == catalog.UnknownOperation || req.Operation >= catalog.OperationCount {
			v.plain = unknownOperation
		}
		return
	}
	block.decide(s.institution.Load(), req, n, &names, v)
}

// find finds a member, and their organization; nil where there is none.
func (s *Store) find(w *wanted) (*Block, int) {
	index := s.index.Load()
	for at, number, n := index.next(w.hash, index.start(w.hash)); number >= 0; at, number, n = index.next(w.hash, at) {
		b := s.place(number).Load() // after the index was read: what it knows is there by then
		if b == nil {
			continue
		}
		if w.made && n < len(b.members.ids) && b.members.ids[n] == w.id {
			return b, n
		}
		if n := b.member(w); n >= 0 {
			return b, n
		}
	}
	return nil, -1
}

// place is where the block of an organization's number stands.
func (s *Store) place(number int) *atomic.Pointer[Block] {
	return &(*s.blocks.Load())[number/chunkSize][number%chunkSize]
}

// OrganizationOf is the block of a member's organization, nil where there is no
// such member.
func (s *Store) OrganizationOf(user bank.UserID) *Block {
	w := want(aMember, string(user))
	b, _ := s.find(&w)
	return b
}

// Organization is the block of an organization, or nil.
func (s *Store) Organization(o bank.OrganizationID) *Block {
	s.changing.Lock()
	defer s.changing.Unlock()
	number, known := s.numbers[o]
	if !known {
		return nil
	}
	return s.place(int(number)).Load()
}

// Put makes a block its organization's current one. Who is new in it is found
// from then on, and who is not in it any more is nobody. It never goes back: a
// block of an older revision is left out, and that is reported.
func (s *Store) Put(b *Block) bool {
	s.changing.Lock()
	defer s.changing.Unlock()
	number, known := s.numbers[b.Organization]
	if !known {
		number = s.number()
		s.numbers[b.Organization] = number
	}
	place := s.place(int(number))
	was := place.Load()
	if was != nil && was.Revision > b.Revision {
		return false
	}
	if was != nil && samePeople(was, b) {
		place.Store(b)
		return true
	}
	// Whoever is found before they are there is asked of the block, and is nobody
	// yet; whoever is gone is nobody as soon as the block is.
	s.reserve(b)
	index := s.index.Load()
	for n, v := range b.members.ids {
		h := v.hash()
		if was == nil || was.members.find(&was.memberTags, v, h) < 0 {
			index.add(h, number, n)
		} else {
			index.move(h, number, n)
		}
	}
	place.Store(b)
	if was != nil {
		for _, v := range was.members.ids {
			if h := v.hash(); b.members.find(&b.memberTags, v, h) < 0 {
				index.remove(h, number)
			}
		}
	}
	return true
}

// samePeople reports whether two blocks of an organization have the same
// members: those that only changed share the table of them.
func samePeople(a, b *Block) bool {
	return len(a.members.ids) == len(b.members.ids) && (len(a.members.ids) == 0 || &a.members.ids[0] == &b.members.ids[0])
}

// Drop takes an organization out.
func (s *Store) Drop(o bank.OrganizationID) {
	s.changing.Lock()
	defer s.changing.Unlock()
	number, known := s.numbers[o]
	if !known {
		return
	}
	place := s.place(int(number))
	was := place.Swap(nil)
	delete(s.numbers, o)
	s.free = append(s.free, number)
	if was != nil {
		for _, v := range was.members.ids {
			s.index.Load().remove(v.hash(), number)
		}
	}
}

// number is a place for one more organization.
func (s *Store) number() uint32 {
	if n := len(s.free); n > 0 {
		number := s.free[n-1]
		s.free = s.free[:n-1]
		return number
	}
	if s.given%chunkSize == 0 {
		chunks := append(slices.Clip(*s.blocks.Load()), new(chunk))
		s.blocks.Store(&chunks)
	}
	s.given++
	return s.given - 1
}

// reserve makes room in the index for the members of a block.
func (s *Store) reserve(b *Block) {
	index, more := s.index.Load(), len(b.members.ids)
	if index.fits(more) {
		return
	}
	bigger := newIndex(2 * (index.live + more))
	for number := range s.given {
		if block := s.place(int(number)).Load(); block != nil {
			for n, v := range block.members.ids {
				bigger.add(v.hash(), number, n)
			}
		}
	}
	s.index.Store(bigger)
}

// All yields the organizations as they are.
func (s *Store) All(yield func(*Block) bool) {
	for _, chunk := range *s.blocks.Load() {
		for i := range chunk {
			if b := chunk[i].Load(); b != nil && !yield(b) {
				return
			}
		}
	}
}

// Size is how many bytes the store takes.
func (s *Store) Size() int {
	n := len(s.index.Load().slots)*8 + len(*s.blocks.Load())*chunkSize*8
	for b := range s.All {
		n += b.Size()
	}
	return n
}
