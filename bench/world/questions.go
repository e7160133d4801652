package world

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
)

// Questions are a stream, and what entitlement.Decide answers to it.
type Questions struct {
	Asked    []entitlement.Request
	Answers  []bool
	Approval []bool // allowed, and a second person must approve
}

// Allowed is how many are answered with yes.
func (q *Questions) Allowed() (n int) {
	for _, yes := range q.Answers {
		if yes {
			n++
		}
	}
	return n
}

// zipf is how uneven the organizations ask.
const zipf = 1.1

// Ask makes count questions, half of which are allowed. Organizations ask as
// unevenly as customers do, unless even is set; what moves money is asked most;
// two of a hundred name something that is elsewhere or nowhere.
func (w *World) Ask(count int, even bool) *Questions {
	rng := rand.New(rand.NewPCG(w.seed, 1<<40))
	stream := w.organizations(rng, 6*count, even)
	// Every organization's questions are made together, and take their place in
	// the stream afterwards.
	places := make([][]int, w.Organizations)
	for place, n := range stream {
		places[n] = append(places[n], place)
	}
	candidates := make([]candidate, len(stream))
	for n := range places {
		if len(places[n]) > 0 {
			w.candidates(n, places[n], candidates)
		}
	}
	return half(candidates, count)
}

func (w *World) organizations(rng *rand.Rand, count int, even bool) []int {
	shuffled := rng.Perm(w.Organizations) // the busiest are not the first in memory
	draw := func() int { return rng.IntN(w.Organizations) }
	if !even {
		z := rand.NewZipf(rng, zipf, 1, uint64(w.Organizations-1))
		draw = func() int { return int(z.Uint64()) }
	}
	stream := make([]int, count)
	for i := range stream {
		stream[i] = shuffled[draw()]
	}
	return stream
}

type candidate struct {
	asked    entitlement.Request
	allowed  bool
	approval bool
}

func (w *World) candidates(n int, places []int, into []candidate) {
	p := w.Policy(n)
	members, accounts := w.names(n)
	othersMembers, othersAccounts := w.names((n + 1) % w.Organizations)
	for _, place := range places {
		rng := rand.New(rand.NewPCG(w.seed^0xa5c, uint64(place)))
		req := entitlement.Request{Member: one(rng, members), Operation: operation(rng), Now: now, Amount: entitlement.AmountOf(asked(rng))}
		if req.Operation.Info().Accounts != catalog.AccountNone {
			req.Account = one(rng, accounts)
		}
		if req.Operation.Info().Accounts == catalog.AccountPair {
			req.ToAccount = one(rng, accounts)
		}
		if len(req.Operation.Info().Limits) == 0 {
			req.Amount = entitlement.Amount{}
		}
		if percent(rng, 2) {
			switch rng.IntN(4) {
			case 0:
				req.Account = one(rng, othersAccounts)
			case 1:
				req.Account = bank.AccountID(id(rng, n, bank.PrefixAccount))
			case 2:
				req.Member = bank.UserID(id(rng, n, bank.PrefixUser))
			case 3:
				req.Member = one(rng, othersMembers)
			}
		}
		c := candidate{asked: req}
		if home := p; home.Members[req.Member] != nil || !slices.Contains(othersMembers, req.Member) {
			d := entitlement.Decide(home, req)
			c.allowed, c.approval = d.Allowed, d.ApprovalRequired
		} else {
			d := entitlement.Decide(w.Policy((n+1)%w.Organizations), req)
			c.allowed, c.approval = d.Allowed, d.ApprovalRequired
		}
		into[place] = c
	}
}

// now is the moment of all questions.
var now = time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)

func one[T any](rng *rand.Rand, of []T) T { return of[rng.IntN(len(of))] }

// operation is one that moves money, three times of four.
func operation(rng *rand.Rand) catalog.Operation {
	moving := [...]catalog.Operation{
		catalog.WiresTransmitOperation, catalog.WiresTransmitOperation, catalog.WiresTransmitOperation, catalog.WiresApprove,
		catalog.ACHBatchInitiate, catalog.ACHBatchInitiate, catalog.ACHBatchApprove, catalog.TransfersCreate, catalog.TransfersCreate,
	}
	if percent(rng, 75) {
		return one(rng, moving[:])
	}
	return catalog.Operation(1 + rng.IntN(int(catalog.OperationCount)-1))
}

// asked is an amount from one to fifty thousand dollars; small ones are as
// frequent as large ones.
func asked(rng *rand.Rand) bank.Cents {
	return bank.Cents(100 * math.Exp(rng.Float64()*math.Log(50_000)))
}

// half keeps questions in order until there are count of them, of which half are
// allowed. Their ids are written anew, one question's beside the next one's, as
// they would be if each had just been read.
func half(candidates []candidate, count int) *Questions {
	q := &Questions{}
	yes, no := count/2, count-count/2
	for _, c := range candidates {
		left := &no
		if c.allowed {
			left = &yes
		}
		if *left == 0 {
			continue
		}
		*left--
		q.Asked, q.Answers, q.Approval = append(q.Asked, c.asked), append(q.Answers, c.allowed), append(q.Approval, c.approval)
	}
	if yes+no > 0 {
		panic("world: not half of the questions are allowed")
	}
	q.copyIDs()
	return q
}

func (q *Questions) copyIDs() {
	size := 0
	for i := range q.Asked {
		size += len(q.Asked[i].Member) + len(q.Asked[i].Account) + len(q.Asked[i].ToAccount)
	}
	text := make([]byte, 0, size)
	for i := range q.Asked {
		text = append(append(append(text, q.Asked[i].Member...), q.Asked[i].Account...), q.Asked[i].ToAccount...)
	}
	all, at := string(text), 0
	next := func(n int) string { at += n; return all[at-n : at] }
	for i := range q.Asked {
		r := &q.Asked[i]
		r.Member = bank.UserID(next(len(r.Member)))
		r.Account = bank.AccountID(next(len(r.Account)))
		r.ToAccount = bank.AccountID(next(len(r.ToAccount)))
	}
}
