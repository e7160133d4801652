package importer

import (
	"cmp"
	"slices"
)

// A place is where something stands: a file, a line in it from 1 (0: the whole
// file), and a column for the order.
type place struct{ file, line, column int }

func (a place) compare(b place) int {
	return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column))
}

// A finding is something to say about a place: what is wrong there and what
// would be right.
type finding struct {
	place
	field, wrong, right string
}

// A report collects findings as they come and keeps the first ones in the order
// of files and lines; it only counts the rest.
type report struct {
	names              [fileKinds]string // of the files as they are
	problems, warnings findings
}

type findings struct {
	kept  []finding
	total int64
	most  int
}

func newReport(shown int) *report {
	return &report{names: fileNames, problems: findings{most: shown}, warnings: findings{most: shown}}
}

func (r *report) problem(at place, field, wrong, right string) {
	r.problems.add(finding{at, field, wrong, right})
}

func (r *report) warning(at place, field, wrong, right string) {
	r.warnings.add(finding{at, field, wrong, right})
}

func (f *findings) add(one finding) {
	f.total++
	f.kept = append(f.kept, one)
	if len(f.kept) >= 2*f.most+1000 {
		f.first()
	}
}

// first are the first findings in the order of files and lines.
func (f *findings) first() []finding {
	slices.SortStableFunc(f.kept, func(a, b finding) int { return a.compare(b.place) })
	f.kept = f.kept[:min(len(f.kept), f.most)]
	return f.kept
}
