package web

import (
	"net/http"
	"strings"
)

// contentPolicy lets a page load what this site serves and nothing else: no
// inline script or style, no frame, no other origin.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"

// A page uses no device and no browser feature that must be asked for, except
// writing to the clipboard and passkeys.
var permissionsPolicy = strings.Join([]string{
	"accelerometer=()", "autoplay=()", "camera=()", "display-capture=()", "encrypted-media=()", "fullscreen=()",
	"geolocation=()", "gyroscope=()", "hid=()", "idle-detection=()", "magnetometer=()", "microphone=()", "midi=()",
	"payment=()", "picture-in-picture=()", "screen-wake-lock=()", "serial=()", "usb=()", "xr-spatial-tracking=()",
	"clipboard-write=(self)", "publickey-credentials-create=(self)", "publickey-credentials-get=(self)",
}, ", ")

// setHeaders sets what every answer carries, unless a handler says otherwise.
func (s *Site) setHeaders(h http.Header) {
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", permissionsPolicy)
	h.Set("Cache-Control", "no-store")
	if s.https {
		h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	}
}
