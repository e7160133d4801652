package api_test

import (
	"crypto/rand"
	"fmt"
	"os"

	"mandate/internal/api"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/host"
	"mandate/internal/pdp/obstacle"
)

// batchHouse sets the bank and Acme up for ACH. Ana may do everything but
// release alone what she edited.
func (p *program) batchHouse() {
	p.t.Helper()
	p.opensACH()
	everything := catalog.SetOf(catalog.ACHEnabled, catalog.ACHView, catalog.ACHInitiate, catalog.ACHDebits)
	limits := entitlement.Limits{}.With(catalog.LimitACHDaily, 10_000_00).With(catalog.LimitACHPerBatch, 10_000_00)
	p.world.SetMember("first", "acme", "ana", entitlement.Settings{On: everything, EditLevel: catalog.EditFull, Limits: limits})
	p.world.SetAccount("first", "acme", "ana", "operating", entitlement.Settings{On: catalog.SetOf(catalog.AccountAccess)})
}

// draws is the body of a batch that collects: what nobody may at a credit union
// without the right to debit.
const draws = `{"name":%q,"company":"1234567890","class":"CCD","description":"RENT","recipients":[{"name":"Quarry Road","account":"445566","routing":"231380104","amount":%q,"direction":"debit"}]}`

// keepBatches makes batches to be asked about, as far as Ana takes them with a
// verb.
func (p *program) keepBatches(maker string, n int, verb string) {
	p.t.Helper()
	p.batchHouse()
	p.pool = nil
	for range n {
		var made api.BatchDetail
		p.as(maker, "POST", "/ach/batches", fmt.Sprintf(draws, rand.Text(), "500.00")).into(&made)
		if verb != "" {
			p.as("ana", "POST", "/ach/batches/"+made.ID+"/"+verb, fmt.Sprintf(`{"version":%d,"offset":"operating"}`, made.Version)).into(&made)
		}
		p.pool = append(p.pool, made.ID)
	}
}

// next is what is asked about now; the last one stays, for all who may not.
func (p *program) next() string {
	id := p.pool[0]
	if len(p.pool) > 1 {
		p.pool = p.pool[1:]
	}
	return id
}

// batch asks a verb of the next batch as it stands.
func (p *program) batch(verb, members string) answer {
	p.t.Helper()
	id, version := p.next(), int64(0)
	err := p.world.DB.Read(p.t.Context(), func(tx *db.Tx) (err error) {
		version, err = db.One(tx, db.Value[int64], `select version from ach_batch where id = $1`, id)
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return p.unproven("POST", "/ach/batches/"+id+"/"+verb, fmt.Sprintf(`{"version":%d%s}`, version, members))
}

// setLayout says how lists of recipients are read.
func (p *program) setLayout() {
	p.t.Helper()
	p.keepBatches("dana", 1, "")
	p.as("dana", "POST", "/ach/layouts", `{"format":"csv","places":{"name":{"column":1},"amount":{"column":2},"account":{"column":3},"routing":{"column":4}}}`).into(&api.ACHOptions{})
}

// uploadNACHA brings a file in.
func (p *program) uploadNACHA() answer {
	p.t.Helper()
	text, err := os.ReadFile("../moneymovement/ach/nacha/testdata/valid/ppd-credit.ach")
	if err != nil {
		p.t.Fatal(err)
	}
	return p.unproven("POST", "/ach/files", fmt.Sprintf(`{"name":"Program","text":%q}`, text))
}

// keepExceptions lets two items come that nobody expected.
func (p *program) keepExceptions(kind host.ItemKind, list string) {
	p.t.Helper()
	p.enrols()
	for i := range 2 {
		p.comes(host.Presented{Kind: kind, Number: 7000 + int64(i), Cents: 10_00, Company: "Gym"})
	}
	var waiting api.ExceptionList
	p.as("dana", "GET", "/positive-pay/"+list+"?when=waiting", "").into(&waiting)
	p.pool = nil
	for _, x := range waiting.Exceptions {
		p.pool = append(p.pool, x.ID)
	}
}

func (p *program) decideNext(list string) answer {
	return p.unproven("POST", "/positive-pay/"+list+"/"+p.next()+"/decide", `{"verdict":"return","reason":"other"}`)
}

// enrols opens Positive Pay for the operating account.
func (p *program) enrols() {
	p.t.Helper()
	operator := bank.Caller{Kind: bank.ActorOperator, Institution: "first", Channel: bank.ChannelCommand}
	if err := p.posPay.Enrol(p.t.Context(), operator, "acme", "operating", true); err != nil {
		p.t.Fatal(err)
	}
}

// batchTries are those of ACH and of Positive Pay.
var batchTries = map[catalog.Operation]try{
	catalog.ACHBatchView: {may: 200, prepare: func(p *program) { p.keepBatches("dana", 1, "") }, ask: func(p *program, _ obstacle.Ask) answer {
		return p.unproven("GET", "/ach/batches/"+p.next(), "")
	}},
	catalog.ACHBatchCreate: {may: 200, prepare: (*program).batchHouse, ask: func(p *program, o obstacle.Ask) answer {
		return p.unproven("POST", "/ach/batches", fmt.Sprintf(draws, rand.Text(), o.Cents))
	}},
	catalog.ACHBatchEdit: {may: 200, prepare: func(p *program) { p.keepBatches("dana", 1, "") }, ask: func(p *program, _ obstacle.Ask) answer {
		return p.batch("edit", `,"header":{"name":"Rents","company":"1234567890","class":"CCD","description":"RENT"}`)
	}},
	catalog.ACHRecipientsImport: {may: 200, prepare: (*program).setLayout, ask: func(p *program, _ obstacle.Ask) answer {
		return p.batch("import", `,"format":"csv","text":"Ada,12.00,445566,231380104\n"`)
	}},
	catalog.ACHFileUpload: {may: 200, prepare: (*program).batchHouse, ask: func(p *program, _ obstacle.Ask) answer { return p.uploadNACHA() }},
	catalog.ACHBatchInitiate: {may: stepUp, prepare: func(p *program) { p.keepBatches("dana", 1, "") }, ask: func(p *program, o obstacle.Ask) answer {
		return p.batch("initiate", fmt.Sprintf(`,"offset":%q`, o.Account))
	}},
	catalog.ACHBatchApprove: {may: stepUp, prepare: func(p *program) { p.keepBatches("ana", 1, "submit") }, ask: func(p *program, _ obstacle.Ask) answer {
		item, hash := p.waits("ach")
		return p.unproven("POST", "/approvals/"+item+"/approve", fmt.Sprintf(`{"hash":%q}`, hash))
	}},
	catalog.ACHBatchUninitiate: {may: 200, prepare: func(p *program) { p.keepBatches("dana", 2, "initiate") }, ask: func(p *program, _ obstacle.Ask) answer {
		return p.batch("uninitiate", "")
	}},
	catalog.ACHBatchDelete: {may: 200, prepare: func(p *program) { p.keepBatches("dana", 2, "") }, ask: func(p *program, _ obstacle.Ask) answer { return p.batch("delete", "") }},

	catalog.ARPFileUpload: {may: 200, prepare: (*program).enrols, ask: func(p *program, o obstacle.Ask) answer {
		return p.unproven("POST", "/positive-pay/lists", fmt.Sprintf(`{"account":%q,"checks":[{"number":%d,"amount":%q,"date":"2026-03-02"}]}`, o.Account, 8000+p.asked, o.Cents))
	}},
	catalog.ARPFileDownload: {may: 200, prepare: func(p *program) { p.keepExceptions(host.CheckItem, "check-exceptions") }, ask: func(p *program, o obstacle.Ask) answer {
		return p.unproven("POST", "/positive-pay/output/download", fmt.Sprintf(`{"account":%q,"day":"2026-03-02"}`, o.Account))
	}},
	catalog.ARPCheckExceptionDecide: {may: 200, prepare: func(p *program) { p.keepExceptions(host.CheckItem, "check-exceptions") }, ask: func(p *program, _ obstacle.Ask) answer {
		return p.decideNext("check-exceptions")
	}},
	catalog.ARPACHExceptionDecide: {may: 200, prepare: func(p *program) { p.keepExceptions(host.ACHItem, "ach-exceptions") }, ask: func(p *program, _ obstacle.Ask) answer {
		return p.decideNext("ach-exceptions")
	}},
}
