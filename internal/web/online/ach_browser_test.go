package online_test

import (
	"bytes"
	"os"
	"testing"
	"time"

	"mandate/internal/bank"
)

// A batch from the form to the receipt: Dana makes it and submits it, Finn
// approves it, and the institution takes it.
func TestBatchInABrowser(t *testing.T) {
	eachShowing(t, func(t *testing.T, p showing) {
		p.batchWork()
		dana, look := p.shows("dana"), p.look
		dana.Click("ACH")
		dana.See("No batches yet")
		dana.Click("Create batch")
		dana.Fill("Batch name", "March payroll")
		dana.Choose("Company", "NORTHWIND, 1234567890")
		dana.Fill("Description", "PAYROLL")
		look(dana, "ach-new")
		dana.Click("Create batch")
		dana.See("The batch is saved")
		dana.Click("Edit recipients")
		first := person{dana.Within("New recipient"), dana.w}
		first.Fill("Name", "Ana Lima")
		first.Fill("Account number", "445566")
		first.Fill("Routing number", "231380105")
		first.Fill("Amount", "1250")
		dana.Click("Save recipients")
		dana.See("A routing number has nine digits")
		look(dana, "ach-recipients-wrong")
		first = person{dana.Within("New recipient"), dana.w}
		first.Fill("Routing number", "231380104")
		dana.Click("Save recipients")
		dana.See("The recipients are saved")
		look(dana, "ach-batch")
		dana.Click("Initiate")
		dana.See("A second person must approve this batch")
		dana.Choose("Offset account", "Operating ••0137")
		look(dana, "ach-initiate")
		dana.Click("Review")
		look(dana, "ach-review")
		dana.Click("Submit for approval")
		dana.proves()
		dana.See("The batch waits for approval")
		look(dana, "ach-pending")

		finn := p.shows("finn")
		finn.Click("ACH")
		finn.Click("March payroll")
		finn.Click("Approve or reject")
		finn.See("NORTHWIND, 1234567890")
		finn.Click("Approve")
		finn.proves()
		finn.open("/cedar/ach")
		look(finn, "ach-list")
		finn.Click("March payroll")
		finn.See("Initiated")

		p.clock.Set(time.Date(2026, 3, 3, 23, 0, 0, 0, time.UTC))
		if _, err := p.batches.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.desk.Now(t.Context())
		p.has("acc_operating", 20_000_00-1_250_00)
		dana = p.shows("dana")
		dana.open("/cedar/ach")
		dana.Click("March payroll")
		dana.See("Processed")
		dana.Click("Receipt")
		look(dana, "ach-receipt")
	})
}

// Files that people bring in, and what else is done with batches: Dana made one,
// Finn loads a list into it and lets it repeat, Dana sends it with others.
func TestBatchFilesInABrowser(t *testing.T) {
	eachShowing(t, func(t *testing.T, p showing) {
		p.batchWork()
		operator := bank.Caller{Kind: bank.ActorOperator, Name: "Olga", Institution: cedar, Channel: bank.ChannelCommand}
		if err := p.batches.SetRelaxed(t.Context(), operator, northwind, true); err != nil {
			t.Fatal(err)
		}
		file, err := os.ReadFile("../../moneymovement/ach/nacha/testdata/valid/ppd-credit.ach")
		if err != nil {
			t.Fatal(err)
		}
		id := p.batch("Vendors", 500_00)
		finn := p.shows("finn")
		finn.Click("ACH")
		finn.Click("Upload NACHA file")
		p.look(finn, "ach-upload")
		finn.Attach("File", "a.ach", "text/plain", bytes.Replace(file, []byte("\n6"), []byte("\n6x"), 1))
		finn.Click("Upload")
		finn.See("The file was not taken")
		p.look(finn, "ach-refused")
		finn.open("/cedar/ach/upload")
		finn.Attach("File", "a.ach", "text/plain", file)
		finn.Click("Upload")
		finn.See("The file was taken")
		p.look(finn, "ach-taken")

		finn.open(batchPath(id) + "/import")
		finn.Click("Set up the layout for CSV")
		for field, column := range map[string]string{"Name": "1", "Amount": "2", "Account number": "3", "Routing number": "4"} {
			finn.Fill(field, column)
		}
		p.look(finn, "ach-layout")
		finn.Click("Save the layout")
		finn.See("The layout is saved")
		p.look(finn, "ach-import")
		finn.Attach("File", "a.csv", "text/csv", []byte("Ada,12,445566,231380104\nBen,x,1,2\n"))
		finn.Click("Preview")
		finn.See("The list is not loaded")
		p.look(finn, "ach-import-wrong")
		finn.open(batchPath(id) + "/import")
		finn.Attach("File", "a.csv", "text/csv", []byte("Ada,12,445566,231380104\nBen,8,778899,231380104\n"))
		finn.Click("Preview")
		finn.See("2 recipients, $20.00 credits and $0.00 debits.")
		p.look(finn, "ach-import-preview")
		finn.Click("Import")
		finn.See("2 recipients are imported")

		dana := p.shows("dana")
		dana.open(batchPath(id))
		dana.Click("Recurring")
		dana.Fill("First effective date", "03102026")
		dana.Choose("Offset account", "Operating ••0137")
		p.look(dana, "ach-schedule")
		dana.Click("Save the schedule")
		dana.proves()
		dana.See("The schedule is saved")
		dana.open("/cedar/ach/categories")
		dana.Fill("Name", "Suppliers")
		dana.Click("Save category")
		dana.See("The category is saved")
		p.look(dana, "ach-categories")
		dana.open("/cedar/ach")
		dana.Set("Choose Vendors", true)
		dana.Click("Initiate the chosen")
		dana.See("Initiate several batches")
		dana.Choose("Offset account for all", "Operating ••0137")
		p.look(dana, "ach-several")
		dana.Click("Initiate them")
		dana.proves()
		dana.See("1 batch is done.")
		p.look(dana, "ach-several-done")
		uma := p.shows("uma")
		uma.open("/cedar/ach")
		uma.See("You cannot see ACH batches")
		p.look(uma, "ach-closed")
	})
}
