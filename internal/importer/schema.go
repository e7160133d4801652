package importer

import (
	"fmt"
	"slices"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/catalog"
)

// The files of a folder, in the order in which problems are told. Each but the
// first is CSV or JSON Lines.
const (
	institutionFile = iota
	organizationsFile
	accountsFile
	membersFile
	memberAccountsFile
	fileKinds
)

var fileNames = [fileKinds]string{"institution.json", "organizations", "accounts", "members", "member_accounts"}

// Columns that files have besides permissions. Their numbers are places in a
// row; permissions follow.
const colOrganization = 0 // in every file: the key of the organization

const (
	orgName = iota + 1
	orgAddress
	orgPhone
	orgEmail
)

const (
	accountKey = iota + 1
	accountName
	accountNumber
	accountKind
)

const (
	memberKey = iota + 1
	memberFirstName
	memberLastName
	memberEmail
	memberUsername
	memberRole
	memberStatus
	memberHeld
)

const (
	accessMember = iota + 1
	accessAccount
)

// A schema says which columns a file may have.
type schema struct {
	file     int
	names    []string
	required int // bit c: column c must be there
	fixed    int // columns before the permissions
	perms    []catalog.Permission
	byName   map[string]int
	ignored  map[string]bool // known to the catalogue and not to the edition
	level    catalog.Levels
}

func bits(columns ...int) (set int) {
	for _, c := range columns {
		set |= 1 << c
	}
	return set
}

func newSchema(file int, edition bank.Edition) *schema {
	s := &schema{file: file, byName: map[string]int{}, ignored: map[string]bool{}}
	switch file {
	case organizationsFile:
		s.names = []string{"organization", "name", "address", "phone", "email"}
		s.required = bits(colOrganization, orgName)
	case accountsFile:
		s.names = []string{"organization", "account", "name", "number", "kind"}
		s.required = bits(colOrganization, accountKey, accountName)
	case membersFile:
		s.names = []string{"organization", "member", "first_name", "last_name", "email", "username", "role", "status", "held"}
		s.required = bits(colOrganization, memberKey, memberFirstName, memberLastName)
		s.level = catalog.AtUser
	case memberAccountsFile:
		s.names = []string{"organization", "member", "account"}
		s.required = bits(colOrganization, accessMember, accessAccount)
		s.level = catalog.AtAccount
	}
	s.fixed = len(s.names)
	for p := range catalog.PermissionCount {
		switch {
		case !s.holds(p):
		case p.In(edition) && (file != accountsFile || edition == bank.EditionCreditUnion):
			s.names, s.perms = append(s.names, p.ID()), append(s.perms, p)
		default:
			s.ignored[p.ID()] = true
		}
	}
	for c, name := range s.names {
		s.byName[name] = c
	}
	return s
}

// holds reports whether the file is where a permission is set: organizations
// have the entitlements' switches, and limits as their ceilings; accounts, in
// the credit-union edition, the entitlements' switches.
func (s *schema) holds(p catalog.Permission) bool {
	switch s.file {
	case organizationsFile:
		return p.At(catalog.AtOrganization) || p.IsLimit()
	case accountsFile:
		return p.At(catalog.AtOrganization)
	}
	return p.At(s.level)
}

// unknown says what is right about a column that the file cannot have.
func (s *schema) unknown(name string) (right string) {
	if p, ok := catalog.ParsePermission(name); ok {
		file := membersFile
		if !p.At(catalog.AtUser) {
			file = memberAccountsFile
		}
		return fmt.Sprintf("it is a column of %s", fileNames[file])
	}
	folded := strings.ToLower(strings.ReplaceAll(strings.TrimSpace(name), " ", "_"))
	if _, ok := s.byName[folded]; ok {
		return folded
	}
	if s.file == memberAccountsFile || s.file == membersFile {
		return fmt.Sprintf("one of %s, or a permission of this level, or no such column", strings.Join(s.names[:s.fixed], ", "))
	}
	return fmt.Sprintf("one of %s, or no such column", strings.Join(s.names, ", "))
}

// missing are the required columns that are not among those given.
func (s *schema) missing(given []int) (names []string) {
	for c, name := range s.names[:s.fixed] {
		if s.required&(1<<c) != 0 && !slices.Contains(given, c) {
			names = append(names, name)
		}
	}
	return names
}
