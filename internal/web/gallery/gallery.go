// Package gallery is the page that shows every component of package ui as it
// looks, how it is called, and the markup that comes out. It is for people who
// build screens; it shows made-up data and changes nothing.
package gallery

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/a-h/templ"
	"golang.org/x/net/html"

	"mandate/internal/web/ui"
)

// Paths of the gallery's own pages.
const (
	Path        = "/_components"
	DialogPath  = "/_components/dialog"
	FormPath    = "/_components/form"
	EntryPath   = "/_components/entry"
	RefusalPath = "/_components/refusal"
)

// An Example is one component in one use.
type Example struct {
	Title string
	Note  string
	Call  string // how it is written
	Show  templ.Component
	Bare  bool // without a frame around it
}

// A Chapter is a few examples that belong together.
type Chapter struct {
	ID       string
	Title    string
	Note     string
	Examples []Example
}

// Shell is the made-up app around the gallery.
func Shell(title string) ui.Shell {
	return ui.Shell{
		Title:        title,
		Institution:  ui.Institution{Name: "Cedar Bank"},
		App:          "Online",
		Organization: "Northwind Trading",
		Home:         Path,
		Nav: []ui.NavGroup{
			{Items: []ui.NavItem{
				{Label: "Home", Href: Path + "#shell", Icon: "house"},
				{Label: "Accounts", Href: Path + "#tables", Icon: "wallet"},
				{Label: "Payments", Href: Path + "#buttons", Icon: "arrow-left-right"},
				{Label: "Approvals", Href: Path + "#status", Icon: "file-check", Count: 3},
			}},
			{Label: "Settings", Items: []ui.NavItem{
				{Label: "Components", Href: Path, Icon: "sliders-horizontal", Current: true},
				{Label: "User management", Href: Path + "#permissions", Icon: "users"},
				{Label: "Activity", Href: Path + "#lists", Icon: "history"},
			}},
		},
		Person:      ui.Person{Name: "Ana Ruiz", Detail: "Admin"},
		Menu:        []ui.Link{{Label: "Your profile", Href: Path + "#pieces", Icon: "circle-user"}, {Label: "Settings", Href: Path + "#forms", Icon: "settings"}},
		SignOut:     FormPath,
		ThemeAction: "/_theme",
		Notice:      "Example data",
	}
}

// markup is what a component renders, one element a line.
func markup(c templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		var raw bytes.Buffer
		if err := c.Render(ctx, &raw); err != nil {
			return err
		}
		_, err := io.WriteString(w, templ.EscapeString(indent(&raw)))
		return err
	})
}

var void = map[string]bool{"input": true, "br": true, "img": true, "hr": true, "meta": true, "link": true}

// indent lays markup out for reading. Drawings are left out.
func indent(r io.Reader) string {
	var b strings.Builder
	tokens, depth, drawing := html.NewTokenizer(r), 0, false
	line := func(text string) { fmt.Fprintf(&b, "%s%s\n", strings.Repeat("  ", max(depth, 0)), text) }
	for {
		kind := tokens.Next()
		if kind == html.ErrorToken {
			return strings.TrimRight(b.String(), "\n")
		}
		token := tokens.Token()
		switch {
		case token.Data == "svg" && kind == html.StartTagToken:
			drawing = true
			line(`<svg class="icon" aria-hidden="true">…</svg>`)
		case token.Data == "svg" && kind == html.EndTagToken:
			drawing = false
		case drawing:
		case kind == html.EndTagToken:
			depth--
			line(token.String())
		case kind == html.StartTagToken && !void[token.Data]:
			line(token.String())
			depth++
		case kind == html.TextToken && strings.TrimSpace(token.Data) == "":
		default:
			line(strings.TrimSpace(token.String()))
		}
	}
}

// now is the moment at which the example world stands still.
var now = time.Date(2026, time.March, 2, 21, 5, 0, 0, time.UTC)

// mountain stands for an institution's time zone, without needing its data.
var mountain = time.FixedZone("MST", -7*3600)

func jumps(chapters []Chapter) []ui.Link {
	var links []ui.Link
	for _, c := range chapters {
		links = append(links, ui.Link{Label: c.Title, Href: "#" + c.ID})
	}
	return links
}
