package fineract

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"mandate/internal/bank"
	"mandate/internal/host"
)

// An amount is a decimal as Fineract writes it: it keeps six places and says so.
type amount json.Number

// UnmarshalJSON takes the digits as they stand. They never become a float.
func (a *amount) UnmarshalJSON(text []byte) error {
	var number json.Number
	if err := json.Unmarshal(text, &number); err != nil {
		return errors.New("an amount is no number")
	}
	*a = amount(number)
	return nil
}

// The longest amount that is read: an int64 of cents with six places has fewer.
const maxDigits = 40

// cents are the amount, exactly. An amount that is not there, or that has a part
// of a cent, is an error: it is never rounded.
func (a amount) cents() (bank.Cents, error) {
	if a == "" || len(a) > maxDigits {
		return 0, errors.New("an amount is missing or too long")
	}
	if _, exponent, has := strings.Cut(strings.ToLower(string(a)), "e"); has {
		if n, err := strconv.Atoi(exponent); err != nil || n < -maxDigits || n > maxDigits {
			return 0, errors.New("an amount is out of bounds")
		}
	}
	value, ok := new(big.Rat).SetString(string(a))
	if !ok {
		return 0, errors.New("an amount is no number")
	}
	value.Mul(value, big.NewRat(100, 1))
	if !value.IsInt() || !value.Num().IsInt64() {
		return 0, errors.New("an amount is not in whole cents, or does not fit")
	}
	return bank.Cents(value.Num().Int64()), nil
}

// decimal writes an amount into a request.
func decimal(c bank.Cents) json.Number { return json.Number(c.String()) }

// A date is [2026, 3, 2] in Fineract.
type date []int

func (d date) day() (bank.Day, error) {
	if len(d) != 3 {
		return "", errors.New("a date is missing")
	}
	return bank.ParseDay(fmt.Sprintf("%04d-%02d-%02d", d[0], d[1], d[2]))
}

// moment is when a day begins: Fineract keeps no time of a transaction.
func moment(d bank.Day) time.Time {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return time.Time{}
	}
	return t
}

// refDigits is how long a ref is. Leading zeros let refs sort as numbers do.
const refDigits = 10

// refOf is what we call a client or an account of Fineract's.
func refOf(id int64) host.Ref { return host.Ref(fmt.Sprintf("%0*d", refDigits, id)) }

// idOf is the number behind a ref. Only the one way to write it is one.
func idOf(ref host.Ref) (int64, bool) {
	id, err := strconv.ParseInt(string(ref), 10, 64)
	return id, err == nil && id > 0 && refOf(id) == ref
}
