package mail

import (
	"fmt"
	htmltemplate "html/template"
	"strings"
	texttemplate "text/template"

	"mandate/internal/identity"
)

// page is a message with what its templates show.
type page struct {
	identity.Mail
	Address string // the whole link; empty where there is none
	Until   string
}

var textTemplate = texttemplate.Must(texttemplate.New("text").Parse(`{{range .Lines}}{{.}}

{{end}}{{if .Address}}{{.Button}}:
{{.Address}}

{{end}}{{if .Until}}The link can be used once, until {{.Until}}.

{{end}}{{.From}}
`))

// Mail readers know little of CSS: everything stands on the elements.
var htmlTemplate = htmltemplate.Must(htmltemplate.New("html").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><title>{{.Subject}}</title></head>
<body style="margin:0;padding:24px;font-family:Inter,Helvetica,Arial,sans-serif;font-size:16px;line-height:1.5">
<div style="max-width:520px;margin:0 auto">
<p style="margin:0 0 24px;font-weight:600">{{.From}}</p>
{{range .Lines}}<p style="margin:0 0 16px">{{.}}</p>
{{end}}{{if .Address}}<p style="margin:24px 0"><a href="{{.Address}}" style="display:inline-block;padding:12px 20px;border-radius:6px;background:#1f3a5f;color:#ffffff;text-decoration:none;font-weight:600">{{.Button}}</a></p>
<p style="margin:0 0 16px;font-size:13px;word-break:break-all">{{.Address}}</p>
{{end}}{{if .Until}}<p style="margin:0 0 16px;font-size:13px">The link can be used once, until {{.Until}}.</p>
{{end}}</div></body></html>
`))

func render(m identity.Mail, link string) (text, html string, err error) {
	p := page{Mail: m, Address: link}
	if link != "" && !m.Expires.IsZero() {
		p.Until = m.Expires.UTC().Format("Monday, January 2, 2006, 15:04 MST")
	}
	var t, h strings.Builder
	if err := textTemplate.Execute(&t, p); err != nil {
		return "", "", fmt.Errorf("write the text: %w", err)
	}
	if err := htmlTemplate.Execute(&h, p); err != nil {
		return "", "", fmt.Errorf("write the page: %w", err)
	}
	return t.String(), h.String(), nil
}
