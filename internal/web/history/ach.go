package history

import (
	"mandate/internal/moneymovement/ach"
	"mandate/internal/web/ui"
)

// achDeeds are how events about ACH read.
var achDeeds = map[string]deed{
	"ach.batch_created":          {"{actor} made the batch {target}", "plus", ui.Plain},
	"ach.batch_edited":           {"{actor} changed the batch {target}", "pencil", ui.Plain},
	"ach.batch_imported":         {"{actor} imported recipients into {target}", "upload", ui.Plain},
	"ach.batch_uploaded":         {"{actor} uploaded the batch {target}", "upload", ui.Plain},
	"ach.batch_pending_approval": {"{actor} submitted {target} for approval", "hourglass", ui.Plain},
	"ach.batch_initiated":        {"{actor} initiated {target}", "send", ui.Good},
	"ach.batch_approved":         {"{actor} approved {target}", "circle-check", ui.Good},
	"ach.batch_returned":         {"{actor} returned {target} to ready", "undo-2", ui.Warn},
	"ach.batch_uninitiated":      {"{actor} uninitiated {target}", "undo-2", ui.Warn},
	"ach.batch_processed":        {"{actor} processed {target}", "circle-check", ui.Good},
	"ach.batch_deleted":          {"{actor} deleted the batch {target}", "trash-2", ui.Warn},
	"ach.category_changed":       {"{actor} changed the category {target}", "list-filter", ui.Plain},
	"ach.layout_changed":         {"{actor} set up an import layout", "sliders-horizontal", ui.Plain},
	"ach.company_changed":        {"{actor} set up an ACH company", "building-2", ui.Plain},
	"ach.rules_changed":          {"{actor} changed the rules for ACH files", "sliders-horizontal", ui.Plain},
	"ach.sender_changed":         {"{actor} changed how ACH files are addressed", "sliders-horizontal", ui.Plain},
	"ach.viewed":                 {"{actor} looked at {target}", "eye", ui.Plain},
}

// achFields are what the fields of such events are called.
var achFields = map[string]string{
	"name": "Name", "company": "Company", "class": "Class", "description": "Description", "data": "Discretionary data", "category": "Category", "credits": "Credits",
	"debits": "Debits", "entries": "Recipients", "skipped entries": "Skipped recipients", "restricted": "Restricted", "effective": "Effective date",
	"offset_account": "Offset account", "schedule": "Schedule", "file": "SHA-256 of the file", "approval": "Approval",
	"destination": "Receiving point", "relaxed": "Files with errors are taken", "other entries": "Other recipients",
}

// achState is what a state of a batch is called in the history.
func achState(value string) string { return ach.State(value).Label() }
