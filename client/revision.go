package client

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"sync"
)

// ErrRevision says that a text is no revision, or one of a form that this client
// is too old to remember.
var ErrRevision = errors.New("mandate: this is not a revision that this client can read")

// A revision is how much of the history an answer knows, of the institution and
// of one organization. To callers it is a token without a meaning. This package
// comes from the same hands as the server, and reads it to tell the newer of two.
type revision struct {
	epoch                         uint64 // raised when a backup is restored: what was known before is void
	institution, organization     string
	ofInstitution, ofOrganization uint64
}

const (
	tokenVersion = 2
	maxRevision  = 1024
)

// String is the revision as a token; empty where it says nothing.
func (r revision) String() string {
	if r.institution == "" {
		return ""
	}
	b := binary.AppendUvarint([]byte{tokenVersion}, r.epoch)
	for _, text := range []string{r.institution, r.organization} {
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	}
	b = binary.AppendUvarint(b, r.ofInstitution)
	b = binary.AppendUvarint(b, r.ofOrganization)
	return base64.RawURLEncoding.EncodeToString(b)
}

func parseRevision(token string) (revision, error) {
	if len(token) > maxRevision {
		return revision{}, ErrRevision
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) == 0 || b[0] != tokenVersion {
		return revision{}, ErrRevision
	}
	b = b[1:]
	var r revision
	ok := true
	number := func() uint64 {
		n, size := binary.Uvarint(b)
		if size <= 0 {
			ok, b = false, nil
			return 0
		}
		b = b[size:]
		return n
	}
	text := func() string {
		n := number()
		if n > uint64(len(b)) {
			ok, b = false, nil
			return ""
		}
		s := string(b[:n])
		b = b[n:]
		return s
	}
	r.epoch, r.institution, r.organization, r.ofInstitution, r.ofOrganization = number(), text(), text(), number(), number()
	if !ok || len(b) > 0 || r.institution == "" || r.String() != token {
		return revision{}, ErrRevision
	}
	return r, nil
}

// maxRemembered is the most organizations, and members, of which something is
// remembered. Beyond it the client forgets some: their answers are then as fresh
// as the server's own bound.
const maxRemembered = 200_000

// revisions are the newest that the client was told.
type revisions struct {
	mu            sync.Mutex
	epoch         uint64
	institution   string
	ofInstitution uint64
	of            map[string]uint64 // by organization
	organization  map[string]string // of a member
}

func newRevisions() *revisions {
	return &revisions{of: map[string]uint64{}, organization: map[string]string{}}
}

// saw takes a revision in. One of another institution is not this caller's. One
// of a later epoch voids what was remembered: a backup was restored. One of an
// earlier epoch comes from before that.
func (s *revisions) saw(r revision) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.institution != "" && s.institution != r.institution:
		return ErrRevision
	case r.epoch < s.epoch:
		return ErrStale
	case r.epoch > s.epoch:
		s.epoch, s.ofInstitution = r.epoch, 0
		clear(s.of)
	}
	s.institution, s.ofInstitution = r.institution, max(s.ofInstitution, r.ofInstitution)
	if r.organization != "" {
		makeRoom(s.of, r.organization)
		s.of[r.organization] = max(s.of[r.organization], r.ofOrganization)
	}
	return nil
}

// learn keeps in which organization a member is.
func (s *revisions) learn(member, organization string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	makeRoom(s.organization, member)
	s.organization[member] = organization
}

func makeRoom[V any](in map[string]V, name string) {
	if _, known := in[name]; known || len(in) < maxRemembered {
		return
	}
	for some := range in {
		delete(in, some)
		return
	}
}

// demand is what a question's answer must know, with what the question demands
// itself; empty where nothing is. That is this question's alone and is not
// remembered: whoever made it up would lead all others astray.
func (s *revisions) demand(q Question, own revision) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.institution == "" || own.institution == s.institution && own.epoch > s.epoch {
		return own.String(), nil
	}
	r := revision{epoch: s.epoch, institution: s.institution, ofInstitution: max(s.ofInstitution, own.ofInstitution)}
	switch {
	case own.institution == "": // none
	case own.institution != s.institution:
		return "", ErrRevision
	case own.epoch < s.epoch:
		return "", ErrStale
	}
	organization := cmp.Or(q.Organization, own.organization, s.organization[q.Member])
	n, known := s.of[organization]
	if organization == own.organization {
		n, known = max(n, own.ofOrganization), organization != ""
	}
	if known {
		r.organization, r.ofOrganization = organization, n
	}
	return r.String(), nil
}

// Saw takes in a revision that the program learned elsewhere, such as from a
// webhook or from another process. With RememberRevisions every later answer
// about its organization knows at least that much.
func (c *Client) Saw(token string) error {
	if c.revisions == nil {
		return errors.New("mandate: this client was not made to remember revisions")
	}
	r, err := parseRevision(token)
	if err != nil {
		return err
	}
	return c.revisions.saw(r)
}

// demanded is what the answer to a question must know.
func (c *Client) demanded(q Question) (string, error) {
	if !visible(q.AtLeast, maxRevision) {
		return "", ErrRevision
	}
	if c.revisions == nil {
		return q.AtLeast, nil
	}
	var own revision
	if q.AtLeast != "" {
		var err error
		if own, err = parseRevision(q.AtLeast); err != nil {
			return "", err
		}
	}
	return c.revisions.demand(q, own)
}

// told takes in what an answer knows.
func (c *Client) told(token string, members ...string) error {
	if c.revisions == nil || token == "" {
		return nil
	}
	r, err := parseRevision(token)
	if err != nil {
		return err
	}
	if err := c.revisions.saw(r); err != nil {
		return err
	}
	if r.organization != "" {
		for _, member := range members {
			c.revisions.learn(member, r.organization)
		}
	}
	return nil
}

// behind reports whether an answer knows less than was demanded: a refusal then
// is for want of knowledge, a yes is none, and another copy may know more.
func behind(answered, demanded string) bool {
	a, err := parseRevision(answered)
	d, e := parseRevision(demanded)
	if err != nil || e != nil {
		return false
	}
	return a.epoch != d.epoch || a.ofInstitution < d.ofInstitution || a.organization == d.organization && a.ofOrganization < d.ofOrganization
}
