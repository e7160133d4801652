package nacha

// A Code is a transaction code: what kind of account, credited or debited, with
// money or as a prenote.
type Code int

// A Kind is the kind of the receiver's account.
type Kind string

const (
	Checking Kind = "checking"
	Savings  Kind = "savings"
	Ledger   Kind = "ledger"
	Loan     Kind = "loan"
)

var kinds = map[Code]Kind{2: Checking, 3: Savings, 4: Ledger, 5: Loan}

// Kinds are the kinds of account in the order of screens.
func Kinds() []Kind { return []Kind{Checking, Savings, Ledger, Loan} }

// CodeOf is the code of an entry, and false where there is none: a loan cannot
// be debited.
func CodeOf(kind Kind, debit, prenote bool) (Code, bool) {
	for tens, k := range kinds {
		if k != kind {
			continue
		}
		code := tens*10 + 2
		if debit {
			code += 5
		}
		if prenote {
			code++
		}
		return code, !debit || kind != Loan
	}
	return 0, false
}

// Kind is the kind of account, empty for a code that is none.
func (c Code) Kind() Kind { return kinds[c/10] }

// Debit reports whether money is taken from the receiver.
func (c Code) Debit() bool { return c%10 >= 5 }

// Prenote reports whether the entry only tests the account.
func (c Code) Prenote() bool { return c%10 == 3 || c%10 == 8 }

// Zero reports whether the code carries remittance data without money.
func (c Code) Zero() bool { return c%10 == 4 || c%10 == 9 }

// returned reports whether the code is one of returns and notices of change,
// which come from receiving institutions.
func (c Code) returned() bool { return c%10 == 1 || c%10 == 6 }
