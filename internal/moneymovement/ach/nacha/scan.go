package nacha

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
)

// Progress is told, now and then, how many bytes and entries were read.
type Progress func(bytes int64, entries int)

const progressEvery = 5_000 // records

// A scan splits a stranger's bytes into records of 94 characters, and gives up
// as soon as they cannot be a NACHA file. It holds nothing but what it keeps.
type scan struct {
	in       *bufio.Reader
	rules    Rules
	progress Progress

	records []byte  // the records, one after the other
	lines   []int32 // the line of each
	entries int
	size    int64
	sum     hash.Hash

	record   [recordLength]byte
	length   int  // of the record under way
	line     int  // of the record under way
	unbroken bool // the file has no line ends at all
	ended    bool // a line end was seen
	spare    bool // blanks after the end of the record
	over     int  // other characters after it

	found problems
}

// errStop ends a scan whose refusal is complete.
var errStop = errors.New("nacha: refused")

func newScan(r io.Reader, rules Rules, progress Progress) *scan {
	if progress == nil {
		progress = func(int64, int) {}
	}
	return &scan{in: bufio.NewReaderSize(r, 64<<10), rules: rules, progress: progress, sum: sha256.New(), line: 1}
}

// run reads everything, or until it is clear that the file is refused.
func (s *scan) run() error {
	for {
		chunk, err := s.in.Peek(1)
		if len(chunk) == 0 {
			if errors.Is(err, io.EOF) {
				return s.finish()
			}
			return fmt.Errorf("read the file: %w", err)
		}
		chunk, _ = s.in.Peek(s.in.Buffered())
		s.size += int64(len(chunk))
		if s.size > MaxBytes {
			return s.refuse(TooLarge, fmt.Sprintf("A file has at most %d MiB.", MaxBytes>>20))
		}
		s.sum.Write(chunk)
		for _, c := range chunk {
			if err := s.next(c); err != nil {
				return err
			}
		}
		if _, err := s.in.Discard(len(chunk)); err != nil {
			return fmt.Errorf("read the file: %w", err)
		}
	}
}

// refuse ends the scan with one problem in place of all others.
func (s *scan) refuse(code, sentence string) error {
	s.found = problems{code: code}
	s.found.add(Problem{Line: s.line, Sentence: sentence})
	if code == TooLarge {
		s.found.all[0].Line = 0
	}
	return errStop
}

func (s *scan) next(c byte) error {
	switch {
	case c == '\n':
		return s.endLine()
	case c == '\r':
		return nil // before a line feed; alone it ends nothing
	case c == 0:
		return s.refuse(NotNACHA, "This is not a text file.")
	}
	if s.length == recordLength {
		if err := s.beyond(c); err != nil || s.length == recordLength {
			return err
		}
	}
	s.record[s.length] = c
	s.length++
	return nil
}

// beyond is told of a character after the 94th of a line.
func (s *scan) beyond(c byte) error {
	if !s.ended && (s.unbroken || c != ' ') {
		s.unbroken = true
		return s.endRecord()
	}
	if c == ' ' {
		s.spare = true
		return nil
	}
	if s.over++; s.over > maxOver {
		return s.refuse(NotNACHA, "The line is longer than 94 characters.")
	}
	return nil
}

// maxOver is how much longer a line may be before nobody reads on.
const maxOver = 1_000

func (s *scan) endLine() error {
	s.ended = true
	if s.unbroken && s.length > 0 && s.length < recordLength {
		return s.refuse(NotNACHA, "The file has no line ends where records end, and its length is not a multiple of 94.")
	}
	err := s.endRecord()
	if !s.unbroken {
		s.line++
	}
	return err
}

func (s *scan) finish() error {
	if s.unbroken && s.length > 0 && s.length < recordLength {
		return s.refuse(NotNACHA, "The file has no line ends, and its length is not a multiple of 94.")
	}
	if err := s.endRecord(); err != nil {
		return err
	}
	if len(s.lines) == 0 {
		s.line = 0
		return s.refuse(NotNACHA, "The file is empty.")
	}
	s.progress(s.size, s.entries)
	return nil
}

// endRecord takes the record under way.
func (s *scan) endRecord() error {
	defer func() { s.length, s.spare, s.over = 0, false, 0 }()
	if s.length == 0 || blank(s.record[:s.length]) && len(s.lines) > 0 {
		return nil
	}
	if len(s.lines) == 0 && (s.length < 3 || string(s.record[:3]) != "101") {
		return s.refuse(NotNACHA, "A NACHA file begins with a file header: 101.")
	}
	if len(s.lines) >= MaxRecords {
		return s.refuse(TooLarge, fmt.Sprintf("A file has at most %d records.", MaxRecords))
	}
	s.pad()
	s.characters()
	if s.found.full() {
		return errStop
	}
	s.records = append(s.records, s.record[:]...)
	s.lines = append(s.lines, int32(s.line))
	if s.record[0] == '6' {
		s.entries++
	}
	if len(s.lines)%progressEvery == 0 {
		s.progress(s.size, s.entries)
	}
	if s.unbroken {
		s.line++
	}
	return nil
}

// pad judges the length of a record and fills up what is missing. The first and
// the last record end in fields that are often blank, and editors cut them.
func (s *scan) pad() {
	cut := s.record[0] == '1' || s.record[0] == '9'
	if s.over > 0 || s.length < recordLength && !(s.rules.Relaxed && cut) || s.spare && !s.rules.Relaxed {
		sentence := fmt.Sprintf("A line has 94 characters; this one has %d.", s.length+s.over)
		if s.spare && s.over == 0 {
			sentence = "A line has 94 characters; this one has blanks after its end."
		}
		s.found.add(Problem{Line: s.line, Record: recordName(s.record[0]), Sentence: sentence})
	}
	for i := s.length; i < recordLength; i++ {
		s.record[i] = ' '
	}
}

// characters finds what no NACHA file may have, and puts a blank in its place
// so that the rest can be judged.
func (s *scan) characters() {
	said := false
	for i, c := range s.record {
		if c >= ' ' && c < 0x7f {
			continue
		}
		s.record[i] = ' '
		if !said {
			said = true
			s.found.add(Problem{Line: s.line, Record: recordName(s.record[0]), Field: fieldAt(s.record[0], i),
				Sentence: fmt.Sprintf("Only plain letters, digits and signs can be sent; position %d has something else.", i+1)})
		}
	}
}

func blank(record []byte) bool {
	for _, c := range record {
		if c != ' ' {
			return false
		}
	}
	return true
}

// problems collects what is wrong, up to a bound.
type problems struct {
	code string
	all  []Problem
	more bool
}

func (p *problems) full() bool { return p.more }

func (p *problems) add(one Problem) {
	for _, known := range p.all {
		if known.Line == one.Line && known.Field == one.Field && known.Field != "" {
			return
		}
	}
	if len(p.all) >= MaxProblems {
		p.more = true
		return
	}
	p.all = append(p.all, one)
}

func (p *problems) err() error {
	if len(p.all) == 0 {
		return nil
	}
	slices.SortStableFunc(p.all, func(a, b Problem) int { return a.Line - b.Line })
	code := p.code
	if code == "" {
		code = HasProblem
	}
	return &Refusal{Code: code, Problems: p.all, More: p.more}
}
