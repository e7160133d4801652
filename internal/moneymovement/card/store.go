package card

import (
	"errors"
	"fmt"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/host"
)

// A place is whose cards are meant.
type place struct {
	institution  bank.InstitutionID
	organization bank.OrganizationID
}

const columns = `institution_id, organization_id, id, card_id, account_id, card_name, step, replace, state, by_id, by_name, content_hash, created_micros,
	settled_micros, reference, code, problem`

func scan(s db.Scanner) (r Request, err error) {
	var created, settled int64
	err = s.Scan(&r.Institution, &r.Organization, &r.ID, &r.Card, &r.Account, &r.Name, &r.Step, &r.Replace, &r.State, &r.By.ID, &r.By.Name, &r.hash, &created,
		&settled, &r.Reference, &r.Code, &r.Problem)
	r.Created = time.UnixMicro(created).UTC()
	if settled > 0 {
		r.Settled = time.UnixMicro(settled).UTC()
	}
	return r, err
}

func insert(tx *db.Tx, r *Request) error {
	_, err := tx.Exec(`
		insert into card_request (`+columns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, '', '', '')`,
		r.Institution, r.Organization, r.ID, r.Card, r.Account, r.Name, r.Step, r.Replace, r.State, r.By.ID, r.By.Name, r.hash, r.Created.UnixMicro())
	if err != nil {
		return fmt.Errorf("store what is asked about the card: %w", err)
	}
	return nil
}

// update keeps what can change.
func update(tx *db.Tx, r *Request) error {
	_, err := tx.Exec(`
		update card_request set state = $1, settled_micros = $2, reference = $3, code = $4, problem = $5
		 where institution_id = $6 and organization_id = $7 and id = $8`,
		r.State, r.Settled.UnixMicro(), r.Reference, r.Code, r.Problem, r.Institution, r.Organization, r.ID)
	if err != nil {
		return fmt.Errorf("update what is asked about the card: %w", err)
	}
	return nil
}

func find(tx *db.Tx, at place, id RequestID) (Request, bool, error) {
	r, err := db.One(tx, scan, `select `+columns+` from card_request where institution_id = $1 and organization_id = $2 and id = $3`,
		at.institution, at.organization, id)
	if errors.Is(err, db.ErrNoRows) {
		return Request{}, false, nil
	}
	if err != nil {
		return Request{}, false, fmt.Errorf("read what is asked about the card: %w", err)
	}
	return r, true, nil
}

// waits reports whether the host has yet to answer about a card.
func waits(tx *db.Tx, at place, id host.CardID) (bool, error) {
	n, err := db.One(tx, db.Value[int], `
		select count(*) from card_request where institution_id = $1 and organization_id = $2 and card_id = $3 and state = 'sent'`,
		at.institution, at.organization, id)
	if err != nil {
		return false, fmt.Errorf("read what is asked about the card: %w", err)
	}
	return n > 0, nil
}

// open are the cards about which the host has yet to answer.
func open(tx *db.Tx, at place) (map[host.CardID]bool, error) {
	ids, err := db.All(tx, db.Value[host.CardID], `
		select card_id from card_request where institution_id = $1 and organization_id = $2 and state = 'sent'`, at.institution, at.organization)
	if err != nil {
		return nil, fmt.Errorf("read what is asked about cards: %w", err)
	}
	waiting := make(map[host.CardID]bool, len(ids))
	for _, id := range ids {
		waiting[id] = true
	}
	return waiting, nil
}

// requests are what was asked about a card, the latest first.
func requests(tx *db.Tx, at place, id host.CardID) ([]Request, error) {
	all, err := db.All(tx, scan, `
		select `+columns+` from card_request where institution_id = $1 and organization_id = $2 and card_id = $3
		 order by created_micros desc, id desc limit $4`, at.institution, at.organization, id, maxRequests)
	if err != nil {
		return nil, fmt.Errorf("read what was asked about the card: %w", err)
	}
	return all, nil
}

// maxRequests is how many requests of a card are shown.
const maxRequests = 100
