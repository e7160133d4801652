package online

import (
	"mandate/internal/usermgmt"
	"mandate/internal/web/history"
)

// newDescriber tells history to whoever is signed in.
func newDescriber(me usermgmt.Standing, accounts []usermgmt.MemberAccount) history.Describer {
	return history.New(me.Policy.Institution.Location, accounts)
}
