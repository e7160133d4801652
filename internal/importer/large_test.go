package importer_test

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/generate"
)

// What an import of 10,000 organizations with 10 members and 20 accounts each
// may take. MANDATE_SLOW=1 imports all of them, other runs a fiftieth.
const (
	largeOrganizations = 10_000
	largeTime          = 10 * time.Minute
	largeMemoryKiB     = 512 << 10
)

func TestLargeImportKeepsItsBounds(t *testing.T) {
	organizations, most := largeOrganizations/50, largeTime/50
	if os.Getenv("MANDATE_SLOW") == "1" {
		organizations, most = largeOrganizations, largeTime
	}
	dir := generated(t, generate.Options{Seed: 1, Organizations: organizations, Members: 10, Accounts: 20, Distribution: generate.Even})
	for name, url := range map[string]func(t *testing.T) string{
		"SQLite":     func(t *testing.T) string { return dbtest.SQLiteURL(t, nil) },
		"PostgreSQL": func(t *testing.T) string { return dbtest.PostgreSQLURL(t, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			at := url(t)
			process := exec.Command(os.Args[0])
			process.Env = append(os.Environ(), importFolder+"="+dir, importDatabase+"="+at)
			process.Stderr = os.Stderr
			began := time.Now()
			if err := process.Run(); err != nil {
				t.Fatal(err)
			}
			took := time.Since(began)
			used, ok := process.ProcessState.SysUsage().(*syscall.Rusage)
			if !ok {
				t.Fatal("the system does not say how much memory the process used")
			}
			t.Logf("%d organizations in %v with %d MiB", organizations, took.Round(time.Millisecond), used.Maxrss>>10)
			if took > most || used.Maxrss > largeMemoryKiB {
				t.Errorf("%d organizations took %v and %d KiB, want at most %v and %d KiB", organizations, took, used.Maxrss, most, largeMemoryKiB)
			}
			w := newWorld(t, dbtest.Open(t, at, dbtest.Options{}))
			for table, want := range map[string]int{
				"organization": organizations, "account": 20 * organizations, "member": 10 * organizations, "member_account": 200 * organizations,
				"history_event": 11*organizations + 1, // every member's, every organization's, the institution's
			} {
				if got := w.rows(table); got != want {
					t.Errorf("%d rows of %s, want %d", got, table, want)
				}
			}
			w.verify()
			w.read(func(tx *db.Tx) error {
				var most int
				err := tx.QueryRow(`select max(n) from (select count(*) as n from history_event where target_kind = 'member' group by target_id) e`).Scan(&most)
				if most != 1 {
					t.Errorf("a member has %d events, want one for each", most)
				}
				return err
			})
		})
	}
}
