package hostsync

import (
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/host"
	"mandate/internal/usermgmt"
)

// Everybody is who is in an organization, as the host is told of them: what a
// host is filled with that is to know what we know.
func Everybody(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID) (all []host.User, err error) {
	members, err := usermgmt.MembersOf(tx, institution, organization)
	if err != nil {
		return nil, err
	}
	for _, id := range members {
		edition, profile, err := stateOf(tx, institution, organization, id)
		if err != nil {
			return nil, err
		}
		u := stated(edition, &profile)
		if u.Ref == "" {
			u.Ref = host.Ref(id)
		}
		all = append(all, u)
	}
	return all, nil
}
