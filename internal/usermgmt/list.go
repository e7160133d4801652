package usermgmt

import (
	"context"
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
)

// MaxPageSize is the most rows that one page of a list holds.
const MaxPageSize = 200

// A MemberQuery asks for one page of an organization's people. The zero value
// asks for the first page of everybody, by name.
type MemberQuery struct {
	Search  string // any part of a name, username or email
	Role    *bank.Role
	Status  *bank.Status
	Held    bool // only those on hold
	Sort    MemberSort
	Reverse bool
	Page    int // from 1
	Size    int // at most MaxPageSize
}

// A MemberSort is the order of the list.
type MemberSort string

const (
	ByName     MemberSort = "name"
	ByRole     MemberSort = "role"
	ByStatus   MemberSort = "status"
	ByUsername MemberSort = "username"
)

// A MemberRow is one person of the list.
type MemberRow struct {
	Member
	Accounts int // how many accounts they have access to
}

// A MemberPage is one page of people and how many there are in all.
type MemberPage struct {
	Members  []MemberRow
	Matching int // that fit the query
	Total    int // in the organization
	Page     int // the page that this is: a page beyond the end becomes the last
	Pages    int
}

// List reads one page of the organization's people.
func (s *Service) List(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, q MemberQuery) (page MemberPage, err error) {
	err = s.guard.Look(ctx, caller, looking(Person{Organization: organization}, catalog.ViewUsers, entitlement.Scope{}), func(v *guard.View) error {
		o, err := FindOrganization(v.Tx, caller.Institution, organization)
		if err != nil {
			return err
		}
		page, err = listMembers(v.Tx, o.Num, q)
		return err
	})
	return page, err
}

// memberOrders are the orders as SQL: a closed set, never text of a request.
var memberOrders = map[MemberSort][2]string{
	ByName:     {"m.name_key, m.ordinal", "m.name_key desc, m.ordinal desc"},
	ByRole:     {"m.role desc, m.name_key, m.ordinal", "m.role, m.name_key, m.ordinal"},
	ByStatus:   {"m.held desc, m.status desc, m.name_key, m.ordinal", "m.held, m.status, m.name_key, m.ordinal"},
	ByUsername: {"m.username_key, m.name_key, m.ordinal", "m.username_key desc, m.name_key, m.ordinal"},
}

const memberFilter = `
	 where m.organization_num = $1
	   and ($2 = '' or m.name_key like $2 escape '\' or m.email_key like $2 escape '\' or m.username_key like $2 escape '\')
	   and ($3 < 0 or m.role = $3) and ($4 < 0 or m.status = $4) and (not $5 or m.held)`

func listMembers(tx *db.Tx, num int64, q MemberQuery) (MemberPage, error) {
	if q.Size <= 0 || q.Size > MaxPageSize {
		q.Size = 50
	}
	filter := []any{num, db.Containing(q.Search), optional(q.Role), optional(q.Status), q.Held}
	var page MemberPage
	if err := countMembers(tx, num, filter, &page); err != nil {
		return MemberPage{}, err
	}
	page.Pages = max(1, (page.Matching+q.Size-1)/q.Size)
	page.Page = min(max(q.Page, 1), page.Pages)
	orders, known := memberOrders[q.Sort]
	if !known {
		orders = memberOrders[ByName]
	}
	order := orders[0]
	if q.Reverse {
		order = orders[1]
	}
	// The page is found on the index alone, and only its rows are read whole.
	var err error
	page.Members, err = db.All(tx, scanMemberOfList, `
		select m.ordinal, m.id, m.first_name, m.last_name, m.email, m.username, m.role, m.status, m.held,
		       coalesce((select v.etag from avatar v where v.organization_num = $1 and v.member_ordinal = m.ordinal), ''),
		       (select count(*) from member_account a
		         where a.organization_num = $1 and a.member_ordinal = m.ordinal and a.switches & $8 <> 0)
		  from member m
		 where m.organization_num = $1 and m.ordinal in (select m.ordinal from member m`+memberFilter+` order by `+order+` limit $6 offset $7)
		 order by `+order,
		append(filter, q.Size, (page.Page-1)*q.Size, uint64(catalog.SetOf(catalog.AccountAccess)))...)
	if err != nil {
		return MemberPage{}, fmt.Errorf("list the members: %w", err)
	}
	return page, nil
}

func countMembers(tx *db.Tx, num int64, filter []any, page *MemberPage) error {
	if err := tx.QueryRow(`select count(*) from member where organization_num = $1`, num).Scan(&page.Total); err != nil {
		return fmt.Errorf("count the members: %w", err)
	}
	if page.Matching = page.Total; filter[1] == "" && filter[2] == int64(-1) && filter[3] == int64(-1) && filter[4] == false {
		return nil
	}
	if err := tx.QueryRow(`select count(*) from member m`+memberFilter, filter...).Scan(&page.Matching); err != nil {
		return fmt.Errorf("count the members that match: %w", err)
	}
	return nil
}

func scanMemberOfList(s db.Scanner) (r MemberRow, err error) {
	err = s.Scan(&r.Ordinal, &r.ID, &r.FirstName, &r.LastName, &r.Email, &r.Username, &r.Role, &r.Status, &r.Held, &r.Avatar, &r.Accounts)
	return r, err
}

// optional is the number of a filter's value, -1 where it filters nothing.
func optional[T ~uint8](v *T) int64 {
	if v == nil {
		return -1
	}
	return int64(*v)
}
