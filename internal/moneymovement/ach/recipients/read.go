package recipients

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"mandate/internal/fault"
)

// What makes a whole file useless.
var (
	ErrTooLarge = fault.Newf(fault.Invalid, "A file has at most %d MiB and %d lines.", MaxBytes>>20, MaxRows).With("FILE_TOO_LARGE")
	ErrBinary   = fault.New(fault.Invalid, "This is not a text file.").With("NOT_TEXT")
	ErrEmpty    = fault.New(fault.Invalid, "There is no recipient in the file.").With("EMPTY_FILE")
)

// Read reads a file by a layout. Problems with lines are in the preview; an
// error means that there is none.
func Read(r io.Reader, l Layout) (*Preview, error) {
	if err := l.Check(); err != nil {
		return nil, err
	}
	in := &bounded{in: r}
	p := &Preview{}
	err := l.rows(in, p, func(line int, cells func(Field) string, all []string) error {
		if len(p.Recipients) >= MaxRows {
			return ErrTooLarge
		}
		if p.More {
			return errEnough
		}
		l.row(p, line, cells, all)
		return nil
	})
	switch {
	case errors.Is(err, errEnough):
	case err != nil:
		return nil, err
	case len(p.Recipients) == 0 && len(p.Problems) == 0:
		return nil, ErrEmpty
	}
	return p, nil
}

// errEnough ends the reading of a file whose problems are more than are said.
var errEnough = errors.New("recipients: enough problems")

// bounded is a stranger's file: no larger than it may be, and text.
type bounded struct {
	in   io.Reader
	size int
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.in.Read(p)
	if b.size += n; b.size > MaxBytes {
		return 0, ErrTooLarge
	}
	for _, c := range p[:n] {
		if c == 0 {
			return 0, ErrBinary
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return n, fmt.Errorf("read the file: %w", err)
	}
	return n, err
}

// A rowFunc takes a line: where it is, what a field has, and all that it has.
type rowFunc func(line int, cell func(Field) string, all []string) error

func (l Layout) rows(r io.Reader, p *Preview, take rowFunc) error {
	in := bufio.NewReader(r)
	mark, err := in.Peek(3)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if string(mark) == "\xef\xbb\xbf" {
		if _, err := in.Discard(3); err != nil {
			return err
		}
	}
	if l.Format == CSV {
		return l.commas(in, p, take)
	}
	return l.lines(in, take)
}

func (l Layout) commas(in io.Reader, p *Preview, take rowFunc) error {
	reader := csv.NewReader(in)
	reader.FieldsPerRecord = -1
	for {
		cells, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if broken, ok := errors.AsType[*csv.ParseError](err); ok && !errors.Is(err, ErrTooLarge) && !errors.Is(err, ErrBinary) {
			p.problem(broken.Line, "", "The quotes of this line do not match.")
			if p.More {
				return errEnough
			}
			continue
		}
		if err != nil {
			return err
		}
		line, _ := reader.FieldPos(0)
		if err := take(line, l.column(cells), cells); err != nil {
			return err
		}
	}
}

func (l Layout) column(cells []string) func(Field) string {
	return func(f Field) string {
		place, placed := l.Places[f]
		if !placed || place.Column > len(cells) {
			return ""
		}
		return strings.TrimSpace(cells[place.Column-1])
	}
}

func (l Layout) lines(in io.Reader, take rowFunc) error {
	scanner := bufio.NewScanner(in)
	scanner.Buffer(make([]byte, 0, 4096), maxLine*utf8.UTFMax)
	for line := 1; scanner.Scan(); line++ {
		text := strings.TrimSuffix(scanner.Text(), "\r")
		if strings.TrimSpace(text) == "" {
			continue
		}
		cells := []string{text}
		cell := l.positions(text)
		if l.Format == Tab {
			cells = strings.Split(text, "\t")
			cell = l.column(cells)
		}
		if err := take(line, cell, cells); err != nil {
			return err
		}
	}
	err := scanner.Err()
	if errors.Is(err, bufio.ErrTooLong) {
		return ErrTooLarge
	}
	return err
}

func (l Layout) positions(text string) func(Field) string {
	runes := []rune(text)
	return func(f Field) string {
		place, placed := l.Places[f]
		if !placed || place.From > len(runes) {
			return ""
		}
		return strings.TrimSpace(string(runes[place.From-1 : min(place.To, len(runes))]))
	}
}
