package fineract_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/host"
	"mandate/internal/host/fineract"
	"mandate/internal/host/hosttest"
)

// at makes a fault happen at the n-th request that a pattern fits, counted from
// one, and at no other.
func at(n int, pattern, fault string) func(*http.Request) string {
	seen := 0
	return func(r *http.Request) string {
		if !strings.Contains(r.Method+" "+r.URL.Path, pattern) {
			return ""
		}
		if seen++; seen == n {
			return fault
		}
		return ""
	}
}

var faults = []string{"lost before", "lost after", "silent", "500", "half", "twice", "page of a proxy", "elsewhere", "endless", "checker"}

// Whatever goes wrong at whichever request of an order: it is not known what came
// of it, never a refusal, and asked again it is done once.
func TestFaultsAtEveryRequest(t *testing.T) {
	for _, kind := range []struct {
		name    string
		order   func() host.Order
		balance host.Balance
	}{
		{"transfer", func() host.Order { return move("1", 250_00) }, host.Balance{Ledger: 750_00, Available: 750_00}},
		{"withdrawal", func() host.Order {
			return order("2", host.Move(hosttest.Operating, host.Internal("fees"), 30_00)...)
		}, host.Balance{Ledger: 970_00, Available: 970_00}},
		{"hold", func() host.Order {
			o := order("3")
			o.Hold = &host.Hold{Account: hosttest.Operating, Cents: 900_00}
			return o
		}, host.Balance{Ledger: 1_000_00, Available: 100_00}},
	} {
		c, s := open(t)
		carry(t, c, kind.order())
		requests := len(s.asked)
		for n := 1; n <= requests; n++ {
			for _, fault := range faults {
				c, s := open(t)
				s.fault = at(n, "", fault)
				r, err := c.Carry(patience(t, fault), kind.order())
				if err == nil && !r.Done() {
					t.Errorf("%s, %s at request %d: it is a refusal: %+v", kind.name, fault, n, r)
				}
				read := strings.HasPrefix(s.asked[n-1], "GET") // the transport reads again where a connection broke, but writes nothing again
				if err == nil && !(read && strings.HasPrefix(fault, "lost")) {
					t.Errorf("%s, %s at request %d: it is taken for done: %+v", kind.name, fault, n, r)
				}
				secretless(t, err)
				s.fault = nil
				first := carry(t, c, kind.order())
				if again := carry(t, c, kind.order()); !first.Done() || again != first {
					t.Errorf("%s, %s at request %d: then %+v and %+v", kind.name, fault, n, first, again)
				}
				if got, err := c.Balances(t.Context(), hosttest.Institution, []bank.AccountID{hosttest.Operating}); err != nil || got[hosttest.Operating] != kind.balance {
					t.Errorf("%s, %s at request %d: the balance is %+v, %v, want %+v", kind.name, fault, n, got, err, kind.balance)
				}
			}
		}
	}
}

// patience is how long one waits for an answer: briefly for one that never comes.
func patience(t *testing.T, fault string) context.Context {
	if fault != "silent" {
		return t.Context()
	}
	ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	t.Cleanup(stop)
	return ctx
}

// secretless sees that an error tells of no credentials, and of nobody's business.
func secretless(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	for _, word := range []string{password, "Northwind", "stand-in", "Basic", "too little", hosttest.OperatingNumber, "fromAmount"} {
		if strings.Contains(err.Error(), word) {
			t.Errorf("the error tells %q: %v", word, err)
		}
	}
}

// A core that forgets keys, or whose records of them were purged, is still not
// made to do anything twice: the mark is found.
func TestFindsWithoutKeys(t *testing.T) {
	c, s := open(t)
	s.forgetful = true
	s.fault = at(1, "POST", "lost after")
	if r, err := c.Carry(t.Context(), move("1", 250_00)); err == nil {
		t.Fatalf("a lost answer is %+v", r)
	}
	for range 3 {
		if r := carry(t, c, move("1", 250_00)); !r.Done() {
			t.Errorf("%+v", r)
		}
	}
	if len(s.moved) != 1 {
		t.Errorf("it was done %d times", len(s.moved))
	}
	s.accounts[11].lines[1].reversed = true // by somebody at the bank
	if r := carry(t, c, move("1", 250_00)); !r.Done() || len(s.moved) != 1 {
		t.Errorf("what was reversed is done again: %+v", r)
	}
}

// What Fineract failed itself is kept under its key for good. The order is asked
// under the next key, once it is sure that it was not done.
func TestAsksAgainUnderAnotherKey(t *testing.T) {
	for _, wordless := range []bool{false, true} {
		c, s := open(t)
		s.wordless = wordless
		for attempt := 1; attempt <= 3; attempt++ {
			s.fault = at(attempt, "POST", "failed for good")
			if r, err := c.Carry(t.Context(), move("1", 250_00)); err == nil {
				t.Fatalf("attempt %d: a failure is %+v", attempt, r)
			}
		}
		s.fault = nil
		if r := carry(t, c, move("1", 250_00)); !r.Done() || len(s.moved) != 1 {
			t.Errorf("%+v, done %d times", r, len(s.moved))
		}
	}
}

// Whatever goes wrong at whichever request of an order that is refused: what was
// told stays, and what was not told may come out otherwise.
func TestFaultsAtEveryRequestOfARefusal(t *testing.T) {
	c, s := open(t)
	carry(t, c, move("1", 1_000_01))
	requests := len(s.asked)
	for n := 1; n <= requests; n++ {
		for _, fault := range faults {
			c, s := open(t)
			s.wordless = true
			s.fault = at(n, "", fault)
			first, err := c.Carry(patience(t, fault), move("1", 1_000_01))
			secretless(t, err)
			s.fault = nil
			s.post(s.accounts[11], &sLine{kind: 1, cents: 500_00, day: "2026-03-02"})
			again := carry(t, c, move("1", 1_000_01))
			if err == nil && again != first {
				t.Errorf("%s at request %d: it told %+v, then %+v", fault, n, first, again)
			}
			if third := carry(t, c, move("1", 1_000_01)); third != again || len(s.moved) > 1 {
				t.Errorf("%s at request %d: %+v, then %+v", fault, n, again, third)
			}
		}
	}
}

// A command that is under way is waited for, and not asked under another key.
func TestWaitsForWhatIsUnderWay(t *testing.T) {
	status, body := failureOf(409, "error.msg.platform.service.command.conflict", "")
	for name, underWay := range map[string]sCommand{"425": {}, "409": {status, body}} {
		c, s := open(t)
		s.fault = func(r *http.Request) string {
			if key := r.Header.Get("Idempotency-Key"); key != "" {
				s.commands["CREATE ACCOUNTTRANSFER "+key] = underWay
			}
			return ""
		}
		if r, err := c.Carry(t.Context(), move("1", 250_00)); err == nil || len(s.commands) != 1 {
			t.Errorf("%s: a command that is under way was answered for: %+v, asked under %d keys", name, r, len(s.commands))
		}
		asked := 0
		s.fault = func(r *http.Request) string {
			if key := r.Header.Get("Idempotency-Key"); key != "" {
				if asked++; asked == 3 {
					delete(s.commands, "CREATE ACCOUNTTRANSFER "+key) // it was never begun after all
				}
			}
			return ""
		}
		if r := carry(t, c, move("1", 250_00)); !r.Done() || len(s.moved) != 1 {
			t.Errorf("%s: once it is no more under way: %+v", name, r)
		}
	}
}

// A rule of Fineract's that is not about money is an error and keeps its code for
// whoever reads the log.
func TestRulesAreErrors(t *testing.T) {
	c, s := open(t)
	s.fault = at(1, "POST", "refused by a rule")
	_, err := c.Carry(t.Context(), move("1", 250_00))
	if err == nil || !strings.Contains(err.Error(), "403") || !strings.Contains(err.Error(), "error.msg.saving.account.debit.transaction.not.allowed") {
		t.Errorf("%v, want the code", err)
	}
	secretless(t, err)
	early := move("2", 250_00)
	early.Day = "2026-03-03"
	if _, err := c.Carry(t.Context(), early); err == nil || !strings.Contains(err.Error(), "in.the.future") {
		t.Errorf("a day that has not come: %v", err)
	}
	s.today = "2026-03-03" // kept as failed under the first key, and yet done when its day has come
	if r := carry(t, c, early); !r.Done() {
		t.Errorf("its day has come: %+v", r)
	}
	early.Ref, early.Day = "3", ""
	if _, err := c.Carry(t.Context(), early); err == nil {
		t.Error("an order without a day was carried")
	}
}

func TestWrongTenantAndCredentials(t *testing.T) {
	_, s := open(t)
	for name, text := range map[string]string{
		"error.msg.invalid.tenant.identifier": `{"institutions":{"cedar":{"tenant":"other","username":"mandate","password":"correct horse"}}}`,
		"error.msg.not.authenticated":         `{"institutions":{"cedar":{"tenant":"northwind","username":"mandate","password":"wrong horse"}}}`,
		"no tenant is set":                    `{"institutions":{"harbor":{"tenant":"northwind","username":"mandate","password":"correct horse"}}}`,
	} {
		c := connect(t, s, text, 0)
		_, carried := c.Carry(t.Context(), move("1", 1))
		_, balances := c.Balances(t.Context(), hosttest.Institution, []bank.AccountID{hosttest.Operating})
		_, list := c.Organizations(t.Context(), hosttest.Institution, "", 1)
		for _, err := range []error{carried, balances, list} {
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%v, want %s", err, name)
			}
			secretless(t, err)
			if err != nil && strings.Contains(err.Error(), "horse") {
				t.Errorf("the error tells a password: %v", err)
			}
		}
	}
}

// Reads fail rather than tell half.
func TestReadsFail(t *testing.T) {
	for _, fault := range faults {
		c, s := open(t)
		ctx := patience(t, fault)
		for name, read := range map[string]func() (int, error){
			"Balances": func() (int, error) {
				got, err := c.Balances(ctx, hosttest.Institution, []bank.AccountID{hosttest.Operating, hosttest.Payroll})
				return len(got), err
			},
			"Numbers": func() (int, error) {
				got, err := c.Numbers(ctx, hosttest.Institution, []bank.AccountID{hosttest.Operating})
				return len(got), err
			},
			"Statement": func() (int, error) {
				got, err := c.Statement(ctx, hosttest.Institution, hosttest.Operating, 5)
				return len(got), err
			},
			"Organizations": func() (int, error) {
				got, err := c.Organizations(ctx, hosttest.Institution, "", 5)
				return len(got), err
			},
		} {
			s.fault = func(*http.Request) string { return fault }
			n, err := read()
			if err == nil || n != 0 {
				t.Errorf("%s, %s: %d and %v", name, fault, n, err)
			}
			secretless(t, err)
		}
	}
}

// A statement is read to its end whatever the size of pages is, and nothing in it
// stands twice while others post.
func TestStatementPages(t *testing.T) {
	c, s := open(t)
	for n := range int64(500) {
		s.post(s.accounts[12], &sLine{kind: 1, cents: n + 1, day: "2026-03-02"})
	}
	for _, size := range []int{0, 7, 1} {
		s.pageOf = size
		posted := 0
		s.fault = func(r *http.Request) string {
			if strings.Contains(r.URL.Path, "search") && r.URL.Query().Get("offset") != "0" && posted < 3 {
				posted++
				s.post(s.accounts[12], &sLine{kind: 2, cents: 1, day: "2026-03-02"})
			}
			return ""
		}
		want := 40
		if size == 0 {
			want = 450
		}
		lines, err := c.Statement(t.Context(), hosttest.Institution, hosttest.Payroll, want)
		seen := map[string]bool{}
		for i, l := range lines {
			seen[l.Reference] = true
			if i > 0 && l.After > lines[i-1].After && lines[i-1].Cents > 0 {
				t.Errorf("pages of %d: line %d is out of order: %+v after %+v", size, i, l, lines[i-1])
			}
		}
		if err != nil || len(lines) != want || len(seen) != want {
			t.Errorf("pages of %d: %d lines, %d of them different, %v, want %d", size, len(lines), len(seen), err, want)
		}
	}
}

// Credentials go nowhere else.
func TestFollowsNobody(t *testing.T) {
	c, s := open(t)
	s.fault = func(*http.Request) string { return "elsewhere" }
	if _, err := c.Balances(t.Context(), hosttest.Institution, []bank.AccountID{hosttest.Operating}); err == nil || len(s.asked) != 1 {
		t.Errorf("%v, and it asked %q", err, s.asked)
	}
}

func TestTimeIsBounded(t *testing.T) {
	_, s := open(t)
	c := connect(t, s, settings, 100*time.Millisecond)
	s.fault = func(*http.Request) string { return "silent" }
	began := time.Now()
	if _, err := c.Carry(t.Context(), move("1", 1)); err == nil || time.Since(began) > 5*time.Second {
		t.Errorf("%v after %s", err, time.Since(began))
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := c.Balances(ctx, hosttest.Institution, []bank.AccountID{hosttest.Operating}); err == nil {
		t.Error("it answers one who has gone")
	}
}

func TestAddresses(t *testing.T) {
	for address, good := range map[string]bool{
		"fineract+https://core.example/fineract-provider/api/v1":  true,
		"fineract+https://core.example/fineract-provider/api/v1/": true,
		"fineract+http://localhost:8080/api/v1":                   true,
		"fineract+http://core.example/api/v1":                     false,
		"https://core.example/api/v1":                             false,
		"fineract+https://me:secret@core.example/api/v1":          false,
		"fineract+https://core.example/api/v1?tenant=x":           false,
		"fineract+file:///etc":                                    false,
		"fineract+":                                               false,
	} {
		if _, err := fineract.New(fineract.Config{Address: address}); (err == nil) != good || err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("New(%s): %v", address, err)
		}
	}
}

func TestSettings(t *testing.T) {
	read, err := fineract.ReadSettings([]byte(settings))
	if err != nil || read.Institutions["cedar"].Currency != "USD" {
		t.Fatalf("%+v, %v", read, err)
	}
	if shown := fmt.Sprintf("%v %+v %#v", read, read, read.Institutions["cedar"].Password); strings.Contains(shown, "horse") {
		t.Errorf("printed, they show the password: %s", shown)
	}
	for text, want := range map[string]string{
		``:                    "ends too early",
		`{}`:                  "at least one institution",
		settings + settings:   "something follows",
		`{"password":"horse"`: "not known",
		`{"institutions":{"cedar":{"password":["horse"]}}}`:                                                  "must not be",
		`{"institutions":{"cedar":{"tenant":"t","username":"u","password":"horse"},"b":{}}}`:                 "institutions.b.tenant",
		`{"institutions":{"c":{"tenant":"t","username":"u","password":"horse","currency":"dollars"}}}`:       "currency",
		`{"institutions":{"c":{"tenant":"t","username":"u","password":"horse","payment_types":{"fees":0}}}}`: "payment_types",
	} {
		if _, err := fineract.ReadSettings([]byte(text)); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "horse") {
			t.Errorf("ReadSettings(%s): %v, want it to say %q", text, err, want)
		}
	}
}
