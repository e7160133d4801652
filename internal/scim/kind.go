package scim

import (
	"mandate/internal/bank"
	"mandate/internal/fault"
	"mandate/internal/staff"
)

// A kind is one kind of resource, with what can be done to it. Resources go in
// and out as maps in the names of their schema.
type kind struct {
	endpoint string
	schema   *schema
	find     func(*Edge, request, lookup) (found []map[string]any, total int, err error)
	create   func(*Edge, request, map[string]any) (map[string]any, error)
	change   func(*Edge, request, func(map[string]any) (map[string]any, error)) (map[string]any, error)
	remove   func(*Edge, request) error
	missing  func() error
}

// A lookup asks for one resource, or a window of all. key and value name one by
// an attribute that has an index.
type lookup struct {
	id            string
	key, value    string
	bare          bool // without members
	offset, limit int
}

// kinds are the resources that there are.
var kinds = []*kind{
	{"Users", userSchema, (*Edge).findUsers, (*Edge).createUser, (*Edge).changeUser, (*Edge).removeUser,
		func() error { return fault.New(fault.NotFound, "There is no such user.") }},
	{"Groups", groupSchema, (*Edge).findGroups, (*Edge).createGroup, (*Edge).changeGroup, (*Edge).removeGroup,
		func() error { return fault.New(fault.NotFound, "There is no such group.") }},
}

// replaced is a resource as a PUT wants it to be. Whether somebody is switched
// off is never guessed: what a PUT does not say stays as it is.
func (k *kind) replaced(is, body map[string]any) map[string]any {
	out := k.schema.canonical(body)
	if _, said := out["active"]; !said && is["active"] != nil {
		out["active"] = is["active"]
	}
	return out
}

// meta is what every resource tells about itself.
func meta(base, endpoint, name, id string) map[string]any {
	return map[string]any{"resourceType": name, "location": base + "/" + endpoint + "/" + id}
}

func (e *Edge) findUsers(r request, l lookup) (found []map[string]any, total int, err error) {
	q := staff.AccountQuery{ID: bank.StaffID(l.id), Offset: l.offset, Limit: l.limit}
	switch l.key {
	case "userName":
		q.Email = l.value
	case "externalId":
		q.External = l.value
	}
	accounts, total, err := e.Rooms.Accounts(r.ctx, r.caller, q)
	for _, a := range accounts {
		found = append(found, userOf(r.base, &a))
	}
	return found, total, err
}

// userOf is an account as the protocol shows it.
func userOf(base string, a *staff.Account) map[string]any {
	u := map[string]any{
		"schemas": []any{urnUser}, "id": string(a.ID), "userName": a.Email, "active": a.Active(), "displayName": a.Name(),
		"emails": []any{map[string]any{"value": a.Email, "type": "work", "primary": true}},
		"meta":   meta(base, "Users", "User", string(a.ID)),
	}
	u["meta"].(map[string]any)["created"] = a.Created.Format("2006-01-02T15:04:05.000Z")
	put(u, "externalId", a.External)
	put(u, "timezone", a.TimeZone)
	if a.FirstName != "" {
		u["name"] = map[string]any{"givenName": a.FirstName, "familyName": a.LastName, "formatted": a.Name()}
	}
	if a.Phone != "" {
		u["phoneNumbers"] = []any{map[string]any{"value": a.Phone, "type": "work", "primary": true}}
	}
	var groups []any
	for _, g := range a.Groups {
		groups = append(groups, map[string]any{"value": string(g.ID), "$ref": base + "/Groups/" + string(g.ID), "display": g.Name, "type": "direct"})
	}
	if groups != nil {
		u["groups"] = groups
	}
	return u
}

func put(in map[string]any, name, value string) {
	if value != "" {
		in[name] = value
	}
}

// wishOf reads a resource as a directory wants it to be. What it does not say is
// empty, except that a user is active.
func wishOf(u map[string]any) (staff.Wish, error) {
	r := reader{from: u}
	name := r.object("name")
	w := staff.Wish{Email: r.text("userName"), External: r.text("externalId"), Active: r.truth("active", true)}
	w.FirstName, w.LastName, w.TimeZone = name.text("givenName"), name.text("familyName"), r.text("timezone")
	w.Phone = r.first("phoneNumbers")
	if address := r.first("emails"); address != "" && w.Email != "" && !sameText(address, w.Email) {
		r.problems.Addf("emails", "The address is the userName, %s. Map the directory’s mail address to userName.", w.Email)
	}
	r.problems = append(r.problems, name.problems...)
	return w, r.problems.Err("The user was not saved.")
}

func (e *Edge) createUser(r request, u map[string]any) (map[string]any, error) {
	w, err := wishOf(u)
	if err != nil {
		return nil, err
	}
	a, err := e.Rooms.CreateAccount(r.ctx, r.caller, w)
	return userOf(r.base, &a), err
}

func (e *Edge) changeUser(r request, to func(map[string]any) (map[string]any, error)) (map[string]any, error) {
	a, err := e.Rooms.ChangeAccount(r.ctx, r.caller, bank.StaffID(r.id), func(is staff.Account) (staff.Wish, error) {
		u, err := to(userOf(r.base, &is))
		if err != nil {
			return staff.Wish{}, err
		}
		w, err := wishOf(u)
		if !sameText(w.Email, is.Email) {
			err = nil // which the room refuses for a better reason than a mail address that no longer fits
		}
		return w, err
	})
	return userOf(r.base, &a), err
}

func (e *Edge) removeUser(r request) error {
	return e.Rooms.DeleteAccount(r.ctx, r.caller, bank.StaffID(r.id), func(is staff.Account) error { return r.unchanged(userOf(r.base, &is)) })
}

func (e *Edge) findGroups(r request, l lookup) (found []map[string]any, total int, err error) {
	q := staff.TeamQuery{ID: bank.GroupID(l.id), Bare: l.bare, Offset: l.offset, Limit: l.limit}
	switch l.key {
	case "displayName":
		q.Name = l.value
	case "externalId":
		q.External = l.value
	}
	teams, total, err := e.Rooms.Teams(r.ctx, r.caller, q)
	for _, t := range teams {
		found = append(found, groupOf(r.base, &t))
	}
	return found, total, err
}

// groupOf is a team as the protocol shows it.
func groupOf(base string, t *staff.Team) map[string]any {
	g := map[string]any{"schemas": []any{urnGroup}, "id": string(t.ID), "displayName": t.Name, "meta": meta(base, "Groups", "Group", string(t.ID))}
	put(g, "externalId", t.External)
	var members []any
	for _, m := range t.Members {
		members = append(members, map[string]any{"value": string(m.ID), "$ref": base + "/Users/" + string(m.ID), "display": m.Name, "type": "User"})
	}
	if members != nil {
		g["members"] = members
	}
	return g
}

func teamWishOf(g map[string]any) (staff.TeamWish, error) {
	r := reader{from: g}
	w := staff.TeamWish{Name: r.text("displayName"), External: r.text("externalId")}
	for _, m := range r.list("members") {
		w.Members = append(w.Members, bank.StaffID(m.text("value")))
		r.problems = append(r.problems, m.problems...)
	}
	return w, r.problems.Err("The group was not saved.")
}

func (e *Edge) createGroup(r request, g map[string]any) (map[string]any, error) {
	w, err := teamWishOf(g)
	if err != nil {
		return nil, err
	}
	t, err := e.Rooms.CreateTeam(r.ctx, r.caller, w)
	return groupOf(r.base, &t), err
}

func (e *Edge) changeGroup(r request, to func(map[string]any) (map[string]any, error)) (map[string]any, error) {
	t, err := e.Rooms.ChangeTeam(r.ctx, r.caller, bank.GroupID(r.id), func(is staff.Team) (staff.TeamWish, error) {
		g, err := to(groupOf(r.base, &is))
		if err != nil {
			return staff.TeamWish{}, err
		}
		return teamWishOf(g)
	})
	return groupOf(r.base, &t), err
}

func (e *Edge) removeGroup(r request) error {
	return e.Rooms.DeleteTeam(r.ctx, r.caller, bank.GroupID(r.id), func(is staff.Team) error { return r.unchanged(groupOf(r.base, &is)) })
}
