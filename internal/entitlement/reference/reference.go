// Package reference is the decision specification written down a second time,
// slowly and obviously, to be compared with the engine that production uses.
//
// It is used by tests only and must stay independent: it imports nothing but
// the standard library, carries its own copy of the catalogue, shares no code
// with the engine, and prefers the words of the specification to speed. Where
// the two disagree one of them is wrong, and a vector decides which.
//
// Paragraph signs in the comments name sections of the specification.
package reference

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// A Runner holds one world and executes steps on it, one after another.
type Runner struct {
	world   World
	zone    *time.Location
	now     time.Time
	offers  []string
	has     []string // entitlements of the organization
	ceiling map[string]int64
	members []*member
	ledger  map[string]*entry

	without string // the rule that a mutation test has switched off
}

// A member is one organization user with the settings that exist in the edition.
type member struct {
	id, role, status string
	held             bool
	own              settings
	accounts         map[string]settings
}

// Settings are the values of one level: bool for a switch, string for a
// choice, int64 cents for a limit. What is not set is not in the map.
type settings map[string]any

// NewRunner loads a world as it is, inconsistent settings included. Data that
// names a permission unknown to the edition or to the level is ignored (§1, §6).
func NewRunner(w World) (*Runner, error) {
	r := &Runner{world: w, ledger: map[string]*entry{}}
	if err := r.load(); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *Runner) load() error {
	w := r.world
	if w.Institution.Edition != bank && w.Institution.Edition != creditUnion {
		return fmt.Errorf("institution: edition %q is neither %s nor %s", w.Institution.Edition, bank, creditUnion)
	}
	var err error
	if r.zone, err = time.LoadLocation(w.Institution.TimeZone); err != nil {
		return fmt.Errorf("institution: %w", err)
	}
	if r.now, err = time.Parse(time.RFC3339, w.Now); err != nil {
		return fmt.Errorf("now: %w", err)
	}
	r.offers, r.has = w.Institution.Offers, w.Organization.Entitlements
	if r.ceiling, err = r.loadCeilings(w.Organization.Ceilings); err != nil {
		return err
	}
	for _, given := range w.Members {
		if r.member(given.ID) != nil {
			return fmt.Errorf("member %q is there twice", given.ID)
		}
		m, err := r.loadMember(given)
		if err != nil {
			return fmt.Errorf("member %q: %w", given.ID, err)
		}
		r.members = append(r.members, m)
	}
	return nil
}

func (r *Runner) loadMember(given Member) (*member, error) {
	m := &member{id: given.ID, role: given.Role, status: given.Status, held: given.Held, accounts: map[string]settings{}}
	if err := validMember(m); err != nil {
		return nil, err
	}
	var err error
	if m.own, err = r.loadSettings(given.Permissions, levelUser); err != nil {
		return nil, err
	}
	for account, values := range given.Accounts {
		if m.accounts[account], err = r.loadSettings(values, levelUserAccount); err != nil {
			return nil, fmt.Errorf("account %q: %w", account, err)
		}
	}
	return m, nil
}

func validMember(m *member) error {
	if m.id == "" {
		return fmt.Errorf("no id")
	}
	if _, known := rolePowers[m.role]; !known {
		return fmt.Errorf("unknown role %q", m.role)
	}
	if !slices.Contains([]string{"active", "pending", "locked", "disabled"}, m.status) {
		return fmt.Errorf("unknown status %q", m.status)
	}
	return nil
}

func (r *Runner) loadSettings(values map[string]any, level string) (settings, error) {
	out := settings{}
	for id, value := range values {
		if !r.exists(id, level) {
			continue
		}
		read, ok := readValue(permissions[id], value)
		if !ok {
			return nil, fmt.Errorf("%s cannot be %v", id, value)
		}
		out[id] = read
	}
	return out, nil
}

func (r *Runner) loadCeilings(given map[string]string) (map[string]int64, error) {
	out := map[string]int64{}
	for id, text := range given {
		if !permissions[id].isLimit() {
			continue
		}
		cents, ok := parseAmount(text)
		if !ok {
			return nil, fmt.Errorf("ceiling: %s cannot be %q", id, text)
		}
		out[id] = cents
	}
	return out, nil
}

// Do executes one step. The answer is zero for a step that only changes the
// world. An error says that the step itself makes no sense.
func (r *Runner) Do(s Step) (Answer, error) {
	switch {
	case s.Decide != nil:
		return r.decide(*s.Decide), nil
	case s.Authorize != nil:
		return r.authorize(*s.Authorize), nil
	case s.Approve != nil:
		return r.approve(s.Approve.Ref, s.Approve.Member), nil
	case s.Confirm != nil:
		return r.confirm(s.Confirm.Ref), nil
	case s.Void != nil:
		return r.void(s.Void.Ref), nil
	case s.Edit != nil:
		return r.edit(*s.Edit), nil
	case s.Organization != nil:
		return Answer{}, r.changeOrganization(*s.Organization)
	case s.Member != nil:
		return Answer{}, r.changeMember(*s.Member)
	case s.Advance != "":
		return Answer{}, r.advance(s.Advance)
	}
	return Answer{}, fmt.Errorf("a step that does nothing")
}

// changeOrganization replaces each named part whole (§6).
func (r *Runner) changeOrganization(c OrganizationChange) error {
	if c.Entitlements != nil {
		r.has = *c.Entitlements
	}
	if c.Ceilings != nil {
		ceilings, err := r.loadCeilings(*c.Ceilings)
		if err != nil {
			return err
		}
		if !r.holds("6: ceilings are replaced whole") {
			for id, cents := range r.ceiling {
				if _, named := ceilings[id]; !named {
					ceilings[id] = cents
				}
			}
		}
		r.ceiling = ceilings
	}
	return nil
}

// changeMember changes what is named and nothing else (§6).
func (r *Runner) changeMember(c MemberChange) error {
	m := r.member(c.Member)
	if m == nil {
		return fmt.Errorf("a change of the unknown member %q", c.Member)
	}
	changed := *m
	if c.Role != nil {
		changed.role = *c.Role
	}
	if c.Status != nil {
		changed.status = *c.Status
	}
	if c.Held != nil {
		changed.held = *c.Held
	}
	if err := validMember(&changed); err != nil {
		return err
	}
	*m = changed
	return nil
}

// advance lets time pass: elapsed time, whatever the clocks on the wall do.
func (r *Runner) advance(by string) error {
	d, err := time.ParseDuration(by)
	if err != nil || d < 0 {
		return fmt.Errorf("advance: %q is no time to pass", by)
	}
	if !r.holds("6: advance is elapsed time") {
		r.now = r.now.Add(d - time.Duration(r.offset(r.now.Add(d))-r.offset(r.now))*time.Second)
		return nil
	}
	r.now = r.now.Add(d)
	return nil
}

func (r *Runner) offset(t time.Time) int {
	_, seconds := t.In(r.zone).Zone()
	return seconds
}

// today is the calendar day in the institution's time zone (§2).
func (r *Runner) today() string {
	if !r.holds("2: the day is the institution's") {
		return r.now.UTC().Format(time.DateOnly)
	}
	return r.now.In(r.zone).Format(time.DateOnly)
}

func (r *Runner) member(id string) *member {
	for _, m := range r.members {
		if m.id == id {
			return m
		}
	}
	return nil
}

// holds says whether a rule is in force. Every rule always is, except the one
// that the mutation test switches off to see whether any vector notices.
func (r *Runner) holds(rule string) bool { return r.without != rule }

func sortReasons(reasons []Reason) []Reason {
	out := append([]Reason{}, reasons...)
	slices.SortFunc(out, func(a, b Reason) int {
		return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Level, b.Level),
			cmp.Compare(a.Permission, b.Permission), cmp.Compare(a.Account, b.Account))
	})
	return slices.Compact(out)
}

func sortProblems(problems []Problem) []Problem {
	out := append([]Problem{}, problems...)
	slices.SortFunc(out, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Permission, b.Permission), cmp.Compare(a.Needs, b.Needs))
	})
	return slices.Compact(out)
}
