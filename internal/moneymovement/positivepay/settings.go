package positivepay

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/host"
)

// Settings are what an institution does with exceptions that nobody decided by
// the cut-off, and from when they can be worked. The hours are the calendar's.
type Settings struct {
	Check Verdict // of checks that nobody decided
	ACH   Verdict // of ACH items that nobody decided
	Early bool    // as soon as they are there, not only from the opening of their day
}

// standardSettings hold where the institution has set none: money that nobody
// spoke for stays.
var standardSettings = Settings{Check: Return, ACH: Return}

func (s Settings) of(kind host.ItemKind) Verdict {
	if kind == host.ACHItem {
		return s.ACH
	}
	return s.Check
}

// Settings reads how Positive Pay works at an institution, for those who keep it.
func (s *Service) Settings(ctx context.Context, caller bank.Caller) (set Settings, err error) {
	err = s.guard.Look(ctx, caller, setting(caller.Institution), func(v *guard.View) error {
		set, err = settingsOf(v.Tx, caller.Institution)
		return err
	})
	return set, err
}

func setting(institution bank.InstitutionID) guard.Action {
	return guard.Action{
		Event: EventSettingsChanged, Staff: catalog.InstitutionSettingsManage.ID(), Others: []bank.ActorKind{bank.ActorOperator, bank.ActorHost},
		Target: activity.Target{Kind: activity.TargetInstitution, ID: string(institution), Name: "Positive Pay"},
	}
}

func settingsOf(tx *db.Tx, institution bank.InstitutionID) (s Settings, err error) {
	err = tx.QueryRow(`select check_default, ach_default, early from arp_settings where institution_id = $1`, institution).Scan(&s.Check, &s.ACH, &s.Early)
	if errors.Is(err, db.ErrNoRows) {
		return standardSettings, nil
	}
	if err != nil {
		return Settings{}, fmt.Errorf("read how Positive Pay works: %w", err)
	}
	return s, nil
}

// SetSettings sets how Positive Pay works at an institution.
func (s *Service) SetSettings(ctx context.Context, caller bank.Caller, set Settings) error {
	var problems fault.Problems
	for field, v := range map[string]Verdict{"check": set.Check, "ach": set.ACH} {
		if v.Label() == "" {
			problems.Add(field, "Choose pay or return.")
		}
	}
	if err := problems.Err("The settings cannot be saved."); err != nil {
		return err
	}
	return s.guard.Do(ctx, caller, setting(caller.Institution), func(c *guard.Change) error {
		old, err := settingsOf(c.Tx, caller.Institution)
		if err != nil || old == set {
			return err
		}
		c.Record(old.differences(set)...)
		_, err = c.Tx.Exec(`
			insert into arp_settings (institution_id, check_default, ach_default, early) values ($1, $2, $3, $4)
			on conflict (institution_id) do update set check_default = excluded.check_default, ach_default = excluded.ach_default, early = excluded.early`,
			caller.Institution, set.Check, set.ACH, set.Early)
		if err != nil {
			return fmt.Errorf("store how Positive Pay works: %w", err)
		}
		return nil
	})
}

func (s Settings) differences(after Settings) (changes []activity.Change) {
	add := func(field, old, new string) {
		if old != new {
			changes = append(changes, activity.Change{Field: field, Old: old, New: new})
		}
	}
	add("check_default", string(s.Check), string(after.Check))
	add("ach_default", string(s.ACH), string(after.ACH))
	add("early", strconv.FormatBool(s.Early), strconv.FormatBool(after.Early))
	return changes
}

func enrolling(event string, organization bank.OrganizationID, account bank.AccountID) guard.Action {
	return guard.Action{
		Event: event, Organization: organization, Staff: catalog.InstitutionSettingsManage.ID(), Others: []bank.ActorKind{bank.ActorOperator, bank.ActorHost},
		Target: activity.Target{Kind: activity.TargetAccount, ID: string(account), Name: "Positive Pay"},
	}
}

// Enrolled are the accounts of an organization that are under Positive Pay, for
// those who enrol them.
func (s *Service) Enrolled(ctx context.Context, caller bank.Caller, organization bank.OrganizationID) (on map[bank.AccountID]bool, err error) {
	err = s.guard.Look(ctx, caller, enrolling(EventEnrolled, organization, ""), func(v *guard.View) error {
		on, err = enrolled(v.Tx, place{caller.Institution, organization})
		return err
	})
	return on, err
}

// Enrol puts an account under Positive Pay, or takes it out. Only the
// institution does that.
func (s *Service) Enrol(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, account bank.AccountID, on bool) error {
	event := map[bool]string{true: EventEnrolled, false: EventRemoved}[on]
	action := enrolling(event, organization, account)
	err := s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		at := place{caller.Institution, organization}
		name, _, err := s.accounts(c.Tx, at.institution, at.organization, account)
		if err != nil {
			return err
		}
		if name == "" {
			return fault.New(fault.NotFound, "There is no such account in this organization.")
		}
		changes, changed, err := setEnrolled(c.Tx, at, account, on)
		if err != nil || !changed {
			return err
		}
		c.RecordQuiet(event, action.Target, "")
		return host.Queue(c.Tx, host.Order{
			Institution: at.institution, Organization: at.organization, Room: RoomName, Ref: fmt.Sprintf("enrol/%s/%d", account, changes),
			Memo: "Positive Pay", Enrol: &host.Enrolment{Account: account, On: on},
		})
	})
	if err == nil {
		s.desk.Now(ctx)
	}
	return err
}

// setEnrolled keeps whether an account is enrolled, and says how often that
// has changed by now.
func setEnrolled(tx *db.Tx, at place, account bank.AccountID, on bool) (changes int64, changed bool, err error) {
	changes, err = db.One(tx, db.Value[int64], `
		insert into arp_account (institution_id, organization_id, account_id, enrolled, changes) values ($1, $2, $3, $4, 1)
		on conflict (institution_id, organization_id, account_id) do update set enrolled = excluded.enrolled, changes = arp_account.changes + 1
		 where arp_account.enrolled <> excluded.enrolled
		returning changes`, at.institution, at.organization, account, on)
	if errors.Is(err, db.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("enrol %s: %w", account, err)
	}
	return changes, true, nil
}

// enrolled are the accounts of an organization that are under Positive Pay.
func enrolled(tx *db.Tx, at place) (map[bank.AccountID]bool, error) {
	ids, err := db.All(tx, db.Value[bank.AccountID], `
		select account_id from arp_account where institution_id = $1 and organization_id = $2 and enrolled`, at.institution, at.organization)
	if err != nil {
		return nil, fmt.Errorf("read which accounts are enrolled: %w", err)
	}
	on := make(map[bank.AccountID]bool, len(ids))
	for _, id := range ids {
		on[id] = true
	}
	return on, nil
}

// errNotEnrolled is said of an account on which everything else is allowed.
var errNotEnrolled = fault.New(fault.Conflict, "This account is not enrolled in Positive Pay. Ask your institution to enrol it.").With("NOT_ENROLLED")

func requireEnrolled(tx *db.Tx, at place, account bank.AccountID) error {
	on, err := enrolled(tx, at)
	if err != nil || on[account] {
		return err
	}
	return errNotEnrolled
}

// institutions are those that have accounts under Positive Pay.
func institutions(tx *db.Tx) ([]bank.InstitutionID, error) {
	all, err := db.All(tx, db.Value[bank.InstitutionID], `select distinct institution_id from arp_account order by institution_id`)
	if err != nil {
		return nil, fmt.Errorf("read who has Positive Pay: %w", err)
	}
	return all, nil
}

// A Window is when an exception can be decided.
type Window struct {
	Day           bank.Day
	Opens, Closes time.Time
}

// Open reports whether it is open at a moment.
func (w Window) Open(at time.Time) bool { return !at.Before(w.Opens) && at.Before(w.Closes) }

// windowOf is the window of an item for a day that came in at a moment.
func (s Settings) windowOf(days *calendar.Calendar, day bank.Day, came time.Time) Window {
	w := Window{Day: days.OnOrAfter(day)}
	w.Opens, w.Closes = days.Window(calendar.PositivePay, w.Day)
	if s.Early {
		w.Opens = came
	}
	return w
}
