package staff

import (
	"context"
	"encoding/csv"
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

// An Invitation is whom somebody wants to invite, and into which groups.
type Invitation struct {
	Emails []string
	Groups []bank.GroupID
}

// An Outcome says what became of one address.
type Outcome struct {
	Email   string
	User    bank.StaffID // where one was invited, or is there already
	Invited bool
	Problem string // why not
}

// ReadEmails takes a text apart into addresses: separated by commas, semicolons
// or line ends, or a CSV file whose header names a column "email".
func ReadEmails(text string) []string {
	if emails, ok := readCSV(text); ok {
		return emails
	}
	var emails []string
	for _, one := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(",;\n\r\t", r) }) {
		if one = strings.TrimSpace(one); one != "" {
			emails = append(emails, one)
		}
	}
	return emails
}

func readCSV(text string) (emails []string, ok bool) {
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff")))
	r.FieldsPerRecord, r.TrimLeadingSpace, r.LazyQuotes = -1, true, true
	rows, err := r.ReadAll()
	if err != nil || len(rows) == 0 {
		return nil, false
	}
	column := slices.IndexFunc(rows[0], func(name string) bool {
		name = db.Fold(name)
		return name == "email" || name == "e-mail" || name == "email address"
	})
	if column < 0 {
		return nil, false
	}
	for _, row := range rows[1:] {
		if column < len(row) && strings.TrimSpace(row[column]) != "" {
			emails = append(emails, strings.TrimSpace(row[column]))
		}
	}
	return emails, true
}

func (i Invitation) check() error {
	var problems fault.Problems
	switch n := len(i.Emails); {
	case n == 0:
		problems.Add("emails", "Enter at least one email address.")
	case n > maxInvitations:
		problems.Addf("emails", "These are %d addresses. The most at a time is %d.", n, maxInvitations)
	}
	if len(i.Groups) == 0 {
		problems.Add("groups", "Choose at least one group.")
	}
	return problems.Err("Nobody was invited.")
}

// Invite sends every address that it can a link to join, and says of each what
// became of it. It needs a high-risk authorization.
func (s *Service) Invite(ctx context.Context, caller bank.Caller, i Invitation) (outcomes []Outcome, err error) {
	if err := i.check(); err != nil {
		return nil, err
	}
	action := acting(EventInvited, catalog.StaffUsersInvite, userTarget("", ""))
	err = s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		groups, err := givenGroups(c, i.Groups)
		if err != nil {
			return err
		}
		if err := c.RequireProof(content(i)); err != nil {
			return err
		}
		outcomes = nil
		seen := map[string]bool{}
		for _, email := range i.Emails {
			o := Outcome{Email: email, Problem: bank.EmailProblem(email)}
			if o.Problem == "" && seen[db.Fold(email)] {
				o.Problem = "This address stands here twice. It was invited once."
			}
			seen[db.Fold(email)] = true
			if o.Problem == "" {
				if err := s.inviteOne(c, &o, groups); err != nil {
					return err
				}
			}
			outcomes = append(outcomes, o)
		}
		return nil
	})
	return outcomes, err
}

// givenGroups are the groups of these ids, if the caller may give all of them.
func givenGroups(c *guard.Change, ids []bank.GroupID) (groups []Group, err error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	for _, id := range ids {
		g, err := findGroup(c.Tx, c.Caller.Institution, id)
		if err != nil {
			return nil, err
		}
		if err := above(c.Tx, c.Caller, "You can’t give somebody the group "+g.Name+", which has", g.holds()); err != nil {
			return nil, err
		}
		groups = append(groups, g)
	}
	return groups, nil
}

func (s *Service) inviteOne(c *guard.Change, o *Outcome, groups []Group) error {
	institution := c.Caller.Institution
	there, found, err := userByEmail(c.Tx, institution, o.Email)
	if err != nil {
		return err
	}
	if found {
		o.User, o.Problem = there.ID, there.Name()+" is a user already. Nothing was changed."
		if there.Status == bank.StatusPending {
			o.Problem = "This address was invited before. Nothing was changed; you can send the invitation again from their page."
		}
		return nil
	}
	u := User{ID: bank.StaffID(bank.NewID(bank.PrefixStaff, c.Tx.Now)), Email: o.Email, Status: bank.StatusPending}
	if err := insertUser(c.Tx, institution, u); err != nil {
		return err
	}
	if err := replaceMemberships(c.Tx, institution, u.ID, idsOf(groups)); err != nil {
		return err
	}
	if _, err := s.links.Invite(c.Tx, identity.Staff(institution, u.ID), c.Caller); err != nil {
		return fmt.Errorf("invite %s: %w", u.ID, err)
	}
	o.User, o.Invited = u.ID, true
	c.RecordAs(EventInvited, userTarget(u.ID, u.Name()), "", activity.Change{Field: "email", New: u.Email}, activity.Change{Field: "groups", New: joined(groups)})
	return nil
}

func idsOf(groups []Group) (ids []bank.GroupID) {
	for _, g := range groups {
		ids = append(ids, g.ID)
	}
	return ids
}

// joined are groups as the history carries them: by name, since a group may be
// gone by the time somebody reads it.
func joined(groups []Group) string {
	var names []string
	for _, g := range groups {
		names = append(names, g.Name)
	}
	return strings.Join(names, ", ")
}

// InviteAgain sends somebody who has not joined a new link. The older ones no
// longer work.
func (s *Service) InviteAgain(ctx context.Context, caller bank.Caller, id bank.StaffID) error {
	return s.onUser(ctx, caller, EventInvited, catalog.StaffUsersInvite, id, func(c *guard.Change, u User) error {
		if err := s.aboveUser(c, "You can’t invite somebody who is to have", u); err != nil {
			return err
		}
		if _, err := s.links.Invite(c.Tx, identity.Staff(caller.Institution, id), caller); err != nil {
			return err
		}
		c.RecordAs(EventInvited, userTarget(id, u.Name()), "", activity.Change{Field: "invitation", New: u.Email})
		return nil
	})
}

// CancelInvitation makes the open invitation of somebody useless.
func (s *Service) CancelInvitation(ctx context.Context, caller bank.Caller, id bank.StaffID) error {
	return s.onUser(ctx, caller, EventInviteRevoked, catalog.StaffUsersInvite, id, func(c *guard.Change, u User) error {
		was, err := s.links.CancelInvitation(c.Tx, identity.Staff(caller.Institution, id))
		if err != nil {
			return err
		}
		if !was {
			return fault.New(fault.Conflict, "There is no open invitation to cancel.").With("NO_INVITATION")
		}
		c.RecordAs(EventInviteRevoked, userTarget(id, u.Name()), "", activity.Change{Field: "invitation", Old: u.Email})
		return nil
	})
}
