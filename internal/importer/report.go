package importer

import (
	"cmp"
	"maps"
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
	more                int64 // further lines of the file of which the same is said
}

// A report collects what there is to say. However much that is, it keeps
// little: problems in the order of files and lines, and warnings, of which there
// can be one for every row, once for all lines that they say the same of.
type report struct {
	names    [fileKinds]string // of the files as they are
	problems problems
	warnings warnings
}

func newReport(shown int) *report {
	return &report{names: fileNames, problems: problems{most: shown}, warnings: warnings{most: shown, groups: map[finding]*finding{}}}
}

func (r *report) problem(at place, field, wrong, right string) {
	r.problems.add(finding{place: at, field: field, wrong: wrong, right: right})
}

func (r *report) warning(at place, field, wrong, right string) {
	r.warnings.add(finding{place: at, field: field, wrong: wrong, right: right})
}

// problems keeps the first ones in the order of files and lines, and counts the
// others.
type problems struct {
	kept  []finding
	total int64
	most  int
}

func (p *problems) add(f finding) {
	p.total++
	p.kept = append(p.kept, f)
	if len(p.kept) >= 2*p.most+1000 {
		p.first()
	}
}

func (p *problems) first() []finding {
	slices.SortStableFunc(p.kept, func(a, b finding) int { return a.compare(b.place) })
	p.kept = p.kept[:min(len(p.kept), p.most)]
	return p.kept
}

// warnings keeps one for each file and text, with the first line.
type warnings struct {
	groups map[finding]*finding
	total  int64
	most   int
}

// maxGroups bounds the different warnings that are kept; the others are counted.
const maxGroups = 10_000

func (w *warnings) add(f finding) {
	w.total++
	key := f
	key.line, key.column = 0, 0
	group := w.groups[key]
	switch {
	case group == nil && len(w.groups) < maxGroups:
		w.groups[key] = &f
	case group == nil:
	case f.compare(group.place) < 0:
		group.place = f.place
		fallthrough
	default:
		group.more++
	}
}

func (w *warnings) first() []finding {
	var all []finding
	for group := range maps.Values(w.groups) {
		all = append(all, *group)
	}
	slices.SortFunc(all, func(a, b finding) int {
		return cmp.Or(a.compare(b.place), cmp.Compare(a.wrong, b.wrong))
	})
	return all[:min(len(all), w.most)]
}
