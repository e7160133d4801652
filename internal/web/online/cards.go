package online

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/host"
	"mandate/internal/moneymovement/card"
	"mandate/internal/web"
	"mandate/internal/web/phrase"
	"mandate/internal/web/ui"
)

// Cards is what the app needs of the room of cards.
type Cards interface {
	List(context.Context, bank.Caller, card.Query) (card.Page, error)
	Get(context.Context, bank.Caller, host.CardID) (card.Detail, error)
	Ask(context.Context, bank.Caller, card.Draft) error
}

func (b base) cards() string              { return b.at("/cards") }
func (b base) exportCards() string        { return b.cards() + "/export" }
func (b base) card(id host.CardID) string { return b.cards() + "/" + url.PathEscape(string(id)) }

func (b base) cardStep(id host.CardID, step host.CardStep) string {
	return b.card(id) + "/" + strings.ReplaceAll(string(step), "_", "-")
}

func (a *app) cardRoutes() []web.Route {
	manage := catalog.CardsManageOperation
	routes := []web.Route{
		moneyRoute("GET", "/cards", a.cardList, manage),
		moneyRoute("GET", "/cards/export", a.exportCards, manage),
		moneyRoute("GET", "/cards/{card}", a.cardDetail, manage),
		moneyRoute("GET", "/cards/{card}/receipt", a.cardReceipt, manage),
	}
	for _, step := range card.Steps() {
		path := "/cards/{card}/" + strings.ReplaceAll(string(step), "_", "-")
		routes = append(routes,
			moneyRoute("GET", path, a.askCard(step), manage),
			recording(moneyRoute("POST", path, a.doCard(step), manage), card.Event(step), true))
	}
	return routes
}

// cardState is how a state of a card looks.
func cardState(s host.CardState) ui.State {
	look := map[host.CardState]ui.State{
		host.CardOrdered: {Icon: "hourglass", Tone: ui.Note}, host.CardActive: {Icon: "circle-check", Tone: ui.Good}, host.CardLocked: {Icon: "lock", Tone: ui.Warn},
		host.CardLost: {Icon: "circle-x", Tone: ui.Bad}, host.CardStolen: {Icon: "octagon-x", Tone: ui.Bad}, host.CardReplaced: {Icon: "circle-slash", Tone: ui.Plain},
	}[s]
	look.Word = card.StateLabel(s)
	return look
}

// cardTitle is a card as a page names it: "Debit card ••4821".
func cardTitle(c *host.Card) string { return phrase.Capital(card.Name(c)) }

// cardMonth is the last month of a card as it stands on it: "04/29".
func cardMonth(expires string) string {
	month, err := time.Parse("2006-01", expires)
	if err != nil {
		return expires
	}
	return month.Format("01/06")
}

type cardListPage struct {
	Shell   ui.Shell
	Toolbar ui.Toolbar
	Columns []ui.Column
	Rows    []cardRow
	Pager   ui.Pager
	Export  string
	Empty   bool
	Blocked []blocker
	Why     string
}

type cardRow struct {
	Href, Title, Holder, Account, Expires string
	State                                 ui.State
	Waits                                 bool
}

var cardStates = func() (values []string) {
	for _, s := range card.States() {
		values = append(values, string(s))
	}
	return values
}()

var cardListSpec = web.ListSpec{Sorts: []string{"account", "holder", "state"}, Filters: map[string][]string{"state": cardStates, "account": nil}}

func cardQuery(list web.List, v *moneyView) card.Query {
	return card.Query{
		Search: list.Search, Matching: v.matching(list.Search), State: host.CardState(list.Filter("state")), Account: bank.AccountID(list.Filter("account")),
		Sort: card.Sort(list.Sort), Reverse: list.Descending, Page: list.Page, Size: list.PerPage,
	}
}

// GET /{institution}/cards
func (a *app) cardList(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	list := web.ReadList(r, cardListSpec)
	found, err := a.money.Cards.List(r.Context(), web.CallerOf(r.Context()), cardQuery(list, &v))
	if err != nil {
		return err
	}
	list = list.At(found.Page)
	page := cardListPage{
		Shell:   a.shell(r, v.me, "Cards"),
		Columns: []ui.Column{{Label: "Card"}, list.Column("holder", "Holder"), list.Column("account", "Account"), {Label: "Expires"}, list.Column("state", "State")},
		Pager:   list.Pager("Cards", found.Matching), Empty: found.Total == 0, Export: withQuery(v.base.exportCards() + "?" + r.URL.RawQuery),
	}
	if !found.See.Allowed {
		page.Blocked, page.Why = v.blockers(found.See), v.base.whyMe()+"?operation="+catalog.CardsManageOperation.ID()
	}
	page.Toolbar = list.Toolbar("Search cards", resultOf(found.Matching, found.Total, "card", "cards"),
		stateFilter(card.States(), func(s host.CardState) (string, string) { return string(s), card.StateLabel(s) }), v.accountFilter())
	for _, c := range found.Cards {
		page.Rows = append(page.Rows, cardRow{
			Href: v.base.card(c.ID), Title: cardTitle(&c.Card), Holder: c.Holder, Account: v.account(c.Account), Expires: shownMonth(&c.Card), State: cardState(c.State), Waits: c.Waits,
		})
	}
	return web.Render(w, r, http.StatusOK, cardListView(page))
}

// shownMonth is when a card expires. Of one that is on its way it stands on the
// card alone: whoever activates it has it in hand.
func shownMonth(c *host.Card) string {
	if c.State == host.CardOrdered {
		return ""
	}
	return cardMonth(c.Expires)
}

// GET /{institution}/cards/export
func (a *app) exportCards(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	q := cardQuery(web.ReadList(r, cardListSpec), &v)
	header := []string{"Card", "Last four digits", "Holder", "Account", "Expires", "State", "Since"}
	return web.WriteCSV(w, "cards.csv", header, a.cardLines(r, &v, q))
}

// cardLines are all cards that a query matches, page by page.
func (a *app) cardLines(r *http.Request, v *moneyView, q card.Query) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		q.Size = card.MaxPage
		for q.Page = 1; ; q.Page++ {
			found, err := a.money.Cards.List(r.Context(), web.CallerOf(r.Context()), q)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, c := range found.Cards {
				line := []string{phrase.Capital(c.Kind), c.LastFour, c.Holder, v.account(c.Account), shownMonth(&c.Card), card.StateLabel(c.State), ui.DateTime(c.Changed, v.place())}
				if !yield(line, nil) {
					return
				}
			}
			if found.Page != q.Page || found.Page*q.Size >= found.Matching {
				return
			}
		}
	}
}

type cardPage struct {
	Shell   ui.Shell
	Title   string
	State   ui.State
	Moving  bool // the host has not answered: the page looks again by itself
	Here    string
	Problem *ui.Message
	Facts   []ui.Fact
	Actions []ui.Action
	Events  []ui.Event
	Receipt string
}

// GET /{institution}/cards/{card}
func (a *app) cardDetail(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	d, err := a.oneCard(r)
	if err != nil {
		return err
	}
	page := cardPage{
		Shell: a.shell(r, v.me, cardTitle(&d.Card), ui.Link{Label: "Cards", Href: v.base.cards()}), Title: cardTitle(&d.Card), State: cardState(d.State),
		Moving: d.Waits, Here: v.base.card(d.ID), Problem: v.cardProblem(&d), Facts: v.cardFacts(&d), Events: v.timeline(d.Events), Receipt: v.base.card(d.ID) + "/receipt",
	}
	for _, step := range d.Can {
		action := cardSteps[step].action
		action.Href, action.Dialog = v.base.cardStep(d.ID, step), !asksMore(step)
		page.Actions = append(page.Actions, action)
	}
	return web.Render(w, r, http.StatusOK, cardView(page))
}

func (a *app) oneCard(r *http.Request) (card.Detail, error) {
	return a.money.Cards.Get(r.Context(), web.CallerOf(r.Context()), host.CardID(r.PathValue("card")))
}

// cardProblem says what somebody must know about a card, and what they can do.
func (v *moneyView) cardProblem(d *card.Detail) *ui.Message {
	if d.Waits {
		return &ui.Message{Tone: ui.Note, Icon: "hourglass", Title: "With the host", Text: "What was asked about this card is being done. This page looks again by itself."}
	}
	if len(d.Requests) > 0 && d.Requests[0].State == card.Refused {
		return &ui.Message{Tone: ui.Bad, Title: "The card was not changed", Text: d.Requests[0].Problem}
	}
	switch d.State {
	case host.CardOrdered:
		return &ui.Message{Tone: ui.Note, Title: "This card is on its way", Text: "It pays nothing until somebody activates it."}
	case host.CardLocked:
		return &ui.Message{Tone: ui.Warn, Icon: "lock", Title: "This card is locked", Text: "It pays nothing until it is unlocked."}
	case host.CardLost, host.CardStolen:
		text := "It pays nothing any more, and nothing more can be done with it. It is listed for 30 days. "
		if d.Instead == nil {
			text += "To get a new one, ask " + v.me.Institution.Name + "."
		}
		return &ui.Message{Tone: ui.Bad, Title: "This card was reported " + strings.ToLower(card.StateLabel(d.State)), Text: text}
	}
	return nil
}

func (v *moneyView) cardFacts(d *card.Detail) []ui.Fact {
	facts := []ui.Fact{
		{Term: "Holder", Value: d.Holder}, {Term: "Account", Value: v.account(d.Account)}, {Term: "Kind", Value: phrase.Capital(d.Kind) + " card"},
		{Term: "Last four digits", Value: d.LastFour},
	}
	if d.State != host.CardOrdered {
		facts = append(facts, ui.Fact{Term: "Expires", Value: cardMonth(d.Expires)})
	}
	facts = append(facts, ui.Fact{Term: "Since", Value: ui.DateTime(d.Changed, v.place())})
	if d.Before != nil {
		facts = append(facts, ui.Fact{Term: "Replaces", More: ui.TextLink(ui.Link{Label: cardTitle(d.Before), Href: v.base.card(d.Before.ID), Icon: "credit-card"})})
	}
	if d.Instead != nil {
		facts = append(facts, ui.Fact{Term: "Ordered instead", More: ui.TextLink(ui.Link{Label: cardTitle(d.Instead), Href: v.base.card(d.Instead.ID), Icon: "credit-card"})})
	}
	return facts
}

// GET /{institution}/cards/{card}/receipt
func (a *app) cardReceipt(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	d, err := a.oneCard(r)
	if err != nil {
		return err
	}
	shell := a.shell(r, v.me, "Receipt", ui.Link{Label: "Cards", Href: v.base.cards()}, ui.Link{Label: cardTitle(&d.Card), Href: v.base.card(d.ID)})
	shell.Narrow = true
	facts := []ui.Fact{
		{Term: "Institution", Value: v.me.Institution.Name}, {Term: "Organization", Value: v.me.Organization.Name}, {Term: "Card", Value: cardTitle(&d.Card)},
		{Term: "Holder", Value: d.Holder}, {Term: "Account", Value: v.account(d.Account)}, {Term: "State", More: ui.Status(cardState(d.State))},
	}
	for _, asked := range slices.Backward(d.Requests) {
		value := fmt.Sprintf("%s, %s", asked.By.Name, ui.DateTime(asked.Created, v.place()))
		switch asked.State {
		case card.Sent:
			value += ". With the host."
		case card.Done:
			value += ". Done, host reference " + asked.Reference + "."
		case card.Refused:
			value += ". Not done: " + asked.Problem
		}
		facts = append(facts, ui.Fact{Term: cardSteps[asked.Step].done, Value: value})
	}
	note := "As it stands on " + ui.DateTime(a.site.Clock.Now(), v.place()) + "."
	return web.Render(w, r, http.StatusOK, receiptPage(shell, cardTitle(&d.Card), v.me.Institution.Name, facts, note))
}
