package authorization_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"mandate/internal/activity"
	"mandate/internal/authorization"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/usermgmt"
)

// secondPerson is the world of the races about a second person: dana needs
// somebody for 20,000.00. Each round has a reference and a day of its own.
func secondPerson(t *testing.T, round func(w *world, ref string)) {
	eachWorld(t, 0, func(w *world) {
		w.change("dana", dual)
		for n := range dbtest.Rounds(6, 500) {
			round(w, fmt.Sprint("ref ", n))
			w.clock.Advance(24 * time.Hour)
		}
		w.addsUp()
	})
}

// together runs all of it at the same time.
func together(work ...func()) { parallel(len(work), func(i int) { work[i]() }) }

// verb calls a verb of the service and fails the test if it cannot be answered.
func (w *world) verb(call func() (authorization.Answer, error)) authorization.Answer {
	answer, err := call()
	if err != nil {
		w.t.Error(err)
	}
	return answer
}

// Of all who approve at once, by one name or two, one does; and however often
// it is confirmed at the same time, it goes out once and only approved.
func TestRaceToApproveTwice(t *testing.T) {
	secondPerson(t, func(w *world, ref string) {
		ctx := w.t.Context()
		w.says("authorize", w.authorize(ref, wire("dana", "40000.00")))
		var mu sync.Mutex
		yes := 0
		var work []func()
		for range 4 {
			work = append(work, func() {
				answer := w.verb(func() (authorization.Answer, error) { return w.service.Approve(ctx, client, ref, "lee") })
				mu.Lock()
				defer mu.Unlock()
				if answer.Allowed {
					yes++
				} else {
					w.says("the others", answer, entitlement.NotPending)
				}
			}, func() {
				answer := w.verb(func() (authorization.Answer, error) { return w.service.Confirm(ctx, client, ref) })
				if answer.Allowed && answer.Authorization.ApprovedBy != "lee" {
					w.t.Errorf("%s went out approved by %q", ref, answer.Authorization.ApprovedBy)
				}
				if !answer.Allowed {
					w.says("too early", answer, entitlement.NotApproved)
				}
			})
		}
		together(work...)
		if yes != 1 {
			w.t.Errorf("%s was approved %d times", ref, yes)
		}
		w.says("confirm", w.confirm(ref))
	})
}

// A payment that is changed while somebody approves it never goes out as it
// was not approved: its content cannot change, so the caller takes it back and
// asks anew.
func TestRaceToChangeWhileApproving(t *testing.T) {
	secondPerson(t, func(w *world, ref string) {
		ctx := w.t.Context()
		w.says("authorize", w.authorize(ref, wire("dana", "20000.00")))
		var voided, confirmed, changed authorization.Answer
		together(func() {
			w.verb(func() (authorization.Answer, error) { return w.service.Approve(ctx, client, ref, "lee") })
			confirmed = w.verb(func() (authorization.Answer, error) { return w.service.Confirm(ctx, client, ref) })
		}, func() {
			changed = w.verb(func() (authorization.Answer, error) {
				return w.service.Authorize(ctx, client, acme, ref, wire("dana", "90000.00"))
			})
			voided = w.verb(func() (authorization.Answer, error) { return w.service.Void(ctx, client, ref) })
		}, func() {
			w.says("as another member's", w.verb(func() (authorization.Answer, error) {
				return w.service.Authorize(ctx, client, acme, ref, wire("lee", "20000.00"))
			}), entitlement.RefReused)
		})
		w.says("other content", changed, entitlement.RefReused)
		if voided.Allowed == confirmed.Allowed {
			w.t.Errorf("%s: voided %t, confirmed %t", ref, voided.Allowed, confirmed.Allowed)
		}
		want := bank.Cents(0)
		if confirmed.Allowed {
			want = 20_000_00
		}
		if used := w.used(bank.DayOf(w.clock.Now(), time.UTC)); used != want {
			w.t.Errorf("%s: %s are used, want %s", ref, used, want)
		}
	})
}

// Whoever approves or initiated may lose the right at any moment: in the order
// of the history, nothing goes out after that.
func TestRaceToTakeTheRightAway(t *testing.T) {
	for _, loser := range []bank.UserID{"lee", "dana"} {
		t.Run(string(loser), func(t *testing.T) {
			secondPerson(t, func(w *world, ref string) {
				ctx := w.t.Context()
				w.says("authorize", w.authorize(ref, wire("dana", "20000.00")))
				var confirmed authorization.Answer
				together(func() {
					w.verb(func() (authorization.Answer, error) { return w.service.Approve(ctx, client, ref, "lee") })
					confirmed = w.verb(func() (authorization.Answer, error) { return w.service.Confirm(ctx, client, ref) })
				}, func() { w.standing(loser, true) })
				if last := w.lastEvent(); confirmed.Allowed && last != "test.taken" {
					w.t.Errorf("%s went out, and the last event is %s", ref, last)
				}
				if again := w.confirm(ref); again.Allowed != confirmed.Allowed {
					w.t.Errorf("%s: confirmed %t, and now %t", ref, confirmed.Allowed, again.Allowed)
				}
				w.standing(loser, false)
			})
		})
	}
}

// standing puts somebody of acme on hold, or takes them off it, with the stream
// locked and an event, as every change of rights does.
func (w *world) standing(name bank.UserID, held bool) {
	err := w.db.Write(w.t.Context(), func(tx *db.Tx) error {
		stream, err := activity.Lock(tx, first, acme)
		if err != nil {
			return err
		}
		o, err := usermgmt.FindOrganization(tx, first, acme)
		if err != nil {
			return err
		}
		ordinal := map[bank.UserID]int64{"dana": 1, "lee": 2}[name]
		event := map[bool]string{true: "test.taken", false: "test.given"}[held]
		return errors.Join(
			usermgmt.SetMemberStanding(tx, o.Num, ordinal, bank.RoleUser, bank.StatusActive, held),
			stream.Append(bank.NewID(bank.PrefixSave, tx.Now), activity.Event{Name: event}))
	})
	if err != nil {
		w.t.Error(err)
	}
}

// lastEvent is the name of the last event of acme that was not a refusal.
func (w *world) lastEvent() (name string) {
	w.must(w.db.Read(w.t.Context(), func(tx *db.Tx) error {
		events, err := activity.Feed(tx, activity.Filter{Institution: first, Organization: acme, Limit: 1})
		if len(events) > 0 {
			name = events[0].Name
		}
		return err
	}))
	return name
}
