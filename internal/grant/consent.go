package grant

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/guard"
)

// A Consent is what somebody allowed an application to learn of them.
type Consent struct {
	Application bank.ApplicationID
	Product     string // as it was called then
	Told        []string
	Given       time.Time
}

// Consented reports whether somebody allowed an application all of some scopes.
func (s *Service) Consented(ctx context.Context, institution bank.InstitutionID, who bank.StaffID, application bank.ApplicationID, scopes []string) (bool, error) {
	var given string
	err := s.db.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(`select scopes from application_consent where institution_id = $1 and staff_id = $2 and client_id = $3`,
			institution, who, application).Scan(&given)
	})
	if errors.Is(err, db.ErrNoRows) {
		return false, nil
	}
	had := strings.Fields(given)
	return err == nil && !slices.ContainsFunc(scopes, func(one string) bool { return !slices.Contains(had, one) }), wrap("find the consent", err)
}

// Consent remembers that the caller allowed an application something, also what
// they had allowed before.
func (s *Service) Consent(ctx context.Context, caller bank.Caller, application bank.ApplicationID, product string, scopes []string) error {
	return s.own(ctx, caller, EventConsented, func(c *guard.Change, target activity.Target) error {
		var had string
		err := c.Tx.QueryRow(`select scopes from application_consent where institution_id = $1 and staff_id = $2 and client_id = $3`,
			caller.Institution, caller.ID, application).Scan(&had)
		if err != nil && !errors.Is(err, db.ErrNoRows) {
			return wrap("find the consent", err)
		}
		all := append(strings.Fields(had), scopes...)
		slices.Sort(all)
		now := strings.Join(slices.Compact(all), " ")
		if _, err := c.Tx.Exec(`
			insert into application_consent (institution_id, staff_id, client_id, product, scopes, given_micros) values ($1, $2, $3, $4, $5, $6)
			on conflict (institution_id, staff_id, client_id) do update set product = excluded.product, scopes = excluded.scopes, given_micros = excluded.given_micros`,
			caller.Institution, caller.ID, application, product, now, c.Tx.Now.UnixMicro()); err != nil {
			return wrap("store the consent", err)
		}
		c.RecordAs(EventConsented, target, product, activity.Change{Field: "scopes", Old: had, New: now})
		return nil
	})
}

// Withdraw takes back what the caller allowed an application, and ends what it
// has of them.
func (s *Service) Withdraw(ctx context.Context, caller bank.Caller, application bank.ApplicationID) error {
	return s.own(ctx, caller, EventWithdrawn, func(c *guard.Change, target activity.Target) error {
		n, err := c.Tx.Exec(`delete from application_consent where institution_id = $1 and staff_id = $2 and client_id = $3`,
			caller.Institution, caller.ID, application)
		if err != nil {
			return wrap("take back the consent", err)
		}
		found, err := db.All(c.Tx, scanIssued, selectLiving+` institution_id = $1 and staff_id = $2 and client_id = $3`, caller.Institution, caller.ID, application)
		if n == 0 && len(found) == 0 && err == nil {
			return nil
		}
		c.RecordAs(EventWithdrawn, target, "", activity.Change{Field: "application", Old: string(application)})
		return s.endAll(c.Tx, found, err, Withdrawn)
	})
}

// Consents are what the caller allowed, the newest first.
func (s *Service) Consents(ctx context.Context, caller bank.Caller) (all []Consent, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		all, err = db.All(tx, func(row db.Scanner) (c Consent, err error) {
			var scopes string
			var given int64
			err = row.Scan(&c.Application, &c.Product, &scopes, &given)
			c.Told, c.Given = strings.Fields(scopes), moment(given)
			return c, err
		}, `select client_id, product, scopes, given_micros from application_consent where institution_id = $1 and staff_id = $2 order by given_micros desc, client_id`,
			caller.Institution, caller.ID)
		return err
	})
	return all, wrap("list the consents", err)
}

// own does something that belongs to the calling staff user alone.
func (s *Service) own(ctx context.Context, caller bank.Caller, event string, do func(*guard.Change, activity.Target) error) error {
	target := activity.Target{Kind: activity.TargetStaff, ID: caller.ID, Name: caller.Name}
	return s.guard.Do(ctx, caller, guard.Action{Event: event, Target: target, Self: true}, func(c *guard.Change) error { return do(c, target) })
}
