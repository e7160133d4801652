package follow

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"mandate/internal/activity"
	"mandate/internal/db"
)

// advance brings the memory to the transaction's moment and returns what is
// known then. patient is told how much there is to do.
func (f *Follower) advance(ctx context.Context, tx *db.Tx, patient func(chains int)) (chains, error) {
	known := f.read
	audit := time.Since(known.audited) >= auditEvery
	moment, err := activity.MomentOf(tx, audit)
	if err != nil {
		return known, err
	}
	switch {
	case moment.Standby:
		return known, errStandby
	case moment.Server != f.beat.server:
		return known, errOther
	}
	epoch, err := activity.Epoch(tx)
	if err != nil {
		return known, err
	}
	next := chains{moment.Server, moment.Horizon, epoch, known.heads, known.audited}
	horizon := known.horizon
	if known.server != moment.Server {
		horizon = 0 // numbers of transactions say nothing about another server
	}
	if known.heads == nil || known.epoch != epoch {
		if err := f.load(ctx, tx, patient); err != nil {
			return known, err
		}
		horizon, next.heads = 0, map[chain]activity.Head{}
	}
	if err := f.refresh(tx, horizon, next.heads, patient); err != nil {
		return known, err
	}
	if !audit {
		return next, nil
	}
	next.audited = time.Now()
	return next, f.audit(tx, next.heads, moment, patient)
}

// audit finds what moved and did not say so, such as what an older version of
// the program writes.
func (f *Follower) audit(tx *db.Tx, known map[chain]activity.Head, moment activity.Moment, patient func(chains int)) error {
	if addsUp(known, moment) {
		return nil
	}
	f.missed.Add(1)
	f.Log.Error("what moved in the database was not all told; everything is compared", "chains", moment.Chains, "events", moment.Events)
	if err := f.refresh(tx, 0, known, patient); err != nil {
		return err
	}
	if !addsUp(known, moment) { // chains are gone
		return f.startOver()
	}
	return nil
}

// addsUp reports whether what is known is all there is.
func addsUp(heads map[chain]activity.Head, m activity.Moment) bool {
	var events int64
	for _, h := range heads {
		events += h.Sequence
	}
	return int64(len(heads)) == m.Chains && events == m.Events
}

// load reads everything anew, in the moment of the look.
func (f *Follower) load(ctx context.Context, tx *db.Tx, patient func(chains int)) error {
	f.loads.Add(1)
	began := time.Now()
	said := began
	err := f.Memory.Load(within(ctx, tx), func(done, total int) {
		patient(mostAtOnce)
		if time.Since(said) >= time.Second {
			said = time.Now()
			f.Log.Info("loading", "organizations", done, "of", total)
		}
	})
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	organizations, size := f.Memory.Size()
	f.Log.Info("loaded", "organizations", organizations, "bytes", size, "seconds", time.Since(began).Seconds())
	return nil
}

// mostAtOnce is for how many organizations loading may be silent.
const mostAtOnce = 500

// refresh brings up to date what moved since a horizon and is not known yet.
func (f *Follower) refresh(tx *db.Tx, horizon int64, known map[chain]activity.Head, patient func(chains int)) error {
	heads, err := activity.MovedSince(tx, horizon)
	if err != nil {
		return err
	}
	patient(len(heads))
	var moved []activity.Head
	for _, h := range heads {
		was, there := known[of(h)]
		switch {
		case there && was.Sequence == h.Sequence && bytes.Equal(was.Hash, h.Hash):
		case there && was.Sequence >= h.Sequence:
			f.Log.Error("the history of a chain is not the one that was known: changes are lost in the database", "institution", h.Institution,
				"organization", h.Organization, "known", was.Sequence, "now", h.Sequence)
			return f.startOver()
		default:
			moved = append(moved, h)
		}
	}
	if len(moved) == 0 {
		return nil
	}
	if err := f.bring(tx, moved); err != nil {
		return fmt.Errorf("refresh %d organizations: %w", len(moved), err)
	}
	for _, h := range moved {
		known[of(h)] = h // as the memory has it, whatever becomes of the transaction
	}
	return nil
}

// startOver drops everything where the database does not go on from what was
// known. The next look loads it, and until then nobody is answered.
func (f *Follower) startOver() error {
	f.gaps.Add(1)
	f.atGap, f.read = true, chains{}
	f.Memory.Forget()
	return activity.ErrGap
}
