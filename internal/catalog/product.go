package catalog

import (
	"slices"
	"strings"

	"mandate/internal/bank"
)

// A ProductPermission is a right that a product declares. It means something in
// that product only.
type ProductPermission struct {
	ID    string   `json:"id"`
	Label string   `json:"label"`
	Area  string   `json:"area,omitempty"`  // the heading it stands under
	Views []string `json:"views,omitempty"` // the weaker rights that are ticked with it
}

// A Declaration is all that a product declares, in the order that it wants to
// see it. A later one has a higher version.
type Declaration struct {
	Version     int64               `json:"version"`
	Permissions []ProductPermission `json:"permissions"`
}

// All is the set of everything declared.
func (d Declaration) All() ProductSet {
	var ids []string
	for _, p := range d.Permissions {
		ids = append(ids, p.ID)
	}
	return ProductSetOf(ids...)
}

// Find is the permission with an id.
func (d Declaration) Find(id string) (ProductPermission, bool) {
	i := slices.IndexFunc(d.Permissions, func(p ProductPermission) bool { return p.ID == id })
	if i < 0 {
		return ProductPermission{}, false
	}
	return d.Permissions[i], true
}

// Fit is what is left of a set under the declaration: what it does not declare
// is gone, and the weaker rights of what it does are ticked.
func (d Declaration) Fit(s ProductSet) ProductSet {
	var kept []string
	for waiting := s.IDs(); len(waiting) > 0; waiting = waiting[1:] {
		if p, ok := d.Find(waiting[0]); ok && !slices.Contains(kept, p.ID) {
			kept = append(kept, p.ID)
			waiting = append(waiting, p.Views...)
		}
	}
	return ProductSetOf(kept...)
}

// Labels are rights of the product as screens show them, in its order.
func (d Declaration) Labels(s ProductSet) []string {
	var labels []string
	for _, p := range d.Permissions {
		if s.Has(p.ID) {
			labels = append(labels, p.Label)
		}
	}
	return labels
}

// A ProductSet is a set of rights of one product: their names in order, with
// blanks between.
type ProductSet string

// ProductSetOf is the set of some rights.
func ProductSetOf(ids ...string) ProductSet {
	sorted := slices.Sorted(slices.Values(ids))
	return ProductSet(strings.Join(slices.Compact(sorted), " "))
}

// IDs are the names in the set.
func (s ProductSet) IDs() []string { return strings.Fields(string(s)) }

// Has reports whether a right is in the set.
func (s ProductSet) Has(id string) bool { return slices.Contains(s.IDs(), id) }

// And is the set with another one added.
func (s ProductSet) And(other ProductSet) ProductSet {
	return ProductSetOf(append(s.IDs(), other.IDs()...)...)
}

// Without is the set with another one taken away.
func (s ProductSet) Without(other ProductSet) ProductSet {
	return ProductSetOf(slices.DeleteFunc(s.IDs(), other.Has)...)
}

// A GroupEffect is what a new declaration means for a group that holds rights
// of the product.
type GroupEffect struct {
	ID           bank.GroupID
	Name         string
	Members      int
	Gains, Loses []string // labels
}
