package wire_test

import (
	"errors"
	"strings"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/moneymovement/wire"
	"mandate/internal/moneymovement/wire/message"
	"mandate/internal/usermgmt"
)

func TestSentAlone(t *testing.T) {
	each(t, func(w *world) {
		d := w.draft(10_000_00) // exactly at the dual limit
		made := w.make("dana", d)
		if made.State != wire.Processed || made.Day != "2026-03-02" || made.Reference == "" {
			t.Fatalf("it is %+v", made.Wire)
		}
		w.has(operating, 190_000_00)
		w.used("dana", "2026-03-02", 10_000_00)
		file := w.line.files[string(made.ID)+"/1"]
		read, err := message.ReadPacs008(file.Body)
		if err != nil || file.Kind != "pacs.008" || read.Cents != 10_000_00 || read.Beneficiary.Account != "000123456" || read.Bank.Routing != "121042882" || read.Sender.Routing != "231380104" {
			t.Errorf("the host got %s: %+v, %v", file.Kind, read, err)
		}
		w.make("dana", d) // the same form again
		w.has(operating, 190_000_00)
		d.Cents++
		_, err = w.room.Create(t.Context(), caller("dana"), d)
		w.refuses("the same form with something else in it", err, "ID_REUSED")
	})
}

func TestSecondPerson(t *testing.T) {
	each(t, func(w *world) {
		d := w.draft(10_000_01)
		p, err := w.room.Preview(t.Context(), caller("dana"), d)
		if err != nil || !p.Second || len(p.Approvers) != 2 || p.Approvers[0].Name != "Lee" || p.Approvers[1].Name != "Max" {
			t.Errorf("the preview: %+v, %v", p, err)
		}
		made := w.make("dana", d)
		if made.State != wire.Pending || len(made.Approvers) != 2 {
			t.Fatalf("it is %+v", made)
		}
		w.has(operating, 200_000_00)
		w.used("dana", "2026-03-02", 10_000_01)
		if !strings.Contains(w.told.all(), "[lee max] asked") {
			t.Errorf("told: %s", w.told.all())
		}
		w.refuses("her own", w.approve("dana", made.ID), string(entitlement.SelfApproval))
		w.refuses("Cleo may not send", w.approve("cleo", made.ID), string(entitlement.UserOff))
		w.refuses("what she did not see", w.room.Approve(t.Context(), caller("lee"), made.ID, "other", ""), "CHANGED")
		w.agreed(w.approve("lee", made.ID))
		got := w.wants(made.ID, wire.Processed, "")
		if got.Approver != "Lee" {
			t.Errorf("approved by %q", got.Approver)
		}
		w.has(operating, 189_999_99)
		w.refuses("twice", w.room.Approve(t.Context(), caller("max"), made.ID, got.Hash, ""), "NOT_PENDING")
	})
}

func TestRejectedAndExpired(t *testing.T) {
	each(t, func(w *world) {
		made := w.make("dana", w.draft(20_000_00))
		w.agreed(w.room.Reject(t.Context(), caller("lee"), made.ID, "Not this month"))
		got := w.wants(made.ID, wire.Ready, "REJECTED")
		if got.Problem != "Lee rejected it: “Not this month”" {
			t.Errorf("problem %q", got.Problem)
		}
		w.used("dana", "2026-03-02", 0)
		w.agreed(w.room.Send(t.Context(), caller("dana"), made.ID, got.Version, false))
		w.wants(made.ID, wire.Pending, "")
		w.used("dana", "2026-03-02", 20_000_00)
		w.at("2026-03-02 16:00")
		w.refuses("after the cut-off", w.approve("lee", made.ID), "EXPIRED")
		if n, err := w.approvals.Expire(t.Context()); n != 1 || err != nil {
			t.Errorf("Expire = %d, %v", n, err)
		}
		w.wants(made.ID, wire.Ready, "EXPIRED")
		w.used("dana", "2026-03-02", 0)
		w.has(operating, 200_000_00)
	})
}

func TestEditSendsBack(t *testing.T) {
	each(t, func(w *world) {
		made := w.make("dana", w.draft(20_000_00))
		hash := made.Hash
		change := w.draft(21_000_00)
		change.ID, change.Send, change.On = made.ID, true, "2026-03-04"
		w.agreed(w.room.Edit(t.Context(), caller("lee"), made.Version, change)) // Lee sends it off again, alone, for Wednesday
		got := w.wants(made.ID, wire.Initiated, "")
		if got.By.Name != "Lee" || got.Day != "2026-03-04" {
			t.Errorf("by %s on %s", got.By.Name, got.Day)
		}
		w.refuses("what was seen before", w.room.Approve(t.Context(), caller("max"), made.ID, hash, ""), "NOT_PENDING")
		w.used("dana", "2026-03-02", 0)
		w.used("lee", "2026-03-04", 21_000_00)
		change.Send, change.Cents, change.On = false, 19_000_00, ""
		w.refuses("a version that was seen before", w.room.Edit(t.Context(), caller("dana"), made.Version, change), "CHANGED")
		w.agreed(w.room.Edit(t.Context(), caller("cleo"), got.Version, change))
		got = w.wants(made.ID, wire.Ready, "")
		w.used("lee", "2026-03-04", 0)
		w.agreed(w.room.Send(t.Context(), caller("dana"), made.ID, got.Version, false))
		w.refuses("Lee edited it once", w.approve("lee", made.ID), string(entitlement.SelfApproval))
		w.agreed(w.approve("max", made.ID))
		w.wants(made.ID, wire.Processed, "")
		w.has(operating, 181_000_00)
	})
}

func TestFutureDated(t *testing.T) {
	each(t, func(w *world) {
		d := w.draft(20_000_00)
		d.On = "2026-03-07" // a Saturday
		made := w.make("dana", d)
		if made.Day != "2026-03-09" || made.Because == "" {
			t.Fatalf("dated %s: %s", made.Day, made.Because)
		}
		w.used("dana", "2026-03-09", 20_000_00)
		w.agreed(w.approve("lee", made.ID))
		w.wants(made.ID, wire.Initiated, "")
		w.run(0)
		w.at("2026-03-09 07:00")
		w.run(1)
		w.wants(made.ID, wire.Processed, "")
		w.has(operating, 180_000_00)
		s := controlled()
		s.On = s.On.Without(catalog.WiresTransmitFuture)
		w.set("dana", s)
		d = w.draft(5_000_00)
		d.On = "2026-03-10"
		_, err := w.room.Create(t.Context(), caller("dana"), d)
		w.refuses("without the right to send later", err, string(entitlement.UserOff))
	})
}

// Everybody is judged again on the day, on what they may do then.
func TestRightsTakenAway(t *testing.T) {
	each(t, func(w *world) {
		for _, who := range []string{"dana", "lee"} {
			d := w.draft(15_000_00)
			d.On, d.Anyway = "2026-03-03", true
			w.at("2026-03-02 10:00")
			made := w.make("dana", d)
			w.agreed(w.approve("lee", made.ID))
			w.set(who, entitlement.Settings{})
			w.at("2026-03-03 07:00")
			w.run(1)
			code := map[string]string{"dana": "INITIATOR_NOT_ALLOWED", "lee": "APPROVER_NOT_ALLOWED"}[who]
			got, err := w.room.Get(t.Context(), caller("max"), made.ID)
			if err != nil || got.State != wire.Ready || got.Code != code {
				t.Errorf("without %s it is %s %s, %v, want ready %s", who, got.State, got.Code, err, code)
			}
			w.used("dana", "2026-03-03", 0)
			w.set("dana", controlled())
			w.set("lee", sends())
		}
		made := w.make("dana", w.draft(16_000_00))
		w.set("dana", entitlement.Settings{})
		hash := func() string {
			d, err := w.room.Get(t.Context(), caller("lee"), made.ID)
			w.agreed(err)
			return d.Hash
		}()
		w.refuses("an approval after the initiator's right was taken", w.room.Approve(t.Context(), caller("lee"), made.ID, hash, ""), "INITIATOR_NOT_ALLOWED")
		w.has(operating, 200_000_00)
	})
}

// Dual control that is switched on while a wire waits for its day keeps it.
func TestSecondPersonByNow(t *testing.T) {
	each(t, func(w *world) {
		d := w.draft(15_000_00)
		d.On = "2026-03-03"
		made := w.make("lee", d)
		w.set("lee", controlled())
		w.at("2026-03-03 07:00")
		w.run(1)
		w.wants(made.ID, wire.Ready, "NOT_APPROVED")
		w.used("lee", "2026-03-03", 0)
		if !strings.Contains(w.told.all(), "[lee] A wire did not go out") {
			t.Errorf("told: %s", w.told.all())
		}
	})
}

func TestNotCovered(t *testing.T) {
	each(t, func(w *world) {
		d := w.draft(1_000_01)
		d.Account = payroll
		made := w.make("dana", d)
		w.wants(made.ID, wire.Ready, "NOT_COVERED")
		w.used("dana", "2026-03-02", 0)
		d = w.draft(1_000_00)
		d.Account = payroll
		w.wants(w.make("dana", d).ID, wire.Processed, "")
		w.has(payroll, 0)
	})
}

func TestAfterTheCutOff(t *testing.T) {
	each(t, func(w *world) {
		w.at("2026-03-06 16:00") // a Friday
		made := w.make("dana", w.draft(5_000_00))
		if made.State != wire.Initiated || made.Day != "2026-03-09" || !strings.Contains(made.Because, "it is past 4:00 PM, the cut-off for wires") {
			t.Fatalf("it is %s on %s: %s", made.State, made.Day, made.Because)
		}
		w.used("dana", "2026-03-06", 5_000_00)
		w.at("2026-03-09 00:00")
		w.run(1)
		w.wants(made.ID, wire.Processed, "")
		w.used("dana", "2026-03-06", 0)
		w.used("dana", "2026-03-09", 5_000_00)
		made = w.make("dana", func() wire.Draft { d := w.draft(5_000_00); d.On = "2026-03-10"; return d }())
		w.at("2026-03-10 16:30") // nobody swept in time
		w.run(1)
		w.wants(made.ID, wire.Ready, "PAST_CUTOFF")
		w.has(operating, 195_000_00)
	})
}

func TestLooksDouble(t *testing.T) {
	each(t, func(w *world) {
		first := w.make("dana", w.draft(5_000_00))
		d := w.draft(5_000_00)
		p, err := w.room.Preview(t.Context(), caller("dana"), d)
		if err != nil || p.Twin == nil || p.Twin.ID != first.ID || p.Refused {
			t.Errorf("the preview: %+v, %v", p.Twin, err)
		}
		_, err = w.room.Create(t.Context(), caller("dana"), d)
		w.refuses("a double", err, "LOOKS_DOUBLE")
		if twin, ok := errors.AsType[*wire.Twin](err); !ok || twin.ID != first.ID {
			t.Errorf("the twin: %v", err)
		}
		d.Anyway = true
		w.make("dana", d)
		d = w.draft(5_000_00)
		d.Payee.Account = "000123457"
		w.make("dana", d)
		w.has(operating, 185_000_00)
	})
}

func TestCancelBeforeItGoesOut(t *testing.T) {
	each(t, func(w *world) {
		for _, d := range []wire.Draft{w.draft(20_000_00), func() wire.Draft { d := w.draft(1_00); d.On = "2026-03-05"; return d }(), func() wire.Draft { d := w.draft(1_00); d.Send = false; return d }()} {
			made := w.make("dana", d)
			w.refuses("Eve sees no wires", w.room.Cancel(t.Context(), caller("eve"), made.ID, made.Version), string(entitlement.UserOff))
			w.agreed(w.room.Cancel(t.Context(), caller("cleo"), made.ID, made.Version))
			got := w.wants(made.ID, wire.Cancelled, "")
			w.refuses("again", w.room.Cancel(t.Context(), caller("cleo"), made.ID, got.Version), "STATE")
		}
		w.used("dana", "2026-03-02", 0)
		w.used("dana", "2026-03-05", 0)
		w.at("2026-03-05 09:00")
		w.run(0)
		w.has(operating, 200_000_00)
	})
}

func TestTemplates(t *testing.T) {
	each(t, func(w *world) {
		d := wire.TemplateDraft{ID: wire.NewTemplateID(w.clock.Now()), Name: "Harbor, monthly", Instruction: harbor()}
		w.refuses("Cleo may not", w.room.CreateTemplate(t.Context(), caller("cleo"), d), string(entitlement.UserOff))
		w.agreed(w.room.CreateTemplate(t.Context(), caller("lee"), d))
		w.agreed(w.room.CreateTemplate(t.Context(), caller("lee"), d)) // the same again
		other := d
		other.ID = wire.NewTemplateID(w.clock.Now())
		if err := w.room.CreateTemplate(t.Context(), caller("lee"), other); fault.KindOf(err) != fault.Invalid {
			t.Errorf("a second one of the same name: %v", err)
		}
		s := controlled() // Dana sends from templates alone
		s.On &^= catalog.SetOf(catalog.WiresOneTimeCreate, catalog.WiresOneTimeEdit, catalog.WiresTemplateEdit, catalog.WiresTemplateCreate)
		w.set("dana", s)
		_, err := w.room.Create(t.Context(), caller("dana"), w.draft(5_000_00))
		w.refuses("one-time", err, string(entitlement.UserOff))
		use := wire.Draft{ID: wire.NewID(w.clock.Now()), Template: d.ID}
		use.Cents, use.Payee.Account = 7_000_00, "666"
		made := w.make("dana", use)
		if made.State != wire.Processed || made.Payee != harbor().Payee || made.TemplateName != "Harbor, monthly" || made.Kind() != wire.FromTemplate {
			t.Errorf("it is %+v", made.Wire)
		}
		d.Payee.Account = "000999"
		w.refuses("Dana may not edit", w.room.EditTemplate(t.Context(), caller("dana"), 0, d), string(entitlement.UserOff))
		w.agreed(w.room.EditTemplate(t.Context(), caller("lee"), 0, d))
		use = wire.Draft{ID: wire.NewID(w.clock.Now()), Template: d.ID}
		use.Cents = 100_00
		_, err = w.room.Create(t.Context(), caller("dana"), use)
		w.refuses("a template that changed meanwhile", err, "CHANGED")
		use.TemplateVersion = 1
		if got := w.make("dana", use); got.Payee.Account != "000999" {
			t.Errorf("paid to %s", got.Payee.Account)
		}
		w.refuses("Dana may not delete", w.room.DeleteTemplate(t.Context(), caller("dana"), d.ID, 1), string(entitlement.UserOff))
		w.agreed(w.room.DeleteTemplate(t.Context(), caller("lee"), d.ID, 1))
		if all, err := w.room.ListTemplates(t.Context(), caller("lee"), ""); err != nil || len(all) != 0 {
			t.Errorf("templates: %v, %v", all, err)
		}
		w.has(operating, 192_900_00)
	})
}

func TestSeries(t *testing.T) {
	each(t, func(w *world) {
		d := w.draft(12_000_00)
		d.Repeat, d.Times = calendar.Weekly, 3
		made, err := w.room.Create(t.Context(), caller("dana"), d)
		w.agreed(err)
		first := w.wants(made.ID, wire.Pending, "")
		w.agreed(w.approve("lee", first.ID))
		w.wants(first.ID, wire.Processed, "")
		w.at("2026-03-09 00:00")
		w.run(1)
		series, err := w.room.GetSeries(t.Context(), caller("dana"), made.Series)
		if err != nil || len(series.Wires) != 3 || series.Wires[1].State != wire.Pending || series.Wires[0].State != wire.Scheduled {
			t.Fatalf("the series: %+v, %v", series, err)
		}
		w.refuses("each is asked about again", w.approve("dana", series.Wires[1].ID), string(entitlement.SelfApproval))
		edit := wire.SeriesEdit{Cents: 8_000_00, Times: 3}
		s := sends()
		s.On = s.On.Without(catalog.WiresRecurringEdit)
		w.set("max", s)
		w.refuses("Max may not edit", w.room.EditSeries(t.Context(), caller("max"), made.Series, series.Version, edit), string(entitlement.UserOff))
		w.agreed(w.room.EditSeries(t.Context(), caller("lee"), made.Series, series.Version, edit))
		w.agreed(w.approve("max", series.Wires[1].ID)) // as it was sent off
		w.at("2026-03-16 08:00")
		w.run(1)
		last := w.wants(series.Wires[0].ID, wire.Processed, "")
		if last.By.Name != "Lee" || last.Cents != 8_000_00 {
			t.Errorf("the last one: %+v", last.Wire)
		}
		if series, err = w.room.GetSeries(t.Context(), caller("dana"), made.Series); err != nil || series.State != wire.Ended || len(series.Wires) != 3 {
			t.Errorf("the series: %+v, %v", series.Series, err)
		}
		w.has(operating, 200_000_00-12_000_00-12_000_00-8_000_00)
	})
}

// A wire of a series that may not go comes back, and the next one follows.
func TestSeriesGoesOn(t *testing.T) {
	each(t, func(w *world) {
		d := w.draft(5_000_00)
		d.Repeat, d.On = calendar.Weekly, "2026-03-04"
		made, err := w.room.Create(t.Context(), caller("dana"), d)
		w.agreed(err)
		w.wants(made.ID, wire.Scheduled, "")
		w.set("dana", func() entitlement.Settings {
			s := controlled()
			s.On = s.On.Without(catalog.WiresTransmitRecurring)
			return s
		}())
		w.at("2026-03-04 00:00")
		w.run(1)
		back := w.wants(made.ID, wire.Ready, string(entitlement.UserOff))
		if !strings.Contains(back.Problem, "Transmit recurring wires is off in Dana's permissions.") {
			t.Errorf("problem %q", back.Problem)
		}
		series, err := w.room.GetSeries(t.Context(), caller("lee"), made.Series)
		if err != nil || len(series.Wires) != 2 || series.Wires[0].State != wire.Scheduled {
			t.Fatalf("the series: %+v, %v", series, err)
		}
		w.agreed(w.room.CancelSeries(t.Context(), caller("lee"), made.Series, series.Version))
		w.wants(series.Wires[0].ID, wire.Cancelled, "")
		w.at("2026-03-11 09:00")
		w.run(0)
		w.has(operating, 200_000_00)
	})
}

func TestProblemsAllAtOnce(t *testing.T) {
	each(t, func(w *world) {
		d := w.draft(0)
		d.Payee = message.Party{Name: "Søren", Account: "12 34", State: "Maine", PostCode: "4"}
		d.Bank, d.Via, d.Account = message.Agent{Routing: "121042881"}, message.Agent{Name: "Big Bank"}, ""
		d.On, d.Repeat, d.Times = "2026-02-30", "daily", -1
		_, err := w.room.Create(t.Context(), caller("dana"), d)
		fields := map[string]string{}
		for _, p := range fault.ProblemsOf(err) {
			fields[p.Field] = p.Sentence
		}
		for _, field := range []string{"account", "amount", "payee", "payee_account", "town", "state", "post_code", "bank", "routing", "via_routing", "on", "repeat", "times"} {
			if fields[field] == "" {
				t.Errorf("%s has no problem: %v", field, err)
			}
		}
		if !strings.Contains(fields["payee"], `write "Soren"`) {
			t.Errorf("the name: %s", fields["payee"])
		}
	})
}

func TestProofIsAsked(t *testing.T) {
	each(t, func(w *world) {
		w.proofs.wanting.Store(true)
		d := w.draft(5_000_00)
		_, err := w.room.Create(t.Context(), caller("dana"), d)
		w.refuses("sending", err, "STEP_UP")
		d.Send = false
		made, err := w.room.Create(t.Context(), caller("dana"), d)
		w.agreed(err)
		w.refuses("sending later", w.room.Send(t.Context(), caller("dana"), made.ID, 0, false), "STEP_UP")
		w.proofs.wanting.Store(false)
		pending := w.make("dana", w.draft(20_000_00))
		w.proofs.wanting.Store(true)
		w.refuses("approving", w.approve("lee", pending.ID), "STEP_UP")
	})
}

// Limits of each level, exactly at them and one cent over.
func TestLimits(t *testing.T) {
	each(t, func(w *world) {
		try := func(cents bank.Cents, code entitlement.Code, level entitlement.Level) {
			t.Helper()
			d := w.draft(cents)
			d.Anyway = true
			_, err := w.room.Create(t.Context(), caller("lee"), d)
			r, refused := errors.AsType[*wire.Refusal](err)
			switch {
			case code == "" && err != nil:
				t.Errorf("%s: %v", cents, err)
			case code != "" && (!refused || r.Reasons[0].Code != code || r.Reasons[0].Level != level || len(r.Reasons) != 1):
				t.Errorf("%s: %v, want %s at %s", cents, err, code, level)
			}
		}
		try(25_000_01, entitlement.LimitPerTransaction, entitlement.LevelUser)
		on := here()
		on.Limits = on.Limits.With(catalog.LimitPerWire, 20_000_00).With(catalog.LimitWiresDaily, 30_000_00)
		w.on("lee", operating, on)
		try(20_000_01, entitlement.LimitPerTransaction, entitlement.LevelUserAccount)
		try(20_000_00, "", 0)
		try(10_000_01, entitlement.LimitDaily, entitlement.LevelUserAccount)
		try(10_000_00, "", 0)
		w.on("lee", operating, here())
		w.write(func(tx *db.Tx) error {
			return usermgmt.SetOrganizationPolicy(tx, cedar, northwind, w.org.Entitlements, entitlement.Limits{}.With(catalog.LimitPerWire, 22_000_00).With(catalog.LimitWiresDaily, 60_000_00))
		})
		try(22_000_01, entitlement.LimitPerTransaction, entitlement.LevelOrganization)
		try(20_000_00, "", 0)
		try(10_000_01, entitlement.LimitDaily, entitlement.LevelOrganization)
		w.has(operating, 150_000_00)
	})
}
