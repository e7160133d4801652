package hostsync

import (
	"context"
	"encoding/json"
	"errors"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/host"
	"mandate/internal/usermgmt"
)

// Events that tell what came of an order, in the history of whom it was about.
const (
	eventCreated = "orguser.created_at_host"
	eventDeleted = "orguser.deleted_at_host"
	eventRefused = "orguser.refused_at_host"
)

// answer takes in what came of an order about a user: how the host names them,
// and the version that the order led to. A refusal is parked. Told again, it
// changes nothing.
func (s *Service) answer(ctx context.Context, o host.Order, r host.Receipt) error {
	if o.User == nil {
		return nil
	}
	user := o.User.User
	target := activity.Target{Kind: activity.TargetMember, ID: string(user.Member), Name: (&usermgmt.Member{FirstName: user.FirstName, LastName: user.LastName}).Name()}
	action := guard.Action{Event: eventRefused, Organization: o.Organization, Target: target, Others: []bank.ActorKind{bank.ActorHost}}
	err := s.guard.Do(ctx, outside(o.Institution, host.Ordered, hostName), action, func(c *guard.Change) error {
		l, err := linkOf(c.Tx, o.Institution, user.Member)
		if err != nil {
			return err
		}
		if !l.answered(o.Key(), r.Version) {
			return nil
		}
		switch {
		case r.Done():
			if err := s.confirmed(c, &l, o, r, target); err != nil {
				return err
			}
		case o.User.Step == host.DeleteUser && r.Refused == host.UnknownUser:
			c.RecordQuiet(eventDeleted, target, "")
		case r.Refused == host.NotOffered: // this host knows no people, and nobody need look at that
		default:
			if err := parkOrder(c.Tx, o, r); err != nil {
				return err
			}
			c.RecordQuiet(eventRefused, target, r.Sentence(func(bank.AccountID) string { return "" }))
		}
		return l.store(c.Tx, o.Institution)
	})
	if fault.KindOf(err) == fault.NotFound {
		return nil // the organization has gone meanwhile, and nobody needs the answer
	}
	return err
}

// hostName is who did what one of our orders asked.
const hostName = "The host"

func (s *Service) confirmed(c *guard.Change, l *link, o host.Order, r host.Receipt, target activity.Target) error {
	if r.User != "" {
		l.ref = r.User
	}
	switch o.User.Step {
	case host.DeleteUser:
		c.RecordQuiet(eventDeleted, target, "")
	case host.CreateUser:
		c.RecordQuiet(eventCreated, target, "", activity.Change{Field: "external_id", New: string(l.ref)})
		if l.ref == "" || l.gone {
			return nil
		}
		err := usermgmt.SetExternalID(c.Tx, o.Institution, o.User.User.Member, string(l.ref))
		if errors.Is(err, usermgmt.ErrNoMember) {
			return nil
		}
		return err
	}
	return nil
}

// parkOrder keeps an order that the host refused for somebody to look at.
func parkOrder(tx *db.Tx, o host.Order, r host.Receipt) error {
	content, err := json.Marshal(o)
	if err != nil {
		return err
	}
	a := arrival{
		ID: o.Key(), Kind: kindOrder, Subject: host.Ref(o.User.User.Member), Organization: o.User.User.Organization, Version: 0,
		Channel: host.Ordered, Made: r.At, content: content, State: parked,
		Code: string(r.Refused), Note: r.Sentence(func(bank.AccountID) string { return "" }),
	}
	_, err = a.insert(tx, o.Institution)
	return err
}
