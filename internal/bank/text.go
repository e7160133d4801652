package bank

import (
	"fmt"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable refuses control characters and marks that turn the direction of
// text around, by which one name can be made to look like another.
func Printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsPrint(r) && r != ' ' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
	})
}

// EmailProblem says what is wrong with an email address, or nothing.
func EmailProblem(email string) string {
	address, err := mail.ParseAddress(email)
	switch {
	case email == "":
		return "Enter an email address."
	case utf8.RuneCountInString(email) > MaxEmail:
		return fmt.Sprintf("The email address is longer than %d characters.", MaxEmail)
	case err != nil || address.Address != email || strings.Count(email, "@") != 1 || !Printable(email):
		return "Enter an email address like name@example.com."
	}
	return ""
}
