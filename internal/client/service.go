package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// History events of the room.
const (
	eventCreated = "external_app.created"
	EventRotated = "external_app.secret_rotated"
	eventDeleted = "external_app.deleted"
	eventChanged = "external_app.changed"
)

// Permission is what staff need to manage clients.
const Permission = "staff.external_apps.manage"

// A Service manages clients and recognizes them. It is safe for use by many
// goroutines.
type Service struct {
	db    *db.DB
	guard *guard.Guard
	log   *slog.Logger
	roll  roll
}

// New returns the service. It watches the door for changes of clients.
func New(d *db.DB, g *guard.Guard, log *slog.Logger) *Service {
	s := &Service{db: d, guard: g, log: log}
	g.Watch(s.watch)
	return s
}

// action is a change of one client. Clients belong to the institution, not to
// any organization.
func action(event string, target activity.Target) guard.Action {
	return guard.Action{Event: event, Target: target, Staff: Permission, Others: []bank.ActorKind{bank.ActorOperator}}
}

// Create makes a client of the caller's institution and its first key.
func (s *Service) Create(ctx context.Context, caller bank.Caller, d Draft) (c Client, key Key, err error) {
	if _, err := d.read(); err != nil {
		return Client{}, Key{}, err
	}
	target := activity.Target{Kind: activity.TargetClient, Name: d.Name}
	err = s.guard.Do(ctx, caller, action(eventCreated, target), func(change *guard.Change) error {
		c, key, err = Issue(change, d)
		return err
	})
	if err != nil {
		return Client{}, Key{}, err
	}
	return c, key, nil
}

// Issue makes a client of the institution and its first key, inside a change
// that is permitted already.
func Issue(change *guard.Change, d Draft) (Client, Key, error) {
	c, err := d.read()
	if err != nil {
		return Client{}, Key{}, err
	}
	c.Institution, c.Created = change.Caller.Institution, change.Tx.Now
	c.ID = bank.ClientID(bank.NewID(bank.PrefixClient, change.Tx.Now))
	key := newKey()
	if err := insertClient(change.Tx, c); err != nil {
		return Client{}, Key{}, err
	}
	if err := insertKey(change.Tx, c, key); err != nil {
		return Client{}, Key{}, err
	}
	change.RecordAs(eventCreated, c.target(), "", append([]activity.Change{
		{Field: "name", New: c.Name}, {Field: "operations", New: operationsText(c.Operations)},
		{Field: "acts_for_people", New: strconv.FormatBool(c.Acts)}, {Field: "host", New: strconv.FormatBool(c.Host)}},
		c.Access.changes(Access{})...)...)
	return c, key, nil
}

// Rotate gives a client a new key. The keys before it end after overlap, at
// once where it is zero. Staff need a high-risk authorization.
func (s *Service) Rotate(ctx context.Context, caller bank.Caller, id bank.ClientID, overlap time.Duration) (Key, error) {
	if overlap < 0 || overlap > MaxOverlap {
		return Key{}, fault.Newf(fault.Invalid, "An old key can live on for at most %d days.", MaxOverlap/(24*time.Hour))
	}
	key := newKey()
	err := s.change(ctx, caller, EventRotated, id, func(change *guard.Change, c Client) error {
		if err := change.RequireProof(nil); err != nil {
			return err
		}
		if err := endKeys(change.Tx, c, change.Tx.Now.Add(overlap)); err != nil {
			return err
		}
		if err := insertKey(change.Tx, c, key); err != nil {
			return err
		}
		change.RecordAs(EventRotated, c.target(), "")
		return nil
	})
	if err != nil {
		return Key{}, err
	}
	return key, nil
}

// Revoke ends a client and all its keys for good.
func (s *Service) Revoke(ctx context.Context, caller bank.Caller, id bank.ClientID) error {
	return s.change(ctx, caller, eventDeleted, id, end)
}

func end(change *guard.Change, c Client) error {
	if err := revoke(change.Tx, c); err != nil {
		return err
	}
	change.RecordAs(eventDeleted, c.target(), "")
	return nil
}

// End is Revoke inside a change that is permitted already. A client that has
// ended stays so.
func End(change *guard.Change, id bank.ClientID) error {
	c, err := find(change.Tx, change.Caller.Institution, id)
	if err != nil || !c.Revoked.IsZero() {
		return err
	}
	return end(change, c)
}

// change does something to a client that is in use.
func (s *Service) change(ctx context.Context, caller bank.Caller, event string, id bank.ClientID, apply func(*guard.Change, Client) error) error {
	target := activity.Target{Kind: activity.TargetClient, ID: string(id)}
	return s.guard.Do(ctx, caller, action(event, target), func(change *guard.Change) error {
		c, err := find(change.Tx, caller.Institution, id)
		if err != nil {
			return err
		}
		if !c.Revoked.IsZero() {
			return fault.New(fault.Conflict, "This client was revoked, for good. Create another one.")
		}
		return apply(change, c)
	})
}

// List returns the clients of the caller's institution by name, those that
// were revoked too.
func (s *Service) List(ctx context.Context, caller bank.Caller) ([]Client, error) {
	var clients []Client
	err := s.guard.Look(ctx, caller, action("", activity.Target{}), func(view *guard.View) (err error) {
		if clients, err = db.All(view.Tx, scanClient, selectClient+` where institution_id = $1 order by name, id`, caller.Institution); err != nil {
			return err
		}
		return withCertificates(view.Tx, caller.Institution, clients)
	})
	return clients, err
}

var errNoClient = fault.New(fault.NotFound, "There is no such application here.")

func find(tx *db.Tx, institution bank.InstitutionID, id bank.ClientID) (Client, error) {
	c, err := db.One(tx, scanClient, selectClient+` where institution_id = $1 and id = $2`, institution, id)
	if errors.Is(err, db.ErrNoRows) {
		return Client{}, errNoClient
	}
	if err != nil {
		return Client{}, fmt.Errorf("read the client %s: %w", id, err)
	}
	return c, nil
}

func insertClient(tx *db.Tx, c Client) error {
	n, err := tx.Exec(`
		insert into api_client (institution_id, id, name, operations, acts_for_people, is_host, created_micros, revoked_micros, last_used_micros, application_id, capabilities, rate)
		values ($1, $2, $3, $4, $5, $6, $7, 0, 0, $8, $9, $10)
		on conflict (institution_id, name) where revoked_micros = 0 do nothing`,
		c.Institution, c.ID, c.Name, operationsText(c.Operations), c.Acts, c.Host, c.Created.UnixMicro(), c.Application, capabilitiesText(c.Capabilities), c.Rate)
	if db.IsUnique(err, "api_client_application") {
		return errApplicationTaken
	}
	if err != nil {
		return fmt.Errorf("store the client %s: %w", c.ID, err)
	}
	if n == 0 {
		var problems fault.Problems
		problems.Add("name", "Another application has this name. Choose another name.")
		return problems.Err("The application was not saved.")
	}
	return insertCertificates(tx, c)
}

func insertKey(tx *db.Tx, c Client, key Key) error {
	_, err := tx.Exec(`
		insert into api_key (key_hash, institution_id, client_id, created_micros, expires_micros)
		values ($1, $2, $3, $4, 0)`, key.hash(), c.Institution, c.ID, tx.Now.UnixMicro())
	if err != nil {
		return fmt.Errorf("store a key of %s: %w", c.ID, err)
	}
	return nil
}

// endKeys lets the keys of a client end at a moment, unless they end before.
func endKeys(tx *db.Tx, c Client, at time.Time) error {
	_, err := tx.Exec(`
		update api_key set expires_micros = $1
		 where institution_id = $2 and client_id = $3 and (expires_micros = 0 or expires_micros > $1)`,
		at.UnixMicro(), c.Institution, c.ID)
	if err != nil {
		return fmt.Errorf("end the keys of %s: %w", c.ID, err)
	}
	return nil
}

func revoke(tx *db.Tx, c Client) error {
	_, err := tx.Exec(`update api_client set revoked_micros = $1 where institution_id = $2 and id = $3`,
		tx.Now.UnixMicro(), c.Institution, c.ID)
	if err != nil {
		return fmt.Errorf("revoke %s: %w", c.ID, err)
	}
	if err := deleteCertificates(tx, c); err != nil {
		return err
	}
	return endKeys(tx, c, tx.Now)
}
