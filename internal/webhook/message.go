package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/guard"
	"mandate/internal/identity"
	"mandate/internal/pdp"
)

// A message is what a receiver reads: that something happened, to what, and how
// much must be known to see it. Names of people, old and new values, addresses
// and reasons are not in it.
type message struct {
	Type         string       `json:"type"`
	Timestamp    string       `json:"timestamp"`
	ID           string       `json:"id"`
	Institution  string       `json:"institution"`
	Organization string       `json:"organization,omitempty"`
	Kind         string       `json:"kind"`
	Sequence     int64        `json:"sequence,omitempty"`
	Target       messageThing `json:"target"`
	Actor        messageActor `json:"actor"`
	Revision     string       `json:"revision,omitempty"`
	Changed      []string     `json:"changed"`
	Test         bool         `json:"test,omitempty"`
}

type messageThing struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

type messageActor struct {
	Kind string `json:"kind"`
}

// bodyOf writes what is told of an event.
func bodyOf(e *activity.Event, epoch, ofInstitution int64) ([]byte, error) {
	r := pdp.Revision{Epoch: epoch, Institution: e.Institution, Organization: e.Organization, OfInstitution: ofInstitution, OfOrganization: e.Revision}
	if e.Organization == "" {
		r.OfInstitution, r.OfOrganization = e.Revision, 0
	}
	return json.Marshal(message{
		Type: e.Name, Timestamp: moment(e.Time), ID: e.ID, Institution: string(e.Institution), Organization: string(e.Organization),
		Kind: activity.KindOf(e.Name), Sequence: e.Sequence, Target: messageThing{string(e.Target.Kind), e.Target.ID},
		Actor: messageActor{string(e.Actor.Kind)}, Revision: r.String(), Changed: changed(e.Changes),
	})
}

// changed names the fields that an event changed, each once.
func changed(changes []activity.Change) []string {
	names := []string{}
	for _, c := range changes {
		if !slices.Contains(names, c.Field) && len(names) < maxFields {
			names = append(names, c.Field)
		}
	}
	return names
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

// secretBytes is the length of a secret.
const secretBytes = 32

// newSecret makes a secret, as receivers write it down.
func newSecret() identity.Secret {
	var key [secretBytes]byte
	rand.Read(key[:]) // never fails: the runtime stops the program instead
	return identity.Secret("whsec_" + base64.StdEncoding.EncodeToString(key[:]))
}

// headers are those of one attempt (Standard Webhooks): each secret that holds
// now signs the message's id, the time of the attempt, and the body.
func headers(id string, now time.Time, body []byte, secrets ...string) (map[string]string, error) {
	stamp := strconv.FormatInt(now.Unix(), 10)
	signatures := ""
	for _, secret := range secrets {
		key, err := base64.StdEncoding.DecodeString(secret[len("whsec_"):])
		if err != nil {
			return nil, fmt.Errorf("the secret of a webhook: %w", err)
		}
		mac := hmac.New(sha256.New, key)
		fmt.Fprintf(mac, "%s.%s.", id, stamp)
		mac.Write(body)
		if signatures != "" {
			signatures += " "
		}
		signatures += "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	return map[string]string{
		"Content-Type": "application/json", "User-Agent": "Mandate-Webhooks/1",
		"webhook-id": id, "webhook-timestamp": stamp, "webhook-signature": signatures,
	}, nil
}

// testBody is a message that tells of nothing.
func testBody(e Endpoint, c *guard.Change) ([]byte, error) {
	return json.Marshal(message{
		Type: "webhook.test", Timestamp: moment(c.Tx.Now), ID: bank.NewID(prefixTest, c.Tx.Now), Institution: string(e.Institution), Kind: "institution",
		Target: messageThing{string(activity.TargetClient), string(e.ID)}, Actor: messageActor{string(c.Caller.Kind)}, Changed: []string{}, Test: true,
	})
}
