package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"mandate/internal/bank"
	"mandate/internal/config"
	"mandate/internal/fault"
	"mandate/internal/host"
	"mandate/internal/host/protocol"
	"mandate/internal/host/verify"
)

type hostCommand struct {
	hostTending `embed:""`

	Verify hostVerify `cmd:"" help:"Try what every host must be able to do on a bank's own, with a test organization there."`
	Checks hostChecks `cmd:"" help:"List what is tried."`
}

type hostChecks struct{}

func (c *hostChecks) Run(t *terminal) error {
	table := tabwriter.NewWriter(t.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "CHECK\tNEEDS\tWHAT IS TRIED")
	for _, check := range verify.Checks() {
		fmt.Fprintf(table, "%s\t%s\t%s\n", check.Name, check.Needs, check.Says)
	}
	return table.Flush()
}

type hostVerify struct {
	URL         string   `arg:"" help:"Where the host answers, such as https://core.example-bank.com/mandate."`
	KeyFile     string   `help:"File with the host's key. Otherwise it comes from MANDATE_HOST_KEY." placeholder:"FILE"`
	Key         string   `hidden:"" env:"MANDATE_HOST_KEY"`
	Institution string   `required:"" help:"The institution whose key it is." placeholder:"ID"`
	Org         string   `name:"organization" required:"" help:"Test organization at the host. Users are made there, changed and deleted." placeholder:"REF"`
	From        string   `required:"" help:"Account of it with at least 500.00 available and nothing else going on. Its money comes back." placeholder:"REF"`
	To          string   `required:"" help:"Another account of it." placeholder:"REF"`
	Other       string   `help:"Another organization, whose accounts must be out of reach." placeholder:"REF"`
	Foreign     string   `help:"An account of that one. Nothing of it is moved." placeholder:"REF"`
	Elsewhere   string   `help:"Another institution, which must see nothing of all this." default:"another-institution" placeholder:"ID"`
	Number      string   `help:"Full number of the first account." placeholder:"NUMBER"`
	Card        string   `help:"An active card on the first account. It is reported lost." placeholder:"REF"`
	Day         string   `help:"A business day, such as 2026-03-02; the latest weekday unless given." placeholder:"DAY"`
	Only        []string `help:"Only these checks, by name." placeholder:"CHECK"`
}

func (c *hostVerify) Run(t *terminal) error {
	client, key, err := c.client()
	if err != nil {
		return err
	}
	checks, err := c.chosen()
	if err != nil {
		return err
	}
	about, err := client.About(t.ctx, bank.InstitutionID(c.Institution))
	if err != nil {
		return fmt.Errorf("the host does not say what it is: %w", err)
	}
	fmt.Fprintf(t.out, "%s offers %s\n\n", onOneLine(about.Name), features(about.Offers))
	b, err := c.bench(client, key, about.Offers, t.clock.Now())
	if err != nil {
		return err
	}
	if slices.Contains(about.Offers, protocol.People) {
		if b.Since, err = lastMark(t.ctx, client, b.Institution); err != nil {
			return err
		}
	}
	return report(t, checks, b)
}

// client is a client of the host, for which every name is the host's own.
func (c *hostVerify) client() (*protocol.Client, string, error) {
	h := config.Hosts{Host: []string{c.URL}}
	if c.Key != "" {
		h.HostKey = []string{c.Key}
	}
	if c.KeyFile != "" {
		h.HostKeyFile = []string{c.KeyFile}
	}
	all, err := h.Read()
	if err != nil {
		return nil, "", err
	}
	if all[0].Fineract() {
		return nil, "", fault.New(fault.Invalid, "An Apache Fineract speaks its own protocol, not the one that is tried here.")
	}
	address := protocol.Address{URL: all[0].URL, Key: all[0].Key}
	return protocol.NewClient(protocol.Everywhere(address), host.Same{}, nil), all[0].Key, nil
}

// chosen are the checks that are asked for.
func (c *hostVerify) chosen() (checks []verify.Check, err error) {
	wanted := map[string]bool{}
	for _, name := range c.Only {
		wanted[name] = true
	}
	for _, check := range verify.Checks() {
		if len(c.Only) == 0 || wanted[check.Name] {
			checks = append(checks, check)
			delete(wanted, check.Name)
		}
	}
	for name := range wanted {
		return nil, fault.Newf(fault.Invalid, "There is no check %q; \"mandate host checks\" lists them.", name)
	}
	return checks, nil
}

func (c *hostVerify) bench(client *protocol.Client, key string, offers []protocol.Feature, now time.Time) (verify.Bench, error) {
	day := bank.Day(c.Day)
	if c.Day == "" {
		day = weekday(now)
	} else if _, err := bank.ParseDay(c.Day); err != nil {
		return verify.Bench{}, fault.Newf(fault.Invalid, "%q is not a day like 2026-03-02.", c.Day)
	}
	return verify.Bench{
		Host: client, People: client, Offers: offers, Institution: bank.InstitutionID(c.Institution), Elsewhere: bank.InstitutionID(c.Elsewhere),
		Organization: bank.OrganizationID(c.Org), From: bank.AccountID(c.From), To: bank.AccountID(c.To), Foreign: bank.AccountID(c.Foreign), Other: bank.OrganizationID(c.Other),
		OrganizationRef: host.Ref(c.Org), FromRef: host.Ref(c.From), ToRef: host.Ref(c.To), OtherRef: host.Ref(c.Other),
		Number: c.Number, Card: host.CardID(c.Card), Day: day, Run: bank.NewID("run", now),
		Raw: func(ctx context.Context, r verify.Request) (int, []byte, error) {
			q := protocol.RawRequest{Institution: bank.InstitutionID(c.Institution), Key: key, Method: r.Method, Name: r.Name, IdempotencyKey: r.IdempotencyKey, Body: r.Body}
			if r.WrongKey {
				q.Key = "not-the-key"
			}
			return client.Raw(ctx, q)
		},
	}, nil
}

// lastMark is the mark after which nothing has happened yet. A bank may have to
// tell of years.
func lastMark(ctx context.Context, people host.People, institution bank.InstitutionID) (mark string, err error) {
	for {
		page, err := people.Events(ctx, institution, mark, 500)
		if err != nil || len(page) == 0 {
			return mark, err
		}
		mark = page[len(page)-1].Mark
	}
}

// weekday is the latest day on which banks may work.
func weekday(now time.Time) bank.Day {
	for now.Weekday() == time.Saturday || now.Weekday() == time.Sunday {
		now = now.AddDate(0, 0, -1)
	}
	return bank.DayOf(now, now.Location())
}

func features(offers []protocol.Feature) string {
	if len(offers) == 0 {
		return "nothing"
	}
	words := make([]string, len(offers))
	for i, f := range offers {
		words[i] = string(f)
	}
	return strings.Join(words, ", ")
}

// report tries the checks and prints how each ended.
func report(t *terminal, checks []verify.Check, b verify.Bench) error {
	counts := map[verify.Outcome]int{}
	for i := range checks {
		result := checks[i].Run(t.ctx, b)
		if t.ctx.Err() != nil {
			return errors.New("interrupted: the test organization may not be as it was")
		}
		counts[result.Outcome]++
		fmt.Fprintf(t.out, "%-16s %-12s %6s  %s\n", result.Check.Name, result.Outcome, result.Took.Round(time.Millisecond), result.Check.Says)
		for _, problem := range result.Problems {
			fmt.Fprintf(t.out, "%16s %s\n", "", problem)
		}
	}
	fmt.Fprintf(t.out, "\n%d passed, %d failed, %d not offered, %d not tried\n", counts[verify.Passed], counts[verify.Failed], counts[verify.NotOffered], counts[verify.NotTried])
	if counts[verify.Failed] > 0 {
		return errQuiet
	}
	return nil
}
