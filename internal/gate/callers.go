package gate

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mandate/internal/bank"
	"mandate/internal/client"
)

// ScopeDecisions is what an access token must be for where it stands for a key.
const ScopeDecisions = "decisions"

// Named limits of what is remembered about tokens.
const (
	tokenAgain = time.Second     // after which a token is looked at again while it is used
	tokenOld   = 2 * time.Second // after which nobody is let in before it was looked at again
	maxTokens  = 10_000          // that are remembered
)

// Known are the clients as they are known in memory.
type Known interface {
	Authenticate(ctx context.Context, key string) (client.Client, error)
	ByCertificate(ctx context.Context, shown *tls.ConnectionState) (client.Client, error)
	OfApplication(ctx context.Context, institution bank.InstitutionID, application bank.ApplicationID) (client.Client, error)
}

// Tokens says which application an access token is of, for what it was got, and
// until when. One that is not good is a fault of kind Unauthorized.
type Tokens interface {
	Service(ctx context.Context, token, scope string) (bank.InstitutionID, bank.ApplicationID, time.Time, error)
}

// Callers recognizes callers by an API key, by an access token of our own
// provider that the client's application got for itself, or by the certificate
// of their connection.
//
// What a signature proved is remembered, and only what can change is looked at
// again: whether the client is in use, at every call, and whether the token
// still stands, once a second. Whoever gives a token back in this process calls
// Forget, and it is refused from the next call on.
type Callers struct {
	known  Known
	tokens Tokens
	clock  bank.Clock

	forgotten atomic.Uint64
	mu        sync.Mutex
	proven    map[[sha256.Size]byte]*proven
}

// A proven token is one whose signature was good.
type proven struct {
	institution bank.InstitutionID
	application bank.ApplicationID
	ends        time.Time
	forgotten   uint64       // how often tokens had been forgotten when it was looked at
	looked      atomic.Int64 // nanoseconds: when it was looked at last
	looking     atomic.Bool
}

var (
	_ Clients   = (*Callers)(nil)
	_ Certified = (*Callers)(nil)
)

// NewCallers returns callers. tokens may be nil, and then no token is good.
func NewCallers(known Known, tokens Tokens, clock bank.Clock) *Callers {
	return &Callers{known: known, tokens: tokens, clock: clock, proven: map[[sha256.Size]byte]*proven{}}
}

// Forget makes every token be looked at again before it lets anybody in.
func (c *Callers) Forget() { c.forgotten.Add(1) }

// ByCertificate finds the client whose certificate a connection showed.
func (c *Callers) ByCertificate(ctx context.Context, shown *tls.ConnectionState) (client.Client, error) {
	return c.known.ByCertificate(ctx, shown)
}

// Authenticate finds the client that a bearer text proves: a key, or a token,
// which has two dots in it.
func (c *Callers) Authenticate(ctx context.Context, text string) (client.Client, error) {
	if c.tokens == nil || strings.Count(text, ".") != 2 {
		return c.known.Authenticate(ctx, text)
	}
	p, err := c.token(ctx, text)
	if err != nil {
		return client.Client{}, err
	}
	return c.known.OfApplication(ctx, p.institution, p.application)
}

func (c *Callers) token(ctx context.Context, text string) (*proven, error) {
	sum, now := sha256.Sum256([]byte(text)), c.clock.Now()
	c.mu.Lock()
	p := c.proven[sum]
	c.mu.Unlock()
	switch {
	case p == nil || p.forgotten != c.forgotten.Load():
		return c.look(ctx, sum, text, now)
	case !now.Before(p.ends):
		c.drop(sum)
		return nil, client.ErrUnknownKey
	}
	old := now.Sub(time.Unix(0, p.looked.Load()))
	if old >= 0 && old < tokenAgain {
		return p, nil
	}
	if old >= 0 && old < tokenOld && !p.looking.CompareAndSwap(false, true) {
		return p, nil // somebody is looking at this moment
	}
	defer p.looking.Store(false)
	return c.look(ctx, sum, text, now)
}

// look asks whether a token stands, and remembers it where it does.
func (c *Callers) look(ctx context.Context, sum [sha256.Size]byte, text string, now time.Time) (*proven, error) {
	p := &proven{forgotten: c.forgotten.Load()}
	var err error
	if p.institution, p.application, p.ends, err = c.tokens.Service(ctx, text, ScopeDecisions); err != nil {
		c.drop(sum)
		return nil, err
	}
	p.looked.Store(now.UnixNano())
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.proven) >= maxTokens {
		c.makeRoom(now)
	}
	c.proven[sum] = p
	return p, nil
}

func (c *Callers) drop(sum [sha256.Size]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.proven, sum)
}

// makeRoom drops what has ended, and somebody where nothing has.
func (c *Callers) makeRoom(now time.Time) {
	for sum, p := range c.proven {
		if !now.Before(p.ends) || now.Sub(time.Unix(0, p.looked.Load())) > tokenOld {
			delete(c.proven, sum)
		}
	}
	for sum := range c.proven {
		if len(c.proven) < maxTokens {
			return
		}
		delete(c.proven, sum)
	}
}
