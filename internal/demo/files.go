package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
)

// writeCast writes the hand-made organizations of a stage as import files,
// beside the institution.json of the generated ones.
func writeCast(dir string, institution []byte, organizations []organization) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the folder of the cast: %w", err)
	}
	var orgs, accounts, members, access []map[string]any
	for _, o := range organizations {
		orgs = append(orgs, o.row())
		for _, a := range o.accounts {
			accounts = append(accounts, map[string]any{"organization": o.key, "account": o.key + "-" + a.key, "name": a.name, "number": a.number, "kind": a.kind})
		}
		for _, p := range o.people {
			members = append(members, p.row(o))
			access = append(access, p.access(o)...)
		}
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "institution.json"), institution, 0o600),
		writeRows(filepath.Join(dir, "organizations.jsonl"), orgs),
		writeRows(filepath.Join(dir, "accounts.jsonl"), accounts),
		writeRows(filepath.Join(dir, "members.jsonl"), members),
		writeRows(filepath.Join(dir, "member_accounts.jsonl"), access),
	)
}

func (o organization) row() map[string]any {
	row := map[string]any{"organization": o.key, "name": o.name, "address": o.address, "phone": o.phone, "email": o.email}
	for _, e := range o.has {
		row[e+".enabled"] = true
	}
	for limit, amount := range o.ceilings {
		row[limit] = amount
	}
	return row
}

func (p person) row(o organization) map[string]any {
	row := map[string]any{
		"organization": o.key, "member": o.key + "-" + p.key, "first_name": p.first, "last_name": p.last,
		"email": p.key + "@" + o.key + ".example.com", "role": p.role, "status": p.status, "held": p.held,
	}
	maps.Copy(row, p.permissions)
	return row
}

func (p person) access(o organization) []map[string]any {
	var rows []map[string]any
	for _, key := range p.accounts {
		row := map[string]any{"organization": o.key, "member": o.key + "-" + p.key, "account": o.key + "-" + key, "account.access": true}
		maps.Copy(row, p.onAccount)
		maps.Copy(row, p.except[key])
		rows = append(rows, row)
	}
	return rows
}

func writeRows(path string, rows []map[string]any) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write the cast: %w", err)
	}
	encoder := json.NewEncoder(file)
	for _, row := range rows {
		err = errors.Join(err, encoder.Encode(row))
	}
	return errors.Join(err, file.Close())
}
