package hostsim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/host"
	"mandate/internal/moneymovement/wire/message"
)

// dayEnds is how long after midnight UTC the core ends the day before: then it
// is over in Honolulu as well.
const dayEnds = 10 * time.Hour

// settlement is what the institution has with the operators of the networks.
var settlement = host.Internal("settlement")

// standing is where the money of files stands until they are settled.
var standing = map[string]bank.AccountID{
	"nacha": host.Internal("ach"), string(message.FAIM): host.Internal("wires"), string(message.Pacs008): host.Internal("wires"),
}

// A Closed day is what was done at its end.
type Closed struct {
	Day     bank.Day
	Files   int64      // settled
	Entries int64      // in them
	Cents   bank.Cents // that the institution owes the networks for them; less than nothing: is owed
	Stops   int64      // that held until this day
	At      time.Time
}

// EndDays ends the day that is over for every institution. It may be called at
// any time, and twice.
func (b *Bank) EndDays(ctx context.Context) error {
	var institutions []bank.InstitutionID
	var over bank.Day
	err := b.db.Read(ctx, func(tx *db.Tx) (err error) {
		over = bank.DayOf(tx.Now.Add(-dayEnds).AddDate(0, 0, -1), time.UTC)
		institutions, err = db.All(tx, db.Value[bank.InstitutionID], `
			select institution_id from core_book b
			 where not exists (select 1 from core_day d where d.institution_id = b.institution_id and d.day >= $1) order by institution_id`, over)
		return err
	})
	for _, institution := range institutions {
		_, closing := b.EndOfDay(ctx, institution, over)
		err = errors.Join(err, closing)
	}
	return err
}

// EndOfDay ends a day of an institution: what was taken over for it, or before,
// is settled, and stops that held until then are gone. There is no interest.
// Ended again, the day answers as it did.
func (b *Bank) EndOfDay(ctx context.Context, institution bank.InstitutionID, day bank.Day) (c Closed, err error) {
	err = b.write(ctx, institution, func(tx *db.Tx, number int64) error {
		last, err := lastClosed(tx, institution)
		switch {
		case err != nil:
			return err
		case last.Day == day:
			c = last
			return nil
		case last.Day > day:
			return fault.Newf(fault.Conflict, "%s has ended already: days end one after the other.", last.Day)
		}
		c = Closed{Day: day, At: tx.Now}
		if err := settleFiles(tx, number, institution, &c); err != nil {
			return err
		}
		c.Stops, err = tx.Exec(`delete from core_stop where institution_id = $1 and until_day <> '' and until_day <= $2`, institution, day)
		if err != nil {
			return fmt.Errorf("end the stops: %w", err)
		}
		return insertClosed(tx, number, institution, c)
	})
	return c, err
}

// settleFiles moves what stands for files that were taken to where the
// institution settles with the networks.
func settleFiles(tx *db.Tx, number int64, institution bank.InstitutionID, c *Closed) error {
	type sum struct {
		kind            string
		files, entries  int64
		credits, debits bank.Cents
	}
	sums, err := db.All(tx, func(s db.Scanner) (u sum, err error) {
		err = s.Scan(&u.kind, &u.files, &u.entries, &u.credits, &u.debits)
		return u, err
	}, `
		select kind, count(*), cast(sum(entries) as bigint), cast(sum(credits) as bigint), cast(sum(debits) as bigint) from core_file
		 where institution_id = $1 and settled_day = '' and day <= $2 group by kind order by kind`, institution, c.Day)
	if err != nil {
		return fmt.Errorf("add up the files: %w", err)
	}
	order := host.Order{Institution: institution, Day: c.Day, Memo: "End of day"}
	for _, u := range sums {
		c.Files, c.Entries = c.Files+u.files, c.Entries+u.entries
		from, known := standing[u.kind]
		if net := u.credits - u.debits; known && net != 0 {
			c.Cents += net
			order.Legs = append(order.Legs, host.Move(from, settlement, net)...)
		}
	}
	if err := post(tx, number, &order); err != nil {
		return err
	}
	_, err = tx.Exec(`update core_file set settled_day = $1 where institution_id = $2 and settled_day = '' and day <= $1`, c.Day, institution)
	if err != nil {
		return fmt.Errorf("settle the files: %w", err)
	}
	return nil
}

func lastClosed(tx *db.Tx, institution bank.InstitutionID) (c Closed, err error) {
	var micros int64
	err = tx.QueryRow(`select day, files, entries, cents, stops, closed_micros from core_day where institution_id = $1 order by day desc limit 1`, institution).
		Scan(&c.Day, &c.Files, &c.Entries, &c.Cents, &c.Stops, &micros)
	if errors.Is(err, db.ErrNoRows) {
		return Closed{}, nil
	}
	if err != nil {
		return Closed{}, fmt.Errorf("read the last day: %w", err)
	}
	c.At = time.UnixMicro(micros).UTC()
	return c, nil
}

func insertClosed(tx *db.Tx, number int64, institution bank.InstitutionID, c Closed) error {
	_, err := tx.Exec(`
		insert into core_day (institution_id, day, number, files, entries, cents, stops, closed_micros) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
		institution, c.Day, number, c.Files, c.Entries, c.Cents, c.Stops, c.At.UnixMicro())
	if err != nil {
		return fmt.Errorf("end the day: %w", err)
	}
	return nil
}
