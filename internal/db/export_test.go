package db

import "time"

// UniqueNames is what SQLite's errors about uniqueness are translated with.
func (d *DB) UniqueNames() (map[string][]string, error) { return d.readUniqueConstraints() }

// JoinFor sets how old a transaction may be that others join.
func (d *DB) JoinFor(age time.Duration) { d.joinFor = age }

// WaitingInLine is how many wait in the line of a name.
func (d *DB) WaitingInLine(name string) int {
	if d.dialect == SQLite {
		name = theWriters
	}
	l, done := d.lines.of(name)
	defer done()
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting)
}
