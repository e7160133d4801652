package importer

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"mandate/internal/activity"
	"mandate/internal/usermgmt"
)

// output tells people, or programs, how an import went.
type output struct {
	w        *bufio.Writer
	json     bool
	named    bool // objects stand before the table
	progress *progress
}

func newOutput(w io.Writer, isTerminal bool, opts Options) *output {
	buffered := bufio.NewWriter(w)
	return &output{
		w: buffered, json: opts.JSON,
		progress: &progress{w: w, terminal: isTerminal && !opts.JSON},
	}
}

// objects names what an organization's import creates or changes.
func (o *output) objects(plan *usermgmt.ImportPlan) error {
	o.progress.clear()
	o.named = true
	for _, object := range plan.Objects() {
		if o.json {
			o.object(objectLine{"object", object.Outcome.String(), singular[object.Kind], object.ExternalID, object.Name, changeLines(object.Changes)})
			continue
		}
		fmt.Fprintf(o.w, "%s %s %s %s\n", object.Outcome, singular[object.Kind], object.ExternalID, object.Name)
		if object.Outcome == usermgmt.ImportCreated {
			continue
		}
		for _, c := range usermgmt.Unpack(object.Changes) {
			fmt.Fprintf(o.w, "  %s%s: %s -> %s\n", c.Field, onAccounts(c.Accounts), orNothing(c.Old), orNothing(c.New))
		}
	}
	return o.w.Flush()
}

func changeLines(changes []activity.Change) (lines []changeLine) {
	for _, c := range usermgmt.Unpack(changes) {
		lines = append(lines, changeLine{c.Field, c.Accounts, c.Old, c.New})
	}
	return lines
}

var singular = [usermgmt.ImportKinds]string{"organization", "account", "member", "member account"}

func onAccounts(accounts []string) string {
	const shown = 5
	switch {
	case len(accounts) == 0:
		return ""
	case len(accounts) > shown:
		return fmt.Sprintf(" on %d accounts", len(accounts))
	}
	return " on " + strings.Join(accounts, ", ")
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

// What a line of the JSON report holds, by its type.
type (
	objectLine struct {
		Type       string       `json:"type"`
		Outcome    string       `json:"outcome"`
		Kind       string       `json:"kind"`
		ExternalID string       `json:"external_id"`
		Name       string       `json:"name,omitempty"`
		Changes    []changeLine `json:"changes,omitempty"`
	}
	changeLine struct {
		Field    string   `json:"field"`
		Accounts []string `json:"accounts,omitempty"`
		Old      string   `json:"old"`
		New      string   `json:"new"`
	}
	findingLine struct {
		Type  string `json:"type"`
		File  string `json:"file"`
		Line  int    `json:"line,omitempty"`
		Field string `json:"field,omitempty"`
		Wrong string `json:"wrong"`
		Right string `json:"right"`
		More  int64  `json:"more,omitempty"` // further lines of which the same is said
	}
	summaryLine struct {
		Type        string                      `json:"type"`
		Institution string                      `json:"institution"`
		DryRun      bool                        `json:"dry_run"`
		Stored      bool                        `json:"stored"`
		Problems    int64                       `json:"problems"`
		Warnings    int64                       `json:"warnings"`
		Counts      map[string]map[string]int64 `json:"counts"`
	}
)

func (o *output) object(line any) {
	b, err := json.Marshal(line)
	if err != nil {
		panic("importer: a report line is plain data: " + err.Error())
	}
	o.w.Write(append(b, '\n')) // bufio keeps the error for Flush
}

func (o *output) summary(i *importing) error {
	o.progress.clear()
	if o.json {
		o.summaryJSON(i)
	} else {
		o.summaryText(i)
	}
	return o.w.Flush()
}

func (o *output) summaryJSON(i *importing) {
	for _, f := range i.report.problems.first() {
		o.object(findingLine{"problem", i.report.names[f.file], f.line, f.field, f.wrong, f.right, f.more})
	}
	for _, f := range i.report.warnings.first() {
		o.object(findingLine{"warning", i.report.names[f.file], f.line, f.field, f.wrong, f.right, f.more})
	}
	line := summaryLine{
		Type: "summary", Institution: string(i.institution.ID), DryRun: i.opts.DryRun, Stored: i.stored,
		Problems: i.report.problems.total, Warnings: i.report.warnings.total, Counts: map[string]map[string]int64{},
	}
	for kind := range usermgmt.ImportKinds {
		counts := map[string]int64{}
		for outcome := range usermgmt.ImportOutcomes {
			counts[jsonName(outcome.String())] = i.counts[kind][outcome]
		}
		line.Counts[jsonName(kind.String())] = counts
	}
	o.object(line)
}

func jsonName(s string) string { return strings.ReplaceAll(s, " ", "_") }

func (o *output) summaryText(i *importing) {
	o.findings("Problems", i.report, i.report.problems.first(), i.report.problems.total)
	o.findings("Warnings", i.report, i.report.warnings.first(), i.report.warnings.total)
	if i.folder == nil {
		return
	}
	if o.named {
		fmt.Fprintln(o.w)
	}
	outcome := [...]usermgmt.ImportOutcome{usermgmt.ImportCreated, usermgmt.ImportChanged, usermgmt.ImportUnchanged, usermgmt.ImportNotMentioned}
	fmt.Fprintf(o.w, "%-18s", i.institution.ID)
	for _, c := range outcome {
		fmt.Fprintf(o.w, "%14s", c)
	}
	fmt.Fprintln(o.w)
	for kind := range usermgmt.ImportKinds {
		fmt.Fprintf(o.w, "%-18s", kind)
		for _, c := range outcome {
			fmt.Fprintf(o.w, "%14s", thousands(i.counts[kind][c]))
		}
		fmt.Fprintln(o.w)
	}
	fmt.Fprintln(o.w)
	fmt.Fprintln(o.w, i.conclusion())
}

// conclusion says what was done, in one sentence.
func (i *importing) conclusion() string {
	var what []string
	if i.creates {
		what = append(what, "the new institution")
	}
	if i.changes {
		what = append(what, "the institution's changes")
	}
	if n := int64(len(i.work)); n > 0 {
		what = append(what, count(n, "organization"))
	}
	switch {
	case i.report.problems.total > 0:
		return "Nothing was stored, because of the problems above. The counts are of what could be read."
	case len(what) == 0:
		return "Everything is stored as the files have it; nothing was changed."
	case i.opts.DryRun:
		return "A dry run: nothing was stored. An import would store " + strings.Join(what, " and ") + "."
	}
	return "Stored " + strings.Join(what, " and ") + "."
}

func (o *output) findings(title string, r *report, shown []finding, total int64) {
	if total == 0 {
		return
	}
	fmt.Fprintf(o.w, "%s: %s\n", title, thousands(total))
	rest := total
	for _, f := range shown {
		o.finding(r, f)
		rest -= 1 + f.more
	}
	if rest > 0 {
		fmt.Fprintf(o.w, "  and %s more\n", thousands(rest))
	}
	fmt.Fprintln(o.w)
}

func (o *output) finding(r *report, f finding) {
	fmt.Fprintf(o.w, "  %s", r.names[f.file])
	if f.line > 0 {
		fmt.Fprintf(o.w, ":%d", f.line)
	}
	if f.field != "" {
		fmt.Fprintf(o.w, ": %s", f.field)
	}
	fmt.Fprintf(o.w, ": %s\n      right: %s\n", f.wrong, f.right)
	if f.more > 0 {
		fmt.Fprintf(o.w, "      the same in %s\n", count(f.more, "more line"))
	}
}
