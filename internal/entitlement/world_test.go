package entitlement_test

import (
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/entitlement/reference"
)

// A world is a policy with a clock and what has been counted on it: what the
// database is to production, in memory.
type world struct {
	policy *entitlement.Policy
	now    time.Time
	ledger []counted
}

// counted is one amount that counts against a daily limit.
type counted struct {
	member  bank.UserID
	account bank.AccountID
	limit   catalog.Limit
	day     bank.Day
	cents   bank.Cents
}

// newWorld reads a world of the vector format.
func newWorld(t testing.TB, w reference.World) *world {
	t.Helper()
	zone, err := time.LoadLocation(w.Institution.TimeZone)
	must(t, err)
	edition, err := bank.ParseEdition(w.Institution.Edition)
	must(t, err)
	now, err := time.Parse(time.RFC3339, w.Now)
	must(t, err)
	p := &entitlement.Policy{
		Institution:  entitlement.Institution{ID: "first", Edition: edition, Location: zone, Offers: entitlements(w.Institution.Offers)},
		Organization: entitlement.Organization{ID: "acme", Entitlements: entitlements(w.Organization.Entitlements), Ceilings: ceilings(t, w.Organization.Ceilings)},
		Accounts:     map[bank.AccountID]entitlement.Account{}, Members: map[bank.UserID]*entitlement.Member{},
	}
	for _, id := range w.Accounts {
		p.Accounts[bank.AccountID(id)] = entitlement.Account{ID: bank.AccountID(id), Off: entitlements(w.Organization.AccountsOff[id])}
	}
	for _, m := range w.Members {
		addMember(t, p, m)
	}
	return &world{policy: p, now: now}
}

func addMember(t testing.TB, p *entitlement.Policy, of reference.Member) {
	t.Helper()
	m := &entitlement.Member{ID: bank.UserID(of.ID), Held: of.Held, Accounts: map[bank.AccountID]entitlement.Settings{}}
	var err error
	m.Role, err = bank.ParseRole(of.Role)
	must(t, err)
	m.Status, err = bank.ParseStatus(of.Status)
	must(t, err)
	m.Settings = settings(t, of.Permissions, catalog.AtUser)
	for id, values := range of.Accounts {
		m.Accounts[bank.AccountID(id)] = settings(t, values, catalog.AtAccount)
	}
	p.Members[m.ID] = m
	setUsableAdmins(p)
}

func setUsableAdmins(p *entitlement.Policy) {
	p.UsableAdmins = nil
	for id, m := range p.Members {
		if m.UsableAdmin() {
			p.UsableAdmins = append(p.UsableAdmins, id)
		}
	}
}

func entitlements(ids []string) (set catalog.EntitlementSet) {
	for _, id := range ids {
		if e, known := catalog.ParseEntitlement(id); known {
			set = set.With(e)
		}
	}
	return set
}

func ceilings(t testing.TB, values map[string]string) (l entitlement.Limits) {
	t.Helper()
	for id, text := range values {
		if p, known := catalog.ParsePermission(id); known && p.IsLimit() {
			cents, err := bank.ParseAmount(text)
			must(t, err)
			l = l.With(p.Limit(), cents)
		}
	}
	return l
}

func settings(t testing.TB, values map[string]any, level catalog.Levels) (s entitlement.Settings) {
	t.Helper()
	for id, value := range values {
		p, known := catalog.ParsePermission(id)
		if !known || !p.At(level) {
			continue
		}
		switch v := entitlement.ReadValue(p, value); v.Kind {
		case entitlement.SwitchValue:
			if v.On {
				s.On = s.On.With(p)
			}
		case entitlement.ChoiceValue:
			s.EditLevel = v.Level
		case entitlement.LimitValue:
			s.Limits = s.Limits.With(p.Limit(), v.Cents)
		default:
			t.Fatalf("%s cannot be %v", id, value)
		}
	}
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ask decides a request of the vector format.
func (w *world) ask(q reference.Request) (entitlement.Decision, entitlement.Request) {
	op := catalog.ParseOperation(q.Operation)
	req := entitlement.Request{
		Member: bank.UserID(q.Member), Operation: op, Account: bank.AccountID(q.Account), ToAccount: bank.AccountID(q.ToAccount),
		Amount: entitlement.ReadAmount(q.Amount), Context: entitlement.ReadContext(op, w.policy.Institution.Edition, q.Context), Now: w.now,
	}
	req.Used = w.used(req)
	return entitlement.Decide(w.policy, req), req
}

// used sums the ledger the obvious way.
func (w *world) used(req entitlement.Request) (used entitlement.Used) {
	limit, day, counts := entitlement.Counting(w.policy.Institution, req)
	for _, c := range w.ledger {
		if !counts || c.limit != limit || c.day != day {
			continue
		}
		used.Organization += c.cents
		if c.member == req.Member {
			used.Member += c.cents
			if c.account == req.Account {
				used.Account += c.cents
			}
		}
	}
	return used
}

// authorize decides and counts what is allowed.
func (w *world) authorize(q reference.Request) entitlement.Decision {
	d, req := w.ask(q)
	if limit, day, counts := entitlement.Counting(w.policy.Institution, req); d.Allowed && counts {
		cents, _ := req.Amount.Cents()
		w.ledger = append(w.ledger, counted{req.Member, req.Account, limit, day, cents})
	}
	return d
}

// edit asks for a change and keeps it where it is accepted.
func (w *world) edit(e reference.Edit) entitlement.Outcome {
	change := entitlement.Change{Member: bank.UserID(e.Member), Account: bank.AccountID(e.Account), Cascade: e.Cascade, Set: map[string]entitlement.Value{}}
	for id, value := range e.Set {
		var v entitlement.Value
		if p, known := catalog.ParsePermission(id); known {
			v = entitlement.ReadValue(p, value)
		}
		change.Set[id] = v
	}
	outcome := entitlement.Edit(w.policy, bank.UserID(e.Actor), change, entitlement.Request{Now: w.now})
	if m := w.policy.Members[change.Member]; m != nil && outcome.Accepted() {
		if change.Account == "" {
			m.Settings = outcome.Settings
		} else {
			m.Accounts[change.Account] = outcome.Settings
		}
		setUsableAdmins(w.policy)
	}
	return outcome
}

// turn makes a change of the world.
func (w *world) turn(t testing.TB, s reference.Step) {
	t.Helper()
	switch {
	case s.Organization != nil:
		if s.Organization.Entitlements != nil {
			w.policy.Organization.Entitlements = entitlements(*s.Organization.Entitlements)
		}
		if s.Organization.Ceilings != nil {
			w.policy.Organization.Ceilings = ceilings(t, *s.Organization.Ceilings)
		}
	case s.Member != nil:
		turnMember(t, w.policy.Members[bank.UserID(s.Member.Member)], s.Member)
		setUsableAdmins(w.policy)
	case s.Advance != "":
		by, err := time.ParseDuration(s.Advance)
		must(t, err)
		w.now = w.now.Add(by)
	}
}

func turnMember(t testing.TB, m *entitlement.Member, c *reference.MemberChange) {
	t.Helper()
	var err error
	if c.Held != nil {
		m.Held = *c.Held
	}
	if c.Status != nil {
		m.Status, err = bank.ParseStatus(*c.Status)
		must(t, err)
	}
	if c.Role != nil {
		m.Role, err = bank.ParseRole(*c.Role)
		must(t, err)
	}
}

// written and writtenEdit are answers as the vector format writes them.
func written(d entitlement.Decision) reference.Answer {
	a := reference.Answer{Decision: &d.Allowed, ApprovalRequired: &d.ApprovalRequired}
	for _, r := range d.Reasons {
		a.Reasons = append(a.Reasons, reference.Reason{Code: string(r.Code), Level: r.Level.String(), Permission: r.Permission.String(), Account: string(r.Account)})
	}
	return a
}

func writtenEdit(o entitlement.Outcome) reference.Answer {
	accepted := o.Accepted()
	a := reference.Answer{Accepted: &accepted}
	for _, p := range o.Problems {
		a.Problems = append(a.Problems, reference.Problem{Code: string(p.Code), Permission: p.Permission, Needs: p.Needs.String()})
	}
	for _, p := range o.TurnedOff {
		a.TurnedOff = append(a.TurnedOff, p.ID())
	}
	return a
}
