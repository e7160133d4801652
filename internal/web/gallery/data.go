package gallery

import (
	"mandate/internal/bank"
	"mandate/internal/web/ui"
)

type person struct {
	name, email string
	role        bank.Role
	status      bank.Status
	held        bool
	limit       bank.Cents
}

var examplePeople = []person{
	{"Ana Ruiz", "ana.ruiz@northwind.example", bank.RoleAdmin, bank.StatusActive, false, 10_000_000},
	{"Dana Diaz", "dana.diaz@northwind.example", bank.RoleUser, bank.StatusActive, false, 2_500_000},
	{"Luis Prado", "luis.prado@northwind.example", bank.RoleUser, bank.StatusLocked, true, 500_000},
	{"Mei Lin", "mei.lin@northwind.example", bank.RoleViewer, bank.StatusPending, false, 0},
	{"Oskar Lindqvist", "oskar.lindqvist@northwind.example", bank.RoleUser, bank.StatusDisabled, false, 0},
}

var exampleColumns = []ui.Column{
	{Label: "Name", Href: Path + "?sort=-name#tables", Sorted: "ascending"},
	{Label: "Role", Href: Path + "?sort=role#tables"},
	{Label: "Status", Href: Path + "?sort=status#tables"},
	{Label: "Daily wires", Money: true},
	{Label: "Actions", Hidden: true},
}

var exampleToolbar = ui.Toolbar{
	Action: Path,
	Label:  "Search users",
	Result: "5 of 240 users",
	Clear:  Path,
	Filters: []ui.Filter{
		{Name: "role", Label: "Role", Value: "", Options: []ui.Option{{Value: "", Label: "Any role"}, {Value: "admin", Label: "Admin"}, {Value: "viewer", Label: "Viewer"}, {Value: "user", Label: "User"}}},
		{Name: "status", Label: "Status", Value: "open", Options: []ui.Option{{Value: "", Label: "Any status"}, {Value: "open", Label: "Not disabled"}, {Value: "locked", Label: "Locked"}}},
	},
}
