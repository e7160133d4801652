package staff_test

import (
	"strings"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/staff"
)

// Mia administers, but holds nothing of People; Pat holds everything of People
// and nothing else. Whatever Mia tries, nobody gets what Mia does not hold.
func TestNobodyActsAboveWhatTheyHold(t *testing.T) {
	each(t, func(w *world) {
		ctx := t.Context()
		w.group("admins", catalog.StaffUsersInvite, catalog.StaffUsersAssignGroups, catalog.StaffUsersEdit, catalog.StaffUsersResetPassword,
			catalog.StaffUsersDelete, catalog.StaffGroupsCreate, catalog.StaffGroupsEdit, catalog.StaffGroupsDelete)
		w.group("people", catalog.PeopleManageAll)
		w.group("empty")
		w.add("mia", "admins")
		w.add("pat", "people")
		w.add("ned", "empty")
		mia := w.as("mia")
		everything := w.draft("everything")
		people, empty := w.draft("people"), w.draft("empty")
		rise := staff.Draft{Name: "empty", Permissions: catalog.StaffSetOf(catalog.PeopleViewAll)}
		for name, try := range map[string]func() error{
			"create a group above": func() error {
				_, err := w.s.CreateGroup(ctx, mia, staff.Draft{Name: "new", Permissions: catalog.StaffSetOf(catalog.PeopleUsersSuspend)})
				return err
			},
			"give a group more": func() error { return w.s.EditGroup(ctx, mia, empty.ID, empty.Version, rise) },
			"give the own group more": func() error {
				return w.s.EditGroup(ctx, mia, w.groups["admins"], 1, staff.Draft{Name: "admins", Permissions: ^catalog.StaffSet(0)})
			},
			"see what giving more does": func() error { _, err := w.s.PreviewGroup(ctx, mia, empty.ID, empty.Version, rise); return err },
			"take from a group above":   func() error { return w.s.EditGroup(ctx, mia, people.ID, people.Version, staff.Draft{Name: "people"}) },
			"delete a group above":      func() error { return w.s.DeleteGroup(ctx, mia, people.ID, empty.ID) },
			"replace by a group above":  func() error { return w.s.DeleteGroup(ctx, mia, empty.ID, people.ID) },
			"invite into a group above": func() error {
				_, err := w.s.Invite(ctx, mia, staff.Invitation{Emails: []string{"x@harbor.example"}, Groups: w.ids("people")})
				return err
			},
			"put somebody into it": func() error { return w.s.SetGroups(ctx, mia, w.users["ned"], w.user("ned").Version, w.ids("people")) },
			"put oneself into it": func() error {
				return w.s.SetGroups(ctx, mia, w.users["mia"], w.user("mia").Version, w.ids("admins", "people"))
			},
			"become everything": func() error {
				return w.s.SetGroups(ctx, mia, w.users["mia"], w.user("mia").Version, []bank.GroupID{everything.ID})
			},
			"take somebody above's group": func() error { return w.s.SetGroups(ctx, mia, w.users["pat"], w.user("pat").Version, w.ids("empty")) },
			"rename somebody above": func() error {
				return w.s.EditProfile(ctx, mia, w.users["pat"], w.user("pat").Version, staff.Details{FirstName: "P", LastName: "P"})
			},
			"reset somebody above":  func() error { return w.s.SendReset(ctx, mia, w.users["pat"]) },
			"delete somebody above": func() error { return w.s.Delete(ctx, mia, w.users["pat"]) },
			"reset root":            func() error { return w.s.SendReset(ctx, mia, w.users["root"]) },
		} {
			if err := w.proving(mia, try); fault.KindOf(err) != fault.Forbidden {
				t.Errorf("%s: got %v", name, err)
			} else {
				w.refused(err, "ABOVE_OWN")
			}
		}
		if got := w.rights("ned") + w.rights("pat"); got != "people.view_all people.manage_all people.users.suspend people.business_ach.manage" {
			t.Errorf("somebody's rights have changed: %s", got)
		}
		// What Mia holds, Mia may give.
		w.must(w.proving(mia, func() error {
			return w.s.SetGroups(ctx, mia, w.users["ned"], w.user("ned").Version, w.ids("empty", "admins"))
		}))
	})
}

func TestOnlyTheOperatorGivesWhatStaffCannot(t *testing.T) {
	each(t, func(w *world) {
		root := w.as("root")
		_, err := w.s.CreateGroup(t.Context(), root, staff.Draft{Name: "special", Permissions: catalog.StaffSetOf(catalog.PeopleEmployeeAccountsView)})
		w.refused(err, "ABOVE_OWN")
		w.group("special", catalog.PeopleEmployeeAccountsView)
	})
}

// Every verb asks for its own right, and for no less: a user with each single
// right may do exactly what the table says. View rights come with it.
func TestEveryVerbAsksForItsOwnRight(t *testing.T) {
	each(t, func(w *world) {
		ctx := t.Context()
		w.group("empty")
		w.add("ned", "empty")
		verbs := map[catalog.StaffPermission]func(bank.Caller) error{
			catalog.StaffUsersView:  func(c bank.Caller) error { _, err := w.s.User(ctx, c, w.users["ned"]); return err },
			catalog.StaffGroupsView: func(c bank.Caller) error { _, err := w.s.Group(ctx, c, w.groups["empty"]); return err },
			catalog.StaffUsersInvite: func(c bank.Caller) error {
				_, err := w.s.Invite(ctx, c, staff.Invitation{Emails: []string{"x@harbor.example"}, Groups: w.ids("empty")})
				return err
			},
			catalog.StaffUsersAssignGroups: func(c bank.Caller) error {
				return w.s.SetGroups(ctx, c, w.users["ned"], w.user("ned").Version, w.ids("empty"))
			},
			catalog.StaffUsersEdit: func(c bank.Caller) error {
				return w.s.EditProfile(ctx, c, w.users["ned"], w.user("ned").Version, staff.Details{FirstName: "Ned", LastName: "Harbor"})
			},
			catalog.StaffUsersUnlock:        func(c bank.Caller) error { return w.s.Unlock(ctx, c, w.users["ned"]) },
			catalog.StaffUsersResetPassword: func(c bank.Caller) error { return w.s.SendReset(ctx, c, w.users["ned"]) },
			catalog.StaffUsersDelete:        func(c bank.Caller) error { return w.s.Delete(ctx, c, w.users["ned"]) },
			catalog.StaffGroupsCreate: func(c bank.Caller) error {
				_, err := w.s.CreateGroup(ctx, c, staff.Draft{Name: "by " + c.Name})
				return err
			},
			catalog.StaffGroupsEdit: func(c bank.Caller) error {
				return w.s.EditGroup(ctx, c, w.groups["empty"], w.draft("empty").Version, staff.Draft{Name: "empty", Description: c.ID})
			},
			catalog.StaffGroupsDelete: func(c bank.Caller) error { return w.s.DeleteGroup(ctx, c, w.groups["empty"], "") },
		}
		for right := range verbs {
			name := strings.ReplaceAll(strings.TrimPrefix(right.ID(), "staff."), ".", "-")
			w.group(name, right)
			w.add(name, name)
			caller := w.as(name)
			for needed, verb := range verbs {
				may := catalog.StaffSetOf(right).WithViews().Has(needed)
				err := verb(caller) // a proof may be missing, or nobody be locked: the door was passed
				if passed := fault.KindOf(err) != fault.Forbidden; passed != may {
					t.Errorf("with %s, what needs %s: passed %v, want %v (%v)", right, needed, passed, may, err)
				}
			}
		}
	})
}

// Vector 42's neighbour: the institution never loses the last person who could
// administer it, on any path.
func TestTheLastAdministratorStays(t *testing.T) {
	each(t, func(w *world) {
		ctx, root := t.Context(), w.as("root")
		w.group("empty")
		everything := w.draft("everything")
		paths := map[string]func() error{
			"leave the group": func() error { return w.s.SetGroups(ctx, root, w.users["root"], w.user("root").Version, w.ids("empty")) },
			"empty the group": func() error {
				return w.s.EditGroup(ctx, root, everything.ID, everything.Version, staff.Draft{Name: everything.Name})
			},
			"delete the group": func() error { return w.s.DeleteGroup(ctx, root, everything.ID, w.groups["empty"]) },
			"take one right": func() error {
				d := everything.Draft
				d.Permissions &^= catalog.StaffSetOf(catalog.StaffGroupsEdit)
				return w.s.EditGroup(ctx, root, everything.ID, everything.Version, d)
			},
			"operator deletes": func() error { return w.s.Delete(ctx, operator, w.users["root"]) },
			"operator takes all": func() error {
				return w.s.EditGroup(ctx, operator, everything.ID, everything.Version, staff.Draft{Name: everything.Name})
			},
		}
		for name, try := range paths {
			t.Log(name)
			w.refused(w.proving(root, try), "LAST_ADMINISTRATOR")
		}
		// Somebody who was invited cannot sign in yet, and does not count.
		_, err := w.s.Invite(ctx, operator, staff.Invitation{Emails: []string{address("ada")}, Groups: w.ids("everything")})
		w.must(err)
		w.refused(w.proving(root, paths["leave the group"]), "LAST_ADMINISTRATOR")
		w.join("ada")
		w.must(w.proving(root, paths["leave the group"]))
	})
}

func TestWhatIsRiskyNeedsAProofOfItsOwn(t *testing.T) {
	each(t, func(w *world) {
		ctx, root := t.Context(), w.as("root")
		w.group("empty")
		ned := w.add("ned", "empty")
		g := w.draft("empty")
		more := g.Draft
		more.Permissions = catalog.StaffSetOf(catalog.PeopleViewAll)
		for name, try := range map[string]func() error{
			"invite": func() error {
				_, err := w.s.Invite(ctx, root, staff.Invitation{Emails: []string{"x@harbor.example"}, Groups: w.ids("empty")})
				return err
			},
			"create a group": func() error {
				_, err := w.s.CreateGroup(ctx, root, staff.Draft{Name: "new", Permissions: more.Permissions})
				return err
			},
			"give more": func() error { return w.s.EditGroup(ctx, root, g.ID, g.Version, more) },
			"change the day": func() error {
				return w.s.EditGroup(ctx, root, g.ID, g.Version, staff.Draft{Name: "empty", SecondFactorFrom: "2026-05-01"})
			},
			"put into a group": func() error { return w.s.SetGroups(ctx, root, ned, w.user("ned").Version, w.ids("everything")) },
			"delete a user":    func() error { return w.s.Delete(ctx, root, ned) },
			"delete a group":   func() error { return w.s.DeleteGroup(ctx, root, g.ID, w.groups["everything"]) },
		} {
			if err := try(); fault.KindOf(err) != fault.StepUp {
				t.Errorf("%s: got %v", name, err)
			}
		}
		// A description is nothing risky.
		w.must(w.s.EditGroup(ctx, root, g.ID, g.Version, staff.Draft{Name: "empty", Description: "Nobody"}))
	})
}
