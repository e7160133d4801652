package alert

import (
	"slices"
	"testing"

	"mandate/internal/activity"
	"mandate/internal/bank"
)

func TestKindsOf(t *testing.T) {
	change := func(field, old, new string, accounts ...string) activity.Change {
		return activity.Change{Field: field, Old: old, New: new, Accounts: accounts}
	}
	for _, c := range []struct {
		name  string
		event activity.Event
		want  []Kind
	}{
		{"a new clerk", activity.Event{Name: "orguser.created", Changes: []activity.Change{change("role", "", "user"), change("ach.daily_limit", "0.00", "5.00")}}, []Kind{NewUser}},
		{"a new admin", activity.Event{Name: "orguser.created", Changes: []activity.Change{change("role", "", "admin")}}, []Kind{NewAdmin, NewUser}},
		{"a role to admin", activity.Event{Name: "orguser.role_changed", Changes: []activity.Change{change("role", "user", "admin")}}, []Kind{NewAdmin}},
		{"a limit raised", activity.Event{Name: "orguser.permission_changed", Changes: []activity.Change{change("wires.daily_limit", "1.00", "2.00")}}, []Kind{LimitRaised}},
		{"a limit lowered", activity.Event{Name: "orguser.permission_changed", Changes: []activity.Change{change("wires.daily_limit", "2.00", "1.00")}}, nil},
		{"an account's limit set", activity.Event{Name: "orguser.permission_changed", Changes: []activity.Change{change("wires.daily_limit", "", "1.00", "a")}}, nil},
		{"an account's limit taken away", activity.Event{Name: "orguser.permission_changed", Changes: []activity.Change{change("wires.daily_limit", "1.00", "", "a")}}, []Kind{LimitRaised}},
		{"a hold removed", activity.Event{Name: "orguser.hold_removed"}, []Kind{HoldRemoved}},
		{"a new invitation asked for", activity.Event{Name: "orguser.invite_requested"}, []Kind{InviteWanted}},
		{"a hold placed", activity.Event{Name: "orguser.hold_placed"}, nil},
		{"an address changed", activity.Event{Name: "orguser.profile_changed", Changes: []activity.Change{change("email", "a@x", "b@x")}}, []Kind{EmailChanged}},
		{"a refusal", activity.Event{Name: "orguser.created", Refused: true}, nil},
		{"an account that comes later", activity.Event{Name: "org.account_added", Channel: bank.ChannelImport}, []Kind{NewAccount}},
		{"an import", activity.Event{Name: "orguser.created", Channel: bank.ChannelImport}, nil},
	} {
		if got := kindsOf(&c.event); !slices.Equal(got, c.want) {
			t.Errorf("%s: told of %v, want %v", c.name, got, c.want)
		}
	}
}

// Every kind has words, and no two kinds the same.
func TestEveryKindHasWords(t *testing.T) {
	seen := map[string]Kind{}
	for _, choice := range Choices() {
		line := sentence(choice.Kind, &activity.Event{Note: "n"})
		if other, twice := seen[line]; twice || line == "" {
			t.Errorf("%s says %q, as does %s", choice.Kind, line, other)
		}
		seen[line] = choice.Kind
	}
}
