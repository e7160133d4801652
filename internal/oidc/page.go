package oidc

import (
	"errors"
	"html/template"
	"net/http"

	"github.com/luikyv/go-oidc/pkg/goidc"

	"mandate/internal/fault"
)

// The two pages that are shown on the way: one for an instant, before the
// browser goes on, and one where a request cannot be answered to anybody. They
// need nothing but themselves.
var (
	onwardPage = template.Must(template.New("onward").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>One moment</title><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><meta name="robots" content="noindex"></head>
<body><main><h1>One moment</h1><p><a href="{{.To}}" rel="noreferrer">{{.Label}}</a></p></main></body></html>
`))
	problemPage = template.Must(template.New("problem").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>This sign-in cannot begin</title><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><meta name="robots" content="noindex"></head>
<body><main><h1>This sign-in cannot begin</h1><p>{{.}}</p><p>You were sent here by a product. Tell whoever looks after it; there is nothing you can do here.</p></main></body></html>
`))
)

// onward shows a page that goes on by itself, and a link for browsers that do
// not.
func onward(w http.ResponseWriter, to, label string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Refresh", "0; url="+to)
	w.WriteHeader(http.StatusOK)
	onwardPage.Execute(w, struct {
		To    string
		Label string
	}{to, label}) // the browser may be gone; there is nobody left to tell
}

// problem tells a person that a product's request cannot be answered: where it
// is not known to be the product's address, nothing is sent there.
func (p *Provider) problem(w http.ResponseWriter, r *http.Request, err error) {
	status, sentence := http.StatusInternalServerError, "Something failed on our side."
	f, isFault := errors.AsType[*fault.Error](err)
	refusal, isRefusal := errors.AsType[goidc.Error](err)
	switch {
	case isFault && codes[f.Kind].status != 0:
		status, sentence = codes[f.Kind].status, f.Sentence
	case isRefusal:
		status, sentence = http.StatusBadRequest, "The product’s request is wrong: "+refusal.Description+"."
	default:
		p.Log.ErrorContext(r.Context(), "openid request failed", "route", below(r), "error", err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	problemPage.Execute(w, sentence)
}
