package identity_test

import (
	"errors"
	"strings"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
	"mandate/internal/identity"
)

func TestChangeOwnPassword(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.enrolled("dana", bank.StatusActive)
		g, other := w.signIn("dana"), w.signIn("dana")
		me := g.Session.Caller
		if err := w.s.ChangePassword(t.Context(), me, newSecret); fault.KindOf(err) != fault.StepUp {
			t.Fatalf("without a high-risk authorization: %v", err)
		}
		if err := w.prove(g, identity.PasswordChange(me), ownPassword); err != nil {
			t.Fatal(err)
		}
		if err := w.s.ChangePassword(t.Context(), me, "short"); fault.KindOf(err) != fault.Invalid {
			t.Errorf("a short one: %v", err)
		}
		if err := w.s.ChangePassword(t.Context(), me, newSecret); err != nil {
			t.Fatalf("after one that could not be used: %v", err)
		}
		if err := w.s.ChangePassword(t.Context(), me, newSecret); fault.KindOf(err) != fault.StepUp {
			t.Errorf("the authorization is good for two changes: %v", err)
		}
		w.wantOpen(g, true)
		w.wantOpen(other, false)
		w.refused("dana", rightPassword)
		if _, err := w.try("dana", newSecret); err != nil {
			t.Errorf("with the new password: %v", err)
		}
		if w.mail.count("auth.password_changed") != 1 {
			t.Error("the person was not told")
		}
		if !strings.Contains(w.history(), "auth.password_changed dana") {
			t.Errorf("history is %q", w.history())
		}
	})
}

// A reset link that is on its way would undo the change: it ends, also in a
// browser that has redeemed it.
func TestChangeOfPasswordEndsResetLinks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		dana := w.enrolled("dana", bank.StatusActive)
		change := func() {
			t.Helper()
			g := w.signIn("dana")
			if err := w.prove(g, identity.PasswordChange(g.Session.Caller), ownPassword); err != nil {
				t.Fatal(err)
			}
			if err := w.s.ChangePassword(t.Context(), g.Session.Caller, rightPassword); err != nil {
				t.Fatal(err)
			}
		}
		waiting := w.sendReset(dana)
		change()
		w.fails(reset, waiting, "LINK_CANCELLED")
		browser := w.redeem(reset, w.sendReset(dana))
		change()
		err := w.s.ResetPassword(t.Context(), harbor, browser, newSecret, from)
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != "LINK_CANCELLED" {
			t.Errorf("the browser that redeemed a link: %v", err)
		}
		w.signIn("dana")
	})
}
