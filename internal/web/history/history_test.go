package history_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/web/history"
)

// Every event that the program records reads as a sentence of its own, and none
// as its name.
func TestEveryEventIsTold(t *testing.T) {
	names := recorded(t)
	if len(names) < 150 {
		t.Fatalf("only %d events were found: %v", len(names), names)
	}
	d := history.New(time.UTC, nil)
	for _, name := range names {
		e := activity.Event{Name: name, Actor: activity.Actor{Kind: bank.ActorStaff, ID: "stf_1", Name: "Grace Holloway"}, Target: activity.Target{ID: "x", Name: "Larkspur"}}
		shown := d.Event(e)
		if strings.HasPrefix(shown.Text, "Grace Holloway: ") || shown.Text == "" || shown.Icon == "" {
			t.Errorf("%s has no sentence: it reads %q", name, shown.Text)
		}
		if strings.Contains(shown.Text, "{") {
			t.Errorf("%s reads %q", name, shown.Text)
		}
	}
}

// Of every event it is known what it touches of what decisions are made of: one
// that is not would make everything be read again.
func TestEveryEventSaysWhatItTouches(t *testing.T) {
	for _, name := range append(recorded(t), history.Told()...) {
		if _, known := activity.TouchedBy(name); !known {
			t.Errorf("activity does not know what %s touches", name)
		}
	}
	stranger := activity.Event{Name: "orguser.renumbered"}
	if got := activity.Touched(stranger); got != activity.TouchAll {
		t.Errorf("an event that nobody knows touches %b", got)
	}
}

// Every field that a change is recorded of has a name that people read.
func TestEveryFieldIsNamed(t *testing.T) {
	fields := changed(t)
	if len(fields) < 60 {
		t.Fatalf("only %d fields were found: %v", len(fields), fields)
	}
	d := history.New(time.UTC, nil)
	for _, field := range fields {
		if got := d.Field(activity.Change{Field: field}); got == field {
			t.Errorf("the field %q has no name", field)
		}
	}
}

// What a webhook is told of reads as its form says it; no organization means all.
func TestWhatAWebhookIsToldOfIsNamed(t *testing.T) {
	d := history.New(time.UTC, nil)
	for _, c := range []struct{ field, value, want string }{
		{"kinds", "positive_pay wires", "Positive pay, Wires"}, {"kinds", "", "None"}, {"organizations", "", "All"}, {"organizations", "org_a", "org_a"},
	} {
		if got := d.Value(c.field, c.value); got != c.want {
			t.Errorf("%s %q reads %q, want %q", c.field, c.value, got, c.want)
		}
	}
}

var eventName = regexp.MustCompile(`^[a-z_]+\.[a-z0-9_]+$`)

// recorded are the names of all events in the source: what is called an event,
// what an action has as its event, and what is recorded besides. The events of a
// person's sign-in are of a member and of a staff user alike.
func recorded(t *testing.T) []string {
	t.Helper()
	found := map[string]bool{}
	keep := func(e ast.Expr, prefixes ...string) {
		for _, prefix := range prefixes {
			if name := prefix + text(e); eventName.MatchString(name) {
				found[name] = true
			}
		}
	}
	source(t, func(path string, n ast.Node) {
		switch n := n.(type) {
		case *ast.ValueSpec:
			for i, name := range n.Names {
				if strings.HasPrefix(strings.ToLower(name.Name), "event") && i < len(n.Values) {
					keep(n.Values[i], "")
				}
			}
		case *ast.CompositeLit:
			if named(n.Type) == "Event" || named(n.Type) == "Action" {
				for _, e := range n.Elts {
					if pair, ok := e.(*ast.KeyValueExpr); ok && (named(pair.Key) == "Event" || named(pair.Key) == "Name") {
						keep(pair.Value, "")
					}
				}
			}
		case *ast.CallExpr:
			switch f := named(n.Fun); f {
			case "Record", "RecordAs", "acting", "setting", "action":
				if len(n.Args) > 0 {
					keep(n.Args[0], "")
				}
			}
		case *ast.BasicLit:
			if strings.Contains(path, "/identity/") && signInEvent.MatchString(text(n)) {
				keep(n, "orguser.", "staff.")
			}
		}
	})
	return slices.Sorted(maps.Keys(found))
}

// signInEvent is the second part of the name of an event of a person's sign-in.
var signInEvent = regexp.MustCompile(`^(invite_[a-z]+|password_reset_[a-z]+|locked|activated|credentials_created)$`)

// changed are the fields of all changes in the source.
func changed(t *testing.T) []string {
	t.Helper()
	found := map[string]bool{}
	keep := func(e ast.Expr) {
		if field := text(e); field != "" {
			found[field] = true
		}
	}
	source(t, func(path string, n ast.Node) {
		if strings.Contains(path, "/host/verify/") {
			return // what it changes is nobody's history
		}
		switch n := n.(type) {
		case *ast.CompositeLit:
			if named(n.Type) == "Change" {
				for _, e := range n.Elts {
					if pair, ok := e.(*ast.KeyValueExpr); ok && named(pair.Key) == "Field" {
						keep(pair.Value)
					}
				}
			}
		case *ast.CallExpr:
			switch f := named(n.Fun); {
			case f == "change" && len(n.Args) == 3, f == "add" && len(n.Args) == 3 && strings.HasSuffix(receiver(n.Fun), "changes"):
				keep(n.Args[0])
			case f == "diff" && len(n.Args) == 4:
				keep(n.Args[1])
			}
		}
	})
	return slices.Sorted(maps.Keys(found))
}

// source goes through what the program is made of.
func source(t *testing.T, see func(path string, n ast.Node)) {
	t.Helper()
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			see(path, n)
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// text is what a literal says; nothing where an expression is none.
func text(e ast.Expr) string {
	literal, ok := e.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return ""
	}
	said, err := strconv.Unquote(literal.Value)
	if err != nil {
		return ""
	}
	return said
}

func receiver(e ast.Expr) string {
	if s, ok := e.(*ast.SelectorExpr); ok {
		return named(s.X)
	}
	return ""
}

func named(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}
