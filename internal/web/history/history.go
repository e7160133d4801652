// Package history tells the one history in words: what somebody did to whom,
// what a field and its values are called. Every app shows it in the same words.
package history

import (
	"cmp"
	"slices"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/usermgmt"
)

// A Describer tells history in words.
type Describer struct {
	Place    *time.Location // in whose time it is told
	accounts map[bank.AccountID]string
}

// New tells history in the time of a place, with the names of these accounts.
func New(place *time.Location, accounts []usermgmt.MemberAccount) Describer {
	d := Describer{Place: place, accounts: make(map[bank.AccountID]string, len(accounts))}
	for _, account := range accounts {
		d.accounts[account.ID] = account.Label()
	}
	return d
}

// Header are the columns of a feed as a file: one row for every value that
// changed.
var Header = []string{"Time", "Event", "What", "Person", "By", "Channel", "Setting", "Before", "After", "Note", "Save"}

// Rows are an event as rows of a file.
func (d Describer) Rows(e activity.Event) [][]string {
	head := []string{e.Time.In(d.Place).Format(time.RFC3339), e.Name, d.Event(e).Text, TargetName(e.Target), ActorName(e.Actor), string(e.Channel)}
	changes := e.Changes
	if len(changes) == 0 {
		changes = []activity.Change{{}}
	}
	var rows [][]string
	for _, c := range changes {
		row := slices.Clone(head)
		if c.Field == "" {
			row = append(row, "", "", "")
		} else {
			row = append(row, d.Field(c), d.Value(c.Field, c.Old), d.Value(c.Field, c.New))
		}
		rows = append(rows, append(row, cmp.Or(e.Note, e.Code), e.Save))
	}
	return rows
}
