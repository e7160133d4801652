package ach

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"mandate/internal/activity"
	"mandate/internal/approval"
	"mandate/internal/authorization"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/usage"
)

// An Order is how somebody wants a batch to be sent.
type Order struct {
	Batch     BatchID
	Version   int64    // as it was seen
	Effective bank.Day // empty: the next business day
	Offset    bank.AccountID
}

// A way is by which verb a batch is sent.
type way struct {
	member    Somebody
	second    bool // submitted for approval: somebody else decides
	recurring bool
}

func byCaller(c *guard.Change, second bool) way {
	return way{member: Somebody{c.Caller.Member(), c.Caller.Name}, second: second}
}

// Initiate sends a batch on its way, alone. Whoever edited it last needs Full
// ACH control for that, or submits it for approval.
func (s *Service) Initiate(ctx context.Context, caller bank.Caller, o Order) (run Run, note string, err error) {
	return s.start(ctx, caller, "ach.batch_initiated", o, false)
}

// Submit asks a second person. It counts for the caller from now on.
func (s *Service) Submit(ctx context.Context, caller bank.Caller, o Order) (run Run, note string, err error) {
	return s.start(ctx, caller, "ach.batch_pending_approval", o, true)
}

func (s *Service) start(ctx context.Context, caller bank.Caller, event string, o Order, second bool) (run Run, note string, err error) {
	err = s.guard.Do(ctx, caller, doing(event, caller.Organization, batchTarget(o.Batch)), func(c *guard.Change) error {
		at := place{caller.Institution, caller.Organization}
		run, note, err = s.begin(c, at, o, byCaller(c, second))
		if err != nil {
			return err
		}
		return c.RequireProof(proofOf(run))
	})
	if err != nil {
		return Run{}, "", err
	}
	return run, note, nil
}

// proofOf is what a high-risk authorization is for.
func proofOf(runs ...Run) []byte {
	var b strings.Builder
	for _, r := range runs {
		fmt.Fprintf(&b, "%s version %d, %s, %d entries, credits %s, debits %s, from %s, content %s\n", r.Batch, r.Version, r.Effective, r.Entries,
			r.Credits, r.Debits, r.Offset, r.content)
	}
	return []byte(b.String())
}

// InitiateMany sends several batches and says what came of each. One proof is
// for all of them. What is refused keeps nothing of the others.
func (s *Service) InitiateMany(ctx context.Context, caller bank.Caller, orders []Order) (results []Result, err error) {
	if err := checkBulk(len(orders)); err != nil {
		return nil, err
	}
	target := activity.Target{Kind: activity.TargetPayment, ID: "ach", Name: "ACH batches"}
	err = s.guard.Do(ctx, caller, doing("ach.batch_initiated", caller.Organization, target), func(c *guard.Change) error {
		at := place{caller.Institution, caller.Organization}
		results = make([]Result, len(orders))
		var runs []Run
		for i, o := range orders {
			run, note, err := s.begin(c, at, o, byCaller(c, false))
			results[i] = Result{Batch: o.Batch, Note: note, Err: err}
			switch fault.KindOf(err) {
			case fault.Forbidden:
				f := faultOf(err)
				c.RecordRefused("ach.batch_initiated", batchTarget(o.Batch), f.Code, f.Sentence)
			case fault.Internal:
				if err != nil {
					return err
				}
				runs = append(runs, run)
			}
		}
		if len(runs) == 0 {
			return nil
		}
		return c.RequireProof(proofOf(runs...))
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// begin sends one batch on its way. All that can be refused is refused before
// anything is stored.
func (s *Service) begin(c *guard.Change, at place, o Order, w way) (Run, string, error) {
	b, err := s.known(c, at, o.Batch)
	if err != nil {
		return Run{}, "", err
	}
	st := stepInitiate
	if w.second {
		st = stepSubmit
	}
	was := b
	if err := b.to(st); err != nil {
		return Run{}, "", err
	}
	if b.Version != o.Version && c.Caller.Kind == bank.ActorMember {
		return Run{}, "", ErrChanged
	}
	run, note, err := s.plan(c, at, &b, o, w)
	if err != nil {
		return Run{}, "", err
	}
	if err := s.reserve(c, &b, &run, w); err != nil {
		return Run{}, "", err
	}
	return run, note, s.keepRun(c, at, &was, &b, &run, note)
}

// known reads a batch for whoever acts: the product itself sees all.
func (s *Service) known(c *guard.Change, at place, id BatchID) (Batch, error) {
	if c.Caller.Kind == bank.ActorSystem {
		return findBatch(c.Tx, at, id)
	}
	return s.seen(c, at, id)
}

// plan finds the day, the sums and the account of a run.
func (s *Service) plan(c *guard.Change, at place, b *Batch, o Order, w way) (Run, string, error) {
	days, err := s.calendar.In(c.Tx, at.institution)
	if err != nil {
		return Run{}, "", err
	}
	dating, err := dateFor(days, c, o.Effective)
	if err != nil {
		return Run{}, "", err
	}
	entries, err := entriesOf(c.Tx, at, b)
	if err != nil {
		return Run{}, "", err
	}
	today := days.Today(c.Tx.Now)
	run := Run{
		ID: RunID(bank.NewID(prefixRun, c.Tx.Now)), Batch: b.ID, Title: b.Name, Version: b.Version, State: string(b.State), Company: b.Header.CompanyID,
		Effective: dating.Day, SameDay: dating.Day == today, Recurring: w.recurring, Offset: o.Offset, countsOn: today,
		lastEditor: !w.second && b.LastEditor.ID == w.member.ID, Initiator: w.member, Second: w.second, Started: c.Tx.Now,
	}
	run.fill(entries)
	_, run.Due = days.Window(run.line(), run.Effective)
	return run, dating.Sentence(), s.checkRun(c, at, b, &run, entries)
}

// line is whose cut-off a run keeps.
func (r *Run) line() calendar.Line {
	if r.SameDay {
		return calendar.SameDayACH
	}
	return calendar.ACH
}

// dateFor finds the effective day: what is wanted for today must come before
// the cut-off for same day, and moves to the next business day otherwise.
func dateFor(days *calendar.Calendar, c *guard.Change, wanted bank.Day) (calendar.Dating, error) {
	today := days.Today(c.Tx.Now)
	var problems fault.Problems
	if _, err := bank.ParseDay(string(wanted)); wanted != "" && err != nil {
		problems.Add("effective", "Write a date like 2026-03-02.")
	} else if wanted != "" && wanted < today {
		problems.Add("effective", "The effective date is over.")
	}
	if err := problems.Err("The batch cannot be initiated."); err != nil {
		return calendar.Dating{}, err
	}
	var dating calendar.Dating
	switch {
	case wanted == today:
		dating = days.Date(calendar.SameDayACH, c.Tx.Now, wanted)
	case wanted == "":
		dating = days.Date(calendar.ACH, c.Tx.Now, calendar.AddDays(today, 1))
	default:
		dating = days.Date(calendar.ACH, c.Tx.Now, wanted)
	}
	if dating.Day == "" || dating.Day > calendar.AddDays(today, MaxDaysAhead) {
		problems.Addf("effective", "The effective date is at most %d days ahead. Set up a schedule for later dates.", MaxDaysAhead)
	}
	return dating, problems.Err("The batch cannot be initiated.")
}

// fill sums what is sent, and remembers its hash.
func (r *Run) fill(entries []Entry) {
	hash := sha256.New()
	for i := range entries {
		e := &entries[i]
		if !e.sent(r.Effective) {
			continue
		}
		r.Entries++
		if e.Code.Debit() {
			r.hasDebits = true
			r.Debits += e.Amount
		} else {
			r.Credits += e.Amount
		}
		hash.Write([]byte(e.Record))
		for _, a := range e.Addenda {
			hash.Write([]byte(a))
		}
	}
	r.counted = r.Amount() > 0
	r.content = hex.EncodeToString(hash.Sum(nil))
}

// checkRun refuses what nobody could send.
func (s *Service) checkRun(c *guard.Change, at place, b *Batch, r *Run, entries []Entry) error {
	if r.Entries == 0 {
		return fault.New(fault.Conflict, "There is nothing to send: every entry is held or waits for its prenote.").With("NOTHING_TO_SEND")
	}
	var problems fault.Problems
	if r.Credits != r.Debits && r.Offset == "" {
		problems.Add("offset", "Choose the account that the money is taken from or goes to.")
	}
	if r.SameDay && b.Header.SEC == "IAT" {
		problems.Add("effective", "International entries cannot be sent the same day.")
	}
	for i := range entries {
		e := &entries[i]
		if most, bounded := largest(b.Header.SEC, r.SameDay); bounded && e.sent(r.Effective) && e.Amount > most {
			problems.Addf("entries", "The entry of %s is over %s, the most that the network takes here.", e.Name, most.Dollars())
			break
		}
	}
	if err := problems.Err("The batch cannot be initiated."); err != nil {
		return err
	}
	if _, found, err := senderOf(c.Tx, at.institution); err != nil || !found {
		if err == nil {
			err = fault.New(fault.Unavailable, "Your institution has not set up ACH yet.")
		}
		return err
	}
	return s.checkExposure(c, at, r)
}

// largest is the network's bound for one entry of a class.
func largest(class string, sameDay bool) (bank.Cents, bool) {
	switch {
	case class == "ARC" || class == "POP":
		return 25_000_00, true
	case class == "RCK":
		return 2_500_00, true
	}
	return MaxSameDay, sameDay
}

// checkExposure keeps what leaves for a company in a day within its bound.
func (s *Service) checkExposure(c *guard.Change, at place, r *Run) error {
	companies, err := companiesAt(c.Tx, at)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(companies, func(k Company) bool { return k.Ident == r.Company })
	if i < 0 || companies[i].Exposure == 0 {
		return nil
	}
	used, err := exposed(c.Tx, at, r.Company, r.countsOn)
	if err != nil {
		return err
	}
	if total, fits := used.Add(r.Amount()); fits && total <= companies[i].Exposure {
		return nil
	}
	return fault.Newf(fault.Forbidden, "This is over the daily exposure limit of %s, %s, of which %s is used. Your institution sets it.",
		companies[i].Name, companies[i].Exposure.Dollars(), used.Dollars()).With("EXPOSURE_LIMIT")
}

// asking is the whole context of a run.
func (r *Run) asking(b *Batch) asking {
	return asking{restricted: b.Restricted(), debits: r.hasDebits, sameDay: r.SameDay, recurring: r.Recurring, lastEditor: r.lastEditor,
		account: r.Offset, amount: r.Amount()}
}

// ref is the run as payment authorizations know it.
func (r *Run) ref() authorization.Ref { return authorization.Ref{Name: refPrefix + string(r.ID)} }

const refPrefix = "ach/"

// reserve decides and counts the amount. What moves nothing is decided alone.
func (s *Service) reserve(c *guard.Change, b *Batch, r *Run, w way) error {
	if r.Offset != "" {
		if err := c.Widen(entitlement.Scope{Members: []bank.UserID{w.member.ID}, Accounts: []bank.AccountID{r.Offset}}); err != nil {
			return err
		}
	} else if err := c.Widen(entitlement.Scope{Members: []bank.UserID{w.member.ID}}); err != nil {
		return err
	}
	if !r.counted {
		e, err := s.judge(c, b, r)
		if err != nil || e.Allowed {
			return err
		}
		return refused(catalog.ACHBatchInitiate, e)
	}
	answer, err := s.payments.AuthorizeIn(c, r.ref(), authorization.Asked{
		Member: w.member.ID, Operation: catalog.ACHBatchInitiate.ID(), Account: r.Offset, Amount: entitlement.AmountOf(r.Amount()), Context: r.asking(b).keys(),
	})
	if err != nil || answer.Allowed {
		return err
	}
	return s.unanswered(c, b, r, answer.Reasons)
}

// unanswered is the fault of an authorization that was refused, with the proof
// where the engine gives one: a reference that was used has none.
func (s *Service) unanswered(c *guard.Change, b *Batch, r *Run, reasons []entitlement.Reason) error {
	e, err := s.judge(c, b, r)
	if err != nil {
		return err
	}
	if e.Allowed {
		e = entitlement.Explanation{Decision: entitlement.Decision{Reasons: reasons}}
	}
	return refused(catalog.ACHBatchInitiate, e)
}

// judge asks whether the initiator may send a run now; what it has reserved does
// not count against it.
func (s *Service) judge(c *guard.Change, b *Batch, r *Run) (entitlement.Explanation, error) {
	own, err := s.reservation(c.Tx, c.Caller.Institution, r)
	if err != nil {
		return entitlement.Explanation{}, err
	}
	req := r.asking(b).request(r.Initiator.ID, catalog.ACHBatchInitiate)
	req.Now = c.Tx.Now
	used, err := usage.ForExcept(c.Tx, c.Policy, req, own)
	if err != nil {
		return entitlement.Explanation{}, err
	}
	req.Used = used
	return entitlement.Explain(c.Policy, req), nil
}

// keepRun stores a run that was permitted.
func (s *Service) keepRun(c *guard.Change, at place, was, b *Batch, r *Run, note string) error {
	b.Run = r.ID
	if err := insertRun(c.Tx, at, r); err != nil {
		return err
	}
	if err := updateBatch(c.Tx, at, b); err != nil {
		return err
	}
	event := "ach.batch_initiated"
	if r.Second {
		event = "ach.batch_pending_approval"
		_, _, err := s.queue.AskIn(c, approval.Ask{Kind: Room, Ref: string(r.ID), Editors: []bank.UserID{b.LastEditor.ID}, Expires: r.Due})
		if err != nil {
			return err
		}
	}
	c.RecordQuiet(event, b.target(), note, append(r.described(), moved(was, b)...)...)
	return nil
}

// described is a run for the history.
func (r *Run) described() []activity.Change {
	changes := []activity.Change{{Field: "effective", New: string(r.Effective)}, {Field: "credits", New: r.Credits.String()},
		{Field: "debits", New: r.Debits.String()}, {Field: "entries", New: fmt.Sprint(r.Entries)}}
	if r.Offset != "" {
		changes = append(changes, activity.Change{Field: "offset_account", New: string(r.Offset)})
	}
	return changes
}

// moved is a step for the history.
func moved(was, b *Batch) []activity.Change {
	changes := []activity.Change{{Field: "state", Old: string(was.State), New: string(b.State)}}
	if b.Restricted() {
		changes = append(changes, activity.Change{Field: "restricted", Old: "true", New: "true"})
	}
	return changes
}

// Uninitiate takes an initiated batch back before the cut-off of its day. Its
// date and account are dropped, and its amount no longer counts.
func (s *Service) Uninitiate(ctx context.Context, caller bank.Caller, id BatchID, version int64) error {
	return s.guard.Do(ctx, caller, doing("ach.batch_uninitiated", caller.Organization, batchTarget(id)), func(c *guard.Change) error {
		at := place{caller.Institution, caller.Organization}
		b, err := s.seen(c, at, id)
		if err != nil {
			return err
		}
		if err := permit(c, catalog.ACHBatchUninitiate, asking{restricted: b.Restricted()}); err != nil {
			return err
		}
		was, run := b, b.Run
		if b.Version != version {
			return ErrChanged
		}
		if err := b.to(stepUninitiate); err != nil {
			return err
		}
		r, err := findRun(c.Tx, at, run)
		if err != nil {
			return err
		}
		if !c.Tx.Now.Before(r.Due) {
			return fault.New(fault.Conflict, "It is past the cut-off of the effective date, so this batch can no longer be taken back.").With("PAST_CUTOFF")
		}
		if _, err := s.queue.WithdrawIn(c, Room, string(run)); err != nil {
			return err
		}
		if err := s.endRun(c, at, run, runUninitiated, ""); err != nil {
			return err
		}
		c.RecordQuiet("ach.batch_uninitiated", b.target(), "", moved(&was, &b)...)
		return updateBatch(c.Tx, at, &b)
	})
}

// Return takes a batch that waits for approval back to ready. It needs a right
// to edit.
func (s *Service) Return(ctx context.Context, caller bank.Caller, id BatchID, version int64, comment string) error {
	return s.guard.Do(ctx, caller, doing("ach.batch_returned", caller.Organization, batchTarget(id)), func(c *guard.Change) error {
		at := place{caller.Institution, caller.Organization}
		b, err := s.seen(c, at, id)
		if err != nil {
			return err
		}
		if err := permit(c, catalog.ACHBatchEdit, asking{restricted: b.Restricted(), debits: b.HasDebits, entryOnly: true}); err != nil {
			return err
		}
		if b.Version != version {
			return ErrChanged
		}
		if b.State != Pending {
			return fault.New(fault.Conflict, "This batch does not wait for approval.").With("STATE")
		}
		if _, err := s.queue.WithdrawIn(c, Room, string(b.Run)); err != nil {
			return err
		}
		return s.giveBack(c, at, &b, comment)
	})
}

// giveBack makes a batch ready again and its run a returned one.
func (s *Service) giveBack(c *guard.Change, at place, b *Batch, reason string) error {
	was, run := *b, b.Run
	if err := b.to(stepReturn); err != nil {
		return err
	}
	if err := s.endRun(c, at, run, runReturned, reason); err != nil {
		return err
	}
	c.RecordQuiet("ach.batch_returned", b.target(), reason, moved(&was, b)...)
	return updateBatch(c.Tx, at, b)
}

// endRun gives back what a run reserved, exactly once, and says why it ended.
func (s *Service) endRun(c *guard.Change, at place, id RunID, state, reason string) error {
	r, err := findRun(c.Tx, at, id)
	if err != nil {
		return err
	}
	if r.counted {
		answer, err := s.payments.VoidIn(c, r.ref())
		if err != nil {
			return err
		}
		if !answer.Allowed { // released, and refused by the host
			if _, err := usage.Release(c.Tx, at.institution, at.organization, usage.ID(answer.Authorization.ID)); err != nil {
				return err
			}
		}
	}
	r.State, r.Reason, r.Ended = state, reason, c.Tx.Now
	return updateRun(c.Tx, at, &r)
}
