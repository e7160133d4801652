// Package layout reads lists that customers make themselves: fixed positions,
// comma-separated or tab-delimited. It knows where a field stands in a line and
// keeps a stranger's file within bounds; what a field means, and what is wrong
// with it, is for whoever asks.
package layout

import (
	"fmt"
	"strings"
)

// Named limits.
const (
	MaxLine   = 4_000 // characters of a line
	MaxColumn = 200
)

// A Format is how a file separates what it holds.
type Format string

const (
	Fixed Format = "fixed"
	CSV   Format = "csv"
	Tab   Format = "tab"
)

var labels = map[Format]string{Fixed: "Fixed position", CSV: "CSV", Tab: "Tab-delimited"}

// Formats are all formats in the order of screens.
func Formats() []Format { return []Format{Fixed, CSV, Tab} }

// Label is the format as screens show it; empty: there is no such format.
func (f Format) Label() string { return labels[f] }

// A Place is where a field stands, counted from 1: a column, or in a file of
// fixed positions the first and the last character.
type Place struct {
	Column int `json:"column,omitempty"`
	From   int `json:"from,omitempty"`
	To     int `json:"to,omitempty"`
}

// Problem says what is wrong with a place in a file of a format; empty: nothing.
func (p Place) Problem(f Format) string {
	if f == Fixed {
		if p.Column == 0 && p.From >= 1 && p.To >= p.From && p.To <= MaxLine {
			return ""
		}
		return fmt.Sprintf("Give the first and the last position, from 1 to %d.", MaxLine)
	}
	if p.From == 0 && p.To == 0 && p.Column >= 1 && p.Column <= MaxColumn {
		return ""
	}
	return fmt.Sprintf("Give a column from 1 to %d.", MaxColumn)
}

// Touches reports whether two fields would share a place.
func (p Place) Touches(q Place) bool {
	if p.Column > 0 || q.Column > 0 {
		return p.Column == q.Column
	}
	return p.From <= q.To && q.From <= p.To && p.From > 0 && q.From > 0
}

// A Line is one line of a file that is not empty.
type Line struct {
	Number int
	Cells  []string // of a file of fixed positions one: the whole line
	Broken bool     // its quotes do not match: nothing of it can be read

	positions []rune
}

// At is what stands at a place, without blanks around it; empty where the line
// ends before it.
func (l *Line) At(p Place) string {
	if p.Column > 0 {
		if p.Column > len(l.Cells) {
			return ""
		}
		return strings.TrimSpace(l.Cells[p.Column-1])
	}
	if p.From < 1 || p.From > len(l.positions) {
		return ""
	}
	return strings.TrimSpace(string(l.positions[p.From-1 : min(p.To, len(l.positions))]))
}
