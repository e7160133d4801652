package db

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"mandate/internal/fault"
)

// restoreMark is a table that is there for as long as a PostgreSQL database is
// being restored, and stays where that was broken off. No program works on a
// database that has it.
const restoreMark = "mandate_restore"

// ErrUnfinished refuses a database whose restoring was broken off.
var ErrUnfinished = errors.New("db: a restore of this database was not finished: run it again")

// BeginRestore empties a PostgreSQL database and marks it as being restored. A
// database that holds anything is left alone unless over is said, or unless a
// restore before this one was broken off. Nobody else may be connected.
func (d *DB) BeginRestore(ctx context.Context, over bool) error {
	if err := d.nobodyElse(ctx); err != nil {
		return err
	}
	return d.Write(ctx, func(tx *Tx) error {
		tables, err := replaceable(tx, over)
		if err != nil {
			return err
		}
		if err := dropTables(tx, tables); err != nil {
			return err
		}
		return tx.run(`create table ` + restoreMark + ` (begun timestamptz not null default now())`)
	})
}

// MayRestore refuses what BeginRestore would refuse, and changes nothing.
func (d *DB) MayRestore(ctx context.Context, over bool) error {
	if err := d.nobodyElse(ctx); err != nil {
		return err
	}
	return d.Read(ctx, func(tx *Tx) error {
		_, err := replaceable(tx, over)
		return err
	})
}

// replaceable are the tables that a restore may drop.
func replaceable(tx *Tx, over bool) ([]string, error) {
	tables, err := tablesHere(tx)
	if err != nil {
		return nil, err
	}
	if len(tables) > 0 && !slices.Contains(tables, restoreMark) && !over {
		return nil, ErrHolds
	}
	return tables, nil
}

// leaving is how long a session may take to end after its program did.
const leaving = 3 * time.Second

// nobodyElse refuses a database that other sessions have open: a running server
// would go on with what it remembers.
func (d *DB) nobodyElse(ctx context.Context) error {
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	end := time.After(leaving)
	for {
		others, err := d.otherSessions(ctx)
		if err != nil || others == 0 {
			return err
		}
		select {
		case <-look.C:
		case <-end:
			return fmt.Errorf("%w: %d other sessions of the database", ErrInUse, others)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (d *DB) otherSessions(ctx context.Context) (others int64, err error) {
	err = d.Read(ctx, func(tx *Tx) (err error) {
		others, err = One(tx, Value[int64], `
			select count(*) from pg_stat_activity
			 where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()`)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("look who else is connected: %w", err)
	}
	return others, nil
}

// EndRestore takes the mark away: from here on programs work on the database.
func (d *DB) EndRestore(ctx context.Context) error {
	return d.Write(ctx, func(tx *Tx) error { return tx.run(`drop table ` + restoreMark) })
}

// Clear removes every table of the database's schema but the mark: what a restore
// has left is not taken for a database that is to be begun.
func (d *DB) Clear(ctx context.Context) error {
	return d.Write(ctx, func(tx *Tx) error {
		tables, err := tablesHere(tx)
		if err != nil {
			return err
		}
		return dropTables(tx, slices.DeleteFunc(tables, func(table string) bool { return table == restoreMark }))
	})
}

func tablesHere(tx *Tx) ([]string, error) {
	return All(tx, Value[string], `select tablename from pg_tables where schemaname = current_schema() order by tablename`)
}

func dropTables(tx *Tx, tables []string) error {
	for _, table := range tables {
		if err := tx.run("drop table " + quoted(table) + " cascade"); err != nil {
			return err
		}
	}
	return nil
}

// run runs a statement that is made of names.
func (tx *Tx) run(statement string) error {
	if _, err := tx.sqlTx.ExecContext(tx.statements, statement); err != nil {
		return tx.fail(err)
	}
	return nil
}

// Scratch makes an empty PostgreSQL database on the server of an address, for a
// proof, and removes it again. One that a killed process has left is replaced.
func (d *DB) Scratch(ctx context.Context, address string, f func(address string) error) (err error) {
	var name string
	if err := d.reader.QueryRowContext(ctx, `select 'mandate_check_' || current_database()`).Scan(&name); err != nil {
		return fmt.Errorf("name a database for the proof: %w", err)
	}
	config, err := postgreSQLConfig(Config{URL: address, Limit: transactionLimit})
	if err != nil {
		return err
	}
	config.RuntimeParams["statement_timeout"] = "0"
	pool := d.postgreSQLPool(config, 1)
	defer func() { err = errors.Join(err, pool.Close()) }()
	if _, err := pool.ExecContext(ctx, "drop database if exists "+quoted(name)); err != nil {
		return fmt.Errorf("remove the database of an earlier proof: %w", err)
	}
	if _, err := pool.ExecContext(ctx, "create database "+quoted(name)+" template template0 encoding 'UTF8' locale 'C.UTF-8'"); err != nil {
		if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == "42501" {
			return fault.New(fault.Forbidden, "Every backup is restored for a proof, and this database user may not make a database for that. Let it (alter role … createdb), or name an empty database by --check-at.").Because(err)
		}
		return fmt.Errorf("make a database for the proof: %w", err)
	}
	defer func() {
		_, e := pool.ExecContext(context.WithoutCancel(ctx), "drop database if exists "+quoted(name)+" with (force)")
		err = errors.Join(err, e)
	}()
	there := inDatabase(address, name)
	if err := d.await(ctx, there); err != nil {
		return err
	}
	return f(there)
}

// appearLimit is how long a new database may take to be on every server that an
// address names.
const appearLimit = 15 * time.Second

// await waits for a new database: a standby that is asked first has it a moment
// later than its primary.
func (d *DB) await(ctx context.Context, address string) (err error) {
	config, err := postgreSQLConfig(Config{URL: address, Limit: transactionLimit})
	if err != nil {
		return err
	}
	pool := d.postgreSQLPool(config, 1)
	defer func() { err = errors.Join(err, pool.Close()) }()
	for until := time.Now().Add(appearLimit); ; time.Sleep(100 * time.Millisecond) {
		err := pool.PingContext(ctx)
		pg, _ := errors.AsType[*pgconn.PgError](err)
		if err == nil || pg == nil || pg.Code != pgNoDatabase || time.Now().After(until) || ctx.Err() != nil {
			return err
		}
	}
}
