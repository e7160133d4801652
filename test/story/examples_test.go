package story

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"mandate/client"
	"mandate/internal/bank"
	"mandate/internal/db/dbtest"
	"mandate/internal/webhook"
)

// languages are those in which there are examples, with what runs them.
var languages = []struct {
	folder, ending, install string
	programs                []string // the first runs the examples
}{
	{"curl", ".sh", "apt-get install curl openssl", []string{"sh", "curl", "openssl"}},
	{"node", ".mjs", "apt-get install nodejs", []string{"node"}},
	{"python", ".py", "apt-get install python3", []string{"python3"}},
}

// The examples do against the running program what they say, and know a genuine
// webhook from any other. They run in "./check interop".
func TestInteropExamples(t *testing.T) {
	if os.Getenv("MANDATE_INTEROP") == "" {
		t.Skip(`examples are run by "./check interop"`)
	}
	p := run(t, dbtest.SQLiteURL(t, nil))
	got, secret := p.webhookArrives(t)
	house := p.world.Institutions[0]
	environment := append(os.Environ(), "MANDATE_URL="+p.world.Addresses["api"], "MANDATE_KEY="+p.world.Clients[0].Key,
		"MANDATE_MEMBER="+house.Members["dana.reyes"], "MANDATE_ACCOUNT="+house.Accounts["larkspur/operating"], "MANDATE_WEBHOOK_SECRET="+secret)
	for _, language := range languages {
		t.Run(language.folder, func(t *testing.T) {
			for _, program := range language.programs {
				if _, err := exec.LookPath(program); err != nil {
					dbtest.Missing(t, program, language.install)
				}
			}
			example := func(env []string, input []byte, name string, arguments ...string) (string, error) {
				command := exec.CommandContext(t.Context(), language.programs[0], append([]string{"../../examples/" + language.folder + "/" + name + language.ending}, arguments...)...)
				var stderr bytes.Buffer
				command.Env, command.Stdin, command.Stderr = env, bytes.NewReader(input), &stderr
				out, err := command.Output()
				if stderr.Len() > 0 {
					t.Logf("%s: %s", name, stderr.String())
				}
				return strings.Join(strings.Fields(string(out)), " "), err
			}
			if said, err := example(environment, nil, "ask"); err != nil || said != "single true batch true false fresh true" {
				t.Errorf("ask: %q %v", said, err)
			}
			if said, err := example(environment, nil, "pay"); err != nil || said != "authorized true confirmed true voided true" {
				t.Errorf("pay: %q %v", said, err)
			}
			// Nothing that fails is a yes.
			if said, err := example(append(environment, "MANDATE_KEY=mk_nobody"), nil, "ask"); strings.Contains(said, "true") {
				t.Errorf("a stranger is told %q %v", said, err)
			}
			if said, err := example(append(environment, "MANDATE_URL=http://localhost:1"), nil, "ask"); strings.Contains(said, "true") {
				t.Errorf("without a server: %q %v", said, err)
			}
			id, stamp, signature := got.header.Get("webhook-id"), got.header.Get("webhook-timestamp"), got.header.Get("webhook-signature")
			if said, err := example(environment, got.body, "webhook", id, stamp, signature); err != nil || said != string(got.body) {
				t.Errorf("webhook: %q %v", said, err)
			}
			if said, err := example(environment, got.body, "webhook", id, stamp, "v1,AAAA "+signature); err != nil || said != string(got.body) {
				t.Errorf("several signatures: %q %v", said, err)
			}
			for what, with := range map[string][]string{"another id": {id + "x", stamp, signature}, "another time": {id, "1614265330", signature}, "no signature": {id, stamp, ""}} {
				if said, err := example(environment, got.body, "webhook", with...); err == nil || said != "" {
					t.Errorf("%s: %q is genuine", what, said)
				}
			}
			if said, err := example(environment, append(bytes.Clone(got.body), ' '), "webhook", id, stamp, signature); err == nil || said != "" {
				t.Errorf("another body: %q is genuine", said)
			}
			if said, err := example(append(environment, "MANDATE_WEBHOOK_SECRET=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), got.body, "webhook", id, stamp, signature); err == nil || said != "" {
				t.Errorf("another secret: %q is genuine", said)
			}
		})
	}
}

// What happens in the program arrives at a receiver, signed, and what it brings is
// a revision that the Go client demands from then on.
func TestWebhooksArrive(t *testing.T) {
	p := run(t, dbtest.SQLiteURL(t, nil))
	got, secret := p.webhookArrives(t)
	if err := client.Verify(secret, got.header, got.body, 0); err != nil {
		t.Errorf("%v: %v\n%s", err, got.header, got.body)
	}
	e, err := client.ReadEvent(got.body)
	if err != nil || e.Type != "institution.webhook_created" || e.Institution != p.world.Institutions[0].ID || e.Kind != "institution" || e.ID != got.header.Get("webhook-id") {
		t.Errorf("%+v %v", e, err)
	}
	mandate, err := client.New(p.world.Addresses["api"], client.WithKey(p.world.Clients[0].Key), client.RememberRevisions(), client.WithPatience(5*time.Second, 20*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if err := mandate.Saw(e.Revision); err != nil {
		t.Fatal(err)
	}
	house := p.world.Institutions[0]
	wire := client.Question{Member: house.Members["dana.reyes"], Operation: "wires.transmit", Account: house.Accounts["larkspur/operating"], Amount: client.Cents(100_00)}
	if d := mandate.Evaluate(t.Context(), wire); !d.Allowed {
		t.Errorf("%+v", d)
	}
}

// A received webhook is what a receiver got.
type received struct {
	header http.Header
	body   []byte
}

// webhookArrives adds a receiver and returns what it is told first.
func (p *program) webhookArrives(t *testing.T) (received, string) {
	t.Helper()
	told := make(chan received, 100)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			told <- received{r.Header, body}
		}
	}))
	t.Cleanup(receiver.Close)
	operator := bank.Caller{Kind: bank.ActorOperator, Name: "Operator", Institution: bank.InstitutionID(p.world.Institutions[0].ID), Channel: bank.ChannelCommand}
	_, secret, err := p.app.Webhooks.Create(t.Context(), operator, webhook.Draft{Name: "Receiver", URL: strings.Replace(receiver.URL, "127.0.0.1", "localhost", 1), Kinds: []string{"institution"}})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-told:
		return got, string(secret)
	case <-time.After(30 * time.Second):
		t.Fatal("nothing arrived")
	}
	return received{}, ""
}
