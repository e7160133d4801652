package protocol

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"mandate/internal/bank"
	"mandate/internal/host"
)

// Organizations lists the host's organizations with their accounts.
func (c *Client) Organizations(ctx context.Context, institution bank.InstitutionID, after host.Ref, most int) ([]host.Organization, error) {
	var list OrganizationList
	if err := c.page(ctx, institution, "organizations", string(after), most, &list); err != nil {
		return nil, err
	}
	if !ascends(list.Organizations, after, func(o *Organization) host.Ref { return o.Ref }) {
		return nil, errDisorder
	}
	all := make([]host.Organization, 0, len(list.Organizations))
	for i := range list.Organizations {
		if err := list.Organizations[i].check(); err != nil {
			return nil, err
		}
		all = append(all, *list.Organizations[i].Host())
	}
	return all, nil
}

// Users lists the host's users.
func (c *Client) Users(ctx context.Context, institution bank.InstitutionID, after host.Ref, most int) ([]host.User, error) {
	var list UserList
	if err := c.page(ctx, institution, "users", string(after), most, &list); err != nil {
		return nil, err
	}
	if !ascends(list.Users, after, func(u *User) host.Ref { return u.Ref }) {
		return nil, errDisorder
	}
	all := make([]host.User, 0, len(list.Users))
	for i := range list.Users {
		u, err := list.Users[i].Host()
		if err != nil {
			return nil, err
		}
		if u.Deleted {
			return nil, fmt.Errorf("the host lists the deleted user %q", u.Ref)
		}
		all = append(all, *u)
	}
	return all, nil
}

// errDisorder is a list that could be read for ever.
var errDisorder = fmt.Errorf("the host's list does not go on in the order of the refs")

// User is one of the host's users.
func (c *Client) User(ctx context.Context, institution bank.InstitutionID, ref host.Ref) (host.User, error) {
	var found User
	err := c.ask(ctx, request{institution: institution, method: http.MethodGet, name: "user", query: url.Values{"ref": {string(ref)}}, time: lookTime, look: true}, &found)
	if err != nil {
		return host.User{}, err
	}
	if found.Ref != ref {
		return host.User{}, fmt.Errorf("asked for the user %q, the host shows %q", ref, found.Ref)
	}
	u, err := found.Host()
	if err != nil {
		return host.User{}, err
	}
	return *u, nil
}

// Defaults are the permissions that new users get.
func (c *Client) Defaults(ctx context.Context, institution bank.InstitutionID) ([]host.Defaults, error) {
	var list DefaultsList
	if err := c.ask(ctx, request{institution: institution, method: http.MethodGet, name: "defaults", time: listTime}, &list); err != nil {
		return nil, err
	}
	all := make([]host.Defaults, 0, len(list.Defaults))
	for i := range list.Defaults {
		d, err := list.Defaults[i].Host()
		if err != nil {
			return nil, err
		}
		all = append(all, *d)
	}
	return all, nil
}

// Events lists what changed at the host. One that cannot be read is told as
// such: it must not keep those after it.
func (c *Client) Events(ctx context.Context, institution bank.InstitutionID, after string, most int) ([]host.Event, error) {
	var list struct {
		Events []any `json:"events"`
	}
	if err := c.page(ctx, institution, "events", after, most, &list); err != nil {
		return nil, err
	}
	all := make([]host.Event, 0, len(list.Events))
	for _, value := range list.Events {
		var place struct {
			ID   string `json:"id"`
			Mark string `json:"mark"`
		}
		if err := readValue(value, &place, false); err != nil || place.ID == "" || place.Mark == "" {
			return nil, fmt.Errorf("an event of the host has no id or no mark")
		}
		e, err := event(value)
		if err != nil {
			e = &host.Event{ID: place.ID, Mark: place.Mark, Unreadable: err.Error()}
		}
		all = append(all, *e)
	}
	return all, moves(all, after, func(e *host.Event) string { return e.Mark })
}

func event(value any) (*host.Event, error) {
	var e Event
	if err := readValue(value, &e, false); err != nil {
		return nil, err
	}
	if err := e.check(); err != nil {
		return nil, err
	}
	return e.Host()
}
