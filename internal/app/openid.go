package app

import (
	"context"
	"errors"
	"net/http"

	"mandate/internal/application"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/grant"
	"mandate/internal/identity"
	"mandate/internal/oidc"
	"mandate/internal/outbox"
	"mandate/internal/route"
	"mandate/internal/staff"
	"mandate/internal/usermgmt"
	"mandate/internal/web/entrance"
)

// ProductPeople are the staff users as products are told of them.
type ProductPeople struct{}

var _ grant.People = ProductPeople{}

// Person is a staff user who may be signed in.
func (ProductPeople) Person(tx *db.Tx, institution bank.InstitutionID, id bank.StaffID) (grant.Person, error) {
	u, groups, rights, err := staff.Known(tx, institution, id)
	products := map[bank.ApplicationID]catalog.ProductSet{}
	if errors.Is(err, identity.ErrNoPerson) {
		return grant.Person{}, grant.ErrNobody
	}
	if err != nil {
		return grant.Person{}, err
	}
	p := grant.Person{ID: u.ID, First: u.FirstName, Last: u.LastName, Email: u.Email, Phone: u.Phone, Zone: u.TimeZone, Rights: rights, Products: products}
	if p.SignInRefused, err = staff.SignInRefused(tx, institution, rights); err != nil {
		return grant.Person{}, err
	}
	if p.Zone == "" {
		i, _, err := usermgmt.FindInstitution(tx, institution)
		if err != nil {
			return grant.Person{}, err
		}
		p.Zone = i.TimeZone
	}
	for _, g := range groups {
		p.Groups = append(p.Groups, grant.Group{ID: g.ID, Name: g.Name, Product: g.Product})
		if g.Product != "" {
			products[g.Product] = products[g.Product].And(g.Held)
		}
	}
	return p, nil
}

// LogoutAddress is where an application hears that a sign-in ended.
func LogoutAddress(tx *db.Tx, issuer bank.InstitutionID, id bank.ApplicationID) (string, error) {
	a, err := application.Find(tx, issuer, id)
	if fault.KindOf(err) == fault.NotFound {
		return "", nil
	}
	return a.BackChannelLogout, err
}

// openProducts builds what lets staff users sign in to products.
func (a *App) openProducts() error {
	site, err := a.site(a.Config.ConsoleOrigin, "console")
	if err != nil {
		return err
	}
	a.Products, err = oidc.New(oidc.Config{
		Origin: a.Config.ConsoleOrigin, Grants: a.Grants, Applications: a.Applications, Clock: a.Clock, Log: a.Log,
		HasInstitution: a.hasInstitution,
		Used:           func(ctx context.Context, used application.Application) { a.Applications.Used(ctx, used, a.Clock.Now()) },
		Allow:          a.Identity.AllowProgram,
		Source: func(r *http.Request) identity.Source {
			from := identity.Source{Channel: bank.ChannelPeople, Device: entrance.DeviceName(r.UserAgent())}
			if at := site.Source(r); at.IsValid() {
				from.IP = at.String()
			}
			return from
		},
	})
	if err != nil {
		return err
	}
	courier := oidc.Courier{Provider: a.Products, Local: a.Config.OnThisMachine()}
	a.logouts = outbox.NewDispatcher(a.DB, grant.Logout, courier.Deliver, a.Log)
	a.Grants.Wake = a.logouts.Wake
	return nil
}

// withProducts puts the addresses that products call beside the console's.
func (a *App) withProducts(console http.Handler) http.Handler {
	programs := route.NewMux()
	a.Products.Mount(programs)
	answers := a.webMetrics.Observe("openid", a.Log, programs)
	all := route.NewMux()
	for _, r := range programs.Declared() {
		all.Handle(r, answers)
	}
	pages, _ := console.(interface{ Declared() []route.Route })
	all.Mount("/", console, pages.Declared()...)
	return all
}
