package grant

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// A KeyState is how far a signing key has come.
type KeyState string

const (
	KeyNext     KeyState = "next"     // published, signs nothing yet
	KeyActive   KeyState = "active"   // signs
	KeyRetiring KeyState = "retiring" // signs no more, still published
	KeyRetired  KeyState = "retired"  // not published any more
)

// A Key is a key that signs tokens of an issuer.
type Key struct {
	ID        string
	State     KeyState
	Public    *ecdsa.PublicKey
	Private   *ecdsa.PrivateKey // of the active one, where it was asked for
	Created   time.Time
	Activated time.Time // zero: it has not signed
	Retired   time.Time // since when it signs no more; zero: it does, or will
	sealed    []byte
}

func scanKey(row db.Scanner) (k Key, err error) {
	var public []byte
	var created, activated, retired int64
	if err = row.Scan(&k.ID, &k.State, &public, &k.sealed, &created, &activated, &retired); err != nil {
		return k, err
	}
	parsed, err := x509.ParsePKIXPublicKey(public)
	if err != nil {
		return k, fmt.Errorf("signing key %s: %w", k.ID, err)
	}
	k.Public, _ = parsed.(*ecdsa.PublicKey)
	k.Created, k.Activated, k.Retired = moment(created), moment(activated), moment(retired)
	return k, nil
}

func moment(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

func keysOf(tx *db.Tx, issuer bank.InstitutionID) ([]Key, error) {
	keys, err := db.All(tx, scanKey, `
		select id, state, public_key, sealed, created_micros, activated_micros, retired_micros from signing_key
		 where issuer = $1 order by created_micros desc, id desc`, issuer)
	return keys, wrap("read the signing keys", err)
}

// SigningKeys are the keys of an issuer, the active one first and with its
// private half. An issuer that has none gets its first.
func (s *Service) SigningKeys(ctx context.Context, issuer bank.InstitutionID) ([]Key, error) {
	keys, err := s.Keys(ctx, issuer)
	if err != nil || len(keys) > 0 {
		return keys, err
	}
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		if keys, err := keysOf(tx, issuer); err != nil || len(keys) > 0 {
			return err
		}
		return s.makeKey(tx, issuer, KeyActive)
	})
	if err != nil {
		if again, e := s.Keys(ctx, issuer); e == nil && len(again) > 0 { // somebody else made it at the same time
			return again, nil
		}
		return nil, err
	}
	return s.Keys(ctx, issuer)
}

// PublicKeys are the public halves of an issuer's keys. It needs no keyring.
func (s *Service) PublicKeys(ctx context.Context, issuer bank.InstitutionID) (keys []Key, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		keys, err = keysOf(tx, issuer)
		return err
	})
	return keys, err
}

// Keys are an issuer's keys as they are; there are none before the first is needed.
func (s *Service) Keys(ctx context.Context, issuer bank.InstitutionID) (ordered []Key, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		keys, err := keysOf(tx, issuer)
		if err != nil {
			return err
		}
		for _, k := range keys {
			if k.State != KeyActive {
				ordered = append(ordered, k)
				continue
			}
			if k.Private, err = s.open(issuer, &k); err != nil {
				return err
			}
			ordered = append([]Key{k}, ordered...)
		}
		return nil
	})
	return ordered, err
}

func (s *Service) open(issuer bank.InstitutionID, k *Key) (*ecdsa.PrivateKey, error) {
	plain, err := s.keys.Open(k.sealed, keyPlace(issuer, k.ID)...)
	if err != nil {
		return nil, fmt.Errorf("open signing key %s: %w", k.ID, err)
	}
	private, err := x509.ParseECPrivateKey(plain)
	return private, wrap("read signing key "+k.ID, err)
}

func (s *Service) makeKey(tx *db.Tx, issuer bank.InstitutionID, state KeyState) error {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return wrap("make a signing key", err)
	}
	public, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		return wrap("write the public key", err)
	}
	plain, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		return wrap("write the private key", err)
	}
	id := bank.NewID("key", tx.Now)
	activated := int64(0)
	if state == KeyActive {
		activated = tx.Now.UnixMicro()
	}
	_, err = tx.Exec(`
		insert into signing_key (issuer, id, state, public_key, sealed, created_micros, activated_micros, retired_micros)
		values ($1, $2, $3, $4, $5, $6, $7, 0)`,
		issuer, id, state, public, s.keys.Seal(plain, keyPlace(issuer, id)...), tx.Now.UnixMicro(), activated)
	return wrap("store the signing key", err)
}

// Rotate moves the keys of an issuer on by one step. The first call publishes
// the next key; a later one, when everybody has had a day to see it, lets it
// sign and goes on publishing the old one. At once skips the wait, for a key
// that somebody may have stolen: the old one is then no longer published.
func (s *Service) Rotate(ctx context.Context, caller bank.Caller, atOnce bool) (said string, err error) {
	issuer := caller.Institution
	step := func(tx *db.Tx) (string, error) { return s.rotate(tx, issuer, atOnce) }
	if issuer == Neutral { // nobody's history
		err = s.db.Write(ctx, func(tx *db.Tx) error {
			said, err = step(tx)
			return err
		})
		return said, err
	}
	action := guard.Action{Event: EventKeyMade, Target: activity.Target{Kind: activity.TargetInstitution, ID: string(issuer), Name: string(issuer)},
		Others: []bank.ActorKind{bank.ActorOperator, bank.ActorSystem}}
	err = s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		if said, err = step(c.Tx); err != nil {
			return err
		}
		c.RecordAs(action.Event, action.Target, said)
		return nil
	})
	return said, err
}

func (s *Service) rotate(tx *db.Tx, issuer bank.InstitutionID, atOnce bool) (string, error) {
	keys, err := keysOf(tx, issuer)
	if err != nil {
		return "", err
	}
	var next *Key
	for i := range keys {
		if keys[i].State == KeyNext {
			next = &keys[i]
		}
	}
	switch {
	case len(keys) == 0:
		return "The first key signs from now on.", s.makeKey(tx, issuer, KeyActive)
	case atOnce:
		return "A new key signs from now on; the old one is published no more.", s.replaceKey(tx, issuer)
	case next == nil:
		return fmt.Sprintf("The next key is published. Rotate again after %s to let it sign.", tx.Now.Add(KeyAhead).Format(time.DateTime)), s.makeKey(tx, issuer, KeyNext)
	case tx.Now.Before(next.Created.Add(KeyAhead)):
		return "", fault.Newf(fault.Conflict, "The next key may sign after %s, when everybody has had a day to see it. If the present key may be stolen, rotate at once.", next.Created.Add(KeyAhead).Format(time.DateTime)).With("KEY_TOO_YOUNG")
	}
	return "The next key signs from now on; the old one stays published for a day.", activate(tx, issuer, next.ID)
}

func activate(tx *db.Tx, issuer bank.InstitutionID, id string) error {
	if _, err := tx.Exec(`update signing_key set state = 'retiring', retired_micros = $1 where issuer = $2 and state = 'active'`, tx.Now.UnixMicro(), issuer); err != nil {
		return wrap("retire the signing key", err)
	}
	_, err := tx.Exec(`update signing_key set state = 'active', activated_micros = $1 where issuer = $2 and id = $3`, tx.Now.UnixMicro(), issuer, id)
	return wrap("activate the signing key", err)
}

func (s *Service) replaceKey(tx *db.Tx, issuer bank.InstitutionID) error {
	if _, err := tx.Exec(`update signing_key set state = 'retired', retired_micros = $1, sealed = $2 where issuer = $3 and state <> 'retired'`,
		tx.Now.UnixMicro(), []byte{}, issuer); err != nil {
		return wrap("retire the signing keys", err)
	}
	return s.makeKey(tx, issuer, KeyActive)
}

// Published reports whether a key stands in the issuer's published set.
func (k *Key) Published(now time.Time) bool {
	switch k.State {
	case KeyNext, KeyActive:
		return true
	case KeyRetiring:
		return now.Before(k.Retired.Add(KeyBehind))
	}
	return false
}
