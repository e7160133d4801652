package fineract_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/host"
	"mandate/internal/host/fineract"
	"mandate/internal/host/hosttest"
	"mandate/internal/host/protocol"
	"mandate/internal/host/verify"
)

// names are the suite's ids by the refs that the stand-in's numbers make.
type names struct{ host.Same }

var refs = map[bank.AccountID]host.Ref{hosttest.Operating: "0000000011", hosttest.Payroll: "0000000012", hosttest.Foreign: "0000000021",
	"acc_gone": "0000000999", "acc_euro": "0000000013", "acc_words": "eleven", "acc_short": "11"}

func (names) Organizations(_ context.Context, _ bank.InstitutionID, ids []bank.OrganizationID) (map[bank.OrganizationID]host.Ref, error) {
	found := map[bank.OrganizationID]host.Ref{}
	for _, id := range ids {
		if ref, known := map[bank.OrganizationID]host.Ref{hosttest.Organization: "0000000001", "org_other": "0000000002", "org_gone": "0000000404"}[id]; known {
			found[id] = ref
		}
	}
	return found, nil
}

func (names) Accounts(_ context.Context, _ bank.InstitutionID, ids []bank.AccountID) (map[bank.AccountID]host.Ref, error) {
	found := map[bank.AccountID]host.Ref{}
	for _, id := range ids {
		if ref, known := refs[id]; known {
			found[id] = ref
		}
	}
	return found, nil
}

const settings = `{"institutions":{"cedar":{"tenant":"northwind","username":"mandate","password":"correct horse","payment_types":{"fees":5}}}}`

// open returns a connector before a stand-in with the suite's accounts.
func open(t *testing.T) (*fineract.Connector, *standIn) {
	s := newStandIn(t)
	s.clients = []sClient{{1, "Northwind Trading", true}, {2, "Fabrikam", true}}
	s.accounts[11] = &sAccount{id: 11, client: 1, number: hosttest.OperatingNumber, currency: "USD"}
	s.accounts[12] = &sAccount{id: 12, client: 1, number: "000000012", currency: "USD"}
	s.accounts[13] = &sAccount{id: 13, client: 1, number: "000000013", currency: "EUR"}
	s.accounts[21] = &sAccount{id: 21, client: 2, number: "000000021", currency: "USD"}
	s.post(s.accounts[11], &sLine{kind: 1, cents: 1_000_00, day: "2026-03-01"})
	s.post(s.accounts[21], &sLine{kind: 1, cents: 1_000_00, day: "2026-03-01"})
	return connect(t, s, settings, 0), s
}

func connect(t *testing.T, s *standIn, text string, timeout time.Duration) *fineract.Connector {
	t.Helper()
	read, err := fineract.ReadSettings([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	c, err := fineract.New(fineract.Config{Address: fineract.Scheme + s.URL + base, Settings: read, Names: names{}, Transport: s.Client().Transport, Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func order(ref string, legs ...host.Leg) host.Order {
	return host.Order{Institution: hosttest.Institution, Organization: hosttest.Organization, Room: "transfer", Ref: ref, Day: "2026-03-02", Memo: "Rent for March", Legs: legs}
}

func move(ref string, cents bank.Cents) host.Order {
	return order(ref, host.Move(hosttest.Operating, hosttest.Payroll, cents)...)
}

func carry(t *testing.T, h host.Connector, o host.Order) host.Receipt {
	t.Helper()
	r, err := h.Carry(t.Context(), o)
	if err != nil {
		t.Fatalf("Carry(%s): %v", o.Key(), err)
	}
	return r
}

// The suite of every host, on what this one offers. What it does not offer it
// must refuse, which the suite sees as well.
func TestPassesTheSuite(t *testing.T) {
	for _, check := range verify.Checks() {
		t.Run(check.Name, func(t *testing.T) {
			c, s := open(t)
			s.wordless = true
			b := hosttest.Bench(c)
			b.Offers = []protocol.Feature{protocol.Transfers, protocol.Holds}
			if check.Name == "Organizations" { // the half of people that is offered
				b.Offers = append(b.Offers, protocol.People)
			}
			b.OrganizationRef, b.FromRef, b.ToRef, b.OtherRef, b.Card = "0000000001", refs[hosttest.Operating], refs[hosttest.Payroll], "0000000002", ""
			result := check.Run(t.Context(), b)
			t.Logf("%s (%s)", result.Outcome, check.Says)
			if result.Outcome == verify.Failed {
				t.Errorf("%s", strings.Join(result.Problems, "\n"))
			}
		})
	}
}

func TestMoves(t *testing.T) {
	c, s := open(t)
	o := move("1", 250_00)
	first := carry(t, c, o)
	if !first.Done() || !strings.HasPrefix(first.Reference, "T") || first.At.Format(time.DateOnly) != "2026-03-02" {
		t.Fatalf("receipt %+v", first)
	}
	if again := carry(t, c, o); again != first {
		t.Errorf("asked again it answers %+v, want %+v", again, first)
	}
	hosttest.Want(t, c, hosttest.Operating, 750_00, 750_00)
	hosttest.Want(t, c, hosttest.Payroll, 250_00, 250_00)
	for account, cents := range map[bank.AccountID]bank.Cents{hosttest.Operating: -250_00, hosttest.Payroll: 250_00} {
		lines, err := c.Statement(t.Context(), hosttest.Institution, account, 10)
		if err != nil || len(lines) == 0 || lines[0].Cents != cents || lines[0].Reference != first.Reference || lines[0].Memo != "Rent for March" || lines[0].Day != "2026-03-02" {
			t.Errorf("the statement of %s is %+v, %v", account, lines, err)
		}
	}
	// The same key for another amount, account or text is told, whether Fineract
	// remembers the key or the mark is found.
	for name, change := range map[string]func(*host.Order){
		"amount":  func(o *host.Order) { o.Legs = host.Move(hosttest.Operating, hosttest.Payroll, 250_01) },
		"memo":    func(o *host.Order) { o.Memo = "Another" },
		"reverse": func(o *host.Order) { o.Legs = host.Move(hosttest.Payroll, hosttest.Operating, 250_00) },
	} {
		other := o
		change(&other)
		if r, err := c.Carry(t.Context(), other); !errors.Is(err, host.ErrReused) {
			t.Errorf("%s: another order under the same key: %+v, %v, want ErrReused", name, r, err)
		}
	}
	if len(s.moved) != 1 {
		t.Errorf("%d transfers were made, want 1", len(s.moved))
	}
}

func TestReadsAccounts(t *testing.T) {
	c, s := open(t)
	s.accounts[12].number = ""
	asked := []bank.AccountID{hosttest.Operating, hosttest.Payroll, hosttest.Foreign, "acc_none", "acc_gone", "acc_euro", "acc_words", "acc_short"}
	balances, err := c.Balances(t.Context(), hosttest.Institution, asked)
	if err != nil || len(balances) != 3 || balances[hosttest.Operating].Ledger != 1_000_00 {
		t.Errorf("Balances: %+v, %v, want the three that are there, in dollars and named in full", balances, err)
	}
	numbers, err := c.Numbers(t.Context(), hosttest.Institution, asked)
	if err != nil || len(numbers) != 2 || numbers[hosttest.Operating] != hosttest.OperatingNumber {
		t.Errorf("Numbers: %v, %v, want those of two", numbers, err)
	}
	if lines, err := c.Statement(t.Context(), hosttest.Institution, "acc_gone", 5); err != nil || len(lines) != 0 {
		t.Errorf("the statement of an account that is not there: %+v, %v", lines, err)
	}
}

// Refusals are answers, and stay, whether or not Fineract says again why.
func TestRefuses(t *testing.T) {
	for _, wordless := range []bool{false, true} {
		t.Run(fmt.Sprintf("wordless %v", wordless), func(t *testing.T) { refuses(t, wordless) })
	}
}

func refuses(t *testing.T, wordless bool) {
	c, s := open(t)
	s.wordless = wordless
	for name, test := range map[string]struct {
		order   host.Order
		code    host.Code
		account bank.AccountID
	}{
		"one cent too much":       {move("1", 1_000_01), host.NotCovered, hosttest.Operating},
		"not balanced":            {order("2", host.Leg{Account: hosttest.Operating, Cents: -2}, host.Leg{Account: hosttest.Payroll, Cents: 1}), host.NotBalanced, ""},
		"nothing":                 {move("3", 0), host.NotBalanced, ""},
		"unknown here":            {order("4", host.Move(hosttest.Operating, "acc_none", 1)...), host.UnknownAccount, "acc_none"},
		"unknown there":           {order("5", host.Move(hosttest.Operating, "acc_gone", 1)...), host.UnknownAccount, "acc_gone"},
		"in another currency":     {order("6", host.Move(hosttest.Operating, "acc_euro", 1)...), host.UnknownAccount, "acc_euro"},
		"another organization's":  {order("7", host.Move(hosttest.Foreign, hosttest.Operating, 1)...), host.UnknownAccount, hosttest.Foreign},
		"to another organization": {order("8", host.Move(hosttest.Operating, hosttest.Foreign, 1)...), host.UnknownAccount, hosttest.Foreign},
		"a hold that is none":     {host.Order{Institution: hosttest.Institution, Organization: hosttest.Organization, Room: "test", Ref: "9", Day: "2026-03-02", Free: "test/none"}, host.UnknownHold, ""},
		"an organization that is none": {host.Order{Institution: hosttest.Institution, Organization: "org_none", Room: "test", Ref: "10", Day: "2026-03-02",
			Legs: host.Move(hosttest.Operating, hosttest.Payroll, 1)}, host.UnknownAccount, hosttest.Operating},
		"an organization that is gone": {host.Order{Institution: hosttest.Institution, Organization: "org_gone", Room: "test", Ref: "11", Day: "2026-03-02",
			Legs: host.Move(hosttest.Operating, hosttest.Payroll, 1)}, host.UnknownAccount, hosttest.Operating},
	} {
		first := carry(t, c, test.order)
		if first.Refused != test.code || first.Account != test.account {
			t.Errorf("%s: %+v, want %s for %q", name, first, test.code, test.account)
		}
		if again := carry(t, c, test.order); again != first {
			t.Errorf("%s: asked again it answers %+v, want %+v", name, again, first)
		}
	}
	s.post(s.accounts[11], &sLine{kind: 1, cents: 500_00, day: "2026-03-02"})
	if r := carry(t, c, move("1", 1_000_01)); r.Refused != host.NotCovered {
		t.Errorf("what was refused is done once money came in: %+v", r)
	}
	hosttest.Want(t, c, hosttest.Payroll, 0, 0)
	other := move("1", 1_000_02)
	if r, err := c.Carry(t.Context(), other); !errors.Is(err, host.ErrReused) {
		t.Errorf("another order under the key of a refusal: %+v, %v", r, err)
	}
	if n := len(s.accounts[11].notes); n != 1 || !strings.HasPrefix(s.accounts[11].notes[0], "Refused to Mandate: NOT_COVERED MND-") {
		t.Errorf("the notes are %q", s.accounts[11].notes)
	}
}

// What cannot be one command is refused before Fineract hears of it.
func TestDoesNotOffer(t *testing.T) {
	c, s := open(t)
	with := func(change func(*host.Order)) host.Order {
		o := move("1", 1_00)
		change(&o)
		return o
	}
	for name, o := range map[string]host.Order{
		"three legs":           order("1", host.Leg{Account: hosttest.Operating, Cents: -2}, host.Leg{Account: hosttest.Payroll, Cents: 1}, host.Leg{Account: hosttest.Foreign, Cents: 1}),
		"to itself":            order("1", host.Move(hosttest.Operating, hosttest.Operating, 1)...),
		"an account unset":     order("1", host.Move(hosttest.Operating, host.Internal("wires"), 1)...),
		"between our own":      order("1", host.Move(host.Internal("fees"), host.Internal("wires"), 1)...),
		"nothing at all":       order("1"),
		"legs and a hold":      with(func(o *host.Order) { o.Hold = &host.Hold{Account: hosttest.Operating, Cents: 1} }),
		"legs and a release":   with(func(o *host.Order) { o.Free = "test/1" }),
		"a stop and its fee":   with(func(o *host.Order) { o.Stop = &host.Stop{Account: hosttest.Operating, First: 1, Last: 1} }),
		"the end of a stop":    with(func(o *host.Order) { o.Lift = "test/1" }),
		"a file":               with(func(o *host.Order) { o.File = &host.File{Name: "out.ach", Kind: "nacha"} }),
		"an enrolment":         with(func(o *host.Order) { o.Enrol = &host.Enrolment{Account: hosttest.Operating} }),
		"issued checks":        with(func(o *host.Order) { o.Issued = &host.Issued{Account: hosttest.Operating} }),
		"a ruling":             with(func(o *host.Order) { o.Ruling = &host.Ruling{} }),
		"a card":               with(func(o *host.Order) { o.Card = &host.CardOrder{} }),
		"a user":               with(func(o *host.Order) { o.User = &host.UserOrder{} }),
		"a hold of our own":    {Institution: hosttest.Institution, Organization: hosttest.Organization, Room: "test", Ref: "1", Day: "2026-03-02", Hold: &host.Hold{Account: host.Internal("fees"), Cents: 1}},
		"a hold and a release": {Institution: hosttest.Institution, Organization: hosttest.Organization, Room: "test", Ref: "1", Day: "2026-03-02", Hold: &host.Hold{Account: hosttest.Operating, Cents: 1}, Free: "test/2"},
	} {
		if r := carry(t, c, o); r.Refused != host.NotOffered {
			t.Errorf("%s: %+v, want NOT_OFFERED", name, r)
		}
	}
	if len(s.asked) != 0 {
		t.Errorf("Fineract was asked %q", s.asked)
	}
}

func TestHolds(t *testing.T) {
	c, s := open(t)
	s.wordless = true
	set := order("hold")
	set.Hold = &host.Hold{Account: hosttest.Operating, Cents: 900_00}
	first := carry(t, c, set)
	if again := carry(t, c, set); !first.Done() || again != first || !strings.HasPrefix(first.Reference, "S") {
		t.Errorf("set aside: %+v, then %+v", first, again)
	}
	hosttest.Want(t, c, hosttest.Operating, 1_000_00, 100_00)
	more := order("more")
	more.Hold = &host.Hold{Account: hosttest.Operating, Cents: 100_01}
	if r := carry(t, c, more); r.Refused != host.NotCovered || r.Account != hosttest.Operating {
		t.Errorf("more than there is was set aside: %+v", r)
	}
	if r := carry(t, c, move("1", 100_01)); r.Refused != host.NotCovered {
		t.Errorf("what is set aside was moved: %+v", r)
	}
	other := set
	other.Hold = &host.Hold{Account: hosttest.Operating, Cents: 50_00}
	if _, err := c.Carry(t.Context(), other); !errors.Is(err, host.ErrReused) {
		t.Errorf("another hold under the same key: %v, want ErrReused", err)
	}
	theirs := order("theirs")
	theirs.Organization, theirs.Free = "org_other", set.Key()
	if r := carry(t, c, theirs); r.Refused != host.UnknownHold {
		t.Errorf("another organization freed it: %+v", r)
	}
	free := order("free")
	free.Free = set.Key()
	freed := carry(t, c, free)
	if again := carry(t, c, free); !freed.Done() || again != freed {
		t.Errorf("freed: %+v, then %+v", freed, again)
	}
	hosttest.Want(t, c, hosttest.Operating, 1_000_00, 1_000_00)
	twice := order("twice")
	twice.Free = set.Key()
	for range 2 {
		if r := carry(t, c, twice); r.Refused != host.UnknownHold {
			t.Errorf("a hold was freed twice: %+v", r)
		}
	}
	lines, err := c.Statement(t.Context(), hosttest.Institution, hosttest.Operating, 10)
	if err != nil || len(lines) != 1 {
		t.Errorf("what was set aside stands in the statement: %+v, %v", lines, err)
	}
}

// The institution's own accounts are payment types.
func TestMovesToOwnAccounts(t *testing.T) {
	c, _ := open(t)
	out := order("out", host.Move(hosttest.Operating, host.Internal("fees"), 30_00)...)
	first := carry(t, c, out)
	if again := carry(t, c, out); !first.Done() || again != first {
		t.Errorf("out: %+v, then %+v", first, again)
	}
	back := order("back", host.Move(host.Internal("fees"), hosttest.Payroll, 30_00)...)
	if r := carry(t, c, back); !r.Done() {
		t.Errorf("back: %+v", r)
	}
	if r := carry(t, c, order("dear", host.Move(hosttest.Operating, host.Internal("fees"), 970_01)...)); r.Refused != host.NotCovered {
		t.Errorf("a fee that is not covered: %+v", r)
	}
	hosttest.Want(t, c, hosttest.Operating, 970_00, 970_00)
	hosttest.Want(t, c, hosttest.Payroll, 30_00, 30_00)
}

// together runs n orders at once and counts what was done and what was an error.
func together(t *testing.T, c host.Connector, n int, ask func(i int) host.Order) (done, unknown int) {
	var mu sync.Mutex
	var wait sync.WaitGroup
	for i := range n {
		wait.Go(func() {
			r, err := c.Carry(t.Context(), ask(i))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				unknown++
			} else if r.Done() {
				done++
			}
		})
	}
	wait.Wait()
	return done, unknown
}

func TestRaceSameKey(t *testing.T) {
	c, s := open(t)
	if done, unknown := together(t, c, 8, func(int) host.Order { return move("1", 300_00) }); done != 8 || unknown != 0 || len(s.moved) != 1 {
		t.Errorf("%d of 8 heard that it was done, %d nothing, and it was done %d times", done, unknown, len(s.moved))
	}
}

func TestRaceLastCent(t *testing.T) {
	c, _ := open(t)
	if done, _ := together(t, c, 12, func(i int) host.Order { return move(fmt.Sprint(i), 333_33) }); done != 3 {
		t.Errorf("%d of 12 were done, want 3", done)
	}
	hosttest.Want(t, c, hosttest.Operating, 1, 1)
}

// The list goes on after a client that is gone, and while others come and go.
func TestListsOrganizations(t *testing.T) {
	c, s := open(t)
	s.clients[1].active = false
	for n := range int64(30) {
		s.clients = append(s.clients, sClient{10 + 3*n, fmt.Sprintf("Client %d", n), true})
	}
	var got []host.Ref
	var after host.Ref
	for {
		list, err := c.Organizations(t.Context(), hosttest.Institution, after, 7)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			break
		}
		for _, o := range list {
			got, after = append(got, o.Ref), o.Ref
		}
		if moved := len(s.clients) < 32; len(got) >= 7 && !moved { // the first is deleted, and so is the last that was told
			s.clients = slices.DeleteFunc(s.clients, func(c sClient) bool { return c.id == 1 || fmt.Sprintf("%010d", c.id) == string(after) })
		}
	}
	if len(got) != 31 || !slices.IsSorted(got) || slices.Contains(got, "0000000002") {
		t.Errorf("%d organizations: %v, want 31, in order and without the one that is not active", len(got), got)
	}
	list, err := c.Organizations(t.Context(), hosttest.Institution, "", 1)
	if err != nil || len(list) != 1 || list[0].Ref != "0000000010" {
		t.Fatalf("Organizations: %+v, %v", list, err)
	}
	s.clients = slices.Insert(s.clients, 0, sClient{1, "Northwind Trading", true})
	s.accounts[12].closed = true
	list, err = c.Organizations(t.Context(), hosttest.Institution, "", 1)
	want := []host.Account{{Ref: "0000000011", Name: "Business savings", Kind: "savings", LastFour: "0137"}, {Ref: "0000000012", Name: "Business savings", Kind: "savings", LastFour: "0012", Closed: true}}
	if err != nil || list[0].Name != "Northwind Trading" || !slices.Equal(list[0].Accounts, want) {
		t.Errorf("Organizations: %+v, %v, want %+v", list, err, want)
	}
	if _, err := c.Organizations(t.Context(), hosttest.Institution, "after", 1); err == nil {
		t.Error("it goes on after a ref that is none")
	}
}

// The list moves after its place was found and before it is read: nobody is left out.
func TestListMovesWhileItIsRead(t *testing.T) {
	c, s := open(t)
	for n := range int64(6) {
		s.clients = append(s.clients, sClient{10 + n, fmt.Sprintf("Client %d", n), true})
	}
	s.fault = func(r *http.Request) string {
		if r.URL.Query().Get("limit") == "3" && len(s.clients) == 8 {
			s.clients = s.clients[1:]
		}
		return ""
	}
	list, err := c.Organizations(t.Context(), hosttest.Institution, "0000000011", 2)
	if err != nil || len(list) != 2 || list[0].Ref != "0000000012" || len(s.clients) != 7 {
		t.Errorf("after 11 come %+v, %v, want 12 first", list, err)
	}
}

func TestDoesNotOfferPeople(t *testing.T) {
	c, s := open(t)
	_, users := c.Users(t.Context(), hosttest.Institution, "", 1)
	_, user := c.User(t.Context(), hosttest.Institution, "x")
	_, defaults := c.Defaults(t.Context(), hosttest.Institution)
	_, events := c.Events(t.Context(), hosttest.Institution, "", 1)
	for _, err := range []error{users, user, defaults, events} {
		if !errors.Is(err, host.ErrNotOffered) {
			t.Errorf("%v, want ErrNotOffered", err)
		}
	}
	cards, err := c.Cards(t.Context(), hosttest.Institution, hosttest.Organization)
	items, err2 := c.Presented(t.Context(), hosttest.Institution, "", 9)
	_, err3 := c.Image(t.Context(), hosttest.Institution, "1", "front")
	if len(cards) != 0 || err != nil || len(items) != 0 || err2 != nil || !errors.Is(err3, host.ErrNoImage) || len(s.asked) != 0 {
		t.Errorf("cards %v, %v; items %v, %v; image %v; asked %q", cards, err, items, err2, err3, s.asked)
	}
}
