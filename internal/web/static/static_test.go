package static

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
)

func fetch(path string, header http.Header) *http.Response {
	r := httptest.NewRequest("GET", path, nil)
	r.Header = header
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w.Result()
}

func TestFilesAreForEver(t *testing.T) {
	for _, name := range []string{"app.css", "app.js", "htmx.min.js", "inter-latin.woff2", "inter-latin-ext.woff2"} {
		plain := fetch(URL(name), http.Header{})
		body, _ := io.ReadAll(plain.Body)
		if plain.StatusCode != 200 || !strings.Contains(plain.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d, Cache-Control %q", name, plain.StatusCode, plain.Header.Get("Cache-Control"))
		}
		if again := fetch(URL(name), http.Header{"If-None-Match": {plain.Header.Get("ETag")}}); again.StatusCode != 304 {
			t.Errorf("%s: asked again: %d", name, again.StatusCode)
		}
		packed := fetch(URL(name), http.Header{"Accept-Encoding": {"br, gzip;q=0.8"}})
		if strings.HasSuffix(name, ".woff2") {
			continue
		}
		z, err := gzip.NewReader(packed.Body)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if unpacked, _ := io.ReadAll(z); string(unpacked) != string(body) {
			t.Errorf("%s: the packed file differs", name)
		}
		if raw := fetch(URL(name), http.Header{"Accept-Encoding": {"gzip;q=0"}}); raw.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s: packed although refused", name)
		}
	}
	if got := fetch(Prefix+"app.css", http.Header{}).StatusCode; got != 404 {
		t.Errorf("a name without its hash answers %d", got)
	}
}

func TestStylesheetNamesOnlyWhatIsServed(t *testing.T) {
	css, _ := io.ReadAll(fetch(URL("app.css"), http.Header{}).Body)
	for _, m := range regexp.MustCompile(`url\("([^"]+)"\)`).FindAllStringSubmatch(string(css), -1) {
		if got := fetch(m[1], http.Header{}).StatusCode; got != 200 {
			t.Errorf("the stylesheet names %s, which answers %d", m[1], got)
		}
	}
}

// A bank may wish for any colour: text in it and on it can be read, on every
// surface and on its own tint.
func TestAnyAccentIsReadable(t *testing.T) {
	tint := func(accent, surface colour) colour { // about what --accent-tint and avatars lie on
		mix := func(a, b uint8) uint8 { return uint8(float64(a)*0.13 + float64(b)*0.87) }
		return colour{mix(accent.r, surface.r), mix(accent.g, surface.g), mix(accent.b, surface.b)}
	}
	for r := 0; r < 256; r += 15 {
		for g := 0; g < 256; g += 15 {
			for b := 0; b < 256; b += 15 {
				wish := colour{uint8(r), uint8(g), uint8(b)}
				for surface, direction := range map[colour]float64{lightSurface: -1, darkSurface: +1} {
					accent := wish.readable(surface, direction)
					if c := contrast(accent, surface); c < 4.5 {
						t.Fatalf("%s became %s: contrast %.2f on %s", wish, accent, c, surface)
					}
					if c := contrast(readableOn(accent), accent); c < 4.5 {
						t.Fatalf("%s became %s: contrast %.2f of the text on it", wish, accent, c)
					}
					if c := contrast(accent, tint(accent, surface)); c < 4 {
						t.Fatalf("%s became %s: contrast %.2f on its own tint", wish, accent, c)
					}
				}
			}
		}
	}
}

func TestBrandAddresses(t *testing.T) {
	if got := fetch(BrandURL("#FF9900"), http.Header{}); got.StatusCode != 200 || got.Header.Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("%s answers %d %s", BrandURL("#FF9900"), got.StatusCode, got.Header.Get("Content-Type"))
	}
	if got := fetch(FaviconURL(""), http.Header{}); got.StatusCode != 200 || got.Header.Get("Content-Type") != "image/svg+xml" {
		t.Errorf("the icon answers %d %s", got.StatusCode, got.Header.Get("Content-Type"))
	}
	if BrandURL("red;}body{") != BrandURL(DefaultAccent) {
		t.Error("something that is no colour became part of an address")
	}
	for _, path := range []string{Prefix + "brand-ff990.css", Prefix + "brand-gggggg.css", Prefix + "brand-ff9900.js", Prefix + "../brand-ff9900.css"} {
		if got := fetch(path, http.Header{}).StatusCode; got != 404 {
			t.Errorf("%s answers %d", path, got)
		}
	}
}

// Colours are written in tokens.css and nowhere else, apart from shades of
// black and white.
func TestColoursHaveNames(t *testing.T) {
	neutral := regexp.MustCompile(`^#(fff|f4f4f2|2a2a27|2b2b30)$`)
	for _, part := range styleParts[1:] {
		for _, name := range matches(part) {
			css, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range regexp.MustCompile(`#[0-9a-fA-F]{3,8}\b`).FindAllString(string(css), -1) {
				if !neutral.MatchString(c) {
					t.Errorf("%s writes the colour %s", name, c)
				}
			}
		}
	}
}

func TestMethods(t *testing.T) {
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, httptest.NewRequest("POST", URL("app.css"), nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST answers %d", w.Code)
	}
}
