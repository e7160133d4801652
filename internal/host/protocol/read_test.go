package protocol

import (
	"encoding/json"
	"reflect"
	"testing"
)

// Whatever a stranger sends is refused or read, and what was read is written as
// something that is read the same way. What the strict reader takes, the other
// takes as well, and no differently.
func FuzzAnswersAreReadOrRefused(f *testing.F) {
	for _, seed := range []string{
		`{"key":"a/1","outcome":"refused","code":"NOT_COVERED","reference":"9","at":"2026-03-02T12:00:00.123456789+02:00","account":"op"}`,
		`{"balances":[{"account":"op","ledger_cents":-5,"available_cents":9007199254740992}]}`,
		`{"users":[{"ref":"u","organization":"n","version":3,"role":"admin","status":"locked","permissions":{"wires.transmit":"true"},"accounts":{"op":{}}}]}`,
		`{"events":[{"id":"1","mark":"1","at":"2026-03-02T12:00:00Z","channel":"core","announced":{"ref":"r","organization":"o"}},{"id":"2","mark":"2","user":null},7]}`,
		`{"items":[{"mark":"1","item":"i","organization":"n","account":"op","kind":"check","day":"2026-03-02","cents":1,"outcome":"waiting","sides":["front"],"at":"2026-03-02T12:00:00Z"}]}`,
		`{"organization":"n","file":{"name":"f","kind":"nacha","body":"AAE="},"memo":"a\u0000b"}`,
		`{"a":[[[[[[[[[[[[[]]]]]]]]]]]]]}`, `{"key":"\ud800"}`, `null`, `[]`, `{"balances":[null]}`,
	} {
		f.Add([]byte(seed))
	}
	kinds := []func() any{
		func() any { return new(Receipt) }, func() any { return new(BalanceList) }, func() any { return new(UserList) }, func() any { return new(EventList) },
		func() any { return new(PresentedList) }, func() any { return new(CardList) }, func() any { return new(OrganizationList) }, func() any { return new(DefaultsList) },
		func() any { return new(LineList) }, func() any { return new(NumberList) }, func() any { return new(About) }, func() any { return new(Problem) }, func() any { return new(Order) },
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, kind := range kinds {
			lenient, strict := kind(), kind()
			soft, hard := read(text, lenient, false), read(text, strict, true)
			if soft != nil && hard == nil {
				t.Fatalf("%T: the strict reader takes %q and the other one says %v", lenient, text, soft)
			}
			if soft != nil {
				continue
			}
			if hard == nil && !reflect.DeepEqual(lenient, strict) {
				t.Fatalf("%T: the readers read %+v and %+v", lenient, lenient, strict)
			}
			written, err := json.Marshal(lenient)
			if err != nil {
				t.Fatalf("%T: %v", lenient, err)
			}
			again := kind()
			if err := read(written, again, false); err != nil {
				t.Fatalf("%T: %q was read, and is written as %q: %v", lenient, text, written, err)
			}
		}
	})
}
