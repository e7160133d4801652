// Package mailbox is the demo's page of the mail that was sent. It shows what a
// mail server got over SMTP, to anybody on this machine; a deployment does not
// have it.
package mailbox

import (
	"encoding/json"
	"net/http"
	"strconv"

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
	})
}

func entry(title string) ui.Entry {
	return ui.Entry{Title: title, App: "Mailbox", Institution: ui.Institution{Name: "Demo mailbox"}, Home: "/", Wide: true}
}

// GET /
func (a *app) list(w http.ResponseWriter, r *http.Request) error {
	all := a.box.Messages("")
	return web.Render(w, r, http.StatusOK, listPage(entry("Mail that was sent"), all[:min(len(all), shown)]))
}

// GET /messages?to=, for programs
func (a *app) messages(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	return json.NewEncoder(w).Encode(a.box.Messages(r.URL.Query().Get("to")))
}

// GET /messages/{id}
func (a *app) message(w http.ResponseWriter, r *http.Request) error {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil {
		return errNoMessage
	}
	for _, m := range a.box.Messages("") {
		if m.ID == id {
			return web.Render(w, r, http.StatusOK, messagePage(entry(m.Subject), m))
		}
	}
	return errNoMessage
}

var errNoMessage = fault.New(fault.NotFound, "There is no such message, or it was among the oldest and had to go.")
