// Package obstacle walks every operation by every reason that can block it, for
// tests of the edges. It is for tests only.
//
// How to use it. Of makes, for an operation, a world in which the operation is
// allowed (Open), and from it every world in which one thing was taken away:
// an entitlement, a switch, an account, a limit, the person's standing. Whatever
// the engine then refuses is an Obstacle with the reasons that the edge must
// tell. A new operation or permission of the catalogue makes new obstacles by
// itself. An edge plugs an operation in by adding one entry to its table:
//
//	web/online/obstacle_test.go: tries[catalog.WiresTransmitOperation] = try{ask: ..., may: ...}
//	api/obstacle_test.go:        tries[catalog.WiresTransmitOperation] = ...
//
// where "ask" sends the request that the operation is for (with the accounts and
// the amount of the obstacle's Request) and "may" recognizes the answer of
// somebody who is allowed, which may be the question for a high-risk
// authorization. Nothing else is to be written: the walk stores each world,
// asks, and compares what is said with the engine's reasons. What a room asks
// for besides belongs into Ask.
package obstacle

import (
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/usermgmt"
)

// An Ask is what an operation is asked about.
type Ask struct {
	Operation catalog.Operation
	Member    bank.UserID
	Account   bank.AccountID // where the operation has one
	ToAccount bank.AccountID // of a transfer
	Cents     bank.Cents     // where the operation has limits
	Context   map[string]any
	Besides   catalog.Set
}

// A World is everything that bears on one member's question, as it is stored.
type World struct {
	Offers, Has catalog.EntitlementSet
	Ceilings    entitlement.Limits
	Status      bank.Status
	Held        bool
	Settings    entitlement.Settings
	Accounts    map[bank.AccountID]entitlement.Settings
	Off         map[bank.AccountID]catalog.EntitlementSet // credit union: what is switched off for an account
}

// An Obstacle is a world in which something blocks, and all that blocks there.
type Obstacle struct {
	Name    string // what was taken away
	Ask     Ask
	World   World
	Reasons []entitlement.Reason
}

// Enough is every limit where nothing was taken away.
const Enough = bank.Cents(1_000_000_00)

// Open is the world in which an operation is allowed, and everything else too.
// Only the accounts that are asked about can be seen.
func Open(ask Ask, edition bank.Edition) World {
	w := World{Status: bank.StatusActive, Accounts: map[bank.AccountID]entitlement.Settings{}}
	on := entitlement.Settings{EditLevel: catalog.EditFull}
	var all catalog.Set
	for _, e := range catalog.Entitlements() {
		w.Offers, w.Has = w.Offers.With(e), w.Has.With(e)
		for _, level := range []catalog.Levels{catalog.AtUser, catalog.AtAccount} {
			for _, p := range catalog.Of(e, edition, level) {
				switch {
				case p.IsLimit() && level == catalog.AtUser:
					on.Limits = on.Limits.With(p.Limit(), Enough)
				case !p.IsLimit() && !p.Info().Restricts && p != catalog.ACHEditLevel:
					all = all.With(p)
				}
			}
		}
	}
	on.On = all.With(catalog.AccountAccess)
	w.Settings = on
	for _, id := range []bank.AccountID{ask.Account, ask.ToAccount} {
		if id != "" {
			w.Accounts[id] = entitlement.Settings{On: on.On}
		}
	}
	return w
}

// Of are all obstacles of an operation in an edition. Where the edition lacks the
// operation, the open world is the first of them.
func Of(ask Ask, institution entitlement.Institution, accounts []bank.AccountID) []Obstacle {
	open := Open(ask, institution.Edition)
	var all []Obstacle
	try := func(w World, format string, args ...any) {
		if reasons := w.decide(ask, institution, accounts).Reasons; len(reasons) > 0 {
			all = append(all, Obstacle{fmt.Sprintf(format, args...), ask, w, reasons})
		}
	}
	try(open, "nothing was taken away")
	for _, status := range []bank.Status{bank.StatusPending, bank.StatusLocked, bank.StatusDisabled} {
		w := open
		w.Status = status
		try(w, "the person is %s", status)
	}
	held := open
	held.Held = true
	try(held, "the person is held")
	for _, e := range catalog.Entitlements() {
		w := open
		w.Offers = w.Offers.Without(e)
		try(w, "the institution offers no %s", e.ID())
		w = open
		w.Has = w.Has.Without(e)
		try(w, "the organization has no %s", e.ID())
		for _, id := range accounts {
			w = open
			w.Off = map[bank.AccountID]catalog.EntitlementSet{id: catalog.EntitlementSet(0).With(e)}
			try(w, "%s is switched off for %s", e.ID(), id)
		}
	}
	open.eachSwitch(func(w World, what string) { try(w, "%s", what) })
	open.eachLimit(ask, func(w World, what string) { try(w, "%s", what) })
	return all
}

// eachSwitch takes away one switch, choice or account at a time.
func (w World) eachSwitch(try func(World, string)) {
	for p := range w.Settings.On.All {
		if p != catalog.AccountAccess {
			less := w
			less.Settings.On = less.Settings.On.Without(p)
			try(less, p.ID()+" is off")
		}
	}
	none := w
	none.Settings.EditLevel = catalog.EditNone
	try(none, "nothing of ACH may be edited")
	for id, s := range w.Accounts {
		for p := range s.On.All {
			try(w.on(id, entitlement.Settings{On: s.On.Without(p), Limits: s.Limits}), fmt.Sprintf("%s is off on %s", p.ID(), id))
		}
	}
}

// eachLimit lowers one limit at a time to a cent below what is asked for.
func (w World) eachLimit(ask Ask, try func(World, string)) {
	for _, limit := range ask.Operation.Info().Limits {
		p := limit.Permission()
		less := w
		less.Settings.Limits = less.Settings.Limits.With(limit, ask.Cents-1)
		try(less, p.ID()+" is too low")
		less = w
		less.Ceilings = less.Ceilings.With(limit, ask.Cents-1)
		try(less, "the ceiling of "+p.ID()+" is too low")
		if s, has := w.Accounts[ask.Account]; has && p.At(catalog.AtAccount) {
			s.Limits = s.Limits.With(limit, ask.Cents-1)
			try(w.on(ask.Account, s), fmt.Sprintf("%s is too low on %s", p.ID(), ask.Account))
		}
	}
}

// on is the world with other settings on an account.
func (w World) on(id bank.AccountID, s entitlement.Settings) World {
	accounts := map[bank.AccountID]entitlement.Settings{}
	for other, settings := range w.Accounts {
		accounts[other] = settings
	}
	accounts[id] = s
	w.Accounts = accounts
	return w
}

// Allows reports whether the engine lets a member do what they ask for.
func (w World) Allows(ask Ask, institution entitlement.Institution) bool {
	return w.decide(ask, institution, []bank.AccountID{ask.Account, ask.ToAccount}).Allowed
}

// decide asks the engine about the world as it is stored.
func (w World) decide(ask Ask, institution entitlement.Institution, accounts []bank.AccountID) entitlement.Decision {
	institution.Offers = w.Offers
	p := &entitlement.Policy{
		Institution: institution, Organization: entitlement.Organization{Entitlements: w.Has, Ceilings: w.Ceilings}, Accounts: map[bank.AccountID]entitlement.Account{},
		Members: map[bank.UserID]*entitlement.Member{ask.Member: {ID: ask.Member, Status: w.Status, Held: w.Held, Settings: w.Settings, Accounts: w.Accounts}},
	}
	for _, id := range accounts {
		p.Accounts[id] = entitlement.Account{ID: id, Off: w.Off[id]}
	}
	req := entitlement.Request{
		Member: ask.Member, Operation: ask.Operation, Account: ask.Account, ToAccount: ask.ToAccount, Besides: ask.Besides,
		Context: entitlement.ReadContext(ask.Operation, institution.Edition, ask.Context),
	}
	if ask.Cents > 0 {
		req.Amount = entitlement.AmountOf(ask.Cents)
	}
	return entitlement.Decide(p, req)
}

// A Place is where a world is stored: the member's organization with all of its
// accounts.
type Place struct {
	Organization usermgmt.Organization
	Accounts     []*usermgmt.Account
	Ordinal      int64 // of the member
}

// Store makes a world true, but for what the institution offers, which is the
// caller's to store.
func (w World) Store(tx *db.Tx, at Place) error {
	o := at.Organization
	if err := usermgmt.SetOrganizationPolicy(tx, o.Institution, o.ID, w.Has, w.Ceilings); err != nil {
		return err
	}
	if err := usermgmt.SetMemberStanding(tx, o.Num, at.Ordinal, bank.RoleUser, w.Status, w.Held); err != nil {
		return err
	}
	if err := usermgmt.SetMemberSettings(tx, o.Num, at.Ordinal, w.Settings, 1); err != nil {
		return err
	}
	for _, a := range at.Accounts {
		if err := usermgmt.SetMemberAccount(tx, o.Num, at.Ordinal, a.Ordinal, w.Accounts[a.ID]); err != nil {
			return err
		}
	}
	return nil
}
