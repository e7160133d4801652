package hostsync_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/host"
	"mandate/internal/usermgmt"
)

// A story is what happens at a host, event after event, with the state that it
// ends in.
type story struct {
	r      *rand.Rand
	orgs   []host.Ref
	refs   []host.Ref
	users  map[host.Ref]host.User
	has    map[host.Ref]host.Organization
	roles  map[bank.Role]int64
	events []host.Event
}

// told makes up a story of n events about some organizations.
func told(seed uint64, n, organizations int) *story {
	s := &story{r: rand.New(rand.NewPCG(seed, 1)), users: map[host.Ref]host.User{}, has: map[host.Ref]host.Organization{}, roles: map[bank.Role]int64{}}
	for i := range organizations {
		ref := host.Ref(fmt.Sprint(2000 + i))
		s.orgs = append(s.orgs, ref)
		s.organization(ref)
		s.create(ref, bank.RoleAdmin) // whom nothing happens to
	}
	settled := len(s.refs)
	for len(s.events) < n {
		switch k := s.r.IntN(100); {
		case k < 6:
			s.create(s.orgs[s.r.IntN(len(s.orgs))], bank.Role(s.r.IntN(3)))
		case k < 8:
			s.organization(s.orgs[s.r.IntN(len(s.orgs))])
		case k < 9:
			role := bank.Role(s.r.IntN(3))
			s.roles[role]++
			s.tell(host.Event{Defaults: &host.Defaults{Role: role, Version: s.roles[role], Permissions: s.permissions()}})
		case len(s.refs) > settled:
			s.change(s.refs[settled+s.r.IntN(len(s.refs)-settled)])
		}
	}
	return s
}

func (s *story) tell(e host.Event) {
	e.ID, e.By = fmt.Sprint("s", len(s.events)), "Kim"
	e.Channel = []host.Channel{host.BackOffice, host.Classic, host.Core}[s.r.IntN(3)]
	s.events = append(s.events, e)
}

func (s *story) organization(ref host.Ref) {
	o := s.has[ref]
	o.Ref, o.Version, o.Name = ref, o.Version+1, fmt.Sprintf("Works %s v%d", ref, o.Version+1)
	o.Accounts = append(slices.Clone(o.Accounts), host.Account{Ref: host.Ref(fmt.Sprintf("%s-A%d", ref, len(o.Accounts))), Name: "Account", Kind: "checking"})
	s.has[ref] = o
	s.tell(host.Event{Organization: &o})
}

func (s *story) create(organization host.Ref, role bank.Role) {
	ref := host.Ref(fmt.Sprintf("U%06d", len(s.refs)))
	s.refs = append(s.refs, ref)
	s.tell(host.Event{Announced: &host.Announced{Ref: ref, Organization: organization, FirstName: "First", LastName: string(ref)}})
	u := host.User{Ref: ref, Organization: organization, FirstName: "First", LastName: string(ref), Role: role, Status: bank.StatusActive, Permissions: s.permissions()}
	if role != bank.RoleUser {
		u.Permissions[catalog.UserManagementEnabled.ID()] = "true"
	}
	s.put(u)
}

func (s *story) put(u host.User) {
	u = cloned(u)
	u.Version++
	s.users[u.Ref] = u
	s.tell(host.Event{User: &u})
}

func (s *story) permissions() map[string]string {
	all := map[string]string{}
	for _, id := range []string{"transfers.enabled", "wires.enabled", "ach.enabled", "stop_payments.enabled", "cards.enabled"} {
		if s.r.IntN(2) == 0 {
			all[id] = "true"
		}
	}
	if s.r.IntN(2) == 0 {
		all[catalog.LimitPerWire.Permission().ID()] = fmt.Sprintf("%d.00", 1+s.r.IntN(9000))
	}
	return all
}

// change does something to somebody who has not been deleted.
func (s *story) change(ref host.Ref) {
	u := cloned(s.users[ref])
	if u.Deleted {
		return
	}
	switch s.r.IntN(12) {
	case 0:
		u.Deleted = s.r.IntN(3) == 0
	case 1:
		u.Role = bank.Role(s.r.IntN(3))
	case 2:
		if u.Status != bank.StatusDisabled {
			u.Status = []bank.Status{bank.StatusActive, bank.StatusLocked, bank.StatusActive, bank.StatusDisabled}[s.r.IntN(4)]
		}
	case 3, 4:
		u.Held = !u.Held
	case 5:
		u.LastName = fmt.Sprintf("%s v%d", ref, u.Version)
	case 6:
		u.Email = fmt.Sprintf("%s-%d@works.example", ref, u.Version)
	case 7, 8:
		u.Permissions = s.permissions()
	default:
		if accounts := s.has[u.Organization].Accounts; len(accounts) > 0 {
			account := accounts[s.r.IntN(len(accounts))].Ref
			if _, has := u.Accounts[account]; has {
				delete(u.Accounts, account)
			} else {
				u.Accounts[account] = map[string]string{"transfers.from": "true"}
			}
		}
	}
	s.put(u)
}

// muddled are the events shuffled, some told again, and some told wrongly.
func (s *story) muddled() []host.Event {
	all := slices.Clone(s.events)
	for i, e := range s.events {
		if s.r.IntN(8) == 0 {
			all = append(all, e) // once more
		}
		if s.r.IntN(12) > 0 {
			continue
		}
		e.ID = fmt.Sprint("wrong ", i)
		if e.User == nil {
			e.Organization, e.Defaults, e.Announced = nil, nil, nil
			all = append(all, e)
			continue
		}
		u := cloned(*e.User)
		switch s.r.IntN(8) {
		case 0:
			u.Role = 7
		case 1:
			u.Status = 7
		case 2:
			u.Organization = "nowhere"
			u.Ref += "x"
		case 3:
			u.Version = -1
		case 4:
			u.FirstName = strings.Repeat("x", 99)
		case 5:
			u.Permissions["teleport.enabled"] = "true"
		case 6:
			u.Held = !u.Held
		case 7:
			e.ID = s.events[i].ID // the same event with another content
			u.Email = "wrong"
		}
		e.User = &u
		all = append(all, e)
	}
	s.r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// outcome is all that the institution has of the host's organizations, in words.
func (w *world) outcome(s *story) map[host.Ref]string {
	w.t.Helper()
	all := map[host.Ref]string{}
	w.read(func(tx *db.Tx) error {
		for role := range bank.Role(3) {
			d, err := usermgmt.Defaults(tx, harbor, role)
			if err != nil {
				return err
			}
			all[host.Ref(role.String())] = fmt.Sprint(d)
		}
		for _, ref := range s.orgs {
			o, err := usermgmt.OrganizationOf(tx, harbor, string(ref))
			if err != nil {
				return fmt.Errorf("%s: %w", ref, err)
			}
			accounts, err := usermgmt.AccountsByExternalID(tx, o)
			if err != nil {
				return err
			}
			all[ref] = fmt.Sprint(o.Name, slices.Sorted(maps.Keys(accounts)))
		}
		for _, ref := range s.refs {
			o, err := usermgmt.OrganizationOf(tx, harbor, string(s.users[ref].Organization))
			if err != nil {
				return err
			}
			m, err := usermgmt.MemberOf(tx, o, string(ref))
			if err != nil {
				continue
			}
			p, err := usermgmt.FindProfile(tx, harbor, usermgmt.Person{Organization: o.ID, User: m.ID})
			if err != nil {
				return err
			}
			open := []string{}
			for _, a := range p.Accounts {
				if a.Access() {
					open = append(open, fmt.Sprint(a.ExternalID, a.Settings))
				}
			}
			all[ref] = fmt.Sprint(m.Name(), m.Email, m.Role, m.Status, m.Held, m.Settings, open)
		}
		return nil
	})
	return all
}

// Shuffled, told twice and told wrongly, the same events lead to the same state.
func TestShuffledEventsEndTheSame(t *testing.T) {
	events, organizations := 1_200, 4
	if os.Getenv("MANDATE_SLOW") != "" {
		events, organizations = 100_000, 60
	}
	run := func(t *testing.T, d *db.DB, events []host.Event, s *story) map[host.Ref]string {
		w := newWorld(t, d)
		w.host.users = s.users
		for _, o := range s.orgs { // all of them are entitled before anything is told
			w.write(func(tx *db.Tx) error {
				return usermgmt.InsertOrganization(tx, &usermgmt.Organization{Institution: harbor, ID: bank.OrganizationID("org_" + o), ExternalID: string(o), Name: "?", Entitlements: offers()})
			})
		}
		for _, e := range events {
			w.host.tell(e)
		}
		began := time.Now()
		w.tick()
		w.tick()
		var waits int64
		w.read(func(tx *db.Tx) (err error) {
			waits, err = db.One(tx, db.Value[int64], `select count(*) from host_arrival where state = 'waiting'`)
			return err
		})
		if waits != 0 {
			t.Errorf("%d events still wait", waits)
		}
		t.Logf("%d events in %s, %d parked", len(events), time.Since(began).Round(time.Millisecond), len(w.parked()))
		return w.outcome(s)
	}
	var ordered, muddled map[host.Ref]string
	t.Run("in order", func(t *testing.T) {
		dbtest.Each(t, func(t *testing.T, d *db.DB) {
			s := told(7, events, organizations)
			ordered = run(t, d, s.events, s)
		})
	})
	t.Run("muddled", func(t *testing.T) {
		dbtest.Each(t, func(t *testing.T, d *db.DB) {
			s := told(7, events, organizations)
			muddled = run(t, d, s.muddled(), s)
			different := 0
			for ref := range ordered {
				if ordered[ref] != muddled[ref] {
					if different++; different < 5 {
						t.Errorf("%s\n in order %s\n muddled  %s", ref, ordered[ref], muddled[ref])
					}
				}
			}
			if len(muddled) != len(ordered) || different > 0 {
				t.Errorf("%d of %d differ; %d are there", different, len(ordered), len(muddled))
			}
		})
	})
}
