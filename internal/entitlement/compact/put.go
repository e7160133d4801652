package compact

import (
	"cmp"
	"slices"

	"mandate/internal/bank"
)

// place is where an organization stands, or nil.
func (s *Store) place(o bank.OrganizationID) *place {
	s.changing.Lock()
	defer s.changing.Unlock()
	if number, known := s.numbers[o]; known {
		return s.at(int(number))
	}
	return nil
}

// Announce tells that an organization's history has come as far as a number, or
// the institution's own where the organization is empty. What is here and knows
// less is behind from now on.
func (s *Store) Announce(o bank.OrganizationID, sequence int64) {
	if o == "" {
		raise(&s.announced, sequence)
		return
	}
	s.changing.Lock()
	_, p := s.placeOf(o)
	s.changing.Unlock()
	raise(&p.announced, sequence)
}

func raise(n interface {
	Load() int64
	CompareAndSwap(old, now int64) bool
}, to int64) {
	for was := n.Load(); was < to && !n.CompareAndSwap(was, to); was = n.Load() {
	}
}

// placeOf is the place of an organization, a new one where there is none.
func (s *Store) placeOf(o bank.OrganizationID) (uint32, *place) {
	if number, known := s.numbers[o]; known {
		return number, s.at(int(number))
	}
	number := uint32(len(s.numbers))
	if number%chunkSize == 0 {
		chunks := append(slices.Clip(*s.places.Load()), new(chunk))
		s.places.Store(&chunks)
	}
	s.numbers[o] = number
	s.missing++
	return number, s.at(int(number))
}

// Here is an organization's block, current or behind; nil where there is none.
func (s *Store) Here(o bank.OrganizationID) *Block {
	if p := s.place(o); p != nil {
		return p.block.Load()
	}
	return nil
}

// Put makes a block its organization's current one. Who is new in it is found
// from then on, and who is not in it any more is nobody. It never goes back: a
// block that knows less is left out, and that is reported.
func (s *Store) Put(b *Block) bool {
	s.changing.Lock()
	defer s.changing.Unlock()
	number, p := s.placeOf(b.Organization)
	was := p.block.Load()
	if was != nil && (was.Sequence > b.Sequence || was.Sequence == b.Sequence && was.Revision > b.Revision) {
		return false
	}
	s.bytes += b.bytes
	if was == nil {
		p.asked.Store(s.turn.Load())
		s.missing--
	} else {
		s.bytes -= was.bytes
		if samePeople(was, b) {
			p.block.Store(b)
			return true
		}
	}
	// Whoever is found before they are there is asked of the block, and is nobody
	// yet; whoever is gone is nobody as soon as the block is.
	s.reserve(b)
	index := s.index.Load()
	for n, v := range b.members.ids {
		h := hashOf(v)
		if was == nil || was.members.find(v) < 0 {
			index.add(h, number, n)
		} else {
			index.move(h, number, n)
		}
	}
	p.block.Store(b)
	if was != nil {
		for _, v := range was.members.ids {
			if b.members.find(v) < 0 {
				index.remove(hashOf(v), number)
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

// Drop takes an organization's block out.
func (s *Store) Drop(o bank.OrganizationID) {
	s.changing.Lock()
	defer s.changing.Unlock()
	number, known := s.numbers[o]
	if !known {
		return
	}
	was := s.at(int(number)).block.Swap(nil)
	if was == nil {
		return
	}
	s.missing++
	s.bytes -= was.bytes
	for _, v := range was.members.ids {
		s.index.Load().remove(hashOf(v), number)
	}
}

// reserve makes room in the index for the members of a block.
func (s *Store) reserve(b *Block) {
	index, more := s.index.Load(), len(b.members.ids)
	if index.fits(more) {
		return
	}
	bigger := newIndex(2 * (index.live + more))
	for number := range len(s.numbers) {
		if block := s.at(number).block.Load(); block != nil {
			for n, v := range block.members.ids {
				bigger.add(hashOf(v), uint32(number), n)
			}
		}
	}
	s.index.Store(bigger)
}

// All yields the organizations as they are.
func (s *Store) All(yield func(*Block) bool) {
	for _, chunk := range *s.places.Load() {
		for i := range chunk {
			if b := chunk[i].block.Load(); b != nil && !yield(b) {
				return
			}
		}
	}
}

// Size is how many bytes the store takes.
func (s *Store) Size() int {
	s.changing.Lock()
	defer s.changing.Unlock()
	return s.bytes + len(s.index.Load().slots)*8 + len(*s.places.Load())*chunkBytes + len(s.numbers)*numberBytes
}

// Blocks is how many organizations have a block, and how many are known to have
// none here.
func (s *Store) Blocks() (here, missing int) {
	s.changing.Lock()
	defer s.changing.Unlock()
	return len(s.numbers) - s.missing, s.missing
}

// A Stale is an organization and when it was last asked for.
type Stale struct {
	Organization bank.OrganizationID
	Asked        uint32 // the turn
	Size         int
}

// ByUse are the organizations that have a block, those that were not asked for
// longest first, and begins another turn.
func (s *Store) ByUse() []Stale {
	var all []Stale
	for b := range s.All {
		all = append(all, Stale{b.Organization, s.place(b.Organization).asked.Load(), b.Size()})
	}
	s.turn.Add(1)
	slices.SortStableFunc(all, func(x, y Stale) int { return cmp.Compare(x.Asked, y.Asked) })
	return all
}
