package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"text/tabwriter"

	"mandate/internal/bank"
	"mandate/internal/generate"
	"mandate/internal/importer"
)

// How many customers People is measured with.
const (
	benchOrganizations = 5_000
	benchMembers       = 20 // of each
)

// People measures the server time of the screens on which staff look for
// customers, over 100,000 people. dbURL may be empty: then an embedded database
// is made for it and removed.
func People(ctx context.Context, w io.Writer, dbURL string, rounds int) (err error) {
	dir, err := os.MkdirTemp("", "mandate-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b, err := open(ctx, dir, dbURL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.app.Close()) }()
	const id = bank.InstitutionID("bench-people")
	browser, err := b.customers(ctx, id)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "server time of one page, %s, %d organizations of %d members, %d requests each, after %d to warm up\n\n", b.app.DB.Dialect(), benchOrganizations, benchMembers, rounds, warmUp)
	table := tabwriter.NewWriter(w, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "search\tp50\tp95\tp99\tof the goal\t")
	for _, search := range []string{"", "a", "an", "diaz", "lena ward", "dana.", "@", "example.com", "100042", "4711", "zzqz", "no such person anywhere"} {
		times, err := browser.measure("/"+string(id)+"/people?"+url.Values{"q": {search}}.Encode(), rounds)
		if err != nil {
			return fmt.Errorf("search for %q: %w", search, err)
		}
		fmt.Fprintf(table, "%q\t%s\t%s\t%s\t%d%%\t\n", search, round(percentile(times, 50)), round(percentile(times, 95)), round(percentile(times, 99)), percentile(times, 95)*100/goal)
	}
	return table.Flush()
}

// customers makes the institution, and a staff user of it who is signed in.
func (b *screens) customers(ctx context.Context, id bank.InstitutionID) (*browser, error) {
	files := filepath.Join(b.dir, string(id))
	err := generate.Write(files, generate.Options{
		Seed: 7, Organizations: benchOrganizations, Members: benchMembers, Accounts: 1, Distribution: generate.Even, ID: id, Name: "Bench Bank",
	})
	if err != nil {
		return nil, err
	}
	if err := importer.Command(ctx, io.Discard, false, b.app.DB, b.app.Guard, files, importer.Options{}); err != nil {
		return nil, err
	}
	operator := bank.Caller{Kind: bank.ActorOperator, Name: "Operator", Institution: id, Channel: bank.ChannelCommand}
	if _, err := b.app.Staff.InviteAdministrator(ctx, operator, benchAdmin); err != nil {
		return nil, err
	}
	if b.handler, err = b.app.ConsoleHandler(); err != nil {
		return nil, err
	}
	return b.signInStaff(ctx, id)
}
