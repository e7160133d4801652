// Package statement shows what accounts hold and what was posted to them, as
// the host tells it. It keeps nothing and moves nothing: a host that does not
// answer is told as such, and is never taken for an empty account.
package statement

import (
	"context"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/host"
)

// MostLines is how many entries of an account are shown, the latest first.
const MostLines = 100

// A Host tells what accounts hold. host.Connector is one.
type Host interface {
	Balances(ctx context.Context, institution bank.InstitutionID, accounts []bank.AccountID) (map[bank.AccountID]host.Balance, error)
	Statement(ctx context.Context, institution bank.InstitutionID, account bank.AccountID, most int) ([]host.Line, error)
}

// Service answers for the accounts of organizations.
type Service struct {
	guard *guard.Guard
	host  Host
}

// New returns the room over a door and a host.
func New(g *guard.Guard, h Host) *Service { return &Service{guard: g, host: h} }

// errNotThere is the answer for an account that is not there and for one that
// may not be seen: nobody learns which.
var errNotThere = fault.New(fault.NotFound, "There is no such account, or you have no access to it.")

// Balances are what accounts hold. Of an account that the host does not have
// there is none.
type Balances struct {
	Of     map[bank.AccountID]host.Balance
	Unread bool // the host did not answer
}

// Seen are those of some accounts that the caller may view (account.view).
func (s *Service) Seen(ctx context.Context, caller bank.Caller, accounts []bank.AccountID) (seen []bank.AccountID, err error) {
	err = s.guard.Look(ctx, caller, looking(caller, accounts), func(v *guard.View) error {
		for _, id := range accounts {
			if sees(v.Policy, caller, id, v.Tx.Now) {
				seen = append(seen, id)
			}
		}
		return nil
	})
	return seen, err
}

// Balances reads what some accounts hold, as far as the caller may view them.
func (s *Service) Balances(ctx context.Context, caller bank.Caller, accounts []bank.AccountID) (b Balances, err error) {
	seen, err := s.Seen(ctx, caller, accounts)
	if err != nil || len(seen) == 0 {
		return Balances{}, err
	}
	b.Of, err = s.host.Balances(ctx, caller.Institution, seen)
	b.Unread = err != nil
	return b, nil
}

// A Statement is one account as the host has it.
type Statement struct {
	Balance host.Balance
	Known   bool // the host has the account
	Lines   []host.Line
	Unread  bool // the host did not answer
}

// Of reads the statement of an account that the caller may view.
func (s *Service) Of(ctx context.Context, caller bank.Caller, account bank.AccountID) (st Statement, err error) {
	one := []bank.AccountID{account}
	err = s.guard.Look(ctx, caller, looking(caller, one), func(v *guard.View) error {
		if !sees(v.Policy, caller, account, v.Tx.Now) {
			return errNotThere
		}
		return nil
	})
	if err != nil {
		return Statement{}, err
	}
	balances, err := s.host.Balances(ctx, caller.Institution, one)
	if err != nil {
		return Statement{Unread: true}, nil
	}
	st.Balance, st.Known = balances[account]
	st.Lines, err = s.host.Statement(ctx, caller.Institution, account, MostLines)
	st.Unread = err != nil
	return st, nil
}

func looking(caller bank.Caller, accounts []bank.AccountID) guard.Action {
	return guard.Action{
		Event: "account.viewed", Organization: caller.Organization, Others: []bank.ActorKind{bank.ActorMember}, Scope: entitlement.Scope{Accounts: accounts},
		Target: activity.Target{Kind: activity.TargetOrganization, ID: string(caller.Organization)},
	}
}

func sees(p *entitlement.Policy, caller bank.Caller, account bank.AccountID, now time.Time) bool {
	req := entitlement.Request{Member: caller.Member(), Operation: catalog.AccountView, Account: account, Now: now}
	return entitlement.Decide(p, req).Allowed
}
