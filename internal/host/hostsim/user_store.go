package hostsim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/host"
)

const userColumns = `ref, organization_id, member_id, version, first_name, last_name, email, username, role, status, held, deleted, permissions, accounts`

func scanUser(s db.Scanner) (u host.User, err error) {
	var role, status, permissions, accounts string
	err = s.Scan(&u.Ref, &u.Organization, &u.Member, &u.Version, &u.FirstName, &u.LastName, &u.Email, &u.Username, &role, &status, &u.Held, &u.Deleted, &permissions, &accounts)
	if err != nil {
		return u, err
	}
	var problems [4]error
	u.Role, problems[0] = bank.ParseRole(role)
	u.Status, problems[1] = bank.ParseStatus(status)
	problems[2] = json.Unmarshal([]byte(permissions), &u.Permissions)
	problems[3] = json.Unmarshal([]byte(accounts), &u.Accounts)
	return u, errors.Join(problems[:]...)
}

// rights are a user's permissions as they are stored.
func rights(u *host.User) (permissions, accounts string, err error) {
	p, err := json.Marshal(u.Permissions)
	if err != nil {
		return "", "", err
	}
	a, err := json.Marshal(u.Accounts)
	return string(p), string(a), err
}

func folded(u *host.User) string {
	return db.Fold(u.FirstName + " " + u.LastName + " " + u.Email + " " + u.Username)
}

// insertUser keeps a new user. One whose ref is there already stays as they are.
func insertUser(tx *db.Tx, institution bank.InstitutionID, u *host.User) error {
	permissions, accounts, err := rights(u)
	if err == nil {
		_, err = tx.Exec(`
			insert into core_user (institution_id, `+userColumns+`, folded, created_micros, changed_micros)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17)
			on conflict (institution_id, ref) do nothing`,
			institution, u.Ref, u.Organization, u.Member, u.Version, u.FirstName, u.LastName, u.Email, u.Username,
			u.Role.String(), u.Status.String(), u.Held, u.Deleted, permissions, accounts, folded(u), tx.Now.UnixMicro())
	}
	if err != nil {
		return fmt.Errorf("store the user %s: %w", u.Ref, err)
	}
	return nil
}

func updateUser(tx *db.Tx, institution bank.InstitutionID, u *host.User) error {
	permissions, accounts, err := rights(u)
	if err == nil {
		_, err = tx.Exec(`
			update core_user
			   set member_id = $1, version = $2, first_name = $3, last_name = $4, email = $5, username = $6, role = $7, status = $8, held = $9,
			       deleted = $10, permissions = $11, accounts = $12, folded = $13, changed_micros = $14
			 where institution_id = $15 and ref = $16`,
			u.Member, u.Version, u.FirstName, u.LastName, u.Email, u.Username, u.Role.String(), u.Status.String(), u.Held, u.Deleted,
			permissions, accounts, folded(u), tx.Now.UnixMicro(), institution, u.Ref)
	}
	if err != nil {
		return fmt.Errorf("update the user: %w", err)
	}
	return nil
}

func findUser(tx *db.Tx, institution bank.InstitutionID, ref host.Ref) (host.User, error) {
	u, err := db.One(tx, scanUser, `select `+userColumns+` from core_user where institution_id = $1 and ref = $2`, institution, ref)
	if errors.Is(err, db.ErrNoRows) {
		return host.User{}, host.ErrNoUser
	}
	if err != nil {
		return host.User{}, fmt.Errorf("read the user %s: %w", ref, err)
	}
	return u, nil
}

// memberTaken reports whether a member of the product is somebody here already.
func memberTaken(tx *db.Tx, institution bank.InstitutionID, member bank.UserID) (bool, error) {
	n, err := db.One(tx, db.Value[int], `select count(*) from core_user where institution_id = $1 and member_id = $2 and member_id <> ''`, institution, member)
	if err != nil {
		return false, fmt.Errorf("look for the member: %w", err)
	}
	return n > 0, nil
}

// othersWith counts who else of an organization has a user's email address.
func othersWith(tx *db.Tx, institution bank.InstitutionID, u *host.User) (int, error) {
	n, err := db.One(tx, db.Value[int], `
		select count(*) from core_user
		 where institution_id = $1 and organization_id = $2 and lower(email) = lower($3) and ref <> $4 and not deleted`, institution, u.Organization, u.Email, u.Ref)
	if err != nil {
		return 0, fmt.Errorf("look for the email address: %w", err)
	}
	return n, nil
}

// Users lists the users of all organizations that were not deleted, in the order
// of their refs.
func (b *Bank) Users(ctx context.Context, institution bank.InstitutionID, after host.Ref, most int) ([]host.User, error) {
	return b.Search(ctx, institution, Search{After: after, Most: most})
}

// User is one of them, deleted or not.
func (b *Bank) User(ctx context.Context, institution bank.InstitutionID, ref host.Ref) (u host.User, err error) {
	err = b.db.Read(ctx, func(tx *db.Tx) error {
		u, err = findUser(tx, institution, ref)
		return err
	})
	return u, err
}

// A Search is what screens look for among users.
type Search struct {
	Organization host.Ref // empty: any
	Text         string   // in name, email address or username; empty: any
	After        host.Ref
	Most         int
}

// Search lists users that were not deleted, in the order of their refs.
func (b *Bank) Search(ctx context.Context, institution bank.InstitutionID, s Search) (all []host.User, err error) {
	err = b.db.Read(ctx, func(tx *db.Tx) error {
		all, err = db.All(tx, scanUser, `
			select `+userColumns+` from core_user
			 where institution_id = $1 and ref > $2 and ($3 = '' or organization_id = $3) and ($4 = '' or folded like $4 escape '\') and not deleted
			 order by ref limit $5`, institution, s.After, s.Organization, db.Containing(s.Text), min(s.Most, maxPeople))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for users: %w", err)
	}
	return all, nil
}
