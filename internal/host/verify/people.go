package verify

import (
	"errors"
	"maps"
	"slices"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/host"
	"mandate/internal/host/protocol"
)

var peopleChecks = []Check{
	{Name: "Organizations", Says: "Organizations are listed whole, in order and in pages of any size.", Needs: protocol.People, run: organizations},
	{Name: "Users", Says: "Users are listed whole, in order and in pages of any size.", Needs: protocol.People, run: users},
	{Name: "Defaults", Says: "What new users get is told, once for each role.", Needs: protocol.People, run: defaults},
	{Name: "CreateUser", Says: "A user is made once, is there as ordered, and is told of.", Needs: protocol.People, run: createUser},
	{Name: "UpdateUser", Says: "An update changes the fields that it names and no others; the version rises.", Needs: protocol.People, run: updateUser},
	{Name: "UserAccounts", Says: "Access to accounts and permissions there are changed one by one.", Needs: protocol.People, run: userAccounts},
	{Name: "DeleteUser", Says: "Who is deleted stays so, whatever is ordered afterwards.", Needs: protocol.People, run: deleteUser},
	{Name: "RefusesUsers", Says: "Users of nobody, of others, and made twice are refused.", Needs: protocol.People, run: refusesUsers},
}

// person is somebody new.
func (p *probe) person() host.User {
	id := bank.NewID("verify", timeOf(p))
	return host.User{
		Organization: p.OrganizationRef, Member: bank.UserID(id), FirstName: "Vera", LastName: "Test", Email: id + "@example.com",
		Role: bank.RoleUser, Status: bank.StatusPending, Permissions: map[string]string{}, Accounts: map[host.Ref]map[string]string{},
	}
}

func (p *probe) userOrder(step host.UserStep, u host.User, fields ...string) host.Order {
	o := p.order()
	o.User = &host.UserOrder{Step: step, User: u, Fields: fields}
	return o
}

// made orders a new user, who is deleted when the check is over.
func (p *probe) made() (host.User, host.Order, host.Receipt) {
	u := p.person()
	o := p.userOrder(host.CreateUser, u)
	r := p.done(o, "create a user")
	if r.User == "" || r.Version <= 0 {
		p.stop("the receipt of a new user is %+v, want a name and a version", r)
	}
	u.Ref, u.Version = r.User, r.Version
	p.after = append(p.after, func() {
		if now := p.user(u.Ref); !now.Deleted {
			p.done(p.userOrder(host.DeleteUser, u), "delete the user again")
		}
	})
	return u, o, r
}

func (p *probe) user(ref host.Ref) host.User {
	u, err := p.People.User(p.ctx, p.Institution, ref)
	p.must(err, "read the user "+string(ref))
	return u
}

// same compares what counts of users: permissions that are off may be left out.
func same(a, b *host.User) bool {
	return a.Ref == b.Ref && a.Organization == b.Organization && a.Member == b.Member && a.Version == b.Version && a.FirstName == b.FirstName && a.LastName == b.LastName &&
		a.Email == b.Email && a.Username == b.Username && a.Role == b.Role && a.Status == b.Status && a.Held == b.Held && a.Deleted == b.Deleted &&
		maps.Equal(on(a.Permissions), on(b.Permissions)) && maps.EqualFunc(a.Accounts, b.Accounts, func(x, y map[string]string) bool { return maps.Equal(on(x), on(y)) })
}

func on(permissions map[string]string) map[string]string {
	on := maps.Clone(permissions)
	maps.DeleteFunc(on, func(_, value string) bool { return value == "false" || value == "none" || value == "" })
	if on == nil {
		on = map[string]string{}
	}
	return on
}

// pages reads a list in pages of a size.
func pages[T any](p *probe, size int, ref func(*T) host.Ref, read func(after host.Ref, most int) ([]T, error)) (refs []host.Ref) {
	after := host.Ref("")
	for {
		page, err := read(after, size)
		p.must(err, "read a page")
		if len(page) > size {
			p.wrong("asked for %d at most, it lists %d", size, len(page))
		}
		if len(page) == 0 {
			return refs
		}
		for i := range page {
			refs = append(refs, ref(&page[i]))
		}
		if !slices.IsSorted(refs) || len(slices.Compact(slices.Clone(refs))) != len(refs) {
			p.stop("the list is not in the order of the refs, byte by byte: %q", refs)
		}
		after = refs[len(refs)-1]
	}
}

// smallPages is up to how many entries a list is read one by one as well: the
// test organization of a bank may stand beside many others.
const smallPages = 2000

func (p *probe) samePages(all, small []host.Ref) {
	if !slices.Equal(all, small) {
		p.wrong("in small pages it lists %d, and %d in large ones", len(small), len(all))
	}
}

func organizations(p *probe) {
	read := func(after host.Ref, most int) ([]host.Organization, error) {
		return p.People.Organizations(p.ctx, p.Institution, after, most)
	}
	ref := func(o *host.Organization) host.Ref { return o.Ref }
	all := pages(p, 500, ref, read)
	if len(all) < smallPages {
		p.samePages(all, pages(p, 1, ref, read))
	}
	at, found := slices.BinarySearch(all, p.OrganizationRef)
	if !found {
		p.stop("the organization %s is not among %d", p.OrganizationRef, len(all))
	}
	after := host.Ref("")
	if at > 0 {
		after = all[at-1]
	}
	page, err := read(after, 1)
	p.must(err, "read the organization")
	o := page[0]
	var accounts []host.Ref
	for _, a := range o.Accounts {
		accounts = append(accounts, a.Ref)
	}
	if o.Version <= 0 || o.Name == "" || !slices.Contains(accounts, p.FromRef) || !slices.Contains(accounts, p.ToRef) {
		p.wrong("the organization is %+v, want one with the accounts %s and %s", o, p.FromRef, p.ToRef)
	}
}

func users(p *probe) {
	u, _, _ := p.made()
	read := func(after host.Ref, most int) ([]host.User, error) {
		return p.People.Users(p.ctx, p.Institution, after, most)
	}
	ref := func(u *host.User) host.Ref { return u.Ref }
	all := pages(p, 500, ref, read)
	if len(all) < smallPages {
		p.samePages(all, pages(p, 1, ref, read))
	}
	if !slices.Contains(all, u.Ref) {
		p.wrong("the new user %s is not among %d", u.Ref, len(all))
	}
}

func defaults(p *probe) {
	all, err := p.People.Defaults(p.ctx, p.Institution)
	p.must(err, "read the defaults")
	roles := map[bank.Role]bool{}
	for _, d := range all {
		if roles[d.Role] || d.Version < 0 {
			p.wrong("%s stands there twice or in a version below zero: %+v", d.Role, all)
		}
		roles[d.Role] = true
		for id := range d.Permissions {
			if _, known := catalog.ParsePermission(id); !known {
				p.wrong("the defaults of %s name %q, which is no permission", d.Role, id)
			}
		}
	}
}

func createUser(p *probe) {
	mark := p.lastMark()
	u, o, r := p.made()
	if got := p.user(u.Ref); !same(&got, &u) {
		p.wrong("the user is %+v, want %+v", got, u)
	}
	if again := p.carry(o); again != r {
		p.wrong("asked again it answers %+v, want %+v", again, r)
	}
	other := o
	other.User = &host.UserOrder{Step: host.CreateUser, User: o.User.User}
	other.User.User.LastName = "Other"
	if r, err := p.Host.Carry(p.ctx, other); !errors.Is(err, host.ErrReused) {
		p.wrong("another user under the same key: %+v, %v, want that the key is reused", r, err)
	}
	p.told(mark, u.Ref, o.Key(), r.Version)
}

func updateUser(p *probe) {
	mark := p.lastMark()
	u, _, _ := p.made()
	want := u
	versions := []int64{u.Version}
	change := func(what string, fields []string, with func(*host.User)) {
		asked := p.person() // all else of it is somebody else's, and must not be taken
		asked.Ref, asked.Organization, asked.Member = u.Ref, u.Organization, u.Member
		with(&asked)
		with(&want)
		o := p.userOrder(host.UpdateUser, asked, fields...)
		r := p.done(o, what)
		if r.Version <= want.Version || r.User != u.Ref {
			p.wrong("%s: the receipt is %+v after version %d", what, r, want.Version)
		}
		want.Version = r.Version
		versions = append(versions, r.Version)
		if again := p.carry(o); again != r {
			p.wrong("%s, asked again it answers %+v, want %+v", what, again, r)
		}
		if got := p.user(u.Ref); !same(&got, &want) {
			p.wrong("%s: the user is %+v, want %+v", what, got, want)
		}
		p.told(mark, u.Ref, o.Key(), r.Version)
	}
	change("the name", []string{"name"}, func(u *host.User) { u.FirstName, u.LastName = "Viktor", "Probe" })
	change("role and hold", []string{"role", "held"}, func(u *host.User) { u.Role, u.Held = bank.RoleViewer, true })
	change("no hold", []string{"held"}, func(u *host.User) { u.Held = false })
	change("the email", []string{"email"}, func(u *host.User) { u.Email = string(want.Member) + ".new@example.com" })
	change("a permission", []string{onUser}, func(u *host.User) { u.Permissions = map[string]string{onUser: "true"} })
	change("no permission", []string{onUser}, func(u *host.User) { u.Permissions = map[string]string{} })
	if !slices.IsSorted(versions) {
		p.wrong("the versions are %v, want that they rise", versions)
	}
}

// Permissions that depend on nothing else at their level.
const (
	onUser    = "stops.enabled"
	onAccount = "stops.view"
)

func userAccounts(p *probe) {
	u, _, _ := p.made()
	set := func(what string, accounts map[host.Ref]map[string]string, fields ...string) {
		asked := u
		asked.Accounts = accounts
		p.done(p.userOrder(host.UpdateUser, asked, fields...), what)
	}
	is := func(what string, want map[host.Ref]map[string]string) {
		got := p.user(u.Ref)
		if !maps.EqualFunc(got.Accounts, want, func(x, y map[string]string) bool { return maps.Equal(on(x), on(y)) }) {
			p.wrong("%s: the accounts are %v, want %v", what, got.Accounts, want)
		}
	}
	access := "account/" + string(p.FromRef)
	set("access to two", map[host.Ref]map[string]string{p.FromRef: {}, p.ToRef: {}}, access, "account/"+string(p.ToRef))
	is("access to two", map[host.Ref]map[string]string{p.FromRef: {}, p.ToRef: {}})
	set("a permission on one", map[host.Ref]map[string]string{p.FromRef: {onAccount: "true"}}, access+"/"+onAccount)
	is("a permission on one", map[host.Ref]map[string]string{p.FromRef: {onAccount: "true"}, p.ToRef: {}})
	set("access ends", map[host.Ref]map[string]string{}, access)
	is("access ends", map[host.Ref]map[string]string{p.ToRef: {}})
	asked := u
	asked.Accounts = map[host.Ref]map[string]string{"acc-none": {}}
	p.refused(p.userOrder(host.UpdateUser, asked, "account/acc-none"), host.UnknownAccount, "an account that is not there")
	is("after a refusal", map[host.Ref]map[string]string{p.ToRef: {}})
}

func deleteUser(p *probe) {
	mark := p.lastMark()
	u, create, made := p.made()
	remove := p.userOrder(host.DeleteUser, u)
	r := p.done(remove, "delete")
	if r.Version <= made.Version {
		p.wrong("the receipt is %+v after version %d", r, made.Version)
	}
	if again := p.carry(remove); again != r {
		p.wrong("asked again it answers %+v, want %+v", again, r)
	}
	p.told(mark, u.Ref, remove.Key(), r.Version)
	if again := p.carry(create); again != made {
		p.wrong("the order that made them answers %+v, want %+v", again, made)
	}
	p.refused(p.userOrder(host.UpdateUser, u, "name"), host.UnknownUser, "change who was deleted")
	p.refused(p.userOrder(host.DeleteUser, u), host.UnknownUser, "delete them again")
	p.refused(p.userOrder(host.CreateUser, u), host.UserExists, "make them again under their ref")
	if got := p.user(u.Ref); !got.Deleted || got.Version != r.Version {
		p.wrong("the user is %+v, want one deleted in version %d", got, r.Version)
	}
	refs := pages(p, 500, func(u *host.User) host.Ref { return u.Ref }, func(after host.Ref, most int) ([]host.User, error) {
		return p.People.Users(p.ctx, p.Institution, after, most)
	})
	if slices.Contains(refs, u.Ref) {
		p.wrong("the deleted user %s is still listed", u.Ref)
	}
}

func refusesUsers(p *probe) {
	u, _, _ := p.made()
	ghost := u
	ghost.Ref = "usr-none"
	p.refused(p.userOrder(host.UpdateUser, ghost, "name"), host.UnknownUser, "change nobody")
	p.refused(p.userOrder(host.DeleteUser, ghost), host.UnknownUser, "delete nobody")
	if _, err := p.People.User(p.ctx, p.Institution, ghost.Ref); !errors.Is(err, host.ErrNoUser) {
		p.wrong("read nobody: %v, want that there is none", err)
	}
	twin := p.person()
	twin.Member = u.Member
	p.refused(p.userOrder(host.CreateUser, twin), host.UserExists, "make one member twice")
	lost := p.userOrder(host.CreateUser, p.person())
	lost.Organization, lost.User.User.Organization = "", "org-none"
	p.refused(lost, host.UnknownOrganization, "make somebody of an organization that is not there")
	if p.OtherRef != "" {
		theirs := p.userOrder(host.UpdateUser, u, "name")
		theirs.Organization, theirs.User.User.Organization = "", p.OtherRef
		p.refused(theirs, host.UnknownUser, "change a user as another organization's")
	}
	if got := p.user(u.Ref); !same(&got, &u) {
		p.wrong("after all that the user is %+v, want %+v", got, u)
	}
}
