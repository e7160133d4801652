package wire

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/moneymovement/wire/message"
)

// Terms are how an institution sends wires. The zero Terms send none.
type Terms struct {
	Routing string // the institution's own number
	Name    string // as other banks read it
	Source  string // eight characters that name its sending station
	Format  message.Format
}

var sourceSyntax = regexp.MustCompile(`^[A-Z0-9]{8}$`)

// SetTerms sets how an institution sends wires.
func (s *Service) SetTerms(ctx context.Context, caller bank.Caller, t Terms) error {
	var problems fault.Problems
	if !bank.IsRouting(t.Routing) {
		problems.Add("routing", "Write the nine digits of the institution's routing number.")
	}
	carried(&problems, "name", "Write the institution's name.", t.Name, message.MaxBankName)
	if !sourceSyntax.MatchString(t.Source) {
		problems.Add("source", "Write eight capital letters or digits.")
	}
	if !t.Format.Known() {
		problems.Addf("format", "Write %s or %s.", message.Pacs008, message.FAIM)
	}
	if err := problems.Err("The terms cannot be saved."); err != nil {
		return err
	}
	return s.guard.Do(ctx, caller, setting(caller.Institution), func(c *guard.Change) error {
		old, err := termsOf(c.Tx, caller.Institution)
		if err != nil || old == t {
			return err
		}
		c.Record(
			activity.Change{Field: "routing", Old: old.Routing, New: t.Routing}, activity.Change{Field: "name", Old: old.Name, New: t.Name},
			activity.Change{Field: "source", Old: old.Source, New: t.Source}, activity.Change{Field: "format", Old: string(old.Format), New: string(t.Format)})
		_, err = c.Tx.Exec(`
			insert into wire_terms (institution_id, routing, name, source, format) values ($1, $2, $3, $4, $5)
			on conflict (institution_id) do update set routing = excluded.routing, name = excluded.name, source = excluded.source, format = excluded.format`,
			caller.Institution, t.Routing, t.Name, t.Source, t.Format)
		if err != nil {
			return fmt.Errorf("store the terms of wires: %w", err)
		}
		return nil
	})
}

// Terms reads the terms of an institution, for those who keep them.
func (s *Service) Terms(ctx context.Context, caller bank.Caller) (t Terms, err error) {
	err = s.guard.Look(ctx, caller, setting(caller.Institution), func(v *guard.View) error {
		t, err = termsOf(v.Tx, caller.Institution)
		return err
	})
	return t, err
}

func setting(institution bank.InstitutionID) guard.Action {
	return guard.Action{
		Event: EventTermsChanged, Staff: catalog.InstitutionSettingsManage.ID(), Others: []bank.ActorKind{bank.ActorOperator, bank.ActorHost},
		Target: activity.Target{Kind: activity.TargetInstitution, ID: string(institution), Name: "Wires"},
	}
}

func termsOf(tx *db.Tx, institution bank.InstitutionID) (t Terms, err error) {
	err = tx.QueryRow(`select routing, name, source, format from wire_terms where institution_id = $1`, institution).Scan(&t.Routing, &t.Name, &t.Source, &t.Format)
	if errors.Is(err, db.ErrNoRows) {
		return Terms{}, nil
	}
	if err != nil {
		return Terms{}, fmt.Errorf("read the terms of wires: %w", err)
	}
	return t, nil
}

// nextNumber is the number of the next message of a day.
func nextNumber(tx *db.Tx, institution bank.InstitutionID, day bank.Day) (int, error) {
	n, err := db.One(tx, db.Value[int], `
		insert into wire_number (institution_id, day, last) values ($1, $2, 1)
		on conflict (institution_id, day) do update set last = wire_number.last + 1
		returning last`, institution, day)
	if err != nil {
		return 0, fmt.Errorf("number the message: %w", err)
	}
	return n, nil
}
