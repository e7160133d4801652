package identity

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Bounds of a username, in characters.
const (
	minUsername = 3
	maxUsername = 64
)

// UsernameKey is what a username is found under: two spellings that a person
// would call the same give the same key. It is empty for what cannot be
// anybody's username.
func UsernameKey(username string) string {
	username = strings.TrimSpace(username)
	if username == "" || len(username) > 4*maxUsername || !utf8.ValidString(username) || strings.ContainsFunc(username, unicode.IsControl) {
		return ""
	}
	folded := cases.Fold().String(norm.NFKC.String(username))
	return norm.NFKC.String(folded)
}

// usernameProblem says what is wrong with a username that somebody chose, or
// nothing.
func usernameProblem(username string) string {
	n := utf8.RuneCountInString(username)
	switch {
	case !utf8.ValidString(username) || strings.ContainsFunc(username, notInUsername):
		return "Use letters, digits and marks such as . _ - @, without spaces."
	case n < minUsername:
		return "Use at least 3 characters."
	case n > maxUsername:
		return "Use at most 64 characters."
	}
	return ""
}

// notInUsername keeps out what cannot be seen or typed: blanks, controls, and
// marks that change the direction of writing.
func notInUsername(r rune) bool { return unicode.IsSpace(r) || !unicode.IsGraphic(r) }
