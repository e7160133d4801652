package hostsync_test

import (
	"strings"
	"testing"

	"mandate/internal/host"
)

// Whatever a host tells, what it tells after that arrives.
func TestNothingToldStopsTheRest(t *testing.T) {
	for name, spoil := range map[string]func(*host.Event){
		"zero in the ref":          func(e *host.Event) { e.User.Ref = "H\x00bea" },
		"zero in the organization": func(e *host.Event) { e.User.Organization = "10\x0001" },
		"zero in an id":            func(e *host.Event) { e.ID = "ev\x00ent" },
		"zero in who made it":      func(e *host.Event) { e.By = "K\x00im" },
		"zero in a name":           func(e *host.Event) { e.User.FirstName = "B\x00a" },
		"zero in a last name":      func(e *host.Event) { e.User.LastName = "B\x00a" },
		"zero in an email":         func(e *host.Event) { e.User.Email = "b\x00@acme.example" },
		"zero in an account":       func(e *host.Event) { e.User.Accounts["A\x00"] = map[string]string{"\x00": "\x00"} },
		"zero in a permission":     func(e *host.Event) { e.User.Permissions["\x00"] = "\x00" },
		"zero in our id":           func(e *host.Event) { e.User.Member = "usr_\x00" },
		"not text":                 func(e *host.Event) { e.User.LastName, e.By = "\xff\xfe", "\xff" },
		"an endless ref":           func(e *host.Event) { e.User.Ref = host.Ref(strings.Repeat("x", 1<<20)) },
		"another's member":         func(e *host.Event) { e.User.Member = "usr_ana" },
		"an organization": func(e *host.Event) {
			e.User, e.Organization = nil, &host.Organization{Ref: "10\x00", Version: 1, Name: "A\x00", Accounts: []host.Account{{Ref: "\x00", Name: "\x00"}}}
		},
		"an account's name": func(e *host.Event) {
			e.User, e.Organization = nil, &host.Organization{Ref: "1001", Version: 9, Name: "Acme", Accounts: []host.Account{{Ref: "A7", Name: "\x00", Kind: "\xff", LastFour: "\x00"}}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(w *world) {
				bad := bea(1)
				bad.Ref, bad.Email = "H-bad", "bad@acme.example"
				e := host.Event{ID: "ev_bad", Channel: host.BackOffice, By: "Kim", User: &bad}
				spoil(&e)
				w.host.says(e)
				good := bea(1)
				w.host.says(host.Event{Channel: host.BackOffice, By: "Kim", User: &good})
				for range 2 {
					if err := w.sync.Sync(t.Context(), harbor); err != nil {
						t.Error(err)
					}
				}
				if _, found := w.named("H-bea"); !found {
					t.Error("what came after did not arrive")
				}
			})
		})
	}
}
