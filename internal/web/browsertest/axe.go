package browsertest

import (
	_ "embed"
	"fmt"
	"os"
	"strings"

	"github.com/chromedp/chromedp"
)

// axe-core 4.14.1, unchanged (testdata/LICENSE-axe-core.txt, MPL-2.0). It is for
// tests and no part of the product.
//
//go:embed testdata/axe.min.js
var axeScript string

// axeRules are WCAG 2.2 up to AA, and what the makers of axe call best practice.
const axeRules = `{runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"], resultTypes: ["violations"]}`

// axeLooks are the rules that the scheme or the width bears on. Where the very
// same page was clean once, it can break no other.
const axeLooks = `{runOnly: {type: "rule", values: ["color-contrast", "link-in-text-block", "target-size", "scrollable-region-focusable"]}, resultTypes: ["violations"]}`

type violation struct {
	ID    string
	Help  string
	Nodes []struct {
		HTML           string
		FailureSummary string
	}
}

// Axe fails the test for every accessibility violation on the page, or the part
// of it, as it stands.
func (p *Page) Axe() {
	p.t.Helper()
	var loaded bool
	if p.eval("look for axe", `typeof axe !== "undefined"`, &loaded); !loaded {
		p.do("load axe", chromedp.Evaluate[chromedp.Void](axeScript+";undefined"))
	}
	rules, page := axeRules, p.identity()
	if p.clean[page] {
		rules = axeLooks
	}
	var found []violation
	p.eval("run axe", "axe.run(mandateFind.root("+quote(p.scope)+"), "+rules+").then((r) => r.violations)", &found)
	if len(found) == 0 {
		if p.clean == nil {
			p.clean = map[string]bool{}
		}
		p.clean[page] = true
	}
	for _, v := range found {
		p.t.Errorf("%s at %s%s", describe(v), p.URL(), p.how())
	}
}

// identity tells the page as it stands from every other.
func (p *Page) identity() string {
	var page string
	p.eval("read the page", `crypto.subtle.digest("SHA-256", new TextEncoder().encode(document.documentElement.outerHTML)).then((d) => btoa(String.fromCharCode(...new Uint8Array(d))))`, &page)
	return fmt.Sprint(page, p.scope)
}

func (p *Page) how() string {
	how := fmt.Sprintf(" (%d wide", p.width)
	if p.dark {
		how += ", dark"
	}
	return how + ")"
}

func describe(v violation) string {
	var b strings.Builder
	fmt.Fprintf(&b, "axe: %s: %s", v.ID, v.Help)
	for i, n := range v.Nodes {
		if i == 5 {
			fmt.Fprintf(&b, "\n  and %d more", len(v.Nodes)-i)
			break
		}
		fmt.Fprintf(&b, "\n  %s\n    %s", n.HTML, strings.ReplaceAll(n.FailureSummary, "\n", "\n    "))
	}
	return b.String()
}

// Fits fails the test when the page is wider than the screen.
func (p *Page) Fits() {
	p.t.Helper()
	var wide []string
	p.eval("measure", `(() => {
		const most = document.documentElement.clientWidth;
		if (document.documentElement.scrollWidth <= most) return [];
		return [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > most + 1).slice(0, 8)
			.map((e) => e.tagName.toLowerCase() + "." + e.className + " to " + Math.round(e.getBoundingClientRect().right));
	})()`, &wide)
	if len(wide) > 0 {
		p.t.Errorf("the page is wider than the screen%s: %q", p.how(), wide)
	}
}

// A sight is a screen and the scheme it is looked at in.
type sight struct {
	name  string
	width int64
	dark  bool
}

var (
	wideLight  = sight{"wide-light", 1440, false}
	wideDark   = sight{"wide-dark", 1440, true}
	phoneLight = sight{"phone-light", 390, false}
	phoneDark  = sight{"phone-dark", 390, true}
)

// every reports whether each page is looked at in all ways: in the slow check,
// and for pictures.
func every() bool { return os.Getenv("MANDATE_SLOW") != "" || pictures() }

// Look judges the page: wide in the light scheme and narrow in the dark one, and
// in the slow check or for pictures also the other way round.
func (p *Page) Look(name string) {
	p.t.Helper()
	sights := []sight{wideLight, phoneDark}
	if every() {
		sights = []sight{wideLight, wideDark, phoneLight, phoneDark}
	}
	p.judge(name, sights)
}

// Glance is Look for one state of many that a screen has, in a test that goes
// by the screen: the gate judges it in one way only, which the name decides.
func (p *Page) Glance(name string) {
	p.t.Helper()
	if every() {
		p.Look(name)
		return
	}
	one := wideLight
	if len(name)%2 == 0 {
		one = phoneDark
	}
	p.judge(name, []sight{one})
}

func (p *Page) judge(name string, sights []sight) {
	p.t.Helper()
	var width, height int64
	for _, s := range sights {
		phone := s.width < 1000
		if width != s.width {
			width = s.width
			p.Size(width, 900, phone)
			p.Eval("Math.max(document.documentElement.scrollHeight, 900)", &height)
			p.Size(width, height, phone) // all of it, so that no bar lies over anything
		}
		if s.dark {
			p.Dark()
		} else {
			p.Light()
		}
		p.Still()
		p.Fits()
		p.Axe()
		p.Screenshot(name + "-" + s.name)
	}
	p.Desktop()
	p.Light()
}
