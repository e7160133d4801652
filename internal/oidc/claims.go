package oidc

import (
	"context"
	"encoding/json"

	"github.com/luikyv/go-oidc/pkg/goidc"

	"mandate/internal/bank"
	"mandate/internal/grant"
	"mandate/internal/identity"
)

// entered is who came in and how, as a grant carries it.
type entered struct {
	Institution bank.InstitutionID `json:"institution"`
	Staff       bank.StaffID       `json:"staff"`
	SignIn      string             `json:"sign_in"`
	Since       int64              `json:"since"` // when they signed in, in seconds
	Factor      string             `json:"factor"`
	Outside     bool               `json:"outside,omitempty"` // through the institution's own provider
}

const enteredKey = "entered"

func enteredOf(kept map[string]any) (e entered, ok bool) {
	text, _ := kept[enteredKey].(string)
	return e, text != "" && json.Unmarshal([]byte(text), &e) == nil
}

func (e entered) keep(in map[string]any) error {
	text, err := json.Marshal(e)
	in[enteredKey] = string(text)
	return err
}

// methods are how they proved who they are (RFC 8176). How somebody showed it to
// the institution's own provider is not for us to say.
func (e entered) methods() []string {
	var shown []string
	if !e.Outside {
		shown = append(shown, "pwd")
	}
	switch e.Factor {
	case "":
		return shown
	case identity.FactorOutside:
		return append(shown, "mfa")
	case "passkey":
		return append(shown, "pop", "mfa")
	}
	return append(shown, "otp", "mfa")
}

func (e entered) level() string {
	if e.Factor == "" {
		return OneFactor
	}
	return TwoFactors
}

// idClaims are what an ID token says of somebody.
func (s store) idClaims(ctx context.Context, g *goidc.Grant) map[string]any {
	claims := s.personClaims(ctx, g)
	if e, ok := enteredOf(g.Store); ok {
		claims["auth_time"], claims["acr"], claims["sid"] = e.Since, e.level(), e.SignIn
		if methods := e.methods(); len(methods) > 0 {
			claims["amr"] = methods
		}
	}
	return claims
}

func (s store) userClaims(ctx context.Context, g *goidc.Grant) map[string]any {
	return s.personClaims(ctx, g)
}

// personClaims are what an application may know of a person, as they are now:
// by scope, and groups and permissions only where it was registered for them.
func (s store) personClaims(ctx context.Context, g *goidc.Grant) map[string]any {
	claims := map[string]any{}
	e, ok := enteredOf(g.Store)
	if !ok {
		return claims
	}
	t := turnOf(ctx)
	p, err := s.person(ctx, e)
	if err != nil {
		t.failure = err
		return claims
	}
	a, err := s.application(ctx, g.ClientID)
	if err != nil {
		t.failure = err
		return claims
	}
	claims["institution"] = string(e.Institution)
	if has(g.Scopes, "profile") {
		claims["name"], claims["given_name"], claims["family_name"] = p.Name(), p.First, p.Last
		claims["zoneinfo"] = p.Zone
	}
	if has(g.Scopes, "email") {
		claims["email"], claims["email_verified"] = p.Email, true
	}
	if has(g.Scopes, "phone") && p.Phone != "" {
		claims["phone_number"] = p.Phone
	}
	if a.Groups {
		names := []string{}
		for _, g := range p.Groups {
			if g.Product == "" || g.Product == a.ID { // other products are none of its business
				names = append(names, g.Name)
			}
		}
		claims["groups"] = names
	}
	if a.Permissions {
		claims["permissions"] = append(append([]string{}, p.Rights.IDs()...), p.Products[a.ID].IDs()...)
	}
	return claims
}

func (s store) person(ctx context.Context, e entered) (*grant.Person, error) {
	t := turnOf(ctx)
	if t.person != nil {
		return t.person, nil
	}
	p, err := s.provider.Grants.Person(ctx, e.Institution, e.Staff)
	if err != nil {
		return nil, err
	}
	t.person = &p
	return t.person, nil
}

// accessClaims make an access token good here and nowhere else: a product that
// is brought one of somebody else's can tell.
// A service's token says for whom of the staff it acts.
func (s store) accessClaims(ctx context.Context, _ *goidc.Token, g *goidc.Grant) map[string]any {
	claims := map[string]any{"aud": s.provider.Issuer(s.issuer)}
	institution := s.issuer
	if e, ok := enteredOf(g.Store); ok {
		institution = e.Institution
	} else if t := turnOf(ctx); t != nil {
		claims["staff"] = string(t.apps[g.ClientID].Service)
	}
	if institution != grant.Neutral {
		claims["institution"] = string(institution)
	}
	return claims
}
