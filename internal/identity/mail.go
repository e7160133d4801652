package identity

import (
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
)

// A Mail is a message to one person, in words; how it looks is for whoever
// sends it. Its link is the only secret, and the only way to the link.
type Mail struct {
	Key          string // the same for the same message: sending it twice is harmless
	Kind         Kind   // of people that the person belongs to
	Institution  bank.InstitutionID
	Organization bank.OrganizationID // of a member; empty for staff
	Purpose      string              // the history event that it belongs to, such as "orguser.invited"
	To           string              // always from storage, never from a request
	Name         string              // of the person
	From         string              // the institution's name
	Subject      string
	Lines        []string // paragraphs
	Button       string   // what the link or page is called; empty where there is none
	Page         string   // instead of a link: a path that is no secret, behind the sign-in
	Link         Secret   // a path, such as /harbor/invitation/...: the sender puts the public origin in front
	Expires      time.Time
}

// A Mailer queues mail in the transaction that makes it true. It sends nothing
// by itself.
type Mailer interface {
	Queue(tx *db.Tx, m Mail) error

	// Cancel takes back a mail that has not gone out. It is no failure where
	// it has, or where there is none.
	Cancel(tx *db.Tx, institution bank.InstitutionID, key string) error
}

// noMailer is for a program without mail: notices are not sent, and what needs
// a link cannot be done.
type noMailer struct{}

func (noMailer) Queue(_ *db.Tx, m Mail) error {
	if m.Link == "" {
		return nil
	}
	return fault.New(fault.Unavailable, "No mail can be sent from here, so no link can be sent.").With("NO_MAIL")
}

func (noMailer) Cancel(*db.Tx, bank.InstitutionID, string) error { return nil }
