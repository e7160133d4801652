// Package approvaltest is a room whose papers wait for a second person, for tests
// of the edges in front of the queue. Papers are asked about as wires are and
// move nothing. It is for tests only.
package approvaltest

import (
	"context"
	"sync"

	"mandate/internal/activity"
	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// Kind is the room as the queue knows it.
const Kind = "paper"

// A Paper is what waits.
type Paper struct {
	Content string
	Cents   bank.Cents
}

// Papers is the room.
type Papers struct {
	Account bank.AccountID   // that all papers are about
	Over    []approval.State // how those ended that did not go

	door  *guard.Guard
	queue *approval.Service
	mu    sync.Mutex
	all   map[string]Paper
}

// New adds the room to a queue.
func New(door *guard.Guard, queue *approval.Service, account bank.AccountID) *Papers {
	p := &Papers{Account: account, door: door, queue: queue, all: map[string]Paper{}}
	queue.Add(Kind, p)
	return p
}

// Put changes a paper behind everybody's back.
func (r *Papers) Put(ref string, p Paper) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all[ref] = p
}

// Ask makes a paper wait, on the caller's right.
func (r *Papers) Ask(ctx context.Context, caller bank.Caller, ref string, p Paper) (item approval.Item, err error) {
	r.Put(ref, p)
	action := guard.Action{
		Event: "wire.initiated", Organization: caller.Organization, Target: activity.Target{Kind: activity.TargetPayment, ID: ref, Name: "paper"},
		Others: []bank.ActorKind{bank.ActorMember},
	}
	err = r.door.Do(ctx, caller, action, func(c *guard.Change) (err error) {
		item, _, err = r.queue.AskIn(c, approval.Ask{Kind: Kind, Ref: ref})
		return err
	})
	return item, err
}

// Matter is a paper as it stands now.
func (r *Papers) Matter(_ *db.Tx, _ bank.InstitutionID, _ bank.OrganizationID, ref string) (approval.Matter, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, known := r.all[ref]
	if !known {
		return approval.Matter{}, fault.New(fault.NotFound, "There is no such paper.")
	}
	ask := func(op catalog.Operation) entitlement.Request {
		return entitlement.Request{Operation: op, Account: r.Account, Amount: entitlement.AmountOf(p.Cents)}
	}
	return approval.Matter{
		Title: "Paper " + ref, Account: r.Account, Cents: p.Cents, Content: []byte(p.Content), Lines: []approval.Line{{Term: "Payee", Value: "Harbor Supplies"}},
		Approve: func(bank.UserID) entitlement.Request { return ask(catalog.WiresApprove) },
		See:     func(bank.UserID) entitlement.Request { return ask(catalog.WiresView) }, Initiate: ask(catalog.WiresTransmitOperation),
	}, nil
}

// Sights are what is asked of whoever wants to see a paper.
func (r *Papers) Sights(*db.Tx, bank.InstitutionID, bank.OrganizationID) (map[string]entitlement.Request, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	sights := make(map[string]entitlement.Request, len(r.all))
	for ref := range r.all {
		sights[ref] = entitlement.Request{Operation: catalog.WiresView, Account: r.Account}
	}
	return sights, nil
}

// Events are those of wires.
func (r *Papers) Events() approval.Events {
	return approval.Events{Approved: "wire.approved", Rejected: "wire.rejected", Expired: "wire.expired"}
}

// Approved lets a paper go at once.
func (r *Papers) Approved(c *guard.Change, item approval.Item) error {
	_, err := r.queue.ReleaseIn(c, Kind, item.Ref)
	return err
}

// Ended notes what came of a paper that did not go.
func (r *Papers) Ended(c *guard.Change, item approval.Item) error {
	c.Tx.AfterCommit(func() { r.Over = append(r.Over, item.State) })
	return nil
}
