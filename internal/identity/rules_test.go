package identity_test

import (
	"strings"
	"testing"

	"mandate/internal/identity"
)

// What the screen shows while somebody types is what decides in the end.
func TestRulesShownAreTheRulesThatDecide(t *testing.T) {
	dana := identity.Person{FirstName: "Dana", LastName: "Whitfield", OrganizationName: "Northwind Trading", InstitutionName: "Harbor Bank"}
	rules := dana.PasswordRules("dwhit")
	for _, password := range []string{
		"", "short", "password", "password1234567", "abcdefghijklmnop", "northwindnorthwind", "quiet evenings by a northern lake",
		"fourteen chars", "fifteen charss!", strings.Repeat("x9 tune ", 32), strings.Repeat("x9 tune ", 32) + "y",
	} {
		kept := 0
		judged := rules.Judge(identity.Secret(password))
		for _, r := range judged {
			if r.Kept {
				kept++
			}
		}
		good := len(identity.CheckPassword(identity.Secret(password), rules)) == 0
		if all := kept == len(judged); all != good {
			t.Errorf("%.40q: %d of %d rules kept, and CheckPassword says %t", password, kept, len(judged), good)
		}
	}
	if r := rules.Judge("northwindnorthwind")[3]; r.Kept || !strings.Contains(r.Detail, "northwind") {
		t.Errorf("mostly a word about the business: %+v", r)
	}
	if r := rules.Judge("nine char")[0]; r.Detail != "9 so far" {
		t.Errorf("nine characters: %+v", r)
	}
	for username, kept := range map[string]bool{"": false, "da": false, "dana": true, "dana w": false, strings.Repeat("d", 64): true, strings.Repeat("d", 65): false} {
		if got := identity.JudgeUsername(username).Kept; got != kept {
			t.Errorf("username %q: %t, want %t", username, got, kept)
		}
	}
}
