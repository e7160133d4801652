package mailbox_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	mail "mandate/internal/mail/mailbox"
	"mandate/internal/web"
	"mandate/internal/web/browsertest"
	"mandate/internal/web/mailbox"
)

func TestMain(m *testing.M) { browsertest.Main(m) }

// letters is a box of a few messages, newest first.
type letters []mail.Message

func (l letters) Messages(to string) []mail.Message {
	found := []mail.Message{}
	for _, m := range l {
		if to == "" || strings.EqualFold(to, m.To) {
			found = append(found, m)
		}
	}
	return found
}

var box = letters{
	{ID: 2, To: "pia@northwind.example", From: `"Cedar Bank" <no-reply@cedar.example>`, Subject: "Ana Ruiz invited you to join Northwind Trading",
		Text: "Ana Ruiz invited you.\r\n\r\nJoin:\r\nhttp://localhost:8080/cedar/invitation/secret\r\n\r\nCedar Bank\r\n",
		HTML: `<p style="color:red">Ana Ruiz invited you.</p><script>document.title="ran"</script>`, Time: time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)},
	{ID: 1, To: "dana@northwind.example", From: `"Cedar Bank" <no-reply@cedar.example>`, Subject: "Sign-in from a new <device>",
		Text: "Somebody signed in.\n", Time: time.Date(2026, 3, 2, 14, 0, 0, 0, time.UTC)},
}

func serve(t *testing.T, box mailbox.Box) string {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	origin := "http://" + strings.Replace(server.Listener.Addr().String(), "127.0.0.1", "localhost", 1)
	handler, err := mailbox.New(web.Site{Origin: origin, Key: []byte("a key of a test, thirty-two bytes"), Log: slog.New(slog.NewTextHandler(io.Discard, nil))}, box)
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = handler
	server.Start()
	t.Cleanup(server.Close)
	return origin
}

func get(t *testing.T, address string) (status int, header http.Header, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", address, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return got.StatusCode, got.Header, string(text)
}

func TestMessagesForPrograms(t *testing.T) {
	origin := serve(t, box)
	_, header, body := get(t, origin+"/messages?to=PIA@northwind.example")
	var got []mail.Message
	if err := json.Unmarshal([]byte(body), &got); err != nil || len(got) != 1 || got[0].ID != 2 {
		t.Errorf("got %s, %v", body, err)
	}
	if kind := header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
		t.Errorf("it is %s", kind)
	}
	if _, _, all := get(t, origin+"/messages"); strings.Count(all, `"subject"`) != 2 {
		t.Errorf("all of them are %s", all)
	}
}

func TestPages(t *testing.T) {
	origin := serve(t, box)
	for path, want := range map[string]struct {
		status int
		says   []string
		not    string
	}{
		"/":                {200, []string{"2 messages", "Ana Ruiz invited you to join Northwind Trading", "Sign-in from a new &lt;device&gt;"}, "<device>"},
		"/?q=DANA":         {200, []string{"1 message", "dana@northwind.example"}, "pia@"},
		"/?q=nobody":       {200, []string{"No mail fits", "Show all mail"}, "pia@"},
		"/messages/2":      {200, []string{"Ana Ruiz invited you.", `href="http://localhost:8080/cedar/invitation/secret"`, "Join", "See it as a mail reader shows it"}, "Join:"},
		"/messages/1":      {200, []string{"Somebody signed in."}, "mail reader"},
		"/messages/2/html": {200, []string{`<p style="color:red">`}, "topbar"},
		"/messages/1/html": {404, []string{"There is no such message"}, "Somebody"},
		"/messages/3":      {404, []string{"There is no such message"}, "Somebody"},
		"/messages/x":      {404, []string{"There is no such message"}, "Somebody"},
	} {
		status, _, body := get(t, origin+path)
		if status != want.status || strings.Contains(body, want.not) {
			t.Errorf("%s: status %d, want %d; it must not say %q", path, status, want.status, want.not)
		}
		for _, text := range want.says {
			if !strings.Contains(body, text) {
				t.Errorf("%s does not say %q:\n%s", path, text, body)
			}
		}
	}
	if _, _, body := get(t, serve(t, letters{})+"/"); !strings.Contains(body, "No mail yet") {
		t.Errorf("an empty box says\n%s", body)
	}
}

// What stands in a message is shown and does nothing.
func TestMessagesRunNoScript(t *testing.T) {
	origin := serve(t, box)
	_, header, _ := get(t, origin+"/messages/2/html")
	if policy := header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "sandbox") || strings.Contains(policy, "script") {
		t.Errorf("the policy of a message is %q", policy)
	}
	p := browsertest.Open(t)
	p.Tolerate() // the browser says that it ran no script
	p.Goto(origin + "/messages/2/html")
	p.See("Ana Ruiz invited you.")
	if got := p.Title(); got == "ran" {
		t.Error("a script in a message has run")
	}
}

func TestMailboxInABrowser(t *testing.T) {
	origin := serve(t, box)
	for _, scripts := range []bool{true, false} {
		p := browsertest.Open(t)
		p.Scripts(scripts)
		p.Goto(origin + "/")
		p.See("2 messages")
		p.Fill("Search by address, name or subject", "pia")
		if !scripts {
			p.Click("Search")
		}
		p.See("1 message")
		p.NotSee("dana@northwind.example")
		p.Click("Ana Ruiz invited you to join Northwind Trading")
		p.See("pia@northwind.example")
		if !p.Has("pressable", "Join") {
			t.Error("the link is no button")
		}
		p.Click("All mail")
		p.See("2 messages")
		if scripts {
			look(p, "mailbox")
			p.Goto(origin + "/messages/2")
			look(p, "mailbox-message")
		}
	}
}

func look(p *browsertest.Page, name string) {
	for size, set := range map[string]func(){"wide": p.Desktop, "phone": p.Phone} {
		set()
		for scheme, set := range map[string]func(){"light": p.Light, "dark": p.Dark} {
			set()
			p.Eval("new Promise((done) => setTimeout(done, 200))", nil) // until the colours have changed
			p.Fits()
			p.Axe()
			p.Screenshot(name + "-" + size + "-" + scheme)
		}
	}
}
