package staff

import (
	"context"
	"fmt"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/guard"
	"mandate/internal/identity"
)

// A Standing is what every page of the console must know of whoever looks: who
// they are, what they hold, and whether they must get a second factor soon.
type Standing struct {
	House        House
	User         User
	Groups       []Group
	Rights       catalog.StaffSet
	SecondFrom   bank.Day // from when on they need a second factor; empty: they do not
	SecondFactor bool     // they have one
	Today        bank.Day
	Federates    bool // signing in takes a right here

	own holding
}

// MayGive reports whether they may give a right of a product: they hold it, or
// are among the first givers.
func (s *Standing) MayGive(product bank.ApplicationID, right string) bool {
	return s.own.anyProduct || s.own.products[product].Has(right)
}

// Grantable are the rights of the console up to which they may act on others.
func (s *Standing) Grantable() catalog.StaffSet { return s.own.rights &^ freely }

// Shown is a set without what says nothing here: the rights to sign in, where
// everybody may.
func (s *Standing) Shown(set catalog.StaffSet) catalog.StaffSet {
	if !s.Federates {
		set &^= catalog.StaffSignIns
	}
	return set
}

// May reports whether they hold a permission.
func (s *Standing) May(p catalog.StaffPermission) bool { return s.Rights.Has(p) }

// Sees reports whether they hold any right of an area: others do not show.
func (s *Standing) Sees(a catalog.StaffArea) bool {
	for p := range s.Rights.All() {
		if p.Info().Area == a {
			return true
		}
	}
	return false
}

// Decides reports whether they hold what may need somebody's agreement, or may
// have to give theirs.
func (s *Standing) Decides() bool { return s.Rights&overseen != 0 }

// MustIntroduce reports whether they were invited and have not said who they
// are.
func (s *Standing) MustIntroduce() bool { return s.User.FirstName == "" }

// Place is the time zone in which they want to read times.
func (s *Standing) Place() *time.Location {
	if s.User.TimeZone == "" {
		return s.House.Place
	}
	place, err := time.LoadLocation(s.User.TimeZone)
	if err != nil {
		return s.House.Place
	}
	return place
}

// Standing reads where the calling staff user stands. Nobody needs a right to
// that.
func (s *Service) Standing(ctx context.Context, caller bank.Caller) (standing Standing, err error) {
	id := bank.StaffID(caller.ID)
	action := guard.Action{Event: "staff.viewed", Target: userTarget(id, ""), Self: true}
	err = s.guard.Look(ctx, caller, action, func(v *guard.View) error {
		p, err := s.profile(v.Tx, caller.Institution, id)
		if err != nil {
			return err
		}
		house, err := s.house(v.Tx, caller.Institution)
		if err != nil {
			return fmt.Errorf("find the institution: %w", err)
		}
		standing = Standing{House: house, User: p.User, Groups: p.Groups, SecondFrom: p.SecondFrom, SecondFactor: p.SecondFactor,
			Today: bank.DayOf(v.Tx.Now, house.Place)}
		if standing.own, err = grantable(v.Tx, caller); err != nil {
			return err
		}
		if standing.Federates, err = identity.Federates(v.Tx, caller.Institution); err != nil {
			return err
		}
		standing.Rights, err = rightsOf(v.Tx, caller.Institution, id)
		return err
	})
	return standing, err
}

// EditOwn changes the caller's own name, phone and time zone. Nobody needs a
// right to that, and it gives none.
func (s *Service) EditOwn(ctx context.Context, caller bank.Caller, d Details) error {
	id := bank.StaffID(caller.ID)
	action := guard.Action{Event: EventProfileChanged, Target: userTarget(id, ""), Self: true}
	return s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		u, err := findUser(c.Tx, caller.Institution, id)
		if err != nil {
			return err
		}
		return storeDetails(c, u, d.trimmed())
	})
}
