package usermgmt

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/usage"
)

// A PastMismatch is something kept of the past that is not what it must be.
type PastMismatch struct {
	Institution  bank.InstitutionID
	Organization bank.OrganizationID // empty: the institution's own
	What         string
}

// VerifyPast proves for every organization, or for those of one institution, that
// everything kept is what was written, where it was written, and that the newest
// of it is what is stored now: nothing that decisions are made of was changed
// without being kept. It reads everything.
func VerifyPast(tx *db.Tx, institution bank.InstitutionID) (wrong []PastMismatch, err error) {
	organizations, err := db.All(tx, func(s db.Scanner) (k keeper, err error) {
		err = s.Scan(&k.institution, &k.organization, &k.num)
		return k, err
	}, `
		select o.institution_id, o.id, o.num from organization o
		 where ($1 = '' or o.institution_id = $1) and exists (
			select 1 from past_known k where k.institution_id = o.institution_id and k.organization_id = o.id)
		 order by o.num`, institution)
	if err != nil {
		return nil, fmt.Errorf("find what is kept of the past: %w", err)
	}
	for _, k := range organizations {
		k.tx = tx
		differs, err := k.broken()
		if err == nil && len(differs) == 0 {
			differs, err = k.differs()
		}
		if err != nil {
			return nil, fmt.Errorf("compare what is kept of %s: %w", k.organization, err)
		}
		for _, what := range differs {
			wrong = append(wrong, PastMismatch{k.institution, k.organization, what})
		}
	}
	institutions, err := Institutions(tx)
	for _, i := range institutions {
		if institution != "" && institution != i.ID || err != nil {
			continue
		}
		var differs []string
		if differs, err = broken(tx, pastPlace{kind: ofInstitution, institution: i.ID}, `
			select 0, sequence, state from past_institution where institution_id = $1 order by sequence`, i.ID); err != nil {
			break
		}
		for _, what := range differs {
			wrong = append(wrong, PastMismatch{i.ID, "", what})
		}
		if len(differs) > 0 {
			continue
		}
		var kept []byte
		if kept, err = newestOf(tx, pastPlace{kind: ofInstitution, institution: i.ID}, `
			select sequence, state from past_institution where institution_id = $1 order by sequence desc limit 1`, i.ID); err != nil {
			break
		}
		is := pastInstitution{i.Edition, i.TimeZone, i.Offers}
		if kept != nil && !bytes.Equal(kept, is.pack()) {
			wrong = append(wrong, PastMismatch{i.ID, "", "what is kept of the institution is not what is stored"})
		}
	}
	return wrong, err
}

// broken says what was kept of an organization and is not what was written.
func (k *keeper) broken() ([]string, error) {
	organization, err1 := broken(k.tx, pastPlace{kind: ofOrganization, num: k.num}, `
		select 0, sequence, state from past_organization where organization_num = $1 order by sequence`, k.num)
	accounts, err2 := broken(k.tx, pastPlace{kind: ofAccount, num: k.num}, `
		select ordinal, sequence, state from past_account where organization_num = $1 order by ordinal, sequence`, k.num)
	members, err3 := broken(k.tx, pastPlace{kind: ofMember, num: k.num}, `
		select ordinal, sequence, state from past_member where organization_num = $1 order by ordinal, sequence`, k.num)
	return slices.Concat(organization, accounts, members), errors.Join(err1, err2, err3)
}

func broken(tx *db.Tx, at pastPlace, query string, of any) (wrong []string, err error) {
	_, err = db.All(tx, func(s db.Scanner) (none struct{}, err error) {
		var kept []byte
		if err := s.Scan(&at.ordinal, &at.sequence, &kept); err != nil {
			return none, err
		}
		state, err := at.open(kept)
		if err == nil {
			err = at.kind.reads(state)
		}
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("what was kept of %s at event %d is not what was written", at.what(), at.sequence))
		}
		return none, nil
	}, query, of)
	return wrong, err
}

// reads reports whether a state can be read.
func (k pastKind) reads(state []byte) (err error) {
	switch {
	case k == ofInstitution:
		_, err = unpackInstitution(state)
	case k == ofOrganization:
		_, err = unpackOrganization(state)
	case k == ofAccount:
		_, err = unpackAccount(state)
	case len(state) > 0: // otherwise they were gone
		_, err = unpackMember(state)
	}
	return err
}

// what names a place to whoever verifies.
func (p pastPlace) what() string {
	switch p.kind {
	case ofInstitution:
		return "the institution"
	case ofOrganization:
		return "the organization's own level"
	case ofAccount:
		return fmt.Sprintf("account number %d", p.ordinal)
	}
	return fmt.Sprintf("member number %d", p.ordinal)
}

// differs says what of an organization is not kept as it is stored.
func (k *keeper) differs() (all []string, err error) {
	o, err := FindOrganization(k.tx, k.institution, k.organization)
	if err != nil {
		return nil, err
	}
	kept, err := newestOf(k.tx, pastPlace{kind: ofOrganization, num: k.num}, `
		select sequence, state from past_organization where organization_num = $1 order by sequence desc limit 1`, k.num)
	if err != nil {
		return nil, err
	}
	if is := (&pastOrganization{o.Entitlements, o.Ceilings}); !bytes.Equal(kept, is.pack()) {
		all = append(all, "what is kept of the organization's own level is not what is stored")
	}
	accounts, err := accountsByName(k.tx, k.num)
	if err != nil {
		return nil, err
	}
	states, err := newest(k.tx, ofAccount, k.num, newestAccounts)
	if err != nil {
		return nil, err
	}
	for _, a := range accounts {
		is := pastAccount{a.ID, a.Target().Name, a.Off}
		if !bytes.Equal(states[a.Ordinal], is.pack()) {
			all = append(all, fmt.Sprintf("what is kept of the account %s is not what is stored", a.ID))
		}
	}
	members, err := membersNow(k.tx, k.num, nil, true)
	if err != nil {
		return nil, err
	}
	if states, err = newest(k.tx, ofMember, k.num, newestMembers); err != nil {
		return nil, err
	}
	for _, m := range members {
		if !bytes.Equal(states[m.ordinal], m.state.pack()) {
			all = append(all, fmt.Sprintf("what is kept of the member %s is not what is stored", m.state.id))
		}
		delete(states, m.ordinal)
	}
	for ordinal, state := range states {
		if len(state) > 0 {
			all = append(all, fmt.Sprintf("member number %d is kept as if they were there", ordinal))
		}
	}
	point, err := activity.Next(k.tx, k.institution, k.organization)
	if err != nil {
		return nil, err
	}
	noted, err := usage.NotedWrong(k.tx, k.institution, k.organization, point-1)
	return append(all, noted...), err
}
