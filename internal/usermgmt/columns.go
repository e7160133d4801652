package usermgmt

import (
	"database/sql"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
)

// limitColumns are the columns of the limits, in the order of catalog.Limit.
// A limit that is not set is null.
type limitColumns [catalog.LimitCount]sql.NullInt64

// all are destinations for scanning every column.
func (c *limitColumns) all() []any {
	dest := make([]any, len(c))
	for i := range c {
		dest[i] = &c[i]
	}
	return dest
}

func (c *limitColumns) limits() (l entitlement.Limits) {
	for i, column := range c {
		if column.Valid {
			l = l.With(catalog.Limit(i), bank.Cents(column.Int64))
		}
	}
	return l
}

// limitArgs are the values of the limit columns for writing.
func limitArgs(l entitlement.Limits) []any {
	args := make([]any, catalog.LimitCount)
	for i := range args {
		if amount, set := l.Get(catalog.Limit(i)); set {
			args[i] = int64(amount)
		}
	}
	return args
}

// accountLimitArgs are the values of the limit columns that exist per account.
func accountLimitArgs(l entitlement.Limits) []any {
	return limitArgs(l)[catalog.LimitPerWire:]
}
