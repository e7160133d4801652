package db

import (
	"context"
	"database/sql/driver"
	"errors"
)

// maxPrepared bounds the statements one SQLite connection keeps ready. The
// program's own texts are constants and far fewer; the bound is for the day
// somebody builds text at run time.
const maxPrepared = 1000

// A cachingConnector opens SQLite connections that keep their statements
// prepared. pgx does the same for PostgreSQL by itself.
type cachingConnector struct{ driver.Connector }

func (c cachingConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	inner, ok := conn.(innerConn)
	if !ok {
		return nil, errors.Join(errors.New("db: the SQLite driver lacks a method that is relied on"), conn.Close())
	}
	return &cachingConn{innerConn: inner, prepared: map[string]innerStmt{}}, nil
}

// innerConn and innerStmt are what the driver's own types offer.
type innerConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type innerStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// A cachingConn is used by one goroutine at a time, as database/sql promises.
type cachingConn struct {
	innerConn
	prepared map[string]innerStmt
	reading  bool // a result is open
}

var errReading = errors.New("db: a result is still open; read it to its end before the next statement")

// statement finds or prepares the statement. A second statement while a result
// is open is refused, because PostgreSQL refuses it.
func (c *cachingConn) statement(ctx context.Context, query string) (s innerStmt, keep bool, err error) {
	if c.reading {
		return nil, false, errReading
	}
	if s, ok := c.prepared[query]; ok {
		return s, true, nil
	}
	stmt, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, false, err
	}
	s, ok := stmt.(innerStmt)
	if !ok {
		return nil, false, errors.Join(errors.New("db: the SQLite driver's statement lacks a method that is relied on"), stmt.Close())
	}
	if len(c.prepared) >= maxPrepared {
		return s, false, nil
	}
	c.prepared[query] = s
	return s, true, nil
}

func (c *cachingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, keep, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	result, err := s.ExecContext(ctx, args)
	if !keep {
		err = errors.Join(err, s.Close())
	}
	return result, err
}

func (c *cachingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, keep, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(ctx, args)
	if err != nil {
		if !keep {
			err = errors.Join(err, s.Close())
		}
		return nil, err
	}
	c.reading = true
	result := &cachedRows{Rows: rows, conn: c}
	if !keep {
		result.throwAway = s
	}
	return result, nil
}

// Close lets go of the statements, which would otherwise keep the file open.
func (c *cachingConn) Close() error {
	var err error
	for _, s := range c.prepared {
		err = errors.Join(err, s.Close())
	}
	return errors.Join(err, c.innerConn.Close())
}

// cachedRows tells the connection when the result has been read.
type cachedRows struct {
	driver.Rows
	conn      *cachingConn
	throwAway driver.Stmt
}

func (r *cachedRows) Close() error {
	r.conn.reading = false
	err := r.Rows.Close()
	if r.throwAway != nil {
		err = errors.Join(err, r.throwAway.Close())
	}
	return err
}
