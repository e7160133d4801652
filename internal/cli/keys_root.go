package cli

import (
	"errors"
	"fmt"
	"text/tabwriter"

	"mandate/internal/app"
	"mandate/internal/config"
)

type keysRoot struct {
	List   rootList   `cmd:"" help:"List the keys, and how much each has sealed."`
	Add    rootAdd    `cmd:"" help:"Make a further key, which seals nothing yet: copy root.key to every machine first."`
	Use    rootUse    `cmd:"" help:"Let a key seal from now on. Running servers notice within seconds, and seal anew what older keys have sealed."`
	Retire rootRetire `cmd:"" help:"Take a key away that nothing is sealed with any more."`
}

type rootList struct {
	config.Store `embed:""`
}

func (c *rootList) Run(t *terminal) (err error) {
	store, err := c.Store.WithDefaults()
	if err != nil {
		return err
	}
	d, err := openReadOnly(t, store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	keys, strange, err := app.ListRootKeys(t.ctx, store.Data, d)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(t.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tSTATE\tSEALED WITH IT")
	for _, k := range keys {
		state := "opens"
		if k.InUse {
			state = "seals"
		}
		fmt.Fprintf(table, "%s\t%s\t%d\n", k.ID, state, k.Sealed)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if strange > 0 {
		fmt.Fprintf(t.out, "%d values are sealed with keys that are not here\n", strange)
		return errQuiet
	}
	return nil
}

type rootAdd struct {
	config.Store `embed:""`
}

func (c *rootAdd) Run(t *terminal) error {
	store, err := c.Store.WithDefaults()
	if err != nil {
		return err
	}
	id, err := app.AddRootKey(store.Data, t.clock.Now())
	if err == nil {
		fmt.Fprintf(t.out, "Key %s is made and opens. Copy root.key to every machine that works on the database, then: mandate keys root use %s\n", id, id)
	}
	return err
}

type rootUse struct {
	config.Store `embed:""`
	ID           string `arg:"" help:"The key's id."`
}

func (c *rootUse) Run(t *terminal) error {
	store, err := c.Store.WithDefaults()
	if err != nil {
		return err
	}
	if err := app.UseRootKey(store.Data, c.ID); err != nil {
		return err
	}
	fmt.Fprintf(t.out, "Key %s seals from now on. Copy root.key to every machine, once more.\n", c.ID)
	return nil
}

type rootRetire struct {
	config.Store `embed:""`
	ID           string `arg:"" help:"The key's id."`
}

func (c *rootRetire) Run(t *terminal) (err error) {
	store, err := c.Store.WithDefaults()
	if err != nil {
		return err
	}
	d, err := openReadOnly(t, store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if err := app.RetireRootKey(t.ctx, store.Data, c.ID, d); err != nil {
		return err
	}
	fmt.Fprintf(t.out, "Key %s is taken away. Backups made before it need it: keep the copy of root.key that you have for them.\n", c.ID)
	return nil
}

type keysReseal struct {
	config.Store `embed:""`
}

func (c *keysReseal) Run(t *terminal) (err error) {
	store, err := c.Store.WithDefaults()
	if err != nil {
		return err
	}
	keys, err := app.OpenKeys(store.Data)
	if err != nil {
		return err
	}
	d, err := openStore(t, store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	n, err := app.Reseal(t.ctx, d, keys, func(done int) { t.progress("sealed anew", int64(done), 0) })
	t.clearLine()
	fmt.Fprintf(t.out, "%d values were sealed anew with %s\n", n, keys.Active())
	return err
}
