package protocol

import (
	"time"

	"mandate/internal/bank"
	"mandate/internal/host"
)

// An Organization is a business customer.
type Organization struct {
	Ref      host.Ref  `json:"ref"`
	Version  int64     `json:"version" doc:"Rises with every change."`
	Name     string    `json:"name"`
	Accounts []Account `json:"accounts"`
}

// An Account of an organization.
type Account struct {
	Ref      host.Ref `json:"ref"`
	Name     string   `json:"name"`
	Kind     string   `json:"kind,omitempty" doc:"Such as checking, savings, loan."`
	LastFour string   `json:"last_four,omitempty" maxLength:"4"`
	Closed   bool     `json:"closed,omitempty"`
}

// A User is somebody of an organization. A permission that is absent is off, a
// limit that is absent is none given.
type User struct {
	Ref          host.Ref    `json:"ref,omitempty" doc:"The host's own name; empty only in an order that creates."`
	Organization host.Ref    `json:"organization"`
	Member       bank.UserID `json:"member,omitempty" doc:"Who the user is in the product, where it asked for them."`
	Version      int64       `json:"version,omitempty" doc:"Rises with every change, whoever made it. In an order: the last one known, zero where none is."`
	FirstName    string      `json:"first_name,omitempty"`
	LastName     string      `json:"last_name,omitempty"`
	Email        string      `json:"email,omitempty"`
	Username     string      `json:"username,omitempty" doc:"Absent: no credentials yet."`
	Role         string      `json:"role,omitempty" enum:"user,viewer,admin"`
	Status       string      `json:"status,omitempty" enum:"pending,active,locked,disabled"`
	Held         bool        `json:"held,omitempty"`
	Deleted      bool        `json:"deleted,omitempty" doc:"For good; of it only ref, organization and version count."`

	Permissions map[string]string              `json:"permissions,omitempty" doc:"By the catalogue's ids; values as in an import: true, false, plain amounts."`
	Accounts    map[host.Ref]map[string]string `json:"accounts,omitempty" doc:"Accounts that the user has access to, with the permissions there."`
}

// Defaults are what a new user of a role gets.
type Defaults struct {
	Role        string            `json:"role" enum:"user,viewer,admin"`
	Version     int64             `json:"version"`
	Permissions map[string]string `json:"permissions"`
}

// An Event tells of one change by the state after it. Exactly one of announced,
// user, organization and defaults is there.
type Event struct {
	ID      string       `json:"id" doc:"The same when it is told again."`
	Mark    string       `json:"mark" doc:"Asked for what comes after it, the host goes on from here."`
	At      time.Time    `json:"at"`
	Channel host.Channel `json:"channel" enum:"backoffice,classic,core,order" doc:"Where the change was made."`
	By      string       `json:"by,omitempty" doc:"Who made it, as the host knows them."`
	Order   string       `json:"order,omitempty" doc:"The key of the order that it echoes."`

	Announced    *Announced    `json:"announced,omitempty"`
	User         *User         `json:"user,omitempty"`
	Organization *Organization `json:"organization,omitempty"`
	Defaults     *Defaults     `json:"defaults,omitempty"`
}

// Announced tells that a user is being made; the user follows.
type Announced struct {
	Ref          host.Ref `json:"ref"`
	Organization host.Ref `json:"organization"`
	FirstName    string   `json:"first_name,omitempty"`
	LastName     string   `json:"last_name,omitempty"`
}
