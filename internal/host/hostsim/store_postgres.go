package hostsim

// accountsPostgreSQL reads the accounts of a JSON list.
const accountsPostgreSQL = `
	select ` + accountColumns + ` from core_account
	 where institution_id = $1 and id in (select jsonb_array_elements_text(cast($2 as jsonb)))`
