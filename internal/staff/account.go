package staff

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/identity"
)

// History events of what a directory does to people.
const (
	EventProvisioned = "staff.provisioned" // made, without an invitation
	EventDeactivated = "staff.deactivated"
	EventReactivated = "staff.reactivated"
)

// Codes of refusals that have a meaning of their own to a directory.
const (
	CodeTaken     = "TAKEN"     // somebody has the address, or a group the name
	CodeImmutable = "IMMUTABLE" // it never changes
)

const maxExternal = 200 // characters of a directory's own name

// An Account is a staff user as a directory sees them.
type Account struct {
	User
	External string // the directory's own name for them; empty: none
	Groups   []Group
}

// Active reports whether they may sign in as far as the directory goes. Whoever
// is locked or has not joined yet is active.
func (a *Account) Active() bool { return a.Status != bank.StatusDisabled }

// A Wish is an account as a directory wants it to be.
type Wish struct {
	Email    string
	Details  // without both names: they say their name when they join
	Active   bool
	External string
}

// Wish is the account as it is, for a directory to change.
func (a *Account) Wish() Wish {
	return Wish{Email: a.Email, Details: a.Details, Active: a.Active(), External: a.External}
}

func (w *Wish) check() error {
	var problems fault.Problems
	if why := bank.EmailProblem(w.Email); why != "" {
		problems.Add("userName", why)
	}
	for _, one := range w.Details.Check() {
		if named := w.FirstName != "" || w.LastName != ""; named || one.Field != "first_name" && one.Field != "last_name" {
			problems.Add(accountFields[one.Field], one.Sentence)
		}
	}
	checkExternal(&problems, w.External)
	return problems.Err("The user was not saved.")
}

// accountFields are what directories call the fields of a profile.
var accountFields = map[string]string{"first_name": "name.givenName", "last_name": "name.familyName", "phone": "phoneNumbers", "time_zone": "timezone"}

func checkExternal(problems *fault.Problems, external string) {
	if n := utf8.RuneCountInString(external); n > maxExternal || !bank.Printable(external) {
		problems.Addf("externalId", "It must be at most %d characters that can be shown.", maxExternal)
	}
}

// An AccountQuery asks for accounts in the order in which they were made. The
// first of ID, Email and External that is not empty asks for one account.
type AccountQuery struct {
	ID            bank.StaffID
	Email         string
	External      string
	Offset, Limit int
}

// Accounts reads accounts, and how many there are without the window.
func (p *Provisioning) Accounts(ctx context.Context, caller bank.Caller, q AccountQuery) (accounts []Account, total int, err error) {
	err = p.look(ctx, caller, userTarget(q.ID, ""), func(tx *db.Tx, d Directory) error {
		accounts, total, err = listAccounts(tx, d, caller.Institution, q)
		return err
	})
	return accounts, total, err
}

func listAccounts(tx *db.Tx, d Directory, institution bank.InstitutionID, q AccountQuery) (accounts []Account, total int, err error) {
	if q.External != "" && q.ID == "" && q.Email == "" {
		id, err := byExternal(tx, d, institution, externalUser, q.External)
		if err != nil || id == "" {
			return nil, 0, err
		}
		q.ID = bank.StaffID(id)
	}
	if q.Email != "" && q.ID == "" {
		u, found, err := userByEmail(tx, institution, q.Email)
		if err != nil || !found {
			return nil, 0, err
		}
		q.ID = u.ID
	}
	if q.ID != "" {
		a, err := findAccount(tx, d, institution, q.ID)
		if errors.Is(err, ErrNoUser) {
			return nil, 0, nil
		}
		return []Account{a}, 1, err
	}
	return allAccounts(tx, d, institution, q)
}

func findAccount(tx *db.Tx, d Directory, institution bank.InstitutionID, id bank.StaffID) (a Account, err error) {
	if a.User, err = findUser(tx, institution, id); err != nil {
		return a, err
	}
	if a.Groups, err = groupsOf(tx, institution, id); err != nil {
		return a, err
	}
	names, err := externals(tx, d, institution, externalUser, string(id))
	a.External = names[string(id)]
	return a, err
}

func allAccounts(tx *db.Tx, d Directory, institution bank.InstitutionID, q AccountQuery) (accounts []Account, total int, err error) {
	if err := tx.QueryRow(`select count(*) from staff_user where institution_id = $1`, institution).Scan(&total); err != nil {
		return nil, 0, fmt.Errorf("count the staff users: %w", err)
	}
	const window = ` where u.institution_id = $1 order by u.id limit $2 offset $3`
	users, err := db.All(tx, scanUser, selectUser+window, institution, q.Limit, q.Offset)
	if err != nil {
		return nil, 0, fmt.Errorf("list the staff users: %w", err)
	}
	names, err := externals(tx, d, institution, externalUser, "")
	if err != nil {
		return nil, 0, err
	}
	groups, err := listGroups(tx, institution)
	if err != nil {
		return nil, 0, err
	}
	members, err := db.All(tx, scanMembership, `
		select m.staff_id, m.group_id from staff_membership m
		 where m.institution_id = $1 and m.staff_id in (select u.id from staff_user u`+window+`)`, institution, q.Limit, q.Offset)
	if err != nil {
		return nil, 0, fmt.Errorf("read the memberships: %w", err)
	}
	in := groupsByUser(groups, members)
	for _, u := range users {
		accounts = append(accounts, Account{u, names[string(u.ID)], in[u.ID]})
	}
	return accounts, total, nil
}

// A membership is a user in a group.
type membership struct {
	user  bank.StaffID
	group bank.GroupID
}

func scanMembership(row db.Scanner) (m membership, err error) {
	err = row.Scan(&m.user, &m.group)
	return m, err
}

// groupsByUser are each user's groups, in the order of groups.
func groupsByUser(groups []Group, members []membership) map[bank.StaffID][]Group {
	users := map[bank.GroupID][]bank.StaffID{}
	for _, m := range members {
		users[m.group] = append(users[m.group], m.user)
	}
	in := map[bank.StaffID][]Group{}
	for _, g := range groups {
		for _, u := range users[g.ID] {
			in[u] = append(in[u], g)
		}
	}
	return in
}

// CreateAccount makes a staff user, in the directory's home group. Whoever is
// active gets an invitation.
func (p *Provisioning) CreateAccount(ctx context.Context, caller bank.Caller, w Wish) (a Account, err error) {
	w.Details = w.Details.trimmed()
	if err := w.check(); err != nil {
		return a, err
	}
	err = p.do(ctx, caller, EventInvited, userTarget("", ""), func(c *guard.Change, d Directory) error {
		there, found, err := userByEmail(c.Tx, caller.Institution, w.Email)
		if err != nil {
			return err
		}
		if found {
			return fault.Newf(fault.Conflict, "%s is a user already, with the id %s.", w.Email, there.ID).With(CodeTaken)
		}
		u := User{ID: bank.StaffID(bank.NewID(bank.PrefixStaff, c.Tx.Now)), Email: w.Email, Status: bank.StatusPending, Details: w.Details}
		if err := p.insert(c, d, u, w); err != nil {
			return err
		}
		a, err = findAccount(c.Tx, d, caller.Institution, u.ID)
		return err
	})
	return a, err
}

func (p *Provisioning) insert(c *guard.Change, d Directory, u User, w Wish) error {
	institution := c.Caller.Institution
	if err := insertUser(c.Tx, institution, u); err != nil {
		return err
	}
	if err := insertMembership(c.Tx, institution, u.ID, d.Home); err != nil {
		return err
	}
	changes := []activity.Change{{Field: "email", New: u.Email}, {Field: "groups", New: d.HomeName}}
	if w.External != "" {
		if err := storeExternal(c.Tx, d, institution, externalUser, string(u.ID), w.External); err != nil {
			return err
		}
		changes = append(changes, activity.Change{Field: "external_id", New: w.External})
	}
	changes = append(changes, u.Details.changes(Details{})...)
	event := EventProvisioned
	if w.Active {
		event = EventInvited
		if _, err := p.links.Invite(c.Tx, identity.Staff(institution, u.ID), c.Caller); err != nil {
			return fmt.Errorf("invite %s: %w", u.ID, err)
		}
	} else if err := setDeactivated(c.Tx, institution, u.ID, true); err != nil {
		return err
	}
	c.RecordAs(event, userTarget(u.ID, u.Name()), "", changes...)
	return nil
}

// ChangeAccount makes of an account what change makes of it, all of it or
// nothing. An error of change is returned as it is.
func (p *Provisioning) ChangeAccount(ctx context.Context, caller bank.Caller, id bank.StaffID, change func(Account) (Wish, error)) (a Account, err error) {
	err = p.do(ctx, caller, EventProfileChanged, userTarget(id, ""), func(c *guard.Change, d Directory) error {
		was, err := findAccount(c.Tx, d, caller.Institution, id)
		if err != nil {
			return err
		}
		w, err := change(was)
		if err != nil {
			return err
		}
		if err := p.fulfil(c, d, was, w); err != nil {
			return err
		}
		a, err = findAccount(c.Tx, d, caller.Institution, id)
		return err
	})
	return a, err
}

func (p *Provisioning) fulfil(c *guard.Change, d Directory, was Account, w Wish) error {
	w.Details = w.Details.trimmed()
	if db.Fold(w.Email) == db.Fold(was.Email) {
		w.Email = was.Email
	}
	if w == was.Wish() {
		return nil
	}
	if err := p.aboveUser(c, "A directory can’t change somebody who has", was.User); err != nil {
		return err
	}
	if w.Email != was.Email {
		return fault.Newf(fault.Invalid, "The userName is the address by which somebody signs in, and never changes: it is %s. Delete this user and make a new one.", was.Email).With(CodeImmutable)
	}
	if err := w.check(); err != nil {
		return err
	}
	if err := p.rename(c, d, was, w); err != nil {
		return err
	}
	if w.Active == was.Active() {
		return nil
	}
	return p.setActive(c, was.User, w.Active)
}

// rename changes the profile and what the directory calls them.
func (p *Provisioning) rename(c *guard.Change, d Directory, was Account, w Wish) error {
	changes := diff(w.Details.changes(was.Details), "external_id", was.External, w.External)
	if len(changes) == 0 {
		return nil
	}
	u := was.User
	u.Details = w.Details
	if err := updateUser(c.Tx, c.Caller.Institution, u); err != nil {
		return err
	}
	if err := storeExternal(c.Tx, d, c.Caller.Institution, externalUser, string(u.ID), w.External); err != nil {
		return err
	}
	c.RecordAs(EventProfileChanged, userTarget(u.ID, u.Name()), "", changes...)
	return nil
}

// setActive switches somebody off, with every sign-in and link, or on again as
// they were before. Whoever had not joined is invited anew.
func (p *Provisioning) setActive(c *guard.Change, u User, active bool) error {
	institution, who := c.Caller.Institution, identity.Staff(c.Caller.Institution, u.ID)
	err := keepingAdministrators(c, func() error { return setDeactivated(c.Tx, institution, u.ID, !active) })
	if err != nil {
		return err
	}
	event := EventReactivated
	if !active {
		event = EventDeactivated
		if err := identity.EndSignIns(c.Tx, who); err != nil {
			return err
		}
		if _, err := p.links.CancelLinks(c.Tx, who); err != nil {
			return err
		}
	}
	c.RecordAs(event, userTarget(u.ID, u.Name()), "", activity.Change{Field: "active", Old: strconv.FormatBool(!active), New: strconv.FormatBool(active)})
	now, err := findUser(c.Tx, institution, u.ID)
	if err != nil || now.Status != bank.StatusPending {
		return err
	}
	_, err = p.links.Invite(c.Tx, who, c.Caller)
	return err
}

func setDeactivated(tx *db.Tx, institution bank.InstitutionID, id bank.StaffID, off bool) error {
	n, err := tx.Exec(`update staff_user set deactivated = $1, version = version + 1 where institution_id = $2 and id = $3`, off, institution, id)
	return touchOne("switch the staff user on or off", n, err)
}

// DeleteAccount removes a staff user for good, unless check refuses it. The
// history keeps their name.
func (p *Provisioning) DeleteAccount(ctx context.Context, caller bank.Caller, id bank.StaffID, check func(Account) error) error {
	return p.do(ctx, caller, EventDeleted, userTarget(id, ""), func(c *guard.Change, d Directory) error {
		was, err := findAccount(c.Tx, d, caller.Institution, id)
		if err != nil {
			return err
		}
		if err := check(was); err != nil {
			return err
		}
		if err := p.aboveUser(c, "A directory can’t delete somebody who has", was.User); err != nil {
			return err
		}
		return p.removeUser(c, was.User, was.Groups)
	})
}
