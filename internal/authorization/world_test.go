package authorization_test

import (
	"fmt"
	"testing"
	"time"

	"mandate/internal/activity"
	"mandate/internal/authorization"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/usage"
	"mandate/internal/usermgmt"
)

const (
	first = bank.InstitutionID("first")
	acme  = bank.OrganizationID("acme")
	other = bank.OrganizationID("other")
)

// client is the payment system that asks.
var client = bank.Caller{Kind: bank.ActorClient, ID: "cli_core", Name: "Payments", Institution: first, Channel: bank.ChannelAPI}

// A world is two organizations of one bank, whose people may send wires up to
// 100,000.00 a day, and the service.
type world struct {
	t       *testing.T
	db      *db.DB
	clock   *dbtest.Clock
	door    *guard.Guard
	service *authorization.Service
}

func eachWorld(t *testing.T, lifetime time.Duration, test func(w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := &world{t: t, db: d, clock: dbtest.ClockOf(t, d), door: guard.New(d, usermgmt.LoadPolicy, nil, nil)}
		w.service = authorization.New(d, w.door, lifetime)
		w.must(d.Write(t.Context(), seed))
		test(w)
	})
}

func seed(tx *db.Tx) error {
	all := catalog.EntitlementSet(0)
	for _, e := range catalog.Entitlements() {
		all = all.With(e)
	}
	err := usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: first, Name: "First", TimeZone: "America/Chicago", Offers: all})
	if err != nil {
		return err
	}
	for id, people := range map[bank.OrganizationID][]bank.UserID{acme: {"dana", "lee"}, other: {"kim"}} {
		if err := seedOrganization(tx, id, all, people); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
	}
	return nil
}

func seedOrganization(tx *db.Tx, id bank.OrganizationID, all catalog.EntitlementSet, people []bank.UserID) error {
	o := usermgmt.Organization{Institution: first, ID: id, Name: string(id), Entitlements: all}
	if err := usermgmt.InsertOrganization(tx, &o); err != nil {
		return err
	}
	account := usermgmt.Account{ID: "operating", Name: "Operating"}
	if err := usermgmt.InsertAccount(tx, o.Num, &account); err != nil {
		return err
	}
	for _, name := range people {
		m := usermgmt.Member{ID: name, FirstName: string(name), Status: bank.StatusActive, Settings: wireSettings}
		if err := usermgmt.InsertMember(tx, first, o.Num, &m); err != nil {
			return err
		}
		if err := usermgmt.SetMemberAccount(tx, o.Num, m.Ordinal, account.Ordinal, entitlement.Settings{On: wireSettings.On.With(catalog.AccountAccess)}); err != nil {
			return err
		}
	}
	return nil
}

// wireSettings let a member send wires up to 100,000.00 a day, alone unless
// dual control is switched on.
var wireSettings = entitlement.Settings{
	On: catalog.SetOf(catalog.WiresEnabled, catalog.WiresWork, catalog.WiresTransmit, catalog.WiresTransmitFuture, catalog.WiresTransmitRecurring),
	Limits: entitlement.Limits{}.With(catalog.LimitPerWire, 100_000_00).With(catalog.LimitWiresDaily, 100_000_00).
		With(catalog.LimitWiresDual, 10_000_00),
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// change edits the policy of a member of acme behind everybody's back.
func (w *world) change(name bank.UserID, change func(m *entitlement.Member)) {
	w.t.Helper()
	w.must(w.db.Write(w.t.Context(), func(tx *db.Tx) error {
		o, err := usermgmt.FindOrganization(tx, first, acme)
		if err != nil {
			return err
		}
		p, err := usermgmt.LoadPolicy(tx, first, acme, entitlement.Scope{Members: []bank.UserID{name}})
		if err != nil {
			return err
		}
		m, ordinal := p.Members[name], map[bank.UserID]int64{"dana": 1, "lee": 2}[name]
		change(m)
		if err := usermgmt.SetMemberStanding(tx, o.Num, ordinal, m.Role, m.Status, m.Held); err != nil {
			return err
		}
		return usermgmt.SetMemberSettings(tx, o.Num, ordinal, m.Settings, 0)
	}))
}

func hold(m *entitlement.Member)    { m.Held = true }
func release(m *entitlement.Member) { m.Held = false }
func dual(m *entitlement.Member)    { m.Settings.On = m.Settings.On.With(catalog.WiresDualControl) }

// wire asks about a wire from the operating account.
func wire(member bank.UserID, amount string) authorization.Asked {
	return authorization.Asked{Member: member, Operation: "wires.transmit", Account: "operating", Amount: entitlement.ReadAmount(amount)}
}

func (w *world) authorize(ref string, asked authorization.Asked) authorization.Answer {
	w.t.Helper()
	answer, err := w.service.Authorize(w.t.Context(), client, acme, ref, asked)
	w.must(err)
	return answer
}

func (w *world) approve(ref string, member bank.UserID) authorization.Answer {
	w.t.Helper()
	answer, err := w.service.Approve(w.t.Context(), client, ref, member)
	w.must(err)
	return answer
}

func (w *world) confirm(ref string) authorization.Answer {
	w.t.Helper()
	answer, err := w.service.Confirm(w.t.Context(), client, ref)
	w.must(err)
	return answer
}

func (w *world) void(ref string) authorization.Answer {
	w.t.Helper()
	answer, err := w.service.Void(w.t.Context(), client, ref)
	w.must(err)
	return answer
}

// says fails the test unless the answer is yes, or no for exactly these codes.
func (w *world) says(what string, got authorization.Answer, codes ...entitlement.Code) {
	w.t.Helper()
	ok := got.Allowed == (len(codes) == 0) && len(got.Reasons) == len(codes)
	for _, code := range codes {
		ok = ok && got.Has(code)
	}
	if !ok {
		w.t.Errorf("%s: allowed %t for %v, want refused for %v", what, got.Allowed, got.Reasons, codes)
	}
}

// used is what dana has used of her daily limit for wires on a day.
func (w *world) used(day bank.Day) bank.Cents {
	w.t.Helper()
	var used entitlement.Used
	w.must(w.db.Read(w.t.Context(), func(tx *db.Tx) (err error) {
		used, err = usage.Used(tx, usage.Reservation{Institution: first, Organization: acme, Limit: catalog.LimitWiresDaily, Day: day, Member: "dana"})
		return err
	}))
	return used.Member
}

// history are the names of acme's payment events, oldest first, refused ones
// with their code.
func (w *world) history() (names []string) {
	w.t.Helper()
	w.must(w.db.Read(w.t.Context(), func(tx *db.Tx) error {
		events, err := activity.Feed(tx, activity.Filter{Institution: first, Organization: acme, WithRefused: true})
		for _, e := range events {
			name := e.Name
			if e.Refused {
				name += " refused " + e.Code
			}
			names = append([]string{name}, names...)
		}
		return err
	}))
	return names
}
