package online_test

import (
	"context"
	"errors"
	"testing"

	"mandate/internal/bank"
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

func TestAccountsShowWhatTheyHold(t *testing.T) {
	eachPurse(t, func(p *purse) {
		t := p.t.(*testing.T)
		dana := p.as("dana")
		dana.get("/cedar/home").says(t, "Operating", "$20,000.00", "Payroll", "$0.00")
		dana.get("/cedar/accounts/acc_payroll").says(t, "Payroll ••4821", "Nothing has moved yet")

		form := transferForm(dana, map[string]string{"from": "acc_operating", "to": "acc_payroll", "amount": "$1,250.00", "memo": "March wages"})
		dana.proves("/cedar/transfers", form).says(t, "Completed")
		dana.get("/cedar/accounts/acc_operating").says(t, "Available", "$18,750.00", "March wages", "-$1,250.00", "Opening balance", "Mar 2, 2026")
		dana.get("/cedar/accounts/acc_payroll").says(t, "March wages", "$1,250.00")

		dana.get("/cedar/accounts/acc_tax").is(t, 404) // Dana has no access to it
		dana.get("/cedar/accounts/acc_none").is(t, 404)
		p.as("uma").get("/cedar/accounts/acc_operating").is(t, 404)

		p.line.down = true
		dana.get("/cedar/home").says(t, "What the accounts hold is not known right now", "Operating", "Not known")
		dana.get("/cedar/accounts/acc_operating").says(t, "What the accounts hold is not known right now")
	})
}
