package layout

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"mandate/internal/fault"
)

// ErrBinary refuses what people cannot have written.
var ErrBinary = fault.New(fault.Invalid, "This is not a text file.").With("NOT_TEXT")

// Bounds are how large a file may be, and what is said of one that is larger.
type Bounds struct {
	Bytes    int
	TooLarge error
}

// Read gives a file to take, line by line, and ends with the first error of
// either. No more of it is held than one line.
func Read(r io.Reader, f Format, b Bounds, take func(*Line) error) error {
	in := bufio.NewReader(&bounded{in: r, bounds: b})
	mark, err := in.Peek(3)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if string(mark) == "\xef\xbb\xbf" {
		if _, err := in.Discard(3); err != nil {
			return err
		}
	}
	if f == CSV {
		return commas(in, b, take)
	}
	return lines(in, f, b, take)
}

// bounded is a stranger's file: no larger than it may be, and text.
type bounded struct {
	in     io.Reader
	bounds Bounds
	size   int
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.in.Read(p)
	if b.size += n; b.size > b.bounds.Bytes {
		return 0, b.bounds.TooLarge
	}
	if bytes.IndexByte(p[:n], 0) >= 0 {
		return 0, ErrBinary
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return n, fmt.Errorf("read the file: %w", err)
	}
	return n, err
}

func commas(in io.Reader, b Bounds, take func(*Line) error) error {
	reader := csv.NewReader(in)
	reader.FieldsPerRecord = -1
	for {
		cells, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		line := &Line{Cells: cells}
		if broken, ok := errors.AsType[*csv.ParseError](err); ok && !errors.Is(err, b.TooLarge) && !errors.Is(err, ErrBinary) {
			line = &Line{Number: broken.Line, Broken: true}
		} else if err != nil {
			return err
		} else {
			line.Number, _ = reader.FieldPos(0)
		}
		if err := take(line); err != nil {
			return err
		}
	}
}

func lines(in io.Reader, f Format, b Bounds, take func(*Line) error) error {
	scanner := bufio.NewScanner(in)
	scanner.Buffer(make([]byte, 0, 4096), MaxLine*utf8.UTFMax)
	for number := 1; scanner.Scan(); number++ {
		text := strings.TrimSuffix(scanner.Text(), "\r")
		if strings.TrimSpace(text) == "" {
			continue
		}
		line := &Line{Number: number, Cells: []string{text}}
		if f == Tab {
			line.Cells = strings.Split(text, "\t")
		} else {
			line.positions = []rune(text)
		}
		if err := take(line); err != nil {
			return err
		}
	}
	err := scanner.Err()
	if errors.Is(err, bufio.ErrTooLong) {
		return b.TooLarge
	}
	return err
}
