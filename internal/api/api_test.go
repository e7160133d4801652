package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"mandate/internal/api"
	"mandate/internal/approval/approvaltest"
	"mandate/internal/authorization"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/client"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/gate"
	"mandate/internal/guard"
	"mandate/internal/host"
	"mandate/internal/host/hostsim"
	"mandate/internal/identity"
	"mandate/internal/moneymovement/ach"
	"mandate/internal/moneymovement/positivepay"
	"mandate/internal/moneymovement/stoppayment"
	"mandate/internal/moneymovement/wire"
	"mandate/internal/pdp"
	"mandate/internal/pdp/pdptest"
	"mandate/internal/route"
	"mandate/internal/usermgmt"
)

// A program is the product as a caller over the network sees it.
type program struct {
	t       *testing.T
	world   *pdptest.World
	clients *client.Service
	server  *httptest.Server
	key     string // of a caller of the first institution that is bound to nothing

	books  *hostsim.Bank
	line   *line
	desk   *host.Desk
	papers *approvaltest.Papers
	stops  *stoppayment.Service
	ach    *ach.Service
	wires  *wire.Service
	posPay *positivepay.Service
	asked  int      // requests for somebody, for their keys
	kept   string   // what a walk made, to be asked about
	pool   []string // the same, of several
}

func start(t *testing.T, d *db.DB) *program {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	door := guard.New(d, usermgmt.LoadPolicy, nil, identity.Proofs{})
	p := &program{t: t, world: pdptest.New(t, d), clients: client.New(d, door, log)}
	mux := route.NewMux()
	config := api.Config{
		Gate:           gate.New(p.clients, gate.NewLimiter(dbtest.ClockOf(t, d), gate.Rate{}), log),
		Decisions:      pdp.New(pdptest.Memory(d), usermgmt.DecisionSources(), nil),
		Users:          usermgmt.New(door, nil),
		Reverse:        usermgmt.New(door, nil),
		Authorizations: authorization.New(d, door, 0),
	}
	p.openMoney(&config, d, door)
	api.New(config).Mount(mux)
	p.server = httptest.NewServer(mux)
	t.Cleanup(p.server.Close)
	p.key = p.caller("first", "Hub")
	return p
}

// caller is the key of a program that asks and acts.
func (p *program) caller(institution bank.InstitutionID, name string, operations ...string) string {
	p.t.Helper()
	return p.keyOf(institution, client.Draft{Name: name, Operations: operations, Acts: true})
}

// asker is the key of a program that only asks.
func (p *program) asker(name string) string {
	p.t.Helper()
	return p.keyOf("first", client.Draft{Name: name})
}

func (p *program) keyOf(institution bank.InstitutionID, draft client.Draft) string {
	p.t.Helper()
	operator := bank.Caller{Kind: bank.ActorOperator, Institution: institution, Channel: bank.ChannelCommand}
	_, key, err := p.clients.Create(context.Background(), operator, draft)
	if err != nil {
		p.t.Fatal(err)
	}
	return key.Reveal()
}

// An answer is what came back.
type answer struct {
	t      *testing.T
	status int
	header http.Header
	body   string
}

// do sends a request; headers come in pairs, and an empty value leaves one out.
func (p *program) do(method, path, body string, headers ...string) answer {
	p.t.Helper()
	r, err := http.NewRequest(method, p.server.URL+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+p.key)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Del(headers[i])
		if headers[i+1] != "" {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	response, err := p.server.Client().Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return answer{p.t, response.StatusCode, response.Header, strings.TrimSpace(string(content))}
}

// into reads the body of a good answer.
func (a answer) into(body any) {
	a.t.Helper()
	d := json.NewDecoder(strings.NewReader(a.body))
	d.DisallowUnknownFields()
	if err := d.Decode(body); err != nil || a.status != 200 {
		a.t.Fatalf("status %d, %s: %v", a.status, a.body, err)
	}
}

// problem reads a problem document and writes its status, code and fields.
func (a answer) problem() string {
	a.t.Helper()
	var p api.Problem
	if err := json.Unmarshal([]byte(a.body), &p); err != nil || a.header.Get("Content-Type") != "application/problem+json" || p.Status != a.status ||
		p.Title != http.StatusText(a.status) || p.Detail == "" {
		a.t.Errorf("not a problem: %d %s %s (%v)", a.status, a.header.Get("Content-Type"), a.body, err)
	}
	line := fmt.Sprint(p.Status)
	if p.Code != "" {
		line += " " + p.Code
	}
	for _, e := range p.Errors {
		line += " " + e.Field
	}
	return line
}

const wireOf = `{"member":%q,"operation":"wires.transmit","account":%q,"amount":%q}`

func question(member, account, amount string) string {
	return fmt.Sprintf(wireOf, member, account, amount)
}

func with(body string, members ...string) string {
	return body[:len(body)-1] + "," + strings.Join(members, ",") + "}"
}

func TestExplain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := start(t, d)
		var yes api.Explanation
		a := p.do("POST", "/explain", question("dana", "operating", "10000.01"))
		a.into(&yes)
		if !yes.Decision || !yes.ApprovalRequired || yes.Organization != "acme" || len(yes.Reasons) != 0 || len(yes.Fix) != 0 || len(yes.Levels) < 4 {
			t.Errorf("a yes: %s", a.body)
		}
		if yes.Revision == "" || a.header.Get("Mandate-Revision") != yes.Revision {
			t.Errorf("revision %q, in the header %q", yes.Revision, a.header.Get("Mandate-Revision"))
		}
		for _, level := range yes.Levels {
			if !level.OK || len(level.Checks) == 0 {
				t.Errorf("level %+v of a yes", level)
			}
		}
		var no api.Explanation
		a = p.do("POST", "/explain", question("dana", "payroll", "30000.00"))
		a.into(&no)
		var codes []string
		for _, r := range no.Reasons {
			codes = append(codes, r.Code+" "+r.Permission)
		}
		want := "ACCOUNT_ACCESS_OFF account.access, ACCOUNT_OFF wires.work, ACCOUNT_OFF wires.transmit, LIMIT_PER_TRANSACTION wires.per_wire_limit"
		if got := strings.Join(codes, ", "); no.Decision || got != want {
			t.Errorf("reasons = %s, want %s", got, want)
		}
		for _, want := range []string{
			`"message":"Dana Reyes has no access to The payroll account."`,
			`"limit":"25000.00"`,
			`"permission":"wires.per_wire_limit","value":"30000.00","message":"Set Dana Reyes's Per wire limit to at least $30,000.00."`,
			`{"who":"organization_admin","message":"an admin of the organization, in User management"}`,
		} {
			if !no.Fixable || !strings.Contains(a.body, want) {
				t.Errorf("%s is not in %s", want, a.body)
			}
		}
	})
}

// The fix that is proposed, once made, turns the next answer around.
func TestTheFixHelps(t *testing.T) {
	d := dbtest.SQLite(t)
	p := start(t, d)
	p.world.SetAccount("first", "acme", "dana", "payroll", pdptest.SenderAccount)
	more := pdptest.Sender
	more.Limits = more.Limits.With(catalog.LimitPerWire, 30_000_00)
	p.world.SetMember("first", "acme", "dana", more)
	var e api.Explanation
	p.do("POST", "/explain", question("dana", "payroll", "30000.00")).into(&e)
	if !e.Decision {
		t.Errorf("after the fix: %+v", e.Reasons)
	}
}

func TestExplainKeepsAHoldFromThePersonHeld(t *testing.T) {
	d := dbtest.SQLite(t)
	p := start(t, d)
	p.world.SetStanding("first", "acme", "dana", bank.StatusLocked, true)
	admin := p.do("POST", "/explain", question("dana", "operating", "1.00"))
	if !strings.Contains(admin.body, "MEMBER_HELD") || !strings.Contains(admin.body, "Remove the hold") {
		t.Errorf("the admin reads %s", admin.body)
	}
	user := p.do("POST", "/explain", with(question("dana", "operating", "1.00"), `"reader":"user"`))
	var e api.Explanation
	user.into(&e)
	if len(e.Reasons) != 1 || e.Reasons[0].Code != "MEMBER_STATUS" || e.Reasons[0].Message != "You are not active." || e.Fixable {
		t.Errorf("the person reads %s", user.body)
	}
	for _, word := range []string{"held", "hold", "dana"} {
		if strings.Contains(strings.ToLower(user.body), word) {
			t.Errorf("the person reads %q in %s", word, user.body)
		}
	}
	// Held alone and locked alone look the same to them.
	p.world.SetStanding("first", "acme", "dana", bank.StatusActive, true)
	held := p.do("POST", "/explain", with(question("dana", "operating", "1.00"), `"reader":"user"`))
	var h api.Explanation
	held.into(&h)
	if fmt.Sprint(h.Reasons, h.Levels) != fmt.Sprint(e.Reasons, e.Levels) {
		t.Errorf("held reads %+v %+v\nlocked and held reads %+v %+v", h.Reasons, h.Levels, e.Reasons, e.Levels)
	}
}

func TestExplainAnswersNonsense(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := start(t, d)
		for body, want := range map[string]string{
			question("nobody", "operating", "1.00"):                                            "UNKNOWN_MEMBER",
			question("cleo", "operating", "1.00"):                                              "UNKNOWN_MEMBER",
			`{"member":"da\u0000na","operation":"account.view","account":"operating"}`:         "UNKNOWN_MEMBER",
			`{"member":"dana","operation":"account.view","account":"\u0000"}`:                  "UNKNOWN_ACCOUNT",
			`{"member":"","operation":""}`:                                                     "UNKNOWN_OPERATION",
			question("dana", "operating", "-1"):                                                "INVALID_AMOUNT",
			`{"member":"dana","operation":"wires.transmit","account":"operating"}`:             "INVALID_AMOUNT",
			with(question("dana", "operating", "1.00"), `"context":{"recurring":"perhaps"}`):   "INVALID_CONTEXT",
			with(question("dana", "operating", "1.00"), `"context":{"effective_date":"soon"}`): "INVALID_DATE",
		} {
			var e api.Explanation
			p.do("POST", "/explain", body).into(&e)
			if e.Decision || len(e.Reasons) != 1 || e.Reasons[0].Code != want || e.Reasons[0].Message == "" || e.Fixable || e.Levels == nil || e.Fix == nil {
				t.Errorf("%s: %+v, want %s", body, e, want)
			}
		}
	})
}

// What is wrong with a request is said whole, and nothing of it is repeated.
func TestWrongRequests(t *testing.T) {
	d := dbtest.SQLite(t)
	p := start(t, d)
	good := question("dana", "operating", "1.00")
	const secret = "s3cr3t-canary"
	const j = "application/json"
	for name, c := range map[string]struct {
		method, path, body, want string
		headers                  []string
	}{
		"unknown member":        {"POST", "/explain", with(good, `"amonut":"`+secret+`"`), "422 body.amonut", nil},
		"another case":          {"POST", "/explain", with(good, `"Amount":"`+secret+`"`), "422 body.Amount", nil},
		"a name twice":          {"POST", "/explain", with(good, `"amount":"`+secret+`"`), "400 body", nil},
		"missing members":       {"POST", "/explain", `{"account":"` + secret + `"}`, "422 body body", nil},
		"wrong types":           {"POST", "/explain", `{"member":"` + secret + `","operation":7,"account":["` + secret + `"]}`, "422 body.account body.operation", nil},
		"null":                  {"POST", "/explain", `{"member":"` + secret + `","operation":null}`, "422 body.operation", nil},
		"an unknown reader":     {"POST", "/explain", with(good, `"reader":"`+secret+`"`), "422 body.reader", nil},
		"too long":              {"POST", "/explain", `{"operation":"x","member":"` + strings.Repeat(secret, 20) + `"}`, "422 body.member", nil},
		"not JSON":              {"POST", "/explain", secret, "400 body", nil},
		"two values":            {"POST", "/explain", good + `"` + secret + `"`, "400 body", nil},
		"too deep":              {"POST", "/explain", with(good, `"context":{"a":`+strings.Repeat("[", 20)+`"`+secret+`"`+strings.Repeat("]", 20)+`}`), "400 body", nil},
		"a list":                {"POST", "/explain", `["` + secret + `"]`, "422 body", nil},
		"nothing":               {"POST", "/explain", "", "400", []string{"Content-Type", j}},
		"another type":          {"POST", "/explain", good, "415", []string{"Content-Type", "text/plain"}},
		"no type":               {"POST", "/explain", good, "415", []string{"Content-Type", ""}},
		"a revision of nothing": {"POST", "/explain", good, "422 header.Mandate-Revision", []string{"Mandate-Revision", secret}},
		"unknown parameter":     {"GET", "/organizations/acme/members?secret=" + secret, "", "422 query.secret", nil},
		"a page of text":        {"GET", "/organizations/acme/members?page=" + secret, "", "422 query.page", nil},
		"too large a page":      {"GET", "/organizations/acme/members?size=201&page=0", "", "422 query.page query.size", nil},
		"an unknown role":       {"GET", "/organizations/acme/members?role=" + secret, "", "422 query.role", nil},
		"a time of text":        {"GET", "/organizations/acme/history?from=" + secret, "", "422 query.from", nil},
		"a zero character":      {"GET", "/organizations/acme%00" + secret + "/members", "", "422", nil},
		"broken text":           {"GET", "/organizations/%ff" + secret + "/members", "", "422", nil},
		"unknown organization":  {"GET", "/organizations/" + secret + "/members", "", "404", nil},
		"somebody else's":       {"GET", "/organizations/cedar/members", "", "404", nil},
		"nowhere":               {"GET", "/" + secret, "", "404", nil},
		"the prefix alone":      {"GET", "/", "", "404", nil},
		"another method":        {"DELETE", "/explain", "", "405", nil},
		"no key":                {"GET", "/organizations/acme/members", "", "401", []string{"Authorization", ""}},
		"a wrong key":           {"GET", "/organizations/acme/members", "", "401", []string{"Authorization", "Bearer mk_" + secret}},
		"no idempotency key":    {"POST", "/authorizations", with(good, `"ref":"r"`), "422 header.Idempotency-Key", nil},
		"a key with blanks":     {"POST", "/authorizations", with(good, `"ref":"r"`), "422 Idempotency-Key", []string{"Idempotency-Key", "a " + secret}},
		"no reference":          {"POST", "/authorizations", good, "422 body", []string{"Idempotency-Key", "k"}},
		"a broken reference":    {"POST", "/authorizations", with(good, `"ref":"`+secret+`\n"`), "422 ref", []string{"Idempotency-Key", "k"}},
		"too large":             {"POST", "/explain", with(good, `"context":{"a":"`+strings.Repeat("x", gate.MaxBody)+`"}`), "413", nil},
	} {
		a := p.do(c.method, c.path, c.body, c.headers...)
		if got := a.problem(); got != c.want {
			t.Errorf("%s: %s, want %s (%s)", name, got, c.want, a.body)
		}
		if strings.Contains(a.body, secret) {
			t.Errorf("%s: what was sent is repeated: %s", name, a.body)
		}
		if a.header.Get("Content-Security-Policy") != "default-src 'none'; frame-ancestors 'none'" || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: headers %v", name, a.header)
		}
	}
	if a := p.do("DELETE", "/explain", ""); a.header.Get("Allow") != "POST" {
		t.Errorf("Allow = %q", a.header.Get("Allow"))
	}
}

func TestMembersAreListed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := start(t, d)
		p.world.SetStanding("first", "acme", "dana", bank.StatusLocked, true)
		for query, want := range map[string]string{
			"":                         "ana dana",
			"?reverse=true":            "dana ana",
			"?search=REYES":            "dana",
			"?role=admin":              "ana",
			"?status=locked":           "dana",
			"?held=true":               "dana",
			"?size=1&page=2":           "dana",
			"?search=nobody":           "",
			"?role=user&status=active": "",
		} {
			var list api.MemberList
			p.do("GET", "/organizations/acme/members"+query, "").into(&list)
			var ids []string
			for _, m := range list.Members {
				ids = append(ids, m.ID)
			}
			if got := strings.Join(ids, " "); got != want || list.Total != 2 {
				t.Errorf("%q: %q of %d, want %q", query, got, list.Total, want)
			}
		}
		var list api.MemberList
		p.do("GET", "/organizations/acme/members?search=dana", "").into(&list)
		if want := (api.Member{ID: "dana", FirstName: "Dana", LastName: "Reyes", Role: "user", Status: "locked", Held: true, Accounts: 1}); list.Members[0] != want {
			t.Errorf("got %+v, want %+v", list.Members[0], want)
		}
	})
}

func TestHistoryIsRead(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := start(t, d)
		for i := range 3 { // and one from making the world
			p.world.SetStanding("first", "acme", "dana", bank.StatusActive, i%2 == 0)
		}
		var pages []int64
		path := "/organizations/acme/history?size=2"
		for before := int64(0); ; {
			var list api.HistoryList
			p.do("GET", fmt.Sprintf("%s&before=%d", path, before), "").into(&list)
			for _, e := range list.Events {
				pages = append(pages, e.Sequence)
				if e.Name != "orguser.permission_changed" || e.Time != "2026-03-02T15:00:00.000000Z" || e.Changes == nil {
					t.Errorf("event %+v", e)
				}
			}
			if before = list.Before; before == 0 {
				break
			}
		}
		if fmt.Sprint(pages) != "[4 3 2 1]" {
			t.Errorf("sequence numbers %v", pages)
		}
		for query, want := range map[string]int{
			"?after=3": 1, "?name=orguser.created": 0, "?name=orguser.permission_changed&name=x": 4, "?member=nobody": 0,
			"?from=2026-03-02T15:00:00Z": 4, "?until=2026-03-02T15:00:00Z": 0, "?actor=x": 0, "?refused=true": 4,
		} {
			var list api.HistoryList
			p.do("GET", "/organizations/acme/history"+query, "").into(&list)
			if len(list.Events) != want {
				t.Errorf("%q: %d events, want %d", query, len(list.Events), want)
			}
		}
	})
}

func TestACallerBoundToOperationsAsksForThese(t *testing.T) {
	d := dbtest.SQLite(t)
	p := start(t, d)
	p.key = p.caller("first", "Wires", "wires.transmit")
	p.do("POST", "/explain", question("dana", "operating", "1.00")).into(&api.Explanation{})
	for _, a := range []answer{
		p.do("POST", "/explain", `{"member":"dana","operation":"account.view","account":"operating"}`),
		p.do("POST", "/explain", `{"member":"dana","operation":"wires.send"}`),
		p.do("POST", "/authorizations", `{"ref":"r","member":"dana","operation":"ach.batch.initiate"}`, "Idempotency-Key", "k"),
		p.do("GET", "/organizations/acme/members", ""),
		p.do("GET", "/organizations/acme/history", ""),
	} {
		if got := a.problem(); got != "403 CALLER_NOT_ALLOWED" {
			t.Errorf("%s", got)
		}
	}
}

func TestTheDescriptionIsServedToAnybody(t *testing.T) {
	p := start(t, dbtest.SQLite(t))
	a := p.do("GET", "/openapi.json", "", "Authorization", "")
	var description struct{ OpenAPI string }
	if err := json.Unmarshal([]byte(a.body), &description); err != nil || a.status != 200 || description.OpenAPI != "3.1.0" {
		t.Errorf("%d %.100s %v", a.status, a.body, err)
	}
}

// A payment's way through the API: authorized, approved by another, confirmed;
// and each call repeated.
func TestAPaymentIsAuthorizedApprovedAndConfirmed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := start(t, d)
		p.world.SetMember("first", "acme", "ana", pdptest.Sender)
		p.world.SetAccount("first", "acme", "ana", "operating", pdptest.SenderAccount)
		call := func(path, key, body, want string) {
			t.Helper()
			for range 2 { // the second time the key is known, and says the same
				var got api.Authorization
				a := p.do("POST", "/authorizations"+path, body, "Idempotency-Key", key)
				a.into(&got)
				line := fmt.Sprintf("%s %t", got.State, got.Decision)
				if got.ApprovalRequired {
					line += " approval"
				}
				for _, r := range got.Reasons {
					line += " " + r.Code
					if r.Message == "" || r.Message == r.Code {
						t.Errorf("%s: no words for %s", path, r.Code)
					}
				}
				if line != want || got.Ref != "pay 1/1" {
					t.Errorf("%s: %s (%s), want %s", path, line, a.body, want)
				}
			}
		}
		const ref = "/pay%201%2F1"
		pay := with(question("dana", "operating", "20000.00"), `"ref":"pay 1/1"`)
		call("", "k1", pay, "pending true approval")
		call("", "k2", pay, "pending true approval")
		call("", "k3", with(question("dana", "operating", "20000.01"), `"ref":"pay 1/1"`), "pending false REF_REUSED")
		call("", "k3b", with(question("nobody", "operating", "20000.01"), `"ref":"pay 1/1"`), "pending false REF_REUSED")
		call(ref+"/confirm", "k4", "", "pending false NOT_APPROVED")
		call(ref+"/approve", "k5", `{"member":"dana"}`, "pending false SELF_APPROVAL")
		call(ref+"/approve", "k6", `{"member":"nobody"}`, "pending false UNKNOWN_MEMBER")
		call(ref+"/approve", "k7", `{"member":"ana"}`, "pending true")
		call(ref+"/approve", "k8", `{"member":"ana"}`, "pending false NOT_PENDING")
		call(ref+"/confirm", "k9", "", "confirmed true")
		call(ref+"/confirm", "k10", "", "confirmed true")
		call(ref+"/void", "k11", "", "confirmed false CONFIRMED")
		call("", "k1", pay, "pending true approval") // as it was told then

		if got := p.do("POST", "/authorizations"+ref+"/void", "", "Idempotency-Key", "k1").problem(); got != "422 IDEMPOTENCY_KEY_REUSED" {
			t.Errorf("a key for another call: %s", got)
		}
		// What is confirmed counts: 60,000 a day less 20,000.
		var e api.Explanation
		more := pdptest.Sender
		more.Limits = more.Limits.With(catalog.LimitPerWire, bank.MaxAmount)
		p.world.SetMember("first", "acme", "dana", more)
		p.do("POST", "/explain", question("dana", "operating", "40000.00")).into(&e)
		if !e.Decision {
			t.Errorf("what is left of the day: %+v", e.Reasons)
		}
		p.do("POST", "/explain", question("dana", "operating", "40000.01")).into(&e)
		if e.Decision || e.Reasons[0].Code != "LIMIT_DAILY" || e.Reasons[0].Used != "20000.00" || e.Reasons[0].Limit != "60000.00" {
			t.Errorf("a cent more: %+v", e.Reasons)
		}
	})
}

func TestPaymentsOfNobodyAndOfOthers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := start(t, d)
		line := func(path, key, body string) string {
			t.Helper()
			var got api.Authorization
			p.do("POST", "/authorizations"+path, body, "Idempotency-Key", key).into(&got)
			line := fmt.Sprintf("%q %t", got.State, got.Decision)
			for _, r := range got.Reasons {
				line += " " + r.Code
			}
			return line
		}
		for _, c := range []struct{ path, body, want string }{
			{"", with(question("nobody", "operating", "1.00"), `"ref":"r1"`), `"" false UNKNOWN_MEMBER`},
			{"", `{"ref":"r1","member":"nobody","operation":"?"}`, `"" false UNKNOWN_OPERATION`},
			{"", `{"ref":"r1","member":"dana","operation":"?"}`, `"refused" false UNKNOWN_OPERATION`},
			{"/r1/confirm", "", `"refused" false NOT_PENDING`},
			{"", with(question("cleo", "operating", "1.00"), `"ref":"r2"`), `"" false UNKNOWN_MEMBER`},
			{"", with(question("dana", "operating", "25000.01"), `"ref":"r3"`), `"refused" false LIMIT_PER_TRANSACTION`},
			{"", with(question("dana", "operating", "25000.01"), `"ref":"r3"`), `"refused" false LIMIT_PER_TRANSACTION`},
			{"", with(question("dana", "operating", "1.00"), `"ref":"r4"`), `"pending" true`},
			{"/r4/void", "", `"voided" true`},
			{"/r4/void", "", `"voided" true`},
			{"", with(question("dana", "operating", "1.00"), `"ref":"r4"`), `"voided" false REF_VOIDED`},
			{"/never/confirm", "", `"" false UNKNOWN_REF`},
			{"/never/approve", `{"member":"ana"}`, `"" false UNKNOWN_REF`},
			{"/%00/void", "", `"" false UNKNOWN_REF`},
		} {
			if got := line(c.path, "k-"+bank.NewID("", dbtest.Start), c.body); got != c.want {
				t.Errorf("%s %s: %s, want %s", c.path, c.body, got, c.want)
			}
		}
		// Another caller of the same institution has references of its own, and
		// another institution's caller does not see these.
		if got := line("", "k", with(question("dana", "operating", "2.00"), `"ref":"r5"`)); got != `"pending" true` {
			t.Fatal(got)
		}
		for _, institution := range []bank.InstitutionID{"first", "second"} {
			p.key = p.caller(institution, "Another")
			if got := line("/r5/confirm", "k", ""); got != `"" false UNKNOWN_REF` {
				t.Errorf("a caller of %s: %s", institution, got)
			}
		}
	})
}

// Taking a right away between authorizing and release stops the release.
func TestRevokeThenConfirm(t *testing.T) {
	d := dbtest.SQLite(t)
	p := start(t, d)
	var a api.Authorization
	p.do("POST", "/authorizations", with(question("dana", "operating", "1.00"), `"ref":"r"`), "Idempotency-Key", "k1").into(&a)
	if !a.Decision {
		t.Fatalf("%+v", a)
	}
	p.world.SetMember("first", "acme", "dana", entitlement.Settings{})
	p.do("POST", "/authorizations/r/confirm", "", "Idempotency-Key", "k2").into(&a)
	if a.Decision || len(a.Reasons) != 1 || a.Reasons[0].Code != "INITIATOR_NOT_ALLOWED" {
		t.Errorf("%+v", a)
	}
}
