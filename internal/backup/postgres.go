package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
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
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", cmd.Path, err, lastLines(said.String()))
	}
	return nil
}

// maxSaid is how much of a program's complaints is repeated.
const maxSaid = 1000

func lastLines(said string) string {
	said = strings.TrimSpace(said)
	return said[max(0, len(said)-maxSaid):]
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
		defer func() { err = errors.Join(err, d.Clear(context.WithoutCancel(ctx))) }()
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
