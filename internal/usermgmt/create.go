package usermgmt

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/identity"
)

// Details are what an admin says about a person.
type Details struct {
	FirstName string
	LastName  string
	Email     string
	Role      bank.Role
}

func (d Details) trimmed() Details {
	d.FirstName, d.LastName, d.Email = strings.TrimSpace(d.FirstName), strings.TrimSpace(d.LastName), strings.TrimSpace(d.Email)
	return d
}

// Check says everything that is wrong with the details, by form field.
func (d Details) Check() fault.Problems {
	var problems fault.Problems
	name := func(field, label, value string) {
		switch {
		case value == "":
			problems.Addf(field, "Enter a %s.", label)
		case !bank.Printable(value):
			problems.Addf(field, "The %s has signs that cannot be shown. Type it anew.", label)
		}
	}
	name("first_name", "first name", d.FirstName)
	name("last_name", "last name", d.LastName)
	if n := utf8.RuneCountInString(d.FirstName + " " + d.LastName); n > bank.MaxName {
		problems.Addf("last_name", "First and last name are %d characters together. The most is %d.", n, bank.MaxName)
	}
	if sentence := bank.EmailProblem(d.Email); sentence != "" {
		problems.Add("email", sentence)
	}
	return problems
}

// A Created says what a new member starts with.
type Created struct {
	User           bank.UserID
	UserManagement bool // the role needs User management, and the organization has it
}

// Create makes a new member: pending, with the host's default permissions and
// no account. Nobody is told yet.
func (s *Service) Create(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, d Details) (created Created, err error) {
	d = d.trimmed()
	if err := d.Check().Err("The user was not created."); err != nil {
		return Created{}, err
	}
	t := transitions[CommandCreate]
	edition, err := s.edition(ctx, caller)
	if err != nil {
		return Created{}, err
	}
	action := t.action(edition)
	action.Organization = organization
	// The person has no id yet: a proof is bound to the address instead.
	action.Target = activity.Target{Kind: activity.TargetMember, ID: Fold(d.Email), Name: d.FirstName + " " + d.LastName}
	err = s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		created, err = s.create(c, organization, d)
		return err
	})
	return created, err
}

func (s *Service) create(c *guard.Change, organization bank.OrganizationID, d Details) (Created, error) {
	o, err := FindOrganization(c.Tx, c.Caller.Institution, organization)
	if err != nil {
		return Created{}, err
	}
	if err := emailFree(c.Tx, o.Num, d.Email, ""); err != nil {
		return Created{}, err
	}
	if err := c.RequireProof([]byte(d.FirstName + "\n" + d.LastName + "\n" + d.Role.String())); err != nil {
		return Created{}, err
	}
	settings, err := Defaults(c.Tx, c.Caller.Institution, d.Role)
	if err != nil {
		return Created{}, err
	}
	m := Member{
		ID: bank.UserID(bank.NewID(bank.PrefixUser, c.Tx.Now)), FirstName: d.FirstName, LastName: d.LastName, Email: d.Email,
		Role: d.Role, Status: bank.StatusPending, Settings: withUserManagement(settings, d.Role, o.Entitlements), Version: c.Revision() + 1,
	}
	if err := InsertMember(c.Tx, c.Caller.Institution, o.Num, &m); err != nil {
		return Created{}, err
	}
	if err := setupOf(c, o, m); err != nil {
		return Created{}, err
	}
	c.RecordAs(transitions[CommandCreate].Event, m.Target(), "",
		append(profileChanges(Member{}, m), diff("", entitlement.Settings{}, m.Settings)...)...)
	return Created{User: m.ID, UserManagement: m.Settings.On.Has(catalog.UserManagementEnabled)}, nil
}

// emailFree refuses an address that somebody else of the organization has.
func emailFree(tx *db.Tx, num int64, email string, except bank.UserID) error {
	name, err := db.One(tx, func(s db.Scanner) (m Member, err error) {
		err = s.Scan(&m.FirstName, &m.LastName)
		return m, err
	}, `select first_name, last_name from member where organization_num = $1 and email_key = $2 and id <> $3`, num, Fold(email), except)
	if errors.Is(err, db.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for the address: %w", err)
	}
	var problems fault.Problems
	problems.Addf("email", "%s already has this email address in this organization.", name.Name())
	return problems.Err("The email address is taken.")
}

// Defaults are the permissions that the host gives to a new member of a role.
func Defaults(tx *db.Tx, institution bank.InstitutionID, role bank.Role) (s entitlement.Settings, err error) {
	var limits limitColumns
	err = tx.QueryRow(`
		select switches, edit_level, ach_daily, ach_batch, transfer, wire, wires_day, wires_dual
		  from default_settings where institution_id = $1 and role = $2`, institution, role).
		Scan(append([]any{&s.On, &s.EditLevel}, limits.all()...)...)
	if errors.Is(err, db.ErrNoRows) {
		return entitlement.Settings{}, nil
	}
	s.Limits = limits.limits()
	return s, err
}

// SetDefaults stores what the host gives to a new member of a role.
func SetDefaults(tx *db.Tx, institution bank.InstitutionID, role bank.Role, s entitlement.Settings) error {
	_, err := tx.Exec(`
		insert into default_settings (institution_id, role, switches, edit_level, ach_daily, ach_batch, transfer, wire, wires_day, wires_dual)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		on conflict (institution_id, role) do update
		   set switches = excluded.switches, edit_level = excluded.edit_level, ach_daily = excluded.ach_daily, ach_batch = excluded.ach_batch,
		       transfer = excluded.transfer, wire = excluded.wire, wires_day = excluded.wires_day, wires_dual = excluded.wires_dual`,
		append([]any{institution, role, s.On, s.EditLevel}, limitArgs(s.Limits)...)...)
	if err != nil {
		return fmt.Errorf("store the defaults: %w", err)
	}
	return nil
}

// EditProfile changes a member's name, email and role, all of it or nothing.
func (s *Service) EditProfile(ctx context.Context, caller bank.Caller, p Person, d Details) error {
	d = d.trimmed()
	if err := d.Check().Err("The changes were not saved."); err != nil {
		return err
	}
	action := guard.Action{
		Event: "orguser.profile_changed", Organization: p.Organization, Member: catalog.EditProfile, Others: []bank.ActorKind{bank.ActorHost},
		Target: activity.Target{Kind: activity.TargetMember, ID: string(p.User)},
		Scope:  entitlement.Scope{Members: []bank.UserID{p.User}},
	}
	return s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		who, err := find(c, p)
		if err != nil {
			return err
		}
		return s.editProfile(c, who, d)
	})
}

func (s *Service) editProfile(c *guard.Change, who subject, d Details) error {
	before, after := who.member, who.member
	after.FirstName, after.LastName, after.Email, after.Role = d.FirstName, d.LastName, d.Email, d.Role
	changes := profileChanges(before, after)
	if len(changes) == 0 {
		return nil
	}
	if before.Role != after.Role {
		if err := s.changeRole(c, who, &after); err != nil {
			return err
		}
		changes = append(changes, diff("", before.Settings, after.Settings)...)
	}
	if Fold(before.Email) != Fold(after.Email) {
		if err := emailFree(c.Tx, who.organization.Num, after.Email, after.ID); err != nil {
			return err
		}
	}
	if risky := before.Email != after.Email || after.Role == bank.RoleAdmin && before.Role != bank.RoleAdmin; risky {
		if err := c.RequireProof([]byte(d.FirstName + "\n" + d.LastName + "\n" + d.Email + "\n" + d.Role.String())); err != nil {
			return err
		}
	}
	if err := storeProfile(c, who.organization.Num, after); err != nil {
		return err
	}
	if before.Email != after.Email {
		if _, err := s.links.CancelLinks(c.Tx, identity.Member(c.Caller.Institution, after.ID)); err != nil {
			return err
		}
	}
	event := "orguser.profile_changed"
	if before.Role != after.Role {
		event = "orguser.role_changed"
	}
	c.RecordAs(event, after.Target(), "", changes...)
	return nil
}

// changeRole judges a change of role and lets User management follow it.
func (s *Service) changeRole(c *guard.Change, who subject, after *Member) error {
	if c.Caller.Member() == after.ID {
		return fault.New(fault.Forbidden, "Nobody changes their own role. Ask another admin.").With("OWN_ROLE")
	}
	if who.member.Role == bank.RoleAdmin {
		if err := s.losesAdmin(c, who.member); err != nil {
			return err
		}
	}
	after.Settings = withUserManagement(after.Settings, after.Role, who.organization.Entitlements)
	after.Version = c.Revision() + 1
	return SetMemberSettings(c.Tx, who.organization.Num, after.Ordinal, after.Settings, after.Version)
}

func storeProfile(c *guard.Change, num int64, m Member) error {
	err := touchOne(c.Tx.Exec(`
		update member set first_name = $1, last_name = $2, name_key = $3, email = $4, email_key = $5, role = $6
		 where organization_num = $7 and ordinal = $8`,
		m.FirstName, m.LastName, Fold(m.Name()), m.Email, Fold(m.Email), m.Role, num, m.Ordinal))
	if err != nil {
		return fmt.Errorf("store the profile: %w", err)
	}
	return touchCustomers(c.Tx, num)
}
