package online

import (
	"mandate/internal/catalog"
	"mandate/internal/web"
)

// routes are all addresses of the app, each with what it needs. The rooms
// enforce it inside their transactions.
func (a *app) routes() []web.Route {
	own := web.Needs{Who: web.SignedIn, May: web.Own, Institution: web.FromPath}
	member := func(op catalog.Operation) web.Needs {
		return web.Needs{Who: web.SignedIn, May: op.ID(), Institution: web.FromPath}
	}
	save := member(catalog.EditPermissions)
	save.Proof, save.Event = true, "orguser.permission_changed"

	routes := []web.Route{
		{Method: "GET", Pattern: "/{institution}/home", Handler: a.home, Needs: own},
		{Method: "GET", Pattern: "/{institution}/profile", Handler: a.ownProfile, Needs: own},
		{Method: "GET", Pattern: "/{institution}/why", Handler: a.whyMe, Needs: own},

		{Method: "GET", Pattern: "/{institution}/settings/users", Handler: a.explained(a.members), Needs: member(catalog.ViewUsers)},
		{Method: "GET", Pattern: "/{institution}/settings/history", Handler: a.explained(a.organizationHistory), Needs: member(catalog.ViewUsers)},
		{Method: "GET", Pattern: "/{institution}/settings/users/{user}", Handler: a.explained(a.member), Needs: member(catalog.ViewProfile)},
		{Method: "GET", Pattern: "/{institution}/settings/users/{user}/history", Handler: a.explained(a.memberHistory), Needs: member(catalog.ViewUsers)},
		{Method: "GET", Pattern: "/{institution}/settings/users/{user}/why", Handler: a.explained(a.why), Needs: member(catalog.ViewPermissions)},
		{Method: "GET", Pattern: "/{institution}/settings/users/{user}/permissions", Handler: a.explained(a.permissions), Needs: member(catalog.ViewPermissions)},
		{Method: "POST", Pattern: "/{institution}/settings/users/{user}/permissions", Handler: a.explained(a.permissions), Needs: member(catalog.ViewPermissions)},
		{Method: "GET", Pattern: "/{institution}/settings/users/{user}/accounts/{account}", Handler: a.explained(a.permissions), Needs: member(catalog.ViewAccountPermissions)},
		{Method: "POST", Pattern: "/{institution}/settings/users/{user}/accounts/{account}", Handler: a.explained(a.permissions), Needs: member(catalog.ViewAccountPermissions)},
		{Method: "POST", Pattern: "/{institution}/settings/users/{user}/review", Handler: a.explained(a.review), Needs: member(catalog.ViewPermissions)},
		{Method: "POST", Pattern: "/{institution}/settings/users/{user}/save", Handler: a.explained(a.save), Needs: save},
	}
	routes = append(routes, a.managingRoutes()...)
	routes = append(routes, a.door.Routes()...)
	routes = append(routes, a.alertRoutes()...)
	routes = append(routes, a.moneyRoutes()...)
	if a.host != nil {
		routes = append(routes, web.Route{Method: "GET", Pattern: "/{institution}/settings/importing/{ref}", Handler: a.explained(a.importing), Needs: member(catalog.ViewUsers)})
	}
	if a.faults != nil {
		routes = append(routes, a.faultRoutes()...)
	}
	return routes
}
