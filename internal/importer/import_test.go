package importer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/generate"
	"mandate/internal/guard"
	"mandate/internal/importer"
	"mandate/internal/usermgmt"
)

func TestImportStoresWhatTheFilesSay(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		out := w.load(folder(t, small()), importer.Options{})
		if strings.Contains(out, "Problems") || strings.Contains(out, "Warnings") {
			t.Errorf("the report names findings:\n%s", out)
		}
		o := w.organization("marlowick", "1001")
		if got, want := fmt.Sprint(o.Name, "|", o.Address, "|", o.Phone, "|", o.Email), "Larkmere Roofing, LLC|12 Mill St, Barrow Falls, MN|(507) 555-0112|office@larkmere.example.com"; got != want {
			t.Errorf("details = %s, want %s", got, want)
		}
		if got, want := o.Policy.Organization.Entitlements, entitlements("ach", "transfers", "wires", "user_management"); got != want {
			t.Errorf("entitlements = %v, want %v", catalog.EntitlementsIn(got), catalog.EntitlementsIn(want))
		}
		if got, set := o.Ceilings.Get(catalog.LimitWiresDaily); !set || got != 100_000_00 {
			t.Errorf("ceiling = %v, %t; want 100000.00", got, set)
		}
		if got := o.Accounts["a1"].Number + o.Accounts["a2"].Number; got != "45674821" {
			t.Errorf("numbers = %s, want the last four digits of each: 45674821", got)
		}
		dana := o.Members["m2"]
		if dana.Name() != "Dana Cole" || dana.Username != "dcole" || dana.Role != bank.RoleUser || dana.Status != bank.StatusActive {
			t.Errorf("Dana = %+v", dana.Member)
		}
		if got, _ := dana.Settings.Limits.Get(catalog.LimitACHDaily); got != 1000_50 || dana.Settings.EditLevel != catalog.EditPartial {
			t.Errorf("Dana's settings = %+v, want 1000.50 and partial", dana.Settings)
		}
		if got, set := dana.Accounts["a1"].Limits.Get(catalog.LimitPerWire); !set || got != 5000_00 {
			t.Errorf("Dana's wire limit on a1 = %v, %t; want 5000.00", got, set)
		}
		if _, has := dana.Accounts["a2"]; has {
			t.Error("Dana has something on a2, which no row names")
		}
		if got := w.organization("marlowick", "1002").Members["m1"].LastName; got != `O'Neill "Joe"` {
			t.Errorf("last name = %s", got)
		}
		for name, want := range map[string]int{"institution.created": 1, "org.created": 2, "orguser.created": 3, "": 6} {
			if got := w.events(name); got != want {
				t.Errorf("%d events %q, want %d", got, name, want)
			}
		}
		w.verify()
	})
}

func entitlements(ids ...string) (s catalog.EntitlementSet) {
	for _, id := range ids {
		e, ok := catalog.ParseEntitlement(id)
		if !ok {
			panic(id)
		}
		s = s.With(e)
	}
	return s
}

// What was imported decides as it should, down to the cent.
func TestImportedRightsDecide(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.load(folder(t, small()), importer.Options{})
	o := w.organization("marlowick", "1001")
	for _, c := range []struct {
		member, account, amount string
		allowed                 bool
	}{
		{"m1", "a2", "25000.00", true},
		{"m1", "a2", "25000.01", false},
		{"m2", "a1", "5000.00", true},
		{"m2", "a1", "5000.01", false},
		{"m2", "a2", "1.00", false},
	} {
		got := entitlement.Decide(o.Policy, entitlement.Request{
			Member: o.Members[c.member].ID, Operation: catalog.WiresTransmitOperation, Account: o.Accounts[c.account].ID,
			Amount: entitlement.ReadAmount(c.amount), Now: dbtest.Start,
		})
		if got.Allowed != c.allowed {
			t.Errorf("%s transmits %s from %s: %t %v, want %t", c.member, c.amount, c.account, got.Allowed, got.Reasons, c.allowed)
		}
	}
}

func TestSecondImportChangesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		dir := generated(t, generate.Options{Seed: 7, Organizations: 8, Members: 6, Accounts: 5})
		w.load(dir, importer.Options{})
		events, revision := w.events(""), w.revisions()
		out := w.load(dir, importer.Options{})
		if !strings.Contains(out, "nothing was changed") {
			t.Errorf("the second report:\n%s", out)
		}
		if got := w.events(""); got != events {
			t.Errorf("%d events after the second import, want %d", got, events)
		}
		if got := w.revisions(); got != revision {
			t.Errorf("revisions add up to %d after the second import, want %d", got, revision)
		}
	})
}

func (w *world) revisions() (n int) {
	w.t.Helper()
	w.read(func(tx *db.Tx) error { return tx.QueryRow(`select sum(revision) from stream`).Scan(&n) })
	return n
}

// CSV and JSON Lines of the same seed, and both databases, hold the same.
func TestFormatsAndDatabasesAgree(t *testing.T) {
	for _, edition := range []bank.Edition{bank.EditionBank, bank.EditionCreditUnion} {
		t.Run(edition.String(), func(t *testing.T) {
			o := generate.Options{Seed: 3, Organizations: 5, Members: 5, Accounts: 4, Edition: edition, ID: "tannery-row"}
			lines := o
			lines.JSONLines = true
			var all []map[string]plainOrganization
			worlds := []*world{newWorld(t, dbtest.SQLite(t)), newWorld(t, dbtest.SQLite(t))}
			t.Run("PostgreSQL", func(t *testing.T) { // skipped where there is none
				w := newWorld(t, dbtest.PostgreSQL(t))
				w.load(generated(t, o), importer.Options{})
				all = append(all, w.plain("tannery-row", o.Organizations))
			})
			worlds[0].load(generated(t, o), importer.Options{})
			worlds[1].load(generated(t, lines), importer.Options{})
			for _, w := range worlds {
				all = append(all, w.plain("tannery-row", o.Organizations))
			}
			for i := 1; i < len(all); i++ {
				if !reflect.DeepEqual(all[0], all[i]) {
					t.Errorf("%d differs from the first", i)
				}
			}
		})
	}
}

// plain reads all generated organizations without what is made up anew at each
// import.
func (w *world) plain(institution bank.InstitutionID, n int) map[string]plainOrganization {
	all := map[string]plainOrganization{}
	for i := range n {
		key := fmt.Sprint(100001 + i)
		o := w.organization(institution, key)
		o.ID, o.Num, o.Policy = "", 0, nil
		for id, a := range o.Accounts {
			a.ID = ""
			o.Accounts[id] = a
		}
		for id, m := range o.Members {
			m.ID = ""
			o.Members[id] = m
		}
		all[key] = o
	}
	return all
}

func TestChangesAreFoundStoredAndRecorded(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		dir := folder(t, small())
		w.load(dir, importer.Options{})
		before := w.organization("marlowick", "1001")
		edit(t, dir, "members.csv", "m2,Dana,Cole,dana@larkmere.example.com,dcole,user", "m2,Dana,Cole-Reyes,dana@larkmere.example.com,dcole,viewer")
		edit(t, dir, "member_accounts.csv", "1001,m1,a1,true,true,true,", "1001,m1,a1,true,true,false,")
		edit(t, dir, "member_accounts.csv", "1001,m1,a2,true,true,true,", "1001,m1,a2,true,true,false,")
		edit(t, dir, "accounts.csv", "1001,a2,Payroll", "1001,a2,Salaries")
		edit(t, dir, "organizations.csv", "true,true,true,true,100000.00", "true,true,true,true,50000.00")

		dry := w.load(dir, importer.Options{DryRun: true, Objects: true})
		for _, want := range []string{"role: user -> viewer", "wires.transmit on a1, a2: true -> false", "ceiling.wires.daily_limit: 100000.00 -> 50000.00", "account.name on a2: Payroll -> Salaries", "A dry run: nothing was stored. An import would store 1 organization."} {
			if !strings.Contains(dry, want) {
				t.Errorf("the dry run does not say %q:\n%s", want, dry)
			}
		}
		if got := w.organization("marlowick", "1001"); !reflect.DeepEqual(got, before) {
			t.Error("the dry run changed something")
		}

		w.load(dir, importer.Options{})
		after := w.organization("marlowick", "1001")
		if got := after.Members["m2"]; got.LastName != "Cole-Reyes" || got.Role != bank.RoleViewer || got.ID != before.Members["m2"].ID {
			t.Errorf("Dana = %+v", got.Member)
		}
		if after.Members["m1"].Accounts["a2"].On.Has(catalog.WiresTransmit) || !after.Members["m1"].Accounts["a2"].On.Has(catalog.WiresWork) {
			t.Errorf("Ana on a2 = %v", after.Members["m1"].Accounts["a2"].On)
		}
		if after.Members["m1"].Version <= before.Members["m1"].Version {
			t.Error("Ana's version did not rise, so an editor would not see the change")
		}
		for name, want := range map[string]int{"org.entitlement_changed": 1, "orguser.role_changed": 1, "orguser.permission_changed": 1, "orguser.profile_changed": 0} {
			if got := w.events(name); got != want {
				t.Errorf("%d events %s, want %d", got, name, want)
			}
		}
		w.verify()
	})
}

// What the files leave out stays, whole things and columns alike.
func TestWhatIsNotMentionedStays(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	dir := folder(t, small())
	w.load(dir, importer.Options{})
	before := w.organization("marlowick", "1001")
	write(t, dir, "organizations.csv", "organization,name\n1001,\"Larkmere Roofing, LLC\"\n")
	write(t, dir, "accounts.csv", "organization,account,name\n1001,a1,Operating\n")
	write(t, dir, "members.csv", "organization,member,first_name,last_name\n1001,m2,Dana,Cole\n")
	write(t, dir, "member_accounts.csv", "organization,member,account,account.access\n1001,m2,a1,true\n")
	out := w.load(dir, importer.Options{})
	if got := w.organization("marlowick", "1001"); !reflect.DeepEqual(got, before) {
		t.Errorf("something changed:\n%+v\n%+v", got, before)
	}
	for _, line := range []string{"organizations                  0             0             1             1", "accounts                       0             0             1             1",
		"members                        0             0             1             1", "member accounts                0             0             1             2"} {
		if !strings.Contains(out, line) {
			t.Errorf("the report lacks %q:\n%s", line, out)
		}
	}
}

// An account that comes later is told of by itself, once, and opens to nobody.
func TestAccountThatComesLater(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		var seen []activity.Event
		w.guard.Watch(func(_ *guard.Change, events []activity.Event) error {
			seen = append(seen, events...)
			return nil
		})
		dir := folder(t, small())
		w.load(dir, importer.Options{})
		if got := w.events("org.account_added"); got != 0 {
			t.Errorf("%d events for accounts that came with their organization", got)
		}
		edit(t, dir, "accounts.csv", "1001,a2,Payroll", "1001,a3,Tax reserve,4433,savings\n1001,a2,Payroll")
		before := w.rows("member_account")
		seen = nil
		w.load(dir, importer.Options{})
		w.load(dir, importer.Options{})
		if len(seen) != 1 || seen[0].Name != "org.account_added" || seen[0].Target.Kind != activity.TargetAccount || seen[0].Target.Name != "Tax reserve ••4433" || len(seen[0].Changes) != 1 {
			t.Errorf("the events are %+v", seen)
		}
		if got := w.rows("member_account"); got != before {
			t.Errorf("%d member accounts, before %d", got, before)
		}
		w.verify()
	})
}

// A blank role or status is not given; a blank detail or permission is.
func TestBlanks(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	dir := folder(t, small())
	edit(t, dir, "members.csv", "dcole,user", "dcole,viewer")
	w.load(dir, importer.Options{})
	edit(t, dir, "members.csv", "m2,Dana,Cole,dana@larkmere.example.com,dcole,viewer,active,false,false,true,true,1000.5,partial", "m2,Dana,Cole,,,,,,,,,,")
	edit(t, dir, "members.csv", "1002,m1", "1002,m2,Eve,,,,,,,,,,,,,,,,\n1002,m1")
	w.load(dir, importer.Options{})
	dana := w.organization("marlowick", "1001").Members["m2"]
	if dana.Role != bank.RoleViewer || dana.Status != bank.StatusActive || dana.Username != "dcole" {
		t.Errorf("Dana lost what a blank does not take: %+v", dana.Member)
	}
	if limit, _ := dana.Settings.Limits.Get(catalog.LimitACHDaily); dana.Email != "" || dana.Settings.On.Has(catalog.ACHView) || limit != 0 || dana.Settings.EditLevel != catalog.EditNone {
		t.Errorf("Dana kept what a blank takes: %+v", dana.Member)
	}
	if eve := w.organization("marlowick", "1002").Members["m2"]; eve.Role != bank.RoleUser || eve.Status != bank.StatusPending {
		t.Errorf("Eve is new and is %s, %s; want user, pending", eve.Role, eve.Status)
	}
}

func TestEmailsCanBeExchanged(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		dir := folder(t, small())
		w.load(dir, importer.Options{})
		edit(t, dir, "members.csv", "ana@larkmere", "DANA@larkmere")
		edit(t, dir, "members.csv", "dana@larkmere", "ana@larkmere")
		w.load(dir, importer.Options{})
		if o := w.organization("marlowick", "1001"); o.Members["m1"].Email != "DANA@larkmere.example.com" || o.Members["m2"].Email != "ana@larkmere.example.com" {
			t.Errorf("emails = %s, %s", o.Members["m1"].Email, o.Members["m2"].Email)
		}
	})
}

// A callingClock stands still and tells of every transaction that begins.
type callingClock struct {
	calls int
	call  func(n int)
}

func (c *callingClock) Now() time.Time {
	c.calls++
	if c.call != nil {
		c.call(c.calls)
	}
	return dbtest.Start
}

// An import stopped between organizations has whole ones and none of the
// others; the next one does the rest.
func TestInterruptedImportResumes(t *testing.T) {
	clock := &callingClock{}
	dbtest.EachWith(t, dbtest.Options{Clock: clock}, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		dir := generated(t, generate.Options{Seed: 5, Organizations: 12, Members: 5, Accounts: 4})
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		clock.calls, clock.call = 0, nil
		w.load(dir, importer.Options{DryRun: true})
		sixth := clock.calls + 1 + 6 // the check's transactions, the institution's, six organizations'
		clock.calls, clock.call = 0, func(n int) {
			if n == sixth {
				cancel()
			}
		}
		err := importer.Command(ctx, io.Discard, false, w.db, w.guard, dir, importer.Options{})
		clock.call = nil
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("the stopped import: %v, want context.Canceled", err)
		}
		if got := w.rows("organization"); got != 5 {
			t.Fatalf("%d organizations after the stop, want 5", got)
		}
		out := w.load(dir, importer.Options{})
		if !strings.Contains(out, "Stored 7 organizations") {
			t.Errorf("the second report:\n%s", out)
		}
		other := newWorld(t, dbtest.SQLite(t))
		other.load(dir, importer.Options{})
		if !reflect.DeepEqual(w.plain("marlowick", 12), other.plain("marlowick", 12)) {
			t.Error("stopped and resumed is not the same as done at once")
		}
		w.verify()
	})
}

// An organization that fails in the middle leaves nothing of itself.
func TestOrganizationIsAllOrNothing(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	dir := folder(t, small())
	if err := w.db.Write(context.Background(), func(tx *db.Tx) error {
		_, err := tx.Exec(`create trigger refuse before insert on member_account when new.member_ordinal = 2 begin select raise(abort, 'refused by the test'); end`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.try(dir, importer.Options{}); err == nil || !strings.Contains(err.Error(), "1001") {
		t.Fatalf("the import: %v, want a failure that names 1001", err)
	}
	for _, table := range []string{"organization", "account", "member", "member_account"} {
		if got := w.rows(table); got != 0 {
			t.Errorf("%d rows of %s are left", got, table)
		}
	}
	if got := w.events(""); got != 1 {
		t.Errorf("%d events, want only the institution's", got)
	}
	w.verify()
}

// Somebody else's change between the check and the import is not overwritten
// blindly: the plan is made again under the lock.
func TestPlanIsMadeAgainUnderTheLock(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	dir := folder(t, small())
	w.load(dir, importer.Options{})
	o := w.organization("marlowick", "1001")
	in := &usermgmt.ImportedOrganization{Organization: usermgmt.Organization{ExternalID: "1001", Name: "Larkmere"}}
	caller := bank.Caller{Kind: bank.ActorOperator, Name: "Operator", Institution: "marlowick", Channel: bank.ChannelImport}
	_, err := usermgmt.ImportOrganization(context.Background(), w.guard, caller, in, o.ID, true)
	if err == nil || fault.KindOf(err) != fault.Conflict {
		t.Errorf("creating what is there: %v, want a conflict", err)
	}
	plan, err := usermgmt.ImportOrganization(context.Background(), w.guard, caller, in, o.ID, false)
	if err != nil || plan.Counts[usermgmt.ImportsOrganization][usermgmt.ImportChanged] != 1 {
		t.Errorf("changing what is there: %+v, %v", plan, err)
	}
}

// Nobody but the operator imports.
func TestOnlyTheOperatorImports(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.load(folder(t, small()), importer.Options{})
	o := w.organization("marlowick", "1001")
	in := &usermgmt.ImportedOrganization{Organization: usermgmt.Organization{ExternalID: "1001", Name: "Larkmere"}}
	for _, caller := range []bank.Caller{
		{Kind: bank.ActorMember, ID: string(o.Members["m1"].ID), Institution: "marlowick", Organization: o.ID},
		{Kind: bank.ActorStaff, ID: "stf_1", Institution: "marlowick"},
		{Kind: bank.ActorClient, ID: "cli_1", Institution: "marlowick"},
	} {
		_, err := usermgmt.ImportOrganization(context.Background(), w.guard, caller, in, o.ID, false)
		if fault.KindOf(err) != fault.Forbidden {
			t.Errorf("%s imports: %v, want forbidden", caller.Kind, err)
		}
		_, err = usermgmt.ImportOrganization(context.Background(), w.guard, caller, &usermgmt.ImportedOrganization{
			Organization: usermgmt.Organization{ExternalID: "9", Name: "New"}}, "org_new", true)
		if kind := fault.KindOf(err); kind != fault.Forbidden && kind != fault.NotFound {
			t.Errorf("%s creates: %v, want forbidden", caller.Kind, err)
		}
	}
}

// The history of a created member tells every right, one permission at a time
// once unpacked.
func TestHistoryTellsEveryRight(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	dir := generated(t, generate.Options{Seed: 11, Organizations: 3, Members: 6, Accounts: 6})
	w.load(dir, importer.Options{})
	for i := range 3 {
		o := w.organization("marlowick", fmt.Sprint(100001+i))
		for _, m := range o.Members {
			told := w.told(o.ID, m.ID)
			if want := o.Policy.Members[m.ID]; !reflect.DeepEqual(told.Accounts, withoutBlank(want.Accounts)) || told.Settings != want.Settings {
				t.Fatalf("%s/%s: history tells\n%+v\nwant\n%+v", o.ExternalID, m.ExternalID, told, want)
			}
		}
	}
}

func withoutBlank(m map[bank.AccountID]entitlement.Settings) map[bank.AccountID]entitlement.Settings {
	m = maps.Clone(m)
	maps.DeleteFunc(m, func(_ bank.AccountID, s entitlement.Settings) bool { return s == entitlement.Settings{} })
	return m
}

// told rebuilds a member from their history alone.
func (w *world) told(organization bank.OrganizationID, user bank.UserID) *entitlement.Member {
	m := &entitlement.Member{Accounts: map[bank.AccountID]entitlement.Settings{}}
	for _, e := range slices.Backward(w.feed(organization, string(user))) {
		for _, c := range usermgmt.Unpack(e.Changes) {
			p, ok := catalog.ParsePermission(c.Field)
			if !ok {
				continue
			}
			if len(c.Accounts) == 0 {
				m.Settings = set(m.Settings, p, c.New)
			}
			for _, a := range c.Accounts {
				m.Accounts[bank.AccountID(a)] = set(m.Accounts[bank.AccountID(a)], p, c.New)
			}
		}
	}
	return m
}

func set(s entitlement.Settings, p catalog.Permission, value string) entitlement.Settings {
	switch {
	case p == catalog.ACHEditLevel:
		s.EditLevel, _ = catalog.ParseEditLevel(value)
	case p.IsLimit() && value == "":
		s.Limits = s.Limits.Without(p.Limit())
	case p.IsLimit():
		amount, err := bank.ParseAmount(value)
		if err != nil {
			panic(err)
		}
		s.Limits = s.Limits.With(p.Limit(), amount)
	case value == "true":
		s.On = s.On.With(p)
	default:
		s.On = s.On.Without(p)
	}
	return s
}

// An institution is brought to what its file says, with an event of its own.
func TestInstitutionChanges(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	dir := folder(t, small())
	w.load(dir, importer.Options{})
	edit(t, dir, "institution.json", "Marlowick Bank & Trust", "Marlowick Bank")
	edit(t, dir, "institution.json", `"stops", `, "")
	if out := w.load(dir, importer.Options{}); !strings.Contains(out, "Stored the institution's changes.") {
		t.Errorf("the report:\n%s", out)
	}
	w.read(func(tx *db.Tx) error {
		i, _, err := usermgmt.FindInstitution(tx, "marlowick")
		if i.Name != "Marlowick Bank" || i.Offers != entitlements("ach", "transfers", "wires", "user_management") {
			t.Errorf("the institution is %+v", i)
		}
		return err
	})
	if got := w.events("institution.changed"); got != 1 {
		t.Errorf("%d events institution.changed, want 1", got)
	}
	w.verify()
}
