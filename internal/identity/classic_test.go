package identity_test

import (
	"errors"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
	"mandate/internal/identity"
)

var inClassic = identity.Source{Channel: bank.ChannelClassic, IP: "203.0.113.9", Device: "Classic"}

func (w *world) inClassic(username string, password identity.Secret) (identity.Granted, error) {
	w.t.Helper()
	return w.s.SignIn(w.t.Context(), identity.Attempt{Institution: harbor, Kind: identity.KindMember, Username: username, Password: password, From: inClassic})
}

// A sign-in of Classic is of no use in Online, nor the other way round. A ticket
// leads from one to the other: once, for a minute, for whoever may sign in.
func TestClassicAndOnline(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx, clock := t.Context(), dbtest.ClockOf(t, d)
		dana := w.enrolled("dana", bank.StatusActive)
		g, err := w.inClassic("dana", rightPassword)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.s.Session(ctx, harbor, g.Token, inClassic); err != nil {
			t.Errorf("in Classic: %v", err)
		}
		if err := w.session(g); !errors.Is(err, identity.ErrSignedOut) {
			t.Errorf("a sign-in of Classic in Online: %v", err)
		}
		online := w.signIn("dana")
		if _, err := w.s.Session(ctx, harbor, online.Token, inClassic); !errors.Is(err, identity.ErrSignedOut) {
			t.Errorf("a sign-in of Online in Classic: %v", err)
		}
		if _, err := w.s.SignOnTicket(ctx, harbor, online.Token, identity.Source{Channel: bank.ChannelOnline}); !errors.Is(err, identity.ErrSignedOut) {
			t.Errorf("a ticket from Online: %v", err)
		}
		ticket := func() identity.Secret {
			t.Helper()
			ticket, err := w.s.SignOnTicket(ctx, harbor, g.Token, inClassic)
			if err != nil {
				t.Fatal(err)
			}
			return ticket
		}
		on := func(at bank.InstitutionID, ticket identity.Secret) error {
			got, err := w.s.SignOn(ctx, at, ticket, identity.Source{Channel: bank.ChannelOnline})
			if err == nil {
				err = w.session(got)
			}
			return err
		}
		used := ticket()
		for name, test := range map[string]struct {
			at     bank.InstitutionID
			ticket identity.Secret
		}{"elsewhere": {"another", used}, "unknown": {harbor, "nothing"}} {
			if err := on(test.at, test.ticket); fault.KindOf(err) != fault.Conflict {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := on(harbor, used); err != nil {
			t.Errorf("with a ticket: %v", err)
		}
		if err := on(harbor, used); fault.KindOf(err) != fault.Conflict {
			t.Errorf("with the same ticket: %v", err)
		}
		late := ticket()
		clock.Advance(time.Minute)
		if err := on(harbor, late); fault.KindOf(err) != fault.Conflict {
			t.Errorf("after a minute: %v", err)
		}
		held := ticket()
		w.set(dana, "held", true)
		if err := on(harbor, held); !errors.Is(err, identity.ErrSignIn) {
			t.Errorf("on hold: %v", err)
		}
		w.set(dana, "held", false)
		left := ticket()
		if err := w.s.SignOut(ctx, harbor, g.Token); err != nil {
			t.Fatal(err)
		}
		if err := on(harbor, left); fault.KindOf(err) != fault.Conflict {
			t.Errorf("after leaving Classic: %v", err)
		}
	})
}

// Wrong passwords count together, wherever they were tried.
func TestStrikesCountInBothChannels(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		dana := w.enrolled("dana", bank.StatusActive)
		w.refused("dana", "wrong")
		for range 2 {
			if _, err := w.inClassic("dana", "wrong"); !errors.Is(err, identity.ErrSignIn) {
				t.Fatalf("a wrong password in Classic: %v", err)
			}
		}
		if status := w.status(dana); status != bank.StatusLocked {
			t.Errorf("after three wrong passwords %s", status)
		}
		if _, err := w.inClassic("dana", rightPassword); !errors.Is(err, identity.ErrSignIn) {
			t.Errorf("locked: %v", err)
		}
	})
}

// Credentials that are made in Classic serve both, and are made once.
func TestEnrolsInClassic(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.add("dana", bank.StatusPending)
		w.enrolled("lee", bank.StatusActive)
		enrol := func(member bank.UserID, username string, password identity.Secret) error {
			return w.s.EnrolInClassic(t.Context(), harbor, member, username, password, inClassic)
		}
		if err := enrol("usr_dana", "", "short"); len(fault.ProblemsOf(err)) != 3 {
			t.Errorf("problems of %v", err)
		}
		if err := enrol("usr_dana", "lee", rightPassword); fault.KindOf(err) != fault.Invalid && fault.KindOf(err) != fault.Conflict {
			t.Errorf("another's username: %v", err)
		}
		if err := enrol("usr_dana", "dana", rightPassword); err != nil {
			t.Fatal(err)
		}
		if err := enrol("usr_dana", "dana2", rightPassword); fault.KindOf(err) != fault.Conflict {
			t.Errorf("twice: %v", err)
		}
		if err := enrol("usr_lee", "lee2", rightPassword); fault.KindOf(err) != fault.Conflict {
			t.Errorf("for somebody who is active: %v", err)
		}
		if err := enrol("usr_none", "none", rightPassword); fault.KindOf(err) != fault.NotFound {
			t.Errorf("for nobody: %v", err)
		}
		if _, err := w.inClassic("dana", rightPassword); err != nil {
			t.Errorf("in Classic: %v", err)
		}
		w.signIn("dana")
	})
}
