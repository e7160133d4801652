package wire

import (
	"context"

	"mandate/internal/bank"
)

// Approve is the second person's yes to a wire as they saw it: hash is of the
// content that they were shown. It asks for a high-risk authorization.
func (s *Service) Approve(ctx context.Context, caller bank.Caller, id ID, hash, comment string) error {
	w, err := s.asked(ctx, caller, id)
	if err != nil {
		return err
	}
	return s.queue.Approve(ctx, caller, w.Item, hash, comment)
}

// Carry hands what was approved to the host at once.
func (s *Service) Carry(ctx context.Context) { s.desk.Now(ctx) }

// Reject is the second person's no.
func (s *Service) Reject(ctx context.Context, caller bank.Caller, id ID, comment string) error {
	w, err := s.asked(ctx, caller, id)
	if err != nil {
		return err
	}
	return s.queue.Reject(ctx, caller, w.Item, comment)
}

// asked reads a wire that waits for a second person. Whether whoever asks may
// know of it is decided in the queue.
func (s *Service) asked(ctx context.Context, caller bank.Caller, id ID) (Wire, error) {
	w, err := s.glance(ctx, caller, id)
	if err != nil {
		return Wire{}, err
	}
	if w.Item == "" {
		return Wire{}, ErrNotWaiting
	}
	return w, nil
}
