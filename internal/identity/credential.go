package identity

import (
	"context"
	"errors"
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
)

// A credential is a username and the hash of a password. version rises with
// every new password, so that one proven before is not accepted after.
type credential struct {
	who      Subject
	username string
	hash     string
	version  int64
}

func scanCredential(row db.Scanner) (c credential, err error) {
	err = row.Scan(&c.who.Institution, &c.who.Kind, &c.who.ID, &c.username, &c.hash, &c.version)
	return c, err
}

// findCredential returns db.ErrNoRows where nobody has the username.
func findCredential(tx *db.Tx, institution bank.InstitutionID, kind Kind, usernameKey string) (credential, error) {
	return scanCredential(tx.QueryRow(`
		select institution_id, subject_kind, subject_id, username, password_hash, version from credential
		 where institution_id = $1 and subject_kind = $2 and username_key = $3`, institution, kind, usernameKey))
}

// credentialOf returns db.ErrNoRows where the subject has none yet.
func credentialOf(tx *db.Tx, who Subject) (credential, error) {
	return scanCredential(tx.QueryRow(`
		select institution_id, subject_kind, subject_id, username, password_hash, version from credential
		 where institution_id = $1 and subject_kind = $2 and subject_id = $3`, who.Institution, who.Kind, who.ID))
}

// HasCredentials says whether the subject has a username and a password.
func HasCredentials(tx *db.Tx, who Subject) (bool, error) {
	_, err := credentialOf(tx, who)
	if errors.Is(err, db.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// A PasswordHash is made by Service.Hash outside any transaction, because it
// takes long, and stored inside one.
type PasswordHash struct{ phc string }

// Hash hashes a password. It does not judge it: see CheckPassword.
func (s *Service) Hash(ctx context.Context, password Secret) (PasswordHash, error) {
	phc, err := s.hasher.hash(ctx, password)
	return PasswordHash{phc}, err
}

// ErrUsernameTaken refuses a username that somebody else of the institution
// has, in any spelling.
var ErrUsernameTaken = &fault.Error{Kind: fault.Conflict, Code: "USERNAME_TAKEN", Sentence: "This username is already in use. Choose another one.",
	Problems: []fault.Problem{{Field: "username", Code: "USERNAME_TAKEN", Sentence: "This username is already in use. Choose another one."}}}

// PutCredential gives a subject a username and a password, in place of any they
// had. It is for importing, generating and demonstrating; people come through
// an invitation.
func (s *Service) PutCredential(tx *db.Tx, who Subject, username string, password PasswordHash) error {
	key := UsernameKey(username)
	if problem := usernameProblem(username); key == "" || problem != "" && who.Kind != KindStaff {
		return fault.Problems{{Field: "username", Sentence: problem}}.Err("This username cannot be used.")
	}
	if err := upsertCredential(tx, who, username, key, password.phc); err != nil {
		return err
	}
	return s.people.SetUsername(tx, who, username, key)
}

func upsertCredential(tx *db.Tx, who Subject, username, key, phc string) error {
	var owner string
	err := tx.QueryRow(`select subject_id from credential where institution_id = $1 and subject_kind = $2 and username_key = $3`,
		who.Institution, who.Kind, key).Scan(&owner)
	if err == nil && owner != who.ID {
		return ErrUsernameTaken
	}
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return fmt.Errorf("look for the username: %w", err)
	}
	_, err = tx.Exec(`
		insert into credential (institution_id, subject_kind, subject_id, username, username_key, password_hash, version, created_micros, changed_micros)
		values ($1, $2, $3, $4, $5, $6, 1, $7, $7)
		on conflict (institution_id, subject_kind, subject_id) do update
		   set username = excluded.username, username_key = excluded.username_key, password_hash = excluded.password_hash,
		       version = credential.version + 1, changed_micros = excluded.changed_micros, unset = false`,
		who.Institution, who.Kind, who.ID, username, key, phc, tx.Now.UnixMicro())
	if db.IsUnique(err, "credential_username") {
		return ErrUsernameTaken // somebody was faster by an instant
	}
	if err != nil {
		return fmt.Errorf("store the credential: %w", err)
	}
	return nil
}

// setPassword stores a new password and makes the old one useless.
func setPassword(tx *db.Tx, who Subject, phc string) error {
	_, err := tx.Exec(`
		update credential set password_hash = $1, version = version + 1, changed_micros = $2, unset = false
		 where institution_id = $3 and subject_kind = $4 and subject_id = $5`,
		phc, tx.Now.UnixMicro(), who.Institution, who.Kind, who.ID)
	if err != nil {
		return fmt.Errorf("store the password: %w", err)
	}
	return nil
}

// rehash stores the same password hashed at today's cost.
func rehash(tx *db.Tx, c credential, phc string) error {
	_, err := tx.Exec(`
		update credential set password_hash = $1
		 where institution_id = $2 and subject_kind = $3 and subject_id = $4 and version = $5`,
		phc, c.who.Institution, c.who.Kind, c.who.ID, c.version)
	if err != nil {
		return fmt.Errorf("store the password hashed anew: %w", err)
	}
	return nil
}

// Forget removes everything the room holds of a subject: it is part of
// deleting them. Their username may be chosen again by somebody else, who
// inherits nothing.
func Forget(tx *db.Tx, who Subject) error {
	for _, table := range []string{"credential", "strike", "sign_in", "known_device", "second_factor", "recovery_code", "link", "same_person", "outside_subject"} {
		_, err := tx.Exec(`delete from `+table+` where institution_id = $1 and subject_kind = $2 and subject_id = $3`,
			who.Institution, who.Kind, who.ID)
		if err != nil {
			return fmt.Errorf("forget %s: %w", table, err)
		}
	}
	return nil
}
