package ach_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"mandate/internal/db"
	"mandate/internal/moneymovement/ach"
	"mandate/internal/moneymovement/ach/recipients"
)

// A list that was looked at is loaded once, and marked as loaded in the change
// that loads it: what another process used up meanwhile is not loaded again.
func TestAKeptListIsLoadedOnce(t *testing.T) {
	each(t, func(w *world) {
		id := w.create("dana", 1_00)
		w.must(w.room.SetLayout(w.ctx(), as("lee"), recipients.Layout{Format: recipients.CSV, Places: map[recipients.Field]recipients.Place{
			recipients.Name: {Column: 1}, recipients.Amount: {Column: 2}, recipients.Routing: {Column: 3}, recipients.Account: {Column: 4}}}))
		has := func(entries int) {
			t.Helper()
			if d := w.get(id); d.Entries != entries {
				t.Errorf("the batch has %d recipients, want %d", d.Entries, entries)
			}
		}
		list := ach.Import{Batch: id, Version: 1, Format: recipients.CSV, File: strings.NewReader("Bo,20.00,231380104,77\n")}
		kept, p, err := w.room.BringList(w.ctx(), as("lee"), list)
		if err != nil || len(p.Problems) > 0 {
			t.Fatalf("%+v, %v", p, err)
		}

		// Both places of readers are taken, so that loading waits after it has
		// looked at the list.
		var slow []*io.PipeWriter
		read := make(chan error, 2)
		for range 2 {
			in, out := io.Pipe()
			slow = append(slow, out)
			go func() {
				_, err := w.room.PreviewImport(w.ctx(), as("lee"), ach.Import{Batch: id, Version: 1, Format: recipients.CSV, File: in})
				read <- err
			}()
			if _, err := out.Write([]byte("Cy,1.00,")); err != nil { // it is being read
				t.Fatal(err)
			}
		}
		loaded := make(chan error)
		go func() {
			_, err := w.room.ImportKept(w.ctx(), as("lee"), kept, 1)
			loaded <- err
		}()
		time.Sleep(100 * time.Millisecond) // it is waiting by then
		w.write(func(tx *db.Tx) error {
			_, err := tx.Exec(`update ach_inbox set state = 'done' where id = $1`, kept)
			return err
		})
		for _, out := range slow {
			out.Close()
			<-read
		}
		if err := <-loaded; !errors.Is(err, ach.ErrNoFile) {
			t.Errorf("a list that was used up: %v", err)
		}
		has(1)

		w.write(func(tx *db.Tx) error {
			_, err := tx.Exec(`update ach_inbox set state = 'waiting' where id = $1`, kept)
			return err
		})
		if _, err := w.room.ImportKept(w.ctx(), as("lee"), kept, 1); err != nil {
			t.Fatal(err)
		}
		has(2)
		if _, err := w.room.ImportKept(w.ctx(), as("lee"), kept, 2); !errors.Is(err, ach.ErrNoFile) {
			t.Errorf("a second time: %v", err)
		}
		has(2)
	})
}
