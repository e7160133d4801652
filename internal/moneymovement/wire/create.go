package wire

import (
	"context"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/moneymovement/wire/message"
)

// A Made is what a draft became: a wire, of a series the first one.
type Made struct {
	ID     ID
	Series SeriesID
}

// Create keeps a wire as ready, sends it off with the same save, or makes a
// series and its first wire. Whoever writes down whom to pay needs the right to
// create wires, whoever uses a template does not; sending off needs the right to
// transmit, and a high-risk authorization. The same draft again makes nothing.
func (s *Service) Create(ctx context.Context, caller bank.Caller, d Draft) (made Made, err error) {
	if err := d.checkShape(); err != nil {
		return Made{}, err
	}
	d.Send = d.Send || d.Repeat != calendar.Once || d.Template != ""
	account := d.Account
	if d.Template != "" {
		if account, err = s.accountOf(ctx, caller, d.Template); err != nil {
			return Made{}, err
		}
	}
	payer, err := s.payer(ctx, caller, account, d.Send)
	if err != nil {
		return Made{}, err
	}
	event := EventCreated
	if d.Send {
		event = EventInitiated
	}
	action := changing(caller, event, d.ID, account)
	action.Target.Name = "wire of " + d.Cents.Dollars()
	err = s.guard.Do(ctx, caller, action, func(c *guard.Change) (err error) {
		made, err = s.create(c, &d, payer)
		return err
	})
	if err != nil {
		return Made{}, err
	}
	if d.Send {
		s.desk.Now(ctx)
	}
	return made, nil
}

// payer is how a message names who pays. It is looked up before the
// transaction, and only for what is sent off.
func (s *Service) payer(ctx context.Context, caller bank.Caller, account bank.AccountID, send bool) (message.Party, error) {
	if !send || account == "" {
		return message.Party{}, nil
	}
	return s.originators(ctx, caller.Institution, caller.Organization, account)
}

func (s *Service) create(c *guard.Change, d *Draft, payer message.Party) (Made, error) {
	days, err := s.calendar.In(c.Tx, c.Caller.Institution)
	if err != nil {
		return Made{}, err
	}
	hash := d.asked()
	known, found, err := repeated(c, d, hash)
	if found || err != nil {
		return known, err
	}
	w := Wire{
		Institution: c.Caller.Institution, Organization: c.Caller.Organization, ID: d.ID, State: Ready, By: somebody(c.Caller), Maker: somebody(c.Caller),
		Created: c.Tx.Now, Originator: payer, hash: hash,
	}
	if d.Template != "" {
		if err := w.draw(c, d); err != nil {
			return Made{}, err
		}
	}
	today := days.Today(c.Tx.Now)
	d.plan(today)
	if err := d.check(today); err != nil {
		return Made{}, err
	}
	if d.Template == "" {
		if err := allow(c, on(catalog.WiresOneTimeCreateOperation, c.Caller.Member(), d.Account, c.Tx.Now)); err != nil {
			return Made{}, err
		}
	}
	if d.Repeat != calendar.Once {
		return s.begin(c, days, d, &w)
	}
	w.Instruction, w.Asked = d.Instruction, d.On
	return Made{ID: w.ID}, s.createOne(c, days, d, &w)
}

// createOne stores a wire that does not repeat and, where that is asked, sends
// it off.
func (s *Service) createOne(c *guard.Change, days *calendar.Calendar, d *Draft, w *Wire) error {
	if err := w.date(days, c.Tx); err != nil {
		return err
	}
	if err := insert(c.Tx, w); err != nil {
		return err
	}
	event := EventCreated
	if d.Send {
		var err error
		if event, err = s.sendOff(c, days, w, d.Anyway); err != nil {
			return err
		}
	}
	c.RecordQuiet(event, w.target(), w.Because, w.told()...)
	return nil
}

// repeated finds what a draft made before. The same id with other content is
// refused.
func repeated(c *guard.Change, d *Draft, hash string) (made Made, found bool, err error) {
	at := place{c.Caller.Institution, c.Caller.Organization}
	if d.Repeat != calendar.Once {
		series, found, err := findSeries(c.Tx, at, d.Series())
		if err != nil || !found {
			return Made{}, false, err
		}
		first, _, err := findOccurrence(c.Tx, at, series.ID, 1)
		return Made{first.ID, series.ID}, true, orReused(err, series.hash == hash && series.Maker.ID == c.Caller.Member())
	}
	w, found, err := find(c.Tx, at, d.ID)
	if err != nil || !found {
		return Made{}, false, err
	}
	return Made{ID: w.ID, Series: w.Series}, true, orReused(nil, w.hash == hash && w.Maker.ID == c.Caller.Member())
}

func orReused(err error, same bool) error {
	if err == nil && !same {
		return fault.New(fault.Conflict, "This form was sent before with something else in it. Open it again.").With("ID_REUSED")
	}
	return err
}

// told is a wire as history keeps it.
func (w *Wire) told() []activity.Change {
	changes := append(w.Instruction.told(), activity.Change{Field: "day", New: string(w.Day)})
	if w.TemplateName != "" {
		changes = append(changes, activity.Change{Field: "template", New: w.TemplateName})
	}
	if w.Series != "" {
		changes = append(changes, activity.Change{Field: "series", New: string(w.Series)})
	}
	return changes
}

func (i *Instruction) told() []activity.Change {
	changes := []activity.Change{
		{Field: "account", New: string(i.Account)}, {Field: "payee", New: i.Payee.Name}, {Field: "payee_account", New: i.Payee.Account}, {Field: "routing", New: i.Bank.Routing},
	}
	if i.Cents != 0 {
		changes = append(changes, activity.Change{Field: "amount", New: i.Cents.String()})
	}
	return changes
}
