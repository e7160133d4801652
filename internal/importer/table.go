package importer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"mandate/internal/bank"
)

// A folder is the files of an import and where in them each organization is.
type folder struct {
	tables        [fileKinds]*table // nil for institution.json and for files that are not there
	organizations []string          // keys, in the order of the organizations file
	places        map[string]int32  // of a key in organizations
}

// A table is one file of rows.
type table struct {
	schema *schema
	name   string // of the file, for people
	file   *os.File
	size   int64
	json   bool
	header []int  // of CSV: the schema's column at each place; ignoredColumn
	data   int64  // where the rows begin
	first  int    // the line at which they begin
	spans  []span // by organization
	broken bool   // without a usable header nothing more is said of the file
	rows   int64
}

const ignoredColumn = -1

// A span is the rows of one organization in one file.
type span struct {
	start, end int64
	line       int32 // of the first row; zero: no rows
}

// openFolder opens the files and reads the headers.
func openFolder(dir string, edition bank.Edition, r *report) (*folder, error) {
	f := &folder{places: map[string]int32{}}
	for kind := organizationsFile; kind < fileKinds; kind++ {
		t, err := openTable(dir, kind, edition, r)
		if err != nil {
			f.close()
			return nil, err
		}
		f.tables[kind] = t
	}
	return f, nil
}

func (f *folder) close() {
	for _, t := range f.tables {
		if t != nil {
			_ = t.file.Close() // it was only read
		}
	}
}

func openTable(dir string, kind int, edition bank.Edition, r *report) (*table, error) {
	var found []*os.File
	for _, ending := range [...]string{".csv", ".jsonl"} {
		file, err := os.Open(filepath.Join(dir, fileNames[kind]+ending))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("open the files: %w", err)
		}
		found = append(found, file)
	}
	switch {
	case len(found) == 0 && kind == memberAccountsFile:
		return nil, nil // nobody has access to any account
	case len(found) == 0:
		r.problem(place{kind, 0, 0}, "", "the file is missing", fmt.Sprintf("%s.csv or %s.jsonl", fileNames[kind], fileNames[kind]))
		return nil, nil
	case len(found) == 2:
		r.problem(place{kind, 0, 0}, "", "there are two files", fmt.Sprintf("either %s.csv or %s.jsonl", fileNames[kind], fileNames[kind]))
		_ = found[1].Close()
	}
	t := &table{schema: newSchema(kind, edition), file: found[0], name: filepath.Base(found[0].Name()), first: 1}
	t.json = strings.HasSuffix(t.name, ".jsonl")
	r.names[kind] = t.name
	info, err := t.file.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the files: %w", err), t.file.Close())
	}
	t.size = info.Size()
	if err := t.readHeader(r); err != nil {
		return nil, errors.Join(err, t.file.Close())
	}
	return t, nil
}

// readHeader reads the first line of a CSV file; JSON Lines have none.
func (t *table) readHeader(r *report) error {
	at := place{t.schema.file, 1, 0}
	lines := newLineReader(io.NewSectionReader(t.file, 0, t.size), 0, 1)
	text, err := lines.read()
	switch {
	case errors.Is(err, io.EOF) && t.json:
		return nil // no rows
	case errors.Is(err, io.EOF):
		t.bad(r, at, "the file is empty", "a header row, "+strings.Join(t.schema.names[:t.schema.fixed], ",")+",…")
		return nil
	case errors.Is(err, errLineTooLong):
		t.bad(r, at, err.Error(), "one row on each line")
		return nil
	case err != nil:
		return fmt.Errorf("read %s: %w", t.name, err)
	}
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
		t.bad(r, at, "the file is UTF-16", "UTF-8")
		return nil
	}
	if t.json {
		return nil
	}
	t.data, t.first = lines.end, 2
	fields, err := splitCSV(text, nil)
	if err != nil {
		t.bad(r, at, err.Error(), "a header row, "+strings.Join(t.schema.names[:t.schema.fixed], ",")+",…")
		return nil
	}
	if len(fields) == 1 && bytes.ContainsAny(fields[0], ";\t|") {
		t.bad(r, at, "the columns are not separated by commas", "commas, and quotation marks around a field that contains one")
		return nil
	}
	t.columns(r, fields)
	return nil
}

func (t *table) bad(r *report, at place, wrong, right string) {
	t.broken = true
	r.problem(at, "", wrong, right)
}

// columns finds out what stands where.
func (t *table) columns(r *report, fields [][]byte) {
	seen := map[string]bool{}
	for i, field := range fields {
		name := string(bytes.TrimSpace(field))
		at := place{t.schema.file, 1, i}
		c, known := t.schema.byName[name]
		switch {
		case seen[name]:
			t.broken = true
			r.problem(at, clip(field), "the column is there twice", "each column once")
		case known:
			t.header = append(t.header, c)
		case t.schema.ignored[name]:
			t.header = append(t.header, ignoredColumn)
			r.warning(at, name, "the institution's edition has no such permission here; the column is ignored", "no such column")
		default:
			t.broken = true
			r.problem(at, clip(field), "there is no such column", t.schema.unknown(name))
		}
		seen[name] = true
	}
	for _, name := range t.schema.missing(t.header) {
		t.broken = true
		r.problem(place{t.schema.file, 1, len(fields)}, name, "the column is missing", "a column of that name")
	}
}

// A row is one line of a table, by the schema's columns. Its bytes are good
// until the next row.
type row struct {
	line   int
	values [][]byte // blank where nothing was given
	given  uint64   // bit c: column c is there
}

func (r *row) has(column int) bool { return r.given&(1<<column) != 0 }

// A rowReader reads the rows of a part of a table.
type rowReader struct {
	table  *table
	lines  *lineReader
	row    row
	fields [][]byte
	pairs  []pair
}

func (t *table) reader(start, end int64, line int) *rowReader {
	return &rowReader{
		table: t,
		lines: newLineReader(io.NewSectionReader(t.file, start, end-start), start, line),
		row:   row{values: make([][]byte, len(t.schema.names))},
	}
}

// A rowError is what is wrong with one line; the next one can be read.
type rowError struct{ field, wrong, right string }

func (e *rowError) Error() string { return e.wrong }

// read returns the next row. A *rowError is about one line; io.EOF is the end.
func (r *rowReader) read() (*row, error) {
	for {
		text, err := r.lines.read()
		r.row.line = r.lines.line
		if errors.Is(err, errLineTooLong) {
			return nil, &rowError{"", err.Error(), "one row on each line"}
		}
		if err != nil {
			return nil, err
		}
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		clear(r.row.values)
		r.row.given = 0
		if r.table.json {
			err = r.readJSON(text)
		} else {
			err = r.readCSV(text)
		}
		if err != nil {
			return nil, err
		}
		return &r.row, nil
	}
}

func (r *rowReader) readCSV(text []byte) (err error) {
	if r.fields, err = splitCSV(text, r.fields[:0]); err != nil {
		return &rowError{"", err.Error(), `quotation marks around the whole field, doubled inside it, and no line break in it`}
	}
	if len(r.fields) != len(r.table.header) {
		return &rowError{"", fmt.Sprintf("the row has %d fields", len(r.fields)), fmt.Sprintf("%d, as the header has", len(r.table.header))}
	}
	for i, c := range r.table.header {
		if c != ignoredColumn {
			r.row.values[c] = bytes.TrimSpace(r.fields[i])
			r.row.given |= 1 << c
		}
	}
	return nil
}

func (r *rowReader) readJSON(text []byte) (err error) {
	if r.pairs, err = splitJSON(text, r.pairs[:0]); err != nil {
		return &rowError{"", err.Error(), "one flat JSON object on each line"}
	}
	for _, p := range r.pairs {
		c, known := r.table.schema.byName[string(p.key)]
		switch {
		case known:
			r.row.values[c] = bytes.TrimSpace(p.value)
			r.row.given |= 1 << c
		case r.table.schema.ignored[string(p.key)]:
		default:
			return &rowError{clip(p.key), "there is no such field", r.table.schema.unknown(string(p.key))}
		}
	}
	return nil
}
