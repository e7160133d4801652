// Package catalog states what exists: entitlements, permissions, operations,
// role powers. It is data, one line a fact; labels, prerequisites, screens and
// decisions follow from it. It says nothing about any customer.
package catalog

import (
	"mandate/internal/bank"
	"math/bits"
)

// An Entitlement is a whole capability that an institution offers, an
// organization has and a person uses.
type Entitlement uint8

// The zero entitlement is none: account access belongs to no entitlement.
const (
	NoEntitlement Entitlement = iota
	ACH
	ARP
	Cards
	Stops
	Transfers
	Wires
	UserManagement
	entitlementCount
)

// EntitlementInfo describes an entitlement.
type EntitlementInfo struct {
	ID       string // as files and APIs name it
	Label    string
	Editions Editions
	Enabled  Permission // the switch that turns it on for an organization and for a member
}

var entitlements = [entitlementCount]EntitlementInfo{
	ACH:            {"ach", "ACH", bothEditions, ACHEnabled},
	ARP:            {"arp", "ARP/Positive Pay", bankOnly, ARPEnabled},
	Cards:          {"cards", "Card management", bothEditions, CardsEnabled},
	Stops:          {"stops", "Stop payments", bothEditions, StopsEnabled},
	Transfers:      {"transfers", "Transfers", bothEditions, TransfersEnabled},
	Wires:          {"wires", "Wires", bothEditions, WiresEnabled},
	UserManagement: {"user_management", "User management", bothEditions, UserManagementEnabled},
}

// Entitlements are all entitlements in the order in which screens show them.
func Entitlements() []Entitlement {
	return []Entitlement{ACH, ARP, Cards, Stops, Transfers, Wires, UserManagement}
}

func (e Entitlement) info() EntitlementInfo { return entitlements[e] }

// ID is the entitlement's stable name, such as "wires".
func (e Entitlement) ID() string { return e.info().ID }

// Label is the entitlement's name on screens.
func (e Entitlement) Label() string { return e.info().Label }

// Enabled is the switch that turns the entitlement on.
func (e Entitlement) Enabled() Permission { return e.info().Enabled }

// In reports whether the entitlement exists in an edition.
func (e Entitlement) In(edition bank.Edition) bool { return e.info().Editions.Has(edition) }

// ParseEntitlement finds an entitlement by its stable name.
func ParseEntitlement(id string) (Entitlement, bool) {
	for _, e := range Entitlements() {
		if e.ID() == id {
			return e, true
		}
	}
	return NoEntitlement, false
}

// An EntitlementSet holds entitlements as bits, bit e for entitlement e. It is
// stored: never renumber.
type EntitlementSet uint8

// Has reports whether e is in the set.
func (s EntitlementSet) Has(e Entitlement) bool { return s&(1<<e) != 0 }

// With returns the set with e in it.
func (s EntitlementSet) With(e Entitlement) EntitlementSet { return s | 1<<e }

// Without returns the set with e taken out.
func (s EntitlementSet) Without(e Entitlement) EntitlementSet { return s &^ (1 << e) }

// EntitlementsIn returns the members of the set in screen order.
func EntitlementsIn(s EntitlementSet) []Entitlement {
	var in []Entitlement
	for _, e := range Entitlements() {
		if s.Has(e) {
			in = append(in, e)
		}
	}
	return in
}

// Editions says in which editions something exists.
type Editions uint8

const (
	bankOnly        Editions = 1 << bank.EditionBank
	creditUnionOnly Editions = 1 << bank.EditionCreditUnion
	bothEditions             = bankOnly | creditUnionOnly
)

// Has reports whether the thing exists in an edition.
func (e Editions) Has(edition bank.Edition) bool { return e&(1<<edition) != 0 }

// A Permission is a switch, choice or limit that can be set for a member, at
// user level or for one account. Its number is stored as a bit: never renumber,
// only append.
type Permission uint8

const (
	UserManagementEnabled Permission = iota
	AccountAccess
	ACHEnabled
	ACHView
	ACHDailyLimit
	ACHPerBatchLimit
	ACHInitiate
	ACHFullControl
	ACHSameDay
	ACHDebits
	ACHEditLevel
	ACHRecurring
	ACHImportRecipients
	ACHUploadFile
	ACHDelete
	ACHRestricted
	ARPEnabled
	ARPUpload
	ARPDownload
	ARPWorkChecks
	ARPWorkACH
	CardsEnabled
	CardsManage
	StopsEnabled
	StopsView
	StopsAdd
	TransfersEnabled
	TransfersLimit
	TransfersAllow
	TransfersTo
	TransfersFrom
	WiresEnabled
	WiresWork
	WiresTemplateCreate
	WiresTemplateEdit
	WiresOneTimeCreate
	WiresOneTimeEdit
	WiresRecurringEdit
	WiresDelete
	WiresPerWireLimit
	WiresDailyLimit
	WiresDualLimit
	WiresTransmit
	WiresTransmitRecurring
	WiresDualControl
	WiresTransmitFuture
	PermissionCount // how many there are; not a permission
)

// A Type says what kind of value a permission has.
type Type uint8

const (
	Switch      Type = iota // on or off; off unless set
	Choice                  // one of several; none unless set
	Money                   // a limit in dollars and cents
	WholeDollar             // a limit in whole dollars
)

var typeNames = [...]string{Switch: "switch", Choice: "choice", Money: "money", WholeDollar: "whole_dollar"}

func (t Type) String() string { return typeNames[t] }

// Levels says at which levels below the institution a permission exists.
type Levels uint8

const (
	AtOrganization Levels = 1 << iota
	AtUser
	AtAccount // the organization user's account
)

// Has reports whether the permission exists at level l.
func (s Levels) Has(l Levels) bool { return s&l != 0 }

// A Need is one prerequisite of a permission, at the same level.
type Need struct {
	Permission Permission
	Positive   bool // a limit above zero; otherwise a switch that is on
}

// PermissionInfo describes a permission.
type PermissionInfo struct {
	Permission  Permission
	ID          string
	Entitlement Entitlement
	Label       string
	Type        Type
	Levels      Levels
	Needs       []Need
	Editions    Editions
	Restricts   bool   // switched on anywhere it binds: more of it allows less
	Help        string // what it lets a person do, in one sentence
}

func on(p Permission) Need       { return Need{Permission: p} }
func positive(p Permission) Need { return Need{Permission: p, Positive: true} }

const (
	user        = AtUser
	account     = AtAccount
	userAccount = AtUser | AtAccount
	orgUser     = AtOrganization | AtUser
)

var permissions = [PermissionCount]PermissionInfo{
	{UserManagementEnabled, "user_management.enabled", UserManagement, "User management", Switch, orgUser, nil, bothEditions, false, "See and use User management, as far as the role goes. Always off for the role User."},
	{AccountAccess, "account.access", NoEntitlement, "Account access", Switch, account, nil, bothEditions, false, "See the account at all. Without it nothing else works on the account."},

	{ACHEnabled, "ach.enabled", ACH, "Enabled", Switch, orgUser, nil, bothEditions, false, "Use ACH. Nothing below works without it."},
	{ACHView, "ach.view", ACH, "View ACH", Switch, user, []Need{on(ACHEnabled)}, bothEditions, false, "See batches and ACH activity. Every other ACH permission needs it."},
	{ACHDailyLimit, "ach.daily_limit", ACH, "Daily ACH limit", Money, user, []Need{on(ACHView)}, bothEditions, false, "The most that may be initiated in a day, all batches together."},
	{ACHPerBatchLimit, "ach.per_batch_limit", ACH, "Per batch ACH limit", Money, user, []Need{on(ACHView)}, creditUnionOnly, false, "The largest single batch that may be initiated."},
	{ACHInitiate, "ach.initiate", ACH, "Initiate ACH", Switch, user, []Need{on(ACHView), positive(ACHDailyLimit)}, bothEditions, false, "Send batches to the institution for processing."},
	{ACHFullControl, "ach.full_control", ACH, "Full ACH control", Switch, user, []Need{on(ACHInitiate)}, bothEditions, false, "Edit and initiate the same batch without a second person."},
	{ACHSameDay, "ach.same_day", ACH, "Initiate same day ACH", Switch, user, []Need{on(ACHInitiate)}, bothEditions, false, "Initiate batches that settle today."},
	{ACHDebits, "ach.debits", ACH, "ACH debits", Switch, user, []Need{on(ACHView)}, creditUnionOnly, false, "Create and initiate entries that collect money."},
	{ACHEditLevel, "ach.edit_level", ACH, "Edit/create ACH Control", Choice, user, []Need{on(ACHView)}, bothEditions, false, "How far batches may be created and changed."},
	{ACHRecurring, "ach.recurring", ACH, "Recurring ACH", Switch, user, []Need{on(ACHView)}, bothEditions, false, "Change recurring batches while editing them."},
	{ACHImportRecipients, "ach.import_recipients", ACH, "Import recipients", Switch, user, []Need{on(ACHView)}, bothEditions, false, "Load recipients into a batch from a fixed-position, CSV or tab-delimited file."},
	{ACHUploadFile, "ach.upload_file", ACH, "Upload ACH file", Switch, user, []Need{on(ACHView)}, bothEditions, false, "Upload a NACHA file of batches."},
	{ACHDelete, "ach.delete", ACH, "Batch delete", Switch, user, []Need{on(ACHView)}, bothEditions, false, "Remove one batch or several."},
	{ACHRestricted, "ach.restricted", ACH, "Restricted batch access", Switch, user, []Need{on(ACHView)}, bothEditions, false, "Create and see batches marked restricted, such as payroll."},

	{ARPEnabled, "arp.enabled", ARP, "Enabled", Switch, orgUser, nil, bankOnly, false, "Use ARP/Positive Pay. Nothing below works without it."},
	{ARPUpload, "arp.upload", ARP, "Upload ARP/Positive Pay", Switch, userAccount, []Need{on(ARPEnabled)}, bankOnly, false, "Upload files of issued checks."},
	{ARPDownload, "arp.download", ARP, "Download ARP", Switch, userAccount, []Need{on(ARPEnabled)}, bankOnly, false, "Download the output file that the institution made."},
	{ARPWorkChecks, "arp.work_checks", ARP, "Work ARP/Positive Pay", Switch, userAccount, []Need{on(ARPEnabled)}, bankOnly, false, "Decide on check exceptions."},
	{ARPWorkACH, "arp.work_ach", ARP, "Work ACH exceptions", Switch, userAccount, []Need{on(ARPEnabled)}, bankOnly, false, "Decide whether ACH exceptions are paid or returned."},

	{CardsEnabled, "cards.enabled", Cards, "Enabled", Switch, orgUser, nil, bothEditions, false, "Use card management. Nothing below works without it."},
	{CardsManage, "cards.manage", Cards, "Card management", Switch, user, []Need{on(CardsEnabled)}, bothEditions, false, "Manage the cards of the accounts they can see."},

	{StopsEnabled, "stops.enabled", Stops, "Enabled", Switch, orgUser, nil, bothEditions, false, "Use stop payments. Nothing below works without it."},
	{StopsView, "stops.view", Stops, "View stop payment", Switch, userAccount, []Need{on(StopsEnabled)}, bothEditions, false, "See the history of stop payments."},
	{StopsAdd, "stops.add", Stops, "Add stop payment", Switch, userAccount, []Need{on(StopsView)}, bothEditions, false, "Place stop payments on checks."},

	{TransfersEnabled, "transfers.enabled", Transfers, "Enabled", Switch, orgUser, nil, bothEditions, false, "Use transfers. Nothing below works without it."},
	{TransfersLimit, "transfers.limit", Transfers, "Transfer limit", Money, user, []Need{on(TransfersEnabled)}, bothEditions, false, "The largest amount of one transfer."},
	{TransfersAllow, "transfers.allow", Transfers, "Allow transfers", Switch, user, []Need{on(TransfersEnabled), positive(TransfersLimit)}, bothEditions, false, "Move money between the organization's own accounts."},
	{TransfersTo, "transfers.to", Transfers, "Transfer to", Switch, account, nil, bothEditions, false, "Move money into this account."},
	{TransfersFrom, "transfers.from", Transfers, "Transfer from", Switch, account, nil, bothEditions, false, "Move money out of this account."},

	{WiresEnabled, "wires.enabled", Wires, "Enabled", Switch, orgUser, nil, bothEditions, false, "Use wires. Nothing below works without it."},
	{WiresWork, "wires.work", Wires, "Work with wires", Switch, userAccount, []Need{on(WiresEnabled)}, bankOnly, false, "See wires and work with them. Every other wires permission needs it."},
	{WiresTemplateCreate, "wires.template_create", Wires, "Create wire templates", Switch, userAccount, []Need{on(WiresWork)}, bankOnly, false, "Create templates for wires that repeat."},
	{WiresTemplateEdit, "wires.template_edit", Wires, "Edit wire templates", Switch, userAccount, []Need{on(WiresWork)}, bankOnly, false, "Change templates for wires that repeat."},
	{WiresOneTimeCreate, "wires.one_time_create", Wires, "Create one-time wires", Switch, userAccount, []Need{on(WiresWork)}, bothEditions, false, "Create wires that are sent once."},
	{WiresOneTimeEdit, "wires.one_time_edit", Wires, "Edit one-time wires", Switch, userAccount, []Need{on(WiresWork)}, bothEditions, false, "Change wires that are sent once."},
	{WiresRecurringEdit, "wires.recurring_edit", Wires, "Edit recurring wires", Switch, userAccount, []Need{on(WiresWork)}, bankOnly, false, "Change series of recurring wires."},
	{WiresDelete, "wires.delete", Wires, "Delete wires", Switch, userAccount, []Need{on(WiresWork)}, creditUnionOnly, false, "Delete wires that have not been sent."},
	{WiresPerWireLimit, "wires.per_wire_limit", Wires, "Per wire limit", WholeDollar, userAccount, []Need{on(WiresWork)}, bothEditions, false, "The largest single wire, in whole dollars."},
	{WiresDailyLimit, "wires.daily_limit", Wires, "Daily wire limit", WholeDollar, userAccount, []Need{on(WiresWork)}, bankOnly, false, "The most that may be sent in a day, all wires together, in whole dollars."},
	{WiresDualLimit, "wires.dual_limit", Wires, "Dual wire control limit", WholeDollar, userAccount, []Need{on(WiresWork)}, bankOnly, false, "Wires over this amount need a second person, in whole dollars."},
	{WiresTransmit, "wires.transmit", Wires, "Transmit wires", Switch, userAccount, []Need{on(WiresWork), positive(WiresPerWireLimit), positive(WiresDailyLimit)}, bothEditions, false, "Send wires."},
	{WiresTransmitRecurring, "wires.transmit_recurring", Wires, "Transmit recurring wires", Switch, userAccount, []Need{on(WiresTransmit)}, bankOnly, false, "Send series of recurring wires."},
	{WiresDualControl, "wires.dual_control", Wires, "Dual wire control", Switch, userAccount, []Need{on(WiresTransmit), positive(WiresDualLimit)}, bankOnly, true, "Require a second person for wires over the dual wire control limit."},
	{WiresTransmitFuture, "wires.transmit_future", Wires, "Transmit future-dated wires", Switch, userAccount, []Need{on(WiresTransmit)}, bankOnly, false, "Send wires with an effective date after today."},
}

var permissionByID = func() map[string]Permission {
	byID := make(map[string]Permission, PermissionCount)
	for _, info := range permissions {
		byID[info.ID] = info.Permission
	}
	return byID
}()

// Info describes the permission.
func (p Permission) Info() *PermissionInfo { return &permissions[p] }

// ID is the permission's stable name, such as "wires.transmit".
func (p Permission) ID() string { return permissions[p].ID }

func (p Permission) String() string {
	if p >= PermissionCount {
		return ""
	}
	return p.ID()
}

// In reports whether the permission exists in an edition.
func (p Permission) In(edition bank.Edition) bool { return permissions[p].Editions.Has(edition) }

// At reports whether the permission exists at one of the levels.
func (p Permission) At(l Levels) bool { return permissions[p].Levels.Has(l) }

// IsLimit reports whether the permission is an amount.
func (p Permission) IsLimit() bool {
	return permissions[p].Type == Money || permissions[p].Type == WholeDollar
}

// ParsePermission finds a permission by its stable name.
func ParsePermission(id string) (Permission, bool) {
	p, ok := permissionByID[id]
	return p, ok
}

// Of returns the permissions of an entitlement that exist in an edition and at
// a level, in screen order.
func Of(e Entitlement, edition bank.Edition, level Levels) []Permission {
	var in []Permission
	for p := range PermissionCount {
		if permissions[p].Entitlement == e && p.In(edition) && p.At(level) {
			in = append(in, p)
		}
	}
	return in
}

// Needs returns what p needs in an edition. A need that the edition lacks is
// replaced by what it needs itself (spec, section 1).
func (p Permission) Needs(edition bank.Edition) []Need { return needs[edition][p] }

var needs = func() (all [2][PermissionCount][]Need) {
	for edition := range all {
		for p := range PermissionCount {
			all[edition][p] = expand(permissions[p].Needs, bank.Edition(edition))
		}
	}
	return all
}()

func expand(needs []Need, edition bank.Edition) []Need {
	var out []Need
	seen := map[Need]bool{}
	for _, need := range needs {
		found := []Need{need}
		if !need.Permission.In(edition) {
			found = expand(need.Permission.Info().Needs, edition)
		}
		for _, n := range found {
			if !seen[n] {
				seen[n] = true
				out = append(out, n)
			}
		}
	}
	return out
}

// A Set holds permissions as bits, bit p for permission p.
type Set uint64

// SetOf returns the set of the given permissions.
func SetOf(permissions ...Permission) Set {
	var s Set
	for _, p := range permissions {
		s = s.With(p)
	}
	return s
}

// Has reports whether p is in the set.
func (s Set) Has(p Permission) bool { return s&(1<<p) != 0 }

// With returns the set with p in it.
func (s Set) With(p Permission) Set { return s | 1<<p }

// Without returns the set with p taken out.
func (s Set) Without(p Permission) Set { return s &^ (1 << p) }

// All yields the permissions of the set in catalogue order.
func (s Set) All(yield func(Permission) bool) {
	for s != 0 {
		p := Permission(bits.TrailingZeros64(uint64(s)))
		if !yield(p) {
			return
		}
		s &= s - 1
	}
}

// A Limit numbers the permissions that are amounts, so that their values can
// stand in an array. It is stored: never renumber.
type Limit uint8

const (
	LimitACHDaily Limit = iota
	LimitACHPerBatch
	LimitTransfer
	LimitPerWire
	LimitWiresDaily
	LimitWiresDual
	LimitCount // how many there are; not a limit
)

var limitPermissions = [LimitCount]Permission{ACHDailyLimit, ACHPerBatchLimit, TransfersLimit, WiresPerWireLimit, WiresDailyLimit, WiresDualLimit}

// Permission is the permission whose amount the limit is.
func (l Limit) Permission() Permission { return limitPermissions[l] }

// Daily reports whether the limit is over all of a day, not one payment.
func (l Limit) Daily() bool { return l == LimitACHDaily || l == LimitWiresDaily }

// Limit is the number of a permission that is an amount; only programmers ask
// it of others.
func (p Permission) Limit() Limit {
	for l, q := range limitPermissions {
		if p == q {
			return Limit(l)
		}
	}
	panic("catalog: " + p.ID() + " is not a limit")
}

// An EditLevel is how far a member may create and change ACH batches.
type EditLevel uint8

const (
	EditNone    EditLevel = iota
	EditPartial           // amount, debit or credit, addenda, held, prenote of an entry
	EditFull
)

var editLevels = [...]string{EditNone: "none", EditPartial: "partial", EditFull: "full"}

func (e EditLevel) String() string { return editLevels[e] }

// Label is the choice as screens show it.
func (e EditLevel) Label() string {
	return [...]string{"None", "Partial edit", "Full edit/create"}[e]
}

// ParseEditLevel reads "none", "partial" or "full".
func ParseEditLevel(s string) (EditLevel, bool) {
	for i, name := range editLevels {
		if name == s {
			return EditLevel(i), true
		}
	}
	return EditNone, false
}
