package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/identity"
)

// The installation's key is changed while people sign in and products ask for
// signing keys: nobody notices, the old key goes only when nothing needs it, and
// everything that was sealed opens afterwards.
func TestRootKeyIsChangedUnnoticed(t *testing.T) {
	eachURL(t, func(t *testing.T, url string) {
		w := live(t, url)
		w.factor()
		ctx, stop := context.WithCancel(t.Context())
		var everybody sync.WaitGroup
		for _, do := range []func(context.Context) error{w.signsIn, w.signs, w.signs} {
			everybody.Go(func() {
				for ctx.Err() == nil {
					if err := do(ctx); err != nil && ctx.Err() == nil {
						t.Errorf("somebody noticed: %v", err)
						return
					}
				}
			})
		}
		dir := w.a.Config.Data
		id, err := AddRootKey(dir, w.a.Clock.Now())
		w.must(err)
		w.must(w.a.followRootKeys())
		w.must(UseRootKey(dir, id))
		w.must(w.a.followRootKeys())
		if err := RetireRootKey(ctx, dir, firstRootKey, w.a.DB); err == nil || !strings.Contains(err.Error(), "still sealed") {
			t.Errorf("a key that is needed was taken away: %v", err)
		}
		if err := RetireRootKey(ctx, dir, id, w.a.DB); err == nil {
			t.Error("the key that seals was taken away")
		}
		w.must(w.a.resealAll(ctx))
		w.must(RetireRootKey(ctx, dir, firstRootKey, w.a.DB))
		w.must(w.a.followRootKeys())
		for range 20 {
			w.must(w.signs(ctx))
		}
		stop()
		everybody.Wait()
		keys, strange, err := ListRootKeys(t.Context(), dir, w.a.DB)
		w.must(err)
		if len(keys) != 1 || keys[0].ID != id || keys[0].Sealed < 3 || strange != 0 {
			t.Errorf("keys %+v, strange %d, want %s alone", keys, strange, id)
		}
		w.factorOpens()
		if w.mailed() != w.link {
			t.Error("the waiting mail is another")
		}
	})
}

var factorPlace = []string{"second_factor", "cedar", "member", "lee", "fac_1"}

func (w *life) factor() {
	w.t.Helper()
	w.must(w.a.DB.Write(w.t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(`
			insert into second_factor (institution_id, subject_kind, subject_id, id, method, name, secret, lookup, last_step, confirmed, created_micros, used_micros)
			values ('cedar', 'member', 'lee', 'fac_1', 'totp', 'Phone', $1, $2, 0, $3, 1, 0)`, w.a.keys.Seal([]byte("seed"), factorPlace...), []byte{}, true)
		return err
	}))
}

func (w *life) factorOpens() {
	w.t.Helper()
	w.must(w.a.DB.Read(w.t.Context(), func(tx *db.Tx) error {
		sealed, err := db.One(tx, db.Value[[]byte], `select secret from second_factor where id = 'fac_1'`)
		if err != nil {
			return err
		}
		seed, err := w.a.keys.Open(sealed, factorPlace...)
		if err != nil || string(seed) != "seed" {
			w.t.Errorf("the factor opens as %q (%v)", seed, err)
		}
		return nil
	}))
}

func (w *life) signsIn(ctx context.Context) error {
	n := w.signed.Add(1) // from another network each time, where no throttle is near
	from := identity.Source{IP: fmt.Sprintf("10.%d.%d.1", n/250%250, n%250)}
	_, err := w.a.Identity.SignIn(ctx, identity.Attempt{Institution: "cedar", Kind: identity.KindMember, Username: "dana", Password: lifePassword, From: from})
	return err
}

// signs asks for the signing key, which is sealed, as every token does.
func (w *life) signs(ctx context.Context) error {
	_, err := w.a.Grants.SigningKeys(ctx, "cedar")
	return err
}

// A form that one process has shown is taken by another that signs with another
// key already.
func TestFormsOutliveTheRootKey(t *testing.T) {
	w := live(t, dbtest.SQLiteURL(t, nil))
	before := w.a.root.Load().derive("web online")
	id, err := AddRootKey(w.a.Config.Data, w.a.Clock.Now())
	w.must(err)
	w.must(UseRootKey(w.a.Config.Data, id))
	w.must(w.a.followRootKeys())
	taken := w.a.derived("web online")()
	if !slices.ContainsFunc(taken, func(key []byte) bool { return string(key) == string(before) }) || string(taken[0]) == string(before) {
		t.Error("the key that signed forms before is not taken any more, or still signs")
	}
}
