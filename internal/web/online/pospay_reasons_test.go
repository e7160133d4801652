package online_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"mandate/internal/api"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/client"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/gate"
	"mandate/internal/guard"
	"mandate/internal/moneymovement/positivepay"
	"mandate/internal/pdp"
	"mandate/internal/pdp/pdptest"
	"mandate/internal/route"
	"mandate/internal/usermgmt"
)

// A program is the API beside the screens, for the same organization.
type program struct {
	*purse
	url, key string
	asked    int
}

func (p *purse) program() *program {
	p.t.Helper()
	log := slog.New(slog.DiscardHandler)
	door := guard.New(p.d, usermgmt.LoadPolicy, nil, nil)
	clients := client.New(p.d, door, log)
	operator := bank.Caller{Kind: bank.ActorOperator, Institution: cedar, Channel: bank.ChannelCommand}
	_, key, err := clients.Create(p.t.Context(), operator, client.Draft{Name: "Hub", Acts: true})
	if err != nil {
		p.t.Fatal(err)
	}
	mux := route.NewMux()
	api.New(api.Config{
		Gate: gate.New(clients, gate.NewLimiter(p.clock, gate.Rate{}), log), Decisions: pdp.New(pdptest.Memory(p.d), usermgmt.DecisionSources(), nil), Users: p.users, PositivePay: p.posPay,
	}).Mount(mux)
	server := httptest.NewServer(mux)
	p.t.Cleanup(server.Close)
	return &program{purse: p, url: server.URL + "/api/v1", key: key.Reveal()}
}

// asks sends a request for Dana, vouched for, and returns its status and code.
func (p *program) asks(path string, body any) (status int, code string, answer map[string]any) {
	p.t.Helper()
	p.asked++
	text, err := json.Marshal(body)
	if err != nil {
		p.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(p.t.Context(), "POST", p.url+path, strings.NewReader(string(text)))
	if err != nil {
		p.t.Fatal(err)
	}
	for name, value := range map[string]string{
		"Authorization": "Bearer " + p.key, "Content-Type": "application/json", "Mandate-Member": string(userID("dana")), "Mandate-Proof": "passkey", "Idempotency-Key": fmt.Sprint("key-", p.asked),
	} {
		r.Header.Set(name, value)
	}
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer got.Body.Close()
	raw, err := io.ReadAll(got.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		p.t.Fatalf("%s: %s", path, raw)
	}
	code, _ = answer["code"].(string)
	return got.StatusCode, code, answer
}

// A deed is one operation as the screens and the API do it, and how one sees
// that it was done.
type deed struct {
	op     catalog.Operation
	needs  catalog.Permission
	screen func(v *visitor) answer
	api    func(p *program) (int, string)
	done   func(p *program) string // another answer once it was done
}

func posPayDeeds(p *program, check, ach positivepay.ItemID) []deed {
	lists := func(p *program) string {
		page, err := p.posPay.Files(p.t.Context(), dana(), positivepay.FileQuery{})
		return fmt.Sprint(page.Total, err)
	}
	downloads := func(p *program) string {
		n := 0
		err := p.d.Read(p.t.Context(), func(tx *db.Tx) (err error) {
			n, err = db.One(tx, db.Value[int], `select count(*) from history_event where name = $1 and not refused`, positivepay.EventDownloaded)
			return err
		})
		return fmt.Sprint(n, err)
	}
	states := func(p *program) string {
		all := ""
		err := p.d.Read(p.t.Context(), func(tx *db.Tx) error {
			found, err := db.All(tx, db.Value[string], `select state from arp_item order by id`)
			all = strings.Join(found, " ")
			return err
		})
		return fmt.Sprint(all, err)
	}
	decide := func(id positivepay.ItemID, kind, reason string) (func(*visitor) answer, func(*program) (int, string)) {
		return func(v *visitor) answer {
				return v.post("/cedar/positive-pay/decide", url.Values{"item": {string(id)}, "verdict": {"return"}, "reason_" + kind: {reason}})
			}, func(p *program) (int, string) {
				status, code, _ := p.asks("/positive-pay/"+kind+"-exceptions/"+string(id)+"/decide", map[string]string{"verdict": "return", "reason": reason})
				return status, code
			}
	}
	checkScreen, checkAPI := decide(check, "check", "other")
	achScreen, achAPI := decide(ach, "ach", "other")
	number := 5000
	return []deed{
		{catalog.ARPFileUpload, catalog.ARPUpload, func(v *visitor) answer {
			number++
			form := url.Values{"id": {string(positivepay.NewFileID(p.clock.Now()))}, "account": {"acc_operating"}, "rows": {"10"}, "number_1": {fmt.Sprint(number)}, "amount_1": {"5"}, "date_1": {"2026-03-02"}}
			return v.post("/cedar/positive-pay/entry", form)
		}, func(p *program) (int, string) {
			number++
			status, code, _ := p.asks("/positive-pay/lists", map[string]any{"account": "acc_operating", "checks": []any{map[string]any{"number": 1000 + number, "amount": "5.00", "date": "2026-03-02"}}})
			return status, code
		}, lists},
		{catalog.ARPFileDownload, catalog.ARPDownload, func(v *visitor) answer {
			return v.post("/cedar/positive-pay/output", url.Values{"account": {"acc_operating"}, "day": {"2026-03-02"}})
		}, func(p *program) (int, string) {
			status, code, _ := p.asks("/positive-pay/output/download", map[string]string{"account": "acc_operating", "day": "2026-03-02"})
			return status, code
		}, downloads},
		{catalog.ARPCheckExceptionDecide, catalog.ARPWorkChecks, checkScreen, checkAPI, states},
		{catalog.ARPACHExceptionDecide, catalog.ARPWorkACH, achScreen, achAPI, states},
	}
}

func dana() bank.Caller {
	return bank.Caller{Kind: bank.ActorMember, ID: string(userID("dana")), Name: "Dana Diaz", Institution: cedar, Organization: northwind, Channel: bank.ChannelOnline}
}

// A block is one thing that stands in the way, and can be taken out of it again.
type block struct {
	code string
	set  func(tx *db.Tx, off bool) error
}

// blocks are all reasons that can block an operation on an account.
func (p *program) blocks(needs catalog.Permission) []block {
	ordinal := p.ordinal("dana")
	page := p.policyOf("dana")
	m := page.Members[userID("dana")]
	all, on := m.Settings, m.Accounts["acc_operating"]
	without := func(s entitlement.Settings, permission catalog.Permission, off bool) entitlement.Settings {
		if off {
			s.On = s.On.Without(permission)
		}
		return s
	}
	user := func(permission catalog.Permission) func(*db.Tx, bool) error {
		return func(tx *db.Tx, off bool) error {
			return usermgmt.SetMemberSettings(tx, p.org.Num, ordinal, without(all, permission, off), 1)
		}
	}
	account := func(permission catalog.Permission) func(*db.Tx, bool) error {
		return func(tx *db.Tx, off bool) error {
			return usermgmt.SetMemberAccount(tx, p.org.Num, ordinal, p.accounts[0].Ordinal, without(on, permission, off))
		}
	}
	has := func(table string) func(*db.Tx, bool) error {
		return func(tx *db.Tx, off bool) (err error) {
			set := everything().Without(catalog.Cards)
			if off {
				set = set.Without(catalog.ARP)
			}
			if table == "institution" {
				_, err = tx.Exec(`update institution set offers = $1`, set)
			} else {
				_, err = tx.Exec(`update organization set entitlements = $1`, set)
			}
			return err
		}
	}
	return []block{
		{"INSTITUTION_OFF", has("institution")}, {"ORGANIZATION_OFF", has("organization")},
		{"USER_OFF", user(catalog.ARPEnabled)}, {"USER_OFF", user(needs)}, {"ACCOUNT_ACCESS_OFF", account(catalog.AccountAccess)}, {"ACCOUNT_OFF", account(needs)},
		{"MEMBER_STATUS", func(tx *db.Tx, off bool) error {
			status := bank.StatusActive
			if off {
				status = bank.StatusLocked
			}
			_, err := tx.Exec(`update member set status = $1 where id = $2`, status, userID("dana"))
			return err
		}},
		{"MEMBER_HELD", func(tx *db.Tx, off bool) error {
			_, err := tx.Exec(`update member set held = $1 where id = $2`, off, userID("dana"))
			return err
		}},
	}
}

func (p *purse) policyOf(username string) *entitlement.Policy {
	p.t.Helper()
	var page *entitlement.Policy
	err := p.d.Read(p.t.Context(), func(tx *db.Tx) (err error) {
		page, err = usermgmt.LoadPolicy(tx, cedar, northwind, entitlement.Scope{Members: []bank.UserID{userID(username)}, AllAccounts: true})
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return page
}

// Every operation of Positive Pay is refused by the screens and by the API for
// each reason that can block it, and done by both once nothing does.
func TestEveryOperationOfPositivePayByReason(t *testing.T) {
	eachARP(t, func(p *purse) {
		t := p.t.(*testing.T)
		p.comes(checkItem(7, 10_00, ""), checkItem(8, 10_00, ""), achItem(5_00, "Gym"), achItem(6_00, "Gym"))
		found, err := p.posPay.Items(t.Context(), dana(), positivepay.ItemQuery{})
		if err != nil || len(found.Items) != 4 {
			t.Fatalf("%+v, %v", found.Items, err)
		}
		program := p.program()
		screenDeeds := posPayDeeds(program, found.Items[0].ID, found.Items[2].ID)
		apiDeeds := posPayDeeds(program, found.Items[1].ID, found.Items[3].ID)
		walked := 0
		for n, d := range screenDeeds {
			for _, b := range program.blocks(d.needs) {
				p.clock.Advance(time.Second) // sign-ins that were ended now stay ended
				visitor := p.as("dana")
				before := d.done(program)
				p.write(func(tx *db.Tx) error { return b.set(tx, true) })
				got := d.screen(visitor)
				status, code := apiDeeds[n].api(program)
				p.write(func(tx *db.Tx) error { return b.set(tx, false) })
				if !slices.Contains([]int{403, 404}, got.status) && !strings.Contains(got.url, "/sign-in") {
					t.Errorf("%s with %s: the screen answers %d at %s: %.300s", d.op, b.code, got.status, got.url, got.text())
				}
				wanted := []string{b.code}
				if b.code == "MEMBER_HELD" { // it is never shown to the person held
					wanted = []string{"MEMBER_STATUS", ""}
				}
				if status != 403 || !slices.Contains(wanted, code) {
					t.Errorf("%s with %s: the API answers %d %s", d.op, b.code, status, code)
				}
				if after := d.done(program); after != before {
					t.Errorf("%s with %s was done: %s became %s", d.op, b.code, before, after)
				}
				walked++
			}
			p.clock.Advance(time.Second)
			before := d.done(program)
			if got := d.screen(p.as("dana")); got.status != 200 {
				t.Errorf("%s, permitted: the screen answers %d: %.300s", d.op, got.status, got.text())
			}
			between := d.done(program)
			if status, code := apiDeeds[n].api(program); status != 200 {
				t.Errorf("%s, permitted: the API answers %d %s", d.op, status, code)
			}
			if after := d.done(program); before == between || between == after {
				t.Errorf("%s, permitted: %s became %s by the screen and %s by the API", d.op, before, between, after)
			}
		}
		if walked != 4*8 {
			t.Errorf("%d pairs of operation and reason were walked", walked)
		}
	})
}
