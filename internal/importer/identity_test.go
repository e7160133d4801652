package importer_test

import (
	"strings"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/identity"
	"mandate/internal/importer"
	"mandate/internal/outbox"
	"mandate/internal/usermgmt"
)

// post queues mail as the program does.
type post struct{}

func (post) Queue(tx *db.Tx, m identity.Mail) error {
	_, err := outbox.Queue(tx, outbox.Message{Institution: m.Institution, Kind: outbox.Mail, Key: m.Key})
	return err
}

func (post) Cancel(tx *db.Tx, institution bank.InstitutionID, key string) error {
	return outbox.Cancel(tx, institution, outbox.Mail, key)
}

// write runs f in a transaction.
func (w *world) write(f func(tx *db.Tx) error) {
	w.t.Helper()
	if err := w.db.Write(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
}

// signIn opens a sign-in and counts a wrong attempt.
func (w *world) signIn(member bank.UserID) {
	w.t.Helper()
	w.write(func(tx *db.Tx) error {
		_, err := tx.Exec(`
			insert into sign_in (institution_id, id, subject_kind, subject_id, token_hash, stage, factor, channel, ip, device, device_hash,
				created_micros, seen_micros, idle_micros, ends_micros)
			values ('marlowick', $1, 'member', $1, $2, 2, '', 'online', '', '', $2, 0, 0, 0, 0)`, member, []byte(member))
		if err != nil {
			return err
		}
		_, err = tx.Exec(`
			insert into strike (institution_id, subject_kind, subject_id, door, spent, wrong, last_micros, noted_micros)
			values ('marlowick', 'member', $1, 'signin', 2, 2, 0, 0)`, member)
		return err
	})
}

// A change of standing that an import brings does to sign-ins and wrong attempts
// what it does on every other channel.
func TestImportedStandingReachesIdentity(t *testing.T) {
	for _, c := range []struct {
		name             string
		before, after    string // of Dana: role, status, hold
		signIns, strikes int
	}{
		{"a hold", "user,active,false", "user,active,true", 0, 1},
		{"a lock", "user,active,false", "user,locked,false", 0, 1},
		{"disabled", "user,active,false", "user,disabled,false", 0, 1},
		{"unlocked", "user,locked,false", "user,active,false", 1, 0},
		{"another role", "user,active,false", "viewer,active,false", 1, 1},
		{"a hold removed", "user,active,true", "user,active,false", 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, dbtest.SQLite(t))
			dir := folder(t, small())
			edit(t, dir, "members.csv", "dcole,user,active,false", "dcole,"+c.before)
			w.load(dir, importer.Options{})
			w.signIn(w.organization("marlowick", "1001").Members["m2"].ID)
			edit(t, dir, "members.csv", "dcole,"+c.before, "dcole,"+c.after)
			w.load(dir, importer.Options{})
			if got := w.rows("sign_in"); got != c.signIns {
				t.Errorf("%d sign-ins, want %d", got, c.signIns)
			}
			if got := w.rows("strike"); got != c.strikes {
				t.Errorf("%d rows of wrong attempts, want %d", got, c.strikes)
			}
		})
	}
}

// An invitation that went to an address which is not theirs any more is useless,
// and its mail does not go out.
func TestImportedEmailCancelsTheInvitation(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	dir := folder(t, small())
	edit(t, dir, "members.csv", "dcole,user,active", ",user,pending")
	w.load(dir, importer.Options{})
	service, err := identity.New(identity.Config{DB: w.db, Guard: w.guard, People: usermgmt.People{}, Mailer: post{}, Clock: dbtest.ClockOf(t, w.db)})
	if err != nil {
		t.Fatal(err)
	}
	dana := identity.Member("marlowick", w.organization("marlowick", "1001").Members["m2"].ID)
	w.write(func(tx *db.Tx) error {
		_, err := service.Invite(tx, dana, bank.System("marlowick"))
		return err
	})
	state := func() (link identity.LinkState, mail string) {
		w.read(func(tx *db.Tx) error {
			l, found, err := identity.Newest(tx, dana, identity.PurposeInvitation)
			if err != nil || !found {
				t.Fatalf("the invitation: %t, %v", found, err)
			}
			link = l.State
			return tx.QueryRow(`select state from outbox`).Scan(&mail)
		})
		return link, mail
	}
	edit(t, dir, "members.csv", "m2,Dana,Cole", "m2,Dana,Cole-Reyes")
	w.load(dir, importer.Options{})
	if link, mail := state(); link == identity.LinkCancelled || mail != "ready" {
		t.Fatalf("after another name the invitation is %v and its mail %s", link, mail)
	}
	edit(t, dir, "members.csv", "dana@larkmere", "dana.cole@larkmere")
	w.load(dir, importer.Options{})
	if link, mail := state(); link != identity.LinkCancelled || mail != "cancelled" {
		t.Errorf("after another address the invitation is %v and its mail %s", link, mail)
	}
}

// A username is given once: afterwards it is what somebody signs in with.
func TestUsernameIsGivenOnce(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	dir := folder(t, small())
	edit(t, dir, "members.csv", ",dcole,", ",,")
	w.load(dir, importer.Options{})
	edit(t, dir, "members.csv", "Dana,Cole,dana@larkmere.example.com,,", "Dana,Cole,dana@larkmere.example.com,dcole,")
	w.load(dir, importer.Options{})
	if got := w.organization("marlowick", "1001").Members["m2"].Username; got != "dcole" {
		t.Errorf("the first username is %q, want dcole", got)
	}
	edit(t, dir, "members.csv", ",dcole,", ",danac,")
	out := w.load(dir, importer.Options{})
	if got := w.organization("marlowick", "1001").Members["m2"].Username; got != "dcole" {
		t.Errorf("the username became %q, want dcole to stay", got)
	}
	if want := "members.csv:3: username: the member signs in with dcole, which an import does not change"; !strings.Contains(out, want) {
		t.Errorf("the report does not say %q:\n%s", want, out)
	}
}

// letters keep where the links of mail lead.
type letters struct {
	post
	tokens []identity.Secret
}

func (l *letters) Queue(tx *db.Tx, m identity.Mail) error {
	link := string(m.Link)
	l.tokens = append(l.tokens, identity.Secret(link[strings.LastIndex(link, "/")+1:]))
	return l.post.Queue(tx, m)
}

// An import brings people who are active elsewhere, without their passwords. They
// choose one by a link, whoever asks for it, and sign in with the username that
// they had. Those who are pending are invited, and those who are disabled stay out.
func TestImportedPeopleChooseTheirFirstPassword(t *testing.T) {
	for standing, enters := range map[string]bool{"dcole,user,active": true, "dcole,user,locked": false, "dcole,user,pending": false, "dcole,user,disabled": false, ",user,active": false} {
		t.Run(standing, func(t *testing.T) {
			w := newWorld(t, dbtest.SQLite(t))
			dir := folder(t, small())
			edit(t, dir, "members.csv", "dcole,user,active", standing)
			w.load(dir, importer.Options{})
			mail := &letters{}
			service, err := identity.New(identity.Config{DB: w.db, Guard: w.guard, People: usermgmt.People{}, Mailer: mail, Clock: dbtest.ClockOf(t, w.db), Cost: identity.Cost{MemoryKiB: 8, Passes: 1, Lanes: 1}, RefusalTime: -1})
			if err != nil {
				t.Fatal(err)
			}
			from := identity.Source{Channel: bank.ChannelOnline, IP: "192.0.2.7"}
			if err := service.Forgot(t.Context(), identity.Forgotten{Institution: "marlowick", Kind: identity.KindMember, Name: "dana@larkmere.example.com", From: from}); err != nil {
				t.Fatal(err)
			}
			if sent := len(mail.tokens) == 1; sent != (enters || strings.Contains(standing, "locked")) {
				t.Fatalf("%d links were sent", len(mail.tokens))
			}
			if len(mail.tokens) == 0 {
				return
			}
			browser, _, err := service.Redeem(t.Context(), "marlowick", identity.PurposeReset, mail.tokens[0], from)
			if err != nil {
				t.Fatal(err)
			}
			const password = "lantern gravel orchid seven"
			if err := service.ResetPassword(t.Context(), "marlowick", browser, password, from); err != nil {
				t.Fatal(err)
			}
			granted, err := service.SignIn(t.Context(), identity.Attempt{Institution: "marlowick", Kind: identity.KindMember, Username: "DCole", Password: password, From: from})
			if (err == nil && granted.Token != "") != enters {
				t.Errorf("with the first password: %v", err)
			}
			if err := service.ResetPassword(t.Context(), "marlowick", browser, "another lantern gravel", from); err == nil {
				t.Error("the link was used twice")
			}
		})
	}
}
