package hostsim

// accountsSQLite reads the accounts of a JSON list.
const accountsSQLite = `
	select ` + accountColumns + ` from core_account
	 where institution_id = $1 and id in (select value from json_each($2))`
