package hostsync_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"mandate/internal/bank"
	"mandate/internal/host"
)

// A memory is a host with people and nothing else, in memory. It can be down,
// and lose the answer after it has done what was asked.
type memory struct {
	host.Connector

	mu       sync.Mutex
	down     bool
	loses    int // answers
	users    map[host.Ref]host.User
	orgs     map[host.Ref]host.Organization
	receipts map[string]host.Receipt
	carried  map[string]int // by key, how often it did what was asked
	tries    int
	events   []host.Event
	last     int
	waits    func(context.Context, bank.InstitutionID) // before events are told; nil: nothing
}

func newMemory() *memory {
	return &memory{users: map[host.Ref]host.User{}, orgs: map[host.Ref]host.Organization{}, receipts: map[string]host.Receipt{}, carried: map[string]int{}}
}

var errDown = errors.New("the line is down")

func (m *memory) Carry(_ context.Context, o host.Order) (host.Receipt, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tries++; m.down {
		return host.Receipt{}, errDown
	}
	r, known := m.receipts[o.Key()]
	if !known {
		r = m.do(o)
		m.carried[o.Key()]++
		m.receipts[o.Key()] = r
	}
	if m.loses > 0 {
		m.loses--
		return host.Receipt{}, errDown
	}
	return r, nil
}

func (m *memory) do(o host.Order) host.Receipt {
	asked := o.User.User
	ref := asked.Ref
	for known, u := range m.users {
		if ref == "" && u.Member == asked.Member && asked.Member != "" {
			ref = known
		}
	}
	u, known := m.users[ref]
	switch {
	case o.User.Step == host.CreateUser && known:
		return host.Receipt{Refused: host.UserExists}
	case o.User.Step == host.CreateUser:
		m.last++
		u = asked
		u.Ref = host.Ref(fmt.Sprintf("H%06d", m.last))
	case !known || u.Deleted:
		return host.Receipt{Refused: host.UnknownUser}
	case o.User.Step == host.DeleteUser:
		u.Deleted = true
	default:
		u = merged(u, asked, o.User.Fields)
	}
	u.Version++
	m.put(u, host.Event{Channel: host.Ordered, Order: o.Key()})
	return host.Receipt{Reference: "r", User: u.Ref, Version: u.Version}
}

// merged is a user with the fields that an order names.
func merged(u, asked host.User, fields []string) host.User {
	u = cloned(u)
	for _, f := range fields {
		switch f {
		case "name":
			u.FirstName, u.LastName = asked.FirstName, asked.LastName
		case "email":
			u.Email = asked.Email
		case "username":
			u.Username = asked.Username
		case "role":
			u.Role = asked.Role
		case "status":
			u.Status = asked.Status
		case "held":
			u.Held = asked.Held
		default:
			rest, ofAccount := strings.CutPrefix(f, "account/")
			ref, permission, named := strings.Cut(rest, "/")
			switch {
			case !ofAccount:
				set(u.Permissions, asked.Permissions, f)
			case named:
				if u.Accounts[host.Ref(ref)] == nil {
					u.Accounts[host.Ref(ref)] = map[string]string{}
				}
				set(u.Accounts[host.Ref(ref)], asked.Accounts[host.Ref(ref)], permission)
			case asked.Accounts[host.Ref(ref)] == nil:
				delete(u.Accounts, host.Ref(ref))
			case u.Accounts[host.Ref(ref)] == nil:
				u.Accounts[host.Ref(ref)] = map[string]string{}
			}
		}
	}
	return u
}

func set(to, from map[string]string, key string) {
	if value, on := from[key]; on {
		to[key] = value
	} else {
		delete(to, key)
	}
}

func cloned(u host.User) host.User {
	if u.Permissions = maps.Clone(u.Permissions); u.Permissions == nil {
		u.Permissions = map[string]string{}
	}
	accounts := map[host.Ref]map[string]string{}
	for ref, on := range u.Accounts {
		accounts[ref] = maps.Clone(on)
		if on == nil {
			accounts[ref] = map[string]string{}
		}
	}
	u.Accounts = accounts
	return u
}

// put stores a user and tells of it.
func (m *memory) put(u host.User, e host.Event) {
	u = cloned(u)
	m.users[u.Ref] = u
	e.User = &u
	m.tell(e)
}

func (m *memory) tell(e host.Event) {
	mark := strconv.Itoa(len(m.events) + 1)
	e.Mark = mark
	if e.ID == "" {
		e.ID = "e" + mark
	}
	m.events = append(m.events, e)
}

// outside changes a user as somebody does at the host.
func (m *memory) outside(channel host.Channel, by string, ref host.Ref, change func(*host.User)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := cloned(m.users[ref])
	u.Ref = ref
	change(&u)
	u.Version++
	m.put(u, host.Event{Channel: channel, By: by})
}

// says tells of anything.
func (m *memory) says(e host.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tell(e)
}

func (m *memory) User(_ context.Context, _ bank.InstitutionID, ref host.Ref) (host.User, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return host.User{}, errDown
	}
	u, known := m.users[ref]
	if !known {
		return u, host.ErrNoUser
	}
	return cloned(u), nil
}

func (m *memory) Users(_ context.Context, _ bank.InstitutionID, after host.Ref, most int) ([]host.User, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []host.User
	for _, ref := range slices.Sorted(maps.Keys(m.users)) {
		if u := m.users[ref]; ref > after && !u.Deleted && len(all) < most {
			all = append(all, cloned(u))
		}
	}
	return all, nil
}

func (m *memory) Organizations(context.Context, bank.InstitutionID, host.Ref, int) ([]host.Organization, error) {
	return nil, nil
}

func (m *memory) Defaults(context.Context, bank.InstitutionID) ([]host.Defaults, error) {
	return nil, nil
}

func (m *memory) Events(ctx context.Context, institution bank.InstitutionID, after string, most int) ([]host.Event, error) {
	if m.waits != nil {
		m.waits(ctx, institution)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return nil, errDown
	}
	from, _ := strconv.Atoi(after)
	return slices.Clone(m.events[from:min(from+most, len(m.events))]), nil
}

func (m *memory) user(ref host.Ref) host.User {
	m.mu.Lock()
	defer m.mu.Unlock()
	return cloned(m.users[ref])
}

// of finds the user that we asked for.
func (m *memory) of(member bank.UserID) (u host.User, known bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, u := range m.users {
		if u.Member == member {
			return cloned(u), true
		}
	}
	return u, false
}
