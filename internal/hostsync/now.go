package hostsync

import (
	"context"
	"errors"
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/host"
	"mandate/internal/usermgmt"
)

// errUnknown is for a user whom the host does not have, or whom we cannot take
// over.
var errUnknown = fault.New(fault.NotFound, "There is no such organization user.").With("UNKNOWN_MEMBER")

// ApplyUser is who a user of the host is here. Somebody who is not here yet is
// taken over at once, instead of when the host's events are read next.
func (s *Service) ApplyUser(ctx context.Context, institution bank.InstitutionID, ref host.Ref) (bank.UserID, error) {
	if !s.Serves() {
		return "", errUnknown
	}
	u, err := s.desk.People().User(ctx, institution, ref)
	if errors.Is(err, host.ErrNoUser) || err == nil && u.Deleted {
		return "", errUnknown
	}
	if err != nil {
		return "", fmt.Errorf("ask the host for %s: %w", ref, err)
	}
	id, err := s.here(ctx, institution, u)
	if id != "" || err != nil {
		return id, err
	}
	if err := s.Sync(ctx, institution); err != nil { // so that history says who made them, and where
		return "", err
	}
	if id, err = s.here(ctx, institution, u); id != "" || err != nil {
		return id, err
	}
	if err := s.takeNow(ctx, institution, u); err != nil {
		return "", err
	}
	if id, err = s.here(ctx, institution, u); id == "" && err == nil {
		err = errUnknown
	}
	return id, err
}

// takeNow takes over what the host answered, as if it had told it.
func (s *Service) takeNow(ctx context.Context, institution bank.InstitutionID, u host.User) error {
	var a arrival
	err := s.db.Write(ctx, func(tx *db.Tx) (err error) {
		asked := host.Event{ID: fmt.Sprintf("asked for %s, version %d", u.Ref, u.Version), At: tx.Now, Channel: host.Core, User: &u}
		if a, err = received(asked); err != nil {
			return err
		}
		if a.Place, err = toldSoFar(tx, institution); err != nil {
			return err
		}
		_, err = a.insert(tx, institution)
		return err
	})
	if err == nil && a.State == waiting {
		_, err = s.take(ctx, institution, &a)
	}
	return err
}

// here is the member whom a user of the host is; empty where there is none.
func (s *Service) here(ctx context.Context, institution bank.InstitutionID, u host.User) (id bank.UserID, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		o, user, err := whose(tx, institution, u)
		if errors.Is(err, usermgmt.ErrNoOrganization) {
			return nil
		}
		if err != nil || user == "" {
			return err
		}
		_, err = usermgmt.FindProfile(tx, institution, usermgmt.Person{Organization: o.ID, User: user})
		if errors.Is(err, usermgmt.ErrNoMember) {
			return nil
		}
		id = user
		return err
	})
	return id, err
}

// RefOf is how the host names a member, or host.ErrNoUser where it has not named
// them yet.
func (s *Service) RefOf(ctx context.Context, institution bank.InstitutionID, p usermgmt.Person) (ref host.Ref, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		l, err := linkOf(tx, institution, p.User)
		if ref = l.ref; ref != "" || err != nil {
			return err
		}
		profile, err := usermgmt.FindProfile(tx, institution, p)
		if err != nil {
			return err
		}
		if ref = refOf(&profile.Member); ref == "" {
			return host.ErrNoUser
		}
		return nil
	})
	return ref, err
}
