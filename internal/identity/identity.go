// Package identity is the room of proving who somebody is: credentials,
// sign-in and its lockout, sign-in records, invitations, password resets,
// second factors and high-risk authorization, for organization users and for
// staff users alike.
//
// It does not know what anybody may do (entitlement), nor who they are beyond
// what People tells it (usermgmt, staff). Nothing here tells a stranger whether
// a person exists or in what state they are: refusals are the same sentence
// after the same work.
package identity

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/guard"
	"mandate/internal/seal"
)

// Named limits.
const (
	memberStrikes = 3 // wrong attempts that lock an organization user
	staffStrikes  = 5 // wrong attempts that lock a staff user

	maxSignIns  = 5  // a further sign-in ends the one that was opened first
	maxDevices  = 20 // known browsers of one subject; the one not seen longest is forgotten
	seenEvery   = time.Minute
	strikeStale = time.Minute // an attempt that nobody has settled by then died with its process
	notedEvery  = 15 * time.Minute

	waitingLifetime = 10 * time.Minute // between a right password and the second factor
)

// Config is how the room is built. DB, Guard and People are needed; the zero
// value of everything else works.
type Config struct {
	DB     *db.DB
	Guard  *guard.Guard
	People People

	// Mailer queues links and notices. Without one no link can be sent.
	Mailer Mailer

	// Keys seal the secrets of second factors. Without them there are none.
	Keys *seal.Keyring

	// Origins are where people sign in, such as https://online.bank.example:
	// passkeys are made for the host of the first. Nil means the demo's.
	Origins []string

	// Clock is what the throttles go by. Nil means the machine's clock.
	Clock bank.Clock

	// Cost is what one password hash costs. The zero Cost is the default.
	Cost Cost

	// HashWorkers is how many passwords are hashed at once. Zero means one per
	// processor.
	HashWorkers int

	// ThrottleFactor widens every throttle per source. Zero means 1; a demo
	// uses 100.
	ThrottleFactor int

	// RefusalTime hides how long a refusal took: the answer waits for the next
	// whole multiple and a random half more. Zero means 250 ms; a negative one
	// does not wait.
	RefusalTime time.Duration

	// SignedOut hears of sign-ins that their people ended, in the same
	// transaction. It may be nil.
	SignedOut func(*db.Tx, []Ended) error

	MemberIdle, MemberLongest time.Duration // zero means 15 minutes and 12 hours
	StaffIdle, StaffLongest   time.Duration // zero means 30 minutes and 8 hours
}

func (c Config) withDefaults() Config {
	if c.Mailer == nil {
		c.Mailer = noMailer{}
	}
	if c.Clock == nil {
		c.Clock = bank.SystemClock{}
	}
	if len(c.Origins) == 0 {
		c.Origins = []string{"http://localhost:8080", "http://localhost:8081"}
	}
	c.Cost = cmp.Or(c.Cost, DefaultCost)
	c.HashWorkers = cmp.Or(c.HashWorkers, runtime.NumCPU())
	c.ThrottleFactor = cmp.Or(c.ThrottleFactor, 1)
	c.RefusalTime = cmp.Or(c.RefusalTime, 250*time.Millisecond)
	c.MemberIdle = cmp.Or(c.MemberIdle, 15*time.Minute)
	c.MemberLongest = cmp.Or(c.MemberLongest, 12*time.Hour)
	c.StaffIdle = cmp.Or(c.StaffIdle, 30*time.Minute)
	c.StaffLongest = cmp.Or(c.StaffLongest, 8*time.Hour)
	return c
}

func (c Config) check() error {
	switch {
	case c.DB == nil, c.Guard == nil, c.People == nil:
		return errors.New("identity: Config.DB, Guard and People are needed")
	case c.HashWorkers < 1:
		return fmt.Errorf("identity: Config.HashWorkers is %d; one or more is needed", c.HashWorkers)
	case c.ThrottleFactor < 1:
		return fmt.Errorf("identity: Config.ThrottleFactor is %d; one or more is needed", c.ThrottleFactor)
	}
	return c.Cost.check()
}

// A Service is the room, open.
type Service struct {
	db     *db.DB
	guard  *guard.Guard
	people People
	mailer Mailer
	keys   *seal.Keyring

	relyingParty *webauthn.WebAuthn
	cfg          Config
	hasher       *hasher
	throttles    *throttles
}

// New opens the room.
func New(cfg Config) (*Service, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	h, err := newHasher(cfg.Cost, cfg.HashWorkers)
	if err != nil {
		return nil, err
	}
	rp, err := newRelyingParty(cfg.Origins)
	if err != nil {
		return nil, err
	}
	return &Service{
		relyingParty: rp,
		db:           cfg.DB, guard: cfg.Guard, people: cfg.People, mailer: cfg.Mailer, keys: cfg.Keys, cfg: cfg,
		hasher: h, throttles: newThrottles(cfg.Clock, cfg.ThrottleFactor),
	}, nil
}

func (s *Service) lifetimes(kind Kind) (idle, longest time.Duration) {
	if kind == KindStaff {
		return s.cfg.StaffIdle, s.cfg.StaffLongest
	}
	return s.cfg.MemberIdle, s.cfg.MemberLongest
}

func strikesOf(kind Kind) int64 {
	if kind == KindStaff {
		return staffStrikes
	}
	return memberStrikes
}
