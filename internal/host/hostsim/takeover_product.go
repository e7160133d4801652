package hostsim

// What the product's own database has of the books that were inside it. Nothing
// writes these tables any more.
const (
	oldBook     = `select last_number from ledger_book where institution_id = $1`
	oldAccounts = `select id, organization_id, number, internal, balance, held, floor from ledger_account where institution_id = $1`
	oldOrders   = `select order_key, number, refused, account_id, answered_micros from ledger_order where institution_id = $1`
	oldLines    = `select number, place, account_id, cents, after, day, memo, posted_micros from ledger_line where institution_id = $1`
	oldHolds    = `select order_key, account_id, cents, open from ledger_hold where institution_id = $1`
	oldStops    = `select order_key, account_id, first_check, last_check, cents, until_day from ledger_stop where institution_id = $1`
	oldEnrolled = `select account_id from ledger_enrolled where institution_id = $1`
	oldIssued   = `select account_id, number, cents, payee, void, paid from ledger_issued where institution_id = $1`
	oldItems    = `
		select number, organization_id, account_id, kind, day, check_number, cents, payee, mismatch, company, company_id, class, description, trace, outcome,
		       front, back, presented_micros
		  from ledger_item where institution_id = $1`
	oldCards = `
		select id, organization_id, account_id, holder, kind, last_four, expires, state, changed_micros, replaces, replacement
		  from ledger_card where institution_id = $1`
	oldFiles = `
		select f.order_key, o.number, f.name, f.kind, f.body, f.received_micros
		  from ledger_file f join ledger_order o on o.institution_id = f.institution_id and o.order_key = f.order_key where f.institution_id = $1`
)
