package backup_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"mandate/internal/backup"
	"mandate/internal/db/dbtest"
)

// How long a gigabyte takes, with every proof, from the order to a database that
// can be used again. The bar is five minutes.
func TestGigabyte(t *testing.T) {
	if os.Getenv("MANDATE_SLOW") != "1" {
		t.Skip("long: MANDATE_SLOW=1 runs it")
	}
	w := open(t, dbtest.SQLiteURL(t, nil))
	path := strings.TrimPrefix(w.url, "sqlite:")
	size := func() int64 {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	for size() < 1<<30 {
		w.record(20_000)
	}
	began := time.Now()
	file, made := w.make("mandate.age")
	took := time.Since(began)
	began = time.Now()
	to := w.elsewhere()
	if _, err := backup.Restore(t.Context(), w.restoration(file, to)); err != nil {
		t.Fatal(err)
	}
	again := time.Since(began)
	t.Logf("%d MiB, %d events: backed up and proven in %s (%d MiB encrypted), restored and proven in %s",
		size()>>20, made.Heads[0].Sequence, took.Round(time.Second), made.Bytes>>20, again.Round(time.Second))
	if again > 5*time.Minute {
		t.Errorf("the restore took %s, want at most five minutes", again)
	}
}
