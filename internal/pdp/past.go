package pdp

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// A Past is a moment that a question is about, and not when it is asked: a time,
// or the moment at which a revision was made. The zero Past is now.
type Past struct {
	Time     time.Time
	Revision Revision
}

// IsZero reports whether it is now.
func (p Past) IsZero() bool { return p.Time.IsZero() && p.Revision.IsZero() }

// ErrPast says that a text names no moment.
var ErrPast = errors.New("not a moment: a time such as 2026-03-02T15:04:05Z, or a revision token")

// ParsePast reads a time or a revision token.
func ParsePast(text string) (Past, error) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return Past{Time: at.UTC()}, nil
	}
	revision, err := ParseRevision(text)
	if err != nil || revision.IsZero() || revision.Organization == "" {
		return Past{}, ErrPast
	}
	return Past{Revision: revision}, nil
}

// ExplainAt answers a question as it would have been answered at a moment, from
// the history, and says why. Nobody may act on it: it says what was, not what is.
func (s *Service) ExplainAt(ctx context.Context, institution bank.InstitutionID, q Question, past Past) (Explained, error) {
	if past.IsZero() {
		return s.Explain(ctx, institution, q)
	}
	q.AtLeast = nil
	var e Explained
	err := s.memory.DB().Read(ctx, func(tx *db.Tx) (err error) {
		e, err = explaining{s.sources.At(past), tx, institution}.explain(q)
		return err
	})
	if err != nil {
		return Explained{}, fmt.Errorf("explain as of a moment: %w", err)
	}
	return e, nil
}

// DecideAt answers questions as they would have been answered at a moment.
func (s *Service) DecideAt(ctx context.Context, institution bank.InstitutionID, questions []Question, past Past) ([]Answer, error) {
	if past.IsZero() {
		return s.DecideAll(ctx, institution, questions)
	}
	answers := make([]Answer, len(questions))
	err := s.memory.DB().Read(ctx, func(tx *db.Tx) error {
		then := explaining{s.sources.At(past), tx, institution}
		for i, q := range questions {
			e, err := then.explain(q)
			if err != nil {
				return err
			}
			answers[i] = e.Answer
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("decide as of a moment: %w", err)
	}
	return answers, nil
}
