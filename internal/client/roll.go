package client

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// Callers are recognized in memory, because it happens with every question: all
// clients of the database, with the hashes of their keys, are held as one value
// that is replaced as a whole. Whatever changes a client makes the value stale
// before whoever changed it hears of it; the next caller reads it anew. A change
// by another process is known by whoever follows the database (Follow), and
// where nobody does, by the revision of the institution, which is then looked up
// for every caller.

// ErrUnknownKey refuses whoever did not prove to be a client. It does not tell
// an unknown key from one that has ended.
var ErrUnknownKey = fault.New(fault.Unauthorized, "The API key is missing, unknown or no longer valid.")

// A roll is what a service knows in memory.
type roll struct {
	changed atomic.Uint64 // counts what made the names stale
	names   atomic.Pointer[names]
	loading sync.Mutex
	follow  atomic.Pointer[func() error]
	used    sync.Map // bank.ClientID -> *use
}

// names are all clients at one moment.
type names struct {
	changed      uint64 // what the roll had counted before they were read
	keys         map[[sha256.Size]byte]keyed
	certificates map[string]*Client
	programs     map[program]*Client
	clients      map[identity]*Client
	revisions    map[bank.InstitutionID]int64
}

type keyed struct {
	*Client
	ends time.Time // zero: it does not end
}

type (
	program struct {
		institution bank.InstitutionID
		application bank.ApplicationID
	}
	identity struct {
		institution bank.InstitutionID
		id          bank.ClientID
	}
)

// Follow says that somebody follows the database for this process: they call
// Stale when a client may have changed, and fresh returns why what they know can
// no longer be relied on.
func (s *Service) Follow(fresh func() error) { s.roll.follow.Store(&fresh) }

// Stale says that some client may have changed: none is taken for what it was
// before it has been read again. It returns how often that was said.
func (s *Service) Stale() uint64 { return s.roll.changed.Add(1) }

// Said is how often Stale was called.
func (s *Service) Said() uint64 { return s.roll.changed.Load() }

// watch hears of every change through this process's door. What is read while
// the change is under way is read again after it.
func (s *Service) watch(c *guard.Change, events []activity.Event) error {
	for _, e := range events {
		if e.Target.Kind == activity.TargetClient {
			c.Tx.AfterCommit(func() { s.Stale() })
			return nil
		}
	}
	return nil
}

// Authenticate finds the client that a key proves, as it is now. Its key is
// refused from the first call after it has ended.
func (s *Service) Authenticate(ctx context.Context, text string) (Client, error) {
	hash, ok := hashOf(text)
	if !ok {
		return Client{}, ErrUnknownKey
	}
	n, err := s.current(ctx)
	if err != nil {
		return Client{}, err
	}
	if c := n.byKey(hash, s.db.Now()); c != nil && s.told() { // nearly always, and so without allocating
		s.noteUse(c)
		return *c, nil
	}
	return s.byKey(ctx, hash)
}

func (s *Service) byKey(ctx context.Context, hash [sha256.Size]byte) (Client, error) {
	c, err := s.known(ctx, func(n *names) *Client { return n.byKey(hash, s.db.Now()) },
		func(tx *db.Tx) (there bool, err error) {
			err = tx.QueryRow(`select count(*) > 0 from api_key where key_hash = $1`, hash[:]).Scan(&there)
			return there, err
		})
	if err != nil {
		return Client{}, err
	}
	return *c, nil
}

// told reports whether this process is told of every change: on an embedded
// database, which no other one changes, and where somebody follows.
func (s *Service) told() bool { return s.roll.follow.Load() != nil || s.db.Dialect() == db.SQLite }

// hashOf is the hash of a text that has the form of a key. It allocates nothing.
func hashOf(text string) (hash [sha256.Size]byte, ok bool) {
	text = strings.TrimSpace(text)
	secret, prefixed := strings.CutPrefix(text, keyPrefix)
	var encoded [len(keyPrefix) + 44]byte
	if !prefixed || len(secret) != base64.RawURLEncoding.EncodedLen(keyBytes) {
		return hash, false
	}
	n := copy(encoded[:], text)
	var decoded [keyBytes + 1]byte
	if m, err := strictKey.Decode(decoded[:], encoded[len(keyPrefix):n]); err != nil || m != keyBytes {
		return hash, false
	}
	return sha256.Sum256(encoded[:n]), true
}

var strictKey = base64.RawURLEncoding.Strict()

func (n *names) byKey(hash [sha256.Size]byte, now time.Time) *Client {
	k, known := n.keys[hash]
	if !known || !k.ends.IsZero() && !now.Before(k.ends) {
		return nil
	}
	return k.Client
}

// ByCertificate finds the client that the other side of a connection proved to
// be: by its public key, or by a name for which a trusted authority vouches.
func (s *Service) ByCertificate(ctx context.Context, state *tls.ConnectionState) (Client, error) {
	if state == nil || len(state.PeerCertificates) == 0 {
		return Client{}, ErrUnknownKey
	}
	shown, now := state.PeerCertificates[0], s.db.Now()
	if now.Before(shown.NotBefore) || now.After(shown.NotAfter) {
		return Client{}, ErrUnknownKey
	}
	proofs := []string{KeyOf(shown)}
	if len(state.VerifiedChains) > 0 {
		proofs = append(proofs, NamesOf(shown)...)
	}
	c, err := s.known(ctx, func(n *names) *Client {
		for _, proof := range proofs {
			if c := n.certificates[proof]; c != nil {
				return c
			}
		}
		return nil
	}, func(tx *db.Tx) (there bool, err error) {
		err = tx.QueryRow(`select count(*) > 0 from api_certificate where certificate = $1`, proofs[0]).Scan(&there)
		return there, err
	})
	if err != nil {
		return Client{}, err
	}
	return *c, nil
}

// OfApplication finds the client whose tokens an application is given.
func (s *Service) OfApplication(ctx context.Context, institution bank.InstitutionID, application bank.ApplicationID) (Client, error) {
	c, err := s.known(ctx, func(n *names) *Client { return n.programs[program{institution, application}] }, nil)
	if err != nil {
		return Client{}, err
	}
	return *c, nil
}

// Program finds a program that is in use, for whoever knows it by another proof
// than its key.
func (s *Service) Program(ctx context.Context, institution bank.InstitutionID, id bank.ClientID) (Client, error) {
	c, err := s.known(ctx, func(n *names) *Client { return n.clients[identity{institution, id}] }, nil)
	if err != nil {
		return Client{}, err
	}
	return *c, nil
}

// known finds somebody among the names as they are now. Of whom nothing is known
// in memory, there asks the database, so that whom another process has let in a
// moment ago is not turned away.
func (s *Service) known(ctx context.Context, find func(*names) *Client, there func(*db.Tx) (bool, error)) (*Client, error) {
	n, err := s.current(ctx)
	if err != nil {
		return nil, err
	}
	c := find(n)
	if c == nil && there != nil && s.roll.follow.Load() == nil {
		if n, err = s.again(ctx, n, there); err != nil {
			return nil, err
		}
		c = find(n)
	}
	if c != nil && !s.told() {
		if n, err = s.again(ctx, n, moved(n, c.Institution)); err != nil {
			return nil, err
		}
		c = find(n)
	}
	if c == nil {
		return nil, ErrUnknownKey
	}
	s.noteUse(c)
	return c, nil
}

// moved asks whether an institution has changed since the names were read.
func moved(n *names, institution bank.InstitutionID) func(*db.Tx) (bool, error) {
	return func(tx *db.Tx) (bool, error) {
		revision, err := activity.Revision(tx, institution, "")
		return revision != n.revisions[institution], err
	}
}

// again reads the names anew where the database has something to say.
func (s *Service) again(ctx context.Context, n *names, asks func(*db.Tx) (bool, error)) (*names, error) {
	var anew bool
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		anew, err = asks(tx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look up the caller: %w", err)
	}
	if !anew {
		return n, nil
	}
	s.Stale()
	return s.current(ctx)
}

// current are the names as they are now.
func (s *Service) current(ctx context.Context) (*names, error) {
	if follow := s.roll.follow.Load(); follow != nil {
		if err := (*follow)(); err != nil {
			return nil, err
		}
	}
	if n := s.roll.names.Load(); n != nil && n.changed == s.roll.changed.Load() {
		return n, nil
	}
	s.roll.loading.Lock()
	defer s.roll.loading.Unlock()
	for {
		changed := s.roll.changed.Load()
		if n := s.roll.names.Load(); n != nil && n.changed == changed {
			return n, nil // somebody else has just read them
		}
		n, err := s.load(ctx)
		if err != nil {
			return nil, err
		}
		n.changed = changed
		s.roll.names.Store(n)
	}
}

// load reads all clients that are in use and not kept out, of one moment.
func (s *Service) load(ctx context.Context) (n *names, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		n, err = s.readNames(tx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the callers: %w", err)
	}
	return n, nil
}

// Renew reads all clients as a transaction sees them, for whoever follows the
// database (Follow), so that no caller has to wait for it. They are good for as
// long as nothing has become stale but what had when the transaction began, which
// said counts: what this process changed since, the transaction may not see.
func (s *Service) Renew(tx *db.Tx, said uint64) error {
	n, err := s.readNames(tx)
	if err != nil {
		return fmt.Errorf("read the callers: %w", err)
	}
	n.changed = said
	s.roll.names.Store(n)
	return nil
}

func (s *Service) readNames(tx *db.Tx) (*names, error) {
	clients, err := db.All(tx, scanClient, selectClient+` where revoked_micros = 0 and held_micros = 0`)
	if err != nil {
		return nil, err
	}
	for i := range clients {
		clients[i].use = s.useOf(&clients[i])
	}
	n := namesOf(clients)
	keys, err := db.All(tx, scanKey, `select key_hash, institution_id, client_id, expires_micros from api_key where expires_micros = 0 or expires_micros > $1`, tx.Now.UnixMicro())
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if c := n.clients[k.identity]; c != nil {
			n.keys[k.hash] = keyed{c, k.ends}
		}
	}
	certificates, err := db.All(tx, scanCertificate, `select certificate, institution_id, client_id from api_certificate`)
	if err != nil {
		return nil, err
	}
	for _, one := range certificates {
		if c := n.clients[identity{one.institution, one.client}]; c != nil {
			n.certificates[one.certificate] = c
		}
	}
	for institution := range n.revisions {
		if n.revisions[institution], err = activity.Revision(tx, institution, ""); err != nil && !errors.Is(err, activity.ErrNoStream) {
			return nil, err
		}
	}
	return n, nil
}

func namesOf(clients []Client) *names {
	n := &names{
		keys: map[[sha256.Size]byte]keyed{}, certificates: map[string]*Client{}, programs: map[program]*Client{},
		clients: map[identity]*Client{}, revisions: map[bank.InstitutionID]int64{},
	}
	for i := range clients {
		c := &clients[i]
		n.clients[identity{c.Institution, c.ID}] = c
		n.revisions[c.Institution] = 0
		if c.Application != "" {
			n.programs[program{c.Institution, c.Application}] = c
		}
	}
	return n
}

type storedKey struct {
	identity
	hash [sha256.Size]byte
	ends time.Time
}

func scanKey(row db.Scanner) (k storedKey, err error) {
	var hash []byte
	var ends int64
	if err = row.Scan(&hash, &k.institution, &k.id, &ends); err != nil {
		return k, err
	}
	if copy(k.hash[:], hash) != len(k.hash) || len(hash) != len(k.hash) {
		return k, errors.New("a key is stored that is no SHA-256")
	}
	k.ends = moment(ends)
	return k, nil
}
