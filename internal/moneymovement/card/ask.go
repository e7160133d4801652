package card

import (
	"context"
	"fmt"
	"regexp"
	"slices"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/host"
)

// A Draft is something that is asked about a card.
type Draft struct {
	ID      RequestID // chosen by whoever asks: the same one asks once
	Card    host.CardID
	Step    host.CardStep
	Replace bool   // of a lost or stolen card: send a new one
	Expires string // of a card that is activated: the month on it, such as "2029-04"
}

var idSyntax = regexp.MustCompile(`^crq_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// check refuses what no form of ours sends, before anything is looked up.
func (d *Draft) check() error {
	var problems fault.Problems
	if !idSyntax.MatchString(string(d.ID)) {
		problems.Add("id", "Open the form again.")
	}
	if !slices.Contains(Steps(), d.Step) {
		problems.Add("step", "There is no such thing to ask about a card.")
	}
	if d.Replace && d.Step != host.LoseCard && d.Step != host.StealCard {
		problems.Add("replace", "Only a card that is lost or stolen is replaced in this way.")
	}
	return problems.Err("This cannot be asked as it stands.")
}

// Ask asks the host for something about a card. It has been at the host when
// Ask returns, unless the host takes its time. What lets a card pay, or sends a
// new one, asks for a high-risk authorization; what protects does not. The same
// draft again asks nothing.
func (s *Service) Ask(ctx context.Context, caller bank.Caller, d Draft) error {
	if err := d.check(); err != nil {
		return err
	}
	seen, err := s.find(ctx, caller, d.Card)
	if err != nil {
		return err
	}
	action := guard.Action{
		Event: Event(d.Step), Organization: caller.Organization, Target: target(seen.ID, Name(&seen)),
		Others: []bank.ActorKind{bank.ActorMember}, // the engine is asked with the account
		Scope:  entitlement.Scope{Accounts: []bank.AccountID{seen.Account}},
	}
	err = s.guard.Do(ctx, caller, action, func(c *guard.Change) error { return s.ask(c, d, &seen) })
	if err != nil {
		return err
	}
	s.desk.Now(ctx)
	return nil
}

// find is a card as the host has it.
func (s *Service) find(ctx context.Context, caller bank.Caller, id host.CardID) (host.Card, error) {
	cards, err := s.fromHost(ctx, caller)
	if err != nil {
		return host.Card{}, err
	}
	for _, c := range cards {
		if c.ID == id {
			return c, nil
		}
	}
	return host.Card{}, ErrNone
}

func (s *Service) ask(c *guard.Change, d Draft, seen *host.Card) error {
	at, hash := place{c.Caller.Institution, c.Caller.Organization}, hashOf(d)
	known, found, err := find(c.Tx, at, d.ID)
	switch {
	case err != nil:
		return err
	case found && known.hash == hash && known.By.ID == c.Caller.Member():
		return nil
	case found:
		return fault.New(fault.Conflict, "This form was sent before with something else in it. Open it again.").With("ID_REUSED")
	}
	e := entitlement.Explain(c.Policy, question(c.Caller.Member(), seen.Account, c.Tx.Now))
	if !e.Allowed {
		return fault.New(fault.Forbidden, "You may not manage this card.").With(string(e.Reasons[0].Code)).Because(&Refusal{e})
	}
	if err := s.possible(c, at, d, seen); err != nil {
		return err
	}
	if !protects(d.Step) || d.Replace {
		if err := c.RequireProof([]byte("card " + hash)); err != nil {
			return err
		}
	}
	r := Request{
		Institution: at.institution, Organization: at.organization, ID: d.ID, Card: seen.ID, Account: seen.Account, Name: Name(seen), Step: d.Step, Replace: d.Replace,
		State: Sent, By: Somebody{c.Caller.Member(), c.Caller.Name}, Created: c.Tx.Now, hash: hash,
	}
	if err := insert(c.Tx, &r); err != nil {
		return err
	}
	c.RecordQuiet(Event(d.Step), target(r.Card, r.Name), "", r.told()...)
	return host.Queue(c.Tx, host.Order{
		Institution: r.Institution, Organization: r.Organization, Room: RoomName, Ref: string(r.ID), Day: bank.DayOf(c.Tx.Now, c.Policy.Institution.Location),
		Memo: fmt.Sprintf("%s, %s", d.Step, r.Name), Card: &host.CardOrder{Card: r.Card, Step: r.Step, Replace: r.Replace},
	})
}

// possible refuses what cannot be asked about a card as it stands.
func (s *Service) possible(c *guard.Change, at place, d Draft, seen *host.Card) error {
	waiting, err := waits(c.Tx, at, seen.ID)
	if err != nil {
		return err
	}
	if waiting {
		return fault.New(fault.Conflict, "Something else was asked about this card, and the host has not answered yet.").With("CARD_WAITS")
	}
	if !seen.Can(d.Step) {
		return fault.Newf(fault.Conflict, "This cannot be done with the card: %s.", standing(seen)).With("STATE")
	}
	if d.Step == host.ActivateCard && d.Expires != seen.Expires {
		var problems fault.Problems
		problems.Add("expires", "This is not the month on the card. Write it as it stands there, such as 04/29.")
		return problems.Err("The card was not activated.")
	}
	return nil
}

// standing is how a card stands, within a sentence.
func standing(c *host.Card) string {
	if c.Replacement != "" && (c.State == host.CardActive || c.State == host.CardLocked) {
		return "a new one was ordered instead"
	}
	return map[host.CardState]string{
		host.CardOrdered: "it is on its way", host.CardActive: "it is active", host.CardLocked: "it is locked", host.CardLost: "it was reported lost",
		host.CardStolen: "it was reported stolen", host.CardReplaced: "it was replaced",
	}[c.State]
}

// told is a request as history keeps it.
func (r *Request) told() []activity.Change {
	changes := []activity.Change{{Field: "account", New: string(r.Account)}}
	if r.Replace {
		changes = append(changes, activity.Change{Field: "replacement", New: "true"})
	}
	return changes
}

// settled hears from the host. It may hear twice, and late.
func (s *Service) settled(ctx context.Context, o host.Order, r host.Receipt) error {
	caller := bank.Caller{Kind: bank.ActorHost, Institution: o.Institution, Channel: bank.ChannelCore}
	action := guard.Action{
		Event: EventDone, Organization: o.Organization, Others: []bank.ActorKind{bank.ActorHost}, Target: activity.Target{Kind: activity.TargetPayment, ID: string(o.Card.Card)},
	}
	return s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		asked, found, err := find(c.Tx, place{o.Institution, o.Organization}, RequestID(o.Ref))
		if err != nil || !found || asked.State != Sent {
			return err
		}
		asked.State, asked.Settled, asked.Reference = Done, c.Tx.Now, r.Reference
		if r.Done() {
			c.RecordQuiet(EventDone, target(asked.Card, asked.Name), "", activity.Change{Field: "done", New: string(asked.Step)})
			return update(c.Tx, &asked)
		}
		asked.State, asked.Code, asked.Problem = Refused, string(r.Refused), r.Sentence(func(bank.AccountID) string { return "the card's account" })
		c.RecordRefused(EventRefused, target(asked.Card, asked.Name), asked.Code, asked.Problem)
		if err := update(c.Tx, &asked); err != nil {
			return err
		}
		return s.teller.Tell(c.Tx, asked.Institution, []bank.UserID{asked.By.ID}, "card "+string(asked.ID), EventRefused, "A card was not changed",
			"The host did not do what you asked about a card. The card stands as it did.", "Sign in and look under Cards.")
	})
}
