package identity_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
	"mandate/internal/identity"
)

const (
	invitation = identity.PurposeInvitation
	reset      = identity.PurposeReset
	newSecret  = identity.Secret("quiet evenings by a northern lake")
)

var ana = bank.Caller{Kind: bank.ActorMember, ID: "usr_ana", Name: "Ana Admin", Institution: harbor, Organization: acme}

func (w *world) invite(who identity.Subject) identity.Secret {
	w.t.Helper()
	w.write(func(tx *db.Tx) error {
		_, err := w.s.Invite(tx, who, ana)
		return err
	})
	return w.mail.token(w.t, "orguser.invited")
}

func (w *world) sendReset(who identity.Subject) identity.Secret {
	w.t.Helper()
	w.write(func(tx *db.Tx) error {
		_, err := w.s.SendReset(tx, who, ana)
		return err
	})
	return w.mail.token(w.t, "orguser.password_reset_sent")
}

func (w *world) redeem(purpose identity.Purpose, token identity.Secret) identity.Secret {
	w.t.Helper()
	browser, _, err := w.s.Redeem(w.t.Context(), harbor, purpose, token, from)
	if err != nil {
		w.t.Fatalf("redeem: %v", err)
	}
	return browser
}

func (w *world) state(who identity.Subject, purpose identity.Purpose) (state identity.LinkState) {
	w.t.Helper()
	w.read(func(tx *db.Tx) error {
		l, _, err := identity.Newest(tx, who, purpose)
		state = l.State
		return err
	})
	return state
}

// fails checks that looking and redeeming both fail with a code.
func (w *world) fails(purpose identity.Purpose, token identity.Secret, code string) {
	w.t.Helper()
	_, look := w.s.Look(w.t.Context(), harbor, purpose, token)
	_, _, redeem := w.s.Redeem(w.t.Context(), harbor, purpose, token, from)
	for _, err := range []error{look, redeem} {
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != code {
			w.t.Errorf("got %v, want %s", err, code)
		}
	}
}

// wanted checks whether a mail that waits would go out.
func (w *world) wanted(m identity.Mail, want bool) {
	w.t.Helper()
	w.read(func(tx *db.Tx) error {
		got, err := identity.StillWanted(tx, m)
		if got != want {
			w.t.Errorf("%s is wanted: %t, want %t", m.Subject, got, want)
		}
		return err
	})
}

func TestInvitationToSignIn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		dana := w.add("dana", bank.StatusPending)
		token := w.invite(dana)
		m := w.mail.last(t, "orguser.invited")
		if m.To != "dana@acme.example" || m.Button != "Join" || !strings.Contains(m.Subject, "Ana Admin") || !strings.HasPrefix(string(m.Link), "/harbor/invitation/") {
			t.Errorf("the mail is %+v", m)
		}
		for range 3 { // fetching changes nothing
			if e, err := w.s.Look(t.Context(), harbor, invitation, token); err != nil || e.Person.Name() != "Dana Person" {
				t.Fatalf("look: %+v, %v", e, err)
			}
		}
		w.write(func(tx *db.Tx) error { return w.s.MailAccepted(tx, harbor, m.Key) })
		if got := w.state(dana, invitation); got != identity.LinkAccepted {
			t.Errorf("state is %s, want accepted", got)
		}
		browser := w.redeem(invitation, token)
		w.fails(invitation, token, "LINK_USED")
		for range 2 { // a refresh
			if _, err := w.s.Resume(t.Context(), harbor, invitation, browser); err != nil {
				t.Fatalf("resume: %v", err)
			}
		}
		err := w.s.Enrol(t.Context(), harbor, browser, "d", "short", from)
		if problems := fault.ProblemsOf(err); len(problems) < 2 || problems[0].Field != "username" || problems[1].Field != "password" {
			t.Errorf("all problems at once: got %v", problems)
		}
		if err := w.s.Enrol(t.Context(), harbor, browser, "Dana.W", newSecret, from); err != nil {
			t.Fatalf("enrol: %v", err)
		}
		if w.status(dana) != bank.StatusPending || w.state(dana, invitation) != identity.LinkCompleted {
			t.Error("pending until the first sign-in, and the invitation completed")
		}
		if err := w.s.Enrol(t.Context(), harbor, browser, "again", newSecret, from); err == nil {
			t.Error("enrolled twice")
		}
		w.fails(invitation, token, "LINK_USED")
		if _, err := w.try("dana.w", newSecret); err != nil || w.status(dana) != bank.StatusActive {
			t.Errorf("sign in: %v, %v", err, w.status(dana))
		}
		want := "orguser.invite_delivered dana; orguser.invite_opened dana; orguser.credentials_created dana; orguser.activated dana"
		if got := w.history(); got != want {
			t.Errorf("history is %q, want %q", got, want)
		}
	})
}

// What the mail server refuses has reached nobody, and a new one can be sent.
func TestRefusedMail(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		dana := w.add("dana", bank.StatusPending)
		first := w.invite(dana)
		refuse := func() {
			t.Helper()
			key := w.mail.last(t, "orguser.invited").Key
			w.write(func(tx *db.Tx) error { return w.s.MailRefused(tx, harbor, key, "no such address") })
		}
		refuse()
		if w.state(dana, invitation) != identity.LinkRefused {
			t.Errorf("state is %s", w.state(dana, invitation))
		}
		w.fails(invitation, first, "LINK_CANCELLED")
		w.redeem(invitation, w.invite(dana))
		refuse() // it was not: somebody has used it
		if w.state(dana, invitation) != identity.LinkRedeemed {
			t.Errorf("state of the second is %s", w.state(dana, invitation))
		}
		if got, want := w.history(), "orguser.invite_failed dana; orguser.invite_opened dana"; got != want {
			t.Errorf("history is %q, want %q", got, want)
		}
		w.read(func(tx *db.Tx) error {
			all, err := identity.Links(tx, dana, invitation, 10)
			if len(all) != 2 || all[0].State != identity.LinkRedeemed || all[1].State != identity.LinkRefused {
				t.Errorf("the links are %+v", all)
			}
			return err
		})
	})
}

func TestInvitationFailures(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		dana := w.add("dana", bank.StatusPending)
		first := w.invite(dana)
		w.clock.Advance(7*24*time.Hour - time.Second)
		if _, err := w.s.Look(t.Context(), harbor, invitation, first); err != nil {
			t.Errorf("a second before seven days: %v", err)
		}
		w.clock.Advance(time.Second)
		w.fails(invitation, first, "LINK_EXPIRED")
		if w.state(dana, invitation) != identity.LinkExpired {
			t.Errorf("state is %s", w.state(dana, invitation))
		}

		second := w.invite(dana)
		w.fails(invitation, first, "LINK_REPLACED")
		browser := w.redeem(invitation, second)
		third := w.invite(dana)
		w.fails(invitation, second, "LINK_REPLACED")
		if _, err := w.s.Resume(t.Context(), harbor, invitation, browser); fault.KindOf(err) != fault.Conflict {
			t.Errorf("an enrolment outlives its invitation: %v", err)
		}
		w.write(func(tx *db.Tx) error {
			ended, err := w.s.CancelInvitation(tx, dana)
			if !ended {
				t.Error("nothing was cancelled")
			}
			return err
		})
		w.fails(invitation, third, "LINK_CANCELLED")
		w.fails(invitation, "nonsense", "LINK_UNKNOWN")
		w.fails(reset, third, "LINK_UNKNOWN") // of another purpose
		if len(w.mail.cancelled) != 3 {
			t.Errorf("%d mails were taken back, want 3", len(w.mail.cancelled))
		}

		fourth := w.invite(dana)
		browser = w.redeem(invitation, fourth)
		w.clock.Advance(30*time.Minute - time.Second)
		if _, err := w.s.Resume(t.Context(), harbor, invitation, browser); err != nil {
			t.Errorf("a second before thirty minutes: %v", err)
		}
		w.clock.Advance(time.Second)
		if err := w.s.Enrol(t.Context(), harbor, browser, "dana", newSecret, from); fault.KindOf(err) != fault.Conflict {
			t.Errorf("enrolled after thirty minutes: %v", err)
		}
		w.set(dana, "status", bank.StatusActive)
		err := d.Write(t.Context(), func(tx *db.Tx) error { _, err := w.s.Invite(tx, dana, ana); return err })
		if fault.KindOf(err) != fault.Conflict {
			t.Errorf("an active person was invited: %v", err)
		}
	})
}

func TestOneRedeemsOfTwenty(t *testing.T) {
	rounds := 3
	if os.Getenv("MANDATE_SLOW") == "1" {
		rounds = 500
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		dana := w.add("dana", bank.StatusPending)
		for range rounds {
			w.clock.Advance(2 * time.Hour) // so that the day's links do not run out
			token := w.invite(dana)
			var winners atomic.Int64
			w.atOnce(20, func(int) {
				_, _, err := w.s.Redeem(t.Context(), harbor, invitation, token, from)
				f, _ := errors.AsType[*fault.Error](err)
				switch {
				case err == nil:
					winners.Add(1)
				case f == nil || f.Code != "LINK_USED":
					t.Errorf("a loser got %v", err)
				}
			})
			if winners.Load() != 1 {
				t.Fatalf("%d redeemed, want 1", winners.Load())
			}
		}
	})
}

func TestUsernamesAreUniqueInAnySpelling(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.enrolled("dana", bank.StatusActive)
		eve := w.add("eve", bank.StatusPending)
		browser := w.redeem(invitation, w.invite(eve))
		err := w.s.Enrol(t.Context(), harbor, browser, "ＤANA", newSecret, from)
		if !errors.Is(err, identity.ErrUsernameTaken) {
			t.Errorf("got %v", err)
		}
		if err := w.s.Enrol(t.Context(), harbor, browser, "eve", newSecret, from); err != nil {
			t.Errorf("another name in the same enrolment: %v", err)
		}
	})
}

func TestReset(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		dana := w.enrolled("dana", bank.StatusActive)
		open := w.signIn("dana")
		old := w.sendReset(dana)
		token := w.sendReset(dana)
		w.fails(reset, old, "LINK_REPLACED")
		w.clock.Advance(30*time.Minute - time.Second)
		browser := w.redeem(reset, token)
		if e, err := w.s.Resume(t.Context(), harbor, reset, browser); err != nil || e.Username != "dana" {
			t.Errorf("resume: %+v, %v", e, err)
		}
		w.clock.Advance(-29 * time.Minute) // so that the sign-in would still be open
		if err := w.s.ResetPassword(t.Context(), harbor, browser, newSecret, from); err != nil {
			t.Fatal(err)
		}
		w.wantOpen(open, false)
		w.refused("dana", rightPassword)
		if _, err := w.try("dana", newSecret); err != nil {
			t.Errorf("the new password: %v", err)
		}
		w.fails(reset, token, "LINK_USED")
		last := w.sendReset(dana)
		w.clock.Advance(30 * time.Minute)
		w.fails(reset, last, "LINK_EXPIRED")
	})
}

func TestResetNeverUnlocks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		dana := w.enrolled("dana", bank.StatusActive)
		for range 3 {
			w.refused("dana", "wrong")
		}
		browser := w.redeem(reset, w.sendReset(dana))
		if err := w.s.ResetPassword(t.Context(), harbor, browser, newSecret, from); err != nil {
			t.Fatal(err)
		}
		if w.status(dana) != bank.StatusLocked {
			t.Error("the reset unlocked")
		}
		w.refused("dana", newSecret)
		w.unlock(dana)
		if _, err := w.try("dana", newSecret); err != nil {
			t.Errorf("after the unlock: %v", err)
		}

		// Two strikes survive a reset: a third wrong one still locks.
		w.refused("dana", "wrong")
		w.refused("dana", "wrong")
		browser = w.redeem(reset, w.sendReset(dana))
		if err := w.s.ResetPassword(t.Context(), harbor, browser, rightPassword, from); err != nil {
			t.Fatal(err)
		}
		w.refused("dana", "wrong")
		if w.status(dana) != bank.StatusLocked {
			t.Error("the reset forgot strikes")
		}
	})
}

func TestForgot(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.enrolled("dana", bank.StatusActive)
		w.add("pending", bank.StatusPending)
		w.enrolled("gone", bank.StatusDisabled)
		sent := func(name string) int {
			t.Helper()
			before := w.mail.count("orguser.password_reset_sent")
			if err := w.s.Forgot(t.Context(), identity.Forgotten{Institution: harbor, Kind: identity.KindMember, Name: name, From: from}); err != nil {
				t.Errorf("%q: %v", name, err)
			}
			return w.mail.count("orguser.password_reset_sent") - before
		}
		var got []int
		for _, name := range []string{"nobody", "", "\xff", "pending", "pending@acme.example", "gone", "DANA", "dana@acme.example", "dana", "dana"} {
			got = append(got, sent(name))
		}
		if want := []int{0, 0, 0, 0, 0, 0, 1, 1, 1, 0}; !slices.Equal(got, want) {
			t.Errorf("sent %v, want %v: three in an hour, then silence", got, want)
		}
		w.clock.Advance(time.Hour)
		if sent("dana") != 1 {
			t.Error("not sent after an hour")
		}
	})
}

func TestForgottenPeopleLeaveNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		dana := w.enrolled("dana", bank.StatusActive)
		open := w.signIn("dana")
		token := w.sendReset(dana)
		letter := w.mail.last(t, "orguser.password_reset_sent")
		w.wanted(letter, true)
		w.write(func(tx *db.Tx) error { return identity.Forget(tx, dana) })
		w.wanted(letter, false)
		w.wantOpen(open, false)
		w.fails(reset, token, "LINK_UNKNOWN")
		w.refused("dana", rightPassword)
		for _, table := range []string{"credential", "sign_in", "known_device", "link", "proof", "second_factor", "recovery_code", "ceremony"} {
			w.read(func(tx *db.Tx) error {
				var n int
				err := tx.QueryRow(`select count(*) from ` + table).Scan(&n)
				if n != 0 {
					t.Errorf("%d rows are left in %s", n, table)
				}
				return err
			})
		}
	})
}
