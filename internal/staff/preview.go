package staff

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/guard"
	"mandate/internal/identity"
)

// An Effect is what a change of a group means for one of its members. What
// another group gives anyway is neither gained nor lost.
type Effect struct {
	Row
	Gains, Loses catalog.StaffSet
	More, Less   []string // of what a product declares, in words
}

// A Preview is what saving a group would mean. Nothing has been saved.
type Preview struct {
	Draft    Draft // with the View rights that are ticked along
	Group    Group // as it is
	Effects  []Effect
	Product  Product // whose group it is, where it is one
	Factored []Row   // members who would need a second factor and have none
	Looked   int     // how many members were looked at, by name: the first maxPreviewed
	Members  int     // how many there are
}

// maxPreviewed is for how many members a preview says what they gain and lose.
const maxPreviewed = 100

// PreviewGroup says who would gain and lose what if a group were saved like
// this. It refuses what EditGroup would refuse, but asks for no proof.
func (s *Service) PreviewGroup(ctx context.Context, caller bank.Caller, id bank.GroupID, version int64, d Draft) (p Preview, err error) {
	d = d.whole()
	action := acting(EventGroupChanged, catalog.StaffGroupsEdit, groupTarget(id, d.Name))
	err = s.guard.Look(ctx, caller, action, func(v *guard.View) error {
		p = Preview{}
		if p.Group, d, err = s.editable(v.Tx, caller, id, version, d); err != nil {
			return err
		}
		p.Draft = d
		members, err := firstMembers(v.Tx, caller.Institution, id)
		if err != nil {
			return err
		}
		p.Looked, p.Members = len(members), p.Group.Members
		others, err := rightsBeside(v.Tx, caller.Institution, id)
		if err != nil {
			return err
		}
		for _, m := range members {
			before, after := others[m.ID]|p.Group.Permissions.Effective(), others[m.ID]|d.Permissions.Effective()
			if before != after {
				p.Effects = append(p.Effects, Effect{Row: m, Gains: after &^ before, Loses: before &^ after})
			}
		}
		if d.Product != "" {
			if err := p.productEffects(v.Tx, caller.Institution, members); err != nil {
				return err
			}
		}
		if d.SecondFactorFrom == "" || d.SecondFactorFrom == p.Group.SecondFactorFrom {
			return nil
		}
		p.Factored, err = withoutFactor(v.Tx, caller.Institution, members)
		return err
	})
	return p, err
}

// productEffects says who would gain and lose what of a product.
func (p *Preview) productEffects(tx *db.Tx, institution bank.InstitutionID, members []Row) (err error) {
	if p.Product, err = findProduct(tx, institution, p.Draft.Product); err != nil {
		return err
	}
	beside, err := heldBeside(tx, institution, p.Group.ID, p.Draft.Product)
	for _, m := range members {
		before, after := beside[m.ID].And(p.Group.Held), beside[m.ID].And(p.Draft.Held)
		if before != after {
			p.Effects = append(p.Effects, Effect{Row: m, More: p.Product.Labels(after.Without(before)), Less: p.Product.Labels(before.Without(after))})
		}
	}
	return err
}

// heldBeside is what those members hold of a product by their other groups.
func heldBeside(tx *db.Tx, institution bank.InstitutionID, id bank.GroupID, product bank.ApplicationID) (map[bank.StaffID]catalog.ProductSet, error) {
	held := map[bank.StaffID]catalog.ProductSet{}
	_, err := db.All(tx, func(row db.Scanner) (user bank.StaffID, err error) {
		var set catalog.ProductSet
		err = row.Scan(&user, &set)
		held[user] = held[user].And(set)
		return user, err
	}, `
		select o.staff_id, g.product_rights from staff_membership o
		  join staff_group g on g.institution_id = o.institution_id and g.id = o.group_id
		 where o.institution_id = $1 and o.group_id <> $2 and g.product = $4 and o.staff_id in (select u.id from staff_user u`+firstMembersOf+`)`,
		institution, id, maxPreviewed, product)
	if err != nil {
		return nil, fmt.Errorf("read what the members hold of the product beside: %w", err)
	}
	return held, nil
}

const firstMembersOf = `
	  join staff_membership m on m.institution_id = u.institution_id and m.staff_id = u.id
	 where u.institution_id = $1 and m.group_id = $2 order by u.name_key, u.id limit $3`

// firstMembers are the members of a group for whom a preview speaks.
func firstMembers(tx *db.Tx, institution bank.InstitutionID, group bank.GroupID) ([]Row, error) {
	rows, err := db.All(tx, scanMember, selectUser+firstMembersOf, institution, group, maxPreviewed)
	if err != nil {
		return nil, fmt.Errorf("read the group's first members: %w", err)
	}
	return rows, nil
}

// rightsBeside are what those members hold by their other groups.
func rightsBeside(tx *db.Tx, institution bank.InstitutionID, id bank.GroupID) (map[bank.StaffID]catalog.StaffSet, error) {
	sets, err := setsOfGroups(tx, institution)
	if err != nil {
		return nil, err
	}
	held := map[bank.StaffID]catalog.StaffSet{}
	_, err = db.All(tx, func(row db.Scanner) (user bank.StaffID, err error) {
		var other bank.GroupID
		err = row.Scan(&user, &other)
		held[user] |= sets[other].Effective()
		return user, err
	}, `
		select o.staff_id, o.group_id from staff_membership o
		 where o.institution_id = $1 and o.group_id <> $2 and o.staff_id in (select u.id from staff_user u`+firstMembersOf+`)`, institution, id, maxPreviewed)
	if err != nil {
		return nil, fmt.Errorf("read the members' other groups: %w", err)
	}
	return held, nil
}

func withoutFactor(tx *db.Tx, institution bank.InstitutionID, members []Row) (without []Row, err error) {
	have, err := identity.FactorHolders(tx, institution, identity.KindStaff)
	for _, m := range members {
		if !have[string(m.ID)] {
			without = append(without, m)
		}
	}
	return without, err
}

// A Source is a right somebody holds and the groups that grant it.
type Source struct {
	Permission catalog.StaffPermission
	Groups     []Group
}

// sources says of each right which groups grant it, in catalogue order.
func sources(groups []Group) []Source {
	by := map[catalog.StaffPermission][]Group{}
	for _, g := range groups {
		for p := range g.Permissions.Effective().All() {
			by[p] = append(by[p], g)
		}
	}
	var all []Source
	for _, p := range slices.Sorted(maps.Keys(by)) {
		all = append(all, Source{p, by[p]})
	}
	return all
}
