package rooms

import (
	"fmt"
	"go/ast"
	"os"
	"strconv"
	"strings"
	"testing"
)

// machines are the state machines of payments: where each stands in the code,
// and under which head of docs/payments.md.
var machines = []struct{ folder, table, head string }{
	{"moneymovement/transfer", "steps", "Transfers"},
	{"moneymovement/stoppayment", "steps", "Stop payments"},
	{"moneymovement/ach", "steps", "ACH batches"},
	{"moneymovement/wire", "steps", "Wires"},
	{"moneymovement/positivepay", "fileSteps", "Lists of issued checks"},
	{"moneymovement/positivepay", "itemSteps", "Exceptions of Positive Pay"},
	{"host", "cardSteps", "Cards"},
	{"approval", "steps", "What waits for a second person"},
}

// People read the page and not the code, so the page must say the same.
func TestThePageShowsTheStateMachines(t *testing.T) {
	text, err := os.ReadFile("../../docs/payments.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range machines {
		want := machineOf(t, "../"+m.folder, m.table)
		_, section, _ := strings.Cut(string(text), "\n### "+m.head+"\n")
		section, _, _ = strings.Cut(section, "\n#")
		var got []string
		for line := range strings.Lines(section) {
			if strings.Contains(line, " → ") && !strings.Contains(line, "next state") {
				got = append(got, strings.TrimSpace(line))
			}
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("docs/payments.md, %s says\n%s\nand the code says\n%s", m.head, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// machineOf reads a map of states to steps to states out of the code, as rows
// of a page.
func machineOf(t *testing.T, folder, table string) (rows []string) {
	words := map[string]string{} // of constants
	var found *ast.CompositeLit
	for _, file := range goFiles(t, folder) {
		for _, declared := range file.syntax.Decls {
			group, ok := declared.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range group.Specs {
				value, ok := spec.(*ast.ValueSpec)
				if !ok || len(value.Names) != len(value.Values) {
					continue
				}
				for i, name := range value.Names {
					switch v := value.Values[i].(type) {
					case *ast.BasicLit:
						if text, err := strconv.Unquote(v.Value); err == nil {
							words[name.Name] = text
						}
					case *ast.CompositeLit:
						if name.Name == table {
							found = v
						}
					}
				}
			}
		}
	}
	if found == nil {
		t.Fatalf("%s has no table %s", folder, table)
	}
	word := func(e ast.Expr) string { return words[e.(*ast.Ident).Name] }
	for _, row := range found.Elts {
		from := row.(*ast.KeyValueExpr)
		var steps []string
		for _, step := range from.Value.(*ast.CompositeLit).Elts {
			to := step.(*ast.KeyValueExpr)
			steps = append(steps, word(to.Key)+" → "+word(to.Value))
		}
		rows = append(rows, fmt.Sprintf("| %s | %s |", word(from.Key), strings.Join(steps, ", ")))
	}
	return rows
}
