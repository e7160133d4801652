package entitlement

import (
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"time"
)

// A Request is one question.
type Request struct {
	Member    bank.UserID
	Operation catalog.Operation
	Account   bank.AccountID // empty: not given
	ToAccount bank.AccountID // empty: not given
	Amount    Amount
	Context   Context
	Now       time.Time
	Used      Used
	Besides   catalog.Set // permissions that a room asks for besides those of the operation
}

// Used is what already counts against daily limits on the day that the request
// counts on (see Counting). A caller of the decision service never supplies it.
type Used struct {
	Member       bank.Cents // by the member, against the member's own limit
	Account      bank.Cents // by the member on the account, against the account's limit
	Organization bank.Cents // by all members, against the organization's ceiling
}

// An Amount is an amount as somebody asked it, which may be none or nonsense.
// The zero Amount is missing.
type Amount struct {
	cents bank.Cents
	text  string
	state amountState
}

type amountState uint8

const (
	amountMissing amountState = iota
	amountMalformed
	amountValid
)

// AmountOf is a valid amount.
func AmountOf(c bank.Cents) Amount { return Amount{cents: c, state: amountValid} }

// ReadAmount reads a decimal string as APIs carry it; an empty one was not
// given. What cannot be read is kept and makes the request's amount invalid.
func ReadAmount(s string) Amount {
	if s == "" {
		return Amount{}
	}
	c, err := bank.ParseAmount(s)
	if err != nil {
		return Amount{text: s, state: amountMalformed}
	}
	return AmountOf(c)
}

// Cents is the amount and whether it can be moved: valid and above zero.
func (a Amount) Cents() (bank.Cents, bool) { return a.cents, a.state == amountValid && a.cents > 0 }

// Given reports whether there is an amount at all, valid or not.
func (a Amount) Given() bool { return a.state != amountMissing }

// Canonical writes the amount so that equal amounts are equal texts: valid ones
// by value, malformed ones as they came (spec, section 3).
func (a Amount) Canonical() string {
	switch a.state {
	case amountValid:
		return "=" + a.cents.String()
	case amountMalformed:
		return "?" + a.text
	}
	return ""
}

// Context is what a caller says about the payment it asks about. The zero
// Context says nothing.
type Context struct {
	said          uint8 // bit k: key k was given
	truth         uint8 // bit k: key k was given as true
	effectiveDate string
	entryFields   bool
	invalid       bool
}

// ReadContext reads the keys that an operation knows, as decoded from JSON, and
// ignores the others. A known key with a value of the wrong type, null
// included, makes the whole context invalid (spec, section 2).
func ReadContext(op catalog.Operation, edition bank.Edition, keys map[string]any) Context {
	var c Context
	info := op.Info()
	for _, need := range info.Context {
		if need.Key != catalog.Debits || edition == bank.EditionCreditUnion {
			c.readBool(need.Key, keys)
		}
	}
	if info.LastEditor {
		c.readBool(catalog.LastEditor, keys)
	}
	if value, given := keys[catalog.EffectiveDate.String()]; given && info.Dated {
		text, ok := value.(string)
		c.effectiveDate, c.invalid = text, c.invalid || !ok
		c.said |= 1 << catalog.EffectiveDate
	}
	if value, given := keys[catalog.Fields.String()]; given && info.EntryFields {
		c.entryFields = value == "entry"
		c.invalid = c.invalid || value != "entry" && value != "all"
	}
	return c
}

func (c *Context) readBool(key catalog.ContextKey, keys map[string]any) {
	value, given := keys[key.String()]
	if !given {
		return
	}
	truth, ok := value.(bool)
	if !ok {
		c.invalid = true
		return
	}
	*c = c.With(key, truth)
}

// With returns the context with one of the true-or-false keys said.
func (c Context) With(key catalog.ContextKey, truth bool) Context {
	c.said |= 1 << key
	c.truth &^= 1 << key
	if truth {
		c.truth |= 1 << key
	}
	return c
}

// WithEffectiveDate returns the context of a payment dated on a day.
func (c Context) WithEffectiveDate(day bank.Day) Context {
	c.effectiveDate = string(day)
	c.said |= 1 << catalog.EffectiveDate
	return c
}

// WithEntryFields returns the context of an edit that touches nothing but
// amount, debit or credit, addenda, held and prenote of entries.
func (c Context) WithEntryFields() Context {
	c.entryFields = true
	return c
}

// Says reports whether key counts as true. Two keys are true unless the request
// says false, because not knowing must be safe.
func (c Context) Says(key catalog.ContextKey) bool {
	if c.said&(1<<key) == 0 {
		return key == catalog.LastEditor || key == catalog.Debits
	}
	return c.truth&(1<<key) != 0
}

// Silent reports whether nothing was said at all.
func (c *Context) Silent() bool { return c.said == 0 && !c.entryFields && !c.invalid }

// Invalid reports whether a key that the operation knows had a value of the wrong
// type.
func (c Context) Invalid() bool { return c.invalid }

// EntryFields reports whether an edit touches nothing but what WithEntryFields
// lists.
func (c Context) EntryFields() bool { return c.entryFields }

// EffectiveDate is the date that the caller gave, and whether there is one.
func (c Context) EffectiveDate() (string, bool) {
	return c.effectiveDate, c.said&(1<<catalog.EffectiveDate) != 0
}

// Counting returns the daily limit that a request counts against and the
// institution's day on which it counts: the effective date where one is given,
// otherwise today. It returns false where nothing is counted: no daily limit,
// no amount, an approval, or a date that cannot be (spec, section 2).
func Counting(institution Institution, req Request) (catalog.Limit, bank.Day, bool) {
	info := req.Operation.Info()
	if _, ok := req.Amount.Cents(); !ok || !info.Counts {
		return 0, "", false
	}
	day, ok := req.Day(bank.DayOf(req.Now, institution.Location))
	if !ok {
		return 0, "", false
	}
	for _, limit := range info.Limits {
		if limit.Daily() && limit.Permission().In(institution.Edition) {
			return limit, day, true
		}
	}
	return 0, "", false
}

// Day is the day that the request is for, and false where its effective date is
// malformed or before today.
func (r *Request) Day(today bank.Day) (bank.Day, bool) {
	date, given := r.Context.EffectiveDate()
	if !given {
		return today, true
	}
	day, err := bank.ParseDay(date)
	return day, err == nil && day >= today
}
