package statements

const onlyHere = `for SQLite alone`
