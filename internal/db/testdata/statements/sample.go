// Package statements holds one of each way to write a statement. It is read by
// the test of the search, and never compiled into anything.
package statements

import (
	"fmt"

	"mandate/internal/db"
)

const columns = `id, name`

var bySort = map[string]string{"id": `in a map 1`, "name": `in a map 2`}

var pairs = map[string][2]string{"id": {`in pairs 1`, `in pairs 2`}}

func found(tx *db.Tx, sort string, open bool) {
	_, _ = tx.Exec(`a literal $1`, 1)
	_ = tx.QueryRow(`select `+columns+` from constants`, 1, 2)
	_, _ = tx.Query(bySort[sort])

	chosen := `one branch`
	if open {
		chosen = `other branch`
	}
	_, _ = db.All(tx, db.Value[string], chosen)
	pair, known := pairs[sort]
	if known {
		_, _ = tx.Exec(pair[0])
	}
	_, _ = db.One[string](tx, db.Value[string], `with `+ordered(open))
	for _, each := range []string{`in a list 1`, `in a list 2`} {
		_, _ = tx.Exec(each)
	}
	passOn(tx, `passed on 1`)
	passOn(tx, `passed on 2`)
	_ = db.IsUnique(nil, "a_name")
}

func ordered(down bool) string {
	if down {
		return `order desc`
	}
	return `order asc`
}

func passOn(tx *db.Tx, query string) { _, _ = tx.Exec(query) }

func Exported(tx *db.Tx, query string) { _, _ = tx.Exec(query) } // refused

func refused(tx *db.Tx, name string) {
	_, _ = tx.Exec(fmt.Sprintf(`select %s`, name)) // refused
	query := `select`
	query += name
	_, _ = tx.Exec(query) // refused
}

type other struct{}

func (other) Exec(string) {}

func notOurs(o other, name string) { o.Exec(name) }

func alone(tx *db.Tx) { _, _ = tx.Exec(onlyHere) }

func listed(tx *db.Tx, name string) { _, _ = tx.Exec(`create schema ` + name) }
