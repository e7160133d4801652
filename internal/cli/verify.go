package cli

import (
	"errors"
	"fmt"

	"mandate/internal/activity"
	"mandate/internal/app"
	"mandate/internal/bank"
	"mandate/internal/config"
	"mandate/internal/db"
)

type verifyCommand struct {
	config.Store `embed:""`
	Institution  string `help:"Only this institution." placeholder:"ID"`
}

func (c *verifyCommand) Run(t *terminal) (err error) {
	d, err := openReadOnly(t, c.Store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	var result activity.Verified
	err = d.Read(t.ctx, func(tx *db.Tx) (err error) {
		result, err = activity.Verify(tx, bank.InstitutionID(c.Institution), func(n int64) {
			if t.isTerm {
				fmt.Fprintf(t.out, "\r%d events", n)
			}
		})
		return err
	})
	if err != nil {
		return err
	}
	if t.isTerm {
		fmt.Fprint(t.out, "\r")
	}
	for _, b := range result.Broken {
		fmt.Fprintf(t.out, "broken: institution %s, organization %q, event %d %s: %s\n", b.Institution, b.Organization, b.Sequence, b.Event, b.Why)
	}
	fmt.Fprintf(t.out, "%d chains, %d events, %d broken\n", result.Chains, result.Events, len(result.Broken))
	if len(result.Broken) > 0 {
		return errQuiet
	}
	return nil
}

// openReadOnly opens a store for looking; it works beside a running server.
func openReadOnly(t *terminal, store config.Store) (*db.DB, error) {
	store, err := store.WithDefaults()
	if err != nil {
		return nil, err
	}
	d, err := db.Open(t.ctx, db.Config{URL: store.DB, Clock: t.clock, ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	return d, nil
}

// openStore opens a store for changing; the server must not run on an embedded
// one at the same time.
func openStore(t *terminal, store config.Store) (*db.DB, error) {
	return app.OpenDB(t.ctx, store, t.clock)
}
