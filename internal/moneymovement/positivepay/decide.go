package positivepay

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// Named limits.
const (
	MaxDecisions = 200 // exceptions that are decided at once
	MaxNote      = 140 // characters
)

// A Decision is what somebody wants of one exception as they saw it.
type Decision struct {
	Item    ItemID
	Version int64 // 0: however it stands
	Verdict Verdict
	Reason  Reason // why it goes back
	Note    string
}

// A Result is what came of one decision.
type Result struct {
	Item Item
	Err  error // a fault; nil where it was decided
}

// check finds what is wrong with a decision, whoever asks.
func (d *Decision) check(kinds []Reason) error {
	var problems fault.Problems
	if d.Verdict.Label() == "" {
		problems.Add("verdict", "Choose pay or return.")
	}
	known := false
	for _, r := range kinds {
		known = known || r == d.Reason
	}
	if d.Verdict == Return && !known {
		problems.Add("reason", "Choose why it goes back.")
	}
	if !utf8.ValidString(d.Note) || strings.ContainsFunc(d.Note, unseen) || utf8.RuneCountInString(d.Note) > MaxNote {
		problems.Addf("note", "Write at most %d characters that can be seen.", MaxNote)
	}
	return problems.Err("This cannot be decided as it stands.")
}

// Decide decides about one or more exceptions, each by itself, and says what
// came of each. It asks for one high-risk authorization where any is to be
// paid. What was decided has been at the host when Decide returns, unless the
// host takes its time.
func (s *Service) Decide(ctx context.Context, caller bank.Caller, all []Decision) (results []Result, err error) {
	if len(all) == 0 || len(all) > MaxDecisions {
		return nil, fault.Newf(fault.Invalid, "Choose at least one exception and at most %d.", MaxDecisions)
	}
	action := doing(EventDecided, caller, organizationTarget(caller.Organization))
	if len(all) == 1 {
		action.Target = activity.Target{Kind: activity.TargetPayment, ID: string(all[0].Item)}
	}
	action.Scope = entitlement.Scope{AllAccounts: len(all) > 1}
	err = s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		days, err := s.calendar.In(c.Tx, caller.Institution)
		if err != nil {
			return err
		}
		set, err := settingsOf(c.Tx, caller.Institution)
		if err != nil {
			return err
		}
		results = make([]Result, len(all))
		seen, pays := map[ItemID]bool{}, false
		for n, d := range all {
			results[n], err = judge(c, days, set, d, seen[d.Item])
			if err != nil {
				return err
			}
			seen[d.Item] = true
			pays = pays || results[n].Err == nil && d.Verdict == Pay
		}
		if len(all) == 1 && results[0].Err != nil {
			return results[0].Err // all of it is refused, and the door records it
		}
		if pays {
			if err := c.RequireProof([]byte("arp " + hashOf(all))); err != nil {
				return err
			}
		}
		return carryOut(c, all, results)
	})
	if err != nil {
		return nil, err
	}
	s.desk.Now(ctx)
	return results, nil
}

// judge finds out whether a decision may be made. What stands against it is in
// the result; an error is our failure.
func judge(c *guard.Change, days *calendar.Calendar, set Settings, d Decision, again bool) (Result, error) {
	i, found, err := findItem(c.Tx, placeOf(c.Caller), d.Item)
	if err != nil {
		return Result{}, err
	}
	r := Result{Item: i}
	if !found || i.Mismatch == "" || again {
		r.Item, r.Err = Item{ID: d.Item}, ErrNoItem
		return r, nil
	}
	if r.Err, err = faulted(require(c, i.Operation(), i.Account)); r.Err != nil || err != nil {
		return r, err
	}
	if r.Err, err = faulted(d.check(Reasons(i.Kind))); r.Err != nil || err != nil {
		return r, err
	}
	w := set.windowOf(days, i.Day, i.Created)
	switch {
	case !i.State.Waits() || d.Version > 0 && d.Version != i.Version:
		r.Err = fault.Newf(fault.Conflict, "Somebody else was faster: it is %s.", strings.ToLower(i.State.Label())).With("CHANGED")
	case c.Tx.Now.Before(w.Opens):
		r.Err = fault.Newf(fault.Conflict, "Exceptions of %s can be decided from %s on.", calendar.Long(w.Day), clock(w.Opens, days.Place)).With("WINDOW_NOT_OPEN")
	case !c.Tx.Now.Before(w.Closes):
		r.Err = fault.Newf(fault.Conflict, "The cut-off was at %s on %s. What nobody decided is settled by the institution.", clock(w.Closes, days.Place), calendar.Long(w.Day)).With("WINDOW_CLOSED")
	}
	return r, nil
}

func clock(at time.Time, place *time.Location) string { return at.In(place).Format("3:04 PM") }

// faulted tells a fault, which is an answer, from a failure.
func faulted(err error) (answer, failure error) {
	if _, ok := errors.AsType[*fault.Error](err); ok || err == nil {
		return err, nil
	}
	return nil, err
}

// carryOut makes the decisions that nothing stands against, and records the
// others.
func carryOut(c *guard.Change, all []Decision, results []Result) error {
	for n, d := range all {
		r := &results[n]
		if f, ok := errors.AsType[*fault.Error](r.Err); ok {
			if f.Kind == fault.Forbidden {
				c.RecordRefused(EventDecided, r.Item.target(), f.Code, f.Sentence)
			}
			continue
		}
		i := &r.Item
		old := i.State
		i.Reason, i.Note, i.By = d.Reason, strings.TrimSpace(d.Note), somebody(c.Caller)
		if err := i.send(c, d.Verdict); err != nil {
			return err
		}
		changes := []activity.Change{{Field: "state", Old: string(old), New: string(i.State)}}
		if i.Reason != "" {
			changes = append(changes, activity.Change{Field: "reason", New: string(i.Reason)})
		}
		c.RecordQuiet(EventDecided, i.target(), i.Note, changes...)
	}
	return nil
}
