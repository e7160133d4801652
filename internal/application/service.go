package application

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/identity"
)

// Staff is what the room must know of staff users.
type Staff interface {
	// ServiceUser is the active staff user with an address; none where there is
	// no such.
	ServiceUser(tx *db.Tx, institution bank.InstitutionID, email string) (bank.StaffID, error)
	// Lend refuses a caller who does not hold what a staff user holds: with a
	// service that acts for that user they would.
	Lend(tx *db.Tx, caller bank.Caller, id bank.StaffID) error

	// Declared is what a product declares now; false where it declares nothing.
	Declared(tx *db.Tx, institution bank.InstitutionID, id bank.ApplicationID) (catalog.Declaration, bool, error)
	// Effects says what a new declaration means for the product's groups.
	Effects(tx *db.Tx, institution bank.InstitutionID, id bank.ApplicationID, d catalog.Declaration) ([]catalog.GroupEffect, error)
	// Declare stores a declaration and has the product's groups follow it.
	Declare(c *guard.Change, id bank.ApplicationID, name string, d catalog.Declaration) error
	// Renamed has the product be called as its application is.
	Renamed(tx *db.Tx, institution bank.InstitutionID, id bank.ApplicationID, name string) error
	// Dependents are the product's groups, with what each would lose without it.
	Dependents(tx *db.Tx, institution bank.InstitutionID, id bank.ApplicationID) ([]catalog.GroupEffect, error)
	// Forget has the product's groups permit nothing.
	Forget(c *guard.Change, id bank.ApplicationID) error
}

// A Service is the verbs of the room. It is safe for use by many goroutines.
type Service struct {
	db    *db.DB
	guard *guard.Guard
	staff Staff
	log   *slog.Logger
}

// New returns the room on a door.
func New(d *db.DB, g *guard.Guard, staff Staff, log *slog.Logger) *Service {
	return &Service{db: d, guard: g, staff: staff, log: log}
}

func action(event string, id bank.ApplicationID) guard.Action {
	return guard.Action{Event: event, Target: activity.Target{Kind: activity.TargetClient, ID: string(id)},
		Staff: catalog.StaffExternalAppsManage.ID(), Others: []bank.ActorKind{bank.ActorOperator}}
}

// List is one page of the caller's institution's applications.
func (s *Service) List(ctx context.Context, caller bank.Caller, q Query) (page Page, err error) {
	err = s.guard.Look(ctx, caller, action("external_app.viewed", ""), func(v *guard.View) error {
		page, err = list(v.Tx, caller.Institution, q)
		return err
	})
	return page, err
}

// Get is one application.
func (s *Service) Get(ctx context.Context, caller bank.Caller, id bank.ApplicationID) (a Application, err error) {
	err = s.guard.Look(ctx, caller, action("external_app.viewed", id), func(v *guard.View) error {
		a, err = Find(v.Tx, caller.Institution, id)
		return err
	})
	return a, err
}

// Create registers an application and, where it proves itself by a secret,
// returns that secret, once. It needs a high-risk authorization.
func (s *Service) Create(ctx context.Context, caller bank.Caller, d Draft) (a Application, secret identity.Secret, err error) {
	if err := s.open(ctx, caller); err != nil {
		return a, "", err
	}
	err = s.guard.Do(ctx, caller, action(EventCreated, ""), func(c *guard.Change) error {
		a = Application{ID: bank.ApplicationID(bank.NewID(bank.PrefixApplication, c.Tx.Now)), Institution: caller.Institution, Created: c.Tx.Now, Revision: 1}
		if a, err = s.checked(c, a, d); err != nil {
			return err
		}
		if err := c.RequireProof(content(d)); err != nil {
			return err
		}
		if a.HasSecret() {
			secret = newSecret()
			a.secret, a.SecretMade = digest(secret), c.Tx.Now
		}
		if err := insert(c.Tx, a); err != nil {
			return err
		}
		c.RecordAs(EventCreated, a.target(), "", a.changes(Draft{})...)
		return nil
	})
	if err != nil {
		return Application{}, "", err
	}
	return a, secret, nil
}

// open begins the history of the applications that belong to no institution,
// where an operator makes the first of them.
func (s *Service) open(ctx context.Context, caller bank.Caller) error {
	if caller.Institution != "" || caller.Kind != bank.ActorOperator {
		return nil
	}
	return s.db.Write(ctx, func(tx *db.Tx) error {
		_, err := activity.Revision(tx, "", "")
		if errors.Is(err, activity.ErrNoStream) {
			return activity.Start(tx, "", "")
		}
		return err
	})
}

// checked is the application as the draft has it, if the caller may have it be
// like this.
func (s *Service) checked(c *guard.Change, was Application, d Draft) (Application, error) {
	d, problems := d.read(c.Caller.Institution)
	now := was
	same, all, err := taken(c.Tx, c.Caller.Institution, was.ID, d.Name)
	if err != nil {
		return was, err
	}
	if same {
		problems.Addf("name", "There is an application called %s already. Choose another name.", d.Name)
	}
	if was.Name == "" && all >= maxApplications {
		problems.Addf("", "There are %d applications, which is the most.", maxApplications)
	}
	now.Service = ""
	if d.ServiceEmail != "" && d.Can(GrantService) {
		if now.Service, err = s.staff.ServiceUser(c.Tx, c.Caller.Institution, d.ServiceEmail); err != nil {
			return was, err
		}
		if now.Service == "" {
			problems.Addf("service", "There is no active user with the address %s.", d.ServiceEmail)
		}
	}
	if err := problems.Err("The application cannot be saved like this."); err != nil {
		return was, err
	}
	now.Draft = d
	return now, s.lend(c, was.Service, now.Service)
}

// lend refuses whoever would get at the rights of a service's user without
// holding them: by choosing the user, or by changing the service of one.
func (s *Service) lend(c *guard.Change, users ...bank.StaffID) error {
	for _, id := range users {
		if id == "" {
			continue
		}
		if err := s.staff.Lend(c.Tx, c.Caller, id); err != nil {
			return err
		}
	}
	return nil
}

// Edit changes an application, all of it or nothing. Revision is that of the
// application that the caller has seen. Where it begins to prove itself by a
// secret, it returns that secret, once. All but a change of names, or switching
// it off, needs a high-risk authorization.
func (s *Service) Edit(ctx context.Context, caller bank.Caller, id bank.ApplicationID, revision int64, d Draft) (secret identity.Secret, err error) {
	err = s.change(ctx, caller, EventChanged, id, func(c *guard.Change, was Application) error {
		if was.Revision != revision {
			return errStale
		}
		a, err := s.checked(c, was, d)
		if err != nil {
			return err
		}
		changes := a.changes(was.Draft)
		if a.Service != was.Service && a.ServiceEmail == was.ServiceEmail { // a namesake
			changes = append(changes, activity.Change{Field: "service_user", Old: string(was.Service), New: string(a.Service)})
		}
		if len(changes) == 0 {
			return nil
		}
		if risky(was.Draft, a.Draft) || a.Service != was.Service {
			if err := c.RequireProof(content(d)); err != nil {
				return err
			}
		}
		secret = a.follow(&was, c.Tx.Now)
		if err := update(c.Tx, a); err != nil {
			return err
		}
		if a.Name != was.Name {
			if err := s.staff.Renamed(c.Tx, caller.Institution, id, a.Name); err != nil {
				return err
			}
		}
		c.RecordAs(EventChanged, a.target(), "", changes...)
		return nil
	})
	if err != nil {
		return "", err
	}
	return secret, nil
}

// follow gives or takes the secret where the way of proving has changed.
func (a *Application) follow(was *Application, now time.Time) (secret identity.Secret) {
	switch {
	case a.HasSecret() && !was.HasSecret():
		secret = newSecret()
		a.secret, a.SecretMade = digest(secret), now
	case !a.HasSecret():
		a.secret, a.oldSecret, a.SecretMade, a.OldSecretEnds = nil, nil, time.Time{}, time.Time{}
	}
	return secret
}

// risky reports whether a change could let somebody in, or tell somebody more.
func risky(was, now Draft) bool {
	was.Name, was.Partner, was.Consent = now.Name, now.Partner, was.Consent && now.Consent
	if !now.Enabled {
		was.Enabled = false
	}
	return len(now.changes(was)) > 0 || was.Consent != now.Consent
}

// Rotate gives an application a new secret, shown once. The one before it ends
// after the overlap, at once where that is zero; an older one ends now. It
// needs a high-risk authorization.
func (s *Service) Rotate(ctx context.Context, caller bank.Caller, id bank.ApplicationID, overlap time.Duration) (secret identity.Secret, err error) {
	if overlap < 0 || overlap > MaxOverlap {
		var problems fault.Problems
		problems.Addf("overlap", "An old secret can live on for at most %d days.", MaxOverlap/(24*time.Hour))
		return "", problems.Err("The secret was not changed.")
	}
	err = s.change(ctx, caller, EventRotated, id, func(c *guard.Change, a Application) error {
		if !a.HasSecret() {
			return fault.New(fault.Conflict, "The application proves itself by its own key and has no secret.").With("NO_SECRET")
		}
		if err := s.lend(c, a.Service); err != nil {
			return err
		}
		if err := c.RequireProof(content(overlap)); err != nil {
			return err
		}
		secret = newSecret()
		a.oldSecret, a.OldSecretEnds = nil, time.Time{}
		if overlap > 0 {
			a.oldSecret, a.OldSecretEnds = a.secret, c.Tx.Now.Add(overlap)
		}
		a.secret, a.SecretMade = digest(secret), c.Tx.Now
		if err := update(c.Tx, a); err != nil {
			return err
		}
		ends := "at once"
		if overlap > 0 {
			ends = a.OldSecretEnds.Format(time.RFC3339)
		}
		c.RecordAs(EventRotated, a.target(), "", activity.Change{Field: "old_secret_ends", New: ends})
		return nil
	})
	if err != nil {
		return "", err
	}
	return secret, nil
}

// Delete ends an application for good. The groups of its product stay, so that
// nobody is left without one, and permit nothing. It needs a high-risk authorization.
func (s *Service) Delete(ctx context.Context, caller bank.Caller, id bank.ApplicationID) error {
	return s.change(ctx, caller, EventDeleted, id, func(c *guard.Change, a Application) error {
		if err := c.RequireProof(nil); err != nil {
			return err
		}
		if err := s.staff.Forget(c, id); err != nil {
			return err
		}
		if err := remove(c.Tx, a); err != nil {
			return err
		}
		c.RecordAs(EventDeleted, a.target(), "", reversed(a.changes(Draft{}))...)
		return nil
	})
}

func (s *Service) change(ctx context.Context, caller bank.Caller, event string, id bank.ApplicationID, apply func(*guard.Change, Application) error) error {
	return s.guard.Do(ctx, caller, action(event, id), func(c *guard.Change) error {
		a, err := Find(c.Tx, caller.Institution, id)
		if err != nil {
			return err
		}
		return apply(c, a)
	})
}

var errStale = fault.New(fault.Conflict, "Somebody else changed this meanwhile, so nothing was saved. Look at it as it is now and try again.").With("STALE")

// content is what a high-risk authorization of a change covers.
func content(of any) []byte {
	text, err := json.Marshal(of)
	if err != nil {
		panic("application: " + err.Error()) // only values of this room are passed
	}
	return text
}

// changes lists what differs between two applications. Keys are told by their
// ids.
func (d *Draft) changes(was Draft) (all []activity.Change) {
	text := func(field, old, new string) {
		if old != new {
			all = append(all, activity.Change{Field: field, Old: old, New: new})
		}
	}
	truth := func(field string, old, new bool) { text(field, strconv.FormatBool(old), strconv.FormatBool(new)) }
	text("name", was.Name, d.Name)
	text("partner", was.Partner, d.Partner)
	text("method", string(was.Method), string(d.Method))
	text("grants", grantsText(was.Grants), grantsText(d.Grants))
	text("redirects", strings.Join(was.Redirects, " "), strings.Join(d.Redirects, " "))
	text("post_logouts", strings.Join(was.PostLogouts, " "), strings.Join(d.PostLogouts, " "))
	text("back_channel_logout", was.BackChannelLogout, d.BackChannelLogout)
	text("scopes", strings.Join(was.Scopes, " "), strings.Join(d.Scopes, " "))
	if was.Keys != d.Keys {
		all = append(all, activity.Change{Field: "keys", Old: was.keyIDs(), New: d.keyIDs()})
	}
	truth("claims.groups", was.Groups, d.Groups)
	truth("claims.permissions", was.Permissions, d.Permissions)
	truth("consent", was.Consent, d.Consent)
	text("service", was.ServiceEmail, d.ServiceEmail)
	truth("enabled", was.Enabled, d.Enabled)
	return all
}

func (d *Draft) keyIDs() string {
	var ids []string
	for _, k := range d.PublicKeys() {
		ids = append(ids, k.ID)
	}
	return strings.Join(ids, " ")
}

func reversed(changes []activity.Change) []activity.Change {
	for i, c := range changes {
		changes[i].Old, changes[i].New = c.New, c.Old
	}
	return changes
}
