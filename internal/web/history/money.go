package history

import (
	"cmp"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/host"
	"mandate/internal/moneymovement/card"
	"mandate/internal/moneymovement/positivepay"
	"mandate/internal/moneymovement/stoppayment"
	"mandate/internal/moneymovement/transfer"
	"mandate/internal/moneymovement/wire"
	"mandate/internal/web/ui"
)

// moneyDeeds are how events about money read.
var moneyDeeds = map[string]deed{
	transfer.EventCreated:            {"{actor} made the {target}", "arrow-left-right", ui.Plain},
	transfer.EventScheduled:          {"{actor} scheduled the {target}", "calendar", ui.Plain},
	transfer.EventEdited:             {"{actor} changed the {target}", "pencil", ui.Plain},
	transfer.EventCancelled:          {"{actor} cancelled the {target}", "circle-slash", ui.Warn},
	transfer.EventMoved:              {"The {target} moved to another day", "calendar", ui.Warn},
	transfer.EventSent:               {"{actor} sent the {target} to the host", "send", ui.Plain},
	transfer.EventExecuted:           {"{actor} carried out the {target}", "circle-check", ui.Good},
	transfer.EventRefused:            {"The {target} was not carried out", "octagon-alert", ui.Bad},
	stoppayment.EventAdded:           {"{actor} asked for the {target}", "octagon-x", ui.Plain},
	stoppayment.EventPlaced:          {"{actor} placed the {target}", "circle-check", ui.Good},
	stoppayment.EventRefused:         {"The {target} was not placed", "octagon-alert", ui.Bad},
	stoppayment.EventLiftAsked:       {"{actor} asked to end the {target}", "undo-2", ui.Plain},
	stoppayment.EventLifted:          {"The {target} was ended early", "undo-2", ui.Warn},
	stoppayment.EventTermsChanged:    {"{actor} changed the terms of stop payments", "sliders-horizontal", ui.Plain},
	wire.EventCreated:                {"{actor} saved the {target}", "file-text", ui.Plain},
	wire.EventScheduled:              {"{actor} scheduled the {target}", "calendar", ui.Plain},
	wire.EventEdited:                 {"{actor} changed the {target}", "pencil", ui.Plain},
	wire.EventInitiated:              {"{actor} sent off the {target}", "send", ui.Plain},
	wire.EventPending:                {"{actor} sent off the {target}, for a second person", "hourglass", ui.Plain},
	wire.EventApproved:               {"{actor} approved the {target}", "circle-check", ui.Good},
	wire.EventRejected:               {"{actor} rejected the {target}", "circle-x", ui.Bad},
	wire.EventExpired:                {"Nobody approved the {target} in time", "clock", ui.Warn},
	wire.EventReleased:               {"{actor} handed the {target} to the host", "send", ui.Plain},
	wire.EventProcessed:              {"{actor} carried out the {target}", "circle-check", ui.Good},
	wire.EventRefused:                {"The {target} did not go out", "octagon-alert", ui.Bad},
	wire.EventDeleted:                {"{actor} cancelled the {target}", "circle-slash", ui.Warn},
	wire.EventSeriesEdited:           {"{actor} changed the {target}", "pencil", ui.Plain},
	wire.EventTemplateCreated:        {"{actor} made the {target}", "copy", ui.Plain},
	wire.EventTemplateEdited:         {"{actor} changed the {target}", "pencil", ui.Warn},
	wire.EventTemplateDeleted:        {"{actor} deleted the {target}", "trash-2", ui.Warn},
	wire.EventTermsChanged:           {"{actor} changed how wires are sent", "sliders-horizontal", ui.Plain},
	calendar.EventChanged:            {"{actor} changed the calendar", "calendar", ui.Plain},
	positivepay.EventUploaded:        {"{actor} brought the {target}", "upload", ui.Plain},
	positivepay.EventApproved:        {"{actor} approved the {target}", "check", ui.Good},
	positivepay.EventDeleted:         {"{actor} deleted the {target}", "trash-2", ui.Warn},
	positivepay.EventAccepted:        {"{actor} accepted the {target}", "circle-check", ui.Good},
	positivepay.EventRejected:        {"The {target} was not accepted", "octagon-alert", ui.Bad},
	positivepay.EventDownloaded:      {"{actor} downloaded the {target}", "download", ui.Plain},
	positivepay.EventLayout:          {"{actor} set up the {target}", "sliders-horizontal", ui.Plain},
	positivepay.EventPresented:       {"The {target} came in and does not match", "inbox", ui.Warn},
	positivepay.EventDecided:         {"{actor} decided about the {target}", "scale", ui.Plain},
	positivepay.EventDefaulted:       {"Nobody decided about the {target} by the cut-off", "clock", ui.Warn},
	positivepay.EventPaid:            {"{actor} paid the {target}", "circle-check", ui.Good},
	positivepay.EventReturned:        {"{actor} returned the {target}", "undo-2", ui.Plain},
	positivepay.EventRefused:         {"The {target} was not settled as decided", "octagon-alert", ui.Bad},
	positivepay.EventEnrolled:        {"{actor} enrolled an account in {target}", "landmark", ui.Good},
	positivepay.EventRemoved:         {"{actor} took an account out of {target}", "landmark", ui.Warn},
	positivepay.EventSettingsChanged: {"{actor} changed how {target} works", "sliders-horizontal", ui.Plain},
	card.EventActivateAsked:          {"{actor} asked to activate the {target}", "credit-card", ui.Plain},
	card.EventLockAsked:              {"{actor} asked to lock the {target}", "lock", ui.Plain},
	card.EventUnlockAsked:            {"{actor} asked to unlock the {target}", "lock-open", ui.Plain},
	card.EventReportedLost:           {"{actor} reported the {target} lost", "circle-x", ui.Warn},
	card.EventReportedGone:           {"{actor} reported the {target} stolen", "octagon-x", ui.Bad},
	card.EventReordered:              {"{actor} ordered a new card instead of the {target}", "refresh-cw", ui.Plain},
	card.EventDone:                   {"The host did what was asked about the {target}", "circle-check", ui.Good},
	card.EventRefused:                {"The host did not do what was asked about the {target}", "octagon-alert", ui.Bad},
}

// moneyFields are what the fields of such events are called.
var moneyFields = map[string]string{
	"from": "From", "to": "To", "amount": "Amount", "day": "Date", "memo": "Memo", "repeat": "How often", "series": "Series", "reference": "Reference",
	"account": "Account", "payee": "Payee", "payee_account": "Payee's account", "address": "Payee's address", "routing": "Routing number", "bank": "Payee's bank",
	"via_routing": "By way of", "remarks": "Remarks", "template": "Template", "by": "Goes on the right of",
	"checks": "Checks", "until": "Until", "fee": "Fee", "state": "State",
	"voids": "Voids", "mismatch": "Why", "reason": "Reason", "layout": "Layout", "check_default": "Checks that nobody decides", "ach_default": "ACH items that nobody decides",
	"early": "As soon as they are there", "done": "Done", "replacement": "A new card", "source": "Identifier of the institution", "format": "Format of the files",
}

// moneyValue writes a value of such an event.
func (d Describer) moneyValue(field, value string) (string, bool) {
	if value == "" {
		return "", false
	}
	switch field {
	case "from", "to", "account", "to_account", "offset_account":
		name, known := d.accounts[bank.AccountID(value)]
		return cmp.Or(name, "An account that you do not see"), known || strings.HasPrefix(value, bank.PrefixAccount+"_")
	case "amount", "fee", "credits", "debits":
		if amount, err := bank.ParseAmount(value); err == nil {
			return amount.Dollars(), true
		}
	case "day", "until", "effective":
		if day, err := bank.ParseDay(value); err == nil {
			return calendar.Long(day), true
		}
	case "state":
		label := cmp.Or(transfer.State(value).Label(), stoppayment.State(value).Label(), achState(value), wire.State(value).Label(), positivepay.ItemState(value).Label(), positivepay.FileState(value).Label())
		return label, label != ""
	case "mismatch":
		return positivepay.MismatchLabel(host.Mismatch(value)), true
	case "reason":
		label := positivepay.Reason(value).Label()
		return label, label != ""
	case "check_default", "ach_default":
		return positivepay.Verdict(value).Label(), true
	case "layout":
		return "Set", true
	case "repeat":
		return transfer.Frequency(value).Label(), true
	}
	return "", false
}
