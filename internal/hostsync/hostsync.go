// Package hostsync keeps the organizations' people the same here and at the
// institution's core-banking host. What changes here goes out as orders, queued
// in the transaction of the change. What the host tells is stored as it arrives
// and taken over through the one door, as made outside, by whom and where. What
// cannot be taken over is parked, with the reason, for a person to look at.
//
// It decides nothing about rights: a host switches on nothing that the
// institution or the organization does not have. It works only where the host
// knows people (host.People).
package hostsync

import (
	"context"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/guard"
	"mandate/internal/host"
	"mandate/internal/usermgmt"
)

// Room is the name under which orders about people are queued.
const Room = "people"

// Bounds of reading what the host tells.
const (
	pageSize  = 500              // events, users or arrivals at a time
	leaseTime = 2 * time.Minute  // of whoever reads an institution's events
	readTime  = 30 * time.Second // for one page
	atOnce    = 8                // institutions that are read at the same time
)

// Config is what the room stands on.
type Config struct {
	DB      *db.DB
	Guard   *guard.Guard
	Users   *usermgmt.Service
	Desk    *host.Desk
	Log     *slog.Logger
	Process string // tells this process from all others
	Reports string // the folder where reports of comparisons are kept; empty: none is made by itself
}

// A Service keeps people the same on both sides.
type Service struct {
	db      *db.DB
	guard   *guard.Guard
	users   *usermgmt.Service
	desk    *host.Desk
	log     *slog.Logger
	process string
	reports string
}

// New returns the room, which from now on sees every change of a member and
// hears what came of its orders.
func New(cfg Config) *Service {
	s := &Service{db: cfg.DB, guard: cfg.Guard, users: cfg.Users, desk: cfg.Desk, log: cfg.Log, process: cfg.Process, reports: cfg.Reports}
	if s.desk.People() == nil {
		return s
	}
	s.guard.Watch(s.watch)
	s.users.WithDeparture(s.depart)
	s.desk.Answer(Room, s.answer)
	return s
}

// Serves reports whether the host knows people: where it does not, User
// management is all there is.
func (s *Service) Serves() bool { return s.desk.People() != nil }

// Run takes in what every institution's host tells, once.
func (s *Service) Run(ctx context.Context) error {
	if !s.Serves() {
		return nil
	}
	var institutions []usermgmt.Institution
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		institutions, err = usermgmt.Institutions(tx)
		return err
	})
	if err != nil {
		return err
	}
	// A host that does not answer keeps nobody else's waiting.
	var all errgroup.Group
	all.SetLimit(atOnce)
	for _, i := range institutions {
		all.Go(func() error {
			if err := s.Sync(ctx, i.ID); err != nil {
				s.log.Error("what the host tells was not taken in", "institution", i.ID, "error", err)
			}
			return nil
		})
	}
	return all.Wait()
}

// outside is the host acting, for what somebody did there.
func outside(institution bank.InstitutionID, channel host.Channel, by string) bank.Caller {
	c := bank.Caller{Kind: bank.ActorHost, Name: by, Institution: institution, Channel: bank.ChannelCore}
	switch channel {
	case host.BackOffice:
		c.Channel = bank.ChannelBackOffice
	case host.Classic:
		c.Channel = bank.ChannelClassic
	}
	return c
}
