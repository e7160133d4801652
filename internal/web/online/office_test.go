package online_test

import (
	"context"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"mandate/internal/alert"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/identity"
	"mandate/internal/mail"
	"mandate/internal/mail/mailbox"
	"mandate/internal/outbox"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	mailboxpage "mandate/internal/web/mailbox"
	"mandate/internal/web/online"
)

// An office is a world with mail: what is queued goes over SMTP into a mailbox.
type office struct {
	*world
	clock   *dbtest.Clock
	door    *guard.Guard
	box     *mailbox.Box
	courier *outbox.Dispatcher
	faults  *online.Faults
	mailbox string // where the page of the mail is
}

func newOffice(t *testing.T, d *db.DB) *office {
	t.Helper()
	o := &office{world: &world{t: t, d: d}, clock: dbtest.ClockOf(t, d), faults: &online.Faults{}}
	o.server = httptest.NewUnstartedServer(nil)
	origin := "http://" + strings.Replace(o.server.Listener.Addr().String(), "127.0.0.1", "localhost", 1)
	var err error
	if o.box, err = mailbox.Listen("127.0.0.1:0", o.clock); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.box.Close() })
	post := &mail.Post{Keys: keys(t), Origin: origin, From: "Cedar Bank <no-reply@cedar.example>", Server: o.box.Address()}
	post.Wanted = func(ctx context.Context, m identity.Mail) (wanted bool, err error) {
		err = d.Read(ctx, func(tx *db.Tx) error {
			wanted, err = identity.StillWanted(tx, m)
			return err
		})
		return wanted, err
	}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	o.courier = outbox.NewDispatcher(d, outbox.Mail, func(ctx context.Context, m outbox.Delivery) error {
		if err := post.Deliver(ctx, m); err != nil {
			return err
		}
		return d.Write(ctx, func(tx *db.Tx) error { return o.identity.MailAccepted(tx, m.Institution, m.Key) })
	}, log)
	door := guard.New(d, usermgmt.LoadPolicy, nil, identity.Proofs{})
	o.door = door
	alerts := alert.New(d, post, usermgmt.Admins)
	door.Watch(alerts.Watch)
	o.identity, err = identity.New(identity.Config{
		DB: d, Guard: door, People: usermgmt.People{}, Mailer: post, Keys: keys(t), Clock: o.clock, Origins: []string{origin},
		Cost: identity.MinimumCost, ThrottleFactor: 1_000_000, RefusalTime: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	o.users = usermgmt.New(door, o.identity)
	o.build()
	handler, err := online.New(web.Site{Origin: origin, Key: []byte("a key of a test, thirty-two bytes"), Log: log}, online.Config{Users: o.users, Faults: o.faults, Identity: o.identity, Alerts: alerts})
	if err != nil {
		t.Fatal(err)
	}
	o.server.Config.Handler = handler
	o.server.Start()
	o.server.URL = origin
	t.Cleanup(o.server.Close)
	o.serveMailbox(log)
	return o
}

// serveMailbox shows the mail to browsers, as the demo does.
func (o *office) serveMailbox(log *slog.Logger) {
	o.t.Helper()
	server := httptest.NewUnstartedServer(nil)
	o.mailbox = "http://" + strings.Replace(server.Listener.Addr().String(), "127.0.0.1", "localhost", 1)
	handler, err := mailboxpage.New(web.Site{Origin: o.mailbox, Key: []byte("a key of a test, thirty-two bytes"), Log: log}, o.box)
	if err != nil {
		o.t.Fatal(err)
	}
	server.Config.Handler = handler
	server.Start()
	o.t.Cleanup(server.Close)
}

func eachOffice(t *testing.T, test func(o *office)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(newOffice(t, d)) })
}

// ana is the admin who sends links.
func (o *office) ana() bank.Caller {
	return bank.Caller{Kind: bank.ActorMember, ID: "usr_ana", Name: "Ana Ruiz", Institution: cedar, Organization: northwind, Channel: bank.ChannelOnline}
}

func who(username string) usermgmt.Person {
	return usermgmt.Person{Organization: northwind, User: userID(username)}
}

// newcomer is somebody who was created and has not been invited.
func (o *office) newcomer(username string) {
	o.t.Helper()
	o.add(username, strings.ToUpper(username[:1])+username[1:], "Ende", bank.RoleUser, bank.StatusPending, entitlement.Settings{}, "acc_operating")
}

// invite sends an invitation and returns the path of its link.
func (o *office) invite(username string) string {
	o.t.Helper()
	if err := o.users.Invite(o.t.Context(), o.ana(), who(username)); err != nil {
		o.t.Fatal(err)
	}
	return o.link(username)
}

// sendReset sends a reset link and returns its path.
func (o *office) sendReset(username string) string {
	o.t.Helper()
	if err := o.users.SendReset(o.t.Context(), o.ana(), who(username)); err != nil {
		o.t.Fatal(err)
	}
	return o.link(username)
}

// deliver sends everything that waits.
func (o *office) deliver() {
	o.t.Helper()
	for {
		n, err := o.courier.Deliver(o.t.Context())
		if err != nil {
			o.t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

// letters are the mails that somebody has got, newest first.
func (o *office) letters(username string) []mailbox.Message {
	o.t.Helper()
	o.deliver()
	return o.box.Messages(username + "@northwind.example")
}

// link is the path of the link in the newest mail that has one.
func (o *office) link(username string) string {
	o.t.Helper()
	for _, m := range o.letters(username) {
		if len(m.Links) > 0 {
			return strings.TrimPrefix(m.Links[0], o.server.URL)
		}
	}
	o.t.Fatalf("%s has got no link", username)
	return ""
}

var nonce = regexp.MustCompile(`name="nonce" value="([^"]+)"`)

// press opens a link and presses its button.
func (v *visitor) press(link string) answer {
	v.t.Helper()
	page := v.get(link)
	found := nonce.FindStringSubmatch(page.body)
	if found == nil {
		v.t.Fatalf("%s (%d) has no button:\n%s", link, page.status, page.text())
	}
	return v.post(link, url.Values{"nonce": {found[1]}})
}

func (v *visitor) tryPassword(username, password string) answer {
	v.t.Helper()
	return v.post("/cedar/sign-in", url.Values{"username": {username}, "password": {password}})
}

func (o *office) status(username string) (status bank.Status, held bool) {
	o.t.Helper()
	err := o.d.Read(o.t.Context(), func(tx *db.Tx) error {
		p, err := usermgmt.People{}.Find(tx, identity.Member(cedar, userID(username)))
		status, held = p.Status, p.Held
		return err
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return status, held
}

func (o *office) wantStatus(username string, want bank.Status) {
	o.t.Helper()
	if got, _ := o.status(username); got != want {
		o.t.Errorf("%s is %s, want %s", username, got, want)
	}
}

// everythingStored is all that the database holds of links, sign-ins and
// history, as text: equal before and after means that nothing was changed.
func (o *office) everythingStored() string {
	o.t.Helper()
	var all strings.Builder
	err := o.d.Read(o.t.Context(), func(tx *db.Tx) error {
		for _, table := range []string{"link", "credential", "sign_in", "strike", "second_factor", "recovery_code", "ceremony", "proof", "proof_asked", "known_device", "member", "outbox", "history_event"} {
			if err := dump(tx, &all, table); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return all.String()
}

func dump(tx *db.Tx, to io.Writer, table string) error {
	rows, err := tx.Query(`select * from ` + table + ` order by 1, 2, 3, 4`)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	for rows.Next() {
		row := make([]any, len(columns))
		for i := range row {
			row[i] = new(any)
		}
		if err := rows.Scan(row...); err != nil {
			return err
		}
		fmt.Fprint(to, table)
		for i := range row {
			fmt.Fprintf(to, " %v", *row[i].(*any))
		}
		fmt.Fprintln(to)
	}
	return rows.Err()
}

// code is what an authenticator app shows now.
func (o *office) code(seed string) string {
	o.t.Helper()
	code, err := totp.GenerateCode(strings.ReplaceAll(seed, " ", ""), o.clock.Now())
	if err != nil {
		o.t.Fatal(err)
	}
	return code
}

// later lets a code that was used go by.
func (o *office) later() { o.clock.Advance(30 * time.Second) }

var hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)

// hidden are the fields that the main part of a page carries unseen.
func (a answer) hidden() url.Values {
	v := url.Values{}
	_, content, _ := strings.Cut(a.body, "<main")
	for _, m := range hiddenField.FindAllStringSubmatch(content, -1) {
		if m[1] != "csrf" {
			v.Add(m[1], html.UnescapeString(m[2]))
		}
	}
	return v
}

// with adds fields to those that a page carries.
func with(v url.Values, pairs ...string) url.Values {
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

var seedText = regexp.MustCompile(`id="copy-the-key">([A-Z2-7 ]+)<`)

// addApp enrols an authenticator app on the page of one's security and returns
// its seed and the page that came last.
func (v *visitor) addApp(t *testing.T, o *office) (seed string, last answer) {
	t.Helper()
	asked := v.post("/cedar/security/app", url.Values{})
	asked.is(t, http.StatusForbidden)
	step := v.post("/cedar/security/app", with(asked.hidden(), "prove_password", password))
	step.is(t, http.StatusOK)
	found := seedText.FindStringSubmatch(step.body)
	if found == nil {
		t.Fatalf("no key on the page:\n%s", step.text())
	}
	return found[1], v.post("/cedar/security/app/confirm", with(step.hidden(), "code", o.code(found[1])))
}
