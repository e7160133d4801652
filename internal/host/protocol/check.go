package protocol

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"mandate/internal/host"
)

// keyPattern is what an Idempotency-Key looks like: it travels in a header.
var keyPattern = regexp.MustCompile(`^[ -~]{1,200}$`)

// internalPattern is what the institution's own accounts are called.
var internalPattern = regexp.MustCompile(`^[a-z][a-z0-9_.-]{0,39}$`)

// check says what is wrong with an order that could be read. What an order may
// not do is the host's to say; this is about what it cannot mean.
func (o *Order) check() error {
	var problems readError
	add := func(wrong bool, problem string) {
		if wrong {
			problems = append(problems, problem)
		}
	}
	add(!keyPattern.MatchString(o.Key), "Idempotency-Key: must be 1 to 200 characters of ASCII")
	for i, leg := range o.Legs {
		add((leg.Account == "") == (leg.Internal == ""), fmt.Sprintf("legs[%d]: names a customer's account or an internal one", i))
		add(leg.Internal != "" && !internalPattern.MatchString(leg.Internal), fmt.Sprintf("legs[%d].internal: must look like %s", i, internalPattern))
	}
	add(o.Organization == "" && o.User == nil, "organization: is missing")
	add(o.Stop != nil && (o.Stop.First < 0 || o.Stop.Last < o.Stop.First), "stop: first to last must be a row of numbers")
	if u := o.User; u != nil {
		add(u.User.Organization == "" || o.Organization != "" && o.Organization != u.User.Organization, "user.user.organization: must be the order's")
		add(u.Step != host.CreateUser && u.User.Ref == "", "user.user.ref: is missing")
		add(slices.Contains(u.Fields, ""), "user.fields: has an empty name")
	}
	add(!o.asks(), "asks for nothing")
	if len(problems) > 0 {
		return problems
	}
	return nil
}

// asks reports whether an order asks for anything.
func (o *Order) asks() bool {
	return len(o.Legs) > 0 || o.Hold != nil || o.Free != "" || o.Stop != nil || o.Lift != "" || o.File != nil ||
		o.Enrol != nil || o.Issued != nil || o.Ruling != nil || o.Card != nil || o.User != nil
}

// Balanced reports whether the legs add up to nothing, none of them being
// nothing itself.
func (o *Order) Balanced() bool {
	legs := make([]host.Leg, len(o.Legs))
	for i, leg := range o.Legs {
		legs[i].Cents = leg.Cents
	}
	return host.Balanced(legs)
}

// check says what is wrong with a receipt of an order.
func (r *Receipt) check(o *Order) error {
	switch {
	case r.Key != o.Key:
		return errors.New("key: is another order's")
	case r.Reference == "":
		return errors.New("reference: is empty")
	case (r.Outcome == Refused) != (r.Code != ""):
		return errors.New("code: stands with what was refused, and only there")
	case o.User != nil && r.Outcome == Done && (r.User == "" || r.Version <= 0):
		return errors.New("user and version: belong to an order about a user")
	case o.User != nil && o.User.User.Ref != "" && r.Outcome == Done && r.User != o.User.User.Ref:
		return errors.New("user: is another one")
	}
	return nil
}

func (e *Event) check() error {
	n := 0
	for _, there := range []bool{e.Announced != nil, e.User != nil, e.Organization != nil, e.Defaults != nil} {
		if there {
			n++
		}
	}
	if n != 1 {
		return errors.New("exactly one of announced, user, organization and defaults must be there")
	}
	switch {
	case e.User != nil:
		return e.User.check()
	case e.Organization != nil:
		return e.Organization.check()
	case e.Defaults != nil && e.Defaults.Version <= 0:
		return errors.New("defaults.version: must be more than zero")
	case e.Announced != nil && (e.Announced.Ref == "" || e.Announced.Organization == ""):
		return errors.New("announced: ref or organization is empty")
	}
	return nil
}

// check says what is wrong with a user of the host.
func (u *User) check() error {
	switch {
	case u.Ref == "" || u.Organization == "":
		return errors.New("user: ref or organization is empty")
	case u.Version <= 0:
		return errors.New("user.version: must be more than zero")
	case !u.Deleted && (u.Role == "" || u.Status == ""):
		return errors.New("user: role or status is missing")
	}
	return nil
}

func (o *Organization) check() error {
	if o.Ref == "" || o.Name == "" || o.Version <= 0 {
		return errors.New("organization: ref, name or version is missing")
	}
	for i, a := range o.Accounts {
		if a.Ref == "" || a.Name == "" {
			return fmt.Errorf("organization.accounts[%d]: ref or name is missing", i)
		}
	}
	return nil
}

// ascends reports whether a list goes on after a ref and in the order of refs.
func ascends[T any](all []T, after host.Ref, ref func(*T) host.Ref) bool {
	for i := range all {
		next := ref(&all[i])
		if strings.Compare(string(next), string(after)) <= 0 {
			return false
		}
		after = next
	}
	return true
}
