package usermgmt

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/pdp"
	"mandate/internal/usage"
)

// BeforeKnown is the code of a refusal to say what was: it was before anything
// was kept here.
const BeforeKnown = "BEFORE_KNOWN"

var (
	errBeforeKnown = fault.New(fault.NotFound, "What was at that moment is not known here: it lies before the organization, or before this version of the program began to keep it.").With(BeforeKnown)
	errFuture      = fault.New(fault.Invalid, "That moment has not come yet. Ask about one that has passed.")
	errNoRevision  = fault.New(fault.NotFound, "There never was such a revision here.")
)

// A then is an organization at a moment in the past: where its chain and its
// institution's stood.
type then struct {
	tx           *db.Tx
	institution  bank.InstitutionID
	organization bank.OrganizationID
	num          int64
	above, own   activity.Point // in the institution's chain and in the organization's
	now          time.Time
	everybody    []pastMember // once they were read
}

// thenAt finds an organization at a moment.
func thenAt(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, past pdp.Past) (*then, error) {
	t := &then{tx: tx, institution: institution, organization: organization, now: past.Time}
	var err error
	switch {
	case past.Time.After(tx.Now):
		return nil, errFuture
	case past.Revision.IsZero():
		if t.above, err = activity.PointAt(tx, institution, "", past.Time); err == nil {
			t.own, err = activity.PointAt(tx, institution, organization, past.Time)
		}
	case past.Revision.Institution != institution || past.Revision.Organization != organization:
		return nil, errNoRevision
	default:
		if t.above, err = activity.PointOf(tx, institution, "", past.Revision.OfInstitution); err == nil {
			t.own, err = activity.PointOf(tx, institution, organization, past.Revision.OfOrganization)
		}
		if t.now = t.own.Time; t.above.Time.After(t.now) {
			t.now = t.above.Time
		}
	}
	switch {
	case errors.Is(err, activity.ErrNoPoint):
		return nil, errNoRevision
	case errors.Is(err, activity.ErrNoStream):
		return nil, ErrNoOrganization
	case err != nil:
		return nil, err
	}
	return t, t.known(past)
}

// known refuses a moment of which not everything is known.
func (t *then) known(past pdp.Past) error {
	for organization, point := range map[bank.OrganizationID]*activity.Point{"": &t.above, t.organization: &t.own} {
		var from, since int64
		err := t.tx.QueryRow(`
			select coalesce(min(sequence), -1), coalesce(min(since_micros), 0) from past_known where institution_id = $1 and organization_id = $2`,
			t.institution, organization).Scan(&from, &since)
		if err != nil {
			return fmt.Errorf("find from where on the past is known: %w", err)
		}
		if from >= 0 && point.Sequence < from && !past.Revision.IsZero() {
			// Later events of the same revision changed no setting.
			same, err := activity.RevisionAt(t.tx, t.institution, organization, activity.Point{Sequence: from})
			if err != nil {
				return err
			}
			if was, err := activity.RevisionAt(t.tx, t.institution, organization, *point); err != nil {
				return err
			} else if was == same {
				point.Sequence = from
			}
		}
		if from < 0 || point.Sequence < from || past.Revision.IsZero() && past.Time.UnixMicro() < since {
			return errBeforeKnown
		}
	}
	num, err := db.One(t.tx, db.Value[int64], `select num from organization where institution_id = $1 and id = $2`, t.institution, t.organization)
	t.num = num
	return err
}

// policy is LoadPolicy of the moment.
func (t *then) policy(scope entitlement.Scope) (*entitlement.Policy, error) {
	p := &entitlement.Policy{Accounts: map[bank.AccountID]entitlement.Account{}, Members: map[bank.UserID]*entitlement.Member{}}
	if err := t.levels(p); err != nil {
		return nil, err
	}
	accounts, err := t.accounts()
	if err != nil {
		return nil, err
	}
	ids := map[int64]bank.AccountID{}
	for ordinal, a := range accounts {
		if scope.AllAccounts || slices.Contains(scope.Accounts, a.id) {
			p.Accounts[a.id], ids[ordinal] = entitlement.Account{ID: a.id, Off: a.off}, a.id
		}
	}
	members, err := t.members(scope)
	if err != nil {
		return nil, err
	}
	for _, m := range members {
		is := m.member(ids)
		p.Members[m.id] = is
		if is.UsableAdmin() {
			p.UsableAdmins = append(p.UsableAdmins, m.id)
		}
	}
	return p, nil
}

func (m *pastMember) member(accounts map[int64]bank.AccountID) *entitlement.Member {
	is := &entitlement.Member{ID: m.id, Role: m.role, Status: m.status, Held: m.held, Settings: m.settings, Accounts: map[bank.AccountID]entitlement.Settings{}}
	for _, a := range m.accounts {
		if id, in := accounts[a.account]; in {
			is.Accounts[id] = a.settings
		}
	}
	return is
}

func (t *then) levels(p *entitlement.Policy) error {
	state, err := newestOf(t.tx, pastPlace{kind: ofInstitution, institution: t.institution}, `
		select sequence, state from past_institution where institution_id = $1 and sequence <= $2 order by sequence desc limit 1`, t.institution, t.above.Sequence)
	if err != nil {
		return fmt.Errorf("read what the institution was: %w", err)
	}
	i, err := unpackInstitution(state)
	if err != nil {
		return err
	}
	place, err := i.location()
	if err != nil {
		return err
	}
	p.Institution = entitlement.Institution{ID: t.institution, Edition: i.edition, Location: place, Offers: i.offers}
	state, err = newestOf(t.tx, pastPlace{kind: ofOrganization, num: t.num}, `
		select sequence, state from past_organization where organization_num = $1 and sequence <= $2 order by sequence desc limit 1`, t.num, t.own.Sequence)
	if err != nil {
		return fmt.Errorf("read what the organization was: %w", err)
	}
	o, err := unpackOrganization(state)
	p.Organization = entitlement.Organization{ID: t.organization, Entitlements: o.entitlements, Ceilings: o.ceilings}
	return err
}

// accounts are those that the organization had, by number.
func (t *then) accounts() (map[int64]pastAccount, error) {
	states, err := newest(t.tx, ofAccount, t.num, `
		select p.ordinal, p.sequence, p.state from past_account p where p.organization_num = $1 and p.sequence = (
			select max(q.sequence) from past_account q
			 where q.organization_num = p.organization_num and q.ordinal = p.ordinal and q.sequence <= $2)`, t.own.Sequence)
	if err != nil {
		return nil, fmt.Errorf("read what the accounts were: %w", err)
	}
	accounts := make(map[int64]pastAccount, len(states))
	for ordinal, state := range states {
		if accounts[ordinal], err = unpackAccount(state); err != nil {
			return nil, err
		}
	}
	return accounts, nil
}

// members are those whom a scope names and who were there.
func (t *then) members(scope entitlement.Scope) (members []pastMember, err error) {
	take := func(states map[int64][]byte, err error) error {
		if err != nil {
			return fmt.Errorf("read what the members were: %w", err)
		}
		for _, state := range states {
			if len(state) == 0 {
				continue // they were gone
			}
			m, err := unpackMember(state)
			if err != nil {
				return err
			}
			members = append(members, m)
		}
		return nil
	}
	if scope.AllMembers && t.everybody != nil {
		return t.everybody, nil
	}
	if scope.AllMembers {
		err := take(newest(t.tx, ofMember, t.num, `
			select p.ordinal, p.sequence, p.state from past_member p where p.organization_num = $1 and p.sequence = (
				select max(q.sequence) from past_member q
				 where q.organization_num = p.organization_num and q.ordinal = p.ordinal and q.sequence <= $2)`, t.own.Sequence))
		t.everybody = members
		return members, err
	}
	for _, id := range scope.Members {
		err := take(newest(t.tx, ofMember, t.num, `
			select p.ordinal, p.sequence, p.state from past_member p join past_person w on w.organization_num = p.organization_num and w.ordinal = p.ordinal
			 where p.organization_num = $1 and w.institution_id = $3 and w.id = $4 and p.sequence <= $2
			 order by p.sequence desc limit 1`, t.own.Sequence, t.institution, id))
		if err != nil {
			return nil, err
		}
	}
	return members, nil
}

// day is what counted on a day, as it stood at the moment.
func (t *then) day(limit catalog.Limit, day bank.Day) (usage.Day, error) {
	return usage.OfDayAt(t.tx, t.institution, t.organization, limit, day, t.own.Sequence)
}

// revision is the organization's at the moment, or with above the institution's.
func (t *then) revision(point activity.Point, organization bank.OrganizationID) (int64, error) {
	return activity.RevisionAt(t.tx, t.institution, organization, point)
}

// PastSources are the sources of the decision service at a moment.
func PastSources(past pdp.Past) pdp.Sources {
	known := map[bank.OrganizationID]*then{} // of one transaction: a round has its own sources
	at := func(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID) (*then, error) {
		if t := known[organization]; t != nil && t.tx == tx {
			return t, nil
		}
		t, err := thenAt(tx, institution, organization, past)
		if err == nil {
			known[organization] = t
		}
		return t, err
	}
	return pdp.Sources{
		Policy: func(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, scope entitlement.Scope) (*entitlement.Policy, error) {
			t, err := at(tx, institution, organization)
			if err != nil {
				return nil, err
			}
			return t.policy(scope)
		},
		OrganizationsOf: func(tx *db.Tx, institution bank.InstitutionID, members []bank.UserID) (map[bank.UserID]bank.OrganizationID, error) {
			found := map[bank.UserID]bank.OrganizationID{}
			for _, id := range members {
				organization, err := personsOrganization(tx, institution, id)
				if err != nil || organization == "" {
					if err != nil {
						return nil, err
					}
					continue
				}
				t, err := at(tx, institution, organization)
				if err != nil {
					return nil, err
				}
				there, err := t.members(entitlement.Scope{Members: []bank.UserID{id}})
				if err != nil {
					return nil, err
				}
				if len(there) > 0 {
					found[id] = organization
				}
			}
			return found, nil
		},
		Names: NamesOf,
		Used: func(tx *db.Tx, p *entitlement.Policy, req entitlement.Request) (entitlement.Used, error) {
			limit, day, counts := entitlement.Counting(p.Institution, req)
			if !counts || p.Members[req.Member] == nil {
				return entitlement.Used{}, nil
			}
			t, err := at(tx, p.Institution.ID, p.Organization.ID)
			if err != nil {
				return entitlement.Used{}, err
			}
			counted, err := t.day(limit, day)
			return counted.Used(req.Member, req.Account), err
		},
		Now: func(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID) (time.Time, error) {
			t, err := at(tx, institution, organization)
			if err != nil {
				return time.Time{}, err
			}
			return t.now, nil
		},
		Revision: func(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID) (int64, error) {
			if organization == "" {
				return institutionRevisionAt(tx, institution, past)
			}
			t, err := at(tx, institution, organization)
			if err != nil {
				return 0, err
			}
			return t.revision(t.own, organization)
		},
	}
}

func institutionRevisionAt(tx *db.Tx, institution bank.InstitutionID, past pdp.Past) (int64, error) {
	if !past.Revision.IsZero() {
		return past.Revision.OfInstitution, nil
	}
	point, err := activity.PointAt(tx, institution, "", past.Time)
	if err != nil {
		return 0, err
	}
	return activity.RevisionAt(tx, institution, "", point)
}

// personsOrganization is where somebody is or was; empty where nobody of that id
// ever was.
func personsOrganization(tx *db.Tx, institution bank.InstitutionID, id bank.UserID) (bank.OrganizationID, error) {
	organization, err := db.One(tx, db.Value[bank.OrganizationID], `
		select o.id from past_person w join organization o on o.num = w.organization_num where w.institution_id = $1 and w.id = $2`, institution, id)
	if errors.Is(err, db.ErrNoRows) {
		return "", nil
	}
	return organization, err
}
