// Package notice tells people by mail what became of money that they moved, and
// what waits for them to agree to. It queues mail in the transaction of what it
// tells and decides nothing: the rooms say whom and what. Amounts, accounts and
// names of payees stay out of mail.
package notice

import (
	"errors"
	"fmt"
	"net/url"

	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/identity"
)

// A Service queues notices.
type Service struct {
	mailer identity.Mailer
	people identity.People
}

// New returns the service. People finds the addresses.
func New(mailer identity.Mailer, people identity.People) *Service {
	return &Service{mailer: mailer, people: people}
}

var _ approval.Teller = (*Service)(nil)

// Tell queues the same mail to several people: once each for a key, and not to
// those who are gone or have no address.
func (s *Service) Tell(tx *db.Tx, institution bank.InstitutionID, people []bank.UserID, key, purpose, subject string, lines ...string) error {
	return s.tell(tx, institution, people, identity.Mail{Key: key, Purpose: purpose, Subject: subject, Lines: lines})
}

// tell queues a mail to several people, with what is theirs filled in.
func (s *Service) tell(tx *db.Tx, institution bank.InstitutionID, people []bank.UserID, m identity.Mail) error {
	told := map[bank.UserID]bool{}
	for _, id := range people {
		if told[id] || id == "" {
			continue
		}
		told[id] = true
		p, err := s.people.Find(tx, identity.Member(institution, id))
		if errors.Is(err, identity.ErrNoPerson) {
			continue
		}
		if err != nil {
			return fmt.Errorf("find whom to tell: %w", err)
		}
		if p.Email == "" || p.Status != bank.StatusActive {
			continue
		}
		theirs := m
		theirs.Key, theirs.Kind, theirs.Institution, theirs.Organization = "notice "+m.Key+" "+string(id), identity.KindMember, institution, p.Organization
		theirs.To, theirs.Name, theirs.From, theirs.Subject = p.Email, p.Name(), p.InstitutionName, m.Subject+" at "+p.OrganizationName
		if err := s.mailer.Queue(tx, theirs); err != nil {
			return fmt.Errorf("queue a notice: %w", err)
		}
	}
	return nil
}

// Asked tells those who may approve that something waits for one of them.
func (s *Service) Asked(tx *db.Tx, item approval.Item, approvers []bank.UserID) error {
	return s.tell(tx, item.Institution, approvers, identity.Mail{
		Key: "asked " + item.ID, Purpose: "approval.asked", Subject: "Waiting for your approval", Button: "Look at it", Page: page(&item),
		Lines: []string{
			item.Initiator.Name + " asks for a second person's agreement. Any one of those who may approve can decide.",
			"It goes no further until somebody agrees. You find it under Approvals, after you have signed in.",
		},
	})
}

// page is where an item is looked at, behind the sign-in.
func page(item *approval.Item) string {
	return "/" + url.PathEscape(string(item.Institution)) + "/approvals/" + url.PathEscape(item.ID)
}

// Decided tells those who had a hand in it what came of it. Whoever decided
// knows.
func (s *Service) Decided(tx *db.Tx, item approval.Item, hands []bank.UserID) error {
	subject, line := "Approved", item.By.Name+" approved what you asked for."
	switch item.State {
	case approval.Rejected:
		subject, line = "Rejected", item.By.Name+" rejected what you asked for. It did not go out."
	case approval.Expired:
		subject, line = "Nobody approved in time", "What you asked for did not go out: nobody decided in time."
	}
	var others []bank.UserID
	for _, id := range hands {
		if id != item.By.ID {
			others = append(others, id)
		}
	}
	return s.tell(tx, item.Institution, others, identity.Mail{
		Key: "decided " + item.ID + " " + string(item.State), Purpose: "approval." + string(item.State), Subject: subject,
		Lines: []string{line}, Button: "Look at it", Page: page(&item),
	})
}
