package pdp

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"

	"mandate/internal/bank"
)

// A Revision says how much of the history an answer knows: everything up to a
// number of the organization's own changes, and up to a number of the
// institution's, which bear on every organization. Numbers of different epochs,
// the lives of a database between restores of a backup, cannot be compared. The
// zero Revision knows nothing and demands nothing.
type Revision struct {
	Epoch          int64
	Institution    bank.InstitutionID
	Organization   bank.OrganizationID // empty where an answer concerns no organization
	OfInstitution  int64
	OfOrganization int64
}

// IsZero reports whether the revision says nothing.
func (r Revision) IsZero() bool { return r == Revision{} }

// ErrRevision says that a text is not a revision token.
var ErrRevision = errors.New("not a revision token of this service")

// errEarlierToken says that a token is of an earlier version of the program,
// which knew no epochs.
var errEarlierToken = fmt.Errorf("%w: it is of an earlier version and is worth nothing now; take one from a new answer", ErrRevision)

// tokenVersion is the first byte of a token; another form gets another number.
const tokenVersion = 2

// maxToken is the longest text that ParseRevision looks at.
const maxToken = 1024

// String is the revision as a token. Callers hand it back and read nothing
// from it.
func (r Revision) String() string {
	if r.IsZero() {
		return ""
	}
	b := binary.AppendUvarint([]byte{tokenVersion}, uint64(r.Epoch))
	b = appendText(b, string(r.Institution))
	b = appendText(b, string(r.Organization))
	b = binary.AppendUvarint(b, uint64(r.OfInstitution))
	b = binary.AppendUvarint(b, uint64(r.OfOrganization))
	return base64.RawURLEncoding.EncodeToString(b)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// ParseRevision reads a token. It accepts exactly the texts that String makes.
func ParseRevision(token string) (Revision, error) {
	if len(token) > maxToken {
		return Revision{}, ErrRevision
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) == 0 {
		return Revision{}, ErrRevision
	}
	if b[0] == 1 {
		return Revision{}, errEarlierToken
	}
	if b[0] != tokenVersion {
		return Revision{}, ErrRevision
	}
	t := tokenReader{rest: b[1:]}
	r := Revision{
		Epoch:          t.number(),
		Institution:    bank.InstitutionID(t.text()),
		Organization:   bank.OrganizationID(t.text()),
		OfInstitution:  t.number(),
		OfOrganization: t.number(),
	}
	named := storable(string(r.Institution)) && (r.Organization == "" || storable(string(r.Organization)))
	if t.bad || len(t.rest) > 0 || !named || r.String() != token {
		return Revision{}, ErrRevision
	}
	return r, nil
}

// A tokenReader takes a token apart from front to back.
type tokenReader struct {
	rest []byte
	bad  bool
}

func (t *tokenReader) number() int64 {
	n, size := binary.Uvarint(t.rest)
	if size <= 0 || n > 1<<62 {
		t.bad, t.rest = true, nil
		return 0
	}
	t.rest = t.rest[size:]
	return int64(n)
}

func (t *tokenReader) text() string {
	n := t.number()
	if n > int64(len(t.rest)) {
		t.bad, t.rest = true, nil
		return ""
	}
	s := string(t.rest[:n])
	t.rest = t.rest[n:]
	return s
}
