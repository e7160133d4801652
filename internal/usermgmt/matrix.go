package usermgmt

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
)

// Bounds of a grid.
const (
	MatrixRows    = 50   // people, or groups of equal people, on one page
	MatrixColumns = 24   // accounts on one page
	maxCollapsed  = 1000 // people among whom equal ones are looked for
)

// A MatrixQuery asks for one page of the grid of an organization's people: by
// permissions, at user level or for one account; or by accounts, for one
// permission. The third dimension is always one value.
type MatrixQuery struct {
	Members     MemberQuery // which people; its size is not asked
	ByAccounts  bool
	Account     bank.AccountID      // by permissions: for this account; empty: the user level
	Entitlement catalog.Entitlement // by permissions: the columns of this one; none: all
	Permission  catalog.Permission  // by accounts: what is shown of each
	Columns     string              // by accounts: any part of an account's name or number
	ColumnPage  int                 // from 1
	Collapse    bool                // one row for people who are equal in the columns shown
}

// A Matrix is one page of a grid.
type Matrix struct {
	Permissions []catalog.Permission // the columns, by permissions
	Accounts    []Account            // the columns, by accounts
	Level       *Account             // by permissions: the account
	Rows        []MatrixRow

	Matching, Total      int  // people
	Groups               int  // rows in all: people, or groups of equal ones
	Page, Pages          int  // of rows
	Columns, ColumnPages int  // how many columns fit the query, and their pages
	ColumnPage           int  //
	Collapsed            bool // equal people stand in one row; too many are not collapsed
}

// A MatrixRow is a person, or people who are equal in all columns.
type MatrixRow struct {
	Members []Member
	Cells   []MatrixCell
}

// A MatrixCell is how one value stands.
type MatrixCell struct {
	State entitlement.SettingState
	Value string // of a limit or a choice, as files write it
}

// Matrix reads one page of the grid.
func (s *Service) Matrix(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, q MatrixQuery) (m Matrix, err error) {
	op := catalog.ViewPermissions
	if q.ByAccounts || q.Account != "" {
		op = catalog.ViewAccountPermissions
	}
	action := looking(Person{Organization: organization}, op, entitlement.Scope{})
	err = s.guard.Look(ctx, caller, action, func(v *guard.View) error {
		o, err := FindOrganization(v.Tx, caller.Institution, organization)
		if err != nil {
			return err
		}
		r := &matrixReader{tx: v.Tx, num: o.Num, query: q, policy: *v.Policy, matrix: &m}
		return r.read()
	})
	return m, err
}

// A matrixReader reads one grid. Its policy holds the page's people and
// accounts and no others.
type matrixReader struct {
	tx     *db.Tx
	num    int64
	query  MatrixQuery
	policy entitlement.Policy
	matrix *Matrix

	members  []Member
	accounts map[int64]bank.AccountID
}

func (r *matrixReader) read() error {
	r.policy.Accounts, r.accounts = map[bank.AccountID]entitlement.Account{}, map[int64]bank.AccountID{}
	r.policy.Members = map[bank.UserID]*entitlement.Member{}
	for _, step := range []func() error{r.columns, r.people, r.access} {
		if err := step(); err != nil {
			return err
		}
	}
	r.rows()
	return nil
}

// columns finds out what stands across.
func (r *matrixReader) columns() error {
	if r.query.ByAccounts {
		return r.accountColumns()
	}
	m, edition := r.matrix, r.policy.Institution.Edition
	level := catalog.AtUser
	if r.query.Account != "" {
		level = catalog.AtAccount
		all, err := db.All(r.tx, scanAccount, selectAccount+` where organization_num = $1 and id = $2`, r.num, r.query.Account)
		if err != nil {
			return fmt.Errorf("read the account: %w", err)
		}
		if len(all) == 0 {
			return errNoAccount
		}
		m.Level = &all[0]
		r.take(all[0])
		m.Permissions = append(m.Permissions, catalog.Of(catalog.NoEntitlement, edition, level)...)
	}
	for _, e := range catalog.Entitlements() {
		if r.query.Entitlement == catalog.NoEntitlement || r.query.Entitlement == e {
			m.Permissions = append(m.Permissions, catalog.Of(e, edition, level)...)
		}
	}
	m.Columns, m.ColumnPage, m.ColumnPages = len(m.Permissions), 1, 1
	return nil
}

const selectAccount = `select ordinal, id, external_id, name, number, kind, off from account`

const accountFilter = ` where organization_num = $1 and (cast($2 as text) = '' or name_key like $2 escape '\' or number like $2 escape '\')`

func (r *matrixReader) accountColumns() error {
	m, search := r.matrix, db.Containing(r.query.Columns)
	if err := r.tx.QueryRow(`select count(*) from account`+accountFilter, r.num, search).Scan(&m.Columns); err != nil {
		return fmt.Errorf("count the accounts: %w", err)
	}
	m.ColumnPage, m.ColumnPages = page(r.query.ColumnPage, m.Columns, MatrixColumns)
	var err error
	m.Accounts, err = db.All(r.tx, scanAccount, selectAccount+accountFilter+` order by name_key, ordinal limit $3 offset $4`,
		r.num, search, MatrixColumns, (m.ColumnPage-1)*MatrixColumns)
	if err != nil {
		return fmt.Errorf("read the accounts: %w", err)
	}
	for _, a := range m.Accounts {
		r.take(a)
	}
	return nil
}

func (r *matrixReader) take(a Account) {
	r.policy.Accounts[a.ID] = entitlement.Account{ID: a.ID, Off: a.Off}
	r.accounts[a.Ordinal] = a.ID
}

// page is the page asked for, as far as there are any.
func page(asked, rows, size int) (page, pages int) {
	pages = max(1, (rows+size-1)/size)
	return min(max(asked, 1), pages), pages
}

// people reads whose rows there are: of a collapsed grid all that fit, because
// equal ones may stand anywhere.
func (r *matrixReader) people() error {
	q, m := r.query.Members, r.matrix
	filter := []any{r.num, db.Containing(q.Search), optional(q.Role), optional(q.Status), q.Held}
	var counted MemberPage
	if err := countMembers(r.tx, r.num, filter, &counted); err != nil {
		return err
	}
	m.Matching, m.Total = counted.Matching, counted.Total
	m.Collapsed = r.query.Collapse && m.Matching <= maxCollapsed
	size, offset := maxCollapsed, 0
	if !m.Collapsed {
		m.Page, m.Pages = page(q.Page, m.Matching, MatrixRows)
		size, offset = MatrixRows, (m.Page-1)*MatrixRows
	}
	order, known := memberOrders[q.Sort]
	if !known {
		order = memberOrders[ByName]
	}
	var err error
	r.members, err = db.All(r.tx, scanMember, selectMember+memberFilter+` order by `+order[0]+` limit $6 offset $7`, append(filter, size, offset)...)
	if err != nil {
		return fmt.Errorf("read the people: %w", err)
	}
	for _, one := range r.members {
		r.policy.Members[one.ID] = &entitlement.Member{ID: one.ID, Role: one.Role, Status: one.Status, Held: one.Held, Settings: one.Settings,
			Accounts: map[bank.AccountID]entitlement.Settings{}}
	}
	return nil
}

// access reads what these people may do on these accounts.
func (r *matrixReader) access() error {
	if len(r.accounts) == 0 || len(r.members) == 0 {
		return nil
	}
	byOrdinal := make(map[int64]*entitlement.Member, len(r.members))
	for _, one := range r.members {
		byOrdinal[one.Ordinal] = r.policy.Members[one.ID]
	}
	for ordinal, id := range r.accounts {
		rows, err := db.All(r.tx, scanMemberAccountRow, `
			select member_ordinal, account_ordinal, switches, wire, wires_day, wires_dual
			  from member_account where organization_num = $1 and account_ordinal = $2`, r.num, ordinal)
		if err != nil {
			return fmt.Errorf("read the access to %s: %w", id, err)
		}
		for _, row := range rows {
			if m := byOrdinal[row.member]; m != nil {
				m.Accounts[id] = row.Settings
			}
		}
	}
	return nil
}

func (r *matrixReader) rows() {
	m := r.matrix
	m.Groups = m.Matching
	all := make([]MatrixRow, 0, len(r.members))
	for _, one := range r.members {
		all = append(all, MatrixRow{Members: []Member{one}, Cells: r.cells(one)})
	}
	if m.Collapsed {
		all = collapse(all)
		m.Groups = len(all)
		m.Page, m.Pages = page(r.query.Members.Page, len(all), MatrixRows)
		from := (m.Page - 1) * MatrixRows
		all = all[from:min(from+MatrixRows, len(all))]
	}
	m.Rows = all
}

func (r *matrixReader) cells(one Member) []MatrixCell {
	if r.query.ByAccounts {
		cells := make([]MatrixCell, 0, len(r.matrix.Accounts))
		for _, a := range r.matrix.Accounts {
			cells = append(cells, r.cell(one.ID, a.ID, r.query.Permission))
		}
		return cells
	}
	cells := make([]MatrixCell, 0, len(r.matrix.Permissions))
	for _, p := range r.matrix.Permissions {
		cells = append(cells, r.cell(one.ID, r.query.Account, p))
	}
	return cells
}

func (r *matrixReader) cell(user bank.UserID, account bank.AccountID, p catalog.Permission) MatrixCell {
	cell := MatrixCell{State: entitlement.StateOf(&r.policy, user, account, p)}
	if !p.IsLimit() && p != catalog.ACHEditLevel {
		return cell
	}
	m := r.policy.Members[user]
	settings := m.Settings
	if account != "" && cell.State != entitlement.SettingInherited {
		settings = m.Accounts[account]
	}
	cell.Value = WriteValue(p, settings)
	return cell
}

// collapse puts people who are equal in every column into one row, the largest
// groups first: what is left below them are the exceptions.
func collapse(rows []MatrixRow) []MatrixRow {
	var groups []MatrixRow
	byCells := map[string]int{}
	var key []byte
	for _, row := range rows {
		key = key[:0]
		for _, c := range row.Cells {
			key = append(append(append(key, '0'+byte(c.State)), c.Value...), '|')
		}
		i, known := byCells[string(key)]
		if !known {
			byCells[string(key)] = len(groups)
			groups = append(groups, row)
			continue
		}
		groups[i].Members = append(groups[i].Members, row.Members...)
	}
	slices.SortStableFunc(groups, func(a, b MatrixRow) int { return cmp.Compare(len(b.Members), len(a.Members)) })
	return groups
}
