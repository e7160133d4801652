package identity

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// One person can be staff of several institutions, each with a password, second
// factors and rights of its own. They become one person here by signing in to
// both in one browser and saying so, with the same address; an address alone,
// which any institution could write down, says nothing. From then on they go
// from one to the other without signing in again.

// A Place is an institution that a signed-in person may be able to enter.
type Place struct {
	Institution bank.InstitutionID
	Name        string
	Here        bool
	Why         string // why it cannot be entered without signing in there; empty: it can
}

// Institutions lists where the person who is signed in belongs: where they are
// first, the others by name.
func (s *Service) Institutions(ctx context.Context, caller bank.Caller) (places []Place, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		here, err := s.prover(tx, caller)
		if err != nil {
			return err
		}
		factor, err := factorOf(tx, caller)
		if err != nil {
			return err
		}
		places = []Place{{Institution: caller.Institution, Name: here.InstitutionName, Here: true}}
		others, err := ElsewhereOf(tx, here.Subject)
		for _, who := range others {
			place, err := s.place(tx, who, factor)
			if err != nil {
				return err
			}
			if place.Name != "" {
				places = append(places, place)
			}
		}
		return err
	})
	slices.SortFunc(places, func(a, b Place) int {
		if a.Here != b.Here {
			return map[bool]int{true: -1, false: 1}[a.Here]
		}
		return compareFolded(a.Name, b.Name)
	})
	return places, err
}

func compareFolded(a, b string) int {
	a, b = db.Fold(a), db.Fold(b)
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// place says whether somebody may be entered as with a sign-in that showed a
// factor. A place whose person is gone has no name.
func (s *Service) place(tx *db.Tx, who Subject, factor string) (Place, error) {
	p, err := s.people.Find(tx, who)
	if errors.Is(err, ErrNoPerson) {
		return Place{}, nil
	}
	if err != nil {
		return Place{}, fmt.Errorf("find the person: %w", err)
	}
	place := Place{Institution: who.Institution, Name: p.InstitutionName}
	has, err := HasSecondFactor(tx, who)
	switch {
	case err != nil:
		return place, err
	case p.Held || p.Status != bank.StatusActive:
		place.Why = "You cannot sign in there now. Ask your administrator there."
	case p.Barred&WayHere != 0:
		place.Why = "Your groups there do not permit coming in like this. Sign in there."
	case (has || p.NeedsSecond) && factor == "":
		place.Why = "A second factor is needed there, and you have signed in here without one. Sign in there."
	}
	return place, nil
}

// factorOf is the second factor that the caller's sign-in has shown.
func factorOf(tx *db.Tx, caller bank.Caller) (string, error) {
	factor, err := db.One(tx, db.Value[string], `select factor from sign_in where institution_id = $1 and id = $2`, caller.Institution, caller.SignIn)
	if errors.Is(err, db.ErrNoRows) {
		return "", ErrSignedOut
	}
	if err != nil {
		return "", fmt.Errorf("read the sign-in: %w", err)
	}
	return factor, nil
}

// ElsewhereOf are the subjects of other institutions who are the same person.
func ElsewhereOf(tx *db.Tx, who Subject) ([]Subject, error) {
	others, err := db.All(tx, func(row db.Scanner) (o Subject, err error) {
		err = row.Scan(&o.Institution, &o.Kind, &o.ID)
		return o, err
	}, `
		select o.institution_id, o.subject_kind, o.subject_id from same_person m
		  join same_person o on o.person_id = m.person_id and o.institution_id <> m.institution_id
		 where m.institution_id = $1 and m.subject_kind = $2 and m.subject_id = $3 order by o.institution_id`, who.Institution, who.Kind, who.ID)
	if err != nil {
		return nil, fmt.Errorf("read where else the person belongs: %w", err)
	}
	return others, nil
}

// ErrNotThere refuses to enter where the person is not known to belong.
var ErrNotThere = fault.New(fault.NotFound, "You are not known to belong there. Sign in there, and connect the two.").With("NOT_CONNECTED")

// Switch moves a sign-in to another institution of the same person: the one
// that was used ends, and the new one lasts no longer than that would have. What
// the other institution asks for, such as a second factor, must have been shown.
func (s *Service) Switch(ctx context.Context, institution bank.InstitutionID, token Secret, to bank.InstitutionID, from Source) (g Granted, err error) {
	var there Person
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		_, there, err = s.across(tx, institution, token, to)
		return err
	})
	if err != nil {
		return Granted{}, err
	}
	err = s.guard.Do(ctx, there.caller(from), s.signInAction(&there), func(c *guard.Change) error {
		row, person, err := s.across(c.Tx, institution, token, to)
		if err != nil {
			return err
		}
		place, err := s.place(c.Tx, person.Subject, row.Factor)
		if err != nil {
			return err
		}
		if place.Why != "" {
			return fault.New(fault.Conflict, place.Why).With("SIGN_IN_THERE")
		}
		credential, err := credentialOf(c.Tx, person.Subject)
		if err != nil {
			return fmt.Errorf("find the credential: %w", err)
		}
		g, err = s.openUntil(c.Tx, &person, credential.username, row, from)
		if err != nil {
			return err
		}
		c.RecordQuiet("auth.signin_succeeded", person.target(), "came from another institution without signing in again")
		return nil
	})
	if err != nil {
		return Granted{}, err
	}
	return g, nil
}

// across is a live sign-in, and the same person at another institution.
func (s *Service) across(tx *db.Tx, institution bank.InstitutionID, token Secret, to bank.InstitutionID) (row signInRow, there Person, err error) {
	if row, err = s.liveSignIn(tx, institution, token, []Stage{StageComplete}); err != nil {
		return row, there, err
	}
	here, err := s.people.Find(tx, row.Subject)
	if errors.Is(err, ErrNoPerson) || err == nil && !maySit(&here, StageComplete, row.entry()) {
		return row, there, ErrSignedOut
	}
	if err != nil {
		return row, there, err
	}
	others, err := ElsewhereOf(tx, row.Subject)
	if err != nil {
		return row, there, err
	}
	for _, who := range others {
		if who.Institution != to {
			continue
		}
		there, err = s.people.Find(tx, who)
		if errors.Is(err, ErrNoPerson) {
			return row, there, ErrNotThere
		}
		return row, there, err
	}
	return row, there, ErrNotThere
}

// openUntil opens a sign-in in place of another one. It is as old as that: the
// person proved who they are when that was opened, and not now.
func (s *Service) openUntil(tx *db.Tx, p *Person, username string, instead signInRow, from Source) (Granted, error) {
	g, err := s.open(tx, p, entry{username: username, factor: instead.Factor}, StageComplete, from)
	if err != nil {
		return Granted{}, err
	}
	g.Session.Created = instead.Created
	if instead.Ends.Before(g.Session.Ends) {
		g.Session.Ends = instead.Ends
	}
	if _, err := tx.Exec(`update sign_in set created_micros = $1, ends_micros = $2 where institution_id = $3 and id = $4`,
		g.Session.Created.UnixMicro(), g.Session.Ends.UnixMicro(), p.Subject.Institution, g.Session.ID); err != nil {
		return Granted{}, fmt.Errorf("let the new sign-in be as old as the one before: %w", err)
	}
	if _, err := tx.Exec(`delete from sign_in where institution_id = $1 and id = $2`, instead.Subject.Institution, instead.ID); err != nil {
		return Granted{}, fmt.Errorf("end the sign-in that was left: %w", err)
	}
	return g, s.ended(tx, []Ended{{instead.Subject, instead.ID}})
}

// Another is whose sign-in a browser has kept beside the one that asks, where
// the two can be connected.
func (s *Service) Another(ctx context.Context, caller bank.Caller, institution bank.InstitutionID, token Secret) (place Place, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		_, other, err := s.another(tx, caller, institution, token)
		place = Place{Institution: institution, Name: other.InstitutionName}
		return err
	})
	return place, err
}

// another are both people of two live sign-ins, if they can be one.
func (s *Service) another(tx *db.Tx, caller bank.Caller, institution bank.InstitutionID, token Secret) (here, other Person, err error) {
	if here, err = s.prover(tx, caller); err != nil {
		return here, other, err
	}
	row, err := s.liveSignIn(tx, institution, token, []Stage{StageComplete})
	if err != nil {
		return here, other, err
	}
	other, err = s.people.Find(tx, row.Subject)
	if errors.Is(err, ErrNoPerson) || err == nil && !maySit(&other, StageComplete, row.entry()) {
		return here, other, ErrSignedOut
	}
	if err != nil {
		return here, other, err
	}
	switch {
	case here.Subject.Kind != KindStaff || other.Subject.Kind != KindStaff || here.Subject.Institution == other.Subject.Institution:
		return here, other, ErrNotThere
	case db.Fold(here.Email) != db.Fold(other.Email):
		return here, other, fault.Newf(fault.Conflict, "You sign in with %s here and with another address at %s. Only sign-ins with the same address can be connected.", here.Email, other.InstitutionName).With("ANOTHER_ADDRESS")
	}
	return here, other, nil
}

// Connect makes one person of two staff users who are signed in in the same
// browser: the one who asks, and the one of the token. That other sign-in ends:
// from now on one is enough.
func (s *Service) Connect(ctx context.Context, caller bank.Caller, institution bank.InstitutionID, token Secret) error {
	target := activity.Target{Kind: activity.TargetStaff, ID: caller.ID, Name: caller.Name}
	return s.guard.Do(ctx, caller, guard.Action{Event: "staff.connected", Target: target, Self: true}, func(c *guard.Change) error {
		here, other, err := s.another(c.Tx, caller, institution, token)
		if err != nil {
			return err
		}
		person, err := joinPeople(c.Tx, here.Subject, other.Subject)
		if err != nil || person == "" {
			return err
		}
		ended, err := db.All(c.Tx, scanEnded(institution), `
			delete from sign_in where institution_id = $1 and token_hash = $2 returning subject_kind, subject_id, id`, institution, digest("sign-in", token))
		if err != nil {
			return fmt.Errorf("end the other sign-in: %w", err)
		}
		if err := s.ended(c.Tx, ended); err != nil {
			return err
		}
		c.Record(activity.Change{Field: "institution", New: other.InstitutionName})
		from := Source{Channel: caller.Channel, IP: caller.IP, Device: caller.Device}
		return c.Elsewhere(other.caller(from), guard.Action{Event: "staff.connected", Target: other.target(), Self: true}, func(there *guard.Change) error {
			there.Record(activity.Change{Field: "institution", New: here.InstitutionName})
			return nil
		})
	})
}

// joinPeople puts two subjects under one person. Whoever they each were one
// with before comes along; the id is empty where they were one already.
func joinPeople(tx *db.Tx, a, b Subject) (string, error) {
	first, err := personOf(tx, a)
	if err != nil {
		return "", err
	}
	second, err := personOf(tx, b)
	if err != nil || first == second && first != "" {
		return "", err
	}
	if first == "" {
		first = bank.NewID("per", tx.Now)
		if err := insertSamePerson(tx, a, first); err != nil {
			return "", err
		}
	}
	if second == "" {
		return first, insertSamePerson(tx, b, first)
	}
	_, err = tx.Exec(`update same_person set person_id = $1 where person_id = $2`, first, second)
	if db.IsUnique(err, "same_person_once") {
		return "", fault.New(fault.Conflict, "These are connected with different people of one institution. Disconnect one of them first.").With("CONNECTED_OTHERWISE")
	}
	if err != nil {
		return "", fmt.Errorf("make one person of two: %w", err)
	}
	return first, nil
}

func personOf(tx *db.Tx, who Subject) (string, error) {
	id, err := db.One(tx, db.Value[string], `select person_id from same_person where institution_id = $1 and subject_kind = $2 and subject_id = $3`, who.Institution, who.Kind, who.ID)
	if errors.Is(err, db.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read which person it is: %w", err)
	}
	return id, nil
}

func insertSamePerson(tx *db.Tx, who Subject, person string) error {
	_, err := tx.Exec(`insert into same_person (institution_id, subject_kind, subject_id, person_id, joined_micros) values ($1, $2, $3, $4, $5)`,
		who.Institution, who.Kind, who.ID, person, tx.Now.UnixMicro())
	if db.IsUnique(err, "same_person_once") {
		return fault.New(fault.Conflict, "This person is connected with somebody else of that institution already. Disconnect that first.").With("CONNECTED_OTHERWISE")
	}
	if err != nil {
		return fmt.Errorf("store which person it is: %w", err)
	}
	return nil
}

// Disconnect takes the caller's own sign-in here out of the person it was
// connected to. Every sign-in stays what it is, each by itself.
func (s *Service) Disconnect(ctx context.Context, caller bank.Caller) error {
	target := activity.Target{Kind: activity.TargetStaff, ID: caller.ID, Name: caller.Name}
	return s.guard.Do(ctx, caller, guard.Action{Event: "staff.disconnected", Target: target, Self: true}, func(c *guard.Change) error {
		who, ok := SubjectOf(caller)
		if !ok {
			return ErrSignedOut
		}
		others, err := ElsewhereOf(c.Tx, who)
		if err != nil || len(others) == 0 {
			return err
		}
		if _, err := c.Tx.Exec(`delete from same_person where institution_id = $1 and subject_kind = $2 and subject_id = $3`, who.Institution, who.Kind, who.ID); err != nil {
			return fmt.Errorf("disconnect the sign-ins: %w", err)
		}
		var left []activity.Change
		for _, other := range others {
			left = append(left, activity.Change{Field: "institution", Old: string(other.Institution)})
		}
		c.Record(left...)
		return nil
	})
}
