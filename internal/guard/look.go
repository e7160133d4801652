package guard

import (
	"context"
	"errors"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/entitlement"
)

// A View is a permitted look at an organization.
type View struct {
	Tx       *db.Tx
	Policy   *entitlement.Policy
	Revision int64 // of what is seen
}

// Look decides as Do does and then reads, in one read transaction. Nothing is
// locked and nothing recorded: looking changes nothing.
func (g *Guard) Look(ctx context.Context, caller bank.Caller, action Action, read func(*View) error) error {
	if stranger(caller, action) {
		return notThere(action)
	}
	return g.db.Read(ctx, func(tx *db.Tx) error {
		c, err := g.facts(tx, caller, action)
		if err != nil {
			return err
		}
		if err := c.permit(); err != nil {
			return err
		}
		revision, err := activity.Revision(tx, caller.Institution, action.Organization)
		if errors.Is(err, activity.ErrNoStream) {
			return notThere(action)
		}
		if err != nil {
			return err
		}
		return read(&View{Tx: tx, Policy: c.Policy, Revision: revision})
	})
}
