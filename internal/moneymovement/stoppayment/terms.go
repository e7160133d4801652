package stoppayment

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

const maxDisclaimer = 2000

// Terms are what an institution charges and says about stop payments, and what
// it must be told about a check.
type Terms struct {
	Fee         bank.Cents
	Disclaimer  string
	NeedsAmount bool
	NeedsDate   bool
	NeedsPayee  bool
}

// standardTerms hold where the institution has set none: it charges nothing.
var standardTerms = Terms{
	Disclaimer: "A stop payment holds for six months and only for checks that match what you enter exactly. " +
		"It does not hold for a check that has already been paid, or that was turned into an electronic payment.",
	NeedsAmount: true,
}

// Seen is a mark of the terms as somebody saw them.
func (t Terms) Seen() string { return hashOf(t) }

// ErrTermsChanged asks somebody to look at the fee and the disclaimer again.
var ErrTermsChanged = fault.New(fault.Conflict, "The fee or the disclaimer was changed meanwhile. Look at it again before you confirm.").With("TERMS_CHANGED")

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
		Target: activity.Target{Kind: activity.TargetInstitution, ID: string(institution), Name: "Stop payments"},
	}
}

func termsOf(tx *db.Tx, institution bank.InstitutionID) (t Terms, err error) {
	err = tx.QueryRow(`select fee, disclaimer, needs_amount, needs_date, needs_payee from stop_terms where institution_id = $1`, institution).
		Scan(&t.Fee, &t.Disclaimer, &t.NeedsAmount, &t.NeedsDate, &t.NeedsPayee)
	if errors.Is(err, db.ErrNoRows) {
		return standardTerms, nil
	}
	if err != nil {
		return Terms{}, fmt.Errorf("read the terms of stop payments: %w", err)
	}
	return t, nil
}

// SetTerms sets the terms of an institution.
func (s *Service) SetTerms(ctx context.Context, caller bank.Caller, t Terms) error {
	var problems fault.Problems
	if t.Fee < 0 || t.Fee > bank.MaxAmount {
		problems.Add("fee", "Write an amount like $30.00.")
	}
	if t.Disclaimer == "" || utf8.RuneCountInString(t.Disclaimer) > maxDisclaimer {
		problems.Addf("disclaimer", "Write what people must know, in at most %d characters.", maxDisclaimer)
	}
	if err := problems.Err("The terms cannot be saved."); err != nil {
		return err
	}
	return s.guard.Do(ctx, caller, setting(caller.Institution), func(c *guard.Change) error {
		old, err := termsOf(c.Tx, caller.Institution)
		if err != nil || old == t {
			return err
		}
		c.Record(old.differences(t)...)
		_, err = c.Tx.Exec(`
			insert into stop_terms (institution_id, fee, disclaimer, needs_amount, needs_date, needs_payee) values ($1, $2, $3, $4, $5, $6)
			on conflict (institution_id) do update set fee = excluded.fee, disclaimer = excluded.disclaimer,
			   needs_amount = excluded.needs_amount, needs_date = excluded.needs_date, needs_payee = excluded.needs_payee`,
			caller.Institution, t.Fee, t.Disclaimer, t.NeedsAmount, t.NeedsDate, t.NeedsPayee)
		if err != nil {
			return fmt.Errorf("store the terms of stop payments: %w", err)
		}
		return nil
	})
}

func (t Terms) differences(after Terms) (changes []activity.Change) {
	add := func(field, old, new string) {
		if old != new {
			changes = append(changes, activity.Change{Field: field, Old: old, New: new})
		}
	}
	add("fee", t.Fee.String(), after.Fee.String())
	add("disclaimer", t.Disclaimer, after.Disclaimer)
	add("needs_amount", strconv.FormatBool(t.NeedsAmount), strconv.FormatBool(after.NeedsAmount))
	add("needs_date", strconv.FormatBool(t.NeedsDate), strconv.FormatBool(after.NeedsDate))
	add("needs_payee", strconv.FormatBool(t.NeedsPayee), strconv.FormatBool(after.NeedsPayee))
	return changes
}
