package demo_test

import (
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"mandate/internal/activity"
	"mandate/internal/app"
	"mandate/internal/bank"
	"mandate/internal/config"
	"mandate/internal/db"
	"mandate/internal/demo"
	"mandate/internal/host"
	"mandate/internal/identity"
	"mandate/internal/mail/mailbox"
	"mandate/internal/moneymovement/positivepay"
	"mandate/internal/usermgmt"
)

// open makes the demo's world in a folder of its own.
func open(t *testing.T) (*app.App, *demo.World) {
	t.Helper()
	clock := demo.NewClock(bank.SystemClock{})
	box, err := mailbox.Listen("localhost:0", clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { box.Close() })
	cfg := config.Config{ThrottleFactor: 100, HashMemory: identity.MinimumCost.MemoryKiB, HashPasses: identity.MinimumCost.Passes}
	cfg.Data, cfg.SMTP = t.TempDir(), box.Address()
	a, err := app.Open(t.Context(), cfg, clock, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	a.Mailbox = box
	world, err := demo.Open(t.Context(), a, clock, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if behind := time.Since(clock.Now()); behind > time.Minute {
		t.Errorf("the clock is left %v behind", behind)
	}
	return a, world
}

// The demo shows people in every status, links in every state, and a history.
func TestDemoHasEveryStatusAndEveryLink(t *testing.T) {
	a, world := open(t)
	place := world.Institutions[0]
	institution := bank.InstitutionID(place.ID)
	err := a.DB.Read(t.Context(), func(tx *db.Tx) error {
		keys, err := usermgmt.KeysOf(tx, institution, "larkspur")
		if err != nil {
			return err
		}
		members, err := db.All(tx, func(s db.Scanner) (m usermgmt.Member, err error) {
			err = s.Scan(&m.ID, &m.FirstName, &m.Status, &m.Held)
			return m, err
		}, `select id, first_name, status, held from member where institution_id = $1 and id in (select id from member where email like '%@larkspur.example.com')`, institution)
		if err != nil {
			return err
		}
		stands := map[string]string{}
		for _, m := range members {
			stands[m.FirstName] = m.Status.String()
			if m.Held {
				stands[m.FirstName] += " held"
			}
			if link, found, err := identity.Newest(tx, identity.Member(institution, m.ID), identity.PurposeInvitation); err != nil {
				return err
			} else if found {
				stands[m.FirstName] += " " + string(link.State)
			}
		}
		for name, want := range map[string]string{
			"Ana": "active", "Omar": "locked", "Ingrid": "active held", "Tomás": "disabled", "Priya": "pending accepted",
			"Sofia": "pending expired", "Emil": "pending cancelled", "Hana": "pending completed", "Marek": "pending",
		} {
			if stands[name] != want {
				t.Errorf("%s is %q, want %q", name, stands[name], want)
			}
		}
		filter := activity.Filter{Institution: institution, Organization: keys.Organization, WithRefused: true}
		var events []activity.Event
		for {
			page, err := activity.Feed(tx, filter)
			if err != nil {
				return err
			}
			if len(page) == 0 {
				break
			}
			events = append(events, page...)
			filter.Before = page[len(page)-1].Sequence
		}
		wantPast(t, events)
		verified, err := activity.Verify(tx, institution, nil)
		if len(verified.Broken) > 0 {
			t.Errorf("the history does not hold: %+v", verified.Broken)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	wantImpact(t, a, institution)
	wantWires(t, a, institution)
	wantExceptions(t, a, institution)
	if got := a.Mailbox.Messages("ben@larkspur.example.com"); !slices.ContainsFunc(got, func(m mailbox.Message) bool { return strings.HasPrefix(m.Subject, "Limit raised") }) {
		t.Errorf("Ben was not told of a raised limit: %d mails", len(got))
	}
}

// wantExceptions checks that there are exceptions to work now, with pictures,
// and others that were decided.
func wantExceptions(t *testing.T, a *app.App, institution bank.InstitutionID) {
	t.Helper()
	var keys usermgmt.Keys
	err := a.DB.Read(t.Context(), func(tx *db.Tx) (err error) {
		keys, err = usermgmt.KeysOf(tx, institution, "larkspur")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	ana := bank.Caller{Kind: bank.ActorMember, ID: string(keys.Members["larkspur-ana"]), Name: "Ana Ruiz", Institution: institution, Organization: keys.Organization, Channel: bank.ChannelOnline}
	waiting, err := a.PositivePay.Items(t.Context(), ana, positivepay.ItemQuery{When: positivepay.WhenWaiting})
	if err != nil || waiting.Matching < 5 || waiting.Total-waiting.Matching != 3 {
		t.Fatalf("%d exceptions wait and %d are decided, %v", waiting.Matching, waiting.Total-waiting.Matching, err)
	}
	for _, i := range waiting.Items {
		if i.Kind == host.CheckItem {
			if picture, err := a.PositivePay.Image(t.Context(), ana, i.ID, host.Front); err != nil || len(picture) < 1000 {
				t.Errorf("the picture of %s has %d bytes, %v", i.Title(), len(picture), err)
			}
		}
		if w := waiting.Windows[i.ID]; !w.Open(time.Now()) {
			t.Errorf("%s can be decided from %s to %s, and not now", i.Title(), w.Opens, w.Closes)
		}
	}
}

// wantImpact checks that deleting Dana would tell of what goes out on her right,
// from the rooms that move money.
func wantImpact(t *testing.T, a *app.App, institution bank.InstitutionID) {
	t.Helper()
	var keys usermgmt.Keys
	err := a.DB.Read(t.Context(), func(tx *db.Tx) (err error) {
		keys, err = usermgmt.KeysOf(tx, institution, "larkspur")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	ana := bank.Caller{Kind: bank.ActorMember, ID: string(keys.Members["larkspur-ana"]), Name: "Ana Ruiz", Institution: institution, Organization: keys.Organization, Channel: bank.ChannelOnline}
	impact, err := a.Users.Impact(t.Context(), ana, usermgmt.Person{Organization: keys.Organization, User: keys.Members["larkspur-dana"]})
	if err != nil {
		t.Fatal(err)
	}
	var open []string
	for _, item := range impact.Open {
		if item.Account == keys.Accounts["larkspur-operating"] && (item.Ends == usermgmt.Scheduled) == (item.Day != "") {
			open = append(open, item.Title)
		}
	}
	if want := []string{"Wire of $14,200.00 to Blue Ridge Quarry LLC", "Vendor payments", "Transfer of $4,200.00", "Transfer of $1,500.00 every month"}; !slices.Equal(open, want) {
		t.Errorf("deleting Dana would end %q, want %q", open, want)
	}
}

// wantWires checks that the wires of days that are over went out on them.
func wantWires(t *testing.T, a *app.App, institution bank.InstitutionID) {
	t.Helper()
	var states []string
	err := a.DB.Read(t.Context(), func(tx *db.Tx) (err error) {
		states, err = db.All(tx, db.Value[string], `select state from wire where institution_id = $1 order by cents desc`, institution)
		return err
	})
	if want := []string{"processed", "pending_approval", "processed", "scheduled", "ready"}; err != nil || !slices.Equal(states, want) {
		t.Errorf("the wires of the demo are %q, %v, want %q", states, err, want)
	}
}

// wantPast checks that everything of the trade has happened, over a month, in
// order.
func wantPast(t *testing.T, events []activity.Event) {
	t.Helper()
	names := map[string]int{}
	for i, e := range events {
		names[e.Name]++
		if i > 0 && e.Time.After(events[i-1].Time) {
			t.Errorf("event %d is of %v, the one after it of %v", e.Sequence, e.Time, events[i-1].Time)
		}
	}
	for _, name := range []string{"orguser.created", "orguser.invited", "orguser.invite_revoked", "orguser.locked", "orguser.unlocked", "orguser.hold_placed",
		"orguser.hold_removed", "orguser.disabled", "orguser.invite_expired", "orguser.deleted", "orguser.profile_changed", "orguser.permission_changed", "orguser.credentials_created",
		"orguser.password_reset_sent", "org.account_added", "hra.passed", "auth.signin_failed", "transfer.scheduled", "transfer.refused", "stop.added",
		"ach.batch_created", "ach.batch_uploaded", "ach.batch_pending_approval", "ach.batch_initiated", "ach.batch_processed", "ach.batch_returned"} {
		if names[name] == 0 {
			t.Errorf("%s never happened", name)
		}
	}
	if n := names["orguser.refused_at_host"]; n > 0 {
		t.Errorf("the core refused %d changes of people", n)
	}
	if oldest := time.Since(events[len(events)-1].Time); oldest < 29*24*time.Hour {
		t.Errorf("the past begins %v ago", oldest)
	}
}
