package reference

import (
	"strings"
	"testing"
)

const smallFile = `{"format": "vectors/1", "vectors": [{"name": "n", "source": "s", "world": {"now": "2026-03-02T15:00:00-06:00",
 "institution": {"edition": "bank", "time_zone": "America/Chicago", "offers": ["ach"]}, "organization": {"entitlements": ["ach"]},
 "accounts": ["a"], "members": [{"id": "m", "role": "user", "status": "active", "held": false, "permissions": {"ach.daily_limit": "5.00"}, "accounts": {"a": {"account.access": true}}}]},
 "steps": [{"decide": {"member": "m", "operation": "account.view", "account": "a", "context": {"any": {"thing": 1}}}, "expect": {"decision": true, "approval_required": false, "reasons": []}},
  {"advance": "30m"}]}]}`

func TestParse(t *testing.T) {
	f, err := Parse([]byte(smallFile))
	if err != nil {
		t.Fatal(err)
	}
	if got := Check(f.Vectors[0]); len(got) > 0 {
		t.Errorf("got %v", got)
	}
}

// TestParseRefuses changes one thing in a good file.
func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ what, old, new string }{
		{"another format", `vectors/1`, `vectors/2`},
		{"an unknown field of a vector", `"source": "s"`, `"source": "s", "note": ""`},
		{"an unknown field of a world", `"accounts": ["a"],`, `"accounts": ["a"], "day": 1,`},
		{"an unknown field of the organization", `{"entitlements": ["ach"]}`, `{"entitlements": ["ach"], "name": "x"}`},
		{"an unknown field of a member", `"held": false`, `"held": false, "name": "x"`},
		{"an unknown field of a request", `"member": "m"`, `"member": "m", "explain": "user"`},
		{"an unknown field of an expectation", `"decision": true`, `"decision": true, "note": 1`},
		{"an unknown step", `{"advance": "30m"}`, `{"wait": "30m"}`},
		{"a field in other letters", `"name": "n"`, `"Name": "n"`},
		{"a step that is two things", `{"advance": "30m"}`, `{"advance": "30m", "void": {"ref": "x"}, "expect": {"decision": true, "reasons": []}}`},
		{"a step that is nothing", `{"advance": "30m"}`, `{}`},
		{"a change with an expectation", `{"advance": "30m"}`, `{"advance": "30m", "expect": {"decision": true, "reasons": []}}`},
		{"no expectation", `, "expect": {"decision": true, "approval_required": false, "reasons": []}`, ``},
		{"half an expectation", `"approval_required": false, `, ``},
		{"an expectation of something else", `"decision": true, "approval_required": false, "reasons": []`, `"accepted": true, "problems": [], "turned_off": []`},
		{"more after the end", `{"advance": "30m"}]}]}`, `{"advance": "30m"}]}]} {}`},
		{"a text for a truth", `"held": false`, `"held": "false"`},
	} {
		text := strings.Replace(smallFile, c.old, c.new, 1)
		if text == smallFile {
			t.Fatalf("%s: nothing was changed", c.what)
		}
		if _, err := Parse([]byte(text)); err == nil {
			t.Errorf("%s was accepted", c.what)
		}
	}
}

// TestWorldRefuses: what a world can hold of inconsistent settings is loaded,
// but not what has no meaning at all.
func TestWorldRefuses(t *testing.T) {
	for _, c := range []struct{ what, old, new string }{
		{"an unknown edition", `"bank"`, `"shop"`},
		{"an unknown time zone", `America/Chicago`, `America/Nowhere`},
		{"a moment that is none", `2026-03-02T15:00:00-06:00`, `2026-03-02`},
		{"an unknown role", `"role": "user"`, `"role": "owner"`},
		{"an unknown status", `"status": "active"`, `"status": "asleep"`},
		{"a member without a name", `"id": "m"`, `"id": ""`},
		{"an amount that is none", `"5.00"`, `"5.000"`},
		{"a number for an amount", `"5.00"`, `5`},
		{"a switch that is none", `"account.access": true`, `"account.access": "yes"`},
		{"a ceiling that is none", `{"entitlements": ["ach"]}`, `{"entitlements": ["ach"], "ceilings": {"ach.daily_limit": "x"}}`},
		{"time running backwards", `30m`, `-30m`},
		{"time that is none", `30m`, `soon`},
		{"a change of nobody", `{"advance": "30m"}`, `{"member": {"member": "x", "held": true}}`},
		{"a change to an unknown status", `{"advance": "30m"}`, `{"member": {"member": "m", "status": "asleep"}}`},
	} {
		text := strings.Replace(smallFile, c.old, c.new, 1)
		f, err := Parse([]byte(text))
		if text == smallFile || err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		if got := Check(f.Vectors[0]); len(got) == 0 || got[len(got)-1].Err == nil {
			t.Errorf("%s was accepted", c.what)
		}
	}
	twice := strings.Replace(smallFile, `"members": [`, `"members": [{"id": "m", "role": "user", "status": "active", "held": false, "permissions": {}, "accounts": {}}, `, 1)
	f, err := Parse([]byte(twice))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewRunner(f.Vectors[0].World); err == nil {
		t.Error("the same member twice was accepted")
	}
}
