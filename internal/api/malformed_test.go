package api_test

import (
	"fmt"
	"strings"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db/dbtest"
	"mandate/internal/pdp/obstacle"
)

// whole is a program whose Dana may do everything, with a batch to be sent and
// an account that is enrolled.
func whole(t *testing.T) *program {
	p := start(t, dbtest.SQLite(t))
	p.put(obstacle.Open(obstacle.Ask{Operation: catalog.TransfersCreate, Member: "dana", Account: "operating", ToAccount: "payroll"}, bank.EditionBank), bank.EditionBank)
	p.keepBatches("dana", 1, "")
	p.setTerms()
	p.enrols()
	return p
}

// bodies are requests that are right but for an account and an amount, which
// stand where %s is.
var bodies = map[string]string{
	"/transfers":          `{"from":%[1]s,"to":"payroll","amount":%[2]s}`,
	"/stop-payments":      `{"account":%[1]s,"first":1001,"amount":%[2]s}`,
	"/wires":              `{"account":%[1]s,"amount":%[2]s,"send":true,"payee":{"name":"Harbor Supplies","account":"000123456","town":"Salem","state":"MA"},"bank":{"routing":"121042882","name":"Harbor Bank"}}`,
	"/positive-pay/lists": `{"account":%[1]s,"checks":[{"number":1,"amount":%[2]s,"date":"2026-03-02"}]}`,
	"/ach/batches":        `{"name":"Rents","company":"1234567890","class":"CCD","description":"RENT","recipients":[{"name":"Quarry Road","account":"445566","routing":"231380104","amount":%[2]s}]}`,
}

// Whatever is no amount is refused by every operation that takes one, with its
// field, and nothing is done.
func TestTheAPITakesAmountsOnly(t *testing.T) {
	p := whole(t)
	for path, body := range bodies {
		for _, amount := range []string{`""`, `"-5.00"`, `"+5.00"`, `"5.001"`, `"12345678901.00"`, `"1e3"`, `"5,00"`, `"$5.00"`, `" 5.00"`, `"0.00"`, `"five"`, "5", "-5", "1e400", "null", "true", "[]", "{}"} {
			got := p.as("dana", "POST", path, fmt.Sprintf(body, `"operating"`, amount))
			if got.status != 422 && got.status != 400 || !strings.Contains(got.body, "amount") && amount != "1e400" {
				t.Errorf("%s with the amount %s: %d %s", path, amount, got.status, got.body)
			}
		}
	}
	for _, path := range []string{"/transfers", "/wires"} { // elsewhere it may be left out
		missing := strings.Replace(bodies[path], `,"amount":%[2]s`, "", 1)
		if got := p.as("dana", "POST", path, fmt.Sprintf(missing, `"operating"`)); got.status != 422 || !strings.Contains(got.body, "amount") {
			t.Errorf("%s without an amount: %d %s", path, got.status, got.body)
		}
	}
	p.holds("operating", 20_000_00)
}

// The same of accounts.
func TestTheAPITakesAccountsOfTheOrganizationOnly(t *testing.T) {
	p := whole(t)
	for path, body := range bodies {
		if !strings.Contains(body, "%[1]s") {
			continue
		}
		for _, unknown := range []string{`"nowhere"`, `"savings"`, `"OPERATING"`} { // savings are another organization's
			if got := p.as("dana", "POST", path, fmt.Sprintf(body, unknown, `"5.00"`)).problem(); got != "403 UNKNOWN_ACCOUNT" {
				t.Errorf("%s for %s: %s", path, unknown, got)
			}
		}
		for _, wrong := range []string{`""`, "5", "null", "true", `["operating"]`, "{}"} {
			got := p.as("dana", "POST", path, fmt.Sprintf(body, wrong, `"5.00"`))
			if got.status != 422 && got.problem() != "403 UNKNOWN_ACCOUNT" || !strings.Contains(got.body, "account") && !strings.Contains(got.body, "from") {
				t.Errorf("%s for the account %s: %d %s", path, wrong, got.status, got.body)
			}
		}
	}
	p.holds("operating", 20_000_00)
}

// What else cannot be is said with its field, whatever somebody may do.
func TestTheAPIRefusesWhatCannotBe(t *testing.T) {
	p := whole(t)
	initiate := "/ach/batches/" + p.pool[0] + "/initiate"
	for _, m := range []struct{ path, body, want string }{
		{"/transfers", `{"from":"operating","to":"nowhere","amount":"5.00"}`, "403 UNKNOWN_ACCOUNT"},
		{"/transfers", `{"from":"operating","to":"operating","amount":"5.00"}`, "422 to"},
		{"/transfers", `{"from":"operating","to":"payroll","amount":"5.00","on":"2026-02-30"}`, "422 on"},
		{"/transfers", `{"from":"operating","to":"payroll","amount":"5.00","amonut":"6.00"}`, "422 body.amonut"},
		{"/wires", harborOf(5_00, `"on":"2026-02-30"`), "422 on"},
		{"/wires", harborOf(5_00, `"repeat":"hourly"`), "422 body.repeat"},
		{"/wires", `{"account":"operating","amount":"5.00","payee":{"name":"Harbor Supplies","account":"1","town":"Salem","state":"MA"},"bank":{"routing":"121042883","name":"Harbor Bank"}}`, "422 routing"},
		{initiate, `{"version":1,"offset":"nowhere"}`, "403 UNKNOWN_ACCOUNT"},
		{initiate, `{"version":"1","offset":"operating"}`, "422 body.version"},
		{initiate, `{"version":1,"offset":"operating","effective":"2026-02-30"}`, "422 effective"},
		{"/positive-pay/output/download", `{"account":"operating","day":"2026-02-30"}`, "404"},
	} {
		if got := p.as("dana", "POST", m.path, m.body); got.problem() != m.want {
			t.Errorf("%s %s: %s, want %s: %s", m.path, m.body, got.problem(), m.want, got.body)
		}
	}
	p.holds("operating", 20_000_00)
}
