package hostsync

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/lease"
	"mandate/internal/usermgmt"
)

// Of comparing by itself.
const (
	compareEvery = 24 * time.Hour
	compareTime  = time.Hour // at most, for one institution
)

// CompareDue compares the people of every institution with its host's once a
// day, each with a report that replaces the last.
func (s *Service) CompareDue(ctx context.Context) error {
	if !s.Serves() || s.reports == "" {
		return nil
	}
	var due []bank.InstitutionID
	err := s.db.Read(ctx, func(tx *db.Tx) error {
		institutions, err := usermgmt.Institutions(tx)
		if err != nil {
			return err
		}
		due = nil
		for _, i := range institutions {
			last, err := lastReconciliation(tx, i.ID)
			if err != nil {
				return err
			}
			if last == nil || !tx.Now.Before(last.At.Add(compareEvery)) {
				due = append(due, i.ID)
			}
		}
		return nil
	})
	for _, institution := range due {
		err = errors.Join(err, s.compareAlone(ctx, institution))
	}
	return err
}

// compareAlone compares unless another process does so.
func (s *Service) compareAlone(ctx context.Context, institution bank.InstitutionID) error {
	l, taken, err := lease.Take(ctx, s.db, "host comparison of "+string(institution), s.process, compareTime)
	if err != nil || !taken {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, compareTime)
	defer cancel()
	_, err = s.ReconcileToFile(ctx, bank.System(institution))
	return errors.Join(err, l.End(context.WithoutCancel(ctx), s.db))
}

// ReconcileToFile compares and keeps the report where Report finds it.
func (s *Service) ReconcileToFile(ctx context.Context, caller bank.Caller) (sum Reconciliation, err error) {
	if err := os.MkdirAll(s.reports, 0o700); err != nil {
		return sum, fmt.Errorf("make the folder of reports: %w", err)
	}
	file, err := os.CreateTemp(s.reports, "comparing-*")
	if err != nil {
		return sum, fmt.Errorf("make the report: %w", err)
	}
	defer func() { err = errors.Join(err, ignoreMissing(os.Remove(file.Name()))) }()
	place := s.reportOf(caller.Institution)
	if sum, err = s.Reconcile(ctx, caller, file, filepath.Base(place)); err != nil {
		return sum, errors.Join(err, file.Close())
	}
	if err := file.Close(); err != nil {
		return sum, fmt.Errorf("write the report: %w", err)
	}
	return sum, os.Rename(file.Name(), place)
}

// ignoreMissing is an error unless it says that there is no such file.
func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

func (s *Service) reportOf(institution bank.InstitutionID) string {
	return filepath.Join(s.reports, "host-"+filepath.Base(string(institution))+".csv")
}

// Report copies the report of the last comparison to out.
func (s *Service) Report(ctx context.Context, caller bank.Caller, out io.Writer) error {
	if err := s.guard.Look(ctx, caller, tending(caller.Institution, eventViewed), func(*guard.View) error { return nil }); err != nil {
		return err
	}
	file, err := os.Open(s.reportOf(caller.Institution))
	if errors.Is(err, os.ErrNotExist) {
		return fault.New(fault.NotFound, "There is no report on this machine.")
	}
	if err != nil {
		return fmt.Errorf("open the report: %w", err)
	}
	_, err = io.Copy(out, file)
	return errors.Join(err, file.Close())
}
