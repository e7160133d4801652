package compact

import (
	"cmp"
	"math"
	"slices"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/entitlement/ident"
)

// A Count is what counts against a daily limit on a day: by a member on an
// account, by a member (no account), or by everybody (neither).
type Count struct {
	Day     bank.Day
	Limit   catalog.Limit
	Member  bank.UserID
	Account bank.AccountID
	Cents   bank.Cents
}

// counters are the counts of an organization from a day on, in order. Members
// and accounts stand in them by their place in the block.
type counters struct {
	from   bank.Day
	begin  dayNumber // of from
	days   []bank.Day
	counts []count
}

type count struct {
	key   uint64
	cents bank.Cents
}

// noCounters knows nothing of any day, so that nobody is answered from it who
// asks what counts.
var noCounters = &counters{from: "9999-99-99", begin: never}

// A dayNumber is in the order of days, and quicker to compare.
type dayNumber uint64

const never dayNumber = math.MaxUint64

// numberOf is the number of a day: its digits. No day at all is before every day,
// and what is no day of four digits' years is after them.
func numberOf(day bank.Day) (n dayNumber) {
	if day == "" {
		return 0
	}
	if len(day) != len("2006-01-02") {
		return never - 1
	}
	for i := range len(day) {
		if i != 4 && i != 7 {
			n = n<<8 | dayNumber(day[i])
		}
	}
	return n
}

// countKey has places for a million members and a million accounts.
func countKey(day int, limit catalog.Limit, member, account int) uint64 {
	return uint64(day)<<48 | uint64(limit)<<44 | uint64(member+1)<<22 | uint64(account+1)
}

// WithCounts is the block with what counts from a day on.
func (b *Block) WithCounts(from bank.Day, counts []Count) *Block {
	next := *b
	next.setCounters(b.countersOf(from, counts))
	return &next
}

// countersOf are counts as they stand in the block. Those of members and accounts
// that are not there are left out: nobody can be asked about them.
func (b *Block) countersOf(from bank.Day, counts []Count) *counters {
	c := &counters{from: from, begin: numberOf(from), days: daysOf(from, counts)}
	for i := range counts {
		n := &counts[i]
		member, account := -1, -1
		if n.Member != "" {
			if member = b.Place(n.Member); member < 0 {
				continue
			}
		}
		if n.Account != "" {
			w := want(ident.Account, string(n.Account))
			if account = b.account(&w); account < 0 {
				continue
			}
		}
		if n.Day < from || n.Cents == 0 {
			continue
		}
		day := slices.Index(c.days, n.Day)
		c.counts = append(c.counts, count{countKey(day, n.Limit, member, account), n.Cents})
	}
	slices.SortFunc(c.counts, func(x, y count) int { return cmp.Compare(x.key, y.key) })
	c.counts = slices.Clip(c.counts)
	return c
}

func (b *Block) setCounters(c *counters) {
	b.bytes += c.size() - b.counters.size()
	b.counters = c
}

func daysOf(from bank.Day, counts []Count) (days []bank.Day) {
	for i := range counts {
		if counts[i].Day >= from && !slices.Contains(days, counts[i].Day) {
			days = append(days, counts[i].Day)
		}
	}
	slices.Sort(days)
	return days
}

// WithoutCounts is the block of which it is known that nothing counts from a
// day on. Blocks of one program share that.
func (b *Block) WithoutCounts(empty *Block) *Block {
	next := *b
	next.setCounters(empty.counters)
	return &next
}

// CountsFrom is the day from which on the block knows what counts.
func (b *Block) CountsFrom() bank.Day { return b.counters.from }

func (c *counters) at(day int, limit catalog.Limit, member, account int) bank.Cents {
	at, found := slices.BinarySearchFunc(c.counts, countKey(day, limit, member, account), func(n count, key uint64) int { return cmp.Compare(n.key, key) })
	if !found {
		return 0
	}
	return c.counts[at].cents
}

// used is what counts on a day; account is -1 where there is none.
func (c *counters) used(day bank.Day, limit catalog.Limit, member, account int) (u entitlement.Used) {
	for d := range c.days {
		if c.days[d] == day {
			u.Organization, u.Member = c.at(d, limit, -1, -1), c.at(d, limit, member, -1)
			if account >= 0 && limit.Permission().At(catalog.AtAccount) {
				u.Account = c.at(d, limit, member, account)
			}
		}
	}
	return u
}

func (c *counters) size() int {
	if len(c.counts) == 0 {
		return 0 // shared
	}
	return countersBytes + cap(c.counts)*countBytes + cap(c.days)*dayBytes
}
