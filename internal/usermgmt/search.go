package usermgmt

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// staffAudit is the staff permission to search the history of everything.
const staffAudit = "platform.audit.search"

// A HistoryQuery is what the institution's staff ask of the history: of
// everything, of one organization, or of one member of it.
type HistoryQuery struct {
	Person  Person       // empty: everything, with what the institution's own people did among themselves
	Staff   bank.StaffID // of everything: what this staff user did
	Kind    string       // of activity.Kinds
	By      bank.ActorKind
	Channel bank.Channel
	Outcome activity.Outcome
	From    bank.Day // inclusive, in the institution's time zone; empty: no bound
	Until   bank.Day // inclusive
	Before  activity.Place
	After   activity.Place
	Limit   int
}

// A HistoryPage is one page of it, newest first.
type HistoryPage struct {
	activity.Found
	Organizations map[bank.OrganizationID]string // the names of those that the events are of
	Accounts      []MemberAccount                // those that the events name, without anybody's settings
}

// SearchHistory is for staff alone. What a customer's profile shows needs the
// right to see profiles; everything needs the right to search audit logs.
func (s *Service) SearchHistory(ctx context.Context, caller bank.Caller, q HistoryQuery) (page HistoryPage, err error) {
	action := guard.Action{Event: "institution.history_searched", Staff: staffAudit, Others: []bank.ActorKind{bank.ActorOperator},
		Target: activity.Target{Kind: activity.TargetInstitution, ID: string(caller.Institution)}}
	if q.Person.Organization != "" {
		action.Organization, action.Staff = q.Person.Organization, staffView
	}
	err = s.guard.Look(ctx, caller, action, func(v *guard.View) error {
		search, err := q.search(v, caller.Institution)
		if err != nil {
			return err
		}
		if page.Found, err = activity.Everywhere(v.Tx, search); err != nil {
			return err
		}
		if err := readable(v.Tx, caller.Institution, page.Events); err != nil {
			return err
		}
		if page.Organizations, err = organizationsOf(v.Tx, caller.Institution, page.Events); err != nil {
			return err
		}
		page.Accounts, err = accountsIn(v.Tx, caller.Institution, page.Events)
		return err
	})
	return page, err
}

func (q HistoryQuery) search(v *guard.View, institution bank.InstitutionID) (activity.Search, error) {
	i, _, err := FindInstitution(v.Tx, institution)
	if err != nil {
		return activity.Search{}, err
	}
	search := activity.Search{
		Institution: institution, Organization: q.Person.Organization, Member: q.Person.User, Staff: q.Staff,
		Kind: q.Kind, By: q.By, Channel: q.Channel, Outcome: q.Outcome, Before: q.Before, After: q.After, Limit: q.Limit,
	}
	var problems fault.Problems
	days := FeedQuery{From: q.From, Until: q.Until}
	search.From, search.Until = days.edges(i.Place(), &problems)
	return search, problems.Err("These days cannot be shown.")
}

// organizationsOf are the names of the organizations that events are of.
func organizationsOf(tx *db.Tx, institution bank.InstitutionID, events []activity.Event) (map[bank.OrganizationID]string, error) {
	names := map[bank.OrganizationID]string{}
	for _, e := range events {
		if _, known := names[e.Organization]; known || e.Organization == "" {
			continue
		}
		o, err := FindOrganization(tx, institution, e.Organization)
		if err != nil {
			return nil, fmt.Errorf("name the organization of an event: %w", err)
		}
		names[e.Organization] = o.Name
	}
	return names, nil
}

// maxAccountsNamed is how many accounts of one change are named; screens count
// the others.
const maxAccountsNamed = 8

// accountsIn are the accounts that events name.
func accountsIn(tx *db.Tx, institution bank.InstitutionID, events []activity.Event) (all []MemberAccount, err error) {
	var ids []string
	for _, e := range events {
		for _, c := range e.Changes {
			ids = append(ids, c.Accounts[:min(len(c.Accounts), maxAccountsNamed)]...)
			for _, value := range []string{c.Old, c.New} {
				if strings.HasPrefix(value, bank.PrefixAccount+"_") {
					ids = append(ids, value)
				}
			}
		}
	}
	slices.Sort(ids)
	for some := range slices.Chunk(slices.Compact(ids), chunk) {
		found, err := db.All(tx, func(s db.Scanner) (a MemberAccount, err error) {
			return a, s.Scan(&a.ID, &a.Name, &a.Number)
		}, `
			with given (id) as (values ($2), ($3), ($4), ($5), ($6), ($7), ($8), ($9))
			select distinct a.id, a.name, a.number from given
			  join account a on a.id = given.id
			  join organization o on o.num = a.organization_num and o.institution_id = $1`, in8([]any{institution}, some)...)
		if err != nil {
			return nil, fmt.Errorf("read the names of accounts: %w", err)
		}
		all = append(all, found...)
	}
	return all, nil
}
