package online_test

import (
	"maps"
	"net/url"
	"strings"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db/dbtest"
	"mandate/internal/moneymovement/positivepay"
	"mandate/internal/moneymovement/wire"
	"mandate/internal/pdp/obstacle"
)

// A wholeForm is a form that is right, and the fields of its account and its
// amount.
type wholeForm struct {
	path, account, amount string
	fields                url.Values
}

// wholeForms are one of each that asks for money.
func (p *purse) wholeForms() map[string]wholeForm {
	o := obstacle.Ask{Account: "acc_operating", Cents: 5_00}
	return map[string]wholeForm{
		"transfer": {"/cedar/transfers", "from", "amount", url.Values{
			"id": {"trf_019caf10-3180-7a14-9502-cbf933ebd562"}, "from": {"acc_operating"}, "to": {"acc_payroll"}, "amount": {"5"}}},
		"wire": {"/cedar/wires", "account", "amount", wireOf(o, "id", string(wire.NewID(p.clock.Now())), "send", "on", "anyway", "on")},
		"stop payment": {"/cedar/stop-payments", "account", "amount", url.Values{
			"id": {"stp_019caf10-3180-7a14-9502-cbf933ebd562"}, "account": {"acc_operating"}, "first": {"1001"}, "amount": {"5"}, "terms": {p.terms}}},
		"batch": {"/cedar/ach/create", "", "entries.0.amount", url.Values{
			"name": {"Rents"}, "company": {"1234567890"}, "class": {"CCD"}, "kind": {"standard"}, "description": {"RENT"}, "entries.0.name": {"Ana Lima"}, "entries.0.account": {"445566"},
			"entries.0.routing": {"231380104"}, "entries.0.amount": {"5"}, "entries.0.account_type": {"checking"}, "entries.0.debit_credit": {"credit"}}},
		"issued check": {"/cedar/positive-pay/entry", "account", "amount_1", url.Values{
			"id": {string(positivepay.NewFileID(p.clock.Now()))}, "account": {"acc_operating"}, "rows": {"10"}, "number_1": {"8001"}, "amount_1": {"5"}, "date_1": {"2026-03-02"}}},
	}
}

// with is the form with another value.
func (f wholeForm) with(field, value string) url.Values {
	fields := maps.Clone(f.fields)
	fields[field] = []string{value}
	return fields
}

// On every screen that asks for money, what is no amount and no account of the
// organization comes back with what was typed and what is wrong, and nothing is
// done.
func TestScreensRefuseWhatCannotBe(t *testing.T) {
	p := newPurse(t, dbtest.SQLite(t))
	ask := obstacle.Ask{Operation: catalog.TransfersCreate, Member: userID("dana"), Account: "acc_operating", ToAccount: "acc_payroll"}
	p.put(obstacle.Open(ask, bank.EditionBank), bank.EditionBank, p.ordinal("dana"))
	p.batchHouse()
	p.enrol()
	dana := p.as("dana")
	for name, form := range p.wholeForms() {
		for _, amount := range []string{"", "-5", "5.001", "123456789012345", "99999999999.99", "1e3", "five", "0", "5,00,0", "٥"} {
			got := dana.post(form.path, form.with(form.amount, amount))
			if got.status != 422 || !strings.Contains(strings.ToLower(got.text()), "amount") || !strings.Contains(got.body, `value="`+amount+`"`) {
				t.Errorf("a %s of %q: %d %s", name, amount, got.status, got.text())
			}
		}
		if form.account == "" {
			continue
		}
		for _, account := range []string{"acc_nowhere", "acc_birch", "", "acc_operating\x00"} {
			got := dana.post(form.path, form.with(form.account, account))
			if got.status < 400 || got.status >= 500 || strings.Contains(got.text(), "Confirm that it is you") {
				t.Errorf("a %s for the account %q: %d %s", name, account, got.status, got.text())
			}
		}
	}
	p.has("acc_operating", 20_000_00)
}
