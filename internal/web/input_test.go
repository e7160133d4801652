package web_test

import (
	"bytes"
	"errors"
	"iter"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"mandate/internal/fault"
	"mandate/internal/web"
)

// A clockAt stands still some seconds after the start of 2026.
type clockAt struct{ seconds int }

func (c *clockAt) Now() time.Time {
	return time.Date(2026, 1, 1, 0, 0, c.seconds, 0, time.UTC)
}

func sent(fields url.Values) *web.Form {
	r := httptest.NewRequest("POST", "/", nil)
	r.PostForm = fields
	return web.ReadForm(r)
}

func TestFormReadsAndKeeps(t *testing.T) {
	f := sent(url.Values{
		"name": {"  Dana Diaz "}, "long": {strings.Repeat("é", 41)}, "full": {strings.Repeat("é", 40)}, "bidi": {"Dana\u202eziaD"}, "limit": {"$25,000.00"}, "none": {""},
		"wrong": {"25.000,00"}, "on": {"off", "on"}, "off": {"off"}, "role": {"king"}, "box": {"on"},
	})
	if got := f.Required("name", 40, "Write a name."); got != "Dana Diaz" {
		t.Errorf("name = %q", got)
	}
	f.Text("long", 40)
	f.Text("full", 40)
	f.Text("bidi", 40)
	if got := f.Money("limit"); got != 2_500_000 {
		t.Errorf("limit = %d", got)
	}
	if got := f.Money("none"); got != 0 || f.Problem("none") != "" {
		t.Errorf("an empty amount = %d, %q", got, f.Problem("none"))
	}
	f.Money("wrong")
	f.Choice("role", "Choose a role.", "user", "admin")
	f.Required("absent", 40, "Write something.")
	for field, wrong := range map[string]bool{"name": false, "long": true, "full": false, "bidi": true, "limit": false, "wrong": true, "role": true, "absent": true} {
		if (f.Problem(field) != "") != wrong {
			t.Errorf("%s: problem %q", field, f.Problem(field))
		}
	}
	if on, shown := f.Switch("on"); !on || !shown {
		t.Errorf("a switch that is on: %t, %t", on, shown)
	}
	if on, shown := f.Switch("off"); on || !shown {
		t.Errorf("a switch that is off: %t, %t", on, shown)
	}
	if on, shown := f.Switch("elsewhere"); on || shown {
		t.Errorf("a switch that was not there: %t, %t", on, shown)
	}
	if !f.Checked("box") || f.Checked("boxes") {
		t.Error("a checkbox is read wrongly")
	}
	if got := f.Field("wrong", "Limit"); got.Value != "25.000,00" || got.Problem == "" {
		t.Errorf("the field came back as %+v", got)
	}
	if f.OK() || f.Status() != http.StatusUnprocessableEntity {
		t.Errorf("OK %t, status %d", f.OK(), f.Status())
	}
}

func TestFormTakesWhatAVerbFound(t *testing.T) {
	f := sent(url.Values{})
	var problems fault.Problems
	problems.Add("email", "This email is taken.")
	if err := f.Take(problems.Err("Nothing was saved.")); err != nil {
		t.Fatalf("an invalid input is returned: %v", err)
	}
	if f.Sentence != "Nothing was saved." || f.Problem("email") != "This email is taken." {
		t.Errorf("the form has %q, %q", f.Sentence, f.Problem("email"))
	}
	refusal := fault.New(fault.Forbidden, "No.")
	if err := f.Take(refusal); !errors.Is(err, refusal) {
		t.Errorf("a refusal became %v", err)
	}
	if sent(url.Values{}).Take(nil) != nil {
		t.Error("success became an error")
	}
}

var listSpec = web.ListSpec{Sorts: []string{"name", "-created", "role"}, Filters: map[string][]string{"status": {"active", "locked"}, "city": nil}, PerPage: 50}

func list(query string) web.List {
	return web.ReadList(httptest.NewRequest("GET", "/users?"+query, nil), listSpec)
}

func TestListHasBounds(t *testing.T) {
	for query, check := range map[string]func(web.List) bool{
		"": func(l web.List) bool {
			return l.Page == 1 && l.Sort == "name" && !l.Descending && l.PerPage == 50 && !l.Narrowed()
		},
		"page=-5":                            func(l web.List) bool { return l.Page == 1 && l.Offset() == 0 },
		"page=99999999":                      func(l web.List) bool { return l.Page == 10_000 },
		"page=nonsense":                      func(l web.List) bool { return l.Page == 1 },
		"page=3":                             func(l web.List) bool { return l.Offset() == 100 },
		"sort=password":                      func(l web.List) bool { return l.Sort == "name" },
		"sort=-role":                         func(l web.List) bool { return l.Sort == "role" && l.Descending },
		"sort=-created":                      func(l web.List) bool { return l.Sort == "created" && l.Descending },
		"status=locked":                      func(l web.List) bool { return l.Filter("status") == "locked" && l.Narrowed() },
		"status=drop":                        func(l web.List) bool { return l.Filter("status") == "" },
		"other=1":                            func(l web.List) bool { return l.Filter("other") == "" && !l.Narrowed() },
		"q=" + strings.Repeat("%C3%A9", 300): func(l web.List) bool { return len([]rune(l.Search)) == 100 },
		"q=%ff%feDana":                       func(l web.List) bool { return l.Search == "Dana" },
	} {
		if l := list(query); !check(l) {
			t.Errorf("%q gives %+v", query, l)
		}
	}
	if l := web.ReadList(httptest.NewRequest("GET", "/x", nil), web.ListSpec{PerPage: 100_000}); l.PerPage > 200 {
		t.Errorf("a page of %d rows", l.PerPage)
	}
}

func TestListAddresses(t *testing.T) {
	l := list("q=dana+d&status=locked&sort=-role&page=3")
	if got := l.Href(); got != "/users?page=3&q=dana+d&sort=-role&status=locked" {
		t.Errorf("Href = %q", got)
	}
	if got := l.Clear().Href(); got != "/users?sort=-role" {
		t.Errorf("Clear = %q", got)
	}
	role := l.Column("role", "Role")
	if role.Sorted != "descending" || role.Href != "/users?q=dana+d&sort=role&status=locked" {
		t.Errorf("the sorted column is %+v", role)
	}
	name := l.Column("name", "Name")
	if name.Sorted != "" || name.Href != "/users?q=dana+d&status=locked" {
		t.Errorf("the default's column is %+v", name)
	}
	p := l.Pager("Users", 120)
	if p.From != 101 || p.To != 120 || p.Next != "" || !strings.Contains(p.Previous, "page=2") {
		t.Errorf("the last page's pager is %+v", p)
	}
	if p := l.At(9).Pager("Users", 120); p.From != 120 || p.To != 120 || p.Next != "" || !strings.Contains(p.Previous, "page=3") {
		t.Errorf("beyond the end the pager is %+v", p)
	}
	if p := list("").Pager("Users", 0); p.From != 0 || p.To != 0 || p.Next+p.Previous != "" {
		t.Errorf("the pager of an empty list is %+v", p)
	}
}

func rows(all ...[]string) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		for _, row := range all {
			if row == nil {
				yield(nil, errors.New("the database is gone"))
				return
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

func TestCSVHoldsNoFormulas(t *testing.T) {
	w := httptest.NewRecorder()
	err := web.WriteCSV(w, "users.csv", []string{"Name", "Limit"}, rows(
		[]string{"=HYPERLINK(\"http://evil.example\")", "-12.50"}, []string{"@SUM(A1)", "25000.00"}, []string{"+1 555", "\tx"}, []string{"  =1+1", "-1+1"}, []string{"＝1", "plain, text"}))
	if err != nil {
		t.Fatal(err)
	}
	want := "Name,Limit\r\n\"'=HYPERLINK(\"\"http://evil.example\"\")\",-12.50\r\n'@SUM(A1),25000.00\r\n'+1 555,'\tx\r\n'  =1+1,'-1+1\r\n'＝1,\"plain, text\"\r\n"
	if got := w.Body.String(); got != want {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
	if got := w.Header().Get("Content-Disposition"); got != "attachment; filename=users.csv" {
		t.Errorf("Content-Disposition = %q", got)
	}
}

func TestCSVIsWholeOrBroken(t *testing.T) {
	w := httptest.NewRecorder()
	if err := web.WriteCSV(w, "users.csv", []string{"Name"}, rows(nil)); err == nil || w.Body.Len() > 0 {
		t.Errorf("a failure before the first row: error %v, %d bytes", err, w.Body.Len())
	}
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("a failure after the first row did not break the download off")
		}
	}()
	web.WriteCSV(httptest.NewRecorder(), "users.csv", []string{"Name"}, rows([]string{"Dana"}, nil))
}

func TestCSVOfNothingHasItsHeader(t *testing.T) {
	w := httptest.NewRecorder()
	if err := web.WriteCSV(w, "users.csv", []string{"Name"}, rows()); err != nil || !bytes.Equal(w.Body.Bytes(), []byte("Name\r\n")) {
		t.Errorf("got %q, %v", w.Body, err)
	}
}

// One mistake is one sentence: what could not be read is not judged as well.
func TestAMistakeIsSaidOnce(t *testing.T) {
	f := sent(url.Values{"amount": {"a lot"}})
	if f.Money("amount") != 0 {
		t.Fatal("it was read")
	}
	var problems fault.Problems
	problems.Add("amount", "Write an amount like $1,250.00, above zero.")
	problems.Add("to", "Choose the account.")
	problems.Add("to", "It is closed.")
	if err := f.Take(problems.Err("Nothing was saved.")); err != nil {
		t.Fatal(err)
	}
	if len(f.Problems) != 3 || f.Problem("amount") != "Write an amount like $25,000.00, without a minus sign." || f.Problem("to") != "Choose the account." {
		t.Errorf("the form says %+v", f.Problems)
	}
}
