package reference

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
)

func randomVector(seed uint64) Vector {
	return RandomVector(rand.New(rand.NewPCG(seed, 0)), "random")
}

func asFile(t *testing.T, v Vector) []byte {
	t.Helper()
	data, err := json.Marshal(File{Format: Format, Vectors: []Vector{v}})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestRandomIsDeterministic: one seed, one vector; and it survives the file format.
func TestRandomIsDeterministic(t *testing.T) {
	for seed := range uint64(50) {
		one, other := asFile(t, randomVector(seed)), asFile(t, randomVector(seed))
		if string(one) != string(other) {
			t.Fatalf("seed %d makes two vectors:\n%s\n%s", seed, one, other)
		}
		f, err := Parse(one)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for _, m := range Check(f.Vectors[0]) {
			t.Errorf("seed %d, step %d:\n got %v\nwant %v\n err %v", seed, m.Step, m.Got, m.Want, m.Err)
		}
	}
}

// TestRandomIsBalanced: about half of what is asked is allowed or one reason
// away from it, and every code comes up.
func TestRandomIsBalanced(t *testing.T) {
	asked, allowed, close, approval := 0, 0, 0, 0
	edits, accepted, cascaded := 0, 0, 0
	codes := map[string]int{}
	for seed := range uint64(400) {
		for _, s := range randomVector(seed).Steps {
			if s.Expect == nil {
				continue
			}
			for _, r := range s.Expect.Reasons {
				codes[r.Code+" "+r.Level]++
			}
			for _, p := range s.Expect.Problems {
				codes[p.Code]++
			}
			switch {
			case s.Edit != nil:
				edits++
				if *s.Expect.Accepted {
					accepted++
				}
				if len(s.Expect.TurnedOff) > 0 {
					cascaded++
				}
			case s.Decide != nil || s.Authorize != nil:
				asked++
				if *s.Expect.ApprovalRequired {
					approval++
				}
				switch len(s.Expect.Reasons) {
				case 0:
					allowed++
				case 1:
					close++
				}
			}
		}
	}
	t.Logf("asked %d: allowed %d, one reason %d, approval %d; edits %d: accepted %d, cascaded %d; %v",
		asked, allowed, close, approval, edits, accepted, cascaded, codes)
	for _, code := range everyCode {
		if codes[code] == 0 {
			t.Errorf("%s never comes up", code)
		}
	}
	if allowed*100 < asked*25 || (allowed+close)*100 < asked*50 {
		t.Errorf("of %d requests only %d are allowed and %d have one reason", asked, allowed, close)
	}
	if accepted*100 < edits*25 {
		t.Errorf("of %d changes only %d are accepted", edits, accepted)
	}
}

// everyCode is each code of the specification, with the level of a reason.
var everyCode = []string{
	"MEMBER_STATUS organization_user", "MEMBER_HELD organization_user", "INSTITUTION_OFF institution",
	"ORGANIZATION_OFF organization", "ORGANIZATION_ACCOUNT_OFF organization_account", "NOT_IN_EDITION institution",
	"USER_OFF organization_user", "ACCOUNT_ACCESS_OFF organization_user_account", "ACCOUNT_OFF organization_user_account",
	"UNKNOWN_ACCOUNT organization", "SAME_ACCOUNT organization_user_account", "ROLE organization_user",
	"SECOND_PERSON_REQUIRED organization_user", "INVALID_AMOUNT request", "INVALID_DATE request", "INVALID_CONTEXT request",
	"UNKNOWN_OPERATION request", "UNKNOWN_MEMBER request",
	"LIMIT_PER_TRANSACTION organization", "LIMIT_PER_TRANSACTION organization_user", "LIMIT_PER_TRANSACTION organization_user_account",
	"LIMIT_DAILY organization", "LIMIT_DAILY organization_user", "LIMIT_DAILY organization_user_account",
	"REF_REUSED request", "REF_VOIDED request", "UNKNOWN_REF request", "NOT_PENDING request", "NOT_APPROVED request",
	"CONFIRMED request", "SELF_APPROVAL organization_user", "INITIATOR_NOT_ALLOWED organization_user", "APPROVER_NOT_ALLOWED organization_user",
	"UNKNOWN_MEMBER", "ACTOR_NOT_ALLOWED", "UNKNOWN_ACCOUNT", "UNKNOWN_PERMISSION", "INVALID_VALUE", "CEILING", "ROLE_FORBIDS",
	"SELF_RAISE", "PREREQUISITE", "DEPENDENT_ON",
}

// TestRandomNoticesRules: two hundred random vectors notice nearly every rule
// when it is broken, so a few thousand compared with the engine mean something.
func TestRandomNoticesRules(t *testing.T) {
	f := File{}
	for seed := range uint64(200) {
		f.Vectors = append(f.Vectors, randomVector(seed))
	}
	rules, missed := rulesInForce(t), []string{}
	for _, rule := range rules {
		if !noticed(map[string]File{"random": f}, rule) {
			missed = append(missed, rule)
		}
	}
	t.Logf("of %d rules missed: %q", len(rules), missed)
	if len(missed)*5 > len(rules) {
		t.Errorf("%d of %d rules go unnoticed: %q", len(missed), len(rules), missed)
	}
}
