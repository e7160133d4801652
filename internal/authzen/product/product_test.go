package product_test

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

	"mandate/internal/authorization"
	"mandate/internal/authzen"
	"mandate/internal/authzen/product"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/client"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/gate"
	"mandate/internal/guard"
	"mandate/internal/pdp"
	"mandate/internal/pdp/pdptest"
	"mandate/internal/route"
	"mandate/internal/usermgmt"
)

const origin = "https://api.first.example"

// A program is the product as a caller over the network sees it.
type program struct {
	t        *testing.T
	world    *pdptest.World
	clients  *client.Service
	payments *authorization.Service
	server   *httptest.Server
	keys     [][]byte // of access requests, the first one signs
}

func start(t *testing.T, d *db.DB) *program {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	door := guard.New(d, usermgmt.LoadPolicy, nil, nil)
	p := &program{t: t, world: pdptest.New(t, d), clients: client.New(d, door, log), payments: authorization.New(d, door, authorization.Lifetime), keys: [][]byte{[]byte("a key of this test")}}
	service := pdp.New(pdptest.Memory(d), usermgmt.DecisionSources(), nil)
	mux := route.NewMux()
	authzen.New(authzen.Config{
		Decider: product.New(service).With(product.Requests{Payments: p.payments, Clock: dbtest.ClockOf(t, d), Keys: func() [][]byte { return p.keys }, Origin: origin}),
		Origin:  origin, HasInstitution: func(_ context.Context, id bank.InstitutionID) (bool, error) { return id == "first", nil },
		Gate: gate.New(p.clients, gate.NewLimiter(dbtest.ClockOf(t, d), gate.Rate{}), log),
	}).Mount(mux)
	p.server = httptest.NewServer(mux)
	t.Cleanup(p.server.Close)
	return p
}

// caller makes a program of an institution and returns its key.
func (p *program) caller(institution bank.InstitutionID, name string, operations ...string) (bank.ClientID, string) {
	p.t.Helper()
	operator := bank.Caller{Kind: bank.ActorOperator, Institution: institution, Channel: bank.ChannelCommand}
	c, key, err := p.clients.Create(context.Background(), operator, client.Draft{Name: name, Operations: operations})
	if err != nil {
		p.t.Fatal(err)
	}
	return c.ID, key.Reveal()
}

// ask posts a body and returns status, headers and what came back.
func (p *program) ask(key, path, body string, headers ...string) (int, http.Header, string) {
	p.t.Helper()
	r, err := http.NewRequest(http.MethodPost, p.server.URL+"/access/v1/"+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
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
	return response.StatusCode, response.Header, strings.TrimSpace(string(content))
}

// decision writes what a single evaluation says as one line: yes or no, the
// codes of the reasons, or the status of an error.
func (p *program) decision(key, body string) string {
	p.t.Helper()
	status, _, content := p.ask(key, "evaluation", body)
	if status != 200 {
		return fmt.Sprint(status)
	}
	var answer struct {
		Decision *bool
		Context  *struct {
			Reasons  []struct{ Code, Level, Permission, Account, Message string }
			Revision string
		}
	}
	d := json.NewDecoder(strings.NewReader(content))
	d.DisallowUnknownFields()
	if err := d.Decode(&answer); err != nil || answer.Decision == nil {
		p.t.Fatalf("%s: %v", content, err)
	}
	line := "no"
	if *answer.Decision {
		line = "yes"
	}
	if answer.Context != nil {
		line += " because"
		for _, r := range answer.Context.Reasons {
			line += " " + r.Code
		}
	}
	return line
}

// wire is the body of a question about sending a wire.
func wire(subject, account, amount, context string) string {
	return fmt.Sprintf(`{"subject":{"type":"user","id":%q},"action":{"name":"wires.transmit","properties":{"amount":%q}},"resource":{"type":"account","id":%q},"context":%s}`,
		subject, amount, account, context)
}

func TestDecisionsOverAuthZEN(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := start(t, d)
		_, key := p.caller("first", "Hub")
		const explain = `{"explain":"admin"}`
		body := func(subject, action, resource, context string) string {
			return fmt.Sprintf(`{"subject":%s,"action":%s,"resource":%s,"context":%s}`, subject, action, resource, context)
		}
		const dana, ana = `{"type":"user","id":"dana"}`, `{"type":"user","id":"ana"}`
		const operating, acme = `{"type":"account","id":"operating"}`, `{"type":"organization","id":"acme"}`
		const create, initiate = `{"name":"user_management.create_user"}`, `{"name":"ach.batch.initiate","properties":{"amount":"1.00"}}`
		for name, c := range map[string]struct{ body, want string }{
			"within every limit":         {wire("dana", "operating", "10000.00", "{}"), "yes"},
			"explained":                  {wire("dana", "operating", "10000.00", explain), "yes because"},
			"a second person is needed":  {wire("dana", "operating", "10000.01", "{}"), "no"},
			"a second person, explained": {wire("dana", "operating", "10000.01", explain), "no because APPROVAL_REQUIRED"},
			"over the limit":             {wire("dana", "operating", "25000.01", explain), "no because LIMIT_PER_TRANSACTION"},
			"all reasons":                {wire("dana", "payroll", "25000.01", explain), "no because ACCOUNT_ACCESS_OFF ACCOUNT_OFF ACCOUNT_OFF LIMIT_PER_TRANSACTION"},
			"no words unless asked":      {wire("dana", "payroll", "1.00", `{"recurring":false}`), "no"},
			"a malformed amount":         {wire("dana", "operating", "1e3", explain), "no because INVALID_AMOUNT"},
			"an amount of digits":        {body(dana, `{"name":"wires.transmit","properties":{"amount":5}}`, operating, explain), "no because INVALID_AMOUNT"},
			"no amount":                  {body(dana, `{"name":"wires.transmit"}`, operating, explain), "no because INVALID_AMOUNT"},
			"an unknown member":          {wire("nobody", "operating", "1.00", explain), "no because UNKNOWN_MEMBER"},
			"an id that cannot be":       {wire("dana\\u0000", "operating", "1.00", explain), "no because UNKNOWN_MEMBER"},
			"an unknown account":         {wire("dana", "vault", "1.00", explain), "no because UNKNOWN_ACCOUNT"},
			"another's account":          {wire("dana", "savings", "1.00", explain), "no because UNKNOWN_ACCOUNT"},
			"an empty account":           {wire("dana", "", "1.00", explain), "no because UNKNOWN_ACCOUNT"},
			"an unknown operation":       {body(dana, `{"name":"wires.send"}`, operating, explain), "no because UNKNOWN_OPERATION"},
			"an unknown subject type":    {body(`{"type":"staff","id":"dana"}`, `{"name":"account.view"}`, operating, explain), "no because UNKNOWN_SUBJECT_TYPE"},
			"an unknown resource type":   {body(dana, `{"name":"account.view"}`, `{"type":"card","id":"operating"}`, explain), "no because UNKNOWN_RESOURCE_TYPE"},
			"an account is needed":       {body(dana, `{"name":"account.view"}`, acme, explain), "no because UNKNOWN_RESOURCE_TYPE"},
			"seeing an account":          {body(dana, `{"name":"account.view"}`, operating, explain), "yes because"},
			"administering":              {body(ana, create, acme, explain), "yes because"},
			"somebody else administers":  {body(dana, create, acme, explain), "no because ROLE USER_OFF"},
			"administering elsewhere":    {body(ana, create, `{"type":"organization","id":"birch"}`, explain), "no because UNKNOWN_MEMBER"},
			"administering nothing":      {body(ana, create, `{"type":"organization","id":""}`, explain), "no because UNKNOWN_RESOURCE_TYPE"},
			"administering an account":   {body(ana, create, operating, explain), "no because UNKNOWN_RESOURCE_TYPE"},
			"an optional account":        {body(ana, initiate, operating, explain), "no because USER_OFF USER_OFF USER_OFF SECOND_PERSON_REQUIRED ACCOUNT_ACCESS_OFF LIMIT_DAILY"},
			"no optional account":        {body(ana, initiate, acme, explain), "no because USER_OFF USER_OFF USER_OFF SECOND_PERSON_REQUIRED LIMIT_DAILY"},
			"an empty optional account":  {body(ana, initiate, `{"type":"account","id":""}`, explain), "no because UNKNOWN_RESOURCE_TYPE"},
			"a pair without its other":   {body(dana, `{"name":"transfers.create","properties":{"amount":"1.00"}}`, operating, explain), "no because USER_OFF USER_OFF ACCOUNT_OFF UNKNOWN_ACCOUNT LIMIT_PER_TRANSACTION"},
			"a pair of one":              {body(dana, `{"name":"transfers.create","properties":{"amount":"1.00","to_account":"operating"}}`, operating, explain), "no because USER_OFF USER_OFF ACCOUNT_OFF ACCOUNT_OFF SAME_ACCOUNT LIMIT_PER_TRANSACTION"},
			"a pair with a number":       {body(dana, `{"name":"transfers.create","properties":{"amount":"1.00","to_account":1}}`, operating, explain), "no because USER_OFF USER_OFF ACCOUNT_OFF UNKNOWN_ACCOUNT LIMIT_PER_TRANSACTION"},
			"a context of another kind":  {wire("dana", "operating", "1.00", `{"explain":"admin","recurring":"yes"}`), "no because INVALID_CONTEXT"},
			"a context unknown to it":    {wire("dana", "operating", "1.00", `{"explain":"admin","same_day":"yes","device":7}`), "yes because"},
			"a recurring wire":           {wire("dana", "operating", "1.00", `{"explain":"admin","recurring":true}`), "no because USER_OFF ACCOUNT_OFF"},
			"an unknown reader":          {wire("dana", "operating", "1.00", `{"explain":"auditor"}`), "no because INVALID_CONTEXT"},
			"a reader of another kind":   {wire("dana", "operating", "1.00", `{"explain":true}`), "no because INVALID_CONTEXT"},
			"properties change nothing":  {body(`{"type":"user","id":"ana","properties":{"role":"admin","wires.transmit":true}}`, `{"name":"account.view"}`, operating, "{}"), "no"},
			"a revision of another kind": {wire("dana", "operating", "1.00", `{"explain":"admin","at_least_revision":7}`), "no because INVALID_CONTEXT"},
			"a revision that is none":    {wire("dana", "operating", "1.00", `{"explain":"admin","at_least_revision":"x"}`), "no because INVALID_CONTEXT"},
		} {
			if got := p.decision(key, strings.ReplaceAll(c.body, `\\u0000`, `\u0000`)); got != c.want {
				t.Errorf("%s: %s, want %s", name, got, c.want)
			}
		}
	})
}

func TestExplanationsAreForTheirReader(t *testing.T) {
	d := dbtest.SQLite(t)
	p := start(t, d)
	_, key := p.caller("first", "Hub")
	p.world.SetStanding("first", "acme", "dana", bank.StatusActive, true)
	_, header, admin := p.ask(key, "evaluation", wire("dana", "payroll", "1.00", `{"explain":"admin"}`))
	_, _, user := p.ask(key, "evaluation", wire("dana", "payroll", "1.00", `{"explain":"user"}`))
	revision := header.Get("Mandate-Revision")
	if revision == "" || !strings.Contains(admin, `"revision":"`+revision+`"`) {
		t.Errorf("the revision of the header, %q, is not that of %s", revision, admin)
	}
	for _, want := range []string{
		`{"code":"MEMBER_HELD","level":"organization_user","message":"Dana Reyes's account access is on hold."}`,
		`{"code":"ACCOUNT_ACCESS_OFF","level":"organization_user_account","permission":"account.access","account":"payroll","message":"Dana Reyes has no access to The payroll account."}`,
	} {
		if !strings.Contains(admin, want) {
			t.Errorf("the admin does not read %s in %s", want, admin)
		}
	}
	for _, want := range []string{
		`{"code":"MEMBER_STATUS","level":"organization_user","message":"You are not active."}`,
		`"message":"You have no access to The payroll account."`,
	} {
		if !strings.Contains(user, want) {
			t.Errorf("the user does not read %s in %s", want, user)
		}
	}
	if strings.Contains(strings.ToLower(user), "held") || strings.Contains(strings.ToLower(user), "hold") || strings.Contains(user, "Dana") {
		t.Errorf("the user reads of the hold, or of themself as of another: %s", user)
	}
	// Somebody disabled and held reads one reason, not two that are the same.
	p.world.SetStanding("first", "acme", "dana", bank.StatusLocked, true)
	if got := p.decision(key, wire("dana", "operating", "1.00", `{"explain":"user"}`)); got != "no because MEMBER_STATUS" {
		t.Errorf("locked and held: %s", got)
	}
}

// Taking a right away shows in the very next answer, and taking the caller's
// key away in the very next call.
func TestRevokeThenAsk(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := start(t, d)
		id, key := p.caller("first", "Hub")
		question := wire("dana", "operating", "1.00", "{}")
		less := pdptest.Sender
		less.On = less.On.Without(catalog.WiresTransmit)
		for range 20 {
			if got := p.decision(key, question); got != "yes" {
				t.Fatalf("before: %s", got)
			}
			p.world.SetMember("first", "acme", "dana", less)
			if got := p.decision(key, question); got != "no" {
				t.Fatalf("after: %s", got)
			}
			p.world.SetMember("first", "acme", "dana", pdptest.Sender)
		}
		operator := bank.Caller{Kind: bank.ActorOperator, Institution: "first", Channel: bank.ChannelCommand}
		if err := p.clients.Revoke(context.Background(), operator, id); err != nil {
			t.Fatal(err)
		}
		if got := p.decision(key, question); got != "401" {
			t.Errorf("with a revoked key: %s", got)
		}
	})
}

func TestACallerSeesItsInstitutionOnly(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := start(t, d)
		_, first := p.caller("first", "Hub")
		_, second := p.caller("second", "Hub")
		const explain = `{"explain":"admin"}`
		if got := p.decision(second, wire("cleo", "operating", "1.00", explain)); got != "yes because" {
			t.Errorf("its own: %s", got)
		}
		// A member of another institution and one that does not exist look the same.
		_, _, theirs := p.ask(second, "evaluation", wire("dana", "operating", "1.00", explain))
		_, _, nobody := p.ask(second, "evaluation", wire("nobody", "operating", "1.00", explain))
		if theirs != nobody || !strings.Contains(theirs, "UNKNOWN_MEMBER") {
			t.Errorf("somebody else's member: %s\nnobody: %s", theirs, nobody)
		}
		// A revision of another institution is never reached.
		_, header, _ := p.ask(first, "evaluation", wire("dana", "operating", "1.00", "{}"))
		demand := fmt.Sprintf(`{"explain":"admin","at_least_revision":%q}`, header.Get("Mandate-Revision"))
		if got := p.decision(second, wire("cleo", "operating", "1.00", demand)); got != "no because REVISION_NOT_REACHED" {
			t.Errorf("another institution's revision: %s", got)
		}
	})
}

func TestRevisionsAreDemandedByContextAndHeader(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := start(t, d)
		_, key := p.caller("first", "Hub")
		ask := func(context string, headers ...string) (int, string, string) {
			status, header, body := p.ask(key, "evaluation", wire("dana", "operating", "1.00", context), headers...)
			return status, header.Get("Mandate-Revision"), body
		}
		_, old, _ := ask("{}")
		p.world.SetMember("first", "acme", "dana", pdptest.Sender)
		_, now, _ := ask("{}")
		if old == now {
			t.Fatal("a change did not change the revision")
		}
		for _, demanded := range []string{old, now} {
			if _, _, body := ask(fmt.Sprintf(`{"at_least_revision":%q}`, demanded)); body != `{"decision":true}` {
				t.Errorf("demanded in the context: %s", body)
			}
			if _, _, body := ask("{}", "Mandate-Revision", demanded); body != `{"decision":true}` {
				t.Errorf("demanded in the header: %s", body)
			}
		}
		known, err := pdp.ParseRevision(now)
		if err != nil {
			t.Fatal(err)
		}
		known.OfOrganization++
		if _, _, body := ask("{}", "Mandate-Revision", known.String()); body != `{"decision":false}` {
			t.Errorf("a revision that does not exist yet, in the header: %s", body)
		}
		if _, _, body := ask(fmt.Sprintf(`{"at_least_revision":%q}`, known)); body != `{"decision":false}` {
			t.Errorf("a revision that does not exist yet, in the context: %s", body)
		}
		if status, _, body := ask("{}", "Mandate-Revision", "x"); status != 400 || !strings.Contains(body, "Mandate-Revision") {
			t.Errorf("a header that is none: %d %s", status, body)
		}
	})
}

func TestACallerBoundToOperations(t *testing.T) {
	d := dbtest.SQLite(t)
	p := start(t, d)
	_, key := p.caller("first", "Wires only", "wires.transmit")
	if got := p.decision(key, wire("dana", "operating", "1.00", "{}")); got != "yes" {
		t.Errorf("its operation: %s", got)
	}
	view := `{"subject":{"type":"user","id":"dana"},"action":{"name":"account.view"},"resource":{"type":"account","id":"operating"}}`
	if got := p.decision(key, view); got != "403" {
		t.Errorf("another operation: %s", got)
	}
	if got := p.decision(key, strings.Replace(view, "account.view", "wires.send", 1)); got != "403" {
		t.Errorf("an unknown operation: %s", got)
	}
	status, _, body := p.ask(key, "evaluations", `{"evaluations":[`+view+`,`+wire("dana", "operating", "1.00", "{}")+`,`+view+`]}`)
	const refused = `{"decision":false,"context":{"error":{"message":"This caller may not ask about this operation.","status":403}}}`
	if want := `{"evaluations":[` + refused + `,{"decision":true},` + refused + `]}`; status != 200 || body != want {
		t.Errorf("in a batch: %d %s, want %s", status, body, want)
	}
}

// A batch says what its items say alone, also across organizations.
func TestABatchOverAuthZEN(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := start(t, d)
		_, key := p.caller("first", "Hub")
		var items, alone []string
		for _, subject := range []string{"dana", "ana", "bea", "cleo"} {
			for _, account := range []string{"operating", "savings"} {
				for _, amount := range []string{"10000.00", "10000.01", "25000.01"} {
					body := wire(subject, account, amount, `{"explain":"user"}`)
					_, _, answer := p.ask(key, "evaluation", body)
					items, alone = append(items, body), append(alone, answer)
				}
			}
		}
		_, header, body := p.ask(key, "evaluations", `{"evaluations":[`+strings.Join(items, ",")+`]}`)
		if want := `{"evaluations":[` + strings.Join(alone, ",") + `]}`; body != want {
			t.Errorf("got  %s\nwant %s", body, want)
		}
		if header.Get("Mandate-Revision") != "" {
			t.Error("answers about several organizations have no revision in common")
		}
		_, header, _ = p.ask(key, "evaluations", `{"evaluations":[`+items[0]+`,`+items[1]+`]}`)
		if header.Get("Mandate-Revision") == "" {
			t.Error("answers about one organization have its revision in common")
		}
	})
}
