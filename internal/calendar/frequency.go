package calendar

import "mandate/internal/bank"

// A Frequency is how often something repeats; the empty one is not at all.
type Frequency string

const (
	Once          Frequency = ""
	Weekly        Frequency = "weekly"
	EveryTwoWeeks Frequency = "every_two_weeks"
	Monthly       Frequency = "monthly"
	Quarterly     Frequency = "quarterly"
)

// Frequencies are all frequencies in the order of screens.
func Frequencies() []Frequency { return []Frequency{Once, Weekly, EveryTwoWeeks, Monthly, Quarterly} }

// Label is the frequency as screens show it.
func (f Frequency) Label() string {
	return map[Frequency]string{Once: "Once", Weekly: "Every week", EveryTwoWeeks: "Every two weeks", Monthly: "Every month", Quarterly: "Every three months"}[f]
}

// Nth is the day of the nth occurrence, counted from 1, before weekends and
// holidays are looked at.
func (f Frequency) Nth(first bank.Day, n int) bank.Day {
	switch f {
	case Weekly:
		return AddDays(first, 7*(n-1))
	case EveryTwoWeeks:
		return AddDays(first, 14*(n-1))
	case Monthly:
		return AddMonths(first, n-1)
	case Quarterly:
		return AddMonths(first, 3*(n-1))
	}
	return first
}
