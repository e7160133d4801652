package entitlement_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/entitlement/reference"
)

// power orders answers: refused, allowed with a second person, allowed alone.
func power(d entitlement.Decision) int {
	switch {
	case !d.Allowed:
		return 0
	case d.ApprovalRequired:
		return 1
	}
	return 2
}

// questions are requests about every operation, several of each, by members of
// a world.
func (w *world) questions(rng *rand.Rand) (all []entitlement.Request) {
	accounts := append(slices.Sorted(maps.Keys(w.policy.Accounts)), "")
	today := bank.DayOf(w.now, w.policy.Institution.Location)
	amounts := []bank.Cents{1, 100_00, 999_99, 1000_00, 2500_00, 10000_00, 25000_00}
	for member := range w.policy.Members {
		for _, op := range catalog.Operations() {
			for range 2 {
				req := entitlement.Request{Member: member, Operation: op, Account: one(rng, accounts), ToAccount: one(rng, accounts),
					Amount: entitlement.AmountOf(one(rng, amounts)), Now: w.now}
				for key := range catalog.EffectiveDate {
					if rng.IntN(2) == 0 {
						req.Context = req.Context.With(key, rng.IntN(2) == 0)
					}
				}
				if rng.IntN(4) == 0 {
					req.Context = req.Context.WithEffectiveDate(today)
				}
				all = append(all, req)
			}
		}
	}
	return all
}

func one[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }

// less takes something away from a policy, or restricts it, in one of the ways
// there are, and says which.
func less(rng *rand.Rand, p *entitlement.Policy) string {
	m := p.Members[one(rng, slices.Sorted(maps.Keys(p.Members)))]
	account := one(rng, slices.Sorted(maps.Keys(p.Accounts)))
	onAccount := m.Accounts[account]
	e := one(rng, catalog.Entitlements())
	own := func(l entitlement.Limits, limit catalog.Limit) bank.Cents { c, _ := l.Get(limit); return c }
	limit := catalog.Limit(rng.IntN(int(catalog.LimitCount)))
	switch rng.IntN(12) {
	case 0:
		p.Institution.Offers = p.Institution.Offers.Without(e)
		return "the institution offers no " + e.ID()
	case 1:
		p.Organization.Entitlements = p.Organization.Entitlements.Without(e)
		return "the organization has no " + e.ID()
	case 2:
		a := p.Accounts[account]
		a.Off = a.Off.With(e)
		p.Accounts[account] = a
		return e.ID() + " is off for an account"
	case 3:
		delete(p.Accounts, account)
		return "an account is gone"
	case 4:
		m.Held = true
		return "a member is held"
	case 5:
		m.Status = bank.StatusLocked
		return "a member is locked"
	case 6:
		m.Role = bank.RoleUser
		return "a member is only a user"
	case 7, 8:
		var permission catalog.Permission
		m.Settings.On, permission = lessOn(rng, m.Settings.On)
		return permission.ID() + " is off, or on where it restricts"
	case 9:
		onAccount.On, _ = lessOn(rng, onAccount.On)
		m.Accounts[account] = onAccount
		return "a switch of an account is off, or on where it restricts"
	case 10:
		m.Settings.Limits = m.Settings.Limits.With(limit, own(m.Settings.Limits, limit)/2)
		m.Settings.EditLevel /= 2
		return "half of " + limit.Permission().ID()
	}
	most, set := onAccount.Limits.Get(limit)
	if !set {
		most = own(m.Settings.Limits, limit) // a dual limit that is not set is the member's
	}
	onAccount.Limits = onAccount.Limits.With(limit, most/2)
	m.Accounts[account] = onAccount
	if ceiling, set := p.Organization.Ceilings.Get(limit); !set || ceiling > 1000_00 {
		p.Organization.Ceilings = p.Organization.Ceilings.With(limit, 1000_00)
	}
	return "a lower account limit and ceiling"
}

func lessOn(rng *rand.Rand, on catalog.Set) (catalog.Set, catalog.Permission) {
	p := catalog.Permission(rng.IntN(int(catalog.PermissionCount)))
	if p.Info().Restricts {
		return on.With(p), p
	}
	return on.Without(p), p
}

// TestLessNeverAllowsMore: taking a grant away, lowering a limit, adding a
// restriction, or turning a parent off turns no refusal into a yes and no
// second person away.
func TestLessNeverAllowsMore(t *testing.T) {
	everyWorld(t, randomWorlds(50_000), func(t *testing.T, seed uint64, rng *rand.Rand, start reference.World) {
		w := newWorld(t, start)
		questions := w.questions(rng)
		before := make([]int, len(questions))
		for i, req := range questions {
			before[i] = power(entitlement.Decide(w.policy, req))
		}
		for range 6 {
			if len(w.policy.Accounts) == 0 {
				return
			}
			taken := less(rng, w.policy)
			for i, req := range questions {
				d := entitlement.Decide(w.policy, req)
				if power(d) > before[i] {
					t.Errorf("seed %d: after %q %+v went from %d to %d", seed, taken, req, before[i], power(d))
					return
				}
				before[i] = power(d)
			}
		}
	})
}

// TestUseNeverAllowsMore: what is used of the day only ever takes room away.
func TestUseNeverAllowsMore(t *testing.T) {
	everyWorld(t, randomWorlds(20_000), func(t *testing.T, seed uint64, rng *rand.Rand, start reference.World) {
		w := newWorld(t, start)
		for _, req := range w.questions(rng) {
			before := power(entitlement.Decide(w.policy, req))
			req.Used = entitlement.Used{Member: bank.Cents(rng.IntN(5000_00)), Account: bank.Cents(rng.IntN(5000_00)), Organization: bank.Cents(rng.IntN(5000_00))}
			if after := power(entitlement.Decide(w.policy, req)); after > before {
				t.Errorf("seed %d: %+v went from %d to %d", seed, req, before, after)
			}
		}
	})
}

// TestTheOrderOfGrantsIsIrrelevant: the same facts put together in any order
// give the same answer, with the same reasons in the same order.
func TestTheOrderOfGrantsIsIrrelevant(t *testing.T) {
	everyWorld(t, randomWorlds(20_000), func(t *testing.T, seed uint64, rng *rand.Rand, start reference.World) {
		w := newWorld(t, start)
		shuffled := start
		for _, list := range []*[]string{&shuffled.Institution.Offers, &shuffled.Organization.Entitlements, &shuffled.Accounts} {
			*list = slices.Clone(*list)
			rng.Shuffle(len(*list), func(i, j int) { (*list)[i], (*list)[j] = (*list)[j], (*list)[i] })
		}
		shuffled.Members = slices.Clone(start.Members)
		slices.Reverse(shuffled.Members)
		other := newWorld(t, shuffled) // maps iterate in another order each time
		for _, req := range w.questions(rng) {
			a, b := entitlement.Decide(w.policy, req), entitlement.Decide(other.policy, req)
			if a.Allowed != b.Allowed || a.ApprovalRequired != b.ApprovalRequired || !slices.Equal(a.Reasons, b.Reasons) {
				t.Errorf("seed %d: %+v is answered %+v or %+v", seed, req, a, b)
			}
		}
	})
}

// TestEveryCombinationOfSwitchesForAWire walks the whole space: a wire may go
// exactly when everything that it needs is on at every level, and needs a
// second person exactly when one of the restrictions is on.
func TestEveryCombinationOfSwitchesForAWire(t *testing.T) {
	user := []catalog.Permission{catalog.WiresEnabled, catalog.WiresWork, catalog.WiresTransmit, catalog.WiresTransmitRecurring, catalog.WiresTransmitFuture}
	account := []catalog.Permission{catalog.AccountAccess, catalog.WiresWork, catalog.WiresTransmit, catalog.WiresTransmitRecurring, catalog.WiresTransmitFuture}
	const others = 5 // offered, had, active and not held, dual control of the member, of the account
	w := wireWorld(t)
	m := w.policy.Members["dana"]
	limits, today := m.Settings.Limits, bank.DayOf(w.now, w.policy.Institution.Location)
	for bits := range 1 << (others + len(user) + len(account)) {
		is := func(i int) bool { return bits&(1<<i) != 0 }
		pick := func(from int, all []catalog.Permission, dual bool) (on catalog.Set) {
			for i, p := range all {
				if is(from + i) {
					on = on.With(p)
				}
			}
			if dual {
				on = on.With(catalog.WiresDualControl)
			}
			return on
		}
		w.policy.Institution.Offers, w.policy.Organization.Entitlements = set(is(0)), set(is(1))
		m.Held = !is(2)
		m.Settings = entitlement.Settings{On: pick(others, user, is(3)), Limits: limits}
		m.Accounts["operating"] = entitlement.Settings{On: pick(others+len(user), account, is(4))}
		for _, recurring := range []bool{false, true} {
			for _, day := range []bank.Day{today, "2026-03-03"} {
				req := entitlement.Request{Member: "dana", Operation: catalog.WiresTransmitOperation, Account: "operating", Now: w.now,
					Amount: entitlement.AmountOf(10_00), Context: entitlement.Context{}.With(catalog.Recurring, recurring).WithEffectiveDate(day)}
				allowed := is(0) && is(1) && is(2)
				for _, from := range []int{others, others + len(user)} {
					allowed = allowed && is(from) && is(from+1) && is(from+2) && (is(from+3) || !recurring) && (is(from+4) || day == today)
				}
				d := entitlement.Decide(w.policy, req)
				if d.Allowed != allowed || d.ApprovalRequired != (allowed && (is(3) || is(4))) || d.Allowed != (len(d.Reasons) == 0) {
					t.Fatalf("%b, recurring %t on %s: %+v", bits, recurring, day, d)
				}
			}
		}
	}
}

func set(wires bool) (s catalog.EntitlementSet) {
	if wires {
		s = s.With(catalog.Wires)
	}
	return s
}

// wireWorld is a bank's world in which dana's limits for wires are wide.
func wireWorld(t *testing.T) *world {
	w := newWorld(t, reference.World{Now: "2026-03-02T15:00:00-06:00", Institution: reference.Institution{Edition: "bank", TimeZone: "America/Chicago"},
		Accounts: []string{"operating"}, Members: []reference.Member{{ID: "dana", Role: "user", Status: "active"}}})
	w.policy.Members["dana"].Settings.Limits = entitlement.Limits{}.With(catalog.LimitPerWire, 1000_00).With(catalog.LimitWiresDaily, 1000_00)
	return w
}

// TestEveryCombinationOfSmallLimits walks amounts, use and limits of the three
// levels: the smallest binds, equal passes, and what is not set adds nothing.
func TestEveryCombinationOfSmallLimits(t *testing.T) {
	w := wireWorld(t)
	w.policy.Institution.Offers, w.policy.Organization.Entitlements = set(true), set(true)
	m := w.policy.Members["dana"]
	all := catalog.SetOf(catalog.AccountAccess, catalog.WiresEnabled, catalog.WiresWork, catalog.WiresTransmit)
	const unset, most = 3, 4 // limits of 0, 1, 2, and none
	for n := range most * most * most * most * most * most * 3 * 3 * 3 * 3 {
		next := func(of int) int { digit := n % of; n /= of; return digit }
		limits := func() entitlement.Limits {
			var l entitlement.Limits
			for _, limit := range []catalog.Limit{catalog.LimitPerWire, catalog.LimitWiresDaily} {
				if cents := next(most); cents != unset {
					l = l.With(limit, bank.Cents(cents))
				}
			}
			return l
		}
		own, account, ceiling := limits(), limits(), limits()
		amount := bank.Cents(1 + next(3))
		used := entitlement.Used{Member: bank.Cents(next(3)), Account: bank.Cents(next(3)), Organization: bank.Cents(next(3))}
		m.Settings = entitlement.Settings{On: all, Limits: own}
		m.Accounts["operating"] = entitlement.Settings{On: all, Limits: account}
		w.policy.Organization.Ceilings = ceiling
		want := 0
		for _, at := range []struct {
			limits entitlement.Limits
			used   bank.Cents
			always bool
		}{{own, used.Member, true}, {account, used.Account, false}, {ceiling, used.Organization, false}} {
			if cents, set := at.limits.Get(catalog.LimitPerWire); (set || at.always) && amount > cents {
				want++
			}
			if cents, set := at.limits.Get(catalog.LimitWiresDaily); (set || at.always) && amount+at.used > cents {
				want++
			}
		}
		d := entitlement.Decide(w.policy, entitlement.Request{Member: "dana", Operation: catalog.WiresTransmitOperation, Account: "operating",
			Now: w.now, Amount: entitlement.AmountOf(amount), Used: used})
		if len(d.Reasons) != want || d.Allowed != (want == 0) {
			t.Fatalf("own %+v, account %+v, ceiling %+v, amount %d, used %+v: %+v, want %d reasons", own, account, ceiling, amount, used, d, want)
		}
	}
}
