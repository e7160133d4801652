package host

import (
	"context"

	"mandate/internal/bank"
)

// Names are what the host calls what we have: a connector speaks the host's
// language on one side and ours on the other. A name that is given never
// changes. Whatever is not known is absent.
type Names interface {
	Organizations(ctx context.Context, institution bank.InstitutionID, ids []bank.OrganizationID) (map[bank.OrganizationID]Ref, error)
	Accounts(ctx context.Context, institution bank.InstitutionID, ids []bank.AccountID) (map[bank.AccountID]Ref, error)

	// OrganizationsOf and AccountsOf are the way back. An account of the host can be
	// there for several of our organizations, so it is asked for within one.
	OrganizationsOf(ctx context.Context, institution bank.InstitutionID, refs []Ref) (map[Ref]bank.OrganizationID, error)
	AccountsOf(ctx context.Context, institution bank.InstitutionID, organization bank.OrganizationID, refs []Ref) (map[Ref]bank.AccountID, error)
}

// Same are names where both call everything the same: worlds of tests, and hosts
// that were filled with our ids.
type Same struct{}

func (Same) Organizations(_ context.Context, _ bank.InstitutionID, ids []bank.OrganizationID) (map[bank.OrganizationID]Ref, error) {
	return renamed[Ref](ids), nil
}

func (Same) Accounts(_ context.Context, _ bank.InstitutionID, ids []bank.AccountID) (map[bank.AccountID]Ref, error) {
	return renamed[Ref](ids), nil
}

func (Same) OrganizationsOf(_ context.Context, _ bank.InstitutionID, refs []Ref) (map[Ref]bank.OrganizationID, error) {
	return renamed[bank.OrganizationID](refs), nil
}

func (Same) AccountsOf(_ context.Context, _ bank.InstitutionID, _ bank.OrganizationID, refs []Ref) (map[Ref]bank.AccountID, error) {
	return renamed[bank.AccountID](refs), nil
}

func renamed[New, Old ~string](names []Old) map[Old]New {
	same := make(map[Old]New, len(names))
	for _, name := range names {
		same[name] = New(name)
	}
	return same
}
