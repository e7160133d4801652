package online

import (
	"context"
	"net/http"
	"net/url"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/moneymovement/statement"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/phrase"
	"mandate/internal/web/ui"
)

// Statements is what the app needs of the room that tells what accounts hold.
type Statements interface {
	Balances(context.Context, bank.Caller, []bank.AccountID) (statement.Balances, error)
	Of(context.Context, bank.Caller, bank.AccountID) (statement.Statement, error)
}

func (b base) statement(account bank.AccountID) string {
	return b.at("/accounts/") + url.PathEscape(string(account))
}

func (a *app) statementRoutes() []web.Route {
	return []web.Route{moneyRoute("GET", "/accounts/{account}", a.statement, catalog.AccountView)}
}

type statementPage struct {
	Shell   ui.Shell
	Name    string
	Kind    string
	Here    string
	Figures []ui.Figure
	Unread  bool
	Lines   []statementLine
	Most    bool // there may be more than are shown
	Actions []ui.Action
}

type statementLine struct {
	Date, Memo, Reference string
	Cents, After          bank.Cents
}

// GET /{institution}/accounts/{account}
func (a *app) statement(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	id := bank.AccountID(r.PathValue("account"))
	st, err := a.money.Statements.Of(r.Context(), web.CallerOf(r.Context()), id)
	if err != nil {
		return err
	}
	account := v.accounts[id]
	page := statementPage{
		Shell: a.shell(r, v.me, accountName(account), ui.Link{Label: "Home", Href: v.base.home()}),
		Name:  accountName(account), Kind: phrase.Capital(account.Kind), Here: v.base.statement(id),
		Unread: st.Unread, Most: len(st.Lines) == statement.MostLines, Actions: a.accountActions(&v, id),
	}
	if st.Known {
		page.Figures = []ui.Figure{{Label: "Available", Value: st.Balance.Available.Dollars()}, {Label: "Balance", Value: st.Balance.Ledger.Dollars()}}
		if aside := st.Balance.Ledger - st.Balance.Available; aside > 0 {
			page.Figures = append(page.Figures, ui.Figure{Label: "Set aside", Value: aside.Dollars()})
		}
	}
	for _, line := range st.Lines {
		page.Lines = append(page.Lines, statementLine{shortDate(line.Day), line.Memo, line.Reference, line.Cents, line.After})
	}
	return web.Render(w, r, http.StatusOK, statementView(page))
}

// accountActions lead to what is often done next with an account.
func (a *app) accountActions(v *moneyView, id bank.AccountID) (actions []ui.Action) {
	if a.money.Transfers != nil && has(&v.me, catalog.Transfers) {
		actions = append(actions, ui.Action{Label: "Transfer", Icon: "arrow-left-right", Href: v.base.newTransfer() + "?from=" + url.QueryEscape(string(id))})
	}
	return actions
}

// A homeAccount is a row of the first page, with what is available where the
// host tells it.
type homeAccount struct {
	usermgmt.MemberAccount
	Href      string
	Available bank.Cents
	Known     bool
}

// homeAccounts reads what some accounts hold.
func (a *app) homeAccounts(r *http.Request, accounts []usermgmt.MemberAccount) (rows []homeAccount, unread bool, err error) {
	if a.money.Statements == nil {
		for _, account := range accounts {
			rows = append(rows, homeAccount{MemberAccount: account})
		}
		return rows, false, nil
	}
	caller := web.CallerOf(r.Context())
	ids := make([]bank.AccountID, 0, len(accounts))
	for _, account := range accounts {
		ids = append(ids, account.ID)
	}
	balances, err := a.money.Statements.Balances(r.Context(), caller, ids)
	if err != nil {
		return nil, false, err
	}
	b := baseFor(caller.Institution)
	for _, account := range accounts {
		balance, known := balances.Of[account.ID]
		rows = append(rows, homeAccount{account, b.statement(account.ID), balance.Available, known})
	}
	return rows, balances.Unread, nil
}
