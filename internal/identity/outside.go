package identity

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// History events of signing in through an institution's own provider.
const (
	EventLinked   = "staff.outside_linked"
	EventUnlinked = "staff.outside_unlinked"
)

// outsideLifetime is how long somebody may take at the provider.
const outsideLifetime = 10 * time.Minute

var outsideRates = []rate{{"outside", 20, time.Minute, false}, {"outside", 120, time.Minute, true}}

// FactorOutside is the second factor of a sign-in whose provider said that it had
// asked for one, and is believed.
const FactorOutside = "outside"

// An Errand is a sign-in that a browser takes to the provider. Nonce and
// Verifier follow from the browser's secret and State, so that nothing is kept
// that could be stolen.
type Errand struct {
	Provider Provider
	Secret   Secret // the provider's; only of one that came back
	State    Secret
	Nonce    Secret
	Verifier Secret // of the code's proof key
	Browser  Secret // for a cookie that comes back from another site
	Back     string // where they were going
}

func newErrand(p Provider, browser, state Secret, back string) Errand {
	derive := func(what string) Secret {
		mac := hmac.New(sha256.New, []byte(browser))
		mac.Write([]byte("outside " + what + "\x00" + string(state)))
		return Secret(base64.RawURLEncoding.EncodeToString(mac.Sum(nil)))
	}
	return Errand{Provider: p, State: state, Nonce: derive("nonce"), Verifier: derive("verifier"), Browser: browser, Back: back}
}

// ErrNoProvider says that an institution has no provider outside.
var ErrNoProvider = fault.New(fault.NotFound, "Nobody signs in here through another provider.").With("NO_PROVIDER")

// Provider is an institution's provider; one of version 0 where there is none.
func (s *Service) Provider(ctx context.Context, institution bank.InstitutionID) (p Provider, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		p, err = ProviderOf(tx, institution)
		return err
	})
	return p, err
}

// BeginOutside begins a sign-in through the provider. browser is what the
// browser kept of an earlier one, or nothing.
func (s *Service) BeginOutside(ctx context.Context, institution bank.InstitutionID, browser Secret, back string, from Source) (e Errand, err error) {
	if err := s.throttles.allow(outsideRates, from.IP); err != nil {
		return Errand{}, err
	}
	state := newToken()
	if len(browser) != len(state) {
		browser = newToken()
	}
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		p, err := ProviderOf(tx, institution)
		if err != nil {
			return err
		}
		if p.Version == 0 {
			return ErrNoProvider
		}
		e = newErrand(p, browser, state, back)
		_, err = tx.Exec(`
			insert into outside_request (institution_id, state_hash, browser_hash, provider_version, back, expires_micros) values ($1, $2, $3, $4, $5, $6)`,
			institution, digest("outside state", state), digest("outside browser", browser), p.Version, back, tx.Now.Add(outsideLifetime).UnixMicro())
		if err != nil {
			return fmt.Errorf("begin the sign-in outside: %w", err)
		}
		return nil
	})
	return e, err
}

// errErrand is for whatever comes back and was not taken there, or not by this
// browser, or too late, or before.
var errErrand = fault.New(fault.Conflict, "This sign-in has ended or was begun in another browser. Start again.").With("SIGN_IN_ENDED")

// TakeOutside takes back a sign-in that a browser brings from the provider: once,
// in the same browser, while the provider is still the same.
func (s *Service) TakeOutside(ctx context.Context, institution bank.InstitutionID, state, browser Secret, from Source) (e Errand, err error) {
	if err := s.throttles.allow(outsideRates, from.IP); err != nil {
		return Errand{}, err
	}
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		var version int64
		var back string
		err := tx.QueryRow(`
			delete from outside_request where institution_id = $1 and state_hash = $2 and browser_hash = $3 and expires_micros > $4
			returning provider_version, back`,
			institution, digest("outside state", state), digest("outside browser", browser), tx.Now.UnixMicro()).Scan(&version, &back)
		if errors.Is(err, db.ErrNoRows) {
			return errErrand
		}
		if err != nil {
			return fmt.Errorf("take back the sign-in: %w", err)
		}
		row, err := providerOf(tx, institution)
		if err != nil {
			return err
		}
		if row.Version != version {
			return errErrand
		}
		e = newErrand(row.Provider, browser, state, back)
		secret, err := s.keys.Open(row.secret, secretPlace(institution)...)
		if err != nil {
			return fmt.Errorf("open the provider's secret: %w", err)
		}
		e.Secret = Secret(secret)
		return nil
	})
	if err != nil {
		return Errand{}, err
	}
	return e, nil
}

// Claimed is what a provider says of somebody, once it has been proven that the
// provider says it, to us, now.
type Claimed struct {
	Issuer      string
	Subject     string
	Email       string // empty: it says none that counts
	SecondShown bool   // with what counts as a second factor
}

// Refusals of whom the provider has let in and we do not.
var (
	errStranger = fault.New(fault.Forbidden, "Your provider knows you, but nobody of this institution has your address. Ask your administrator to invite you.").With("NOT_INVITED")
	errTaken    = fault.New(fault.Forbidden, "Your address is linked with somebody else at your provider. Ask your administrator to unlink that sign-in first.").With("LINKED_OTHERWISE")
	errShut     = fault.New(fault.Forbidden, "You cannot sign in here now. Ask your administrator.").With("SHUT")
)

// SignInOutside signs in whom the institution's provider has let in. They are
// known by the provider's name for them; somebody who comes for the first time is
// found by their address, and linked. It makes nobody who was not invited.
func (s *Service) SignInOutside(ctx context.Context, institution bank.InstitutionID, said Claimed, from Source) (g Granted, err error) {
	p, err := s.claimant(ctx, institution, said)
	if err != nil {
		return Granted{}, err
	}
	if why, refused := s.refusedOutside(&p); refused != nil {
		err := s.db.Write(ctx, func(tx *db.Tx) error { return noteFailure(tx, &p, "auth.signin_failed", why, from) })
		return Granted{}, errors.Join(refused, err)
	}
	unset, err := s.hasher.hash(ctx, newToken())
	if err != nil {
		return Granted{}, err
	}
	err = s.guard.Do(ctx, p.caller(from), s.signInAction(&p), func(c *guard.Change) error {
		person, linked, err := claimed(c.Tx, s.people, institution, said)
		if err != nil {
			return err
		}
		if _, refused := s.refusedOutside(&person); refused != nil {
			return refused
		}
		if !linked {
			if err := link(c, &person, said); err != nil {
				return err
			}
		}
		if err := lendCredential(c.Tx, &person, unset); err != nil {
			return err
		}
		g, err = s.enterOutside(c, &person, said, from)
		return err
	})
	if err != nil {
		return Granted{}, err
	}
	return g, nil
}

// enterOutside goes on with somebody whom the provider let in: in, or to the
// second factor that is asked for here.
func (s *Service) enterOutside(c *guard.Change, p *Person, said Claimed, from Source) (Granted, error) {
	if _, err := c.Tx.Exec(`update outside_subject set used_micros = $1 where institution_id = $2 and subject_kind = $3 and subject_id = $4`,
		c.Tx.Now.UnixMicro(), p.Subject.Institution, p.Subject.Kind, p.Subject.ID); err != nil {
		return Granted{}, fmt.Errorf("note the sign-in: %w", err)
	}
	w := entry{username: p.Email, outside: said.Issuer}
	if said.SecondShown {
		w.factor = FactorOutside
		return s.complete(c, p, w, from)
	}
	stage, err := nextStage(c.Tx, p)
	if err != nil {
		return Granted{}, err
	}
	if stage == StageComplete {
		return s.complete(c, p, w, from)
	}
	return s.open(c.Tx, p, w, stage, from)
}

// refusedOutside says why somebody may not come in through the provider, for the
// history and for them.
func (s *Service) refusedOutside(p *Person) (code string, err error) {
	if code := blocked(p); code != "" {
		return code, errShut
	}
	if p.Barred&WayOutside != 0 {
		return codeBarred, ErrBarredOutside
	}
	return "", nil
}

func (s *Service) claimant(ctx context.Context, institution bank.InstitutionID, said Claimed) (p Person, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		p, _, err = claimed(tx, s.people, institution, said)
		return err
	})
	return p, err
}

// claimed finds whom a provider means: by its name for them, and only where it
// has none yet by the address of somebody who is linked with nobody.
func claimed(tx *db.Tx, people People, institution bank.InstitutionID, said Claimed) (p Person, linked bool, err error) {
	var id string
	err = tx.QueryRow(`
		select subject_id from outside_subject where institution_id = $1 and subject_kind = $2 and issuer = $3 and outside_id = $4`,
		institution, KindStaff, said.Issuer, said.Subject).Scan(&id)
	if err == nil {
		p, err = people.Find(tx, Staff(institution, bank.StaffID(id)))
		if errors.Is(err, ErrNoPerson) {
			err = errStranger
		}
		return p, true, err
	}
	if !errors.Is(err, db.ErrNoRows) {
		return p, false, fmt.Errorf("find whom the provider means: %w", err)
	}
	if said.Email == "" {
		return p, false, errStranger
	}
	found, err := people.FindByEmail(tx, institution, KindStaff, said.Email)
	if err != nil {
		return p, false, fmt.Errorf("find the address: %w", err)
	}
	if len(found) != 1 {
		return p, false, errStranger
	}
	l, err := LinkOf(tx, found[0].Subject)
	if err == nil && l.Issuer != "" {
		err = errTaken
	}
	return found[0], false, err
}

// An Outside is how somebody is linked with the institution's provider.
type Outside struct {
	Issuer  string // empty: they are not
	Subject string
	Email   string // by which they were found
	Since   time.Time
	Used    time.Time
}

// LinkOf is how somebody is linked with the institution's provider.
func LinkOf(tx *db.Tx, who Subject) (o Outside, err error) {
	var since, used int64
	err = tx.QueryRow(`
		select issuer, outside_id, email, linked_micros, used_micros from outside_subject
		 where institution_id = $1 and subject_kind = $2 and subject_id = $3`, who.Institution, who.Kind, who.ID).Scan(&o.Issuer, &o.Subject, &o.Email, &since, &used)
	if errors.Is(err, db.ErrNoRows) {
		return Outside{}, nil
	}
	if err != nil {
		return Outside{}, fmt.Errorf("read the link with the provider: %w", err)
	}
	o.Since, o.Used = time.UnixMicro(since).UTC(), time.UnixMicro(used).UTC()
	return o, nil
}

func link(c *guard.Change, p *Person, said Claimed) error {
	_, err := c.Tx.Exec(`
		insert into outside_subject (institution_id, subject_kind, subject_id, issuer, outside_id, email, linked_micros, used_micros)
		values ($1, $2, $3, $4, $5, $6, $7, $7)`,
		p.Subject.Institution, p.Subject.Kind, p.Subject.ID, said.Issuer, said.Subject, said.Email, c.Tx.Now.UnixMicro())
	if db.IsUnique(err, "outside_subject_pk") || db.IsUnique(err, "outside_subject_once") {
		return errTaken
	}
	if err != nil {
		return fmt.Errorf("link with the provider: %w", err)
	}
	c.RecordAs(EventLinked, p.target(), "", activity.Change{Field: "issuer", New: said.Issuer}, activity.Change{Field: "outside_subject", New: said.Subject}, activity.Change{Field: "email", New: said.Email})
	return nil
}

// lendCredential gives somebody who has chosen no password a credential that no
// password opens: what goes by credentials goes for them, too.
func lendCredential(tx *db.Tx, p *Person, phc string) error {
	has, err := HasCredentials(tx, p.Subject)
	if err != nil || has {
		return err
	}
	if err := upsertCredential(tx, p.Subject, p.Email, UsernameKey(p.Email), phc); err != nil {
		return err
	}
	_, err = tx.Exec(`update credential set unset = true where institution_id = $1 and subject_kind = $2 and subject_id = $3`,
		p.Subject.Institution, p.Subject.Kind, p.Subject.ID)
	if err != nil {
		return fmt.Errorf("store that there is no password: %w", err)
	}
	return nil
}

// hasPassword reports whether somebody has chosen a password.
func hasPassword(tx *db.Tx, who Subject) (bool, error) {
	n, err := db.One(tx, db.Value[int64], `
		select count(*) from credential where institution_id = $1 and subject_kind = $2 and subject_id = $3 and not unset`, who.Institution, who.Kind, who.ID)
	if err != nil {
		return false, fmt.Errorf("look for a password: %w", err)
	}
	return n > 0, nil
}

// Unlink forgets whom the provider means, in the transaction of a change that
// records it, and ends the sign-ins that came through it. It reports what was
// there.
func (s *Service) Unlink(tx *db.Tx, who Subject) (Outside, error) {
	was, err := LinkOf(tx, who)
	if err != nil {
		return was, err
	}
	if was.Issuer == "" {
		return was, fault.New(fault.Conflict, "This user is not linked with the outside provider.").With("NOT_LINKED")
	}
	if _, err := tx.Exec(`delete from outside_subject where institution_id = $1 and subject_kind = $2 and subject_id = $3`, who.Institution, who.Kind, who.ID); err != nil {
		return was, fmt.Errorf("unlink: %w", err)
	}
	ended, err := db.All(tx, scanEnded(who.Institution), `
		delete from sign_in where institution_id = $1 and subject_kind = $2 and subject_id = $3 and outside <> '' returning subject_kind, subject_id, id`,
		who.Institution, who.Kind, who.ID)
	if err != nil {
		return was, fmt.Errorf("end the sign-ins that came through the provider: %w", err)
	}
	return was, s.ended(tx, ended)
}

// OwnLink is how the caller is linked with their institution's provider.
func (s *Service) OwnLink(ctx context.Context, caller bank.Caller) (o Outside, err error) {
	who, ok := SubjectOf(caller)
	if !ok {
		return o, ErrSignedOut
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		o, err = LinkOf(tx, who)
		return err
	})
	return o, err
}

// UnlinkOwn unlinks the caller themself.
func (s *Service) UnlinkOwn(ctx context.Context, caller bank.Caller) error {
	who, ok := SubjectOf(caller)
	if !ok {
		return ErrSignedOut
	}
	target := activity.Target{Kind: activity.TargetStaff, ID: caller.ID, Name: caller.Name}
	return s.guard.Do(ctx, caller, guard.Action{Event: EventUnlinked, Target: target, Self: true}, func(c *guard.Change) error {
		was, err := s.Unlink(c.Tx, who)
		if err != nil {
			return err
		}
		c.Record(activity.Change{Field: "issuer", Old: was.Issuer}, activity.Change{Field: "outside_subject", Old: was.Subject})
		return nil
	})
}
