package staff

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/identity"
)

// History events of directories.
const (
	EventDirectoryConnected    = "directory.connected"
	EventDirectoryDisconnected = "directory.disconnected"
)

// A Directory is an outside directory, such as the institution's own, that keeps
// staff users and who is in which group. It is a program with an API key. What
// it may do ends at its reach: whoever holds more, and every group that gives
// more, is protected from it.
type Directory struct {
	Client   bank.ClientID
	Name     string
	Home     bank.GroupID // the group of those who have no other
	HomeName string
	Reach    catalog.StaffSet
	Products bool // its reach has whatever products declare
	Created  time.Time

	Application bank.ApplicationID // whose tokens are taken for its key; empty: nobody's
}

// A DirectoryDraft is what somebody wants a directory to be.
type DirectoryDraft struct {
	Name        string
	Home        bank.GroupID
	Application bank.ApplicationID // that acts as it by OAuth; empty: it has its key alone
}

// reach is up to what it may act. Letting people sign in is what a directory is
// for, whatever was held by whoever connected it.
func (d *Directory) reach() holding {
	return holding{rights: d.Reach | catalog.StaffSignIns, anyProduct: d.Products}
}

// Keys give programs API keys, inside the change that records it.
type Keys interface {
	Issue(c *guard.Change, name string) (bank.ClientID, identity.Secret, error)
	Revoke(c *guard.Change, id bank.ClientID) error
}

// Provisioning is what directories do, and how staff connect them.
type Provisioning struct {
	*Service
	keys Keys
}

// NewProvisioning returns the room's side for directories.
func NewProvisioning(s *Service, keys Keys) *Provisioning { return &Provisioning{s, keys} }

// ofDirectories is the action of connecting or disconnecting one.
func ofDirectories(event, name string, id bank.ClientID) guard.Action {
	return acting(event, catalog.StaffExternalAppsManage, activity.Target{Kind: activity.TargetClient, ID: string(id), Name: name})
}

// Connect makes a directory and its key, which is shown once. Its reach is what
// the caller holds, without what administers the institution: a directory never
// makes or touches those who do. It needs a high-risk authorization.
func (p *Provisioning) Connect(ctx context.Context, caller bank.Caller, draft DirectoryDraft) (d Directory, key identity.Secret, err error) {
	name, home := strings.TrimSpace(draft.Name), draft.Home
	err = p.guard.Do(ctx, caller, ofDirectories(EventDirectoryConnected, name, ""), func(c *guard.Change) error {
		held, err := grantable(c.Tx, caller)
		if err != nil {
			return err
		}
		if held.everything {
			held.rights, held.anyProduct = catalog.EveryStaffPermission()|freely, true
		}
		d = Directory{Name: name, Home: home, Reach: held.rights & (catalog.EveryStaffPermission() | freely) &^ catalog.StaffProtected, Products: held.anyProduct, Created: c.Tx.Now, Application: draft.Application}
		if err := d.check(c.Tx, caller.Institution); err != nil {
			return err
		}
		if err := c.RequireProof(content([]string{name, string(home), string(draft.Application)})); err != nil {
			return err
		}
		if d.Client, key, err = p.keys.Issue(c, name); err != nil {
			return err
		}
		if err := insertDirectory(c.Tx, caller.Institution, d); err != nil {
			return err
		}
		c.RecordAs(EventDirectoryConnected, d.target(), "",
			activity.Change{Field: "name", New: d.Name}, activity.Change{Field: "home", New: d.HomeName}, activity.Change{Field: "reach", New: (d.Reach &^ freely).String()}, activity.Change{Field: "application", New: string(d.Application)})
		return nil
	})
	return d, key, err
}

func (d *Directory) target() activity.Target {
	return activity.Target{Kind: activity.TargetClient, ID: string(d.Client), Name: d.Name}
}

func (d *Directory) check(tx *db.Tx, institution bank.InstitutionID) error {
	var problems fault.Problems
	switch n := utf8.RuneCountInString(d.Name); {
	case d.Name == "":
		problems.Add("name", "Enter a name for the directory.")
	case n > maxGroupName:
		problems.Addf("name", "The name is %d characters long. The most is %d.", n, maxGroupName)
	case !bank.Printable(d.Name):
		problems.Add("name", "The name has signs that cannot be shown. Type it anew.")
	}
	home, err := findGroup(tx, institution, d.Home)
	switch {
	case errors.Is(err, ErrNoGroup):
		problems.Add("home", "Choose the group in which people begin.")
	case err != nil:
		return err
	default:
		beyond := home.holds().without(d.reach())
		labels, err := beyond.labels(tx, institution)
		if err != nil {
			return err
		}
		if !beyond.none() {
			problems.Addf("home", "%s gives rights that a directory may not give: %s. Choose a group without them.", home.Name, inWords(labels))
		}
	}
	d.HomeName = home.Name
	if len(d.Application) > maxExternal || !bank.Printable(string(d.Application)) {
		problems.Add("application", "Choose an application that acts as a service with the scope scim, or none.")
	}
	return problems.Err("The directory was not connected.")
}

// Disconnect ends a directory and its keys. The people it brought stay as they
// are, and so do their groups.
func (p *Provisioning) Disconnect(ctx context.Context, caller bank.Caller, id bank.ClientID) error {
	return p.guard.Do(ctx, caller, ofDirectories(EventDirectoryDisconnected, "", id), func(c *guard.Change) error {
		d, err := findDirectory(c.Tx, caller.Institution, id)
		if err != nil {
			return err
		}
		if err := c.RequireProof(nil); err != nil {
			return err
		}
		if err := p.keys.Revoke(c, id); err != nil {
			return err
		}
		if err := deleteDirectory(c.Tx, caller.Institution, id); err != nil {
			return err
		}
		c.RecordAs(EventDirectoryDisconnected, d.target(), "", activity.Change{Field: "name", Old: d.Name}, activity.Change{Field: "home", Old: d.HomeName})
		return nil
	})
}

// Directories lists the institution's directories by name.
func (p *Provisioning) Directories(ctx context.Context, caller bank.Caller) (all []Directory, err error) {
	err = p.guard.Look(ctx, caller, ofDirectories("", "", ""), func(v *guard.View) error {
		all, err = db.All(v.Tx, scanDirectory, selectDirectory+` where d.institution_id = $1 order by d.name, d.client_id`, caller.Institution)
		return err
	})
	return all, err
}

// Homes are the groups in which a directory's people may begin.
func (p *Provisioning) Homes(ctx context.Context, caller bank.Caller) (groups []Group, err error) {
	err = p.guard.Look(ctx, caller, ofDirectories("", "", ""), func(v *guard.View) error {
		groups, err = listGroups(v.Tx, caller.Institution)
		return err
	})
	return groups, err
}

// ErrNoDirectory says that the institution has no such directory.
var ErrNoDirectory = fault.New(fault.NotFound, "There is no such directory. It may have been disconnected.")

const selectDirectory = `
	select d.client_id, d.name, d.home_group_id, g.name, d.reach, d.freely, d.products, d.created_micros, d.application_id from staff_directory d
	  join staff_group g on g.institution_id = d.institution_id and g.id = d.home_group_id`

func scanDirectory(row db.Scanner) (d Directory, err error) {
	var reach string
	var created int64
	var alone bool
	err = row.Scan(&d.Client, &d.Name, &d.Home, &d.HomeName, &reach, &alone, &d.Products, &created, &d.Application)
	d.Reach, d.Created = parseSet(reach).Effective(), time.UnixMicro(created).UTC()
	if alone {
		d.Reach |= freely
	}
	return d, err
}

func findDirectory(tx *db.Tx, institution bank.InstitutionID, id bank.ClientID) (Directory, error) {
	d, err := db.One(tx, scanDirectory, selectDirectory+` where d.institution_id = $1 and d.client_id = $2`, institution, id)
	if errors.Is(err, db.ErrNoRows) {
		return d, ErrNoDirectory
	}
	if err != nil {
		return d, fmt.Errorf("read the directory: %w", err)
	}
	return d, nil
}

// DirectoryOf is the directory as which an external application acts.
func DirectoryOf(tx *db.Tx, institution bank.InstitutionID, id bank.ApplicationID) (Directory, error) {
	if id == "" {
		return Directory{}, ErrNoDirectory
	}
	d, err := db.One(tx, scanDirectory, selectDirectory+` where d.institution_id = $1 and d.application_id = $2`, institution, id)
	if errors.Is(err, db.ErrNoRows) {
		return d, ErrNoDirectory
	}
	if err != nil {
		return d, fmt.Errorf("find the application's directory: %w", err)
	}
	return d, nil
}

func insertDirectory(tx *db.Tx, institution bank.InstitutionID, d Directory) error {
	_, err := tx.Exec(`
		insert into staff_directory (institution_id, client_id, name, home_group_id, reach, freely, products, created_micros, application_id) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		institution, d.Client, d.Name, d.Home, (d.Reach &^ freely).String(), d.Reach&freely != 0, d.Products, d.Created.UnixMicro(), d.Application)
	if db.IsUnique(err, "staff_directory_application") {
		return fault.New(fault.Conflict, "This application acts as another directory already. Choose another one, or none.").With("APPLICATION_TAKEN")
	}
	if err != nil {
		return fmt.Errorf("store the directory: %w", err)
	}
	return nil
}

func deleteDirectory(tx *db.Tx, institution bank.InstitutionID, id bank.ClientID) error {
	if _, err := tx.Exec(`delete from staff_external where institution_id = $1 and client_id = $2`, institution, id); err != nil {
		return fmt.Errorf("forget what the directory calls people: %w", err)
	}
	n, err := tx.Exec(`delete from staff_directory where institution_id = $1 and client_id = $2`, institution, id)
	return touchOne("remove the directory", n, err)
}

// homeOf is the name of a directory whose home a group is, empty for others.
func homeOf(tx *db.Tx, institution bank.InstitutionID, group bank.GroupID) (string, error) {
	name, err := db.One(tx, func(row db.Scanner) (name string, err error) { return name, row.Scan(&name) },
		`select name from staff_directory where institution_id = $1 and home_group_id = $2 order by name limit 1`, institution, group)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return "", fmt.Errorf("look whose home the group is: %w", err)
	}
	return name, nil
}

// directoryOf is the directory that calls. Other programs are refused.
func directoryOf(tx *db.Tx, caller bank.Caller) (Directory, error) {
	d, err := findDirectory(tx, caller.Institution, bank.ClientID(caller.ID))
	if caller.Kind != bank.ActorClient || errors.Is(err, ErrNoDirectory) {
		return Directory{}, fault.New(fault.Forbidden, "This program is not a directory of the institution. Connect it in Users & Groups.").With("NOT_A_DIRECTORY")
	}
	return d, err
}

// do makes a change that only directories make.
func (p *Provisioning) do(ctx context.Context, caller bank.Caller, event string, target activity.Target, apply func(*guard.Change, Directory) error) error {
	action := guard.Action{Event: event, Target: target, Others: []bank.ActorKind{bank.ActorClient}}
	return p.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		d, err := directoryOf(c.Tx, caller)
		if err != nil {
			return err
		}
		return apply(c, d)
	})
}

// Recognize refuses every caller but a directory of the institution.
func (p *Provisioning) Recognize(ctx context.Context, caller bank.Caller) error {
	return p.look(ctx, caller, activity.Target{}, func(*db.Tx, Directory) error { return nil })
}

// look reads what only directories read.
func (p *Provisioning) look(ctx context.Context, caller bank.Caller, target activity.Target, read func(*db.Tx, Directory) error) error {
	action := guard.Action{Event: "staff.viewed", Target: target, Others: []bank.ActorKind{bank.ActorClient}}
	return p.guard.Look(ctx, caller, action, func(v *guard.View) error {
		d, err := directoryOf(v.Tx, caller)
		if err != nil {
			return err
		}
		return read(v.Tx, d)
	})
}

// Kinds of what a directory has names of its own for.
const (
	externalUser  = "user"
	externalGroup = "group"
)

// externals are a directory's own names for users or groups; one of them where
// an id is given.
func externals(tx *db.Tx, d Directory, institution bank.InstitutionID, kind, id string) (map[string]string, error) {
	names := map[string]string{}
	_, err := db.All(tx, func(row db.Scanner) (local string, err error) {
		var external string
		err = row.Scan(&local, &external)
		names[local] = external
		return local, err
	}, `
		select local_id, external_id from staff_external
		 where institution_id = $1 and client_id = $2 and kind = $3 and (cast($4 as text) = '' or local_id = $4)`, institution, d.Client, kind, id)
	if err != nil {
		return nil, fmt.Errorf("read the directory's own names: %w", err)
	}
	return names, nil
}

// byExternal is the id of what a directory calls by a name, empty where there is
// none.
func byExternal(tx *db.Tx, d Directory, institution bank.InstitutionID, kind, external string) (string, error) {
	id, err := db.One(tx, func(row db.Scanner) (id string, err error) { return id, row.Scan(&id) }, `
		select local_id from staff_external where institution_id = $1 and client_id = $2 and kind = $3 and external_id = $4
		 order by local_id limit 1`, institution, d.Client, kind, external)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return "", fmt.Errorf("look for a directory's own name: %w", err)
	}
	return id, nil
}

func storeExternal(tx *db.Tx, d Directory, institution bank.InstitutionID, kind, id, external string) error {
	_, err := tx.Exec(`
		insert into staff_external (institution_id, client_id, kind, local_id, external_id) values ($1, $2, $3, $4, $5)
		on conflict (institution_id, client_id, kind, local_id) do update set external_id = excluded.external_id`, institution, d.Client, kind, id, external)
	if err != nil {
		return fmt.Errorf("store the directory's own name: %w", err)
	}
	return nil
}

// forgetExternals drops every directory's name for what is deleted.
func forgetExternals(tx *db.Tx, institution bank.InstitutionID, id string) error {
	if _, err := tx.Exec(`delete from staff_external where institution_id = $1 and local_id = $2`, institution, id); err != nil {
		return fmt.Errorf("forget the directories' own names: %w", err)
	}
	return nil
}
