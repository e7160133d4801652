package hostsim

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/host"
)

// Carry carries an order out, once for each key.
func (b *Bank) Carry(ctx context.Context, o host.Order) (receipt host.Receipt, err error) {
	text, err := json.Marshal(o)
	if err != nil {
		return host.Receipt{}, fmt.Errorf("write the order: %w", err)
	}
	hash := sha256.Sum256(text)
	taken, unreadable := readFile(o.File) // before anybody waits for it
	err = b.write(ctx, o.Institution, func(tx *db.Tx, number int64) error {
		done, known, err := findOrder(tx, o.Institution, keyOf(&o))
		switch {
		case err != nil:
			return err
		case known && len(done.hash) > 0 && !slices.Equal(done.hash, hash[:]):
			return host.ErrReused
		case known:
			receipt = done.receipt()
			return nil
		}
		o := o // the transaction may be run again
		record := order{number: number, hash: hash[:], micros: tx.Now.UnixMicro()}
		if unreadable != nil {
			record.refused = host.UnreadableFile
		} else if err := b.decide(tx, &o, &record, taken); err != nil {
			return err
		}
		receipt = record.receipt()
		return insertOrder(tx, &o, record)
	})
	return receipt, err
}

// keyOf is the name under which an order is known.
func keyOf(o *host.Order) string { return strings.TrimPrefix(o.Key(), "/") }

// decide refuses an order or carries it out, and notes which.
func (b *Bank) decide(tx *db.Tx, o *host.Order, record *order, taken contents) (err error) {
	if err := fillIn(tx, o); err != nil {
		return err
	}
	if record.refused, record.account, err = refuse(tx, o); err != nil || record.refused != "" {
		return err
	}
	if o.User != nil {
		if err := b.carryUser(tx, o, record); err != nil || record.refused != "" {
			return err
		}
	}
	return carry(tx, record.number, o, taken)
}

// refuse says why an order cannot be carried out; an empty code: it can. What
// it frees counts for what it moves.
func refuse(tx *db.Tx, o *host.Order) (host.Code, bank.AccountID, error) {
	if !host.Balanced(o.Legs) || o.Hold != nil && o.Hold.Cents <= 0 {
		return host.NotBalanced, "", nil
	}
	wanted, fits := takes(o)
	if !fits {
		return host.NotCovered, "", nil
	}
	if o.Free != "" {
		freed, open, err := openHold(tx, o)
		if err != nil {
			return "", "", err
		}
		if !open {
			return host.UnknownHold, "", nil
		}
		wanted[freed.account] -= freed.cents
	}
	if o.Lift != "" {
		known, err := hasStop(tx, o)
		if err != nil {
			return "", "", err
		}
		if !known {
			return host.UnknownStop, "", nil
		}
	}
	if code, err := refuseCard(tx, o); code != "" || err != nil {
		return code, "", err
	}
	if code, account, err := refuseItems(tx, o); code != "" || err != nil {
		return code, account, err
	}
	return refuseAccounts(tx, o, wanted)
}

// refuseAccounts looks whether the accounts that an order names are the
// organization's, or the institution's own, and have what it takes from them.
func refuseAccounts(tx *db.Tx, o *host.Order, wanted map[bank.AccountID]bank.Cents) (host.Code, bank.AccountID, error) {
	ids := accountsOf(o)
	pages, err := findAccounts(tx, o.Institution, ids)
	if err != nil {
		return "", "", err
	}
	for _, id := range ids {
		a, known := pages[id]
		switch {
		case host.IsInternal(id):
		case !known || a.closed || a.organization != o.Organization:
			return host.UnknownAccount, id, nil
		case wanted[id] > max(0, a.available()):
			return host.NotCovered, id, nil
		}
	}
	return "", "", nil
}

// takes is what an order takes out of accounts, or sets aside, all together.
func takes(o *host.Order) (wanted map[bank.AccountID]bank.Cents, fits bool) {
	wanted = map[bank.AccountID]bank.Cents{}
	add := func(account bank.AccountID, cents bank.Cents) bool {
		sum, fits := wanted[account].Add(cents)
		wanted[account] = sum
		return fits
	}
	for _, leg := range o.Legs {
		if !add(leg.Account, -leg.Cents) {
			return nil, false
		}
	}
	return wanted, o.Hold == nil || add(o.Hold.Account, o.Hold.Cents)
}

// accountsOf are the accounts that an order names, each once, in order.
func accountsOf(o *host.Order) []bank.AccountID {
	var all []bank.AccountID
	for _, leg := range o.Legs {
		all = append(all, leg.Account)
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
	slices.Sort(all)
	return slices.Compact(all)
}

// carry does what nothing stands against.
func carry(tx *db.Tx, number int64, o *host.Order, taken contents) error {
	if o.Free != "" {
		if err := endHold(tx, o.Institution, o.Free); err != nil {
			return err
		}
	}
	if err := post(tx, number, o); err != nil {
		return err
	}
	if o.Hold != nil {
		if err := insertHold(tx, o); err != nil {
			return err
		}
	}
	if o.Stop != nil {
		if err := insertStop(tx, o); err != nil {
			return err
		}
	}
	if o.Lift != "" {
		if err := dropStop(tx, o); err != nil {
			return err
		}
	}
	if o.Card != nil {
		if err := carryCard(tx, o); err != nil {
			return err
		}
	}
	if o.File != nil {
		if err := insertFile(tx, number, o, taken); err != nil {
			return err
		}
	}
	return carryItems(tx, o)
}

// post writes the legs of an order into the books.
func post(tx *db.Tx, number int64, o *host.Order) error {
	for i, leg := range o.Legs {
		after, err := move(tx, o.Institution, leg)
		if err != nil {
			return err
		}
		if err := insertLine(tx, number, i, o, leg, after); err != nil {
			return err
		}
	}
	return nil
}
