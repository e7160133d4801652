// Package application is the room of external applications: the products that
// let staff users sign in through the institution, and the services that act
// for one of them. It knows who they are, how they prove it, where they may be
// answered and what they may be told. It knows secrets only as hashes and keys
// only as public ones.
//
// It speaks no protocol: the provider asks here whom it deals with. It gives
// nobody a right: what a service may do is what its staff user may.
package application

import (
	"slices"
	"strings"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
)

// Named limits.
const (
	MaxName      = 80
	MaxAddress   = 2000
	MaxAddresses = 20 // of one kind
	MaxKeys      = 10
	MaxKeyText   = 20_000
	MaxOverlap   = 7 * 24 * time.Hour // how long an old secret may live on beside its successor

	maxApplications = 1000 // of an institution
	maxPageSize     = 200
)

// History events of the room.
const (
	EventCreated = "external_app.created"
	EventChanged = "external_app.changed"
	EventRotated = "external_app.secret_rotated"
	EventDeleted = "external_app.deleted"

	EventDeclared = "external_app.permissions_declared"
)

// A Method is how an application proves who it is. There is no method for those
// that prove nothing.
type Method string

// The methods, by their names in OAuth.
const (
	SecretBasic Method = "client_secret_basic"
	SecretPost  Method = "client_secret_post"
	PrivateKey  Method = "private_key_jwt"
)

// Methods are all methods, the strongest first.
func Methods() []Method { return []Method{PrivateKey, SecretBasic, SecretPost} }

// Label is the method as screens show it.
func (m Method) Label() string {
	switch m {
	case SecretBasic:
		return "Secret in the header"
	case SecretPost:
		return "Secret in the body"
	case PrivateKey:
		return "Signature with its own key"
	}
	return ""
}

// A Grant is a way by which an application gets tokens.
type Grant string

// The grants, by their names in OAuth.
const (
	GrantCode    Grant = "authorization_code"
	GrantRefresh Grant = "refresh_token"
	GrantService Grant = "client_credentials"
)

// Grants are all grants.
func Grants() []Grant { return []Grant{GrantCode, GrantRefresh, GrantService} }

// Label is the grant as screens show it.
func (g Grant) Label() string {
	switch g {
	case GrantCode:
		return "Sign staff users in"
	case GrantRefresh:
		return "Stay signed in without asking again"
	case GrantService:
		return "Act as a service, without anybody signed in"
	}
	return ""
}

// Scopes are what an application may ask for, and what each means.
func Scopes() []Scope { return slices.Clone(scopes) }

// A Scope is something an application may ask for.
type Scope struct{ Name, Label string }

var scopes = []Scope{
	{"openid", "Know who signed in"},
	{"profile", "Name and time zone"},
	{"email", "Email address"},
	{"phone", "Phone number"},
	{"offline_access", "Tokens that live on after the sign-in"},
	{"scim", "Staff users and groups by SCIM"},
	{"decisions", "Ask who may do what, as an API client"},
}

// A Draft is an application as somebody wants it to be.
type Draft struct {
	Name              string
	Partner           string // who makes it; may be empty
	Method            Method
	Grants            []Grant
	Redirects         []string
	PostLogouts       []string
	BackChannelLogout string
	Scopes            []string
	Keys              string // a JWK set or PEM; stored as a JWK set of public keys
	Groups            bool   // it may be told the groups of whoever signs in
	Permissions       bool   // and their permissions
	Consent           bool   // people are asked before it is told anything
	ServiceEmail      string // the staff user for whom a service acts
	Enabled           bool
}

// Can reports whether it may get tokens in a way.
func (d *Draft) Can(g Grant) bool { return slices.Contains(d.Grants, g) }

// HasSecret reports whether it proves itself by a secret.
func (d *Draft) HasSecret() bool { return d.Method == SecretBasic || d.Method == SecretPost }

// An Application is an external application.
type Application struct {
	ID          bank.ApplicationID
	Institution bank.InstitutionID // empty: it belongs to none
	Draft
	Service       bank.StaffID // the staff user for whom it acts, who may be gone; empty: it is no service
	Revision      int64
	Created       time.Time
	LastUsed      time.Time // to the minute; zero: never
	SecretMade    time.Time // zero: it has none
	OldSecretEnds time.Time // zero: there is no other

	secret, oldSecret []byte
}

func (a *Application) target() activity.Target {
	return activity.Target{Kind: activity.TargetClient, ID: string(a.ID), Name: a.Name}
}

// trimmed is the draft without what a form adds by accident.
func (d Draft) trimmed() Draft {
	d.Name, d.Partner = strings.TrimSpace(d.Name), strings.TrimSpace(d.Partner)
	d.BackChannelLogout, d.Keys, d.ServiceEmail = strings.TrimSpace(d.BackChannelLogout), strings.TrimSpace(d.Keys), strings.TrimSpace(d.ServiceEmail)
	d.Redirects, d.PostLogouts = lines(d.Redirects), lines(d.PostLogouts)
	return d
}

func lines(all []string) (kept []string) {
	for _, one := range all {
		if one = strings.TrimSpace(one); one != "" {
			kept = append(kept, one)
		}
	}
	return kept
}

const selectApplication = `
	select institution_id, id, name, partner, auth_method, grants, redirects, post_logouts, back_channel_logout, scopes, keys,
	       claims_groups, claims_permissions, consent, service_staff_id, service_email, enabled,
	       secret_hash, secret_micros, old_secret_hash, old_secret_ends_micros, last_used_micros, created_micros, revision
	  from external_application`

func scan(row db.Scanner) (a Application, err error) {
	var grants, redirects, posts, scopes string
	var made, ends, used, created int64
	err = row.Scan(&a.Institution, &a.ID, &a.Name, &a.Partner, &a.Method, &grants, &redirects, &posts, &a.BackChannelLogout, &scopes, &a.Keys,
		&a.Groups, &a.Permissions, &a.Consent, &a.Service, &a.ServiceEmail, &a.Enabled,
		&a.secret, &made, &a.oldSecret, &ends, &used, &created, &a.Revision)
	for g := range strings.FieldsSeq(grants) {
		a.Grants = append(a.Grants, Grant(g))
	}
	a.Redirects, a.PostLogouts, a.Scopes = strings.Fields(redirects), strings.Fields(posts), strings.Fields(scopes)
	a.SecretMade, a.OldSecretEnds, a.LastUsed, a.Created = moment(made), moment(ends), moment(used), moment(created)
	return a, err
}

func moment(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
