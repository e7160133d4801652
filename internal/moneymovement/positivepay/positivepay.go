// Package positivepay is the room of ARP/Positive Pay: an organization tells
// which checks it issued, the host compares what comes in, and somebody decides
// by the cut-off what becomes of the rest: pay it, or return it. Whoever uploads,
// downloads or decides is asked about by the engine (arp.file.upload,
// arp.file.download, arp.check_exception.decide, arp.ach_exception.decide); what
// they say leaves for the host with the commit. The room moves no money itself
// and reads no image.
package positivepay

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/host"
)

// RoomName is the room as the host's desk knows it.
const RoomName = "positivepay"

// History events of Positive Pay.
const (
	EventUploaded        = "arp.uploaded"            // a file, or checks entered by hand
	EventApproved        = "arp.approved"            // and sent to the host
	EventDeleted         = "arp.deleted"             // before it was approved
	EventAccepted        = "arp.accepted"            // by the host
	EventRejected        = "arp.rejected"            // by the host
	EventDownloaded      = "arp.downloaded"          // the output file
	EventLayout          = "arp.layout_changed"      //
	EventPresented       = "arp.exception_presented" // by the host
	EventDecided         = "arp.exception_decided"   // by somebody
	EventDefaulted       = "arp.exception_defaulted" // at the cut-off, nobody having decided
	EventPaid            = "arp.exception_paid"      // by the host
	EventReturned        = "arp.exception_returned"  // by the host
	EventRefused         = "arp.exception_refused"   // by the host
	EventEnrolled        = "arp.account_enrolled"    // by the institution
	EventRemoved         = "arp.account_removed"     // by the institution
	EventSettingsChanged = "institution.arp_settings_changed"
)

// A place is whose things are meant.
type place struct {
	institution  bank.InstitutionID
	organization bank.OrganizationID
}

func placeOf(c bank.Caller) place { return place{c.Institution, c.Organization} }

// Somebody is who did something, as they were called then: a person, or the
// product itself at the cut-off.
type Somebody struct {
	Kind bank.ActorKind
	ID   string
	Name string
}

func somebody(c bank.Caller) Somebody { return Somebody{c.Kind, c.ID, c.Name} }

// A Teller tells people by mail, in the transaction of what they are told.
type Teller interface {
	Tell(tx *db.Tx, institution bank.InstitutionID, people []bank.UserID, key, purpose, subject string, lines ...string) error
}

// Accounts says what an account of an organization is called, by people and by
// the institution's own programs (external); nothing, where there is no such
// account.
type Accounts func(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, account bank.AccountID) (name, external string, err error)

// A Config is what the room needs.
type Config struct {
	DB       *db.DB
	Guard    *guard.Guard
	Calendar *calendar.Service
	Desk     *host.Desk
	Teller   Teller
	Accounts Accounts
	Process  string // a name of this process, for its lease
}

// A Service is the verbs of the room.
type Service struct {
	db       *db.DB
	guard    *guard.Guard
	calendar *calendar.Service
	desk     *host.Desk
	teller   Teller
	accounts Accounts
	process  string
	reading  chan struct{} // places for reading strangers' files
}

// readers is how many strangers' files, and pictures, are read at once.
const readers = 4

// New returns the room and listens to the host's answers.
func New(cfg Config) *Service {
	s := &Service{db: cfg.DB, guard: cfg.Guard, calendar: cfg.Calendar, desk: cfg.Desk, teller: cfg.Teller, accounts: cfg.Accounts,
		process: cfg.Process, reading: make(chan struct{}, readers)}
	s.desk.Answer(RoomName, s.settled)
	return s
}

// A Refusal is why somebody may not, with its proof: the cause of a fault.
type Refusal struct{ entitlement.Explanation }

func (r *Refusal) Error() string { return string(r.Reasons[0].Code) }

// Why is the whole answer of the engine.
func (r *Refusal) Why() entitlement.Explanation { return r.Explanation }

func question(op catalog.Operation, member bank.UserID, account bank.AccountID, now time.Time) entitlement.Request {
	return entitlement.Request{Member: member, Operation: op, Account: account, Now: now}
}

// require refuses what the engine does not allow the caller on an account.
func require(c *guard.Change, op catalog.Operation, account bank.AccountID) error {
	if err := c.Widen(entitlement.Scope{Accounts: []bank.AccountID{account}}); err != nil {
		return err
	}
	return mayOn(c.Policy, op, c.Caller.Member(), account, c.Tx.Now)
}

func mayOn(p *entitlement.Policy, op catalog.Operation, member bank.UserID, account bank.AccountID, now time.Time) error {
	e := entitlement.Explain(p, question(op, member, account, now))
	if e.Allowed {
		return nil
	}
	return fault.New(fault.Forbidden, "You may not "+op.Info().Label+" on this account.").With(string(e.Reasons[0].Code)).Because(&Refusal{e})
}

// allowed are the accounts on which a member may do something, by id.
func allowed(p *entitlement.Policy, op catalog.Operation, member bank.UserID, now time.Time) (ids []bank.AccountID) {
	for id := range p.Accounts {
		if entitlement.Decide(p, question(op, member, id, now)).Allowed {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// looking is the action of looking. What is on accounts where the caller may do
// nothing of this is not there for them.
func looking(caller bank.Caller) guard.Action {
	return guard.Action{
		Event: "arp.viewed", Organization: caller.Organization, Others: []bank.ActorKind{bank.ActorMember},
		Target: organizationTarget(caller.Organization), Scope: entitlement.Scope{AllAccounts: true},
	}
}

// doing is the action of a member. The change asks the engine itself, because
// the question has an account.
func doing(event string, caller bank.Caller, target activity.Target) guard.Action {
	return guard.Action{Event: event, Organization: caller.Organization, Target: target, Others: []bank.ActorKind{bank.ActorMember}}
}

func organizationTarget(id bank.OrganizationID) activity.Target {
	return activity.Target{Kind: activity.TargetOrganization, ID: string(id), Name: "Positive Pay"}
}

// hashOf is the hash of something that is asked for, to know a repetition.
func hashOf(asked any) string {
	text, err := json.Marshal(asked)
	if err != nil {
		panic(err) // plain fields only
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// joined writes ids so that one of them can be found between commas.
func joined[T ~string](ids []T) string {
	if len(ids) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteByte(',')
	for _, id := range ids {
		b.WriteString(string(id))
		b.WriteByte(',')
	}
	return b.String()
}
