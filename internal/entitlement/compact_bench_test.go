package entitlement_test

import (
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/entitlement/compact"
)

// BenchmarkCompact asks about ten thousand organizations of ten members and
// twenty accounts, most of it allowed, and tells what a member's account takes.
func BenchmarkCompact(b *testing.B) {
	const organizations, members, accounts = 10_000, 10, 20
	rng := rand.New(rand.NewPCG(1, 2))
	store := compact.NewStore(compact.Institution{Institution: entitlement.Institution{Location: time.UTC, Offers: 0xff}})
	var requests []entitlement.Request
	for range organizations {
		p := benchPolicy(rng, members, accounts)
		store.Put(compact.NewBlock(p, 1).WithCounts("", nil))
		for m := range p.Members {
			for a := range p.Accounts {
				requests = append(requests, entitlement.Request{Member: m, Operation: catalog.WiresTransmitOperation, Account: a, Amount: entitlement.AmountOf(100)})
				break
			}
		}
	}
	rng.Shuffle(len(requests), func(i, j int) { requests[i], requests[j] = requests[j], requests[i] })
	runtime.GC()
	b.ReportAllocs()
	yes := 0
	var v compact.Verdict
	for i := 0; b.Loop(); i++ {
		store.Decide(&requests[i%len(requests)], &v)
		if v.Allowed() {
			yes++
		}
	}
	b.ReportMetric(float64(store.Size())/(organizations*members*accounts), "B/member-account")
	b.ReportMetric(float64(yes)/float64(b.N), "allowed")
}

func benchPolicy(rng *rand.Rand, members, accounts int) *entitlement.Policy {
	now := time.Now()
	wires := catalog.SetOf(catalog.WiresEnabled, catalog.WiresWork, catalog.WiresTransmit, catalog.AccountAccess)
	p := &entitlement.Policy{
		Organization: entitlement.Organization{ID: bank.OrganizationID(bank.NewID(bank.PrefixOrganization, now)), Entitlements: 0xff},
		Accounts:     map[bank.AccountID]entitlement.Account{}, Members: map[bank.UserID]*entitlement.Member{},
	}
	for range accounts {
		a := bank.AccountID(bank.NewID(bank.PrefixAccount, now))
		p.Accounts[a] = entitlement.Account{ID: a}
	}
	for range members {
		m := &entitlement.Member{ID: bank.UserID(bank.NewID(bank.PrefixUser, now)), Status: bank.StatusActive, Accounts: map[bank.AccountID]entitlement.Settings{}}
		m.Settings.On = wires
		m.Settings.Limits = m.Settings.Limits.With(catalog.LimitPerWire, 1_000_00).With(catalog.LimitWiresDaily, 10_000_00)
		for a := range p.Accounts {
			s := entitlement.Settings{On: wires}
			if rng.IntN(20) == 0 {
				s.Limits = s.Limits.With(catalog.LimitPerWire, 500_00)
			}
			if rng.IntN(2) == 0 {
				s.On = catalog.SetOf(catalog.AccountAccess)
			}
			m.Accounts[a] = s
		}
		p.Members[m.ID] = m
	}
	return p
}
