package staff

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// A Product is an external application with the permissions that it declares.
type Product struct {
	ID   bank.ApplicationID
	Name string
	catalog.Declaration
}

// holding is everything that groups give: the console's rights, and each
// product's.
type holding struct {
	rights     catalog.StaffSet
	products   map[bank.ApplicationID]catalog.ProductSet
	everything bool // the operator's
	anyProduct bool // all that products declare
}

// with adds what a group gives.
func (h holding) with(d Draft) holding {
	h.rights |= d.freelyHeld()
	if d.Product != "" && d.Held != "" {
		h.products = maps.Clone(h.products)
		if h.products == nil {
			h.products = map[bank.ApplicationID]catalog.ProductSet{}
		}
		h.products[d.Product] = h.products[d.Product].And(d.Held)
	}
	return h
}

// without is what a holding has beyond another one.
func (h holding) without(other holding) holding {
	beyond := holding{rights: h.rights &^ other.rights, products: map[bank.ApplicationID]catalog.ProductSet{}}
	if other.everything {
		return holding{}
	}
	for id, set := range h.products {
		if left := set.Without(other.products[id]); left != "" && !other.anyProduct {
			beyond.products[id] = left
		}
	}
	return beyond
}

func (h holding) none() bool { return h.rights == 0 && len(h.products) == 0 }

// labels are a holding in words.
func (h holding) labels(tx *db.Tx, institution bank.InstitutionID) ([]string, error) {
	labels := rightLabels(h.rights)
	for _, id := range slices.Sorted(maps.Keys(h.products)) {
		p, err := findProduct(tx, institution, id)
		if err != nil {
			return nil, err
		}
		for _, label := range p.Labels(h.products[id]) {
			labels = append(labels, label+" ("+p.Name+")")
		}
	}
	return labels, nil
}

// firstGivers are those who may give what a product declares without holding
// it: somebody must be the first, and who both lets products in and says what
// groups permit could do it by a product of their own anyway.
var firstGivers = catalog.StaffSetOf(catalog.StaffExternalAppsManage, catalog.StaffGroupsEdit)

var errNoProduct = fault.New(fault.NotFound, "There is no such product. It may have been deleted, or declares nothing.")

const selectProduct = `select application_id, name, version, permissions from staff_product`

func scanProduct(row db.Scanner) (p Product, err error) {
	var text string
	if err = row.Scan(&p.ID, &p.Name, &p.Version, &text); err != nil {
		return p, err
	}
	return p, json.Unmarshal([]byte(text), &p.Permissions)
}

func findProduct(tx *db.Tx, institution bank.InstitutionID, id bank.ApplicationID) (Product, error) {
	p, err := db.One(tx, scanProduct, selectProduct+` where institution_id = $1 and application_id = $2`, institution, id)
	if errors.Is(err, db.ErrNoRows) {
		return p, errNoProduct
	}
	if err != nil {
		return p, fmt.Errorf("read the product: %w", err)
	}
	return p, nil
}

func listProducts(tx *db.Tx, institution bank.InstitutionID) ([]Product, error) {
	products, err := db.All(tx, scanProduct, selectProduct+` where institution_id = $1 order by name, application_id`, institution)
	if err != nil {
		return nil, fmt.Errorf("list the products: %w", err)
	}
	return products, nil
}

// Products are the products that declare permissions, by name.
func (s *Service) Products(ctx context.Context, caller bank.Caller) (products []Product, err error) {
	err = s.guard.Look(ctx, caller, looking(catalog.StaffGroupsView, activity.Target{Kind: activity.TargetGroup}), func(v *guard.View) error {
		products, err = listProducts(v.Tx, caller.Institution)
		return err
	})
	return products, err
}

// fitted is the draft as it is stored: ticking a stronger right of a product
// ticks its View right. What the product does not declare is a problem.
func (d Draft) fitted(tx *db.Tx, institution bank.InstitutionID) (Draft, error) {
	var problems fault.Problems
	if d.Product == "" {
		if d.Held != "" {
			problems.Add("product", "Only a group of a product holds rights of one.")
		}
		return d, problems.Err("The group cannot be saved like this.")
	}
	p, err := findProduct(tx, institution, d.Product)
	if errors.Is(err, errNoProduct) {
		problems.Add("product", "Choose a product that declares permissions.")
		return d, problems.Err("The group cannot be saved like this.")
	}
	if err != nil {
		return d, err
	}
	for _, id := range d.Held.Without(p.All()).IDs() {
		problems.Addf("product", "%s does not declare the permission %s.", p.Name, id)
	}
	if d.Permissions&^catalog.StaffSignIns != 0 {
		problems.Addf("product", "A group of %s holds permissions of %s only. Make another group for the console’s.", p.Name, p.Name)
	}
	d.Held = p.Fit(d.Held)
	return d, problems.Err("The group cannot be saved like this.")
}

// productRights is what an active staff user holds of each product.
func productRights(tx *db.Tx, institution bank.InstitutionID, id bank.StaffID) (map[bank.ApplicationID]catalog.ProductSet, error) {
	held := map[bank.ApplicationID]catalog.ProductSet{}
	_, err := db.All(tx, func(row db.Scanner) (set catalog.ProductSet, err error) {
		var product bank.ApplicationID
		if err = row.Scan(&product, &set); err == nil {
			held[product] = held[product].And(set)
		}
		return set, err
	}, `
		select g.product, g.product_rights from staff_user u
		  join staff_membership m on m.institution_id = u.institution_id and m.staff_id = u.id
		  join staff_group g on g.institution_id = m.institution_id and g.id = m.group_id
		 where u.institution_id = $1 and u.id = $2 and `+statusNow+` = $3 and g.product_rights <> ''`, institution, id, bank.StatusActive)
	if err != nil {
		return nil, fmt.Errorf("read what the staff user holds of products: %w", err)
	}
	return held, nil
}

// Of is what an active staff user holds of one product, as that product may be
// told when they sign in there.
func (Rights) Of(tx *db.Tx, institution bank.InstitutionID, id bank.StaffID, product bank.ApplicationID) (catalog.ProductSet, error) {
	held, err := productRights(tx, institution, id)
	return held[product], err
}

// A ProductSource is a right of a product that somebody holds, and the groups
// that grant it.
type ProductSource struct {
	Permission catalog.ProductPermission
	Groups     []Group
}

// A ProductHolding is all that a product declares, with what somebody holds of
// it.
type ProductHolding struct {
	Product Product
	Sources []ProductSource // every permission of the product; without groups they do not hold it
}

// productHoldings are all products of the institution, with what groups give of
// each.
func productHoldings(tx *db.Tx, institution bank.InstitutionID, groups []Group) (all []ProductHolding, err error) {
	products, err := listProducts(tx, institution)
	for _, p := range products {
		h := ProductHolding{Product: p}
		for _, one := range p.Permissions {
			source := ProductSource{Permission: one}
			for _, g := range groups {
				if g.Product == p.ID && g.Held.Has(one.ID) {
					source.Groups = append(source.Groups, g)
				}
			}
			h.Sources = append(h.Sources, source)
		}
		all = append(all, h)
	}
	return all, err
}

// productChanges lists what differs of a product's rights, one line each.
func productChanges(all []activity.Change, was, now Draft) []activity.Change {
	all = diff(all, "product", string(was.Product), string(now.Product))
	for _, id := range was.Held.Without(now.Held).IDs() {
		all = diff(all, id, "true", "false")
	}
	for _, id := range now.Held.Without(was.Held).IDs() {
		all = diff(all, id, "false", "true")
	}
	return all
}
