package identity_test

import (
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
