package identity

import (
	"fmt"
	"unicode/utf8"
)

// A Rule is one thing that is asked of a username or a password, and whether
// what was typed keeps it.
type Rule struct {
	Sentence string
	Kept     bool
	Detail   string // what stands in the way; may be empty
}

// Judge tells of every rule whether a password keeps it. It keeps all of them
// exactly where CheckPassword finds nothing wrong.
func (r PasswordRules) Judge(password Secret) []Rule {
	n := utf8.RuneCountInString(string(password))
	length := Rule{Sentence: fmt.Sprintf("At least %d characters", r.Least), Kept: n >= r.Least && n <= maxPassword}
	switch {
	case n > maxPassword:
		length.Detail = fmt.Sprintf("%d are too many; %d is the most", n, maxPassword)
	case n > 0 && n < r.Least:
		length.Detail = fmt.Sprintf("%d so far", n)
	}
	listed := Rule{Sentence: "Not one that many people use"}
	simple := Rule{Sentence: "Not a simple pattern, such as abcd, 4321 or oneone"}
	about := Rule{Sentence: "Not mostly words about you, your business or your bank"}
	if n > 0 && n <= maxPassword { // nothing more is read of what is too long
		plain := foldPassword(string(password))
		listed.Kept, simple.Kept = !common(plain), !pattern(plain)
		word := aboutPerson(plain, r.Context)
		about.Kept = word == ""
		if word != "" {
			about.Detail = "mostly “" + word + "”"
		}
	}
	return []Rule{length, listed, simple, about}
}

// JudgeUsername tells whether a username can be used, as far as that can be
// told without looking whether somebody else has it.
func JudgeUsername(username string) Rule {
	return Rule{
		Sentence: fmt.Sprintf("%d to %d characters: letters, digits and marks such as . _ - @", minUsername, maxUsername),
		Kept:     usernameProblem(username) == "",
	}
}
