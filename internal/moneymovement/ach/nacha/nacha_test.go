package nacha

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"mandate/internal/bank"
)

func samples(t testing.TB, folder string) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", folder, "*.ach"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no samples in %s: %v", folder, err)
	}
	all := map[string][]byte{}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(name)] = content
	}
	return all
}

var relaxed = Rules{Relaxed: true}

func read(content []byte, rules Rules) (*File, error) {
	return Read(bytes.NewReader(content), rules, nil)
}

func outgoing(batches []Batch) Outgoing {
	at := time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)
	return Outgoing{Destination: "231380104", DestinationName: "Federal Reserve Bank", Origin: "121042882", OriginName: "First Bank",
		Created: at, Effective: at.AddDate(0, 0, 1), Modifier: 'A', Batches: batches, Relaxed: true}
}

// Offset balances batches as the institution's account would.
func offset(batches []Batch) []Batch {
	var credits, debits bank.Cents
	for i := range batches {
		_, c, d := batches[i].service()
		credits, debits = credits+c, debits+d
	}
	b := NewBatch("First", "", "121042882", "CCD", "OFFSET")
	if credits > 0 {
		b.Entries = append(b.Entries, NewEntry("CCD", 27, "121042882", "12345", credits, "", "Offset", "", ""))
	}
	if debits > 0 {
		b.Entries = append(b.Entries, NewEntry("CCD", 22, "121042882", "12345", debits, "", "Offset", "", ""))
	}
	if len(b.Entries) == 0 {
		return batches
	}
	return append(batches, b)
}

func TestValidSamplesGoRound(t *testing.T) {
	for name, content := range samples(t, "valid") {
		in, err := read(content, relaxed)
		if err != nil {
			t.Errorf("%s is refused: %v", name, err)
			continue
		}
		out, err := Write(outgoing(offset(in.Batches)))
		if err != nil {
			t.Errorf("%s cannot be written: %v", name, err)
			continue
		}
		again, err := read(out.Bytes, relaxed)
		if err != nil {
			t.Errorf("%s cannot be read again: %v", name, err)
			continue
		}
		for i := range in.Batches {
			if got, want := essence(again.Batches[i]), essence(in.Batches[i]); got != want {
				t.Errorf("%s, batch %d became\n%s\nfrom\n%s", name, i+1, got, want)
			}
		}
	}
}

// essence is a batch without what belongs to the file it travels in.
func essence(b Batch) string {
	text := b.Record[4:63] + "\n"
	for _, e := range b.Entries {
		text += e.Record[:79] + "\n"
		for _, a := range e.Addenda {
			end := 83
			if a[1:3] == "02" {
				end = 79
			}
			text += a[:end] + "\n"
		}
	}
	return text
}

func TestInvalidSamplesAreRefusedWithThePlace(t *testing.T) {
	for name, content := range samples(t, "invalid") {
		_, err := read(content, relaxed)
		refusal, ok := errors.AsType[*Refusal](err)
		if !ok {
			t.Errorf("%s: %v, want a refusal", name, err)
			continue
		}
		placed := false
		for _, p := range refusal.Problems {
			placed = placed || p.Line > 0 && p.Record != "" || strings.Contains(p.Sentence, "file header") || strings.Contains(p.Sentence, "file control")
		}
		if !placed && !strings.HasPrefix(name, "FISERV") && !strings.HasPrefix(name, "issue702") {
			t.Errorf("%s: no place in %v", name, refusal.Problems)
		}
		t.Logf("%s: %v", name, refusal.Problems[0])
	}
}

func TestWhatNobodyOriginatesIsRefused(t *testing.T) {
	for name, content := range samples(t, "other") {
		_, err := read(content, relaxed)
		refusal, ok := errors.AsType[*Refusal](err)
		if !ok || !strings.Contains(fmt.Sprint(refusal.Problems), "cannot be originated") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The expected problems name line, record and field.
func TestProblemsNameLineRecordAndField(t *testing.T) {
	good := string(samples(t, "valid")["ppd-debit.ach"])
	header := strings.SplitN(good, "\n", 2)[0]
	full := strings.Replace(good, header, header+strings.Repeat(" ", 94-len(header)), 1)
	for _, c := range []struct{ name, old, new, want string }{
		{"check digit", "627231380104", "627231380105", "line 3, entry detail, RDFI identification"},
		{"amount", "0100000000 ", "010000000X ", "line 3, entry, amount"},
		{"batch total", "000100000000000000000000121042882", "000100000001000000000000121042882", "line 4, batch control, total debit amount"},
		{"file hash", "9000001000001000000010023138010", "9000001000001000000010023138011", "line 5, file control, entry hash"},
		{"accent", "Receiver Account", "Rec\xe9iver Account", "line 3, entry, individual name"},
		{"long", "Receiver Account Name   0121042880000001", "Receiver Account Name   0121042880000001X", "line 3, entry: A line has 94 characters; this one has 95"},
		{"short", "Receiver Account Name   0121042880000001", "Receiver Account Name   012104288000000", "line 3, entry: A line has 94 characters; this one has 93"},
		{"unknown", "82250000010023138010", "A2250000010023138010", "line 4: A record begins with"},
	} {
		bad := strings.Replace(full, c.old, c.new, 1)
		if bad == full {
			t.Fatalf("%s: nothing was replaced", c.name)
		}
		_, err := read([]byte(bad), relaxed)
		refusal, ok := errors.AsType[*Refusal](err)
		if !ok || !strings.Contains(fmt.Sprint(refusal.Problems), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

func TestAllProblemsAreSaidAtOnce(t *testing.T) {
	bad := strings.Split(string(large(3)), "\n")
	bad[2] = bad[2][:11] + "9" + bad[2][12:]
	bad[4] = bad[4][:1] + "99" + bad[4][3:]
	_, err := read([]byte(strings.Join(bad, "\n")), relaxed)
	refusal, ok := errors.AsType[*Refusal](err)
	if !ok {
		t.Fatalf("got %v", err)
	}
	lines := map[int]bool{}
	for _, p := range refusal.Problems {
		lines[p.Line] = true
	}
	if !lines[3] || !lines[5] {
		t.Errorf("the problems are %v, want some of lines 3 and 5", refusal.Problems)
	}
}

func TestStrictRulesKnowTheCompanies(t *testing.T) {
	content := large(1)
	acme := Company{ID: "1234567890", Name: "Acme Tools"}
	for _, c := range []struct {
		name  string
		rules Rules
		want  string
	}{
		{"the company", Rules{Companies: []Company{acme}}, ""},
		{"none", Rules{}, "company identification"},
		{"another name", Rules{Companies: []Company{{ID: acme.ID, Name: "Acme"}}}, "company name"},
		{"another class", Rules{Companies: []Company{{ID: acme.ID, Name: acme.Name, SECs: []string{"CCD"}}}}, "standard entry class code"},
		{"relaxed", relaxed, ""},
	} {
		_, err := read(content, c.rules)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	short := bytes.Replace(content, []byte("First Bank             "), []byte("First Bank"), 1)
	if _, err := read(short, relaxed); err != nil {
		t.Errorf("relaxed rules refuse a header whose blanks were cut: %v", err)
	}
	if _, err := read(short, Rules{Companies: []Company{acme}}); err == nil {
		t.Error("strict rules take a header whose blanks were cut")
	}
}

// endless gives the same line for ever and counts what was taken.
type endless struct {
	line  string
	taken int
}

func (e *endless) Read(p []byte) (int, error) {
	n := 0
	for n+len(e.line) <= len(p) {
		n += copy(p[n:], e.line)
	}
	e.taken += n
	return n, nil
}

func TestHostileFilesAreRefusedEarly(t *testing.T) {
	header := strings.SplitN(string(large(1)), "\n", 2)[0] + "\n"
	for _, c := range []struct {
		name, line string
		most       int
		code       string
	}{
		{"zip", "PK\x03\x04", 128 << 10, NotNACHA},
		{"zeros", "\x00\x00\x00\x00", 128 << 10, NotNACHA},
		{"text", "hello world\n", 128 << 10, NotNACHA},
		{"one endless line", "1", 128 << 10, NotNACHA},
		{"short lines", "6\n", 128 << 10, HasProblem},
		{"more than there may be", strings.Repeat(" ", 93) + "\n", MaxBytes + 1<<20, TooLarge},
	} {
		in := &endless{line: c.line}
		var err error
		if c.code == HasProblem || c.code == TooLarge {
			_, err = Read(readers(header, in), relaxed, nil)
		} else {
			_, err = Read(in, relaxed, nil)
		}
		refusal, ok := errors.AsType[*Refusal](err)
		if !ok || refusal.Code != c.code || in.taken > c.most {
			t.Errorf("%s: got %v after %d bytes, want %s before %d", c.name, err, in.taken, c.code, c.most)
		}
	}
}

// large is a valid file of n entries.
func large(n int) []byte {
	b := NewBatch("Acme Tools", "", "1234567890", "PPD", "PAYROLL")
	total := bank.Cents(0)
	for i := range n {
		amount := bank.Cents(100_00 + i%1000)
		total += amount
		b.Entries = append(b.Entries, NewEntry("PPD", 22, "231380104", fmt.Sprint(1_000_000+i), amount, fmt.Sprint(i), "Receiver "+fmt.Sprint(i), "", ""))
	}
	b.Entries = append(b.Entries, NewEntry("PPD", 27, "121042882", "12345", total, "", "Offset", "", ""))
	o := outgoing([]Batch{b})
	o.Relaxed = false
	w, err := Write(o)
	if err != nil {
		panic(err)
	}
	return w.Bytes
}

// A hundred thousand entries: the bar is ten seconds and 200 MiB of growth. The
// test prints what it saw.
func TestHundredThousandEntries(t *testing.T) {
	content := large(100_000)
	runtime.GC()
	before, peak, stop := heap(), uint64(0), make(chan struct{})
	var sampler sync.WaitGroup
	sampler.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
				peak = max(peak, heap())
			}
		}
	})
	calls, last := 0, 0
	start := time.Now()
	file, err := Read(bytes.NewReader(content), relaxed, func(_ int64, entries int) {
		if entries < last {
			t.Errorf("progress went back from %d to %d", last, entries)
		}
		calls, last = calls+1, entries
	})
	took := time.Since(start)
	close(stop)
	sampler.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if file.Entries != 100_001 || last != 100_001 || calls < 10 {
		t.Errorf("%d entries, progress %d in %d calls", file.Entries, last, calls)
	}
	grown := (max(peak, before) - before) >> 20
	t.Logf("%d entries in %.1f MiB: %v; the heap grew by at most %d MiB", file.Entries, float64(len(content))/(1<<20), took.Round(time.Millisecond), grown)
	if took > 10*time.Second || grown > 200 {
		t.Error("that is over the bar")
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}
