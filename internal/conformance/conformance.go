// Package conformance asks the product the questions of vector files and
// compares the answers (spec, section 6). Each vector's world is stored in an
// organization of its own and asked by the same engine, usage and editing rules
// that production uses, so a bank can check its own installation with files of
// its own. It knows no rule: what is right stands in the files.
package conformance

import (
	"context"
	"fmt"
	"io"

	"mandate/internal/db"
	"mandate/internal/pdp/memory"
	"mandate/internal/usermgmt"
)

// A File is vectors under a name.
type File struct {
	Name    string
	Vectors []Vector
}

// A Report counts vectors and tells of each step that failed.
type Report struct {
	Passed, Failed int
	Failures       []Failure
}

// A Failure is a step whose answer was not the expected one, or a vector that
// could not be asked to its end.
type Failure struct {
	File, Vector string
	Step         int // from 1; 0 where the world itself could not be stored
	Verb         string
	Got, Want    string
	Err          error
}

func (f Failure) String() string {
	if f.Err != nil {
		return fmt.Sprintf("%s: %s: step %d %s: %v", f.File, f.Vector, f.Step, f.Verb, f.Err)
	}
	return fmt.Sprintf("%s: %s: step %d %s: got %s, want %s", f.File, f.Vector, f.Step, f.Verb, f.Got, f.Want)
}

// Run asks everything in the files. The clock must be the database's own:
// vectors say what time it is.
func Run(ctx context.Context, d *db.DB, c *Clock, files []File) Report {
	var report Report
	known := memory.New(d, usermgmt.MemorySources(), memory.Options{})
	for _, file := range files {
		for i := range file.Vectors {
			failures := runVector(newRun(ctx, d, c, known), &file.Vectors[i])
			if len(failures) == 0 {
				report.Passed++
				continue
			}
			report.Failed++
			for _, f := range failures {
				f.File, f.Vector = file.Name, file.Vectors[i].Name
				report.Failures = append(report.Failures, f)
			}
		}
	}
	return report
}

func runVector(r *run, v *Vector) (failures []Failure) {
	if err := r.begin(&v.World); err != nil {
		return []Failure{{Verb: "world", Err: err}}
	}
	for i := range v.Steps {
		s := &v.Steps[i]
		got, err := r.step(s)
		if err != nil {
			return append(failures, Failure{Step: i + 1, Verb: s.Verb, Err: err})
		}
		if s.Expect != nil && !meets(s.Expect, got) {
			failures = append(failures, Failure{Step: i + 1, Verb: s.Verb, Got: got.String(), Want: s.Expect.String()})
		}
	}
	return failures
}

// Print writes a line for each failed step and the sum at the end.
func (r *Report) Print(w io.Writer) error {
	for _, f := range r.Failures {
		if _, err := fmt.Fprintln(w, f); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "%d passed, %d failed\n", r.Passed, r.Failed)
	return err
}
