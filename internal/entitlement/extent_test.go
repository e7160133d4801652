package entitlement

import (
	"math/rand/v2"
	"slices"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/catalog"
)

// randomUsed says of every question of one world what counts already, the same
// whenever it is asked.
func randomUsed(r *rand.Rand) *countedDay {
	c := &countedDay{account: map[bank.AccountID]bank.Cents{}}
	if r.IntN(3) == 0 {
		return c
	}
	c.account["a"], c.account["b"] = randomLimit(r)/4, randomLimit(r)/4
	c.member = c.account["a"] + c.account["b"]
	c.organization = c.member + randomLimit(r)/4
	return c
}

// countedDay is what counts on one day against one daily limit.
type countedDay struct {
	member, organization bank.Cents
	account              map[bank.AccountID]bank.Cents
}

func (c *countedDay) used(req Request) Used {
	return Used{Member: c.member, Account: c.account[req.Account], Organization: c.organization}
}

// sourceOf is the source that says of each request what used does.
func sourceOf(used func(Request) Used) Source {
	return func(of Request) func(bank.UserID, bank.AccountID) Used {
		return func(member bank.UserID, account bank.AccountID) Used {
			of.Member, of.Account = member, account
			return used(of)
		}
	}
}

func (c *countedDay) add(account bank.AccountID, amount bank.Cents) {
	c.member, c.organization = c.member+amount, c.organization+amount
	c.account[account] += amount
}

// likely is a world in which much is allowed.
func likely(r *rand.Rand, req Request) *Policy {
	p := randomPolicy(r)
	req.Amount = AmountOf(1)
	for range 2 {
		if e := Explain(p, req); e.Fixable && r.IntN(4) > 0 {
			p = With(p, "m", e.Fix)
		}
	}
	return p
}

// At the amount that an extent names the answer is yes, and one cent more it is
// no; alone it is yes without a second person, and one cent more it is not; and
// what is left of the day is what can still be moved, to the cent.
func TestExtentIsTheDecisionItself(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	found, days := 0, 0
	for range 12_000 {
		req := randomRequest(r)
		if len(req.Operation.Info().Limits) == 0 {
			continue
		}
		p, day := likely(r, req), randomUsed(r)
		req.Used = day.used(req)
		e := ExtentOf(p, req)
		at := func(req Request, c bank.Cents) Decision {
			req.Amount = AmountOf(c)
			return Decide(p, req)
		}
		alone := func(c bank.Cents) bool {
			d := at(single(req), c)
			return d.Allowed && !d.ApprovalRequired
		}
		switch {
		case e.UpTo == 0:
			if at(req, 1).Allowed || e != (Extent{}) {
				t.Fatalf("%s: a cent is allowed: %t, and the extent says %+v", req.Operation, at(req, 1).Allowed, e)
			}
			continue
		case !at(req, e.UpTo).Allowed || e.UpTo < bank.MaxAmount && at(req, e.UpTo+1).Allowed:
			t.Fatalf("%s: one payment up to %s", req.Operation, e.UpTo)
		case e.Alone > 0 && !alone(e.Alone) || e.Alone < bank.MaxAmount && alone(e.Alone+1):
			t.Fatalf("%s: alone up to %s", req.Operation, e.Alone)
		}
		found++
		if e.Daily {
			days++
			if left := drain(p, req, day, []bank.AccountID{req.Account}, largestOfAll); left >= 0 && left != e.Day {
				t.Fatalf("%s: %s can be moved, and the extent says that %s is left of the day", req.Operation, left, e.Day)
			}
		}
	}
	if found < 500 || days < 200 {
		t.Errorf("only %d extents and %d days were found", found, days)
	}
}

// largestOfAll is the greatest amount, with a second person where one is needed.
func largestOfAll(p *Policy, req Request) bank.Cents {
	upTo, _ := Largest(p, req)
	return upTo
}

// largestAlone is the greatest amount that needs nobody else.
func largestAlone(p *Policy, req Request) bank.Cents {
	_, alone := Largest(p, req)
	return alone
}

// drain makes payments one after the other, each as large as is allowed, until
// nothing more is, and returns their sum. Where that takes many, it says -1.
func drain(p *Policy, req Request, day *countedDay, accounts []bank.AccountID, largest func(*Policy, Request) bank.Cents) (sum bank.Cents) {
	spent := *day
	spent.account = map[bank.AccountID]bank.Cents{}
	for id, c := range day.account {
		spent.account[id] = c
	}
	for _, account := range accounts {
		for n := 0; ; n++ {
			req.Account = account
			req.Used = spent.used(req)
			amount := largest(p, req)
			if amount == 0 {
				break
			}
			sum += amount
			spent.add(account, amount)
			if n > 60 {
				return -1
			}
		}
	}
	return sum
}

// What one person could move alone is the sum of payments that the decision
// allows them, and not a cent more.
func TestExposureIsWhatCouldBeMoved(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	parts, open, byAccounts := 0, 0, 0
	for range 5_000 {
		op := exposing[r.IntN(len(exposing))]
		req := single(Plainest("m", op, explainNow))
		req.Account = "a"
		p, day := likely(r, req), randomUsed(r)
		e := ExposureOf(p, "m", explainNow, sourceOf(day.used))
		total := bank.Cents(0)
		for _, op := range exposing {
			req := single(Plainest("m", op, explainNow))
			accounts := []bank.AccountID{""}
			if op.Info().Accounts == catalog.AccountRequired {
				accounts = p.accountIDs()
			}
			i := slices.IndexFunc(e.Parts, func(part Part) bool { return part.Operation == op })
			if i >= 0 && e.Parts[i].Open {
				open++
				total += e.Parts[i].Day
				continue
			}
			want := drain(p, req, day, accounts, largestAlone)
			if want < 0 {
				total += e.Parts[i].Day
				continue
			}
			if i < 0 != (want == 0) {
				t.Fatalf("%s: %s can be moved alone, and there is a part: %t", op, want, i >= 0)
			}
			if i < 0 {
				continue
			}
			part := e.Parts[i]
			total += part.Day
			parts++
			if part.Day != want || part.One > part.Day {
				t.Fatalf("%s: %s can be moved alone, and the part is %+v", op, want, part)
			}
			if part.Bound == LevelUserAccount {
				byAccounts++
			}
		}
		if e.Total != total {
			t.Fatalf("the total is %s, and its parts are %s", e.Total, total)
		}
	}
	if parts < 500 || open < 50 || byAccounts < 20 {
		t.Errorf("only %d parts, %d without a daily limit, %d bound by their accounts", parts, open, byAccounts)
	}
}

// An ability names exactly the accounts on which the decision says yes, asked
// one by one, and how far on the best.
func TestAbilityIsTheDecisionOnEveryAccount(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	some := 0
	for range 5_000 {
		req := randomRequest(r)
		if r.IntN(2) == 0 {
			req = Plainest("m", counting[r.IntN(len(counting))], explainNow)
		}
		req.Account, req.ToAccount = "a", "b"
		p, day := likely(r, req), randomUsed(r)
		req.Account, req.ToAccount = "b", "a"
		if e := Explain(p, asCent(req)); e.Fixable && r.IntN(4) > 0 {
			p = With(p, "m", e.Fix)
		}
		if r.IntN(2) == 0 { // accounts that differ in nothing but what the member has there, or not even in that
			p.Accounts["a"] = Account{ID: "a"}
		}
		if r.IntN(3) == 0 {
			p.Members["m"].Accounts["b"] = p.Members["m"].Accounts["a"]
		}
		req.Account, req.ToAccount = "", []bank.AccountID{"", "", "a"}[r.IntN(3)]
		got, ok := AbilityOf(p, req, sourceOf(day.used))
		want, most, yes := slow(p, req, day)
		if req.Operation.Info().Accounts != catalog.AccountPair {
			req.ToAccount = ""
		}
		if ok != yes || !slices.Equal(got.Accounts, want) || got.Best.UpTo != most {
			t.Fatalf("%s: %t %v up to %s, want %t %v up to %s", req.Operation, ok, got.Accounts, got.Best.UpTo, yes, want, most)
		}
		if len(want) > 0 {
			some++
		}
	}
	if some < 300 {
		t.Errorf("only %d worlds had an account on which something was allowed", some)
	}
}

// counting are operations whose amounts differ by account.
var counting = []catalog.Operation{catalog.WiresTransmitOperation, catalog.WiresApprove, catalog.TransfersCreate}

func asCent(req Request) Request {
	req.Amount = AmountOf(1)
	return req
}

// slow asks about every account, and of transfers every pair.
func slow(p *Policy, req Request, day *countedDay) (accounts []bank.AccountID, most bank.Cents, yes bool) {
	info, asked := req.Operation.Info(), req.ToAccount
	ask := func(from, to bank.AccountID) bool {
		req.Account, req.ToAccount, req.Used = from, to, Used{}
		req.Used = day.used(req)
		if len(info.Limits) == 0 {
			return Decide(p, req).Allowed
		}
		asked := req
		if !asked.Amount.Given() {
			asked.Amount = AmountOf(1)
		}
		if !Decide(p, asked).Allowed {
			return false
		}
		upTo, _ := Largest(p, req)
		most = max(most, upTo)
		return true
	}
	switch info.Accounts {
	case catalog.AccountRequired:
		for _, id := range p.accountIDs() {
			if ask(id, "") {
				accounts = append(accounts, id)
			}
		}
		return accounts, most, len(accounts) > 0
	case catalog.AccountPair:
		for _, from := range p.accountIDs() {
			any := false
			for _, to := range p.accountIDs() {
				if asked != "" && to != asked {
					continue
				}
				any = ask(from, to) || any
			}
			if any {
				accounts = append(accounts, from)
			}
		}
		return accounts, most, len(accounts) > 0
	}
	return nil, most, ask("", "")
}
