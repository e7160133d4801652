package online_test

import (
	"testing"

	"mandate/internal/bank"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
)

func TestMembersListSearchesFiltersSortsAndPages(t *testing.T) {
	each(t, func(w *world) {
		w.crowd(60)
		ana := w.as("ana")
		all := ana.get("/cedar/settings/users")
		all.is(t, 200)
		all.says(t, "65 users", "Ana Ruiz", "ana@northwind.example", "1–50 of 65", "Account access on hold")
		ana.get("/cedar/settings/users?page=2").says(t, "51–65 of 65", "Vera Novak")
		ana.get("/cedar/settings/users?page=99").says(t, "51–65 of 65")
		found := ana.get("/cedar/settings/users?q=DIAZ")
		found.says(t, "1 of 65 users", "Dana Diaz", "Clear all")
		found.saysNot(t, "Ben Chen")
		ana.get("/cedar/settings/users?role=viewer&q=vera").says(t, "1 of 65 users", "Role: Viewer")
		ana.get("/cedar/settings/users?status=pending&hold=on").says(t, "of 65 users", "Status: Pending")
		ana.get("/cedar/settings/users?q=nobody-at-all").says(t, "Nobody fits", "Show all users")
		ana.get("/cedar/settings/users?sort=-name").says(t, "Vera Novak")
	})
}

func TestViewerSeesEveryoneAndChangesNothing(t *testing.T) {
	each(t, func(w *world) {
		vera := w.as("vera")
		vera.get("/cedar/settings/users").says(t, "Dana Diaz", "5 users")
		profile := vera.get("/cedar/settings/users/usr_dana")
		profile.is(t, 200)
		profile.says(t, "View permissions", "Send a wire up to $25,000.00 from 2 accounts, alone up to $10,000.00.")
		profile.saysNot(t, "Set permissions")
	})
}

func TestUserGetsNoMenuEntryAndAnExplainedRefusal(t *testing.T) {
	each(t, func(w *world) {
		dana := w.as("dana")
		dana.get("/cedar/home").saysNot(t, "User management")
		for _, path := range []string{"/cedar/settings/users", "/cedar/settings/users/usr_ana", "/cedar/settings/users/usr_dana", "/cedar/settings/users/usr_dana/why", "/cedar/settings/users/usr_ana/history", "/cedar/settings/history"} {
			refused := dana.get(path)
			refused.is(t, 403)
			refused.says(t, "User management is not open to you", "Your role does not include this.", "An admin of Northwind Trading can change this.")
			refused.saysNot(t, "ana@northwind.example", "Vera")
		}
	})
}

func TestProfileShowsBannersInOrder(t *testing.T) {
	each(t, func(w *world) {
		w.add("lock", "Lotte", "Kern", bank.RoleUser, bank.StatusLocked, entitlement.Settings{})
		w.add("pend", "Pia", "Ende", bank.RoleUser, bank.StatusPending, danas(), "acc_operating")
		ana := w.as("ana")
		ana.get("/cedar/settings/users/usr_lock").says(t, "Lotte Kern's account access is locked due to multiple incorrect login attempts.")
		pending := ana.get("/cedar/settings/users/usr_pend")
		pending.says(t, "Pia Ende account is pending. Invite them to complete set-up of their account.", "Nothing at present. Once Pia can sign in:", "Send a wire up to $25,000.00 from Operating")
		ana.get("/cedar/settings/users/usr_nobody").is(t, 404)
	})
}

// Before somebody is held it is told what will not go out meanwhile.
func TestHoldTellsWhatIsUnderWay(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	ana, hold := w.as("ana"), "/cedar/settings/users/"+string(userID("dana"))+"/hold"
	ana.get(hold).saysNot(t, "does not go out")
	w.users.WithWork(underWay(userID("dana")))
	ana.get(hold).says(t, "What depends on them does not go out while the hold lasts: Transfer of $250.00; Transfer of $75.00 every month; Wire of $900.00 of Dana Diaz.")
}
