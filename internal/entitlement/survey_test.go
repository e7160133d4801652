package entitlement

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/catalog"
)

// A survey of many members, who are often alike, says of each what they are told
// who are asked about alone.
func TestSurveyIsEveryMemberAlone(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 18))
	may, could := 0, 0
	for range 2_000 {
		req := randomRequest(r)
		if r.IntN(2) == 0 {
			req = Plainest("m", counting[r.IntN(len(counting))], explainNow)
			req.Account, req.ToAccount = "a", "b"
		}
		p := likely(r, req)
		days := map[bank.UserID]*countedDay{"m": randomUsed(r)}
		for _, id := range []bank.UserID{"n", "o", "p"} {
			is := *p.Members["m"]
			if r.IntN(2) == 0 {
				is.Settings = randomPolicy(r).Members["m"].Settings
			}
			if r.IntN(2) == 0 {
				is.Accounts = map[bank.AccountID]Settings{"a": is.Accounts["b"], "b": is.Accounts["a"]}
			}
			if is.Held = r.IntN(8) == 0; r.IntN(8) == 0 {
				is.Role = bank.Role(r.IntN(3))
			}
			is.ID, p.Members[id], days[id] = id, &is, days["m"]
			if r.IntN(3) == 0 {
				days[id] = randomUsed(r)
			}
		}
		used := sourceOf(func(req Request) Used { return days[req.Member].used(req) })
		survey := NewSurvey(p, used)
		other := Plainest("", catalog.Operation(1+r.IntN(int(catalog.OperationCount)-1)), explainNow)
		for _, id := range []bank.UserID{"m", "n", "o", "p", "n"} {
			for _, asked := range []Request{req, other} {
				for _, to := range []bank.AccountID{"", "a"} {
					asked.Member, asked.Account, asked.ToAccount = id, "", to
					got, ok := survey.Ability(asked)
					want, yes := AbilityOf(p, asked, used)
					if ok != yes || !reflect.DeepEqual(got, want) {
						t.Fatalf("%s to %q, %s: %t %+v, alone %t %+v", asked.Operation, to, id, ok, got, yes, want)
					}
					if yes {
						may++
					}
				}
			}
			got, want := survey.Exposure(id, explainNow), ExposureOf(p, id, explainNow, used)
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("%s: %+v, alone %+v", id, got, want)
			}
			if len(want.Parts) > 0 {
				could++
			}
		}
	}
	if may < 1000 || could < 1000 {
		t.Errorf("only %d abilities and %d exposures were found", may, could)
	}
}
