package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"
)

// A Snapshot is one moment of the database, held for as long as it takes:
// nothing ends it but its own function. Writers go on meanwhile.
type Snapshot struct {
	// Tx reads the moment. It is no way to write.
	Tx *Tx

	// ID is the name under which PostgreSQL's own programs see the same moment;
	// empty on SQLite.
	ID string

	// Schema is where the tables are on PostgreSQL; empty on SQLite.
	Schema string

	db   *DB
	conn *sql.Conn
}

// Snapshot calls f with the database as it is now. It is for operators' work
// that reads everything, which no limit of the server's would let end.
func (d *DB) Snapshot(ctx context.Context, f func(*Snapshot) error) (err error) {
	pool, err := d.openLooker()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	conn, err := pool.Conn(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", d.translate(err))
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	sqlTx, err := conn.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: d.wholeMoment()})
	if err != nil {
		return fmt.Errorf("begin: %w", d.translate(err))
	}
	defer func() { _ = sqlTx.Rollback() }() // nothing was written
	s := &Snapshot{Tx: d.newTx(ctx, sqlTx, true), db: d, conn: conn}
	if err := s.pin(); err != nil {
		return fmt.Errorf("hold a moment of the database: %w", d.translate(err))
	}
	return f(s)
}

func (d *DB) wholeMoment() sql.IsolationLevel {
	if d.dialect == PostgreSQL {
		return sql.LevelRepeatableRead
	}
	return sql.LevelDefault // SQLite's readers never see anything else
}

// pin takes the moment: both databases do so at the first thing that is read.
func (s *Snapshot) pin() error {
	if s.db.dialect == SQLite {
		var tables int
		return s.Tx.sqlTx.QueryRowContext(s.Tx.ctx, `select count(*) from sqlite_schema`).Scan(&tables)
	}
	return s.Tx.sqlTx.QueryRowContext(s.Tx.ctx, `select pg_export_snapshot(), current_schema()`).Scan(&s.ID, &s.Schema)
}

// Counts says how many rows each table has.
func (s *Snapshot) Counts() (map[string]int64, error) {
	tables, err := s.tables()
	if err != nil {
		return nil, err
	}
	counts := make(map[string]int64, len(tables))
	for _, table := range tables {
		var n int64
		if err := s.Tx.sqlTx.QueryRowContext(s.Tx.ctx, "select count(*) from "+quoted(table)).Scan(&n); err != nil {
			return nil, fmt.Errorf("count %s: %w", table, s.db.translate(err))
		}
		counts[table] = n
	}
	return counts, nil
}

func (s *Snapshot) tables() ([]string, error) {
	query := `select name from sqlite_schema where type = 'table' and name not like 'sqlite!_%' escape '!' order by name`
	if s.db.dialect == PostgreSQL {
		query = `select tablename from pg_tables where schemaname = current_schema() and tablename <> 'mandate_restore' order by tablename`
	}
	tables, err := All(s.Tx, Value[string], query)
	if err != nil {
		return nil, fmt.Errorf("list the tables: %w", err)
	}
	return tables, nil
}

// Migrations are the migrations that the snapshot's schema is made of.
func (s *Snapshot) Migrations() ([]int64, error) {
	applied, err := All(s.Tx, Value[int64], `select version_id from goose_db_version where is_applied and version_id > 0 order by version_id`)
	if err != nil {
		return nil, fmt.Errorf("read applied migrations: %w", err)
	}
	return slices.Compact(applied), nil
}

// Sound asks SQLite to read every page and every index of the file. PostgreSQL
// proves its own pages while it reads them.
func (s *Snapshot) Sound() error {
	if s.db.dialect != SQLite {
		return nil
	}
	said, err := All(s.Tx, Value[string], `pragma integrity_check(3)`)
	if err != nil {
		return fmt.Errorf("check the file: %w", err)
	}
	if len(said) != 1 || said[0] != "ok" {
		return fmt.Errorf("the database file is damaged: %s", strings.Join(said, "; "))
	}
	return nil
}

// UnknownMigration finds one among some migrations that this program has never
// heard of; zero where it knows them all.
func UnknownMigration(versions []int64) (int64, error) {
	files, err := migrations.ReadDir("migrations")
	if err != nil {
		return 0, err
	}
	known := map[int64]bool{}
	for _, file := range files {
		if version, err := goose.NumericComponent(file.Name()); err == nil {
			known[version] = true
		}
	}
	for _, version := range versions {
		if !known[version] {
			return version, nil
		}
	}
	return 0, nil
}

// quoted is a name as SQL has it.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
