package web

import (
	"net/http"
)

// cookieName is the name of one of the app's cookies. Ports do not keep cookies
// apart, so the app is part of it; with https the browser is made to accept it
// from this host alone.
func (s *Site) cookieName(what string) string {
	name := "mandate_" + s.App
	if what != "" {
		name += "_" + what
	}
	if s.https {
		return "__Host-" + name
	}
	return name
}

// setCookie keeps a value in the browser: until it is closed for seconds 0,
// and not at all for less.
func (s *Site) setCookie(w http.ResponseWriter, what, value string, seconds int, sameSite http.SameSite) {
	http.SetCookie(w, &http.Cookie{
		Name:     s.cookieName(what),
		Value:    value,
		Path:     "/",
		MaxAge:   seconds,
		Secure:   s.https,
		HttpOnly: true,
		SameSite: sameSite,
	})
}

func (s *Site) cookie(r *http.Request, what string) string {
	c, err := r.Cookie(s.cookieName(what))
	if err != nil {
		return ""
	}
	return c.Value
}

// Keep keeps a value in this browser for some seconds beside the session's: what
// somebody has begun and not finished, or how a browser is known again. Zero
// seconds take it away. No page of another site can make the browser send it.
func (s *Site) Keep(w http.ResponseWriter, what, value string, seconds int) {
	if seconds == 0 {
		seconds = -1
	}
	s.setCookie(w, what, value, seconds, http.SameSiteStrictMode)
}

// Kept is what Keep has put there, or nothing.
func (s *Site) Kept(r *http.Request, what string) string { return s.cookie(r, what) }

// Session is the secret that a browser brought, or nothing. Whether it is worth
// anything is for identity to say.
func (s *Site) Session(r *http.Request) string { return s.cookie(r, "") }

// SetSession gives the browser a new secret after a sign-in.
func (s *Site) SetSession(w http.ResponseWriter, secret string) {
	s.setCookie(w, "", secret, 0, s.SameSite)
}

// ClearSession takes the secret back. It does not end the sign-in.
func (s *Site) ClearSession(w http.ResponseWriter) {
	s.setCookie(w, "", "", -1, s.SameSite)
}
