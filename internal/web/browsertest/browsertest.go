// Package browsertest drives a real browser for everybody's tests. It opens
// pages as a person would: by the labels and words that can be seen, with real
// clicks and keys, and it fails a test when a page writes an error to the
// console or breaks its own content policy.
//
// A package with browser tests has one line besides them:
//
//	func TestMain(m *testing.M) { browsertest.Main(m) }
//
// Without chromium the tests are skipped with the line that installs it;
// MANDATE_REQUIRE_ALL=1 makes that a failure. MANDATE_SCREENSHOTS names a folder
// for Page.Screenshot, which does nothing otherwise.
package browsertest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

const (
	install = "apt-get install chromium-headless-shell"
	patient = 10 * time.Second // how long a step waits for what it needs
	impulse = 40 * time.Millisecond
)

var errMissing = errors.New("no chromium on this machine; install it with: " + install)

// A browser is the one process of a test binary; every Page has a profile of
// its own in it.
type browser struct {
	once    sync.Once
	ctx     context.Context
	stop    func()
	err     error
	inCare  bool // of Main
	profile string
}

var shared browser

// Main runs the tests of a package and ends the browser they started.
func Main(m *testing.M) {
	shared.inCare = true
	code := m.Run()
	shared.close()
	os.Exit(code)
}

func (b *browser) start() (context.Context, error) {
	b.once.Do(func() {
		path, err := find()
		if err != nil {
			b.err = err
			return
		}
		b.profile, b.err = os.MkdirTemp("", "mandate-browser-")
		if b.err != nil {
			return
		}
		options := append(chromedp.DefaultExecAllocatorOptions[:],
			chromedp.ExecPath(path),
			chromedp.UserDataDir(b.profile),
			chromedp.NoSandbox, // the tests may run as root
			chromedp.DisableGPU,
			chromedp.Flag("disable-quic", true),
			chromedp.Flag("disable-background-networking", true),
			chromedp.Flag("disable-component-update", true),
			chromedp.Flag("disable-sync", true),
			chromedp.Flag("force-color-profile", "srgb"),
			chromedp.Flag("hide-scrollbars", true),
		)
		allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
		ctx, stopBrowser := chromedp.NewContext(allocator)
		b.stop = func() {
			stopBrowser()
			stopAllocator()
		}
		b.ctx, b.err = ctx, chromedp.Do(ctx)
	})
	return b.ctx, b.err
}

// close ends the browser and removes its profile, to which its children write
// a moment longer.
func (b *browser) close() {
	if b.stop != nil {
		b.stop()
	}
	for range 50 {
		if b.profile == "" || os.RemoveAll(b.profile) == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// find prefers the Chromium that is built to have no window: it takes two
// thirds of the processor time of the other for the same pages.
func find() (string, error) {
	for _, name := range []string{"chromium-headless-shell", "headless-shell", "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errMissing
}

// Open gives a test a tab with its own cookies, 1440 pixels wide, in the light
// scheme. When the test ends, the tab is closed and what the page complained
// about fails it.
func Open(t testing.TB) *Page {
	t.Helper()
	if !shared.inCare {
		t.Fatal("this package's TestMain must call browsertest.Main")
	}
	ctx, err := shared.start()
	if errors.Is(err, errMissing) && os.Getenv("MANDATE_REQUIRE_ALL") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	tab, closeTab := chromedp.NewContext(ctx, chromedp.WithNewBrowserContext())
	p := &Page{t: t, ctx: tab, state: &state{}}
	t.Cleanup(func() {
		p.Quiet()
		closeTab()
	})
	p.listen()
	p.Desktop()
	p.Light()
	return p
}
