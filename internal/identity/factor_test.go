package identity_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
	"mandate/internal/identity"
)

// code is what an authenticator app shows at the world's time.
func (w *world) code(seed identity.Secret) identity.Secret {
	w.t.Helper()
	code, err := totp.GenerateCode(string(seed), w.clock.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	return identity.Secret(code)
}

// addApp enrols an authenticator app for somebody signed in.
func (w *world) addApp(g identity.Granted) (seed identity.Secret, recovery []identity.Secret) {
	w.t.Helper()
	caller := g.Session.Caller
	if g.Session.Stage == identity.StageComplete {
		challenge := identity.Challenge{Action: "auth.second_factor_added", Target: caller.ID, Content: []byte("totp")}
		if _, err := w.s.BeginApp(w.t.Context(), caller, "Phone"); fault.KindOf(err) != fault.StepUp {
			w.t.Errorf("enrolling without a high-risk authorization: %v", err)
		}
		if err := w.prove(g, challenge, ownPassword); err != nil {
			w.t.Fatal(err)
		}
	}
	e, err := w.s.BeginApp(w.t.Context(), caller, "Phone")
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.s.ConfirmApp(w.t.Context(), caller, e.ID, "000000"); fault.KindOf(err) != fault.Invalid {
		w.t.Errorf("a wrong code confirms: %v", err)
	}
	recovery, err = w.s.ConfirmApp(w.t.Context(), caller, e.ID, w.code(e.Seed))
	if err != nil {
		w.t.Fatal(err)
	}
	return e.Seed, recovery
}

func (w *world) second(g identity.Granted, a identity.Answer) (identity.Granted, error) {
	w.t.Helper()
	return w.s.SecondFactor(w.t.Context(), harbor, g.Token, a, from)
}

func TestSignInWithApp(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.enrolled("dana", bank.StatusActive)
		seed, recovery := w.addApp(w.signIn("dana"))
		if len(recovery) != 10 {
			t.Fatalf("%d recovery codes, want 10", len(recovery))
		}
		waiting := w.signIn("dana")
		if waiting.Session.Stage != identity.StageSecondFactor {
			t.Fatalf("stage is %v", waiting.Session.Stage)
		}
		w.wantOpen(waiting, false) // the password alone opens nothing
		if _, methods, err := w.s.Waiting(t.Context(), harbor, waiting.Token, from); err != nil || len(methods) != 2 {
			t.Errorf("methods are %v, %v", methods, err)
		}
		used := w.code(seed)
		if _, err := w.second(waiting, identity.Answer{Code: used}); !errors.Is(err, identity.ErrSignIn) {
			t.Errorf("the code that confirmed the app is accepted again: %v", err)
		}
		w.clock.Advance(30 * time.Second)
		fresh := w.code(seed)
		g, err := w.second(waiting, identity.Answer{Code: fresh})
		if err != nil || g.Session.Factor != "totp" {
			t.Fatalf("the right code: %v, %+v", err, g.Session)
		}
		w.wantOpen(g, true)
		if g.Token == waiting.Token {
			t.Error("the token is the same after the second factor")
		}
		if _, err := w.second(waiting, identity.Answer{Code: fresh}); !errors.Is(err, identity.ErrSignedOut) {
			t.Errorf("the waiting sign-in goes on: %v", err)
		}
		if _, err := w.second(w.signIn("dana"), identity.Answer{Code: fresh}); !errors.Is(err, identity.ErrSignIn) {
			t.Errorf("a code is accepted twice: %v", err)
		}
		typed := identity.Secret(strings.ToLower(strings.ReplaceAll(string(recovery[0]), "-", " ")))
		if _, err := w.second(w.signIn("dana"), identity.Answer{Recovery: typed}); err != nil {
			t.Errorf("a recovery code: %v", err)
		}
		if _, err := w.second(w.signIn("dana"), identity.Answer{Recovery: typed}); !errors.Is(err, identity.ErrSignIn) {
			t.Errorf("a recovery code is accepted twice: %v", err)
		}
		factors, left, err := w.s.Factors(t.Context(), g.Session.Caller)
		if err != nil || len(factors) != 1 || factors[0].Name != "Phone" || left != 9 {
			t.Errorf("factors %+v, %d codes, %v", factors, left, err)
		}
	})
}

// Wrong codes count with wrong passwords, and the right password in between
// does not forget them.
func TestWrongCodesLock(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		dana := w.enrolled("dana", bank.StatusActive)
		seed, _ := w.addApp(w.signIn("dana"))
		w.refused("dana", "wrong")
		for range 2 {
			if _, err := w.second(w.signIn("dana"), identity.Answer{Code: "000000"}); !errors.Is(err, identity.ErrSignIn) {
				t.Errorf("got %v", err)
			}
		}
		if w.status(dana) != bank.StatusLocked {
			t.Fatal("not locked after one wrong password and two wrong codes")
		}
		w.clock.Advance(minute)
		w.refused("dana", rightPassword)
		w.unlock(dana)
		if _, err := w.second(w.signIn("dana"), identity.Answer{Code: w.code(seed)}); err != nil {
			t.Error(err)
		}
	})
}

func TestHighRiskTakesTheSecondFactor(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.enrolled("dana", bank.StatusActive)
		g := w.signIn("dana")
		seed, recovery := w.addApp(g)
		if methods, err := w.s.AskProof(t.Context(), g.Session.Caller, delete7); err != nil || len(methods) != 2 || methods[0] != identity.MethodTOTP {
			t.Errorf("methods are %v, %v", methods, err)
		}
		if err := w.prove(g, delete7, ownPassword); fault.KindOf(err) != fault.Invalid {
			t.Errorf("the password alone: %v", err)
		}
		w.clock.Advance(30 * time.Second)
		code := identity.Answer{Code: w.code(seed)}
		if err := w.prove(g, delete7, code); err != nil {
			t.Fatal(err)
		}
		if err := w.act(g.Session.Caller, delete7); err != nil {
			t.Error(err)
		}
		if err := w.prove(g, delete7, code); fault.KindOf(err) != fault.StepUp {
			t.Errorf("a code is accepted twice: %v", err)
		}

		factors, _, err := w.s.Factors(t.Context(), g.Session.Caller)
		if err != nil {
			t.Fatal(err)
		}
		id := factors[0].ID
		if err := w.s.RemoveFactor(t.Context(), g.Session.Caller, id); fault.KindOf(err) != fault.StepUp {
			t.Errorf("removed without a high-risk authorization: %v", err)
		}
		removal := identity.Challenge{Action: "auth.second_factor_removed", Target: g.Session.Caller.ID, Content: []byte(id)}
		if err := w.prove(g, removal, identity.Answer{Recovery: recovery[1]}); err != nil {
			t.Fatal(err)
		}
		if err := w.s.RemoveFactor(t.Context(), g.Session.Caller, id); err != nil {
			t.Fatal(err)
		}
		if stage := w.signIn("dana").Session.Stage; stage != identity.StageComplete {
			t.Errorf("stage without factors is %v", stage)
		}
		if w.mail.count("auth.second_factor_added") != 1 || w.mail.count("auth.second_factor_removed") != 1 {
			t.Error("the person was not told")
		}
	})
}

func TestRequiredSecondFactorIsEnrolledInTheSameFlow(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		dana := w.enrolled("dana", bank.StatusPending)
		w.set(dana, "second", true)
		waiting := w.signIn("dana")
		if waiting.Session.Stage != identity.StageEnrol || w.status(dana) != bank.StatusPending {
			t.Fatalf("stage %v, status %v", waiting.Session.Stage, w.status(dana))
		}
		if _, err := w.s.FinishEnrolment(t.Context(), harbor, waiting.Token, from); err == nil {
			t.Error("finished without a second factor")
		}
		if err := w.prove(waiting, delete7, ownPassword); !errors.Is(err, identity.ErrSignedOut) {
			t.Errorf("an unfinished sign-in proves: %v", err)
		}
		w.addApp(waiting)
		g, err := w.s.FinishEnrolment(t.Context(), harbor, waiting.Token, from)
		if err != nil {
			t.Fatal(err)
		}
		w.wantOpen(g, true)
		if w.status(dana) != bank.StatusActive {
			t.Error("not active after the first sign-in")
		}
	})
}

func TestResetNeverSkipsTheSecondFactor(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	dana := w.enrolled("dana", bank.StatusActive)
	w.addApp(w.signIn("dana"))
	browser := w.redeem(reset, w.sendReset(dana))
	if err := w.s.ResetPassword(t.Context(), harbor, browser, newSecret, from); err != nil {
		t.Fatal(err)
	}
	if g, err := w.try("dana", newSecret); err != nil || g.Session.Stage != identity.StageSecondFactor {
		t.Errorf("stage %v, %v", g.Session.Stage, err)
	}
}

func TestSeedsAreSealedAndBoundToTheirRow(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	dana, eve := w.enrolled("dana", bank.StatusActive), w.enrolled("eve", bank.StatusActive)
	seed, _ := w.addApp(w.signIn("dana"))
	w.addApp(w.signIn("eve"))
	w.write(func(tx *db.Tx) error { // somebody with the database moves a seed
		_, err := tx.Exec(`update second_factor set last_step = 0, secret = (select secret from second_factor where subject_id = $1) where subject_id = $2`, dana.ID, eve.ID)
		return err
	})
	w.clock.Advance(minute)
	if _, err := w.second(w.signIn("eve"), identity.Answer{Code: w.code(seed)}); err == nil || errors.Is(err, identity.ErrSignIn) {
		t.Errorf("a moved seed: got %v, want a failure", err)
	}
}
