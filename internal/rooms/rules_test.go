package rooms

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// No edge holds SQL: it parses, calls one verb and renders.
func TestEdgesHoldNoSQL(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		if f := floorOf(name); f >= 0 && (floors[f].name == "edges" || floors[f].name == "entrance") && slices.Contains(p.Imports, module+"db") {
			t.Errorf("%s imports db: an edge parses, calls one verb and renders", name)
		}
	}
}

// speakers are the floors that may speak HTTP, and connectors the packages of
// rooms that may: those that call hosts.
var (
	speakers   = []string{"look", "plumbing", "entrance", "edges", "assembly"}
	connectors = []string{"host/protocol", "host/fineract"}
)

// A room has no requests and no pages: what it offers can be called by any edge.
func TestOnlyEdgesSpeakHTTP(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		if slices.Contains(connectors, name) {
			continue
		}
		if f := floorOf(name); f >= 0 && !slices.Contains(speakers, floors[f].name) && slices.Contains(p.Imports, "net/http") {
			t.Errorf("%s imports net/http: %s do not speak HTTP", name, floors[f].name)
		}
	}
}

// muxes are the packages that may put a handler at an address by themselves:
// each takes a route only with what it needs, and lists it.
var muxes = []string{"../route", "../web", "../api"}

// No address is served that does not say what it needs: whoever has handlers
// gives them to a route.Mux or a web.Site.
func TestEveryAddressSaysWhatItNeeds(t *testing.T) {
	looked := 0
	for _, file := range goFiles(t, "..") {
		own := slices.Contains(muxes, filepath.Dir(file.name))
		ast.Inspect(file.syntax, func(n ast.Node) bool {
			call, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			of, ok := call.X.(*ast.Ident)
			if !ok || of.Name != "http" || !slices.Contains([]string{"NewServeMux", "Handle", "HandleFunc", "DefaultServeMux"}, call.Sel.Name) {
				return true
			}
			if looked++; !own {
				t.Errorf("%s: http.%s: use a route.Mux, which asks for what the address needs", file.at(n), call.Sel.Name)
			}
			return true
		})
	}
	if looked == 0 {
		t.Error("not even the muxes were found; the test looks at nothing")
	}
}

// pure is all of the standard library that a decision may use: nothing that
// reads, writes, waits or rolls dice.
var pure = []string{"cmp", "errors", "fmt", "iter", "maps", "math", "math/bits", "slices", "sort", "strconv", "strings", "time"}

// A decision is a value: all that bears on it is an argument. That holds for
// the time as well.
func TestJudgementIsPure(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		if name != "entitlement" && name != "catalog" && name != "fault" {
			continue
		}
		for _, imported := range p.Imports {
			if !strings.HasPrefix(imported, module) && !slices.Contains(pure, imported) {
				t.Errorf("%s imports %s: a decision reads nothing but its arguments", name, imported)
			}
		}
		for _, file := range goFiles(t, "../"+name) {
			ast.Inspect(file.syntax, func(n ast.Node) bool {
				if call, ok := n.(*ast.SelectorExpr); ok && asksTheClock(call) {
					t.Errorf("%s: asks the clock: a decision is given the time", file.at(n))
				}
				return true
			})
		}
	}
}

func asksTheClock(call *ast.SelectorExpr) bool {
	of, ok := call.X.(*ast.Ident)
	return ok && of.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "After", "Tick", "Sleep"}, call.Sel.Name)
}

// made are tables by migration; named are those that a statement is about.
var (
	made  = regexp.MustCompile(`(?m)^create table (\w+)`)
	named = regexp.MustCompile(`\b(?:from|join|into|update) (\w+)`)
)

// A table belongs to one room. Others ask that room, inside their transaction:
// what a column means is written down once.
func TestTablesHaveOneRoom(t *testing.T) {
	tables := tables(t)
	rooms := map[string]map[string]string{} // the packages that name a table, and where
	for _, file := range goFiles(t, "..") {
		if strings.HasPrefix(file.name, "../pdp/pdptest/") { // a world for tests
			continue
		}
		ast.Inspect(file.syntax, func(n ast.Node) bool {
			text, ok := n.(*ast.BasicLit)
			if !ok || text.Kind != token.STRING {
				return true
			}
			for _, found := range named.FindAllStringSubmatch(text.Value, -1) {
				if table := found[1]; tables[table] {
					if rooms[table] == nil {
						rooms[table] = map[string]string{}
					}
					rooms[table][filepath.Dir(file.name)] = file.at(n)
				}
			}
			return true
		})
	}
	if len(rooms) < 20 {
		t.Fatalf("statements name %d tables; the test looks at nothing", len(rooms))
	}
	for table, places := range rooms {
		if len(places) > 1 {
			t.Errorf("table %s is named by several packages: %s", table, strings.Join(slices.Sorted(maps.Values(places)), ", "))
		}
	}
}

func tables(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	files, err := filepath.Glob("../db/migrations/*.sql")
	own, errOwn := filepath.Glob("../host/hostsim/migrations/*.sql") // a database of its own
	if err != nil || errOwn != nil || len(files) == 0 || len(own) == 0 {
		t.Fatalf("migrations: %v, %v, %v, %v", files, err, own, errOwn)
	}
	files = append(files, own...)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range made.FindAllStringSubmatch(string(text), -1) {
			all[found[1]] = true
		}
	}
	return all
}

type goFile struct {
	name   string
	syntax *ast.File
	set    *token.FileSet
}

func (f goFile) at(n ast.Node) string { return f.set.Position(n.Pos()).String() }

// goFiles reads the Go files below a folder that are no tests.
func goFiles(t *testing.T, folder string) (all []goFile) {
	t.Helper()
	set := token.NewFileSet()
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		syntax, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		all = append(all, goFile{filepath.ToSlash(path), syntax, set})
		return err
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("read the Go files of %s: %d, %v", folder, len(all), err)
	}
	return all
}

// The picture names every package, so that nobody looks for a room in vain.
func TestThePictureNamesEveryPackage(t *testing.T) {
	text, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packages(t) {
		name, inside := strings.CutPrefix(p.ImportPath, module)
		if !inside || strings.HasPrefix(name, "tools/") { // chores, run by hand
			continue
		}
		parts := strings.Split(roomOf(name), "/")
		if word := parts[len(parts)-1]; !regexp.MustCompile(`\b` + word + `\b`).Match(text) {
			t.Errorf("docs/architecture.md does not show %s", name)
		}
	}
}

// attempts are the functions beside the door that write history: they note that
// somebody tried to prove who they are, or what became by itself of what was
// asked of them or sent to them. None of them changes what anybody may do. beginAll
// writes no history; it holds it still while it keeps the present for later.
var attempts = []string{"identity note", "identity secondFactor", "identity endAsked", "identity noteLink", "usermgmt beginAll"}

// Whatever else stands in the history came through the door.
func TestOnlyTheDoorWritesHistory(t *testing.T) {
	found := map[string]bool{}
	for _, file := range goFiles(t, "..") {
		if home := filepath.Base(filepath.Dir(file.name)); home == "guard" || home == "pdptest" {
			continue
		}
		for _, declared := range file.syntax.Decls {
			f, ok := declared.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				call, ok := n.(*ast.SelectorExpr)
				if !ok || call.Sel.Name != "Lock" {
					return true
				}
				if of, ok := call.X.(*ast.Ident); ok && of.Name == "activity" {
					name := filepath.Base(filepath.Dir(file.name)) + " " + f.Name.Name
					if found[name] = true; !slices.Contains(attempts, name) {
						t.Errorf("%s: %s locks a history: go through guard.Do", file.at(n), f.Name.Name)
					}
				}
				return true
			})
		}
	}
	if len(found) < len(attempts) {
		t.Errorf("of %v only %v write history", attempts, slices.Sorted(maps.Keys(found)))
	}
}
