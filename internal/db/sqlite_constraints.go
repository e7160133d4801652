package db

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	sqlite3 "modernc.org/sqlite/lib"
)

// SQLite says which columns were to be unique, PostgreSQL says which
// constraint. This file turns the one into the other, by reading the names
// from the schema that SQLite keeps as text.

// A uniqueError is SQLite's error with the constraint's name. There is more
// than one name only where two rules watch the same columns of a table.
type uniqueError struct {
	names []string
	err   error
}

func (e *uniqueError) Error() string { return e.err.Error() }
func (e *uniqueError) Unwrap() error { return e.err }

// nameConstraint gives an error about uniqueness its constraint's name.
func (d *DB) nameConstraint(err error) error {
	code := sqliteCode(err)
	if code != sqlite3.SQLITE_CONSTRAINT_UNIQUE && code != sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY {
		return err
	}
	if _, ok := errors.AsType[*uniqueError](err); ok {
		return err
	}
	names, lookup := d.unique.namesFor(uniqueColumns(err.Error()))
	if lookup != nil {
		return errors.Join(err, fmt.Errorf("db: look up the constraint: %w", lookup))
	}
	return &uniqueError{names: names, err: err}
}

var uniqueMessage = regexp.MustCompile(`UNIQUE constraint failed: (.*?)(?: \(\d+\))?$`)

// uniqueColumns takes "table.a, table.b" or "index 'name'" out of the message.
func uniqueColumns(message string) string {
	if m := uniqueMessage.FindStringSubmatch(message); m != nil {
		return m[1]
	}
	return ""
}

// uniqueConstraints maps "table.a, table.b" to the constraints' names.
type uniqueConstraints struct {
	read func() (map[string][]string, error)

	mu    sync.Mutex
	names map[string][]string
}

// namesFor reads the schema once, and once more when it does not know the
// columns: a migration may have come in between.
func (u *uniqueConstraints) namesFor(columns string) ([]string, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if names, ok := u.names[columns]; ok {
		return names, nil
	}
	names, err := u.read()
	if err != nil {
		return nil, err
	}
	u.names = names
	return names[columns], nil
}

// readUniqueConstraints reads them on a connection of its own, outside any
// transaction: it is called when a statement has just failed inside one.
func (d *DB) readUniqueConstraints() (_ map[string][]string, err error) {
	rows, err := d.reader.QueryContext(context.Background(),
		`select type, name, tbl_name, sql from sqlite_schema where sql is not null order by name`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	names := map[string][]string{}
	for rows.Next() {
		var kind, name, table, text string
		if err := rows.Scan(&kind, &name, &table, &text); err != nil {
			return nil, err
		}
		if kind == "index" {
			addUniqueIndex(names, name, table, text)
		} else if kind == "table" {
			addTableConstraints(names, table, text)
		}
	}
	return names, rows.Err()
}

var (
	uniqueIndex      = regexp.MustCompile(`(?is)^create\s+unique\s+index\s`)
	namedConstraint  = regexp.MustCompile(`(?is)^constraint\s+(\w+)\s+(?:unique|primary\s+key)\s*\((.*)\)`)
	columnConstraint = regexp.MustCompile(`(?is)^(\w+)\s.*\bconstraint\s+(\w+)\s+(?:unique|primary\s+key)\b`)
	lineComment      = regexp.MustCompile(`--[^\n]*`)
)

func addUniqueIndex(names map[string][]string, index, table, text string) {
	if !uniqueIndex.MatchString(text) {
		return
	}
	// An index over an expression is the one case where SQLite gives the name.
	key := "index '" + index + "'"
	names[key] = append(names[key], index)
	key = columnKey(table, bracketed(text))
	names[key] = append(names[key], index)
}

func addTableConstraints(names map[string][]string, table, text string) {
	for _, part := range splitOutside(bracketed(lineComment.ReplaceAllString(text, ""))) {
		if m := namedConstraint.FindStringSubmatch(part); m != nil {
			key := columnKey(table, bracketed(part))
			names[key] = append(names[key], m[1])
		} else if m := columnConstraint.FindStringSubmatch(part); m != nil {
			key := columnKey(table, m[1])
			names[key] = append(names[key], m[2])
		}
	}
}

// columnKey writes columns the way SQLite's message does.
func columnKey(table, columns string) string {
	var key []string
	for _, column := range splitOutside(columns) {
		name, _, _ := strings.Cut(column, " ") // without "desc" or "collate"
		key = append(key, table+"."+strings.Trim(name, `"`))
	}
	return strings.Join(key, ", ")
}

// bracketed is what stands between the first bracket and its partner.
func bracketed(text string) string {
	start := strings.IndexByte(text, '(')
	if start < 0 {
		return ""
	}
	depth := 0
	for i := start; i < len(text); i++ {
		switch text[i] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return text[start+1 : i]
			}
		}
	}
	return ""
}

// splitOutside splits at the commas that stand outside all brackets.
func splitOutside(text string) []string {
	var parts []string
	depth, from := 0, 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				parts = append(parts, strings.TrimSpace(text[from:i]))
				from = i + 1
			}
		}
	}
	return append(parts, strings.TrimSpace(text[from:]))
}
