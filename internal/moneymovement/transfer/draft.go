package transfer

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/fault"
)

// Named limits.
const (
	MaxMemo  = 80
	MaxTimes = 500
	maxAhead = 366 // days
	maxText  = 400 // bytes of one field
)

// A Frequency is how often a series repeats; the empty one is not at all.
type Frequency = calendar.Frequency

// Once is no series.
const Once = calendar.Once

// A Draft is a transfer that is asked for.
type Draft struct {
	ID       ID // chosen by whoever asks: the same one makes one transfer
	From, To bank.AccountID
	Cents    bank.Cents
	Memo     string
	On       bank.Day  // empty: at once
	Repeat   Frequency // with On, or from today
	Until    bank.Day  // of a series: nothing after this day; empty: no end
	Times    int       // of a series: that often; 0: no end
}

// series is the name of the series that a draft asks for.
func (d *Draft) series() SeriesID {
	return SeriesID("trs_" + strings.TrimPrefix(string(d.ID), "trf_"))
}

var idSyntax = regexp.MustCompile(`^trf_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// checkShape refuses what no form of ours sends, before anything is looked up.
func (d *Draft) checkShape() error {
	var problems fault.Problems
	if !idSyntax.MatchString(string(d.ID)) {
		problems.Add("id", "Open the form again.")
	}
	for field, text := range map[string]string{"from": string(d.From), "to": string(d.To), "memo": d.Memo} {
		if len(text) > maxText || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
			problems.Add(field, "Remove what cannot be seen, or write less.")
		}
	}
	return problems.Err("This transfer cannot be made as it stands.")
}

// check finds everything that is wrong with a draft, whoever asks.
func (d *Draft) check(today bank.Day) error {
	var problems fault.Problems
	if d.From == "" {
		problems.Add("from", "Choose the account that the money comes from.")
	}
	if d.To == "" {
		problems.Add("to", "Choose the account that the money goes to.")
	}
	if d.From != "" && d.From == d.To {
		problems.Add("to", "Choose another account: money cannot move from an account to itself.")
	}
	if d.Cents <= 0 || d.Cents > bank.MaxAmount {
		problems.Add("amount", "Write an amount like $1,250.00, above zero.")
	}
	if utf8.RuneCountInString(d.Memo) > MaxMemo {
		problems.Addf("memo", "Use at most %d characters.", MaxMemo)
	}
	d.checkDays(today, &problems)
	return problems.Err("This transfer cannot be made as it stands.")
}

func (d *Draft) checkDays(today bank.Day, problems *fault.Problems) {
	if d.On != "" {
		if _, err := bank.ParseDay(string(d.On)); err != nil {
			problems.Add("on", "Write a date like 2026-03-02.")
		} else if d.On < today {
			problems.Add("on", "Choose today or a later day.")
		} else if d.On > calendar.AddDays(today, maxAhead) {
			problems.Add("on", "Choose a day within a year.")
		}
	}
	if d.Repeat.Label() == "" {
		problems.Add("repeat", "Choose how often.")
	}
	if d.Repeat == Once {
		return
	}
	if d.Times < 0 || d.Times > MaxTimes {
		problems.Addf("times", "Write a number from 1 to %d.", MaxTimes)
	}
	if d.Until == "" {
		return
	}
	if _, err := bank.ParseDay(string(d.Until)); err != nil {
		problems.Add("until", "Write a date like 2026-03-02.")
	} else if d.Until < max(d.On, today) {
		problems.Add("until", "Choose a day on or after the first transfer.")
	}
}

// tidy takes away what says nothing.
func (d *Draft) tidy(today bank.Day) {
	d.Memo = strings.TrimSpace(d.Memo)
	if d.On == today && d.Repeat == Once {
		d.On = ""
	}
	if d.On == "" && d.Repeat != Once {
		d.On = today
	}
	if d.Repeat == Once {
		d.Until, d.Times = "", 0
	}
}
