package importer

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"mandate/internal/bank"
)

// Bounds of what files may hold, in characters.
const (
	maxKey     = 64
	maxName    = 100
	maxAddress = 200
	maxPhone   = 40
	maxKind    = 30
)

// clip shortens a value for a message.
func clip[T ~string | ~[]byte](value T) string {
	const most = 40
	s := strings.ToValidUTF8(string(value), "\ufffd")
	s = strings.Map(func(r rune) rune {
		if clean([]byte(string(r))) != "" {
			return '\ufffd'
		}
		return r
	}, s)
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most]) + "…"
	}
	return s
}

// badKey says what is wrong with a key; nothing is where wrong is empty.
func badKey(value []byte) (wrong, right string) {
	if len(value) == 0 {
		return "it is blank", "a key of 1 to 64 characters"
	}
	if wrong := clean(value); wrong != "" {
		return wrong, "a key of printable characters"
	}
	if n := utf8.RuneCount(value); n > maxKey {
		return fmt.Sprintf("it has %d characters", n), "a key of 1 to 64 characters"
	}
	return "", ""
}

// emailProblem says what is wrong with an address: it must look like one.
// Whether it reaches anybody, an invitation finds out.
func emailProblem(email string) string {
	local, domain, ok := strings.Cut(email, "@")
	switch {
	case utf8.RuneCountInString(email) > bank.MaxEmail:
		return fmt.Sprintf("it has %d characters", utf8.RuneCountInString(email))
	case !ok || local == "" || strings.ContainsAny(email, " ,;<>()\"") || strings.Contains(domain, "@"),
		!strings.Contains(domain, "."), strings.HasPrefix(domain, "."), strings.HasSuffix(domain, "."), strings.Contains(domain, ".."):
		return fmt.Sprintf("%q is not an email address", clip(email))
	}
	return ""
}

// lastDigits is an account's number as people may see it: its last four
// characters. No more than that is stored.
func lastDigits(number string) (string, bool) {
	const shown = 4
	plain := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, number)
	if len(plain) < shown {
		return "", false
	}
	return plain[len(plain)-shown:], true
}

// thousands writes a number with separators.
func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
