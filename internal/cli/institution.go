package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/config"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/usermgmt"
)

type institutionCommand struct {
	List         institutionList         `cmd:"" help:"List the institutions and their settings."`
	Terms        institutionTerms        `cmd:"" help:"Change the name, the edition, the time zone or what is offered."`
	Brand        institutionBrand        `cmd:"" help:"Change the colour and the logo of the screens."`
	SecondFactor institutionSecondFactor `cmd:"" help:"Say of whom a second factor is required, and from when on."`
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
	fmt.Fprintln(table, "ID\tNAME\tEDITION\tTIME ZONE\tSECOND FACTOR\tOFFERS")
	err = d.Read(t.ctx, func(tx *db.Tx) error {
		all, err := usermgmt.Institutions(tx)
		for _, i := range all {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", i.ID, i.Name, i.Edition, i.TimeZone, factorWords(i.Factors), strings.Join(offered(i.Offers), " "))
		}
		return err
	})
	return errors.Join(err, table.Flush())
}

type institutionSecondFactor struct {
	config.Store `embed:""`
	Institution  string   `arg:"" help:"The institution's id."`
	Of           []string `arg:"" help:"admins, approvers, or nobody."`
	From         string   `help:"From this day on, such as 2026-03-02; at once unless given."`
	StaffFrom    string   `help:"Of all staff from this day on; \"never\" leaves it to their groups. Unless given it stays as it is."`
	Do           bool     `help:"Change it; without this it is only said what would change."`
}

func (c *institutionSecondFactor) Run(t *terminal) (err error) {
	of, err := usermgmt.ParseSecondFactor(c.Of)
	if err != nil {
		return err
	}
	return onInstitution(t, c.Store, c.Institution, func(users *usermgmt.Service, i usermgmt.Institution, caller bank.Caller) error {
		p := usermgmt.FactorPolicy{Members: of, MembersFrom: bank.Day(c.From), StaffFrom: i.Factors.StaffFrom}
		switch c.StaffFrom {
		case "":
		case "never":
			p.StaffFrom = ""
		default:
			p.StaffFrom = bank.Day(c.StaffFrom)
		}
		effects, err := users.PreviewFactors(t.ctx, caller, p)
		if err != nil {
			return err
		}
		return foresee(t, effects, c.Do, func() error { return users.RequireSecondFactor(t.ctx, caller, p) })
	})
}

// onInstitution does something to an institution as it stands.
func onInstitution(t *terminal, store config.Store, id string, do func(*usermgmt.Service, usermgmt.Institution, bank.Caller) error) (err error) {
	d, err := openStore(t, store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	users, caller := usermgmt.New(doorOf(d), nil), operator(id)
	i, err := users.Institution(t.ctx, caller.Institution)
	if err != nil {
		return err
	}
	return do(users, i, caller)
}

// foresee says what a change means, and makes it where it was asked to.
func foresee(t *terminal, effects []usermgmt.Effect, do bool, change func() error) error {
	if len(effects) == 0 {
		fmt.Fprintln(t.out, "Nothing would change.")
		return nil
	}
	for _, e := range effects {
		fmt.Fprintln(t.out, e.Text)
	}
	if !do {
		fmt.Fprintln(t.out, "\nNothing was changed yet. Add --do to change it.")
		return nil
	}
	return change()
}

func factorWords(p usermgmt.FactorPolicy) string {
	words := p.Members.String()
	if p.MembersFrom != "" {
		words += " from " + string(p.MembersFrom)
	}
	if p.StaffFrom != "" {
		words += "; staff from " + string(p.StaffFrom)
	}
	return words
}

func offered(set catalog.EntitlementSet) (ids []string) {
	for _, e := range catalog.EntitlementsIn(set) {
		ids = append(ids, e.ID())
	}
	return ids
}

type institutionTerms struct {
	config.Store `embed:""`
	Institution  string   `arg:"" help:"The institution's id."`
	Name         string   `help:"What it is called."`
	Edition      string   `help:"bank or credit_union."`
	TimeZone     string   `help:"Where its day begins and ends, such as America/Chicago."`
	Offer        []string `help:"Begin to offer: ach, arp, cards, stops, transfers, wires or user_management." placeholder:"ID"`
	Withdraw     []string `help:"Offer no longer." placeholder:"ID"`
	Do           bool     `help:"Change it; without this it is only said what would change."`
}

func (c *institutionTerms) Run(t *terminal) error {
	return onInstitution(t, c.Store, c.Institution, func(users *usermgmt.Service, i usermgmt.Institution, caller bank.Caller) error {
		will, err := c.apply(i.Terms())
		if err != nil {
			return err
		}
		effects, err := users.PreviewTerms(t.ctx, caller, will)
		if err != nil {
			return err
		}
		return foresee(t, effects, c.Do, func() error { return users.ChangeTerms(t.ctx, caller, i.Terms().Text(), will) })
	})
}

// apply is the terms with what the command says differently.
func (c *institutionTerms) apply(terms usermgmt.Terms) (usermgmt.Terms, error) {
	var problems fault.Problems
	if c.Name != "" {
		terms.Name = c.Name
	}
	if c.TimeZone != "" {
		terms.TimeZone = c.TimeZone
	}
	if c.Edition != "" {
		var err error
		if terms.Edition, err = bank.ParseEdition(c.Edition); err != nil {
			problems.Add("edition", "Write bank or credit_union.")
		}
	}
	for _, list := range []struct {
		field string
		ids   []string
		set   func(catalog.Entitlement)
	}{
		{"offer", c.Offer, func(e catalog.Entitlement) { terms.Offers = terms.Offers.With(e) }},
		{"withdraw", c.Withdraw, func(e catalog.Entitlement) { terms.Offers = terms.Offers.Without(e) }},
	} {
		for _, id := range list.ids {
			e, known := catalog.ParseEntitlement(id)
			if !known {
				problems.Addf(list.field, "There is no service %q.", id)
				continue
			}
			list.set(e)
		}
	}
	return terms, problems.Err("The settings cannot be changed like this.")
}

type institutionBrand struct {
	config.Store `embed:""`
	Institution  string `arg:"" help:"The institution's id."`
	Accent       string `help:"The colour of the screens, such as #1f5f8b; \"none\" is the house's own."`
	Logo         string `help:"A PNG or JPEG file." xor:"logo" type:"existingfile"`
	NoLogo       bool   `xor:"logo" help:"Take the logo away."`
}

func (c *institutionBrand) Run(t *terminal) error {
	return onInstitution(t, c.Store, c.Institution, func(users *usermgmt.Service, _ usermgmt.Institution, caller bank.Caller) error {
		if c.Accent != "" {
			accent := strings.ToLower(c.Accent)
			if accent == "none" {
				accent = ""
			}
			if err := users.SetAccent(t.ctx, caller, accent); err != nil {
				return err
			}
		}
		switch {
		case c.NoLogo:
			return users.RemoveLogo(t.ctx, caller)
		case c.Logo != "":
			file, err := os.ReadFile(c.Logo)
			if err != nil {
				return err
			}
			return users.SetLogo(t.ctx, caller, file)
		}
		return nil
	})
}
