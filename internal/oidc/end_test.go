package oidc_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	rp "github.com/coreos/go-oidc/v3/oidc"

	"mandate/internal/application"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/grant"
	"mandate/internal/identity"
	"mandate/internal/scim"
	"mandate/internal/staff"
)

// A listener is where a product hears of ended sign-ins.
type listener struct {
	mu     sync.Mutex
	tokens []string
	fail   int // so many times it answers that it cannot
	server *httptest.Server
}

func newListener(t *testing.T) *listener {
	l := &listener{}
	l.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.fail > 0 {
			l.fail--
			http.Error(w, "not now", http.StatusServiceUnavailable)
			return
		}
		l.tokens = append(l.tokens, r.PostFormValue("logout_token"))
	}))
	t.Cleanup(l.server.Close)
	return l
}

func (l *listener) address() string {
	return strings.Replace(l.server.URL, "127.0.0.1", "localhost", 1) + "/ended"
}

// switchOff has a directory switch somebody off.
func (w *world) switchOff(name string) {
	w.t.Helper()
	rooms := staff.NewProvisioning(w.staff, scim.Keys{})
	home, err := w.staff.CreateGroup(w.t.Context(), operator(cedar), staff.Draft{Name: "Directory"})
	w.must(err)
	d, _, err := rooms.Connect(w.t.Context(), operator(cedar), staff.DirectoryDraft{Name: "Directory", Home: home})
	w.must(err)
	caller := bank.Caller{Kind: bank.ActorClient, ID: string(d.Client), Name: d.Name, Institution: cedar, Channel: bank.ChannelAPI}
	_, err = rooms.ChangeAccount(w.t.Context(), caller, w.users[name], func(a staff.Account) (staff.Wish, error) {
		wish := a.Wish()
		wish.Active = false
		return wish, nil
	})
	w.must(err)
}

func (w *world) deliver() {
	w.t.Helper()
	_, err := w.logouts.Deliver(w.t.Context())
	w.must(err)
}

// What ends somebody's right to be signed in ends it at products: the refresh
// token is refused, the access token is worth nothing, and the product is told.
func TestGrantsEndWithTheRightToBeSignedIn(t *testing.T) {
	endings := map[string]func(w *world, v *visitor, id bank.ApplicationID){
		"a lock": func(w *world, _ *visitor, _ bank.ApplicationID) {
			for range 5 {
				_, err := w.identity.SignIn(w.t.Context(), identity.Attempt{Institution: cedar, Kind: identity.KindStaff, Username: address("ada"), Password: "wrong wrong wrong", From: from})
				if err == nil {
					w.t.Fatal("a wrong password was taken")
				}
			}
		},
		"a new password by a link": func(w *world, _ *visitor, _ bank.ApplicationID) {
			w.must(w.staff.SendReset(w.t.Context(), operator(cedar), w.users["ada"]))
			link := string(w.mails[len(w.mails)-1].Link)
			browser, _, err := w.identity.Redeem(w.t.Context(), cedar, identity.PurposeReset, identity.Secret(link[strings.LastIndex(link, "/")+1:]), from)
			w.must(err)
			w.must(w.identity.ResetPassword(w.t.Context(), cedar, browser, "another horse battery staple", from))
		},
		"a deletion": func(w *world, _ *visitor, _ bank.ApplicationID) {
			w.must(w.staff.Delete(w.t.Context(), operator(cedar), w.users["ada"]))
		},
		"a directory that switches them off": func(w *world, _ *visitor, _ bank.ApplicationID) {
			w.switchOff("ada")
		},
		"an emergency": func(w *world, _ *visitor, _ bank.ApplicationID) {
			w.must(w.grants.SignOutEverybody(w.t.Context(), operator(cedar)))
		},
		"a sign-out": func(w *world, v *visitor, _ bank.ApplicationID) {
			v.submit(v.get(w.server.URL+"/cedar/openid/sign-out"), "/cedar/openid/sign-out", url.Values{})
		},
		"a sign-out in the console": func(w *world, v *visitor, _ bank.ApplicationID) {
			v.submit(v.get(w.server.URL+"/cedar/home"), "/cedar/sign-out", url.Values{})
		},
		"the application switched off": func(w *world, _ *visitor, id bank.ApplicationID) {
			a, err := w.applications.Get(w.t.Context(), operator(cedar), id)
			w.must(err)
			a.Enabled = false
			_, err = w.applications.Edit(w.t.Context(), operator(cedar), id, a.Revision, a.Draft)
			w.must(err)
		},
		"the application deleted": func(w *world, _ *visitor, id bank.ApplicationID) {
			w.must(w.applications.Delete(w.t.Context(), operator(cedar), id))
		},
	}
	for what, end := range endings {
		t.Run(what, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				hears := newListener(t)
				id, secret := w.product(func(d *application.Draft) {
					d.BackChannelLogout, d.Scopes = hears.address(), []string{"openid", "profile", "email"}
				})
				p := secretParty{w, id, secret}
				v := w.visitor()
				at := v.signIn(v.get(p.request("scope", "openid profile")), "ada")
				got := p.token(redeem(at.query("code")))
				if got.status != http.StatusOK {
					t.Fatalf("before: %d %s", got.status, got.body)
				}
				end(w, v, bank.ApplicationID(id))
				refused(t, "the refresh token", p.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.text("refresh_token")}}), "invalid_grant", "invalid_client")
				if info := w.call("GET", w.issuer()+"/openid/userinfo", nil, "Authorization", "Bearer "+got.text("access_token")); info.status != http.StatusUnauthorized {
					t.Errorf("the access token is good for %d %s", info.status, info.body)
				}
				w.deliver()
				if strings.HasPrefix(what, "the application deleted") {
					return // nobody is left who could be told
				}
				if len(hears.tokens) != 1 {
					t.Fatalf("the product was told %d times", len(hears.tokens))
				}
				checkLogout(t, w, p, hears.tokens[0], got)
			})
		})
	}
}

func checkLogout(t *testing.T, w *world, p secretParty, token string, got reply) {
	t.Helper()
	found, err := rp.NewProvider(t.Context(), w.issuer())
	w.must(err)
	if _, err := found.Verifier(&rp.Config{ClientID: p.id}).Verify(t.Context(), token); err != nil {
		t.Errorf("the logout token: %v", err)
	}
	claims, signedIn := w.unverified(token), w.unverified(got.text("id_token"))
	if claims["sid"] != signedIn["sid"] || claims["sub"] != signedIn["sub"] || claims["nonce"] != nil || claims["jti"] == nil {
		t.Errorf("the logout token says %v of %v", claims, signedIn)
	}
	if events, _ := claims["events"].(map[string]any); events["http://schemas.openid.net/event/backchannel-logout"] == nil {
		t.Errorf("the logout token tells of %v", claims["events"])
	}
}

// A product that does not answer is told again; nothing of the sign-out waits
// for it.
func TestAProductThatDoesNotAnswerIsToldAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		hears := newListener(t)
		hears.fail = 2
		p := w.secretParty(func(d *application.Draft) { d.BackChannelLogout = hears.address() })
		p.token(redeem(p.code("scope", "openid")))
		w.must(w.staff.Delete(t.Context(), operator(cedar), w.users["ada"]))
		for range 3 {
			w.deliver()
			w.clock.Advance(time.Hour)
		}
		if len(hears.tokens) != 1 {
			t.Errorf("told %d times", len(hears.tokens))
		}
	})
}

// Signing out ends what was given for as long as somebody is signed in. What
// was given for longer lives on, and the product is told all the same.
func TestOfflineAccessOutlivesASignOut(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		hears := newListener(t)
		p := w.secretParty(func(d *application.Draft) { d.BackChannelLogout = hears.address() })
		v := w.visitor()
		at := v.signIn(v.get(p.request()), "ada")
		got := p.token(redeem(at.query("code")))
		v.submit(v.get(w.server.URL+"/cedar/home"), "/cedar/sign-out", url.Values{})
		w.deliver()
		if len(hears.tokens) != 1 {
			t.Errorf("the product was told %d times", len(hears.tokens))
		}
		next := p.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.text("refresh_token")}})
		if next.status != http.StatusOK {
			t.Fatalf("renewed: %d %s", next.status, next.body)
		}
		w.switchOff("ada")
		refused(t, "after a directory switched them off", p.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {next.text("refresh_token")}}), "invalid_grant")
		w.deliver()
		if len(hears.tokens) != 2 {
			t.Errorf("after a directory switched them off the product was told %d times", len(hears.tokens))
		}
	})
}

// A product may ask for a sign-out; the person is asked, and led back.
func TestAProductAsksForASignOut(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.secretParty()
		v := w.visitor()
		at := v.signIn(v.get(p.request()), "ada")
		id := p.token(redeem(at.query("code"))).text("id_token")
		w.clock.Advance(25 * time.Minute) // the ID token has ended; whose it was has not changed
		q := url.Values{"id_token_hint": {id}, "post_logout_redirect_uri": {left}, "state": {"s 1"}}
		page := v.get(w.issuer() + "/openid/logout?" + q.Encode())
		if page.away() || !strings.Contains(page.text(), "Sign out?") {
			t.Fatalf("nobody is asked: %s %s", page.url, page.text())
		}
		if home := v.get(w.server.URL + "/cedar/home"); home.status != http.StatusOK || strings.HasSuffix(home.url.Path, "/sign-in") {
			t.Fatal("a GET signs out")
		}
		end := v.submit(page, "", url.Values{})
		if end.url.String() != left+"?state=s+1" {
			t.Errorf("led to %s (%d) %s", end.url, end.status, end.text())
		}
		if home := v.get(w.server.URL + "/cedar/home"); !strings.HasSuffix(home.url.Path, "/sign-in") {
			t.Error("still signed in")
		}
		if again := v.get(w.issuer() + "/openid/logout?" + q.Encode()); again.url.String() != left+"?state=s+1" {
			t.Errorf("whoever is not signed in is led to %s", again.url)
		}
	})
}

// Rights and groups are those of the moment of asking.
func TestClaimsFollowTheGroups(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.secretParty(func(d *application.Draft) { d.Groups, d.Permissions = true, true })
		got := p.token(redeem(p.code()))
		id, err := w.staff.CreateGroup(t.Context(), operator(cedar), staff.Draft{Name: "Publishers", Permissions: catalog.StaffSetOf(catalog.CMSPagesPublish)})
		w.must(err)
		profile, err := w.staff.User(t.Context(), operator(cedar), w.users["ada"])
		w.must(err)
		w.must(w.staff.SetGroups(t.Context(), operator(cedar), w.users["ada"], profile.User.Version, []bank.GroupID{id}))
		info := w.call("GET", w.issuer()+"/openid/userinfo", nil, "Authorization", "Bearer "+got.text("access_token"))
		if got := sprint(info.values["groups"]) + sprint(info.values["permissions"]); got != "[Publishers][cms.pages.view cms.pages.publish]" {
			t.Errorf("userinfo says %s", info.body)
		}
	})
}

// One of two who bring the same code or refresh token at once gets nothing, and
// what the other got ends.
func TestTwoAtOnceCannotBothWin(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.secretParty()
		for _, what := range []string{"code", "refresh token"} {
			form := redeem(p.code())
			if what != "code" {
				form = url.Values{"grant_type": {"refresh_token"}, "refresh_token": {p.token(form).text("refresh_token")}}
			}
			replies := make([]reply, 4)
			var wg sync.WaitGroup
			for i := range replies {
				wg.Go(func() { replies[i] = p.token(form) })
			}
			wg.Wait()
			won := 0
			for _, r := range replies {
				if r.status == http.StatusOK {
					won++
				}
			}
			if won > 1 {
				t.Errorf("%d got tokens for one %s", won, what)
			}
			for _, r := range replies {
				if r.status == http.StatusOK {
					refused(t, "what came of a "+what, p.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {r.text("refresh_token")}}), "invalid_grant")
				}
			}
		}
		if w.history(grant.EventReused) == 0 {
			t.Error("the history does not tell of it")
		}
	})
}
