package usermgmt

import (
	"errors"
	"fmt"

	"mandate/internal/activity"
	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// Staff permissions that this room asks for (the console's catalogue names all).
const (
	staffView   = "people.view_all"
	staffManage = "people.manage_all"
)

// A Service is the verbs of the room.
type Service struct {
	guard *guard.Guard
	links Links
	works []Work
	taste Discretion

	overseer  Overseer
	safeguard Safeguard
	departure Departure
	index     customerIndex
	queue     *approval.Service
	memory    Memory
}

// New returns the room on a door. links send people their links.
func New(g *guard.Guard, links Links) *Service { return &Service{guard: g, links: links} }

// ErrNoMember says that the organization has no such person.
var ErrNoMember = fault.New(fault.NotFound, "There is no such person in this organization. They may have been deleted.")

// A Person names one member of one organization.
type Person struct {
	Organization bank.OrganizationID
	User         bank.UserID
}

// looking is the action of reading something about a person or, with an empty
// User, about the whole organization.
func looking(p Person, op catalog.Operation, scope entitlement.Scope) guard.Action {
	return guard.Action{
		Event:        "orguser.viewed",
		Organization: p.Organization,
		Target:       activity.Target{Kind: activity.TargetMember, ID: string(p.User)},
		Member:       op,
		Staff:        staffView,
		Others:       []bank.ActorKind{bank.ActorOperator, bank.ActorClient},
		Scope:        scope,
	}
}

const selectMember = `
	select m.ordinal, m.id, m.external_id, m.first_name, m.last_name, m.email, m.username, m.role, m.status, m.held,
	       m.switches, m.edit_level, m.ach_daily, m.ach_batch, m.transfer, m.wire, m.wires_day, m.wires_dual, m.version, m.preferred_name,
	       coalesce((select a.etag from avatar a where a.organization_num = m.organization_num and a.member_ordinal = m.ordinal), '')
	  from member m`

func scanMember(s db.Scanner) (m Member, err error) {
	var limits limitColumns
	dest := []any{&m.Ordinal, &m.ID, &m.ExternalID, &m.FirstName, &m.LastName, &m.Email, &m.Username, &m.Role, &m.Status, &m.Held,
		&m.Settings.On, &m.Settings.EditLevel}
	err = s.Scan(append(append(dest, limits.all()...), &m.Version, &m.PreferredName, &m.Avatar)...)
	m.Settings.Limits = limits.limits()
	return m, err
}

// findMember reads a member of the organization numbered num.
func findMember(tx *db.Tx, num int64, id bank.UserID) (Member, error) {
	m, err := db.One(tx, scanMember, selectMember+` where m.organization_num = $1 and m.id = $2`, num, id)
	if errors.Is(err, db.ErrNoRows) {
		return Member{}, ErrNoMember
	}
	if err != nil {
		return Member{}, fmt.Errorf("read the member %s: %w", id, err)
	}
	return m, nil
}
