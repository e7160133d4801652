package importer_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/generate"
	"mandate/internal/guard"
	"mandate/internal/importer"
	"mandate/internal/usermgmt"
)

// A world is a database and the door to it.
type world struct {
	t     *testing.T
	db    *db.DB
	guard *guard.Guard
}

func newWorld(t *testing.T, d *db.DB) *world {
	return &world{t, d, guard.New(d, usermgmt.LoadPolicy, nil, nil)}
}

// try imports and returns the report and the error.
func (w *world) try(dir string, opts importer.Options) (string, error) {
	w.t.Helper()
	var out bytes.Buffer
	err := importer.Command(context.Background(), &out, false, w.db, w.guard, dir, opts)
	return out.String(), err
}

// load imports and insists that it works.
func (w *world) load(dir string, opts importer.Options) string {
	w.t.Helper()
	out, err := w.try(dir, opts)
	if err != nil {
		w.t.Fatalf("import %s: %v\n%s", dir, err, out)
	}
	return out
}

func (w *world) read(f func(tx *db.Tx) error) {
	w.t.Helper()
	if err := w.db.Read(context.Background(), f); err != nil {
		w.t.Fatal(err)
	}
}

// events counts the events of a name; all where the name is empty.
func (w *world) events(name string) (n int) {
	w.t.Helper()
	w.read(func(tx *db.Tx) error {
		return tx.QueryRow(`select count(*) from history_event where name = $1 or cast($1 as text) = ''`, name).Scan(&n)
	})
	return n
}

func (w *world) rows(table string) (n int) {
	w.t.Helper()
	w.read(func(tx *db.Tx) error { return tx.QueryRow(`select count(*) from ` + table).Scan(&n) })
	return n
}

// feed is what history has about somebody, newest first.
func (w *world) feed(organization bank.OrganizationID, target string) (events []activity.Event) {
	w.t.Helper()
	w.read(func(tx *db.Tx) (err error) {
		events, err = activity.Feed(tx, activity.Filter{Institution: "marlowick", Organization: organization, Target: target})
		return err
	})
	return events
}

// verify proves the history.
func (w *world) verify() {
	w.t.Helper()
	w.read(func(tx *db.Tx) error {
		v, err := activity.Verify(tx, "", nil)
		if err == nil && len(v.Broken) > 0 {
			w.t.Errorf("the history is broken: %v", v.Broken)
		}
		return err
	})
}

// A plainMember is a member with accounts named by their external ids.
type plainMember struct {
	usermgmt.Member
	Accounts map[string]entitlement.Settings
}

// A plainOrganization is all that an import can say of an organization, by
// external ids.
type plainOrganization struct {
	usermgmt.Organization
	Accounts map[string]usermgmt.Account
	Members  map[string]plainMember
	Policy   *entitlement.Policy
}

// organization reads what is stored under an external id, as deciding reads it.
func (w *world) organization(institution bank.InstitutionID, external string) plainOrganization {
	w.t.Helper()
	o := plainOrganization{Accounts: map[string]usermgmt.Account{}, Members: map[string]plainMember{}}
	w.read(func(tx *db.Tx) error {
		var id bank.OrganizationID
		err := tx.QueryRow(`select id from organization where institution_id = $1 and external_id = $2`, institution, external).Scan(&id)
		if err != nil {
			return err
		}
		if o.Organization, err = usermgmt.FindOrganization(tx, institution, id); err != nil {
			return err
		}
		if o.Policy, err = usermgmt.LoadPolicy(tx, institution, id, entitlement.Scope{AllMembers: true, AllAccounts: true}); err != nil {
			return err
		}
		accounts, err := db.All(tx, func(s db.Scanner) (a usermgmt.Account, err error) {
			err = s.Scan(&a.Ordinal, &a.ID, &a.ExternalID, &a.Name, &a.Number, &a.Kind, &a.Off)
			return a, err
		}, `select ordinal, id, external_id, name, number, kind, off from account where organization_num = $1`, o.Num)
		if err != nil {
			return err
		}
		externals := map[bank.AccountID]string{}
		for _, a := range accounts {
			o.Accounts[a.ExternalID], externals[a.ID] = a, a.ExternalID
		}
		members, err := db.All(tx, func(s db.Scanner) (m usermgmt.Member, err error) {
			err = s.Scan(&m.Ordinal, &m.ID, &m.ExternalID, &m.FirstName, &m.LastName, &m.Email, &m.Username, &m.Version)
			return m, err
		}, `select ordinal, id, external_id, first_name, last_name, email, username, version from member where organization_num = $1`, o.Num)
		for _, m := range members {
			judged := o.Policy.Members[m.ID]
			m.Role, m.Status, m.Held, m.Settings = judged.Role, judged.Status, judged.Held, judged.Settings
			plain := plainMember{m, map[string]entitlement.Settings{}}
			for id, settings := range judged.Accounts {
				plain.Accounts[externals[id]] = settings
			}
			o.Members[m.ExternalID] = plain
		}
		return err
	})
	return o
}

// generated writes a made-up institution and returns its folder.
func generated(t testing.TB, o generate.Options) string {
	t.Helper()
	dir := t.TempDir()
	if err := generate.Write(dir, o); err != nil {
		t.Fatal(err)
	}
	return dir
}

// folder writes files, given as name and text, and returns their folder.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		write(t, dir, name, text)
	}
	return dir
}

func write(t testing.TB, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// edit replaces text in a file; it must be there.
func edit(t testing.TB, dir, name, old, now string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("%s does not contain %q", name, old)
	}
	write(t, dir, name, strings.Replace(string(text), old, now, 1))
}

// small is a bank with two organizations, in which nothing is wrong.
func small() map[string]string {
	return map[string]string{
		"institution.json": `{
  "format": "import/1",
  "id": "marlowick",
  "name": "Marlowick Bank & Trust",
  "edition": "bank",
  "time_zone": "America/Chicago",
  "offers": ["ach", "stops", "transfers", "wires", "user_management"]
}
`,
		"organizations.csv": `organization,name,address,phone,email,ach.enabled,transfers.enabled,wires.enabled,user_management.enabled,wires.daily_limit
1001,"Larkmere Roofing, LLC","12 Mill St, Barrow Falls, MN",(507) 555-0112,office@larkmere.example.com,true,true,true,true,100000.00
1002,Quillhaven Pottery,,,,true,true,false,true,
`,
		"accounts.csv": `organization,account,name,number,kind
1001,a1,Operating,0001234567,checking
1001,a2,Payroll,****4821,checking
1002,a1,Operating,99 8877,checking
`,
		"members.csv": `organization,member,first_name,last_name,email,username,role,status,held,user_management.enabled,ach.enabled,ach.view,ach.daily_limit,ach.edit_level,wires.enabled,wires.work,wires.per_wire_limit,wires.daily_limit,wires.transmit
1001,m1,Ana,Ruiz,ana@larkmere.example.com,aruiz,admin,active,false,true,true,true,5000.00,full,true,true,25000,60000.00,true
1001,m2,Dana,Cole,dana@larkmere.example.com,dcole,user,active,false,false,true,true,1000.5,partial,true,true,10000,20000,true
1002,m1,José,"O'Neill ""Joe""",jose@quillhaven.example.com,joneill,admin,active,false,true,,,,,,,,,
`,
		"member_accounts.csv": `organization,member,account,account.access,wires.work,wires.transmit,wires.per_wire_limit
1001,m1,a1,true,true,true,
1001,m1,a2,true,true,true,
1001,m2,a1,true,true,true,5000.00
1002,m1,a1,true,false,false,
`,
	}
}
