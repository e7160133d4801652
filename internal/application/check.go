package application

import (
	"net"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"mandate/internal/bank"
	"mandate/internal/fault"
)

// read checks the draft, says all its problems at once by field, and returns it
// as it is stored.
func (d Draft) read(institution bank.InstitutionID) (Draft, fault.Problems) {
	d = d.trimmed()
	var problems fault.Problems
	checkText(&problems, "name", "name", d.Name)
	if d.Name == "" {
		problems.Add("name", "Give the application a name.")
	}
	checkText(&problems, "partner", "partner’s name", d.Partner)
	if !slices.Contains(Methods(), d.Method) {
		problems.Add("method", "Choose how the application proves who it is. One that proves nothing cannot be registered.")
	}
	d.checkGrants(&problems, institution)
	d.checkScopes(&problems)
	checkAddresses(&problems, "redirects", d.Redirects)
	checkAddresses(&problems, "post_logouts", d.PostLogouts)
	if d.BackChannelLogout != "" {
		checkAddresses(&problems, "back_channel_logout", []string{d.BackChannelLogout})
	}
	d.Keys = d.checkKeys(&problems)
	return d, problems
}

func checkText(problems *fault.Problems, field, label, value string) {
	if n := utf8.RuneCountInString(value); n > MaxName {
		problems.Addf(field, "The %s is %d characters long. The most is %d.", label, n, MaxName)
	} else if !bank.Printable(value) {
		problems.Addf(field, "The %s has signs that cannot be shown. Type it anew.", label)
	}
}

func (d *Draft) checkGrants(problems *fault.Problems, institution bank.InstitutionID) {
	d.Grants = ordered(Grants(), d.Grants, func(unknown Grant) {
		problems.Addf("grants", "%q is not something an application can do here.", unknown)
	})
	code, refresh, service := d.Can(GrantCode), d.Can(GrantRefresh), d.Can(GrantService)
	if !code && !service {
		problems.Add("grants", "Choose what the application does: sign staff users in, act as a service, or both.")
	}
	if code && len(d.Redirects) == 0 {
		problems.Add("redirects", "Enter at least one address to which people return after they signed in.")
	}
	if refresh && !code {
		problems.Add("grants", "Only an application that signs staff users in can keep them signed in.")
	}
	switch {
	case service && institution == "":
		problems.Add("grants", "An application of no institution cannot act as a service: there is nobody for whom it could.")
	case service && d.ServiceEmail == "":
		problems.Add("service", "Enter the email address of the staff user for whom the service acts: it may do what they may.")
	case !service && d.ServiceEmail != "":
		problems.Add("service", "Only a service acts for a staff user. Let the application act as a service, or leave this empty.")
	}
}

func (d *Draft) checkScopes(problems *fault.Problems) {
	var known []string
	for _, s := range scopes {
		known = append(known, s.Name)
	}
	d.Scopes = ordered(known, d.Scopes, func(unknown string) { problems.Addf("scopes", "There is no scope %q.", unknown) })
	if d.Can(GrantCode) && !slices.Contains(d.Scopes, "openid") {
		problems.Add("scopes", "An application that signs staff users in needs openid.")
	}
	if slices.Contains(d.Scopes, "offline_access") && !d.Can(GrantRefresh) {
		problems.Add("scopes", "Tokens that live on are for applications that keep people signed in.")
	}
}

func (d *Draft) checkKeys(problems *fault.Problems) string {
	switch {
	case d.Keys == "" && d.Method == PrivateKey:
		problems.Add("keys", "Paste the application’s public key, as a JWK set or PEM.")
	case d.Keys != "" && d.HasSecret():
		problems.Add("keys", "An application that proves itself by a secret needs no key. Remove the key, or let it sign.")
	case d.Keys != "":
		keys, err := readKeys(d.Keys)
		if err != nil {
			problems.Add("keys", err.Error())
			return d.Keys
		}
		return keys
	}
	return d.Keys
}

// ordered are the known ones among the given, once each, in the order of all
// that are known.
func ordered[T ~string](known, given []T, unknown func(T)) (kept []T) {
	for _, one := range given {
		if !slices.Contains(known, one) {
			unknown(one)
		}
	}
	for _, one := range known {
		if slices.Contains(given, one) {
			kept = append(kept, one)
		}
	}
	return kept
}

func checkAddresses(problems *fault.Problems, field string, all []string) {
	if len(all) > MaxAddresses {
		problems.Addf(field, "These are %d addresses. The most is %d.", len(all), MaxAddresses)
	}
	seen := map[string]bool{}
	for _, one := range all {
		if why := addressProblem(one); why != "" {
			problems.Addf(field, "%.200q: %s", one, why)
		} else if seen[one] {
			problems.Addf(field, "%.200q stands here twice.", one)
		}
		seen[one] = true
	}
}

// addressProblem says why browsers cannot be sent to an address, or nothing.
// Addresses are compared letter by letter, so each is written as it will come.
func addressProblem(text string) string {
	if len(text) > MaxAddress {
		return "An address may have at most 2000 characters."
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || !bank.Printable(text) || strings.ContainsAny(text, " \\") || u.Opaque != "":
		return "Write an address like https://product.example/return."
	case strings.Contains(text, "*"):
		return "A wildcard is not possible: write every address as it is."
	case strings.Contains(text, "#"):
		return "An address must not have a part after #."
	case u.User != nil:
		return "An address must not have a user name in it."
	case u.Hostname() == "":
		return "Write an address like https://product.example/return."
	case u.Scheme == "https":
		return ""
	case u.Scheme == "http" && local(u.Hostname()):
		return ""
	}
	return "The address must begin with https://. Only localhost may be reached by http://."
}

func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
