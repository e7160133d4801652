package grant

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/identity"
)

// A Request is an application's wish to have somebody signed in, until they
// are, or are not. Its body is the protocol's.
type Request struct {
	Name        string // as addresses carry it; stored hashed
	Pushed      string // the name under which it came by the back channel; empty: it did not
	Application bank.ApplicationID
	Status      string
	Body        []byte
	Version     int64           // 0: it is new
	Browser     identity.Secret // of the browser that brings it; given when it is stored
	Created     time.Time
	browser     []byte
}

// SaveRequest stores a request. Two at once cannot both win. A browser that
// brings it is tied to it: nobody can be made to finish what somebody else
// began.
func (s *Service) SaveRequest(ctx context.Context, issuer bank.InstitutionID, r Request) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		if r.Version == 0 {
			_, err := tx.Exec(`
				insert into authorization_request (issuer, name_hash, pushed_hash, browser_hash, client_id, status, body, version, created_micros, expires_micros)
				values ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9)`,
				issuer, digest("request", r.Name), hashed("pushed", identity.Secret(r.Pushed)), hashed("browser", r.Browser), r.Application, r.Status, r.Body,
				tx.Now.UnixMicro(), tx.Now.Add(RequestLifetime).UnixMicro())
			return wrap("store the request", err)
		}
		n, err := tx.Exec(`
			update authorization_request
			   set status = $1, body = $2, version = version + 1, browser_hash = case when length(browser_hash) = 0 then $3 else browser_hash end, name_hash = $4
			 where issuer = $5 and (name_hash = $4 or length(pushed_hash) > 0 and pushed_hash = $6) and version = $7`,
			r.Status, r.Body, hashed("browser", r.Browser), digest("request", r.Name), issuer, hashed("pushed", identity.Secret(r.Pushed)), r.Version)
		if err == nil && n == 0 {
			return ErrMoved
		}
		return wrap("store the request", err)
	})
}

// Request finds a request by its name.
func (s *Service) Request(ctx context.Context, issuer bank.InstitutionID, name string) (r Request, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		r, err = scanRequest(tx.QueryRow(selectRequest+` where issuer = $1 and name_hash = $2 and expires_micros > $3`, issuer, digest("request", name), tx.Now.UnixMicro()))
		return err
	})
	r.Name = name
	return r, missing(err)
}

// PushedRequest finds a request by the name that its application was given for
// it. It can be begun once, and for a minute, under a name that it is given now.
func (s *Service) PushedRequest(ctx context.Context, issuer bank.InstitutionID, pushed string) (r Request, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		r, err = scanRequest(tx.QueryRow(selectRequest+` where issuer = $1 and pushed_hash = $2 and created_micros > $3 and length(browser_hash) = 0`,
			issuer, digest("pushed", pushed), tx.Now.Add(-PushedLifetime).UnixMicro()))
		return err
	})
	r.Name, r.Pushed = string(NewToken()), pushed
	return r, missing(err)
}

const selectRequest = `select client_id, status, body, version, browser_hash, created_micros from authorization_request`

func scanRequest(row db.Scanner) (r Request, err error) {
	var created int64
	err = row.Scan(&r.Application, &r.Status, &r.Body, &r.Version, &r.browser, &created)
	r.Created = moment(created)
	return r, err
}

func missing(err error) error {
	if errors.Is(err, db.ErrNoRows) {
		return ErrUnknown
	}
	return wrap("find the request", err)
}

// Of reports whether a request is this browser's.
func (r *Request) Of(browser identity.Secret) bool {
	return browser != "" && subtle.ConstantTimeCompare(r.browser, hashed("browser", browser)) == 1
}

func wrap(doing string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}
