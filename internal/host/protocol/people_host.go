package protocol

import (
	"errors"

	"mandate/internal/bank"
	"mandate/internal/host"
)

// UserOf writes a user as the protocol has it.
func UserOf(u *host.User) User {
	return User{
		Ref: u.Ref, Organization: u.Organization, Member: u.Member, Version: u.Version, FirstName: u.FirstName, LastName: u.LastName, Email: u.Email,
		Username: u.Username, Role: u.Role.String(), Status: u.Status.String(), Held: u.Held, Deleted: u.Deleted, Permissions: u.Permissions, Accounts: u.Accounts,
	}
}

// Host is a user as the product has it.
func (u *User) Host() (*host.User, error) {
	if err := u.check(); err != nil {
		return nil, err
	}
	out := &host.User{
		Ref: u.Ref, Organization: u.Organization, Member: u.Member, Version: u.Version, FirstName: u.FirstName, LastName: u.LastName, Email: u.Email,
		Username: u.Username, Held: u.Held, Deleted: u.Deleted, Permissions: u.Permissions, Accounts: u.Accounts,
	}
	if u.Deleted {
		return out, nil
	}
	var err, wrong error
	out.Role, err = bank.ParseRole(u.Role)
	out.Status, wrong = bank.ParseStatus(u.Status)
	return out, errors.Join(err, wrong)
}

// OrganizationOf writes an organization as the protocol has it.
func OrganizationOf(o *host.Organization) Organization {
	out := Organization{Ref: o.Ref, Version: o.Version, Name: o.Name, Accounts: make([]Account, 0, len(o.Accounts))}
	for _, a := range o.Accounts {
		out.Accounts = append(out.Accounts, Account(a))
	}
	return out
}

// Host is an organization as the product has it.
func (o *Organization) Host() *host.Organization {
	out := &host.Organization{Ref: o.Ref, Version: o.Version, Name: o.Name, Accounts: make([]host.Account, 0, len(o.Accounts))}
	for _, a := range o.Accounts {
		out.Accounts = append(out.Accounts, host.Account(a))
	}
	return out
}

// DefaultsOf writes defaults as the protocol has them.
func DefaultsOf(d *host.Defaults) Defaults {
	return Defaults{Role: d.Role.String(), Version: d.Version, Permissions: d.Permissions}
}

// Host are defaults as the product has them.
func (d *Defaults) Host() (*host.Defaults, error) {
	role, err := bank.ParseRole(d.Role)
	return &host.Defaults{Role: role, Version: d.Version, Permissions: d.Permissions}, err
}

// EventOf writes an event as the protocol has it.
func EventOf(e *host.Event) Event {
	out := Event{ID: e.ID, Mark: e.Mark, At: e.At, Channel: e.Channel, By: e.By, Order: e.Order}
	if a := e.Announced; a != nil {
		out.Announced = new(Announced(*a))
	}
	if e.User != nil {
		out.User = new(UserOf(e.User))
	}
	if e.Organization != nil {
		out.Organization = new(OrganizationOf(e.Organization))
	}
	if e.Defaults != nil {
		out.Defaults = new(DefaultsOf(e.Defaults))
	}
	return out
}

// Host is an event as the product has it.
func (e *Event) Host() (_ *host.Event, err error) {
	out := &host.Event{ID: e.ID, Mark: e.Mark, At: e.At, Channel: e.Channel, By: e.By, Order: e.Order}
	if a := e.Announced; a != nil {
		out.Announced = new(host.Announced(*a))
	}
	if e.User != nil {
		if out.User, err = e.User.Host(); err != nil {
			return nil, err
		}
	}
	if e.Organization != nil {
		out.Organization = e.Organization.Host()
	}
	if e.Defaults != nil {
		if out.Defaults, err = e.Defaults.Host(); err != nil {
			return nil, err
		}
	}
	return out, nil
}
