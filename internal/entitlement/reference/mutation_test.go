package reference

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rulesInForce reads the names of all rules from this package's own source:
// every rule is named where it is applied, r.holds("...").
func rulesInForce(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, name := range []string{"reference.go", "catalogue.go", "amount.go", "decide.go", "limits.go", "ledger.go", "edit.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 1 {
				return true
			}
			if f, ok := call.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "holds" {
				out = append(out, rulesNamed(t, call.Args[0])...)
			}
			return true
		})
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// rulesNamed gives the names that the argument of holds can take. An argument
// that is put together ends in a variable, or has one in its middle; those
// names are listed here.
func rulesNamed(t *testing.T, arg ast.Expr) []string {
	t.Helper()
	if lit, ok := arg.(*ast.BasicLit); ok {
		text, err := strconv.Unquote(lit.Value)
		if err != nil {
			t.Fatal(err)
		}
		return []string{text}
	}
	for lit, more := range map[string][]string{
		"2: MEMBER_STATUS, ":                    {"pending", "locked", "disabled"},
		"2: the context key ":                   {"restricted needs its permission", "recurring needs its permission", "same_day needs its permission", "debits needs its permission"},
		"2: account limits are tested, ":        {"wires.per_wire_limit", "wires.daily_limit"},
		"2: the ceiling is tested, ":            {"ach.per_batch_limit", "ach.daily_limit", "transfers.limit", "wires.per_wire_limit", "wires.daily_limit"},
		"2: approving tests the amount alone, ": {"ach.batch.approve", "wires.approve"},
		"2: equal passes, ":                     {"LIMIT_DAILY organization", "LIMIT_DAILY organization_user", "LIMIT_DAILY organization_user_account", "LIMIT_PER_TRANSACTION organization", "LIMIT_PER_TRANSACTION organization_user", "LIMIT_PER_TRANSACTION organization_user_account"},
	} {
		if strings.Contains(firstLiteral(arg), lit) {
			var out []string
			for _, m := range more {
				out = append(out, lit+m)
			}
			return out
		}
	}
	t.Fatalf("a rule whose names are not listed: %s", firstLiteral(arg))
	return nil
}

func firstLiteral(e ast.Expr) string {
	for {
		switch x := e.(type) {
		case *ast.BinaryExpr:
			e = x.X
		case *ast.BasicLit:
			text, _ := strconv.Unquote(x.Value)
			return text
		default:
			return fmt.Sprintf("%T", e)
		}
	}
}

// TestEveryRuleIsNoticed switches off one rule of the reference at a time and
// expects some vector to come out wrong. A rule that nobody notices is one that
// no vector exercises: write one.
func TestEveryRuleIsNoticed(t *testing.T) {
	files := vectorFiles(t)
	rules := rulesInForce(t)
	if len(rules) < 100 {
		t.Fatalf("only %d rules found", len(rules))
	}
	for _, rule := range rules {
		if !noticed(files, rule) {
			t.Errorf("no vector notices when this rule is broken: %s", rule)
		}
	}
	t.Logf("%d rules", len(rules))
}

func noticed(files map[string]File, rule string) bool {
	for _, f := range files {
		for _, v := range f.Vectors {
			if len(check(v, rule)) > 0 {
				return true
			}
		}
	}
	return false
}
