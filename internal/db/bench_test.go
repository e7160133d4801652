package db_test

import (
	"context"
	"fmt"
	"testing"

	"mandate/internal/db"
	"mandate/internal/db/dbtest"
)

// The benchmarks are of the ground floor alone: what one read and one change
// cost before any room has done anything.

func benchmarkEach(b *testing.B, bench func(b *testing.B, d *db.DB)) {
	o := dbtest.Options{Migrations: tiny()}
	b.Run("SQLite", func(b *testing.B) { bench(b, dbtest.SQLiteWith(b, o)) })
	b.Run("PostgreSQL", func(b *testing.B) { bench(b, dbtest.PostgreSQLWith(b, o)) })
}

func BenchmarkRead(b *testing.B) {
	benchmarkEach(b, func(b *testing.B, d *db.DB) {
		fill(b, d)
		ctx, cancel := context.WithCancel(b.Context()) // as a request's is
		defer cancel()
		for b.Loop() {
			err := d.Read(ctx, func(tx *db.Tx) error {
				for range 5 {
					var cents int64
					if err := tx.QueryRow(lookup, "s1", "sku500").Scan(&cents); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

const lookup = `
	select i.cents
	  from item i
	  join shop s on s.id = i.shop_id
	 where i.shop_id = $1 and i.sku = $2 and s.open and i.cents >= 0`

func BenchmarkWrite(b *testing.B) {
	benchmarkEach(b, func(b *testing.B, d *db.DB) {
		fill(b, d)
		ctx, cancel := context.WithCancel(b.Context())
		defer cancel()
		for b.Loop() {
			err := d.Write(ctx, func(tx *db.Tx) error {
				for range 5 {
					if _, err := tx.Exec(`update item set cents = cents + $1 where shop_id = $2 and sku = $3`, 1, "s1", "sku500"); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

func fill(b *testing.B, d *db.DB) {
	b.Helper()
	err := d.Write(b.Context(), func(tx *db.Tx) error {
		if err := addShop(tx, "s1", "Bakery"); err != nil {
			return err
		}
		for i := range 1000 {
			if _, err := tx.Exec(`insert into item (shop_id, sku, cents) values ($1, $2, $3)`, "s1", fmt.Sprintf("sku%d", i), i); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}
