package app

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/identity"
	"mandate/internal/outward"
	"mandate/internal/staff"
	"mandate/internal/webhook"
)

// Bounds of telling a receiver.
const (
	webhookPatience = 5 * time.Second
	webhookAnswer   = 64 << 10 // bytes that are read of an answer, and thrown away
)

// openWebhooks builds the room of webhooks and its way out.
func (a *App) openWebhooks() {
	here := a.Config.OnThisMachine()
	post := webhookPost(outward.Caller{Patience: webhookPatience, MaxBody: webhookAnswer, Local: here}.Client())
	teller := webhookTeller{staff.Teller{Mailer: staff.Letters{Mailer: a.post}, House: House}}
	a.Webhooks = webhook.New(a.DB, a.Guard, a.keys, post, teller, a.Log).Local(here)
	a.Guard.Watch(a.Webhooks.Watch)
}

// webhookPost sends messages with a client. Of what a receiver answers only the
// status counts; the rest is read a little and thrown away.
func webhookPost(client *http.Client) webhook.Post {
	return func(ctx context.Context, to string, headers map[string]string, body []byte) webhook.Outcome {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
		if err != nil {
			return webhook.Outcome{Why: "The address cannot be called."}
		}
		for name, value := range headers {
			r.Header.Set(name, value)
		}
		got, err := client.Do(r)
		if err != nil {
			return webhook.Outcome{Why: whyNoAnswer(err)}
		}
		defer got.Body.Close()
		if _, err := io.Copy(io.Discard, got.Body); err != nil && got.StatusCode < http.StatusMultipleChoices {
			return webhook.Outcome{Why: whyNoAnswer(err)} // a yes that has no end is none
		}
		seconds, _ := strconv.Atoi(got.Header.Get("Retry-After")) // zero where it is a time, or nothing
		return webhook.Outcome{Status: got.StatusCode, After: time.Duration(max(0, min(seconds, 3600))) * time.Second}
	}
}

// whyNoAnswer says for staff why there was no answer, and nothing that the other
// end wrote.
func whyNoAnswer(err error) string {
	var timeout interface{ Timeout() bool }
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, outward.ErrInside):
		return "The address lies on this machine or on a private network, where nothing is sent."
	case errors.Is(err, outward.ErrLong):
		return "The receiver answered more than is read."
	case errors.As(err, &name):
		return "The name of the receiver is not known."
	case errors.As(err, &certificate):
		return "The certificate of the receiver is not one that can be trusted."
	case errors.As(err, &timeout) && timeout.Timeout():
		return "The receiver did not answer within 5 seconds."
	}
	return "The receiver could not be reached."
}

// webhookTeller mails those who may change the institution's settings.
type webhookTeller struct{ staff staff.Teller }

func (t webhookTeller) WebhookFails(tx *db.Tx, e webhook.Endpoint, key, sentence string) error {
	return t.staff.TellHolders(tx, e.Institution, catalog.InstitutionSettingsManage, "/settings/webhooks/"+url.PathEscape(string(e.ID)), identity.Mail{
		Key: key, Purpose: webhook.EventStopped, Subject: "The webhook " + e.Name + " fails", Lines: []string{sentence, "You find what did not arrive under Institution settings, Webhooks."},
	})
}
