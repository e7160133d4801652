package db

// UniqueNames is what SQLite's errors about uniqueness are translated with.
func (d *DB) UniqueNames() (map[string][]string, error) { return d.readUniqueConstraints() }
