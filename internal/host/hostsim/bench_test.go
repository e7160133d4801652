package hostsim_test

import (
	"fmt"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/db/dbtest"
	"mandate/internal/host"
	"mandate/internal/host/hostsim"
)

// What the protocol costs: the balances of 200 accounts, and one order, asked of
// the simulator directly and through its client and handler.
func BenchmarkProtocol(b *testing.B) {
	d := dbtest.SQLiteWith(b, dbtest.Options{Migrations: hostsim.Migrations()})
	core := hostsim.New(d, hostsim.Options{})
	var openings []hostsim.Opening
	var ids []bank.AccountID
	for n := range 200 {
		ids = append(ids, bank.AccountID(fmt.Sprintf("acc_%03d", n)))
		openings = append(openings, hostsim.Opening{Institution: cedar, Organization: "org", Account: ids[n], Balance: 1_000_000_00})
	}
	if err := core.Open(b.Context(), openings...); err != nil {
		b.Fatal(err)
	}
	for name, connector := range map[string]host.Connector{"Direct": core, "Protocol": through(core)} {
		b.Run("Balances/"+name, func(b *testing.B) {
			for b.Loop() {
				if all, err := connector.Balances(b.Context(), cedar, ids); err != nil || len(all) != 200 {
					b.Fatal(len(all), err)
				}
			}
		})
		n := 0
		b.Run("Order/"+name, func(b *testing.B) {
			for b.Loop() {
				n++
				o := host.Order{Institution: cedar, Organization: "org", Room: "bench", Ref: fmt.Sprint(name, n), Day: "2026-03-02", Legs: host.Move(ids[0], ids[1], 1)}
				if r, err := connector.Carry(b.Context(), o); err != nil || !r.Done() {
					b.Fatal(r, err)
				}
			}
		})
	}
}
