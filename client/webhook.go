package client

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Errors of webhooks.
var (
	ErrSecret    = errors.New("mandate: a webhook's secret begins with whsec_ and goes on in base64")
	ErrSignature = errors.New("mandate: the webhook is not signed with this secret")
	ErrTooOld    = errors.New("mandate: the webhook's time is too far from now")
)

// UsualTolerance is how far a webhook's time may be from now.
const UsualTolerance = 5 * time.Minute

// Verify reports whether a webhook comes from whoever has the secret and is not
// an old one sent again: its headers webhook-id, webhook-timestamp and
// webhook-signature are those of its body, as it came in, byte for byte
// (Standard Webhooks). Several signatures may stand there while a secret is
// rotated; one that fits is enough. A tolerance of zero is UsualTolerance.
//
// A webhook may come twice: its webhook-id is then the same. Keep the ids that
// were seen, at least as long as the tolerance, where twice would do harm.
func Verify(secret string, header http.Header, body []byte, tolerance time.Duration) error {
	return verify(secret, header, body, tolerance, time.Now())
}

func verify(secret string, header http.Header, body []byte, tolerance time.Duration, now time.Time) error {
	if tolerance <= 0 {
		tolerance = UsualTolerance
	}
	key, err := secretKey(secret)
	if err != nil {
		return err
	}
	id, stamp := header.Get("Webhook-Id"), header.Get("Webhook-Timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || id == "" || strings.Contains(id, ".") || strconv.FormatInt(seconds, 10) != stamp || seconds < 0 || seconds > 1<<40 {
		return ErrSignature
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.", id, stamp)
	mac.Write(body)
	want := mac.Sum(nil)
	good := false
	for one := range strings.FieldsSeq(header.Get("Webhook-Signature")) {
		version, text, _ := strings.Cut(one, ",")
		got, err := base64.StdEncoding.DecodeString(text)
		if version == "v1" && err == nil && hmac.Equal(got, want) {
			good = true
		}
	}
	if !good {
		return ErrSignature
	}
	if away := now.Sub(time.Unix(seconds, 0)); away > tolerance || away < -tolerance {
		return ErrTooOld
	}
	return nil
}

func secretKey(secret string) ([]byte, error) {
	text, ok := strings.CutPrefix(secret, "whsec_")
	key, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(key) < 16 {
		return nil, ErrSecret
	}
	return key, nil
}

// An Event is what a webhook tells: something happened. What it was in full is
// read from the API by whoever may.
type Event struct {
	Type         string    `json:"type"` // the event's name in the history, such as "orguser.held"
	Timestamp    time.Time `json:"timestamp"`
	ID           string    `json:"id"`
	Institution  string    `json:"institution"`
	Organization string    `json:"organization"` // empty for the institution's own
	Kind         string    `json:"kind"`
	Sequence     int64     `json:"sequence"` // of the organization's history, or the institution's
	Target       struct {
		Type string `json:"type"`
		ID   string `json:"id"`
	} `json:"target"`
	Actor struct {
		Kind string `json:"kind"`
	} `json:"actor"`
	Revision string   `json:"revision"` // hand it to Saw
	Changed  []string `json:"changed"`  // which fields; their values are read through the API
	Test     bool     `json:"test"`     // sent from a screen, to see whether it arrives
}

// ReadEvent reads the body of a webhook that was verified. Members that it does
// not know are left out: later servers may tell more.
func ReadEvent(body []byte) (Event, error) {
	var e Event
	if _, err := readObject(body); err != nil {
		return e, fmt.Errorf("mandate: the webhook cannot be read: %w", err)
	}
	if err := json.Unmarshal(body, &e); err != nil {
		return e, fmt.Errorf("mandate: the webhook cannot be read: %w", err)
	}
	if e.Type == "" || e.ID == "" {
		return e, errors.New("mandate: the webhook names no event")
	}
	return e, nil
}
