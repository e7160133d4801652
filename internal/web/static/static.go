// Package static holds what every page loads: one stylesheet, two scripts and
// the font. Nothing is built: files are written by hand, embedded, joined once
// and served under names that carry their own hash, so a browser may keep them
// for ever. It knows no institution; an accent colour is an argument (brand.go).
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
)

// Prefix is where Handler must be mounted. No institution's name starts with an
// underscore, so it never hides one.
const Prefix = "/_static/"

//go:embed css js/*.js fonts/*.woff2
var files embed.FS

// The order of the stylesheet. The cascade layers named in tokens.css decide
// who wins; the order here only keeps the file readable.
var styleParts = []string{
	"css/tokens.css",
	"css/base.css",
	"css/shell.css",
	"css/components/*.css",
	"css/utilities.css",
}

// An asset is one file as it goes over the wire.
type asset struct {
	name string // with its hash
	kind string
	body []byte
	gzip []byte // nil where packing does not pay
	etag string
}

type bundle struct {
	byURL  map[string]asset
	hashed map[string]string // plain name to URL
}

// all is made at the first use; the files are part of the program, so it cannot
// fail on a machine where the tests passed.
var all = sync.OnceValue(func() bundle {
	b := bundle{byURL: map[string]asset{}, hashed: map[string]string{}}
	for _, name := range matches("fonts/*.woff2") {
		b.add(path.Base(name), "font/woff2", read(name))
	}
	for _, name := range matches("js/*.js") {
		b.add(path.Base(name), "text/javascript; charset=utf-8", read(name))
	}
	b.add("app.css", "text/css; charset=utf-8", b.stylesheet())
	return b
})

// URL is the address of a file by its plain name: "app.css", "htmx.min.js".
// An unknown name is a programmer's mistake and panics.
func URL(name string) string {
	u, ok := all().hashed[name]
	if !ok {
		panic("static: no file " + name)
	}
	return u
}

// Handler serves everything below Prefix, the institutions' stylesheets
// included. Answers are for ever: a changed file has another name.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "Method not allowed", http.StatusMethodNotAllowed)
			return
		}
		a, ok := all().byURL[r.URL.Path]
		if !ok {
			a, ok = brandAsset(r.URL.Path)
		}
		if !ok {
			http.NotFound(w, r)
			return
		}
		a.serve(w, r)
	})
}

func (a asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("ETag", a.etag)
	h.Set("Vary", "Accept-Encoding")
	if r.Header.Get("If-None-Match") == a.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := a.body
	if a.gzip != nil && acceptsGzip(r.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		body = a.gzip
	}
	h.Set("Content-Length", fmt.Sprint(len(body)))
	if r.Method == http.MethodGet {
		w.Write(body)
	}
}

// acceptsGzip reads the header well enough: a coding is refused by "q=0" only.
func acceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		coding, quality, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.TrimSpace(coding) == "gzip" {
			q := strings.TrimRight(strings.ReplaceAll(quality, " ", ""), ".0")
			return q != "q="
		}
	}
	return false
}

func (b *bundle) add(name, kind string, body []byte) {
	stem, ext := strings.TrimSuffix(name, path.Ext(name)), path.Ext(name)
	hash := hashOf(body)
	a := asset{name: stem + "." + hash + ext, kind: kind, body: body, etag: `"` + hash + `"`}
	if kind != "font/woff2" { // packed already
		a.gzip = pack(body)
	}
	b.byURL[Prefix+a.name] = a
	b.hashed[name] = Prefix + a.name
}

// stylesheet joins the parts and gives fonts their hashed names.
func (b *bundle) stylesheet() []byte {
	var all bytes.Buffer
	for _, part := range styleParts {
		for _, name := range matches(part) {
			all.Write(read(name))
			all.WriteByte('\n')
		}
	}
	css := all.String()
	for _, name := range matches("fonts/*.woff2") {
		css = strings.ReplaceAll(css, `url("../`+name+`")`, `url("`+b.hashed[path.Base(name)]+`")`)
	}
	return []byte(css)
}

func hashOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:6])
}

func pack(body []byte) []byte {
	var out bytes.Buffer
	z, _ := gzip.NewWriterLevel(&out, gzip.BestCompression) // the level is a constant that exists
	z.Write(body)                                           // a buffer does not fail
	z.Close()
	return out.Bytes()
}

func read(name string) []byte {
	body, err := files.ReadFile(name)
	if err != nil {
		panic("static: " + err.Error())
	}
	return body
}

func matches(pattern string) []string {
	names, err := fs.Glob(files, pattern)
	if err != nil || len(names) == 0 {
		panic("static: nothing matches " + pattern)
	}
	return names
}
