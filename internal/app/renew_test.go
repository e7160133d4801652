package app

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mandate/internal/backup"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/client"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
	"mandate/internal/grant"
	"mandate/internal/identity"
	"mandate/internal/lease"
	"mandate/internal/outbox"
	"mandate/internal/pdp"
)

// A life is one running program, and what somebody holds of it.
type life struct {
	*desk
	url, dir string
	secret   string // of backups
	public   string

	session, link, refresh identity.Secret
	revision               []pdp.Revision
	fence                  lease.Lease
	key                    client.Key
	signed                 atomic.Int64
}

var olga = bank.Caller{Kind: bank.ActorOperator, Name: "Olga", Institution: "cedar", Channel: bank.ChannelCommand}

const lifePassword = identity.Secret("the quiet harbor at noon")

// live opens the program, signs Dana in and gives her and a product all that a
// restore must end.
func live(t *testing.T, url string) *life {
	t.Helper()
	w := &life{desk: newDesk(t, url), url: url, dir: t.TempDir(), refresh: "the newest refresh token"}
	ctx := t.Context()
	text, public, err := backup.NewKey()
	w.must(err)
	w.secret, w.public = filepath.Join(w.dir, "backup.key"), public
	w.must(os.WriteFile(w.secret, []byte(text), 0o600))
	hash, err := w.a.Identity.Hash(ctx, lifePassword)
	w.must(err)
	who := identity.Member("cedar", "dana")
	w.must(w.a.DB.Write(ctx, func(tx *db.Tx) error { return w.a.Identity.PutCredential(tx, who, "dana", hash) }))
	granted, err := w.a.Identity.SignIn(ctx, identity.Attempt{Institution: "cedar", Kind: identity.KindMember, Username: "dana", Password: lifePassword})
	w.must(err)
	w.session = granted.Token
	w.must(w.a.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := w.a.Identity.SendReset(tx, who, w.as("ana"))
		return err
	}))
	w.link = w.mailed()
	family := grant.Family{ID: "fam_1", Application: "app_1", Institution: "cedar", Body: []byte("{}")}
	w.must(w.a.Grants.Begin(ctx, "cedar", family))
	family.Refresh, family.Version = w.refresh, 1
	w.must(w.a.Grants.Renew(ctx, "cedar", family))
	w.revision = []pdp.Revision{w.decide(nil).Revision}
	_, w.key, err = w.a.Clients.Create(ctx, olga, client.Draft{Name: "Hub"})
	w.must(err)
	w.fence, _, err = lease.Take(ctx, w.a.DB, "transfers", "the process before", time.Hour)
	w.must(err)
	return w
}

var linkToken = regexp.MustCompile(`password-reset/([A-Za-z0-9_-]{43})"`)

// mailed is the link of the one mail that waits.
func (w *life) mailed() identity.Secret {
	w.t.Helper()
	var letters []outbox.Letter
	w.must(w.a.DB.Read(w.t.Context(), func(tx *db.Tx) (err error) {
		letters, err = outbox.Undelivered(tx, "cedar", outbox.Mail, "", 10)
		return err
	}))
	for _, l := range letters {
		text, err := w.a.keys.Open(l.Payload, "outbox", l.Key)
		w.must(err)
		if found := linkToken.FindStringSubmatch(string(text)); found != nil {
			return identity.Secret(found[1])
		}
	}
	w.t.Fatalf("no mail has a link: %d wait", len(letters))
	return ""
}

func (w *life) decide(atLeast []pdp.Revision) pdp.Answer {
	w.t.Helper()
	answer, err := w.a.Decisions.Decide(w.t.Context(), "cedar", pdp.Question{Member: "lee", Operation: "wires.view", Account: "acc_operating", AtLeast: atLeast})
	w.must(err)
	return answer
}

// holds says what of that which Dana and the product hold still works.
func (w *life) holds() (works []string) {
	w.t.Helper()
	ctx := w.t.Context()
	if _, err := w.a.Identity.Session(ctx, "cedar", w.session, identity.Source{}); err == nil {
		works = append(works, "the session")
	}
	if _, err := w.a.Identity.Look(ctx, "cedar", identity.PurposeReset, w.link); err == nil {
		works = append(works, "the link")
	}
	if _, err := w.a.Grants.ByRefresh(ctx, "cedar", w.refresh); err == nil {
		works = append(works, "the refresh token")
	}
	if answer := w.decide(w.revision); len(answer.Reasons) == 0 || answer.Reasons[0].Code != pdp.RevisionNotReached {
		works = append(works, "the revision token")
	}
	if _, err := w.a.Clients.Authenticate(ctx, w.key.Reveal()); err == nil {
		works = append(works, "the key of a program")
	}
	err := w.a.DB.Write(ctx, w.fence.Check)
	if err == nil {
		works = append(works, "the lease")
	} else if !errors.Is(err, lease.ErrLost) {
		w.t.Fatal(err)
	}
	return works
}

func (w *life) backup() string {
	w.t.Helper()
	d, err := db.Open(w.t.Context(), db.Config{URL: w.url, Clock: w.a.Clock, ReadOnly: true})
	w.must(err)
	o := backup.Order{DB: d, URL: w.url, Work: w.dir, To: filepath.Join(w.dir, "mandate.age"), Keys: backup.Keys{Recipients: []string{w.public}}}
	_, err = backup.Make(w.t.Context(), o)
	w.must(errors.Join(err, d.Close()))
	return o.To
}

// restore ends the program, restores over its database and opens it again.
func (w *life) restore(file string) (r Renewed) {
	w.t.Helper()
	ctx := w.t.Context()
	w.must(w.a.Close())
	identities, err := backup.Identities(w.secret, "")
	w.must(err)
	work := w.dir
	if path, ok := strings.CutPrefix(w.url, "sqlite:"); ok {
		work = filepath.Dir(path)
	}
	_, err = backup.Restore(ctx, backup.Restoration{File: file, Identities: identities, URL: w.url, Work: work, Over: true, Clock: w.a.Clock,
		Renew: func(ctx context.Context, d *db.DB, from backup.Manifest) (err error) {
			r, err = Renew(ctx, d, nil, from)
			return err
		}})
	w.must(err)
	w.a, err = Open(ctx, w.a.Config, w.a.Clock, slog.New(slog.DiscardHandler))
	w.must(err)
	return r
}

func eachURL(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("SQLite", func(t *testing.T) { test(t, dbtest.SQLiteURL(t, nil)) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, dbtest.PostgreSQLURL(t, nil)) })
}

// Nothing that anybody held before a restore works after it, whatever the backup
// knows of it; and what waited to go out waits for a word.
func TestRestoreEndsWhatMustNotComeBack(t *testing.T) {
	eachURL(t, func(t *testing.T, url string) {
		w := live(t, url)
		if works := w.holds(); len(works) != 6 {
			t.Fatalf("before: only %v work", works)
		}
		file := w.backup()
		first := w.restore(file)
		if works := w.holds(); len(works) != 0 {
			t.Errorf("after the restore %v still work", works)
		}
		sent := 0
		courier := outbox.NewDispatcher(w.a.DB, outbox.Mail, func(context.Context, outbox.Delivery) error { sent++; return nil }, slog.New(slog.DiscardHandler))
		if _, err := courier.Deliver(t.Context()); err != nil || sent != 0 {
			t.Errorf("%d messages of before the restore went out (%v)", sent, err)
		}
		n, err := ReleaseHeld(t.Context(), w.a.DB, olga, outbox.Mail, "")
		if err != nil || n == 0 {
			t.Errorf("released %d (%v)", n, err)
		}
		if _, err := courier.Deliver(t.Context()); err != nil || sent == 0 {
			t.Errorf("after a word %d went out (%v)", sent, err)
		}
		w.signInAgain()
		w.clock().Advance(time.Minute)
		if second := w.restore(file); second.Epoch <= first.Epoch {
			t.Errorf("the same backup restored again: epoch %d after %d", second.Epoch, first.Epoch)
		}
	})
}

// Programs are kept out after a restore, because a key that was revoked after the
// backup is there again. A word lets one in, or the others, or ends it; what was
// let in can be kept out by the next restore.
func TestProgramsAreKeptOutAfterARestore(t *testing.T) {
	w := live(t, dbtest.SQLiteURL(t, nil))
	ctx := t.Context()
	stolen, stolenKey, err := w.a.Clients.Create(ctx, olga, client.Draft{Name: "Stolen"})
	w.must(err)
	other, otherKey, err := w.a.Clients.Create(ctx, olga, client.Draft{Name: "Other", Access: client.Access{Application: "app_1"}})
	w.must(err)
	file := w.backup()
	w.must(w.a.Clients.Revoke(ctx, olga, stolen.ID))
	renewed := w.restore(file)
	if len(renewed.Clients) != 3 || renewed.Clients[2].Name != "Stolen" {
		t.Errorf("the report tells of %v", renewed.Clients)
	}
	getsIn := func() (names string) {
		for _, key := range []client.Key{w.key, stolenKey, otherKey} {
			if c, err := w.a.Clients.Authenticate(ctx, key.Reveal()); err == nil {
				names += c.Name + " "
			}
		}
		if c, err := w.a.Clients.OfApplication(ctx, "cedar", "app_1"); err == nil {
			names += c.Name + " by a token "
		}
		return names
	}
	held := func(do func(context.Context, *db.DB, bank.Caller, outbox.Kind, string) (int64, error), id bank.ClientID, want int64, then string) {
		t.Helper()
		if n, err := do(ctx, w.a.DB, olga, HeldClients, string(id)); n != want || want > 0 && err != nil || want == 0 && fault.KindOf(err) != fault.NotFound {
			t.Errorf("%d programs (%v), want %d", n, err, want)
		}
		w.a.Clients.Stale() // another process did it; on SQLite none is running then
		if got := getsIn(); got != then {
			t.Errorf("in get %q, want %q", got, then)
		}
	}
	held(DropHeld, stolen.ID, 1, "")
	held(ReleaseHeld, other.ID, 1, "Other Other by a token ")
	held(ReleaseHeld, "", 1, "Hub Other Other by a token ")
	held(ReleaseHeld, "", 0, "Hub Other Other by a token ")
	held(DropHeld, other.ID, 0, "Hub Other Other by a token ")
}

// A database that is restored knows nothing of what the core has done since the
// backup. What it then orders again goes by the same keys, and so no money moves
// a second time, also of payments that the backup did not know yet.
func TestARestoredSeriesIsNotPaidTwice(t *testing.T) {
	w := live(t, dbtest.SQLiteURL(t, nil)) // the simulated core lies elsewhere, and is not restored
	ctx := t.Context()
	w.transfer(40_00, "2026-03-10", calendar.Monthly)
	w.wire(50_00, "2026-03-10", calendar.Monthly)
	file := w.backup()
	run := func(days ...string) {
		t.Helper()
		for _, day := range days {
			w.clock().Set(bank.Day(day).Time(time.UTC))
			for range 3 { // what is late catches up
				_, err := w.a.Transfers.RunDue(ctx)
				w.must(err)
				_, err = w.a.Wires.RunDue(ctx)
				w.must(err)
				_, err = w.a.Desk.Deliver(ctx)
				w.must(err)
			}
		}
	}
	has := func(operating, payroll bank.Cents) {
		t.Helper()
		got, err := w.a.Bank.Balances(ctx, "cedar", []bank.AccountID{"acc_operating", "acc_payroll"})
		w.must(err)
		if got["acc_operating"].Ledger != operating || got["acc_payroll"].Ledger != payroll {
			t.Errorf("the core has %s and %s, want %s and %s", got["acc_operating"].Ledger, got["acc_payroll"].Ledger, operating, payroll)
		}
	}
	run("2026-03-10", "2026-04-10")
	has(50_000_00-2*90_00, 2*40_00)
	w.restore(file)
	run("2026-04-13")
	has(50_000_00-2*90_00, 2*40_00)
	n, err := ReleaseHeld(ctx, w.a.DB, olga, outbox.Host, "")
	if err != nil || n == 0 {
		t.Errorf("no order was held (%v)", err)
	}
	run("2026-04-14")
	has(50_000_00-2*90_00, 2*40_00)
	run("2026-05-11")
	has(50_000_00-3*90_00, 3*40_00)
	w.must(w.a.DB.Read(ctx, func(tx *db.Tx) error {
		backlogs, err := outbox.Backlogs(tx)
		for _, b := range backlogs { // the second ones are dated anew, and the core says that it knows their keys with another day
			if b.Kind == outbox.Host && (b.Waiting != 0 || b.Dead != 2) {
				t.Errorf("%d orders wait, %d were given up; want 0 and 2", b.Waiting, b.Dead)
			}
		}
		return err
	}))
}

func (w *life) clock() *dbtest.Clock {
	clock, ok := w.a.Clock.(*dbtest.Clock)
	if !ok {
		w.t.Fatal("the program runs by another clock")
	}
	return clock
}

// signInAgain shows that people get in again as before.
func (w *life) signInAgain() {
	w.t.Helper()
	_, err := w.a.Identity.SignIn(w.t.Context(), identity.Attempt{Institution: "cedar", Kind: identity.KindMember, Username: "dana", Password: lifePassword})
	w.must(err)
	if answer := w.decide(nil); answer.Outcome() == "" {
		w.t.Error("no answer after the restore")
	}
}
