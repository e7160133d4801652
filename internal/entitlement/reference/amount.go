package reference

import (
	"slices"
	"strings"
)

// parseAmount reads a plain decimal as cents: one to ten digits, optionally a
// point and one or two digits (§1).
func parseAmount(text string) (cents int64, ok bool) {
	whole, fraction, point := strings.Cut(text, ".")
	if !digits(whole, 10) || point && !digits(fraction, 2) {
		return 0, false
	}
	for len(fraction) < 2 {
		fraction += "0"
	}
	for _, digit := range whole + fraction {
		cents = cents*10 + int64(digit-'0')
	}
	return cents, true
}

// digits says whether the text is one digit or more, and no more than most.
func digits(text string, most int) bool {
	if text == "" || len(text) > most {
		return false
	}
	for _, c := range []byte(text) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// readValue reads a value of a permission as stored data: bool, string or
// int64. A whole-dollar limit with cents is read as it comes.
func readValue(p permission, value any) (any, bool) {
	switch {
	case p.isSwitch():
		on, ok := value.(bool)
		return on, ok
	case p.isChoice():
		choice, ok := value.(string)
		return choice, ok && slices.Contains(p.Choices, choice)
	default:
		text, ok := value.(string)
		if !ok {
			return nil, false
		}
		return parseAmountValue(text)
	}
}

func parseAmountValue(text string) (any, bool) {
	cents, ok := parseAmount(text)
	return cents, ok
}

// on reads a switch: off unless set (§1).
func (s settings) on(id string) bool {
	on, _ := s[id].(bool)
	return on
}

// choice reads a choice: none unless set (§1).
func (s settings) choice(id string) string {
	if choice, set := s[id].(string); set {
		return choice
	}
	return "none"
}

// limit reads a limit, and whether it is set.
func (s settings) limit(id string) (cents int64, set bool) {
	cents, set = s[id].(int64)
	return cents, set
}
