package wire

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/fault"
	"mandate/internal/moneymovement/wire/message"
)

// Named limits.
const (
	MaxTemplateName = 40
	MaxTimes        = 500
	maxAhead        = 366 // days
	maxText         = 400 // bytes of one field
)

// A Draft is a wire that is asked for.
type Draft struct {
	ID              ID // chosen by whoever asks: the same one makes one wire
	Template        TemplateID
	TemplateVersion int64 // as it was seen
	Instruction           // from a template: its amount and remarks alone are read
	On              bank.Day
	Repeat          calendar.Frequency // with On, or from today
	Until           bank.Day           // of a series: nothing after this day; empty: no end
	Times           int                // of a series: that often; 0: no end
	Send            bool               // off, with the same save; otherwise it is kept as ready
	Anyway          bool               // although it looks like another one
}

// Series is the name of the series that a draft asks for.
func (d *Draft) Series() SeriesID {
	return SeriesID("wrs_" + strings.TrimPrefix(string(d.ID), "wir_"))
}

// asked is a draft to know it by: asked for again, it may have been confirmed
// meanwhile.
func (d Draft) asked() string {
	d.Anyway = false
	return hashOf(d)
}

const uuidSyntax = `_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`

var (
	idSyntax         = regexp.MustCompile(`^wir` + uuidSyntax)
	templateIDSyntax = regexp.MustCompile(`^wtp` + uuidSyntax)
	postCodeSyntax   = regexp.MustCompile(`^[0-9]{5}(-[0-9]{4})?$`)
	stateSyntax      = regexp.MustCompile(`^[A-Z]{2}$`)
)

// checkShape refuses what no form of ours sends, before anything is looked up.
func (d *Draft) checkShape() error {
	var problems fault.Problems
	if !idSyntax.MatchString(string(d.ID)) {
		problems.Add("id", "Open the form again.")
	}
	d.Instruction.checkShape(&problems)
	return problems.Err("This wire cannot be made as it stands.")
}

func (i *Instruction) checkShape(problems *fault.Problems) {
	for field, text := range map[string]string{
		"account": string(i.Account), "payee": i.Payee.Name, "payee_account": i.Payee.Account, "street": i.Payee.Street, "town": i.Payee.Town, "state": i.Payee.State,
		"post_code": i.Payee.PostCode, "bank": i.Bank.Name, "routing": i.Bank.Routing, "via_bank": i.Via.Name, "via_routing": i.Via.Routing, "remarks": i.Remarks,
	} {
		if len(text) > maxText || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
			problems.Add(field, "Remove what cannot be seen, or write less.")
		}
	}
}

// tidy takes away what says nothing.
func (i *Instruction) tidy() {
	for _, text := range []*string{&i.Payee.Name, &i.Payee.Street, &i.Payee.Town, &i.Bank.Name, &i.Via.Name, &i.Remarks} {
		*text = strings.Join(strings.Fields(*text), " ")
	}
	for _, text := range []*string{&i.Payee.Account, &i.Payee.State, &i.Payee.PostCode, &i.Bank.Routing, &i.Via.Routing} {
		*text = strings.TrimSpace(*text)
	}
	i.Payee.State = strings.ToUpper(i.Payee.State)
}

// check finds everything that is wrong with an instruction but its amount.
func (i *Instruction) check(problems *fault.Problems) {
	if i.Account == "" {
		problems.Add("account", "Choose the account that the money comes from.")
	}
	carried(problems, "payee", "Write the name of whoever is paid.", i.Payee.Name, message.MaxName)
	carried(problems, "payee_account", "Write the number of their account.", i.Payee.Account, message.MaxAccount)
	if strings.Contains(i.Payee.Account, " ") {
		problems.Add("payee_account", "Write the number without blanks.")
	}
	if i.Payee.Street != "" {
		carried(problems, "street", "", i.Payee.Street, message.MaxStreet)
	}
	carried(problems, "town", "Write their town: every wire names it.", i.Payee.Town, message.MaxTown)
	if !stateSyntax.MatchString(i.Payee.State) {
		problems.Add("state", "Write two letters, such as ME.")
	}
	if i.Payee.PostCode != "" && !postCodeSyntax.MatchString(i.Payee.PostCode) {
		problems.Add("post_code", "Write five digits, such as 04101, or nine, such as 04101-2204.")
	}
	carried(problems, "bank", "Write the name of their bank.", i.Bank.Name, message.MaxBankName)
	if !bank.IsRouting(i.Bank.Routing) {
		problems.Add("routing", "Write the nine digits of their bank's routing number. These do not belong together: one of them is wrong.")
	}
	if i.Via.Routing != "" || i.Via.Name != "" {
		carried(problems, "via_bank", "Write the name of the bank on the way, or leave out its number.", i.Via.Name, message.MaxBankName)
		if !bank.IsRouting(i.Via.Routing) || i.Via.Routing == i.Bank.Routing {
			problems.Add("via_routing", "Write the routing number of a bank on the way, another than the payee's, or leave out its name.")
		}
	}
	if i.Remarks != "" {
		carried(problems, "remarks", "", i.Remarks, message.MaxRemarks)
	}
}

// carried finds what is wrong with a text of a message.
func carried(problems *fault.Problems, field, missing, text string, most int) {
	switch {
	case text == "":
		problems.Add(field, missing)
	case utf8.RuneCountInString(text) > most:
		problems.Addf(field, "Use at most %d characters.", most)
	case !message.Carries(text):
		problems.Addf(field, "A wire carries plain letters, digits and common signs only: write %q.", message.Plain(text, most))
	}
}

// check finds everything that is wrong with a draft, whoever asks.
func (d *Draft) check(today bank.Day) error {
	var problems fault.Problems
	d.Instruction.check(&problems)
	if d.Cents <= 0 || d.Cents > bank.MaxAmount {
		problems.Add("amount", "Write an amount like $1,250.00, above zero.")
	}
	d.checkDays(today, &problems)
	return problems.Err("This wire cannot be made as it stands.")
}

func (d *Draft) checkDays(today bank.Day, problems *fault.Problems) {
	if d.On != "" {
		checkDay(problems, d.On, today)
	}
	if d.Repeat.Label() == "" {
		problems.Add("repeat", "Choose how often.")
	}
	if d.Repeat == calendar.Once {
		return
	}
	checkEnd(problems, d.Until, max(d.On, today), d.Times)
}

func checkDay(problems *fault.Problems, day, today bank.Day) {
	if _, err := bank.ParseDay(string(day)); err != nil {
		problems.Add("on", "Write a date like 2026-03-02.")
	} else if day < today {
		problems.Add("on", "Choose today or a later day.")
	} else if day > calendar.AddDays(today, maxAhead) {
		problems.Add("on", "Choose a day within a year.")
	}
}

// checkEnd finds what is wrong with the end of a series.
func checkEnd(problems *fault.Problems, until, first bank.Day, times int) {
	if times < 0 || times > MaxTimes {
		problems.Addf("times", "Write a number from 1 to %d.", MaxTimes)
	}
	if until == "" {
		return
	}
	if _, err := bank.ParseDay(string(until)); err != nil {
		problems.Add("until", "Write a date like 2026-03-02.")
	} else if until < first {
		problems.Add("until", "Choose a day on or after the next wire.")
	}
}

// plan takes away what a draft's days do not say.
func (d *Draft) plan(today bank.Day) {
	d.tidy()
	if d.On == today && d.Repeat == calendar.Once {
		d.On = ""
	}
	if d.On == "" && d.Repeat != calendar.Once {
		d.On = today
	}
	if d.Repeat == calendar.Once {
		d.Until, d.Times = "", 0
	}
}
