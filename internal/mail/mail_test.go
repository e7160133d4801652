package mail_test

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/identity"
	"mandate/internal/mail"
	"mandate/internal/mail/mailbox"
	"mandate/internal/outbox"
	"mandate/internal/seal"
)

func invitation() identity.Mail {
	return identity.Mail{
		Key: "invite 1", Institution: "first", Purpose: "orguser.invited", To: "dana@example.com", Name: "Dana Réyes", From: "First Bank",
		Subject: "Join Larkspur — your invitation", Lines: []string{"Ana Ruiz invites you to <Larkspur>."}, Button: "Join",
		Link: "/first/invitation/secret-of-the-link", Expires: time.Date(2026, 3, 9, 15, 0, 0, 0, time.UTC),
	}
}

func post(t *testing.T, box *mailbox.Box) *mail.Post {
	t.Helper()
	keys, err := seal.Parse(seal.NewLine("test"))
	if err != nil {
		t.Fatal(err)
	}
	return &mail.Post{Keys: keys, Origin: "http://localhost:8080", Staff: "http://localhost:8081", From: "First Bank <no-reply@example.com>", Server: box.Address()}
}

func listen(t *testing.T) *mailbox.Box {
	t.Helper()
	box, err := mailbox.Listen("127.0.0.1:0", dbtest.NewClock(time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	return box
}

func deliver(t *testing.T, d *db.DB, p *mail.Post) {
	t.Helper()
	out := outbox.NewDispatcher(d, outbox.Mail, p.Deliver, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if _, err := out.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func queue(t *testing.T, d *db.DB, p *mail.Post, m identity.Mail) {
	t.Helper()
	if err := d.Write(t.Context(), func(tx *db.Tx) error { return p.Queue(tx, m) }); err != nil {
		t.Fatal(err)
	}
}

// What is queued arrives over SMTP with both parts, and the link waits nowhere
// in readable form.
func TestMailArrives(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		box := listen(t)
		p := post(t, box)
		queue(t, d, p, invitation())
		err := d.Read(t.Context(), func(tx *db.Tx) error {
			payload, err := db.One(tx, db.Value[[]byte], `select payload from outbox where dedup_key = 'invite 1'`)
			if strings.Contains(string(payload), "secret-of-the-link") {
				t.Error("the link stands readable in the outbox")
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		deliver(t, d, p)
		got := box.Messages("dana@example.com")
		if len(got) != 1 {
			t.Fatalf("%d messages arrived, want one", len(got))
		}
		m := got[0]
		if m.Subject != invitation().Subject || len(m.Links) != 1 || m.Links[0] != "http://localhost:8080/first/invitation/secret-of-the-link" {
			t.Errorf("subject %q, links %q", m.Subject, m.Links)
		}
		if !strings.Contains(m.HTML, "&lt;Larkspur&gt;") || !strings.Contains(m.Text, "<Larkspur>") || !strings.Contains(m.Text, "March 9, 2026") {
			t.Errorf("text %q\nhtml %q", m.Text, m.HTML)
		}
	})
}

func TestLinksOfStaffLeadToTheConsole(t *testing.T) {
	d := dbtest.SQLite(t)
	box := listen(t)
	p := post(t, box)
	m := invitation()
	m.Kind = identity.KindStaff
	queue(t, d, p, m)
	deliver(t, d, p)
	if got := box.Messages(""); len(got) != 1 || got[0].Links[0] != "http://localhost:8081/first/invitation/secret-of-the-link" {
		t.Errorf("got %+v", got)
	}
}

func TestUnwantedMailIsNotSent(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		box := listen(t)
		p := post(t, box)
		p.Wanted = func(context.Context, identity.Mail) (bool, error) { return false, nil }
		queue(t, d, p, invitation())
		deliver(t, d, p)
		if got := box.Messages(""); len(got) != 0 {
			t.Errorf("%d messages arrived, want none", len(got))
		}
	})
}

// A mail server that is down costs nothing: the mail waits and goes later.
func TestServerDownAndBack(t *testing.T) {
	d := dbtest.SQLite(t)
	box := listen(t)
	p := post(t, box)
	up := p.Server
	p.Server = "smtp://127.0.0.1:1"
	queue(t, d, p, invitation())
	deliver(t, d, p)
	if got := box.Messages(""); len(got) != 0 {
		t.Fatalf("%d messages arrived through a server that is down", len(got))
	}
	p.Server = up
	err := d.Write(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(`update outbox set due_micros = 0`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	deliver(t, d, p)
	if got := box.Messages(""); len(got) != 1 {
		t.Errorf("%d messages arrived, want one", len(got))
	}
}

// A page that is no secret stands in a mail with the public origin in front,
// and needs no link to be kept.
func TestMailLeadsToAPage(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		box := listen(t)
		p := post(t, box)
		p.Wanted = func(_ context.Context, m identity.Mail) (wanted bool, err error) {
			err = d.Read(t.Context(), func(tx *db.Tx) error {
				wanted, err = identity.StillWanted(tx, m)
				return err
			})
			return wanted, err
		}
		m := invitation()
		m.Key, m.Link, m.Page, m.Button, m.Expires = "asked 1", "", "/first/approvals/apr_1", "Look at it", time.Time{}
		queue(t, d, p, m)
		deliver(t, d, p)
		got := box.Messages("")
		if len(got) != 1 || !slices.Equal(got[0].Links, []string{"http://localhost:8080/first/approvals/apr_1"}) || strings.Contains(got[0].Text, "can be used once") {
			t.Errorf("arrived %+v", got)
		}
	})
}
