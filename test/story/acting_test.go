package story

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"mandate/internal/db/dbtest"
	"mandate/internal/demo"
)

// A tuesday goes, from a Tuesday morning on which wires go out.
type tuesday struct{ started time.Time }

func (c tuesday) Now() time.Time {
	return time.Date(2026, time.March, 10, 15, 0, 0, 0, time.UTC).Add(time.Since(c.started))
}

// acts is the key of the demo's program that acts for people.
func (p *program) acts() string {
	for _, c := range p.world.Clients {
		if c.ActsFor && c.Institution == p.world.Institutions[0].ID {
			return c.Key
		}
	}
	p.t.Fatal("the demo has no program that acts for people")
	return ""
}

// proof is how a program would make sure of somebody.
func proof(s demo.SignIn) string {
	if s.TOTPSecret != "" {
		return "totp"
	}
	return "password"
}

// call does something for somebody over the API, and reads the answer.
func (p *program) call(username, method, path, key, body string, into any) (status int) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.world.Addresses["api"]+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	who := p.signIn(username)
	r.Header.Set("Authorization", "Bearer "+p.acts())
	r.Header.Set("Mandate-Member", who.Member)
	if method == http.MethodPost {
		r.Header.Set("Idempotency-Key", key)
		r.Header.Set("Mandate-Proof", proof(who))
		r.Header.Set("Content-Type", "application/json")
	}
	out, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer out.Body.Close()
	text, err := io.ReadAll(out.Body)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		p.t.Fatalf("%s %s: %d %s, %v", method, path, out.StatusCode, text, err)
	}
	return out.StatusCode
}

// A payment is a wire as the API tells it.
type payment struct {
	ID, State, Number, Code string
	By                      struct{ Name string }
	Approver                string
}

// A program of the bank's sends a wire for Dana, which waits for a second
// person; she cannot be that person; Ben is, and it goes out, once. The gate
// makes the demo for it on one database; MANDATE_SLOW=1 on both.
func TestAProgramActsForTwoPeople(t *testing.T) {
	for name, url := range map[string]func(*testing.T) string{
		"SQLite":     func(t *testing.T) string { return dbtest.SQLiteURL(t, nil) },
		"PostgreSQL": func(t *testing.T) string { return dbtest.PostgreSQLURL(t, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			if os.Getenv("MANDATE_SLOW") == "" && name != "SQLite" {
				t.Skip("MANDATE_SLOW=1 takes both databases")
			}
			p := runAt(t, url(t), tuesday{time.Now()})
			body := `{"account":"` + p.world.Institutions[0].Accounts["larkspur/operating"] + `","amount":"12500.00","send":true,` +
				`"payee":{"name":"Harbor Supplies","account":"000123456","town":"Salem","state":"MA"},"bank":{"routing":"121042882","name":"Harbor Bank"}}`
			var made, again payment
			if status := p.call("dana.reyes", "POST", "/wires", "w1", body, &made); status != 200 || made.State != "pending_approval" {
				t.Fatalf("made: %d %+v", status, made)
			}
			p.call("dana.reyes", "POST", "/wires", "w1", body, &again)
			if again.ID != made.ID {
				t.Errorf("the same request again made %s besides %s", again.ID, made.ID)
			}
			var queue struct {
				Approvals []struct{ ID, Ref, Hash string }
			}
			p.call("ben.okafor", "GET", "/approvals", "", "", &queue)
			item, hash := "", ""
			for _, a := range queue.Approvals {
				if a.Ref == made.ID {
					item, hash = a.ID, a.Hash
				}
			}
			if item == "" {
				t.Fatalf("it does not wait: %+v", queue)
			}
			var refused, done payment
			yes := `{"hash":"` + hash + `"}`
			if status := p.call("dana.reyes", "POST", "/approvals/"+item+"/approve", "a0", yes, &refused); status != 403 || refused.Code != "SELF_APPROVAL" {
				t.Errorf("her own: %d %+v", status, refused)
			}
			if status := p.call("ben.okafor", "POST", "/approvals/"+item+"/approve", "a1", yes, &done); status != 200 {
				t.Fatalf("approved: %d %+v", status, done)
			}
			for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
				p.call("dana.reyes", "GET", "/wires/"+made.ID, "", "", &done)
				if done.State == "processed" || time.Now().After(deadline) {
					break
				}
			}
			if done.State != "processed" || done.Approver != "Ben Okafor" || done.By.Name != "Dana Reyes" {
				t.Errorf("it is %+v", done)
			}
			p.verify()
		})
	}
}
