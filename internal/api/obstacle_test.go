package api_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"mandate/internal/api"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/host"
	"mandate/internal/pdp/obstacle"
	"mandate/internal/usermgmt"
)

// A try sends the request that an operation is for. May is the status of
// somebody who is allowed: 403 is the question for a high-risk authorization,
// which none of these requests brings along.
type try struct {
	prepare func(p *program) // once, in the open world
	ask     func(p *program, o obstacle.Ask) answer
	may     int
	silent  bool // whoever may not is told that there is nothing
}

const stepUp = 403

// tries are the operations that the walk knows how to ask for through the API.
// How an operation is plugged in says package obstacle.
var tries = map[catalog.Operation]try{
	catalog.AccountView: {may: 200, silent: true, ask: func(p *program, o obstacle.Ask) answer {
		return p.unproven("GET", "/accounts/"+string(o.Account), "")
	}},
	catalog.TransfersCreate: {may: stepUp, ask: func(p *program, o obstacle.Ask) answer {
		return p.unproven("POST", "/transfers", fmt.Sprintf(`{"from":%q,"to":%q,"amount":%q}`, o.Account, o.ToAccount, o.Cents))
	}},
	catalog.CardsManageOperation: {
		may: stepUp,
		prepare: func(p *program) {
			p.issue(host.Card{ID: "crd_1", Account: "operating", Holder: "Dana Reyes", Kind: "debit", LastFour: "4821", Expires: "2029-04", State: host.CardLocked})
		},
		ask: func(p *program, _ obstacle.Ask) answer { return p.unproven("POST", "/cards/crd_1/unlock", "") },
	},
	catalog.WiresView: {may: 200, ask: func(p *program, _ obstacle.Ask) answer { return p.unproven("GET", "/wires", "") }},
	catalog.WiresTemplateCreateOperation: {may: 200, ask: func(p *program, o obstacle.Ask) answer {
		return p.unproven("POST", "/wire-templates", harbor(o, fmt.Sprintf(`"name":%q`, rand.Text())))
	}},
	catalog.WiresTemplateEditOperation: {may: 200, prepare: (*program).keepTemplate, ask: func(p *program, o obstacle.Ask) answer {
		return p.unproven("POST", "/wire-templates/"+p.kept+"/edit", harbor(o, `"name":"Harbor"`, p.version("wire_template")))
	}},
	catalog.WiresOneTimeCreateOperation: {may: 200, ask: func(p *program, o obstacle.Ask) answer { return p.unproven("POST", "/wires", harbor(o)) }},
	catalog.WiresOneTimeEditOperation: {may: 200, prepare: func(p *program) { p.keepWire("dana", 100_00) }, ask: func(p *program, o obstacle.Ask) answer {
		return p.unproven("POST", "/wires/"+p.kept+"/edit", harbor(o, p.version("wire")))
	}},
	catalog.WiresRecurringEditOperation: {may: stepUp, prepare: func(p *program) { p.keepWire("dana", 100_00, `"repeat":"monthly"`, `"on":"2026-03-10"`) }, ask: func(p *program, o obstacle.Ask) answer {
		return p.unproven("POST", "/recurring-wires/"+p.kept+"/edit", fmt.Sprintf(`{"amount":%q,%s}`, o.Cents, p.version("wire_series")))
	}},
	catalog.WiresTransmitOperation: {may: stepUp, prepare: (*program).setTerms, ask: func(p *program, o obstacle.Ask) answer {
		return p.unproven("POST", "/wires", harbor(o, `"send":true`))
	}},
	catalog.WiresApprove: {may: stepUp, prepare: func(p *program) {
		p.sendsWires("ana")
		p.keepWire("ana", 12_000_00, `"send":true`)
	}, ask: func(p *program, _ obstacle.Ask) answer {
		item, hash := p.waits("wire")
		return p.unproven("POST", "/approvals/"+item+"/approve", fmt.Sprintf(`{"hash":%q}`, hash))
	}},
	catalog.StopsViewOperation: {may: 200, ask: func(p *program, _ obstacle.Ask) answer { return p.unproven("GET", "/stop-payments", "") }},
	catalog.StopsAddOperation: {may: stepUp, ask: func(p *program, o obstacle.Ask) answer {
		return p.unproven("POST", "/stop-payments", fmt.Sprintf(`{"account":%q,"first":1001,"amount":"5.00","terms":%q}`, o.Account, p.terms()))
	}},
}

// tryOf is how the walk asks for an operation.
func tryOf(op catalog.Operation) (try, bool) {
	if t, known := tries[op]; known {
		return t, true
	}
	t, known := batchTries[op]
	return t, known
}

// Nobody forgets an operation: whatever is about money is walked.
func TestTheAPIKnowsEveryOperation(t *testing.T) {
	for _, op := range catalog.Operations() {
		if _, known := tryOf(op); !known && op.Info().Power == "" {
			t.Errorf("%s has no entry in the walk of operation by reason", op)
		}
	}
}

// unproven sends a request for Dana, without a word on how she was made sure of.
func (p *program) unproven(method, path, body string) answer {
	return p.as("dana", method, path, body, "Mandate-Proof", "")
}

// terms are those of stop payments, as somebody who has seen them says.
func (p *program) terms() string {
	var options api.StopOptions
	p.as("dana", "GET", "/stop-payments/options", "").into(&options)
	return options.Terms
}

// Through the API every operation is refused for each reason that can block it,
// in both editions, and the reason is told.
func TestTheAPIRefusesForEveryReason(t *testing.T) {
	for _, edition := range []bank.Edition{bank.EditionBank, bank.EditionCreditUnion} {
		t.Run(edition.String(), func(t *testing.T) {
			p := start(t, dbtest.SQLite(t))
			for _, op := range catalog.Operations() {
				if try, known := tryOf(op); known {
					p.walk(op, try, edition)
				}
			}
		})
	}
}

// walk asks for an operation in every world in which something blocks. What it
// is about was made at a bank, where everything can be made.
func (p *program) walk(op catalog.Operation, try try, edition bank.Edition) {
	p.t.Helper()
	ask := obstacle.Ask{Operation: op, Member: "dana", Cents: 500_00, Context: map[string]any{"last_editor": op == catalog.ACHBatchInitiate}}
	if op == catalog.WiresApprove {
		ask.Cents = 12_000_00
	}
	switch op.Info().Accounts {
	case catalog.AccountPair:
		ask.Account, ask.ToAccount = "operating", "payroll"
	case catalog.AccountRequired, catalog.AccountOptional:
		ask.Account = "operating"
	}
	p.put(obstacle.Open(ask, bank.EditionBank), bank.EditionBank)
	if try.prepare != nil {
		try.prepare(p)
	}
	institution := entitlement.Institution{ID: "first", Location: time.UTC, Edition: edition}
	obstacles := obstacle.Of(ask, institution, []bank.AccountID{"operating", "payroll"})
	if open := obstacle.Open(ask, edition); open.Allows(ask, institution) {
		p.put(open, edition)
		if got := try.ask(p, ask); got.status != try.may || try.may == stepUp && !strings.Contains(got.body, "HIGH_RISK_AUTHORIZATION") {
			p.t.Errorf("%s is refused in the open world: %d %s", op, got.status, got.body)
		}
	}
	for _, o := range obstacles {
		p.put(o.World, edition)
		got := try.ask(p, ask)
		if try.silent && got.status != 404 || !try.silent && !slices.Equal(got.codes(), codesOf(o.Reasons)) {
			p.t.Errorf("%s, %s: the answer is %d %s, want %v", op, o.Name, got.status, got.body, codesOf(o.Reasons))
		}
	}
}

// put stores a world of Acme's.
func (p *program) put(w obstacle.World, edition bank.Edition) {
	p.t.Helper()
	err := p.world.DB.Write(p.t.Context(), func(tx *db.Tx) error {
		if _, err := tx.Exec(`update institution set offers = $1, edition = $2 where id = 'first'`, w.Offers, edition); err != nil {
			return err
		}
		organization, err := usermgmt.FindOrganization(tx, "first", "acme")
		if err != nil {
			return err
		}
		at := obstacle.Place{Organization: organization, Accounts: []*usermgmt.Account{{ID: "operating"}, {ID: "payroll"}}}
		for _, a := range at.Accounts {
			if a.Ordinal, err = db.One(tx, db.Value[int64], `update account set off = $1 where organization_num = $2 and id = $3 returning ordinal`, w.Off[a.ID], organization.Num, a.ID); err != nil {
				return err
			}
		}
		if at.Ordinal, err = db.One(tx, db.Value[int64], `select ordinal from member where organization_num = $1 and id = 'dana'`, organization.Num); err != nil {
			return err
		}
		return w.Store(tx, at)
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// codes are the reasons of an answer, each with what it is about.
func (a answer) codes() (all []string) {
	var said struct{ Reasons []api.RefusalReason }
	if err := json.Unmarshal([]byte(a.body), &said); err != nil {
		a.t.Errorf("not an answer: %s", a.body)
	}
	for _, r := range said.Reasons {
		all = append(all, fmt.Sprint(r.Code, " ", r.Permission, " ", r.Account))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// codesOf are reasons as a program is told them: a hold looks like any other
// state in which somebody cannot act.
func codesOf(reasons []entitlement.Reason) (all []string) {
	for _, r := range reasons {
		if r.Code == entitlement.MemberHeld {
			r.Code = entitlement.MemberStatus
		}
		all = append(all, fmt.Sprint(r.Code, " ", r.Permission, " ", r.Account))
	}
	slices.Sort(all)
	return slices.Compact(all)
}
