package online

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/host"
	"mandate/internal/moneymovement/card"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// A cardStep is how something that can be asked about a card reads.
type cardStep struct {
	action ui.Action // the button that leads to the question
	ask    string
	text   string
	button ui.Action
	before string // "before you unlock"
	done   string
}

var cardSteps = map[host.CardStep]cardStep{
	host.ActivateCard: {
		ui.Action{Label: "Activate", Icon: "circle-check", Variant: ui.Primary}, "Activate this card", "Once it is active the card pays, and the card that it replaces no longer does.",
		ui.Action{Label: "Activate the card", Variant: ui.Primary, Busy: "Activating"}, "activate", "Activated"},
	host.LockCard: {
		ui.Action{Label: "Lock", Icon: "lock"}, "Lock this card?", "It pays nothing until it is unlocked. Payments that were approved already still go through.",
		ui.Action{Label: "Lock the card", Variant: ui.Primary, Busy: "Locking"}, "lock", "Locked"},
	host.UnlockCard: {
		ui.Action{Label: "Unlock", Icon: "lock-open", Variant: ui.Primary}, "Unlock this card?", "It pays again at once. You will be asked to confirm that it is you.",
		ui.Action{Label: "Unlock the card", Variant: ui.Primary, Busy: "Unlocking"}, "unlock", "Unlocked"},
	host.ReorderCard: {
		ui.Action{Label: "Order a new one", Icon: "refresh-cw"}, "Order a new card instead of this one?", "It is sent to the address of your organization. This card works until the new one is activated. You will be asked to confirm that it is you.",
		ui.Action{Label: "Order the card", Variant: ui.Primary, Busy: "Ordering"}, "order a new card instead of", "A new one ordered"},
	host.LoseCard: {
		ui.Action{Label: "Report lost", Icon: "circle-x"}, "Report this card lost", "It pays nothing from now on. This cannot be undone: if it turns up again, it stays unusable.",
		ui.Action{Label: "Report it lost", Variant: ui.Danger, Busy: "Reporting"}, "report lost", "Reported lost"},
	host.StealCard: {
		ui.Action{Label: "Report stolen", Icon: "octagon-x"}, "Report this card stolen", "It pays nothing from now on. This cannot be undone.",
		ui.Action{Label: "Report it stolen", Variant: ui.Danger, Busy: "Reporting"}, "report stolen", "Reported stolen"},
}

// asksMore reports whether a step has a form of its own, and not just a
// question.
func asksMore(step host.CardStep) bool {
	return step == host.ActivateCard || step == host.LoseCard || step == host.StealCard
}

type cardAskPage struct {
	Shell   ui.Shell
	Step    cardStep
	Title   string
	Subject string // which card it is about
	Action  string
	Back    string
	ID      string
	Form    *web.Form
	Expires *ui.Field // of a card that is activated
	Replace *ui.Field // of one that is lost or stolen
	Address string    // where a new one is sent
	Blocked []blocker
	Why     string
}

// GET /{institution}/cards/{card}/{step}
func (a *app) askCard(step host.CardStep) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		v, err := a.moneyView(r)
		if err != nil {
			return err
		}
		d, err := a.oneCard(r)
		if err != nil {
			return err
		}
		if !slices.Contains(d.Can, step) {
			return fault.New(fault.Conflict, "This can no longer be done with the card. Look at it again.")
		}
		id := string(card.NewRequestID(a.site.Clock.Now()))
		if asksMore(step) {
			return a.renderCardAsk(w, r, &v, &d, step, web.NewForm(map[string]string{"id": id, "replace": "on"}), http.StatusOK)
		}
		words, here := cardSteps[step], v.base.card(d.ID)
		question := ui.Confirmation{
			Title: words.ask, Text: v.cardSubject(&d) + " " + words.text, Action: v.base.cardStep(d.ID, step), Confirm: words.button, Cancel: here,
		}
		return a.askAbout(w, r, &v, question, [][2]string{{"id", id}}, ui.Link{Label: "Cards", Href: v.base.cards()}, ui.Link{Label: cardTitle(&d.Card), Href: here})
	}
}

// cardSubject names a card within a page: its holder and account.
func (v *moneyView) cardSubject(d *card.Detail) string {
	return cardTitle(&d.Card) + " of " + d.Holder + ", " + v.account(d.Account) + "."
}

func (a *app) renderCardAsk(w http.ResponseWriter, r *http.Request, v *moneyView, d *card.Detail, step host.CardStep, f *web.Form, status int) error {
	words, here := cardSteps[step], v.base.card(d.ID)
	page := cardAskPage{
		Shell: a.shell(r, v.me, words.ask, ui.Link{Label: "Cards", Href: v.base.cards()}, ui.Link{Label: cardTitle(&d.Card), Href: here}),
		Step:  words, Title: strings.TrimSuffix(words.ask, "?"), Subject: v.cardSubject(d), Action: v.base.cardStep(d.ID, step), Back: here, ID: f.Raw("id"), Form: f,
	}
	page.Shell.Narrow = true
	if step == host.ActivateCard {
		field := f.Field("expires", "Valid through")
		field.Help, field.Placeholder, field.Width, field.Max = "The month and year on the card, such as 04/29.", "MM/YY", "short", 5
		page.Expires = &field
	}
	if step == host.LoseCard || step == host.StealCard {
		field := f.Field("replace", "Send a new card")
		field.Help, page.Address = "You will be asked to confirm that it is you. Without a new card you will not.", v.me.Organization.Address
		page.Replace = &field
	}
	return web.Render(w, r, status, cardAskView(page))
}

var monthOnCard = regexp.MustCompile(`^(0[1-9]|1[0-2])/?([0-9]{2})$`)

// cardDraft is what a form asks.
func cardDraft(r *http.Request, f *web.Form, step host.CardStep) card.Draft {
	d := card.Draft{ID: card.RequestID(f.Raw("id")), Card: host.CardID(r.PathValue("card")), Step: step}
	d.Replace = f.Checked("replace") && (step == host.LoseCard || step == host.StealCard)
	if step == host.ActivateCard {
		written := monthOnCard.FindStringSubmatch(f.Required("expires", 7, "Write the month on the card, such as 04/29."))
		if written == nil && f.OK() {
			f.Wrong("expires", "Write the month on the card as it stands there, such as 04/29.")
		}
		if written != nil {
			d.Expires = "20" + written[2] + "-" + written[1]
		}
	}
	return d
}

// POST /{institution}/cards/{card}/{step}
func (a *app) doCard(step host.CardStep) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		f := web.ReadForm(r)
		d := cardDraft(r, f, step)
		v, err := a.moneyView(r)
		if err != nil {
			return err
		}
		if f.OK() {
			done, err := a.proven(w, r, a.proofOfCard(r, &v, step), func() error { return a.money.Cards.Ask(r.Context(), web.CallerOf(r.Context()), d) })
			if err == nil && !done {
				return nil
			}
			if err == nil {
				return a.toCard(w, r, &v, step)
			}
			if err := f.Take(err); err != nil {
				return a.refuseCard(w, r, &v, err)
			}
		}
		seen, err := a.oneCard(r)
		if err != nil {
			return err
		}
		return a.renderCardAsk(w, r, &v, &seen, step, f, http.StatusUnprocessableEntity)
	}
}

// refuseCard says why somebody may not do something with a card.
func (a *app) refuseCard(w http.ResponseWriter, r *http.Request, v *moneyView, err error) error {
	e, ok := refusalIn(err)
	if !ok {
		return err
	}
	page := cardAskPage{
		Shell: a.shell(r, v.me, "Cards", ui.Link{Label: "Cards", Href: v.base.cards()}), Title: "Cards", Blocked: v.blockers(e),
		Why: v.base.whyMe() + "?operation=" + catalog.CardsManageOperation.ID(),
	}
	page.Shell.Narrow = true
	return web.Render(w, r, http.StatusForbidden, cardAskView(page))
}

func (a *app) proofOfCard(r *http.Request, v *moneyView, step host.CardStep) func() (proof, error) {
	return func() (proof, error) {
		d, err := a.oneCard(r)
		here := v.base.card(d.ID)
		return proof{
			Text: "You are about to " + cardSteps[step].before + " the " + card.Name(&d.Card) + " of " + d.Holder + ".", Cancel: here,
			Crumbs: []ui.Link{{Label: "Cards", Href: v.base.cards()}, {Label: cardTitle(&d.Card), Href: here}},
		}, err
	}
}

// toCard shows a card after something was done with it, and says what came of
// it.
func (a *app) toCard(w http.ResponseWriter, r *http.Request, v *moneyView, step host.CardStep) error {
	d, err := a.oneCard(r)
	if err != nil {
		return err
	}
	switch {
	case len(d.Requests) > 0 && d.Requests[0].State == card.Refused:
		web.Flash(w, r, ui.Bad, "The card was not changed")
	case !d.Waits:
		web.Flash(w, r, ui.Good, cardSteps[step].done)
	}
	http.Redirect(w, r, v.base.card(d.ID), http.StatusSeeOther)
	return nil
}
