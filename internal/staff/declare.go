package staff

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// Declared is what a product declares now; false where it declares nothing.
func (Rights) Declared(tx *db.Tx, institution bank.InstitutionID, id bank.ApplicationID) (catalog.Declaration, bool, error) {
	p, err := findProduct(tx, institution, id)
	if errors.Is(err, errNoProduct) {
		return catalog.Declaration{}, false, nil
	}
	return p.Declaration, err == nil, err
}

// Effects says what a new declaration means for the product's groups, those
// that it changes only. It refuses a version that is not later.
func (Rights) Effects(tx *db.Tx, institution bank.InstitutionID, id bank.ApplicationID, d catalog.Declaration) (effects []catalog.GroupEffect, err error) {
	was, there, err := Rights{}.Declared(tx, institution, id)
	if err != nil {
		return nil, err
	}
	if there && d.Version <= was.Version && !reflect.DeepEqual(d, was) {
		return nil, fault.Newf(fault.Conflict, "Version %d is declared already. What declares something else needs a higher version.", was.Version).With("VERSION")
	}
	err = refit(tx, institution, id, d, func(g Group, now catalog.ProductSet) error {
		effects = append(effects, catalog.GroupEffect{ID: g.ID, Name: g.Name, Members: g.Members,
			Gains: d.Labels(now.Without(g.Held)), Loses: was.Labels(g.Held.Without(now))})
		return nil
	})
	return effects, err
}

// refit finds the groups of a product whose rights become others by what it
// declares.
func refit(tx *db.Tx, institution bank.InstitutionID, id bank.ApplicationID, d catalog.Declaration, change func(g Group, now catalog.ProductSet) error) error {
	groups, err := groupsOfProduct(tx, institution, id)
	if err != nil {
		return err
	}
	for _, g := range groups {
		if now := d.Fit(g.Held); now != g.Held {
			if err := change(g, now); err != nil {
				return err
			}
		}
	}
	return nil
}

func groupsOfProduct(tx *db.Tx, institution bank.InstitutionID, id bank.ApplicationID) ([]Group, error) {
	groups, err := db.All(tx, scanGroup, selectGroup+` where g.institution_id = $1 and g.product = $2 order by g.name_key`, institution, id)
	if err != nil {
		return nil, fmt.Errorf("list the product's groups: %w", err)
	}
	return groups, nil
}

// Declare stores what a product declares, and takes from its groups what it no
// longer does, all in one change.
func (Rights) Declare(c *guard.Change, id bank.ApplicationID, name string, d catalog.Declaration) error {
	text, err := json.Marshal(d.Permissions)
	if err != nil {
		return fmt.Errorf("store the declaration: %w", err)
	}
	institution := c.Caller.Institution
	_, err = c.Tx.Exec(`
		insert into staff_product (institution_id, application_id, name, version, permissions, declared_micros)
		values ($1, $2, $3, $4, $5, $6)
		on conflict (institution_id, application_id) do update
		   set name = excluded.name, version = excluded.version, permissions = excluded.permissions, declared_micros = excluded.declared_micros`,
		institution, id, name, d.Version, string(text), c.Tx.Now.UnixMicro())
	if err != nil {
		return fmt.Errorf("store the declaration: %w", err)
	}
	return refit(c.Tx, institution, id, d, func(g Group, now catalog.ProductSet) error {
		to := g.Draft
		to.Held = now
		return changeGroup(c, g, to)
	})
}

func changeGroup(c *guard.Change, g Group, to Draft) error {
	if err := updateGroup(c.Tx, c.Caller.Institution, g.ID, to); err != nil {
		return err
	}
	c.RecordAs(EventGroupChanged, groupTarget(g.ID, g.Name), "", to.changes(g.Draft)...)
	return nil
}

// Renamed has a product be called as its application is.
func (Rights) Renamed(tx *db.Tx, institution bank.InstitutionID, id bank.ApplicationID, name string) error {
	if _, err := tx.Exec(`update staff_product set name = $1 where institution_id = $2 and application_id = $3`, name, institution, id); err != nil {
		return fmt.Errorf("rename the product: %w", err)
	}
	return nil
}

// Dependents are the groups of a product, each with what it would lose if the
// product were gone.
func (Rights) Dependents(tx *db.Tx, institution bank.InstitutionID, id bank.ApplicationID) (effects []catalog.GroupEffect, err error) {
	was, _, err := Rights{}.Declared(tx, institution, id)
	if err != nil {
		return nil, err
	}
	groups, err := groupsOfProduct(tx, institution, id)
	for _, g := range groups {
		effects = append(effects, catalog.GroupEffect{ID: g.ID, Name: g.Name, Members: g.Members, Loses: was.Labels(g.Held)})
	}
	return effects, err
}

// Forget removes a product. Its groups stay, so that nobody is left without
// one, and permit nothing.
func (Rights) Forget(c *guard.Change, id bank.ApplicationID) error {
	groups, err := groupsOfProduct(c.Tx, c.Caller.Institution, id)
	if err != nil {
		return err
	}
	for _, g := range groups {
		to := g.Draft
		to.Product, to.Held = "", ""
		if err := changeGroup(c, g, to); err != nil {
			return err
		}
	}
	if _, err := c.Tx.Exec(`delete from staff_product where institution_id = $1 and application_id = $2`, c.Caller.Institution, id); err != nil {
		return fmt.Errorf("remove the product: %w", err)
	}
	return nil
}
