package usermgmt_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"mandate/internal/authorization"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/pdp"
	"mandate/internal/pdp/pdptest"
	"mandate/internal/usermgmt"
)

// A rememberer does things at random, asks questions in between, and remembers
// what was answered.
type rememberer struct {
	*walker
	door     *guard.Guard
	service  *pdp.Service
	payments *authorization.Service
	ids      []bank.UserID // everybody who ever was
	known    []bank.AccountID
	refs     []string
	memories []memory
}

// A memory is what was asked at a moment, and what was answered.
type memory struct {
	at       time.Time
	fresh    bool // a revision was just made
	revision pdp.Revision
	asked    []pdp.Question
	answers  []pdp.Answer
	why      pdp.Explained
	who      usermgmt.WhoQuery
	able     usermgmt.WhoPage
	person   bank.UserID
	what     usermgmt.Reaching
	alone    usermgmt.ExposurePage
}

func remember(w *world, seed uint64) *rememberer {
	w.t.Cleanup(usermgmt.KeepPast(w.d))
	r := &rememberer{walker: &walker{world: w, rng: rand.New(rand.NewPCG(seed, 9)), state: map[string]usermgmt.Member{}, done: map[string]int{}}}
	r.door = guard.New(w.d, usermgmt.LoadPolicy, allStaff{}, w.proofs)
	r.service = pdp.New(pdptest.Memory(w.d), usermgmt.DecisionSources(), nil)
	r.payments = authorization.New(w.d, r.door, 0)
	for _, name := range []string{"ana", "ben", "dana", "vera", "finn"} {
		role, settings := bank.RoleUser, sendsWires()
		if name == "ana" || name == "ben" {
			role, settings = bank.RoleAdmin, manages
		}
		w.add(name, role, bank.StatusActive, settings, "operating", "payroll")
		r.names, r.ids = append(r.names, name), append(r.ids, id(name))
	}
	for _, a := range w.accounts {
		r.known = append(r.known, a.ID)
	}
	w.must(usermgmt.KeepPastFromNow(w.t.Context(), w.d, nil))
	r.look()
	return r
}

func oneOf[T any](r *rememberer, all []T) T { return all[r.rng.IntN(len(all))] }

// act does one thing; many are refused, and that is as it should be.
func (r *rememberer) act() {
	ctx := r.t.Context()
	switch r.rng.IntN(12) {
	case 0, 1, 2:
		r.must(internal(r.editAtRandom()))
	case 3:
		r.must(internal(r.organizationAtRandom()))
	case 4:
		_, err := usermgmt.ImportInstitution(ctx, r.door, operator, r.institutionAtRandom(), false)
		r.must(internal(err))
	case 5, 6:
		r.must(internal(r.payAtRandom()))
	case 7:
		r.must(internal(r.importAtRandom()))
	case 9:
		r.must(internal(r.users.Delete(ctx, onlineAs("ana"), usermgmt.Person{Organization: acme, User: oneOf(r, r.ids[3:])})))
		r.look()
	case 8:
		made, err := r.users.Create(ctx, onlineAs("ana"), acme, usermgmt.Details{FirstName: "New", LastName: fmt.Sprint(len(r.ids)),
			Email: fmt.Sprintf("n%d@acme.example", len(r.ids)), Role: bank.Role(r.rng.IntN(3))})
		if r.must(internal(err)); err == nil {
			r.ids = append(r.ids, made.User)
		}
	default:
		command := oneOf(r, []string{"hold", "release", "release", "unlock", "lock", "edit", "role", "manage off", "wrong passwords"})
		r.must(internal(r.command(command, oneOf(r, r.names), r.caller())))
		r.look()
	}
}

// internal leaves out what was only refused.
func internal(err error) error {
	if fault.KindOf(err) == fault.Internal {
		return err
	}
	return nil
}

func (r *rememberer) settingsAtRandom(level catalog.Levels) map[string]entitlement.Value {
	set := map[string]entitlement.Value{}
	for range 1 + r.rng.IntN(4) {
		p := catalog.Permission(r.rng.IntN(int(catalog.PermissionCount)))
		switch {
		case !p.At(level) || !p.In(bank.EditionBank):
		case p.IsLimit():
			set[p.ID()] = entitlement.LimitTo(bank.Cents(r.rng.IntN(6)) * 5_000_00)
		case p.Info().Type == catalog.Switch:
			set[p.ID()] = entitlement.SwitchTo(r.rng.IntN(3) > 0)
		}
	}
	return set
}

func (r *rememberer) editAtRandom() error {
	e := usermgmt.Edit{Person: usermgmt.Person{Organization: acme, User: oneOf(r, r.ids)}, Version: -1, Cascade: true}
	e.Changes = append(e.Changes, entitlement.Change{Set: r.settingsAtRandom(catalog.AtUser)})
	if r.rng.IntN(2) == 0 {
		e.Changes = append(e.Changes, entitlement.Change{Account: oneOf(r, r.known), Set: r.settingsAtRandom(catalog.AtAccount)})
	}
	_, err := r.users.SavePermissions(r.t.Context(), host, e)
	return err
}

func (r *rememberer) organizationAtRandom() error {
	profile, err := r.users.OrganizationProfile(r.t.Context(), operator, acme)
	if err != nil {
		return err
	}
	was := usermgmt.OrganizationRights{Entitlements: profile.Entitlements, Ceilings: profile.Ceilings}
	will := was
	if e := oneOf(r, catalog.Entitlements()); r.rng.IntN(2) == 0 {
		will.Entitlements = will.Entitlements.Without(e)
	} else {
		will.Entitlements = will.Entitlements.With(e)
	}
	will.Ceilings = will.Ceilings.With(catalog.LimitWiresDaily, bank.Cents(r.rng.IntN(5)+1)*20_000_00)
	_, err = r.users.ChangeOrganization(r.t.Context(), operator, acme, was, will)
	return err
}

func (r *rememberer) institutionAtRandom() (i usermgmt.Institution) {
	r.read(func(tx *db.Tx) (err error) {
		i, _, err = usermgmt.FindInstitution(tx, harbor)
		return err
	})
	i.Offers = everything()
	if r.rng.IntN(2) == 0 {
		i.Offers = i.Offers.Without(oneOf(r, catalog.Entitlements()))
	}
	i.TimeZone = oneOf(r, []string{"America/New_York", "America/Chicago", "Pacific/Honolulu"})
	return i
}

func (r *rememberer) payAtRandom() error {
	ctx := r.t.Context()
	if len(r.refs) > 0 && r.rng.IntN(5) < 3 {
		ref := oneOf(r, r.refs)
		do := r.payments.Void
		if r.rng.IntN(4) == 0 {
			do = r.payments.Confirm
		}
		_, err := do(ctx, client, ref)
		return err
	}
	ref := fmt.Sprintf("r%d", len(r.refs))
	r.refs = append(r.refs, ref)
	asked := authorization.Asked{Member: oneOf(r, r.ids), Operation: "wires.transmit", Account: oneOf(r, r.known), Amount: entitlement.AmountOf(bank.Cents(r.rng.IntN(9)+1) * 900_00)}
	if r.rng.IntN(4) == 0 {
		asked.Context = map[string]any{"effective_date": string(bank.DayOf(r.clock.Now().AddDate(0, 0, 2), time.UTC))}
	}
	_, err := r.payments.Authorize(ctx, client, acme, ref, asked)
	return err
}

// importAtRandom brings the organization an account, or changes a member or what
// is off on an account.
func (r *rememberer) importAtRandom() error {
	in := &usermgmt.ImportedOrganization{Organization: usermgmt.Organization{Institution: harbor, ExternalID: string(acme), Name: "Acme Tools"}}
	for i, id := range r.known {
		in.Accounts = append(in.Accounts, usermgmt.ImportedAccount{Account: usermgmt.Account{ExternalID: string(id), Name: fmt.Sprintf("Account %d", i)}})
	}
	if r.rng.IntN(3) == 0 {
		in.Accounts = append(in.Accounts, usermgmt.ImportedAccount{Account: usermgmt.Account{ExternalID: fmt.Sprintf("x%d", len(r.known)), Name: "More"}})
	}
	m := usermgmt.ImportedMember{
		Member: usermgmt.Member{ExternalID: string(id("dana")), FirstName: "Dana", LastName: "Test", Email: "dana@acme.example", Settings: sendsWires()},
		Set:    sendsWires().On.With(catalog.WiresPerWireLimit),
		Access: []usermgmt.ImportedAccess{{Account: r.rng.IntN(len(in.Accounts)), Settings: onAccount, Set: onAccount.On}},
	}
	m.Settings.Limits = m.Settings.Limits.With(catalog.LimitPerWire, bank.Cents(r.rng.IntN(4))*1000_00)
	in.Members = append(in.Members, m)
	_, err := usermgmt.ImportOrganization(r.t.Context(), r.door, operator, in, acme, false)
	if err == nil {
		r.read(func(tx *db.Tx) error {
			p, err := usermgmt.LoadPolicy(tx, harbor, acme, entitlement.Scope{AllAccounts: true})
			for id := range p.Accounts {
				found := false
				for _, known := range r.known {
					found = found || known == id
				}
				if !found {
					r.known = append(r.known, id)
				}
			}
			return err
		})
	}
	return err
}

// ask asks the questions of a memory, as of a moment or now.
func (r *rememberer) ask(m *memory, at pdp.Past) (got memory) {
	r.t.Helper()
	ctx := r.t.Context()
	var err error
	got.answers, err = r.service.DecideAt(ctx, harbor, m.asked, at)
	r.must(err)
	got.why, err = r.service.ExplainAt(ctx, harbor, m.asked[0], at)
	r.must(err)
	who := m.who
	who.At = at
	got.able, err = r.users.WhoMay(ctx, operator, acme, who)
	r.must(err)
	got.what, err = r.users.WhatMay(ctx, operator, usermgmt.Person{Organization: acme, User: m.person}, at)
	if fault.KindOf(err) != fault.NotFound {
		r.must(err)
	}
	got.alone, err = r.users.Exposures(ctx, operator, acme, usermgmt.ExposureQuery{Size: -1, At: at})
	r.must(err)
	return got
}

func (r *rememberer) remember(fresh bool) {
	m := memory{at: r.clock.Now(), fresh: fresh, person: oneOf(r, r.ids)}
	for range 6 {
		op := oneOf(r, catalog.Operations())
		if r.rng.IntN(2) == 0 {
			op = catalog.WiresTransmitOperation
		}
		m.asked = append(m.asked, pdp.Question{Member: oneOf(r, r.ids), Operation: op.ID(), Account: oneOf(r, r.known), ToAccount: oneOf(r, r.known),
			Amount: entitlement.AmountOf(bank.Cents(r.rng.IntN(30)+1) * 1000_00)})
	}
	m.who = usermgmt.WhoQuery{Size: -1, Sort: usermgmt.WhoByName, Request: entitlement.Plainest("", catalog.WiresTransmitOperation, time.Time{})}
	if r.rng.IntN(2) == 0 {
		m.who.Request.Account = oneOf(r, r.known)
	}
	got := r.ask(&m, pdp.Past{})
	m.answers, m.why, m.able, m.what, m.alone = got.answers, got.why, got.able, got.what, got.alone
	for _, a := range m.answers {
		if a.Organization != "" {
			m.revision = a.Revision
		}
	}
	r.memories = append(r.memories, m)
}

// TestThePastAnswersAsItDid: whatever was done since, every question asked for a
// moment in the past is answered as it was answered then, with every reason.
func TestThePastAnswersAsItDid(t *testing.T) {
	each(t, func(w *world) {
		r := remember(w, 7)
		revision := func() (n int64) {
			w.read(func(tx *db.Tx) error {
				return tx.QueryRow(`select sum(revision) from stream where institution_id = $1`, harbor).Scan(&n)
			})
			return n
		}
		r.remember(false)
		for range rounds(80, 2000) {
			w.clock.Advance(time.Duration(r.rng.IntN(4)) * 3 * time.Hour / 2)
			if r.rng.IntN(3) == 0 {
				w.clock.Advance(time.Microsecond)
			}
			w.clock.Advance(time.Microsecond)
			before := revision()
			r.act()
			r.remember(revision() != before)
		}
		allowed, tokens := 0, 0
		for i := range r.memories {
			m := &r.memories[i]
			moments := []pdp.Past{{Time: m.at}}
			if m.fresh && !m.revision.IsZero() {
				moments = append(moments, pdp.Past{Revision: m.revision})
				tokens++
			}
			for _, at := range moments {
				got := r.ask(m, at)
				for k, part := range [][2]any{{got.answers, m.answers}, {got.why, m.why}, {got.able, m.able}, {got.what, m.what}, {got.alone, m.alone}} {
					if !reflect.DeepEqual(part[0], part[1]) {
						t.Fatalf("memory %d of %d at %+v, part %d: now it is said\n%+v\nand then it was\n%+v\nasked %+v", i, len(r.memories), at, k, part[0], part[1], m.asked)
					}
				}
			}
			if len(m.able.Rows) > 0 {
				allowed++
			}
		}
		w.read(func(tx *db.Tx) error {
			wrong, err := usermgmt.VerifyPast(tx, "")
			if len(wrong) > 0 {
				t.Errorf("what is kept is not what is stored: %+v", wrong)
			}
			return err
		})
		w.write(func(tx *db.Tx) error {
			_, err := tx.Exec(`update member set wire = 1 where id = $1`, id("ana"))
			return err
		})
		w.read(func(tx *db.Tx) error {
			if wrong, err := usermgmt.VerifyPast(tx, harbor); len(wrong) != 1 || err != nil {
				t.Errorf("a change beside the door shows as %+v, %v", wrong, err)
			}
			return nil
		})
		if allowed < 10 || tokens < 10 {
			t.Errorf("only %d of %d memories allow anything, and %d have a revision of their own", allowed, len(r.memories), tokens)
		}
	})
}
