package usermgmt

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/entitlement"
)

// Named is a member by name.
type Named struct {
	User   bank.UserID
	Name   string
	Role   bank.Role
	Status bank.Status
}

// sortByName puts people into the order of lists.
func sortByName(people []Named) {
	keys := make(map[bank.UserID]string, len(people))
	for i := range people {
		keys[people[i].User] = Fold(people[i].Name)
	}
	slices.SortFunc(people, func(a, b Named) int {
		return cmp.Or(cmp.Compare(keys[a.User], keys[b.User]), cmp.Compare(a.User, b.User))
	})
}

// A roll is everybody of an organization by name. Lists ask it for no more names
// than they show.
type roll interface {
	// named are some of them, by name.
	named([]bank.UserID) ([]Named, error)
	// meant are those whose names a search means.
	meant(search string) ([]bank.UserID, error)
	// each yields all by name, or the other way round, as long as it is told to.
	each(reverse bool, yield func(bank.UserID) bool) error
}

// A ranked is somebody found, by their place in the crowd.
type ranked struct {
	n    int
	rank rank
}

// A rank is what puts somebody before others: the greater comes first.
type rank [3]bank.Cents

// searched reports of a place in the crowd whether a search means who stands there.
func searched(r roll, crowd entitlement.Crowd, search string) (func(n int) bool, error) {
	if Fold(search) == "" {
		return func(int) bool { return true }, nil
	}
	ids, err := r.meant(search)
	if err != nil {
		return nil, err
	}
	fits := make([]bool, crowd.People())
	for _, id := range ids {
		if n := crowd.Place(id); n >= 0 {
			fits[n] = true
		}
	}
	return func(n int) bool { return fits[n] }, nil
}

// cut names a part of those found, from a row up to another: who ranks first comes
// first, and of the same rank it goes by name; or all the other way round.
func cut(r roll, crowd entitlement.Crowd, found []ranked, reverse bool, from, to int) (some []Named, err error) {
	slices.SortFunc(found, func(a, b ranked) int { return slices.Compare(b.rank[:], a.rank[:]) })
	if reverse {
		slices.Reverse(found)
	}
	for begin := 0; begin < to; {
		end := begin + 1
		for end < len(found) && found[end].rank == found[begin].rank {
			end++
		}
		if first, last := max(from, begin), min(to, end); first < last {
			names, err := cutAlike(r, crowd, found[begin:end], reverse, first-begin, last-begin)
			if err != nil {
				return nil, err
			}
			some = append(some, names...)
		}
		begin = end
	}
	return some, nil
}

// errUnnamed says that somebody is known to decisions and not by name, which
// cannot be: both are of one moment.
var errUnnamed = errors.New("somebody who may is not among the people")

// cutAlike is cut of people of one rank. A few are read by their ids; of many, the
// order of names is followed until enough of them were met.
func cutAlike(r roll, crowd entitlement.Crowd, alike []ranked, reverse bool, from, to int) ([]Named, error) {
	var ids []bank.UserID
	if few := len(alike) <= MaxPageSize; few || to-from == len(alike) {
		for i := range alike {
			ids = append(ids, crowd.Person(alike[i].n))
		}
		names, err := r.named(ids)
		if err != nil || len(names) < len(alike) {
			return nil, cmp.Or(err, errUnnamed)
		}
		if reverse {
			slices.Reverse(names)
		}
		return names[from:to], nil
	}
	wanted := make([]bool, crowd.People())
	for i := range alike {
		wanted[alike[i].n] = true
	}
	err := r.each(reverse, func(id bank.UserID) bool {
		if n := crowd.Place(id); n >= 0 && wanted[n] {
			ids = append(ids, id)
		}
		return len(ids) < to
	})
	if err != nil || len(ids) < to {
		return nil, cmp.Or(err, errUnnamed)
	}
	names, err := r.named(ids[from:])
	if err != nil || len(names) < to-from {
		return nil, cmp.Or(err, errUnnamed)
	}
	if reverse {
		slices.Reverse(names)
	}
	return names, nil
}

// A storedRoll is the names as they stand in the tables.
type storedRoll struct {
	tx  *db.Tx
	num int64
}

const selectNamed = `select m.id, m.first_name, m.last_name, m.role, m.status from member m where m.organization_num = $1`

func scanNamed(row db.Scanner) (n Named, err error) {
	var first, last string
	err = row.Scan(&n.User, &first, &last, &n.Role, &n.Status)
	n.Name = strings.TrimSpace(first + " " + last)
	return n, err
}

// manyNamed is from how many on it costs less to read all names.
const manyNamed = 2 * MaxPageSize

func (s storedRoll) named(ids []bank.UserID) (some []Named, err error) {
	if len(ids) > manyNamed {
		if some, err = db.All(s.tx, scanNamed, selectNamed, s.num); err != nil {
			return nil, fmt.Errorf("read the names: %w", err)
		}
		asked := make(map[bank.UserID]bool, len(ids))
		for _, id := range ids {
			asked[id] = true
		}
		some = slices.DeleteFunc(some, func(n Named) bool { return !asked[n.User] })
	} else {
		for few := range slices.Chunk(ids, chunk) {
			found, err := db.All(s.tx, scanNamed, selectNamed+` and m.id in ($2, $3, $4, $5, $6, $7, $8, $9)`, in8([]any{s.num}, few)...)
			if err != nil {
				return nil, fmt.Errorf("read some names: %w", err)
			}
			some = append(some, found...)
		}
	}
	sortByName(some)
	return some, nil
}

func (s storedRoll) meant(search string) ([]bank.UserID, error) {
	ids, err := db.All(s.tx, db.Value[bank.UserID], `
		select m.id from member m where m.organization_num = $1 and m.name_key like $2 escape '\'`, s.num, db.Containing(search))
	if err != nil {
		return nil, fmt.Errorf("search the names: %w", err)
	}
	return ids, nil
}

// each reads a few first: mostly that is enough for a page.
func (s storedRoll) each(reverse bool, yield func(bank.UserID) bool) error {
	query := `select m.id from member m where m.organization_num = $1 order by m.name_key, m.id limit $2 offset $3`
	if reverse {
		query = `select m.id from member m where m.organization_num = $1 order by m.name_key desc, m.id desc limit $2 offset $3`
	}
	for from, size := 0, MaxPageSize; ; from, size = from+size, 4*size {
		ids, err := db.All(s.tx, db.Value[bank.UserID], query, s.num, size, from)
		if err != nil {
			return fmt.Errorf("read the order of names: %w", err)
		}
		for _, id := range ids {
			if !yield(id) {
				return nil
			}
		}
		if len(ids) < size {
			return nil
		}
	}
}

// A pastRoll is the names as they were at a moment.
type pastRoll struct {
	*then
	all []Named // by name; nil: not read yet
}

func (p *pastRoll) named(ids []bank.UserID) (some []Named, err error) {
	if len(ids) == 1 && p.all == nil {
		members, err := p.members(entitlement.Scope{Members: ids})
		return namesThen(members), err
	}
	asked := make(map[bank.UserID]bool, len(ids))
	for _, id := range ids {
		asked[id] = true
	}
	all, err := p.byName()
	for _, n := range all {
		if asked[n.User] {
			some = append(some, n)
		}
	}
	return some, err
}

func (p *pastRoll) meant(search string) (ids []bank.UserID, err error) {
	search = Fold(search)
	all, err := p.byName()
	for _, n := range all {
		if strings.Contains(Fold(n.Name), search) {
			ids = append(ids, n.User)
		}
	}
	return ids, err
}

func (p *pastRoll) each(reverse bool, yield func(bank.UserID) bool) error {
	all, err := p.byName()
	for i := range all {
		if reverse {
			i = len(all) - 1 - i
		}
		if !yield(all[i].User) {
			return err
		}
	}
	return err
}

func (p *pastRoll) byName() ([]Named, error) {
	if p.all == nil {
		members, err := p.members(entitlement.Scope{AllMembers: true})
		if err != nil {
			return nil, err
		}
		p.all = namesThen(members)
		sortByName(p.all)
	}
	return p.all, nil
}

func namesThen(members []pastMember) []Named {
	people := make([]Named, len(members))
	for i, m := range members {
		people[i] = Named{m.id, m.name, m.role, m.status}
	}
	return people
}

// rollOf is the roll of an organization as it is.
func rollOf(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID) (storedRoll, error) {
	num, err := db.One(tx, db.Value[int64], `select num from organization where institution_id = $1 and id = $2`, institution, organization)
	if errors.Is(err, db.ErrNoRows) {
		err = ErrNoOrganization
	}
	return storedRoll{tx, num}, err
}
