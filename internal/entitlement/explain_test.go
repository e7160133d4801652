package entitlement

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
)

var explainNow = time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)

// randomPolicy is a world in which about half of what a question needs is
// there, so that refusals have from one to many reasons.
func randomPolicy(r *rand.Rand) *Policy {
	p := &Policy{
		Institution:  Institution{Edition: bank.Edition(r.IntN(2)), Location: time.UTC, Offers: mostly(r)},
		Organization: Organization{Entitlements: mostly(r)},
		Accounts:     map[bank.AccountID]Account{"a": {ID: "a", Off: ^mostly(r)}, "b": {ID: "b"}},
		Members:      map[bank.UserID]*Member{},
	}
	for limit := range catalog.LimitCount {
		if r.IntN(4) == 0 {
			p.Organization.Ceilings = p.Organization.Ceilings.With(limit, randomLimit(r))
		}
	}
	m := &Member{ID: "m", Role: bank.Role(r.IntN(3)), Status: bank.StatusActive, Accounts: map[bank.AccountID]Settings{}}
	if r.IntN(4) == 0 {
		m.Status = bank.Status(r.IntN(4))
	}
	m.Held = r.IntN(8) == 0
	m.Settings = randomSettings(r, true)
	for _, id := range []bank.AccountID{"a", "b"} {
		if r.IntN(4) > 0 {
			m.Accounts[id] = randomSettings(r, false)
		}
	}
	p.Members["m"] = m
	return p
}

func mostly(r *rand.Rand) (s catalog.EntitlementSet) {
	for _, e := range catalog.Entitlements() {
		if r.IntN(6) > 0 {
			s = s.With(e)
		}
	}
	return s
}

func randomSettings(r *rand.Rand, always bool) (s Settings) {
	odds := 1 + r.IntN(8)
	for p := range catalog.PermissionCount {
		if r.IntN(odds+1) > 0 {
			s.On = s.On.With(p)
		}
	}
	s.EditLevel = catalog.EditLevel(r.IntN(3))
	for limit := range catalog.LimitCount {
		if always || r.IntN(3) == 0 {
			s.Limits = s.Limits.With(limit, randomLimit(r))
		}
	}
	return s
}

func randomLimit(r *rand.Rand) bank.Cents { return bank.Cents(r.IntN(4)) * 100_000 }

func randomRequest(r *rand.Rand) Request {
	accounts := []bank.AccountID{"a", "a", "a", "b", "", "c"}
	req := Request{
		Member: "m", Operation: catalog.Operations()[r.IntN(len(catalog.Operations()))], Now: explainNow,
		Account: accounts[r.IntN(len(accounts))], ToAccount: []bank.AccountID{"b", "b", "a"}[r.IntN(3)],
	}
	if r.IntN(10) > 0 {
		req.Amount = AmountOf(bank.Cents(1+r.IntN(300))*1000 + bank.Cents(r.IntN(2)*37)) // whole dollars, or not
	}
	for key := range catalog.EffectiveDate {
		if r.IntN(4) == 0 {
			req.Context = req.Context.With(key, r.IntN(2) == 0)
		}
	}
	if req.Operation.Info().Dated && r.IntN(4) == 0 {
		req.Context = req.Context.WithEffectiveDate([]bank.Day{"2026-03-01", "2026-03-02", "2026-03-03"}[r.IntN(3)])
	}
	if r.IntN(3) == 0 {
		account := randomLimit(r) // what one member used on one account is part of what they used, and that of what all did
		req.Used = Used{Account: account, Member: account + randomLimit(r)}
		req.Used.Organization = req.Used.Member + randomLimit(r)
	}
	return req
}

// accepted reports whether the edit rules take the settings of the steps, and
// the policy that results.
func accepted(p *Policy, steps []Step) (*Policy, bool) {
	state := With(p, "m", without(steps, SetSetting))
	for _, change := range changes("m", steps) {
		outcome := EditAs(state, change)
		if !outcome.Accepted() {
			return nil, false
		}
		if change.Account == "" {
			state.Members["m"].Settings = outcome.Settings
		} else {
			state.Members["m"].Accounts[change.Account] = outcome.Settings
		}
	}
	return state, true
}

// Every fix turns the refusal around through the edit rules, and leaving any
// one step out does not. Where there is said to be no fix, giving everything
// does not help either.
func TestFixFlipsAndIsMinimal(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	fixed, hopeless := 0, 0
	for range 30_000 {
		p, req := randomPolicy(r), randomRequest(r)
		e := Explain(p, req)
		if d := Decide(p, req); d.Allowed != e.Allowed || !slices.Equal(d.Reasons, e.Reasons) {
			t.Fatalf("Explain decides %+v, Decide %+v", e.Decision, d)
		}
		if e.Allowed {
			continue
		}
		if !e.Fixable {
			hopeless++
			if Decide(everything(p), req).Allowed {
				t.Fatalf("%s: no fix for %+v, and yet having everything allows it", req.Operation, e.Reasons)
			}
			continue
		}
		fixed++
		state, ok := accepted(p, e.Fix)
		if !ok || !Decide(state, req).Allowed {
			t.Fatalf("%s: the fix %+v of %+v does not do (accepted: %t)", req.Operation, e.Fix, e.Reasons, ok)
		}
		for i := range e.Fix {
			fewer := slices.Delete(slices.Clone(e.Fix), i, i+1)
			if state, ok := accepted(p, fewer); ok && Decide(state, req).Allowed {
				t.Fatalf("%s: the fix %+v of %+v does without step %d", req.Operation, e.Fix, e.Reasons, i)
			}
		}
	}
	if fixed < 1000 || hopeless < 1000 {
		t.Errorf("%d fixed and %d hopeless: the worlds are one-sided", fixed, hopeless)
	}
}

// No set of fewer changes does, of any changes at all: tried whole for fixes of
// two and three steps.
func TestNoSmallerFix(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	tried := map[int]int{}
	for range 20_000 {
		p, req := randomPolicy(r), randomRequest(r)
		e := Explain(p, req)
		n := len(e.Fix)
		if !e.Fixable || n < 2 || n > 3 || tried[n] >= 60 {
			continue
		}
		tried[n]++
		all := everyStep(req)
		for i, first := range all {
			rest := []Step{{}}
			if n == 3 {
				rest = all[i+1:]
			}
			for _, second := range rest {
				steps := []Step{first}
				if second.Kind != 0 {
					steps = append(steps, second)
				}
				if state, ok := accepted(p, steps); ok && Decide(state, req).Allowed {
					t.Fatalf("%s: %+v does what takes %+v", req.Operation, steps, e.Fix)
				}
			}
		}
	}
	if tried[2] < 20 || tried[3] < 20 {
		t.Errorf("tried %v: too few to say anything", tried)
	}
}

// everyStep is every single change that anybody could make to the member's
// world, with amounts as high as they go.
func everyStep(req Request) []Step {
	steps := []Step{
		{Kind: SetRole, Permission: NoPermission, Role: bank.RoleAdmin}, {Kind: RemoveHold, Permission: NoPermission},
		{Kind: Unlock, Permission: NoPermission},
	}
	for _, e := range catalog.Entitlements() {
		steps = append(steps, Step{Kind: Offer, Permission: e.Enabled()}, Step{Kind: GiveEntitlement, Permission: e.Enabled()},
			Step{Kind: SwitchAccount, Permission: e.Enabled(), Account: req.Account})
	}
	for limit := range catalog.LimitCount {
		steps = append(steps, Step{Kind: RaiseCeiling, Permission: limit.Permission(), Value: LimitTo(bank.MaxAmount)})
	}
	for p := range catalog.PermissionCount {
		value := SwitchTo(true)
		switch {
		case p.IsLimit():
			value = LimitTo(bank.MaxAmount / 100 * 100)
		case p == catalog.ACHEditLevel:
			value = ChooseLevel(catalog.EditFull)
		}
		if p.At(catalog.AtUser) {
			steps = append(steps, Step{Kind: SetSetting, Permission: p, Value: value})
		}
		if p.At(catalog.AtAccount) {
			steps = append(steps, Step{Kind: SetSetting, Permission: p, Value: value, Account: "a"}, Step{Kind: SetSetting, Permission: p, Value: value, Account: "b"})
		}
	}
	return steps
}

// everything is the policy with all given that anybody can give. What is
// disabled stays so.
func everything(p *Policy) *Policy {
	after := With(p, "m", nil)
	m := after.Members["m"]
	for _, req := range []Request{{Account: "a"}, {Account: "b"}} {
		for _, s := range everyStep(req) {
			if s.Kind == Unlock && m.Status == bank.StatusDisabled {
				continue
			}
			if _, known := after.Accounts[s.Account]; s.Account == "" || known {
				apply(after, m, s)
			}
		}
	}
	return after
}

// An explanation shows every test that the decision made, passed ones as well.
func TestExplainShowsEveryLevel(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	p := everything(randomPolicy(r))
	p.Institution.Edition = bank.EditionBank
	p.Members["m"].Status = bank.StatusActive
	e := Explain(p, Request{Member: "m", Operation: catalog.WiresTransmitOperation, Account: "a", Amount: AmountOf(100), Now: explainNow})
	var levels []Level
	for _, rung := range e.Rungs {
		levels = append(levels, rung.Level)
		if !rung.OK() {
			t.Errorf("%s blocks: %+v", rung.Level, rung.Checks)
		}
	}
	want := []Level{LevelInstitution, LevelOrganization, LevelUser, LevelUserAccount}
	if !slices.Equal(levels, want) {
		t.Errorf("levels %v, want %v", levels, want)
	}
}
