package catalog

import (
	"strings"
	"testing"
)

// The names are stored and stand in histories and APIs: they never change.
const staffNames = `
staff.users.view staff.users.invite staff.users.assign_groups staff.users.edit staff.users.unlock staff.users.reset_password
staff.users.delete staff.groups.view staff.groups.create staff.groups.edit staff.groups.delete staff.external_apps.manage
institution.settings.manage people.view_all people.manage_all people.users.suspend people.business_ach.manage
people.employee_accounts.view assets.manage cms.assets.manage cms.forms.submissions.view cms.forms.submissions.manage
cms.forms.manage cms.pages.view cms.pages.edit cms.pages.create cms.pages.delete cms.pages.publish cms.site_settings.edit
cms.rates.view cms.rates.edit cms.rates.publish cms.members.view cms.members.manage platform.audit.search staff.signin.mandate staff.signin.outside`

func TestStaffPermissionNames(t *testing.T) {
	var got []string
	for p := UnknownStaffPermission + 1; p < StaffPermissionCount; p++ {
		got = append(got, p.ID())
		if ParseStaffPermission(p.ID()) != p {
			t.Errorf("%s does not find itself", p.ID())
		}
		if p.Info().Label == "" {
			t.Errorf("%s has no label", p.ID())
		}
	}
	same(t, got, staffNames)
}

func TestTickingAStrongerRightTicksItsView(t *testing.T) {
	for _, test := range []struct {
		ticked []StaffPermission
		want   string
	}{
		{[]StaffPermission{CMSPagesDelete}, "cms.pages.view cms.pages.delete"},
		{[]StaffPermission{CMSRatesPublish}, "cms.rates.view cms.rates.publish"},
		{[]StaffPermission{StaffUsersInvite}, "staff.users.view staff.users.invite staff.groups.view"},
		{[]StaffPermission{PeopleManageAll}, "people.view_all people.manage_all"},
		{[]StaffPermission{PeopleViewAll}, "people.view_all"},
		{nil, ""},
	} {
		if got := StaffSetOf(test.ticked...).WithViews().String(); got != test.want {
			t.Errorf("%v ticks %q, want %q", test.ticked, got, test.want)
		}
	}
}

// Over all permissions: ticking adds View rights only, and doing it twice adds
// nothing more; a View right needs none itself.
func TestViewsAreClosed(t *testing.T) {
	for p := UnknownStaffPermission + 1; p < StaffPermissionCount; p++ {
		once := StaffSetOf(p).WithViews()
		if once.WithViews() != once {
			t.Errorf("%s: ticking again adds %v", p, once.WithViews()&^once)
		}
		for added := range (once &^ StaffSetOf(p)).All() {
			if !strings.Contains(added.ID(), "view") {
				t.Errorf("%s ticks %s, which is no View right", p, added)
			}
		}
		if whole := once.Effective(); whole.Effective() != whole {
			t.Errorf("%s: what it includes includes more: %v", p, whole.Effective()&^whole)
		}
	}
}

func TestManageEverythingIncludesSmallerRights(t *testing.T) {
	all := StaffSetOf(PeopleManageAll).Effective()
	for _, p := range []StaffPermission{PeopleViewAll, PeopleUsersSuspend, PeopleBusinessACHManage} {
		if !all.Has(p) {
			t.Errorf("Manage everything does not include %s", p)
		}
	}
	if all.Has(PeopleEmployeeAccountsView) {
		t.Error("Manage everything includes what only the operator gives")
	}
	if StaffSet(0).Has(UnknownStaffPermission) || StaffSetOf(UnknownStaffPermission) != 0 || StaffSetOf(UnknownStaffPermission).Has(UnknownStaffPermission) {
		t.Error("somebody holds the unknown permission")
	}
	if !EveryStaffPermission().Covers(StaffAdministration) || EveryStaffPermission().Has(PeopleEmployeeAccountsView) {
		t.Error("what staff can give is not what it should be")
	}
}
