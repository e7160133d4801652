package hostsim

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/host"
)

// personProblems is what is wrong with who somebody is.
func personProblems(tx *db.Tx, institution bank.InstitutionID, u *host.User) (problems fault.Problems, err error) {
	for _, name := range []struct{ field, value, what string }{{"first_name", u.FirstName, "first"}, {"last_name", u.LastName, "last"}} {
		if name.value == "" || !bank.Printable(name.value) {
			problems.Addf(name.field, "Enter a %s name.", name.what)
		}
	}
	if utf8.RuneCountInString(u.FirstName+" "+u.LastName) > bank.MaxName {
		problems.Addf("last_name", "First and last name together have at most %d characters.", bank.MaxName)
	}
	if problem := bank.EmailProblem(u.Email); problem != "" {
		problems.Add("email", problem)
		return problems, nil
	}
	others, err := othersWith(tx, institution, u)
	if others > 0 {
		problems.Add("email", "Somebody else of the organization has this email address.")
	}
	return problems, err
}

// rightsProblems is what is wrong with permissions and accounts. What depends on
// what is for the product to judge.
func rightsProblems(problems *fault.Problems, o *host.Organization, r Rights) {
	permissionProblems(problems, "", catalog.AtUser, r.Permissions)
	for _, ref := range slices.Sorted(maps.Keys(r.Accounts)) {
		if !slices.ContainsFunc(o.Accounts, func(a host.Account) bool { return a.Ref == ref }) {
			problems.Add("account/"+string(ref), "The organization has no such account.")
			continue
		}
		permissionProblems(problems, "account/"+string(ref)+"/", catalog.AtAccount, r.Accounts[ref])
	}
}

func permissionProblems(problems *fault.Problems, prefix string, level catalog.Levels, values map[string]string) {
	for _, id := range slices.Sorted(maps.Keys(values)) {
		p, known := catalog.ParsePermission(id)
		switch {
		case !known || !p.At(level):
			problems.Add(prefix+id, "There is no such permission here.")
		case !readable(p, values[id]):
			problems.Add(prefix+id, "Write "+written(p)+".")
		}
	}
}

// readable reports whether a value is written as an import writes it.
func readable(p catalog.Permission, value string) bool {
	switch {
	case p.IsLimit():
		_, err := bank.ParseAmount(value)
		return err == nil
	case p.Info().Type == catalog.Choice:
		_, known := catalog.ParseEditLevel(value)
		return known
	}
	return value == "true" || value == "false"
}

func written(p catalog.Permission) string {
	switch {
	case p.IsLimit():
		return "an amount such as 25000.00"
	case p.Info().Type == catalog.Choice:
		return "none, partial or full"
	}
	return "true or false"
}

// Differs lists the permissions in which a user differs from what a new user of
// their role gets. What is off and what is not named are the same.
func Differs(u *host.User, d host.Defaults) (ids []string) {
	for _, id := range slices.Sorted(maps.Keys(joined(u.Permissions, d.Permissions))) {
		if plain(u.Permissions[id]) != plain(d.Permissions[id]) {
			ids = append(ids, id)
		}
	}
	return ids
}

func joined(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, b)
	return all
}

// plain is one way to write a value that there are several for.
func plain(value string) string {
	if value == "false" || value == "none" {
		return ""
	}
	if amount, err := bank.ParseAmount(value); err == nil && strings.Trim(value, "0.") != "" {
		return amount.String()
	} else if err == nil {
		return ""
	}
	return value
}
