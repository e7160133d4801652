package hostsync

import (
	"fmt"
	"slices"
	"strings"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/guard"
	"mandate/internal/host"
	"mandate/internal/usermgmt"
)

// Fields of a user that an order or an event names (host.UserOrder).
const (
	fieldName     = "name"
	fieldEmail    = "email"
	fieldUsername = "username"
	fieldRole     = "role"
	fieldStatus   = "status"
	fieldHeld     = "held"
	fieldAccount  = "account/"
)

// watch queues an order for every member that a change touched, one for each
// however much of them it changed. What the host itself made is no news to it,
// and an import brings what the institution's systems have already.
func (s *Service) watch(c *guard.Change, events []activity.Event) error {
	if c.Caller.Kind == bank.ActorHost || c.Caller.Channel == bank.ChannelImport {
		return nil
	}
	var touched []*change
	for i := range events {
		e := &events[i]
		if e.Target.Kind != activity.TargetMember || e.Refused || e.Organization == "" {
			continue
		}
		at := slices.IndexFunc(touched, func(t *change) bool { return t.user == bank.UserID(e.Target.ID) })
		if at < 0 {
			at = len(touched)
			touched = append(touched, &change{user: bank.UserID(e.Target.ID), name: e.Target.Name, organization: e.Organization, step: host.UpdateUser})
		}
		touched[at].add(e)
	}
	touched = slices.DeleteFunc(touched, func(t *change) bool { return t.step == host.UpdateUser && !t.concerns() })
	for len(touched) > 0 {
		together := 1
		for together < min(readAtOnce, len(touched)) && touched[together].organization == touched[0].organization {
			together++
		}
		if err := s.orders(c.Tx, c.Caller.Institution, touched[:together]); err != nil {
			return err
		}
		touched = touched[together:]
	}
	return nil
}

// readAtOnce is how many members are read together.
const readAtOnce = 40

// orders queues orders about members of one organization, who are read together.
func (s *Service) orders(tx *db.Tx, institution bank.InstitutionID, touched []*change) error {
	var all, still []bank.UserID
	for _, t := range touched {
		all = append(all, t.user)
		if t.step != host.DeleteUser {
			still = append(still, t.user)
		}
	}
	edition, profiles, err := statesOf(tx, institution, touched[0].organization, still...)
	if err != nil {
		return err
	}
	links, err := linksOf(tx, institution, all)
	if err != nil {
		return err
	}
	for _, t := range touched {
		var profile *usermgmt.Profile
		if t.step != host.DeleteUser {
			profile, profiles = &profiles[0], profiles[1:]
		}
		if err := s.order(tx, institution, t, links[t.user], edition, profile); err != nil {
			return err
		}
	}
	return nil
}

// A change is what became of one member in one save.
type change struct {
	organization bank.OrganizationID
	user         bank.UserID
	name         string
	step         host.UserStep
	fields       []string                    // of the member's own
	accounts     map[bank.AccountID][]string // permissions by account
	sequence     int64                       // of the last event about them, which no other save has
}

func (t *change) concerns() bool { return len(t.fields)+len(t.accounts) > 0 }

func (t *change) add(e *activity.Event) {
	t.sequence = e.Sequence
	switch e.Name {
	case "orguser.created":
		t.step = host.CreateUser
	case "orguser.deleted":
		t.step = host.DeleteUser
	}
	for _, c := range usermgmt.Unpack(e.Changes) {
		t.field(c)
	}
}

// field takes in that a field changed, if it is one that the host knows.
func (t *change) field(c activity.Change) {
	name := c.Field
	switch name {
	case "first_name", "last_name":
		name = fieldName
	case fieldEmail, fieldUsername, fieldRole, fieldStatus, fieldHeld:
	default:
		if _, known := catalog.ParsePermission(name); !known {
			return
		}
	}
	for _, account := range c.Accounts {
		if t.accounts == nil {
			t.accounts = map[bank.AccountID][]string{}
		}
		if id := bank.AccountID(account); !slices.Contains(t.accounts[id], name) {
			t.accounts[id] = append(t.accounts[id], name)
		}
	}
	if len(c.Accounts) == 0 && !slices.Contains(t.fields, name) {
		t.fields = append(t.fields, name)
	}
}

// order queues an order with the state of what changed, as it is now; no profile
// is left of somebody who was deleted.
func (s *Service) order(tx *db.Tx, institution bank.InstitutionID, t *change, l link, edition bank.Edition, profile *usermgmt.Profile) error {
	l.organization = t.organization
	user := host.User{Ref: l.ref, Member: t.user}
	var fields []string
	if profile == nil {
		o, err := usermgmt.FindOrganization(tx, institution, t.organization)
		if err != nil {
			return err
		}
		user.Organization, user.Deleted, l.gone = host.Ref(o.ExternalID), true, true
		first, last, _ := strings.Cut(t.name, " ")
		user.FirstName, user.LastName = first, last // for those who look at what waits
	} else {
		user = stated(edition, profile)
		if l.ref == "" {
			l.ref = user.Ref
		}
		user.Ref = l.ref
		if t.step == host.UpdateUser {
			fields = named(t, profile, user)
		}
	}
	return s.send(tx, institution, &l, t.step, user, fields, fmt.Sprintf("%s/%d", t.user, t.sequence))
}

// send queues an order about a user and notes that it is on its way.
func (s *Service) send(tx *db.Tx, institution bank.InstitutionID, l *link, step host.UserStep, user host.User, fields []string, ref string) error {
	o := host.Order{
		Institution: institution, Organization: l.organization, Room: Room, Ref: ref,
		User: &host.UserOrder{Step: step, User: user, Fields: fields},
	}
	if err := host.Queue(tx, o); err != nil {
		return err
	}
	tx.AfterCommit(s.desk.Wake)
	l.orders = append(l.orders, sent{Key: o.Key(), Fields: fields})
	return l.store(tx, institution)
}

func stateOf(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, user bank.UserID) (bank.Edition, usermgmt.Profile, error) {
	edition, profiles, err := statesOf(tx, institution, organization, user)
	if err != nil {
		return 0, usermgmt.Profile{}, err
	}
	return edition, profiles[0], nil
}

// statesOf reads members of an organization as they are now.
func statesOf(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, users ...bank.UserID) (bank.Edition, []usermgmt.Profile, error) {
	if len(users) == 0 {
		return 0, nil, nil
	}
	i, _, err := usermgmt.FindInstitution(tx, institution)
	if err != nil {
		return 0, nil, err
	}
	profiles, err := usermgmt.FindProfiles(tx, institution, organization, users...)
	return i.Edition, profiles, err
}

// stated is a member as the host is told of them, whole.
func stated(edition bank.Edition, p *usermgmt.Profile) host.User {
	m := &p.Member
	u := host.User{
		Ref: refOf(m), Organization: host.Ref(p.Organization.ExternalID), Member: m.ID,
		FirstName: m.FirstName, LastName: m.LastName, Email: m.Email, Username: m.Username, Role: m.Role, Status: m.Status, Held: m.Held,
		Permissions: usermgmt.WrittenSettings(edition, catalog.AtUser, m.Settings),
		Accounts:    map[host.Ref]map[string]string{},
	}
	for _, a := range p.Accounts {
		if a.Access() {
			u.Accounts[host.Ref(a.ExternalID)] = onAccount(edition, a)
		}
	}
	return u
}

// onAccount are the permissions of an account that a member has access to; the
// access itself goes without saying.
func onAccount(edition bank.Edition, a usermgmt.MemberAccount) map[string]string {
	written := usermgmt.WrittenSettings(edition, catalog.AtAccount, a.Settings)
	delete(written, catalog.AccountAccess.ID())
	return written
}

// refOf is the host's name of a member, as far as it is known: who was made here
// goes by our own id until the host has answered.
func refOf(m *usermgmt.Member) host.Ref {
	if m.ExternalID == string(m.ID) {
		return ""
	}
	return host.Ref(m.ExternalID)
}

// named are the fields of an update. An account that opens brings all that is on
// there, for the host forgets it with the access.
func named(t *change, p *usermgmt.Profile, u host.User) []string {
	fields := slices.Clone(t.fields)
	for _, a := range p.Accounts {
		permissions, ref := t.accounts[a.ID], host.Ref(a.ExternalID)
		if len(permissions) == 0 {
			continue
		}
		access := slices.Contains(permissions, catalog.AccountAccess.ID())
		if access {
			fields = append(fields, fieldAccount+string(ref))
		}
		on, open := u.Accounts[ref]
		if !open {
			continue
		}
		for id := range on {
			if access && !slices.Contains(permissions, id) {
				permissions = append(permissions, id)
			}
		}
		slices.Sort(permissions)
		for _, id := range permissions {
			if id != catalog.AccountAccess.ID() {
				fields = append(fields, fieldAccount+string(ref)+"/"+id)
			}
		}
	}
	return fields
}

// depart keeps how the host names somebody who is about to be deleted.
func (s *Service) depart(tx *db.Tx, o usermgmt.Organization, m usermgmt.Member) error {
	l, err := linkOf(tx, o.Institution, m.ID)
	if err != nil || l.ref != "" {
		return err
	}
	l.organization, l.ref = o.ID, refOf(&m)
	return l.store(tx, o.Institution)
}
