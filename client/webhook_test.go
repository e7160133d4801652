package client

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The example of the Standard Webhooks specification.
const (
	exampleSecret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	exampleID        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	exampleStamp     = "1614265330"
	exampleBody      = `{"test": 2432232314}`
	exampleSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

func exampleHeader(signature string) http.Header {
	h := http.Header{}
	h.Set("webhook-id", exampleID)
	h.Set("webhook-timestamp", exampleStamp)
	h.Set("webhook-signature", signature)
	return h
}

func TestVerify(t *testing.T) {
	now := time.Unix(1614265330, 0)
	key, _ := base64.StdEncoding.DecodeString(exampleSecret[len("whsec_"):])
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(exampleID + "." + exampleStamp + "." + exampleBody))
	if own := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); own != exampleSignature {
		t.Fatalf("the example is signed %s", own)
	}
	for name, c := range map[string]struct {
		header http.Header
		secret string
		body   string
		now    time.Time
		want   error
	}{
		"as it was sent":      {exampleHeader(exampleSignature), exampleSecret, exampleBody, now, nil},
		"several signatures":  {exampleHeader("v1,AAAA v1a,xyz " + exampleSignature), exampleSecret, exampleBody, now, nil},
		"another version":     {exampleHeader(strings.Replace(exampleSignature, "v1", "v2", 1)), exampleSecret, exampleBody, now, ErrSignature},
		"another body":        {exampleHeader(exampleSignature), exampleSecret, exampleBody + " ", now, ErrSignature},
		"another secret":      {exampleHeader(exampleSignature), "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 24)), exampleBody, now, ErrSignature},
		"no signature":        {exampleHeader(""), exampleSecret, exampleBody, now, ErrSignature},
		"no headers":          {http.Header{}, exampleSecret, exampleBody, now, ErrSignature},
		"no secret":           {exampleHeader(exampleSignature), "", exampleBody, now, ErrSecret},
		"a secret not base64": {exampleHeader(exampleSignature), "whsec_*", exampleBody, now, ErrSecret},
		"almost too old":      {exampleHeader(exampleSignature), exampleSecret, exampleBody, now.Add(UsualTolerance), nil},
		"too old":             {exampleHeader(exampleSignature), exampleSecret, exampleBody, now.Add(UsualTolerance + time.Second), ErrTooOld},
		"from the future":     {exampleHeader(exampleSignature), exampleSecret, exampleBody, now.Add(-UsualTolerance - time.Second), ErrTooOld},
	} {
		if err := verify(c.secret, c.header, []byte(c.body), 0, c.now); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	other := exampleHeader(exampleSignature)
	for name, value := range map[string]string{"webhook-id": "msg_other", "webhook-timestamp": "1614265331"} {
		h := other.Clone()
		h.Set(name, value)
		if err := verify(exampleSecret, h, []byte(exampleBody), 0, now); !errors.Is(err, ErrSignature) {
			t.Errorf("another %s: %v", name, err)
		}
	}
	if err := Verify(exampleSecret, exampleHeader(exampleSignature), []byte(exampleBody), 0); !errors.Is(err, ErrTooOld) {
		t.Errorf("years later: %v", err)
	}
}
