package staff_test

import (
	"strings"
	"sync"
	"testing"

	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/identity"
	"mandate/internal/staff"
	"mandate/internal/usermgmt"
)

const acme = bank.OrganizationID("org_acme")

// An office is the bank with a customer, Acme, which has wires and not ACH. The
// support changes what customers have, and needs the seniors' agreement.
type office struct {
	*world
	users *usermgmt.Service
	queue *approval.Service
}

func newOffice(w *world, need staff.Approval) *office {
	w.t.Helper()
	door := guard.New(w.d, usermgmt.LoadPolicy, staff.Rights{}, identity.Proofs{})
	o := &office{world: w, users: usermgmt.New(door, w.identity), queue: approval.New(w.d, door, nil, nil)}
	o.users.WithOversight(staff.Rights{}, o.queue, staff.Teller{Mailer: w.post, House: house})
	w.must(w.d.Write(w.t.Context(), func(tx *db.Tx) error {
		org := usermgmt.Organization{Institution: harbor, ID: acme, Name: "Acme", Entitlements: catalog.EntitlementSet(0).With(catalog.Wires),
			Ceilings: entitlement.Limits{}.With(catalog.LimitPerWire, 10_000_00)}
		return usermgmt.InsertOrganization(tx, &org)
	}))
	w.group("Seniors", catalog.PeopleManageAll)
	w.overseen("Support", "Seniors", need)
	w.add("sam", "Support")
	w.add("sue", "Seniors")
	return o
}

// overseen makes a group whose changes need the agreement of another.
func (w *world) overseen(name, by string, need staff.Approval) {
	w.t.Helper()
	id, err := w.s.CreateGroup(w.t.Context(), operator, staff.Draft{
		Name: name, Permissions: catalog.StaffSetOf(catalog.PeopleManageAll), ReportsTo: w.groups[by], ApprovalFrom: need})
	w.must(err)
	w.groups[name] = id
}

// asks has somebody ask for ACH, and returns what waits.
func (o *office) asks(caller bank.Caller) (item approval.Item) {
	o.t.Helper()
	o.must(o.proving(caller, func() (err error) {
		item, err = o.users.SwitchEntitlement(o.t.Context(), caller, acme, catalog.ACH, true)
		return err
	}))
	return item
}

func (o *office) agrees(name string, item approval.Item) (done bool, err error) {
	o.t.Helper()
	caller := o.as(name)
	err = o.proving(caller, func() error {
		done, err = o.queue.Agree(o.t.Context(), caller, item.ID, item.Hash, "")
		return err
	})
	return done, err
}

// has reports whether Acme has ACH now.
func (o *office) has() (has bool) {
	o.t.Helper()
	o.must(o.d.Read(o.t.Context(), func(tx *db.Tx) error {
		org, err := usermgmt.FindOrganization(tx, harbor, acme)
		has = org.Entitlements.Has(catalog.ACH)
		return err
	}))
	return has
}

// acmes are the events of Acme's own history.
func (o *office) acmes() string {
	o.t.Helper()
	var lines []string
	o.must(o.d.Read(o.t.Context(), func(tx *db.Tx) error {
		_, err := db.All(tx, func(row db.Scanner) (string, error) {
			var name, actor, note, code string
			err := row.Scan(&name, &actor, &note, &code)
			lines = append(lines, strings.TrimSpace(name+" by "+actor+" "+note+code))
			return name, err
		}, `select name, actor_name, note, code from history_event where institution_id = $1 and organization_id = $2 order by sequence`, harbor, acme)
		return err
	}))
	return strings.Join(lines, "; ")
}

func TestAChangeWaitsForOneOfAnotherGroup(t *testing.T) {
	each(t, func(w *world) {
		o := newOffice(w, staff.ApprovalOne)
		item := o.asks(o.as("sam"))
		if item.ID == "" || o.has() {
			t.Fatal("the change was made at once")
		}
		if !strings.Contains(w.post.mails[len(w.post.mails)-1].Subject, "Waiting for your agreement") {
			t.Error("nobody was told")
		}
		entry, err := o.queue.StaffItem(t.Context(), o.as("sue"), []bank.GroupID{w.groups["Seniors"]}, item.ID)
		w.must(err)
		if !entry.Mine || entry.Oversight.Name != "Seniors" || len(entry.Lines) != 1 || !strings.HasPrefix(entry.Lines[0].Value, "The organization gets ACH.") {
			t.Errorf("what Sue sees: %+v", entry)
		}
		_, err = o.agrees("sam", item)
		w.refused(err, "SELF_APPROVAL")
		w.group("Help desk", catalog.PeopleManageAll)
		w.add("hal", "Help desk")
		_, err = o.agrees("hal", item)
		w.refused(err, "APPROVER_NOT_ALLOWED")
		if _, err := o.queue.StaffItem(t.Context(), o.as("hal"), []bank.GroupID{w.groups["Help desk"]}, item.ID); err == nil {
			t.Error("somebody of no such group sees what waits")
		}
		if done, err := o.agrees("sue", item); err != nil || !done || !o.has() {
			t.Fatalf("after the agreement: done %v, has %v, %v", done, o.has(), err)
		}
		if got := o.acmes(); !strings.Contains(got, "org.entitlement_changed by Sue Harbor Asked for by Sam Harbor") {
			t.Errorf("history: %s", got)
		}
		_, err = o.agrees("sue", item)
		w.refused(err, "NOT_PENDING")
		// Taking away waits, too; who needs nobody's agreement changes at once.
		if item, err := o.users.SwitchEntitlement(t.Context(), o.as("sam"), acme, catalog.ACH, false); err != nil || item.ID == "" {
			t.Errorf("taking away: %+v, %v", item, err)
		}
		if item, err := o.users.SwitchEntitlement(t.Context(), o.as("hal"), acme, catalog.ACH, false); err != nil || item.ID != "" || o.has() {
			t.Errorf("by somebody who needs nobody: %+v, %v", item, err)
		}
	})
}

func TestAChangeWaitsForAllOfAnotherGroup(t *testing.T) {
	each(t, func(w *world) {
		o := newOffice(w, staff.ApprovalEveryone)
		w.add("sid", "Seniors")
		item := o.asks(o.as("sam"))
		if done, err := o.agrees("sue", item); err != nil || done || o.has() {
			t.Fatalf("after one of two: done %v, %v", done, err)
		}
		_, err := o.agrees("sue", item)
		w.refused(err, "ALREADY_AGREED")
		w.add("sol", "Seniors") // who joins meanwhile is one of all
		if done, err := o.agrees("sid", item); err != nil || done {
			t.Fatalf("after two of three: done %v, %v", done, err)
		}
		if done, err := o.agrees("sol", item); err != nil || !done || !o.has() {
			t.Fatalf("after all: done %v, %v", done, err)
		}
	})
}

// What was agreed to is what is done: not after somebody changed it, not after
// the rule changed, and not by people who may no longer.
func TestAnAgreementIsBoundToWhatWasSeen(t *testing.T) {
	each(t, func(w *world) {
		o := newOffice(w, staff.ApprovalOne)
		for name, c := range map[string]struct {
			code   string
			change func()
		}{
			"the organization was changed": {"CHANGED", func() {
				_, err := o.users.SwitchEntitlement(t.Context(), operator, acme, catalog.Wires, false)
				w.must(err)
			}},
			"everyone must agree now": {"CHANGED", func() {
				g := w.draft("Support")
				d := g.Draft
				d.ApprovalFrom = staff.ApprovalEveryone
				w.must(w.s.EditGroup(t.Context(), operator, g.ID, g.Version, d))
			}},
			"who asked may no longer": {"CHANGED", func() {
				w.group("Nothing " + bank.NewID("x", w.clock.Now()))
				for name := range w.groups {
					if strings.HasPrefix(name, "Nothing") {
						w.must(w.s.SetGroups(t.Context(), operator, w.users["sam"], w.user("sam").Version, w.ids(name)))
					}
				}
			}},
		} {
			w.must(w.s.SetGroups(t.Context(), operator, w.users["sam"], w.user("sam").Version, w.ids("Support")))
			item := o.asks(o.as("sam"))
			c.change()
			_, err := o.agrees("sue", item)
			t.Log(name)
			w.refused(err, c.code)
		}
		if o.has() {
			t.Error("it was done all the same")
		}
	})
}

func TestWhatWaitsForStaffIsRejectedTakenBackOrExpires(t *testing.T) {
	each(t, func(w *world) {
		o := newOffice(w, staff.ApprovalOne)
		item := o.asks(o.as("sam"))
		w.must(o.queue.Decline(t.Context(), o.as("sue"), item.ID, "Not without a contract."))
		if last := w.post.mails[len(w.post.mails)-1]; last.Subject != "Your change was rejected" {
			t.Errorf("Sam is told %q", last.Subject)
		}
		item = o.asks(o.as("sam"))
		w.must(o.queue.Decline(t.Context(), o.as("sam"), item.ID, ""))
		item = o.asks(o.as("sam"))
		w.clock.Advance(approval.Lifetime)
		_, err := o.agrees("sue", item)
		w.refused(err, "EXPIRED")
		if n, err := o.queue.Expire(t.Context()); n != 1 || err != nil {
			t.Errorf("expired %d, %v", n, err)
		}
		w.refused(o.queue.Decline(t.Context(), o.as("sue"), item.ID, ""), "NOT_PENDING")
		if got := o.acmes(); o.has() || strings.Count(got, "org.change_rejected") != 2 || !strings.Contains(got, "org.change_expired") {
			t.Errorf("history: %s", got)
		}
	})
}

// Whoever needs agreement cannot get rid of it: not by the group, not by
// another group, not through somebody else, and not by deleting who oversees.
func TestNobodyFreesThemselfOfOversight(t *testing.T) {
	each(t, func(w *world) {
		ctx, o := t.Context(), newOffice(w, staff.ApprovalOne)
		w.group("admins", catalog.StaffUsersInvite, catalog.StaffUsersAssignGroups, catalog.StaffGroupsCreate, catalog.StaffGroupsEdit, catalog.StaffGroupsDelete)
		w.must(w.s.SetGroups(ctx, operator, w.users["sam"], w.user("sam").Version, w.ids("Support", "admins")))
		w.add("ned", "admins")
		sam, support, seniors := w.as("sam"), w.draft("Support"), w.draft("Seniors")
		free := support.Draft
		free.ApprovalFrom = staff.ApprovalNobody
		for name, try := range map[string]func() error{
			"switch it off":     func() error { return w.s.EditGroup(ctx, sam, support.ID, support.Version, free) },
			"make a free group": func() error { free.Name = "Free"; _, err := w.s.CreateGroup(ctx, sam, free); return err },
			"join the seniors": func() error {
				return w.s.SetGroups(ctx, sam, w.users["sam"], w.user("sam").Version, w.ids("admins", "Seniors"))
			},
			"put somebody there": func() error { return w.s.SetGroups(ctx, sam, w.users["ned"], w.user("ned").Version, w.ids("Seniors")) },
			"invite somebody": func() error {
				_, err := w.s.Invite(ctx, sam, staff.Invitation{Emails: []string{"x@harbor.example"}, Groups: w.ids("Seniors")})
				return err
			},
			"delete who oversees": func() error { return w.s.DeleteGroup(ctx, sam, seniors.ID, support.ID) },
			"change who oversees": func() error {
				return w.s.EditGroup(ctx, sam, seniors.ID, seniors.Version, staff.Draft{Name: "Seniors"})
			},
			"take from the senior": func() error { return w.s.SetGroups(ctx, sam, w.users["sue"], w.user("sue").Version, w.ids("admins")) },
		} {
			t.Log(name)
			w.refused(w.proving(sam, try), "ABOVE_OWN")
		}
		w.refused(w.s.DeleteGroup(ctx, operator, seniors.ID, support.ID), "OVERSEES")
		d := support.Draft
		d.ReportsTo = w.groups["admins"]
		if err := w.s.EditGroup(ctx, operator, support.ID, support.Version, d); err == nil || !strings.Contains(err.Error(), "admins does not permit") {
			t.Errorf("a group that could not agree oversees: %v", err)
		}
		// What nobody could agree to is not asked for.
		w.must(w.s.SetGroups(ctx, operator, w.users["sue"], w.user("sue").Version, w.ids("admins")))
		w.refused(w.proving(sam, func() error { _, err := o.users.SwitchEntitlement(ctx, sam, acme, catalog.ACH, true); return err }), "NOBODY_TO_APPROVE")
	})
}

// Two seniors agree at the same moment, and one rejects: one decision holds, and
// the change is made once or not at all.
func TestDecisionsOfStaffAreRaced(t *testing.T) {
	each(t, func(w *world) {
		o := newOffice(w, staff.ApprovalOne)
		w.add("sid", "Seniors")
		w.add("sol", "Seniors")
		sam, callers := w.as("sam"), map[string]bank.Caller{"sue": w.as("sue"), "sid": w.as("sid"), "sol": w.as("sol")}
		for range dbtest.Rounds(10, 100) {
			item := o.asks(sam)
			for _, name := range []string{"sue", "sid"} {
				challenge := identity.Challenge{Action: "org.change_agreed", Target: string(acme), Content: []byte("agree " + item.ID + " " + item.Hash)}
				w.must(w.identity.Prove(t.Context(), callers[name], challenge, identity.Answer{Password: password}))
			}
			results := make([]error, 3)
			var done sync.WaitGroup
			done.Go(func() { _, results[0] = o.queue.Agree(t.Context(), callers["sue"], item.ID, item.Hash, "") })
			done.Go(func() { _, results[1] = o.queue.Agree(t.Context(), callers["sid"], item.ID, item.Hash, "") })
			done.Go(func() { results[2] = o.queue.Decline(t.Context(), callers["sol"], item.ID, "") })
			done.Wait()
			won := 0
			for _, err := range results {
				if err == nil {
					won++
				}
			}
			if won != 1 || o.has() != (results[2] != nil) {
				t.Fatalf("%d decisions held, has %v: %v", won, o.has(), results)
			}
			if o.has() {
				_, err := o.users.SwitchEntitlement(t.Context(), operator, acme, catalog.ACH, false)
				w.must(err)
			}
		}
	})
}
