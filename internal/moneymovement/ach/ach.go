// Package ach is the room of ACH batches: what an organization collects and
// pays through the ACH network. A batch is created, edited, imported into or
// uploaded as a NACHA file; somebody initiates it for a day and an account; a
// second person approves where the last editor asked for it; at the cut-off of
// its day a file is written, proved balanced, and handed to the host.
//
// Every verb passes the one door and asks the one decision, always with the
// whole context. Restricted batches are absent for whoever may not see them.
// The room moves no money itself and knows no other room.
package ach

import (
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/moneymovement/ach/nacha"
)

// Named limits.
const (
	MaxEntries     = 120_000 // of a batch
	MaxBatches     = 2_000   // of an organization, deleted ones aside
	MaxFileBatches = 100     // of one uploaded file
	MaxBulk        = 100     // batches of one bulk action
	MaxBatchName   = 60
	MaxPage        = 200

	// MaxDaysAhead is how far ahead of today an effective date may lie. What was
	// counted is void after seven days, so it must have gone out by then; later
	// dates are for schedules.
	MaxDaysAhead = 6

	// MaxSameDay is the network's bound for one entry of a same day batch.
	MaxSameDay bank.Cents = 1_000_000_00

	prefixBatch    = "ach"
	prefixEntry    = "ent"
	prefixRun      = "run"
	prefixCompany  = "cmp"
	prefixCategory = "cat"
)

// A BatchID names a batch, a RunID one of its ways to the institution.
type (
	BatchID    string
	EntryID    string
	RunID      string
	CompanyID  string
	CategoryID string
)

// A State is where a batch stands.
type State string

const (
	Uploaded   State = "uploaded" // came in as a file, and nobody has edited it
	Ready      State = "ready"
	Pending    State = "pending_approval"
	Initiated  State = "initiated"
	Processing State = "processing" // handed to the host
	Processed  State = "processed"
	Deleted    State = "deleted"
)

var stateLabels = map[State]string{Uploaded: "Uploaded", Ready: "Ready", Pending: "Pending approval", Initiated: "Initiated",
	Processing: "Processing", Processed: "Processed", Deleted: "Deleted"}

// States are all states of batches that are there, in the order of screens.
func States() []State { return []State{Uploaded, Ready, Pending, Initiated, Processing, Processed} }

// Label is the state as screens show it.
func (s State) Label() string { return stateLabels[s] }

// A step is what happens to a batch.
type step string

const (
	stepEdit       step = "edit"
	stepInitiate   step = "initiate"
	stepSubmit     step = "submit"
	stepApprove    step = "approve"
	stepReturn     step = "return" // rejected, expired, taken back, refused at release or by the host
	stepUninitiate step = "uninitiate"
	stepRelease    step = "release"
	stepProcess    step = "process"
	stepReopen     step = "reopen"
	stepDelete     step = "delete"
)

// steps are all that can happen; whatever is not here cannot.
var steps = map[State]map[step]State{
	Uploaded:   {stepEdit: Ready, stepInitiate: Initiated, stepSubmit: Pending, stepDelete: Deleted},
	Ready:      {stepEdit: Ready, stepInitiate: Initiated, stepSubmit: Pending, stepDelete: Deleted},
	Pending:    {stepEdit: Ready, stepReturn: Ready, stepApprove: Initiated, stepDelete: Deleted},
	Initiated:  {stepUninitiate: Ready, stepReturn: Ready, stepRelease: Processing},
	Processing: {stepProcess: Processed, stepReturn: Ready},
	Processed:  {stepReopen: Ready, stepDelete: Deleted},
}

// stepOf is the step that an operation on a batch takes.
var stepOf = map[catalog.Operation]step{
	catalog.ACHBatchEdit: stepEdit, catalog.ACHRecipientsImport: stepEdit, catalog.ACHBatchInitiate: stepInitiate, catalog.ACHBatchApprove: stepApprove,
	catalog.ACHBatchUninitiate: stepUninitiate, catalog.ACHBatchDelete: stepDelete,
}

// Takes reports whether a batch that stands there can be taken through an
// operation at all, whoever asks.
func (s State) Takes(op catalog.Operation) bool {
	st, changes := stepOf[op]
	_, can := steps[s][st]
	return !changes || can
}

// A Kind is what a batch is for.
type Kind string

const (
	Standard Kind = "standard"
	Prenotes Kind = "prenote" // made for entries that were marked as prenotes
	Tax      Kind = "tax"
)

// An Origin is how a batch came to be.
type Origin string

const (
	FromScreen  Origin = "screen"
	FromFile    Origin = "file"
	FromCopy    Origin = "copy"
	FromPrenote Origin = "prenote"
)

// A Batch is a set of entries that can be sent again and again.
type Batch struct {
	ID           BatchID
	Name         string
	Category     CategoryID
	CategoryName string
	InCategory   bool // its category is restricted
	Own          bool // it is restricted itself
	Kind         Kind
	Origin       Origin
	Relaxed      bool // came in by relaxed rules
	SourceHash   string
	Header       nacha.Batch // without entries
	State        State
	Version      int64
	Credits      bank.Cents // of what would be sent as it stands
	Debits       bank.Cents
	Entries      int
	Idle         int  // entries that are held or marked as prenotes
	HasDebits    bool // among all entries
	Run          RunID
	LastEditor   Somebody
	Creator      Somebody
	Created      time.Time
	Edited       time.Time
}

// Restricted reports whether only holders of the right may know of the batch.
func (b *Batch) Restricted() bool { return b.Own || b.InCategory }

// Amount is what counts against limits: the larger of credits and debits.
func (b *Batch) Amount() bank.Cents { return max(b.Credits, b.Debits) }

// Somebody is a person as history names them.
type Somebody struct {
	ID   bank.UserID
	Name string
}

// An Entry is one recipient of a batch.
type Entry struct {
	nacha.Entry
	EntryID  EntryID
	Held     bool     // skipped
	Prenote  bool     // skipped until its test has settled
	LiveFrom bank.Day // when a prenote's test has settled: from then on it is sent
	source   EntryID  // of a test: the entry that it is for
}

// sent reports whether the entry goes out with a run for a day.
func (e *Entry) sent(day bank.Day) bool {
	return !e.Held && (!e.Prenote || e.LiveFrom != "" && day >= e.LiveFrom)
}

// A Run is one way of a batch to the institution.
type Run struct {
	ID         RunID
	Batch      BatchID
	Title      string
	Version    int64 // of the batch
	State      string
	Company    string
	Effective  bank.Day
	SameDay    bool
	Recurring  bool
	Offset     bank.AccountID
	lastEditor bool
	hasDebits  bool
	Credits    bank.Cents
	Debits     bank.Cents
	Entries    int
	counted    bool // against limits: something is moved
	countsOn   bank.Day
	Initiator  Somebody
	Second     bool // a second person must approve, or did
	Approver   string
	content    string // hash of what is sent
	FileHash   string
	Reference  string // the host's
	Reason     string // why it was returned
	Due        time.Time
	Started    time.Time
	Ended      time.Time
}

// Amount is what counts against limits.
func (r *Run) Amount() bank.Cents { return max(r.Credits, r.Debits) }

// States of a run besides those of its batch.
const (
	runReturned    = "returned"
	runUninitiated = "uninitiated"
)
