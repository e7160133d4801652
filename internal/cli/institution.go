package cli

import (
	"errors"
	"fmt"
	"text/tabwriter"

	"mandate/internal/config"
	"mandate/internal/db"
	"mandate/internal/guard"
	"mandate/internal/identity"
	"mandate/internal/usermgmt"
)

type institutionCommand struct {
	List         institutionList         `cmd:"" help:"List the institutions and their settings."`
	SecondFactor institutionSecondFactor `cmd:"" help:"Say of whom a second factor is required."`
	Calendar     institutionCalendar     `cmd:"" help:"Show holidays and cut-offs."`
	Holiday      institutionHoliday      `cmd:"" help:"Close or open the institution on a day."`
	Hours        institutionHours        `cmd:"" help:"Set when a service is worked, and its cut-off."`
	Payments     institutionPayments     `cmd:"" help:"Set how payments are sent, and who originates them."`
}

type institutionList struct {
	config.Store `embed:""`
}

func (c *institutionList) Run(t *terminal) (err error) {
	d, err := openReadOnly(t, c.Store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	table := tabwriter.NewWriter(t.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tNAME\tEDITION\tTIME ZONE\tSECOND FACTOR")
	err = d.Read(t.ctx, func(tx *db.Tx) error {
		all, err := usermgmt.Institutions(tx)
		for _, i := range all {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", i.ID, i.Name, i.Edition, i.TimeZone, i.SecondFactor)
		}
		return err
	})
	return errors.Join(err, table.Flush())
}

type institutionSecondFactor struct {
	config.Store `embed:""`
	Institution  string   `arg:"" help:"The institution's id."`
	Of           []string `arg:"" help:"admins, approvers, or nobody."`
}

func (c *institutionSecondFactor) Run(t *terminal) (err error) {
	of, err := usermgmt.ParseSecondFactor(c.Of)
	if err != nil {
		return err
	}
	d, err := openStore(t, c.Store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	users := usermgmt.New(guard.New(d, usermgmt.LoadPolicy, nil, identity.Proofs{}), nil)
	return users.RequireSecondFactor(t.ctx, operator(c.Institution), of)
}
