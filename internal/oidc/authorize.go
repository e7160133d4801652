package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/luikyv/go-oidc/pkg/goidc"

	"mandate/internal/bank"
	"mandate/internal/fault"
	"mandate/internal/grant"
)

const pushedPrefix = "urn:ietf:params:oauth:request_uri:"

func contextWith(r *http.Request, t *turn) context.Context {
	return context.WithValue(r.Context(), turnKey{}, t)
}

// authorize begins somebody's sign-in at a product. The request waits; the
// browser goes on to the console's screens by itself, because the sign-in's
// cookie does not come along from another site.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request, t *turn) {
	r, err := p.readRequest(r, t)
	if err != nil {
		p.problem(w, r, err)
		return
	}
	t.browser = grant.NewToken()
	out, err := p.ask(r, t, authorizePath)
	switch {
	case err != nil:
		p.problem(w, r, err)
	case t.waiting != "":
		p.bind(w, t)
		onward(w, "/"+pathOf(t.issuer)+continuePath+t.waiting, "Continue to the sign-in")
	default:
		out.send(w) // an answer to the product: its request was wrong
	}
}

func (p *Provider) bind(w http.ResponseWriter, t *turn) {
	http.SetCookie(w, &http.Cookie{Name: p.cookieName(t.waiting), Value: string(t.browser), Path: "/", MaxAge: seconds(grant.RequestLifetime),
		Secure: strings.HasPrefix(p.Origin, "https://"), HttpOnly: true, SameSite: http.SameSiteStrictMode})
}

// readRequest makes one query of what came, by GET or POST. Of a pushed request
// nothing counts but what was pushed. The hint at who it is is taken out: an ID
// token may be old and still say who it was.
func (p *Provider) readRequest(r *http.Request, t *turn) (*http.Request, error) {
	form := r.URL.Query()
	if r.Method == http.MethodPost {
		if err := r.ParseForm(); err != nil {
			return r, fault.New(fault.Invalid, "The request could not be read.").Because(err)
		}
		form = r.PostForm
	}
	if err := p.checkRequest(r, t, form, true); err != nil {
		return r, err
	}
	if strings.HasPrefix(form.Get("request_uri"), pushedPrefix) {
		form = url.Values{"client_id": form["client_id"], "request_uri": form["request_uri"]}
	}
	if hint := form.Get("id_token_hint"); hint != "" {
		known, err := p.readHint(r.Context(), t.issuer, hint)
		if err != nil {
			return r, err
		}
		t.expected = bank.StaffID(known.Subject)
		form.Del("id_token_hint")
	}
	plain := r.Clone(r.Context())
	plain.Method, plain.Body, plain.PostForm, plain.Form = http.MethodGet, http.NoBody, nil, nil
	plain.Header.Del("Content-Type")
	plain.URL = &url.URL{Path: r.URL.Path, RawQuery: form.Encode()}
	return plain, nil
}

// A hint is what an ID token of ours says, which may have expired.
type hint struct {
	Subject     string
	Audience    []string
	Institution bank.InstitutionID
}

var errHint = fault.New(fault.Invalid, "The ID token is not one of this issuer.")

func (p *Provider) readHint(ctx context.Context, issuer bank.InstitutionID, token string) (hint, error) {
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return hint{}, errHint.Because(err)
	}
	keys, err := p.Grants.SigningKeys(ctx, issuer)
	if err != nil {
		return hint{}, err
	}
	for _, k := range keys {
		if k.ID != parsed.Headers[0].KeyID {
			continue
		}
		var claims jwt.Claims
		var more struct {
			Institution bank.InstitutionID `json:"institution"`
		}
		if err := parsed.Claims(k.Public, &claims, &more); err != nil || claims.Issuer != p.Issuer(issuer) {
			return hint{}, errHint
		}
		return hint{claims.Subject, claims.Audience, more.Institution}, nil
	}
	return hint{}, errHint
}

// decide is what the library asks: first nobody has been seen, and the request
// waits; then the screens are done.
func decide(_ http.ResponseWriter, r *http.Request, as *goidc.AuthnSession, _ *goidc.Client) (goidc.Status, error) {
	t := turnOf(r.Context())
	switch o := t.outcome; {
	case o == nil && as.Status == goidc.StatusPending:
		t.waiting = as.ID
		if as.Store == nil {
			as.Store = map[string]any{}
		}
		as.Store[expectedKey] = string(t.expected)
		return goidc.StatusPending, nil
	case o == nil:
		return goidc.StatusFailure, errors.New("nobody decided")
	case o.Refused != "":
		return goidc.StatusFailure, goidc.NewError(goidc.ErrorCode(o.Refused), words[o.Refused])
	default:
		as.Subject, as.GrantedScopes = string(o.Staff), as.Scopes
		return goidc.StatusSuccess, entered{o.Institution, o.Staff, o.SignIn, o.Since.Unix(), o.Factor, o.Outside}.keep(as.Store)
	}
}

const expectedKey = "expected"

// words are what products are told beside the protocol's word.
var words = map[string]string{
	grant.LoginRequired:       "nobody is signed in, or not recently enough",
	grant.ConsentRequired:     "the person must be asked first",
	grant.InteractionRequired: "the person has just joined and must say who they are first",
	grant.AccessDenied:        "the person, or their institution, does not permit it",
	grant.LevelUnmet:          "the person signed in with one factor",
}

// Asked finds what waits under a name in this browser.
func (p *Provider) Asked(r *http.Request, issuer bank.InstitutionID, name string) (grant.Ask, error) {
	t := p.newTurn(r, issuer)
	ctx := contextWith(r, t)
	found, err := p.Grants.Request(ctx, issuer, name)
	if errors.Is(err, grant.ErrUnknown) || err == nil && (found.Status != string(goidc.StatusPending) || !found.Of(p.browserOf(r, name))) {
		return grant.Ask{}, fault.New(fault.NotFound, "This sign-in has ended or was begun in another browser. Go back to the product and begin again.").With("REQUEST_ENDED")
	}
	if err != nil {
		return grant.Ask{}, err
	}
	as := &goidc.AuthnSession{}
	if err := json.Unmarshal(found.Body, as); err != nil {
		return grant.Ask{}, fmt.Errorf("read the request: %w", err)
	}
	a, err := p.lookup(r, t, as.ClientID)
	if err != nil {
		return grant.Ask{}, err
	}
	ask := grant.Ask{Issuer: issuer, Name: name, Application: a.ID, Product: a.Name, Partner: a.Partner, Told: strings.Fields(as.Scopes), Login: as.LoginHint}
	if a.Groups {
		ask.Told = append(ask.Told, grant.ToldGroups)
	}
	if a.Permissions {
		ask.Told = append(ask.Told, grant.ToldPermissions)
	}
	ask.Wish = grant.Wish{Prompts: strings.Fields(string(as.Prompt)), Began: found.Created, Consent: a.Consent}
	if as.MaxAuthnAgeSecs != nil {
		age := time.Duration(max(0, *as.MaxAuthnAgeSecs)) * time.Second
		ask.Wish.MaxAge = &age
	}
	levels := strings.Fields(as.ACRValues)
	ask.Wish.TwoFactors = len(levels) > 0 && !slices.Contains(levels, OneFactor)
	expected, _ := as.Store[expectedKey].(string)
	ask.Wish.Expected = bank.StaffID(expected)
	return ask, nil
}

// Finish ends what waits in the way that the screens found, and sends the
// browser back to the product. It goes there by itself and not by a redirect:
// browsers let no form's answer lead to another site.
func (p *Provider) Finish(w http.ResponseWriter, r *http.Request, ask grant.Ask, o grant.Outcome) error {
	t := p.newTurn(r, ask.Issuer)
	t.outcome = &o
	plain := r.Clone(r.Context())
	plain.Method, plain.Body, plain.PostForm, plain.Form = http.MethodGet, http.NoBody, nil, nil
	plain.URL = &url.URL{Path: r.URL.Path}
	out, err := p.ask(plain, t, authorizePath+"/"+ask.Name)
	if errors.Is(err, grant.ErrMoved) {
		return fault.New(fault.Conflict, "This sign-in went on in another window.")
	}
	if err != nil {
		return err
	}
	to := out.header.Get("Location")
	if to == "" {
		return fmt.Errorf("the provider answered %d where it should lead to the product", out.status)
	}
	http.SetCookie(w, &http.Cookie{Name: p.cookieName(ask.Name), Path: "/", MaxAge: -1, Secure: strings.HasPrefix(p.Origin, "https://"), HttpOnly: true, SameSite: http.SameSiteStrictMode})
	onward(w, to, "Continue to "+ask.Product)
	return nil
}
