package wire

import (
	"fmt"

	"mandate/internal/db"
	"mandate/internal/fault"
)

// A State is how far a wire has come.
type State string

const (
	Scheduled State = "scheduled"        // by a series; it is sent off on its day
	Ready     State = "ready"            // saved, or come back; somebody who may sends it off
	Pending   State = "pending_approval" // sent off, and a second person must agree
	Initiated State = "initiated"        // sent off, and agreed to where that is asked; it waits for its day
	Sent      State = "sent"             // at the host, which has not answered
	Processed State = "processed"        //
	Cancelled State = "cancelled"        //
)

// States are all states in the order of screens.
func States() []State {
	return []State{Ready, Pending, Scheduled, Initiated, Sent, Processed, Cancelled}
}

var stateLabels = map[State]string{
	Scheduled: "Scheduled", Ready: "Ready", Pending: "Pending approval", Initiated: "Initiated", Sent: "Being sent", Processed: "Processed", Cancelled: "Cancelled",
}

// Label is the state as screens show it.
func (s State) Label() string { return stateLabels[s] }

// A Step is what happens to a wire.
type Step string

const (
	edit     Step = "edit"
	initiate Step = "initiate" // sent off by one person
	submit   Step = "submit"   // sent off, for a second person
	approve  Step = "approve"
	giveBack Step = "give_back" // rejected, not decided in time, or refused on its day or by the host
	release  Step = "release"   // handed to the host
	process  Step = "process"   // the host did it
	cancel   Step = "cancel"
)

// steps are all that can happen; whatever is not here cannot.
var steps = map[State]map[Step]State{
	Scheduled: {initiate: Initiated, submit: Pending, giveBack: Ready, cancel: Cancelled},
	Ready:     {edit: Ready, initiate: Initiated, submit: Pending, cancel: Cancelled},
	Pending:   {edit: Ready, approve: Initiated, giveBack: Ready, cancel: Cancelled},
	Initiated: {edit: Ready, release: Sent, giveBack: Ready, cancel: Cancelled},
	Sent:      {process: Processed, giveBack: Ready},
}

// can reports whether a step can be taken in this state, whatever anybody's
// rights.
func (s State) can(step Step) bool { _, can := steps[s][step]; return can }

// counts reports whether a wire in this state counts against daily limits.
func (s State) counts() bool { return s == Pending || s == Initiated || s == Sent || s == Processed }

// to takes a step and stores the wire.
func (w *Wire) to(tx *db.Tx, step Step) error {
	next, can := steps[w.State][step]
	if !can {
		return fault.Newf(fault.Conflict, "This cannot be done with the wire now: it is %s.", stateWords[w.State]).With("STATE")
	}
	w.State, w.Version = next, w.Version+1
	switch next {
	case Ready:
		w.Item, w.Approver = "", ""
	case Sent:
		w.Sent = tx.Now
	case Processed, Cancelled:
		w.Settled = tx.Now
	}
	if err := update(tx, w); err != nil {
		return fmt.Errorf("%s %s: %w", step, w.ID, err)
	}
	return nil
}

var stateWords = map[State]string{
	Scheduled: "scheduled", Ready: "ready", Pending: "waiting for approval", Initiated: "initiated", Sent: "being sent", Processed: "processed", Cancelled: "cancelled",
}
