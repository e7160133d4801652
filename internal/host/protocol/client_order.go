package protocol

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/host"
)

// Carry carries an order out at the host.
func (c *Client) Carry(ctx context.Context, o host.Order) (host.Receipt, error) {
	order, err := c.order(ctx, &o)
	if err != nil {
		return host.Receipt{}, err
	}
	var receipt Receipt
	if err := c.ask(ctx, request{institution: o.Institution, method: http.MethodPost, name: "orders", key: order.Key, body: order, time: orderTime}, &receipt); err != nil {
		return host.Receipt{}, err
	}
	if err := receipt.check(order); err != nil {
		return host.Receipt{}, fmt.Errorf("the host's receipt of %s: %w", order.Key, err)
	}
	return c.receipt(ctx, &o, &receipt)
}

func (c *Client) receipt(ctx context.Context, o *host.Order, r *Receipt) (host.Receipt, error) {
	ours := host.Receipt{Reference: r.Reference, At: r.At, Refused: r.Code, User: r.User, Version: r.Version}
	if r.Account == "" {
		return ours, nil
	}
	ids, err := c.names.AccountsOf(ctx, o.Institution, o.Organization, []host.Ref{r.Account})
	ours.Account = ids[r.Account]
	return ours, err
}

// order writes an order by the host's names.
func (c *Client) order(ctx context.Context, o *host.Order) (*Order, error) {
	t, err := c.translator(ctx, o)
	if err != nil {
		return nil, err
	}
	out := &Order{Key: o.Key(), Organization: t.organization, Day: o.Day, Memo: o.Memo, Free: o.Free, Lift: o.Lift}
	for _, leg := range o.Legs {
		out.Legs = append(out.Legs, t.leg(leg))
	}
	if h := o.Hold; h != nil {
		out.Hold = &Hold{t.account(h.Account), h.Cents}
	}
	if s := o.Stop; s != nil {
		out.Stop = &Stop{Account: t.account(s.Account), First: s.First, Last: s.Last, Cents: s.Cents, Until: s.Until}
	}
	if f := o.File; f != nil {
		out.File = &File{f.Name, f.Kind, f.Body}
	}
	if e := o.Enrol; e != nil {
		out.Enrol = &Enrolment{t.account(e.Account), e.On}
	}
	if i := o.Issued; i != nil {
		out.Issued = &Issued{Account: t.account(i.Account), Checks: make([]IssuedCheck, 0, len(i.Checks))}
		for _, check := range i.Checks {
			out.Issued.Checks = append(out.Issued.Checks, IssuedCheck(check))
		}
	}
	if r := o.Ruling; r != nil {
		out.Ruling = &Ruling{r.Item, r.Pay, r.Reason}
	}
	if k := o.Card; k != nil {
		out.Card = &CardOrder{k.Card, k.Step, k.Replace}
	}
	if u := o.User; u != nil {
		out.User = &UserOrder{Step: u.Step, User: UserOf(&u.User), Fields: u.Fields}
		if out.Organization == "" {
			out.Organization = u.User.Organization
		}
	}
	if err := errors.Join(t.unknown(), out.check()); err != nil {
		return nil, fmt.Errorf("the order %s: %w", out.Key, err)
	}
	return out, nil
}

// A translator knows the host's names of what one order is about.
type translator struct {
	organization host.Ref
	names        map[bank.AccountID]host.Ref
	missing      []string
}

func (c *Client) translator(ctx context.Context, o *host.Order) (*translator, error) {
	t := &translator{}
	if o.Organization != "" {
		organizations, err := c.names.Organizations(ctx, o.Institution, []bank.OrganizationID{o.Organization})
		if err != nil {
			return nil, err
		}
		known := false
		if t.organization, known = organizations[o.Organization]; !known {
			t.missing = append(t.missing, string(o.Organization))
		}
	}
	var err error
	t.names, err = c.names.Accounts(ctx, o.Institution, accountsOf(o))
	return t, err
}

func (t *translator) account(id bank.AccountID) host.Ref {
	ref, known := t.names[id]
	if !known {
		t.missing = append(t.missing, string(id))
	}
	return ref
}

func (t *translator) leg(leg host.Leg) Leg {
	if host.IsInternal(leg.Account) {
		return Leg{Internal: host.InternalName(leg.Account), Cents: leg.Cents}
	}
	return Leg{Account: t.account(leg.Account), Cents: leg.Cents}
}

// unknown says what the host has no name of: an order about it is not sent.
func (t *translator) unknown() error {
	if len(t.missing) == 0 {
		return nil
	}
	return errors.New("there is no name at the host of " + strings.Join(t.missing, ", "))
}

// accountsOf are the customers' accounts that an order names.
func accountsOf(o *host.Order) (all []bank.AccountID) {
	for _, leg := range o.Legs {
		if !host.IsInternal(leg.Account) {
			all = append(all, leg.Account)
		}
	}
	if o.Hold != nil {
		all = append(all, o.Hold.Account)
	}
	if o.Stop != nil {
		all = append(all, o.Stop.Account)
	}
	if o.Enrol != nil {
		all = append(all, o.Enrol.Account)
	}
	if o.Issued != nil {
		all = append(all, o.Issued.Account)
	}
	return all
}
