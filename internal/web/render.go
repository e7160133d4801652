package web

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"sync"

	"github.com/a-h/templ"

	"mandate/internal/web/ui"
)

var pages = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// keepBuffer is the largest buffer that is kept for the next page.
const keepBuffer = 1 << 20

// Render writes a page or a part of one. It is written whole or not at all: a
// template that fails leaves the answer to the error page.
func Render(w http.ResponseWriter, r *http.Request, status int, page templ.Component) error {
	b := pages.Get().(*bytes.Buffer)
	b.Reset()
	defer func() {
		if b.Cap() <= keepBuffer {
			pages.Put(b)
		}
	}()
	if err := page.Render(r.Context(), b); err != nil {
		return fmt.Errorf("render %s: %w", r.Pattern, err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	if len(ui.From(r.Context()).Toasts) > 0 && !Partial(r) {
		siteOf(r.Context()).setCookie(w, "flash", "", -1, http.SameSiteLaxMode) // it was said
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(b.Bytes()) // the browser may be gone; there is nobody left to tell
	}
	return nil
}

// Partial reports whether a script asks for a part of a page. The address
// answers the same to everybody; a part may be all that is rendered.
func Partial(r *http.Request) bool { return r.Header.Get("HX-Request") == "true" }

// RenderConfirm answers with a question: as a dialog where a script asked for
// one, otherwise on a page, which the caller's function makes of the content.
// The fields may be nil.
func RenderConfirm(w http.ResponseWriter, r *http.Request, status int, c ui.Confirmation, fields templ.Component, page func(content templ.Component) templ.Component) error {
	if fields == nil {
		fields = templ.NopComponent
	}
	if Partial(r) {
		return Render(w, r, status, ui.Within(ui.ConfirmDialog(c), fields))
	}
	return Render(w, r, status, page(ui.Within(ui.ConfirmPage(c), fields)))
}
