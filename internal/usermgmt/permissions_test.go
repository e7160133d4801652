package usermgmt_test

import (
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/identity"
	"mandate/internal/usermgmt"
)

const (
	onSwitch  = true
	offSwitch = false
)

// level is a change of one level; an empty account is the user level.
func level(account bank.AccountID, p catalog.Permission, v entitlement.Value) entitlement.Change {
	return entitlement.Change{Account: account, Set: map[string]entitlement.Value{p.ID(): v}}
}

func edit(name string, changes ...entitlement.Change) usermgmt.Edit {
	return usermgmt.Edit{Person: who(name), Version: -1, Changes: changes, Cascade: true}
}

// save saves and gives only the error.
func (w *world) save(caller bank.Caller, e usermgmt.Edit) error {
	_, err := w.users.SavePermissions(w.t.Context(), caller, e)
	return err
}

func (w *world) profileEdit(caller bank.Caller, name string, change func(*usermgmt.Details)) error {
	m := w.member(name)
	d := usermgmt.Details{FirstName: m.FirstName, LastName: m.LastName, Email: m.Email, Role: m.Role}
	change(&d)
	return w.users.EditProfile(w.t.Context(), caller, who(name), d)
}

// A bank's staff switch whole entitlements of a member and may do nothing else;
// a credit union's may do more. It is the half of vector 39 that needs no
// screen.
func TestVector39WhatStaffMaySave(t *testing.T) {
	for _, edition := range []bank.Edition{bank.EditionBank, bank.EditionCreditUnion} {
		dbtest.Each(t, func(t *testing.T, d *db.DB) {
			w := newWorld(t, d, edition)
			w.add("dana", bank.RoleUser, bank.StatusActive, entitlement.Settings{On: catalog.SetOf(catalog.WiresEnabled)}, "operating")
			w.add("vera", bank.RoleViewer, bank.StatusActive, entitlement.Settings{})
			w.add("pia", bank.RoleUser, bank.StatusPending, entitlement.Settings{})
			ctx := t.Context()
			access := level("acc_payroll", catalog.AccountAccess, entitlement.SwitchTo(onSwitch))
			feature := level("", catalog.WiresOneTimeCreate, entitlement.SwitchTo(onSwitch))
			if edition == bank.EditionBank {
				feature = level("", catalog.WiresWork, entitlement.SwitchTo(onSwitch))
			}
			both := level("", catalog.StopsEnabled, entitlement.SwitchTo(onSwitch))
			both.Set[catalog.StopsView.ID()] = entitlement.SwitchTo(onSwitch)
			for _, c := range []struct {
				name string
				bank bool // whether a bank's staff may
				do   func() error
			}{
				{"User management on", true, func() error {
					return w.save(people, edit("vera", level("", catalog.UserManagementEnabled, entitlement.SwitchTo(onSwitch))))
				}},
				{"an entitlement on", true, func() error {
					return w.save(people, edit("dana", level("", catalog.ACHEnabled, entitlement.SwitchTo(onSwitch))))
				}},
				{"an entitlement off, several at once", true, func() error {
					return w.users.SaveMany(ctx, people, usermgmt.Edits{Organization: acme, Edits: []usermgmt.Edit{edit("dana", level("", catalog.ACHEnabled, entitlement.SwitchTo(offSwitch)))}})
				}},
				{"a feature", false, func() error { return w.save(people, edit("dana", feature)) }},
				{"an entitlement with a feature", false, func() error { return w.save(people, edit("dana", both)) }},
				{"an account", false, func() error { return w.save(people, edit("dana", access)) }},
				{"accounts of several", false, func() error {
					return w.users.SaveMany(ctx, people, usermgmt.Edits{Organization: acme, Edits: []usermgmt.Edit{edit("dana", level("acc_tax", catalog.AccountAccess, entitlement.SwitchTo(onSwitch)))}})
				}},
				{"first accounts", false, func() error { return w.users.EnableAccounts(ctx, people, edit("pia", access)) }},
			} {
				err := c.do()
				if may := c.bank || edition == bank.EditionCreditUnion; may && err != nil {
					t.Errorf("%s: staff of a %s: %s", c.name, edition, describeError(err))
				} else if !may {
					w.wants(err, fault.Forbidden, "CHANNEL_NOT_ALLOWED")
				}
			}
			for name, err := range map[string]error{
				"create": func() error {
					_, err := w.users.Create(ctx, people, acme, usermgmt.Details{FirstName: "N", LastName: "N", Email: "n@acme.example"})
					return err
				}(),
				"invite":       w.users.Invite(ctx, people, who("dana")),
				"edit profile": w.profileEdit(people, "dana", func(d *usermgmt.Details) { d.FirstName = "Other" }),
			} {
				if fault.KindOf(err) != fault.Forbidden {
					t.Errorf("%s by staff: %s", name, describeError(err))
				}
			}
			if _, err := w.users.SwitchEntitlement(ctx, people, acme, catalog.UserManagement, false); err != nil {
				t.Errorf("User management of an organization: %s", describeError(err))
			}
			_, err := w.users.SwitchEntitlement(ctx, onlineAs("vera"), acme, catalog.UserManagement, true)
			w.wants(err, fault.Forbidden, "CHANNEL_NOT_ALLOWED")
		})
	}
}

// What raises risk asks for a high-risk authorization, and nothing else does.
func TestWhatAsksForAuthorization(t *testing.T) {
	each(t, func(w *world) {
		ctx, ana := t.Context(), onlineAs("ana")
		w.add("ana", bank.RoleAdmin, bank.StatusActive, manages)
		w.add("ben", bank.RoleAdmin, bank.StatusActive, manages)
		w.add("dana", bank.RoleUser, bank.StatusActive, sendsWires(), "operating", "payroll")
		w.add("gone", bank.RoleUser, bank.StatusActive, entitlement.Settings{})
		idle := sendsWires()
		idle.On = idle.On.Without(catalog.WiresEnabled)
		w.add("ida", bank.RoleUser, bank.StatusActive, idle)
		for _, c := range []struct {
			name string
			asks bool
			do   func() error
		}{
			{"create", true, func() error {
				_, err := w.users.Create(ctx, ana, acme, usermgmt.Details{FirstName: "New", LastName: "One", Email: "new@acme.example"})
				return err
			}},
			{"rename", false, func() error { return w.profileEdit(ana, "dana", func(d *usermgmt.Details) { d.LastName = "Dietz" }) }},
			{"another email", true, func() error {
				return w.profileEdit(ana, "dana", func(d *usermgmt.Details) { d.Email = "d@acme.example" })
			}},
			{"role to viewer", false, func() error {
				return w.profileEdit(ana, "dana", func(d *usermgmt.Details) { d.Role = bank.RoleViewer })
			}},
			{"role to admin", true, func() error { return w.profileEdit(ana, "dana", func(d *usermgmt.Details) { d.Role = bank.RoleAdmin }) }},
			{"hold of an admin", true, func() error { return w.users.Hold(ctx, ana, who("ben"), "") }},
			{"removal of a hold", false, func() error { return w.users.Release(ctx, ana, who("ben")) }},
			{"role to user", false, func() error { return w.profileEdit(ana, "dana", func(d *usermgmt.Details) { d.Role = bank.RoleUser }) }},
			{"hold of somebody else", false, func() error { return w.users.Hold(ctx, ana, who("dana"), "") }},
			{"a limit lowered", false, func() error {
				return w.save(ana, edit("dana", level("", catalog.WiresPerWireLimit, entitlement.LimitTo(20_000_00))))
			}},
			{"a limit raised", true, func() error {
				return w.save(ana, edit("dana", level("", catalog.WiresPerWireLimit, entitlement.LimitTo(20_001_00))))
			}},
			{"a right to look", false, func() error {
				return w.save(ana, edit("dana", level("", catalog.ACHEnabled, entitlement.SwitchTo(onSwitch))))
			}},
			{"a right taken away", false, func() error {
				return w.save(ana, edit("dana", level("", catalog.WiresTransmit, entitlement.SwitchTo(offSwitch))))
			}},
			{"a right that moves money", true, func() error {
				return w.save(ana, edit("dana", level("", catalog.WiresTransmit, entitlement.SwitchTo(onSwitch))))
			}},
			{"dual control with its limit", true, func() error {
				change := level("", catalog.WiresDualControl, entitlement.SwitchTo(onSwitch))
				change.Set[catalog.WiresDualLimit.ID()] = entitlement.LimitTo(5_000_00)
				return w.save(ana, edit("dana", change))
			}},
			{"less without a second person", false, func() error {
				return w.save(ana, edit("dana", level("", catalog.WiresDualLimit, entitlement.LimitTo(4_000_00))))
			}},
			{"dual control off", true, func() error {
				return w.save(ana, edit("dana", level("", catalog.WiresDualControl, entitlement.SwitchTo(offSwitch))))
			}},
			{"an account shut", false, func() error {
				return w.save(ana, edit("dana", level("acc_payroll", catalog.AccountAccess, entitlement.SwitchTo(offSwitch))))
			}},
			{"an account opened whose rights were waiting", true, func() error {
				return w.save(ana, edit("dana", level("acc_payroll", catalog.AccountAccess, entitlement.SwitchTo(onSwitch))))
			}},
			{"an account opened to look at", false, func() error {
				return w.save(ana, edit("dana", level("acc_tax", catalog.AccountAccess, entitlement.SwitchTo(onSwitch))))
			}},
			{"an entitlement on whose rights were waiting", true, func() error {
				return w.save(ana, edit("ida", level("", catalog.WiresEnabled, entitlement.SwitchTo(onSwitch))))
			}},
			{"delete", true, func() error { return w.users.Delete(ctx, ana, who("gone")) }},
		} {
			w.proofs.take()
			if err := c.do(); err != nil {
				t.Errorf("%s: %s", c.name, describeError(err))
			}
			if asked := w.proofs.take(); (len(asked) > 0) != c.asks || len(asked) > 1 {
				t.Errorf("%s asked for %q, want one: %t", c.name, asked, c.asks)
			}
		}
	})
}

// An admin who takes the last other one out of action may not raise themself
// for a day, by whatever way; afterwards they may.
func TestAdminWhoMadeThemselfAloneMayNotRaiseThemself(t *testing.T) {
	each(t, func(w *world) {
		ctx := t.Context()
		for way, take := range map[string]func(by bank.Caller, other string) error{
			"hold":   func(by bank.Caller, other string) error { return w.users.Hold(ctx, by, who(other), "") },
			"delete": func(by bank.Caller, other string) error { return w.users.Delete(ctx, by, who(other)) },
			"role": func(by bank.Caller, other string) error {
				return w.profileEdit(by, other, func(d *usermgmt.Details) { d.Role = bank.RoleUser })
			},
			"manage off": func(by bank.Caller, other string) error {
				return w.save(by, edit(other, level("", catalog.UserManagementEnabled, entitlement.SwitchTo(offSwitch))))
			},
		} {
			name, other := "anna"+way[:2], "bert"+way[:2]
			w.add(name, bank.RoleAdmin, bank.StatusActive, manages)
			w.add(other, bank.RoleAdmin, bank.StatusActive, manages)
			anna := onlineAs(name)
			raise := edit(name, level("", catalog.TransfersEnabled, entitlement.SwitchTo(onSwitch)))
			w.wants(w.save(anna, raise), fault.Forbidden, "SELF_RAISE")
			before := w.sequence()
			w.must(take(anna, other))
			told := 0
			for _, e := range w.events(before) {
				if e.Name == "org.one_admin_left" && !e.Refused {
					told++
				}
			}
			if told != 1 {
				t.Errorf("%s: %d events tell that one admin is left, want one", way, told)
			}
			w.wants(w.save(anna, raise), fault.Forbidden, "SELF_RAISE")
			if err := w.users.SaveMany(ctx, anna, usermgmt.Edits{Organization: acme, Edits: []usermgmt.Edit{raise}}); err == nil {
				t.Errorf("%s: raised themself by a save of several", way)
			}
			w.clock.Advance(24*time.Hour - time.Second)
			w.wants(w.save(anna, raise), fault.Forbidden, "SELF_RAISE")
			w.clock.Advance(time.Second)
			w.must(w.save(anna, raise))
			w.write(func(tx *db.Tx) error {
				_, err := tx.Exec(`update member set role = 0 where institution_id = $1`, harbor)
				return err
			})
		}
	})
}

// The last admin stays, whatever is tried and by whomever.
func TestLastAdminStays(t *testing.T) {
	each(t, func(w *world) {
		ctx := t.Context()
		w.add("ana", bank.RoleAdmin, bank.StatusActive, manages)
		w.add("held", bank.RoleAdmin, bank.StatusActive, manages)
		w.add("idle", bank.RoleAdmin, bank.StatusActive, entitlement.Settings{})
		w.must(w.users.Hold(ctx, host, who("held"), ""))
		for name, err := range map[string]error{
			"hold":       w.users.Hold(ctx, host, who("ana"), ""),
			"disable":    w.users.Disable(ctx, host, who("ana")),
			"delete":     w.users.Delete(ctx, host, who("ana")),
			"role":       w.profileEdit(host, "ana", func(d *usermgmt.Details) { d.Role = bank.RoleViewer }),
			"manage off": w.save(host, edit("ana", level("", catalog.UserManagementEnabled, entitlement.SwitchTo(offSwitch)))),
			"by staff":   w.save(people, edit("ana", level("", catalog.UserManagementEnabled, entitlement.SwitchTo(offSwitch)))),
			"several": w.users.SaveMany(ctx, host, usermgmt.Edits{Organization: acme, Edits: []usermgmt.Edit{
				edit("ana", level("", catalog.UserManagementEnabled, entitlement.SwitchTo(offSwitch)))}}),
		} {
			if f, ok := err.(*fault.Error); !ok || f.Code != "LAST_ADMIN" {
				t.Errorf("%s of the last admin: %s", name, describeError(err))
			}
		}
		w.must(w.users.Release(ctx, host, who("held")))
		w.must(w.users.Hold(ctx, host, who("ana"), ""))
	})
}

// Several admins cannot be taken out together in one save.
func TestLastAdminStaysInOneSaveOfSeveral(t *testing.T) {
	each(t, func(w *world) {
		w.add("ana", bank.RoleAdmin, bank.StatusActive, manages)
		w.add("ben", bank.RoleAdmin, bank.StatusActive, manages)
		off := level("", catalog.UserManagementEnabled, entitlement.SwitchTo(offSwitch))
		err := w.users.SaveMany(t.Context(), host, usermgmt.Edits{Organization: acme, Edits: []usermgmt.Edit{edit("ana", off), edit("ben", off)}})
		if f, ok := err.(*fault.Error); !ok || f.Code != "LAST_ADMIN" {
			t.Errorf("both in one save: %s", describeError(err))
		}
		for _, name := range []string{"ana", "ben"} {
			if !w.member(name).Settings.On.Has(catalog.UserManagementEnabled) {
				t.Errorf("%s lost User management", name)
			}
		}
	})
}

// A new address makes every open link useless.
func TestNewEmailCancelsLinks(t *testing.T) {
	each(t, func(w *world) {
		w.add("pia", bank.RoleUser, bank.StatusPending, entitlement.Settings{}, "operating")
		w.add("dana", bank.RoleUser, bank.StatusActive, entitlement.Settings{})
		w.must(w.users.Invite(t.Context(), host, who("pia")))
		w.must(w.users.SendReset(t.Context(), host, who("dana")))
		for name, purpose := range map[string]identity.Purpose{"pia": identity.PurposeInvitation, "dana": identity.PurposeReset} {
			w.must(w.profileEdit(host, name, func(d *usermgmt.Details) { d.LastName = "Other" }))
			w.linkIs(name, purpose, identity.LinkQueued)
			w.must(w.profileEdit(host, name, func(d *usermgmt.Details) { d.Email = "other." + name + "@acme.example" }))
			w.linkIs(name, purpose, identity.LinkCancelled)
		}
	})
}

func (w *world) linkIs(name string, purpose identity.Purpose, want identity.LinkState) {
	w.t.Helper()
	w.read(func(tx *db.Tx) error {
		link, _, err := identity.Newest(tx, identity.Member(harbor, id(name)), purpose)
		if link.State != want {
			w.t.Errorf("the link of %s is %s, want %s", name, link.State, want)
		}
		return err
	})
}
