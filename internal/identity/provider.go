package identity

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
)

// An institution may have its staff sign in through an OpenID provider of its
// own. This room keeps which one it is and whom it calls by which name; the
// protocol is federation's. Whether somebody may come that way, or with their
// password here, is for the room of staff to say.

// A Way is a way of signing in.
type Way uint8

// Ways are bits: several can be barred at once.
const (
	WayHere    Way = 1 << iota // with the password that is kept here
	WayOutside                 // through the institution's own provider
)

// A Provider is an institution's own OpenID provider. Its secret is not here.
type Provider struct {
	Issuer       string
	ClientID     string // what we are called there
	Label        string // as the button says it: "Continue with Harbor ID"
	SubjectClaim string // what names somebody for ever
	EmailClaim   string // what says their address, which links them once
	Vouches      bool   // it need not say that it has checked an address
	Factors      string // the words of amr or acr that count as a second factor; empty: none does
	Version      int64  // 0: there is none
}

// CountsFactor reports whether one of the words that a provider said is one that
// counts as a second factor.
func (p *Provider) CountsFactor(said ...string) bool {
	for _, word := range said {
		for counted := range strings.FieldsSeq(p.Factors) {
			if word == counted {
				return true
			}
		}
	}
	return false
}

// Named limits of a provider.
const (
	maxIssuer   = 300
	maxClientID = 200
	maxLabel    = 40
	maxClaim    = 100
	maxCounted  = 200
	maxSecret   = 500
)

var claimName = regexp.MustCompile(`^[A-Za-z0-9_.:/-]+$`)

func (p *Provider) trimmed() Provider {
	t := *p
	for _, field := range []*string{&t.Issuer, &t.ClientID, &t.Label, &t.SubjectClaim, &t.EmailClaim} {
		*field = strings.TrimSpace(*field)
	}
	t.Factors = strings.Join(strings.Fields(t.Factors), " ")
	if t.SubjectClaim == "" {
		t.SubjectClaim = "sub"
	}
	if t.EmailClaim == "" {
		t.EmailClaim = "email"
	}
	return t
}

// Check says everything that is wrong with a provider, by form field.
func (p *Provider) Check() (problems fault.Problems) {
	t := p.trimmed()
	p = &t
	text := func(field, label, value string, most int) {
		switch n := utf8.RuneCountInString(value); {
		case value == "":
			problems.Addf(field, "Enter the %s.", label)
		case n > most:
			problems.Addf(field, "The %s is %d characters long. The most is %d.", label, n, most)
		case !bank.Printable(value):
			problems.Addf(field, "The %s has signs that cannot be shown. Type it anew.", label)
		}
	}
	text("label", "name", p.Label, maxLabel)
	text("client_id", "client id", p.ClientID, maxClientID)
	if !goodIssuer(p.Issuer) || len(p.Issuer) > maxIssuer {
		problems.Add("issuer", "Enter the issuer as the provider writes it, like https://id.bank.example. It begins with https:// and has no ? and no #.")
	}
	for field, name := range map[string]string{"subject_claim": p.SubjectClaim, "email_claim": p.EmailClaim} {
		if len(name) > maxClaim || !claimName.MatchString(name) {
			problems.Add(field, "Enter the name of a claim, like sub or email.")
		}
	}
	if p.EmailClaim != "email" && !p.Vouches {
		problems.Add("vouches", "What a provider says of having checked addresses is about the claim email. For another claim, it must vouch for all of them.")
	}
	if len(p.Factors) > maxCounted || !bank.Printable(p.Factors) {
		problems.Addf("factors", "Enter words with blanks between, %d characters at most, like: mfa hwk.", maxCounted)
	}
	return problems
}

// goodIssuer: https, or http on this very machine.
func goodIssuer(issuer string) bool {
	at, err := url.Parse(issuer)
	if err != nil || at.Host == "" || at.User != nil || at.RawQuery != "" || at.ForceQuery || strings.Contains(issuer, "#") {
		return false
	}
	return at.Scheme == "https" || at.Scheme == "http" && at.Hostname() == "localhost"
}

// changes are what differs between two providers, as the history has it.
func (p *Provider) changes(was Provider) (all []activity.Change) {
	for _, field := range []struct{ name, old, now string }{
		{"issuer", was.Issuer, p.Issuer}, {"client_id", was.ClientID, p.ClientID}, {"label", was.Label, p.Label},
		{"subject_claim", was.SubjectClaim, p.SubjectClaim}, {"email_claim", was.EmailClaim, p.EmailClaim},
		{"vouches", strconv.FormatBool(was.Vouches), strconv.FormatBool(p.Vouches)}, {"factors", was.Factors, p.Factors},
	} {
		if field.old != field.now {
			all = append(all, activity.Change{Field: field.name, Old: field.old, New: field.now})
		}
	}
	return all
}

const selectProvider = `
	select issuer, client_id, label, subject_claim, email_claim, vouches, factors, version, secret from outside_provider where institution_id = $1`

type providerRow struct {
	Provider
	secret []byte // sealed
}

func scanProvider(row db.Scanner) (p providerRow, err error) {
	err = row.Scan(&p.Issuer, &p.ClientID, &p.Label, &p.SubjectClaim, &p.EmailClaim, &p.Vouches, &p.Factors, &p.Version, &p.secret)
	return p, err
}

func providerOf(tx *db.Tx, institution bank.InstitutionID) (providerRow, error) {
	p, err := db.One(tx, scanProvider, selectProvider, institution)
	if errors.Is(err, db.ErrNoRows) {
		return providerRow{}, nil
	}
	if err != nil {
		return p, fmt.Errorf("read the institution's provider: %w", err)
	}
	return p, nil
}

// ProviderOf is an institution's own provider; one of version 0 where there is
// none.
func ProviderOf(tx *db.Tx, institution bank.InstitutionID) (Provider, error) {
	p, err := providerOf(tx, institution)
	return p.Provider, err
}

// Federates reports whether an institution has a provider: then signing in takes
// a right.
func Federates(tx *db.Tx, institution bank.InstitutionID) (bool, error) {
	p, err := providerOf(tx, institution)
	return p.Version > 0, err
}

func secretPlace(institution bank.InstitutionID) []string {
	return []string{"outside_provider", string(institution), "secret"}
}

// PutProvider stores an institution's provider as somebody wants it to be, who
// has seen it in a version. Without a secret it keeps the one that it has, but
// never takes it to another issuer. Where names mean somebody else from now on,
// whom they meant is forgotten. It returns what changed; nothing where it
// was so.
func (s *Service) PutProvider(tx *db.Tx, institution bank.InstitutionID, seen int64, will Provider, secret Secret) ([]activity.Change, error) {
	if s.keys == nil {
		return nil, fault.New(fault.Unavailable, "The provider's secret cannot be kept here: no key for sealing it is configured.").With("NO_KEYS")
	}
	was, err := providerOf(tx, institution)
	if err != nil {
		return nil, err
	}
	if was.Version != seen {
		return nil, fault.New(fault.Conflict, "Somebody else changed this meanwhile, so nothing was saved. Look at it as it is now and try again.").With("STALE")
	}
	now := will.trimmed()
	problems := now.Check()
	moved := was.Issuer != now.Issuer || was.ClientID != now.ClientID
	switch {
	case secret == "" && moved:
		problems.Add("secret", "Enter the secret that belongs to this issuer and client id.")
	case len(secret) > maxSecret:
		problems.Addf("secret", "The secret is longer than %d characters.", maxSecret)
	}
	if err := problems.Err("The provider cannot be saved like this."); err != nil {
		return nil, err
	}
	changes, sealed := now.changes(was.Provider), was.secret
	if secret != "" {
		changes, sealed = append(changes, activity.Change{Field: "secret", New: "set"}), s.keys.Seal([]byte(secret), secretPlace(institution)...)
	}
	if len(changes) == 0 {
		return nil, nil
	}
	if was.Version > 0 && (moved || was.SubjectClaim != now.SubjectClaim) {
		if err := s.unlinkAll(tx, institution); err != nil {
			return nil, err
		}
	}
	return changes, storeProvider(tx, institution, now, was.Version+1, sealed)
}

func storeProvider(tx *db.Tx, institution bank.InstitutionID, p Provider, version int64, secret []byte) error {
	_, err := tx.Exec(`
		insert into outside_provider (institution_id, issuer, client_id, secret, label, subject_claim, email_claim, vouches, factors, version, changed_micros)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		on conflict (institution_id) do update
		   set issuer = excluded.issuer, client_id = excluded.client_id, secret = excluded.secret, label = excluded.label,
		       subject_claim = excluded.subject_claim, email_claim = excluded.email_claim, vouches = excluded.vouches,
		       factors = excluded.factors, version = excluded.version, changed_micros = excluded.changed_micros`,
		institution, p.Issuer, p.ClientID, secret, p.Label, p.SubjectClaim, p.EmailClaim, p.Vouches, p.Factors, version, tx.Now.UnixMicro())
	if err != nil {
		return fmt.Errorf("store the institution's provider: %w", err)
	}
	return nil
}

// RemoveProvider forgets an institution's provider, whom it called by which name,
// and ends the sign-ins that came through it. It returns what was there.
func (s *Service) RemoveProvider(tx *db.Tx, institution bank.InstitutionID) (Provider, error) {
	was, err := providerOf(tx, institution)
	if err != nil {
		return was.Provider, err
	}
	if was.Version == 0 {
		return was.Provider, fault.New(fault.NotFound, "There is no outside provider. It may have been removed.").With("NO_PROVIDER")
	}
	if err := s.unlinkAll(tx, institution); err != nil {
		return was.Provider, err
	}
	if _, err := tx.Exec(`delete from outside_provider where institution_id = $1`, institution); err != nil {
		return was.Provider, fmt.Errorf("remove the institution's provider: %w", err)
	}
	return was.Provider, nil
}

// unlinkAll forgets everything that came from the provider that is left.
func (s *Service) unlinkAll(tx *db.Tx, institution bank.InstitutionID) error {
	for _, statement := range []string{
		`delete from outside_subject where institution_id = $1`,
		`delete from outside_request where institution_id = $1`,
	} {
		if _, err := tx.Exec(statement, institution); err != nil {
			return fmt.Errorf("forget what came of the provider: %w", err)
		}
	}
	ended, err := db.All(tx, scanEnded(institution), `
		delete from sign_in where institution_id = $1 and outside <> '' returning subject_kind, subject_id, id`, institution)
	if err != nil {
		return fmt.Errorf("end the sign-ins that came through the provider: %w", err)
	}
	return s.ended(tx, ended)
}
