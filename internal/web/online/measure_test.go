package online_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/usermgmt"
)

// BenchmarkPages measures the server time of the pages that have a bar: an
// organization with 200 accounts, and one with 10,000 members.
func BenchmarkPages(b *testing.B) {
	w := newWorld(b, dbtest.SQLite(b))
	w.wide(200, 500)
	w.crowd(9_500)
	v := w.as("ana")
	for _, path := range []string{
		"/cedar/settings/users",
		"/cedar/settings/users?q=person12",
		"/cedar/settings/users?sort=-status&page=100",
		"/cedar/settings/users/usr_wide7",
		"/cedar/settings/users/usr_wide7/permissions",
		"/cedar/settings/users/usr_wide7/accounts/acc_wide7",
		"/cedar/settings/users/usr_wide7/why?operation=wires.transmit&account=acc_wide7&amount=100",
		"/cedar/settings/users/usr_wide7/history",
	} {
		b.Run(path, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				started := time.Now()
				if status := v.serve(path); status != http.StatusOK {
					b.Fatalf("%s answered %d", path, status)
				}
				took = append(took, time.Since(started))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
		})
	}
}

// serve asks the handler without a network.
func (v *visitor) serve(path string) int {
	r := httptest.NewRequest("GET", v.w.server.URL+path, nil)
	at, _ := url.Parse(v.w.server.URL)
	for _, c := range v.client.Jar.Cookies(at) {
		r.AddCookie(c)
	}
	answer := httptest.NewRecorder()
	v.w.server.Config.Handler.ServeHTTP(answer, r)
	return answer.Code
}

// wide adds accounts, and people with access to all of them.
func (w *world) wide(accounts, people int) {
	w.t.Helper()
	w.write(func(tx *db.Tx) error {
		for i := range accounts {
			a := usermgmt.Account{ID: bank.AccountID(fmt.Sprintf("acc_wide%d", i)), Name: fmt.Sprintf("Property %03d", i), Number: fmt.Sprintf("%04d", i), Kind: "checking"}
			if err := usermgmt.InsertAccount(tx, w.org.Num, &a); err != nil {
				return err
			}
			w.accounts = append(w.accounts, &a)
		}
		for i := range people {
			m := usermgmt.Member{ID: bank.UserID(fmt.Sprintf("usr_wide%d", i)), FirstName: "Wide", LastName: fmt.Sprintf("Person%d", i), Email: fmt.Sprintf("wide%d@northwind.example", i), Status: bank.StatusActive, Settings: danas()}
			if err := usermgmt.InsertMember(tx, cedar, w.org.Num, &m); err != nil {
				return err
			}
			for n, a := range w.accounts {
				s := onAccount()
				s.Limits = entitlement.Limits{}.With(catalog.LimitPerWire, bank.Cents(n%3+1)*1_000_00)
				if err := usermgmt.SetMemberAccount(tx, w.org.Num, m.Ordinal, a.Ordinal, s); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// The grid of five hundred people by two hundred accounts is a page at a time,
// both ways, and quick enough to be moved through.
func TestGridAtFiveHundredByTwoHundred(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.wide(197, 500)
	ana := w.as("ana")
	for _, query := range []string{"", "?rows=each", "?by=accounts", "?by=accounts&rows=each", "?by=accounts&rows=each&right=wires.transmit&q=person4&columns=5"} {
		var took []time.Duration
		var size int
		for range 5 {
			started := time.Now()
			page := ana.get("/cedar/settings/users/matrix" + query)
			page.is(t, http.StatusOK)
			took, size = append(took, time.Since(started)), len(page.body)
		}
		slices.Sort(took)
		if took[2] > 1500*time.Millisecond || size > 900_000 {
			t.Errorf("%q takes %v and %d bytes", query, took[2], size)
		}
		t.Logf("%q: %v, %d bytes", query, took[2], size)
	}
	if os.Getenv("MANDATE_SLOW") == "" && os.Getenv("MANDATE_SCREENSHOTS") == "" {
		return
	}
	p := w.browser(t, "ana")
	p.open("/cedar/settings/users/matrix?by=accounts&rows=each")
	p.See("of 505")
	p.Fits() // what axe says of a grid does not change with its size
	p.Screenshot("grid-500-by-200-wide-light")
	p.Phone()
	p.Fits()
	p.Dark()
	p.Screenshot("grid-500-by-200-phone-dark")
	p.Desktop()
	started := time.Now()
	p.Click("Next")
	p.See("25–48 of 200")
	if took := time.Since(started); took > 5*time.Second {
		t.Errorf("the next columns took %v", took)
	}
	p.Fill("Search accounts", "property 19")
	p.Click("Show these accounts")
	p.See("Property 196")
}
