// Package bench measures the program as its users meet it and prints what it
// found. It asserts nothing: goals stand beside the numbers, and people judge.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"mandate/internal/app"
	"mandate/internal/bank"
	"mandate/internal/config"
	"mandate/internal/db"
	"mandate/internal/generate"
	"mandate/internal/identity"
	"mandate/internal/importer"
	"mandate/internal/usermgmt"
)

// goal is how long a page may take on the server at the 95th percentile.
const goal = 50 * time.Millisecond

// Screens measures the server time of the screens that grow with the data:
// a permission page and an account's in an organization of 500 members and 200
// accounts, the list of 10,000 members, and Users & Groups with 10,000 staff
// users in 1,000 groups. dbURL may be empty: then an
// embedded database is made for it and removed.
func Screens(ctx context.Context, w io.Writer, dbURL string, rounds int) (err error) {
	dir, err := os.MkdirTemp("", "mandate-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b, err := open(ctx, dir, dbURL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.app.Close()) }()
	fmt.Fprintf(w, "server time of one page, %s, %d requests each, after %d to warm up\n\n", b.app.DB.Dialect(), rounds, warmUp)
	table := tabwriter.NewWriter(w, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "screen\torganization\tp50\tp95\tp99\tof the goal\t")
	for _, size := range []struct{ members, accounts int }{{500, 200}, {10_000, 20}} {
		if err := b.organization(ctx, table, size.members, size.accounts, rounds); err != nil {
			return err
		}
	}
	if err := b.staffScreens(ctx, table, rounds); err != nil {
		return err
	}
	return table.Flush()
}

const warmUp = 5

type screens struct {
	app     *app.App
	dir     string
	handler http.Handler
	made    int
}

func open(ctx context.Context, dir, dbURL string) (*screens, error) {
	cfg := config.Config{
		Store: config.Store{DB: dbURL, Data: filepath.Join(dir, "data")}, HashMemory: 8, HashPasses: 1, ThrottleFactor: 100, LogLevel: "error",
	}
	a, err := app.Open(ctx, cfg, bank.SystemClock{}, cfg.Logger())
	if err != nil {
		return nil, err
	}
	b := &screens{app: a, dir: dir}
	if b.handler, err = a.OnlineHandler(); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return b, nil
}

// organization makes one organization of a size and measures its screens as an
// admin of it sees them.
func (b *screens) organization(ctx context.Context, table io.Writer, members, accounts, rounds int) error {
	b.made++
	id := bank.InstitutionID(fmt.Sprintf("bench-%d", b.made))
	files := filepath.Join(b.dir, string(id))
	err := generate.Write(files, generate.Options{
		Seed: 7, Organizations: 1, Members: members, Accounts: accounts, Distribution: generate.Even, ID: id, Name: "Bench Bank",
	})
	if err != nil {
		return err
	}
	if err := importer.Command(ctx, io.Discard, false, b.app.DB, b.app.Guard, files, importer.Options{}); err != nil {
		return err
	}
	browser, admin, err := b.signIn(ctx, id)
	if err != nil {
		return err
	}
	base := "/" + string(id) + "/settings/users"
	pages := []struct{ name, path string }{
		{"members list", base},
		{"members list, searched", base + "?q=an"},
		{"members list, last page by status", base + "?sort=status&page=100"},
		{"everybody by permission", base + "/matrix"},
		{"profile", base + "/" + string(admin)},
		{"permissions", base + "/" + string(admin) + "/permissions"},
		{"permissions on an account", base + "/" + string(admin) + "/accounts/" + browser.account(base+"/"+string(admin))},
	}
	for _, page := range pages {
		times, err := browser.measure(page.path, rounds)
		if err != nil {
			return fmt.Errorf("%s: %w", page.name, err)
		}
		fmt.Fprintf(table, "%s\t%d members, %d accounts\t%s\t%s\t%s\t%d%%\t\n", page.name, members, accounts,
			round(percentile(times, 50)), round(percentile(times, 95)), round(percentile(times, 99)), percentile(times, 95)*100/goal)
	}
	return nil
}

// percentile is the time within which so many of a hundred ended; sorted is in
// order.
func percentile(sorted []time.Duration, percent int) time.Duration {
	return sorted[min(len(sorted)-1, len(sorted)*percent/100)]
}

func round(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }

// signIn gives an active admin of the institution's one organization a password
// and signs them in.
func (b *screens) signIn(ctx context.Context, institution bank.InstitutionID) (*browser, bank.UserID, error) {
	const password = "correct horse battery staple"
	hash, err := b.app.Identity.Hash(ctx, password)
	if err != nil {
		return nil, "", err
	}
	var admin bank.UserID
	err = b.app.DB.Write(ctx, func(tx *db.Tx) error {
		if admin, err = usermgmt.AnyAdmin(tx, institution); err != nil {
			return err
		}
		return b.app.Identity.PutCredential(tx, identity.Member(institution, admin), "bench-admin", hash)
	})
	if err != nil {
		return nil, "", err
	}
	w := &browser{handler: b.handler, origin: b.app.Config.PublicOrigin}
	if w.jar, err = cookiejar.New(nil); err != nil {
		return nil, "", err
	}
	return w, admin, w.signIn("/"+string(institution)+"/sign-in", "bench-admin", password)
}

// browser is as much of a browser as it takes to sign in and ask for pages.
type browser struct {
	handler http.Handler
	origin  string
	jar     http.CookieJar
}

func (b *browser) do(method, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, b.origin+path, strings.NewReader(form.Encode()))
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", b.origin)
	}
	for _, cookie := range b.jar.Cookies(r.URL) {
		r.AddCookie(cookie)
	}
	out := httptest.NewRecorder()
	b.handler.ServeHTTP(out, r)
	b.jar.SetCookies(r.URL, out.Result().Cookies())
	return out
}

var tokenField = regexp.MustCompile(`name="([^"]+)" value="([^"]+)"`)

func (b *browser) signIn(path, username, password string) error {
	form := url.Values{"username": {username}, "password": {password}}
	for _, hidden := range tokenField.FindAllStringSubmatch(b.do("GET", path, nil).Body.String(), -1) {
		form.Set(hidden[1], hidden[2])
	}
	form.Set("username", username)
	form.Set("password", password)
	if out := b.do("POST", path, form); out.Code != http.StatusSeeOther {
		return fmt.Errorf("sign in: status %d", out.Code)
	}
	return nil
}

var accountLink = regexp.MustCompile(`/accounts/(acc_[A-Za-z0-9_-]+)`)

// account is the first account that a profile leads to; empty where it leads to
// none, and then its page is not found.
func (b *browser) account(profile string) string {
	found := accountLink.FindStringSubmatch(b.do("GET", profile, nil).Body.String())
	if found == nil {
		return ""
	}
	return found[1]
}

// measure asks for a page and returns the server times, sorted.
func (b *browser) measure(path string, rounds int) ([]time.Duration, error) {
	return b.measureForm(path, nil, rounds)
}

// measureForm is measure for a form that only looks.
func (b *browser) measureForm(path string, form url.Values, rounds int) ([]time.Duration, error) {
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
	}
	times := make([]time.Duration, 0, rounds)
	for i := range warmUp + rounds {
		began := time.Now()
		out := b.do(method, path, form)
		took := time.Since(began)
		if out.Code != http.StatusOK {
			return nil, fmt.Errorf("%s %s: status %d", method, path, out.Code)
		}
		if i >= warmUp {
			times = append(times, took)
		}
	}
	slices.Sort(times)
	return times, nil
}
