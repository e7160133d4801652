package client_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"mandate/client"
)

// bank stands for a server in these examples: it lets Dana send wires of less
// than a million.
func bank() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/access/v1/evaluation":
			_, _ = io.WriteString(w, `{"decision":true}`)
		case "/access/v1/evaluations":
			_, _ = io.WriteString(w, `{"evaluations":[{"decision":true},{"decision":false,"context":{"reasons":[{"code":"LIMIT_PER_TRANSACTION","level":"organization_user","message":"The amount is over the limit."}]}}]}`)
		case "/access/v1/search/subject":
			_, _ = io.WriteString(w, `{"results":[{"type":"user","id":"usr_dana"}]}`)
		case "/api/v1/authorizations":
			_, _ = io.WriteString(w, `{"ref":"wire-4711","decision":true,"approval_required":true,"reasons":[],"state":"pending","repeated":false}`)
		case "/api/v1/authorizations/wire-4711/approve":
			_, _ = io.WriteString(w, `{"ref":"wire-4711","decision":true,"approval_required":false,"reasons":[],"state":"pending","approved_by":"usr_eve","repeated":false}`)
		case "/api/v1/authorizations/wire-4711/confirm":
			_, _ = io.WriteString(w, `{"ref":"wire-4711","decision":true,"approval_required":false,"reasons":[],"state":"confirmed","repeated":false}`)
		default:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
}

func ExampleClient_Evaluate() {
	server := bank()
	defer server.Close()
	mandate, err := client.New(server.URL, client.WithKey("mk_..."), client.RememberRevisions())
	if err != nil {
		fmt.Println(err)
		return
	}
	d := mandate.Evaluate(context.Background(), client.Question{
		Member: "usr_dana", Operation: "wires.transmit", Account: "acc_operating", Amount: client.Cents(2_500_000),
	})
	if !d.Allowed {
		fmt.Println("no:", d.Err, d.Reasons)
		return
	}
	fmt.Println("yes")
	// Output: yes
}

func ExampleClient_EvaluateAll() {
	server := bank()
	defer server.Close()
	mandate, err := client.New(server.URL, client.WithKey("mk_..."))
	if err != nil {
		fmt.Println(err)
		return
	}
	wire := client.Question{Member: "usr_dana", Operation: "wires.transmit", Account: "acc_operating", Explain: client.Admin}
	small, large := wire, wire
	small.Amount, large.Amount = client.Cents(100_00), client.Cents(9_000_000_00)
	for _, d := range mandate.EvaluateAll(context.Background(), []client.Question{small, large}) {
		fmt.Print(d.Allowed)
		for _, r := range d.Reasons {
			fmt.Print(" ", r.Code)
		}
		fmt.Println()
	}
	// Output:
	// true
	// false LIMIT_PER_TRANSACTION
}

// A server that does not answer allows nothing.
func ExampleDecision() {
	mandate, err := client.New("http://localhost:1", client.WithKey("mk_..."), client.WithTries(1))
	if err != nil {
		fmt.Println(err)
		return
	}
	d := mandate.Evaluate(context.Background(), client.Question{Member: "usr_dana", Operation: "account.view", Account: "acc_operating"})
	fmt.Println(d.Allowed, d.Err != nil)
	// Output: false true
}

func ExampleClient_SearchSubjects() {
	server := bank()
	defer server.Close()
	mandate, err := client.New(server.URL, client.WithKey("mk_..."))
	if err != nil {
		fmt.Println(err)
		return
	}
	who, err := mandate.SearchSubjects(context.Background(), client.Question{
		Operation: "wires.transmit", Account: "acc_operating", Amount: client.Cents(100_00),
	})
	fmt.Println(who, err)
	// Output: [usr_dana] <nil>
}

// A payment goes when Confirm says so, and not before.
func ExampleClient_Authorize() {
	server := bank()
	defer server.Close()
	mandate, err := client.New(server.URL, client.WithKey("mk_..."))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	a := mandate.Authorize(ctx, client.Payment{
		Ref: "wire-4711", Member: "usr_dana", Operation: "wires.transmit", Account: "acc_operating", Amount: client.Cents(2_500_000),
	}, "wire-4711/authorize")
	fmt.Println(a.Allowed, a.ApprovalRequired)
	if a.ApprovalRequired {
		a = mandate.Approve(ctx, "wire-4711", "usr_eve", "wire-4711/approve")
		fmt.Println(a.Allowed, a.ApprovedBy)
	}
	a = mandate.Confirm(ctx, "wire-4711", "wire-4711/confirm")
	fmt.Println(a.Allowed, a.State)
	// Output:
	// true true
	// true usr_eve
	// true confirmed
}

// A receiver of webhooks: it takes what is signed, and answers before it does
// anything that takes long.
func ExampleVerify() {
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	receiver := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil || client.Verify(secret, r.Header, body, 5*time.Minute) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		event, err := client.ReadEvent(body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		fmt.Println(event.Type, event.Revision)
		w.WriteHeader(http.StatusNoContent)
	})
	w := httptest.NewRecorder()
	receiver.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/webhooks", http.NoBody)) // not signed
	fmt.Println(w.Code)
	// Output: 400
}
