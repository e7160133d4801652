package hostsim

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/host"
)

// carryUser takes a change of a user over that an order asks for, or notes why
// not.
func (b *Bank) carryUser(tx *db.Tx, o *host.Order, r *order) error {
	by := By{Channel: host.Ordered, order: keyOf(o)}
	asked := o.User.User
	if o.User.Step == host.CreateUser {
		return createOrdered(tx, o.Institution, by, asked, r)
	}
	before, err := findUser(tx, o.Institution, asked.Ref)
	if errors.Is(err, host.ErrNoUser) || err == nil && (before.Deleted || asked.Organization != "" && before.Organization != asked.Organization) {
		r.refused = host.UnknownUser
		return nil
	}
	if err != nil {
		return err
	}
	after := before
	if o.User.Step == host.DeleteUser {
		after.Deleted = true
	} else if code, account := apply(&after, &asked, o.User.Fields); code != "" {
		r.refused, r.account = code, account
		return nil
	}
	if r.refused, r.account, err = refuseRights(tx, o.Institution, &after); err != nil || r.refused != "" {
		return err
	}
	if after.Member == "" {
		after.Member = asked.Member
	}
	err = saveUser(tx, r.number, o.Institution, by, &before, &after)
	r.user, r.version = after.Ref, after.Version
	return err
}

func createOrdered(tx *db.Tx, institution bank.InstitutionID, by By, u host.User, r *order) error {
	if u.Ref == "" {
		u.Ref = userRef(r.number)
	}
	if _, err := findOrganization(tx, institution, u.Organization); fault.KindOf(err) == fault.NotFound {
		r.refused = host.UnknownOrganization
		return nil
	} else if err != nil {
		return err
	}
	taken, err := memberTaken(tx, institution, u.Member)
	if err != nil {
		return err
	}
	_, err = findUser(tx, institution, u.Ref)
	if taken || err == nil {
		r.refused = host.UserExists
		return nil
	}
	if !errors.Is(err, host.ErrNoUser) {
		return err
	}
	if r.refused, r.account, err = refuseRights(tx, institution, &u); err != nil || r.refused != "" {
		return err
	}
	u.Version = 1
	if err := insertUser(tx, institution, &u); err != nil {
		return err
	}
	r.user, r.version = u.Ref, u.Version
	return record(tx, r.number, institution, by, tx.Now, host.Event{User: &u})
}

// refuseRights says why a user cannot have what an order gives them.
func refuseRights(tx *db.Tx, institution bank.InstitutionID, u *host.User) (host.Code, bank.AccountID, error) {
	o, err := findOrganization(tx, institution, u.Organization)
	if err != nil {
		return "", "", err
	}
	for _, ref := range slices.Sorted(maps.Keys(u.Accounts)) {
		if !slices.ContainsFunc(o.Accounts, func(a host.Account) bool { return a.Ref == ref }) {
			return host.UnknownAccount, bank.AccountID(ref), nil
		}
	}
	var problems fault.Problems
	rightsProblems(&problems, &o, Rights{u.Permissions, u.Accounts})
	if len(problems) > 0 {
		return host.NotOffered, "", nil
	}
	return "", "", nil
}

// apply takes the named fields of one user over into another; what is not named
// stays.
func apply(to, from *host.User, fields []string) (host.Code, bank.AccountID) {
	to.Permissions, to.Accounts = maps.Clone(to.Permissions), maps.Clone(to.Accounts)
	for _, field := range fields {
		switch field {
		case "name":
			to.FirstName, to.LastName = from.FirstName, from.LastName
		case "email":
			to.Email = from.Email
		case "username":
			to.Username = from.Username
		case "role":
			to.Role = from.Role
		case "status":
			to.Status = from.Status
		case "held":
			to.Held = from.Held
		default:
			if !applyRight(to, from, field) {
				return host.NotOffered, ""
			}
		}
	}
	return "", ""
}

func applyRight(to, from *host.User, field string) bool {
	account, onAccount := strings.CutPrefix(field, "account/")
	if !onAccount {
		_, known := catalog.ParsePermission(field)
		to.Permissions = put(to.Permissions, field, from.Permissions)
		return known
	}
	ref, permission, one := cutLast(account)
	if !one {
		if rights, has := from.Accounts[host.Ref(account)]; has {
			if to.Accounts == nil {
				to.Accounts = map[host.Ref]map[string]string{}
			}
			to.Accounts[host.Ref(account)] = rights
		} else {
			delete(to.Accounts, host.Ref(account))
		}
		return true
	}
	if rights, has := to.Accounts[ref]; has { // what is not theirs has no permissions to change
		to.Accounts[ref] = put(maps.Clone(rights), permission, from.Accounts[ref])
	}
	return true
}

// cutLast splits REF/PERMISSION; a ref may have a slash in it, a permission's id
// has none.
func cutLast(account string) (ref host.Ref, permission string, one bool) {
	at := strings.LastIndex(account, "/")
	if at < 0 {
		return host.Ref(account), "", false
	}
	if _, known := catalog.ParsePermission(account[at+1:]); !known {
		return host.Ref(account), "", false
	}
	return host.Ref(account[:at]), account[at+1:], true
}

// put sets one value as another map has it, or takes it out.
func put(values map[string]string, id string, from map[string]string) map[string]string {
	if value, there := from[id]; there {
		if values == nil {
			values = map[string]string{}
		}
		values[id] = value
	} else {
		delete(values, id)
	}
	return values
}
