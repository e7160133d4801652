package online_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/host"
)

func (p *purse) accountName(_ *db.Tx, _ bank.InstitutionID, _ bank.OrganizationID, id bank.AccountID) (name, external string, err error) {
	return strings.TrimPrefix(string(id), "acc_"), "", nil
}

// arp are all rights of Positive Pay; whoever works in it here has them on
// Operating, which is enrolled.
var arp = catalog.SetOf(catalog.ARPEnabled, catalog.ARPUpload, catalog.ARPDownload, catalog.ARPWorkChecks, catalog.ARPWorkACH)

func (p *purse) enrol() {
	p.t.Helper()
	operator := bank.Caller{Kind: bank.ActorOperator, Name: "Olga", Institution: cedar, Channel: bank.ChannelCommand}
	if err := p.posPay.Enrol(p.t.Context(), operator, northwind, "acc_operating", true); err != nil {
		p.t.Fatal(err)
	}
}

// comes lets items come in for today.
func (p *purse) comes(all ...host.Presented) {
	p.t.Helper()
	for _, one := range all {
		one.Account, one.Day = "acc_operating", "2026-03-02"
		var front []byte
		if one.Kind == host.CheckItem {
			front = pictureOf(one.Number)
		}
		if _, err := p.books.Present(p.t.Context(), cedar, one, front, front); err != nil {
			p.t.Fatal(err)
		}
		if err := p.posPay.Run(p.t.Context()); err != nil {
			p.t.Fatal(err)
		}
		p.clock.Advance(time.Millisecond) // so that what comes later is listed later
	}
}

func checkItem(number int64, cents bank.Cents, payee string) host.Presented {
	return host.Presented{Kind: host.CheckItem, Number: number, Cents: cents, Payee: payee}
}

func achItem(cents bank.Cents, company string) host.Presented {
	return host.Presented{Kind: host.ACHItem, Cents: cents, Company: company, CompanyID: "1234567890", Class: "CCD", Description: "MEMBERSHIP", Trace: "121042880000001"}
}

// pictureOf is a picture of a check: lines on a tinted ground.
func pictureOf(number int64) []byte {
	p := image.NewGray(image.Rect(0, 0, 600, 270))
	for y := range 270 {
		for x := range 600 {
			shade := uint8(230)
			if y%60 == 59 && x > 40 && x < 40+int(number%500) {
				shade = 60
			}
			p.SetGray(x, y, color.Gray{Y: shade})
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, p); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// sends sends a form with a file.
func (v *visitor) sends(path string, form url.Values, field, name, content string) answer {
	v.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	form.Set("csrf", v.token())
	for key, values := range form {
		for _, value := range values {
			_ = w.WriteField(key, value)
		}
	}
	part, _ := w.CreateFormFile(field, name)
	_, _ = part.Write([]byte(content))
	_ = w.Close()
	r, err := http.NewRequestWithContext(v.t.Context(), "POST", v.w.server.URL+path, &body)
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("Origin", v.w.server.URL)
	return v.do(r)
}

const issuedFile = "1001,100.00,2026-03-02,Harbor Supplies\n1002,\"2,500.00\",2026-02-27,Pine & Co\n1003,75.50,2026-02-20,\n"

func layoutForm() url.Values {
	return url.Values{"column_number": {"1"}, "column_amount": {"2"}, "column_date": {"3"}, "column_payee": {"4"}, "dates": {"2026-03-02"}, "do": {"save"}}
}

var itemBox = regexp.MustCompile(`name="item" value="([^"]+)"`)

// boxes are the exceptions of a list that can be chosen.
func (a answer) boxes() (all []string) {
	for _, found := range itemBox.FindAllStringSubmatch(a.body, -1) {
		all = append(all, found[1])
	}
	return all
}

func eachARP(t *testing.T, test func(p *purse)) {
	eachPurse(t, func(p *purse) {
		p.grant("dana", p.accounts[0], arp)
		p.enrol()
		test(p)
	})
}

func TestIssuedChecksFromTheLayoutToTheHost(t *testing.T) {
	eachARP(t, func(p *purse) {
		t := p.t.(*testing.T)
		dana := p.as("dana")
		dana.get("/cedar/home").says(t, "Positive Pay")
		dana.get("/cedar/positive-pay/issued").says(t, "No issued checks yet", "Upload file", "Enter checks")
		dana.get("/cedar/positive-pay/upload").says(t, "Set up a layout first")
		wrong := layoutForm()
		wrong.Set("column_amount", "1")
		wrong.Del("column_date")
		dana.post("/cedar/positive-pay/layouts/csv", wrong).says(t, "The layout cannot be used.", "Say where the date is.", "The check number is there already.")
		try := layoutForm()
		try.Set("do", "try")
		dana.sends("/cedar/positive-pay/layouts/csv", try, "sample", "a.csv", issuedFile).says(t, "3 checks of $2,675.50 can be read", "Check 1002", "Pine & Co")
		dana.sends("/cedar/positive-pay/layouts/csv", try, "sample", "a.csv", "x,1\n").says(t, "2 problems", "Line 1", "Check number Write a check number of one to ten digits.")
		saved := dana.post("/cedar/positive-pay/layouts/csv", layoutForm())
		saved.says(t, "The layout is saved", "Change the layout for CSV files")
		form := saved.carries()
		for name, value := range map[string]string{"account": "acc_operating", "format": "csv"} {
			form.Set(name, value)
		}
		bad := dana.sends("/cedar/positive-pay/upload", form, "file", "march.csv", issuedFile+"1001,5,2026-03-02\n")
		bad.is(t, 422)
		bad.says(t, "Nothing was kept: 1 problem", "Line 4", "This check is on line 1 already.")
		dana.sends("/cedar/positive-pay/upload", form, "file", "evil.bin", "\x00\x01").says(t, "This is not a text file.")
		large := dana.sends("/cedar/positive-pay/upload", form, "file", "large.csv", strings.Repeat("x", 6<<20))
		large.says(t, "too large")
		list := dana.sends("/cedar/positive-pay/upload", form, "file", `C:\checks\march.csv`, issuedFile)
		list.is(t, 200)
		list.says(t, "The list is uploaded. Review it, then approve", "march.csv", "Unapproved", "3 checks", "$2,675.50", "Check 1002", "Dana Diaz brought the list march.csv")
		approved := dana.proves(list.url+"/approve", url.Values{})
		approved.says(t, "The list is approved", "Successful", "Outstanding", "Approved by Dana Diaz", "Host reference")
		dana.get(list.url+"/delete").says(t, "Delete this list?")
		dana.post(list.url+"/delete", url.Values{}).says(t, "This list cannot be changed in this way")
		again := dana.get("/cedar/positive-pay/upload").carries()
		again.Set("account", "acc_operating")
		again.Set("format", "csv")
		twice := dana.sends("/cedar/positive-pay/upload", again, "file", "march.csv", issuedFile)
		twice.is(t, 409)
		twice.says(t, "The same checks were uploaded before", "Upload it again")
		again.Set("again", "on")
		dana.sends("/cedar/positive-pay/upload", again, "file", "march.csv", issuedFile).says(t, "Check 1001 was issued before, on Monday, March 2, 2026.", "3 problems")
		dana.get("/cedar/positive-pay/issued?q=pine").says(t, "1 of 3 issued checks, $2,500.00 in all, $2,500.00 outstanding", "Check 1002")
		if export := dana.get("/cedar/positive-pay/issued/export?state=outstanding"); !strings.Contains(export.body, "Operating ••0137,1002,Issue,2500.00,2026-02-27,Pine & Co,Outstanding") {
			t.Errorf("the export is %s", export.body)
		}
		dana.get("/cedar/positive-pay/lists").says(t, "1 list, $2,675.50 in all", "march.csv", "Change the layout for CSV files")
		uma := p.as("uma")
		uma.get("/cedar/positive-pay/upload").is(t, 403)
		if export := dana.get("/cedar/positive-pay/lists/export"); !strings.Contains(export.body, ",march.csv,Operating ••0137,Dana Diaz,") || !strings.Contains(export.body, "2675.50") {
			t.Errorf("the file says %s", export.body)
		}
		uma.get("/cedar/positive-pay/lists").says(t, "You cannot see lists of issued checks", "ARP/Positive Pay is off in your permissions.")
		uma.get(list.url).is(t, 404)
		uma.post(list.url+"/approve", url.Values{}).is(t, 404)
	})
}

func TestChecksEnteredByHand(t *testing.T) {
	eachARP(t, func(p *purse) {
		t := p.t.(*testing.T)
		dana := p.as("dana")
		form := dana.get("/cedar/positive-pay/entry").carries()
		more := url.Values{"id": form["id"], "rows": {"10"}, "do": {"more"}, "number_1": {"77"}}
		dana.post("/cedar/positive-pay/entry", more).says(t, "11", "20")
		for name, value := range map[string]string{"account": "acc_operating", "do": "keep", "number_1": "2001", "amount_1": "$12.50", "date_1": "2026-03-02", "payee_1": "Zoe", "type_1": "issue",
			"number_3": "2002", "type_3": "void", "number_4": "x", "amount_4": "y"} {
			form.Set(name, value)
		}
		wrong := dana.post("/cedar/positive-pay/entry", form)
		wrong.is(t, 422)
		wrong.says(t, "Nothing was kept.", "Amount: Write an amount like $25,000.00")
		form.Set("amount_4", "5")
		dana.post("/cedar/positive-pay/entry", form).says(t, "Check number: Write a check number of one to ten digits.", "Date: Write the date on the check.")
		form.Del("number_4")
		form.Del("amount_4")
		kept := dana.post("/cedar/positive-pay/entry", form)
		kept.says(t, "The checks are kept. Review them, then approve", "ARPManualEntry_DanaDiaz_20260302.txt", "1 check, 1 void", "Void of check 2002")
		ask := dana.get(kept.url + "/delete")
		ask.says(t, "Delete this list?")
		dana.post(kept.url+"/delete", url.Values{}).says(t, "The list is deleted", "No lists yet")
		dana.get(kept.url).is(t, 404)
	})
}

func TestExceptionsAreDecided(t *testing.T) {
	eachARP(t, func(p *purse) {
		t := p.t.(*testing.T)
		dana := p.as("dana")
		dana.get("/cedar/positive-pay").says(t, "No exceptions", "3 h 0 min left", "Exceptions can be decided until 1:00 PM. What nobody decides is returned.")
		p.comes(checkItem(1001, 100_00, "Harbor Supplies"), checkItem(1002, 55_00, "Pine & Co"), achItem(49_00, "Tidewater Gym"), checkItem(1003, 60_00, ""), achItem(12_00, "Quay Paper"))
		list := dana.get("/cedar/positive-pay")
		list.says(t, "5 exceptions, $276.00", "Check 1001", "ACH debit by Tidewater Gym", "Not issued", "Not authorized", "Operating ••0137 5 $276.00", "Mar 2, 2026, 1:00 PM")
		items := list.boxes()
		if len(items) != 5 {
			t.Fatalf("%d can be chosen", len(items))
		}
		id, _, _ := strings.Cut(items[0], ":")
		one := "/cedar/positive-pay/exceptions/" + id
		page := dana.get(one)
		page.says(t, "No check with this number was issued.", "Payee as read Harbor Supplies", "Your decision", "2 h 59 min left", "If nobody decides it will be returned.", "Front", "Next")
		dana.post("/cedar/positive-pay/decide", url.Values{"item": {items[0]}, "verdict": {"return"}}).says(t, "Choose why it goes back.")
		back := dana.post("/cedar/positive-pay/decide", url.Values{"item": {items[0]}, "verdict": {"return"}, "reason_check": {"counterfeit"}, "note": {"Not our paper"}})
		back.says(t, "Check 1001 is returned", "Returned", "It is forged or counterfeit", "Not our paper", "Dana Diaz decided about the check 1001 of $100.00")
		late := dana.post("/cedar/positive-pay/decide", url.Values{"item": {items[0]}, "verdict": {"pay"}})
		late.is(t, 409)
		late.says(t, "Nothing was decided", "Somebody else was faster")
		paid := dana.proves("/cedar/positive-pay/decide", url.Values{"item": {items[1]}, "verdict": {"pay"}})
		paid.says(t, "Check 1002 is paid", "Paid")
		p.has("acc_operating", 20_000_00-55_00)
		review := dana.post("/cedar/positive-pay/review", url.Values{"item": items[2:], "verdict": {"return"}})
		review.says(t, "Return 3 exceptions?", "Together $121.00.", "Reason for the checks", "Reason for the ACH items")
		many := url.Values{"item": items[2:], "verdict": {"return"}, "many": {"on"}, "reason_ach": {"unauthorized"}}
		dana.post("/cedar/positive-pay/decide", many).says(t, "Nothing was decided yet.", "Choose why they go back.")
		many.Set("reason_check", "not_issued")
		done := dana.post("/cedar/positive-pay/decide", many)
		done.says(t, "3 exceptions are decided", "Returned")
		done = dana.post("/cedar/positive-pay/decide", url.Values{"item": append(freshly(p, dana), items[0]), "verdict": {"pay"}, "many": {"on"}, "prove_password": {password}})
		done.says(t, "1 of 2 are decided", "Somebody else was faster: it is returned.")
		dana.get("/cedar/positive-pay").says(t, "No exception fits")
		dana.get("/cedar/positive-pay?when=settled&kind=ach").says(t, "2 of 6 exceptions, $61.00")
		if export := dana.get("/cedar/positive-pay/export?when=all&q=1001"); !strings.Contains(export.body, "Check,Operating ••0137,1001,,Harbor Supplies,100.00,Not issued,2026-03-02,Returned,It is forged or counterfeit,Not our paper,Dana Diaz") {
			t.Errorf("the export is %s", export.body)
		}
		dana.get(one+"/receipt").says(t, "Exception: Check 1001", "As it stands on Mar 2, 2026, 10:00 AM.")
		picture := dana.get(one + "/pictures/front")
		if !strings.HasPrefix(picture.body, "\x89PNG") {
			t.Errorf("the picture is %.20q", picture.body)
		}
		dana.get("/cedar/positive-pay/output").says(t, "Mar 2, 2026", "Operating ••0137", "Download")
		file := dana.post("/cedar/positive-pay/output", url.Values{"account": {"acc_operating"}, "day": {"2026-03-02"}})
		if !strings.HasPrefix(file.body, "H20260302") || !strings.Contains(file.body, "DR0000001001") {
			t.Errorf("the output file is\n%s", file.body)
		}
		uma := p.as("uma")
		uma.get("/cedar/positive-pay").says(t, "You cannot decide exceptions")
		closed := uma.get(one)
		closed.is(t, 403)
		closed.says(t, "You can’t do this", "ARP/Positive Pay is off in your permissions.", "Who can change it: an admin of the organization, in User management", "See every level")
		uma.get(one+"/pictures/front").is(t, 403)
		dana.get("/cedar/positive-pay/exceptions/itm_none").is(t, 404)
		uma.post("/cedar/positive-pay/output", url.Values{"account": {"acc_operating"}, "day": {"2026-03-02"}}).is(t, 403)
	})
}

// freshly lets one more check come in, as a form carries it.
func freshly(p *purse, v *visitor) []string {
	p.comes(checkItem(3001, 1_00, ""))
	return v.get("/cedar/positive-pay").boxes()
}

func TestPositivePayInABrowser(t *testing.T) {
	eachShowing(t, func(t *testing.T, p showing) {
		p.grant("dana", p.accounts[0], arp)
		p.enrol()
		dana := p.shows("dana")
		look := func(name string) { // the others look like these, or like pages of other rooms
			if os.Getenv("MANDATE_SLOW") != "" || slices.Contains([]string{"pospay-problems", "pospay-entry", "pospay-exceptions", "pospay-exception"}, name) {
				p.look(dana, name)
			}
		}
		dana.Click("Positive Pay")
		look("pospay-empty")
		p.comes(checkItem(1001, 100_00, "Harbor Supplies"), checkItem(1002, 2_555_00, "Pine & Co"), achItem(49_00, "Tidewater Gym"))
		dana.open("/cedar/positive-pay/layouts/csv")
		look("pospay-layout")
		dana.Click("Save layout")
		dana.See("The layout is saved")
		dana.Choose("Account", "Operating ••0137")
		dana.Attach("File", "march.csv", "text/csv", []byte("9001,x,2026-03-02,Harbor Supplies\n9002,10.00,02/27/2026,Pine & Co\n9003,12.00,2026-03-01,Zoe\n"))
		dana.Click("Upload")
		dana.See("Nothing was kept: 2 problems")
		look("pospay-problems")
		dana.Attach("File", "march.csv", "text/csv", []byte(issuedFile))
		dana.Click("Upload")
		dana.See("Review, then approve")
		look("pospay-list")
		dana.Click("Approve")
		dana.proves()
		dana.See("The list is approved")
		dana.open("/cedar/positive-pay/issued")
		look("pospay-issued")
		dana.open("/cedar/positive-pay/lists")
		look("pospay-lists")
		dana.open("/cedar/positive-pay/entry")
		look("pospay-entry")
		dana.open("/cedar/positive-pay")
		look("pospay-exceptions")
		dana.Click("Check 1002")
		dana.See("Your decision")
		look("pospay-exception")
		dana.Choose("Reason", "The amount was altered")
		dana.Click("Return")
		dana.See("Check 1002 is returned")
		dana.open("/cedar/positive-pay")
		dana.Set("Choose Check 1001", true)
		dana.Set("Choose ACH debit by Tidewater Gym", true)
		dana.Click("Pay the chosen exceptions")
		dana.See("Pay 2 exceptions?")
		look("pospay-review")
		dana.Click("Pay 2 exceptions")
		dana.proves()
		dana.See("2 exceptions are decided")
		look("pospay-result")
		dana.Click("Back to exceptions")
		dana.open("/cedar/positive-pay/output")
		look("pospay-output")
		p.has("acc_operating", 20_000_00-149_00)
		uma := p.shows("uma")
		uma.open("/cedar/positive-pay")
		uma.See("You cannot decide exceptions")
	})
}
