package importer

import (
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/usermgmt"
)

// maxAccess bounds the member accounts of one organization, which are held in
// memory together and stored in one transaction.
const maxAccess = 250_000

// An organizationRead is one organization of the folder with the lines it came
// from.
type organizationRead struct {
	in      usermgmt.ImportedOrganization
	line    int
	account []int // the line of each account
	member  []int
	access  [][]int // of each member
}

// An organizationReader reads one organization after the other. Its report is
// nil when the files have been checked before; whatever is wrong then has been
// changed since.
type organizationReader struct {
	folder *folder
	report *report
	wrong  int             // problems found in this organization
	seen   map[[2]int]int  // the lines of the organization's member accounts
	unread [fileKinds]bool // some rows of the file cannot be read, so who is missing cannot be said
	row    *row
	file   int
}

// ErrFilesChanged says that a file was good when it was checked and is not any
// more. Organizations before the change are stored.
var ErrFilesChanged = errors.New("the files were changed while they were being imported; import them again")

// read reads organization n of the folder. ok is false where something is wrong
// with it, which has been reported.
func (o *organizationReader) read(n int) (read *organizationRead, ok bool, err error) {
	read = &organizationRead{}
	o.wrong, o.seen, o.unread = 0, map[[2]int]int{}, [fileKinds]bool{}
	accounts, members := map[string]int{}, map[string]int{}
	err = errors.Join(
		o.each(organizationsFile, n, func() { o.organization(read) }),
		o.each(accountsFile, n, func() { o.account(read, accounts) }),
		o.each(membersFile, n, func() { o.member(read, members) }),
		o.each(memberAccountsFile, n, func() { o.access(read, accounts, members) }),
	)
	if err == nil && o.report == nil && o.wrong > 0 {
		err = ErrFilesChanged
	}
	return read, o.wrong == 0, err
}

// each calls f for every row that organization n has in a file. Rows that
// cannot be read were reported when the file was indexed.
func (o *organizationReader) each(file, n int, f func()) error {
	t := o.folder.tables[file]
	if t == nil || t.broken {
		o.unread[file] = true
		return nil
	}
	if t.spans[n].line == 0 {
		return nil
	}
	s := t.spans[n]
	rows := t.reader(s.start, s.end, int(s.line))
	for {
		row, err := rows.read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if _, ok := errors.AsType[*rowError](err); ok {
			o.wrong++
			o.unread[file] = true
			continue
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", t.name, err)
		}
		o.row, o.file = row, file
		if string(row.values[colOrganization]) == o.folder.organizations[n] {
			f()
		}
	}
}

func (o *organizationReader) problem(column int, wrong, right string) {
	o.wrong++
	if o.report != nil {
		o.report.problem(place{o.file, o.row.line, column}, o.folder.tables[o.file].schema.names[column], wrong, right)
	}
}

// text reads a text of at most most characters.
func (o *organizationReader) text(column, most int) string {
	value := o.row.values[column]
	if wrong := clean(value); wrong != "" {
		o.problem(column, wrong, "printable characters")
		return ""
	}
	if n := utf8.RuneCount(value); n > most {
		o.problem(column, fmt.Sprintf("it has %d characters", n), fmt.Sprintf("at most %d", most))
	}
	return string(value)
}

// needed is a text that must not be blank.
func (o *organizationReader) needed(column, most int) string {
	s := o.text(column, most)
	if s == "" && len(o.row.values[column]) == 0 {
		o.problem(column, "it is blank", fmt.Sprintf("1 to %d characters", most))
	}
	return s
}

func (o *organizationReader) key(column int) string {
	if wrong, right := badKey(o.row.values[column]); wrong != "" {
		o.problem(column, wrong, right)
		return ""
	}
	return string(o.row.values[column])
}

func (o *organizationReader) email(column int) string {
	email := o.text(column, bank.MaxEmail)
	if email == "" {
		return ""
	}
	if wrong := emailProblem(email); wrong != "" && utf8.RuneCountInString(email) <= bank.MaxEmail {
		o.problem(column, wrong, fmt.Sprintf("an address like name@example.com, at most %d characters", bank.MaxEmail))
	}
	return email
}

// on reads a switch. Blank is off.
func (o *organizationReader) on(column int) bool {
	value := o.row.values[column]
	switch string(value) {
	case "true", "TRUE", "True":
		return true
	case "", "false", "FALSE", "False":
		return false
	}
	o.problem(column, fmt.Sprintf("%q is neither on nor off", clip(value)), "true or false")
	return false
}

// The columns that need not be there, and what they give.
var (
	organizationFields = [...]usermgmt.ImportFields{orgAddress: usermgmt.GivesAddress, orgPhone: usermgmt.GivesPhone, orgEmail: usermgmt.GivesEmail}
	accountFields      = [...]usermgmt.ImportFields{accountNumber: usermgmt.GivesNumber, accountKind: usermgmt.GivesKind}
	memberFields       = [...]usermgmt.ImportFields{memberEmail: usermgmt.GivesEmail, memberUsername: usermgmt.GivesUsername, memberHeld: usermgmt.GivesHeld}
)

// fields collects the details that are given, by column.
func (o *organizationReader) fields(of []usermgmt.ImportFields) (f usermgmt.ImportFields) {
	for column, field := range of {
		if o.row.has(column) {
			f |= field
		}
	}
	return f
}

func (o *organizationReader) organization(read *organizationRead) {
	in := &read.in
	read.line = o.row.line
	in.ExternalID = o.key(colOrganization)
	in.Name = o.needed(orgName, maxName)
	in.Address, in.Phone, in.Email = o.text(orgAddress, maxAddress), o.text(orgPhone, maxPhone), o.email(orgEmail)
	in.Fields = o.fields(organizationFields[:])
	s := o.settings()
	in.Set = s.set
	in.Ceilings = s.Limits
	for p := range s.On.All {
		in.Entitlements = in.Entitlements.With(p.Info().Entitlement)
	}
}

func (o *organizationReader) account(read *organizationRead, byKey map[string]int) {
	a := usermgmt.ImportedAccount{}
	a.ExternalID = o.key(accountKey)
	if first, twice := byKey[a.ExternalID]; twice && a.ExternalID != "" {
		o.problem(accountKey, fmt.Sprintf("%s is in line %d already", clip(a.ExternalID), read.account[first]), "each account of an organization once")
		return
	}
	byKey[a.ExternalID] = len(read.in.Accounts)
	a.Name = o.needed(accountName, maxName)
	if number := o.text(accountNumber, maxName); number != "" {
		var ok bool
		if a.Number, ok = lastDigits(number); !ok {
			o.problem(accountNumber, "it has fewer than four digits", "the number, or its last four digits; no more is stored")
		}
	}
	a.Kind = o.text(accountKind, maxKind)
	a.Fields = o.fields(accountFields[:])
	for i, p := range o.folder.tables[o.file].schema.perms {
		column := o.folder.tables[o.file].schema.fixed + i
		if o.row.has(column) {
			a.Set = a.Set.With(p)
			if len(o.row.values[column]) > 0 && !o.on(column) { // blank: an account is on unless it is switched off
				a.Off = a.Off.With(p.Info().Entitlement)
			}
		}
	}
	read.in.Accounts, read.account = append(read.in.Accounts, a), append(read.account, o.row.line)
}

func (o *organizationReader) member(read *organizationRead, byKey map[string]int) {
	m := usermgmt.ImportedMember{}
	m.ExternalID = o.key(memberKey)
	if first, twice := byKey[m.ExternalID]; twice && m.ExternalID != "" {
		o.problem(memberKey, fmt.Sprintf("%s is in line %d already", clip(m.ExternalID), read.member[first]), "each member of an organization once")
		return
	}
	byKey[m.ExternalID] = len(read.in.Members)
	m.FirstName, m.LastName = o.needed(memberFirstName, bank.MaxName), o.text(memberLastName, bank.MaxName)
	if n := utf8.RuneCountInString(m.Name()); n > bank.MaxName {
		o.problem(memberLastName, fmt.Sprintf("first and last name have %d characters together", n), fmt.Sprintf("at most %d with the space between", bank.MaxName))
	}
	m.Email = o.email(memberEmail)
	m.Username = o.username(memberUsername)
	o.standing(&m)
	m.Fields |= o.fields(memberFields[:])
	s := o.settings()
	m.Settings, m.Set = s.Settings, s.set
	read.in.Members = append(read.in.Members, m)
	read.member, read.access = append(read.member, o.row.line), append(read.access, nil)
}

// standing reads role, status and hold. A blank role or status is not given.
func (o *organizationReader) standing(m *usermgmt.ImportedMember) {
	if value := o.row.values[memberRole]; len(value) > 0 {
		role, err := bank.ParseRole(string(value))
		if err != nil {
			o.problem(memberRole, fmt.Sprintf("%q is no role", clip(value)), "user, viewer or admin")
		}
		m.Role, m.Fields = role, m.Fields|usermgmt.GivesRole
	}
	if value := o.row.values[memberStatus]; len(value) > 0 {
		status, err := bank.ParseStatus(string(value))
		if err != nil {
			o.problem(memberStatus, fmt.Sprintf("%q is no status", clip(value)), "pending, active, locked or disabled")
		}
		m.Status, m.Fields = status, m.Fields|usermgmt.GivesStatus
	}
	m.Held = o.on(memberHeld)
}

func (o *organizationReader) access(read *organizationRead, accounts, members map[string]int) {
	memberKey, accountKey := o.key(accessMember), o.key(accessAccount)
	m, known := members[memberKey]
	if !known && memberKey != "" && !o.unread[membersFile] {
		o.problem(accessMember, fmt.Sprintf("the organization has no member %s in this folder", clip(memberKey)), "the key of a member of the organization")
	}
	a, knownAccount := accounts[accountKey]
	if !knownAccount && accountKey != "" && !o.unread[accountsFile] {
		o.problem(accessAccount, fmt.Sprintf("the organization has no account %s in this folder", clip(accountKey)), "the key of an account of the organization")
	}
	s := o.settings()
	if !known || !knownAccount {
		return
	}
	pair := [2]int{m, a}
	if first, twice := o.seen[pair]; twice {
		o.problem(accessAccount, fmt.Sprintf("the member's account is in line %d already", first), "each account of a member once")
		return
	}
	if len(o.seen) == maxAccess {
		o.problem(accessAccount, fmt.Sprintf("the organization has more than %s member accounts", thousands(maxAccess)), "no more for one organization")
		return
	}
	o.seen[pair] = o.row.line
	in := &read.in.Members[m]
	in.Access = append(in.Access, usermgmt.ImportedAccess{Account: a, Settings: s.Settings, Set: s.set})
	read.access[m] = append(read.access[m], o.row.line)
}

// given are settings and which of them are given.
type given struct {
	entitlement.Settings
	set catalog.Set
}

// settings reads the permissions of the row. A blank switch is off, a blank
// choice none, a blank limit not set.
func (o *organizationReader) settings() (g given) {
	schema := o.folder.tables[o.file].schema
	for i, p := range schema.perms {
		column := schema.fixed + i
		if !o.row.has(column) {
			continue
		}
		g.set = g.set.With(p)
		value := o.row.values[column]
		if len(value) == 0 {
			continue
		}
		switch p.Info().Type {
		case catalog.Switch:
			if o.on(column) {
				g.On = g.On.With(p)
			}
		case catalog.Choice:
			level, ok := catalog.ParseEditLevel(string(value))
			if !ok {
				o.problem(column, fmt.Sprintf("%q is no choice", clip(value)), "none, partial or full")
			}
			g.EditLevel = level
		default:
			if amount, ok := o.amount(column, p); ok {
				g.Limits = g.Limits.With(p.Limit(), amount)
			}
		}
	}
	return g
}

func (o *organizationReader) amount(column int, p catalog.Permission) (bank.Cents, bool) {
	value := string(o.row.values[column])
	amount, err := bank.ParseAmount(value)
	if err != nil {
		o.problem(column, fmt.Sprintf("%q is not an amount", clip(value)), "plain digits, such as 25000 or 25000.00: at most ten, then a point and two; no sign, separator or currency")
		return 0, false
	}
	if p.Info().Type == catalog.WholeDollar && !amount.WholeDollars() {
		o.problem(column, fmt.Sprintf("%s has cents", value), "whole dollars, such as 25000 or 25000.00")
		return 0, false
	}
	return amount, true
}

// username reads what a member signs in with, where they have it already.
func (o *organizationReader) username(column int) string {
	const most = 64
	s := o.text(column, most)
	for _, r := range s {
		if r == ' ' || r == '\u00a0' || r == '\u3000' {
			o.problem(column, "it contains a space", fmt.Sprintf("letters, digits and marks such as . _ - @, at most %d", most))
			break
		}
	}
	return s
}
