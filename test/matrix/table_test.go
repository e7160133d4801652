package matrix_test

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// A verdict is what somebody meets at a route.
type verdict string

const (
	yes     verdict = "yes"     // it is theirs to use; a form may still be wrong, and a proof may be asked for
	empty   verdict = "empty"   // it is theirs to use, and lists nothing
	signIn  verdict = "sign-in" // they must show who they are first
	refused verdict = "refused" // they may not, and are told so
	absent  verdict = "absent"  // for them it does not exist
	no      verdict = "no"      // refused or absent
)

var verdicts = []verdict{yes, empty, signIn, refused, absent, no}

// allows reports whether what was met is what the table says.
func (v verdict) allows(met verdict) bool {
	return v == met || v == no && (met == refused || met == absent)
}

// A rule says for each person what they meet at some routes.
type rule struct {
	line int
	says map[string]verdict
}

// A table is the matrix of one listener.
type table struct {
	listener string
	people   []string
	foreign  []string         // those of the people who must never be told of the organization
	rules    map[string]*rule // by route, such as "GET /{institution}/home"
	used     map[string]bool
}

// readMatrix reads the hand-written matrix. Its head explains the form.
func readMatrix(t *testing.T, name string) map[string]*table {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r := reader{tables: map[string]*table{}, groups: map[string][]string{}}
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		text, _, _ := strings.Cut(lines.Text(), "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		if err := r.read(n, text); err != nil {
			t.Errorf("%s:%d: %v", name, n, err)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if t.Failed() {
		t.FailNow()
	}
	return r.tables
}

type reader struct {
	tables map[string]*table
	groups map[string][]string
	table  *table
	rule   *rule
}

func (r *reader) read(line int, text string) error {
	word, rest, _ := strings.Cut(text, " ")
	rest = strings.TrimSpace(rest)
	switch word {
	case "listener":
		r.table, r.rule, r.groups = &table{listener: rest, rules: map[string]*rule{}, used: map[string]bool{}}, nil, map[string][]string{}
		r.tables[rest] = r.table
		return nil
	case "people":
		r.table.people = append(r.table.people, strings.Fields(rest)...)
		return nil
	case "foreign":
		people, err := r.expand(rest)
		r.table.foreign = people
		return err
	case "let":
		name, members, _ := strings.Cut(rest, "=")
		people, err := r.expand(members)
		r.groups[strings.TrimSpace(name)] = people
		return err
	case "=>":
		says, err := r.says(rest)
		r.rule = &rule{line, says}
		return err
	}
	if !strings.HasPrefix(rest, "/") {
		return fmt.Errorf("%q is neither a rule nor a route such as GET /healthz", text)
	}
	name := word + " " + rest
	if r.rule == nil {
		return fmt.Errorf("%s stands under no rule", name)
	}
	if before := r.table.rules[name]; before != nil {
		return fmt.Errorf("%s stands under the rule of line %d too", name, before.line)
	}
	r.table.rules[name] = r.rule
	return nil
}

// expand turns names of people and of groups into people.
func (r *reader) expand(names string) (people []string, err error) {
	for _, name := range strings.Fields(names) {
		switch group, known := r.groups[name]; {
		case known:
			people = append(people, group...)
		case slices.Contains(r.table.people, name):
			people = append(people, name)
		default:
			return nil, fmt.Errorf("nobody is called %s", name)
		}
	}
	return people, nil
}

// says reads "nobody abroad: sign-in | admin: yes | else: refused".
func (r *reader) says(text string) (map[string]verdict, error) {
	says := map[string]verdict{}
	for part := range strings.SplitSeq(text, "|") {
		names, v, ok := strings.Cut(part, ":")
		word := verdict(strings.TrimSpace(v))
		if !ok || !slices.Contains(verdicts, word) {
			return nil, fmt.Errorf("%q does not say who: %v", part, verdicts)
		}
		var people []string
		if strings.TrimSpace(names) == "else" {
			people = slices.DeleteFunc(slices.Clone(r.table.people), func(p string) bool { return says[p] != "" })
		} else {
			var err error
			if people, err = r.expand(names); err != nil {
				return nil, err
			}
		}
		for _, p := range people {
			if says[p] != "" {
				return nil, fmt.Errorf("%s stands there twice", p)
			}
			says[p] = word
		}
	}
	for _, p := range r.table.people {
		if says[p] == "" {
			return nil, fmt.Errorf("it says nothing of %s", p)
		}
	}
	return says, nil
}
