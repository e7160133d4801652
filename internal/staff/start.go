package staff

import "mandate/internal/catalog"

// A Start is a ready-made group to begin with. It is a draft like any other:
// nothing is made before somebody saves it, and nobody can save what they do
// not hold.
type Start struct {
	ID    string // as addresses name it
	Title string
	Text  string
	Draft Draft
}

// Starts are all ready-made groups, in the order of the page.
func Starts() []Start {
	var administers catalog.StaffSet
	for p := range catalog.EveryStaffPermission().All() {
		if p.Info().Area == catalog.AreaUsersGroups {
			administers |= catalog.StaffSetOf(p)
		}
	}
	return []Start{
		{"back-office", "Back office administrators", "For those who let others in: every right of Users & Groups, and nothing else. What else they need can be ticked here, or come from a second group.",
			Draft{Name: FirstGroup, Description: "Lets people in and says what they may do.", Permissions: administers}},
		{"users-groups", "Users & Groups without applications", "For the one half of duties that are split: everything of Users & Groups but external applications.",
			Draft{Name: "Users & Groups Admin", Description: "Lets people in, but no products.", Permissions: administers &^ catalog.StaffSetOf(catalog.StaffExternalAppsManage)}},
		{"applications", "External applications only", "For the other half: who lets products in, and need not be who lets people in.",
			Draft{Name: "External applications", Description: "Lets products in, but nobody else.", Permissions: catalog.StaffSetOf(catalog.StaffExternalAppsManage)}},
		{"no-permissions", "No permissions", "For people who sign in to a product that keeps permissions of its own. Set them up there first, then invite them to this group.",
			Draft{Name: "No Permissions", Description: "For people who sign in to products that keep permissions of their own."}},
	}
}
