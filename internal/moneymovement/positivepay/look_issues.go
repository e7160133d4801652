package positivepay

import (
	"context"
	"fmt"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
)

// An IssueSort is what a list of issued checks is ordered by.
type IssueSort string

const (
	IssuesByDate   IssueSort = "date"
	IssuesByNumber IssueSort = "number"
	IssuesByAmount IssueSort = "amount"
)

var issueOrders = map[IssueSort]string{IssuesByDate: "day", IssuesByNumber: "number", IssuesByAmount: "cents"}

// An IssueQuery is what a list of issued checks is asked for; what is empty
// asks for everything.
type IssueQuery struct {
	Search     string           // a check's number, an amount, a part of the payee
	Matching   []bank.AccountID // accounts whose name fits the search
	State      IssueState
	Account    bank.AccountID
	File       FileID
	Sort       IssueSort
	Descending bool
	Page, Size int // the first page is 1
}

// An IssuePage is a part of a list of issued checks.
type IssuePage struct {
	Issues      []Issue
	Matching    int
	Cents       bank.Cents // of all that match and are issued
	Outstanding bank.Cents // of all that match and are outstanding
	Total       int
	Page        int
}

// Issues lists the issued checks of accounts whose checks the caller may see.
func (s *Service) Issues(ctx context.Context, caller bank.Caller, q IssueQuery) (page IssuePage, err error) {
	err = s.guard.Look(ctx, caller, looking(caller), func(v *guard.View) error {
		page = IssuePage{Page: 1}
		seen := reads(v.Policy, caller.Member(), v.Tx.Now)
		if len(seen) == 0 {
			return nil
		}
		page, err = listIssues(v.Tx, placeOf(caller), seen, q)
		return err
	})
	return page, err
}

const issueWhere = `
	 where institution_id = $1 and organization_id = $2 and state <> 'deleted' and replace($3, ',' || account_id || ',', '') <> $3
	   and (cast($4 as text) = '' or state = $4) and (cast($5 as text) = '' or account_id = $5) and (cast($6 as text) = '' or file_id = $6)
	   and (cast($7 as text) = '' or payee_key like $7 escape '\' or number = $8 or cents = $9 or replace($10, ',' || account_id || ',', '') <> cast($10 as text))`

func listIssues(tx *db.Tx, of place, seen []bank.AccountID, q IssueQuery) (page IssuePage, err error) {
	q.Size = sizeOf(q.Size)
	text, number, cents := searched(q.Search)
	args := []any{of.institution, of.organization, joined(seen), q.State, q.Account, q.File, text, number, cents, joined(q.Matching)}
	const count = `select count(*), cast(coalesce(sum(case when void then 0 else cents end), 0) as bigint),
		cast(coalesce(sum(case when state = 'outstanding' then cents else 0 end), 0) as bigint) from arp_issue`
	if err := tx.QueryRow(count+issueWhere, args...).Scan(&page.Matching, &page.Cents, &page.Outstanding); err != nil {
		return IssuePage{}, fmt.Errorf("count the issued checks: %w", err)
	}
	var rest [2]bank.Cents
	err = tx.QueryRow(count+issueWhere, of.institution, of.organization, joined(seen), "", "", "", "", -1, -1, "").Scan(&page.Total, &rest[0], &rest[1])
	if err != nil {
		return IssuePage{}, fmt.Errorf("count the issued checks: %w", err)
	}
	page.Page = at(q.Page, q.Size, page.Matching)
	column, known := issueOrders[q.Sort]
	if !known {
		column = issueOrders[IssuesByDate]
	}
	way := direction(q.Descending)
	page.Issues, err = db.All(tx, scanIssue, `select `+issueColumns+` from arp_issue`+issueWhere+
		` order by `+column+way+`, file_id`+way+`, line`+way+` limit $11 offset $12`, append(args, q.Size, (page.Page-1)*q.Size)...)
	if err != nil {
		return IssuePage{}, fmt.Errorf("list the issued checks: %w", err)
	}
	return page, nil
}

// A FileQuery is what a list of lists is asked for; what is empty asks for
// everything.
type FileQuery struct {
	Search     string // a part of the name
	State      FileState
	Account    bank.AccountID
	Page, Size int // the first page is 1
}

// A FilePage is a part of a list of lists, the latest first.
type FilePage struct {
	Files    []File
	Matching int
	Cents    bank.Cents
	Total    int
	Page     int
}

// Files lists what was uploaded or entered for accounts to which the caller may
// upload.
func (s *Service) Files(ctx context.Context, caller bank.Caller, q FileQuery) (page FilePage, err error) {
	err = s.guard.Look(ctx, caller, looking(caller), func(v *guard.View) error {
		page = FilePage{Page: 1}
		seen := allowed(v.Policy, catalog.ARPFileUpload, caller.Member(), v.Tx.Now)
		if len(seen) == 0 {
			return nil
		}
		page, err = listFiles(v.Tx, placeOf(caller), seen, q)
		return err
	})
	return page, err
}

const fileWhere = `
	 where institution_id = $1 and organization_id = $2 and state <> 'deleted' and replace($3, ',' || account_id || ',', '') <> $3
	   and (cast($4 as text) = '' or state = $4) and (cast($5 as text) = '' or account_id = $5) and (cast($6 as text) = '' or name_key like $6 escape '\')`

func listFiles(tx *db.Tx, of place, seen []bank.AccountID, q FileQuery) (page FilePage, err error) {
	q.Size = sizeOf(q.Size)
	args := []any{of.institution, of.organization, joined(seen), q.State, q.Account, db.Containing(q.Search)}
	const count = `select count(*), cast(coalesce(sum(cents), 0) as bigint) from arp_file`
	if err := tx.QueryRow(count+fileWhere, args...).Scan(&page.Matching, &page.Cents); err != nil {
		return FilePage{}, fmt.Errorf("count the lists: %w", err)
	}
	var rest bank.Cents
	if err := tx.QueryRow(count+fileWhere, of.institution, of.organization, joined(seen), "", "", "").Scan(&page.Total, &rest); err != nil {
		return FilePage{}, fmt.Errorf("count the lists: %w", err)
	}
	page.Page = at(q.Page, q.Size, page.Matching)
	page.Files, err = db.All(tx, scanFile, `select `+fileColumns+` from arp_file`+fileWhere+` order by created_micros desc, id desc limit $7 offset $8`,
		append(args, q.Size, (page.Page-1)*q.Size)...)
	if err != nil {
		return FilePage{}, fmt.Errorf("list the lists: %w", err)
	}
	return page, nil
}

// A FileDetail is a list with all that is known of it.
type FileDetail struct {
	File
	Issues   []Issue
	Enrolled bool // its account
	Events   []activity.Event
}

// GetFile reads one list.
func (s *Service) GetFile(ctx context.Context, caller bank.Caller, id FileID) (d FileDetail, err error) {
	err = s.guard.Look(ctx, caller, looking(caller), func(v *guard.View) error {
		f, found, err := findFile(v.Tx, placeOf(caller), id)
		if err != nil {
			return err
		}
		if !found || f.State == DeletedFile || !entitlement.Decide(v.Policy, question(catalog.ARPFileUpload, caller.Member(), f.Account, v.Tx.Now)).Allowed {
			return ErrNoFile
		}
		on, err := enrolled(v.Tx, placeOf(caller))
		if err != nil {
			return err
		}
		d = FileDetail{File: f, Enrolled: on[f.Account]}
		if d.Issues, err = issuesOf(v.Tx, placeOf(caller), id); err != nil {
			return err
		}
		d.Events, err = timeline(v, caller, string(id))
		return err
	})
	return d, err
}
