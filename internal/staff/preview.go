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
}

// A Preview is what saving a group would mean. Nothing has been saved.
type Preview struct {
	Draft    Draft // with the View rights that are ticked along
	Group    Group // as it is
	Effects  []Effect
	Factored []Row // members who would need a second factor and have none
}

// PreviewGroup says who would gain and lose what if a group were saved like
// this. It refuses what EditGroup would refuse, but asks for no proof.
func (s *Service) PreviewGroup(ctx context.Context, caller bank.Caller, id bank.GroupID, version int64, d Draft) (p Preview, err error) {
	d = d.whole()
	action := acting(EventGroupChanged, catalog.StaffGroupsEdit, groupTarget(id, d.Name))
	err = s.guard.Look(ctx, caller, action, func(v *guard.View) error {
		p = Preview{Draft: d}
		if p.Group, err = s.editable(v.Tx, caller, id, version, d); err != nil {
			return err
		}
		members, err := everyMember(v.Tx, caller.Institution, id)
		if err != nil {
			return err
		}
		others, err := rightsBeside(v.Tx, caller.Institution, id)
		if err != nil {
			return err
		}
		for _, m := range members {
			before, after := others[m.ID]|p.Group.Permissions.Effective(), others[m.ID]|d.Permissions.Effective()
			if before != after {
				p.Effects = append(p.Effects, Effect{m, after &^ before, before &^ after})
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

// rightsBeside are what the members of a group hold by their other groups.
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
		select o.staff_id, o.group_id from staff_membership m
		  join staff_membership o on o.institution_id = m.institution_id and o.staff_id = m.staff_id and o.group_id <> m.group_id
		 where m.institution_id = $1 and m.group_id = $2`, institution, id)
	if err != nil {
		return nil, fmt.Errorf("read the members' other groups: %w", err)
	}
	return held, nil
}

func withoutFactor(tx *db.Tx, institution bank.InstitutionID, members []Row) (without []Row, err error) {
	holders, err := identity.FactorHolders(tx, institution, identity.KindStaff)
	for _, m := range members {
		if !holders[string(m.ID)] {
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
