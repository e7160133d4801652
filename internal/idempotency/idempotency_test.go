package idempotency

import (
	"context"
	"errors"
	"strings"
	"testing"

	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
)

func TestKeysAreRememberedPerClient(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		key := Key{"first", "cli_1", "k-1"}
		recall := func(k Key, content string) (string, bool, error) {
			var answer string
			var known bool
			err := d.Read(ctx, func(tx *db.Tx) (err error) {
				answer, known, err = Recall(tx, k, []byte(content))
				return err
			})
			return answer, known, err
		}
		keep := func(k Key, content, answer string) error {
			return d.Write(ctx, func(tx *db.Tx) error { return Keep(tx, k, []byte(content), answer) })
		}
		if _, known, err := recall(key, "pay"); known || err != nil {
			t.Errorf("before: %v, %v", known, err)
		}
		if err := keep(key, "pay", "yes"); err != nil {
			t.Fatal(err)
		}
		if answer, known, err := recall(key, "pay"); answer != "yes" || !known || err != nil {
			t.Errorf("the same again: %q, %v, %v", answer, known, err)
		}
		if _, known, err := recall(key, "pay more"); known || !errors.Is(err, ErrReused) {
			t.Errorf("another request: %v, %v", known, err)
		}
		if err := keep(key, "pay", "no"); !errors.Is(err, ErrReused) {
			t.Errorf("kept twice: %v", err)
		}
		for _, other := range []Key{{"second", "cli_1", "k-1"}, {"first", "cli_2", "k-1"}, {"first", "cli_1", "K-1"}} {
			if _, known, err := recall(other, "pay"); known || err != nil {
				t.Errorf("%+v: %v, %v", other, known, err)
			}
		}
		purge := func() error { return d.Write(ctx, Purge) }
		clock := dbtest.ClockOf(t, d)
		clock.Advance(Lifetime)
		if err := purge(); err != nil {
			t.Fatal(err)
		}
		if _, known, _ := recall(key, "pay"); !known {
			t.Error("forgotten at the end of the lifetime, not after it")
		}
		clock.Advance(1000)
		if err := purge(); err != nil {
			t.Fatal(err)
		}
		if _, known, _ := recall(key, "pay"); known {
			t.Error("remembered beyond the lifetime")
		}
	})
}

func TestCheckText(t *testing.T) {
	for text, good := range map[string]bool{
		"a": true, "8f0e-~!": true, strings.Repeat("k", MaxKey): true,
		"": false, strings.Repeat("k", MaxKey+1): false, "a b": false, "a\n": false, "é": false, "\x7f": false,
	} {
		err := CheckText(text)
		if (err == nil) != good || err != nil && (fault.KindOf(err) != fault.Invalid || fault.ProblemsOf(err)[0].Field != "Idempotency-Key") {
			t.Errorf("CheckText(%.20q) = %v", text, err)
		}
	}
}
