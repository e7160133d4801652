package ui

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// htmxConfig keeps htmx from adding styles or evaluating text, and from putting
// an error page into the middle of another page; app.js opens those whole.
const htmxConfig = `{"includeIndicatorCSS":false,"history":"reload","noSwap":[204,304,400,401,403,404,405,409,413,415,421,429,"5xx"]}`

func documentTitle(page, institution string) string {
	if institution == "" {
		return page
	}
	return page + " · " + institution
}

// initials are the first letters of a name's first and last words.
func initials(name string) string {
	words := strings.Fields(name)
	if len(words) > 2 {
		words = []string{words[0], words[len(words)-1]}
	}
	var b strings.Builder
	for _, w := range words {
		first, _ := utf8.DecodeRuneInString(w)
		b.WriteString(strings.ToUpper(string(first)))
	}
	return b.String()
}

// letter is the first one of a name: an institution without a logo.
func letter(name string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(name), " ")
	return initials(first)
}

// Number writes a number with separators: 10,480.
func Number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Count writes a number and its noun: "1 account", "12 accounts".
func Count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Number(n) + " " + many
}

func boolText(b bool) string { return strconv.FormatBool(b) }

// bareDollars drops the sign that the money field shows in front.
func bareDollars(s string) string { return strings.TrimPrefix(strings.TrimSpace(s), "$") }

func optionLabel(f Filter) string {
	for _, o := range f.Options {
		if o.Value == f.Value {
			return o.Label
		}
	}
	return f.Value
}

// slug makes an id of a label.
func slug(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, s)
}

// Ended ends a sentence; a name such as "Northwind, Inc." has ended it already.
func Ended(sentence string) string { return strings.TrimSuffix(sentence, ".") + "." }

// ResultOf says how much of a list is shown: "12 of 240 users".
func ResultOf(shown, total int, one, many string) string {
	if shown == total {
		return Count(total, one, many)
	}
	return strings.TrimSpace(Count(shown, "", "")) + " of " + Count(total, one, many)
}
