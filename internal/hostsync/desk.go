package hostsync

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/host"
	"mandate/internal/outbox"
	"mandate/internal/usermgmt"
)

// Events of those who look after what goes to the host and comes from it.
const (
	EventRetried = "institution.host_retried"
	EventAside   = "institution.host_set_aside"
	eventViewed  = "institution.host_viewed"
)

// tending is the action of those who look after an institution's host.
func tending(institution bank.InstitutionID, event string) guard.Action {
	return guard.Action{
		Event: event, Staff: catalog.InstitutionSettingsManage.ID(), Others: []bank.ActorKind{bank.ActorOperator, bank.ActorSystem},
		Target: activity.Target{Kind: activity.TargetInstitution, ID: string(institution)},
	}
}

// A Parked is something of the host's that was not taken over, or not all of it;
// or an order about somebody that the host refused.
type Parked struct {
	ID           string
	Order        bool // ours, refused; otherwise the host's
	About        Kind
	Subject      host.Ref
	Organization host.Ref
	Version      int64
	Channel      host.Channel
	By           string
	Made         time.Time
	Code         string
	Note         string // a line for each thing that was left off
}

// Parked lists what somebody must look at, the oldest first.
func (s *Service) Parked(ctx context.Context, caller bank.Caller, most int) (all []Parked, err error) {
	err = s.guard.Look(ctx, caller, tending(caller.Institution, eventViewed), func(v *guard.View) error {
		arrivals, err := db.All(v.Tx, scanArrival, selectArrival+`
			 where institution_id = $1 and state = 'parked' order by kind, place limit $2`, caller.Institution, most)
		for _, a := range arrivals {
			all = append(all, Parked{
				ID: a.ID, Order: a.Kind == kindOrder, About: a.Kind, Subject: a.Subject, Organization: a.Organization, Version: a.Version,
				Channel: a.Channel, By: a.By, Made: a.Made, Code: a.Code, Note: a.Note,
			})
		}
		return err
	})
	return all, err
}

// String is what something is about, in words.
func (k Kind) String() string {
	switch k {
	case kindOrganization:
		return "organization"
	case kindDefaults:
		return "default permissions"
	case kindAnnounced:
		return "announcement"
	case kindOrder:
		return "order"
	}
	return "user"
}

var errNotParked = fault.New(fault.NotFound, "This is not parked any more.")

// TryAgain has something parked looked at again; of an order that the host
// refused, a new one goes out with all that there is to say of the user now.
func (s *Service) TryAgain(ctx context.Context, caller bank.Caller, id string) error {
	return s.tend(ctx, caller, EventRetried, id, func(c *guard.Change, a *arrival) error {
		if a.Kind != kindOrder {
			return a.settle(c.Tx, caller.Institution, waiting, a.Code, a.Note)
		}
		var o host.Order
		if err := json.Unmarshal(a.content, &o); err != nil {
			return fmt.Errorf("read the order %s: %w", id, err)
		}
		if err := s.again(c.Tx, caller.Institution, o, a.Code); err != nil {
			return err
		}
		return a.settle(c.Tx, caller.Institution, done, a.Code, a.Note)
	})
}

// again queues an order anew, with the state as it is now. Whom the host does not
// know is made there.
func (s *Service) again(tx *db.Tx, institution bank.InstitutionID, o host.Order, code string) error {
	user := o.User.User
	l, err := linkOf(tx, institution, user.Member)
	if err != nil {
		return err
	}
	l.organization = o.Organization
	ref := fmt.Sprintf("%s/again %d", user.Member, tx.Now.UnixMicro())
	if o.User.Step == host.DeleteUser || l.gone {
		user.Ref, user.Deleted = l.ref, true
		return s.send(tx, institution, &l, host.DeleteUser, user, nil, ref)
	}
	edition, profile, err := stateOf(tx, institution, o.Organization, user.Member)
	if err != nil {
		return err
	}
	state := stated(edition, &profile)
	if step := o.User.Step; step == host.CreateUser || code == string(host.UnknownUser) {
		return s.send(tx, institution, &l, host.CreateUser, state, nil, ref)
	}
	return s.send(tx, institution, &l, host.UpdateUser, state, everyField(edition, &profile), ref)
}

// everyField names all that there is of a member.
func everyField(edition bank.Edition, p *usermgmt.Profile) []string {
	fields := []string{fieldName, fieldEmail, fieldUsername, fieldRole, fieldStatus, fieldHeld}
	permissions := func(prefix string, level catalog.Levels) {
		for p := range catalog.PermissionCount {
			if p.In(edition) && p.At(level) && p != catalog.AccountAccess {
				fields = append(fields, prefix+p.ID())
			}
		}
	}
	permissions("", catalog.AtUser)
	for _, a := range p.Accounts {
		fields = append(fields, fieldAccount+a.ExternalID)
		if a.Access() {
			permissions(fieldAccount+a.ExternalID+"/", catalog.AtAccount)
		}
	}
	return fields
}

// SetAside leaves something parked as it is, for good: somebody has looked.
func (s *Service) SetAside(ctx context.Context, caller bank.Caller, id string) error {
	return s.tend(ctx, caller, EventAside, id, func(c *guard.Change, a *arrival) error {
		return a.settle(c.Tx, caller.Institution, aside, a.Code, a.Note)
	})
}

func (s *Service) tend(ctx context.Context, caller bank.Caller, event, id string, do func(*guard.Change, *arrival) error) error {
	return s.guard.Do(ctx, caller, tending(caller.Institution, event), func(c *guard.Change) error {
		found, err := db.All(c.Tx, scanArrival, selectArrival+` where institution_id = $1 and id = $2 and state = 'parked'`, caller.Institution, id)
		if err != nil {
			return fmt.Errorf("read what is parked: %w", err)
		}
		if len(found) == 0 {
			return errNotParked
		}
		c.RecordAs(event, tending(caller.Institution, event).Target, found[0].Note, activity.Change{Field: "parked", New: id})
		return do(c, &found[0])
	})
}

// An Order is one of ours that has not been carried out.
type Order struct {
	ID           string
	Key          string
	Organization bank.OrganizationID
	Room         string
	Step         host.UserStep // of one about a user
	User         bank.UserID
	Name         string // of the user
	Queued       time.Time
	Attempts     int
	Dead         bool // given up: somebody must try again, or set it aside
	Failure      string
}

func orderOf(l outbox.Letter) Order {
	o := Order{ID: l.ID, Key: l.Key, Queued: l.Queued, Attempts: l.Attempts, Dead: l.State == outbox.Dead, Failure: l.Failure}
	var asked host.Order
	if json.Unmarshal(l.Payload, &asked) != nil {
		return o // one that cannot be read is listed by its key
	}
	o.Organization, o.Room = asked.Organization, asked.Room
	if asked.User != nil {
		u := &asked.User.User
		o.Step, o.User, o.Name = asked.User.Step, u.Member, (&usermgmt.Member{FirstName: u.FirstName, LastName: u.LastName}).Name()
	}
	return o
}

// Orders lists what has not been carried out, the dead ones first.
func (s *Service) Orders(ctx context.Context, caller bank.Caller, most int) (all []Order, err error) {
	err = s.guard.Look(ctx, caller, tending(caller.Institution, eventViewed), func(v *guard.View) error {
		letters, err := outbox.Undelivered(v.Tx, caller.Institution, outbox.Host, "", most)
		for _, l := range letters {
			all = append(all, orderOf(l))
		}
		return err
	})
	return all, err
}

// Retry tries dead orders again: one, or where no id is given all.
func (s *Service) Retry(ctx context.Context, caller bank.Caller, id string) (n int64, err error) {
	err = s.guard.Do(ctx, caller, tending(caller.Institution, EventRetried), func(c *guard.Change) error {
		n, err = outbox.Revive(c.Tx, caller.Institution, outbox.Host, id)
		if err == nil && n == 0 && id != "" {
			err = fault.New(fault.NotFound, "This order is not given up any more.")
		}
		if err != nil || n == 0 {
			return err
		}
		c.Tx.AfterCommit(s.desk.Wake)
		c.RecordAs(EventRetried, tending(caller.Institution, EventRetried).Target, "", activity.Change{Field: "orders", New: fmt.Sprint(n)})
		return nil
	})
	return n, err
}

// GiveUp sets a dead order aside; what waited behind it goes on.
func (s *Service) GiveUp(ctx context.Context, caller bank.Caller, id string) error {
	return s.guard.Do(ctx, caller, tending(caller.Institution, EventAside), func(c *guard.Change) error {
		n, err := outbox.SetAside(c.Tx, caller.Institution, outbox.Host, id)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.NotFound, "This order is not dead any more.")
		}
		c.Tx.AfterCommit(s.desk.Wake)
		c.RecordAs(EventAside, tending(caller.Institution, EventAside).Target, "", activity.Change{Field: "order", New: id})
		return nil
	})
}

// looking is the action of those who look at an organization's people.
func looking(organization bank.OrganizationID) guard.Action {
	return guard.Action{
		Event: "orguser.viewed", Organization: organization, Member: catalog.ViewUsers, Staff: "people.view_all", Others: []bank.ActorKind{bank.ActorOperator},
		Target: activity.Target{Kind: activity.TargetOrganization, ID: string(organization)},
	}
}

// maxWaiting is how many people an organization's page names.
const maxWaiting = 50

// Waiting lists what the host has not done yet about an organization's people:
// the oldest order for each.
func (s *Service) Waiting(ctx context.Context, caller bank.Caller, organization bank.OrganizationID) (all []Order, err error) {
	if !s.Serves() {
		return nil, nil
	}
	err = s.guard.Look(ctx, caller, looking(organization), func(v *guard.View) error {
		links, err := db.All(v.Tx, scanLink, selectLink+`
			 where institution_id = $1 and organization_id = $2 and orders <> '[]' order by gone desc, user_id limit $3`,
			caller.Institution, organization, maxWaiting)
		if err != nil {
			return fmt.Errorf("read what the host has not done: %w", err)
		}
		for _, l := range links {
			letters, err := outbox.Undelivered(v.Tx, caller.Institution, outbox.Host, host.UserLane(l.user), maxWaiting)
			if err != nil {
				return err
			}
			for _, letter := range letters {
				o := orderOf(letter)
				if l.gone && o.Step != host.DeleteUser {
					continue // of somebody who is deleted, that alone is of interest
				}
				all = append(all, o)
				break
			}
		}
		return nil
	})
	return all, err
}

// An Importing is somebody who is being made at the host and is not complete.
type Importing struct {
	Ref   host.Ref
	Name  string
	Since time.Time
}

// Importing lists who is on the way into an organization, the oldest first.
func (s *Service) Importing(ctx context.Context, caller bank.Caller, organization bank.OrganizationID) (all []Importing, err error) {
	if !s.Serves() {
		return nil, nil
	}
	err = s.guard.Look(ctx, caller, looking(organization), func(v *guard.View) error {
		all, err = db.All(v.Tx, func(s db.Scanner) (i Importing, err error) {
			var m usermgmt.Member
			var at int64
			err = s.Scan(&i.Ref, &m.FirstName, &m.LastName, &at)
			i.Name, i.Since = m.Name(), time.UnixMicro(at).UTC()
			return i, err
		}, `select ref, first_name, last_name, at_micros from host_announced where institution_id = $1 and organization_id = $2 order by at_micros, ref limit $3`,
			caller.Institution, organization, maxWaiting)
		return err
	})
	return all, err
}

// ErrNotArriving says that nobody of that name is on the way.
var ErrNotArriving = fault.New(fault.NotFound, "Nobody of this name is on the way. They may have been taken back where they were made.")

// Arriving is somebody on the way into an organization; or who they are here,
// once all of them has arrived.
func (s *Service) Arriving(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, ref host.Ref) (i Importing, user bank.UserID, err error) {
	all, err := s.Importing(ctx, caller, organization)
	if err != nil {
		return i, "", err
	}
	for _, one := range all {
		if one.Ref == ref {
			return one, "", nil
		}
	}
	err = s.guard.Look(ctx, caller, looking(organization), func(v *guard.View) error {
		l, known, err := linkTo(v.Tx, caller.Institution, ref)
		if err != nil {
			return err
		}
		if !known || l.gone || l.organization != organization {
			return ErrNotArriving
		}
		user = l.user
		return nil
	})
	return i, user, err
}

// Now carries what waits and is short, for whoever has just asked for it.
func (s *Service) Now(ctx context.Context) {
	if s.Serves() {
		s.desk.Now(ctx)
	}
}
