package staff

import (
	"fmt"
	"slices"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/identity"
)

// Rights tells the guard what staff users may do. It needs nothing but the
// transaction, so that the guard can be built before the room.
type Rights struct{}

var _ guard.StaffRights = Rights{}

// StaffMay reports whether an active staff user holds a permission now.
func (Rights) StaffMay(tx *db.Tx, institution bank.InstitutionID, staff bank.StaffID, permission string) (bool, error) {
	held, err := rightsOf(tx, institution, staff)
	return err == nil && held.Has(catalog.ParseStaffPermission(permission)), err
}

// rightsOf are what an active staff user holds: the union of their groups.
// Nobody else holds anything.
func rightsOf(tx *db.Tx, institution bank.InstitutionID, staff bank.StaffID) (catalog.StaffSet, error) {
	sets, err := db.All(tx, scanSet, `
		select g.permissions from staff_user u
		  join staff_membership m on m.institution_id = u.institution_id and m.staff_id = u.id
		  join staff_group g on g.institution_id = m.institution_id and g.id = m.group_id
		 where u.institution_id = $1 and u.id = $2 and `+statusNow+` = $3`, institution, staff, bank.StatusActive)
	if err != nil {
		return 0, fmt.Errorf("read the staff user's rights: %w", err)
	}
	return union(sets), nil
}

func scanSet(row db.Scanner) (catalog.StaffSet, error) {
	var names string
	err := row.Scan(&names)
	return parseSet(names), err
}

// parseSet reads stored names. A name that this program does not know gives
// nothing.
func parseSet(names string) catalog.StaffSet {
	var permissions []catalog.StaffPermission
	for id := range strings.FieldsSeq(names) {
		permissions = append(permissions, catalog.ParseStaffPermission(id))
	}
	return catalog.StaffSetOf(permissions...)
}

// union is what groups give together.
func union(sets []catalog.StaffSet) (all catalog.StaffSet) {
	for _, s := range sets {
		all |= s.Effective()
	}
	return all
}

// grantable are the rights up to which the caller may act on others: what they
// hold themself, and a directory's reach. The operator stands above the groups.
func grantable(tx *db.Tx, caller bank.Caller) (own holding, err error) {
	switch caller.Kind {
	case bank.ActorClient:
		d, err := directoryOf(tx, caller)
		return d.reach(), err
	case bank.ActorOperator:
		return holding{everything: true}, nil
	}
	id := bank.StaffID(caller.ID)
	held, err := rightsOf(tx, caller.Institution, id)
	if err != nil || held == 0 {
		return own, err
	}
	groups, err := groupsOf(tx, caller.Institution, id)
	if err != nil {
		return own, err
	}
	own = rightsIn(groups)
	own.anyProduct = held.Covers(firstGivers)
	federates, err := identity.Federates(tx, caller.Institution)
	if !federates { // everybody may sign in: whoever lets others does not give more
		own.rights |= catalog.StaffSignIns
	}
	return own, err
}

// above refuses what reaches above the caller. doing is a sentence's beginning:
// "You can't give".
func above(tx *db.Tx, caller bank.Caller, doing string, h holding) error {
	own, err := grantable(tx, caller)
	if err != nil {
		return err
	}
	beyond := h.without(own)
	if beyond.none() {
		return nil
	}
	missing, err := beyond.labels(tx, caller.Institution)
	if err != nil {
		return err
	}
	if caller.Kind == bank.ActorClient {
		return protected(doing, missing)
	}
	return fault.Newf(fault.Forbidden, "%s rights that you do not hold yourself: %s. Somebody who holds them can.", doing, inWords(missing)).With("ABOVE_OWN")
}

// protected refuses a directory what lies beyond its reach.
func protected(doing string, rights []string) error {
	return fault.Newf(fault.Forbidden, "%s rights beyond the directory’s reach: %s. An administrator can, in Users & Groups.", doing, inWords(rights)).With("PROTECTED")
}

const maxInWords = 4

// inWords names a few things of a list.
func inWords(names []string) string {
	if len(names) > maxInWords {
		return strings.Join(names[:maxInWords], ", ") + fmt.Sprintf(" and %d more", len(names)-maxInWords)
	}
	return strings.Join(names, ", ")
}

// administrators are the staff users who could administer now: active, with all
// that administering takes, and permitted to sign in here.
func administrators(tx *db.Tx, institution bank.InstitutionID) ([]bank.StaffID, error) {
	groups, err := setsOfGroups(tx, institution)
	if err != nil {
		return nil, err
	}
	all, err := db.All(tx, scanMembership, `
		select m.staff_id, m.group_id from staff_membership m
		  join staff_user u on u.institution_id = m.institution_id and u.id = m.staff_id
		 where m.institution_id = $1 and `+statusNow+` = $2`, institution, bank.StatusActive)
	if err != nil {
		return nil, fmt.Errorf("read the memberships: %w", err)
	}
	federates, err := identity.Federates(tx, institution)
	if err != nil {
		return nil, err
	}
	held := map[bank.StaffID]catalog.StaffSet{}
	for _, m := range all {
		held[m.user] |= groups[m.group].Effective()
	}
	needed := catalog.StaffAdministration
	if federates { // a provider can fail, and then only these could still come in
		needed |= catalog.StaffSetOf(catalog.StaffSignInHere)
	}
	var usable []bank.StaffID
	for id, rights := range held {
		if rights.Covers(needed) {
			usable = append(usable, id)
		}
	}
	slices.Sort(usable)
	return usable, nil
}

func setsOfGroups(tx *db.Tx, institution bank.InstitutionID) (map[bank.GroupID]catalog.StaffSet, error) {
	sets := map[bank.GroupID]catalog.StaffSet{}
	_, err := db.All(tx, func(row db.Scanner) (id bank.GroupID, err error) {
		var names string
		err = row.Scan(&id, &names)
		sets[id] = parseSet(names)
		return id, err
	}, `select id, permissions from staff_group where institution_id = $1`, institution)
	if err != nil {
		return nil, fmt.Errorf("read the groups' rights: %w", err)
	}
	return sets, nil
}

// keepingAdministrators makes a change that may take rights or people away, and
// refuses it where nobody would be left who could administer.
func keepingAdministrators(c *guard.Change, change func() error) error {
	before, err := administrators(c.Tx, c.Caller.Institution)
	if err != nil {
		return err
	}
	if err := change(); err != nil {
		return err
	}
	after, err := administrators(c.Tx, c.Caller.Institution)
	if err != nil {
		return err
	}
	if len(before) > 0 && len(after) == 0 {
		return fault.New(fault.Conflict, "Nobody who can sign in now would be left to administer Users & Groups, so nothing was changed. Give somebody else these rights first: "+
			inWords(catalog.StaffAdministration.Labels())+".").With("LAST_ADMINISTRATOR")
	}
	return nil
}
