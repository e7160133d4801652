package usermgmt_test

import (
	"testing"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/usermgmt"
)

// turn is an edit of one switch.
func turn(name string, account bank.AccountID, p catalog.Permission, on bool) usermgmt.Edit {
	return usermgmt.Edit{Person: who(name), Version: -1, Cascade: true, Changes: []entitlement.Change{
		{Account: account, Set: map[string]entitlement.Value{p.ID(): entitlement.SwitchTo(on)}},
	}}
}

func several(edits ...usermgmt.Edit) usermgmt.Edits {
	return usermgmt.Edits{Organization: acme, Edits: edits}
}

func (w *world) team() {
	w.t.Helper()
	w.add("ana", bank.RoleAdmin, bank.StatusActive, manages)
	w.add("ben", bank.RoleAdmin, bank.StatusActive, manages)
	w.add("dana", bank.RoleUser, bank.StatusActive, sendsWires(), "operating")
	w.add("eli", bank.RoleUser, bank.StatusActive, sendsWires())
	w.add("fay", bank.RoleUser, bank.StatusActive, entitlement.Settings{})
}

// One save of several people leaves one event for each, all of one save and one
// revision, and asks for one proof.
func TestSaveManyIsOneSave(t *testing.T) {
	each(t, func(w *world) {
		w.team()
		before := w.sequence()
		w.must(w.users.SaveMany(t.Context(), onlineAs("ana"), several(
			turn("dana", "acc_payroll", catalog.TransfersFrom, true), turn("eli", "acc_payroll", catalog.AccountAccess, true),
			turn("fay", "acc_payroll", catalog.AccountAccess, true))))
		events := w.events(before)
		if len(events) != 3 || events[0].Save != events[2].Save || events[0].Revision != events[2].Revision {
			t.Errorf("%d events: %+v", len(events), events)
		}
		if asked := w.proofs.take(); len(asked) != 1 || asked[0] != "usr_ana orguser.permission_changed org_acme" {
			t.Errorf("asked for %q", asked)
		}
		w.must(w.users.SaveMany(t.Context(), onlineAs("ana"), several(turn("eli", "acc_payroll", catalog.AccountAccess, true))))
		if n := len(w.events(before)); n != 3 {
			t.Errorf("saving what is so already left %d events", n-3)
		}
	})
}

// All or nothing: one problem, one stale version, one stranger keeps all of it.
func TestSaveManyIsAllOrNothing(t *testing.T) {
	each(t, func(w *world) {
		w.team()
		good := turn("dana", "acc_payroll", catalog.AccountAccess, true)
		stale := turn("eli", "acc_payroll", catalog.AccountAccess, true)
		stale.Version = 99
		for name, c := range map[string]struct {
			other usermgmt.Edit
			kind  fault.Kind
			code  string
		}{
			"a missing need":       {turn("fay", "", catalog.WiresTransmit, true), fault.Invalid, ""},
			"a stale version":      {stale, fault.Conflict, "CHANGED_MEANWHILE"},
			"somebody unknown":     {turn("nobody", "", catalog.WiresWork, true), fault.NotFound, ""},
			"an unknown account":   {turn("eli", "acc_other", catalog.AccountAccess, true), fault.Invalid, ""},
			"the same person":      {turn("dana", "", catalog.WiresTransmit, false), fault.Invalid, ""},
			"another organization": {usermgmt.Edit{Person: usermgmt.Person{Organization: "org_other", User: id("eli")}}, fault.Invalid, ""},
		} {
			before := w.sequence()
			err := w.users.SaveMany(t.Context(), onlineAs("ana"), several(good, c.other))
			w.wants(err, c.kind, c.code)
			if len(w.events(before)) != 0 || w.enabled("dana") != 1 {
				t.Errorf("%s: something was saved", name)
			}
		}
		w.proofs.refuse = true
		risky := several(good, turn("eli", "acc_tax", catalog.TransfersFrom, true))
		if err := w.users.SaveMany(t.Context(), onlineAs("ana"), risky); fault.KindOf(err) != fault.StepUp {
			t.Errorf("without a proof: %v", err)
		}
		if w.enabled("dana") != 1 {
			t.Error("without a proof something was saved")
		}
	})
}

// The last usable admin stays, also where one save takes two out of action; and
// nobody loses their right to save in the middle of their own save.
func TestSaveManyKeepsAnAdmin(t *testing.T) {
	each(t, func(w *world) {
		w.team()
		off := func(name string) usermgmt.Edit { return turn(name, "", catalog.UserManagementEnabled, false) }
		w.wants(w.users.SaveMany(t.Context(), onlineAs("ana"), several(off("ana"), off("ben"))), fault.Conflict, "LAST_ADMIN")
		w.must(w.users.SaveMany(t.Context(), onlineAs("ana"), several(off("ana"), turn("dana", "", catalog.WiresTransmit, false))))
		if w.member("ana").Settings.On.Has(catalog.UserManagementEnabled) || w.member("dana").Settings.On.Has(catalog.WiresTransmit) {
			t.Error("not all of it was saved")
		}
	})
}

func (w *world) profile(name string) usermgmt.Profile {
	w.t.Helper()
	p, err := w.users.Profile(w.t.Context(), operator, who(name))
	w.must(err)
	return p
}

// Whoever is the only admin left by their own doing is the last one all the
// same, also in the day in which they may not raise themself.
func TestAdminWhoIsAloneByTheirOwnDoingStays(t *testing.T) {
	each(t, func(w *world) {
		w.team()
		w.must(w.users.Hold(t.Context(), onlineAs("ana"), who("ben"), ""))
		_, err := w.users.SavePermissions(t.Context(), onlineAs("ana"), turn("ana", "", catalog.UserManagementEnabled, false))
		w.wants(err, fault.Conflict, "LAST_ADMIN")
		_, err = w.users.SavePermissions(t.Context(), onlineAs("ana"), turn("ana", "", catalog.StopsEnabled, true))
		w.wants(err, fault.Forbidden, "SELF_RAISE")
	})
}

// enabled counts the accounts that somebody sees.
func (w *world) enabled(name string) int {
	w.t.Helper()
	p := w.profile(name)
	return p.Enabled()
}

// A preview says for each what would happen, brings along needs where asked,
// and changes nothing.
func TestPreviewMany(t *testing.T) {
	each(t, func(w *world) {
		w.team()
		before := w.sequence()
		edits := several(turn("dana", "", catalog.StopsAdd, true), turn("fay", "", catalog.WiresTransmit, true), turn("ana", "", catalog.StopsAdd, true))
		edits.Needs = true
		previews, err := w.users.PreviewMany(t.Context(), onlineAs("ana"), edits)
		w.must(err)
		byName := map[bank.UserID]*usermgmt.Preview{}
		for i := range previews {
			byName[previews[i].Member.ID] = &previews[i].Preview
		}
		if p := byName[id("dana")]; len(p.Problems()) != 0 || len(p.Changes) != 3 {
			t.Errorf("dana: %+v", p)
		}
		if problems := byName[id("fay")].Problems(); len(problems) != 2 || problems[0].Needs != catalog.WiresPerWireLimit {
			t.Errorf("fay: %+v", problems)
		}
		if problems := byName[id("ana")].Problems(); len(problems) == 0 || problems[0].Code != entitlement.SelfRaise {
			t.Errorf("ana raises herself: %+v", problems)
		}
		if len(w.events(before)) != 0 {
			t.Error("a preview left events")
		}
		if _, err := w.users.PreviewMany(t.Context(), onlineAs("fay"), edits); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("somebody without the right sees it: %v", err)
		}
	})
}
