package online_test

import (
	"crypto/rand"
	"html"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/host"
	"mandate/internal/moneymovement/wire"
	"mandate/internal/pdp/obstacle"
)

// A try sends the request that an operation is for. May recognizes the answer
// of somebody who is allowed.
type try struct {
	prepare func(p *purse) // once, in the open world
	ask     func(p *purse, v *visitor, o obstacle.Ask) answer
	may     string
	silent  bool   // whoever may not is told that there is nothing
	instead string // what a page says in its own words where it leaves out a reason
}

// tries are the operations that the walk knows how to ask for on a screen. How
// an operation is plugged in says package obstacle.
var tries = map[catalog.Operation]try{
	catalog.AccountView: {may: "Operating", silent: true, ask: func(_ *purse, v *visitor, o obstacle.Ask) answer {
		return v.get("/cedar/accounts/" + string(o.Account))
	}},
	catalog.TransfersCreate: {may: "Confirm that it is you", ask: func(_ *purse, v *visitor, o obstacle.Ask) answer {
		return v.post("/cedar/transfers", url.Values{"id": {"trf_019caf10-3180-7a14-9502-cbf933ebd562"}, "from": {string(o.Account)}, "to": {string(o.ToAccount)}, "amount": {o.Cents.String()}})
	}},
	catalog.CardsManageOperation: {
		may: "Confirm that it is you",
		prepare: func(p *purse) {
			p.issue(host.Card{ID: "crd_1", Account: "acc_operating", Holder: "Dana Diaz", Kind: "debit", LastFour: "4821", Expires: "2029-04", State: host.CardLocked})
		},
		ask: func(_ *purse, v *visitor, _ obstacle.Ask) answer {
			return v.post("/cedar/cards/crd_1/unlock", url.Values{"id": {"crq_019caf10-3180-7a14-9502-cbf933ebd562"}})
		},
	},
	catalog.WiresView: {may: "No wires yet", ask: func(_ *purse, v *visitor, _ obstacle.Ask) answer { return v.get("/cedar/wires") }},
	catalog.WiresTemplateCreateOperation: {may: "The template is saved", ask: func(p *purse, v *visitor, o obstacle.Ask) answer {
		return v.post("/cedar/wire-templates", wireOf(o, "id", string(wire.NewTemplateID(p.clock.Now())), "name", rand.Text()))
	}},
	catalog.WiresTemplateEditOperation: {may: "The template is changed", prepare: func(p *purse) { p.keepTemplate("dana") }, ask: func(p *purse, v *visitor, o obstacle.Ask) answer {
		return v.post("/cedar/wire-templates/"+p.kept+"/save", wireOf(o, "name", "Harbor", "version", p.versionOf("wire_template")))
	}},
	catalog.WiresOneTimeCreateOperation: {may: "The wire is saved", ask: func(p *purse, v *visitor, o obstacle.Ask) answer {
		return v.post("/cedar/wires", wireOf(o, "id", string(wire.NewID(p.clock.Now()))))
	}},
	catalog.WiresOneTimeEditOperation: {may: "The wire is saved", prepare: func(p *purse) { p.keepWire("dana", 100_00, calendar.Once, false) }, ask: func(p *purse, v *visitor, o obstacle.Ask) answer {
		return v.post("/cedar/wires/"+p.kept+"/save", wireOf(o, "version", p.versionOf("wire")))
	}},
	catalog.WiresRecurringEditOperation: {may: "Confirm that it is you", prepare: func(p *purse) { p.keepWire("dana", 100_00, calendar.Monthly, true) }, ask: func(p *purse, v *visitor, o obstacle.Ask) answer {
		return v.post("/cedar/recurring-wires/"+p.kept+"/save", url.Values{"amount": {"5"}, "version": {p.versionOf("wire_series")}})
	}},
	catalog.WiresTransmitOperation: {may: "Confirm that it is you", ask: func(p *purse, v *visitor, o obstacle.Ask) answer {
		return v.post("/cedar/wires", wireOf(o, "id", string(wire.NewID(p.clock.Now())), "send", "on", "anyway", "on"))
	}},
	catalog.WiresApprove: {may: "Confirm that it is you", prepare: func(p *purse) {
		p.wirer("wanda", "Wanda", "Moss", true)
		p.keepWire("wanda", 12_000_00, calendar.Once, true)
	}, ask: func(p *purse, v *visitor, _ obstacle.Ask) answer {
		item, hash := p.asksFor(wire.RoomName)
		return v.post("/cedar/approvals/"+item+"/approve", url.Values{"hash": {hash}})
	}},
	catalog.StopsViewOperation: {may: "No stop payments yet", ask: func(_ *purse, v *visitor, _ obstacle.Ask) answer { return v.get("/cedar/stop-payments") }},
	catalog.StopsAddOperation: {may: "Confirm that it is you", ask: func(p *purse, v *visitor, o obstacle.Ask) answer {
		form := url.Values{"id": {"stp_019caf10-3180-7a14-9502-cbf933ebd562"}, "account": {string(o.Account)}, "first": {"1001"}, "amount": {"5"}, "terms": {p.terms}}
		return v.post("/cedar/stop-payments", form)
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
func TestTheScreensKnowEveryOperation(t *testing.T) {
	for _, op := range catalog.Operations() {
		if _, known := tryOf(op); !known && op.Info().Power == "" {
			t.Errorf("%s has no entry in the walk of operation by reason", op)
		}
	}
}

// asked is what the walk asks about an operation.
func asked(op catalog.Operation) obstacle.Ask {
	ask := obstacle.Ask{Operation: op, Member: userID("dana"), Cents: 500_00, Context: map[string]any{"last_editor": op == catalog.ACHBatchInitiate}}
	if op == catalog.WiresApprove {
		ask.Cents = 12_000_00
	}
	switch op.Info().Accounts {
	case catalog.AccountPair:
		ask.Account, ask.ToAccount = "acc_operating", "acc_payroll"
	case catalog.AccountRequired, catalog.AccountOptional:
		ask.Account = "acc_operating"
	}
	return ask
}

// put stores a world.
func (p *purse) put(w obstacle.World, edition bank.Edition, ordinal int64) {
	p.t.Helper()
	p.write(func(tx *db.Tx) error {
		if _, err := tx.Exec(`update institution set offers = $1, edition = $2`, w.Offers, edition); err != nil {
			return err
		}
		for _, a := range p.accounts {
			if _, err := tx.Exec(`update account set off = $1 where organization_num = $2 and ordinal = $3`, w.Off[a.ID], p.org.Num, a.Ordinal); err != nil {
				return err
			}
		}
		return w.Store(tx, obstacle.Place{Organization: p.org, Accounts: p.accounts, Ordinal: ordinal})
	})
}

// On a screen every operation is refused for each reason that can block it, in
// both editions, and the reason is said.
func TestScreensRefuseForEveryReason(t *testing.T) {
	for _, edition := range []bank.Edition{bank.EditionBank, bank.EditionCreditUnion} {
		t.Run(edition.String(), func(t *testing.T) {
			p := newPurse(t, dbtest.SQLite(t))
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
func (p *purse) walk(op catalog.Operation, try try, edition bank.Edition) {
	p.t.Helper()
	institution := entitlement.Institution{ID: cedar, Location: time.UTC, Edition: edition}
	var accounts []bank.AccountID
	for _, a := range p.accounts {
		accounts = append(accounts, a.ID)
	}
	ask, ordinal := asked(op), p.ordinal("dana")
	p.put(obstacle.Open(ask, bank.EditionBank), bank.EditionBank, ordinal)
	if try.prepare != nil {
		try.prepare(p)
	}
	p.clock.Advance(time.Second)
	dana, open := p.as("dana"), obstacle.Open(ask, edition)
	if open.Allows(ask, institution) {
		p.put(open, edition, ordinal)
		if got := try.ask(p, dana, ask); !strings.Contains(got.text(), try.may) {
			p.t.Errorf("%s is refused in the open world: %d %s", op, got.status, got.text())
		}
	}
	for _, o := range obstacle.Of(ask, institution, accounts) {
		p.put(o.World, edition, ordinal)
		got := try.ask(p, dana, ask)
		if gone(o) { // their sign-in is over, and they cannot sign in
			if !strings.HasPrefix(got.url, "/cedar/sign-in") {
				p.t.Errorf("%s, %s: the answer is %d %s", op, o.Name, got.status, got.text())
			}
			p.put(open, edition, ordinal)
			p.clock.Advance(time.Second)
			dana = p.as("dana")
			continue
		}
		if strings.Contains(got.text(), try.may) || !try.silent && !p.says(got, o) && !try.saysInstead(got) || try.silent && got.status != 404 {
			p.t.Errorf("%s, %s: the answer is %d %s", op, o.Name, got.status, got.text())
		}
	}
}

func (t try) saysInstead(got answer) bool {
	return t.instead != "" && got.status >= 400 && strings.Contains(got.text(), t.instead)
}

// gone reports whether somebody cannot be signed in at all.
func gone(o obstacle.Obstacle) bool {
	return slices.ContainsFunc(o.Reasons, func(r entitlement.Reason) bool {
		return r.Code == entitlement.MemberStatus || r.Code == entitlement.MemberHeld
	})
}

// says reports whether a page tells every reason, and names no account that may
// not be seen.
func (p *purse) says(got answer, o obstacle.Obstacle) bool {
	names := entitlement.Names{Organization: p.org.Name, Institution: "Cedar Bank", Account: func(id bank.AccountID) string {
		if s, has := o.World.Accounts[id]; !has || !s.On.Has(catalog.AccountAccess) {
			return "an account that you do not see"
		}
		for _, a := range p.accounts {
			if a.ID == id {
				return a.Name + " ••" + a.Number
			}
		}
		return ""
	}}
	text := html.UnescapeString(got.text())
	for _, r := range o.Reasons {
		if !strings.Contains(text, r.Sentence(names)) {
			return false
		}
	}
	return true
}
