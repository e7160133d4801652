package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/host"
	"mandate/internal/host/hostsim"
	"mandate/internal/identity"
	"mandate/internal/importer"
	"mandate/internal/moneymovement/ach"
	"mandate/internal/moneymovement/stoppayment"
	"mandate/internal/moneymovement/transfer"
	"mandate/internal/usermgmt"
)

// A past is what the cast of one organization did before anybody looked: real
// verbs with real sign-ins and high-risk authorizations, at times that the
// clock is set back to, so that history, mail and links are as they would be.
type past struct {
	*builder
	ctx          context.Context
	institution  bank.InstitutionID
	document     []byte // institution.json
	dir          string // for more files
	organization organization
	keys         usermgmt.Keys
	people       map[string]bank.UserID // by the key of the cast, and those who came later
	batches      map[string]ach.BatchID // by name
	devices      map[string]identity.Secret
	names        map[string]string // of what is asked for twice
}

// An occasion is something that happened so long ago.
type occasion struct {
	ago time.Duration
	do  func() error
}

const day = 24 * time.Hour

// began is when the bank's data came in, before everything else.
const began = 30 * day

// past makes what there was before now, where the organization has a past.
func (b *builder) past(ctx context.Context, institution bank.InstitutionID, document []byte, dir string, o organization) error {
	if o.past == nil {
		return nil
	}
	p := &past{builder: b, ctx: ctx, institution: institution, document: document, dir: dir, organization: o,
		people: map[string]bank.UserID{}, batches: map[string]ach.BatchID{}, devices: map[string]identity.Secret{}}
	err := b.app.DB.Read(ctx, func(tx *db.Tx) (err error) {
		p.keys, err = usermgmt.KeysOf(tx, institution, o.key)
		return err
	})
	if err != nil {
		return err
	}
	for key, id := range p.keys.Members {
		p.people[strings.TrimPrefix(key, o.key+"-")] = id
	}
	return p.live(append(o.past(p), p.achPast()...))
}

// live lets everything happen in the order of time, does before and after each
// occasion what the product does by itself, delivers its mail and tells of what
// has expired since the one before.
func (p *past) live(occasions []occasion) error {
	slices.SortStableFunc(occasions, func(a, b occasion) int { return cmp.Compare(b.ago, a.ago) })
	for _, o := range occasions {
		p.clock.setBack(o.ago)
		if err := errors.Join(p.app.Identity.Expire(p.ctx), p.hours(), o.do(), p.hours(), p.app.DeliverMail(p.ctx)); err != nil {
			return fmt.Errorf("%v ago: %w", o.ago, err)
		}
	}
	return nil
}

func (p *past) who(key string) usermgmt.Person {
	return usermgmt.Person{Organization: p.keys.Organization, User: p.people[key]}
}

// someone signs in as one of the cast does, in the browser that they always use.
func (p *past) someone(username string) (bank.Caller, identity.Secret, error) {
	password := p.passwordOf(username)
	granted, err := p.app.Identity.SignIn(p.ctx, identity.Attempt{
		Institution: p.institution, Kind: identity.KindMember, Username: username, Password: password, From: p.from(username),
	})
	if err != nil {
		return bank.Caller{}, "", fmt.Errorf("sign in as %s: %w", username, err)
	}
	p.devices[username] = granted.DeviceToken
	return granted.Session.Caller, password, nil
}

func (p *past) passwordOf(username string) identity.Secret {
	for _, s := range p.world.SignIns {
		if s.Username == username && s.Institution == string(p.institution) {
			return identity.Secret(s.Password)
		}
	}
	return ""
}

// from is where somebody sits: an address of the documentation's network.
func (p *past) from(username string) identity.Source {
	devices := []string{"Chrome on Windows", "Safari on macOS", "Firefox on Windows", "Edge on Windows"}
	return identity.Source{
		Channel: bank.ChannelOnline, IP: fmt.Sprintf("203.0.113.%d", 10+len(username)*7%200),
		Device: devices[len(username)%len(devices)], DeviceToken: p.devices[username],
	}
}

// as lets somebody do something, with a high-risk authorization where one is
// asked for.
func (p *past) as(username string, do func(bank.Caller) error) error {
	caller, password, err := p.someone(username)
	if err != nil {
		return err
	}
	err = do(caller)
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind != fault.StepUp {
		return err
	}
	asked, ok := errors.AsType[*guard.StepUp](err)
	if !ok {
		return err
	}
	challenge := identity.Challenge{Action: asked.Action, Target: asked.Target, Content: asked.Content}
	if err := p.app.Identity.Prove(p.ctx, caller, challenge, identity.Answer{Password: password}); err != nil {
		return err
	}
	return do(caller)
}

// refused lets somebody try what they may not do.
func (p *past) refused(username string, do func(bank.Caller) error) error {
	if err := p.as(username, do); fault.KindOf(err) != fault.Forbidden {
		return fmt.Errorf("%s was not refused: %w", username, err)
	}
	return nil
}

// wrongPasswords locks somebody.
func (p *past) wrongPasswords(username string) error {
	for range 3 {
		_, err := p.app.Identity.SignIn(p.ctx, identity.Attempt{
			Institution: p.institution, Kind: identity.KindMember, Username: username, Password: "not the password", From: p.from(username),
		})
		if !errors.Is(err, identity.ErrSignIn) {
			return fmt.Errorf("a wrong password: %w", err)
		}
	}
	return nil
}

// create makes somebody new.
func (p *past) create(key, first, last, email string, role bank.Role) func(bank.Caller) error {
	return func(by bank.Caller) error {
		created, err := p.app.Users.Create(p.ctx, by, p.keys.Organization, usermgmt.Details{FirstName: first, LastName: last, Email: email, Role: role})
		p.people[key] = created.User
		return err
	}
}

// invite enables the first account, where one is named, and sends a link.
func (p *past) invite(key, account string) func(bank.Caller) error {
	return func(by bank.Caller) error {
		if account != "" {
			edit := usermgmt.Edit{Person: p.who(key), Version: -1, Changes: []entitlement.Change{{
				Account: p.account(account), Set: map[string]entitlement.Value{catalog.AccountAccess.ID(): entitlement.SwitchTo(true)},
			}}}
			if err := p.app.Users.EnableAccounts(p.ctx, by, edit); err != nil {
				return err
			}
		}
		return p.app.Users.Invite(p.ctx, by, p.who(key))
	}
}

// join finishes an invitation by the link in the mail.
func (p *past) join(key, email, username, name, does string) error {
	letters := p.app.Mailbox.Messages(email)
	if len(letters) == 0 || len(letters[0].Links) == 0 {
		return fmt.Errorf("%s has got no invitation", email)
	}
	link := letters[0].Links[0]
	from := p.from(username)
	browser, _, err := p.app.Identity.Redeem(p.ctx, p.institution, identity.PurposeInvitation, identity.Secret(link[strings.LastIndex(link, "/")+1:]), from)
	if err != nil {
		return err
	}
	password := newPassword()
	if err := p.app.Identity.Enrol(p.ctx, p.institution, browser, username, identity.Secret(password), from); err != nil {
		return err
	}
	p.remember(p.institution, p.organization, person{first: name, username: username, role: "user", does: does}, p.people[key], password)
	return nil
}

// set changes permissions of somebody at user level.
func (p *past) set(key string, set map[string]entitlement.Value) func(bank.Caller) error {
	return func(by bank.Caller) error {
		_, err := p.app.Users.SavePermissions(p.ctx, by, usermgmt.Edit{Person: p.who(key), Version: -1, Changes: []entitlement.Change{{Set: set}}})
		return err
	}
}

// transfer asks for a transfer between two accounts in so many days.
func (p *past) transfer(from, to string, cents bank.Cents, memo string, days int, repeat transfer.Frequency) func(bank.Caller) error {
	draft := transfer.Draft{ // made once: asked for again with its proof, it is the same
		ID: transfer.NewID(p.clock.Now()), From: p.account(from), To: p.account(to), Cents: cents, Memo: memo,
		On: bank.DayOf(p.clock.Now().AddDate(0, 0, days), time.UTC), Repeat: repeat,
	}
	return func(by bank.Caller) error {
		_, err := p.app.Transfers.Create(p.ctx, by, draft)
		return err
	}
}

// stop places a stop payment on a check.
func (p *past) stop(account string, check int64, cents bank.Cents, payee string) func(bank.Caller) error {
	id := stoppayment.NewID(p.clock.Now())
	return func(by bank.Caller) error {
		seen, err := p.app.Stops.Options(p.ctx, by)
		if err != nil {
			return err
		}
		return p.app.Stops.Add(p.ctx, by, stoppayment.Draft{ID: id, Account: p.account(account), First: check, Cents: cents, Payee: payee, Terms: seen.Terms.Seen()})
	}
}

func (p *past) account(key string) bank.AccountID {
	return p.keys.Accounts[p.organization.key+"-"+key]
}

// disabledAtHost is somebody whom the bank's staff disable in BackOffice, and
// who is disabled here by what the host tells of that.
func (p *past) disabledAtHost(name string) error {
	ref := host.Ref(p.organization.key + "-" + name)
	u, err := p.app.Bank.User(p.ctx, p.institution, ref)
	if err != nil {
		return err
	}
	by := hostsim.By{Channel: host.BackOffice, Name: "Kim Alvarez"}
	if _, err := p.app.Bank.SetStatus(p.ctx, p.institution, by, ref, u.Version, bank.StatusDisabled); err != nil {
		return err
	}
	return p.app.HostSync.Sync(p.ctx, p.institution)
}

// newAccount is an account that the bank's data brings later.
func (p *past) newAccount(a account) error {
	o := p.organization
	o.accounts, o.people = []account{a}, nil
	dir := filepath.Join(p.dir, a.key)
	if err := writeCast(dir, p.document, []organization{o}); err != nil {
		return err
	}
	if err := importer.Command(p.ctx, io.Discard, false, p.app.DB, p.app.Guard, dir, importer.Options{Actor: "Nightly import"}); err != nil {
		return err
	}
	opened := usermgmt.Account{ExternalID: o.key + "-" + a.key, Name: a.name, Number: a.number, Kind: a.kind}
	return p.app.Bank.Open(p.ctx, opening(p.institution, usermgmt.PlacedAccount{OrganizationRef: o.key, Account: opened}))
}
