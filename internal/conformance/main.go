package conformance

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"mandate/internal/db"
)

// Main is the command "mandate conformance": it asks the files of a database
// that is gone afterwards, writes what failed and the sum, and returns the exit
// status. An empty url is a temporary file; a PostgreSQL address is that
// server, in a schema of its own.
func Main(ctx context.Context, w io.Writer, databaseURL string, names []string) int {
	report, err := check(ctx, databaseURL, names)
	if err == nil {
		err = report.Print(w)
	}
	if err != nil {
		fmt.Fprintln(w, "conformance:", err)
		return 1
	}
	if report.Failed > 0 {
		return 1
	}
	return 0
}

func check(ctx context.Context, databaseURL string, names []string) (report Report, err error) {
	files, err := ReadFiles(names)
	if err != nil {
		return report, err
	}
	own, remove, err := temporary(ctx, databaseURL)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	c := NewClock()
	d, err := db.Open(ctx, db.Config{URL: own, Clock: c})
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if err := d.Migrate(ctx); err != nil {
		return report, err
	}
	return Run(ctx, d, c, files), nil
}

// ReadFiles reads files of vectors. One that is not of the format refuses all.
func ReadFiles(names []string) ([]File, error) {
	var files []File
	var refused []error
	for _, name := range names {
		vectors, err := readFile(name)
		if err != nil {
			refused = append(refused, fmt.Errorf("%s: %w", name, err))
		}
		files = append(files, File{Name: filepath.Base(name), Vectors: vectors})
	}
	if len(names) == 0 {
		return nil, errors.New("name at least one file of vectors")
	}
	return files, errors.Join(refused...)
}

func readFile(name string) ([]Vector, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Decode(f)
}

// temporary makes a place for a database of its own and says how to remove it.
func temporary(ctx context.Context, databaseURL string) (own string, remove func() error, err error) {
	switch path, isFile := strings.CutPrefix(databaseURL, "sqlite:"); {
	case databaseURL == "":
		return temporaryFile("")
	case isFile: // beside the installation's own file: the same disk, other data
		return temporaryFile(filepath.Dir(path))
	}
	return temporarySchema(ctx, databaseURL)
}

func temporaryFile(beside string) (own string, remove func() error, err error) {
	dir, err := os.MkdirTemp(beside, "mandate-conformance-")
	if err != nil {
		return "", nil, err
	}
	return "sqlite:" + filepath.Join(dir, "conformance.db"), func() error { return os.RemoveAll(dir) }, nil
}

func temporarySchema(ctx context.Context, databaseURL string) (own string, remove func() error, err error) {
	name := "conformance_" + strings.ToLower(rand.Text())
	address, err := url.Parse(databaseURL)
	if err != nil {
		return "", nil, errors.New("the database's address is not valid") // the cause repeats the password
	}
	query := address.Query()
	query.Set("search_path", name)
	address.RawQuery = query.Encode()
	if err := administer(ctx, databaseURL, "create schema "+name); err != nil {
		return "", nil, err
	}
	remove = func() error {
		return administer(context.WithoutCancel(ctx), databaseURL, "drop schema "+name+" cascade")
	}
	return address.String(), remove, nil
}

func administer(ctx context.Context, databaseURL, statement string) (err error) {
	d, err := db.Open(ctx, db.Config{URL: databaseURL, Clock: NewClock()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return d.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(statement)
		return err
	})
}
