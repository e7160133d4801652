package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/luikyv/go-oidc/pkg/goidc"

	"mandate/internal/application"
	"mandate/internal/bank"
	"mandate/internal/grant"
	"mandate/internal/identity"
)

// unknown is the library's word for what is not there.
func unknown(err error) error {
	if errors.Is(err, grant.ErrUnknown) {
		return goidc.ErrNotFound
	}
	return err
}

// SaveSession stores a request. Its names go into the room's columns, hashed,
// and not into the body.
func (s store) SaveSession(ctx context.Context, as *goidc.AuthnSession) error {
	t := turnOf(ctx)
	body := *as
	body.ID, body.PushedAuthReqID = "", ""
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("write the request: %w", err)
	}
	err = s.provider.Grants.SaveRequest(ctx, s.issuer, grant.Request{
		Name: as.ID, Pushed: as.PushedAuthReqID, Application: bank.ApplicationID(as.ClientID), Status: string(as.Status),
		Body: text, Version: t.versions[as.ID], Browser: t.browser,
	})
	if err == nil {
		t.versions[as.ID]++
	}
	return err
}

func (s store) Session(ctx context.Context, id string) (*goidc.AuthnSession, error) {
	r, err := s.provider.Grants.Request(ctx, s.issuer, id)
	return s.session(ctx, r, err)
}

func (s store) SessionByPushedAuthReqID(ctx context.Context, pushed string) (*goidc.AuthnSession, error) {
	r, err := s.provider.Grants.PushedRequest(ctx, s.issuer, pushed)
	return s.session(ctx, r, err)
}

func (s store) session(ctx context.Context, r grant.Request, err error) (*goidc.AuthnSession, error) {
	if err != nil {
		return nil, unknown(err)
	}
	as := &goidc.AuthnSession{}
	if err := json.Unmarshal(r.Body, as); err != nil {
		return nil, fmt.Errorf("read the request: %w", err)
	}
	as.ID, as.PushedAuthReqID = r.Name, r.Pushed
	turnOf(ctx).versions[as.ID] = r.Version
	return as, nil
}

// SaveGrant stores a family: new, exchanged or ended.
func (s store) SaveGrant(ctx context.Context, g *goidc.Grant) error {
	t := turnOf(ctx)
	f, err := family(g)
	if err != nil {
		return err
	}
	f.Version = t.versions[g.ID]
	grants := s.provider.Grants
	switch {
	case g.RevokedAt != 0:
		return grants.End(ctx, s.issuer, g.ID, whyEnded(g))
	case f.Version == 0:
		if f.Staff == "" {
			f.Institution = s.issuer
			_, err = grants.Person(ctx, s.issuer, t.apps[g.ClientID].Service) // whoever may not come in has no service
		}
		if err == nil {
			err = grants.Begin(ctx, s.issuer, f)
		}
	case g.RefreshToken != "" && t.versions["refreshed "+g.ID] != 0:
		err = grants.Renew(ctx, s.issuer, f)
	default:
		err = grants.Redeem(ctx, s.issuer, f, t.apps[g.ClientID].Name, t.from)
	}
	if errors.Is(err, grant.ErrMoved) { // the same code or token at the same time: one of the two is not the application
		return errors.Join(goidc.NewError(goidc.ErrorCodeInvalidGrant, "invalid grant"), grants.End(ctx, s.issuer, g.ID, reused(t, g)))
	}
	if errors.Is(err, grant.ErrNobody) {
		return goidc.NewError(goidc.ErrorCodeInvalidGrant, "invalid grant")
	}
	if err == nil {
		t.versions[g.ID]++
	}
	return err
}

func reused(t *turn, g *goidc.Grant) string {
	if t.versions["refreshed "+g.ID] != 0 {
		return grant.ReusedToken
	}
	return grant.ReusedCode
}

// whyEnded tells a code that came a second time from one that came wrongly.
func whyEnded(g *goidc.Grant) string {
	switch {
	case g.AuthCodeConsumedAt != 0 && g.AuthCode == redeemedCode:
		return grant.ReusedCode
	case g.AuthCode == waitingCode:
		return grant.WrongRedeem
	}
	return grant.Revoked
}

// The code of a grant that was read is not known; these stand for it.
const (
	waitingCode  = "(waiting)"
	redeemedCode = "(redeemed)"
)

// family is a grant as the room keeps it: without code and tokens in its body.
func family(g *goidc.Grant) (grant.Family, error) {
	body := *g
	body.AuthCode, body.RefreshToken = "", ""
	text, err := json.Marshal(body)
	if err != nil {
		return grant.Family{}, fmt.Errorf("write the grant: %w", err)
	}
	f := grant.Family{ID: g.ID, Application: bank.ApplicationID(g.ClientID), Scopes: g.Scopes, Refresh: identity.Secret(g.RefreshToken), Body: text}
	if g.AuthCode != waitingCode && g.AuthCode != redeemedCode {
		f.Code = identity.Secret(g.AuthCode)
	}
	if e, ok := enteredOf(g.Store); ok {
		f.Institution, f.Staff, f.SignIn = e.Institution, e.Staff, e.SignIn
	}
	if g.AuthCodeConsumedAt != 0 {
		f.CodeUsed = time.Unix(int64(g.AuthCodeConsumedAt), 0)
	}
	return f, nil
}

func (s store) grant(ctx context.Context, f grant.Family, err error) (*goidc.Grant, error) {
	if err != nil {
		return nil, unknown(err)
	}
	g := &goidc.Grant{}
	if err := json.Unmarshal(f.Body, g); err != nil {
		return nil, fmt.Errorf("read the grant: %w", err)
	}
	turnOf(ctx).versions[g.ID] = f.Version
	return g, nil
}

func (s store) Grant(ctx context.Context, id string) (*goidc.Grant, error) {
	f, err := s.provider.Grants.Family(ctx, s.issuer, id)
	return s.grant(ctx, f, err)
}

// GrantByAuthCode finds the grant of a code. Only the hash of a refresh token is
// kept, so the first one is made now, when it can be handed out.
func (s store) GrantByAuthCode(ctx context.Context, code string) (*goidc.Grant, error) {
	f, err := s.provider.Grants.ByCode(ctx, s.issuer, identity.Secret(code))
	g, err := s.grant(ctx, f, err)
	if err != nil {
		return nil, err
	}
	if !f.CodeUsed.IsZero() {
		g.AuthCode, g.AuthCodeConsumedAt = redeemedCode, int(f.CodeUsed.Unix())
		return g, nil
	}
	g.AuthCode = waitingCode
	a, err := s.application(ctx, g.ClientID)
	if err != nil {
		return nil, err
	}
	if a.Can(application.GrantRefresh) {
		g.RefreshToken = random(ctx)
		g.RefreshTokenExpiresAt = int(s.provider.Clock.Now().Add(grant.RefreshIdle).Unix())
	}
	return g, nil
}

func (s store) GrantByRefreshToken(ctx context.Context, token string) (*goidc.Grant, error) {
	f, err := s.provider.Grants.ByRefresh(ctx, s.issuer, identity.Secret(token))
	g, err := s.grant(ctx, f, err)
	if err == nil {
		turnOf(ctx).versions["refreshed "+g.ID] = 1
	}
	return g, err
}

func (s store) SaveToken(ctx context.Context, token *goidc.Token) error {
	text, err := json.Marshal(token)
	if err != nil {
		return fmt.Errorf("write the access token: %w", err)
	}
	lifetime := time.Duration(token.LifetimeSecs()) * time.Second
	return s.provider.Grants.SaveToken(ctx, s.issuer, token.ID, token.GrantID, text, lifetime, token.RevokedAt != 0)
}

func (s store) Token(ctx context.Context, id string) (*goidc.Token, error) {
	text, err := s.provider.Grants.Token(ctx, s.issuer, id)
	if err != nil {
		return nil, unknown(err)
	}
	token := &goidc.Token{}
	if err := json.Unmarshal(text, token); err != nil {
		return nil, fmt.Errorf("read the access token: %w", err)
	}
	return token, nil
}
