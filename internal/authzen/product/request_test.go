package product_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"mandate/internal/authorization"
	"mandate/internal/bank"
	"mandate/internal/client"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/pdp/pdptest"
)

// capable makes a program with capabilities.
func (p *program) capable(name string, capabilities ...client.Capability) (client.Client, string) {
	p.t.Helper()
	operator := bank.Caller{Kind: bank.ActorOperator, Institution: "first", Channel: bank.ChannelCommand}
	c, key, err := p.clients.Create(context.Background(), operator, client.Draft{Name: name, Access: client.Access{Capabilities: capabilities}})
	if err != nil {
		p.t.Fatal(err)
	}
	return c, key.Reveal()
}

// get reads an address below the API's.
func (p *program) get(key, path string) (int, string) {
	p.t.Helper()
	r, err := http.NewRequest(http.MethodGet, p.server.URL+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	response, err := p.server.Client().Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return response.StatusCode, strings.TrimSpace(string(content))
}

type denial struct {
	Decision bool
	Context  struct {
		EvaluationID  string `json:"evaluation_id"`
		Reason        string
		AccessRequest struct {
			Endpoint string
			Template string
			Expires  string `json:"expires_at"`
			Binding  string `json:"binding_token"`
		} `json:"access_request"`
		Reasons     []struct{ Code, Message string }
		Obligations []struct {
			ID, Type   string
			Properties map[string]any
		}
	}
}

func (p *program) denied(key, body string) (d denial) {
	p.t.Helper()
	status, _, content := p.ask(key, "evaluation", body)
	if err := json.Unmarshal([]byte(content), &d); err != nil || status != 200 {
		p.t.Fatalf("%d %s: %v", status, content, err)
	}
	return d
}

type task struct {
	Task struct {
		ID, Status string
		Endpoint   string `json:"status_endpoint"`
		Expires    string `json:"expires_at"`
	}
	Result *struct {
		Mode     string
		Approval struct {
			ID    string
			Until string `json:"approved_until"`
		}
	}
}

func readTask(t *testing.T, content string) (read task) {
	t.Helper()
	if err := json.Unmarshal([]byte(content), &read); err != nil {
		t.Fatalf("%s: %v", content, err)
	}
	return read
}

// request is an evaluation with the denial that it was answered with.
func request(body string, d denial) string {
	return fmt.Sprintf(`%s,"denial":{"evaluation_id":%q,"expires_at":%q,"reason":%q,"binding_token":%q}}`,
		body[:len(body)-1], d.Context.EvaluationID, d.Context.AccessRequest.Expires, d.Context.Reason, d.Context.AccessRequest.Binding)
}

// A denial that a second person can turn around becomes a payment that waits for
// one, and with it a permit, which says what confirming the payment says.
func TestADenialIsTurnedAroundByASecondPerson(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := start(t, d)
		p.world.SetMember("first", "acme", "ana", pdptest.Sender)
		p.world.SetAccount("first", "acme", "ana", "operating", pdptest.SenderAccount)
		c, key := p.capable("Hub", client.AccessRequests)
		_, plain := p.caller("first", "Plain")
		caller := c.Caller("", "")
		const context_ = `{"effective_date":"2026-03-02"}`
		body := wire("dana", "operating", "10000.01", context_)

		if _, _, got := p.ask(plain, "evaluation", body); got != `{"decision":false}` {
			t.Errorf("for a caller without the capability: %s", got)
		}
		asked := p.denied(key, body)
		now, request_ := dbtest.ClockOf(t, d).Now(), asked.Context.AccessRequest
		if asked.Decision || asked.Context.Reason != "APPROVAL_REQUIRED" || asked.Context.EvaluationID == "" || asked.Context.Reasons != nil ||
			request_.Endpoint != origin+"/access/v1/request" || request_.Template == "" || request_.Binding == "" ||
			request_.Expires != now.Add(15*time.Minute).UTC().Format(time.RFC3339) {
			t.Fatalf("denied as %+v", asked)
		}
		if got := p.denied(key, wire("dana", "operating", "25000.01", "{}")); got.Context.EvaluationID != "" || got.Context.AccessRequest.Binding != "" {
			t.Errorf("a denial that nobody can turn around: %+v", got)
		}
		if got := p.denied(key, wire("dana", "operating", "10000.01", `{"explain":"user"}`)); len(got.Context.Reasons) != 1 || got.Context.Reasons[0].Code != "APPROVAL_REQUIRED" {
			t.Errorf("explained: %+v", got)
		}

		status, header, content := p.ask(key, "request", request(body, asked))
		made := readTask(t, content)
		if status != http.StatusAccepted || made.Task.Status != "pending" || made.Task.ID != asked.Context.EvaluationID || made.Result != nil ||
			made.Task.Endpoint != origin+"/access/v1/request/"+made.Task.ID || header.Get("Location") != made.Task.Endpoint {
			t.Fatalf("asked for: %d %s", status, content)
		}
		if _, _, again := p.ask(key, "request", request(body, asked)); again != content {
			t.Errorf("asked for once more: %s, first %s", again, content)
		}
		poll := func(want string) task {
			t.Helper()
			status, content := p.get(key, "/access/v1/request/"+made.Task.ID)
			got := readTask(t, content)
			if status != 200 || got.Task.Status != want {
				t.Errorf("it is %s (%d), want %s", content, status, want)
			}
			return got
		}
		poll("pending")

		// Asked again, it is what confirming it would say, each time.
		named := wire("dana", "operating", "10000.01", `{"effective_date":"2026-03-02","explain":"admin","approval":{"id":"`+made.Task.ID+`"}}`)
		verdict := func(want string) {
			t.Helper()
			if got := p.decision(key, named); got != want {
				t.Errorf("asked again: %q, want %q", got, want)
			}
		}
		verdict("no because NOT_APPROVED")
		if got := p.decision(plain, named); got != "no because APPROVAL_REQUIRED" {
			t.Errorf("for a caller without the capability: %q", got)
		}
		approve := func(member bank.UserID) authorization.Answer {
			t.Helper()
			answer, err := p.payments.Approve(context.Background(), caller, made.Task.ID, member)
			if err != nil {
				t.Fatal(err)
			}
			return answer
		}
		if approve("dana").Allowed {
			t.Error("she approves her own wire")
		}
		if !approve("ana").Allowed {
			t.Fatal("nobody can approve")
		}
		if got := poll("approved"); got.Result == nil || got.Result.Mode != "reevaluate" || got.Result.Approval.ID != made.Task.ID {
			t.Errorf("approved as %+v", got.Result)
		}
		verdict("yes because")
		if p.denied(key, body).Decision {
			t.Error("it may go without the approval being named")
		}
		other := wire("dana", "operating", "10000.02", `{"effective_date":"2026-03-02","explain":"admin","approval":{"id":"`+made.Task.ID+`"}}`)
		if got := p.decision(key, other); got != "no because REF_REUSED" {
			t.Errorf("another wire under the same approval: %q", got)
		}
		p.world.SetStanding("first", "acme", "ana", bank.StatusActive, true)
		verdict("no because APPROVER_NOT_ALLOWED")
		p.world.SetStanding("first", "acme", "ana", bank.StatusActive, false)
		p.world.SetStanding("first", "acme", "dana", bank.StatusActive, true)
		verdict("no because INITIATOR_NOT_ALLOWED")
		p.world.SetStanding("first", "acme", "dana", bank.StatusActive, false)
		verdict("yes because")
		if answer, err := p.payments.Confirm(context.Background(), caller, made.Task.ID); err != nil || !answer.Allowed {
			t.Errorf("confirmed: %+v, %v", answer, err)
		}
		verdict("yes because") // and so does confirming it again
	})
}

func TestAccessRequestsHaveBounds(t *testing.T) {
	d := dbtest.SQLite(t)
	p := start(t, d)
	_, key := p.capable("Hub", client.AccessRequests)
	_, other := p.capable("Other", client.AccessRequests)
	_, plain := p.caller("first", "Plain")
	body := wire("dana", "operating", "10000.01", "{}")
	asked := p.denied(key, body)
	good := request(body, asked)
	later := p.denied(key, wire("dana", "operating", "10000.02", "{}"))
	mixed := asked
	mixed.Context.EvaluationID = later.Context.EvaluationID
	forged := asked
	forged.Context.AccessRequest.Binding = asked.Context.AccessRequest.Binding[:len(asked.Context.AccessRequest.Binding)-2] + "AA"
	for name, c := range map[string]struct {
		key, body string
		want      int
	}{
		"by another caller":        {other, good, 400},
		"by one that cannot":       {plain, good, 403},
		"without a denial":         {key, body, 400},
		"with a denial of text":    {key, strings.Replace(good, `"denial":{`, `"denial":"x","x":{`, 1), 400},
		"for another question":     {key, request(wire("dana", "operating", "10000.02", "{}"), asked), 400},
		"for another's evaluation": {key, request(body, mixed), 400},
		"with a forged token":      {key, request(body, forged), 400},
		"without a resource":       {key, strings.Replace(good, `"resource"`, `"thing"`, 1), 400},
		"without anything":         {key, "", 400},
	} {
		if status, _, content := p.ask(c.key, "request", c.body); status != c.want || content == "" {
			t.Errorf("%s: %d %s, want %d", name, status, content, c.want)
		}
	}
	for name, c := range map[string]struct {
		key, id string
		want    int
	}{
		"a task that nobody asked for": {key, asked.Context.EvaluationID, 404}, "no task": {key, "x", 404}, "by one that cannot": {plain, asked.Context.EvaluationID, 403},
	} {
		if status, _ := p.get(c.key, "/access/v1/request/"+c.id); status != c.want {
			t.Errorf("%s: %d", name, status)
		}
	}
	if status, _, content := p.ask(key, "request", good); status != http.StatusAccepted {
		t.Fatalf("%d %s", status, content)
	}
	if status, _ := p.get(other, "/access/v1/request/"+asked.Context.EvaluationID); status != 404 {
		t.Errorf("another caller's task: %d", status)
	}
	for name, approval := range map[string]string{"of text": `"x"`, "of nothing": `{}`, "of digits": `{"id":1}`, "empty": `{"id":""}`} {
		if got := p.decision(key, wire("dana", "operating", "1.00", `{"explain":"admin","approval":`+approval+`}`)); got != "no because INVALID_CONTEXT" {
			t.Errorf("an approval %s: %q", name, got)
		}
	}
	if got := p.decision(key, wire("dana", "operating", "1.00", `{"explain":"admin","approval":{"id":"evl_x"}}`)); got != "no because UNKNOWN_REF" {
		t.Errorf("an approval that is none: %q", got)
	}
	dbtest.ClockOf(t, d).Advance(15 * time.Minute)
	if status, _, _ := p.ask(key, "request", request(wire("dana", "operating", "10000.02", "{}"), later)); status != 400 {
		t.Errorf("after its time: %d", status)
	}
	dbtest.ClockOf(t, d).Advance(authorization.Lifetime)
	if _, content := p.get(key, "/access/v1/request/"+asked.Context.EvaluationID); readTask(t, content).Task.Status != "expired" {
		t.Errorf("a task that nobody answered: %s", content)
	}
}

// A denial that was signed before the installation's key was changed is good
// until that key goes; what is denied meanwhile is signed with the new one.
func TestAccessRequestsFollowTheKeys(t *testing.T) {
	p := start(t, dbtest.SQLite(t))
	_, key := p.capable("Hub", client.AccessRequests)
	bodies := []string{wire("dana", "operating", "10000.01", "{}"), wire("dana", "operating", "10000.02", "{}"), wire("dana", "operating", "10000.03", "{}")}
	before := []string{request(bodies[0], p.denied(key, bodies[0])), request(bodies[1], p.denied(key, bodies[1]))}
	p.keys = [][]byte{[]byte("the next key"), p.keys[0]}
	during := request(bodies[2], p.denied(key, bodies[2]))
	if status, _, content := p.ask(key, "request", before[0]); status != http.StatusAccepted {
		t.Errorf("within the overlap: %d %s", status, content)
	}
	p.keys = p.keys[:1]
	if status, _, _ := p.ask(key, "request", before[1]); status != http.StatusBadRequest {
		t.Errorf("after the old key is gone: %d", status)
	}
	if status, _, content := p.ask(key, "request", during); status != http.StatusAccepted {
		t.Errorf("signed with the new key: %d %s", status, content)
	}
}

// A permit of what a person proves themself for on a screen obliges the caller
// that said it can see to that, and is for no other one than it was.
func TestAPermitObligesWhoCanCarryItOut(t *testing.T) {
	d := dbtest.SQLite(t)
	p := start(t, d)
	_, key := p.capable("Hub", client.StepUp)
	_, plain := p.caller("first", "Plain")
	body := wire("dana", "operating", "1.00", "{}")
	if _, _, got := p.ask(plain, "evaluation", body); got != `{"decision":true}` {
		t.Errorf("for a caller without the capability: %s", got)
	}
	got := p.denied(key, body)
	if !got.Decision || len(got.Context.Obligations) != 1 || got.Context.Obligations[0].Type != "step-up" || got.Context.Obligations[0].ID == "" ||
		got.Context.Obligations[0].Properties["subject"] != "dana" || got.Context.Obligations[0].Properties["purpose"] != "wires.transmit" {
		t.Errorf("for a caller with it: %+v", got)
	}
	for name, body := range map[string]string{
		"a denial":            wire("dana", "operating", "25000.01", "{}"),
		"a denial for now":    wire("dana", "operating", "10000.01", "{}"),
		"what needs no proof": strings.Replace(body, "wires.transmit", "account.view", 1),
	} {
		if _, _, content := p.ask(key, "evaluation", body); strings.Contains(content, "context") {
			t.Errorf("%s: %s", name, content)
		}
	}
	_, _, batch := p.ask(key, "evaluations", `{"evaluations":[`+body+`,`+strings.Replace(body, "wires.transmit", "account.view", 1)+`]}`)
	if strings.Count(batch, `"obligations"`) != 1 || strings.Count(batch, `"decision":true`) != 2 {
		t.Errorf("in a batch: %s", batch)
	}
}

func TestMetadataOfTheProduct(t *testing.T) {
	p := start(t, dbtest.SQLite(t))
	for path, point := range map[string]string{"": origin, "/first": origin + "/first"} {
		status, content := p.get("", "/.well-known/authzen-configuration"+path)
		var m map[string]any
		if err := json.Unmarshal([]byte(content), &m); err != nil || status != 200 || m["policy_decision_point"] != point || m["access_request_endpoint"] != origin+"/access/v1/request" ||
			fmt.Sprint(m["capabilities"]) != "[urn:openid:authzen:capability:access-request]" || fmt.Sprint(m["supported_obligations"]) != "[step-up]" {
			t.Errorf("%s: %d %s", path, status, content)
		}
	}
}
