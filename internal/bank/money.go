package bank

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// Cents is an amount of US dollars in whole cents. There is no fraction of a
// cent anywhere in the product and no floating point.
type Cents int64

// MaxAmount is the largest amount that can be written: ten digits of dollars
// and two of cents (spec, section 1).
const MaxAmount Cents = 9_999_999_999_99

// ErrAmount is the only error of the parsers here; a caller names the field.
var ErrAmount = errors.New("write an amount like 25000.00: one to ten digits, optionally a point and one or two digits")

// ParseAmount reads a plain decimal string: one to ten digits, optionally a
// point and one or two digits. It refuses signs, exponents, blanks and
// separators (spec, section 1). Zero is a valid amount here.
func ParseAmount(s string) (Cents, error) {
	whole, fraction, hasPoint := strings.Cut(s, ".")
	if !digits(whole, 1, 10) || hasPoint && !digits(fraction, 1, 2) {
		return 0, ErrAmount
	}
	for len(fraction) < 2 {
		fraction += "0"
	}
	n, err := strconv.ParseInt(whole+fraction, 10, 64)
	if err != nil {
		return 0, ErrAmount
	}
	return Cents(n), nil
}

// ParseMoney reads an amount as people type it on a form: "$25,000.00",
// "25,000", "25000.5". Separators must stand where thousands end.
func ParseMoney(s string) (Cents, error) {
	s = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(s), "$"))
	whole, fraction, hasPoint := strings.Cut(s, ".")
	groups := strings.Split(whole, ",")
	for i, group := range groups {
		if i > 0 && len(group) != 3 || i == 0 && len(groups) > 1 && (len(group) == 0 || len(group) > 3) {
			return 0, ErrAmount
		}
	}
	plain := strings.Join(groups, "")
	if hasPoint {
		plain += "." + fraction
	}
	return ParseAmount(plain)
}

func digits(s string, least, most int) bool {
	if len(s) < least || len(s) > most {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// String writes c as APIs and files carry it: "25000.00".
func (c Cents) String() string {
	sign, n := "", uint64(c)
	if c < 0 {
		sign, n = "-", uint64(-c)
	}
	cents := strconv.FormatUint(n%100, 10)
	if len(cents) == 1 {
		cents = "0" + cents
	}
	return sign + strconv.FormatUint(n/100, 10) + "." + cents
}

// Dollars writes c as screens show it: "$25,000.00".
func (c Cents) Dollars() string {
	s := c.String()
	sign := ""
	if c < 0 {
		sign, s = "-", s[1:]
	}
	whole, cents, _ := strings.Cut(s, ".")
	var b strings.Builder
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	return sign + "$" + b.String() + "." + cents
}

// Add returns c+d, and false where the sum does not fit.
func (c Cents) Add(d Cents) (Cents, bool) {
	if d > 0 && c > math.MaxInt64-d || d < 0 && c < math.MinInt64-d {
		return 0, false
	}
	return c + d, true
}

// WholeDollars reports whether c has no cents.
func (c Cents) WholeDollars() bool { return c%100 == 0 }
