package entrance

import (
	"strings"
	"unicode"
)

// deviceName says in a few words what browser somebody has: "Firefox on
// Windows". It is what the browser says of itself, so it decides nothing.
func DeviceName(userAgent string) string {
	name := browserOf(userAgent)
	if system := systemOf(userAgent); system != "" {
		name += " on " + system
	}
	return name
}

// A mark is a part of what a browser says, and what it means. The first that
// fits counts, because most browsers also claim to be others.
type mark struct{ part, name string }

var browserMarks = []mark{
	{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"},
	{"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Chromium/", "Chromium"}, {"Version/", "Safari"},
}

var systemMarks = []mark{
	{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Mac OS X", "Mac"},
	{"CrOS", "ChromeOS"}, {"Linux", "Linux"},
}

func browserOf(userAgent string) string {
	if name := firstMark(userAgent, browserMarks); name != "" {
		return name
	}
	first, _, _ := strings.Cut(userAgent, "/")
	first = strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' {
			return r
		}
		return -1
	}, first)
	if first == "" || len(first) > maxProgram {
		return "An unknown browser"
	}
	return first
}

// maxProgram is as long as the name of a program may be to be shown.
const maxProgram = 40

func systemOf(userAgent string) string { return firstMark(userAgent, systemMarks) }

func firstMark(userAgent string, marks []mark) string {
	for _, m := range marks {
		if strings.Contains(userAgent, m.part) {
			return m.name
		}
	}
	return ""
}
