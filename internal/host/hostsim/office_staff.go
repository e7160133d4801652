package hostsim

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
)

// staffLongest is how long somebody of the bank stays signed in to BackOffice.
const staffLongest = 8 * time.Hour

// A Clerk is somebody of the bank who works in BackOffice, as the provider who
// signed them in tells of them.
type Clerk struct {
	Subject     string // who they are there
	SignIn      string // their sign-in there: where it ends, this one does
	Name, Email string
	Permissions []string
}

// ErrNoClerk is what a token gets that nobody is signed in with.
var ErrNoClerk = fault.New(fault.Unauthorized, "You are signed out. Sign in to go on.")

// OpenClerk signs somebody of the bank in, and returns the token of their browser.
func (b *Bank) OpenClerk(ctx context.Context, institution bank.InstitutionID, c Clerk) (token string, err error) {
	token = rand.Text() + rand.Text()
	err = b.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`delete from core_sign_in where ends_micros <= $1`, tx.Now.UnixMicro())
		if err == nil {
			_, err = tx.Exec(`
				insert into core_sign_in (institution_id, token_hash, subject, sign_in, name, email, permissions, ends_micros)
				values ($1, $2, $3, $4, $5, $6, $7, $8)`,
				institution, hashOf(token), c.Subject, c.SignIn, c.Name, c.Email, strings.Join(c.Permissions, " "), tx.Now.Add(staffLongest).UnixMicro())
		}
		if err != nil {
			return fmt.Errorf("sign somebody of the bank in: %w", err)
		}
		return nil
	})
	return token, err
}

// ClerkOf is who is signed in with a token, or ErrNoClerk.
func (b *Bank) ClerkOf(ctx context.Context, institution bank.InstitutionID, token string) (c Clerk, err error) {
	if token == "" {
		return c, ErrNoClerk
	}
	err = b.db.Read(ctx, func(tx *db.Tx) error {
		var permissions string
		err := tx.QueryRow(`
			select subject, sign_in, name, email, permissions from core_sign_in where institution_id = $1 and token_hash = $2 and ends_micros > $3`,
			institution, hashOf(token), tx.Now.UnixMicro()).Scan(&c.Subject, &c.SignIn, &c.Name, &c.Email, &permissions)
		c.Permissions = strings.Fields(permissions)
		if errors.Is(err, db.ErrNoRows) {
			return ErrNoClerk
		}
		return err
	})
	return c, err
}

// EndClerk signs somebody of the bank out: the one of a token.
func (b *Bank) EndClerk(ctx context.Context, institution bank.InstitutionID, token string) error {
	return b.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`delete from core_sign_in where institution_id = $1 and token_hash = $2`, institution, hashOf(token))
		return err
	})
}

// EndClerks signs out who came by a sign-in that has ended at the provider; an
// empty one stands for all sign-ins of the subject.
func (b *Bank) EndClerks(ctx context.Context, institution bank.InstitutionID, subject, signIn string) error {
	return b.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`delete from core_sign_in where institution_id = $1 and (sign_in = $2 and $2 <> '' or subject = $3 and $2 = '')`, institution, signIn, subject)
		return err
	})
}
