package approval

import (
	"errors"
	"fmt"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
)

const columns = `institution_id, organization_id, id, kind, ref, title, account_id, cents, state, content_hash, initiator_id, initiator_name,
	asked_micros, expires_micros, decider_id, decider_name, decided_micros, comment, side, overseer`

func scanItem(s db.Scanner) (i Item, err error) {
	var asked, expires, decided int64
	err = s.Scan(&i.Institution, &i.Organization, &i.ID, &i.Kind, &i.Ref, &i.Title, &i.Account, &i.Cents, &i.State, &i.Hash,
		&i.Initiator.ID, &i.Initiator.Name, &asked, &expires, &i.By.ID, &i.By.Name, &decided, &i.Comment, &i.side, &i.Overseer)
	i.Asked, i.Expires = time.UnixMicro(asked).UTC(), time.UnixMicro(expires).UTC()
	if decided > 0 {
		i.Decided = time.UnixMicro(decided).UTC()
	}
	return i, err
}

func insertItem(tx *db.Tx, i *Item) error {
	_, err := tx.Exec(`
		insert into approval_item (`+columns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, '', '', 0, '', $15, $16)`,
		i.Institution, i.Organization, i.ID, i.Kind, i.Ref, i.Title, i.Account, i.Cents, i.State, i.Hash, i.Initiator.ID, i.Initiator.Name,
		i.Asked.UnixMicro(), i.Expires.UnixMicro(), i.side, i.Overseer)
	if err != nil {
		return fmt.Errorf("store what waits: %w", err)
	}
	return nil
}

// updateItem keeps what can change.
func updateItem(tx *db.Tx, i *Item) error {
	_, err := tx.Exec(`
		update approval_item set state = $1, decider_id = $2, decider_name = $3, decided_micros = $4, comment = $5
		 where institution_id = $6 and organization_id = $7 and id = $8`,
		i.State, i.By.ID, i.By.Name, i.Decided.UnixMicro(), i.Comment, i.Institution, i.Organization, i.ID)
	if err != nil {
		return fmt.Errorf("update what waits: %w", err)
	}
	return nil
}

// find reads an item of an organization's people; there may be none.
func find(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, id string) (Item, bool, error) {
	return one(tx, `institution_id = $1 and organization_id = $2 and id = $3 and side = 'member'`, institution, organization, id)
}

// findOpen reads the item of a room's object that can still go out.
func findOpen(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, kind, ref string) (Item, bool, error) {
	return one(tx, `institution_id = $1 and organization_id = $2 and kind = $3 and ref = $4 and state in ('waiting', 'approved')`,
		institution, organization, kind, ref)
}

func one(tx *db.Tx, where string, args ...any) (Item, bool, error) {
	i, err := db.One(tx, scanItem, `select `+columns+` from approval_item where `+where, args...)
	if errors.Is(err, db.ErrNoRows) {
		return Item{}, false, nil
	}
	if err != nil {
		return Item{}, false, fmt.Errorf("read what waits: %w", err)
	}
	return i, true, nil
}

// listItems reads what can still go out, the most urgent first.
func listItems(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID) ([]Item, error) {
	items, err := db.All(tx, scanItem, `
		select `+columns+` from approval_item
		 where institution_id = $1 and organization_id = $2 and side = 'member' and state in ('waiting', 'approved') order by expires_micros, id limit $3`, institution, organization, MaxQueue)
	if err != nil {
		return nil, fmt.Errorf("list what waits: %w", err)
	}
	return items, nil
}

// listWaiting reads what waits, the most urgent first.
func listWaiting(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, most int) ([]Item, error) {
	items, err := db.All(tx, scanItem, `
		select `+columns+` from approval_item
		 where institution_id = $1 and organization_id = $2 and side = 'member' and state = 'waiting' order by expires_micros, id limit $3`, institution, organization, most)
	if err != nil {
		return nil, fmt.Errorf("read what waits: %w", err)
	}
	return items, nil
}

// overdue are items that have waited past their time, in the order of ids.
func overdue(tx *db.Tx, after string, most int) ([]Item, error) {
	items, err := db.All(tx, scanItem, `
		select `+columns+` from approval_item where state = 'waiting' and expires_micros <= $1 and id > $2 order by id limit $3`,
		tx.Now.UnixMicro(), after, most)
	if err != nil {
		return nil, fmt.Errorf("list what is overdue: %w", err)
	}
	return items, nil
}

// addHand notes that somebody made or edited a room's object. It is kept for
// good, over all the times that the object waits.
func addHand(tx *db.Tx, i *Item, member bank.UserID) error {
	if member == "" {
		return nil
	}
	_, err := tx.Exec(`
		insert into approval_hand (institution_id, organization_id, kind, ref, member_id) values ($1, $2, $3, $4, $5)
		on conflict (institution_id, organization_id, kind, ref, member_id) do nothing`,
		i.Institution, i.Organization, i.Kind, i.Ref, member)
	if err != nil {
		return fmt.Errorf("note who had a hand in it: %w", err)
	}
	return nil
}

// handsIn are all who made or edited a room's object.
func handsIn(tx *db.Tx, i *Item) ([]bank.UserID, error) {
	hands, err := db.All(tx, db.Value[bank.UserID], `
		select member_id from approval_hand
		 where institution_id = $1 and organization_id = $2 and kind = $3 and ref = $4 order by member_id`,
		i.Institution, i.Organization, i.Kind, i.Ref)
	if err != nil {
		return nil, fmt.Errorf("read who had a hand in it: %w", err)
	}
	return hands, nil
}
