package db_test

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mandate/internal/db"
	"mandate/internal/db/dbtest"
)

// Every statement of the program is prepared on both databases, with the
// program's own migrations: a misspelt column fails here and not at night.
func TestEveryStatementPreparesOnBothDatabases(t *testing.T) {
	p := loadProgram(t)
	for _, problem := range p.problems {
		t.Error(problem)
	}
	if len(p.calls) == 0 {
		t.Fatal("no statement was found: the search itself is broken")
	}
	for name, set := range sets {
		t.Run(name+"/SQLite", func(t *testing.T) {
			url := strings.TrimPrefix(dbtest.SQLiteURL(t, set), "sqlite:")
			prepareAll(t, p, "sqlite", "file:"+url+"?_dqs=0&mode=ro", func(s sqlText) bool { ok, _ := s.dialects(); return ok && s.set() == name })
		})
		t.Run(name+"/PostgreSQL", func(t *testing.T) {
			prepareAll(t, p, "pgx", dbtest.PostgreSQLURL(t, set), func(s sqlText) bool { _, ok := s.dialects(); return ok && s.set() == name })
		})
	}
}

// What the program keeps apart has migrations of its own, beside its
// statements.
const simulator = "internal/host/hostsim"

var sets = map[string]fs.FS{"the program": nil, simulator: os.DirFS("../host/hostsim/migrations")}

// set says with which migrations a statement belongs. A file named for it reads
// the program's own.
func (s sqlText) set() string {
	if name := filepath.ToSlash(s.pos.Filename); strings.Contains(name, "/host/hostsim/") && !strings.HasSuffix(name, "_product.go") {
		return simulator
	}
	return "the program"
}

// builtAtRunTime lists the functions whose statements are not constants, with
// the reason. Their own tests have to run them on both databases.
var builtAtRunTime = map[string]string{
	"mandate/internal/conformance.administer":       "creates and drops a schema under a name made at run time",
	"(*mandate/internal/usermgmt.insertion).insert": "repeats the placeholders for as many rows as are stored at once",
	"statements.listed":                             "is the sample of this test",
}

func TestTheListOfBuildersIsShort(t *testing.T) {
	met := map[string]bool{"statements.listed": true}
	for _, name := range loadProgram(t).builders {
		met[name] = true
	}
	for name := range builtAtRunTime {
		if !met[name] {
			t.Errorf("%s is listed but builds no statement: take it off the list", name)
		}
	}
}

func prepareAll(t *testing.T, p *program, driver, address string, isFor func(sqlText) bool) {
	pool, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	prepared := map[string]bool{}
	for _, call := range p.calls {
		for _, s := range call.texts {
			if prepared[s.text] || !isFor(s) {
				continue
			}
			prepared[s.text] = true
			statement, err := pool.PrepareContext(context.Background(), s.text)
			if err != nil {
				t.Errorf("%s: %v\n%s", s.pos, err, s.text)
				continue
			}
			if err := statement.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	t.Logf("%d statements", len(prepared))
}

// What preparing does not tell: values that are too many or too few, and a
// "like" whose escape letter is the database's own choice.
func TestStatementsAreWrittenWithCare(t *testing.T) {
	p := loadProgram(t)
	for _, call := range p.calls {
		for _, s := range call.texts {
			if n := placeholders(s.text); call.arguments >= 0 && n != call.arguments {
				t.Errorf("%s: the statement has %d placeholders and is given %d values\n%s", call.pos, n, call.arguments, s.text)
			}
			if likes.MatchString(s.text) && !strings.Contains(strings.ToLower(s.text), "escape") {
				t.Errorf(`%s: "like" needs an escape clause: without one a backslash means something on PostgreSQL only`, s.pos)
			}
		}
	}
}

var (
	placeholder = regexp.MustCompile(`\$(\d+)`)
	likes       = regexp.MustCompile(`(?i)\blike\b`)
)

// placeholders is the highest number after a dollar sign.
func placeholders(text string) (highest int) {
	for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
		if n, err := strconv.Atoi(m[1]); err == nil {
			highest = max(highest, n)
		}
	}
	return highest
}

// IsUnique is asked by name. A name that no constraint has would be a "no"
// for ever, so each one that the program uses must exist, and SQLite's
// translation must know exactly the names PostgreSQL knows.
func TestUniqueConstraintsHaveTheSameNamesOnBoth(t *testing.T) {
	for name, set := range sets {
		t.Run(name, func(t *testing.T) { uniqueNames(t, name, set) })
	}
}

func uniqueNames(t *testing.T, set string, migrations fs.FS) {
	used := loadProgram(t).constraints
	names := map[string]bool{}
	keys, err := dbtest.SQLiteWith(t, dbtest.Options{Migrations: migrations}).UniqueNames()
	if err != nil {
		t.Fatal(err)
	}
	for columns, constraints := range keys {
		if len(constraints) > 1 {
			t.Errorf("%s: %q watch the same columns, so SQLite cannot tell them apart", columns, constraints)
		}
		names[constraints[0]] = true
	}
	for _, s := range used {
		if s.set() == set && !names[s.text] {
			t.Errorf("%s: there is no unique constraint or index named %q", s.pos, s.text)
		}
	}
	t.Run("PostgreSQL", func(t *testing.T) {
		wanted := query(t, dbtest.PostgreSQLURL(t, migrations), `
			select i.relname from pg_index x
			  join pg_class i on i.oid = x.indexrelid
			  join pg_class c on c.oid = x.indrelid
			  join pg_namespace n on n.oid = c.relnamespace
			 where x.indisunique and n.nspname = 'public' and c.relname <> 'goose_db_version'
			 order by 1`)
		var got []string
		for name := range names {
			got = append(got, name)
		}
		slices.Sort(got)
		slices.Sort(wanted)
		if fmt.Sprint(got) != fmt.Sprint(wanted) {
			t.Errorf("the names differ (is one without a name?)\nSQLite:     %q\nPostgreSQL: %q", got, wanted)
		}
	})
}

// A constraint without a name gets a different one from each database.
func TestEveryConstraintIsNamed(t *testing.T) {
	for name, set := range sets {
		t.Run(name, func(t *testing.T) { everyConstraintIsNamed(t, dbtest.SQLiteWith(t, dbtest.Options{Migrations: set})) })
	}
}

func everyConstraintIsNamed(t *testing.T, d *db.DB) {
	var tables []string
	err := d.Read(t.Context(), func(tx *db.Tx) (err error) {
		tables, err = db.All(tx, db.Value[string],
			`select sql from sqlite_schema where type = 'table' and sql is not null and name not like 'goose!_%' escape '!' and name not like 'sqlite!_%' escape '!'`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range tables {
		text = comments.ReplaceAllString(text, "")
		if all, named := len(ruleWords.FindAllString(text, -1)), len(namedRules.FindAllString(text, -1)); all != named {
			t.Errorf("%d rules of which %d have a name:\n%s", all, named, text)
		}
	}
}

var (
	comments   = regexp.MustCompile(`--[^\n]*`)
	rule       = `(?:primary\s+key|unique|check\s*\(|foreign\s+key|references)`
	ruleWords  = regexp.MustCompile(`(?i)(?:foreign\s+key\s*\([^)]*\)\s*references|\b` + rule + `)`)
	namedRules = regexp.MustCompile(`(?i)constraint\s+\w+\s+(?:foreign\s+key\s*\([^)]*\)\s*references|` + rule + `)`)
)

func query(t *testing.T, address, text string) (answers []string) {
	t.Helper()
	pool, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	rows, err := pool.QueryContext(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			t.Fatal(err)
		}
		answers = append(answers, one)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return answers
}

// The search is itself tested: it must find every way of writing a statement
// and complain about those it cannot follow.
func TestTheSearchForStatements(t *testing.T) {
	_, exports, err := listPackages()
	if err != nil {
		t.Fatal(err)
	}
	p := newProgram()
	sample := listedPackage{ImportPath: "statements", Dir: "testdata/statements", GoFiles: []string{"sample.go", "alone_sqlite.go"}}
	if err := p.readPackage(sample, p.importer(exports)); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, call := range p.calls {
		for _, s := range call.texts {
			got = append(got, s.text)
			if sqlite, postgreSQL := s.dialects(); !sqlite || postgreSQL == (s.text == `for SQLite alone`) {
				t.Errorf("%q is for SQLite: %v, PostgreSQL: %v", s.text, sqlite, postgreSQL)
			}
		}
	}
	want := []string{
		`a literal $1`, `select id, name from constants`, `in a map 1`, `in a map 2`, `one branch`, `other branch`,
		`in pairs 1`, `in pairs 2`, `with order desc`, `with order asc`, `in a list 1`, `in a list 2`, `passed on 1`, `passed on 2`, `for SQLite alone`,
	}
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		t.Errorf("found %q\n want %q", got, want)
	}
	if len(p.builders) != 1 || p.builders[0] != "statements.listed" {
		t.Errorf("builders are %q, want statements.listed", p.builders)
	}
	if n := p.calls[1].arguments; n != 2 {
		t.Errorf("the second call passes %d values, want 2", n)
	}
	if len(p.constraints) != 1 || p.constraints[0].text != "a_name" {
		t.Errorf("constraints are %v, want a_name", p.constraints)
	}
	var lines []string
	for _, problem := range p.problems {
		lines = append(lines, strings.Split(problem, ":")[1])
	}
	if fmt.Sprint(lines) != "[49 52 55]" {
		t.Errorf("problems are %q, want the lines marked refused", p.problems)
	}
}
