package hostsync

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/host"
	"mandate/internal/usermgmt"
)

// errContradictory says that two contents are told of one version.
var errContradictory = errors.New("hostsync: two contents of one version")

// takeUser takes over a user as an arrival states them.
func (s *Service) takeUser(ctx context.Context, institution bank.InstitutionID, a *arrival, u host.User) (healed bool, err error) {
	if problem := malformed(u); problem != "" {
		return false, s.park(ctx, institution, a, codeMalformed, problem)
	}
	healed, err = s.adopt(ctx, institution, a, u, false)
	if !errors.Is(err, errContradictory) {
		return healed, err
	}
	// Which of the two is true, the host alone can say.
	now, err := s.desk.People().User(ctx, institution, u.Ref)
	if err != nil {
		return false, fmt.Errorf("ask the host for %s: %w", u.Ref, err)
	}
	if err := s.park(ctx, institution, a, codeContradictory, fmt.Sprintf("The host told version %d with two contents. Its present answer was taken.", u.Version)); err != nil {
		return false, err
	}
	settled := *a
	settled.State = parked
	return s.adopt(ctx, institution, &settled, now, true)
}

// malformed says what of a user cannot be right anywhere.
func malformed(u host.User) string {
	if u.Deleted {
		return ""
	}
	if u.Organization == "" || u.Role > bank.RoleAdmin || u.Status > bank.StatusDisabled {
		return "The event names no organization, or a role or a status that does not exist."
	}
	if problems := (usermgmt.Stated{FirstName: u.FirstName, LastName: u.LastName, Email: u.Email, Role: u.Role}).Check(); len(problems) > 0 {
		return problems[0].Sentence
	}
	return ""
}

func (s *Service) park(ctx context.Context, institution bank.InstitutionID, a *arrival, code, note string) error {
	return s.db.Write(ctx, func(tx *db.Tx) error { return a.settle(tx, institution, parked, code, note) })
}

// adopt brings a member to a state of the host's, in one change made outside.
// forced, the state is what the host says now, whatever was taken over before.
func (s *Service) adopt(ctx context.Context, institution bank.InstitutionID, a *arrival, u host.User, forced bool) (healed bool, err error) {
	var organization usermgmt.Organization
	var user bank.UserID
	err = s.db.Read(ctx, func(tx *db.Tx) (err error) {
		organization, user, err = whose(tx, institution, u)
		return err
	})
	if errors.Is(err, usermgmt.ErrNoOrganization) {
		return false, s.park(ctx, institution, a, codeUnknownOrganization, fmt.Sprintf("There is no organization %s here.", u.Organization))
	}
	if err != nil {
		return false, err
	}
	target := activity.Target{Kind: activity.TargetMember, ID: string(user), Name: strings.TrimSpace(u.FirstName + " " + u.LastName)}
	action := guard.Action{
		Event: "orguser.profile_changed", Organization: organization.ID, Target: target, Others: []bank.ActorKind{bank.ActorHost},
		Scope: entitlement.Scope{Members: []bank.UserID{user}},
	}
	err = s.guard.Do(ctx, a.by(institution), action, func(c *guard.Change) error {
		t := taking{s: s, c: c, a: a, u: u, o: organization, forced: forced}
		err := t.run()
		healed = t.healed
		return err
	})
	return healed, err
}

// whose finds out which organization a state is about, and which member, if
// there is one: by the link, by our own id, by the number they have here.
func whose(tx *db.Tx, institution bank.InstitutionID, u host.User) (o usermgmt.Organization, user bank.UserID, err error) {
	l, known, err := linkTo(tx, institution, u.Ref)
	if err != nil {
		return o, "", err
	}
	if known && (u.Organization == "" || l.gone) {
		o, err = usermgmt.FindOrganization(tx, institution, l.organization)
		return o, l.user, err
	}
	if o, err = usermgmt.OrganizationOf(tx, institution, string(u.Organization)); err != nil {
		return o, "", err
	}
	if known {
		return o, l.user, nil
	}
	if u.Member != "" {
		return o, u.Member, nil
	}
	m, err := usermgmt.MemberOf(tx, o, string(u.Ref))
	if errors.Is(err, usermgmt.ErrNoMember) {
		err = nil
	}
	return o, m.ID, err
}

// A taking is a user on the way in, with their organization locked.
type taking struct {
	s      *Service
	c      *guard.Change
	a      *arrival
	u      host.User
	o      usermgmt.Organization
	forced bool
	healed bool

	institution bank.InstitutionID
	link        link
	member      bool // there is one here
	left        []usermgmt.LeftOff
}

func (t *taking) run() error {
	t.institution = t.c.Caller.Institution
	if err := t.find(); err != nil {
		return err
	}
	content, err := json.Marshal(t.u)
	if err != nil {
		return err
	}
	sum := digest(content)
	switch {
	case t.link.gone:
		return t.settle(old, "", "")
	case t.u.Deleted:
		return t.delete(sum)
	case t.link.organization != "" && t.link.organization != t.o.ID:
		return t.settle(parked, codeOtherOrganization, "The host has this user in another organization now. Nobody moves between organizations here.")
	case t.u.Member != "" && !t.member:
		return t.settle(parked, codeUnknownMember, "The host names a user of ours who is not here.")
	}
	if busy, err := t.link.onItsWay(t.c.Tx, t.institution); err != nil || busy {
		return err
	}
	switch {
	case t.u.Version < t.link.version:
		return t.late()
	case t.u.Version == t.link.version && !t.forced:
		if !bytes.Equal(sum, t.link.content) {
			return errContradictory
		}
		if t.a.Code == "" {
			return t.settle(done, "", "")
		}
	}
	return t.adopt(sum)
}

// find reads the link and whether there is a member, with the organization
// locked.
func (t *taking) find() error {
	_, user, err := whose(t.c.Tx, t.institution, t.u)
	if err != nil {
		return err
	}
	if user == "" {
		t.link = link{ref: t.u.Ref}
		return nil
	}
	if t.link, err = linkOf(t.c.Tx, t.institution, user); err != nil {
		return err
	}
	t.link.ref = t.u.Ref
	_, err = usermgmt.FindProfile(t.c.Tx, t.institution, usermgmt.Person{Organization: t.o.ID, User: user})
	if t.member = err == nil; errors.Is(err, usermgmt.ErrNoMember) {
		err = nil
	}
	return err
}

// settle stores what became of the arrival; one that was parked before for
// another reason stays so.
func (t *taking) settle(state arrivalState, code, note string) error {
	if t.forced {
		return nil
	}
	return t.a.settle(t.c.Tx, t.institution, state, code, note)
}

// delete removes the member, for good: whatever else comes is old.
func (t *taking) delete(content []byte) error {
	if t.link.user == "" {
		t.link.user = tombstone(t.u.Ref)
	}
	if t.member {
		err := t.s.users.Remove(t.c, usermgmt.Person{Organization: t.o.ID, User: t.link.user})
		if f, ok := errors.AsType[*fault.Error](err); ok && f.Code == usermgmt.LeftLastAdmin {
			return t.settle(parked, f.Code, f.Sentence)
		}
		if err != nil {
			return err
		}
		t.healed = true
	}
	t.link.organization, t.link.gone = t.o.ID, true
	t.link.taken(t.u.Version, content)
	return t.end(done, "", "")
}

// end stores the link, ends what the state makes superfluous, and settles.
func (t *taking) end(state arrivalState, code, note string) error {
	if err := t.link.store(t.c.Tx, t.institution); err != nil {
		return err
	}
	if err := forgetAnnounced(t.c.Tx, t.institution, t.u.Ref); err != nil {
		return err
	}
	if err := supersede(t.c.Tx, t.institution, t.u.Ref, t.u.Version); err != nil {
		return err
	}
	if t.healed {
		if err := heal(t.c.Tx, t.institution, host.Ref(t.o.ExternalID)); err != nil {
			return err
		}
	}
	return t.settle(state, code, note)
}

// late is a state that a newer one has passed. Disabled is final, so that it is
// true however late it comes.
func (t *taking) late() error {
	if t.u.Status != bank.StatusDisabled || !t.member {
		return t.settle(old, "", "")
	}
	in := usermgmt.Stated{User: t.link.user, Status: bank.StatusDisabled, Keep: usermgmt.Kept{
		Name: true, Email: true, Role: true, Held: true, Set: everything, Accounts: map[bank.AccountID]catalog.Set{},
	}}
	profile, err := usermgmt.FindProfile(t.c.Tx, t.institution, usermgmt.Person{Organization: t.o.ID, User: t.link.user})
	if err != nil {
		return err
	}
	for _, account := range profile.Accounts {
		in.Keep.Accounts[account.ID] = everything
	}
	if _, t.left, err = t.s.users.Adopt(t.c, t.o.ID, in); err != nil {
		return err
	}
	return t.settle(old, "", "")
}

const everything = catalog.Set(1<<catalog.PermissionCount - 1)

func (t *taking) adopt(content []byte) error {
	in, err := t.stated()
	if err != nil {
		return err
	}
	user, left, err := t.s.users.Adopt(t.c, t.o.ID, in)
	if err != nil {
		return err
	}
	t.left = append(t.left, left...)
	t.healed = t.c.Recorded()
	t.link.user, t.link.organization = user, t.o.ID
	t.link.taken(t.u.Version, content)
	if len(t.left) == 0 {
		return t.end(done, "", "")
	}
	var notes []string
	for _, l := range t.left {
		notes = append(notes, strings.TrimSpace(l.Field+": "+l.Sentence))
	}
	slices.SortStableFunc(t.left, func(a, b usermgmt.LeftOff) int { return rank(a.Code) - rank(b.Code) })
	return t.end(parked, t.left[0].Code, strings.Join(slices.Compact(notes), "\n"))
}

// rank puts the reasons first that may go away by themselves.
func rank(code string) int {
	if strings.Contains(healing, "'"+code+"'") {
		return 0
	}
	return 1
}

// stated is the host's state as User management takes it over: what later orders
// of ours name stays as it is here, for the host will tell of them.
func (t *taking) stated() (in usermgmt.Stated, err error) {
	u := &t.u
	if t.member {
		in.User = t.link.user
	}
	in.ExternalID, in.FirstName, in.LastName, in.Email = string(u.Ref), u.FirstName, u.LastName, u.Email
	in.Role, in.Status, in.Held = u.Role, u.Status, u.Held
	var unread []string
	in.Settings, unread = usermgmt.ReadSettings(catalog.AtUser, u.Permissions)
	t.unread("", unread)
	accounts, err := usermgmt.AccountsByExternalID(t.c.Tx, t.o)
	if err != nil {
		return in, err
	}
	in.Accounts = map[bank.AccountID]entitlement.Settings{}
	for _, ref := range slices.Sorted(maps.Keys(u.Accounts)) {
		id, known := accounts[string(ref)]
		if !known {
			t.left = append(t.left, usermgmt.LeftOff{Code: codeUnknownAccount, Field: string(ref), Sentence: "The organization has no such account here."})
			continue
		}
		in.Accounts[id], unread = usermgmt.ReadSettings(catalog.AtAccount, u.Accounts[ref])
		t.unread(string(ref)+"/", unread)
	}
	for _, o := range t.link.orders {
		if o.Version > u.Version {
			keep(&in.Keep, o.Fields, accounts)
		}
	}
	return in, nil
}

func (t *taking) unread(prefix string, ids []string) {
	for _, id := range ids {
		l := usermgmt.LeftOff{Code: codeBadValue, Field: prefix + id, Sentence: "This value cannot be read, so it is off."}
		if _, known := catalog.ParsePermission(id); !known {
			l.Code, l.Sentence = codeUnknownPermission, "There is no such permission here."
		}
		t.left = append(t.left, l)
	}
}

// keep marks the fields of an order as staying.
func keep(k *usermgmt.Kept, fields []string, accounts map[string]bank.AccountID) {
	for _, field := range fields {
		switch field {
		case fieldName:
			k.Name = true
		case fieldEmail:
			k.Email = true
		case fieldRole:
			k.Role = true
		case fieldStatus:
			k.Status = true
		case fieldHeld:
			k.Held = true
		}
		if p, known := catalog.ParsePermission(field); known {
			k.Set = k.Set.With(p)
		}
		rest, ofAccount := strings.CutPrefix(field, fieldAccount)
		if !ofAccount {
			continue
		}
		id, has := accounts[rest]
		p, known := catalog.AccountAccess, true
		if at := strings.LastIndexByte(rest, '/'); !has && at >= 0 {
			id, has = accounts[rest[:at]]
			p, known = catalog.ParsePermission(rest[at+1:])
		}
		if has && known {
			if k.Accounts == nil {
				k.Accounts = map[bank.AccountID]catalog.Set{}
			}
			k.Accounts[id] = k.Accounts[id].With(p)
		}
	}
}
