package cli

import (
	"cmp"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"mandate/internal/config"
	"mandate/internal/db"
	"mandate/internal/follow"
	"mandate/internal/outbox"
	"mandate/internal/usermgmt"
)

type statusCommand struct {
	config.Store `embed:""`
}

// Run says what has not arrived, since when, and what waits for somebody to look
// at it. It works beside a running server.
func (c *statusCommand) Run(t *terminal) (err error) {
	d, err := openReadOnly(t, c.Store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	var queues []outbox.Backlog
	var institutions []usermgmt.Institution
	var copies []follow.Copy
	err = d.Read(t.ctx, func(tx *db.Tx) (err error) {
		if err := t.held(tx, false); err != nil {
			return err
		}
		if queues, err = outbox.Backlogs(tx); err != nil {
			return err
		}
		if copies, err = follow.Copies(tx); err != nil {
			return err
		}
		institutions, err = usermgmt.Institutions(tx)
		return err
	})
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(t.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "GOES OUT\tWAITS\tOLDEST\tGIVEN UP")
	for _, q := range queues {
		oldest := time.Time{}
		if q.OldestMicro > 0 {
			oldest = time.UnixMicro(q.OldestMicro)
		}
		fmt.Fprintf(table, "%s\t%d\t%s\t%d\n", q.Kind, q.Waiting, age(t, oldest), q.Dead)
	}
	if len(queues) == 0 {
		fmt.Fprintln(table, "nothing waits\t0\t-\t0")
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if err := c.copies(t, table, copies); err != nil {
		return err
	}
	fmt.Fprintln(t.out)
	fmt.Fprintln(table, "INSTITUTION\tORDERS TO THE CORE\tOLDEST\tGIVEN UP\tEVENTS WAIT\tOLDEST\tPARKED\tIMPORTING\tLAST READ\tLAST COMPARED\tDIFFERENCES")
	for _, i := range institutions {
		o, err := tendingIn(t, d).Overview(t.ctx, operator(string(i.ID)))
		if err != nil {
			return err
		}
		compared, differences := "-", "-"
		if r := o.Compared; r != nil {
			compared, differences = age(t, r.At), fmt.Sprint(r.Differ+r.OnlyHere+r.OnlyThere)
		}
		oldest := time.Time{}
		if o.Orders.OldestMicro > 0 {
			oldest = time.UnixMicro(o.Orders.OldestMicro)
		}
		fmt.Fprintf(table, "%s\t%d\t%s\t%d\t%d\t%s\t%d\t%d\t%s\t%s\t%s\n", i.ID, o.Orders.Waiting, age(t, oldest), o.Orders.Dead,
			o.Events, age(t, o.OldestAt), o.Parked, o.Importing, age(t, o.ReadAt), compared, differences)
	}
	return table.Flush()
}

// copies are the processes that answer from memory. How long one has been
// silent is by this machine's clock.
func (c *statusCommand) copies(t *terminal, table *tabwriter.Writer, copies []follow.Copy) error {
	if len(copies) == 0 {
		return nil
	}
	fmt.Fprintln(t.out)
	fmt.Fprintln(table, "ANSWERS FROM MEMORY\tSTATE\tLAST SEEN\tBEHIND\tORGANIZATIONS\tMIB\tSINCE\tVERSION")
	for _, one := range copies {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\n", cmp.Or(one.Name, one.ID), one.State, age(t, one.Seen),
			one.Lag.Round(time.Millisecond), one.Organizations, one.Bytes>>20, age(t, one.Started), one.Version)
	}
	return table.Flush()
}
