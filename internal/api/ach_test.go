package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"mandate/internal/api"
	"mandate/internal/approval"
	"mandate/internal/authorization"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/gate"
	"mandate/internal/guard"
	"mandate/internal/moneymovement/ach"
	"mandate/internal/moneymovement/ach/nacha"
	"mandate/internal/pdp/pdptest"
)

// newACH is the room of ACH batches of a program's world.
func newACH(d *db.DB, door *guard.Guard, queue *approval.Service, days *calendar.Service) *ach.Service {
	offset := func(context.Context, bank.InstitutionID, bank.OrganizationID, bank.AccountID) (ach.Offset, error) {
		return ach.Offset{Number: "550137", Name: "Operating", Kind: "checking"}, nil
	}
	return ach.New(ach.Config{DB: d, Guard: door, Payments: authorization.New(d, door, authorization.Lifetime), Queue: queue, Calendar: days, Accounts: offset, Names: nameless, Process: "test"})
}

// danaSends lets Dana do everything with ACH, alone, up to $10,000.00 a day.
func (p *program) danaSends() {
	p.t.Helper()
	s := pdptest.Sender
	s.On |= catalog.SetOf(catalog.ACHEnabled, catalog.ACHView, catalog.ACHInitiate, catalog.ACHSameDay, catalog.ACHRecurring, catalog.ACHImportRecipients, catalog.ACHUploadFile,
		catalog.ACHDelete, catalog.ACHRestricted, catalog.ACHFullControl)
	s.EditLevel, s.Limits = catalog.EditFull, s.Limits.With(catalog.LimitACHDaily, 10_000_00)
	p.world.SetMember("first", "acme", "dana", s)
	p.world.SetAccount("first", "acme", "dana", "operating", entitlement.Settings{On: catalog.SetOf(catalog.AccountAccess)})
	p.opensACH()
}

// opensACH sets the bank and Acme up for batches.
func (p *program) opensACH() {
	p.t.Helper()
	operator := bank.Caller{Kind: bank.ActorOperator, Institution: "first", Channel: bank.ChannelCommand}
	err := p.ach.SetSender(p.t.Context(), operator, ach.Sender{Routing: "121042882", Name: "First Bank", Destination: "231380104", DestinationName: "ACH Operator"})
	if err == nil {
		err = p.ach.SetCompany(p.t.Context(), operator, "acme", ach.Company{Ident: "1234567890", Name: "ACME"})
	}
	if err == nil {
		err = p.ach.SetRelaxed(p.t.Context(), operator, "acme", true)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

const rents = `{"name":%q,"company":"1234567890","class":"CCD","description":"RENT","recipients":[{"name":"Quarry Road","account":"445566","routing":"231380104","amount":%q}]}`

func TestAProgramSendsBatchesForAPerson(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := start(t, d)
		p.danaSends()
		var options api.ACHOptions
		p.as("dana", "GET", "/ach/options", "").into(&options)
		if !options.Create || len(options.Companies) != 1 || options.Companies[0].ID != "1234567890" {
			t.Errorf("options are %+v", options)
		}
		var made, again api.BatchDetail
		p.as("dana", "POST", "/ach/batches", fmt.Sprintf(rents, "Rents", "6000.00"), "Idempotency-Key", "b1").into(&made)
		p.as("dana", "POST", "/ach/batches", fmt.Sprintf(rents, "Rents", "6000.00"), "Idempotency-Key", "b1").into(&again)
		if made.ID == "" || again.ID != made.ID || made.State != "ready" || len(made.Entries) != 1 || made.Credits != "6000.00" {
			t.Errorf("made %+v, then %+v", made, again)
		}
		if got := p.as("dana", "POST", "/ach/batches", fmt.Sprintf(rents, "Rents", "x")).problem(); got != "422 body.recipients[0].amount" {
			t.Errorf("no amount: %s", got)
		}
		at := "/ach/batches/" + made.ID
		order := fmt.Sprintf(`{"version":%d,"offset":"operating"}`, made.Version)
		var plan api.BatchPlan
		p.as("dana", "POST", at+"/preview", order).into(&plan)
		if !plan.Alone || plan.Effective != "2026-03-03" || plan.Counts != "6000.00" || len(plan.Ceilings) == 0 {
			t.Errorf("it would become %+v", plan)
		}
		if got := p.as("dana", "POST", at+"/initiate", order, "Mandate-Proof", "").problem(); got != "403 HIGH_RISK_AUTHORIZATION" {
			t.Errorf("nobody made sure of her: %s", got)
		}
		var sent api.BatchDetail
		p.as("dana", "POST", at+"/initiate", order, "Idempotency-Key", "i1").into(&sent)
		p.as("dana", "POST", at+"/initiate", order, "Idempotency-Key", "i1").into(&again)
		if sent.State != "initiated" || len(again.Runs) != 1 || again.State != "initiated" {
			t.Errorf("sent %+v, then %+v", sent.Batch, again.Runs)
		}
		if got := p.as("dana", "POST", at+"/delete", fmt.Sprintf(`{"version":%d}`, sent.Version)).problem(); got != "409 STATE" {
			t.Errorf("deleting what is initiated: %s", got)
		}
		var other api.BatchDetail
		p.as("dana", "POST", at+"/copy", `{"name":"More rents"}`, "Idempotency-Key", "c1").into(&other)
		over := p.as("dana", "POST", "/ach/batches/"+other.ID+"/initiate", fmt.Sprintf(`{"version":%d,"offset":"operating"}`, other.Version))
		if got := over.problem(); got != "403 LIMIT_DAILY" || !strings.Contains(over.body, `"remaining":"4000.00"`) {
			t.Errorf("over the limit: %s", over.body)
		}
		var several, repeated api.BatchResults
		both := fmt.Sprintf(`{"batches":[{"batch":%q,"version":1,"offset":"operating"},{"batch":%q,"version":1,"offset":"operating"}]}`, other.ID, made.ID)
		p.as("dana", "POST", "/ach/initiate", both, "Idempotency-Key", "s1").into(&several)
		if len(several.Results) != 2 || several.Results[0].Code != "LIMIT_DAILY" || several.Results[1].Code != "STATE" {
			t.Errorf("several: %+v", several)
		}
		p.as("dana", "POST", at+"/uninitiate", fmt.Sprintf(`{"version":%d}`, sent.Version)).into(&sent)
		p.as("dana", "POST", "/ach/initiate", both, "Idempotency-Key", "s2").into(&several)
		p.as("dana", "POST", "/ach/initiate", both, "Idempotency-Key", "s2").into(&repeated)
		if !several.Results[0].Done || several.Results[1].Code != "LIMIT_DAILY" || repeated.Results[0].State != "initiated" {
			t.Errorf("several: %+v, repeated %+v", several, repeated)
		}
	})
}

func TestAProgramBringsFilesForAPerson(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := start(t, d)
		p.danaSends()
		text, err := os.ReadFile("../moneymovement/ach/nacha/testdata/valid/ppd-credit.ach")
		if err != nil {
			t.Fatal(err)
		}
		body := fmt.Sprintf(`{"name":"Program","text":%q}`, text)
		var taken, again api.UploadedBatches
		p.as("dana", "POST", "/ach/files", body, "Idempotency-Key", "f1").into(&taken)
		p.as("dana", "POST", "/ach/files", body, "Idempotency-Key", "f1").into(&again)
		if len(taken.Batches) != 1 || taken.Batches[0].State != "uploaded" || len(again.Batches) != 1 || again.Batches[0].ID != taken.Batches[0].ID {
			t.Errorf("taken %+v, then %+v", taken, again)
		}
		if got := p.as("dana", "POST", "/ach/files", body).problem(); got != "409 DUPLICATE_FILE" {
			t.Errorf("the same file: %s", got)
		}
		if got := p.as("dana", "POST", "/ach/files", `{"text":"nothing"}`); !strings.HasPrefix(got.problem(), "422") || !strings.Contains(got.body, "line 1") {
			t.Errorf("no such file: %s", got.body)
		}
		var made, loaded api.BatchDetail
		p.as("dana", "POST", "/ach/batches", fmt.Sprintf(rents, "Rents", "60.00")).into(&made)
		at := "/ach/batches/" + made.ID
		list := fmt.Sprintf(`{"version":%d,"format":"csv","text":"Ada,12.00,445566,231380104\nBen,x,445566,231380104\n"}`, made.Version)
		if got := p.as("dana", "POST", at+"/import", list).problem(); got != "409 NO_LAYOUT" {
			t.Errorf("without a layout: %s", got)
		}
		p.as("dana", "POST", "/ach/layouts", `{"format":"csv","places":{"name":{"column":1},"amount":{"column":2},"account":{"column":3},"routing":{"column":4}}}`).into(&api.ACHOptions{})
		var preview api.ListPreview
		p.as("dana", "POST", at+"/import/preview", list).into(&preview)
		if len(preview.Problems) != 1 || preview.Problems[0].Line != 2 || preview.Problems[0].Field != "amount" {
			t.Errorf("the preview is %+v", preview)
		}
		if got := p.as("dana", "POST", at+"/import", list).problem(); !strings.HasPrefix(got, "422 line 2, amount") {
			t.Errorf("with a problem: %s", got)
		}
		good := strings.Replace(list, "Ben,x", "Ben,7.50", 1)
		p.as("dana", "POST", at+"/import", good, "Idempotency-Key", "l1").into(&loaded)
		p.as("dana", "POST", at+"/import", good, "Idempotency-Key", "l1").into(&loaded)
		if len(loaded.Entries) != 3 || loaded.Credits != "79.50" {
			t.Errorf("loaded %+v", loaded)
		}
	})
}

// A file of the size that other programs write comes in through the API too;
// what is over the cap, and any other request as large, does not.
func TestLargeFilesComeInThroughTheAPI(t *testing.T) {
	p := start(t, dbtest.SQLite(t))
	p.danaSends()
	b := nacha.NewBatch("ACME", "", "1234567890", "PPD", "PAYROLL")
	var total bank.Cents
	for i := range 12_000 {
		b.Entries = append(b.Entries, nacha.NewEntry("PPD", 22, "231380104", fmt.Sprint(1_000_000+i), 1_00, fmt.Sprint(i), "Receiver", "", ""))
		total += 1_00
	}
	b.Entries = append(b.Entries, nacha.NewEntry("PPD", 27, "121042882", "12345", total, "", "Offset", "", ""))
	at := dbtest.Start
	file, err := nacha.Write(nacha.Outgoing{Destination: "231380104", DestinationName: "ACH Operator", Origin: "121042882", OriginName: "First Bank",
		Created: at, Effective: at.AddDate(0, 0, 1), Modifier: 'A', Batches: []nacha.Batch{b}})
	if err != nil || len(file.Bytes) < gate.MaxBody {
		t.Fatalf("a file of %d bytes, %v", len(file.Bytes), err)
	}
	upload := func(text string) answer {
		body, err := json.Marshal(map[string]string{"text": text})
		if err != nil {
			t.Fatal(err)
		}
		return p.as("dana", "POST", "/ach/files", string(body))
	}
	var made api.UploadedBatches
	upload(string(file.Bytes)).into(&made)
	if len(made.Batches) != 1 || made.Batches[0].Recipients != 12_001 || made.Batches[0].Credits != total.String() {
		t.Errorf("made %+v", made)
	}
	header, _, _ := strings.Cut(string(file.Bytes), "\n")
	padded := header + "\n" + strings.Repeat(strings.Repeat(" ", 94)+"\n", ach.MaxFile/95)
	if got := upload(padded[:ach.MaxFile]); got.status != 422 || strings.Contains(got.body, nacha.TooLarge) {
		t.Errorf("as large as a file may be, and empty: %d %.200s", got.status, got.body)
	}
	if got := upload(padded[:ach.MaxFile] + "\n").problem(); got != "422 "+nacha.TooLarge+" the file" {
		t.Errorf("a byte over the cap: %s", got)
	}
	if got := upload(strings.Repeat("9", 2*ach.MaxFile)); got.status != 413 {
		t.Errorf("far over the cap: %d %.200s", got.status, got.body)
	}
	if got := p.as("dana", "POST", "/ach/batches", fmt.Sprintf(rents, strings.Repeat("x", gate.MaxBody), "1.00")); got.status != 413 {
		t.Errorf("a batch as large: %d %.200s", got.status, got.body)
	}
	stranger := p.do("POST", "/ach/files", `{"text":"`+strings.Repeat("9", ach.MaxFile)+`"}`, "Authorization", "Bearer mk_nobody", "Mandate-Member", "dana")
	if stranger.status != 401 {
		t.Errorf("a stranger: %d %.200s", stranger.status, stranger.body)
	}
}
