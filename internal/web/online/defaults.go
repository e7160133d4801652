package online

import (
	"net/http"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/phrase"
)

// A roleDefaults is what a new user of a role gets, in words.
type roleDefaults struct {
	Role  string
	Lines []string
}

// A difference is a permission in which a user differs from what a new one of
// their role gets.
type difference struct{ Label, Now, Default string }

// defaultLines are what new users of the organization get, by role.
func (a *app) defaultLines(r *http.Request, me usermgmt.Standing) (all []roleDefaults, err error) {
	given, err := a.users.RoleDefaults(r.Context(), web.CallerOf(r.Context()), me.Organization.ID)
	if err != nil {
		return nil, err
	}
	for _, role := range []bank.Role{bank.RoleUser, bank.RoleViewer, bank.RoleAdmin} {
		d := roleDefaults{Role: role.Label()}
		for _, c := range usermgmt.Differing(usermgmt.Member{Settings: given[role]}, entitlement.Settings{}) {
			line := labelled(c.Field)
			if c.New != "true" {
				p, _ := catalog.ParsePermission(c.Field)
				line += " " + phrase.Value(p, c.New)
			}
			d.Lines = append(d.Lines, line)
		}
		all = append(all, d)
	}
	return all, nil
}

// differences is in which permissions a member differs from the defaults.
func (a *app) differences(r *http.Request, m usermgmt.Member, organization bank.OrganizationID) (all []difference, err error) {
	given, err := a.users.RoleDefaults(r.Context(), web.CallerOf(r.Context()), organization)
	if err != nil {
		return nil, err
	}
	for _, c := range usermgmt.Differing(m, given[m.Role]) {
		p, _ := catalog.ParsePermission(c.Field)
		all = append(all, difference{labelled(c.Field), phrase.Value(p, c.New), phrase.Value(p, c.Old)})
	}
	return all, nil
}

// labelled is a permission with its entitlement, where no section says it.
func labelled(id string) string {
	p, known := catalog.ParsePermission(id)
	if !known {
		return id
	}
	return p.Info().Entitlement.Label() + ": " + p.Info().Label
}
