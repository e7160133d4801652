package application_test

import (
	"strings"
	"testing"

	"mandate/internal/application"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
)

const wires = `{"version": 1, "permissions": [
	{"id": "wires.view", "label": "View wires", "area": "Wires"},
	{"id": "wires.release", "label": "Release wires", "area": "Wires", "views": ["wires.view"]}]}`

func TestAProductDeclares(t *testing.T) {
	each(t, func(w *world) {
		ctx := t.Context()
		made, _, err := w.s.Create(ctx, operator, ledger())
		w.must(err)
		d, err := application.ReadDeclaration(wires)
		w.must(err)
		p, err := w.s.PreviewDeclaration(ctx, manager, made.ID, d)
		w.must(err)
		if !p.New || strings.Join(p.Adds, ",") != "View wires,Release wires" || p.Same() {
			t.Errorf("the first declaration: %+v", p)
		}
		w.must(w.s.Declare(ctx, manager, made.ID, d))
		w.must(w.s.Declare(ctx, manager, made.ID, d))
		less := catalog.Declaration{Version: 2, Permissions: d.Permissions[:1]}
		p, err = w.s.PreviewDeclaration(ctx, manager, made.ID, less)
		w.must(err)
		if strings.Join(p.Removes, ",") != "Release wires" || len(p.Effects) != 1 {
			t.Errorf("the second declaration: %+v", p)
		}
		w.must(w.proving(application.EventDeclared, func() error { return w.s.Declare(ctx, manager, made.ID, less) }))
		for _, caller := range []bank.Caller{teller, bank.System(cedar)} {
			if err := w.s.Declare(ctx, caller, made.ID, d); fault.KindOf(err) != fault.Forbidden {
				t.Errorf("%s declares: %v", caller.Kind, err)
			}
			if _, err := w.s.PreviewDeclaration(ctx, caller, made.ID, d); fault.KindOf(err) != fault.Forbidden {
				t.Errorf("%s previews: %v", caller.Kind, err)
			}
		}
		got := w.history(cedar)
		for _, want := range []string{
			"external_app.permissions_declared Ledger version=>1 wires.release=>Wires: Release wires (ticks wires.view) wires.view=>Wires: View wires",
			"external_app.permissions_declared Ledger version=1>2 wires.release=Wires: Release wires (ticks wires.view)>",
		} {
			if strings.Count(got, want) != 1 {
				t.Errorf("the history lacks %q; it is\n%s", want, got)
			}
		}
	})
}

func TestDeclarationsAreReadStrictly(t *testing.T) {
	one := func(p string) string { return `{"version":1,"permissions":[` + p + `]}` }
	for name, c := range map[string]struct{ text, says string }{
		"empty":           {" ", "Paste the declaration"},
		"no JSON":         {"permissions: all", "This is not a declaration"},
		"unknown member":  {`{"version":1,"permissons":[]}`, "unknown field"},
		"more behind":     {one("") + one(""), "something follows it"},
		"no version":      {`{"permissions":[]}`, "from 1 on"},
		"capital letters": {one(`{"id":"Wires.View","label":"x"}`), "small letters and digits"},
		"a console right": {one(`{"id":"staff.users.invite","label":"x"}`), "is a permission of the console"},
		"twice":           {one(`{"id":"a","label":"x"},{"id":"a","label":"y"}`), "declared twice"},
		"no label":        {one(`{"id":"a","label":""}`), "give it a label"},
		"unknown view":    {one(`{"id":"a","label":"x","views":["b"]}`), `"b" is not another permission`},
		"its own view":    {one(`{"id":"a","label":"x","views":["a"]}`), `"a" is not another permission`},
		"long":            {strings.Repeat(" ", application.MaxDeclaration) + wires, "longer than"},
		"too many":        {one(strings.TrimSuffix(strings.Repeat(`{"id":"a","label":"x"},`, application.MaxPermissions+1), ",")), "The most is 200"},
	} {
		_, err := application.ReadDeclaration(c.text)
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.HasPrefix(fields(err), "declaration") {
			t.Errorf("%s: %v, want it to say %q", name, err, c.says)
		}
	}
}

// The views of what is ticked are ticked as well, however long the chain, also
// where two tick each other.
func TestADeclarationFitsASet(t *testing.T) {
	d := catalog.Declaration{Version: 1, Permissions: []catalog.ProductPermission{
		{ID: "view", Label: "V"}, {ID: "edit", Label: "E", Views: []string{"view"}}, {ID: "release", Label: "R", Views: []string{"edit"}},
		{ID: "a", Label: "A", Views: []string{"b"}}, {ID: "b", Label: "B", Views: []string{"a"}},
	}}
	for given, want := range map[string]string{"": "", "view": "view", "release": "edit release view", "gone view": "view", "a": "a b", "gone": ""} {
		if got := d.Fit(catalog.ProductSetOf(strings.Fields(given)...)); string(got) != want {
			t.Errorf("Fit(%q) = %q, want %q", given, got, want)
		}
	}
}
