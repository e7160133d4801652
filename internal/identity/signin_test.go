package identity_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
	"mandate/internal/identity"
)

func TestFirstSignInActivates(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		dana := w.enrolled("dana", bank.StatusPending)
		g := w.signIn("Ｄana ") // any spelling of the name
		if got := w.status(dana); got != bank.StatusActive {
			t.Errorf("status after the first sign-in is %v, want active", got)
		}
		w.signIn("DANA")
		if got, want := w.history(), "orguser.activated dana; auth.signin_succeeded dana"; got != want {
			t.Errorf("history is %q, want %q", got, want)
		}
		var revision int64
		w.read(func(tx *db.Tx) (err error) {
			revision, err = activity.Revision(tx, harbor, acme)
			return err
		})
		if revision != 1 {
			t.Errorf("the revision is %d, want 1: a sign-in changes nothing that decisions are made of", revision)
		}
		session, err := w.s.Session(t.Context(), harbor, g.Token, from)
		if err != nil {
			t.Fatal(err)
		}
		if c := session.Caller; c.Member() != "usr_dana" || c.Organization != acme || c.SignIn != session.ID || c.Name != "Dana Person" {
			t.Errorf("the caller is %+v", c)
		}
	})
}

func TestThreeWrongLock(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		dana := w.enrolled("dana", bank.StatusActive)
		open := w.signIn("dana")
		w.refused("dana", "wrong")
		w.refused("dana", "wrong")
		w.signIn("dana") // a success forgets both
		w.refused("dana", "wrong")
		w.refused("DANA", "wrong")
		if w.status(dana) != bank.StatusActive {
			t.Fatal("locked after two wrong attempts")
		}
		w.refused("dana", "wrong")
		if w.status(dana) != bank.StatusLocked {
			t.Fatal("not locked after three wrong attempts")
		}
		if err := w.session(open); !errors.Is(err, identity.ErrSignedOut) {
			t.Errorf("a sign-in survives the lock: %v", err)
		}
		if w.mail.count("orguser.locked") != 1 {
			t.Error("the person was not told")
		}
		w.refused("dana", rightPassword)
		w.unlock(dana)
		if err := w.session(open); !errors.Is(err, identity.ErrSignedOut) {
			t.Errorf("the unlock revives a sign-in: %v", err)
		}
		w.signIn("dana")
		if got := w.history(); !strings.Contains(got, "orguser.locked dana; auth.signin_failed dana (LOCKED); auth.signin_succeeded dana") {
			t.Errorf("history is %q", got)
		}
	})
}

// Exactly three wrong passwords are evaluated, however many come at once.
func TestSixtyAtOnce(t *testing.T) {
	rounds := 5
	if os.Getenv("MANDATE_SLOW") == "1" {
		rounds = 500
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		dana := w.enrolled("dana", bank.StatusActive)
		for round := range rounds {
			before := strings.Count(w.history(), "(WRONG_PASSWORD)")
			w.atOnce(60, func(i int) {
				if _, err := w.try("dana", identity.Secret(fmt.Sprint("wrong", i))); !errors.Is(err, identity.ErrSignIn) {
					t.Errorf("round %d: got %v, want the refusal", round, err)
				}
			})
			if n := strings.Count(w.history(), "(WRONG_PASSWORD)") - before; n != 3 {
				t.Fatalf("round %d: %d evaluated, want 3", round, n)
			}
			if w.status(dana) != bank.StatusLocked {
				t.Fatalf("round %d: not locked", round)
			}
			w.unlock(dana)
		}
	})
}

// A right password among many wrong ones never gives anybody more than three
// wrong attempts between one success and the next.
func TestSuccessAmongWrong(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		dana := w.enrolled("dana", bank.StatusActive)
		for range 10 {
			w.atOnce(12, func(i int) {
				password := identity.Secret("wrong")
				if i%4 == 0 {
					password = rightPassword
				}
				_, _ = w.try("dana", password)
			})
			wrong := 0
			for event := range strings.SplitSeq(w.history(), "; ") {
				switch event {
				case "auth.signin_failed dana (WRONG_PASSWORD)":
					wrong++
				case "auth.signin_succeeded dana", "orguser.unlocked dana":
					wrong = 0
				}
				if wrong > 3 {
					t.Fatalf("more than three evaluated: %s", w.history())
				}
			}
			if w.status(dana) == bank.StatusLocked {
				w.unlock(dana)
				w.signIn("dana")
			}
		}
	})
}

func (w *world) atOnce(n int, f func(i int)) {
	start := make(chan struct{})
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	group.Wait()
}

// The refusal is the same byte for byte, whoever is meant.
func TestRefusalsAreEqual(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.enrolled("active", bank.StatusActive)
		w.add("pending", bank.StatusPending)
		w.enrolled("locked", bank.StatusLocked)
		w.enrolled("disabled", bank.StatusDisabled)
		held := w.enrolled("held", bank.StatusActive)
		w.set(held, "held", true)
		for _, name := range []string{"active", "pending", "locked", "disabled", "held", "unknown", "", "a\x00b", "\xff"} {
			password := rightPassword
			if name == "active" {
				password = "wrong"
			}
			_, err := w.try(name, password)
			if got := fmt.Sprintf("%+v", err); got != fmt.Sprintf("%+v", error(identity.ErrSignIn)) || fault.KindOf(err) != fault.Unauthorized {
				t.Errorf("%q: got %q", name, got)
			}
		}
	})
}

func TestBlockedPeopleSpendNoStrikes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		dana := w.enrolled("dana", bank.StatusActive)
		w.set(dana, "held", true)
		for range 5 {
			w.refused("dana", rightPassword)
		}
		w.set(dana, "held", false)
		w.signIn("dana")
		if got, want := w.history(), "auth.signin_failed dana (HELD); auth.signin_succeeded dana"; got != want {
			t.Errorf("history is %q, want %q: one note, and no lock", got, want)
		}
	})
}

func TestThrottleComesBeforeStrikes(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), func(c *identity.Config) { c.ThrottleFactor = 1 })
	dana := w.enrolled("dana", bank.StatusActive)
	for range 10 {
		w.refused("nobody", "wrong")
	}
	for range 5 {
		_, err := w.try("dana", "wrong")
		if fault.KindOf(err) != fault.TooMany {
			t.Fatalf("got %v, want a throttle", err)
		}
		if r, ok := errors.AsType[identity.RetryAfter](err); !ok || r.Wait != minute {
			t.Errorf("retry after %v, want a minute", r.Wait)
		}
	}
	if w.status(dana) != bank.StatusActive || w.history() != "" {
		t.Errorf("the throttle spent strikes: %s", w.history())
	}
	other := attempt("dana", rightPassword)
	other.From.IP = "192.0.2.8"
	if _, err := w.s.SignIn(t.Context(), other); err != nil {
		t.Errorf("another address is throttled too: %v", err)
	}
	w.clock.Advance(minute)
	w.signIn("dana")
}

func TestThrottleOfNetwork(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), func(c *identity.Config) { c.ThrottleFactor = 1 })
	allowed := 0
	for i := range 100 {
		a := attempt("nobody", "wrong")
		a.From.IP = fmt.Sprintf("203.0.113.%d", i)
		if _, err := w.s.SignIn(t.Context(), a); errors.Is(err, identity.ErrSignIn) {
			allowed++
		}
	}
	if allowed != 60 {
		t.Errorf("%d attempts from one network were let through, want 60", allowed)
	}
}

func TestHashIsRenewedAtTodaysCost(t *testing.T) {
	d := dbtest.SQLite(t)
	w := newWorld(t, d)
	w.enrolled("dana", bank.StatusActive)
	dearer, err := identity.New(identity.Config{DB: d, Guard: w.guard, People: people{}, Mailer: w.mail, Keys: keys, Cost: identity.Cost{MemoryKiB: 64, Passes: 2, Lanes: 1}, RefusalTime: -1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dearer.SignIn(t.Context(), attempt("dana", rightPassword)); err != nil {
		t.Fatal(err)
	}
	var phc string
	w.read(func(tx *db.Tx) error { return tx.QueryRow(`select password_hash from credential`).Scan(&phc) })
	if !strings.HasPrefix(phc, "$argon2id$v=19$m=64,t=2,p=1$") {
		t.Errorf("the stored hash is %q", phc[:30])
	}
	w.signIn("dana")
}

func TestStaffLockAfterFive(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		sam := identity.Staff(harbor, "stf_sam")
		w.write(func(tx *db.Tx) error {
			_, err := tx.Exec(`insert into test_person (id, kind, organization, first_name, email, status, held, second, username) values ($1, $2, '', 'Sam', 'sam@harbor.example', 0, false, false, '')`, sam.ID, sam.Kind)
			return err
		})
		hash, err := w.s.Hash(t.Context(), rightPassword)
		if err != nil {
			t.Fatal(err)
		}
		w.write(func(tx *db.Tx) error { return w.s.PutCredential(tx, sam, "sam@harbor.example", hash) })
		try := func(password identity.Secret) error {
			_, err := w.s.SignIn(t.Context(), identity.Attempt{Institution: harbor, Kind: identity.KindStaff, Username: "sam@harbor.example", Password: password, From: from})
			return err
		}
		if err := try(rightPassword); err != nil || w.status(sam) != bank.StatusActive {
			t.Fatalf("staff sign-in: %v, %v", err, w.status(sam))
		}
		w.refused("sam@harbor.example", rightPassword) // not at the members' door
		for range 4 {
			_ = try("wrong")
		}
		if w.status(sam) != bank.StatusActive {
			t.Fatal("locked after four")
		}
		_ = try("wrong")
		if w.status(sam) != bank.StatusLocked {
			t.Fatal("not locked after five")
		}
	})
}

// heldLater holds everybody from the second look on: as if the hold came while
// the password was hashed.
type heldLater struct {
	people
	looks *int
}

func (h heldLater) Find(tx *db.Tx, who identity.Subject) (identity.Person, error) {
	p, err := h.people.Find(tx, who)
	*h.looks++
	p.Held = *h.looks > 1
	return p, err
}

func TestHoldDuringHashingWins(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		looks := 10
		w := newWorld(t, d, func(c *identity.Config) { c.People = heldLater{looks: &looks} })
		dana := w.enrolled("dana", bank.StatusActive)
		for range 4 {
			looks = 0
			w.refused("dana", rightPassword)
		}
		if w.status(dana) != bank.StatusActive {
			t.Error("right passwords were counted as wrong")
		}
	})
}
