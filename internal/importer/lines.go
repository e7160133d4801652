package importer

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"unicode"
	"unicode/utf8"
)

// maxLine bounds one row of a file, so that no file fills the memory.
const maxLine = 64 << 10

var errLineTooLong = errors.New("the line is longer than 65,536 bytes")

// A lineReader reads lines and knows where they stand. A line ends with a line
// feed, which a carriage return may precede; the last one may lack it.
type lineReader struct {
	r     *bufio.Reader
	line  int   // the number of the line last read, from 1
	start int64 // where it begins in the file
	end   int64 // where the next one begins
}

// newLineReader reads from a place in a file: the offset of a line's beginning
// and that line's number.
func newLineReader(r io.Reader, offset int64, line int) *lineReader {
	return &lineReader{r: bufio.NewReaderSize(r, maxLine), line: line - 1, start: offset, end: offset}
}

// read returns the next line without its end. The bytes are good until the next
// call. errLineTooLong is of that line only; io.EOF is the end.
func (l *lineReader) read() ([]byte, error) {
	l.start = l.end
	text, err := l.r.ReadSlice('\n')
	l.end += int64(len(text))
	if len(text) == 0 && err != nil {
		return nil, err
	}
	l.line++
	if errors.Is(err, bufio.ErrBufferFull) {
		return nil, l.skip()
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	text = bytes.TrimSuffix(text, []byte("\n"))
	text = bytes.TrimSuffix(text, []byte("\r"))
	if l.start == 0 {
		text = bytes.TrimPrefix(text, []byte(byteOrderMark))
	}
	return text, nil
}

// skip reads to the end of a line that is too long.
func (l *lineReader) skip() error {
	for {
		text, err := l.r.ReadSlice('\n')
		l.end += int64(len(text))
		if err == nil || errors.Is(err, io.EOF) {
			return errLineTooLong
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

const byteOrderMark = "\xef\xbb\xbf"

// clean refuses what no value may hold: bytes that are not UTF-8, control
// characters, line and paragraph separators, and the marks that turn the
// direction of text, with which one name can look like another.
func clean(value []byte) (wrong string) {
	for i := 0; i < len(value); {
		if b := value[i]; b < utf8.RuneSelf {
			if b < ' ' || b == 0x7f {
				return "it contains a control character"
			}
			i++
			continue
		}
		r, size := utf8.DecodeRune(value[i:])
		switch {
		case r == utf8.RuneError && size <= 1:
			return "it is not valid UTF-8"
		case unicode.IsControl(r), r == '\u2028', r == '\u2029', r == '\ufeff':
			return "it contains a control character"
		case r == '\u200e', r == '\u200f', r == '\u061c', r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
			return "it contains a mark that turns the direction of text"
		}
		i += size
	}
	return ""
}
