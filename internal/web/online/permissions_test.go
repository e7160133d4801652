package online_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/usermgmt"
)

const danasForm = "/cedar/settings/users/usr_dana/permissions"

var field = regexp.MustCompile(`<(input|select)\b[^>]*>`)
var attribute = regexp.MustCompile(`([a-z-]+)(?:="([^"]*)")?`)

// form reads a permission form as a browser would send it.
func (a answer) form(t *testing.T) url.Values {
	t.Helper()
	start := strings.Index(a.body, `<form id="permission-form"`)
	if start < 0 {
		t.Fatalf("%s has no permission form:\n%s", a.url, a.text())
	}
	part := a.body[start:]
	part = part[:strings.Index(part, "</form>")]
	v := url.Values{}
	for _, tag := range field.FindAllString(part, -1) {
		at := map[string]string{}
		for _, m := range attribute.FindAllStringSubmatch(tag, -1) {
			at[m[1]] = m[2]
		}
		_, off := at["disabled"]
		_, checked := at["checked"]
		if at["name"] == "" || off || at["type"] == "checkbox" && !checked || strings.HasPrefix(tag, "<select") {
			continue
		}
		v.Add(at["name"], strings.NewReplacer("&#34;", `"`, "&amp;", "&").Replace(at["value"]))
	}
	return v
}

var hidden = regexp.MustCompile(`<input type="hidden" name="(version|set)" value="([^"]*)"`)

// carried reads what a review or a proof page carries along.
func (a answer) carried(t *testing.T) url.Values {
	t.Helper()
	v := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(a.body, -1) {
		v.Add(m[1], m[2])
	}
	if v.Get("version") == "" {
		t.Fatalf("%s (%d) carries nothing:\n%s", a.url, a.status, a.text())
	}
	return v
}

func turn(v url.Values, permission, value string) url.Values {
	v[permission] = []string{"off", value}
	if value == "off" {
		v[permission] = []string{"off"}
	}
	return v
}

func (w *world) settings(username string) (s entitlement.Settings) {
	w.t.Helper()
	err := w.d.Read(w.t.Context(), func(tx *db.Tx) error {
		p, err := usermgmt.LoadPolicy(tx, cedar, northwind, entitlement.Scope{Members: []bank.UserID{userID(username)}})
		s = p.Members[userID(username)].Settings
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) events(username string) (events []activity.Event) {
	w.t.Helper()
	err := w.d.Read(w.t.Context(), func(tx *db.Tx) (err error) {
		events, err = activity.Feed(tx, activity.Filter{Institution: cedar, Organization: northwind, Target: string(userID(username)), Names: []string{"orguser.permission_changed", "orguser.entitlement_changed", "orguser.account_access_changed"}})
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return events
}

func TestPermissionFormShowsEverySectionInOrder(t *testing.T) {
	each(t, func(w *world) {
		page := w.as("ana").get(danasForm)
		page.is(t, 200)
		text := page.text()
		at := 0
		for _, title := range []string{"ACH Enabled", "ARP/Positive Pay Enabled", "Card management Northwind Trading does not have Card management.", "Stop payments Cedar Bank does not offer Stop payments.", "Transfers Enabled", "Wires Enabled", "User management User management"} {
			found := strings.Index(text[at:], title)
			if found < 0 {
				t.Fatalf("%q is missing or out of order in:\n%s", title, text)
			}
			at += found
		}
		page.says(t, "At most $50,000.00 . Set by Cedar Bank", "User management stays off for the role User. Change the role first.")
		for _, blocked := range []string{"cards.enabled", "cards.manage", "stops.add", "user_management.enabled"} {
			if page.form(t).Has(blocked) {
				t.Errorf("%s can be moved", blocked)
			}
		}
	})
}

func TestSwitchBringsItsNeedsAndAsksForAmounts(t *testing.T) {
	each(t, func(w *world) {
		ana := w.as("ana")
		form := turn(ana.get("/cedar/settings/users/usr_uma/permissions").form(t), "wires.transmit", "on")
		asked := ana.post("/cedar/settings/users/usr_uma/review", form)
		asked.is(t, 422)
		asked.says(t, "Transmit wires needs a Per wire limit above zero.", "Transmit wires needs a Daily wire limit above zero.",
			"Comes on with Transmit wires.", "Comes on with Work with wires.", "3 changes")
		form = asked.form(t)
		form.Set("wires.per_wire_limit", "$25,000.00")
		form.Set("wires.daily_limit", "60,000")
		review := ana.post("/cedar/settings/users/usr_uma/review", form)
		review.is(t, 200)
		review.says(t, "Review changes", "Transmit wires", "Work with wires", "Wires enabled", "Per wire limit", "Not set", "$25,000.00",
			"You will be asked to confirm that it is you.", "Raises what may be moved.")
	})
}

func TestSavingAsksForProofKeepsTheChangesAndSavesOnce(t *testing.T) {
	each(t, func(w *world) {
		ana := w.as("ana")
		form := ana.get(danasForm).form(t)
		form.Set("wires.per_wire_limit", "$30,000.00")
		review := ana.post("/cedar/settings/users/usr_dana/review", form)
		review.says(t, "Dana Diaz may send a wire up to $30,000.00 from 2 accounts, alone up to $10,000.00.")
		proof := ana.post("/cedar/settings/users/usr_dana/save", review.carried(t))
		proof.is(t, 403)
		proof.says(t, "Confirm that it is you", "nothing that you set is lost")
		wrong := proof.carried(t)
		wrong.Set("prove_password", "not it")
		again := ana.post("/cedar/settings/users/usr_dana/save", wrong)
		again.is(t, 403)
		again.says(t, "This was not right.")
		right := again.carried(t)
		right.Set("prove_password", password)
		saved := ana.post("/cedar/settings/users/usr_dana/save", right)
		if saved.url != "/cedar/settings/users/usr_dana" {
			t.Fatalf("after saving at %s (%d): %s", saved.url, saved.status, saved.text())
		}
		saved.says(t, "Permissions saved", "Send a wire up to $30,000.00 from 2 accounts", "Ana Ruiz changed the permissions of Dana Diaz")
		if limit, _ := w.settings("dana").Limits.Get(catalog.LimitPerWire); limit != 30_000_00 {
			t.Errorf("the limit is %v", limit)
		}
		if events := w.events("dana"); len(events) != 1 || len(events[0].Changes) != 1 {
			t.Errorf("history: %+v", events)
		}
	})
}

func TestThirdWrongProofSignsOut(t *testing.T) {
	each(t, func(w *world) {
		ana := w.as("ana")
		form := ana.get(danasForm).form(t)
		form.Set("wires.per_wire_limit", "$30,000.00")
		carried := ana.post("/cedar/settings/users/usr_dana/review", form).carried(t)
		var last answer
		for range 3 {
			carried.Set("prove_password", "not it")
			last = ana.post("/cedar/settings/users/usr_dana/save", carried)
		}
		last.says(t, "You have been signed out")
		if s := w.settings("dana"); s != danas() {
			t.Errorf("something was saved: %+v", s)
		}
	})
}

func TestTurningANeedOffTakesWhatNeedsIt(t *testing.T) {
	each(t, func(w *world) {
		ana := w.as("ana")
		form := turn(ana.get(danasForm).form(t), "wires.work", "off")
		shown := ana.post(danasForm, form)
		shown.is(t, 200)
		shown.says(t, "Goes off with Work with wires.", "3 changes")
		review := ana.post("/cedar/settings/users/usr_dana/review", form)
		review.says(t, "These go off with what they need", "Create one-time wires and Transmit wires.", "Dana Diaz may no longer send a wire.")
		ana.post("/cedar/settings/users/usr_dana/save", review.carried(t)).says(t, "Permissions saved")
		if on := w.settings("dana").On; on.Has(catalog.WiresWork) || on.Has(catalog.WiresTransmit) || !on.Has(catalog.WiresEnabled) || !on.Has(catalog.WiresDualControl) {
			t.Errorf("on: %v", on)
		}
		if events := w.events("dana"); len(events) != 1 || len(events[0].Changes) != 3 {
			t.Errorf("history: %+v", events)
		}
	})
}

func TestConflictKeepsWhatWasTyped(t *testing.T) {
	each(t, func(w *world) {
		ana, ben := w.as("ana"), w.as("ben")
		anas := ana.get(danasForm).form(t)
		bens := turn(ben.get(danasForm).form(t), "ach.enabled", "off")
		ben.post("/cedar/settings/users/usr_dana/save", ben.post("/cedar/settings/users/usr_dana/review", bens).carried(t)).says(t, "Permissions saved")

		anas.Set("wires.per_wire_limit", "$20,000.00")
		stale := ana.post("/cedar/settings/users/usr_dana/review", anas)
		stale.is(t, 409)
		stale.says(t, "This has changed meanwhile", "Ben Chen changed", "ACH enabled", "Review changes", "1 change")
		form := stale.form(t)
		if form.Get("wires.per_wire_limit") != "20,000.00" {
			t.Errorf("typed: %q", form.Get("wires.per_wire_limit"))
		}
		if got := form["ach.enabled"]; len(got) != 1 || got[0] != "off" {
			t.Errorf("what Ben saved: %q", got)
		}
		review := ana.post("/cedar/settings/users/usr_dana/review", form)
		review.is(t, 200)
		review.says(t, "$25,000.00", "$20,000.00")
		review.saysNot(t, "ACH enabled")

		// Ben saves once more while Ana looks at her review.
		bens = turn(ben.get(danasForm).form(t), "transfers.allow", "off")
		ben.post("/cedar/settings/users/usr_dana/save", ben.post("/cedar/settings/users/usr_dana/review", bens).carried(t)).says(t, "Permissions saved")
		late := ana.post("/cedar/settings/users/usr_dana/save", review.carried(t))
		late.is(t, 409)
		late.says(t, "This has changed meanwhile", "Allow transfers", "$20,000.00", "Save changes")
		ana.post("/cedar/settings/users/usr_dana/save", late.carried(t)).says(t, "Permissions saved")
		if limit, _ := w.settings("dana").Limits.Get(catalog.LimitPerWire); limit != 20_000_00 || w.settings("dana").On.Has(catalog.TransfersAllow) {
			t.Errorf("afterwards: %+v", w.settings("dana"))
		}
	})
}

func TestViewerAndUserCannotSave(t *testing.T) {
	each(t, func(w *world) {
		carried := url.Values{"version": {"0"}, "set": {"wires.per_wire_limit=20000.00"}}
		vera := w.as("vera")
		page := vera.get(danasForm)
		page.says(t, "Transmit wires", "$25,000.00")
		page.saysNot(t, "Review changes")
		if strings.Contains(page.body, `role="switch"`) {
			t.Error("a viewer is shown switches")
		}
		refused := vera.post("/cedar/settings/users/usr_dana/save", carried)
		refused.is(t, 403)
		dana := w.as("dana")
		for _, path := range []string{"/cedar/settings/users/usr_uma/permissions", "/cedar/settings/users/usr_dana/permissions", "/cedar/settings/users/usr_dana/accounts/acc_payroll"} {
			dana.get(path).is(t, 403)
		}
		dana.post("/cedar/settings/users/usr_dana/save", carried).is(t, 403)
		if s := w.settings("dana"); s != danas() {
			t.Errorf("something was saved: %+v", s)
		}
	})
}

func TestNobodyRaisesThemself(t *testing.T) {
	each(t, func(w *world) {
		ana := w.as("ana")
		page := ana.get("/cedar/settings/users/usr_ana/permissions")
		page.says(t, "These are your own permissions")
		refused := ana.post("/cedar/settings/users/usr_ana/review", turn(page.form(t), "arp.enabled", "on"))
		refused.is(t, 422)
		refused.says(t, "Nobody raises their own permissions while another admin can do it")
	})
}

func TestAccountFormBlocksWhatTheUserLevelBlocks(t *testing.T) {
	each(t, func(w *world) {
		ana := w.as("ana")
		page := ana.get("/cedar/settings/users/usr_dana/accounts/acc_payroll")
		page.is(t, 200)
		page.says(t, "Account access on Payroll ••4821", "Wires on Payroll ••4821", "Edit one-time wires is off in Dana Diaz's permissions.", "Turn it on in Set permissions")
		form := page.form(t)
		form.Set("wires.per_wire_limit", "7500")
		review := ana.post("/cedar/settings/users/usr_dana/review", turn(form, "transfers.from", "off"))
		review.says(t, "Transfer from on Payroll ••4821", "Per wire limit on Payroll ••4821", "$7,500.00")
		ana.post("/cedar/settings/users/usr_dana/save", review.carried(t)).says(t, "Permissions saved")
		ana.get("/cedar/settings/users/usr_dana/accounts/acc_nothing").is(t, 404)
		ana.get("/cedar/settings/users/usr_dana").says(t, "Per wire limit $7,500.00")
	})
}

func TestWhatCameAlongGoesAgain(t *testing.T) {
	each(t, func(w *world) {
		ana := w.as("ana")
		const path = "/cedar/settings/users/usr_uma/permissions"
		with := ana.post(path, turn(ana.get(path).form(t), "ach.view", "on"))
		with.says(t, "Comes on with View ACH.", "2 changes")
		ana.post(path, turn(with.form(t), "ach.view", "off")).says(t, "No changes yet")
		// Whoever turns the need off again does not want what needs it.
		ana.post(path, turn(with.form(t), "ach.enabled", "off")).says(t, "No changes yet")
	})
}

func TestReviewPutsWhatRaisesRiskOnTop(t *testing.T) {
	each(t, func(w *world) {
		ana := w.as("ana")
		form := turn(turn(ana.get(danasForm).form(t), "ach.enabled", "off"), "wires.transmit_future", "on")
		form.Set("transfers.limit", "4000")
		text := ana.post("/cedar/settings/users/usr_dana/review", form).text()
		text = text[strings.Index(text, "What is set"):]
		risky, others := strings.Index(text, "Transmit future-dated wires Lets money move."), strings.Index(text, "ACH enabled")
		if risky < 0 || others < 0 || risky > others {
			t.Errorf("the review reads %s", text)
		}
	})
}
