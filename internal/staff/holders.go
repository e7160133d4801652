package staff

import (
	"fmt"
	"net/url"
	"slices"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/identity"
)

// holders are the active staff users who hold a permission, by name.
func holders(tx *db.Tx, institution bank.InstitutionID, p catalog.StaffPermission) ([]Row, error) {
	groups, err := listGroups(tx, institution)
	if err != nil {
		return nil, err
	}
	var all []Row
	for _, g := range groups {
		if !g.Permissions.Effective().Has(p) {
			continue
		}
		members, err := everyMember(tx, institution, g.ID)
		if err != nil {
			return nil, err
		}
		for _, m := range members {
			known := slices.ContainsFunc(all, func(r Row) bool { return r.ID == m.ID })
			if m.Status == bank.StatusActive && !known {
				all = append(all, m)
			}
		}
	}
	return all, nil
}

// TellHolders queues a letter for everybody who holds a permission. page is
// behind the sign-in, below the institution's address.
func (t Teller) TellHolders(tx *db.Tx, institution bank.InstitutionID, p catalog.StaffPermission, page string, m identity.Mail) error {
	house, err := t.House(tx, institution)
	if err != nil {
		return fmt.Errorf("find the institution: %w", err)
	}
	people, err := holders(tx, institution, p)
	if err != nil {
		return err
	}
	key := m.Key
	for _, to := range people {
		m.Key, m.Kind, m.Institution = key+" "+string(to.ID), identity.KindStaff, institution
		m.To, m.Name, m.From = to.Email, to.Name(), house.Name
		m.Button, m.Page = "Look at it", "/"+url.PathEscape(string(institution))+page
		if err := t.Mailer.Queue(tx, m); err != nil {
			return fmt.Errorf("queue a notice: %w", err)
		}
	}
	return nil
}
