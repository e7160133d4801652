package positivepay

import (
	"errors"
	"fmt"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/host"
)

const itemColumns = `institution_id, organization_id, id, host_id, account_id, kind, day, number, cents, payee, mismatch, company, company_id, class, description,
	trace, sides, state, reason, note, by_kind, by_id, by_name, created_micros, decided_micros, settled_micros, attempt, reference, code, problem, version`

func scanItem(s db.Scanner) (i Item, err error) {
	var sides string
	var created, decided, settled int64
	err = s.Scan(&i.Institution, &i.Organization, &i.ID, &i.hostID, &i.Account, &i.Kind, &i.Day, &i.Number, &i.Cents, &i.Payee, &i.Mismatch, &i.Company, &i.CompanyID,
		&i.Class, &i.Description, &i.Trace, &sides, &i.State, &i.Reason, &i.Note, &i.By.Kind, &i.By.ID, &i.By.Name, &created, &decided, &settled, &i.Attempt,
		&i.Reference, &i.Code, &i.Problem, &i.Version)
	i.Created, i.Decided, i.Settled = moment(created), moment(decided), moment(settled)
	for _, side := range strings.Fields(sides) {
		i.Sides = append(i.Sides, host.Side(side))
	}
	return i, err
}

// insertItem keeps an item that is not there yet.
func insertItem(tx *db.Tx, i *Item) (fresh bool, err error) {
	sides := make([]string, len(i.Sides))
	for n, side := range i.Sides {
		sides[n] = string(side)
	}
	n, err := tx.Exec(`
		insert into arp_item (`+itemColumns+`, payee_key)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, '', '', '', '', '', $19, 0, 0, 0, '', '', '', 1, $20)
		on conflict (institution_id, host_id) do nothing`,
		i.Institution, i.Organization, i.ID, i.hostID, i.Account, i.Kind, i.Day, i.Number, i.Cents, i.Payee, i.Mismatch, i.Company, i.CompanyID,
		i.Class, i.Description, i.Trace, strings.Join(sides, " "), i.State, i.Created.UnixMicro(), db.Fold(i.Payee+" "+i.Company))
	if err != nil {
		return false, fmt.Errorf("keep the item: %w", err)
	}
	return n == 1, nil
}

// updateItem keeps what can change.
func updateItem(tx *db.Tx, i *Item) error {
	_, err := tx.Exec(`
		update arp_item set state = $1, reason = $2, note = $3, by_kind = $4, by_id = $5, by_name = $6, decided_micros = $7, settled_micros = $8, attempt = $9,
		       reference = $10, code = $11, problem = $12, version = $13
		 where institution_id = $14 and organization_id = $15 and id = $16`,
		i.State, i.Reason, i.Note, i.By.Kind, i.By.ID, i.By.Name, micros(i.Decided), micros(i.Settled), i.Attempt, i.Reference, i.Code, i.Problem, i.Version,
		i.Institution, i.Organization, i.ID)
	if err != nil {
		return fmt.Errorf("update the item: %w", err)
	}
	return nil
}

func findItem(tx *db.Tx, at place, id ItemID) (Item, bool, error) {
	i, err := db.One(tx, scanItem, `select `+itemColumns+` from arp_item where institution_id = $1 and organization_id = $2 and id = $3`, at.institution, at.organization, id)
	if errors.Is(err, db.ErrNoRows) {
		return Item{}, false, nil
	}
	if err != nil {
		return Item{}, false, fmt.Errorf("read the item: %w", err)
	}
	return i, true, nil
}

// due is where a look at what waits has come to.
type due struct {
	day bank.Day
	id  ItemID
}

// dueItems are those that wait for a decision and whose day is before another.
func dueItems(tx *db.Tx, after due, before bank.Day, most int) ([]Item, error) {
	all, err := db.All(tx, scanItem, `
		select `+itemColumns+` from arp_item where state in ('open', 'refused') and day < $1 and (day, id) > ($2, $3) order by day, id limit $4`,
		before, after.day, after.id, most)
	if err != nil {
		return nil, fmt.Errorf("read what nobody decided: %w", err)
	}
	return all, nil
}

func markOf(tx *db.Tx, institution bank.InstitutionID) (string, error) {
	mark, err := db.One(tx, db.Value[string], `select mark from arp_mark where institution_id = $1`, institution)
	if errors.Is(err, db.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read how far the host was listened to: %w", err)
	}
	return mark, nil
}

func putMark(tx *db.Tx, institution bank.InstitutionID, mark string) error {
	_, err := tx.Exec(`insert into arp_mark (institution_id, mark) values ($1, $2) on conflict (institution_id) do update set mark = excluded.mark`, institution, mark)
	if err != nil {
		return fmt.Errorf("keep how far the host was listened to: %w", err)
	}
	return nil
}
