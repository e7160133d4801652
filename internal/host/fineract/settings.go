package fineract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"mandate/internal/bank"
	"mandate/internal/fault"
)

const defaultCurrency = "USD"

// Settings are what an operator keeps in the file beside the address: it holds
// credentials and must be readable for the program alone.
type Settings struct {
	Institutions map[bank.InstitutionID]House `json:"institutions"`
}

// A House is how an institution of ours goes by in Fineract.
type House struct {
	Tenant   string `json:"tenant"`
	Username string `json:"username"`
	Password Secret `json:"password"`
	Currency string `json:"currency"` // the only one that is known here

	// PaymentTypes are Fineract's payment types for accounts of the institution's own:
	// the product's accounting says which ledger account each stands for.
	PaymentTypes map[string]int64 `json:"payment_types"`
}

// A Secret does not show itself when it is printed.
type Secret string

func (Secret) String() string   { return "(secret)" }
func (Secret) GoString() string { return "(secret)" }

// ReadSettings reads the file. Every problem is named, and no value repeated.
func ReadSettings(text []byte) (Settings, error) {
	var s Settings
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&s); err != nil {
		return Settings{}, fmt.Errorf("the settings for Fineract are not usable: %w", unquoted(err))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Settings{}, errors.New("the settings for Fineract are not usable: something follows them")
	}
	var problems fault.Problems
	if len(s.Institutions) == 0 {
		problems.Add("institutions", "name the tenant, username and password of at least one institution")
	}
	for _, id := range slices.Sorted(maps.Keys(s.Institutions)) {
		house := s.Institutions[id]
		house.check(&problems, "institutions."+string(id)+".")
		if house.Currency == "" {
			house.Currency = defaultCurrency
		}
		s.Institutions[id] = house
	}
	return s, problems.Err("The settings for Fineract are not usable.")
}

func (h *House) check(problems *fault.Problems, field string) {
	if h.Tenant == "" {
		problems.Add(field+"tenant", "the tenant's identifier in Fineract is missing")
	}
	if h.Username == "" || h.Password == "" {
		problems.Add(field+"username", "username and password of a user of Fineract are missing")
	}
	if h.Currency != "" && len(h.Currency) != 3 {
		problems.Add(field+"currency", "write three letters, such as USD")
	}
	for name, id := range h.PaymentTypes {
		if name == "" || id <= 0 {
			problems.Add(field+"payment_types", "write the number of a payment type beside the name of each account")
		}
	}
}

// unquoted says what is wrong with a text without repeating it: it holds
// passwords.
func unquoted(err error) error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s must not be a %s", wrong.Field, wrong.Value)
	}
	if wrong, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("it is no JSON at byte %d", wrong.Offset)
	}
	return errors.New("it has a member that is not known, or ends too early")
}
