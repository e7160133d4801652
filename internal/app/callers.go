package app

import (
	"mandate/internal/activity"
	"mandate/internal/gate"
	"mandate/internal/guard"
)

// openCallers builds who knows the programs that ask for decisions. Whatever
// could end a token of theirs in this process has the next call look at it again.
func (a *App) openCallers() {
	a.callers = gate.NewCallers(a.Clients, a.Products, a.Clock)
	a.Grants.Ended = a.callers.Forget
	a.Guard.Watch(func(c *guard.Change, events []activity.Event) error {
		for _, e := range events {
			if e.Target.Kind == activity.TargetClient || e.Target.Kind == activity.TargetInstitution {
				c.Tx.AfterCommit(a.callers.Forget)
				return nil
			}
		}
		return nil
	})
}
