package usermgmt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// A Choice is what is chosen so far for a new member: the accounts that they
// shall see, and the colleague whose permissions they shall have.
type Choice struct {
	Accounts []bank.AccountID
	CopyFrom bank.UserID // empty: the host's defaults, which they have already
}

// A Setup is a new member between being created and having accounts.
type Setup struct {
	Profile Profile
	Choice  Choice
	Source  *Profile // the colleague, where one is chosen
	Edit    Edit     // what saving would set
	Preview Preview
	After   *entitlement.Policy
	Dropped []LevelProblem // what the colleague has and cannot be given
	Kept    time.Time
}

// ErrNotNew says that somebody is past their set-up.
var ErrNotNew = fault.New(fault.Conflict, "This person has joined already. Change their permissions and accounts from their profile.").With("NOT_PENDING")

// ErrChooseAccount asks for an account before somebody's accounts are enabled.
var ErrChooseAccount = &fault.Error{Kind: fault.Invalid, Code: "NO_ACCOUNTS", Sentence: "Choose at least one account. Without any, they would see nothing."}

// Setup reads where the set-up of a new member stands. It changes nothing.
func (s *Service) Setup(ctx context.Context, caller bank.Caller, p Person) (setup Setup, err error) {
	scope := entitlement.Scope{Members: []bank.UserID{p.User}, AllAccounts: true}
	err = s.guard.Look(ctx, caller, looking(p, catalog.CreateUser, scope), func(v *guard.View) error {
		if setup.Profile, err = readProfile(v, caller.Institution, p); err != nil {
			return err
		}
		if setup.Profile.Member.Status != bank.StatusPending {
			return ErrNotNew
		}
		if setup.Choice, setup.Kept, err = choiceOf(v.Tx, setup.Profile.Organization.Num, setup.Profile.Member.Ordinal); err != nil {
			return err
		}
		if err := setup.readSource(v, caller, p); err != nil {
			return err
		}
		req := entitlement.Request{Now: v.Tx.Now}
		edit := Edit{Person: p, Version: setup.Profile.Member.Version, Cascade: true, Changes: setup.changes()}
		setup.Edit, setup.Dropped = fitting(v.Policy, caller, edit, req)
		setup.Preview, setup.After = judge(v.Policy, caller, setup.Edit, req)
		return nil
	})
	return setup, err
}

// readSource reads the colleague; one who has gone meanwhile is nobody.
func (setup *Setup) readSource(v *guard.View, caller bank.Caller, p Person) error {
	from := setup.Choice.CopyFrom
	if from == "" {
		return nil
	}
	policy, err := LoadPolicy(v.Tx, caller.Institution, p.Organization, entitlement.Scope{Members: []bank.UserID{from}, AllAccounts: true})
	if err != nil {
		return err
	}
	source, err := readProfile(&guard.View{Tx: v.Tx, Policy: policy, Revision: v.Revision}, caller.Institution, Person{Organization: p.Organization, User: from})
	if errors.Is(err, ErrNoMember) {
		setup.Choice.CopyFrom = ""
		return nil
	}
	setup.Source = &source
	return err
}

// changes are what the choice sets: the colleague's permissions, and on every
// chosen account what the colleague may do there, or else access alone.
func (setup *Setup) changes() []entitlement.Change {
	to := &setup.Profile
	edition := to.Policy.Institution.Edition
	var changes []entitlement.Change
	if setup.Source != nil {
		changes = add(changes, "", setTo(edition, catalog.AtUser, to.Member.Settings, setup.Source.Member.Settings))
	}
	for _, a := range to.Accounts {
		var wanted entitlement.Settings
		if slices.Contains(setup.Choice.Accounts, a.ID) {
			if setup.Source != nil {
				wanted = accountOf(setup.Source, a.ID)
			}
			wanted.On = wanted.On.With(catalog.AccountAccess)
		} else if !a.Access() {
			continue
		}
		changes = add(changes, a.ID, setTo(edition, catalog.AtAccount, a.Settings, wanted))
	}
	return changes
}

func choiceOf(tx *db.Tx, num, member int64) (choice Choice, kept time.Time, err error) {
	var accounts string
	var micros int64
	err = tx.QueryRow(`select copy_from, accounts, kept_micros from member_setup where organization_num = $1 and member_ordinal = $2`, num, member).
		Scan(&choice.CopyFrom, &accounts, &micros)
	if errors.Is(err, db.ErrNoRows) {
		return Choice{}, time.Time{}, nil
	}
	if err != nil {
		return Choice{}, time.Time{}, fmt.Errorf("read the set-up: %w", err)
	}
	if err := json.Unmarshal([]byte(accounts), &choice.Accounts); err != nil {
		return Choice{}, time.Time{}, fmt.Errorf("read the chosen accounts: %w", err)
	}
	return choice, time.UnixMicro(micros).UTC(), nil
}

// keepChoice stores what is chosen so far; accounts that the organization does
// not have are left out.
func keepChoice(tx *db.Tx, num, member int64, choice Choice) error {
	slices.Sort(choice.Accounts)
	known, err := accountOrdinals(tx, num, slices.Compact(choice.Accounts))
	if err != nil {
		return err
	}
	accounts := []bank.AccountID{}
	for _, id := range slices.Compact(choice.Accounts) {
		if _, ok := known[id]; ok {
			accounts = append(accounts, id)
		}
	}
	text, err := json.Marshal(accounts)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`
		insert into member_setup (organization_num, member_ordinal, copy_from, accounts, kept_micros)
		values ($1, $2, $3, $4, $5)
		on conflict (organization_num, member_ordinal) do update
		   set copy_from = excluded.copy_from, accounts = excluded.accounts, kept_micros = excluded.kept_micros`,
		num, member, choice.CopyFrom, string(text), tx.Now.UnixMicro())
	if err != nil {
		return fmt.Errorf("keep the set-up: %w", err)
	}
	return nil
}

// ChooseAccounts keeps which accounts a new member shall see.
func (s *Service) ChooseAccounts(ctx context.Context, caller bank.Caller, p Person, accounts []bank.AccountID) error {
	return s.choose(ctx, caller, p, func(_ *guard.Change, _ subject, choice *Choice) error {
		choice.Accounts = accounts
		return nil
	})
}

// ChooseColleague keeps whose permissions a new member shall have, and with
// them whose accounts. An empty colleague means the host's defaults again; the
// accounts then stay as they are chosen.
func (s *Service) ChooseColleague(ctx context.Context, caller bank.Caller, p Person, from bank.UserID) error {
	return s.choose(ctx, caller, p, func(c *guard.Change, who subject, choice *Choice) error {
		return takeColleague(c.Tx, who.organization.Num, who.member.ID, from, choice)
	})
}

func takeColleague(tx *db.Tx, num int64, member, from bank.UserID, choice *Choice) error {
	choice.CopyFrom = from
	if from == "" {
		return nil
	}
	if from == member {
		return errSelfCopy
	}
	source, err := findMember(tx, num, from)
	if err != nil {
		return err
	}
	choice.Accounts, err = db.All(tx, db.Value[bank.AccountID], `
		select a.id from member_account m join account a on a.organization_num = m.organization_num and a.ordinal = m.account_ordinal
		 where m.organization_num = $1 and m.member_ordinal = $2 and m.switches & $3 <> 0 order by a.id`,
		num, source.Ordinal, uint64(catalog.SetOf(catalog.AccountAccess)))
	if err != nil {
		return fmt.Errorf("read the colleague's accounts: %w", err)
	}
	return nil
}

func (s *Service) choose(ctx context.Context, caller bank.Caller, p Person, set func(*guard.Change, subject, *Choice) error) error {
	return s.drafting(ctx, caller, p, func(c *guard.Change) error {
		who, err := find(c, p)
		if err != nil {
			return err
		}
		if who.member.Status != bank.StatusPending {
			return ErrNotNew
		}
		choice, _, err := choiceOf(c.Tx, who.organization.Num, who.member.Ordinal)
		if err != nil {
			return err
		}
		if err := set(c, who, &choice); err != nil {
			return err
		}
		return keepChoice(c.Tx, who.organization.Num, who.member.Ordinal, choice)
	})
}

// EnableAccounts saves the set-up of a new member as one change: their accounts
// and, where a colleague was chosen, their permissions.
func (s *Service) EnableAccounts(ctx context.Context, caller bank.Caller, e Edit) error {
	action, err := s.saving(ctx, caller, e)
	if err != nil {
		return err
	}
	return s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		who, err := find(c, e.Person)
		if err != nil {
			return err
		}
		if who.member.Status != bank.StatusPending {
			return ErrNotNew
		}
		if e.Version >= 0 && e.Version != who.member.Version {
			return conflict(c, e, who.member)
		}
		if _, err := s.applyEdit(c, who.organization.Num, who.member, e); err != nil {
			return err
		}
		enabled, err := hasAccess(c.Tx, who)
		if err != nil {
			return err
		}
		if !enabled {
			return ErrChooseAccount
		}
		return dropSetup(c.Tx, who)
	})
}

func dropSetup(tx *db.Tx, who subject) error {
	_, err := tx.Exec(`delete from member_setup where organization_num = $1 and member_ordinal = $2`, who.organization.Num, who.member.Ordinal)
	if err != nil {
		return fmt.Errorf("end the set-up: %w", err)
	}
	return nil
}

// An UnfinishedMember is somebody whose set-up was begun and left.
type UnfinishedMember struct {
	ID   bank.UserID
	Name string
	Kept time.Time
}

// maxUnfinished is how many unfinished set-ups are listed.
const maxUnfinished = 20

// Unfinished are the new members whose accounts nobody has enabled yet, the
// latest first. A single person can be asked about.
func (s *Service) Unfinished(ctx context.Context, caller bank.Caller, p Person) (all []UnfinishedMember, err error) {
	err = s.guard.Look(ctx, caller, looking(Person{Organization: p.Organization}, catalog.CreateUser, entitlement.Scope{}), func(v *guard.View) error {
		o, err := FindOrganization(v.Tx, caller.Institution, p.Organization)
		if err != nil {
			return err
		}
		all, err = db.All(v.Tx, scanUnfinished, `
			select m.id, m.first_name, m.last_name, s.kept_micros
			  from member_setup s join member m on m.organization_num = s.organization_num and m.ordinal = s.member_ordinal
			 where s.organization_num = $1 and m.status = $2 and (cast($3 as text) = '' or m.id = $3)
			 order by s.kept_micros desc, m.ordinal limit $4`, o.Num, bank.StatusPending, p.User, maxUnfinished)
		if err != nil {
			return fmt.Errorf("list the unfinished set-ups: %w", err)
		}
		return nil
	})
	return all, err
}

func scanUnfinished(s db.Scanner) (u UnfinishedMember, err error) {
	var m Member
	var kept int64
	err = s.Scan(&u.ID, &m.FirstName, &m.LastName, &kept)
	u.Name, u.Kept = m.Name(), time.UnixMicro(kept).UTC()
	return u, err
}

// A Colleague is somebody whose permissions could be taken over.
type Colleague struct {
	ID       bank.UserID
	Name     string
	Email    string
	Role     bank.Role
	Accounts int
}

// MaxColleagues is how many colleagues are offered at once.
const MaxColleagues = 200

// Colleagues are the people of an organization to copy from, by name: those who
// are of use, without one person. A search narrows them.
func (s *Service) Colleagues(ctx context.Context, caller bank.Caller, p Person, search string) (all []Colleague, more bool, err error) {
	err = s.guard.Look(ctx, caller, looking(Person{Organization: p.Organization}, catalog.ViewUsers, entitlement.Scope{}), func(v *guard.View) error {
		o, err := FindOrganization(v.Tx, caller.Institution, p.Organization)
		if err != nil {
			return err
		}
		all, err = db.All(v.Tx, scanColleague, `
			select m.id, m.first_name, m.last_name, m.email, m.role,
			       (select count(*) from member_account a where a.organization_num = $1 and a.member_ordinal = m.ordinal and a.switches & $2 <> 0)
			  from member m
			 where m.organization_num = $1 and m.id <> $3 and m.status <> $4
			   and (cast($5 as text) = '' or m.name_key like $5 escape '\' or m.email_key like $5 escape '\')
			 order by m.name_key, m.ordinal limit $6`,
			o.Num, uint64(catalog.SetOf(catalog.AccountAccess)), p.User, bank.StatusDisabled, db.Containing(search), MaxColleagues+1)
		if err != nil {
			return fmt.Errorf("list the colleagues: %w", err)
		}
		if len(all) > MaxColleagues {
			all, more = all[:MaxColleagues], true
		}
		return nil
	})
	return all, more, err
}

func scanColleague(s db.Scanner) (c Colleague, err error) {
	var m Member
	err = s.Scan(&c.ID, &m.FirstName, &m.LastName, &c.Email, &c.Role, &c.Accounts)
	c.Name = m.Name()
	return c, err
}

// setupOf begins the set-up of a member that a member has just created, with
// what their draft says.
func setupOf(c *guard.Change, o Organization, m Member) error {
	if c.Caller.Kind != bank.ActorMember {
		return nil
	}
	author, err := author(c.Tx, c.Caller, o.ID)
	if err != nil {
		return err
	}
	d, _, err := draftOf(c.Tx, author)
	if err != nil {
		return err
	}
	var choice Choice
	err = takeColleague(c.Tx, o.Num, m.ID, d.CopyFrom, &choice)
	if errors.Is(err, ErrNoMember) {
		choice, err = Choice{}, nil
	}
	if err != nil {
		return err
	}
	if err := keepChoice(c.Tx, o.Num, m.Ordinal, choice); err != nil {
		return err
	}
	return dropDraft(c.Tx, author)
}
