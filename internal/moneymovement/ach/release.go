package ach

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/host"
	"mandate/internal/lease"
	"mandate/internal/moneymovement/ach/nacha"
)

// taskPage is how many tasks are read at a time.
const taskPage = 50

// tickLease is longer than one round takes. Where a round takes longer, another
// process may begin beside it: every step is a step of a state machine.
const tickLease = 5 * time.Minute

// Tick does what the clock asks for: it releases what has come to its cut-off,
// sends what is scheduled, and makes what was processed ready again. Doing it
// again, or on several machines at once, is harmless. One failure does not keep
// the others.
func (s *Service) Tick(ctx context.Context) (done int, err error) {
	_, taken, err := lease.Take(ctx, s.db, Room, s.process, tickLease)
	if err != nil || !taken {
		return 0, err
	}
	senders, err := s.senders(ctx)
	works := []work{{dueRuns, s.release}}
	for _, institution := range senders {
		works = append(works, work{s.over(institution), s.reopen})
	}
	for _, w := range append(works, work{dueSchedules, s.occur}) {
		n, e := s.each(ctx, w.find, w.do)
		done, err = done+n, errors.Join(err, e)
	}
	return done, err
}

// A work is a kind of what the clock asks for.
type work struct {
	find func(tx *db.Tx, after string, most int) ([]task, error)
	do   func(ctx context.Context, t task) (bool, error)
}

// over finds what an institution has processed on a day that is over there.
func (s *Service) over(institution bank.InstitutionID) func(*db.Tx, string, int) ([]task, error) {
	return func(tx *db.Tx, after string, most int) ([]task, error) {
		days, err := s.calendar.In(tx, institution)
		if err != nil {
			return nil, err
		}
		return overRuns(tx, institution, days.Today(tx.Now), after, most)
	}
}

// senders are the institutions that send batches.
func (s *Service) senders(ctx context.Context) (all []bank.InstitutionID, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		all, err = db.All(tx, db.Value[bank.InstitutionID], `select institution_id from ach_sender order by institution_id`)
		return err
	})
	return all, err
}

func (s *Service) each(ctx context.Context, find func(*db.Tx, string, int) ([]task, error), do func(context.Context, task) (bool, error)) (done int, err error) {
	last := ""
	for {
		var page []task
		e := s.db.Read(ctx, func(tx *db.Tx) (err error) {
			page, err = find(tx, last, taskPage)
			return err
		})
		if e != nil {
			return done, errors.Join(err, fmt.Errorf("read what is due: %w", e))
		}
		for _, t := range page {
			did, e := do(ctx, t)
			if e != nil {
				err = errors.Join(err, fmt.Errorf("%s: %w", t.id, e))
			}
			if did {
				done++
			}
		}
		if len(page) < taskPage || ctx.Err() != nil {
			return done, err
		}
		last = page[len(page)-1].id
	}
}

func system(event string, t task) guard.Action {
	return guard.Action{Event: event, Organization: t.at.organization, Target: activity.Target{Kind: activity.TargetPayment, ID: t.id, Name: "ACH batch"},
		Others: []bank.ActorKind{bank.ActorSystem}}
}

// release hands a run to the host at its cut-off. Everybody is judged once more;
// what may no longer go is ready again, with the reason.
func (s *Service) release(ctx context.Context, t task) (done bool, err error) {
	offset, err := s.offsetOf(ctx, t)
	if err != nil {
		return false, err
	}
	err = s.guard.Do(ctx, bank.System(t.at.institution), system("ach.batch_processed", t), func(c *guard.Change) error {
		r, b, err := current(c.Tx, t, Initiated)
		if err != nil || r.ID == "" || c.Tx.Now.Before(r.Due) {
			return err
		}
		done = true
		return s.send(c, t.at, &r, &b, offset)
	})
	if fault.KindOf(err) == fault.Internal {
		return done && err == nil, err
	}
	return s.park(ctx, t, faultOf(err).Sentence)
}

// offsetOf asks for the account of a run, before the run is locked.
func (s *Service) offsetOf(ctx context.Context, t task) (offset Offset, err error) {
	var r Run
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		r, err = findRun(tx, t.at, RunID(t.id))
		return err
	})
	if err != nil || r.Offset == "" {
		return Offset{}, err
	}
	if offset, err = s.accounts(ctx, t.at.institution, t.at.organization, r.Offset); err != nil {
		return Offset{}, fmt.Errorf("find the offset account: %w", err)
	}
	return offset, nil
}

// current reads a run whose batch is in a state; an empty one where it is not.
func current(tx *db.Tx, t task, state State) (r Run, b Batch, err error) {
	if r, err = findRun(tx, t.at, RunID(t.id)); err != nil {
		return Run{}, b, err
	}
	if b, err = findAny(tx, t.at, r.Batch); err != nil {
		return Run{}, b, err
	}
	if b.Run != r.ID || b.State != state {
		return Run{}, b, nil
	}
	return r, b, nil
}

// send confirms a run, writes its file and queues it for the host.
func (s *Service) send(c *guard.Change, at place, r *Run, b *Batch, offset Offset) error {
	if err := s.confirm(c, b, r); err != nil {
		return err
	}
	entries, err := entriesOf(c.Tx, at, b)
	if err != nil {
		return err
	}
	now := *r
	now.Credits, now.Debits, now.Entries = 0, 0, 0
	now.fill(entries)
	if now.content != r.content || b.Version != r.Version {
		return ErrChanged
	}
	file, err := s.write(c, at, r, b, entries, offset)
	if err != nil {
		return err
	}
	was := *b
	if err := b.to(stepRelease); err != nil {
		return err
	}
	r.State, r.FileHash, r.Ended = string(b.State), hex.EncodeToString(file.SHA256[:]), c.Tx.Now
	if err := host.Queue(c.Tx, order(at, r, b, file)); err != nil {
		return err
	}
	if err := updateRun(c.Tx, at, r); err != nil {
		return err
	}
	c.RecordQuiet("ach.batch_processed", b.target(), "Handed to the host.", append(moved(&was, b), activity.Change{Field: "file", New: r.FileHash})...)
	return updateBatch(c.Tx, at, b)
}

// confirm is the moment of release: whoever initiated and whoever approved are
// judged again, and nothing goes out otherwise.
func (s *Service) confirm(c *guard.Change, b *Batch, r *Run) error {
	scope := entitlement.Scope{Members: []bank.UserID{r.Initiator.ID}}
	if r.Offset != "" {
		scope.Accounts = []bank.AccountID{r.Offset}
	}
	if err := c.Widen(scope); err != nil {
		return err
	}
	if r.Second {
		if _, err := s.queue.ReleaseIn(c, Room, string(r.ID)); err != nil {
			return err
		}
	}
	// The batch's own context is asked as it is now: it may have become restricted.
	d, err := s.judge(c, b, r)
	if err != nil {
		return err
	}
	if !d.Allowed {
		return refused(catalog.ACHBatchInitiate, d)
	}
	if !r.counted {
		return nil
	}
	answer, err := s.payments.ConfirmIn(c, r.ref())
	if err != nil || answer.Allowed {
		return err
	}
	return s.unanswered(c, b, r, answer.Reasons)
}

// write makes the file of a run: its entries, and the offset that balances them.
func (s *Service) write(c *guard.Change, at place, r *Run, b *Batch, entries []Entry, offset Offset) (nacha.Written, error) {
	sender, found, err := senderOf(c.Tx, at.institution)
	if err != nil {
		return nacha.Written{}, err
	}
	if !found {
		return nacha.Written{}, fault.New(fault.Conflict, "Your institution has not set up ACH.")
	}
	out := b.Header
	for i := range entries {
		if entries[i].sent(r.Effective) {
			out.Entries = append(out.Entries, entries[i].Entry)
		}
	}
	batches := []nacha.Batch{out}
	if r.Credits != r.Debits {
		if offset.Number == "" {
			return nacha.Written{}, fault.New(fault.Conflict, "The host does not know the number of the offset account.")
		}
		if balance, needed := nacha.Balance(out, offset.Name, sender.Routing, offset.Number, nacha.Kind(offset.Kind)); needed {
			batches = append(batches, balance)
		}
	}
	place := c.Policy.Institution.Location
	created := c.Tx.Now.In(place)
	n, err := filesOn(c.Tx, at.institution, bank.DayOf(c.Tx.Now, place).Time(place).Add(-noon))
	if err != nil {
		return nacha.Written{}, err
	}
	file, err := nacha.Write(nacha.Outgoing{
		Destination: sender.Destination, DestinationName: sender.DestinationName, Origin: sender.Routing, OriginName: sender.Name, Created: created,
		Modifier: modifiers[n%len(modifiers)], Effective: r.Effective.Time(place), SameDay: r.SameDay, Batches: batches, Relaxed: b.Relaxed,
	})
	if err != nil {
		return nacha.Written{}, fault.New(fault.Conflict, "The file could not be written.").Because(err)
	}
	return file, nil
}

const (
	modifiers = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	noon      = 12 * 60 * 60 * 1e9 // a day is known by its noon
)

// order is what the host is asked to do: take the file, and move the money
// between the offset account and the institution's own for ACH. A batch that
// balances itself names its accounts in its entries.
func order(at place, r *Run, b *Batch, file nacha.Written) host.Order {
	o := host.Order{Institution: at.institution, Organization: at.organization, Room: Room, Ref: string(r.ID), Day: r.Effective,
		Memo: "ACH " + b.Header.Description, File: &host.File{Name: string(r.ID) + ".ach", Kind: "nacha", Body: file.Bytes}}
	switch out := r.Credits - r.Debits; {
	case out > 0:
		o.Legs = host.Move(r.Offset, host.Internal(Room), out)
	case out < 0:
		o.Legs = host.Move(host.Internal(Room), r.Offset, -out)
	}
	return o
}

// park takes back a run that may not go out.
func (s *Service) park(ctx context.Context, t task, reason string) (done bool, err error) {
	err = s.guard.Do(ctx, bank.System(t.at.institution), system("ach.batch_returned", t), func(c *guard.Change) error {
		r, b, err := current(c.Tx, t, Initiated)
		if err != nil || r.ID == "" {
			return err
		}
		if _, err := s.queue.WithdrawIn(c, Room, string(r.ID)); err != nil {
			return err
		}
		done = true
		return s.giveBack(c, t.at, &b, reason)
	})
	return done && err == nil, err
}

// Answer takes what the host says about a run. It may say so twice.
func (s *Service) Answer(ctx context.Context, o host.Order, receipt host.Receipt) error {
	t := task{place{o.Institution, o.Organization}, o.Ref}
	named := string(receipt.Account)
	if receipt.Account != "" && !host.IsInternal(receipt.Account) {
		offset, err := s.accounts(ctx, o.Institution, o.Organization, receipt.Account)
		if err != nil {
			return err
		}
		named = cmp.Or(offset.Name, named)
	}
	return s.guard.Do(ctx, bank.System(o.Institution), system("ach.batch_processed", t), func(c *guard.Change) error {
		r, b, err := current(c.Tx, t, Processing)
		if err != nil || r.ID == "" {
			return err
		}
		if !receipt.Done() {
			return s.giveBack(c, t.at, &b, receipt.Sentence(func(bank.AccountID) string { return named }))
		}
		was := b
		if err := b.to(stepProcess); err != nil {
			return err
		}
		r.State, r.Reference, r.Ended = string(b.State), receipt.Reference, c.Tx.Now
		if err := updateRun(c.Tx, t.at, &r); err != nil {
			return err
		}
		if err := s.tested(c, t.at, &r, &b); err != nil {
			return err
		}
		c.RecordQuiet("ach.batch_processed", b.target(), "", moved(&was, &b)...)
		return updateBatch(c.Tx, t.at, &b)
	})
}

// bankingDaysOfTest is how many banking days after a prenote settles its entry
// may be sent.
const bankingDaysOfTest = 3

// tested lets the entries of a sent batch of prenotes go live in time.
func (s *Service) tested(c *guard.Change, at place, r *Run, b *Batch) error {
	if b.Origin != FromPrenote {
		return nil
	}
	days, err := s.calendar.In(c.Tx, at.institution)
	if err != nil {
		return err
	}
	from := r.Effective
	for range bankingDaysOfTest {
		from = days.After(from)
	}
	return setLive(c.Tx, at, b.ID, from)
}

// reopen makes a processed batch ready again when its day is over.
func (s *Service) reopen(ctx context.Context, t task) (done bool, err error) {
	err = s.guard.Do(ctx, bank.System(t.at.institution), system("ach.batch_processed", t), func(c *guard.Change) error {
		r, b, err := current(c.Tx, t, Processed)
		if err != nil || r.ID == "" || bank.DayOf(c.Tx.Now, c.Policy.Institution.Location) <= r.Effective {
			return err
		}
		was := b
		if err := b.to(stepReopen); err != nil {
			return err
		}
		done = true
		c.RecordQuiet("ach.batch_processed", b.target(), "Ready to be sent again.", moved(&was, &b)...)
		return updateBatch(c.Tx, t.at, &b)
	})
	return done && err == nil, err
}
