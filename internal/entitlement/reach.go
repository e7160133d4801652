package entitlement

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
)

// Largest is the greatest amount for which req would be allowed, and the
// greatest for which no second person would be needed. Both are zero where no
// amount is allowed. It asks Decide and nothing else: more is never allowed
// where less is not, and an answer changes only where some limit does.
func Largest(p *Policy, req Request) (upTo, alone bank.Cents) {
	return largest(p, req, p.allows)
}

// allows is Decide without the reasons.
func (p *Policy) allows(req *Request) (allowed, approval bool) {
	d := Decide(p, *req)
	return d.Allowed, d.ApprovalRequired
}

// largest is Largest where somebody else says what Decide would.
func largest(p *Policy, req Request, allows func(*Request) (allowed, approval bool)) (upTo, alone bank.Cents) {
	at := func(c bank.Cents) (bool, bool) {
		req.Amount = AmountOf(c)
		return allows(&req)
	}
	if allowed, _ := at(1); !allowed {
		return 0, 0
	}
	amounts := candidates(p, req)
	all := sort.Search(len(amounts), func(i int) bool {
		allowed, _ := at(amounts[i])
		return !allowed
	})
	if all == 0 {
		return 0, 0
	}
	some := sort.Search(all, func(i int) bool {
		_, approval := at(amounts[i])
		return approval
	})
	if upTo = amounts[all-1]; some > 0 {
		alone = amounts[some-1]
	}
	return upTo, alone
}

// candidates are the amounts at which the answer can change, in order: what
// each limit of the member, the account and the organization leaves.
func candidates(p *Policy, req Request) []bank.Cents {
	found := append(make([]bank.Cents, 0, 16), 1, bank.MaxAmount)
	add := func(l Limits, limit catalog.Limit) {
		most, set := l.Get(limit)
		if !set {
			return
		}
		found = append(found, most)
		if limit.Daily() {
			found = append(found, most-req.Used.Member, most-req.Used.Account, most-req.Used.Organization)
		}
	}
	m := p.Members[req.Member]
	for limit := range catalog.LimitCount {
		if !slices.Contains(req.Operation.Info().Limits, limit) && limit != catalog.LimitWiresDual {
			continue
		}
		if m != nil {
			add(m.Settings.Limits, limit)
			add(m.Accounts[req.Account].Limits, limit)
		}
		add(p.Organization.Ceilings, limit)
	}
	slices.Sort(found)
	found = slices.Compact(found)
	return slices.DeleteFunc(found, func(c bank.Cents) bool { return c <= 0 || c > bank.MaxAmount })
}

// A Reach is what a member may do in one way: on which accounts, and how far.
type Reach struct {
	Operation catalog.Operation
	Accounts  []bank.AccountID // of operations that name one; sorted
	UpTo      bank.Cents       // the greatest single amount on any of them; 0 where there is no amount
	Alone     bank.Cents       // of UpTo, without a second person
	Less      int              // on how many of the accounts it is less than that
}

// ReachOf says what a member may do, from their own side: nothing used today,
// everything said about a payment being the plainest. It is what screens show
// in sentences; a payment is always decided by itself.
func ReachOf(p *Policy, member bank.UserID, now time.Time) []Reach {
	var all []Reach
	for _, op := range catalog.Operations() {
		if r, ok := reachOf(p, member, op, now); ok {
			all = append(all, r)
		}
	}
	return all
}

func reachOf(p *Policy, member bank.UserID, op catalog.Operation, now time.Time) (r Reach, ok bool) {
	r = Reach{Operation: op}
	info := op.Info()
	req := Request{Member: member, Operation: op, Now: now, Context: plainest(op)}
	var each [][2]bank.Cents
	ask := func() bool {
		if len(info.Limits) == 0 {
			return Decide(p, req).Allowed
		}
		upTo, alone := Largest(p, req)
		r.UpTo, r.Alone = max(r.UpTo, upTo), max(r.Alone, alone)
		if upTo > 0 {
			each = append(each, [2]bank.Cents{upTo, alone})
		}
		return upTo > 0
	}
	defer func() { r.Less = r.less(each) }()
	switch info.Accounts {
	case catalog.AccountRequired:
		for _, id := range p.accountIDs() {
			if req.Account = id; ask() {
				r.Accounts = append(r.Accounts, id)
			}
		}
		return r, len(r.Accounts) > 0
	case catalog.AccountPair:
		found := r.pairs(p, &req, ask)
		return r, found
	}
	return r, ask()
}

// less counts the amounts, each with what of it needs no second person, that
// stay below the greatest.
func (r *Reach) less(each [][2]bank.Cents) (n int) {
	for _, one := range each {
		if one[0] < r.UpTo || one[1] < r.Alone {
			n++
		}
	}
	return n
}

// pairs finds the accounts from which money may go anywhere. What blocks on one
// account does not depend on the other, so each is asked about once per side.
func (r *Reach) pairs(p *Policy, req *Request, ask func() bool) bool {
	ids := p.accountIDs()
	if len(ids) < 2 {
		return false
	}
	var sources, targets []bank.AccountID
	for i, id := range ids {
		other := ids[(i+1)%len(ids)]
		if free(p, *req, id, other, id) {
			sources = append(sources, id)
		}
		if free(p, *req, other, id, id) {
			targets = append(targets, id)
		}
	}
	for _, from := range sources {
		to := slices.IndexFunc(targets, func(id bank.AccountID) bool { return id != from })
		if to < 0 {
			continue
		}
		if req.Account, req.ToAccount = from, targets[to]; ask() {
			r.Accounts = append(r.Accounts, from)
		}
	}
	return len(r.Accounts) > 0
}

// free reports whether nothing blocks on one account of a transfer.
func free(p *Policy, req Request, from, to, account bank.AccountID) bool {
	req.Account, req.ToAccount = from, to
	return !slices.ContainsFunc(Decide(p, req).Reasons, func(r Reason) bool { return r.Account == account })
}

// plainest is the context that asks for the least.
func plainest(op catalog.Operation) Context {
	var c Context
	info := op.Info()
	if info.LastEditor {
		c = c.With(catalog.LastEditor, false)
	}
	for _, need := range info.Context {
		if need.Key == catalog.Debits {
			c = c.With(catalog.Debits, false)
		}
	}
	if info.EntryFields {
		c = c.WithEntryFields()
	}
	return c
}

func (p *Policy) accountIDs() []bank.AccountID {
	ids := make([]bank.AccountID, 0, len(p.Accounts))
	for id := range p.Accounts {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// Sentence says the reach in words: "Dana may send a wire up to $25,000.00 from
// 3 accounts, alone up to $10,000.00."
func (r Reach) Sentence(n Names) string {
	if r.Operation == catalog.AccountView {
		return fmt.Sprintf("%s may see %s.", or(n.Member, "You"), n.accounts(r.Accounts))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s may %s", or(n.Member, "You"), r.Operation.Info().Label)
	if r.UpTo > 0 {
		fmt.Fprintf(&b, " up to %s", r.UpTo.Dollars())
	}
	if len(r.Accounts) > 0 {
		fmt.Fprintf(&b, " %s %s", preposition(r.Operation.Info()), n.accounts(r.Accounts))
	}
	if r.Less > 0 {
		fmt.Fprintf(&b, ", less on %d of them", r.Less)
	}
	switch {
	case r.UpTo > 0 && r.Alone == 0:
		b.WriteString(", always with a second person")
	case r.Alone < r.UpTo:
		fmt.Fprintf(&b, ", alone up to %s", r.Alone.Dollars())
	}
	return b.String() + "."
}

// accounts names one account and counts several.
func (n Names) accounts(ids []bank.AccountID) string {
	if len(ids) == 1 {
		return n.account(ids[0])
	}
	return fmt.Sprintf("%d accounts", len(ids))
}

func preposition(info *catalog.OperationInfo) string {
	if info.Counts || info.Accounts == catalog.AccountPair {
		return "from"
	}
	return "on"
}
