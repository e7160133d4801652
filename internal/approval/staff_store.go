package approval

import (
	"cmp"
	"fmt"
	"slices"

	"mandate/internal/bank"
	"mandate/internal/db"
)

func findStaff(tx *db.Tx, institution bank.InstitutionID, id string) (Item, bool, error) {
	return one(tx, `institution_id = $1 and id = $2 and side = 'staff'`, institution, id)
}

// listStaff reads the items of a staff user's groups and their own, the most
// urgent first where they wait, the latest first where they are done.
func listStaff(tx *db.Tx, caller bank.Caller, groups []bank.GroupID, open bool) ([]Item, error) {
	items, err := listAsked(tx, caller, open)
	if err != nil {
		return nil, err
	}
	for _, group := range groups {
		some, err := listOverseen(tx, caller, group, open)
		if err != nil {
			return nil, err
		}
		items = append(items, some...)
	}
	slices.SortFunc(items, func(a, b Item) int {
		if open {
			return cmp.Or(a.Expires.Compare(b.Expires), cmp.Compare(a.ID, b.ID))
		}
		return cmp.Or(b.Decided.Compare(a.Decided), cmp.Compare(b.ID, a.ID))
	})
	return items[:min(len(items), maxStaffQueue)], nil
}

// listOverseen reads what others asked of a group.
func listOverseen(tx *db.Tx, caller bank.Caller, group bank.GroupID, open bool) ([]Item, error) {
	query := `select ` + columns + ` from approval_item
		 where institution_id = $1 and side = 'staff' and overseer = $2 and initiator_id <> $3 and state = 'waiting' order by expires_micros, id limit $4`
	if !open {
		query = `select ` + columns + ` from approval_item
		 where institution_id = $1 and side = 'staff' and overseer = $2 and initiator_id <> $3 and state <> 'waiting' order by expires_micros desc, id desc limit $4`
	}
	items, err := db.All(tx, scanItem, query, caller.Institution, group, caller.ID, maxStaffQueue)
	if err != nil {
		return nil, fmt.Errorf("list what waits for a group: %w", err)
	}
	return items, nil
}

// listAsked reads what somebody asked for themself.
func listAsked(tx *db.Tx, caller bank.Caller, open bool) ([]Item, error) {
	query := `select ` + columns + ` from approval_item
		 where institution_id = $1 and side = 'staff' and initiator_id = $2 and state = 'waiting' order by expires_micros, id limit $3`
	if !open {
		query = `select ` + columns + ` from approval_item
		 where institution_id = $1 and side = 'staff' and initiator_id = $2 and state <> 'waiting' order by expires_micros desc, id desc limit $3`
	}
	items, err := db.All(tx, scanItem, query, caller.Institution, caller.ID, maxStaffQueue)
	if err != nil {
		return nil, fmt.Errorf("list what somebody asked for: %w", err)
	}
	return items, nil
}

func countStaff(tx *db.Tx, caller bank.Caller, group bank.GroupID) (int, error) {
	n, err := db.One(tx, db.Value[int], `
		select count(*) from approval_item i
		 where i.institution_id = $1 and i.side = 'staff' and i.overseer = $2 and i.state = 'waiting' and i.initiator_id <> $3
		   and not exists (select 1 from approval_voice v where v.institution_id = i.institution_id and v.organization_id = i.organization_id
		                      and v.item_id = i.id and v.staff_id = $3)`, caller.Institution, group, caller.ID)
	if err != nil {
		return 0, fmt.Errorf("count what waits for staff: %w", err)
	}
	return n, nil
}

func addVoice(tx *db.Tx, i *Item, caller bank.Caller) error {
	_, err := tx.Exec(`
		insert into approval_voice (institution_id, organization_id, item_id, staff_id, staff_name, said_micros) values ($1, $2, $3, $4, $5, $6)`,
		i.Institution, i.Organization, i.ID, caller.ID, caller.Name, tx.Now.UnixMicro())
	if err != nil {
		return fmt.Errorf("note who agreed: %w", err)
	}
	return nil
}

// voicesIn are who has agreed, with their names.
func voicesIn(tx *db.Tx, i *Item) (map[bank.StaffID]string, error) {
	said := map[bank.StaffID]string{}
	_, err := db.All(tx, func(row db.Scanner) (id bank.StaffID, err error) {
		var name string
		err = row.Scan(&id, &name)
		said[id] = name
		return id, err
	}, `select staff_id, staff_name from approval_voice where institution_id = $1 and organization_id = $2 and item_id = $3`, i.Institution, i.Organization, i.ID)
	if err != nil {
		return nil, fmt.Errorf("read who agreed: %w", err)
	}
	return said, nil
}
