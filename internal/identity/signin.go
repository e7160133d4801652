package identity

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// ErrSignIn is the one answer to everybody who is not signed in: unknown,
// wrong, pending, held, locked and disabled read the same.
var ErrSignIn = fault.New(fault.Unauthorized, "We couldn't sign you in. Check your username and password, or ask your administrator.").With("SIGN_IN_REFUSED")

// An Attempt is somebody at the sign-in door.
type Attempt struct {
	Institution bank.InstitutionID
	Kind        Kind
	Username    string
	Password    Secret
	From        Source
}

// Granted is what a sign-in gives. The tokens are told once and stored hashed.
type Granted struct {
	Token       Secret // for the cookie of the sign-in
	DeviceToken Secret // for a lasting cookie, by which the browser is known again
	NewDevice   bool   // the person has signed in before, never from here
	Session     Session
}

// SignIn answers an attempt. Wrong ones are counted before anything is
// evaluated; the first right one of a pending person makes them active.
func (s *Service) SignIn(ctx context.Context, a Attempt) (Granted, error) {
	if err := s.throttles.allow(signInRates, a.From.IP); err != nil {
		return Granted{}, err
	}
	began := time.Now()
	granted, err := s.signIn(ctx, a)
	if errors.Is(err, ErrSignIn) {
		s.hideTime(ctx, began)
	}
	return granted, err
}

// hideTime waits so that the time of a refusal says nothing: for the next whole
// multiple of the refusal time, and a random part more, because timers are not
// exact and how inexact they are depends on when they were set.
func (s *Service) hideTime(ctx context.Context, began time.Time) {
	multiple := s.cfg.RefusalTime
	if multiple <= 0 {
		return
	}
	timer := time.NewTimer(multiple - time.Since(began)%multiple + rand.N(multiple/2+1))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (s *Service) signIn(ctx context.Context, a Attempt) (Granted, error) {
	r, err := s.reserve(ctx, a)
	if err != nil {
		return Granted{}, err
	}
	ctx = context.WithoutCancel(ctx) // whoever hangs up has tried all the same
	match, old, err := s.hasher.verify(ctx, r.hash, a.Password)
	if err != nil {
		return Granted{}, errors.Join(err, s.giveBack(ctx, r, doorSignIn))
	}
	if !r.evaluated || !match {
		return Granted{}, s.refuse(ctx, r, a.From)
	}
	if r.person.Barred&WayHere != 0 {
		return Granted{}, s.barHere(ctx, r, a.From)
	}
	fresh := ""
	if old {
		if fresh, err = s.hasher.hash(ctx, a.Password); err != nil {
			return Granted{}, errors.Join(err, s.giveBack(ctx, r, doorSignIn))
		}
	}
	return s.admit(ctx, r, fresh, a.From)
}

// A reservation is an attempt that has been counted and not yet evaluated.
type reservation struct {
	credential
	person    Person
	known     bool   // somebody has this username
	blocked   string // why they cannot sign in; empty where they can
	reserved  bool   // it has a place among those that count
	evaluated bool   // its password is compared with the real hash
	strikes   strikes
}

// reserve finds out who is meant and counts the attempt. The same is read and
// written for everybody, and who may not sign in is compared with a hash that
// nothing matches.
func (s *Service) reserve(ctx context.Context, a Attempt) (r reservation, err error) {
	key := UsernameKey(a.Username)
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		r = reservation{}
		if err := s.identify(tx, &r, a.Institution, a.Kind, key); err != nil {
			return err
		}
		r.reserved = r.known && r.blocked == ""
		if r.strikes, err = spend(tx, r.who, doorSignIn, r.reserved); err != nil {
			return err
		}
		r.evaluated = r.reserved && r.strikes.spent <= strikesOf(a.Kind)
		if !r.evaluated {
			r.hash = s.hasher.dummy
		}
		return nil
	})
	return r, err
}

func (s *Service) identify(tx *db.Tx, r *reservation, institution bank.InstitutionID, kind Kind, key string) error {
	c, err := findCredential(tx, institution, kind, key)
	r.known = err == nil
	if errors.Is(err, db.ErrNoRows) {
		c, err = credential{who: decoy(institution, kind, key)}, nil
	}
	if err != nil {
		return fmt.Errorf("find the credential: %w", err)
	}
	r.credential = c
	r.person, err = s.people.Find(tx, c.who)
	if errors.Is(err, ErrNoPerson) {
		r.known = false
		return nil
	}
	r.blocked = blocked(&r.person)
	return err
}

// blocked says why a person cannot sign in, for the history. A pending person
// who has credentials can: it makes them active.
func blocked(p *Person) string {
	switch {
	case p.Status == bank.StatusDisabled:
		return "DISABLED"
	case p.Status == bank.StatusLocked:
		return "LOCKED"
	case p.Held:
		return "HELD"
	case p.Status != bank.StatusActive && p.Status != bank.StatusPending:
		return "STATUS"
	}
	return ""
}

// codeBarred is why somebody cannot sign in whose groups do not permit the way.
const codeBarred = "NOT_PERMITTED"

// Refusals of whoever has shown who they are, and may not come in this way.
var (
	// ErrBarredHere leaves the other way open.
	ErrBarredHere = fault.New(fault.Forbidden, "None of your groups permits signing in with a password here. Sign in through your institution’s own provider. Whoever edits groups can change this.").With("SIGN_IN_BARRED")
	// ErrBarredOutside leaves the password, where the person has one.
	ErrBarredOutside = fault.New(fault.Forbidden, "None of your groups permits signing in through the outside provider. Whoever edits groups can change this.").With("SIGN_IN_BARRED")
	// ErrBarred leaves no way.
	ErrBarred = fault.New(fault.Forbidden, "None of your groups permits signing in. Whoever edits groups can change this.").With("SIGN_IN_BARRED")
)

// barHere refuses somebody whose password was right. It is neither a strike nor
// a success.
func (s *Service) barHere(ctx context.Context, r reservation, from Source) error {
	err := s.db.Write(ctx, func(tx *db.Tx) error {
		if err := noteFailure(tx, &r.person, "auth.signin_failed", codeBarred, from); err != nil {
			return err
		}
		_, err := settleUnused(tx, r.who, doorSignIn)
		return err
	})
	if err != nil {
		return err
	}
	if r.person.Barred&WayOutside != 0 {
		return ErrBarred
	}
	return ErrBarredHere
}

func (s *Service) giveBack(ctx context.Context, r reservation, at door) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		_, err := settleUnused(tx, r.who, at)
		return err
	})
}

// refuse settles an attempt that failed, and locks where it was the last. The
// history is locked before the strikes, as everywhere.
func (s *Service) refuse(ctx context.Context, r reservation, from Source) error {
	n := r.strikes
	err := s.db.Write(ctx, func(tx *db.Tx) (err error) {
		switch {
		case r.evaluated:
			if err := noteFailure(tx, &r.person, "auth.signin_failed", "WRONG_PASSWORD", from); err != nil {
				return err
			}
			n, err = settleWrong(tx, r.who, doorSignIn)
		case r.reserved:
			n, err = settleUnused(tx, r.who, doorSignIn)
		case r.blocked != "" && !r.strikes.noted.After(tx.Now.Add(-notedEvery)):
			if err := noteFailure(tx, &r.person, "auth.signin_failed", r.blocked, from); err != nil {
				return err
			}
			_, err = settle(tx, r.who, doorSignIn, markNoted)
		default:
			_, err = settle(tx, r.who, doorSignIn, touchStrike)
		}
		return err
	})
	if err != nil {
		return err
	}
	if r.reserved && n.wrong >= strikesOf(r.who.Kind) {
		if err := s.lock(ctx, &r.person, doorSignIn, from); err != nil {
			return err
		}
	}
	return ErrSignIn
}

// noteFailure records that somebody failed to prove that they are this person.
func noteFailure(tx *db.Tx, p *Person, event, code string, from Source) error {
	return note(tx, p, activity.Event{Name: event, Refused: true, Code: code}, from)
}

// note records something that the person did, or somebody in their name, and
// that changed nothing: the revision stays.
func note(tx *db.Tx, p *Person, e activity.Event, from Source) error {
	stream, err := activity.Lock(tx, p.Subject.Institution, p.Organization)
	if err != nil {
		return err
	}
	e.Target = p.target()
	e.Actor = activity.Actor{Kind: p.caller(from).Kind, ID: e.Target.ID, Name: e.Target.Name}
	e.Channel, e.IP, e.Device = from.Channel, from.IP, from.Device
	return stream.Append(bank.NewID(bank.PrefixSave, tx.Now), e)
}

// admit goes on with somebody who gave the right password: to the second factor
// where they have one, otherwise in. Everything is looked at again with the
// organization locked: a hold or a new password that came meanwhile wins.
func (s *Service) admit(ctx context.Context, r reservation, fresh string, from Source) (g Granted, err error) {
	err = s.guard.Do(ctx, r.person.caller(from), s.signInAction(&r.person), func(c *guard.Change) error {
		person, err := s.stillAdmitted(c.Tx, r.credential, entry{})
		if err != nil {
			return err
		}
		if fresh != "" {
			if err := rehash(c.Tx, r.credential, fresh); err != nil {
				return err
			}
		}
		stage, err := nextStage(c.Tx, &person)
		if err != nil {
			return err
		}
		if stage == StageComplete {
			g, err = s.complete(c, &person, entry{username: r.username}, from)
			return err
		}
		if _, err := settleUnused(c.Tx, r.who, doorSignIn); err != nil {
			return err
		}
		g, err = s.open(c.Tx, &person, entry{username: r.username}, stage, from)
		return err
	})
	if errors.Is(err, ErrSignIn) {
		err = errors.Join(s.giveBack(ctx, r, doorSignIn), err)
	}
	if err != nil {
		return Granted{}, err
	}
	return g, nil
}

// nextStage is what follows a right password.
func nextStage(tx *db.Tx, p *Person) (Stage, error) {
	has, err := HasSecondFactor(tx, p.Subject)
	switch {
	case has:
		return StageSecondFactor, err
	case p.NeedsSecond:
		return StageEnrol, err
	}
	return StageComplete, err
}

func (s *Service) signInAction(p *Person) guard.Action {
	return guard.Action{Event: "auth.signin_succeeded", Organization: p.Organization, Target: p.target(), Self: true}
}

// An entry is how somebody comes in.
type entry struct {
	username string
	factor   string // the second factor that was shown; empty: none
	outside  string // the issuer through which they came; empty: here
}

// way is which of the ways it is.
func (e entry) way() Way {
	if e.outside != "" {
		return WayOutside
	}
	return WayHere
}

// stillAdmitted reads the person again.
func (s *Service) stillAdmitted(tx *db.Tx, c credential, e entry) (Person, error) {
	now, err := credentialOf(tx, c.who)
	if errors.Is(err, db.ErrNoRows) || err == nil && now.version != c.version {
		return Person{}, ErrSignIn
	}
	if err != nil {
		return Person{}, fmt.Errorf("find the credential: %w", err)
	}
	person, err := s.people.Find(tx, c.who)
	if errors.Is(err, ErrNoPerson) || err == nil && (blocked(&person) != "" || person.Barred&e.way() != 0) {
		return Person{}, ErrSignIn
	}
	return person, err
}

// complete opens a full sign-in: the strikes are forgotten, a pending person
// becomes active, the browser is remembered. A provider that knows somebody says
// nothing of who guesses their password here: their strikes stay.
func (s *Service) complete(c *guard.Change, p *Person, e entry, from Source) (Granted, error) {
	if e.outside == "" {
		if err := settleRight(c.Tx, p.Subject, doorSignIn); err != nil {
			return Granted{}, err
		}
	}
	g, err := s.open(c.Tx, p, e, StageComplete, from)
	if err != nil {
		return Granted{}, err
	}
	if g.NewDevice {
		if err := s.tell(c.Tx, p, "auth.new_device", "Sign-in from a new device", "Somebody signed in to your account from a device that was not used before: "+from.Device+", address "+from.IP+"."); err != nil {
			return Granted{}, err
		}
	}
	if p.Status != bank.StatusPending {
		c.RecordQuiet("auth.signin_succeeded", p.target(), e.note())
		return g, nil
	}
	if err := s.people.SetStatus(c.Tx, p.Subject, bank.StatusActive); err != nil {
		return Granted{}, fmt.Errorf("activate: %w", err)
	}
	c.RecordAs(p.event("activated"), p.target(), strings.TrimSpace("first sign-in "+e.note()),
		activity.Change{Field: "status", Old: p.Status.String(), New: bank.StatusActive.String()})
	return g, nil
}

// note says in the history how somebody came in, where that is not by password.
func (e entry) note() string {
	if e.outside == "" {
		return ""
	}
	return "through " + e.outside
}

// open stores a sign-in record and returns its tokens.
func (s *Service) open(tx *db.Tx, p *Person, e entry, stage Stage, from Source) (Granted, error) {
	g := Granted{Token: newToken(), DeviceToken: from.DeviceToken}
	if len(g.DeviceToken) != len(g.Token) {
		g.DeviceToken = newToken()
	}
	deviceHash := digest("device", g.DeviceToken)
	idle, longest := s.lifetimes(p.Subject.Kind)
	if stage != StageComplete {
		idle, longest = waitingLifetime, waitingLifetime
	}
	row := signInRow{deviceHash: deviceHash, Session: Session{
		ID: bank.NewID("sin", tx.Now), Subject: p.Subject, Username: e.username, Stage: stage, Factor: e.factor, Outside: e.outside,
		Channel: from.Channel, IP: from.IP, Device: from.Device,
		Created: tx.Now, Seen: tx.Now, IdleEnds: tx.Now.Add(idle), Ends: tx.Now.Add(longest),
		FormToken: formToken(g.Token),
	}}
	row.Caller = p.caller(from)
	row.Caller.SignIn = row.ID
	if err := insertSignIn(tx, row, digest("sign-in", g.Token)); err != nil {
		return Granted{}, err
	}
	g.Session = row.Session
	if stage != StageComplete {
		return g, nil
	}
	var err error
	g.NewDevice, err = meetDevice(tx, p.Subject, deviceHash, from.Device)
	return g, err
}
