package app

import (
	"context"
	"fmt"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/client"
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

// HeldClients is the kind of what is held of programs: they are kept out.
const HeldClients outbox.Kind = "client"

var (
	// errNothingHeld says that a kind is not held at an institution.
	errNothingHeld = fault.New(fault.NotFound, "Nothing of that kind is held back there. mandate held list says what is.")

	errTogether = fault.New(fault.Invalid, "Messages of a kind go out together, in their order. Drop single ones first, and then release the kind without naming one.")
)

// ReleaseHeld lets go out what an institution's restore has kept back of a kind,
// or lets in the programs that it keeps out: all, or the one of an id.
func ReleaseHeld(ctx context.Context, d *db.DB, caller bank.Caller, kind outbox.Kind, id string) (released int64, err error) {
	return released, changeHeld(ctx, d, caller, eventHeldReleased, func(c *guard.Change) error {
		if kind == HeldClients {
			released, err = client.Release(c, bank.ClientID(id))
			return err
		}
		if id != "" {
			return errTogether
		}
		var found bool
		if released, found, err = outbox.Release(c.Tx, caller.Institution, kind); err != nil || !found {
			return orNothing(err)
		}
		c.RecordAs(eventHeldReleased, institutionOf(caller), fmt.Sprintf("%d of the kind %s.", released, kind))
		return nil
	})
}

// DropHeld gives up what an institution's restore has kept back of a kind, or
// one message of it. Programs that are dropped are revoked.
func DropHeld(ctx context.Context, d *db.DB, caller bank.Caller, kind outbox.Kind, id string) (dropped int64, err error) {
	return dropped, changeHeld(ctx, d, caller, eventHeldDropped, func(c *guard.Change) error {
		if kind == HeldClients {
			dropped, err = client.Drop(c, bank.ClientID(id))
			return err
		}
		var found bool
		if dropped, found, err = outbox.Drop(c.Tx, caller.Institution, kind, id); err != nil || !found {
			return orNothing(err)
		}
		c.RecordAs(eventHeldDropped, institutionOf(caller), fmt.Sprintf("%d of the kind %s. %s", dropped, kind, id))
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
