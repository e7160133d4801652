package hostsync_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/identity"
	"mandate/internal/usermgmt"
)

// For an hour the host does not answer: people sign in, decisions are made and
// user management goes on as ever; then every order arrives, once.
func TestAnHourOfSilence(t *testing.T) {
	orders := 400
	if os.Getenv("MANDATE_SLOW") != "" {
		orders = 10_000
	}
	const people, workers = 100, 4
	each(t, func(w *world) {
		for i := range people {
			w.add(fmt.Sprint("p", i), bank.RoleUser)
		}
		w.add("sid", bank.RoleUser)
		w.signIn("sid")
		w.host.down = true
		ctx, stop := context.WithCancel(t.Context())
		var carriers sync.WaitGroup
		carriers.Go(func() {
			for ctx.Err() == nil {
				if _, err := w.desk.Deliver(ctx); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
				time.Sleep(time.Millisecond)
			}
		})
		began := time.Now()
		var made, failed atomic.Int64
		var slowest atomic.Int64
		var busy sync.WaitGroup
		for n := range workers {
			busy.Go(func() {
				for made.Add(1) <= int64(orders) {
					start := time.Now()
					if err := w.press(n, made.Load()); err != nil && failed.Add(1) < 5 {
						t.Error(err)
					}
					slowest.Store(max(slowest.Load(), int64(time.Since(start))))
					w.clock.Advance(time.Hour / time.Duration(orders))
				}
			})
		}
		busy.Wait()
		stop()
		carriers.Wait()
		o, err := w.sync.Overview(t.Context(), staff)
		w.ok(err)
		age := w.clock.Now().Sub(time.UnixMicro(o.Orders.OldestMicro))
		if o.Orders.Waiting < int64(orders) || o.Orders.Dead != 0 || age < time.Hour*9/10 {
			t.Errorf("after an hour: %+v, the oldest waits for %s", o.Orders, age)
		}
		t.Logf("%d orders in %s, the slowest change took %s, %d tries of the silent host", o.Orders.Waiting, time.Since(began).Round(time.Millisecond), time.Duration(slowest.Load()).Round(time.Millisecond), w.host.tries)

		w.host.mu.Lock()
		w.host.down = false
		w.host.mu.Unlock()
		w.clock.Advance(time.Minute)
		began = time.Now()
		for range 3 {
			w.deliver()
			w.clock.Advance(time.Minute)
		}
		for key, n := range w.host.carried {
			if n != 1 {
				t.Errorf("%s was done %d times", key, n)
			}
		}
		if int64(len(w.host.carried)) != o.Orders.Waiting {
			t.Errorf("%d orders arrived of %d", len(w.host.carried), o.Orders.Waiting)
		}
		w.tick()
		var report bytes.Buffer
		sum, err := w.sync.Reconcile(t.Context(), staff, &report, "")
		if err != nil || sum.Differ+sum.OnlyHere+sum.OnlyThere+sum.Moving != 0 {
			t.Errorf("afterwards: %s, %v\n%s", sum, err, report.String())
		}
		t.Logf("all arrived in %s", time.Since(began).Round(time.Millisecond))
	})
}

// press does one thing of each kind: it changes somebody, signs somebody in, and
// asks for a decision.
func (w *world) press(worker int, n int64) error {
	name := fmt.Sprint("p", (n*7+int64(worker))%100)
	ctx, ana := w.t.Context(), w.as("ana")
	profile, err := w.profile(who(name))
	if err != nil {
		return err
	}
	var on entitlement.Change
	on.Set = switchTo(catalog.TransfersEnabled, !profile.Member.Settings.On.Has(catalog.TransfersEnabled))
	if _, err := w.users.SavePermissions(ctx, ana, usermgmt.Edit{Person: who(name), Version: -1, Cascade: true, Changes: []entitlement.Change{on}}); err != nil {
		return err
	}
	if n%3 == 0 {
		if err := w.users.EditProfile(ctx, ana, who(name), usermgmt.Details{FirstName: name, LastName: fmt.Sprint("v", n), Email: name + "@acme.example"}); err != nil {
			return err
		}
	}
	if n%50 == 0 {
		if _, err := w.identity.SignIn(ctx, identity.Attempt{Institution: harbor, Kind: identity.KindMember, Username: "sid", Password: password,
			From: identity.Source{Channel: bank.ChannelOnline, IP: "192.0.2.1"}}); err != nil {
			return err
		}
	}
	return w.d.Read(ctx, func(tx *db.Tx) error {
		policy, err := usermgmt.LoadPolicy(tx, harbor, acme, entitlement.Scope{Members: []bank.UserID{id("ana")}})
		if err != nil {
			return err
		}
		if d := entitlement.Decide(policy, entitlement.Request{Member: id("ana"), Operation: catalog.ViewUsers, Now: tx.Now}); !d.Allowed {
			return fmt.Errorf("an admin may not look: %v", d.Reasons)
		}
		return nil
	})
}
