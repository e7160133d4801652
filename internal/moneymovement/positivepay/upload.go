package positivepay

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/moneymovement/layout"
)

// MaxName is how long the name of a list may be, in characters.
const MaxName = 100

// An Upload is a file of issued checks of one account.
type Upload struct {
	ID      FileID
	Account bank.AccountID
	Name    string // of the file
	Format  layout.Format
	Again   bool // although the same list was uploaded before
	File    io.Reader
}

var fileIDSyntax = regexp.MustCompile(`^arp_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// nameProblem says what is wrong with the name of a list.
func nameProblem(name string) string {
	if !utf8.ValidString(name) || strings.ContainsFunc(name, unseen) || utf8.RuneCountInString(name) > MaxName {
		return fmt.Sprintf("Use a name of at most %d characters that can be seen.", MaxName)
	}
	return ""
}

// Upload keeps a list as unapproved where nothing is wrong with it; otherwise
// the preview has every problem by line, and nothing is kept. The right is
// decided before the file is read, and again when it is kept.
func (s *Service) Upload(ctx context.Context, caller bank.Caller, u Upload) (*Preview, error) {
	var problems fault.Problems
	if !fileIDSyntax.MatchString(string(u.ID)) {
		problems.Add("id", "Open the form again.")
	}
	if u.Name = strings.TrimSpace(u.Name); nameProblem(u.Name) != "" {
		problems.Add("file", nameProblem(u.Name))
	}
	if u.Format.Label() == "" {
		problems.Add("format", "Choose fixed position, CSV or tab-delimited.")
	}
	if err := problems.Err("The file cannot be uploaded."); err != nil {
		return nil, err
	}
	l, today, err := s.permitUpload(ctx, caller, u)
	if err != nil {
		return nil, err
	}
	p, err := s.read(ctx, u.File, l, today)
	if err != nil || len(p.Problems) > 0 {
		return p, err
	}
	if u.Name == "" {
		u.Name = "issued checks"
	}
	return p, s.keep(ctx, caller, File{ID: u.ID, Account: u.Account, Name: u.Name, Source: string(u.Format)}, p, u.Again)
}

// permitUpload decides before a stranger's bytes cost anything, and finds the
// layout to read them by. It only looks, so that a request that is repeated gets
// this far again; a refusal is recorded by the door.
func (s *Service) permitUpload(ctx context.Context, caller bank.Caller, u Upload) (l Layout, today bank.Day, err error) {
	err = s.guard.Look(ctx, caller, looking(caller), func(v *guard.View) error {
		if err := mayOn(v.Policy, catalog.ARPFileUpload, caller.Member(), u.Account, v.Tx.Now); err != nil {
			return err
		}
		if err := requireEnrolled(v.Tx, placeOf(caller), u.Account); err != nil {
			return err
		}
		days, err := s.calendar.In(v.Tx, caller.Institution)
		if err != nil {
			return err
		}
		today = days.Today(v.Tx.Now)
		var found bool
		if l, found, err = layoutOf(v.Tx, placeOf(caller), u.Format); err == nil && !found {
			err = fault.Newf(fault.Conflict, "Set up the layout for %s files first.", u.Format.Label()).With("NO_LAYOUT")
		}
		return err
	})
	if fault.KindOf(err) == fault.Forbidden {
		refused := s.guard.Do(ctx, caller, doing(EventUploaded, caller, fileTarget(u.ID, u.Name)), func(c *guard.Change) error {
			return require(c, catalog.ARPFileUpload, u.Account)
		})
		return l, today, cmp.Or(refused, err)
	}
	return l, today, err
}

// read waits for a place among the readers and reads a list.
func (s *Service) read(ctx context.Context, file io.Reader, l Layout, today bank.Day) (*Preview, error) {
	leave, err := s.alone(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	return Read(file, l, today)
}

// alone waits for a place among the readers.
func (s *Service) alone(ctx context.Context) (leave func(), err error) {
	select {
	case s.reading <- struct{}{}:
		return func() { <-s.reading }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Try reads a list by a layout that is not kept yet, and keeps nothing.
func (s *Service) Try(ctx context.Context, caller bank.Caller, l Layout, file io.Reader) (p *Preview, err error) {
	var today bank.Day
	err = s.guard.Look(ctx, caller, looking(caller), func(v *guard.View) error {
		if len(allowed(v.Policy, catalog.ARPFileUpload, caller.Member(), v.Tx.Now)) == 0 {
			return mayOn(v.Policy, catalog.ARPFileUpload, caller.Member(), likeliest(v.Policy, caller.Member(), nil, v.Tx.Now), v.Tx.Now)
		}
		days, err := s.calendar.In(v.Tx, caller.Institution)
		if err == nil {
			today = days.Today(v.Tx.Now)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.read(ctx, file, l, today)
}

// An Entry is checks that somebody enters by hand.
type Entry struct {
	ID      FileID
	Account bank.AccountID
	Checks  []Check // their lines are those of the form
}

// Enter keeps checks that were entered by hand, as an unapproved list.
func (s *Service) Enter(ctx context.Context, caller bank.Caller, e Entry) error {
	var problems fault.Problems
	if !fileIDSyntax.MatchString(string(e.ID)) {
		problems.Add("id", "Open the form again.")
	}
	if len(e.Checks) == 0 {
		problems.Add("checks", "Enter at least one check.")
	}
	if len(e.Checks) > MaxEntered {
		problems.Addf("checks", "Enter at most %d checks at once.", MaxEntered)
	}
	if err := problems.Err("The checks cannot be kept."); err != nil {
		return err
	}
	var day bank.Day
	err := s.guard.Look(ctx, caller, looking(caller), func(v *guard.View) error {
		days, err := s.calendar.In(v.Tx, caller.Institution)
		if err == nil {
			day = days.Today(v.Tx.Now)
		}
		return err
	})
	if err != nil {
		return err
	}
	p, seen := &Preview{}, map[string]int{}
	for _, check := range e.Checks {
		check.Payee = strings.Join(strings.Fields(check.Payee), " ")
		said := len(p.Problems)
		wrong := func(f Field, sentence string) { p.problem(check.Line, f, sentence) }
		check.check(day, wrong)
		check.once(seen, wrong)
		if len(p.Problems) == said {
			p.add(check)
		}
	}
	if err := p.Err(); err != nil {
		return err
	}
	name := fmt.Sprintf("ARPManualEntry_%s_%s.txt", strings.Join(strings.Fields(caller.Name), ""), strings.ReplaceAll(string(day), "-", ""))
	return s.keep(ctx, caller, File{ID: e.ID, Account: e.Account, Name: name, Source: Manual}, p, true)
}

// Err says every problem of a preview, each with its line and field, or nothing.
func (p *Preview) Err() error {
	var problems fault.Problems
	for _, one := range p.Problems {
		problems.Add(one.Place(), one.Sentence)
	}
	if p.More {
		problems.Add("file", "There are more problems than are said here.")
	}
	return problems.Err("Nothing was kept.")
}

// Place is where a problem is: "line 3, amount" is line.3.amount for programs.
func (p Problem) Place() string {
	if p.Field == "" {
		return fmt.Sprintf("line.%d", p.Line)
	}
	return fmt.Sprintf("line.%d.%s", p.Line, p.Field)
}

// keep stores a list as unapproved. The same one again keeps nothing.
func (s *Service) keep(ctx context.Context, caller bank.Caller, f File, p *Preview, again bool) error {
	f.Institution, f.Organization, f.State = caller.Institution, caller.Organization, Unapproved
	f.Checks, f.Voids, f.Cents = p.Issued, p.Voids, p.Cents
	f.hash = hashOf(struct {
		Account bank.AccountID
		Checks  []Check
	}{f.Account, p.Checks})
	return s.guard.Do(ctx, caller, doing(EventUploaded, caller, f.target()), func(c *guard.Change) error {
		known, found, err := findFile(c.Tx, placeOf(caller), f.ID)
		switch {
		case err != nil:
			return err
		case found && known.hash == f.hash && known.By.ID == caller.ID:
			return nil
		case found:
			return fault.New(fault.Conflict, "This form was sent before with something else in it. Open it again.").With("ID_REUSED")
		}
		if err := require(c, catalog.ARPFileUpload, f.Account); err != nil {
			return err
		}
		if err := requireEnrolled(c.Tx, placeOf(caller), f.Account); err != nil {
			return err
		}
		if err := notBefore(c.Tx, &f, again); err != nil {
			return err
		}
		issues := make([]Issue, len(p.Checks))
		for i, check := range p.Checks {
			issues[i] = Issue{Check: check, File: f.ID, Account: f.Account, State: Waits}
		}
		if err := againstBooks(c.Tx, placeOf(caller), &f, issues); err != nil {
			return err
		}
		f.By, f.Created = somebody(caller), c.Tx.Now
		if err := insertFile(c.Tx, &f); err != nil {
			return err
		}
		c.RecordQuiet(EventUploaded, f.target(), "", f.told()...)
		return insertIssues(c.Tx, placeOf(caller), issues)
	})
}

// notBefore refuses the same list of an account a second time, unless it is
// meant.
func notBefore(tx *db.Tx, f *File, again bool) error {
	if again {
		return nil
	}
	name, found, err := sameBefore(tx, f)
	if err != nil || !found {
		return err
	}
	return fault.Newf(fault.Conflict, "The same checks were uploaded before, as %q. Upload them again if you mean to.", name).With("DUPLICATE_FILE")
}

// told is a list as history keeps it.
func (f *File) told() []activity.Change {
	changes := []activity.Change{{Field: "account", New: string(f.Account)}, {Field: "checks", New: fmt.Sprint(f.Checks)}, {Field: "amount", New: f.Cents.String()}}
	if f.Voids > 0 {
		changes = append(changes, activity.Change{Field: "voids", New: fmt.Sprint(f.Voids)})
	}
	return changes
}

// againstBooks compares a list with what was issued before: nobody issues a
// check twice, and what is paid cannot be declared void.
func againstBooks(tx *db.Tx, at place, f *File, issues []Issue) error {
	numbers := make([]int64, len(issues))
	for i := range issues {
		numbers[i] = issues[i].Number
	}
	slices.Sort(numbers)
	known, err := issuedBetween(tx, at, f.Account, numbers[0], numbers[len(numbers)-1], f.ID)
	if err != nil {
		return err
	}
	p := &Preview{}
	for _, i := range issues {
		before, was := known[i.Number]
		switch {
		case !was:
		case !i.Void:
			p.problem(i.Line, Number, fmt.Sprintf("Check %d was issued before, on %s.", i.Number, calendar.Long(before.Day)))
		case before.State == PaidCheck:
			p.problem(i.Line, Number, fmt.Sprintf("Check %d was paid on %s and cannot be void.", i.Number, calendar.Long(before.Done)))
		}
	}
	return p.Err()
}

// likeliest is an account to explain with: one that is allowed, or else one
// that the member sees, or else any.
func likeliest(p *entitlement.Policy, member bank.UserID, ids []bank.AccountID, now time.Time) bank.AccountID {
	if len(ids) == 0 {
		ids = allowed(p, catalog.AccountView, member, now)
	}
	if len(ids) == 0 {
		ids = slices.Sorted(maps.Keys(p.Accounts))
	}
	if len(ids) == 0 {
		return ""
	}
	return ids[0]
}
