package api_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"strings"
	"testing"

	"mandate/internal/api"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/host"
	"mandate/internal/moneymovement/positivepay"
)

// openPositivePay is the room of Positive Pay on the books of the world.
func (p *program) openPositivePay(door *guard.Guard, days *calendar.Service, desk *host.Desk, told positivepay.Teller) *positivepay.Service {
	names := func(_ *db.Tx, _ bank.InstitutionID, _ bank.OrganizationID, id bank.AccountID) (name, external string, err error) {
		return string(id), "", nil
	}
	p.posPay = positivepay.New(positivepay.Config{DB: p.world.DB, Guard: door, Calendar: days, Desk: desk, Teller: told, Accounts: names, Process: "test"})
	return p.posPay
}

// danaReconciles lets Dana do everything of Positive Pay on the operating
// account, which is enrolled.
func (p *program) danaReconciles() {
	p.t.Helper()
	arp := catalog.SetOf(catalog.ARPEnabled, catalog.ARPUpload, catalog.ARPDownload, catalog.ARPWorkChecks, catalog.ARPWorkACH)
	p.world.SetMember("first", "acme", "dana", entitlement.Settings{On: arp})
	p.world.SetAccount("first", "acme", "dana", "operating", entitlement.Settings{On: arp.With(catalog.AccountAccess)})
	operator := bank.Caller{Kind: bank.ActorOperator, Institution: "first", Channel: bank.ChannelCommand}
	if err := p.posPay.Enrol(p.t.Context(), operator, "acme", "operating", true); err != nil {
		p.t.Fatal(err)
	}
}

func (p *program) comes(one host.Presented) {
	p.t.Helper()
	var front bytes.Buffer
	if err := png.Encode(&front, image.NewGray(image.Rect(0, 0, 8, 4))); err != nil {
		p.t.Fatal(err)
	}
	one.Account, one.Day = "operating", "2026-03-02"
	if _, err := p.books.Present(p.t.Context(), "first", one, front.Bytes(), nil); err != nil {
		p.t.Fatal(err)
	}
	if err := p.posPay.Run(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
}

func TestAProgramWorksPositivePay(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := start(t, d)
		p.danaReconciles()
		upload := `{"account":"operating","name":"march.csv","format":"csv","file":"1001,100.00,2026-03-02\n1002,x,2026-03-02\n"}`
		if got := p.as("dana", "POST", "/positive-pay/lists", upload).problem(); got != "409 NO_LAYOUT" {
			t.Errorf("without a layout: %s", got)
		}
		layout := `{"format":"csv","dates":"2026-03-02","places":{"number":{"column":1},"amount":{"column":2},"date":{"column":3}}}`
		if a := p.as("dana", "POST", "/positive-pay/layouts", layout); a.status != 200 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		if got := p.as("dana", "POST", "/positive-pay/lists", upload).problem(); got != "422 line.2.amount" {
			t.Errorf("a wrong line: %s", got)
		}
		upload = strings.Replace(upload, "1002,x", "1002,55.00", 1)
		var list, again api.IssuedChecks
		p.as("dana", "POST", "/positive-pay/lists", upload, "Idempotency-Key", "once").into(&list)
		p.as("dana", "POST", "/positive-pay/lists", upload, "Idempotency-Key", "once").into(&again)
		if list.State != "unapproved" || list.Issued != 2 || list.Amount != "155.00" || again.ID != list.ID || list.By.Name != "Dana Reyes" {
			t.Errorf("the list is %+v, again %s", list, again.ID)
		}
		if got := p.as("dana", "POST", "/positive-pay/lists/"+list.ID+"/approve", "", "Mandate-Proof", "").problem(); got != "403 HIGH_RISK_AUTHORIZATION" {
			t.Errorf("approve without vouching: %s", got)
		}
		p.as("dana", "POST", "/positive-pay/lists/"+list.ID+"/approve", "").into(&list)
		if list.State != "successful" || list.Approver == nil {
			t.Errorf("approved it is %+v", list)
		}
		p.comes(host.Presented{Kind: host.CheckItem, Number: 1001, Cents: 100_00})
		p.comes(host.Presented{Kind: host.CheckItem, Number: 1002, Cents: 65_00})
		p.comes(host.Presented{Kind: host.ACHItem, Cents: 30_00, Company: "Gym"})
		p.holds("operating", 20_000_00-100_00)
		var checks, items api.ExceptionList
		p.as("dana", "GET", "/positive-pay/check-exceptions?when=waiting", "").into(&checks)
		p.as("dana", "GET", "/positive-pay/ach-exceptions", "").into(&items)
		if checks.Matching != 1 || checks.Exceptions[0].Mismatch != "WRONG_AMOUNT" || items.Matching != 1 || items.Exceptions[0].Company != "Gym" {
			t.Fatalf("exceptions are %+v and %+v", checks, items)
		}
		check, item := checks.Exceptions[0], items.Exceptions[0]
		picture := p.as("dana", "GET", "/positive-pay/check-exceptions/"+check.ID+"/images/front", "")
		if picture.header.Get("Content-Type") != "image/png" || picture.header.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(picture.body, "\x89PNG") {
			t.Errorf("the picture is %s %.20q", picture.header.Get("Content-Type"), picture.body)
		}
		pay := fmt.Sprintf(`{"verdict":"pay","version":%d}`, check.Version)
		for path, want := range map[string]string{
			"/positive-pay/ach-exceptions/" + check.ID: "404", "/positive-pay/check-exceptions/" + item.ID: "404",
		} {
			if got := p.as("dana", "POST", path+"/decide", pay).problem(); got != want {
				t.Errorf("%s: %s, want %s", path, got, want)
			}
		}
		for range 2 { // the repetition is answered, and decides nothing
			p.as("dana", "POST", "/positive-pay/check-exceptions/"+check.ID+"/decide", pay, "Idempotency-Key", "pay").into(&check)
		}
		if check.State != "paid" || check.By == nil || check.Issued == nil || check.Issued.State != "paid" {
			t.Errorf("paid it is %+v", check)
		}
		p.holds("operating", 20_000_00-165_00)
		if got := p.as("dana", "POST", "/positive-pay/check-exceptions/"+check.ID+"/decide", `{"verdict":"return","reason":"other"}`).problem(); got != "409 CHANGED" {
			t.Errorf("decide again: %s", got)
		}
		if got := p.as("dana", "POST", "/positive-pay/ach-exceptions/"+item.ID+"/decide", `{"verdict":"return"}`).problem(); got != "422 reason" {
			t.Errorf("return without a reason: %s", got)
		}
		p.as("dana", "POST", "/positive-pay/ach-exceptions/"+item.ID+"/decide", `{"verdict":"return","reason":"unauthorized"}`).into(&item)
		if item.State != "returned" {
			t.Errorf("returned it is %+v", item)
		}
		var files api.OutputFileList
		p.as("dana", "GET", "/positive-pay/output", "").into(&files)
		var file api.OutputFileText
		p.as("dana", "POST", "/positive-pay/output/download", `{"account":"operating","day":"2026-03-02"}`).into(&file)
		if len(files.Files) != 1 || files.Files[0].Paid != 2 || file.Name != "ARP_operating_20260302.txt" || !strings.HasPrefix(file.Text, "H20260302") {
			t.Errorf("output files %+v, %+v", files, file)
		}
	})
}
