package usermgmt

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// A customerIndex holds what staff search by of all customers, in blocks of
// organizations. A search reads the versions of all blocks in its own
// transaction and anew what has changed since, so that it always sees what is
// stored. It holds nothing that cannot be read again.
type customerIndex struct {
	mu     sync.Mutex
	blocks map[blockKey]*customerBlock
	held   int // entries in all blocks
}

const (
	blockSize = 64        // organizations; statements have it written out
	maxHeld   = 2_000_000 // entries in memory, of all institutions together
)

type blockKey struct {
	institution bank.InstitutionID
	block       int64
}

type customerBlock struct {
	version int64
	entries []entry
}

// An entry is one customer as the search knows them. Texts are folded.
type entry struct {
	found
	text   string // everything that is searched, one line each
	number string // the customer number, as it is written
	status bank.Status
	held   bool
}

// touchCustomers says that the customers of the organization numbered num have
// changed. Every change of what an entry holds must, in its transaction.
func touchCustomers(tx *db.Tx, num int64) error {
	_, err := tx.Exec(`
		insert into customer_block (institution_id, block, version)
		select institution_id, num / 64, 1 from organization where num = $1
		on conflict (institution_id, block) do update set version = customer_block.version + 1`, num)
	return failed("note that customers have changed", err)
}

// touchCustomersOf is touchCustomers for the organization of a member.
func touchCustomersOf(tx *db.Tx, institution bank.InstitutionID, user string) error {
	num, err := db.One(tx, db.Value[int64], `select organization_num from member where institution_id = $1 and id = $2`, institution, user)
	if err != nil {
		return failed("find the organization of a member who has changed", err)
	}
	return touchCustomers(tx, num)
}

// search finds the customers that a query means, the first by name, and one more
// than MaxCustomers where there are more.
func (x *customerIndex) search(tx *db.Tx, institution bank.InstitutionID, q CustomerQuery) ([]found, error) {
	words := strings.Fields(Fold(q.Search))
	words = words[:min(len(words), maxWords)]
	blocks, err := x.current(tx, institution)
	if err != nil {
		return nil, err
	}
	best := make([]found, 0, 2*(MaxCustomers+1))
	full := false // best had enough already, and only what comes before its last is better
	var last found
	for _, b := range blocks {
		for i := range b.entries {
			if full && inOrder(b.entries[i].found, last) > 0 || !q.means(&b.entries[i], words) {
				continue
			}
			if best = append(best, b.entries[i].found); len(best) == cap(best) {
				slices.SortFunc(best, inOrder)
				best = best[:MaxCustomers+1]
				full, last = true, best[MaxCustomers]
			}
		}
	}
	slices.SortFunc(best, inOrder)
	return best[:min(len(best), MaxCustomers+1)], nil
}

// maxWords is how many words of a search count.
const maxWords = 8

// means reports whether the query is about this customer: it is of the kind, and
// every word is a part of something of it.
func (q CustomerQuery) means(e *entry, words []string) bool {
	member := e.ordinal != 0
	if q.Kind == Organizations && member || q.membersOnly() && !member || q.Status != nil && e.status != *q.Status || q.Held && !e.held {
		return false
	}
	for _, word := range words {
		if !strings.Contains(e.text, word) && !strings.Contains(e.number, word) {
			return false
		}
	}
	return true
}

// current are the blocks of an institution as the transaction sees them.
func (x *customerIndex) current(tx *db.Tx, institution bank.InstitutionID) ([]*customerBlock, error) {
	type stored struct{ block, version int64 }
	versions, err := db.All(tx, func(s db.Scanner) (v stored, err error) {
		err = s.Scan(&v.block, &v.version)
		return v, err
	}, `select block, version from customer_block where institution_id = $1 order by block`, institution)
	if err != nil {
		return nil, failed("read which customers have changed", err)
	}
	all := make([]*customerBlock, 0, len(versions))
	for _, v := range versions {
		key := blockKey{institution, v.block}
		b := x.get(key)
		if b == nil || b.version != v.version {
			if b, err = readBlock(tx, key, v.version); err != nil {
				return nil, err
			}
			x.keep(key, b)
		}
		all = append(all, b)
	}
	return all, nil
}

func (x *customerIndex) get(key blockKey) *customerBlock {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.blocks[key]
}

// keep remembers a block, unless a newer one was remembered meanwhile.
func (x *customerIndex) keep(key blockKey, b *customerBlock) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.blocks == nil || x.held > maxHeld {
		x.blocks, x.held = map[blockKey]*customerBlock{}, 0
	}
	if old := x.blocks[key]; old != nil {
		if old.version > b.version {
			return
		}
		x.held -= len(old.entries)
	}
	x.blocks[key] = b
	x.held += len(b.entries)
}

// readBlock reads the customers of a block.
func readBlock(tx *db.Tx, key blockKey, version int64) (*customerBlock, error) {
	b := &customerBlock{version: version}
	numbers := map[int64]string{}
	_, err := db.All(tx, func(s db.Scanner) (e entry, err error) {
		var email string
		err = s.Scan(&e.key, &e.num, &e.number, &email)
		e.number = Fold(e.number)
		e.text, numbers[e.num] = e.key+"\n"+Fold(email), e.number
		b.entries = append(b.entries, e)
		return e, err
	}, `select name_key, num, external_id, email from organization where institution_id = $1 and num >= $2 and num < $3`,
		key.institution, key.block*blockSize, (key.block+1)*blockSize)
	if err != nil {
		return nil, fmt.Errorf("read the organizations to search: %w", err)
	}
	_, err = db.All(tx, func(s db.Scanner) (e entry, err error) {
		var email, username string
		err = s.Scan(&e.key, &e.num, &e.ordinal, &email, &username, &e.status, &e.held)
		e.text, e.number = e.key+"\n"+email+"\n"+username, numbers[e.num]
		b.entries = append(b.entries, e)
		return e, err
	}, `select name_key, organization_num, ordinal, email_key, username_key, status, held from member
		 where institution_id = $1 and organization_num >= $2 and organization_num < $3`,
		key.institution, key.block*blockSize, (key.block+1)*blockSize)
	return b, failed("read the members to search", err)
}
