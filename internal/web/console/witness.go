package console

import (
	"context"
	"net/http"

	"mandate/internal/bank"
	"mandate/internal/entitlement"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
)

// Customers is what People and Activity need of the room of organizations and
// their people.
type Customers interface {
	Helping
	Witness(context.Context, bank.Caller, usermgmt.Person) error
	Explain(context.Context, bank.Caller, usermgmt.Person, entitlement.Request) (entitlement.Explanation, usermgmt.Profile, error)
	SearchHistory(context.Context, bank.Caller, usermgmt.HistoryQuery) (usermgmt.HistoryPage, error)
}

// witness puts into the customer's history that whoever is signed in looks at a
// profile: of an organization, or of a member of it. Every page of a profile
// asks it before it shows anything; where it fails, nothing is shown.
func (a *app) witness(r *http.Request, organization bank.OrganizationID, member bank.UserID) error {
	return a.Customers.Witness(r.Context(), web.CallerOf(r.Context()), usermgmt.Person{Organization: organization, User: member})
}
