package webhook

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/identity"
	"mandate/internal/seal"
)

// Events that this room records.
const (
	EventCreated = "institution.webhook_created"
	EventChanged = "institution.webhook_changed"
	EventPaused  = "institution.webhook_paused"
	EventResumed = "institution.webhook_resumed"
	EventRotated = "institution.webhook_secret_rotated"
	EventDeleted = "institution.webhook_deleted"
	EventTested  = "institution.webhook_tested"
	EventResent  = "institution.webhook_resent"
	EventStopped = "institution.webhook_stopped"
	eventViewed  = "institution.viewed"
)

// A Teller tells the institution's staff what they must not miss.
type Teller interface {
	// WebhookFails says that an endpoint's messages do not arrive, once for each
	// time that it begins. key is the same for the same notice.
	WebhookFails(tx *db.Tx, e Endpoint, key, sentence string) error
}

// A Service is the verbs of the room. It is safe for use by many goroutines.
type Service struct {
	db     *db.DB
	guard  *guard.Guard
	keys   *seal.Keyring
	post   Post
	teller Teller
	log    *slog.Logger
	local  bool
	wake   chan struct{}
}

// New returns the room on a door. Give its Watch to the guard, and Run it.
func New(d *db.DB, g *guard.Guard, keys *seal.Keyring, post Post, teller Teller, log *slog.Logger) *Service {
	return &Service{db: d, guard: g, keys: keys, post: post, teller: teller, log: log, wake: make(chan struct{}, 1)}
}

// Local lets addresses on this machine be called without https, where the product
// itself is served on it only.
func (s *Service) Local(local bool) *Service {
	s.local = local
	return s
}

func action(event string, id ID) guard.Action {
	return guard.Action{Event: event, Target: activity.Target{Kind: activity.TargetClient, ID: string(id)},
		Staff: catalog.InstitutionSettingsManage.ID(), Others: []bank.ActorKind{bank.ActorOperator}}
}

func (e *Endpoint) target() activity.Target {
	return activity.Target{Kind: activity.TargetClient, ID: string(e.ID), Name: e.Name}
}

// List is all endpoints of the caller's institution.
func (s *Service) List(ctx context.Context, caller bank.Caller) (all []Endpoint, err error) {
	err = s.guard.Look(ctx, caller, action(eventViewed, ""), func(v *guard.View) error {
		if all, err = endpoints(v.Tx, caller.Institution); err != nil {
			return err
		}
		return count(v.Tx, caller.Institution, "", all)
	})
	return all, err
}

// MaxRecent is the most deliveries that Get returns.
const MaxRecent = 50

// Get is one endpoint with its latest deliveries.
func (s *Service) Get(ctx context.Context, caller bank.Caller, id ID) (e Endpoint, latest []Delivery, err error) {
	err = s.guard.Look(ctx, caller, action(eventViewed, id), func(v *guard.View) error {
		if e, err = find(v.Tx, caller.Institution, id); err != nil {
			return err
		}
		latest, err = recent(v.Tx, e, MaxRecent)
		return err
	})
	return e, latest, err
}

// Create adds an endpoint and returns its secret, once. It needs a high-risk
// authorization.
func (s *Service) Create(ctx context.Context, caller bank.Caller, d Draft) (e Endpoint, secret identity.Secret, err error) {
	err = s.guard.Do(ctx, caller, action(EventCreated, ""), func(c *guard.Change) error {
		e = Endpoint{ID: ID(bank.NewID(prefixEndpoint, c.Tx.Now)), Institution: caller.Institution, State: Active, Created: c.Tx.Now, Revision: 1}
		if e.Draft, err = s.checked(c, e, d); err != nil {
			return err
		}
		if err := c.RequireProof([]byte(e.Name + "\n" + e.URL)); err != nil {
			return err
		}
		secret = newSecret()
		e.secret = s.keys.Seal([]byte(secret), place(e)...)
		if err := insert(c.Tx, e); err != nil {
			return err
		}
		c.RecordAs(EventCreated, e.target(), "", e.changes(Draft{})...)
		return nil
	})
	if err != nil {
		return Endpoint{}, "", err
	}
	return e, secret, nil
}

func place(e Endpoint) []string {
	return []string{"webhook_endpoint", string(e.Institution), string(e.ID)}
}

// checked is the draft as it is stored, if it can be.
func (s *Service) checked(c *guard.Change, e Endpoint, d Draft) (Draft, error) {
	d, problems := d.read(s.local)
	all, err := endpoints(c.Tx, c.Caller.Institution)
	if err != nil {
		return d, err
	}
	for _, other := range all {
		if other.ID != e.ID && db.Fold(other.Name) == db.Fold(d.Name) {
			problems.Addf("name", "There is a webhook called %s already. Choose another name.", d.Name)
		}
	}
	if e.Name == "" && len(all) >= maxEndpoints {
		problems.Addf("", "There are %d webhooks, which is the most.", maxEndpoints)
	}
	if len(d.Organizations) <= maxOrganizations {
		known, err := activity.Known(c.Tx, c.Caller.Institution, d.Organizations)
		if err != nil {
			return d, err
		}
		if strange := d.strangers(known); len(strange) > 0 {
			problems.Addf("organizations", "The institution has no organization %s. Write the ids as the organizations’ pages show them: they begin with %s_.", strings.Join(strange, ", "), bank.PrefixOrganization)
		}
	}
	return d, problems.Err("The webhook cannot be saved like this.")
}

// change makes one change of an endpoint.
func (s *Service) change(ctx context.Context, caller bank.Caller, event string, id ID, apply func(*guard.Change, Endpoint) error) error {
	return s.guard.Do(ctx, caller, action(event, id), func(c *guard.Change) error {
		e, err := find(c.Tx, caller.Institution, id)
		if err != nil {
			return err
		}
		c.Tx.AfterCommit(s.Wake)
		return apply(c, e)
	})
}

var errStale = fault.New(fault.Conflict, "Somebody else changed the webhook meanwhile. Look at it again.")

// Edit changes an endpoint. Revision is that of the endpoint that the caller has
// seen. Another address needs a high-risk authorization.
func (s *Service) Edit(ctx context.Context, caller bank.Caller, id ID, revision int64, d Draft) error {
	return s.change(ctx, caller, EventChanged, id, func(c *guard.Change, e Endpoint) error {
		if e.Revision != revision {
			return errStale
		}
		was := e.Draft
		var err error
		if e.Draft, err = s.checked(c, e, d); err != nil {
			return err
		}
		changes := e.changes(was)
		if len(changes) == 0 {
			return nil
		}
		if e.URL != was.URL {
			if err := c.RequireProof([]byte(e.Name + "\n" + e.URL)); err != nil {
				return err
			}
			if e.State == Gone || e.State == Failing {
				e.State = Active
			}
		}
		if err := update(c.Tx, e); err != nil {
			return err
		}
		c.RecordAs(EventChanged, e.target(), "", changes...)
		return nil
	})
}

// Pause keeps an endpoint from being told anything. What happens waits.
func (s *Service) Pause(ctx context.Context, caller bank.Caller, id ID) error {
	return s.move(ctx, caller, EventPaused, id, Paused)
}

// Resume tells an endpoint what waited, and what happens from then on.
func (s *Service) Resume(ctx context.Context, caller bank.Caller, id ID) error {
	return s.move(ctx, caller, EventResumed, id, Active)
}

func (s *Service) move(ctx context.Context, caller bank.Caller, event string, id ID, to State) error {
	return s.change(ctx, caller, event, id, func(c *guard.Change, e Endpoint) error {
		if e.State == to {
			return nil
		}
		e.State = to
		if err := update(c.Tx, e); err != nil {
			return err
		}
		c.RecordAs(event, e.target(), "")
		return nil
	})
}

// Rotate gives an endpoint a new secret and returns it, once. For a day what is
// sent is signed with both. It needs a high-risk authorization.
func (s *Service) Rotate(ctx context.Context, caller bank.Caller, id ID) (secret identity.Secret, err error) {
	err = s.change(ctx, caller, EventRotated, id, func(c *guard.Change, e Endpoint) error {
		if err := c.RequireProof(nil); err != nil {
			return err
		}
		secret = newSecret()
		e.oldSecret, e.OldEnds = e.secret, c.Tx.Now.Add(rotationTime)
		e.secret = s.keys.Seal([]byte(secret), place(e)...)
		if err := update(c.Tx, e); err != nil {
			return err
		}
		c.RecordAs(EventRotated, e.target(), "", activity.Change{Field: "old_secret_ends", New: moment(e.OldEnds)})
		return nil
	})
	if err != nil {
		return "", err
	}
	return secret, nil
}

// Delete ends an endpoint with all that waits for it. It needs a high-risk
// authorization.
func (s *Service) Delete(ctx context.Context, caller bank.Caller, id ID) error {
	return s.change(ctx, caller, EventDeleted, id, func(c *guard.Change, e Endpoint) error {
		if err := c.RequireProof(nil); err != nil {
			return err
		}
		if err := remove(c.Tx, e); err != nil {
			return err
		}
		c.RecordAs(EventDeleted, e.target(), "")
		return nil
	})
}

var errNotActive = fault.New(fault.Conflict, "Nothing is sent to this webhook now. Resume it first.")

// Test sends an endpoint a message that tells of nothing.
func (s *Service) Test(ctx context.Context, caller bank.Caller, id ID) error {
	return s.change(ctx, caller, EventTested, id, func(c *guard.Change, e Endpoint) error {
		if e.State != Active {
			return errNotActive
		}
		body, err := testBody(e, c)
		if err != nil {
			return err
		}
		if err := queue(c.Tx, &e, bank.NewID(prefixTest, c.Tx.Now), "webhook.test", body); err != nil {
			return err
		}
		c.RecordAs(EventTested, e.target(), "")
		return nil
	})
}

// Resend sends a message again that has arrived or was given up: the same one,
// under the same id.
func (s *Service) Resend(ctx context.Context, caller bank.Caller, id ID, delivery string) error {
	return s.change(ctx, caller, EventResent, id, func(c *guard.Change, e Endpoint) error {
		if e.State != Active {
			return errNotActive
		}
		n, err := again(c.Tx, e, delivery)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.NotFound, "There is no such delivery, or it waits already. Old ones are not kept.")
		}
		c.RecordAs(EventResent, e.target(), delivery)
		return nil
	})
}

// Watch queues what a change recorded for whoever wants to know. It runs inside
// the change: what is not committed is not told.
func (s *Service) Watch(c *guard.Change, events []activity.Event) error {
	all, err := endpoints(c.Tx, events[0].Institution)
	if err != nil || len(all) == 0 {
		return err
	}
	epoch, err := activity.Epoch(c.Tx)
	if err != nil {
		return err
	}
	ofInstitution, err := activity.Revision(c.Tx, events[0].Institution, "")
	if err != nil {
		return fmt.Errorf("read the institution's revision: %w", err)
	}
	queued := false
	for i := range events {
		var body []byte
		for k := range all {
			if all[k].State == Gone || !all[k].wants(&events[i]) {
				continue
			}
			if body == nil {
				if body, err = bodyOf(&events[i], epoch, ofInstitution); err != nil {
					return err
				}
			}
			if err := queue(c.Tx, &all[k], events[i].ID, events[i].Name, body); err != nil {
				return err
			}
			queued = true
		}
	}
	if queued {
		c.Tx.AfterCommit(s.Wake)
	}
	return nil
}
