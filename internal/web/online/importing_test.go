package online_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
	"mandate/internal/host"
	"mandate/internal/hostsync"
)

// beside is a host that is making Bea, has made Dana, and has not heard of a
// deletion.
type beside struct{}

var since = time.Date(2026, time.March, 2, 14, 30, 0, 0, time.UTC)

func (beside) Importing(context.Context, bank.Caller, bank.OrganizationID) ([]hostsync.Importing, error) {
	return []hostsync.Importing{{Ref: "H/1", Name: "Bea Cole", Since: since}}, nil
}

func (b beside) Arriving(_ context.Context, _ bank.Caller, _ bank.OrganizationID, ref host.Ref) (i hostsync.Importing, user bank.UserID, err error) {
	switch ref {
	case "H/1":
		return hostsync.Importing{Ref: ref, Name: "Bea Cole", Since: since}, "", nil
	case "H2":
		return i, "usr_dana", nil
	}
	return i, "", fault.New(fault.NotFound, "Nobody of this name is on the way.")
}

func (beside) Waiting(context.Context, bank.Caller, bank.OrganizationID) ([]hostsync.Order, error) {
	return []hostsync.Order{{Step: host.DeleteUser, Name: "Kit Lee", Queued: since}, {Step: host.UpdateUser, Name: "Una Ash", Queued: since}}, nil
}

func (beside) Now(context.Context) {}

// Whom the host is making stands in the list and has a page, until all of them is
// here; whom it has still to remove is named.
func TestOnTheWay(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ana := newWorldBeside(t, d, beside{}).as("ana")
		list := ana.get("/cedar/settings/users")
		list.says(t, "Bea Cole", "Importing", "Kit Lee has no access any more")
		list.saysNot(t, "Una Ash")
		if found := ana.get("/cedar/settings/users?q=dana").body; strings.Contains(found, "Bea Cole") || !strings.Contains(found, "Kit Lee") {
			t.Error("a search shows who does not fit, or hides what waits")
		}
		ana.get("/cedar/settings/importing/H%2F1").says(t, "Bea Cole", "Importing", "The profile opens here as soon as all of it has arrived")
		ana.get("/cedar/settings/importing/H2").says(t, "Dana")
		ana.get("/cedar/settings/importing/H3").is(t, 404)
	})
}

func TestOnTheWayInABrowser(t *testing.T) {
	w := newWorldBeside(t, dbtest.SQLite(t), beside{})
	ana := w.browser(t, "ana")
	ana.open("/cedar/settings/users")
	ana.look("members-on-the-way")
	ana.open("/cedar/settings/importing/H%2F1")
	ana.look("importing")
}
