package identity_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/identity"
)

var (
	delete7     = identity.Challenge{Action: "orguser.deleted", Target: "usr_seven", Content: []byte("7")}
	ownPassword = identity.Answer{Password: rightPassword}
	wrong       = identity.Answer{Password: "wrong"}
)

func (w *world) prove(g identity.Granted, c identity.Challenge, a identity.Answer) error {
	w.t.Helper()
	return w.s.Prove(w.t.Context(), g.Session.Caller, c, a)
}

// act does what needs the proof, through the guard.
func (w *world) act(caller bank.Caller, c identity.Challenge) error {
	w.t.Helper()
	action := guard.Action{Event: c.Action, Organization: acme, Target: activity.Target{Kind: activity.TargetMember, ID: c.Target},
		Member: catalog.UnknownOperation, Others: []bank.ActorKind{bank.ActorMember}}
	return w.guard.Do(w.t.Context(), caller, action, func(change *guard.Change) error {
		if err := change.RequireProof(c.Content); err != nil {
			return err
		}
		change.Record()
		return nil
	})
}

func TestProofIsForOneActionTargetAndContentOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.enrolled("dana", bank.StatusActive)
		w.enrolled("eve", bank.StatusActive)
		g, other, eve := w.signIn("dana"), w.signIn("dana"), w.signIn("eve")
		if err := w.prove(g, delete7, ownPassword); err != nil {
			t.Fatal(err)
		}
		needsStepUp := func(caller bank.Caller, c identity.Challenge) {
			t.Helper()
			if err := w.act(caller, c); fault.KindOf(err) != fault.StepUp {
				t.Errorf("%+v: got %v, want a step-up", c, err)
			}
		}
		me := g.Session.Caller
		needsStepUp(me, identity.Challenge{Action: "orguser.created", Target: delete7.Target, Content: delete7.Content})
		needsStepUp(me, identity.Challenge{Action: delete7.Action, Target: "usr_eight", Content: delete7.Content})
		needsStepUp(me, identity.Challenge{Action: delete7.Action, Target: delete7.Target, Content: []byte("8")})
		needsStepUp(other.Session.Caller, delete7) // the same person, another sign-in
		needsStepUp(eve.Session.Caller, delete7)
		stolen := eve.Session.Caller
		stolen.SignIn = me.SignIn
		needsStepUp(stolen, delete7)
		if err := w.act(me, delete7); err != nil {
			t.Errorf("with the proof: %v", err)
		}
		needsStepUp(me, delete7) // once
	})
}

func TestProofEndsAfterFiveMinutes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.enrolled("dana", bank.StatusActive)
		g := w.signIn("dana")
		for _, late := range []bool{false, true} {
			if err := w.prove(g, delete7, ownPassword); err != nil {
				t.Fatal(err)
			}
			w.clock.Advance(5*minute - time.Second)
			if late {
				w.clock.Advance(time.Second)
			}
			if err := w.act(g.Session.Caller, delete7); (err != nil) != late {
				t.Errorf("late %v: %v", late, err)
			}
		}
	})
}

func TestThirdWrongProofSignsOutAndLocks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		dana := w.enrolled("dana", bank.StatusActive)
		g := w.signIn("dana")
		w.refused("dana", "wrong") // counts at its own door
		w.refused("dana", "wrong")
		for _, left := range []string{"2 more", "one more"} {
			err := w.prove(g, delete7, wrong)
			if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != fault.StepUp || !strings.Contains(f.Sentence, left) {
				t.Errorf("got %v, want %s", err, left)
			}
		}
		w.wantOpen(g, true)
		if err := w.prove(g, delete7, ownPassword); err != nil {
			t.Fatal(err) // a success forgets both
		}
		for range 2 {
			_ = w.prove(g, delete7, wrong)
		}
		if w.status(dana) != bank.StatusActive {
			t.Fatal("locked too early")
		}
		if err := w.prove(g, delete7, wrong); !errors.Is(err, identity.ErrSignedOut) {
			t.Errorf("the third got %v", err)
		}
		w.wantOpen(g, false)
		if w.status(dana) != bank.StatusLocked {
			t.Error("not locked")
		}
		if !strings.HasSuffix(w.history(), "hra.failed dana (WRONG_PASSWORD); hra.failed dana (WRONG_PASSWORD); hra.failed dana (WRONG_PASSWORD); orguser.locked dana") {
			t.Errorf("history is %q", w.history())
		}
	})
}

func TestSixtyWrongProofsAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		dana := w.enrolled("dana", bank.StatusActive)
		g := w.signIn("dana")
		w.atOnce(60, func(int) { _ = w.prove(g, delete7, wrong) })
		if n := strings.Count(w.history(), "hra.failed"); n != 3 || w.status(dana) != bank.StatusLocked {
			t.Errorf("%d evaluated, status %v", n, w.status(dana))
		}
	})
}
