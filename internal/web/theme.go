package web

import (
	"net/http"
	"net/url"
	"strings"

	"mandate/internal/web/ui"
)

// ThemePath takes the form of ui.ThemeChoice, in every app.
const ThemePath = "/_theme"

const themeSeconds = 400 * 24 * 3600 // browsers keep nothing longer

func (s *Site) theme(r *http.Request) ui.Theme { return ui.ParseTheme(s.cookie(r, "theme")) }

// POST /_theme
func setTheme(w http.ResponseWriter, r *http.Request) error {
	s := siteOf(r.Context())
	choice := ui.ParseTheme(r.PostForm.Get("theme"))
	seconds := themeSeconds
	if choice == ui.ThemeSystem {
		seconds = -1
	}
	s.setCookie(w, "theme", string(choice), seconds, http.SameSiteLaxMode)
	http.Redirect(w, r, LocalPath(r.PostForm.Get("return"), "/"), http.StatusSeeOther)
	return nil
}

// LocalPath is path if it leads to a page of this site, otherwise the fallback:
// nobody is sent elsewhere by what a form or an address says.
func LocalPath(path, fallback string) string {
	u, err := url.Parse(path)
	local := err == nil && u.Scheme == "" && u.Host == "" && u.User == nil && strings.HasPrefix(path, "/") &&
		!strings.HasPrefix(path, "//") && !strings.ContainsAny(path, "\\\r\n\t")
	if !local {
		return fallback
	}
	return path
}
