package grant

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/guard"
	"mandate/internal/identity"
)

// A Family is what an application was given at one sign-in: a code, and the
// tokens that came of it, one after the other.
type Family struct {
	ID          string
	Application bank.ApplicationID
	Institution bank.InstitutionID // whose staff user it is; the issuer's own, but at the neutral one
	Staff       bank.StaffID       // empty: the application's own
	SignIn      string             // the record of the sign-in it came of
	Scopes      string
	Code        identity.Secret // given when it is stored; never read back
	Refresh     identity.Secret // the newest; given when it is stored, never read back
	CodeUsed    time.Time       // zero: the code waits
	Ended       time.Time       // zero: it lives
	Created     time.Time
	Used        time.Time
	Body        []byte // the protocol's
	Version     int64  // 0: it is new
}

const selectFamily = `
	select id, client_id, institution_id, staff_id, sign_in_id, scopes, code_used_micros, ended_micros, body, version, created_micros, used_micros
	  from sign_in_grant`

func scanFamily(row db.Scanner) (f Family, err error) {
	var used, ended, created, last int64
	err = row.Scan(&f.ID, &f.Application, &f.Institution, &f.Staff, &f.SignIn, &f.Scopes, &used, &ended, &f.Body, &f.Version, &created, &last)
	f.CodeUsed, f.Ended, f.Created, f.Used = moment(used), moment(ended), moment(created), moment(last)
	return f, err
}

// Begin stores a new family.
func (s *Service) Begin(ctx context.Context, issuer bank.InstitutionID, f Family) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		ends, codeEnds := tx.Now.Add(RefreshLongest), int64(0)
		if f.Staff == "" {
			ends = tx.Now.Add(AccessLifetime)
		}
		if f.Code != "" {
			codeEnds = tx.Now.Add(CodeLifetime).UnixMicro()
		}
		_, err := tx.Exec(`
			insert into sign_in_grant (issuer, id, client_id, institution_id, staff_id, sign_in_id, scopes, code_hash, code_expires_micros, code_used_micros,
				refresh_hash, refresh_expires_micros, ends_micros, ended_micros, ended_why, body, version, created_micros, used_micros)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, 0, $11, 0, '', $12, 1, $13, $13)`,
			issuer, f.ID, f.Application, f.Institution, f.Staff, f.SignIn, f.Scopes, hashed("code", f.Code), codeEnds,
			[]byte{}, ends.UnixMicro(), f.Body, tx.Now.UnixMicro())
		return wrap("store the grant", err)
	})
}

func hashed(purpose string, token identity.Secret) []byte {
	if token == "" {
		return []byte{}
	}
	return digest(purpose, string(token))
}

// Redeem stores that the code of a family was exchanged: once, and for somebody
// who may still sign in. It is recorded as their sign-in at the product.
func (s *Service) Redeem(ctx context.Context, issuer bank.InstitutionID, f Family, product string, from identity.Source) error {
	p, err := s.Person(ctx, f.Institution, f.Staff)
	if err != nil {
		return err
	}
	action := guard.Action{Event: EventSignedIn, Target: personTarget(&p), Self: true}
	return s.guard.Do(ctx, asStaff(f.Institution, &p, from), action, func(c *guard.Change) error {
		if _, err := s.signedIn(c.Tx, f.Institution, f.Staff); err != nil {
			return err
		}
		if err := s.store(c.Tx, issuer, f); err != nil {
			return err
		}
		c.RecordAs(action.Event, action.Target, product, activity.Change{Field: "application", New: string(f.Application)}, activity.Change{Field: "scopes", New: f.Scopes})
		return nil
	})
}

// Renew stores what a family became when its refresh token was exchanged.
func (s *Service) Renew(ctx context.Context, issuer bank.InstitutionID, f Family) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		if f.Staff != "" {
			if _, err := s.signedIn(tx, f.Institution, f.Staff); err != nil {
				return err
			}
		}
		return s.store(tx, issuer, f)
	})
}

// store writes a family as one that nobody changed since it was read. Its old
// refresh token is spent where it has a new one.
func (s *Service) store(tx *db.Tx, issuer bank.InstitutionID, f Family) error {
	if f.Refresh != "" {
		if _, err := tx.Exec(`
			insert into spent_refresh (issuer, token_hash, grant_id, spent_micros)
			select issuer, refresh_hash, id, $1 from sign_in_grant where issuer = $2 and id = $3 and length(refresh_hash) > 0
			on conflict (issuer, token_hash) do nothing`, tx.Now.UnixMicro(), issuer, f.ID); err != nil {
			return wrap("spend the refresh token", err)
		}
	}
	expires := int64(0)
	if f.Refresh != "" {
		expires = tx.Now.Add(RefreshIdle).UnixMicro()
	}
	used := int64(0)
	if !f.CodeUsed.IsZero() {
		used = tx.Now.UnixMicro()
	}
	n, err := tx.Exec(`
		update sign_in_grant
		   set code_used_micros = case when code_used_micros = 0 then cast($1 as bigint) else code_used_micros end,
		       refresh_hash = case when cast($2 as bigint) = 0 then refresh_hash else $3 end,
		       refresh_expires_micros = case when cast($2 as bigint) = 0 then refresh_expires_micros else cast($2 as bigint) end,
		       body = $4, version = version + 1, used_micros = $5
		 where issuer = $6 and id = $7 and version = $8 and ended_micros = 0`,
		used, expires, hashed("refresh", f.Refresh), f.Body, tx.Now.UnixMicro(), issuer, f.ID, f.Version)
	if err == nil && n == 0 {
		return ErrMoved
	}
	return wrap("store the grant", err)
}

// Family finds a family that lives, for somebody who may still be signed in.
func (s *Service) Family(ctx context.Context, issuer bank.InstitutionID, id string) (f Family, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		f, err = s.living(tx, selectFamily+` where issuer = $1 and id = $2 and ended_micros = 0 and ends_micros > $3`, issuer, id, tx.Now.UnixMicro())
		return err
	})
	return f, err
}

// ByCode finds the family of a code. One that was exchanged is found too, so
// that whoever brings it again can be told from a stranger.
func (s *Service) ByCode(ctx context.Context, issuer bank.InstitutionID, code identity.Secret) (f Family, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		f, err = s.living(tx, selectFamily+` where issuer = $1 and code_hash = $2 and ended_micros = 0 and (code_expires_micros > $3 or code_used_micros > 0)`,
			issuer, digest("code", string(code)), tx.Now.UnixMicro())
		return err
	})
	return f, err
}

func (s *Service) living(tx *db.Tx, query string, args ...any) (Family, error) {
	f, err := scanFamily(tx.QueryRow(query, args...))
	if errors.Is(err, db.ErrNoRows) {
		return Family{}, ErrUnknown
	}
	if err != nil {
		return Family{}, wrap("find the grant", err)
	}
	if f.Staff == "" {
		return f, nil
	}
	_, err = s.signedIn(tx, f.Institution, f.Staff)
	if errors.Is(err, ErrNobody) {
		err = ErrUnknown
	}
	return f, err
}

// ByRefresh finds the family of a refresh token. A spent one ends its family:
// either the one who brings it stole it, or the one who spent it did.
func (s *Service) ByRefresh(ctx context.Context, issuer bank.InstitutionID, token identity.Secret) (f Family, err error) {
	hash := digest("refresh", string(token))
	spent := ""
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		f, err = s.living(tx, selectFamily+` where issuer = $1 and refresh_hash = $2 and ended_micros = 0 and refresh_expires_micros > $3 and ends_micros > $3`,
			issuer, hash, tx.Now.UnixMicro())
		if !errors.Is(err, ErrUnknown) {
			return err
		}
		e := tx.QueryRow(`select grant_id from spent_refresh where issuer = $1 and token_hash = $2`, issuer, hash).Scan(&spent)
		if errors.Is(e, db.ErrNoRows) {
			return err
		}
		return errors.Join(err, e)
	})
	if spent == "" {
		return f, err
	}
	if e := s.End(ctx, issuer, spent, ReusedToken); e != nil {
		return Family{}, e
	}
	return Family{}, ErrUnknown
}

// SaveToken remembers an access token by its id.
func (s *Service) SaveToken(ctx context.Context, issuer bank.InstitutionID, id, family string, body []byte, lifetime time.Duration, ended bool) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		endedMicros := int64(0)
		if ended {
			endedMicros = tx.Now.UnixMicro()
			s.ended(tx)
		}
		expires := tx.Now.Add(min(AccessLifetime, lifetime))
		_, err := tx.Exec(`
			insert into access_token (issuer, id, grant_id, body, expires_micros, ended_micros) values ($1, $2, $3, $4, $5, $6)
			on conflict (issuer, id) do update set ended_micros = excluded.ended_micros, body = excluded.body`,
			issuer, id, family, body, expires.UnixMicro(), endedMicros)
		return wrap("store the access token", err)
	})
}

// Token finds an access token that is good now.
func (s *Service) Token(ctx context.Context, issuer bank.InstitutionID, id string) (body []byte, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		var family string
		err := tx.QueryRow(`select grant_id, body from access_token where issuer = $1 and id = $2 and ended_micros = 0 and expires_micros > $3`,
			issuer, id, tx.Now.UnixMicro()).Scan(&family, &body)
		if errors.Is(err, db.ErrNoRows) {
			return ErrUnknown
		}
		if err != nil {
			return fmt.Errorf("find the access token: %w", err)
		}
		_, err = s.living(tx, selectFamily+` where issuer = $1 and id = $2 and ended_micros = 0`, issuer, family)
		return err
	})
	return body, err
}
