package browsertest

import (
	"context"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

//go:embed find.js
var findScript string

// A Page is one tab. Its steps fail the test when they cannot be done.
type Page struct {
	t     testing.TB
	ctx   context.Context
	scope []string // names of the parts inside which it looks
	*state
}

// state is shared by a page and its parts.
type state struct {
	mu       sync.Mutex
	loading  bool
	troubles []string
	tolerant bool
	width    int64
	height   int64
	scale    float64
	phone    bool
	turned   time.Time // when it became a phone, or a desk
	dark     bool

	clean map[string]bool // pages in which axe found nothing once
}

// Within looks only inside a part of the page: a region, dialog, form,
// navigation or row by its name.
func (p *Page) Within(name string) *Page {
	part := *p
	part.scope = append(append([]string{}, p.scope...), name)
	return &part
}

// Goto opens an address and waits until it has loaded.
func (p *Page) Goto(url string) {
	p.t.Helper()
	p.do("open "+url, chromedp.Navigate(url))
}

// Reload loads the page again.
func (p *Page) Reload() {
	p.t.Helper()
	p.do("reload", chromedp.Reload())
}

// Back goes to the page before.
func (p *Page) Back() {
	p.t.Helper()
	p.do("go back", chromedp.NavigateBack())
}

// Phone is a screen of 390 by 844 that is touched.
func (p *Page) Phone() { p.Size(390, 844, true) }

// Desktop is a screen of 1440 by 900 with a mouse.
func (p *Page) Desktop() { p.Size(1440, 900, false) }

// Size sets the screen.
func (p *Page) Size(width, height int64, phone bool) {
	p.t.Helper()
	if p.phone != phone {
		p.turned = time.Now()
	}
	p.width, p.height, p.phone = width, height, phone
	p.resize(height)
}

func (p *Page) resize(height int64) {
	options := []chromedp.EmulateViewportOption{chromedp.EmulateScale(1)}
	if p.phone {
		options = append(options, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulatePortrait)
	}
	if p.phone && pictures() {
		options = append(options, chromedp.EmulateScale(2)) // four times the points to paint
	}
	p.do("set the screen", chromedp.EmulateViewport(p.width, height, options...))
}

// unturned waits until a phone has been one for a while: what is pressed at once
// may still be taken for a finger's, and get lost.
func (p *Page) unturned() { time.Sleep(time.Until(p.turned.Add(5 * impulse))) }

// Light and Dark are what the device prefers. Motion is always reduced.
func (p *Page) Light() { p.scheme("light") }
func (p *Page) Dark()  { p.scheme("dark") }

func (p *Page) scheme(scheme string) {
	p.t.Helper()
	p.dark = scheme == "dark"
	_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme},
		{Name: "prefers-reduced-motion", Value: "reduce"},
	}})
	p.must("set the scheme", err)
}

// Still waits until nothing on the page moves or changes its colour any more.
func (p *Page) Still() {
	p.t.Helper()
	p.eval("wait until it is still", `(async () => {
		const frame = () => new Promise((done) => requestAnimationFrame(done));
		await frame();
		for (let n = 0; n < 50; n++) { // what inherits a colour follows its parent a frame later
			await frame();
			const moving = document.getAnimations();
			if (moving.length === 0) break;
			await Promise.allSettled(moving.map((a) => a.finished));
		}
		await frame();
	})()`, nil)
}

// Scripts switches the page's own scripts on or off, from the next page on.
func (p *Page) Scripts(on bool) {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
	p.must("switch scripts", err)
}

// Click presses the button, link, menu or tab that has this name.
func (p *Page) Click(name string) {
	p.t.Helper()
	at := p.still("pressable", name)
	p.unturned()
	p.do("click "+name, chromedp.MouseClickXY(at.X, at.Y))
	p.settle()
}

// Fill replaces the text of the field with this label: all at once but for the
// last key, where the field takes more than keys.
func (p *Page) Fill(label, text string) {
	p.t.Helper()
	p.locate("field", label)
	var plain bool
	p.eval("fill "+label, fmt.Sprintf("mandateFind.clear(%s, %s)", quote(p.scope), quote(label)), &plain)
	typed := []rune(text)
	if last := len(typed) - 1; plain && last > 0 {
		_, err := chromedp.Call(p.ctx, input.InsertText, input.InsertTextParams{Text: string(typed[:last])})
		p.must("type into "+label, err)
		typed = typed[last:]
	}
	if len(typed) > 0 {
		p.do("type into "+label, chromedp.KeyEvent(string(typed)))
	}
}

// Choose takes an option, by its words, from the list with this label; or the
// radio button with this label in the group.
func (p *Page) Choose(label, option string) {
	p.t.Helper()
	p.locate("field", label)
	p.eval("choose "+option, fmt.Sprintf("mandateFind.choose(%s, %s, %s)", quote(p.scope), quote(label), quote(option)), nil)
	p.settle()
}

// Attach picks a file of a kind, such as "image/png", in the field with this
// label.
func (p *Page) Attach(label, file, kind string, content []byte) {
	p.t.Helper()
	p.locate("field", label)
	p.eval("pick "+file, fmt.Sprintf("mandateFind.attach(%s, %s, %s, %s, %s)",
		quote(p.scope), quote(label), quote(file), quote(kind), quote(base64.StdEncoding.EncodeToString(content))), nil)
	p.settle()
}

// Set turns the switch or checkbox with this label on or off.
func (p *Page) Set(label string, on bool) {
	p.t.Helper()
	at := p.locate("field", label)
	if at.Checked == on {
		return
	}
	p.unturned()
	p.do("switch "+label, chromedp.MouseClickXY(at.X, at.Y))
	p.settle()
	if now := p.locate("field", label); now.Checked != on {
		p.t.Fatalf("%q did not become %t", label, on)
	}
}

// Checked reports whether the switch, checkbox or radio with this label is on.
func (p *Page) Checked(label string) bool {
	p.t.Helper()
	return p.locate("field", label).Checked
}

// Value is the text of the field with this label.
func (p *Page) Value(label string) string {
	p.t.Helper()
	return p.locate("field", label).Value
}

// Enabled reports whether the field with this label can be changed.
func (p *Page) Enabled(label string) bool {
	p.t.Helper()
	return !p.locate("field", label).Off
}

// Has reports whether something of this kind ("pressable", "field", "part") and
// name can be seen now.
func (p *Page) Has(kind, name string) bool {
	p.t.Helper()
	return p.look(kind, name).Found
}

// Press sends keys: text, or one of "Tab", "Shift+Tab", "Enter", "Escape",
// "Space", "ArrowDown", "ArrowUp".
func (p *Page) Press(keys string) {
	p.t.Helper()
	named := map[string]string{"Tab": kb.Tab, "Enter": kb.Enter, "Escape": kb.Escape, "Space": " ", "ArrowDown": kb.ArrowDown, "ArrowUp": kb.ArrowUp}
	var options []chromedp.KeyOption
	if keys == "Shift+Tab" {
		keys, options = kb.Tab, append(options, chromedp.KeyModifiers(kb.ModifierShift))
	} else if k, ok := named[keys]; ok {
		keys = k
	}
	p.do("press "+keys, chromedp.KeyEvent(keys, options...))
	p.settle()
}

// Text is what can be read on the page, or in the part, now.
func (p *Page) Text() string {
	p.t.Helper()
	var text string
	p.eval("read", fmt.Sprintf("mandateFind.text(%s)", quote(p.scope)), &text)
	return text
}

// See waits until text can be read.
func (p *Page) See(text string) {
	p.t.Helper()
	p.wait(fmt.Sprintf("see %q", text), func() bool { return strings.Contains(p.Text(), text) })
}

// NotSee waits until text can no longer be read.
func (p *Page) NotSee(text string) {
	p.t.Helper()
	p.wait(fmt.Sprintf("no longer see %q", text), func() bool { return !strings.Contains(p.Text(), text) })
}

// Title and URL are those of the page.
func (p *Page) Title() string {
	p.t.Helper()
	var title string
	p.eval("title", "document.title", &title)
	return title
}

func (p *Page) URL() string {
	p.t.Helper()
	var url string
	p.eval("address", "location.href", &url)
	return url
}

// Focused is the name of what has the focus.
func (p *Page) Focused() string {
	p.t.Helper()
	var name string
	p.eval("focus", "mandateFind.focused()", &name)
	return name
}

// Eval runs an expression in the page and reads its result into out.
func (p *Page) Eval(expression string, out any) {
	p.t.Helper()
	p.eval("evaluate", expression, out)
}

// pictures reports whether somebody wants to see the pages.
func pictures() bool { return os.Getenv("MANDATE_SCREENSHOTS") != "" }

// Screenshot writes the whole page to MANDATE_SCREENSHOTS/name.png.
func (p *Page) Screenshot(name string) {
	p.t.Helper()
	if !pictures() {
		return
	}
	var height int64
	p.eval("height", "Math.min(Math.max(document.documentElement.scrollHeight, innerHeight), 12000)", &height)
	p.resize(height)
	p.ScreenshotView(name)
	p.resize(p.height)
}

// ScreenshotView is Screenshot of what is on the screen now.
func (p *Page) ScreenshotView(name string) {
	p.t.Helper()
	dir := os.Getenv("MANDATE_SCREENSHOTS")
	if dir == "" {
		return
	}
	picture, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	p.must("take a picture", err)
	p.must("make a folder for pictures", os.MkdirAll(dir, 0o755))
	p.must("keep a picture", os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o644))
}

// Quiet fails the test for every console error, exception and breach of the
// content policy so far. Open calls it at the end of the test.
func (p *Page) Quiet() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, trouble := range p.troubles {
		p.t.Error("the page complained: " + trouble)
	}
	p.troubles = nil
}

// Tolerate forgets what the page complained about so far and later: for tests
// that make it fail on purpose.
func (p *Page) Tolerate() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tolerant, p.troubles = true, nil
}

func (p *Page) listen() {
	err := chromedp.Listen(p.ctx, func(event any) {
		p.mu.Lock()
		defer p.mu.Unlock()
		switch e := event.(type) {
		case *page.EventFrameStartedNavigating, *page.EventFrameRequestedNavigation, *page.EventFrameStartedLoading:
			p.loading = true
		case *page.EventFrameStoppedLoading:
			p.loading = false
		case *runtime.EventExceptionThrown:
			p.complain(e.ExceptionDetails.Text + " " + described(e.ExceptionDetails.Exception))
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.ConsoleAPICalledTypeError {
				p.complain(arguments(e.Args))
			}
		case *cdplog.EventEntryAdded:
			p.logged(e.Entry)
		}
	})
	p.must("listen", err)
}

// logged keeps the browser's own errors, such as breaches of the content
// policy. That an address answered with a refusal is for the test to judge.
func (p *Page) logged(e *cdplog.Entry) {
	if e.Level == cdplog.EntryLevelError && !(e.Source == cdplog.EntrySourceNetwork && strings.Contains(e.Text, "status of 4")) {
		p.complain(e.Text + " " + e.URL)
	}
}

func (p *Page) complain(text string) {
	if !p.tolerant {
		p.troubles = append(p.troubles, text)
	}
}

func described(o *runtime.RemoteObject) string {
	if o == nil {
		return ""
	}
	return o.Description
}

func arguments(args []*runtime.RemoteObject) string {
	var all []string
	for _, a := range args {
		all = append(all, strings.TrimSpace(string(a.Value)+" "+a.Description))
	}
	return strings.Join(all, " ")
}

// A place is something on the page.
type place struct {
	Found   bool
	X, Y    float64
	Covered string // by what, if it cannot be pressed
	Checked bool
	Off     bool
	Value   string
	Near    []string // names of the same kind, for the message when it is missing
}

func (p *Page) look(kind, name string) place {
	p.t.Helper()
	var at place
	p.eval("look for "+name, fmt.Sprintf("mandateFind.find(%s, %s, %s)", quote(p.scope), quote(kind), quote(name)), &at)
	return at
}

// locate waits until something can be seen and, where it is to be pressed,
// nothing lies over it.
func (p *Page) locate(kind, name string) place {
	p.t.Helper()
	var at place
	deadline := time.Now().Add(patient)
	for {
		at = p.look(kind, name)
		if at.Found && at.Covered == "" {
			return at
		}
		if time.Now().After(deadline) {
			break
		}
		time.Sleep(impulse)
	}
	if at.Found {
		p.t.Fatalf("%s %q is covered by %s", kind, name, at.Covered)
	}
	p.t.Fatalf("no %s %q in %q at %s; there are %q", kind, name, p.scope, p.URL(), at.Near)
	return at
}

// still is locate for what stays where it is: a page that is being laid out
// anew moves things away from under a click.
func (p *Page) still(kind, name string) place {
	p.t.Helper()
	at := p.locate(kind, name)
	for range 20 {
		before := at
		time.Sleep(impulse / 2)
		if at = p.locate(kind, name); at.X == before.X && at.Y == before.Y {
			break
		}
	}
	return at
}

func (p *Page) wait(what string, done func() bool) {
	p.t.Helper()
	deadline := time.Now().Add(patient)
	for !done() {
		if time.Now().After(deadline) {
			p.t.Fatalf("did not %s at %s; the page reads:\n%s", what, p.URL(), beginning(p.Text()))
		}
		time.Sleep(impulse)
	}
}

// beginning is enough of a page to see which one it is.
func beginning(text string) string {
	if runes := []rune(text); len(runes) > 1200 {
		return string(runes[:1200]) + " ..."
	}
	return text
}

// settle waits until a step that may have led to another page has done so.
func (p *Page) settle() {
	p.t.Helper()
	time.Sleep(impulse)
	deadline := time.Now().Add(patient)
	for time.Now().Before(deadline) {
		p.mu.Lock()
		loading := p.loading
		p.mu.Unlock()
		if !loading && !p.asking() {
			return
		}
		time.Sleep(impulse / 4)
	}
	p.t.Fatal("the page did not finish loading")
}

// asking reports whether a script of the page waits for an answer to a step,
// such as a dialog that is on its way. What the page asks for by itself, again
// and again, is nobody's step.
func (p *Page) asking() (yes bool) {
	p.t.Helper()
	p.eval("see what is under way", `document.querySelector('.htmx-request:not([hx-trigger^="load delay"])') !== null`, &yes)
	return yes
}

// eval runs an expression; while a page is being replaced it tries again.
func (p *Page) eval(what, expression string, out any) {
	p.t.Helper()
	deadline := time.Now().Add(patient)
	for {
		raw, err := chromedp.Run(p.ctx, chromedp.Evaluate[[]byte]("(()=>{"+findScript+";return ("+expression+")})()", chromedp.EvalAwaitPromise))
		if err == nil {
			if out != nil {
				p.must(what, json.Unmarshal(raw, out))
			}
			return
		}
		replaced := strings.Contains(err.Error(), "context") || strings.Contains(err.Error(), "navigated")
		if !replaced || time.Now().After(deadline) {
			p.t.Fatalf("%s: %v", what, err)
		}
		time.Sleep(impulse)
	}
}

func (p *Page) do(what string, action chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 3*patient)
	defer cancel()
	p.must(what, chromedp.Do(ctx, action))
}

func (p *Page) must(what string, err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatalf("%s: %v", what, err)
	}
}

func quote(v any) string {
	if s, ok := v.([]string); ok && s == nil {
		return "[]"
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}
