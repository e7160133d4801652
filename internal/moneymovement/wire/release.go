package wire

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/host"
	"mandate/internal/moneymovement/wire/message"
	"mandate/internal/usage"
)

// release hands a wire to the host with this change. Everybody is judged once
// more, on the wire as it stands; where the answer is no, nothing is changed,
// and the answer is a fault of kind Forbidden or Conflict.
func (s *Service) release(c *guard.Change, days *calendar.Calendar, w *Wire) error {
	today := days.Today(c.Tx.Now)
	if today != w.Day || !days.InWindow(calendar.Wires, c.Tx.Now) {
		return fault.New(fault.Conflict, "It did not go out before the cut-off of its day.").With("PAST_CUTOFF")
	}
	if err := s.judge(c, w); err != nil {
		return err
	}
	if err := usage.Move(c.Tx, w.Institution, w.Organization, w.reservation(), today); err != nil {
		return err
	}
	terms, err := termsOf(c.Tx, w.Institution)
	if err != nil {
		return err
	}
	if w.Number, err = nextNumber(c.Tx, w.Institution, today); err != nil {
		return err
	}
	w.Format = terms.Format
	body, err := w.message(terms, w.Number, c.Tx.Now)
	if err != nil {
		return err
	}
	if err := w.to(c.Tx, release); err != nil {
		return err
	}
	return host.Queue(c.Tx, host.Order{
		Institution: w.Institution, Organization: w.Organization, Room: RoomName, Ref: w.ref(), Day: w.Day, Memo: "Wire to " + w.Payee.Name,
		Legs: host.Move(w.Account, host.Internal("wires"), w.Cents),
		File: &host.File{Name: w.reference() + extensions[w.Format], Kind: string(w.Format), Body: body},
	})
}

var extensions = map[message.Format]string{message.FAIM: ".txt", message.Pacs008: ".xml"}

// judge asks again about everybody on whose word a wire goes out.
func (s *Service) judge(c *guard.Change, w *Wire) error {
	if w.Item != "" {
		_, err := s.queue.ReleaseIn(c, RoomName, string(w.ID))
		return err
	}
	req := w.sending(catalog.WiresTransmitOperation, w.By.ID, c.Tx.Now)
	e, err := explain(c.Tx, c.Policy, req, w.reservation())
	if err != nil {
		return err
	}
	if !e.Allowed {
		return refusal(req.Operation, e)
	}
	if e.ApprovalRequired {
		return fault.New(fault.Conflict, "A second person must agree to it by now. Send it off again, and they are asked.").With(string(entitlement.NotApproved))
	}
	return nil
}

// message writes the wire as banks send it.
func (w *Wire) message(terms Terms, number int, now time.Time) ([]byte, error) {
	if terms.Routing == "" {
		return nil, ErrNotSetUp
	}
	return message.Write(&message.Payment{
		Reference: w.reference(), Identity: w.ref(), Source: terms.Source, Number: number, Day: w.Day, Created: now, Cents: w.Cents,
		Sender: message.Agent{Routing: terms.Routing, Name: terms.Name}, Via: w.Via, Bank: w.Bank,
		Originator: w.Originator, Beneficiary: w.Payee, Remarks: w.Remarks,
	}, terms.Format)
}

// back makes a wire ready again, with the reason, and gives back what it counts,
// once: a wire that counts leaves the states that do. A series goes on.
func (s *Service) back(c *guard.Change, w *Wire, code, problem string) error {
	if err := w.free(c.Tx); err != nil {
		return err
	}
	if _, err := s.queue.WithdrawIn(c, RoomName, string(w.ID)); err != nil {
		return err
	}
	w.Code, w.Problem = code, problem
	if err := w.to(c.Tx, giveBack); err != nil {
		return err
	}
	return s.goOn(c, w)
}

// returned is back with a record, and the people are told.
func (s *Service) returned(c *guard.Change, w *Wire, code, problem string) error {
	old := w.State
	if err := s.back(c, w, code, problem); err != nil {
		return err
	}
	c.RecordRefused(EventRefused, w.target(), code, problem, activity.Change{Field: "state", Old: string(old), New: string(w.State)})
	key := fmt.Sprintf("wire %s %d returned", w.ID, w.Version)
	return s.teller.Tell(c.Tx, w.Institution, w.people(c.Policy), key, EventRefused, "A wire did not go out",
		fmt.Sprintf("A wire that %s made did not go out. Nothing has moved.", w.Maker.Name), "Sign in and look under Wires: it is ready to be changed, sent off again or cancelled.")
}

// people are those who are told what became of a wire: whoever made it, on
// whose right it goes, and the admins where that person cannot act any more.
func (w *Wire) people(p *entitlement.Policy) []bank.UserID {
	people := []bank.UserID{w.By.ID}
	if w.Maker.ID != w.By.ID {
		people = append(people, w.Maker.ID)
	}
	if m := p.Members[w.By.ID]; m == nil || m.Status != bank.StatusActive || m.Held {
		people = append(people, p.UsableAdmins...)
	}
	return people
}

// refusedBecause is why a verb of ours said no, as a wire keeps it. Any other
// error is none.
func refusedBecause(err error, by string) (code, problem string, refused bool) {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind != fault.Forbidden && f.Kind != fault.Conflict && f.Kind != fault.Unavailable {
		return "", "", false
	}
	problem = f.Sentence
	if r, ok := errors.AsType[*Refusal](err); ok {
		var all []string
		for _, reason := range r.Reasons {
			all = append(all, reason.Sentence(entitlement.Names{Member: by}))
		}
		problem = strings.Join(all, " ")
	}
	return f.Code, problem, true
}

// settled hears from the host. It may hear twice, and late.
func (s *Service) settled(ctx context.Context, o host.Order, r host.Receipt) error {
	id, _, _ := strings.Cut(o.Ref, "/")
	caller := bank.Caller{Kind: bank.ActorHost, Institution: o.Institution, Channel: bank.ChannelCore}
	action := guard.Action{
		Event: EventProcessed, Organization: o.Organization, Others: []bank.ActorKind{bank.ActorHost},
		Target: activity.Target{Kind: activity.TargetPayment, ID: id},
	}
	return s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		w, found, err := find(c.Tx, place{o.Institution, o.Organization}, ID(id))
		if err != nil || !found || w.State != Sent || w.ref() != o.Ref {
			return err
		}
		if err := c.Widen(scopeOf(w.By.ID, w.Account)); err != nil {
			return err
		}
		w.Reference = r.Reference
		if !r.Done() {
			return s.returned(c, &w, string(r.Refused), r.Sentence(func(bank.AccountID) string { return "the account that the money comes from" }))
		}
		c.RecordQuiet(EventProcessed, w.target(), "", activity.Change{Field: "state", Old: string(w.State), New: string(Processed)}, activity.Change{Field: "reference", New: r.Reference})
		return w.to(c.Tx, process)
	})
}
