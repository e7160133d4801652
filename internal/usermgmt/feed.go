package usermgmt

import (
	"context"
	"fmt"
	"slices"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// A FeedKind is a kind of event that a feed can be narrowed to.
type FeedKind struct {
	Value  string // as addresses name it
	Label  string
	Names  []string
	Prefix string
	Own    bool // of a member's activity alone: the organization's feed leaves it out
}

// FeedKinds are the kinds, in the order in which screens show them.
func FeedKinds() []FeedKind { return feedKinds }

var feedKinds = []FeedKind{
	{Value: "permissions", Label: "Permissions and account access", Names: []string{"orguser.permission_changed", "orguser.entitlement_changed",
		"orguser.account_access_changed", "orguser.role_changed", "org.entitlement_changed", "org.account_added"}},
	{Value: "people", Label: "Created, invited and deleted", Names: []string{"orguser.created", "orguser.deleted", "orguser.invited", "orguser.invite_delivered",
		"orguser.invite_failed", "orguser.invite_expired", "orguser.invite_opened", "orguser.invite_requested", "orguser.invite_revoked", "orguser.credentials_created", "orguser.activated",
		"orguser.created_at_host", "orguser.deleted_at_host", "orguser.refused_at_host"}},
	{Value: "profile", Label: "Profile", Names: []string{"orguser.profile_changed", "org.profile_changed"}},
	{Value: "standing", Label: "Locks and holds", Names: []string{"orguser.locked", "orguser.unlocked", "orguser.hold_placed", "orguser.hold_removed",
		"orguser.disabled", "org.one_admin_left"}},
	{Value: "viewed", Label: "Looked at by the institution", Names: watching},
	{Value: "ach", Label: "ACH", Prefix: "ach."},
	{Value: "wires", Label: "Wires", Prefix: "wire."},
	{Value: "transfers", Label: "Transfers", Prefix: "transfer."},
	{Value: "stops", Label: "Stop payments", Prefix: "stop."},
	{Value: "positive_pay", Label: "Positive pay", Prefix: "arp."},
	{Value: "cards", Label: "Cards", Prefix: "card."},
	{Value: "payments", Label: "Payments by other systems", Prefix: "payment."},
	{Value: "signin", Label: "Signing in", Own: true, Names: []string{"auth.signin_succeeded", "auth.signin_failed", "auth.new_device", "auth.password_changed",
		"auth.second_factor_added", "auth.second_factor_removed", "auth.recovery_codes_renewed",
		"orguser.password_reset_sent", "orguser.password_reset_opened", "orguser.password_reset_completed"}},
	{Value: "high_risk", Label: "High-risk authorization", Own: true, Names: []string{"hra.requested", "hra.passed", "hra.failed", "hra.expired"}},
}

// notForAll are the events that the organization's feed leaves out.
var notForAll = func() (names []string) {
	for _, kind := range feedKinds {
		if kind.Own {
			names = append(names, kind.Names...)
		}
	}
	return append(names, "orguser.preferred_name_changed",
		eventChangeAsked, eventChangeAgreed, eventChangeRejected, eventChangeExpired) // the institution's own business until something is changed
}()

// A FeedQuery asks for one page of a feed, newest first.
type FeedQuery struct {
	Person      Person      // with a user: that member's activity; otherwise the organization's feed
	By          bool        // of a member: what they did; otherwise what was done to them
	About       bank.UserID // of the organization's feed: what was done to this one
	Kind        string      // a FeedKind's value; empty: every kind
	From, Until bank.Day    // both inclusive, in the institution's time zone; empty: no bound
	Before      int64       // page on: events with a smaller sequence
	Limit       int
}

// Feed reads one page. The organization's feed says what was done; attempts
// that were refused, and everybody's signing in, stand in the members' own
// activity alone.
func (s *Service) Feed(ctx context.Context, caller bank.Caller, q FeedQuery) (events []activity.Event, err error) {
	err = s.guard.Look(ctx, caller, looking(q.Person, catalog.ViewUsers, entitlement.Scope{}), func(v *guard.View) error {
		f, err := q.filter(caller.Institution, v.Policy.Institution.Location)
		if err != nil {
			return err
		}
		events, err = s.discreet(v, caller.Member(), f)
		return err
	})
	return events, err
}

// A Discretion leaves out of a feed what a member may not know of.
type Discretion func(tx *db.Tx, p *entitlement.Policy, member bank.UserID, events []activity.Event) ([]activity.Event, error)

// WithDiscretion tells the room what feeds must leave out. It is for assembling
// the program.
func (s *Service) WithDiscretion(d Discretion) *Service {
	s.taste = d
	return s
}

// discreet reads a page of history as one member may see it; everybody else sees
// all of it.
func (s *Service) discreet(v *guard.View, member bank.UserID, f activity.Filter) ([]activity.Event, error) {
	events, err := s.visible(v, member, f)
	if err != nil || member == "" {
		return events, err
	}
	return events, nameless(v, f.Institution, events)
}

// visible is a full page, even where something of the history is not for the
// member.
func (s *Service) visible(v *guard.View, member bank.UserID, f activity.Filter) (seen []activity.Event, err error) {
	for {
		events, err := feed(v.Tx, f)
		if err != nil || s.taste == nil || member == "" {
			return events, err
		}
		visible, err := s.taste(v.Tx, v.Policy, member, events)
		if err != nil {
			return nil, err
		}
		seen = append(seen, visible...)
		switch {
		case f.Limit <= 0 || len(events) < f.Limit && len(seen) <= f.Limit:
			return seen, nil
		case len(seen) >= f.Limit:
			return seen[:f.Limit], nil
		}
		f.Before = events[len(events)-1].Sequence
	}
}

func (q FeedQuery) filter(institution bank.InstitutionID, place *time.Location) (activity.Filter, error) {
	f := activity.Filter{Institution: institution, Organization: q.Person.Organization, Before: q.Before, Limit: q.Limit}
	switch {
	case q.Person.User == "":
		f.Target, f.Without = string(q.About), notForAll
	case q.By:
		f.Actor, f.WithRefused = string(q.Person.User), true
	default:
		f.Target, f.WithRefused = string(q.Person.User), true
	}
	for _, kind := range feedKinds {
		if kind.Value != q.Kind {
			continue
		}
		f.Names, f.Prefix = kind.Names, kind.Prefix
		if kind.Own {
			f.Without = nil // asked for by name
		}
	}
	var problems fault.Problems
	f.From, f.Until = q.edges(place, &problems)
	return f, problems.Err("These days cannot be shown.")
}

// edges are the first moment of the query's days and the one after the last.
func (q FeedQuery) edges(place *time.Location, problems *fault.Problems) (from, until int64) {
	from = q.edge(q.From, 0, place, "from", problems)
	until = q.edge(q.Until, 1, place, "until", problems)
	if q.From != "" && q.Until != "" && q.Until < q.From {
		problems.Add("until", "The last day lies before the first.")
	}
	return from, until
}

// edge is when a day begins, or some days later, in microseconds.
func (q FeedQuery) edge(day bank.Day, later int, place *time.Location, field string, problems *fault.Problems) int64 {
	if day == "" {
		return 0
	}
	parsed, err := bank.ParseDay(string(day))
	if err != nil {
		problems.Add(field, "Write a date like 2026-03-02.")
		return 0
	}
	noon := parsed.Time(place)
	return time.Date(noon.Year(), noon.Month(), noon.Day()+later, 0, 0, 0, 0, place).UnixMicro()
}

// feed reads history as people read it: one change for each permission, and
// everybody by name, also where an attempt was refused before anybody was looked
// up.
func feed(tx *db.Tx, f activity.Filter) ([]activity.Event, error) {
	events, err := activity.Feed(tx, f)
	if err != nil {
		return nil, err
	}
	return events, readable(tx, f.Institution, events)
}

// readable writes events as people read them.
func readable(tx *db.Tx, institution bank.InstitutionID, events []activity.Event) error {
	names, err := namesFor(tx, institution, events)
	if err != nil {
		return err
	}
	for i := range events {
		events[i].Changes = Unpack(events[i].Changes)
		for j := range events[i].Changes {
			if c := &events[i].Changes[j]; names[c.New] != "" && ofMembers[c.Field] {
				c.New = names[c.New]
			}
		}
		if target := &events[i].Target; target.Name == "" {
			target.Name = names[target.ID]
		}
	}
	return nil
}

// ofMembers are the fields of payments whose value is a member.
var ofMembers = map[string]bool{"member": true, "approved_by": true}

// namesFor are the names of the targets that stand in events without one, and of
// the members that payments name, as far as they are still there.
func namesFor(tx *db.Tx, institution bank.InstitutionID, events []activity.Event) (map[string]string, error) {
	names := map[string]string{}
	var ids []string
	for _, e := range events {
		if e.Target.Name == "" && e.Target.Kind == activity.TargetMember {
			ids = append(ids, e.Target.ID)
		}
		for _, c := range e.Changes {
			if ofMembers[c.Field] && c.New != "" {
				ids = append(ids, c.New)
			}
		}
		if e.Target.Name == "" && e.Target.Kind == activity.TargetOrganization && names[e.Target.ID] == "" {
			o, err := FindOrganization(tx, institution, bank.OrganizationID(e.Target.ID))
			if err != nil {
				return nil, err
			}
			names[e.Target.ID] = o.Name
		}
	}
	slices.Sort(ids)
	for some := range slices.Chunk(slices.Compact(ids), chunk) {
		members, err := db.All(tx, func(s db.Scanner) (m Member, err error) {
			err = s.Scan(&m.ID, &m.FirstName, &m.LastName)
			return m, err
		}, `
			with given (id) as (values ($2), ($3), ($4), ($5), ($6), ($7), ($8), ($9))
			select distinct m.id, m.first_name, m.last_name from given join member m on m.institution_id = $1 and m.id = given.id`,
			in8([]any{institution}, some)...)
		if err != nil {
			return nil, fmt.Errorf("read the names of an organization's people: %w", err)
		}
		for _, m := range members {
			names[string(m.ID)] = m.Name()
		}
	}
	return names, nil
}
