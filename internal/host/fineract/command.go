package fineract

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"

	"mandate/internal/host"
)

const savingsType = 2 // of an account, where a transfer names it

// newTransfer is the body of POST accounttransfers.
type newTransfer struct {
	FromOffice  int64       `json:"fromOfficeId"`
	FromClient  int64       `json:"fromClientId"`
	FromType    int         `json:"fromAccountType"`
	From        int64       `json:"fromAccountId"`
	ToOffice    int64       `json:"toOfficeId"`
	ToClient    int64       `json:"toClientId"`
	ToType      int         `json:"toAccountType"`
	To          int64       `json:"toAccountId"`
	Date        string      `json:"transferDate"`
	Amount      json.Number `json:"transferAmount"`
	Description string      `json:"transferDescription"`
	DateFormat  string      `json:"dateFormat"`
	Locale      string      `json:"locale"`
}

// newTransaction is the body of POST savingsaccounts/{id}/transactions. Fineract
// refuses members that a command does not have.
type newTransaction struct {
	Date        string      `json:"transactionDate"`
	Amount      json.Number `json:"transactionAmount"`
	PaymentType int64       `json:"paymentTypeId,omitempty"` // of deposits and withdrawals
	Receipt     string      `json:"receiptNumber,omitempty"`
	Reason      string      `json:"reasonForBlock,omitempty"` // of holds
	Lien        *bool       `json:"lienAllowed,omitempty"`
	DateFormat  string      `json:"dateFormat"`
	Locale      string      `json:"locale"`
}

// command is what is sent for a step.
func (w *work) command() (path string, query url.Values, body any) {
	amount, day := decimal(w.step.cents), string(w.order.Day)
	t := newTransaction{Date: day, Amount: amount, DateFormat: dateFormat, Locale: locale}
	path = fmt.Sprintf("savingsaccounts/%d/transactions", w.from)
	switch w.step.kind {
	case transfer:
		return "accounttransfers", nil, newTransfer{
			FromOffice: w.client.Office, FromClient: w.client.ID, FromType: savingsType, From: w.from,
			ToOffice: w.client.Office, ToClient: w.client.ID, ToType: savingsType, To: w.to,
			Date: day, Amount: amount, Description: described(w.order.Memo, w.mark), DateFormat: dateFormat, Locale: locale,
		}
	case withdrawal:
		t.PaymentType, t.Receipt = w.step.payment, w.mark.String()
		return path, url.Values{"command": {"withdrawal"}}, t
	case deposit:
		t.PaymentType, t.Receipt = w.step.payment, w.mark.String()
		return path, url.Values{"command": {"deposit"}}, t
	case hold:
		t.Reason, t.Lien = described(w.order.Memo, w.mark), new(bool)
		return path, url.Values{"command": {"holdAmount"}}, t
	}
	return path + "/" + strconv.FormatInt(w.held, 10), url.Values{"command": {"releaseAmount"}}, struct{}{}
}

// confirm reads what was made and sees that it is this order.
func (w *work) confirm(ctx context.Context, m made) (host.Receipt, error) {
	switch w.step.kind {
	case transfer:
		return w.confirmTransfer(ctx, m)
	case release:
		return w.receipt(fmt.Sprintf("S%d", m.Resource)), nil
	}
	var t transaction
	if err := w.get(ctx, w.order.Institution, fmt.Sprintf("savingsaccounts/%d/transactions/%d", m.Account, m.Resource), nil, &t); err != nil {
		return host.Receipt{}, fmt.Errorf("read what was made: %w", err)
	}
	if t.ID != m.Resource {
		return host.Receipt{}, fmt.Errorf("fineract: asked for transaction %d it answers with %d", m.Resource, t.ID)
	}
	if err := w.check(t.text(), t.Amount); err != nil {
		return host.Receipt{}, err
	}
	return w.receipt(t.reference()), nil
}

// check sees that a text carries this order's mark, and beside it its amount.
func (w *work) check(text string, a amount) error {
	m, marked := in(text)
	if !marked || m.key != w.mark.key {
		return fmt.Errorf("fineract: what was made for %s is not marked as it", w.order.Key())
	}
	if err := w.same(m); err != nil {
		return err
	}
	if cents, err := a.cents(); err != nil || cents != w.step.cents {
		return fmt.Errorf("fineract: what was made for %s has another amount", w.order.Key())
	}
	return nil
}

// confirmTransfer finds the transfer by its details: what a new one is answered
// with is the number of those.
func (w *work) confirmTransfer(ctx context.Context, m made) (host.Receipt, error) {
	var page struct {
		Items []struct {
			ID          int64  `json:"id"`
			Amount      amount `json:"transferAmount"`
			Description string `json:"transferDescription"`
			From        struct {
				ID int64 `json:"id"`
			} `json:"fromAccount"`
			To struct {
				ID int64 `json:"id"`
			} `json:"toAccount"`
		} `json:"pageItems"`
	}
	query := url.Values{"accountDetailId": {strconv.FormatInt(m.Resource, 10)}, "limit": {"2"}}
	if err := w.get(ctx, w.order.Institution, "accounttransfers", query, &page); err != nil {
		return host.Receipt{}, fmt.Errorf("read what was made: %w", err)
	}
	if len(page.Items) != 1 || page.Items[0].ID <= 0 {
		return host.Receipt{}, fmt.Errorf("fineract: the transfer that was made for %s is not one", w.order.Key())
	}
	made := page.Items[0]
	if err := w.check(made.Description, made.Amount); err != nil {
		return host.Receipt{}, err
	}
	if made.From.ID != w.from || made.To.ID != w.to {
		return host.Receipt{}, fmt.Errorf("fineract: the transfer that was made for %s is between other accounts", w.order.Key())
	}
	return w.receipt(fmt.Sprintf("T%d", made.ID)), nil
}
