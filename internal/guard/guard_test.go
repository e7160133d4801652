package guard_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

const (
	first = bank.InstitutionID("first")
	acme  = bank.OrganizationID("acme")
)

// A world is one organization: ana administers it, vera looks, dana does
// neither; the staff user manager may edit people and teller may not.
type world struct {
	t      *testing.T
	db     *db.DB
	door   *guard.Guard
	scopes []entitlement.Scope // what the door asked for
}

func each(t *testing.T, test func(*world)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := &world{t: t, db: d}
		w.door = guard.New(d, w.load, w, nil)
		w.write(func(tx *db.Tx) error {
			return errors.Join(activity.Start(tx, first, acme), activity.Start(tx, first, ""))
		})
		test(w)
	})
}

func (w *world) load(_ *db.Tx, _ bank.InstitutionID, organization bank.OrganizationID, scope entitlement.Scope) (*entitlement.Policy, error) {
	w.scopes = append(w.scopes, scope)
	has := catalog.EntitlementSet(0).With(catalog.UserManagement)
	p := &entitlement.Policy{
		Institution:  entitlement.Institution{ID: first, Location: time.UTC, Offers: has},
		Organization: entitlement.Organization{ID: organization, Entitlements: has},
		Members:      map[bank.UserID]*entitlement.Member{},
	}
	for id, role := range map[bank.UserID]bank.Role{"ana": bank.RoleAdmin, "vera": bank.RoleViewer, "dana": bank.RoleUser} {
		p.Members[id] = &entitlement.Member{ID: id, Role: role, Status: bank.StatusActive, Settings: entitlement.Settings{On: catalog.SetOf(catalog.UserManagementEnabled)}}
	}
	return p, nil
}

func (w *world) StaffMay(_ *db.Tx, _ bank.InstitutionID, staff bank.StaffID, permission string) (bool, error) {
	return staff == "manager" && permission == "people.edit", nil
}

func (w *world) write(do func(*db.Tx) error) {
	w.t.Helper()
	if err := w.db.Write(w.t.Context(), do); err != nil {
		w.t.Fatal(err)
	}
}

func member(id bank.UserID) bank.Caller {
	return bank.Caller{Kind: bank.ActorMember, ID: string(id), Name: string(id), Institution: first, Organization: acme, Channel: bank.ChannelOnline, IP: "192.0.2.7"}
}

func somebody(kind bank.ActorKind, id string) bank.Caller {
	return bank.Caller{Kind: kind, ID: id, Name: id, Institution: first, Channel: bank.ChannelPeople}
}

// hold is an action for admins, managers among staff, and the host.
func hold() guard.Action {
	return guard.Action{
		Event: "orguser.held", Organization: acme, Target: activity.Target{Kind: activity.TargetMember, ID: "dana", Name: "Dana Reyes"},
		Member: catalog.HoldUser, Staff: "people.edit", Others: []bank.ActorKind{bank.ActorHost},
	}
}

// mark is a change that can be seen: it inserts a row beside recording itself.
func mark(c *guard.Change) error {
	c.Record(activity.Change{Field: "held", Old: "false", New: "true"})
	_, err := c.Tx.Exec(`insert into counter (name, value) values ('mark', 1)`)
	return err
}

func (w *world) marks() (n int) {
	w.t.Helper()
	err := w.db.Read(w.t.Context(), func(tx *db.Tx) error {
		return tx.QueryRow(`select count(*) from counter where name = 'mark'`).Scan(&n)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// history is the chain of an organization, oldest first, refusals too.
func (w *world) history(organization bank.OrganizationID) (events []activity.Event) {
	w.t.Helper()
	err := w.db.Read(w.t.Context(), func(tx *db.Tx) (err error) {
		events, err = activity.Feed(tx, activity.Filter{Institution: first, Organization: organization, WithRefused: true})
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	slices.Reverse(events)
	return events
}

// Whoever may: the change is made and recorded, with its actor, in one.
func TestPermitted(t *testing.T) {
	for _, caller := range []bank.Caller{member("ana"), somebody(bank.ActorStaff, "manager"), somebody(bank.ActorHost, "core")} {
		t.Run(string(caller.Kind), func(t *testing.T) {
			each(t, func(w *world) {
				if err := w.door.Do(w.t.Context(), caller, hold(), mark); err != nil {
					w.t.Fatal(err)
				}
				h := w.history(acme)
				if w.marks() != 1 || len(h) != 1 {
					w.t.Fatalf("%d marks, history %+v", w.marks(), h)
				}
				e := h[0]
				if e.Name != "orguser.held" || e.Refused || e.Actor.ID != caller.ID || e.Channel != caller.Channel || e.IP != caller.IP ||
					e.Target.Name != "Dana Reyes" || e.Revision != 1 || len(e.Changes) != 1 || e.Changes[0].New != "true" || !e.Time.Equal(dbtest.Start) {
					w.t.Errorf("recorded %+v", e)
				}
			})
		})
	}
}

// Whoever may not: nothing is changed, and the attempt is recorded with its
// reason and without a new revision.
func TestRefused(t *testing.T) {
	nobodyElse := hold()
	nobodyElse.Member, nobodyElse.Staff, nobodyElse.Others = catalog.UnknownOperation, "", nil
	for name, c := range map[string]struct {
		caller bank.Caller
		action guard.Action
		code   string
	}{
		"a viewer":              {member("vera"), hold(), "ROLE"},
		"a user":                {member("dana"), hold(), "ROLE"},
		"nobody of ours":        {member("stranger"), hold(), "UNKNOWN_MEMBER"},
		"a teller":              {somebody(bank.ActorStaff, "teller"), hold(), "STAFF_PERMISSION"},
		"a program":             {somebody(bank.ActorClient, "hub"), hold(), "CHANNEL_NOT_ALLOWED"},
		"the system":            {bank.System(first), hold(), "CHANNEL_NOT_ALLOWED"},
		"a kind of nobody":      {somebody("", "?"), hold(), "CHANNEL_NOT_ALLOWED"},
		"an admin, not offered": {member("ana"), nobodyElse, "CHANNEL_NOT_ALLOWED"},
		"staff, not offered":    {somebody(bank.ActorStaff, "manager"), nobodyElse, "CHANNEL_NOT_ALLOWED"},
		"the host, not offered": {somebody(bank.ActorHost, "core"), nobodyElse, "CHANNEL_NOT_ALLOWED"},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(w *world) {
				err := w.door.Do(w.t.Context(), c.caller, c.action, mark)
				if fault.KindOf(err) != fault.Forbidden {
					w.t.Fatalf("err = %v, want a refusal", err)
				}
				h := w.history(acme)
				if w.marks() != 0 || len(h) != 1 || !h[0].Refused || h[0].Code != c.code || h[0].Note == "" || h[0].Revision != 0 {
					w.t.Errorf("%d marks, history %+v, want one refusal %s", w.marks(), h, c.code)
				}
			})
		})
	}
}

// A change that refuses half way, or fails, leaves nothing of itself; only the
// refusal is recorded.
func TestRolledBack(t *testing.T) {
	each(t, func(w *world) {
		refuse := func(c *guard.Change) error {
			return errors.Join(mark(c), fault.New(fault.Forbidden, "Not the last admin.").With("LAST_ADMIN"))
		}
		if err := w.door.Do(w.t.Context(), member("ana"), hold(), refuse); fault.KindOf(err) != fault.Forbidden {
			w.t.Errorf("err = %v", err)
		}
		broken := errors.New("broken")
		if err := w.door.Do(w.t.Context(), member("ana"), hold(), func(c *guard.Change) error { return errors.Join(mark(c), broken) }); !errors.Is(err, broken) {
			w.t.Errorf("err = %v", err)
		}
		wrong := fault.New(fault.Invalid, "Write a name.")
		if err := w.door.Do(w.t.Context(), member("ana"), hold(), func(*guard.Change) error { return wrong }); fault.KindOf(err) != fault.Invalid {
			w.t.Errorf("err = %v", err)
		}
		if h := w.history(acme); w.marks() != 0 || len(h) != 1 || h[0].Code != "LAST_ADMIN" {
			w.t.Errorf("%d marks, history %+v", w.marks(), h)
		}
	})
}

// A change that records nothing has changed nothing: the revision stays.
func TestNothingRecorded(t *testing.T) {
	each(t, func(w *world) {
		if err := w.door.Do(w.t.Context(), member("ana"), hold(), func(*guard.Change) error { return nil }); err != nil {
			w.t.Fatal(err)
		}
		if h := w.history(acme); len(h) != 0 {
			w.t.Errorf("history %+v", h)
		}
	})
}

// Another organization's people, and whoever names an organization or an
// institution that is not there, find nothing, in a change and in a look.
func TestNotThere(t *testing.T) {
	stranger := member("ana")
	stranger.Organization = "other"
	nowhere, host := hold(), somebody(bank.ActorHost, "core")
	nowhere.Organization = "nowhere"
	elsewhere := host
	elsewhere.Institution = "second"
	own := hold()
	own.Organization = ""
	each(t, func(w *world) {
		for name, c := range map[string]struct {
			caller bank.Caller
			action guard.Action
		}{"a stranger": {stranger, hold()}, "no organization": {host, nowhere}, "no institution": {elsewhere, own}} {
			if err := w.door.Do(w.t.Context(), c.caller, c.action, mark); fault.KindOf(err) != fault.NotFound {
				w.t.Errorf("%s: do: %v", name, err)
			}
			if err := w.door.Look(w.t.Context(), c.caller, c.action, func(*guard.View) error { return nil }); fault.KindOf(err) != fault.NotFound {
				w.t.Errorf("%s: look: %v", name, err)
			}
		}
		if w.marks() != 0 {
			w.t.Errorf("%d marks", w.marks())
		}
	})
}

// People may do some things to themselves, and only to themselves.
func TestSelf(t *testing.T) {
	own := hold()
	own.Self = true
	each(t, func(w *world) {
		if err := w.door.Do(w.t.Context(), member("dana"), own, func(*guard.Change) error { return nil }); err != nil {
			w.t.Errorf("herself: %v", err)
		}
		if err := w.door.Do(w.t.Context(), member("vera"), own, mark); fault.KindOf(err) != fault.Forbidden {
			w.t.Errorf("somebody else: %v", err)
		}
		if err := w.door.Do(w.t.Context(), somebody(bank.ActorStaff, "dana"), own, mark); fault.KindOf(err) != fault.Forbidden {
			w.t.Errorf("staff of the same id: %v", err)
		}
	})
}

// Looking decides as changing does, and records nothing.
func TestLook(t *testing.T) {
	see := hold()
	see.Member = catalog.ViewUsers
	each(t, func(w *world) {
		looked := false
		if err := w.door.Look(w.t.Context(), member("vera"), see, func(v *guard.View) error { looked = v.Revision == 0; return nil }); err != nil || !looked {
			w.t.Errorf("a viewer: %v, looked %v", err, looked)
		}
		if err := w.door.Look(w.t.Context(), member("dana"), see, func(*guard.View) error { return nil }); fault.KindOf(err) != fault.Forbidden {
			w.t.Errorf("a user: %v", err)
		}
		if h := w.history(acme); len(h) != 0 {
			w.t.Errorf("history %+v", h)
		}
	})
}

// What creates an organization is kept in the new chain; an attempt that is
// refused in the institution's own.
func TestCreates(t *testing.T) {
	create := guard.Action{Event: "organization.created", Organization: "new", Creates: true, Others: []bank.ActorKind{bank.ActorOperator},
		Target: activity.Target{Kind: activity.TargetOrganization, ID: "new"}}
	begin := func(c *guard.Change) error {
		c.Record()
		return activity.Start(c.Tx, first, "new")
	}
	each(t, func(w *world) {
		if err := w.door.Do(w.t.Context(), somebody(bank.ActorClient, "hub"), create, begin); fault.KindOf(err) != fault.Forbidden {
			w.t.Errorf("a program: %v", err)
		}
		if err := w.door.Do(w.t.Context(), somebody(bank.ActorOperator, ""), create, begin); err != nil {
			w.t.Errorf("an operator: %v", err)
		}
		if h := w.history(""); len(h) != 1 || !h[0].Refused {
			w.t.Errorf("the institution's history: %+v", h)
		}
		if h := w.history("new"); len(h) != 1 || h[0].Refused || h[0].Revision != 1 {
			w.t.Errorf("the organization's history: %+v", h)
		}
	})
}

// Where high-risk authorization cannot be had, what needs it cannot be done;
// programs are not asked.
func TestRequireProof(t *testing.T) {
	risky := func(c *guard.Change) error { return c.RequireProof([]byte("content")) }
	each(t, func(w *world) {
		if err := w.door.Do(w.t.Context(), member("ana"), hold(), risky); fault.KindOf(err) != fault.Unavailable {
			w.t.Errorf("a person: %v", err)
		}
		if err := w.door.Do(w.t.Context(), somebody(bank.ActorHost, "core"), hold(), risky); err != nil {
			w.t.Errorf("the host: %v", err)
		}
	})
}

// A watcher sees what was recorded, inside the transaction: if it fails,
// nothing is changed.
func TestWatchers(t *testing.T) {
	each(t, func(w *world) {
		var fail error
		var seen []activity.Event
		w.door.Watch(func(_ *guard.Change, events []activity.Event) error {
			seen = append(seen, events...)
			return fail
		})
		if err := w.door.Do(w.t.Context(), member("ana"), hold(), mark); err != nil || len(seen) != 1 || seen[0].Sequence != 1 {
			w.t.Errorf("err %v, seen %+v", err, seen)
		}
		fail = errors.New("the queue is full")
		unmark := func(c *guard.Change) error {
			c.Record()
			_, err := c.Tx.Exec(`delete from counter where name = 'mark'`)
			return err
		}
		if err := w.door.Do(w.t.Context(), member("ana"), hold(), unmark); !errors.Is(err, fail) {
			w.t.Errorf("err = %v", err)
		}
		if h := w.history(acme); w.marks() != 1 || len(h) != 1 {
			w.t.Errorf("%d marks, history %+v", w.marks(), h)
		}
	})
}

// The door reads the caller's own facts beside those that the action names, and
// more once a change learns whom it is about.
func TestScope(t *testing.T) {
	action := hold()
	action.Scope.Members = []bank.UserID{"dana"}
	each(t, func(w *world) {
		err := w.door.Do(w.t.Context(), member("ana"), action, func(c *guard.Change) error {
			known := entitlement.Scope{Members: []bank.UserID{"dana"}}
			return errors.Join(c.Widen(known), c.Widen(known.And(entitlement.Scope{Members: []bank.UserID{"lee"}})))
		})
		if err != nil {
			w.t.Fatal(err)
		}
		if len(w.scopes) != 2 || !slices.Equal(w.scopes[0].Members, []bank.UserID{"dana", "ana"}) || !slices.Contains(w.scopes[1].Members, "lee") {
			w.t.Errorf("scopes %+v", w.scopes)
		}
	})
}

// A change elsewhere is decided there by itself: both are made and recorded, or
// neither.
func TestAChangeElsewhere(t *testing.T) {
	each(t, func(w *world) {
		other := hold()
		other.Organization = ""
		both := func(there guard.Action) error {
			return w.door.Do(w.t.Context(), member("ana"), hold(), func(c *guard.Change) error {
				return errors.Join(mark(c), c.Elsewhere(somebody(bank.ActorHost, "core"), there, func(c *guard.Change) error {
					c.RecordBy(activity.Actor{Kind: bank.ActorStaff, ID: "gone", Name: "Gone"}, bank.ChannelPeople, "staff.viewed", activity.Target{}, "over")
					return nil
				}))
			})
		}
		refusing := other
		refusing.Others = nil
		if err := both(refusing); fault.KindOf(err) != fault.Forbidden || w.marks() != 0 || len(w.history("")) != 0 {
			w.t.Errorf("refused there: %v, %d marks, history there %+v", err, w.marks(), w.history(""))
		}
		if err := both(other); err != nil {
			w.t.Fatal(err)
		}
		there := w.history("")
		if len(there) != 1 || there[0].Actor.ID != "gone" || there[0].Channel != bank.ChannelPeople || there[0].Revision != 0 || there[0].Note != "over" || w.marks() != 1 {
			w.t.Errorf("made: %d marks, history there %+v", w.marks(), there)
		}
	})
}
