// Package mailbox is the demo's page of the mail that was sent. It shows what a
// mail server got over SMTP, to anybody on this machine; a deployment does not
// have it.
package mailbox

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"mandate/internal/fault"
	"mandate/internal/mail/mailbox"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// Box is where the mail is.
type Box interface {
	Messages(to string) []mailbox.Message
}

// shown is how many messages the page lists.
const shown = 100

type app struct {
	box  Box
	site *web.Site
}

// New makes the page.
func New(site web.Site, box Box) (http.Handler, error) {
	site.App = "mailbox"
	a := &app{box: box, site: &site}
	anybody := web.Needs{Who: web.Anybody, Institution: web.Nowhere}
	return site.Handler([]web.Route{
		{Method: "GET", Pattern: "/{$}", Handler: a.list, Needs: anybody},
		{Method: "GET", Pattern: "/messages", Handler: a.messages, Needs: anybody},
		{Method: "GET", Pattern: "/messages/{id}", Handler: a.message, Needs: anybody},
		{Method: "GET", Pattern: "/messages/{id}/html", Handler: a.html, Needs: anybody},
	})
}

func entry(title string) ui.Entry {
	return ui.Entry{Title: title, App: "Mailbox", Institution: ui.Institution{Name: "Demo mailbox"}, Home: "/", Wide: true}
}

type listPage struct {
	Entry    ui.Entry
	Toolbar  ui.Toolbar
	Messages []mailbox.Message
}

// GET /
func (a *app) list(w http.ResponseWriter, r *http.Request) error {
	list := web.ReadList(r, web.ListSpec{})
	all := a.box.Messages("")
	found := search(all, list.Search)
	page := listPage{
		Entry: entry("Mail that was sent"), Messages: found[:min(len(found), shown)],
		Toolbar: list.Toolbar("Search by address, name or subject", ui.Count(len(found), "message", "messages")),
	}
	return web.Render(w, r, http.StatusOK, listView(page))
}

// search finds the messages with a text in their address, name or subject.
func search(all []mailbox.Message, text string) []mailbox.Message {
	var found []mailbox.Message
	for _, m := range all {
		if strings.Contains(strings.ToLower(m.To+" "+m.Subject+" "+m.From), strings.ToLower(text)) {
			found = append(found, m)
		}
	}
	return found
}

// GET /messages?to=, for programs
func (a *app) messages(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	return json.NewEncoder(w).Encode(a.box.Messages(r.URL.Query().Get("to")))
}

type messagePage struct {
	Entry ui.Entry
	mailbox.Message
	Parts []part
	HTML  string // address of the message as a mail reader shows it; empty where it has only text
}

// A part is a paragraph of a message, or a link with what it is called.
type part struct {
	Lines       []string
	Label, Link string
}

// GET /messages/{id}
func (a *app) message(w http.ResponseWriter, r *http.Request) error {
	m, err := a.find(r)
	if err != nil {
		return err
	}
	page := messagePage{Entry: entry(m.Subject), Message: m, Parts: parts(m.Text)}
	if m.HTML != "" {
		page.HTML = "/messages/" + strconv.Itoa(m.ID) + "/html"
	}
	return web.Render(w, r, http.StatusOK, messageView(page))
}

func (a *app) find(r *http.Request) (mailbox.Message, error) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil {
		return mailbox.Message{}, errNoMessage
	}
	for _, m := range a.box.Messages("") {
		if m.ID == id {
			return m, nil
		}
	}
	return mailbox.Message{}, errNoMessage
}

var errNoMessage = fault.New(fault.NotFound, "There is no such message, or it was among the oldest and had to go.")

// parts takes a text apart at its empty lines. A paragraph whose last line is an
// address is a link, called by the line before.
func parts(text string) []part {
	var all []part
	text = strings.ReplaceAll(text, "\r\n", "\n")
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		lines := strings.Split(strings.TrimSpace(paragraph), "\n")
		last := lines[len(lines)-1]
		switch {
		case last == "":
		case isLink(last):
			label := "Open the link"
			if len(lines) > 1 {
				label = strings.TrimSuffix(lines[len(lines)-2], ":")
				lines = lines[:len(lines)-1]
			}
			all = append(all, part{Lines: lines[:len(lines)-1], Label: label, Link: last})
		default:
			all = append(all, part{Lines: lines})
		}
	}
	return all
}

// isLink reports whether a line is an address and nothing else.
func isLink(line string) bool {
	return strings.HasPrefix(line, "http://") || strings.HasPrefix(line, "https://")
}

// mailPolicy lets a message have the styles that mail readers want, and keeps
// it from doing anything: it runs no script and loads nothing.
const mailPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox allow-popups"

// html shows a message as a mail reader does, on a page of its own.
//
// GET /messages/{id}/html
func (a *app) html(w http.ResponseWriter, r *http.Request) error {
	m, err := a.find(r)
	if err != nil {
		return err
	}
	if m.HTML == "" {
		return errNoMessage
	}
	w.Header().Set("Content-Security-Policy", mailPolicy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, err = w.Write([]byte(m.HTML))
	return err
}
