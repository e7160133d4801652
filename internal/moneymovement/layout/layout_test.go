package layout

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

var errLarge = errors.New("too large")

func all(text string, f Format, places ...Place) (out []string, err error) {
	err = Read(strings.NewReader(text), f, Bounds{Bytes: 10_000, TooLarge: errLarge}, func(l *Line) error {
		if l.Broken {
			out = append(out, fmt.Sprintf("%d broken", l.Number))
			return nil
		}
		line := fmt.Sprint(l.Number)
		for _, p := range places {
			line += "|" + l.At(p)
		}
		out = append(out, line)
		return nil
	})
	return out, err
}

func TestTheSameFieldsInEachFormat(t *testing.T) {
	columns := []Place{{Column: 2}, {Column: 1}, {Column: 4}}
	for _, c := range []struct {
		format Format
		text   string
		places []Place
		want   string
	}{
		{CSV, "\xef\xbb\xbfa,\"b, c\"\r\n\r\nd,e,f, g \n", columns, "[1|b, c|a| 3|e|d|g]"},
		{Tab, "a\tb, c\n  \nd\te\tf\t g ", columns, "[1|b, c|a| 3|e|d|g]"},
		{Fixed, "aé bcd\r\nx", []Place{{From: 4, To: 6}, {From: 1, To: 2}, {From: 7, To: 9}, {From: 2, To: 4000}}, "[1|bcd|aé||é bcd 2||x||]"},
		{CSV, "a,b\n\"c,d\n", columns, "[1|b|a| 2 broken]"},
	} {
		got, err := all(c.text, c.format, c.places...)
		if err != nil || fmt.Sprint(got) != c.want {
			t.Errorf("%s %q = %v, %v, want %s", c.format, c.text, got, err, c.want)
		}
	}
}

func TestHostileFilesEndEarly(t *testing.T) {
	for _, c := range []struct {
		name string
		text string
		want error
	}{
		{"large", strings.Repeat("a,b\n", 2_501), errLarge},
		{"binary", "a,b\nc\x00d", ErrBinary},
		{"one endless line", strings.Repeat("a", 100_000), errLarge},
	} {
		for _, f := range Formats() {
			if _, err := all(c.text, f); !errors.Is(err, c.want) {
				t.Errorf("%s as %s: %v, want %v", c.name, f, err, c.want)
			}
		}
	}
}

func TestPlaces(t *testing.T) {
	for _, c := range []struct {
		place  Place
		format Format
		fits   bool
	}{
		{Place{Column: 1}, CSV, true}, {Place{Column: 200}, Tab, true}, {Place{Column: 201}, Tab, false}, {Place{}, CSV, false},
		{Place{From: 1, To: 2}, CSV, false}, {Place{From: 1, To: 1}, Fixed, true}, {Place{From: 2, To: 1}, Fixed, false},
		{Place{From: 1, To: MaxLine}, Fixed, true}, {Place{From: 1, To: MaxLine + 1}, Fixed, false}, {Place{Column: 1}, Fixed, false},
	} {
		if got := c.place.Problem(c.format) == ""; got != c.fits {
			t.Errorf("%+v in %s fits: %t", c.place, c.format, got)
		}
	}
	if !(Place{From: 1, To: 5}).Touches(Place{From: 5, To: 6}) || (Place{From: 1, To: 5}).Touches(Place{From: 6, To: 6}) || (Place{}).Touches(Place{From: 1, To: 2}) {
		t.Error("places touch where they share a position, and only there")
	}
}

// FuzzRead: whatever comes in, every line has a place in the file, and no cell
// is longer than the file.
func FuzzRead(f *testing.F) {
	for _, format := range Formats() {
		f.Add(string(format), "a,b\t\"c\"\nd\r\n\xff")
	}
	f.Fuzz(func(t *testing.T, format, text string) {
		last := 0
		_ = Read(strings.NewReader(text), Format(format), Bounds{Bytes: 1 << 16, TooLarge: errLarge}, func(l *Line) error {
			if l.Number < last || l.Number < 1 {
				t.Fatalf("line %d after %d of %q", l.Number, last, text)
			}
			last = l.Number
			for _, p := range []Place{{Column: 1}, {Column: 200}, {From: 1, To: 9}, {From: 3, To: 4000}, {}} {
				if got := l.At(p); len(got) > 3*len(text) {
					t.Fatalf("%d bytes at %+v of %q", len(got), p, text)
				}
			}
			return nil
		})
	})
}
