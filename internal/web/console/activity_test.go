package console_test

import (
	"encoding/csv"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/staff"
)

// auditor adds somebody who may search the audit logs and nothing else.
func (w *world) auditor() *world {
	w.t.Helper()
	w.group("Audit", catalog.PlatformAuditSearch)
	w.add("ada", "Audit")
	return w
}

// happens puts events into Northwind's history, a minute after each other.
func (w *world) happens(events ...activity.Event) {
	w.t.Helper()
	for i, e := range events {
		w.clock.Advance(time.Minute)
		w.must(w.d.Write(w.t.Context(), func(tx *db.Tx) error {
			s, err := activity.Lock(tx, cedar, northwind)
			if err != nil {
				return err
			}
			return s.Append(fmt.Sprint("sav_", i), e)
		}))
	}
}

func didTo(name, event string, changes ...activity.Change) activity.Event {
	return activity.Event{Name: event, Channel: bank.ChannelOnline, IP: "198.51.100.4", Device: "Safari on iPhone",
		Actor:   activity.Actor{Kind: bank.ActorMember, ID: "usr_ana", Name: "Ana Ruiz"},
		Target:  activity.Target{Kind: activity.TargetMember, ID: string(of(name).User), Name: strings.ToUpper(name[:1]) + name[1:]},
		Changes: changes}
}

// The institution's feed has what happened at every organization and among the
// staff; the right to see profiles alone does not open it.
func TestActivityIsOneFeedOfEverything(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.customer().support().auditor()
		w.happens(didTo("dana", "orguser.permission_changed", activity.Change{Field: "wires.per_wire_limit", Old: "25000.00", New: "30000.00"}), didTo("dana", "hra.failed"))
		ada := w.as("ada")
		feed := ada.get("/cedar/activity")
		feed.says(t, "Ana Ruiz changed the permissions of Dana", "$25,000.00", "$30,000.00", "Northwind Paper · in Online · 198.51.100.4 · Safari on iPhone",
			"Ana Ruiz did not prove that it was them", "Users & Groups", "Look for new events")
		ada.get("/cedar/activity?kind=high_risk").says(t, "did not prove")
		ada.get("/cedar/activity?kind=high_risk").saysNot(t, "changed the permissions of Dana")
		ada.get("/cedar/activity?kind=staff").saysNot(t, "Dana")
		ada.get("/cedar/activity?from=2026-13-01").says(t, "Write a date like 2026-03-02.")
		if got := ada.get(atNorthwind + "/activity"); got.status != 403 {
			t.Errorf("an auditor sees the profile of an organization: %d", got.status)
		}
		sam := w.as("sam")
		for _, path := range []string{"/cedar/activity", "/cedar/activity.csv", "/cedar/activity/fresh"} {
			if got := sam.get(path); got.status != 403 {
				t.Errorf("%s answers %d to whoever may see profiles alone", path, got.status)
			}
		}
		sam.get(atDana+"/activity").says(t, "changed the permissions of Dana", "did not prove", "Sam Cedar looked at the profile of Dana Reyes")
		sam.get(atNorthwind+"/activity").says(t, "changed the permissions of Dana")
		sam.get("/cedar/people/org_other/activity").saysNot(t, "Dana")
	})
}

var since = regexp.MustCompile(`hx-get="([^"]+)"`)

// What is new since the page was made is counted, by the filters of the page;
// without scripts its link does.
func TestActivityCountsWhatIsNew(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.customer().auditor()
		w.happens(didTo("dana", "hra.passed"))
		ada := w.as("ada")
		poll := strings.ReplaceAll(since.FindStringSubmatch(ada.get("/cedar/activity?kind=high_risk").body)[1], "&amp;", "&")
		ada.get(poll).says(t, "Look for new events")
		w.happens(didTo("dana", "hra.passed"), didTo("lee", "hra.failed"), didTo("lee", "orguser.locked"))
		ada.get(poll).says(t, "2 new events")
		page := ada.get(strings.Replace(poll, "/fresh", "", 1))
		page.says(t, "2 new events", "Kind of event")
		again := strings.ReplaceAll(since.FindStringSubmatch(page.body)[1], "&amp;", "&")
		ada.get(again).says(t, "Look for new events")
	})
}

// The pages of a long feed hold each event once, and so does its file; a cell
// that a spreadsheet would run is harmless.
func TestActivityPagesAndExports(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.customer().support().auditor()
		var events []activity.Event
		for i := range 130 {
			e := didTo("dana", "orguser.profile_changed", activity.Change{Field: "first_name", Old: "=1+1", New: fmt.Sprint("Name", i)})
			events = append(events, e)
		}
		w.happens(events...)
		ada := w.as("ada")
		seen, path := map[string]int{}, "/cedar/activity?kind=profile"
		for n := 0; path != "" && n < 10; n++ {
			body := ada.get(path).body
			for _, name := range regexp.MustCompile(`Name\d+`).FindAllString(body, -1) {
				seen[name]++
			}
			next := regexp.MustCompile(`href="([^"]+before=[^"]+)"`).FindStringSubmatch(body)
			if path = ""; next != nil {
				path = strings.ReplaceAll(next[1], "&amp;", "&")
			}
		}
		if len(seen) != 130 {
			t.Errorf("the pages show %d events, want 130", len(seen))
		}
		for name, n := range seen {
			if n != 1 {
				t.Errorf("%s stands on %d pages", name, n)
			}
		}
		for _, c := range []struct{ who, path string }{{"ada", "/cedar/activity.csv?kind=profile"}, {"sam", atDana + "/activity.csv?kind=profile"}, {"sam", atNorthwind + "/activity.csv?kind=profile"}} {
			rows, err := csv.NewReader(strings.NewReader(w.as(c.who).get(c.path).body)).ReadAll()
			if err != nil || len(rows) != 131 {
				t.Fatalf("%s: %d rows (%v), want a head and 130", c.path, len(rows), err)
			}
			row := strings.Join(rows[1], "|")
			if !strings.Contains(row, "|Northwind Paper|") || !strings.Contains(row, "|'=1+1|") || !strings.Contains(row, "|198.51.100.4|") {
				t.Errorf("%s: a row is %s", c.path, row)
			}
		}
	})
}

// Filters are kept under a name, for the one who keeps them.
func TestFiltersAreKept(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.customer().auditor()
		w.add("alf", "Audit")
		ada := w.as("ada")
		query := url.Values{"kind": {"high_risk"}, "outcome": {"refused"}}.Encode()
		ada.post("/cedar/activity/filters", url.Values{"name": {"Failed proofs"}, "query": {query}}).says(t, "The filter “Failed proofs” was kept", "Failed proofs")
		ada.post("/cedar/activity/filters", url.Values{"name": {""}, "query": {query}}).says(t, "Give the filter a name.")
		ada.post("/cedar/activity/filters", url.Values{"name": {"Nothing"}, "query": {""}}).says(t, "choose a filter first")
		page := ada.get("/cedar/activity")
		if !strings.Contains(page.body, `href="/cedar/activity?kind=high_risk&amp;outcome=refused"`) {
			t.Errorf("the kept filter leads nowhere: %s", page.text())
		}
		w.as("alf").get("/cedar/activity").saysNot(t, "Failed proofs")
		ada.post("/cedar/activity/filters/failed%20proofs/forget", url.Values{}).saysNot(t, "Failed proofs")
	})
}

// The list of customers keeps filters of its own, and begins with the one that
// was chosen for that: for the one who chose it.
func TestTheListOfCustomersBeginsWithAFilter(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.customer().support()
		sam := w.as("sam")
		sam.get("/cedar/people").saysNot(t, "Keep this filter as")
		sam.get("/cedar/people?status=locked").says(t, "1 customer ", "Lee Tran", "Keep this filter as", "Begin with it")
		keep := func(name, query string, more ...string) answer {
			form := url.Values{"name": {name}, "query": {query}}
			if len(more) > 0 {
				form.Set("first", "on")
			}
			return sam.post("/cedar/people/filters", form)
		}
		keep("Locked", "status=locked", "first").says(t, "The filter “Locked” was kept", "Lee Tran", "Begins with it")
		keep("Held", "status=held").says(t, "The filter “Held” was kept", "Ingrid Moe")
		keep("Nothing", "").says(t, "choose a filter first")
		if begun := sam.get("/cedar/people"); begun.url != "/cedar/people?status=locked" {
			t.Errorf("the list begins at %s", begun.url)
		}
		sam.get("/cedar/people?all=1").says(t, "6 customers")
		if cleared := sam.get("/cedar/people?status=locked").body; !strings.Contains(cleared, `href="/cedar/people?all=1"`) {
			t.Error("clearing the filter leads back to it")
		}
		keep("Held", "status=held", "first") // one at a time
		if begun := sam.get("/cedar/people"); begun.url != "/cedar/people?status=held" || strings.Count(begun.text(), "Begins with it") != 1 {
			t.Errorf("the list begins at %s: %s", begun.url, begun.text())
		}
		keep("Held", "status=held")
		if begun := sam.get("/cedar/people"); begun.url != "/cedar/people" {
			t.Errorf("with no filter to begin with, the list begins at %s", begun.url)
		}
		// A name of one page is none of another, and one's own is nobody else's.
		sam.get("/cedar/people").says(t, "Locked", "Held")
		w.as("bo").get("/cedar/people").saysNot(t, "Held Begin")
		caller := w.caller("sam")
		w.must(w.staff.KeepFilter(t.Context(), caller, staff.Filter{Page: staff.OfActivity, Name: "Held", Query: "kind=wires"}))
		w.must(w.staff.DropFilter(t.Context(), caller, staff.OfActivity, "Held"))
		sam.get("/cedar/people").says(t, "Held Begin with it")
		sam.post("/cedar/people/filters/held/forget", url.Values{}).saysNot(t, "Held Begin")
	})
}

// A page that asks by itself does not keep anybody signed in.
func TestCountingDoesNotKeepASignInAlive(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.customer().auditor()
		ada := w.as("ada")
		for range 4 {
			w.clock.Advance(9 * time.Minute)
			ada.unattended("/cedar/activity/fresh")
		}
		if got := ada.get("/cedar/activity"); !strings.Contains(got.url, "/sign-in") {
			t.Errorf("after 36 minutes of counting alone, %s is shown", got.url)
		}
	})
}
