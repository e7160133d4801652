package fineract

import (
	"context"
	"fmt"
	"net/url"
	"strconv"

	"mandate/internal/bank"
	"mandate/internal/host"
)

// A client of Fineract's is an organization of ours.
type client struct {
	ID     int64  `json:"id"`
	Office int64  `json:"officeId"`
	Active bool   `json:"active"`
	Name   string `json:"displayName"`
}

// clientOf reads the client behind a ref; it is nil where there is none.
func (c *Connector) clientOf(ctx context.Context, institution bank.InstitutionID, ref host.Ref) (*client, error) {
	id, known := idOf(ref)
	if !known {
		return nil, nil
	}
	var found client
	err := c.get(ctx, institution, "clients/"+strconv.FormatInt(id, 10), nil, &found)
	switch {
	case missing(err):
		return nil, nil
	case err != nil:
		return nil, err
	case found.ID != id || found.Office <= 0:
		return nil, fmt.Errorf("fineract: the answer about client %d is about another, or not whole", id)
	}
	return &found, nil
}

// An owned account is one as the list of a client's accounts has it.
type owned struct {
	ID       int64  `json:"id"`
	Number   string `json:"accountNo"`
	Product  string `json:"productName"`
	Currency struct {
		Code string `json:"code"`
	} `json:"currency"`
	Status struct {
		Active bool `json:"active"`
		Closed bool `json:"closed"`
	} `json:"status"`
	Kind struct {
		ID int `json:"id"`
	} `json:"depositType"`
}

const plainSavings = 100 // the deposit type that money is moved on

// owned lists the savings accounts of a client that are known here, open ones
// and those that were.
func (c *Connector) owned(ctx context.Context, institution bank.InstitutionID, id int64) ([]owned, error) {
	house, err := c.house(institution)
	if err != nil {
		return nil, err
	}
	var list struct {
		Savings []owned `json:"savingsAccounts"`
	}
	if err := c.get(ctx, institution, fmt.Sprintf("clients/%d/accounts", id), nil, &list); err != nil {
		return nil, err
	}
	var known []owned
	for _, a := range list.Savings {
		if a.ID <= 0 {
			return nil, fmt.Errorf("fineract: an account of client %d has no number", id)
		}
		if a.Currency.Code == house.Currency && a.Kind.ID == plainSavings && (a.Status.Active || a.Status.Closed) {
			known = append(known, a)
		}
	}
	return known, nil
}

// findHold finds what an order set aside by the mark in its reason: the order
// that ends it does not say on which account it is.
func (w *work) findHold(ctx context.Context) (host.Code, bank.AccountID, error) {
	accounts, err := w.owned(ctx, w.order.Institution, w.client.ID)
	if err != nil {
		return "", "", err
	}
	key := keyOf(w.order, w.order.Free)
	for _, a := range accounts {
		if !a.Status.Active {
			continue
		}
		err := w.transactions(ctx, w.order.Institution, a.ID, url.Values{"types": {strconv.Itoa(typeHold)}}, func(t *transaction) (bool, error) {
			if m, marked := in(t.Reason); marked && m.key == key {
				w.from, w.held = a.ID, t.ID
			}
			return w.held != 0, nil
		})
		if err != nil {
			return "", "", err
		}
		if w.held != 0 {
			return "", "", nil
		}
	}
	return host.UnknownHold, "", nil
}
