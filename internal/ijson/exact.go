package ijson

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// safeDigits are as many as every float64 keeps.
const safeDigits = 15

// exact reports whether a number is the shortest way to write the float64 that
// was read from it: nothing of it is lost, and nobody could mean another one.
// Of whole numbers that many digits long, beyond 2^53 not every one exists, so
// that what was sent may be a neighbour of what was meant.
func exact(text string, n float64) bool {
	digits, point := decimal(text)
	if len(digits) > safeDigits && n == math.Trunc(n) && math.Abs(n) >= 1<<53 {
		return false
	}
	kept, at := decimal(strconv.FormatFloat(n, 'e', -1, 64))
	return digits == kept && (point == at || digits == "")
}

// decimal is a JSON number as the digits that count and the place of the point
// before the first of them.
func decimal(text string) (digits string, point int) {
	text = strings.TrimPrefix(text, "-")
	if at := strings.IndexAny(text, "eE"); at >= 0 {
		exponent, err := strconv.Atoi(strings.TrimPrefix(text[at+1:], "+"))
		if err != nil {
			exponent = math.MinInt32 // it was read as zero
		}
		text, point = text[:at], exponent
	}
	whole, fraction, _ := strings.Cut(text, ".")
	digits = strings.TrimLeft(whole+fraction, "0")
	point += len(whole) - (len(whole) + len(fraction) - len(digits))
	return strings.TrimRight(digits, "0"), point
}

// within adds where an inexact number stands.
func within(err error, name string) error {
	if wrong, ok := errors.AsType[*Error](err); ok && wrong.Inexact() {
		wrong.Path = append([]string{name}, wrong.Path...)
	}
	return err
}
