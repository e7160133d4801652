package static

import (
	"fmt"
	"regexp"
	"strings"
)

// DefaultAccent is the accent of an institution that has chosen none.
const DefaultAccent = "#1f5f5b"

// What an accent must be readable on: the surfaces of tokens.css.
var (
	lightSurface = colour{0xf6, 0xf6, 0xf4}
	darkSurface  = colour{0x26, 0x26, 0x2a}
	white        = colour{0xff, 0xff, 0xff}
	ink          = colour{0x10, 0x10, 0x12}
)

// textContrast is what WCAG 2.2 AA asks of text; a little more, because tints of
// the accent lie under it as well.
const textContrast = 5.2

var (
	hexColour = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)
	brandPath = regexp.MustCompile(`^` + Prefix + `brand-([0-9a-f]{6})\.(css|svg)$`)
)

// BrandURL is the address of the stylesheet for an accent colour written
// "#1f5f5b". Anything else gives the default's. The stylesheet follows from the
// colour alone, so no page needs a nonce or an inline style for it.
func BrandURL(accent string) string { return brandURL(accent, "css") }

// FaviconURL is the address of the page's small icon in an accent colour.
func FaviconURL(accent string) string { return brandURL(accent, "svg") }

func brandURL(accent, kind string) string {
	if !hexColour.MatchString(accent) {
		accent = DefaultAccent
	}
	return Prefix + "brand-" + strings.ToLower(accent[1:]) + "." + kind
}

func brandAsset(path string) (asset, bool) {
	m := brandPath.FindStringSubmatch(path)
	if m == nil {
		return asset{}, false
	}
	a := asset{kind: "text/css; charset=utf-8", body: []byte(brandCSS(parseColour(m[1])))}
	if m[2] == "svg" {
		a = asset{kind: "image/svg+xml", body: []byte(faviconSVG(parseColour(m[1])))}
	}
	a.etag = `"` + hashOf(a.body) + `"`
	return a, true
}

// faviconSVG is a key's bow and bit, simplified until it reads at 16 pixels.
func faviconSVG(c colour) string {
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="%s"/>`+
		`<g fill="none" stroke="%s" stroke-width="3" stroke-linecap="round"><circle cx="11.5" cy="16" r="4.5"/><path d="M16 16h9v4.5M21 16v3"/></g></svg>`,
		c, readableOn(c))
}

// brandCSS sets the accent for both schemes. A bank's colour is a wish: it is
// darkened or lightened, its hue kept, until it can be read.
func brandCSS(wish colour) string {
	light := wish.readable(lightSurface, -1)
	dark := wish.readable(darkSurface, +1)
	return fmt.Sprintf(":root{--brand-light:%s;--brand-dark:%s;--on-brand-light:%s;--on-brand-dark:%s}\n",
		light, dark, readableOn(light), readableOn(dark))
}
