package application

import (
	"errors"
	"fmt"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
)

// ErrNone says that the institution has no such application.
var ErrNone = fault.New(fault.NotFound, "There is no such application. It may have been deleted.")

// Find is the application with an id at an institution, or at none. Whether it
// is enabled is for the asker to see. It is for those who have a transaction.
func Find(tx *db.Tx, institution bank.InstitutionID, id bank.ApplicationID) (Application, error) {
	a, err := db.One(tx, scan, selectApplication+` where institution_id = $1 and id = $2`, institution, id)
	if errors.Is(err, db.ErrNoRows) {
		return a, ErrNone
	}
	if err != nil {
		return a, fmt.Errorf("read the application %s: %w", id, err)
	}
	return a, nil
}

func insert(tx *db.Tx, a Application) error {
	_, err := tx.Exec(`
		insert into external_application (institution_id, id, name, name_key, partner, auth_method, grants, redirects, post_logouts,
			back_channel_logout, scopes, keys, claims_groups, claims_permissions, consent, service_staff_id, service_email, enabled,
			secret_hash, secret_micros, old_secret_hash, old_secret_ends_micros, last_used_micros, created_micros, revision)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, 0, $23, 1)`,
		a.Institution, a.ID, a.Name, db.Fold(a.Name), a.Partner, a.Method, grantsText(a.Grants), addresses(a.Redirects), addresses(a.PostLogouts),
		a.BackChannelLogout, strings.Join(a.Scopes, " "), a.Keys, a.Groups, a.Permissions, a.Consent, a.Service, a.ServiceEmail, a.Enabled,
		kept(a.secret), micros(a.SecretMade), kept(a.oldSecret), micros(a.OldSecretEnds), tx.Now.UnixMicro())
	if err != nil {
		return fmt.Errorf("store the application %s: %w", a.ID, err)
	}
	return nil
}

func update(tx *db.Tx, a Application) error {
	n, err := tx.Exec(`
		update external_application
		   set name = $1, name_key = $2, partner = $3, auth_method = $4, grants = $5, redirects = $6, post_logouts = $7,
		       back_channel_logout = $8, scopes = $9, keys = $10, claims_groups = $11, claims_permissions = $12, consent = $13,
		       service_staff_id = $14, service_email = $15, enabled = $16, secret_hash = $17, secret_micros = $18, old_secret_hash = $19,
		       old_secret_ends_micros = $20, revision = revision + 1
		 where institution_id = $21 and id = $22`,
		a.Name, db.Fold(a.Name), a.Partner, a.Method, grantsText(a.Grants), addresses(a.Redirects), addresses(a.PostLogouts),
		a.BackChannelLogout, strings.Join(a.Scopes, " "), a.Keys, a.Groups, a.Permissions, a.Consent,
		a.Service, a.ServiceEmail, a.Enabled, kept(a.secret), micros(a.SecretMade), kept(a.oldSecret), micros(a.OldSecretEnds), a.Institution, a.ID)
	return one("store the application", n, err)
}

func remove(tx *db.Tx, a Application) error {
	n, err := tx.Exec(`delete from external_application where institution_id = $1 and id = $2`, a.Institution, a.ID)
	return one("delete the application", n, err)
}

// one insists that a statement found its one row.
func one(what string, n int64, err error) error {
	if err == nil && n != 1 {
		err = fmt.Errorf("%d rows where there must be one", n)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func grantsText(grants []Grant) string {
	var names []string
	for _, g := range grants {
		names = append(names, string(g))
	}
	return strings.Join(names, " ")
}

func addresses(all []string) string { return strings.Join(all, "\n") }

// kept is a hash as it is stored: none is empty, not null.
func kept(hash []byte) []byte {
	if hash == nil {
		return []byte{}
	}
	return hash
}

// taken reports whether another application of the institution has a name, and
// how many applications there are.
func taken(tx *db.Tx, institution bank.InstitutionID, self bank.ApplicationID, name string) (bool, int, error) {
	var same, all int
	err := tx.QueryRow(`
		select coalesce(sum(case when name_key = $2 and id <> $3 then 1 else 0 end), 0), count(*)
		  from external_application where institution_id = $1`, institution, db.Fold(name), self).Scan(&same, &all)
	if err != nil {
		return false, 0, fmt.Errorf("look for the name: %w", err)
	}
	return same > 0, all, nil
}

// A Query asks for one page of the applications, by name.
type Query struct {
	Search string // any part of a name, of its maker, or a whole id
	Page   int    // from 1
	Size   int    // at most maxPageSize
}

// A Page is one page of applications and how many there are.
type Page struct {
	Applications []Application
	Matching     int // that fit the query
	Total        int // at the institution
	Page         int // the page that this is: a page beyond the end becomes the last
	Pages        int
}

// The maker is looked for as it was written, its letters made small: both
// databases do that to the letters from a to z only.
const filter = `
	 where institution_id = $1
	   and (cast($2 as text) = '' or name_key like $2 escape '\' or lower(partner) like $2 escape '\' or id = $3)`

func list(tx *db.Tx, institution bank.InstitutionID, q Query) (page Page, err error) {
	if q.Size <= 0 || q.Size > maxPageSize {
		q.Size = 50
	}
	with := []any{institution, db.Containing(q.Search), strings.TrimSpace(q.Search)}
	if err := tx.QueryRow(`select count(*) from external_application where institution_id = $1`, institution).Scan(&page.Total); err != nil {
		return Page{}, fmt.Errorf("count the applications: %w", err)
	}
	if err := tx.QueryRow(`select count(*) from external_application`+filter, with...).Scan(&page.Matching); err != nil {
		return Page{}, fmt.Errorf("count the applications that match: %w", err)
	}
	page.Pages = max(1, (page.Matching+q.Size-1)/q.Size)
	page.Page = min(max(q.Page, 1), page.Pages)
	page.Applications, err = db.All(tx, scan, selectApplication+filter+` order by name_key, id limit $4 offset $5`, append(with, q.Size, (page.Page-1)*q.Size)...)
	if err != nil {
		return Page{}, fmt.Errorf("list the applications: %w", err)
	}
	return page, nil
}
