package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"slices"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// dump writes the snapshot of a PostgreSQL database by the database's own
// means: its tables, neither their owners nor who may read them.
func dump(ctx context.Context, d *db.DB, address, programs string, s *db.Snapshot, to io.Writer) error {
	version, err := d.Version(ctx)
	if err != nil {
		return err
	}
	cmd, err := db.Program(ctx, address, programs, "pg_dump", version,
		"--format=custom", "--compress=0", "--no-owner", "--no-privileges", "--snapshot="+s.ID, "--table="+tablesOf(s.Schema))
	if err != nil {
		return err
	}
	cmd.Stdout = to
	return runProgram(cmd)
}

// tablesOf is the pattern of all tables of a schema, however it is written.
func tablesOf(schema string) string {
	return `"` + strings.ReplaceAll(schema, `"`, `""`) + `".*`
}

// load writes what dump has written into an empty database: all of it or none.
func load(ctx context.Context, d *db.DB, address, programs string, from io.Reader) error {
	version, err := d.Version(ctx)
	if err != nil {
		return err
	}
	cmd, err := db.Program(ctx, address, programs, "pg_restore", version,
		"--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges")
	if err != nil {
		return err
	}
	watched := &watched{from: from}
	cmd.Stdin = watched
	err = runProgram(cmd)
	if watched.err != nil {
		return watched.err // the file's fault, not the program's
	}
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, from) // to the digest
	return err
}

// watched remembers why reading ended.
type watched struct {
	from io.Reader
	err  error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.from.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}

func runProgram(cmd *exec.Cmd) error {
	var said beginning
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w%s", cmd.Path, err, complaint(said.text))
	}
	return nil
}

// maxSaid is how much of a program's complaints is looked at. The first one says
// what went wrong.
const maxSaid = 1 << 14

// beginning keeps the beginning of what is written.
type beginning struct{ text []byte }

func (b *beginning) Write(p []byte) (int, error) {
	b.text = append(b.text, p[:min(len(p), maxSaid-len(b.text))]...)
	return len(p), nil
}

// harmless is what may be repeated of a complaint: PostgreSQL's own words, and
// names of tables and constraints. The rest may be values of a row.
var harmless = regexp.MustCompile(`(?m)` + strings.Join([]string{
	`\Apg_(?:dump|restore): error: connection to server .*$`,
	`\b(?:dumping the contents|Dumping the contents) of table "\w+" failed`,
	`\bpermission denied (?:for|to) [a-z ]+`,
	`\bmust be (?:owner|superuser|able to)\b[a-z ]*`,
	`\bviolates [a-z-]+ constraint "\w+"`,
	`\bnull value in column "\w+"`,
	`\b(?:relation|type|schema|extension|database|role|column|constraint) "\w+" (?:does not exist|already exists)`,
	`\bCOPY failed for table "\w+"`,
	`\binvalid input syntax for type [a-z ]+`,
	`\bunrecognized configuration parameter "\w+"`,
	`\bNo space left on device`,
	`\bout of (?:shared )?memory`,
	`\bcanceling statement due to [a-z ]+`,
	`\bterminating connection due to [a-z ]+`,
	`\bserver closed the connection unexpectedly`,
	`\bthe database system is [a-z ]+`,
	`\bcannot execute [A-Z ]+ in a read-only transaction`,
	`\binvalid snapshot identifier`,
	`\bunsupported version \([0-9.]+\) in file header`,
	`\baborting because of server version mismatch`,
}, `|`))

// maxHarmless is how many such words are repeated.
const maxHarmless = 4

// values is where a complaint of PostgreSQL's goes on to the values of a row.
var values = regexp.MustCompile(`(?m)^(?:DETAIL|CONTEXT|STATEMENT|QUERY):`)

// complaint repeats what may be repeated of what a program said.
func complaint(said []byte) string {
	if at := values.FindIndex(said); at != nil {
		said = said[:at[0]]
	}
	var words []string
	for _, found := range harmless.FindAllString(string(said), -1) {
		if found = strings.TrimSpace(found); !slices.Contains(words, found) && len(words) < maxHarmless {
			words = append(words, found)
		}
	}
	if len(words) == 0 {
		return ": what it said may hold rows and is not repeated"
	}
	return ": " + strings.Join(words, "; ")
}

// scratch restores a dump into a database for the proof and hands it to check.
func (o *Order) scratch(ctx context.Context, from io.Reader, check func(*db.DB) error) error {
	try := func(address string) (err error) {
		d, err := db.Open(ctx, db.Config{URL: address, Clock: bank.SystemClock{}, Restoring: true, Connections: 1})
		if err != nil {
			return fmt.Errorf("open the database for the proof: %w", err)
		}
		defer func() { err = errors.Join(err, d.Close()) }()
		if err := d.BeginRestore(ctx, false); err != nil {
			return fmt.Errorf("use the database for the proof: %w", err)
		}
		defer func() { err = errors.Join(err, emptied(context.WithoutCancel(ctx), d)) }()
		if err := load(ctx, d, address, o.Programs, from); err != nil {
			return err
		}
		return check(d)
	}
	if o.CheckAt != "" {
		return try(o.CheckAt)
	}
	return o.DB.Scratch(ctx, o.URL, try)
}

// emptied leaves a database that was used for a proof as it was.
func emptied(ctx context.Context, d *db.DB) error {
	if err := d.Clear(ctx); err != nil {
		return err // and its mark lets the next proof use it
	}
	return d.EndRestore(ctx)
}
