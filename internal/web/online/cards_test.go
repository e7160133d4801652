package online_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/host"
	"mandate/internal/pdp/obstacle"
)

// issue puts a card of Northwind's into the host's records.
func (p *purse) issue(cards ...host.Card) {
	p.t.Helper()
	for _, c := range cards {
		c.Organization = northwind
		if err := p.books.Issue(p.t.Context(), cedar, c); err != nil {
			p.t.Fatal(err)
		}
	}
}

// carded is a purse with cards that Dana manages: two on Operating, one on an
// account that she does not see.
func carded(p *purse) *purse {
	p.put(obstacle.Open(asked(catalog.CardsManageOperation), bank.EditionBank), bank.EditionBank, p.ordinal("dana"))
	card := host.Card{ID: "crd_1", Account: "acc_operating", Holder: "Dana Diaz", Kind: "debit", LastFour: "4821", Expires: "2029-04", State: host.CardActive}
	other, hidden := card, card
	other.ID, other.Holder, other.LastFour, other.State = "crd_2", "Lee Tran", "0077", host.CardLocked
	hidden.ID, hidden.Account, hidden.Holder = "crd_3", "acc_tax", "Ana Ruiz"
	p.issue(card, other, hidden)
	return p
}

func TestCardsFromLockToReplacement(t *testing.T) {
	eachPurse(t, func(p *purse) {
		t := p.t.(*testing.T)
		dana := carded(p).as("dana")
		list := dana.get("/cedar/cards")
		list.says(t, "2 cards", "Debit card ••4821", "Dana Diaz", "04/29", "Debit card ••0077", "Locked")
		list.saysNot(t, "Ana Ruiz")
		dana.get("/cedar/cards?q=lee").says(t, "1 of 2 cards")
		dana.get("/cedar/cards?state=locked").says(t, "1 of 2 cards", "Lee Tran")
		dana.get("/cedar/cards/crd_3").is(t, 404)
		ask := dana.get("/cedar/cards/crd_1/lock")
		ask.says(t, "Lock this card?")
		dana.post("/cedar/cards/crd_1/lock", ask.carries()).says(t, "Locked", "This card is locked", "Dana Diaz asked to lock the debit card ••4821")
		again := dana.post("/cedar/cards/crd_1/lock", url.Values{"id": {"crq_019caf10-3180-7a14-9502-cbf933ebd562"}})
		again.is(t, 409)
		dana.proves("/cedar/cards/crd_1/unlock", dana.get("/cedar/cards/crd_1/unlock").carries()).says(t, "Unlocked", "Active")
		lost := dana.get("/cedar/cards/crd_1/report-lost")
		lost.says(t, "Report this card lost", "Send a new card", "18 Harbor Street")
		form := lost.carries()
		form.Set("replace", "on")
		gone := dana.proves("/cedar/cards/crd_1/report-lost", form)
		gone.says(t, "This card was reported lost", "Ordered instead")
		gone.saysNot(t, "Unlock", "Order a new one")
		var fresh string
		for _, link := range strings.Split(dana.get("/cedar/cards?state=ordered").body, `href="`) {
			if strings.HasPrefix(link, "/cedar/cards/crd_") {
				fresh, _, _ = strings.Cut(link, `"`)
			}
		}
		arrived := dana.get(fresh)
		arrived.says(t, "On its way", "Replaces Debit card ••4821")
		arrived.saysNot(t, "03/30")
		activate := dana.get(fresh + "/activate").carries()
		activate.Set("expires", "13/30")
		dana.post(fresh+"/activate", activate).says(t, "Write the month on the card as it stands there")
		activate.Set("expires", "01/31")
		dana.post(fresh+"/activate", activate).says(t, "This is not the month on the card.")
		activate.Set("expires", "03/30")
		dana.proves(fresh+"/activate", activate).says(t, "Activated", "Active", "03/30")
		dana.get("/cedar/cards/crd_1/receipt").says(t, "Cedar Bank", "Locked Dana Diaz, Mar 2, 2026, 10:00 AM. Done, host reference", "Reported lost")
		if export := dana.get("/cedar/cards/export"); !strings.Contains(export.body, "Debit,0077,Lee Tran,Operating ••0137,04/29,Locked") {
			t.Errorf("the export is %s", export.body)
		}
		p.clock.Set(time.Date(2026, 4, 2, 15, 0, 0, 0, time.UTC))
		p.as("dana").get("/cedar/cards").saysNot(t, "••4821")
		p.as("uma").get("/cedar/cards").says(t, "You cannot manage cards", "Card management is off in your permissions.")
	})
}

func TestCardsInABrowser(t *testing.T) {
	eachShowing(t, func(t *testing.T, p showing) {
		carded(p.purse)
		dana := p.shows("dana")
		dana.Click("Cards")
		p.look(dana, "cards")
		dana.Click("Debit card ••4821")
		p.look(dana, "card")
		dana.Click("Lock")
		dana.Click("Lock the card")
		dana.See("This card is locked")
		p.look(dana, "card-locked")
		dana.Click("Report stolen")
		p.look(dana, "card-stolen-ask")
		dana.Click("Report it stolen")
		dana.proves()
		dana.See("This card was reported stolen")
		p.look(dana, "card-stolen")
		dana.Click("Receipt")
		p.look(dana, "card-receipt")
		dana.open("/cedar/cards?state=ordered")
		dana.Click("Debit card")
		p.look(dana, "card-ordered")
		dana.Click("Activate")
		dana.Fill("Valid through", "01/31")
		dana.Click("Activate the card")
		dana.See("This is not the month on the card.")
		p.look(dana, "card-activate")
		dana.Fill("Valid through", "03/30")
		dana.Click("Activate the card")
		dana.proves()
		dana.See("Activated")
		uma := p.shows("uma")
		uma.open("/cedar/cards")
		uma.See("You cannot manage cards")
	})
}
