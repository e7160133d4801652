package positivepay

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/host"
)

// An Output is a file that the institution makes of an account and a day: what
// was paid and returned on it, what waits, and what is outstanding.
type Output struct {
	Account  bank.AccountID
	Day      bank.Day
	Paid     int
	PaidSum  bank.Cents
	Returned int
	Waiting  int
}

// An OutputQuery is what the list of output files is asked for; what is empty
// asks for everything.
type OutputQuery struct {
	Account     bank.AccountID
	From, Until bank.Day
	Page, Size  int // the first page is 1
}

// An OutputPage is a part of that list.
type OutputPage struct {
	Outputs  []Output
	Matching int
	Paid     bank.Cents // of all that match
	Total    int
	Page     int
}

// Outputs lists the output files of accounts on which the caller may download,
// the latest first.
func (s *Service) Outputs(ctx context.Context, caller bank.Caller, q OutputQuery) (page OutputPage, err error) {
	err = s.guard.Look(ctx, caller, looking(caller), func(v *guard.View) error {
		page = OutputPage{Page: 1}
		seen := allowed(v.Policy, catalog.ARPFileDownload, caller.Member(), v.Tx.Now)
		if len(seen) == 0 {
			return nil
		}
		page, err = listOutputs(v.Tx, placeOf(caller), seen, q)
		return err
	})
	return page, err
}

const outputWhere = `
	 where institution_id = $1 and organization_id = $2 and replace($3, ',' || account_id || ',', '') <> cast($3 as text) and (cast($4 as text) = '' or account_id = $4)
	   and (cast($5 as text) = '' or day >= $5) and (cast($6 as text) = '' or day <= $6)`

func listOutputs(tx *db.Tx, of place, seen []bank.AccountID, q OutputQuery) (page OutputPage, err error) {
	q.Size = sizeOf(q.Size)
	args := []any{of.institution, of.organization, joined(seen), q.Account, q.From, q.Until}
	const count = `select count(*), cast(coalesce(sum(paid), 0) as bigint) from (select sum(case when state = 'paid' then cents else 0 end) as paid from arp_item` + outputWhere + ` group by account_id, day) as f`
	if err := tx.QueryRow(count, args...).Scan(&page.Matching, &page.Paid); err != nil {
		return OutputPage{}, fmt.Errorf("count the output files: %w", err)
	}
	var rest bank.Cents
	if err := tx.QueryRow(count, of.institution, of.organization, joined(seen), "", "", "").Scan(&page.Total, &rest); err != nil {
		return OutputPage{}, fmt.Errorf("count the output files: %w", err)
	}
	page.Page = at(q.Page, q.Size, page.Matching)
	page.Outputs, err = db.All(tx, func(s db.Scanner) (o Output, err error) {
		err = s.Scan(&o.Account, &o.Day, &o.Paid, &o.PaidSum, &o.Returned, &o.Waiting)
		return o, err
	}, `
		select account_id, day, cast(sum(case when state = 'paid' then 1 else 0 end) as bigint), cast(sum(case when state = 'paid' then cents else 0 end) as bigint),
		       cast(sum(case when state = 'returned' then 1 else 0 end) as bigint), cast(sum(case when state in ('open', 'refused', 'paying', 'returning') then 1 else 0 end) as bigint)
		  from arp_item`+outputWhere+` group by account_id, day order by day desc, account_id limit $7 offset $8`, append(args, q.Size, (page.Page-1)*q.Size)...)
	if err != nil {
		return OutputPage{}, fmt.Errorf("list the output files: %w", err)
	}
	return page, nil
}

// A Download is an output file as it is handed over.
type Download struct {
	Name string
	Body []byte
}

// errNoOutput says that there is no such file for whoever asks.
var errNoOutput = fault.New(fault.NotFound, "There is no output file of this account and day.")

// errNoNumber says that the host does not tell under which number an
// institution's own programs know an account: a file without it is of no use.
var errNoNumber = fault.New(fault.Unavailable, "The number of this account could not be read at the institution, so the file was not made. Try again in a few minutes.")

// Download makes the output file of an account and a day, as it stands now.
func (s *Service) Download(ctx context.Context, caller bank.Caller, account bank.AccountID, day bank.Day) (d Download, err error) {
	numbers, silent := s.desk.Host().Numbers(ctx, caller.Institution, []bank.AccountID{account}) // what stands against a download is said first
	target := activity.Target{Kind: activity.TargetAccount, ID: string(account), Name: "output file"}
	err = s.guard.Do(ctx, caller, doing(EventDownloaded, caller, target), func(c *guard.Change) error {
		if err := require(c, catalog.ARPFileDownload, account); err != nil {
			return err
		}
		at := placeOf(caller)
		items, err := itemsOn(c.Tx, at, account, day)
		if err != nil {
			return err
		}
		if len(items) == 0 {
			return errNoOutput
		}
		issues, err := standingOn(c.Tx, at, account)
		if err != nil {
			return err
		}
		days, err := s.calendar.In(c.Tx, caller.Institution)
		if err != nil {
			return err
		}
		name, external, err := s.accounts(c.Tx, at.institution, at.organization, account)
		if err != nil {
			return err
		}
		number := cmp.Or(numbers[account], external)
		if silent != nil || number == "" {
			return errNoNumber.Because(silent)
		}
		d = Download{
			Name: fmt.Sprintf("ARP_%s_%s.txt", fileName.Replace(plain(name, 40)), digits(day)),
			Body: write(outputOf{number, name, day, c.Tx.Now.In(days.Place)}, items, issues),
		}
		c.RecordQuiet(EventDownloaded, target, "", activity.Change{Field: "day", New: string(day)})
		return nil
	})
	return d, err
}

func itemsOn(tx *db.Tx, at place, account bank.AccountID, day bank.Day) ([]Item, error) {
	all, err := db.All(tx, scanItem, `select `+itemColumns+` from arp_item
		 where institution_id = $1 and organization_id = $2 and account_id = $3 and day = $4 order by kind desc, number, id`, at.institution, at.organization, account, day)
	if err != nil {
		return nil, fmt.Errorf("read what came in: %w", err)
	}
	return all, nil
}

// standingOn are the checks of an account that are outstanding or void.
func standingOn(tx *db.Tx, at place, account bank.AccountID) ([]Issue, error) {
	all, err := db.All(tx, scanIssue, `select `+issueColumns+` from arp_issue
		 where institution_id = $1 and organization_id = $2 and account_id = $3 and not void and state in ('outstanding', 'voided') order by number, file_id`, at.institution, at.organization, account)
	if err != nil {
		return nil, fmt.Errorf("read what is outstanding: %w", err)
	}
	return all, nil
}

// outputOf is what an output file is made of.
type outputOf struct {
	number string // of the account, at the institution
	name   string
	day    bank.Day
	made   time.Time
}

var fileName = strings.NewReplacer(" ", "-", "/", "-", `\`, "-", `"`, "", "?", "")

// Statuses of the lines of an output file.
const (
	linePaid        = "P"
	lineReturned    = "R"
	lineWaiting     = "E"
	lineOutstanding = "O"
	lineVoid        = "V"
)

// write makes an output file: docs/arp-output-file.md says what stands where.
func write(o outputOf, items []Item, issues []Issue) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "H%-8s%-14s%-40s%-37s\r\n", digits(o.day), o.made.Format("20060102150405"), plain(o.number, 40), plain(o.name, 37))
	count, paid, returned, outstanding := 0, bank.Cents(0), bank.Cents(0), bank.Cents(0)
	detail := func(status string, number int64, cents bank.Cents, issued, settled bank.Day, kind, why, name string) {
		count++
		fmt.Fprintf(&out, "D%s%010d%013d%-8s%-8s%-1s%-14s%-44s\r\n", status, number, cents, digits(issued), digits(settled), kind, why, plain(name, 44))
	}
	for n := range items {
		i := &items[n]
		status, settled := lineWaiting, bank.Day("")
		switch i.State {
		case Paid:
			status, settled, paid = linePaid, i.Day, paid+i.Cents
		case Returned:
			status, settled, returned = lineReturned, i.Day, returned+i.Cents
		case Elsewhere:
			continue // the institution knows, and we do not
		}
		kind, name := "C", i.Payee
		if i.Kind == host.ACHItem {
			kind, name = "A", i.Company
		}
		detail(status, i.Number, i.Cents, "", settled, kind, string(i.Mismatch), name)
	}
	for _, i := range issues {
		if i.State == Voided {
			detail(lineVoid, i.Number, i.Cents, i.Day, i.Done, "C", "", i.Payee)
			continue
		}
		outstanding += i.Cents
		detail(lineOutstanding, i.Number, i.Cents, i.Day, "", "C", "", i.Payee)
	}
	fmt.Fprintf(&out, "T%09d%015d%015d%015d%-45s\r\n", count, paid, returned, outstanding, "")
	return out.Bytes()
}

func digits(day bank.Day) string { return strings.ReplaceAll(string(day), "-", "") }

// plain keeps a text within a field of an output file: signs of ASCII alone.
func plain(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
	return s[:min(len(s), most)]
}
