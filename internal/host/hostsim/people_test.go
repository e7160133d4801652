package hostsim_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
	"mandate/internal/host"
	"mandate/internal/host/hostsim"
	"mandate/internal/host/hosttest"
)

const cedar = hosttest.Institution

var (
	org   = host.Ref(hosttest.Organization)
	staff = hostsim.By{Channel: host.BackOffice, Name: "Kim at the bank"}
)

// eachBank is a bank with the suite's organization on every database.
func eachBank(t *testing.T, test func(t *testing.T, b *hostsim.Bank, clock *dbtest.Clock)) {
	dbtest.EachWith(t, dbtest.Options{Migrations: hostsim.Migrations()}, func(t *testing.T, d *db.DB) { test(t, books(t, d), dbtest.ClockOf(t, d)) })
}

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func dana() hostsim.NewUser {
	return hostsim.NewUser{Organization: org, FirstName: "Dana", LastName: "Diaz", Email: "dana@northwind.example", Accounts: map[host.Ref]map[string]string{"acc_operating": {"stops.view": "true"}}}
}

// told is what the bank tells, as words.
func told(t *testing.T, b *hostsim.Bank) (all []string) {
	t.Helper()
	mark := ""
	for {
		events, err := b.Events(t.Context(), cedar, mark, 3)
		if err != nil {
			t.Fatal(err)
		}
		if len(events) == 0 {
			return all
		}
		for _, e := range events {
			word := ""
			switch {
			case e.Announced != nil:
				word = "announced " + e.Announced.FirstName
			case e.User != nil:
				word = fmt.Sprint("user ", e.User.Version)
			case e.Organization != nil:
				word = fmt.Sprint("organization ", e.Organization.Version)
			case e.Defaults != nil:
				word = fmt.Sprint("defaults ", e.Defaults.Version)
			}
			all = append(all, fmt.Sprintf("%s %s %s%s", word, e.Channel, e.By, e.Order))
			mark = e.Mark
		}
	}
}

func TestStaffMakeAndChangeUsers(t *testing.T) {
	eachBank(t, func(t *testing.T, b *hostsim.Bank, _ *dbtest.Clock) {
		ctx, user := t.Context(), must[host.User](t)
		if err := b.SetDefaults(ctx, cedar, staff, bank.RoleUser, 0, map[string]string{"stops.enabled": "true", "ach.daily_limit": "100.00"}); err != nil {
			t.Fatal(err)
		}
		u := user(b.Create(ctx, cedar, staff, dana()))
		if u.Status != bank.StatusPending || u.Version != 1 || u.Permissions["stops.enabled"] != "true" || u.Ref == "" {
			t.Errorf("made: %+v", u)
		}
		defaults := must[[]host.Defaults](t)(b.Defaults(ctx, cedar))
		if differs := hostsim.Differs(&u, defaults[bank.RoleUser]); len(differs) > 0 || len(defaults) != 3 {
			t.Errorf("a new user differs from %+v in %q", defaults, differs)
		}
		u = user(b.Edit(ctx, cedar, staff, u.Ref, u.Version, hostsim.Edit{FirstName: "Dana", LastName: "Reyes", Email: u.Email, Role: bank.RoleAdmin}))
		u = user(b.SetStatus(ctx, cedar, staff, u.Ref, u.Version, bank.StatusActive))
		u = user(b.SetHeld(ctx, cedar, staff, u.Ref, u.Version, true))
		u = user(b.SetHeld(ctx, cedar, staff, u.Ref, u.Version, true)) // nothing changes
		u = user(b.SetRights(ctx, cedar, staff, u.Ref, u.Version, hostsim.Rights{Permissions: map[string]string{"stops.enabled": "false", "ach.daily_limit": "100"}}))
		if differs := hostsim.Differs(&u, defaults[bank.RoleUser]); !slices.Equal(differs, []string{"stops.enabled"}) {
			t.Errorf("changed, the user differs in %q", differs)
		}
		if found := must[[]host.User](t)(b.Search(ctx, cedar, hostsim.Search{Organization: org, Text: "REY", Most: 10})); len(found) != 1 || found[0].LastName != "Reyes" {
			t.Errorf("looked for: %+v", found)
		}
		if err := b.Delete(ctx, cedar, staff, u.Ref, u.Version); err != nil {
			t.Fatal(err)
		}
		if left := must[[]host.User](t)(b.Users(ctx, cedar, "", 10)); len(left) != 0 {
			t.Errorf("after the deletion there are %+v", left)
		}
		if gone := user(b.User(ctx, cedar, u.Ref)); !gone.Deleted || gone.Version != 6 {
			t.Errorf("deleted: %+v", gone)
		}
		by := " backoffice Kim at the bank"
		want := []string{"defaults 1" + by, "announced Dana" + by, "user 1" + by, "user 2" + by, "user 3" + by, "user 4" + by, "user 5" + by, "user 6" + by}
		if got := told(t, b); !slices.Equal(got, want) {
			t.Errorf("told %q\nwant %q", got, want)
		}
		if about := must[[]host.Event](t)(b.About(ctx, cedar, u.Ref, 2)); len(about) != 2 || about[0].User == nil || !about[0].User.Deleted {
			t.Errorf("about the user: %+v", about)
		}
	})
}

// What a core refuses of its own screens.
func TestRefusesWhatNobodyMayDo(t *testing.T) {
	eachBank(t, func(t *testing.T, b *hostsim.Bank, _ *dbtest.Clock) {
		ctx, user := t.Context(), must[host.User](t)
		u := user(b.Create(ctx, cedar, staff, dana()))
		other := dana()
		other.Email = "lee@northwind.example"
		lee := user(b.Create(ctx, cedar, staff, other))
		asDana := hostsim.By{Channel: host.Classic, Name: "Dana Diaz", User: u.Ref}
		if _, err := b.SetHeld(ctx, cedar, asDana, lee.Ref, lee.Version, true); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("a pending user holds another: %v", err)
		}
		u = user(b.SetStatus(ctx, cedar, staff, u.Ref, u.Version, bank.StatusActive))
		u = user(b.Edit(ctx, cedar, staff, u.Ref, u.Version, hostsim.Edit{FirstName: "Dana", LastName: "Diaz", Email: u.Email, Role: bank.RoleAdmin}))
		lee = user(b.SetHeld(ctx, cedar, asDana, lee.Ref, lee.Version, true))
		stranger := user(b.Create(ctx, cedar, staff, hostsim.NewUser{Organization: "org_other", FirstName: "Max", LastName: "Moss", Email: "max@other.example", Role: bank.RoleAdmin}))
		stranger = user(b.SetStatus(ctx, cedar, staff, stranger.Ref, stranger.Version, bank.StatusActive))
		disabled := user(b.SetStatus(ctx, cedar, staff, lee.Ref, lee.Version, bank.StatusDisabled))
		edit := func(by hostsim.By, ref host.Ref, version int64, e hostsim.Edit) error {
			_, err := b.Edit(ctx, cedar, by, ref, version, e)
			return err
		}
		hold := func(by hostsim.By, u host.User) error {
			_, err := b.SetHeld(ctx, cedar, by, u.Ref, u.Version, true)
			return err
		}
		status := func(by hostsim.By, u host.User, s bank.Status) error {
			_, err := b.SetStatus(ctx, cedar, by, u.Ref, u.Version, s)
			return err
		}
		create := func(change func(n *hostsim.NewUser)) error {
			n := dana()
			n.Email = "new@northwind.example"
			change(&n)
			_, err := b.Create(ctx, cedar, staff, n)
			return err
		}
		for name, test := range map[string]struct {
			err  error
			kind fault.Kind
		}{
			"pending again":        {status(staff, u, bank.StatusPending), fault.Invalid},
			"back from disabled":   {status(staff, disabled, bank.StatusActive), fault.Conflict},
			"status in Classic":    {status(asDana, u, bank.StatusLocked), fault.Forbidden},
			"another's admin":      {edit(hostsim.By{Channel: host.Classic, User: stranger.Ref}, u.Ref, u.Version, hostsim.Edit{}), fault.Forbidden},
			"hold on oneself":      {hold(asDana, u), fault.Forbidden},
			"delete oneself":       {b.Delete(ctx, cedar, asDana, u.Ref, u.Version), fault.Forbidden},
			"old version":          {edit(staff, u.Ref, u.Version-1, hostsim.Edit{FirstName: "A", LastName: "B", Email: "a@b.example"}), fault.Conflict},
			"own role":             {edit(asDana, u.Ref, u.Version, hostsim.Edit{FirstName: "A", LastName: "B", Email: "a@b.example"}), fault.Forbidden},
			"no such user":         {edit(staff, "cu-none", 1, hostsim.Edit{}), fault.NotFound},
			"same email":           {create(func(n *hostsim.NewUser) { n.Email = "DANA@northwind.example" }), fault.Invalid},
			"no name":              {create(func(n *hostsim.NewUser) { n.FirstName = " " }), fault.Invalid},
			"long name":            {create(func(n *hostsim.NewUser) { n.LastName = "Abcdefghijklmnopqrstuvwxyzabcdefghijklmnop" }), fault.Invalid},
			"another's account":    {create(func(n *hostsim.NewUser) { n.Accounts = map[host.Ref]map[string]string{"acc_foreign": {}} }), fault.Invalid},
			"unknown permission":   {create(func(n *hostsim.NewUser) { n.Accounts["acc_operating"] = map[string]string{"ach.enabled": "true"} }), fault.Invalid},
			"unreadable value":     {create(func(n *hostsim.NewUser) { n.Accounts["acc_operating"] = map[string]string{"stops.view": "yes"} }), fault.Invalid},
			"unknown organization": {create(func(n *hostsim.NewUser) { n.Organization = "none" }), fault.NotFound},
		} {
			if test.err == nil || fault.KindOf(test.err) != test.kind {
				t.Errorf("%s: %v", name, test.err)
			}
		}
	})
}

func about(ref string, step host.UserStep, u host.User, fields ...string) host.Order {
	return host.Order{Institution: cedar, Organization: hosttest.Organization, Room: "people", Ref: ref, User: &host.UserOrder{Step: step, User: u, Fields: fields}}
}

// Orders change what they name, once for each key, and are echoed.
func TestOrdersAboutUsers(t *testing.T) {
	eachBank(t, func(t *testing.T, b *hostsim.Bank, _ *dbtest.Clock) {
		ctx := t.Context()
		carry := func(o host.Order) host.Receipt {
			t.Helper()
			r := must[host.Receipt](t)(b.Carry(ctx, o))
			if again := must[host.Receipt](t)(b.Carry(ctx, o)); again != r {
				t.Errorf("asked again: %+v, want %+v", again, r)
			}
			return r
		}
		lee := host.User{Organization: org, Member: "usr_lee", FirstName: "Lee", LastName: "Tran", Email: "lee@northwind.example", Permissions: map[string]string{"stops.enabled": "true"},
			Accounts: map[host.Ref]map[string]string{"acc_operating": {"stops.view": "true"}}}
		made := carry(about("1", host.CreateUser, lee))
		if !made.Done() || made.User == "" || made.Version != 1 {
			t.Fatalf("made: %+v", made)
		}
		// The bank changes something else meanwhile, and it stays.
		must[host.User](t)(b.SetHeld(ctx, cedar, staff, made.User, 1, true))
		lee.Ref, lee.LastName, lee.Email = made.User, "Tranh", "nobody looks at this"
		lee.Permissions = map[string]string{"transfers.enabled": "true"}
		lee.Accounts = map[host.Ref]map[string]string{"acc_payroll": {"transfers.from": "true"}, "acc_operating": {"stops.add": "true"}}
		changed := carry(about("2", host.UpdateUser, lee, "name", "transfers.enabled", "account/acc_payroll", "account/acc_operating/stops.add"))
		u := must[host.User](t)(b.User(ctx, cedar, made.User))
		want := host.User{Ref: made.User, Organization: org, Member: "usr_lee", Version: 3, FirstName: "Lee", LastName: "Tranh", Email: "lee@northwind.example", Held: true,
			Permissions: map[string]string{"stops.enabled": "true", "transfers.enabled": "true"},
			Accounts:    map[host.Ref]map[string]string{"acc_operating": {"stops.view": "true", "stops.add": "true"}, "acc_payroll": {"transfers.from": "true"}}}
		if changed.Version != 3 || fmt.Sprint(u) != fmt.Sprint(want) {
			t.Errorf("changed: %+v\n got %+v\nwant %+v", changed, u, want)
		}
		next := host.User{Ref: made.User, Email: "tranh@northwind.example", Username: "lee.tranh", Role: bank.RoleAdmin, Status: bank.StatusActive}
		carry(about("3", host.UpdateUser, next, "account/acc_payroll", "stops.enabled", "email", "username", "role", "status", "held"))
		u = must[host.User](t)(b.User(ctx, cedar, made.User))
		if len(u.Accounts) != 1 || u.Permissions["stops.enabled"] != "" || u.Email != next.Email || u.Username != next.Username || u.Role != next.Role || u.Status != next.Status || u.Held {
			t.Errorf("changed and taken away: %+v", u)
		}
		twin, strange, foreign := lee, lee, lee
		twin.Ref, strange.Organization, strange.Member, strange.Ref = "cu-twin", "none", "usr_other", ""
		foreign.Accounts = map[host.Ref]map[string]string{"acc_foreign": {}}
		for name, test := range map[string]struct {
			order host.Order
			code  host.Code
		}{
			"member twice":         {about("10", host.CreateUser, twin), host.UserExists},
			"ref twice":            {about("11", host.CreateUser, host.User{Ref: made.User, Organization: org}), host.UserExists},
			"unknown organization": {about("12", host.CreateUser, strange), host.UnknownOrganization},
			"another's account":    {about("13", host.UpdateUser, foreign, "account/acc_foreign"), host.UnknownAccount},
			"unknown field":        {about("14", host.UpdateUser, lee, "shoe_size"), host.NotOffered},
			"another organization": {about("16", host.UpdateUser, host.User{Ref: made.User, Organization: "org_other"}, "name"), host.UnknownUser},
			"unknown user":         {about("15", host.UpdateUser, host.User{Ref: "cu-none"}, "name"), host.UnknownUser},
		} {
			if r := carry(test.order); r.Refused != test.code {
				t.Errorf("%s: %+v, want %s", name, r, test.code)
			}
		}
		gone := carry(about("20", host.DeleteUser, host.User{Ref: made.User}))
		if after := carry(about("21", host.DeleteUser, host.User{Ref: made.User})); gone.Version != 5 || after.Refused != host.UnknownUser {
			t.Errorf("deleted: %+v, then %+v", gone, after)
		}
		wantTold := []string{"user 1 order people/1", "user 2 backoffice Kim at the bank", "user 3 order people/2", "user 4 order people/3", "user 5 order people/20"}
		if got := told(t, b); !slices.Equal(got, wantTold) {
			t.Errorf("told %q\nwant %q", got, wantTold)
		}
		if _, err := b.User(ctx, cedar, "cu-none"); !errors.Is(err, host.ErrNoUser) {
			t.Errorf("a user that never was: %v", err)
		}
	})
}

func TestOrganizations(t *testing.T) {
	eachBank(t, func(t *testing.T, b *hostsim.Bank, _ *dbtest.Clock) {
		ctx := t.Context()
		err := errors.Join(b.PutOrganization(ctx, cedar, staff, "org_new", "New & Sons"),
			b.PutAccount(ctx, cedar, staff, "org_new", host.Account{Ref: "acc_new", Name: "Operating", Kind: "checking", LastFour: "0012"}),
			b.PutAccount(ctx, cedar, staff, "org_new", host.Account{Ref: "acc_new", Name: "Operating", Kind: "checking", Closed: true}))
		if err != nil {
			t.Fatal(err)
		}
		if err := b.PutAccount(ctx, cedar, staff, "org_new", host.Account{Ref: "acc_foreign", Name: "Theirs"}); fault.KindOf(err) != fault.Conflict {
			t.Errorf("another's account: %v", err)
		}
		all := must[[]host.Organization](t)(b.Organizations(ctx, cedar, "", 10))
		if len(all) != 3 || all[0].Ref != "org_new" || all[0].Version != 3 || len(all[0].Accounts) != 1 || !all[0].Accounts[0].Closed || len(all[1].Accounts) != 2 {
			t.Errorf("the organizations are %+v", all)
		}
		if rest := must[[]host.Organization](t)(b.Organizations(ctx, cedar, "org_new", 1)); len(rest) != 1 || rest[0].Ref != org {
			t.Errorf("after the first: %+v", rest)
		}
		o := host.Order{Institution: cedar, Organization: "org_new", Room: "test", Ref: "1", Legs: host.Move(host.Internal("cash"), "acc_new", 5)}
		if r := must[host.Receipt](t)(b.Carry(ctx, o)); r.Refused != host.UnknownAccount {
			t.Errorf("money came into a closed account: %+v", r)
		}
	})
}

// However badly events are told, each is, and a mark stands for one place for
// ever.
func TestTellsBadly(t *testing.T) {
	eachBank(t, func(t *testing.T, b *hostsim.Bank, clock *dbtest.Clock) {
		if err := b.SetFault("", hostsim.Fault{Telling: hostsim.Telling{Repeat: 50, Reorder: true, Late: 30, Delay: time.Hour}}); err != nil {
			t.Fatal(err)
		}
		ctx, u := t.Context(), must[host.User](t)(b.Create(t.Context(), cedar, staff, dana()))
		for n := range 30 {
			u = must[host.User](t)(b.SetHeld(ctx, cedar, staff, u.Ref, u.Version, n%2 == 0))
		}
		first := told(t, b)
		if again := told(t, b); !slices.Equal(again, first) {
			t.Errorf("what is late was told before its time: %q, then %q", first, again)
		}
		if once := slices.Compact(slices.Sorted(slices.Values(first))); len(once) == 32 {
			t.Error("nothing is late")
		}
		for range 40 {
			clock.Advance(time.Hour)
			all := told(t, b)
			if !slices.Equal(all[:len(first)], first) {
				t.Fatalf("what was told changed:\n%q\n%q", first, all)
			}
			first = all
		}
		count := map[string]int{}
		for _, word := range first {
			count[word]++
		}
		if len(count) != 32 || len(first) <= 32 || slices.IsSorted(first) {
			t.Errorf("of 32 events %d were told, %d times, in the order %q", len(count), len(first), first)
		}
	})
}

// A new user is announced at once, and told when the bank has all of them.
func TestSeeding(t *testing.T) {
	d := dbtest.SQLiteWith(t, dbtest.Options{Migrations: hostsim.Migrations()})
	b := hostsim.New(d, hostsim.Options{Seeding: time.Minute})
	if err := b.PutOrganization(t.Context(), cedar, staff, org, "Northwind"); err != nil {
		t.Fatal(err)
	}
	n := dana()
	n.Accounts = nil
	must[host.User](t)(b.Create(t.Context(), cedar, staff, n))
	before := told(t, b)
	dbtest.ClockOf(t, d).Advance(time.Minute)
	if after := told(t, b); len(before) != 2 || len(after) != 3 {
		t.Errorf("told %q, and a minute later %q", before, after)
	}
}
