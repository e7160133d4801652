// Package importer brings an institution in from files that a bank exports from
// the system it has: it reads a folder, checks all of it, says everything that
// is wrong with file, line and field, and only then hands over one organization
// after the other. It knows the format of the files; what may be stored and how
// is usermgmt's. It holds one organization in memory at a time, however large
// the files are.
//
// The format is described in docs/import-format.md.
package importer

import (
	"context"
	"fmt"
	"io"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/usermgmt"
)

// Options say how an import is done and told. The zero value imports and tells
// people.
type Options struct {
	DryRun  bool   // say what would change and store nothing
	JSON    bool   // tell programs: one JSON object a line
	Objects bool   // name every organization, account and member that is created or changed
	Shown   int    // how many problems, and how many warnings, are written out; 0 means 100
	Actor   string // who imports, as history shows it; empty: "Operator"
}

const defaultShown = 100

// Command imports the folder dir and writes a report to w. On a terminal it
// shows how far it is. An error of kind Invalid says that the files are wrong
// and nothing was stored; the report says where.
//
// Interrupted, it has imported some organizations whole and others not at all.
// Importing the same folder again completes it.
func Command(ctx context.Context, w io.Writer, isTerminal bool, d *db.DB, g *guard.Guard, dir string, opts Options) error {
	if opts.Shown <= 0 {
		opts.Shown = defaultShown
	}
	if opts.Actor == "" {
		opts.Actor = "Operator"
	}
	out := newOutput(w, isTerminal, opts)
	i := &importing{ctx: ctx, db: d, guard: g, opts: opts, out: out, report: newReport(opts.Shown)}
	defer i.close()
	if err := i.run(dir); err != nil {
		out.progress.clear()
		return err
	}
	if err := out.summary(i); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if n := i.report.problems.total; n > 0 {
		return fault.Newf(fault.Invalid, "Nothing was imported: the files have %s.", count(n, "problem"))
	}
	return nil
}

// importing is one import under way.
type importing struct {
	ctx    context.Context
	db     *db.DB
	guard  *guard.Guard
	opts   Options
	out    *output
	report *report

	folder      *folder
	institution usermgmt.Institution
	creates     bool // the institution is not stored yet
	changes     bool // the stored institution differs
	usernames   map[string]int
	work        []work // what there is to do, in the order of the organizations file
	counts      usermgmt.ImportCounts
	stored      bool
}

// work is one organization that is new or differs from what is stored.
type work struct {
	organization int // in the folder
	id           bank.OrganizationID
	creates      bool
}

func (i *importing) close() {
	if i.folder != nil {
		i.folder.close()
	}
}

func (i *importing) caller() bank.Caller {
	return bank.Caller{Kind: bank.ActorOperator, Name: i.opts.Actor, Institution: i.institution.ID, Channel: bank.ChannelImport}
}

func (i *importing) run(dir string) error {
	if err := i.open(dir); err != nil {
		return err
	}
	if i.folder == nil {
		return nil // institution.json is wrong: without it nothing else can be judged
	}
	if err := i.check(); err != nil {
		return err
	}
	if i.opts.DryRun || i.report.problems.total > 0 {
		return nil
	}
	if err := i.store(); err != nil {
		return err
	}
	i.stored = true
	return nil
}

// open reads the institution and finds out where each organization's rows are.
func (i *importing) open(dir string) (err error) {
	read, err := readInstitution(dir, i.report)
	if err != nil || read == nil {
		return err
	}
	i.institution = read.result
	if err := i.compareInstitution(read); err != nil {
		return err
	}
	i.folder, err = openFolder(dir, i.institution.Edition, i.report)
	if err != nil {
		return err
	}
	return i.folder.index(i.ctx, i.report, i.out.progress)
}

func (i *importing) compareInstitution(read *institutionReading) error {
	return i.db.Read(i.ctx, func(tx *db.Tx) error {
		stored, found, err := usermgmt.FindInstitution(tx, i.institution.ID)
		if err != nil {
			return fmt.Errorf("read the institution %s: %w", i.institution.ID, err)
		}
		stored.Factors, stored.Logo = i.institution.Factors, i.institution.Logo // no folder says them
		i.creates = !found
		i.changes = found && stored != i.institution
		if found && stored.Edition != i.institution.Edition {
			read.problem("edition",
				fmt.Sprintf("the institution is stored with the edition %s", stored.Edition),
				fmt.Sprintf("%s: an institution keeps its edition", stored.Edition))
		}
		return nil
	})
}

// count writes a number with its noun.
func count(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return thousands(n) + " " + noun + "s"
}
