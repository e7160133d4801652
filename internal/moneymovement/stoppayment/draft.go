package stoppayment

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
	MaxNumber = 9_999_999_999 // of a check
	MaxRange  = 500           // checks of one stop
	MaxPayee  = 60
	yearsBack = 2 // how old the date on a check may be
	maxText   = 400
)

// A Draft is a stop that is asked for.
type Draft struct {
	ID       ID // chosen by whoever asks: the same one makes one stop
	Account  bank.AccountID
	First    int64
	Last     int64 // 0: one check
	Cents    bank.Cents
	CheckDay bank.Day
	Payee    string
	Terms    string // what Terms.Seen said when the fee and the disclaimer were shown
}

var idSyntax = regexp.MustCompile(`^stp_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// checkShape refuses what no form of ours sends, before anything is looked up.
func (d *Draft) checkShape() error {
	var problems fault.Problems
	if !idSyntax.MatchString(string(d.ID)) {
		problems.Add("id", "Open the form again.")
	}
	for field, text := range map[string]string{"account": string(d.Account), "payee": d.Payee} {
		if len(text) > maxText || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
			problems.Add(field, "Remove what cannot be seen, or write less.")
		}
	}
	return problems.Err("This stop payment cannot be placed as it stands.")
}

// tidy takes away what says nothing.
func (d *Draft) tidy() {
	d.Payee = strings.TrimSpace(d.Payee)
	if d.Last == 0 {
		d.Last = d.First
	}
}

// check finds everything that is wrong with a draft, whoever asks. Of a row of
// checks nobody knows amounts and dates.
func (d *Draft) check(t Terms, today bank.Day) error {
	var problems fault.Problems
	if d.Account == "" {
		problems.Add("account", "Choose the account of the check.")
	}
	if d.First < 1 || d.First > MaxNumber {
		problems.Add("first", "Write the number of the check, such as 1001.")
	} else if d.Last < d.First || d.Last > MaxNumber {
		problems.Add("last", "Write the number of the last check; it is not before the first.")
	} else if d.Last-d.First >= MaxRange {
		problems.Addf("last", "One stop payment holds for at most %d checks.", MaxRange)
	}
	if d.Cents < 0 || d.Cents > bank.MaxAmount {
		problems.Add("amount", "Write an amount like $1,250.00.")
	}
	if utf8.RuneCountInString(d.Payee) > MaxPayee {
		problems.Addf("payee", "Use at most %d characters.", MaxPayee)
	}
	d.checkDay(today, &problems)
	if d.First == d.Last {
		d.require(t, &problems)
	}
	return problems.Err("This stop payment cannot be placed as it stands.")
}

func (d *Draft) checkDay(today bank.Day, problems *fault.Problems) {
	if d.CheckDay == "" {
		return
	}
	_, err := bank.ParseDay(string(d.CheckDay))
	switch {
	case err != nil:
		problems.Add("date", "Write a date like 2026-03-02.")
	case d.CheckDay > today:
		problems.Add("date", "Choose the date on the check; it is not after today.")
	case d.CheckDay < calendar.AddMonths(today, -12*yearsBack):
		problems.Addf("date", "The date on the check is at most %d years back.", yearsBack)
	}
}

// require asks for what the institution must be told about one check.
func (d *Draft) require(t Terms, problems *fault.Problems) {
	if t.NeedsAmount && d.Cents == 0 {
		problems.Add("amount", "Write the amount of the check.")
	}
	if t.NeedsDate && d.CheckDay == "" {
		problems.Add("date", "Write the date on the check.")
	}
	if t.NeedsPayee && d.Payee == "" {
		problems.Add("payee", "Write whom the check is made out to.")
	}
}
