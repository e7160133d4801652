package staff

import (
	"context"
	"fmt"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/guard"
	"mandate/internal/identity"
)

// Where an institution has its staff sign in through a provider of its own,
// signing in takes a right, by either way. Connecting one takes nothing away:
// every group gets the right to go on signing in here, and can lose it after.

// History events of an institution's provider.
const (
	EventProviderChanged = "institution.provider_changed"
	EventProviderRemoved = "institution.provider_removed"
)

// ofProvider is the action of looking at an institution's provider, or changing
// it.
func ofProvider(event string, institution bank.InstitutionID) guard.Action {
	return acting(event, catalog.InstitutionSettingsManage, activity.Target{Kind: activity.TargetInstitution, ID: string(institution)})
}

// Provider is the institution's own provider; one of version 0 where there is
// none.
func (s *Service) Provider(ctx context.Context, caller bank.Caller) (p identity.Provider, err error) {
	err = s.guard.Look(ctx, caller, ofProvider(EventProviderChanged, caller.Institution), func(v *guard.View) error {
		p, err = identity.ProviderOf(v.Tx, caller.Institution)
		return err
	})
	return p, err
}

// SetProvider connects a provider, or changes the one that there is, which the
// caller has seen in a version. An empty secret keeps the one that is kept. It
// needs a high-risk authorization.
func (s *Service) SetProvider(ctx context.Context, caller bank.Caller, seen int64, will identity.Provider, secret identity.Secret) error {
	return s.guard.Do(ctx, caller, ofProvider(EventProviderChanged, caller.Institution), func(c *guard.Change) error {
		changes, err := s.links.PutProvider(c.Tx, caller.Institution, seen, will, secret)
		if err != nil || len(changes) == 0 {
			return err
		}
		if err := c.RequireProof(content([]any{will, string(secret)})); err != nil {
			return err
		}
		if seen == 0 {
			if err := permitSignIn(c); err != nil {
				return err
			}
		}
		return s.recordOfHouse(c, EventProviderChanged, changes...)
	})
}

// recordOfHouse records a change of the institution itself.
func (s *Service) recordOfHouse(c *guard.Change, event string, changes ...activity.Change) error {
	house, err := s.house(c.Tx, c.Caller.Institution)
	if err != nil {
		return fmt.Errorf("find the institution: %w", err)
	}
	c.RecordAs(event, activity.Target{Kind: activity.TargetInstitution, ID: string(c.Caller.Institution), Name: house.Name}, "", changes...)
	return nil
}

// permitSignIn lets every group sign in here, as everybody could before it took a
// right. Groups that administer may come through the provider, too: nobody could
// give that otherwise.
func permitSignIn(c *guard.Change) error {
	groups, err := listGroups(c.Tx, c.Caller.Institution)
	if err != nil {
		return err
	}
	for _, g := range groups {
		was := g.Draft
		g.Permissions |= catalog.StaffSetOf(catalog.StaffSignInHere)
		if was.Permissions.Effective().Covers(catalog.StaffAdministration) {
			g.Permissions |= catalog.StaffSignIns
		}
		if g.Permissions == was.Permissions {
			continue
		}
		if err := updateGroup(c.Tx, c.Caller.Institution, g.ID, g.Draft); err != nil {
			return err
		}
		c.RecordAs(EventGroupChanged, groupTarget(g.ID, g.Name), "an outside provider was connected", g.Draft.changes(was)...)
	}
	return nil
}

// RemoveProvider disconnects the provider. Whoever came in through it is signed
// out, and from then on signing in takes no right. It needs a high-risk
// authorization.
func (s *Service) RemoveProvider(ctx context.Context, caller bank.Caller) error {
	return s.guard.Do(ctx, caller, ofProvider(EventProviderRemoved, caller.Institution), func(c *guard.Change) error {
		if err := c.RequireProof(nil); err != nil {
			return err
		}
		was, err := s.links.RemoveProvider(c.Tx, caller.Institution)
		if err != nil {
			return err
		}
		return s.recordOfHouse(c, EventProviderRemoved, activity.Change{Field: "issuer", Old: was.Issuer}, activity.Change{Field: "label", Old: was.Label})
	})
}

// Unlink forgets whom the provider means by a user. Whoever comes through it with
// the user's address next is linked anew.
func (s *Service) Unlink(ctx context.Context, caller bank.Caller, id bank.StaffID) error {
	return s.onUser(ctx, caller, identity.EventUnlinked, catalog.StaffUsersResetPassword, id, func(c *guard.Change, u User) error {
		if err := s.aboveUser(c, "You can’t unlink the sign-in of somebody who has", u); err != nil {
			return err
		}
		was, err := s.links.Unlink(c.Tx, identity.Staff(caller.Institution, id))
		if err != nil {
			return err
		}
		c.RecordAs(identity.EventUnlinked, userTarget(id, u.Name()), "", activity.Change{Field: "issuer", Old: was.Issuer}, activity.Change{Field: "outside_subject", Old: was.Subject})
		return nil
	})
}

// SignInRefused says why somebody who holds this may not sign in at all; it is
// empty where they may.
func SignInRefused(tx *db.Tx, institution bank.InstitutionID, held catalog.StaffSet) (string, error) {
	federates, err := identity.Federates(tx, institution)
	if err != nil {
		return "", fmt.Errorf("look whether signing in takes a right: %w", err)
	}
	if federates && held&catalog.StaffSignIns == 0 {
		return identity.ErrBarred.Sentence, nil
	}
	return "", nil
}
