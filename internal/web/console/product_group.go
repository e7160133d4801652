package console

import (
	"net/http"
	"slices"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/staff"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

const heldPrefix = "right."

// readHeld are the rights of a product that a form ticks.
func readHeld(f *web.Form) catalog.ProductSet {
	var ids []string
	for _, name := range f.Names() {
		if id, ok := strings.CutPrefix(name, heldPrefix); ok && f.Checked(name) {
			ids = append(ids, id)
		}
	}
	return catalog.ProductSetOf(ids...)
}

// declaring are the products that declare permissions, where any of some groups
// is of one.
func (a *app) declaring(r *http.Request, groups ...staff.Group) ([]staff.Product, error) {
	if !slices.ContainsFunc(groups, func(g staff.Group) bool { return g.Product != "" }) {
		return nil, nil
	}
	return a.Staff.Products(r.Context(), web.CallerOf(r.Context()))
}

// product finds a product among those that declare permissions.
func (a *app) product(r *http.Request, id bank.ApplicationID) (p staff.Product, err error) {
	products, err := a.Staff.Products(r.Context(), web.CallerOf(r.Context()))
	for _, one := range products {
		if one.ID == id {
			p = one
		}
	}
	return p, err
}

// productBoxes are the boxes of what a product declares, by its areas in the
// order in which they first appear.
func productBoxes(p staff.Product, f *web.Form, me *staff.Standing) (areas []areaBoxes) {
	at := map[string]int{}
	for _, one := range p.Permissions {
		i, there := at[one.Area]
		if !there {
			i = len(areas)
			at[one.Area] = i
			areas = append(areas, areaBoxes{Area: catalog.StaffAreaInfo{Label: areaOf(p, one)}})
		}
		box := ui.Field{Name: heldPrefix + one.ID, Label: one.Label, Value: f.Raw(heldPrefix + one.ID)}
		if views := p.Labels(catalog.ProductSetOf(one.Views...)); len(views) > 0 {
			box.Help = "Ticks " + strings.Join(views, " and ") + " as well."
		}
		if !me.MayGive(p.ID, one.ID) {
			box.Value, box.Off, box.Help = "", true, "You do not hold this yourself."
		}
		areas[i].Boxes = append(areas[i].Boxes, box)
	}
	return areas
}

func areaOf(p staff.Product, one catalog.ProductPermission) string {
	if one.Area == "" {
		return p.Name
	}
	return p.Name + ": " + one.Area
}

// beyond says what of a group's rights somebody does not hold: in words, where
// the product that declares them is among some.
func beyond(g staff.Draft, me *staff.Standing, products []staff.Product) []string {
	labels := (g.Permissions.Effective() &^ me.Grantable()).Labels()
	var of staff.Product
	for _, p := range products {
		if p.ID == g.Product {
			of = p
		}
	}
	for _, id := range g.Held.IDs() {
		if me.MayGive(g.Product, id) {
			continue
		}
		if p, ok := of.Find(id); ok {
			id = p.Label
		}
		labels = append(labels, id)
	}
	return labels
}

// productLines say what of a product's rights will be different.
func productLines(p staff.Preview) (lines []ui.Change) {
	for _, label := range p.Product.Labels(p.Draft.Held.Without(p.Group.Held)) {
		lines = append(lines, ui.Change{Sentence: "The group permits “" + label + "” in " + p.Product.Name + ".", Risk: "Its members get a right."})
	}
	for _, label := range p.Product.Labels(p.Group.Held.Without(p.Draft.Held)) {
		lines = append(lines, ui.Change{Sentence: "The group no longer permits “" + label + "” in " + p.Product.Name + "."})
	}
	return lines
}

// gains and loses are an effect in words.
func gains(e staff.Effect) string {
	return orNone(strings.Join(append(e.Gains.Labels(), e.More...), ", "))
}

func loses(e staff.Effect) string {
	return orNone(strings.Join(append(e.Loses.Labels(), e.Less...), ", "))
}

// productRows are the rights of products that a user holds or not, for the tab
// of their permissions.
func productRows(u staff.Profile) (all []areaRights) {
	for _, h := range u.Products {
		of := areaRights{Area: catalog.StaffAreaInfo{Label: h.Product.Name, Product: true}}
		for _, s := range h.Sources {
			of.Rows = append(of.Rows, rightRow{s.Permission.Label, s.Groups})
		}
		all = append(all, of)
	}
	return all
}
