package identity

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

const (
	ceremonyLifetime = 5 * time.Minute
	maxPasskeyAnswer = 64 << 10

	purposeEnrol  = "enrol"
	purposeSignIn = "sign-in"
)

// purpose is the ceremony of a challenge: what a browser signs for one is of no
// use for another.
func (c Challenge) purpose() string {
	h := sha256.New()
	for _, part := range []string{c.Action, c.Target, string(c.Content)} {
		fmt.Fprintf(h, "%d:", len(part))
		h.Write([]byte(part))
	}
	return "high-risk " + hex.EncodeToString(h.Sum(nil))
}

// newRelyingParty is who passkeys are made for: the host of the origins.
func newRelyingParty(origins []string) (*webauthn.WebAuthn, error) {
	first, err := url.Parse(origins[0])
	if err != nil || first.Hostname() == "" {
		return nil, fmt.Errorf("identity: Config.Origins has %q; an origin such as https://online.bank.example is needed", origins[0])
	}
	rp, err := webauthn.New(&webauthn.Config{
		RPID: first.Hostname(), RPDisplayName: "Mandate", RPOrigins: origins,
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementPreferred, UserVerification: protocol.VerificationRequired,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("identity: Config.Origins: %w", err)
	}
	return rp, nil
}

// A holder is a subject as the passkey library wants to see it.
type holder struct {
	person  Person
	name    string
	factors []factorRow
	keys    []webauthn.Credential
}

// WebAuthnID says nothing about the person, because it is kept in the device.
func (h *holder) WebAuthnID() []byte {
	who := h.person.Subject
	sum := sha256.Sum256([]byte(string(who.Institution) + "\x00" + string(who.Kind) + "\x00" + who.ID))
	return sum[:]
}
func (h *holder) WebAuthnName() string                       { return h.name }
func (h *holder) WebAuthnDisplayName() string                { return h.person.Name() }
func (h *holder) WebAuthnCredentials() []webauthn.Credential { return h.keys }

// holderOf reads the passkeys of a subject.
func (s *Service) holderOf(tx *db.Tx, who Subject) (*holder, error) {
	p, err := s.people.Find(tx, who)
	if err != nil {
		return nil, fmt.Errorf("find the person: %w", err)
	}
	c, err := credentialOf(tx, who)
	if err != nil {
		return nil, fmt.Errorf("find the credential: %w", err)
	}
	factors, err := factorsOf(tx, who)
	if err != nil {
		return nil, err
	}
	h := &holder{person: p, name: c.username}
	for _, f := range factors {
		if f.Method != MethodPasskey {
			continue
		}
		key, err := s.openPasskey(&f)
		if err != nil {
			return nil, err
		}
		h.factors, h.keys = append(h.factors, f), append(h.keys, key)
	}
	return h, nil
}

func (s *Service) openPasskey(f *factorRow) (key webauthn.Credential, err error) {
	text, err := s.keys.Open(f.secret, f.place()...)
	if err == nil {
		err = json.Unmarshal(text, &key)
	}
	if err != nil {
		return key, fmt.Errorf("passkey %s: %w", f.ID, err)
	}
	return key, nil
}

func (s *Service) sealPasskey(f *factorRow, key *webauthn.Credential) error {
	text, err := json.Marshal(key)
	if err != nil {
		return fmt.Errorf("passkey %s: %w", f.ID, err)
	}
	f.secret = s.keys.Seal(text, f.place()...)
	return nil
}

// BeginPasskey starts to enrol a passkey and returns what the browser is asked,
// as JSON. Somebody who is fully signed in needs a high-risk authorization
// for it (action "auth.second_factor_added", their own id, content "passkey").
func (s *Service) BeginPasskey(ctx context.Context, caller bank.Caller) (options []byte, err error) {
	err = s.asSelf(ctx, caller, eventFactorAdded, func(c *guard.Change, p *Person, stage Stage) error {
		if err := askFirst(c, p, stage, MethodPasskey); err != nil {
			return err
		}
		h, err := s.holderOf(c.Tx, p.Subject)
		if err != nil {
			return err
		}
		creation, question, err := s.relyingParty.BeginRegistration(h, webauthn.WithExclusions(webauthn.Credentials(h.keys).CredentialDescriptors()))
		if err != nil {
			return fmt.Errorf("begin to enrol a passkey: %w", err)
		}
		if err := putCeremony(c.Tx, p.Subject.Institution, caller.SignIn, purposeEnrol, question); err != nil {
			return err
		}
		options, err = json.Marshal(creation)
		return err
	})
	return options, err
}

// FinishPasskey stores the passkey that the browser made. With the first second
// factor come recovery codes, told once.
func (s *Service) FinishPasskey(ctx context.Context, caller bank.Caller, name string, answer []byte) (recovery []Secret, err error) {
	name, err = factorName(name, "Passkey")
	if err != nil {
		return nil, err
	}
	err = s.asSelf(ctx, caller, eventFactorAdded, func(c *guard.Change, p *Person, _ Stage) error {
		question, err := takeCeremony(c.Tx, p.Subject.Institution, caller.SignIn, purposeEnrol)
		if err != nil {
			return err
		}
		h, err := s.holderOf(c.Tx, p.Subject)
		if err != nil {
			return err
		}
		key, err := s.createPasskey(h, question, answer)
		if err != nil {
			return err
		}
		f := factorRow{who: p.Subject, Factor: Factor{ID: bank.NewID("fac", c.Tx.Now), Method: MethodPasskey, Name: name}}
		if err := s.sealPasskey(&f, key); err != nil {
			return err
		}
		if err := insertFactor(c.Tx, f, digest("passkey", Secret(key.ID)), true); err != nil {
			return err
		}
		recovery, err = s.factorAdded(c, p, f.Factor)
		return err
	})
	return recovery, err
}

var errPasskey = fault.New(fault.Invalid, "This passkey could not be checked. Try again.").With("PASSKEY_REFUSED")

func (s *Service) createPasskey(h *holder, question webauthn.SessionData, answer []byte) (*webauthn.Credential, error) {
	if len(answer) > maxPasskeyAnswer {
		return nil, errPasskey
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return nil, errPasskey.Because(err)
	}
	key, err := s.relyingParty.CreateCredential(h, question, parsed)
	if err != nil {
		return nil, errPasskey.Because(err)
	}
	return key, nil
}

// AskPasskey returns what a browser is asked to prove a challenge with one of
// the caller's passkeys, as JSON.
func (s *Service) AskPasskey(ctx context.Context, caller bank.Caller, challenge Challenge) (options []byte, err error) {
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		p, err := s.prover(tx, caller)
		if err != nil {
			return err
		}
		options, err = s.ask(tx, p.Subject, caller.SignIn, challenge.purpose())
		return err
	})
	return options, err
}

func (s *Service) ask(tx *db.Tx, who Subject, signIn, purpose string) ([]byte, error) {
	h, err := s.holderOf(tx, who)
	if err != nil {
		return nil, err
	}
	if len(h.keys) == 0 {
		return nil, errNoFactor
	}
	assertion, question, err := s.relyingParty.BeginLogin(h)
	if err != nil {
		return nil, fmt.Errorf("ask for a passkey: %w", err)
	}
	if err := putCeremony(tx, who.Institution, signIn, purpose, question); err != nil {
		return nil, err
	}
	return json.Marshal(assertion)
}

// checkPasskey says whether the answer is by one of the subject's passkeys, to
// the question that was put for this purpose. A copied passkey gives itself
// away by its counter and is refused.
func (s *Service) checkPasskey(tx *db.Tx, who Subject, signIn, purpose string, answer []byte) (bool, error) {
	question, err := takeCeremony(tx, who.Institution, signIn, purpose)
	if errors.Is(err, errPasskey) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	h, err := s.holderOf(tx, who)
	if err != nil || len(answer) > maxPasskeyAnswer {
		return false, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return false, nil
	}
	key, err := s.relyingParty.ValidateLogin(h, question, parsed)
	if err != nil || key.Authenticator.CloneWarning {
		return false, nil
	}
	return true, s.passkeyUsed(tx, h, key)
}

func (s *Service) passkeyUsed(tx *db.Tx, h *holder, key *webauthn.Credential) error {
	for i, f := range h.factors {
		if string(h.keys[i].ID) != string(key.ID) {
			continue
		}
		if err := s.sealPasskey(&f, key); err != nil {
			return err
		}
		_, err := tx.Exec(`
			update second_factor set secret = $1, used_micros = $2
			 where institution_id = $3 and subject_kind = $4 and subject_id = $5 and id = $6`,
			f.secret, tx.Now.UnixMicro(), f.who.Institution, f.who.Kind, f.who.ID, f.ID)
		if err != nil {
			return fmt.Errorf("remember the use of the passkey: %w", err)
		}
	}
	return nil
}

// putCeremony keeps a question on the sign-in record, with which it ends.
func putCeremony(tx *db.Tx, institution bank.InstitutionID, signIn, purpose string, question *webauthn.SessionData) error {
	text, err := json.Marshal(question)
	if err != nil {
		return fmt.Errorf("keep the question: %w", err)
	}
	if _, err := tx.Exec(`delete from ceremony where institution_id = $1 and sign_in_id = $2 and expires_micros <= $3`,
		institution, signIn, tx.Now.UnixMicro()); err != nil {
		return fmt.Errorf("clear old questions: %w", err)
	}
	_, err = tx.Exec(`
		insert into ceremony (institution_id, sign_in_id, purpose, question, expires_micros) values ($1, $2, $3, $4, $5)
		on conflict (institution_id, sign_in_id, purpose) do update set question = excluded.question, expires_micros = excluded.expires_micros`,
		institution, signIn, purpose, string(text), tx.Now.Add(ceremonyLifetime).UnixMicro())
	if err != nil {
		return fmt.Errorf("keep the question: %w", err)
	}
	return nil
}

// takeCeremony returns a question once, or errPasskey.
func takeCeremony(tx *db.Tx, institution bank.InstitutionID, signIn, purpose string) (q webauthn.SessionData, err error) {
	var text string
	err = tx.QueryRow(`
		delete from ceremony where institution_id = $1 and sign_in_id = $2 and purpose = $3 and expires_micros > $4 returning question`,
		institution, signIn, purpose, tx.Now.UnixMicro()).Scan(&text)
	if errors.Is(err, db.ErrNoRows) {
		return q, errPasskey
	}
	if err == nil {
		err = json.Unmarshal([]byte(text), &q)
	}
	if err != nil {
		return q, fmt.Errorf("read the question: %w", err)
	}
	return q, nil
}
