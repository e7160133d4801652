package web

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"mandate/internal/web/ui"
)

// flashSeconds is how long a message waits for the page after it.
const flashSeconds = 60

// A flash is a message for the next page, kept in a signed cookie: nobody else
// can put words into it.
type flash struct {
	Tone  ui.Tone `json:"tone"`
	Text  string  `json:"text"`
	Until int64   `json:"until"`
}

// Flash says text on the next page that this browser is shown: call it before
// the redirect after a POST.
func Flash(w http.ResponseWriter, r *http.Request, tone ui.Tone, text string) {
	s := siteOf(r.Context())
	body, _ := json.Marshal(flash{tone, text, s.Clock.Now().Add(flashSeconds * time.Second).Unix()}) // strings and a number
	packed := base64.RawURLEncoding.EncodeToString(body)
	s.setCookie(w, "flash", packed+"."+s.sign("flash", packed), flashSeconds, http.SameSiteLaxMode)
}

// flashes are the messages that a request brings; a wrong or old one is none.
func (s *Site) flashes(r *http.Request) []ui.Toast {
	packed, signature, _ := strings.Cut(s.cookie(r, "flash"), ".")
	if packed == "" || !s.signed(signature, "flash", packed) {
		return nil
	}
	body, err := base64.RawURLEncoding.DecodeString(packed)
	if err != nil {
		return nil
	}
	var f flash
	if json.Unmarshal(body, &f) != nil || f.Until < s.Clock.Now().Unix() {
		return nil
	}
	return []ui.Toast{{Tone: f.Tone, Text: f.Text}}
}
