package online_test

import (
	"bytes"
	"os"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
)

// A batch from the form to the receipt: Dana makes it and submits it, Finn
// approves it, and the institution takes it. With scripts on one database,
// without on the other.
func TestBatchInABrowser(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		scripts := d.Dialect() == db.SQLite
		p := newPurse(t, d)
		p.batchWork()
		dana := p.shows(t, "dana", scripts)
		look := func(who person, name string) {
			if scripts {
				who.look(name)
			}
		}
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

		finn := p.shows(t, "finn", scripts)
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
		dana = p.shows(t, "dana", scripts)
		dana.open("/cedar/ach")
		dana.Click("March payroll")
		dana.See("Processed")
		dana.Click("Receipt")
		look(dana, "ach-receipt")
	})
}

// Files that people bring in, and what else is done with batches.
func TestBatchFilesInABrowser(t *testing.T) {
	p := newPurse(t, dbtest.SQLite(t))
	p.batchWork()
	operator := bank.Caller{Kind: bank.ActorOperator, Name: "Olga", Institution: cedar, Channel: bank.ChannelCommand}
	if err := p.batches.SetRelaxed(t.Context(), operator, northwind, true); err != nil {
		t.Fatal(err)
	}
	id := p.batch("Vendors", 500_00)
	finn := p.shows(t, "finn", true)
	finn.open("/cedar/ach/upload")
	finn.look("ach-upload")
	finn.open("/cedar/ach/layouts/csv")
	for field, column := range map[string]string{"Name": "1", "Amount": "2", "Account number": "3", "Routing number": "4"} {
		finn.Fill(field, column)
	}
	finn.look("ach-layout")
	finn.Click("Save the layout")
	finn.See("The layout is saved")
	visitor := p.as("finn")
	file, err := os.ReadFile("../../moneymovement/ach/nacha/testdata/valid/ppd-credit.ach")
	if err != nil {
		t.Fatal(err)
	}
	refused := visitor.send("/cedar/ach/upload", map[string]string{}, "a.ach", bytes.Replace(file, []byte("\n6"), []byte("\n6x"), 1))
	refused.says(t, "The file was not taken")
	finn.open(refused.url)
	finn.look("ach-refused")
	finn.open(batchPath(id) + "/import")
	finn.look("ach-import")
	bad := visitor.send(batchPath(id)+"/import", map[string]string{"version": "1", "format": "csv", "replace": "no"}, "a.csv", []byte("Ada,12,445566,231380104\nBen,x,1,2\n"))
	bad.says(t, "The list is not loaded")
	finn.open(batchPath(id) + "/schedule")
	finn.look("ach-schedule")
	finn.open("/cedar/ach/categories")
	finn.Fill("Name", "Suppliers")
	finn.Click("Save category")
	finn.See("The category is saved")
	finn.look("ach-categories")
	finn.open("/cedar/ach")
	finn.Set("Choose Vendors", true)
	finn.Click("Initiate the chosen")
	finn.See("Initiate several batches")
	finn.Choose("Offset account for all", "Operating ••0137")
	finn.look("ach-several")
	finn.Click("Initiate them")
	finn.proves()
	finn.See("1 batch is done.")
	finn.look("ach-several-done")
	uma := p.shows(t, "uma", true)
	uma.open("/cedar/ach")
	uma.See("You cannot see ACH batches")
	uma.look("ach-closed")
}
