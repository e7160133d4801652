package identity

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
)

// A Stage is how far a sign-in has come.
type Stage uint8

// The zero stage is of no use but to go on.
const (
	StageSecondFactor Stage = iota // the password was right, and a second factor must follow
	StageEnrol                     // a second factor must be enrolled before anything else
	StageComplete
)

// A Session is a sign-in record: somebody who has signed in and has not left.
type Session struct {
	ID        string
	Subject   Subject
	Caller    bank.Caller // who acts with it, for the guard
	Username  string
	Stage     Stage
	Factor    string // which second factor was shown; empty where none was
	Outside   string // the issuer through which it was opened; empty: here
	Channel   bank.Channel
	IP        string // where it was opened
	Device    string // by what browser
	Created   time.Time
	Seen      time.Time // within a minute
	IdleEnds  time.Time // when it ends unless it is used
	Ends      time.Time // when it ends at the latest
	FormToken string    // what a form of this sign-in carries, against forged posts
}

// signInRow is a sign-in as it stands in the database.
type signInRow struct {
	Session
	deviceHash []byte
}

const signInColumns = `id, subject_kind, subject_id, stage, factor, channel, ip, device, device_hash, created_micros, seen_micros, idle_micros, ends_micros, outside`

func scanSignIn(institution bank.InstitutionID) func(db.Scanner) (signInRow, error) {
	return func(row db.Scanner) (r signInRow, err error) {
		var created, seen, idle, ends int64
		err = row.Scan(&r.ID, &r.Subject.Kind, &r.Subject.ID, &r.Stage, &r.Factor, &r.Channel, &r.IP, &r.Device, &r.deviceHash, &created, &seen, &idle, &ends, &r.Outside)
		r.Subject.Institution = institution
		r.Created, r.Seen = time.UnixMicro(created).UTC(), time.UnixMicro(seen).UTC()
		r.IdleEnds, r.Ends = time.UnixMicro(idle).UTC(), time.UnixMicro(ends).UTC()
		return r, err
	}
}

// ErrSignedOut is what a request without a sign-in gets.
var ErrSignedOut = fault.New(fault.Unauthorized, "You are signed out. Sign in to go on.").With("SIGNED_OUT")

// Session returns the sign-in of a token and whoever acts with it, as they
// stand now: it is asked on every request. A sign-in that still waits for a
// second factor is not one.
func (s *Service) Session(ctx context.Context, institution bank.InstitutionID, token Secret, from Source) (Session, error) {
	return s.session(ctx, institution, token, from, StageComplete)
}

func (s *Service) session(ctx context.Context, institution bank.InstitutionID, token Secret, from Source, stages ...Stage) (Session, error) {
	if token == "" {
		return Session{}, ErrSignedOut
	}
	var found Session
	var used bool
	err := s.db.Read(ctx, func(tx *db.Tx) error {
		row, err := s.liveSignIn(tx, institution, token, stages)
		if err != nil {
			return err
		}
		if err := sameChannel(&row, from); err != nil {
			return err
		}
		found, used = row.Session, !row.Seen.After(tx.Now.Add(-seenEvery))
		return s.fill(tx, &found, token, from)
	})
	if err == nil && used && !from.Unattended {
		err = s.keepAlive(ctx, found)
	}
	if err != nil {
		return Session{}, err
	}
	return found, nil
}

func (s *Service) liveSignIn(tx *db.Tx, institution bank.InstitutionID, token Secret, stages []Stage) (signInRow, error) {
	row, err := scanSignIn(institution)(tx.QueryRow(`select `+signInColumns+` from sign_in where institution_id = $1 and token_hash = $2`,
		institution, digest("sign-in", token)))
	if errors.Is(err, db.ErrNoRows) {
		return signInRow{}, ErrSignedOut
	}
	if err != nil {
		return signInRow{}, fmt.Errorf("find the sign-in: %w", err)
	}
	if !row.live(tx.Now) || !slices.Contains(stages, row.Stage) {
		return signInRow{}, ErrSignedOut
	}
	return row, nil
}

// live: a sign-in that ends at a second has ended at that second.
func (r *signInRow) live(now time.Time) bool { return now.Before(r.IdleEnds) && now.Before(r.Ends) }

// fill adds who it is, and refuses whoever may not be signed in, whatever
// became of their sign-ins.
func (s *Service) fill(tx *db.Tx, found *Session, token Secret, from Source) error {
	person, err := s.people.Find(tx, found.Subject)
	if errors.Is(err, ErrNoPerson) {
		return ErrSignedOut
	}
	if err != nil {
		return fmt.Errorf("find the person: %w", err)
	}
	if !maySit(&person, found.Stage, found.entry()) {
		return ErrSignedOut
	}
	c, err := credentialOf(tx, found.Subject)
	if err != nil {
		return fmt.Errorf("find the credential: %w", err)
	}
	found.Username = c.username
	found.Caller = person.caller(from)
	found.Caller.SignIn = found.ID
	found.FormToken = formToken(token)
	return nil
}

// entry is how the sign-in was opened.
func (s *Session) entry() entry {
	return entry{username: s.Username, factor: s.Factor, outside: s.Outside}
}

// maySit says whether a person may have a sign-in of a stage. Pending people
// become active by completing their first. Whoever may no longer come in by a way
// has no sign-in that came by it.
func maySit(p *Person, stage Stage, e entry) bool {
	return !p.Held && p.Barred&e.way() == 0 && (p.Status == bank.StatusActive || p.Status == bank.StatusPending && stage != StageComplete)
}

func formToken(token Secret) string {
	mac := hmac.New(sha256.New, []byte(token))
	mac.Write([]byte("form"))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// keepAlive moves the end of an idle sign-in. One of many parallel requests
// writes; a sign-in that ended meanwhile stays ended.
func (s *Service) keepAlive(ctx context.Context, found Session) error {
	if found.Stage != StageComplete {
		return nil
	}
	idle, _ := s.lifetimes(found.Subject.Kind)
	return s.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`
			update sign_in set seen_micros = $1, idle_micros = $2
			 where institution_id = $3 and id = $4 and seen_micros <= $5 and idle_micros > $1 and ends_micros > $1`,
			tx.Now.UnixMicro(), tx.Now.Add(idle).UnixMicro(), found.Subject.Institution, found.ID, tx.Now.Add(-seenEvery).UnixMicro())
		if err != nil {
			return fmt.Errorf("keep the sign-in alive: %w", err)
		}
		return nil
	})
}

// SignIns lists the open sign-ins of a subject, the newest first.
func SignIns(tx *db.Tx, who Subject) ([]Session, error) {
	rows, err := db.All(tx, scanSignIn(who.Institution), `
		select `+signInColumns+` from sign_in
		 where institution_id = $1 and subject_kind = $2 and subject_id = $3 and stage = $4 and idle_micros > $5 and ends_micros > $5
		 order by created_micros desc, id desc`,
		who.Institution, who.Kind, who.ID, StageComplete, tx.Now.UnixMicro())
	if err != nil {
		return nil, fmt.Errorf("list the sign-ins: %w", err)
	}
	var open []Session
	for _, row := range rows {
		open = append(open, row.Session)
	}
	return open, nil
}

// ListSignIns lists the caller's own open sign-ins, the newest first.
func (s *Service) ListSignIns(ctx context.Context, caller bank.Caller) (open []Session, err error) {
	who, ok := SubjectOf(caller)
	if !ok {
		return nil, ErrSignedOut
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		open, err = SignIns(tx, who)
		return err
	})
	return open, err
}

// SignOut ends the sign-in of a token. It is no failure where there is none.
func (s *Service) SignOut(ctx context.Context, institution bank.InstitutionID, token Secret) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		ended, err := db.All(tx, scanEnded(institution), `
			delete from sign_in where institution_id = $1 and token_hash = $2 returning subject_kind, subject_id, id`, institution, digest("sign-in", token))
		if err != nil {
			return fmt.Errorf("sign out: %w", err)
		}
		return s.ended(tx, ended)
	})
}

// An Ended is a sign-in that somebody ended.
type Ended struct {
	Subject Subject
	ID      string
}

func scanEnded(institution bank.InstitutionID) func(db.Scanner) (Ended, error) {
	return func(row db.Scanner) (e Ended, err error) {
		e.Subject.Institution = institution
		return e, row.Scan(&e.Subject.Kind, &e.Subject.ID, &e.ID)
	}
}

// ended tells whoever must know of it that people ended their sign-ins.
func (s *Service) ended(tx *db.Tx, all []Ended) error {
	if s.cfg.SignedOut == nil || len(all) == 0 {
		return nil
	}
	return s.cfg.SignedOut(tx, all)
}

// EndSignIn ends one of the caller's own sign-ins.
func (s *Service) EndSignIn(ctx context.Context, caller bank.Caller, id string) error {
	return s.endOwn(ctx, caller, `
		delete from sign_in where institution_id = $1 and subject_kind = $2 and subject_id = $3 and id = $4 returning subject_kind, subject_id, id`, id)
}

// EndOtherSignIns ends all of the caller's own sign-ins but the one that asks.
func (s *Service) EndOtherSignIns(ctx context.Context, caller bank.Caller) error {
	return s.endOwn(ctx, caller, `
		delete from sign_in where institution_id = $1 and subject_kind = $2 and subject_id = $3 and id <> $4 returning subject_kind, subject_id, id`, caller.SignIn)
}

func (s *Service) endOwn(ctx context.Context, caller bank.Caller, query, id string) error {
	who, ok := SubjectOf(caller)
	if !ok {
		return ErrSignedOut
	}
	return s.db.Write(ctx, func(tx *db.Tx) error {
		ended, err := db.All(tx, scanEnded(who.Institution), query, who.Institution, who.Kind, who.ID, id)
		if err != nil {
			return fmt.Errorf("end sign-ins: %w", err)
		}
		return s.ended(tx, ended)
	})
}

// EndSignIns ends every sign-in of a subject, in the transaction that holds,
// locks, disables or deletes them or gives them a new password.
func EndSignIns(tx *db.Tx, who Subject) error {
	_, err := tx.Exec(`delete from sign_in where institution_id = $1 and subject_kind = $2 and subject_id = $3`,
		who.Institution, who.Kind, who.ID)
	if err != nil {
		return fmt.Errorf("end the sign-ins of %s: %w", who.ID, err)
	}
	return nil
}

// VoidAll ends every sign-in and every open link of an institution. It is part
// of restoring a backup, where what was ended after the backup must not come
// back, and of an emergency.
func VoidAll(tx *db.Tx, institution bank.InstitutionID) error {
	if _, err := tx.Exec(`delete from sign_in where institution_id = $1`, institution); err != nil {
		return fmt.Errorf("end all sign-ins: %w", err)
	}
	if _, err := tx.Exec(`delete from sign_on where institution_id = $1`, institution); err != nil {
		return fmt.Errorf("end all tickets from Classic: %w", err)
	}
	if _, err := tx.Exec(`delete from outside_request where institution_id = $1`, institution); err != nil {
		return fmt.Errorf("end all sign-ins that were taken outside: %w", err)
	}
	if _, err := tx.Exec(`update see_as set ended_micros = $1 where institution_id = $2 and ended_micros = 0`, tx.Now.UnixMicro(), institution); err != nil {
		return fmt.Errorf("end all seeing as somebody else: %w", err)
	}
	_, err := tx.Exec(`
		update link set cancelled_micros = $1 where institution_id = $2 and completed_micros = 0 and cancelled_micros = 0 and replaced_micros = 0`,
		tx.Now.UnixMicro(), institution)
	if err != nil {
		return fmt.Errorf("cancel all links: %w", err)
	}
	return nil
}

// insertSignIn opens a sign-in. What has ended, and what is too many, goes.
func insertSignIn(tx *db.Tx, r signInRow, tokenHash []byte) error {
	who := r.Subject
	if _, err := tx.Exec(`
		insert into sign_in (institution_id, `+signInColumns+`, token_hash)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
		who.Institution, r.ID, who.Kind, who.ID, r.Stage, r.Factor, r.Channel, r.IP, r.Device, r.deviceHash,
		r.Created.UnixMicro(), r.Seen.UnixMicro(), r.IdleEnds.UnixMicro(), r.Ends.UnixMicro(), r.Outside, tokenHash); err != nil {
		return fmt.Errorf("open the sign-in: %w", err)
	}
	if _, err := tx.Exec(`
		delete from sign_in
		 where institution_id = $1 and subject_kind = $2 and subject_id = $3 and (idle_micros <= $4 or ends_micros <= $4)`,
		who.Institution, who.Kind, who.ID, tx.Now.UnixMicro()); err != nil {
		return fmt.Errorf("clear ended sign-ins: %w", err)
	}
	return endOldest(tx, who)
}

func endOldest(tx *db.Tx, who Subject) error {
	ids, err := db.All(tx, db.Value[string], `
		select id from sign_in where institution_id = $1 and subject_kind = $2 and subject_id = $3
		 order by created_micros desc, id desc limit 100 offset $4`, who.Institution, who.Kind, who.ID, maxSignIns)
	if err != nil {
		return fmt.Errorf("find the oldest sign-ins: %w", err)
	}
	for _, id := range ids {
		if _, err := tx.Exec(`delete from sign_in where institution_id = $1 and id = $2`, who.Institution, id); err != nil {
			return fmt.Errorf("end the oldest sign-in: %w", err)
		}
	}
	return nil
}

// Purge removes sign-ins that have ended everywhere. It may run at any time.
func (s *Service) Purge(ctx context.Context) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(`delete from sign_in where ends_micros <= $1`, tx.Now.UnixMicro()); err != nil {
			return fmt.Errorf("purge sign-ins: %w", err)
		}
		if _, err := tx.Exec(`delete from outside_request where expires_micros <= $1`, tx.Now.UnixMicro()); err != nil {
			return fmt.Errorf("purge sign-ins that were taken outside: %w", err)
		}
		return nil
	})
}
