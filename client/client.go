package client

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// MaxBatch is the most questions that one request carries. EvaluateAll takes
// any number and sends several.
const MaxBatch = 1000

// Bounds that options change. Their comments say these, too.
const (
	usualTry   = 2 * time.Second // for one request
	usualTotal = 5 * time.Second // for a call with all its repetitions
	usualTries = 4
	maxGather  = 20 * time.Millisecond
	usualPoll  = time.Second      // between two looks at an access request, at first
	usualPolls = 30 * time.Second // and at most
	maxAgent   = 200
)

// A Client asks one server, or several copies of it, in the name of one caller.
type Client struct {
	main       *copyOf   // what changes something goes here, and what only this one answers
	copies     []*copyOf // decisions and searches go to any of them; main is one
	next       counter
	http       *http.Client
	credential credential
	try, total time.Duration
	tries      int
	poll       time.Duration // between two looks at an access request, at first
	polls      time.Duration // and at most
	revisions  *revisions    // nil: none are remembered
	gather     *gatherer     // nil: every question goes by itself
	handlers   map[string]Handler
	agent      string
}

// An Option changes how a client is made.
type Option func(*settings) error

type settings struct {
	copies     []string
	credential credential
	tls        *tls.Config
	try, total time.Duration
	tries      int
	poll       time.Duration
	polls      time.Duration
	remember   bool
	delay      time.Duration
	most       int
	handlers   map[string]Handler
	agent      string
}

// New returns a client of the server at an address, such as
// "https://api.bank.example". The address is https; plain http is taken for this
// machine only. Nothing is sent before the first question.
func New(address string, options ...Option) (*Client, error) {
	s := settings{try: usualTry, total: usualTotal, tries: usualTries, poll: usualPoll, polls: usualPolls, handlers: map[string]Handler{}, agent: "mandate-go"}
	for _, option := range options {
		if err := option(&s); err != nil {
			return nil, err
		}
	}
	c := &Client{try: s.try, total: s.total, tries: s.tries, poll: s.poll, polls: s.polls, handlers: s.handlers, agent: s.agent, credential: s.credential}
	if c.credential == nil {
		c.credential = none{}
	}
	for _, text := range append([]string{address}, s.copies...) {
		base, err := readAddress(text)
		if err != nil {
			return nil, err
		}
		c.copies = append(c.copies, &copyOf{base: base})
	}
	c.main = c.copies[0]
	c.http = transport(s)
	if s.remember {
		c.revisions = newRevisions()
	}
	if s.delay > 0 {
		c.gather = &gatherer{client: c, delay: s.delay, most: s.most}
	}
	return c, nil
}

// transport calls servers: it follows nothing, because an answer from elsewhere
// is no answer, and a key does not go elsewhere.
func transport(s settings) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: s.tls.Clone(), ForceAttemptHTTP2: true, // a transport adds to what it is given
			DialContext:         (&net.Dialer{Timeout: s.try, KeepAlive: 15 * time.Second}).DialContext,
			TLSHandshakeTimeout: s.try, ResponseHeaderTimeout: s.try, MaxResponseHeaderBytes: 64 << 10,
			MaxIdleConns: 256, MaxIdleConnsPerHost: 64, IdleConnTimeout: 60 * time.Second,
			// A connection that many requests share outlives each of them: one whose
			// other end is gone without a word is found out by asking.
			HTTP2: &http.HTTP2Config{SendPingTimeout: s.try, PingTimeout: s.try},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// readAddress reads where a server is.
func readAddress(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return "", errors.New("mandate: the address of a server is like https://api.bank.example, without sign-in, query or fragment")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !onThisMachine(u.Hostname())) {
		return "", fmt.Errorf("mandate: the address of the server %s must begin with https://", u.Host)
	}
	return strings.TrimRight(u.String(), "/"), nil
}

func onThisMachine(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// WithKey says who asks by an API key, such as "mk_...".
func WithKey(key string) Option {
	return func(s *settings) error {
		key = strings.TrimSpace(key)
		if key == "" || !visible(key, maxToken) {
			return errors.New("mandate: the API key is empty, or holds what no key holds")
		}
		return s.prove(apiKey(key))
	}
}

// WithClientCredentials says who asks by OAuth client credentials: a token is
// fetched with them, kept, and fetched anew before it ends.
func WithClientCredentials(cc ClientCredentials) Option {
	return func(s *settings) error {
		p, err := newTokens(cc, func() *http.Client { return transport(*s) })
		if err != nil {
			return err
		}
		return s.prove(p)
	}
}

func (s *settings) prove(c credential) error {
	if s.credential != nil {
		return errors.New("mandate: a client has one credential: a key or client credentials")
	}
	s.credential = c
	return nil
}

// WithTLS sets what the client shows and trusts, such as a certificate of its
// own (mTLS). Verification cannot be switched off.
func WithTLS(config *tls.Config) Option {
	return func(s *settings) error {
		if config == nil || config.InsecureSkipVerify {
			return errors.New("mandate: the server's certificate is always verified; put your own authority into RootCAs")
		}
		s.tls = config.Clone()
		s.tls.MinVersion = max(s.tls.MinVersion, tls.VersionTLS12)
		return nil
	}
}

// WithCopies adds addresses where the same decisions are answered, such as
// replicas. Questions go to all of them in turn; one that fails is passed over
// for a while. What changes something goes to the first address only.
func WithCopies(addresses ...string) Option {
	return func(s *settings) error {
		s.copies = append(s.copies, addresses...)
		return nil
	}
}

// WithPatience sets how long one request may take, and a call with all its
// repetitions: 2 s and 5 s where it is not said. A context may end it earlier.
// Each page of a search, each request of EvaluateAll and each look of Await is a
// call of its own.
func WithPatience(request, call time.Duration) Option {
	return func(s *settings) error {
		if request <= 0 || call < request {
			return errors.New("mandate: a request needs some time, and a call at least as much")
		}
		s.try, s.total = request, call
		return nil
	}
}

// WithTries sets how often a request is made at most within a call, the first
// time included: 1 to 20 times, and 4 where it is not said.
func WithTries(n int) Option {
	return func(s *settings) error {
		if n < 1 || n > 20 {
			return errors.New("mandate: a request is tried 1 to 20 times")
		}
		s.tries = n
		return nil
	}
}

// WithPolling sets how long Await waits between two looks at an access request:
// at first, from 1 ms on, and at most; 1 s and 30 s where it is not said.
func WithPolling(first, most time.Duration) Option {
	return func(s *settings) error {
		if first < time.Millisecond || most < first {
			return errors.New("mandate: between two looks lies some time at first, and at most at least as much")
		}
		s.poll, s.polls = first, most
		return nil
	}
}

// RememberRevisions makes the client remember the newest revision that it was
// told of each organization and of the institution, by an answer or by Saw, and
// demand at least that: what it has seen once it never sees undone, whichever
// copy answers. Name Question.Organization where it is known; the client learns
// it from answers otherwise.
func RememberRevisions() Option {
	return func(s *settings) error {
		s.remember = true
		return nil
	}
}

// Gather makes single questions that are asked at the same time travel
// together: the first waits for others no longer than delay, which is at most
// 20 ms, and a request holds at most as many as most, which is at most MaxBatch.
func Gather(delay time.Duration, most int) Option {
	return func(s *settings) error {
		if delay <= 0 || delay > maxGather || most < 2 || most > MaxBatch {
			return fmt.Errorf("mandate: gather for up to %s, and 2 to %d questions", maxGather, MaxBatch)
		}
		s.delay, s.most = delay, most
		return nil
	}
}

// OnObligation says how obligations of a type are carried out. A yes that comes
// with an obligation nobody here can carry out is a refusal.
func OnObligation(kind string, handler Handler) Option {
	return func(s *settings) error {
		if kind == "" || handler == nil {
			return errors.New("mandate: an obligation has a type, and somebody who carries it out")
		}
		s.handlers[kind] = handler
		return nil
	}
}

// WithAgent sets what the client calls itself, which the server's history keeps:
// 1 to 200 characters of ASCII.
func WithAgent(name string) Option {
	return func(s *settings) error {
		if strings.TrimSpace(name) == "" || !visible(strings.ReplaceAll(name, " ", "_"), maxAgent) {
			return fmt.Errorf("mandate: a client's name for itself is 1 to %d characters of ASCII", maxAgent)
		}
		s.agent = name
		return nil
	}
}

// Format prints where the client asks, and nothing of how it proves itself.
func (c *Client) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "a client of %s", c.main.base) // whoever prints has the error
}
