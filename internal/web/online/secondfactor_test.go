package online_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/usermgmt"
)

var recoveryCode = regexp.MustCompile(`<code>([A-Z0-9]{4}(?:-[A-Z0-9]{4}){3})`)

// recoveryCodes are those that a page shows.
func (a answer) recoveryCodes() (codes []string) {
	for _, m := range recoveryCode.FindAllStringSubmatch(a.body, -1) {
		codes = append(codes, m[1])
	}
	return codes
}

func TestSignInWithASecondFactor(t *testing.T) {
	eachOffice(t, func(o *office) {
		seed, last := o.as("dana").addApp(t, o)
		last.says(t, "Keep your recovery codes", "your password alone does not sign you in")
		codes := last.recoveryCodes()
		if len(codes) != 10 {
			t.Fatalf("%d recovery codes, want 10", len(codes))
		}
		o.later()
		dana := o.visitor()
		second := dana.post("/cedar/sign-in", url.Values{"username": {"dana"}, "password": {password}, "return": {"/cedar/profile"}})
		second.is(t, 200)
		second.says(t, "Confirm that it is you", "six digits", "Use a recovery code", "Sign in as somebody else")
		if got := dana.get("/cedar/home"); !strings.HasPrefix(got.url, "/cedar/sign-in") {
			t.Fatalf("the password alone led to %s", got.url)
		}
		wrong := dana.post("/cedar/sign-in/second", with(second.hidden(), "code", "000000"))
		wrong.is(t, 422)
		wrong.says(t, "This was not right.")
		empty := dana.post("/cedar/sign-in/second", second.hidden())
		empty.says(t, "Fill in what you are asked for.")
		if got := dana.post("/cedar/sign-in/second", with(wrong.hidden(), "code", o.code(seed))); got.url != "/cedar/profile" {
			t.Errorf("the right code led to %s: %s", got.url, got.text())
		}

		other := o.visitor()
		page := other.tryPassword("dana", password)
		page = other.get("/cedar/sign-in/second?with=recovery")
		page.says(t, "Recovery code", "Use your authenticator app")
		if got := other.post("/cedar/sign-in/second", with(page.hidden(), "recovery", strings.ToLower(codes[3]))); got.url != "/cedar/home" {
			t.Errorf("a recovery code led to %s: %s", got.url, got.text())
		}
		other = o.visitor()
		other.tryPassword("dana", password)
		if got := other.post("/cedar/sign-in/second", url.Values{"recovery": {codes[3]}}); got.url == "/cedar/home" {
			t.Error("a recovery code was good twice")
		}
	})
}

// Wrong codes count with wrong passwords; after the last one begins again and
// is refused like everybody.
func TestWrongCodesLock(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.as("dana").addApp(t, o)
		dana := o.visitor()
		second := dana.tryPassword("dana", password)
		var last answer
		for range 3 {
			last = dana.post("/cedar/sign-in/second", with(second.hidden(), "code", "000000"))
		}
		if !strings.HasPrefix(last.url, "/cedar/sign-in?because=unproven") {
			t.Errorf("the third wrong code led to %s: %s", last.url, last.text())
		}
		last.saysNot(t, "lock", "Lock")
		o.wantStatus("dana", bank.StatusLocked)
		dana.tryPassword("dana", password).is(t, 422)
	})
}

// Whoever has a second factor cannot go round it by enrolling another one.
func TestSecondFactorIsNotReplacedAtTheDoor(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.as("dana").addApp(t, o)
		for _, path := range []string{"/cedar/sign-in/factor/app", "/cedar/sign-in/factor/passkey"} {
			dana := o.visitor()
			dana.tryPassword("dana", password)
			dana.post(path, url.Values{}).says(t, "You are not signed in yet")
			dana.get("/cedar/sign-in/second").says(t, "You are not signed in yet") // and begins again
		}
	})
}

func TestSecondStepEnds(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.as("dana").addApp(t, o)
		dana := o.visitor()
		second := dana.tryPassword("dana", password)
		o.clock.Advance(10 * time.Minute)
		late := dana.post("/cedar/sign-in/second", with(second.hidden(), "code", "123456"))
		late.says(t, "You are not signed in yet", "Start again")
		o.visitor().get("/cedar/sign-in/second").says(t, "You are not signed in yet")
		o.visitor().get("/cedar/sign-in/factor").says(t, "You are not signed in yet")
	})
}

// Where the institution requires a second factor, it is enrolled before
// anything else, and a shorter password will do beside it.
func TestRequiredSecondFactorIsEnrolledFirst(t *testing.T) {
	eachOffice(t, func(o *office) {
		operator := bank.Caller{Kind: bank.ActorOperator, Name: "Operator", Institution: cedar, Channel: bank.ChannelCommand}
		if err := o.users.RequireSecondFactor(t.Context(), operator, usermgmt.FactorPolicy{Members: usermgmt.OfAdmins}); err != nil {
			t.Fatal(err)
		}
		ana := o.visitor()
		choice := ana.tryPassword("ana", password)
		if !strings.HasPrefix(choice.url, "/cedar/sign-in/factor") {
			t.Fatalf("without a second factor: at %s", choice.url)
		}
		choice.says(t, "Add a second factor", "Cedar Bank asks you", "Passkey", "Authenticator app")
		if got := ana.get("/cedar/home"); !strings.HasPrefix(got.url, "/cedar/sign-in") {
			t.Fatalf("without a second factor: home opens at %s", got.url)
		}
		astray := o.visitor()
		astray.tryPassword("ana", password)
		astray.get("/cedar/sign-in/second").says(t, "You are not signed in yet") // there is none to show
		step := ana.post("/cedar/sign-in/factor/app", url.Values{})
		step.says(t, "Add an authenticator app", "Scan this picture")
		seed := seedText.FindStringSubmatch(step.body)[1]
		wrong := ana.post("/cedar/sign-in/factor/app/confirm", with(step.hidden(), "code", "000000"))
		wrong.is(t, 422)
		wrong.says(t, "This is not the code that the app shows now.", "Start over with a new picture")
		if strings.Contains(wrong.body, seed) {
			t.Error("the key came back")
		}
		codes := ana.post("/cedar/sign-in/factor/app/confirm", with(wrong.hidden(), "code", o.code(seed)))
		codes.is(t, 200)
		codes.says(t, "Keep your recovery codes", "you are signed in", "Continue")
		if n := len(codes.recoveryCodes()); n != 10 {
			t.Errorf("%d recovery codes", n)
		}
		ana.get("/cedar/home").says(t, "Welcome, Ana")
		o.later()
		again := o.visitor()
		second := again.tryPassword("ana", password)
		if got := again.post("/cedar/sign-in/second", with(second.hidden(), "code", o.code(seed))); got.url != "/cedar/home" {
			t.Errorf("the next time: at %s", got.url)
		}
		only := ana.get("/cedar/security")
		factor := regexp.MustCompile(`/cedar/security/factors/[^/"]+/remove`).FindString(only.body)
		o.later()
		asked := ana.post(factor, url.Values{})
		asked.is(t, http.StatusForbidden)
		ana.post(factor, with(asked.hidden(), "prove_code", o.code(seed))).says(t, "A second factor is required of you.")

		o.add("adele", "Adele", "Frey", bank.RoleAdmin, bank.StatusPending, danas(), "acc_operating")
		adele := o.visitor()
		adele.press(o.invite("adele")).says(t, "At least 8 characters")
	})
}

// The picture holds the same key as the text.
// An institution can ask it of whoever may let money leave, and of nobody else.
func TestSecondFactorIsRequiredOfApprovers(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.add("ira", "Ira", "Tate", bank.RoleUser, bank.StatusActive, entitlement.Settings{On: catalog.SetOf(catalog.ACHEnabled, catalog.ACHView, catalog.ACHInitiate)})
		operator := bank.Caller{Kind: bank.ActorOperator, Name: "Operator", Institution: cedar, Channel: bank.ChannelCommand}
		for _, want := range []struct {
			of    usermgmt.SecondFactor
			asked map[string]bool
		}{
			{0, map[string]bool{}},
			{usermgmt.OfApprovers, map[string]bool{"dana": true, "ira": true}},
			{usermgmt.OfAdmins | usermgmt.OfApprovers, map[string]bool{"ana": true, "dana": true, "ira": true}},
		} {
			if err := o.users.RequireSecondFactor(t.Context(), operator, usermgmt.FactorPolicy{Members: want.of}); err != nil {
				t.Fatal(err)
			}
			for _, username := range []string{"ana", "dana", "ira", "vera", "uma"} {
				got := o.visitor().tryPassword(username, password)
				if asked := strings.HasPrefix(got.url, "/cedar/sign-in/factor"); asked != want.asked[username] {
					t.Errorf("required of %v: %s ended at %s", want.of, username, got.url)
				}
			}
		}
	})
}

func TestQRCodeIsAPicture(t *testing.T) {
	o := newOffice(t, sqlite(t))
	dana := o.as("dana")
	asked := dana.post("/cedar/security/app", url.Values{})
	step := dana.post("/cedar/security/app", with(asked.hidden(), "prove_password", password))
	if !strings.Contains(step.body, `src="data:image/png;base64,iVBOR`) || !strings.Contains(step.body, `href="otpauth://totp/`) {
		t.Errorf("no picture or no address on\n%s", step.body)
	}
}
