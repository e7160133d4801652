package usermgmt_test

import (
	"slices"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/usermgmt"
)

// Copying gives all that the colleague has, and saving it makes them alike.
func TestCopyMakesAlike(t *testing.T) {
	each(t, func(w *world) {
		w.team()
		c, err := w.users.CopyFrom(t.Context(), onlineAs("ana"), who("fay"), id("dana"), usermgmt.CopyAll)
		w.must(err)
		if len(c.Dropped) != 0 || !c.Preview.Risky {
			t.Errorf("dropped %v, risky %t", c.Dropped, c.Preview.Risky)
		}
		if _, err := w.users.SavePermissions(t.Context(), onlineAs("ana"), c.Edit); err != nil {
			t.Fatal(describeError(err))
		}
		fay, dana := w.profile("fay"), w.profile("dana")
		if fay.Member.Settings != dana.Member.Settings {
			t.Errorf("fay has %+v, dana %+v", fay.Member.Settings, dana.Member.Settings)
		}
		for i := range fay.Accounts {
			if fay.Accounts[i].Settings != dana.Accounts[i].Settings {
				t.Errorf("on %s fay has %+v, dana %+v", fay.Accounts[i].Name, fay.Accounts[i].Settings, dana.Accounts[i].Settings)
			}
		}
		if c.After.Members[id("fay")].Settings != fay.Member.Settings {
			t.Error("what was shown as the result is not what came")
		}
	})
}

// What the copier may not give is left out with what needs it, and said; the
// role and User management are never copied; oneself cannot be raised.
func TestCopyLeavesOutWhatMayNotBeGiven(t *testing.T) {
	each(t, func(w *world) {
		w.team()
		rich := sendsWires()
		rich.Limits = rich.Limits.With(catalog.LimitPerWire, 80_000_00)
		w.add("rich", bank.RoleAdmin, bank.StatusActive, entitlement.Settings{On: rich.On | manages.On, Limits: rich.Limits}, "operating")
		c, err := w.users.CopyFrom(t.Context(), onlineAs("ana"), who("fay"), id("rich"), usermgmt.CopyAll)
		w.must(err)
		dropped := map[string]entitlement.EditCode{}
		for _, p := range c.Dropped {
			dropped[usermgmt.FieldName(p.Account, p.Permission)] = p.Code
		}
		if dropped["wires.per_wire_limit"] != entitlement.AboveCeiling || dropped["wires.transmit"] != entitlement.Prerequisite || dropped["acc_operating/wires.transmit"] != entitlement.Prerequisite {
			t.Errorf("dropped %v", dropped)
		}
		if len(c.Preview.Problems()) != 0 || c.After.Members[id("fay")].Settings.On.Has(catalog.UserManagementEnabled) {
			t.Errorf("what is left has problems %v, or makes an admin", c.Preview.Problems())
		}
		if _, err := w.users.SavePermissions(t.Context(), onlineAs("ana"), c.Edit); err != nil {
			t.Error(describeError(err))
		}
		own, err := w.users.CopyFrom(t.Context(), onlineAs("ana"), who("ana"), id("dana"), usermgmt.CopyAll)
		w.must(err)
		if len(own.Preview.Changes) != 0 || !slices.ContainsFunc(own.Dropped, func(p usermgmt.LevelProblem) bool { return p.Code == entitlement.SelfRaise }) {
			t.Errorf("ana could give herself %v", own.Preview.Changes)
		}
		_, err = w.users.CopyFrom(t.Context(), onlineAs("ana"), who("fay"), id("fay"), usermgmt.CopyAll)
		w.wants(err, fault.Invalid, "")
		_, err = w.users.CopyFrom(t.Context(), onlineAs("ana"), who("fay"), id("nobody"), usermgmt.CopyAll)
		w.wants(err, fault.NotFound, "")
		_, err = w.users.CopyFrom(t.Context(), onlineAs("dana"), who("fay"), id("dana"), usermgmt.CopyAll)
		w.wants(err, fault.Forbidden, "")
	})
}

func TestCopyOfOnePartLeavesTheOther(t *testing.T) {
	each(t, func(w *world) {
		w.team()
		for part, accounts := range map[usermgmt.CopyPart]bool{usermgmt.CopyPermissions: false, usermgmt.CopyAccounts: true} {
			c, err := w.users.CopyFrom(t.Context(), onlineAs("ana"), who("fay"), id("dana"), part)
			w.must(err)
			for _, change := range c.Edit.Changes {
				if (change.Account != "") != accounts {
					t.Errorf("%s changes %q", part, change.Account)
				}
			}
		}
	})
}

// View-only leaves nobody a way to move money or to change anything, whatever
// they had, and what they saw they still see.
func TestViewOnlyMovesNothing(t *testing.T) {
	each(t, func(w *world) {
		w.team()
		all := entitlement.Settings{EditLevel: catalog.EditFull, Limits: sendsWires().Limits.With(catalog.LimitACHDaily, 100_00)}
		for p := range catalog.PermissionCount {
			if !p.IsLimit() && p.At(catalog.AtUser) && p.In(bank.EditionBank) {
				all.On = all.On.With(p)
			}
		}
		w.add("max", bank.RoleAdmin, bank.StatusActive, all, "operating", "payroll", "tax")
		p := w.profile("max")
		_, err := w.users.SavePermissions(t.Context(), onlineAs("ana"), usermgmt.Edit{Person: who("max"), Version: -1, Cascade: true, Changes: usermgmt.ViewOnly(&p)})
		w.must(err)
		for _, reach := range entitlement.ReachOf(w.profile("max").Policy, id("max"), w.clock.Now()) {
			switch info := reach.Operation.Info(); {
			case info.Power != "", reach.Operation == catalog.AccountView, reach.Operation == catalog.WiresView, reach.Operation == catalog.ACHBatchView,
				reach.Operation == catalog.StopsViewOperation, reach.Operation == catalog.ARPFileDownload:
			default:
				t.Errorf("max may still %s", info.Label)
			}
		}
		if n := w.enabled("max"); n != 3 {
			t.Errorf("max sees %d accounts", n)
		}
	})
}
