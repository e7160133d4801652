package hostsim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/host"
)

// A NewUser is somebody whom the bank, or an admin in Classic, makes a user.
type NewUser struct {
	Organization host.Ref
	FirstName    string
	LastName     string
	Email        string
	Role         bank.Role
	Accounts     map[host.Ref]map[string]string // that they have access to from the beginning
}

// An Edit is who a user is. Every field of it counts.
type Edit struct {
	FirstName string
	LastName  string
	Email     string
	Role      bank.Role
}

// Rights are everything that a user may do, at user level and on the accounts
// that they have access to.
type Rights struct {
	Permissions map[string]string
	Accounts    map[host.Ref]map[string]string
}

// Create makes a user with the defaults of the role: pending, and told to the
// product when the bank has all of them.
func (b *Bank) Create(ctx context.Context, institution bank.InstitutionID, by By, n NewUser) (u host.User, err error) {
	err = b.write(ctx, institution, func(tx *db.Tx, number int64) error {
		if err := mayChange(tx, institution, by, host.User{Organization: n.Organization}); err != nil {
			return err
		}
		o, err := findOrganization(tx, institution, n.Organization)
		if err != nil {
			return err
		}
		u = host.User{
			Ref: userRef(number), Organization: n.Organization, Version: 1, Role: n.Role, Status: bank.StatusPending,
			FirstName: strings.TrimSpace(n.FirstName), LastName: strings.TrimSpace(n.LastName), Email: strings.TrimSpace(n.Email), Accounts: n.Accounts,
		}
		given, err := findDefaults(tx, institution, n.Role)
		if err != nil {
			return err
		}
		u.Permissions = given.Permissions
		problems, err := personProblems(tx, institution, &u)
		if err != nil {
			return err
		}
		rightsProblems(&problems, &o, Rights{u.Permissions, u.Accounts})
		if err := problems.Err("The user cannot be created like this."); err != nil {
			return err
		}
		announced := host.Event{Announced: &host.Announced{Ref: u.Ref, Organization: u.Organization, FirstName: u.FirstName, LastName: u.LastName}}
		if err := record(tx, number, institution, by, tx.Now, announced); err != nil {
			return err
		}
		if err := insertUser(tx, institution, &u); err != nil {
			return err
		}
		second, err := nextNumber(tx, institution)
		if err != nil {
			return err
		}
		return record(tx, second, institution, by, tx.Now.Add(time.Duration(b.seeding.Load())), host.Event{User: &u})
	})
	return u, err
}

// Edit changes who a user is. Version is the one that was looked at.
func (b *Bank) Edit(ctx context.Context, institution bank.InstitutionID, by By, ref host.Ref, version int64, e Edit) (host.User, error) {
	return b.change(ctx, institution, by, ref, version, func(tx *db.Tx, u *host.User) error {
		if by.User == ref && e.Role != u.Role {
			return fault.New(fault.Forbidden, "Nobody changes their own role.")
		}
		u.FirstName, u.LastName, u.Email, u.Role = strings.TrimSpace(e.FirstName), strings.TrimSpace(e.LastName), strings.TrimSpace(e.Email), e.Role
		problems, err := personProblems(tx, institution, u)
		if err != nil {
			return err
		}
		return problems.Err("The user cannot be kept like this.")
	})
}

// SetStatus changes where a user stands. Pending is where one begins and nobody
// returns to; disabled is for good.
func (b *Bank) SetStatus(ctx context.Context, institution bank.InstitutionID, by By, ref host.Ref, version int64, status bank.Status) (host.User, error) {
	return b.change(ctx, institution, by, ref, version, func(_ *db.Tx, u *host.User) error {
		switch {
		case by.Channel == host.Classic:
			return fault.New(fault.Forbidden, "Only the bank changes a status.")
		case status == u.Status:
			return nil
		case status == bank.StatusPending:
			return fault.New(fault.Invalid, "Nobody becomes pending again.")
		case u.Status == bank.StatusDisabled:
			return fault.New(fault.Conflict, "A disabled user stays disabled.")
		}
		u.Status = status
		return nil
	})
}

// SetHeld places a hold or removes it. The status stays what it is.
func (b *Bank) SetHeld(ctx context.Context, institution bank.InstitutionID, by By, ref host.Ref, version int64, held bool) (host.User, error) {
	return b.change(ctx, institution, by, ref, version, func(_ *db.Tx, u *host.User) error {
		if by.User == ref {
			return fault.New(fault.Forbidden, "Nobody places a hold on themself.")
		}
		u.Held = held
		return nil
	})
}

// SetRights changes everything that a user may do.
func (b *Bank) SetRights(ctx context.Context, institution bank.InstitutionID, by By, ref host.Ref, version int64, r Rights) (host.User, error) {
	return b.change(ctx, institution, by, ref, version, func(tx *db.Tx, u *host.User) error {
		o, err := findOrganization(tx, institution, u.Organization)
		if err != nil {
			return err
		}
		var problems fault.Problems
		rightsProblems(&problems, &o, r)
		u.Permissions, u.Accounts = r.Permissions, r.Accounts
		return problems.Err("The permissions cannot be kept like this.")
	})
}

// SetUsername notes under which name a user signs in.
func (b *Bank) SetUsername(ctx context.Context, institution bank.InstitutionID, by By, ref host.Ref, version int64, username string) (host.User, error) {
	return b.change(ctx, institution, by, ref, version, func(_ *db.Tx, u *host.User) error {
		u.Username = username
		return nil
	})
}

// Delete removes a user for good.
func (b *Bank) Delete(ctx context.Context, institution bank.InstitutionID, by By, ref host.Ref, version int64) error {
	_, err := b.change(ctx, institution, by, ref, version, func(_ *db.Tx, u *host.User) error {
		if by.User == ref {
			return fault.New(fault.Forbidden, "Nobody deletes themself.")
		}
		u.Deleted = true
		return nil
	})
	return err
}

// change lets do change a user as they stand, and tells of it. Where nothing
// changes, nothing is told and the version stays.
func (b *Bank) change(ctx context.Context, institution bank.InstitutionID, by By, ref host.Ref, version int64, do func(tx *db.Tx, u *host.User) error) (u host.User, err error) {
	err = b.write(ctx, institution, func(tx *db.Tx, number int64) error {
		before, err := findUser(tx, institution, ref)
		if errors.Is(err, host.ErrNoUser) || err == nil && before.Deleted {
			return fault.New(fault.NotFound, "There is no such user.")
		}
		if err != nil {
			return err
		}
		if err := mayChange(tx, institution, by, before); err != nil {
			return err
		}
		if before.Version != version {
			return fault.New(fault.Conflict, "The user was changed meanwhile. Look again before you save.")
		}
		u = before
		if err := do(tx, &u); err != nil {
			return err
		}
		return saveUser(tx, number, institution, by, &before, &u)
	})
	return u, err
}

// saveUser keeps a changed user and tells of it.
func saveUser(tx *db.Tx, number int64, institution bank.InstitutionID, by By, before, after *host.User) error {
	if sameUser(before, after) {
		return nil
	}
	after.Version = before.Version + 1
	if err := updateUser(tx, institution, after); err != nil {
		return err
	}
	return record(tx, number, institution, by, tx.Now, host.Event{User: after})
}

func sameUser(a, b *host.User) bool {
	return a.Member == b.Member && a.FirstName == b.FirstName && a.LastName == b.LastName && a.Email == b.Email && a.Username == b.Username &&
		a.Role == b.Role && a.Status == b.Status && a.Held == b.Held && a.Deleted == b.Deleted &&
		maps.Equal(a.Permissions, b.Permissions) && maps.EqualFunc(a.Accounts, b.Accounts, maps.Equal)
}

// mayChange refuses somebody in Classic who is no admin of the organization.
// Others were let in by the bank.
func mayChange(tx *db.Tx, institution bank.InstitutionID, by By, u host.User) error {
	if by.Channel != host.Classic {
		return nil
	}
	actor, err := findUser(tx, institution, by.User)
	if err != nil && !errors.Is(err, host.ErrNoUser) {
		return err
	}
	usable := err == nil && !actor.Deleted && !actor.Held && actor.Status == bank.StatusActive
	if !usable || actor.Role != bank.RoleAdmin || actor.Organization != u.Organization {
		return fault.New(fault.Forbidden, "Only an administrator of the organization does this.")
	}
	return nil
}

func userRef(number int64) host.Ref { return host.Ref(fmt.Sprintf("cu-%07d", number)) }
