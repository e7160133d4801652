package online_test

import (
	"net/url"
	"testing"

	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/usage"
)

func TestWhyAnswersWithEveryLevelAndTheSmallestFix(t *testing.T) {
	each(t, func(w *world) {
		ana := w.as("ana")
		page := ana.get("/cedar/settings/users/usr_dana/why")
		page.says(t, "Why can't Dana …?", "Nothing asked yet", "Send a wire")
		asked := ana.get("/cedar/settings/users/usr_dana/why?operation=wires.transmit&account=acc_tax&amount=30000")
		asked.is(t, 200)
		asked.says(t, "May Dana Diaz send a wire of $30,000.00 from Tax reserve ••7730?", "No. 4 things stand in the way.",
			"Institution Cedar Bank Allows", "Organization Northwind Trading Allows", "Organization user account Tax reserve ••7730 Blocks", "Limits Blocks",
			"Dana Diaz has no access to Tax reserve.", "Dana Diaz's Per wire limit is $25,000.00.",
			"Give Dana Diaz access to Tax reserve.", "Set Dana Diaz's Per wire limit to at least $30,000.00.", "Who can change it: an admin of the organization, in User management; or the institution, on the host.")
		review := ana.post("/cedar/settings/users/usr_dana/review", asked.carried(t))
		review.is(t, 200)
		review.says(t, "Dana Diaz may send a wire up to $30,000.00 from 3 accounts")
		carried := review.carried(t)
		carried.Set("prove_password", password)
		ana.post("/cedar/settings/users/usr_dana/save", carried).says(t, "Permissions saved")
		ana.get("/cedar/settings/users/usr_dana/why?operation=wires.transmit&account=acc_tax&amount=30000").says(t, "Yes, and a second person must approve it")
	})
}

func TestWhyAsksForWhatIsMissing(t *testing.T) {
	each(t, func(w *world) {
		page := w.as("ana").get("/cedar/settings/users/usr_dana/why?operation=transfers.create")
		page.says(t, "From account", "To account", "Amount", "Nothing asked yet")
	})
}

func TestWhyCantI(t *testing.T) {
	each(t, func(w *world) {
		dana := w.as("dana")
		asked := dana.get("/cedar/why?operation=ach.batch.create")
		asked.says(t, "May you create an ACH batch?", "No. 2 things stand in the way.", "View ACH is off in your permissions.")
		asked.saysNot(t, "Review as one change", "Fill in")
		dana.get("/cedar/settings/users/usr_uma/why?operation=ach.batch.create").is(t, 403)
		dana.get("/cedar/why?operation=cards.manage").says(t, "Northwind Trading does not have Card management.", "the institution's staff, in People")
	})
}

func TestFixIsFilledIntoTheForm(t *testing.T) {
	each(t, func(w *world) {
		page := w.as("ana").get(danasForm + "?" + url.Values{"ach.edit_level": {"full"}}.Encode())
		page.says(t, "2 changes", "Full edit/create", "Comes on with Edit/create ACH Control.")
	})
}

// What is used already today counts in the answer.
func TestWhyCountsWhatIsUsedToday(t *testing.T) {
	each(t, func(w *world) {
		w.write(func(tx *db.Tx) error {
			return usage.Reserve(tx, usage.Reservation{
				Institution: cedar, Organization: northwind, ID: "use_1", Limit: catalog.LimitWiresDaily,
				Day: "2026-03-02", Member: userID("dana"), Account: "acc_operating", Cents: 50_000_00,
			})
		})
		asked := w.as("ana").get("/cedar/settings/users/usr_dana/why?operation=wires.transmit&account=acc_operating&amount=12000")
		asked.says(t, "No. One thing stands in the way.", "Dana Diaz's Daily wire limit is $60,000.00; $50,000.00 of it is used on that day.",
			"Set Dana Diaz's Daily wire limit to at least $62,000.00.")
	})
}
