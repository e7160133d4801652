package db

import "errors"

// A Scanner is a row that can be copied into variables: *sql.Rows and *Row.
type Scanner interface {
	Scan(dest ...any) error
}

// All runs a query and returns every row of it, or an error and nothing.
func All[T any](tx *Tx, scan func(Scanner) (T, error), query string, args ...any) (_ []T, err error) {
	rows, err := tx.Query(query, args...)
	if err != nil {
		return nil, err
	}
	defer func() {
		if e := rows.Close(); e != nil && err == nil {
			err = tx.fail(e)
		}
	}()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	if err := rows.Err(); err != nil {
		return nil, tx.fail(err)
	}
	return all, nil
}

// One runs a query that must give exactly one row. No row is ErrNoRows; more
// than one is an error too, because the caller asked for the one.
func One[T any](tx *Tx, scan func(Scanner) (T, error), query string, args ...any) (T, error) {
	var none T
	all, err := All(tx, scan, query, args...)
	switch {
	case err != nil:
		return none, err
	case len(all) == 0:
		return none, ErrNoRows
	case len(all) > 1:
		return none, errors.New("db: more than one row where there must be one")
	}
	return all[0], nil
}

// Value scans a row of a single column, for All and One.
func Value[T any](s Scanner) (v T, err error) {
	err = s.Scan(&v)
	return v, err
}
