package identity_test

import (
	"strings"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
	"mandate/internal/identity"
)

func (w *world) wantHistory(want ...string) {
	w.t.Helper()
	if got := w.history(); got != strings.Join(want, "; ") {
		w.t.Errorf("history is %q, want %q", got, strings.Join(want, "; "))
	}
}

// expire sweeps twice: the second time there is nothing left to tell.
func (w *world) expire() {
	w.t.Helper()
	for range 2 {
		if err := w.s.Expire(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
}

// The history tells of an invitation that nobody used; of one that was used,
// taken back, replaced or refused it tells that instead.
func TestExpiredInvitationsAreTold(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		dana, eve, fay, gus := w.add("dana", bank.StatusPending), w.add("eve", bank.StatusPending), w.add("fay", bank.StatusPending), w.add("gus", bank.StatusPending)
		w.redeem(invitation, w.invite(eve))
		w.invite(gus)
		w.write(func(tx *db.Tx) error {
			return w.s.MailRefused(tx, harbor, w.mail.last(t, "orguser.invited").Key, "no such address")
		})
		w.invite(fay)
		w.write(func(tx *db.Tx) error {
			_, err := w.s.CancelInvitation(tx, fay)
			return err
		})
		w.invite(dana)
		w.invite(dana) // replaces the first
		before := []string{"orguser.invite_opened eve", "orguser.invite_failed gus"}
		w.clock.Advance(7*24*time.Hour - time.Second)
		w.expire()
		w.wantHistory(before...)
		w.clock.Advance(time.Second)
		w.expire()
		w.wantHistory(append(before, "orguser.invite_expired dana")...)
		if got := w.state(dana, invitation); got != identity.LinkExpired {
			t.Errorf("the invitation is %s", got)
		}
	})
}

// Being asked for a high-risk authorization is told once, however often the page
// is shown; a right answer ends the question.
func TestQuestionsForAuthorizationAreTold(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.enrolled("dana", bank.StatusActive)
		g := w.signIn("dana")
		before := strings.Split(w.history(), "; ")
		w.asked(g, delete7)
		_ = w.prove(g, delete7, wrong)
		w.asked(g, delete7)
		if err := w.prove(g, delete7, ownPassword); err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(10 * minute)
		w.expire()
		w.wantHistory(append(before, "hra.requested dana", "hra.failed dana (WRONG_PASSWORD)", "hra.passed dana")...)
	})
}

// asked shows the page that asks for a proof.
func (w *world) asked(g identity.Granted, c identity.Challenge) {
	w.t.Helper()
	if methods, err := w.s.AskProof(w.t.Context(), g.Session.Caller, c); err != nil || len(methods) == 0 {
		w.t.Fatalf("ask: %v, %v", methods, err)
	}
}

// A question stands for five minutes. A later answer, right or wrong, is neither
// counted nor evaluated, and the question is asked anew.
func TestQuestionForAuthorizationEndsAfterFiveMinutes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		dana := w.enrolled("dana", bank.StatusActive)
		g := w.signIn("dana")
		before := strings.Split(w.history(), "; ")
		for range 2 {
			w.asked(g, delete7)
			w.clock.Advance(5 * minute)
			if err := w.prove(g, delete7, wrong); fault.KindOf(err) != fault.StepUp || !strings.Contains(err.Error(), "more than five minutes ago") {
				t.Fatalf("late: %v", err)
			}
			before = append(before, "hra.requested dana", "hra.expired dana")
		}
		w.wantHistory(before...)

		w.asked(g, delete7)
		if err := w.prove(g, delete7, wrong); err == nil || !strings.Contains(err.Error(), "2 more") {
			t.Errorf("late answers were counted: %v", err)
		}
		before = append(before, "hra.requested dana", "hra.failed dana (WRONG_PASSWORD)")
		w.clock.Advance(5*minute - time.Second)
		if err := w.prove(g, delete7, ownPassword); err != nil {
			t.Errorf("a second before: %v", err)
		}
		g = w.signIn("dana")
		before = append(before, "hra.passed dana", "auth.signin_succeeded dana")
		w.asked(g, delete7)
		w.clock.Advance(5 * minute)
		w.expire() // nobody comes back
		w.wantHistory(append(before, "hra.requested dana", "hra.expired dana")...)

		w.asked(g, delete7)
		w.write(func(tx *db.Tx) error { return identity.EndSignIns(tx, dana) })
		w.clock.Advance(5 * minute)
		w.expire() // it ended with the sign-in
		w.wantHistory(append(before, "hra.requested dana", "hra.expired dana", "hra.requested dana")...)
	})
}
