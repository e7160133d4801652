package hostsync_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/host"
	"mandate/internal/usermgmt"
)

// crowd makes people of the organization, the same on both sides.
func (w *world) crowd(n int) {
	w.t.Helper()
	settings := entitlement.Settings{On: catalog.SetOf(catalog.WiresEnabled, catalog.WiresWork), Limits: entitlement.Limits{}.With(catalog.LimitPerWire, 25_000_00)}
	on := map[string]string{"wires.enabled": "true", "wires.work": "true", "wires.per_wire_limit": "25000.00"}
	var profile usermgmt.Profile
	for begin := 0; begin < n; begin += 1000 {
		w.write(func(tx *db.Tx) error {
			for i := begin; i < min(n, begin+1000); i++ {
				name := fmt.Sprintf("%06d", i)
				m := usermgmt.Member{ID: bank.UserID("usr_" + name), ExternalID: "N" + name, FirstName: "First", LastName: name, Status: bank.StatusActive, Settings: settings}
				if err := usermgmt.InsertMember(tx, harbor, w.org.Num, &m); err != nil {
					return err
				}
				if i == 0 {
					var err error
					if profile, err = usermgmt.FindProfile(tx, harbor, usermgmt.Person{Organization: acme, User: m.ID}); err != nil {
						return err
					}
				}
				if i%10 == 0 {
					if err := usermgmt.SetMemberAccount(tx, w.org.Num, m.Ordinal, profile.Accounts[0].Ordinal, entitlement.Settings{On: catalog.SetOf(catalog.AccountAccess, catalog.WiresWork)}); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	for i := range n {
		name := fmt.Sprintf("%06d", i)
		u := host.User{Ref: host.Ref("N" + name), Organization: "1001", Version: 1, FirstName: "First", LastName: name, Status: bank.StatusActive, Permissions: on}
		if i%10 == 0 {
			u.Accounts = map[host.Ref]map[string]string{host.Ref(profile.Accounts[0].ExternalID): {"wires.work": "true"}}
		}
		w.host.users[u.Ref] = u
	}
}

// Comparing finds every seeded difference and no other, in bounded memory.
func TestReconciliationFindsEveryDifference(t *testing.T) {
	people, seeded := 2_000, 60
	if os.Getenv("MANDATE_SLOW") != "" {
		people, seeded = 100_000, 3_000
	}
	each(t, func(w *world) {
		w.crowd(people)
		r := rand.New(rand.NewPCG(11, 1))
		want := map[string]string{}
		for _, i := range r.Perm(people)[:seeded] {
			ref := host.Ref(fmt.Sprintf("N%06d", i))
			u := cloned(w.host.users[ref])
			field := ""
			switch r.IntN(9) {
			case 0:
				field, u.LastName = "name", "Other"
			case 1:
				field, u.Email = "email", "x@acme.example"
			case 2:
				field, u.Role = "role", bank.RoleAdmin
			case 3:
				field, u.Status = "status", bank.StatusLocked
			case 4:
				field, u.Held = "held", true
			case 5:
				field = "wires.per_wire_limit"
				u.Permissions[field] = "25000.01"
			case 6:
				field = "account/A2"
				u.Accounts["A2"] = map[string]string{}
			case 7: // only here
				delete(w.host.users, ref)
			case 8: // only there, beside one who is the same
				u.Ref += "x"
			}
			if _, has := w.host.users[ref]; has {
				w.host.users[u.Ref] = u
			}
			want[string(u.Ref)] = field
		}
		stop, peak := make(chan struct{}), make(chan uint64)
		runtime.GC()
		var before runtime.MemStats
		runtime.ReadMemStats(&before)
		go watchHeap(stop, peak)
		began := time.Now()
		var file bytes.Buffer
		sum, err := w.sync.Reconcile(t.Context(), staff, &file, "report.csv")
		w.ok(err)
		took := time.Since(began)
		close(stop)
		grown := int64(<-peak) - int64(before.HeapAlloc)
		rows, err := csv.NewReader(&file).ReadAll()
		w.ok(err)
		got := map[string]string{}
		for _, row := range rows[1:] {
			got[row[1]] = row[5]
		}
		for ref, field := range want {
			if f, found := got[ref]; !found || f != field {
				t.Errorf("%s differs in %q, the report says %q (there: %t)", ref, field, f, found)
			}
		}
		if len(got) != len(want) || len(rows)-1 != seeded || sum.Differ+sum.OnlyHere+sum.OnlyThere != int64(seeded) || sum.Moving != 0 {
			t.Errorf("%d rows about %d people, want %d: %s", len(rows)-1, len(got), seeded, sum)
		}
		if grown > 64<<20 {
			t.Errorf("the heap grew by %d MB", grown>>20)
		}
		t.Logf("%s in %s, the heap grew by %d MB at most", sum, took.Round(time.Millisecond), grown>>20)
		o, err := w.sync.Overview(t.Context(), staff)
		if err != nil || o.Compared == nil || o.Compared.Report != "report.csv" || o.Compared.Ours != sum.Ours {
			t.Errorf("overview %+v, %v", o, err)
		}
	})
}

func watchHeap(stop <-chan struct{}, peak chan<- uint64) {
	var most uint64
	for {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapAlloc)
		select {
		case <-stop:
			peak <- most
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Whoever has an order on its way is on the move, and no difference.
func TestReconciliationKnowsWhatMoves(t *testing.T) {
	each(t, func(w *world) {
		w.add("dana", bank.RoleUser)
		w.ok(w.users.Hold(t.Context(), w.as("ana"), who("dana"), ""))
		var file bytes.Buffer
		sum, err := w.sync.Reconcile(t.Context(), staff, &file, "")
		if err != nil || sum.Moving != 1 || sum.Differ != 0 {
			t.Errorf("before: %s, %v", sum, err)
		}
		w.deliver()
		sum, err = w.sync.Reconcile(t.Context(), staff, &file, "")
		if err != nil || sum.Moving != 0 || sum.Differ != 0 || sum.Ours != 2 {
			t.Errorf("after: %s, %v", sum, err)
		}
	})
}

// What a host calls its users is no formula in the spreadsheet that somebody opens the
// report with.
func TestReportIsNoFormula(t *testing.T) {
	each(t, func(w *world) {
		w.crowd(2)
		u := cloned(w.host.users["N000001"])
		u.FirstName = `=HYPERLINK("https://attacker.example")`
		w.host.users["N000001"] = u
		v := cloned(u)
		v.Ref = "N000002"
		w.host.users["N000002"] = v
		var file bytes.Buffer
		_, err := w.sync.Reconcile(t.Context(), staff, &file, "report.csv")
		w.ok(err)
		rows, err := csv.NewReader(&file).ReadAll()
		w.ok(err)
		if len(rows) != 3 {
			t.Errorf("%d rows, want 3: %q", len(rows), rows)
		}
		for _, row := range rows {
			for _, cell := range row {
				if strings.HasPrefix(cell, "=") {
					t.Errorf("a cell begins %q in %q", cell, row)
				}
			}
		}
	})
}
