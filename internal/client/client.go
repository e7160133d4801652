// Package client is the room of the programs that call the API: who they are,
// which institution and which operations they are bound to, and the keys they
// prove it with. It knows keys only as hashes. It decides nothing about the
// people whom a program asks about.
package client

import (
	"slices"
	"strings"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/fault"
)

// Named limits.
const (
	MaxName    = 80                 // characters of a client's name
	MaxOverlap = 7 * 24 * time.Hour // how long an old key may live on beside its successor
)

// A Client is a program that may call the API for one institution.
type Client struct {
	ID          bank.ClientID
	Institution bank.InstitutionID
	Name        string
	Operations  []catalog.Operation // what it may ask about; none: everything
	Acts        bool                // it may act for people, and vouch for them
	Host        bool                // it is the institution's host: Classic's sign-ins and credentials
	Created     time.Time
	Revoked     time.Time // zero: it is in use
	Held        time.Time // since when a restore keeps it out; zero: it does not
	LastUsed    time.Time // to the minute; zero: never
	Access

	use *use // when it was here last, for this process; nil for one that was not found as a caller
}

// May reports whether the client may ask about an operation. What the catalogue
// does not know is nobody's to ask about, except for a client that is bound to
// no operations: it learns that the operation is unknown.
func (c Client) May(op catalog.Operation) bool {
	return len(c.Operations) == 0 || slices.Contains(c.Operations, op)
}

// Caller is the client as the one who acts.
func (c Client) Caller(ip, device string) bank.Caller {
	return bank.Caller{
		Kind: bank.ActorClient, ID: string(c.ID), Name: c.Name, Institution: c.Institution,
		Channel: bank.ChannelAPI, IP: ip, Device: device,
	}
}

func (c Client) target() activity.Target {
	return activity.Target{Kind: activity.TargetClient, ID: string(c.ID), Name: c.Name}
}

// A Draft is what somebody asks a new client to be.
type Draft struct {
	Name       string
	Operations []string // by their stable names; none: everything
	Acts       bool     // for people: whoever has its key can then initiate and approve in anybody's name
	Host       bool     // the institution's host: whoever has its key can make the credentials of people who have none
	Access
}

// read checks the draft and says all its problems at once.
func (d Draft) read() (Client, error) {
	c := Client{Acts: d.Acts, Host: d.Host}
	var problems fault.Problems
	c.Name = strings.TrimSpace(d.Name)
	switch n := len([]rune(c.Name)); {
	case n == 0:
		problems.Add("name", "Give the application a name.")
	case n > MaxName:
		problems.Addf("name", "The name may have at most %d characters.", MaxName)
	case strings.ContainsFunc(c.Name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		problems.Add("name", "The name may not have control characters.")
	}
	for _, id := range d.Operations {
		op := catalog.ParseOperation(id)
		if op == catalog.UnknownOperation {
			problems.Addf("operations", "%q is not an operation.", id)
			continue
		}
		if !slices.Contains(c.Operations, op) {
			c.Operations = append(c.Operations, op)
		}
	}
	slices.Sort(c.Operations)
	c.Access = d.Access.read(&problems)
	return c, problems.Err("The application was not saved.")
}

// operationsText is the stored form of operations.
func operationsText(operations []catalog.Operation) string {
	ids := make([]string, len(operations))
	for i, op := range operations {
		ids[i] = op.ID()
	}
	return strings.Join(ids, " ")
}

// parseOperations reads the stored form. A name that the catalogue no longer
// has binds the client to an operation that nobody may do; it never widens.
func parseOperations(text string) []catalog.Operation {
	var operations []catalog.Operation
	for _, id := range strings.Fields(text) {
		operations = append(operations, catalog.ParseOperation(id))
	}
	return operations
}

const selectClient = `
	select institution_id, id, name, operations, acts_for_people, is_host, created_micros, revoked_micros, held_micros, last_used_micros, application_id, capabilities, rate
	  from api_client`

func scanClient(s db.Scanner) (c Client, err error) {
	var operations, capabilities string
	var created, revoked, held, used int64
	err = s.Scan(&c.Institution, &c.ID, &c.Name, &operations, &c.Acts, &c.Host, &created, &revoked, &held, &used, &c.Application, &capabilities, &c.Rate)
	c.Operations = parseOperations(operations)
	c.Capabilities = parseCapabilities(capabilities)
	c.Created, c.Revoked, c.Held, c.LastUsed = moment(created), moment(revoked), moment(held), moment(used)
	return c, err
}

func moment(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}
