package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mandate/internal/activity"
	"mandate/internal/approval"
	"mandate/internal/backup"
	"mandate/internal/bank"
	"mandate/internal/client"
	"mandate/internal/db"
	"mandate/internal/follow"
	"mandate/internal/grant"
	"mandate/internal/guard"
	"mandate/internal/identity"
	"mandate/internal/lease"
	"mandate/internal/outbox"
	"mandate/internal/seal"
	"mandate/internal/staff"
	"mandate/internal/usermgmt"
	"mandate/internal/webhook"
)

// Renewed is what a restored database was freed of.
type Renewed struct {
	Epoch        int64
	Institutions []bank.InstitutionID
	Held         []outbox.Hold
	Clients      []client.Client // programs that are kept out
}

// Renew ends in a restored database what must not come back, before anybody can
// use it: the epoch, and with it every revision token; every sign-in, link and
// ticket; all that products have of people; what waits for a second person; every
// lease. What waited to go out is kept back, and all programs are kept out: which of
// their keys were taken away since is not known here. It may be run again.
func Renew(ctx context.Context, d *db.DB, keys *seal.Keyring, from backup.Manifest) (r Renewed, err error) {
	var institutions []usermgmt.Institution
	err = d.Write(ctx, func(tx *db.Tx) (err error) {
		if r.Epoch, err = activity.Renew(tx); err != nil {
			return err
		}
		if err := errors.Join(lease.EndAll(tx), follow.ForgetCopies(tx)); err != nil {
			return err
		}
		institutions, err = usermgmt.Institutions(tx)
		return err
	})
	if err != nil {
		return r, err
	}
	grants := grant.New(d, guard.New(d, usermgmt.LoadPolicy, staff.Rights{}, identity.Proofs{}), ProductPeople{}, keys)
	grants.Closes = LogoutAddress
	note := fmt.Sprintf("The backup was made at %s. Epoch %d began.", from.Made.UTC().Format(time.DateTime+" UTC"), r.Epoch)
	for i := range institutions {
		id := institutions[i].ID
		operator := bank.Caller{Kind: bank.ActorOperator, Name: "Operator", Institution: id, Channel: bank.ChannelCommand}
		err := grants.Restored(ctx, operator, note, func(tx *db.Tx) error {
			if err := errors.Join(approval.EndWaiting(tx, id), webhook.PauseRestored(tx, id), client.HoldRestored(tx, id)); err != nil {
				return err
			}
			return outbox.HoldRestored(tx, id, from.Made)
		})
		if err != nil {
			return r, fmt.Errorf("end what must not come back at %s: %w", id, err)
		}
		r.Institutions = append(r.Institutions, id)
	}
	return r, d.Read(ctx, func(tx *db.Tx) (err error) {
		if r.Held, err = outbox.Holds(tx); err != nil {
			return err
		}
		r.Clients, err = client.Held(tx, "")
		return err
	})
}
