package staff_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/identity"
	"mandate/internal/staff"
)

func TestTheOperatorInvitesTheFirstAdministrator(t *testing.T) {
	each(t, func(w *world) {
		root := w.user("root")
		if root.Status != bank.StatusActive || root.Name() != "Root Harbor" || root.Groups[0].Name != staff.FirstGroup {
			t.Errorf("got %+v", root.User)
		}
		if !w.draft("everything").Permissions.Covers(catalog.EveryStaffPermission()) {
			t.Error("the first group does not permit everything")
		}
		if _, err := w.s.InviteAdministrator(t.Context(), operator, "second@harbor.example"); err != nil {
			t.Fatal(err)
		}
		groups, err := w.s.Groups(t.Context(), operator)
		if err != nil || len(groups) != 1 || groups[0].Members != 2 {
			t.Errorf("a second administrator: %+v, %v", groups, err)
		}
		_, err = w.s.InviteAdministrator(t.Context(), operator, "ROOT@harbor.example")
		w.refused(err, "ALREADY_USER")
		_, err = w.s.InviteAdministrator(t.Context(), w.as("root"), "third@harbor.example")
		w.refused(err, "CHANNEL_NOT_ALLOWED")
		if got := w.history(staff.EventInvited, "staff.credentials_created", "staff.activated"); got !=
			"staff.invited root@harbor.example; staff.credentials_created root@harbor.example; staff.activated root@harbor.example; staff.invited second@harbor.example; staff.invited third@harbor.example (CHANNEL_NOT_ALLOWED)" {
			t.Errorf("history: %s", got)
		}
	})
}

func TestInvitingManySaysOfEachWhatBecameOfIt(t *testing.T) {
	each(t, func(w *world) {
		w.group("No Permissions")
		root := w.as("root")
		var outcomes []staff.Outcome
		invite := func(i staff.Invitation) error {
			return w.proving(root, func() (err error) {
				outcomes, err = w.s.Invite(t.Context(), root, i)
				return err
			})
		}
		emails := staff.ReadEmails("ada@harbor.example, bo@harbor.example\nnot an address; ADA@harbor.example,root@harbor.example")
		w.must(invite(staff.Invitation{Emails: emails, Groups: w.ids("No Permissions")}))
		want := []struct {
			invited bool
			problem string
		}{{true, ""}, {true, ""}, {false, "like name@example.com"}, {false, "twice"}, {false, "is a user already"}}
		if len(outcomes) != len(want) {
			t.Fatalf("got %+v", outcomes)
		}
		for i, o := range outcomes {
			if o.Invited != want[i].invited || !strings.Contains(o.Problem, want[i].problem) {
				t.Errorf("%s: got %+v, want %+v", o.Email, o, want[i])
			}
		}
		w.must(invite(staff.Invitation{Emails: []string{"ada@harbor.example"}, Groups: w.ids("No Permissions")}))
		if outcomes[0].Invited || !strings.Contains(outcomes[0].Problem, "invited before") {
			t.Errorf("invited again: %+v", outcomes[0])
		}
		// Vector 41: without an address or without a group nobody is invited.
		for _, i := range []staff.Invitation{{Emails: emails}, {Groups: w.ids("No Permissions")}, {}} {
			if err := invite(i); fault.KindOf(err) != fault.Invalid {
				t.Errorf("%+v: got %v", i, err)
			}
		}
	})
}

func TestAddressesAreReadFromTextAndCSV(t *testing.T) {
	for text, want := range map[string]string{
		"a@x.com, b@x.com":                "a@x.com b@x.com",
		"a@x.com\r\n\r\nb@x.com;c@x.com,": "a@x.com b@x.com c@x.com",
		"\ufeffName,Email\n\"Diaz, Dana\",dana@x.com\nBo,\nEva, eva@x.com": "dana@x.com eva@x.com",
		"":       "",
		" , ,\n": "",
	} {
		if got := strings.Join(staff.ReadEmails(text), " "); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestAnInvitationLastsSevenDaysOnceAndOnlyTheNewest(t *testing.T) {
	each(t, func(w *world) {
		w.group("No Permissions")
		outcomes, err := w.s.Invite(t.Context(), operator, staff.Invitation{Emails: []string{address("ada")}, Groups: w.ids("No Permissions")})
		w.must(err)
		ada := outcomes[0].User
		first := w.link("ada")
		look := func(token identity.Secret) error {
			_, err := w.identity.Look(t.Context(), harbor, identity.PurposeInvitation, token)
			return err
		}
		w.clock.Advance(7*24*time.Hour - time.Second)
		w.must(look(first))
		w.clock.Advance(time.Second)
		w.refused(look(first), "LINK_EXPIRED")
		w.must(w.s.InviteAgain(t.Context(), operator, ada))
		second := w.link("ada")
		w.refused(look(first), "LINK_REPLACED")
		w.must(look(second))
		w.must(w.s.CancelInvitation(t.Context(), operator, ada))
		w.refused(look(second), "LINK_CANCELLED")
		w.refused(w.s.CancelInvitation(t.Context(), operator, ada), "NO_INVITATION")
		w.must(w.s.InviteAgain(t.Context(), operator, ada))
		w.users["ada"] = ada
		w.join("ada")
		w.refused(look(w.link("ada")), "LINK_USED")
		w.refused(w.s.InviteAgain(t.Context(), operator, ada), "NOT_PENDING")
	})
}

// Vector 43: two groups give the union; leaving one takes away only what the
// other does not give.
func TestRightsAreTheUnionOfTheGroups(t *testing.T) {
	each(t, func(w *world) {
		w.group("support", catalog.PeopleManageAll)
		w.group("readers", catalog.PeopleViewAll, catalog.PlatformAuditSearch)
		ada := w.add("ada", "support", "readers")
		if got := w.rights("ada"); got != "people.view_all people.manage_all people.users.suspend people.business_ach.manage platform.audit.search" {
			t.Errorf("of both: %s", got)
		}
		w.must(w.s.SetGroups(t.Context(), operator, ada, w.user("ada").Version, w.ids("readers")))
		if got := w.rights("ada"); got != "people.view_all platform.audit.search" {
			t.Errorf("of one: %s", got)
		}
		sources := w.user("ada").Sources
		if len(sources) != 2 || sources[0].Groups[0].Name != "readers" {
			t.Errorf("granted by: %+v", sources)
		}
		if err := w.s.SetGroups(t.Context(), operator, ada, w.user("ada").Version, nil); fault.KindOf(err) != fault.Invalid {
			t.Errorf("no group at all: %v", err)
		}
		w.refused(w.s.SetGroups(t.Context(), operator, ada, 1, w.ids("support")), "STALE")
		if got := w.history(staff.EventGroupsChanged); got != "staff.groups_changed Ada Harbor" {
			t.Errorf("history: %s", got)
		}
	})
}

// Vector 44, by the room: ticking Delete pages ticks View pages.
func TestSavingAGroupTicksViewRights(t *testing.T) {
	each(t, func(w *world) {
		w.group("editors", catalog.CMSPagesDelete)
		if got := w.draft("editors").Permissions.String(); got != "cms.pages.view cms.pages.delete" {
			t.Errorf("got %s", got)
		}
	})
}

func TestAPreviewSaysWhoGainsAndLosesWhat(t *testing.T) {
	each(t, func(w *world) {
		w.group("support", catalog.PeopleViewAll)
		w.group("readers", catalog.PeopleViewAll)
		w.add("ada", "support")
		w.add("bo", "support", "readers")
		g := w.draft("support")
		g.Permissions = catalog.StaffSetOf(catalog.PlatformAuditSearch)
		g.SecondFactorFrom = "2026-04-01"
		p, err := w.s.PreviewGroup(t.Context(), w.as("root"), g.ID, g.Version, g.Draft)
		w.must(err)
		var got []string
		for _, e := range p.Effects {
			got = append(got, e.Name()+" +"+e.Gains.String()+" -"+e.Loses.String())
		}
		if want := "Ada Harbor +platform.audit.search -people.view_all; Bo Harbor +platform.audit.search -"; strings.Join(got, "; ") != want {
			t.Errorf("got %s, want %s", strings.Join(got, "; "), want)
		}
		if len(p.Factored) != 2 {
			t.Errorf("need a second factor: %+v", p.Factored)
		}
		w.addApp("bo")
		if p, err = w.s.PreviewGroup(t.Context(), w.as("root"), g.ID, g.Version, g.Draft); err != nil || len(p.Factored) != 1 || p.Factored[0].Name() != "Ada Harbor" {
			t.Errorf("need a second factor after Bo added one: %+v, %v", p.Factored, err)
		}
		if w.rights("ada") != "people.view_all" { // vector 45: nothing happens before it is saved
			t.Error("a preview has changed something")
		}
		w.must(w.s.EditGroup(t.Context(), operator, g.ID, g.Version, g.Draft))
		if w.rights("bo") != "people.view_all platform.audit.search" {
			t.Error("saving did not do what the preview said")
		}
		w.refused(w.s.EditGroup(t.Context(), operator, g.ID, g.Version, g.Draft), "STALE")
	})
}

// Vector 46: the users stay, and whoever had no other group gets the replacement.
func TestDeletingAGroupKeepsItsUsers(t *testing.T) {
	each(t, func(w *world) {
		w.group("support", catalog.PeopleViewAll)
		w.group("readers", catalog.PlatformAuditSearch)
		w.add("ada", "support")
		w.add("bo", "support", "readers")
		w.must(w.s.EditGroup(t.Context(), operator, w.groups["readers"], 1, staff.Draft{Name: "readers", ReportsTo: w.groups["support"], ApprovalFrom: staff.ApprovalOne}))
		err := w.s.DeleteGroup(t.Context(), operator, w.groups["support"], "")
		if problems := fault.ProblemsOf(err); len(problems) != 1 || !strings.Contains(problems[0].Sentence, "Ada Harbor") || strings.Contains(problems[0].Sentence, "Bo") {
			t.Fatalf("without a replacement: %v", err)
		}
		w.must(w.s.DeleteGroup(t.Context(), operator, w.groups["support"], w.groups["readers"]))
		for _, name := range []string{"ada", "bo"} {
			if p := w.user(name); len(p.Groups) != 1 || p.Groups[0].Name != "readers" {
				t.Errorf("%s: %+v", name, p.Groups)
			}
		}
		if g := w.draft("readers"); g.ReportsTo != "" || g.ApprovalFrom != "" {
			t.Errorf("it reports to a group that is gone: %+v", g.Draft)
		}
		if _, err := w.s.Group(t.Context(), operator, w.groups["support"]); !errors.Is(err, staff.ErrNoGroup) {
			t.Errorf("still there: %v", err)
		}
	})
}

// Vector 47.
func TestFiveWrongPasswordsLockAndAnotherUnlocks(t *testing.T) {
	each(t, func(w *world) {
		w.group("helpers", catalog.StaffUsersUnlock)
		w.group("support", catalog.PeopleViewAll)
		w.add("hal", "helpers")
		ada := w.add("ada", "support")
		hal, bo := w.as("hal"), w.as("ada")
		for range 5 {
			if _, err := w.try("ada", "wrong"); !errors.Is(err, identity.ErrSignIn) {
				t.Fatal(err)
			}
		}
		if w.user("ada").Status != bank.StatusLocked {
			t.Fatal("five wrong passwords do not lock")
		}
		if _, err := w.try("ada", password); !errors.Is(err, identity.ErrSignIn) {
			t.Errorf("the right password while locked: %v", err)
		}
		w.refused(w.s.Unlock(t.Context(), bo, w.users["hal"]), "STAFF_PERMISSION")
		w.must(w.s.Unlock(t.Context(), hal, ada))
		if _, err := w.try("ada", password); err != nil {
			t.Errorf("after the unlock: %v", err)
		}
		w.refused(w.s.Unlock(t.Context(), hal, ada), "NOT_LOCKED")
		if got := w.history("staff.locked", staff.EventUnlocked); got != "staff.locked Ada Harbor; staff.unlocked  (STAFF_PERMISSION); staff.unlocked Ada Harbor" {
			t.Errorf("history: %s", got)
		}
	})
}

func TestADeletedUserIsGoneAndNothingIsInherited(t *testing.T) {
	each(t, func(w *world) {
		w.group("support", catalog.PeopleViewAll)
		w.group("No Permissions")
		ada := w.add("ada", "support")
		root := w.as("root")
		w.must(w.proving(root, func() error { return w.s.Delete(t.Context(), root, ada) }))
		if _, err := w.try("ada", password); !errors.Is(err, identity.ErrSignIn) {
			t.Errorf("sign in after the deletion: %v", err)
		}
		w.refused(w.s.Delete(t.Context(), root, w.users["root"]), "SELF")
		w.add("ada", "No Permissions")
		if got := w.rights("ada"); got != "" {
			t.Errorf("a namesake has %s", got)
		}
		if got := w.history(staff.EventDeleted); got != "staff.deleted Ada Harbor; staff.deleted  (SELF)" {
			t.Errorf("history: %s", got)
		}
	})
}

func TestASecondFactorIsRequiredFromTheDayOfAGroup(t *testing.T) {
	each(t, func(w *world) {
		w.group("support", catalog.PeopleViewAll)
		w.add("ada", "support")
		g := w.draft("support")
		g.SecondFactorFrom = "2026-03-04"
		w.must(w.s.EditGroup(t.Context(), operator, g.ID, g.Version, g.Draft))
		if got := w.history(staff.EventSecondFactor); got != "group.2fa_enforced support" {
			t.Errorf("history: %s", got)
		}
		stage := func() identity.Stage {
			granted, err := w.try("ada", password)
			w.must(err)
			return granted.Session.Stage
		}
		w.clock.Set(time.Date(2026, time.March, 4, 5, 59, 0, 0, time.UTC)) // still the 3rd in Chicago
		if stage() != identity.StageComplete {
			t.Error("asked for before the day")
		}
		w.clock.Set(time.Date(2026, time.March, 4, 6, 0, 0, 0, time.UTC))
		if stage() != identity.StageEnrol {
			t.Error("not asked for on the day")
		}
	})
}

func TestSearchAndFilter(t *testing.T) {
	each(t, func(w *world) {
		w.group("support", catalog.PeopleViewAll)
		w.group("readers")
		w.add("ada", "support")
		w.add("bo", "support", "readers")
		names := func(q staff.Query) string {
			page, err := w.s.Users(t.Context(), w.as("root"), q)
			w.must(err)
			var all []string
			for _, u := range page.Users {
				all = append(all, u.FirstName+"("+strings.Join(u.Groups, ",")+")")
			}
			return strings.Join(all, " ")
		}
		locked := bank.StatusLocked
		for _, test := range []struct {
			q    staff.Query
			want string
		}{
			{staff.Query{}, "Ada(support) Bo(readers,support) Root(Back Office Administrators)"},
			{staff.Query{Search: "DA H"}, "Ada(support)"},
			{staff.Query{Search: "bo@harb"}, "Bo(readers,support)"},
			{staff.Query{Search: "%"}, ""},
			{staff.Query{Group: w.groups["readers"]}, "Bo(readers,support)"},
			{staff.Query{Status: &locked}, ""},
			{staff.Query{Size: 1, Page: 2}, "Bo(readers,support)"},
			{staff.Query{Size: 2, Page: 99}, "Root(Back Office Administrators)"},
		} {
			if got := names(test.q); got != test.want {
				t.Errorf("%+v: got %q, want %q", test.q, got, test.want)
			}
		}
	})
}
