package staff_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/identity"
	"mandate/internal/staff"
	"mandate/internal/usermgmt"
)

const wires = bank.ApplicationID("app_wires")

var wirePermissions = catalog.Declaration{Version: 1, Permissions: []catalog.ProductPermission{
	{ID: "wires.view", Label: "View wires", Area: "Wires"},
	{ID: "wires.release", Label: "Release wires", Area: "Wires", Views: []string{"wires.view"}},
	{ID: "files.read", Label: "Read files", Area: "Files"},
}}

// declare has a product declare, as its application's room does.
func (w *world) declare(id bank.ApplicationID, name string, d catalog.Declaration) {
	w.t.Helper()
	door := guard.New(w.d, usermgmt.LoadPolicy, staff.Rights{}, identity.Proofs{})
	action := guard.Action{Event: "external_app.permissions_declared", Target: activity.Target{Kind: activity.TargetClient, ID: string(id)}, Others: []bank.ActorKind{bank.ActorOperator}}
	w.must(door.Do(w.t.Context(), operator, action, func(c *guard.Change) error { return staff.Rights{}.Declare(c, id, name, d) }))
}

// productGroup makes a group of a product in the name of the operator.
func (w *world) productGroup(name string, product bank.ApplicationID, held ...string) {
	w.t.Helper()
	id, err := w.s.CreateGroup(w.t.Context(), operator, staff.Draft{Name: name, Product: product, Held: catalog.ProductSetOf(held...)})
	w.must(err)
	w.groups[name] = id
}

// held is what somebody holds of a product now.
func (w *world) held(name string, product bank.ApplicationID) (set catalog.ProductSet) {
	w.t.Helper()
	w.must(w.d.Read(w.t.Context(), func(tx *db.Tx) (err error) {
		set, err = staff.Rights{}.Of(tx, harbor, w.users[name], product)
		return err
	}))
	return set
}

// Whoever a directory has switched off holds nothing of any product, and is
// nobody who must keep a second factor.
func TestWhoeverIsSwitchedOffHoldsNothing(t *testing.T) {
	each(t, func(w *world) {
		w.declare(wires, "Wire desk", wirePermissions)
		w.productGroup("Releasers", wires, "wires.release")
		w.add("ada", "Releasers")
		w.addApp("ada")
		g := w.draft("Releasers")
		g.SecondFactorFrom = "2026-04-01"
		w.must(w.s.EditGroup(t.Context(), operator, g.ID, g.Version, g.Draft))
		kept := func() (kept bool) {
			w.must(w.d.Read(t.Context(), func(tx *db.Tx) (err error) {
				kept, err = staff.Rights{}.HeldToSecondFactor(tx, harbor, w.users["ada"])
				return err
			}))
			return kept
		}
		if held := w.held("ada", wires); held != "wires.release wires.view" || !kept() {
			t.Fatalf("switched on: holds %q, kept to a second factor: %v", held, kept())
		}
		w.must(w.d.Write(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(`update staff_user set deactivated = true where institution_id = $1 and id = $2`, harbor, w.users["ada"])
			return err
		}))
		if held := w.held("ada", wires); held != "" || kept() {
			t.Errorf("switched off: holds %q, kept to a second factor: %v", held, kept())
		}
	})
}

// A group of a product holds what that product declares and nothing else; a
// group of either kind is enough.
func TestAGroupOfAProduct(t *testing.T) {
	each(t, func(w *world) {
		ctx := t.Context()
		w.declare(wires, "Wire desk", wirePermissions)
		w.declare("app_other", "Other", catalog.Declaration{Version: 1, Permissions: []catalog.ProductPermission{{ID: "other.view", Label: "View"}}})
		for name, d := range map[string]staff.Draft{
			"an unknown product":      {Product: "app_none", Held: "wires.view"},
			"another product's right": {Product: wires, Held: "other.view"},
			"the console's right":     {Product: wires, Permissions: catalog.StaffSetOf(catalog.PeopleViewAll)},
			"a right without product": {Held: "wires.view"},
			"a name of the console":   {Product: wires, Held: "people.view_all"},
			"some declared, some not": {Product: wires, Held: "wires.view other.view"},
		} {
			d.Name = name
			if _, err := w.s.CreateGroup(ctx, operator, d); fault.KindOf(err) != fault.Invalid || fault.ProblemsOf(err)[0].Field != "product" {
				t.Errorf("%s: %v", name, err)
			}
		}
		w.productGroup("Releasers", wires, "wires.release")
		if g := w.draft("Releasers"); g.Held != "wires.release wires.view" || g.Product != wires {
			t.Errorf("ticking Release ticks View: %+v", g.Draft)
		}
		w.productGroup("Readers", wires, "files.read")
		w.add("ada", "Releasers", "Readers")
		if got := w.held("ada", wires); got != "files.read wires.release wires.view" {
			t.Errorf("the union is %q", got)
		}
		if got := w.held("ada", "app_other"); got != "" || w.rights("ada") != "" {
			t.Errorf("beside the product: %q and %q", got, w.rights("ada"))
		}
		for _, h := range w.user("ada").Products {
			for _, s := range h.Sources {
				if want := map[string]string{"wires.view": "Releasers", "wires.release": "Releasers", "files.read": "Readers"}[s.Permission.ID]; names(s.Groups) != want {
					t.Errorf("%s is granted by %q, want %q", s.Permission.ID, names(s.Groups), want)
				}
			}
		}
		// A group stays of its kind, and what is stored is what was declared.
		g := w.draft("Readers")
		d := g.Draft
		d.Product, d.Held = "app_other", "other.view"
		if err := w.s.EditGroup(ctx, operator, g.ID, g.Version, d); fault.KindOf(err) != fault.Invalid {
			t.Errorf("a group changes its product: %v", err)
		}
		// Whoever is locked out holds nothing of any product.
		for range 5 {
			_, _ = w.try("ada", "wrong")
		}
		if got := w.held("ada", wires); got != "" {
			t.Errorf("locked, and holds %q", got)
		}
	})
}

func names(groups []staff.Group) string {
	var all []string
	for _, g := range groups {
		all = append(all, g.Name)
	}
	return strings.Join(all, ",")
}

// What a product declares is given by who holds it; first by who manages both
// applications and groups.
func TestNobodyGivesOfAProductWhatTheyDoNotHold(t *testing.T) {
	each(t, func(w *world) {
		ctx := t.Context()
		w.declare(wires, "Wire desk", wirePermissions)
		w.group("admins", catalog.StaffUsersInvite, catalog.StaffUsersAssignGroups, catalog.StaffUsersEdit, catalog.StaffUsersResetPassword, catalog.StaffUsersDelete,
			catalog.StaffGroupsCreate, catalog.StaffGroupsEdit, catalog.StaffGroupsDelete)
		w.group("applications", catalog.StaffExternalAppsManage)
		w.group("empty")
		w.productGroup("releasers", wires, "wires.release")
		w.productGroup("viewers", wires, "wires.view")
		for who, groups := range map[string][]string{"mia": {"admins"}, "vic": {"admins", "viewers"}, "fay": {"admins", "applications"}, "ann": {"applications"}, "rel": {"releasers"}, "ned": {"empty"}} {
			w.add(who, groups...)
		}
		signed := map[string]bank.Caller{}
		for _, who := range []string{"mia", "vic", "fay", "ann"} {
			signed[who] = w.as(who)
		}
		releasers, viewers := w.draft("releasers"), w.draft("viewers")
		rise := viewers.Draft
		rise.Held = "wires.release"
		gives := map[string]bool{"create": true, "give a group more": true, "lend a service who has it": true} // what changes nothing when it succeeds
		for name, try := range map[string]func(bank.Caller) error{
			"create": func(c bank.Caller) error {
				_, err := w.s.CreateGroup(ctx, c, staff.Draft{Name: "new " + c.ID, Product: wires, Held: "wires.release"})
				return err
			},
			"give a group more": func(c bank.Caller) error {
				_, err := w.s.PreviewGroup(ctx, c, viewers.ID, viewers.Version, rise)
				return err
			},
			"take from a group": func(c bank.Caller) error {
				return w.s.EditGroup(ctx, c, releasers.ID, releasers.Version, staff.Draft{Name: "releasers"})
			},
			"delete": func(c bank.Caller) error { return w.s.DeleteGroup(ctx, c, releasers.ID, w.groups["empty"]) },
			"invite": func(c bank.Caller) error {
				_, err := w.s.Invite(ctx, c, staff.Invitation{Emails: []string{"x@harbor.example"}, Groups: w.ids("releasers")})
				return err
			},
			"put somebody into it": func(c bank.Caller) error {
				return w.s.SetGroups(ctx, c, w.users["ned"], w.user("ned").Version, w.ids("empty", "releasers"))
			},
			"put oneself into it": func(c bank.Caller) error {
				return w.s.SetGroups(ctx, c, bank.StaffID(c.ID), 1, w.ids("admins", "releasers"))
			},
			"reset who holds it":  func(c bank.Caller) error { return w.s.SendReset(ctx, c, w.users["rel"]) },
			"delete who holds it": func(c bank.Caller) error { return w.s.Delete(ctx, c, w.users["rel"]) },
			"lend a service who has it": func(c bank.Caller) error {
				return w.d.Read(ctx, func(tx *db.Tx) error { return staff.Rights{}.Lend(tx, c, w.users["rel"]) })
			},
		} {
			for _, who := range []string{"mia", "vic"} {
				err := try(signed[who])
				if strings.HasPrefix(name, "put oneself") && fault.KindOf(err) == fault.Conflict {
					continue // refused before: the version is another
				}
				if w.refused(err, "ABOVE_OWN"); !strings.Contains(err.Error(), "wires (Wire desk)") {
					t.Errorf("%s as %s: %v", name, who, err)
				}
			}
			if err := try(signed["ann"]); name != "lend a service who has it" && fault.KindOf(err) != fault.Forbidden {
				t.Errorf("%s by who manages applications only: %v", name, err)
			}
			if !gives[name] {
				continue
			}
			if err := try(signed["fay"]); fault.KindOf(err) == fault.Forbidden {
				t.Errorf("%s by who manages applications and groups: %v", name, err)
			}
		}
		// What Vic holds, Vic may give; with a high-risk authorization, as ever.
		vic := signed["vic"]
		err := w.s.SetGroups(ctx, vic, w.users["ned"], w.user("ned").Version, w.ids("empty", "viewers"))
		if _, asked := errors.AsType[*guard.StepUp](err); !asked {
			t.Errorf("giving a product's right needs no high-risk authorization: %v", err)
		}
		w.must(w.proving(vic, func() error {
			return w.s.SetGroups(ctx, vic, w.users["ned"], w.user("ned").Version, w.ids("empty", "viewers"))
		}))
		if got := w.held("ned", wires); got != "wires.view" {
			t.Errorf("Ned holds %q", got)
		}
	})
}

// What a product no longer declares is gone from its groups in the same change,
// and said before.
func TestADeclarationChanges(t *testing.T) {
	each(t, func(w *world) {
		w.declare(wires, "Wire desk", wirePermissions)
		w.productGroup("Releasers", wires, "wires.release")
		w.productGroup("Readers", wires, "files.read")
		w.add("ada", "Releasers")
		next := catalog.Declaration{Version: 2, Permissions: []catalog.ProductPermission{
			{ID: "wires.view", Label: "View wires", Area: "Wires"}, {ID: "files.list", Label: "List files"},
			{ID: "files.read", Label: "Read files", Area: "Files", Views: []string{"files.list"}},
		}}
		effects := func(d catalog.Declaration) (said string, err error) {
			err = w.d.Read(t.Context(), func(tx *db.Tx) error {
				all, err := staff.Rights{}.Effects(tx, harbor, wires, d)
				for _, e := range all {
					said += fmt.Sprintf("%s(%d) +%v -%v; ", e.Name, e.Members, e.Gains, e.Loses)
				}
				return err
			})
			return said, err
		}
		said, err := effects(next)
		w.must(err)
		if said != "Readers(0) +[List files] -[]; Releasers(1) +[] -[Release wires]; " {
			t.Errorf("said before: %s", said)
		}
		same := next
		same.Version = 1
		_, err = effects(same)
		w.refused(err, "VERSION")
		if said, err := effects(wirePermissions); err != nil || said != "" {
			t.Errorf("the same again: %q, %v", said, err)
		}
		w.declare(wires, "Wire desk", next)
		if got := w.held("ada", wires); got != "wires.view" {
			t.Errorf("Ada holds %q", got)
		}
		if g := w.draft("Readers"); g.Held != "files.list files.read" || g.Version != 2 {
			t.Errorf("Readers: %+v", g.Group)
		}
		if got := w.history(staff.EventGroupChanged); got != "group.changed Readers; group.changed Releasers" {
			t.Errorf("history: %s", got)
		}
	})
}

// A preview says who gains and loses what of a product, beside what other
// groups give.
func TestAPreviewOfAProductsGroup(t *testing.T) {
	each(t, func(w *world) {
		w.declare(wires, "Wire desk", wirePermissions)
		w.productGroup("Releasers", wires, "wires.release")
		w.productGroup("Viewers", wires, "wires.view")
		w.add("ada", "Releasers")
		w.productGroup("Readers", wires, "files.read")
		w.add("bo", "Releasers", "Viewers", "Readers")
		g := w.draft("Releasers")
		d := g.Draft
		d.Held = "files.read"
		p, err := w.s.PreviewGroup(t.Context(), operator, g.ID, g.Version, d)
		w.must(err)
		var said string
		for _, e := range p.Effects {
			said += fmt.Sprintf("%s +%v -%v; ", e.FirstName, e.More, e.Less)
		}
		if said != "Ada +[Read files] -[View wires Release wires]; Bo +[] -[Release wires]; " {
			t.Errorf("said: %s", said)
		}
	})
}

// A product that goes leaves its groups, so that nobody is without one.
func TestAProductGoes(t *testing.T) {
	each(t, func(w *world) {
		w.declare(wires, "Wire desk", wirePermissions)
		w.productGroup("Releasers", wires, "wires.release")
		w.add("ada", "Releasers")
		door := guard.New(w.d, usermgmt.LoadPolicy, staff.Rights{}, identity.Proofs{})
		w.must(door.Do(t.Context(), operator, guard.Action{Event: "external_app.deleted", Others: []bank.ActorKind{bank.ActorOperator}}, func(c *guard.Change) error {
			return staff.Rights{}.Forget(c, wires)
		}))
		if g := w.draft("Releasers"); g.Product != "" || g.Held != "" || g.Members != 1 || w.held("ada", wires) != "" {
			t.Errorf("the group is %+v, and Ada holds %q", g.Group, w.held("ada", wires))
		}
		w.declare(wires, "Wire desk", wirePermissions)
		if got := w.held("ada", wires); got != "" {
			t.Errorf("a namesake of the product gives %q", got)
		}
	})
}
