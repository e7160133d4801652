// Package alert tells people by mail what they should not miss: new people, new
// admins, raised limits, removed holds, changed addresses. It watches what the
// guard records and queues mail in the same transaction; it changes nothing and
// judges nothing. A sign-in from a new device is told by identity.
package alert

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/identity"
)

// A Kind is something that people can be told of.
type Kind string

const (
	NewUser      Kind = "new_user"
	NewAdmin     Kind = "new_admin"
	LimitRaised  Kind = "limit_raised"
	HoldRemoved  Kind = "hold_removed"
	EmailChanged Kind = "email_changed"
	NewAccount   Kind = "new_account"
	OneAdminLeft Kind = "one_admin_left"
	PersonLocked Kind = "locked"
	InviteWanted Kind = "invitation_wanted"
)

// A Choice is a kind with its words, for the page where people choose.
type Choice struct {
	Kind  Kind
	Label string
	Help  string
}

// Choices are all kinds in the order of the page.
func Choices() []Choice {
	return []Choice{
		{NewUser, "New user", "Somebody was created in your organization."},
		{NewAdmin, "New admin", "Somebody became an admin."},
		{LimitRaised, "Limit raised", "Somebody may move more money than before."},
		{HoldRemoved, "Hold removed", "Somebody on hold may sign in again."},
		{EmailChanged, "Email changed", "Somebody's email address was changed."},
		{NewAccount, "New account", "The organization has a new account. Nobody has access to it yet."},
		{PersonLocked, "Locked", "Somebody was locked after wrong attempts."},
		{InviteWanted, "Invitation wanted", "Somebody whose invitation failed asks for a new one."},
		{OneAdminLeft, "One admin left", "Only one admin who can sign in is left."},
	}
}

// Audience finds who administers an organization now.
type Audience func(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID) ([]identity.Person, error)

// A Service queues alerts and keeps who wants which.
type Service struct {
	db       *db.DB
	mailer   identity.Mailer
	audience Audience
}

// New returns the room. Give its Watch to the guard.
func New(d *db.DB, mailer identity.Mailer, audience Audience) *Service {
	return &Service{db: d, mailer: mailer, audience: audience}
}

// Watch queues mail for what a change recorded. It runs inside the change: what
// is not committed is not told. Many events of a kind are one letter.
func (s *Service) Watch(c *guard.Change, events []activity.Event) error {
	about := map[Kind][]*activity.Event{}
	for i := range events {
		for _, kind := range kindsOf(&events[i]) {
			about[kind] = append(about[kind], &events[i])
		}
	}
	if len(about) == 0 {
		return nil
	}
	admins, err := s.audience(c.Tx, events[0].Institution, events[0].Organization)
	if err != nil {
		return fmt.Errorf("find who is to be told: %w", err)
	}
	for _, choice := range Choices() {
		if len(about[choice.Kind]) == 0 {
			continue
		}
		if err := s.tellAdmins(c.Tx, choice.Kind, about[choice.Kind], admins); err != nil {
			return err
		}
	}
	for _, e := range about[EmailChanged] {
		if err := s.tellBothAddresses(c.Tx, e, admins); err != nil {
			return err
		}
	}
	return nil
}

// kindsOf says what an event is about, if it is about anything to be told.
func kindsOf(e *activity.Event) (kinds []Kind) {
	if e.Refused || e.Channel == bank.ChannelImport && e.Name != "org.account_added" {
		return nil
	}
	switch e.Name {
	case "orguser.created":
		kinds = append(kinds, NewUser)
	case "orguser.hold_removed":
		kinds = append(kinds, HoldRemoved)
	case "orguser.locked":
		kinds = append(kinds, PersonLocked)
	case "orguser.invite_requested":
		kinds = append(kinds, InviteWanted)
	case "org.account_added":
		kinds = append(kinds, NewAccount)
	case "org.one_admin_left":
		kinds = append(kinds, OneAdminLeft)
	}
	for _, c := range e.Changes {
		switch {
		case c.Field == "role" && c.New == bank.RoleAdmin.String():
			kinds = append(kinds, NewAdmin)
		case c.Field == "email" && c.Old != "" && c.New != "":
			kinds = append(kinds, EmailChanged)
		case e.Name != "orguser.created" && raised(c):
			kinds = append(kinds, LimitRaised)
		}
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// raised reports whether a change lets somebody move more. An account's limit
// that is taken away gives way to the member's own.
func raised(c activity.Change) bool {
	p, known := catalog.ParsePermission(c.Field)
	if !known || !p.IsLimit() {
		return false
	}
	was, wasErr := bank.ParseAmount(c.Old)
	is, isErr := bank.ParseAmount(c.New)
	switch {
	case isErr != nil:
		return c.New == "" && wasErr == nil
	case wasErr != nil:
		return len(c.Accounts) == 0 && is > 0
	}
	return is > was
}

func (s *Service) tellAdmins(tx *db.Tx, kind Kind, events []*activity.Event, admins []identity.Person) error {
	for _, admin := range admins {
		if admin.Subject.ID == events[0].Actor.ID || admin.Email == "" {
			continue // whoever did it knows
		}
		off, err := isOff(tx, admin.Subject, kind)
		if err != nil {
			return err
		}
		if off {
			continue
		}
		if err := s.mailer.Queue(tx, s.letter(kind, events, &admin)); err != nil {
			return fmt.Errorf("queue an alert: %w", err)
		}
	}
	return nil
}

// maxLines is how many events one letter tells of; of the rest it says how many
// there are.
const maxLines = 12

func (s *Service) letter(kind Kind, events []*activity.Event, to *identity.Person) identity.Mail {
	var lines []string
	for _, e := range events[:min(len(events), maxLines)] {
		lines = append(lines, sentence(kind, e))
	}
	if more := len(events) - maxLines; more > 0 {
		lines = append(lines, fmt.Sprintf("And %d more.", more))
	}
	return identity.Mail{
		Key: "alert " + events[0].ID + " " + string(kind) + " " + to.Subject.ID, Institution: events[0].Institution, Organization: events[0].Organization,
		Purpose: "alert." + string(kind), To: to.Email, Name: to.Name(), From: to.InstitutionName,
		Subject: label(kind) + " at " + to.OrganizationName,
		Lines:   append(lines, "If this is not right, sign in and look at the history under Settings, or call your institution."),
	}
}

// label is the kind in a few words: the subject of its letters.
func label(kind Kind) string {
	i := slices.IndexFunc(Choices(), func(c Choice) bool { return c.Kind == kind })
	return Choices()[i].Label
}

// sentence is what an alert says. Amounts and addresses stay out of mail.
func sentence(kind Kind, e *activity.Event) string {
	who := e.Actor.Name
	switch kind {
	case NewUser:
		return fmt.Sprintf("%s created the user %s.", who, e.Target.Name)
	case NewAdmin:
		return fmt.Sprintf("%s made %s an admin.", who, e.Target.Name)
	case LimitRaised:
		return fmt.Sprintf("%s raised what %s may move: %s.", who, e.Target.Name, strings.Join(raisedLabels(e), ", "))
	case HoldRemoved:
		return fmt.Sprintf("%s removed the hold on %s's account access.", who, e.Target.Name)
	case EmailChanged:
		return fmt.Sprintf("%s changed the email address of %s.", who, e.Target.Name)
	case NewAccount:
		return fmt.Sprintf("The account %s was added. Nobody has access to it until an admin gives it.", e.Target.Name)
	case InviteWanted:
		return fmt.Sprintf("The invitation of %s failed, and they ask for a new one. Open their profile under User management to send it.", e.Target.Name)
	case PersonLocked:
		return fmt.Sprintf("%s's account access is locked due to multiple incorrect login attempts. An admin can unlock it.", e.Target.Name)
	}
	return e.Note
}

func raisedLabels(e *activity.Event) (labels []string) {
	for _, c := range e.Changes {
		if p, known := catalog.ParsePermission(c.Field); known && raised(c) && !slices.Contains(labels, p.Info().Label) {
			labels = append(labels, p.Info().Label)
		}
	}
	return labels
}

// tellBothAddresses writes to the old and the new address when one is changed:
// whoever holds only one of them must not miss it. Nobody can turn this off.
func (s *Service) tellBothAddresses(tx *db.Tx, e *activity.Event, admins []identity.Person) error {
	for _, c := range e.Changes {
		if c.Field != "email" || c.Old == "" || c.New == "" || e.Target.Kind != activity.TargetMember {
			continue
		}
		for _, address := range []string{c.Old, c.New} {
			m := identity.Mail{
				Key: "email changed " + e.ID + " " + address, Institution: e.Institution, Organization: e.Organization, Purpose: "orguser.profile_changed",
				To: address, Name: e.Target.Name, From: institutionName(admins), Subject: "Your email address was changed",
				Lines: []string{
					fmt.Sprintf("%s changed the email address of your user. Links that were sent before no longer work.", e.Actor.Name),
					"If you did not expect this, tell an admin of your organization or your institution.",
				},
			}
			if err := s.mailer.Queue(tx, m); err != nil {
				return fmt.Errorf("queue a notice: %w", err)
			}
		}
	}
	return nil
}

func institutionName(admins []identity.Person) string {
	if len(admins) == 0 {
		return "Your institution"
	}
	return admins[0].InstitutionName
}

func isOff(tx *db.Tx, who identity.Subject, kind Kind) (bool, error) {
	n, err := db.One(tx, db.Value[int64], `select count(*) from alert_off where institution_id = $1 and member_id = $2 and kind = $3`,
		who.Institution, who.ID, kind)
	if err != nil {
		return false, fmt.Errorf("read who wants alerts: %w", err)
	}
	return n > 0, nil
}

// Wanted says which alerts a member gets.
func (s *Service) Wanted(ctx context.Context, caller bank.Caller) (map[Kind]bool, error) {
	who, ok := identity.SubjectOf(caller)
	if !ok {
		return nil, fault.New(fault.Forbidden, "Only people have alerts.")
	}
	wanted := map[Kind]bool{}
	err := s.db.Read(ctx, func(tx *db.Tx) error {
		off, err := db.All(tx, db.Value[Kind], `select kind from alert_off where institution_id = $1 and member_id = $2`, who.Institution, who.ID)
		for _, choice := range Choices() {
			wanted[choice.Kind] = !slices.Contains(off, choice.Kind)
		}
		return err
	})
	return wanted, err
}

// Want stores which alerts a member gets: those that are not true are off.
func (s *Service) Want(ctx context.Context, caller bank.Caller, wanted map[Kind]bool) error {
	who, ok := identity.SubjectOf(caller)
	if !ok {
		return fault.New(fault.Forbidden, "Only people have alerts.")
	}
	return s.db.Write(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(`delete from alert_off where institution_id = $1 and member_id = $2`, who.Institution, who.ID); err != nil {
			return fmt.Errorf("forget who wants alerts: %w", err)
		}
		for _, choice := range Choices() {
			if wanted[choice.Kind] {
				continue
			}
			if _, err := tx.Exec(`insert into alert_off (institution_id, member_id, kind) values ($1, $2, $3)`, who.Institution, who.ID, choice.Kind); err != nil {
				return fmt.Errorf("store who wants alerts: %w", err)
			}
		}
		return nil
	})
}
