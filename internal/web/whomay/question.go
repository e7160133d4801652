package whomay

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/pdp"
	"mandate/internal/usermgmt"
)

// asks names what somebody wants to do: there is no question without it.
const asks = "operation"

// readQuestion reads what is asked about. What there is not, or cannot be read, is
// said, and is never taken for another question: about a wire, or about any account
// and any amount.
func readQuestion(r *http.Request, place Place, past pdp.Past) (entitlement.Request, string) {
	q := r.URL.Query()
	var problems []string
	op := catalog.WiresTransmitOperation
	if id := q.Get(asks); id != "" {
		asked := catalog.ParseOperation(id)
		if asked == catalog.UnknownOperation || !asked.In(place.Edition) {
			problems = append(problems, "There is no such action here. Choose one.")
		} else {
			op = asked
		}
	}
	req := entitlement.Plainest("", op, time.Time{})
	if op.Info().Accounts != catalog.AccountNone {
		req.Account = bank.AccountID(q.Get("account"))
	}
	if req.Account != "" && past.IsZero() && !place.has(req.Account) { // in the past there may have been others
		problems, req.Account = append(problems, "There is no such account here. Choose one, or ask about any account."), ""
	}
	if text := strings.TrimSpace(q.Get("amount")); text != "" && len(op.Info().Limits) > 0 {
		amount, err := bank.ParseMoney(text)
		if err != nil || amount <= 0 {
			problems = append(problems, "Write an amount such as $25,000.00.")
		} else {
			req.Amount = entitlement.AmountOf(amount)
		}
	}
	return req, strings.Join(problems, " ")
}

func (p Place) has(id bank.AccountID) bool {
	return slices.ContainsFunc(p.Accounts, func(a usermgmt.Account) bool { return a.ID == id })
}
