package authorization

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
)

// Asked is what a caller asks about a payment, as it came: names that nothing
// stands behind, and amounts that are none, are part of the question.
type Asked struct {
	Member    bank.UserID
	Operation string
	Account   bank.AccountID
	ToAccount bank.AccountID
	Amount    entitlement.Amount
	Context   map[string]any // as decoded from JSON, numbers as json.Number
}

// maxID is the most bytes that an id of ours or of a bank can have.
const maxID = 200

// Scope names the member and the accounts that the question is about.
func (a Asked) Scope() entitlement.Scope {
	s := scopeOf(a.Member)
	for _, account := range []bank.AccountID{a.Account, a.ToAccount} {
		if plausible(string(account)) {
			s.Accounts = append(s.Accounts, account)
		}
	}
	return s
}

// scopeOf names one member, or nobody.
func scopeOf(member bank.UserID) (s entitlement.Scope) {
	if plausible(string(member)) {
		s.Members = []bank.UserID{member}
	}
	return s
}

// plausible reports whether anything could have the id. What is not even text
// is never looked up, and so is unknown.
func plausible(id string) bool {
	return id != "" && len(id) <= maxID && utf8.ValidString(id) && !strings.ContainsRune(id, 0)
}

// request is the question about an operation, for the member that asked.
func (a Asked) request(p *entitlement.Policy, op catalog.Operation, now time.Time) entitlement.Request {
	return entitlement.Request{
		Member: a.Member, Operation: op, Account: a.Account, ToAccount: a.ToAccount, Amount: a.Amount,
		Context: entitlement.ReadContext(op, p.Institution.Edition, a.Context), Now: now,
	}
}

// content is the form in which equal questions are equal texts: the amount by
// value, the context key by key, an empty context as none.
type content struct {
	Member    string         `json:"member"`
	Operation string         `json:"operation"`
	Account   string         `json:"account,omitempty"`
	ToAccount string         `json:"to_account,omitempty"`
	Amount    string         `json:"amount,omitempty"`
	Context   map[string]any `json:"context,omitempty"`
}

func (a Asked) content() (string, error) {
	text, err := json.Marshal(content{string(a.Member), a.Operation, string(a.Account), string(a.ToAccount), a.Amount.Canonical(), a.Context})
	if err != nil {
		return "", fmt.Errorf("write what was asked: %w", err)
	}
	if len(text) > MaxContent {
		return "", fault.Newf(fault.Invalid, "What is asked is too long: at most %d bytes.", MaxContent)
	}
	return string(text), nil
}

func readContent(text string) (Asked, error) {
	var c content
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	if err := d.Decode(&c); err != nil {
		return Asked{}, fmt.Errorf("read what was asked: %w", err)
	}
	a := Asked{Member: bank.UserID(c.Member), Operation: c.Operation, Account: bank.AccountID(c.Account),
		ToAccount: bank.AccountID(c.ToAccount), Context: c.Context}
	if c.Amount != "" { // its first character says only whether it could be read
		a.Amount = entitlement.ReadAmount(c.Amount[1:])
	}
	return a, nil
}

// changes is what was asked, for the history.
func (a Asked) changes() []activity.Change {
	changes := []activity.Change{{Field: "member", New: string(a.Member)}, {Field: "operation", New: a.Operation}}
	for _, c := range []activity.Change{{Field: "account", New: string(a.Account)}, {Field: "to_account", New: string(a.ToAccount)}} {
		if c.New != "" {
			changes = append(changes, c)
		}
	}
	if cents, ok := a.Amount.Cents(); ok {
		changes = append(changes, activity.Change{Field: "amount", New: cents.String()})
	}
	return changes
}

// checkRef refuses names that could not be found again.
func checkRef(name string) error {
	var problems fault.Problems
	switch {
	case name == "" || len(name) > MaxRef:
		problems.Addf("ref", "A reference has 1 to %d bytes.", MaxRef)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		problems.Add("ref", "A reference is text without control characters.")
	}
	return problems.Err("The reference cannot be used.")
}
