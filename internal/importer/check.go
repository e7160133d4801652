package importer

import (
	"fmt"

	"mandate/internal/db"
	"mandate/internal/usermgmt"
)

// check reads everything once, reports what is wrong, compares the rest with
// what is stored and notes what there is to do. It stores nothing.
func (i *importing) check() error {
	i.usernames = map[string]int{}
	i.out.progress.begin("Checking", "organization", int64(len(i.folder.organizations)))
	reader := &organizationReader{folder: i.folder, report: i.report}
	for n := range i.folder.organizations {
		if err := i.ctx.Err(); err != nil {
			return err
		}
		read, ok, err := reader.read(n)
		if err != nil {
			return err
		}
		i.takeUsernames(read)
		if ok {
			if err := i.compare(n, read); err != nil {
				return err
			}
		}
		i.out.progress.advance(1)
	}
	i.usernames = nil
	return i.notMentioned()
}

// takeUsernames reports usernames that two members of the folder have.
func (i *importing) takeUsernames(read *organizationRead) {
	for m := range read.in.Members {
		key := usermgmt.Fold(read.in.Members[m].Username)
		if key == "" {
			continue
		}
		if line, taken := i.usernames[key]; taken {
			i.report.problem(place{membersFile, read.member[m], memberUsername}, "username",
				fmt.Sprintf("%s is the username of the member in line %d as well", clip(key), line), "a username that nobody else at the institution has")
			continue
		}
		i.usernames[key] = read.member[m]
	}
}

// compare asks what importing the organization would take.
func (i *importing) compare(n int, read *organizationRead) error {
	var plan *usermgmt.ImportPlan
	err := i.db.Read(i.ctx, func(tx *db.Tx) (err error) {
		plan, err = usermgmt.PlanImport(tx, i.institution, &read.in, func(note usermgmt.ImportNote) {
			at, field := read.place(i.folder, note)
			i.report.warning(at, field, note.Wrong, note.Right)
		})
		return err
	})
	if err != nil {
		return err
	}
	for _, note := range plan.Problems {
		at, field := read.place(i.folder, note)
		i.report.problem(at, field, note.Wrong, note.Right)
	}
	i.counts.Add(&plan.Counts)
	if !plan.Changes() {
		return nil
	}
	i.work = append(i.work, work{organization: n, id: plan.ID, creates: plan.Creates})
	if i.opts.Objects {
		return i.out.objects(plan)
	}
	return nil
}

// place is where the thing stands that a note is about.
func (o *organizationRead) place(f *folder, note usermgmt.ImportNote) (at place, field string) {
	switch note.Kind {
	case usermgmt.ImportsOrganization:
		at.file, at.line = organizationsFile, o.line
	case usermgmt.ImportsAccount:
		at.file, at.line = accountsFile, o.account[note.Account]
	case usermgmt.ImportsMember:
		at.file, at.line = membersFile, o.member[note.Member]
	case usermgmt.ImportsMemberAccount:
		at.file, at.line = memberAccountsFile, o.access[note.Member][note.Access]
	}
	at.column = f.tables[at.file].schema.byName[note.Field]
	return at, note.Field
}

// notMentioned counts the stored organizations that the folder leaves out.
func (i *importing) notMentioned() error {
	return i.db.Read(i.ctx, func(tx *db.Tx) error {
		n, err := usermgmt.NotMentioned(tx, i.institution.ID, func(externalID string) bool {
			_, mentioned := i.folder.places[externalID]
			return mentioned
		})
		i.counts[usermgmt.ImportsOrganization][usermgmt.ImportNotMentioned] = n
		return err
	})
}
