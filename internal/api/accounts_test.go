package api_test

import (
	"context"
	"errors"
	"testing"

	"mandate/internal/api"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/host"
	"mandate/internal/host/hostsim"
)

// A line to the host can be down.
type line struct {
	*hostsim.Bank
	down bool
}

func (l *line) Balances(ctx context.Context, institution bank.InstitutionID, accounts []bank.AccountID) (map[bank.AccountID]host.Balance, error) {
	if l.down {
		return nil, errors.New("the line is down")
	}
	return l.Bank.Balances(ctx, institution, accounts)
}

func TestAProgramReadsAccountsForAPerson(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := start(t, d)
		p.danaMoves()
		p.as("dana", "POST", "/transfers", `{"from":"operating","to":"payroll","amount":"1250.00","memo":"March wages"}`).into(&api.TransferDetail{})
		var list api.AccountList
		p.as("dana", "GET", "/accounts", "").into(&list)
		if len(list.Accounts) != 2 || list.Total != 2 || list.Unread || list.Accounts[0].ID != "operating" || list.Accounts[0].Name == "" ||
			*list.Accounts[0].Available != "18750.00" || *list.Accounts[1].Balance != "1250.00" {
			t.Errorf("listed %+v", list)
		}
		p.as("dana", "GET", "/accounts?size=1&page=2", "").into(&list)
		if len(list.Accounts) != 1 || list.Total != 2 || list.Page != 2 || list.Accounts[0].ID != "payroll" {
			t.Errorf("the second page is %+v", list)
		}
		p.as("dana", "GET", "/accounts?page=9", "").into(&list)
		if len(list.Accounts) != 0 {
			t.Errorf("beyond the end: %+v", list)
		}
		var detail api.AccountDetail
		p.as("dana", "GET", "/accounts/operating", "").into(&detail)
		if *detail.Balance != "18750.00" || len(detail.Entries) != 2 || detail.Entries[0].Amount != "-1250.00" || detail.Entries[0].Memo != "Transfer: March wages" || detail.Entries[0].After != "18750.00" {
			t.Errorf("the account is %+v", detail)
		}
		for _, who := range []string{"ana", "dana"} { // not given, and not there
			if got := p.as(who, "GET", "/accounts/"+map[string]string{"ana": "operating", "dana": "nowhere"}[who], "").problem(); got != "404" {
				t.Errorf("%s reads what she may not: %s", who, got)
			}
		}
		p.line.down = true
		p.as("dana", "GET", "/accounts", "").into(&list)
		if !list.Unread || len(list.Accounts) != 2 || list.Accounts[0].Available != nil {
			t.Errorf("without an answer of the host: %+v", list)
		}
		var unread api.AccountDetail
		p.as("dana", "GET", "/accounts/operating", "").into(&unread)
		if !unread.Unread || unread.Balance != nil || unread.Name == "" {
			t.Errorf("without an answer of the host: %+v", unread)
		}
		p.line.down = false
		bound := p.caller("first", "Bound", "wires.transmit")
		if got := p.as("dana", "GET", "/accounts", "", "Authorization", "Bearer "+bound).problem(); got != "403 CALLER_NOT_ALLOWED" {
			t.Errorf("a program that is bound to wires: %s", got)
		}
		p.world.SetStanding("first", "acme", "dana", bank.StatusLocked, false)
		p.as("dana", "GET", "/accounts", "").into(&list)
		if len(list.Accounts) != 0 || list.Total != 0 {
			t.Errorf("locked, she sees %+v", list)
		}
	})
}
