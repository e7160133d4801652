package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/luikyv/go-oidc/pkg/goidc"
	"github.com/luikyv/go-oidc/pkg/provider"

	"mandate/internal/application"
	"mandate/internal/bank"
	"mandate/internal/fault"
	"mandate/internal/grant"
	"mandate/internal/identity"
)

// Levels of assurance, as a product may ask for them and is told of them.
const (
	OneFactor  = "urn:mandate:one-factor"
	TwoFactors = "urn:mandate:two-factor"
)

// algorithms are those that applications may sign with.
var algorithms = []goidc.SignatureAlgorithm{goidc.PS256, goidc.RS256, jose.EdDSA}

func seconds(d time.Duration) int { return int(d / time.Second) }

// engine is the library's provider of an issuer. It is made once.
func (p *Provider) engine(issuer bank.InstitutionID) (*provider.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if made := p.engines[issuer]; made != nil {
		return made, nil
	}
	made, err := p.newEngine(issuer)
	if err != nil {
		return nil, fmt.Errorf("make the provider of %q: %w", issuer, err)
	}
	p.engines[issuer] = made
	return made, nil
}

// newEngine sets everything that the library leaves open. What is not named
// here is off: no implicit or hybrid flow, no passwords, no plain challenge, no
// clients without proof of who they are.
func (p *Provider) newEngine(issuer bank.InstitutionID) (*provider.Provider, error) {
	s := store{p, issuer}
	return provider.New(p.Issuer(issuer), s, s.keySet,
		provider.WithProfile(goidc.ProfileFAPI2),
		provider.WithDCR(s),
		provider.WithAuthCodeGrant(s),
		provider.WithRefreshTokenGrant(s),
		provider.WithClientCredentialsGrant(),
		provider.WithPAR(s),
		provider.WithPKCERequired(goidc.CodeChallengeMethodSHA256),
		provider.WithDPoP(goidc.ES256, algorithms...),
		provider.WithIssuerResponseParameter(),
		provider.WithTokenRevocation(func(context.Context, *goidc.Client) bool { return true }),
		provider.WithTokenAuthnMethods(goidc.AuthnMethodPrivateKeyJWT, goidc.AuthnMethodSecretBasic, goidc.AuthnMethodSecretPost),
		provider.WithPrivateKeyJWTSignatureAlgs(goidc.ES256, algorithms...),
		provider.WithIDTokenSignatureAlgs(goidc.ES256),
		provider.WithScopes(scopes()...),
		provider.WithClaims("sub", "iss", "auth_time", "acr", "amr", "sid", "institution", "name", "given_name", "family_name", "zoneinfo", "email", "email_verified", "phone_number", "groups", "permissions"),
		provider.WithACRs(OneFactor, TwoFactors),

		provider.WithAuthorizeEndpoint(authorizePath),
		provider.WithTokenEndpoint(tokenPath),
		provider.WithPAREndpoint(pushedPath),
		provider.WithUserInfoEndpoint(userInfoPath),
		provider.WithTokenRevocationEndpoint(revokePath),
		provider.WithJWKSEndpoint(keysPath),

		provider.WithAuthTimeout(seconds(grant.RequestLifetime)),
		provider.WithAuthCodeLifetime(seconds(grant.CodeLifetime)),
		provider.WithPARLifetime(seconds(grant.PushedLifetime)),
		provider.WithIDTokenLifetime(seconds(grant.IDTokenLifetime)),
		provider.WithRefreshTokenLifetime(seconds(grant.RefreshIdle)),
		provider.WithJWTLifetime(seconds(grant.ProofLifetime)),
		provider.WithJWTLeewayTime(seconds(clockAllowance)),
		provider.WithRefreshTokenRotation(),

		provider.WithAuthCodeFunc(random),
		provider.WithRefreshTokenFunc(random),
		provider.WithPARIDFunc(random),
		provider.WithAuthnSessionIDFunc(random),
		provider.WithGrantIDFunc(p.id("gra")),
		provider.WithJWTIDFunc(p.id("tok")),

		provider.WithRefreshTokenShouldIssueFunc(func(context.Context, *goidc.Client, *goidc.Grant) bool { return false }), // see GrantByAuthCode
		provider.WithVerifyClientSecretFunc(s.verifySecret),
		provider.WithConsumeJTIFunc(s.consume),
		provider.WithTokenOptions(func(context.Context, *goidc.Grant, *goidc.Client) goidc.TokenOptions {
			return goidc.NewJWTTokenOptions(goidc.ES256, seconds(grant.AccessLifetime))
		}),
		provider.WithIDTokenClaims(s.idClaims),
		provider.WithUserInfoClaims(s.userClaims),
		provider.WithTokenClaims(s.accessClaims),
		provider.WithPolicies(goidc.NewPolicy("screens", func(*http.Request, *goidc.AuthnSession, *goidc.Client) bool { return true }, decide)),
		provider.WithRenderErrorFunc(func(_ http.ResponseWriter, r *http.Request, err error) error {
			turnOf(r.Context()).failure = err
			return nil
		}),
		provider.WithHandleErrorFunc(s.note),
	)
}

func random(context.Context) string { return string(grant.NewToken()) }

func (p *Provider) id(prefix string) goidc.RandomFunc {
	return func(context.Context) string { return bank.NewID(prefix, p.Clock.Now()) }
}

func scopes() (all []goidc.Scope) {
	for _, one := range application.Scopes() {
		all = append(all, goidc.NewScope(one.Name))
	}
	return all
}

// note logs what the library could not do. A refusal is no failure of ours, and
// its causes may carry what was sent: only its code is logged.
func (s store) note(ctx context.Context, err error) {
	refusal, known := errors.AsType[goidc.Error](err)
	if known {
		s.provider.Log.InfoContext(ctx, "refused", "app", "openid", "issuer", s.issuer, "code", refusal.Code)
		return
	}
	s.provider.Log.ErrorContext(ctx, "openid request failed", "issuer", s.issuer, "error", err)
}

// store is the library's memory of one issuer.
type store struct {
	provider *Provider
	issuer   bank.InstitutionID
}

var (
	_ goidc.GrantManager        = store{}
	_ goidc.AuthManager         = store{}
	_ goidc.PARManager          = store{}
	_ goidc.RefreshTokenManager = store{}
	_ goidc.DCRManager          = store{}
)

// keySet is the published keys, the one that signs first.
func (s store) keySet(ctx context.Context) (set goidc.JSONWebKeySet, err error) {
	keys, err := s.provider.Grants.SigningKeys(ctx, s.issuer)
	for _, k := range keys {
		if !k.Published(s.provider.Clock.Now()) {
			continue
		}
		one := goidc.JSONWebKey{KeyID: k.ID, Algorithm: string(goidc.ES256), Use: string(goidc.KeyUsageSignature), Key: k.Public}
		if k.Private != nil {
			one.Key = k.Private
		}
		set.Keys = append(set.Keys, one)
	}
	return set, err
}

// application looks an application up, once a turn. One that is switched off is
// none.
func (s store) application(ctx context.Context, id string) (application.Application, error) {
	t := turnOf(ctx)
	if found, ok := t.apps[id]; ok {
		return found, nil
	}
	found, err := s.provider.Applications.Lookup(ctx, s.issuer, bank.ApplicationID(id))
	if fault.KindOf(err) == fault.NotFound || err == nil && !found.Enabled {
		return found, goidc.ErrNotFound
	}
	if err == nil {
		t.apps[id] = found
	}
	return found, err
}

// Client is an application as the library knows it. Its secret is its name: who
// knows the real one is asked elsewhere.
func (s store) Client(ctx context.Context, id string) (*goidc.Client, error) {
	a, err := s.application(ctx, id)
	if err != nil {
		return nil, err
	}
	c := &goidc.Client{ID: id, Secret: id, ClientMeta: goidc.ClientMeta{
		Name: a.Name, RedirectURIs: a.Redirects, PostLogoutRedirectURIs: a.PostLogouts, ScopeIDs: strings.Join(a.Scopes, " "),
		TokenAuthnMethod: goidc.AuthnMethod(a.Method), ResponseTypes: []goidc.ResponseType{goidc.ResponseTypeCode},
	}}
	for _, g := range a.Grants {
		c.GrantTypes = append(c.GrantTypes, goidc.GrantType(g))
	}
	if a.Keys != "" {
		c.JWKS = &goidc.JSONWebKeySet{}
		if err := json.Unmarshal([]byte(a.Keys), c.JWKS); err != nil {
			return nil, fmt.Errorf("read the keys of %s: %w", id, err)
		}
	}
	return c, nil
}

// Nobody registers themself here.
var errRegistered = errors.New("applications are registered in the console")

func (store) SaveClient(context.Context, *goidc.Client) error { return errRegistered }
func (store) DeleteClient(context.Context, string) error      { return errRegistered }

func (s store) verifySecret(ctx context.Context, id, presented string) error {
	a, err := s.application(ctx, id)
	if err != nil {
		return err
	}
	if !a.Proves(identity.Secret(presented), s.provider.Clock.Now()) {
		return errors.New("wrong secret")
	}
	return nil
}

func (s store) consume(ctx context.Context, name string) error {
	seen, err := s.provider.Grants.SeenBefore(ctx, s.issuer, name)
	if err == nil && seen {
		err = errors.New("shown before")
	}
	return err
}

func has(scopes, one string) bool { return slices.Contains(strings.Fields(scopes), one) }
