package client

import (
	"errors"
	"strconv"
	"strings"
)

// An Amount is an exact amount of money, in whole cents, from nothing to
// 9999999999.99. There is no floating point anywhere. The zero Amount is none:
// a question without an amount.
type Amount struct {
	text string // as it travels, such as "25000.00"; empty: none
}

// maxCents is the largest amount that can be asked about.
const maxCents = 9_999_999_999_99

// ErrAmount says that something is not an amount.
var ErrAmount = errors.New("mandate: write an amount like 25000.00: one to ten digits, optionally a point and one or two digits")

// Cents is an amount of whole cents: Cents(2500000) is 25000.00. One that cannot
// be written makes every question that holds it a refusal.
func Cents(n int64) Amount {
	if n < 0 || n > maxCents {
		return Amount{"out of range"}
	}
	cents := strconv.FormatInt(n%100, 10)
	if len(cents) == 1 {
		cents = "0" + cents
	}
	return Amount{strconv.FormatInt(n/100, 10) + "." + cents}
}

// ParseAmount reads an exact decimal, such as 25000.00. It takes no signs,
// exponents, blanks or separators.
func ParseAmount(text string) (Amount, error) {
	whole, fraction, point := strings.Cut(text, ".")
	if !digits(whole, 10) || point && !digits(fraction, 2) {
		return Amount{}, ErrAmount
	}
	return Amount{text}, nil
}

func digits(s string, most int) bool {
	return s != "" && len(s) <= most && strings.Trim(s, "0123456789") == ""
}

// IsZero reports whether there is no amount.
func (a Amount) IsZero() bool { return a.text == "" }

// String is the amount as it travels; empty where there is none.
func (a Amount) String() string { return a.text }

// valid reports whether the amount can be asked about.
func (a Amount) valid() bool {
	if a.IsZero() {
		return true
	}
	_, err := ParseAmount(a.text)
	return err == nil
}
