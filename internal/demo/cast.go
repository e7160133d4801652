package demo

import (
	"mandate/internal/bank"
)

// A person of the hand-made cast, as the import files carry them.
type person struct {
	key, first, last string
	username         string // empty: no sign-in of their own yet
	role, status     string
	held             bool
	does             string         // what they are in the demo's list of sign-ins
	permissions      map[string]any // user level
	accounts         []string       // keys of accounts they see
	onAccount        map[string]any // what they may do on these
	except           map[string]map[string]any
}

// An organization of the cast.
type organization struct {
	key, name, address, phone, email string
	has                              []string
	ceilings                         map[string]string
	accounts                         []account
	people                           []person
	past                             func(*past) []occasion // what they did before now; may be nil
}

type account struct{ key, name, number, kind string }

// A stage is one institution with its cast.
type stage struct {
	edition       bank.Edition
	seed          uint64
	accent        string
	organizations []organization
}

// permits joins groups of permissions.
func permits(groups ...map[string]any) map[string]any {
	all := map[string]any{}
	for _, g := range groups {
		for k, v := range g {
			all[k] = v
		}
	}
	return all
}

func allOn(ids ...string) map[string]any {
	all := map[string]any{}
	for _, id := range ids {
		all[id] = true
	}
	return all
}

var (
	administers = allOn("user_management.enabled")
	seesACH     = allOn("ach.enabled", "ach.view")
	preparesACH = permits(seesACH, allOn("ach.import_recipients", "ach.upload_file", "ach.recurring"), map[string]any{"ach.edit_level": "full"})
	transfers   = permits(allOn("transfers.enabled", "transfers.allow"), map[string]any{"transfers.limit": "15000.00"})
	stops       = allOn("stops.enabled", "stops.view", "stops.add")
	cards       = allOn("cards.enabled", "cards.manage")
	payCheck    = allOn("arp.enabled", "arp.upload", "arp.download", "arp.work_checks", "arp.work_ach")
	wireRights  = allOn("wires.enabled", "wires.work", "wires.template_create", "wires.template_edit", "wires.one_time_create", "wires.one_time_edit",
		"wires.recurring_edit", "wires.transmit", "wires.transmit_recurring", "wires.transmit_future")

	// What lies on the account besides.
	moves     = allOn("transfers.from", "transfers.to")
	stopsHere = allOn("stops.view", "stops.add")
	arpHere   = allOn("arp.upload", "arp.download", "arp.work_checks", "arp.work_ach")
	wiresHere = allOn("wires.work", "wires.template_create", "wires.template_edit", "wires.one_time_create", "wires.one_time_edit",
		"wires.recurring_edit", "wires.transmit", "wires.transmit_recurring", "wires.transmit_future")
)

func initiates(daily string) map[string]any {
	return permits(allOn("ach.initiate", "ach.same_day", "ach.delete", "ach.restricted"), map[string]any{"ach.daily_limit": daily})
}

func wires(each, day, dual string) map[string]any {
	p := permits(wireRights, map[string]any{"wires.per_wire_limit": each, "wires.daily_limit": day})
	if dual != "" {
		p["wires.dual_limit"], p["wires.dual_control"] = dual, true
	}
	return p
}

var everything = []string{"ach", "arp", "cards", "stops", "transfers", "wires", "user_management"}

var bankStage = stage{
	edition: bank.EditionBank, seed: 2026, accent: "#1f5f8b",
	organizations: []organization{
		{
			key: "larkspur", name: "Larkspur Landscaping Supply, Inc.", address: "1840 Orchard Road, Marlowick, IL 60540", phone: "+1 312 555 0142",
			email: "office@larkspur.example.com", has: everything,
			past:     larkspursPast,
			ceilings: map[string]string{"wires.per_wire_limit": "100000.00", "wires.daily_limit": "250000.00", "ach.daily_limit": "150000.00"},
			accounts: []account{
				{"operating", "Operating", "4417", "checking"}, {"payroll", "Payroll", "4425", "checking"}, {"tax", "Tax reserve", "4433", "savings"},
				{"materials", "Materials purchasing", "4441", "checking"}, {"fleet", "Fleet and fuel", "4458", "checking"}, {"yard-north", "North yard till", "4466", "checking"},
				{"yard-south", "South yard till", "4474", "checking"}, {"retention", "Contract retention", "4482", "savings"}, {"sweep", "Sweep", "4490", "savings"},
				{"insurance", "Insurance", "4508", "checking"}, {"line", "Line of credit", "4516", "loan"}, {"owners", "Owners' draw", "4524", "checking"},
			},
			people: []person{
				{key: "ana", first: "Ana", last: "Ruiz", username: "ana.ruiz", role: "admin", status: "active", does: "admin, owner; may do everything",
					permissions: permits(administers, preparesACH, initiates("100000.00"), allOn("ach.full_control"), transfers, stops, cards, payCheck, wires("75000.00", "150000.00", "25000.00")),
					accounts:    []string{"operating", "payroll", "tax", "materials", "fleet", "yard-north", "yard-south", "retention", "sweep", "insurance", "line", "owners"},
					onAccount:   permits(moves, stopsHere, arpHere, wiresHere)},
				{key: "ben", first: "Ben", last: "Okafor", username: "ben.okafor", role: "admin", status: "active", does: "admin, controller; approves",
					permissions: permits(administers, preparesACH, initiates("100000.00"), transfers, stops, payCheck, wires("75000.00", "150000.00", "25000.00")),
					accounts:    []string{"operating", "payroll", "tax", "materials", "retention", "sweep"}, onAccount: permits(moves, stopsHere, arpHere, wiresHere)},
				{key: "vera", first: "Vera", last: "Lindqvist", username: "vera.lindqvist", role: "viewer", status: "active", does: "viewer, auditor; sees all, changes nothing",
					permissions: permits(administers, seesACH, allOn("stops.enabled", "stops.view")),
					accounts:    []string{"operating", "payroll", "tax", "materials", "fleet", "retention", "sweep"}, onAccount: allOn("stops.view")},
				{key: "dana", first: "Dana", last: "Reyes", username: "dana.reyes", role: "user", status: "active", does: "user, treasurer; wires with a second person over $10,000",
					permissions: permits(preparesACH, initiates("40000.00"), transfers, stops, payCheck, wires("25000.00", "60000.00", "10000.00")),
					accounts:    []string{"operating", "payroll", "materials"}, onAccount: permits(moves, stopsHere, arpHere, wiresHere),
					except: map[string]map[string]any{"payroll": {"wires.transmit": false, "wires.transmit_recurring": false, "wires.transmit_future": false}, "materials": {"wires.per_wire_limit": "5000.00"}}},
				{key: "lee", first: "Lee", last: "Tran", username: "lee.tran", role: "user", status: "active", does: "user, clerk; prepares payments, sends none",
					permissions: permits(preparesACH, transfers, stops, allOn("arp.enabled", "arp.upload"), allOn("wires.enabled", "wires.work", "wires.one_time_create", "wires.one_time_edit")),
					accounts:    []string{"operating", "payroll"}, onAccount: permits(moves, stopsHere, allOn("arp.upload", "wires.work", "wires.one_time_create", "wires.one_time_edit"))},
				{key: "omar", first: "Omar", last: "Haddad", username: "omar.haddad", role: "user", status: "active", does: "user, locked after wrong passwords",
					permissions: permits(seesACH, transfers), accounts: []string{"yard-north"}, onAccount: moves},
				{key: "ingrid", first: "Ingrid", last: "Moe", username: "ingrid.moe", role: "user", status: "active", does: "user, on hold during leave",
					permissions: permits(preparesACH, stops), accounts: []string{"payroll"}, onAccount: stopsHere},
				{key: "priya", first: "Priya", last: "Natarajan", role: "user", status: "pending", permissions: permits(preparesACH), accounts: []string{"operating"}},
				{key: "tomas", first: "Tomás", last: "Becker", role: "user", status: "active", permissions: permits(seesACH)},
			},
		},
		{
			key: "foxglove", name: "Foxglove Bakery", address: "12 Mill Lane, Marlowick, IL 60540", phone: "+1 312 555 0119", email: "mia@foxglove.example.com",
			has:      []string{"transfers", "stops", "user_management"},
			accounts: []account{{"checking", "Business checking", "7010", "checking"}, {"savings", "Rainy day", "7028", "savings"}},
			people: []person{{key: "mia", first: "Mia", last: "Fontaine", username: "mia.fontaine", role: "admin", status: "active", does: "admin, alone in a one-person firm",
				permissions: permits(administers, transfers, stops), accounts: []string{"checking", "savings"}, onAccount: permits(moves, stopsHere)}},
		},
	},
}

var creditUnionStage = stage{
	edition: bank.EditionCreditUnion, seed: 811, accent: "#3f6f4f",
	organizations: []organization{
		{
			past: harborlightsPast,
			key:  "harborlight", name: "Harborlight Charters LLC", address: "3 Pier Street, Tannery Row, WA 98221", phone: "+1 360 555 0177",
			email: "desk@harborlight.example.com", has: []string{"ach", "cards", "stops", "transfers", "wires", "user_management"},
			accounts: []account{{"operating", "Operating", "1108", "checking"}, {"deposits", "Guest deposits", "1116", "savings"}, {"payroll", "Crew payroll", "1124", "checking"}},
			people: []person{
				{key: "noor", first: "Noor", last: "Siddiqui", username: "noor.siddiqui", role: "admin", status: "active", does: "admin at the credit union",
					permissions: permits(administers, preparesACH, initiates("30000.00"), map[string]any{"ach.per_batch_limit": "12000.00", "ach.debits": true}, transfers, stops, cards,
						allOn("wires.enabled", "wires.one_time_create", "wires.one_time_edit", "wires.delete", "wires.transmit"), map[string]any{"wires.per_wire_limit": "20000.00"}),
					accounts:  []string{"operating", "deposits", "payroll"},
					onAccount: permits(moves, stopsHere, allOn("wires.one_time_create", "wires.one_time_edit", "wires.delete", "wires.transmit"))},
				{key: "joel", first: "Joel", last: "Amundsen", username: "joel.amundsen", role: "user", status: "active", does: "user at the credit union",
					permissions: permits(seesACH, transfers), accounts: []string{"operating"}, onAccount: moves},
			},
		},
	},
}
