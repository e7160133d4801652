package bank

import (
	"regexp"
	"strings"
)

var plainNumber = regexp.MustCompile(`^-?\d+(\.\d+)?$`)

// HarmlessCells keeps a spreadsheet from taking a cell of a row for a formula: it puts
// an apostrophe before what could start one. Numbers stay numbers.
func HarmlessCells(row []string) []string {
	safe := make([]string, len(row))
	for i, cell := range row {
		if startsFormula(cell) && !plainNumber.MatchString(cell) {
			cell = "'" + cell
		}
		safe[i] = cell
	}
	return safe
}

func startsFormula(cell string) bool {
	trimmed := strings.TrimLeft(cell, " ")
	return trimmed != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(trimmed)[0])
}
