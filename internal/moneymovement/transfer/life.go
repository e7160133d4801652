package transfer

import (
	"fmt"

	"mandate/internal/db"
	"mandate/internal/fault"
)

// A State is how far a transfer has come.
type State string

const (
	Scheduled State = "scheduled" // waits for its day
	Sent      State = "sent"      // at the host, which has not answered
	Completed State = "completed" //
	Failed    State = "failed"    // the host refused it; somebody can make another
	Parked    State = "parked"    // it could not go out on its day; somebody tries again or cancels it
	Cancelled State = "cancelled" //
)

// States are all states in the order of screens.
func States() []State { return []State{Scheduled, Parked, Sent, Completed, Failed, Cancelled} }

// Label is the state as screens show it.
func (s State) Label() string {
	return map[State]string{
		Scheduled: "Scheduled", Sent: "Being carried out", Completed: "Completed", Failed: "Not carried out", Parked: "Needs attention", Cancelled: "Cancelled",
	}[s]
}

// A Step is what happens to a transfer.
type Step string

const (
	edit     Step = "edit"
	cancel   Step = "cancel"
	send     Step = "send"     // to the host, when its moment has come
	retry    Step = "retry"    // to the host once more
	park     Step = "park"     // it may not, or cannot, go out
	complete Step = "complete" // the host did it
	fail     Step = "fail"     // the host refused it
)

// steps are all that can happen; whatever is not here cannot.
var steps = map[State]map[Step]State{
	Scheduled: {edit: Scheduled, cancel: Cancelled, send: Sent, park: Parked},
	Sent:      {complete: Completed, fail: Failed, park: Parked},
	Parked:    {retry: Sent, cancel: Cancelled},
}

// can reports whether a person may ask for a step of a transfer in this state,
// whatever their rights.
func (s State) can(step Step) bool { _, can := steps[s][step]; return can }

// to takes a step and stores the transfer.
func (t *Transfer) to(tx *db.Tx, step Step) error {
	next, can := steps[t.State][step]
	if !can {
		return fault.Newf(fault.Conflict, "This transfer cannot be changed in this way: it is %s.", stateWord[t.State]).With("STATE")
	}
	t.State, t.Version = next, t.Version+1
	switch next {
	case Sent:
		t.Attempt++
		t.Sent, t.Code, t.Problem = tx.Now, "", ""
	case Completed, Failed, Parked, Cancelled:
		t.Settled = tx.Now
	}
	if err := update(tx, t); err != nil {
		return fmt.Errorf("%s %s: %w", step, t.ID, err)
	}
	return nil
}

var stateWord = map[State]string{
	Scheduled: "scheduled", Sent: "being carried out", Completed: "completed", Failed: "not carried out", Parked: "waiting for somebody's attention", Cancelled: "cancelled",
}
