package positivepay

import (
	"context"
	"fmt"
	"strings"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/host"
)

// A FileID is the name of a list of issued checks. Whoever uploads chooses it,
// so that sending it twice keeps one.
type FileID string

// NewFileID is a name for a list that is about to be uploaded.
func NewFileID(now time.Time) FileID { return FileID(bank.NewID("arp", now)) }

// A FileState is how far a list has come.
type FileState string

const (
	Unapproved  FileState = "unapproved"
	Pending     FileState = "pending" // at the host, which has not answered
	Successful  FileState = "successful"
	Rejected    FileState = "rejected" // by the host
	DeletedFile FileState = "deleted"
)

// FileStates are all states that lists show, in the order of screens.
func FileStates() []FileState { return []FileState{Unapproved, Pending, Successful, Rejected} }

// Label is the state as screens show it.
func (s FileState) Label() string {
	return map[FileState]string{Unapproved: "Unapproved", Pending: "Pending", Successful: "Successful", Rejected: "Not accepted", DeletedFile: "Deleted"}[s]
}

type fileStep string

const (
	approveFile fileStep = "approve"
	deleteFile  fileStep = "delete"
	acceptFile  fileStep = "accept" // by the host
	rejectFile  fileStep = "reject" // by the host
)

// fileSteps are all that can happen to a list; whatever is not here cannot.
var fileSteps = map[FileState]map[fileStep]FileState{
	Unapproved: {approveFile: Pending, deleteFile: DeletedFile},
	Pending:    {acceptFile: Successful, rejectFile: Rejected},
	Rejected:   {approveFile: Pending, deleteFile: DeletedFile},
}

// An IssueState is how far a check of a list has come. It follows the list
// until the host has taken it.
type IssueState string

const (
	Waits        IssueState = "unapproved"
	Sent         IssueState = "pending"
	Outstanding  IssueState = "outstanding"
	PaidCheck    IssueState = "paid"
	Voided       IssueState = "voided"
	Taken        IssueState = "taken" // of a line that declares a check void
	NotTaken     IssueState = "rejected"
	DeletedIssue IssueState = "deleted"
)

// IssueStates are all states that lists show, in the order of screens.
func IssueStates() []IssueState {
	return []IssueState{Waits, Sent, Outstanding, PaidCheck, Voided, Taken, NotTaken}
}

// Label is the state as screens show it.
func (s IssueState) Label() string {
	return map[IssueState]string{
		Waits: "Unapproved", Sent: "Pending", Outstanding: "Outstanding", PaidCheck: "Paid", Voided: "Void", Taken: "Declared void", NotTaken: "Not accepted", DeletedIssue: "Deleted",
	}[s]
}

// issueAfter is the state of the checks of a list in a state.
func issueAfter(s FileState, void bool) IssueState {
	switch {
	case s == Successful && void:
		return Taken
	case s == Successful:
		return Outstanding
	}
	return map[FileState]IssueState{Unapproved: Waits, Pending: Sent, Rejected: NotTaken, DeletedFile: DeletedIssue}[s]
}

// A File is a list of issued checks of one account, uploaded or entered by hand.
type File struct {
	Institution  bank.InstitutionID
	Organization bank.OrganizationID
	ID           FileID
	Account      bank.AccountID
	Name         string
	Source       string // a layout.Format, or Manual
	State        FileState
	Checks       int // that are issued
	Voids        int
	Cents        bank.Cents // of those that are issued
	By, Approver Somebody
	Created      time.Time
	Approved     time.Time // zero before
	Settled      time.Time // the host's last answer; zero before
	Attempt      int
	Reference    string // the host's number
	Code         string // why the host refused it, for programs
	Problem      string // the same in words

	hash string
}

// Manual is the source of lists that were entered by hand.
const Manual = "manual"

func (f *File) target() activity.Target {
	return activity.Target{Kind: activity.TargetPayment, ID: string(f.ID), Name: "list " + f.Name}
}

func fileTarget(id FileID, name string) activity.Target {
	return activity.Target{Kind: activity.TargetPayment, ID: string(id), Name: "list " + name}
}

// Can reports whether somebody may approve or delete a list in this state,
// whatever their rights.
func (s FileState) Can() bool { _, can := fileSteps[s][approveFile]; return can }

// ErrNoFile says that there is no such list for whoever asks.
var ErrNoFile = fault.New(fault.NotFound, "There is no such list of issued checks here.")

// to takes a step with the list and its checks, and stores both.
func (f *File) to(c *guard.Change, step fileStep) error {
	next, can := fileSteps[f.State][step]
	if !can {
		return fault.Newf(fault.Conflict, "This list cannot be changed in this way: it is %s.", strings.ToLower(f.State.Label())).With("STATE")
	}
	f.State = next
	switch step {
	case approveFile:
		f.Attempt++
		f.Approver, f.Approved, f.Code, f.Problem = somebody(c.Caller), c.Tx.Now, "", ""
	case acceptFile, rejectFile:
		f.Settled = c.Tx.Now
	}
	if err := updateFile(c.Tx, f); err != nil {
		return err
	}
	return moveIssues(c.Tx, f)
}

// Approve sends a list to the host as it stands. It asks for a high-risk
// authorization: what is on it will be paid.
func (s *Service) Approve(ctx context.Context, caller bank.Caller, id FileID) error {
	err := s.guard.Do(ctx, caller, doing(EventApproved, caller, fileTarget(id, "")), func(c *guard.Change) error {
		f, err := s.mine(c, id)
		if err != nil {
			return err
		}
		if !f.State.Can() {
			return f.to(c, approveFile)
		}
		if err := requireEnrolled(c.Tx, placeOf(caller), f.Account); err != nil {
			return err
		}
		issues, err := issuesOf(c.Tx, placeOf(caller), id)
		if err != nil {
			return err
		}
		if err := againstBooks(c.Tx, placeOf(caller), &f, issues); err != nil {
			return err
		}
		if err := c.RequireProof([]byte("arp " + f.hash)); err != nil {
			return err
		}
		old := f.State
		if err := f.to(c, approveFile); err != nil {
			return err
		}
		c.RecordQuiet(EventApproved, f.target(), "", activity.Change{Field: "state", Old: string(old), New: string(f.State)})
		return host.Queue(c.Tx, f.order(issues))
	})
	if err == nil {
		s.desk.Now(ctx)
	}
	return err
}

// mine is a list that the caller may upload to the account of.
func (s *Service) mine(c *guard.Change, id FileID) (File, error) {
	f, found, err := findFile(c.Tx, placeOf(c.Caller), id)
	if err != nil {
		return File{}, err
	}
	if !found || f.State == DeletedFile {
		return File{}, ErrNoFile
	}
	return f, require(c, catalog.ARPFileUpload, f.Account)
}

// order is what the host is asked to take.
func (f *File) order(issues []Issue) host.Order {
	issued := &host.Issued{Account: f.Account}
	for _, i := range issues {
		issued.Checks = append(issued.Checks, host.IssuedCheck{Number: i.Number, Cents: i.Cents, Payee: i.Payee, Void: i.Void})
	}
	return host.Order{
		Institution: f.Institution, Organization: f.Organization, Room: RoomName, Ref: f.ref(), Memo: "Issued checks", Issued: issued,
	}
}

// ref is the name of the order to the host: a new one for each attempt.
func (f *File) ref() string { return fmt.Sprintf("issued/%s/%d", f.ID, f.Attempt) }

// Delete takes a list away that was not approved.
func (s *Service) Delete(ctx context.Context, caller bank.Caller, id FileID) error {
	return s.guard.Do(ctx, caller, doing(EventDeleted, caller, fileTarget(id, "")), func(c *guard.Change) error {
		f, err := s.mine(c, id)
		if err != nil {
			return err
		}
		c.RecordQuiet(EventDeleted, f.target(), "", activity.Change{Field: "state", Old: string(f.State), New: string(DeletedFile)})
		return f.to(c, deleteFile)
	})
}

// settled hears from the host. It may hear twice, and late.
func (s *Service) settled(ctx context.Context, o host.Order, r host.Receipt) error {
	what, rest, _ := strings.Cut(o.Ref, "/")
	id, _, _ := strings.Cut(rest, "/")
	event := map[string]string{"issued": EventAccepted, "item": EventPaid}[what]
	if event == "" {
		return nil // an account was enrolled: whether the host has it shows when checks are sent
	}
	caller := bank.Caller{Kind: bank.ActorHost, Institution: o.Institution, Channel: bank.ChannelCore}
	action := guard.Action{
		Event: event, Organization: o.Organization, Others: []bank.ActorKind{bank.ActorHost}, Target: activity.Target{Kind: activity.TargetPayment, ID: id},
	}
	return s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		if what == "item" {
			return s.itemSettled(c, ItemID(id), o, r)
		}
		return s.fileSettled(c, FileID(id), o, r)
	})
}

func (s *Service) fileSettled(c *guard.Change, id FileID, o host.Order, r host.Receipt) error {
	f, found, err := findFile(c.Tx, place{o.Institution, o.Organization}, id)
	if err != nil || !found || f.State != Pending || f.ref() != o.Ref {
		return err
	}
	f.Reference = r.Reference
	if r.Done() {
		if err := f.to(c, acceptFile); err != nil {
			return err
		}
		c.RecordQuiet(EventAccepted, f.target(), "", activity.Change{Field: "state", Old: string(Pending), New: string(Successful)}, activity.Change{Field: "reference", New: r.Reference})
		days, err := s.calendar.In(c.Tx, o.Institution)
		if err != nil {
			return err
		}
		return voidIssues(c.Tx, &f, days.Today(c.Tx.Now))
	}
	f.Code, f.Problem = string(r.Refused), r.Sentence(func(bank.AccountID) string { return "the account of these checks" })
	if err := f.to(c, rejectFile); err != nil {
		return err
	}
	c.RecordRefused(EventRejected, f.target(), f.Code, f.Problem, activity.Change{Field: "state", Old: string(Pending), New: string(Rejected)})
	return s.teller.Tell(c.Tx, f.Institution, members(f.By, f.Approver), "arp "+f.ref(), EventRejected, "Issued checks were not accepted",
		"The host did not take a list of issued checks that you sent. These checks will come up as exceptions.", "Sign in and look under Positive Pay.")
}

// members are the people among those who had a hand in something.
func members(hands ...Somebody) (ids []bank.UserID) {
	for _, h := range hands {
		if h.Kind == bank.ActorMember {
			ids = append(ids, bank.UserID(h.ID))
		}
	}
	return ids
}
