package usermgmt_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
	"mandate/internal/identity"
	"mandate/internal/usermgmt"
)

var keeper = bank.Caller{Kind: bank.ActorStaff, ID: "stf_keeper", Name: "Kit Keeper", Institution: harbor, Channel: bank.ChannelPeople}

func (w *world) terms() usermgmt.Terms {
	w.t.Helper()
	i, err := w.users.Institution(w.t.Context(), harbor)
	if err != nil {
		w.t.Fatal(err)
	}
	return i.Terms()
}

// settingEvents are the events of the institution's own settings, oldest first.
func (w *world) settingEvents() (all []string) {
	w.t.Helper()
	w.read(func(tx *db.Tx) error {
		events, err := activity.Feed(tx, activity.Filter{Institution: harbor})
		for _, e := range events {
			for _, c := range e.Changes {
				all = append(all, e.Name+" "+c.Field+": "+c.Old+" -> "+c.New)
			}
		}
		return err
	})
	return all
}

// wired is a world with two members who send wires.
func wired(t *testing.T, d *db.DB) *world {
	t.Helper()
	w := newWorld(t, d, bank.EditionBank)
	w.add("ana", bank.RoleAdmin, bank.StatusActive, sendsWires())
	w.add("dana", bank.RoleUser, bank.StatusActive, sendsWires())
	return w
}

// wires is how many members have wires switched on.
func (w *world) wires() (n int) {
	w.t.Helper()
	w.read(func(tx *db.Tx) (err error) {
		n, err = db.One(tx, db.Value[int], `select count(*) from member where switches & $1 <> 0`, catalog.SetOf(catalog.WiresEnabled))
		return err
	})
	return n
}

func texts(effects []usermgmt.Effect) string {
	var all []string
	for _, e := range effects {
		all = append(all, e.Text)
	}
	return strings.Join(all, "\n")
}

// Switching a service off is said with its numbers, asks for a proof, is one
// event, and holds at once; what was set stays.
func TestAServiceIsWithdrawn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := wired(t, d)
		was := w.terms()
		will := was
		will.Offers = will.Offers.Without(catalog.Wires)
		effects, err := w.users.PreviewTerms(t.Context(), keeper, will)
		if err != nil {
			t.Fatal(err)
		}
		if got := texts(effects); !strings.Contains(got, "Wires is no longer offered: 1 organization and 2 members lose it at once") || !effects[0].Takes {
			t.Errorf("preview: %s", got)
		}
		w.proofs.refuse = true
		if err := w.users.ChangeTerms(t.Context(), keeper, was.Text(), will); fault.KindOf(err) != fault.StepUp || w.terms() != was {
			t.Errorf("without a proof: %v", err)
		}
		w.proofs.refuse = false
		if err := w.users.ChangeTerms(t.Context(), keeper, was.Text(), will); err != nil {
			t.Fatal(err)
		}
		if err := w.users.ChangeTerms(t.Context(), keeper, was.Text(), was); fault.KindOf(err) != fault.Conflict {
			t.Errorf("from what no longer is: %v", err)
		}
		if got := w.settingEvents(); len(got) != 1 || !strings.HasPrefix(got[0], "institution.terms_changed offers: ") || strings.Contains(strings.Split(got[0], " -> ")[1], "wires") {
			t.Errorf("history: %q", got)
		}
		if left := w.wires(); left != 2 {
			t.Errorf("%d of 2 members kept what was set", left)
		}
	})
}

// What cannot be is refused with all that is wrong; a name alone needs no proof.
func TestTermsAreChecked(t *testing.T) {
	w := wired(t, dbtest.SQLite(t))
	was := w.terms()
	wrong := usermgmt.Terms{Name: " ", Edition: bank.EditionCreditUnion, TimeZone: "Harbor/Quay", Offers: was.Offers}
	_, err := w.users.PreviewTerms(t.Context(), keeper, wrong)
	var fields []string
	for _, p := range fault.ProblemsOf(err) {
		fields = append(fields, p.Field)
	}
	if strings.Join(fields, " ") != "name time_zone offers" {
		t.Errorf("problems of %v: %v", fields, err)
	}
	w.proofs.refuse = true
	named := was
	named.Name = "Harbor Trust"
	if err := w.users.ChangeTerms(t.Context(), keeper, was.Text(), named); err != nil || w.terms().Name != "Harbor Trust" {
		t.Errorf("renamed: %v, %+v", err, w.terms())
	}
	union := named
	union.Edition, union.Offers = bank.EditionCreditUnion, named.Offers.Without(catalog.ARP)
	effects, err := w.users.PreviewTerms(t.Context(), keeper, union)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"do not exist at credit unions: ", "Work with wires", "Per batch ACH limit", "a fifth level", "ARP/Positive Pay is no longer offered"} {
		if !strings.Contains(texts(effects), want) {
			t.Errorf("the preview of another edition does not say %q:\n%s", want, texts(effects))
		}
	}
	if err := w.users.ChangeTerms(t.Context(), keeper, named.Text(), union); fault.KindOf(err) != fault.StepUp {
		t.Errorf("another edition without a proof: %v", err)
	}
	if _, _, err := w.users.Settings(t.Context(), onlineAs("ana")); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a member read the settings: %v", err)
	}
}

// A requirement holds from its day on; asking less needs a proof.
func TestASecondFactorIsRequiredFromADayOn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := wired(t, d)
		needs := func() (needs bool) {
			w.write(func(tx *db.Tx) error {
				p, err := usermgmt.People{}.Find(tx, identity.Member(harbor, id("ana")))
				needs = p.NeedsSecond
				return err
			})
			return needs
		}
		place, err := time.LoadLocation("America/New_York")
		if err != nil {
			t.Fatal(err)
		}
		tomorrow := bank.DayOf(w.clock.Now().AddDate(0, 0, 1), place)
		policy := usermgmt.FactorPolicy{Members: usermgmt.OfAdmins, MembersFrom: tomorrow}
		effects, err := w.users.PreviewFactors(t.Context(), keeper, policy)
		if err != nil || !strings.Contains(texts(effects), "required of admins") || !strings.Contains(texts(effects), "none yet") {
			t.Errorf("preview: %s, %v", texts(effects), err)
		}
		w.proofs.refuse = true // more is asked: no proof
		if err := w.users.RequireSecondFactor(t.Context(), keeper, policy); err != nil {
			t.Fatal(err)
		}
		if needs() {
			t.Error("required before its day")
		}
		next := w.clock.Now().In(place).AddDate(0, 0, 1)
		midnight := time.Date(next.Year(), next.Month(), next.Day(), 0, 0, 0, 0, place)
		w.clock.Set(midnight.Add(-time.Second))
		if needs() {
			t.Error("required a second before its day")
		}
		w.clock.Set(midnight)
		if !needs() {
			t.Error("not required on its day")
		}
		if err := w.users.RequireSecondFactor(t.Context(), keeper, usermgmt.FactorPolicy{}); fault.KindOf(err) != fault.StepUp {
			t.Errorf("relaxed without a proof: %v", err)
		}
		later := usermgmt.FactorPolicy{Members: usermgmt.OfAdmins, MembersFrom: bank.DayOf(w.clock.Now().AddDate(0, 1, 0), place)}
		if err := w.users.RequireSecondFactor(t.Context(), keeper, later); fault.KindOf(err) != fault.StepUp {
			t.Errorf("put off without a proof: %v", err)
		}
		w.proofs.refuse = false
		if err := w.users.RequireSecondFactor(t.Context(), keeper, usermgmt.FactorPolicy{}); err != nil || needs() {
			t.Errorf("relaxed: %v, needed %t", err, needs())
		}
		if err := w.users.RequireSecondFactor(t.Context(), keeper, usermgmt.FactorPolicy{MembersFrom: "soon", StaffFrom: "later"}); len(fault.ProblemsOf(err)) != 3 {
			t.Errorf("not days: %v", err)
		}
	})
}

// A logo is drawn anew: as large as fits, what can be seen through stays so, and
// nothing else of the file is left.
func TestALogoIsDrawnAnew(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, bank.EditionBank)
		wide := image.NewNRGBA(image.Rect(0, 0, 1000, 500))
		for y := range 500 {
			for x := range 500 {
				wide.SetNRGBA(x, y, color.NRGBA{200, 0, 0, 255})
			}
		}
		var file bytes.Buffer
		if err := png.Encode(&file, wide); err != nil {
			t.Fatal(err)
		}
		file.WriteString("<script>alert(1)</script>")
		if err := w.users.SetLogo(t.Context(), keeper, file.Bytes()); err != nil {
			t.Fatal(err)
		}
		logo, err := w.users.Logo(t.Context(), harbor)
		if err != nil {
			t.Fatal(err)
		}
		drawn, err := png.Decode(bytes.NewReader(logo.PNG))
		if err != nil || drawn.Bounds().Dx() != 256 || drawn.Bounds().Dy() != 256 || bytes.Contains(logo.PNG, []byte("script")) {
			t.Fatalf("drawn: %v, %v", drawn.Bounds(), err)
		}
		for _, at := range []struct {
			x, y  int
			alpha uint32
		}{{10, 10, 0}, {10, 128, 0xffff}, {200, 128, 0}} {
			if _, _, _, alpha := drawn.At(at.x, at.y).RGBA(); alpha != at.alpha {
				t.Errorf("the point %d,%d can be seen %x, want %x", at.x, at.y, alpha, at.alpha)
			}
		}
		for _, wrong := range []string{"", "GIF89a", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>"} {
			if err := w.users.SetLogo(t.Context(), keeper, []byte(wrong)); fault.KindOf(err) != fault.Invalid {
				t.Errorf("%q: %v", wrong, err)
			}
		}
		if err := w.users.SetAccent(t.Context(), keeper, "javascript:"); fault.KindOf(err) != fault.Invalid {
			t.Errorf("not a colour: %v", err)
		}
		if err := w.users.SetAccent(t.Context(), keeper, "#aa0000"); err != nil {
			t.Error(err)
		}
		if err := w.users.RemoveLogo(t.Context(), keeper); err != nil {
			t.Error(err)
		}
		if _, err := w.users.Logo(t.Context(), harbor); fault.KindOf(err) != fault.NotFound {
			t.Errorf("after it was removed: %v", err)
		}
		if got := strings.Join(w.settingEvents(), "; "); !strings.Contains(got, "institution.brand_changed logo:  -> ") || !strings.Contains(got, "accent:  -> #aa0000") {
			t.Errorf("history: %s", got)
		}
	})
}
