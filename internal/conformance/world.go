package conformance

import (
	"errors"
	"fmt"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/usermgmt"
)

// A place is where a world's organization stands in the database, with the
// numbers that settings are stored under.
type place struct {
	institution  bank.InstitutionID
	organization bank.OrganizationID
	num          int64
	members      map[bank.UserID]int64
	accounts     map[bank.AccountID]int64
}

// load stores a world as it is, consistent or not, as an organization of an
// institution of its own.
func load(tx *db.Tx, w *World) (*place, error) {
	institution, err := w.institution(tx)
	if err != nil {
		return nil, err
	}
	if err := usermgmt.CreateInstitution(tx, institution); err != nil {
		return nil, err
	}
	ceilings, err := readLimits(w.Organization.Ceilings)
	if err != nil {
		return nil, fmt.Errorf("ceilings: %w", err)
	}
	o := usermgmt.Organization{
		Institution: institution.ID, ID: bank.OrganizationID(bank.NewID(bank.PrefixOrganization, tx.Now)), Name: "Conformance",
		Entitlements: readEntitlements(w.Organization.Entitlements), Ceilings: ceilings,
	}
	if err := usermgmt.InsertOrganization(tx, &o); err != nil {
		return nil, err
	}
	p := &place{institution.ID, o.ID, o.Num, map[bank.UserID]int64{}, map[bank.AccountID]int64{}}
	if err := p.loadAccounts(tx, w); err != nil {
		return nil, err
	}
	return p, p.loadMembers(tx, w)
}

func (w *World) institution(tx *db.Tx) (usermgmt.Institution, error) {
	edition, err := bank.ParseEdition(w.Institution.Edition)
	return usermgmt.Institution{
		ID: bank.InstitutionID(bank.NewID("ins", tx.Now)), Name: "Conformance",
		Edition: edition, TimeZone: w.Institution.TimeZone, Offers: readEntitlements(w.Institution.Offers),
	}, err
}

// check refuses a world that no version of the product could hold, before
// anything is asked.
func (w *World) check() error {
	_, editionErr := bank.ParseEdition(w.Institution.Edition)
	_, zoneErr := time.LoadLocation(w.Institution.TimeZone)
	_, ceilingsErr := readLimits(w.Organization.Ceilings)
	if w.Institution.TimeZone == "" {
		zoneErr = errors.New("the institution has no time zone")
	}
	problems := []error{editionErr, zoneErr, ceilingsErr}
	seen := map[string]bool{}
	for i := range w.Members {
		m := &w.Members[i]
		if seen[m.ID] {
			problems = append(problems, fmt.Errorf("member %q is there twice", m.ID))
		}
		seen[m.ID] = true
		if err := m.check(); err != nil {
			problems = append(problems, fmt.Errorf("member %q: %w", m.ID, err))
		}
	}
	return errors.Join(problems...)
}

func (m *Member) check() error {
	_, roleErr := bank.ParseRole(m.Role)
	_, statusErr := bank.ParseStatus(m.Status)
	_, ownErr := readSettings(m.Permissions, catalog.AtUser)
	problems := []error{roleErr, statusErr, ownErr}
	for id, permissions := range m.Accounts {
		if _, err := readSettings(permissions, catalog.AtAccount); err != nil {
			problems = append(problems, fmt.Errorf("account %q: %w", id, err))
		}
	}
	return errors.Join(problems...)
}

func (p *place) loadAccounts(tx *db.Tx, w *World) error {
	for _, id := range w.Accounts {
		a := usermgmt.Account{ID: bank.AccountID(id), Name: id, Off: readEntitlements(w.Organization.AccountsOff[id])}
		if err := usermgmt.InsertAccount(tx, p.num, &a); err != nil {
			return err
		}
		p.accounts[a.ID] = a.Ordinal
	}
	return nil
}

func (p *place) loadMembers(tx *db.Tx, w *World) error {
	for i := range w.Members {
		if err := p.loadMember(tx, &w.Members[i]); err != nil {
			return fmt.Errorf("member %s: %w", w.Members[i].ID, err)
		}
	}
	return nil
}

func (p *place) loadMember(tx *db.Tx, of *Member) error {
	settings, err := readSettings(of.Permissions, catalog.AtUser)
	if err != nil {
		return err
	}
	m := usermgmt.Member{ID: bank.UserID(of.ID), FirstName: of.ID, Held: of.Held, Settings: settings}
	if m.Role, err = bank.ParseRole(of.Role); err != nil {
		return fmt.Errorf("role: %w", err)
	}
	if m.Status, err = bank.ParseStatus(of.Status); err != nil {
		return fmt.Errorf("status: %w", err)
	}
	if err := usermgmt.InsertMember(tx, p.institution, p.num, &m); err != nil {
		return err
	}
	p.members[m.ID] = m.Ordinal
	return p.loadMemberAccounts(tx, of)
}

// loadMemberAccounts skips accounts that the organization does not have: the
// world names them, but nothing can be stored about them.
func (p *place) loadMemberAccounts(tx *db.Tx, of *Member) error {
	for id, permissions := range of.Accounts {
		settings, err := readSettings(permissions, catalog.AtAccount)
		if err != nil {
			return fmt.Errorf("account %s: %w", id, err)
		}
		account, known := p.accounts[bank.AccountID(id)]
		if !known {
			continue
		}
		if err := usermgmt.SetMemberAccount(tx, p.num, p.members[bank.UserID(of.ID)], account, settings); err != nil {
			return err
		}
	}
	return nil
}

// readEntitlements skips names that this version does not know.
func readEntitlements(ids []string) (set catalog.EntitlementSet) {
	for _, id := range ids {
		if e, known := catalog.ParseEntitlement(id); known {
			set = set.With(e)
		}
	}
	return set
}

// readSettings reads the permissions of one level. Names that this version, or
// this level, does not know are skipped; a value that is none of its
// permission's is an error.
func readSettings(permissions values, level catalog.Levels) (s entitlement.Settings, err error) {
	for id, value := range permissions {
		p, known := catalog.ParsePermission(id)
		if !known || !p.At(level) {
			continue
		}
		switch v := entitlement.ReadValue(p, value); {
		case p.IsLimit() && v.Kind == entitlement.LimitValue:
			s.Limits = s.Limits.With(p.Limit(), v.Cents)
		case p.IsLimit() && v.Kind == entitlement.Unset:
		case p.Info().Type == catalog.Choice && v.Kind == entitlement.ChoiceValue:
			s.EditLevel = v.Level
		case p.Info().Type == catalog.Switch && v.Kind == entitlement.SwitchValue:
			if v.On {
				s.On = s.On.With(p)
			}
		default:
			return s, fmt.Errorf("%s: %v is no value of it", id, value)
		}
	}
	return s, nil
}

// readLimits reads ceilings; names that are not of limits are skipped.
func readLimits(ceilings values) (l entitlement.Limits, err error) {
	for id, value := range ceilings {
		p, known := catalog.ParsePermission(id)
		if !known || !p.IsLimit() || value == nil {
			continue
		}
		v := entitlement.ReadValue(p, value)
		if v.Kind != entitlement.LimitValue {
			return l, fmt.Errorf("%s: %v is no amount", id, value)
		}
		l = l.With(p.Limit(), v.Cents)
	}
	return l, nil
}
