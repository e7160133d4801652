package reference

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"
)

// Dice draw from one seeded source, so that the same seed makes the same world.
type dice struct{ *rand.Rand }

func (d dice) chance(percent int) bool { return d.IntN(100) < percent }

func pick[T any](d dice, list ...T) T { return list[d.IntN(len(list))] }

// RandomWorld makes a world at random: consistent enough that many requests
// are allowed, and with every kind of fault that imported data can have. The
// same source makes the same world.
func RandomWorld(rng *rand.Rand) World {
	d := dice{rng}
	w := World{Institution: Institution{Edition: pick(d, bank, bank, bank, creditUnion, creditUnion), TimeZone: pick(d, zones...)}}
	w.Now = d.now(w.Institution.TimeZone)
	w.Institution.Offers = d.entitlements(w.Institution.Edition, 10)
	w.Organization.Entitlements = d.entitlements(w.Institution.Edition, 12)
	for i := range 1 + d.IntN(4) {
		w.Accounts = append(w.Accounts, fmt.Sprintf("a%d", i))
	}
	if d.chance(40) {
		w.Organization.Ceilings = d.ceilings()
	}
	if d.chance(30) {
		w.Organization.AccountsOff = map[string][]string{}
		for range 1 + d.IntN(2) {
			w.Organization.AccountsOff[pick(d, append(w.Accounts, "foreign")...)] = d.someEntitlements()
		}
	}
	for i := range 2 + d.IntN(4) {
		w.Members = append(w.Members, d.member(fmt.Sprintf("m%d", i), i, w.Accounts))
	}
	return w
}

// zones have whole hours and odd minutes, both ends of the calendar day, and
// clocks that change in either half of the year or by half an hour.
var zones = []string{
	"UTC", "America/Chicago", "America/New_York", "America/Los_Angeles", "Pacific/Honolulu", "America/St_Johns",
	"Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe",
	"Europe/London", "Europe/Dublin", "Europe/Berlin", "Pacific/Chatham", "America/Santiago",
}

// days on which clocks change somewhere, months and years end, or nothing happens.
var days = []string{
	"2026-03-02", "2026-06-15", "2026-03-08", "2026-11-01", "2026-03-29", "2026-10-25", "2026-04-05", "2026-10-04",
	"2026-09-06", "2026-12-31", "2027-01-01", "2028-02-28", "2028-02-29", "2026-04-30",
}

// now is a moment of a day in the zone, near midnight more often than not,
// written with the zone's own offset or with a foreign one.
func (d dice) now(zone string) string {
	place, err := time.LoadLocation(zone)
	if err != nil {
		panic(fmt.Sprintf("reference: %v", err)) // a zone of the list above, and the caller brings the zones
	}
	day, _ := time.ParseInLocation(time.DateOnly, pick(d, days...), place)
	minutes := pick(d, d.IntN(24*60), d.IntN(24*60), -1, 0, 1, 30, 90, 150, 23*60+30, 23*60+50, 24*60-1)
	moment := day.Add(time.Duration(minutes) * time.Minute)
	if d.chance(30) {
		moment = moment.In(time.FixedZone("", pick(d, 0, -6*3600, 14*3600, 5*3600+1800)))
	}
	return moment.Format(time.RFC3339)
}

// entitlements are those of the edition, most often all of them, and sometimes
// one that the edition does not have.
func (d dice) entitlements(edition string, percentDropped int) []string {
	out := []string{}
	for _, id := range slices.Sorted(maps.Keys(entitlementEditions)) {
		switch {
		case !slices.Contains(entitlementEditions[id], edition) && !d.chance(30):
		case d.chance(percentDropped / 3):
		default:
			out = append(out, id)
		}
	}
	return out
}

func (d dice) someEntitlements() []string {
	all := slices.Sorted(maps.Keys(entitlementEditions))
	out := []string{}
	for range 1 + d.IntN(3) {
		out = append(out, pick(d, all...))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// limitValues lie close together, so that one limit is often just another one.
var limitValues = []string{"0.00", "100.00", "500.00", "1000.00", "1000", "2500.00", "10000.00", "25000.00", "40000.00", "99999.00"}

func (d dice) limit(p permission) string {
	if p.Type == "money" && d.chance(25) {
		return pick(d, "0.01", "100.50", "500.01", "999.99", "2500.5", "9999999999.99")
	}
	if p.ID == "wires.dual_limit" && d.chance(60) {
		return pick(d, limitValues[:5]...)
	}
	if d.chance(70) {
		return pick(d, limitValues[4:]...)
	}
	return pick(d, limitValues...)
}

// ceilings bind a few limits; some name what is no limit here at all.
func (d dice) ceilings() map[string]string {
	out := map[string]string{}
	for _, p := range cataloguePermissions {
		percent := 25
		if isDaily(p.ID) {
			percent = 60
		}
		if p.isLimit() && d.chance(percent) {
			out[p.ID] = d.limit(p)
		}
	}
	if d.chance(15) {
		out[pick(d, "ach.view", "nothing.of_the_kind")] = "1.00"
	}
	return out
}

// member makes a member; the first two are most often admins who can act.
func (d dice) member(id string, number int, accounts []string) Member {
	m := Member{ID: id, Role: pick(d, "admin", "viewer", "user", "user"), Status: "active", Held: d.chance(6)}
	if number < 2 && d.chance(80) {
		m.Role = "admin"
	}
	if d.chance(10) {
		m.Status = pick(d, "pending", "locked", "disabled")
	}
	style := d.style()
	m.Permissions = d.settings(style, levelUser)
	if d.chance(90) {
		m.Permissions["user_management.enabled"] = m.Role != "user"
	}
	m.Accounts = map[string]map[string]any{}
	for _, account := range accounts {
		if d.chance(92) {
			m.Accounts[account] = d.settings(pick(d, style, style, d.style()), levelUserAccount)
		}
	}
	if d.chance(10) {
		m.Accounts["foreign"] = d.settings(full, levelUserAccount)
	}
	return m
}

// A style says how much a member has.
type style int

const (
	full   style = iota // everything
	nearly              // everything but one to three settings
	mixed               // about two thirds of everything, consistent or not
	sparse              // little
)

func (d dice) style() style {
	return pick(d, full, full, full, full, nearly, nearly, nearly, nearly, mixed, sparse)
}

// settings makes the values of a level. They name permissions of both
// editions, and now and then some that do not exist at the level or anywhere.
func (d dice) settings(s style, level string) map[string]any {
	out := map[string]any{}
	var set []string
	for _, p := range cataloguePermissions {
		if !existsAt(p.ID, level) {
			continue
		}
		percent := map[style]int{full: 100, nearly: 100, mixed: 65, sparse: 15}[s]
		switch {
		case p.Restricts:
			percent = 55
		case p.isLimit() && level == levelUserAccount:
			percent = 25
		}
		if d.chance(percent) {
			out[p.ID] = d.value(p, s)
			set = append(set, p.ID)
		} else if p.isSwitch() && d.chance(50) {
			out[p.ID] = false
		}
	}
	if s == nearly {
		for range 1 + d.IntN(3) {
			delete(out, pick(d, set...))
		}
	}
	if d.chance(8) {
		d.addStrangers(out, level)
	}
	return out
}

func (d dice) value(p permission, s style) any {
	switch {
	case p.isSwitch():
		return true
	case p.isChoice() && s == full:
		return "full"
	case p.isChoice():
		return pick(d, p.Choices...)
	case d.chance(2):
		return "750.50" // imported, although some limits have no cents
	}
	return d.limit(p)
}

// addStrangers adds settings that must be ignored.
func (d dice) addStrangers(out map[string]any, level string) {
	out["nothing.of_the_kind"] = pick[any](d, true, "1.00", "full", nil, 7.0)
	if level == levelUser {
		out["account.access"], out["transfers.from"] = true, true
		return
	}
	out["ach.view"], out["transfers.limit"] = pick(d, true, false), "1.00"
}
