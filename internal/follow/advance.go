package follow

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"mandate/internal/activity"
	"mandate/internal/db"
)

// mostEvents is how many events of a chain are read to find out what they touch;
// after more, its organization is read anew.
const mostEvents = 200

// advance brings the memory to the transaction's moment and returns what is
// known then. patient is told how much there is to do.
func (f *Follower) advance(tx *db.Tx, patient func(chains int)) (chains, error) {
	known := f.read
	audit := time.Since(known.audited) >= auditEvery
	moment, err := activity.MomentOf(tx, audit)
	if err != nil {
		return known, err
	}
	if moment.Standby {
		return known, errStandby
	}
	epoch, err := activity.Epoch(tx)
	if err != nil {
		return known, err
	}
	if known.heads == nil || known.epoch != epoch {
		return f.load(tx, moment, epoch, patient)
	}
	horizon := known.horizon
	if known.server != moment.Server {
		horizon = 0 // numbers of transactions say nothing about another server
	}
	next := chains{moment.Server, moment.Horizon, epoch, known.heads, known.audited}
	if err = f.refresh(tx, horizon, next.heads, patient); err != nil {
		return known, err
	}
	if !audit {
		return next, nil
	}
	next.audited = time.Now()
	if addsUp(next.heads, moment) {
		return next, nil
	}
	// Something moved a chain and did not say so, or chains are gone.
	f.missed.Add(1)
	f.Log.Error("what moved in the database was not all told; everything is compared", "chains", moment.Chains, "events", moment.Events)
	if err = f.refresh(tx, 0, next.heads, patient); err != nil {
		return known, err
	}
	if !addsUp(next.heads, moment) {
		return f.load(tx, moment, epoch, patient)
	}
	return next, nil
}

// load reads everything anew.
func (f *Follower) load(tx *db.Tx, moment activity.Moment, epoch int64, patient func(chains int)) (chains, error) {
	f.loads.Add(1)
	heads, err := activity.MovedSince(tx, 0)
	if err != nil {
		return chains{}, err
	}
	began := time.Now()
	said := began
	err = f.Memory.Load(tx, func(done, total int) {
		patient(mostEvents)
		if time.Since(said) >= time.Second {
			said = time.Now()
			f.Log.Info("loading", "organizations", done, "of", total)
		}
	})
	if err != nil {
		return chains{}, fmt.Errorf("load: %w", err)
	}
	next := chains{moment.Server, moment.Horizon, epoch, make(map[chain]activity.Head, len(heads)), time.Now()}
	for _, h := range heads {
		next.heads[of(h)] = h
	}
	organizations, size := f.Memory.Size()
	f.Log.Info("loaded", "organizations", organizations, "bytes", size, "seconds", time.Since(began).Seconds())
	return next, nil
}

// refresh has read again what moved since a horizon and is not known yet.
func (f *Follower) refresh(tx *db.Tx, horizon int64, known map[chain]activity.Head, patient func(chains int)) error {
	heads, err := activity.MovedSince(tx, horizon)
	if err != nil {
		return err
	}
	patient(len(heads))
	var moved []Move
	for _, h := range heads {
		was, there := known[of(h)]
		if there && was.Sequence == h.Sequence && bytes.Equal(was.Hash, h.Hash) {
			continue
		}
		m, err := f.move(tx, was, h, there)
		if err != nil {
			return err
		}
		moved = append(moved, m)
	}
	if len(moved) == 0 {
		return nil
	}
	if err := f.Memory.Refresh(tx, moved); err != nil {
		return fmt.Errorf("refresh %d organizations: %w", len(moved), err)
	}
	for _, m := range moved {
		known[of(m.Head)] = m.Head // as the memory has it, whatever becomes of the transaction
	}
	return nil
}

// move is what led from one head of a chain to another. Where the history does
// not lead there, what it is about is read anew: the tables are the truth.
func (f *Follower) move(tx *db.Tx, was, is activity.Head, there bool) (Move, error) {
	m := Move{Head: is, Anew: !there || is.Sequence-was.Sequence > mostEvents}
	if m.Anew {
		return m, nil
	}
	events, err := activity.Continue(tx, was, is)
	if errors.Is(err, activity.ErrGap) {
		f.gaps.Add(1)
		f.atGap = true
		f.Log.Error("the history of a chain does not go on from where it was known; it is read anew",
			"institution", is.Institution, "organization", is.Organization, "known", was.Sequence, "now", is.Sequence)
		m.Anew = true
		return m, nil
	}
	m.Events = events
	return m, err
}

// addsUp reports whether what is known is all there is.
func addsUp(heads map[chain]activity.Head, m activity.Moment) bool {
	var events int64
	for _, h := range heads {
		events += h.Sequence
	}
	return int64(len(heads)) == m.Chains && events == m.Events
}
