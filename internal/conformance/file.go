package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// format is the one format of files that this runner reads (spec, section 6).
const format = "vectors/1"

// maxFile is the most bytes that a file of vectors may have.
const maxFile = 256 << 20

// Decode reads a file of vectors. Anything in it that is not of the format
// refuses the whole file: a misspelt expectation must not pass for a met one.
func Decode(r io.Reader) ([]Vector, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("the file is larger than %d bytes", maxFile)
	}
	if !utf8.Valid(data) {
		return nil, errors.New("the file is not UTF-8")
	}
	var f file
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&f); err != nil {
		return nil, err
	}
	if err := onlyThat(d); err != nil {
		return nil, err
	}
	if f.format != format {
		return nil, fmt.Errorf("format is %q and must be %q", f.format, format)
	}
	return f.vectors, nil
}

type file struct {
	format  string
	vectors []Vector
}

func (f *file) UnmarshalJSON(data []byte) error {
	return readObject(data, map[string]any{"format": &f.format, "vectors": &f.vectors})
}

func (v *Vector) UnmarshalJSON(data []byte) error {
	err := readObject(data, map[string]any{"name": &v.Name, "source": &v.Source, "world": &v.World, "steps": &v.Steps})
	if err == nil && v.World.Now.IsZero() {
		err = errors.New("there is no world")
	}
	if err != nil {
		return fmt.Errorf("vector %q: %w", v.Name, err)
	}
	return nil
}

func (w *World) UnmarshalJSON(data []byte) error {
	var institution, organization json.RawMessage
	err := readObject(data, map[string]any{"now": &w.Now, "institution": &institution, "organization": &organization,
		"accounts": &w.Accounts, "members": &w.Members})
	if err != nil {
		return err
	}
	if w.Now.IsZero() || institution == nil || organization == nil {
		return errors.New("a world needs now, institution and organization")
	}
	i, o := &w.Institution, &w.Organization
	if err := readObject(institution, map[string]any{"edition": &i.Edition, "time_zone": &i.TimeZone, "offers": &i.Offers}); err != nil {
		return fmt.Errorf("institution: %w", err)
	}
	if err := readObject(organization, map[string]any{"entitlements": &o.Entitlements, "ceilings": &o.Ceilings, "accounts_off": &o.AccountsOff}); err != nil {
		return fmt.Errorf("organization: %w", err)
	}
	return w.check()
}

func (m *Member) UnmarshalJSON(data []byte) error {
	return readObject(data, map[string]any{"id": &m.ID, "role": &m.Role, "status": &m.Status, "held": &m.Held,
		"permissions": &m.Permissions, "accounts": &m.Accounts})
}

// UnmarshalJSON reads the verb's own fields from under its name.
func (s *Step) UnmarshalJSON(data []byte) error {
	var body json.RawMessage
	places := map[string]any{"expect": &s.Expect}
	verbs := s.verbs()
	for verb := range verbs {
		places[verb] = &verbBody{verb: verb, step: s, body: &body}
	}
	if err := readObject(data, places); err != nil {
		return err
	}
	if s.Verb == "" {
		return fmt.Errorf("a step needs one of %s", strings.Join(slices.Sorted(maps.Keys(verbs)), ", "))
	}
	if err := verbs[s.Verb](body); err != nil {
		return fmt.Errorf("%s: %w", s.Verb, err)
	}
	return errors.Join(s.World.check(), s.checkExpect())
}

// A verbBody notes which verb a step has, and refuses a second one.
type verbBody struct {
	verb string
	step *Step
	body *json.RawMessage
}

func (b *verbBody) UnmarshalJSON(data []byte) error {
	if b.step.Verb != "" {
		return fmt.Errorf("the step is a %s already", b.step.Verb)
	}
	b.step.Verb, *b.body = b.verb, slices.Clone(data)
	return nil
}

// verbs are the ways to read a step's body.
func (s *Step) verbs() map[string]func([]byte) error {
	fields := func(places map[string]any) func([]byte) error {
		return func(data []byte) error { return readObject(data, places) }
	}
	ask := func(more map[string]any) map[string]any {
		places := map[string]any{"member": &s.Ask.Member, "operation": &s.Ask.Operation, "account": &s.Ask.Account,
			"to_account": &s.Ask.ToAccount, "amount": &s.Ask.Amount, "context": &s.Ask.Context}
		maps.Copy(places, more)
		return places
	}
	return map[string]func([]byte) error{
		"decide":       fields(ask(nil)),
		"authorize":    fields(ask(map[string]any{"ref": &s.Ref})),
		"approve":      fields(map[string]any{"ref": &s.Ref, "member": &s.Member}),
		"confirm":      fields(map[string]any{"ref": &s.Ref}),
		"void":         fields(map[string]any{"ref": &s.Ref}),
		"edit":         fields(map[string]any{"actor": &s.Edit.Actor, "member": &s.Edit.Member, "account": &s.Edit.Account, "set": &s.Edit.Set, "cascade": &s.Edit.Cascade}),
		"organization": fields(map[string]any{"entitlements": &s.World.Entitlements, "ceilings": &s.World.Ceilings}),
		"member":       fields(map[string]any{"member": &s.Member, "status": &s.World.Status, "held": &s.World.Held, "role": &s.World.Role}),
		"advance":      s.readAdvance,
	}
}

func (s *Step) readAdvance(data []byte) (err error) {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	s.World.Advance, err = time.ParseDuration(text)
	if err == nil && s.World.Advance < 0 {
		return errors.New("time does not go back")
	}
	return err
}

func (e *Expect) UnmarshalJSON(data []byte) error {
	return readObject(data, map[string]any{"decision": &e.Decision, "approval_required": &e.ApprovalRequired, "reasons": &e.Reasons,
		"accepted": &e.Accepted, "problems": &e.Problems, "turned_off": &e.TurnedOff})
}

// parts are what a verb answers. A change of the world answers nothing.
var parts = map[string][]string{
	"decide": {"decision", "approval_required", "reasons"}, "authorize": {"decision", "approval_required", "reasons"},
	"approve": {"decision", "reasons"}, "confirm": {"decision", "reasons"}, "void": {"decision", "reasons"},
	"edit": {"accepted", "problems", "turned_off"},
}

// checkExpect refuses an expectation that does not name exactly what the verb
// answers: a vector that tests less than it seems to is worse than none.
func (s *Step) checkExpect() error {
	want := parts[s.Verb]
	if s.Expect == nil && want == nil {
		return nil
	}
	if s.Expect == nil || want == nil || !slices.Equal(want, s.Expect.parts()) {
		return fmt.Errorf("%s expects %q", s.Verb, want)
	}
	return nil
}

// parts are the parts of an answer that an expectation names.
func (e *Expect) parts() (named []string) {
	for _, part := range []struct {
		name  string
		named bool
	}{
		{"decision", e.Decision != nil}, {"approval_required", e.ApprovalRequired != nil}, {"reasons", e.Reasons != nil},
		{"accepted", e.Accepted != nil}, {"problems", e.Problems != nil}, {"turned_off", e.TurnedOff != nil},
	} {
		if part.named {
			named = append(named, part.name)
		}
	}
	return named
}

func (r *Reason) UnmarshalJSON(data []byte) error {
	return readObject(data, map[string]any{"code": &r.Code, "level": &r.Level, "permission": &r.Permission, "account": &r.Account})
}

func (p *Problem) UnmarshalJSON(data []byte) error {
	return readObject(data, map[string]any{"code": &p.Code, "permission": &p.Permission, "needs": &p.Needs})
}
