package online_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/identity"
)

// crowdAtTheDoor are people in every state in which somebody is refused. All
// of them have the password of the tests.
func (o *office) crowdAtTheDoor() []string {
	o.t.Helper()
	o.add("lena", "Lena", "Kern", bank.RoleUser, bank.StatusLocked, entitlement.Settings{})
	o.add("dieter", "Dieter", "Adler", bank.RoleUser, bank.StatusDisabled, entitlement.Settings{})
	o.add("hanna", "Hanna", "Moor", bank.RoleUser, bank.StatusActive, entitlement.Settings{})
	o.newcomer("pia") // has no username: an email address is as good as any
	if err := o.users.Hold(o.t.Context(), o.ana(), who("hanna"), ""); err != nil {
		o.t.Fatal(err)
	}
	o.add("heldlocked", "Hale", "Locke", bank.RoleUser, bank.StatusLocked, entitlement.Settings{})
	if err := o.users.Hold(o.t.Context(), o.ana(), who("heldlocked"), ""); err != nil {
		o.t.Fatal(err)
	}
	return []string{"lena", "dieter", "hanna", "pia", "heldlocked"}
}

// wire sends a sign-in and returns the whole answer, without what differs for
// everybody: the reference, the token of the form, the time, the name typed.
func (v *visitor) wire(username, password string) string {
	v.t.Helper()
	form := url.Values{"username": {username}, "password": {password}, "csrf": {v.token()}}
	r, err := http.NewRequestWithContext(v.t.Context(), "POST", v.w.server.URL+"/cedar/sign-in", strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", v.w.server.URL)
	got, err := v.client.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer got.Body.Close()
	var b strings.Builder
	for _, name := range []string{"X-Request-Id", "Date", "Content-Length"} {
		got.Header.Del(name)
	}
	b.WriteString(got.Request.URL.Path + "\n" + got.Status + "\n")
	if err := got.Header.Write(&b); err != nil {
		v.t.Fatal(err)
	}
	body, err := io.ReadAll(got.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	b.WriteString(strings.ReplaceAll(csrf.ReplaceAllString(string(body), "csrf"), `value="`+username+`"`, `value="name"`))
	return b.String()
}

// Whoever is refused hears the same, byte for byte, whatever the reason, and
// whether the password was right or wrong.
func TestRefusalsAreEqualByteForByte(t *testing.T) {
	eachOffice(t, func(o *office) {
		names := o.crowdAtTheDoor()
		unknown := o.visitor().wire("nobody", "wrong")
		if !strings.Contains(unknown, "422") || !strings.Contains(unknown, "We couldn&#39;t sign you in.") {
			t.Fatalf("the refusal is\n%s", unknown)
		}
		if got := o.visitor().wire("dana", "wrong"); got != unknown {
			t.Errorf("active with a wrong password differs:\n%s\n%s", got, unknown)
		}
		for _, name := range names {
			for _, secret := range []string{password, "wrong"} {
				if got := o.visitor().wire(name, secret); got != unknown {
					t.Errorf("%s with %q differs from an unknown name:\n%s\n%s", name, secret, got, unknown)
				}
			}
		}
		for _, word := range []string{"hold", "Hold", "lock", "Lock", "disabled", "pending"} {
			body := unknown[strings.Index(unknown, "<main"):strings.Index(unknown, "</main>")]
			if strings.Contains(tags.ReplaceAllString(body, " "), word) {
				t.Errorf("the refusal says %q", word)
			}
		}
	})
}

// The third wrong password locks, at once and until somebody unlocks.
func TestThirdWrongPasswordLocks(t *testing.T) {
	eachOffice(t, func(o *office) {
		inside := o.as("dana")
		for _, name := range []string{"dana", "DANA"} { // any spelling counts
			o.visitor().tryPassword(name, "wrong").is(t, 422)
		}
		o.wantStatus("dana", bank.StatusActive)
		if got := o.visitor().tryPassword("dana", password); got.url != "/cedar/home" {
			t.Fatalf("the right one after two wrong: at %s", got.url) // and forgets both
		}
		for range 3 {
			o.visitor().tryPassword(" dana ", "wrong").is(t, 422)
		}
		o.wantStatus("dana", bank.StatusLocked)
		o.visitor().tryPassword("dana", password).is(t, 422)
		if got := inside.get("/cedar/home"); !strings.HasPrefix(got.url, "/cedar/sign-in") {
			t.Errorf("the lock left a sign-in open: at %s", got.url)
		}
		if err := o.users.Unlock(t.Context(), o.ana(), who("dana")); err != nil {
			t.Fatal(err)
		}
		o.wantStatus("dana", bank.StatusActive)
		if got := o.visitor().tryPassword("dana", password); got.url != "/cedar/home" {
			t.Errorf("unlocked: at %s", got.url)
		}
	})
}

func TestHeldAndLockedNeedsBoth(t *testing.T) {
	eachOffice(t, func(o *office) {
		ctx := t.Context()
		clear := map[string]func() error{
			"unlock":  func() error { return o.users.Unlock(ctx, o.ana(), who("dana")) },
			"release": func() error { return o.users.Release(ctx, o.ana(), who("dana")) },
		}
		for _, order := range [][]string{{"unlock", "release"}, {"release", "unlock"}} {
			for range 3 {
				o.visitor().tryPassword("dana", "wrong")
			}
			if err := o.users.Hold(ctx, o.ana(), who("dana"), ""); err != nil {
				t.Fatal(err)
			}
			profile := o.as("ana").get("/cedar/settings/users/usr_dana").text()
			hold, lock := strings.Index(profile, "is temporarily on hold"), strings.Index(profile, "is locked due to")
			if hold < 0 || lock < hold {
				t.Errorf("the hold banner stands at %d, the lock banner at %d", hold, lock)
			}
			for i, step := range order {
				if err := clear[step](); err != nil {
					t.Fatal(err)
				}
				in := o.visitor().tryPassword("dana", password).url == "/cedar/home"
				if in != (i == 1) {
					t.Errorf("%v: after %d of them, signed in is %t", order, i+1, in)
				}
			}
		}
	})
}

func TestHoldIsNotShownToThePersonHeld(t *testing.T) {
	eachOffice(t, func(o *office) {
		dana := o.as("dana")
		if err := o.users.Hold(t.Context(), o.ana(), who("dana"), ""); err != nil {
			t.Fatal(err)
		}
		o.wantStatus("dana", bank.StatusActive)
		ended := dana.get("/cedar/home")
		if !strings.HasPrefix(ended.url, "/cedar/sign-in") {
			t.Fatalf("the hold left a sign-in open: at %s", ended.url)
		}
		ended.says(t, "You have been signed out")
		ended.saysNot(t, "hold", "Hold")
		refused := o.visitor().tryPassword("dana", password)
		refused.is(t, 422)
		refused.saysNot(t, "hold", "Hold")
		o.as("ana").get("/cedar/settings/users").says(t, "Account access on hold")
	})
}

// Nothing brings somebody disabled back.
func TestDisabledStaysOut(t *testing.T) {
	eachOffice(t, func(o *office) {
		host := bank.Caller{Kind: bank.ActorHost, Name: "Host", Institution: cedar, Channel: bank.ChannelBackOffice}
		link := o.sendReset("dana")
		if err := o.users.Disable(t.Context(), host, who("dana")); err != nil {
			t.Fatal(err)
		}
		for name, err := range map[string]error{
			"unlock": o.users.Unlock(t.Context(), o.ana(), who("dana")),
			"invite": o.users.Invite(t.Context(), o.ana(), who("dana")),
			"reset":  o.users.SendReset(t.Context(), o.ana(), who("dana")),
		} {
			if err == nil {
				t.Errorf("%s of somebody disabled was accepted", name)
			}
		}
		o.visitor().get(link).says(t, "Reset link failed", "cancelled")
		o.visitor().post("/cedar/forgot", url.Values{"name": {"dana"}})
		if n := len(o.letters("dana")); n > 1 {
			t.Errorf("%d mails went to somebody disabled", n)
		}
		hash, err := o.identity.Hash(t.Context(), ownChoice)
		if err != nil {
			t.Fatal(err)
		}
		o.write(func(tx *db.Tx) error {
			return o.identity.PutCredential(tx, identity.Member(cedar, "usr_dana"), "dana", hash)
		})
		o.visitor().tryPassword("dana", ownChoice).is(t, 422)
		o.wantStatus("dana", bank.StatusDisabled)
	})
}
