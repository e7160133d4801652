package verify

import (
	"mandate/internal/host"
	"mandate/internal/host/protocol"
)

var cardChecks = []Check{
	{Name: "Cards", Says: "A card is listed, changed once for each key, lost, and replaced.", Needs: protocol.Cards, With: func(b *Bench) bool { return b.Card != "" }, run: cards},
}

func cards(p *probe) {
	about := func(id host.CardID, step host.CardStep) host.Order {
		o := p.order()
		o.Card = &host.CardOrder{Card: id, Step: step, Replace: step == host.LoseCard}
		return o
	}
	one := func(id host.CardID) host.Card {
		all, err := p.Host.Cards(p.ctx, p.Institution, p.Organization)
		p.must(err, "list the cards")
		for _, c := range all {
			if c.ID == id {
				return c
			}
		}
		p.stop("the host has no card %s: %+v", id, all)
		return host.Card{}
	}
	if c := one(p.Card); c.State != host.CardActive || c.Account != p.From || len(c.LastFour) != 4 {
		p.stop("the card is %+v, want an active one on %s", c, p.From)
	}
	lock := about(p.Card, host.LockCard)
	first := p.done(lock, "lock it")
	if again := p.carry(lock); again != first || one(p.Card).State != host.CardLocked {
		p.wrong("asked again it answers %+v, want %+v; the card is %s", again, first, one(p.Card).State)
	}
	p.refused(about(p.Card, host.LockCard), host.CardStanding, "lock it twice")
	p.refused(about("crd-none", host.LockCard), host.UnknownCard, "a card that is not there")
	if p.Other != "" {
		theirs := about(p.Card, host.UnlockCard)
		theirs.Organization = p.Other
		p.refused(theirs, host.UnknownCard, "another organization unlocks it")
	}
	p.done(about(p.Card, host.LoseCard), "report it lost")
	lost := one(p.Card)
	if lost.State != host.CardLost || lost.Replacement == "" {
		p.stop("lost it is %+v, want one that is replaced", lost)
	}
	fresh := one(lost.Replacement)
	if fresh.State != host.CardOrdered || fresh.Replaces != p.Card || fresh.Account != p.From || len(fresh.LastFour) != 4 {
		p.wrong("sent instead is %+v", fresh)
	}
	p.done(about(fresh.ID, host.ActivateCard), "activate the new one")
	if state := one(fresh.ID).State; state != host.CardActive {
		p.wrong("activated it is %s", state)
	}
}
