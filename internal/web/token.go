package web

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"

	"mandate/internal/fault"
	"mandate/internal/web/ui"
)

// TokenField is the hidden field that brings the form token back.
const TokenField = "csrf"

// A form's token follows from the session's secret, or before sign-in from that
// of the visit, which a sign-in does not turn into a session. Pages are not
// compressed, so the token cannot be guessed from their length.
func (s *Site) token(secret string) string {
	return s.sign("form", secret)
}

func (s *Site) sign(purpose, text string) string {
	return s.signWith(s.keys()[0], purpose, text)
}

func (s *Site) keys() [][]byte {
	if s.Keys == nil {
		return [][]byte{s.Key}
	}
	return s.Keys()
}

func (s *Site) signWith(key []byte, purpose, text string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(s.App + "\x00" + purpose + "\x00" + text))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// signed reports whether a signature is ours, by the key that signs now or by one
// that did, or that other processes sign with already.
func (s *Site) signed(signature, purpose, text string) bool {
	return slices.ContainsFunc(s.keys(), func(key []byte) bool {
		return hmac.Equal([]byte(signature), []byte(s.signWith(key, purpose, text)))
	})
}

// withToken gives components the token of this session or visit. A browser
// without either gets a visit.
func (s *Site) withToken(w http.ResponseWriter, r *http.Request) *http.Request {
	secret := s.boundTo(r)
	if secret == "" && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		secret = rand.Text()
		s.setCookie(w, "visit", secret, 0, http.SameSiteStrictMode)
	}
	if secret == "" {
		return r
	}
	page := ui.From(r.Context())
	page.CSRF = s.token(secret)
	return r.WithContext(ui.With(r.Context(), page))
}

// boundTo is the secret that this browser's forms are tied to.
func (s *Site) boundTo(r *http.Request) string {
	if secret := s.Session(r); secret != "" {
		return secret
	}
	return s.cookie(r, "visit")
}

// checkToken refuses a form that this browser was not given. On a route that is
// open to anybody the visit's token is as good as the session's: whoever comes
// by a link in their mail is shown the page without their session, because no
// other site can make the browser send it, and then sends the form with it.
func (s *Site) checkToken(r *http.Request, who Who) error {
	if err := parseForm(r); err != nil {
		return err
	}
	secrets := []string{s.boundTo(r)}
	if who == Anybody {
		secrets = append(secrets, s.cookie(r, "visit"))
	}
	for _, secret := range secrets {
		if secret != "" && s.signed(r.PostForm.Get(TokenField), "form", secret) {
			return nil
		}
	}
	return errToken
}

// tooLarge refuses what is longer than its route takes.
func tooLarge(limit int64) *fault.Error {
	if limit < 1<<20 {
		return fault.New(fault.Invalid, "This is too large to be sent at once. Nothing of it was kept.")
	}
	return fault.Newf(fault.Invalid, "This is too large: at most %d MiB can be sent here. Nothing of it was kept.", limit>>20)
}

// maxMemory is how much of an upload is held in memory.
const maxMemory = 1 << 20

func parseForm(r *http.Request) error {
	err := r.ParseForm() // first and alone: ParseMultipartForm forgets its error
	if err == nil {
		if err = r.ParseMultipartForm(maxMemory); errors.Is(err, http.ErrNotMultipart) {
			err = nil
		}
	}
	if large, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge(large.Limit).Because(err)
	}
	if err != nil {
		return fault.New(fault.Invalid, "The form could not be read. Reload the page and try again.").Because(err)
	}
	return nil
}

// originUnknown is a request that could change something, carries our cookies
// and does not say where it comes from. No browser in use sends one.
func (s *Site) originUnknown(r *http.Request) bool {
	safe := r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions
	return !safe && s.boundTo(r) != "" && r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == ""
}
