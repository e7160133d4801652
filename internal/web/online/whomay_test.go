package online_test

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/pdp/pdptest"
	"mandate/internal/usermgmt"
)

// An admin sees who may do something and up to how much, and what each could
// move alone; members who administer nothing do not.
func TestWhoMayIsShown(t *testing.T) {
	d := dbtest.SQLite(t)
	t.Cleanup(usermgmt.KeepPast(d))
	w := newWorld(t, d)
	if err := usermgmt.KeepPastFromNow(t.Context(), d, nil); err != nil {
		t.Fatal(err)
	}
	dbtest.ClockOf(t, d).Advance(time.Hour)
	ana := w.as("ana")
	page := ana.get("/cedar/settings/users/who-may?operation=wires.transmit&account=acc_operating")
	page.says(t, "Dana", "One payment up to", "Alone up to", "Left of the day")
	ana.get("/cedar/settings/users/who-may?operation=wires.transmit&amount=9999999").says(t, "Nobody may do this")
	wrong := ana.get("/cedar/settings/users/who-may?amount=much")
	wrong.says(t, "Write an amount such as $25,000.00.")
	if strings.Contains(wrong.body, "0 people may") {
		t.Error("where there is no answer, it says that nobody may")
	}
	for address, why := range map[string]string{
		"who-may?operation=wires.send":                             "There is no such action here.",
		"who-may?operation=" + strings.Repeat("wires.transmit", 9): "There is no such action here.",
		"who-may?account=acc_nowhere":                              "There is no such account here.",
		"who-may?amount=" + strings.Repeat("9", 101):               "Write an amount such as $25,000.00.",
		"who-may.csv?operation=wires.send":                         "There is no such action here.",
	} {
		got := ana.get("/cedar/settings/users/" + address)
		got.says(t, why)
		if strings.Contains(got.body, " may send a wire</p>") {
			t.Errorf("%s is answered as if a wire from any account had been asked about", address)
		}
	}
	ana.get("/cedar/settings/users/who-may?operation=user_management.view_users&amount=much").says(t, "may see the organization")
	ana.get("/cedar/settings/users/who-may?operation=wires.transmit&q=dana").says(t, "person who may send a wire", "Clear all")
	ana.get("/cedar/settings/users/who-may?operation=wires.transmit&amount=2%2C000").says(t, "may send a wire, at least $2,000.00")
	ana.get("/cedar/settings/users/alone?q=dana").says(t, "person who could move money alone")
	if plain := ana.get("/cedar/settings/users/who-may?operation=wires.transmit"); strings.Contains(plain.body, "Clear all") {
		t.Error("what is asked about is shown as a filter that can be cleared")
	}
	ana.get("/cedar/settings/users/who-may?at=soon").says(t, "Write the moment as a date and a time.")
	ana.get("/cedar/settings/users/who-may?at=1999-01-01T00:00").says(t, "There is no answer")
	then := dbtest.ClockOf(t, d).Now().Add(-30 * time.Minute).UTC().Format(time.RFC3339)
	ana.get("/cedar/settings/users/who-may?operation=wires.transmit&at="+then).says(t, "This is the past", "Show now", "Dana")
	ana.get("/cedar/settings/users/alone").says(t, "Dana", "Alone today", "without a second person")
	ana.get("/cedar/settings/users/usr_dana/may").says(t, "What Dana", "Send a wire")
	for path, want := range map[string]string{
		"/cedar/settings/users/who-may.csv?operation=wires.transmit": "Member,Name,Role,Operation,Accounts,One payment up to,Alone up to,Left of the day,As of\r\nusr_dana,Dana ",
		"/cedar/settings/users/alone.csv":                            "Member,Name,Role,Alone today,Without a daily limit,How,Day,As of\r\nusr_dana,Dana ",
	} {
		if got := ana.get(path); !strings.HasPrefix(got.body, want) {
			t.Errorf("%s: %q, want %q first", path, got.body, want)
		}
	}
	byName, turned := listed(ana.get("/cedar/settings/users/who-may.csv?operation=user_management.view_users&sort=name")), listed(ana.get("/cedar/settings/users/who-may.csv?operation=user_management.view_users&sort=-name"))
	if slices.Reverse(turned); len(byName) < 2 || !slices.Equal(byName, turned) {
		t.Errorf("by name: %q, and the other way round from its end: %q", byName, turned)
	}
	page = ana.get("/cedar/settings/users/who-may?operation=wires.transmit&at=" + then)
	for _, way := range []string{"/cedar/settings/users/usr_dana/may?at=", "/cedar/settings/users/alone?at="} {
		if !strings.Contains(page.body, way) {
			t.Errorf("the moment does not stay on the way to %s", way)
		}
	}
	ana.get("/cedar/settings/users/who-may?q=nobody").says(t, "Nobody of that name may do this")
	if got := ana.get("/cedar/settings/users/who-may.csv?amount=much"); got.status != http.StatusOK || !strings.Contains(got.body, "Write an amount") {
		t.Errorf("a file of no answer: %d %.200q", got.status, got.body)
	}
	dana := w.as("dana")
	for _, path := range []string{"who-may", "who-may.csv", "alone", "alone.csv", "usr_dana/may"} {
		if got := dana.get("/cedar/settings/users/" + path); got.status != http.StatusForbidden {
			t.Errorf("%s answers %d to whoever administers nobody", path, got.status)
		}
	}
}

// listed are the people of a file.
func listed(file answer) (names []string) {
	rows := strings.Split(strings.TrimSpace(file.body), "\r\n")
	for _, row := range rows[1:] {
		names = append(names, strings.Split(row, ",")[0])
	}
	return names
}

// With five hundred people on two hundred accounts, and with ten thousand people
// on one, the answers come at once.
func TestWhoMayIsQuick(t *testing.T) {
	for _, size := range [][2]int{{1, rounded(100, 1_000)}, {1, rounded(200, 10_000)}, {rounded(40, 200), rounded(100, 500)}} {
		t.Run(fmt.Sprintf("%d accounts, %d people", size[0], size[1]), func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				w := newWorld(t, d)
				w.wide(size[0], size[1])
				w.users.WithMemory(pdptest.Memory(d))
				ana := w.as("ana")
				for _, path := range []string{"who-may?operation=wires.transmit&account=acc_wide0", "who-may?operation=wires.transmit", "who-may?operation=transfers.create", "alone", "usr_wide7/may", "who-may?operation=wires.transmit&page=190", "who-may?operation=wires.transmit&q=person1"} {
					var took []time.Duration
					for range rounded(3, 15) {
						started := time.Now()
						ana.get("/cedar/settings/users/"+path).is(t, http.StatusOK)
						took = append(took, time.Since(started))
					}
					slices.Sort(took)
					if took[len(took)/2] > 2*time.Second {
						t.Errorf("%s takes %v", path, took[len(took)/2])
					}
					t.Logf("%s: %v", path, took[len(took)/2])
				}
				if os.Getenv("MANDATE_SCREENSHOTS") == "" || d.Dialect() != db.SQLite || size[0] == 1 {
					return
				}
				p := w.browser(t, "ana")
				p.open("/cedar/settings/users/who-may?operation=wires.transmit")
				p.look("who-may-many")
				p.open("/cedar/settings/users/alone")
				p.look("alone-many")
			})
		})
	}
}

func rounded(few, all int) int {
	if os.Getenv("MANDATE_SLOW") != "" {
		return all
	}
	return few
}

func TestWhoMayLooksRight(t *testing.T) {
	d := dbtest.SQLite(t)
	t.Cleanup(usermgmt.KeepPast(d))
	w := newWorld(t, d)
	if err := usermgmt.KeepPastFromNow(t.Context(), d, nil); err != nil {
		t.Fatal(err)
	}
	ana := w.browser(t, "ana")
	ana.open("/cedar/settings/users/who-may?operation=wires.transmit")
	ana.look("who-may")
	ana.Choose("What", "Transfer money between accounts")
	var file string
	if ana.Eval(`document.querySelector("#list-actions a").href`, &file); !strings.Contains(file, "operation=transfers.create") {
		t.Errorf("after the question was changed on the page, the file is of %s", file)
	}
	ana.open("/cedar/settings/users/who-may?operation=wires.transmit&at=" + dbtest.ClockOf(t, d).Now().UTC().Format(time.RFC3339))
	ana.See("This is the past")
	ana.look("who-may-past")
	ana.Choose("What", "Transfer money between accounts")
	var now string
	if ana.Eval(`document.querySelector("#list-moment a").href`, &now); !strings.HasSuffix(now, "who-may?operation=transfers.create") {
		t.Errorf("after the question was changed on a page about the past, the present is shown of %s", now)
	}
	ana.open("/cedar/settings/users/alone")
	ana.look("alone")
	ana.open("/cedar/settings/users/usr_dana/may")
	ana.look("what-may")
}
