package db_test

import (
	"errors"
	"testing"
	"time"

	"mandate/internal/db"
)

func TestIsUniqueNamesTheConstraint(t *testing.T) {
	tests := []struct{ name, statement, constraint string }{
		{"primary key", `insert into shop (id, name, open) values ('s1', 'Other', false)`, "shop_pk"},
		{"two columns", `insert into item (shop_id, sku, cents) values ('s1', 'bun', 1)`, "item_sku_uq"},
		{"partial index", `insert into shop (id, name, open) values ('s2', 'Bakery', true)`, "shop_open_name_uq"},
		{"with returning", `insert into shop (id, name, open) values ('s2', 'Bakery', true) returning id`, "shop_open_name_uq"},
	}
	each(t, func(t *testing.T, d *db.DB) {
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			if err := addShop(tx, "s1", "Bakery"); err != nil {
				return err
			}
			_, err := tx.Exec(`insert into item (shop_id, sku, cents) values ('s1', 'bun', 1)`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, test := range tests {
			err := d.Write(t.Context(), func(tx *db.Tx) error {
				if test.name == "with returning" {
					_, err := db.All(tx, db.Value[string], test.statement)
					return err
				}
				_, err := tx.Exec(test.statement)
				return err
			})
			for _, constraint := range []string{"shop_pk", "item_sku_uq", "shop_open_name_uq", "item_shop_fk", ""} {
				if got, want := db.IsUnique(err, constraint), constraint == test.constraint; got != want {
					t.Errorf("%s: IsUnique(%v, %q) = %v, want %v", test.name, err, constraint, got, want)
				}
			}
			if db.IsForeignKey(err) {
				t.Errorf("%s: IsForeignKey(%v) = true", test.name, err)
			}
		}
	})
}

func TestIsForeignKey(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(`insert into item (shop_id, sku, cents) values ('nowhere', 'bun', 1)`)
			return err
		})
		if !db.IsForeignKey(err) || db.IsUnique(err, "item_shop_fk") {
			t.Errorf("IsForeignKey(%v) = %v, want true and nothing else", err, db.IsForeignKey(err))
		}
		if db.IsForeignKey(nil) || db.IsForeignKey(errors.New("FOREIGN KEY")) {
			t.Error("IsForeignKey is true of something else")
		}
	})
}

func TestNoRowIsNoAnswer(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			var name string
			if err := tx.QueryRow(`select name from shop where id = $1`, "s1").Scan(&name); !errors.Is(err, db.ErrNoRows) {
				t.Errorf("Scan = %v, want ErrNoRows", err)
			}
			if _, err := db.One(tx, db.Value[string], `select name from shop`); !errors.Is(err, db.ErrNoRows) {
				t.Errorf("One = %v, want ErrNoRows", err)
			}
			if all, err := db.All(tx, db.Value[string], `select name from shop`); err != nil || len(all) != 0 {
				t.Errorf("All = %q, %v, want nothing", all, err)
			}
			// An absent row does not cost the transaction.
			return errors.Join(addShop(tx, "s1", "a"), addShop(tx, "s2", "b"))
		})
		if err != nil {
			t.Fatal(err)
		}
		err = d.Read(t.Context(), func(tx *db.Tx) error {
			if _, err := db.One(tx, db.Value[string], `select name from shop`); err == nil || errors.Is(err, db.ErrNoRows) {
				t.Errorf("One of two rows = %v, want an error", err)
			}
			_, err := db.All(tx, db.Value[int64], `select name from shop`)
			return err
		})
		if err == nil {
			t.Error("All into the wrong type succeeded")
		}
	})
}

type shelf uint8

// What only one of the databases would take is refused by both.
func TestArgumentsMeanTheSameOnBoth(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		try := func(arg any) error {
			return d.Write(t.Context(), func(tx *db.Tx) error {
				_, err := tx.Exec(`update item set cents = $1`, arg)
				return err
			})
		}
		for _, arg := range []any{int64(1), 1, shelf(3), nil} {
			if err := try(arg); err != nil {
				t.Errorf("%T: %v", arg, err)
			}
		}
		for _, arg := range []any{time.Now(), 1.5, uint64(1 << 63), struct{}{}} {
			if err := try(arg); err == nil {
				t.Errorf("%T was accepted", arg)
			}
		}
		for _, name := range []string{"a\x00b", "\xff"} {
			err := d.Write(t.Context(), func(tx *db.Tx) error { return addShop(tx, "s1", name) })
			if !errors.Is(err, db.ErrText) {
				t.Errorf("addShop(%q) = %v, want ErrText", name, err)
			}
		}
	})
}

func TestOpenResultBlocksTheNextStatement(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			if err := errors.Join(addShop(tx, "s1", "a"), addShop(tx, "s2", "b")); err != nil {
				return err
			}
			rows, err := tx.Query(`select id from shop`)
			if err != nil {
				return err
			}
			rows.Next()
			if err := addShop(tx, "s3", "c"); err == nil {
				t.Error("a statement was accepted while a result was open")
			}
			_ = rows.Close()
			return rows.Err()
		})
		if err == nil {
			t.Error("the transaction was committed")
		}
		wantShops(t, d)
	})
}

// Text is compared byte by byte everywhere, also by "like".
func TestTextIsComparedByBytes(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			return errors.Join(addShop(tx, "a", "alpha"), addShop(tx, "B", "Alpha"), addShop(tx, "é", "éa"), addShop(tx, "z", "x"))
		})
		if err != nil {
			t.Fatal(err)
		}
		wantShops(t, d, "B", "a", "z", "é")
		err = d.Read(t.Context(), func(tx *db.Tx) error {
			found, err := db.All(tx, db.Value[string], `select id from shop where name like $1 escape '!'`, "a%")
			if len(found) != 1 || found[0] != "a" {
				t.Errorf("like 'a%%' found %q, want only a", found)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
