package identity

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/pquerna/otp"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

const (
	eventFactorAdded   = "auth.second_factor_added"
	eventFactorRemoved = "auth.second_factor_removed"
	eventCodesRenewed  = "auth.recovery_codes_renewed"

	qrPixels = 240
)

// asSelf changes something about the caller's own credentials, through the one
// door. The sign-in is looked up again inside; one that waits for a second
// factor to be enrolled is enough.
func (s *Service) asSelf(ctx context.Context, caller bank.Caller, event string, apply func(*guard.Change, *Person, Stage) error) error {
	who, ok := SubjectOf(caller)
	if !ok {
		return ErrSignedOut
	}
	if s.keys == nil {
		return fault.New(fault.Unavailable, "Second factors cannot be kept here: no key for sealing them is configured.").With("NO_KEYS")
	}
	me := Person{Subject: who, FirstName: caller.Name}
	action := guard.Action{Event: event, Organization: caller.Organization, Target: me.target(), Self: true}
	return s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		p, stage, err := s.owner(c.Tx, caller)
		if err != nil {
			return err
		}
		return apply(c, &p, stage)
	})
}

// owner is the person behind a caller, signed in or about to enrol.
func (s *Service) owner(tx *db.Tx, caller bank.Caller) (Person, Stage, error) {
	p, err := s.prover(tx, caller)
	if !errors.Is(err, ErrSignedOut) {
		return p, StageComplete, err
	}
	p, err = s.signedIn(tx, caller, StageEnrol)
	return p, StageEnrol, err
}

// askFirst asks for a high-risk authorization before a second factor is added.
// Whoever has nothing to give one with, since they come through a provider
// outside, must have come just now.
func askFirst(c *guard.Change, p *Person, stage Stage, method Method) error {
	if stage != StageComplete {
		return nil
	}
	methods, err := methodsOf(c.Tx, p.Subject)
	if err != nil {
		return err
	}
	if len(methods) > 0 {
		return c.RequireProof([]byte(method))
	}
	created, err := db.One(c.Tx, db.Value[int64], `select created_micros from sign_in where institution_id = $1 and id = $2`, p.Subject.Institution, c.Caller.SignIn)
	if err != nil {
		return fmt.Errorf("read the sign-in: %w", err)
	}
	if c.Tx.Now.Sub(time.UnixMicro(created)) > proofLifetime {
		return errNothingToShow
	}
	return nil
}

// An AppEnrolment is what somebody needs to add the account to their
// authenticator app.
type AppEnrolment struct {
	ID   string // for ConfirmApp
	Seed Secret // for typing
	URL  Secret // for opening the app
	QR   []byte // the URL as a PNG picture
}

// BeginApp starts to enrol an authenticator app. Somebody who is fully signed
// in needs a high-risk authorization for it (action
// "auth.second_factor_added", their own id, content "totp").
func (s *Service) BeginApp(ctx context.Context, caller bank.Caller, name string) (e AppEnrolment, err error) {
	name, err = factorName(name, "Authenticator app")
	if err != nil {
		return AppEnrolment{}, err
	}
	err = s.asSelf(ctx, caller, eventFactorAdded, func(c *guard.Change, p *Person, stage Stage) error {
		if err := askFirst(c, p, stage, MethodTOTP); err != nil {
			return err
		}
		if _, err := c.Tx.Exec(`delete from second_factor where institution_id = $1 and subject_kind = $2 and subject_id = $3 and not confirmed`,
			p.Subject.Institution, p.Subject.Kind, p.Subject.ID); err != nil {
			return fmt.Errorf("clear what was begun before: %w", err)
		}
		seed := newSeed()
		f := factorRow{who: p.Subject, Factor: Factor{ID: bank.NewID("fac", c.Tx.Now), Method: MethodTOTP, Name: name}}
		f.secret = s.keys.Seal(seed, f.place()...)
		if err := insertFactor(c.Tx, f, []byte{}, false); err != nil {
			return err
		}
		e, err = s.appEnrolment(c.Tx, p, f.ID, seed)
		return err
	})
	return e, err
}

func (s *Service) appEnrolment(tx *db.Tx, p *Person, id string, seed []byte) (AppEnrolment, error) {
	c, err := credentialOf(tx, p.Subject)
	if err != nil {
		return AppEnrolment{}, fmt.Errorf("find the credential: %w", err)
	}
	text := seedText.EncodeToString(seed)
	link := url.URL{Scheme: "otpauth", Host: "totp", Path: "/" + p.InstitutionName + ":" + c.username,
		RawQuery: url.Values{"secret": {text}, "issuer": {p.InstitutionName}}.Encode()}
	key, err := otp.NewKeyFromURL(link.String())
	if err != nil {
		return AppEnrolment{}, fmt.Errorf("write the address for the app: %w", err)
	}
	picture, err := key.Image(qrPixels, qrPixels)
	if err != nil {
		return AppEnrolment{}, fmt.Errorf("draw the code: %w", err)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		return AppEnrolment{}, fmt.Errorf("draw the code: %w", err)
	}
	return AppEnrolment{ID: id, Seed: Secret(text), URL: Secret(link.String()), QR: b.Bytes()}, nil
}

// errWrongCode is for enrolling: the app and the seed do not agree yet.
var errWrongCode = &fault.Error{Kind: fault.Invalid, Code: "WRONG_CODE", Sentence: "This is not the code that the app shows now.",
	Problems: []fault.Problem{{Field: "code", Code: "WRONG_CODE", Sentence: "This is not the code that the app shows now. Check the clock of your phone, then type the newest code."}}}

// ConfirmApp finishes the enrolment with a code of the app. With the first
// second factor come recovery codes, told once.
func (s *Service) ConfirmApp(ctx context.Context, caller bank.Caller, id string, code Secret) (recovery []Secret, err error) {
	err = s.asSelf(ctx, caller, eventFactorAdded, func(c *guard.Change, p *Person, _ Stage) error {
		f, err := oneFactor(c.Tx, p.Subject, id, false)
		if err != nil {
			return err
		}
		if !c.Tx.Now.Before(f.Created.Add(enrolmentWindow)) {
			return errNoFactor
		}
		right, err := s.useTOTP(c.Tx, &f, code)
		if err != nil {
			return err
		}
		if !right {
			return errWrongCode
		}
		if _, err := c.Tx.Exec(`
			update second_factor set confirmed = true where institution_id = $1 and subject_kind = $2 and subject_id = $3 and id = $4`,
			p.Subject.Institution, p.Subject.Kind, p.Subject.ID, id); err != nil {
			return fmt.Errorf("confirm the authenticator app: %w", err)
		}
		recovery, err = s.factorAdded(c, p, f.Factor)
		return err
	})
	return recovery, err
}

// factorAdded records it, tells the person, and makes recovery codes where
// there are none.
func (s *Service) factorAdded(c *guard.Change, p *Person, f Factor) ([]Secret, error) {
	c.RecordAs(eventFactorAdded, p.target(), "", activity.Change{Field: "second_factor", New: string(f.Method) + " " + f.Name})
	if err := s.tell(c.Tx, p, eventFactorAdded+" "+f.ID, "A second factor was added to your account",
		fmt.Sprintf("“%s” can now be used to confirm that it is you.", f.Name)); err != nil {
		return nil, err
	}
	left, err := recoveryCodesLeft(c.Tx, p.Subject)
	if err != nil || left > 0 {
		return nil, err
	}
	return replaceRecoveryCodes(c.Tx, p.Subject)
}

// RemoveFactor removes one of the caller's second factors. It needs a high-risk
// authorization (action "auth.second_factor_removed", their own id, content the
// factor's id).
func (s *Service) RemoveFactor(ctx context.Context, caller bank.Caller, id string) error {
	return s.asSelf(ctx, caller, eventFactorRemoved, func(c *guard.Change, p *Person, stage Stage) error {
		if stage != StageComplete {
			return ErrSignedOut
		}
		f, err := oneFactor(c.Tx, p.Subject, id, true)
		if err != nil {
			return err
		}
		if err := c.RequireProof([]byte(id)); err != nil {
			return err
		}
		if err := removeFactor(c.Tx, p, id); err != nil {
			return err
		}
		c.Record(activity.Change{Field: "second_factor", Old: string(f.Method) + " " + f.Name})
		return s.tell(c.Tx, p, eventFactorRemoved+" "+id, "A second factor was removed from your account",
			fmt.Sprintf("“%s” can no longer be used to confirm that it is you.", f.Name))
	})
}

// TakeFactor takes a second factor from a subject who cannot use it any more:
// where one is required of them, they enrol another when they sign in next. They
// are told by mail. Whoever calls it has asked the guard and keeps the history.
func (s *Service) TakeFactor(tx *db.Tx, who Subject, id string) (Factor, error) {
	p, err := s.people.Find(tx, who)
	if err != nil {
		return Factor{}, err
	}
	f, err := oneFactor(tx, who, id, true)
	if err != nil {
		return Factor{}, err
	}
	p.NeedsSecond = false // being without one is what this is for
	if err := removeFactor(tx, &p, id); err != nil {
		return Factor{}, err
	}
	return f.Factor, s.tell(tx, &p, eventFactorRemoved+" "+id, "A second factor was removed from your account",
		fmt.Sprintf("The staff of %s removed “%s”. It can no longer be used to confirm that it is you.", p.InstitutionName, f.Name))
}

func removeFactor(tx *db.Tx, p *Person, id string) error {
	if _, err := tx.Exec(`delete from second_factor where institution_id = $1 and subject_kind = $2 and subject_id = $3 and id = $4`,
		p.Subject.Institution, p.Subject.Kind, p.Subject.ID, id); err != nil {
		return fmt.Errorf("remove the second factor: %w", err)
	}
	has, err := HasSecondFactor(tx, p.Subject)
	switch {
	case err != nil || has:
		return err
	case p.NeedsSecond:
		return fault.New(fault.Conflict, "A second factor is required of you. Add another one before you remove this.").With("SECOND_FACTOR_REQUIRED")
	}
	return dropRecoveryCodes(tx, p.Subject)
}

// RenewRecoveryCodes gives the caller ten new recovery codes and voids the old
// ones. It needs a high-risk authorization (action
// "auth.recovery_codes_renewed", their own id, no content).
func (s *Service) RenewRecoveryCodes(ctx context.Context, caller bank.Caller) (codes []Secret, err error) {
	err = s.asSelf(ctx, caller, eventCodesRenewed, func(c *guard.Change, p *Person, stage Stage) error {
		if stage != StageComplete {
			return ErrSignedOut
		}
		has, err := HasSecondFactor(c.Tx, p.Subject)
		if err != nil {
			return err
		}
		if !has {
			return fault.New(fault.Conflict, "Recovery codes stand in for a second factor. Add one first.")
		}
		if err := c.RequireProof(nil); err != nil {
			return err
		}
		c.Record()
		codes, err = replaceRecoveryCodes(c.Tx, p.Subject)
		return err
	})
	return codes, err
}

// DropSecondFactors removes every second factor and recovery code of a subject
// who has lost them. Whoever calls it has asked the guard.
func DropSecondFactors(tx *db.Tx, who Subject) error {
	if _, err := tx.Exec(`delete from second_factor where institution_id = $1 and subject_kind = $2 and subject_id = $3`,
		who.Institution, who.Kind, who.ID); err != nil {
		return fmt.Errorf("remove the second factors: %w", err)
	}
	return dropRecoveryCodes(tx, who)
}

// factorName is what the owner calls a factor, or what we call it.
func factorName(name, otherwise string) (string, error) {
	name = strings.TrimSpace(name)
	switch {
	case name == "":
		return otherwise, nil
	case utf8.RuneCountInString(name) > maxFactorName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return "", fault.Problems{{Field: "name", Sentence: "Use at most 40 characters."}}.Err("The name cannot be used.")
	}
	return name, nil
}

// tell queues a notice to a person about their own account.
func (s *Service) tell(tx *db.Tx, p *Person, key, subject, line string) error {
	return s.mailer.Queue(tx, Mail{
		Key: key + " " + bank.NewID("not", tx.Now), Kind: p.Subject.Kind, Institution: p.Subject.Institution, Organization: p.Organization, Purpose: strings.Fields(key)[0],
		To: p.Email, Name: p.Name(), From: p.InstitutionName, Subject: subject,
		Lines: []string{line, "This happened on " + tx.Now.Format(time.RFC1123) + ". If it was not you, tell your administrator at once."},
	})
}
