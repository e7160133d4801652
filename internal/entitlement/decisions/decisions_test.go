package decisions

import (
	"strings"
	"testing"

	"mandate/internal/entitlement/reference"
)

const file = `A file.
-- policy --
institution wires
account operating account.access wires.work
-- requests --
wires.view operating allow
-- first request, one thing changed --
without institution wires refuse INSTITUTION_OFF wires.enabled
`

// TestReadRefusesWhatItDoesNotUnderstand: a line that is skipped would be a
// test that never fails.
func TestReadRefusesWhatItDoesNotUnderstand(t *testing.T) {
	if cases, err := Read("file.txt", file); err != nil || len(cases) != 2 || cases[1].Name != "file.txt:8" {
		t.Fatalf("Read = %+v, %v", cases, err)
	}
	for _, c := range []struct{ from, to string }{
		{"institution wires\n", "institutions wires\n"},
		{"-- requests --", "-- request --"},
		{"operating allow", "operating"},
		{"operating allow", "operating allow INSTITUTION_OFF"},
		{"refuse INSTITUTION_OFF wires.enabled", "refuse wires.enabled"},
		{"refuse INSTITUTION_OFF wires.enabled", "refuse"},
		{"without institution wires", "without institution ach"},
		{"without institution wires", "instead institution wires"},
		{"operating allow", "operating 1.00 2.00 allow"},
	} {
		if _, err := Read("file.txt", strings.Replace(file, c.from, c.to, 1)); err == nil {
			t.Errorf("%q instead of %q was read", c.to, c.from)
		}
	}
}

func TestMet(t *testing.T) {
	yes, no := true, false
	one := reference.Reason{Code: "ACCOUNT_OFF", Level: "organization_user_account", Permission: "wires.work", Account: "operating"}
	two := one
	two.Permission = "wires.transmit"
	for _, c := range []struct {
		want string
		got  reference.Answer
		met  bool
	}{
		{"allow", reference.Answer{Decision: &yes, ApprovalRequired: &no}, true},
		{"allow", reference.Answer{Decision: &yes, ApprovalRequired: &yes}, false},
		{"approve", reference.Answer{Decision: &yes, ApprovalRequired: &yes}, true},
		{"allow", reference.Answer{Decision: &no, Reasons: []reference.Reason{one}}, false},
		{"refuse ACCOUNT_OFF", reference.Answer{Decision: &no, Reasons: []reference.Reason{one}}, true},
		{"refuse ACCOUNT_OFF operating wires.work", reference.Answer{Decision: &no, Reasons: []reference.Reason{one}}, true},
		{"refuse ACCOUNT_OFF payroll", reference.Answer{Decision: &no, Reasons: []reference.Reason{one}}, false},
		{"refuse ACCOUNT_OFF", reference.Answer{Decision: &no, Reasons: []reference.Reason{one, two}}, false},
		{"refuse ACCOUNT_OFF ACCOUNT_OFF", reference.Answer{Decision: &no, Reasons: []reference.Reason{one}}, false},
		{"refuse ACCOUNT_OFF wires.transmit ACCOUNT_OFF wires.work", reference.Answer{Decision: &no, Reasons: []reference.Reason{one, two}}, true},
		{"refuse ACCOUNT_OFF", reference.Answer{Decision: &yes, Reasons: []reference.Reason{one}}, false},
	} {
		_, want, err := splitWant(strings.Fields("ask " + c.want))
		if err != nil {
			t.Fatal(err)
		}
		if met := want.Met(c.got); met != c.met {
			t.Errorf("%q met by %v: %t, want %t", c.want, c.got, met, c.met)
		}
	}
}
