package approval

import (
	"slices"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// OpenOf lists what would be stuck without a member: what waits or is approved
// in their name, since the initiator is judged again before anything goes out;
// and what waits for an approval that nobody else may give.
func (s *Service) OpenOf(tx *db.Tx, load guard.Loader, institution bank.InstitutionID, organization bank.OrganizationID, member bank.UserID) (made, alone []Item, err error) {
	items, err := listItems(tx, institution, organization)
	if err != nil {
		return nil, nil, err
	}
	var others []Item
	var matters []Matter
	var scope entitlement.Scope
	for _, item := range items {
		if item.Initiator.ID == member {
			made = append(made, item)
			continue
		}
		if item.State != Waiting {
			continue
		}
		matter, found, err := s.matterOf(tx, &item)
		if err != nil {
			return nil, nil, err
		}
		if found && matter.Hash() == item.Hash { // otherwise nobody can approve it
			others, matters, scope = append(others, item), append(matters, matter), scope.And(matter.Scope())
		}
	}
	if len(others) == 0 {
		return made, nil, nil
	}
	policy, err := load(tx, institution, organization, scope)
	if err != nil {
		return nil, nil, err
	}
	for i := range others {
		hands, err := handsIn(tx, &others[i])
		if err != nil {
			return nil, nil, err
		}
		if slices.Equal(Approvers(policy, &matters[i], hands, tx.Now), []bank.UserID{member}) {
			alone = append(alone, others[i])
		}
	}
	return made, alone, nil
}

// matterOf reads what an item is about; its object may be gone.
func (s *Service) matterOf(tx *db.Tx, item *Item) (m Matter, found bool, err error) {
	k, err := s.kind(item.Kind)
	if err != nil {
		return m, false, err
	}
	m, err = k.Matter(tx, item.Institution, item.Organization, item.Ref)
	if fault.KindOf(err) == fault.NotFound {
		return m, false, nil
	}
	return m, err == nil, err
}
