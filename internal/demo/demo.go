// Package demo makes the made-up world: two institutions from the generator and
// a hand-made cast, with sign-ins whose passwords are made at random at the
// first start. No other part of the program knows any of it.
package demo

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"mandate/internal/app"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/client"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/generate"
	"mandate/internal/identity"
	"mandate/internal/importer"
	"mandate/internal/usermgmt"
	"mandate/internal/web/office"
	"mandate/internal/web/online"
)

// FileName is where the data folder keeps what the demo made up.
const FileName = "demo.json"

// A World is everything that somebody needs to try the demo.
type World struct {
	Unfinished   bool              `json:"unfinished,omitempty"` // it is still being made
	Addresses    map[string]string `json:"addresses"`
	SignIns      []SignIn          `json:"sign_ins"`
	Clients      []Client          `json:"clients"`
	Products     []Product         `json:"products"`
	Institutions []Institution     `json:"institutions"`
}

// A SignIn is one person who can sign in.
type SignIn struct {
	Kind         string `json:"kind"` // member or staff
	Institution  string `json:"institution"`
	Organization string `json:"organization"`
	Member       string `json:"member"`
	Name         string `json:"name"`
	Role         string `json:"role"`
	Does         string `json:"does"`
	Username     string `json:"username"`
	Password     string `json:"password"`
	TOTPSecret   string `json:"totp_secret,omitempty"`
	URL          string `json:"url"`
}

// A Client is one API client.
type Client struct {
	Institution string `json:"institution"`
	Name        string `json:"name"`
	ActsFor     bool   `json:"acts_for_people"` // it makes and approves payments in people's names; otherwise it asks
	ID          string `json:"id"`
	Key         string `json:"key"`
}

// An Institution lists the ids by which the cast can be asked about.
type Institution struct {
	ID       string            `json:"id"`
	Members  map[string]string `json:"members"`  // by username
	Accounts map[string]string `json:"accounts"` // by organization and account, as in "larkspur/operating"
}

// Open reads the world of the data folder, or makes it if there is none yet. It
// makes none where there is data that no demo made.
// The app's clock is the demo's, which is set back while the past is made.
func Open(ctx context.Context, a *app.App, clock *Clock, progress io.Writer) (*World, error) {
	w, err := read(a.Config.Data)
	switch {
	case err != nil:
		return nil, err
	case w != nil && w.Unfinished:
		return nil, errors.New("an earlier start did not get to its end; --fresh starts over")
	case w != nil:
		return w, nil
	}
	if err := refuseOthers(ctx, a); err != nil {
		return nil, err
	}
	b := &builder{app: a, clock: clock, progress: progress, world: &World{Unfinished: true, Addresses: addresses(a)}}
	if err := b.save(); err != nil {
		return nil, err
	}
	if err := b.build(ctx); err != nil {
		return nil, fmt.Errorf("make the demo's world: %w", err)
	}
	if err := comeIn(ctx, a, b.world); err != nil {
		return nil, fmt.Errorf("let something come in: %w", err)
	}
	b.world.Unfinished = false
	return b.world, b.save()
}

// Unfinished reports whether an earlier start was ended while it made its
// world. What there is of that world is of no use.
func Unfinished(data string) (bool, error) {
	w, err := read(data)
	return w != nil && w.Unfinished, err
}

// read reads what a folder's demo made up; nil: there is no demo in it.
func read(data string) (*World, error) {
	path := filepath.Join(data, FileName)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	w := &World{}
	if err := json.Unmarshal(text, w); err != nil {
		return nil, fmt.Errorf("%s is damaged; --fresh starts over: %w", path, err)
	}
	return w, nil
}

func refuseOthers(ctx context.Context, a *app.App) error {
	return a.DB.Read(ctx, func(tx *db.Tx) error {
		others, err := usermgmt.Institutions(tx)
		if err == nil && len(others) > 0 {
			err = fault.Newf(fault.Conflict, "This database holds data of %s, which no demo made. Name another folder or database for the demo.", others[0].Name)
		}
		return err
	})
}

func addresses(a *app.App) map[string]string {
	return map[string]string{
		"online": a.Config.PublicOrigin, "console": a.Config.ConsoleOrigin, "api": a.Config.APIOrigin,
		"backoffice": a.Config.OfficeOrigin, "operators": "http://" + a.Config.ListenMetrics, "faults": a.Config.PublicOrigin + online.FaultsPath, "mailbox": "http://" + a.ListenMailbox,
	}
}

type builder struct {
	app      *app.App
	clock    *Clock
	progress io.Writer
	world    *World
	support  bank.Caller // who helps customers at the institution that is being made
	office   office.Settings
}

func (b *builder) say(format string, args ...any) { fmt.Fprintf(b.progress, format+"\n", args...) }

func (b *builder) build(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "mandate-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	defer b.clock.setBack(0)
	for i, s := range []stage{bankStage, creditUnionStage} {
		if err := b.stage(ctx, filepath.Join(dir, fmt.Sprint(i)), s); err != nil {
			return err
		}
	}
	return b.saveOffice()
}

// stage makes one institution: the crowd from the generator, then the cast.
func (b *builder) stage(ctx context.Context, dir string, s stage) error {
	crowd := filepath.Join(dir, "crowd")
	options := generate.Options{Seed: s.seed, Edition: s.edition, Accent: s.accent, Organizations: 9, Members: 24, Accounts: 14}
	if err := generate.Write(crowd, options); err != nil {
		return err
	}
	document, err := os.ReadFile(filepath.Join(crowd, "institution.json"))
	if err != nil {
		return err
	}
	var institution struct {
		ID   bank.InstitutionID `json:"id"`
		Name string             `json:"name"`
	}
	if err := json.Unmarshal(document, &institution); err != nil {
		return err
	}
	b.say("making %s", institution.Name)
	cast := filepath.Join(dir, "cast")
	if err := writeCast(cast, document, s.organizations); err != nil {
		return err
	}
	folders := []string{crowd, cast}
	if s.edition == bank.EditionBank {
		large := filepath.Join(dir, "large")
		options.First, options.Organizations, options.Members, options.Accounts, options.Distribution = 9, 1, 420, 160, generate.Even
		if err := generate.Write(large, options); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(large, "institution.json"), document, 0o600); err != nil {
			return err
		}
		folders = append(folders, large)
	}
	b.clock.setBack(began)
	for _, folder := range folders {
		if err := importer.Command(ctx, io.Discard, false, b.app.DB, b.app.Guard, folder, importer.Options{Actor: "Demo"}); err != nil {
			return err
		}
	}
	if err := b.defaults(ctx, institution.ID); err != nil {
		return err
	}
	if err := b.books(ctx, institution.ID, institution.Name); err != nil {
		return err
	}
	if err := b.people(ctx, institution.ID, s); err != nil {
		return err
	}
	if err := b.users(ctx, institution.ID); err != nil {
		return fmt.Errorf("the core's users: %w", err)
	}
	if err := b.staffOf(ctx, institution.ID); err != nil {
		return fmt.Errorf("the staff: %w", err)
	}
	for _, o := range s.organizations {
		if err := b.past(ctx, institution.ID, document, dir, o); err != nil {
			return fmt.Errorf("the past of %s: %w", o.name, err)
		}
	}
	return b.asksForAgreement(ctx, s)
}

var (
	roles = []bank.Role{bank.RoleUser, bank.RoleViewer, bank.RoleAdmin}
	looks = catalog.SetOf(catalog.ACHEnabled, catalog.ACHView, catalog.StopsEnabled, catalog.StopsView, catalog.TransfersEnabled)
)

// defaults are what the institution gives to new people: enough to look.
func (b *builder) defaults(ctx context.Context, institution bank.InstitutionID) error {
	operator := bank.Caller{Kind: bank.ActorOperator, Name: "Demo", Institution: institution, Channel: bank.ChannelCommand}
	for _, role := range roles {
		if err := b.app.Users.ChangeDefaults(ctx, operator, role, entitlement.Settings{On: looks}); err != nil {
			return err
		}
	}
	return nil
}

// people gives the cast sign-ins, and the institution two API clients: one that
// asks, and one that acts for people.
func (b *builder) people(ctx context.Context, institution bank.InstitutionID, s stage) error {
	index := Institution{ID: string(institution), Members: map[string]string{}, Accounts: map[string]string{}}
	for _, o := range s.organizations {
		if err := b.organization(ctx, institution, o, &index); err != nil {
			return err
		}
	}
	b.world.Institutions = append(b.world.Institutions, index)
	operator := bank.Caller{Kind: bank.ActorOperator, Name: "Demo", Institution: institution, Channel: bank.ChannelCommand}
	for _, draft := range []client.Draft{
		{Name: "Payments hub"}, {Name: "Phone banking", Acts: true},
		{Name: "Payment gateway", Access: client.Access{Capabilities: client.Capabilities()}},
	} {
		made, key, err := b.app.Clients.Create(ctx, operator, draft)
		if err != nil {
			return err
		}
		b.world.Clients = append(b.world.Clients, Client{Institution: string(institution), Name: made.Name, ActsFor: made.Acts, ID: string(made.ID), Key: key.Reveal()})
	}
	return nil
}

func (b *builder) organization(ctx context.Context, institution bank.InstitutionID, o organization, index *Institution) error {
	var stored usermgmt.Keys
	err := b.app.DB.Read(ctx, func(tx *db.Tx) (err error) {
		stored, err = usermgmt.KeysOf(tx, institution, o.key)
		return err
	})
	if err != nil {
		return err
	}
	for _, a := range o.accounts {
		index.Accounts[o.key+"/"+a.key] = string(stored.Accounts[o.key+"-"+a.key])
	}
	for _, p := range o.people {
		if p.username == "" {
			continue
		}
		user := stored.Members[o.key+"-"+p.key]
		index.Members[p.username] = string(user)
		if err := b.signIn(ctx, institution, o, p, user); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) signIn(ctx context.Context, institution bank.InstitutionID, o organization, p person, user bank.UserID) error {
	password := newPassword()
	hash, err := b.app.Identity.Hash(ctx, identity.Secret(password))
	if err != nil {
		return err
	}
	err = b.app.DB.Write(ctx, func(tx *db.Tx) error {
		return b.app.Identity.PutCredential(tx, identity.Member(institution, user), p.username, hash)
	})
	if err != nil {
		return err
	}
	b.remember(institution, o, p, user, password)
	return nil
}

// remember keeps how somebody signs in, for whoever tries the demo.
func (b *builder) remember(institution bank.InstitutionID, o organization, p person, user bank.UserID, password string) {
	b.world.SignIns = append(b.world.SignIns, SignIn{
		Kind: "member", Institution: string(institution), Organization: o.name, Member: string(user), Name: strings.TrimSpace(p.first + " " + p.last), Role: p.role, Does: p.does,
		Username: p.username, Password: password, URL: b.app.Config.PublicOrigin + "/" + string(institution) + "/sign-in",
	})
}

// newPassword is a password that can be read aloud: twenty letters and digits
// that nobody mistakes for others, 98 bits.
func newPassword() string {
	const signs = "abcdefghijkmnpqrstuvwxyz23456789"
	var random [20]byte
	rand.Read(random[:])
	var b strings.Builder
	for i, r := range random {
		if i > 0 && i%5 == 0 {
			b.WriteByte('-')
		}
		b.WriteByte(signs[int(r)%len(signs)])
	}
	return b.String()
}

// save writes all of it or nothing: half a file would lose every sign-in.
func (b *builder) save() error {
	text, err := json.MarshalIndent(b.world, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(b.app.Config.Data, FileName)
	if err := os.WriteFile(path+".new", append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
