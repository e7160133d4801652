package hostsync

import (
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/host"
	"mandate/internal/usermgmt"
)

// Everybody is who is in the organizations of an institution that have accounts,
// as the host is told of them: what a host is filled with that is to know what
// we know.
func Everybody(tx *db.Tx, institution bank.InstitutionID) (all []host.User, err error) {
	accounts, err := usermgmt.EveryAccount(tx, institution)
	if err != nil {
		return nil, err
	}
	done := map[bank.OrganizationID]bool{}
	for _, a := range accounts {
		if done[a.Organization] {
			continue
		}
		done[a.Organization] = true
		members, err := everybodyOf(tx, institution, a.Organization)
		if err != nil {
			return nil, err
		}
		all = append(all, members...)
	}
	return all, nil
}

func everybodyOf(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID) (all []host.User, err error) {
	members, err := usermgmt.MembersOf(tx, institution, organization)
	if err != nil {
		return nil, err
	}
	edition, profiles, err := statesOf(tx, institution, organization, members...)
	if err != nil {
		return nil, err
	}
	for i, id := range members {
		u := stated(edition, &profiles[i])
		if u.Ref == "" {
			u.Ref = host.Ref(id)
		}
		all = append(all, u)
	}
	return all, nil
}
