package recipients

import (
	"errors"
	"io"

	"mandate/internal/fault"
	"mandate/internal/moneymovement/layout"
)

// What makes a whole file useless.
var (
	ErrTooLarge = fault.Newf(fault.Invalid, "A file has at most %d MiB and %d lines.", MaxBytes>>20, MaxRows).With("FILE_TOO_LARGE")
	ErrBinary   = layout.ErrBinary
	ErrEmpty    = fault.New(fault.Invalid, "There is no recipient in the file.").With("EMPTY_FILE")
)

// Read reads a file by a layout. Problems with lines are in the preview; an
// error means that there is none.
func Read(r io.Reader, l Layout) (*Preview, error) {
	if err := l.Check(); err != nil {
		return nil, err
	}
	p := &Preview{}
	err := layout.Read(r, l.Format, layout.Bounds{Bytes: MaxBytes, TooLarge: ErrTooLarge}, func(line *layout.Line) error {
		switch {
		case len(p.Recipients) >= MaxRows:
			return ErrTooLarge
		case p.More:
			return errEnough
		case line.Broken:
			p.problem(line.Number, "", "The quotes of this line do not match.")
		default:
			l.row(p, line.Number, l.cell(line), line.Cells)
		}
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

// cell finds a field in a line.
func (l Layout) cell(line *layout.Line) func(Field) string {
	return func(f Field) string { return line.At(l.Places[f]) }
}
