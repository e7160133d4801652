package entitlement_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/entitlement/reference"
)

// An editCase is one change of one level, with what it came to.
type editCase struct {
	policy        *entitlement.Policy
	change        entitlement.Change
	level         catalog.Levels
	before, after entitlement.Settings
	outcome       entitlement.Outcome
}

// editAs asks for a change as somebody whom rules 4 to 6 bind and no other.
func editAs(p *entitlement.Policy, change entitlement.Change) editCase {
	c := editCase{policy: p, change: change, level: catalog.AtUser, before: p.Members[change.Member].Settings}
	if change.Account != "" {
		c.level, c.before = catalog.AtAccount, p.Members[change.Member].Accounts[change.Account]
	}
	c.outcome = entitlement.EditAs(p, change)
	c.after = c.outcome.Settings
	return c
}

// isOn and limitOf read one permission of a level.
func isOn(s entitlement.Settings, p catalog.Permission) bool {
	if p == catalog.ACHEditLevel {
		return s.EditLevel != catalog.EditNone
	}
	return s.On.Has(p)
}

func (c *editCase) met(s entitlement.Settings, need catalog.Need) bool {
	if !need.Positive {
		return isOn(s, need.Permission)
	}
	cents, set := s.Limits.Get(need.Permission.Limit())
	if !set && c.level == catalog.AtAccount {
		own := c.policy.Members[c.change.Member].Settings.Limits
		cents, _ = own.Get(need.Permission.Limit())
	}
	return cents > 0
}

// needs are those of this level, in this edition.
func (c *editCase) needs(p catalog.Permission) (needs []catalog.Need) {
	for _, need := range p.Needs(c.policy.Institution.Edition) {
		if need.Permission.At(c.level) {
			needs = append(needs, need)
		}
	}
	return needs
}

// asked reports whether the change sets p on, above zero, or to a choice.
func (c *editCase) asked(p catalog.Permission) bool {
	v, named := c.change.Set[p.ID()]
	return named && (v.On || v.Level != catalog.EditNone || v.Cents > 0)
}

func (c *editCase) named(p catalog.Permission) bool {
	_, named := c.change.Set[p.ID()]
	return named
}

// broken checks the laws of editing and says which one does not hold.
func (c *editCase) broken() string {
	if !c.outcome.Accepted() {
		if c.after != c.before || len(c.outcome.TurnedOff) > 0 {
			return "a refused change changed something"
		}
		return ""
	}
	if !c.change.Cascade && len(c.outcome.TurnedOff) > 0 {
		return "a change without a cascade turned something off"
	}
	for p := range catalog.PermissionCount {
		if !p.In(c.policy.Institution.Edition) || !p.At(c.level) {
			continue
		}
		if law := c.brokenAt(p); law != "" {
			return p.ID() + ": " + law
		}
	}
	return ""
}

func (c *editCase) brokenAt(p catalog.Permission) string {
	turnedOff := slices.Contains(c.outcome.TurnedOff, p)
	if !c.named(p) && !turnedOff && !c.same(p) {
		return "it was changed and not named"
	}
	if turnedOff && (c.asked(p) || p.Info().Restricts || p.IsLimit() || !isOn(c.before, p) || isOn(c.after, p)) {
		return "the cascade turned off what it must leave"
	}
	for _, need := range c.needs(p) {
		if c.asked(p) && !c.met(c.after, need) {
			return "it was asked for and lacks " + need.Permission.ID()
		}
		stood := !p.IsLimit() && !p.Info().Restricts && isOn(c.before, p) && isOn(c.after, p)
		if stood && c.met(c.before, need) && !c.met(c.after, need) {
			return "it stands and lost " + need.Permission.ID()
		}
	}
	return ""
}

// same reports whether p has the value that it had.
func (c *editCase) same(p catalog.Permission) bool {
	if p.IsLimit() {
		before, setBefore := c.before.Limits.Get(p.Limit())
		after, setAfter := c.after.Limits.Get(p.Limit())
		return before == after && setBefore == setAfter
	}
	return isOn(c.before, p) == isOn(c.after, p)
}

func (c *editCase) String() string {
	return fmt.Sprintf("%+v set %+v (cascade %t): %+v", c.before, c.change.Set, c.change.Cascade, c.outcome)
}

// checkEdit checks a change and what follows from it: done again it is accepted
// again and turns nothing off, and where only dependants stood in the way of
// it, a cascade takes them away.
func checkEdit(p *entitlement.Policy, change entitlement.Change) (law string, c editCase) {
	c = editAs(p, change)
	if law := c.broken(); law != "" {
		return law, c
	}
	if c.outcome.Accepted() {
		return c.brokenAgain(), c
	}
	onlyDependants := !slices.ContainsFunc(c.outcome.Problems, func(p entitlement.Problem) bool { return p.Code != entitlement.DependentOn })
	if onlyDependants && !change.Cascade {
		change.Cascade = true
		if with := editAs(p, change); !with.outcome.Accepted() && !with.only(entitlement.Prerequisite) || with.broken() != "" {
			return "a cascade does not help", with
		}
	}
	return "", c
}

func (c *editCase) only(code entitlement.EditCode) bool {
	return !slices.ContainsFunc(c.outcome.Problems, func(p entitlement.Problem) bool { return p.Code != code })
}

// brokenAgain makes the accepted change stand, asks for it again, and puts
// things back.
func (c *editCase) brokenAgain() string {
	m := c.policy.Members[c.change.Member]
	put := func(s entitlement.Settings) {
		if c.change.Account == "" {
			m.Settings = s
			return
		}
		m.Accounts[c.change.Account] = s
	}
	put(c.after)
	defer put(c.before)
	again := editAs(c.policy, c.change)
	if !again.outcome.Accepted() || again.after != c.after || len(again.outcome.TurnedOff) > 0 {
		return "done again it comes to something else: " + again.String()
	}
	return ""
}

// randomChange names a few permissions of the level, with good values.
func randomChange(rng *rand.Rand, p *entitlement.Policy) entitlement.Change {
	change := entitlement.Change{Member: one(rng, slices.Sorted(maps.Keys(p.Members))), Set: map[string]entitlement.Value{}, Cascade: rng.IntN(2) == 0}
	level := catalog.AtUser
	if rng.IntN(2) == 0 {
		change.Account, level = one(rng, slices.Sorted(maps.Keys(p.Accounts))), catalog.AtAccount
	}
	for range 1 + rng.IntN(4) {
		permission := catalog.Permission(rng.IntN(int(catalog.PermissionCount)))
		if permission.At(level) && permission.In(p.Institution.Edition) {
			change.Set[permission.ID()] = randomValue(rng, permission, level)
		}
	}
	return change
}

func randomValue(rng *rand.Rand, p catalog.Permission, level catalog.Levels) entitlement.Value {
	switch {
	case p == catalog.ACHEditLevel:
		return entitlement.ChooseLevel(catalog.EditLevel(rng.IntN(3)))
	case !p.IsLimit():
		return entitlement.SwitchTo(rng.IntN(2) == 0)
	case level == catalog.AtAccount && rng.IntN(3) == 0:
		return entitlement.Value{Kind: entitlement.Unset}
	}
	return entitlement.LimitTo(bank.Cents(rng.IntN(2) * 100_00))
}

func TestEditKeepsItsLawsInRandomWorlds(t *testing.T) {
	everyWorld(t, randomWorlds(100_000), func(t *testing.T, seed uint64, rng *rand.Rand, start reference.World) {
		w := newWorld(t, start)
		for range 50 {
			if law, c := checkEdit(w.policy, randomChange(rng, w.policy)); law != "" {
				t.Errorf("seed %d: %s\n%v", seed, law, &c)
				return
			}
		}
	})
}

// TestTakingAwayAlwaysWorks: switches off, limits to zero, choices to none; with
// a cascade nothing stands in the way, whatever the data was like.
func TestTakingAwayAlwaysWorks(t *testing.T) {
	everyWorld(t, randomWorlds(50_000), func(t *testing.T, seed uint64, rng *rand.Rand, start reference.World) {
		w := newWorld(t, start)
		for range 20 {
			change := randomChange(rng, w.policy)
			change.Cascade = true
			for id, v := range change.Set {
				change.Set[id] = entitlement.Value{Kind: v.Kind}
			}
			if c := editAs(w.policy, change); !c.outcome.Accepted() {
				t.Errorf("seed %d: taking away was refused: %v", seed, &c)
				return
			}
		}
	})
}

// TestEditKeepsItsLawsInSmallSpaces walks every state of an entitlement with
// every change of it, at both levels where it exists at both.
func TestEditKeepsItsLawsInSmallSpaces(t *testing.T) {
	for _, c := range []struct {
		edition     bank.Edition
		account     bank.AccountID
		permissions []catalog.Permission
	}{
		{bank.EditionBank, "", []catalog.Permission{catalog.WiresEnabled, catalog.WiresWork, catalog.WiresTransmit, catalog.WiresPerWireLimit, catalog.WiresDualControl, catalog.WiresDualLimit}},
		{bank.EditionBank, "operating", []catalog.Permission{catalog.WiresWork, catalog.WiresTransmit, catalog.WiresDailyLimit, catalog.WiresTransmitFuture, catalog.WiresDualControl, catalog.WiresDualLimit}},
		{bank.EditionCreditUnion, "", []catalog.Permission{catalog.WiresEnabled, catalog.WiresTransmit, catalog.WiresPerWireLimit, catalog.WiresOneTimeCreate, catalog.WiresDelete}},
		{bank.EditionBank, "", []catalog.Permission{catalog.ACHEnabled, catalog.ACHView, catalog.ACHDailyLimit, catalog.ACHInitiate, catalog.ACHFullControl, catalog.ACHEditLevel}},
		{bank.EditionBank, "", []catalog.Permission{catalog.TransfersEnabled, catalog.TransfersLimit, catalog.TransfersAllow}},
		{bank.EditionBank, "", []catalog.Permission{catalog.StopsEnabled, catalog.StopsView, catalog.StopsAdd}},
		{bank.EditionBank, "operating", []catalog.Permission{catalog.StopsView, catalog.StopsAdd, catalog.ARPUpload, catalog.AccountAccess}},
	} {
		w := wireWorld(t)
		w.policy.Institution.Edition = c.edition
		walkEdits(t, w.policy, c.account, c.permissions)
	}
}

// walkEdits gives each permission each of its values before (off, on, and for
// an account's limit none) and each in the change (not named, too).
func walkEdits(t *testing.T, p *entitlement.Policy, account bank.AccountID, permissions []catalog.Permission) {
	t.Helper()
	states := 1
	for range permissions {
		states *= 3 * 4
	}
	m, edits := p.Members["dana"], 0
	for n := range states * 2 {
		change := entitlement.Change{Member: "dana", Account: account, Set: map[string]entitlement.Value{}, Cascade: n%2 == 0}
		var before entitlement.Settings
		digits, possible := n/2, true
		for _, permission := range permissions {
			was, becomes := digits%3, digits/3%4
			digits /= 12
			possible = possible && put(&before, permission, was, account) && ask(change.Set, permission, becomes, account)
		}
		if !possible {
			continue
		}
		if m.Settings = before; account != "" {
			m.Settings = entitlement.Settings{Limits: entitlement.Limits{}.With(catalog.LimitPerWire, 1_00)}
			m.Accounts[account] = before
		}
		edits++
		if law, c := checkEdit(p, change); law != "" {
			t.Fatalf("%s\n%v", law, &c)
		}
	}
	t.Logf("%d changes of %v", edits, permissions)
}

// put gives a permission its value number n, where there is one.
func put(s *entitlement.Settings, p catalog.Permission, n int, account bank.AccountID) bool {
	switch {
	case p == catalog.ACHEditLevel:
		s.EditLevel = catalog.EditLevel(n)
	case p.IsLimit() && n == 2:
		return account != "" // a limit that is not set
	case p.IsLimit():
		s.Limits = s.Limits.With(p.Limit(), bank.Cents(n)*1_00)
	case n == 2:
		return false
	case n == 1:
		s.On = s.On.With(p)
	}
	return true
}

// ask names a permission with its value number n; the last is not to name it.
func ask(set map[string]entitlement.Value, p catalog.Permission, n int, account bank.AccountID) bool {
	switch {
	case n == 3:
	case p == catalog.ACHEditLevel:
		set[p.ID()] = entitlement.ChooseLevel(catalog.EditLevel(n))
	case p.IsLimit() && n == 2:
		set[p.ID()] = entitlement.Value{Kind: entitlement.Unset}
		return account != ""
	case p.IsLimit():
		set[p.ID()] = entitlement.LimitTo(bank.Cents(n) * 1_00)
	case n == 2:
		return false
	default:
		set[p.ID()] = entitlement.SwitchTo(n == 1)
	}
	return true
}

// TestGrantsInAnyOrder: what one change gives at once, single changes give in
// every order that the prerequisites permit, and it comes to the same.
func TestGrantsInAnyOrder(t *testing.T) {
	everyWorld(t, randomWorlds(20_000), func(t *testing.T, seed uint64, rng *rand.Rand, start reference.World) {
		w := newWorld(t, start)
		m := w.policy.Members[one(rng, slices.Sorted(maps.Keys(w.policy.Members)))]
		w.policy.Organization.Ceilings, m.Role, m.Settings = entitlement.Limits{}, bank.RoleAdmin, entitlement.Settings{}
		all := entitlement.Change{Member: m.ID, Set: map[string]entitlement.Value{}}
		for p := range catalog.PermissionCount {
			if p.At(catalog.AtUser) && p.In(w.policy.Institution.Edition) {
				all.Set[p.ID()] = full(p)
			}
		}
		want := entitlement.EditAs(w.policy, all)
		left := slices.Collect(maps.Keys(all.Set)) // in no order
		for rounds := 0; len(left) > 0 && rounds < len(all.Set); rounds++ {
			left = slices.DeleteFunc(left, func(id string) bool {
				single := entitlement.EditAs(w.policy, entitlement.Change{Member: m.ID, Set: map[string]entitlement.Value{id: all.Set[id]}})
				m.Settings = single.Settings
				return single.Accepted()
			})
		}
		if !want.Accepted() || len(left) > 0 || m.Settings != want.Settings {
			t.Errorf("seed %d: at once %+v, one by one %+v without %v", seed, want, m.Settings, left)
		}
	})
}

// full is everything of a permission.
func full(p catalog.Permission) entitlement.Value {
	switch {
	case p == catalog.ACHEditLevel:
		return entitlement.ChooseLevel(catalog.EditFull)
	case p.IsLimit():
		return entitlement.LimitTo(1000_00)
	}
	return entitlement.SwitchTo(true)
}
