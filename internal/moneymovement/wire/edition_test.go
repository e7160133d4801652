package wire_test

import (
	"errors"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/moneymovement/wire"
)

// At a credit union nobody has a second person, a daily limit, a later day, a
// series or a template; what looks like another wire is refused whatever is
// meant; and taking back needs the right to delete wires, at both levels.
func TestAtCreditUnions(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, bank.EditionCreditUnion)
		first := w.make("dana", w.draft(20_000_00)) // above her dual limit at a bank
		w.wants(first.ID, wire.Processed, "")
		again := w.draft(20_000_00)
		again.Anyway = true
		p, err := w.room.Preview(t.Context(), caller("dana"), again)
		if err != nil || p.Twin == nil || !p.Refused || p.Second {
			t.Errorf("the preview: %+v, %v", p, err)
		}
		_, err = w.room.Create(t.Context(), caller("dana"), again)
		w.refuses("a double that is meant", err, "DUPLICATE")
		if twin, ok := errors.AsType[*wire.Twin](err); !ok || twin.ID != first.ID {
			t.Errorf("the twin: %v", err)
		}
		for i := range bank.Cents(4) { // in all $100,006.00, and no daily limit
			w.make("dana", w.draft(20_001_00+i*100))
		}
		_, err = w.room.Create(t.Context(), caller("dana"), w.draft(25_000_01))
		w.refuses("over the limit of each", err, string(entitlement.LimitPerTransaction))

		later, series := w.draft(1_00), w.draft(2_00)
		later.On, series.Repeat = "2026-03-05", calendar.Weekly
		for what, d := range map[string]wire.Draft{"a later day": later, "a series": series} {
			_, err := w.room.Create(t.Context(), caller("dana"), d)
			w.refuses(what, err, string(entitlement.NotInEdition))
		}
		template := wire.TemplateDraft{ID: wire.NewTemplateID(w.clock.Now()), Name: "Harbor", Instruction: harbor()}
		w.refuses("a template", w.room.CreateTemplate(t.Context(), caller("dana"), template), string(entitlement.NotInEdition))

		w.at("2026-03-02 16:30") // after the cut-off it goes out tomorrow, without being asked to
		made := w.make("dana", w.draft(3_00))
		if made.State != wire.Initiated || made.Day != "2026-03-03" || made.CanTake {
			t.Errorf("it is %+v", made)
		}
		takeBack := func(name string) error {
			return w.room.Cancel(t.Context(), caller(name), made.ID, made.Version)
		}
		w.refuses("whoever made it, without the right to delete", takeBack("dana"), string(entitlement.UserOff))
		s := sends()
		s.On = s.On.With(catalog.WiresDelete)
		w.set("lee", s)
		w.refuses("without it on the account", takeBack("lee"), string(entitlement.AccountOff))
		on := here()
		on.On = on.On.With(catalog.WiresDelete)
		w.on("lee", operating, on)
		w.agreed(takeBack("lee"))
		w.wants(made.ID, wire.Cancelled, "")
		w.at("2026-03-03 09:00")
		w.run(0)
		w.has(operating, 200_000_00-20_000_00-4*20_001_00-6_00)
	})
}
