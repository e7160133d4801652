package activity

import "strings"

// A Kind is a kind of event that the institution's staff look for. Every event
// is of exactly one.
type Kind struct {
	Value string // as addresses name it
	Label string
	Area  string // under which screens show it
}

// Kinds are all kinds, in the order in which screens show them.
func Kinds() []Kind { return kinds }

const (
	areaMoney       = "Money movement"
	areaUser        = "User"
	areaInstitution = "Institution"
)

var kinds = []Kind{
	{"ach", "ACH", areaMoney},
	{"positive_pay", "Positive pay", areaMoney},
	{"stops", "Stop payments", areaMoney},
	{"payments", "Transactions of other systems", areaMoney},
	{"transfers", "Transfers", areaMoney},
	{"wires", "Wires", areaMoney},
	{"accounts", "Accounts", areaUser},
	{"people", "Add/delete users", areaUser},
	{"authentication", "Authentication", areaUser},
	{"cards", "Cards", areaUser},
	{"high_risk", "High-risk authentication", areaUser},
	{"permissions", "Permissions", areaUser},
	{"profile", "Profile", areaUser},
	{"viewed", "Looked at by staff", areaUser},
	{"applications", "External applications", areaInstitution},
	{"institution", "Institution settings", areaInstitution},
	{"staff", "Users & Groups", areaInstitution},
	{"other", "Other", areaInstitution},
}

// kindOf is an event's kind. An index is made of this very text (migration
// 0166): another one needs an index of its own.
const kindOf = `(case
	 when substr(name, 1, 4) = 'ach.' then 'ach'
	 when substr(name, 1, 4) = 'arp.' then 'positive_pay'
	 when substr(name, 1, 5) = 'stop.' then 'stops'
	 when substr(name, 1, 9) = 'transfer.' then 'transfers'
	 when substr(name, 1, 5) = 'wire.' then 'wires'
	 when substr(name, 1, 8) = 'payment.' then 'payments'
	 when substr(name, 1, 5) = 'card.' then 'cards'
	 when substr(name, 1, 4) = 'hra.' then 'high_risk'
	 when substr(name, 1, 5) = 'auth.' then 'authentication'
	 when name in ('orguser.locked', 'orguser.unlocked') or substr(name, 1, 22) = 'orguser.password_reset' then 'authentication'
	 when name in ('orguser.viewed', 'org.viewed') or substr(name, 1, 14) = 'orguser.see_as' then 'viewed'
	 when name in ('orguser.created', 'orguser.deleted', 'orguser.restored', 'orguser.credentials_created', 'orguser.activated') or substr(name, 1, 14) = 'orguser.invite' then 'people'
	 when name in ('orguser.profile_changed', 'orguser.preferred_name_changed', 'org.created', 'org.profile_changed') then 'profile'
	 when substr(name, 1, 11) = 'org.account' then 'accounts'
	 when substr(name, 1, 8) = 'orguser.' or substr(name, 1, 4) = 'org.' then 'permissions'
	 when substr(name, 1, 6) in ('staff.', 'group.') then 'staff'
	 when substr(name, 1, 13) = 'external_app.' or substr(name, 1, 7) = 'client.' then 'applications'
	 when substr(name, 1, 12) = 'institution.' then 'institution'
	 else 'other' end)`

// KindOf is the kind of an event's name: the same as kindOf says in SQL, which a
// test holds for every name there is.
func KindOf(name string) string {
	before, rest, _ := strings.Cut(name, ".")
	switch name {
	case "orguser.locked", "orguser.unlocked":
		return "authentication"
	case "orguser.viewed", "org.viewed":
		return "viewed"
	case "orguser.created", "orguser.deleted", "orguser.restored", "orguser.credentials_created", "orguser.activated":
		return "people"
	case "orguser.profile_changed", "orguser.preferred_name_changed", "org.created", "org.profile_changed":
		return "profile"
	}
	if kind, ok := kindOfPrefix[before]; ok {
		return kind
	}
	switch {
	case before == "org" && strings.HasPrefix(rest, "account"):
		return "accounts"
	case before == "orguser" && strings.HasPrefix(rest, "password_reset"):
		return "authentication"
	case before == "orguser" && strings.HasPrefix(rest, "see_as"):
		return "viewed"
	case before == "orguser" && strings.HasPrefix(rest, "invite"):
		return "people"
	case before == "orguser" || before == "org":
		return "permissions"
	}
	return "other"
}

var kindOfPrefix = map[string]string{
	"ach": "ach", "arp": "positive_pay", "stop": "stops", "transfer": "transfers", "wire": "wires", "payment": "payments", "card": "cards",
	"hra": "high_risk", "auth": "authentication", "staff": "staff", "group": "staff", "external_app": "applications", "client": "applications",
	"institution": "institution",
}
