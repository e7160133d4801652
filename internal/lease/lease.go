// Package lease lets one process at a time do a piece of background work. Every
// taking by another holder raises the fence; work checks it inside the
// transaction that it writes, so that a holder that was paused past the end of
// its lease writes nothing.
package lease

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mandate/internal/db"
)

// ErrLost says that somebody else has the work now.
var ErrLost = errors.New("lease: somebody else has the work now")

// A Lease is the right to do a piece of work for a while.
type Lease struct {
	Name  string
	Fence int64
}

// Take takes or renews a lease and reports whether the holder has it.
func Take(ctx context.Context, d *db.DB, name, holder string, lasts time.Duration) (l Lease, taken bool, err error) {
	err = d.Write(ctx, func(tx *db.Tx) error {
		fence, err := db.One(tx, db.Value[int64], `
			insert into work_lease (name, holder, fence, until_micros) values ($1, $2, 1, $3)
			on conflict (name) do update
			   set fence = work_lease.fence + case when work_lease.holder = excluded.holder then 0 else 1 end,
			       holder = excluded.holder, until_micros = excluded.until_micros
			 where work_lease.holder = excluded.holder or work_lease.until_micros <= $4
			returning fence`, name, holder, tx.Now.Add(lasts).UnixMicro(), tx.Now.UnixMicro())
		if errors.Is(err, db.ErrNoRows) {
			taken = false
			return nil
		}
		l, taken = Lease{Name: name, Fence: fence}, err == nil
		return err
	})
	if err != nil {
		return Lease{}, false, fmt.Errorf("take the lease %s: %w", name, err)
	}
	return l, taken, nil
}

// Check fails with ErrLost where somebody else has taken the work since, and
// keeps everybody from taking it until the transaction ends.
func (l Lease) Check(tx *db.Tx) error {
	n, err := tx.Exec(`update work_lease set fence = fence where name = $1 and fence = $2`, l.Name, l.Fence)
	if err != nil {
		return fmt.Errorf("check the lease %s: %w", l.Name, err)
	}
	if n == 0 {
		return ErrLost
	}
	return nil
}

// End gives a lease back before its time, so that others need not wait.
func (l Lease) End(ctx context.Context, d *db.DB) error {
	return d.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`update work_lease set until_micros = 0 where name = $1 and fence = $2`, l.Name, l.Fence)
		return err
	})
}

// EndAll ends every lease, also those of holders that still run: it raises every
// fence. It is for a database that was restored.
func EndAll(tx *db.Tx) error {
	if _, err := tx.Exec(`update work_lease set until_micros = 0, fence = fence + 1, holder = ''`); err != nil {
		return fmt.Errorf("end the leases: %w", err)
	}
	return nil
}
