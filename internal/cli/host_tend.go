package cli

import (
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"mandate/internal/app"
	"mandate/internal/bank"
	"mandate/internal/config"
	"mandate/internal/db"
	"mandate/internal/host"
	"mandate/internal/hostsync"
)

// hostTending are the commands of those who look after what goes to the core and
// what it tells.
type hostTending struct {
	Orders    hostOrders    `cmd:"" help:"List what the core has not done yet, what was given up first."`
	Retry     hostRetry     `cmd:"" help:"Try orders again that were given up: one, or all."`
	Parked    hostParked    `cmd:"" help:"List what the core told and could not be taken over; try one again, or set it aside."`
	Reconcile hostReconcile `cmd:"" help:"Compare all people with the core's and write every difference to a file."`
}

// hostStore is what commands about an institution's core need.
type hostStore struct {
	config.Store `embed:""`
	Institution  string `required:"" help:"The institution's id." placeholder:"ID"`
}

// tendingIn is the room on a database, without a core: for looking after what
// waits.
func tendingIn(t *terminal, d *db.DB) *hostsync.Service {
	door := doorOf(d)
	return hostsync.New(hostsync.Config{DB: d, Guard: door, Desk: host.NewDesk(d, nil, t.logger()), Log: t.logger()})
}

// looks opens the room for looking, beside a running server.
func (c hostStore) looks(t *terminal, look func(*hostsync.Service, bank.Caller) error) (err error) {
	d, err := openReadOnly(t, c.Store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return look(tendingIn(t, d), operator(c.Institution))
}

// tends opens the room for changing something.
func (c hostStore) tends(t *terminal, do func(*hostsync.Service, bank.Caller) error) (err error) {
	d, err := openStore(t, c.Store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return do(tendingIn(t, d), operator(c.Institution))
}

// maxListed is how much of a queue a command lists.
const maxListed = 1000

type hostOrders struct {
	hostStore `embed:""`
}

func (c *hostOrders) Run(t *terminal) error {
	return c.looks(t, func(s *hostsync.Service, caller bank.Caller) error {
		all, err := s.Orders(t.ctx, caller, maxListed)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(t.out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(table, "ID\tSTATE\tSINCE\tTRIES\tORDER\tABOUT\tLAST ANSWER")
		for _, o := range all {
			state := "waits"
			if o.Dead {
				state = "given up"
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\t%s\t%s\n", o.ID, state, age(t, o.Queued), o.Attempts, o.Key, about(o), onOneLine(o.Failure))
		}
		return table.Flush()
	})
}

// onOneLine is what somebody else wrote, which a terminal must not obey.
func onOneLine(text string) string {
	if bank.Printable(text) {
		return text
	}
	return fmt.Sprintf("%q", text)
}

func about(o hostsync.Order) string {
	if o.User == "" {
		return o.Room
	}
	return fmt.Sprintf("%s %s", o.Step, o.Name)
}

// age is how long ago something was; nothing where it never was.
func age(t *terminal, at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return t.clock.Now().Sub(at).Round(time.Second).String()
}

type hostRetry struct {
	hostStore `embed:""`
	ID        string `arg:"" optional:"" help:"The order's id, as 'host orders' lists it; all unless given."`
}

func (c *hostRetry) Run(t *terminal) error {
	return c.tends(t, func(s *hostsync.Service, caller bank.Caller) error {
		n, err := s.Retry(t.ctx, caller, c.ID)
		if err != nil {
			return err
		}
		fmt.Fprintf(t.out, "%d orders are tried again.\n", n)
		return nil
	})
}

type hostParked struct {
	hostStore `embed:""`
	Again     string `help:"Look at this one again." placeholder:"ID" xor:"what"`
	Aside     string `help:"Leave this one as it is, for good." placeholder:"ID" xor:"what"`
}

func (c *hostParked) Run(t *terminal) error {
	switch {
	case c.Again != "":
		return c.tends(t, func(s *hostsync.Service, caller bank.Caller) error { return s.TryAgain(t.ctx, caller, c.Again) })
	case c.Aside != "":
		return c.tends(t, func(s *hostsync.Service, caller bank.Caller) error { return s.SetAside(t.ctx, caller, c.Aside) })
	}
	return c.looks(t, func(s *hostsync.Service, caller bank.Caller) error {
		all, err := s.Parked(t.ctx, caller, maxListed)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(t.out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(table, "ID\tABOUT\tVERSION\tSINCE\tREASON\tWHAT")
		for _, p := range all {
			fmt.Fprintf(table, "%s\t%s %s of %s\t%d\t%s\t%s\t%q\n", p.ID, p.About, p.Subject, p.Organization, p.Version, age(t, p.Made), p.Code, p.Note)
		}
		return table.Flush()
	})
}

type hostReconcile struct {
	config.Config `embed:""`
	Institution   string `required:"" help:"The institution's id." placeholder:"ID"`
	Report        string `help:"Where the report goes, as CSV; '-' is the terminal." default:"reconciliation.csv" placeholder:"FILE"`
}

func (c *hostReconcile) Run(t *terminal) (err error) {
	a, err := app.Open(t.ctx, c.Config, t.clock, t.logger())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	out := t.out
	if c.Report != "-" {
		file, err := os.OpenFile(c.Report, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("make the report: %w", err)
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		out = file
	}
	sum, err := a.HostSync.Reconcile(t.ctx, operator(c.Institution), out, c.Report)
	if err != nil {
		return err
	}
	fmt.Fprintln(t.err, sum)
	if sum.Differ+sum.OnlyHere+sum.OnlyThere > 0 {
		return errQuiet
	}
	return nil
}
