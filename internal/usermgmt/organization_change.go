package usermgmt

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// changeKind names the changes of organizations in the queue of what waits.
const changeKind = "organization_change"

const (
	eventChangeAsked    = "org.change_asked"
	eventChangeAgreed   = "org.change_agreed" // by one of several who must
	eventChangeRejected = "org.change_rejected"
	eventChangeExpired  = "org.change_expired"
)

// organizationChanges are what staff asked to change about organizations, as
// the queue knows them.
type organizationChanges struct{ overseer Overseer }

var _ approval.StaffKind = organizationChanges{}

// An organizationChange is what somebody asked for.
type organizationChange struct {
	asker     bank.StaffID
	was, will OrganizationRights
}

func (organizationChanges) StaffEvents() approval.Events {
	return approval.Events{Approved: eventChangeAgreed, Rejected: eventChangeRejected, Expired: eventChangeExpired}
}

// StaffMatter is a change as it would be now. It is bound to what the
// organization has: where somebody has changed that since, it must be asked for
// anew.
func (k organizationChanges) StaffMatter(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, ref string) (m approval.StaffMatter, err error) {
	asked, err := findOrganizationChange(tx, institution, organization, ref)
	if err != nil {
		return m, err
	}
	o, err := FindOrganization(tx, institution, organization)
	if err != nil {
		return m, err
	}
	accounts, err := accountsByName(tx, o.Num)
	if err != nil {
		return m, err
	}
	now := rightsNow(&o, accounts)
	m = approval.StaffMatter{
		Title: "Change of what " + o.Name + " has", Lines: asked.was.sentences(asked.will, accounts), Right: staffManage,
		Content: []byte(strings.Join([]string{string(organization), now.text(), asked.was.text(), asked.will.text()}, "\n")),
	}
	m.Oversight, m.MayAsk, err = k.overseer.Oversight(tx, institution, asked.asker, staffManage)
	return m, err
}

// Agreed applies a change, by the same door as any other.
func (organizationChanges) Agreed(c *guard.Change, item approval.Item) error {
	asked, err := findOrganizationChange(c.Tx, item.Institution, item.Organization, item.Ref)
	if err != nil {
		return err
	}
	o, err := FindOrganization(c.Tx, item.Institution, item.Organization)
	if err != nil {
		return err
	}
	if err := asked.will.check(c.Policy, asked.was); err != nil {
		return err
	}
	note := "Asked for by " + item.Initiator.Name
	if item.Comment != "" {
		note += ". " + item.Comment
	}
	return storeOrganizationRights(c, o.Name, note, asked.was, asked.will)
}

// rightsText is how rights are written down: by name, amounts as everywhere.
type rightsText struct {
	Has      []string
	Ceilings map[string]string
	Off      AccountsOff `json:",omitempty"`
}

func (r OrganizationRights) text() string {
	t := rightsText{Ceilings: map[string]string{}, Off: r.Off}
	for _, e := range catalog.EntitlementsIn(r.Entitlements) {
		t.Has = append(t.Has, e.ID())
	}
	for limit := range catalog.LimitCount {
		if text := limitText(r.Ceilings, limit); text != "" {
			t.Ceilings[limit.Permission().ID()] = text
		}
	}
	text, err := json.Marshal(t)
	if err != nil {
		panic("usermgmt: " + err.Error()) // names and amounts can be written
	}
	return string(text)
}

func readRights(text string) (r OrganizationRights, err error) {
	var t rightsText
	if err := json.Unmarshal([]byte(text), &t); err != nil {
		return r, fmt.Errorf("read what an organization has: %w", err)
	}
	r.Off = t.Off
	for _, id := range t.Has {
		e, known := catalog.ParseEntitlement(id)
		if !known {
			return r, fmt.Errorf("read what an organization has: there is no entitlement %q", id)
		}
		r.Entitlements = r.Entitlements.With(e)
	}
	for id, amount := range t.Ceilings {
		p, known := catalog.ParsePermission(id)
		if !known || !p.IsLimit() {
			return r, fmt.Errorf("read what an organization has: there is no limit %q", id)
		}
		cents, err := bank.ParseAmount(amount)
		if err != nil {
			return r, fmt.Errorf("read the ceiling %s: %w", id, err)
		}
		r.Ceilings = r.Ceilings.With(p.Limit(), cents)
	}
	return r, nil
}

func insertOrganizationChange(c *guard.Change, was, will OrganizationRights) (id string, err error) {
	id = bank.NewID("och", c.Tx.Now)
	_, err = c.Tx.Exec(`
		insert into organization_change (institution_id, organization_id, id, staff_id, was, will, created_micros) values ($1, $2, $3, $4, $5, $6, $7)`,
		c.Caller.Institution, c.Policy.Organization.ID, id, c.Caller.ID, was.text(), will.text(), c.Tx.Now.UnixMicro())
	if err != nil {
		return "", fmt.Errorf("store what was asked for: %w", err)
	}
	return id, nil
}

func findOrganizationChange(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, id string) (o organizationChange, err error) {
	var was, will string
	err = tx.QueryRow(`select staff_id, was, will from organization_change where institution_id = $1 and organization_id = $2 and id = $3`,
		institution, organization, id).Scan(&o.asker, &was, &will)
	if errors.Is(err, db.ErrNoRows) {
		return o, fault.New(fault.NotFound, "There is no such change.")
	}
	if err != nil {
		return o, fmt.Errorf("read what was asked for: %w", err)
	}
	if o.was, err = readRights(was); err != nil {
		return o, err
	}
	o.will, err = readRights(will)
	return o, err
}
