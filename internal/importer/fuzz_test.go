package importer

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// What splitCSV takes, the standard reader takes too, and both read the same.
func FuzzSplitCSV(f *testing.F) {
	for _, seed := range []string{"", "a,b", `"a,b",c`, `"a""b"`, `""`, `a"b`, `"a"b`, `"a`, ",,", `"",""`, "ä,\x00", `"""",x`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		if bytes.ContainsAny(line, "\r\n") || len(line) == 0 {
			return // a line has neither; a blank one is no row
		}
		got, err := splitCSV(bytes.Clone(line), nil)
		reader := csv.NewReader(bytes.NewReader(line))
		want, wantErr := reader.Read()
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("splitCSV(%q): %v, the standard reader: %v", line, err, wantErr)
		}
		if err != nil {
			return
		}
		var texts []string
		for _, field := range got {
			texts = append(texts, string(field))
		}
		if !slices.Equal(texts, want) {
			t.Fatalf("splitCSV(%q) = %q, the standard reader has %q", line, texts, want)
		}
	})
}

// What splitJSON takes is a JSON object, and its texts are those of the object.
func FuzzSplitJSON(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":"b"}`, `{"a":true,"b":null}`, `{"a":"\u0041\"\\"}`, `{"a":1}`, `{"a":"b"`, `{"a":"b",}`, `{,}`, ` { "a" : false } `, `{"a":"b"}{}`, `{"\ud800":"x"}`, `{"a":"` + "\x01" + `"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		if bytes.ContainsAny(line, "\n") {
			return
		}
		got, err := splitJSON(bytes.Clone(line), nil)
		if err != nil {
			return
		}
		if !utf8.Valid(line) || bytes.ContainsFunc(line, func(r rune) bool { return r < ' ' && r != '\t' && r != '\r' || r == '\t' || r == '\r' }) {
			return // the values are tested for that afterwards
		}
		var want map[string]any
		if err := json.Unmarshal(line, &want); err != nil {
			t.Fatalf("splitJSON(%q) takes what is no JSON object: %v", line, err)
		}
		if len(want) != len(got) {
			t.Fatalf("splitJSON(%q) has %d members, want %d", line, len(got), len(want))
		}
		for _, p := range got {
			value, there := want[string(p.key)]
			text, isText := value.(string)
			on, isBool := value.(bool)
			switch {
			case !there:
				t.Fatalf("splitJSON(%q) has %q", line, p.key)
			case isText && text != string(p.value), isBool && (string(p.value) == "true") != on, value == nil && p.value != nil:
				t.Fatalf("splitJSON(%q): %q is %q, want %v", line, p.key, p.value, value)
			}
		}
	})
}

// Lines come out as they went in, whatever is in them, and say where they stand.
func FuzzLines(f *testing.F) {
	for _, seed := range []string{"", "a", "a\n", "a\r\nb\n\n", "\xef\xbb\xbfa\nb", "\r\n\r", strings.Repeat("x", maxLine+1) + "\nb"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		lines := newLineReader(bytes.NewReader(text), 0, 1)
		rest := text
		for n := 1; ; n++ {
			line, err := lines.read()
			if errors.Is(err, io.EOF) {
				break
			}
			if lines.line != n {
				t.Fatalf("line %d is called %d", n, lines.line)
			}
			whole, after, _ := bytes.Cut(rest, []byte("\n"))
			if lines.start != int64(len(text)-len(rest)) || !bytes.Equal(text[lines.end:], after) {
				t.Fatalf("line %d is at %d to %d", n, lines.start, lines.end)
			}
			rest = after
			if err != nil {
				if !errors.Is(err, errLineTooLong) || len(whole) < maxLine-1 {
					t.Fatalf("line %d: %v", n, err)
				}
				continue
			}
			if want := bytes.TrimSuffix(whole, []byte("\r")); !bytes.Equal(line, want) && !(n == 1 && bytes.Equal(line, bytes.TrimPrefix(want, []byte(byteOrderMark)))) {
				t.Fatalf("line %d = %q, want %q", n, line, want)
			}
		}
		if len(rest) > 0 {
			t.Fatalf("%d bytes were not read", len(rest))
		}
	})
}

// Whatever a message repeats of a file can be shown on a terminal.
func FuzzClip(f *testing.F) {
	f.Add("plain")
	f.Add("\x1b[2J\u202e\x00\xff")
	f.Fuzz(func(t *testing.T, s string) {
		got := clip(s)
		if wrong := clean([]byte(got)); wrong != "" || utf8.RuneCountInString(got) > 41 {
			t.Fatalf("clip(%q) = %q: %s", s, got, wrong)
		}
	})
}
