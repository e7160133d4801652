package online_test

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"mandate/internal/authorization"
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
	"mandate/internal/usermgmt"
)

// newBatches is the room of ACH batches of a purse.
func (p *purse) newBatches(door *guard.Guard, days *calendar.Service, desk *host.Desk) *ach.Service {
	offset := func(context.Context, bank.InstitutionID, bank.OrganizationID, bank.AccountID) (ach.Offset, error) {
		return ach.Offset{Number: "550137", Name: "Operating", Kind: "checking"}, nil
	}
	room := ach.New(ach.Config{DB: p.d, Guard: door, Payments: authorization.New(p.d, door, authorization.Lifetime), Queue: p.queue, Calendar: days, Accounts: offset, Names: p.names, Process: "test"})
	desk.Answer(ach.Room, room.Answer)
	return room
}

var wholeACH = catalog.SetOf(catalog.ACHEnabled, catalog.ACHView, catalog.ACHInitiate, catalog.ACHSameDay, catalog.ACHRecurring, catalog.ACHImportRecipients,
	catalog.ACHUploadFile, catalog.ACHDelete, catalog.ACHRestricted)

// opensACH sets Cedar and Northwind up for batches.
func (p *purse) opensACH() {
	p.t.Helper()
	operator := bank.Caller{Kind: bank.ActorOperator, Name: "Olga", Institution: cedar, Channel: bank.ChannelCommand}
	err := p.batches.SetSender(p.t.Context(), operator, ach.Sender{Routing: "121042882", Name: "Cedar Bank", Destination: "231380104", DestinationName: "ACH Operator"})
	if err == nil {
		err = p.batches.SetCompany(p.t.Context(), operator, northwind, ach.Company{Ident: "1234567890", Name: "NORTHWIND"})
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// batchWork sets Cedar and Northwind up for ACH. Dana and Finn may do everything
// up to $100,000.00 a day, but not alone on what they edited; Pat edits in part.
func (p *purse) batchWork() {
	p.t.Helper()
	p.opensACH()
	all := danas()
	all.On |= wholeACH
	all.EditLevel, all.Limits = catalog.EditFull, all.Limits.With(catalog.LimitACHDaily, 100_000_00)
	p.setUser("dana", all)
	p.add("finn", "Finn", "Berg", bank.RoleUser, bank.StatusActive, all, "acc_operating")
	all.EditLevel = catalog.EditPartial
	p.add("pat", "Pat", "Kim", bank.RoleUser, bank.StatusActive, all, "acc_operating")
}

// setUser changes what somebody may do, behind everybody's back.
func (p *purse) setUser(username string, s entitlement.Settings) {
	p.t.Helper()
	p.write(func(tx *db.Tx) error {
		ordinal, err := db.One(tx, db.Value[int64], `select ordinal from member where id = $1`, userID(username))
		if err != nil {
			return err
		}
		return usermgmt.SetMemberSettings(tx, p.org.Num, ordinal, s, 1)
	})
}

// member is somebody as a caller, for what no screen is needed for.
func (p *purse) member(username, name string) bank.Caller {
	return bank.Caller{Kind: bank.ActorMember, ID: string(userID(username)), Name: name, Institution: cedar, Organization: northwind, Channel: bank.ChannelOnline}
}

// batch makes a batch of one credit in Dana's name.
func (p *purse) batch(name string, cents bank.Cents) ach.BatchID {
	p.t.Helper()
	draft := ach.EntryDraft{Recipient: recipients.Recipient{Name: "Harbor Supplies", Amount: cents, Account: "445566", Routing: "231380104", Kind: nacha.Checking}}
	id, err := p.batches.Create(p.t.Context(), p.member("dana", "Dana Diaz"), ach.Header{Name: name, Company: "1234567890", Class: "CCD", Description: "VENDORS"}, []ach.EntryDraft{draft})
	if err != nil {
		p.t.Fatal(err)
	}
	return id
}

var approvalLink = regexp.MustCompile(`/cedar/approvals/apr_[0-9a-z-]+`)

func batchPath(id ach.BatchID) string { return "/cedar/ach/batches/" + string(id) }

// send posts a form with a file.
func (v *visitor) send(path string, fields map[string]string, name string, content []byte) answer {
	v.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	fields["csrf"] = v.token()
	for field, value := range fields {
		if err := form.WriteField(field, value); err != nil {
			v.t.Fatal(err)
		}
	}
	part, err := form.CreateFormFile("file", name)
	if err == nil {
		_, err = part.Write(content)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		v.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(v.t.Context(), "POST", v.w.server.URL+path, &body)
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Origin", v.w.server.URL)
	return v.do(r)
}

func TestBatchFromFormToReceipt(t *testing.T) {
	eachPurse(t, func(p *purse) {
		t := p.t.(*testing.T)
		p.batchWork()
		dana, finn := p.as("dana"), p.as("finn")
		dana.get("/cedar/ach").says(t, "No batches yet", "Create batch", "Upload NACHA file")
		form := dana.get("/cedar/ach/new").carries()
		for name, value := range map[string]string{"name": "Payroll", "company": "1234567890", "class": "PPD", "kind": "standard", "description": "PAYROLL",
			"entries.0.name": "Ana Lima", "entries.0.account": "445566", "entries.0.routing": "231380105", "entries.0.amount": "$1,250.00", "entries.0.account_type": "checking", "entries.0.debit_credit": "credit",
			"entries.2.name": "Bo Eide", "entries.2.account": "778899", "entries.2.routing": "231380104", "entries.2.amount": "800", "entries.2.account_type": "savings", "entries.2.debit_credit": "credit"} {
			form.Set(name, value)
		}
		wrong := dana.post("/cedar/ach/create", form)
		wrong.is(t, 422)
		wrong.says(t, "A routing number has nine digits")
		form.Set("entries.0.routing", "231380104")
		made := dana.post("/cedar/ach/create", form)
		made.says(t, "The batch is saved", "Payroll", "Ready", "Ana Lima", "••5566, checking", "$2,050.00", "Dana Diaz made the batch Payroll")
		dana.get("/cedar/ach?q=pay").says(t, "1 batch, $2,050.00 credits and $0.00 debits in all")
		dana.get("/cedar/ach?q=rent").says(t, "No batch fits")
		if export := dana.get("/cedar/ach/export"); !strings.Contains(export.body, "Payroll,NORTHWIND,1234567890,PPD,PAYROLL,Standard,Ready,2,0,2050.00,0.00,No,Dana Diaz") {
			t.Errorf("the export is %s", export.body)
		}

		ask := dana.get(made.url + "/initiate")
		ask.says(t, "A second person must approve this batch", "Finn Berg or Pat Kim could approve it", "Your Daily ACH limit", "$100,000.00", "$0.00 of it is used today")
		send := ask.carries()
		send.Set("effective", "2026-03-04")
		dana.post(made.url+"/review", send).says(t, "Choose the account that the money is taken from")
		send.Set("offset", "acc_operating")
		review := dana.post(made.url+"/review", send)
		review.says(t, "Submit for approval", "Wednesday, March 4, 2026", "Operating ••0137", "You will be asked to confirm that it is you")
		review.saysNot(t, "You may not")
		waiting := dana.proves(made.url+"/submit", review.carries())
		waiting.says(t, "The batch waits for approval", "Pending approval", "Finn Berg or Pat Kim can approve it", "Look at the request")
		mine := finn.get(made.url)
		mine.says(t, "Approve or reject", "Return to ready")
		item := approvalLink.FindString(mine.body)
		request := finn.get(item)
		request.says(t, "Payroll", "NORTHWIND, 1234567890", "$2,050.00", "Edited last by", "Open the ACH batch")
		finn.proves(item+"/approve", request.carries()).says(t, "Approved")
		finn.get(made.url).says(t, "Initiated", "Uninitiate", "Can be taken back until")

		p.clock.Set(time.Date(2026, 3, 4, 23, 0, 0, 0, time.UTC))
		if _, err := p.batches.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.desk.Now(t.Context())
		dana = p.as("dana")
		dana.get(made.url).says(t, "Processed", "Host reference", "approved by Finn Berg")
		p.has("acc_operating", 20_000_00-2_050_00)
		dana.get(made.url+"/receipt").says(t, "Cedar Bank", "Northwind Trading", "Approved by Finn Berg", "SHA-256 of the file", "As it stands on Mar 4, 2026")
		p.as("uma").get(made.url).is(t, 403)
	})
}

func TestBatchIsEditedRestrictedCopiedAndDeleted(t *testing.T) {
	eachPurse(t, func(p *purse) {
		t := p.t.(*testing.T)
		p.batchWork()
		id := p.batch("Vendors", 500_00)
		dana, finn, pat := p.as("dana"), p.as("finn"), p.as("pat")
		part := pat.get(batchPath(id) + "/recipients")
		part.says(t, "You may change amount, debit or credit, addenda, hold and prenote.", "••5566")
		part.saysNot(t, "Add recipient")
		form := part.carries()
		form.Set("entries.0.amount", "650")
		form.Set("entries.0.debit_credit", "credit")
		pat.post(batchPath(id)+"/recipients", form).says(t, "The recipients are saved", "$650.00", "Edited last by Pat Kim")
		pat.post(batchPath(id)+"/edit", url.Values{"version": {"2"}, "name": {"Mine"}, "company": {"1234567890"}, "class": {"CCD"}, "description": {"X"}}).is(t, 403)

		edit := dana.get(batchPath(id) + "/recipients").carries()
		for name, value := range map[string]string{"entries.0.name": "Harbor Supply", "entries.0.account": "445566", "entries.0.routing": "231380104", "entries.0.account_type": "checking",
			"entries.0.debit_credit": "credit", "entries.0.amount": "650", "entries.0.hold": "on",
			"entries.1.name": "Nils Ek", "entries.1.account": "99887", "entries.1.routing": "231380104", "entries.1.account_type": "savings", "entries.1.debit_credit": "credit", "entries.1.amount": "75", "entries.1.prenote": "on"} {
			edit.Set(name, value)
		}
		changed := dana.post(batchPath(id)+"/recipients", edit)
		changed.says(t, "Held", "Prenote", "Nils Ek", "2 of them skipped")
		dana.get("/cedar/ach?kind=prenote").says(t, "PNT Vendors")
		dana.post(batchPath(id)+"/recipients", edit).says(t, "Somebody changed this batch after you saw it")

		head := dana.get(batchPath(id) + "/edit").carries()
		for name, value := range map[string]string{"name": "Vendors of the yard", "company": "1234567890", "class": "CCD", "description": "VENDORS", "restricted": "on"} {
			head.Set(name, value)
		}
		dana.get(batchPath(id)+"/edit").says(t, "Only those with restricted batch access know of it: Dana Diaz, Finn Berg and Pat Kim.")
		dana.post(batchPath(id)+"/edit", head).says(t, "The batch is saved", "Yes, this batch itself")
		open := danas()
		open.On |= wholeACH.Without(catalog.ACHRestricted)
		p.setUser("pat", open)
		pat.get(batchPath(id)).is(t, 404)
		pat.get("/cedar/ach").saysNot(t, "Vendors of the yard")

		copied := finn.post(batchPath(id)+"/copy", finn.get(batchPath(id)+"/copy").carries())
		copied.says(t, "This is the copy", "Copy of Vendors of the yard", "Yes, this batch itself")
		finn.get(copied.url+"/delete").says(t, "This cannot be undone")
		finn.post(copied.url+"/delete", finn.get(copied.url+"/delete").carries()).says(t, "The batch is deleted")
		finn.get(copied.url).is(t, 404)
	})
}

func TestSeveralBatchesAtOnce(t *testing.T) {
	eachPurse(t, func(p *purse) {
		t := p.t.(*testing.T)
		p.batchWork()
		one, two := p.batch("One", 100_00), p.batch("Two", 99_950_00)
		finn := p.as("finn")
		chosen := url.Values{"batch": {string(one) + " 1", string(two) + " 1", "nothing"}, "do": {"initiate"}}
		ask := finn.post("/cedar/ach/several", chosen)
		ask.says(t, "Initiate several batches", "One", "Two", "$100,050.00 counts against limits")
		chosen.Set("offset", "acc_operating")
		done := finn.provesAll("/cedar/ach/several/initiate", chosen)
		done.says(t, "1 batch is done.", "Initiated", "Not done", "This is over the daily ACH limit of $100,000.00, of which $100.00 is used.")
		gone := finn.post("/cedar/ach/several/delete", url.Values{"batch": {string(one) + " 1", string(two) + " 1"}})
		gone.says(t, "1 batch is done.", "This batch is initiated, so this cannot be done now.")
		finn.post("/cedar/ach/several", url.Values{"do": {"delete"}}).says(t, "Choose at least one batch first")
	})
}

// provesAll is proves for forms with fields that are given several times.
func (v *visitor) provesAll(path string, form url.Values) answer {
	v.t.Helper()
	v.post(path, form).is(v.t.(*testing.T), 403)
	form.Set("prove_password", password)
	return v.post(path, form)
}

func TestScheduleAndUninitiate(t *testing.T) {
	eachPurse(t, func(p *purse) {
		t := p.t.(*testing.T)
		p.batchWork()
		id := p.batch("Rents", 250_00)
		finn := p.as("finn")
		form := finn.get(batchPath(id) + "/schedule").carries()
		for name, value := range map[string]string{"frequency": "monthly", "first": "2026-03-10", "offset": "acc_operating"} {
			form.Set(name, value)
		}
		finn.proves(batchPath(id)+"/schedule", form).says(t, "The schedule is saved", "Every month, next on Tuesday, March 10, 2026", "On the right of Finn Berg")
		finn.get(batchPath(id)+"/schedule/end").says(t, "End the schedule of Rents?")
		finn.post(batchPath(id)+"/schedule/end", finn.get(batchPath(id)+"/schedule/end").carries()).says(t, "The schedule has ended")
		send := finn.get(batchPath(id) + "/initiate").carries()
		send.Set("offset", "acc_operating")
		review := finn.post(batchPath(id)+"/review", send)
		review.says(t, "Review and initiate", "Tuesday, March 3, 2026")
		finn.proves(batchPath(id)+"/send", review.carries()).says(t, "The batch is initiated")
		finn.get(batchPath(id)+"/edit").is(t, 200)
		back := finn.post(batchPath(id)+"/uninitiate", finn.get(batchPath(id)+"/uninitiate").carries())
		back.says(t, "The batch is ready again", "Uninitiated")
		uma := p.as("uma").get("/cedar/ach")
		uma.is(t, 403)
		uma.says(t, "You cannot see ACH batches", "ACH is off in your permissions.")
	})
}

func TestRecipientsAreImportedThroughALayout(t *testing.T) {
	eachPurse(t, func(p *purse) {
		t := p.t.(*testing.T)
		p.batchWork()
		id := p.batch("Vendors", 500_00)
		dana := p.as("dana")
		fields := map[string]string{"version": "1", "format": "csv", "replace": "no"}
		list := []byte("Ada Moe,1200.00,C,445566,231380104\nBen Aas,15.5x,C,778899,231380104\nName,Amount,x,Account number,Routing number\n")
		dana.send(batchPath(id)+"/import", fields, "list.csv", list).says(t, "Set up the layout for CSV first.")
		layout := dana.get("/cedar/ach/layouts/csv?batch=" + string(id)).carries()
		for name, value := range map[string]string{"name": "1", "amount": "2", "debit_credit": "3", "account": "4", "routing": "4", "amounts": "point", "direction": "credit", "kind": "checking"} {
			layout.Set(name, value)
		}
		dana.post("/cedar/ach/layouts/csv", layout).says(t, "The account number is there already.")
		layout.Set("routing", "5")
		dana.post("/cedar/ach/layouts/csv", layout).says(t, "The layout is saved", "Import recipients", "Change how CSV is read")
		bad := dana.send(batchPath(id)+"/import", fields, "list.csv", list)
		bad.is(t, 422)
		bad.says(t, "The list is not loaded", "2 Amount", "This is a header line")
		good := dana.send(batchPath(id)+"/import", fields, "list.csv", []byte("Ada Moe,1200.00,C,445566,231380104\nBen Aas,15.50,D,778899,231380104\n"))
		good.says(t, "Nothing is wrong with it", "2 recipients, $1,200.00 credits and $15.50 debits.", "Ada Moe")
		dana.post(batchPath(id)+"/import/load", good.carries()).says(t, "2 recipients are imported", "Ada Moe", "Ben Aas", "Harbor Supplies")
		dana.post(batchPath(id)+"/import/load", good.carries()).is(t, 404) // the same form, sent twice
	})
}

func TestNachaFilesAreUploaded(t *testing.T) {
	eachPurse(t, func(p *purse) {
		t := p.t.(*testing.T)
		p.batchWork()
		operator := bank.Caller{Kind: bank.ActorOperator, Name: "Olga", Institution: cedar, Channel: bank.ChannelCommand}
		if err := p.batches.SetRelaxed(t.Context(), operator, northwind, true); err != nil {
			t.Fatal(err)
		}
		good, err := os.ReadFile("../../moneymovement/ach/nacha/testdata/valid/ppd-credit.ach")
		if err != nil {
			t.Fatal(err)
		}
		dana := p.as("dana")
		dana.send("/cedar/ach/upload", map[string]string{}, "list.csv", good).says(t, "Choose a file that ends in .ach or .txt.")
		dana.send("/cedar/ach/upload", map[string]string{}, "a.ach", nil).says(t, "Choose a file first.")
		taken := dana.send("/cedar/ach/upload", map[string]string{"name": "From the program"}, "a.ach", good)
		taken.says(t, "The file was taken", "From the program", "Uploaded")
		again := dana.send("/cedar/ach/upload", map[string]string{}, "b.txt", good)
		again.says(t, "This file was uploaded before", "Upload it all the same")
		dana.post(again.url+"/again", url.Values{}).says(t, "The file was taken")
		spoiled := bytes.Replace(good, []byte("\n6"), []byte("\n6x"), 1)
		bad := dana.send("/cedar/ach/upload", map[string]string{}, "c.ach", spoiled)
		bad.says(t, "The file was not taken", "Nothing of it was kept.", "entry")
		p.as("finn").get(taken.url).is(t, 404) // nobody else sees what somebody brought in
		p.as("uma").get("/cedar/ach/upload").is(t, 403)
	})
}

// What is larger than there may be is refused before it is read.
func TestTooLargeAFileIsRefusedEarly(t *testing.T) {
	eachPurse(t, func(p *purse) {
		t := p.t.(*testing.T)
		dana := p.as("dana")
		read := &endless{}
		r, err := http.NewRequestWithContext(t.Context(), "POST", p.server.URL+"/cedar/ach/upload", io.NopCloser(read))
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = ach.MaxFile + 1<<20
		r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
		r.Header.Set("Origin", p.server.URL)
		got := dana.do(r)
		got.is(t, 422)
		got.says(t, "This is too large: at most 25 MiB can be sent here. Nothing of it was kept.")
		if read.n > 8<<20 {
			t.Errorf("%d bytes were read", read.n)
		}
	})
}

// endless is a body that goes on and on.
type endless struct{ n int64 }

func (e *endless) Read(b []byte) (int, error) {
	e.n += int64(len(b))
	return len(b), nil
}
