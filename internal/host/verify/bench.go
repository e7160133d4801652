// Package verify is what every host must be able to do, as a list of named
// checks: the simulator inside the program passes them, each connector that is
// added, and a bank's own host, of which "mandate host verify" asks them. The
// checks use what the bench names and nothing else, and leave its accounts as
// they found them; users that they make they delete.
package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"mandate/internal/bank"
	"mandate/internal/host"
	"mandate/internal/host/protocol"
)

// A Bench is a host and what may be tried on it: two accounts of a test
// organization with nothing else going on, and what must stay out of reach.
type Bench struct {
	Host   host.Connector
	People host.People        // nil: the host has no such half
	Offers []protocol.Feature // what the host says that it can do; the rest it must refuse

	Institution  bank.InstitutionID
	Organization bank.OrganizationID
	From, To     bank.AccountID      // of the organization; From has at least Least
	Foreign      bank.AccountID      // of another organization; empty: not tried
	Other        bank.OrganizationID // that organization
	Elsewhere    bank.InstitutionID  // where none of this may be seen; empty: not tried
	Number       string              // From's full number; empty: not tried
	Card         host.CardID         // an active card on From, which will be lost; empty: not tried

	OrganizationRef host.Ref // what the host calls the organization
	FromRef, ToRef  host.Ref // and its accounts
	OtherRef        host.Ref // another organization; empty: not tried

	Since string   // a mark of an event; what was told before it is not read again
	Day   bank.Day // a business day
	Run   string   // of one run, never used before: it is part of every key

	// Present makes an item come in from clearing; nil: nothing can, and Positive
	// Pay is not tried.
	Present func(context.Context, bank.InstitutionID, host.Presented, []byte, []byte) (item string, err error)

	// Raw sends a request by hand, to see what the host refuses; nil: it is not
	// reached over HTTP.
	Raw func(ctx context.Context, r Request) (status int, body []byte, err error)
}

// Least is what From must have available.
const Least = bank.Cents(500_00)

// A Request is one that is made by hand. The key is the bench's own unless it is
// said to be wrong.
type Request struct {
	Method, Name   string // such as POST and "orders"
	IdempotencyKey string
	Body           string
	WrongKey       bool
}

// A Check is one thing that a host must be able to do.
type Check struct {
	Name  string
	Says  string           // what is checked, in a sentence
	Needs protocol.Feature // without it the host must refuse; empty: every host can
	With  func(*Bench) bool
	run   func(*probe)
}

// An Outcome is how a check ended.
type Outcome string

const (
	Passed     Outcome = "passed"
	Failed     Outcome = "failed"
	NotOffered Outcome = "not offered" // and refused as it should be
	NotTried   Outcome = "not tried"   // the bench lacks what it takes
)

// A Result is how one check ended.
type Result struct {
	Check    *Check
	Outcome  Outcome
	Problems []string // of one that failed
	Took     time.Duration
}

// Checks are all checks, in the order in which they are run.
func Checks() []Check {
	return slices.Concat(moneyChecks, itemChecks, cardChecks, peopleChecks, eventChecks, borderChecks)
}

// checkTime is for one check: a host that hangs fails it.
const checkTime = 2 * time.Minute

// Run tries one check.
func (c *Check) Run(ctx context.Context, b Bench) Result {
	start := time.Now()
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	p := &probe{Bench: b, ctx: ctx, check: c.Name}
	result := Result{Check: c, Outcome: Passed}
	switch {
	case c.Needs != "" && !slices.Contains(b.Offers, c.Needs):
		result.Outcome = NotOffered
		p.try(func(p *probe) { p.notOffered(c.Needs) })
	case c.With != nil && !c.With(&b):
		result.Outcome = NotTried
	default:
		p.try(c.run)
	}
	if len(p.problems) > 0 {
		result.Outcome, result.Problems = Failed, p.problems
	}
	result.Took = time.Since(start)
	return result
}

// A T is a test that a check is part of.
type T interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
	Skip(args ...any)
}

// Test tries one check as a test.
func (c *Check) Test(t T, b Bench) {
	t.Helper()
	result := c.Run(t.Context(), b)
	for _, problem := range result.Problems {
		t.Errorf("%s", problem)
	}
	if result.Outcome == NotTried {
		t.Skip("the bench lacks what it takes")
	}
}

// A probe is one check at work.
type probe struct {
	Bench
	ctx      context.Context
	check    string
	count    int
	problems []string
	after    []func() // what puts the bench back, the last first
}

// stopped ends a check that cannot go on.
type stopped struct{}

func (p *probe) try(run func(*probe)) {
	defer func() {
		if reason := recover(); reason != nil && reason != (stopped{}) {
			panic(reason)
		}
	}()
	defer func() {
		for _, undo := range slices.Backward(p.after) {
			undo()
		}
	}()
	run(p)
}

// wrong notes what is wrong and goes on.
func (p *probe) wrong(format string, args ...any) {
	p.problems = append(p.problems, strings.TrimSpace(fmt.Sprintf(format, args...)))
}

// stop notes what is wrong and ends the check.
func (p *probe) stop(format string, args ...any) {
	p.wrong(format, args...)
	panic(stopped{})
}

func (p *probe) must(err error, doing string) {
	if err != nil {
		p.stop("%s: %v", doing, err)
	}
}

// ref is a new reference of the run.
func (p *probe) ref() string {
	p.count++
	return fmt.Sprintf("%s/%s/%d", p.Bench.Run, p.check, p.count)
}

// order is a new order of the test organization.
func (p *probe) order(legs ...host.Leg) host.Order {
	return host.Order{Institution: p.Institution, Organization: p.Organization, Room: "verify", Ref: p.ref(), Day: p.Day, Memo: "Test", Legs: legs}
}

// carry carries an order; a host that does not answer is asked once more, as the
// product does.
func (p *probe) carry(o host.Order) host.Receipt {
	r, err := p.Host.Carry(p.ctx, o)
	if err != nil {
		r, err = p.Host.Carry(p.ctx, o)
	}
	p.must(err, "carry "+o.Key())
	return r
}

func (p *probe) done(o host.Order, what string) host.Receipt {
	r := p.carry(o)
	if !r.Done() || r.Reference == "" {
		p.stop("%s: the receipt is %+v, want that it was done", what, r)
	}
	return r
}

func (p *probe) refused(o host.Order, code host.Code, what string) host.Receipt {
	r := p.carry(o)
	if r.Refused != code {
		p.wrong("%s: the receipt is %+v, want %s", what, r, code)
	}
	return r
}

func (p *probe) balance(account bank.AccountID) host.Balance {
	got, err := p.Host.Balances(p.ctx, p.Institution, []bank.AccountID{account})
	p.must(err, "read the balance")
	b, known := got[account]
	if !known {
		p.stop("the host has no account %s", account)
	}
	return b
}

// moved checks that an account's balances are others by so much.
func (p *probe) moved(account bank.AccountID, from host.Balance, ledger, available bank.Cents, what string) {
	got := p.balance(account)
	if want := (host.Balance{Ledger: from.Ledger + ledger, Available: from.Available + available}); got != want {
		p.wrong("%s: %s has %+v, want %+v", what, account, got, want)
	}
}

// both reads the two accounts, and puts them back when the check is over.
func (p *probe) both() (from, to host.Balance) {
	from, to = p.balance(p.From), p.balance(p.To)
	if from.Available < Least {
		p.stop("%s has %s available, and a check needs %s", p.From, from.Available, Least)
	}
	p.after = append(p.after, func() {
		now, then := p.balance(p.From), p.balance(p.To)
		legs := []host.Leg{{Account: p.From, Cents: from.Ledger - now.Ledger}, {Account: p.To, Cents: to.Ledger - then.Ledger}, {Account: host.Internal("fees"), Cents: now.Ledger - from.Ledger + then.Ledger - to.Ledger}}
		if legs = slices.DeleteFunc(legs, func(l host.Leg) bool { return l.Cents == 0 }); len(legs) > 0 {
			p.done(p.order(legs...), "put the accounts back")
		}
	})
	return from, to
}

func (p *probe) offers(f protocol.Feature) bool { return slices.Contains(p.Offers, f) }

// notOffered asks for what the host says that it cannot do.
func (p *probe) notOffered(f protocol.Feature) {
	o := p.order()
	switch f {
	case protocol.Transfers:
		o.Legs = host.Move(p.From, p.To, 1)
	case protocol.Compound:
		o.Legs = []host.Leg{{Account: p.From, Cents: -2}, {Account: p.To, Cents: 1}, {Account: p.To, Cents: 1}}
	case protocol.Holds:
		o.Hold = &host.Hold{Account: p.From, Cents: 1}
	case protocol.Stops:
		o.Stop = &host.Stop{Account: p.From, First: 1, Last: 1}
	case protocol.Files:
		o.File = &host.File{Name: "test.ach", Kind: "nacha", Body: []byte("1")}
	case protocol.PositivePay:
		o.Enrol = &host.Enrolment{Account: p.From, On: true}
	case protocol.Cards:
		o.Card = &host.CardOrder{Card: "none", Step: host.LockCard}
	case protocol.People:
		o.User = &host.UserOrder{Step: host.CreateUser, User: p.person()}
	}
	p.refused(o, host.NotOffered, "what is not offered")
}
