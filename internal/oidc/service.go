package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/luikyv/go-oidc/pkg/goidc"

	"mandate/internal/application"
	"mandate/internal/bank"
	"mandate/internal/fault"
	"mandate/internal/grant"
)

// ErrToken is the answer to an access token that is not good: not ours, not now,
// not for this.
var ErrToken = fault.New(fault.Unauthorized, "The access token is not good here. Get a new one at the token endpoint.").With("INVALID_TOKEN")

// Tokens reads access tokens of the provider's, also where the provider itself is
// not: it takes no more than the database and where the provider is found.
type Tokens struct {
	Origin       string
	Grants       *grant.Service
	Applications Applications
	Clock        bank.Clock

	// HasInstitution reports whether there is such an institution.
	HasInstitution func(context.Context, bank.InstitutionID) (bool, error)
}

// Service is that of Tokens.
func (p *Provider) Service(ctx context.Context, token, scope string) (bank.InstitutionID, bank.ApplicationID, time.Time, error) {
	return Tokens{p.Origin, p.Grants, p.Applications, p.Clock, p.HasInstitution}.Service(ctx, token, scope)
}

// Service says which application an access token is of that it got for itself,
// as a service, with a scope, and until when it is good. A person's token is
// nobody's here, and neither is one that is bound to a key, since nothing here
// asks for the proof.
func (p Tokens) Service(ctx context.Context, token, scope string) (bank.InstitutionID, bank.ApplicationID, time.Time, error) {
	issuer, claims, err := p.readAccess(ctx, token)
	if err != nil {
		return "", "", time.Time{}, err
	}
	body, err := p.Grants.Token(ctx, issuer, claims.ID)
	if errors.Is(err, grant.ErrUnknown) {
		return "", "", time.Time{}, ErrToken
	}
	if err != nil {
		return "", "", time.Time{}, err
	}
	kept := goidc.Token{}
	if err := json.Unmarshal(body, &kept); err != nil {
		return "", "", time.Time{}, err
	}
	own, err := p.Grants.Family(ctx, issuer, kept.GrantID)
	switch {
	case errors.Is(err, grant.ErrUnknown):
		return "", "", time.Time{}, ErrToken
	case err != nil:
		return "", "", time.Time{}, err
	case own.Staff != "" || kept.JWKThumbprint != "" || !slices.Contains(strings.Fields(kept.Scopes), scope):
		return "", "", time.Time{}, ErrToken
	}
	a, err := p.Applications.Lookup(ctx, issuer, bank.ApplicationID(kept.ClientID))
	if fault.KindOf(err) == fault.NotFound && err != nil || err == nil && (!a.Enabled || !a.Can(application.GrantService) || !slices.Contains(a.Scopes, scope)) {
		return "", "", time.Time{}, ErrToken
	}
	return issuer, a.ID, claims.Expiry.Time(), err
}

// clockAllowance is by how much the clocks of two machines may differ: what one
// has signed just now is not of the future at another. It makes nothing last
// longer where the end is ours to say.
const clockAllowance = 10 * time.Second

// readAccess reads an access token of ours that is good now.
func (p Tokens) readAccess(ctx context.Context, token string) (bank.InstitutionID, jwt.Claims, error) {
	var claims jwt.Claims
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil || len(parsed.Headers) != 1 || parsed.Headers[0].ExtraHeaders[jose.HeaderType] != "at+jwt" {
		return "", claims, ErrToken
	}
	if err := parsed.UnsafeClaimsWithoutVerification(&claims); err != nil {
		return "", claims, ErrToken
	}
	name, err := url.PathUnescape(strings.TrimPrefix(claims.Issuer, p.Origin+"/"))
	issuer := bank.InstitutionID(name)
	if err != nil || issuer == "" || claims.Issuer != issuerAt(p.Origin, issuer) {
		return "", claims, ErrToken
	}
	if there, err := p.HasInstitution(ctx, issuer); err != nil || !there {
		return "", claims, errors.Join(ErrToken, err)
	}
	keys, err := p.Grants.PublicKeys(ctx, issuer)
	if err != nil {
		return "", claims, err
	}
	for _, k := range keys {
		if k.ID != parsed.Headers[0].KeyID {
			continue
		}
		var proven jwt.Claims
		now := p.Clock.Now()
		expected := jwt.Expected{Issuer: claims.Issuer, AnyAudience: jwt.Audience{claims.Issuer}, Time: now}
		if parsed.Claims(k.Public, &proven) != nil || proven.ValidateWithLeeway(expected, clockAllowance) != nil || proven.ID == "" ||
			proven.Expiry == nil || !now.Before(proven.Expiry.Time()) {
			return "", claims, ErrToken
		}
		return issuer, proven, nil
	}
	return "", claims, ErrToken
}
