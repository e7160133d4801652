package generate

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
)

func writeInstitution(path string, o Options) error {
	var offers []string
	for _, e := range catalog.EntitlementsIn(o.offers()) {
		offers = append(offers, e.ID())
	}
	text, err := json.MarshalIndent(struct {
		Format   string   `json:"format"`
		ID       string   `json:"id"`
		Name     string   `json:"name"`
		Edition  string   `json:"edition"`
		TimeZone string   `json:"time_zone"`
		Offers   []string `json:"offers"`
		Accent   string   `json:"accent,omitempty"`
	}{"import/1", string(o.ID), o.Name, o.Edition.String(), o.TimeZone, offers, o.Accent}, "", "  ")
	if err != nil {
		return fmt.Errorf("write the institution: %w", err)
	}
	if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the institution: %w", err)
	}
	return nil
}

// files are the tables of a folder.
type files struct {
	organizations, accounts, members, memberAccounts *table

	edition                  bank.Edition
	organizationPermissions  []catalog.Permission
	accountPermissions       []catalog.Permission // credit union: an account's own switches
	memberPermissions        []catalog.Permission
	memberAccountPermissions []catalog.Permission
}

func createFiles(dir string, o Options) (*files, error) {
	f := &files{edition: o.Edition}
	for p := range catalog.PermissionCount {
		if !p.In(o.Edition) {
			continue
		}
		if p.At(catalog.AtOrganization) || p.IsLimit() {
			f.organizationPermissions = append(f.organizationPermissions, p)
		}
		if p.At(catalog.AtOrganization) && o.Edition == bank.EditionCreditUnion {
			f.accountPermissions = append(f.accountPermissions, p)
		}
		if p.At(catalog.AtUser) {
			f.memberPermissions = append(f.memberPermissions, p)
		}
		if p.At(catalog.AtAccount) {
			f.memberAccountPermissions = append(f.memberAccountPermissions, p)
		}
	}
	for _, t := range []struct {
		table   **table
		name    string
		columns []string
		perms   []catalog.Permission
	}{
		{&f.organizations, "organizations", []string{"organization", "name", "address", "phone", "email"}, f.organizationPermissions},
		{&f.accounts, "accounts", []string{"organization", "account", "name", "number", "kind"}, f.accountPermissions},
		{&f.members, "members", []string{"organization", "member", "first_name", "last_name", "email", "username", "role", "status", "held"}, f.memberPermissions},
		{&f.memberAccounts, "member_accounts", []string{"organization", "member", "account"}, f.memberAccountPermissions},
	} {
		columns := t.columns
		for _, p := range t.perms {
			columns = append(columns, p.ID())
		}
		made, err := createTable(dir, t.name, columns, o.JSONLines)
		if err != nil {
			return nil, errors.Join(err, f.close())
		}
		*t.table = made
	}
	return f, nil
}

func (f *files) close() error {
	var err error
	for _, t := range []*table{f.organizations, f.accounts, f.members, f.memberAccounts} {
		if t != nil {
			err = errors.Join(err, t.close())
		}
	}
	return err
}

func (f *files) organization(o *organization) {
	t := f.organizations
	t.text(o.key, o.name, o.address, o.phone, o.email)
	for _, p := range f.organizationPermissions {
		if p.IsLimit() {
			t.limit(o.ceilings, p)
		} else {
			t.on(o.entitlements.Has(p.Info().Entitlement))
		}
	}
	t.end()
	for i := range o.accounts {
		f.account(o, &o.accounts[i])
	}
	for i := range o.members {
		f.member(o, &o.members[i])
	}
}

func (f *files) account(o *organization, a *account) {
	t := f.accounts
	t.text(o.key, a.key, a.name, a.number, a.kind)
	for _, p := range f.accountPermissions {
		t.on(!a.off.Has(p.Info().Entitlement))
	}
	t.end()
}

func (f *files) member(o *organization, m *member) {
	t := f.members
	t.text(o.key, m.key, m.first, m.last, m.email, m.username, m.role.String(), m.status.String())
	t.on(m.held)
	t.settings(m.settings, f.memberPermissions)
	t.end()
	for i, settings := range m.access {
		t := f.memberAccounts
		t.text(o.key, m.key, o.accounts[i].key)
		t.settings(settings, f.memberAccountPermissions)
		t.end()
	}
}

// A table writes one file. The first error is kept for close.
type table struct {
	file    *os.File
	w       *bufio.Writer
	columns []string
	json    bool
	column  int
}

func createTable(dir, name string, columns []string, asJSON bool) (*table, error) {
	ending, other := ".csv", ".jsonl"
	if asJSON {
		ending, other = other, ending
	}
	if err := os.Remove(filepath.Join(dir, name+other)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("replace %s: %w", name, err)
	}
	file, err := os.Create(filepath.Join(dir, name+ending))
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", name, err)
	}
	t := &table{file: file, w: bufio.NewWriterSize(file, 1<<16), columns: columns, json: asJSON}
	if !asJSON {
		t.w.WriteString(strings.Join(columns, ",") + "\n") // bufio keeps the error
	}
	return t, nil
}

func (t *table) close() error {
	return errors.Join(t.w.Flush(), t.file.Close())
}

// next begins a value.
func (t *table) next() {
	if t.json {
		t.w.WriteByte("{,"[min(t.column, 1)])
		t.w.WriteString(`"` + t.columns[t.column] + `":`)
	} else if t.column > 0 {
		t.w.WriteByte(',')
	}
	t.column++
}

func (t *table) text(values ...string) {
	for _, value := range values {
		t.next()
		switch {
		case t.json:
			text, err := json.Marshal(value)
			if err != nil {
				panic("generate: a name is valid text: " + err.Error())
			}
			t.w.Write(text)
		case strings.ContainsAny(value, ",\""):
			t.w.WriteString(`"` + strings.ReplaceAll(value, `"`, `""`) + `"`)
		default:
			t.w.WriteString(value)
		}
	}
}

func (t *table) on(on bool) {
	t.next()
	if on {
		t.w.WriteString("true")
	} else {
		t.w.WriteString("false")
	}
}

func (t *table) limit(l entitlement.Limits, p catalog.Permission) {
	if amount, set := l.Get(p.Limit()); set {
		t.text(amount.String())
	} else {
		t.text("")
	}
}

func (t *table) settings(s entitlement.Settings, permissions []catalog.Permission) {
	for _, p := range permissions {
		switch {
		case p == catalog.ACHEditLevel:
			t.text(s.EditLevel.String())
		case p.IsLimit():
			t.limit(s.Limits, p)
		default:
			t.on(s.On.Has(p))
		}
	}
}

func (t *table) end() {
	if t.json {
		t.w.WriteByte('}')
	}
	t.w.WriteByte('\n')
	t.column = 0
}
