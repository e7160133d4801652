package approval_test

import (
	"strings"
	"sync"
	"testing"

	"mandate/internal/activity"
	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/usermgmt"
)

const (
	cedar     = bank.InstitutionID("cedar")
	northwind = bank.OrganizationID("org_northwind")
	operating = bank.AccountID("acc_operating")
)

// A world is an organization whose Dana, Lee and Kim send wires and whose Uma
// may nothing, with a room whose papers wait for a second person.
type world struct {
	t      testing.TB
	d      *db.DB
	door   *guard.Guard
	queue  *approval.Service
	org    usermgmt.Organization
	people map[string]*usermgmt.Member
	room   *room
	told   *told
	proofs *proofs
}

func each(t *testing.T, test func(w *world)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(newWorld(t, d)) })
}

func sends() entitlement.Settings {
	return entitlement.Settings{
		On:     catalog.SetOf(catalog.WiresEnabled, catalog.WiresWork, catalog.WiresTransmit),
		Limits: entitlement.Limits{}.With(catalog.LimitPerWire, 25_000_00).With(catalog.LimitWiresDaily, 60_000_00),
	}
}

func newWorld(t testing.TB, d *db.DB) *world {
	w := &world{t: t, d: d, people: map[string]*usermgmt.Member{}, told: &told{}, proofs: &proofs{}}
	w.door = guard.New(d, usermgmt.LoadPolicy, nil, w.proofs)
	w.queue = approval.New(d, w.door, w.told, names)
	w.room = &room{queue: w.queue, papers: map[string]paper{}}
	w.queue.Add("paper", w.room)
	wires := catalog.EntitlementSet(0).With(catalog.Wires)
	w.org = usermgmt.Organization{Institution: cedar, ID: northwind, Name: "Northwind", Entitlements: wires}
	account := usermgmt.Account{ID: operating, Name: "Operating", Number: "0137", Kind: "checking"}
	w.write(func(tx *db.Tx) error {
		if err := usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: cedar, Name: "Cedar Bank", TimeZone: "America/New_York", Offers: wires}); err != nil {
			return err
		}
		if err := usermgmt.InsertOrganization(tx, &w.org); err != nil {
			return err
		}
		if err := usermgmt.InsertAccount(tx, w.org.Num, &account); err != nil {
			return err
		}
		for _, name := range []string{"dana", "lee", "kim", "uma"} {
			m := &usermgmt.Member{ID: bank.UserID(name), FirstName: strings.ToUpper(name[:1]) + name[1:], Email: name + "@northwind.example", Status: bank.StatusActive, Settings: sends()}
			if name == "uma" {
				m.Settings = entitlement.Settings{}
			}
			if err := usermgmt.InsertMember(tx, cedar, w.org.Num, m); err != nil {
				return err
			}
			on := sends()
			on.On, on.Limits = on.On.With(catalog.AccountAccess), entitlement.Limits{}
			if name != "uma" {
				if err := usermgmt.SetMemberAccount(tx, w.org.Num, m.Ordinal, account.Ordinal, on); err != nil {
					return err
				}
			}
			w.people[name] = m
		}
		return nil
	})
	return w
}

func names(_ *db.Tx, _ bank.InstitutionID, _ bank.OrganizationID, members []bank.UserID) (map[bank.UserID]string, error) {
	called := map[bank.UserID]string{}
	for _, id := range members {
		called[id] = strings.ToUpper(string(id[:1])) + string(id[1:])
	}
	return called, nil
}

func (w *world) write(f func(tx *db.Tx) error) {
	w.t.Helper()
	if err := w.d.Write(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
}

// set changes what somebody may do, behind everybody's back.
func (w *world) set(name string, s entitlement.Settings) {
	w.t.Helper()
	w.write(func(tx *db.Tx) error { return usermgmt.SetMemberSettings(tx, w.org.Num, w.people[name].Ordinal, s, 1) })
}

func caller(name string) bank.Caller {
	return bank.Caller{Kind: bank.ActorMember, ID: name, Name: strings.ToUpper(name[:1]) + name[1:], Institution: cedar, Organization: northwind, Channel: bank.ChannelOnline}
}

// A paper is what the room has: some content, and an amount.
type paper struct {
	content string
	cents   bank.Cents
	later   bool // goes out another day
}

// room is a room whose papers are in memory.
type room struct {
	queue    *approval.Service
	mu       sync.Mutex
	papers   map[string]paper
	released []string
	ended    []approval.State
}

func (r *room) put(ref string, p paper) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.papers[ref] = p
}

func (r *room) Matter(_ *db.Tx, _ bank.InstitutionID, _ bank.OrganizationID, ref string) (approval.Matter, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.papers[ref]
	ask := func(op catalog.Operation) entitlement.Request {
		return entitlement.Request{Operation: op, Account: operating, Amount: entitlement.AmountOf(p.cents)}
	}
	return approval.Matter{
		Title: "Paper " + ref, Account: operating, Cents: p.cents, Content: []byte(p.content),
		Approve:  func(bank.UserID) entitlement.Request { return ask(catalog.WiresApprove) },
		See:      func(bank.UserID) entitlement.Request { return ask(catalog.WiresView) },
		Initiate: ask(catalog.WiresTransmitOperation),
	}, nil
}

func (r *room) Sights(*db.Tx, bank.InstitutionID, bank.OrganizationID) (map[string]entitlement.Request, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	sights := map[string]entitlement.Request{}
	for ref, p := range r.papers {
		sights[ref] = entitlement.Request{Operation: catalog.WiresView, Account: operating, Amount: entitlement.AmountOf(p.cents)}
	}
	return sights, nil
}

func (r *room) Events() approval.Events {
	return approval.Events{Approved: "wire.approved", Rejected: "wire.rejected", Expired: "wire.expired"}
}

func (r *room) Approved(c *guard.Change, item approval.Item) error {
	r.mu.Lock()
	later := r.papers[item.Ref].later
	r.mu.Unlock()
	if later {
		return nil
	}
	_, err := r.queue.ReleaseIn(c, "paper", item.Ref)
	if err == nil {
		c.Tx.AfterCommit(func() { r.out(item.Ref) })
	}
	return err
}

func (r *room) out(ref string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.released = append(r.released, ref)
}

func (r *room) Ended(c *guard.Change, item approval.Item) error {
	c.Tx.AfterCommit(func() { r.ended = append(r.ended, item.State) })
	return nil
}

// in runs something in a change of somebody's.
func (w *world) in(name string, f func(c *guard.Change) error) error {
	w.t.Helper()
	action := guard.Action{
		Event: "wire.test", Organization: northwind, Target: activity.Target{Kind: activity.TargetPayment, ID: "1"},
		Others: []bank.ActorKind{bank.ActorMember}, Scope: entitlement.Scope{Members: []bank.UserID{"dana"}},
	}
	return w.door.Do(w.t.Context(), caller(name), action, f)
}

// ask makes a paper wait, and says who could approve it.
func (w *world) ask(name, ref string, p paper) (item approval.Item, approvers string) {
	w.t.Helper()
	w.room.put(ref, p)
	err := w.in(name, func(c *guard.Change) error {
		got, may, err := w.queue.AskIn(c, approval.Ask{Kind: "paper", Ref: ref})
		item, approvers = got, joined(may)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return item, approvers
}

func joined(ids []bank.UserID) string {
	var text []string
	for _, id := range ids {
		text = append(text, string(id))
	}
	return strings.Join(text, " ")
}

func (w *world) approve(name string, item approval.Item) error {
	return w.queue.Approve(w.t.Context(), caller(name), item.ID, item.Hash, "")
}

// refuses checks the code of a refusal.
func (w *world) refuses(what string, err error, code string) {
	w.t.Helper()
	f, ok := err.(*fault.Error)
	if !ok || f.Code != code {
		w.t.Errorf("%s: %v, want %s", what, err, code)
	}
}

func (w *world) state(id string) approval.Item {
	w.t.Helper()
	e, err := w.queue.Get(w.t.Context(), caller("dana"), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return e.Item
}

// told counts what people are told.
type told struct {
	mu            sync.Mutex
	asked         []string
	decided       []string
	decidedStates []approval.State
}

func (s *told) Asked(_ *db.Tx, item approval.Item, approvers []bank.UserID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, item.Ref+": "+joined(approvers))
	return nil
}

func (s *told) Decided(_ *db.Tx, item approval.Item, hands []bank.UserID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.decided = append(s.decided, item.Ref+": "+joined(hands))
	s.decidedStates = append(s.decidedStates, item.State)
	return nil
}

// proofs are given, unless they are wanting.
type proofs struct {
	wanting bool
	asked   []string
	mu      sync.Mutex
}

func (p *proofs) Consume(_ *db.Tx, _ bank.Caller, action, target string, _ []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, action+" "+target)
	if p.wanting {
		return fault.New(fault.StepUp, "Prove it.").With("STEP_UP")
	}
	return nil
}
