// Package grant is the room of sign-ins at products: the requests under way,
// what each application was given by whom, its tokens, the keys that sign them,
// what people consented to, and the end of all that. It keeps codes and refresh
// tokens as hashes only, and ends a family of them when a spent one comes back.
//
// It speaks no protocol (oidc does), does not know who the applications are
// (application), and gives nobody a right: a token says what its person may do
// at the moment of asking.
package grant

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/guard"
	"mandate/internal/identity"
	"mandate/internal/seal"
)

// Lifetimes. What is worth money is short, and what can be renewed is bound to
// a person who may still sign in.
const (
	RequestLifetime = 15 * time.Minute // to sign in and to decide
	PushedLifetime  = time.Minute
	CodeLifetime    = time.Minute
	AccessLifetime  = 15 * time.Minute
	IDTokenLifetime = 10 * time.Minute
	ProofLifetime   = 5 * time.Minute // of assertions and of proofs of possession
	RefreshIdle     = 8 * time.Hour   // between two uses
	RefreshLongest  = 30 * 24 * time.Hour
	KeyAhead        = 24 * time.Hour // a key is published before it signs
	KeyBehind       = 24 * time.Hour // and after it has signed
)

// History events of the room.
const (
	EventSignedIn  = "external_app.signed_in"
	EventEnded     = "external_app.grant_ended"
	EventReused    = "external_app.token_reused"
	EventConsented = "external_app.consent_given"
	EventWithdrawn = "external_app.consent_withdrawn"
	EventKeyMade   = "signing_key.rotated"
	EventEverybody = "auth.everybody_signed_out"
	EventRestored  = "institution.restored"
)

// Neutral is the issuer at which people choose their institution.
const Neutral = bank.InstitutionID("")

// A Person is a staff user as products are told of them.
type Person struct {
	ID            bank.StaffID
	First, Last   string
	Email, Phone  string
	Zone          string
	Groups        []Group
	Rights        catalog.StaffSet
	Products      map[bank.ApplicationID]catalog.ProductSet // what they hold of each product, which only that product is told
	SignInRefused string                                    // why they may not enter; empty: they may
}

// Name is the person's name.
func (p *Person) Name() string {
	if p.Last == "" {
		return p.First
	}
	return p.First + " " + p.Last
}

// A Group is one of a person's groups.
type Group struct {
	ID      bank.GroupID
	Name    string
	Product bank.ApplicationID // whose group it is; empty: the console's
}

// ErrNobody is what People answers for whoever may not be signed in:
// nobody of that id, locked, not active.
var ErrNobody = errors.New("nobody who may be signed in")

// People are the staff users.
type People interface {
	Person(tx *db.Tx, institution bank.InstitutionID, id bank.StaffID) (Person, error)
}

// A Service is the room, open.
type Service struct {
	db     *db.DB
	guard  *guard.Guard
	people People
	keys   *seal.Keyring

	// Wake makes the courier of logouts look at once; it may be nil.
	Wake func()
	// Ended is called after something that was given has ended; it may be nil.
	Ended func()
	// Closes finds where an application hears of the end of a sign-in: its
	// address, or nothing. It may be nil.
	Closes func(tx *db.Tx, issuer bank.InstitutionID, application bank.ApplicationID) (string, error)
}

// New opens the room. keys seal the private halves of the signing keys.
func New(d *db.DB, g *guard.Guard, people People, keys *seal.Keyring) *Service {
	return &Service{db: d, guard: g, people: people, keys: keys}
}

// NewToken makes 256 random bits as text.
func NewToken() identity.Secret {
	var b [32]byte
	rand.Read(b[:]) // never fails: the runtime stops the program instead
	return identity.Secret(base64.RawURLEncoding.EncodeToString(b[:]))
}

// digest is what is stored of a token or a name. The purpose keeps one useless
// in the place of another.
func digest(purpose, token string) []byte {
	sum := sha256.Sum256([]byte("grant " + purpose + "\x00" + token))
	return sum[:]
}

// ErrUnknown is what is answered for names and tokens that are not there, have
// ended, or were used up.
var ErrUnknown = errors.New("unknown, ended or used up")

// ErrMoved says that somebody else was faster: the same code or token was
// brought twice at once.
var ErrMoved = errors.New("used by somebody else meanwhile")

// signedIn is a person who may be signed in: whoever none of whose groups permits
// that is nobody.
func (s *Service) signedIn(tx *db.Tx, institution bank.InstitutionID, id bank.StaffID) (Person, error) {
	p, err := s.people.Person(tx, institution, id)
	if err == nil && p.SignInRefused != "" {
		err = ErrNobody
	}
	return p, err
}

// Person looks up who may be signed in, as they are now.
func (s *Service) Person(ctx context.Context, institution bank.InstitutionID, id bank.StaffID) (p Person, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		p, err = s.people.Person(tx, institution, id)
		return err
	})
	return p, err
}

// SeenBefore remembers the name of a proof or an assertion for as long as it
// could be shown again, and reports whether it was shown already.
func (s *Service) SeenBefore(ctx context.Context, issuer bank.InstitutionID, name string) (seen bool, err error) {
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(`insert into seen_proof (issuer, name_hash, expires_micros) values ($1, $2, $3) on conflict (issuer, name_hash) do nothing`,
			issuer, digest("proof", name), tx.Now.Add(3*ProofLifetime).UnixMicro())
		seen = n == 0
		return err
	})
	if err != nil {
		return true, fmt.Errorf("remember the proof: %w", err)
	}
	return seen, nil
}

// Purge forgets what has ended.
func (s *Service) Purge(ctx context.Context) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		now := tx.Now.UnixMicro()
		for _, statement := range []string{
			`delete from seen_proof where expires_micros <= $1`,
			`delete from authorization_request where expires_micros <= $1`,
			`delete from access_token where expires_micros <= $1`,
			`delete from spent_refresh where exists (select 1 from sign_in_grant g where g.issuer = spent_refresh.issuer and g.id = spent_refresh.grant_id and g.ends_micros <= $1)`,
			`delete from sign_in_grant where ends_micros <= $1`,
		} {
			if _, err := tx.Exec(statement, now); err != nil {
				return fmt.Errorf("forget what has ended: %w", err)
			}
		}
		return nil
	})
}

func personTarget(p *Person) activity.Target {
	return activity.Target{Kind: activity.TargetStaff, ID: string(p.ID), Name: p.Name()}
}

// asStaff is a person acting from a source.
func asStaff(institution bank.InstitutionID, p *Person, from identity.Source) bank.Caller {
	return bank.Caller{Kind: bank.ActorStaff, ID: string(p.ID), Name: p.Name(), Institution: institution,
		Channel: bank.ChannelPeople, IP: from.IP, Device: from.Device}
}
