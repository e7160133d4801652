package identity

import (
	"bytes"
	"cmp"
	"compress/gzip"
	_ "embed"
	"io"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"mandate/internal/fault"
)

// Bounds of a password, in characters.
const (
	minPassword       = 15
	minPasswordSecond = 8 // where a second factor stands beside it
	maxPassword       = 256

	minContextWord = 4 // shorter words of a name would forbid too much
	leastOfItsOwn  = 8 // characters that must be left beside words about the person
)

// PasswordRules are what a password is judged by besides what many people use.
type PasswordRules struct {
	Least   int      // characters
	Context []string // words that anybody would try first: names, the bank, the business
}

// PasswordRules are the rules for a person who signs in under a username.
func (p *Person) PasswordRules(username string) PasswordRules {
	r := PasswordRules{Least: minPassword, Context: []string{p.FirstName, p.LastName, p.OrganizationName, p.InstitutionName, p.Email, username, "mandate"}}
	if p.NeedsSecond {
		r.Least = minPasswordSecond
	}
	return r
}

// CheckPassword says everything that is wrong with a password that somebody
// wants to use, and nothing where it is good. It is what decides, so a screen
// that asks it while somebody types shows the truth. There are no rules about
// kinds of characters.
func CheckPassword(password Secret, rules PasswordRules) []fault.Problem {
	var problems fault.Problems
	n := utf8.RuneCountInString(string(password))
	switch {
	case n < rules.Least:
		problems.Addf("password", "Use at least %d characters. This has %d.", rules.Least, n)
	case n > maxPassword:
		problems.Addf("password", "Use at most %d characters. This has %d.", maxPassword, n)
		return problems // nothing more is read of what is too long
	}
	plain := foldPassword(string(password))
	if common(plain) {
		problems.Add("password", "This is a password that many people use, or nearly so.")
	}
	if pattern(plain) {
		problems.Add("password", "This is a simple pattern: a repetition or a row of neighbours.")
	}
	if word := aboutPerson(plain, rules.Context); word != "" {
		problems.Addf("password", "This is mostly “%s”, which others would guess. Use words that have nothing to do with you.", word)
	}
	return problems
}

// foldPassword is the form in which passwords are compared with what people
// would guess: without case, blanks and marks between.
func foldPassword(s string) string {
	folded := norm.NFKC.String(cases.Fold().String(norm.NFKC.String(s)))
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || strings.ContainsRune("-_.,", r) {
			return -1
		}
		return r
	}, folded)
}

//go:embed common_passwords.txt.gz
var commonPasswords []byte

// listed are the common passwords in order. The file is part of the program:
// if it cannot be read, the program was built wrong.
var listed = sync.OnceValue(func() []string {
	unzip, err := gzip.NewReader(bytes.NewReader(commonPasswords))
	if err != nil {
		panic("identity: common_passwords.txt.gz: " + err.Error())
	}
	text, err := io.ReadAll(unzip)
	if err != nil {
		panic("identity: common_passwords.txt.gz: " + err.Error())
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
})

func isListed(s string) bool {
	_, found := slices.BinarySearch(listed(), s)
	return found
}

// Marks and digits that stand in for letters; 1 may be either of two.
var (
	lookalikes = strings.NewReplacer("0", "o", "1", "l", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s", "!", "i")
	lookalikeI = strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s", "!", "i")

	// skeleton makes all of them equal to their letter, for finding a word.
	skeleton = strings.NewReplacer("0", "o", "1", "i", "l", "i", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s", "!", "i")
)

// common says whether a password is on the list, is two of the list in a row,
// or is one with digits and marks around it; letters may be disguised.
func common(plain string) bool {
	for _, s := range []string{plain, lookalikes.Replace(plain), lookalikeI.Replace(plain)} {
		if isListed(s) || twoListed(s) {
			return true
		}
		core := strings.TrimFunc(s, func(r rune) bool { return !unicode.IsLetter(r) })
		if core != s && utf8.RuneCountInString(core) >= minContextWord && isListed(core) && len(s)-len(core) <= len(core) {
			return true
		}
	}
	return false
}

func twoListed(s string) bool {
	for i := range s {
		if i >= minContextWord && len(s)-i >= minContextWord && isListed(s[:i]) && isListed(s[i:]) {
			return true
		}
	}
	return false
}

const neighbours = "qwertyuiopasdfghjklzxcvbnm" + "12345678901234567890" + "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz" + "qazwsxedcrfvtgbyhnujmikolp"

// pattern says whether a password is one piece again and again, or a row of
// neighbours in the alphabet, among the digits or on the keyboard, forwards or
// backwards.
func pattern(plain string) bool {
	if len(plain) < minContextWord {
		return false
	}
	for n := 1; n <= len(plain)/2; n++ {
		if strings.HasPrefix(strings.Repeat(plain[:n], len(plain)/n+1), plain) {
			return true
		}
	}
	runes := []rune(plain)
	slices.Reverse(runes)
	return strings.Contains(neighbours, plain) || strings.Contains(neighbours, string(runes))
}

// aboutPerson returns a word about the person where little else is left of the
// password without such words: few characters, only digits, or a pattern.
func aboutPerson(plain string, context []string) (found string) {
	rest := plain
	for _, word := range contextWords(context) {
		if without := cutWord(rest, word); without != rest {
			rest, found = without, cmp.Or(found, word)
		}
	}
	own := 0
	for _, r := range rest {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			own++
		}
	}
	if own >= leastOfItsOwn && strings.ContainsFunc(rest, unicode.IsLetter) && !pattern(rest) {
		return ""
	}
	return found
}

// cutWord takes every disguise of a word out of s. A skeleton is as long as
// what it stands for, so places in one are places in the other.
func cutWord(s, word string) string {
	word = skeleton.Replace(word)
	for {
		i := strings.Index(skeleton.Replace(s), word)
		if i < 0 {
			return s
		}
		s = s[:i] + s[i+len(word):]
	}
}

// contextWords are the words in the texts about a person, the longest first so
// that a part does not hide the whole.
func contextWords(context []string) (words []string) {
	for _, text := range context {
		folded := norm.NFKC.String(cases.Fold().String(norm.NFKC.String(text)))
		parts := strings.FieldsFunc(folded, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		for _, word := range append(parts, strings.Join(parts, "")) { // "Harbor Bank" forbids harborbank too
			if utf8.RuneCountInString(word) >= minContextWord {
				words = append(words, word)
			}
		}
	}
	slices.SortFunc(words, func(a, b string) int { return len(b) - len(a) })
	return words
}
