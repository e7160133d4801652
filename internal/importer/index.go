package importer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
)

// index reads every file once and notes where each organization's rows are.
func (f *folder) index(ctx context.Context, r *report, p *progress) error {
	var total int64
	for _, t := range f.tables {
		if t != nil {
			total += t.size
		}
	}
	p.begin("Reading", "", total)
	if t := f.tables[organizationsFile]; t == nil || t.broken {
		return nil // whose rows are whose cannot be said
	}
	for _, t := range f.tables {
		if t == nil || t.broken {
			continue
		}
		if err := f.indexTable(ctx, t, r, p); err != nil {
			return err
		}
	}
	return nil
}

func (f *folder) indexTable(ctx context.Context, t *table, r *report, p *progress) error {
	organizations := t.schema.file == organizationsFile
	if !organizations {
		t.spans = make([]span, len(f.organizations))
	}
	rows := t.reader(t.data, t.size, t.first)
	current := int32(-1) // whose rows these are; negative: nobody's, which was reported
	var name []byte      // as the row before had it
	first := true
	for {
		before := rows.lines.end
		row, err := rows.read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		t.rows++
		p.advance(rows.lines.end - before)
		if t.rows%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if bad, ok := errors.AsType[*rowError](err); ok {
			r.problem(place{t.schema.file, rows.row.line, 0}, bad.field, bad.wrong, bad.right)
			continue
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", t.name, err)
		}
		key := row.values[colOrganization]
		if first || organizations || !bytes.Equal(key, name) {
			first, name = false, append(name[:0], key...)
			if current = f.place(t, row, r); current >= 0 {
				t.spans[current] = span{start: rows.lines.start, line: int32(row.line)}
			}
		}
		if current >= 0 {
			t.spans[current].end = rows.lines.end
		}
	}
}

// place finds the organization whose rows begin here; negative where there is
// something wrong.
func (f *folder) place(t *table, row *row, r *report) int32 {
	key := string(row.values[colOrganization])
	at := place{t.schema.file, row.line, 0}
	if wrong, right := badKey(row.values[colOrganization]); wrong != "" {
		r.problem(at, "organization", wrong, right)
		return -1
	}
	found, known := f.places[key]
	if t.schema.file == organizationsFile {
		if known {
			r.problem(at, "organization", fmt.Sprintf("%s is in line %d already", clip(key), t.spans[found].line), "each organization once")
			return -1
		}
		f.places[key] = int32(len(f.organizations))
		f.organizations = append(f.organizations, key)
		t.spans = append(t.spans, span{})
		return f.places[key]
	}
	if !known {
		r.problem(at, "organization", fmt.Sprintf("%s is not in the organizations file", clip(key)), "the key of an organization of this folder")
		return -1
	}
	if first := t.spans[found].line; first > 0 {
		r.problem(at, "organization", fmt.Sprintf("the rows of %s stand in more than one place; the first begin in line %d", clip(key), first),
			"all rows of an organization together: sort the file by organization")
		return -1
	}
	return found
}
