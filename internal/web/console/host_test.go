package console_test

import (
	"context"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
	"mandate/internal/host"
	"mandate/internal/hostsync"
	"mandate/internal/outbox"
)

// core is a room with an order that was given up, one that waits and something
// parked. It keeps what is asked of it.
type core struct{ asked []string }

var told = time.Date(2026, time.March, 2, 14, 0, 0, 0, time.UTC)

func (*core) Overview(context.Context, bank.Caller) (hostsync.Overview, error) {
	return hostsync.Overview{
		Orders: outbox.Backlog{Waiting: 70, Dead: 2, OldestMicro: told.UnixMicro()}, Events: 3, Parked: 1, Importing: 4, ReadAt: told,
		Compared: &hostsync.Reconciliation{At: told, Ours: 631, Theirs: 630, Differ: 5},
	}, nil
}

func (*core) Orders(context.Context, bank.Caller, int) ([]hostsync.Order, error) {
	return []hostsync.Order{
		{ID: "out_1", Dead: true, Room: hostsync.Room, Step: host.UpdateUser, Name: "Dana Diaz", Queued: told, Attempts: 20, Failure: "the host did not answer"},
		{ID: "out_2", Dead: true, Room: "transfer", Key: "transfer/7", Queued: told},
		{ID: "out_3", Room: hostsync.Room, Step: host.DeleteUser, Name: "Kit Lee", Queued: told},
	}, nil
}

func (*core) Parked(context.Context, bank.Caller, int) ([]hostsync.Parked, error) {
	return []hostsync.Parked{{ID: "evt-9", Subject: "u9", Organization: "4471", Channel: host.BackOffice, By: "Kim", Made: told,
		Code: "NOT_OFFERED_BY_INSTITUTION", Note: "cards.enabled: The institution does not offer Card management.\nA9: The organization has no such account here."}}, nil
}

func (c *core) ask(what, id string) error {
	if c.asked = append(c.asked, what+" "+id); id == "gone" {
		return fault.New(fault.NotFound, "This is not parked any more.")
	}
	return nil
}

func (c *core) Retry(_ context.Context, _ bank.Caller, id string) (int64, error) {
	return 1, c.ask("retry", id)
}
func (c *core) GiveUp(_ context.Context, _ bank.Caller, id string) error   { return c.ask("give up", id) }
func (c *core) TryAgain(_ context.Context, _ bank.Caller, id string) error { return c.ask("again", id) }
func (c *core) SetAside(_ context.Context, _ bank.Caller, id string) error { return c.ask("aside", id) }
func (*core) Now(context.Context)                                          {}

func (*core) Report(_ context.Context, _ bank.Caller, out io.Writer) error {
	_, err := io.WriteString(out, "organization,user at the host\n")
	return err
}

func (*core) Waiting(context.Context, bank.Caller, bank.OrganizationID) ([]hostsync.Order, error) {
	return []hostsync.Order{{Step: host.DeleteUser, Name: "Kit Lee", Queued: told}}, nil
}

func (*core) Importing(context.Context, bank.Caller, bank.OrganizationID) ([]hostsync.Importing, error) {
	return []hostsync.Importing{{Name: "Bea Cole", Since: told}}, nil
}

// The page about the host says what waits, what was given up and what is parked,
// and whoever keeps the institution's settings does something about it.
func TestHostPage(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := &core{}
		w := newWorldBeside(t, d, bank.EditionBank, c)
		w.group("Keepers", catalog.InstitutionSettingsManage, catalog.PeopleViewAll)
		w.add("kay", "Keepers")
		w.customer()
		kay := w.as("kay")
		page := kay.get("/cedar/settings/host")
		page.says(t, "Orders waiting 70", "Change Dana Diaz", "the host did not answer", "Transfer transfer/7", "Delete Kit Lee", "BackOffice, Kim",
			"does not offer Card management", "no such account here", "The oldest 3 of 72 are shown", "People here 631", "Not the same 5")
		for path, form := range map[string]url.Values{
			"retry": {"id": {"out_1"}}, "give-up": {"id": {"out_1"}}, "again": {"id": {"evt-9"}}, "aside": {"id": {"evt-9"}},
		} {
			if got := kay.post("/cedar/settings/host/"+path, form); got.status != 200 || got.url != "/cedar/settings/host" {
				t.Errorf("%s ends at %s (%d)", path, got.url, got.status)
			}
		}
		if got := kay.post("/cedar/settings/host/again", url.Values{"id": {"gone"}}); got.status != 404 {
			t.Errorf("what is gone: %d", got.status)
		}
		if n := len(c.asked); n != 5 {
			t.Errorf("asked %v", c.asked)
		}
		if report := kay.get("/cedar/settings/host/report.csv"); !strings.HasPrefix(report.body, "organization,") {
			t.Errorf("the report is %q", report.body)
		}
		kay.get("/cedar/people/"+string(northwind)).says(t, "Under way between here and the host", "Delete Kit Lee: waits since", "They have no access any more.", "Bea Cole is being made")
		w.group("Lookers", catalog.PeopleViewAll)
		w.add("lou", "Lookers")
		if got := w.as("lou").get("/cedar/settings/host"); got.status != 403 {
			t.Errorf("somebody else: %d", got.status)
		}
	})
}
