package hostsim

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/host"
)

// cardYears is how long a new card is valid.
const cardYears = 4

// Cards lists an organization's cards, those of one account together.
func (b *Bank) Cards(ctx context.Context, institution bank.InstitutionID, organization bank.OrganizationID) (cards []host.Card, err error) {
	err = b.db.Read(ctx, func(tx *db.Tx) error {
		cards, err = db.All(tx, scanCard, `
			select `+cardColumns+` from core_card where institution_id = $1 and organization_id = $2
			 order by account_id, holder, id`, institution, organization)
		if err != nil {
			return fmt.Errorf("read the cards: %w", err)
		}
		return nil
	})
	return cards, err
}

// Issue puts cards into the host's records. One that is there already stays as
// it is.
func (b *Bank) Issue(ctx context.Context, institution bank.InstitutionID, cards ...host.Card) error {
	return b.write(ctx, institution, func(tx *db.Tx, _ int64) error {
		for _, c := range cards {
			c.Changed = tx.Now
			if err := insertCard(tx, institution, c); err != nil {
				return err
			}
		}
		return nil
	})
}

const cardColumns = `id, organization_id, account_id, holder, kind, last_four, expires, state, changed_micros, replaces, replacement`

func scanCard(s db.Scanner) (c host.Card, err error) {
	var changed int64
	err = s.Scan(&c.ID, &c.Organization, &c.Account, &c.Holder, &c.Kind, &c.LastFour, &c.Expires, &c.State, &changed, &c.Replaces, &c.Replacement)
	c.Changed = time.UnixMicro(changed).UTC()
	return c, err
}

func insertCard(tx *db.Tx, institution bank.InstitutionID, c host.Card) error {
	_, err := tx.Exec(`
		insert into core_card (institution_id, `+cardColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		on conflict (institution_id, id) do nothing`,
		institution, c.ID, c.Organization, c.Account, c.Holder, c.Kind, c.LastFour, c.Expires, c.State, c.Changed.UnixMicro(), c.Replaces, c.Replacement)
	if err != nil {
		return fmt.Errorf("store the card: %w", err)
	}
	return nil
}

func updateCard(tx *db.Tx, institution bank.InstitutionID, c host.Card) error {
	_, err := tx.Exec(`
		update core_card set state = $1, changed_micros = $2, replacement = $3 where institution_id = $4 and id = $5`,
		c.State, tx.Now.UnixMicro(), c.Replacement, institution, c.ID)
	if err != nil {
		return fmt.Errorf("update the card: %w", err)
	}
	return nil
}

func findCard(tx *db.Tx, institution bank.InstitutionID, id host.CardID) (host.Card, bool, error) {
	c, err := db.One(tx, scanCard, `select `+cardColumns+` from core_card where institution_id = $1 and id = $2`, institution, id)
	if errors.Is(err, db.ErrNoRows) {
		return host.Card{}, false, nil
	}
	if err != nil {
		return host.Card{}, false, fmt.Errorf("read the card: %w", err)
	}
	return c, true, nil
}

// refuseCard says why an order about a card cannot be carried out.
func refuseCard(tx *db.Tx, o *host.Order) (host.Code, error) {
	if o.Card == nil {
		return "", nil
	}
	c, known, err := findCard(tx, o.Institution, o.Card.Card)
	switch {
	case err != nil:
		return "", err
	case !known || c.Organization != o.Organization:
		return host.UnknownCard, nil
	case !c.Can(o.Card.Step):
		return host.CardStanding, nil
	}
	return "", nil
}

// carryCard does what was asked about a card.
func carryCard(tx *db.Tx, o *host.Order) error {
	c, _, err := findCard(tx, o.Institution, o.Card.Card)
	if err != nil {
		return err
	}
	c.State, _ = c.After(o.Card.Step)
	if o.Card.Step == host.ReorderCard || o.Card.Replace && c.Replacement == "" {
		fresh := successor(tx, &c, keyOf(o))
		if err := insertCard(tx, o.Institution, fresh); err != nil {
			return err
		}
		c.Replacement = fresh.ID
	}
	if o.Card.Step == host.ActivateCard && c.Replaces != "" {
		if err := retire(tx, o.Institution, c.Replaces); err != nil {
			return err
		}
	}
	return updateCard(tx, o.Institution, c)
}

// successor is a new card instead of one, with a number of its own: the same for
// the same order.
func successor(tx *db.Tx, c *host.Card, key string) host.Card {
	sum := fnv.New64a()
	sum.Write([]byte(string(c.ID) + " " + key)) // a hash takes whatever is written
	return host.Card{
		ID: host.CardID(fmt.Sprintf("crd_%016x", sum.Sum64())), Organization: c.Organization, Account: c.Account, Holder: c.Holder, Kind: c.Kind,
		LastFour: fmt.Sprintf("%04d", sum.Sum64()%10_000), Expires: tx.Now.AddDate(cardYears, 0, 0).Format("2006-01"),
		State: host.CardOrdered, Changed: tx.Now, Replaces: c.ID,
	}
}

// retire ends the card that another one replaces, unless it has ended.
func retire(tx *db.Tx, institution bank.InstitutionID, id host.CardID) error {
	old, known, err := findCard(tx, institution, id)
	if err != nil || !known || old.State != host.CardActive && old.State != host.CardLocked {
		return err
	}
	old.State = host.CardReplaced
	return updateCard(tx, institution, old)
}
