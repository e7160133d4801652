package app

import (
	"context"
	"fmt"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/identity"
	"mandate/internal/outbox"
	"mandate/internal/staff"
	"mandate/internal/usermgmt"
)

// History events of what was held back after a restore.
const (
	eventHeldReleased = "institution.held_released"
	eventHeldDropped  = "institution.held_dropped"
)

// errNothingHeld says that a kind is not held at an institution.
var errNothingHeld = fault.New(fault.NotFound, "Nothing of that kind is held back there. mandate held list says what is.")

// ReleaseHeld lets go out what an institution's restore has kept back of a kind.
func ReleaseHeld(ctx context.Context, d *db.DB, caller bank.Caller, kind outbox.Kind) (messages int64, err error) {
	return messages, changeHeld(ctx, d, caller, eventHeldReleased, func(c *guard.Change) error {
		var found bool
		if messages, found, err = outbox.Release(c.Tx, caller.Institution, kind); err != nil || !found {
			return orNothing(err)
		}
		c.RecordAs(eventHeldReleased, institutionOf(caller), fmt.Sprintf("%d of the kind %s.", messages, kind))
		return nil
	})
}

// DropHeld gives up what an institution's restore has kept back of a kind, or
// one message of it.
func DropHeld(ctx context.Context, d *db.DB, caller bank.Caller, kind outbox.Kind, id string) (messages int64, err error) {
	return messages, changeHeld(ctx, d, caller, eventHeldDropped, func(c *guard.Change) error {
		if messages, err = outbox.Drop(c.Tx, caller.Institution, kind, id); err != nil || messages == 0 && id != "" {
			return orNothing(err)
		}
		c.RecordAs(eventHeldDropped, institutionOf(caller), fmt.Sprintf("%d of the kind %s. %s", messages, kind, id))
		return nil
	})
}

func orNothing(err error) error {
	if err != nil {
		return err
	}
	return errNothingHeld
}

func institutionOf(caller bank.Caller) activity.Target {
	return activity.Target{Kind: activity.TargetInstitution, ID: string(caller.Institution)}
}

func changeHeld(ctx context.Context, d *db.DB, caller bank.Caller, event string, do func(*guard.Change) error) error {
	door := guard.New(d, usermgmt.LoadPolicy, staff.Rights{}, identity.Proofs{})
	return door.Do(ctx, caller, guard.Action{Event: event, Target: institutionOf(caller), Others: []bank.ActorKind{bank.ActorOperator}}, do)
}
