package reference

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
)

// Format is the name of the vector format (§6).
const Format = "vectors/1"

// A File is a vector file.
type File struct {
	Format  string   `json:"format"`
	Vectors []Vector `json:"vectors"`
}

// A Vector is one world and what must come out of it, step by step.
type Vector struct {
	Name   string `json:"name"`
	Source string `json:"source"`
	World  World  `json:"world"`
	Steps  []Step `json:"steps"`
}

// A World is one institution with one organization at a moment.
type World struct {
	Now          string       `json:"now"`
	Institution  Institution  `json:"institution"`
	Organization Organization `json:"organization"`
	Accounts     []string     `json:"accounts"`
	Members      []Member     `json:"members"`
}

// An Institution offers entitlements in an edition.
type Institution struct {
	Edition  string   `json:"edition"`
	TimeZone string   `json:"time_zone"`
	Offers   []string `json:"offers"`
}

// An Organization has entitlements, and may have ceilings and accounts for
// which an entitlement is switched off.
type Organization struct {
	Entitlements []string            `json:"entitlements"`
	Ceilings     map[string]string   `json:"ceilings,omitempty"`
	AccountsOff  map[string][]string `json:"accounts_off,omitempty"`
}

// A Member is an organization user with settings as data holds them.
type Member struct {
	ID          string                    `json:"id"`
	Role        string                    `json:"role"`
	Status      string                    `json:"status"`
	Held        bool                      `json:"held"`
	Permissions map[string]any            `json:"permissions"`
	Accounts    map[string]map[string]any `json:"accounts"`
}

// A Step asks something, or changes the world; exactly one field besides
// Expect is set.
type Step struct {
	Decide       *Request            `json:"decide,omitempty"`
	Authorize    *Authorization      `json:"authorize,omitempty"`
	Approve      *Approval           `json:"approve,omitempty"`
	Confirm      *Reference          `json:"confirm,omitempty"`
	Void         *Reference          `json:"void,omitempty"`
	Edit         *Edit               `json:"edit,omitempty"`
	Organization *OrganizationChange `json:"organization,omitempty"`
	Member       *MemberChange       `json:"member,omitempty"`
	Advance      string              `json:"advance,omitempty"`
	Expect       *Answer             `json:"expect,omitempty"`
}

// A Request is what a member wants to do. What is empty was not given.
type Request struct {
	Member    string         `json:"member"`
	Operation string         `json:"operation"`
	Account   string         `json:"account,omitempty"`
	ToAccount string         `json:"to_account,omitempty"`
	Amount    string         `json:"amount,omitempty"`
	Context   map[string]any `json:"context,omitempty"`
}

// An Authorization is a request under a reference.
type Authorization struct {
	Ref string `json:"ref"`
	Request
}

// An Approval says who approves what.
type Approval struct {
	Ref    string `json:"ref"`
	Member string `json:"member"`
}

// A Reference names an authorization.
type Reference struct {
	Ref string `json:"ref"`
}

// An Edit is one atomic change to the settings of a member.
type Edit struct {
	Actor   string         `json:"actor"`
	Member  string         `json:"member"`
	Account string         `json:"account,omitempty"`
	Set     map[string]any `json:"set"`
	Cascade bool           `json:"cascade,omitempty"`
}

// An OrganizationChange replaces each named part whole.
type OrganizationChange struct {
	Entitlements *[]string          `json:"entitlements,omitempty"`
	Ceilings     *map[string]string `json:"ceilings,omitempty"`
}

// A MemberChange changes what it names.
type MemberChange struct {
	Member string  `json:"member"`
	Status *string `json:"status,omitempty"`
	Held   *bool   `json:"held,omitempty"`
	Role   *string `json:"role,omitempty"`
}

// An Answer is what came out, or must come out. Reasons and problems are sets.
type Answer struct {
	Decision         *bool     `json:"decision,omitempty"`
	ApprovalRequired *bool     `json:"approval_required,omitempty"`
	Reasons          []Reason  `json:"reasons,omitzero"`
	Accepted         *bool     `json:"accepted,omitempty"`
	Problems         []Problem `json:"problems,omitzero"`
	TurnedOff        []string  `json:"turned_off,omitzero"`
}

// A Reason says what blocks, and at which level.
type Reason struct {
	Code       string `json:"code"`
	Level      string `json:"level"`
	Permission string `json:"permission,omitempty"`
	Account    string `json:"account,omitempty"`
}

// A Problem says why a change is refused.
type Problem struct {
	Code       string `json:"code"`
	Permission string `json:"permission,omitempty"`
	Needs      string `json:"needs,omitempty"`
}

// Parse reads a vector file and refuses it when anything in it is unknown or missing.
func Parse(data []byte) (File, error) {
	var f File
	var tree any
	if err := decodeWhole(data, &tree); err != nil {
		return File{}, err
	}
	if err := onlyKnown(tree, reflect.TypeFor[File](), "file"); err != nil {
		return File{}, err
	}
	if err := decodeWhole(data, &f); err != nil {
		return File{}, err
	}
	if f.Format != Format {
		return File{}, fmt.Errorf("format is %q, not %q", f.Format, Format)
	}
	for _, v := range f.Vectors {
		for i, s := range v.Steps {
			if err := s.valid(); err != nil {
				return File{}, fmt.Errorf("vector %q, step %d: %w", v.Name, i+1, err)
			}
		}
	}
	return f, nil
}

// decodeWhole decodes the one value that the data must consist of.
func decodeWhole(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("more after the end")
	}
	return nil
}

// onlyKnown refuses a field that the type does not have under exactly that
// name. The values of a map with any in it, such as a context, are free.
func onlyKnown(tree any, t reflect.Type, where string) error {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Slice:
		items, _ := tree.([]any)
		for i, item := range items {
			if err := onlyKnown(item, t.Elem(), fmt.Sprintf("%s[%d]", where, i)); err != nil {
				return err
			}
		}
	case reflect.Struct:
		object, _ := tree.(map[string]any)
		known := fields(t)
		for key, value := range object {
			field, ok := known[key]
			if !ok {
				return fmt.Errorf("unknown field %q in %s", key, where)
			}
			if err := onlyKnown(value, field, where+"."+key); err != nil {
				return err
			}
		}
	}
	return nil
}

func fields(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			out[name] = f.Type
		}
	}
	return out
}

// valid refuses a step that is not exactly one thing, and an expectation that
// is missing or leaves part of the answer open.
func (s Step) valid() error {
	asks := []bool{s.Decide != nil, s.Authorize != nil, s.Approve != nil, s.Confirm != nil, s.Void != nil, s.Edit != nil}
	changes := []bool{s.Organization != nil, s.Member != nil, s.Advance != ""}
	asked, changed := count(asks), count(changes)
	if asked+changed != 1 {
		return fmt.Errorf("a step is exactly one thing")
	}
	if changed == 1 {
		if s.Expect != nil {
			return fmt.Errorf("a change of the world answers nothing")
		}
		return nil
	}
	if s.Expect == nil {
		return fmt.Errorf("no expectation")
	}
	if want, got := s.shape(), s.Expect.shape(); !slices.Equal(want, got) {
		return fmt.Errorf("the expectation names %v instead of %v", got, want)
	}
	return nil
}

func count(list []bool) (n int) {
	for _, yes := range list {
		if yes {
			n++
		}
	}
	return n
}

// shape names the parts that the answer to the step has.
func (s Step) shape() []string {
	switch {
	case s.Edit != nil:
		return []string{"accepted", "problems", "turned_off"}
	case s.Decide != nil, s.Authorize != nil:
		return []string{"decision", "approval_required", "reasons"}
	default:
		return []string{"decision", "reasons"}
	}
}

func (a Answer) shape() []string {
	var out []string
	for _, part := range []struct {
		name string
		set  bool
	}{
		{"decision", a.Decision != nil}, {"approval_required", a.ApprovalRequired != nil}, {"reasons", a.Reasons != nil},
		{"accepted", a.Accepted != nil}, {"problems", a.Problems != nil}, {"turned_off", a.TurnedOff != nil},
	} {
		if part.set {
			out = append(out, part.name)
		}
	}
	return out
}

// Same says whether two answers agree, reasons and problems as sets.
func (a Answer) Same(b Answer) bool {
	return same(a.Decision, b.Decision) && same(a.ApprovalRequired, b.ApprovalRequired) && same(a.Accepted, b.Accepted) &&
		slices.Equal(sortReasons(a.Reasons), sortReasons(b.Reasons)) &&
		slices.Equal(sortProblems(a.Problems), sortProblems(b.Problems)) &&
		slices.Equal(a.TurnedOff, b.TurnedOff)
}

func same(a, b *bool) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// String is the answer as JSON.
func (a Answer) String() string {
	text, err := json.Marshal(a)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// A Mismatch is a step that came out otherwise than expected.
type Mismatch struct {
	Vector string
	Step   int // counted from 1
	Got    Answer
	Want   Answer
	Err    error // the step could not be executed
}

// Check runs a vector to its end and returns every step that came out wrong.
func Check(v Vector) []Mismatch { return check(v, "") }

func check(v Vector, without string) []Mismatch {
	r := &Runner{world: v.World, ledger: map[string]*entry{}, without: without}
	if err := r.load(); err != nil {
		return []Mismatch{{Vector: v.Name, Err: err}}
	}
	var out []Mismatch
	for i, s := range v.Steps {
		got, err := r.Do(s)
		if err != nil {
			out = append(out, Mismatch{Vector: v.Name, Step: i + 1, Err: err})
		} else if s.Expect != nil && !got.Same(*s.Expect) {
			out = append(out, Mismatch{Vector: v.Name, Step: i + 1, Got: got, Want: *s.Expect})
		}
	}
	return out
}
