package identity

import (
	"context"
	"errors"
	"fmt"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/guard"
)

var lockCauses = map[door]string{
	doorSignIn:   "too many wrong sign-in attempts",
	doorHighRisk: "too many wrong high-risk authorizations",
}

// lock locks a person whose attempts at a door are used up, and ends their
// sign-ins in the same instant. It looks again, because somebody else may have
// locked or unlocked them meanwhile. Only an unlock undoes it.
func (s *Service) lock(ctx context.Context, p *Person, at door, from Source) error {
	action := guard.Action{
		Event: p.event("locked"), Organization: p.Organization, Target: p.target(), Others: []bank.ActorKind{bank.ActorSystem},
	}
	return s.guard.Do(ctx, p.system(from), action, func(c *guard.Change) error {
		n, err := strikesAt(c.Tx, p.Subject, at)
		if err != nil || n.wrong < strikesOf(p.Subject.Kind) {
			return err
		}
		now, err := s.people.Find(c.Tx, p.Subject)
		if errors.Is(err, ErrNoPerson) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("find the person: %w", err)
		}
		if now.Status != bank.StatusActive && now.Status != bank.StatusPending {
			return nil
		}
		if err := s.people.SetStatus(c.Tx, p.Subject, bank.StatusLocked); err != nil {
			return fmt.Errorf("lock: %w", err)
		}
		if err := EndSignIns(c.Tx, p.Subject); err != nil {
			return err
		}
		c.RecordAs(action.Event, action.Target, lockCauses[at],
			activity.Change{Field: "status", Old: now.Status.String(), New: bank.StatusLocked.String()})
		return s.tell(c.Tx, &now, action.Event, "Your access was locked",
			"There were "+lockCauses[at]+", so nobody can sign in as you now. Ask your administrator to unlock you.")
	})
}
