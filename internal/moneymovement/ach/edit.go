package ach

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/moneymovement/ach/nacha"
	"mandate/internal/moneymovement/ach/recipients"
)

// A Header is what a batch says of itself.
type Header struct {
	ID          BatchID // of a new batch, where the caller names it; empty: one is made
	Name        string
	Category    CategoryID
	Restricted  bool
	Kind        Kind   // of new batches; empty: standard
	Company     string // the identification of one of the organization's companies
	Class       string // the standard entry class
	Description string
	Data        string // discretionary
}

// An EntryDraft is an entry as somebody wants it. One without an id is new.
type EntryDraft struct {
	ID EntryID
	recipients.Recipient
	Data string // discretionary
}

// An Edit changes a batch: its header, where one is given, and single entries.
type Edit struct {
	Batch   BatchID
	Version int64 // as it was seen
	Header  *Header
	Set     []EntryDraft
	Remove  []EntryID
}

// Create makes a batch that is ready.
func (s *Service) Create(ctx context.Context, caller bank.Caller, h Header, entries []EntryDraft) (id BatchID, err error) {
	action := doing("ach.batch_created", caller.Organization, batchTarget(""))
	err = s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		at := place{caller.Institution, caller.Organization}
		b := s.fresh(c, FromScreen)
		b.ID = cmp.Or(h.ID, b.ID)
		id = b.ID
		all, marked, err := s.draft(c, at, &b, &h, nil, entries, nil)
		if err != nil {
			return err
		}
		if err := permit(c, catalog.ACHBatchCreate, asking{restricted: b.Restricted(), debits: b.HasDebits}); err != nil {
			return err
		}
		return s.keepNew(c, at, &b, all, marked, "ach.batch_created")
	})
	return id, err
}

// fresh is a new batch of the caller's.
func (s *Service) fresh(c *guard.Change, origin Origin) Batch {
	me := Somebody{c.Caller.Member(), c.Caller.Name}
	return Batch{ID: BatchID(bank.NewID(prefixBatch, c.Tx.Now)), Kind: Standard, Origin: origin, State: Ready, Version: 1,
		Creator: me, LastEditor: me, Created: c.Tx.Now, Edited: c.Tx.Now}
}

// keepNew stores a new batch and makes the tests of its prenotes.
func (s *Service) keepNew(c *guard.Change, at place, b *Batch, all, marked []Entry, event string) error {
	return s.keepNewSaying(c, at, b, all, marked, event, nil)
}

// keepNewSaying is keepNew with word of how many entries were stored.
func (s *Service) keepNewSaying(c *guard.Change, at place, b *Batch, all, marked []Entry, event string, said func(stored int)) error {
	n, err := countBatches(c.Tx, at)
	if err != nil {
		return err
	}
	if n >= MaxBatches {
		return fault.Newf(fault.Conflict, "An organization has at most %d batches. Delete some first.", MaxBatches)
	}
	if err := insertBatch(c.Tx, at, b); err != nil {
		return err
	}
	if err := writeEntries(c.Tx, at, b, all, said); err != nil {
		return err
	}
	c.RecordQuiet(event, b.target(), "", b.described(nil)...)
	return s.test(c, at, b, marked)
}

// described is a batch for the history, against what it was.
func (b *Batch) described(was *Batch) []activity.Change {
	old := was
	if old == nil {
		old = &Batch{}
	}
	var changes []activity.Change
	for _, f := range []struct{ field, old, new string }{
		{"name", old.Name, b.Name}, {"company", old.Header.CompanyID, b.Header.CompanyID}, {"class", old.Header.SEC, b.Header.SEC},
		{"description", old.Header.Description, b.Header.Description}, {"data", old.Header.CompanyData, b.Header.CompanyData},
		{"category", old.CategoryName, b.CategoryName}, {"state", string(old.State), string(b.State)},
		{"credits", sum(was, old.Credits), b.Credits.String()}, {"debits", sum(was, old.Debits), b.Debits.String()},
		{"entries", count(was, old.Entries), fmt.Sprint(b.Entries)}, {"skipped entries", count(was, old.Idle), fmt.Sprint(b.Idle)},
	} {
		if f.old != f.new {
			changes = append(changes, activity.Change{Field: f.field, Old: f.old, New: f.new})
		}
	}
	if b.Restricted() || old.Restricted() {
		changes = append(changes, activity.Change{Field: "restricted", Old: yes(old.Restricted()), New: yes(b.Restricted())})
	}
	return changes
}

func sum(was *Batch, cents bank.Cents) string {
	if was == nil {
		return ""
	}
	return cents.String()
}

func count(was *Batch, n int) string {
	if was == nil {
		return ""
	}
	return fmt.Sprint(n)
}

// Edit changes a batch that has not been initiated. One that waits for approval
// goes back to ready, and the caller is its last editor from now on.
func (s *Service) Edit(ctx context.Context, caller bank.Caller, e Edit) error {
	return s.guard.Do(ctx, caller, doing("ach.batch_edited", caller.Organization, batchTarget(e.Batch)), func(c *guard.Change) error {
		at := place{caller.Institution, caller.Organization}
		b, err := s.seen(c, at, e.Batch)
		if err != nil {
			return err
		}
		was := b
		had, err := entriesOf(c.Tx, at, &b)
		if err != nil {
			return err
		}
		all, marked, err := s.draft(c, at, &b, e.Header, had, e.Set, e.Remove)
		if err != nil {
			return err
		}
		narrow := len(e.Remove) == 0 && sameHeader(&was, &b) && !rewritten(had, all)
		ask := asking{restricted: was.Restricted() || b.Restricted(), debits: was.HasDebits || b.HasDebits, entryOnly: narrow}
		if err := permit(c, catalog.ACHBatchEdit, ask); err != nil {
			return err
		}
		if was.Version != e.Version {
			return ErrChanged
		}
		return s.keep(c, at, &was, &b, had, all, marked, "ach.batch_edited")
	})
}

// keep stores an edited batch.
func (s *Service) keep(c *guard.Change, at place, was, b *Batch, had, all, marked []Entry, event string) error {
	changes := changedEntries(had, all)
	if sameHeader(was, b) && len(changes) == 0 {
		return nil
	}
	if err := s.edited(c, at, b); err != nil {
		return err
	}
	if err := updateBatch(c.Tx, at, b); err != nil {
		return err
	}
	if len(changes) > 0 {
		if err := writeEntries(c.Tx, at, b, all, nil); err != nil {
			return err
		}
	}
	c.RecordQuiet(event, b.target(), "", append(b.described(was), changes...)...)
	return s.test(c, at, b, marked)
}

// edited makes the caller the last editor and sends back what waits.
func (s *Service) edited(c *guard.Change, at place, b *Batch) error {
	run, waits := b.Run, b.State == Pending
	if err := b.to(stepEdit); err != nil {
		return err
	}
	b.LastEditor, b.Edited = Somebody{c.Caller.Member(), c.Caller.Name}, c.Tx.Now
	b.Version++
	b.SourceHash = "" // no longer what came in
	if !waits {
		return nil
	}
	if _, err := s.queue.EditedIn(c, Room, string(run)); err != nil {
		return err
	}
	return s.endRun(c, at, run, runReturned, "It was edited.")
}

func sameHeader(a, b *Batch) bool {
	return a.Name == b.Name && a.Category == b.Category && a.Own == b.Own && a.Header.Record == b.Header.Record
}

// rewritten reports whether more than the five fields of partial editing
// changed: amount, debit or credit, addenda, held, prenote.
func rewritten(had, all []Entry) bool {
	if len(had) != len(all) {
		return true
	}
	for i := range had {
		a, b := &had[i], &all[i]
		if a.EntryID != b.EntryID || a.Name != b.Name || a.Account != b.Account || a.Routing != b.Routing || a.ID != b.ID || a.Data != b.Data ||
			a.Code.Kind() != b.Code.Kind() {
			return true
		}
	}
	return false
}

// maxSaid is how many differences of entries one event holds.
const maxSaid = 100

// changedEntries are the differences of entries for the history.
func changedEntries(had, all []Entry) []activity.Change {
	old := make(map[EntryID]*Entry, len(had))
	for i := range had {
		old[had[i].EntryID] = &had[i]
	}
	var changes []activity.Change
	for i := range all {
		e := &all[i]
		was := old[e.EntryID]
		delete(old, e.EntryID)
		if was == nil || was.text() != e.text() {
			changes = append(changes, activity.Change{Field: "Entry of " + e.Name, Old: was.text(), New: e.text()})
		}
	}
	for i := range had {
		if old[had[i].EntryID] != nil {
			changes = append(changes, activity.Change{Field: "Entry of " + had[i].Name, Old: had[i].text()})
		}
	}
	if left := len(changes) - maxSaid; left > 0 {
		changes = append(changes[:maxSaid], activity.Change{Field: "other entries", New: fmt.Sprint(left)})
	}
	return changes
}

// text is an entry for the history: of an account its last four characters.
func (e *Entry) text() string {
	if e == nil {
		return ""
	}
	way := "credit"
	if e.Code.Debit() {
		way = "debit"
	}
	parts := []string{way, e.Amount.String(), string(e.Code.Kind()), e.Routing, "..." + e.Account[max(0, len(e.Account)-4):], e.ID, strings.Join(e.Addenda, " ")}
	if e.Held {
		parts = append(parts, "held")
	}
	if e.Prenote {
		parts = append(parts, "prenote")
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " ")
}

// draft puts a header and entries into a batch, and proves that it can be sent.
// Marked are the entries that are prenotes from now on.
func (s *Service) draft(c *guard.Change, at place, b *Batch, h *Header, had []Entry, set []EntryDraft, remove []EntryID) (all, marked []Entry, err error) {
	var problems fault.Problems
	if h != nil {
		if err := s.head(c, at, b, h, &problems); err != nil {
			return nil, nil, err
		}
	}
	all = slices.Clone(had)
	for _, id := range remove {
		i := slices.IndexFunc(all, func(e Entry) bool { return e.EntryID == id })
		if i < 0 {
			problems.Add("remove", "There is no such entry.")
			continue
		}
		all = slices.Delete(all, i, i+1)
	}
	places := make(map[EntryID]int, len(all))
	for i := range all {
		places[all[i].EntryID] = i
	}
	for n, d := range set {
		i, known := places[d.ID]
		var was *Entry
		if known {
			was = &all[i]
		}
		e := d.entry(c, b.Header.SEC, was, fmt.Sprintf("entries.%d.", n), &problems)
		if e.Prenote && (was == nil || !was.Prenote) {
			e.LiveFrom = ""
			marked = append(marked, e)
		}
		if known {
			all[i] = e
		} else {
			all = append(all, e)
		}
	}
	if len(all) > MaxEntries {
		problems.Addf("entries", "A batch has at most %d entries.", MaxEntries)
	}
	b.summarize(all)
	if len(problems) == 0 {
		trial(b, all, &problems)
	}
	return all, marked, problems.Err("The batch cannot be saved.")
}

// head puts a header into a batch.
func (s *Service) head(c *guard.Change, at place, b *Batch, h *Header, problems *fault.Problems) error {
	name := strings.TrimSpace(h.Name)
	if name == "" || len([]rune(name)) > MaxBatchName {
		problems.Addf("name", "Write a name of at most %d characters.", MaxBatchName)
	}
	b.Name, b.Own = name, h.Restricted
	if err := b.categorize(c, at, h.Category, problems); err != nil {
		return err
	}
	switch {
	case b.Version > 1 || b.Header.Record != "":
	case h.Kind == Tax:
		b.Kind = Tax
	case h.Kind != "" && h.Kind != Standard:
		problems.Add("kind", "Choose standard or tax.")
	}
	if b.Header.Record != "" && !nacha.IsSimple(b.Header.SEC) {
		return nil // its records are kept as they came
	}
	companies, err := companiesAt(c.Tx, at)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(companies, func(k Company) bool { return k.Ident == h.Company })
	switch {
	case i < 0 && b.Relaxed && b.Header.CompanyID == h.Company:
		companies, i = []Company{{Ident: h.Company, Name: b.Header.CompanyName}}, 0
	case i < 0:
		problems.Add("company", "Choose one of your ACH companies.")
		companies, i = []Company{{}}, 0
	case len(companies[i].Classes) > 0 && !slices.Contains(companies[i].Classes, h.Class):
		problems.Addf("class", "This company may send %s.", strings.Join(companies[i].Classes, ", "))
	}
	if !nacha.IsSimple(h.Class) {
		problems.Addf("class", "Choose %s. Batches of other classes come from a file.", strings.Join(nacha.Simple(), ", "))
	}
	for field, f := range map[string]struct {
		text string
		most int
	}{"description": {h.Description, nacha.MaxDescription}, "data": {h.Data, nacha.MaxCompanyData}} {
		if len(f.text) > f.most || !nacha.Plain(f.text) || field == "description" && strings.TrimSpace(f.text) == "" {
			problems.Addf(field, "Use 1 to %d plain characters.", f.most)
		}
	}
	if len(*problems) == 0 {
		k := companies[i]
		b.Header = nacha.NewBatch(k.Name, h.Data, k.Ident, h.Class, h.Description)
	}
	return nil
}

// categorize puts a batch into a category that the caller may know of.
func (b *Batch) categorize(c *guard.Change, at place, id CategoryID, problems *fault.Problems) error {
	b.Category, b.CategoryName, b.InCategory = id, "", false
	if id == "" {
		return nil
	}
	all, err := categoriesAt(c.Tx, at)
	if err != nil {
		return err
	}
	for _, k := range all {
		if k.ID == id && (!k.Restricted || may(c, catalog.ACHBatchView, asking{restricted: true})) {
			b.CategoryName, b.InCategory = k.Name, k.Restricted
			return nil
		}
	}
	problems.Add("category", "There is no such category.")
	return nil
}

// entry is a draft as an entry. What it was is kept as far as it stays.
func (d *EntryDraft) entry(c *guard.Change, class string, was *Entry, field string, problems *fault.Problems) Entry {
	if d.ID != "" && was == nil {
		problems.Add(field+"id", "There is no such entry.")
	}
	code, _ := nacha.CodeOf(d.Kind, d.Debit, false)
	e := Entry{EntryID: d.ID, Held: d.Held, Prenote: d.Prenote}
	if was == nil {
		e.EntryID = EntryID(bank.NewID(prefixEntry, c.Tx.Now))
	} else {
		e.LiveFrom, e.source = was.LiveFrom, was.source
	}
	if was != nil && !nacha.IsSimple(class) {
		return d.kept(class, was, e, field, problems)
	}
	found := d.Recipient.Check()
	if was != nil && was.Code.Prenote() || was != nil && was.Code.Zero() {
		found = slices.DeleteFunc(found, func(p recipients.Problem) bool { return p.Field == recipients.Amount })
		code = was.Code // a test stays one
		d.Amount = 0
	}
	for _, p := range found {
		problems.Add(field+string(p.Field), p.Sentence)
	}
	if !nacha.IsSimple(class) {
		problems.Addf("class", "Entries of %s come from a file.", class)
	}
	if d.Amount > nacha.MaxEntryAmount || d.Amount < 0 {
		d.Amount = 0 // said above; it must fit its field
	}
	if was != nil && d.same(was) {
		e.Entry = was.With(class, code, d.Amount)
		return e
	}
	e.Entry = nacha.NewEntry(class, code, d.Routing, d.Account, d.Amount, d.Recipient.ID, d.Name, d.data(class), d.Addenda)
	return e
}

// data is the discretionary data; classes WEB and TEL say there that a payment
// stands alone.
func (d *EntryDraft) data(class string) string {
	if d.Data == "" && (class == "WEB" || class == "TEL") {
		return "S"
	}
	return d.Data
}

// same reports whether nothing but code and amount differs.
func (d *EntryDraft) same(was *Entry) bool {
	addenda, simple := was.Addendum()
	return simple && d.Name == was.Name && d.Account == was.Account && d.Routing == was.Routing && d.Recipient.ID == was.ID && d.Data == was.Data && d.Addenda == addenda
}

// kept is an entry of a class that is not written from fields: amount and
// direction may change, the rest stays as it came.
func (d *EntryDraft) kept(class string, was *Entry, e Entry, field string, problems *fault.Problems) Entry {
	code := was.Code
	if d.Debit != was.Code.Debit() {
		other, ok := nacha.CodeOf(was.Code.Kind(), d.Debit, was.Code.Prenote())
		if !ok {
			problems.Add(field+string(recipients.Direction), "A loan account can only be credited.")
		}
		code = other
	}
	if d.Amount < 0 || d.Amount > nacha.MaxEntryAmount {
		problems.Add(field+string(recipients.Amount), "An entry has at most "+nacha.MaxEntryAmount.Dollars()+".")
		d.Amount = 0
	}
	if d.Name != was.Name || d.Account != was.Account || d.Routing != was.Routing {
		problems.Addf(field+string(recipients.Name), "Entries of %s keep name and account as they came. Upload the file again.", class)
	}
	e.Entry = was.With(class, code, d.Amount)
	return e
}

// summarize sums a batch as it would be sent, were every test still open.
func (b *Batch) summarize(all []Entry) {
	b.Credits, b.Debits, b.Entries, b.Idle, b.HasDebits = 0, 0, len(all), 0, false
	for i := range all {
		e := &all[i]
		b.HasDebits = b.HasDebits || e.Code.Debit()
		switch {
		case e.Held || e.Prenote && e.LiveFrom == "":
			b.Idle++
		case e.Code.Debit():
			b.Debits += e.Amount // at most 120,000 times ten digits
		default:
			b.Credits += e.Amount
		}
	}
}

// trial proves that what a batch holds can be written.
func trial(b *Batch, all []Entry, problems *fault.Problems) {
	t := b.Header
	for i := range all {
		t.Entries = append(t.Entries, all[i].Entry)
	}
	if len(t.Entries) == 0 {
		return // it may be filled later
	}
	if err := nacha.Trial(t, b.Relaxed); err != nil {
		problems.Add("entries", "The ACH network would refuse this: "+strings.TrimPrefix(err.Error(), "read what was written: ")+".")
	}
}

// test makes the batch of zero entries for those that were marked as prenotes.
func (s *Service) test(c *guard.Change, at place, of *Batch, marked []Entry) error {
	if len(marked) == 0 {
		return nil
	}
	b := s.fresh(c, FromPrenote)
	b.Name, b.Category, b.CategoryName, b.InCategory, b.Own, b.Kind, b.Relaxed = shorten("PNT "+of.Name), of.Category, of.CategoryName, of.InCategory, of.Own, Prenotes, of.Relaxed
	b.Header = nacha.BatchOf(of.Header.Record)
	var all []Entry
	for i := range marked {
		zero := Entry{Entry: marked[i].Zeroed(of.Header.SEC), EntryID: EntryID(bank.NewID(prefixEntry, c.Tx.Now)), source: marked[i].EntryID}
		all = append(all, zero)
	}
	b.summarize(all)
	return s.keepNew(c, at, &b, all, nil, "ach.batch_created")
}

func shorten(name string) string {
	if runes := []rune(name); len(runes) > MaxBatchName {
		return string(runes[:MaxBatchName])
	}
	return name
}

// Copy makes a new batch from another; it needs the right to create.
func (s *Service) Copy(ctx context.Context, caller bank.Caller, from BatchID, name string) (BatchID, error) {
	return s.CopyAs(ctx, caller, from, "", name)
}

// CopyAs is Copy for callers that name the new batch; empty: one is made.
func (s *Service) CopyAs(ctx context.Context, caller bank.Caller, from, as BatchID, name string) (id BatchID, err error) {
	err = s.guard.Do(ctx, caller, doing("ach.batch_created", caller.Organization, batchTarget(from)), func(c *guard.Change) error {
		at := place{caller.Institution, caller.Organization}
		old, err := s.seen(c, at, from)
		if err != nil {
			return err
		}
		if err := permit(c, catalog.ACHBatchCreate, asking{restricted: old.Restricted(), debits: old.HasDebits}); err != nil {
			return err
		}
		all, err := entriesOf(c.Tx, at, &old)
		if err != nil {
			return err
		}
		b := s.fresh(c, FromCopy)
		b.ID = cmp.Or(as, b.ID)
		b.Name, b.Category, b.CategoryName, b.InCategory, b.Own, b.Kind, b.Relaxed, b.Header = strings.TrimSpace(name), old.Category, old.CategoryName, old.InCategory, old.Own, old.Kind, old.Relaxed, old.Header
		if b.Name == "" {
			b.Name = shorten("Copy of " + old.Name)
		}
		if len([]rune(b.Name)) > MaxBatchName {
			var problems fault.Problems
			problems.Addf("name", "Write a name of at most %d characters.", MaxBatchName)
			return problems.Err("The batch cannot be copied.")
		}
		for i := range all {
			all[i].EntryID, all[i].source = EntryID(bank.NewID(prefixEntry, c.Tx.Now)), ""
		}
		b.summarize(all)
		id = b.ID
		return s.keepNew(c, at, &b, all, nil, "ach.batch_created")
	})
	return id, err
}

// Delete removes a batch; what is on its way cannot be deleted.
func (s *Service) Delete(ctx context.Context, caller bank.Caller, id BatchID, version int64) error {
	return s.guard.Do(ctx, caller, doing("ach.batch_deleted", caller.Organization, batchTarget(id)), func(c *guard.Change) error {
		return s.remove(c, id, version)
	})
}

func (s *Service) remove(c *guard.Change, id BatchID, version int64) error {
	at := place{c.Caller.Institution, c.Caller.Organization}
	b, err := s.seen(c, at, id)
	if err != nil {
		return err
	}
	if err := permit(c, catalog.ACHBatchDelete, asking{restricted: b.Restricted()}); err != nil {
		return err
	}
	if b.Version != version {
		return ErrChanged
	}
	was, run := b, b.Run
	if err := b.to(stepDelete); err != nil {
		return err
	}
	if was.State == Pending {
		if _, err := s.queue.WithdrawIn(c, Room, string(run)); err != nil {
			return err
		}
		if err := s.endRun(c, at, run, runReturned, "The batch was deleted."); err != nil {
			return err
		}
	}
	if err := dropSchedule(c.Tx, at, id); err != nil {
		return err
	}
	if err := writeEntries(c.Tx, at, &b, nil, nil); err != nil {
		return err
	}
	c.RecordQuiet("ach.batch_deleted", was.target(), "", activity.Change{Field: "state", Old: string(was.State), New: string(Deleted)},
		activity.Change{Field: "entries", Old: fmt.Sprint(was.Entries)}, activity.Change{Field: "restricted", Old: yes(was.Restricted())})
	return updateBatch(c.Tx, at, &b)
}

// A Choice is a batch of a bulk action, as it was seen.
type Choice struct {
	Batch   BatchID
	Version int64
}

// A Result is what came of one batch of a bulk action; a nil error is done.
type Result struct {
	Batch BatchID
	Note  string
	Err   error
}

// DeleteMany deletes each batch by itself and says what came of each.
func (s *Service) DeleteMany(ctx context.Context, caller bank.Caller, choices []Choice) ([]Result, error) {
	if err := checkBulk(len(choices)); err != nil {
		return nil, err
	}
	results := make([]Result, len(choices))
	for i, ch := range choices {
		results[i] = Result{Batch: ch.Batch, Err: s.Delete(ctx, caller, ch.Batch, ch.Version)}
		if err := results[i].Err; err != nil && (fault.KindOf(err) == fault.Internal || errors.Is(err, db.ErrBusy)) {
			return results[:i+1], err
		}
	}
	return results, nil
}

func checkBulk(n int) error {
	if n == 0 || n > MaxBulk {
		return fault.Newf(fault.Invalid, "Choose 1 to %d batches.", MaxBulk)
	}
	return nil
}
