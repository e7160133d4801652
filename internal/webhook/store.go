package webhook

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
)

const selectEndpoint = `
	select institution_id, id, name, url, kinds, names, organizations, state, secret, old_secret, old_ends_micros, created_micros, revision,
	       failed, failing_micros, succeeded_micros, answer, told_micros
	  from webhook_endpoint`

func scanEndpoint(row db.Scanner) (e Endpoint, err error) {
	var kinds, names, organizations string
	var ends, created, failing, succeeded, told int64
	err = row.Scan(&e.Institution, &e.ID, &e.Name, &e.URL, &kinds, &names, &organizations, &e.State, &e.secret, &e.oldSecret, &ends, &created, &e.Revision,
		&e.Failed, &failing, &succeeded, &e.Answer, &told)
	e.Kinds, e.Names = strings.Fields(kinds), strings.Fields(names)
	for _, id := range strings.Fields(organizations) {
		e.Organizations = append(e.Organizations, bank.OrganizationID(id))
	}
	e.OldEnds, e.Created, e.FailingSince, e.Succeeded, e.told = at(ends), at(created), at(failing), at(succeeded), at(told)
	return e, err
}

func at(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

var errNoEndpoint = fault.New(fault.NotFound, "There is no such webhook. It may have been deleted.")

// find reads one endpoint, with how many of its messages have not arrived.
func find(tx *db.Tx, institution bank.InstitutionID, id ID) (Endpoint, error) {
	e, err := db.One(tx, scanEndpoint, selectEndpoint+` where institution_id = $1 and id = $2`, institution, id)
	if errors.Is(err, db.ErrNoRows) {
		return e, errNoEndpoint
	}
	if err != nil {
		return e, fmt.Errorf("read the webhook %s: %w", id, err)
	}
	one := []Endpoint{e}
	err = count(tx, institution, id, one)
	return one[0], err
}

// A backlog is what has not arrived at an endpoint.
type backlog struct {
	endpoint      ID
	waiting, dead int64
}

func scanBacklog(row db.Scanner) (b backlog, err error) {
	err = row.Scan(&b.endpoint, &b.waiting, &b.dead)
	return b, err
}

// count tells of endpoints what has not arrived: of one of the institution, or of
// all of it where the id is empty. A queue is counted up to a bound: beyond it
// nobody wants to know how far.
func count(tx *db.Tx, institution bank.InstitutionID, id ID, in []Endpoint) error {
	all, err := db.All(tx, scanBacklog, `
		select e.id,
		       (select count(*) from (select 1 from webhook_delivery d where d.institution_id = e.institution_id and d.endpoint_id = e.id and d.state = 'waiting' limit 10001) as w),
		       (select count(*) from (select 1 from webhook_delivery d where d.institution_id = e.institution_id and d.endpoint_id = e.id and d.state = 'dead' limit 10001) as d)
		  from webhook_endpoint e
		 where e.institution_id = $1 and ($2 = '' or e.id = $2)`, institution, id)
	if err != nil {
		return fmt.Errorf("count what has not arrived: %w", err)
	}
	for _, b := range all {
		if at := slices.IndexFunc(in, func(e Endpoint) bool { return e.ID == b.endpoint }); at >= 0 {
			in[at].Waiting, in[at].Dead = b.waiting, b.dead
		}
	}
	return nil
}

// endpoints are all of an institution, by name.
func endpoints(tx *db.Tx, institution bank.InstitutionID) ([]Endpoint, error) {
	all, err := db.All(tx, scanEndpoint, selectEndpoint+` where institution_id = $1 order by name_key, id`, institution)
	if err != nil {
		return nil, fmt.Errorf("list webhooks: %w", err)
	}
	return all, nil
}

func insert(tx *db.Tx, e Endpoint) error {
	_, err := tx.Exec(`
		insert into webhook_endpoint (institution_id, id, name, name_key, url, kinds, names, organizations, state, secret, old_secret, old_ends_micros,
			created_micros, revision, due_micros, lease_micros, failed, failing_micros, succeeded_micros, answer, told_micros)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, $12, 1, 0, 0, 0, 0, 0, '', 0)`,
		e.Institution, e.ID, e.Name, db.Fold(e.Name), e.URL, strings.Join(e.Kinds, " "), strings.Join(e.Names, " "), joined(e.Organizations),
		e.State, e.secret, []byte{}, tx.Now.UnixMicro())
	if err != nil {
		return fmt.Errorf("store the webhook: %w", err)
	}
	return nil
}

// update stores what somebody decided. Whatever failed before is tried at once.
func update(tx *db.Tx, e Endpoint) error {
	_, err := tx.Exec(`
		update webhook_endpoint
		   set name = $1, name_key = $2, url = $3, kinds = $4, names = $5, organizations = $6, state = $7, secret = $8, old_secret = $9,
		       old_ends_micros = $10, revision = revision + 1, due_micros = 0, failed = 0, failing_micros = 0, told_micros = 0
		 where institution_id = $11 and id = $12`,
		e.Name, db.Fold(e.Name), e.URL, strings.Join(e.Kinds, " "), strings.Join(e.Names, " "), joined(e.Organizations), e.State, e.secret,
		append([]byte{}, e.oldSecret...), micros(e.OldEnds), e.Institution, e.ID)
	if err != nil {
		return fmt.Errorf("store the webhook: %w", err)
	}
	return nil
}

func remove(tx *db.Tx, e Endpoint) error {
	_, err := tx.Exec(`delete from webhook_delivery where institution_id = $1 and endpoint_id = $2`, e.Institution, e.ID)
	if err == nil {
		_, err = tx.Exec(`delete from webhook_endpoint where institution_id = $1 and id = $2`, e.Institution, e.ID)
	}
	if err != nil {
		return fmt.Errorf("delete the webhook: %w", err)
	}
	return nil
}

// queue adds a message behind all others of an endpoint. The organization is
// locked, so that its events keep their order; those of several organizations
// stand in the order in which they were queued, more or less.
func queue(tx *db.Tx, e *Endpoint, id, name string, body []byte) error {
	_, err := tx.Exec(`
		insert into webhook_delivery (institution_id, endpoint_id, id, number, name, body, state, attempts, due_micros, created_micros, settled_micros, answer)
		values ($1, $2, $3, (select coalesce(max(number), 0) + 1 from webhook_delivery where institution_id = $1 and endpoint_id = $2), $4, $5, 'waiting', 0, $6, $6, 0, '')`,
		e.Institution, e.ID, id, name, body, tx.Now.UnixMicro())
	if err != nil {
		return fmt.Errorf("queue a webhook: %w", err)
	}
	return nil
}

func scanDelivery(row db.Scanner) (d Delivery, err error) {
	var due, created, settled int64
	err = row.Scan(&d.ID, &d.Name, &d.State, &d.Attempts, &due, &created, &settled, &d.Answer)
	d.Due, d.Created, d.Settled = at(due), at(created), at(settled)
	return d, err
}

// recent are an endpoint's latest messages, those that were given up first.
func recent(tx *db.Tx, e Endpoint, most int) ([]Delivery, error) {
	var all []Delivery
	for _, query := range []string{recentDead, recentOthers} {
		some, err := db.All(tx, scanDelivery, query, e.Institution, e.ID, most-len(all))
		if err != nil {
			return nil, fmt.Errorf("list deliveries: %w", err)
		}
		all = append(all, some...)
	}
	return all, nil
}

const (
	selectDelivery = `
		select id, name, state, attempts, due_micros, created_micros, settled_micros, answer from webhook_delivery
		 where institution_id = $1 and endpoint_id = $2`
	recentDead   = selectDelivery + ` and state = 'dead' order by number desc, id limit $3`
	recentOthers = selectDelivery + ` and state <> 'dead' order by number desc, id limit $3`
)

// again makes a message wait once more.
func again(tx *db.Tx, e Endpoint, id string) (int64, error) {
	n, err := tx.Exec(`
		update webhook_delivery set state = 'waiting', attempts = 0, due_micros = $1, settled_micros = 0
		 where institution_id = $2 and endpoint_id = $3 and id = $4 and state <> 'waiting'`, tx.Now.UnixMicro(), e.Institution, e.ID, id)
	if err == nil {
		_, err = tx.Exec(`update webhook_endpoint set due_micros = 0 where institution_id = $1 and id = $2`, e.Institution, e.ID)
	}
	if err != nil {
		return 0, fmt.Errorf("send a webhook again: %w", err)
	}
	return n, nil
}
