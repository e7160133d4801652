package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/host"
	"mandate/internal/moneymovement/card"
)

// Cards is the room of cards.
type Cards interface {
	List(context.Context, bank.Caller, card.Query) (card.Page, error)
	Get(context.Context, bank.Caller, host.CardID) (card.Detail, error)
	Ask(context.Context, bank.Caller, card.Draft) error
}

func (e *Edge) registerCards(a huma.API) {
	add(e, a, http.MethodGet, "/cards", "list-cards", "List the cards of accounts that a person sees", acts(catalog.CardsManageOperation), e.cards)
	add(e, a, http.MethodGet, "/cards/{card}", "get-card", "Read a card", acts(catalog.CardsManageOperation), e.card)
	add(e, a, http.MethodPost, "/cards/{card}/activate", "activate-card", "Activate a card that has arrived", acts(catalog.CardsManageOperation), e.activateCard)
	add(e, a, http.MethodPost, "/cards/{card}/lock", "lock-card", "Lock a card", acts(catalog.CardsManageOperation), e.lockCard)
	add(e, a, http.MethodPost, "/cards/{card}/unlock", "unlock-card", "Unlock a card", acts(catalog.CardsManageOperation), e.unlockCard)
	add(e, a, http.MethodPost, "/cards/{card}/reorder", "reorder-card", "Order a new card instead of one", acts(catalog.CardsManageOperation), e.reorderCard)
	add(e, a, http.MethodPost, "/cards/{card}/report-lost", "report-card-lost", "Report a card lost", acts(catalog.CardsManageOperation), e.loseCard)
	add(e, a, http.MethodPost, "/cards/{card}/report-stolen", "report-card-stolen", "Report a card stolen", acts(catalog.CardsManageOperation), e.stealCard)
}

// Card is a payment card, without its number.
type Card struct {
	ID          string   `json:"id"`
	Account     string   `json:"account"`
	Holder      string   `json:"holder"`
	Kind        string   `json:"kind" doc:"debit or credit."`
	LastFour    string   `json:"last_four"`
	Expires     string   `json:"expires,omitempty" doc:"The last month, such as 2029-04; absent while the card is on its way, because it is asked for when it is activated."`
	State       string   `json:"state" enum:"ordered,active,locked,lost,stolen,replaced"`
	Since       string   `json:"since" format:"date-time"`
	Replaces    string   `json:"replaces,omitempty" doc:"The card that it was ordered instead of."`
	Replacement string   `json:"replacement,omitempty" doc:"The card that was ordered instead."`
	Waits       bool     `json:"waits" doc:"The host has yet to answer what was asked about it."`
	Can         []string `json:"can,omitempty" doc:"What can be asked about it now."`
}

func cardOf(c *host.Card, waits bool) Card {
	shown := Card{
		ID: string(c.ID), Account: string(c.Account), Holder: c.Holder, Kind: c.Kind, LastFour: c.LastFour, Expires: c.Expires, State: string(c.State),
		Since: moment(c.Changed), Replaces: string(c.Replaces), Replacement: string(c.Replacement), Waits: waits,
	}
	if c.State == host.CardOrdered {
		shown.Expires = ""
	}
	return shown
}

type cardsInput struct {
	Acting
	Search  string `query:"search" maxLength:"80" doc:"A part of the holder's name, or of the last four digits."`
	State   string `query:"state" enum:"ordered,active,locked,lost,stolen,replaced"`
	Account string `query:"account" maxLength:"200"`
	Sort    string `query:"sort" enum:"account,holder,state" default:"account"`
	Reverse bool   `query:"reverse"`
	Page    int    `query:"page" minimum:"1" maximum:"1000000" default:"1"`
	Size    int    `query:"size" minimum:"1" maximum:"500" default:"50"`
}

// CardList is one page of cards.
type CardList struct {
	Cards    []Card   `json:"cards"`
	Matching int      `json:"matching" doc:"How many fit what was asked."`
	Total    int      `json:"total" doc:"How many the person sees."`
	Page     int      `json:"page"`
	Decision bool     `json:"decision" doc:"They may manage cards of some account."`
	Reasons  []Reason `json:"reasons" doc:"Everything that blocks."`
}

type cardsOutput struct{ Body CardList }

// GET /api/v1/cards
func (e *Edge) cards(ctx context.Context, in *cardsInput) (*cardsOutput, error) {
	caller, err := e.look(ctx, in.Acting, catalog.CardsManageOperation)
	if err != nil {
		return nil, err
	}
	page, err := e.Cards.List(ctx, caller, card.Query{
		Search: in.Search, State: host.CardState(in.State), Account: bank.AccountID(in.Account), Sort: card.Sort(in.Sort), Reverse: in.Reverse, Page: in.Page, Size: in.Size,
	})
	if err != nil {
		return nil, err
	}
	list := CardList{
		Cards: []Card{}, Matching: page.Matching, Total: page.Total, Page: max(1, page.Page), Decision: page.See.Allowed,
		Reasons: reasonsOf(withoutHold(page.See.Reasons), entitlement.Names{}),
	}
	for i := range page.Cards {
		list.Cards = append(list.Cards, cardOf(&page.Cards[i].Card, page.Cards[i].Waits))
	}
	return &cardsOutput{list}, nil
}

// CardDetail is a card with its history.
type CardDetail struct {
	Card
	Events []HistoryEvent `json:"events" doc:"What happened, the latest first."`
}

type cardOutput struct{ Body CardDetail }

type cardInput struct {
	Acting
	ID string `path:"card" maxLength:"200"`
}

// GET /api/v1/cards/{card}
func (e *Edge) card(ctx context.Context, in *cardInput) (*cardOutput, error) {
	caller, err := e.look(ctx, in.Acting, catalog.CardsManageOperation)
	if err != nil {
		return nil, err
	}
	return e.shownCard(ctx, caller, in.ID)
}

func (e *Edge) shownCard(ctx context.Context, caller bank.Caller, id string) (*cardOutput, error) {
	d, err := e.Cards.Get(ctx, caller, host.CardID(id))
	if err != nil {
		return nil, err
	}
	shown := CardDetail{cardOf(&d.Card, d.Waits), eventsOf(d.Events)}
	shown.Can = texts(d.Can)
	return &cardOutput{shown}, nil
}

type changeCardInput struct {
	Changing
	ID string `path:"card" maxLength:"200"`
}

// CardArrived says what stands on a card that has arrived.
type CardArrived struct {
	Expires string `json:"expires" pattern:"^[0-9]{4}-(0[1-9]|1[0-2])$" doc:"The month on the card, such as 2029-04."`
}

type activateCardInput struct {
	Changing
	ID   string `path:"card" maxLength:"200"`
	Body CardArrived
}

// CardGone says what shall happen after a card is gone.
type CardGone struct {
	Replace bool `json:"replace,omitempty" doc:"Send a new card."`
}

type reportCardInput struct {
	Changing
	ID   string `path:"card" maxLength:"200"`
	Body CardGone
}

// POST /api/v1/cards/{card}/activate
func (e *Edge) activateCard(ctx context.Context, in *activateCardInput) (*cardOutput, error) {
	return e.askCard(ctx, in.Changing, card.Draft{Card: host.CardID(in.ID), Step: host.ActivateCard, Expires: in.Body.Expires})
}

// POST /api/v1/cards/{card}/lock
func (e *Edge) lockCard(ctx context.Context, in *changeCardInput) (*cardOutput, error) {
	return e.askCard(ctx, in.Changing, card.Draft{Card: host.CardID(in.ID), Step: host.LockCard})
}

// POST /api/v1/cards/{card}/unlock
func (e *Edge) unlockCard(ctx context.Context, in *changeCardInput) (*cardOutput, error) {
	return e.askCard(ctx, in.Changing, card.Draft{Card: host.CardID(in.ID), Step: host.UnlockCard})
}

// POST /api/v1/cards/{card}/reorder
func (e *Edge) reorderCard(ctx context.Context, in *changeCardInput) (*cardOutput, error) {
	return e.askCard(ctx, in.Changing, card.Draft{Card: host.CardID(in.ID), Step: host.ReorderCard})
}

// POST /api/v1/cards/{card}/report-lost
func (e *Edge) loseCard(ctx context.Context, in *reportCardInput) (*cardOutput, error) {
	return e.askCard(ctx, in.Changing, card.Draft{Card: host.CardID(in.ID), Step: host.LoseCard, Replace: in.Body.Replace})
}

// POST /api/v1/cards/{card}/report-stolen
func (e *Edge) stealCard(ctx context.Context, in *reportCardInput) (*cardOutput, error) {
	return e.askCard(ctx, in.Changing, card.Draft{Card: host.CardID(in.ID), Step: host.StealCard, Replace: in.Body.Replace})
}

func (e *Edge) askCard(ctx context.Context, in Changing, d card.Draft) (*cardOutput, error) {
	ctx, caller, err := e.change(ctx, in, catalog.CardsManageOperation, d)
	if err != nil {
		return nil, err
	}
	d.ID = card.RequestID(idOf("crq", caller, in.Key))
	if err := e.Cards.Ask(ctx, caller, d); err != nil {
		return nil, err
	}
	return e.shownCard(ctx, caller, string(d.Card))
}
