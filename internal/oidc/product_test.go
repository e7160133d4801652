package oidc_test

import (
	"slices"
	"testing"

	"mandate/internal/application"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/staff"
)

// A product is told its own groups and what they permit there, and never those
// of another product.
func TestEachProductIsToldOfItsOwnGroups(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ada, err := w.staff.User(t.Context(), operator(cedar), w.users["ada"])
		w.must(err)
		ids := []bank.GroupID{ada.Groups[0].ID}
		parties := map[string]*party{}
		for _, name := range []string{"Wires", "Loans"} {
			id, secret := w.product(func(d *application.Draft) { d.Name, d.Groups, d.Permissions = name, true, true })
			parties[name] = w.party(id, secret)
			w.must(w.applications.Declare(t.Context(), operator(cedar), bank.ApplicationID(id), catalog.Declaration{Version: 1,
				Permissions: []catalog.ProductPermission{{ID: "desk.view", Label: "View"}, {ID: "desk.release", Label: "Release", Views: []string{"desk.view"}}}}))
			held := catalog.ProductSet("desk.view")
			if name == "Wires" {
				held = "desk.release"
			}
			group, err := w.staff.CreateGroup(t.Context(), operator(cedar), staff.Draft{Name: name + " desk", Product: bank.ApplicationID(id), Held: held})
			w.must(err)
			ids = append(ids, group)
		}
		w.must(w.staff.SetGroups(t.Context(), operator(cedar), ada.ID, ada.Version, ids))
		for name, want := range map[string][]string{"Wires": {"desk.release", "desk.view"}, "Loans": {"desk.view"}} {
			claims := parties[name].claims(parties[name].enter(w.visitor(), "ada"))
			if got := list(claims["groups"]); !slices.Equal(got, []string{"Editors", name + " desk"}) {
				t.Errorf("%s is told of the groups %v", name, got)
			}
			if got := list(claims["permissions"]); !slices.Equal(got, append([]string{"cms.pages.view", "cms.pages.edit"}, want...)) {
				t.Errorf("%s is told of the permissions %v", name, got)
			}
		}
	})
}
