package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"mandate/internal/bank"
	"mandate/internal/config"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/pdp"
	"mandate/internal/pdp/memory"
	"mandate/internal/usermgmt"
)

type explainCommand struct {
	config.Store `embed:""`
	Institution  string `required:"" help:"The institution's id." placeholder:"ID"`
	Organization string `help:"The bank's own number of the organization. Member and accounts can then be named by the bank's numbers, too." placeholder:"NUMBER"`
	Member       string `arg:"" help:"The organization user's id."`
	Operation    string `arg:"" help:"What they want to do, such as wires.transmit."`
	Account      string `help:"The account's id." placeholder:"ID"`
	ToAccount    string `help:"The account to which money moves." placeholder:"ID"`
	Amount       string `help:"An amount such as 25000.00." placeholder:"AMOUNT"`
	Context      string `help:"What else is known of the payment, as JSON, such as {\"recurring\":true}." placeholder:"JSON"`
	At           string `help:"As it was at a time in the past such as 2026-03-02T15:04:05Z, or when a revision was made: its token." placeholder:"MOMENT"`
}

func (c *explainCommand) Run(t *terminal) (err error) {
	question, err := c.question()
	if err != nil {
		return err
	}
	at, err := c.moment()
	if err != nil {
		return err
	}
	d, err := openReadOnly(t, c.Store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if err := knownInstitution(t, d, c.Institution); err != nil {
		return err
	}
	if c.Organization != "" {
		if err := c.lookUp(t.ctx, d, &question); err != nil {
			return err
		}
	}
	e, err := pdp.New(memory.New(d, usermgmt.MemorySources(), memory.Options{}), usermgmt.DecisionSources(), nil).ExplainAt(t.ctx, bank.InstitutionID(c.Institution), question, at)
	if err != nil {
		return err
	}
	printExplanation(t.out, e)
	if !e.Allowed {
		return errQuiet
	}
	return nil
}

// moment is the moment that the question is about.
func (c *explainCommand) moment() (pdp.Past, error) {
	if c.At == "" {
		return pdp.Past{}, nil
	}
	at, err := pdp.ParsePast(c.At)
	if err != nil {
		var problems fault.Problems
		problems.Add("at", "write a time such as 2026-03-02T15:04:05Z, or a revision token")
		return at, problems.Err("The question cannot be read.")
	}
	return at, nil
}

func (c *explainCommand) question() (pdp.Question, error) {
	q := pdp.Question{Member: bank.UserID(c.Member), Operation: c.Operation, Account: bank.AccountID(c.Account), ToAccount: bank.AccountID(c.ToAccount), InWords: true}
	if c.Amount != "" {
		q.Amount = entitlement.ReadAmount(c.Amount)
	}
	if c.Context == "" {
		return q, nil
	}
	if err := json.Unmarshal([]byte(c.Context), &q.Context); err != nil {
		var problems fault.Problems
		problems.Add("context", `write a JSON object such as {"recurring":true}`)
		return q, problems.Err("The question cannot be read.")
	}
	return q, nil
}

// lookUp puts the product's ids in the place of the bank's numbers. What is not
// a number of the organization stays as it is, and may be an id.
func (c *explainCommand) lookUp(ctx context.Context, d *db.DB, q *pdp.Question) error {
	return d.Read(ctx, func(tx *db.Tx) error {
		keys, err := usermgmt.KeysOf(tx, bank.InstitutionID(c.Institution), c.Organization)
		if err != nil {
			return err
		}
		q.Organization = keys.Organization
		if id, ok := keys.Members[c.Member]; ok {
			q.Member = id
		}
		if id, ok := keys.Accounts[c.Account]; ok {
			q.Account = id
		}
		if id, ok := keys.Accounts[c.ToAccount]; ok {
			q.ToAccount = id
		}
		return nil
	})
}

// printExplanation writes the answer, every level with its state, and what
// would turn a refusal around.
func printExplanation(w io.Writer, e pdp.Explained) {
	switch {
	case e.Allowed && e.ApprovalRequired:
		fmt.Fprintln(w, "allowed, after a second person approves")
	case e.Allowed:
		fmt.Fprintln(w, "allowed")
	default:
		fmt.Fprintln(w, "refused")
	}
	if !e.Allowed && len(e.Rungs) == 0 { // the question itself cannot be asked
		for _, reason := range e.Reasons {
			fmt.Fprintf(w, "  %s\n", reason.Sentence(e.Names))
		}
	}
	for _, rung := range e.Rungs {
		fmt.Fprintf(w, "\n%s\n", rung.Level)
		for _, check := range rung.Checks {
			if check.OK {
				fmt.Fprintf(w, "  ok      %s\n", check.Tested(e.Names))
			} else {
				fmt.Fprintf(w, "  blocks  %s\n", check.Sentence(e.Names))
			}
		}
	}
	switch {
	case e.Allowed:
	case !e.Fixable:
		fmt.Fprintln(w, "\nno fix: nothing that anybody may change would allow this")
	default:
		fmt.Fprintln(w, "\nto allow it, all of:")
		for _, step := range e.Fix {
			fmt.Fprintf(w, "  %s\n", step.Sentence(e.Names))
			for _, place := range step.By {
				fmt.Fprintf(w, "    by %s\n", place.Sentence())
			}
		}
	}
}
