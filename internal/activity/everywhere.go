package activity

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// A Place is where an event stands among those of all chains of an institution.
// The zero Place is before all of them.
type Place struct {
	Micros       int64
	Organization bank.OrganizationID
	Sequence     int64
}

// PlaceOf is where an event stands.
func PlaceOf(e Event) Place { return Place{e.Time.UnixMicro(), e.Organization, e.Sequence} }

// String is the place as an address carries it.
func (p Place) String() string {
	return strconv.FormatInt(p.Micros, 10) + "." + strconv.FormatInt(p.Sequence, 10) + "." + string(p.Organization)
}

// ParsePlace reads a place out of an address. Anything else is no place.
func ParsePlace(s string) (p Place, ok bool) {
	micros, rest, _ := strings.Cut(s, ".")
	sequence, organization, _ := strings.Cut(rest, ".")
	var err, err2 error
	p.Micros, err = strconv.ParseInt(micros, 10, 64)
	p.Sequence, err2 = strconv.ParseInt(sequence, 10, 64)
	p.Organization = bank.OrganizationID(organization)
	if err != nil || err2 != nil || p.Micros <= 0 || p.Sequence < 0 || len(organization) > maxPlace {
		return Place{}, false
	}
	return p, true
}

const maxPlace = 100

// A Search asks for events of an institution, newest first, over all of its
// chains or in one. The zero value of a field asks for everything.
type Search struct {
	Institution  bank.InstitutionID  // required
	Organization bank.OrganizationID // only its chain
	Member       bank.UserID         // of that organization: done by them, or to them
	Staff        bank.StaffID        // done by this staff user; with an organization, it is ignored
	Kind         string              // a Kind's value
	By           bank.ActorKind
	Channel      bank.Channel
	Outcome      Outcome
	From, Until  int64 // microseconds; from inclusive, until exclusive
	Before       Place // page on
	After        Place // what is new since
	Limit        int   // at most MaxPage; 0 means MaxPage
}

// An Outcome is how something ended.
type Outcome uint8

const (
	AnyOutcome  Outcome = iota
	OnlyDone            // it was done
	OnlyRefused         // somebody tried, and nothing was changed
)

// A Found is one page of a search.
type Found struct {
	Events []Event
	// Searched is how far back the page has looked where it stopped before it was
	// full: the search can go on from there. The zero Place: to the beginning.
	Searched Place
}

// searchAtOnce is how many events one page looks at. What is rare is then found
// by going on, and no question makes the database read everything.
const searchAtOnce = 20_000

// Everywhere searches in one statement, whatever the number of chains.
func Everywhere(tx *db.Tx, s Search) (found Found, err error) {
	if s.Limit <= 0 || s.Limit > MaxPage {
		s.Limit = MaxPage
	}
	from, key := searchAll, ""
	page, edge := pageOfAll, edgeOfAll
	switch { // one statement for each index
	case s.Member != "":
		from, key, page, edge = searchMember, string(s.Member), pageOfMember, edgeOfMember
	case s.Organization != "":
		from, page, edge = searchChain, pageOfChain, edgeOfChain
	case s.Staff != "":
		from, key, page, edge = searchStaff, string(s.Staff), pageOfStaff, edgeOfStaff
	case s.Kind != "":
		from, key, page, edge = searchKind, s.Kind, pageOfKind, edgeOfKind
	}
	inner := s.bounds(key, from)
	rows, err := db.All(tx, scanEvent, page, append(inner, s.By, s.Channel, s.Outcome, s.Kind, s.Limit)...)
	if err != nil {
		return Found{}, fmt.Errorf("search the history: %w", err)
	}
	for _, row := range rows {
		e, err := row.decode()
		if err != nil {
			return Found{}, err
		}
		found.Events = append(found.Events, e)
	}
	if len(found.Events) < s.Limit {
		found.Searched, err = searched(tx, edge, inner)
	}
	return found, err
}

// searched is the last event that a page has looked at, where there are more.
func searched(tx *db.Tx, edge string, inner []any) (Place, error) {
	places, err := db.All(tx, func(row db.Scanner) (p Place, err error) {
		err = row.Scan(&p.Micros, &p.Organization, &p.Sequence)
		return p, err
	}, edge, append(inner[:len(inner):len(inner)], searchAtOnce-1)...)
	if err != nil {
		return Place{}, fmt.Errorf("find how far the search went: %w", err)
	}
	if len(places) == 0 {
		return Place{}, nil
	}
	return places[0], nil
}

// bounds are the parameters of what is looked at, $1 to $9.
func (s Search) bounds(key string, from scope) []any {
	upper, lower := Place{Micros: math.MaxInt64, Sequence: math.MaxInt64}, s.After
	if s.Before != (Place{}) {
		upper = s.Before
	}
	if from == searchChain || from == searchMember { // one chain: in the order of its links
		until := s.Until
		if until == 0 {
			until = math.MaxInt64
		}
		return []any{s.Institution, key, upper.Sequence, lower.Sequence, until, s.Organization, s.From, "", searchAtOnce}
	}
	if s.Until != 0 && s.Until <= upper.Micros {
		upper = Place{Micros: s.Until}
	}
	if s.From > lower.Micros {
		lower = Place{Micros: s.From}
	}
	return []any{s.Institution, key, upper.Sequence, lower.Sequence, upper.Micros, upper.Organization, lower.Micros, lower.Organization, searchAtOnce}
}

// A scope is what a search looks at.
type scope uint8

const (
	searchAll scope = iota
	searchKind
	searchStaff
	searchChain
	searchMember
)

// What is looked at, in the order in which it is found.
const (
	everywhere = `
		   and (time_micros, organization_id, sequence) < ($5, $6, $3)
		   and (time_micros, organization_id, sequence) > ($7, $8, $4)
		 order by time_micros desc, organization_id desc, sequence desc`
	ofKind = `
		   and (time_micros + 0) <= $5 and (time_micros + 0) >= $7
		   and ((time_micros + 0), organization_id, sequence) < ($5, $6, $3)
		   and ((time_micros + 0), organization_id, sequence) > ($7, $8, $4)
		 order by (time_micros + 0) desc, organization_id desc, sequence desc` // as its index has it
	inChain = `
		   and organization_id = $6 and cast($8 as text) = '' and sequence < $3 and sequence > $4 and time_micros < $5 and time_micros >= $7
		 order by sequence desc`

	fromAll   = ` from history_event where institution_id = $1 and cast($2 as text) = ''` + everywhere
	fromKind  = ` from history_event where institution_id = $1 and ` + kindOf + ` = $2` + ofKind
	fromStaff = ` from history_event where institution_id = $1 and actor_kind = 'staff' and actor_id = $2` + everywhere
	fromChain = ` from history_event where institution_id = $1 and cast($2 as text) = ''` + inChain

	fromMember = ` from (
		select * from (select * from history_event where institution_id = $1 and target_id = $2` + inChain + ` limit $9) done_to
		union all
		select * from (select * from history_event where institution_id = $1 and actor_id = $2 and target_id <> $2` + inChain + ` limit $9) done_by
		) both_sides order by sequence desc`
)

const (
	selectPage = `
	select institution_id, organization_id, sequence, id, time_micros, name, save_id,
	       revision, refused, code, actor_kind, actor_id, actor_name, channel, ip, device,
	       target_kind, target_id, target_name, note, changes, hash
	  from (select *`
	thatFit = ` limit $9) looked_at
	 where (cast($10 as text) = '' or actor_kind = $10)
	   and (cast($11 as text) = '' or channel = $11)
	   and (cast($12 as bigint) = 0 or refused = (cast($12 as bigint) = 2))
	   and (cast($13 as text) = '' or ` + kindOf + ` = $13)`
	inTime  = ` order by time_micros desc, organization_id desc, sequence desc limit $14`
	inOrder = ` order by sequence desc limit $14`

	selectEdge = `select time_micros, organization_id, sequence`
	theLast    = ` limit 1 offset $10`
	bounded    = ` limit $9`
)

const (
	pageOfAll    = selectPage + fromAll + thatFit + inTime
	pageOfKind   = selectPage + fromKind + thatFit + inTime
	pageOfStaff  = selectPage + fromStaff + thatFit + inTime
	pageOfChain  = selectPage + fromChain + thatFit + inOrder
	pageOfMember = selectPage + fromMember + thatFit + inOrder

	edgeOfAll    = selectEdge + ` from (` + selectEdge + fromAll + bounded + `) looked_at` + ` order by time_micros desc, organization_id desc, sequence desc` + theLast
	edgeOfKind   = selectEdge + ` from (` + selectEdge + fromKind + bounded + `) looked_at` + ` order by time_micros desc, organization_id desc, sequence desc` + theLast
	edgeOfStaff  = selectEdge + ` from (` + selectEdge + fromStaff + bounded + `) looked_at` + ` order by time_micros desc, organization_id desc, sequence desc` + theLast
	edgeOfChain  = selectEdge + ` from (` + selectEdge + fromChain + bounded + `) looked_at order by sequence desc` + theLast
	edgeOfMember = selectEdge + ` from (` + selectEdge + fromMember + bounded + `) looked_at order by sequence desc` + theLast
)
