package conformance

import (
	"strings"
	"testing"
)

// small is a file with every field of the format.
const small = `{"format": "vectors/1", "vectors": [{"name": "small", "source": "here",
 "world": {"now": "2026-03-02T15:00:00-06:00",
  "institution": {"edition": "credit_union", "time_zone": "America/Chicago", "offers": ["transfers", "nothing.known"]},
  "organization": {"entitlements": ["transfers"], "ceilings": {"transfers.limit": "90.00", "nothing.known": "1"}, "accounts_off": {"savings": ["wires"]}},
  "accounts": ["operating", "savings"],
  "members": [{"id": "dana", "role": "user", "status": "active", "held": false,
   "permissions": {"transfers.enabled": true, "transfers.allow": true, "transfers.limit": "100.00", "nothing.known": 7},
   "accounts": {"operating": {"account.access": true, "transfers.from": true}, "savings": {"account.access": true, "transfers.to": true}, "elsewhere": {}}}]},
 "steps": [
  {"decide": {"member": "dana", "operation": "transfers.create", "account": "operating", "to_account": "savings", "amount": "90.00", "context": {"Memo": [1, null]}},
   "expect": {"decision": true, "approval_required": false, "reasons": []}},
  {"authorize": {"ref": "r", "member": "dana", "operation": "transfers.create", "account": "operating", "to_account": "savings", "amount": "90.01"},
   "expect": {"decision": false, "approval_required": false, "reasons": [{"code": "LIMIT_PER_TRANSACTION", "level": "organization", "permission": "transfers.limit"}]}},
  {"organization": {"entitlements": ["transfers"], "ceilings": {}}},
  {"member": {"member": "dana", "status": "active", "held": false, "role": "user"}},
  {"advance": "30m"},
  {"approve": {"ref": "r", "member": "dana"}, "expect": {"decision": false, "reasons": [{"code": "NOT_PENDING", "level": "request"}]}},
  {"confirm": {"ref": "r"}, "expect": {"decision": false, "reasons": [{"code": "NOT_PENDING", "level": "request"}]}},
  {"void": {"ref": "r"}, "expect": {"decision": true, "reasons": []}},
  {"edit": {"actor": "dana", "member": "dana", "account": "operating", "set": {"transfers.from": false, "wires.per_wire_limit": null}, "cascade": true},
   "expect": {"accepted": false, "problems": [{"code": "ACTOR_NOT_ALLOWED"}], "turned_off": []}}
 ]}]}`

func TestDecodeReadsEveryField(t *testing.T) {
	vectors, err := Decode(strings.NewReader(small))
	if err != nil || len(vectors) != 1 || len(vectors[0].Steps) != 9 {
		t.Fatalf("Decode = %+v, %v", vectors, err)
	}
}

// TestDecodeRefusesWhatIsNotOfTheFormat: each change of the small file makes
// it another format, and none may be passed over.
func TestDecodeRefusesWhatIsNotOfTheFormat(t *testing.T) {
	for _, c := range []struct{ name, from, to string }{
		{"another format", `"vectors/1"`, `"vectors/2"`},
		{"no format", `"format": "vectors/1", `, ``},
		{"something after the end", `]}]}`, `]}]} {}`},
		{"nothing", small, ``},
		{"a list", small, `[]`},
		{"bytes that are no text", `"small"`, "\"\xff\""},
		{"an unknown field of the file", `"format"`, `"made": "today", "format"`},
		{"an unknown field of a vector", `"source"`, `"sauce"`},
		{"a field in another case", `"source"`, `"Source"`},
		{"a field twice", `"source": "here"`, `"source": "here", "source": "there"`},
		{"null for a field", `"source": "here"`, `"source": null`},
		{"an unknown field of a world", `"accounts": ["operating"`, `"cards": [], "accounts": ["operating"`},
		{"an unknown field of an institution", `"edition"`, `"name": "First", "edition"`},
		{"an unknown field of an organization", `"accounts_off"`, `"account_off"`},
		{"a world without a time", `"now": "2026-03-02T15:00:00-06:00",`, ``},
		{"a time that is none", `15:00:00-06:00`, `15:00`},
		{"an unknown field of a member", `"held": false,`, `"on_hold": false,`},
		{"a value that is none", `"held": false,`, `"held": "no",`},
		{"a permission twice", `"transfers.enabled": true`, `"transfers.enabled": true, "transfers.enabled": false`},
		{"an account twice", `"savings": {"account.access"`, `"operating": {}, "savings": {"account.access"`},
		{"an unknown verb", `{"void"`, `{"avoid"`},
		{"two verbs", `{"advance": "30m"}`, `{"advance": "30m", "void": {"ref": "r"}}`},
		{"no verb", `{"advance": "30m"}`, `{}`},
		{"an unknown field of a request", `"to_account": "savings", "amount": "90.00"`, `"to": "savings", "amount": "90.00"`},
		{"an amount that is no text", `"amount": "90.00"`, `"amount": 90.00`},
		{"a context that is none", `"context": {"Memo": [1, null]}`, `"context": "Memo"`},
		{"a context key twice", `"Memo": [1, null]`, `"Memo": 1, "Memo": 1`},
		{"a reference where none belongs", `{"decide": {`, `{"decide": {"ref": "r", `},
		{"time that goes back", `"30m"`, `"-30m"`},
		{"time that is none", `"30m"`, `"soon"`},
		{"an unknown field of an edit", `"cascade": true`, `"cascades": true`},
		{"a question without an expectation", `, "expect": {"decision": true, "reasons": []}`, ``},
		{"a change with an expectation", `{"advance": "30m"}`, `{"advance": "30m", "expect": {}}`},
		{"an unknown expectation", `"turned_off": []`, `"turned_of": []`},
		{"an expectation of another verb", `"expect": {"decision": true, "reasons": []}`, `"expect": {"decision": true, "problems": []}`},
		{"an expectation without a decision", `"expect": {"decision": true, "reasons": []}`, `"expect": {"reasons": []}`},
		{"an expectation without reasons", `"expect": {"decision": true, "reasons": []}`, `"expect": {"decision": true}`},
		{"an expectation without approval_required", `"decision": true, "approval_required": false,`, `"decision": true,`},
		{"an expectation that the verb does not answer", `"expect": {"decision": true, "reasons": []}`, `"expect": {"decision": true, "approval_required": false, "reasons": []}`},
		{"no world", `"world": {"now"`, `"worlds": {"now"`},
		{"an unknown edition", `"credit_union"`, `"shop"`},
		{"an unknown time zone", `America/Chicago`, `America/Nowhere`},
		{"no time zone", `America/Chicago`, ``},
		{"an unknown role", `"role": "user", "status"`, `"role": "boss", "status"`},
		{"an unknown status", `"role": "user", "status": "active"`, `"role": "user", "status": "gone"`},
		{"a member twice", `"members": [`, `"members": [{"id": "dana", "role": "user", "status": "active"}, `},
		{"a switch that is none", `"transfers.allow": true`, `"transfers.allow": "yes"`},
		{"a limit that is none", `"transfers.limit": "100.00"`, `"transfers.limit": "1e2"`},
		{"an account's value that is none", `"transfers.to": true`, `"transfers.to": 1`},
		{"a ceiling that is none", `"transfers.limit": "90.00"`, `"transfers.limit": "-1"`},
		{"a change to an unknown role", `"held": false, "role": "user"}}`, `"held": false, "role": "boss"}}`},
		{"a change to an unknown status", `{"member": "dana", "status": "active"`, `{"member": "dana", "status": "gone"`},
		{"a change to a ceiling that is none", `"ceilings": {}}}`, `"ceilings": {"transfers.limit": true}}}`},
		{"an unknown field of a reason", `"permission": "transfers.limit"}]`, `"limit": "transfers.limit"}]`},
		{"an unknown field of a problem", `{"code": "ACTOR_NOT_ALLOWED"}`, `{"code": "ACTOR_NOT_ALLOWED", "who": "dana"}`},
	} {
		if !strings.Contains(small, c.from) {
			t.Errorf("%s: the small file has no %s", c.name, c.from)
		}
		if vectors, err := Decode(strings.NewReader(strings.Replace(small, c.from, c.to, 1))); err == nil {
			t.Errorf("%s was read: %+v", c.name, vectors)
		}
	}
}

// FuzzDecode: whatever a file holds, it is read or refused, and what was read
// can be asked about.
func FuzzDecode(f *testing.F) {
	f.Add(small)
	f.Add(`{"format": "vectors/1", "vectors": []}`)
	f.Fuzz(func(t *testing.T, text string) {
		vectors, err := Decode(strings.NewReader(text))
		if err != nil {
			if vectors != nil {
				t.Errorf("a refused file still gave %d vectors", len(vectors))
			}
			return
		}
		for i := range vectors {
			for _, s := range vectors[i].Steps {
				if s.Verb == "" || (s.Expect == nil) != (parts[s.Verb] == nil) {
					t.Errorf("a step that asks nothing: %+v", s)
				}
			}
		}
	})
}
