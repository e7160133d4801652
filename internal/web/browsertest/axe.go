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

// Look judges the page: wide in the light scheme and narrow in the dark one, and
// in the slow check or for pictures also the other way round.
func (p *Page) Look(name string) {
	p.t.Helper()
	all := os.Getenv("MANDATE_SLOW") != "" || os.Getenv("MANDATE_SCREENSHOTS") != ""
	for _, screen := range []struct {
		name  string
		width int64
	}{{"wide", 1440}, {"phone", 390}} {
		phone := screen.width < 1000
		p.Size(screen.width, 900, phone)
		var height int64 // all of it, so that no bar lies over anything
		p.Eval("Math.max(document.documentElement.scrollHeight, 900)", &height)
		p.Size(screen.width, height, phone)
		for _, scheme := range []struct {
			name string
			set  func()
		}{{"light", p.Light}, {"dark", p.Dark}} {
			if !all && phone != (scheme.name == "dark") {
				continue
			}
			scheme.set()
			p.Still()
			p.Fits()
			p.Axe()
			p.Screenshot(name + "-" + screen.name + "-" + scheme.name)
		}
	}
	p.Desktop()
	p.Light()
}
