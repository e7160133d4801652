package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/host"
	"mandate/internal/moneymovement/statement"
	"mandate/internal/usermgmt"
)

// Statements is the room that tells what accounts hold.
type Statements interface {
	Seen(context.Context, bank.Caller, []bank.AccountID) ([]bank.AccountID, error)
	Balances(context.Context, bank.Caller, []bank.AccountID) (statement.Balances, error)
	Of(context.Context, bank.Caller, bank.AccountID) (statement.Statement, error)
}

func (e *Edge) registerAccounts(a huma.API) {
	add(e, a, http.MethodGet, "/accounts", "list-accounts", "List the accounts that a person sees, with what they hold", acts(catalog.AccountView), e.accounts)
	add(e, a, http.MethodGet, "/accounts/{account}", "get-account", "Read what an account holds, and its latest entries", acts(catalog.AccountView), e.account)
}

// Account is an account of the organization, as somebody sees it.
type Account struct {
	ID        string  `json:"id"`
	Name      string  `json:"name"`
	Number    string  `json:"number" doc:"The last digits of its number."`
	Kind      string  `json:"kind" doc:"Such as checking."`
	Balance   *string `json:"balance,omitempty" doc:"What was posted; absent where the host does not tell."`
	Available *string `json:"available,omitempty" doc:"What can be used of it; absent where the host does not tell."`
}

func accountOf(a usermgmt.Account, b host.Balance, known bool) Account {
	shown := Account{ID: string(a.ID), Name: a.Name, Number: a.Number, Kind: a.Kind}
	if known {
		balance, available := b.Ledger.String(), b.Available.String()
		shown.Balance, shown.Available = &balance, &available
	}
	return shown
}

type accountsInput struct {
	Acting
	Page int `query:"page" minimum:"1" maximum:"1000000" default:"1"`
	Size int `query:"size" minimum:"1" maximum:"500" default:"50"`
}

// AccountList is one page of accounts, by name.
type AccountList struct {
	Accounts []Account `json:"accounts"`
	Total    int       `json:"total" doc:"How many the person sees."`
	Page     int       `json:"page"`
	Unread   bool      `json:"unread" doc:"The host did not answer: no account here is empty because of that."`
}

type accountsOutput struct{ Body AccountList }

// GET /api/v1/accounts
func (e *Edge) accounts(ctx context.Context, in *accountsInput) (*accountsOutput, error) {
	caller, err := e.look(ctx, in.Acting, catalog.AccountView)
	if err != nil {
		return nil, err
	}
	called, ids, err := e.accountsOf(ctx, caller)
	if err != nil {
		return nil, err
	}
	seen, err := e.Statements.Seen(ctx, caller, ids)
	if err != nil {
		return nil, err
	}
	list := AccountList{Accounts: []Account{}, Total: len(seen), Page: in.Page}
	from := min(len(seen), (in.Page-1)*in.Size)
	seen = seen[from:min(len(seen), from+in.Size)]
	balances, err := e.Statements.Balances(ctx, caller, seen)
	if err != nil {
		return nil, err
	}
	list.Unread = balances.Unread
	for _, id := range seen {
		balance, known := balances.Of[id]
		list.Accounts = append(list.Accounts, accountOf(called[id], balance, known))
	}
	return &accountsOutput{list}, nil
}

// accountsOf are the accounts that were given to somebody, and in which order
// they are shown.
func (e *Edge) accountsOf(ctx context.Context, caller bank.Caller) (map[bank.AccountID]usermgmt.Account, []bank.AccountID, error) {
	mine, err := e.Users.Mine(ctx, caller)
	if err != nil {
		return nil, nil, err
	}
	called := make(map[bank.AccountID]usermgmt.Account, len(mine.Accounts))
	ids := make([]bank.AccountID, 0, len(mine.Accounts))
	for _, a := range mine.Accounts {
		called[a.ID] = a.Account
		ids = append(ids, a.ID)
	}
	return called, ids, nil
}

// AccountDetail is an account with its latest entries.
type AccountDetail struct {
	Account
	Entries []AccountEntry `json:"entries" doc:"The latest first, a hundred at most."`
	Unread  bool           `json:"unread" doc:"The host did not answer: nothing is known of balance and entries."`
}

// AccountEntry is money that came in, or with a minus sign went out.
type AccountEntry struct {
	Day       string `json:"day"`
	Amount    string `json:"amount"`
	After     string `json:"after" doc:"The balance after it."`
	Memo      string `json:"memo,omitempty"`
	Reference string `json:"reference,omitempty" doc:"The host's number for it."`
}

type accountInput struct {
	Acting
	ID string `path:"account" maxLength:"200"`
}

type accountOutput struct{ Body AccountDetail }

// GET /api/v1/accounts/{account}
func (e *Edge) account(ctx context.Context, in *accountInput) (*accountOutput, error) {
	caller, err := e.look(ctx, in.Acting, catalog.AccountView)
	if err != nil {
		return nil, err
	}
	called, _, err := e.accountsOf(ctx, caller)
	if err != nil {
		return nil, err
	}
	id := bank.AccountID(in.ID)
	st, err := e.Statements.Of(ctx, caller, id)
	if err != nil {
		return nil, err
	}
	shown := AccountDetail{Account: accountOf(called[id], st.Balance, st.Known), Entries: []AccountEntry{}, Unread: st.Unread}
	shown.ID = in.ID // also where it was given only now
	for _, l := range st.Lines {
		shown.Entries = append(shown.Entries, AccountEntry{string(l.Day), l.Cents.String(), l.After.String(), l.Memo, l.Reference})
	}
	return &accountOutput{shown}, nil
}
