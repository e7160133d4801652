package online_test

import (
	"strings"
	"testing"
)

func TestAccountsWithEqualPermissionsAreOneRow(t *testing.T) {
	each(t, func(w *world) {
		w.wide(38, 1)
		ana := w.as("ana")
		page := ana.get("/cedar/settings/users/usr_wide0")
		page.says(t, "Access to all accounts: 41 accounts", "Operating ••0137", "and 12 more", "Per wire limit $2,000.00", "Send a wire up to $3,000.00 from 41 accounts, less on 28 of them.")
		if rows := strings.Count(page.body, `role="rowheader"`); rows != 3 {
			t.Errorf("%d rows, want one for each set of permissions", rows)
		}
		found := ana.get("/cedar/settings/users/usr_wide0?q=property+00")
		found.says(t, "10 of 41 accounts", "Property 009 ••0009")
		found.saysNot(t, "Operating ••0137", "more")
		ana.get("/cedar/settings/users/usr_wide0?q=zzz").says(t, "No account fits", "Show all accounts")
	})
}

func TestOwnProfileAndHomeShowWhatOneMaySee(t *testing.T) {
	each(t, func(w *world) {
		dana := w.as("dana")
		for _, path := range []string{"/cedar/home", "/cedar/profile"} {
			page := dana.get(path)
			page.is(t, 200)
			page.says(t, "Operating", "Payroll", "Send a wire up to $25,000.00 from 2 accounts, alone up to $10,000.00.")
			page.saysNot(t, "Tax reserve", "Set permissions")
		}
		dana.get("/cedar/profile").says(t, "207-555-0142", "dana@northwind.example", "Has no part in User management.")
		w.as("uma").get("/cedar/home").says(t, "You see no accounts yet", "Nothing with money yet.")
	})
}

func TestHistoryTellsWhoChangedWhat(t *testing.T) {
	each(t, func(w *world) {
		ana := w.as("ana")
		form := turn(ana.get(danasForm).form(t), "transfers.allow", "off")
		ana.post("/cedar/settings/users/usr_dana/save", ana.post("/cedar/settings/users/usr_dana/review", form).carried(t)).says(t, "Permissions saved")
		for _, path := range []string{"/cedar/settings/history", "/cedar/settings/users/usr_dana/history", "/cedar/settings/users/usr_dana/history?kind=permissions"} {
			ana.get(path).says(t, "Ana Ruiz changed the permissions of Dana Diaz", "Allow transfers Before: On After: Off", "in Online")
		}
		ana.get("/cedar/settings/history").saysNot(t, "signed in")
		ana.get("/cedar/settings/history?kind=signin").says(t, "Ana Ruiz signed in")
		ana.get("/cedar/settings/users/usr_dana/history?kind=standing").says(t, "Nothing here", "Show everything")
		w.as("vera").get("/cedar/settings/users/usr_dana/history").is(t, 200)
	})
}
