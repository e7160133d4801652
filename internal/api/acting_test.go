package api_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"mandate/internal/api"
	"mandate/internal/approval"
	"mandate/internal/approval/approvaltest"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/host"
	"mandate/internal/host/hostsim"
	"mandate/internal/host/hostsim/hostsimtest"
	"mandate/internal/identity"
	"mandate/internal/moneymovement/card"
	"mandate/internal/moneymovement/notice"
	"mandate/internal/moneymovement/statement"
	"mandate/internal/moneymovement/stoppayment"
	"mandate/internal/moneymovement/transfer"
	"mandate/internal/pdp/pdptest"
	"mandate/internal/usermgmt"
)

// noMail is for people who are sent nothing here.
type noMail struct{}

func (noMail) Queue(*db.Tx, identity.Mail) error               { return nil }
func (noMail) Cancel(*db.Tx, bank.InstitutionID, string) error { return nil }

// nameless knows nobody's name.
func nameless(*db.Tx, bank.InstitutionID, bank.OrganizationID, []bank.UserID) (map[bank.UserID]string, error) {
	return nil, nil
}

// openMoney builds the rooms that move money. Acme's operating account opens
// with $20,000.00, and its payroll account with nothing.
func (p *program) openMoney(config *api.Config, d *db.DB, door *guard.Guard) {
	p.t.Helper()
	p.books = hostsimtest.Open(p.t, d)
	days := calendar.New(door, func(*db.Tx, bank.InstitutionID) (*time.Location, error) { return time.LoadLocation("America/Chicago") })
	p.desk = host.NewDesk(d, p.books, slog.New(slog.DiscardHandler))
	told := notice.New(noMail{}, usermgmt.People{})
	queue := approval.New(d, door, told, nameless)
	p.papers = approvaltest.New(door, queue, "operating")
	p.stops = stoppayment.New(stoppayment.Config{Guard: door, Calendar: days, Desk: p.desk, Teller: told})
	p.line = &line{Bank: p.books}
	config.Statements, config.Approvals, config.Stops = statement.New(door, p.line), queue, p.stops
	config.PositivePay = p.openPositivePay(door, days, p.desk, told)
	p.ach = newACH(d, door, queue, days)
	config.ACH = p.ach
	p.wires = newWires(d, door, queue, days, p.desk, told)
	config.Wires = p.wires
	config.Cards = card.New(card.Config{Guard: door, Desk: p.desk, Teller: told})
	config.Transfers = transfer.New(transfer.Config{DB: d, Guard: door, Calendar: days, Desk: p.desk, Teller: told, Process: "test"})
	err := p.books.Open(p.t.Context(), hostsim.Opening{Institution: "first", Organization: "acme", Account: "operating", Number: "000110000137", Balance: 20_000_00},
		hostsim.Opening{Institution: "first", Organization: "acme", Account: "payroll"})
	if err != nil {
		p.t.Fatal(err)
	}
}

// danaMoves lets Dana move up to $5,000.00 between Acme's accounts, and stop
// checks.
func (p *program) danaMoves() {
	p.t.Helper()
	s := pdptest.Sender
	s.On |= catalog.SetOf(catalog.TransfersEnabled, catalog.TransfersAllow, catalog.StopsEnabled, catalog.StopsView, catalog.StopsAdd)
	s.Limits = s.Limits.With(catalog.LimitTransfer, 5_000_00)
	p.world.SetMember("first", "acme", "dana", s)
	on := entitlement.Settings{On: catalog.SetOf(catalog.AccountAccess, catalog.WiresWork, catalog.WiresTransmit, catalog.TransfersFrom, catalog.TransfersTo, catalog.StopsView, catalog.StopsAdd)}
	p.world.SetAccount("first", "acme", "dana", "operating", on)
	p.world.SetAccount("first", "acme", "dana", "payroll", on)
}

// issue puts a card of Acme's into the host's records.
func (p *program) issue(c host.Card) {
	p.t.Helper()
	c.Organization = "acme"
	if err := p.books.Issue(p.t.Context(), "first", c); err != nil {
		p.t.Fatal(err)
	}
}

// as sends a request for somebody, with a key of its own, vouched for by a
// passkey unless headers say otherwise.
func (p *program) as(member, method, path, body string, headers ...string) answer {
	p.t.Helper()
	p.asked++
	all := []string{"Mandate-Member", member}
	if method == "POST" {
		all = append(all, "Idempotency-Key", fmt.Sprint("key-", p.asked), "Mandate-Proof", "passkey")
	}
	if strings.Contains(path, "preview") {
		all = all[:2]
	}
	return p.do(method, path, body, append(all, headers...)...)
}

// Whoever has a key that was made to ask cannot initiate or approve with it, and
// cannot read what a person sees.
func TestAProgramThatOnlyAsksActsForNobody(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := start(t, d)
		p.danaMoves()
		text, err := os.ReadFile("openapi.json")
		if err != nil {
			t.Fatal(err)
		}
		var described struct {
			Paths map[string]map[string]struct {
				Parameters []struct{ Name string }
			}
		}
		if err := json.Unmarshal(text, &described); err != nil {
			t.Fatal(err)
		}
		p.key = p.asker("Decisions")
		asked := 0
		for path, methods := range described.Paths {
			reads, about := methods["get"]
			if !about || !slices.ContainsFunc(reads.Parameters, func(one struct{ Name string }) bool { return one.Name == "Mandate-Member" }) {
				continue
			}
			asked++
			path = strings.ReplaceAll(path, "{side}", "front")
			path = regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(strings.TrimPrefix(path, "/api/v1"), "csv")
			if got := p.as("dana", "GET", path, "").problem(); got != "403 ACTS_FOR_NOBODY" {
				t.Errorf("GET %s: %s", path, got)
			}
		}
		if asked < 15 {
			t.Errorf("only %d addresses are about a person", asked)
		}
		for path, body := range map[string]string{"/transfers": fmt.Sprintf(move, "1.00"), "/approvals/apr_1/approve": `{"hash":"x"}`, "/approvals/apr_1/reject": `{}`} {
			if got := p.as("dana", "POST", path, body).problem(); got != "403 ACTS_FOR_NOBODY" {
				t.Errorf("POST %s: %s", path, got)
			}
		}
		p.holds("payroll", 0)
	})
}

func (p *program) holds(account bank.AccountID, cents bank.Cents) {
	p.t.Helper()
	got, err := p.books.Balances(p.t.Context(), "first", []bank.AccountID{account})
	if err != nil || got[account].Ledger != cents {
		p.t.Errorf("%s holds %s, %v, want %s", account, got[account].Ledger, err, cents)
	}
}

const move = `{"from":"operating","to":"payroll","amount":%q}`

func TestAProgramTransfersForAPerson(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := start(t, d)
		p.danaMoves()
		var options api.TransferOptions
		p.as("dana", "GET", "/transfers/options", "").into(&options)
		if !options.Decision || strings.Join(options.From, " ") != "operating payroll" || len(options.Ceilings) != 1 || options.Ceilings[0].Left != "5000.00" {
			t.Errorf("options are %+v", options)
		}
		var made api.TransferDetail
		p.as("dana", "POST", "/transfers", with(fmt.Sprintf(move, "1250.00"), `"memo":"March wages"`), "Idempotency-Key", "k1").into(&made)
		if made.State != "completed" || made.By.Name != "Dana Reyes" || len(made.Events) == 0 {
			t.Errorf("made %+v", made)
		}
		if e := made.Events[len(made.Events)-1]; e.Channel != "api" || e.Actor.ID != "dana" || !strings.HasPrefix(e.Device, "Hub (") || !strings.HasSuffix(e.Device, "vouched by passkey") {
			t.Errorf("history says %+v", e)
		}
		p.holds("payroll", 1_250_00)
		var again api.TransferDetail
		p.as("dana", "POST", "/transfers", with(fmt.Sprintf(move, "1250.00"), `"memo":"March wages"`), "Idempotency-Key", "k1").into(&again)
		if again.ID != made.ID {
			t.Errorf("the repetition made %s, the first call %s", again.ID, made.ID)
		}
		p.holds("payroll", 1_250_00)
		if got := p.as("dana", "POST", "/transfers", fmt.Sprintf(move, "1.00"), "Idempotency-Key", "k1").problem(); got != "422 IDEMPOTENCY_KEY_REUSED" {
			t.Errorf("a key for another transfer: %s", got)
		}
		var list api.TransferList
		p.as("dana", "GET", "/transfers?search=wages", "").into(&list)
		if list.Matching != 1 || list.Sum != "1250.00" {
			t.Errorf("listed %+v", list)
		}
		if got := p.as("ana", "GET", "/transfers/"+made.ID, "").problem(); got != "404" {
			t.Errorf("somebody who sees no account: %s", got)
		}
	})
}

func TestAProgramChangesScheduledTransfers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := start(t, d)
		p.danaMoves()
		var preview api.TransferPreview
		later := with(fmt.Sprintf(move, "10"), `"on":"2026-03-07"`)
		p.as("dana", "POST", "/transfers/preview", later).into(&preview)
		if !preview.Decision || preview.Day != "2026-03-09" || !strings.Contains(preview.DayReason, "weekends are not business days") {
			t.Errorf("it would become %+v", preview)
		}
		var made, changed, gone api.TransferDetail
		p.as("dana", "POST", "/transfers", later).into(&made)
		edit := fmt.Sprintf(`{"version":%d,"from":"operating","to":"payroll","amount":"12.50","on":"2026-03-10"}`, made.Version)
		p.as("dana", "POST", "/transfers/"+made.ID+"/edit", edit).into(&changed)
		if changed.Amount != "12.50" || changed.Day != "2026-03-10" || !changed.CanEdit {
			t.Errorf("changed to %+v", changed)
		}
		if got := p.as("dana", "POST", "/transfers/"+made.ID+"/cancel", fmt.Sprintf(`{"version":%d}`, made.Version)).problem(); got != "409 CHANGED" {
			t.Errorf("cancelling what was seen before: %s", got)
		}
		cancel := fmt.Sprintf(`{"version":%d}`, changed.Version)
		p.as("dana", "POST", "/transfers/"+made.ID+"/cancel", cancel, "Idempotency-Key", "c").into(&gone)
		p.as("dana", "POST", "/transfers/"+made.ID+"/cancel", cancel, "Idempotency-Key", "c").into(&gone)
		if gone.State != "cancelled" || gone.CanCancel {
			t.Errorf("cancelled, it is %+v", gone)
		}
		if got := p.as("dana", "POST", "/transfers/"+made.ID+"/retry", fmt.Sprintf(`{"version":%d}`, gone.Version)).problem(); got != "409 STATE" {
			t.Errorf("retrying what is cancelled: %s", got)
		}
		var first api.TransferDetail
		var series api.TransferSeries
		p.as("dana", "POST", "/transfers", with(fmt.Sprintf(move, "10"), `"on":"2026-03-31"`, `"repeat":"monthly"`, `"times":3`)).into(&first)
		p.as("dana", "POST", "/recurring-transfers/"+first.Series+"/cancel", "").into(&series)
		if series.State != "cancelled" || len(series.Transfers) != 1 || series.Transfers[0].State != "cancelled" {
			t.Errorf("the series is %+v", series)
		}
	})
}

// A refusal names each ceiling with what is left of it and who can raise it.
func TestAProgramIsToldWhy(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := start(t, d)
		p.danaMoves()
		refused := p.as("dana", "POST", "/transfers", fmt.Sprintf(move, "5000.01"))
		if got := refused.problem(); got != "403 LIMIT_PER_TRANSACTION" {
			t.Fatalf("over the limit: %s", got)
		}
		var why api.Problem
		if err := json.Unmarshal([]byte(refused.body), &why); err != nil {
			t.Fatal(err)
		}
		if r := why.Reasons[0]; len(why.Reasons) != 1 || r.Limit != "5000.00" || r.Remaining != "5000.00" || len(r.ChangedBy) == 0 || r.ChangedBy[0].Who != "organization_admin" {
			t.Errorf("told %s", refused.body)
		}
		if got := p.as("dana", "POST", "/transfers", fmt.Sprintf(move, "5"), "Mandate-Proof", "").problem(); got != "403 HIGH_RISK_AUTHORIZATION" {
			t.Errorf("nobody made sure of her: %s", got)
		}
		if got := p.as("dana", "POST", "/transfers", fmt.Sprintf(move, "5"), "Idempotency-Key", "").problem(); !strings.HasPrefix(got, "422") {
			t.Errorf("without a key: %s", got)
		}
		if got := p.as("dana", "POST", "/transfers", fmt.Sprintf(move, "x")).problem(); got != "422 body.amount" {
			t.Errorf("no amount: %s", got)
		}
		for _, nobody := range []string{"nobody", "cleo"} { // unknown, and of another bank
			if got := p.as(nobody, "GET", "/transfers", "").problem(); got != "404 UNKNOWN_MEMBER" {
				t.Errorf("%s: %s", nobody, got)
			}
		}
		bound := p.caller("first", "Bound", "wires.transmit")
		if got := p.as("dana", "POST", "/transfers", fmt.Sprintf(move, "5"), "Authorization", "Bearer "+bound).problem(); got != "403 CALLER_NOT_ALLOWED" {
			t.Errorf("a program that is bound to wires: %s", got)
		}
		p.world.SetStanding("first", "acme", "dana", bank.StatusActive, true)
		held := p.as("dana", "POST", "/transfers", fmt.Sprintf(move, "5"))
		if got := held.problem(); got != "403 MEMBER_STATUS" || strings.Contains(held.body, "hold") {
			t.Errorf("on hold: %s", held.body)
		}
		p.holds("payroll", 0)
	})
}

// Whoever has a second factor is made sure of by it: a program that knows the
// password alone does not get further than a screen would.
func TestAPasswordIsNotEnoughWhereThereIsASecondFactor(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := start(t, d)
		p.danaMoves()
		p.as("dana", "POST", "/transfers", fmt.Sprintf(move, "1.00"), "Mandate-Proof", "password").into(&api.TransferDetail{})
		enrol := func(confirmed bool) {
			err := d.Write(t.Context(), func(tx *db.Tx) error {
				_, err := tx.Exec(`
					insert into second_factor (institution_id, subject_kind, subject_id, id, method, name, secret, lookup, last_step, confirmed, created_micros, used_micros)
					values ('first', 'member', 'dana', 'fac_1', 'totp', 'Phone', $1, $1, 0, $2, 1, 0)
					on conflict (institution_id, subject_kind, subject_id, id) do update set confirmed = excluded.confirmed`, []byte("seed"), confirmed)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		enrol(false) // she has only looked at the code
		p.as("dana", "POST", "/transfers", fmt.Sprintf(move, "1.00"), "Mandate-Proof", "password").into(&api.TransferDetail{})
		enrol(true)
		got := p.as("dana", "POST", "/transfers", fmt.Sprintf(move, "1.00"), "Mandate-Proof", "password")
		if got.problem() != "403 SECOND_FACTOR_NEEDED" || !strings.Contains(got.body, "the password alone is not enough") {
			t.Errorf("by her password: %s", got.body)
		}
		p.holds("payroll", 2_00)
		p.as("dana", "POST", "/transfers", fmt.Sprintf(move, "1.00"), "Mandate-Proof", "totp").into(&api.TransferDetail{})
		p.holds("payroll", 3_00)
	})
}

func TestAProgramStopsChecks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := start(t, d)
		p.danaMoves()
		operator := bank.Caller{Kind: bank.ActorOperator, Institution: "first", Channel: bank.ChannelCommand}
		if err := p.stops.SetTerms(t.Context(), operator, stoppayment.Terms{Fee: 30_00, Disclaimer: "It holds for six months.", NeedsAmount: true}); err != nil {
			t.Fatal(err)
		}
		var options api.StopOptions
		p.as("dana", "GET", "/stop-payments/options", "").into(&options)
		if options.Fee != "30.00" || strings.Join(options.Needs, " ") != "amount" || strings.Join(options.Accounts, " ") != "operating payroll" || options.Until != "2026-09-02" {
			t.Errorf("options are %+v", options)
		}
		unseen := `{"account":"operating","first":1001,"amount":"250.00"}`
		var preview api.StopPreview
		p.as("dana", "POST", "/stop-payments/preview", unseen).into(&preview)
		if !preview.Decision {
			t.Errorf("refused before it was asked for: %+v", preview)
		}
		if got := p.as("dana", "POST", "/stop-payments", unseen).problem(); !strings.HasPrefix(got, "409") {
			t.Errorf("without having seen the terms: %s", got)
		}
		seen := with(unseen, fmt.Sprintf(`"terms":%q`, options.Terms))
		var made, again api.StopDetail
		p.as("dana", "POST", "/stop-payments", seen, "Idempotency-Key", "s").into(&made)
		p.as("dana", "POST", "/stop-payments", seen, "Idempotency-Key", "s").into(&again)
		if made.State != "active" || made.ID != again.ID || made.Until != "2026-09-02" {
			t.Errorf("placed %+v, then %+v", made, again)
		}
		p.holds("operating", 19_970_00)
		if got := p.as("dana", "POST", "/stop-payments", `{"account":"operating","first":1000,"last":1002}`).problem(); !strings.HasPrefix(got, "422") {
			t.Errorf("what is stopped already: %s", got)
		}
		var list api.StopPaymentList
		p.as("dana", "GET", "/stop-payments?search=1001", "").into(&list)
		if list.Matching != 1 || list.Fees != "30.00" {
			t.Errorf("listed %+v", list)
		}
		p.as("ana", "GET", "/stop-payments", "").into(&list)
		if list.Decision || len(list.Reasons) == 0 {
			t.Errorf("Ana sees %+v", list)
		}
		if got := p.as("ana", "POST", "/stop-payments", seen).problem(); !strings.HasPrefix(got, "403 USER_OFF") {
			t.Errorf("Ana stops a check: %s", got)
		}
	})
}

func TestAProgramCarriesASecondPersonsAnswer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := start(t, d)
		p.danaMoves()
		p.world.SetMember("first", "acme", "ana", pdptest.Sender)
		p.world.SetAccount("first", "acme", "ana", "operating", pdptest.SenderAccount)
		dana := bank.Caller{Kind: bank.ActorMember, ID: "dana", Name: "Dana Reyes", Institution: "first", Organization: "acme", Channel: bank.ChannelOnline}
		ask := func(ref string) approval.Item {
			item, err := p.papers.Ask(t.Context(), dana, ref, approvaltest.Paper{Content: "pay", Cents: 500_00})
			if err != nil {
				t.Fatal(err)
			}
			return item
		}
		item, other := ask("1"), ask("2")
		var list api.ApprovalList
		p.as("ana", "GET", "/approvals", "").into(&list)
		if len(list.Approvals) != 2 || !list.Approvals[0].Mine || list.Approvals[0].Amount != "500.00" || list.Approvals[0].Operation != "wires.approve" {
			t.Errorf("what waits: %+v", list)
		}
		yes := fmt.Sprintf(`{"hash":%q,"comment":"Fine"}`, item.Hash)
		if got := p.as("dana", "POST", "/approvals/"+item.ID+"/approve", yes).problem(); got != "403 SELF_APPROVAL" {
			t.Errorf("her own: %s", got)
		}
		if got := p.as("ana", "POST", "/approvals/"+item.ID+"/approve", `{"hash":"other"}`).problem(); got != "409 CHANGED" {
			t.Errorf("not what was seen: %s", got)
		}
		if got := p.as("ana", "POST", "/approvals/"+item.ID+"/approve", yes, "Mandate-Proof", "").problem(); got != "403 HIGH_RISK_AUTHORIZATION" {
			t.Errorf("nobody made sure of her: %s", got)
		}
		bound := p.caller("first", "Bound", "transfers.create")
		if got := p.as("ana", "POST", "/approvals/"+item.ID+"/approve", yes, "Authorization", "Bearer "+bound).problem(); got != "403 CALLER_NOT_ALLOWED" {
			t.Errorf("a program that is bound to transfers: %s", got)
		}
		var done api.Approval
		p.as("ana", "POST", "/approvals/"+item.ID+"/approve", yes, "Idempotency-Key", "a").into(&done)
		p.as("ana", "POST", "/approvals/"+item.ID+"/approve", yes, "Idempotency-Key", "a").into(&done)
		if done.State != "released" || done.By.Name != "Ana Ito" || done.Comment != "Fine" {
			t.Errorf("approved: %+v", done)
		}
		p.as("ana", "POST", "/approvals/"+other.ID+"/reject", `{"comment":"No"}`).into(&done)
		if done.State != "rejected" || len(p.papers.Over) != 1 {
			t.Errorf("rejected: %+v, %v", done, p.papers.Over)
		}
	})
}

func TestAProgramManagesCards(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := start(t, d)
		s := pdptest.Sender
		s.On |= catalog.SetOf(catalog.CardsEnabled, catalog.CardsManage)
		p.world.SetMember("first", "acme", "dana", s)
		p.issue(host.Card{ID: "crd_1", Account: "operating", Holder: "Dana Reyes", Kind: "debit", LastFour: "4821", Expires: "2029-04", State: host.CardActive})
		p.issue(host.Card{ID: "crd_2", Account: "payroll", Holder: "Ana Ito", Kind: "debit", LastFour: "1111", Expires: "2029-04", State: host.CardActive})
		var list api.CardList
		p.as("dana", "GET", "/cards", "").into(&list)
		if list.Total != 1 || list.Cards[0].LastFour != "4821" { // she does not see Payroll
			t.Errorf("listed %+v", list)
		}
		if got := p.as("dana", "GET", "/cards/crd_2", "").problem(); got != "404" {
			t.Errorf("a card of an account that she does not see: %s", got)
		}
		var locked, gone, fresh api.CardDetail
		p.as("dana", "POST", "/cards/crd_1/lock", "", "Mandate-Proof", "").into(&locked)
		if locked.State != "locked" || strings.Join(locked.Can, " ") != "unlock reorder report_lost report_stolen" {
			t.Errorf("locked: %+v", locked)
		}
		if got := p.as("dana", "POST", "/cards/crd_1/unlock", "", "Mandate-Proof", "").problem(); got != "403 HIGH_RISK_AUTHORIZATION" {
			t.Errorf("nobody made sure of her: %s", got)
		}
		if got := p.as("dana", "POST", "/cards/crd_1/lock", "").problem(); got != "409 STATE" {
			t.Errorf("locked twice: %s", got)
		}
		for range 2 {
			p.as("dana", "POST", "/cards/crd_1/report-lost", `{"replace":true}`, "Idempotency-Key", "lost").into(&gone)
		}
		if gone.State != "lost" || gone.Replacement == "" || len(gone.Can) != 0 {
			t.Fatalf("lost: %+v", gone)
		}
		p.as("dana", "GET", "/cards/"+gone.Replacement, "").into(&fresh)
		if fresh.State != "ordered" || fresh.Expires != "" || fresh.Replaces != "crd_1" {
			t.Errorf("the new one: %+v", fresh)
		}
		if got := p.as("dana", "POST", "/cards/"+fresh.ID+"/activate", `{"expires":"2031-01"}`).problem(); got != "422 expires" {
			t.Errorf("not in hand: %s", got)
		}
		p.as("dana", "POST", "/cards/"+fresh.ID+"/activate", `{"expires":"2030-03"}`).into(&fresh)
		if fresh.State != "active" || fresh.Expires != "2030-03" {
			t.Errorf("activated: %+v", fresh)
		}
	})
}
