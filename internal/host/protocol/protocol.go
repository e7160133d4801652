// Package protocol is how the product talks to an institution's host over HTTP:
// the documented protocol that a bank implements before its own core banking
// (docs/host.md). It has both sides: Client asks, and is a host.Connector and
// host.People; Handler answers for whatever implements Server. The simulator
// inside the program is reached through both, like any other host.
//
// The types of this package are the JSON, member for member. Everything goes by
// the host's own names (host.Ref): of what the product calls it, the host knows
// nothing. Money is whole cents, times are RFC 3339, words never change their
// meaning. Nothing here decides or stores.
package protocol

import (
	"context"

	"mandate/internal/bank"
	"mandate/internal/host"
)

// Version is the version of the protocol. What is added without a new one can be
// ignored; what cannot be ignored gets a new one, at addresses of its own.
const Version = 1

// A Server is the bank's side. An institution is one that the caller's key is
// for. Lists have at most as many entries as are asked for, may have fewer, and
// are empty only where nothing comes after.
//
// An error is taken as not knowing what came of it, and asked again; but
// host.ErrReused, host.ErrNoImage, host.ErrNoUser, host.ErrNoMark and
// host.ErrNotOffered are answers.
type Server interface {
	// About says what the host is, and what it offers to the institution.
	About(ctx context.Context, institution bank.InstitutionID) (About, error)

	// Balances reads accounts as they stand; one that is not there is absent.
	Balances(ctx context.Context, institution bank.InstitutionID, accounts []host.Ref) ([]Balance, error)

	// Numbers are the full numbers of accounts; one that has none is absent.
	Numbers(ctx context.Context, institution bank.InstitutionID, accounts []host.Ref) ([]Number, error)

	// Statement lists what was posted to an account, the latest first.
	Statement(ctx context.Context, institution bank.InstitutionID, account host.Ref, most int) ([]Line, error)

	// Carry carries an order out, all of it or nothing, once for each key. The same
	// key with another content is host.ErrReused.
	Carry(ctx context.Context, institution bank.InstitutionID, o Order) (Receipt, error)

	// Cards lists an organization's cards.
	Cards(ctx context.Context, institution bank.InstitutionID, organization host.Ref) ([]Card, error)

	// Presented lists what came in against enrolled accounts, after a mark.
	Presented(ctx context.Context, institution bank.InstitutionID, after string, most int) ([]Presented, error)

	// Image is the picture of one side of a presented check, PNG, JPEG or TIFF, or
	// host.ErrNoImage.
	Image(ctx context.Context, institution bank.InstitutionID, item string, side host.Side) ([]byte, error)

	// Organizations lists them with their accounts, in the order of their refs.
	Organizations(ctx context.Context, institution bank.InstitutionID, after host.Ref, most int) ([]Organization, error)

	// Users lists all users that were not deleted, in the order of their refs.
	Users(ctx context.Context, institution bank.InstitutionID, after host.Ref, most int) ([]User, error)

	// User is one of them, deleted or not, or host.ErrNoUser.
	User(ctx context.Context, institution bank.InstitutionID, ref host.Ref) (User, error)

	// Defaults are the permissions that new users get, for each role.
	Defaults(ctx context.Context, institution bank.InstitutionID) ([]Defaults, error)

	// Events lists what changed, after a mark.
	Events(ctx context.Context, institution bank.InstitutionID, after string, most int) ([]Event, error)
}

// A Feature is something that a host offers or not. What it does not offer it
// refuses as NOT_OFFERED.
type Feature string

const (
	Transfers   Feature = "transfers"    // two legs move money
	Compound    Feature = "compound"     // an order has more legs, or legs beside a hold or the freeing of one
	Holds       Feature = "holds"        // amounts are set aside
	Stops       Feature = "stops"        // checks are stopped
	Files       Feature = "files"        // files are taken over
	PositivePay Feature = "positive_pay" // checks are compared, and what does not fit waits
	Cards       Feature = "cards"        // cards are listed and changed
	People      Feature = "people"       // organizations, users, defaults and events
)

// Features are all that there are.
var Features = []Feature{Transfers, Compound, Holds, Stops, Files, PositivePay, Cards, People}

// About is what a host says of itself.
type About struct {
	Protocol int       `json:"protocol" doc:"The version of the protocol: 1."`
	Name     string    `json:"name" maxLength:"100" doc:"What answers here, for people."`
	Offers   []Feature `json:"offers" enum:"transfers,compound,holds,stops,files,positive_pay,cards,people" doc:"What the host offers to the institution. The rest it refuses as NOT_OFFERED."`
}
