package hostsim_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/host"
	"mandate/internal/host/hostsim"
	"mandate/internal/host/hosttest"
	"mandate/internal/host/protocol"
)

// A line is the simulator as the product meets it: through the protocol. What
// comes in from clearing does not come through it.
type line struct {
	*protocol.Client
	bank *hostsim.Bank
}

func (l line) Present(ctx context.Context, institution bank.InstitutionID, p host.Presented, front, back []byte) (string, error) {
	return l.bank.Present(ctx, institution, p, front, back)
}

func through(b *hostsim.Bank) line {
	keys := func(_ bank.InstitutionID, key string) bool { return key == "key" }
	handler := protocol.Handler(b.Server(), keys, slog.New(slog.DiscardHandler))
	return line{protocol.NewClient(protocol.Everywhere(protocol.Address{URL: "http://host", Key: "key"}), host.Same{}, protocol.Inside(handler)), b}
}

func TestHostSuiteThroughTheProtocol(t *testing.T) {
	dbtest.EachWith(t, dbtest.Options{Migrations: hostsim.Migrations()}, func(t *testing.T, d *db.DB) {
		hosttest.Run(t, func(t *testing.T) host.Connector {
			wipe(t, d)
			return through(books(t, d))
		})
	})
}

// Everything about people comes through the protocol as it is.
func TestPeopleThroughTheProtocol(t *testing.T) {
	eachBank(t, func(t *testing.T, b *hostsim.Bank, _ *dbtest.Clock) {
		ctx, l := t.Context(), through(b)
		if err := b.SetDefaults(ctx, cedar, staff, bank.RoleUser, 0, map[string]string{"stops.enabled": "true"}); err != nil {
			t.Fatal(err)
		}
		u := must[host.User](t)(b.Create(ctx, cedar, staff, dana()))
		r := must[host.Receipt](t)(l.Carry(ctx, about("1", host.UpdateUser, host.User{Ref: u.Ref, Organization: org, FirstName: "Dana", LastName: "Reyes"}, "name")))
		if !r.Done() || r.User != u.Ref || r.Version != 2 {
			t.Errorf("the receipt is %+v", r)
		}
		there, err := l.User(ctx, cedar, u.Ref)
		if err != nil || there.LastName != "Reyes" || there.Accounts["acc_operating"]["stops.view"] != "true" {
			t.Errorf("the user is %+v, %v", there, err)
		}
		users := must[[]host.User](t)(l.Users(ctx, cedar, "", 10))
		organizations := must[[]host.Organization](t)(l.Organizations(ctx, cedar, "", 10))
		defaults := must[[]host.Defaults](t)(l.Defaults(ctx, cedar))
		events := must[[]host.Event](t)(l.Events(ctx, cedar, "", 10))
		if len(users) != 1 || len(organizations) != 2 || len(defaults) != 3 || defaults[0].Permissions["stops.enabled"] != "true" || len(events) != 4 || events[3].Order != "people/1" {
			t.Errorf("users %+v\norganizations %+v\ndefaults %+v\nevents %+v", users, organizations, defaults, events)
		}
	})
}

// A mark that was never given is said to be none.
func TestForeignMarks(t *testing.T) {
	eachBank(t, func(t *testing.T, b *hostsim.Bank, _ *dbtest.Clock) {
		if err := b.PutOrganization(t.Context(), cedar, staff, "org_new", "New"); err != nil {
			t.Fatal(err)
		}
		for mark, want := range map[string]error{"": nil, "1": nil, "2": host.ErrNoMark, "nonsense": host.ErrNoMark} {
			if _, err := through(b).Events(t.Context(), cedar, mark, 5); !errors.Is(err, want) {
				t.Errorf("after %q: %v, want %v", mark, err, want)
			}
		}
		if _, err := through(b).Presented(t.Context(), cedar, "nonsense", 5); !errors.Is(err, host.ErrNoMark) {
			t.Errorf("items after nonsense: %v", err)
		}
	})
}

// A fault is of the line: it says nothing of what was done, and asking again
// under the key of an order tells.
func TestFaults(t *testing.T) {
	eachBank(t, func(t *testing.T, b *hostsim.Bank, _ *dbtest.Clock) {
		ctx, l := t.Context(), through(b)
		set := func(institution bank.InstitutionID, f hostsim.Fault) {
			t.Helper()
			if err := b.SetFault(institution, f); err != nil {
				t.Fatal(err)
			}
		}
		set("other", hostsim.Fault{Down: true})
		set(cedar, hostsim.Fault{Lose: 100})
		o := host.Order{Institution: cedar, Organization: hosttest.Organization, Room: "test", Ref: "1", Legs: host.Move(hosttest.Operating, hosttest.Payroll, 5)}
		if _, err := l.Carry(ctx, o); err == nil {
			t.Error("the answer was not lost")
		}
		hosttest.Want(t, b, hosttest.Payroll, 5, 5)
		set(cedar, hostsim.Fault{})
		if r, err := l.Carry(ctx, o); err != nil || !r.Done() {
			t.Errorf("asked again: %+v, %v", r, err)
		}
		hosttest.Want(t, b, hosttest.Payroll, 5, 5)
		set("", hostsim.Fault{Down: true})
		if _, err := l.Balances(ctx, "third", []bank.AccountID{hosttest.Payroll}); err == nil {
			t.Error("a host that is down answers")
		}
		hosttest.Want(t, l, hosttest.Payroll, 5, 5) // cedar has a fault of its own: none
		set(cedar, hostsim.Fault{Slow: 30 * time.Millisecond})
		began := time.Now()
		hosttest.Want(t, l, hosttest.Payroll, 5, 5)
		if took := time.Since(began); took < 30*time.Millisecond {
			t.Errorf("a slow host took %v", took)
		}
		if faults := b.Faults(); len(faults) != 3 {
			t.Errorf("the faults are %+v", faults)
		}
		for _, wrong := range []hostsim.Fault{{Lose: 101}, {Slow: -1}, {Slow: time.Hour}, {Telling: hostsim.Telling{Late: 1}}, {Telling: hostsim.Telling{Repeat: -1}}} {
			if err := b.SetFault(cedar, wrong); err == nil {
				t.Errorf("%+v was taken", wrong)
			}
		}
	})
}
