package ach

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"mandate/internal/activity"
	"mandate/internal/approval"
	"mandate/internal/authorization"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/usage"
)

// An Offset is what a file must know of an account of the organization.
type Offset struct {
	Number string // as the ACH network knows the account
	Name   string
	Kind   string // checking, savings, loan
}

// Accounts finds an account of an organization. It asks the host, so that it is
// never called in a transaction.
type Accounts func(ctx context.Context, institution bank.InstitutionID, organization bank.OrganizationID, account bank.AccountID) (Offset, error)

// A Service is the verbs of the room.
type Service struct {
	db       *db.DB
	guard    *guard.Guard
	payments *authorization.Service
	queue    *approval.Service
	calendar *calendar.Service
	accounts Accounts
	names    approval.Names
	process  string
	reading  chan struct{} // places for reading strangers' files
	paces    sync.Map      // FileID to *pace, of the files that this process reads now
}

// Config is what the room stands on.
type Config struct {
	DB       *db.DB
	Guard    *guard.Guard
	Payments *authorization.Service
	Queue    *approval.Service
	Calendar *calendar.Service
	Accounts Accounts
	Names    approval.Names
	Process  string // tells this process from all others
}

// New returns the room and enters it in the queue of approvals.
func New(cfg Config) *Service {
	s := &Service{db: cfg.DB, guard: cfg.Guard, payments: cfg.Payments, queue: cfg.Queue, calendar: cfg.Calendar, accounts: cfg.Accounts, names: cfg.Names, process: cfg.Process,
		reading: make(chan struct{}, readers)}
	s.queue.Add(Room, s)
	return s
}

// Room is the name under which the host and the queue know this room.
const Room = "ach"

// What people hear of what is not there for them.
var (
	ErrNoBatch    = fault.New(fault.NotFound, "There is no such batch.")
	ErrNoCategory = fault.New(fault.NotFound, "There is no such category.")
	ErrChanged    = fault.New(fault.Conflict, "Somebody changed this batch after you saw it. Look at it again.").With("CHANGED")
)

// doing is the action of a member. The change decides itself, because the
// question has the batch's context.
func doing(event string, organization bank.OrganizationID, target activity.Target) guard.Action {
	return guard.Action{Event: event, Organization: organization, Target: target, Others: []bank.ActorKind{bank.ActorMember}}
}

// batchTarget is a batch as history names it. Its name is told once it is known
// that the caller may know it.
func batchTarget(id BatchID) activity.Target {
	return activity.Target{Kind: activity.TargetPayment, ID: string(id), Name: "ACH batch"}
}

func (b *Batch) target() activity.Target {
	return activity.Target{Kind: activity.TargetPayment, ID: string(b.ID), Name: b.Name}
}

// asking is what the room says about a batch: always all of it.
type asking struct {
	restricted bool
	debits     bool
	sameDay    bool
	recurring  bool
	lastEditor bool
	entryOnly  bool // an edit that touches the five fields alone
	account    bank.AccountID
	amount     bank.Cents
}

// request is the question, for a member.
func (a asking) request(member bank.UserID, op catalog.Operation) entitlement.Request {
	ctx := entitlement.Context{}.With(catalog.Restricted, a.restricted).With(catalog.Debits, a.debits).With(catalog.SameDay, a.sameDay).
		With(catalog.Recurring, a.recurring).With(catalog.LastEditor, a.lastEditor)
	if a.entryOnly {
		ctx = ctx.WithEntryFields()
	}
	req := entitlement.Request{Member: member, Operation: op, Account: a.account, Context: ctx}
	if len(op.Info().Limits) > 0 {
		req.Amount = entitlement.AmountOf(max(a.amount, leastAsked))
	}
	return req
}

// leastAsked is asked where nothing is moved, as by prenotes: whoever sends them
// needs every right, and has one cent left.
const leastAsked bank.Cents = 1

// keys is the context as payment authorizations carry it.
func (a asking) keys() map[string]any {
	return map[string]any{
		catalog.Restricted.String(): a.restricted, catalog.Debits.String(): a.debits, catalog.SameDay.String(): a.sameDay,
		catalog.Recurring.String(): a.recurring, catalog.LastEditor.String(): a.lastEditor,
	}
}

// A judged is a decision with what was asked.
type judged struct {
	entitlement.Decision
	asked entitlement.Request
}

// decide asks the engine for the caller, with what is used.
func decide(c *guard.Change, op catalog.Operation, a asking) (judged, error) {
	if a.account != "" {
		if err := c.Widen(entitlement.Scope{Accounts: []bank.AccountID{a.account}}); err != nil {
			return judged{}, err
		}
	}
	req := a.request(c.Caller.Member(), op)
	req.Now = c.Tx.Now
	used, err := usage.For(c.Tx, c.Policy, req)
	if err != nil {
		return judged{}, err
	}
	req.Used = used
	return judged{entitlement.Decide(c.Policy, req), req}, nil
}

// permit refuses whoever may not.
func permit(c *guard.Change, op catalog.Operation, a asking) error {
	d, err := decide(c, op, a)
	if err != nil || d.Allowed {
		return err
	}
	return refused(op, entitlement.Explain(c.Policy, d.asked))
}

// may asks a question that needs no usage.
func may(c *guard.Change, op catalog.Operation, a asking) bool {
	return allowed(c.Policy, c.Caller.Member(), op, a, c.Tx)
}

func allowed(p *entitlement.Policy, member bank.UserID, op catalog.Operation, a asking, tx *db.Tx) bool {
	req := a.request(member, op)
	req.Now = tx.Now
	return entitlement.Decide(p, req).Allowed
}

// A Refusal is why something may not be, with its proof: the cause of a fault.
type Refusal struct{ entitlement.Explanation }

func (r *Refusal) Error() string { return string(r.Reasons[0].Code) }

// Why is the refusal with its proof.
func (r *Refusal) Why() entitlement.Explanation { return r.Explanation }

// refused is the fault of a refusal; its proof is the cause.
func refused(op catalog.Operation, e entitlement.Explanation) error {
	sentence := "You may not " + op.Info().Label + "."
	for _, r := range e.Reasons {
		switch r.Code {
		case entitlement.SecondPersonRequired:
			sentence = "You edited this batch last, so somebody else must initiate it. Submit it for approval."
		case entitlement.LimitDaily:
			sentence = fmt.Sprintf("This is over the daily ACH limit of %s, of which %s is used.", r.Limit.Dollars(), r.Used.Dollars())
		case entitlement.LimitPerTransaction:
			sentence = fmt.Sprintf("This is over the limit of %s per batch.", r.Limit.Dollars())
		}
	}
	return fault.New(fault.Forbidden, sentence).With(string(e.Reasons[0].Code)).Because(&Refusal{e})
}

// seen reads a batch for the caller. One that they may not know of is not
// there.
func (s *Service) seen(c *guard.Change, at place, id BatchID) (Batch, error) {
	if err := permit(c, catalog.ACHBatchView, asking{}); err != nil {
		return Batch{}, err
	}
	b, err := findBatch(c.Tx, at, id)
	if err != nil {
		return Batch{}, err
	}
	if b.Restricted() && !may(c, catalog.ACHBatchView, asking{restricted: true}) {
		return Batch{}, ErrNoBatch
	}
	return b, nil
}

// to takes a step, or says that it cannot be taken from where the batch is.
func (b *Batch) to(st step) error {
	next, can := steps[b.State][st]
	if !can {
		return fault.Newf(fault.Conflict, "This batch is %s, so this cannot be done now.", strings.ToLower(b.State.Label())).With("STATE")
	}
	b.State = next
	switch next {
	case Ready, Uploaded, Deleted:
		b.Run = ""
	}
	return nil
}

// faultOf is the fault in an error that has one.
func faultOf(err error) *fault.Error {
	f, _ := errors.AsType[*fault.Error](err)
	return f
}
