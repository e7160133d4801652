package online_test

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"time"

	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/host"
	"mandate/internal/moneymovement/ach"
	"mandate/internal/moneymovement/ach/nacha"
	"mandate/internal/moneymovement/ach/recipients"
	"mandate/internal/moneymovement/positivepay"
	"mandate/internal/pdp/obstacle"
	"mandate/internal/usermgmt"
)

// keepBatches makes batches of $500.00 to be asked about, as far as Finn takes
// them with a verb.
func (p *purse) keepBatches(maker string, n int, verb func(p *purse, o ach.Order) error) {
	p.t.Helper()
	p.batchHouse()
	p.pool = nil
	for range n {
		draft := ach.EntryDraft{Recipient: recipients.Recipient{Name: "Harbor Supplies", Amount: 500_00, Account: "445566", Routing: "231380104", Kind: nacha.Checking, Debit: true}}
		id, err := p.batches.Create(p.t.Context(), member(maker), ach.Header{Name: rand.Text(), Company: "1234567890", Class: "CCD", Description: "VENDORS"}, []ach.EntryDraft{draft})
		if err == nil && verb != nil {
			err = verb(p, ach.Order{Batch: id, Version: 1, Offset: "acc_operating"})
		}
		if err != nil {
			p.t.Fatal(err)
		}
		p.pool = append(p.pool, string(id))
	}
}

// batchHouse sets Cedar and Northwind up for ACH, and Finn to make and send
// batches.
func (p *purse) batchHouse() {
	p.t.Helper()
	p.opensACH()
	if p.finn {
		return
	}
	p.finn = true
	limits := entitlement.Limits{}.With(catalog.LimitACHDaily, 100_000_00).With(catalog.LimitACHPerBatch, 100_000_00)
	s := entitlement.Settings{On: wholeACH.With(catalog.ACHDebits), EditLevel: catalog.EditFull, Limits: limits}
	p.add("finn", "Finn", "Berg", bank.RoleUser, bank.StatusActive, s, "acc_operating")
}

// next is what is asked about now; the last one stays, for all who may not.
func (p *purse) next() string {
	id := p.pool[0]
	if len(p.pool) > 1 {
		p.pool = p.pool[1:]
	}
	return id
}

// askBatch sends a form about the next batch as it stands.
func (p *purse) askBatch(v *visitor, verb string, form url.Values) answer {
	p.t.Helper()
	id := p.next()
	p.write(func(tx *db.Tx) error {
		version, err := db.One(tx, db.Value[int64], `select version from ach_batch where id = $1`, id)
		form.Set("version", fmt.Sprint(version))
		return err
	})
	return v.post("/cedar/ach/batches/"+id+"/"+verb, form)
}

// setCSV says how lists of recipients are read.
func (p *purse) setCSV() {
	p.t.Helper()
	p.keepBatches("dana", 1, nil)
	places := map[recipients.Field]recipients.Place{recipients.Name: {Column: 1}, recipients.Amount: {Column: 2}, recipients.Account: {Column: 3}, recipients.Routing: {Column: 4}}
	if err := p.batches.SetLayout(p.t.Context(), member("dana"), recipients.Layout{Format: recipients.CSV, Places: places}); err != nil {
		p.t.Fatal(err)
	}
}

// keepItems lets two items come that nobody expected.
func (p *purse) keepItems(make func(n int64) host.Presented) {
	p.t.Helper()
	p.enrol()
	p.comes(make(7001), make(7002))
	p.pool = nil
	found, err := p.posPay.Items(p.t.Context(), member("dana"), positivepay.ItemQuery{})
	if err != nil {
		p.t.Fatal(err)
	}
	for _, i := range found.Items {
		if i.Kind == make(1).Kind {
			p.pool = append(p.pool, string(i.ID))
		}
	}
}

func (p *purse) decideNext(v *visitor, kind string) answer {
	return v.post("/cedar/positive-pay/decide", url.Values{"item": {p.next()}, "verdict": {"return"}, "reason_" + kind: {"other"}})
}

// batchTries are those of ACH and of Positive Pay.
var batchTries = map[catalog.Operation]try{
	catalog.ACHBatchView: {may: "Harbor Supplies", prepare: func(p *purse) { p.keepBatches("dana", 1, nil) }, ask: func(p *purse, v *visitor, _ obstacle.Ask) answer {
		return v.get("/cedar/ach/batches/" + p.next())
	}},
	catalog.ACHBatchCreate: {may: "The batch is saved", prepare: (*purse).batchHouse, ask: func(_ *purse, v *visitor, o obstacle.Ask) answer {
		return v.post("/cedar/ach/create", url.Values{
			"name": {rand.Text()}, "company": {"1234567890"}, "class": {"CCD"}, "kind": {"standard"}, "description": {"VENDORS"},
			"entries.0.name": {"Ana Lima"}, "entries.0.account": {"445566"}, "entries.0.routing": {"231380104"}, "entries.0.amount": {o.Cents.String()}, "entries.0.account_type": {"checking"}, "entries.0.debit_credit": {"debit"},
		})
	}},
	catalog.ACHBatchEdit: {may: "The batch is saved", prepare: func(p *purse) { p.keepBatches("dana", 1, nil) }, ask: func(p *purse, v *visitor, _ obstacle.Ask) answer {
		return p.askBatch(v, "edit", url.Values{"name": {"Rents"}, "company": {"1234567890"}, "class": {"CCD"}, "description": {"RENT"}})
	}},
	catalog.ACHRecipientsImport: {may: "Nothing is wrong with it", prepare: (*purse).setCSV, ask: func(p *purse, v *visitor, _ obstacle.Ask) answer {
		return v.send("/cedar/ach/batches/"+p.next()+"/import", map[string]string{"version": "1", "format": "csv", "replace": "no"}, "list.csv", []byte("Ada,12.00,445566,231380104\n"))
	}},
	catalog.ACHFileUpload: {may: "Uploaded file", prepare: (*purse).batchHouse, ask: func(p *purse, v *visitor, _ obstacle.Ask) answer {
		file, err := os.ReadFile("../../moneymovement/ach/nacha/testdata/valid/ppd-credit.ach")
		if err != nil {
			p.t.Fatal(err)
		}
		return v.send("/cedar/ach/upload", map[string]string{}, "a.ach", file)
	}},
	catalog.ACHBatchInitiate: {may: "Confirm that it is you", instead: "A second person must approve this batch", prepare: func(p *purse) { p.keepBatches("dana", 1, nil) }, ask: func(p *purse, v *visitor, o obstacle.Ask) answer {
		return p.askBatch(v, "send", url.Values{"offset": {string(o.Account)}})
	}},
	catalog.ACHBatchApprove: {may: "Confirm that it is you", prepare: func(p *purse) { p.keepBatches("finn", 1, submits) }, ask: func(p *purse, v *visitor, _ obstacle.Ask) answer {
		item, hash := p.asksFor(ach.Room)
		return v.post("/cedar/approvals/"+item+"/approve", url.Values{"hash": {hash}})
	}},
	catalog.ACHBatchUninitiate: {may: "The batch is ready again", prepare: func(p *purse) { p.keepBatches("dana", 2, initiates) }, ask: func(p *purse, v *visitor, _ obstacle.Ask) answer {
		return p.askBatch(v, "uninitiate", url.Values{})
	}},
	catalog.ACHBatchDelete: {may: "The batch is deleted", prepare: func(p *purse) { p.keepBatches("dana", 2, nil) }, ask: func(p *purse, v *visitor, _ obstacle.Ask) answer {
		return p.askBatch(v, "delete", url.Values{})
	}},

	catalog.ARPFileUpload: {may: "The checks are kept", prepare: (*purse).enrol, ask: func(p *purse, v *visitor, o obstacle.Ask) answer {
		form := url.Values{"id": {string(positivepay.NewFileID(p.clock.Now()))}, "account": {string(o.Account)}, "rows": {"10"}, "number_1": {"8001"}, "amount_1": {"5"}, "date_1": {"2026-03-02"}}
		return v.post("/cedar/positive-pay/entry", form)
	}},
	catalog.ARPFileDownload: {may: "H20260302", prepare: func(p *purse) { p.keepItems(gymCheck) }, ask: func(_ *purse, v *visitor, o obstacle.Ask) answer {
		return v.post("/cedar/positive-pay/output", url.Values{"account": {string(o.Account)}, "day": {"2026-03-02"}})
	}},
	catalog.ARPCheckExceptionDecide: {may: "decided", prepare: func(p *purse) { p.keepItems(gymCheck) }, ask: func(p *purse, v *visitor, _ obstacle.Ask) answer { return p.decideNext(v, "check") }},
	catalog.ARPACHExceptionDecide:   {may: "decided", prepare: func(p *purse) { p.keepItems(gymItem) }, ask: func(p *purse, v *visitor, _ obstacle.Ask) answer { return p.decideNext(v, "ach") }},
}

// trustingBatches is the room where nobody is asked for a high-risk
// authorization.
func (p *purse) trustingBatches() *ach.Service {
	door := guard.New(p.d, usermgmt.LoadPolicy, nil, trusting{})
	days := calendar.New(door, func(*db.Tx, bank.InstitutionID) (*time.Location, error) { return time.LoadLocation("America/New_York") })
	return p.newBatches(door, days, host.NewDesk(p.d, p.books, slog.New(slog.DiscardHandler)))
}

func submits(p *purse, o ach.Order) error {
	_, _, err := p.trustingBatches().Submit(p.t.Context(), member("finn"), o)
	return err
}

func initiates(p *purse, o ach.Order) error {
	_, _, err := p.trustingBatches().Initiate(p.t.Context(), member("finn"), o)
	return err
}

func gymCheck(n int64) host.Presented { return checkItem(n, 10_00, "") }

func gymItem(n int64) host.Presented { return achItem(bank.Cents(n), "Gym") }
