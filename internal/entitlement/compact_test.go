package entitlement_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/entitlement/compact"
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
			v := block.Decide(&compact.Institution{Institution: w.policy.Institution}, &req)
			got := v.Decision(&req)
			var later compact.Verdict
			store.Decide(&req, &later)
			if got := later.Decision(&req); !sameDecision(got, want) {
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
	b = b.WithOrganization(p.Organization, b.Revision+1)
	for _, m := range p.Members {
		next, there := b.WithMember(m, b.Revision+1)
		for a := range p.Accounts {
			had := there
			next, there = next.WithAccess(m.ID, a, m.Accounts[a], next.Revision+1)
			there = there && had
		}
		if b = next; !there {
			t.Errorf("%s is not there", m.ID)
		}
	}
	return b
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

// TestCompactConcurrent asks while others change, come and go: nobody is ever
// answered from two moments, and what was put is seen at once.
func TestCompactConcurrent(t *testing.T) {
	store := compact.NewStore(compact.Institution{Institution: entitlement.Institution{Offers: 1 << catalog.Cards}})
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
					store.Put(compact.NewBlock(policy(o, revision), int64(revision)))
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
	if b := store.Organization("o1"); store.Put(compact.NewBlock(policy(1, 3), b.Revision-1)) {
		t.Error("an older block was put over a newer one")
	}
	store.Drop("o1")
	var v compact.Verdict
	req := entitlement.Request{Member: "m1", Operation: catalog.CardsManageOperation}
	store.Decide(&req, &v)
	if d := v.Decision(&req); !d.Has(entitlement.UnknownMember) || store.OrganizationOf("m1") != nil {
		t.Errorf("of an organization that is gone: %v", d)
	}
}
