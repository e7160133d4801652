package recipients

import (
	"fmt"
	"regexp"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/moneymovement/ach/nacha"
)

// row reads one line into the preview.
func (l Layout) row(p *Preview, line int, cell func(Field) string, all []string) {
	if what := notTransaction(cell, all); what != "" {
		p.problem(line, "", fmt.Sprintf("This is a %s line. The file may hold transactions only: take it out.", what))
		return
	}
	before := len(p.Problems)
	r := Recipient{Line: line, Name: cell(Name), Account: strings.ReplaceAll(cell(Account), " ", ""), Routing: cell(Routing),
		ID: cell(ID), Addenda: cell(Addenda), Kind: l.Kind, Debit: l.Debits}
	if r.Kind == "" {
		r.Kind = nacha.Checking
	}
	l.words(p, line, cell, &r)
	l.amount(p, line, cell(Amount), &r)
	for _, problem := range r.Check() {
		p.problem(line, problem.Field, problem.Sentence)
	}
	if len(p.Problems) > before || p.More {
		return
	}
	p.Recipients = append(p.Recipients, r)
	if r.Prenote || r.Held {
		return
	}
	if r.Debit {
		p.Debits += r.Amount // at most 20,000 times ten digits
	} else {
		p.Credits += r.Amount
	}
}

// Check says what is wrong with a recipient, wherever it comes from.
func (r *Recipient) Check() (problems []Problem) {
	wrong := func(f Field, sentence string) { problems = append(problems, Problem{r.Line, f, sentence}) }
	text := func(f Field, value string, most int, needed bool) {
		switch {
		case needed && value == "":
			wrong(f, "It is missing.")
		case len(value) > most && nacha.Plain(value):
			wrong(f, fmt.Sprintf("It has more than %d characters.", most))
		case !nacha.Plain(value):
			wrong(f, "Use plain letters, digits and signs only.")
		}
	}
	text(Name, r.Name, nacha.MaxName, true)
	text(Account, r.Account, nacha.MaxAccount, true)
	text(ID, r.ID, nacha.MaxID, false)
	text(Addenda, r.Addenda, nacha.MaxAddenda, false)
	if !bank.IsRouting(r.Routing) {
		wrong(Routing, "A routing number has nine digits, the last of which checks the others; this one is wrong.")
	}
	if _, ok := nacha.CodeOf(r.Kind, r.Debit, r.Prenote); !ok {
		wrong(Direction, "A loan account can only be credited.")
	}
	switch {
	case r.Amount > nacha.MaxEntryAmount:
		wrong(Amount, "An entry has at most "+nacha.MaxEntryAmount.Dollars()+".")
	case r.Amount <= 0 && !r.Prenote:
		wrong(Amount, "Write an amount above zero.")
	}
	return problems
}

func (l Layout) amount(p *Preview, line int, text string, r *Recipient) {
	if text == "" && r.Prenote {
		return
	}
	var err error
	if l.Cents {
		r.Amount, err = bank.ParseAmount(text)
		if strings.Contains(text, ".") || len(text) > 10 {
			err = bank.ErrAmount
		}
		r.Amount /= 100
	} else {
		r.Amount, err = bank.ParseMoney(text)
	}
	if err != nil {
		r.Amount = 1 // so that one problem is said, not two
		p.problem(line, Amount, amountSentence(l.Cents))
	}
}

func amountSentence(cents bool) string {
	if cents {
		return "Write an amount in cents, in at most ten digits and nothing else."
	}
	return "Write an amount like 25000.00."
}

var (
	directionWords = map[string]bool{
		"debit": true, "dr": true, "d": true, "27": true, "37": true, "47": true,
		"credit": false, "cr": false, "c": false, "22": false, "32": false, "42": false, "52": false,
	}
	kindWords = map[string]nacha.Kind{
		"checking": nacha.Checking, "chk": nacha.Checking, "c": nacha.Checking, "dda": nacha.Checking, "d": nacha.Checking,
		"savings": nacha.Savings, "sav": nacha.Savings, "s": nacha.Savings,
		"ledger": nacha.Ledger, "general ledger": nacha.Ledger, "gl": nacha.Ledger, "g": nacha.Ledger,
		"loan": nacha.Loan, "l": nacha.Loan,
	}
	flagWords = map[string]bool{
		"y": true, "yes": true, "true": true, "1": true, "x": true, "h": true, "hold": true, "held": true, "p": true, "prenote": true,
		"n": false, "no": false, "false": false, "0": false,
	}
)

// words reads the fields that have few values.
func (l Layout) words(p *Preview, line int, cell func(Field) string, r *Recipient) {
	if text := strings.ToLower(cell(Direction)); text != "" {
		debit, known := directionWords[text]
		if r.Debit = debit; !known {
			p.problem(line, Direction, fmt.Sprintf("Write debit or credit, not %q.", text))
		}
	}
	if text := strings.ToLower(cell(Kind)); text != "" {
		kind, known := kindWords[text]
		if known {
			r.Kind = kind
		} else {
			p.problem(line, Kind, fmt.Sprintf("Write checking, savings, ledger or loan, not %q.", text))
		}
	}
	for f, flag := range map[Field]*bool{Prenote: &r.Prenote, Hold: &r.Held} {
		text := strings.ToLower(cell(f))
		on, known := flagWords[text]
		if *flag = on; text != "" && !known {
			p.problem(line, f, fmt.Sprintf("Write yes or no, not %q.", text))
		}
	}
}

var (
	nachaHeader  = regexp.MustCompile(`^(101[ 0-9]{20}|5(200|220|225|280).{46})`)
	nachaControl = regexp.MustCompile(`^(8(200|220|225|280)[0-9]{40}|9[0-9]{54})`)
	titles       = titlesOfColumns()
	endings      = map[string]string{"total": "control", "totals": "control", "grand total": "control", "trailer": "control", "trl": "control", "control": "control",
		"footer": "control", "eof": "control", "header": "header", "hdr": "header"}
)

// titlesOfColumns are what header lines call the fields.
func titlesOfColumns() map[string]bool {
	all := map[string]bool{"account": true, "acct": true, "routing": true, "aba": true, "type": true, "transaction type": true, "recipient": true,
		"receiver": true, "debit/credit": true, "held": true, "first name": true}
	for _, f := range Fields() {
		all[strings.ToLower(f.Label())], all[string(f)] = true, true
	}
	return all
}

// notTransaction says what a line is that is no transaction: "header",
// "control", or nothing.
func notTransaction(cell func(Field) string, all []string) string {
	first := strings.ToLower(strings.Trim(strings.TrimSpace(all[0]), ":"))
	switch {
	case nachaHeader.MatchString(all[0]):
		return "header"
	case nachaControl.MatchString(all[0]):
		return "control"
	case endings[first] != "" && len(all) > 1:
		return endings[first]
	}
	if len(all) == 1 { // fixed positions: the word stands at its beginning
		word, _, _ := strings.Cut(first, " ")
		if endings[word] != "" && !bank.IsRouting(cell(Routing)) {
			return endings[word]
		}
	}
	named := 0
	for _, f := range Fields() {
		if titles[strings.ToLower(cell(f))] && f != Direction && f != Kind && f != Hold && f != Prenote {
			named++
		}
	}
	if named >= 2 {
		return "header"
	}
	return ""
}
