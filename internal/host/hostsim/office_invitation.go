package hostsim

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/host"
)

// invitationDays is how long a link to Classic works.
const invitationDays = 7

// An Invitation is a link by which somebody makes their credentials in Classic.
type Invitation struct {
	Token   string // told once, for the mail
	User    host.User
	Email   string // where it is sent
	AskedBy string
	Issued  time.Time
	Expires time.Time
	State   InvitationState // at the moment of asking
}

// An InvitationState is how far an invitation has come.
type InvitationState string

const (
	InvitationOpen      InvitationState = "open"
	InvitationExpired   InvitationState = "expired"
	InvitationReplaced  InvitationState = "replaced" // by a newer one
	InvitationCompleted InvitationState = "completed"
)

// What a link to Classic says that leads nowhere any more.
var (
	ErrInvitationExpired = fault.New(fault.Conflict, "Your enrollment link has expired. Please contact your financial institution for assistance.").With("LINK_EXPIRED")
	ErrInvitationUsed    = fault.New(fault.Conflict, "This enrollment link has been used. Sign in with the username and password that you created.").With("LINK_USED")
)

// Invite gives a pending user a new link, and makes every older one useless.
// Nothing of it is told to the product.
func (b *Bank) Invite(ctx context.Context, institution bank.InstitutionID, by By, ref host.Ref) (i Invitation, err error) {
	err = b.db.Write(ctx, func(tx *db.Tx) error {
		u, err := findUser(tx, institution, ref)
		if errors.Is(err, host.ErrNoUser) || err == nil && u.Deleted {
			return fault.New(fault.NotFound, "There is no such user.")
		}
		if err != nil {
			return err
		}
		if err := mayChange(tx, institution, by, u); err != nil {
			return err
		}
		if err := invitable(&u); err != nil {
			return err
		}
		i = Invitation{Token: rand.Text() + rand.Text(), User: u, Email: u.Email, AskedBy: by.Name, Issued: tx.Now, Expires: tx.Now.AddDate(0, 0, invitationDays), State: InvitationOpen}
		return insertInvitation(tx, institution, &i)
	})
	return i, err
}

func invitable(u *host.User) error {
	switch {
	case u.Status != bank.StatusPending:
		return fault.New(fault.Conflict, "Only people who are pending can be invited.").With("NOT_PENDING")
	case len(u.Accounts) == 0:
		return fault.New(fault.Conflict, "Unable to invite user. Give them access to an account first.").With("NO_ACCOUNT")
	}
	return nil
}

func insertInvitation(tx *db.Tx, institution bank.InstitutionID, i *Invitation) error {
	_, err := tx.Exec(`
		update core_invitation set replaced_micros = $1
		 where institution_id = $2 and user_ref = $3 and completed_micros = 0 and replaced_micros = 0`, tx.Now.UnixMicro(), institution, i.User.Ref)
	if err == nil {
		_, err = tx.Exec(`
			insert into core_invitation (institution_id, token_hash, user_ref, email, asked_by, issued_micros, expires_micros, completed_micros, replaced_micros)
			values ($1, $2, $3, $4, $5, $6, $7, 0, 0)`, institution, hashOf(i.Token), i.User.Ref, i.Email, i.AskedBy, i.Issued.UnixMicro(), i.Expires.UnixMicro())
	}
	if err != nil {
		return fmt.Errorf("store the invitation: %w", err)
	}
	return nil
}

func hashOf(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// InvitationOf is what a link leads to. It changes nothing, however often it is
// asked. A link that leads nowhere any more is ErrInvitationExpired or
// ErrInvitationUsed.
func (b *Bank) InvitationOf(ctx context.Context, institution bank.InstitutionID, token string) (i Invitation, err error) {
	err = b.db.Read(ctx, func(tx *db.Tx) error {
		i, err = findInvitation(tx, institution, token)
		return err
	})
	return i, err
}

func findInvitation(tx *db.Tx, institution bank.InstitutionID, token string) (Invitation, error) {
	var ref host.Ref
	i, err := scanInvitation(tx.Now, &ref)(tx.QueryRow(`
		select user_ref, email, asked_by, issued_micros, expires_micros, completed_micros, replaced_micros
		  from core_invitation where institution_id = $1 and token_hash = $2`, institution, hashOf(token)))
	if errors.Is(err, db.ErrNoRows) {
		return i, ErrInvitationExpired
	}
	if err != nil {
		return i, fmt.Errorf("read the invitation: %w", err)
	}
	if i.User, err = findUser(tx, institution, ref); err != nil {
		return i, err
	}
	return i, i.usable()
}

func scanInvitation(now time.Time, ref *host.Ref) func(db.Scanner) (Invitation, error) {
	return func(row db.Scanner) (i Invitation, err error) {
		var issued, expires, completed, replaced int64
		err = row.Scan(ref, &i.Email, &i.AskedBy, &issued, &expires, &completed, &replaced)
		i.Issued, i.Expires = time.UnixMicro(issued).UTC(), time.UnixMicro(expires).UTC()
		switch {
		case completed != 0:
			i.State = InvitationCompleted
		case replaced != 0:
			i.State = InvitationReplaced
		case !now.Before(i.Expires):
			i.State = InvitationExpired
		default:
			i.State = InvitationOpen
		}
		return i, err
	}
}

func (i *Invitation) usable() error {
	switch {
	case i.State == InvitationCompleted:
		return ErrInvitationUsed
	case i.State != InvitationOpen, i.User.Deleted, i.User.Status != bank.StatusPending:
		return ErrInvitationExpired
	}
	return nil
}

// CompleteInvitation notes that a link has done its work: the credentials are
// made. Done twice it changes nothing more.
func (b *Bank) CompleteInvitation(ctx context.Context, institution bank.InstitutionID, token string) error {
	return b.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`update core_invitation set completed_micros = $1 where institution_id = $2 and token_hash = $3 and completed_micros = 0`,
			tx.Now.UnixMicro(), institution, hashOf(token))
		if err != nil {
			return fmt.Errorf("complete the invitation: %w", err)
		}
		return nil
	})
}

// LastInvitation is the newest invitation of a user; there may be none.
func (b *Bank) LastInvitation(ctx context.Context, institution bank.InstitutionID, user host.Ref) (i Invitation, invited bool, err error) {
	err = b.db.Read(ctx, func(tx *db.Tx) error {
		i, err = scanInvitation(tx.Now, new(host.Ref))(tx.QueryRow(`
			select user_ref, email, asked_by, issued_micros, expires_micros, completed_micros, replaced_micros
			  from core_invitation where institution_id = $1 and user_ref = $2 order by issued_micros desc limit 1`, institution, user))
		invited = err == nil
		if errors.Is(err, db.ErrNoRows) {
			return nil
		}
		return err
	})
	return i, invited, err
}
