package usermgmt

import (
	"fmt"
	"slices"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// A Command is something that changes where a member stands: their status,
// their hold, or whether they are there at all.
type Command uint8

const (
	CommandCreate Command = iota
	CommandActivate
	CommandLock
	CommandUnlock
	CommandDisable
	CommandDelete
	CommandHold
	CommandRelease
)

// A Transition is one row of the state machine: what a command makes of a
// member, and who may give it. Whoever is not named may not.
type Transition struct {
	Command Command
	Event   string
	From    []bank.Status     // where the command means anything; none: nobody is there yet
	To      bank.Status       // meaningless where the command leaves the status alone
	Member  catalog.Operation // what an admin in Online must be allowed
	Staff   string            // the bank edition's staff permission in People; empty: staff may not
	StaffCU string            // the same in the credit-union edition
	Others  []bank.ActorKind
}

// transitions is the whole life of an organization user. A hold stands beside
// the status and never changes it; disabled is final; nothing leads back to
// pending.
var transitions = map[Command]Transition{
	CommandCreate: {
		Event: "orguser.created", To: bank.StatusPending,
		Member: catalog.CreateUser, Others: []bank.ActorKind{bank.ActorHost},
	},
	CommandActivate: { // identity: the first sign-in
		Event: "orguser.activated", From: []bank.Status{bank.StatusPending}, To: bank.StatusActive,
		Others: []bank.ActorKind{bank.ActorSystem},
	},
	CommandLock: { // identity: wrong attempts; or the host's staff
		Event: "orguser.locked", From: []bank.Status{bank.StatusPending, bank.StatusActive}, To: bank.StatusLocked,
		Others: []bank.ActorKind{bank.ActorSystem, bank.ActorHost},
	},
	CommandUnlock: {
		Event: "orguser.unlocked", From: []bank.Status{bank.StatusLocked}, To: bank.StatusActive,
		Member: catalog.UnlockUser, Staff: staffManage, StaffCU: staffManage, Others: []bank.ActorKind{bank.ActorHost},
	},
	CommandDisable: {
		Event: "orguser.disabled", From: []bank.Status{bank.StatusPending, bank.StatusActive, bank.StatusLocked}, To: bank.StatusDisabled,
		Others: []bank.ActorKind{bank.ActorHost},
	},
	CommandDelete: {
		Event: "orguser.deleted", From: []bank.Status{bank.StatusPending, bank.StatusActive, bank.StatusLocked, bank.StatusDisabled},
		Member: catalog.DeleteUser, StaffCU: staffManage, Others: []bank.ActorKind{bank.ActorHost},
	},
	CommandHold: {
		Event: "orguser.hold_placed", From: []bank.Status{bank.StatusPending, bank.StatusActive, bank.StatusLocked},
		Member: catalog.HoldUser, StaffCU: staffManage, Others: []bank.ActorKind{bank.ActorHost},
	},
	CommandRelease: {
		Event: "orguser.hold_removed", From: []bank.Status{bank.StatusPending, bank.StatusActive, bank.StatusLocked, bank.StatusDisabled},
		Member: catalog.HoldUser, StaffCU: staffManage, Others: []bank.ActorKind{bank.ActorHost},
	},
}

// Transitions are the rows of the state machine in the order of commands, for
// documentation and tests.
func Transitions() []Transition {
	all := make([]Transition, 0, len(transitions))
	for command := CommandCreate; command <= CommandRelease; command++ {
		t := transitions[command]
		t.Command = command
		all = append(all, t)
	}
	return all
}

// action is the command as the guard sees it, for an institution of an edition.
func (t Transition) action(edition bank.Edition) guard.Action {
	staff := t.Staff
	if edition == bank.EditionCreditUnion {
		staff = t.StaffCU
	}
	return guard.Action{Event: t.Event, Member: t.Member, Staff: staff, Others: t.Others}
}

// check refuses a command where it means nothing.
func (t Transition) check(m Member) error {
	if slices.Contains(t.From, m.Status) {
		return nil
	}
	return errStatus(m)
}

func errStatus(m Member) error {
	return fault.New(fault.Conflict, fmt.Sprintf("%s is %s, so this cannot be done.", m.Name(), statusWord(m.Status))).With("STATUS")
}

func statusWord(s bank.Status) string {
	return [...]string{"pending", "active", "locked", "disabled"}[s]
}
