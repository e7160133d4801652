package db

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations
var migrations embed.FS

// Migrations is the directory that both databases are built from.
func Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the name above is a constant
	}
	return sub
}

var (
	// ErrSchemaNewer refuses a database that a newer program has migrated.
	ErrSchemaNewer = errors.New("db: the database belongs to a newer version of the program")

	// ErrSchemaOlder says that a database is not this program's yet.
	ErrSchemaOlder = errors.New("db: the database belongs to an older version of the program")

	// ErrSchemaEmpty says that a database has no tables at all.
	ErrSchemaEmpty = errors.New("db: the database is empty")
)

// Migrate brings the schema up to this program. It may be called by several
// processes at once. A schema with a migration this program has never heard of
// is refused, untouched.
//
// Every room numbers its migrations in a range of its own, so a new one may
// have a lower number than one already applied; it is applied all the same.
func (d *DB) Migrate(ctx context.Context) (err error) {
	if d.readOnly {
		return ErrReadOnly
	}
	if err := d.takeTurn(ctx, d.writeTurns); err != nil {
		return err
	}
	defer func() { <-d.writeTurns }()
	pool, err := d.openMigrator()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()

	if d.schema != "" && d.dialect == PostgreSQL {
		if _, err := pool.ExecContext(ctx, "create schema if not exists "+d.schema); err != nil {
			return fmt.Errorf("make the schema %s: %w", d.schema, err)
		}
	}
	provider, err := d.provider(pool)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if err := d.refuse(ctx, pool, provider); err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	// Another process may have been newer and faster.
	return d.refuse(ctx, pool, provider)
}

// Migrated says whether the schema is exactly the one this program knows: an
// error tells what is missing or too new.
func (d *DB) Migrated(ctx context.Context) error {
	provider, err := d.provider(d.reader)
	if err != nil {
		return fmt.Errorf("db: %w", err)
	}
	if err := d.refuse(ctx, d.reader, provider); err != nil {
		return err
	}
	applied, err := appliedVersions(ctx, d.dialect, d.reader)
	if err != nil {
		return err
	}
	if len(applied) == 0 {
		return ErrSchemaEmpty
	}
	for _, source := range provider.ListSources() {
		if !applied[source.Version] {
			return fmt.Errorf("%w: migration %d has not been applied", ErrSchemaOlder, source.Version)
		}
	}
	return nil
}

func (d *DB) provider(pool *sql.DB) (*goose.Provider, error) {
	options := []goose.ProviderOption{
		goose.WithDisableGlobalRegistry(true),
		goose.WithAllowOutofOrder(true),
		goose.WithLogger(goose.NopLogger()),
	}
	if d.dialect == SQLite {
		return goose.NewProvider(goose.DialectSQLite3, pool, d.migrations, options...)
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300)) // each second, five minutes
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, pool, d.migrations, append(options, goose.WithSessionLocker(locker))...)
}

// refuse refuses a schema on which this program must not work.
func (d *DB) refuse(ctx context.Context, pool *sql.DB, provider *goose.Provider) error {
	if d.dialect == PostgreSQL && !d.restoring {
		unfinished, err := tableExists(ctx, d.dialect, pool, restoreMark)
		if err != nil {
			return err
		}
		if unfinished {
			return ErrUnfinished
		}
	}
	return refuseNewer(ctx, d.dialect, pool, provider)
}

func refuseNewer(ctx context.Context, dialect Dialect, pool *sql.DB, provider *goose.Provider) error {
	applied, err := appliedVersions(ctx, dialect, pool)
	if err != nil {
		return err
	}
	known := map[int64]bool{0: true}
	for _, source := range provider.ListSources() {
		known[source.Version] = true
	}
	for version := range applied {
		if !known[version] {
			return fmt.Errorf("%w (migration %d)", ErrSchemaNewer, version)
		}
	}
	return nil
}

// appliedVersions reads goose's own table; a database without it is empty.
func appliedVersions(ctx context.Context, dialect Dialect, pool *sql.DB) (map[int64]bool, error) {
	name := goose.DialectSQLite3
	if dialect == PostgreSQL {
		name = goose.DialectPostgres
	}
	store, err := database.NewStore(name, goose.DefaultTablename)
	if err != nil {
		return nil, fmt.Errorf("db: %w", err)
	}
	exists, err := tableExists(ctx, dialect, pool, store.Tablename())
	if err != nil || !exists {
		return nil, err
	}
	list, err := store.ListMigrations(ctx, pool)
	if err != nil {
		return nil, fmt.Errorf("read applied migrations: %w", err)
	}
	applied := map[int64]bool{}
	for _, m := range list {
		applied[m.Version] = m.IsApplied
	}
	return applied, nil
}

func tableExists(ctx context.Context, dialect Dialect, pool *sql.DB, table string) (exists bool, err error) {
	query := `select exists (select 1 from sqlite_schema where type = 'table' and name = $1)`
	if dialect == PostgreSQL {
		query = `select to_regclass($1) is not null`
	}
	if err := pool.QueryRowContext(ctx, query, table).Scan(&exists); err != nil {
		return false, fmt.Errorf("look for applied migrations: %w", err)
	}
	return exists, nil
}
