package scim

import (
	"reflect"
	"testing"

	"mandate/internal/ijson"
	"mandate/internal/staff"
)

// ana is a user with everything.
func ana() map[string]any {
	a := &staff.Account{External: "e", Groups: []staff.Group{{ID: "grp_1"}}}
	a.ID, a.Email, a.FirstName, a.LastName, a.Phone = "stf_1", "ana@cedar.example", "Ana", "Example", "1"
	return userOf("", a)
}

// TryPatch does a fuzzed PATCH: whatever it is, the resource before it stays as
// it was, and what comes out can be read.
func TryPatch(t *testing.T, body string) {
	value, err := ijson.Parse([]byte(body), ijson.Limits{Depth: maxDepth, Values: 1000})
	object, ok := value.(map[string]any)
	if err != nil || !ok {
		return
	}
	operations, err := readOperations(object)
	if err != nil {
		return
	}
	before := ana()
	after, err := patch(userSchema, before, operations)
	if !reflect.DeepEqual(before, ana()) {
		t.Fatal("a PATCH changed what it was given")
	}
	if err == nil {
		_, _ = wishOf(after)
		_ = etag(after)
	}
	if group, err := patch(groupSchema, groupOf("", &staff.Team{ID: "grp_1", Name: "G", Members: []staff.Teammate{{ID: "stf_1"}}}), operations); err == nil {
		_, _ = teamWishOf(group)
	}
}

// TryFilter reads a fuzzed filter; what can be read can be asked, and its
// opposite is the opposite.
func TryFilter(t *testing.T, text string) {
	f, err := readFilter(userSchema, text)
	if err != nil || f == nil {
		return
	}
	fits := f.fits(ana())
	if not, err := readFilter(userSchema, "not ("+text+")"); err == nil && not.fits(ana()) == fits {
		t.Fatalf("%q and its opposite both say %t", text, fits)
	}
}
