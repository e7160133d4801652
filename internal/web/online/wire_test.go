package online_test

import (
	"cmp"
	"context"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/host"
	"mandate/internal/moneymovement/notice"
	"mandate/internal/moneymovement/wire"
	"mandate/internal/moneymovement/wire/message"
	"mandate/internal/pdp/obstacle"
	"mandate/internal/usermgmt"
)

var (
	wireSwitches = catalog.SetOf(catalog.WiresWork, catalog.WiresTemplateCreate, catalog.WiresTemplateEdit, catalog.WiresOneTimeCreate,
		catalog.WiresOneTimeEdit, catalog.WiresRecurringEdit, catalog.WiresTransmit, catalog.WiresTransmitRecurring, catalog.WiresTransmitFuture)
	wireLimits = entitlement.Limits{}.With(catalog.LimitPerWire, 25_000_00).With(catalog.LimitWiresDaily, 60_000_00)
)

// wirer adds somebody who sends wires from Operating; with a dual limit of
// $10,000.00 where they are controlled.
func (p *purse) wirer(username, first, last string, controlled bool) {
	p.t.Helper()
	s := entitlement.Settings{On: wireSwitches.With(catalog.WiresEnabled), Limits: wireLimits}
	if controlled {
		s.On, s.Limits = s.On.With(catalog.WiresDualControl), s.Limits.With(catalog.LimitWiresDual, 10_000_00)
	}
	m := p.add(username, first, last, bank.RoleUser, bank.StatusActive, s)
	p.write(func(tx *db.Tx) error {
		return usermgmt.SetMemberAccount(tx, p.org.Num, m.Ordinal, p.accounts[0].Ordinal, entitlement.Settings{On: wireSwitches.With(catalog.AccountAccess)})
	})
}

// northwindsName is how messages name Northwind Trading.
func northwindsName(_ context.Context, _ bank.InstitutionID, _ bank.OrganizationID, account bank.AccountID) (message.Party, error) {
	return message.Party{Name: "Northwind Trading", Account: strings.TrimPrefix(string(account), "acc_"), Street: "18 Harbor Street", Town: "Portland", State: "ME", PostCode: "04101"}, nil
}

var harborForm = map[string]string{
	"account": "acc_operating", "payee": "Harbor Supplies", "payee_account": "000123456", "street": "2 Pier Road", "town": "Salem", "state": "MA", "post_code": "01970",
	"bank": "Harbor Bank", "routing": "121042882", "remarks": "Invoice 4711",
}

// wireForm is the form of a new wire, filled in.
func wireForm(v *visitor, values map[string]string) url.Values {
	form := v.get("/cedar/wires/new").carries()
	for _, filled := range []map[string]string{harborForm, values} {
		for name, value := range filled {
			form.Set(name, value)
		}
	}
	return form
}

func TestWireFromFormToReceipt(t *testing.T) {
	eachPurse(t, func(p *purse) {
		t := p.t.(*testing.T)
		p.wirer("wanda", "Wanda", "Moss", true)
		p.wirer("max", "Max", "Berg", false)
		wanda := p.as("wanda")
		wanda.get("/cedar/wires").says(t, "No wires yet", "Templates", "Recurring")
		page := wanda.get("/cedar/wires/new")
		page.says(t, "Operating ••0137, $20,000.00 available", "Your Per wire limit", "Northwind Trading's ceiling for the Daily wire limit", "Alone up to $10,000.00; above that a second person must agree.")
		page.saysNot(t, "Payroll")
		review := wanda.post("/cedar/wires/review", wireForm(wanda, map[string]string{"amount": "$10,000.00"}))
		review.is(t, 200)
		review.says(t, "Send $10,000.00 to Harbor Supplies.", "Harbor Bank, 121042882", "2 Pier Road, Salem, MA 01970", "As soon as may be: Monday, March 2, 2026", "Send the wire", "Save for later")
		review.saysNot(t, "second person must agree")
		form := review.carries()
		sent := wanda.proves("/cedar/wires", form)
		sent.says(t, "The wire went out", "Wire of $10,000.00 to Harbor Supplies", "Processed", "Wanda Moss sent off the wire of $10,000.00", "Host reference")
		p.has("acc_operating", 10_000_00)
		wanda.get(sent.url+"/receipt").says(t, "Cedar Bank", "Northwind Trading", "Harbor Supplies", "As it stands on Mar 2, 2026, 10:00 AM.")
		if export := wanda.get("/cedar/wires/export"); !strings.Contains(export.body, "Operating ••0137,Harbor Supplies,000123456,Harbor Bank,121042882,10000.00,Invoice 4711,Processed,,Wanda Moss,Wanda Moss,,") {
			t.Errorf("the export is %s", export.body)
		}
		wanda.get("/cedar/wires?q=harbor").says(t, "1 wire, $10,000.00 in all")
		wanda.get("/cedar/wires?q=nobody").says(t, "No wire fits")
		p.as("uma").get(sent.url).is(t, 404)
		uma := p.as("uma").get("/cedar/wires")
		uma.is(t, 403)
		uma.says(t, "You cannot see wires", "Wires is off in your permissions.")
		p.as("uma").get("/cedar/wires/new").says(t, "You cannot make wires now")
	})
}

func TestWireForASecondPerson(t *testing.T) {
	eachPurse(t, func(p *purse) {
		t := p.t.(*testing.T)
		p.wirer("wanda", "Wanda", "Moss", true)
		p.wirer("max", "Max", "Berg", false)
		wanda, max := p.as("wanda"), p.as("max")
		review := wanda.post("/cedar/wires/review", wireForm(wanda, map[string]string{"amount": "12000"}))
		review.says(t, "A second person must agree", "Above $10,000.00", "Dana Diaz or Max Berg can", "Send for approval")
		asked := wanda.proves("/cedar/wires", review.carries())
		asked.says(t, "The wire waits for a second person", "Dana Diaz or Max Berg can approve it. Until Mar 2, 2026, 4:00 PM", "Pending approval")
		page := max.get(asked.url)
		page.says(t, "You or Dana Diaz can approve it.", "Approve or reject")
		max.get("/cedar/approvals").says(t, "Wire of $12,000.00 to Harbor Supplies")
		item := strings.Split(strings.Split(page.body, "/cedar/approvals/")[1], `"`)[0]
		decide := max.get("/cedar/approvals/" + item)
		decide.says(t, "Open the wire", "Harbor Supplies", "000123456")
		max.proves("/cedar/approvals/"+item+"/approve", decide.carries())
		done := max.get(asked.url)
		done.says(t, "Processed", "Approved by Max Berg") // it has been at the host already
		twin := wanda.post("/cedar/wires/review", wireForm(wanda, map[string]string{"amount": "12000"}))
		twin.says(t, "This looks like a wire that is there already", "made by Wanda Moss", "I mean to send it all the same")
		again := wanda.post("/cedar/wires", twin.carries()) // without saying so
		again.is(t, 409)
		form := twin.carries()
		form.Set("anyway", "on")
		second := wanda.proves("/cedar/wires", form)
		second.says(t, "Pending approval")
		edit := wanda.get(second.url + "/edit").carries()
		for name, value := range harborForm {
			edit.Set(name, value)
		}
		edit.Set("amount", "11000")
		changed := wanda.post(second.url+"/review", edit)
		changed.says(t, "Save for later", "Send for approval")
		kept := changed.carries()
		kept.Del("send")
		saved := wanda.post(second.url+"/save", kept)
		saved.says(t, "Wire of $11,000.00 to Harbor Supplies", "Ready", "Wanda Moss changed the wire of $11,000.00", "Send")
		max.get("/cedar/approvals").says(t, "Nothing waits for you")
		ask := max.get(saved.url + "/send")
		ask.says(t, "Send this wire?")
		max.proves(saved.url+"/send", ask.carries()).says(t, "did not go out", "There is not enough available") // Operating has $8,000.00 left
		cancel := wanda.get(saved.url + "/cancel")
		wanda.post(saved.url+"/cancel", cancel.carries()).says(t, "The wire is cancelled")
		p.has("acc_operating", 8_000_00)
	})
}

func TestWireRefusalsOnTheScreen(t *testing.T) {
	eachPurse(t, func(p *purse) {
		t := p.t.(*testing.T)
		p.wirer("wanda", "Wanda", "Moss", true)
		p.write(func(tx *db.Tx) error {
			return usermgmt.SetMemberSettings(tx, p.org.Num, p.ordinal("dana"), entitlement.Settings{}, 1)
		})
		wanda := p.as("wanda")
		nobody := wanda.post("/cedar/wires/review", wireForm(wanda, map[string]string{"amount": "15000"}))
		nobody.says(t, "Nobody could approve this wire")
		over := wanda.post("/cedar/wires/review", wireForm(wanda, map[string]string{"amount": "25000.01"}))
		over.is(t, 403)
		over.says(t, "You may not send this wire", "Your Per wire limit is $25,000.00.", "Who can change it: an admin of the organization", "Save for later")
		over.saysNot(t, "Send the wire", "Send for approval")
		wrong := wanda.post("/cedar/wires/review", wireForm(wanda, map[string]string{"amount": "5", "routing": "121042881", "payee": "Søren", "town": ""}))
		wrong.is(t, 422)
		wrong.says(t, "one of them is wrong", `write "Soren"`, "every wire names it")
		saved := wanda.post("/cedar/wires", func() url.Values { f := over.carries(); f.Del("send"); return f }())
		saved.says(t, "The wire is saved", "Why you cannot send it", "Your Per wire limit is $25,000.00.")
		p.clock.Set(time.Date(2026, 3, 6, 22, 0, 0, 0, time.UTC))
		wanda = p.as("wanda")
		late := wanda.post("/cedar/wires/review", wireForm(wanda, map[string]string{"amount": "5"}))
		late.says(t, "Dated Monday, March 9, 2026: it is past 4:00 PM, the cut-off for wires")
		wanda.proves("/cedar/wires", late.carries()).says(t, "The wire goes out Monday, March 9, 2026", "Initiated")
	})
}

func TestWireTemplatesAndSeriesOnTheScreen(t *testing.T) {
	eachPurse(t, func(p *purse) {
		t := p.t.(*testing.T)
		p.wirer("wanda", "Wanda", "Moss", true)
		p.wirer("max", "Max", "Berg", false)
		wanda := p.as("wanda")
		form := wanda.get("/cedar/wire-templates/new").carries()
		for name, value := range harborForm {
			form.Set(name, value)
		}
		wanda.post("/cedar/wire-templates", form).says(t, "Give the template a name.")
		form.Set("name", "Harbor, monthly")
		made := wanda.post("/cedar/wire-templates", form)
		made.says(t, "The template is saved", "Harbor, monthly", "000123456", "Use", "Delete template")
		wanda.get("/cedar/wire-templates").says(t, "1 template", "Harbor, monthly", "Harbor Bank", "Download CSV")
		if export := wanda.get("/cedar/wire-templates/export?q=harbor"); !strings.Contains(export.body, "\n\"Harbor, monthly\",Operating ••0137,Harbor Supplies,") {
			t.Errorf("the file says %s", export.body)
		}
		if export := wanda.get("/cedar/wire-templates/export?q=nothing"); strings.Contains(export.body, "Harbor") {
			t.Errorf("the search counts for nothing: %s", export.body)
		}
		id := strings.TrimPrefix(made.url, "/cedar/wire-templates/")
		use := wanda.get("/cedar/wires/new?template=" + id)
		use.says(t, "Harbor, monthly", "Payee's account 000123456")
		used := use.carries()
		for name, value := range map[string]string{"amount": "750", "payee_account": "666", "repeat": "monthly", "times": "3"} {
			used.Set(name, value)
		}
		review := wanda.post("/cedar/wires/review", used)
		review.says(t, "Payee's account 000123456", "The next dates", "Thursday, April 2, 2026", "After 3 wires", "Schedule the wires")
		review.saysNot(t, "Save for later")
		series := wanda.proves("/cedar/wires", review.carries())
		series.says(t, "The wires are scheduled", "Recurring wire of $750.00 to Harbor Supplies", "After 3 wires, of which 2 are made so far", "Processed", "Scheduled")
		wanda.get("/cedar/recurring-wires").says(t, "Harbor Supplies", "Every month", "Active")
		edit := wanda.get(series.url + "/edit").carries()
		edit.Set("amount", "900")
		edit.Set("times", "4")
		wanda.proves(series.url+"/save", edit).says(t, "The series is changed", "Recurring wire of $900.00")
		ask := wanda.get(series.url + "/cancel")
		wanda.post(series.url+"/cancel", ask.carries()).says(t, "The series is cancelled", "Cancelled")
		max := p.as("max")
		change := max.get(made.url + "/edit").carries()
		for name, value := range harborForm {
			change.Set(name, value)
		}
		change.Set("name", "Harbor")
		change.Set("payee_account", "000999")
		max.post(made.url+"/save", change).says(t, "The template is changed", "Max Berg changed the wire template Harbor", "000999")
		stale := wanda.post("/cedar/wires/review", used)
		stale.is(t, 409)
		gone := max.get(made.url + "/delete")
		max.post(made.url+"/delete", gone.carries()).says(t, "The template is deleted", "No templates yet")
		p.has("acc_operating", 19_250_00)
	})
}

// harbor fills in whom a wire or a template pays.
func (p person) harbor(routing string) {
	for _, field := range [][2]string{{"Payee", "Harbor Supplies"}, {"Account number", "000123456"}, {"Street", "2 Pier Road"}, {"Town", "Salem"}, {"State", "MA"}, {"ZIP code", "01970"},
		{"Routing number", routing}, {"Bank", "Harbor Bank"}, {"Remarks", "Invoice 4711"}} {
		p.Fill(field[0], field[1])
	}
}

// A wire that a second person approves, from the form to the receipt.
func TestWireInABrowser(t *testing.T) {
	eachShowing(t, func(t *testing.T, p showing) {
		p.wirer("wanda", "Wanda", "Moss", true)
		p.wirer("max", "Max", "Berg", false)
		wanda, look := p.shows("wanda"), p.look
		wanda.Click("Wires")
		look(wanda, "wires-empty")
		wanda.Click("New wire")
		wanda.Choose("From", "Operating ••0137, $20,000.00 available")
		wanda.harbor("121042881")
		wanda.Fill("Amount", "12500")
		wanda.Click("Review")
		wanda.See("one of them is wrong")
		look(wanda, "wire-new")
		wanda.Fill("Routing number", "121042882")
		wanda.Click("Review")
		wanda.See("Dana Diaz or Max Berg can, and will be told by mail.")
		look(wanda, "wire-review")
		wanda.Click("Send for approval")
		wanda.proves()
		wanda.See("Waits for a second person")
		look(wanda, "wire-pending")
		max := p.shows("max")
		max.Click("Wires")
		look(max, "wires")
		max.Click("Harbor Supplies")
		max.Click("Approve or reject")
		look(max, "wire-approval")
		max.Click("Approve")
		max.proves()
		max.See("Approved by Max Berg")
		max.Click("Open the wire")
		max.See("Processed")
		look(max, "wire")
		max.Click("Receipt")
		max.See("As it stands on")
		look(max, "wire-receipt")
		p.has("acc_operating", 7_500_00)
	})
}

// A template that Max makes and Wanda uses, and a wire that repeats.
func TestWireTemplateInABrowser(t *testing.T) {
	eachShowing(t, func(t *testing.T, p showing) {
		p.wirer("wanda", "Wanda", "Moss", true)
		p.wirer("max", "Max", "Berg", false)
		max, look := p.shows("max"), p.look
		max.Click("Wires")
		max.Click("Templates")
		look(max, "wire-templates-empty")
		max.Click("New template")
		max.Fill("Name", "Harbor, monthly")
		max.Choose("From", "Operating ••0137")
		max.harbor("121042882")
		max.Fill("Usual amount", "500")
		look(max, "wire-template-new")
		max.Click("Save template")
		max.See("The template is saved")
		look(max, "wire-template")
		max.open("/cedar/recurring-wires")
		look(max, "recurring-wires-empty")

		wanda := p.shows("wanda")
		wanda.open("/cedar/wire-templates")
		look(wanda, "wire-templates")
		wanda.Click("Use Harbor, monthly")
		wanda.See("Harbor Supplies")
		wanda.Fill("Date", "03102026")
		wanda.Choose("How often", "Every month")
		look(wanda, "wire-from-template")
		wanda.Click("Review")
		look(wanda, "recurring-wire-review")
		wanda.Click("Schedule the wires")
		wanda.proves()
		wanda.See("The wires are scheduled")
		wanda.open("/cedar/recurring-wires")
		look(wanda, "recurring-wires")
		wanda.Click("Harbor Supplies")
		wanda.See("Recurring wire of $500.00 to Harbor Supplies")
		look(wanda, "recurring-wire")
		wanda.Click("Edit")
		look(wanda, "recurring-wire-edit")
		wanda.Click("Cancel")
		wanda.Click("Cancel the series")
		wanda.Click("Cancel the series")
		wanda.See("The series is cancelled")
	})
}

// wireOf is the form of a wire for an obstacle, with more fields in pairs.
func wireOf(o obstacle.Ask, more ...string) url.Values {
	form := url.Values{"amount": {"500"}}
	for name, value := range harborForm {
		form.Set(name, value)
	}
	form.Set("account", string(o.Account))
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return form
}

// trusting takes everybody's word for who they are.
type trusting struct{}

func (trusting) Consume(*db.Tx, bank.Caller, string, string, []byte) error { return nil }

// trustingWires is the room where nobody is asked for a high-risk
// authorization.
func (p *purse) trustingWires() *wire.Service {
	door := guard.New(p.d, usermgmt.LoadPolicy, nil, trusting{})
	days := calendar.New(door, func(*db.Tx, bank.InstitutionID) (*time.Location, error) { return time.LoadLocation("America/New_York") })
	told := notice.New(noMail{}, usermgmt.People{})
	return wire.New(wire.Config{
		DB: p.d, Guard: door, Calendar: days, Desk: host.NewDesk(p.d, p.books, slog.New(slog.DiscardHandler)), Queue: approval.New(p.d, door, told, p.names), Names: p.names,
		Originators: northwindsName, Teller: told, Process: "trusting",
	})
}

func (p *purse) instruction(cents bank.Cents) wire.Instruction {
	return wire.Instruction{
		Account: "acc_operating", Cents: cents, Payee: message.Party{Name: "Harbor Supplies", Account: "000123456", Town: "Salem", State: "MA"},
		Bank: message.Agent{Routing: "121042882", Name: "Harbor Bank"},
	}
}

func member(username string) bank.Caller {
	return bank.Caller{Kind: bank.ActorMember, ID: string(userID(username)), Name: username, Institution: cedar, Organization: northwind, Channel: bank.ChannelOnline}
}

// keepWire makes a wire, or a series of them, to be asked about.
func (p *purse) keepWire(username string, cents bank.Cents, repeat calendar.Frequency, send bool) {
	p.t.Helper()
	d := wire.Draft{ID: wire.NewID(p.clock.Now()), Instruction: p.instruction(cents), Repeat: repeat, Send: send}
	if repeat != calendar.Once {
		d.On = "2026-03-10"
	}
	made, err := p.trustingWires().Create(p.t.Context(), member(username), d)
	if err != nil {
		p.t.Fatal(err)
	}
	p.kept = cmp.Or(string(made.Series), string(made.ID))
}

func (p *purse) keepTemplate(username string) {
	p.t.Helper()
	d := wire.TemplateDraft{ID: wire.NewTemplateID(p.clock.Now()), Name: "Kept", Instruction: p.instruction(0)}
	if err := p.trustingWires().CreateTemplate(p.t.Context(), member(username), d); err != nil {
		p.t.Fatal(err)
	}
	p.kept = string(d.ID)
}

// versionOf is the version of what is kept, whoever may see it.
func (p *purse) versionOf(table string) (version string) {
	p.t.Helper()
	query := map[string]string{"wire": `select version from wire where id = $1`, "wire_series": `select version from wire_series where id = $1`, "wire_template": `select version from wire_template where id = $1`}[table]
	p.write(func(tx *db.Tx) error {
		n, err := db.One(tx, db.Value[int64], query, p.kept)
		version = strconv.FormatInt(n, 10)
		return err
	})
	return version
}

// asksFor is what waits for a second person, and its content.
func (p *purse) asksFor(room string) (item, hash string) {
	p.t.Helper()
	p.write(func(tx *db.Tx) error {
		return tx.QueryRow(`select id, content_hash from approval_item where state = 'waiting' and kind = $1`, room).Scan(&item, &hash)
	})
	return item, hash
}
