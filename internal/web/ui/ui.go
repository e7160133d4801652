// Package ui is the product's visual language: the shells, controls and
// patterns that every screen is made of, as templ components. A component takes
// one struct, whose zero fields leave things out. It decides nothing and knows
// no room: what may be shown, and in which state, is told to it.
//
// The stylesheet is in ../static/css. README.md lists the components;
// /_components in the demo shows each with its markup.
package ui

import (
	"context"
	"io"
	"time"

	"github.com/a-h/templ"
)

// A Request is what components need to know of the request they are part of.
// Package web puts it into the context.
type Request struct {
	CSRF   string // the token that a form must bring back
	Path   string // path and query of this page, for forms that return to it
	Theme  Theme
	Toasts []Toast
	Seeing *Seeing // staff see this page as somebody else sees it
}

// A Seeing is who sees a page as whom, and where they end it.
type Seeing struct {
	Staff, As string
	Until     time.Time
	Place     *time.Location
	End       string
}

type requestKey struct{}

// With returns a context in which components find r.
func With(ctx context.Context, r Request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// From is the request of a context; outside of one, the zero Request.
func From(ctx context.Context) Request {
	r, _ := ctx.Value(requestKey{}).(Request)
	return r
}

// A Theme is a person's choice of colour scheme.
type Theme string

const (
	ThemeSystem Theme = "" // as the device says
	ThemeLight  Theme = "light"
	ThemeDark   Theme = "dark"
)

// ParseTheme reads a choice; anything unknown leaves it to the device.
func ParseTheme(s string) Theme {
	if t := Theme(s); t == ThemeLight || t == ThemeDark {
		return t
	}
	return ThemeSystem
}

// A Link is a word that leads somewhere.
type Link struct {
	Label string
	Href  string
	Icon  string
}

// describedBy joins the ids of what describes a control; none gives no attribute.
func describedBy(ids ...string) templ.Attributes {
	joined := ""
	for _, id := range ids {
		if id != "" {
			joined += " " + id
		}
	}
	if joined == "" {
		return nil
	}
	return templ.Attributes{"aria-describedby": joined[1:]}
}

// Layouts of times as people read them.
const (
	dateLayout     = "Jan 2, 2006"
	dateTimeLayout = "Jan 2, 2006, 3:04 PM"
)

// Date writes the calendar day of t at a place: "Mar 2, 2026".
func Date(t time.Time, place *time.Location) string { return t.In(place).Format(dateLayout) }

// DateTime writes a moment at a place: "Mar 2, 2026, 4:05 PM".
func DateTime(t time.Time, place *time.Location) string { return t.In(place).Format(dateTimeLayout) }

// Within renders a component with another one as its children, for callers that
// compose pages in Go.
func Within(outer, inner templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return outer.Render(templ.WithChildren(ctx, inner), w)
	})
}
