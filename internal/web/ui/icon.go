package ui

import (
	"context"
	"embed"
	"io"
	"path"
	"regexp"
	"strings"
	"sync"

	"github.com/a-h/templ"
)

// The icons are Lucide's own files, unchanged (LICENSE-lucide.txt). To use
// another one, copy its file here.
//
//go:embed icons/*.svg
var iconFiles embed.FS

var iconBody = regexp.MustCompile(`(?s)<svg[^>]*>(.*)</svg>`)

// icons maps a name to the inside of its drawing.
var icons = sync.OnceValue(func() map[string]string {
	drawings := map[string]string{}
	entries, err := iconFiles.ReadDir("icons")
	if err != nil {
		panic("ui: " + err.Error())
	}
	for _, e := range entries {
		svg, err := iconFiles.ReadFile("icons/" + e.Name())
		if err != nil {
			panic("ui: " + err.Error())
		}
		inside := iconBody.FindSubmatch(svg)[1]
		name := strings.TrimSuffix(e.Name(), path.Ext(e.Name()))
		drawings[name] = strings.Join(strings.Fields(string(inside)), " ")
	}
	return drawings
})

// Icon draws one Lucide icon in the colour and size of the text around it. It
// is decoration: a word always stands beside it. The empty name draws nothing;
// an unknown one is a programmer's mistake and panics.
func Icon(name string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		if name == "" {
			return nil
		}
		drawing, ok := icons()[name]
		if !ok {
			panic("ui: no icon " + name)
		}
		_, err := io.WriteString(w, `<svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">`+drawing+`</svg>`)
		return err
	})
}
