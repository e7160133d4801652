package hostsim_test

import (
	"testing"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/host"
	"mandate/internal/host/hostsim"
	"mandate/internal/host/hosttest"
)

// What an earlier version kept in the product's own database.
var earlier = []string{
	`insert into ledger_book (institution_id, last_number) values ('cedar', 7)`,
	`insert into ledger_account (institution_id, id, organization_id, number, internal, balance, held, floor) values
		('cedar', 'acc_1', 'org_1', '5500000137', false, 90000, 10000, 0), ('cedar', 'acc_2', 'org_1', '', false, 10000, 0, 0), ('cedar', 'gl:opening', '', '', true, -100000, 0, 0)`,
	`insert into ledger_line (institution_id, number, place, account_id, cents, after, day, memo, posted_micros) values
		('cedar', 1, 0, 'gl:opening', -100000, -100000, '2026-03-01', 'Opening balance', 1), ('cedar', 1, 1, 'acc_1', 100000, 100000, '2026-03-01', 'Opening balance', 1),
		('cedar', 2, 0, 'acc_1', -10000, 90000, '2026-03-01', 'Rent', 2), ('cedar', 2, 1, 'acc_2', 10000, 10000, '2026-03-01', 'Rent', 2)`,
	`insert into ledger_order (institution_id, order_key, number, content_hash, refused, account_id, answered_micros) values
		('cedar', 'transfers/1', 2, '', '', '', 2), ('cedar', 'transfers/2', 3, '', 'NOT_COVERED', 'acc_1', 3), ('cedar', 'wires/1', 4, '', '', '', 4), ('cedar', 'ach/1', 5, '', '', '', 5)`,
	`insert into ledger_hold (institution_id, order_key, account_id, cents, open) values ('cedar', 'wires/1', 'acc_1', 10000, true)`,
	`insert into ledger_stop (institution_id, order_key, account_id, first_check, last_check, cents, until_day) values ('cedar', 'stops/1', 'acc_1', 7, 7, 0, '2026-09-01')`,
	`insert into ledger_file (institution_id, order_key, name, kind, body, received_micros) values ('cedar', 'ach/1', 'a.ach', 'nacha', 'none', 5)`,
	`insert into ledger_enrolled (institution_id, account_id) values ('cedar', 'acc_1')`,
	`insert into ledger_issued (institution_id, account_id, number, cents, payee, void, paid) values ('cedar', 'acc_1', 1001, 500, 'Harbor', false, true)`,
	`insert into ledger_item (institution_id, number, organization_id, account_id, kind, day, check_number, cents, payee, mismatch, company, company_id, class, description, trace,
		outcome, front, back, presented_micros)
		values ('cedar', 6, 'org_1', 'acc_1', 'check', '2026-03-02', 9, 700, 'Cash', 'NOT_ISSUED', '', '', '', '', '', 'waiting', 'front', '', 6)`,
	`insert into ledger_card (institution_id, id, organization_id, account_id, holder, kind, last_four, expires, state, changed_micros, replaces, replacement)
		values ('cedar', 'crd_1', 'org_1', 'acc_1', 'Dana', 'debit', '4821', '2029-04', 'active', 7, '', '')`,
}

// Nothing that was acknowledged before is lost: the books go on, an order that
// was answered is not carried out again, and it is done once.
func TestTakesTheEarlierBooksOver(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, product *db.DB) {
		err := product.Write(t.Context(), func(tx *db.Tx) error {
			for _, statement := range earlier {
				if _, err := tx.Exec(statement); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		options := dbtest.Options{Migrations: hostsim.Migrations()}
		own := dbtest.SQLiteWith(t, options)
		if product.Dialect() == db.PostgreSQL {
			own = dbtest.PostgreSQLWith(t, options)
		}
		b, asked, ctx := hostsim.New(own, hostsim.Options{}), 0, t.Context()
		known := func() (hostsim.Before, error) {
			asked++
			place := hostsim.Place{OrganizationID: "org_1", AccountID: "acc_1", Organization: "4400", Account: "4401", OrganizationNow: "Northwind", Name: "Operating", Kind: "checking", LastFour: "0137"}
			second := place
			second.AccountID, second.Account, second.Name = "acc_2", "4402", "Payroll"
			return hostsim.Before{Places: []hostsim.Place{place, second}, Users: []host.User{{Ref: "u1", Organization: "4400", Member: "usr_1", FirstName: "Dana"}}}, nil
		}
		for _, institution := range []bank.InstitutionID{"cedar", "cedar", "birch"} {
			if err := b.TakeOver(ctx, product, institution, known); err != nil {
				t.Fatal(err)
			}
		}
		if asked != 1 {
			t.Errorf("what was known was asked for %d times", asked)
		}
		agrees(t, b)
		hosttest.Want(t, b, "4401", 900_00, 800_00)
		order := host.Order{Institution: cedar, Organization: "4400", Room: "transfers", Ref: "1", Memo: "Rent", Legs: host.Move("4401", "4402", 100_00)}
		if r := must[host.Receipt](t)(b.Carry(ctx, order)); !r.Done() || r.Reference != "000000002" {
			t.Errorf("asked again about an order of before: %+v", r)
		}
		order.Ref = "2"
		if r := must[host.Receipt](t)(b.Carry(ctx, order)); r.Refused != host.NotCovered || r.Account != "4401" {
			t.Errorf("asked again about an order that was refused: %+v", r)
		}
		hosttest.Want(t, b, "4401", 900_00, 800_00)
		free := host.Order{Institution: cedar, Organization: "4400", Room: "wires", Ref: "2", Free: "wires/1", Lift: "stops/1", Legs: host.Move("4401", host.Internal("wires"), 850_00)}
		free.Ruling = &host.Ruling{Item: "item-000000006"}
		if r := must[host.Receipt](t)(b.Carry(ctx, free)); !r.Done() || r.Reference != "000000010" {
			t.Errorf("what was set aside, stopped and waited: %+v", r)
		}
		lines := must[[]host.Line](t)(b.Statement(ctx, cedar, "4401", 10))
		cards := must[[]host.Card](t)(b.Cards(ctx, cedar, "4400"))
		numbers := must[map[bank.AccountID]string](t)(b.Numbers(ctx, cedar, []bank.AccountID{"4401"}))
		image := must[[]byte](t)(b.Image(ctx, cedar, "item-000000006", host.Front))
		issued := must[[]host.IssuedCheck](t)(b.Issued(ctx, cedar, "4401", 0, 10))
		files := must[[]hostsim.TakenFile](t)(b.Files(ctx, cedar, 0, 10))
		organizations := must[[]host.Organization](t)(b.Organizations(ctx, cedar, "", 10))
		users := must[[]host.User](t)(b.Users(ctx, cedar, "", 10))
		if len(lines) != 3 || lines[1].Memo != "Rent" || len(cards) != 1 || cards[0].Account != "4401" || numbers["4401"] != "5500000137" || string(image) != "front" ||
			len(issued) != 1 || len(files) != 1 || files[0].Key != "ach/1" || len(users) != 1 || users[0].Member != "usr_1" ||
			len(organizations) != 1 || organizations[0].Name != "Northwind" || len(organizations[0].Accounts) != 2 || organizations[0].Accounts[0].Name != "Operating" {
			t.Errorf("taken over: %+v\n%+v\n%+v\n%q\n%+v\n%+v\n%+v\n%+v", lines, cards, numbers, image, issued, files, organizations, users)
		}
		agrees(t, b)
	})
}
