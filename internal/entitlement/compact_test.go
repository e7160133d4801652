package entitlement_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/entitlement/compact"
	"mandate/internal/entitlement/ident"
	"mandate/internal/entitlement/reference"
)

// TestCompactDecidesAlike asks the engine and its compact form the same
// questions in random worlds, while these change, and compares every reason.
func TestCompactDecidesAlike(t *testing.T) {
	var asked, allowed atomic.Int64
	worlds := randomWorlds(1_000_000)
	if worlds < 1_000_000 {
		worlds /= 4 // the engine itself is asked more by TestAgainstReference
	}
	everyWorld(t, worlds, func(t *testing.T, seed uint64, rng *rand.Rand, start reference.World) {
		w := newWorld(t, start)
		refs := map[string]bool{}
		store := compact.NewStore(compact.Institution{Institution: w.policy.Institution})
		changed := compact.NewBlock(w.policy, 0) // is brought along by changes, never packed anew
		store.Put(changed)
		room := make([]entitlement.Reason, 3) // enough for most, and not for all
		for i, s := range reference.RandomSteps(rng, start) {
			w.do(t, s, refs)
			var q *reference.Request
			switch {
			case s.Decide != nil:
				q = s.Decide
			case s.Authorize != nil:
				q = &s.Authorize.Request
			default:
				changed = brought(t, changed, w.policy)
				store.Put(changed)
				continue
			}
			_, req := w.ask(*q)
			if rng.IntN(10) == 0 {
				req.Besides = anySwitches(rng)
			}
			want := entitlement.Decide(w.policy, req)
			block := compact.NewBlock(w.policy, 1)
			if changed.Size() != block.Size() {
				t.Errorf("seed %d, step %d: %d bytes after changes, %d packed anew", seed, i+1, changed.Size(), block.Size())
				return
			}
			v := block.Decide(&compact.Institution{Institution: w.policy.Institution}, &req)
			got := v.Decision(&req)
			var later compact.Verdict
			store.Put(withCounts(changed, w))
			if state := store.Decide(&req, &later); state == compact.Behind {
				t.Errorf("seed %d, step %d: the store is behind", seed, i+1)
				return
			}
			if got := later.DecisionIn(room, &req); !sameDecision(got, want) {
				t.Errorf("seed %d, step %d, %+v, after changes:\n got %+v\nwant %+v", seed, i+1, *q, got, want)
				return
			}
			if !sameDecision(got, want) || v.Allowed() != want.Allowed || v.ApprovalRequired() != want.ApprovalRequired {
				t.Errorf("seed %d, step %d, %+v:\n got %+v\nwant %+v", seed, i+1, *q, got, want)
				return
			}
			asked.Add(1)
			if want.Allowed {
				allowed.Add(1)
			}
		}
	})
	t.Logf("%d answers compared, %d of them yes", asked.Load(), allowed.Load())
	if allowed.Load() == 0 || allowed.Load() == asked.Load() {
		t.Error("all answers were the same")
	}
}

// brought is a block after everything in it was changed to what it is.
func brought(t *testing.T, b *compact.Block, p *entitlement.Policy) *compact.Block {
	next := b.Draft(compact.Mark{Revision: b.Revision + 1, Sequence: b.Sequence + 1})
	all := next.Organization(&p.Organization, p.Accounts)
	for _, m := range p.Members {
		all = next.Member(m) && all
	}
	if !all {
		t.Error("somebody, or an account, is not there")
	}
	return next.Block()
}

// withCounts is a block in which counts what the world's ledger says: each amount
// for everybody, for its member, and for its member on its account.
func withCounts(b *compact.Block, w *world) *compact.Block {
	sums := map[compact.Count]bank.Cents{}
	for _, entry := range w.ledger {
		at := compact.Count{Day: entry.day, Limit: entry.limit}
		sums[at] += entry.cents
		at.Member = entry.member
		sums[at] += entry.cents
		if entry.account != "" && entry.limit.Permission().At(catalog.AtAccount) {
			at.Account = entry.account
			sums[at] += entry.cents
		}
	}
	counts := []compact.Count{{Day: "9999-01-01", Cents: 1 << 60}, {Member: "nobody", Cents: 1 << 60}}
	for at, cents := range sums {
		at.Cents = cents
		counts = append(counts, at)
	}
	return b.WithCounts("", counts)
}

// anySwitches are permissions that a room might ask for besides.
func anySwitches(rng *rand.Rand) (s catalog.Set) {
	for range 1 + rng.IntN(2) {
		if p := catalog.Permission(rng.IntN(int(catalog.PermissionCount))); p.Info().Type == catalog.Switch {
			s = s.With(p)
		}
	}
	return s
}

func sameDecision(a, b entitlement.Decision) bool {
	sort := func(reasons []entitlement.Reason) []entitlement.Reason {
		return slices.SortedFunc(slices.Values(reasons), func(x, y entitlement.Reason) int {
			return cmp.Or(cmp.Compare(x.Code, y.Code), cmp.Compare(x.Level, y.Level), cmp.Compare(x.Permission, y.Permission), cmp.Compare(x.Account, y.Account))
		})
	}
	return a.Allowed == b.Allowed && a.ApprovalRequired == b.ApprovalRequired && slices.Equal(sort(a.Reasons), sort(b.Reasons))
}

// TestCompactKnowsIDs keeps apart what only looks alike: a UUID, the same under
// another prefix, in capitals, and any other text.
func TestCompactKnowsIDs(t *testing.T) {
	const uuid = "0190a5b0-1234-7abc-8def-001122334455"
	const nothing = "00000000-0000-0000-0000-000000000000" // its id is that of no name at all
	names := []bank.UserID{"usr_" + uuid, "usr_" + nothing, "usr_0190A5B0-1234-7ABC-8DEF-001122334455", "m1", "", "usr_0190a5b0-1234-fabc-8def-001122334455"}
	for _, held := range names {
		p := &entitlement.Policy{Accounts: map[bank.AccountID]entitlement.Account{"acc_" + nothing: {ID: "acc_" + nothing}}, Members: map[bank.UserID]*entitlement.Member{held: {ID: held, Status: bank.StatusActive}}}
		block := compact.NewBlock(p, 1)
		for _, asked := range append(names, "acc_"+uuid, "usr_"+uuid+"x") {
			req := entitlement.Request{Member: asked, Operation: catalog.AccountView}
			v := block.Decide(&compact.Institution{}, &req)
			d := v.Decision(&req)
			if d.Has(entitlement.UnknownMember) != (asked != held) || asked == held && !d.Has(entitlement.UnknownAccount) {
				t.Errorf("%q is held, %q is asked: %v", held, asked, d)
			}
		}
	}
}

// Every account is found as itself and no other one is, however many there are and
// however their names are made.
func TestCompactFindsEveryAccount(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	alike := rng.Uint64() // what is the same of two ids, so that no factor tells them apart
	for kind, name := range map[string]func(i int) string{
		"made":   func(int) string { return bank.NewID(bank.PrefixAccount, time.UnixMilli(1_800_000_000_000)) },
		"hashed": func(i int) string { return fmt.Sprintf("a%d", i) },
		"either": func(i int) string { return [...]string{bank.NewID(bank.PrefixAccount, time.Now()), fmt.Sprint(i)}[i%2] },
		"together": func(i int) string {
			return ident.ID{First: uint64(i), Last: uint64(i) ^ alike&^(0xf<<48)}.Text(ident.Account)
		},
	} {
		for _, n := range []int{0, 1, 2, 20, 27, 28, 29, 32, 64, 70, 300} {
			p := &entitlement.Policy{Institution: entitlement.Institution{Location: time.UTC}, Accounts: map[bank.AccountID]entitlement.Account{}, Members: map[bank.UserID]*entitlement.Member{}}
			names := []bank.AccountID{""}
			for i := range n {
				a := bank.AccountID(name(i))
				p.Accounts[a] = entitlement.Account{ID: a}
				names = append(names, a)
			}
			m := &entitlement.Member{ID: bank.UserID(bank.NewID(bank.PrefixUser, time.Now())), Status: bank.StatusActive, Accounts: map[bank.AccountID]entitlement.Settings{}}
			p.Members[m.ID] = m
			for _, mine := range names {
				clear(m.Accounts)
				m.Accounts[mine] = entitlement.Settings{On: catalog.SetOf(catalog.AccountAccess)}
				block := compact.NewBlock(p, 1)
				for range min(n, 30) + 1 {
					asked := names[rng.IntN(len(names))]
					if rng.IntN(3) == 0 {
						asked = mine
					}
					if rng.IntN(10) == 0 {
						asked = bank.AccountID(name(n + 1))
					}
					req := entitlement.Request{Member: m.ID, Operation: catalog.AccountView, Account: asked}
					v := block.Decide(&compact.Institution{Institution: p.Institution}, &req)
					if got, want := v.Decision(&req), entitlement.Decide(p, req); !sameDecision(got, want) {
						t.Fatalf("%s, %d accounts, %q asked, %q mine:\n got %+v\nwant %+v", kind, n, asked, mine, got, want)
					}
				}
			}
		}
	}
}

// Nobody is answered from what is known to have moved on: not the organization,
// not the institution, not the day.
func TestCompactIsNeverBehind(t *testing.T) {
	p := &entitlement.Policy{Organization: entitlement.Organization{ID: "o"}, Members: map[bank.UserID]*entitlement.Member{"m": {ID: "m", Status: bank.StatusActive}}}
	top := compact.Institution{Institution: entitlement.Institution{Location: time.UTC}}
	store := compact.NewStore(top)
	req := entitlement.Request{Member: "m", Operation: catalog.AccountView, Now: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)}
	state := func() compact.State {
		var v compact.Verdict
		return store.Decide(&req, &v)
	}
	block := compact.NewBlock(p, 0)
	want := func(want compact.State, when string) {
		t.Helper()
		if got := state(); got != want {
			t.Errorf("%s: %d, want %d", when, got, want)
		}
	}
	want(compact.NotHere, "empty")
	store.Announce("o", 1)
	store.Put(block.WithCounts("2026-03-02", nil))
	want(compact.Behind, "before its block knows what was announced")
	store.Put(block.WithCounts("2026-03-02", nil).Draft(compact.Mark{Sequence: 1}).Block())
	want(compact.Answered, "with its block")
	store.Announce("o", 3)
	store.Announce("o", 2)
	store.Put(block.WithCounts("2026-03-02", nil).Draft(compact.Mark{Sequence: 2}).Block())
	want(compact.Behind, "with a block in between")
	store.Put(block.WithCounts("2026-03-02", nil).Draft(compact.Mark{Sequence: 3}).Block())
	want(compact.Answered, "with the newest block")
	view := store.View()
	store.Announce("", 5)
	want(compact.Behind, "when the institution has moved")
	if view.Holds() {
		t.Error("what was asked before holds still")
	}
	top.Sequence = 5
	store.SetInstitution(top)
	want(compact.Answered, "with the institution")
	if view.Holds() {
		t.Error("what was asked of the institution before holds still")
	}
	req.Now = req.Now.AddDate(0, 0, -1)
	want(compact.Behind, "on a day before the counts begin")
}

// TestCompactConcurrent asks while others change, come and go: nobody is ever
// answered from two moments, and what was put is seen at once.
func TestCompactConcurrent(t *testing.T) {
	store := compact.NewStore(compact.Institution{Institution: entitlement.Institution{Location: time.UTC, Offers: 1 << catalog.Cards}})
	// In every policy of an organization cards are allowed on exactly one side: by
	// the organization in even revisions, by the member in odd ones. Nobody may
	// ever use them.
	policy := func(o, revision int) *entitlement.Policy {
		p := &entitlement.Policy{Organization: entitlement.Organization{ID: bank.OrganizationID(fmt.Sprint("o", o))}, Members: map[bank.UserID]*entitlement.Member{}}
		m := &entitlement.Member{ID: bank.UserID(fmt.Sprint("m", o)), Status: bank.StatusActive}
		if revision%2 == 0 {
			p.Organization.Entitlements = 1 << catalog.Cards
		} else {
			m.Settings.On = catalog.SetOf(catalog.CardsEnabled, catalog.CardsManage)
		}
		p.Members[m.ID] = m
		guest := &entitlement.Member{ID: bank.UserID(fmt.Sprint("guest", o, revision)), Status: bank.StatusActive}
		p.Members[guest.ID] = guest
		return p
	}
	const organizations, rounds = 40, 200
	var all sync.WaitGroup
	for part := range 2 {
		all.Go(func() {
			for revision := range rounds {
				for o := part; o < organizations; o += 2 {
					store.Put(compact.NewBlock(policy(o, revision), int64(revision)).WithCounts("", nil))
					var v compact.Verdict
					for r := max(0, revision-1); r <= revision; r++ {
						req := entitlement.Request{Member: bank.UserID(fmt.Sprint("guest", o, r)), Operation: catalog.CardsManageOperation}
						store.Decide(&req, &v)
						if d := v.Decision(&req); d.Has(entitlement.UnknownMember) != (r != revision) {
							t.Errorf("guest of revision %d after %d: %v", r, revision, d)
							return
						}
					}
				}
			}
		})
		all.Go(func() {
			var v compact.Verdict
			for i := range rounds * organizations {
				req := entitlement.Request{Member: bank.UserID(fmt.Sprint("m", i%organizations)), Operation: catalog.CardsManageOperation}
				if store.Decide(&req, &v); v.Allowed() {
					t.Errorf("%s may", req.Member)
					return
				}
			}
		})
	}
	all.Wait()
	if b, _ := store.View().Organization("o1"); store.Put(compact.NewBlock(policy(1, 3), b.Revision-1)) {
		t.Error("an older block was put over a newer one")
	}
	store.Drop("o1")
	var v compact.Verdict
	req := entitlement.Request{Member: "m1", Operation: catalog.CardsManageOperation}
	state := store.Decide(&req, &v)
	if d := v.Decision(&req); state != compact.NotHere || !d.Has(entitlement.UnknownMember) {
		t.Errorf("of an organization that is gone: %v, %v", state, d)
	}
}

// TestCompactCrowdIsEverybody has everybody of a block surveyed, and the members of
// the policy that it is packed from.
func TestCompactCrowdIsEverybody(t *testing.T) {
	var may atomic.Int64
	everyWorld(t, randomWorlds(20_000), func(t *testing.T, seed uint64, rng *rand.Rand, start reference.World) {
		w := newWorld(t, start)
		refs := map[string]bool{}
		for i, s := range reference.RandomSteps(rng, start) {
			w.do(t, s, refs)
			if s.Decide == nil {
				continue
			}
			_, req := w.ask(*s.Decide)
			used := req.Used
			source := func(entitlement.Request) func(bank.UserID, bank.AccountID) entitlement.Used {
				return func(bank.UserID, bank.AccountID) entitlement.Used { return used }
			}
			crowd := compact.NewBlock(w.policy, 1).Crowd(w.policy.Institution)
			packed := entitlement.SurveyOf(w.policy.Institution, w.policy.Organization, crowd, source)
			told := entitlement.NewSurvey(w.policy, source)
			for n := range crowd.People() {
				of := req
				of.Member = crowd.Person(n)
				if rng.IntN(2) == 0 {
					of.Account = ""
				}
				if rng.IntN(2) == 0 {
					of.ToAccount = ""
				}
				got, ok := packed.Ability(of)
				want, yes := told.Ability(of)
				if ok != yes || !reflect.DeepEqual(got, want) {
					t.Errorf("seed %d, step %d, %+v: %t %+v, of the policy %t %+v", seed, i+1, of, ok, got, yes, want)
					return
				}
				if best, brief := packed.Best(n, of); brief != yes || best != want.Best {
					t.Errorf("seed %d, step %d, %+v: best %t %+v, of the policy %t %+v", seed, i+1, of, brief, best, yes, want.Best)
					return
				}
				if got, want := packed.Exposure(of.Member, req.Now), told.Exposure(of.Member, req.Now); !reflect.DeepEqual(got, want) {
					t.Errorf("seed %d, step %d, %s: alone %+v, of the policy %+v", seed, i+1, of.Member, got, want)
					return
				}
				if yes {
					may.Add(1)
				}
			}
		}
	})
	if may.Load() == 0 {
		t.Error("nobody may do anything in any of the worlds")
	}
}
