package catalog

import (
	"iter"
	"strings"
)

// A StaffPermission is something that a group of staff users may be allowed.
// Staff users get rights from groups only. The zero permission is unknown and
// held by nobody.
type StaffPermission uint8

const (
	UnknownStaffPermission StaffPermission = iota
	StaffUsersView
	StaffUsersInvite
	StaffUsersAssignGroups
	StaffUsersEdit
	StaffUsersUnlock
	StaffUsersResetPassword
	StaffUsersDelete
	StaffGroupsView
	StaffGroupsCreate
	StaffGroupsEdit
	StaffGroupsDelete
	StaffExternalAppsManage
	InstitutionSettingsManage
	PeopleViewAll
	PeopleManageAll
	PeopleUsersSuspend
	PeopleBusinessACHManage
	PeopleEmployeeAccountsView
	AssetsManage
	CMSAssetsManage
	CMSFormsSubmissionsView
	CMSFormsSubmissionsManage
	CMSFormsManage
	CMSPagesView
	CMSPagesEdit
	CMSPagesCreate
	CMSPagesDelete
	CMSPagesPublish
	CMSSiteSettingsEdit
	CMSRatesView
	CMSRatesEdit
	CMSRatesPublish
	CMSMembersView
	CMSMembersManage
	PlatformAuditSearch
	StaffSignInHere
	StaffSignInOutside
	StaffPermissionCount // how many there are; not a permission
)

// A StaffArea is a part of the console or a product beside it. Somebody sees
// only the areas in which they hold a right.
type StaffArea uint8

const (
	AreaUsersGroups StaffArea = iota
	AreaAuthenticate
	AreaPeople
	AreaInstitution
	AreaAssets
	AreaContent
	AreaAudit
	staffAreaCount
)

// StaffAreaInfo describes an area.
type StaffAreaInfo struct {
	Label   string
	Product bool // a product beside the console, which asks for these rights when somebody signs in there
}

var staffAreas = [staffAreaCount]StaffAreaInfo{
	AreaUsersGroups:  {Label: "Users & Groups"},
	AreaAuthenticate: {Label: "Authenticate"},
	AreaPeople:       {Label: "People"},
	AreaInstitution:  {Label: "Institution"},
	AreaAssets:       {Label: "Assets", Product: true},
	AreaContent:      {Label: "Content", Product: true},
	AreaAudit:        {Label: "Audit and Activity Logging"},
}

// Info describes the area.
func (a StaffArea) Info() StaffAreaInfo { return staffAreas[a] }

// StaffAreas are all areas in catalogue order.
func StaffAreas() []StaffArea {
	var all []StaffArea
	for a := range staffAreaCount {
		all = append(all, a)
	}
	return all
}

// StaffPermissionInfo describes a staff permission.
type StaffPermissionInfo struct {
	ID       string
	Area     StaffArea
	Label    string
	Views    []StaffPermission // the View rights that are ticked with it
	Includes []StaffPermission // smaller rights that whoever holds it has, ticked or not
	Operator bool              // given by the operator's command line only
}

var (
	seesUsers  = []StaffPermission{StaffUsersView}
	seesGroups = []StaffPermission{StaffGroupsView}
	seesBoth   = []StaffPermission{StaffUsersView, StaffGroupsView}
	seesPeople = []StaffPermission{PeopleViewAll}
	seesPages  = []StaffPermission{CMSPagesView}
	seesRates  = []StaffPermission{CMSRatesView}
)

var staffPermissions = [StaffPermissionCount]StaffPermissionInfo{
	StaffUsersView:          {ID: "staff.users.view", Area: AreaUsersGroups, Label: "View users"},
	StaffUsersInvite:        {ID: "staff.users.invite", Area: AreaUsersGroups, Label: "Invite users", Views: seesBoth},
	StaffUsersAssignGroups:  {ID: "staff.users.assign_groups", Area: AreaUsersGroups, Label: "Assign users to groups", Views: seesBoth},
	StaffUsersEdit:          {ID: "staff.users.edit", Area: AreaUsersGroups, Label: "Edit user profiles", Views: seesUsers},
	StaffUsersUnlock:        {ID: "staff.users.unlock", Area: AreaUsersGroups, Label: "Unlock users", Views: seesUsers},
	StaffUsersResetPassword: {ID: "staff.users.reset_password", Area: AreaUsersGroups, Label: "Send password reset links", Views: seesUsers},
	StaffUsersDelete:        {ID: "staff.users.delete", Area: AreaUsersGroups, Label: "Delete users", Views: seesUsers},
	StaffGroupsView:         {ID: "staff.groups.view", Area: AreaUsersGroups, Label: "View groups"},
	StaffGroupsCreate:       {ID: "staff.groups.create", Area: AreaUsersGroups, Label: "Create groups", Views: seesGroups},
	StaffGroupsEdit:         {ID: "staff.groups.edit", Area: AreaUsersGroups, Label: "Edit groups and their permissions", Views: seesGroups},
	StaffGroupsDelete:       {ID: "staff.groups.delete", Area: AreaUsersGroups, Label: "Delete groups", Views: seesGroups},
	StaffExternalAppsManage: {ID: "staff.external_apps.manage", Area: AreaUsersGroups, Label: "Manage external applications"},

	StaffSignInHere:    {ID: "staff.signin.mandate", Area: AreaAuthenticate, Label: "Permit sign in via Mandate"},
	StaffSignInOutside: {ID: "staff.signin.outside", Area: AreaAuthenticate, Label: "Permit sign in via the outside provider"},

	InstitutionSettingsManage: {ID: "institution.settings.manage", Area: AreaInstitution, Label: "Manage institution settings"},

	PeopleViewAll:              {ID: "people.view_all", Area: AreaPeople, Label: "View everything"},
	PeopleManageAll:            {ID: "people.manage_all", Area: AreaPeople, Label: "Manage everything", Views: seesPeople, Includes: []StaffPermission{PeopleUsersSuspend, PeopleBusinessACHManage}},
	PeopleUsersSuspend:         {ID: "people.users.suspend", Area: AreaPeople, Label: "Suspend users", Views: seesPeople},
	PeopleBusinessACHManage:    {ID: "people.business_ach.manage", Area: AreaPeople, Label: "Manage Business ACH", Views: seesPeople},
	PeopleEmployeeAccountsView: {ID: "people.employee_accounts.view", Area: AreaPeople, Label: "View employee accounts", Views: seesPeople, Operator: true},

	AssetsManage: {ID: "assets.manage", Area: AreaAssets, Label: "Manage platform assets"},

	CMSAssetsManage:           {ID: "cms.assets.manage", Area: AreaContent, Label: "Manage assets"},
	CMSFormsSubmissionsView:   {ID: "cms.forms.submissions.view", Area: AreaContent, Label: "View custom form submissions"},
	CMSFormsSubmissionsManage: {ID: "cms.forms.submissions.manage", Area: AreaContent, Label: "Manage custom form submissions", Views: []StaffPermission{CMSFormsSubmissionsView}},
	CMSFormsManage:            {ID: "cms.forms.manage", Area: AreaContent, Label: "Manage forms"},
	CMSPagesView:              {ID: "cms.pages.view", Area: AreaContent, Label: "View pages"},
	CMSPagesEdit:              {ID: "cms.pages.edit", Area: AreaContent, Label: "Edit pages", Views: seesPages},
	CMSPagesCreate:            {ID: "cms.pages.create", Area: AreaContent, Label: "Create new pages", Views: seesPages},
	CMSPagesDelete:            {ID: "cms.pages.delete", Area: AreaContent, Label: "Delete pages", Views: seesPages},
	CMSPagesPublish:           {ID: "cms.pages.publish", Area: AreaContent, Label: "Publish pages", Views: seesPages},
	CMSSiteSettingsEdit:       {ID: "cms.site_settings.edit", Area: AreaContent, Label: "Edit site settings"},
	CMSRatesView:              {ID: "cms.rates.view", Area: AreaContent, Label: "View rates"},
	CMSRatesEdit:              {ID: "cms.rates.edit", Area: AreaContent, Label: "Edit rates", Views: seesRates},
	CMSRatesPublish:           {ID: "cms.rates.publish", Area: AreaContent, Label: "Publish rates", Views: seesRates},
	CMSMembersView:            {ID: "cms.members.view", Area: AreaContent, Label: "View members & groups"},
	CMSMembersManage:          {ID: "cms.members.manage", Area: AreaContent, Label: "Manage members & groups", Views: []StaffPermission{CMSMembersView}},

	PlatformAuditSearch: {ID: "platform.audit.search", Area: AreaAudit, Label: "Search audit and activity logs"},
}

// StaffAdministration is what an institution must never lose: whoever holds all
// of it can invite somebody and give them what they need.
var StaffAdministration = StaffSetOf(StaffUsersView, StaffGroupsView, StaffUsersInvite, StaffGroupsCreate, StaffGroupsEdit, StaffUsersAssignGroups)

// StaffSignIns are the rights to sign in. They count where an institution has a
// provider outside, and are shown only there; elsewhere everybody signs in here.
var StaffSignIns = StaffSetOf(StaffSignInHere, StaffSignInOutside)

// StaffProtected are the rights over people, groups, programs and settings of the
// institution. What an outside directory decides never reaches them, nor whoever
// holds one of them.
var StaffProtected = StaffSetOf(StaffUsersInvite, StaffUsersAssignGroups, StaffUsersEdit, StaffUsersUnlock, StaffUsersResetPassword,
	StaffUsersDelete, StaffGroupsCreate, StaffGroupsEdit, StaffGroupsDelete, StaffExternalAppsManage, InstitutionSettingsManage)

var staffPermissionByID = func() map[string]StaffPermission {
	byID := make(map[string]StaffPermission, StaffPermissionCount)
	for p := UnknownStaffPermission + 1; p < StaffPermissionCount; p++ {
		byID[staffPermissions[p].ID] = p
	}
	return byID
}()

// Info describes the permission.
func (p StaffPermission) Info() *StaffPermissionInfo { return &staffPermissions[p] }

// ID is the permission's stable name, such as "staff.users.view"; empty for the
// unknown one.
func (p StaffPermission) ID() string { return staffPermissions[p].ID }

func (p StaffPermission) String() string { return p.ID() }

// ParseStaffPermission finds a permission by its stable name; an unknown name
// gives UnknownStaffPermission.
func ParseStaffPermission(id string) StaffPermission { return staffPermissionByID[id] }

// A StaffSet is a set of staff permissions. It is never stored: names are.
type StaffSet uint64

// StaffSetOf is the set of some permissions.
func StaffSetOf(permissions ...StaffPermission) (s StaffSet) {
	for _, p := range permissions {
		s |= 1 << p
	}
	return s &^ 1 // nobody holds the unknown permission
}

// EveryStaffPermission are all that a group can be given by staff.
func EveryStaffPermission() (s StaffSet) {
	for p := UnknownStaffPermission + 1; p < StaffPermissionCount; p++ {
		if !staffPermissions[p].Operator {
			s |= 1 << p
		}
	}
	return s
}

// Has reports whether the set has a permission.
func (s StaffSet) Has(p StaffPermission) bool { return p != UnknownStaffPermission && s>>p&1 == 1 }

// Covers reports whether the set has everything that another one has.
func (s StaffSet) Covers(other StaffSet) bool { return other&^s == 0 }

// All are the permissions of the set in catalogue order.
func (s StaffSet) All() iter.Seq[StaffPermission] {
	return func(yield func(StaffPermission) bool) {
		for p := UnknownStaffPermission + 1; p < StaffPermissionCount; p++ {
			if s.Has(p) && !yield(p) {
				return
			}
		}
	}
}

// WithViews adds the View rights that are ticked with what the set has.
func (s StaffSet) WithViews() StaffSet {
	out := s
	for p := range s.All() {
		out |= StaffSetOf(staffPermissions[p].Views...)
	}
	return out
}

// Effective adds the smaller rights that the set includes.
func (s StaffSet) Effective() StaffSet {
	out := s.WithViews()
	for p := range s.All() {
		out |= StaffSetOf(staffPermissions[p].Includes...)
	}
	return out
}

// IDs are the stable names of the set, in catalogue order.
func (s StaffSet) IDs() []string {
	var ids []string
	for p := range s.All() {
		ids = append(ids, p.ID())
	}
	return ids
}

// String is the names as the history carries them.
func (s StaffSet) String() string { return strings.Join(s.IDs(), " ") }

// Labels are the set as screens show it.
func (s StaffSet) Labels() []string {
	var labels []string
	for p := range s.All() {
		labels = append(labels, p.Info().Label)
	}
	return labels
}
