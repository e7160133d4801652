package hostsim_test

import (
	"os"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
	"mandate/internal/host"
	"mandate/internal/host/hostsim"
	"mandate/internal/host/hosttest"
)

// At the end of a day its files are settled, its stops are gone, and it ends
// once.
func TestEndOfDay(t *testing.T) {
	file, err := os.ReadFile("../../moneymovement/ach/nacha/testdata/valid/ppd-credit.ach")
	if err != nil {
		t.Fatal(err)
	}
	dbtest.EachWith(t, dbtest.Options{Migrations: hostsim.Migrations()}, func(t *testing.T, d *db.DB) {
		b, clock, ctx := books(t, d), dbtest.ClockOf(t, d), t.Context()
		carry := func(ref string, change func(o *host.Order)) host.Receipt {
			t.Helper()
			o := host.Order{Institution: cedar, Organization: hosttest.Organization, Room: "test", Ref: ref, Day: "2026-03-02"}
			change(&o)
			return must[host.Receipt](t)(b.Carry(ctx, o))
		}
		if r := carry("bad", func(o *host.Order) { o.File = &host.File{Name: "x", Kind: "nacha", Body: []byte("nonsense")} }); r.Refused != host.UnreadableFile {
			t.Errorf("a file that is none: %+v", r)
		}
		carry("ach", func(o *host.Order) { o.File = &host.File{Name: "a.ach", Kind: "nacha", Body: file} })
		taken := must[[]hostsim.TakenFile](t)(b.Files(ctx, cedar, 0, 10))
		if len(taken) != 1 || taken[0].Entries == 0 || taken[0].Credits == 0 || taken[0].Settled != "" {
			t.Fatalf("taken: %+v", taken)
		}
		net := taken[0].Credits - taken[0].Debits
		carry("funds", func(o *host.Order) { o.Legs = host.Move(host.Internal("cash"), host.Internal("ach"), net) })
		carry("wire", func(o *host.Order) {
			o.Legs = host.Move(hosttest.Operating, host.Internal("wires"), 25_00)
			o.File = &host.File{Name: "w.faim", Kind: "faim", Body: []byte("{1500}30        P {1510}1000{2000}000000002500")}
		})
		carry("tomorrow", func(o *host.Order) {
			o.Day = "2026-03-03"
			o.File = &host.File{Name: "w2.faim", Kind: "faim", Body: []byte("{2000}000000000100")}
		})
		for ref, until := range map[string]bank.Day{"ends": "2026-03-02", "stays": "2026-03-03", "for ever": ""} {
			carry(ref, func(o *host.Order) { o.Stop = &host.Stop{Account: hosttest.Operating, First: 1, Last: 1, Until: until} })
		}
		clock.Advance(24 * time.Hour)
		for range 2 {
			if err := b.EndDays(ctx); err != nil {
				t.Fatal(err)
			}
		}
		c := must[hostsim.Closed](t)(b.EndOfDay(ctx, cedar, "2026-03-02"))
		if c.Files != 2 || c.Entries != int64(taken[0].Entries)+1 || c.Cents != net+25_00 || c.Stops != 1 {
			t.Errorf("the day ended with %+v", c)
		}
		if _, err := b.EndOfDay(ctx, cedar, "2026-03-01"); fault.KindOf(err) != fault.Conflict {
			t.Errorf("a day before ended after it: %v", err)
		}
		if r := carry("lift", func(o *host.Order) { o.Lift = "test/ends" }); r.Refused != host.UnknownStop {
			t.Errorf("a stop outlived its day: %+v", r)
		}
		sum := must[bank.Cents](t)(total(d, "gl:settlement"))
		if left := must[bank.Cents](t)(total(d, "gl:ach")); left != 0 || sum != net+25_00 {
			t.Errorf("%s is settled, and %s still stands for ACH", sum, left)
		}
		if later := must[hostsim.Closed](t)(b.EndOfDay(ctx, cedar, "2026-03-03")); later.Files != 1 || later.Cents != 1_00 || later.Stops != 1 {
			t.Errorf("the next day ended with %+v", later)
		}
	})
}

func total(d *db.DB, account string) (sum bank.Cents, err error) {
	err = d.Read(background, func(tx *db.Tx) error {
		return tx.QueryRow(`select coalesce(sum(cents), 0) from core_line where account_id = $1`, account).Scan(&sum)
	})
	return sum, err
}
