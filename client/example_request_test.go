package client_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"

	"mandate/client"
)

// bankOfTwo stands for a server in these examples: Dana's wire needs a second
// person, who approves it when it is looked at the second time.
func bankOfTwo() *httptest.Server {
	var looks atomic.Int64
	task := func(status string) string { return `{"task":{"id":"evl_1","status":"` + status + `"}}` }
	payment := func(state string) string {
		return `{"ref":"evl_1","decision":true,"approval_required":false,"reasons":[],"state":"` + state + `","repeated":false}`
	}
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		says := func(text string) { _, _ = io.WriteString(w, text) }
		switch r.Method + " " + r.URL.Path {
		case "POST /access/v1/evaluation":
			if strings.Contains(string(body), `"approval"`) {
				says(`{"decision":true}`)
				return
			}
			says(`{"decision":false,"context":{"evaluation_id":"evl_1","reason":"APPROVAL_REQUIRED","access_request":{"binding_token":"b"}}}`)
		case "POST /access/v1/request":
			w.WriteHeader(http.StatusAccepted)
			says(task("pending"))
		case "GET /access/v1/request/evl_1":
			if looks.Add(1) == 1 {
				says(task("pending"))
				return
			}
			says(task("approved"))
		case "POST /api/v1/authorizations/evl_1/confirm":
			says(payment("confirmed"))
		case "POST /api/v1/authorizations/evl_1/void":
			says(payment("voided"))
		default:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
}

// A wire that lacks a second person goes once that person has approved it, and
// only when Confirm says so.
func ExampleClient_Request() {
	server := bankOfTwo()
	defer server.Close()
	mandate, err := client.New(server.URL, client.WithKey("mk_..."), client.WithPolling(time.Millisecond, time.Second))
	if err != nil {
		fmt.Println(err)
		return
	}
	wire := client.Question{
		Member: "usr_dana", Operation: "wires.transmit", Account: "acc_operating", Amount: client.Cents(1_200_000), Requestable: true,
	}
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Hour) // the bank's day
	defer cancel()
	d := mandate.Evaluate(ctx, wire)
	fmt.Println(d.Allowed, d.AccessRequest != nil)
	if d.AccessRequest == nil {
		return // allowed, or a refusal that nobody can turn around
	}
	task := mandate.Request(ctx, wire, d) // keep its ID: another process can go on from here
	fmt.Println(task.Status)
	if task = mandate.Await(ctx, task.ID); !task.Approved() {
		fmt.Println("not approved:", task.Status, task.Err)
		return
	}
	wire.Approval = task.ID
	fmt.Println(task.Status, mandate.Evaluate(ctx, wire).Allowed) // it may go, and nothing has gone
	released := mandate.Confirm(ctx, task.ID, "")
	fmt.Println(released.Allowed, released.State)
	// Output:
	// false true
	// pending
	// approved true
	// true confirmed
}

// Nobody is waited for longer than the program wants to, and what is given up
// counts no more.
func ExampleClient_Cancel() {
	server := bankOfTwo()
	defer server.Close()
	mandate, err := client.New(server.URL, client.WithKey("mk_..."), client.WithPolling(time.Hour, time.Hour))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second) // less than until the second look
	defer cancel()
	task := mandate.Await(ctx, "evl_1")
	fmt.Println(task.Status, task.Err != nil)
	if task.Err != nil && task.Status == client.TaskPending {
		task = mandate.Cancel(context.Background(), task.ID, "evl_1/cancel")
		fmt.Println(task.Err)
	}
	// Output:
	// pending true
	// <nil>
}
