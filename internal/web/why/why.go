// Package why asks "why can't they?" and shows the answer: every level that has
// a say, and the smallest set of changes that would allow it. Online and the
// console show the same; what somebody may change there, each adds itself.
package why

import (
	"net/url"
	"slices"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/usermgmt"
	"mandate/internal/web/phrase"
	"mandate/internal/web/ui"
)

// A Question is the form.
type Question struct {
	Action    string
	Operation ui.Field
	Groups    []Group
	Account   *ui.Field // nil where the operation names none
	ToAccount *ui.Field
	Accounts  []ui.Option
	Amount    *ui.Field
	Date      *ui.Field
	Checks    []ui.Field
	Fields    *ui.Field
}

// A Group is an entitlement with what can be asked about.
type Group struct {
	Label   string
	Options []ui.Option
}

// Answerable reports whether a question has what its operation asks for; the
// form asks for the rest before anything is answered.
func Answerable(op catalog.Operation, q url.Values) bool {
	info := op.Info()
	switch info.Accounts {
	case catalog.AccountPair:
		if q.Get("account") == "" || q.Get("to_account") == "" {
			return false
		}
	case catalog.AccountRequired:
		if q.Get("account") == "" {
			return false
		}
	}
	return len(info.Limits) == 0 || strings.TrimSpace(q.Get("amount")) != ""
}

// Request reads a question from an address.
func Request(op catalog.Operation, edition bank.Edition, q url.Values) entitlement.Request {
	req := entitlement.Request{Operation: op, Account: bank.AccountID(q.Get("account")), ToAccount: bank.AccountID(q.Get("to_account"))}
	if amount, err := bank.ParseMoney(q.Get("amount")); err == nil {
		req.Amount = entitlement.AmountOf(amount)
	} else if q.Get("amount") != "" {
		req.Amount = entitlement.ReadAmount(q.Get("amount"))
	}
	said := map[string]any{}
	for _, key := range contextKeys(op, edition) {
		said[key.String()] = q.Get(key.String()) == "on"
	}
	if day := q.Get(catalog.EffectiveDate.String()); day != "" {
		said[catalog.EffectiveDate.String()] = day
	}
	if fields := q.Get(catalog.Fields.String()); fields != "" {
		said[catalog.Fields.String()] = fields
	}
	req.Context = entitlement.ReadContext(op, edition, said)
	return req
}

// contextKeys are what can be said about a payment with yes or no.
func contextKeys(op catalog.Operation, edition bank.Edition) []catalog.ContextKey {
	var keys []catalog.ContextKey
	for _, need := range op.Info().Context {
		if need.Permission.In(edition) {
			keys = append(keys, need.Key)
		}
	}
	if op.Info().LastEditor {
		keys = append(keys, catalog.LastEditor)
	}
	return keys
}

var contextLabels = map[catalog.ContextKey]string{
	catalog.Restricted: "The batch is restricted, such as payroll",
	catalog.Recurring:  "It is part of a recurring series",
	catalog.SameDay:    "It must settle today",
	catalog.Debits:     "It collects money",
	catalog.LastEditor: "The same person was the last to edit the batch",
}

// NewQuestion is the form that asks about an operation, with what was said so far.
func NewQuestion(action string, op catalog.Operation, profile *usermgmt.Profile, q url.Values) Question {
	edition := profile.Policy.Institution.Edition
	f := Question{Action: action, Operation: ui.Field{Name: "operation", Label: "What should be possible?", Value: op.ID()}, Groups: operationGroups(edition)}
	if op == catalog.UnknownOperation {
		return f
	}
	info := op.Info()
	f.Accounts = accountOptions(profile, info.Accounts == catalog.AccountOptional)
	first := &ui.Field{Name: "account", Label: "Account", Value: q.Get("account"), Optional: info.Accounts == catalog.AccountOptional}
	switch info.Accounts {
	case catalog.AccountPair:
		first.Label = "From account"
		f.Account, f.ToAccount = first, &ui.Field{Name: "to_account", Label: "To account", Value: q.Get("to_account")}
	case catalog.AccountRequired, catalog.AccountOptional:
		f.Account = first
	}
	if len(info.Limits) > 0 {
		f.Amount = &ui.Field{Name: "amount", Label: "Amount", Value: q.Get("amount"), Width: "short"}
	}
	if info.Dated {
		f.Date = &ui.Field{Name: catalog.EffectiveDate.String(), Label: "Effective date", Value: q.Get(catalog.EffectiveDate.String()), Optional: true, Width: "short", Help: "Empty for today."}
	}
	for _, key := range contextKeys(op, edition) {
		f.Checks = append(f.Checks, ui.Field{Name: key.String(), Label: contextLabels[key], Value: q.Get(key.String())})
	}
	if info.EntryFields {
		f.Fields = &ui.Field{Name: catalog.Fields.String(), Label: "What is edited", Value: q.Get(catalog.Fields.String())}
	}
	return f
}

func operationGroups(edition bank.Edition) []Group {
	groups := []Group{{Label: "Accounts"}}
	byEntitlement := map[catalog.Entitlement]int{catalog.NoEntitlement: 0}
	for _, e := range catalog.Entitlements() {
		if e.In(edition) {
			byEntitlement[e] = len(groups)
			groups = append(groups, Group{Label: e.Label()})
		}
	}
	for _, op := range catalog.Operations() {
		info := op.Info()
		exists := !slices.ContainsFunc(info.Named(edition), func(p catalog.Permission) bool { return !p.In(edition) })
		if i, shown := byEntitlement[info.Entitlement]; shown && exists {
			groups[i].Options = append(groups[i].Options, ui.Option{Value: op.ID(), Label: phrase.Capital(info.Label)})
		}
	}
	return groups
}

func accountOptions(profile *usermgmt.Profile, optional bool) []ui.Option {
	first := ui.Option{Label: "Choose an account"}
	if optional {
		first.Label = "Any account"
	}
	options := []ui.Option{first}
	for _, account := range profile.Accounts {
		options = append(options, ui.Option{Value: string(account.ID), Label: account.Label()})
	}
	return options
}
