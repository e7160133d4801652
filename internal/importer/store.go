package importer

import (
	"context"
	"fmt"

	"mandate/internal/usermgmt"
)

// ahead is how many organizations are read while one is being stored.
const ahead = 2

// store brings in what check found to differ, one organization after the other
// and each in a transaction of its own. What was stored before an interruption
// is equal by then, so that the next import has only the rest to do.
func (i *importing) store() error {
	if i.creates || i.changes {
		if _, err := usermgmt.ImportInstitution(i.ctx, i.guard, i.caller(), i.institution, i.creates); err != nil {
			return fmt.Errorf("import the institution: %w", err)
		}
	}
	i.out.progress.begin("Importing", "organization", int64(len(i.work)))
	ctx, cancel := context.WithCancel(i.ctx)
	defer cancel()
	for next := range i.readAhead(ctx) {
		if next.err != nil {
			return next.err
		}
		_, err := usermgmt.ImportOrganization(i.ctx, i.guard, i.caller(), &next.read.in, next.work.id, next.work.creates)
		if err != nil {
			return fmt.Errorf("import the organization %s: %w", next.read.in.ExternalID, err)
		}
		i.out.progress.advance(1)
	}
	return i.ctx.Err()
}

type readWork struct {
	work work
	read *organizationRead
	err  error
}

// readAhead reads the organizations that there is something to do for.
func (i *importing) readAhead(ctx context.Context) <-chan readWork {
	out := make(chan readWork, ahead)
	go func() {
		defer close(out)
		reader := &organizationReader{folder: i.folder}
		for _, w := range i.work {
			read, _, err := reader.read(w.organization)
			select {
			case out <- readWork{w, read, err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return out
}
