package console

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/outbox"
	"mandate/internal/staff"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// Letters is what the console needs to show what was mailed to somebody.
type Letters interface {
	Letters(ctx context.Context, caller bank.Caller, id bank.StaffID, before string) (letters []staff.Letter, more bool, err error)
	Letter(ctx context.Context, caller bank.Caller, user bank.StaffID, id string) (staff.Letter, error)
}

type lettersPage struct {
	userPage
	Letters []letterRow
	Older   string // where the older ones are; empty where there are none
}

// A letterRow is a letter as it is listed.
type letterRow struct {
	staff.Letter
	Href  string
	State ui.State
}

func (p *userPage) letter(id string) string { return p.at("/notifications/") + url.PathEscape(id) }

// userNotifications lists what was mailed to somebody.
//
// GET /{institution}/users/{user}/notifications
func (a *app) userNotifications(w http.ResponseWriter, r *http.Request) error {
	frame, err := a.theUser(r, "Notifications")
	if err != nil {
		return err
	}
	letters, more, err := a.Staff.Letters(r.Context(), web.CallerOf(r.Context()), userID(r), r.URL.Query().Get("before"))
	if err != nil {
		return err
	}
	p := lettersPage{userPage: frame}
	for _, l := range letters {
		p.Letters = append(p.Letters, letterRow{l, p.letter(l.ID), fateOf(l.Fate)})
	}
	if more {
		p.Older = p.at("/notifications") + "?before=" + url.QueryEscape(letters[len(letters)-1].ID)
	}
	return web.Render(w, r, http.StatusOK, lettersView(p))
}

// fateOf is how far a mail has come, in words.
func fateOf(s outbox.State) ui.State {
	switch s {
	case outbox.Done:
		return ui.State{Word: "Sent", Icon: "circle-check", Tone: ui.Good}
	case outbox.Dead:
		return ui.State{Word: "Not sent", Icon: "octagon-alert", Tone: ui.Bad}
	case outbox.Cancelled:
		return ui.State{Word: "Taken back", Icon: "circle-slash", Tone: ui.Plain}
	}
	return ui.State{Word: "Waits to be sent", Icon: "hourglass", Tone: ui.Plain}
}

type letterPage struct {
	Shell  ui.Shell
	Letter staff.Letter
	State  ui.State
	When   string
	Text   []string
}

// GET /{institution}/users/{user}/notifications/{message}
func (a *app) userNotification(w http.ResponseWriter, r *http.Request) error {
	caller := web.CallerOf(r.Context())
	u, err := a.Staff.User(r.Context(), caller, userID(r))
	if err != nil {
		return err
	}
	l, err := a.Staff.Letter(r.Context(), caller, userID(r), r.PathValue("message"))
	if err != nil {
		return err
	}
	me, err := a.me(r)
	if err != nil {
		return err
	}
	b := baseOf(r)
	p := letterPage{Letter: l, State: fateOf(l.Fate), When: ui.DateTime(l.Written, me.Place())}
	for _, line := range l.Lines {
		if strings.TrimSpace(line) != "" {
			p.Text = append(p.Text, line)
		}
	}
	if p.Shell, err = a.shell(r, &me, l.Subject, ui.Link{Label: "Users", Href: b.users()}, ui.Link{Label: u.Name(), Href: b.user(u.ID)},
		ui.Link{Label: "Notifications", Href: b.user(u.ID) + "/notifications"}); err != nil {
		return err
	}
	p.Shell.Narrow = true
	return web.Render(w, r, http.StatusOK, letterView(p))
}
