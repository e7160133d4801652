package hostsim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/host"
	"mandate/internal/moneymovement/ach/nacha"
	"mandate/internal/moneymovement/wire/message"
)

// contents are what is in a file that was taken.
type contents struct {
	entries         int
	credits, debits bank.Cents
}

// readFile reads a file of a kind that the core settles. Any other is kept as it
// is.
func readFile(f *host.File) (contents, error) {
	if f == nil {
		return contents{}, nil
	}
	switch f.Kind {
	case "nacha":
		file, err := nacha.Read(bytes.NewReader(f.Body), nacha.Rules{Relaxed: true}, nil)
		if err != nil {
			return contents{}, err
		}
		return contents{file.Entries, file.Credits, file.Debits}, nil
	case string(message.Pacs008):
		wire, err := message.ReadPacs008(f.Body)
		return contents{1, wire.Cents, 0}, err
	case string(message.FAIM):
		cents, err := faimAmount(f.Body)
		return contents{1, cents, 0}, err
	}
	return contents{}, nil
}

// The tag of a wire's amount, and how many digits of cents follow it.
const (
	amountTag    = "{2000}"
	amountDigits = 12
)

// faimAmount is the amount of a wire in the tagged format.
func faimAmount(text []byte) (bank.Cents, error) {
	_, rest, found := bytes.Cut(text, []byte(amountTag))
	if !found || len(rest) < amountDigits {
		return 0, errors.New("the wire has no amount")
	}
	cents, err := strconv.ParseInt(string(rest[:amountDigits]), 10, 64)
	if err != nil || cents <= 0 {
		return 0, fmt.Errorf("%q is no amount of a wire", rest[:amountDigits])
	}
	return bank.Cents(cents), nil
}

func insertFile(tx *db.Tx, number int64, o *host.Order, c contents) error {
	_, err := tx.Exec(`
		insert into core_file (institution_id, order_key, number, name, kind, body, day, entries, credits, debits, received_micros, settled_day)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, '')`,
		o.Institution, keyOf(o), number, o.File.Name, o.File.Kind, o.File.Body, o.Day, c.entries, c.credits, c.debits, tx.Now.UnixMicro())
	if err != nil {
		return fmt.Errorf("take the file: %w", err)
	}
	return nil
}

// A TakenFile is a file that was taken over, without what is in it.
type TakenFile struct {
	Number          int64 // later files have higher ones
	Key             string
	Name, Kind      string
	Day             bank.Day
	Entries         int
	Credits, Debits bank.Cents
	Received        time.Time
	Settled         bank.Day // empty: not yet
}

// Files lists what was taken over, the latest first, from before a number on;
// zero stands for the end.
func (b *Bank) Files(ctx context.Context, institution bank.InstitutionID, before int64, most int) (all []TakenFile, err error) {
	err = b.db.Read(ctx, func(tx *db.Tx) error {
		all, err = db.All(tx, func(s db.Scanner) (f TakenFile, err error) {
			var micros int64
			err = s.Scan(&f.Number, &f.Key, &f.Name, &f.Kind, &f.Day, &f.Entries, &f.Credits, &f.Debits, &micros, &f.Settled)
			f.Received = time.UnixMicro(micros).UTC()
			return f, err
		}, `
			select number, order_key, name, kind, day, entries, credits, debits, received_micros, settled_day from core_file
			 where institution_id = $1 and ($2 = 0 or number < $2) order by number desc limit $3`, institution, before, min(most, maxPeople))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the files: %w", err)
	}
	return all, nil
}
