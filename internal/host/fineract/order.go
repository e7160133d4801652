package fineract

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"mandate/internal/bank"
	"mandate/internal/host"
)

// Carry carries an order out. It looks first whether that was done before, for
// an answer may have been lost and its key forgotten since; then it asks under
// the order's key; then it reads what was made, so that another order under the
// same key is told apart.
func (c *Connector) Carry(ctx context.Context, o host.Order) (host.Receipt, error) {
	house, err := c.house(o.Institution)
	if err != nil {
		return host.Receipt{}, err
	}
	if !host.Balanced(o.Legs) || o.Hold != nil && o.Hold.Cents <= 0 {
		return refused(&o, host.NotBalanced, ""), nil
	}
	s, offered := house.step(&o)
	if !offered {
		return refused(&o, host.NotOffered, ""), nil
	}
	if _, err := bank.ParseDay(string(o.Day)); err != nil {
		return host.Receipt{}, fmt.Errorf("fineract: the day of %s: %w", o.Key(), err)
	}
	m, err := markOf(&o)
	if err != nil {
		return host.Receipt{}, err
	}
	w := &work{Connector: c, order: &o, step: s, mark: m}
	code, blamed, err := w.prepare(ctx)
	if err != nil {
		return host.Receipt{}, err
	}
	if code != "" {
		return refused(&o, code, blamed), nil
	}
	reference, err := w.find(ctx)
	if err != nil {
		return host.Receipt{}, err
	}
	if reference != "" {
		return w.receipt(reference), nil
	}
	return w.ask(ctx)
}

// refused is the receipt of what was not done.
func refused(o *host.Order, code host.Code, blamed bank.AccountID) host.Receipt {
	return host.Receipt{Refused: code, Account: blamed, At: moment(o.Day)}
}

// work is one order on its way.
type work struct {
	*Connector
	order  *host.Order
	step   step
	mark   mark
	client client
	from   int64 // the numbers of the accounts
	to     int64
	held   int64 // the transaction that a release ends
}

func (w *work) receipt(reference string) host.Receipt {
	return host.Receipt{Reference: reference, At: moment(w.order.Day)}
}

// prepare finds the numbers behind the names. An account counts only where it
// belongs to the order's organization.
func (w *work) prepare(ctx context.Context) (host.Code, bank.AccountID, error) {
	institution, organization := w.order.Institution, w.order.Organization
	refs, err := w.names.Organizations(ctx, institution, []bank.OrganizationID{organization})
	if err != nil {
		return "", "", fmt.Errorf("fineract: name the organization: %w", err)
	}
	owner, err := w.clientOf(ctx, institution, refs[organization])
	switch {
	case err != nil:
		return "", "", err
	case owner == nil && w.step.kind == release:
		return host.UnknownHold, "", nil
	case owner == nil:
		return host.UnknownAccount, w.step.account, nil
	}
	w.client = *owner
	if w.step.kind == release {
		return w.findHold(ctx)
	}
	ids := []bank.AccountID{w.step.account}
	if w.step.kind == transfer {
		ids = append(ids, w.step.other)
	}
	found, err := w.accounts(ctx, institution, ids)
	if err != nil {
		return "", "", err
	}
	for _, id := range ids {
		if a := found[id]; a == nil || a.Client != w.client.ID {
			return host.UnknownAccount, id, nil
		}
	}
	w.from = found[w.step.account].ID
	if w.step.kind == transfer {
		w.to = found[w.step.other].ID
	}
	return "", "", nil
}

// find looks whether the order was carried out before. One that was reversed in
// Fineract since was carried out all the same.
func (w *work) find(ctx context.Context) (reference string, err error) {
	types := map[kind]int{transfer: typeWithdrawal, withdrawal: typeWithdrawal, deposit: typeDeposit, hold: typeHold}
	if types[w.step.kind] == 0 {
		return "", nil // what is released is not on hold: asking again does nothing
	}
	query := url.Values{
		"fromDate": {string(w.order.Day)}, "toDate": {string(w.order.Day)}, "dateFormat": {dateFormat}, "locale": {locale},
		"fromAmount": {w.step.cents.String()}, "toAmount": {w.step.cents.String()}, "types": {strconv.Itoa(types[w.step.kind])},
	}
	err = w.transactions(ctx, w.order.Institution, w.from, query, func(t *transaction) (bool, error) {
		m, marked := in(t.text())
		if !marked || m.key != w.mark.key {
			return false, nil
		}
		reference = t.reference()
		return true, w.same(m)
	})
	if err != nil {
		return "", err
	}
	return reference, nil
}

// same reports whether what stands under the order's key is this order.
func (w *work) same(m mark) error {
	if m.content != w.mark.content {
		return host.ErrReused
	}
	return nil
}

// ask has the order carried out. Fineract answers for ever as it did under a key,
// even where it failed itself or what stood against it was mended; then another
// key is used. It is never used for what may be on its way still.
func (w *work) ask(ctx context.Context) (host.Receipt, error) {
	for attempt := 1; attempt <= maxAttempts; attempt++ {
		made, err := w.try(ctx, fmt.Sprintf("%s%s-%d", markStart, w.mark.key, attempt))
		if err == nil {
			return w.confirm(ctx, made)
		}
		f, answered := errors.AsType[*failure](err)
		if !answered || f.underWay() {
			return host.Receipt{}, err
		}
		code, err := w.whyNot(ctx, f)
		if err != nil {
			return host.Receipt{}, err
		}
		if code != "" {
			return refused(w.order, code, w.step.account), nil
		}
	}
	return host.Receipt{}, fmt.Errorf("fineract: %s failed %d times there", w.order.Key(), maxAttempts)
}

// try asks under one key, and waits a little for what is under way under it.
func (w *work) try(ctx context.Context, key string) (made, error) {
	path, query, body := w.command()
	for waited := 0; ; waited++ {
		m, err := w.post(ctx, w.order.Institution, key, path, query, body)
		if f, answered := errors.AsType[*failure](err); !answered || !f.underWay() || waited == maxWaits {
			return m, err
		}
		select {
		case <-ctx.Done():
			return made{}, ctx.Err()
		case <-time.After(underWayPause):
		}
	}
}

// whyNot finds out whether a failure is a refusal, and sees that it stays one. It
// is none, and no error, where the order can be asked under another key.
func (w *work) whyNot(ctx context.Context, f *failure) (host.Code, error) {
	if f.served {
		if code, err := w.told(ctx); code != "" || err != nil {
			return code, err
		}
	}
	code := f.refusal()
	if code == "" && !f.served {
		return "", f
	}
	if code == "" {
		return "", nil
	}
	return code, w.keep(ctx, code)
}

// Fineract's codes for what is a refusal here. All other codes are errors: they
// speak of how Fineract is set up, and somebody there has to look.
const (
	codeNotCovered     = "error.msg.savingsaccount.transaction.insufficient.account.balance"
	codeHoldNotCovered = "savingsaccount.insufficient.balance"
	codeNoAccount      = "error.msg.saving.account.id.invalid"
	codeNotOnHold      = "amount.is.not.on.hold"
)

// refusal is our word for a failure, or none.
func (f *failure) refusal() host.Code {
	for _, code := range f.codes {
		switch {
		case f.status == http.StatusForbidden && strings.HasPrefix(code, codeNotCovered),
			f.status == http.StatusBadRequest && strings.HasSuffix(code, codeHoldNotCovered):
			return host.NotCovered
		case f.status == http.StatusNotFound && code == codeNoAccount:
			return host.UnknownAccount
		case f.status == http.StatusBadRequest && strings.Contains(code, codeNotOnHold):
			return host.UnknownHold
		}
	}
	return ""
}

// underWay reports whether Fineract is still at it.
func (f *failure) underWay() bool {
	return f.status == http.StatusTooEarly || f.status == http.StatusConflict
}
