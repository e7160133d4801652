package web

import (
	"errors"
	"net/http"

	"github.com/a-h/templ"

	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/web/ui"
)

var (
	errSignIn  = fault.New(fault.Unauthorized, "Sign in to see this page.")
	errForeign = fault.New(fault.Forbidden, "This request came from another site, so nothing was done. Open the page here and try again.").With("foreign_origin")
	errText    = fault.New(fault.Invalid, "Something of what was sent has signs that cannot be stored, so nothing was done. Remove them and try again.")
	errToken   = fault.New(fault.Forbidden, "This form is no longer valid, so nothing was done. Reload the page and try again.").With("form_token")
)

// A failure is how a kind of fault looks to a browser.
type failure struct {
	status int
	icon   string
	title  string
}

var failures = map[fault.Kind]failure{
	fault.Internal:     {http.StatusInternalServerError, "octagon-alert", "Something went wrong"},
	fault.Invalid:      {http.StatusUnprocessableEntity, "triangle-alert", "That could not be read"},
	fault.Unauthorized: {http.StatusUnauthorized, "key-round", "Please sign in"},
	fault.Forbidden:    {http.StatusForbidden, "shield", "You can’t do this"},
	fault.NotFound:     {http.StatusNotFound, "search", "Page not found"},
	fault.Conflict:     {http.StatusConflict, "repeat", "This has changed meanwhile"},
	fault.StepUp:       {http.StatusForbidden, "fingerprint-pattern", "Please confirm that it is you"},
	fault.TooMany:      {http.StatusTooManyRequests, "hourglass", "Too many attempts"},
	fault.Unavailable:  {http.StatusServiceUnavailable, "clock", "Not available just now"},
}

// StatusOf is the status with which a kind of fault is answered.
func StatusOf(kind fault.Kind) int { return failures[kind].status }

const unknownSentence = "We could not finish this, and nothing was changed. Please try again; if it happens again, tell us the reference below."

// fail answers with the page for err. A status other than zero replaces the
// kind's own. What a stranger may not know (causes, statements, paths) goes to
// the log; the page shows the fault's sentence and a reference.
func (s *Site) fail(w http.ResponseWriter, r *http.Request, err error, status int) {
	if n, ok := r.Context().Value(noteKey).(*note); ok {
		n.err = err
	}
	if errors.Is(err, db.ErrText) { // whatever we write ourselves can be stored
		err = errText
	}
	kind := fault.KindOf(err)
	if kind == fault.Unauthorized && s.SignIn != nil {
		s.sendToSignIn(w, r)
		return
	}
	f := failures[kind]
	if status != 0 {
		f.status = status
	}
	if f.status == http.StatusMethodNotAllowed {
		f.title = "Not possible this way"
	}
	if kind == fault.TooMany || kind == fault.Unavailable {
		w.Header().Set("Retry-After", "60")
	}
	page := s.dress(r, f.title, ui.Problem(refusalOf(f, err, RequestID(r.Context()))))
	if err := Render(w, r, f.status, page); err != nil {
		s.Log.ErrorContext(r.Context(), "error page", "request", RequestID(r.Context()), "error", err)
		http.Error(w, f.title, f.status)
	}
}

func refusalOf(f failure, err error, reference string) ui.Refusal {
	page := ui.Refusal{Icon: f.icon, Title: f.title, Text: unknownSentence, Reference: reference}
	if fault.KindOf(err) == fault.Internal {
		return page
	}
	page.Text = SentenceOf(err)
	for _, p := range fault.ProblemsOf(err) {
		page.Reasons = append(page.Reasons, p.Sentence)
	}
	return page
}

func (s *Site) dress(r *http.Request, title string, content templ.Component) templ.Component {
	if s.Dress != nil {
		return s.Dress(r, title, content)
	}
	entry := ui.Entry{Title: title, Institution: ui.Institution{Name: "Mandate"}, Wide: true}
	return ui.Within(ui.EntryPage(entry), content)
}

// sendToSignIn leads a page to the sign-in; a part of a page must be told so in
// a way that replaces the whole of it.
func (s *Site) sendToSignIn(w http.ResponseWriter, r *http.Request) {
	target := s.SignIn(r)
	if Partial(r) {
		w.Header().Set("HX-Redirect", target)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
}

// SentenceOf is what a fault says to the person; other errors say nothing.
func SentenceOf(err error) string {
	if e, ok := errors.AsType[*fault.Error](err); ok {
		return e.Sentence
	}
	return ""
}
