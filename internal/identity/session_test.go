package identity_test

import (
	"errors"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/identity"
)

func (w *world) wantOpen(g identity.Granted, open bool) {
	w.t.Helper()
	err := w.session(g)
	if open && err != nil {
		w.t.Errorf("the sign-in should be open: %v", err)
	}
	if !open && !errors.Is(err, identity.ErrSignedOut) {
		w.t.Errorf("the sign-in should have ended: %v", err)
	}
}

func TestSignInsEndToTheSecond(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.enrolled("dana", bank.StatusActive)
		g := w.signIn("dana")
		w.clock.Advance(15*minute - time.Second)
		w.wantOpen(g, true) // and is used, which gives another quarter of an hour
		w.clock.Advance(15*minute - time.Second)
		w.wantOpen(g, true)
		w.clock.Advance(15 * minute)
		w.wantOpen(g, false)

		g = w.signIn("dana")
		for range 71 {
			w.clock.Advance(10 * minute)
			w.wantOpen(g, true)
		}
		w.clock.Advance(10*minute - time.Second)
		w.wantOpen(g, true)
		w.clock.Advance(time.Second)
		w.wantOpen(g, false) // twelve hours
	})
}

func TestUseIsWrittenOnceAMinute(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.enrolled("dana", bank.StatusActive)
		g := w.signIn("dana")
		w.clock.Advance(minute - time.Microsecond)
		w.wantOpen(g, true)
		w.clock.Advance(14*minute + time.Microsecond)
		w.wantOpen(g, false) // the use just before the minute was not written
	})
}

func TestStateEndsSignIns(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		dana := w.enrolled("dana", bank.StatusActive)
		g := w.signIn("dana")
		w.set(dana, "held", true)
		w.wantOpen(g, false) // even where nobody ended it
		w.set(dana, "held", false)
		w.wantOpen(g, true)
		w.write(func(tx *db.Tx) error { return identity.EndSignIns(tx, dana) })
		w.wantOpen(g, false)
	})
}

func TestListAndEnd(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.enrolled("dana", bank.StatusActive)
		w.enrolled("eve", bank.StatusActive)
		var all []identity.Granted
		for range 6 {
			w.clock.Advance(time.Second)
			all = append(all, w.signIn("dana"))
		}
		w.wantOpen(all[0], false) // five at once
		caller := all[5].Session.Caller
		list, err := w.s.ListSignIns(t.Context(), caller)
		if err != nil || len(list) != 5 || list[0].ID != all[5].Session.ID || list[0].Device != from.Device {
			t.Fatalf("the list is %+v, %v", list, err)
		}
		eve := w.signIn("eve")
		if err := w.s.EndSignIn(t.Context(), caller, eve.Session.ID); err != nil {
			t.Fatal(err)
		}
		w.wantOpen(eve, true) // not dana's to end
		if err := w.s.EndSignIn(t.Context(), caller, all[4].Session.ID); err != nil {
			t.Fatal(err)
		}
		w.wantOpen(all[4], false)
		w.wantOpen(all[3], true)
		if err := w.s.EndOtherSignIns(t.Context(), caller); err != nil {
			t.Fatal(err)
		}
		w.wantOpen(all[3], false)
		w.wantOpen(all[5], true)
		if err := w.s.SignOut(t.Context(), harbor, all[5].Token); err != nil {
			t.Fatal(err)
		}
		w.wantOpen(all[5], false)
	})
}

func TestNewDevice(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.enrolled("dana", bank.StatusActive)
		first := w.signIn("dana")
		if first.NewDevice {
			t.Error("the very first browser is told as new")
		}
		again := attempt("dana", rightPassword)
		again.From.DeviceToken = first.DeviceToken
		if g, err := w.s.SignIn(t.Context(), again); err != nil || g.NewDevice || g.DeviceToken != first.DeviceToken {
			t.Errorf("the same browser: new %v, %v", g.NewDevice, err)
		}
		if !w.signIn("dana").NewDevice {
			t.Error("another browser is not told as new")
		}
	})
}

// A token of one institution opens nothing in another, and no token opens
// nothing.
func TestTokensAreOfOneInstitution(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.enrolled("dana", bank.StatusActive)
	g := w.signIn("dana")
	for _, err := range []error{
		errOf(w.s.Session(t.Context(), "other", g.Token, from)),
		errOf(w.s.Session(t.Context(), harbor, "", from)),
		errOf(w.s.Session(t.Context(), harbor, g.Token+"x", from)),
	} {
		if !errors.Is(err, identity.ErrSignedOut) {
			t.Errorf("got %v", err)
		}
	}
}

func errOf(_ identity.Session, err error) error { return err }

func TestRestoreVoidsEverything(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		dana, eve := w.enrolled("dana", bank.StatusActive), w.add("eve", bank.StatusPending)
		g, resetting, inviting := w.signIn("dana"), w.sendReset(dana), w.invite(eve)
		w.write(func(tx *db.Tx) error { return identity.VoidAll(tx, harbor) })
		w.wantOpen(g, false)
		w.fails(reset, resetting, "LINK_CANCELLED")
		w.fails(invitation, inviting, "LINK_CANCELLED")
	})
}
