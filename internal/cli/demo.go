package cli

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"mandate/internal/app"
	"mandate/internal/config"
	"mandate/internal/db"
	"mandate/internal/demo"
	"mandate/internal/fault"
	"mandate/internal/mail/mailbox"
)

type demoCommand struct {
	config.Config `embed:""`
	Fresh         bool   `help:"Start over: forget everything that was changed."`
	ListenMailbox string `name:"listen-mailbox" help:"Address of the mailbox that shows all mail." default:"localhost:8083" placeholder:"HOST:PORT"`
}

// demoSeeding is how long somebody made in BackOffice or Classic is on their way:
// long enough to be seen.
const demoSeeding = 15 * time.Second

// demoNotice stands above every page of the demo.
const demoNotice = "Demonstration: every person, firm and amount here is made up."

func (c *demoCommand) Run(t *terminal) (err error) {
	cfg, err := c.demoConfig()
	if err != nil {
		return err
	}
	unfinished, err := demo.Unfinished(cfg.Data)
	if err != nil && !c.Fresh {
		return err
	}
	if c.Fresh || unfinished {
		if err := forget(t, cfg.Data); err != nil {
			return err
		}
	}
	clock := demo.NewClock(t.clock)
	box, err := mailbox.Listen("localhost:0", clock)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, box.Close()) }()
	cfg.SMTP = box.Address()
	a, err := app.Open(t.ctx, cfg, clock, slog.New(slog.NewTextHandler(t.err, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	a.Notice, a.Mailbox, a.ListenMailbox, a.Components = demoNotice, box, c.ListenMailbox, true
	world, err := demo.Open(t.ctx, a, clock, t.out)
	if err != nil {
		return err
	}
	if a.Bank != nil {
		a.Bank.TakeTime(demoSeeding)
	}
	go demo.Live(t.ctx, a, world)
	return a.Serve(t.ctx, func() { c.introduce(t, world, cfg.Data) })
}

// demoConfig is the configuration with what a demo has by itself: a folder of
// its own and throttles that nobody who tries things out runs into.
func (c *demoCommand) demoConfig() (config.Config, error) {
	cfg := c.Config
	if cfg.Remote() {
		return cfg, fault.New(fault.Invalid, "A demo simulates its core and fills it: leave --host (MANDATE_HOST) out.")
	}
	if cfg.Data == "" {
		store, err := cfg.Store.WithDefaults()
		if err != nil {
			return cfg, err
		}
		cfg.Data = store.Data + "-demo"
	}
	if cfg.ThrottleFactor == 0 {
		cfg.ThrottleFactor = 100
	}
	cfg.OfficeFile = filepath.Join(cfg.Data, demo.OfficeFile)
	return cfg, nil
}

// forget removes what an earlier demo left in its folder, and nothing that a
// demo did not make, nor what a running one works on.
func forget(t *terminal, data string) error {
	if _, err := os.Stat(filepath.Join(data, demo.FileName)); err != nil {
		return nil
	}
	d, err := app.OpenDB(t.ctx, config.Store{DB: "sqlite:" + filepath.Join(data, "mandate.db"), Data: data}, t.clock)
	switch {
	case err == nil:
		if err := d.Close(); err != nil {
			return fmt.Errorf("start over: %w", err)
		}
	case errors.Is(err, db.ErrInUse):
		return fault.New(fault.Conflict, "A demo is running in this folder. Stop it first.").Because(err)
	}
	for _, name := range []string{"mandate.db", "mandate.db-wal", "mandate.db-shm", "mandate.db.lock", "host.db", "host.db-wal", "host.db-shm", "host.db.lock", "root.key", demo.OfficeFile, demo.FileName} {
		if err := os.Remove(filepath.Join(data, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("start over: %w", err)
		}
	}
	return nil
}

func (c *demoCommand) introduce(t *terminal, world *demo.World, data string) {
	table := tabwriter.NewWriter(t.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table)
	for _, name := range []string{"online", "console", "backoffice", "mailbox", "api", "operators", "faults"} {
		if address := world.Addresses[name]; address != "" {
			fmt.Fprintf(table, "%s\t%s\n", name, address)
		}
	}
	address := ""
	for _, s := range world.SignIns {
		if s.URL != address {
			address = s.URL
			fmt.Fprintf(table, "\n%s\t\t\t\n", s.URL)
		}
		fmt.Fprintf(table, "  %s\t%s\t%s, %s\n", s.Username, s.Password, s.Organization, s.Does)
	}
	_ = table.Flush() // to the terminal: there is nobody to tell if it has gone
	fmt.Fprintf(t.out, "\nTry: sign in as ana.ruiz, open Settings > User management > Dana Reyes, and change what Dana may do.\nEverything is in %s.\nready\n",
		filepath.Join(data, demo.FileName))
}
