package fineract

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"sync"

	"mandate/internal/bank"
	"mandate/internal/host"
)

// An account is a savings account, the only kind that money is moved on.
type account struct {
	ID       int64  `json:"id"`
	Number   string `json:"accountNo"`
	Client   int64  `json:"clientId"`
	Currency struct {
		Code string `json:"code"`
	} `json:"currency"`
	Summary struct {
		Balance   amount `json:"accountBalance"`
		Available amount `json:"availableBalance"`
	} `json:"summary"`
}

// account reads one; it is nil where Fineract has none of this number, or only
// one in a currency that is not the institution's.
func (c *Connector) account(ctx context.Context, institution bank.InstitutionID, id int64) (*account, error) {
	house, err := c.house(institution)
	if err != nil {
		return nil, err
	}
	var a account
	err = c.get(ctx, institution, "savingsaccounts/"+strconv.FormatInt(id, 10), nil, &a)
	switch {
	case missing(err):
		return nil, nil
	case err != nil:
		return nil, err
	case a.ID != id || a.Client <= 0 || a.Currency.Code == "":
		return nil, fmt.Errorf("fineract: the answer about account %d is about another, or not whole", id)
	case a.Currency.Code != house.Currency:
		return nil, nil
	}
	return &a, nil
}

// accounts reads several beside each other; one that is not there is absent.
func (c *Connector) accounts(ctx context.Context, institution bank.InstitutionID, ids []bank.AccountID) (map[bank.AccountID]*account, error) {
	refs, err := c.names.Accounts(ctx, institution, ids)
	if err != nil {
		return nil, fmt.Errorf("fineract: name the accounts: %w", err)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var mu sync.Mutex
	var wait sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	found := make(map[bank.AccountID]*account, len(refs))
	for ours, ref := range refs {
		id, known := idOf(ref)
		if !known {
			continue
		}
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			a, err := c.account(ctx, institution, id)
			if err != nil {
				stop(err)
			} else if a != nil {
				mu.Lock()
				defer mu.Unlock()
				found[ours] = a
			}
		})
	}
	wait.Wait()
	return found, context.Cause(ctx)
}

// Balances reads accounts as they stand.
func (c *Connector) Balances(ctx context.Context, institution bank.InstitutionID, ids []bank.AccountID) (map[bank.AccountID]host.Balance, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	found, err := c.accounts(ctx, institution, ids)
	if err != nil {
		return nil, err
	}
	balances := make(map[bank.AccountID]host.Balance, len(found))
	for ours, a := range found {
		ledger, err := a.Summary.Balance.cents()
		if err != nil {
			return nil, fmt.Errorf("fineract: the balance of account %d: %w", a.ID, err)
		}
		available, err := a.Summary.Available.cents()
		if err != nil {
			return nil, fmt.Errorf("fineract: what is available in account %d: %w", a.ID, err)
		}
		balances[ours] = host.Balance{Ledger: ledger, Available: available}
	}
	return balances, nil
}

// Numbers are the full numbers of accounts.
func (c *Connector) Numbers(ctx context.Context, institution bank.InstitutionID, ids []bank.AccountID) (map[bank.AccountID]string, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	found, err := c.accounts(ctx, institution, ids)
	if err != nil {
		return nil, err
	}
	numbers := make(map[bank.AccountID]string, len(found))
	for ours, a := range found {
		if a.Number != "" {
			numbers[ours] = a.Number
		}
	}
	return numbers, nil
}

// Numbers of transaction types that Fineract publishes.
const (
	typeDeposit    = 1
	typeWithdrawal = 2
	typeHold       = 20
	typeRelease    = 21
)

// A transaction is one entry on a savings account.
type transaction struct {
	ID   int64 `json:"id"`
	Type struct {
		ID int `json:"id"`
	} `json:"transactionType"`
	Entry    string `json:"entryType"` // CREDIT or DEBIT
	Date     date   `json:"date"`
	Amount   amount `json:"amount"`
	After    amount `json:"runningBalance"`
	Reversed bool   `json:"reversed"`
	Reason   string `json:"reasonForBlock"`
	Transfer *struct {
		ID          int64  `json:"id"`
		Description string `json:"transferDescription"`
	} `json:"transfer"`
	Payment *struct {
		Receipt string `json:"receiptNumber"`
	} `json:"paymentDetailData"`
}

// text is where our mark stands in a transaction of ours.
func (t *transaction) text() string {
	switch {
	case t.Transfer != nil:
		return t.Transfer.Description
	case t.Payment != nil && t.Payment.Receipt != "":
		return t.Payment.Receipt
	}
	return t.Reason
}

// reference is what a receipt calls a transaction: one that belongs to a transfer
// goes by the transfer, on both accounts.
func (t *transaction) reference() string {
	if t.Transfer != nil && t.Transfer.ID > 0 {
		return fmt.Sprintf("T%d", t.Transfer.ID)
	}
	return fmt.Sprintf("S%d", t.ID)
}

// transactions goes through what a query finds on an account, the latest first,
// until enough says so. Pages shift while others post: what comes twice is
// passed once.
func (c *Connector) transactions(ctx context.Context, institution bank.InstitutionID, id int64, query url.Values, enough func(*transaction) (bool, error)) error {
	seen := map[int64]bool{}
	for offset := 0; offset < maxPages*pageSize; {
		query.Set("offset", strconv.Itoa(offset))
		query.Set("limit", strconv.Itoa(pageSize))
		var page struct {
			Total   *int64        `json:"total"`
			Content []transaction `json:"content"`
		}
		if err := c.get(ctx, institution, fmt.Sprintf("savingsaccounts/%d/transactions/search", id), query, &page); err != nil {
			return err
		}
		if page.Total == nil {
			return fmt.Errorf("fineract: the list of transactions of account %d is not whole", id)
		}
		for i := range page.Content {
			t := &page.Content[i]
			if t.ID <= 0 {
				return fmt.Errorf("fineract: a transaction of account %d has no number", id)
			}
			if seen[t.ID] {
				continue
			}
			seen[t.ID] = true
			if done, err := enough(t); done || err != nil {
				return err
			}
		}
		offset += len(page.Content)
		if len(page.Content) == 0 || int64(offset) >= *page.Total {
			return nil
		}
	}
	return fmt.Errorf("fineract: account %d has more than %d transactions that fit", id, maxPages*pageSize)
}

// Statement lists what was posted to an account. What is only set aside is not
// posted, and what was reversed there stands no more.
func (c *Connector) Statement(ctx context.Context, institution bank.InstitutionID, ours bank.AccountID, most int) ([]host.Line, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	found, err := c.accounts(ctx, institution, []bank.AccountID{ours})
	if err != nil || found[ours] == nil {
		return nil, err
	}
	var lines []host.Line
	most = min(most, maxStatement)
	err = c.transactions(ctx, institution, found[ours].ID, url.Values{}, func(t *transaction) (bool, error) {
		if len(lines) >= most {
			return true, nil
		}
		if t.Reversed || t.Type.ID == typeHold || t.Type.ID == typeRelease {
			return false, nil
		}
		line, err := t.line()
		lines = append(lines, line)
		return len(lines) >= most, err
	})
	if err != nil {
		return nil, err
	}
	return lines, nil
}

func (t *transaction) line() (host.Line, error) {
	broken := func(err error) (host.Line, error) {
		return host.Line{}, fmt.Errorf("fineract: transaction %d: %w", t.ID, err)
	}
	cents, err := t.Amount.cents()
	if err != nil {
		return broken(err)
	}
	after, err := t.After.cents()
	if err != nil {
		return broken(err)
	}
	day, err := t.Date.day()
	if err != nil {
		return broken(err)
	}
	switch t.Entry {
	case "CREDIT":
	case "DEBIT":
		cents = -cents
	default:
		return broken(fmt.Errorf("it is neither credit nor debit"))
	}
	return host.Line{Reference: t.reference(), Cents: cents, After: after, Day: day, Memo: memoOf(t.text()), At: moment(day)}, nil
}
