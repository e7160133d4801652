package hostsync

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/host"
	"mandate/internal/outbox"
)

// A link is what is known of the host's side of an organization user. The lock
// of their organization guards it.
type link struct {
	user         bank.UserID
	organization bank.OrganizationID
	ref          host.Ref // empty: the host has not named them yet
	version      int64    // the last one taken over; 0: none
	content      []byte   // digest of that version
	gone         bool     // deleted, on whichever side first: nothing else counts
	orders       []sent
}

// A sent is an order about a user that no event of the host is known to follow.
type sent struct {
	Key     string   `json:"key"`
	Fields  []string `json:"fields,omitempty"`
	Version int64    `json:"version,omitempty"` // of the user after it; 0: not answered
}

// tombstone is the link of somebody who was deleted at the host before anything
// was known of them here.
func tombstone(ref host.Ref) bank.UserID { return bank.UserID("gone " + ref) }

const selectLink = `select user_id, organization_id, ref, version, content, gone, orders from host_link`

func scanLink(s db.Scanner) (l link, err error) {
	var orders string
	if err := s.Scan(&l.user, &l.organization, &l.ref, &l.version, &l.content, &l.gone, &orders); err != nil {
		return l, err
	}
	err = json.Unmarshal([]byte(orders), &l.orders)
	return l, err
}

// linkOf is the link of a user; an empty one where nothing is known.
func linkOf(tx *db.Tx, institution bank.InstitutionID, user bank.UserID) (link, error) {
	l, err := db.One(tx, scanLink, selectLink+` where institution_id = $1 and user_id = $2`, institution, user)
	if errors.Is(err, db.ErrNoRows) {
		return link{user: user}, nil
	}
	if err != nil {
		return l, fmt.Errorf("read what the host knows of %s: %w", user, err)
	}
	return l, nil
}

// linksAtOnce is how many links one statement reads.
const linksAtOnce = 8

// linksOf are the links of users; empty ones where nothing is known.
func linksOf(tx *db.Tx, institution bank.InstitutionID, users []bank.UserID) (map[bank.UserID]link, error) {
	links := make(map[bank.UserID]link, len(users))
	for some := range slices.Chunk(users, linksAtOnce) {
		args := []any{institution}
		for i := range linksAtOnce {
			args = append(args, some[min(i, len(some)-1)])
		}
		found, err := db.All(tx, scanLink, selectLink+` where institution_id = $1 and user_id in ($2, $3, $4, $5, $6, $7, $8, $9)`, args...)
		if err != nil {
			return nil, fmt.Errorf("read what the host knows of %d users: %w", len(some), err)
		}
		for _, user := range some {
			links[user] = link{user: user}
		}
		for _, l := range found {
			links[l.user] = l
		}
	}
	return links, nil
}

// linkTo finds the link of whom the host names so.
func linkTo(tx *db.Tx, institution bank.InstitutionID, ref host.Ref) (l link, known bool, err error) {
	all, err := db.All(tx, scanLink, selectLink+` where institution_id = $1 and ref = $2 order by gone, user_id`, institution, ref)
	if err != nil {
		return l, false, fmt.Errorf("find %s of the host: %w", ref, err)
	}
	if len(all) == 0 {
		return l, false, nil
	}
	return all[0], true, nil
}

func (l *link) store(tx *db.Tx, institution bank.InstitutionID) error {
	if l.orders == nil {
		l.orders = []sent{}
	}
	orders, err := json.Marshal(l.orders)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`
		insert into host_link (institution_id, user_id, organization_id, ref, version, content, gone, orders)
		values ($1, $2, $3, $4, $5, $6, $7, $8)
		on conflict (institution_id, user_id) do update
		   set organization_id = excluded.organization_id, ref = excluded.ref, version = excluded.version, content = excluded.content,
		       gone = excluded.gone, orders = excluded.orders`,
		institution, l.user, l.organization, l.ref, l.version, append([]byte{}, l.content...), l.gone, string(orders))
	if err != nil {
		return fmt.Errorf("store what the host knows of %s: %w", l.user, err)
	}
	return nil
}

// answered notes the version that an order led to, none where it was refused,
// and reports whether the order was waiting for an answer.
func (l *link) answered(key string, version int64) bool {
	for i := range l.orders {
		if o := &l.orders[i]; o.Key == key && o.Version == 0 {
			if o.Version = version; version == 0 || version <= l.version {
				l.orders = append(l.orders[:i], l.orders[i+1:]...)
			}
			return true
		}
	}
	return false
}

// taken notes that a version was taken over: orders that led to it or to an
// earlier one are told of by that.
func (l *link) taken(version int64, content []byte) {
	l.version, l.content = version, content
	open := l.orders[:0]
	for _, o := range l.orders {
		if o.Version == 0 || o.Version > version {
			open = append(open, o)
		}
	}
	l.orders = open
}

// onItsWay reports whether an order about the user has not been answered: until
// then nobody can tell what the host's state says of it.
func (l *link) onItsWay(tx *db.Tx, institution bank.InstitutionID) (bool, error) {
	for _, o := range l.orders {
		if o.Version != 0 {
			continue
		}
		state, err := outbox.Fate(tx, institution, outbox.Host, o.Key)
		if err != nil || state == outbox.Ready || state == outbox.Busy {
			return true, err
		}
	}
	return false, nil
}
