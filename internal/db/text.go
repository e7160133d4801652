package db

import (
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Fold is a text as it is looked for: two spellings that a person would call
// the same give the same text, on both databases.
func Fold(s string) string {
	return cases.Fold().String(norm.NFKC.String(strings.TrimSpace(s)))
}

// Containing is the pattern, for "like $1 escape '\'", of folded texts that
// have s in them, whatever signs s has. It is empty where s is.
func Containing(s string) string {
	if s = Fold(s); s == "" {
		return ""
	}
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s) + "%"
}
