package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
)

const selfResetsPerHour = 3 // further ones are silently not sent

var forgotRates = []rate{{"forgot", 20, time.Hour, false}}

// Invite sends a pending person a new invitation, and makes every older one
// useless. It is part of the change that records it.
func (s *Service) Invite(tx *db.Tx, who Subject, by bank.Caller) (Link, error) {
	p, err := s.find(tx, who)
	if err != nil {
		return Link{}, err
	}
	if p.Status != bank.StatusPending {
		return Link{}, fault.New(fault.Conflict, "Only people who are pending can be invited.").With("NOT_PENDING")
	}
	return s.issue(tx, &p, PurposeInvitation, by.Name, false)
}

// SendReset sends a person a link to a new password, and makes every older one
// useless. It is part of the change that records it. Nobody but the person sees
// the link, and it does not unlock.
func (s *Service) SendReset(tx *db.Tx, who Subject, by bank.Caller) (Link, error) {
	p, err := s.find(tx, who)
	if err != nil {
		return Link{}, err
	}
	has, err := p.CanReset(tx)
	if err != nil {
		return Link{}, err
	}
	switch {
	case p.Status == bank.StatusDisabled:
		return Link{}, fault.New(fault.Conflict, "This person is disabled and cannot sign in again.").With("DISABLED")
	case !has:
		return Link{}, fault.New(fault.Conflict, "This person has no password yet. Send an invitation instead.").With("NO_CREDENTIALS")
	}
	return s.issue(tx, &p, PurposeReset, by.Name, false)
}

func (s *Service) find(tx *db.Tx, who Subject) (Person, error) {
	p, err := s.people.Find(tx, who)
	if errors.Is(err, ErrNoPerson) {
		return p, fault.New(fault.NotFound, "There is no such person.")
	}
	if err != nil {
		return p, fmt.Errorf("find the person: %w", err)
	}
	return p, nil
}

// A Forgotten is somebody who asks for a new password before signing in.
type Forgotten struct {
	Institution bank.InstitutionID
	Kind        Kind
	Name        string // a username or an email address
	From        Source
}

// Forgot sends reset links to whoever is meant, if anybody is. The answer is
// the same in every case, after the same time.
func (s *Service) Forgot(ctx context.Context, f Forgotten) error {
	if err := s.throttles.allow(forgotRates, f.From.IP); err != nil {
		return err
	}
	defer s.hideTime(ctx, time.Now())
	return s.db.Write(context.WithoutCancel(ctx), func(tx *db.Tx) error {
		people, err := s.meant(tx, f)
		if err != nil {
			return err
		}
		for _, p := range people {
			if err := s.selfReset(tx, &p, f.From); err != nil {
				return err
			}
		}
		return nil
	})
}

// meant are the people with a username, or else with an email address.
func (s *Service) meant(tx *db.Tx, f Forgotten) ([]Person, error) {
	key := UsernameKey(f.Name)
	if key == "" {
		return nil, nil
	}
	c, err := findCredential(tx, f.Institution, f.Kind, key)
	if errors.Is(err, db.ErrNoRows) {
		return s.people.FindByEmail(tx, f.Institution, f.Kind, f.Name)
	}
	if err != nil {
		return nil, fmt.Errorf("find the credential: %w", err)
	}
	p, err := s.people.Find(tx, c.who)
	if errors.Is(err, ErrNoPerson) {
		return nil, nil
	}
	return []Person{p}, err
}

// selfReset sends a link unless that would be of no use or too often. It says
// nothing about which.
func (s *Service) selfReset(tx *db.Tx, p *Person, from Source) error {
	has, err := p.CanReset(tx)
	if err != nil || !has || p.Status == bank.StatusDisabled || p.Email == "" {
		return err
	}
	n, err := countLinks(tx, p.Subject, PurposeReset, tx.Now.Add(-time.Hour), true)
	if err != nil || n >= selfResetsPerHour {
		return err
	}
	if err := note(tx, p, activity.Event{Name: p.event("password_reset_sent"), Quiet: true, Note: "asked for at the sign-in page"}, from); err != nil {
		return err
	}
	_, err = s.issue(tx, p, PurposeReset, p.Name(), true)
	if fault.KindOf(err) == fault.TooMany {
		return nil
	}
	return err
}
