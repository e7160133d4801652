package protocol_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mandate/internal/bank"
	"mandate/internal/host"
	"mandate/internal/host/protocol"
)

const key = "a-key-of-the-institution"

var silent = slog.New(slog.NewTextHandler(io.Discard, nil))

// A script is a host that says what a test wants.
type script struct {
	protocol.Server
	carry  func(context.Context, protocol.Order) (protocol.Receipt, error)
	users  []protocol.User
	events []protocol.Event
	cards  []protocol.Card
	items  []protocol.Presented
	image  []byte
	look   func(ctx context.Context) error
	asked  []host.Ref
}

func (s *script) About(context.Context, bank.InstitutionID) (protocol.About, error) {
	return protocol.About{Protocol: protocol.Version, Name: "A script", Offers: protocol.Features}, nil
}

func (s *script) Balances(ctx context.Context, _ bank.InstitutionID, accounts []host.Ref) (all []protocol.Balance, err error) {
	s.asked = append(s.asked, accounts...)
	if s.look != nil {
		err = s.look(ctx)
	}
	for i, a := range accounts {
		all = append(all, protocol.Balance{Account: a, Ledger: bank.Cents(i), Available: -1})
	}
	return all, err
}

func (s *script) Carry(ctx context.Context, _ bank.InstitutionID, o protocol.Order) (protocol.Receipt, error) {
	return s.carry(ctx, o)
}

func (s *script) Cards(context.Context, bank.InstitutionID, host.Ref) ([]protocol.Card, error) {
	return s.cards, nil
}

func (s *script) Presented(context.Context, bank.InstitutionID, string, int) ([]protocol.Presented, error) {
	return s.items, nil
}

func (s *script) Image(context.Context, bank.InstitutionID, string, host.Side) ([]byte, error) {
	if s.image == nil {
		return nil, host.ErrNoImage
	}
	return s.image, nil
}

func (s *script) Users(context.Context, bank.InstitutionID, host.Ref, int) ([]protocol.User, error) {
	return s.users, nil
}

func (s *script) User(_ context.Context, _ bank.InstitutionID, ref host.Ref) (protocol.User, error) {
	for _, u := range s.users {
		if u.Ref == ref {
			return u, nil
		}
	}
	return protocol.User{}, host.ErrNoUser
}

func (s *script) Events(context.Context, bank.InstitutionID, string, int) ([]protocol.Event, error) {
	return s.events, nil
}

// to is a client before a host in the same process.
func to(s protocol.Server) *protocol.Client {
	return before(protocol.Handler(s, func(i bank.InstitutionID, k string) bool { return i == "cedar" && k == key }, silent))
}

func before(h http.Handler) *protocol.Client {
	return protocol.NewClient(protocol.Everywhere(protocol.Address{URL: "http://host.inside", Key: key}), host.Same{}, protocol.Inside(h))
}

// says is a host that answers everything with the same.
func says(status int, kind, body string) *protocol.Client {
	return before(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
}

var noon = time.Date(2026, 3, 2, 12, 0, 0, 123456000, time.UTC)

func user(ref host.Ref, version int64) host.User {
	return host.User{Ref: ref, Organization: "north", Version: version, FirstName: "Dana", LastName: "Diaz", Email: "dana@example.com", Role: bank.RoleAdmin, Status: bank.StatusLocked, Held: true,
		Permissions: map[string]string{"wires.transmit": "true"}, Accounts: map[host.Ref]map[string]string{"op": {"wires.per_wire_limit": "25000"}, "pay": {}}}
}

// everything is an order that asks for all that there is.
func everything() host.Order {
	return host.Order{
		Institution: "cedar", Organization: "north", Room: "test", Ref: "1", Day: "2026-03-02", Memo: "A memo & more",
		Legs: append(host.Move("op", "pay", 5), host.Leg{Account: host.Internal("fees"), Cents: 0}),
		Hold: &host.Hold{Account: "op", Cents: 7}, Free: "test/0", Stop: &host.Stop{Account: "op", First: 1, Last: 2, Cents: 3, Until: "2026-09-02"}, Lift: "test/00",
		File: &host.File{Name: "f", Kind: "nacha", Body: []byte{0, 1, 255}}, Enrol: &host.Enrolment{Account: "op", On: true},
		Issued: &host.Issued{Account: "op", Checks: []host.IssuedCheck{{Number: 1, Cents: 2, Payee: "P", Void: true}}},
		Ruling: &host.Ruling{Item: "i", Pay: true, Reason: "r"}, Card: &host.CardOrder{Card: "c", Step: host.LoseCard, Replace: true},
		User: &host.UserOrder{Step: host.UpdateUser, User: user("u", 3), Fields: []string{"email", "account/op"}},
	}
}

// Nothing of an order is lost on the way, whatever it asks for.
func TestAnOrderArrivesWhole(t *testing.T) {
	var got protocol.Order
	client := to(&script{carry: func(_ context.Context, o protocol.Order) (protocol.Receipt, error) {
		got = o
		return protocol.Receipt{Outcome: protocol.Refused, Reference: "9", At: noon, Code: host.NotCovered, Account: "op"}, nil
	}})
	o := everything()
	receipt, err := client.Carry(t.Context(), o)
	if want := (host.Receipt{Reference: "9", At: noon, Refused: host.NotCovered, Account: "op"}); err != nil || receipt != want {
		t.Errorf("the receipt is %+v, %v, want %+v", receipt, err, want)
	}
	want := protocol.Order{
		Key: "test/1", Organization: "north", Day: "2026-03-02", Memo: "A memo & more",
		Legs: []protocol.Leg{{Account: "op", Cents: -5}, {Account: "pay", Cents: 5}, {Internal: "fees"}},
		Hold: &protocol.Hold{Account: "op", Cents: 7}, Free: "test/0", Stop: &protocol.Stop{Account: "op", First: 1, Last: 2, Cents: 3, Until: "2026-09-02"}, Lift: "test/00",
		File: &protocol.File{Name: "f", Kind: "nacha", Body: []byte{0, 1, 255}}, Enrol: &protocol.Enrolment{Account: "op", On: true},
		Issued: &protocol.Issued{Account: "op", Checks: []protocol.IssuedCheck{{Number: 1, Cents: 2, Payee: "P", Void: true}}},
		Ruling: &protocol.Ruling{Item: "i", Pay: true, Reason: "r"}, Card: &protocol.CardOrder{Card: "c", Step: host.LoseCard, Replace: true},
		User: &protocol.UserOrder{Step: host.UpdateUser, User: protocol.UserOf(&o.User.User), Fields: []string{"email", "account/op"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the host heard\n%+v, want\n%+v", got, want)
	}
	if back, err := got.User.User.Host(); err != nil || !reflect.DeepEqual(*back, o.User.User) {
		t.Errorf("the user is %+v, %v, want %+v", back, err, o.User.User)
	}
	if rest := reflect.TypeFor[host.Order]().NumField(); rest != 17 {
		t.Errorf("an order has %d fields: say here that the new one arrives", rest)
	}
}

// Only a whole answer to the question that was asked counts. Everything else
// leaves open what came of it.
func TestWhatIsNotAnAnswerIsNeitherSuccessNorRefusal(t *testing.T) {
	good := `{"key":"test/1","outcome":"done","reference":"9","at":"2026-03-02T12:00:00Z"}`
	o := host.Order{Institution: "cedar", Organization: "north", Room: "test", Ref: "1", Legs: host.Move("op", "pay", 5)}
	if r, err := says(200, "application/json; charset=utf-8", good).Carry(t.Context(), o); err != nil || !r.Done() {
		t.Fatalf("the good answer: %+v, %v", r, err)
	}
	const problem = "application/problem+json"
	for name, answer := range map[string]struct {
		status     int
		kind, body string
	}{
		"nothing":                   {200, "application/json", ""},
		"an empty object":           {200, "application/json", "{}"},
		"a page":                    {200, "text/html", "<html>Sign in</html>"},
		"of another kind":           {200, "text/plain", good},
		"cut off":                   {200, "application/json", good[:len(good)-9]},
		"with a tail":               {200, "application/json", good + good},
		"of another order":          {200, "application/json", strings.Replace(good, "test/1", "test/2", 1)},
		"without a reference":       {200, "application/json", strings.Replace(good, `"9"`, `""`, 1)},
		"without a time":            {200, "application/json", strings.Replace(good, "2026-03-02T12:00:00Z", "now", 1)},
		"in an outcome of its own":  {200, "application/json", strings.Replace(good, "done", "queued", 1)},
		"done and refused":          {200, "application/json", strings.Replace(good, `"at"`, `"code":"NOT_COVERED","at"`, 1)},
		"refused for no reason":     {200, "application/json", strings.Replace(good, "done", "refused", 1)},
		"an outcome twice":          {200, "application/json", strings.Replace(good, `"at"`, `"outcome":"refused","at"`, 1)},
		"names in capitals":         {200, "application/json", strings.Replace(good, `"outcome"`, `"Outcome"`, 1)},
		"created":                   {201, "application/json", good},
		"accepted":                  {202, "application/json", good},
		"a redirect":                {307, "application/json", good},
		"not found":                 {404, problem, `{"type":"about:blank","title":"","status":404,"code":"NOT_FOUND"}`},
		"too many":                  {429, problem, `{"type":"about:blank","title":"","status":429,"code":"SLOW_DOWN"}`},
		"failed":                    {500, problem, `{"type":"about:blank","title":"","status":500,"code":"FAILED"}`},
		"reused, said otherwise":    {200, problem, `{"type":"about:blank","title":"","status":409,"code":"KEY_REUSED"}`},
		"reused, in another status": {404, problem, `{"type":"about:blank","title":"","status":404,"code":"KEY_REUSED"}`},
		"a conflict of a gateway":   {409, "text/html", "KEY_REUSED"},
		"too large":                 {200, "application/json", good + strings.Repeat(" ", 9<<20)},
	} {
		r, err := says(answer.status, answer.kind, answer.body).Carry(t.Context(), o)
		if err == nil || errors.Is(err, host.ErrReused) || r != (host.Receipt{}) {
			t.Errorf("%s: %+v, %v, want an error that leaves it open", name, r, err)
		}
		if err != nil && strings.Contains(err.Error(), key) {
			t.Errorf("%s: the error shows the key: %v", name, err)
		}
	}
	_, err := says(409, problem, `{"type":"about:blank","title":"","status":409,"code":"KEY_REUSED"}`).Carry(t.Context(), o)
	if !errors.Is(err, host.ErrReused) {
		t.Errorf("a key that was used: %v, want ErrReused", err)
	}
}

// What a newer host says besides does no harm.
func TestTheClientIgnoresWhatItDoesNotKnow(t *testing.T) {
	balances, err := says(200, "application/json", `{"balances":[{"account":"op","ledger_cents":5,"available_cents":-3,"frozen":true}],"more":1}`).
		Balances(t.Context(), "cedar", []bank.AccountID{"op", "none", host.Internal("fees")})
	if err != nil || len(balances) != 1 || balances["op"] != (host.Balance{Ledger: 5, Available: -3}) {
		t.Errorf("Balances: %+v, %v", balances, err)
	}
}

// An answer about something else is none.
func TestTheClientTakesNothingThatItDidNotAskFor(t *testing.T) {
	for name, body := range map[string]string{
		"another account": `{"balances":[{"account":"pay","ledger_cents":5,"available_cents":5}]}`,
		"one twice":       `{"balances":[{"account":"op","ledger_cents":5,"available_cents":5},{"account":"op","ledger_cents":6,"available_cents":6}]}`,
		"half a cent":     `{"balances":[{"account":"op","ledger_cents":5.5,"available_cents":5}]}`,
		"a text":          `{"balances":[{"account":"op","ledger_cents":"5","available_cents":5}]}`,
		"too much":        `{"balances":[{"account":"op","ledger_cents":1e300,"available_cents":5}]}`,
		"no list":         `{"balances":null}`,
	} {
		if got, err := says(200, "application/json", body).Balances(t.Context(), "cedar", []bank.AccountID{"op"}); err == nil {
			t.Errorf("%s: %v, want an error", name, got)
		}
	}
	card := protocol.Card{ID: "c", Organization: "other", Account: "op", Holder: "H", Kind: "debit", LastFour: "1234", Expires: "2029-04", State: host.CardActive, Changed: noon}
	if got, err := to(&script{cards: []protocol.Card{card}}).Cards(t.Context(), "cedar", "north"); err == nil {
		t.Errorf("another organization's card: %v, want an error", got)
	}
	if got, err := to(&script{users: []protocol.User{protocol.UserOf(new(user("b", 1))), protocol.UserOf(new(user("a", 1)))}}).Users(t.Context(), "cedar", "", 10); err == nil {
		t.Errorf("users that do not go on: %v, want an error", got)
	}
	item := protocol.Presented{Mark: "1", Item: "i", Organization: "north", Account: "op", Kind: host.CheckItem, Day: "2026-03-02", Cents: 1, Outcome: host.Waiting, At: noon}
	if got, err := to(&script{items: []protocol.Presented{item, item}}).Presented(t.Context(), "cedar", "", 10); err == nil {
		t.Errorf("a mark twice: %v, want an error", got)
	}
}

// People come over as they are, and what the host says instead of an answer
// comes over as well.
func TestPeople(t *testing.T) {
	dana := user("dana", 4)
	gone := host.User{Ref: "gone", Organization: "north", Version: 2, Deleted: true}
	s := &script{users: []protocol.User{protocol.UserOf(&dana), protocol.UserOf(&gone)}}
	for _, want := range []host.User{dana, gone} {
		if got, err := to(s).User(t.Context(), "cedar", want.Ref); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("User(%s): %+v, %v, want %+v", want.Ref, got, err, want)
		}
	}
	if _, err := to(s).User(t.Context(), "cedar", "nobody"); !errors.Is(err, host.ErrNoUser) {
		t.Errorf("nobody: %v, want ErrNoUser", err)
	}
	if got, err := to(s).Users(t.Context(), "cedar", "", 10); err == nil {
		t.Errorf("a list with a deleted user: %+v, want an error", got)
	}
	other := `{"ref":"other","organization":"north","version":1,"role":"user","status":"active"}`
	if got, err := says(200, "application/json", other).User(t.Context(), "cedar", "dana"); err == nil {
		t.Errorf("asked for Dana: %+v, want an error", got)
	}
	if _, err := to(&script{}).Image(t.Context(), "cedar", "i", host.Front); !errors.Is(err, host.ErrNoImage) {
		t.Errorf("no picture: %v, want ErrNoImage", err)
	}
	if got, err := to(&script{image: []byte("\x89PNG\r\n\x1a\n.")}).Image(t.Context(), "cedar", "i", host.Front); err != nil || len(got) != 9 {
		t.Errorf("a picture: %q, %v", got, err)
	}
	_, err := says(501, "application/problem+json", `{"type":"about:blank","title":"","status":501,"code":"NOT_OFFERED"}`).Events(t.Context(), "cedar", "", 10)
	if !errors.Is(err, host.ErrNotOffered) {
		t.Errorf("not offered: %v, want ErrNotOffered", err)
	}
}

// One event that nobody can read does not keep those after it.
func TestAnUnreadableEventIsToldAsSuch(t *testing.T) {
	const good = `{"id":"%","mark":"%","at":"2026-03-02T12:00:00Z","channel":"core","announced":{"ref":"r","organization":"o"}}`
	numbered := func(n string) string { return strings.ReplaceAll(good, "%", n) }
	events := strings.Join([]string{numbered("1"), strings.Replace(numbered("2"), "core", "moon", 1), strings.Replace(numbered("3"), `"announced"`, `"rumoured"`, 1), numbered("4")}, ",")
	got, err := says(200, "application/json", `{"events":[`+events+`]}`).Events(t.Context(), "cedar", "", 10)
	if err != nil || len(got) != 4 {
		t.Fatalf("Events: %+v, %v, want 4", got, err)
	}
	for i, e := range got {
		if readable := i == 0 || i == 3; readable != (e.Unreadable == "") || readable != (e.Announced != nil) || e.Mark == "" {
			t.Errorf("event %d is %+v", i, e)
		}
	}
	if got, err := says(200, "application/json", `{"events":[{"id":"1"}]}`).Events(t.Context(), "cedar", "", 10); err == nil {
		t.Errorf("an event without a mark: %+v, want an error: nobody could go on", got)
	}
}

// The handler refuses what it cannot understand whole, and says all of it.
func TestTheHandlerRefuses(t *testing.T) {
	s := &script{carry: func(_ context.Context, o protocol.Order) (protocol.Receipt, error) {
		return protocol.Receipt{Outcome: protocol.Done, Reference: "1", At: noon}, nil
	}}
	h := protocol.Handler(s, func(i bank.InstitutionID, k string) bool { return i == "cedar" && k == key }, silent)
	order := `{"organization":"north","legs":[{"account":"a","cents":-1},{"account":"b","cents":1}]}`
	for name, q := range map[string]struct {
		method, path, key, idempotency, body, want string
	}{
		"good":                    {"POST", "/v1/cedar/orders", key, "k", order, "200"},
		"no key":                  {"POST", "/v1/cedar/orders", "", "k", order, "401 UNAUTHORIZED"},
		"another institution":     {"POST", "/v1/elm/orders", key, "k", order, "401 UNAUTHORIZED"},
		"elsewhere":               {"GET", "/v1/cedar/elsewhere", key, "", "", "404 NOT_FOUND"},
		"outside":                 {"GET", "/", key, "", "", "404 NOT_FOUND"},
		"another method":          {"GET", "/v1/cedar/orders", key, "", "", "405 NOT_FOUND"},
		"no idempotency key":      {"POST", "/v1/cedar/orders", key, "", order, "400 MALFORMED Idempotency-Key: must be"},
		"a member too much":       {"POST", "/v1/cedar/orders", key, "k", strings.Replace(order, `"legs"`, `"urgent":true,"legs"`, 1), "400 MALFORMED has members"},
		"a member in a leg":       {"POST", "/v1/cedar/orders", key, "k", strings.Replace(order, `"cents":1}`, `"cents":1,"x":1}`, 1), "400 MALFORMED legs[1].: has members"},
		"cents missing":           {"POST", "/v1/cedar/orders", key, "k", strings.Replace(order, `,"cents":1}`, `}`, 1), "400 MALFORMED legs[1].cents: is missing"},
		"an account of both":      {"POST", "/v1/cedar/orders", key, "k", strings.Replace(order, `"account":"b"`, `"account":"b","internal":"fees"`, 1), "400 MALFORMED legs[1]: names"},
		"nothing asked":           {"POST", "/v1/cedar/orders", key, "k", `{"organization":"north"}`, "400 MALFORMED asks for nothing"},
		"no organization":         {"POST", "/v1/cedar/orders", key, "k", strings.Replace(order, `"organization":"north",`, "", 1), "400 MALFORMED organization: is missing"},
		"a day that is none":      {"POST", "/v1/cedar/orders", key, "k", strings.Replace(order, `{`, `{"day":"2026-02-30",`, 1), "400 MALFORMED day: must be a day"},
		"a step that is none":     {"POST", "/v1/cedar/orders", key, "k", `{"organization":"n","card":{"card":"c","step":"melt"}}`, "400 MALFORMED card.step: must be one of"},
		"an update of nobody":     {"POST", "/v1/cedar/orders", key, "k", `{"user":{"step":"update","user":{"organization":"n"}}}`, "400 MALFORMED user.user.ref"},
		"no JSON":                 {"POST", "/v1/cedar/orders", key, "k", `legs`, "400 MALFORMED"},
		"a parameter":             {"GET", "/v1/cedar/users?first=1", key, "", "", "400 MALFORMED first: is not known"},
		"too many at once":        {"GET", "/v1/cedar/users?most=501", key, "", "", "400 MALFORMED most: must be 1 to 500"},
		"a parameter twice":       {"GET", "/v1/cedar/user?ref=a&ref=b", key, "", "", "400 MALFORMED ref: must stand there once"},
		"a parameter missing":     {"GET", "/v1/cedar/user", key, "", "", "400 MALFORMED ref: is missing"},
		"a side that is none":     {"GET", "/v1/cedar/image?item=i&side=edge", key, "", "", "400 MALFORMED side: must be one of"},
		"a request that is large": {"POST", "/v1/cedar/balances", key, "", strings.Repeat(" ", 1<<20+1), "413 TOO_LARGE"},
		"the description":         {"GET", "/v1/openapi.json", "", "", "", "200"},
	} {
		r := httptest.NewRequest(q.method, q.path, strings.NewReader(q.body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+q.key)
		r.Header.Set("Idempotency-Key", q.idempotency)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		status, text, _ := strings.Cut(q.want, " ")
		code, said, _ := strings.Cut(text, " ")
		if strconv.Itoa(w.Code) != status || !strings.Contains(w.Body.String(), code) || !strings.Contains(w.Body.String(), said) {
			t.Errorf("%s: %d %s, want %s", name, w.Code, w.Body, q.want)
		}
	}
}

// A host that hangs keeps nobody waiting: a look ends after three seconds, and
// after the third of them nobody waits at all for a while.
func TestAHostThatHangsIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{look: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
		client := to(s)
		look := func() time.Duration {
			start := time.Now()
			if _, err := client.Balances(t.Context(), "cedar", []bank.AccountID{"op"}); err == nil {
				t.Error("a host that hangs told a balance")
			}
			return time.Since(start)
		}
		for range 3 {
			if took := look(); took != 3*time.Second {
				t.Errorf("a look took %v, want 3s", took)
			}
		}
		if took := look(); took != 0 {
			t.Errorf("the fourth look took %v, want none", took)
		}
		s.look = nil
		time.Sleep(5 * time.Second)
		if got, err := client.Balances(t.Context(), "cedar", []bank.AccountID{"op"}); err != nil || len(got) != 1 {
			t.Errorf("when it answers again: %v, %v", got, err)
		}
	})
}

// Somebody who goes away says nothing about the host.
func TestAHostIsNotBlamedForWhoGoesAway(t *testing.T) {
	s := &script{look: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
	client := to(s)
	for range 5 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		if _, err := client.Balances(ctx, "cedar", []bank.AccountID{"op"}); err == nil {
			t.Error("a host that hangs told a balance")
		}
		cancel()
	}
	s.look = nil
	if _, err := client.Balances(t.Context(), "cedar", []bank.AccountID{"op"}); err != nil {
		t.Errorf("the next look: %v", err)
	}
}

// More accounts than one request may name are asked about in several.
func TestManyAccounts(t *testing.T) {
	s := &script{}
	var ids []bank.AccountID
	for range 1201 {
		ids = append(ids, bank.AccountID(bank.NewID("acc", noon)))
	}
	got, err := to(s).Balances(t.Context(), "cedar", append(ids, ids[0]))
	if err != nil || len(got) != len(ids) || len(s.asked) != len(ids) {
		t.Errorf("%d balances of %d, asked about %d, %v", len(got), len(ids), len(s.asked), err)
	}
}
