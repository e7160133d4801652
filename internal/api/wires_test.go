package api_test

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"testing"

	"mandate/internal/api"
	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/host"
	"mandate/internal/moneymovement/notice"
	"mandate/internal/moneymovement/wire"
	"mandate/internal/moneymovement/wire/message"
	"mandate/internal/pdp/obstacle"
	"mandate/internal/pdp/pdptest"
)

// newWires is the room of wires of a program's world.
func newWires(d *db.DB, door *guard.Guard, queue *approval.Service, days *calendar.Service, desk *host.Desk, told *notice.Service) *wire.Service {
	payer := func(context.Context, bank.InstitutionID, bank.OrganizationID, bank.AccountID) (message.Party, error) {
		return message.Party{Name: "ACME", Account: "550137", Street: "18 Harbor Street", Town: "Portland", State: "ME", PostCode: "04101"}, nil
	}
	return wire.New(wire.Config{
		DB: d, Guard: door, Calendar: days, Desk: desk, Queue: queue, Names: nameless, Originators: payer, Teller: told, Process: "test",
	})
}

// sendsWires lets somebody do everything with wires from Acme's operating
// account: up to $25,000.00 each, above $10,000.00 with a second person.
func (p *program) sendsWires(member string) {
	p.t.Helper()
	all := catalog.SetOf(catalog.WiresTemplateCreate, catalog.WiresTemplateEdit, catalog.WiresOneTimeCreate, catalog.WiresOneTimeEdit, catalog.WiresRecurringEdit,
		catalog.WiresTransmitRecurring, catalog.WiresTransmitFuture)
	s := pdptest.Sender
	s.On |= all
	p.world.SetMember("first", "acme", bank.UserID(member), s)
	p.world.SetAccount("first", "acme", bank.UserID(member), "operating", entitlement.Settings{On: pdptest.SenderAccount.On | all})
	p.setTerms()
}

// setTerms says how the institution sends wires.
func (p *program) setTerms() {
	p.t.Helper()
	operator := bank.Caller{Kind: bank.ActorOperator, Institution: "first", Channel: bank.ChannelCommand}
	if err := p.wires.SetTerms(p.t.Context(), operator, wire.Terms{Routing: "231380104", Name: "First Bank", Source: "FIRSTB01", Format: message.Pacs008}); err != nil {
		p.t.Fatal(err)
	}
}

// harbor is the body of a wire to Harbor Supplies, with more members.
func harbor(o obstacle.Ask, more ...string) string {
	body := fmt.Sprintf(`{"account":%q,"amount":%q,"payee":{"name":"Harbor Supplies","account":"000123456","town":"Salem","state":"MA"},"bank":{"routing":"121042882","name":"Harbor Bank"}}`,
		o.Account, o.Cents)
	if len(more) == 0 {
		return body
	}
	return with(body, more...)
}

// harborOf is the same from the operating account.
func harborOf(cents bank.Cents, more ...string) string {
	return harbor(obstacle.Ask{Account: "operating", Cents: cents}, more...)
}

// keepWire makes a wire, or a series, to be asked about.
func (p *program) keepWire(member string, cents bank.Cents, more ...string) {
	p.t.Helper()
	var made api.WireDetail
	p.as(member, "POST", "/wires", harborOf(cents, more...)).into(&made)
	p.kept = cmp.Or(made.Series, made.ID)
}

func (p *program) keepTemplate() {
	p.t.Helper()
	var made api.WireTemplate
	p.as("dana", "POST", "/wire-templates", harborOf(0, `"name":"Kept"`)).into(&made)
	p.kept = made.ID
}

// version is the version of what is kept, whoever may see it, as a member of a
// body.
func (p *program) version(table string) (member string) {
	p.t.Helper()
	query := map[string]string{"wire": `select version from wire where id = $1`, "wire_series": `select version from wire_series where id = $1`, "wire_template": `select version from wire_template where id = $1`}[table]
	err := p.world.DB.Read(p.t.Context(), func(tx *db.Tx) error {
		n, err := db.One(tx, db.Value[int64], query, p.kept)
		member = fmt.Sprintf(`"version":%d`, n)
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return member
}

// waits is what waits for a second person, and its content, whoever may see it.
func (p *program) waits(room string) (item, hash string) {
	p.t.Helper()
	err := p.world.DB.Read(p.t.Context(), func(tx *db.Tx) error {
		return tx.QueryRow(`select id, content_hash from approval_item where state = 'waiting' and kind = $1`, room).Scan(&item, &hash)
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return item, hash
}

// A wire's way through the API: kept, sent, approved by another, cancelled; and
// each call repeated.
func TestAProgramSendsWiresForAPerson(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := start(t, d)
		p.sendsWires("dana")
		p.sendsWires("ana")
		twice := func(member, path, body string) (got api.WireDetail) {
			t.Helper()
			var first api.WireDetail
			key := fmt.Sprint("twice-", p.asked)
			p.as(member, "POST", path, body, "Idempotency-Key", key).into(&first)
			p.as(member, "POST", path, body, "Idempotency-Key", key).into(&got)
			if first.ID == "" || got.ID != first.ID || got.Version != first.Version {
				t.Errorf("%s: %+v, then %+v", path, first.Wire, got.Wire)
			}
			return got
		}
		kept := twice("dana", "/wires", harborOf(1_000_00))
		if kept.State != "ready" || !kept.CanSend || !kept.CanEdit || !kept.CanCancel || kept.Payee.Name != "Harbor Supplies" {
			t.Errorf("kept %+v", kept)
		}
		send := fmt.Sprintf(`{"version":%d}`, kept.Version)
		if got := p.as("dana", "POST", "/wires/"+kept.ID+"/send", send, "Mandate-Proof", "").problem(); got != "403 HIGH_RISK_AUTHORIZATION" {
			t.Errorf("nobody made sure of her: %s", got)
		}
		sent := twice("dana", "/wires/"+kept.ID+"/send", send)
		if sent.State != "processed" || sent.Reference == "" {
			t.Errorf("sent %+v", sent.Wire)
		}
		p.holds("operating", 19_000_00)
		if got := p.as("dana", "POST", "/wires", harborOf(1_000_00, `"send":true`)).problem(); got != "409 LOOKS_DOUBLE" {
			t.Errorf("the same again: %s", got)
		}
		if got := p.as("dana", "POST", "/wires", harborOf(25_000_01, `"send":true`)).problem(); got != "403 LIMIT_PER_TRANSACTION" {
			t.Errorf("over the limit: %s", got)
		}

		var preview api.WirePreview
		p.as("dana", "POST", "/wires/preview", harborOf(12_000_00)).into(&preview)
		if !preview.Decision || !preview.ApprovalRequired || len(preview.Approvers) != 1 || preview.Approvers[0].ID != "ana" || preview.Day != "2026-03-02" {
			t.Errorf("it would become %+v", preview)
		}
		asked := twice("dana", "/wires", harborOf(12_000_00, `"send":true`))
		if asked.State != "pending_approval" || asked.Approval == "" {
			t.Fatalf("asked for %+v", asked.Wire)
		}
		var list api.ApprovalList
		p.as("ana", "GET", "/approvals", "").into(&list)
		if len(list.Approvals) != 1 || list.Approvals[0].ID != asked.Approval || list.Approvals[0].Ref != asked.ID || !list.Approvals[0].Mine {
			t.Fatalf("what waits: %+v", list)
		}
		yes := fmt.Sprintf(`{"hash":%q}`, list.Approvals[0].Hash)
		if got := p.as("dana", "POST", "/approvals/"+asked.Approval+"/approve", yes).problem(); got != "403 SELF_APPROVAL" {
			t.Errorf("her own: %s", got)
		}
		p.as("ana", "POST", "/approvals/"+asked.Approval+"/approve", yes).into(&api.Approval{})
		var out api.WireDetail
		p.as("dana", "GET", "/wires/"+asked.ID, "").into(&out)
		if out.State != "processed" || out.Approver != "Ana Ito" {
			t.Errorf("approved, it is %+v", out.Wire)
		}
		p.holds("operating", 7_000_00)

		later := twice("dana", "/wires", harborOf(11_000_00, `"send":true`, `"on":"2026-03-10"`))
		cancel := fmt.Sprintf(`{"version":%d}`, later.Version)
		if got := p.as("dana", "POST", "/wires/"+later.ID+"/cancel", `{"version":0}`).problem(); got != "409 CHANGED" {
			t.Errorf("cancelling what was seen before: %s", got)
		}
		if gone := twice("ana", "/wires/"+later.ID+"/cancel", cancel); gone.State != "cancelled" || gone.CanCancel {
			t.Errorf("cancelled, it is %+v", gone)
		}
		p.as("ana", "GET", "/approvals", "").into(&list)
		if len(list.Approvals) != 0 {
			t.Errorf("it still waits: %+v", list)
		}
		var wires api.WireList
		p.as("dana", "GET", "/wires?search=harbor&state=processed", "").into(&wires)
		if wires.Matching != 2 || wires.Sum != "13000.00" || wires.Total != 3 {
			t.Errorf("listed %+v", wires)
		}
	})
}

func TestAProgramUsesWireTemplatesAndSeries(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := start(t, d)
		p.sendsWires("dana")
		p.keepTemplate()
		template := p.kept
		if got := p.as("dana", "POST", "/wire-templates", harborOf(0, `"name":"Kept"`)).problem(); got != "422 name" {
			t.Errorf("the same name: %s", got)
		}
		var used, first api.WireDetail
		p.as("dana", "POST", "/wires", fmt.Sprintf(`{"template":%q,"amount":"750.00"}`, template)).into(&used)
		if used.State != "processed" || used.Payee.Account != "000123456" || used.Template != template {
			t.Errorf("drawn: %+v", used.Wire)
		}
		bound := p.caller("first", "Bound", "wires.one_time.create")
		for _, body := range []string{fmt.Sprintf(`{"template":%q,"amount":"750.00"}`, template), harborOf(1_00, `"send":true`), harborOf(1_00, `"repeat":"weekly"`)} {
			if got := p.as("dana", "POST", "/wires", body, "Authorization", "Bearer "+bound).problem(); got != "403 CALLER_NOT_ALLOWED" {
				t.Errorf("a program that is bound to writing wires down: %s: %s", body, got)
			}
		}
		p.as("dana", "POST", "/wire-templates/"+template+"/edit", harborOf(5_00, `"name":"Harbor"`, `"version":0`)).into(&api.WireTemplate{})
		var templates api.WireTemplateList
		p.as("dana", "GET", "/wire-templates", "").into(&templates)
		if len(templates.Templates) != 1 || templates.Templates[0].Name != "Harbor" || templates.Templates[0].Version != 1 {
			t.Errorf("templates: %+v", templates)
		}
		p.as("dana", "POST", "/wire-templates/"+template+"/delete", `{"version":1}`).into(&api.DeletedTemplate{})
		if got := p.as("dana", "GET", "/wire-templates/"+template, "").problem(); !strings.HasPrefix(got, "404") {
			t.Errorf("deleted: %s", got)
		}

		var series, edited, over api.WireSeries
		p.as("dana", "POST", "/wires", harborOf(1_00, `"repeat":"monthly"`, `"on":"2026-03-10"`, `"times":3`)).into(&first)
		p.as("dana", "GET", "/recurring-wires/"+first.Series, "").into(&series)
		if first.State != "scheduled" || series.Made != 1 || len(series.Wires) != 1 || !series.CanCancel {
			t.Errorf("the series is %+v", series)
		}
		p.as("dana", "POST", "/recurring-wires/"+first.Series+"/edit", fmt.Sprintf(`{"version":%d,"amount":"2.00"}`, series.Version)).into(&edited)
		if edited.Amount != "2.00" || edited.Times != 0 {
			t.Errorf("edited, it is %+v", edited)
		}
		p.as("dana", "POST", "/recurring-wires/"+first.Series+"/cancel", fmt.Sprintf(`{"version":%d}`, edited.Version)).into(&over)
		if over.State != "cancelled" || len(over.Wires) != 1 || over.Wires[0].State != "cancelled" {
			t.Errorf("cancelled, it is %+v", over)
		}
		p.holds("operating", 19_250_00)
	})
}
