package host

import (
	"context"
	"fmt"

	"mandate/internal/bank"
)

// A Whole is both halves of a host.
type Whole interface {
	Connector
	People
}

// Each is the hosts of several institutions as one: every question goes to the
// host of its institution.
type Each func(bank.InstitutionID) (Whole, bool)

var _ Whole = Each(nil)

func (e Each) of(institution bank.InstitutionID) (Whole, error) {
	h, known := e(institution)
	if !known {
		return nil, fmt.Errorf("host: no host is set for the institution %s", institution)
	}
	return h, nil
}

// ask asks the host of an institution.
func ask[T any](e Each, institution bank.InstitutionID, question func(Whole) (T, error)) (T, error) {
	h, err := e.of(institution)
	if err != nil {
		var none T
		return none, err
	}
	return question(h)
}

func (e Each) Balances(ctx context.Context, institution bank.InstitutionID, accounts []bank.AccountID) (map[bank.AccountID]Balance, error) {
	return ask(e, institution, func(h Whole) (map[bank.AccountID]Balance, error) { return h.Balances(ctx, institution, accounts) })
}

func (e Each) Numbers(ctx context.Context, institution bank.InstitutionID, accounts []bank.AccountID) (map[bank.AccountID]string, error) {
	return ask(e, institution, func(h Whole) (map[bank.AccountID]string, error) { return h.Numbers(ctx, institution, accounts) })
}

func (e Each) Statement(ctx context.Context, institution bank.InstitutionID, account bank.AccountID, most int) ([]Line, error) {
	return ask(e, institution, func(h Whole) ([]Line, error) { return h.Statement(ctx, institution, account, most) })
}

func (e Each) Carry(ctx context.Context, o Order) (Receipt, error) {
	return ask(e, o.Institution, func(h Whole) (Receipt, error) { return h.Carry(ctx, o) })
}

func (e Each) Cards(ctx context.Context, institution bank.InstitutionID, organization bank.OrganizationID) ([]Card, error) {
	return ask(e, institution, func(h Whole) ([]Card, error) { return h.Cards(ctx, institution, organization) })
}

func (e Each) Presented(ctx context.Context, institution bank.InstitutionID, after string, most int) ([]Presented, error) {
	return ask(e, institution, func(h Whole) ([]Presented, error) { return h.Presented(ctx, institution, after, most) })
}

func (e Each) Image(ctx context.Context, institution bank.InstitutionID, item string, side Side) ([]byte, error) {
	return ask(e, institution, func(h Whole) ([]byte, error) { return h.Image(ctx, institution, item, side) })
}

func (e Each) Organizations(ctx context.Context, institution bank.InstitutionID, after Ref, most int) ([]Organization, error) {
	return ask(e, institution, func(h Whole) ([]Organization, error) { return h.Organizations(ctx, institution, after, most) })
}

func (e Each) Users(ctx context.Context, institution bank.InstitutionID, after Ref, most int) ([]User, error) {
	return ask(e, institution, func(h Whole) ([]User, error) { return h.Users(ctx, institution, after, most) })
}

func (e Each) User(ctx context.Context, institution bank.InstitutionID, ref Ref) (User, error) {
	return ask(e, institution, func(h Whole) (User, error) { return h.User(ctx, institution, ref) })
}

func (e Each) Defaults(ctx context.Context, institution bank.InstitutionID) ([]Defaults, error) {
	return ask(e, institution, func(h Whole) ([]Defaults, error) { return h.Defaults(ctx, institution) })
}

func (e Each) Events(ctx context.Context, institution bank.InstitutionID, after string, most int) ([]Event, error) {
	return ask(e, institution, func(h Whole) ([]Event, error) { return h.Events(ctx, institution, after, most) })
}
