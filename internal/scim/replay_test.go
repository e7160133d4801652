package scim_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// An exchange is a request of a script, and what the answer must hold.
type exchange struct {
	line         int
	method, path string
	body         strings.Builder
	status       int
	answer       strings.Builder
	keep, from   string
}

func readScript(t *testing.T, name string) (all []*exchange) {
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var now *exchange
	for i, line := range strings.Split(string(text), "\n") {
		method, rest, _ := strings.Cut(line, " ")
		switch {
		case strings.HasPrefix(line, "#"):
		case method == "GET" || method == "POST" || method == "PUT" || method == "PATCH" || method == "DELETE":
			now = &exchange{line: i + 1, method: method, path: rest}
			all = append(all, now)
		case method == "=>":
			now.status, err = strconv.Atoi(rest)
			if err != nil {
				t.Fatalf("line %d: %v", i+1, err)
			}
		case method == "keep":
			now.keep, now.from, _ = strings.Cut(rest, " ")
		case now == nil || line == "":
		case now.status == 0:
			now.body.WriteString(line + "\n")
		default:
			now.answer.WriteString(line + "\n")
		}
	}
	return all
}

// holds says what an answer lacks of what is wanted.
func holds(path string, is, wanted any) string {
	switch wanted := wanted.(type) {
	case map[string]any:
		object, _ := is.(map[string]any)
		for name, value := range wanted {
			if why := holds(path+"."+name, object[name], value); why != "" {
				return why
			}
		}
		return ""
	case []any:
		list, _ := is.([]any)
		if len(list) != len(wanted) {
			return fmt.Sprintf("%s has %d values, want %d: %v", path, len(list), len(wanted), is)
		}
		for i := range wanted {
			if why := holds(fmt.Sprintf("%s[%d]", path, i), list[i], wanted[i]); why != "" {
				return why
			}
		}
		return ""
	}
	if is != wanted {
		return fmt.Sprintf("%s is %v, want %v", path, is, wanted)
	}
	return ""
}

func replay(t *testing.T, script string) {
	each(t, func(t *testing.T, w *world) {
		kept := []string{}
		fill := func(s string) string { return strings.NewReplacer(kept...).Replace(s) }
		for _, x := range readScript(t, script) {
			a := w.ask(x.method, fill(x.path), fill(x.body.String()))
			if a.status != x.status {
				t.Fatalf("%s line %d: %s %s: %d %v, want %d", script, x.line, x.method, x.path, a.status, a.body, x.status)
			}
			if x.answer.Len() > 0 {
				var wanted any
				if err := json.Unmarshal([]byte(fill(x.answer.String())), &wanted); err != nil {
					t.Fatalf("%s line %d: %v", script, x.line, err)
				}
				if why := holds("", a.body, wanted); why != "" {
					t.Fatalf("%s line %d: %s %s: %s", script, x.line, x.method, x.path, why)
				}
			}
			if x.keep != "" {
				kept = append(kept, "{"+x.keep+"}", a.body[x.from].(string))
			}
		}
		if w.key == "" || len(kept) == 0 {
			t.Fatal("the script kept nothing")
		}
	})
}

func TestEntraIsServed(t *testing.T) { replay(t, "entra.txt") }
func TestOktaIsServed(t *testing.T)  { replay(t, "okta.txt") }
