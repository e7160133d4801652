package console_test

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"mandate/internal/db"
	"mandate/internal/guard"
	"mandate/internal/identity"
	"mandate/internal/seal"
	"mandate/internal/staff"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/console"
	"mandate/internal/webhook"
)

// quietTeller tells nobody: who is told is for the room's own tests.
type quietTeller struct{}

func (quietTeller) WebhookFails(*db.Tx, webhook.Endpoint, string, string) error { return nil }

// hasWebhooks serves the console with webhooks, to receivers that answer status.
func (w *world) hasWebhooks(status *int) *webhook.Service {
	w.t.Helper()
	ring, err := seal.Parse(seal.NewLine("test"))
	w.must(err)
	door := guard.New(w.d, usermgmt.LoadPolicy, staff.Rights{}, identity.Proofs{})
	hooks := webhook.New(w.d, door, ring, func(context.Context, string, map[string]string, []byte) webhook.Outcome {
		return webhook.Outcome{Status: *status}
	}, quietTeller{}, slog.New(slog.DiscardHandler))
	door.Watch(hooks.Watch)
	handler, err := console.New(web.Site{
		Origin: w.server.URL, Key: []byte("a key of a test, thirty-two bytes"), Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Clock: w.clock,
	}, console.Config{Institutions: w.people, Customers: w.people, Staff: w.staff, Applications: w.apps, Identity: w.identity, Approvals: w.queue, Elsewhere: w.identity, Webhooks: hooks})
	w.must(err)
	w.server.Config.Handler = handler
	return hooks
}

// A webhook is added, its secret shown once; it is tested, fails, is paused and
// resumed, sends again what was given up, and goes.
func TestWebhooksInABrowser(t *testing.T) {
	eachBrowser(t, func(t *testing.T, w *world, p colleague) {
		status := 200
		hooks := w.hasWebhooks(&status)
		deliver := func() {
			t.Helper()
			for n := 1; n > 0; {
				var err error
				n, err = hooks.Deliver(t.Context())
				w.must(err)
			}
		}
		p.signIn("root")
		p.open("/cedar/settings/webhooks")
		p.See("No webhooks yet")
		p.look("webhooks-none")
		p.Click("Add a webhook")
		p.Fill("Name", "Fraud desk")
		p.Fill("Address", "http://desk.example/in")
		p.Set("Wires", true)
		p.Click("Add webhook")
		p.See("Enter an address that begins with https://")
		p.look("webhook-wrong")
		p.Fill("Address", "https://desk.example/in")
		p.Set("Institution settings", true)
		p.Click("Add webhook")
		p.confirm()
		p.See("This is shown only now")
		if !strings.Contains(p.Text(), "whsec_") {
			t.Error("the secret is not shown")
		}
		p.look("webhook-secret")
		p.Click("I have kept it")
		p.See("Wires, Institution settings")
		if strings.Contains(p.Text(), "whsec_") {
			t.Error("the secret is shown again")
		}
		deliver()
		status = 503
		p.Click("Send a test")
		p.See("A test is on its way")
		deliver()
		p.open("/cedar/settings/webhooks")
		p.See("Failing")
		p.look("webhooks")
		p.Click("Fraud desk")
		p.See("The receiver answered 503. It is tried again by itself.")
		p.See("Tried again")
		p.look("webhook")
		p.Click("Pause")
		p.See("The webhook was paused")
		p.look("webhook-paused")
		paused, err := hooks.List(t.Context(), operator)
		w.must(err)
		p.open("/cedar/settings/webhooks/" + string(paused[0].ID)) // without the toast
		p.Click("Resume")
		p.See("The webhook was resumed")
		for range 60 { // until it is given up, and before all of it ends
			w.clock.Advance(time.Hour)
			deliver()
		}
		status = 200
		all, err := hooks.List(t.Context(), operator)
		w.must(err)
		if len(all) != 1 || all[0].Dead == 0 {
			t.Fatalf("%+v", all)
		}
		p.signIn("root")
		p.open("/cedar/settings/webhooks/" + string(all[0].ID))
		p.See("Given up")
		p.look("webhook-given-up")
		p.Click("Send again webhook.test " + firstDead(t, hooks, all[0].ID))
		p.See("The message is on its way again")
		p.Click("Replace secret")
		p.See("signed with both")
		p.Click("Replace secret")
		p.confirm()
		p.See("This is shown only now")
		p.Click("I have kept it")
		p.See("The old secret signs until")
		p.Click("Change webhook")
		p.Set("Wires", false)
		p.Click("Save webhook")
		p.See("The webhook was saved")
		p.Click("Delete webhook")
		p.See("What waits is never sent")
		p.Click("Delete webhook")
		p.confirm()
		p.See("The webhook was deleted")
		p.See("No webhooks yet")
	})
}

func firstDead(t *testing.T, hooks *webhook.Service, id webhook.ID) string {
	t.Helper()
	_, latest, err := hooks.Get(t.Context(), operator, id)
	if err != nil || latest[0].State != webhook.Dead {
		t.Fatalf("%+v %v", latest, err)
	}
	return latest[0].ID
}
