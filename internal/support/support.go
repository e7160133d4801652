// Package support is the room of support cases: what a customer's member needed
// help with, who of the institution's staff opened it, and where it stands. A
// case changes no right and is seen by staff alone.
package support

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// History events of the room.
const (
	EventOpened  = "support.case_opened"
	EventChanged = "support.case_changed"
)

// Named limits.
const (
	MaxSubject = 100
	MaxDetails = 2000
	maxListed  = 200 // cases of one member
)

// A Status is where a case stands.
type Status string

const (
	Open    Status = "open"
	Waiting Status = "waiting" // for the customer
	Solved  Status = "solved"
)

// Statuses are all, in the order in which a case usually goes through them.
func Statuses() []Status { return []Status{Open, Waiting, Solved} }

var labels = map[Status]string{Open: "Open", Waiting: "Waiting for the customer", Solved: "Solved"}

// Label is the status as screens show it.
func (s Status) Label() string { return labels[s] }

// A Case is one of a member.
type Case struct {
	Number       int64
	Organization bank.OrganizationID
	Member       bank.UserID
	Subject      string
	Details      string
	Status       Status
	OpenedBy     string
	Opened       time.Time
	Changed      time.Time // when its status last changed
}

// A Draft is what somebody says about a new case.
type Draft struct{ Subject, Details string }

// Check says everything that is wrong with it, by form field.
func (d Draft) Check() fault.Problems {
	var problems fault.Problems
	if d.Subject == "" {
		problems.Add("subject", "Say in a few words what the member needs.")
	}
	if n := utf8.RuneCountInString(d.Subject); n > MaxSubject || !bank.Printable(d.Subject) {
		problems.Addf("subject", "Use at most %d characters, all of which can be shown.", MaxSubject)
	}
	if n := utf8.RuneCountInString(d.Details); n > MaxDetails {
		problems.Addf("details", "Use at most %d characters; these are %d.", MaxDetails, n)
	}
	return problems
}

// A Service is the verbs of the room.
type Service struct{ guard *guard.Guard }

// New returns the room on a door.
func New(g *guard.Guard) *Service { return &Service{guard: g} }

var (
	errNoMember = fault.New(fault.NotFound, "There is no such person in this organization. They may have been deleted.")
	errNoCase   = fault.New(fault.NotFound, "There is no such case.")
)

// about is the action of doing something about a member's cases.
func about(organization bank.OrganizationID, member bank.UserID, event string, needs catalog.StaffPermission) guard.Action {
	return guard.Action{
		Event: event, Organization: organization, Staff: needs.ID(), Target: activity.Target{Kind: activity.TargetMember, ID: string(member)},
		Scope: entitlement.Scope{Members: []bank.UserID{member}},
	}
}

// Cases lists a member's cases, the newest first.
func (s *Service) Cases(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, member bank.UserID) (cases []Case, err error) {
	err = s.guard.Look(ctx, caller, about(organization, member, "support.cases_viewed", catalog.PeopleViewAll), func(v *guard.View) error {
		if v.Policy.Members[member] == nil {
			return errNoMember
		}
		cases, err = db.All(v.Tx, scanCase, selectCase+`
			 where institution_id = $1 and organization_id = $2 and member_id = $3 order by number desc limit $4`, caller.Institution, organization, member, maxListed)
		return err
	})
	return cases, err
}

// OpenCase opens a case about a member.
func (s *Service) OpenCase(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, member bank.UserID, d Draft) (number int64, err error) {
	d.Subject, d.Details = strings.TrimSpace(d.Subject), strings.TrimSpace(d.Details)
	action := about(organization, member, EventOpened, catalog.PeopleManageAll)
	err = s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		if c.Policy.Members[member] == nil {
			return errNoMember
		}
		if err := d.Check().Err("The case was not opened."); err != nil {
			return err
		}
		number, err = insertCase(c.Tx, caller, Case{Organization: organization, Member: member, Subject: d.Subject, Details: d.Details})
		if err != nil {
			return err
		}
		c.RecordQuiet(EventOpened, action.Target, "", activity.Change{Field: "support_case", New: caseName(number, d.Subject)})
		return nil
	})
	return number, err
}

func caseName(number int64, subject string) string {
	return "#" + strconv.FormatInt(number, 10) + " " + subject
}

// SetStatus says where a case stands now.
func (s *Service) SetStatus(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, member bank.UserID, number int64, status Status) error {
	action := about(organization, member, EventChanged, catalog.PeopleManageAll)
	return s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		was, err := findCase(c.Tx, caller.Institution, organization, member, number)
		if err != nil || was.Status == status {
			return err
		}
		if labels[status] == "" {
			var problems fault.Problems
			problems.Add("status", "Choose one of the list.")
			return problems.Err("The case was not changed.")
		}
		if _, err := c.Tx.Exec(`update support_case set status = $1, changed_micros = $2 where institution_id = $3 and number = $4`,
			status, c.Tx.Now.UnixMicro(), caller.Institution, number); err != nil {
			return fmt.Errorf("store where the case stands: %w", err)
		}
		c.RecordQuiet(EventChanged, action.Target, caseName(number, was.Subject), activity.Change{Field: "support_status", Old: was.Status.Label(), New: status.Label()})
		return nil
	})
}

const selectCase = `
	select number, organization_id, member_id, subject, details, status, opened_by_name, opened_micros, changed_micros from support_case`

func scanCase(row db.Scanner) (c Case, err error) {
	var opened, changed int64
	err = row.Scan(&c.Number, &c.Organization, &c.Member, &c.Subject, &c.Details, &c.Status, &c.OpenedBy, &opened, &changed)
	c.Opened, c.Changed = time.UnixMicro(opened).UTC(), time.UnixMicro(changed).UTC()
	return c, err
}

func findCase(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, member bank.UserID, number int64) (Case, error) {
	c, err := db.One(tx, scanCase, selectCase+` where institution_id = $1 and number = $2 and organization_id = $3 and member_id = $4`,
		institution, number, organization, member)
	if errors.Is(err, db.ErrNoRows) {
		return Case{}, errNoCase
	}
	if err != nil {
		return Case{}, fmt.Errorf("find the case: %w", err)
	}
	return c, nil
}

func insertCase(tx *db.Tx, caller bank.Caller, c Case) (number int64, err error) {
	if number, err = db.One(tx, db.Value[int64], `
		insert into support_counter (institution_id, last) values ($1, 1)
		on conflict (institution_id) do update set last = support_counter.last + 1
		returning last`, caller.Institution); err != nil {
		return 0, fmt.Errorf("number the case: %w", err)
	}
	_, err = tx.Exec(`
		insert into support_case (institution_id, organization_id, member_id, number, subject, details, status, opened_by_id, opened_by_name, opened_micros, changed_micros)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)`,
		caller.Institution, c.Organization, c.Member, number, c.Subject, c.Details, Open, caller.ID, caller.Name, tx.Now.UnixMicro())
	if err != nil {
		return 0, fmt.Errorf("store the case: %w", err)
	}
	return number, nil
}
