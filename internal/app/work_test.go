package app

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"mandate/internal/authorization"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/client"
	"mandate/internal/config"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/host/hostsim"
	"mandate/internal/moneymovement/ach"
	"mandate/internal/moneymovement/ach/nacha"
	"mandate/internal/moneymovement/ach/recipients"
	"mandate/internal/moneymovement/transfer"
	"mandate/internal/moneymovement/wire"
	"mandate/internal/moneymovement/wire/message"
	"mandate/internal/pdp/obstacle"
	"mandate/internal/usermgmt"
)

// A desk is the whole program with one customer, Northwind: Dana and Lee do
// everything from Operating, Dana wires only with a second person, and Ana
// administers.
type desk struct {
	t *testing.T
	a *App
}

func newDesk(t *testing.T, url string) *desk {
	t.Helper()
	a, err := Open(t.Context(), config.Config{
		Store: config.Store{DB: url, Data: t.TempDir()}, HashMemory: 8, HashPasses: 1, PublicOrigin: "http://localhost:1", ConsoleOrigin: "http://localhost:2", APIOrigin: "http://localhost:3",
	}, dbtest.NewClock(dbtest.Start), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	w := &desk{t, a}
	t.Cleanup(func() { w.must(a.Close()) })
	ctx := t.Context()
	operator := bank.Caller{Kind: bank.ActorOperator, Name: "Olga", Institution: "cedar", Channel: bank.ChannelCommand}
	w.must(a.DB.Write(ctx, w.people))
	w.must(a.Bank.Open(ctx, hostsim.Opening{Institution: "cedar", Organization: "org_northwind", Account: "acc_operating", Number: "550137", Balance: 50_000_00},
		hostsim.Opening{Institution: "cedar", Organization: "org_northwind", Account: "acc_payroll"}))
	w.must(a.ACH.SetSender(ctx, operator, ach.Sender{Routing: "121042882", Name: "Cedar Bank", Destination: "231380104", DestinationName: "ACH Operator"}))
	w.must(a.ACH.SetCompany(ctx, operator, "org_northwind", ach.Company{Ident: "1234567890", Name: "NORTHWIND"}))
	w.must(a.Wires.SetTerms(ctx, operator, wire.Terms{Routing: "231380104", Name: "Cedar Bank", Source: "CEDARB01", Format: message.Pacs008}))
	return w
}

func (w *desk) people(tx *db.Tx) error {
	open := obstacle.Open(obstacle.Ask{Account: "acc_operating", ToAccount: "acc_payroll"}, bank.EditionBank)
	org := usermgmt.Organization{Institution: "cedar", ID: "org_northwind", Name: "Northwind", Entitlements: open.Has, Address: "18 Harbor Street, Portland, ME 04101"}
	err := usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: "cedar", Name: "Cedar", TimeZone: "America/New_York", Offers: open.Offers})
	if err == nil {
		err = usermgmt.InsertOrganization(tx, &org)
	}
	if err != nil {
		return err
	}
	accounts := []*usermgmt.Account{{ID: "acc_operating", Name: "Operating", Number: "0137"}, {ID: "acc_payroll", Name: "Payroll", Number: "4821"}}
	for _, a := range accounts {
		if err := usermgmt.InsertAccount(tx, org.Num, a); err != nil {
			return err
		}
	}
	controlled := open.Settings
	controlled.On = controlled.On.With(catalog.WiresDualControl).Without(catalog.ACHFullControl)
	controlled.Limits = controlled.Limits.With(catalog.LimitWiresDual, 10_000_00)
	for name, s := range map[string]entitlement.Settings{"dana": controlled, "lee": open.Settings, "ana": {On: catalog.SetOf(catalog.UserManagementEnabled)}} {
		m := usermgmt.Member{ID: bank.UserID(name), FirstName: strings.ToUpper(name[:1]) + name[1:], Email: name + "@northwind.example", Status: bank.StatusActive, Settings: s}
		if name == "ana" {
			m.Role = bank.RoleAdmin
		}
		if err := usermgmt.InsertMember(tx, "cedar", org.Num, &m); err != nil {
			return err
		}
		for _, a := range accounts {
			if name == "ana" {
				continue
			}
			if err := usermgmt.SetMemberAccount(tx, org.Num, m.Ordinal, a.Ordinal, entitlement.Settings{On: open.Settings.On}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *desk) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// as is somebody who was made sure of.
func (w *desk) as(name string) bank.Caller {
	return bank.Caller{Kind: bank.ActorMember, ID: name, Name: strings.ToUpper(name[:1]) + name[1:], Institution: "cedar", Organization: "org_northwind", Channel: bank.ChannelAPI, Through: "test", Vouched: "passkey"}
}

// open is what is told of somebody before they are held or deleted.
func (w *desk) open(name string) (all []string) {
	w.t.Helper()
	impact, err := w.a.Users.Impact(w.t.Context(), w.as("ana"), usermgmt.Person{Organization: "org_northwind", User: bank.UserID(name)})
	w.must(err)
	words := map[usermgmt.Ending]string{usermgmt.WaitsForSecond: "second", usermgmt.WaitsForRelease: "release", usermgmt.Scheduled: "scheduled", usermgmt.Repeats: "repeats", usermgmt.NobodyElse: "nobody else"}
	for _, item := range impact.Open {
		line := item.Title + ", " + words[item.Ends]
		if item.Ref != "" {
			line += ", " + item.Ref
		}
		if item.Account != "acc_operating" || (item.Day != "") != (item.Ends == usermgmt.Scheduled) {
			w.t.Errorf("%s is from %q on %q", line, item.Account, item.Day)
		}
		all = append(all, line)
	}
	return all
}

func (w *desk) wire(cents bank.Cents, on bank.Day, repeat calendar.Frequency) {
	w.t.Helper()
	d := wire.Draft{ID: wire.NewID(w.a.Clock.Now()), On: on, Repeat: repeat, Send: true, Instruction: wire.Instruction{
		Account: "acc_operating", Cents: cents, Payee: message.Party{Name: "Harbor Supplies", Account: "000123456", Town: "Salem", State: "MA"},
		Bank: message.Agent{Routing: "121042882", Name: "Harbor Bank"},
	}}
	_, err := w.a.Wires.Create(w.t.Context(), w.as("dana"), d)
	w.must(err)
}

func (w *desk) transfer(cents bank.Cents, on bank.Day, repeat calendar.Frequency) {
	w.t.Helper()
	_, err := w.a.Transfers.Create(w.t.Context(), w.as("dana"), transfer.Draft{ID: transfer.NewID(w.a.Clock.Now()), From: "acc_operating", To: "acc_payroll", Cents: cents, On: on, Repeat: repeat})
	w.must(err)
}

// batch is one of Lee's that is to be sent from Operating.
func (w *desk) batch(name string) ach.BatchID {
	w.t.Helper()
	draft := ach.EntryDraft{Recipient: recipients.Recipient{Name: "Harbor Supplies", Amount: 100_00, Account: "445566", Routing: "231380104", Kind: nacha.Checking}}
	id, err := w.a.ACH.Create(w.t.Context(), w.as("lee"), ach.Header{Name: name, Company: "1234567890", Class: "CCD", Description: "VENDORS"}, []ach.EntryDraft{draft})
	w.must(err)
	return id
}

// authorize is a payment system's question in Dana's name.
func (w *desk) authorize(ref, amount string) {
	w.t.Helper()
	operator := bank.Caller{Kind: bank.ActorOperator, Name: "Olga", Institution: "cedar", Channel: bank.ChannelCommand}
	made, _, err := w.a.Clients.Create(w.t.Context(), operator, client.Draft{Name: "Hub " + ref})
	w.must(err)
	asked := authorization.Asked{Member: "dana", Operation: catalog.WiresTransmitOperation.ID(), Account: "acc_operating", Amount: entitlement.ReadAmount(amount)}
	answer, err := w.a.Authorizations.Authorize(w.t.Context(), made.Caller("", ""), "org_northwind", ref, asked)
	w.must(err)
	if !answer.Allowed {
		w.t.Fatalf("%s: %+v", ref, answer.Reasons)
	}
}

// What is under way in somebody's name is told of by every room that lets a
// payment wait, before they are held or deleted; and nothing of others.
func TestEveryRoomTellsWhatIsUnderWay(t *testing.T) {
	for name, url := range map[string]func(*testing.T) string{
		"SQLite":     func(t *testing.T) string { return dbtest.SQLiteURL(t, nil) },
		"PostgreSQL": func(t *testing.T) string { return dbtest.PostgreSQLURL(t, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newDesk(t, url(t))
			ctx := context.WithoutCancel(t.Context())
			for _, who := range []string{"dana", "lee"} {
				if open := w.open(who); len(open) != 0 {
					t.Errorf("before anything was done, %s has %q", who, open)
				}
			}
			for _, room := range []struct {
				name string
				do   func()
				dana []string // what there is more of
				lee  []string
			}{
				{"a payment system's, alone", func() { w.authorize("p-1", "9000.00") }, []string{"send a wire, $9,000.00, release, p-1"}, nil},
				{"a payment system's, with a second person", func() { w.authorize("p-2", "12000.00") }, []string{"send a wire, $12,000.00, second, p-2"}, nil},
				{"a wire that waits for a second person", func() { w.wire(14_000_00, "", calendar.Once) },
					[]string{"Wire of $14,000.00 to Harbor Supplies, second"}, []string{"Wire of $14,000.00 to Harbor Supplies of Dana, nobody else"}},
				{"a wire of a later day", func() { w.wire(1_000_00, "2026-03-10", calendar.Once) }, []string{"Wire of $1,000.00 to Harbor Supplies, scheduled"}, nil},
				{"wires every month", func() { w.wire(2_000_00, "2026-03-10", calendar.Monthly) },
					[]string{"Wire of $2,000.00 to Harbor Supplies, every month, repeats"}, nil},
				{"a transfer of a later day", func() { w.transfer(30_00, "2026-03-10", calendar.Once) }, []string{"Transfer of $30.00, scheduled"}, nil},
				{"transfers every month", func() { w.transfer(40_00, "2026-03-10", calendar.Monthly) }, []string{"Transfer of $40.00 every month, repeats"}, nil},
				{"a batch that was initiated", func() {
					_, _, err := w.a.ACH.Initiate(ctx, w.as("dana"), ach.Order{Batch: w.batch("Vendors"), Version: 1, Offset: "acc_operating"})
					w.must(err)
				}, []string{"Vendors, release"}, nil},
				{"a batch that waits for a second person", func() {
					id := w.batch("Rents")
					_, _, err := w.a.ACH.Submit(ctx, w.as("dana"), ach.Order{Batch: id, Version: 1, Offset: "acc_operating"})
					w.must(err)
				}, []string{"Rents, second"}, []string{"Rents of Dana, nobody else"}},
				{"a batch that repeats", func() {
					w.must(w.a.ACH.SetSchedule(ctx, w.as("dana"), 1, ach.Schedule{Batch: w.batch("Wages"), Frequency: ach.Monthly, First: "2026-03-10", Offset: "acc_operating"}))
				}, []string{"Wages, every month, repeats"}, nil},
			} {
				before := map[string][]string{"dana": w.open("dana"), "lee": w.open("lee")}
				room.do()
				for who, want := range map[string][]string{"dana": room.dana, "lee": room.lee} {
					var more []string
					for _, line := range w.open(who) {
						if !slices.Contains(before[who], line) {
							more = append(more, line)
						}
					}
					if !slices.Equal(more, want) {
						t.Errorf("%s: of %s it is told %q, want %q", room.name, who, more, want)
					}
				}
			}
			if got := len(w.open("dana")); got != 10 {
				t.Errorf("of Dana %d things are told", got)
			}
		})
	}
}
