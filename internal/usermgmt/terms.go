package usermgmt

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// Terms are what an institution is and offers: its name, its edition, where its
// day begins and ends, and its services.
type Terms struct {
	Name     string
	Edition  bank.Edition
	TimeZone string // an IANA name
	Offers   catalog.EntitlementSet
}

// Terms are the institution's as they stand.
func (i Institution) Terms() Terms { return Terms{i.Name, i.Edition, i.TimeZone, i.Offers} }

// Text is the terms as a form carries them, so that a save finds out whether
// somebody else changed them meanwhile.
func (t Terms) Text() string {
	text, _ := json.Marshal([]string{t.Name, t.Edition.String(), t.TimeZone, entitlementIDs(t.Offers)}) // texts can always be written
	return string(text)
}

const maxInstitutionName = 80

const eventTerms = "institution.terms_changed"

func (t Terms) check() error {
	var problems fault.Problems
	if t.Name != strings.TrimSpace(t.Name) || t.Name == "" || utf8.RuneCountInString(t.Name) > maxInstitutionName {
		problems.Addf("name", "Write a name of at most %d characters.", maxInstitutionName)
	}
	if _, err := time.LoadLocation(t.TimeZone); err != nil || t.TimeZone == "" || t.TimeZone == "Local" {
		problems.Add("time_zone", "Write a time zone such as America/Chicago.")
	}
	for _, e := range catalog.EntitlementsIn(t.Offers) {
		if !e.In(t.Edition) {
			problems.Addf("offers", "%s does not exist %s: switch it off with the change.", e.Label(), editionPlace(t.Edition))
		}
	}
	return problems.Err("The settings cannot be saved like this.")
}

func editionPlace(e bank.Edition) string {
	if e == bank.EditionCreditUnion {
		return "at credit unions"
	}
	return "at banks"
}

// An Effect is a sentence about what a change of settings means for whom.
type Effect struct {
	Text  string
	Takes bool // somebody can do less, or is protected less
}

// A Reach is how many an entitlement, or some permissions, are set for.
type Reach struct {
	Organizations, Members int
}

// Reaches are, by what the institution can offer, the organizations that have it
// and the members of these who have it switched on.
type Reaches map[catalog.Entitlement]Reach

// Settings reads an institution's settings for those who keep them, with how far
// each of its services reaches.
func (s *Service) Settings(ctx context.Context, caller bank.Caller) (i Institution, reaches Reaches, err error) {
	err = s.guard.Look(ctx, caller, setting(eventTerms, caller.Institution), func(v *guard.View) error {
		if i, err = institution(v, caller.Institution); err != nil {
			return err
		}
		reaches, err = reachesOf(v.Tx, caller.Institution)
		return err
	})
	return i, reaches, err
}

func reachesOf(tx *db.Tx, institution bank.InstitutionID) (Reaches, error) {
	all := Reaches{}
	for _, e := range catalog.Entitlements() {
		r, err := reachOf(tx, institution, catalog.EntitlementSet(0).With(e), catalog.SetOf(e.Enabled()))
		if err != nil {
			return nil, err
		}
		all[e] = r
	}
	return all, nil
}

// reachOf counts the organizations that have any of some entitlements, and their
// members who have any of some permissions switched on.
func reachOf(tx *db.Tx, institution bank.InstitutionID, has catalog.EntitlementSet, on catalog.Set) (r Reach, err error) {
	err = tx.QueryRow(`
		select (select count(*) from organization o where o.institution_id = $1 and (o.entitlements & $2) <> 0),
		       (select count(*) from member m join organization o on o.num = m.organization_num
		         where o.institution_id = $1 and (o.entitlements & $2) <> 0 and (m.switches & $3) <> 0)`,
		institution, has, on).Scan(&r.Organizations, &r.Members)
	if err != nil {
		return r, fmt.Errorf("count who has it: %w", err)
	}
	return r, nil
}

// PreviewTerms says what terms would change, for how many. Nothing is changed.
func (s *Service) PreviewTerms(ctx context.Context, caller bank.Caller, will Terms) (effects []Effect, err error) {
	if err := will.check(); err != nil {
		return nil, err
	}
	err = s.guard.Look(ctx, caller, setting(eventTerms, caller.Institution), func(v *guard.View) error {
		i, err := institution(v, caller.Institution)
		if err != nil {
			return err
		}
		effects, err = termEffects(v.Tx, i, will)
		return err
	})
	return effects, err
}

func termEffects(tx *db.Tx, i Institution, will Terms) (effects []Effect, err error) {
	was := i.Terms()
	if was.Name != will.Name {
		effects = append(effects, Effect{Text: "Screens and mail call it " + will.Name + "."})
	}
	if was.TimeZone != will.TimeZone {
		effects = append(effects, Effect{Text: "A day begins and ends at midnight of " + will.TimeZone + ", no longer of " + was.TimeZone +
			". Daily limits count by that day, and cut-offs are read on that clock."})
	}
	if was.Edition != will.Edition {
		more, err := editionEffects(tx, i, will)
		if err != nil {
			return nil, err
		}
		effects = append(effects, more...)
	}
	for _, e := range catalog.Entitlements() {
		before, after := was.Offers.Has(e), will.Offers.Has(e)
		if before == after {
			continue
		}
		r, err := reachOf(tx, i.ID, catalog.EntitlementSet(0).With(e), catalog.SetOf(e.Enabled()))
		if err != nil {
			return nil, err
		}
		effects = append(effects, offerEffect(e, after, r))
	}
	return effects, nil
}

func offerEffect(e catalog.Entitlement, on bool, r Reach) Effect {
	switch who := people(r.Organizations, "organization", "organizations"); {
	case on && r.Organizations == 0:
		return Effect{Text: e.Label() + " is offered. No organization has it until it is given in People."}
	case on:
		return Effect{Text: fmt.Sprintf("%s is offered: %s and %s who still have it set can use it at once.", e.Label(), who, people(r.Members, "member", "members"))}
	case r.Organizations == 0:
		return Effect{Takes: true, Text: e.Label() + " is no longer offered. No organization has it."}
	}
	return Effect{Takes: true, Text: fmt.Sprintf("%s is no longer offered: %s and %s lose it at once. What is set for them stays and means nothing until it is offered again; what waits or is scheduled there is refused when its time comes.",
		e.Label(), people(r.Organizations, "organization", "organizations"), people(r.Members, "member", "members"))}
}

// editionEffects say what another edition means: which permissions end to exist,
// which begin to, and who may do what on the institution's side.
func editionEffects(tx *db.Tx, i Institution, will Terms) (effects []Effect, err error) {
	var gone, come []string
	var lost catalog.Set
	for _, e := range catalog.Entitlements() {
		if !e.In(i.Edition) || !e.In(will.Edition) {
			continue // it comes or goes as a whole, with what is offered
		}
		for p := range catalog.PermissionCount {
			switch info := p.Info(); {
			case info.Entitlement != e:
			case p.In(i.Edition) && !p.In(will.Edition):
				gone = append(gone, info.Label)
				if !p.IsLimit() {
					lost = lost.With(p)
				}
			case !p.In(i.Edition) && p.In(will.Edition):
				come = append(come, info.Label)
			}
		}
	}
	r, err := reachOf(tx, i.ID, i.Offers, lost)
	if err != nil {
		return nil, err
	}
	effects = append(effects, Effect{Takes: true, Text: fmt.Sprintf("These permissions do not exist %s: %s. %s with one of them; it means nothing from then on.",
		editionPlace(will.Edition), strings.Join(gone, ", "), people(r.Members, "member is left", "members are left"))})
	effects = append(effects, Effect{Text: "These begin to exist, and are off for everybody: " + strings.Join(come, ", ") + ". Until they are given, whatever needs them is refused."})
	if will.Edition == bank.EditionCreditUnion {
		return append(effects,
			Effect{Text: "There is a fifth level: what an organization has can be switched off for each of its accounts."},
			Effect{Text: "Staff may edit features and account permissions in People, place and remove holds, and delete members. Nobody unlocks: a password reset restores access."}), nil
	}
	return append(effects,
		Effect{Text: "There are four levels: what was switched off for an account of an organization no longer holds."},
		Effect{Takes: true, Text: "Staff see features, limits and accounts in People and change them no longer; holds and deletion are the organizations' own. Locked members are unlocked, not reset."}), nil
}

// ChangeTerms changes the terms from what the caller has seen (Terms.Text) to
// what they shall be. It needs a high-risk authorization, except for a name.
func (s *Service) ChangeTerms(ctx context.Context, caller bank.Caller, seen string, will Terms) error {
	if err := will.check(); err != nil {
		return err
	}
	return s.guard.Do(ctx, caller, setting(eventTerms, caller.Institution), func(c *guard.Change) error {
		i, known, err := FindInstitution(c.Tx, caller.Institution)
		if err != nil || !known {
			return fmt.Errorf("read the institution (found: %t): %w", known, err)
		}
		was := i.Terms()
		if was.Text() != seen {
			return fault.New(fault.Conflict, "Somebody else changed these settings meanwhile, so nothing was saved. Look at them as they are now and try again.").With("STALE")
		}
		if was == will {
			return nil
		}
		if renamed := (Terms{will.Name, was.Edition, was.TimeZone, was.Offers}); renamed != will {
			if err := c.RequireProof([]byte(will.Text())); err != nil {
				return err
			}
		}
		err = touchOne(c.Tx.Exec(`update institution set name = $1, edition = $2, time_zone = $3, offers = $4 where id = $5`,
			will.Name, will.Edition, will.TimeZone, will.Offers, caller.Institution))
		if err != nil {
			return fmt.Errorf("store the settings: %w", err)
		}
		var changes changeList
		changes.add("name", was.Name, will.Name)
		changes.add("edition", was.Edition.String(), will.Edition.String())
		changes.add("time_zone", was.TimeZone, will.TimeZone)
		changes.add("offers", entitlementIDs(was.Offers), entitlementIDs(will.Offers))
		c.RecordAs(eventTerms, activity.Target{Kind: activity.TargetInstitution, ID: string(i.ID), Name: will.Name}, "", []activity.Change(changes)...)
		return nil
	})
}

// people is a number of somebody, in words.
func people(n int, one, more string) string {
	switch n {
	case 0:
		return "No " + one
	case 1:
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}
