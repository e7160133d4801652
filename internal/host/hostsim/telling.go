package hostsim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// tellAtOnce is the most events that take their places in one transaction.
const tellAtOnce = 1000

// A Telling is how badly events are told. However badly: each is told, and what
// was told at a mark is told there for ever.
type Telling struct {
	Repeat  int           `json:"repeat"`  // of a hundred events, how many are told twice
	Reorder bool          `json:"reorder"` // what is told together is told in any order
	Late    int           `json:"late"`    // of a hundred events, how many are told late
	Delay   time.Duration `json:"delay"`   // how late
}

// tell gives events that were not told yet their places in the telling.
func (b *Bank) tell(ctx context.Context, institution bank.InstitutionID) error {
	waits := false
	err := b.db.Read(ctx, func(tx *db.Tx) error {
		untold, err := untold(tx, institution, 1)
		waits = len(untold) > 0
		return err
	})
	if err != nil || !waits {
		return err
	}
	how, chance := b.mischief.now(institution)
	return b.write(ctx, institution, func(tx *db.Tx, _ int64) error {
		numbers, err := untold(tx, institution, tellAtOnce)
		if err != nil {
			return err
		}
		now, late := how.order(numbers, chance)
		for _, number := range late {
			if _, err := tx.Exec(`update core_event set due_micros = $1 where institution_id = $2 and number = $3`, tx.Now.Add(how.Delay).UnixMicro(), institution, number); err != nil {
				return fmt.Errorf("tell an event late: %w", err)
			}
		}
		return place(tx, institution, now)
	})
}

// order is in which order numbers are told now, and which are told later.
func (t Telling) order(numbers []int64, chance *rand.Rand) (now, late []int64) {
	for _, number := range numbers {
		if t.Delay > 0 && chance.IntN(100) < t.Late {
			late = append(late, number)
			continue
		}
		now = append(now, number)
		if chance.IntN(100) < t.Repeat {
			now = append(now, number)
		}
	}
	if t.Reorder {
		chance.Shuffle(len(now), func(i, j int) { now[i], now[j] = now[j], now[i] })
	}
	return now, late
}

func untold(tx *db.Tx, institution bank.InstitutionID, most int) ([]int64, error) {
	numbers, err := db.All(tx, db.Value[int64], `
		select number from core_event where institution_id = $1 and not told and due_micros <= $2 order by number limit $3`, institution, tx.Now.UnixMicro(), most)
	if err != nil {
		return nil, fmt.Errorf("read what was not told: %w", err)
	}
	return numbers, nil
}

// place puts events at the next places of the telling.
func place(tx *db.Tx, institution bank.InstitutionID, numbers []int64) error {
	if len(numbers) == 0 {
		return nil
	}
	last, err := db.One(tx, db.Value[int64], `update core_book set last_place = last_place + $1 where institution_id = $2 returning last_place`, len(numbers), institution)
	for i := 0; i < len(numbers) && err == nil; i++ {
		at := last - int64(len(numbers)-1-i)
		if _, err = tx.Exec(`insert into core_told (institution_id, place, number) values ($1, $2, $3)`, institution, at, numbers[i]); err == nil {
			_, err = tx.Exec(`update core_event set told = $1 where institution_id = $2 and number = $3`, true, institution, numbers[i])
		}
	}
	if err != nil {
		return fmt.Errorf("tell the events: %w", err)
	}
	return nil
}
