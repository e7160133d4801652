package api

import (
	"time"

	"mandate/internal/bank"
	"mandate/internal/entitlement"
	"mandate/internal/pdp"
)

// A Reason is one thing that blocks, for programs and in words.
type Reason struct {
	Code       string `json:"code" doc:"What kind of thing blocks, such as USER_OFF."`
	Level      string `json:"level" doc:"Where it is set, such as organization_user."`
	Permission string `json:"permission,omitempty" doc:"The permission that it is about."`
	Account    string `json:"account,omitempty" doc:"The account that it is about."`
	Limit      string `json:"limit,omitempty" doc:"What the limit is set to."`
	Used       string `json:"used,omitempty" doc:"What already counts against a daily limit."`
	Message    string `json:"message" doc:"The reason in a sentence."`
}

func reasonsOf(reasons []entitlement.Reason, names entitlement.Names) []Reason {
	all := make([]Reason, 0, len(reasons))
	for _, r := range reasons {
		all = append(all, reasonOf(r, names))
	}
	return all
}

func reasonOf(r entitlement.Reason, names entitlement.Names) Reason {
	shown := Reason{
		Code: string(r.Code), Level: r.Level.String(), Permission: r.Permission.String(), Account: string(r.Account), Message: sentence(r, names),
	}
	if r.Code == entitlement.LimitPerTransaction || r.Code == entitlement.LimitDaily {
		shown.Limit = r.Limit.String()
	}
	if r.Code == entitlement.LimitDaily {
		shown.Used = r.Used.String()
	}
	return shown
}

func sentence(r entitlement.Reason, names entitlement.Names) string {
	if r.Code == pdp.RevisionNotReached {
		return "The revision that was demanded is not known here yet."
	}
	return r.Sentence(names)
}

// Payment is what a caller says about a payment, or about anything else that
// somebody wants to do.
type Payment struct {
	Member    string         `json:"member" maxLength:"200" doc:"The organization user who acts."`
	Operation string         `json:"operation" maxLength:"100" doc:"What they want to do, such as wires.transmit."`
	Account   string         `json:"account,omitempty" maxLength:"200" doc:"The account, where the operation has one."`
	ToAccount string         `json:"to_account,omitempty" maxLength:"200" doc:"The account that receives, of a transfer."`
	Amount    *string        `json:"amount,omitempty" maxLength:"64" doc:"A decimal amount, such as 25000.00."`
	Context   map[string]any `json:"context,omitempty" doc:"What else is known of it, such as recurring or effective_date."`
}

func (p Payment) amount() entitlement.Amount {
	if p.Amount == nil {
		return entitlement.Amount{}
	}
	return entitlement.ReadAmount(*p.Amount)
}

func (p Payment) question() pdp.Question {
	return pdp.Question{
		Member: bank.UserID(p.Member), Operation: p.Operation, Account: bank.AccountID(p.Account),
		ToAccount: bank.AccountID(p.ToAccount), Amount: p.amount(), Context: p.Context,
	}
}

// moment writes a time as the API carries it.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }
