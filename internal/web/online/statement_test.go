package online_test

import "testing"

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
	})
}
